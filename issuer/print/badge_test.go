package print_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/issuer/print"
	"aidpass/issuer/print/fonts"
	"aidpass/issuer/print/proof"
	"aidpass/words"
)

// Badges in every language, with the longest code, are drawn and read back.
func TestBadgesAreReadBack(t *testing.T) {
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, time.FixedZone("", 3*3600))
	for _, lang := range words.Tags() {
		for i, paper := range []print.Paper{print.A4, print.Letter} {
			var sheet []print.Badge
			for n := range 11 {
				b := print.Badge{Text: "APB1:" + strings.Repeat("R2 D2-", 60) + string(rune('A'+n)), Staff: "st-" + string(rune('a'+n)), Organisation: "Relief A", Site: "WELL-A", From: day, To: day}
				if n%2 == 1 {
					b.Staff, b.Site, b.Lead, b.Opens, b.To = "A-CODE-OF-LEN-16", "", true, true, day.AddDate(0, 0, 2)
				}
				sheet = append(sheet, b)
			}
			f, err := print.Badges(context.Background(), sheet, print.Options{Paper: paper, Lang: lang})
			if errors.Is(err, fonts.ErrNone) {
				t.Skipf("SKIPPED: %v", err)
			}
			if err != nil {
				t.Fatalf("%s: %v", lang, err)
			}
			if f.Pages != 2 || len(f.Placed) != 11 {
				t.Errorf("%s on %s: %d pages, %d badges", lang, paper, f.Pages, len(f.Placed))
			}
			if i > 0 {
				continue // one proof a language: the face is the same
			}
			path := filepath.Join(t.TempDir(), "badges.pdf")
			if err := print.Release(context.Background(), f, path, nil, nil); err != nil {
				t.Errorf("%s: %v", lang, err)
			}
			if seen, err := proof.Check(context.Background(), f.PDF, f.Placed); lang == "en" && (err != nil || !slices.ContainsFunc(seen.Texts, func(x proof.Text) bool { return x.Text == "23\u00a0November\u00a02026" })) {
				t.Errorf("the day at the site is not on the badge: %v %v", err, seen.Texts)
			}
			if dir := os.Getenv("KEEP"); dir != "" {
				os.WriteFile(filepath.Join(dir, lang+".pdf"), f.PDF, 0o644)
			}
		}
	}
	if _, err := print.Badges(context.Background(), nil, print.Options{Paper: print.A6}); err == nil {
		t.Error("badges were put on slips")
	}
}
