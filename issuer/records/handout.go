package records

import (
	"context"
	"errors"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// A Holder is who gets the paper of a card: her name, her household's number, and where
// they stay.
type Holder struct {
	Line
	Name  string             // of the person, or of who fetches for the household, else of its head; may be empty
	House string             // number of the household; empty: none
	Place *registry.Location // nil: not known
}

// Holders are those of units, in the order of their ids, for who hands out the paper. The
// log tells with e whose they were; of what was erased there is a line that is closed.
func (d *Desk) Holders(ctx context.Context, by access.Actor, e access.Entry, units []registry.ID) ([]Holder, error) {
	list := make([]Holder, len(units))
	var about []registry.ID
	err := d.Store.View(ctx, func(v registry.View) (err error) {
		about = append(about, units...)
		for i, id := range units {
			h := &list[i]
			if h.Line, err = ReadLine(v, id); err != nil {
				return err
			}
			h.Name, h.House = h.Line.Name.Text, h.Line.House
			if h.Gone() {
				continue
			}
			home := h.Household
			if h.Kind == registry.KindHousehold {
				home, h.House = id, h.Number
			}
			person, err := h.read(v, id, home)
			if err != nil {
				return err
			}
			if !person.IsZero() {
				about = append(about, person)
			}
		}
		return nil
	})
	if err != nil || len(units) == 0 {
		return list, err
	}
	return list, d.Store.NoteAbout(ctx, by, e, about)
}

// read adds where they stay, and of a household who fetches for it: whose id it returns,
// where she is on record.
func (h *Holder) read(v registry.View, id, home registry.ID) (person registry.ID, err error) {
	if home.IsZero() {
		rec, err := v.Record(id)
		if err != nil {
			return person, err
		}
		p, err := rec.Person()
		h.Place = p.Location
		return person, err
	}
	rec, err := v.Record(home)
	if errors.Is(err, registry.ErrErased) {
		return person, nil
	}
	if err != nil {
		return person, err
	}
	house, err := rec.HouseholdRecord()
	if err != nil {
		return person, err
	}
	h.Place = house.Location
	if h.Kind != registry.KindHousehold {
		return person, nil
	}
	named := house.Head
	for _, c := range house.Collectors {
		if c.Role == registry.Primary && c.Revoked == "" {
			if named = c.Person; named == "" {
				h.Name = c.External
			}
			break
		}
	}
	if person, err = registry.ParseID(named); err != nil {
		return registry.ID{}, nil
	}
	l, err := ReadLine(v, person)
	if errors.Is(err, registry.ErrNotFound) {
		return registry.ID{}, nil
	}
	if l.Name.Text != "" {
		h.Name = l.Name.Text
	}
	return person, err
}
