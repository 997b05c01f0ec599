package cose

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"math/big"
	"testing"

	"aidpass/internal/cbor"
)

// The key of RFC 9679 5.6 and its thumbprint.
const (
	rfc9679X     = "65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d"
	rfc9679Y     = "1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c"
	rfc9679Thumb = "496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec"
)

// coseKey encodes a map by alternating labels and encoded values.
func coseKey(pairs ...any) []byte {
	var m cbor.MapBuilder
	for i := 0; i < len(pairs); i += 2 {
		m.PutInt(int64(pairs[i].(int)), pairs[i+1].([]byte))
	}
	b, err := m.Append(nil)
	if err != nil {
		panic(err)
	}
	return b
}

func num(v int64) []byte   { return cbor.AppendInt(nil, v) }
func bstr(b []byte) []byte { return cbor.AppendBytes(nil, b) }

func TestThumbprintOfRFC9679(t *testing.T) {
	x, y := unhex(t, rfc9679X), unhex(t, rfc9679Y)
	k, err := ParseKey(coseKey(1, num(2), -1, num(1), -2, bstr(x), -3, bstr(y), 2, bstr([]byte("meriadoc.brandybuck@buckland.example"))))
	if err != nil {
		t.Fatal(err)
	}
	thumb, id := k.Thumbprint(), k.ID()
	if got := hex.EncodeToString(thumb[:]); got != rfc9679Thumb {
		t.Errorf("thumbprint %s, want %s", got, rfc9679Thumb)
	}
	if got := hex.EncodeToString(id[:]); got != rfc9679Thumb[:16] {
		t.Errorf("id %s, want %s", got, rfc9679Thumb[:16])
	}
}

func TestKeysSurviveTheRoundTrip(t *testing.T) {
	for name, s := range signers(t) {
		k := mustKey(t, s.Public())
		b := k.Append(nil)
		again, err := ParseKey(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if again.Thumbprint() != k.Thumbprint() || again.Alg() != k.Alg() || !bytes.Equal(again.Append(nil), b) {
			t.Errorf("%s: another key came back", name)
		}
		switch pub := k.Public().(type) {
		case *ecdsa.PublicKey:
			if !pub.Equal(s.Public()) {
				t.Errorf("%s: another public key", name)
			}
			if _, err := k.ECDH(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case ed25519.PublicKey:
			if !pub.Equal(s.Public()) {
				t.Errorf("%s: another public key", name)
			}
			pub[0] ^= 1 // a copy: the key itself must not change
			if k.Public().(ed25519.PublicKey)[0] == pub[0] {
				t.Errorf("%s: the public key can be changed from outside", name)
			}
			if _, err := k.ECDH(); !errors.Is(err, ErrAlgKeyMismatch) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	}
}

func TestRefusedKeys(t *testing.T) {
	_, k := newP256Signer(t)
	x, y := k.bytes[1:33], k.bytes[33:]
	bigPriv, _ := newEd25519Signer(t)
	ed := []byte(bigPriv.Public().(ed25519.PublicKey))
	offCurve := bytes.Clone(y)
	offCurve[31] ^= 1
	over := bytes.Repeat([]byte{0xff}, 32)
	zero := make([]byte, 32)
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"no bytes":                     {nil, cbor.ErrMalformed},
		"not a map":                    {[]byte{0x80}, ErrBadKey},
		"empty map":                    {[]byte{0xa0}, ErrBadKey},
		"P-256 private part":           {coseKey(1, num(2), -1, num(1), -2, bstr(x), -3, bstr(y), -4, bstr(x)), ErrPrivateKey},
		"Ed25519 private part":         {coseKey(1, num(1), -1, num(6), -2, bstr(ed), -4, bstr(ed)), ErrPrivateKey},
		"private part of a wrong kind": {coseKey(1, num(1), -1, num(6), -2, bstr(ed), -4, num(1)), ErrPrivateKey},
		"off the curve":                {coseKey(1, num(2), -1, num(1), -2, bstr(x), -3, bstr(offCurve)), ErrBadKey},
		"point at infinity":            {coseKey(1, num(2), -1, num(1), -2, bstr(zero), -3, bstr(zero)), ErrBadKey},
		"coordinate over the prime":    {coseKey(1, num(2), -1, num(1), -2, bstr(over), -3, bstr(y)), ErrBadKey},
		"compressed, y a bool":         {coseKey(1, num(2), -1, num(1), -2, bstr(x), -3, cbor.AppendBool(nil, true)), ErrBadKey},
		"y missing":                    {coseKey(1, num(2), -1, num(1), -2, bstr(x)), ErrBadKey},
		"x of 31 bytes":                {coseKey(1, num(2), -1, num(1), -2, bstr(x[1:]), -3, bstr(y)), ErrBadKey},
		"x of 33 bytes":                {coseKey(1, num(2), -1, num(1), -2, bstr(append([]byte{0}, x...)), -3, bstr(y)), ErrBadKey},
		"Ed25519 with y":               {coseKey(1, num(1), -1, num(6), -2, bstr(ed), -3, bstr(y)), ErrBadKey},
		"another label":                {coseKey(1, num(2), -1, num(1), -2, bstr(x), -3, bstr(y), 5, bstr(y)), ErrBadKey},
		"names another key's alg":      {coseKey(1, num(2), -1, num(1), -2, bstr(x), -3, bstr(y), 3, num(-8)), ErrBadKey},
		"names PS256":                  {coseKey(1, num(2), -1, num(1), -2, bstr(x), -3, bstr(y), 3, num(-37)), ErrAlgNotAllowed},
		"P-384":                        {coseKey(1, num(2), -1, num(2), -2, bstr(x), -3, bstr(y)), ErrAlgNotAllowed},
		"secp256k1":                    {coseKey(1, num(2), -1, num(8), -2, bstr(x), -3, bstr(y)), ErrAlgNotAllowed},
		"X25519":                       {coseKey(1, num(1), -1, num(4), -2, bstr(ed)), ErrAlgNotAllowed},
		"curve missing":                {coseKey(1, num(2), -2, bstr(x), -3, bstr(y)), ErrBadKey},
		"label as text":                {append(append([]byte{0xa5}, k.Append(nil)[1:]...), 0x61, 'x', 0), ErrBadKey},
		"RSA":                          {coseKey(1, num(3), -1, bstr(over), -2, bstr([]byte{1, 0, 1})), ErrAlgNotAllowed},
		"symmetric":                    {coseKey(1, num(4), -1, bstr(over)), ErrAlgNotAllowed},
		"kty as text":                  {coseKey(1, cbor.AppendText(nil, "EC2"), -1, num(1), -2, bstr(x), -3, bstr(y)), ErrBadKey},
		"trailing byte":                {append(k.Append(nil), 0), cbor.ErrTrailing},
		"duplicate x":                  {append(append([]byte{0xa5}, k.Append(nil)[1:]...), append([]byte{0x21}, bstr(x)...)...), cbor.ErrDuplicateKey},
		"unsorted":                     {append([]byte{0xa3, 0x20, 0x06, 0x01, 0x01, 0x21}, bstr(ed)...), cbor.ErrNonCanonical},
	} {
		got, err := ParseKey(c.b)
		if !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if !errors.Is(err, ErrBadKey) && !errors.Is(err, ErrAlgNotAllowed) {
			t.Errorf("%s: %v is neither a bad key nor an algorithm refused", name, err)
		}
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, pub := range []any{&rsaKey.PublicKey, &p384.PublicKey, nil, (*ecdsa.PublicKey)(nil), "key"} {
		if _, err := NewKey(pub); !errors.Is(err, ErrAlgNotAllowed) {
			t.Errorf("NewKey(%T): got %v", pub, err)
		}
	}
	if _, err := NewKey(ed25519.PublicKey(ed[:31])); !errors.Is(err, ErrBadKey) {
		t.Errorf("short key: got %v", err)
	}
	//lint:ignore SA1019 a key nobody could parse, put together by hand
	bad := &ecdsa.PublicKey{Curve: elliptic.P256(), X: new(big.Int).SetBytes(x), Y: new(big.Int).SetBytes(offCurve)}
	if _, err := NewKey(bad); !errors.Is(err, ErrBadKey) {
		t.Errorf("off the curve: got %v", err)
	}
}

// lowOrderEncodings are the 14 encodings whose point has an order dividing 8.
var lowOrderEncodings = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
}

func TestLowOrderKeysAreRefused(t *testing.T) {
	for _, s := range lowOrderEncodings {
		pub := unhex(t, s)
		if _, err := NewKey(ed25519.PublicKey(pub)); !errors.Is(err, ErrBadKey) {
			t.Errorf("NewKey %s: got %v", s, err)
		}
		if _, err := ParseKey(coseKey(1, num(1), -1, num(6), -2, bstr(pub))); !errors.Is(err, ErrBadKey) {
			t.Errorf("ParseKey %s: got %v", s, err)
		}
		// Why it matters: without the check, R = A and S = 0 pass for a signature.
		if y := unhex(t, s); ed25519.Verify(pub, []byte("any"), append(y, make([]byte, 32)...)) {
			t.Logf("%s would accept a signature nobody made", s)
		}
	}
}

// Every y from p to 2^255-1 is a second encoding, and half of all y are no
// point: both are refused when the key is loaded.
func TestEd25519KeysHaveOneEncoding(t *testing.T) {
	for low := 0xed; low <= 0xff; low++ {
		for _, top := range []byte{0x7f, 0xff} {
			pub := bytes.Repeat([]byte{0xff}, 32)
			pub[0], pub[31] = byte(low), top
			if _, err := NewKey(ed25519.PublicKey(pub)); !errors.Is(err, ErrBadKey) {
				t.Errorf("%x: got %v", pub, err)
			}
		}
	}
	taken := 0
	for range 400 {
		pub := make([]byte, 32)
		rand.Read(pub)
		if _, err := NewKey(ed25519.PublicKey(pub)); err == nil {
			taken++
		}
	}
	if taken < 120 || taken > 280 {
		t.Errorf("%d of 400 random strings taken for points, about 200 are", taken)
	}
	for range 50 {
		newEd25519Signer(t) // every honest key is taken
	}
}

// The constants really have order dividing 8: doubling thrice gives (0, 1).
func TestLowOrderConstants(t *testing.T) {
	mod := func(v *big.Int) *big.Int { return v.Mod(v, bigP) }
	mul := func(a, b *big.Int) *big.Int { return mod(new(big.Int).Mul(a, b)) }
	one := big.NewInt(1)
	for i, le := range lowOrderY {
		be := make([]byte, 32)
		for j := range le {
			be[31-j] = le[j]
		}
		y := new(big.Int).SetBytes(be)
		yy := mul(y, y)
		v := mod(new(big.Int).Add(mul(bigD, yy), one))
		x := new(big.Int).ModSqrt(mul(mod(new(big.Int).Sub(yy, one)), new(big.Int).ModInverse(v, bigP)), bigP)
		if x == nil {
			t.Fatalf("%d: no point", i)
		}
		for range 3 {
			// RFC 8032 5.1: addition of a point to itself.
			xx, yy := mul(x, x), mul(y, y)
			dxy := mul(bigD, mul(xx, yy))
			nx := mul(mod(new(big.Int).Lsh(mul(x, y), 1)), new(big.Int).ModInverse(mod(new(big.Int).Add(one, dxy)), bigP))
			ny := mul(mod(new(big.Int).Add(yy, xx)), new(big.Int).ModInverse(mod(new(big.Int).Sub(one, dxy)), bigP))
			x, y = nx, ny
		}
		if x.Sign() != 0 || y.Cmp(one) != 0 {
			t.Errorf("%d: 8P = (%v, %v)", i, x, y)
		}
	}
}

// The field prime and d of edwards25519 once more, for arithmetic by another
// library than the code under test uses.
var (
	bigP    = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	bigD, _ = new(big.Int).SetString("37095705934669439343138083508754565189542113879843219016388785533085940283555", 10)
)
