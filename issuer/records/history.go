package records

import (
	"context"
	"slices"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// A Past is one change of a field.
type Past struct {
	registry.FieldChange
	From, To any // as registry.ReadValue gives them; nil: nothing
	// FromGone: a photograph stood there that was destroyed. What came is FieldChange.Destroyed.
	FromGone bool
}

// History is what was changed of a record, the newest first.
func (d *Desk) History(ctx context.Context, by access.Actor, id registry.ID, kind registry.Kind) (list []Past, err error) {
	if err := d.Check(ctx, id, kind); err != nil {
		return nil, err
	}
	changes, err := d.registry(by).History(ctx, id)
	if err != nil {
		return nil, err
	}
	stood, gone := map[string]any{}, map[string]bool{}
	for _, c := range changes {
		p := Past{FieldChange: c, From: stood[c.Field], FromGone: gone[c.Field]}
		if c.Data != nil {
			if p.To, err = registry.ReadValue(c.Data); err != nil {
				return nil, err
			}
		}
		stood[c.Field], gone[c.Field] = p.To, c.Destroyed
		list = append(list, p)
	}
	slices.Reverse(list)
	return list, d.Store.Note(ctx, by, access.Entry{Action: "person.history", Object: id.String()})
}

// Compare is how a record differs between two times, field by field.
func (d *Desk) Compare(ctx context.Context, by access.Actor, id registry.ID, kind registry.Kind, from, to time.Time) ([]registry.Difference, error) {
	if err := d.Check(ctx, id, kind); err != nil {
		return nil, err
	}
	list, err := d.registry(by).Compare(ctx, id, from, to)
	if err != nil {
		return nil, err
	}
	return list, d.Store.Note(ctx, by, access.Entry{Action: "person.history", Object: id.String(), Detail: "compare"})
}

// Stamp tells a record's state from any other: how often it was changed, and how many
// values of it wait for a decision. It says nothing of what stands in it.
func (d *Desk) Stamp(ctx context.Context, id registry.ID, kind registry.Kind) (changes int64, undecided int, err error) {
	err = d.Store.View(ctx, func(v registry.View) error {
		rec, err := recordOf(v, id, kind)
		if err != nil {
			return err
		}
		for _, f := range rec.Fields {
			changes += f.Version
		}
		open, err := rec.Undecided()
		undecided = len(open)
		return err
	})
	return changes, undecided, err
}
