// Package exercise verifies a register: people are invited, come to desks or are called,
// and are marked as seen, updated, absent or refused. Who was absent becomes inactive after
// notice and the time for an appeal, by two accounts, and active again by one (DOMAIN.md
// A8, A30, A31; docs/exercises.md).
//
// What is kept of one household or person is sealed under her own key, as her record is:
// nothing in the clear says where somebody was.
package exercise

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// State is how far an exercise has come.
type State string

// The states.
const (
	Draft   State = "draft"
	Opened  State = "open"
	Closed  State = "closed"  // who was not seen is absent
	Settled State = "settled" // nobody waits for notice, appeal or a decision any more
)

// Outcome is what came of an invitation.
type Outcome string

// The outcomes. The empty one is of who has not come yet.
const (
	Waiting Outcome = ""
	Seen    Outcome = "seen"    // and everything was right
	Updated Outcome = "updated" // seen, and something was changed
	Absent  Outcome = "absent"
	Refused Outcome = "refused" // met, and would not answer
)

// Outcomes are those that a desk marks.
func Outcomes() []Outcome { return []Outcome{Seen, Updated, Absent, Refused} }

// met reports whether somebody of the unit stood or spoke there.
func (o Outcome) met() bool { return o == Seen || o == Updated || o == Refused }

// Contact is in what way somebody was met.
type Contact = registry.How

// Notices are the ways in which people are told that they were not seen.
func Notices() []string { return []string{"poster", "message", "visit", "phone"} }

// Bounds of an exercise.
const (
	MaxTitle   = 80 // runes
	MaxDesks   = 60
	MaxDesk    = 40 // bytes
	MaxPlaces  = 60 // of one scope
	LeastDays  = 14 // from the notice to the end of the time for appeals
	MostDays   = 365
	NoticeDays = 16 // where nobody says another
	AppealDays = 14
)

// A Scope is who is invited: records in use of a kind, in places.
type Scope struct {
	PCodes []string      `json:"pcodes,omitempty"` // of areas; who stays in one, or below it
	Sites  []string      `json:"sites,omitempty"`
	Kind   registry.Kind `json:"kind"` // of household or person
}

// An Exercise is one verification.
type Exercise struct {
	Code       string    `json:"code"` // as VER-2026-03
	Title      string    `json:"title,omitempty"`
	Opens      string    `json:"opens"` // day
	Closes     string    `json:"closes"`
	Desks      []string  `json:"desks,omitempty"` // empty: any
	Scope      Scope     `json:"scope"`
	NoticeDays int       `json:"notice_days"` // that a notice stands
	AppealDays int       `json:"appeal_days"` // behind those
	State      State     `json:"state"`
	By         string    `json:"by"` // account that made it
	At         time.Time `json:"at"`
	OpenedAt   time.Time `json:"opened_at,omitzero"`
	ClosedAt   time.Time `json:"closed_at,omitzero"`
	Invited    int       `json:"invited,omitempty"` // drawn at the opening
	Done       string    `json:"done,omitempty"`    // digest of the newest Proposal that was carried out
}

// A Mark is what a desk says of one unit.
type Mark struct {
	ID      string    `json:"id"`
	Outcome Outcome   `json:"outcome"`
	How     Contact   `json:"how,omitempty"` // of who was met
	Desk    string    `json:"desk,omitempty"`
	By      string    `json:"by"`              // account of the clerk
	When    time.Time `json:"when"`            // of the event
	Known   time.Time `json:"known"`           // when it reached the register
	Sheet   bool      `json:"sheet,omitempty"` // it was on an offline list
	Fields  int       `json:"fields,omitempty"`
	Changed int       `json:"changed,omitempty"`
	Undone  time.Time `json:"undone,omitzero"`
}

// A Notice tells a unit that it was not seen.
type Notice struct {
	Day string    `json:"day"`
	How string    `json:"how"` // of Notices
	By  string    `json:"by"`
	At  time.Time `json:"at"`
}

// An Appeal is somebody who says that she is there.
type Appeal struct {
	Day string    `json:"day"`
	By  string    `json:"by"` // account that took it
	At  time.Time `json:"at"`
}

// A Unit is what is kept of one that was invited.
type Unit struct {
	ID      registry.ID `json:"-"`
	At      time.Time   `json:"at"` // of the invitation
	Marks   []Mark      `json:"marks,omitempty"`
	Notices []Notice    `json:"notices,omitempty"`
	Appeals []Appeal    `json:"appeals,omitempty"`
	Slept   time.Time   `json:"slept,omitzero"` // when it became inactive by this exercise
}

// MostMarks is how many marks of one unit are kept; a desk marks once or twice.
const MostMarks = maxMarks

const maxMarks = 30

// Invited is a unit as an exercise counts it.
type Invited struct {
	Unit     registry.ID
	Outcome  Outcome
	How      Contact
	Desk, By string
	When     time.Time // of the event
	Known    time.Time // when it reached the register
	Fields   int       // looked at
	Changed  int       // of Fields
	Twice    int       // marks of other desks beside the one that counts
	Noticed  string    // first day
	Appealed string    // last day
	Inactive bool      // this exercise made it so
}

// Counted is what of a unit's marks counts: the earliest meeting, with what the same desk
// said after it; nobody met is absent only where no desk met them. Marks of other desks stay.
func (u *Unit) Counted() Invited {
	i := Invited{Unit: u.ID, Inactive: !u.Slept.IsZero()}
	for _, n := range u.Notices {
		if i.Noticed == "" || n.Day < i.Noticed {
			i.Noticed = n.Day
		}
	}
	for _, a := range u.Appeals {
		i.Appealed = max(i.Appealed, a.Day)
	}
	marks := slices.DeleteFunc(slices.Clone(u.Marks), func(m Mark) bool { return !m.Undone.IsZero() })
	slices.SortStableFunc(marks, func(a, b Mark) int {
		return cmp.Or(a.When.Compare(b.When), a.Known.Compare(b.Known), cmp.Compare(a.Desk, b.Desk), cmp.Compare(a.ID, b.ID))
	})
	first := slices.IndexFunc(marks, func(m Mark) bool { return m.Outcome.met() })
	if first < 0 && len(marks) > 0 {
		first = 0
	}
	for k, m := range marks {
		switch {
		case k == first:
			i.Outcome, i.How, i.Desk, i.By, i.When, i.Known, i.Fields, i.Changed = m.Outcome, m.How, m.Desk, m.By, m.When, m.Known, m.Fields, m.Changed
		case m.Outcome == Absent:
		case m.Desk != marks[first].Desk:
			i.Twice++
		case k > first: // the same desk goes on
			if m.Outcome == Updated || m.Outcome == Seen && i.Outcome == Refused {
				i.Outcome = m.Outcome
			}
			i.Fields, i.Changed = max(i.Fields, m.Fields), i.Changed+m.Changed
		}
	}
	return i
}

// Errors that callers act on.
var (
	ErrNone       = errors.New("exercise: no exercise has that code")
	ErrNotInvited = errors.New("exercise: this record was not invited to it")
	ErrChanged    = errors.New("exercise: who would become inactive is not as it was when it was looked at")
)

// A Refusal is an act that cannot be done as it was asked: the caller's to mend.
type Refusal struct {
	Code string // stable, of the table below
	text string
}

func (r *Refusal) Error() string { return r.text }

func refuse(code, format string, args ...any) error {
	return &Refusal{code, "exercise: " + fmt.Sprintf(format, args...)}
}

// Codes of refusals. They are stable.
const (
	RefusedCode     = "exercise_code"
	RefusedTaken    = "exercise_taken"
	RefusedTitle    = "exercise_title"
	RefusedDays     = "exercise_days"
	RefusedTerm     = "exercise_term"
	RefusedDesks    = "exercise_desks"
	RefusedScope    = "exercise_scope"
	RefusedState    = "exercise_state"
	RefusedNobody   = "exercise_nobody"
	RefusedOutcome  = "exercise_outcome"
	RefusedHow      = "exercise_how"
	RefusedPhoto    = "exercise_photo"
	RefusedDesk     = "exercise_desk"
	RefusedWhen     = "exercise_when"
	RefusedUndo     = "exercise_undo"
	RefusedNotice   = "exercise_notice"
	RefusedManyMark = "exercise_many_marks"
	RefusedSheet    = "exercise_sheet"
)

// Codes lists them, for whoever has a word for each.
func Codes() []string {
	return []string{RefusedCode, RefusedTaken, RefusedTitle, RefusedDays, RefusedTerm, RefusedDesks, RefusedScope, RefusedState, RefusedNobody, RefusedOutcome,
		RefusedHow, RefusedPhoto, RefusedDesk, RefusedWhen, RefusedUndo, RefusedNotice, RefusedManyMark, RefusedSheet}
}

// A View reads records and exercises in one transaction.
type View interface {
	registry.View
	// Exercise is one, or ErrNone.
	Exercise(code string) (Exercise, error)
	// Exercises are all, in the order of their codes.
	Exercises() ([]Exercise, error)
	// Invited is what is kept of a unit, or ErrNotInvited.
	Invited(code string, unit registry.ID) (Unit, error)
	// AllInvited are up to limit units in their order, after the given one. Those that were
	// erased are not among them.
	AllInvited(code string, after registry.ID, limit int) ([]Unit, error)
}

// A Tx writes them. It leaves no entry in the log: Note one.
type Tx interface {
	registry.Tx
	Exercise(code string) (Exercise, error)
	Exercises() ([]Exercise, error)
	Invited(code string, unit registry.ID) (Unit, error)
	AllInvited(code string, after registry.ID, limit int) ([]Unit, error)
	SaveExercise(Exercise) error
	SaveInvited(code string, u Unit) error
}

// A Store keeps records and exercises.
type Store interface {
	registry.Store
	ReadExercises(ctx context.Context, fn func(View) error) error
	// WriteExercises is Update with exercises.
	WriteExercises(ctx context.Context, by access.Actor, fn func(Tx) error) error
}

var codeForm = regexp.MustCompile(`^[A-Z0-9][A-Z0-9-]{2,23}$`)

// check refuses an exercise that cannot be made, and fills in what nobody said.
func (e *Exercise) check() error {
	e.Title = strings.TrimSpace(e.Title)
	if e.NoticeDays == 0 && e.AppealDays == 0 {
		e.NoticeDays, e.AppealDays = NoticeDays, AppealDays
	}
	if e.Scope.Kind == "" {
		e.Scope.Kind = registry.KindHousehold
	}
	opens, errOpens := time.Parse(time.DateOnly, e.Opens)
	closes, errCloses := time.Parse(time.DateOnly, e.Closes)
	switch {
	case !codeForm.MatchString(e.Code):
		return refuse(RefusedCode, "a code is 3 to 24 of A-Z, 0-9 and -, as VER-2026-03")
	case utf8.RuneCountInString(e.Title) > MaxTitle || strings.ContainsAny(e.Title, "\r\n"):
		return refuse(RefusedTitle, "a title is one line of at most %d letters", MaxTitle)
	case errOpens != nil || errCloses != nil || closes.Before(opens) || closes.Sub(opens) > MostDays*24*time.Hour:
		return refuse(RefusedDays, "days are written 2026-11-22, the last is not before the first, and at most %d days after it", MostDays)
	case e.NoticeDays < 1 || e.AppealDays < 1 || e.NoticeDays+e.AppealDays < LeastDays || e.NoticeDays+e.AppealDays > MostDays:
		return refuse(RefusedTerm, "notice and appeal are a day each or more, and together %d to %d days", LeastDays, MostDays)
	case e.Scope.Kind != registry.KindHousehold && e.Scope.Kind != registry.KindPerson:
		return refuse(RefusedScope, "households are invited, or persons")
	case len(e.Scope.PCodes)+len(e.Scope.Sites) > MaxPlaces:
		return refuse(RefusedScope, "a scope has at most %d places", MaxPlaces)
	case len(e.Desks) > MaxDesks:
		return refuse(RefusedDesks, "an exercise has at most %d desks", MaxDesks)
	}
	for i, d := range e.Desks {
		e.Desks[i] = strings.TrimSpace(d)
		if !deskName(e.Desks[i]) || slices.Contains(e.Desks[:i], e.Desks[i]) {
			return refuse(RefusedDesks, "desk %d of the list: a name of at most %d bytes in one line, each once", i+1, MaxDesk)
		}
	}
	for _, list := range [][]string{e.Scope.PCodes, e.Scope.Sites} {
		for i := range list {
			if list[i] = strings.TrimSpace(list[i]); !deskName(list[i]) {
				return refuse(RefusedScope, "place %d of the scope: a code or name of at most %d bytes in one line", i+1, MaxDesk)
			}
		}
	}
	return nil
}

func deskName(s string) bool {
	return s != "" && len(s) <= MaxDesk && utf8.ValidString(s) && !strings.ContainsAny(s, "\r\n\t")
}

// Holds reports whether a place is in a scope; an empty scope is everywhere.
func (s *Scope) Holds(at *registry.Location) bool {
	if at == nil {
		at = &registry.Location{}
	}
	code := strings.ToUpper(strings.TrimSpace(at.PCode))
	below := func(p string) bool { return strings.HasPrefix(code, strings.ToUpper(p)) }
	named := func(site string) bool { return strings.EqualFold(site, strings.TrimSpace(at.Site)) }
	return (len(s.PCodes) == 0 || slices.ContainsFunc(s.PCodes, below)) && (len(s.Sites) == 0 || slices.ContainsFunc(s.Sites, named))
}

func (s *Scope) equal(o *Scope) bool {
	return s.Kind == o.Kind && slices.Equal(s.PCodes, o.PCodes) && slices.Equal(s.Sites, o.Sites)
}

// Window is the last day of the time for appeals of a notice that was given on a day; false
// for no day.
func (e *Exercise) Window(noticed string) (time.Time, bool) {
	day, err := time.Parse(time.DateOnly, noticed)
	return day.AddDate(0, 0, e.NoticeDays+e.AppealDays), err == nil
}
