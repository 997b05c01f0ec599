// Package trust knows who may issue what, and with which key: the trust list of
// a consortium, signed by k of n anchors.
//
// The reading side opens a list with the anchors a device has pinned (Open,
// Accept), finds the key a card names (List.Find), judges the key in time
// (Key.Judge) and the organisation's rights (Organisation.MayIssue,
// Organisation.OwnsStatusURI). Withdrawals and recognised lists of other
// consortia are joined to an opened list (List.Withdraw, List.Recognise).
//
// The writing side edits a Draft by the acts of a consortium (add, grant,
// withdraw, rotate, remove, recognise), encodes it, and gathers the signatures
// of custodians who sit at different laptops (SignList, Merge, Describe).
//
// Nothing here reads a clock, a file or the network. Fetching lists, keeping
// what was accepted (Memory) and asking people stay above.
//
// Format: docs/formats/trust-list.md and docs/formats/slip.md.
package trust

import (
	"errors"
	"fmt"

	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/words"
)

// Limits of a trust list.
const (
	MaxListBytes = 8 << 20
	MaxKeys      = 10_000
	MaxAnchors   = 32 // keys in an anchor set, and twice that many signatures

	// maxItems bounds the memory a list takes: organisations, keys, grants,
	// names and codes together. A list of 10,000 organisations with a dozen
	// items each stays well below.
	maxItems = 250_000
	// maxFaults: a list with more refused entries is refused whole.
	maxFaults = 10_000
)

// A Refusal says why a list, a withdrawal or a certificate was not taken.
// Reason is the stable code; Error is a sentence for us.
type Refusal struct {
	Reason words.Reason
	Text   string // "list 7 was seen, 6 was offered"
	Err    error  // what lies beneath, or nil
}

func (r *Refusal) Error() string {
	if r.Err != nil {
		return "trust: " + r.Text + ": " + r.Err.Error()
	}
	return "trust: " + r.Text
}

func (r *Refusal) Unwrap() error { return r.Err }

// refuse is out of line: a hundred copies of it would weigh on the browser binaries.
//
//go:noinline
func refuse(reason words.Reason, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Text: fmt.Sprintf(format, args...)}
}

// refuseFor is a refusal whose code follows from err.
func refuseFor(err error, format string, args ...any) *Refusal {
	r := refuse(reasonFor(err), format, args...)
	r.Err = err
	return r
}

// reasons maps the faults of the layers below to codes. Order matters: the
// special case stands before the general one.
var reasons = [...]struct {
	err    error
	reason words.Reason
}{
	{cose.ErrBadKey, words.BadKey},
	{cbor.ErrTruncated, words.Truncated},
	{cbor.ErrMalformed, words.BadCBOR},
	{cbor.ErrTooLarge, words.TooLarge},
	{cbor.ErrDuplicateKey, words.DuplicateKey},
	{cbor.ErrTrailing, words.TrailingData},
	{cbor.ErrNonCanonical, words.NonCanonical},
	{cose.ErrAlgMissing, words.AlgMissing},
	{cose.ErrAlgNotAllowed, words.AlgNotAllowed},
	{cose.ErrAlgKeyMismatch, words.AlgKeyMismatch},
	{cose.ErrCrit, words.CritNotUnderstood},
	{cose.ErrDuplicateHeader, words.DuplicateHeader},
	{cose.ErrUnprotected, words.UnprotectedNotAllowed},
	{cose.ErrKeyIDMissing, words.KidMissing},
	{cose.ErrKeyIDTooLong, words.TooLarge},
	{cose.ErrType, words.WrongTyp},
	{cose.ErrUnknownKey, words.UnknownKey},
	{cose.ErrSignature, words.BadSignature},
	{cose.ErrMalformed, words.BadCOSE},
}

func reasonFor(err error) words.Reason {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Reason
	}
	for _, m := range reasons {
		if errors.Is(err, m.err) {
			return m.reason
		}
	}
	return words.BadClaims
}
