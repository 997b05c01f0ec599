package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
)

// DecideDue asks of people, in After.Decide, what a closed record was due and nobody is due
// instead: there is no household that it could go on with, or there it was cancelled.
const DecideDue = "due_of_closed"

// follow gives the record that stays in use what a closed one was due in rounds in which it
// has nothing itself: one person is due once a round, and loses nothing by having been
// entered twice. What was planned is planned on; what a card was issued for may have been
// collected with it, and goes on on hold, until two people looked (Release). Where to is
// zero, people are told.
func follow(tx Tx, from, to ID, after *After) error {
	return eachDue(tx, []ID{from}, func(round []Entitlement) error {
		e := round[0]
		if e.Status == Collected || e.Status == Returned || e.Status == Lapsed {
			return nil
		}
		id := followID(from, to, e.Programme, e.Round)
		if has, err := dueIn(tx, to, e.Programme, e.Round); err != nil {
			return err
		} else if to.IsZero() || has.Status == Cancelled && has.ID != id { // somebody cancelled hers
			after.decide(DecideDue)
			return nil
		} else if has.Status != "" && has.Status != Cancelled {
			return nil
		}
		next := e
		next.ID, next.Unit = id, to
		if e.Status == Planned {
			e.Status = Cancelled
			if _, err := tx.SaveEntitlement(e); err != nil {
				return err
			}
		} else {
			next.Status = OnHold
			after.decide(DecideRound)
		}
		after.Follow++
		_, err := tx.SaveEntitlement(next)
		return err
	})
}

// unfollow takes follow back. What was put on a card meanwhile, or collected, stays where it
// is, so that nobody is due it twice.
func unfollow(tx Tx, from, to ID) error {
	programmes, err := tx.Programmes()
	if err != nil || to.IsZero() {
		return err
	}
	for _, p := range programmes {
		for _, r := range p.Rounds {
			has, err := dueIn(tx, to, p.Code, r.N)
			if err != nil {
				return err
			}
			if has.ID != followID(from, to, p.Code, r.N) || has.Status != Planned && has.Status != OnHold {
				continue
			}
			was, err := dueIn(tx, from, p.Code, r.N)
			if err != nil {
				return err
			}
			if was.Status == Cancelled {
				was.Unit, was.Status = from, Planned
				if _, err := tx.SaveEntitlement(was); err != nil {
					return err
				}
			}
			has.Unit, has.Status = to, Cancelled
			if _, err := tx.SaveEntitlement(has); err != nil {
				return err
			}
		}
	}
	return nil
}

// dueIn is what a unit is due in a round; nothing, without an error, where that is so.
func dueIn(tx Tx, unit ID, programme string, round uint64) (Entitlement, error) {
	if unit.IsZero() {
		return Entitlement{}, nil
	}
	e, err := tx.Entitlement(unit, programme, round)
	if errors.Is(err, ErrNotFound) {
		return Entitlement{}, nil
	}
	return e, err
}

// homeOf is the household in use that a person lives in; zero: none.
func homeOf(tx Tx, person ID) (ID, error) {
	rec, err := tx.Record(person)
	if err != nil || rec.Household.IsZero() {
		return ID{}, ignoreErased(err)
	}
	_, h, err := readHousehold(tx, rec.Household)
	if err != nil || !h.Status.Living() {
		return ID{}, ignoreErased(err)
	}
	return rec.Household, nil
}

func ignoreErased(err error) error {
	if errors.Is(err, ErrErased) {
		return nil
	}
	return err
}

// followID is the identifier of what follow carries: by it unfollow knows what to take back.
func followID(from, to ID, programme string, round uint64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "due of a double %s %s %s %d", from, to, programme, round))
	return hex.EncodeToString(sum[:16])
}

// decide adds a code once.
func (after *After) decide(code string) {
	if !slices.Contains(after.Decide, code) {
		after.Decide = append(after.Decide, code)
	}
}
