package demoworld_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/cmd/aidpass/demoworld"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/registrytest"
	"aidpass/issuer/registry/roster"
)

// TestWhateverTheDayWhatIsFoundWasPlanted: ages are counted from the day of the demo,
// and no day makes a finding of its own.
func TestWhateverTheDayWhatIsFoundWasPlanted(t *testing.T) {
	for n := range 25 {
		today := day.AddDate(0, n, n*7)
		t.Run(today.Format(time.DateOnly), func(t *testing.T) { planted(t, today) })
	}
}

func planted(t *testing.T, today time.Time) {
	w, err := demoworld.New(today)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := w.Write(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "list.xlsx")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := roster.OpenFile(path, roster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plan, err := intake.Guess(file)
	if err != nil {
		t.Fatal(err)
	}
	var store registrytest.Store
	report, err := intake.Run(context.Background(), &store, access.Actor{ID: "clerk", Role: access.Registrar}, plan, file, intake.Options{Now: today, Country: "KEN"})
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]int{}
	for _, m := range w.Mistakes {
		if !m.Gate {
			left[fmt.Sprint(m.Sheet, m.Row, m.Code, m.Refused)]++
		}
	}
	for _, f := range report.Findings {
		left[fmt.Sprint(f.Table, f.Row, f.Code, f.Severity == intake.Reject)]--
	}
	for at, n := range left {
		if n != 0 {
			t.Errorf("%s: planted %+d times more than found", at, n)
		}
	}
	if len(report.Doubles) != len(w.Doubles) {
		t.Errorf("%d doubles found of %d planted", len(report.Doubles), len(w.Doubles))
	}
}
