package storage

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// A programme's plan and an entitlement are each one value: their JSON, as one
// text of CBOR.

// appendJSON makes such a value.
func appendJSON(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return registry.AppendValue(nil, string(b))
}

// readJSON reads one.
func readJSON(value []byte, into any) error {
	v, err := registry.ReadValue(value)
	if err != nil {
		return err
	}
	text, ok := v.(string)
	if !ok {
		return errors.New("a stored value is no text")
	}
	return json.Unmarshal([]byte(text), into)
}

// ownKeyVersion is of the key made from the organisation's secrets: it has one.
const ownKeyVersion = 1

// planField is the one field of change sets of programmes and entitlements.
const planField = "plan"

func programmePlace(org, code, change string) place {
	return place{org, "change_set", programmeEntity, code + "/" + change, ownKeyVersion}
}

// maxProgrammeCode is the longest code, in bytes.
const maxProgrammeCode = 64

func (r records) SaveProgramme(p registry.Programme) error {
	t := r.t
	if p.Code == "" || len(p.Code) > maxProgrammeCode {
		return fmt.Errorf("storage: a programme's code has 1 to %d characters", maxProgrammeCode)
	}
	next, err := appendJSON(p)
	if err != nil {
		return fmt.Errorf("storage: programme %q: %w", p.Code, err)
	}
	old, version, err := t.programme(p.Code)
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return err
	}
	if version > 0 && bytes.Equal(old, next) {
		return nil
	}
	c := change{entity: programmeEntity, id: p.Code, field: planField, base: version, keyVersion: ownKeyVersion}
	err = t.appendChange(&c, func(change string) []byte { return t.o.own.seal(programmePlace(t.o.id, p.Code, change), next) })
	if err != nil {
		return err
	}
	const save = `INSERT INTO programme (org_id, code, created_at, version, change_id, sealed) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (org_id, code) DO UPDATE SET version = excluded.version, change_id = excluded.change_id, sealed = excluded.sealed`
	if _, err := t.exec(save, t.o.id, p.Code, t.micros, version+1, c.change, c.sealed); err != nil {
		return err
	}
	t.acts.act(access.Entry{Action: "programme.save", Object: p.Code, Detail: "rounds=" + strconv.Itoa(len(p.Rounds))})
	return nil
}

// programme returns the plan's value and its version. A programme that was only
// ever used is ErrNotFound, as one that was not.
func (t *tx) programme(code string) (value []byte, version int64, err error) {
	var change string
	var sealed []byte
	const find = `SELECT version, change_id, sealed FROM programme WHERE org_id = $1 AND code = $2 AND version > 0`
	ok, err := t.find(find, []any{t.o.id, code}, &version, &change, &sealed)
	if err != nil {
		return nil, 0, err
	}
	if !ok {
		return nil, 0, fmt.Errorf("%w: programme %q", registry.ErrNotFound, code)
	}
	if value, err = t.o.own.open(programmePlace(t.o.id, code, change), sealed); err != nil {
		err = fmt.Errorf("programme %q: %w", code, err)
	}
	return value, version, err
}

func (r records) Programme(code string) (p registry.Programme, err error) {
	value, _, err := r.t.programme(code)
	if err == nil {
		err = readJSON(value, &p)
	}
	return p, err
}

func (r records) Programmes() ([]registry.Programme, error) {
	codes, err := r.t.texts(`SELECT code FROM programme WHERE org_id = $1 AND version > 0 ORDER BY code`, r.t.o.id)
	if err != nil {
		return nil, err
	}
	list := make([]registry.Programme, len(codes))
	for i, code := range codes {
		if list[i], err = r.Programme(code); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// An entitlementRow is where an entitlement stands and what is stored of it.
type entitlementRow struct {
	id, unit, programme string
	round               uint64
	version, keyVersion int64
	change              string
	sealed              []byte
}

// place binds the value to its change, unit, programme and round.
func (e *entitlementRow) place(org string) place {
	return place{org, "change_set", entitlementEntity, fmt.Sprintf("%s/%s/%d/%s", e.unit, e.programme, e.round, e.change), e.keyVersion}
}

func (r records) SaveEntitlement(e registry.Entitlement) (changed bool, err error) {
	t := r.t
	if e.Round > math.MaxInt64 {
		return false, fmt.Errorf("storage: round %d is too high", e.Round)
	}
	var n int
	unit := e.Unit.String()
	const known = `SELECT 1 FROM unit WHERE org_id = $1 AND id = $2`
	if ok, err := t.find(known, []any{t.o.id, unit}, &n); err != nil {
		return false, err
	} else if !ok {
		return false, errNoRecord
	}
	if ok, err := t.find(`SELECT 1 FROM programme WHERE org_id = $1 AND code = $2`, []any{t.o.id, e.Programme}, &n); err != nil {
		return false, err
	} else if !ok {
		return false, fmt.Errorf("%w: programme %q", registry.ErrNotFound, e.Programme)
	}
	key, err := t.personKey(unit, true)
	if err != nil {
		return false, err
	}
	row, ok, err := t.entitlement(unit, e.Programme, e.Round)
	if err != nil {
		return false, err
	}
	var old []byte
	if ok {
		if e.ID != "" && e.ID != row.id {
			return false, fmt.Errorf("storage: entitlement %s of this unit and round is there already: %s is another", row.id, e.ID)
		}
		if old, err = key.open(row.place(t.o.id), row.sealed); err != nil {
			return false, fmt.Errorf("entitlement %s: %w", row.id, err)
		}
	} else {
		row = entitlementRow{id: e.ID, unit: unit, programme: e.Programme, round: e.Round}
		if row.id == "" {
			row.id = randomID()
		} else if _, err := registry.ParseID(row.id); err != nil {
			return false, err
		}
	}
	e.ID = row.id
	next, err := appendJSON(e)
	if err != nil || bytes.Equal(old, next) {
		return false, err
	}
	c := change{entity: entitlementEntity, id: row.id, field: planField, base: row.version, keyVersion: key.version}
	err = t.appendChange(&c, func(change string) []byte {
		row.change, row.keyVersion = change, key.version
		return key.seal(row.place(t.o.id), next)
	})
	if err != nil {
		return false, err
	}
	const save = `INSERT INTO entitlement (org_id, id, unit_id, programme, round, version, change_id, sealed, key_version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (org_id, programme, round, unit_id) DO UPDATE SET
			version = excluded.version, change_id = excluded.change_id, sealed = excluded.sealed, key_version = excluded.key_version`
	_, err = t.exec(save, t.o.id, row.id, unit, row.programme, int64(row.round), row.version+1, row.change, c.sealed, row.keyVersion)
	if err != nil {
		return false, err
	}
	t.acts.act(access.Entry{Action: "entitlement.save", Object: row.id, Detail: fmt.Sprintf("programme=%s round=%d", row.programme, row.round)})
	return true, nil
}

const entitlementColumns = `id, unit_id, programme, round, version, key_version, change_id, sealed`

func (e *entitlementRow) into() []any {
	return []any{&e.id, &e.unit, &e.programme, &e.round, &e.version, &e.keyVersion, &e.change, &e.sealed}
}

func (t *tx) entitlement(unit, programme string, round uint64) (e entitlementRow, ok bool, err error) {
	const find = `SELECT ` + entitlementColumns + ` FROM entitlement WHERE org_id = $1 AND programme = $2 AND round = $3 AND unit_id = $4`
	ok, err = t.find(find, []any{t.o.id, programme, int64(min(round, math.MaxInt64)), unit}, e.into()...)
	return e, ok, err
}

// open reads a stored entitlement. That of an erased unit is ErrErased.
func (t *tx) openEntitlement(row entitlementRow) (e registry.Entitlement, err error) {
	key, err := t.personKey(row.unit, false)
	if err != nil {
		return e, err
	}
	value, err := key.open(row.place(t.o.id), row.sealed)
	if err == nil {
		err = readJSON(value, &e)
	}
	if err != nil {
		return e, fmt.Errorf("entitlement %s: %w", row.id, err)
	}
	e.Unit, err = registry.ParseID(row.unit)
	return e, err
}

func (r records) Entitlement(unit registry.ID, programme string, round uint64) (e registry.Entitlement, err error) {
	row, ok, err := r.t.entitlement(unit.String(), programme, round)
	if err != nil {
		return e, err
	}
	if !ok {
		return e, fmt.Errorf("%w: entitlement of unit %s in programme %q, round %d", registry.ErrNotFound, unit, programme, round)
	}
	return r.t.openEntitlement(row)
}

// entitlementPage is how many rows are read at a time: yield may use the same
// transaction, which reads one query at a time on some engines.
const entitlementPage = 500

// Entitlements passes over those of erased units: nobody can read them.
func (r records) Entitlements(programme string, round uint64, yield func(registry.Entitlement) error) error {
	for after := ""; ; {
		page, err := r.t.entitlementsAfter(programme, round, after)
		if err != nil {
			return err
		}
		for _, row := range page {
			e, err := r.t.openEntitlement(row)
			if err != nil {
				return err
			}
			if err := yield(e); err != nil {
				return err
			}
			after = row.unit
		}
		if len(page) < entitlementPage {
			return nil
		}
	}
}

func (t *tx) entitlementsAfter(programme string, round uint64, after string) (page []entitlementRow, err error) {
	const query = `SELECT ` + entitlementColumns + ` FROM entitlement e WHERE org_id = $1 AND programme = $2 AND round = $3 AND unit_id > $4
		AND EXISTS (SELECT 1 FROM unit u WHERE u.org_id = e.org_id AND u.id = e.unit_id AND u.erased_at IS NULL)
		ORDER BY unit_id LIMIT $5`
	return t.entitlementRows(query, t.o.id, programme, int64(min(round, math.MaxInt64)), after, entitlementPage)
}

// entitlementRows are the rows of a query for entitlementColumns.
func (t *tx) entitlementRows(query string, args ...any) (page []entitlementRow, err error) {
	rows, err := t.query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var row entitlementRow
		if err := rows.Scan(row.into()...); err != nil {
			return nil, err
		}
		page = append(page, row)
	}
	return page, rows.Err()
}
