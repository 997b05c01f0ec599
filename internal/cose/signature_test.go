package cose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"io"
	"math/big"
	"testing"
)

func TestECDSAEdges(t *testing.T) {
	priv, k := newP256Signer(t)
	tbs := []byte("to be signed")
	sig, err := SignRaw(priv, tbs)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Verify(ES256, tbs, sig, true); err != nil {
		t.Fatal(err)
	}
	n := elliptic.P256().Params().N
	pair := func(r, s *big.Int) []byte {
		b := make([]byte, 64)
		r.FillBytes(b[:32])
		s.FillBytes(b[32:])
		return b
	}
	r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
	zero, all := new(big.Int), new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
	high := pair(r, new(big.Int).Sub(n, s))
	der := appendDER(nil, sig)
	for name, bad := range map[string][]byte{
		"r = 0":             pair(zero, s),
		"s = 0":             pair(r, zero),
		"both 0":            pair(zero, zero),
		"r = n":             pair(n, s),
		"s = n":             pair(r, n),
		"both n":            pair(n, n),
		"s = n+1":           pair(r, new(big.Int).Add(n, big.NewInt(1))),
		"s + n overflows":   pair(r, all),
		"all ff":            pair(all, all),
		"63 bytes":          sig[:63],
		"65 bytes":          append(sig[:64:64], 0),
		"65, leading zero":  append([]byte{0}, sig...),
		"128 bytes":         append(append([]byte{}, sig...), sig...),
		"none":              nil,
		"DER":               der,
		"r and s exchanged": append(append([]byte{}, sig[32:]...), sig[:32]...),
	} {
		for _, lowS := range []bool{true, false} {
			if err := k.Verify(ES256, tbs, bad, lowS); !errors.Is(err, ErrSignature) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	}
	if err := k.Verify(ES256, tbs, high, true); !errors.Is(err, ErrSignature) {
		t.Errorf("high s under the strict rule: got %v", err)
	}
	if err := k.Verify(ES256, tbs, high, false); err != nil {
		t.Errorf("high s of a foreign card: got %v", err)
	}
	if err := k.Verify(ESP256, tbs, sig, false); err != nil {
		t.Error(err)
	}
	for _, alg := range []Alg{EdDSA, Ed25519, 0, -35, A128GCM} {
		if err := k.Verify(alg, tbs, sig, false); !errors.Is(err, ErrAlgKeyMismatch) {
			t.Errorf("algorithm %d: got %v", alg, err)
		}
	}
	got := bytes.Clone(high)
	normalise(got)
	if !bytes.Equal(got, sig) {
		t.Error("the high form does not come back to the low one")
	}
	normalise(got)
	if !bytes.Equal(got, sig) {
		t.Error("the low form was changed")
	}
}

// The two constants are the group's, and the middle is where low ends.
func TestHalfOrder(t *testing.T) {
	n := elliptic.P256().Params().N
	half := new(big.Int).Rsh(n, 1)
	if new(big.Int).SetBytes(p256N[:]).Cmp(n) != 0 || new(big.Int).SetBytes(p256HalfN[:]).Cmp(half) != 0 {
		t.Fatal("wrong constant")
	}
	sig := make([]byte, 64)
	for _, c := range []struct{ s, want *big.Int }{
		{half, half},
		{new(big.Int).Add(half, big.NewInt(1)), half},
		{new(big.Int).Sub(n, big.NewInt(1)), big.NewInt(1)},
		{n, n},
		{big.NewInt(0), big.NewInt(0)},
	} {
		c.s.FillBytes(sig[32:])
		normalise(sig)
		if got := new(big.Int).SetBytes(sig[32:]); got.Cmp(c.want) != 0 {
			t.Errorf("%v became %v, want %v", c.s, got, c.want)
		}
	}
}

func TestEd25519Edges(t *testing.T) {
	priv, k := newEd25519Signer(t)
	tbs := []byte("to be signed")
	sig, err := SignRaw(priv, tbs)
	if err != nil {
		t.Fatal(err)
	}
	identity := append([]byte{1}, make([]byte, 63)...)
	// S + L is the classic second form: RFC 8032 5.1.7 refuses S >= L.
	l, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	sBE := make([]byte, 32)
	for i := range sBE {
		sBE[i] = sig[63-i]
	}
	sum := new(big.Int).Add(new(big.Int).SetBytes(sBE), l).FillBytes(make([]byte, 32))
	malleable := bytes.Clone(sig)
	for i := range sum {
		malleable[63-i] = sum[i]
	}
	for name, bad := range map[string][]byte{
		"R identity, S 0": identity, "S + L": malleable, "63 bytes": sig[:63], "65 bytes": append(sig[:64:64], 0), "zero": make([]byte, 64),
	} {
		if err := k.Verify(EdDSA, tbs, bad, true); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := k.Verify(Ed25519, tbs, sig, true); err != nil {
		t.Error(err)
	}
	if err := k.Verify(ES256, tbs, sig, true); !errors.Is(err, ErrAlgKeyMismatch) {
		t.Errorf("got %v", err)
	}
}

func TestDERAndBack(t *testing.T) {
	for range 300 {
		sig := make([]byte, 64)
		rand.Read(sig)
		for i := range sig[63] % 5 { // short numbers too
			sig[i], sig[32+i] = 0, 0
		}
		back := make([]byte, 64)
		if der := appendDER(nil, sig); len(der) > maxDER || !parseDER(back, der) || !bytes.Equal(back, sig) {
			t.Fatalf("%x -> %x -> %x", sig, der, back)
		}
	}
	good := appendDER(nil, bytes.Repeat([]byte{0x80}, 64))
	for name, der := range map[string][]byte{
		"nothing":          nil,
		"one byte more":    append(good[:len(good):len(good)], 0),
		"one byte less":    good[:len(good)-1],
		"empty sequence":   {0x30, 0},
		"one integer":      {0x30, 3, 2, 1, 1},
		"negative":         {0x30, 6, 2, 1, 0x80, 2, 1, 1},
		"a zero too many":  {0x30, 7, 2, 2, 0, 1, 2, 1, 1},
		"empty integer":    {0x30, 5, 2, 0, 2, 1, 1},
		"three integers":   {0x30, 9, 2, 1, 1, 2, 1, 1, 2, 1, 1},
		"long form length": {0x30, 0x81, 6, 2, 1, 1, 2, 1, 1},
		"33-byte number":   append([]byte{0x30, 38, 2, 33, 1}, append(make([]byte, 32), 2, 1, 1)...),
		"no sequence":      {0x31, 6, 2, 1, 1, 2, 1, 1},
		"claims too much":  {0x30, 6, 2, 33, 1, 2, 1, 1},
	} {
		if parseDER(make([]byte, 64), der) {
			t.Errorf("%s: taken", name)
		}
	}
}

// A signer that answers wrongly: a raw signature where DER is due, an error,
// another key's signature.
type brokenSigner struct {
	pub crypto.PublicKey
	sig []byte
	err error
}

func (s brokenSigner) Public() crypto.PublicKey { return s.pub }
func (s brokenSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return s.sig, s.err
}

func TestBrokenSigners(t *testing.T) {
	ec, _ := newP256Signer(t)
	ed, _ := newEd25519Signer(t)
	broken := errors.New("token removed")
	for name, c := range map[string]struct {
		s    brokenSigner
		want error
	}{
		"raw for DER":        {brokenSigner{pub: ec.Public(), sig: make([]byte, 64)}, ErrSignature},
		"Ed25519 cut short":  {brokenSigner{pub: ed.Public(), sig: make([]byte, 63)}, ErrSignature},
		"token gone, P-256":  {brokenSigner{pub: ec.Public(), err: broken}, broken},
		"token gone, Ed":     {brokenSigner{pub: ed.Public(), err: broken}, broken},
		"RSA":                {brokenSigner{pub: &rsa.PublicKey{}}, ErrAlgNotAllowed},
		"P-384":              {brokenSigner{pub: &ecdsa.PublicKey{Curve: elliptic.P384()}}, ErrAlgNotAllowed},
		"no key":             {brokenSigner{}, ErrAlgNotAllowed},
		"signs other things": {brokenSigner{pub: ed.Public(), sig: ed25519.Sign(ed, []byte("other"))}, ErrSignature},
	} {
		if _, err := Sign1Message(c.s, "", []byte{0xa0}); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

// A token that gives high-s signatures (about half of all do) still makes
// cards the strict reader takes, through SignRaw and through Attach alike.
func TestHighSSignersAreNormalised(t *testing.T) {
	priv, k := newP256Signer(t)
	for range 40 {
		p := Prepare(k, "", []byte{0xa0}, nil)
		if sig, err := SignRaw(priv, p.ToBeSigned()); err != nil || k.Verify(ES256, p.ToBeSigned(), sig, true) != nil {
			t.Fatalf("SignRaw gave %x, %v", sig, err)
		}
		digest := sha256.Sum256(p.ToBeSigned())
		der, err := ecdsa.SignASN1(rand.Reader, priv, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		raw := make([]byte, 64)
		if !parseDER(raw, der) {
			t.Fatal("the library's own DER was not read")
		}
		before := bytes.Clone(raw)
		for _, attach := range []func([]byte) ([]byte, error){p.Attach, p.AttachUnverified} {
			msg, err := attach(raw)
			if err != nil {
				t.Fatal(err)
			}
			m, err := ParseSign1(msg)
			if err == nil {
				err = m.Strict()
			}
			if err == nil {
				err = m.Verify(k, nil, nil, true)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(raw, before) {
			t.Fatal("the caller's signature was changed")
		}
	}
}

func TestAttachRefusesWhatTheKeyDidNotSign(t *testing.T) {
	priv, k := newP256Signer(t)
	other, _ := newP256Signer(t)
	p := Prepare(k, testType, []byte{0xa0}, []byte("aad"))
	bySomebody, _ := SignRaw(other, p.ToBeSigned())
	ofSomething, _ := SignRaw(priv, []byte("something else"))
	for name, sig := range map[string][]byte{"another key": bySomebody, "other bytes": ofSomething, "short": ofSomething[:63], "none": nil} {
		if _, err := p.Attach(sig); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := p.AttachUnverified(nil); !errors.Is(err, ErrSignature) {
		t.Errorf("got %v", err)
	}
	sig, _ := SignRaw(priv, p.ToBeSigned())
	msg, err := p.Attach(sig)
	if err != nil {
		t.Fatal(err)
	}
	m, _ := ParseSign1(msg)
	if m.Verify(k, nil, []byte("aad"), true) != nil || m.Verify(k, nil, nil, true) == nil {
		t.Error("external_aad is not part of what is signed")
	}
}
