package registrytest

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

// ReadRights is View, with papers.
func (s *Store) ReadRights(ctx context.Context, fn func(rights.View) error) error {
	return s.View(ctx, func(v registry.View) error { return fn(v.(*tx)) })
}

// WriteRights is Update, with papers.
func (s *Store) WriteRights(ctx context.Context, by access.Actor, fn func(rights.Tx) error) error {
	return s.Update(ctx, by, func(t registry.Tx) error { return fn(t.(*tx)) })
}

func (t *tx) Paper(kind rights.Kind, id string) (rights.Paper, error) {
	for _, p := range t.s.papers {
		if p.Kind == kind && p.ID == id {
			return p, nil
		}
	}
	return rights.Paper{}, rights.ErrNoPaper
}

func (t *tx) Papers(kind rights.Kind, unit registry.ID) (list []rights.Paper, err error) {
	for _, p := range t.s.papers {
		if p.Kind == kind && (unit.IsZero() || p.Unit == unit) {
			list = append(list, p)
		}
	}
	return list, nil
}

func (t *tx) SavePaper(p rights.Paper) error {
	was := slices.Clone(t.s.papers)
	t.then(func() { t.s.papers = was })
	i := slices.IndexFunc(t.s.papers, func(o rights.Paper) bool { return o.Kind == p.Kind && o.ID == p.ID })
	if i < 0 {
		t.s.papers = append(t.s.papers, p)
		return nil
	}
	t.s.papers[i] = p
	return nil
}

func (t *tx) Handed(action access.Action, about registry.ID) (objects []string, err error) {
	for _, e := range t.s.about[about] {
		if e.Action == action && e.Object != "" {
			objects = append(objects, e.Object)
		}
	}
	return objects, nil
}

// Closings reads every record: there are few.
func (t *tx) Closings(before time.Time, photos bool) (list []rights.Closing, err error) {
	for id := range t.s.records {
		if c, ok, _ := t.Closing(id); ok && c.At.Before(before) && (c.Photo || !photos) {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b rights.Closing) int {
		return cmp.Or(a.At.Compare(b.At), bytes.Compare(a.Unit[:], b.Unit[:]))
	})
	return list, nil
}

func (t *tx) Closing(id registry.ID) (c rights.Closing, ok bool, err error) {
	r, err := t.get(id)
	if err != nil {
		return c, false, nil
	}
	status := r.Fields["status"]
	return rights.Closing{Unit: id, At: status.At, Photo: r.Fields[registry.PhotoField].Data != nil}, registry.Closed(status.Data), nil
}

// EraseAll erases several; an error of before or after leaves all of them.
func (s *Store) EraseAll(ctx context.Context, by access.Actor, ids []registry.ID, reason string, before, after func(rights.Tx) error) error {
	return s.WriteRights(ctx, by, func(own rights.Tx) error {
		if before != nil {
			if err := before(own); err != nil {
				return err
			}
		}
		t := own.(*tx)
		for _, id := range ids {
			r := t.s.records[id]
			if r == nil {
				return registry.ErrNotFound
			}
			was, papers, names := *r, slices.Clone(t.s.papers), maps.Clone(t.s.names)
			t.then(func() { *r, t.s.papers, t.s.names = was, papers, names })
			t.erase(r, reason)
		}
		if after != nil {
			return after(own)
		}
		return nil
	})
}
