package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// A Door lets the accounts of one organisation in and decides what they may do. It may
// be used by several goroutines; make one for each organisation and keep it.
type Door struct {
	Store Store
	Now   func() time.Time // nil: time.Now
	Rand  io.Reader        // nil: crypto/rand
	Cost  Cost             // of passwords; zero: DefaultCost
	// Pairs is how much two accounts approve for each other on a day of UTC, in either
	// direction, as the organisation set it; nil: DefaultPairs.
	Pairs func(context.Context) (int, error)

	mu        sync.Mutex
	executors map[Act]Executor
	carrying  sync.Mutex
	hashing   chan struct{} // bounds the memory that guesses of passwords take
	hashes    atomic.Int64  // how many were made; tests compare the work of two answers
}

// A Store keeps the accounts of one organisation.
type Store interface {
	// ID is the organisation's.
	ID() string
	// ReadAccess runs work on what is there at one moment.
	ReadAccess(ctx context.Context, work func(View) error) error
	// WriteAccess runs work in one transaction in the name of by, with its entries in
	// the log. An error of work comes back as it is (errors.Is), and nothing is written. What
	// changes an account, an invitation, a token or an approval needs an entry: without one it fails.
	WriteAccess(ctx context.Context, by Actor, work func(Tx) error) error
}

// A View reads. What is not there is ErrNoAccount, ErrNoSession, ErrNoInvite, ErrNoToken, ErrNoApproval.
type View interface {
	Account(id string) (Record, error)
	Accounts() ([]Record, error)                    // by id
	PasskeyOwner(credential []byte) (string, error) // account
	SubjectOwner(s Subject) (string, error)         // account
	Session(mark Mark) (SessionRow, error)
	Sessions(account string) ([]SessionRow, error) // newest first
	Invite(mark Mark) (Invite, error)
	Token(mark Mark) (Token, error)
	Tokens() ([]Token, error) // newest first
	Approval(id string) (Approval, error)
	Approvals() ([]Approval, error)     // newest first
	OpenApprovals() ([]Approval, error) // that wait or are approved, whatever the time; newest first
	ApprovalList(id string) ([]byte, error)
	Tries(about string) (Tries, error) // the zero Tries where nothing is known
	Tally(what string, day int64) (int, error)
}

// A Tx writes.
type Tx interface {
	View
	SaveAccount(r Record) error // adds or replaces; ErrTaken where another has one of its passkeys or subjects
	SaveSession(s SessionRow) error
	EndSession(mark Mark) error // also one that is not there
	EndSessions(account string, but Mark) error
	SaveInvite(i Invite) error
	EndInvites(account string) error
	SaveToken(t Token) error
	SaveApproval(a Approval) error
	SaveApprovalList(id string, list []byte) error
	EndApproval(id string) error // of one that is not open, with its list
	SaveTries(about string, t Tries) error
	SaveTally(t Tally) error
	Keep(mark Mark, kind string, ends time.Time, data []byte) error // what one page hands the next, sealed
	Take(mark Mark, kind string) (data []byte, ends time.Time, err error)
	Sweep(now time.Time) error // deletes sessions, invitations, tries, tallies and kept things that are over
	// Audit adds an entry: action, object, reason and detail are the caller's, and the actor
	// where it has one; else it is the transaction's.
	Audit(e Entry) error
}

// A Mark is what is kept of a secret that is handed out: SHA-256 of its purpose and
// itself. Secrets have 256 random bits, so nobody finds one that fits.
type Mark [32]byte

// MarkOf is the mark of a secret for a purpose ("session", "invite", ...).
func MarkOf(purpose, secret string) Mark {
	return sha256.Sum256([]byte("aidpass-" + purpose + "\x00" + secret))
}

// A Record is an account with what proves it. It does not leave this package but to the store.
type Record struct {
	Account
	Password string // argon2id in PHC form; empty: none
	TOTP     []byte // secret of one-time codes; empty: none
	NewTOTP  []byte // one that is being set up
	Step     int64  // newest step of TOTP whose code was used; each is good once

	Recovered Mark   // of the newest invitation by which it was let in again
	Granted   string // newest approval by which it got roles
}

// Settle fills in what the account says of its secrets. Stores call it for what they read.
func (r *Record) Settle() {
	r.HasPassword, r.HasTOTP = r.Password != "", len(r.TOTP) > 0
}

// wayIn reports whether the account can be signed in to.
func (r *Record) wayIn() bool {
	return r.Password != "" && len(r.TOTP) > 0 || len(r.Passkeys) > 0 || len(r.Subjects) > 0
}

// A SessionRow is a session as it is kept.
type SessionRow struct {
	Mark                  Mark
	Account               string
	Created, Seen, Proved time.Time
	Way                   Way
	Device                string // that its owner named; may be empty
}

// over reports whether the session has ended by itself.
func (s *SessionRow) over(now time.Time) bool {
	return now.Before(s.Created) || now.Sub(s.Created) >= SessionLife || now.Sub(s.Seen) >= SessionIdle
}

func (d *Door) now() time.Time {
	if d.Now == nil {
		return time.Now().UTC()
	}
	return d.Now().UTC()
}

func (d *Door) random(n int) []byte {
	b := make([]byte, n)
	src := d.Rand
	if src == nil {
		src = rand.Reader
	}
	if _, err := io.ReadFull(src, b); err != nil {
		panic("access: no random numbers: " + err.Error()) // crypto/rand never fails
	}
	return b
}

// secret draws what is handed out once: 256 bits in base64url.
func (d *Door) secret() string { return base64.RawURLEncoding.EncodeToString(d.random(32)) }

// maxSecret bounds what is hashed of what comes from outside.
const maxSecret = 128

// id draws an identifier.
func (d *Door) id() string { return hex.EncodeToString(d.random(16)) }

// door acts where nobody proved yet who they are.
var door = Actor{ID: "door", Role: System}

// by is an account in the log where it acts for itself.
func by(a Account) Actor { return Actor{ID: a.ID, Role: a.Roles[0]} }
