package keystore

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"aidpass/internal/cose"
	"aidpass/storage/keystore/keystoretest"
)

var day = time.Date(2026, 11, 21, 20, 0, 0, 999, time.FixedZone("EAT", 3*3600))

const secretWords = "correct horse battery"

func newStore(t testing.TB) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	s.WorkFactor = 10
	return s
}

// again is another process that opens the same folder.
func again(t testing.TB, s *Store) *Store {
	t.Helper()
	o, err := Open(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	o.WorkFactor = 10
	return o
}

func pass() ([]byte, error)      { return []byte(secretWords), nil }
func wrongPass() ([]byte, error) { return []byte("another horse"), nil }

// asked fails the test when a passphrase is asked for that is not needed.
func asked(t testing.TB) Passphrase {
	return func() ([]byte, error) {
		t.Helper()
		t.Error("the passphrase was asked for")
		return nil, errors.New("not asked for")
	}
}

func create(t testing.TB, s *Store, use Use, alg Alg) *Info {
	t.Helper()
	info, err := s.Create(use, alg, "for "+string(use), pass, day)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestConformance(t *testing.T) {
	for _, alg := range []Alg{P256, Ed25519} {
		t.Run("file/"+string(alg), func(t *testing.T) {
			s := newStore(t)
			id := create(t, s, Card, alg).ID
			keystoretest.Conformance(t, func(t *testing.T) crypto.Signer {
				signer, _, err := again(t, s).Signer(id, Card, pass)
				if err != nil {
					t.Fatal(err)
				}
				return signer
			})
		})
		t.Run("memory/"+string(alg), func(t *testing.T) {
			keystoretest.Conformance(t, func(t *testing.T) crypto.Signer {
				private, err := generate(alg)
				if err != nil {
					t.Fatal(err)
				}
				key, err := private2key(alg, private)
				if err != nil {
					t.Fatal(err)
				}
				signer, err := NewSigner(key)
				if err != nil {
					t.Fatal(err)
				}
				return signer
			})
		})
	}
}

// Every use, with every kind of key it takes, comes back in another process as
// what it is, and as nothing else.
func TestKeysComeBackForTheirUse(t *testing.T) {
	s := newStore(t)
	for _, use := range Uses() {
		for _, alg := range use.Algs() {
			info := create(t, s, use, alg)
			o := again(t, s)
			_, key, err := o.Signer(info.ID, use, pass)
			if wantSign := alg != Secret && use != Seal; (err == nil) != wantSign {
				t.Errorf("%s %s: Signer: %v", use, alg, err)
			} else if wantSign && key.Thumbprint() != info.Key.Thumbprint() {
				t.Errorf("%s %s: another key came back", use, alg)
			} else if !wantSign && !errors.Is(err, ErrUse) {
				t.Errorf("%s %s: Signer: got %v, want ErrUse", use, alg, err)
			}
			secret, err := o.Secret(info.ID, use, pass)
			if (err == nil) != (alg == Secret) || err == nil && len(secret) != 32 || err != nil && !errors.Is(err, ErrUse) {
				t.Errorf("%s %s: Secret: %d bytes, %v", use, alg, len(secret), err)
			}
			priv, err := o.ECDH(info.ID, use, pass)
			if wantECDH := alg == P256 && (use == Device || use == Seal); (err == nil) != wantECDH || err != nil && !errors.Is(err, ErrUse) {
				t.Errorf("%s %s: ECDH: %v", use, alg, err)
			} else if wantECDH {
				pub, err := info.Key.ECDH()
				if err != nil {
					t.Fatal(err)
				}
				box, err := cose.SealTo(pub, []byte("info"), []byte("keys"))
				if err != nil {
					t.Fatal(err)
				}
				if got, err := cose.OpenWith(recipient(t, priv), []byte("info"), box); err != nil || string(got) != "keys" {
					t.Errorf("%s: %q, %v", use, got, err)
				}
			}
			for _, other := range Uses() {
				if other == use {
					continue
				}
				_, _, err1 := o.Signer(info.ID, other, asked(t))
				_, err2 := o.Secret(info.ID, other, asked(t))
				_, err3 := o.ECDH(info.ID, other, asked(t))
				for _, err := range []error{err1, err2, err3} {
					if !errors.Is(err, ErrUse) {
						t.Errorf("%s key asked for as %s: got %v", use, other, err)
					}
				}
			}
		}
	}
}

func TestListNeedsNoPassphrase(t *testing.T) {
	s := newStore(t)
	card := create(t, s, Card, P256)
	programme := create(t, s, Programme, Secret)
	list, err := again(t, s).List()
	if err != nil || len(list) != 2 {
		t.Fatalf("got %v, %v", list, err)
	}
	got := list[0]
	if got.Use != Card || got.Alg != P256 || got.ID != card.ID || got.Label != "for card" ||
		!got.Created.Equal(time.Date(2026, 11, 21, 17, 0, 0, 0, time.UTC)) || got.Key.Thumbprint() != card.Key.Thumbprint() {
		t.Errorf("got %+v", got)
	}
	if list[1].Key != nil || list[1].ID != programme.ID || list[1].Alg != Secret {
		t.Errorf("got %+v", list[1])
	}
	// One bad file is reported and hides nothing.
	if err := os.WriteFile(filepath.Join(s.dir, "card-0000000000000000.key"), []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	if list, err = s.List(); len(list) != 2 || !errors.Is(err, ErrDamaged) {
		t.Errorf("got %d keys, %v", len(list), err)
	}
	if list, err := newStore(t).List(); list != nil || err != nil {
		t.Errorf("an empty store: %v, %v", list, err)
	}
}

func TestPassphraseIsAskedOnce(t *testing.T) {
	s := newStore(t)
	info := create(t, s, Card, P256)
	if _, _, err := s.Signer(info.ID, Card, asked(t)); err != nil {
		t.Errorf("just created: %v", err)
	}
	o, times := again(t, s), 0
	counted := func() ([]byte, error) { times++; return pass() }
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, _, err := o.Signer(info.ID, Card, counted); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if times != 1 {
		t.Errorf("asked %d times", times)
	}
	o.Forget()
	if _, _, err := o.Signer(info.ID, Card, counted); err != nil || times != 2 {
		t.Errorf("after Forget: asked %d times, %v", times, err)
	}
}

func TestWrongPassphrases(t *testing.T) {
	s := newStore(t)
	info := create(t, s, Card, P256)
	o := again(t, s)
	for name, p := range map[string]Passphrase{"wrong": wrongPass, "empty": func() ([]byte, error) { return nil, nil }} {
		if _, _, err := o.Signer(info.ID, Card, p); !errors.Is(err, ErrPassphrase) || errors.Is(err, ErrDamaged) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, _, err := o.Signer(info.ID, Card, pass); err != nil {
		t.Errorf("the right one after the wrong: %v", err)
	}
	none := errors.New("no terminal")
	o.Forget()
	if _, _, err := o.Signer(info.ID, Card, func() ([]byte, error) { return nil, none }); !errors.Is(err, none) {
		t.Errorf("got %v", err)
	}
	short := func() ([]byte, error) { return []byte("1234567"), nil }
	if _, err := s.Create(Card, P256, "", short, day); !errors.Is(err, ErrPassphrase) {
		t.Errorf("short: got %v", err)
	}
	if _, err := s.Create(Card, P256, "", func() ([]byte, error) { return nil, none }, day); !errors.Is(err, none) {
		t.Errorf("got %v", err)
	}
	if list, _ := s.List(); len(list) != 1 {
		t.Errorf("%d keys after refusals, want 1", len(list))
	}
}

func TestRefusals(t *testing.T) {
	s := newStore(t)
	for name, want := range map[string]error{
		"0000000000000000": ErrNotFound, "": ErrNotFound, "../keys": ErrNotFound, "*": ErrNotFound,
	} {
		if _, _, err := s.Signer(name, Card, asked(t)); !errors.Is(err, want) {
			t.Errorf("%q: got %v", name, err)
		}
	}
	for _, c := range []struct {
		use   Use
		alg   Alg
		label string
	}{
		{"money", P256, ""}, {Card, Secret, ""}, {Programme, P256, ""}, {Device, Ed25519, ""}, {Card, "RSA", ""}, {"", "", ""},
		{Card, P256, "two\nlines"}, {Card, P256, " space"}, {Card, P256, strings.Repeat("x", 101)}, {Card, P256, "\xff"}, {Card, P256, "a\u202eb"},
	} {
		if _, err := s.Create(c.use, c.alg, c.label, asked(t), day); err == nil {
			t.Errorf("%q %q %q was created", c.use, c.alg, c.label)
		}
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []any{p384, &rsa.PrivateKey{}, make([]byte, 31), ed25519.PrivateKey{}, nil, "key"} {
		if _, err := s.Import(Card, "", key, asked(t), day); err == nil {
			t.Errorf("%T was imported", key)
		}
	}
	if _, err := NewSigner(p384); err == nil {
		t.Error("P-384 signs")
	}
	if _, err := Open(filepath.Join(s.dir, "no", "where")); err == nil {
		t.Error("a folder in a missing folder was opened")
	}
	file := filepath.Join(s.dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file); err == nil {
		t.Error("a file was opened as a folder")
	}
	s.WorkFactor = 0
	if _, err := s.Create(Card, P256, "", pass, day); err == nil {
		t.Error("a work factor of 0 was taken")
	}
}

func TestImportedKeysKeepTheirIdentity(t *testing.T) {
	s, other := newStore(t), newStore(t)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		use Use
		key any
	}{{Card, ec}, {Status, ed}, {Programme, bytes.Repeat([]byte{9}, 32)}} {
		a, err := s.Import(c.use, "Schlüssel 1", c.key, pass, day)
		if err != nil {
			t.Fatal(err)
		}
		b, err := other.Import(c.use, "", c.key, pass, day)
		if err != nil || a.ID != b.ID {
			t.Errorf("%s: ids %s and %s, %v", c.use, a.ID, b.ID, err)
		}
		if _, err := s.Import(c.use, "", c.key, pass, day); !errors.Is(err, ErrExists) {
			t.Errorf("%s twice: got %v", c.use, err)
		}
		if key, ok := c.key.(crypto.Signer); ok {
			if _, err := s.Import(Pack, "", c.key, pass, day); !errors.Is(err, ErrExists) {
				t.Errorf("%s for a second use: got %v", c.use, err)
			}
			signer, _, err := again(t, s).Signer(a.ID, c.use, pass)
			if err != nil || !signer.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(key.Public()) {
				t.Errorf("%s: another key came back, %v", c.use, err)
			}
			if shown := fmt.Sprintf("%v %+v %s %#v", signer, signer, signer, signer); strings.Contains(shown, "D:") || len(shown) > 80 {
				t.Errorf("the key prints itself: %s", shown)
			}
		} else if secret, err := again(t, s).Secret(a.ID, c.use, pass); err != nil || !bytes.Equal(secret, c.key.([]byte)) {
			t.Errorf("%s: another secret came back, %v", c.use, err)
		}
	}
	// A secret handed out is a copy.
	list, _ := s.List()
	for _, info := range list {
		if info.Alg == Secret {
			one, _ := s.Secret(info.ID, info.Use, pass)
			clear(one)
			if two, _ := s.Secret(info.ID, info.Use, pass); bytes.Equal(one, two) {
				t.Error("the caller's copy is the store's")
			}
		}
	}
}

func recipient(t *testing.T, priv *ecdh.PrivateKey) cose.Recipient {
	t.Helper()
	r, err := cose.NewRecipient(priv)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
