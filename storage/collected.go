package storage

import (
	"context"

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
