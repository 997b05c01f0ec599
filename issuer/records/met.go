package records

import (
	"context"
	"errors"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// Meet keeps that the people of a record were met on a day, in a way of [registry.Hows], and
// makes them active again where nobody had seen them. Where that was is said nowhere.
//
// Errors: registry.ErrNotFound also for a record of another kind; a *registry.Refusal.
func (d *Desk) Meet(ctx context.Context, by access.Actor, id registry.ID, kind registry.Kind, how registry.How, on time.Time) error {
	if err := d.Check(ctx, id, kind); err != nil {
		return err
	}
	by.Device = ""
	_, err := d.registry(by).Meet(ctx, id, registry.Met{At: on, How: how, By: by.ID})
	return err
}

// LastMet is when and how somebody of a record was met last, of a person also with her
// household; false where that is not known.
func (d *Desk) LastMet(ctx context.Context, id registry.ID) (last registry.Met, ok bool, err error) {
	err = d.Store.View(ctx, func(v registry.View) error {
		rec, err := v.Record(id)
		if err != nil {
			return err
		}
		all := []registry.Record{rec}
		if !rec.Household.IsZero() {
			home, err := v.Record(rec.Household)
			if err == nil {
				all = append(all, home)
			} else if !errors.Is(err, registry.ErrErased) {
				return err
			}
		}
		last, ok, err = registry.LastMet(all...)
		return err
	})
	return last, ok, err
}
