package registry

import (
	"context"
	"errors"
	"time"

	"aidpass/access"
)

// Errors of a Store that callers act on.
var (
	ErrNotFound = errors.New("registry: no such record")
	ErrErased   = errors.New("registry: the person was erased")
	ErrConflict = errors.New("registry: the record was changed by somebody else meanwhile")
)

// A Value is one field of a record as its newest change left it.
type Value struct {
	Version int64     // number of changes so far; 0: never set
	Data    []byte    // one item of deterministic CBOR (AppendValue); nil: removed or never set
	At      time.Time // of the change
	By      string    // account
	// Destroyed: a photograph stood here, and nobody can read it any more. Data is nil.
	Destroyed bool
}

// A Record is what is known of one person or household: its fields by name. Person
// and Household read and write them.
type Record struct {
	ID        ID
	Kind      Kind
	Source    string // name of the list its External is unique in; empty: the organisation
	External  string // the identifier it came with; empty for one entered by hand
	Household ID     // of a person: the household she is a member of; zero: none
	CreatedAt time.Time
	Fields    map[string]Value
}

// Called is how a message names the record: its id, and the number that its list
// has for it where there is one, since that is what stands on people's paper.
func (r Record) Called() string {
	if r.External == "" {
		return r.ID.String()
	}
	return r.ID.String() + " (" + r.External + ")"
}

// A FieldChange is one entry of a record's history.
type FieldChange struct {
	Seq    int64  // order of arrival in the organisation
	ID     string // of the change set
	Field  string
	Base   int64 // version the author saw
	Data   []byte
	At     time.Time
	By     string // account
	Device string
	// Destroyed: the change brought a photograph that nobody can read any more.
	Destroyed bool
}

// A Key is something a record can be found by without reading it: stored only as
// an HMAC of kind and text under the organisation's key (a blind index).
type Key struct {
	Kind string // KeyDocument, KeyNameYear, KeyName, KeyPhone, KeyOpen
	Text string // normalised: equal texts are the same thing
}

// Kinds of a Key.
const (
	KeyDocument = "document"  // type, issuing country and number of a document
	KeyNameYear = "name-year" // name skeleton and birth year: see Skeleton
	KeyName     = "name"      // skeleton of one word of a name
	KeyPhone    = "phone"
	KeyOpen     = "open" // something that a person must decide: Undecided
)

// A Change writes one record.
type Change struct {
	ID       ID     // zero: the record of Kind, Source and External, or a new one where there is none
	Kind     Kind   // of a new record
	Source   string // used when ID is zero
	External string
	// Fields to set, each one item of deterministic CBOR; nil removes. What is equal to
	// the current value is not written.
	Fields map[string][]byte
	// Base holds, for fields that must not overwrite somebody else's newer value, the
	// version the author saw. Another current version is ErrConflict and nothing is written.
	Base map[string]int64
	// Keys replace the record's keys when not nil.
	Keys []Key
	// Household moves a person into this household; LeaveHousehold takes her out of any.
	Household      ID
	LeaveHousehold bool
	// KeepPhoto leaves the photograph that another takes the place of readable in the
	// history, until the next one comes or this one goes: a list that is taken back gives it
	// back. Without it, what is replaced or taken out is destroyed.
	KeepPhoto bool
}

// Saved says what became of a Change.
type Saved struct {
	ID      ID
	New     bool
	Changed int // fields written; 0: all was known already
}

// A Programme and its rounds, as the organisation plans them. Names of programmes
// say too much to be stored in the clear: they are sealed under the organisation's key.
type Programme struct {
	Code           string  `json:"code"` // opaque, at most 8 characters; what stands on cards
	Name           string  `json:"name,omitempty"`
	Sector         string  `json:"sector,omitempty"`
	Modality       string  `json:"modality"` // cash, voucher, in_kind, service
	Conditionality string  `json:"conditionality,omitempty"`
	Counts         Kind    `json:"counts"`             // what it counts: KindPerson or KindHousehold
	Currency       string  `json:"currency,omitempty"` // ISO 4217
	Start          string  `json:"start,omitempty"`    // day, as 2026-11-01
	End            string  `json:"end,omitempty"`
	Rounds         []Round `json:"rounds,omitempty"` // by number
}

// A Round of a programme.
type Round struct {
	N      uint64   `json:"n"`
	Label  string   `json:"label,omitempty"`
	Opens  string   `json:"opens,omitempty"` // day
	Closes string   `json:"closes,omitempty"`
	Sites  []string `json:"sites,omitempty"`
}

// EntitlementStatus is how far an entitlement has come.
type EntitlementStatus string

// The states of an entitlement (DOMAIN 3.2).
const (
	Planned   EntitlementStatus = "planned"
	Granted   EntitlementStatus = "issued"
	OnHold    EntitlementStatus = "suspended"
	Cancelled EntitlementStatus = "cancelled"
	Collected EntitlementStatus = "collected"
	Partial   EntitlementStatus = "partial"
	Returned  EntitlementStatus = "returned"
	Lapsed    EntitlementStatus = "expired"
)

// An Entitlement is what a unit is due in one round of a programme: money, things
// or services. A unit has one a round.
type Entitlement struct {
	ID        string            `json:"id"` // 32 hex digits
	Unit      ID                `json:"-"`
	Programme string            `json:"programme"`
	Round     uint64            `json:"round"`
	Amount    string            `json:"amount,omitempty"` // decimal, as "120.00"; never a float
	Currency  string            `json:"currency,omitempty"`
	Items     []Item            `json:"items,omitempty"`
	Services  []Service         `json:"services,omitempty"`
	Mechanism string            `json:"mechanism,omitempty"`
	Status    EntitlementStatus `json:"status"`
}

// An Item is goods of an entitlement.
type Item struct {
	Code string `json:"code"`
	Qty  string `json:"qty"` // decimal
	Unit string `json:"unit,omitempty"`
}

// A Service is visits of an entitlement.
type Service struct {
	Code   string `json:"code"`
	Visits int    `json:"visits"`
}

// An ImportFile is what is kept of a file that was imported.
type ImportFile struct {
	ID      ID
	Digest  [32]byte // of the file's bytes; kept as an HMAC
	Plan    []byte   // the mapping it was read with (JSON); no people's data
	Rows    int
	Created int
	Updated int
	Same    int // rows that said nothing new
	Refused int
	At      time.Time
	By      string
}

// A View reads an organisation's records in one transaction.
type View interface {
	// Record returns a record, or ErrNotFound or ErrErased.
	Record(id ID) (Record, error)
	// AsOf returns the record as it stood at a time, without a photograph that went since;
	// ErrNotFound before it was made.
	AsOf(id ID, at time.Time) (Record, error)
	// Find returns the record of this kind, source and identifier.
	Find(kind Kind, source, external string) (ID, bool, error)
	// Erased reports whether the record that had this identifier was erased on request.
	// More is not known of it: not who it was, nor when.
	Erased(kind Kind, source, external string) (bool, error)
	// Alias stands for a record in one file that leaves, whose salt it is made with: 10
	// bytes that tell nobody but the organisation which record is meant.
	Alias(salt []byte, id ID) []byte
	// Lookup returns the living records that have a key.
	Lookup(k Key) ([]ID, error)
	// Members returns the persons of a household.
	Members(household ID) ([]ID, error)
	// Units returns up to limit ids of a kind that were not erased, in their order,
	// after the given one.
	Units(kind Kind, after ID, limit int) ([]ID, error)
	// History returns the changes of a record, oldest first.
	History(id ID) ([]FieldChange, error)

	Programme(code string) (Programme, error) // or ErrNotFound
	Programmes() ([]Programme, error)
	// Entitlement returns what a unit is due in a round, or ErrNotFound.
	Entitlement(unit ID, programme string, round uint64) (Entitlement, error)
	// Entitlements calls yield for each entitlement of a round, in the order of the units.
	Entitlements(programme string, round uint64, yield func(Entitlement) error) error
	// Doubles returns the pairs that nobody has decided, or all of them: the most telling
	// first, then the oldest. Their Evidence is not read.
	Doubles(all bool) ([]Double, error)
	// DoublesOf returns all pairs of one record, decided ones too, in the same order and
	// with their Evidence.
	DoublesOf(id ID) ([]Double, error)
	// DoublesWith returns of the pairs of Doubles(false) those of one record.
	DoublesWith(id ID) ([]Double, error)
	// DoublesBy returns what an account decided since a time and what it put off, as long as
	// that stands, the newest first. Their Evidence is not read.
	DoublesBy(account string, since time.Time) ([]Double, error)
	// CountDoubles counts the pairs as they are at a time.
	CountDoubles(at time.Time) (Count, error)
	// ImportOf returns the earlier import of a file with this digest.
	ImportOf(digest [32]byte) (ImportFile, bool, error)
	Imports() ([]ImportFile, error)
}

// A Tx writes them. What it wrote is there for its own reads, and for others when
// the transaction ends without an error; else nothing of it is.
type Tx interface {
	View
	Save(Change) (Saved, error)
	SaveProgramme(Programme) error
	// SaveEntitlement sets the entitlement of a unit, programme and round; the ID is
	// drawn when empty. It reports whether anything changed.
	SaveEntitlement(Entitlement) (changed bool, err error)
	// SaveDouble enters a pair once for each Why, whichever way round. One that is there and
	// open: Bits over 0 renew what a run says of it. Decided decides (Open opens it
	// again; Withdrawn is of an open one alone), else Reason puts it off; both leave what the
	// run says.
	SaveDouble(Double) error
	SaveImport(ImportFile) error
	// StopCards revokes the credentials of units that are good or on hold, in this very
	// transaction: a change that leaves a card behind is never there without its end. It
	// returns how many it stopped; units that have none are no error.
	StopCards(units []ID, reason string) (stopped int, err error)
	// Note adds an audit entry to those the writes make by themselves.
	Note(access.Entry) error
	// NoteAbout is Note for an act about many records, such as an export: each of them
	// can be told of it.
	NoteAbout(e access.Entry, about []ID) error
}

// A Store keeps one organisation's records. No method takes an organisation: it
// was chosen when the store was opened. Erasing a person is Store's too, since
// it must reach the files that lie outside a backup.
type Store interface {
	View(ctx context.Context, fn func(View) error) error
	// Update runs fn in one transaction. An error of fn is returned as it is, and
	// nothing is written. fn is not run twice.
	Update(ctx context.Context, by access.Actor, fn func(Tx) error) error
	// Erase destroys the key of a person or household: see storage.Org.Erase.
	Erase(ctx context.Context, by access.Actor, id ID, reason string) error
}
