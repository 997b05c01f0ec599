package quality

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"aidpass/issuer/registry"
)

// A Unit is whom a card is for, with what is known around: a person with her
// household, or a household with its members.
type Unit struct {
	ID        registry.ID
	Person    *registry.Person    // nil: the unit is a household
	Household *registry.Household // of a person: the one she is a member of; nil: none
	Members   []Member            // of a household
	Doubles   []Pair              // possible doubles of it, or of a member, that nobody has decided
	// Met is when somebody last met or spoke to them by what stands beside the records:
	// contact events, and what the holder collected. Zero: nothing of the kind is known.
	Met time.Time
}

// A Pair is two records that may be one person, seen from one of them.
type Pair struct {
	Of, With registry.ID
	Told     bool // told to be one person: registry.Double.Told
}

// LastMet is when somebody last met or spoke to a unit: the newest of Met, the days of
// registration and those on which a notice was answered, hers, her household's or of a
// member in use. Zero: nothing is on record.
func (u Unit) LastMet() (met time.Time) {
	met = u.Met
	look := func(registered string, consents []registry.Consent) {
		days := []string{registered}
		for _, c := range consents {
			days = append(days, c.On)
		}
		for _, d := range days {
			if first, _, ok := (registry.Birth{EDTF: d}).Span(); ok && first.After(met) {
				met = first
			}
		}
	}
	if u.Person != nil {
		look(u.Person.Registered, u.Person.Consents)
	}
	if u.Household != nil {
		look(u.Household.Registered, u.Household.Consents)
	}
	for _, m := range u.active() {
		look(m.Person.Registered, m.Person.Consents)
	}
	return met
}

// Collections is what a registry.View also is where what was given out is kept beside the
// records.
type Collections interface {
	// LastCollected is when something was last given to the holder of a unit's card; false:
	// nothing of the kind is on record.
	LastCollected(unit registry.ID) (time.Time, bool, error)
}

// A Member of a household.
type Member struct {
	ID     registry.ID
	Person registry.Person
}

// A Reader reads units out of one transaction.
type Reader struct {
	view    registry.View
	met     Collections            // nil: none are kept
	doubles map[registry.ID][]Pair // nil: they are asked for one by one
}

// NewReader returns a Reader of many units. It reads the list of open doubles once.
func NewReader(v registry.View) (*Reader, error) {
	pairs, err := v.Doubles(false)
	if err != nil {
		return nil, fmt.Errorf("quality: %w", err)
	}
	r := One(v)
	r.doubles = map[registry.ID][]Pair{}
	for _, d := range pairs {
		r.doubles[d.A] = addPair(r.doubles[d.A], d.A, d)
		r.doubles[d.B] = addPair(r.doubles[d.B], d.B, d)
	}
	return r, nil
}

// One returns a Reader of few units.
func One(v registry.View) *Reader {
	r := &Reader{view: v}
	r.met, _ = v.(Collections)
	return r
}

// addPair adds a double of a record. A pair that was found for two reasons is one pair.
func addPair(list []Pair, of registry.ID, d registry.Double) []Pair {
	with := d.A
	if with == of {
		with = d.B
	}
	if i := slices.IndexFunc(list, func(p Pair) bool { return p.With == with }); i >= 0 {
		list[i].Told = list[i].Told || d.Told
		return list
	}
	return append(list, Pair{of, with, d.Told})
}

// beside adds to a unit what is known beside one of its records.
func (r *Reader) beside(u *Unit, rec registry.Record) error {
	id := rec.ID
	if r.doubles != nil {
		u.Doubles = append(u.Doubles, r.doubles[id]...)
	} else {
		pairs, err := r.view.DoublesWith(id)
		if err != nil {
			return fmt.Errorf("quality: %w", err)
		}
		var open []Pair
		for _, d := range pairs {
			open = addPair(open, id, d)
		}
		for _, p := range open { // one of whom one was erased nobody can decide: it holds no card up
			if _, err := r.view.Record(p.With); errors.Is(err, registry.ErrErased) {
				continue
			} else if err != nil {
				return fmt.Errorf("quality: %w", err)
			}
			u.Doubles = append(u.Doubles, p)
		}
	}
	return r.meet(u, rec)
}

// meet adds when somebody met a record's subject: by its contact events, and by what was
// collected.
func (r *Reader) meet(u *Unit, rec registry.Record) error {
	last, ok, err := registry.LastMet(rec)
	if err != nil {
		return fmt.Errorf("quality: %w", err)
	}
	if ok && last.At.After(u.Met) {
		u.Met = last.At
	}
	if r.met == nil {
		return nil
	}
	met, ok, err := r.met.LastCollected(rec.ID)
	if err != nil {
		return fmt.Errorf("quality: %w", err)
	}
	if ok && met.After(u.Met) {
		u.Met = met
	}
	return nil
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
	u := Unit{ID: id}
	if err := r.beside(&u, rec); err != nil {
		return u, err
	}
	if rec.Kind == registry.KindPerson {
		p, err := rec.Person()
		if err != nil {
			return Unit{}, fmt.Errorf("quality: %w", err)
		}
		u.Person = &p
		if !rec.Household.IsZero() {
			u.Household, err = r.household(&u, rec.Household)
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
		if state(p.Status) == active {
			if err := r.beside(&u, rec); err != nil {
				return Unit{}, err
			}
		}
		u.Members = append(u.Members, Member{member, p})
	}
	return u, nil
}

// household is nil for one that was erased: its people are on record still.
func (r *Reader) household(u *Unit, id registry.ID) (*registry.Household, error) {
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
	return &h, r.meet(u, rec)
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
