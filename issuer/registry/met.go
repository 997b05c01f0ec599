package registry

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// MetField is the field of a record that tells when somebody of it was met or spoken to,
// how and where. Where people have been is the most dangerous fact there is (DOMAIN.md R23):
// it is sealed, versioned and erased as every other field, and its name is all that a
// store says of it in the clear.
const MetField = "met"

// MostMet is how many meetings a record keeps, the latest; its history has the others.
const MostMet = 12

// ReasonNotSeen is why a record is inactive whose people were not seen at a verification
// exercise, after notice and the time for an appeal.
const ReasonNotSeen = "not_seen"

// How is in what way somebody was met.
type How string

// The ways. One who was met remotely confirms what is known: a photograph is taken of
// somebody who stands there (DOMAIN.md A30).
const (
	InPerson How = "in_person"
	ByPhone  How = "phone"
	Remote   How = "remote"
)

// Hows are all of them, as they are offered.
func Hows() []How { return []How{InPerson, ByPhone, Remote} }

// A Met is one meeting with the people of a record.
type Met struct {
	At       time.Time `json:"at"` // midnight of UTC where only the day is known
	How      How       `json:"how"`
	By       string    `json:"by"`                 // account that met them
	Desk     string    `json:"desk,omitempty"`     // where, as staff call it
	Exercise string    `json:"exercise,omitempty"` // its code; empty: none
	// Known is when it reached the register, where it was written on an offline list first.
	Known time.Time `json:"known,omitzero"`
}

// Mets are the meetings of a record, the earliest first.
func (r Record) Mets() (list []Met, err error) {
	data := r.Fields[MetField].Data
	if data == nil {
		return nil, nil
	}
	v, err := ReadValue(data)
	if err != nil {
		return nil, fmt.Errorf("registry: record %s: field %q: %w", r.ID, MetField, err)
	}
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	if err != nil {
		return nil, fmt.Errorf("registry: record %s: field %q: %w", r.ID, MetField, err)
	}
	return list, nil
}

// LastMet is the latest meeting of several records: of a person and her household. False:
// none is on record.
func LastMet(records ...Record) (last Met, ok bool, err error) {
	for _, r := range records {
		list, err := r.Mets()
		if err != nil {
			return last, false, err
		}
		for _, m := range list {
			if !ok || m.At.After(last.At) {
				last, ok = m, true
			}
		}
	}
	return last, ok, nil
}

// appendMets is the value of MetField; nil for an empty list, which removes it.
func appendMets(list []Met) ([]byte, error) {
	if len(list) == 0 {
		return nil, nil
	}
	b, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("registry: field %q: %w", MetField, err)
	}
	var items any
	if err := json.Unmarshal(b, &items); err != nil {
		return nil, fmt.Errorf("registry: field %q: %w", MetField, err)
	}
	return AppendValue(nil, items)
}

// withMet is a list with one more, of which the latest MostMet stay. One that is there
// already is not added.
func withMet(list []Met, m Met) []Met {
	if slices.ContainsFunc(list, m.same) {
		return list
	}
	list = append(slices.Clone(list), m)
	slices.SortStableFunc(list, func(a, b Met) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Desk, b.Desk)) })
	return list[max(0, len(list)-MostMet):]
}

// same reports whether two are one meeting, whenever it reached the register.
func (m Met) same(o Met) bool {
	return m.At.Equal(o.At) && m.How == o.How && m.By == o.By && m.Desk == o.Desk && m.Exercise == o.Exercise
}

// DayAlone reports whether a moment stands for its day, of which no hour is known.
func DayAlone(at time.Time) bool { return at.Equal(at.UTC().Truncate(24 * time.Hour)) }

// firstZone is how far ahead of UTC the clocks are where a day begins first (UTC+14, Line Islands).
const firstZone = 14 * time.Hour

// Ahead reports whether a moment has not come yet. A day alone has come as soon as it is that
// day anywhere: whoever wrote it on a list goes by the day of the place.
func Ahead(at, now time.Time) bool {
	if DayAlone(at) {
		at = at.Add(-firstZone)
	}
	return at.After(now)
}

// check refuses what is no meeting that has been.
func (m Met) check(now time.Time) error {
	switch {
	case !slices.Contains(Hows(), m.How):
		return refuse(RefusedMetHow, "registry: people are met in_person, by phone or remote")
	case m.At.IsZero() || Ahead(m.At, now) || now.Sub(m.At) > 10*365*24*time.Hour:
		return refuse(RefusedMetDay, "registry: a meeting was on a day of the last ten years, and not ahead")
	case len(m.Desk) > 80 || len(m.Exercise) > 40:
		return refuse(RefusedMetDesk, "registry: a desk has a name of at most 80 bytes")
	}
	return nil
}

// Meet keeps that the people of a record were met, and makes them active again where they
// were inactive because nobody had seen them. Changed of the result is 0 where it was known.
// The desk stands in the sealed field alone: the change names no device.
func (r *Registry) Meet(ctx context.Context, id ID, m Met) (saved Saved, err error) {
	by := r.Actor
	by.Device = ""
	err = r.Store.Update(ctx, by, func(tx Tx) error {
		saved, err = Meet(tx, r.Now(), id, m)
		return err
	})
	return saved, err
}

// Meet is Registry.Meet inside a transaction of the caller's.
func Meet(tx Tx, now time.Time, id ID, m Met) (saved Saved, err error) {
	if err := m.check(now); err != nil {
		return saved, err
	}
	rec, status, err := readStatus(tx, id)
	if err != nil {
		return saved, err
	}
	if !status.Living() {
		return saved, fmt.Errorf("registry: record %s: %w", rec.Called(), ErrClosed)
	}
	list, err := rec.Mets()
	if err != nil {
		return saved, err
	}
	if saved, err = saveMets(tx, rec, withMet(list, m)); err != nil {
		return saved, err
	}
	_, err = Wake(tx, id)
	return saved, err
}

// NotMet takes a meeting back that was none.
func NotMet(tx Tx, id ID, m Met) error {
	rec, err := tx.Record(id)
	if err != nil {
		return err
	}
	list, err := rec.Mets()
	if err != nil {
		return err
	}
	_, err = saveMets(tx, rec, slices.DeleteFunc(list, m.same))
	return err
}

func saveMets(tx Tx, rec Record, list []Met) (Saved, error) {
	data, err := appendMets(list)
	if err != nil || bytes.Equal(data, rec.Fields[MetField].Data) {
		return Saved{ID: rec.ID}, err
	}
	return tx.Save(Change{ID: rec.ID, Fields: map[string][]byte{MetField: data}})
}

// keepMets puts the meetings of records into the fields of the one that takes their place.
func keepMets(fields map[string][]byte, recs ...Record) error {
	var all []Met
	for _, rec := range recs {
		list, err := rec.Mets()
		if err != nil {
			return err
		}
		for _, m := range list {
			all = withMet(all, m)
		}
	}
	if len(all) == 0 {
		return nil
	}
	data, err := appendMets(all)
	fields[MetField] = data
	return err
}

// Asleep reports whether a status says that nobody saw them at an exercise.
func (s *Status) Asleep() bool {
	return s != nil && s.State == StateInactive && s.Reason == ReasonNotSeen
}

// Wake makes a record active again that is inactive because nobody had seen its people, with
// its household and whoever fell asleep with that; of a household also the members who fell
// asleep alone: who sees it has seen them. It returns which records it changed.
func Wake(tx Tx, id ID) ([]ID, error) {
	return withKin(tx, id, (*Status).Asleep, nil)
}

// Sleep makes a record inactive because nobody has seen its people: of a household with its
// members, since whoever sees one of them has seen it. on is the day. Cards stay as they are.
func Sleep(tx Tx, id ID, on string) ([]ID, error) {
	active := func(s *Status) bool { return s == nil || s.State == "" || s.State == StateActive }
	return withKin(tx, id, active, &Status{State: StateInactive, Reason: ReasonNotSeen, Date: on})
}

// withKin sets the status of a record, and of those who share it, where theirs is one of was.
func withKin(tx Tx, id ID, was func(*Status) bool, to *Status) (changed []ID, err error) {
	rec, status, err := readStatus(tx, id)
	if err != nil {
		return nil, err
	}
	ids := []ID{id}
	home := rec.Household
	if rec.Kind == KindHousehold {
		home = id
	} else if to != nil {
		home = ID{} // one person alone falls asleep
	}
	if !home.IsZero() && home != id {
		_, other, err := readStatus(tx, home)
		switch {
		case errors.Is(err, ErrErased):
			home = ID{}
		case err != nil:
			return nil, err
		case !was(other):
			home = ID{} // its other people are as they are
		default:
			ids = append(ids, home)
		}
	}
	if !home.IsZero() && (home != id || to == nil || was(status)) { // a member may sleep in an active household
		members, err := tx.Members(home)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			if m != id {
				ids = append(ids, m)
			}
		}
	}
	for _, one := range ids {
		rec, status, err := readStatus(tx, one)
		if errors.Is(err, ErrErased) || err == nil && !was(status) {
			continue
		}
		if err == nil {
			err = saveStatus(tx, rec, to)
		}
		if err != nil {
			return nil, err
		}
		changed = append(changed, one)
	}
	return changed, nil
}

// readStatus reads a record of a person or household, and its status.
func readStatus(v View, id ID) (rec Record, s *Status, err error) {
	rec, err = v.Record(id)
	if err != nil {
		return rec, nil, fmt.Errorf("registry: record %s: %w", id, err)
	}
	switch rec.Kind {
	case KindPerson:
		p, err := rec.Person()
		return rec, p.Status, err
	case KindHousehold:
		h, err := rec.HouseholdRecord()
		return rec, h.Status, err
	}
	return rec, nil, fmt.Errorf("registry: %s is a %s, and nobody: %w", id, rec.Kind, ErrNotFound)
}

func saveStatus(tx Tx, rec Record, s *Status) error {
	if rec.Kind == KindPerson {
		_, p, err := readPerson(tx, rec.ID)
		if err != nil {
			return err
		}
		p.Status = s
		return savePerson(tx, rec, p)
	}
	_, h, err := readHousehold(tx, rec.ID)
	if err != nil {
		return err
	}
	h.Status = s
	return saveHousehold(tx, rec, h)
}
