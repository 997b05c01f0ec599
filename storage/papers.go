package storage

import (
	"context"
	"database/sql"
	"fmt"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

// ReadRights implements rights.Store.
func (o *Org) ReadRights(ctx context.Context, fn func(rights.View) error) error {
	return o.View(ctx, func(v registry.View) error { return fn(v.(records)) })
}

// WriteRights implements rights.Store.
func (o *Org) WriteRights(ctx context.Context, by access.Actor, fn func(rights.Tx) error) error {
	return o.Update(ctx, by, func(tx registry.Tx) error { return fn(tx.(records)) })
}

func paperPlace(org string, kind rights.Kind, id string, version int64) place {
	return place{org, "paper", "sealed/" + string(kind), id, version}
}

func (r records) SavePaper(p rights.Paper) error {
	t := r.t
	var unit any
	if !p.Unit.IsZero() {
		unit = p.Unit.String()
	}
	seal, version := t.o.own, int64(0)
	if p.Private {
		key, err := t.personKey(p.Unit.String(), true)
		if err != nil {
			return fmt.Errorf("storage: save %s %s: %w", p.Kind, p.ID, err)
		}
		seal, version = key.sealer, key.version
	}
	const save = `INSERT INTO paper (org_id, kind, id, unit_id, at, key_version, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (org_id, kind, id) DO UPDATE SET unit_id = excluded.unit_id, key_version = excluded.key_version, sealed = excluded.sealed`
	_, err := t.exec(save, t.o.id, string(p.Kind), p.ID, unit, p.At.UnixMicro(), version, seal.seal(paperPlace(t.o.id, p.Kind, p.ID, version), p.Data))
	return err
}

func (r records) Paper(kind rights.Kind, id string) (rights.Paper, error) {
	list, err := r.papers(`kind = $2 AND id = $3`, string(kind), id)
	if err == nil && len(list) == 0 {
		err = rights.ErrNoPaper
	}
	if err != nil {
		return rights.Paper{}, err
	}
	return list[0], nil
}

func (r records) Papers(kind rights.Kind, unit registry.ID) ([]rights.Paper, error) {
	if unit.IsZero() {
		return r.papers(`kind = $2`, string(kind))
	}
	// kind || '', where kind would do: else SQLite reads all of a kind by the primary key, and
	// of one exercise that is everybody.
	return r.papers(`kind || '' = $2 AND unit_id = $3`, string(kind), unit.String())
}

// papers reads those of a condition, oldest first.
func (r records) papers(where string, args ...any) (list []rights.Paper, err error) {
	t := r.t
	rows, err := t.query(`SELECT kind, id, unit_id, at, key_version, sealed FROM paper WHERE org_id = $1 AND `+where+` ORDER BY at, id`,
		append([]any{t.o.id}, args...)...)
	if err != nil {
		return nil, err
	}
	type sealedPaper struct {
		rights.Paper
		version int64
		sealed  []byte
	}
	var all []sealedPaper
	for rows.Next() {
		var p sealedPaper
		var unit sql.NullString
		var at int64
		if err = rows.Scan(&p.Kind, &p.ID, &unit, &at, &p.version, &p.sealed); err == nil && unit.Valid {
			p.Unit, err = registry.ParseID(unit.String)
		}
		if err != nil {
			break
		}
		p.At, p.Private = microTime(at), p.version > 0
		all = append(all, p)
	}
	if e := rows.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = rows.Err()
	}
	if err != nil {
		return nil, err
	}
	for _, p := range all { // when no row is open: a key is another query
		seal := t.o.own
		if p.Private {
			key, err := t.personKey(p.Unit.String(), false)
			if err != nil {
				return nil, fmt.Errorf("storage: %s %s: %w", p.Kind, p.ID, err)
			}
			seal = key.sealer
		}
		if p.Data, err = seal.open(paperPlace(t.o.id, p.Kind, p.ID, p.version), p.sealed); err != nil {
			return nil, fmt.Errorf("storage: %s %s: %w", p.Kind, p.ID, err)
		}
		list = append(list, p.Paper)
	}
	return list, nil
}

func (r records) Handed(action access.Action, about registry.ID) ([]string, error) {
	return r.t.texts(`SELECT a.object FROM audit_about b JOIN audit a ON a.org_id = b.org_id AND a.seq = b.seq
		WHERE b.org_id = $1 AND b.unit_id = $2 AND a.action = $3 AND a.object <> '' ORDER BY a.seq`, r.t.o.id, about.String(), string(action))
}

// papers proves that what is sealed of papers opens in its place.
func (c *checker) papers() error {
	return c.view(c.ctx, "check papers", func(t *tx) error {
		for _, kind := range append(rights.Kinds(), exercisePaper) {
			ids, err := t.texts(`SELECT id FROM paper WHERE org_id = $1 AND kind = $2`, c.id, string(kind))
			if err != nil {
				return err
			}
			for _, id := range ids {
				c.counts[CheckSeal]++
				if _, err := (records{t}).Paper(kind, id); err != nil {
					c.find(CheckSeal, string(kind)+" "+id, "%v", err)
				}
			}
		}
		return nil
	})
}

var (
	_ rights.Store = (*Org)(nil)
	_ rights.Tx    = records{}
)
