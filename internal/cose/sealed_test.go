package cose

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"

	"aidpass/internal/cbor"
)

func TestSealedPartOpensInItsPlaceOnly(t *testing.T) {
	key, iv, aad := bytes.Repeat([]byte{1}, 16), bytes.Repeat([]byte{2}, 12), []byte("aad")
	for _, n := range []int{0, 1, 7, 8, 32, 96, 239, 240, 500, 70000} {
		plain := bytes.Repeat([]byte{0x33}, n)
		msg, err := Seal(key, iv, plain, aad)
		if err != nil {
			t.Fatal(err)
		}
		if err := cbor.CheckDeterministic(msg, cbor.DefaultLimits); err != nil {
			t.Errorf("%d: %v", n, err)
		}
		got, err := OpenSealed(msg, key, iv, aad)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d: %v", n, err)
		}
		for name, open := range map[string]func() ([]byte, error){
			"another key": func() ([]byte, error) { return OpenSealed(msg, iv16(iv), iv, aad) },
			"another iv":  func() ([]byte, error) { return OpenSealed(msg, key, key[:12], aad) },
			"another aad": func() ([]byte, error) { return OpenSealed(msg, key, iv, []byte("aae")) },
			"changed":     func() ([]byte, error) { m := bytes.Clone(msg); m[len(m)-1] ^= 1; return OpenSealed(m, key, iv, aad) },
			"empty box":   func() ([]byte, error) { return OpenSealed([]byte{0x83, 0x43, 0xa1, 1, 1, 0xa0, 0x40}, key, iv, aad) },
			"15-byte message": func() ([]byte, error) {
				return OpenSealed(append([]byte{0x83, 0x43, 0xa1, 1, 1, 0xa0, 0x4f}, key[:15]...), key, iv, aad)
			},
		} {
			if _, err := open(); !errors.Is(err, ErrDecrypt) {
				t.Errorf("%d, %s: got %v", n, name, err)
			}
		}
	}
}

func iv16(iv []byte) []byte { return append(bytes.Clone(iv), 0, 0, 0, 0) }

func TestRefusedSealedParts(t *testing.T) {
	key, iv := make([]byte, 16), make([]byte, 12)
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"nothing":             {nil, cbor.ErrMalformed},
		"tag 16":              {[]byte{0xd0, 0x83, 0x43, 0xa1, 1, 1, 0xa0, 0x40}, ErrMalformed},
		"array of 4":          {[]byte{0x84, 0x43, 0xa1, 1, 1, 0xa0, 0x40, 0x40}, ErrMalformed},
		"A256GCM":             {[]byte{0x83, 0x43, 0xa1, 1, 3, 0xa0, 0x40}, ErrAlgNotAllowed},
		"no algorithm":        {[]byte{0x83, 0x40, 0xa0, 0x40}, ErrAlgMissing},
		"iv in the header":    {[]byte{0x83, 0x43, 0xa1, 1, 1, 0xa1, 0x05, 0x40, 0x40}, ErrUnprotected},
		"iv protected":        {[]byte{0x83, 0x45, 0xa2, 1, 1, 5, 0x40, 0xa0, 0x40}, ErrMalformed},
		"detached ciphertext": {[]byte{0x83, 0x43, 0xa1, 1, 1, 0xa0, 0xf6}, ErrMalformed},
		"non-minimal length":  {[]byte{0x83, 0x43, 0xa1, 1, 1, 0xa0, 0x58, 0x01, 0x00}, cbor.ErrNonCanonical},
		"trailing":            {[]byte{0x83, 0x43, 0xa1, 1, 1, 0xa0, 0x40, 0}, cbor.ErrTrailing},
	} {
		if _, err := OpenSealed(c.b, key, iv, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	for _, n := range []int{0, 15, 17, 24, 32} {
		if _, err := Seal(make([]byte, n), iv, nil, nil); err == nil {
			t.Errorf("key of %d bytes taken", n)
		}
		if _, err := OpenSealed(nil, make([]byte, n), iv, nil); err == nil {
			t.Errorf("key of %d bytes taken", n)
		}
	}
	if _, err := Seal(key, iv[:11], nil, nil); err == nil {
		t.Error("iv of 11 bytes taken")
	}
}

func opener(t testing.TB, k *ecdh.PrivateKey) Recipient {
	t.Helper()
	r, err := NewRecipient(k)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func newDevice(t testing.TB) *ecdh.PrivateKey {
	t.Helper()
	k, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// The standard library's HPKE opens what we seal, and we open what it seals.
func TestHPKEAgainstTheStandardLibrary(t *testing.T) {
	device := newDevice(t)
	priv, err := hpke.NewDHKEMPrivateKey(device)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := hpke.NewDHKEMPublicKey(device.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 16, 31, 1000, 100000} {
		plain, info := make([]byte, n), []byte(fmt.Sprint("info ", n))
		if n == 0 {
			info = nil
		}
		rand.Read(plain)
		ours, err := SealTo(device.PublicKey(), info, plain)
		if err != nil {
			t.Fatal(err)
		}
		if len(ours) != n+BoxOverhead {
			t.Errorf("%d: box of %d bytes", n, len(ours))
		}
		got, err := hpke.Open(priv, hpke.HKDFSHA256(), hpke.AES128GCM(), info, ours)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d: the library does not open ours: %v", n, err)
		}
		theirs, err := hpke.Seal(pub, hpke.HKDFSHA256(), hpke.AES128GCM(), info, plain)
		if err != nil {
			t.Fatal(err)
		}
		got, err = OpenWith(opener(t, device), info, theirs)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d: we do not open the library's: %v", n, err)
		}
	}
}

func TestBoxesOpenForTheirDeviceOnly(t *testing.T) {
	device, info := newDevice(t), []byte("aidpass-pack-1")
	box, err := SealTo(device.PublicKey(), info, []byte("keys"))
	if err != nil {
		t.Fatal(err)
	}
	offCurve := bytes.Clone(box)
	offCurve[64] ^= 1
	changed := bytes.Clone(box)
	changed[len(changed)-1] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"another device":      func() ([]byte, error) { return OpenWith(opener(t, newDevice(t)), info, box) },
		"another purpose":     func() ([]byte, error) { return OpenWith(opener(t, device), []byte("other"), box) },
		"point off the curve": func() ([]byte, error) { return OpenWith(opener(t, device), info, offCurve) },
		"changed":             func() ([]byte, error) { return OpenWith(opener(t, device), info, changed) },
		"cut short":           func() ([]byte, error) { return OpenWith(opener(t, device), info, box[:len(box)-1]) },
		"80 bytes":            func() ([]byte, error) { return OpenWith(opener(t, device), info, box[:80]) },
		"nothing":             func() ([]byte, error) { return OpenWith(opener(t, device), info, nil) },
	} {
		if _, err := open(); !errors.Is(err, ErrDecrypt) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	x, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := SealTo(x.PublicKey(), info, nil); !errors.Is(err, ErrAlgNotAllowed) {
		t.Errorf("X25519: got %v", err)
	}
	if _, err := SealTo(nil, info, nil); !errors.Is(err, ErrAlgNotAllowed) {
		t.Errorf("nil: got %v", err)
	}
	if _, err := NewRecipient(x); !errors.Is(err, ErrAlgNotAllowed) {
		t.Errorf("X25519: got %v", err)
	}
	if _, err := NewRecipient(nil); !errors.Is(err, ErrAlgNotAllowed) {
		t.Errorf("nil: got %v", err)
	}
	if _, err := OpenWith(nil, info, box); !errors.Is(err, ErrDecrypt) {
		t.Errorf("no recipient: got %v", err)
	}
	again, _ := SealTo(device.PublicKey(), info, []byte("keys"))
	if bytes.Equal(again, box) {
		t.Error("two boxes are alike")
	}
}
