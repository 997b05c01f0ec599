package records

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/rights"
)

// How the members of a household are on record (DOMAIN 3.2, collect_type).
const (
	Full     = "full"      // all of them
	Partial  = "partial"   // some
	SizeOnly = "size_only" // none: it is known how many they are
)

// A New is a person or a household as somebody at a desk is about to enter it. Nothing is
// issued by entering: a card takes a batch that a second account approved.
type New struct {
	Kind      registry.Kind
	Number    string            // in the organisation's own list, as on a paper form; empty: one is drawn
	Household registry.ID       // of a person; zero: none
	Members   string            // of a household: Full, Partial, SizeOnly
	Values    map[string]string // by field: those of Fields, and of a person "age" in the place of "birth"
}

// EnterFields are the fields of a New's Values, in the order of a paper form.
func EnterFields(kind registry.Kind) []string {
	list := slices.Clone(Fields(kind))
	if i := slices.Index(list, "birth"); i >= 0 {
		list = slices.Insert(list, i+1, "age")
	}
	return slices.DeleteFunc(list, func(f string) bool { return f == "registered" }) // it is today
}

// MaxNumber bounds New.Number, in runes.
const MaxNumber = 40

// Errors of entering.
var (
	ErrNumber   = errors.New("records: another record has this number")
	ErrNameless = errors.New("records: a person without a name")
	ErrSizeless = errors.New("records: a household without members has a size")
)

// mostBeside is how many records that may be the same person are shown beside her.
const mostBeside = 5

// A Reading is what was read of a New, and who it may be already.
type Reading struct {
	Sheet  *Sheet           // as it would be on record
	Beside []*Sheet         // of a person: records that may be hers, the likeliest first
	Why    []string         // for each of those: registry.KeyDocument, registry.KeyNameYear
	Notes  []intake.Finding // worth a second look
}

// Read reads a New as an import reads a row, and looks for records that may be the same
// person. Nothing is written but that those were looked at.
//
// Errors: *intake.Rejection for a value that an import would reject; ErrNumber,
// ErrNameless, ErrSizeless; registry.ErrNotFound and ErrClosed of the household.
func (d *Desk) Read(ctx context.Context, by access.Actor, n New) (*Reading, error) {
	var r *Reading
	err := d.Store.View(ctx, func(v registry.View) (err error) {
		if r, err = d.read(v, n); err != nil || n.Kind != registry.KindPerson {
			return err
		}
		found, err := registry.MayBe(v, r.Sheet.Person)
		if err != nil {
			return err
		}
		for _, f := range found[:min(len(found), mostBeside)] {
			s := &Sheet{}
			if s.Record, err = v.Record(f.B); err != nil {
				return err
			}
			if s.Person, err = s.Record.Person(); err != nil {
				return err
			}
			if home := s.Record.Household; !home.IsZero() {
				l, err := ReadLine(v, home)
				if err != nil {
					return err
				}
				s.Home = &l
			}
			r.Beside, r.Why = append(r.Beside, s), append(r.Why, f.Why)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var about []registry.ID
	for _, s := range r.Beside {
		about = append(about, append(s.who(), s.Record.ID)...)
	}
	if len(about) == 0 {
		return r, nil
	}
	return r, d.Store.NoteAbout(ctx, by, access.Entry{Action: "person.find", Object: "registry", Detail: fmt.Sprintf("entering=%d", len(r.Beside))}, about)
}

// read is Read without the doubles.
func (d *Desk) read(v registry.View, n New) (*Reading, error) {
	rec := registry.Record{Kind: n.Kind, Household: n.Household, Fields: map[string]registry.Value{}}
	if n.Number != "" {
		if _, taken, err := v.Find(n.Kind, "", n.Number); err != nil || taken {
			return nil, errors.Join(err, ErrNumber)
		}
		if gone, err := v.Erased(n.Kind, "", n.Number); err != nil || gone {
			return nil, errors.Join(err, ErrNumber)
		}
	}
	if !n.Household.IsZero() {
		home, err := recordOf(v, n.Household, registry.KindHousehold)
		if err != nil {
			return nil, err
		}
		h, err := home.HouseholdRecord()
		if err != nil {
			return nil, err
		}
		if !h.Status.Living() {
			return nil, registry.ErrClosed
		}
	}
	values := map[string]string{}
	for _, f := range EnterFields(n.Kind) {
		if text := strings.TrimSpace(n.Values[f]); text != "" {
			values[f] = text
		}
	}
	if len(values) > 0 {
		values["registered"] = d.Now().UTC().Format(time.DateOnly) // an age counts from then
	}
	c, err := intake.Correct(rec, values, d.options())
	if err != nil {
		return nil, err
	}
	for f, data := range c.Fields {
		rec.Fields[f] = registry.Value{Data: data}
	}
	r := &Reading{Sheet: &Sheet{Record: rec}, Notes: c.Notes}
	if n.Kind == registry.KindPerson {
		if r.Sheet.Person, err = rec.Person(); err == nil && len(r.Sheet.Person.Names) == 0 {
			err = ErrNameless
		}
		return r, err
	}
	if r.Sheet.Household, err = rec.HouseholdRecord(); err != nil {
		return nil, err
	}
	if n.Members == SizeOnly && r.Sheet.Household.Size == 0 {
		return nil, ErrSizeless
	}
	r.Sheet.Household.CollectType = n.Members
	return r, nil
}

// Enter writes a New, once it was read, and returns its id and number. Records that may be
// the same person never keep her out: they are kept as pairs that wait for a decision.
//
// A member whose relation is head becomes the household's head. A household that had as
// many people on record as it said counts one more.
//
// Errors: those of Read.
func (d *Desk) Enter(ctx context.Context, by access.Actor, n New) (id registry.ID, number string, err error) {
	grew := false
	err = d.Store.Update(ctx, by, func(tx registry.Tx) error {
		r, err := d.read(tx, n)
		if err != nil {
			return err
		}
		if number = n.Number; number == "" {
			if number, err = drawNumber(tx, n.Kind); err != nil {
				return err
			}
		}
		if n.Kind == registry.KindHousehold {
			fields, err := r.Sheet.Household.Fields()
			if err != nil {
				return err
			}
			saved, err := tx.Save(registry.Change{Kind: registry.KindHousehold, External: number, Fields: fields})
			id = saved.ID
			return err
		}
		if grew, err = grow(tx, n.Household); err != nil {
			return err
		}
		entered, err := registry.Enter(tx, d.Now(), registry.Entry{External: number, Household: n.Household, Person: r.Sheet.Person})
		if err != nil {
			return err
		}
		id = entered.ID
		if r.Sheet.Person.Relation == registry.Head {
			return leads(tx, n.Household, id)
		}
		return nil
	})
	if err != nil {
		return registry.ID{}, "", err
	}
	d.entries.put(id, entry{by.ID, d.Now(), grew})
	return id, number, nil
}

// grow lets a household that says as many people as it has on record say one more.
func grow(tx registry.Tx, household registry.ID) (grew bool, err error) {
	if household.IsZero() {
		return false, nil
	}
	rec, err := tx.Record(household)
	if err != nil {
		return false, err
	}
	h, err := rec.HouseholdRecord()
	if err != nil || h.Size == 0 {
		return false, err
	}
	living, err := livingIn(tx, household)
	if err != nil || h.Size != living {
		return false, err
	}
	size, err := registry.AppendValue(nil, int64(h.Size+1))
	if err != nil {
		return false, err
	}
	_, err = tx.Save(registry.Change{ID: household, Fields: map[string][]byte{"size": size}})
	return err == nil, err
}

// livingIn counts the members of a household whose records are in use.
func livingIn(v registry.View, household registry.ID) (n int, err error) {
	ids, err := v.Members(household)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		rec, err := v.Record(id)
		if errors.Is(err, registry.ErrErased) {
			continue
		}
		if err != nil {
			return 0, err
		}
		p, err := rec.Person()
		if err != nil {
			return 0, err
		}
		if p.Status.Living() {
			n++
		}
	}
	return n, nil
}

// leads makes somebody the head of a household that has none.
func leads(tx registry.Tx, household, id registry.ID) error {
	if household.IsZero() {
		return nil
	}
	rec, err := tx.Record(household)
	if err != nil {
		return err
	}
	h, err := rec.HouseholdRecord()
	if err != nil || h.Head != "" {
		return err
	}
	head, err := registry.AppendValue(nil, id.String())
	if err != nil {
		return err
	}
	_, err = tx.Save(registry.Change{ID: household, Fields: map[string][]byte{"head": head}})
	return err
}

// drawNumber draws a number that nobody has: eight signs that say nothing, not even how
// many were entered before, and that are read out without being mistaken.
func drawNumber(v registry.View, kind registry.Kind) (string, error) {
	const signs = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	for {
		var b [8]byte
		rand.Read(b[:]) // never fails
		for i := range b {
			b[i] = signs[b[i]%32]
		}
		number := "R-" + string(b[:4]) + "-" + string(b[4:])
		_, taken, err := v.Find(kind, "", number)
		if err == nil && !taken {
			taken, err = v.Erased(kind, "", number)
		}
		if err != nil || !taken {
			return number, err
		}
	}
}

// UndoLife is how long an entry can be taken back by who made it.
const UndoLife = 10 * time.Minute

// ErrUndo is an entry that cannot be taken back any more: its time is over, somebody else
// made or changed it, people live in it, it has a card or something is due to it, or it
// was given away. The program having been started anew is one of these too.
var ErrUndo = errors.New("records: this entry cannot be taken back")

// entries are those that were made at a desk a moment ago. A list that was imported is
// not among them: it is taken back as a whole.
type entries struct {
	mu   sync.Mutex
	list map[registry.ID]entry
}

type entry struct {
	by   string // account
	at   time.Time
	grew bool // the household counted one more
}

func (e *entries) put(id registry.ID, made entry) {
	e.mu.Lock()
	defer e.mu.Unlock()
	maps.DeleteFunc(e.list, func(_ registry.ID, old entry) bool { return made.at.Sub(old.at) > UndoLife })
	if e.list == nil {
		e.list = map[registry.ID]entry{}
	}
	e.list[id] = made
}

func (e *entries) get(id registry.ID, by string, now time.Time) (entry, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	made, ok := e.list[id]
	return made, ok && made.by == by && now.Sub(made.at) <= UndoLife
}

// Undo takes an entry back that this account made a moment ago: its key is destroyed, so
// that nothing of it can be read any more, here or in a copy (docs/decisions/0037). That
// it was there, and that it was taken back, stays in the log.
//
// Errors: ErrUndo; registry.ErrNotFound.
func (d *Desk) Undo(ctx context.Context, by access.Actor, id registry.ID, kind registry.Kind) error {
	if err := d.Check(ctx, id, kind); err != nil {
		return err
	}
	made, ok := d.entries.get(id, by.ID, d.Now())
	if !ok {
		return ErrUndo
	}
	cards, err := d.Store.Cards(ctx, issuer.Selection{Units: []registry.ID{id}})
	if err != nil || len(cards) > 0 {
		return errors.Join(err, undoErr(len(cards) > 0))
	}
	return d.Store.EraseAll(ctx, by, []registry.ID{id}, "entered-by-mistake", func(tx rights.Tx) error {
		if err := undoable(tx, by.ID, id, kind); err != nil {
			return err
		}
		return uncount(tx, id, made.grew)
	}, nil)
}

func undoErr(no bool) error {
	if no {
		return ErrUndo
	}
	return nil
}

// undoable refuses what others have done something with since it was entered.
func undoable(tx rights.Tx, account string, id registry.ID, kind registry.Kind) error {
	if _, err := recordOf(tx, id, kind); err != nil {
		return err
	}
	changes, err := tx.History(id)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(changes, func(c registry.FieldChange) bool { return c.By != account }) {
		return ErrUndo
	}
	if kind == registry.KindHousehold {
		if n, err := livingIn(tx, id); err != nil || n > 0 {
			return errors.Join(err, undoErr(n > 0))
		}
	}
	shared, err := rights.SharesOf(tx, id) // also what a party was told on a screen
	if err != nil || len(shared) > 0 {
		return errors.Join(err, undoErr(len(shared) > 0))
	}
	programmes, err := tx.Programmes()
	if err != nil {
		return err
	}
	for _, p := range programmes {
		for _, r := range p.Rounds {
			switch _, err := tx.Entitlement(id, p.Code, r.N); {
			case err == nil:
				return ErrUndo
			case !errors.Is(err, registry.ErrNotFound):
				return err
			}
		}
	}
	return nil
}

// uncount takes back what entering a member did to her household: that it counts one more,
// and that she leads it.
func uncount(tx registry.Tx, id registry.ID, grew bool) error {
	rec, err := tx.Record(id)
	if err != nil || rec.Household.IsZero() {
		return err
	}
	home, err := tx.Record(rec.Household)
	if errors.Is(err, registry.ErrErased) {
		return nil
	}
	if err != nil {
		return err
	}
	h, err := home.HouseholdRecord()
	if err != nil {
		return err
	}
	fields := map[string][]byte{}
	if h.Head == id.String() {
		fields["head"] = nil
	}
	if grew && h.Size > 1 {
		if fields["size"], err = registry.AppendValue(nil, int64(h.Size-1)); err != nil {
			return err
		}
	}
	if len(fields) == 0 {
		return nil
	}
	_, err = tx.Save(registry.Change{ID: home.ID, Fields: fields})
	return err
}
