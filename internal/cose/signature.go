package cose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"sync"
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

// maxDER is the longest DER form of a P-256 signature: two heads of 2 bytes
// and two integers of 33.
const maxDER = 2 + 2*(2+33)

// appendDER appends SEQUENCE { INTEGER r, INTEGER s } of the 64 bytes r||s.
func appendDER(dst, sig []byte) []byte {
	dst = append(dst, 0x30, 0)
	start := len(dst)
	dst = appendInteger(dst, sig[:32])
	dst = appendInteger(dst, sig[32:64])
	dst[start-1] = byte(len(dst) - start)
	return dst
}

func appendInteger(dst, v []byte) []byte {
	for len(v) > 1 && v[0] == 0 {
		v = v[1:]
	}
	if v[0] >= 0x80 { // the sign bit: a zero keeps it positive
		dst = append(dst, 0x02, byte(len(v)+1), 0)
	} else {
		dst = append(dst, 0x02, byte(len(v)))
	}
	return append(dst, v...)
}

// parseDER writes r||s of a DER signature into sig (64 bytes) and reports
// whether der was exactly one such signature in its one encoding.
func parseDER(sig, der []byte) bool {
	if len(der) < 2 || der[0] != 0x30 || int(der[1]) != len(der)-2 {
		return false
	}
	rest, ok := parseInteger(sig[:32], der[2:])
	if !ok {
		return false
	}
	rest, ok = parseInteger(sig[32:64], rest)
	return ok && len(rest) == 0
}

func parseInteger(dst, der []byte) (rest []byte, ok bool) {
	if len(der) < 3 || der[0] != 0x02 || der[1] == 0 || der[1] > 33 || int(der[1]) > len(der)-2 {
		return nil, false
	}
	v, rest := der[2:2+der[1]], der[2+der[1]:]
	switch {
	case v[0] >= 0x80: // negative
		return nil, false
	case v[0] == 0 && len(v) > 1:
		if v[1] < 0x80 { // a zero too many
			return nil, false
		}
		v = v[1:]
	}
	if len(v) > len(dst) {
		return nil, false
	}
	clear(dst)
	copy(dst[len(dst)-len(v):], v)
	return rest, true
}
