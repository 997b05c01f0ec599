// Package doubles looks through a whole register for people who are on record twice, and
// tells how the work with what it found goes.
//
// A run reads the records a page at a time, compares them with no transaction open
// (package match), and stores pairs for people to decide. It closes nothing and erases
// nothing. What people decided stays decided, unless what they looked at was changed.
// Between runs an index is kept, so that the next one reads and compares only who is new
// or was changed; it is destroyed when anybody is erased.
//
// docs/duplicates.md, docs/decisions/0045.
package doubles

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// A Store is a registry's with what runs need beside it.
type Store interface {
	registry.Store
	// Hash makes a number of a text with a key of the organisation.
	Hash(text string) uint64
	// Mark says where the register stands.
	Mark(ctx context.Context) (Mark, error)
	// Changed are the records of which something was written after a change.
	Changed(ctx context.Context, after int64) ([]registry.ID, error)
	// KeepRun keeps the report of a run with a note in the log, and the index unless it is nil. Where somebody was
	// erased since the mark the index was made at, nothing is kept and kept is false.
	KeepRun(ctx context.Context, by access.Actor, note access.Entry, report []byte, at Mark, index []byte) (kept bool, err error)
	// Index returns the index that was kept and the change it knows all up to, or ErrNoIndex.
	Index(ctx context.Context) (index []byte, seq int64, err error)
	// LastRun is the report of the newest run; nil: there was none.
	LastRun(ctx context.Context) ([]byte, error)
	// Decisions calls yield with what people decided of pairs, oldest first, as the log has it.
	Decisions(ctx context.Context, yield func(Decision) error) error
}

// A Mark is where a register stands.
type Mark struct {
	Seq    int64 // newest change
	Erased int   // records that were ever erased
	People int   // records of persons, closed ones too
}

// A Decision is one of a pair, as the log has it.
type Decision struct {
	A, B registry.ID
	What string // registry.Same, Different, Open, Withdrawn
	By   string // account
	At   time.Time
}

// Conditions of the kept index: the next run compares all.
var (
	ErrNoIndex = errors.New("doubles: no index was kept, or it was destroyed with somebody's record")
	ErrDamaged = fmt.Errorf("%w: the file does not open", ErrNoIndex)
)

// A Desk runs comparisons of one organisation.
type Desk struct {
	Store Store
	Now   func() time.Time
}

// Options of a run.
type Options struct {
	Full     bool                  // compare all with all, although an index is kept
	Progress func(done, total int) // nil: nobody asks

	keepModel bool // of a test: a full run by the model that was kept
}

// Codes of why a run compared all with all.
const (
	FullAsked   = "asked"
	FullFirst   = "no_index"     // the first one; or somebody was erased since the last
	FullDamaged = "damaged"      // the kept index does not open
	FullMany    = "many_changed" // too much is new for what was learnt before
	FullMonth   = "month"        // what was learnt is older than a month
)

// A Report is what a run did.
type Report struct {
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Seconds  float64   `json:"seconds"`
	Full     bool      `json:"full"`
	Why      string    `json:"why,omitempty"` // of Full: a code
	People   int       `json:"people"`        // in use, who were compared or compared with
	Read     int       `json:"read"`          // of them, whose records were read
	Compared int64     `json:"compared"`      // pairs
	Parted   int       `json:"parted"`        // people of too large blocks: see package match

	Told        int `json:"told"`         // pairs found that are told to be one person
	Review      int `json:"review"`       // that need a look
	Groups      int `json:"groups"`       // of more than two records
	New         int `json:"new"`          // that were not known
	Renewed     int `json:"renewed"`      // of which another thing is said than before
	Decided     int `json:"decided"`      // that people decided: left so
	Reopened    int `json:"reopened"`     // decided, and what the decision rested on was changed since
	Withdrawn   int `json:"withdrawn"`    // found earlier, and not any more
	Flood       int `json:"flood"`        // pairs left out: more were found than people can look at; the most telling are stored
	FloodPeople int `json:"flood_people"` // of whom more than MostOfOne pairs were found

	Kept     bool     `json:"index_kept"`
	Fairness *Fair    `json:"fairness,omitempty"` // of the newest run over all
	Learnt   *Learnt  `json:"learnt,omitempty"`
	Limits   struct { // what Flood is measured by
		PerThousand int `json:"per_thousand"`
		OfOne       int `json:"of_one"`
	} `json:"limits"`
}

// Learnt says when the model was learnt that a run compared by.
type Learnt struct {
	At     time.Time `json:"at"`
	People int       `json:"people"`
}

// The guard against a flood: a list entered twice, or a filler in place of a number,
// makes more pairs than people can look at.
const (
	MostPerThousand = 100 // open pairs for 1,000 people
	AlwaysLooked    = 100 // open pairs that people can look at, however few are on record
	MostOfOne       = 5   // pairs of one person
)

// Last is the report of the newest run; ok is false when there was none.
func (d *Desk) Last(ctx context.Context) (r Report, ok bool, err error) {
	body, err := d.Store.LastRun(ctx)
	if err != nil || body == nil {
		return r, false, err
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return r, false, fmt.Errorf("doubles: the report of the last run: %w", err)
	}
	return r, true, nil
}
