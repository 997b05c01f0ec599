package exercise

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// MostSettled is how many units one decision of two accounts makes inactive.
const MostSettled = 2000

// lateNotice is how many days after it was given a notice can be entered: the time for an
// appeal runs from the day on which people were told, and nobody else sees that they were.
const lateNotice = 7

// Standing is how far one of the absent is on the way to being inactive.
type Standing string

// The standings of a unit that nobody met by the close.
const (
	Unnoticed Standing = "unnoticed" // nobody told her
	Noticed   Standing = "noticed"   // and the time for an appeal is not over
	Appealed  Standing = "appealed"  // she said that she is there
	Contacted Standing = "contacted" // somebody met her since
	Fetched   Standing = "collected" // something was given to her since the opening
	Due       Standing = "due"       // two accounts may make her inactive
	Inactive  Standing = "inactive"
	Gone      Standing = "closed" // her record is closed, or inactive for another reason
)

// Standings are all of them, in the order of the way.
func Standings() []Standing {
	return []Standing{Unnoticed, Noticed, Due, Inactive, Appealed, Contacted, Fetched, Gone}
}

// An Absentee is one that nobody met by the close.
type Absentee struct {
	Invited
	Standing Standing
	Until    string // last day for an appeal, of who was told
}

// Absent are those that nobody met, with where each stands: whoever was told first stands
// first, then by their ids. The caller tells the log whom it shows.
func (d *Desk) Absent(ctx context.Context, code string) (list []Absentee, err error) {
	err = d.Store.ReadExercises(ctx, func(v View) error {
		list, err = d.absent(ctx, v, code)
		return err
	})
	return list, err
}

func (d *Desk) absent(ctx context.Context, v View, code string) (list []Absentee, err error) {
	e, err := v.Exercise(code)
	if err != nil {
		return nil, err
	}
	if e.State != Closed && e.State != Settled {
		return nil, refuse(RefusedState, "%s is %s: who is absent is known when it is closed", code, e.State)
	}
	fetched, err := d.fetched(ctx, &e)
	if err != nil {
		return nil, err
	}
	homes := map[registry.ID]time.Time{}
	err = all(ctx, v, &e, func(e *Exercise, u *Unit) error {
		if counted(e, u).Outcome != Absent {
			return nil
		}
		a, err := d.standing(v, e, u, fetched, homes)
		if err == nil {
			list = append(list, a)
		}
		return err
	})
	slices.SortFunc(list, func(a, b Absentee) int {
		first := func(x Absentee) string { return cmp.Or(x.Noticed, "9999") }
		return cmp.Or(cmp.Compare(first(a), first(b)), bytes.Compare(a.Unit[:], b.Unit[:]))
	})
	return list, err
}

// fetched are the records to whom something was given since the first day of an exercise.
func (d *Desk) fetched(ctx context.Context, e *Exercise) (map[registry.ID]bool, error) {
	since, err := time.Parse(time.DateOnly, e.Opens)
	given := map[registry.ID]bool{}
	if err != nil || d.Collected == nil {
		return given, err
	}
	return given, d.Collected(ctx, since, func(id registry.ID) { given[id] = true })
}

// Where are those of some units that nobody met, in the order of the units, with where each
// stands: a page of what Absent has. The caller tells the log whom it shows.
func (d *Desk) Where(ctx context.Context, code string, units []registry.ID) (list []Absentee, err error) {
	err = d.Store.ReadExercises(ctx, func(v View) error {
		e, err := v.Exercise(code)
		if err != nil {
			return err
		}
		fetched, err := d.fetched(ctx, &e)
		if err != nil {
			return err
		}
		homes := map[registry.ID]time.Time{}
		for _, id := range units {
			u, err := v.Invited(code, id)
			if errors.Is(err, ErrNotInvited) { // erased since
				continue
			}
			if err != nil {
				return err
			}
			if counted(&e, &u).Outcome != Absent {
				continue
			}
			a, err := d.standing(v, &e, &u, fetched, homes)
			if err != nil {
				return err
			}
			list = append(list, a)
		}
		return nil
	})
	return list, err
}

// home is when somebody was met last as a household, not as one of its members; zero: never.
func home(v registry.View, id registry.ID) (at time.Time, err error) {
	rec, err := v.Record(id)
	if errors.Is(err, registry.ErrErased) {
		return at, nil
	}
	if err != nil {
		return at, err
	}
	last, _, err := registry.LastMet(rec)
	return last.At, err
}

// standing says where one of the absent stands. What was given to a household was to all its
// members, and what was given to a member was to her household. homes has when each household that was read
// was met last.
func (d *Desk) standing(v registry.View, e *Exercise, u *Unit, fetched map[registry.ID]bool, homes map[registry.ID]time.Time) (a Absentee, err error) {
	a = Absentee{Invited: counted(e, u)}
	until, told := e.Window(a.Noticed)
	if told {
		a.Until = until.Format(time.DateOnly)
	}
	rec, err := v.Record(u.ID)
	if errors.Is(err, registry.ErrErased) || errors.Is(err, registry.ErrNotFound) {
		a.Standing = Gone
		return a, nil
	}
	if err != nil {
		return a, err
	}
	var status *registry.Status
	kin, at, given := []registry.Record{rec}, time.Time{}, fetched[u.ID]
	if rec.Kind == registry.KindHousehold {
		h, err := rec.HouseholdRecord()
		if err != nil {
			return a, err
		}
		status = h.Status
		members, err := v.Members(u.ID)
		if err != nil {
			return a, err
		}
		for _, m := range members { // whoever saw one of them has seen the household
			given = given || fetched[m]
			one, err := v.Record(m)
			if errors.Is(err, registry.ErrErased) {
				continue
			}
			if err != nil {
				return a, err
			}
			kin = append(kin, one)
		}
	} else {
		p, err := rec.Person()
		if err != nil {
			return a, err
		}
		status = p.Status
		if h := rec.Household; !h.IsZero() {
			known := false
			given = given || fetched[h]
			if at, known = homes[h]; !known {
				if at, err = home(v, h); err != nil {
					return a, err
				}
				homes[h] = at
			}
		}
	}
	last, _, err := registry.LastMet(kin...)
	if err != nil {
		return a, err
	}
	if last.At.After(at) {
		at = last.At
	}
	opens, _ := time.Parse(time.DateOnly, e.Opens)
	switch {
	case status.Asleep() && a.Inactive:
		a.Standing = Inactive
	case status != nil && status.State != "" && status.State != registry.StateActive:
		a.Standing = Gone
	case a.Appealed != "":
		a.Standing = Appealed
	case a.Inactive: // somebody woke it since
		a.Standing = Contacted
	case !at.IsZero() && !at.Before(opens):
		a.Standing = Contacted
	case given:
		a.Standing = Fetched
	case !told:
		a.Standing = Unnoticed
	case d.now().Before(until.AddDate(0, 0, 1)):
		a.Standing = Noticed
	default:
		a.Standing = Due
	}
	a.Inactive = a.Standing == Inactive
	return a, nil
}

// Notice keeps that units were told that they were not seen, on a day in a way of Notices:
// all of the absent that nobody told yet where units is nil. It returns how many.
func (d *Desk) Notice(ctx context.Context, by access.Actor, code string, units []registry.ID, on, how string) (n int, err error) {
	on = cmp.Or(on, d.today())
	day, errDay := time.Parse(time.DateOnly, on)
	if errDay != nil || day.After(d.now()) || !slices.Contains(Notices(), how) {
		return 0, refuse(RefusedNotice, "a notice is given on a day that has come, by poster, message, visit or phone")
	}
	list, err := d.Absent(ctx, code)
	if err != nil {
		return 0, err
	}
	e, err := d.Find(ctx, code)
	if err != nil {
		return 0, err
	}
	if d.now().Sub(day) >= (lateNotice+1)*24*time.Hour { // else a day long past would leave no time for an appeal
		return 0, refuse(RefusedNotice, "a notice is entered within %d days: else tell them again, and enter that day", lateNotice)
	}
	if on < e.ClosedAt.UTC().Format(time.DateOnly) {
		return 0, refuse(RefusedNotice, "%s was closed after that day: a notice is given when the exercise is over", code)
	}
	asked := map[registry.ID]bool{}
	for _, id := range units {
		asked[id] = true
	}
	var ids []registry.ID
	for _, a := range list {
		if units == nil && a.Standing == Unnoticed || asked[a.Unit] {
			ids = append(ids, a.Unit)
		}
	}
	if len(ids) < len(asked) {
		return 0, fmt.Errorf("%w, or was met there", ErrNotInvited)
	}
	for part := range slices.Chunk(ids, page) {
		err := d.Store.WriteExercises(ctx, by, func(tx Tx) error {
			for _, id := range part {
				u, err := tx.Invited(code, id)
				if err != nil {
					return err
				}
				if len(u.Notices) >= maxMarks {
					return refuse(RefusedNotice, "a record has %d notices", maxMarks)
				}
				u.Notices = append(u.Notices, Notice{Day: on, How: how, By: by.ID, At: d.now()})
				if err := tx.SaveInvited(code, u); err != nil {
					return err
				}
			}
			return tx.Note(access.Entry{Action: "exercise.notice", Object: code, Detail: fmt.Sprintf("told=%d how=%s", len(part), how)})
		})
		if err != nil {
			return n, err
		}
		n += len(part)
	}
	return n, nil
}

// Appeal keeps that one of the absent said that she is there. She stays active, or is so again:
// one account is enough, at any time.
func (d *Desk) Appeal(ctx context.Context, by access.Actor, code string, unit registry.ID) (woken []registry.ID, err error) {
	err = d.Store.WriteExercises(ctx, quiet(by), func(tx Tx) error {
		e, err := tx.Exercise(code)
		if err != nil {
			return err
		}
		u, err := tx.Invited(code, unit)
		if err != nil {
			return err
		}
		if counted(&e, &u).Outcome != Absent {
			return refuse(RefusedState, "an appeal is of somebody who was not seen at %s", code)
		}
		if len(u.Appeals) >= maxMarks {
			return refuse(RefusedManyMark, "this record has %d appeals: one is enough", maxMarks)
		}
		u.Appeals, u.Slept = append(u.Appeals, Appeal{Day: d.today(), By: by.ID, At: d.now()}), time.Time{}
		if err := tx.SaveInvited(code, u); err != nil {
			return err
		}
		if woken, err = registry.Wake(tx, unit); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "exercise.appeal", Object: code, Detail: fmt.Sprintf("woken=%d", len(woken))})
	})
	return woken, err
}

// Reactivate makes a record active again that is inactive because nobody had seen it, by one
// account. Whoever meets its people needs it not: a contact event does it.
func (d *Desk) Reactivate(ctx context.Context, by access.Actor, unit registry.ID) (woken []registry.ID, err error) {
	err = d.Store.WriteExercises(ctx, quiet(by), func(tx Tx) error {
		if woken, err = registry.Wake(tx, unit); err != nil || len(woken) == 0 {
			return err
		}
		return tx.Note(access.Entry{Action: "record.wake", Object: unit.String(), Detail: fmt.Sprintf("records=%d", len(woken))})
	})
	return woken, err
}

// A Proposal is who would become inactive, for two accounts to agree to: whoever was told
// first, at most MostSettled. Counts are of all the absent by where they stand.
type Proposal struct {
	Code   string
	Units  []registry.ID
	Counts map[Standing]int
	Digest [32]byte // of the units and the versions of their fields
}

// Propose tells who would become inactive, and does nothing. The caller tells the log whom
// it shows.
func (d *Desk) Propose(ctx context.Context, code string) (p Proposal, err error) {
	err = d.Store.ReadExercises(ctx, func(v View) error {
		p, err = d.propose(ctx, v, code)
		return err
	})
	return p, err
}

func (d *Desk) propose(ctx context.Context, v View, code string) (p Proposal, err error) {
	p = Proposal{Code: code, Counts: map[Standing]int{}}
	list, err := d.absent(ctx, v, code)
	if err != nil {
		return p, err
	}
	sum := sha256.New()
	for _, a := range list {
		p.Counts[a.Standing]++
		if a.Standing != Due || len(p.Units) == MostSettled {
			continue
		}
		rec, err := v.Record(a.Unit)
		if err != nil {
			return p, err
		}
		fmt.Fprintf(sum, "%s %d %d\n", a.Unit, rec.Fields["status"].Version, rec.Fields[registry.MetField].Version)
		p.Units = append(p.Units, a.Unit)
	}
	sum.Sum(p.Digest[:0])
	return p, nil
}

// settlement is a Proposal as two accounts approve it.
type settlement struct {
	Exercise string `json:"exercise"`
	Records  int    `json:"records"`
	Digest   string `json:"digest"`
}

// maxPayload is more than a settlement needs, in bytes.
const maxPayload = 1024

// Payload is the canonical bytes of a proposal.
func (p *Proposal) Payload() ([]byte, error) {
	return json.Marshal(settlement{p.Code, len(p.Units), hex.EncodeToString(p.Digest[:])})
}

// ReadPayload reads what Payload wrote: which exercise, and how many would become inactive.
func ReadPayload(payload []byte) (code string, n int, digest [32]byte, err error) {
	var s settlement
	if len(payload) > maxPayload {
		return "", 0, digest, fmt.Errorf("exercise: a settlement of %d bytes, over %d", len(payload), maxPayload)
	}
	dec := json.NewDecoder(bytes.NewReader(payload))
	dec.DisallowUnknownFields()
	if err = dec.Decode(&s); err == nil {
		var b []byte
		if b, err = hex.DecodeString(s.Digest); err == nil && len(b) != len(digest) {
			err = errors.New("its digest is none")
		}
		copy(digest[:], b)
	}
	if err != nil {
		return "", 0, digest, fmt.Errorf("exercise: a settlement: %w", err)
	}
	return s.Exercise, s.Records, digest, nil
}

// Settle makes those of a proposal inactive (registry.ReasonNotSeen), all or nobody, where
// they are who they were when it was made; else ErrChanged. Cards are not revoked by it. It
// takes two accounts: without a second one it is registry.ErrSecondPerson. Where nobody is
// left of whom something is to be done, the exercise is settled.
func (d *Desk) Settle(ctx context.Context, by access.Actor, p Proposal) (n int, err error) {
	if by.SecondPerson == "" {
		return 0, fmt.Errorf("exercise: %s: to make records inactive: %w", p.Code, registry.ErrSecondPerson)
	}
	err = d.Store.WriteExercises(ctx, by, func(tx Tx) error {
		n = 0
		now, err := d.propose(ctx, tx, p.Code)
		if err != nil {
			return err
		}
		if now.Digest != p.Digest || len(now.Units) != len(p.Units) {
			return fmt.Errorf("%w: %d were to become inactive, and %d are due now", ErrChanged, len(p.Units), len(now.Units))
		}
		for _, id := range now.Units {
			u, err := tx.Invited(p.Code, id)
			if err != nil {
				return err
			}
			u.Slept = d.now()
			if err := tx.SaveInvited(p.Code, u); err != nil {
				return err
			}
			if _, err := registry.Sleep(tx, id, d.today()); err != nil {
				return err
			}
			n++
		}
		if err := tx.Note(access.Entry{Action: "exercise.settle", Object: p.Code, Reason: registry.ReasonNotSeen, Detail: fmt.Sprintf("inactive=%d", n), Digest: p.Digest}); err != nil {
			return err
		}
		e, err := tx.Exercise(p.Code)
		if err != nil {
			return err
		}
		e.Done = hex.EncodeToString(p.Digest[:])
		if now.Counts[Unnoticed]+now.Counts[Noticed]+now.Counts[Due] == n {
			e.State = Settled
		}
		return tx.SaveExercise(e)
	})
	return n, err
}

// Again makes the payload of a request anew, for [access.Executor]: another one where who is
// due is not as it was when it was asked for.
func (d *Desk) Again(ctx context.Context, a access.Approval) ([]byte, error) {
	code, _, digest, err := ReadPayload(a.Payload)
	if err != nil {
		return nil, err
	}
	if done, err := d.done(ctx, code, digest); err != nil || done {
		return a.Payload, err
	}
	p, err := d.Propose(ctx, code)
	if err != nil {
		return nil, err
	}
	return p.Payload()
}

// Carry carries out what two accounts agreed to, once.
func (d *Desk) Carry(ctx context.Context, who access.Actor, a access.Approval) error {
	code, n, digest, err := ReadPayload(a.Payload)
	if err != nil {
		return err
	}
	if done, err := d.done(ctx, code, digest); err != nil || done {
		return err
	}
	p, err := d.Propose(ctx, code)
	if err != nil {
		return err
	}
	if len(p.Units) != n || p.Digest != digest {
		return fmt.Errorf("%w: %w", access.ErrChanged, ErrChanged)
	}
	_, err = d.Settle(ctx, who, p)
	return err
}

// done reports whether the newest settlement was this one: it was carried out before a stop.
func (d *Desk) done(ctx context.Context, code string, digest [32]byte) (bool, error) {
	e, err := d.Find(ctx, code)
	return err == nil && e.Done == hex.EncodeToString(digest[:]), err
}

// Executor carries out exercise.settle.
func (d *Desk) Executor() access.Executor {
	return access.Executor{Again: d.Again, Run: d.Carry}
}
