package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/issuer"
	"aidpass/schemas"
	"aidpass/status"
)

func blankBatch() issuer.Batch {
	return issuer.Batch{Type: schemas.ByName("eligibility"), Programme: "P7K2", ProgrammeKey: []byte("programme key of the test, 32 by"), Round: 3, Form: credential.FormCWT}
}

var blankClaims = map[string]any{"collector_rule": "holder_only"}

// blanks makes a lot for round 3 of the test's programme.
func (w *world) blanks(t *testing.T, n int) issuer.BlankLot {
	t.Helper()
	lot, err := w.desk.MakeBlanks(ctx, blankBatch(), issuer.BlankOrder{Claims: blankClaims, Count: n}, nil, func(r issuer.Result) error {
		if r.Refusal != nil {
			return r.Refusal
		}
		return nil
	})
	must(t, err)
	return lot
}

func (w *world) lotCards(t *testing.T, lot issuer.BlankLot) []issuer.Card {
	t.Helper()
	cards, err := w.org.Cards(ctx, issuer.Selection{BlankLot: lot.ID})
	must(t, err)
	return cards
}

func testBlanks(t *testing.T, e Engine) {
	w := newWorld(t, e)
	people, err := w.desk.Enrol(ctx, roster(4), nil)
	must(t, err)
	lot := w.blanks(t, 6)
	cards := w.lotCards(t, lot)
	numbers := map[string]bool{}
	for _, c := range cards {
		numbers[c.CardNumber] = true
		if c.Kind != issuer.Blank || c.Status != status.Suspended || c.State != issuer.Issued || c.BlankLot != lot.ID {
			t.Errorf("blank %+v", c)
		}
	}
	if len(cards) != 6 || len(numbers) != 6 {
		t.Fatalf("%d cards with %d numbers", len(cards), len(numbers))
	}
	w.print(t, []issuer.CTI{cards[0].ID, cards[1].ID, cards[2].ID}, "sheet")
	for name, err := range map[string]error{
		"handed over before it is bound": w.desk.MoveCards(ctx, []issuer.CTI{cards[0].ID}, issuer.CardHandedOver, "", ""),
	} {
		if !errors.Is(err, issuer.ErrCardState) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if plan := issuer.PlanBulk(cards, status.Valid, false, credential.FromStd(w.now)); len(plan.Can) != 0 {
		t.Error("a blank that nobody has can be let go by a bulk act")
	}

	gate := func(r issuer.Ruling) issuer.Gate {
		return func(context.Context, issuer.UnitID) (issuer.Decision, error) {
			return issuer.Decision{Ruling: r, Reasons: []string{"consent"}}, nil
		}
	}
	var no *issuer.Refusal
	if _, err := w.desk.Bind(ctx, cards[0].ID, people[0].ID, gate(issuer.GateRefuse), ""); !errors.As(err, &no) || no.Code != issuer.RefusedGate {
		t.Errorf("bound against the gate: %v", err)
	}
	if _, err := w.desk.Bind(ctx, cards[0].ID, people[0].ID, gate(issuer.GateRefuse), "witness"); !errors.Is(err, issuer.ErrSecondPerson) {
		t.Errorf("bound against the gate by one person: %v", err)
	}
	before, err := w.org.FindCredentials(ctx, cards[0].ID.String())
	must(t, err)
	for range 2 { // the second time nothing is new
		c, err := w.desk.Bind(ctx, cards[0].ID, people[0].ID, gate(issuer.GatePass), "")
		must(t, err)
		if c.Unit != people[0].ID || c.Kind != issuer.Household || c.Status != status.Valid || c.CardNumber != cards[0].CardNumber || c.BlankLot != lot.ID {
			t.Errorf("bound %+v", c)
		}
	}
	hers, err := w.org.FindCredentials(ctx, "HH-00000")
	must(t, err)
	if len(hers) != 1 || !bytes.Equal(hers[0].Card, before[0].Card) || hers[0].Card == nil || hers[0].Pseudonym != cards[0].Pseudonym {
		t.Errorf("her credentials: %+v", hers)
	}
	must(t, w.desk.MoveCards(ctx, []issuer.CTI{cards[0].ID}, issuer.CardHandedOver, "", ""))

	for name, c := range map[string]struct {
		card issuer.CTI
		unit issuer.UnitID
		want error
	}{
		"to another":           {cards[0].ID, people[1].ID, issuer.ErrBound},
		"two for one":          {cards[1].ID, people[0].ID, issuer.ErrNamed},
		"to nobody":            {cards[1].ID, issuer.NewUnitID(), issuer.ErrNotFound},
		"to a blank":           {cards[1].ID, cards[2].Unit, nil},
		"no card at all":       {issuer.NewCTI(), people[1].ID, issuer.ErrNotFound},
		"to where it was made": {cards[1].ID, cards[1].Unit, nil},
	} {
		if _, err := w.desk.Bind(ctx, c.card, c.unit, nil, ""); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("bound %s: %v, want %v", name, err, c.want)
		}
	}
	must(t, w.desk.MoveCards(ctx, []issuer.CTI{cards[2].ID}, issuer.CardSpoiled, "", "torn"))
	if _, err := w.desk.Bind(ctx, cards[2].ID, people[1].ID, nil, ""); !errors.Is(err, issuer.ErrCardState) {
		t.Errorf("a torn card is bound: %v", err)
	}

	// The roster issued for the round finds the card she has; the next round is another card under the same number.
	b := w.batch(t, 4)
	results := issue(t, w.desk, b)
	if r := results[1]; r.Refusal != nil || !r.Old || r.Credential.ID != cards[0].ID {
		t.Errorf("the batch's word for her: %+v", r.Refusal)
	}
	if _, err := w.desk.Bind(ctx, results[2].Credential.ID, people[3].ID, nil, ""); !errors.Is(err, issuer.ErrNotBlank) {
		t.Errorf("a card of somebody's is bound: %v", err)
	}
	b.Round = 4
	approve(t, &b)
	if r := issue(t, w.desk, b)[1]; r.Refusal != nil || r.Credential.CardNumber != cards[0].CardNumber {
		t.Errorf("the next round: %+v", r.Refusal)
	}
	// A bound card is replaced like any other.
	b.Round, b.Reason = 3, "lost"
	b.Requests = b.Requests[:1]
	b.Requests[0].Replaces = cards[0].ID
	approve(t, &b)
	w.desk.Actor.SecondPerson = "acc-lead"
	must(t, w.desk.Replace(ctx, b, func(r issuer.Result) error {
		if r.Refusal != nil || r.Credential.CardNumber != cards[0].CardNumber {
			t.Errorf("replaced: %+v", r)
		}
		return nil
	}))
	lots, err := w.org.BlankLots(ctx)
	must(t, err)
	if l := lots[0]; len(lots) != 1 || l.Count != 6 || l.Issued != 6 || l.Bound != 1 || l.Ended != 1 || l.Live || l.Rounds.First != 3 {
		t.Errorf("lots %+v", lots)
	}
	w.sound(t)
}

func oldOnly(r issuer.Result) error {
	if r.Refusal != nil || !r.Old {
		return fmt.Errorf("row %d is not the card that was there: %v", r.Row, r.Refusal)
	}
	return nil
}

func testBlanksResumed(t *testing.T, e Engine) {
	for at := 1; at <= 4; at++ { // reserve, intend, log, complete
		for _, written := range []bool{false, true} {
			w := newWorld(t, e)
			f := &faulty{Store: w.org, log: w.org, failAt: at, written: written}
			var begun issuer.BlankLot
			_, err := w.newDesk(f, f).MakeBlanks(ctx, blankBatch(), issuer.BlankOrder{Claims: blankClaims, Count: 5}, func(l issuer.BlankLot) { begun = l }, func(issuer.Result) error { return nil })
			if !errors.Is(err, errFault) {
				t.Fatal(err)
			}
			w.reopen(t)
			if at == 4 && written { // all were signed: nothing tells it from a lot that is complete but its name
				n := 0
				order := issuer.BlankOrder{Claims: blankClaims, Lot: begun.ID}
				_, err := w.desk.MakeBlanks(ctx, blankBatch(), order, nil, func(r issuer.Result) error { n++; return oldOnly(r) })
				must(t, err)
				if n != 5 {
					t.Errorf("the lot by its name: %d cards", n)
				}
				continue
			}
			lot := w.blanks(t, 5)
			if cards := w.lotCards(t, lot); len(cards) != 5 {
				t.Errorf("call %d: %d cards", at, len(cards))
			}
			for _, c := range w.lotCards(t, lot) {
				if c.Status != status.Suspended || c.State != issuer.Issued {
					t.Errorf("call %d: card is %s, %s", at, c.State, c.Status)
				}
			}
			if lots, err := w.org.BlankLots(ctx); err != nil || len(lots) != 1 {
				t.Errorf("call %d: %d lots, %v; want the one", at, len(lots), err)
			}
			if second := w.blanks(t, 5); second.ID == lot.ID {
				t.Error("a second lot of the same size was taken for the first")
			}
			w.sound(t)
		}
	}
	w := newWorld(t, e)
	none := func(issuer.Result) error { t.Error("a result"); return nil }
	if _, err := w.desk.MakeBlanks(ctx, blankBatch(), issuer.BlankOrder{Claims: map[string]any{"size_band": "1"}, Count: 5}, nil, none); err == nil {
		t.Error("blank cards with a size band")
	}
	if _, err := w.desk.MakeBlanks(ctx, blankBatch(), issuer.BlankOrder{Count: 5, Live: true}, nil, none); !errors.Is(err, issuer.ErrSecondPerson) {
		t.Errorf("live blank cards by one person: %v", err)
	}
	for _, n := range []int{0, -1, issuer.MaxBlanks + 1} {
		if _, err := w.desk.MakeBlanks(ctx, blankBatch(), issuer.BlankOrder{Count: n}, nil, none); err == nil {
			t.Errorf("a lot of %d", n)
		}
	}
	if _, err := w.desk.MakeBlanks(ctx, blankBatch(), issuer.BlankOrder{Lot: "zzzzzzzz"}, nil, none); !errors.Is(err, issuer.ErrNoLot) {
		t.Errorf("no such lot: %v", err)
	}
	w.desk.Actor.SecondPerson = "acc-lead"
	lot, err := w.desk.MakeBlanks(ctx, blankBatch(), issuer.BlankOrder{Count: 2, Live: true}, nil, func(issuer.Result) error { return nil })
	must(t, err)
	for _, c := range w.lotCards(t, lot) {
		if c.Status != status.Valid || !lot.Live {
			t.Errorf("a live blank is %s", c.Status)
		}
	}
	w.sound(t)
}

func testBoundErased(t *testing.T, e Engine) {
	w := newWorld(t, e)
	people, err := w.desk.Enrol(ctx, roster(2), nil)
	must(t, err)
	card := w.lotCards(t, w.blanks(t, 2))[0]
	// A copy from before the binding, with the blank's key in it.
	_, err = w.desk.Bind(ctx, card.ID, people[0].ID, nil, "")
	must(t, err)
	must(t, w.desk.Revoke(ctx, []issuer.CTI{card.ID}, "left"))
	must(t, w.org.Erase(ctx, clerk, people[0].ID, "asked"))
	found, err := w.org.FindCredentials(ctx, card.ID.String())
	must(t, err)
	if len(found) != 1 || found[0].Card != nil || found[0].Intent != nil {
		t.Errorf("after the erasure: %+v", found)
	}
	if keys := w.count(t, `SELECT COUNT(*) FROM envelope_key WHERE subject_id IN ($1, $2) AND wrapped IS NOT NULL`, card.Unit.String(), people[0].ID.String()); keys != 0 {
		t.Errorf("%d keys are left that open her card", keys)
	}
	w.sound(t)
}

// count runs a query of one number past the store.
func (w *world) count(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	db := w.engine.SQL(t, w.dir)
	defer db.Close()
	must(t, db.QueryRow(query, args...).Scan(&n))
	return n
}

func testBoundRestored(t *testing.T, e Engine) {
	for name, early := range map[string]bool{"before the lot": true, "before the binding": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, e)
			people, err := w.desk.Enrol(ctx, roster(3), nil)
			must(t, err)
			restore := w.engine.Backup(t, w.dir)
			lot := w.blanks(t, 3)
			if !early {
				restore = w.engine.Backup(t, w.dir)
			}
			cards := w.lotCards(t, lot)
			for i := range 2 {
				_, err = w.desk.Bind(ctx, cards[i].ID, people[i].ID, nil, "")
				must(t, err)
			}
			must(t, w.desk.Revoke(ctx, []issuer.CTI{cards[1].ID}, "left"))
			must(t, w.org.Erase(ctx, clerk, people[1].ID, "asked"))

			must(t, w.db.Close())
			restore()
			w.db = w.engine.Open(t, w.dir, w.options())
			org, err := w.db.Org(ctx, "org-a", w.kek)
			must(t, err)
			w.use(org)
			for i, want := range []status.Value{status.Valid, status.Invalid, status.Suspended} {
				c := w.card(t, cards[i].ID)
				if c.Status != want || (c.Unit == people[i].ID) != (i < 2) || c.CardNumber != cards[i].CardNumber {
					t.Errorf("card %d is %s, of %s; want %s", i, c.Status, c.Unit, want)
				}
			}
			found, err := w.org.FindCredentials(ctx, cards[1].ID.String())
			must(t, err)
			if found[0].Card != nil {
				t.Error("the erased person's card can be read")
			}
			if !early {
				if found, err = w.org.FindCredentials(ctx, cards[0].ID.String()); err != nil || found[0].Card == nil {
					t.Errorf("her card cannot be read: %v", err)
				} else if _, err := cwt.Parse(found[0].Card); err != nil {
					t.Error(err)
				}
			}
			if n := w.count(t, `SELECT COUNT(*) FROM envelope_key k JOIN blank b ON b.unit_id = k.subject_id WHERE b.bound_to IS NOT NULL AND k.wrapped IS NOT NULL`); n != 0 {
				t.Errorf("%d keys of bound blanks are left", n)
			}
			w.sound(t)
		})
	}
}
