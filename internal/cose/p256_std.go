//go:build !js

package cose

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"sync"
)

// On servers and laptops P-256 is the standard library's. p256_js.go is the
// same for browsers, where that would be a sixth of what a phone loads; tests
// hold the two against each other.
type p256Key = ecdsa.PublicKey

func parseP256(point []byte) (*p256Key, error) {
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
}

// NewKey checks pub and returns it as a Key.
//
// pub is an *ecdsa.PublicKey on P-256 or an ed25519.PublicKey; any other is
// ErrAlgNotAllowed. Points off the curve and Ed25519 keys of small order or in
// a second encoding are ErrBadKey.
func NewKey(pub crypto.PublicKey) (*Key, error) {
	switch pub := pub.(type) {
	case *ecdsa.PublicKey:
		if pub == nil || pub.Curve != elliptic.P256() {
			return nil, fmt.Errorf("%w: only the curve P-256", ErrAlgNotAllowed)
		}
		point, err := pub.Bytes()
		if err != nil {
			return nil, fmt.Errorf("%w: %v", ErrBadKey, err)
		}
		return newP256(point)
	case ed25519.PublicKey:
		return newEd25519(pub)
	}
	return nil, fmt.Errorf("%w: key type %T", ErrAlgNotAllowed, pub)
}

// Public returns a fresh copy: an *ecdsa.PublicKey or an ed25519.PublicKey.
func (k *Key) Public() crypto.PublicKey {
	if k.ec == nil {
		return append(ed25519.PublicKey(nil), k.ed...)
	}
	// The point was accepted when k was made.
	pub, _ := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), k.bytes[:])
	return pub
}

// ECDH returns a P-256 key as the key SealTo takes. An Ed25519 key cannot be
// sealed to: ErrAlgKeyMismatch.
func (k *Key) ECDH() (*ecdh.PublicKey, error) {
	if k.ec == nil {
		return nil, fmt.Errorf("%w: sealing needs a P-256 key", ErrAlgKeyMismatch)
	}
	return ecdh.P256().NewPublicKey(k.bytes[:])
}

// derBuffers holds the DER form handed to the library, which lets it escape to
// the heap: the pool saves that allocation on every card.
var derBuffers = sync.Pool{New: func() any { return new([maxDER]byte) }}

func verifyP256(pub *ecdsa.PublicKey, tbs, sig []byte) bool {
	der := derBuffers.Get().(*[maxDER]byte)
	defer derBuffers.Put(der)
	digest := sha256.Sum256(tbs)
	// 0 < r, s < n is checked by VerifyASN1.
	return ecdsa.VerifyASN1(pub, digest[:], appendDER(der[:0], sig))
}

// SignRaw signs tbs with s and returns the 64-byte signature of COSE.
//
// s holds a P-256 or an Ed25519 key, in a file, a token or anywhere else. For
// P-256 it is given the SHA-256 digest and answers in DER, as crypto.Signer
// says; the result is r||s with s in the lower half of the group, whatever the
// token does. Ed25519 is given the whole of tbs. Other keys are
// ErrAlgNotAllowed; a signer that answers with something else is ErrSignature.
func SignRaw(s crypto.Signer, tbs []byte) ([]byte, error) {
	switch pub := s.Public().(type) {
	case *ecdsa.PublicKey:
		if pub.Curve != elliptic.P256() {
			return nil, fmt.Errorf("%w: only the curve P-256 signs", ErrAlgNotAllowed)
		}
		digest := sha256.Sum256(tbs)
		der, err := s.Sign(rand.Reader, digest[:], crypto.SHA256)
		if err != nil {
			return nil, fmt.Errorf("cose: sign: %w", err)
		}
		sig := make([]byte, SignatureSize)
		if !parseDER(sig, der) {
			return nil, fmt.Errorf("%w: the signer did not answer in DER", ErrSignature)
		}
		normalise(sig)
		return sig, nil
	case ed25519.PublicKey:
		sig, err := s.Sign(rand.Reader, tbs, crypto.Hash(0))
		if err != nil {
			return nil, fmt.Errorf("cose: sign: %w", err)
		}
		if len(sig) != SignatureSize {
			return nil, fmt.Errorf("%w: the signer answered with %d bytes", ErrSignature, len(sig))
		}
		return sig, nil
	}
	return nil, fmt.Errorf("%w: signer of type %T", ErrAlgNotAllowed, s.Public())
}

// Sign1Message signs payload as an object of type typ, in one step: Prepare,
// SignRaw, Attach.
func Sign1Message(s crypto.Signer, typ string, payload []byte) ([]byte, error) {
	k, err := NewKey(s.Public())
	if err != nil {
		return nil, err
	}
	p := Prepare(k, typ, payload, nil)
	sig, err := SignRaw(s, p.ToBeSigned())
	if err != nil {
		return nil, err
	}
	return p.Attach(sig)
}
