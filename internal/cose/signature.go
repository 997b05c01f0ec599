package cose

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
)

// SignatureSize is the length of every signature here: r||s of P-256, or R||S
// of Ed25519. RFC 9053 2.1: never DER.
const SignatureSize = 64

// The order n of the P-256 group and (n-1)/2, big-endian. SEC 2, 2.4.2.
var (
	p256N = [32]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51}
	p256HalfN = [32]byte{0x7f, 0xff, 0xff, 0xff, 0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8}
)

// Verify checks that k signed tbs with algorithm alg.
//
// sig is 64 bytes. With lowS, an ES256 signature whose s lies in the upper
// half of the group is refused: every signature has such a twin, and our own
// objects have one form only. Verify returns ErrAlgKeyMismatch or ErrSignature.
// Everything in it is public, so it need not run in constant time.
func (k *Key) Verify(alg Alg, tbs, sig []byte, lowS bool) error {
	if !k.Accepts(alg) {
		return fmt.Errorf("%w: algorithm %d", ErrAlgKeyMismatch, alg)
	}
	if len(sig) != SignatureSize {
		return ErrSignature
	}
	ok := false
	if k.ec == nil {
		ok = ed25519.Verify(k.ed, tbs, sig)
	} else if s := sig[32:]; !lowS || bytes.Compare(s, p256HalfN[:]) <= 0 {
		ok = verifyP256(k.ec, tbs, sig)
	}
	if !ok {
		return ErrSignature
	}
	return nil
}

// normalise replaces s by n - s in place when s lies in the upper half. An s
// of n or more is left as it is: no verifier takes it.
func normalise(sig []byte) {
	s := sig[32:SignatureSize]
	if bytes.Compare(s, p256HalfN[:]) <= 0 || bytes.Compare(s, p256N[:]) >= 0 {
		return
	}
	borrow := 0
	for i := 31; i >= 0; i-- {
		d := int(p256N[i]) - int(s[i]) - borrow
		borrow = d >> 8 & 1
		s[i] = byte(d)
	}
}
