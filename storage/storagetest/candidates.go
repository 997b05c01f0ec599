package storagetest

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
	"aidpass/schemas"
)

// testCandidates issues to the households of a plan, is cut off before the plan
// hears of it, and comes back.
func testCandidates(t *testing.T, e Engine) {
	w := newWorld(t, e)
	given := []registry.Consent{{Purpose: "registration", Given: true, On: "2026-10-01"}}
	house := func(n int, h registry.Household) issuer.UnitID {
		c := household(n)
		var err error
		c.Fields, err = h.Fields()
		must(t, err)
		return w.saved(t, c).ID
	}
	member := func(n int, home issuer.UnitID, name string) issuer.UnitID {
		p := registry.Person{Names: []registry.Name{{Text: name}}, Birth: &registry.Birth{EDTF: "1987", Precision: "year"}, Consents: given}
		fields, err := p.Fields()
		must(t, err)
		return w.saved(t, registry.Change{Kind: registry.KindPerson, External: string(rune('a' + n)), Fields: fields, Household: home}).ID
	}
	whole := house(0, registry.Household{Size: 5, Consents: given})
	member(0, whole, "Kanari Eins")
	full := house(1, registry.Household{Consents: given}) // its size is that of its members
	focal := member(1, full, "Kanari Zwei")
	member(2, full, "Kanari Drei")
	f, err := registry.Household{FocalPoint: focal.String()}.Fields()
	must(t, err)
	w.saved(t, registry.Change{ID: full, Fields: f})
	nameless := house(2, registry.Household{Size: 2, Consents: given})
	held := house(3, registry.Household{Size: 2, Consents: given})
	member(3, held, "Kanari Vier")
	closed := house(4, registry.Household{Size: 2, Consents: given, Status: &registry.Status{State: "closed", Reason: "departed"}})
	noted := house(5, registry.Household{Size: 3, Consents: given}) // no entitlement
	member(4, noted, "Kanari Fünf")
	due := map[issuer.UnitID]registry.EntitlementStatus{whole: registry.Planned, full: registry.Planned, nameless: registry.Planned, held: registry.OnHold, closed: registry.Planned}
	w.update(t, func(tx registry.Tx) error {
		if err := tx.SaveProgramme(registry.Programme{Code: "P7K2", Modality: "cash", Counts: registry.KindHousehold, Rounds: []registry.Round{{N: 3}}}); err != nil {
			return err
		}
		for u, s := range due {
			if _, err := tx.SaveEntitlement(registry.Entitlement{Unit: u, Programme: "P7K2", Round: 3, Amount: "120.00", Currency: "JOD", Status: s}); err != nil {
				return err
			}
		}
		return nil
	})
	gate := quality.Default().Gate("P7K2")
	gate.Threshold = 0.2
	ask := issuer.Ask{Type: schemas.ByName("eligibility"), Programme: "P7K2", Round: 3, Kind: registry.KindPerson, At: start}
	read := func(a issuer.Ask) map[issuer.UnitID]*issuer.Candidate {
		found := map[issuer.UnitID]*issuer.Candidate{}
		must(t, issuer.Candidates(ctx, w.org, gate, a, func(c *issuer.Candidate) error { found[c.Unit] = c; return nil }))
		return found
	}
	found := read(ask)
	if len(found) != 5 || found[held].Skipped != issuer.SkippedHold || found[closed].Skipped != issuer.SkippedGone {
		t.Fatalf("%d candidates, held back %+v, closed %+v", len(found), found[held], found[closed])
	}
	for u, want := range map[issuer.UnitID]quality.Outcome{whole: quality.Issue, full: quality.Issue, nameless: quality.Refuse} {
		if got := found[u].Decision; got.Outcome != want || found[u].Skipped != "" {
			t.Errorf("%s: %+v, want %s", found[u].External, got, want)
		}
	}
	if c := found[full].Request.Claims; !maps.Equal(c, map[string]any{"size_band": "2-3"}) {
		t.Errorf("claims of a household counted by its members: %v", c)
	}
	sealed := ask
	sealed.Seal = []string{"name", "entitlement"}
	if c := read(sealed)[full].Request.Claims; c["name"] != "Kanari Zwei" || c["entitlement"].(map[string]any)["amount"] != "120.00" {
		t.Errorf("sealed claims %v", c)
	}
	everybody := ask
	everybody.All = true
	if all := read(everybody); len(all) != 6 || all[noted].Skipped != "" || all[held].Skipped == "" {
		t.Errorf("%d of all", len(all))
	}
	named := ask
	named.Units = []issuer.UnitID{noted, noted, focal, issuer.NewUnitID()}
	if some := read(named); len(some) != 3 || some[noted].Skipped != "" || some[focal].Skipped != issuer.SkippedGone {
		t.Errorf("named ones: %v", some)
	}

	b := blankBatch()
	b.Gate = issuer.QualityGate(w.org, gate, w.desk.Now)
	for _, c := range found {
		if c.Skipped == "" {
			q := c.Request
			q.Row = len(b.Requests) + 1
			b.Requests = append(b.Requests, q)
		}
	}
	approve(t, &b)
	refused := 0
	for _, r := range issue(t, w.desk, b) {
		if r.Refusal != nil {
			refused++
		}
	}
	status := func(u issuer.UnitID) (s registry.EntitlementStatus) {
		w.view(t, func(v registry.View) error {
			e, err := v.Entitlement(u, "P7K2", 3)
			s = e.Status
			return err
		})
		return s
	}
	if refused != 1 || status(whole) != registry.Planned {
		t.Fatalf("%d refused, the plan says %s", refused, status(whole))
	}
	w.reopen(t) // the program died before it told the plan
	for _, want := range []int{2, 0} {
		if n, err := w.desk.Reconcile(ctx, w.org, b.Type.VCT, "P7K2", 3); err != nil || n != want {
			t.Errorf("reconciled %d, %v; want %d", n, err, want)
		}
	}
	for u, want := range map[issuer.UnitID]registry.EntitlementStatus{whole: registry.Granted, full: registry.Granted, nameless: registry.Planned, held: registry.OnHold} {
		if got := status(u); got != want {
			t.Errorf("the entitlement is %s, want %s", got, want)
		}
	}
	if again := read(ask); again[whole].Skipped != "" {
		t.Error("who has a card is not asked for again: the list of cards would lack hers")
	}

	// What an import made is known by it.
	import1 := registry.ImportFile{ID: registry.NewID(), Rows: 2, Created: 2}
	var made []issuer.UnitID
	w.update(t, func(tx registry.Tx) error {
		for n := range 2 {
			s, err := tx.Save(household(20 + n))
			if err != nil {
				return err
			}
			made = append(made, s.ID)
		}
		return tx.SaveImport(import1)
	})
	slices.SortFunc(made, func(a, b issuer.UnitID) int { return slices.Compare(a[:], b[:]) })
	if got, err := w.org.ImportUnits(ctx, import1.ID); err != nil || !slices.Equal(got, made) {
		t.Errorf("units of the import: %v, %v; want %v", got, err, made)
	}
	if _, err := w.org.ImportUnits(ctx, registry.NewID()); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("no such import: %v", err)
	}
	w.sound(t)
}
