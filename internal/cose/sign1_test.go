package cose

import (
	"bytes"
	"crypto"
	"errors"
	"testing"

	"aidpass/internal/cbor"
)

const testType = "application/aidpass-test+cose"

// signers are one of each kind of key.
func signers(t testing.TB) map[string]crypto.Signer {
	ec, _ := newP256Signer(t)
	ed, _ := newEd25519Signer(t)
	return map[string]crypto.Signer{"P-256": ec, "Ed25519": ed}
}

func only(k *Key) func([]byte) *Key {
	return func(kid []byte) *Key {
		if id := k.ID(); bytes.Equal(kid, id[:]) {
			return k
		}
		return nil
	}
}

func TestTypedObjectOpensUnderItsKeyAndType(t *testing.T) {
	for name, s := range signers(t) {
		k := mustKey(t, s.Public())
		msg, err := Sign1Message(s, testType, []byte{0xa0})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		payload, by, err := OpenTyped(msg, testType, only(k))
		if err != nil || by != k || !bytes.Equal(payload, []byte{0xa0}) {
			t.Errorf("%s: OpenTyped = %x, %v", name, payload, err)
		}
		_, other := newP256Signer(t)
		if _, _, err := OpenTyped(msg, testType, func([]byte) *Key { return nil }); !errors.Is(err, ErrUnknownKey) {
			t.Errorf("%s: no key: got %v", name, err)
		}
		if _, _, err := OpenTyped(msg, testType, func([]byte) *Key { return other }); err == nil {
			t.Errorf("%s: opened under another key", name)
		}
		if _, _, err := OpenTyped(msg, "application/aidpass-other+cose", only(k)); !errors.Is(err, ErrType) {
			t.Errorf("%s: other type: got %v", name, err)
		}
		m, err := ParseSign1(msg)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Strict(); !errors.Is(err, ErrType) {
			t.Errorf("%s: a typed object passed for a card: %v", name, err)
		}
		if err := cbor.CheckDeterministic(msg, cbor.DefaultLimits); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i := range msg {
			msg[i] ^= 1
			if _, _, err := OpenTyped(msg, testType, func([]byte) *Key { return k }); err == nil {
				t.Errorf("%s: byte %d changed and it still opens", name, i)
			}
			msg[i] ^= 1
		}
	}
}
