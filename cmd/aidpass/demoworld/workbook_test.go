package demoworld_test

import (
	"bytes"
	"testing"
	"time"
	"unicode"

	"github.com/xuri/excelize/v2"

	"aidpass/cmd/aidpass/demoworld"
)

var day = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

func TestTheWorkbookIsWhatTheDemoPromises(t *testing.T) {
	w, err := demoworld.New(day)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := w.Write(&b); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	for sheet, rows := range w.Rows {
		if got, err := f.GetRows(sheet); err != nil || len(got) != rows+1 {
			t.Errorf("%s has %d rows (%v), want %d and the header", sheet, len(got), err, rows)
		}
	}
	if w.Rows[demoworld.HouseholdSheet] != demoworld.Households {
		t.Errorf("%d households, want %d", w.Rows[demoworld.HouseholdSheet], demoworld.Households)
	}
	people, _ := f.GetRows(demoworld.PersonSheet)
	scripts := map[string]bool{}
	single := 0
	for _, row := range people[1:] {
		words := 1
		for _, r := range row[3] {
			if r == ' ' {
				words++
			}
			for name, table := range unicode.Scripts {
				if unicode.Is(table, r) && unicode.IsLetter(r) {
					scripts[name] = true
				}
			}
		}
		if words == 1 {
			single++
		}
	}
	for _, s := range []string{"Latin", "Arabic", "Ethiopic", "Myanmar", "Bengali", "Devanagari", "Khmer", "Thai", "Cyrillic"} {
		if !scripts[s] {
			t.Errorf("no name is written in %s", s)
		}
	}
	if single < 10 {
		t.Errorf("%d people have a single name, want at least 10", single)
	}
	if len(w.Mistakes) < 8 {
		t.Errorf("%d mistakes are planted, want at least 8", len(w.Mistakes))
	}
}
