package issuer

import (
	"context"
	"fmt"
	"slices"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// ActRefused is the log's word of a unit that a batch left without a card because the gate
// refused it: its object is the unit, its reason the codes. DQ-31 counts it.
const ActRefused = "gate.refuse"

// NoteRefused tells the log whom a batch left without a card because of the gate. Once is
// enough: a batch that goes on after a stop tells it again, and a place counts once.
func NoteRefused(ctx context.Context, store registry.Store, by access.Actor, typeName, programme string, round uint64, unfit []Unfit) error {
	unfit = slices.DeleteFunc(slices.Clone(unfit), func(u Unfit) bool { return u.Code != RefusedGate })
	if len(unfit) == 0 {
		return nil
	}
	detail := fmt.Sprintf("type=%s programme=%s round=%d", typeName, programme, round)
	return store.Update(ctx, by, func(tx registry.Tx) error {
		for i := range unfit {
			e := access.Entry{Action: "gate.refuse", Object: unfit[i].Unit.String(), Reason: Codes(unfit[i].Lacks), Detail: detail}
			if err := tx.Note(e); err != nil {
				return err
			}
		}
		return nil
	})
}
