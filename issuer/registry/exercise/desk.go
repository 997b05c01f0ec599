package exercise

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// A Desk does the acts of an exercise on a store. It may be used by several goroutines.
type Desk struct {
	Store Store
	Now   func() time.Time
	// Collected calls yield with whom something was given to since a time; nil: no journals.
	Collected func(ctx context.Context, since time.Time, yield func(registry.ID)) error
	// Account reports whether the organisation has an account, for the clerks that offline
	// lists name; nil: there are no accounts to go by.
	Account func(ctx context.Context, id string) (bool, error)
}

// Knows reports whether an offline list may name a clerk: who hands it in, or an account of
// the organisation. What she did not do is not laid at the door of nobody.
func (d *Desk) Knows(ctx context.Context, by access.Actor, clerk string) (bool, error) {
	if clerk == "" || clerk == by.ID || d.Account == nil {
		return true, nil
	}
	return d.Account(ctx, clerk)
}

// page is how many units one transaction draws or looks through.
const page = 500

func (d *Desk) now() time.Time { return d.Now().UTC() }

func (d *Desk) today() string { return d.now().Format(time.DateOnly) }

// quiet is an actor without the desk that she sits at, which stands sealed beside the act:
// in the clear it would say where the people were whom the act is about (DOMAIN.md R23).
func quiet(by access.Actor) access.Actor {
	by.Device = ""
	return by
}

// Make keeps a new exercise as a draft; a draft of that code is made anew.
func (d *Desk) Make(ctx context.Context, by access.Actor, e Exercise) (Exercise, error) {
	e.State, e.By, e.At, e.OpenedAt, e.ClosedAt, e.Invited, e.Done = Draft, by.ID, d.now(), time.Time{}, time.Time{}, 0, ""
	e.Desks, e.Scope.PCodes, e.Scope.Sites = slices.Clone(e.Desks), slices.Clone(e.Scope.PCodes), slices.Clone(e.Scope.Sites)
	if err := e.check(); err != nil {
		return e, err
	}
	return e, d.Store.WriteExercises(ctx, by, func(tx Tx) error {
		was, err := tx.Exercise(e.Code)
		if err == nil && was.State != Draft {
			return refuse(RefusedTaken, "%s is there already and %s: choose another code", e.Code, was.State)
		} else if err != nil && !errors.Is(err, ErrNone) {
			return err
		}
		if err == nil && !was.Scope.equal(&e.Scope) { // an opening that was stopped has drawn by the old one
			if drawn, err := tx.AllInvited(e.Code, registry.ID{}, 1); err != nil {
				return err
			} else if len(drawn) > 0 {
				return refuse(RefusedTaken, "%s has begun to be opened, and invites by its scope already: open it as it is, or choose another code", e.Code)
			}
		}
		if err := tx.SaveExercise(e); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "exercise.make", Object: e.Code, Detail: fmt.Sprintf("kind=%s desks=%d places=%d notice=%d appeal=%d",
			e.Scope.Kind, len(e.Desks), len(e.Scope.PCodes)+len(e.Scope.Sites), e.NoticeDays, e.AppealDays)})
	})
}

// List are all exercises, in the order of their codes.
func (d *Desk) List(ctx context.Context) (list []Exercise, err error) {
	err = d.Store.ReadExercises(ctx, func(v View) error {
		list, err = v.Exercises()
		return err
	})
	return list, err
}

// Find is one exercise, or ErrNone.
func (d *Desk) Find(ctx context.Context, code string) (e Exercise, err error) {
	err = d.Store.ReadExercises(ctx, func(v View) error {
		e, err = v.Exercise(code)
		return err
	})
	return e, err
}

// Drawn counts whom an exercise would invite now, or invited.
func (d *Desk) Drawn(ctx context.Context, code string) (n int, err error) {
	e, err := d.Find(ctx, code)
	if err != nil || e.State != Draft {
		return e.Invited, err
	}
	err = d.draw(ctx, e, func(ids []registry.ID) error {
		n += len(ids)
		return nil
	})
	return n, err
}

// draw calls each with the records in use of a scope, some at a time.
func (d *Desk) draw(ctx context.Context, e Exercise, each func([]registry.ID) error) error {
	for after := (registry.ID{}); ; {
		var ids, in []registry.ID
		err := d.Store.ReadExercises(ctx, func(v View) (err error) {
			if ids, err = v.Units(e.Scope.Kind, after, page); err != nil {
				return err
			}
			for _, id := range ids {
				ok, err := holds(v, &e.Scope, id)
				if err != nil {
					return err
				}
				if ok {
					in = append(in, id)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if len(in) > 0 {
			if err := each(in); err != nil {
				return err
			}
		}
		if len(ids) < page {
			return nil
		}
		after = ids[len(ids)-1]
	}
}

// holds reports whether a record is in use and in a scope. Where a person stays is her
// household's where her own record does not say.
func holds(v registry.View, s *Scope, id registry.ID) (bool, error) {
	rec, err := v.Record(id)
	if errors.Is(err, registry.ErrErased) || errors.Is(err, registry.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if rec.Kind == registry.KindHousehold {
		h, err := rec.HouseholdRecord()
		return err == nil && registry.InUse(h.Status) && s.Holds(h.Location), err
	}
	p, err := rec.Person()
	if err != nil || !registry.InUse(p.Status) {
		return false, err
	}
	at := p.Location
	if (at == nil || *at == registry.Location{}) && !rec.Household.IsZero() {
		house, err := v.Record(rec.Household)
		if err == nil {
			h, err := house.HouseholdRecord()
			if err != nil {
				return false, err
			}
			at = h.Location
		} else if !errors.Is(err, registry.ErrErased) {
			return false, err
		}
	}
	return s.Holds(at), nil
}

// Open draws who is invited, the records in use of the scope, and opens a draft. It writes
// some at a time, so that others go on working; stopped in between it is done again.
func (d *Desk) Open(ctx context.Context, by access.Actor, code string) (e Exercise, err error) {
	if e, err = d.Find(ctx, code); err != nil {
		return e, err
	}
	if e.State != Draft {
		return e, refuse(RefusedState, "%s is %s: only a draft is opened", code, e.State)
	}
	n := 0
	err = d.draw(ctx, e, func(ids []registry.ID) error {
		n += len(ids)
		return d.Store.WriteExercises(ctx, by, func(tx Tx) error {
			for _, id := range ids {
				if _, err := tx.Invited(code, id); err == nil {
					continue
				} else if !errors.Is(err, ErrNotInvited) {
					return err
				}
				if err := tx.SaveInvited(code, Unit{ID: id, At: d.now()}); err != nil && !errors.Is(err, registry.ErrErased) {
					return err
				}
			}
			return tx.Note(access.Entry{Action: "exercise.invite", Object: code, Detail: fmt.Sprintf("drawn=%d", n)})
		})
	})
	if err != nil {
		return e, err
	}
	if n == 0 {
		return e, refuse(RefusedNobody, "no record in use is in the scope of %s", code)
	}
	return d.move(ctx, by, code, Draft, access.Entry{Action: "exercise.open"}, func(e *Exercise) {
		e.State, e.OpenedAt, e.Invited = Opened, d.now(), n
	})
}

// Close ends the marking: whoever has not come is absent. Lists of offline desks that come
// later are taken all the same.
func (d *Desk) Close(ctx context.Context, by access.Actor, code string) (Exercise, error) {
	return d.move(ctx, by, code, Opened, access.Entry{Action: "exercise.close"}, func(e *Exercise) { e.State, e.ClosedAt = Closed, d.now() })
}

func (d *Desk) move(ctx context.Context, by access.Actor, code string, from State, told access.Entry, change func(*Exercise)) (e Exercise, err error) {
	err = d.Store.WriteExercises(ctx, by, func(tx Tx) error {
		if e, err = tx.Exercise(code); err != nil {
			return err
		}
		if e.State != from {
			return refuse(RefusedState, "%s is %s, and would have to be %s", code, e.State, from)
		}
		change(&e)
		if err := tx.SaveExercise(e); err != nil {
			return err
		}
		told.Object, told.Detail = code, fmt.Sprintf("invited=%d", e.Invited)
		return tx.Note(told)
	})
	return e, err
}

// An Event is what a desk says of a unit.
type Event struct {
	Outcome Outcome
	How     Contact // of who was met; empty: in person
	Desk    string
	Clerk   string    // account; empty: who acts
	When    time.Time // zero: now
	Sheet   bool      // it was on an offline list
	Fields  int       // that were looked at with them
	Changed []string  // fields that were changed
}

// maxFields is more than a record has.
const maxFields = 200

// check refuses what cannot have been, and fills in what nobody said.
func (d *Desk) check(e *Exercise, by access.Actor, ev *Event) error {
	ev.Desk = strings.TrimSpace(ev.Desk)
	if ev.Clerk == "" {
		ev.Clerk = by.ID
	}
	if ev.When.IsZero() {
		ev.When = d.now()
	}
	ev.When = ev.When.UTC().Truncate(time.Second)
	if ev.How == "" && ev.Outcome.met() {
		ev.How = registry.InPerson
	}
	if ev.Outcome == Seen && len(ev.Changed) > 0 {
		ev.Outcome = Updated
	}
	opens, _ := time.Parse(time.DateOnly, e.Opens)
	closes, _ := time.Parse(time.DateOnly, e.Closes)
	switch _, err := access.AccountID(ev.Clerk); {
	case err != nil:
		return err
	case !slices.Contains(Outcomes(), ev.Outcome):
		return refuse(RefusedOutcome, "a mark is seen, updated, absent or refused")
	case ev.Outcome.met() != slices.Contains(registry.Hows(), ev.How) || !ev.Outcome.met() && ev.How != "":
		return refuse(RefusedHow, "people are met in_person, by phone or remote; nobody is met who is absent")
	case ev.How != registry.InPerson && slices.Contains(ev.Changed, registry.PhotoField):
		return refuse(RefusedPhoto, "a photograph is taken of somebody who stands there: not by phone, and not remotely")
	case !deskName(ev.Desk) || len(e.Desks) > 0 && !slices.Contains(e.Desks, ev.Desk):
		return refuse(RefusedDesk, "a mark names its desk: one of those of the exercise, where that has a list")
	case ev.When.Before(opens) || registry.Ahead(ev.When, d.now()) || !ev.When.Before(closes.AddDate(0, 0, 1)):
		return refuse(RefusedWhen, "a mark is of a day from %s to %s, and not ahead; later meetings are contacts without an exercise", e.Opens, e.Closes)
	case ev.Fields < 0 || ev.Fields > maxFields || len(ev.Changed) > maxFields:
		return refuse(RefusedOutcome, "at most %d fields are looked at", maxFields)
	}
	return nil
}

// Mark keeps what a desk says of a unit. Who was met has a contact event in her record, and
// is active again where she was not because nobody had seen her. The same mark again changes
// nothing. Marks of an offline list are taken after the close, too.
func (d *Desk) Mark(ctx context.Context, by access.Actor, code string, unit registry.ID, ev Event) (i Invited, err error) {
	err = d.Store.WriteExercises(ctx, quiet(by), func(tx Tx) error {
		if i, err = d.mark(tx, by, code, unit, ev); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "exercise.mark", Object: code, Detail: "marks=1"})
	})
	return i, err
}

func (d *Desk) mark(tx Tx, by access.Actor, code string, unit registry.ID, ev Event) (Invited, error) {
	e, err := tx.Exercise(code)
	if err != nil {
		return Invited{}, err
	}
	if e.State != Opened && (e.State == Draft || !ev.Sheet) {
		return Invited{}, refuse(RefusedState, "%s is %s: marks are made while it is open", code, e.State)
	}
	if err := d.check(&e, by, &ev); err != nil {
		return Invited{}, err
	}
	u, err := tx.Invited(code, unit)
	if err != nil {
		return Invited{}, err
	}
	m := Mark{ID: markID(), Outcome: ev.Outcome, How: ev.How, Desk: ev.Desk, By: ev.Clerk, When: ev.When, Known: d.now(), Sheet: ev.Sheet,
		Fields: max(ev.Fields, len(ev.Changed)), Changed: len(ev.Changed)}
	if slices.ContainsFunc(u.Marks, m.same) {
		return u.Counted(), nil
	}
	if len(u.Marks) >= maxMarks {
		return Invited{}, refuse(RefusedManyMark, "this record has %d marks: undo wrong ones", len(u.Marks))
	}
	u.Marks = append(u.Marks, m)
	if m.Outcome.met() {
		u.Slept = time.Time{}
	}
	if err := tx.SaveInvited(code, u); err != nil {
		return Invited{}, err
	}
	switch {
	case m.Outcome == Refused: // she was there, and confirmed nothing
		_, err = registry.Wake(tx, unit)
	case m.Outcome.met():
		_, err = registry.Meet(tx, d.now(), unit, m.met(code))
	}
	return u.Counted(), err
}

// same reports whether two marks say the same.
func (m Mark) same(o Mark) bool {
	return o.Undone.IsZero() && m.Outcome == o.Outcome && m.How == o.How && m.Desk == o.Desk && m.By == o.By && m.When.Equal(o.When) && m.Changed == o.Changed
}

// met is the contact event of a mark.
func (m Mark) met(code string) registry.Met {
	met := registry.Met{At: m.When, How: m.How, By: m.By, Desk: m.Desk, Exercise: code}
	if m.Sheet {
		met.Known = m.Known
	}
	return met
}

func markID() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// Undo takes the last mark of a unit back that an account made today, and its contact event.
// Whom it woke stays awake.
func (d *Desk) Undo(ctx context.Context, by access.Actor, code string, unit registry.ID) (i Invited, err error) {
	err = d.Store.WriteExercises(ctx, quiet(by), func(tx Tx) error {
		e, err := tx.Exercise(code)
		if err != nil {
			return err
		}
		if e.State != Opened {
			return refuse(RefusedState, "%s is %s: marks are undone while it is open", code, e.State)
		}
		u, err := tx.Invited(code, unit)
		if err != nil {
			return err
		}
		last := -1
		for k, m := range u.Marks {
			if m.Undone.IsZero() && access.SameAccount(m.By, by.ID) && m.Known.Format(time.DateOnly) == d.today() {
				last = k
			}
		}
		if last < 0 {
			return refuse(RefusedUndo, "no mark of this account of today is there: another day, say what is so by a new mark")
		}
		m := &u.Marks[last]
		m.Undone = d.now()
		if err := tx.SaveInvited(code, u); err != nil {
			return err
		}
		if m.Outcome.met() && m.Outcome != Refused {
			if err := registry.NotMet(tx, unit, m.met(code)); err != nil {
				return err
			}
		}
		i = u.Counted()
		return tx.Note(access.Entry{Action: "exercise.undo", Object: code, Detail: "marks=1"})
	})
	return i, err
}

// Invited is one unit as the exercise counts it, with all its marks.
func (d *Desk) Invited(ctx context.Context, code string, unit registry.ID) (i Invited, u Unit, err error) {
	err = d.each(ctx, code, []registry.ID{unit}, func(e *Exercise, one *Unit) error {
		i, u = counted(e, one), *one
		return nil
	})
	return i, u, err
}

// Each calls yield with every unit of an exercise, in their order. After the close whoever
// has not come is absent. Whoever is shown some of them tells the log whom.
func (d *Desk) Each(ctx context.Context, code string, yield func(Invited) error) error {
	return d.each(ctx, code, nil, func(e *Exercise, u *Unit) error { return yield(counted(e, u)) })
}

// counted is Unit.Counted, with what the close means.
func counted(e *Exercise, u *Unit) Invited {
	i := u.Counted()
	if i.Outcome == Waiting && (e.State == Closed || e.State == Settled) {
		i.Outcome = Absent
	}
	return i
}

// each reads units in one transaction: those of ids, or all.
func (d *Desk) each(ctx context.Context, code string, ids []registry.ID, yield func(*Exercise, *Unit) error) error {
	return d.Store.ReadExercises(ctx, func(v View) error {
		e, err := v.Exercise(code)
		if err != nil {
			return err
		}
		for _, id := range ids {
			u, err := v.Invited(code, id)
			if err != nil {
				return err
			}
			if err := yield(&e, &u); err != nil {
				return err
			}
		}
		if ids != nil {
			return nil
		}
		return all(ctx, v, &e, yield)
	})
}

// all reads every unit of an exercise.
func all(ctx context.Context, v View, e *Exercise, yield func(*Exercise, *Unit) error) error {
	for after := (registry.ID{}); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		units, err := v.AllInvited(e.Code, after, page)
		if err != nil {
			return err
		}
		for i := range units {
			if err := yield(e, &units[i]); err != nil {
				return err
			}
		}
		if len(units) < page {
			return nil
		}
		after = units[len(units)-1].ID
	}
}
