package main

import (
	"strings"
	"testing"
	"time"

	"aidpass/verifier"
)

// The bars that do not depend on how busy the machine is hold in every test run.
func TestBarsWithoutAClock(t *testing.T) {
	for _, r := range append(cardText(0), sizes()...) {
		if !r.pass {
			t.Errorf("%s: %s, want %s (%s)", r.name, r.measured, r.target, r.against)
		}
	}
	s := newScene()
	for i := range s.cards {
		c := &s.cards[i]
		var one verifier.Checker
		if got, want := testing.AllocsPerRun(50, s.judge(&one, c.text, nil)), testing.AllocsPerRun(50, c.verify); got > want {
			t.Errorf("%s: a check allocates %v times, the standard library's alone %v", c.name, got, want)
		}
	}
}

// A comparison is worth something only if both sides do the work.
func TestThePlainChainReadsAndWritesTheSameCards(t *testing.T) {
	s := newScene()
	naive := newChain(s)
	for i := range s.cards {
		c := &s.cards[i]
		plain, err := naive.verify(c.text)
		if err != nil {
			t.Fatalf("%s: the chain refuses our card: %v", c.name, err)
		}
		u := &units(1)[0]
		text := naive.issue(c.signer, u, plain, 77)
		if _, err := naive.verify(text); err != nil {
			t.Errorf("%s: the chain refuses its own card: %v", c.name, err)
		}
		if _, err := naive.verify(text[:len(text)-3]); err == nil {
			t.Errorf("%s: the chain takes half a card", c.name)
		}
	}
}

func TestTheTableSaysWhatWasMissed(t *testing.T) {
	var out strings.Builder
	missed := print(&out, []row{
		atMost("quick", 1.05, 1.10, "%.2f", " x", "a"), atMost("slow", 1.2, 1.10, "%.2f", " x", "b"), told("other", 3, "%.0f", "", "c"),
	})
	if missed != 1 || strings.Count(out.String(), "MISS") != 1 || strings.Count(out.String(), "pass") != 1 {
		t.Errorf("%d missed of\n%s", missed, out.String())
	}
}

func TestBesideFindsRatios(t *testing.T) {
	work := func(n int) func() {
		return func() {
			x := uint32(1)
			for range n {
				x = x*1664525 + 1013904223
			}
			sink = x
		}
	}
	_, x := beside(200*time.Millisecond, work(20_000), work(20_000), work(60_000))
	if x[0] < 0.7 || x[0] > 1.4 || x[1] < 2 || x[1] > 4.5 {
		t.Errorf("ratios %v, want about 1 and 3", x)
	}
}

var sink uint32
