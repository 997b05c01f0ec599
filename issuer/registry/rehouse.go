package registry

import (
	"context"
	"errors"
	"slices"

	"aidpass/access"
)

// Rehouse moves one person into another household, or into none for the zero ID, and says
// what that comes to. relation is hers to the head there; empty: not known.
//
// The household she leaves is not told where she went: what its record says of her, as its
// head, focal point or collector, is taken out of it. Its cards are revoked where she may
// hold them (she collects for it, or nobody is known to), so that nobody collects for
// people who are gone; else the card is merely stale, and so is that of the household she
// comes to, which counts one more.
//
// DOMAIN.md R26.
func (r *Registry) Rehouse(ctx context.Context, person, household ID, relation string) (after After, err error) {
	if relation != "" && !slices.Contains(Relations(), relation) {
		return after, refuse(RefusedRelation, "registry: no relation is called %q", relation)
	}
	err = r.Store.Update(ctx, r.Actor, func(tx Tx) error {
		rec, p, err := readPerson(tx, person)
		if err != nil {
			return err
		}
		if household == rec.Household && p.Status.Living() {
			return refuse(RefusedLivesThere, "registry: person %s: she lives there already", rec.Called())
		}
		fields := map[string][]byte{"relation": nil} // it spoke of somebody else
		if relation != "" && !household.IsZero() {
			if fields["relation"], err = AppendValue(nil, relation); err != nil {
				return err
			}
		}
		held, planned := false, false
		if !rec.Household.IsZero() {
			_, h, err := readHousehold(tx, rec.Household)
			if err != nil && !errors.Is(err, ErrErased) {
				return err
			}
			held = err == nil && heldBy(h, []Member{{person, p}})
		}
		for _, id := range []ID{rec.Household, household} {
			if !id.IsZero() {
				if err := eachDue(tx, []ID{id}, func([]Entitlement) error { planned = true; return nil }); err != nil {
					return err
				}
			}
		}
		if err := r.move(tx, rec, p, household, fields); err != nil {
			return err
		}
		if err := r.forget(tx, rec, p, held, &after); err != nil {
			return err
		}
		if !household.IsZero() {
			after.Stale = append(after.Stale, household)
			if relation == Head {
				rec.Household = household
				if err := r.lead(tx, rec, fields); err != nil {
					return err
				}
			}
		}
		after.Ask = adults([]Member{{person, p}}, r)
		after.followed(false, planned)
		if err := after.stop(tx); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "household.move", Object: person.String()})
	})
	if err != nil {
		return After{}, err
	}
	return after, nil
}

// forget takes somebody out of what the household she has left says of her.
func (r *Registry) forget(tx Tx, rec Record, p Person, held bool, after *After) error {
	if rec.Household.IsZero() {
		return nil
	}
	home, h, err := readHousehold(tx, rec.Household)
	if errors.Is(err, ErrErased) {
		return nil
	}
	if err != nil {
		return err
	}
	if !h.Status.Living() { // she was the last: its cards are stopped
		after.Revoke = []ID{home.ID}
		return nil
	}
	size := h.Size
	without(&h, []Member{{rec.ID, p}})
	h.Size = size // Move has counted
	if err := saveHousehold(tx, home, h); err != nil {
		return err
	}
	if held {
		after.Revoke = []ID{home.ID}
	} else {
		after.Stale = []ID{home.ID}
	}
	staying, err := readMembers(tx, home.ID)
	if err != nil {
		return err
	}
	after.Decide = append(after.Decide, decisions(h, staying, r)...)
	return nil
}
