// Package registrytest has a registry.Store in memory, for tests of what is built
// on one. It keeps the rules of the contract (one transaction or nothing, versions
// a field, conflicts, history, erasure) and nothing of storage's sealing.
package registrytest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"sync"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

// A Store in memory. The zero value is empty and ready.
type Store struct {
	Now func() time.Time // nil: time.Now

	// FailBefore and FailAfter, when set, fail the next Update: with nothing written, or
	// with all of it written.
	FailBefore, FailAfter error

	mu      sync.RWMutex
	records map[registry.ID]*record
	names   map[name]registry.ID
	gone    map[name]bool // of records that were erased
	plans   map[string]registry.Programme
	dues    map[due]registry.Entitlement
	pairs   []registry.Double
	imports []registry.ImportFile
	cards   map[registry.ID]int
	notes   []access.Entry
	papers  []rights.Paper
	about   map[registry.ID][]access.Entry
	seq     int64
}

type record struct {
	registry.Record
	keys    []registry.Key
	changes []registry.FieldChange
	moves   []move
	erased  bool
}

type move struct {
	at time.Time
	to registry.ID
}

type name struct {
	kind             registry.Kind
	source, external string
}

type due struct {
	unit      registry.ID
	programme string
	round     uint64
}

var _ rights.Store = (*Store)(nil)

// GiveCards gives a unit cards, for StopCards.
func (s *Store) GiveCards(unit registry.ID, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cards == nil {
		s.cards = map[registry.ID]int{}
	}
	s.cards[unit] += n
}

// CardsOf returns how many cards of a unit are good.
func (s *Store) CardsOf(unit registry.ID) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.cards[unit]
}

// Notes returns the audit entries that transactions noted.
func (s *Store) Notes() []access.Entry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.notes)
}

// Len returns the number of records of a kind that were not erased.
func (s *Store) Len(kind registry.Kind) (n int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, r := range s.records {
		if r.Kind == kind && !r.erased {
			n++
		}
	}
	return n
}

// View runs fn on the records as they are.
func (s *Store) View(_ context.Context, fn func(registry.View) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return fn(&tx{s: s})
}

// Update runs fn, and takes back what it wrote when it fails.
func (s *Store) Update(_ context.Context, by access.Actor, fn func(registry.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := by.Check(); err != nil {
		return err
	}
	if err := s.FailBefore; err != nil {
		s.FailBefore = nil
		return err
	}
	if s.records == nil {
		s.records, s.names = map[registry.ID]*record{}, map[name]registry.ID{}
		s.plans, s.dues = map[string]registry.Programme{}, map[due]registry.Entitlement{}
	}
	t := &tx{s: s, by: by, now: s.clock()}
	if err := fn(t); err != nil {
		for _, undo := range slices.Backward(t.undo) {
			undo()
		}
		return err
	}
	err := s.FailAfter
	s.FailAfter = nil
	return err
}

// Erase forgets the fields, keys and history of a record.
func (s *Store) Erase(ctx context.Context, by access.Actor, id registry.ID, reason string) error {
	return s.EraseAll(ctx, by, []registry.ID{id}, reason, nil, nil)
}

func (t *tx) erase(r *record, reason string) {
	s, id := t.s, r.ID
	if n := (name{r.Kind, r.Source, r.External}); r.External != "" {
		delete(s.names, n)
		if reason == rights.TakenBack {
			n = name{}
		}
		if s.gone == nil {
			s.gone = map[name]bool{}
		}
		s.gone[n] = true
	}
	*r = record{Record: registry.Record{ID: id, Kind: r.Kind}, erased: true}
	s.papers = slices.DeleteFunc(slices.Clone(s.papers), func(p rights.Paper) bool { return p.Private && p.Unit == id })
	s.notes = append(s.notes, access.Entry{Time: s.clock(), Actor: t.by, Action: "registry.erase", Object: id.String(), Reason: reason})
}

func (s *Store) clock() time.Time {
	if s.Now != nil {
		return s.Now().UTC()
	}
	return time.Now().UTC()
}

type tx struct {
	s    *Store
	by   access.Actor
	now  time.Time
	undo []func()
}

func (t *tx) then(undo func()) { t.undo = append(t.undo, undo) }

func (t *tx) get(id registry.ID) (*record, error) {
	r := t.s.records[id]
	switch {
	case r == nil:
		return nil, registry.ErrNotFound
	case r.erased:
		return nil, registry.ErrErased
	}
	return r, nil
}

func (t *tx) Record(id registry.ID) (registry.Record, error) {
	r, err := t.get(id)
	if err != nil {
		return registry.Record{}, err
	}
	out := r.Record
	out.Fields = maps.Clone(r.Fields)
	return out, nil
}

func (t *tx) AsOf(id registry.ID, at time.Time) (registry.Record, error) {
	r, err := t.get(id)
	if err != nil {
		return registry.Record{}, err
	}
	if r.CreatedAt.After(at) {
		return registry.Record{}, registry.ErrNotFound
	}
	out := r.Record
	out.Household, out.Fields = registry.ID{}, map[string]registry.Value{}
	for _, m := range r.moves {
		if !m.at.After(at) {
			out.Household = m.to
		}
	}
	for _, c := range r.changes {
		if !c.At.After(at) {
			out.Fields[c.Field] = registry.Value{Version: out.Fields[c.Field].Version + 1, Data: c.Data, Destroyed: c.Destroyed, At: c.At, By: c.By}
		}
	}
	return out, nil
}

func (t *tx) Find(kind registry.Kind, source, external string) (registry.ID, bool, error) {
	id, ok := t.s.names[name{kind, source, external}]
	return id, ok, nil
}

func (t *tx) Erased(kind registry.Kind, source, external string) (bool, error) {
	return t.s.gone[name{kind, source, external}], nil
}

// Alias is no secret here: the store has no key.
func (t *tx) Alias(salt []byte, id registry.ID) []byte {
	sum := sha256.Sum256(append(bytes.Clone(salt), id[:]...))
	return sum[:10]
}

func (t *tx) Lookup(k registry.Key) (ids []registry.ID, err error) {
	for id, r := range t.s.records {
		if slices.Contains(r.keys, k) {
			ids = append(ids, id)
		}
	}
	sortIDs(ids)
	return ids, nil
}

func (t *tx) Members(household registry.ID) (ids []registry.ID, err error) {
	for id, r := range t.s.records {
		if r.Kind == registry.KindPerson && !r.erased && !household.IsZero() && r.Household == household {
			ids = append(ids, id)
		}
	}
	sortIDs(ids)
	return ids, nil
}

func (t *tx) Units(kind registry.Kind, after registry.ID, limit int) (ids []registry.ID, err error) {
	for id, r := range t.s.records {
		if r.Kind == kind && !r.erased && bytes.Compare(id[:], after[:]) > 0 {
			ids = append(ids, id)
		}
	}
	sortIDs(ids)
	return ids[:min(len(ids), limit)], nil
}

func sortIDs(ids []registry.ID) {
	slices.SortFunc(ids, func(a, b registry.ID) int { return bytes.Compare(a[:], b[:]) })
}

func (t *tx) History(id registry.ID) ([]registry.FieldChange, error) {
	r, err := t.get(id)
	if err != nil {
		return nil, err
	}
	return slices.Clone(r.changes), nil
}

func (t *tx) Save(c registry.Change) (saved registry.Saved, err error) {
	id := c.ID
	if id.IsZero() && c.External != "" {
		id = t.s.names[name{c.Kind, c.Source, c.External}]
	}
	var r *record
	if id.IsZero() {
		id, saved.New = registry.NewID(), true
		r = &record{Record: registry.Record{ID: id, Kind: c.Kind, Source: c.Source, External: c.External, CreatedAt: t.now,
			Fields: map[string]registry.Value{}}}
	} else if r, err = t.get(id); err != nil {
		return saved, err
	}
	for field, base := range c.Base {
		if r.Fields[field].Version != base {
			return saved, registry.ErrConflict
		}
	}
	saved.ID = id
	before := *r
	before.Fields = maps.Clone(r.Fields)
	if saved.New {
		t.s.records[id] = r
		t.then(func() { delete(t.s.records, id) })
		if c.External != "" {
			n := name{c.Kind, c.Source, c.External}
			t.s.names[n] = id
			t.then(func() { delete(t.s.names, n) })
		}
	} else {
		t.then(func() { *r = before })
	}
	for _, field := range slices.Sorted(maps.Keys(c.Fields)) {
		data, old := c.Fields[field], r.Fields[field]
		if bytes.Equal(data, old.Data) && (data == nil) == (old.Data == nil) {
			continue
		}
		if field == registry.PhotoField {
			r.changes = destroyed(r.changes, old.Version, data != nil && c.KeepPhoto)
		}
		t.s.seq++
		change := registry.NewID()
		r.Fields[field] = registry.Value{Version: old.Version + 1, Data: data, At: t.now, By: t.by.ID}
		r.changes = append(r.changes, registry.FieldChange{Seq: t.s.seq, ID: hex.EncodeToString(change[:]), Field: field,
			Base: old.Version, Data: data, At: t.now, By: t.by.ID, Device: t.by.Device})
		saved.Changed++
	}
	if c.Keys != nil {
		r.keys = slices.Clone(c.Keys)
	}
	if !c.Household.IsZero() || c.LeaveHousehold {
		to := c.Household
		if c.LeaveHousehold {
			to = registry.ID{}
		}
		if to != r.Household {
			r.Household = to
			r.moves = append(r.moves, move{t.now, to})
			saved.Changed++
		}
	}
	return saved, nil
}

// destroyed is a history whose photographs nobody can read any more, but, with keep, that
// of the version now.
func destroyed(changes []registry.FieldChange, now int64, keep bool) []registry.FieldChange {
	changes = slices.Clone(changes) // a transaction that fails puts the old one back
	for i := range changes {
		if c := &changes[i]; c.Field == registry.PhotoField && c.Data != nil && !(keep && c.Base+1 == now) {
			c.Data, c.Destroyed = nil, true
		}
	}
	return changes
}

// NoteAbout keeps the entry, and whom it is about.
func (t *tx) NoteAbout(e access.Entry, about []registry.ID) error {
	if t.s.about == nil {
		t.s.about = map[registry.ID][]access.Entry{}
	}
	for _, id := range about {
		was := t.s.about[id]
		t.s.about[id] = append(was, e)
		t.then(func() { t.s.about[id] = was })
	}
	return t.Note(e)
}

func (t *tx) Note(e access.Entry) error {
	e.Actor, e.Time = t.by, t.now
	if err := e.Check(); err != nil { // as a log refuses it
		return err
	}
	n := len(t.s.notes)
	t.s.notes = append(t.s.notes, e)
	t.then(func() { t.s.notes = t.s.notes[:n] })
	return nil
}

// ImportUnits are the records that an import changed and that are not erased.
func (s *Store) ImportUnits(_ context.Context, id registry.ID) (list []registry.ID, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, f := range s.imports {
		if f.ID != id {
			continue
		}
		for unit, r := range s.records {
			at := func(m move) bool { return m.at.Equal(f.At) }
			if !r.erased && (slices.ContainsFunc(r.changes, func(c registry.FieldChange) bool { return c.At.Equal(f.At) && c.By == f.By }) || slices.ContainsFunc(r.moves, at)) {
				list = append(list, unit)
			}
		}
	}
	slices.SortFunc(list, func(a, b registry.ID) int { return bytes.Compare(a[:], b[:]) })
	return list, nil
}

// WithCards are those of units that have cards.
func (s *Store) WithCards(_ context.Context, units []registry.ID) (list []registry.ID, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, id := range units {
		if s.cards[id] > 0 {
			list = append(list, id)
		}
	}
	return list, nil
}
