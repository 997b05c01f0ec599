// Package p256 checks ECDSA signatures over P-256 for the browser binaries.
//
// crypto/ecdsa links the arithmetic of all four NIST curves and math/big, a
// sixth of what a cheap phone has to load. The point and scalar arithmetic here
// is that of the same authors, published curve by curve (filippo.io/nistec,
// filippo.io/bigmod); this package adds the verification equation alone. On
// servers and laptops package cose uses crypto/ecdsa, and the tests here hold
// the two against each other on good, broken and edge-case signatures.
//
// Everything handled is public, so nothing needs to run in constant time.
// SEC 1 v2, 4.1.4; FIPS 186-5, 6.4.2.
package p256

import (
	"errors"

	"filippo.io/bigmod"
	"filippo.io/nistec"
)

// order is n, the order of the group (SEC 2 2.4.2).
var order = func() *bigmod.Modulus {
	m, err := bigmod.NewModulus([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51})
	if err != nil {
		panic("p256: the order is a constant")
	}
	return m
}()

// PublicKey is a point of P-256 that is not the point at infinity.
type PublicKey struct{ q *nistec.P256Point }

// ErrPoint refuses bytes that are no uncompressed point of the curve.
var ErrPoint = errors.New("p256: not a point of P-256")

// Parse reads 04 || x || y. The point at infinity, compressed points, coordinates
// over the field prime and points off the curve are refused (ErrPoint).
func Parse(point []byte) (*PublicKey, error) {
	if len(point) != 65 || point[0] != 4 {
		return nil, ErrPoint
	}
	q, err := nistec.NewP256Point().SetBytes(point)
	if err != nil {
		return nil, ErrPoint
	}
	return &PublicKey{q}, nil
}

// Verify reports whether sig, r||s of 32 bytes each, is k's signature of a
// SHA-256 digest.
func (k *PublicKey) Verify(digest *[32]byte, sig []byte) bool {
	if len(sig) != 64 {
		return false
	}
	// 0 < r, s < n: SetBytes refuses n and more.
	r, err := bigmod.NewNat().SetBytes(sig[:32], order)
	if err != nil || r.IsZero() == 1 {
		return false
	}
	s, err := bigmod.NewNat().SetBytes(sig[32:], order)
	if err != nil || s.IsZero() == 1 {
		return false
	}
	w, ok := bigmod.NewNat().InverseVarTime(s, order)
	if !ok {
		return false
	}
	e, err := bigmod.NewNat().SetOverflowingBytes(digest[:], order)
	if err != nil {
		return false
	}
	u1 := e.Mul(w, order)
	u2 := w.Mul(r, order) // w is not needed any more
	p1, err := nistec.NewP256Point().ScalarBaseMult(u1.Bytes(order))
	if err != nil {
		return false
	}
	p2, err := nistec.NewP256Point().ScalarMult(k.q, u2.Bytes(order))
	if err != nil {
		return false
	}
	x, err := p1.Add(p1, p2).BytesX()
	if err != nil {
		return false // the point at infinity
	}
	v, err := bigmod.NewNat().SetOverflowingBytes(x, order)
	return err == nil && v.Equal(r) == 1
}

// ECDH returns the x coordinate of scalar times the point 04||x||y: the shared
// value of RFC 9180 4.1 for P-256. scalar is a private key of 32 bytes, in
// [1, n-1].
func ECDH(scalar, point []byte) ([]byte, error) {
	k, err := Parse(point)
	if err != nil {
		return nil, err
	}
	if err := checkScalar(scalar); err != nil {
		return nil, err
	}
	q, err := nistec.NewP256Point().ScalarMult(k.q, scalar)
	if err != nil {
		return nil, ErrPoint
	}
	return q.BytesX()
}

// Public returns the point 04||x||y of a private key.
func Public(scalar []byte) ([]byte, error) {
	if err := checkScalar(scalar); err != nil {
		return nil, err
	}
	q, err := nistec.NewP256Point().ScalarBaseMult(scalar)
	if err != nil {
		return nil, ErrScalar
	}
	return q.Bytes(), nil
}

// ErrScalar refuses private keys outside [1, n-1].
var ErrScalar = errors.New("p256: not a private key of P-256")

func checkScalar(scalar []byte) error {
	if len(scalar) != 32 {
		return ErrScalar
	}
	d, err := bigmod.NewNat().SetBytes(scalar, order)
	if err != nil || d.IsZero() == 1 {
		return ErrScalar
	}
	return nil
}
