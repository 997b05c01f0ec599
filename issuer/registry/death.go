package registry

import (
	"context"
	"errors"
	"time"

	"aidpass/access"
)

// Died closes the record of somebody who died on a day (EDTF; empty: not known). She
// stops being a collector wherever she was one, and her household counts one less;
// when she was the last of it, it is closed.
//
// Her own cards are revoked, and her household's where she may have held its card.
// Calling it again changes nothing.
//
// DOMAIN.md R26.
func (r *Registry) Died(ctx context.Context, person ID, on string) (after After, err error) {
	if on != "" {
		if _, issues := ParseBirth(on, BirthOptions{Exact: true, Today: r.Now()}); Blocked(issues) {
			return after, refuse("registry: person %s: the day %q is none, or lies ahead", person, on)
		}
	}
	served, err := r.served(ctx, person)
	if err != nil {
		return after, err
	}
	err = r.Store.Update(ctx, r.Actor, func(tx Tx) error {
		rec, p, err := readPerson(tx, person)
		if err != nil {
			return err
		}
		if p.Status != nil && p.Status.Reason == ReasonDeceased {
			return nil
		}
		p.Status = &Status{State: StateClosed, Reason: ReasonDeceased, Date: on}
		if err := savePerson(tx, rec, p); err != nil {
			return err
		}
		after.Revoke = []ID{person}
		for _, id := range served {
			if id == rec.Household {
				continue
			}
			if err := r.endCollector(tx, id, person.String()); err != nil {
				return err
			}
		}
		if !rec.Household.IsZero() {
			if err := r.bereave(tx, rec.Household, Member{person, p}, &after); err != nil {
				return err
			}
		}
		if err := after.stop(tx); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "person.died", Object: person.String()})
	})
	if err != nil {
		return After{}, err
	}
	return after, nil
}

// bereave takes the dead out of her household.
func (r *Registry) bereave(tx Tx, household ID, dead Member, after *After) error {
	rec, h, err := readHousehold(tx, household)
	if err != nil || !h.Status.Living() {
		return err
	}
	members, err := readMembers(tx, household) // the dead is none of them any more
	if err != nil {
		return err
	}
	// Where members are only counted, some may live who are not on record.
	last := len(members) == 0 && h.Size <= 1
	if heldBy(h, []Member{dead}) || last {
		after.Revoke = append(after.Revoke, household)
	} else {
		after.Stale = append(after.Stale, household)
	}
	dead.Status = nil // she was counted
	without(&h, []Member{dead})
	if last {
		h.Status = &Status{State: StateClosed, Reason: ReasonDeceased, Date: r.today()}
	}
	after.Ask = adults(members, r)
	after.Decide = decisions(h, members, r)
	return saveHousehold(tx, rec, h)
}

// eachHousehold calls fn for the living households, page by page.
func (r *Registry) eachHousehold(ctx context.Context, fn func(ID, Household)) error {
	var after ID
	for {
		var page []ID
		err := r.Store.View(ctx, func(v View) (err error) {
			if page, err = v.Units(KindHousehold, after, 500); err != nil {
				return err
			}
			for _, id := range page {
				_, h, err := readHousehold(v, id)
				if errors.Is(err, ErrErased) {
					continue
				}
				if err != nil {
					return err
				}
				if h.Status.Living() {
					fn(id, h)
				}
			}
			return nil
		})
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1]
	}
}

// served lists the households a person collects for.
func (r *Registry) served(ctx context.Context, person ID) (ids []ID, err error) {
	err = r.eachHousehold(ctx, func(id ID, h Household) {
		if collects(h, person.String()) {
			ids = append(ids, id)
		}
	})
	return ids, err
}

func (r *Registry) endCollector(tx Tx, household ID, person string) error {
	rec, h, err := readHousehold(tx, household)
	if err != nil {
		return err
	}
	for i, c := range h.Collectors {
		if c.Person == person && c.Revoked == "" {
			h.Collectors[i].Revoked = r.Now().UTC().Format(time.DateOnly)
		}
	}
	return saveHousehold(tx, rec, h)
}
