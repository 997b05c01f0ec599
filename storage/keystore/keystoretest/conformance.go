// Package keystoretest has the tests that every signer must pass before a key
// of ours is entrusted to it: a key file, a key in memory, a token.
package keystoretest

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
	"testing"

	"aidpass/internal/cose"
)

// signatures is how many a signer makes in a row: a fault in one of 256, as a
// lost leading zero is, shows with near certainty.
const signatures = 1000

// Conformance runs the suite. newSigner returns the signer under test, the same
// key or another each time; it may skip where its hardware is missing.
func Conformance(t *testing.T, newSigner func(t *testing.T) crypto.Signer) {
	t.Run("public key", func(t *testing.T) { publicKey(t, newSigner(t)) })
	t.Run("signs messages that open", func(t *testing.T) { messages(t, newSigner(t)) })
	t.Run("every signature verifies", func(t *testing.T) { everySignature(t, newSigner(t)) })
	t.Run("signs concurrently", func(t *testing.T) { concurrently(t, newSigner(t)) })
	t.Run("refuses other input", func(t *testing.T) { otherInput(t, newSigner(t)) })
}

// publicKey: a type and curve we take, and always the same key.
func publicKey(t *testing.T, s crypto.Signer) {
	switch pub := s.Public().(type) {
	case *ecdsa.PublicKey:
		if pub.Curve != elliptic.P256() {
			t.Fatalf("curve %v, want P-256", pub.Curve.Params().Name)
		}
	case ed25519.PublicKey:
	default:
		t.Fatalf("public key of type %T, want *ecdsa.PublicKey or ed25519.PublicKey", pub)
	}
	first := mustKey(t, s).Thumbprint()
	if again := mustKey(t, s).Thumbprint(); again != first {
		t.Error("the public key changes")
	}
}

// messages: the two-phase way and the one-step way both give what opens.
func messages(t *testing.T, s crypto.Signer) {
	const typ = "application/aidpass-test+cose"
	k := mustKey(t, s)
	find := func(kid []byte) *cose.Key {
		if id := k.ID(); bytes.Equal(kid, id[:]) {
			return k
		}
		return nil
	}
	one, err := cose.Sign1Message(s, typ, []byte("payload"))
	if err != nil {
		t.Fatal(err)
	}
	p := cose.Prepare(k, typ, []byte("payload"), nil)
	sig, err := cose.SignRaw(s, p.ToBeSigned())
	if err != nil {
		t.Fatal(err)
	}
	two, err := p.Attach(sig)
	if err != nil {
		t.Fatal(err)
	}
	for _, msg := range [][]byte{one, two} {
		if payload, _, err := cose.OpenTyped(msg, typ, find); err != nil || string(payload) != "payload" {
			t.Errorf("got %q, %v", payload, err)
		}
	}
}

// everySignature: all of them 64 bytes, low-s and good.
func everySignature(t *testing.T, s crypto.Signer) {
	k := mustKey(t, s)
	for i := range signatures {
		if err := signAndVerify(s, k, i); err != nil {
			t.Fatal(err)
		}
	}
}

// concurrently: a server signs from many requests at once. Run with -race.
func concurrently(t *testing.T, s crypto.Signer) {
	k := mustKey(t, s)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 25 {
				if err := signAndVerify(s, k, worker*1000+i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func signAndVerify(s crypto.Signer, k *cose.Key, i int) error {
	tbs := fmt.Appendf(nil, "to be signed %d", i)
	sig, err := cose.SignRaw(s, tbs)
	if err != nil {
		return err
	}
	if err := k.Verify(k.Alg(), tbs, sig, true); err != nil {
		return fmt.Errorf("signature %d, %x: %w", i, sig, err)
	}
	return nil
}

// otherInput: what the signer must not sign, because nobody would verify it or
// because it would mean another thing.
func otherInput(t *testing.T, s crypto.Signer) {
	digest := sha256.Sum256([]byte("message"))
	refuse := func(name string, message []byte, opts crypto.SignerOpts) {
		t.Helper()
		if sig, err := s.Sign(rand.Reader, message, opts); err == nil {
			t.Errorf("%s: signed as %x", name, sig)
		}
	}
	if _, ok := s.Public().(ed25519.PublicKey); ok {
		refuse("a prehash", make([]byte, 64), crypto.SHA512)
		refuse("a digest", digest[:], crypto.SHA256)
		refuse("a context", digest[:], &ed25519.Options{Context: "other"})
		return
	}
	for _, n := range []int{0, 20, 31, 33, 48, 64} {
		refuse(fmt.Sprintf("a digest of %d bytes", n), make([]byte, n), crypto.SHA256)
	}
	refuse("a SHA-384 digest", make([]byte, 48), crypto.SHA384)
	refuse("no hash", digest[:], crypto.Hash(0))
}

func mustKey(t *testing.T, s crypto.Signer) *cose.Key {
	t.Helper()
	k, err := cose.NewKey(s.Public())
	if err != nil {
		t.Fatal(err)
	}
	return k
}
