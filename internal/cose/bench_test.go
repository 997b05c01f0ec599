package cose

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"testing"
)

// cardOf is a signed message with the payload of a usual card (about 250 bytes).
func cardOf(t testing.TB, name string) ([]byte, *Key) {
	s := signers(t)[name]
	msg, err := Sign1Message(s, "", bytes.Repeat([]byte{0x55}, 250))
	if err != nil {
		t.Fatal(err)
	}
	return msg, mustKey(t, s.Public())
}

func TestVerifyingAllocatesNothingOfItsOwn(t *testing.T) {
	scratch := make([]byte, 0, 1024)
	for name, floor := range map[string]func(*Key, []byte, []byte) func(){
		"Ed25519": func(k *Key, tbs, sig []byte) func() { return func() { ed25519.Verify(k.ed, tbs, sig) } },
		"P-256": func(k *Key, tbs, sig []byte) func() {
			der := appendDER(nil, sig)
			return func() {
				digest := sha256.Sum256(tbs)
				ecdsa.VerifyASN1(k.ec, digest[:], der)
			}
		},
	} {
		msg, k := cardOf(t, name)
		m, err := ParseSign1(msg)
		if err != nil {
			t.Fatal(err)
		}
		want := testing.AllocsPerRun(50, floor(k, m.AppendToBeSigned(nil, nil), m.Signature))
		got := testing.AllocsPerRun(50, func() {
			m, err := ParseSign1(msg)
			if err == nil {
				err = m.Strict()
			}
			if err == nil {
				err = m.Verify(k, scratch, nil, true)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
		if got > want {
			t.Errorf("%s: got %v allocations, want at most the %v of the standard library", name, got, want)
		}
		t.Logf("%s: %v allocations, the library alone %v", name, got, want)
	}
}

func BenchmarkVerify(b *testing.B) {
	scratch := make([]byte, 0, 1024)
	for _, name := range []string{"P-256", "Ed25519"} {
		msg, k := cardOf(b, name)
		b.Run(name+"/whole", func(b *testing.B) {
			for b.Loop() {
				m, err := ParseSign1(msg)
				if err == nil {
					err = m.Strict()
				}
				if err == nil {
					err = m.Verify(k, scratch, nil, true)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
		m, _ := ParseSign1(msg)
		tbs := m.AppendToBeSigned(nil, nil)
		der := appendDER(nil, m.Signature)
		b.Run(name+"/floor", func(b *testing.B) {
			for b.Loop() {
				if k.ec == nil {
					ed25519.Verify(k.ed, tbs, m.Signature)
				} else {
					digest := sha256.Sum256(tbs)
					ecdsa.VerifyASN1(k.ec, digest[:], der)
				}
			}
		})
		b.Run(name+"/parse", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m, err := ParseSign1(msg)
				if err != nil || m.Strict() != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
