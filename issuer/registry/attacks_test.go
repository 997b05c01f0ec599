package registry_test

import (
	"errors"
	"slices"
	"testing"

	"aidpass/issuer/registry"
)

// twice enters one person into two households of her own.
func (d *desk) twice(t *testing.T) (older, newer registry.ID, houses [2]registry.ID) {
	t.Helper()
	var who [2]registry.ID
	for i := range who {
		h, err := d.EnterHousehold(ctx, "", "", registry.Household{Size: 1, CollectType: "full"})
		houses[i] = must(t, h, err).ID
		e, err := d.Enter(ctx, registry.Entry{Household: houses[i], Person: person("Mohamed Ali Hassan", "1987-05-12")})
		who[i] = must(t, e, err).ID
	}
	return who[0], who[1], houses
}

func (d *desk) status(t *testing.T, id registry.ID) *registry.Status {
	t.Helper()
	rec, err := d.Record(ctx, id)
	must(t, rec, err)
	if rec.Kind == registry.KindHousehold {
		h, err := rec.HouseholdRecord()
		return must(t, h, err).Status
	}
	p, err := rec.Person()
	return must(t, p, err).Status
}

// Somebody registered twice, each time as a household, collects once: two people
// decide it, and two take it back.
func TestADoubleStopsItsHouseholdToo(t *testing.T) {
	d := newDesk()
	older, newer, houses := d.twice(t)
	d.store.GiveCards(newer, 1)
	d.store.GiveCards(houses[1], 1)
	d.store.GiveCards(houses[0], 1)
	if _, err := d.DecideDouble(ctx, older, newer, registry.Same); !errors.Is(err, registry.ErrSecondPerson) {
		t.Fatalf("one person cancelled a card: %v", err)
	}
	if open, err := d.Doubles(ctx, false); err != nil || len(open) != 1 || !d.status(t, newer).Living() || d.store.CardsOf(newer) != 1 {
		t.Fatal("a refused decision left something behind")
	}
	d.Actor.SecondPerson = "lead"
	after, err := d.DecideDouble(ctx, older, newer, registry.Same)
	if must(t, after, err); after.Stopped != 2 || !slices.Equal(after.Revoke, []registry.ID{newer, houses[1]}) {
		t.Errorf("%+v", after)
	}
	if d.status(t, houses[1]).Living() || !d.status(t, houses[0]).Living() || d.store.CardsOf(houses[0]) != 1 {
		t.Error("a household of nobody is in use, or the wrong one is not")
	}
	if _, err := d.DecideDouble(ctx, older, newer, registry.Different); err != nil {
		t.Fatal(err)
	}
	if !d.status(t, houses[1]).Living() || d.group(t, houses[1]).Household.Size != 1 || len(d.group(t, houses[1]).Members) != 1 {
		t.Error("the decision was not taken back whole")
	}
}

// A member entered twice is counted once, there and back.
func TestADoubleInAHouseholdIsCountedOnce(t *testing.T) {
	d := newDesk()
	d.Actor.SecondPerson = "lead"
	older, newer, houses := d.twice(t)
	if err := d.Move(ctx, newer, houses[0]); err != nil {
		t.Fatal(err)
	}
	for declared, left := range map[int]int{2: 1, 5: 5, 0: 0} {
		g := d.group(t, houses[0])
		_, err := d.EditHousehold(ctx, g.Record, func(h *registry.Household) error { h.Size = declared; return nil })
		must(t, 0, err)
		_, err = d.DecideDouble(ctx, older, newer, registry.Same)
		if must(t, 0, err); d.group(t, houses[0]).Household.Size != left {
			t.Errorf("of %d declared %d are left, want %d", declared, d.group(t, houses[0]).Household.Size, left)
		}
		_, err = d.DecideDouble(ctx, older, newer, registry.Different)
		if must(t, 0, err); d.group(t, houses[0]).Household.Size != declared {
			t.Errorf("taken back: %d of %d", d.group(t, houses[0]).Household.Size, declared)
		}
	}
}

// Who died stays dead, whatever is decided about her doubles.
func TestADecisionWakesNobody(t *testing.T) {
	d := newDesk()
	d.Actor.SecondPerson = "lead"
	older, newer, _ := d.twice(t)
	if _, err := d.Died(ctx, newer, ""); err != nil {
		t.Fatal(err)
	}
	for _, decision := range []string{registry.Same, registry.Different} {
		after, err := d.DecideDouble(ctx, older, newer, decision)
		if must(t, after, err); len(after.Revoke) > 0 {
			t.Errorf("%+v", after)
		}
		if s := d.status(t, newer); s.Living() || s.Reason != registry.ReasonDeceased {
			t.Errorf("after %q: %+v", decision, s)
		}
	}
}

// The cards stop in the same transaction as the change, or neither is done.
func TestCardsStopWithTheChange(t *testing.T) {
	d := newDesk()
	house, who := d.family(t, "1980", "1985", "2015")
	d.store.GiveCards(house, 1)
	d.store.GiveCards(who[0], 2)
	left, _, after, err := d.Split(ctx, house, registry.SplitPlan{Leaving: who[1:2]})
	if must(t, left, err); after.Stopped != 1 || d.store.CardsOf(house) != 0 {
		t.Errorf("a split left the card: %+v", after)
	}
	d.store.GiveCards(house, 1)
	d.store.GiveCards(left, 1)
	merged, after, err := d.Merge(ctx, []registry.ID{house, left}, registry.ID{})
	if must(t, merged, err); after.Stopped != 2 {
		t.Errorf("a merge left a card: %+v", after)
	}
	if after, err = d.Died(ctx, who[0], ""); err != nil || after.Stopped != 2 {
		t.Errorf("a death left a card: %+v, %v", after, err)
	}
}
