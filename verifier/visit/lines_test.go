package visit_test

import (
	"errors"
	"strings"
	"testing"

	"aidpass/verifier/visit"
)

func lines(t *testing.T, s string) []visit.Line {
	t.Helper()
	l, ok := visit.ParseLines(s)
	if !ok {
		t.Fatalf("%q: no lines", s)
	}
	return l
}

// What stays due is reckoned in decimals: a tenth three times is three tenths.
func TestWhatStaysDue(t *testing.T) {
	for _, c := range []struct {
		due, given, rest string
		err              error
	}{
		{"RICE=10 kg;OIL=2 l", "RICE=10 kg;OIL=2 l", "", nil},
		{"RICE=10 kg;OIL=2 l", "RICE=9.7 kg", "RICE=0.3 kg;OIL=2 l", nil},
		{"RICE=10 kg;OIL=2 l", "RICE>MAIZE=8 kg", "OIL=2 l", nil},
		{"0.3 kg", "0.1 kg", "0.2 kg", nil},
		{"10 kg", ">MAIZE=8 kg", "", nil},
		{"1200.50 KES", "1200.5 KES", "", nil},
		{"RICE=10 kg", "RICE=10.000001 kg", "", visit.ErrTooMuch},
		{"RICE=10 kg", "SALT=1 kg", "", visit.ErrNotDue},
		{"RICE=10 kg", "RICE=10 lb", "", visit.ErrNotDue},
		{"10 kg", "10 l", "", visit.ErrNotDue},
	} {
		rest, err := visit.Subtract(lines(t, c.due), lines(t, c.given))
		if !errors.Is(err, c.err) {
			t.Errorf("%q less %q: %v, want %v", c.due, c.given, err, c.err)
			continue
		}
		if got, _ := visit.FormatLines(rest); got != c.rest {
			t.Errorf("%q less %q: %q, want %q", c.due, c.given, got, c.rest)
		}
	}
}

func TestOtherTextIsNoLine(t *testing.T) {
	for _, s := range []string{"", "C1", "RICE", "RICE=", "=1 kg", "RICE=-1 kg", "RICE=0 kg", "RICE=1e3 kg", "RICE=1 kg;", "RICE=1 kg;RICE=2 kg",
		"RICE>=1 kg", "10 kg;OIL=1 l", strings.Repeat("A=1;", 17), strings.Repeat("A", 33) + "=1"} {
		if l, ok := visit.ParseLines(s); ok {
			t.Errorf("%q: read as %+v", s, l)
		}
	}
	if _, err := visit.FormatLines([]visit.Line{{Code: "a;b", Amount: visit.Amount{Micros: 1}}}); err == nil {
		t.Error("a code that would end the line was written")
	}
}

func FuzzParseLines(f *testing.F) {
	for _, s := range []string{"10 kg", "RICE=10 kg;OIL=2 l", "RICE>MAIZE=8 kg", "A=0.000001", "C1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, ok := visit.ParseLines(s)
		if !ok {
			return
		}
		written, err := visit.FormatLines(l)
		if err != nil {
			t.Fatalf("%q is read as %+v and cannot be written: %v", s, l, err)
		}
		if again, ok := visit.ParseLines(written); !ok || len(again) != len(l) {
			t.Fatalf("%q, written as %q, is not read again", s, written)
		}
		if rest, err := visit.Subtract(l, l); err != nil || len(rest) != 0 {
			t.Fatalf("%q less itself: %+v, %v", s, rest, err)
		}
	})
}
