// Package imports takes a list through the hands of two people before anything of it is
// in the register: a file is loaded into quarantine, its columns are mapped, its rows
// checked and mended, a second account approves exactly that, and it is written in one
// transaction.
//
//	Loaded -> Checked -> In review -> Approved -> Applied -> Issued
//	            ^            |
//	            +--- Refused, or changed since: what was approved is not what is there
//
// What was written can be taken back out of the register by two as well (Undone), as far
// as nothing was built on it since.
//
// The bytes of the file never change. What is mended is laid over them when they are
// read, and says who mended it and when. What waits for approval is named by a hash over
// the file, the plan by which it is read, the mends, and of every row what becomes of it
// and what is written: see [Desk.Payload]. Nothing is issued by an import: cards are a batch's.
//
// What files are read is for package roster, what rows mean for package intake, who may
// do what for package access. A [Desk] keeps what it knows in a [Store].
package imports

import (
	"errors"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/roster"
)

// A State is how far an import has come.
type State string

// The states. From Approved on nothing of an import can be changed.
const (
	Loaded    State = "loaded"    // in quarantine, not checked as it is now
	Checked   State = "checked"   // every row was checked
	InReview  State = "in_review" // waits for a second account
	Approved  State = "approved"  // by a second account; being written, or to be
	Applied   State = "applied"   // its people are in the register
	Issued    State = "issued"    // cards were issued for it
	Refused   State = "refused"   // by a second account; can be mended and submitted again
	Withdrawn State = "withdrawn" // taken back; its file is gone
	Undone    State = "undone"    // was in the register, and was taken back out of it
)

// Open reports whether columns, cells and options of an import can still be changed.
func (s State) Open() bool { return s == Loaded || s == Checked || s == InReview || s == Refused }

// Bounds of what is kept.
const (
	MaxBytes = 32 << 20 // of a file
	MaxMends = 20_000   // of a list: more than that is mended where it comes from
	MaxOpen  = 200      // imports of an organisation that came to no end
	MaxName  = 200      // runes of a file's name
	maxField = 200      // bytes of an option

	// OpenLife is how long a list waits that nobody goes on with, DoneLife how long the
	// file of one that is in the register is kept for its rejected rows. Then the file,
	// what was found in it and its mends are destroyed.
	OpenLife = 90 * 24 * time.Hour
	DoneLife = 14 * 24 * time.Hour
)

// Errors of a Desk that callers act on. A file that cannot be read is a
// *roster.FileError, a plan that leaves something open an *intake.Question.
var (
	ErrNotFound = errors.New("imports: no such import")
	ErrGone     = errors.New("imports: the file of this import was destroyed: load it again")
	ErrConflict = errors.New("imports: the import was changed by somebody else meanwhile: look at it as it is now")
	ErrState    = errors.New("imports: this cannot be done with the import as it is now")
	ErrLarge    = errors.New("imports: the file is too large: split it")
	ErrMany     = errors.New("imports: too many imports wait: finish or withdraw some")
	ErrMends    = errors.New("imports: too many cells are mended: mend the list where it comes from, and load it again")
	ErrEmpty    = errors.New("imports: no row of the list can be taken in")
	ErrChanged  = errors.New("imports: rows would become something else than was approved: look at what changed, and check again")
)

// Options are what is said of a list besides its columns.
type Options struct {
	Source      string `json:"source,omitempty"`   // name of the list its numbers are unique in; "": the organisation
	Sheet       string `json:"sheet,omitempty"`    // the one sheet to read
	Encoding    string `json:"encoding,omitempty"` // of a CSV that is not UTF-8; "": guessed
	TakeChanges bool   `json:"take_changes,omitempty"`
}

// An Import is one list on its way.
type Import struct {
	ID      string   `json:"id"` // as registry.ID; what the registry's import is called in the end
	State   State    `json:"state"`
	Name    string   `json:"name"` // as its sender called the file: what a stranger wrote
	Format  string   `json:"format"`
	Size    int      `json:"size"` // bytes
	Digest  [32]byte `json:"digest"`
	Options Options  `json:"options"`
	By      string   `json:"by"` // account that loaded it
	At      time.Time
	Plan    []byte           `json:"plan"`              // intake.Plan as JSON
	Known   bool             `json:"known,omitempty"`   // the plan is that of an earlier import
	Mapped  []string         `json:"mapped,omitempty"`  // accounts that said what its columns are
	Mends   []Mended         `json:"mends,omitempty"`   // laid over the file
	Mended  int              `json:"mended,omitempty"`  // how many there are or were
	Counts  *Counts          `json:"counts,omitempty"`  // of the newest check; State tells whether it is of what is there now
	Outcome [32]byte         `json:"outcome"`           // of the newest check: intake.Fates.Digest
	Changed *Changed         `json:"changed,omitempty"` // it was approved, and could not be written as that
	Review  *Review          `json:"review,omitempty"`  // the newest
	Undo    *Review          `json:"undo,omitempty"`    // the newest request to take it out of the register again
	Left    []Left           `json:"left,omitempty"`    // of Undone: what stayed
	Why     string           `json:"why,omitempty"`     // it was refused, or not written: a code or a second person's words
	Done    time.Time        `json:"done,omitzero"`     // Applied, or Withdrawn
	Gone    bool             `json:"gone,omitempty"`    // the file was destroyed
	Warned  []string         `json:"warned,omitempty"`  // what a person should know of the file, in English
	Skipped []intake.Skipped `json:"skipped,omitempty"`
	Version int64            `json:"version"` // number of changes
}

// Mended is a change laid over the file.
type Mended struct {
	roster.Mend
	Was string    `json:"was,omitempty"` // what the file says
	By  string    `json:"by"`
	At  time.Time `json:"at"`
}

// Counts are what becomes of the rows. Rows is the sum of Good, Warned and Bad, and that
// of New, Updated, Known and Bad.
type Counts struct {
	Rows    int       `json:"rows"`
	Good    int       `json:"good"`
	Warned  int       `json:"warned"` // taken in with an issue
	Bad     int       `json:"bad"`    // not taken in
	New     int       `json:"new"`
	Updated int       `json:"updated"`
	Known   int       `json:"known"`            // nothing new
	Blocked int       `json:"blocked"`          // of Warned: no card before it is mended
	Doubles int       `json:"doubles"`          // pairs that may be one person
	Out     int       `json:"out"`              // left out by a mend, and in no other number
	Earlier time.Time `json:"earlier,omitzero"` // of an import of the same bytes
	At      time.Time `json:"at"`
}

// Changed is what had become something else than was approved.
type Changed struct {
	Parts []string      `json:"parts,omitempty"` // of the list: "file", "columns", "options", "mends", "rows"
	Rows  int           `json:"rows"`            // how many rows would become something else
	Some  []intake.Turn `json:"some,omitempty"`  // the first of them
}

// maxTurns is how many rows of an import say what they became.
const maxTurns = 50

// A Review is a request for approval and what came of it.
type Review struct {
	Approval string    `json:"approval"` // access.Approval
	Hash     [32]byte  `json:"hash"`     // of the payload
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	Second   string    `json:"second,omitempty"`
}

// plan reads the plan, which this package wrote.
func (m *Import) plan() (intake.Plan, error) { return intake.ReadPlan(m.Plan) }

// mends are those that the reader of the file takes.
func (m *Import) mends() []roster.Mend {
	list := make([]roster.Mend, len(m.Mends))
	for i := range m.Mends {
		list[i] = m.Mends[i].Mend
	}
	return list
}

// number is the identifier in the registry.
func (m *Import) number() (registry.ID, error) { return registry.ParseID(m.ID) }
