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
)

// externalField is where the roster's own identifier is kept, as a field like
// the others; the dot keeps it apart from every claim name.
const externalField = "unit.external"

// ErrErased: the person's key was destroyed.
var ErrErased = errors.New("storage: the person was erased")

// SaveUnits implements issuer.Store: a unit is found by its External, and only
// fields whose value changed are written. It is one transaction; a few hundred
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
	index := blindIndex(t.o.indexKey, externalField, external)
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
		err = t.insertUnit(id, row.Kind, index)
	}
	if err != nil {
		return e, err
	}
	if kind == string(issuer.Found) { // its record was lost in a restore and now comes again
		if _, err := t.exec(`UPDATE unit SET kind = $3 WHERE org_id = $1 AND id = $2`, t.o.id, id, string(row.Kind)); err != nil {
			return e, err
		}
	}
	e.Changed, err = t.saveFields(id, external, row.Fields)
	if err != nil || e.Changed == 0 && !e.New {
		return e, err
	}
	action := access.Action("unit.change")
	if e.New {
		action = "unit.create"
	}
	return e, t.audit(access.Entry{Action: action, Object: id, Detail: fmt.Sprintf("fields=%d", e.Changed)})
}

func (t *tx) insertUnit(id string, kind issuer.UnitKind, index []byte) error {
	if kind != issuer.Person && kind != issuer.Household {
		return fmt.Errorf("unit kind %q is neither person nor household", kind)
	}
	const insert = `INSERT INTO unit (org_id, id, kind, external_index, created_at) VALUES ($1, $2, $3, $4, $5)`
	_, err := t.exec(insert, t.o.id, id, string(kind), index, t.micros)
	return err
}

// saveFields writes the fields whose value is not the current one, each as a
// change set, and moves their current row. It returns how many.
func (t *tx) saveFields(unit, external string, fields map[string][]byte) (changed int, err error) {
	key, err := t.personKey(unit, true)
	if err != nil {
		return 0, err
	}
	current, err := t.fields(unit, key)
	if err != nil {
		return 0, err
	}
	all := make(map[string][]byte, len(fields)+1)
	maps.Copy(all, fields)
	all[externalField] = []byte(external)
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

// A personKey seals what is kept of one unit.
type personKey struct {
	sealer
	version int64
}

// personKey returns the unit's newest key; with create, a new one if it has none
// yet. A destroyed key is ErrErased.
func (t *tx) personKey(unit string, create bool) (personKey, error) {
	const find = `SELECT version, wrapped FROM envelope_key WHERE org_id = $1 AND subject_id = $2 ORDER BY version DESC LIMIT 1`
	k := personKey{version: 1}
	var wrapped []byte
	ok, err := t.find(find, []any{t.o.id, unit}, &k.version, &wrapped)
	switch {
	case err != nil:
		return k, err
	case ok:
		return t.o.unwrap(unit, k.version, wrapped)
	case !create:
		return k, fmt.Errorf("%w: unit %s has no key", ErrErased, unit)
	}
	key := newKey()
	if k.sealer, err = newSealer(key); err != nil {
		return k, err
	}
	const insert = `INSERT INTO envelope_key (org_id, subject_id, version, wrapped, created_at) VALUES ($1, $2, $3, $4, $5)`
	_, err = t.exec(insert, t.o.id, unit, k.version, t.o.kek.seal(keyPlace(t.o.id, unit, k.version), key), t.micros)
	return k, err
}

func keyPlace(org, unit string, version int64) place {
	return place{org, "envelope_key", "wrapped", unit, version}
}

// unwrap opens a unit's key. A missing one was destroyed.
func (o *Org) unwrap(unit string, version int64, wrapped []byte) (k personKey, err error) {
	if wrapped == nil {
		return k, fmt.Errorf("%w: unit %s", ErrErased, unit)
	}
	key, err := o.kek.open(keyPlace(o.id, unit, version), wrapped)
	if err != nil {
		return k, fmt.Errorf("key of unit %s: %w", unit, err)
	}
	k.version = version
	k.sealer, err = newSealer(key)
	return k, err
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
	ID       issuer.UnitID
	Kind     issuer.UnitKind
	External string            // the roster's identifier
	Fields   map[string][]byte // deterministic CBOR, see issuer.ReadValue
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
		delete(u.Fields, externalField)
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
