package storagetest

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/exercise"
	"aidpass/issuer/registry/quality"
)

// testExercises: what an exercise keeps of a unit survives the program, stands nowhere in the
// clear, is gone with the record, and a meeting is read as of any day.
func testExercises(t *testing.T, e Engine) {
	w := newWorld(t, e)
	const code, canary = "VER-2026-03", "Kanari well desk"
	var people []registry.ID
	for i := range 5 {
		people = append(people, w.saved(t, change(t, 600+i)).ID)
	}
	cards := w.due(t, 1) // for the household of somebody
	w.saved(t, registry.Change{ID: people[4], Household: cards[0].unit})
	desk := &exercise.Desk{Store: w.org, Now: func() time.Time { return w.now }, Collected: w.org.CollectedSince}
	lead := access.Actor{ID: "lead", Role: access.DistributionLead}
	marker := access.Actor{ID: "clerk-a", Role: access.Registrar, Device: canary}
	first := w.now.Format(time.DateOnly)
	_, err := desk.Make(ctx, lead, exercise.Exercise{Code: code, Opens: first, Closes: w.now.AddDate(0, 0, 4).Format(time.DateOnly), Scope: exercise.Scope{Kind: registry.KindPerson}, Desks: []string{canary}})
	must(t, err)
	if _, err := desk.Find(ctx, "VER-9"); !errors.Is(err, exercise.ErrNone) {
		t.Errorf("one that is none: %v", err)
	}
	opened, err := desk.Open(ctx, lead, code)
	must(t, err)
	if opened.Invited < len(people) {
		t.Fatalf("invited %d", opened.Invited)
	}
	before := w.now
	w.now = w.now.Add(time.Hour)
	for i, how := range registry.Hows() {
		_, err := desk.Mark(ctx, marker, code, people[i], exercise.Event{Outcome: exercise.Seen, How: how, Desk: canary})
		must(t, err)
	}
	want, err := desk.Daily(ctx, code, "", "")
	must(t, err)
	if len(want.Rows) != 1 || want.Rows[0].Seen != 3 || want.Left != opened.Invited-3 {
		t.Errorf("counted %+v", want)
	}
	one, since := w.scanner(t, "tab-1"), before
	for n := range 2 { // and what was found once is not what is told when more came in
		got := 0
		must(t, w.org.CollectedSince(ctx, since, func(registry.ID) { got++ }))
		if got != n {
			t.Errorf("%d of %d collected", got, n)
		}
		if n == 0 {
			w.acked(t, "given", w.hand(t, one.give(cards[0].all())), "accepted")
		}
	}
	must(t, w.org.CollectedSince(ctx, w.now.AddDate(0, 0, 3), func(registry.ID) { t.Error("collected before it was") }))
	must(t, w.org.View(ctx, func(v registry.View) error { // the gate counts it as met
		for unit, want := range map[registry.ID]bool{cards[0].unit: true, people[0]: false, people[4]: false} {
			at, ok, err := v.(quality.Collections).LastCollected(unit)
			if must(t, err); ok != want || ok && (at.Before(start) || at.After(w.now)) {
				t.Errorf("last collected %s, %v, want %v", at, ok, want)
			}
			u, err := quality.One(v).Unit(unit)
			if must(t, err); want && !u.Met.Equal(at) {
				t.Errorf("met %s, and collected %s", u.Met, at)
			}
		}
		return nil
	}))
	w.reopen(t)
	desk.Store, desk.Collected = w.org, w.org.CollectedSince
	if got, err := desk.Daily(ctx, code, "", ""); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("after a restart: %+v, %v", got, err)
	}
	must(t, w.org.View(ctx, func(v registry.View) error {
		for at, n := range map[time.Time]int{before: 0, w.now: 1} {
			rec, err := v.AsOf(people[0], at)
			if err != nil {
				return err
			}
			if mets, err := rec.Mets(); err != nil || len(mets) != n {
				return fmt.Errorf("as of %s: %v, %v", at, mets, err)
			}
		}
		return nil
	}))
	all := 0
	must(t, w.org.ReadExercises(ctx, func(v exercise.View) error {
		for after := (registry.ID{}); ; {
			page, err := v.AllInvited(code, after, 2)
			if err != nil || len(page) == 0 {
				return err
			}
			all, after = all+len(page), page[len(page)-1].ID
		}
	}))
	if all != opened.Invited {
		t.Errorf("%d units in pages of two, of %d", all, opened.Invited)
	}

	w.now = w.now.AddDate(0, 0, 5)
	_, err = desk.Close(ctx, lead, code)
	must(t, err)
	if _, err := desk.Notice(ctx, lead, code, nil, "", "poster"); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.AddDate(0, 0, 31)
	must(t, w.org.Erase(ctx, lead, people[1], "asked")) // and nobody hears of her again
	if _, _, err := desk.Invited(ctx, code, people[1]); !errors.Is(err, exercise.ErrNotInvited) {
		t.Errorf("of who was erased: %v", err)
	}
	p, err := desk.Propose(ctx, code)
	must(t, err)
	if p.Counts[exercise.Fetched] != 1 || len(p.Units) != opened.Invited-3-1 {
		t.Errorf("due %d of %d: %v", len(p.Units), opened.Invited, p.Counts)
	}
	lead.SecondPerson = "approver"
	n, err := desk.Settle(ctx, lead, p)
	must(t, err)
	if e, err := desk.Find(ctx, code); n != len(p.Units) || err != nil || e.State != exercise.Settled {
		t.Errorf("%d inactive, and it is %s, %v", n, e.State, err)
	}
	told := map[access.Action]int{}
	must(t, w.org.Audit(ctx, func(e *access.Entry) error {
		if told[e.Action]++; e.Action == "exercise.mark" && e.Actor.Device != "" {
			t.Error("the log says at which desk somebody was met")
		}
		return nil
	}))
	if told["exercise.mark"] != 3 || told["exercise.settle"] != 1 || told["exercise.close"] != 1 {
		t.Errorf("the log tells %v", told)
	}
	if held := w.holders(t, []byte(canary)); len(held) > 0 {
		t.Errorf("a desk stands in the clear in %v", held)
	}
	w.whole(t)
}
