// Package records is a desk at which staff work on one record at a time: they find a
// person or household, read it, correct it while others do the same, and part, join
// and close what lives change. What they read and change is package registry's; this
// one puts together what stands on a screen, and tells the log of every look.
//
// Two people who edit one record lose nothing: see [Desk.Save].
package records

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

// A Store is where the records are, the cards made for them, and the log.
type Store interface {
	rights.Store
	Cards(ctx context.Context, s issuer.Selection) ([]issuer.Card, error)
	FindCredentials(ctx context.Context, text string) ([]issuer.Credential, error)
	Note(ctx context.Context, by access.Actor, e access.Entry) error
	NoteAbout(ctx context.Context, by access.Actor, e access.Entry, about []registry.ID) error
	EraseAll(ctx context.Context, by access.Actor, ids []registry.ID, reason string, before, after func(rights.Tx) error) error
}

// A Desk works on one organisation's records.
type Desk struct {
	Store   Store
	Country string // ISO 3166-1 alpha-3 of the organisation: of telephones without a code
	Now     func() time.Time

	entries entries
}

func (d *Desk) registry(by access.Actor) *registry.Registry {
	return &registry.Registry{Store: d.Store, Actor: by, Now: d.Now}
}

// A Line tells in a list who is meant. It never gets into an error or a log.
type Line struct {
	ID        registry.ID
	Kind      registry.Kind
	Name      registry.Name // of a household: of its head, or its first member; may be empty
	Relation  string        // of a member, to the head of her household
	Number    string        // that a list has for it
	List      string
	Born      *registry.Birth
	Household registry.ID // of a person; zero: none
	House     string      // its number
	Size      int         // of the household
	Closed    string      // why it is closed; "erased" for what cannot be read any more
	Photo     bool
	Face      registry.ID // whose picture there is: hers, or of a household hers whose name it has; zero: none
	Cards     []string    // numbers of those that are good or on hold; of a head with her household's
	Undecided bool        // two values of it wait for a decision
}

// Erased is Line.Closed of a record that was erased.
const Erased = "erased"

// Gone reports whether a line is of what was erased: there is nothing to open.
func (l Line) Gone() bool { return l.Closed == Erased }

// lines reads a line for each id.
func (d *Desk) lines(ctx context.Context, ids []registry.ID) ([]Line, error) {
	list := make([]Line, len(ids))
	err := d.Store.View(ctx, func(v registry.View) error {
		for i, id := range ids {
			var err error
			if list[i], err = ReadLine(v, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || len(ids) == 0 {
		return list, err
	}
	of := map[registry.ID][]int{} // whose cards are told in which lines
	for i, l := range list {
		of[l.ID] = append(of[l.ID], i)
		if l.Relation == registry.Head && !l.Household.IsZero() {
			of[l.Household] = append(of[l.Household], i)
		}
	}
	cards, err := d.Store.Cards(ctx, issuer.Selection{Units: slices.Collect(maps.Keys(of)), Active: true})
	for _, c := range cards {
		for _, i := range of[c.Unit] {
			if !slices.Contains(list[i].Cards, c.CardNumber) {
				list[i].Cards = append(list[i].Cards, c.CardNumber)
			}
		}
	}
	return list, err
}

// Lines are records as a list has them, in the order of their ids. The log tells with e
// whose they were.
func (d *Desk) Lines(ctx context.Context, by access.Actor, e access.Entry, ids []registry.ID) ([]Line, error) {
	list, err := d.lines(ctx, ids)
	if err != nil || len(ids) == 0 {
		return list, err
	}
	return list, d.Store.NoteAbout(ctx, by, e, ids)
}

// ReadLine reads the line of a record, without its cards.
func ReadLine(v registry.View, id registry.ID) (l Line, err error) {
	l.ID = id
	rec, err := v.Record(id)
	if errors.Is(err, registry.ErrErased) {
		l.Closed = Erased
		return l, nil
	}
	if err != nil {
		return l, err
	}
	l.Kind, l.Number, l.List = rec.Kind, rec.External, rec.Source
	open, err := rec.Undecided()
	if err != nil {
		return l, err
	}
	l.Undecided = len(open) > 0
	switch rec.Kind {
	case registry.KindPerson:
		p, err := rec.Person()
		if err != nil {
			return l, err
		}
		l.person(p)
		if l.Photo {
			l.Face = id
		}
		l.close(p.Status)
		if rec.Household.IsZero() {
			return l, nil
		}
		home, err := ReadLine(v, rec.Household)
		l.Household, l.House, l.Size = rec.Household, home.Number, home.Size
		return l, err
	case registry.KindHousehold:
		return l, l.household(v, rec)
	}
	return l, nil
}

// household takes what a household's line has, with the name of its head.
func (l *Line) household(v registry.View, rec registry.Record) error {
	h, err := rec.HouseholdRecord()
	if err != nil {
		return err
	}
	l.Size = h.Size
	l.close(h.Status)
	members, err := v.Members(rec.ID)
	if err != nil {
		return err
	}
	living := 0
	for _, m := range members {
		rec, err := v.Record(m)
		if errors.Is(err, registry.ErrErased) {
			continue
		}
		if err != nil {
			return err
		}
		p, err := rec.Person()
		if err != nil {
			return err
		}
		if !p.Status.Living() {
			continue
		}
		if living++; living == 1 || m.String() == h.Head || h.Head == "" && p.Relation == registry.Head {
			l.person(p)
			if l.Face = (registry.ID{}); l.Photo {
				l.Face = m
			}
			l.Photo, l.Relation = false, ""
		}
	}
	if l.Size == 0 {
		l.Size = living
	}
	return nil
}

func (l *Line) person(p registry.Person) {
	l.Name, l.Born, l.Relation, l.Photo = registry.Name{}, p.Birth, p.Relation, len(p.Photo) > 0
	if len(p.Names) > 0 {
		l.Name = p.Names[0]
	}
}

func (l *Line) close(status *registry.Status) {
	if !status.Living() {
		l.Closed = status.Reason
		if l.Closed == "" {
			l.Closed = status.State
		}
	}
}

// A Query looks for records. One of Text, Document and Phone is filled.
type Query struct {
	Text     string // a number of a card or list, an id, or words of a name
	List     string // name of the list whose numbers are meant; empty: the organisation's own, and those on cards
	Year     int    // of birth, where Text is a name; 0: any
	Document string // number of a document
	Type     string // of the document: see registry.DocumentTypes
	Country  string // of the document or telephone; empty: the organisation's
	Phone    string
}

// ErrQuery is a Query that cannot be looked for: too short, or no telephone.
var ErrQuery = errors.New("records: that cannot be looked for")

// Find looks for people and households: the likeliest registry.MostFound, with how many
// there are. Numbers of documents and telephones are compared by their marks alone.
// The log is told who was shown, and not what was typed.
func (d *Desk) Find(ctx context.Context, by access.Actor, q Query) (found []Line, total int, err error) {
	ids, total, err := d.find(ctx, by, q)
	if err != nil {
		return nil, 0, err
	}
	total = max(total, len(ids))
	ids = ids[:min(len(ids), registry.MostFound)]
	if found, err = d.lines(ctx, ids); err != nil {
		return nil, 0, err
	}
	e := access.Entry{Action: "person.find", Object: "registry", Detail: fmt.Sprintf("found=%d", total)}
	return found, total, d.Store.NoteAbout(ctx, by, e, ids)
}

func (d *Desk) find(ctx context.Context, by access.Actor, q Query) (ids []registry.ID, total int, err error) {
	q.Text = strings.TrimSpace(q.Text)
	if q.Text != "" {
		if ids, err = d.numbered(ctx, q); err != nil || len(ids) > 0 {
			return ids, len(ids), err
		}
		if len(registry.NameKeys(q.Text)) == 0 {
			return nil, 0, nil // a number that nobody has
		}
		found, err := d.registry(by).FindNames(ctx, q.Text, q.Year)
		for _, m := range found.Matches {
			ids = append(ids, m.Record.ID)
		}
		return ids, found.Total, err
	}
	country := q.Country
	if country == "" {
		country = d.Country
	}
	home, _ := registry.Country(country)
	key := registry.Key{Kind: registry.KeyPhone}
	if q.Document != "" {
		doc, _ := registry.ParseDocument(q.Type, q.Country, q.Document)
		key = registry.DocumentKey(doc)
	} else if e164, ok := registry.NormalisePhone(q.Phone, home); ok {
		key.Text = e164
	}
	if key.Text == "" {
		return nil, 0, ErrQuery
	}
	err = d.Store.View(ctx, func(v registry.View) error {
		ids, err = v.Lookup(key)
		return err
	})
	return ids, len(ids), err
}

// numbered are the records that a text names: an id, a number of a list or a card.
func (d *Desk) numbered(ctx context.Context, q Query) (ids []registry.ID, err error) {
	id, notID := registry.ParseID(q.Text)
	err = d.Store.View(ctx, func(v registry.View) error {
		if notID == nil {
			rec, err := v.Record(id)
			if err == nil && (rec.Kind == registry.KindPerson || rec.Kind == registry.KindHousehold) {
				ids = append(ids, id)
			}
			if errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrErased) {
				err = nil
			}
			return err
		}
		for _, kind := range []registry.Kind{registry.KindPerson, registry.KindHousehold} {
			id, ok, err := v.Find(kind, q.List, q.Text)
			if err != nil {
				return err
			}
			if ok {
				ids = append(ids, id)
			}
		}
		return nil
	})
	if err != nil || len(ids) > 0 || q.List != "" {
		return ids, err
	}
	cards, err := d.Store.FindCredentials(ctx, q.Text)
	for _, c := range cards {
		if !slices.Contains(ids, c.Unit) {
			ids = append(ids, c.Unit)
		}
	}
	return ids, err
}

// Undecided are the records of which something waits for a decision.
func (d *Desk) Undecided(ctx context.Context, by access.Actor) (list []Line, err error) {
	ids, err := d.open(ctx)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	ids = ids[:min(len(ids), 200)]
	if list, err = d.lines(ctx, ids); err != nil {
		return nil, err
	}
	return list, d.Store.NoteAbout(ctx, by, access.Entry{Action: "person.find", Object: "registry", Detail: fmt.Sprintf("undecided=%d", len(ids))}, ids)
}

func (d *Desk) open(ctx context.Context) (ids []registry.ID, err error) {
	err = d.Store.View(ctx, func(v registry.View) error {
		ids, err = v.Lookup(registry.OpenKey)
		return err
	})
	return ids, err
}

// Open counts what waits for people: records of which something is undecided, pairs of
// records that may be one person and were not put off, and since when the oldest of those does.
func (d *Desk) Open(ctx context.Context) (undecided, doubles int, since time.Time, err error) {
	err = d.Store.View(ctx, func(v registry.View) error {
		ids, err := v.Lookup(registry.OpenKey)
		if err != nil {
			return err
		}
		c, err := v.CountDoubles(d.Now())
		undecided, since = len(ids), c.Oldest
		doubles = c.Of[registry.StateReview] + c.Of[registry.StateTold]
		return err
	})
	return undecided, doubles, since, err
}

// Headless are the households whose head was erased and that have none since: neither by
// name nor by the relation of a member.
func (d *Desk) Headless(ctx context.Context) (list []registry.ID, err error) {
	err = d.Store.View(ctx, func(v registry.View) error {
		ids, err := v.Lookup(registry.HeadlessKey)
		if err != nil {
			return err
		}
		for _, id := range ids {
			rec, err := v.Record(id)
			if errors.Is(err, registry.ErrErased) {
				continue
			}
			if err != nil {
				return err
			}
			h, err := rec.HouseholdRecord()
			if err != nil {
				return err
			}
			led, err := led(v, id)
			if err != nil {
				return err
			}
			if h.Headless() && h.Status.Living() && !led {
				list = append(list, id)
			}
		}
		return nil
	})
	return list, err
}

// led reports whether a living member of a household is its head by relation.
func led(v registry.View, household registry.ID) (bool, error) {
	members, err := v.Members(household)
	if err != nil {
		return false, err
	}
	for _, id := range members {
		l, err := ReadLine(v, id)
		if err != nil {
			return false, err
		}
		if l.Closed == "" && l.Relation == registry.Head {
			return true, nil
		}
	}
	return false, nil
}

// Numbered are the records of a kind that a number of a card or list, or an id, names.
func (d *Desk) Numbered(ctx context.Context, text string, kind registry.Kind) (ids []registry.ID, err error) {
	all, err := d.numbered(ctx, Query{Text: strings.TrimSpace(text)})
	if err != nil {
		return nil, err
	}
	err = d.Store.View(ctx, func(v registry.View) error {
		for _, id := range all {
			_, err := recordOf(v, id, kind)
			if errors.Is(err, registry.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return nil
	})
	return ids, err
}
