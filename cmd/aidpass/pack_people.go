package main

import (
	"slices"
	"time"

	"aidpass/issuer/registry"
	"aidpass/verifier"
)

// expectedUnit is what an expected list tells of one unit.
type expectedUnit struct {
	names, alternates []string
	size              uint64
	photo             []byte
	facesRefused      bool // she refused her photo at the table
}

// expected reads a unit's row: of a household who holds its card, else its head, who
// is not named on a card but by whom the family is known. Nil for one that is closed
// or gone. Who refused to be named at the table (registry.NameAtTable), as staff
// records it for a protected person too, has no name in it.
func expected(v registry.View, unit registry.ID, at time.Time) (*expectedUnit, error) {
	rec, err := v.Record(unit)
	if err != nil {
		return nil, absent(err)
	}
	out := new(expectedUnit)
	if rec.Kind != registry.KindHousehold {
		p, err := rec.Person()
		if err != nil || !registry.InUse(p.Status) {
			return nil, err
		}
		out.show(&p)
		return out, nil
	}
	h, err := rec.HouseholdRecord()
	if err != nil || !registry.InUse(h.Status) {
		return nil, err
	}
	if h.Size > 0 && h.Size <= registry.LargestHousehold {
		out.size = uint64(h.Size) // as declared: what the card's size band says
	}
	if registry.Refused(h.Consents, registry.NameAtTable) {
		out.facesRefused = registry.Refused(h.Consents, registry.PhotoAtTable)
		return out, nil
	}
	held := false
	for _, c := range h.Collectors {
		if !c.Serves(at) {
			continue
		}
		held = held || c.Role == registry.Primary
		if err := out.collector(v, c); err != nil {
			return nil, err
		}
	}
	if !held && h.Head != "" {
		return out, out.collector(v, registry.Collector{Person: h.Head, Role: registry.Primary})
	}
	return out, nil
}

// collector adds one who may fetch: the holder's names and photo, an alternate's name.
func (u *expectedUnit) collector(v registry.View, c registry.Collector) error {
	if c.External != "" {
		if c.Role == registry.Primary {
			u.names = appendNames(u.names, c.External)
		} else {
			u.alternates = appendNames(u.alternates, c.External)
		}
		return nil
	}
	id, err := registry.ParseID(c.Person)
	if err != nil {
		return err
	}
	rec, err := v.Record(id)
	if err != nil {
		return absent(err)
	}
	p, err := rec.Person()
	switch {
	case err != nil || !registry.InUse(p.Status):
		return err
	case c.Role == registry.Primary:
		u.show(&p)
	case !registry.Refused(p.Consents, registry.NameAtTable):
		u.alternates = appendNames(u.alternates, p.DisplayName())
	}
	return nil
}

// show takes names and photo of who holds the card, as she lets them be shown.
func (u *expectedUnit) show(p *registry.Person) {
	if !registry.Refused(p.Consents, registry.NameAtTable) {
		u.names = appendNames(u.names, p.DisplayName())
		for _, n := range p.Names {
			u.names = appendNames(u.names, n.Text)
		}
	}
	if registry.Refused(p.Consents, registry.PhotoAtTable) {
		u.facesRefused, u.photo = true, nil
	} else if u.photo == nil && !u.facesRefused {
		u.photo = p.Photo
	}
}

// appendNames adds a name once, as far as a row holds it.
func appendNames(list []string, name string) []string {
	if name == "" || len(name) > verifier.MaxNameBytes || len(list) == verifier.MaxNames || slices.Contains(list, name) {
		return list
	}
	return append(list, name)
}
