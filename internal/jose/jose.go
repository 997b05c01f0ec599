// Package jose reads and writes the signed JSON this project uses, and no
// other: JWS in the compact form with one ES256 or Ed25519 signature, as JWT
// status lists and wallet credentials need it.
//
// It has its own readers for base64url and JSON, since the common ones let
// through what two programs may understand differently: padding and stray
// bits, members named twice or in another case, half characters, numbers that
// lost digits on the way. Keys are handed in by the caller: a token that
// brings its own (jwk, jku, x5c, x5u) is read, and the key in it is not looked
// at. The package knows nothing of claims, issuers, trust or time.
//
// RFC 7515 (JWS), RFC 7519 (JWT), RFC 8037 and RFC 9864 (EdDSA), RFC 8259
// (JSON), RFC 4648 (base64url), RFC 8725 (best current practice).
package jose

import (
	"errors"
	"fmt"
)

// MaxToken is the longest token read unless the caller says otherwise, in bytes.
const MaxToken = 64 << 10

// MaxKeyID is the longest key id read, in bytes: an identifier that is a key
// (did:jwk), or that of a document with the place of a key in it, is one too.
const MaxKeyID = 1024

// Faults a caller acts on; the reason code of each stands behind it.
var (
	// ErrMalformed: not a compact JWS, not base64url, not JSON. bad_jose
	ErrMalformed = errors.New("jose: not a signed token of the expected shape")
	// ErrTooLarge: longer, or with more entries, than the limits allow. too_large
	ErrTooLarge = errors.New("jose: too large")
	// ErrDuplicate: an object names a member twice. duplicate_key
	ErrDuplicate = errors.New("jose: a member named twice")
	// ErrAlgMissing: no algorithm in the header. alg_missing
	ErrAlgMissing = errors.New("jose: no algorithm in the header")
	// ErrAlgNotAllowed: none, HS256 or any other algorithm outside our list. alg_not_allowed
	ErrAlgNotAllowed = errors.New("jose: algorithm not allowed")
	// ErrAlgKeyMismatch: an allowed algorithm, but not one of this key. alg_key_mismatch
	ErrAlgKeyMismatch = errors.New("jose: algorithm does not fit the key")
	// ErrCrit: the token demands understanding of a header we do not know. crit_not_understood
	ErrCrit = errors.New("jose: critical header not understood")
	// ErrType: typ is not the one the reader asked for, or missing. wrong_typ
	ErrType = errors.New("jose: token is of another type")
	// ErrKeyIDMissing: no key id where one is needed, or an empty one. kid_missing
	ErrKeyIDMissing = errors.New("jose: key id missing")
	// ErrUnknownKey: nobody known has the key the token names. unknown_key
	ErrUnknownKey = errors.New("jose: unknown key")
	// ErrSignature: the key did not sign this token. bad_signature
	ErrSignature = errors.New("jose: bad signature")
)

// malformed says what was wrong with the shape; it is an ErrMalformed.
func malformed(why string) error { return fmt.Errorf("%w: %s", ErrMalformed, why) }
