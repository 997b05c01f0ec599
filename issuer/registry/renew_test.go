package registry_test

import (
	"slices"
	"testing"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

// A household that goes on without its erased head is found, for somebody to look at.
func TestAHouseholdThatLostItsHeadIsFound(t *testing.T) {
	d := newDesk()
	ctx := t.Context()
	house, err := d.EnterHousehold(ctx, "", "HH-1", registry.Household{Size: 2})
	if err != nil {
		t.Fatal(err)
	}
	var who []registry.ID
	for _, name := range []string{"Amina Yusuf", "Bilal Yusuf"} {
		n, _ := registry.ParseName(name, "")
		e, err := d.Enter(ctx, registry.Entry{Household: house.ID, Person: registry.Person{Names: []registry.Name{n}}})
		if err != nil {
			t.Fatal(err)
		}
		who = append(who, e.ID)
	}
	var r *registry.Renewal
	err = d.store.Update(ctx, d.Actor, func(tx registry.Tx) error {
		head, err := registry.AppendValue(nil, who[0].String())
		if err == nil {
			_, err = tx.Save(registry.Change{ID: house.ID, Fields: map[string][]byte{"head": head}})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	two := d.Actor
	two.SecondPerson = "bilal"
	err = d.store.EraseAll(ctx, two, []registry.ID{who[0], house.ID}, "asked",
		func(tx rights.Tx) (err error) { r, err = registry.Renew(tx, house.ID, who[:1]); return err },
		func(tx rights.Tx) error { _, err := r.Save(tx); return err })
	if err != nil {
		t.Fatal(err)
	}
	err = d.store.View(ctx, func(v registry.View) error {
		found, err := v.Lookup(registry.HeadlessKey)
		if err != nil || len(found) != 1 {
			t.Fatalf("found: %v, %v", found, err)
		}
		rec, err := v.Record(found[0])
		if err != nil {
			return err
		}
		h, err := rec.HouseholdRecord()
		members, _ := v.Members(found[0])
		if !h.Headless() || !slices.Equal(members, who[1:]) {
			t.Errorf("%+v, members %v", h, members)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
