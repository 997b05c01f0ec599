package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"aidpass/access"
)

// A Registry does the acts of a registration desk on an organisation's records, in
// the name of an actor. Each act is one transaction: done or not done.
type Registry struct {
	Store Store
	Actor access.Actor
	Now   func() time.Time
	Pairs PairRules // of DecideDouble
}

// A Conflict tells which field somebody else changed meanwhile. It is ErrConflict.
type Conflict struct {
	ID    ID
	Field string
	By    string // account
	At    time.Time
}

func (c *Conflict) Error() string {
	return fmt.Sprintf("registry: record %s: %s changed field %q at %s, after it was read: look at it again",
		c.ID, c.By, c.Field, c.At.UTC().Format(time.RFC3339))
}

// Unwrap makes a Conflict ErrConflict.
func (c *Conflict) Unwrap() error { return ErrConflict }

// ErrClosed is an act on a record that is not in use any more.
var ErrClosed = errors.New("registry: the record is closed")

// An Entry is somebody to be entered: the person, the list she stands in, and the
// household she is a member of.
type Entry struct {
	Source    string // name of the list; may be empty
	External  string // her identifier there; empty for one entered by hand
	Household ID     // zero: none
	Person    Person
}

// Entered says what became of an Entry.
type Entered struct {
	Saved
	Doubles []Double // who she may be already; stored for a decision
}

// Enter stores a person, new or known by her identifier, and looks for records that
// may be the same person. Finding some never keeps her from being entered.
func (r *Registry) Enter(ctx context.Context, e Entry) (out Entered, err error) {
	err = r.Store.Update(ctx, r.Actor, func(tx Tx) error {
		out, err = Enter(tx, r.Now(), e)
		return err
	})
	return out, err
}

// Enter is Registry.Enter inside a transaction of the caller's. A field that the
// entry does not have is left as it is.
func Enter(tx Tx, now time.Time, e Entry) (out Entered, err error) {
	fields, err := e.Person.Fields()
	if err != nil {
		return out, err
	}
	c := Change{Kind: KindPerson, Source: e.Source, External: e.External, Fields: fields, Household: e.Household}
	known := false
	if e.External != "" {
		if _, known, err = tx.Find(c.Kind, c.Source, c.External); err != nil {
			return out, err
		}
	}
	if !known {
		c.Keys = Keys(e.Person)
		if out.Saved, err = tx.Save(c); err != nil {
			return out, err
		}
		out.Doubles, err = findDoubles(tx, now, out.ID, c.Keys)
		return out, err
	}
	if out.Saved, err = tx.Save(c); err != nil || out.Changed == 0 {
		return out, err
	}
	out.Doubles, err = refresh(tx, now, out.ID)
	return out, err
}

// EnterHousehold stores a household, new or known by its identifier in a list.
func (r *Registry) EnterHousehold(ctx context.Context, source, external string, h Household) (saved Saved, err error) {
	fields, err := h.Fields()
	if err != nil {
		return saved, err
	}
	err = r.Store.Update(ctx, r.Actor, func(tx Tx) error {
		saved, err = tx.Save(Change{Kind: KindHousehold, Source: source, External: external, Fields: fields})
		return err
	})
	return saved, err
}

// Edit sets fields of a record, each one item of deterministic CBOR or nil to remove
// it. base holds the version of each field that the author saw; a field without one
// is set whatever it was. Another current version is a *Conflict and nothing is
// written. Doubles that the change brings to light are stored.
func (r *Registry) Edit(ctx context.Context, id ID, fields map[string][]byte, base map[string]int64) (saved Saved, err error) {
	err = r.Store.Update(ctx, r.Actor, func(tx Tx) error {
		rec, err := tx.Record(id)
		if err != nil {
			return err
		}
		saved, err = r.edit(tx, rec, fields, base)
		return err
	})
	return saved, err
}

func (r *Registry) edit(tx Tx, rec Record, fields map[string][]byte, base map[string]int64) (saved Saved, err error) {
	for field, seen := range base {
		if now := rec.Fields[field]; now.Version != seen {
			return saved, &Conflict{ID: rec.ID, Field: field, By: now.By, At: now.At}
		}
	}
	if saved, err = tx.Save(Change{ID: rec.ID, Fields: fields, Base: base}); err != nil || saved.Changed == 0 {
		return saved, err
	}
	if rec.Kind != KindPerson {
		if _, set := fields[UndecidedField]; set {
			rec.Fields = map[string]Value{UndecidedField: {Data: fields[UndecidedField]}}
			_, err = tx.Save(Change{ID: rec.ID, Keys: OpenKeys(rec)})
		}
		return saved, err
	}
	_, err = refresh(tx, r.Now(), rec.ID)
	return saved, err
}

// EditPerson changes a person as it was read: the fields that change touches are
// set, provided nobody else has set them since.
func (r *Registry) EditPerson(ctx context.Context, seen Record, change func(*Person) error) (Saved, error) {
	p, err := seen.Person()
	if err != nil {
		return Saved{}, err
	}
	if err := change(&p); err != nil {
		return Saved{}, err
	}
	fields, err := p.Fields()
	if err != nil {
		return Saved{}, err
	}
	return r.editTo(ctx, seen, fields, personFields)
}

// EditHousehold is EditPerson for a household.
func (r *Registry) EditHousehold(ctx context.Context, seen Record, change func(*Household) error) (Saved, error) {
	h, err := seen.HouseholdRecord()
	if err != nil {
		return Saved{}, err
	}
	if err := change(&h); err != nil {
		return Saved{}, err
	}
	fields, err := h.Fields()
	if err != nil {
		return Saved{}, err
	}
	return r.editTo(ctx, seen, fields, householdFields)
}

func (r *Registry) editTo(ctx context.Context, seen Record, fields map[string][]byte, known []string) (Saved, error) {
	fields = difference(seen, fields, known)
	base := make(map[string]int64, len(fields))
	for name := range fields {
		base[name] = seen.Fields[name].Version
	}
	return r.Edit(ctx, seen.ID, fields, base)
}

// difference is what to write so that a record has these fields: those that differ,
// and nil for those that went. Fields this program does not know stay.
func difference(rec Record, fields map[string][]byte, known []string) map[string][]byte {
	out := map[string][]byte{}
	for _, name := range known {
		old := rec.Fields[name].Data
		if now := fields[name]; !bytes.Equal(old, now) || (old == nil) != (now == nil) {
			out[name] = now
		}
	}
	return out
}

var (
	personFields    = append(jsonNames(reflect.TypeFor[Person]()), PhotoField)
	householdFields = jsonNames(reflect.TypeFor[Household]())
)

func jsonNames(t reflect.Type) (names []string) {
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "-" {
			names = append(names, name)
		}
	}
	return names
}

// readPerson and readHousehold read a record of their kind.
func readPerson(v View, id ID) (Record, Person, error) {
	rec, err := v.Record(id)
	if err != nil {
		return rec, Person{}, fmt.Errorf("registry: person %s: %w", id, err)
	}
	if rec.Kind != KindPerson {
		return rec, Person{}, fmt.Errorf("registry: %s is a %s and no person", id, rec.Kind)
	}
	p, err := rec.Person()
	return rec, p, err
}

func readHousehold(v View, id ID) (Record, Household, error) {
	rec, err := v.Record(id)
	if err != nil {
		return rec, Household{}, fmt.Errorf("registry: household %s: %w", id, err)
	}
	if rec.Kind != KindHousehold {
		return rec, Household{}, fmt.Errorf("registry: %s is a %s and no household", id, rec.Kind)
	}
	h, err := rec.HouseholdRecord()
	return rec, h, err
}

// readMembers reads the living persons of a household.
func readMembers(v View, household ID) (members []Member, err error) {
	ids, err := v.Members(household)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		_, p, err := readPerson(v, id)
		if err != nil {
			return nil, err
		}
		if p.Status.Living() {
			members = append(members, Member{id, p})
		}
	}
	return members, nil
}

// savePerson and saveHousehold write what differs from the record.
func savePerson(tx Tx, rec Record, p Person) error {
	fields, err := p.Fields()
	if err == nil {
		_, err = tx.Save(Change{ID: rec.ID, Fields: difference(rec, fields, personFields)})
	}
	return err
}

func saveHousehold(tx Tx, rec Record, h Household) error {
	fields, err := h.Fields()
	if err == nil {
		_, err = tx.Save(Change{ID: rec.ID, Fields: difference(rec, fields, householdFields)})
	}
	return err
}

// A Group is a household as it is read: itself, and its living members.
type Group struct {
	Record    Record
	Household Household
	Members   []Member
}

// Household reads a household and its living members.
func (r *Registry) Household(ctx context.Context, id ID) (g Group, err error) {
	err = r.Store.View(ctx, func(v View) error {
		if g.Record, g.Household, err = readHousehold(v, id); err == nil {
			g.Members, err = readMembers(v, id)
		}
		return err
	})
	return g, err
}

// Move makes a person a member of another household, or of none for the zero ID. Both
// count one less and one more where their sizes were those on record. A household
// that nobody is left in is closed (ReasonEmptied) and its cards are stopped; it is
// opened again when somebody moves back. The card of one where others stay is the
// caller's to think of: see Rehouse, and Split for several who leave.
func (r *Registry) Move(ctx context.Context, person, household ID) error {
	return r.Store.Update(ctx, r.Actor, func(tx Tx) error {
		rec, p, err := readPerson(tx, person)
		if err != nil {
			return err
		}
		if household == rec.Household && p.Status.Living() {
			return nil
		}
		return r.move(tx, rec, p, household, nil)
	})
}

// move is Move inside a transaction, of somebody who lives elsewhere, with other fields of
// hers that change with it.
func (r *Registry) move(tx Tx, rec Record, p Person, household ID, fields map[string][]byte) error {
	if !p.Status.Living() {
		return fmt.Errorf("registry: person %s: %w", rec.Called(), ErrClosed)
	}
	change := Change{ID: rec.ID, Household: household, LeaveHousehold: household.IsZero(), Fields: fields}
	if !household.IsZero() {
		if err := r.receive(tx, household, Member{rec.ID, p}); err != nil {
			return err
		}
	}
	if _, err := tx.Save(change); err != nil || rec.Household.IsZero() {
		return err
	}
	return r.leave(tx, rec.Household, Member{rec.ID, p})
}

// receive makes a household ready for one more.
func (r *Registry) receive(tx Tx, household ID, who Member) error {
	rec, h, err := readHousehold(tx, household)
	if err != nil {
		return err
	}
	others, err := readMembers(tx, household)
	if err != nil {
		return err
	}
	switch {
	case !h.Status.Living() && h.Status.Reason == ReasonEmptied:
		h.Status = nil
	case !h.Status.Living():
		return fmt.Errorf("registry: household %s: %w", rec.Called(), ErrClosed)
	case h.Size > 0 && h.Size == counted(others):
		h.Size += counted([]Member{who})
	}
	return saveHousehold(tx, rec, h)
}

// leave counts one less, and closes the household whose last member has left, so that
// it is due nothing and gets no card. One that counts people who are not on record
// goes on.
func (r *Registry) leave(tx Tx, household ID, who Member) error {
	rec, h, err := readHousehold(tx, household)
	if errors.Is(err, ErrErased) {
		return nil
	}
	if err != nil || !h.Status.Living() {
		return err
	}
	left, err := readMembers(tx, household)
	if err != nil {
		return err
	}
	if len(left) == 0 && h.Size <= 1 {
		h.Status = &Status{State: StateClosed, Reason: ReasonEmptied, Date: r.today()}
		if _, err := tx.StopCards([]ID{household}, "registry"); err != nil {
			return err
		}
	} else if h.Size > 1 && h.Size == counted(left)+counted([]Member{who}) {
		h.Size = counted(left)
	}
	return saveHousehold(tx, rec, h)
}

func (r *Registry) today() string { return r.Now().UTC().Format(time.DateOnly) }
