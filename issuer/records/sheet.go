package records

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/registry"
)

// A Sheet is a record with what stands around it today.
type Sheet struct {
	Record    registry.Record
	Person    registry.Person    // of a person's
	Household registry.Household // of a household's
	Home      *Line              // of a person: her household
	Members   []Line             // of a household, or who lives with a person
	Named     []Line             // people the household's record names: head, focal point, collectors
	Cards     []issuer.Card      // of the record, the newest first
	Due       []Due
	Doubles   []Pair
	Undecided []Standing
}

// A Due is what a record, or its household, has in a round.
type Due struct {
	registry.Entitlement
	Plan  registry.Programme
	Label string // of the round
	House bool   // it is her household's
}

// A Pair is a record that may be the same person, and why.
type Pair struct {
	Line
	Why string // registry.KeyDocument, registry.KeyNameYear, registry.KeyMatch
}

// A Standing is a field that two people set at once: what stands, and what else was said.
type Standing struct {
	Field  string
	Text   string         // what stands; empty: nothing
	By     registry.Rival // who set it: its account, device and time
	Rivals []registry.Rival
}

// who are the records that a sheet shows beside its own.
func (s *Sheet) who() (ids []registry.ID) {
	if s.Home != nil {
		ids = append(ids, s.Home.ID)
	}
	for _, list := range [][]Line{s.Members, s.Named} {
		for _, l := range list {
			ids = append(ids, l.ID)
		}
	}
	for _, p := range s.Doubles {
		ids = append(ids, p.ID)
	}
	return ids
}

// NamedLine is the line of somebody whom the household's record names by her id.
func (s *Sheet) NamedLine(id string) *Line {
	for i := range s.Named {
		if s.Named[i].ID.String() == id {
			return &s.Named[i]
		}
	}
	return nil
}

// Sheet reads a record of a kind and what stands around it. A record of another kind is
// registry.ErrNotFound. It is for the organisation's own staff: a party of an agreement
// reads by export.Look.
func (d *Desk) Sheet(ctx context.Context, by access.Actor, id registry.ID, kind registry.Kind) (*Sheet, error) {
	s, err := d.sheet(ctx, id, kind)
	if err != nil {
		return nil, err
	}
	if err := d.around(ctx, s); err != nil {
		return nil, err
	}
	action := access.Action("person.read")
	if kind == registry.KindHousehold {
		action = "household.read"
	}
	return s, d.Store.NoteAbout(ctx, by, access.Entry{Action: action, Object: id.String()}, s.who())
}

// sheet reads the record itself.
func (d *Desk) sheet(ctx context.Context, id registry.ID, kind registry.Kind) (*Sheet, error) {
	s := &Sheet{}
	err := d.Store.View(ctx, func(v registry.View) (err error) {
		if s.Record, err = recordOf(v, id, kind); err != nil {
			return err
		}
		if kind == registry.KindPerson {
			s.Person, err = s.Record.Person()
		} else {
			s.Household, err = s.Record.HouseholdRecord()
		}
		return err
	})
	return s, err
}

// recordOf reads a record of a kind. What was erased, or is of another kind, is not there.
func recordOf(v registry.View, id registry.ID, kind registry.Kind) (registry.Record, error) {
	rec, err := v.Record(id)
	if errors.Is(err, registry.ErrErased) || err == nil && rec.Kind != kind {
		err = registry.ErrNotFound
	}
	return rec, err
}

// Check reports whether a record of a kind is there, without reading what it says.
func (d *Desk) Check(ctx context.Context, id registry.ID, kind registry.Kind) error {
	return d.Store.View(ctx, func(v registry.View) error {
		_, err := recordOf(v, id, kind)
		return err
	})
}

// around adds what stands around a record.
func (d *Desk) around(ctx context.Context, s *Sheet) error {
	id := s.Record.ID
	err := d.Store.View(ctx, func(v registry.View) error {
		home := id
		if s.Record.Kind == registry.KindPerson {
			if home = s.Record.Household; !home.IsZero() {
				l, err := ReadLine(v, home)
				if err != nil {
					return err
				}
				s.Home = &l
			}
		}
		if err := s.members(v, home); err != nil {
			return err
		}
		if err := s.named(v); err != nil {
			return err
		}
		if err := s.due(v, home); err != nil {
			return err
		}
		pairs, err := v.DoublesWith(id)
		if err != nil {
			return err
		}
		for _, p := range registry.Pairs(pairs) {
			other := p.A
			if other == id {
				other = p.B
			}
			l, err := ReadLine(v, other)
			if err != nil {
				return err
			}
			if !l.Gone() {
				s.Doubles = append(s.Doubles, Pair{l, p.Whys[len(p.Whys)-1]})
			}
		}
		s.Undecided, err = standings(v, s.Record)
		return err
	})
	if err != nil {
		return err
	}
	s.Cards, err = d.Store.Cards(ctx, issuer.Selection{Units: []registry.ID{id}})
	slices.SortStableFunc(s.Cards, func(x, y issuer.Card) int { return int(y.IssuedAt - x.IssuedAt) })
	return err
}

func (s *Sheet) members(v registry.View, home registry.ID) error {
	if home.IsZero() {
		return nil
	}
	ids, err := v.Members(home)
	if err != nil {
		return err
	}
	for _, m := range ids {
		if m == s.Record.ID {
			continue
		}
		l, err := ReadLine(v, m)
		if err != nil {
			return err
		}
		s.Members = append(s.Members, l)
	}
	return nil
}

// named reads who else stands in a household's record.
func (s *Sheet) named(v registry.View) error {
	ids := []string{s.Household.Head, s.Household.FocalPoint}
	for _, c := range s.Household.Collectors {
		ids = append(ids, c.Person)
	}
	for _, text := range ids {
		id, err := registry.ParseID(text)
		if err != nil || s.NamedLine(text) != nil {
			continue
		}
		l, err := ReadLine(v, id)
		if errors.Is(err, registry.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		s.Named = append(s.Named, l)
	}
	return nil
}

func (s *Sheet) due(v registry.View, home registry.ID) error {
	programmes, err := v.Programmes()
	if err != nil {
		return err
	}
	for _, p := range programmes {
		unit := s.Record.ID
		house := p.Counts == registry.KindHousehold && s.Record.Kind == registry.KindPerson
		if house {
			unit = home
		}
		if unit.IsZero() {
			continue
		}
		for _, r := range p.Rounds {
			e, err := v.Entitlement(unit, p.Code, r.N)
			if errors.Is(err, registry.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			s.Due = append(s.Due, Due{e, p, r.Label, house})
		}
	}
	slices.Reverse(s.Due)
	return nil
}

// Photo is the picture of a person: JPEG, as package photo made it. registry.ErrNotFound
// where there is none.
func (d *Desk) Photo(ctx context.Context, by access.Actor, id registry.ID) ([]byte, error) {
	s, err := d.sheet(ctx, id, registry.KindPerson)
	if err == nil && !bytes.HasPrefix(s.Person.Photo, []byte{0xff, 0xd8, 0xff}) {
		err = registry.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return s.Person.Photo, d.Store.Note(ctx, by, access.Entry{Action: "person.read", Object: id.String(), Detail: "photo"})
}

// Title is what a sheet is called: her name, or the number of a household.
func (s *Sheet) Title() string {
	if s.Record.Kind == registry.KindPerson && len(s.Person.Names) > 0 {
		return s.Person.Names[0].Text
	}
	return s.Record.External
}
