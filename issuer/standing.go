package issuer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
)

// A Standing is what is on record of somebody whom a roster names.
type Standing struct {
	Known  bool   // there is a record
	Asked  bool   // and their answer to the registration notice is in it
	Refuse string // why they get no card, whoever asks: empty when nothing stands against one
}

// Standings looks up the people or households of a roster before anything is written
// about them. The roster of another system has done the registration, so the gate is
// not asked; but what is known here holds: a record that is closed or inactive, a no
// to being registered, and an entitlement that was held back. The result has one entry
// a row, in order.
func Standings(ctx context.Context, store registry.Store, rows []RosterRow, programme string, round uint64, at time.Time) ([]Standing, error) {
	all := make([]Standing, 0, len(rows))
	gate := quality.Default().Gate(programme)
	for page := range slices.Chunk(rows, candidatesPage) {
		err := store.View(ctx, func(v registry.View) error {
			reader := quality.One(v)
			for i := range page {
				s, err := standing(v, reader, gate, &page[i], programme, round, at)
				if err != nil {
					return fmt.Errorf("row %d of the roster: %w", len(all)+1, err)
				}
				all = append(all, s)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("issuer: %w", err)
		}
	}
	return all, nil
}

func standing(v registry.View, reader *quality.Reader, gate quality.Gate, row *RosterRow, programme string, round uint64, at time.Time) (s Standing, err error) {
	unit, ok, err := v.Find(row.Kind, row.Namespace, row.External)
	if err != nil || !ok {
		return s, err
	}
	u, err := reader.Unit(unit)
	if errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrErased) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.Known, s.Asked = true, true
	for _, r := range gate.Judge(u, at).Reasons {
		switch r.Code {
		case quality.ReasonNotice:
			s.Asked = false
		case quality.ReasonClosed, quality.ReasonInactive, quality.ReasonNo:
			if s.Refuse == "" {
				s.Refuse = r.String()
			}
		}
	}
	if s.Refuse != "" || round == 0 {
		return s, nil
	}
	e, err := v.Entitlement(unit, programme, round)
	if errors.Is(err, registry.ErrNotFound) {
		return s, nil
	}
	_, s.Refuse = heldBack(e.Status)
	return s, err
}
