// Package cose reads and writes the COSE messages this project uses, and no
// others: COSE_Sign1 for everything one party signs, COSE_Sign for the trust
// list signed by k of n anchors, COSE_Encrypt0 for the sealed part of a card,
// and an HPKE box for what is sealed to one device.
//
// It decides which algorithms exist here: ES256 and Ed25519 for signatures,
// AES-128-GCM for sealing. A message that names another is refused before any
// key is looked at. It knows nothing of claims, issuers, trust or time; keys
// are handed in by the caller.
//
// Nothing here panics on any input, and reading allocates nothing: results
// alias the bytes that were parsed.
//
// RFC 9052 (structures), RFC 9053 and RFC 9864 (algorithms), RFC 9596 (typ),
// RFC 9679 (thumbprint), RFC 9180 (HPKE).
package cose

import (
	"errors"
	"fmt"
)

// Alg is a COSE algorithm number (IANA "COSE Algorithms").
type Alg int64

const (
	ES256   Alg = -7  // ECDSA with SHA-256; here always on P-256. What we write.
	EdDSA   Alg = -8  // here always Ed25519. What we write.
	ESP256  Alg = -9  // RFC 9864: ECDSA on P-256 with SHA-256. Foreign cards.
	Ed25519 Alg = -19 // RFC 9864: Ed25519. Foreign cards.
	A128GCM Alg = 1   // AES-128-GCM with a 128-bit tag. Sealed parts.
)

// signs reports whether a signature may name a.
func (a Alg) signs() bool {
	return a == ES256 || a == EdDSA || a == ESP256 || a == Ed25519
}

// MaxKeyID is the longest key id read from any message, in bytes.
const MaxKeyID = 64

// Faults a caller acts on. Faults of the CBOR underneath come through wrapped:
// test them with errors.Is and the variables of package cbor.
var (
	// ErrMalformed: well-formed CBOR, but not the COSE structure it should be.
	ErrMalformed = errors.New("cose: not a COSE message of the expected shape")
	// ErrAlgMissing: no algorithm in the protected header. An algorithm that
	// stands only in the unprotected header counts as missing.
	ErrAlgMissing = errors.New("cose: no algorithm in the protected header")
	// ErrAlgNotAllowed: an algorithm, key type or curve outside our list.
	ErrAlgNotAllowed = errors.New("cose: algorithm not allowed")
	// ErrAlgKeyMismatch: an allowed algorithm, but not one of this key.
	ErrAlgKeyMismatch = errors.New("cose: algorithm does not fit the key")
	// ErrCrit: the message demands understanding of a header we do not know.
	ErrCrit = errors.New("cose: critical header not understood")
	// ErrDuplicateHeader: one label in both the protected and unprotected header.
	ErrDuplicateHeader = errors.New("cose: header in both buckets")
	// ErrUnprotected: our own objects carry nothing unprotected.
	ErrUnprotected = errors.New("cose: unprotected header not allowed")
	// ErrKeyIDMissing: no key id where one is needed, or an empty one.
	ErrKeyIDMissing = errors.New("cose: key id missing")
	// ErrKeyIDTooLong: a key id over MaxKeyID bytes.
	ErrKeyIDTooLong = errors.New("cose: key id too long")
	// ErrType: the typ header is not the one the reader asked for.
	ErrType = errors.New("cose: message is of another type")
	// ErrUnknownKey: nobody known has the key the message names.
	ErrUnknownKey = errors.New("cose: unknown key")
	// ErrSignature: the key did not sign these bytes.
	ErrSignature = errors.New("cose: bad signature")
	// ErrBadKey: a key no honest party would publish.
	ErrBadKey = errors.New("cose: bad key")
	// ErrPrivateKey: a published key with its private part. It is an ErrBadKey,
	// and a reason to raise an alarm: that key is no longer secret.
	ErrPrivateKey = fmt.Errorf("%w: it carries its private part", ErrBadKey)
	// ErrDecrypt: the box does not open with this key, or was changed.
	ErrDecrypt = errors.New("cose: cannot open sealed bytes")
)

// malformed says what was wrong with the shape; it is an ErrMalformed.
func malformed(why string) error { return fmt.Errorf("%w: %s", ErrMalformed, why) }
