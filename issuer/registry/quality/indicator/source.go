package indicator

import (
	"context"
	"errors"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
)

// Options say what is measured, when, and of what.
type Options struct {
	Policy quality.Policy
	At     time.Time
	// Past reads the register as it stood At; else it is read as it is, and At is now.
	Past   bool
	Beside Beside
	// Places are the p-codes of the country; nil: no list is loaded.
	Places Places
	// Progress is told now and then how many records of how many were looked at; an error ends
	// the measuring. Nil: nobody asks.
	Progress func(done, total int) error
}

// Beside is what the records themselves do not hold: each part tells what was known At. An
// indicator whose part is nil says that there is nothing to measure it by.
type Beside struct {
	Pairs     func(yield func(Pair) error) error // possible doubles; nil: those of the register
	Dues      func(yield func(registry.Entitlement) error) error
	Cards     func(yield func(Card) error) error
	Delivered func(yield func(Delivery) error) error
	Presented func(yield func(Presentation) error) error
	Asked     func(yield func(Request) error) error
	Rechecked func(yield func(Recheck) error) error
}

// A Pair is two records that may be one person.
type Pair struct {
	A, B    registry.ID
	Found   time.Time
	Decided string // empty: open; different, same
}

// A Card is one credential.
type Card struct {
	ID                    string
	Unit                  registry.ID
	Type, Programme, Form string
	Reference             string // the number by which the paper goes
	First, Last           uint64 // rounds; both 0: all
	Issued, Ends          time.Time
	Good                  bool // not revoked, on hold, released or past its end
}

// A Delivery is an entitlement held against what the journals tell.
type Delivery struct {
	ID        string
	Unit      registry.ID
	Programme string
	Round     uint64
	Wrong     string // code of what does not fit; empty: it adds up
	// Currency and minor units of what was due, and how much of it is unaccounted for. An
	// empty Currency is of things.
	Currency  string
	Due, Lost int64
}

// A Presentation is a card before a device.
type Presentation struct {
	ID   string      // of the record in its journal
	Unit registry.ID // zero: not known
	Site string
	// Wrong is a code of why it was not that card's holder or no card; empty: nothing.
	Wrong   string
	Expired bool // the card had ended
}

// A Request is a place for which a card was asked, with what the gate did at the first try.
type Request struct {
	ID      string
	Unit    registry.ID
	Outcome Outcome
	// Reason is that of an override, a code; of others the codes of the gate's reasons.
	Reason string
	By     string // account that gave the reason of an override
}

// Outcome is how a card came about at the first try.
type Outcome string

// The outcomes.
const (
	Plain       Outcome = ""
	Provisional Outcome = "provisional"
	Overridden  Outcome = "overridden"
	Refused     Outcome = "refused"
)

// A Recheck is a record that was drawn by lot and seen again.
type Recheck struct {
	ID    string
	Unit  registry.ID
	Wrong string // code of what was found; empty: it agrees
	// Hidden reports whether it is not told to an account, which had a part in it; nil: told to all.
	Hidden func(account string) bool
}

// page is how many ids are read at a time.
const page = 500

// stream calls each with every household and its members, then with every person of none.
// Erased records are not there.
func (r *run) stream(ctx context.Context, each func(*house, []*subject) error) error {
	var members func(registry.ID) ([]registry.ID, error)
	seen := map[registry.ID]bool{}
	if !r.opt.Past {
		members = r.view.Members
	} else {
		then := map[registry.ID][]registry.ID{}
		err := r.each(ctx, registry.KindPerson, func(id registry.ID) error {
			rec, err := r.read(id)
			if err == nil && !rec.Household.IsZero() {
				then[rec.Household] = append(then[rec.Household], id)
			}
			return gone(err)
		})
		if err != nil {
			return err
		}
		members = func(id registry.ID) ([]registry.ID, error) { return then[id], nil }
	}
	each, err := r.told(ctx, each)
	if err != nil {
		return err
	}
	err = r.each(ctx, registry.KindHousehold, func(id registry.ID) error {
		rec, err := r.read(id)
		if err != nil {
			return gone(err)
		}
		h := &house{id: id, record: rec}
		if h.Household, err = rec.HouseholdRecord(); err != nil {
			return err
		}
		ids, err := members(id)
		if err != nil {
			return err
		}
		var people []*subject
		for _, id := range ids {
			s, err := r.person(id)
			if errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrErased) {
				continue
			} else if err != nil {
				return err
			}
			s.house, seen[id] = h, true
			people = append(people, s)
		}
		return each(h, people)
	})
	if err != nil {
		return err
	}
	return r.each(ctx, registry.KindPerson, func(id registry.ID) error {
		if seen[id] {
			return nil
		}
		s, err := r.person(id)
		if err != nil {
			return gone(err)
		}
		return each(nil, []*subject{s})
	})
}

// told is each, telling how far it is.
func (r *run) told(ctx context.Context, each func(*house, []*subject) error) (func(*house, []*subject) error, error) {
	if r.opt.Progress == nil {
		return each, nil
	}
	total, done, next := 0, 0, 0
	for _, kind := range []registry.Kind{registry.KindHousehold, registry.KindPerson} {
		if err := r.each(ctx, kind, func(registry.ID) error { total++; return nil }); err != nil {
			return nil, err
		}
	}
	return func(h *house, people []*subject) error {
		if done += len(people); h != nil {
			done++
		}
		if done >= next || done == total {
			next = done + max(page, total/200) // each is a write of the store
			if err := r.opt.Progress(done, total); err != nil {
				return err
			}
		}
		return each(h, people)
	}, nil
}

// gone forgives what is not there at the time.
func gone(err error) error {
	if errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrErased) {
		return nil
	}
	return err
}

func (r *run) each(ctx context.Context, kind registry.Kind, do func(registry.ID) error) error {
	for after := (registry.ID{}); ; {
		ids, err := r.view.Units(kind, after, page)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := do(id); err != nil {
				return err
			}
		}
		if len(ids) < page {
			return nil
		}
		after = ids[len(ids)-1]
	}
}

func (r *run) read(id registry.ID) (registry.Record, error) {
	if r.opt.Past {
		return r.view.AsOf(id, r.opt.At)
	}
	return r.view.Record(id)
}

func (r *run) person(id registry.ID) (*subject, error) {
	rec, err := r.read(id)
	if err != nil {
		return nil, err
	}
	s := &subject{id: id, record: rec}
	s.Person, err = rec.Person()
	return s, err
}
