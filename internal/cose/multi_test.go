package cose

import (
	"bytes"
	"crypto"
	"errors"
	"testing"

	"aidpass/internal/cbor"
)

func addSignature(t testing.TB, p *PreparedMulti, s crypto.Signer) *Key {
	t.Helper()
	k := mustKey(t, s.Public())
	sig, err := SignRaw(s, p.ToBeSigned(k))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Add(k, sig); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestThresholdCountsDifferentKeys(t *testing.T) {
	a, ka := newP256Signer(t)
	b, kb := newEd25519Signer(t)
	_, kc := newP256Signer(t)
	p := PrepareMulti(testType, []byte("list"))
	addSignature(t, p, a)
	addSignature(t, p, a) // signing twice replaces
	addSignature(t, p, b)
	m, err := ParseMulti(p.Append(nil), 3)
	if err != nil {
		t.Fatal(err)
	}
	if string(m.Type) != testType || string(m.Payload) != "list" || len(m.Signatures) != 2 {
		t.Fatalf("got %q %q %d", m.Type, m.Payload, len(m.Signatures))
	}
	if bytes.Compare(m.Signatures[0].KeyID, m.Signatures[1].KeyID) >= 0 {
		t.Error("not sorted by key id")
	}
	for _, c := range []struct {
		keys []*Key
		want int
	}{
		{nil, 0}, {[]*Key{kc}, 0}, {[]*Key{ka}, 1}, {[]*Key{ka, ka, ka}, 1}, {[]*Key{ka, kb, kc}, 2}, {[]*Key{nil, kb, nil, ka}, 2},
	} {
		if got := m.Count(c.keys); got != c.want {
			t.Errorf("%d keys: counted %d, want %d", len(c.keys), got, c.want)
		}
	}
	// One anchor listed twice in the message counts once.
	m.Signatures = append(m.Signatures, m.Signatures[0], m.Signatures[1])
	if got := m.Count([]*Key{ka, kb}); got != 2 {
		t.Errorf("counted %d, want 2", got)
	}
	// A bad signature before a good one of the same key does not hide it.
	bad := m.Signatures[0]
	bad.Value = make([]byte, 64)
	m.Signatures = append([]Signature{bad}, m.Signatures...)
	if got := m.Count([]*Key{ka, kb}); got != 2 {
		t.Errorf("counted %d, want 2", got)
	}
	m.Payload = []byte("lisu")
	if got := m.Count([]*Key{ka, kb}); got != 0 {
		t.Errorf("counted %d on another payload", got)
	}
}

// Two laptops sign copies of one list; the copies are merged.
func TestMergingCopies(t *testing.T) {
	a, ka := newP256Signer(t)
	b, kb := newP256Signer(t)
	one, two := PrepareMulti(testType, []byte("list")), PrepareMulti(testType, []byte("list"))
	addSignature(t, one, a)
	addSignature(t, two, b)
	m, err := ParseMulti(two.Append(nil), 1)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // merging again adds nothing
		if err := one.AddFrom(&m); err != nil {
			t.Fatal(err)
		}
	}
	merged, err := ParseMulti(one.Append(nil), 2)
	if err != nil || merged.Count([]*Key{ka, kb}) != 2 {
		t.Errorf("got %v, %d", err, merged.Count([]*Key{ka, kb}))
	}
	// A spoilt signature that came along is replaced by a good one.
	three := PrepareMulti(testType, []byte("list"))
	m.Signatures[0].Value = make([]byte, 64)
	if err := three.AddFrom(&m); err != nil {
		t.Fatal(err)
	}
	addSignature(t, three, b)
	if again, err := ParseMulti(three.Append(nil), 2); err != nil || again.Count([]*Key{kb}) != 1 {
		t.Errorf("got %v", err)
	}
	if err := PrepareMulti(testType, []byte("other")).AddFrom(&m); !errors.Is(err, ErrMalformed) {
		t.Errorf("other payload: got %v", err)
	}
	if err := PrepareMulti("application/aidpass-other+cose", []byte("list")).AddFrom(&m); !errors.Is(err, ErrType) {
		t.Errorf("other type: got %v", err)
	}
	_, kc := newP256Signer(t)
	sig, _ := SignRaw(a, three.ToBeSigned(kc))
	if err := three.Add(kc, sig); !errors.Is(err, ErrSignature) {
		t.Errorf("another key's signature: got %v", err)
	}
	if err := three.Add(kc, nil); !errors.Is(err, ErrSignature) {
		t.Errorf("no signature: got %v", err)
	}
}

// A signature made over a single-signer message does not stand in a list of
// signatures, nor the other way round: the context strings differ.
func TestSignaturesDoNotCrossStructures(t *testing.T) {
	s, k := newP256Signer(t)
	p := PrepareMulti(testType, []byte("list"))
	single := Prepare(k, testType, []byte("list"), nil)
	sig, _ := SignRaw(s, single.ToBeSigned())
	if err := p.Add(k, sig); !errors.Is(err, ErrSignature) {
		t.Errorf("got %v", err)
	}
	sig, _ = SignRaw(s, p.ToBeSigned(k))
	if _, err := single.Attach(sig); !errors.Is(err, ErrSignature) {
		t.Errorf("got %v", err)
	}
}

func TestRefusedMulti(t *testing.T) {
	kid := bstr(bytes.Repeat([]byte{7}, 8))
	typ := cbor.AppendText(nil, testType)
	cat := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	signature := func(protected, unprotected []byte) []byte {
		return cat([]byte{0x83}, bstr(protected), unprotected, bstr(make([]byte, 64)))
	}
	build := func(body, unprotected, payload []byte, signatures ...[]byte) []byte {
		return cat([]byte{0xd8, 0x62, 0x84}, bstr(body), unprotected, payload, cbor.AppendArray(nil, len(signatures)), cat(signatures...))
	}
	empty, payload := []byte{0xa0}, bstr([]byte("list"))
	body, good := coseKey(16, typ), signature(coseKey(1, num(-7), 4, kid), []byte{0xa0})
	if _, err := ParseMulti(build(body, empty, payload, good), 1); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"tag 18":                     {cat([]byte{0xd2}, build(body, empty, payload, good)[2:]), ErrMalformed},
		"no tag":                     {build(body, empty, payload, good)[2:], ErrMalformed},
		"no signature":               {build(body, empty, payload), ErrMalformed},
		"too many":                   {build(body, empty, payload, good, good, good), cbor.ErrTooLarge},
		"no typ":                     {build(nil, empty, payload, good), ErrType},
		"typ a number":               {build(coseKey(16, num(1)), empty, payload, good), ErrType},
		"body names more":            {build(coseKey(3, num(0), 16, typ), empty, payload, good), ErrType},
		"body unprotected":           {build(body, coseKey(99, num(0)), payload, good), ErrUnprotected},
		"payload nil":                {build(body, empty, []byte{0xf6}, good), ErrMalformed},
		"no key id":                  {build(body, empty, payload, signature(coseKey(1, num(-7)), empty)), ErrKeyIDMissing},
		"no algorithm":               {build(body, empty, payload, signature(coseKey(4, kid), empty)), ErrAlgMissing},
		"ES384":                      {build(body, empty, payload, signature(coseKey(1, num(-35), 4, kid), empty)), ErrAlgNotAllowed},
		"ESP256 is foreign":          {build(body, empty, payload, signature(coseKey(1, num(-9), 4, kid), empty)), ErrAlgNotAllowed},
		"another header":             {build(body, empty, payload, signature(coseKey(1, num(-7), 4, kid, 3, num(0)), empty)), ErrMalformed},
		"signature unprotected":      {build(body, empty, payload, signature(coseKey(1, num(-7)), coseKey(4, kid))), ErrUnprotected},
		"signature is no array":      {build(body, empty, payload, num(1)), ErrMalformed},
		"unsorted signature headers": {build(body, empty, payload, signature(cat([]byte{0xa2, 0x04}, kid, []byte{0x01, 0x26}), empty)), cbor.ErrNonCanonical},
		"trailing byte":              {append(build(body, empty, payload, good), 0), cbor.ErrTrailing},
		"indefinite":                 {cat([]byte{0xd8, 0x62, 0x9f}, build(body, empty, payload, good)[3:], []byte{0xff}), cbor.ErrNonCanonical},
		"2^40 signatures":            {cat(build(body, empty, payload)[:len(build(body, empty, payload))-1], []byte{0x9b, 0, 0, 1, 0, 0, 0, 0, 0}), cbor.ErrMalformed},
	} {
		if _, err := ParseMulti(c.b, 2); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}
