// Package importstest has a store of imports in memory, for tests of what stands on
// package imports, and the suite that every imports.Store passes.
package importstest

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"aidpass/access"
	"aidpass/issuer/registry/imports"
)

// Memory is an imports.Store that forgets. The zero value is empty and ready.
type Memory struct {
	mu   sync.Mutex
	data data
}

type data struct {
	imports        map[string]imports.Import
	files, reports map[string][]byte
	log            []access.Entry
}

func (d data) clone() data {
	c := data{maps.Clone(d.imports), maps.Clone(d.files), maps.Clone(d.reports), slices.Clone(d.log)}
	if c.imports == nil {
		c.imports, c.files, c.reports = map[string]imports.Import{}, map[string][]byte{}, map[string][]byte{}
	}
	return c
}

// Log is what was done, oldest first.
func (m *Memory) Log() []access.Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.data.log)
}

// ReadImports implements imports.Store.
func (m *Memory) ReadImports(ctx context.Context, work func(imports.View) error) error {
	m.mu.Lock()
	d := m.data.clone()
	m.mu.Unlock()
	return errors.Join(ctx.Err(), work(&tx{data: d}))
}

// WriteImports implements imports.Store.
func (m *Memory) WriteImports(ctx context.Context, by access.Actor, work func(imports.Tx) error) error {
	if err := errors.Join(by.Check(), ctx.Err()); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	t := &tx{data: m.data.clone(), by: by}
	if err := work(t); err != nil {
		return err
	}
	if t.changed && len(t.log) == len(m.data.log) {
		return errors.New("importstest: a change without an entry in the log")
	}
	m.data = t.data
	return nil
}

type tx struct {
	data
	by      access.Actor
	changed bool
}

func copied(m imports.Import) imports.Import {
	m.Mends, m.Plan = slices.Clone(m.Mends), slices.Clone(m.Plan)
	if m.Counts != nil {
		c := *m.Counts
		m.Counts = &c
	}
	if m.Review != nil {
		r := *m.Review
		m.Review = &r
	}
	return m
}

func (t *tx) Import(id string) (imports.Import, error) {
	m, ok := t.imports[id]
	if !ok {
		return m, imports.ErrNotFound
	}
	return copied(m), nil
}

func (t *tx) Imports() (list []imports.Import, err error) {
	for _, m := range t.imports {
		list = append(list, copied(m))
	}
	slices.SortFunc(list, func(a, b imports.Import) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.ID, b.ID)) })
	return list, nil
}

func (t *tx) bytes(from map[string][]byte, id string) ([]byte, error) {
	if _, err := t.Import(id); err != nil {
		return nil, err
	}
	b, ok := from[id]
	if !ok {
		return nil, imports.ErrGone
	}
	return slices.Clone(b), nil
}

func (t *tx) File(id string) ([]byte, error)   { return t.bytes(t.files, id) }
func (t *tx) Report(id string) ([]byte, error) { return t.bytes(t.reports, id) }

func (t *tx) Save(m imports.Import) error {
	if t.imports[m.ID].Version != m.Version {
		return imports.ErrConflict
	}
	t.changed = true
	m = copied(m)
	m.Version++
	t.imports[m.ID] = m
	return nil
}

func (t *tx) SaveFile(id string, b []byte) error {
	t.changed, t.files[id] = true, slices.Clone(b)
	return nil
}

func (t *tx) SaveReport(id string, b []byte) error {
	t.changed, t.reports[id] = true, slices.Clone(b)
	return nil
}

func (t *tx) Drop(id string) error {
	t.changed = true
	delete(t.files, id)
	delete(t.reports, id)
	return nil
}

func (t *tx) Audit(e access.Entry) error {
	e.Actor = t.by
	t.log = append(t.log, e)
	return nil
}
