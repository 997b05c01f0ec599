package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"aidpass/access"
)

// carry says of a household that follows others what they were due, so that nobody
// collects a round twice under two numbers. What a card was issued for may have been
// collected with it, and no register knows yet: the one who follows gets it on hold,
// until two people looked (Release). What was only planned ends with its household;
// keep gives it to the one who follows, when those are the same people.
func carry(tx Tx, from []ID, to ID, keep bool) (held, planned bool, err error) {
	err = eachDue(tx, from, func(round []Entitlement) error {
		follows := Entitlement{Status: Planned}
		for _, e := range round {
			if e.Status != Planned {
				held = true
				follows, follows.Status = e, OnHold
				continue
			}
			planned = true
			if keep && follows.Status == Planned {
				follows = e
			}
			e.Status = Cancelled
			if _, err := tx.SaveEntitlement(e); err != nil {
				return err
			}
		}
		if follows.Programme == "" {
			return nil
		}
		follows.ID, follows.Unit = "", to
		_, err := tx.SaveEntitlement(follows)
		return err
	})
	return held, planned, err
}

// eachDue calls fn with what households have in a round, for each round where one
// of them has something that was not cancelled.
func eachDue(tx Tx, households []ID, fn func([]Entitlement) error) error {
	programmes, err := tx.Programmes()
	if err != nil {
		return err
	}
	for _, p := range programmes {
		for _, r := range p.Rounds {
			var round []Entitlement
			for _, id := range households {
				e, err := tx.Entitlement(id, p.Code, r.N)
				if errors.Is(err, ErrNotFound) || err == nil && e.Status == Cancelled {
					continue
				}
				if err != nil {
					return err
				}
				e.Unit = id
				round = append(round, e)
			}
			if len(round) == 0 {
				continue
			}
			if err := fn(round); err != nil {
				return err
			}
		}
	}
	return nil
}

// followed adds to what people must decide what carry found.
func (after *After) followed(held, planned bool) {
	if held {
		after.Decide = append(after.Decide, DecideRound)
	}
	if planned {
		after.Decide = append(after.Decide, DecidePlan)
	}
}

// Release makes an entitlement that is on hold a planned one: two people have seen
// that it was not collected, from the ticks on the old card or the site's journal.
func (r *Registry) Release(ctx context.Context, unit ID, programme string, round uint64) error {
	return r.Store.Update(ctx, r.Actor, func(tx Tx) error {
		e, err := tx.Entitlement(unit, programme, round)
		if err != nil {
			return fmt.Errorf("registry: %s in round %d of programme %s: %w", unit, round, programme, err)
		}
		if e.Status != OnHold {
			return refuse(RefusedNotOnHold, "registry: %s in round %d of programme %s is %s and not on hold", unit, round, programme, e.Status)
		}
		if r.Actor.SecondPerson == "" {
			return fmt.Errorf("registry: to release what may have been collected: %w", ErrSecondPerson)
		}
		e.Unit, e.Status = unit, Planned
		if _, err := tx.SaveEntitlement(e); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "entitlement.release", Object: unit.String(), Detail: fmt.Sprintf("programme=%s round=%d", programme, round)})
	})
}

// repeated reports whether an id stands twice in a list.
func repeated(ids []ID) bool {
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			return true
		}
	}
	return false
}
