package issuer

import (
	"context"
	"errors"

	"aidpass/issuer/registry"
)

// StillDue is a gate whose decisions were made when a run began, for the moment when
// a card is signed: who was closed or erased since, or whose entitlement was held
// back, gets none. A large run takes minutes, and other desks work meanwhile: a card
// for a household that was just parted would be one that nobody stops.
func StillDue(store registry.Store, programme string, round uint64, gate Gate) Gate {
	return func(ctx context.Context, unit UnitID) (Decision, error) {
		d, err := gate(ctx, unit)
		if err != nil || d.Final {
			return d, err
		}
		err = store.View(ctx, func(v registry.View) error {
			why, err := ended(v, unit, programme, round)
			if why != "" {
				d = Decision{Ruling: GateRefuse, Final: true, Reasons: []string{"since the run began: " + why}}
			}
			return err
		})
		return d, err
	}
}

// ended says why nothing is to be signed for a unit any more, "" when all is well.
func ended(v registry.View, unit UnitID, programme string, round uint64) (string, error) {
	rec, err := v.Record(unit)
	if errors.Is(err, registry.ErrErased) || errors.Is(err, registry.ErrNotFound) {
		return "there is no such record any more", nil
	}
	if err != nil {
		return "", err
	}
	var status *registry.Status
	if rec.Kind == registry.KindPerson {
		p, err := rec.Person()
		if err != nil {
			return "", err
		}
		status = p.Status
	} else {
		h, err := rec.HouseholdRecord()
		if err != nil {
			return "", err
		}
		status = h.Status
	}
	if !registry.InUse(status) {
		return "the record is " + status.State, nil
	}
	if round == 0 {
		return "", nil
	}
	e, err := v.Entitlement(unit, programme, round)
	if errors.Is(err, registry.ErrNotFound) {
		return "", nil
	}
	_, why := heldBack(e.Status)
	return why, err
}
