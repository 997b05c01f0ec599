package jose

import (
	"fmt"

	"aidpass/internal/cbor"
	"aidpass/internal/cose"
)

// private are the members that only a private or shared key has (RFC 7518 6,
// RFC 8037 2, and priv of newer kinds of keys).
var private = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"}

// KeyOf reads a public key written as a JWK.
//
// It takes P-256 and Ed25519. x and y are strict base64url of 32 bytes. Members
// that describe the key beside it (kid, use, key_ops, x5c) are not looked at, but
// an alg must be one of the key's. Faults: cose.ErrPrivateKey where the private
// half came along, ErrAlgNotAllowed for other kinds and curves, ErrAlgKeyMismatch,
// ErrMalformed, cose.ErrBadKey for points no honest party has.
//
// RFC 7517 4, RFC 7518 6.2, RFC 8037 2.
func KeyOf(jwk Value) (*cose.Key, error) {
	if jwk.Kind != Object {
		return nil, malformed("a key that is not an object")
	}
	for _, name := range private {
		if jwk.Get(name).Kind != Missing {
			return nil, cose.ErrPrivateKey
		}
	}
	kty, crv := jwk.Get("kty"), jwk.Get("crv")
	if kty.Kind != String || crv.Kind != String && crv.Kind != Missing {
		return nil, malformed("a key whose kind is not text")
	}
	var b []byte
	names := []string{"x"}
	switch {
	case kty.Text == "EC" && crv.Text == "P-256":
		names = append(names, "y")
		b = append(b, 0xa4, 0x01, 0x02, 0x20, 0x01) // {1: EC2, -1: P-256, -2: x, -3: y}
	case kty.Text == "OKP" && crv.Text == "Ed25519":
		b = append(b, 0xa3, 0x01, 0x01, 0x20, 0x06) // {1: OKP, -1: Ed25519, -2: x}
	default:
		return nil, fmt.Errorf("%w: a key of kind %.20q, curve %.20q", ErrAlgNotAllowed, kty.Text, crv.Text)
	}
	for i, name := range names {
		v := jwk.Get(name)
		if v.Kind != String {
			return nil, malformed("a key whose " + name + " is not text")
		}
		raw, err := DecodeBase64(v.Text)
		if err != nil {
			return nil, err
		}
		b = cbor.AppendBytes(append(b, byte(0x21+i)), raw)
	}
	k, err := cose.ParseKey(b)
	if err != nil {
		return nil, err
	}
	switch alg := jwk.Get("alg"); {
	case alg.Kind == Missing:
		return k, nil
	case alg.Kind != String:
		return nil, malformed("a key whose alg is not text")
	default:
		for _, a := range algs {
			if a.name == alg.Text && k.Accepts(a.alg) {
				return k, nil
			}
		}
	}
	return nil, ErrAlgKeyMismatch
}

// JWKOf writes k as a JWK of the required members alone, sorted by name, so that
// the SHA-256 of its text is the key's thumbprint (RFC 7638 3).
func JWKOf(k *cose.Key) Value {
	r := cbor.NewReader(k.Append(nil))
	var x, y []byte
	for n := r.Map(); n > 0; n-- {
		switch r.Int() {
		case -2:
			x = r.Bytes()
		case -3:
			y = r.Bytes()
		default:
			r.Skip()
		}
	}
	kind, curve := "OKP", "Ed25519"
	if y != nil {
		kind, curve = "EC", "P-256"
	}
	members := []Member{{"crv", StringOf(curve)}, {"kty", StringOf(kind)}, {"x", StringOf(EncodeBase64(x))}}
	if y != nil {
		members = append(members, Member{"y", StringOf(EncodeBase64(y))})
	}
	return ObjectOf(members...)
}
