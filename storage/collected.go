package storage

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"aidpass/credential"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
	"aidpass/verifier"
	"aidpass/verifier/visit"
)

// Collected is what all journals that came in say was given on a ledger key, or on one
// that its card stands for: what a judgement here asks for before it says give.
func (o *Org) Collected(ctx context.Context, k verifier.LedgerKey) (use verifier.Use, ok bool, err error) {
	err = o.view(ctx, "look up a collection", func(t *tx) error {
		piece := &visit.Piece{}
		if err := t.beside(piece, map[string]bool{string(o.ledgerMark(k)): true}); err != nil || len(piece.Records) == 0 {
			return err
		}
		for _, kid := range kids(piece) {
			if err := t.storedVisits(piece, `AND kid = $2 AND ledger IS NULL`, kid); err != nil {
				return err
			}
		}
		facts, err := t.visitFacts()
		if err != nil {
			return err
		}
		m := visit.Merge(facts.Facts, piece)
		use, ok = m.Earlier(k)
		return facts.err
	})
	return use, ok, err
}

// CollectedSince calls yield with every unit to whom the journals say that something was given
// at a time or after it, whichever of several records counts. The journals are merged once for
// as long as nothing comes in: what was found is kept.
func (o *Org) CollectedSince(ctx context.Context, since time.Time, yield func(registry.ID)) error {
	var ids []registry.ID
	err := o.view(ctx, "who collected", func(t *tx) error {
		var now journalState
		if err := t.journalState(&now); err != nil {
			return err
		}
		now.since = since.Unix()
		o.collected.Lock()
		defer o.collected.Unlock()
		if o.collected.ids == nil || o.collected.state != now {
			found, err := t.collectedSince(since)
			if err != nil {
				return err
			}
			o.collected.ids, o.collected.state = found, now
		}
		ids = o.collected.ids
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range ids {
		yield(id)
	}
	return nil
}

// collectedKept is what CollectedSince found last.
type collectedKept struct {
	sync.Mutex
	state journalState
	ids   []registry.ID // nil: nothing is kept; not written to
}

// A journalState tells one state of journals and of what they are merged with from another:
// records are only added, a device is withdrawn once, and its frozen stretch only grows.
type journalState struct {
	since                   int64 // seconds since 1970
	records, units          int64
	devices, closed, frozen int64
}

func (t *tx) journalState(s *journalState) error {
	for _, one := range []struct {
		query string
		into  []any
	}{
		{`SELECT COUNT(*) FROM visit WHERE org_id = $1`, []any{&s.records}},
		{`SELECT COUNT(*) FROM programme_unit WHERE org_id = $1`, []any{&s.units}},
		{`SELECT COUNT(*), COUNT(withdrawn_at), CAST(COALESCE(SUM(frozen_from + thawed_to), 0) AS BIGINT) FROM device WHERE org_id = $1`, []any{&s.devices, &s.closed, &s.frozen}},
	} {
		if _, err := t.find(one.query, []any{t.o.id}, one.into...); err != nil {
			return err
		}
	}
	return nil
}

// collectedSince finds each unit once.
func (t *tx) collectedSince(since time.Time) ([]registry.ID, error) {
	merged, err := t.mergeVisits()
	if err != nil {
		return nil, err
	}
	found, there := []registry.ID{}, map[registry.ID]bool{}
	for i := range merged.Accounts {
		a := &merged.Accounts[i]
		late := func(k int) bool { return merged.Entries[k].Est >= credential.Time(since.Unix()) }
		if a.Ledger.Issuer != t.o.id || !slices.ContainsFunc(a.Counted, late) && !slices.ContainsFunc(a.Conflicts, late) {
			continue
		}
		unit, ok, err := t.unitOf(a.Ledger)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		id, err := registry.ParseID(unit)
		if err != nil {
			return nil, err
		}
		if !there[id] {
			there[id] = true
			found = append(found, id)
		}
	}
	return found, nil
}

// mostPlaces are the rounds of one card that are looked at one by one: a card for all rounds,
// whatever their number, says nothing of which there were, and the entitlements do.
const mostPlaces = 64

// LastCollected is when something was last given to the holder of a unit's card: of what the
// journals say on the places that the unit has a card or an entitlement for, whichever of
// several records counts; false without any. It reads those places alone, and never says a
// day that is yet to come. With it a View is quality.Collections.
func (r records) LastCollected(unit registry.ID) (last time.Time, ok bool, err error) {
	t := r.t
	const places = `SELECT p.programme, p.pseudonym, e.round, e.round FROM entitlement e
			JOIN programme_unit p ON p.org_id = e.org_id AND p.programme = e.programme AND p.unit_id = e.unit_id WHERE e.org_id = $1 AND e.unit_id = $2
		UNION SELECT p.programme, p.pseudonym, c.round, c.last_round FROM credential c
			JOIN programme_unit p ON p.org_id = c.org_id AND p.programme = c.programme AND p.unit_id = c.unit_id WHERE c.org_id = $1 AND c.unit_id = $2`
	rows, err := t.query(places, t.o.id, unit.String())
	if err != nil {
		return last, false, err
	}
	defer rows.Close()
	marks, asked := map[string]bool{}, map[verifier.LedgerKey]bool{}
	for rows.Next() {
		k := verifier.LedgerKey{Issuer: t.o.id}
		var from, to int64
		if err := rows.Scan(&k.Programme, &k.Pseudonym, &from, &to); err != nil {
			return last, false, err
		}
		if to-from > mostPlaces {
			to = from
		}
		for n := from; n <= to; n++ {
			k.Round = uint64(n)
			marks[string(t.o.ledgerMark(k))], asked[k] = true, true
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil || len(marks) == 0 {
		return last, false, err
	}
	piece := &visit.Piece{}
	if err := t.beside(piece, marks); err != nil || len(piece.Records) == 0 {
		return last, false, err
	}
	for _, kid := range kids(piece) { // a counter-entry that came before what it cancels has no mark
		if err := t.storedVisits(piece, `AND kid = $2 AND ledger IS NULL`, kid); err != nil {
			return last, false, err
		}
	}
	facts, err := t.visitFacts()
	if err != nil {
		return last, false, err
	}
	m := visit.Merge(facts.Facts, piece)
	for i := range m.Accounts {
		a := &m.Accounts[i]
		if !asked[a.Ledger] && !slices.ContainsFunc(a.Also, func(k verifier.LedgerKey) bool { return asked[k] }) {
			continue
		}
		for _, k := range slices.Concat(a.Counted, a.Conflicts) {
			at := m.Entries[k].Est.Std()
			if at.After(t.now) {
				at = t.now
			}
			if !ok || at.After(last) {
				last, ok = at, true
			}
		}
	}
	return last, ok, facts.err
}

var _ quality.Collections = records{}
