package main

import (
	"context"
	"errors"
	"slices"

	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/roster"
	"aidpass/web/console"
)

// What is known here holds for a roster too: it may be older than a death, a no or
// a closed double that is on record.

// saidNo is the refusal of a row that says so itself, in the words of the gate.
const saidNo = "they said no to being registered, or took it back: respect it; help is given without a card, and the answer may change at any desk"

// countAs takes over what the programme counts, where its plan says.
func (o *org) countAs(ctx context.Context, f *issueFlags) error {
	counts, err := o.counts(ctx, f.programme)
	if err != nil || counts == "" {
		return err
	}
	if f.record.unitSaid && f.unit != string(counts) {
		return usagef("programme %s counts by %s: a card for each %s would stand beside theirs", f.programme, counts, f.unit).
			hint("--unit %s, or leave it out; or issue to those on record: the same without a roster", counts)
	}
	f.unit, f.record.planned = string(counts), true
	return nil
}

// hasRound refuses a round that the programme's plan, where it has rounds, does not
// know: its cards would be for a day that no pack opens.
func (o *org) hasRound(ctx context.Context, programme string, round uint64) error {
	return o.store.View(ctx, func(v registry.View) error {
		p, err := v.Programme(programme)
		if errors.Is(err, registry.ErrNotFound) {
			return nil // cards of a programme that another system plans
		}
		if err != nil || round == 0 || len(p.Rounds) == 0 || slices.ContainsFunc(p.Rounds, func(r registry.Round) bool { return r.N == round }) {
			return err
		}
		return usagef("programme %s has no round %d", programme, round).coded(console.CannotRound, "programme", programme, "round", round).
			hint("aidpass programme show %[1]s tells its rounds; aidpass programme round %[1]s %[2]d --opens DAY --closes DAY adds this one", programme, round)
	})
}

// counts is what a programme's plan counts, "" where there is none.
func (o *org) counts(ctx context.Context, programme string) (kind registry.Kind, err error) {
	err = o.store.View(ctx, func(v registry.View) error {
		p, err := v.Programme(programme)
		if errors.Is(err, registry.ErrNotFound) {
			return nil
		}
		kind = p.Counts
		return err
	})
	return kind, err
}

// hold refuses the rows that what is on record stands against, before anything is
// written about them, and says of how many no answer about consent is known.
func (r *issueRun) hold(ctx context.Context, b *issuer.Batch) error {
	rows := make([]issuer.RosterRow, len(r.list.people))
	for i, p := range r.list.people {
		rows[i] = p.row
	}
	known, err := issuer.Standings(ctx, r.o.store, rows, b.Programme, b.Round, r.Now().UTC())
	if err != nil {
		return err
	}
	var kept []rosterPerson
	unasked := 0
	for i, p := range r.list.people {
		if known[i].Refuse != "" {
			r.list.refuse(p.number, issuer.RefusedGate, known[i].Refuse)
			continue
		}
		if !known[i].Asked && !p.agreed {
			unasked++
		}
		kept = append(kept, p)
	}
	r.list.people = kept
	if unasked > 0 {
		one, many := "person", "people"
		if r.f.unit == string(registry.KindHousehold) {
			one, many = "household", "households"
		}
		r.say("nothing is on record about consent of %s: import the list (aidpass registry import) to have it asked", plural(unasked, one, many))
	}
	pass := func(context.Context, issuer.UnitID) (issuer.Decision, error) { return issuer.Decision{}, nil }
	b.Gate = issuer.StillDue(r.o.store, b.Programme, b.Round, pass)
	return nil
}

// consentOf is the row's own answer, of the columns that hold one: a no weighs more.
func consentOf(row roster.Row, columns []string) intake.Answer {
	var said []intake.Answer
	for _, c := range columns {
		said = append(said, intake.AnswerOf(row.Cell(c)))
	}
	switch {
	case slices.Contains(said, intake.No):
		return intake.No
	case slices.Contains(said, intake.Yes):
		return intake.Yes
	}
	return intake.NoAnswer
}
