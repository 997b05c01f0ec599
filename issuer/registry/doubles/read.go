package doubles

import (
	"errors"
	"slices"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/match"
)

// page is how many records are read in one transaction: writers and the write-ahead log
// do not wait for a run.
const page = 500

// readAll reads everybody: household by household, so that each of them is read once, and
// then those of none.
func (r *run) readAll() error {
	seen := make(map[registry.ID]struct{}, r.mark.People)
	person := func(v registry.View, id registry.ID, home registry.ID) error {
		if _, ok := seen[id]; ok {
			return nil
		}
		seen[id] = struct{}{}
		r.tell(r.done + 1)
		return r.add(v, id)
	}
	err := r.pages(registry.KindHousehold, 100, func(v registry.View, id registry.ID) error {
		members, err := v.Members(id)
		if err != nil || len(members) == 0 {
			return err
		}
		for _, m := range members {
			if err := person(v, m, id); err != nil {
				return err
			}
		}
		delete(r.homes, id)
		return nil
	})
	if err != nil {
		return err
	}
	return r.pages(registry.KindPerson, page, func(v registry.View, id registry.ID) error { return person(v, id, registry.ID{}) })
}

// pages calls each with all records of a kind, a transaction for a page.
func (r *run) pages(kind registry.Kind, size int, each func(registry.View, registry.ID) error) error {
	for after := (registry.ID{}); ; {
		more := false
		err := r.desk.Store.View(r.ctx, func(v registry.View) error {
			ids, err := v.Units(kind, after, size)
			if err != nil {
				return err
			}
			for _, id := range ids {
				if err := each(v, id); err != nil {
					return err
				}
			}
			if more = len(ids) == size; len(ids) > 0 {
				after = ids[len(ids)-1]
			}
			return nil
		})
		if err = errors.Join(err, r.ctx.Err()); err != nil || !more {
			return err
		}
	}
}

// readChanged takes who was changed out of the index, and reads those who are in use anew.
func (r *run) readChanged() error {
	r.index = r.index.Without(func(id registry.ID) bool { return r.again[id] })
	r.from = r.index.Len()
	list := make([]registry.ID, 0, len(r.again))
	for id := range r.again {
		list = append(list, id)
	}
	slices.SortFunc(list, func(a, b registry.ID) int { return slices.Compare(a[:], b[:]) })
	r.of = 2 * max(len(list), 1)
	for p := range slices.Chunk(list, page) {
		err := r.desk.Store.View(r.ctx, func(v registry.View) error {
			for _, id := range p {
				r.tell(r.done + 1)
				if err := r.add(v, id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// add reads a record into the index, if it is a person's in use.
func (r *run) add(v registry.View, id registry.ID) error {
	rec, err := v.Record(id)
	if errors.Is(err, registry.ErrErased) || errors.Is(err, registry.ErrNotFound) || err == nil && rec.Kind != registry.KindPerson {
		return nil
	}
	if err != nil {
		return err
	}
	r.rep.Read++
	p, err := rec.Person()
	if err != nil {
		return err
	}
	if !p.Status.Living() {
		return nil
	}
	home, err := r.home(v, rec.Household)
	if err != nil {
		return err
	}
	n := r.index.Add(match.FromPerson(id, p, rec.Household, home, r.desk.Store.Hash))
	if r.sample != nil {
		r.sample.see(n, id, rec.Household, p, home)
	}
	return nil
}

// home is what of a household is compared; nil: none, or nothing is known of it any more.
func (r *run) home(v registry.View, id registry.ID) (*registry.Household, error) {
	if id.IsZero() {
		return nil, nil
	}
	if h, ok := r.homes[id]; ok {
		return h, nil
	}
	rec, err := v.Record(id)
	if errors.Is(err, registry.ErrErased) || errors.Is(err, registry.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	h, err := rec.HouseholdRecord()
	if err != nil {
		return nil, err
	}
	r.homes[id] = &registry.Household{Size: h.Size, Location: h.Location, Contacts: h.Contacts, Registered: h.Registered}
	return r.homes[id], nil
}
