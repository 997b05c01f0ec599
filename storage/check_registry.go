package storage

import (
	"bytes"
	"errors"

	"aidpass/issuer/registry"
)

// units rebuilds every current row of a unit from its change sets and compares.
func (c *checker) units() error {
	return c.view(c.ctx, "rebuild", func(t *tx) error {
		units, err := c.strings(`SELECT id FROM unit WHERE org_id = $1 ORDER BY id`, c.id)
		if err != nil {
			return err
		}
		for _, unit := range units {
			if err := c.unit(t, unit); err != nil {
				return err
			}
		}
		// Rows of units that are not there would have been passed over.
		strays, err := c.strings(`SELECT entity_id FROM change_set WHERE org_id = $1 AND (entity = 'unit'
			AND NOT EXISTS (SELECT 1 FROM unit u WHERE u.org_id = $1 AND u.id = change_set.entity_id)
			OR entity NOT IN ('unit', 'programme', 'entitlement'))`, c.id)
		for _, id := range strays {
			c.find(CheckProjection, id, "a change of a unit that is not there")
		}
		return err
	})
}

// A fieldRow is a field as the change sets or the current rows have it.
type fieldRow struct {
	version, keyVersion int64
	change              string
	sealed              []byte
}

func (a fieldRow) same(b fieldRow) bool {
	return a.version == b.version && a.keyVersion == b.keyVersion && a.change == b.change && bytes.Equal(a.sealed, b.sealed)
}

// rebuild returns the fields of an entity as its change sets leave them.
func (c *checker) rebuild(t *tx, entity, id string) (map[string]fieldRow, error) {
	rebuilt := map[string]fieldRow{}
	const changes = `SELECT field, base_version, key_version, id, sealed FROM change_set
		WHERE org_id = $1 AND entity = $2 AND entity_id = $3 ORDER BY field, seq` // as its index has them
	err := t.fieldRows(func(field string, r fieldRow) {
		if r.version != rebuilt[field].version {
			c.find(CheckProjection, id, "field %q: change %s is on version %d, and version %d was there", field, r.change, r.version, rebuilt[field].version)
		}
		r.version++ // the base's, so far
		rebuilt[field] = r
	}, changes, c.id, entity, id)
	return rebuilt, err
}

func (c *checker) unit(t *tx, unit string) error {
	rebuilt, err := c.rebuild(t, unitEntity, unit)
	if err != nil {
		return err
	}
	key, err := t.personKey(unit, false)
	if err != nil && !errors.Is(err, ErrErased) {
		c.find(CheckSeal, unit, "%v", err)
	}
	readable := err == nil
	household, status := "", fieldRow{}
	var photo sealedPhoto
	const current = `SELECT field, version, key_version, change_id, sealed FROM unit_field WHERE org_id = $1 AND unit_id = $2`
	err = t.fieldRows(func(field string, r fieldRow) {
		want, ok := rebuilt[field]
		delete(rebuilt, field)
		if !ok || !r.same(want) {
			c.find(CheckProjection, unit, "field %q is not what its change sets say", field)
		}
		if !readable {
			return
		}
		c.counts[CheckSeal]++
		if field == registry.PhotoField { // when no row is open: its key is another query
			photo = sealedPhoto{r.change, r.sealed, r.keyVersion}
			return
		}
		value, err := key.open(changePlace(c.id, unit, field, r.change, r.keyVersion), r.sealed)
		if err != nil {
			c.find(CheckSeal, unit, "field %q does not open", field)
		}
		switch field {
		case householdField:
			household = ownText(value)
		case statusField:
			status, status.sealed = r, value
		}
	}, current, c.id, unit)
	if err != nil {
		return err
	}
	for field := range rebuilt {
		c.find(CheckProjection, unit, "field %q has change sets and no current row", field)
	}
	if readable {
		if err := c.closing(t, unit, key, photo, status); err != nil {
			return err
		}
	}
	var member string
	if _, err := t.find(`SELECT household_id FROM membership WHERE org_id = $1 AND person_id = $2`, []any{c.id, unit}, &member); err != nil {
		return err
	}
	if member != household {
		c.find(CheckProjection, unit, "she is a member of household %q, and her change sets say %q", member, household)
	}
	return nil
}

// closing proves that a photograph opens, and that the list of what is closed says of a
// record what its status does.
func (c *checker) closing(t *tx, unit string, key personKey, p sealedPhoto, status fieldRow) error {
	var value []byte
	if p.change != "" {
		var gone bool
		var err error
		if value, gone, err = t.openPhoto(unit, key, p); errors.Is(err, ErrWrongKey) {
			c.find(CheckSeal, unit, "the photograph does not open")
		} else if err != nil {
			return err
		}
		if gone {
			c.find(CheckSeal, unit, "its photograph was destroyed, and it still has it")
		}
	}
	var form int
	if _, err := t.find(`SELECT form FROM organisation WHERE id = $1`, []any{c.id}, &form); err != nil || form < todaysForm {
		return err
	}
	var at, closed int64
	var photo bool
	listed, err := t.find(`SELECT at, photo FROM closing WHERE org_id = $1 AND unit_id = $2`, []any{c.id, unit}, &at, &photo)
	if err != nil {
		return err
	}
	if registry.Closed(status.sealed) {
		if _, err := t.find(`SELECT at FROM change_set WHERE org_id = $1 AND id = $2`, []any{c.id, status.change}, &closed); err != nil {
			return err
		}
	}
	if listed != (closed > 0) || listed && (at != closed || photo != (value != nil)) {
		c.find(CheckProjection, unit, "what its term counts from is not what its change sets say")
	}
	return nil
}

func (t *tx) fieldRows(yield func(field string, r fieldRow), query string, args ...any) error {
	rows, err := t.query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var field string
		var r fieldRow
		if err := rows.Scan(&field, &r.version, &r.keyVersion, &r.change, &r.sealed); err != nil {
			return err
		}
		yield(field, r)
	}
	return rows.Err()
}

// plans does the same for programmes and entitlements, and opens the mappings of imports
// and what wallets were asked.
func (c *checker) plans() error {
	return c.view(c.ctx, "rebuild plans", func(t *tx) error {
		if err := c.programmes(t); err != nil {
			return err
		}
		if err := c.entitlements(t); err != nil {
			return err
		}
		strays, err := c.strings(`SELECT entity_id FROM change_set c WHERE org_id = $1
			AND (entity = 'programme' AND NOT EXISTS (SELECT 1 FROM programme p WHERE p.org_id = $1 AND p.code = c.entity_id)
			OR entity = 'entitlement' AND NOT EXISTS (SELECT 1 FROM entitlement e WHERE e.org_id = $1 AND e.id = c.entity_id))`, c.id)
		if err != nil {
			return err
		}
		for _, id := range strays {
			c.find(CheckProjection, id, "a change of a programme or entitlement that is not there")
		}
		if err := c.mappings(t); err != nil {
			return err
		}
		if err := c.batches(t); err != nil {
			return err
		}
		return c.requests(t)
	})
}

func (c *checker) programmes(t *tx) error {
	current := map[string]fieldRow{}
	const query = `SELECT code, version, $2, COALESCE(change_id, ''), COALESCE(sealed, '') FROM programme WHERE org_id = $1`
	err := t.fieldRows(func(code string, r fieldRow) { current[code] = r }, query, c.id, ownKeyVersion)
	if err != nil {
		return err
	}
	for code, r := range current {
		rebuilt, err := c.rebuild(t, programmeEntity, code)
		if err != nil {
			return err
		}
		want, planned := rebuilt[planField]
		if !planned && r.version == 0 {
			continue
		}
		if !planned || len(rebuilt) > 1 || !r.same(want) {
			c.find(CheckProjection, code, "the programme is not what its change sets say")
		}
		c.counts[CheckSeal]++
		if _, err := c.own.open(programmePlace(c.id, code, r.change), r.sealed); err != nil {
			c.find(CheckSeal, code, "the programme's plan does not open")
		}
	}
	return nil
}

func (c *checker) entitlements(t *tx) error {
	ids, err := c.strings(`SELECT id FROM entitlement WHERE org_id = $1 ORDER BY unit_id, id`, c.id)
	if err != nil {
		return err
	}
	for _, id := range ids {
		var row entitlementRow
		const find = `SELECT ` + entitlementColumns + ` FROM entitlement WHERE org_id = $1 AND id = $2`
		if ok, err := t.find(find, []any{c.id, id}, row.into()...); err != nil || !ok {
			return err
		}
		rebuilt, err := c.rebuild(t, entitlementEntity, id)
		if err != nil {
			return err
		}
		if want := rebuilt[planField]; len(rebuilt) != 1 || !want.same(fieldRow{row.version, row.keyVersion, row.change, row.sealed}) {
			c.find(CheckProjection, id, "the entitlement is not what its change sets say")
		}
		c.counts[CheckSeal]++
		if _, err := t.openEntitlement(row); err != nil && !errors.Is(err, ErrErased) {
			c.find(CheckSeal, id, "the entitlement does not open")
		}
	}
	return nil
}

func (c *checker) mappings(t *tx) error {
	return t.fieldRows(func(id string, r fieldRow) {
		c.counts[CheckSeal]++
		if _, err := c.own.open(importPlace(c.id, id), r.sealed); err != nil {
			c.find(CheckSeal, id, "the mapping of the import does not open")
		}
	}, `SELECT id, 0, 0, '', plan FROM import_file WHERE org_id = $1`, c.id)
}
