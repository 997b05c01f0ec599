package cose

import (
	"bytes"
	"crypto/rand"
	"testing"

	gocose "github.com/veraison/go-cose"
)

// An independent implementation reads what we write.
func TestGoCOSEReadsOurs(t *testing.T) {
	for name, s := range signers(t) {
		alg := gocose.AlgorithmES256
		if name == "Ed25519" {
			alg = gocose.AlgorithmEdDSA
		}
		verifier, err := gocose.NewVerifier(alg, s.Public())
		if err != nil {
			t.Fatal(err)
		}
		for _, typ := range []string{"", testType} {
			b, err := Sign1Message(s, typ, []byte("payload"))
			if err != nil {
				t.Fatal(err)
			}
			var m gocose.Sign1Message
			if err := m.UnmarshalCBOR(b); err != nil {
				t.Fatalf("%s %q: %v", name, typ, err)
			}
			if err := m.Verify(nil, verifier); err != nil {
				t.Errorf("%s %q: %v", name, typ, err)
			}
			id := mustKey(t, s.Public()).ID()
			if kid, _ := m.Headers.Protected[gocose.HeaderLabelKeyID].([]byte); !bytes.Equal(kid, id[:]) {
				t.Errorf("%s: key id %x, want %x", name, kid, id)
			}
			if got, _ := m.Headers.Protected[int64(16)].(string); got != typ {
				t.Errorf("%s: typ %q, want %q", name, got, typ)
			}
			if again, err := m.MarshalCBOR(); err != nil || !bytes.Equal(again, b) {
				t.Errorf("%s: re-encoded to other bytes: %v", name, err)
			}
		}
		p := PrepareMulti(testType, []byte("list"))
		addSignature(t, p, s)
		var m gocose.SignMessage
		if err := m.UnmarshalCBOR(p.Append(nil)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := m.Verify(nil, verifier); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// We read what an independent implementation writes.
func TestWeReadGoCOSE(t *testing.T) {
	for name, s := range signers(t) {
		alg := gocose.AlgorithmES256
		if name == "Ed25519" {
			alg = gocose.AlgorithmEdDSA
		}
		k := mustKey(t, s.Public())
		id := k.ID()
		signer, err := gocose.NewSigner(alg, s)
		if err != nil {
			t.Fatal(err)
		}
		for _, aad := range [][]byte{nil, []byte("external")} {
			m := gocose.NewSign1Message()
			m.Headers.Protected.SetAlgorithm(alg)
			m.Headers.Protected[gocose.HeaderLabelKeyID] = id[:]
			m.Payload = []byte("payload")
			if err := m.Sign(rand.Reader, aad, signer); err != nil {
				t.Fatal(err)
			}
			b, err := m.MarshalCBOR()
			if err != nil {
				t.Fatal(err)
			}
			got, err := ParseSign1(b)
			if err == nil {
				err = got.Strict()
			}
			if err == nil {
				err = got.Verify(k, nil, aad, false)
			}
			if err != nil || string(got.Payload) != "payload" {
				t.Errorf("%s: %v", name, err)
			}
		}
		multi := gocose.NewSignMessage()
		multi.Headers.Protected[int64(16)] = testType
		multi.Payload = []byte("list")
		one := gocose.NewSignature()
		one.Headers.Protected.SetAlgorithm(alg)
		one.Headers.Protected[gocose.HeaderLabelKeyID] = id[:]
		multi.Signatures = append(multi.Signatures, one)
		b := signGoCOSE(t, multi, signer, k)
		got, err := ParseMulti(b, 1)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.Count([]*Key{k}) != 1 {
			t.Errorf("%s: its signature does not count", name)
		}
		key, err := gocose.NewKeyFromPublic(s.Public())
		if err != nil {
			t.Fatal(err)
		}
		// The referee's COSE_Key of the same key, as far as it writes only the
		// members we take.
		key.Algorithm = 0
		if kb, err := key.MarshalCBOR(); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if parsed, err := ParseKey(kb); err != nil || parsed.Thumbprint() != k.Thumbprint() {
			t.Errorf("%s: %x: %v", name, kb, err)
		}
	}
}

// signGoCOSE signs until the referee, which leaves s as it falls, gives the low
// form that our lists require.
func signGoCOSE(t *testing.T, m *gocose.SignMessage, s gocose.Signer, k *Key) []byte {
	t.Helper()
	for range 64 {
		m.Signatures[0].Signature = nil
		if err := m.Sign(rand.Reader, nil, s); err != nil {
			t.Fatal(err)
		}
		if sig := m.Signatures[0].Signature; k.Alg() == EdDSA || bytes.Compare(sig[32:], p256HalfN[:]) <= 0 {
			b, err := m.MarshalCBOR()
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
	}
	t.Fatal("no low-s signature in 64")
	return nil
}
