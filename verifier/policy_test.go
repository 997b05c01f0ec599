package verifier_test

import (
	"reflect"
	"testing"

	"aidpass/credential"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
)

// wholePolicy has every member.
func wholePolicy() verifier.Policy {
	return verifier.Policy{
		Country:    "KEN",
		Programmes: map[string][]verifier.Round{vt.Programme: {{N: 3, Opens: vt.Made, Closes: vt.Now + day}, {N: 4, Opens: vt.Now + day, Closes: vt.Now + 9*day}}, "OPEN": {}},
		Freshness:  map[string]int64{"https://aidpass.example/elig": 3 * 86400, vt.GraceVCT: 0},
		OldLists:   &verifier.Decision{Reason: "no road", Lead: "s-17", Second: "s-4", Ceiling: "C1", From: vt.Now, Until: vt.Now + day},
		Sites:      []string{"DAD-1"},
		MaxLife:    300 * 86400,
		ShowFor:    90,
		Told:       []string{vt.Site},
		Bearer:     []string{"https://aidpass.example/rcpt"},
	}
}

func TestAPolicyComesBackAsItWasWritten(t *testing.T) {
	for name, want := range map[string]verifier.Policy{
		"empty": {}, "whole": wholePolicy(),
		"no programme at all is not any programme": {Programmes: map[string][]verifier.Round{}, Sites: []string{}},
	} {
		b, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := verifier.DecodePolicy(b)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func TestAPolicyThatCannotBeMeantIsNotWritten(t *testing.T) {
	for name, edit := range map[string]func(*verifier.Policy){
		"a round that closes before it opens": func(p *verifier.Policy) { p.Programmes[vt.Programme][0].Closes = 1 },
		"lists fresh for less than no time":   func(p *verifier.Policy) { p.Freshness[vt.GraceVCT] = -1 },
		"old lists decided by one":            func(p *verifier.Policy) { p.OldLists.Second = p.OldLists.Lead },
		"old lists without a second person":   func(p *verifier.Policy) { p.OldLists.Second = "" },
		"old lists without a reason":          func(p *verifier.Policy) { p.OldLists.Reason = "" },
		"old lists for ever":                  func(p *verifier.Policy) { p.OldLists.Until = p.OldLists.From },
	} {
		p := wholePolicy()
		edit(&p)
		if _, err := p.Encode(); err == nil {
			t.Errorf("%s is written", name)
		}
	}
}

func TestADecisionHoldsInsideItsTimeAndForTwoPeopleOnly(t *testing.T) {
	d := wholePolicy().OldLists
	for at, want := range map[credential.Time]bool{d.From - 1: false, d.From: true, d.Until - 1: true, d.Until: false} {
		if got := d.Holds(at); got != want {
			t.Errorf("at %s: %v", at, got)
		}
	}
	var none *verifier.Decision
	alone := *d
	alone.Second = alone.Lead
	if none.Holds(d.From) || alone.Holds(d.From) {
		t.Error("a decision holds that two people did not make")
	}
}

func TestAVerdictStaysOnTheScreenForAWhile(t *testing.T) {
	for seconds, want := range map[int64]int64{0: 60, 5: 5, 180: 180} {
		b, err := (&verifier.Policy{ShowFor: seconds}).Encode()
		check(t, err)
		p, err := verifier.DecodePolicy(b)
		check(t, err)
		if p.Shows() != want {
			t.Errorf("%d: shown for %d seconds, want %d", seconds, p.Shows(), want)
		}
	}
	for _, seconds := range []int64{-1, 1, 4, 181} {
		if _, err := (&verifier.Policy{ShowFor: seconds}).Encode(); err == nil {
			t.Errorf("%d seconds is written", seconds)
		}
	}
	// 181 seconds, as no writer puts it
	if _, err := verifier.DecodePolicy([]byte{0xa2, 1, 0x60, 7, 0x18, 181}); err == nil {
		t.Error("181 seconds is read")
	}
}
