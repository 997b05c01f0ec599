package storagetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
	"aidpass/storage"
)

// testBatches: a batch is one organisation's, is found with what was approved, never goes
// back from being issued, and cannot be put in another's place.
func testBatches(t *testing.T, e Engine) {
	w := newWorld(t, e)
	p := issuer.Proposal{ID: "b-1", By: "clerk", At: w.now, Type: "eligibility", Programme: "K7Q2", Round: 1, Digest: [32]byte{1}, Rows: 430, Can: 412,
		Cannot: []issuer.BulkReason{{Why: "Kanari", Count: 18}}, State: issuer.Prepared}
	must(t, w.org.AddProposal(ctx, asker, p))
	if err := w.org.AddProposal(ctx, asker, p); err == nil {
		t.Error("one id twice")
	}
	later := p
	later.ID, later.At = "b-2", w.now.Add(time.Hour)
	must(t, w.org.AddProposal(ctx, asker, later))
	if found := readable(t, w.dir, canaries); len(found) > 0 {
		t.Errorf("readable: %q", found)
	}
	other, err := w.db.CreateOrg(ctx, "org-b", random(32), clerk)
	must(t, err)
	if list, err := other.Proposals(ctx); len(list) != 0 || err != nil {
		t.Error("another organisation lists it:", list, err)
	}
	change := func(p *issuer.Proposal) error { p.State = issuer.Approved; return nil }
	for _, id := range []string{"", "b-3"} {
		if _, err := w.org.Proposal(ctx, id); !errors.Is(err, issuer.ErrNoProposal) {
			t.Errorf("batch %q: %v", id, err)
		}
	}
	if err := other.ChangeProposal(ctx, asker, "b-1", change); !errors.Is(err, issuer.ErrNoProposal) {
		t.Error("another organisation changes it:", err)
	}
	no := errors.New("no")
	if err := w.org.ChangeProposal(ctx, asker, "b-1", func(p *issuer.Proposal) error { p.State = issuer.Done; return no }); !errors.Is(err, no) {
		t.Error(err)
	}
	for _, to := range []issuer.ProposalState{issuer.Submitted, issuer.Prepared, issuer.Submitted, issuer.Approved, issuer.Issuing, issuer.Done} {
		must(t, w.org.ChangeProposal(ctx, asker, "b-1", func(p *issuer.Proposal) error { p.State = to; return nil }))
	}
	if err := w.org.ChangeProposal(ctx, asker, "b-1", change); err == nil {
		t.Error("what was issued is approved again")
	}
	list, err := w.org.Proposals(ctx)
	must(t, err)
	if len(list) != 2 || list[0].ID != "b-2" || list[1].State != issuer.Done || list[1].Can != 412 || list[1].Digest != p.Digest || !slices.Equal(list[1].Cannot, p.Cannot) {
		t.Errorf("%+v", list)
	}
	w.whole(t)
	w.exec(t, `UPDATE batch SET sealed = (SELECT sealed FROM batch o WHERE o.id = 'b-1') WHERE id = 'b-2'`)
	if got := w.findings(t); !slices.Contains(got, storage.CheckSeal) {
		t.Errorf("findings = %q, want the batch that was put in another's place", got)
	}
}

// testProposals: a batch is issued as a second account approved it, or not at all; one that
// was cut off goes on, and the plan hears of it.
func testProposals(t *testing.T, e Engine) {
	w := newWorld(t, e)
	given := []registry.Consent{{Purpose: "registration", Given: true, On: "2026-10-01"}}
	var units []issuer.UnitID
	for n := range 4 {
		c := household(n)
		c.Fields = sized(t, 5, given)
		units = append(units, w.saved(t, c).ID)
		if n == 3 {
			break // nobody is known of it
		}
		p := registry.Person{Names: []registry.Name{{Text: "Kanari"}}, Birth: &registry.Birth{EDTF: "1987", Precision: "year"}, Consents: given}
		fields, err := p.Fields()
		must(t, err)
		w.saved(t, registry.Change{Kind: registry.KindPerson, External: string(rune('a' + n)), Fields: fields, Household: units[n]})
	}
	w.update(t, func(tx registry.Tx) error {
		if err := tx.SaveProgramme(registry.Programme{Code: "P7K2", Modality: "cash", Counts: registry.KindHousehold, Rounds: []registry.Round{{N: 3}}}); err != nil {
			return err
		}
		for _, u := range units {
			if _, err := tx.SaveEntitlement(registry.Entitlement{Unit: u, Programme: "P7K2", Round: 3, Amount: "120.00", Currency: "JOD", Status: registry.Planned}); err != nil {
				return err
			}
		}
		return nil
	})
	gate := quality.Default().Gate("P7K2")
	gate.Threshold = 0.2
	p := issuer.Proposal{ID: "b-1", By: clerk.ID, At: start, Type: "eligibility", Programme: "P7K2", Round: 3, State: issuer.Prepared}
	_, unfit, err := p.Gather(ctx, w.org, gate, nil, w.desk.Now)
	must(t, err)
	if p.Rows != 4 || p.Can != 3 || len(unfit) != 1 || unfit[0].Unit != units[3] || len(p.Cannot) == 0 {
		t.Fatalf("%+v, %+v", p, unfit)
	}
	must(t, w.org.AddProposal(ctx, clerk, p))
	testReading(t, w, gate, p, units)
	run := func(progress func(done, total int)) error {
		desk := *w.desk
		desk.Chunk = 1
		b := blankBatch()
		r := issuer.Run{Desk: &desk, Gate: gate, ProgrammeKey: b.ProgrammeKey, EpochKey: b.EpochKey, Registry: w.org, Proposals: w.org, Now: w.desk.Now}
		work, stop := context.WithCancel(ctx)
		defer stop()
		return r.Issue(work, "b-1", func(done, total int) {
			if progress != nil && done == 2 {
				stop()
			}
		})
	}
	set := func(change func(p *issuer.Proposal)) {
		must(t, w.org.ChangeProposal(ctx, clerk, "b-1", func(p *issuer.Proposal) error { change(p); return nil }))
	}
	none := func(why string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", why, err, want)
		}
		if cards, err := w.org.Cards(ctx, issuer.Selection{Programme: "P7K2"}); err != nil || len(cards) != 0 {
			t.Errorf("%s: %d cards, %v", why, len(cards), err)
		}
	}
	none("before the approval", run(nil), issuer.ErrProposalState)
	set(func(p *issuer.Proposal) { p.State, p.Second = issuer.Approved, w.desk.Actor.ID })
	none("by who approved", run(nil), issuer.ErrNotApproved)
	set(func(p *issuer.Proposal) { p.Second = "lead" })
	w.saved(t, registry.Change{ID: units[0], Fields: sized(t, 2, given)})
	none("changed since", run(nil), issuer.ErrProposalChanged)
	w.saved(t, registry.Change{ID: units[0], Fields: sized(t, 5, given)})
	if err := run(func(int, int) {}); err == nil {
		t.Fatal("it was cut off, and says that it was not")
	}
	state := func(want issuer.ProposalState, issued, already, cards int) {
		t.Helper()
		p, err := w.org.Proposal(ctx, "b-1")
		must(t, err)
		made, err := w.org.Cards(ctx, issuer.Selection{Approval: p.Digest})
		must(t, err)
		if p.State != want || p.Issued != issued || p.Already != already || len(made) != cards {
			t.Errorf("%s, %d issued, %d before, %d cards; want %s, %d, %d, %d", p.State, p.Issued, p.Already, len(made), want, issued, already, cards)
		}
	}
	state(issuer.Issuing, 0, 0, 2)
	w.reopen(t)
	must(t, run(nil))
	state(issuer.Done, 1, 2, 3)
	if err := run(nil); !errors.Is(err, issuer.ErrProposalState) {
		t.Errorf("issued twice: %v", err)
	}
	w.view(t, func(v registry.View) error {
		e, err := v.Entitlement(units[0], "P7K2", 3)
		if e.Status != registry.Granted {
			t.Errorf("the plan says %s", e.Status)
		}
		return err
	})
	if made, err := w.org.Cards(ctx, issuer.Selection{Approval: [32]byte{1}}); err != nil || len(made) != 0 {
		t.Errorf("cards of another batch: %d, %v", len(made), err)
	}
}

// testReading: what the second account reads is what is signed, compared with the round
// before, with who wrote it, what may be doubles, and who passed the gate why.
func testReading(t *testing.T, w *world, gate quality.Gate, p issuer.Proposal, units []issuer.UnitID) {
	t.Helper()
	read := func(p issuer.Proposal) *issuer.Reading {
		t.Helper()
		r, err := p.Read(ctx, w.org, gate, nil, w.desk.Now)
		must(t, err)
		return r
	}
	if r := read(p); r.Digest != p.Digest || len(r.Rows) != 3 || r.Before != 0 || len(r.Gone) != 0 || len(r.Rows[0].Doubles) != 0 || !r.Rows[0].Own || r.Rows[0].Due.Amount != "120.00" || r.Rows[0].New {
		t.Fatalf("%+v", r)
	}
	members := map[issuer.UnitID]issuer.UnitID{}
	w.view(t, func(v registry.View) error {
		for _, u := range units[:3] {
			m, err := v.Members(u)
			must(t, err)
			members[u] = m[0]
		}
		return nil
	})
	w.update(t, func(tx registry.Tx) error {
		due := func(u issuer.UnitID, round uint64, amount string) {
			_, err := tx.SaveEntitlement(registry.Entitlement{Unit: u, Programme: "P7K2", Round: round, Amount: amount, Currency: "JOD", Status: registry.Planned})
			must(t, err)
		}
		must(t, tx.SaveProgramme(registry.Programme{Code: "P7K2", Modality: "cash", Counts: registry.KindHousehold, Rounds: []registry.Round{{N: 2}, {N: 3}, {N: 4}}}))
		due(units[0], 2, "120.00")
		due(units[1], 2, "90.00")
		due(units[3], 2, "90.00") // who gets nothing now
		return tx.SaveDouble(registry.Double{A: members[units[0]], B: members[units[1]], Why: registry.KeyNameYear})
	})
	r := read(p)
	row := func(u issuer.UnitID) issuer.ReadingRow {
		i := slices.IndexFunc(r.Rows, func(x issuer.ReadingRow) bool { return x.Unit == u })
		if i < 0 {
			t.Fatalf("%s gets nothing", u)
		}
		return r.Rows[i]
	}
	a, b, c := row(units[0]), row(units[1]), row(units[2])
	if r.Before != 2 || a.New || a.Changed || b.New || !b.Changed || b.Was.Amount != "90.00" || !c.New || c.Changed {
		t.Errorf("compared with round %d: %+v, %+v, %+v", r.Before, a, b, c)
	}
	if len(r.Gone) != 1 || r.Gone[0].Unit != units[3] || r.Gone[0].Why.Lack.Code != quality.ReasonHead {
		t.Errorf("who is gone: %+v", r.Gone)
	}
	if len(a.Doubles) != 1 || a.Doubles[0].Other != members[units[1]] || len(b.Doubles) != 1 || len(c.Doubles) != 0 {
		t.Errorf("doubles: %+v, %+v, %+v", a.Doubles, b.Doubles, c.Doubles)
	}
	before := p.Digest
	must(t, p.SetOverride(issuer.Override{Unit: units[3], Reason: "no_papers", By: "signer"}))
	if r = read(p); r.Digest == before || row(units[3]).Override.Reason != "no_papers" || len(r.Gone) != 0 {
		t.Errorf("past the gate: %+v, %+v", r.Rows, r.Gone)
	}
	must(t, p.SetOverride(issuer.Override{Unit: units[3]}))
	if r = read(p); r.Digest != before {
		t.Error("what is taken back is not as it was")
	}
	if p.State = issuer.Approved; !errors.Is(p.SetOverride(issuer.Override{Unit: units[3], Reason: "no_papers"}), issuer.ErrProposalState) {
		t.Error("a batch is changed after its approval")
	}
}

func sized(t *testing.T, n int, given []registry.Consent) map[string][]byte {
	t.Helper()
	f, err := registry.Household{Size: n, Consents: given}.Fields()
	must(t, err)
	return f
}
