package issuer

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer/registry"
	"aidpass/status"
)

// A UnitID names a person or household inside one organisation. It leaves the
// organisation only as a pseudonym.
type UnitID = registry.ID

// NewUnitID draws one.
func NewUnitID() UnitID { return registry.NewID() }

// ParseUnitID reads what UnitID.String wrote.
func ParseUnitID(s string) (UnitID, error) { return registry.ParseID(s) }

// A CTI is the identity of a credential: 10 random bytes, claim 7 of the card.
type CTI [10]byte

// NewCTI draws one whose text does not begin with a hyphen: it is typed as an
// argument of commands, where that would be an option.
func NewCTI() (c CTI) {
	for {
		if rand.Read(c[:]); c[0]>>2 != 62 { // base64url: 62 is '-'
			return c
		}
	}
}

// String is 14 characters of base64url, as in cards.jsonl.
func (c CTI) String() string { return base64.RawURLEncoding.EncodeToString(c[:]) }

// ParseCTI reads what String wrote.
func ParseCTI(s string) (c CTI, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != len(c) {
		return CTI{}, fmt.Errorf("issuer: %q is not a credential's identity (14 characters of base64url)", s)
	}
	return CTI(b), nil
}

// UnitKind says what a programme counts.
type UnitKind = registry.Kind

// The kinds of units: see registry.Kind.
const (
	Person    = registry.KindPerson
	Household = registry.KindHousehold
	Found     = registry.KindFound
	Blank     = registry.KindBlank
)

// A UnitRow is one row of a roster as it is stored. Kind, Namespace and External
// together name a unit: person 1 is not household 1, nor the person 1 of another
// village's roster.
type UnitRow struct {
	Kind      UnitKind
	Namespace string            // the roster, where its identifiers are unique in it alone; empty: in the organisation
	External  string            // the roster's own identifier; not empty
	Fixed     []string          // fields of a known unit whose text may not become another: its name
	Fields    map[string][]byte // by claim name; each value is one item of deterministic CBOR (AppendValue)
}

// Enrolled says what became of a UnitRow.
type Enrolled struct {
	ID      UnitID
	New     bool
	Changed int      // fields written; 0: everything was known already
	Refusal *Refusal // RefusedName: ID has this identifier and is called otherwise; nothing was written
}

// State is how far a credential has come. Its end (revoked, expired) is kept apart.
type State string

// The states, in their order.
const (
	Reserved State = "reserved" // has its place: unit key, cti, status index
	Intended State = "intended" // the bytes to be signed are recorded: from here a signature may exist
	Issued   State = "issued"   // signed, verified, stored
	Released State = "released" // let go before the intent: no signature can exist
	FromLog  State = "found"    // signed, and known from the signing log only: the card itself is lost
)

// A Credential is what the store knows of one.
type Credential struct {
	ID          CTI
	Unit        UnitID
	Type        string // name of the credential type
	VCT         string // its URI: two names of one URI are one type
	Programme   string
	Round       uint64 // first round it is for; 0: it names none, and is for all
	LastRound   uint64
	Form        credential.Form
	Copy        int // of one wallet's one-time credentials, from 0; 0 on cards
	State       State
	Ended       bool   // released, revoked or expired: another may take its place
	EndReason   string // empty while active
	Pseudonym   string
	CardNumber  string
	StatusURI   string
	StatusIndex uint64
	Status      status.Value
	KeyID       [8]byte         // zero before the intent
	IssuedAt    credential.Time // zero before the intent
	ExpiresAt   credential.Time
	RequestHash [32]byte // Reservation.RequestHash under the unit's key: says nothing once that is destroyed
	Intent      []byte   // exact bytes to be signed, with the disclosures of an SD-JWT VC behind them; nil before the intent, or erased
	Card        []byte   // signed bytes (cwt, bound) or text; nil before they are stored, or erased
}

// ListPolicy says how status lists are made. The zero value is filled by Desk.
type ListPolicy struct {
	Prefix string        // of the URIs, such as https://status.example/s/ ; the list's short name is put behind it
	Size   uint64        // entries a list; at least 2^17 outside tests, so that a list says nothing about its size
	Open   int           // lists open at a time; each new credential takes one of them at random
	Decoys int           // entries of each list that are never issued and set now and then
	Fill   float64       // share of a list after which it takes no more
	Life   time.Duration // how long a list is promised; no credential in it expires later
}

// A Lot is what the rows of one call of Reserve have in common.
type Lot struct {
	ID        string // random; the object of the lot's audit entries
	Type      string
	VCT       string
	Programme string
	KeyCheck  [8]byte // of the programme key, see KeyCheck
	Round     uint64  // of the batch
	Form      credential.Form
	ExpiresAt credential.Time
	Approval  [32]byte
	Replace   bool   // also places whose newest credential was revoked
	Suspended bool   // fresh ones are on hold from the start
	Reason    string // of the revocation of what rows replace
	Lists     ListPolicy
}

// Rounds are the rounds a credential is for, first to last. The zero value is no
// round named: all of them.
type Rounds struct{ First, Last uint64 }

// A Reservation asks for the place of one credential.
type Reservation struct {
	ID           CTI // used if the place is free
	Unit         UnitID
	Rounds       Rounds // with unit, type, programme, form and copy: the place
	Copy         int
	Pseudonym    string // used if the unit has none in the programme yet
	CardNumber   string
	RequestHash  [32]byte
	Alike        [32]byte        // RequestHash of the same card, provisional where this one is whole, and the other way round
	ExpiresAt    credential.Time // 0: the lot's; never later
	Override     string          // why the gate was passed over: an audit entry of its own; empty: it was not
	OverrideNote string          // what else was said of it
	OverrideBy   string          // account that said so, where it is not the second person
	Reasons      string          // codes of the gate's reasons, for the audit entry of a provisional card or an override
	// Follows says that the gate lets a whole card be: a provisional one that is good in the
	// place is revoked (ReasonMended) and the whole one takes its place, where a second
	// person acts.
	Follows   bool
	Replaces  CTI               // active credential of the place: revoked in the same transaction; zero: none
	Former    credential.Former // kept for the unit in the programme, for good; zero: as it is
	Principal string            // pseudonym of the unit whose Former the card carries; empty: its own
}

// Outcome says what became of a Reservation.
type Outcome uint8

// The outcomes.
const (
	Fresh       Outcome = iota // the place is taken for this request
	Existing                   // an active credential holds it: Credential says which
	NumberTaken                // another unit has the card number: derive another pseudonym
	NoUnit                     // the unit is not known, or erased
	Revoked                    // the newest credential of the place was revoked, and the lot replaces none
	NotHeld                    // what the row replaces is neither active in the place nor the newest revoked there
	FormerTaken                // the unit has another Former in the programme, or another unit has this one
	NeedsSecond                // the newest credential of the place was revoked before its time, or one in another form is on hold or was revoked: a second person must confirm a new one
)

// A Slot is the answer to a Reservation. Credential is set for Fresh and
// Existing, and for Revoked and NeedsSecond the one that was.
type Slot struct {
	Outcome    Outcome
	Credential Credential
	Same       bool // Existing, of the same request; also a whole card where a provisional one is asked for
	Ends       bool // Credential is provisional: it ends by itself
	Replaces   CTI  // Fresh: the revoked credential it stands in for; zero: none

	Former credential.Former // Fresh and Existing: whose card of another organisation it stands in for; zero: nobody's
}

// An Intent is what is going to be signed for a reserved credential.
type Intent struct {
	ID         CTI
	KeyID      [8]byte
	IssuedAt   credential.Time
	ToBeSigned []byte
}

// A SignedCard completes an intended credential.
type SignedCard struct {
	ID   CTI
	Card []byte
}

// A StatusEntry is one entry of a status list that is not valid.
type StatusEntry struct {
	Index uint64
	Value status.Value
}

// A StatusList is the register of one list, and what was last published of it.
type StatusList struct {
	URI         string
	Size        uint64
	Entries     []StatusEntry   // invalid and suspended, by rising index
	PublishedAt credential.Time // zero: never
	Published   []byte          // bitmap of the newest publication; nil: never
	Unwitnessed bool            // restored without the signing log: what was published since is not known
}

// A Publication is a list's next published state.
type Publication struct {
	URI      string
	Previous credential.Time // PublishedAt of the register it was made from
	IssuedAt credential.Time // later than Previous
	Bitmap   []byte
}

// Errors of a Store that callers act on.
var (
	ErrProgrammeKey = errors.New("issuer: this is not the programme's key: its pseudonyms would all change")
	ErrFinal        = errors.New("issuer: the credential is revoked, which is final")
	ErrNotFound     = errors.New("issuer: no such credential")
	ErrPublished    = errors.New("issuer: the status list was published by somebody else meanwhile")
	ErrUnrevokes    = errors.New("issuer: the new list would take back a revocation that was published")
	ErrUnwitnessed  = errors.New("issuer: the database was restored without its signing log, and may have forgotten revocations that were published: show the newest published status lists")
	ErrOldWitness   = errors.New("issuer: the published list shown is older than what is known of it")
)

// A Store keeps one organisation's people and credentials. No method takes an
// organisation: it was chosen when the store was opened.
//
// Each method is one transaction, with its audit entry, and can be repeated
// after an error of unknown outcome: what is there already is left as it is
// and reported. by is who acts, for the audit log.
type Store interface {
	// SaveUnits adds units or writes the fields that changed, as change sets.
	SaveUnits(ctx context.Context, by access.Actor, rows []UnitRow) ([]Enrolled, error)

	// Reserve takes a place and a random unique status index for each row, or says
	// who has it: an active credential of the unit, type, programme and form whose
	// rounds overlap. Credentials that expired before now give their place up, and
	// so do reservations of another request that came to no intent, and the one
	// that a row replaces, which is revoked. A pre-numbered card bound to the unit
	// is the answer to every request of its place.
	Reserve(ctx context.Context, by access.Actor, lot Lot, now time.Time, rows []Reservation) ([]Slot, error)
	// RecordIntents stores the bytes to be signed of reserved credentials and
	// returns what holds now: where bytes were recorded already, those.
	RecordIntents(ctx context.Context, by access.Actor, rows []Intent) ([]Credential, error)
	// Complete stores signed cards and marks them issued. The first stored wins;
	// what holds now is returned.
	Complete(ctx context.Context, by access.Actor, rows []SignedCard) ([]Credential, error)
	// Unfinished returns up to limit active credentials in state Intended, in the
	// order of their identities, after the given one.
	Unfinished(ctx context.Context, after CTI, limit int) ([]Credential, error)
	// Release lets go what was reserved before t and has no intent.
	Release(ctx context.Context, by access.Actor, before time.Time) (int, error)

	// KnownTime is the newest time at which something was signed here; zero: never.
	KnownTime(ctx context.Context) (credential.Time, error)

	// FindCredentials returns every credential that text may mean: a cti, a card
	// number, a pseudonym, a unit's id, or an identifier of any kind and roster.
	FindCredentials(ctx context.Context, text string) ([]Credential, error)
	// FindUnit returns the credentials of the one unit that a UnitRow so named means.
	FindUnit(ctx context.Context, kind UnitKind, namespace, external string) ([]Credential, error)
	// SetStatus revokes, suspends or restores all of ids or none. Invalid ends the
	// credential and is final (ErrFinal); an unknown one is ErrNotFound.
	SetStatus(ctx context.Context, by access.Actor, ids []CTI, v status.Value, reason string) error

	// StatusLists returns the URIs of the lists that are still promised at now.
	StatusLists(ctx context.Context, now time.Time) ([]string, error)
	// StatusList returns the register of one list, or ErrNotFound.
	StatusList(ctx context.Context, uri string) (StatusList, error)
	// SetDecoys makes up to n decoys of a list invalid.
	SetDecoys(ctx context.Context, by access.Actor, uri string, n int) error
	// RecordPublication moves a list to its next published state if Previous is
	// still the newest (else ErrPublished) and nothing published as invalid comes
	// back (else ErrUnrevokes).
	// A list that is not witnessed is ErrUnwitnessed.
	RecordPublication(ctx context.Context, by access.Actor, p Publication) error
	// Unwitnessed returns the URIs of the lists that may not be published: see
	// Desk.Witness.
	Unwitnessed(ctx context.Context) ([]string, error)
	// TakeWitnessed takes in a list that was published and proved: nothing is
	// taken back, and what it revokes is revoked. An older one than is known is
	// ErrOldWitness.
	TakeWitnessed(ctx context.Context, by access.Actor, l *status.List) (WitnessedList, error)
	// ConfirmUnwitnessed lets go the lists nobody can show, and returns how many.
	ConfirmUnwitnessed(ctx context.Context, by access.Actor, reason string) (int, error)

	CardStore
}

// A SigningLog remembers, outside the store and outside its backups, every
// credential that may have been signed: after a restore of an old backup they
// are all known again and can be revoked.
type SigningLog interface {
	// LogSigning is called before the signatures are made and returns when the
	// lines are on the disk.
	LogSigning(ctx context.Context, rows []Credential) error
}
