package registry

import (
	"errors"
	"time"
)

// mostDoubles is how many candidates of one person are stored. More than these are
// a list that was entered twice, or a placeholder for a document.
const mostDoubles = 20

// refresh sets the keys of a person from her record, and looks for doubles.
func refresh(tx Tx, now time.Time, id ID) (doubles []Double, err error) {
	rec, p, err := readPerson(tx, id)
	if err != nil {
		return nil, err
	}
	keys := append(Keys(p), OpenKeys(rec)...)
	if _, err := tx.Save(Change{ID: rec.ID, Keys: keys}); err != nil {
		return nil, err
	}
	if !p.Status.Living() {
		return nil, nil
	}
	return findDoubles(tx, now, id, keys)
}

// MayBe are the records that may be the same person as one who is not on record, the
// stronger reasons first: A of each is zero. Nothing is written.
func MayBe(v View, p Person) ([]Double, error) { return mayBe(v, ID{}, Keys(p)) }

// mayBe looks for who has the same document, or the same name and year of birth.
func mayBe(v View, id ID, keys []Key) (doubles []Double, err error) {
	seen := map[ID]bool{id: true}
	for _, k := range keys { // documents come first: the stronger reason is the one that is kept
		if k.Kind != KeyDocument && k.Kind != KeyNameYear {
			continue
		}
		found, err := v.Lookup(k)
		if err != nil {
			return nil, err
		}
		for _, other := range found {
			other, err := survivor(v, other)
			if err != nil {
				return nil, err
			}
			if other.IsZero() || seen[other] || len(doubles) == mostDoubles {
				continue
			}
			seen[other] = true
			doubles = append(doubles, Double{A: id, B: other, Why: k.Kind})
		}
	}
	return doubles, nil
}

// findDoubles stores the pairs that a person may form.
func findDoubles(tx Tx, now time.Time, id ID, keys []Key) ([]Double, error) {
	doubles, err := mayBe(tx, id, keys)
	for i := range doubles {
		doubles[i].FoundAt = now
		if err := tx.SaveDouble(doubles[i]); err != nil {
			return nil, err
		}
	}
	return doubles, err
}

// survivor follows records that were decided to be the same to the one in use; zero
// when the record is no person in use.
func survivor(v View, id ID) (ID, error) {
	for range 8 { // decisions can form a chain, and a mistake a ring
		rec, err := v.Record(id)
		if errors.Is(err, ErrErased) || errors.Is(err, ErrNotFound) || err == nil && rec.Kind != KindPerson {
			return ID{}, nil
		}
		if err != nil {
			return ID{}, err
		}
		p, err := rec.Person()
		if err != nil {
			return ID{}, err
		}
		if p.Status == nil || p.Status.Reason != ReasonDuplicate || p.Status.Living() {
			return id, nil
		}
		if id, err = ParseID(p.Status.Into); err != nil {
			return ID{}, nil
		}
	}
	return ID{}, nil
}

// Reasons why a record is closed.
const (
	ReasonDeceased  = "deceased"
	ReasonDuplicate = "duplicate"
	ReasonSplit     = "split"
	ReasonMerged    = "merged"
	ReasonEmptied   = "emptied" // its last member went to another household
)

// closeDouble closes a record that is somebody's second one.
func (r *Registry) closeDouble(tx Tx, rec Record, p Person, into ID, after *After) error {
	p.Status = &Status{State: StateClosed, Reason: ReasonDuplicate, Date: r.today(), Into: into.String()}
	if err := savePerson(tx, rec, p); err != nil {
		return err
	}
	if err := follow(tx, rec.ID, into, after); err != nil {
		return err
	}
	after.Revoke = []ID{rec.ID}
	if !rec.Household.IsZero() {
		house, h, err := readHousehold(tx, rec.Household)
		if err != nil && !errors.Is(err, ErrErased) {
			return err
		}
		if err == nil && h.Status.Living() {
			left, err := readMembers(tx, rec.Household)
			if err != nil {
				return err
			}
			p.Status = nil
			switch {
			case len(left) == 0 && h.Size <= 1: // a household of nobody would collect a second time
				h.Status = &Status{State: StateClosed, Reason: ReasonDuplicate, Date: r.today()}
				after.Revoke = append(after.Revoke, house.ID)
				to, err := homeOf(tx, into)
				if err == nil {
					err = follow(tx, house.ID, to, after)
				}
				if err != nil {
					return err
				}
			case h.Size > 1 && h.Size == counted(left)+counted([]Member{{rec.ID, p}}): // else she may not have been counted
				h.Size = counted(left)
				after.Stale = append(after.Stale, house.ID)
			}
			if err := saveHousehold(tx, house, h); err != nil {
				return err
			}
		}
	}
	return after.stop(tx)
}

// openDouble takes closeDouble back; cards that were stopped stay so.
func (r *Registry) openDouble(tx Tx, rec Record, p Person, after *After) error {
	into, err := ParseID(p.Status.Into)
	if err != nil {
		return err
	}
	to, err := heirs(tx, into)
	if err == nil {
		err = unfollow(tx, rec.ID, to, after)
	}
	if err != nil {
		return err
	}
	p.Status = nil
	if !rec.Household.IsZero() {
		house, h, err := readHousehold(tx, rec.Household)
		if err != nil && !errors.Is(err, ErrErased) {
			return err
		}
		if err == nil {
			others, err := readMembers(tx, rec.Household) // she is closed yet
			if err != nil {
				return err
			}
			switch {
			case !h.Status.Living() && h.Status.Reason == ReasonDuplicate:
				h.Status = nil
				homes, err := homesOf(tx, to)
				if err == nil {
					err = unfollow(tx, house.ID, homes, after)
				}
				if err != nil {
					return err
				}
			case h.Status.Living() && h.Size > 0 && h.Size == counted(others):
				h.Size += counted([]Member{{rec.ID, p}})
			}
			if err := saveHousehold(tx, house, h); err != nil {
				return err
			}
		}
	}
	return savePerson(tx, rec, p)
}
