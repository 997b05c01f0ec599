package insight_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"aidpass/issuer/insight"
)

var days = []string{"2026-11-20", "2026-11-21"}

func people(n int, day, group, name string) (rows []insight.Row) {
	for i := range n {
		rows = append(rows, insight.Row{Day: day, Group: group, Household: fmt.Sprint(name, i)})
	}
	return rows
}

func point(t *testing.T, list []insight.Series, group, day string) insight.Point {
	t.Helper()
	for _, s := range list {
		for _, p := range s.Points {
			if s.Group == group && p.Name == day {
				return p
			}
		}
	}
	t.Fatalf("no point of %q on %s", group, day)
	return insight.Point{}
}

// Nine households and none look alike; one large family is not many; ten are shown, in
// fives.
func TestFewAreHidden(t *testing.T) {
	secret := []byte("a secret")
	for n, small := range map[int]bool{0: true, 1: true, 9: true, 10: false, 60: false} {
		rows := append(people(n, days[0], "well", "h"), people(20, days[1], "well", "x")...)
		p := point(t, insight.Tables(secret, days, rows), "well", days[0])
		if p.Small != small || p.Small && p.Count != 0 || !p.Small && (p.Count < 10 || p.Count%insight.Round != 0 || math.Abs(float64(p.Count-n)) > 7) {
			t.Errorf("%d households: %+v", n, p)
		}
	}
	var family []insight.Row
	for range 50 {
		family = append(family, insight.Row{Day: days[0], Group: "well", Household: "one"})
	}
	if p := point(t, insight.Tables(secret, days, family), "well", days[0]); !p.Small {
		t.Errorf("one family of fifty: %+v", p)
	}
}

// The same people give the same number in whatever order and beside whatever else; with
// another secret they give others, so that the noise is there at all.
func TestTheSamePeopleGiveTheSameNumber(t *testing.T) {
	rows := people(203, days[0], "well", "h")
	want := point(t, insight.Tables([]byte("a"), days, rows), "well", days[0])
	for range 20 {
		rand.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		more := append(people(30, days[1], "pump", "y"), rows...)
		if got := point(t, insight.Tables([]byte("a"), days, more), "well", days[0]); got != want {
			t.Fatalf("asked otherwise: %+v, want %+v", got, want)
		}
	}
	seen := map[int]bool{}
	for i := range 40 {
		seen[point(t, insight.Tables([]byte{byte(i)}, days, rows), "well", days[0]).Count] = true
	}
	if len(seen) < 2 {
		t.Error("there is no noise")
	}
}

// Who takes all but one site from the total, and a total from that of the day after one
// family came, cannot tell whether somebody was there: the answers overlap.
func TestDifferencesTellNothing(t *testing.T) {
	equal := 0
	for i := range 200 {
		secret := []byte(fmt.Sprint(i))
		rows := people(100, days[0], "well", "h")
		with := append(people(1, days[0], "pump", "alone"), rows...)
		a, b := point(t, insight.Tables(secret, days, rows), "", days[0]), point(t, insight.Tables(secret, days, with), "", days[0])
		if p := point(t, insight.Tables(secret, days, with), "pump", days[0]); !p.Small {
			t.Fatalf("one household at a site: %+v", p)
		}
		if a.Count >= b.Count {
			equal++
		}
	}
	if equal < 60 {
		t.Errorf("one household more is seen in %d of 200 totals", 200-equal)
	}
}

// Large numbers stay useful: less than one in twenty off.
func TestLargeNumbersAreRight(t *testing.T) {
	off := 0.0
	for i := range 100 {
		n := 100 + 7*i
		p := point(t, insight.Tables([]byte("a"), days, people(n, days[0], "well", "h")), "well", days[0])
		off += math.Abs(float64(p.Count-n)) / float64(n)
	}
	if off /= 100; off > 0.05 {
		t.Errorf("off by %.3f on average", off)
	}
}
