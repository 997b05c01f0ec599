package storage

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/registry"
)

// The store's own fields of a unit are kept like the others, with their history;
// the prefix keeps them apart from every name that a list or a claim has.
const (
	ownPrefix      = "unit."
	externalField  = "unit.external"  // the identifier in its roster: a text
	rosterField    = "unit.roster"    // the roster's name, where it has one: a text
	householdField = "unit.household" // of a person: the household's id, a text
)

// findPurpose is of the blind index of an identifier in whatever roster.
const findPurpose = "unit.find"

// unitIndex is the blind index that tells units apart.
func (o *Org) unitIndex(kind issuer.UnitKind, namespace, external string) []byte {
	return o.index.of(externalField, string(kind), trimmed(namespace), trimmed(external))
}

// ErrErased: the person's key was destroyed.
var ErrErased = registry.ErrErased

// errNoRecord is of an id that is no unit here.
var errNoRecord error = noRecord{}

type noRecord struct{}

func (noRecord) Error() string { return "storage: no such person or household" }

// Is makes it what both of the store's callers look for.
func (noRecord) Is(target error) bool {
	return target == registry.ErrNotFound || target == issuer.ErrNotFound
}

// An opened record is about to be saved: what is stored of it, and what shall be.
type opened struct {
	registry.Change
	id      registry.ID
	kind    registry.Kind // as stored; that of the change for a new record
	isNew   bool
	settles bool      // it was a unit of no known kind
	key     personKey // of a record that is there already
	current map[string]fieldValue
	next    map[string][]byte // values to set: the caller's fields, and the store's own
}

// open finds the record a change means and judges the change, all of it, before
// anything is written.
func (t *tx) open(c registry.Change) (*opened, error) {
	r := &opened{Change: c, id: c.ID}
	if err := t.identify(r); err != nil {
		return nil, err
	}
	known := r.kind == registry.KindPerson || r.kind == registry.KindHousehold
	switch {
	case known:
	case r.isNew:
		return nil, fmt.Errorf("unit kind %q is neither person nor household", r.kind)
	case r.kind == registry.KindBlank: // whoever gets the card has a record of her own
		return nil, fmt.Errorf("unit %s is a pre-numbered card, and nobody's record", r.id)
	case c.Kind == registry.KindPerson || c.Kind == registry.KindHousehold: // found: it is known now what it is
		r.kind, r.settles = c.Kind, true
	}
	if c.Kind != r.kind && (c.ID.IsZero() || c.Kind != "") {
		return nil, fmt.Errorf("record %s is a %s, not a %s", r.id, r.kind, c.Kind)
	}
	if !r.isNew {
		var err error
		if r.key, err = t.personKey(r.id.String(), true); err != nil {
			return nil, err
		}
		if r.current, err = t.fields(r.id.String(), r.key); err != nil {
			return nil, err
		}
	}
	for name, base := range c.Base {
		if now := r.current[name].version; now != base {
			return nil, fmt.Errorf("%w: record %s, field %q: version %d was seen, and version %d is there", registry.ErrConflict, r.id, name, base, now)
		}
	}
	return r, t.plan(r)
}

// identify sets id, kind and whether the record is new.
func (t *tx) identify(r *opened) (err error) {
	external := trimmed(r.External)
	var id, kind string
	var erased, ok bool
	switch {
	case !r.ID.IsZero():
		const byID = `SELECT kind, erased_at IS NOT NULL FROM unit WHERE org_id = $1 AND id = $2`
		if ok, err = t.find(byID, []any{t.o.id, r.ID.String()}, &kind, &erased); err != nil {
			return err
		} else if !ok {
			return errNoRecord
		} else if erased {
			return fmt.Errorf("%w: %s", ErrErased, r.ID)
		}
		r.kind = registry.Kind(kind)
		return nil
	case external != "":
		const byIndex = `SELECT id, kind FROM unit WHERE org_id = $1 AND external_index = $2`
		if ok, err = t.find(byIndex, []any{t.o.id, t.o.unitIndex(r.Kind, r.Source, external)}, &id, &kind); err != nil {
			return err
		}
	}
	if ok {
		r.kind = registry.Kind(kind)
		r.id, err = registry.ParseID(id)
		return err
	}
	r.id, r.kind, r.isNew = registry.NewID(), r.Kind, true
	return nil
}

// plan fills next, and refuses values that cannot be kept.
func (t *tx) plan(r *opened) error {
	r.next = make(map[string][]byte, len(r.Fields)+3)
	for name, value := range r.Fields {
		if name == "" || len(name) > maxFieldName || strings.HasPrefix(name, ownPrefix) {
			return fmt.Errorf("a field cannot be called %q", name)
		}
		if value != nil {
			if _, err := registry.ReadValue(value); err != nil {
				return fmt.Errorf("field %q: %w", name, err)
			}
		}
		r.next[name] = value
	}
	for _, k := range r.Keys {
		if k.Kind == "" || k.Text == "" {
			return errors.New("a key needs its kind and its text")
		}
	}
	if r.ID.IsZero() {
		if err := r.own(externalField, trimmed(r.External)); err != nil {
			return err
		}
		if err := r.own(rosterField, trimmed(r.Source)); err != nil {
			return err
		}
	}
	switch {
	case r.LeaveHousehold && !r.Household.IsZero():
		return errors.New("a person cannot enter a household and leave it at once")
	case (r.LeaveHousehold || !r.Household.IsZero()) && r.kind != registry.KindPerson:
		return fmt.Errorf("only a person is a member of a household, not a %s", r.kind)
	case r.LeaveHousehold:
		r.next[householdField] = nil
	case !r.Household.IsZero():
		var kind string
		const find = `SELECT kind FROM unit WHERE org_id = $1 AND id = $2 AND erased_at IS NULL`
		ok, err := t.find(find, []any{t.o.id, r.Household.String()}, &kind)
		if err != nil {
			return err
		}
		if !ok || kind != string(registry.KindHousehold) {
			return fmt.Errorf("%w: household %s", errNoRecord, r.Household)
		}
		return r.own(householdField, r.Household.String())
	}
	return nil
}

// maxFieldName is the longest name of a field, in bytes. It stands in the clear.
const maxFieldName = 100

// own plans a field of the store's own. An empty text says nothing.
func (r *opened) own(name, text string) (err error) {
	if text != "" {
		r.next[name], err = registry.AppendValue(nil, text)
	}
	return err
}

// save writes what open judged.
func (t *tx) save(r *opened) (s registry.Saved, err error) {
	s = registry.Saved{ID: r.id, New: r.isNew}
	unit := r.id.String()
	if r.isNew {
		var index, find []byte
		if external := trimmed(r.External); external != "" {
			index, find = t.o.unitIndex(r.kind, r.Source, external), t.o.index.of(findPurpose, external)
		}
		if err := t.insertUnit(unit, r.kind, index, find); err != nil {
			return s, err
		}
		if r.key, err = t.makeKey(unit); err != nil {
			return s, err
		}
	} else if r.settles {
		// Its record was lost in a restore and comes again.
		if _, err := t.exec(`UPDATE unit SET kind = $3 WHERE org_id = $1 AND id = $2`, t.o.id, unit, string(r.kind)); err != nil {
			return s, err
		}
	}
	var status, photo bool
	for _, name := range slices.Sorted(maps.Keys(r.next)) {
		value, old := r.next[name], r.current[name]
		if bytes.Equal(old.value, value) && (old.version > 0 || value == nil) {
			continue
		}
		if name == registry.PhotoField {
			if err := t.replacePhoto(unit, value != nil && r.KeepPhoto); err != nil {
				return s, err
			}
		}
		if err := t.saveField(unit, name, old.version, value, r.key); err != nil {
			return s, err
		}
		if name == householdField {
			if err := t.saveMembership(unit, r.Household); err != nil {
				return s, err
			}
		}
		status, photo = status || name == statusField, photo || name == registry.PhotoField
		s.Changed++
	}
	if err := t.saveClosing(r, status, photo); err != nil {
		return s, err
	}
	if r.Keys != nil {
		err = t.saveKeys(unit, r.Keys, r.isNew)
	}
	return s, err
}

// savedEntry is the audit entry of a saved record, if there is something to tell.
func savedEntry(s registry.Saved) (access.Entry, bool) {
	e := access.Entry{Action: "unit.change", Object: s.ID.String(), Detail: fmt.Sprintf("fields=%d", s.Changed)}
	if s.New {
		e.Action = "unit.create"
	}
	return e, s.New || s.Changed > 0
}

func (t *tx) insertUnit(id string, kind issuer.UnitKind, index, find []byte) error {
	const insert = `INSERT INTO unit (org_id, id, kind, external_index, find_index, created_at) VALUES ($1, $2, $3, $4, $5, $6)`
	_, err := t.exec(insert, t.o.id, id, string(kind), index, find, t.micros)
	return err
}

// saveField writes a change of a field and moves its current row. A nil value
// removes; it is sealed like the others, so that nobody sees which are gone. A photograph
// gets a key of its own.
func (t *tx) saveField(unit, name string, base int64, value []byte, key personKey) error {
	c := change{entity: unitEntity, id: unit, field: name, base: base, keyVersion: key.version}
	by, own := key.sealer, []byte(nil)
	if name == registry.PhotoField && value != nil {
		own = newKey()
		var err error
		if by, err = newSealer(own); err != nil {
			return err
		}
	}
	err := t.appendChange(&c, func(change string) []byte {
		return by.seal(changePlace(t.o.id, unit, name, change, key.version), value)
	})
	if err == nil && own != nil {
		err = t.keepPhotoKey(unit, c.change, key, own)
	}
	if err != nil {
		return err
	}
	const project = `INSERT INTO unit_field (org_id, unit_id, field, version, change_id, sealed, key_version)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (org_id, unit_id, field) DO UPDATE SET
			version = excluded.version, change_id = excluded.change_id, sealed = excluded.sealed, key_version = excluded.key_version`
	_, err = t.exec(project, t.o.id, unit, name, base+1, c.change, c.sealed, key.version)
	return err
}

// changePlace binds a value to its change, unit and field.
func changePlace(org, unit, field, change string, version int64) place {
	return place{org, "change_set", "sealed/" + field, unit + "/" + change, version}
}

// saveMembership moves the projection of householdField.
func (t *tx) saveMembership(person string, household registry.ID) error {
	if household.IsZero() {
		_, err := t.exec(`DELETE FROM membership WHERE org_id = $1 AND person_id = $2`, t.o.id, person)
		return err
	}
	const move = `INSERT INTO membership (org_id, person_id, household_id) VALUES ($1, $2, $3)
		ON CONFLICT (org_id, person_id) DO UPDATE SET household_id = excluded.household_id`
	_, err := t.exec(move, t.o.id, person, household.String())
	return err
}

// keyMark is the blind index of a key.
func (o *Org) keyMark(k registry.Key) []byte {
	return o.index.of("record.key", k.Kind, k.Text)
}

// saveKeys replaces a record's keys: what is wanted already stays where it is.
func (t *tx) saveKeys(unit string, keys []registry.Key, isNew bool) error {
	want := make(map[string]bool, len(keys))
	for _, k := range keys {
		want[string(t.o.keyMark(k))] = true
	}
	if !isNew {
		old, err := t.marks(unit)
		if err != nil {
			return err
		}
		for _, mark := range old {
			if want[string(mark)] {
				delete(want, string(mark))
			} else if _, err := t.exec(`DELETE FROM record_key WHERE org_id = $1 AND mark = $2 AND unit_id = $3`, t.o.id, mark, unit); err != nil {
				return err
			}
		}
	}
	for mark := range want {
		if _, err := t.exec(`INSERT INTO record_key (org_id, mark, unit_id) VALUES ($1, $2, $3)`, t.o.id, []byte(mark), unit); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) marks(unit string) (marks [][]byte, err error) {
	rows, err := t.query(`SELECT mark FROM record_key WHERE org_id = $1 AND unit_id = $2`, t.o.id, unit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var mark []byte
		if err := rows.Scan(&mark); err != nil {
			return nil, err
		}
		marks = append(marks, mark)
	}
	return marks, rows.Err()
}

// A fieldValue is the current value of a field.
type fieldValue struct {
	version int64
	value   []byte // nil: removed
	gone    bool   // it was a photograph, whose key is destroyed
	at      int64  // microseconds
	by      string
}

// fields returns the current values of a unit, without their times.
func (t *tx) fields(unit string, key personKey) (map[string]fieldValue, error) {
	const query = `SELECT field, version, change_id, sealed, key_version, 0, '' FROM unit_field WHERE org_id = $1 AND unit_id = $2`
	return t.readFields(unit, key, query, t.o.id, unit)
}

// readFields runs a query of fields, where a later row of one field stands for
// an earlier one.
func (t *tx) readFields(unit string, key personKey, query string, args ...any) (map[string]fieldValue, error) {
	rows, err := t.query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	values := map[string]fieldValue{}
	var photo *sealedPhoto
	for rows.Next() {
		var name, change string
		var sealed []byte
		var f fieldValue
		var version int64
		if err := rows.Scan(&name, &f.version, &change, &sealed, &version, &f.at, &f.by); err != nil {
			return nil, err
		}
		if name == registry.PhotoField { // when no row is open: its key is another query
			photo, values[name] = &sealedPhoto{change, sealed, version}, f
			continue
		}
		if f.value, err = key.openValue(changePlace(t.o.id, unit, name, change, version), sealed); err != nil {
			return nil, fmt.Errorf("unit %s, field %q: %w", unit, name, err)
		}
		values[name] = f
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil || photo == nil {
		return values, err
	}
	f := values[registry.PhotoField]
	if f.value, f.gone, err = t.openPhoto(unit, key, *photo); err != nil {
		return nil, fmt.Errorf("unit %s, field %q: %w", unit, registry.PhotoField, err)
	}
	values[registry.PhotoField] = f
	return values, nil
}

// openValue opens a field's value. No item of CBOR is empty: an empty one was
// sealed to remove the field.
func (k personKey) openValue(p place, sealed []byte) ([]byte, error) {
	value, err := k.open(p, sealed)
	if len(value) == 0 {
		value = nil
	}
	return value, err
}

// record reads a unit as it is now.
func (t *tx) record(id registry.ID) (registry.Record, error) {
	const query = `SELECT f.field, f.version, f.change_id, f.sealed, f.key_version, c.at, c.actor
		FROM unit_field f JOIN change_set c ON c.org_id = f.org_id AND c.id = f.change_id WHERE f.org_id = $1 AND f.unit_id = $2`
	return t.recordBy(id, t.micros, query, t.o.id, id.String())
}

// recordAt rebuilds a unit from the changes up to a time.
func (t *tx) recordAt(id registry.ID, at time.Time) (registry.Record, error) {
	const query = `SELECT field, base_version + 1, id, sealed, key_version, at, actor
		FROM change_set WHERE org_id = $1 AND entity = 'unit' AND entity_id = $2 AND at <= $3 ORDER BY field, seq`
	return t.recordBy(id, at.UnixMicro(), query, t.o.id, id.String(), at.UnixMicro())
}

func (t *tx) recordBy(id registry.ID, at int64, query string, args ...any) (r registry.Record, err error) {
	var created int64
	var erased bool
	const find = `SELECT kind, created_at, erased_at IS NOT NULL FROM unit WHERE org_id = $1 AND id = $2`
	ok, err := t.find(find, []any{t.o.id, id.String()}, &r.Kind, &created, &erased)
	switch {
	case err != nil:
		return r, err
	case !ok:
		return r, errNoRecord
	case erased:
		return r, fmt.Errorf("%w: %s", ErrErased, id)
	case at < created:
		return r, fmt.Errorf("%w yet: %s", errNoRecord, id)
	}
	r.ID, r.CreatedAt, r.Fields = id, microTime(created), map[string]registry.Value{}
	key, err := t.personKey(id.String(), false)
	if errors.Is(err, errNoKey) {
		return r, nil // found in the signing log, or a blank card: nothing was ever recorded
	} else if err != nil {
		return r, err
	}
	values, err := t.readFields(id.String(), key, query, args...)
	if err != nil {
		return r, err
	}
	r.External, r.Source = ownText(values[externalField].value), ownText(values[rosterField].value)
	if text := ownText(values[householdField].value); text != "" {
		if r.Household, err = registry.ParseID(text); err != nil {
			return r, err
		}
	}
	for name, f := range values {
		if !strings.HasPrefix(name, ownPrefix) {
			r.Fields[name] = registry.Value{Version: f.version, Data: f.value, Destroyed: f.gone, At: microTime(f.at), By: f.by}
		}
	}
	return r, nil
}

// ownText reads a field of the store's own.
func ownText(value []byte) string {
	v, _ := registry.ReadValue(value)
	text, _ := v.(string)
	return text
}

func microTime(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// randomID is 128 random bits as 32 hex digits.
func randomID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
