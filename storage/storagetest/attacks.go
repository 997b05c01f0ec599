package storagetest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
	"aidpass/schemas"
	"aidpass/status"
	"aidpass/verifier"
	"aidpass/verifier/visit"
)

// A pre-numbered card that nobody has is good for nothing, whichever way it is tried.
func testBlankStaysOnHold(t *testing.T, e Engine) {
	w := newWorld(t, e)
	people, err := w.desk.Enrol(ctx, roster(2), nil)
	must(t, err)
	lot := w.blanks(t, 3)
	cards := w.lotCards(t, lot)
	onHold := func(what string) {
		t.Helper()
		for _, c := range w.lotCards(t, lot) {
			if c.Kind == issuer.Blank && c.Status == status.Valid {
				t.Errorf("%s: card %s of nobody is valid", what, c.CardNumber)
			}
		}
		w.sound(t)
	}

	if err := w.desk.Reinstate(ctx, []issuer.CTI{cards[0].ID}, "found-again"); !errors.Is(err, issuer.ErrCardState) {
		t.Errorf("a blank is let go: %v", err)
	}
	onHold("let go")

	b := blankBatch()
	b.Reason = "lost"
	b.Requests = []issuer.Request{{Row: 1, Unit: cards[0].Unit, Claims: blankClaims, Replaces: cards[0].ID}}
	approve(t, &b)
	w.desk.Actor.SecondPerson = "acc-lead"
	must(t, w.desk.Replace(ctx, b, func(issuer.Result) error { return nil }))
	onHold("replaced")

	other := blankBatch()
	other.Round = 4
	other.Requests = []issuer.Request{{Row: 1, Unit: cards[1].Unit, Claims: blankClaims}}
	approve(t, &other)
	must(t, w.desk.Issue(ctx, other, func(issuer.Result) error { return nil }))
	onHold("another round")

	// It does not become a person's record either: her key would go with the binding.
	err = w.org.Update(ctx, clerk, func(tx registry.Tx) error {
		_, err := tx.Save(registry.Change{ID: cards[2].Unit, Kind: registry.KindPerson, Fields: map[string][]byte{"sex": text(t, "female")}})
		return err
	})
	if err == nil {
		t.Error("a person was recorded on a blank card's unit")
	}

	// Bound, its unit is nobody: a batch that names it says so of that row alone.
	_, err = w.desk.Bind(ctx, cards[2].ID, people[0].ID, nil, "")
	must(t, err)
	other.Round = 5
	other.Requests = []issuer.Request{{Row: 1, Unit: cards[2].Unit, Claims: blankClaims}, {Row: 2, Unit: people[1].ID, Claims: blankClaims}}
	approve(t, &other)
	results := issue(t, w.desk, other)
	refused(t, "a bound blank's unit", map[int]issuer.Result{1: results[1]}, issuer.RefusedUnit)
	if r := results[2]; r.Refusal != nil {
		t.Errorf("the row beside it: %v", r.Refusal)
	}
}

// A blank that is known from the signing log alone is a blank still.
func testBlankRestoredStaysOnHold(t *testing.T, e Engine) {
	w := newWorld(t, e)
	_, err := w.desk.Enrol(ctx, roster(1), nil)
	must(t, err)
	restore := w.engine.Backup(t, w.dir)
	lot := w.blanks(t, 2)
	cards := w.lotCards(t, lot)
	must(t, w.db.Close())
	restore()
	w.db = w.engine.Open(t, w.dir, w.options())
	org, err := w.db.Org(ctx, "org-a", w.kek)
	must(t, err)
	w.use(org)
	for _, c := range cards {
		now := w.card(t, c.ID)
		if now.Kind != issuer.Blank || now.Status != status.Suspended {
			t.Errorf("card %s is %s, of a %s", c.CardNumber, now.Status, now.Kind)
		}
		if plan := issuer.PlanBulk([]issuer.Card{now}, status.Valid, false, credential.FromStd(w.now)); len(plan.Can) != 0 {
			t.Error("a blank that came back from the log can be let go by a bulk act")
		}
		if err := w.desk.Reinstate(ctx, []issuer.CTI{c.ID}, "found-again"); !errors.Is(err, issuer.ErrCardState) {
			t.Errorf("a blank that came back from the log is let go: %v", err)
		}
	}
	w.sound(t)
}

// One person alone replaces what lies spoiled on the desk, and nothing that
// somebody put on hold or revoked for another reason.
func testReplaceAlone(t *testing.T, e Engine) {
	w := newWorld(t, e)
	b := w.batch(t, 8)
	old := issued(t, issue(t, w.desk, b))
	must(t, w.desk.Suspend(ctx, ids(old[0:2]), "fraud"))
	must(t, w.desk.MoveCards(ctx, ids(old[1:2]), issuer.CardSpoiled, "", "torn"))
	must(t, w.desk.Revoke(ctx, ids(old[2:3]), "fraud"))
	w.now = w.now.Add(1e9)
	must(t, w.desk.MoveCards(ctx, ids(old[2:4]), issuer.CardSpoiled, "", "torn"))
	must(t, w.desk.Suspend(ctx, ids(old[5:6]), "check"))
	must(t, w.desk.Reinstate(ctx, ids(old[5:6]), "checked"))
	must(t, w.desk.MoveCards(ctx, ids(old[6:7]), issuer.CardHandedOver, "", ""))
	collected := visit.Visit{Kind: visit.Collection, Card: old[7].ID[:], Ledger: verifier.LedgerKey{Issuer: "org-a", Pseudonym: old[7].Pseudonym, Programme: b.Programme, Round: old[7].Round}}
	w.hand(t, w.scanner(t, "phone-1").give(collected))
	for i, c := range []struct {
		what string
		ok   bool
	}{
		{"on hold", false},
		{"on hold, and then torn", false},
		{"revoked, and then torn", false},
		{"torn", true},
		{"good", true},
		{"good again", true},
		{"handed over", false},
		{"good, and something was collected with it", false},
	} {
		r := replacement(t, b, old, i)
		r.Reason, r.Approval.By = issuer.ReasonSpoiled, w.desk.Actor.ID
		err := w.desk.Replace(ctx, r, func(r issuer.Result) error {
			if r.Refusal != nil {
				return r.Refusal
			}
			return nil
		})
		if c.ok != (err == nil) || err != nil && !errors.Is(err, issuer.ErrSecondPerson) {
			t.Errorf("a card that is %s, by one person: %v", c.what, err)
		}
		want := 0
		if c.ok || i > 5 { // or it was never stopped, and is as it was
			want = 1
		}
		if n := w.active(t, old[i].Unit); n != want {
			t.Errorf("a card that is %s: %d good cards, want %d", c.what, n, want)
		}
		if c.ok {
			continue
		}
		w.desk.Actor.SecondPerson = "acc-lead"
		must(t, w.desk.Replace(ctx, r, func(r issuer.Result) error {
			if r.Refusal != nil {
				t.Errorf("a card that is %s, by two: %v", c.what, r.Refusal)
			}
			return nil
		}))
		w.desk.Actor.SecondPerson = ""
	}
	w.sound(t)
}

// A replacement that was cut off and let go by Resume is one person's to end, too.
func testReplaceAloneResumed(t *testing.T, e Engine) {
	w := newWorld(t, e)
	b := w.batch(t, 1)
	old := issued(t, issue(t, w.desk, b))
	r := replacement(t, b, old, 0)
	r.Reason, r.Approval.By = issuer.ReasonSpoiled, w.desk.Actor.ID
	f := &faulty{Store: w.org, log: w.org, failAt: 2}
	if err := w.newDesk(f, f).Replace(ctx, r, func(issuer.Result) error { return nil }); !errors.Is(err, errFault) {
		t.Fatal(err)
	}
	w.now = w.now.Add(1e12) // a quarter of an hour and more
	must(t, w.desk.Resume(ctx, func(issuer.Result) error { return nil }))
	must(t, w.desk.Replace(ctx, r, func(r issuer.Result) error {
		if r.Refusal != nil {
			t.Error(r.Refusal)
		}
		return nil
	}))
	if n := w.active(t, old[0].Unit); n != 1 {
		t.Errorf("%d good cards", n)
	}
}

// A revoked card of one round is no pretext for a card of another.
func testReplaceAcrossRounds(t *testing.T, e Engine) {
	w := newWorld(t, e)
	b := w.batch(t, 1)
	old := issued(t, issue(t, w.desk, b))
	must(t, w.desk.Revoke(ctx, ids(old), "fraud"))
	next := b
	next.Round = 4
	approve(t, &next)
	later := issued(t, issue(t, w.desk, next))
	must(t, w.desk.Revoke(ctx, ids(later), "fraud"))
	next.Reason, next.Requests = "lost", slices.Clone(next.Requests)
	next.Requests[0].Replaces = old[0].ID
	approve(t, &next)
	w.desk.Actor.SecondPerson = "acc-lead"
	results := map[int]issuer.Result{}
	must(t, w.desk.Replace(ctx, next, func(r issuer.Result) error { results[r.Row] = r; return nil }))
	refused(t, "a revoked card of another round", results, issuer.RefusedReplaced)
}

// Who is gated once is gated again: a re-run never makes a full card of a provisional one,
// unless the gate lets it pass since and a second person is there.
func testProvisionalStays(t *testing.T, e Engine) {
	w := newWorld(t, e)
	ruling := issuer.GateProvisional
	b := w.batch(t, 1)
	b.Gate = func(context.Context, issuer.UnitID) (issuer.Decision, error) {
		return issuer.Decision{Ruling: ruling, Reasons: []string{"birth"}}, nil
	}
	end := credential.FromStd(w.now.AddDate(0, 0, 30))
	b.Requests[0].ExpiresAt = end
	approve(t, &b)
	f := &faulty{Store: w.org, log: w.org, failAt: 2} // reserved, and cut off
	if err := w.newDesk(f, f).Issue(ctx, b, func(issuer.Result) error { return nil }); !errors.Is(err, errFault) {
		t.Fatal(err)
	}
	full := b
	full.Requests = slices.Clone(b.Requests)
	full.Requests[0].ExpiresAt = 0
	approve(t, &full)
	for _, r := range issue(t, w.desk, full) {
		if r.Refusal == nil || r.Refusal.Code != issuer.RefusedGate {
			t.Errorf("a full card for a provisional record: %+v", r.Refusal)
		}
	}
	var short issuer.Credential
	must(t, w.desk.Issue(ctx, b, func(r issuer.Result) error {
		short = r.Credential
		if r.Refusal != nil || r.Credential.ExpiresAt != end {
			t.Errorf("provisional until %s: %v", r.Credential.ExpiresAt, r.Refusal)
		}
		return nil
	}))
	ruling = issuer.GatePass
	alone := full
	alone.Approval.By = clerk.ID
	for _, r := range issue(t, w.desk, alone) {
		if r.Refusal == nil || r.Refusal.Code != issuer.RefusedExists {
			t.Errorf("a second card beside the provisional one, by one person: %+v", r.Refusal)
		}
	}
	must(t, w.desk.Suspend(ctx, []issuer.CTI{short.ID}, "asked"))
	for _, r := range issue(t, w.desk, full) {
		if r.Refusal == nil || r.Refusal.Code != issuer.RefusedExists {
			t.Errorf("what somebody put on hold is not let go by a batch: %+v", r.Refusal)
		}
	}
	must(t, w.desk.Reinstate(ctx, []issuer.CTI{short.ID}, "found"))
	f = &faulty{Store: w.org, log: w.org, failAt: 2} // reserved, and cut off
	if err := w.newDesk(f, f).Issue(ctx, full, func(issuer.Result) error { return nil }); !errors.Is(err, errFault) {
		t.Fatal(err)
	}
	for range 2 {
		for _, r := range issue(t, w.desk, full) {
			if r.Refusal != nil || r.Credential.ExpiresAt <= end || r.Provisional {
				t.Errorf("the whole card of a mended record: %+v, until %s", r.Refusal, r.Credential.ExpiresAt)
			}
		}
	}
	if c := w.card(t, short.ID); c.Status != status.Invalid || !c.Provisional {
		t.Errorf("the provisional card beside it: %s, %v", c.Status, c.Provisional)
	}
	w.sound(t)
}

// A batch that was cut off and issued again is one batch to whoever voids it.
func testVoidResumed(t *testing.T, e Engine) {
	w := newWorld(t, e)
	b := w.batch(t, 6)
	f := &faulty{Store: w.org, log: w.org, failAt: 5} // the second chunk's reservation
	desk := w.newDesk(f, f)
	desk.Chunk = 2
	if err := desk.Issue(ctx, b, func(issuer.Result) error { return nil }); !errors.Is(err, errFault) {
		t.Fatal(err)
	}
	all := issued(t, issue(t, w.desk, b))
	other := w.batch(t, 1)
	other.Round = 9
	approve(t, &other)
	issued(t, issue(t, w.desk, other))
	for _, c := range all {
		found, err := w.org.Cards(ctx, issuer.Selection{Lot: w.card(t, c.ID).Lot})
		must(t, err)
		if len(found) != len(all) {
			t.Errorf("the batch of card %s has %d cards, want %d", c.CardNumber, len(found), len(all))
		}
	}
}

// A live card that somebody put on hold is not let go by giving it to somebody.
func testBindOnHold(t *testing.T, e Engine) {
	w := newWorld(t, e)
	people, err := w.desk.Enrol(ctx, roster(1), nil)
	must(t, err)
	w.desk.Actor.SecondPerson = "acc-lead"
	lot, err := w.desk.MakeBlanks(ctx, blankBatch(), issuer.BlankOrder{Claims: blankClaims, Count: 1, Live: true}, nil, func(issuer.Result) error { return nil })
	must(t, err)
	c := w.lotCards(t, lot)[0]
	must(t, w.desk.Suspend(ctx, []issuer.CTI{c.ID}, "missing"))
	w.desk.Actor.SecondPerson = ""
	if _, err := w.desk.Bind(ctx, c.ID, people[0].ID, nil, ""); !errors.Is(err, issuer.ErrSecondPerson) {
		t.Errorf("a live card that is missing is bound by one person: %v", err)
	}
	w.desk.Actor.SecondPerson = "acc-lead"
	c, err = w.desk.Bind(ctx, c.ID, people[0].ID, nil, "")
	if err != nil || c.Status != status.Valid {
		t.Errorf("bound by two: %v, %s", err, c.Status)
	}
	// A record that lacks a little is let through, and that is on record.
	people, err = w.desk.Enrol(ctx, roster(2), nil)
	must(t, err)
	lot, err = w.desk.MakeBlanks(ctx, blankBatch(), issuer.BlankOrder{Claims: blankClaims, Count: 2}, nil, func(issuer.Result) error { return nil })
	must(t, err)
	little := func(context.Context, issuer.UnitID) (issuer.Decision, error) {
		return issuer.Decision{Ruling: issuer.GateProvisional, Reasons: []string{"relation"}}, nil
	}
	c, err = w.desk.Bind(ctx, w.lotCards(t, lot)[0].ID, people[1].ID, little, "")
	if err != nil || c.Status != status.Valid {
		t.Errorf("bound with a little missing: %v, %s", err, c.Status)
	}
	told := 0
	must(t, w.org.Audit(ctx, func(e *access.Entry) error {
		if e.Action == "gate.provisional" && e.Object == c.ID.String() {
			told++
		}
		return nil
	}))
	if told != 1 {
		t.Errorf("%d entries gate.provisional, want 1", told)
	}
}

// Many cards are not ended by one person, by whichever act.
func testManyByOne(t *testing.T, e Engine) {
	w := newWorld(t, e)
	all := ids(issued(t, issue(t, w.desk, w.batch(t, issuer.BulkLimit+1))))
	if err := w.desk.MoveCards(ctx, all, issuer.CardDestroyed, "", "old"); !errors.Is(err, issuer.ErrSecondPerson) {
		t.Errorf("%d cards destroyed by one person: %v", len(all), err)
	}
	must(t, w.desk.MoveCards(ctx, all, issuer.CardHandedOver, "", ""))
}

// A person whose household was erased is a candidate like others, and stops no run.
func testCandidateOfErased(t *testing.T, e Engine) {
	w := newWorld(t, e)
	house := w.saved(t, household(1))
	c := change(t, 1)
	c.Household = house.ID
	w.saved(t, c)
	must(t, w.org.Erase(ctx, clerk, house.ID, "asked"))
	n := 0
	err := issuer.Candidates(ctx, w.org, quality.Default().Gate("P7K2"), issuer.Ask{
		Type: schemas.ByName("eligibility"), Programme: "P7K2", Kind: registry.KindPerson, All: true, At: w.now,
	}, func(c *issuer.Candidate) error {
		n++
		return nil
	})
	if err != nil || n != 1 {
		t.Errorf("%d candidates: %v", n, err)
	}
	w.sound(t)
}

// A binding whose line in the signing log came after that of the next round's card
// is taken in all the same.
func testBoundLate(t *testing.T, e Engine) {
	w := newWorld(t, e)
	people, err := w.desk.Enrol(ctx, roster(2), nil)
	must(t, err)
	lot := w.blanks(t, 1)
	card := w.lotCards(t, lot)[0]
	restore := w.engine.Backup(t, w.dir)
	log := filepath.Join(w.dir, "outside-backup", "signing.log")
	before, err := os.ReadFile(log)
	must(t, err)
	_, err = w.desk.Bind(ctx, card.ID, people[0].ID, nil, "")
	must(t, err)
	must(t, os.WriteFile(log, before, 0o600)) // the power went between commit and line
	b := w.batch(t, 2)
	b.Round = 4
	approve(t, &b)
	next := issued(t, issue(t, w.desk, b))
	_, err = w.desk.Bind(ctx, card.ID, people[0].ID, nil, "")
	must(t, err)

	must(t, w.db.Close())
	restore()
	w.db = w.engine.Open(t, w.dir, w.options())
	org, err := w.db.Org(ctx, "org-a", w.kek)
	must(t, err)
	w.use(org)
	for _, id := range []issuer.CTI{card.ID, next[0].ID} {
		if c := w.card(t, id); c.Unit != people[0].ID || c.Status != status.Valid || c.CardNumber != card.CardNumber {
			t.Errorf("card %s: %s, of %s", id, c.Status, c.Unit)
		}
	}
	w.sound(t)
}

// What a list said of her in the household's own columns is told before she is erased.
func testNamedIn(t *testing.T, e Engine) {
	w := newWorld(t, e)
	h := household(1)
	fields, err := registry.Household{Size: 3, Ext: map[string]string{"head_name": strings.ToUpper(person(t, 1).Names[0].Text)}}.Fields()
	must(t, err)
	h.Fields = fields
	house, quiet := w.saved(t, h), w.saved(t, household(2))
	c := change(t, 1)
	c.Household = house.ID
	hers := w.saved(t, c)
	w.saved(t, registry.Change{ID: hers.ID, Household: quiet.ID})                    // she has left,
	w.saved(t, registry.Change{ID: house.ID, Fields: map[string][]byte{"ext": nil}}) // and it says so no more
	w.view(t, func(v registry.View) error {
		found, err := registry.NamedIn(v, hers.ID)
		if !slices.Equal(found, []registry.ID{house.ID}) {
			t.Errorf("named in %v, want %s", found, house.ID)
		}
		return err
	})
	led, err := registry.AppendValue(nil, hers.ID.String()) // one that names its head by her id alone
	must(t, err)
	w.saved(t, registry.Change{ID: quiet.ID, Fields: map[string][]byte{"head": led}})
	w.view(t, func(v registry.View) error {
		found, err := registry.NamedIn(v, hers.ID)
		if len(found) != 2 || !slices.Contains(found, quiet.ID) {
			t.Errorf("named in %v, want %s as well", found, quiet.ID)
		}
		return err
	})
	w.saved(t, registry.Change{ID: quiet.ID, Fields: map[string][]byte{"head": nil}})
	must(t, w.org.Erase(ctx, clerk, house.ID, "asked"))
	w.view(t, func(v registry.View) error {
		found, err := registry.NamedIn(v, hers.ID)
		if len(found) > 0 {
			t.Errorf("named in the erased: %v", found)
		}
		return err
	})
}
