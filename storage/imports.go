package storage

import (
	"context"
	"errors"
	"fmt"

	"aidpass/access"
	"aidpass/issuer/registry/imports"
)

var (
	_ imports.Store    = (*Org)(nil)
	_ imports.Register = (*Org)(nil)
)

// ReadImports implements imports.Store.
func (o *Org) ReadImports(ctx context.Context, work func(imports.View) error) error {
	var own error
	err := o.view(ctx, "read imports", func(t *tx) error {
		own = work(&importTx{t: t})
		return own
	})
	if own != nil {
		return own
	}
	return err
}

// WriteImports implements imports.Store.
func (o *Org) WriteImports(ctx context.Context, by access.Actor, work func(imports.Tx) error) error {
	var own error
	err := o.update(ctx, by, "write imports", func(t *tx) error {
		i := &importTx{t: t}
		if own = work(i); own != nil {
			return own
		}
		if i.changed && !i.told {
			return errors.New("a change without an entry in the log")
		}
		return nil
	})
	if own != nil && !errors.Is(err, ErrFull) {
		return own
	}
	return err
}

// importTx is a transaction about imports.
type importTx struct {
	t             *tx
	changed, told bool // what needs an entry; that there is one
}

func (i *importTx) Import(id string) (m imports.Import, err error) {
	var sealed []byte
	ok, err := i.t.find(`SELECT sealed FROM import WHERE org_id = $1 AND id = $2`, []any{i.t.o.id, id}, &sealed)
	if err == nil && !ok {
		err = imports.ErrNotFound
	}
	if err != nil {
		return m, err
	}
	return i.open(id, sealed)
}

func (i *importTx) open(id string, sealed []byte) (m imports.Import, err error) {
	if err = i.t.o.openOwn("import", id, sealed, &m); err == nil && m.ID != id {
		err = fmt.Errorf("import %s: another import's row", id)
	}
	return m, err
}

func (i *importTx) Imports() (list []imports.Import, err error) {
	a := &accessTx{t: i.t}
	err = a.sealedRows(func(id string, sealed []byte) error {
		m, err := i.open(id, sealed)
		list = append(list, m)
		return err
	}, `SELECT id, sealed FROM import WHERE org_id = $1 ORDER BY at DESC, id`, i.t.o.id)
	return list, err
}

func importPartPlace(org, id, part string) place {
	return place{org, "import_part", part, id, ownKeyVersion}
}

func (i *importTx) part(id, part string) ([]byte, error) {
	if _, err := i.Import(id); err != nil {
		return nil, err
	}
	var sealed []byte
	ok, err := i.t.find(`SELECT bytes FROM import_part WHERE org_id = $1 AND id = $2 AND part = $3`, []any{i.t.o.id, id, part}, &sealed)
	if err == nil && !ok {
		err = imports.ErrGone
	}
	if err != nil {
		return nil, err
	}
	b, err := i.t.o.own.open(importPartPlace(i.t.o.id, id, part), sealed)
	if err != nil {
		return nil, fmt.Errorf("import %s, %s: %w", id, part, err)
	}
	return b, nil
}

func (i *importTx) File(id string) ([]byte, error)   { return i.part(id, "file") }
func (i *importTx) Report(id string) ([]byte, error) { return i.part(id, "report") }

func (i *importTx) Save(m imports.Import) error {
	i.changed = true
	seen := m.Version
	m.Version++
	sealed, err := i.t.o.ownSealed("import", m.ID, m)
	if err != nil {
		return err
	}
	query := `UPDATE import SET version = version + 1, sealed = $4 WHERE org_id = $1 AND id = $2 AND version = $3`
	args := []any{i.t.o.id, m.ID, seen, sealed}
	if seen == 0 {
		query = `INSERT INTO import (org_id, id, version, at, sealed) VALUES ($1, $2, $3 + 1, $5, $4) ON CONFLICT (org_id, id) DO NOTHING`
		args = append(args, m.At.UnixMicro())
	}
	n, err := i.t.exec(query, args...)
	if err == nil && n == 0 {
		err = imports.ErrConflict
	}
	return err
}

func (i *importTx) savePart(id, part string, b []byte) error {
	i.changed = true
	const save = `INSERT INTO import_part (org_id, id, part, bytes) VALUES ($1, $2, $3, $4) ON CONFLICT (org_id, id, part) DO UPDATE SET bytes = excluded.bytes`
	_, err := i.t.exec(save, i.t.o.id, id, part, i.t.o.own.seal(importPartPlace(i.t.o.id, id, part), b))
	return err
}

func (i *importTx) SaveFile(id string, b []byte) error   { return i.savePart(id, "file", b) }
func (i *importTx) SaveReport(id string, b []byte) error { return i.savePart(id, "report", b) }

func (i *importTx) Drop(id string) error {
	i.changed = true
	_, err := i.t.exec(`DELETE FROM import_part WHERE org_id = $1 AND id = $2`, i.t.o.id, id)
	return err
}

func (i *importTx) Audit(e access.Entry) error {
	i.told = true
	return i.t.audit(e)
}

// imports proves that what is sealed of imports opens in its place.
func (c *checker) imports() error {
	return c.view(c.ctx, "check imports", func(t *tx) error {
		i := &importTx{t: t}
		all, err := t.texts(`SELECT id FROM import WHERE org_id = $1`, c.id)
		if err != nil {
			return err
		}
		for _, id := range all {
			c.counts[CheckSeal]++
			m, err := i.Import(id)
			if err != nil {
				c.find(CheckSeal, "import "+id, "%v", err)
				continue
			}
			for _, part := range []func(string) ([]byte, error){i.File, i.Report} {
				if _, err := part(id); err != nil && !errors.Is(err, imports.ErrGone) {
					c.find(CheckSeal, "import "+id, "%v", err)
				} else if err == nil && m.Gone {
					c.find(CheckSeal, "import "+id, "has a file that was to be destroyed")
				}
			}
		}
		return nil
	})
}
