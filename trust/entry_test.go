package trust_test

import (
	"crypto"
	"errors"
	"testing"

	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/trust"
	"aidpass/words"
)

func entryOf(keys ...crypto.Signer) *trust.Organisation {
	o := &trust.Organisation{ID: orgA, Names: map[string]string{"en": "Relief A"}, Country: "KEN",
		StatusPrefixes: []string{orgA + "/s/"}, UsesStatus: true}
	uses := []trust.Use{trust.UseCard, trust.UseStatus, trust.UsePack}
	for i, s := range keys {
		k := &trust.Key{Key: pub(s), KID: kid(s), Use: uses[i], NotBefore: issued, NotAfter: issued + year, State: trust.Active}
		if k.Use == trust.UseCard {
			k.Profile = trust.ProfileCard1
		}
		o.Keys = append(o.Keys, k)
	}
	return o
}

func signEntry(t *testing.T, o *trust.Organisation, signers ...crypto.Signer) []byte {
	t.Helper()
	p, err := trust.PrepareEntry(o)
	must(t, err)
	for _, s := range signers {
		sig, err := cose.SignRaw(s, p.ToBeSigned(pub(s)))
		must(t, err)
		must(t, p.Add(pub(s), sig))
	}
	return p.Append(nil)
}

func TestEntryIsSignedByEveryKeyInIt(t *testing.T) {
	card, status := p256("a card"), ed("a status")
	raw := signEntry(t, entryOf(card, status), card, status)
	o, err := trust.OpenEntry(raw)
	must(t, err)
	if o.ID != orgA || len(o.Keys) != 2 || len(o.Grants) != 0 {
		t.Errorf("opened %+v", o)
	}
	refused := func(name string, raw []byte, want words.Reason) {
		t.Helper()
		var r *trust.Refusal
		if _, err := trust.OpenEntry(raw); !errors.As(err, &r) || r.Reason != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	refused("with another's key, which did not sign", signEntry(t, entryOf(card, status), card), words.BadSignature)
	refused("cut short", raw[:len(raw)-1], words.Truncated)
	refused("a trust list", cbor.AppendText(nil, "x"), words.BadCOSE)
	twice := entryOf(card, card)
	if _, err := trust.PrepareEntry(twice); err == nil {
		t.Error("one key for two uses was taken")
	}
	granted := entryOf(card)
	granted.Grants = []trust.Grant{{Types: []string{vctElig}}}
	if o, err := trust.OpenEntry(signEntry(t, granted, card)); err != nil || len(o.Grants) != 0 {
		t.Errorf("rights in an entry: %v, %v", o, err)
	}
}

func FuzzOpenEntry(f *testing.F) {
	card := p256("a card")
	p, err := trust.PrepareEntry(entryOf(card))
	must(f, err)
	sig, err := cose.SignRaw(card, p.ToBeSigned(pub(card)))
	must(f, err)
	must(f, p.Add(pub(card), sig))
	f.Add(p.Append(nil))
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := trust.OpenEntry(raw)
		if err != nil {
			return
		}
		// What opens is what is written: an entry has one encoding.
		if _, err := trust.PrepareEntry(o); err != nil {
			t.Errorf("an entry that opens cannot be written: %v", err)
		}
	})
}
