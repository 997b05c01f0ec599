package export

import (
	"context"
	"errors"
	"fmt"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

// A house is what stands together in a file: a household with its members, or
// somebody without one (household is nil then).
type house struct {
	id        registry.ID
	record    registry.Record
	household *registry.Household
	ref       string // what it goes by
	members   []person
}

// A person of a house.
type person struct {
	id     registry.ID
	record registry.Record
	registry.Person
	ref string
}

// pageOf is how many ids are asked for at a time.
const pageOf = 500

// reader walks the records of one transaction.
type reader struct {
	view registry.View
	opt  *Options
	sum  *Summary
	ctx  context.Context
	// about takes whose rows are written.
	about *[]registry.ID
	// again: the walk is not the first, so nothing is counted.
	again bool
	under *rights.Agreement // nil: own use
	day   string            // today
	told  int               // rows that Progress was told of
}

func (r *reader) left(why string) {
	if !r.again {
		r.sum.LeftOut[why]++
	}
}

// each calls yield for the houses of a kind: households with their members, or people
// without one, in the order of their ids, and for others in one that is the file's own.
// Twice in one transaction it goes the same way.
func (r *reader) each(kind registry.Kind, yield func(*house) error) error {
	if r.under == nil {
		return r.pages(kind, func(ids []registry.ID) error { return r.houses(ids, kind, yield) })
	}
	var all []registry.ID
	err := r.pages(kind, func(ids []registry.ID) error {
		all = append(all, ids...)
		return nil
	})
	if err != nil {
		return err
	}
	inFileOrder(r.opt.pseudonym, all)
	return r.houses(all, kind, yield)
}

// pages calls fn with the ids of a kind.
func (r *reader) pages(kind registry.Kind, fn func([]registry.ID) error) error {
	for after := (registry.ID{}); ; {
		ids, err := r.view.Units(kind, after, pageOf)
		if err == nil {
			err = fn(ids)
		}
		if err != nil || len(ids) < pageOf {
			return err
		}
		after = ids[len(ids)-1]
	}
}

func (r *reader) houses(ids []registry.ID, kind registry.Kind, yield func(*house) error) error {
	for _, id := range ids {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		h, err := r.house(id, kind)
		switch {
		case errors.Is(err, registry.ErrErased) || errors.Is(err, registry.ErrNotFound):
			r.left(LeftErased)
		case err != nil:
			return err
		case h != nil:
			if err := yield(h); err != nil {
				return err
			}
			if err := r.progress(); err != nil {
				return err
			}
		}
	}
	return nil
}

// tellEvery is after how many households and people Options.Progress is told.
const tellEvery = 500

func (r *reader) progress() error {
	rows := r.sum.Households + r.sum.People
	if r.opt.Progress == nil || rows < r.told+tellEvery {
		return nil
	}
	r.told = rows
	return r.opt.Progress(r.told)
}

// read is a record as the file may have it: for others without the numbers of lists,
// unless the agreement names them.
func (r *reader) read(id registry.ID) (registry.Record, error) {
	rec, err := r.view.Record(id)
	if r.under != nil && !r.under.Numbers {
		rec.Source, rec.External = "", ""
	}
	return rec, err
}

// all is each for households, then for people without one.
func (r *reader) all(yield func(*house) error) error {
	if err := r.each(registry.KindHousehold, yield); err != nil {
		return err
	}
	return r.each(registry.KindPerson, yield)
}

// house reads a household, or a person who has none; nil for what does not belong
// into the file.
func (r *reader) house(id registry.ID, kind registry.Kind) (*house, error) {
	record, err := r.read(id)
	if err != nil {
		return nil, err
	}
	h := &house{id: id, record: record, ref: r.name(record)}
	var members []registry.ID
	if kind == registry.KindPerson {
		if !record.Household.IsZero() {
			// With her household, if that is in the file; else it is as if she had none.
			if in, err := r.active(record.Household); err != nil || in {
				return nil, err
			}
		}
		members = []registry.ID{id}
	} else {
		household, err := record.HouseholdRecord()
		if err != nil {
			return nil, err
		}
		if !isActive(household.Status) {
			r.left(LeftClosed)
			return nil, nil
		}
		h.household = &household
		if members, err = r.view.Members(id); err != nil {
			return nil, err
		}
	}
	due, err := r.due(id)
	if err != nil {
		return nil, err
	}
	for _, member := range members {
		p, err := r.person(member)
		if err != nil {
			return nil, err
		}
		if !isActive(p.Status) {
			r.left(LeftClosed)
			continue
		}
		if !due { // a household not due itself is there for members who are
			if yes, err := r.due(member); err != nil || !yes {
				if err != nil {
					return nil, err
				}
				continue
			}
		}
		h.members = append(h.members, p)
	}
	if len(h.members) == 0 && (!due || h.household == nil) || !r.goes(h) {
		return nil, nil
	}
	return h, nil
}

func (r *reader) person(id registry.ID) (p person, err error) {
	if p.record, err = r.read(id); err != nil {
		return p, err
	}
	p.id, p.ref = id, r.name(p.record)
	p.Person, err = p.record.Person()
	return p, err
}

// active reports whether a household is in use.
func (r *reader) active(id registry.ID) (bool, error) {
	record, err := r.view.Record(id)
	if errors.Is(err, registry.ErrErased) || errors.Is(err, registry.ErrNotFound) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	h, err := record.HouseholdRecord()
	return isActive(h.Status), err
}

// due reports whether a unit is due something in the round that was asked for.
func (r *reader) due(id registry.ID) (bool, error) {
	if r.opt.Programme == "" {
		return true, nil
	}
	e, err := r.view.Entitlement(id, r.opt.Programme, r.opt.Round)
	if errors.Is(err, registry.ErrNotFound) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("export: %w", err)
	}
	return e.Status != registry.Cancelled, nil
}

func isActive(s *registry.Status) bool { return s == nil || s.State == "" || s.State == "active" }
