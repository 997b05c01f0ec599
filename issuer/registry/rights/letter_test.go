package rights_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"aidpass/internal/cose"
	"aidpass/issuer/registry/rights"
)

var at = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const relA, relB = "https://relief-a.example/i1", "https://relief-b.example/i1"

func keyOf(t testing.TB, seed string) (crypto.Signer, *cose.Key) {
	t.Helper()
	sum := sha256.Sum256([]byte(seed))
	private := ed25519.NewKeyFromSeed(sum[:])
	k, err := cose.NewKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return private, k
}

func signed(t testing.TB, s crypto.Signer, k *cose.Key, prepare func(*cose.Key) (*cose.Prepared, error)) []byte {
	t.Helper()
	p, err := prepare(k)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := cose.SignRaw(s, p.ToBeSigned())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := p.Attach(sig)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func letter() rights.Letter {
	return rights.Letter{ID: [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, From: relA, To: relB, Agreement: "relief-b-1", Why: rights.Taken, At: at, By: at.Add(rights.AnswerDue),
		Refs: []rights.Ref{{File: sha256.Sum256([]byte("file")), Name: "x-aebagbafaydqqcikbmga2dqpcaiq"}}}
}

// of says that org signs with k, from 1 November on.
func of(org string, k *cose.Key) rights.KeyOf {
	return func(who string, kid []byte, when time.Time) *cose.Key {
		if id := k.ID(); who == org && bytes.Equal(kid, id[:]) && when.Year() >= 2026 {
			return k
		}
		return nil
	}
}

func TestLettersAreBelievedOfWhoSignedThem(t *testing.T) {
	a, ka := keyOf(t, "pack a")
	b, kb := keyOf(t, "pack b")
	l := letter()
	raw := signed(t, a, ka, l.Prepare)
	got, err := rights.OpenLetter(raw, of(relA, ka))
	if err != nil || got.ID != l.ID || got.Refs[0] != l.Refs[0] || !got.At.Equal(at) || got.Why != rights.Taken || rights.IsReply(raw) {
		t.Fatalf("%+v, %v", got, err)
	}
	reply := rights.Reply{Recall: l.ID, Letter: sha256.Sum256(raw), From: relB, To: relA, At: at, Outcome: rights.Deleted, Records: 1}
	answer := signed(t, b, kb, reply.Prepare)
	if again, err := rights.OpenReply(answer, of(relB, kb)); err != nil || again != reply || !rights.IsReply(answer) {
		t.Fatalf("%+v, %v", again, err)
	}
	foreign := l
	foreign.From = "https://relief-c.example/i1"
	refused := map[string]error{}
	_, refused["by another's key"] = rights.OpenLetter(signed(t, b, kb, l.Prepare), of(relA, ka))
	_, refused["in another's name"] = rights.OpenLetter(signed(t, a, ka, foreign.Prepare), of(relA, ka))
	_, refused["an answer as a letter"] = rights.OpenLetter(answer, of(relB, kb))
	_, refused["a letter as an answer"] = rights.OpenReply(raw, of(relA, ka))
	_, refused["torn"] = rights.OpenLetter(raw[:len(raw)-1], of(relA, ka))
	_, refused["too long"] = rights.OpenLetter(make([]byte, rights.MaxLetterBytes+1), of(relA, ka))
	for i := range raw { // each byte is proved
		bad := bytes.Clone(raw)
		bad[i] ^= 1
		if got, err := rights.OpenLetter(bad, of(relA, ka)); err == nil {
			t.Fatalf("byte %d changed: %+v", i, got)
		}
	}
	for what, err := range refused {
		if !errors.Is(err, rights.ErrLetter) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for name, change := range map[string]func(*rights.Letter){
		"to itself":      func(l *rights.Letter) { l.To = l.From },
		"about nothing":  func(l *rights.Letter) { l.Refs = nil },
		"for no reason":  func(l *rights.Letter) { l.Why = "asked" },
		"due before":     func(l *rights.Letter) { l.By = l.At.Add(-time.Second) },
		"a name of none": func(l *rights.Letter) { l.Refs = []rights.Ref{{}} },
	} {
		bad := letter()
		change(&bad)
		if _, err := bad.Prepare(ka); !errors.Is(err, rights.ErrLetter) {
			t.Errorf("%s: %v", name, err)
		}
	}
	none := reply
	none.Outcome = rights.NotHeld
	if _, err := none.Prepare(kb); err == nil {
		t.Error("nothing held, and one record found")
	}
}

// TestThePageShowsTheBytes: docs/formats/recall.md has what this code makes.
func TestThePageShowsTheBytes(t *testing.T) {
	page, err := os.ReadFile("../../../docs/formats/recall.md")
	if err != nil {
		t.Fatal(err)
	}
	a, ka := keyOf(t, "pack a")
	b, kb := keyOf(t, "pack b")
	l := letter()
	raw := signed(t, a, ka, l.Prepare)
	reply := rights.Reply{Recall: l.ID, Letter: sha256.Sum256(raw), From: relB, To: relA, At: at, Outcome: rights.Stopped, Records: 1}
	for _, want := range [][]byte{raw, signed(t, b, kb, reply.Prepare)} {
		if !strings.Contains(string(page), hex.EncodeToString(want)) {
			t.Errorf("docs/formats/recall.md does not show %x", want)
		}
	}
}

func FuzzOpenLetter(f *testing.F) {
	a, ka := keyOf(f, "pack a")
	l := letter()
	raw := signed(f, a, ka, l.Prepare)
	reply := rights.Reply{Recall: l.ID, Letter: sha256.Sum256(raw), From: relA, To: relB, At: at, Outcome: rights.Stopped, Records: 1}
	answer := signed(f, a, ka, reply.Prepare)
	f.Add(raw)
	f.Add(answer)
	f.Fuzz(func(t *testing.T, b []byte) {
		keys := func(string, []byte, time.Time) *cose.Key { return ka }
		if got, err := rights.OpenLetter(b, keys); err == nil && !bytes.Equal(b, raw) {
			t.Errorf("opened what nobody signed: %+v", got)
		} else if err != nil && !errors.Is(err, rights.ErrLetter) {
			t.Error(err)
		}
		if got, err := rights.OpenReply(b, keys); err == nil && !bytes.Equal(b, answer) {
			t.Errorf("opened what nobody signed: %+v", got)
		}
	})
}

func FuzzParseAgreement(f *testing.F) {
	f.Add([]byte(agreementFile))
	f.Add([]byte(`{"id":"b-1","with":{"id":"b"}}`))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := rights.ParseAgreement(b)
		var refusal *rights.Refusal
		if err != nil {
			if !errors.As(err, &refusal) {
				t.Errorf("%T %v", err, err)
			}
			return
		}
		text, err := a.File()
		if err != nil {
			t.Fatal(err)
		}
		again, err := rights.ParseAgreement(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if two, _ := again.File(); !bytes.Equal(text, two) {
			t.Errorf("%s\n%s", text, two)
		}
	})
}
