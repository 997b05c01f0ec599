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

// HashPayload is what both accounts of an approval mean.
func HashPayload(payload []byte) [32]byte { return sha256.Sum256(payload) }
