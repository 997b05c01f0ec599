package access

import (
	"crypto/sha256"
	"time"
)

// ApprovalLife is how long a request waits for its second account, and then for being
// carried out.
const ApprovalLife = 72 * time.Hour

// An ApprovalState is how far a request for approval has come.
type ApprovalState string

// The states of a request. All but Waiting and Approved are final.
const (
	Waiting   ApprovalState = "waiting"
	Approved  ApprovalState = "approved" // by a second account; not carried out yet
	Carried   ApprovalState = "carried"  // carried out, once
	Refused   ApprovalState = "refused"
	Withdrawn ApprovalState = "withdrawn" // by who asked, or once approved by either of both
	Lapsed    ApprovalState = "lapsed"    // nobody answered in ApprovalLife, or it could not be carried out in that time
)

// An Approval is an act under four eyes. Both accounts mean the same bytes: Hash is what
// the second one saw and, with a passkey, signed.
type Approval struct {
	ID, Org  string
	Act      Act
	Object   string    // random identifier of what it is about; may be empty
	Hash     [32]byte  // SHA-256 of Payload
	Payload  []byte    // canonical bytes of what will be done; no more than MaxPayload
	List     [32]byte  // SHA-256 of what Payload names by it, as [Door.List] gives it; zero: nothing
	By       string    // account that asked
	Makers   []string  // accounts that made what it is about: as By, none of them is its second
	At, Ends time.Time // Ends is ApprovalLife after At, and from the approval on ApprovalLife after that
	State    ApprovalState
	Second   string    // account that approved or refused; empty before
	Proof    []byte    // how it proved itself: a WebAuthn assertion over Hash, or empty for a step-up by code
	Why      string    // why it was asked for: a code or a few words without names; may be empty
	Reason   string    // of a refusal, or why it was withdrawn
	Done     time.Time // when it was carried out; zero before
}

// MaxPayload is the most bytes of a payload: identifiers and counts, not whole files,
// which are named by their hash.
const MaxPayload = 256 << 10

// MaxList is the most bytes of a list beside a payload.
const MaxList = 8 << 20

// ApprovalKept is how long a request is kept after it was answered or lapsed; then only the
// log tells of it: who asked when for what, its hash, who answered, and the hash of the proof.
const ApprovalKept = 90 * 24 * time.Hour

// MaxWaiting is how many requests of one account wait at once.
const MaxWaiting = 100

// over is when a request needed nobody any more.
func (a *Approval) over() time.Time {
	if a.Done.After(a.Ends) {
		return a.Done
	}
	return a.Ends
}

// HashPayload is what both accounts of an approval mean.
func HashPayload(payload []byte) [32]byte { return sha256.Sum256(payload) }
