package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
)

// DecideDue asks of people, in After.Decide, to look at what a record was due that did not go
// with it: it was closed, and there is no household that this could go on with, or there it
// was cancelled; or it was opened again, and what had gone on did not come back.
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

// unfollow takes follow back. heirs are who the record was closed into, whom that one was
// closed into since, and so on: what was carried is taken from whoever has it now. What was
// put on a card meanwhile, or collected, stays where it is, so that nobody is due it twice.
// People are told of what the record is not due again.
func unfollow(tx Tx, from ID, heirs []ID, after *After) error {
	programmes, err := tx.Programmes()
	if err != nil {
		return err
	}
	for _, p := range programmes {
		for _, r := range p.Rounds {
			was, err := dueIn(tx, from, p.Code, r.N)
			if err != nil {
				return err
			}
			came, err := takeBack(tx, from, heirs, p.Code, r.N)
			if err != nil {
				return err
			}
			switch {
			case was.Status != Cancelled:
				continue
			case !came:
				after.decide(DecideDue)
				continue
			}
			was.Unit, was.Status = from, Planned
			if _, err := tx.SaveEntitlement(was); err != nil {
				return err
			}
		}
	}
	return nil
}

// takeBack cancels what follow carried of one round, wherever on its way it stands. False:
// nothing was, or somebody used it.
func takeBack(tx Tx, from ID, heirs []ID, programme string, round uint64) (came bool, err error) {
	var carried []Entitlement
	for _, to := range heirs {
		has, err := dueIn(tx, to, programme, round)
		if err != nil {
			return false, err
		}
		if has.ID != followID(from, to, programme, round) {
			break
		}
		switch has.Status {
		case Planned, OnHold:
			has.Unit, has.Status = to, Cancelled
			carried = append(carried, has)
		case Cancelled: // carried on, or by a person
		default:
			return false, nil
		}
		from = to
	}
	for _, e := range carried {
		if _, err := tx.SaveEntitlement(e); err != nil {
			return false, err
		}
	}
	return len(carried) > 0, nil
}

// heirs are the records that one was closed into as a double, one after the other.
func heirs(tx Tx, into ID) (list []ID, err error) {
	for range 8 { // as survivor
		list = append(list, into)
		_, p, err := readPerson(tx, into)
		if errors.Is(err, ErrErased) || errors.Is(err, ErrNotFound) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		if p.Status == nil || p.Status.Reason != ReasonDuplicate || p.Status.Living() {
			return list, nil
		}
		if into, err = ParseID(p.Status.Into); err != nil {
			return list, nil
		}
	}
	return list, nil
}

// homesOf are the households of people, one after the other, closed ones too.
func homesOf(tx Tx, people []ID) (list []ID, err error) {
	for _, id := range people {
		rec, err := tx.Record(id)
		if ignoreErased(err) != nil {
			return nil, err
		}
		if err == nil && !rec.Household.IsZero() && !slices.Contains(list, rec.Household) {
			list = append(list, rec.Household)
		}
	}
	return list, nil
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
