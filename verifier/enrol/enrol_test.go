package enrol_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"aidpass/internal/cose"
	"aidpass/verifier/enrol"
)

// phone is the device of a name: the P-256 key whose scalar is its SHA-256.
func phone(t testing.TB, name string) (*cose.Key, cose.Recipient) {
	t.Helper()
	scalar := sha256.Sum256([]byte(name))
	sign, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
	if err != nil {
		t.Fatal(err)
	}
	key, err := cose.NewKey(&sign.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	private, err := ecdh.P256().NewPrivateKey(scalar[:])
	if err != nil {
		t.Fatal(err)
	}
	r, err := cose.NewRecipient(private)
	if err != nil {
		t.Fatal(err)
	}
	return key, r
}

// worked returns the bytes of a block of the format's page.
func worked(t *testing.T, name string) []byte {
	t.Helper()
	page, err := os.ReadFile("../../docs/formats/enrol.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(page), "```hex "+name+"\n")
	block, _, _ = strings.Cut(block, "```")
	var digits strings.Builder
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(line, ";")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil || len(b) == 0 {
		t.Fatalf("block %q of enrol.md: %v", name, err)
	}
	return b
}

func TestDocsWorkedBytes(t *testing.T) {
	key, _ := phone(t, "phone 1")
	want := worked(t, "request")
	got, err := enrol.Request{Key: key, Name: "tab-1"}.Encode()
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%v\ngot  %x\nwant %x", err, got, want)
	}
	text, err := enrol.Request{Key: key, Name: "tab-1"}.Text()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/formats/enrol.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{text, enrol.Words(key)} {
		if !bytes.Contains(page, []byte(s)) {
			t.Errorf("enrol.md does not show %q", s)
		}
	}
}

func TestRequestComesBack(t *testing.T) {
	key, _ := phone(t, "phone 1")
	r := enrol.Request{Key: key, Name: "هاتف ١"}
	raw, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	text, err := r.Text()
	if err != nil || !enrol.IsRequestText(text) {
		t.Fatalf("%q, %v", text, err)
	}
	for _, form := range [][]byte{raw, []byte(text), []byte(text + "\r\n")} {
		got, err := enrol.ParseRequest(form)
		if err != nil || got.Name != r.Name || got.Key.Thumbprint() != key.Thumbprint() {
			t.Errorf("%q: %v, %v", form, got, err)
		}
	}
}

func TestRequestRefusals(t *testing.T) {
	key, _ := phone(t, "phone 1")
	good, _ := enrol.Request{Key: key, Name: "tab-1"}.Encode()
	with := func(at int, b byte) []byte { c := bytes.Clone(good); c[at] = b; return c }
	for name, b := range map[string][]byte{
		"empty":                  nil,
		"cut off":                good[:len(good)-1],
		"more behind it":         append(bytes.Clone(good), 0),
		"another label":          with(5, 'x'),
		"a point off the curve":  with(len(good)-10, good[len(good)-10]^1),
		"a card's text":          []byte("6BFOXN*TS0BI$ZD"),
		"a text that is no code": []byte("APK1:::"),
		"a very long text":       []byte("APK1:" + strings.Repeat("0", 5000)),
		"very long":              bytes.Repeat([]byte{0xa3}, 5000),
	} {
		if _, err := enrol.ParseRequest(b); !errors.Is(err, enrol.ErrRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", " tab", "tab\n1", "tab\u200f1", "\u202etab", strings.Repeat("x", 65), "\xff"} {
		if _, err := (enrol.Request{Key: key, Name: name}).Encode(); !errors.Is(err, enrol.ErrRequest) {
			t.Errorf("name %q: %v", name, err)
		}
	}
}

func TestOnlyThePhoneOpensItsAnswer(t *testing.T) {
	key, device := phone(t, "phone 1")
	other, otherDevice := phone(t, "phone 2")
	want := enrol.Answer{Certificate: []byte("certificate"), Pack: bytes.Repeat([]byte("pack"), 1000)}
	b, err := enrol.Seal(want, key)
	if err != nil {
		t.Fatal(err)
	}
	got, err := enrol.Open(device, key.ID(), b)
	if err != nil || !bytes.Equal(got.Certificate, want.Certificate) || !bytes.Equal(got.Pack, want.Pack) {
		t.Fatalf("%v", err)
	}
	if bytes.Contains(b, []byte("packpack")) {
		t.Error("the pack can be read from outside")
	}
	if _, err := enrol.Open(otherDevice, other.ID(), b); !errors.Is(err, enrol.ErrAnswer) {
		t.Errorf("another phone: %v", err)
	}
	if _, err := enrol.Open(otherDevice, key.ID(), b); !errors.Is(err, enrol.ErrAnswer) {
		t.Errorf("another phone under this one's name: %v", err)
	}
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 1
		if _, err := enrol.Open(device, key.ID(), bad); !errors.Is(err, enrol.ErrAnswer) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
}

func TestFramesInAnyOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	for _, size := range []int{1, enrol.FrameBytes, enrol.FrameBytes + 1, 20_000} {
		message := make([]byte, size)
		for i := range message {
			message[i] = byte(random.Uint32())
		}
		texts := enrol.Frames(message)
		// A camera that begins in the middle, loses some and sees others twice.
		var set enrol.Frameset
		var got []byte
		for range 100 * len(texts) {
			whole, err := set.Add(texts[random.IntN(len(texts))])
			if err != nil {
				t.Fatal(err)
			}
			if whole != nil {
				got = whole
				break
			}
		}
		if !bytes.Equal(got, message) {
			t.Errorf("%d bytes did not come back", size)
		}
	}
}

func TestFramesOfTwoMessagesDoNotMix(t *testing.T) {
	one, two := enrol.Frames(bytes.Repeat([]byte("1"), 1000)), enrol.Frames(bytes.Repeat([]byte("2"), 1000))
	var set enrol.Frameset
	for _, text := range []string{one[0], one[1], two[2]} {
		if whole, err := set.Add(text); whole != nil || err != nil {
			t.Fatalf("%q, %v", whole, err)
		}
	}
	if have, count := set.Progress(); have != 1 || count != 3 {
		t.Errorf("%d of %d", have, count)
	}
	if enrol.Frames(nil) != nil || enrol.Frames(make([]byte, enrol.FrameBytes*enrol.MaxFrames+1)) != nil {
		t.Error("frames of nothing, or of too much")
	}
}

func FuzzParseRequest(f *testing.F) {
	key, _ := phone(f, "phone 1")
	raw, _ := enrol.Request{Key: key, Name: "tab-1"}.Encode()
	text, _ := enrol.Request{Key: key, Name: "tab-1"}.Text()
	f.Add(raw)
	f.Add([]byte(text))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := enrol.ParseRequest(b)
		if err != nil {
			return
		}
		again, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		text, _ := r.Text()
		if !bytes.Equal(again, b) && strings.TrimRight(string(b), "\r\n") != text {
			t.Errorf("%q was read as %q", b, again)
		}
	})
}

func FuzzFrameset(f *testing.F) {
	for _, text := range enrol.Frames(bytes.Repeat([]byte("x"), 900)) {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		var set enrol.Frameset
		for _, text := range []string{a, b} {
			whole, err := set.Add(text)
			if have, count := set.Progress(); err == nil && whole == nil && (have < 1 || have > count) {
				t.Errorf("%d of %d", have, count)
			}
			if whole != nil && enrol.Frames(whole)[0] != a && enrol.Frames(whole)[0] != b {
				t.Error("a message that nobody sent")
			}
		}
	})
}

func FuzzOpen(f *testing.F) {
	key, device := phone(f, "phone 1")
	b, _ := enrol.Seal(enrol.Answer{Certificate: []byte("c")}, key)
	f.Add(b)
	f.Fuzz(func(t *testing.T, got []byte) {
		if a, err := enrol.Open(device, key.ID(), got); err == nil && string(a.Certificate) != "c" {
			t.Errorf("opened %q, which nobody sealed", a.Certificate)
		}
	})
}
