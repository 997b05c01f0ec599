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
			if r.Reason != c.Want {
				t.Fatalf("got %s %v (%v), want %s", r.Reason, r.Reasons(), r.Err, c.Want)
			}
			row := c.Row()
			if r.Answer != row.Answer || r.Word != row.Word {
				t.Errorf("got %s %s, want %s %s", r.Answer, r.Word, row.Answer, row.Word)
			}
			also := r.Reasons()[1:]
			for _, want := range c.Also {
				if !slices.Contains(also, want) {
					t.Errorf("secondary reasons %v lack %s", also, want)
				}
			}
			if len(also) != len(c.Also) {
				t.Errorf("secondary reasons %v, want %v", also, c.Also)
			}
			if row.Facts == words.NoFacts && r.Claims() != nil {
				t.Error("claims are shown although nothing may be")
			}
		})
	}
}

// later lists the reasons that other parts of aidpass raise: tokens of wallets
// (SD-JWT, VC-JWT), acts of people, and the typed number.
var later = []words.Reason{
	words.BadJOSE, words.DisclosureMalformed, words.DisclosureBadName, words.DisclosureDuplicate, words.DisclosureUnreferenced,
	words.DigestDuplicate, words.KBMissing, words.KBWrongAudience, words.KBWrongHash,
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
