package rights

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// An Erasure is whose records are destroyed, and why. Two accounts mean the same one.
type Erasure struct {
	Units  []registry.ID `json:"units"`
	Reason string        `json:"reason"` // a code, no names
}

// maxErasure bounds the records of one erasure.
const maxErasure = 1000

// Erased says what came of an erasure.
type Erased struct {
	Units   []registry.ID // that are gone, with households of nobody
	Renewed []registry.ID // households whose record said who they were, made anew: their cards are to be made again
	Recalls []Recall      // who got something about them, to be told
}

// Payload is what both accounts of an erasure mean.
func (e *Erasure) Payload() ([]byte, error) { return json.Marshal(e) }

func (e *Erasure) check() error {
	if len(e.Units) == 0 || len(e.Units) > maxErasure {
		return deny(DeniedMany, "an erasure is of 1 to %d records", maxErasure)
	}
	if !plain(e.Reason) {
		return deny(DeniedReason, "reason: a code of 1 to %d bytes, never a name", maxWords)
	}
	return nil
}

// Reach tells what an erasure also reaches: households whose record, as it is or ever was,
// says who the people are. Their active cards are to be revoked before, as those of the
// people themselves: the card of the household may bear the name.
func Reach(v registry.View, units []registry.ID) (households []registry.ID, err error) {
	for _, id := range units {
		rec, err := v.Record(id)
		if errors.Is(err, registry.ErrErased) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if rec.Kind != registry.KindPerson {
			continue
		}
		named, err := registry.NamedIn(v, id)
		if err != nil {
			return nil, err
		}
		for _, h := range named {
			if !slices.Contains(households, h) && !slices.Contains(units, h) {
				households = append(households, h)
			}
		}
	}
	return households, nil
}

// Erase destroys records for good, by two: who acts, and by.SecondPerson who approved it.
// Households that say who they were are made anew without them, and who got something about
// them under an agreement is to be told. All of it is one transaction, or none. What was
// erased before is no error.
//
// Errors: *Refusal, registry.ErrSecondPerson, the store's (active cards; traces that another
// program keeps in a file).
func (d *Desk) Erase(ctx context.Context, by access.Actor, e Erasure) (done Erased, err error) {
	return d.erase(ctx, by, e, false, nil)
}

// errOpened: a record whose term was over was opened again meanwhile, and nothing was done.
var errOpened = errors.New("rights: a record was opened again")

// erase is Erase; with stop, the cards of what goes are stopped in the same transaction, and
// an error of still, unless that is nil, ends it with nothing done. For the reason TermOver
// it looks again there: errOpened where a term is not over any more.
func (d *Desk) erase(ctx context.Context, by access.Actor, e Erasure, stop bool, still func(View) error) (done Erased, err error) {
	if err := e.check(); err != nil {
		return done, err
	}
	if by.SecondPerson == "" {
		return done, fmt.Errorf("rights: to erase: %w", registry.ErrSecondPerson)
	}
	var renewals []*registry.Renewal
	var homes []registry.ID
	err = d.Store.ReadRights(ctx, func(v View) error {
		homes, err = Reach(v, e.Units)
		return err
	})
	if err != nil {
		return done, err
	}
	ids := slices.Concat(e.Units, homes)
	before := func(tx Tx) error {
		again, err := Reach(tx, e.Units)
		if err != nil {
			return err
		}
		if !slices.Equal(again, homes) {
			return fmt.Errorf("rights: to erase: %w", registry.ErrConflict)
		}
		if e.Reason == TermOver {
			if err := d.stillOver(tx, e.Units); err != nil {
				return err
			}
		}
		if still != nil {
			if err := still(tx); err != nil {
				return err
			}
		}
		if stop {
			if _, err := tx.StopCards(ids, e.Reason); err != nil {
				return err
			}
		}
		for _, id := range e.Units {
			if _, err := tx.Record(id); errors.Is(err, registry.ErrErased) {
				continue
			}
			recalls, _, err := d.recall(tx, id, "", "", Gone)
			if err != nil {
				return err
			}
			done.Recalls = append(done.Recalls, recalls...)
			if err := d.outlive(tx, by, id); err != nil {
				return err
			}
		}
		for _, h := range homes {
			r, err := registry.Renew(tx, h, e.Units)
			if err != nil {
				return err
			}
			if r != nil {
				renewals = append(renewals, r)
			}
		}
		return nil
	}
	after := func(tx Tx) error {
		for _, r := range renewals {
			id, err := r.Save(tx)
			if err != nil {
				return err
			}
			done.Renewed = append(done.Renewed, id)
			if err := tx.Note(access.Entry{Action: "household.renew", Object: id.String(), Reason: e.Reason}); err != nil {
				return err
			}
		}
		return nil
	}
	err = d.Store.EraseAll(ctx, by, ids, e.Reason, before, after)
	done.Units = ids
	return done, err
}

// stillOver is errOpened where a record is in use again. One that is erased is no matter.
func (d *Desk) stillOver(tx Tx, units []registry.ID) error {
	terms, err := TermsIn(tx)
	if err != nil {
		return err
	}
	for _, id := range units {
		if _, err := tx.Record(id); errors.Is(err, registry.ErrErased) {
			continue
		}
		if over, err := isOver(tx, terms, Records, id, d.now()); err != nil {
			return err
		} else if !over {
			return errOpened
		}
	}
	return nil
}
