package issuer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"aidpass/issuer/registry"
)

// Reconcile marks the planned entitlements of a round as issued whose units have a
// card for it, and returns how many. It is called after a run, and before the next
// one for what an interrupted run left: issuing and the plan are kept in step
// without a transaction over both.
func (d *Desk) Reconcile(ctx context.Context, store registry.Store, vct, programme string, round uint64) (n int, err error) {
	if round == 0 {
		return 0, nil
	}
	var planned []registry.Entitlement
	err = store.View(ctx, func(v registry.View) error {
		return v.Entitlements(programme, round, func(e registry.Entitlement) error {
			if e.Status == registry.Planned {
				planned = append(planned, e)
			}
			return nil
		})
	})
	if err != nil || len(planned) == 0 {
		return 0, err
	}
	cards, err := d.Store.Cards(ctx, Selection{Programme: programme, Round: round, Active: true})
	if err != nil {
		return 0, fmt.Errorf("issuer: reconcile: %w", err)
	}
	has := make(map[UnitID]bool, len(cards))
	for i := range cards {
		if c := &cards[i]; c.State == Issued && c.VCT == vct {
			has[c.Unit] = true
		}
	}
	planned = slices.DeleteFunc(planned, func(e registry.Entitlement) bool { return !has[e.Unit] })
	for page := range slices.Chunk(planned, candidatesPage) {
		err := store.Update(ctx, d.Actor, func(tx registry.Tx) error {
			for _, e := range page {
				now, err := tx.Entitlement(e.Unit, programme, round)
				if err != nil || now.Status != registry.Planned {
					if errors.Is(err, registry.ErrNotFound) || err == nil {
						continue // changed meanwhile
					}
					return err
				}
				now.Status = registry.Granted
				if _, err := tx.SaveEntitlement(now); err != nil {
					return err
				}
				n++
			}
			return nil
		})
		if err != nil {
			return n, fmt.Errorf("issuer: reconcile: %w", err)
		}
	}
	return n, nil
}
