package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aidpass/access"
)

// Died closes the record of somebody who died on a day (2026-11-18, 2026-11 or 2026;
// empty: not known). She stops being a collector wherever she was one, and her
// household counts one less; when she was the last of it, it is closed.
//
// Her own cards are revoked, and her household's where she may have held its card.
// Called again with another day it corrects the day (After.Corrected), and changes
// nothing else. Alive takes it back.
//
// DOMAIN.md R26.
func (r *Registry) Died(ctx context.Context, person ID, on string) (after After, err error) {
	served, err := r.CollectsFor(ctx, person)
	if err != nil {
		return after, err
	}
	err = r.Store.Update(ctx, r.Actor, func(tx Tx) error {
		rec, p, err := readPerson(tx, person)
		if err != nil {
			return err
		}
		if err := r.checkDeath(rec, p, on); err != nil {
			return err
		}
		if p.Status != nil && p.Status.Reason == ReasonDeceased {
			if on == "" || on == p.Status.Date {
				return nil
			}
			p.Status = &Status{State: StateClosed, Reason: ReasonDeceased, Date: on}
			after.Corrected = true
			if err := savePerson(tx, rec, p); err != nil {
				return err
			}
			return tx.Note(access.Entry{Action: "person.died", Object: person.String(), Detail: "corrected"})
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

// checkDeath refuses a day that is none, lies ahead, or comes before the birth. Days
// in the order of somebody's country are refused too: which of 3/4 is the month?
func (r *Registry) checkDeath(rec Record, p Person, on string) error {
	if on == "" {
		return nil
	}
	if !slices.ContainsFunc([]string{"2006", "2006-01", time.DateOnly}, func(layout string) bool {
		_, err := time.Parse(layout, on)
		return err == nil
	}) {
		return refuse(RefusedDeathDay, "registry: person %s: a day of death is written 2026-11-18, 2026-11 or 2026, and not %q", rec.Called(), on)
	}
	first, last, _ := Birth{EDTF: on}.span()
	if first.After(r.Now().UTC()) {
		return refuse(RefusedDeathAhead, "registry: person %s: the day of death %s lies ahead", rec.Called(), on)
	}
	if p.Birth == nil {
		return nil
	}
	born, _, known := p.Birth.span()
	if p.Birth.Estimated {
		born = born.AddDate(-5, 0, 0) // as estimates go
	}
	if known && last.Before(born) {
		return refuse(RefusedDeathBirth, "registry: person %s: the day of death %s is before the birth on record: one of the two is wrong", rec.Called(), on)
	}
	return nil
}

// Alive takes a death back that was recorded by mistake: the record is open again and
// the household counts one more. Cards that were stopped stay so, and she is nobody's
// collector until she is named again. It needs a second person and a reason (a code).
func (r *Registry) Alive(ctx context.Context, person ID, reason string) (after After, err error) {
	if reason == "" {
		return after, refuse(RefusedReason, "registry: a death is taken back for a reason: a code, never a name")
	}
	err = r.Store.Update(ctx, r.Actor, func(tx Tx) error {
		rec, p, err := readPerson(tx, person)
		if err != nil {
			return err
		}
		if p.Status == nil || p.Status.Reason != ReasonDeceased {
			return refuse(RefusedNotDead, "registry: person %s: no death is on record", rec.Called())
		}
		if r.Actor.SecondPerson == "" {
			return fmt.Errorf("registry: person %s: to take a death back: %w", rec.Called(), ErrSecondPerson)
		}
		p.Status = nil
		if !rec.Household.IsZero() {
			if err := r.reunite(tx, rec.Household, Member{person, p}, &after); err != nil {
				return err
			}
		}
		if err := savePerson(tx, rec, p); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "person.alive", Object: person.String(), Reason: reason})
	})
	if err != nil {
		return After{}, err
	}
	return after, nil
}

// reunite takes bereave back, before the record of who is back is saved.
func (r *Registry) reunite(tx Tx, household ID, back Member, after *After) error {
	rec, h, err := readHousehold(tx, household)
	if errors.Is(err, ErrErased) {
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case !h.Status.Living() && h.Status.Reason == ReasonDeceased:
		h.Status = nil
	case !h.Status.Living():
		after.Decide = append(after.Decide, DecideHousehold)
		return nil
	default:
		after.Stale = []ID{household}
	}
	others, err := readMembers(tx, household)
	if err != nil {
		return err
	}
	if h.Size > 0 || len(others) == 0 { // 0 of others: not known before either
		h.Size += counted([]Member{back})
	}
	after.Ask = adults([]Member{back}, r)
	after.Decide = append(after.Decide, decisions(h, append(others, back), r)...)
	return saveHousehold(tx, rec, h)
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

// CollectsFor lists the households a person collects for.
func (r *Registry) CollectsFor(ctx context.Context, person ID) (ids []ID, err error) {
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
