package cwt_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/credential/qr"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/words"

	fxcbor "github.com/fxamacker/cbor/v2"
	gocose "github.com/veraison/go-cose"
	"pgregory.net/rapid"
)

var p256, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
var _, ed, _ = ed25519.GenerateKey(rand.Reader)

func keyOf(t testing.TB, pub any) *cose.Key {
	t.Helper()
	k, err := cose.NewKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func draft() cwt.Draft {
	plain := cbor.AppendMap(nil, 2)
	plain = cbor.AppendText(cbor.AppendInt(plain, 1), "K7Q2M9XP")
	plain = cbor.AppendUint(cbor.AppendInt(plain, 2), 3)
	return cwt.Draft{
		Issuer:    "https://relief-a.example/i1",
		Type:      "https://aidpass.example/elig",
		Pseudonym: cwt.Pseudonym([]byte("programme key"), []byte("unit")),
		ID:        [10]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
		IssuedAt:  1795000000, ExpiresAt: 1795000000 + 180*86400,
		StatusURI: "https://relief-a.example/s/4", StatusIndex: 91234,
		Plain: plain,
	}
}

func signed(t testing.TB, d cwt.Draft, edKey bool) ([]byte, *cose.Key) {
	t.Helper()
	k := keyOf(t, &p256.PublicKey)
	if edKey {
		k = keyOf(t, ed.Public())
	}
	p, err := cwt.Prepare(k, d)
	if err != nil {
		t.Fatal(err)
	}
	var sig []byte
	if edKey {
		sig, err = cose.SignRaw(ed, p.ToBeSigned())
	} else {
		sig, err = cose.SignRaw(p256, p.ToBeSigned())
	}
	if err != nil {
		t.Fatal(err)
	}
	card, err := p.Attach(sig)
	if err != nil {
		t.Fatal(err)
	}
	return card, k
}

func TestACardComesBackAsItWasWritten(t *testing.T) {
	for _, edKey := range []bool{false, true} {
		d := draft()
		card, k := signed(t, d, edKey)
		text, err := cwt.Text(card)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d bytes, %d characters", len(card), len(text))
		if len(text) > 483 {
			t.Errorf("a plain eligibility card has %d characters, want at most 483", len(text))
		}
		var s qr.Scratch
		raw, err := s.Decode(text)
		if err != nil || !bytes.Equal(raw, card) {
			t.Fatalf("text does not decode to the card: %v", err)
		}
		env, err := cwt.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		id := k.ID()
		if string(env.Issuer) != d.Issuer || string(env.Type) != d.Type || !bytes.Equal(env.KeyID, id[:]) {
			t.Errorf("hints are %q %q %x", env.Issuer, env.Type, env.KeyID)
		}
		c, err := cwt.OpenCard(&env, k, nil)
		if err != nil {
			t.Fatal(err)
		}
		if string(c.Pseudonym) != d.Pseudonym || c.ExpiresAt != d.ExpiresAt || c.IssuedAt != d.IssuedAt ||
			c.NotBefore != d.IssuedAt || string(c.Status.URI) != d.StatusURI || c.Status.Index != d.StatusIndex ||
			!bytes.Equal(c.ID, d.ID[:]) || !bytes.Equal(c.Plain, d.Plain) || !c.Proven() {
			t.Errorf("got %+v", c)
		}
	}
}

func TestNothingOpensUnderAnotherKey(t *testing.T) {
	card, _ := signed(t, draft(), false)
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	env, err := cwt.Parse(card)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cwt.OpenCard(&env, keyOf(t, &other.PublicKey), nil); cwt.ReasonOf(err) != words.BadSignature {
		t.Errorf("under another key: %v", err)
	}
	if _, err := cwt.OpenCard(&env, keyOf(t, ed.Public()), nil); cwt.ReasonOf(err) != words.AlgKeyMismatch {
		t.Errorf("under a key of another kind: %v", err)
	}
}

func TestEveryFlippedBitIsNoticed(t *testing.T) {
	card, k := signed(t, draft(), false)
	for i := range card {
		for bit := range 8 {
			bad := bytes.Clone(card)
			bad[i] ^= 1 << bit
			env, err := cwt.Parse(bad)
			if err != nil {
				continue
			}
			if _, err := cwt.OpenCard(&env, k, nil); err == nil {
				t.Fatalf("byte %d bit %d flipped and the card still opens", i, bit)
			}
		}
	}
}

// go-cose and fxamacker/cbor read our card: a second decoder as referee.
func TestAnIndependentDecoderReadsTheSameClaims(t *testing.T) {
	card, k := signed(t, draft(), false)
	var m gocose.Sign1Message
	if err := m.UnmarshalCBOR(card); err != nil {
		t.Fatal(err)
	}
	v, err := gocose.NewVerifier(gocose.AlgorithmES256, k.Public())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Verify(nil, v); err != nil {
		t.Fatal(err)
	}
	var claims map[int64]any
	if err := fxcbor.Unmarshal(m.Payload, &claims); err != nil {
		t.Fatal(err)
	}
	if claims[1] != draft().Issuer || claims[4] != uint64(draft().ExpiresAt) {
		t.Errorf("claims are %v", claims)
	}
}

func TestWhatTheStrictReaderRefuses(t *testing.T) {
	k := keyOf(t, &p256.PublicKey)
	id := k.ID()
	good, err := cwt.Payload(draft())
	if err != nil {
		t.Fatal(err)
	}
	put := func(edit func(m map[any]any)) []byte {
		var m map[any]any
		if err := fxcbor.Unmarshal(good, &m); err != nil {
			t.Fatal(err)
		}
		edit(m)
		em, _ := fxcbor.CoreDetEncOptions().EncMode()
		b, err := em.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	u := func(n uint64) any { return n }
	for _, tt := range []struct {
		name    string
		payload []byte
		want    words.Reason
	}{
		{"iss missing", put(func(m map[any]any) { delete(m, u(1)) }), words.IssMissing},
		{"exp missing", put(func(m map[any]any) { delete(m, u(4)) }), words.ExpMissing},
		{"cti missing", put(func(m map[any]any) { delete(m, u(7)) }), words.CTIMissing},
		{"iat missing", put(func(m map[any]any) { delete(m, u(6)) }), words.BadClaims},
		{"exp in milliseconds", put(func(m map[any]any) { m[u(4)] = uint64(1795000000000) }), words.BadClaims},
		{"exp 2^64-1", put(func(m map[any]any) { m[u(4)] = ^uint64(0) }), words.BadClaims},
		{"exp undefined", put(func(m map[any]any) { m[u(4)] = fxcbor.SimpleValue(23) }), words.BadClaims},
		{"exp as float", put(func(m map[any]any) { m[u(4)] = 1.5 }), words.BadClaims},
		{"exp before iat", put(func(m map[any]any) { m[u(4)] = uint64(5) }), words.BadClaims},
		{"type as array", put(func(m map[any]any) { m[u(11)] = []string{"x"} }), words.BadClaims},
		{"status index negative", put(func(m map[any]any) {
			m[u(65535)] = map[string]any{"status_list": map[string]any{"idx": -1, "uri": "https://a.example/s"}}
		}), words.BadClaims},
		{"a name of 4 KiB", put(func(m map[any]any) {
			m[u(169)] = map[any]any{1: draft().Pseudonym, 4: strings.Repeat("n", 4096)}
		}), words.TooLarge},
		{"a tag 24 as claim", put(func(m map[any]any) { m[u(99)] = fxcbor.Tag{Number: 24, Content: []byte{0x80}} }), words.BadClaims},
		{"payload is an array", []byte{0x81, 0x01}, words.BadClaims},
		{"trailing byte", append(bytes.Clone(good), 0), words.TrailingData},
	} {
		prot := cbor.AppendMap(nil, 2)
		prot = cbor.AppendInt(cbor.AppendInt(prot, 1), -7)
		prot = cbor.AppendBytes(cbor.AppendInt(prot, 4), id[:])
		tbs := cbor.AppendText(cbor.AppendArray(nil, 4), "Signature1")
		tbs = cbor.AppendBytes(cbor.AppendBytes(cbor.AppendBytes(tbs, prot), nil), tt.payload)
		sig, err := cose.SignRaw(p256, tbs)
		if err != nil {
			t.Fatal(err)
		}
		card := cbor.AppendArray(cbor.AppendTag(nil, 18), 4)
		card = cbor.AppendMap(cbor.AppendBytes(card, prot), 0)
		card = cbor.AppendBytes(cbor.AppendBytes(card, tt.payload), sig)
		env, err := cwt.Parse(card)
		if err == nil {
			_, err = cwt.OpenCard(&env, k, nil)
		}
		if err == nil || cwt.ReasonOf(err) != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

func TestSealedPartOpensOnlyForItsOwnCard(t *testing.T) {
	key := bytes.Repeat([]byte{7}, cwt.EpochKeyBytes)
	plain := cbor.AppendText(cbor.AppendInt(cbor.AppendMap(nil, 1), 22), "Amina")
	d := draft()
	sealed, err := cwt.SealPart(key, d.Issuer, d.ID, d.Type, plain)
	if err != nil {
		t.Fatal(err)
	}
	got, err := cwt.OpenPart(key, []byte(d.Issuer), d.ID[:], []byte(d.Type), sealed)
	if err != nil || !bytes.Equal(got, plain) {
		t.Fatalf("got %x, %v", got, err)
	}
	for name, try := range map[string]func() error{
		"another card": func() error {
			_, err := cwt.OpenPart(key, []byte(d.Issuer), []byte("0123456789"), []byte(d.Type), sealed)
			return err
		},
		"another issuer": func() error {
			_, err := cwt.OpenPart(key, []byte("https://b.example"), d.ID[:], []byte(d.Type), sealed)
			return err
		},
		"another type": func() error {
			_, err := cwt.OpenPart(key, []byte(d.Issuer), d.ID[:], []byte("x"), sealed)
			return err
		},
		"another epoch": func() error {
			_, err := cwt.OpenPart(bytes.Repeat([]byte{8}, 32), []byte(d.Issuer), d.ID[:], []byte(d.Type), sealed)
			return err
		},
	} {
		if err := try(); !errors.Is(err, cwt.ErrSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The padding shows no more than the length to 32 bytes.
func TestSealedLengthsHideInBlocks(t *testing.T) {
	key := make([]byte, cwt.EpochKeyBytes)
	length := func(n int) int {
		m := cbor.AppendText(cbor.AppendInt(cbor.AppendMap(nil, 1), 22), strings.Repeat("a", n))
		s, err := cwt.SealPart(key, "i", [10]byte{}, "t", m)
		if err != nil {
			t.Fatal(err)
		}
		return len(s)
	}
	if length(3) != length(20) {
		t.Error("short names can be told from longer ones by the sealed length")
	}
}

func TestCardNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "unit")
		n, err := cwt.CardNumber(cwt.Pseudonym([]byte("k"), id))
		if err != nil || len(n) != 11 {
			t.Fatalf("number %q, %v", n, err)
		}
		grouped := cwt.GroupCardNumber(n)
		if grouped != n[:4]+"-"+n[4:8]+"-"+n[8:] {
			t.Fatalf("%s is shown as %s", n, grouped)
		}
		// However it is copied or typed, it is the same number.
		every := rapid.SampledFrom([]string{" ", "-", "\u2013", "\u00a0", "."}).Draw(t, "between")
		arabic := strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				r += '٠' - '0'
			}
			return r
		}, grouped)
		for _, typed := range []string{n, grouped, strings.ToLower(n[:4] + "-" + n[4:8] + " " + n[8:]), n[:5] + every + n[5:], strings.Join(strings.Split(n, ""), every), "\u2068" + grouped + "\u2069 ", arabic} {
			if got, err := cwt.CheckCardNumber(typed); err != nil || got != n {
				t.Fatalf("%q read as %q, %v", typed, got, err)
			}
		}
		// Two neighbours swapped are noticed: their weights differ by one, and values
		// by less than 31 unless they are 0 and 31.
		i := rapid.IntRange(0, 8).Draw(t, "i")
		b := []byte(n)
		if b[i] != b[i+1] && !(b[i] == '0' && b[i+1] == 'Z' || b[i] == 'Z' && b[i+1] == '0') {
			b[i], b[i+1] = b[i+1], b[i]
			if _, err := cwt.CheckCardNumber(string(b)); err == nil {
				t.Fatalf("%s with two symbols swapped passes as %s", n, b)
			}
		}
	})
}

func TestOnlyACardNumberIsGrouped(t *testing.T) {
	for _, s := range []string{"", "GBFFZGF4B2", "GBFF-ZGF4-B2Y"} {
		if got := cwt.GroupCardNumber(s); got != s {
			t.Errorf("%q is shown as %q", s, got)
		}
	}
}

func TestPINCheck(t *testing.T) {
	a, err := cwt.PINCheck([]byte("epoch"), []byte("cti"), "123456")
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := cwt.PINCheck([]byte("epoch"), []byte("ctj"), "123456"); a == b {
		t.Error("one PIN on two cards has one check")
	}
	for _, pin := range []string{"", "12345", "1234567", "12345a", "١٢٣٤٥٦"} {
		if _, err := cwt.PINCheck(nil, nil, pin); err == nil {
			t.Errorf("PIN %q is taken", pin)
		}
	}
}

// Whatever opens strictly re-encodes to itself and opens under no other key.
func FuzzParse(f *testing.F) {
	card, k := signed(f, draft(), false)
	other := keyOf(f, ed.Public())
	f.Add(card)
	f.Add(card[2:])
	renewed := draft()
	renewed.Former = formerUnit
	again, _ := signed(f, renewed, false)
	f.Add(again)
	f.Add([]byte{0xd2, 0x84, 0x40, 0xa0, 0x40, 0x40})
	f.Fuzz(func(t *testing.T, raw []byte) {
		env, err := cwt.Parse(raw)
		if err != nil {
			if !cwt.ReasonOf(err).Known() {
				t.Fatalf("no code for %v", err)
			}
			return
		}
		if _, err := cwt.OpenCard(&env, other, nil); err == nil {
			t.Fatal("opens under another key")
		}
		if _, err := cwt.OpenForeign(&env, other, nil); err == nil {
			t.Fatal("opens under another key")
		}
		if c, err := cwt.OpenCard(&env, k, nil); err == nil {
			if err := cbor.CheckDeterministic(raw, cbor.DefaultLimits); err != nil || len(c.Pseudonym) != cwt.PseudonymLen {
				t.Fatalf("opened although %v", err)
			}
		}
	})
}

func TestTimesReadAndWritten(t *testing.T) {
	at, err := credential.ParseTime("2026-11-21T09:00:00+03:00")
	if err != nil || at.String() != "2026-11-21T06:00:00Z" {
		t.Errorf("got %s, %v", at, err)
	}
}
