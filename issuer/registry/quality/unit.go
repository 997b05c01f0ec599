package quality

import (
	"errors"
	"fmt"

	"aidpass/issuer/registry"
)

// A Unit is whom a card is for, with what is known around: a person with her
// household, or a household with its members.
type Unit struct {
	ID        registry.ID
	Person    *registry.Person    // nil: the unit is a household
	Household *registry.Household // of a person: the one she is a member of; nil: none
	Members   []Member            // of a household
	Doubles   int                 // possible doubles of the unit that nobody has decided
}

// A Member of a household.
type Member struct {
	ID     registry.ID
	Person registry.Person
}

// A Reader reads units out of one transaction.
type Reader struct {
	view    registry.View
	doubles map[registry.ID]int
}

// NewReader returns a Reader. It reads the list of open doubles once.
func NewReader(v registry.View) (*Reader, error) {
	pairs, err := v.Doubles(false)
	if err != nil {
		return nil, fmt.Errorf("quality: %w", err)
	}
	r := &Reader{view: v, doubles: map[registry.ID]int{}}
	for _, p := range pairs {
		r.doubles[p.A]++
		r.doubles[p.B]++
	}
	return r, nil
}

// Unit reads a person or household and what Completeness and Judge need around it.
// Its errors are those of View.Record.
func (r *Reader) Unit(id registry.ID) (Unit, error) {
	rec, err := r.view.Record(id)
	if err != nil {
		return Unit{}, fmt.Errorf("quality: %w", err)
	}
	return r.UnitOf(rec)
}

// UnitOf is Unit of a record that was read in the same transaction.
func (r *Reader) UnitOf(rec registry.Record) (Unit, error) {
	id := rec.ID
	u := Unit{ID: id, Doubles: r.doubles[id]}
	if rec.Kind == registry.KindPerson {
		p, err := rec.Person()
		if err != nil {
			return Unit{}, fmt.Errorf("quality: %w", err)
		}
		u.Person = &p
		if !rec.Household.IsZero() {
			u.Household, err = r.household(rec.Household)
		}
		return u, err
	}
	if rec.Kind != registry.KindHousehold {
		return Unit{}, fmt.Errorf("quality: record %s is a %s, not a person or household", id, rec.Kind)
	}
	h, err := rec.HouseholdRecord()
	if err != nil {
		return Unit{}, fmt.Errorf("quality: %w", err)
	}
	u.Household = &h
	ids, err := r.view.Members(id)
	if err != nil {
		return Unit{}, fmt.Errorf("quality: %w", err)
	}
	for _, member := range ids {
		rec, err := r.view.Record(member)
		if err != nil {
			return Unit{}, fmt.Errorf("quality: %w", err)
		}
		p, err := rec.Person()
		if err != nil {
			return Unit{}, fmt.Errorf("quality: %w", err)
		}
		u.Doubles += r.doubles[member]
		u.Members = append(u.Members, Member{member, p})
	}
	return u, nil
}

// household is nil for one that was erased: its people are on record still.
func (r *Reader) household(id registry.ID) (*registry.Household, error) {
	rec, err := r.view.Record(id)
	if errors.Is(err, registry.ErrErased) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("quality: %w", err)
	}
	h, err := rec.HouseholdRecord()
	if err != nil {
		return nil, fmt.Errorf("quality: %w", err)
	}
	return &h, nil
}

// active returns the members that are still with the household.
func (u Unit) active() []Member {
	var out []Member
	for _, m := range u.Members {
		if state(m.Person.Status) == active {
			out = append(out, m)
		}
	}
	return out
}

// counted reports whether the household is judged by its own fields: nobody's
// details are on record but, it may be, those of its head.
func (u Unit) counted() bool {
	return u.Person == nil && (u.Household.CollectType == "size_only" || len(u.active()) == 0)
}

// face returns the member by whose name the household goes: its head, else its
// focal point, else the first who has a name. false: nobody.
func (u Unit) face() (Member, bool) {
	members := u.active()
	for _, want := range []string{u.Household.Head, u.Household.FocalPoint} {
		for _, m := range members {
			if want != "" && m.ID.String() == want {
				return m, true
			}
		}
	}
	for _, m := range members {
		if hasName(m.Person) {
			return m, true
		}
	}
	if len(members) > 0 {
		return members[0], true
	}
	return Member{}, false
}

const active = "active"

func state(s *registry.Status) string {
	if s == nil || s.State == "" {
		return active
	}
	return s.State
}

// Active reports whether a record is in use and not set aside: only such are measured
// (DOMAIN.md A31).
func Active(s *registry.Status) bool { return state(s) == active }
