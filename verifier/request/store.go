package request

import (
	"context"
	"errors"
	"time"

	"aidpass/access"
)

// Store keeps one organisation's transactions. Bodies are sealed; handles are found by
// a keyed hash, so that whoever reads the database can answer no request.
type Store interface {
	// AddRequest keeps a new transaction.
	AddRequest(ctx context.Context, by access.Actor, r Record) error
	// Request and RequestByHandle find one, else ErrNotFound.
	Request(ctx context.Context, id string) (Record, error)
	RequestByHandle(ctx context.Context, handle string) (Record, error)
	// ChangeRequest hands the record to change and keeps Status, Ends and Body as it leaves
	// them, with an entry in the audit log. No two run at once. An error of change keeps
	// nothing and comes back as it is.
	ChangeRequest(ctx context.Context, by access.Actor, id string, change func(*Record) error) error
	// Requests are all there are, the newest first.
	Requests(ctx context.Context) ([]Record, error)
	// DropRequests deletes those that ended before a time, and says how many.
	DropRequests(ctx context.Context, by access.Actor, before time.Time) (int, error)
}

// ErrNotFound: no such transaction.
var ErrNotFound = errors.New("request: no such request")

// Record is a transaction as it is stored.
type Record struct {
	ID      string // for staff and the session that asked; 16 random bytes in hex
	Handle  string // for wallets, in the addresses they are given: 16 random bytes in base64url. AddRequest alone needs it
	Status  Status
	Created time.Time
	Expires time.Time // first moment in which no answer is taken
	Ends    time.Time // when it is deleted
	Body    []byte    // to be sealed
}

// Status is how far a transaction has come.
type Status string

// The states. From Open it goes to one of the others and stays there.
const (
	Open    Status = "open"
	Shown   Status = "shown"   // answered and judged, whatever the verdict
	Refused Status = "refused" // answered by what is no answer to this request
	Denied  Status = "denied"  // the wallet or its holder said no
)
