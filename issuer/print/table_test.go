package print_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"aidpass/issuer/print"
)

func table(rows int) print.Table {
	t := print.Table{Title: "VER-2026-03", Lead: []string{"Camp North"}, Foot: []string{"Level 1"}, Sign: "Clerk", Wide: true, Tall: 10, Totals: 1,
		Columns: []print.Column{{Head: "No.", Share: 1, Number: true}, {Head: "Name", Share: 5}, {Head: "Seen", Share: 1, Box: true}, {Head: "To write", Share: 3, Line: true}}}
	for i := range rows {
		t.Rows = append(t.Rows, []string{fmt.Sprint(i + 1), "Amina Yusuf"})
	}
	return t
}

// Every row stands on some page, each page has its number, and nothing is lost at a page's end.
func TestATableGoesOnOverPages(t *testing.T) {
	for _, rows := range []int{0, 1, 13, 14, 15, 40} {
		for _, lang := range []string{"en", "ar"} {
			f, err := print.Rows(context.Background(), table(rows), print.Options{Lang: lang})
			if err != nil {
				t.Fatal(err)
			}
			if err := print.Prove(context.Background(), f, nil); err != nil {
				t.Errorf("%d rows in %s: %v", rows, lang, err)
			}
			if n := (rows + 13) / 14; f.Pages < max(1, n-1) || f.Pages > n+2 {
				t.Errorf("%d rows are on %d pages", rows, f.Pages)
			}
		}
	}
	if _, err := print.Rows(context.Background(), table(print.MaxRows+1), print.Options{Lang: "en"}); err == nil {
		t.Error("a table without end")
	}
	odd := table(3)
	odd.Rows[1][1] = "\U0001f600"
	f, err := print.Rows(context.Background(), odd, print.Options{Lang: "en"})
	if err != nil || len(f.Stopped) != 1 || f.Stopped[0].Unit != "2" || strings.Contains(f.Stopped[0].Why, "\U0001f600") {
		t.Errorf("a letter that nothing has: %v, %v", f.Stopped, err)
	}
	long := table(1)
	long.Columns[2].Head = strings.Repeat("Donaudampfschiff", 20)
	if _, err := print.Rows(context.Background(), long, print.Options{Lang: "en"}); err == nil {
		t.Error("half a heading")
	}
}

func TestAPosterFillsOnePage(t *testing.T) {
	for _, n := range []int{1, 4, 12} {
		f, err := print.Poster(context.Background(), "We did not see you", strings.Split(strings.Repeat("Come to the desk by 14 December 2026, or send somebody.\n", n), "\n")[:n], print.Options{Lang: "en"})
		if err != nil || f.Pages != 1 {
			t.Errorf("%d paragraphs: %d pages, %v", n, f.Pages, err)
		}
	}
	if _, err := print.Poster(context.Background(), "x", []string{strings.Repeat("word ", 390), strings.Repeat("word ", 390)}, print.Options{Lang: "en"}); err == nil {
		t.Error("letters too small for a wall")
	}
}
