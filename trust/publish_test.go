package trust_test

import (
	"errors"
	"strings"
	"testing"

	"aidpass/internal/did"
	"aidpass/internal/jose"
	"aidpass/trust"
)

func TestKeysForWalletsAreToldToTheWeb(t *testing.T) {
	vc := func(s string, state trust.State, kid string) *trust.Key {
		k := key(p256(s), trust.UseVC)
		id := k.Key.ID()
		if k.KID, k.State = id[:], state; kid != "" {
			k.KID = []byte(kid)
		}
		if state == trust.Retired {
			k.AcceptUntil = issued + year
		}
		return &k
	}
	card, asks, asked := key(p256("card"), trust.UseCard), key(p256("asks"), trust.UseRequest), key(p256("asked"), trust.UseRequest)
	asks.State, asked.State = trust.Active, trust.Retired
	o := &trust.Organisation{ID: "https://relief-a.example/i1", Keys: []*trust.Key{vc("now", trust.Active, ""), vc("old", trust.Retired, ""), vc("stolen", trust.Compromised, ""), vc("named", trust.Active, "vc-1"), &card, &asks, &asked}}

	kids := func(b []byte) (out []string) {
		v, err := jose.ParseJSON(b, jose.DefaultLimits)
		must(t, err)
		for _, k := range v.Get("keys").Items {
			if _, err := jose.KeyOf(k); err != nil || k.Get("use").Text != "sig" || k.Get("alg").Text != "ES256" {
				t.Errorf("%s: %v", k.Append(nil), err)
			}
			out = append(out, k.Get("kid").Text)
		}
		return out
	}
	if got, want := strings.Join(kids(trust.KeySet(o, issued)), " "), jose.KeyID(pub(p256("now")))+" "+jose.KeyID(pub(p256("old")))+" vc-1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := strings.Join(kids(trust.KeySet(o, issued+year+1)), " "), jose.KeyID(pub(p256("now")))+" vc-1"; got != want {
		t.Errorf("once the retired key is not accepted: got %q, want %q", got, want)
	}
	meta, err := jose.ParseJSON(trust.IssuerMetadata(o, issued), jose.DefaultLimits)
	if err != nil || meta.Get("issuer").Text != o.ID || string(meta.Get("jwks").Append(nil)) != string(trust.KeySet(o, issued)) {
		t.Errorf("%s %v", meta.Append(nil), err)
	}

	id, doc, ok := trust.DIDDocument(o, issued)
	methods, err := did.ParseDocument(doc, "did:web:relief-a.example:i1")
	if !ok || id != "did:web:relief-a.example:i1" || err != nil || len(methods) != 4 {
		t.Fatalf("%q %+v %v", id, methods, err)
	}
	for i, name := range []string{"now", "old", "named", "asks"} {
		want, purpose := pub(p256(name)), did.Assertion
		if name == "asks" {
			purpose = did.Authentication // and signs no credentials
		}
		if methods[i].Key.Thumbprint() != want.Thumbprint() || methods[i].For != purpose || methods[i].ID != id+"#"+jose.KeyID(want) {
			t.Errorf("%s: %+v", name, methods[i])
		}
	}
	if _, _, ok := trust.DIDDocument(&trust.Organisation{ID: "https://relief-a.example/i1?x"}, issued); ok {
		t.Error("a DID for an id that has none")
	}
	if _, err := did.ParseDocument(doc, "did:web:relief-b.example"); !errors.Is(err, did.ErrDocument) {
		t.Errorf("another's document: %v", err)
	}
}
