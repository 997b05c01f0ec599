package cose

import (
	"bytes"
	"fmt"

	"filippo.io/bigmod"
)

// lowOrderY are the y coordinates of the eight points whose order divides 8,
// little-endian with the sign bit clear. A signature that verifies under such
// a key verifies for nearly any message, so no honest party has one. With both
// signs and the second encodings (y + p) these are the 14 known encodings; the
// second encodings fall to the canonical check.
var lowOrderY = [5][32]byte{
	{},  // y = 0: order 4
	{1}, // y = 1: the identity
	{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, // y = -1: order 2
	{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
		0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05}, // order 8
	{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
		0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a}, // order 8
}

// The curve -x^2 + y^2 = 1 + d x^2 y^2 over the field of p = 2^255 - 19
// (RFC 8032 5.1), its d, and the exponent (p-1)/2 that tells squares.
var (
	edP = func() *bigmod.Modulus {
		m, err := bigmod.NewModulus(edBytes(0x7f, 0xed))
		if err != nil {
			panic("cose: the field prime is a constant")
		}
		return m
	}()
	edD = []byte{0x52, 0x03, 0x6c, 0xee, 0x2b, 0x6f, 0xfe, 0x73, 0x8c, 0xc7, 0x40, 0x79, 0x77, 0x79, 0xe8, 0x98,
		0x00, 0x70, 0x0a, 0x4d, 0x41, 0x41, 0xd8, 0xab, 0x75, 0xeb, 0x4d, 0xca, 0x13, 0x59, 0x78, 0xa3}
	edHalf = edBytes(0x3f, 0xf6)
)

// edBytes is first ff..ff last, 32 bytes.
func edBytes(first, last byte) []byte {
	b := bytes.Repeat([]byte{0xff}, coordinate)
	b[0], b[coordinate-1] = first, last
	return b
}

// checkEd25519 refuses keys that crypto/ed25519 would take: low-order points,
// second encodings of a point, and 32 bytes that are no point at all (which
// would only be found at the first signature). It runs when a key is loaded,
// never for a signature.
func checkEd25519(pub []byte) error {
	if len(pub) != coordinate {
		return fmt.Errorf("%w: an Ed25519 key has 32 bytes", ErrBadKey)
	}
	le := [coordinate]byte(pub)
	le[31] &= 0x7f // the top bit is the sign of x
	for i := range lowOrderY {
		if le == lowOrderY[i] {
			return fmt.Errorf("%w: Ed25519 point of low order", ErrBadKey)
		}
	}
	be := bytes.Clone(le[:])
	for i, j := 0, len(be)-1; i < j; i, j = i+1, j-1 {
		be[i], be[j] = be[j], be[i]
	}
	y, err := bigmod.NewNat().SetBytes(be, edP) // refuses p and more
	if err != nil {
		return fmt.Errorf("%w: Ed25519 point not in its one encoding", ErrBadKey)
	}
	d, err := bigmod.NewNat().SetBytes(edD, edP)
	if err != nil {
		return err
	}
	// x^2 = (y^2 - 1) / (d y^2 + 1) has a root when u*v is a square. It is never
	// zero here: x = 0 only for y = 1 and y = -1, refused above.
	one := bigmod.NewNat().SetUint(1).ExpandFor(edP)
	v := y.Mul(y, edP)
	u := bigmod.NewNat().SetUint(0).ExpandFor(edP).Add(v, edP).Sub(one, edP)
	v = v.Mul(d, edP).Add(one, edP)
	u = u.Mul(v, edP)
	if bigmod.NewNat().Exp(u, edHalf, edP).IsOne() != 1 {
		return fmt.Errorf("%w: not a point of Ed25519", ErrBadKey)
	}
	return nil
}
