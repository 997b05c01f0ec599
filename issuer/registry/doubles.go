package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aidpass/access"
)

// Decisions about a Double.
const (
	Same      = "same"
	Different = "different"
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

// Doubles lists the pairs that nobody has decided, or all of them.
func (r *Registry) Doubles(ctx context.Context, all bool) (list []Double, err error) {
	err = r.Store.View(ctx, func(v View) error {
		list, err = v.Doubles(all)
		return err
	})
	return list, err
}

// DecideDouble records what people decided about two records.
//
// Same closes the newer record a, points it to b and stops a's cards; her household
// counts one less, and is closed, with its cards, when nobody else is in it. Nothing
// is deleted, so the decision can be taken back. Different leaves both alone, and
// opens again what an earlier decision had closed. A record that was closed for
// another reason stays as it is.
//
// To stop cards, and to take a decision back, needs a second person (DOMAIN.md 4.3).
func (r *Registry) DecideDouble(ctx context.Context, a, b ID, decision string) (after After, err error) {
	if decision != Same && decision != Different {
		return after, refuse(RefusedDecision, "registry: decision %q: it is %q or %q", decision, Same, Different)
	}
	if a == b {
		return after, refuse(RefusedItself, "registry: %s beside itself is no double", a)
	}
	err = r.Store.Update(ctx, r.Actor, func(tx Tx) error {
		pairs, err := tx.Doubles(true)
		if err != nil {
			return err
		}
		pairs = slices.DeleteFunc(pairs, func(d Double) bool { return !(d.A == a && d.B == b || d.A == b && d.B == a) })
		if len(pairs) == 0 {
			return fmt.Errorf("registry: %s and %s as doubles: %w", a, b, ErrNotFound)
		}
		a, b := pairs[0].A, pairs[0].B
		for _, d := range pairs {
			d.Decided, d.By = decision, r.Actor.ID
			if err := tx.SaveDouble(d); err != nil {
				return err
			}
		}
		rec, p, err := readPerson(tx, a)
		if err != nil {
			return err
		}
		two := false
		switch closed := p.Status != nil && p.Status.Reason == ReasonDuplicate && p.Status.Into == b.String(); {
		case decision == Same && p.Status.Living():
			if _, other, err := readPerson(tx, b); err != nil {
				return err
			} else if !other.Status.Living() {
				return fmt.Errorf("registry: person %s: %w: decide about the record that is in use", b, ErrClosed)
			}
			if err := r.closeDouble(tx, rec, p, b, &after); err != nil {
				return err
			}
			two = after.Stopped > 0
		case decision == Different && closed:
			if err := r.openDouble(tx, rec, p); err != nil {
				return err
			}
			two = true
		default:
			return nil
		}
		if two && r.Actor.SecondPerson == "" {
			return fmt.Errorf("registry: %s and %s: a decision that stops cards, or takes another one back: %w", a, b, ErrSecondPerson)
		}
		return tx.Note(access.Entry{Action: "person.double", Object: a.String(), Reason: decision, Detail: b.String()})
	})
	if err != nil {
		return After{}, err
	}
	return after, nil
}

// closeDouble closes a record that is somebody's second one.
func (r *Registry) closeDouble(tx Tx, rec Record, p Person, into ID, after *After) error {
	p.Status = &Status{State: StateClosed, Reason: ReasonDuplicate, Date: r.today(), Into: into.String()}
	if err := savePerson(tx, rec, p); err != nil {
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
func (r *Registry) openDouble(tx Tx, rec Record, p Person) error {
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
