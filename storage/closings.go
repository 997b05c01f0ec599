package storage

import (
	"errors"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

// statusField is the field of a record that says whether it is closed.
const statusField = "status"

// saveClosing keeps what a term counts from: that a record is closed, since when, and
// whether it has a photograph. status and photo say which of the two fields was written.
func (t *tx) saveClosing(r *opened, status, photo bool) error {
	unit := r.id.String()
	now := func(field string) []byte {
		if value, ok := r.next[field]; ok {
			return value
		}
		return r.current[field].value
	}
	switch {
	case status && registry.Closed(now(statusField)):
		return t.putClosing(unit, t.micros, now(registry.PhotoField) != nil)
	case status:
		_, err := t.exec(`DELETE FROM closing WHERE org_id = $1 AND unit_id = $2`, t.o.id, unit)
		return err
	case photo:
		return t.closingPhoto(unit, now(registry.PhotoField) != nil)
	}
	return nil
}

func (t *tx) putClosing(unit string, at int64, photo bool) error {
	const put = `INSERT INTO closing (org_id, unit_id, at, photo) VALUES ($1, $2, $3, $4)
		ON CONFLICT (org_id, unit_id) DO UPDATE SET at = excluded.at, photo = excluded.photo`
	_, err := t.exec(put, t.o.id, unit, at, bit(photo))
	return err
}

func (t *tx) closingPhoto(unit string, photo bool) error {
	_, err := t.exec(`UPDATE closing SET photo = $3 WHERE org_id = $1 AND unit_id = $2 AND photo <> $3`, t.o.id, unit, bit(photo))
	return err
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (r records) Closings(before time.Time, photos bool) (list []rights.Closing, err error) {
	query := `SELECT unit_id, at, photo FROM closing WHERE org_id = $1 AND at < $2 ORDER BY at, unit_id`
	if photos {
		query = `SELECT unit_id, at, photo FROM closing WHERE org_id = $1 AND at < $2 AND photo = 1 ORDER BY at, unit_id`
	}
	rows, err := r.t.query(query, r.t.o.id, before.UnixMicro())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var unit string
		var at int64
		var c rights.Closing
		if err := rows.Scan(&unit, &at, &c.Photo); err != nil {
			return nil, err
		}
		if c.Unit, err = registry.ParseID(unit); err != nil {
			return nil, err
		}
		c.At = microTime(at)
		list = append(list, c)
	}
	return list, rows.Err()
}

func (r records) Closing(id registry.ID) (c rights.Closing, ok bool, err error) {
	var at int64
	ok, err = r.t.find(`SELECT at, photo FROM closing WHERE org_id = $1 AND unit_id = $2`, []any{r.t.o.id, id.String()}, &at, &c.Photo)
	c.Unit, c.At = id, microTime(at)
	return c, ok, err
}

// listClosings makes the list of what is closed of the records themselves.
func (t *tx) listClosings() error {
	units, err := t.texts(`SELECT f.unit_id FROM unit_field f JOIN unit u ON u.org_id = f.org_id AND u.id = f.unit_id
		WHERE f.org_id = $1 AND f.field = $2 AND u.erased_at IS NULL`, t.o.id, statusField)
	if err != nil {
		return err
	}
	for _, unit := range units {
		at, photo, closed, err := t.closingOf(unit)
		if err != nil {
			return err
		}
		if closed {
			if err := t.putClosing(unit, at, photo); err != nil {
				return err
			}
		}
	}
	return nil
}

// closingOf reads out of a record what its closing says.
func (t *tx) closingOf(unit string) (at int64, photo, closed bool, err error) {
	key, err := t.personKey(unit, false)
	if errors.Is(err, ErrErased) {
		return 0, false, false, nil
	} else if err != nil {
		return 0, false, false, err
	}
	const query = `SELECT f.field, f.version, f.change_id, f.sealed, f.key_version, c.at, c.actor
		FROM unit_field f JOIN change_set c ON c.org_id = f.org_id AND c.id = f.change_id WHERE f.org_id = $1 AND f.unit_id = $2 AND f.field IN ('status', 'photo')`
	values, err := t.readFields(unit, key, query, t.o.id, unit)
	if err != nil {
		return 0, false, false, err
	}
	status := values[statusField]
	return status.at, values[registry.PhotoField].value != nil, registry.Closed(status.value), nil
}
