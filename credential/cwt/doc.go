// Package cwt reads and writes the compact signed form of a credential: a CBOR
// Web Token in COSE_Sign1 as MOSIP Claim 169 has it, in the strict profiles
// aidpass-card-1 and aidpass-slip-1 and in a liberal reading for other systems'
// cards. docs/formats/card.md draws the bytes.
//
// Parse reads the routing hints of bytes that nobody has proved. The caller
// finds the key by them, and the key's profile in the trust list decides which
// of OpenCard, OpenSlip and OpenForeign reads on: never the shape of the
// message, so a re-wrapped card cannot fall to the laxer reader.
//
// The package knows bytes, not truth: dates, authorisation and status are
// judged by package verifier. RFC 8392, RFC 9052, Claim 169 v1.2.1.
package cwt

import (
	"errors"
	"fmt"

	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/words"
)

// Limits of DESIGN 4.
const (
	MaxCardBytes  = 8192 // the COSE message, after inflating
	MaxTextClaim  = 1024
	CredentialIDN = 10 // bytes of a cti
	PseudonymLen  = 16 // characters
)

// Claim labels (RFC 8392, RFC 8747, IANA CWT claims, ours).
const (
	labelIss      = 1
	labelAud      = 3
	labelExp      = 4
	labelNbf      = 5
	labelIat      = 6
	labelCti      = 7
	labelCnf      = 8
	labelVct      = 11
	labelIdentity = 169
	labelStatus   = 65535
	labelAidpass  = -70001 // private use

	identityID = 1 // key 1 of the identity map: the pseudonym

	aidPlain  = 1
	aidSealed = 2
	aidDevice = 3
	aidFormer = 4
)

// Fault says why bytes are not a credential that can be opened.
type Fault struct {
	Reason words.Reason // stable code
	Err    error        // for us; never holds claim values
}

func (f *Fault) Error() string { return fmt.Sprintf("cwt: %s: %v", f.Reason, f.Err) }
func (f *Fault) Unwrap() error { return f.Err }

// fault is out of line: its copies would weigh on the browser binaries.
//
//go:noinline
func fault(r words.Reason, format string, args ...any) *Fault {
	return &Fault{Reason: r, Err: fmt.Errorf(format, args...)}
}

// ReasonOf maps the errors of the layers below to the refusal vocabulary.
func ReasonOf(err error) words.Reason {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f.Reason
	}
	for _, m := range reasons {
		if errors.Is(err, m.err) {
			return m.reason
		}
	}
	return words.BadCOSE
}

// reasons is ordered: the first that matches wins.
var reasons = []struct {
	err    error
	reason words.Reason
}{
	{cose.ErrKeyIDTooLong, words.TooLarge},
	{cose.ErrKeyIDMissing, words.KidMissing},
	{cose.ErrAlgMissing, words.AlgMissing},
	{cose.ErrAlgNotAllowed, words.AlgNotAllowed},
	{cose.ErrAlgKeyMismatch, words.AlgKeyMismatch},
	{cose.ErrCrit, words.CritNotUnderstood},
	{cose.ErrDuplicateHeader, words.DuplicateHeader},
	{cose.ErrUnprotected, words.UnprotectedNotAllowed},
	{cose.ErrType, words.WrongTyp},
	{cose.ErrSignature, words.BadSignature},
	{cose.ErrBadKey, words.BadKey},
	{cbor.ErrTooLarge, words.TooLarge},
	{cbor.ErrDuplicateKey, words.DuplicateKey},
	{cbor.ErrTrailing, words.TrailingData},
	{cbor.ErrNonCanonical, words.NonCanonical},
	{cbor.ErrMalformed, words.BadCBOR},
	{cose.ErrMalformed, words.BadCOSE},
}
