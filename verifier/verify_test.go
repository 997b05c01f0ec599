package verifier_test

import (
	"slices"
	"testing"

	"aidpass/verifier/verifiertest"
	"aidpass/words"
)

func TestEveryCaseGetsItsAnswer(t *testing.T) {
	w := verifiertest.New()
	for _, c := range verifiertest.Cases(w) {
		t.Run(c.Name, func(t *testing.T) {
			r := w.Judge(&c)
			if err := c.Check(&r); err != nil {
				t.Error(err)
			}
		})
	}
}

// later lists the reasons that other parts of aidpass raise: acts of people, and
// the typed number.
var later = []words.Reason{
	words.WrongPerson, words.NumberOnly, words.Replaced,
}

func TestEveryReasonIsReached(t *testing.T) {
	reached := verifiertest.Reached(verifiertest.Cases(verifiertest.New()))
	for _, r := range words.Reasons() {
		if !reached[r] && !slices.Contains(later, r) {
			t.Errorf("no case reaches %s", r)
		}
		if reached[r] && slices.Contains(later, r) {
			t.Errorf("%s is reached: take it off the list", r)
		}
	}
}
