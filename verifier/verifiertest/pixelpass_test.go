//go:build !js

package verifiertest_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"

	"aidpass/credential/cwt"
	"aidpass/internal/cbor"
	"aidpass/internal/referee"
	"aidpass/verifier/verifiertest"
)

// TestPixelpassReadsOurCards asks the reader that the sector's apps are built on,
// npm @mosip/pixelpass 0.6.0 as testdata/npm pins it: decode gives the COSE array,
// decodeMappedData of its payload our claims. It cannot read stored blocks, so
// bytes that do not compress, as a photo's, are among the cards.
func TestPixelpassReadsOurCards(t *testing.T) {
	w := verifiertest.New()
	photo := make([]byte, 400)
	_, _ = rand.NewChaCha8([32]byte{4}).Read(photo)
	inMap := func(key int64) []byte {
		return cbor.AppendBytes(cbor.AppendInt(cbor.AppendMap(nil, 1), key), photo)
	}
	seal := func(d *cwt.Draft, plain []byte) []byte {
		sealed, err := cwt.SealPart(w.Epoch, d.Issuer, d.ID, d.Type, plain)
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	edits := map[string]func(*cwt.Draft){
		"without a photo":        func(*cwt.Draft) {},
		"with a plain photo":     func(d *cwt.Draft) { d.Plain = inMap(5) },
		"with a sealed photo":    func(d *cwt.Draft) { d.Sealed = seal(d, inMap(50)) },
		"bound to a phone":       func(d *cwt.Draft) { d.HolderKey = w.Wallet.Key },
		"not before a later day": func(d *cwt.Draft) { d.NotBefore = d.IssuedAt + 86400 },
	}
	var cards []string
	var drafts []cwt.Draft
	var cases []string
	for name, edit := range edits {
		for _, signer := range []*verifiertest.Signer{&w.A.Card, &w.A.EdCard} {
			cards = append(cards, w.Text(verifiertest.CardOptions{Key: signer, Draft: func(d *cwt.Draft) {
				edit(d)
				drafts = append(drafts, *d)
			}}))
			cases = append(cases, name)
		}
	}
	var got []struct {
		Tag, Parts, Signature int
		Unprotected           map[string]any
		Claims                map[string]any
	}
	referee.Ask(t, "pixelpass.cjs", []string{"@mosip/pixelpass"}, cards, &got)
	if len(got) != len(cards) {
		t.Fatalf("%d of %d cards", len(got), len(cards))
	}
	for i, g := range got {
		if g.Tag != 18 || g.Parts != 4 || g.Signature != 64 || len(g.Unprotected) != 0 {
			t.Errorf("%s: not the COSE array: %+v", cases[i], g)
		}
		if want := claimsOf(t, &drafts[i]); !reflect.DeepEqual(g.Claims, want) {
			t.Errorf("%s: got %v\nwant %v", cases[i], g.Claims, want)
		}
	}
}

// claimsOf is what a reader without our code should find on a card.
func claimsOf(t *testing.T, d *cwt.Draft) map[string]any {
	t.Helper()
	claims := map[string]any{
		"iss": d.Issuer, "vct": d.Type, "iat": int64(d.IssuedAt), "exp": int64(d.ExpiresAt), "cti": d.ID[:],
		"identity": map[string]any{"1": d.Pseudonym},
		"status":   map[string]any{"status_list": map[string]any{"idx": d.StatusIndex, "uri": d.StatusURI}},
	}
	if d.NotBefore != 0 {
		claims["nbf"] = int64(d.NotBefore)
	}
	if d.HolderKey != nil {
		r := cbor.NewReader(d.HolderKey.Append(nil))
		claims["cnf"] = map[string]any{"1": generic(&r)}
	}
	aid := map[string]any{}
	if d.Plain != nil {
		r := cbor.NewReader(d.Plain)
		aid["1"] = generic(&r)
	}
	if d.Sealed != nil {
		r := cbor.NewReader(d.Sealed)
		aid["2"] = generic(&r)
	}
	claims["aidpass"] = aid
	b, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// generic reads an item of the kinds a card has into what JSON can show.
func generic(r *cbor.Reader) any {
	switch r.Kind() {
	case cbor.Uint, cbor.Nint:
		return r.Int()
	case cbor.Bytes:
		return r.Bytes()
	case cbor.Text:
		return string(r.Text())
	case cbor.Array:
		list := []any{}
		for n := r.Array(); n > 0; n-- {
			list = append(list, generic(r))
		}
		return list
	case cbor.Map:
		m := map[string]any{}
		for n := r.Map(); n > 0; n-- {
			key, _ := json.Marshal(r.Int())
			m[string(key)] = generic(r)
		}
		return m
	}
	r.Skip()
	return nil
}
