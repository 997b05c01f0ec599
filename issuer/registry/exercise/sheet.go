package exercise

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// Bounds of an offline list as it comes back.
const (
	MaxSheet     = 8 << 20 // bytes
	MaxSheetRows = 20_000
	mostFaults   = 200
)

// A Sheet is an offline list: who has not come yet, for a desk without a network. Names are
// for whoever prints it to add, and to tell the log of.
type Sheet struct {
	Exercise Exercise
	Desk     string
	Made     time.Time
	Units    []registry.ID // in the order of their ids
}

// Columns are those of an offline list as it comes back; more may stand beside them. A row
// whose outcome is empty says nothing.
func Columns() []string {
	return []string{"record", "outcome", "how", "when", "clerk", "changed"}
}

// Sheet is the offline list of a desk. The caller notes in the log who took it, and of whom.
func (d *Desk) Sheet(ctx context.Context, code, desk string) (s Sheet, err error) {
	if s.Exercise, err = d.Find(ctx, code); err != nil {
		return s, err
	}
	s.Desk, s.Made = strings.TrimSpace(desk), d.now()
	switch e := &s.Exercise; {
	case e.State != Opened:
		return s, refuse(RefusedState, "%s is %s: lists are made while it is open", code, e.State)
	case !deskName(s.Desk) || len(e.Desks) > 0 && !slices.Contains(e.Desks, s.Desk):
		return s, refuse(RefusedDesk, "a list names its desk: one of those of the exercise, where that has a list")
	}
	err = d.Each(ctx, code, func(i Invited) error {
		if i.Outcome == Waiting {
			s.Units = append(s.Units, i.Unit)
		}
		return nil
	})
	return s, err
}

// A Taken says what became of an offline list.
type Taken struct {
	Marks  int     `json:"marks"`  // new ones
	Same   int     `json:"same"`   // that were there already
	Empty  int     `json:"empty"`  // rows that say nothing
	Faults []Fault `json:"faults"` // rows that were not taken: the first mostFaults
	Faulty int     `json:"faulty"` // all of them

	named map[string]int // new marks by clerks who did not hand the list in
}

// clerks are those whom a list names beside who handed it in, each with her marks, as the log
// has them: those of most marks first, and in a sum who finds no place.
func (t *Taken) clerks() string {
	ids := slices.SortedFunc(maps.Keys(t.named), func(a, b string) int { return cmp.Or(cmp.Compare(t.named[b], t.named[a]), cmp.Compare(a, b)) })
	text, others := "", 0
	for _, id := range ids {
		if part := fmt.Sprintf(" %s:%d", id, t.named[id]); len(text)+len(part) < access.MaxText-100 {
			text += part
		} else {
			others += t.named[id]
		}
	}
	if others > 0 {
		text += fmt.Sprintf(" others:%d", others)
	}
	if text != "" {
		text = " clerks" + text
	}
	return text
}

// A Fault is a row that was not taken. It holds nothing of the row.
type Fault struct {
	Row  int    `json:"row"` // of the file, its first line is 1
	Code string `json:"code"`
}

// Codes of a Fault beside those of refusals.
const (
	FaultRecord  = "record"      // no id of 32 digits
	FaultInvited = "not_invited" // of this exercise
	FaultGone    = "record_gone" // erased, or closed
	FaultWhen    = "when"        // 2026-11-22, or 2026-11-22 14:30 of UTC
	FaultClerk   = "clerk"       // no account, or none of the organisation
	FaultChanged = "changed"     // names of fields with blanks between
)

// A sheetRow is a line of a list that says something.
type sheetRow struct {
	line  int
	unit  registry.ID
	event Event
}

// readSheet reads a list as it comes back, of at most MaxSheet bytes and MaxSheetRows rows: CSV
// in UTF-8 with the columns of Columns in any order, with commas or semicolons.
func readSheet(r io.Reader, desk string, taken *Taken) (rows []sheetRow, err error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxSheet+1))
	if err != nil {
		return nil, err
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if len(b) > MaxSheet || !utf8.Valid(b) {
		return nil, refuse(RefusedSheet, "a list is CSV in UTF-8 of at most %d MiB", MaxSheet>>20)
	}
	c := csv.NewReader(bytes.NewReader(b))
	c.FieldsPerRecord, c.ReuseRecord, c.TrimLeadingSpace = -1, true, true
	if first, _, _ := bytes.Cut(b, []byte("\n")); bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")) {
		c.Comma = ';'
	}
	at := map[string]int{}
	for {
		cells, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			var bad *csv.ParseError
			if errors.As(err, &bad) {
				return nil, refuse(RefusedSheet, "line %d is no CSV: open the list and save it as CSV again", bad.Line)
			}
			return nil, err
		}
		if len(at) == 0 {
			for i, name := range cells {
				at[strings.ToLower(strings.TrimSpace(name))] = i
			}
			if _, ok := at["record"]; !ok {
				return nil, refuse(RefusedSheet, "the first line has no column record: its columns are %s", strings.Join(Columns(), ", "))
			}
			if _, ok := at["outcome"]; !ok {
				return nil, refuse(RefusedSheet, "the first line has no column outcome: its columns are %s", strings.Join(Columns(), ", "))
			}
			continue
		}
		cell := func(name string) string {
			i, ok := at[name]
			if !ok || i >= len(cells) {
				return ""
			}
			return strings.TrimSpace(cells[i])
		}
		line, _ := c.FieldPos(0)
		if cell("outcome") == "" {
			taken.Empty++
			continue
		}
		if len(rows)+taken.Faulty >= MaxSheetRows {
			return nil, refuse(RefusedSheet, "a list has at most %d rows that say something: part it", MaxSheetRows)
		}
		row := sheetRow{line: line, event: Event{Outcome: Outcome(strings.ToLower(cell("outcome"))), How: Contact(strings.ToLower(cell("how"))),
			Desk: desk, Clerk: strings.ToLower(cell("clerk")), Changed: strings.Fields(cell("changed")), Sheet: true}}
		var code string
		if row.unit, err = registry.ParseID(strings.ToLower(cell("record"))); err != nil {
			code = FaultRecord
		} else if row.event.When, err = sheetTime(cell("when")); err != nil {
			code = FaultWhen
		} else if _, err := access.AccountID(row.event.Clerk); err != nil && row.event.Clerk != "" {
			code = FaultClerk
		} else if len(row.event.Changed) > maxFields {
			code = FaultChanged
		}
		if code != "" {
			taken.fault(line, code)
			continue
		}
		rows = append(rows, row)
	}
	if len(at) == 0 {
		return nil, refuse(RefusedSheet, "the file is empty: its first line has the columns %s", strings.Join(Columns(), ", "))
	}
	return rows, nil
}

func (t *Taken) fault(line int, code string) {
	if t.Faulty++; len(t.Faults) < mostFaults {
		t.Faults = append(t.Faults, Fault{line, code})
	}
}

// sheetTime reads a day, or a moment of UTC.
func sheetTime(s string) (at time.Time, err error) {
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", "2006-01-02T15:04", time.RFC3339} {
		if at, err = time.Parse(layout, s); err == nil {
			return at.UTC(), nil
		}
	}
	return at, err
}

// TakeSheet takes the marks of an offline list in, also after the close. A list that is taken
// twice changes nothing the second time; a row that is wrong keeps no other back.
func (d *Desk) TakeSheet(ctx context.Context, by access.Actor, code, desk string, r io.Reader) (taken Taken, err error) {
	taken.Faults = []Fault{}
	rows, err := readSheet(r, strings.TrimSpace(desk), &taken)
	if err != nil {
		return taken, err
	}
	if rows, err = d.known(ctx, by, rows, &taken); err != nil {
		return taken, err
	}
	taken.named = map[string]int{}
	for part := range slices.Chunk(rows, page) {
		got := taken
		got.named = maps.Clone(taken.named)
		got.Faults = slices.Clone(taken.Faults)
		err := d.Store.WriteExercises(ctx, quiet(by), func(tx Tx) error {
			for _, row := range part {
				if err := d.takeRow(tx, by, code, row, &got); err != nil {
					return err
				}
			}
			return tx.Note(access.Entry{Action: "exercise.take", Object: code, Detail: fmt.Sprintf("marks=%d same=%d faulty=%d", got.Marks, got.Same, got.Faulty) + got.clerks()})
		})
		if err != nil {
			return taken, err
		}
		taken = got
	}
	taken.named = nil
	return taken, nil
}

// known leaves the rows out whose clerk is nobody's account.
func (d *Desk) known(ctx context.Context, by access.Actor, rows []sheetRow, taken *Taken) (kept []sheetRow, err error) {
	knows := map[string]bool{}
	for _, row := range rows {
		clerk := row.event.Clerk
		ok, seen := knows[clerk]
		if !seen {
			if ok, err = d.Knows(ctx, by, clerk); err != nil {
				return nil, err
			}
			knows[clerk] = ok
		}
		if ok {
			kept = append(kept, row)
		} else {
			taken.fault(row.line, FaultClerk)
		}
	}
	return kept, nil
}

// takeRow takes one row; what is wrong in it is a fault, and no error.
func (d *Desk) takeRow(tx Tx, by access.Actor, code string, row sheetRow, taken *Taken) error {
	u, err := tx.Invited(code, row.unit)
	if err == nil {
		var rec registry.Record
		if rec, err = tx.Record(row.unit); err == nil {
			var living bool
			if living, err = inUse(rec); err == nil && !living {
				err = registry.ErrClosed
			}
		}
	}
	if err == nil {
		before := len(u.Marks)
		if _, err = d.mark(tx, by, code, row.unit, row.event); err == nil {
			if u, err = tx.Invited(code, row.unit); err != nil {
				return err
			}
			if len(u.Marks) > before {
				taken.Marks++
				if c := row.event.Clerk; c != "" && c != by.ID {
					taken.named[c]++
				}
			} else {
				taken.Same++
			}
			return nil
		}
	}
	var refusal *Refusal
	switch {
	case errors.As(err, &refusal) && refusal.Code != RefusedState && refusal.Code != RefusedDesk: // those are of the whole list
		taken.fault(row.line, refusal.Code)
	case errors.Is(err, ErrNotInvited):
		taken.fault(row.line, FaultInvited)
	case errors.Is(err, registry.ErrErased), errors.Is(err, registry.ErrClosed), errors.Is(err, registry.ErrNotFound):
		taken.fault(row.line, FaultGone)
	default:
		return err
	}
	return nil
}

// inUse reports whether a record is not closed.
func inUse(rec registry.Record) (bool, error) {
	if rec.Kind == registry.KindHousehold {
		h, err := rec.HouseholdRecord()
		return h.Status.Living(), err
	}
	p, err := rec.Person()
	return p.Status.Living(), err
}
