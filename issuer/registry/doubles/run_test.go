package doubles_test

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/doubles"
)

func TestWhoIsOnRecordTwiceIsFound(t *testing.T) {
	w := newWorld(t)
	first := w.crowd(80)
	twice := w.add(likely(7))
	seen := 0
	r := w.run(doubles.Options{Progress: func(done, total int) {
		if done < seen || done > total {
			t.Errorf("%d after %d of %d", done, seen, total)
		}
		seen = done
	}})
	if !r.Full || r.Why != doubles.FullFirst || r.People != 81 || r.Read != 81 || r.New != 1 || r.Told+r.Review != 1 || !r.Kept || seen != 162 {
		t.Errorf("%+v, progress %d", r, seen)
	}
	var d registry.Double
	err := w.View(t.Context(), func(v registry.View) error {
		list, err := v.DoublesOf(twice)
		if err == nil && len(list) == 1 {
			d = list[0]
		}
		return err
	})
	if err != nil || d.A != twice || d.B != first[7] || d.Bits <= 0 || len(d.Evidence) < 3 || d.By != "" || d.State(w.now) == registry.StateDecided {
		t.Fatalf("%+v, %v: the newer record stands first, with what speaks", d, err)
	}

	// Nothing changed: nobody is read, and all stays.
	if r = w.run(doubles.Options{}); r.Full || r.Read != 0 || r.People != 81 || r.New+r.Renewed+r.Withdrawn != 0 || len(w.pairs(false)) != 1 {
		t.Errorf("%+v", r)
	}
	// Who is new is compared with all; a name that was mended takes the pair back.
	later := w.add(likely(30))
	w.write(twice, stranger(900))
	if r = w.run(doubles.Options{}); r.Full || r.Read != 2 || r.New != 1 || r.Withdrawn != 1 {
		t.Errorf("%+v", r)
	}
	open, all := w.pairs(false), w.pairs(true)
	if len(open) != 1 || open[key(later, first[30])].A != later || all[key(twice, first[7])].Decided != registry.Withdrawn {
		t.Errorf("%+v, %+v", open, all)
	}
	// And found again when it is as it was.
	w.write(twice, likely(7))
	if r = w.run(doubles.Options{}); r.Renewed != 1 || r.New != 0 || len(w.pairs(false)) != 2 {
		t.Errorf("%+v", r)
	}
	// A closed record is nobody to compare.
	must(t, w.registry().Died, later)
	if r = w.run(doubles.Options{}); r.Withdrawn != 1 || r.People != 81 {
		t.Errorf("%+v", r)
	}
	for _, c := range []struct {
		why string
		do  func()
	}{
		{doubles.FullDamaged, func() { w.index = w.index[:len(w.index)/2] }},
		{doubles.FullDamaged, func() { w.index = []byte("anything") }},
		{doubles.FullFirst, func() { w.erase(later) }},
		{doubles.FullMonth, func() { w.now = w.now.AddDate(0, 2, 0) }},
	} {
		c.do()
		if r = w.run(doubles.Options{}); !r.Full || r.Why != c.why || len(w.pairs(false)) != 1 || !r.Kept {
			t.Errorf("%s: %+v", c.why, r)
		}
	}
}

func must(t *testing.T, died func(context.Context, registry.ID, string) (registry.After, error), id registry.ID) {
	t.Helper()
	if _, err := died(t.Context(), id, "2026-10-30"); err != nil {
		t.Fatal(err)
	}
}

func TestWhatPeopleDecidedStays(t *testing.T) {
	w := newWorld(t)
	first := w.crowd(60)
	a, b := w.add(likely(3)), w.add(likely(4))
	w.run(doubles.Options{})
	reg := w.registry()
	if _, err := reg.DecideDouble(t.Context(), a, first[3], registry.Different); err != nil {
		t.Fatal(err)
	}
	if err := reg.Postpone(t.Context(), b, first[4], w.now.AddDate(0, 1, 0), registry.AskHousehold); err != nil {
		t.Fatal(err)
	}
	if r := w.run(doubles.Options{Full: true}); r.Why != doubles.FullAsked || r.Decided != 1 || r.Reopened+r.New+r.Renewed+r.Withdrawn != 0 {
		t.Errorf("%+v", r)
	}
	if p := w.pairs(false); len(p) != 1 || p[key(b, first[4])].State(w.now) != registry.StatePostponed {
		t.Errorf("%+v", p)
	}
	// Something else is written of her: it was nothing that was decided by.
	p := likely(3)
	p.Languages = []string{"som"}
	w.write(a, p)
	// Her name is written another way that agrees as it did.
	if r := w.run(doubles.Options{}); r.Decided != 1 || r.Reopened != 0 {
		t.Errorf("%+v", r)
	}
	p.Names = stranger(3).Names
	w.write(a, p)
	if r := w.run(doubles.Options{}); r.Reopened != 1 || w.pairs(false)[key(a, first[3])].Decided != "" {
		t.Errorf("the names are the same now, and the pair stays decided: %+v", r)
	}
	if after, err := reg.DecideDouble(t.Context(), a, first[3], registry.Same); err != nil || !slices.Equal(after.Revoke, []registry.ID{a}) {
		t.Fatalf("%+v, %v", after, err)
	}
	if r := w.run(doubles.Options{}); r.Withdrawn != 0 || w.pairs(true)[key(a, first[3])].Decided != registry.Same {
		t.Errorf("%+v", r)
	}
}

// TestOnlyWhoIsNew: runs over what changed leave the pairs that a run over all finds.
func TestOnlyWhoIsNew(t *testing.T) {
	merged := 0
	for seed := range uint64(4) {
		w := newWorld(t)
		r := rand.New(rand.NewPCG(seed, 5))
		people := w.crowd(150)
		home := func() registry.ID {
			fields, err := registry.Household{Size: 2, Location: &registry.Location{Site: "site 3"}}.Fields()
			if err != nil {
				t.Fatal(err)
			}
			return w.put(registry.Change{Kind: registry.KindHousehold, Fields: fields})
		}
		homes := []registry.ID{home(), home(), home()}
		one := func() registry.ID { return people[r.IntN(len(people))] }
		w.run(doubles.Options{})
		found := 0
		for step := range 8 {
			for range 1 + r.IntN(6) {
				switch n := r.IntN(150); r.IntN(8) {
				case 0, 1:
					people = append(people, w.add(likely(n)))
				case 2:
					w.write(one(), likely(n)) // corrected: into another's likeness
				case 3:
					w.write(one(), stranger(n+1000*step))
				case 4:
					w.put(registry.Change{ID: one(), Household: homes[r.IntN(3)]})
				case 5:
					for k, d := range w.pairs(false) {
						if _, err := w.registry().DecideDouble(t.Context(), k[0], k[1], []string{registry.Same, registry.Different}[r.IntN(2)]); err != nil && !errors.Is(err, registry.ErrClosed) {
							t.Fatal(err, d)
						}
						break
					}
				case 6:
					if step%3 == 2 && r.IntN(3) == 0 {
						at := r.IntN(len(people))
						w.erase(people[at])
						people = slices.Delete(people, at, at+1)
					}
				case 7: // two households become one, and another stands in the place of the second
					first := r.IntN(3)
					second := (first + 1 + r.IntN(2)) % 3
					whole, _, err := w.registry().Merge(t.Context(), []registry.ID{homes[first], homes[second]}, registry.ID{})
					if err != nil {
						t.Fatal(err)
					}
					w.made = append(w.made, whole)
					homes[first], homes[second] = whole, home()
					merged++
				}
			}
			rep := w.run(doubles.Options{})
			if rep.Full && w.erased == 0 {
				t.Fatalf("%+v", rep)
			}
			got := w.pairs(false)
			found += len(got)
			w.run(doubles.FullAgain)
			want := w.pairs(false)
			same := func(a, b registry.Double) bool { return a.A == b.A && a.B == b.B && a.Guard == b.Guard }
			if !maps.EqualFunc(got, want, same) {
				t.Fatalf("seed %d, step %d: %d pairs of the run over what changed, %d of all:\n%v\n%v", seed, step, len(got), len(want), got, want)
			}
		}
		if found < 20 {
			t.Errorf("seed %d: only %d pairs: this shows nothing", seed, found)
		}
	}
	if merged < 4 {
		t.Errorf("only %d merges of households: this shows nothing of them", merged)
	}
}

func TestAFloodIsTold(t *testing.T) {
	w := newWorld(t)
	w.crowd(40)
	for range 12 { // one list, entered again and again
		w.add(stranger(5))
	}
	r := w.run(doubles.Options{})
	if r.Flood == 0 || r.FloodPeople == 0 || r.New+r.Flood != r.Told+r.Review || r.New > max(doubles.AlwaysLooked, r.People*doubles.MostPerThousand/1000) {
		t.Errorf("%+v", r)
	}
	of := map[registry.ID]int{}
	for k := range w.pairs(false) {
		of[k[0]]++
		of[k[1]]++
	}
	if most := slices.Max(slices.Collect(maps.Values(of))); most > doubles.MostOfOne {
		t.Errorf("%d pairs of one person", most)
	}
	if again := w.run(doubles.Options{Full: true}); again.New != 0 || again.Flood != r.Flood || again.Withdrawn != 0 {
		t.Errorf("again: %+v", again)
	}
}

func TestARunThatIsStoppedLeavesNothingHalfDone(t *testing.T) {
	w := newWorld(t)
	w.crowd(60)
	w.run(doubles.Options{})
	kept := w.index
	w.add(likely(9))
	for _, at := range []int{1, 61, 100} {
		ctx, stop := context.WithCancel(t.Context())
		_, err := w.desk.Run(ctx, clerk, doubles.Options{Full: true, Progress: func(done, _ int) {
			if done >= at {
				stop()
			}
		}})
		stop()
		if !errors.Is(err, context.Canceled) || !slices.Equal(w.index, kept) {
			t.Errorf("stopped at %d: %v", at, err)
		}
	}
	if r := w.run(doubles.Options{}); r.Full || r.Read != 1 || r.New != 1 {
		t.Errorf("%+v", r)
	}
}

func TestOneIsErasedWhileARunCompares(t *testing.T) {
	w := newWorld(t)
	first := w.crowd(30)
	twice := w.add(likely(2))
	var once bool
	r, err := w.desk.Run(t.Context(), clerk, doubles.Options{Progress: func(done, total int) {
		if done > total/2 && !once {
			once = true
			w.erase(first[2])
		}
	}})
	if err != nil || r.Kept || w.index != nil || r.New != 0 || len(w.pairs(true)) != 0 {
		t.Errorf("%+v, %v, an index of %d bytes", r, err, len(w.index))
	}
	if _, ok, err := w.desk.Last(t.Context()); !ok || err != nil {
		t.Errorf("no report: %v", err)
	}
	if r := w.run(doubles.Options{}); r.Why != doubles.FullFirst || r.People != 30 {
		t.Errorf("%+v, of %v", r, twice)
	}
}

// meddling is a store in which somebody acts between what a run read and its first write.
type meddling struct {
	*world
	act func()
}

func (m *meddling) Update(ctx context.Context, by access.Actor, fn func(registry.Tx) error) error {
	if act := m.act; act != nil {
		m.act = nil
		act()
	}
	return m.world.Update(ctx, by, fn)
}

// What people decide while a run compares is left as they decided it.
func TestPeopleDecideWhileARunCompares(t *testing.T) {
	w := newWorld(t)
	first := w.crowd(60)
	gone, fresh := w.add(likely(3)), registry.ID{}
	w.run(doubles.Options{})
	w.write(gone, stranger(70)) // the run withdraws the pair
	fresh = w.add(likely(4))    // and finds one that another desk found by its key
	w.update(func(tx registry.Tx) error {
		return tx.SaveDouble(registry.Double{A: fresh, B: first[4], Why: registry.KeyNameYear})
	})
	w.desk.Store = &meddling{w, func() {
		for _, p := range [][2]registry.ID{{gone, first[3]}, {fresh, first[4]}} {
			if _, err := w.registry().DecideDouble(t.Context(), p[0], p[1], registry.Different); err != nil {
				t.Fatal(err)
			}
		}
	}}
	r, err := w.desk.Run(t.Context(), clerk, doubles.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = w.View(t.Context(), func(v registry.View) error {
		list, err := v.Doubles(true)
		for _, d := range list {
			if d.Decided != registry.Different {
				t.Errorf("after %+v the pair is %+v", r, d)
			}
		}
		if len(list) != 2 {
			t.Errorf("%d pairs", len(list))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
