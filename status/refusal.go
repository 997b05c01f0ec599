package status

import (
	"errors"
	"fmt"

	"aidpass/credential/qr"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/words"
)

// Refusal says why a list was not taken.
type Refusal struct {
	Reason words.Reason
	Err    error // the details, for us
}

func (r *Refusal) Error() string { return fmt.Sprintf("status: %v (%s)", r.Err, r.Reason) }
func (r *Refusal) Unwrap() error { return r.Err }

// refuse and malformed are out of line: their copies would weigh on the browser binaries.
//
//go:noinline
func refuse(reason words.Reason, format string, args ...any) error {
	return &Refusal{reason, fmt.Errorf(format, args...)}
}

// malformed is a list that its issuer signed and that is not one.
//
//go:noinline
func malformed(format string, args ...any) error {
	return refuse(words.StatusMalformed, format, args...)
}

// faults of the envelope around a list, the special before the broad.
var faults = []struct {
	err    error
	reason words.Reason
}{
	{cose.ErrAlgMissing, words.AlgMissing}, {jose.ErrAlgMissing, words.AlgMissing},
	{cose.ErrAlgNotAllowed, words.AlgNotAllowed}, {jose.ErrAlgNotAllowed, words.AlgNotAllowed},
	{cose.ErrAlgKeyMismatch, words.AlgKeyMismatch}, {jose.ErrAlgKeyMismatch, words.AlgKeyMismatch},
	{cose.ErrCrit, words.CritNotUnderstood}, {jose.ErrCrit, words.CritNotUnderstood},
	{cose.ErrKeyIDMissing, words.KidMissing}, {jose.ErrKeyIDMissing, words.KidMissing},
	{cose.ErrType, words.WrongTyp}, {jose.ErrType, words.WrongTyp},
	{cose.ErrUnknownKey, words.UnknownKey}, {jose.ErrUnknownKey, words.UnknownKey},
	{cose.ErrSignature, words.BadSignature}, {jose.ErrSignature, words.BadSignature},
	{cose.ErrDuplicateHeader, words.DuplicateHeader},
	{cose.ErrUnprotected, words.UnprotectedNotAllowed},
	{cose.ErrKeyIDTooLong, words.TooLarge},
	{cbor.ErrTooLarge, words.TooLarge}, {jose.ErrTooLarge, words.TooLarge}, {qr.ErrTooLarge, words.TooLarge},
	{cbor.ErrDuplicateKey, words.DuplicateKey}, {jose.ErrDuplicate, words.DuplicateKey},
	{cbor.ErrTrailing, words.TrailingData},
	{cbor.ErrNonCanonical, words.NonCanonical},
	{cbor.ErrMalformed, words.BadCBOR},
	{cose.ErrMalformed, words.BadCOSE}, {jose.ErrMalformed, words.BadJOSE},
}

// envelope turns a fault of the signed message around a list into a Refusal.
func envelope(err error) error {
	for _, f := range faults {
		if errors.Is(err, f.err) {
			return &Refusal{f.reason, err}
		}
	}
	return &Refusal{words.StatusMalformed, err}
}

// content turns a fault of what was signed into a Refusal: whatever is wrong
// with it, the issuer's list is malformed; only size is told apart.
func content(err error) error {
	for _, large := range []error{cbor.ErrTooLarge, jose.ErrTooLarge, qr.ErrTooLarge} {
		if errors.Is(err, large) {
			return &Refusal{words.TooLarge, err}
		}
	}
	return &Refusal{words.StatusMalformed, err}
}
