package doubles_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/doubles"
)

func TestHowTheWorkGoes(t *testing.T) {
	w := newWorld(t)
	first := w.crowd(80)
	var twice []registry.ID
	for n := range 5 {
		twice = append(twice, w.add(likely(n)))
	}
	if l, err := w.desk.Report(t.Context()); err != nil || l.Last != nil || l.Open != 0 || l.Reviewers == nil {
		t.Errorf("%+v, %v", l, err)
	}
	w.run(doubles.Options{})
	w.now = w.now.AddDate(0, 0, 9)
	reg := w.registry()
	decide := func(n int, what, by string, after time.Duration) {
		t.Helper()
		w.now = w.now.Add(after)
		reg.Actor.ID = by
		if _, err := reg.DecideDouble(t.Context(), twice[n], first[n], what); err != nil {
			t.Fatal(err)
		}
		for range 2 { // by two reasons
			w.log = append(w.log, doubles.Decision{A: twice[n], B: first[n], What: what, By: by, At: w.now})
		}
	}
	decide(0, registry.Same, "ben", 0)
	decide(1, registry.Different, "ben", 40*time.Second)
	decide(2, registry.Same, "ben", 20*time.Second)
	decide(0, registry.Open, "amal", time.Hour)
	decide(3, registry.Same, "amal", time.Hour)
	if err := reg.Postpone(t.Context(), twice[0], first[0], w.now.AddDate(0, 1, 0), registry.Unsure); err != nil {
		t.Fatal(err)
	}
	l, err := w.desk.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []doubles.Reviewer{{Account: "ben", Decided: 3, TakenBack: 1, Seconds: 40}, {Account: "amal", Decided: 1}}
	if l.Open != 2 || l.Postponed != 1 || l.Told+l.Review != 1 || l.Decided != 3 || l.OldestDays != 9 || l.MedianDays != 9 || !slices.Equal(l.Reviewers, want) {
		t.Errorf("%+v", l)
	}
	if got := l.PerThousand; got < 23 || got > 24 {
		t.Errorf("%g of 1,000 are open", got)
	}
	var same, different, open int
	for _, b := range l.Bands {
		same, different, open = same+b.Same, different+b.Different, open+b.Open
	}
	if same != 2 || different != 1 || open != 2 || len(l.Bands) != 4 || l.Last == nil || l.Last.New != 5 {
		t.Errorf("%+v", l.Bands)
	}
}

// TestAllAreFoundAlike: who is planted is found, group by group; few are not told.
func TestAllAreFoundAlike(t *testing.T) {
	w := newWorld(t)
	arab := []string{"محمد", "فاطمة", "يوسف", "عائشة", "إبراهيم", "زينب", "خالد", "مريم", "سليمان", "هدى"}
	for i := range 240 {
		p := stranger(i)
		switch {
		case i%3 == 0:
			n, _ := registry.ParseName(arab[i%10]+" "+arab[i/3%10]+" "+arab[(i*7+i/30)%10], "")
			p.Names = []registry.Name{n}
		case i == 1:
			n, _ := registry.ParseName("አበበ ተስፋዬ", "")
			p.Names = []registry.Name{n}
		case i%3 == 1: // without a birth and with one name: nothing to be found by
			n, _ := registry.ParseName("Bo", "")
			p.Names, p.Birth, p.Sex = []registry.Name{n}, nil, "x"
		}
		w.add(p)
	}
	before := w.pairs(true)
	r := w.run(doubles.Options{})
	if r.Fairness == nil || r.People != 240 || len(before) != 0 {
		t.Fatalf("%+v", r)
	}
	of := func(f *doubles.Fair, by, value string) doubles.Group {
		i := slices.IndexFunc(f.Groups, func(g doubles.Group) bool { return g.By == by && g.Value == value })
		if i < 0 {
			t.Fatalf("no group %s %s in %+v", by, value, f.Groups)
		}
		return f.Groups[i]
	}
	for _, value := range []string{"Latn", "Arab"} {
		if recall, ok := of(r.Fairness, "script", value).Recall(); !ok || recall == 0 {
			t.Errorf("%s: %+v", value, of(r.Fairness, "script", value))
		}
	}
	if g := of(r.Fairness, "script", "Ethi"); !g.Few || g.People+g.Planted+g.Found != 0 || g.PerThousand != 0 {
		t.Errorf("one person is told: %+v", g)
	}
	if f, x := of(r.Fairness, "sex", "f"), of(r.Fairness, "sex", "x"); f.Behind || !x.Behind || x.Found >= x.Planted {
		t.Errorf("who has nothing to be found by is not marked: %+v, %+v", f, x)
	}
	if recall, _ := of(r.Fairness, "sex", "f").Recall(); recall < 0.9 {
		t.Errorf("%.2f of those planted are found", recall)
	}
	for k := range w.pairs(true) {
		if k[0].IsZero() || k[1].IsZero() {
			t.Error("somebody planted is stored")
		}
	}
	again := w.run(doubles.Options{Full: true})
	if fmt.Sprint(again.Fairness.Groups) != fmt.Sprint(r.Fairness.Groups) {
		t.Errorf("another time it is\n%+v, not\n%+v", again.Fairness.Groups, r.Fairness.Groups)
	}
	w.add(likely(2))
	if later := w.run(doubles.Options{}); later.Full || later.Fairness == nil || !later.Fairness.At.Equal(again.Fairness.At) {
		t.Errorf("a run over what is new forgot the measure: %+v", later.Fairness)
	}
}

func TestAGroupIsShownTogether(t *testing.T) {
	id := func(n byte) registry.ID { return registry.ID{n} }
	pair := func(a, b byte, bits float32) registry.Pair {
		return registry.Pair{Double: registry.Double{A: id(a), B: id(b), Bits: bits}}
	}
	list := []registry.Pair{pair(1, 2, 20), pair(8, 9, 15), pair(2, 3, 12), pair(5, 6, 0), pair(1, 3, 9)}
	var got []byte
	for _, p := range doubles.Together(list) {
		got = append(got, p.A[0], p.B[0])
	}
	if want := []byte{1, 2, 2, 3, 1, 3, 8, 9, 5, 6}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
