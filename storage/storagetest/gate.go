package storagetest

import (
	"fmt"
	"reflect"
	"testing"

	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
	"aidpass/issuer/registry/quality/indicator"
	"aidpass/status"
)

// testDoubts: through two batches, who may be on record twice and whom nobody met for long
// has a card of some days, and a whole one in its place once that is mended; who was refused
// is on record, and each place counts once, at its first try.
func testDoubts(t *testing.T, e Engine) {
	w := newWorld(t, e)
	const programme = "P7K2"
	person := func(n int, change func(*registry.Person)) registry.Change {
		p := registry.Person{Names: []registry.Name{{Text: fmt.Sprint("Kanari ", n)}}, Sex: "f", Birth: &registry.Birth{EDTF: "1987", Precision: "year"}, Origin: "SOM",
			Location: &registry.Location{PCode: "KE0301"}, Registered: "2026-10-01", Consents: []registry.Consent{{Purpose: "registration", Given: true, On: "2026-10-01"}}}
		change(&p)
		fields, err := p.Fields()
		must(t, err)
		return registry.Change{Kind: registry.KindPerson, External: fmt.Sprint("HH-", n), Fields: fields}
	}
	old := func(p *registry.Person) { p.Registered, p.Consents[0].On = "2024-01-10", "2024-01-10" }
	nameless := func(p *registry.Person) { p.Names = nil }
	whole := w.saved(t, person(0, func(*registry.Person) {})).ID
	twice := w.saved(t, person(1, func(*registry.Person) {})).ID
	long := w.saved(t, person(2, old)).ID
	refused := w.saved(t, person(3, nameless)).ID
	passed := w.saved(t, person(4, nameless)).ID
	looked := w.saved(t, person(5, func(*registry.Person) {})).ID
	other := w.saved(t, person(6, func(*registry.Person) {})).ID // nothing is due to her
	w.update(t, func(tx registry.Tx) error {
		must(t, tx.SaveProgramme(registry.Programme{Code: programme, Modality: "cash", Counts: registry.KindPerson, Rounds: []registry.Round{{N: 3}}}))
		for _, u := range []issuer.UnitID{whole, twice, long, refused, passed, looked} {
			_, err := tx.SaveEntitlement(registry.Entitlement{Unit: u, Programme: programme, Round: 3, Amount: "120.00", Currency: "JOD", Status: registry.Planned})
			must(t, err)
		}
		must(t, tx.SaveDouble(registry.Double{A: twice, B: other, Why: registry.KeyMatch, Bits: 30, Told: true}))
		must(t, tx.SaveDouble(registry.Double{A: twice, B: other, Why: registry.KeyNameYear}))
		return tx.SaveDouble(registry.Double{A: looked, B: other, Why: registry.KeyNameYear})
	})
	gate := quality.Default().Gate(programme)
	run := func(id string, overrides ...issuer.Override) {
		t.Helper()
		p := issuer.Proposal{ID: id, By: "preparer", At: w.now, Until: credential.FromStd(w.now.Add(gate.Provisional)), Type: "eligibility", Programme: programme, Round: 3, State: issuer.Prepared, Overrides: overrides}
		_, _, err := p.Gather(ctx, w.org, gate, nil, w.desk.Now)
		must(t, err)
		must(t, w.org.AddProposal(ctx, clerk, p))
		must(t, w.org.ChangeProposal(ctx, clerk, id, func(p *issuer.Proposal) error {
			p.State, p.Second = issuer.Approved, "lead"
			return nil
		}))
		b := blankBatch()
		r := issuer.Run{Desk: w.desk, Gate: gate, ProgrammeKey: b.ProgrammeKey, EpochKey: b.EpochKey, Registry: w.org, Proposals: w.org, Now: w.desk.Now}
		must(t, r.Issue(ctx, id, func(int, int) {}))
	}
	cards := func(u issuer.UnitID) (good, short int) {
		t.Helper()
		found, err := w.org.Cards(ctx, issuer.Selection{Programme: programme, Units: []issuer.UnitID{u}})
		must(t, err)
		for _, c := range found {
			if c.Status == status.Valid && !c.Ended {
				if good++; c.Provisional {
					short++
				}
				if c.Provisional != (c.ExpiresAt <= credential.FromStd(w.now.Add(gate.Provisional))) {
					t.Errorf("provisional %v, and it ends %s", c.Provisional, c.ExpiresAt)
				}
			}
		}
		return good, short
	}
	asked := func() (outcomes map[indicator.Outcome]int, reasons map[string]string) {
		t.Helper()
		outcomes, reasons = map[indicator.Outcome]int{}, map[string]string{}
		must(t, w.org.Measuring(ctx, w.now, false, func(_ registry.View, b indicator.Beside) error {
			return b.Asked(func(q indicator.Request) error {
				outcomes[q.Outcome]++
				if q.Outcome != indicator.Plain {
					reasons[q.Unit.String()] = q.Reason + " " + q.By
				}
				return nil
			})
		}))
		return outcomes, reasons
	}
	check := func(when string, want map[issuer.UnitID][2]int) {
		t.Helper()
		for u, n := range want {
			if good, short := cards(u); good != n[0] || short != n[1] {
				t.Errorf("%s: %d good cards, %d of them provisional, want %v", when, good, short, n)
			}
		}
		outcomes, reasons := asked()
		if first := (map[indicator.Outcome]int{indicator.Plain: 2, indicator.Provisional: 2, indicator.Refused: 1, indicator.Overridden: 1}); !reflect.DeepEqual(outcomes, first) {
			t.Errorf("%s: first tries %v, want %v", when, outcomes, first)
		}
		said := map[string]string{twice.String(): "double_told ", long.String(): "unverified ", refused.String(): "name_missing ", passed.String(): "known_here signer"}
		if !reflect.DeepEqual(reasons, said) {
			t.Errorf("%s: reasons %v, want %v", when, reasons, said)
		}
	}
	run("b-1", issuer.Override{Unit: passed, Reason: "known_here", By: "signer"})
	check("at first", map[issuer.UnitID][2]int{whole: {1, 0}, looked: {1, 0}, twice: {1, 1}, long: {1, 1}, refused: {0, 0}, passed: {1, 0}})

	// One is mended, the other not yet: it stays as it is.
	w.now = w.now.AddDate(0, 0, 2)
	w.update(t, func(tx registry.Tx) error {
		for _, why := range []string{registry.KeyMatch, registry.KeyNameYear} {
			must(t, tx.SaveDouble(registry.Double{A: twice, B: other, Why: why, Decided: registry.Different}))
		}
		return nil
	})
	named := person(3, func(*registry.Person) {})
	w.saved(t, registry.Change{ID: refused, Fields: named.Fields})
	run("b-2", issuer.Override{Unit: passed, Reason: "known_here", By: "signer"})
	check("one mended", map[issuer.UnitID][2]int{whole: {1, 0}, looked: {1, 0}, twice: {1, 0}, long: {1, 1}, refused: {1, 0}, passed: {1, 0}})

	// Somebody met the other at last.
	w.now = w.now.AddDate(0, 0, 2)
	met := person(2, func(p *registry.Person) { old(p); p.Registered = "2026-11-01" })
	w.saved(t, registry.Change{ID: long, Fields: met.Fields})
	run("b-3", issuer.Override{Unit: passed, Reason: "known_here", By: "signer"})
	check("both mended", map[issuer.UnitID][2]int{whole: {1, 0}, looked: {1, 0}, twice: {1, 0}, long: {1, 0}, refused: {1, 0}, passed: {1, 0}})
	w.sound(t)
}
