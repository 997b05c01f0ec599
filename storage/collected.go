package storage

import (
	"context"
	"slices"
	"time"

	"aidpass/credential"
	"aidpass/issuer/registry"
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
// at a time or after it, whichever of several records counts; some of them more than once.
func (o *Org) CollectedSince(ctx context.Context, since time.Time, yield func(registry.ID)) error {
	return o.view(ctx, "who collected", func(t *tx) error {
		merged, err := t.mergeVisits()
		if err != nil {
			return err
		}
		for i := range merged.Accounts {
			a := &merged.Accounts[i]
			late := func(k int) bool { return merged.Entries[k].Est >= credential.Time(since.Unix()) }
			if a.Ledger.Issuer != o.id || !slices.ContainsFunc(a.Counted, late) && !slices.ContainsFunc(a.Conflicts, late) {
				continue
			}
			unit, ok, err := t.unitOf(a.Ledger)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			id, err := registry.ParseID(unit)
			if err != nil {
				return err
			}
			yield(id)
		}
		return nil
	})
}
