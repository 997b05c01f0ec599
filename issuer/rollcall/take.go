package rollcall

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/exercise"
	"aidpass/issuer/registry/roster"
)

// MaxFilled bounds a filled workbook, in bytes.
const MaxFilled = exercise.MaxSheet

// mostFindings of a file are told; the first show how the rest came about.
const mostFindings = 200

// Why a filled list is not taken. The codes are stable.
const (
	Columns    = "columns"    // one of the workbook's columns is missing, or stands twice
	TooLong    = "too_long"   // more rows than a list has
	OtherList  = "other_list" // the row is of another exercise
	NoDesk     = "no_desk"    // a desk that the exercise does not have
	Unknown    = "unknown"    // nobody who was invited goes by that line
	Twice      = "twice"      // the line is filled in in another row, too: Other
	Several    = "several"    // more than one box is ticked
	NoBox      = "no_box"     // how, day or telephone, and no box
	BadTick    = "tick"       // something else than a tick
	BadHow     = "how"        // none of the three ways
	AbsentHow  = "absent_how" // who is absent was met in no way
	NoDay      = "no_day"     // the day is missing, and the exercise has several
	BadDay     = "day"        // not a day as 2026-11-23
	OutsideDay = "outside"    // before the exercise, after it, or ahead
	BadPhone   = "phone"      // not readable as one telephone number
	Formula    = "formula"    // a formula in the place of a value
	Unreadable = "cell"       // a cell that cannot be read
	Gone       = "gone"       // the record is closed or erased
	TooMany    = "many_marks" // the record has more marks than are kept
	NoClerk    = "clerk"      // who filled it in is no account of the organisation
	NotOpen    = "not_open"   // of a draft nothing is taken
)

// Codes are all of them.
func Codes() []string {
	return []string{Columns, TooLong, OtherList, NoDesk, Unknown, Twice, Several, NoBox, BadTick, BadHow, AbsentHow, NoDay, BadDay, OutsideDay, BadPhone, Formula, Unreadable, Gone, TooMany, NoClerk, NotOpen}
}

// A Finding is what is wrong in a file, and where. It holds nothing of a cell.
type Finding struct {
	Row    int    `json:"row"`    // as the spreadsheet counts; 0: the whole file
	Column string `json:"column"` // its letter; empty: the whole row
	Code   string `json:"code"`
	Other  int    `json:"other,omitempty"` // row of the same line
}

// A FilledMark is a row that says something.
type FilledMark struct {
	Row   int
	Unit  registry.ID
	Desk  string
	Event exercise.Event
	Phone string // that is new; empty: none

	taken time.Time // when it was taken in already; zero: it was not
}

// A Filled is a list that came back, as it was read.
type Filled struct {
	Marks    []FilledMark
	Empty    int       // rows that say nothing
	Known    int       // of Marks that were taken already
	Also     int       // of Marks whose people another desk has met, too: the earliest counts
	Findings []Finding // with any, nothing is taken
	Found    int       // all of them
}

func (f *Filled) find(x Finding) {
	if f.Found++; len(f.Findings) < mostFindings {
		f.Findings = append(f.Findings, x)
	}
}

// Check reads a filled workbook in a process of its own, and holds each row against the
// exercise. It writes nothing.
//
// Errors: a *roster.FileError for what is no such workbook; exercise.ErrNone; those of the
// store. What is wrong in rows is in Filled.
func (d *Desk) Check(ctx context.Context, by access.Actor, code, name string, b []byte) (f Filled, err error) {
	e, err := d.Exercises.Find(ctx, code)
	if err != nil {
		return f, err
	}
	if len(b) > MaxFilled {
		return f, &roster.FileError{Path: name, Code: roster.TooLarge, What: fmt.Sprintf("has %d bytes, at most %d", len(b), MaxFilled), Fix: "take the list of one desk"}
	}
	file, err := d.Read(ctx, by.ID, name, b, roster.Options{Sheet: sheetName, Typed: true})
	if err != nil {
		return f, err
	}
	defer file.Close()
	units, err := d.units(ctx, code)
	if err != nil {
		return f, err
	}
	in := reading{e: &e, units: units, now: d.Exercises.Now().UTC(), out: &f, rows: map[registry.ID]int{}}
	if e.State == exercise.Draft {
		f.find(Finding{Code: NotOpen})
		return f, nil
	}
	if err := in.read(file); err != nil {
		return f, err
	}
	return f, d.compare(ctx, code, &f)
}

// units are those of an exercise by what they go by on its lists.
func (d *Desk) units(ctx context.Context, code string) (map[string]registry.ID, error) {
	units := map[string]registry.ID{}
	err := d.Exercises.Each(ctx, code, func(i exercise.Invited) error {
		units[Ref(code, i.Unit)] = i.Unit
		return nil
	})
	return units, err
}

// compare finds which marks are known, which people another desk has met, and what cannot be
// marked any more.
func (d *Desk) compare(ctx context.Context, code string, f *Filled) error {
	return d.Exercises.Store.ReadExercises(ctx, func(v exercise.View) error {
		for i := range f.Marks {
			m := &f.Marks[i]
			u, err := v.Invited(code, m.Unit)
			if errors.Is(err, exercise.ErrNotInvited) || errors.Is(err, registry.ErrErased) {
				f.find(Finding{Row: m.Row, Code: Gone})
				continue
			} else if err != nil {
				return err
			}
			living, err := inUse(v, m.Unit)
			if err != nil {
				return err
			}
			if !living {
				f.find(Finding{Row: m.Row, Code: Gone})
				continue
			}
			if !known(&u, m).IsZero() {
				f.Known++
				continue
			}
			if len(u.Marks) >= exercise.MostMarks {
				f.find(Finding{Row: m.Row, Code: TooMany})
			}
			if slices.ContainsFunc(u.Marks, func(o exercise.Mark) bool {
				return o.Undone.IsZero() && o.Desk != m.Desk && o.Outcome != exercise.Absent
			}) {
				f.Also++
			}
		}
		return nil
	})
}

// known is when a mark was taken already, whoever took it; zero: it was not.
func known(u *exercise.Unit, m *FilledMark) time.Time {
	for _, o := range u.Marks {
		if o.Sheet && o.Undone.IsZero() && o.Outcome == m.Event.Outcome && o.How == m.Event.How && o.Desk == m.Desk && o.When.Equal(m.Event.When) {
			return o.Known
		}
	}
	return time.Time{}
}

// inUse reports whether a record is there and not closed.
func inUse(v registry.View, id registry.ID) (bool, error) {
	rec, err := v.Record(id)
	if errors.Is(err, registry.ErrErased) || errors.Is(err, registry.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if rec.Kind == registry.KindHousehold {
		h, err := rec.HouseholdRecord()
		return h.Status.Living(), err
	}
	p, err := rec.Person()
	return p.Status.Living(), err
}

// reading reads the rows of a workbook.
type reading struct {
	e     *exercise.Exercise
	units map[string]registry.ID
	now   time.Time
	out   *Filled
	rows  map[registry.ID]int // where a unit was filled in
	name  map[string]string   // of a column in the file, by its key
	at    map[string]string   // its letter
	any   map[string]string   // letter of every column, by its name in the file
}

func (in *reading) read(file *roster.File) error {
	tables := file.Tables()
	if len(tables) != 1 {
		in.out.find(Finding{Code: Columns})
		return nil
	}
	if !in.columns(tables[0].Columns) {
		return nil
	}
	rows, err := file.Rows(tables[0].Name)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n == MaxLines {
			in.out.find(Finding{Row: row.Number, Code: TooLong})
			return nil
		}
		in.row(&row)
	}
}

// columns finds each column by its heading in whatever language.
func (in *reading) columns(list []roster.Column) bool {
	in.name, in.at, in.any = map[string]string{}, map[string]string{}, map[string]string{}
	whole := true
	for _, c := range list {
		in.any[c.Name] = c.Letter
		for _, key := range sheetColumns {
			if !slices.ContainsFunc(languages, func(lang string) bool { return isHeading(Words(lang)["col."+key], c.Name) }) {
				continue
			}
			if in.name[key] != "" {
				in.out.find(Finding{Column: c.Letter, Code: Columns})
				whole = false
			}
			in.name[key], in.at[key] = c.Name, c.Letter
		}
	}
	for _, key := range sheetColumns {
		if in.name[key] == "" && key != "number" && key != "name" && key != "size" { // those are for people
			in.out.find(Finding{Code: Columns})
			return false
		}
	}
	return whole
}

// isHeading reports whether a column is called by a heading, with whatever day as the example.
func isHeading(heading, name string) bool {
	before, after, _ := strings.Cut(heading, "{day}")
	if at := len(before) + len(time.DateOnly); len(before) < len(heading) && len(name) >= at {
		if _, err := time.Parse(time.DateOnly, name[len(before):at]); err == nil {
			return sameWords(before, name[:len(before)]) && sameWords(after, name[at:])
		}
	}
	return sameWords(heading, name)
}

// sameWords reports whether two headings are the same but for case and blanks.
func sameWords(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}

var boxes = []exercise.Outcome{exercise.Seen, exercise.Updated, exercise.Absent, exercise.Refused}

// row reads one. What is wrong of it is found all at once.
func (in *reading) row(row *roster.Row) {
	found := in.out.Found
	find := func(key, code string) { in.out.find(Finding{Row: row.Number, Column: in.at[key], Code: code}) }
	for _, p := range row.Problems {
		code := Unreadable
		if p.What == roster.IsFormula {
			code = Formula
		}
		in.out.find(Finding{Row: row.Number, Column: cmp.Or(in.any[p.Column], p.Column), Code: code}) // a name is a cell, too; behind the last it has a letter alone
	}
	cell := func(key string) string { return row.Cell(in.name[key]) }
	m := FilledMark{Row: row.Number, Event: exercise.Event{Sheet: true}}
	ticked := 0
	for _, o := range boxes {
		switch t := cell(string(o)); {
		case t == "":
		case isTick(t):
			ticked++
			m.Event.Outcome = o
		default:
			find(string(o), BadTick)
		}
	}
	how, when, phone := cell("how"), cell("when"), cell("new_phone")
	if ticked == 0 && how == "" && when == "" && phone == "" && in.out.Found == found {
		in.out.Empty++
		return
	}
	switch {
	case ticked > 1:
		find("", Several)
	case ticked == 0 && in.out.Found == found:
		find("", NoBox)
	}
	code, desk, _ := strings.Cut(cell("list"), "/")
	m.Desk = strings.TrimSpace(desk)
	switch {
	case code != in.e.Code:
		find("list", OtherList)
		return // its lines mean others
	case m.Desk == "" || len(in.e.Desks) > 0 && !slices.Contains(in.e.Desks, m.Desk):
		find("list", NoDesk)
	}
	var ok bool
	if m.Unit, ok = in.units[strings.ToUpper(cell("line"))]; !ok {
		find("line", Unknown)
	} else if other := in.rows[m.Unit]; other > 0 {
		in.out.find(Finding{Row: row.Number, Column: in.at["line"], Code: Twice, Other: other})
	} else {
		in.rows[m.Unit] = row.Number
	}
	in.how(&m, how, find)
	in.day(&m, when, find)
	if m.Phone = phone; phone != "" && !phoneLike(phone) {
		find("new_phone", BadPhone)
	}
	if in.out.Found == found {
		in.out.Marks = append(in.out.Marks, m)
	}
}

func isTick(s string) bool {
	return slices.Contains([]string{"x", "v", "1", "✓", "✔", "☑", "×", "✗", "yes", "oui", "sí", "si", "نعم", "ndiyo", "true"}, strings.ToLower(s))
}

func (in *reading) how(m *FilledMark, how string, find func(key, code string)) {
	if m.Event.Outcome == exercise.Absent {
		if how != "" {
			find("how", AbsentHow)
		}
		return
	}
	m.Event.How = registry.InPerson
	if how == "" {
		return
	}
	for _, h := range registry.Hows() {
		if strings.EqualFold(string(h), how) || slices.ContainsFunc(languages, func(lang string) bool { return sameWords(Words(lang)["col."+string(h)], how) }) {
			m.Event.How = h
			return
		}
	}
	find("how", BadHow)
}

// day reads when somebody was met: without a day it was the only one of the exercise.
func (in *reading) day(m *FilledMark, when string, find func(key, code string)) {
	if when == "" && in.e.Opens == in.e.Closes {
		when = in.e.Opens
	}
	if when == "" {
		find("when", NoDay)
		return
	}
	text := strings.Map(western, when)
	if len(text) > len(time.DateOnly) && strings.TrimRight(text[len(time.DateOnly):], "0: ") == "" { // as a spreadsheet has a day
		text = text[:len(time.DateOnly)]
	}
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		find("when", BadDay)
		return
	}
	opens, _ := time.Parse(time.DateOnly, in.e.Opens)
	closes, _ := time.Parse(time.DateOnly, in.e.Closes)
	if at.Before(opens) || at.After(closes) || registry.Ahead(at, in.now) {
		find("when", OutsideDay)
	}
	m.Event.When = at
}

// western is a digit as 0 to 9.
func western(r rune) rune {
	switch {
	case r >= '٠' && r <= '٩':
		return r - '٠' + '0'
	case r >= '۰' && r <= '۹':
		return r - '۰' + '0'
	}
	return r
}

// phoneLike reports whether a text may be a telephone number: the desk that keeps it looks closer.
func phoneLike(s string) bool {
	digits := 0
	for _, r := range strings.Map(western, s) {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case !strings.ContainsRune("+ -()./", r):
			return false
		}
	}
	return digits >= 6 && digits <= 15 && utf8.RuneCountInString(s) <= 30
}

// ErrFindings is a list in which something is wrong: nothing of it was taken.
var ErrFindings = errors.New("rollcall: something is wrong in this list, and nothing of it was taken")

// A Taken says what became of a list.
type Taken struct {
	Marks  int `json:"marks"`  // that are new
	Same   int `json:"same"`   // that were taken before
	Empty  int `json:"empty"`  // rows that say nothing
	Also   int `json:"also"`   // marks of people whom another desk has met, too
	Phones int `json:"phones"` // telephones that are new in records
	// NotPhones are rows whose telephone was not kept: the record has several, or another
	// account has changed it meanwhile.
	NotPhones []int `json:"not_phones"`
}

// Take takes a filled workbook in: all of it, or nothing where Check finds something. The same
// file again changes nothing. clerk is the account that filled it in; empty: who acts.
//
// Errors: those of Check; ErrFindings.
func (d *Desk) Take(ctx context.Context, by access.Actor, code, name, clerk string, b []byte) (t Taken, f Filled, err error) {
	t.NotPhones = []int{}
	if f, err = d.Check(ctx, by, code, name, b); err != nil {
		return t, f, err
	}
	clerk = strings.ToLower(strings.TrimSpace(clerk))
	if ok, err := d.Exercises.Knows(ctx, by, clerk); err != nil {
		return t, f, err
	} else if !ok {
		f.find(Finding{Code: NoClerk})
	}
	if f.Found > 0 {
		return t, f, ErrFindings
	}
	t.Empty, t.Also = f.Empty, f.Also
	fresh := map[string][]*FilledMark{}
	err = d.Exercises.Store.ReadExercises(ctx, func(v exercise.View) error {
		for i := range f.Marks {
			m := &f.Marks[i]
			u, err := v.Invited(code, m.Unit)
			if err != nil {
				return err
			}
			if m.taken = known(&u, m); !m.taken.IsZero() {
				t.Same++
			} else {
				fresh[m.Desk] = append(fresh[m.Desk], m)
			}
		}
		return nil
	})
	if err != nil {
		return t, f, err
	}
	for desk, marks := range fresh {
		got, err := d.Exercises.TakeSheet(ctx, by, code, desk, rowsOf(marks, clerk))
		t.Marks += got.Marks
		t.Same += got.Same
		if err != nil {
			return t, f, err
		}
		for _, fault := range got.Faults { // somebody closed the record since it was looked at
			x := Finding{Row: marks[fault.Row-2].Row, Code: Gone}
			if fault.Code == exercise.RefusedManyMark {
				x.Code = TooMany
			}
			f.find(x)
		}
	}
	if f.Found > 0 {
		return t, f, ErrFindings
	}
	return t, f, d.phones(ctx, by, code, f.Marks, &t)
}

// rowsOf are marks as package exercise takes them.
func rowsOf(marks []*FilledMark, clerk string) io.Reader {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write(exercise.Columns())
	for _, m := range marks {
		cells := map[string]string{"record": m.Unit.String(), "outcome": string(m.Event.Outcome), "how": string(m.Event.How), "when": m.Event.When.Format(time.DateOnly), "clerk": clerk}
		var row []string
		for _, c := range exercise.Columns() {
			row = append(row, cells[c])
		}
		w.Write(row)
	}
	w.Flush()
	return &b
}

// phones keeps the telephones that the rows bring, as somebody would who edits each record.
func (d *Desk) phones(ctx context.Context, by access.Actor, code string, marks []FilledMark, t *Taken) error {
	for i := range marks {
		m := &marks[i]
		if m.Phone == "" {
			continue
		}
		rec, err := d.record(ctx, m.Unit)
		if err != nil {
			return err
		}
		if !m.taken.IsZero() && rec.Fields["contacts"].At.After(m.taken) { // by this list, when it was first taken; or by somebody who knew later
			continue
		}
		form, err := d.People.Edit(ctx, by, m.Unit, rec.Kind)
		if err != nil {
			return err
		}
		if _, ok := form.Values["phone"]; !ok {
			t.NotPhones = append(t.NotPhones, m.Row)
			continue
		}
		out, err := d.People.Save(ctx, by, m.Unit, rec.Kind, form.Seen, map[string]string{"phone": strings.Map(western, m.Phone)}, cmp.Or(code, "exercise"))
		switch {
		case err != nil && ctx.Err() == nil, len(out.Rival) > 0:
			t.NotPhones = append(t.NotPhones, m.Row)
		case err != nil:
			return err
		case len(out.Set) > 0:
			t.Phones++
		}
	}
	return nil
}

func (d *Desk) record(ctx context.Context, id registry.ID) (rec registry.Record, err error) {
	err = d.Exercises.Store.ReadExercises(ctx, func(v exercise.View) error {
		rec, err = v.Record(id)
		return err
	})
	return rec, err
}
