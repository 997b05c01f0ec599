package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/registry"
)

// SaveUnits implements issuer.Store: a unit is found by its kind, roster and
// identifier, and only fields whose value changed are written. It is one transaction; a few hundred
// rows a call keep it short.
func (o *Org) SaveUnits(ctx context.Context, by access.Actor, rows []issuer.UnitRow) ([]issuer.Enrolled, error) {
	done := make([]issuer.Enrolled, len(rows))
	err := o.update(ctx, by, "save units", func(tx *tx) error {
		for i, row := range rows {
			var err error
			if done[i], err = tx.saveUnit(row); err != nil {
				return fmt.Errorf("row %d of %d: %w", i+1, len(rows), err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}

// saveUnit saves the record of a roster's row: a registry.Change whose name must
// not become another.
func (t *tx) saveUnit(row issuer.UnitRow) (e issuer.Enrolled, err error) {
	if trimmed(row.External) == "" {
		return e, errors.New("a unit needs its identifier in the roster")
	}
	r, err := t.open(registry.Change{Kind: row.Kind, Source: row.Namespace, External: row.External, Fields: row.Fields})
	if err != nil {
		return e, err
	}
	e.ID = r.id
	for _, name := range row.Fixed {
		if old, ok := r.current[name]; ok && row.Fields[name] != nil && !sameName(old.value, row.Fields[name]) {
			e.Refusal = &issuer.Refusal{Code: issuer.RefusedName, Text: "this " + string(row.Kind) +
				"'s identifier is known under another name: it is somebody else's, or it or the name is mistyped"}
			return e, nil
		}
	}
	s, err := t.save(r)
	if err != nil {
		return e, err
	}
	e.New, e.Changed = s.New, s.Changed
	if entry, ok := savedEntry(s); ok {
		err = t.audit(entry)
	}
	return e, err
}

// sameName compares two kept texts as people do: capitals and spaces make nobody
// another person. An empty one says nothing.
func sameName(old, new []byte) bool {
	if bytes.Equal(old, new) {
		return true
	}
	x, isText := nameIn(old)
	y, both := nameIn(new)
	if !isText || !both {
		return false
	}
	x, y = strings.Join(strings.Fields(x), " "), strings.Join(strings.Fields(y), " ")
	return x == "" || strings.EqualFold(x, y)
}

// A Unit is the current record of a person or household.
type Unit struct {
	ID        issuer.UnitID
	Kind      issuer.UnitKind
	Namespace string            // the roster's name, where it has one
	External  string            // the roster's identifier
	Fields    map[string][]byte // deterministic CBOR, see registry.ReadValue
}

// Unit reads a unit's current record; each field is as the change sets left it.
// An unknown id is issuer.ErrNotFound, an erased one ErrErased.
func (o *Org) Unit(ctx context.Context, id issuer.UnitID) (u Unit, err error) {
	err = o.view(ctx, "read unit", func(t *tx) error {
		r, err := t.record(id)
		if err != nil {
			return err
		}
		u = Unit{ID: id, Kind: r.Kind, Namespace: r.Source, External: r.External, Fields: make(map[string][]byte, len(r.Fields))}
		for name, f := range r.Fields {
			if f.Data != nil {
				u.Fields[name] = f.Data
			}
		}
		return nil
	})
	return u, err
}

// trimmed is an identifier as people type it, without the spaces around it.
func trimmed(s string) string { return strings.TrimSpace(s) }

// nameIn is the text of a kept name: a text, or the first of a record's names.
func nameIn(value []byte) (string, bool) {
	v, err := registry.ReadValue(value)
	if err != nil {
		return "", false
	}
	if list, ok := v.([]any); ok {
		if len(list) == 0 {
			return "", true
		}
		first, _ := list[0].(map[string]any)
		v = first["text"]
	}
	text, ok := v.(string)
	return text, ok
}
