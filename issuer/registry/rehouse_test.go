package registry_test

import (
	"errors"
	"slices"
	"testing"

	"aidpass/issuer/registry"
)

// Who goes to another household takes no card with her: it stops where she may hold it, and
// the old household's record does not speak of her any more.
func TestOnePersonMoves(t *testing.T) {
	d := newDesk()
	old, who := d.family(t, "1980", "1985", "2015")
	to, there := d.family(t, "1990")
	d.store.GiveCards(old, 2)
	d.store.GiveCards(to, 1)
	must(t, 0, d.AddCollector(ctx, old, registry.Collector{Person: who[1].String(), Role: registry.Primary}))
	must(t, 0, d.AddCollector(ctx, to, registry.Collector{Person: there[0].String(), Role: registry.Primary}))
	g := d.group(t, old)
	_, err := d.EditHousehold(ctx, g.Record, func(h *registry.Household) error { h.Head, h.FocalPoint = who[1].String(), who[1].String(); return nil })
	must(t, 0, err)

	after, err := d.Rehouse(ctx, who[1], to, "sibling")
	must(t, after, err)
	h := d.group(t, old)
	if h.Household.Size != 2 || h.Household.Head != "" || h.Household.FocalPoint != "" || len(h.Household.Collectors) != 0 || len(h.Members) != 2 {
		t.Errorf("the old household: %+v", h.Household)
	}
	if d.store.CardsOf(old) != 0 || d.store.CardsOf(to) != 1 || after.Stopped != 2 || !slices.Equal(after.Revoke, []registry.ID{old}) || !slices.Equal(after.Stale, []registry.ID{to}) {
		t.Errorf("cards: %d and %d, %+v", d.store.CardsOf(old), d.store.CardsOf(to), after)
	}
	if !slices.Equal(after.Ask, who[1:2]) || !slices.Contains(after.Decide, registry.DecideNoCollector) {
		t.Errorf("left to do: %+v", after)
	}
	if n := d.group(t, to); n.Household.Size != 2 || len(n.Members) != 2 || d.of(t, who[1]).Relation != "sibling" {
		t.Errorf("the new household: %+v", n.Household)
	}
	// A child who collects for nobody leaves the card where it is.
	d.store.GiveCards(old, 1)
	must(t, 0, d.AddCollector(ctx, old, registry.Collector{Person: who[0].String(), Role: registry.Primary}))
	if after, err = d.Rehouse(ctx, who[2], registry.ID{}, ""); err != nil || after.Stopped != 0 || !slices.Equal(after.Stale, []registry.ID{old}) || len(after.Ask) != 0 {
		t.Errorf("a child: %+v, %v", after, err)
	}
	// With the last one the household ends.
	if after, err = d.Rehouse(ctx, who[0], to, registry.Head); err != nil || d.store.CardsOf(old) != 0 || d.group(t, old).Household.Status.Living() {
		t.Errorf("the last: %+v, %v", after, err)
	}
	if got := d.group(t, to).Household.Head; got != who[0].String() {
		t.Errorf("the head is %q", got)
	}
	var refusal *registry.Refusal
	if _, err := d.Rehouse(ctx, who[0], to, ""); !errors.As(err, &refusal) || refusal.Code != registry.RefusedLivesThere {
		t.Errorf("where she lives: %v", err)
	}
	if _, err := d.Rehouse(ctx, who[0], registry.ID{}, "boss"); !errors.As(err, &refusal) || refusal.Code != registry.RefusedRelation {
		t.Errorf("a relation that is none: %v", err)
	}
	if _, err := d.Rehouse(ctx, who[1], old, ""); err != nil {
		t.Errorf("into one that was left empty: %v", err)
	}
}
