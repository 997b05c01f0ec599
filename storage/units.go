package storage

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/registry"
)

// externalField and rosterField are where the roster's own identifier, and the
// roster's name where it has one, are kept, as fields like the others; the dot
// keeps them apart from every claim name.
const (
	externalField = "unit.external"
	rosterField   = "unit.roster"
)

// findPurpose is of the blind index of an identifier in whatever roster.
const findPurpose = "unit.find"

// unitIndex is the blind index that tells units apart.
func (o *Org) unitIndex(kind issuer.UnitKind, namespace, external string) []byte {
	return blindIndex(o.indexKey, externalField, string(kind), trimmed(namespace), trimmed(external))
}

// ErrErased: the person's key was destroyed.
var ErrErased = errors.New("storage: the person was erased")

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

func (t *tx) saveUnit(row issuer.UnitRow) (e issuer.Enrolled, err error) {
	external := trimmed(row.External)
	if external == "" {
		return e, errors.New("a unit needs its identifier in the roster")
	}
	if row.Kind != issuer.Person && row.Kind != issuer.Household {
		return e, fmt.Errorf("unit kind %q is neither person nor household", row.Kind)
	}
	index := t.o.unitIndex(row.Kind, row.Namespace, external)
	const find = `SELECT id, kind FROM unit WHERE org_id = $1 AND external_index = $2`
	var id, kind string
	ok, err := t.find(find, []any{t.o.id, index}, &id, &kind)
	if err != nil {
		return e, err
	}
	if ok {
		e.ID, err = issuer.ParseUnitID(id)
	} else {
		e.ID, e.New = issuer.NewUnitID(), true
		id = e.ID.String()
		err = t.insertUnit(id, row.Kind, index, blindIndex(t.o.indexKey, findPurpose, external))
	}
	if err != nil {
		return e, err
	}
	if kind == string(issuer.Found) { // its record was lost in a restore and now comes again
		if _, err := t.exec(`UPDATE unit SET kind = $3 WHERE org_id = $1 AND id = $2`, t.o.id, id, string(row.Kind)); err != nil {
			return e, err
		}
	}
	e.Changed, e.Refusal, err = t.saveFields(id, external, row)
	if err != nil || e.Changed == 0 && !e.New {
		return e, err
	}
	action := access.Action("unit.change")
	if e.New {
		action = "unit.create"
	}
	return e, t.audit(access.Entry{Action: action, Object: id, Detail: fmt.Sprintf("fields=%d", e.Changed)})
}

func (t *tx) insertUnit(id string, kind issuer.UnitKind, index, find []byte) error {
	const insert = `INSERT INTO unit (org_id, id, kind, external_index, find_index, created_at) VALUES ($1, $2, $3, $4, $5, $6)`
	_, err := t.exec(insert, t.o.id, id, string(kind), index, find, t.micros)
	return err
}

// saveFields writes the fields whose value is not the current one, each as a
// change set, and moves their current row. It returns how many, or the refusal
// of a row that is somebody else's: then nothing is written.
func (t *tx) saveFields(unit, external string, row issuer.UnitRow) (changed int, no *issuer.Refusal, err error) {
	key, err := t.personKey(unit, true)
	if err != nil {
		return 0, nil, err
	}
	current, err := t.fields(unit, key)
	if err != nil {
		return 0, nil, err
	}
	for _, name := range row.Fixed {
		if old, ok := current[name]; ok && row.Fields[name] != nil && !sameName(old.value, row.Fields[name]) {
			return 0, &issuer.Refusal{Code: issuer.RefusedName, Text: "this " + string(row.Kind) +
				"'s identifier is known under another name: it is somebody else's, or it or the name is mistyped"}, nil
		}
	}
	all := make(map[string][]byte, len(row.Fields)+2)
	maps.Copy(all, row.Fields)
	all[externalField] = []byte(external)
	if roster := trimmed(row.Namespace); roster != "" {
		all[rosterField] = []byte(roster)
	}
	changed, err = t.saveChanged(unit, key, current, all)
	return changed, nil, err
}

// sameName compares two kept texts as people do: capitals and spaces make nobody
// another person. An empty one says nothing.
func sameName(old, new []byte) bool {
	if bytes.Equal(old, new) {
		return true
	}
	a, errA := registry.ReadValue(old)
	b, errB := registry.ReadValue(new)
	x, isText := a.(string)
	y, both := b.(string)
	if errA != nil || errB != nil || !isText || !both {
		return false
	}
	x, y = strings.Join(strings.Fields(x), " "), strings.Join(strings.Fields(y), " ")
	return x == "" || strings.EqualFold(x, y)
}

func (t *tx) saveChanged(unit string, key personKey, current map[string]fieldValue, all map[string][]byte) (changed int, err error) {
	var seq int64
	for _, name := range slices.Sorted(maps.Keys(all)) {
		value, old := all[name], current[name]
		if old.version > 0 && bytes.Equal(old.value, value) {
			continue
		}
		if seq == 0 {
			// The organisation's row gives the numbers and is held until the commit.
			const take = `UPDATE organisation SET change_seq = change_seq + $2 WHERE id = $1 RETURNING change_seq`
			if _, err := t.find(take, []any{t.o.id, len(all)}, &seq); err != nil {
				return 0, err
			}
			seq -= int64(len(all))
		}
		seq++
		if err := t.saveField(unit, name, seq, old.version, value, key); err != nil {
			return 0, err
		}
		changed++
	}
	return changed, nil
}

func (t *tx) saveField(unit, name string, seq, base int64, value []byte, key personKey) error {
	change := randomID()
	sealed := key.seal(changePlace(t.o.id, unit, name, change, key.version), value)
	const insert = `INSERT INTO change_set (org_id, seq, id, entity, entity_id, field, base_version, sealed, key_version, actor, device, at)
		VALUES ($1, $2, $3, 'unit', $4, $5, $6, $7, $8, $9, $10, $11)`
	_, err := t.exec(insert, t.o.id, seq, change, unit, name, base, sealed, key.version, t.by.ID, t.by.Device, t.micros)
	if err != nil {
		return err
	}
	const project = `INSERT INTO unit_field (org_id, unit_id, field, version, change_id, sealed, key_version)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (org_id, unit_id, field) DO UPDATE SET
			version = excluded.version, change_id = excluded.change_id, sealed = excluded.sealed, key_version = excluded.key_version`
	_, err = t.exec(project, t.o.id, unit, name, base+1, change, sealed, key.version)
	return err
}

// changePlace binds a value to its change, unit and field.
func changePlace(org, unit, field, change string, version int64) place {
	return place{org, "change_set", "sealed/" + field, unit + "/" + change, version}
}

// A fieldValue is the current value of a field.
type fieldValue struct {
	version int64
	value   []byte
}

// fields returns the current values of a unit.
func (t *tx) fields(unit string, key personKey) (map[string]fieldValue, error) {
	const query = `SELECT field, version, change_id, sealed, key_version FROM unit_field WHERE org_id = $1 AND unit_id = $2`
	rows, err := t.query(query, t.o.id, unit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	values := map[string]fieldValue{}
	for rows.Next() {
		var name, change string
		var sealed []byte
		var f fieldValue
		var version int64
		if err := rows.Scan(&name, &f.version, &change, &sealed, &version); err != nil {
			return nil, err
		}
		if f.value, err = key.open(changePlace(t.o.id, unit, name, change, version), sealed); err != nil {
			return nil, fmt.Errorf("unit %s, field %q: %w", unit, name, err)
		}
		values[name] = f
	}
	return values, rows.Err()
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
		const query = `SELECT kind, erased_at IS NOT NULL FROM unit WHERE org_id = $1 AND id = $2`
		var erased bool
		ok, err := t.find(query, []any{o.id, id.String()}, &u.Kind, &erased)
		switch {
		case err != nil:
			return err
		case !ok:
			return issuer.ErrNotFound
		case erased:
			return ErrErased
		}
		key, err := t.personKey(id.String(), false)
		if err != nil {
			return err
		}
		values, err := t.fields(id.String(), key)
		if err != nil {
			return err
		}
		u.ID, u.Fields = id, make(map[string][]byte, len(values))
		for name, f := range values {
			u.Fields[name] = f.value
		}
		u.External = string(u.Fields[externalField])
		u.Namespace = string(u.Fields[rosterField])
		delete(u.Fields, externalField)
		delete(u.Fields, rosterField)
		return nil
	})
	return u, err
}

// randomID is 128 random bits as 32 hex digits.
func randomID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// trimmed is an identifier as people type it, without the spaces around it.
func trimmed(s string) string { return strings.TrimSpace(s) }
