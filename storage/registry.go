package storage

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// View implements registry.Store: fn sees one moment.
func (o *Org) View(ctx context.Context, fn func(registry.View) error) error {
	var own error
	err := o.view(ctx, "read the registry", func(t *tx) error {
		own = fn(records{t})
		return own
	})
	if own != nil {
		return own
	}
	return err
}

// Update implements registry.Store. It holds the one write lock from its
// beginning to its end: others wait for it, for half a minute, and then get
// ErrBusy. fn must not write by other methods of the store.
//
// Each act has its audit entry; where fn does more than 50, one entry of the
// action registry.save counts them, and its digest is over their change sets.
func (o *Org) Update(ctx context.Context, by access.Actor, fn func(registry.Tx) error) error {
	var own error
	var told statusLines
	err := o.update(ctx, by, "write the registry", func(t *tx) error {
		t.acts = newActs()
		if own = fn(records{t}); own != nil {
			return own
		}
		if told = t.told; told.byList != nil {
			if err := told.end(t); err != nil {
				return err
			}
		}
		return t.auditActs()
	})
	if own != nil {
		return o.noRoom(own)
	}
	if err != nil {
		return err
	}
	return told.write(ctx, o)
}

// records is a transaction as the registry sees it.
type records struct{ t *tx }

func (r records) Save(c registry.Change) (registry.Saved, error) {
	open, err := r.t.open(c)
	if err != nil {
		return registry.Saved{}, fmt.Errorf("storage: save record: %w", err)
	}
	s, err := r.t.save(open)
	if err != nil {
		return s, fmt.Errorf("storage: save record %s: %w", s.ID, err)
	}
	if e, ok := savedEntry(s); ok {
		r.t.acts.act(e)
	}
	return s, nil
}

func (r records) Note(e access.Entry) error { return r.t.audit(e) }

func (r records) NoteAbout(e access.Entry, about []registry.ID) error {
	return r.t.auditAbout(e, about)
}

func (r records) Record(id registry.ID) (registry.Record, error) { return r.t.record(id) }

func (r records) AsOf(id registry.ID, at time.Time) (registry.Record, error) {
	return r.t.recordAt(id, at)
}

func (r records) Find(kind registry.Kind, source, external string) (id registry.ID, ok bool, err error) {
	if trimmed(external) == "" {
		return id, false, nil
	}
	var text string
	const query = `SELECT id FROM unit WHERE org_id = $1 AND external_index = $2`
	if ok, err = r.t.find(query, []any{r.t.o.id, r.t.o.unitIndex(kind, source, external)}, &text); ok {
		id, err = registry.ParseID(text)
	}
	return id, ok, err
}

func (r records) Erased(kind registry.Kind, source, external string) (ok bool, err error) {
	if trimmed(external) == "" {
		return false, nil
	}
	var n int
	const query = `SELECT 1 FROM erased_number WHERE org_id = $1 AND mark = $2`
	return r.t.find(query, []any{r.t.o.id, r.t.o.erasedMark(r.t.o.unitIndex(kind, source, external))}, &n)
}

func (r records) Alias(salt []byte, id registry.ID) []byte {
	return r.t.o.index.of("export.alias", hex.EncodeToString(salt), id.String())[:10]
}

func (r records) Lookup(k registry.Key) ([]registry.ID, error) {
	const query = `SELECT k.unit_id FROM record_key k JOIN unit u ON u.org_id = k.org_id AND u.id = k.unit_id
		WHERE k.org_id = $1 AND k.mark = $2 AND u.erased_at IS NULL ORDER BY k.unit_id`
	return r.t.ids(query, r.t.o.id, r.t.o.keyMark(k))
}

func (r records) Members(household registry.ID) ([]registry.ID, error) {
	const query = `SELECT person_id FROM membership WHERE org_id = $1 AND household_id = $2 ORDER BY person_id`
	return r.t.ids(query, r.t.o.id, household.String())
}

func (r records) Units(kind registry.Kind, after registry.ID, limit int) ([]registry.ID, error) {
	const query = `SELECT id FROM unit WHERE org_id = $1 AND id > $2 AND kind = $3 AND erased_at IS NULL ORDER BY id LIMIT $4`
	from := ""
	if !after.IsZero() {
		from = after.String()
	}
	return r.t.ids(query, r.t.o.id, from, string(kind), limit)
}

// ids runs a query of one column of units.
func (t *tx) ids(query string, args ...any) (list []registry.ID, err error) {
	rows, err := t.query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		id, err := registry.ParseID(text)
		if err != nil {
			return nil, err
		}
		list = append(list, id)
	}
	return list, rows.Err()
}

// History returns every change, also of the store's own fields: unit.external,
// unit.roster and unit.household, which are texts.
func (r records) History(id registry.ID) (list []registry.FieldChange, err error) {
	t := r.t
	if _, err := t.record(id); err != nil { // not there, or erased
		return nil, err
	}
	key, err := t.personKey(id.String(), true)
	if err != nil {
		return nil, err
	}
	const query = `SELECT seq, id, field, base_version, sealed, key_version, at, actor, device
		FROM change_set WHERE org_id = $1 AND entity = 'unit' AND entity_id = $2`
	rows, err := t.query(query, t.o.id, id.String())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	photos := map[int]sealedPhoto{}
	for rows.Next() {
		var c registry.FieldChange
		var sealed []byte
		var version, at int64
		if err := rows.Scan(&c.Seq, &c.ID, &c.Field, &c.Base, &sealed, &version, &at, &c.By, &c.Device); err != nil {
			return nil, err
		}
		if c.Field == registry.PhotoField { // when no row is open: its key is another query
			photos[len(list)] = sealedPhoto{c.ID, sealed, version}
		} else if c.Data, err = key.openValue(changePlace(t.o.id, id.String(), c.Field, c.ID, version), sealed); err != nil {
			return nil, fmt.Errorf("unit %s, change %s: %w", id, c.ID, err)
		}
		c.At = microTime(at)
		list = append(list, c)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	for i, p := range photos {
		if list[i].Data, list[i].Destroyed, err = t.openPhoto(id.String(), key, p); err != nil {
			return nil, fmt.Errorf("unit %s, change %s: %w", id, p.change, err)
		}
	}
	// Sorted here: asked for it, SQLite reads all changes in their order instead of the record's by their index.
	slices.SortFunc(list, func(a, b registry.FieldChange) int { return cmp.Compare(a.Seq, b.Seq) })
	return list, nil
}

var _ registry.Tx = records{}
