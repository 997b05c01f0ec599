package openid_test

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"slices"
	"testing"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/wallet"
	"aidpass/wallet/openid"
)

// What was issued is not lost where the issuer's keys cannot be fetched at that moment: it
// is kept, shown to nobody, and proved by the keys once they come, by no others.
func TestKeysThatCannotBeFetchedWait(t *testing.T) {
	for name, r := range map[string]openid.Response{"no network": {}, "not there": {Status: 404}, "a server in trouble": {Status: 503}, "sent on": {Status: 302},
		"a portal's page": {Status: 200, Type: "text/html", Body: []byte("<html>")}} {
		t.Run(name, func(t *testing.T) {
			s, h := newServer(t), newHolder(t)
			s.answer = at1("jwt-vc-issuer", r)
			got, err := h.receive(s.link(), s)
			if err != nil || len(got) != 3 || got[0].IssuerKey != nil || len(got[0].Copies) != 3 || !slices.Equal(s.told, []string{"credential_accepted", "credential_accepted", "credential_accepted"}) {
				t.Fatalf("%d credentials, told %q: %v", len(got), s.told, err)
			}
			w, ids := &wallet.Wallet{}, 0
			if _, err := w.Add(openid.Received(got, issuer, nil), "", func() string { ids++; return fmt.Sprint("c", ids) }, at); err != nil || len(w.Cards) != 1 {
				t.Fatalf("%d cards, %v", len(w.Cards), err)
			}
			// It stays so over a reload.
			if w, err = wallet.Decode(w.Encode()); err != nil {
				t.Fatal(err)
			}
			c := w.Cards[0]
			asked := func() bool {
				k, err := openid.BeginAsking("openid4vp://?response_type=vp_token&response_mode=direct_post&nonce=n&client_id=redirect_uri:https://b.example/r&dcql_query="+
					url.QueryEscape(`{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{"vct_values":["`+vct+`"]}}]}`), openid.Rules{}, rand.Reader)
				if err != nil {
					t.Fatal(err)
				}
				choices, err := k.Search(w, at)
				return err == nil && choices.Possible
			}
			if c.State(at).Word != wallet.Unproven || c.Known() != wallet.Unfetched || len(c.Lines("en")) != 0 || asked() {
				t.Errorf("not proved: %s, known by %s, %d lines, shown: %v", c.State(at).Word, c.Known(), len(c.Lines("en")), asked())
			}
			if _, err := w.Live(c.ID, nil, at); err != nil {
				t.Errorf("its code for scanners: %v", err)
			}

			todo := openid.Unproven(w, openid.Rules{})
			if len(todo) != 1 || todo[0].Issuer != issuer || todo[0].Keys != "https://relief-a.example/.well-known/jwt-vc-issuer/i1" {
				t.Fatalf("to be proved: %+v", todo)
			}
			s.answer = nil
			doc := s.serve(&openid.Request{Method: "GET", URL: todo[0].Keys})
			set := s.serve(&openid.Request{Method: "GET", URL: openid.SetOf(issuer, doc.Body, openid.Rules{})})
			before := w.Encode()
			_, theirs := newKey(t)
			forged := jose.JWKOf(theirs)
			forged.Members = append(forged.Members, jose.Member{Name: "kid", Value: jose.StringOf(jose.KeyID(s.pub))})
			if n, err := openid.Prove(w, issuer, jose.ObjectOf(jose.Member{Name: "keys", Value: jose.ArrayOf(forged)}).Append(nil)); n != 0 || why(err) != openid.BadIssued || !slices.Equal(w.Encode(), before) {
				t.Errorf("by another key: %d, %v", n, err)
			}
			if n, err := openid.Prove(w, issuer, []byte(`{"issuer":"https://evil.example","jwks":{"keys":[]}}`)); n != 0 || why(err) != openid.MixUp {
				t.Errorf("by another issuer's: %d, %v", n, err)
			}
			if n, err := openid.Prove(w, issuer, set.Body); n != 1 || err != nil {
				t.Fatalf("%d, %v", n, err)
			}
			if c = w.Cards[0]; c.Unproved() || c.Known() != wallet.ByWebsite || len(c.Lines("en")) == 0 || !asked() || c.Left(credential.FormSDJWT) != 3 {
				t.Errorf("proved: known by %s, %d lines, shown: %v", c.Known(), len(c.Lines("en")), asked())
			}
			if len(openid.Unproven(w, openid.Rules{})) != 0 {
				t.Error("it is to be proved once more")
			}
		})
	}
}

// Keys that come for one form and not for another: none of it is lost, and what could not
// be proved is by the key that could.
func TestHalfOfAnOfferIsProved(t *testing.T) {
	s, h := newServer(t), newHolder(t)
	asked := 0
	s.answer = func(u string) *openid.Response {
		if at1("jwt-vc-issuer", openid.Response{})(u) != nil {
			if asked++; asked == 1 {
				return &openid.Response{Status: 404}
			}
		}
		return nil
	}
	got, err := h.receive(s.link(), s)
	if err != nil || got[0].IssuerKey != nil || got[1].IssuerKey == nil {
		t.Fatalf("%v", err)
	}
	w := &wallet.Wallet{}
	if _, err := w.Add(openid.Received(got, issuer, nil), "", func() string { return "c" }, at); err != nil || len(w.Cards) != 1 || w.Cards[0].Unproved() || len(w.Cards[0].Lines("en")) == 0 {
		t.Errorf("%d cards, %v", len(w.Cards), err)
	}
	// Where its key does not fit what came without, all of it waits.
	_, got[1].IssuerKey = newKey(t)
	got[1].Copies = nil
	w = &wallet.Wallet{}
	if _, err := w.Add(openid.Received(got, issuer, nil), "", func() string { return "c" }, at); err != nil || len(w.Cards) != 1 || !w.Cards[0].Unproved() {
		t.Errorf("%d cards, %v", len(w.Cards), err)
	}
}

// An issuer that changes its key in the middle of a batch: each copy is proved by the key
// that signed it, at once and later.
func TestABatchAcrossTwoKeys(t *testing.T) {
	for _, later := range []bool{false, true} {
		s, h := newServer(t), newHolder(t)
		first := s.pub
		var served openid.Response
		keys := func() {
			var list []jose.Value
			for _, k := range []*cose.Key{first, s.pub} {
				j := jose.JWKOf(k)
				j.Members = append(j.Members, jose.Member{Name: "kid", Value: jose.StringOf(jose.KeyID(k))})
				list = append(list, j)
			}
			served = openid.Response{Status: 200, Type: "application/json", Body: jose.ObjectOf(jose.Member{Name: "issuer", Value: jose.StringOf(issuer)},
				jose.Member{Name: "jwks", Value: jose.ObjectOf(jose.Member{Name: "keys", Value: jose.ArrayOf(list...)})}).Append(nil)}
		}
		issued := 0
		s.forge = func(text string) string {
			if issued++; issued == 1 {
				s.key, s.pub = newKey(t)
				keys()
			}
			return text
		}
		s.answer = func(u string) *openid.Response {
			if at1("jwt-vc-issuer", openid.Response{})(u) == nil {
				return nil
			}
			if later {
				return &openid.Response{}
			}
			return &served
		}
		got, err := h.receive(s.link(), s)
		if err != nil {
			t.Fatal(err)
		}
		w, ids := &wallet.Wallet{}, 0
		if _, err := w.Add(openid.Received(got, issuer, nil), "", func() string { ids++; return fmt.Sprint("c", ids) }, at); err != nil || len(w.Cards) != 1 {
			t.Fatalf("%d cards, %v", len(w.Cards), err)
		}
		if later {
			if n, err := openid.Prove(w, issuer, served.Body); n != 1 || err != nil {
				t.Fatalf("%d, %v", n, err)
			}
		}
		if w, err = wallet.Decode(w.Encode()); err != nil {
			t.Fatal(err)
		}
		c, signers := w.Cards[0], map[string]bool{}
		for _, k := range c.Copies {
			if k.Form == credential.FormSDJWT {
				signers[wallet.Handle(c.Signer(k.Text))] = true
				if _, err := c.Open(k.Text); err != nil {
					t.Errorf("a copy does not open: %v", err)
				}
			}
		}
		if c.Unproved() || c.Left(credential.FormSDJWT) != 3 || len(signers) != 2 {
			t.Errorf("unproved %v, %d copies by %d keys", c.Unproved(), c.Left(credential.FormSDJWT), len(signers))
		}
	}
}

// FuzzProve: whatever a server says of its keys, only what holds under them is proved.
func FuzzProve(f *testing.F) {
	f.Add([]byte(`{"issuer":"`+issuer+`","jwks":{"keys":[]}}`), "did:web:relief-a.example")
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256"}]}`), issuer)
	s, h := newServer(f), newHolder(f)
	s.answer = at1("jwt-vc-issuer", openid.Response{Status: 404})
	got, err := h.receive(s.link(), s)
	if err != nil {
		f.Fatal(err)
	}
	w := &wallet.Wallet{}
	if _, err := w.Add(openid.Received(got, issuer, nil), "", func() string { return "c" }, at); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, document []byte, iss string) {
		if n, _ := openid.Prove(w, iss, document); n != 0 || !w.Cards[0].Unproved() {
			t.Errorf("proved by %q", document)
		}
	})
}
