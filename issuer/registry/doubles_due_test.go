package registry_test

import (
	"errors"
	"slices"
	"testing"

	"aidpass/issuer/registry"
)

// due plans what a unit gets in round n of a programme that counts its kind.
func (d *desk) due(t *testing.T, programme string, n uint64, unit registry.ID, status registry.EntitlementStatus) {
	t.Helper()
	err := d.store.Update(ctx, d.Actor, func(tx registry.Tx) error {
		_, err := tx.SaveEntitlement(registry.Entitlement{Unit: unit, Programme: programme, Round: n, Amount: "120.00", Currency: "KES", Status: status})
		return err
	})
	must(t, 0, err)
}

// stands is the status of that; empty: there is nothing.
func (d *desk) stands(t *testing.T, programme string, n uint64, unit registry.ID) (s registry.EntitlementStatus) {
	t.Helper()
	err := d.store.View(ctx, func(v registry.View) error {
		e, err := v.Entitlement(unit, programme, n)
		if s = e.Status; errors.Is(err, registry.ErrNotFound) {
			err = nil
		}
		return err
	})
	must(t, 0, err)
	return s
}

// Closing the newer record of a person loses nothing that she or her household was due: it goes
// on with the record in use, once a round, and comes back with the record.
func TestWhatAClosedDoubleWasDueGoesOn(t *testing.T) {
	d := newDesk()
	for code, counts := range map[string]registry.Kind{"HOUSE": registry.KindHousehold, "PERS": registry.KindPerson} {
		p, err := d.SaveProgramme(ctx, registry.Programme{Code: code, Modality: "cash", Counts: counts, Currency: "KES", Rounds: []registry.Round{{N: 1}, {N: 2}, {N: 3}, {N: 4}}})
		must(t, p, err)
	}
	enter := func(house registry.ID) registry.ID {
		e, err := d.Enter(ctx, registry.Entry{Household: house, Person: person("Amina Yusuf Ali", "1987-05-12")})
		return must(t, e, err).ID
	}
	kept, _ := d.family(t, "1950")
	old := enter(kept)
	s, err := d.EnterHousehold(ctx, "", "", registry.Household{Size: 1, CollectType: "full"})
	double := must(t, s, err).ID
	newer := enter(double)
	for _, e := range []struct {
		programme string
		n         uint64
		unit      registry.ID
		status    registry.EntitlementStatus
	}{
		{"HOUSE", 1, double, registry.Planned}, {"HOUSE", 2, double, registry.Granted}, {"HOUSE", 3, double, registry.Collected},
		{"HOUSE", 4, double, registry.Planned}, {"HOUSE", 4, kept, registry.Planned}, {"PERS", 1, newer, registry.Planned},
		{"PERS", 2, newer, registry.Planned}, {"PERS", 2, old, registry.Cancelled},
	} {
		d.due(t, e.programme, e.n, e.unit, e.status)
	}
	check := func(when string, want map[[2]string]registry.EntitlementStatus) {
		t.Helper()
		units := map[string]registry.ID{"kept": kept, "double": double, "old": old, "newer": newer}
		for k, status := range want {
			if got := d.stands(t, k[0][:len(k[0])-1], uint64(k[0][len(k[0])-1]-'0'), units[k[1]]); got != status {
				t.Errorf("%s: %s of %s is %q, want %q", when, k[0], k[1], got, status)
			}
		}
	}
	after, err := d.DecideDouble(ctx, newer, old, registry.Same)
	if err != nil || after.Follow != 3 || !slices.Contains(after.Decide, registry.DecideRound) || !slices.Contains(after.Decide, registry.DecideDue) {
		t.Fatalf("%+v, %v", after, err)
	}
	check("closed", map[[2]string]registry.EntitlementStatus{
		{"HOUSE1", "kept"}: registry.Planned, {"HOUSE1", "double"}: registry.Cancelled,
		{"HOUSE2", "kept"}: registry.OnHold, {"HOUSE2", "double"}: registry.Granted,
		{"HOUSE3", "kept"}: "", {"HOUSE4", "kept"}: registry.Planned,
		{"PERS1", "old"}: registry.Planned, {"PERS1", "newer"}: registry.Cancelled,
		{"PERS2", "old"}: registry.Cancelled, {"PERS2", "newer"}: registry.Planned,
	})
	// It is on a card of the record in use by now: that one stays, and is due to nobody else.
	d.due(t, "HOUSE", 1, kept, registry.Granted)
	d.Actor.SecondPerson = "lead"
	if _, err := d.DecideDouble(ctx, newer, old, registry.Open); err != nil {
		t.Fatal(err)
	}
	check("open again", map[[2]string]registry.EntitlementStatus{
		{"HOUSE1", "kept"}: registry.Granted, {"HOUSE1", "double"}: registry.Cancelled,
		{"HOUSE2", "kept"}: registry.Cancelled, {"HOUSE2", "double"}: registry.Granted,
		{"PERS1", "old"}: registry.Cancelled, {"PERS1", "newer"}: registry.Planned,
	})
	if after, err = d.DecideDouble(ctx, newer, old, registry.Same); err != nil || after.Follow != 2 {
		t.Errorf("once more: %+v, %v", after, err)
	}
}

// Where the record in use is of no household, people are told what that cannot take over.
func TestADueThatNobodyTakesOverIsTold(t *testing.T) {
	d := newDesk()
	p, err := d.SaveProgramme(ctx, registry.Programme{Code: "HOUSE", Modality: "cash", Counts: registry.KindHousehold, Currency: "KES", Rounds: []registry.Round{{N: 1}}})
	must(t, p, err)
	old, err := d.Enter(ctx, registry.Entry{Person: person("Amina Yusuf Ali", "1987-05-12")})
	must(t, old, err)
	s, err := d.EnterHousehold(ctx, "", "", registry.Household{Size: 1, CollectType: "full"})
	newer, errN := d.Enter(ctx, registry.Entry{Household: must(t, s, err).ID, Person: person("Amina Yusuf Ali", "1987-05-12")})
	must(t, newer, errN)
	d.due(t, "HOUSE", 1, s.ID, registry.Planned)
	after, err := d.DecideDouble(ctx, newer.ID, old.ID, registry.Same)
	if err != nil || after.Follow != 0 || !slices.Equal(after.Decide, []string{registry.DecideDue}) || d.stands(t, "HOUSE", 1, s.ID) != registry.Planned {
		t.Errorf("%+v, %v", after, err)
	}
}

// Who said alone that two are one may take that back alone the same day, while no card was
// stopped; nobody else may, and not the next day. A desk decides a pair once.
func TestWhoTakesADecisionBackAlone(t *testing.T) {
	d := newDesk()
	enter := func() registry.ID {
		e, err := d.Enter(ctx, registry.Entry{Person: person("Amina Yusuf Ali", "1987-05-12")})
		return must(t, e, err).ID
	}
	old, newer := enter(), enter()
	decide := func(decision string) error {
		_, err := d.DecideDouble(ctx, newer, old, decision)
		return err
	}
	must(t, 0, decide(registry.Same))
	d.Pairs.Once = true
	if err := decide(registry.Different); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("decided twice: %v", err)
	}
	if err := decide(registry.Open); !errors.Is(err, registry.ErrSecondPerson) {
		t.Errorf("a card may have stopped: %v", err)
	}
	d.Pairs.Untouched = true
	d.Actor.ID = "ben"
	if err := decide(registry.Open); !errors.Is(err, registry.ErrSecondPerson) {
		t.Errorf("somebody else's: %v", err)
	}
	d.Actor.ID = "amal"
	d.now = d.now.AddDate(0, 0, 1)
	if err := decide(registry.Open); !errors.Is(err, registry.ErrSecondPerson) {
		t.Errorf("the next day: %v", err)
	}
	d.now = d.now.AddDate(0, 0, -1)
	must(t, 0, decide(registry.Open))
	must(t, 0, decide(registry.Different))
}

// Of three records of one person the first is taken back alone: what it was due comes back from
// the third, where it had gone through the second; what the third has on a card stays, and
// people are told.
func TestAChainOfDoublesIsTakenBackFromItsStart(t *testing.T) {
	d := newDesk()
	for code, counts := range map[string]registry.Kind{"HOUSE": registry.KindHousehold, "PERS": registry.KindPerson} {
		p, err := d.SaveProgramme(ctx, registry.Programme{Code: code, Modality: "cash", Counts: counts, Currency: "KES", Rounds: []registry.Round{{N: 1}, {N: 2}}})
		must(t, p, err)
	}
	var who, home [3]registry.ID // the first is the newest
	for i := 2; i >= 0; i-- {
		s, err := d.EnterHousehold(ctx, "", "", registry.Household{Size: 1, CollectType: "full"})
		home[i] = must(t, s, err).ID
		e, err := d.Enter(ctx, registry.Entry{Household: home[i], Person: person("Amina Yusuf Ali", "1987-05-12")})
		who[i] = must(t, e, err).ID
	}
	for n := uint64(1); n <= 2; n++ {
		d.due(t, "HOUSE", n, home[0], registry.Planned)
		d.due(t, "PERS", n, who[0], registry.Planned)
	}
	d.Actor.SecondPerson = "lead"
	for i := range 2 {
		if after, err := d.DecideDouble(ctx, who[i], who[i+1], registry.Same); err != nil || after.Follow != 4 {
			t.Fatalf("%+v, %v", after, err)
		}
	}
	d.due(t, "PERS", 2, who[2], registry.Granted)
	after, err := d.DecideDouble(ctx, who[0], who[1], registry.Open)
	if err != nil || !slices.Equal(after.Decide, []string{registry.DecideDue}) {
		t.Errorf("%+v, %v", after, err)
	}
	for _, c := range []struct {
		programme string
		n         uint64
		units     [3]registry.ID
		want      [3]registry.EntitlementStatus
	}{
		{"HOUSE", 1, home, [3]registry.EntitlementStatus{registry.Planned, registry.Cancelled, registry.Cancelled}},
		{"HOUSE", 2, home, [3]registry.EntitlementStatus{registry.Planned, registry.Cancelled, registry.Cancelled}},
		{"PERS", 1, who, [3]registry.EntitlementStatus{registry.Planned, registry.Cancelled, registry.Cancelled}},
		{"PERS", 2, who, [3]registry.EntitlementStatus{registry.Cancelled, registry.Cancelled, registry.Granted}},
	} {
		for i, unit := range c.units {
			if got := d.stands(t, c.programme, c.n, unit); got != c.want[i] {
				t.Errorf("%s %d of record %d is %q, want %q", c.programme, c.n, i, got, c.want[i])
			}
		}
	}
}
