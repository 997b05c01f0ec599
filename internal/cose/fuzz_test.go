package cose

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"testing"

	"aidpass/internal/cbor"
)

// Fixed keys, so that a crasher found once is one for ever.
func fuzzKeys(f *testing.F) (ec *ecdsa.PrivateKey, ed ed25519.PrivateKey, keys []*Key) {
	ec, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{1}, 32))
	if err != nil {
		f.Fatal(err)
	}
	ed = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32))
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, 32))
	return ec, ed, []*Key{mustKey(f, ec.Public()), mustKey(f, ed.Public()), mustKey(f, other.Public())}
}

// What ParseSign1 takes can be put together again from its parts; what Strict
// takes is byte for byte what Prepare writes; and nothing opens but the very
// messages that were signed, each under its own key.
func FuzzParseSign1(f *testing.F) {
	ec, ed, keys := fuzzKeys(f)
	signed := map[string]*Key{} // payload and type of what was signed, by whom
	for _, typ := range []string{"", testType} {
		a, _ := Sign1Message(ec, typ, []byte("by P-256"))
		b, _ := Sign1Message(ed, typ, []byte("by Ed25519"))
		f.Add(a)
		f.Add(b)
		f.Add(a[1:])
		f.Add(append([]byte{0xd8, 0x3d}, b...))
	}
	signed["by P-256"], signed["by Ed25519"] = keys[0], keys[1]
	f.Add(message([]byte{0xa3, 0x01, 0x26, 0x02, 0x81, 0x61, 'x', 0x61, 'x', 0}, []byte{0xa1, 0x18, 0x04, 0x41, 0x09}))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseSign1(b)
		if err != nil {
			return
		}
		if !m.Protected.Alg.signs() || len(m.KeyID()) > MaxKeyID {
			t.Fatalf("read with algorithm %d and a key id of %d bytes", m.Protected.Alg, len(m.KeyID()))
		}
		for _, k := range keys {
			if m.Verify(k, nil, nil, false) == nil && signed[string(m.Payload)] != k {
				t.Fatalf("%x opens under %x", b, k.Thumbprint())
			}
		}
		typ := string(m.Protected.Type)
		if m.StrictType(typ) != nil {
			return
		}
		if err := cbor.CheckDeterministic(b, cbor.DefaultLimits); err != nil {
			t.Fatalf("strict, but %v", err)
		}
		// Rebuild it as the writer would.
		protected := cbor.AppendMap(nil, m.Protected.Len)
		protected = cbor.AppendInt(append(protected, labelAlg), int64(m.Protected.Alg))
		protected = cbor.AppendBytes(append(protected, labelKid), m.Protected.KeyID)
		if typ != "" {
			protected = cbor.AppendText(append(protected, labelTyp), typ)
		}
		p := Prepared{protected: protected, payload: m.Payload}
		if again := p.assemble(m.Signature); !bytes.Equal(again, b) {
			t.Fatalf("%x re-encodes to %x", b, again)
		}
	})
}

func FuzzParseMulti(f *testing.F) {
	ec, ed, keys := fuzzKeys(f)
	p := PrepareMulti(testType, []byte("list"))
	addSignature(f, p, ec)
	f.Add(p.Append(nil))
	addSignature(f, p, ed)
	f.Add(p.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseMulti(b, 4)
		if err != nil {
			return
		}
		if len(m.Signatures) == 0 || len(m.Signatures) > 4 || m.Type == nil {
			t.Fatalf("read with %d signatures", len(m.Signatures))
		}
		if n := m.Count(keys); n > 0 && (string(m.Payload) != "list" || string(m.Type) != testType) || n > 2 {
			t.Fatalf("%x counts %d", b, n)
		}
		again := PrepareMulti(string(m.Type), m.Payload)
		if err := again.AddFrom(&m); err != nil {
			t.Fatalf("%x does not merge with itself: %v", b, err)
		}
		back, err := ParseMulti(again.Append(nil), 4)
		if err != nil || back.Count(keys) > m.Count(keys) {
			t.Fatalf("%x: merged with itself: %v", b, err)
		}
	})
}

func FuzzParseKey(f *testing.F) {
	_, _, keys := fuzzKeys(f)
	for _, k := range keys {
		f.Add(k.Append(nil))
	}
	f.Add(coseKey(1, num(2), -1, num(1), -2, bstr(make([]byte, 32)), -3, cbor.AppendBool(nil, true)))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := ParseKey(b)
		if err != nil {
			return
		}
		again, err := ParseKey(k.Append(nil))
		if err != nil || again.Thumbprint() != k.Thumbprint() {
			t.Fatalf("%x: its required members are another key: %v", b, err)
		}
		if fromPublic := mustKey(t, k.Public()); fromPublic.Thumbprint() != k.Thumbprint() {
			t.Fatalf("%x: its public key is another key", b)
		}
	})
}

func FuzzOpenSealed(f *testing.F) {
	key, iv := bytes.Repeat([]byte{1}, 16), bytes.Repeat([]byte{2}, 12)
	good, err := Seal(key, iv, []byte("plaintext"), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(append([]byte{0xd0}, good...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := OpenSealed(b, key, iv, nil); err == nil && !bytes.Equal(b, good) {
			t.Fatalf("%x opens", b)
		}
		c, err := parseSealed(b)
		if err != nil {
			return
		}
		if again := cbor.AppendBytes(bytes.Clone(sealedPrefix), c); !bytes.Equal(again, b) {
			t.Fatalf("%x re-encodes to %x", b, again)
		}
	})
}

func FuzzOpenWith(f *testing.F) {
	priv, err := ecdh.P256().NewPrivateKey(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		f.Fatal(err)
	}
	good, err := SealTo(priv.PublicKey(), nil, []byte("plaintext"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := OpenWith(opener(t, priv), nil, b); err == nil && string(got) != "plaintext" {
			t.Fatalf("%x opens", b)
		}
	})
}

// What parseDER takes is what appendDER writes.
func FuzzParseDER(f *testing.F) {
	f.Add(appendDER(nil, bytes.Repeat([]byte{0x80}, 64)))
	f.Add([]byte{0x30, 6, 2, 1, 1, 2, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		var sig [64]byte
		if parseDER(sig[:], b) && !bytes.Equal(appendDER(nil, sig[:]), b) {
			t.Fatalf("%x reads as %x", b, sig)
		}
	})
}
