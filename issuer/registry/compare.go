package registry

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// Record reads a record as it is.
func (r *Registry) Record(ctx context.Context, id ID) (rec Record, err error) {
	err = r.Store.View(ctx, func(v View) error {
		rec, err = v.Record(id)
		return err
	})
	return rec, err
}

// AsOf reads a record as it stood at a time.
func (r *Registry) AsOf(ctx context.Context, id ID, at time.Time) (rec Record, err error) {
	err = r.Store.View(ctx, func(v View) error {
		rec, err = v.AsOf(id, at)
		return err
	})
	return rec, err
}

// History lists what was changed of a record, oldest first.
func (r *Registry) History(ctx context.Context, id ID) (changes []FieldChange, err error) {
	err = r.Store.View(ctx, func(v View) error {
		changes, err = v.History(id)
		return err
	})
	return changes, err
}

// A Difference is one field of a record that two times see differently.
type Difference struct {
	Field    string // "household" for the household of a person
	From, To any    // as ReadValue gives them; nil: not there
	At       time.Time
	By       string // who made the last change up to the later time
	// FromGone and ToGone: a photograph stood there that was destroyed.
	FromGone, ToGone bool
}

// Compare tells field by field how a record differs between two times. A record that
// did not exist at the first is compared with an empty one.
func (r *Registry) Compare(ctx context.Context, id ID, from, to time.Time) (list []Difference, err error) {
	err = r.Store.View(ctx, func(v View) error {
		before, err := v.AsOf(id, from)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		after, err := v.AsOf(id, to)
		if err != nil {
			return err
		}
		names := maps.Clone(before.Fields)
		if names == nil {
			names = map[string]Value{}
		}
		maps.Copy(names, after.Fields)
		for _, field := range slices.Sorted(maps.Keys(names)) {
			a, b := before.Fields[field], after.Fields[field]
			if bytes.Equal(a.Data, b.Data) && a.Destroyed == b.Destroyed && (!a.Destroyed || a.Version == b.Version) {
				continue
			}
			d := Difference{Field: field, At: b.At, By: b.By, FromGone: a.Destroyed, ToGone: b.Destroyed}
			if d.From, err = valueOf(a); err != nil {
				return err
			}
			if d.To, err = valueOf(b); err != nil {
				return err
			}
			list = append(list, d)
		}
		if before.Household != after.Household {
			list = append(list, Difference{Field: "household", From: idOrNil(before.Household), To: idOrNil(after.Household)})
		}
		return nil
	})
	return list, err
}

func valueOf(v Value) (any, error) {
	if v.Data == nil {
		return nil, nil
	}
	return ReadValue(v.Data)
}

func idOrNil(id ID) any {
	if id.IsZero() {
		return nil
	}
	return id.String()
}
