package cose

import (
	"bytes"
	"fmt"
	"math/big"
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
// (RFC 8032 5.1).
var (
	edP    = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	edD, _ = new(big.Int).SetString("37095705934669439343138083508754565189542113879843219016388785533085940283555", 10)
)

// checkEd25519 refuses keys that crypto/ed25519 would take: low-order points,
// second encodings of a point, and 32 bytes that are no point at all (which
// would only be found at the first signature). It runs when a key is loaded,
// never for a signature, so big.Int is fast enough.
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
	y := new(big.Int).SetBytes(be)
	if y.Cmp(edP) >= 0 {
		return fmt.Errorf("%w: Ed25519 point not in its one encoding", ErrBadKey)
	}
	// x^2 = (y^2 - 1) / (d y^2 + 1) has a root when u*v is a square. It is never
	// zero here: x = 0 only for y = 1 and y = -1, refused above.
	yy := new(big.Int).Mul(y, y)
	u := new(big.Int).Sub(yy, big.NewInt(1))
	v := yy.Mul(yy, edD)
	v.Add(v, big.NewInt(1))
	u.Mul(u, v)
	if big.Jacobi(u.Mod(u, edP), edP) != 1 {
		return fmt.Errorf("%w: not a point of Ed25519", ErrBadKey)
	}
	return nil
}
