package shape_test

import (
	"slices"
	"testing"

	"aidpass/issuer/print/fonts"
	"aidpass/issuer/print/shape"
)

// TestLettersJoin: a letter that joins the next has another shape than alone.
func TestLettersJoin(t *testing.T) {
	for _, w := range []fonts.Weight{fonts.Regular, fonts.Bold} {
		ids := func(text string) []shape.ID {
			t.Helper()
			l, err := shape.Set(text, w, shape.RTL)
			if err != nil {
				t.Skipf("SKIPPED: %v", err)
			}
			var ids []shape.ID
			for _, g := range l.Glyphs {
				ids = append(ids, g.ID)
			}
			return ids
		}
		meem := ids("م")
		for _, letter := range "ئبتثجحخسشصضطظعغفقكلمنهيپچکگی" {
			alone, before := ids(string(letter)), ids(string(letter)+"م")
			// Dots and hamza are shapes of their own, the same over every form: the body differs.
			same := letter != 'م'
			for _, id := range alone {
				same = same && slices.Contains(before, id)
			}
			if same {
				t.Errorf("weight %d: U+%04X before meem is drawn as alone", w, letter)
			}
			if len(before) < 2 || slices.Equal(before[:len(meem)], meem) {
				t.Errorf("weight %d: meem after U+%04X is drawn as alone", w, letter)
			}
		}
	}
}
