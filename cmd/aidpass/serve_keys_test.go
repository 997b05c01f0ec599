package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/internal/did"
	"aidpass/internal/jose"
	"aidpass/trust"
	"aidpass/web/api"
	"aidpass/web/resolve"
)

func newSigner(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// What serve tells the web of the organisation's keys is found and believed by the
// resolver that reads others' keys.
func TestKeysForWalletsAreFoundByTheirIssuer(t *testing.T) {
	signer := newSigner(t)
	key, err := cose.NewKey(&signer.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	kid := key.ID()
	shelf := &api.Shelf{}
	handler, err := api.New(api.Config{Public: shelf, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	at := credential.Time(1795219200)
	tell := func(id string, state trust.State, use trust.Use) int {
		docs := keyDocuments(&trust.Organisation{ID: id, Keys: []*trust.Key{{Key: key, KID: kid[:], Use: use, State: state}}}, at)
		shelf.Fill(docs)
		return len(docs)
	}
	get := func(path string) (body, kind string) {
		res, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %v", path, res.StatusCode, err)
		}
		return string(b), res.Header.Get("Content-Type")
	}

	local := strings.Replace(server.URL, "127.0.0.1", "localhost", 1) + "/i1"
	tell(local, trust.Active, trust.UseVC)
	keys, err := resolve.New(resolve.Config{Development: true}).IssuerKeys(t.Context(), local)
	if err != nil || len(keys) != 1 || keys[0].Key.Thumbprint() != key.Thumbprint() {
		t.Errorf("issuer metadata: %+v %v", keys, err)
	}

	if n := tell("https://relief-a.example/i1", trust.Active, trust.UseVC); n != 3 {
		t.Errorf("%d documents", n)
	}
	doc, kind := get("/i1/did.json")
	methods, err := did.ParseDocument([]byte(doc), "did:web:relief-a.example:i1")
	if err != nil || len(methods) != 1 || methods[0].Key.Thumbprint() != key.Thumbprint() || kind != "application/did+json" {
		t.Errorf("%s %s: %v", kind, doc, err)
	}
	set, kind := get("/.well-known/jwks.json/i1")
	if keys, err := resolve.ParseKeySet([]byte(set)); err != nil || len(keys) != 1 || kind != "application/jwk-set+json" {
		t.Errorf("%s %s: %v", kind, set, err)
	}
	tell("https://relief-a.example", trust.Active, trust.UseVC)
	get("/.well-known/did.json")
	get("/.well-known/jwt-vc-issuer")

	if n := tell("https://relief-b.example", trust.Active, trust.UseRequest); n != 1 {
		t.Errorf("one that asks and issues nothing: %d documents", n)
	}
	doc, _ = get("/.well-known/did.json")
	if methods, err := did.ParseDocument([]byte(doc), "did:web:relief-b.example"); err != nil || len(methods) != 1 || methods[0].For != did.Authentication {
		t.Errorf("%s: %v", doc, err)
	}
	if n := tell("https://relief-b.example", trust.Retired, trust.UseRequest); n != 0 {
		t.Errorf("a retired key asks: %d documents", n)
	}
	// A wallet proves the status list by the same document; the did:web document stays
	// with what credentials are signed by.
	listKey, err := cose.NewKey(newSigner(t).Public())
	if err != nil {
		t.Fatal(err)
	}
	listID := listKey.ID()
	both := &trust.Organisation{ID: "https://relief-a.example/i1", Keys: []*trust.Key{{Key: key, KID: kid[:], Use: trust.UseVC, State: trust.Active},
		{Key: listKey, KID: listID[:], Use: trust.UseStatus, State: trust.Active}}}
	for _, c := range []struct {
		state trust.State
		want  string
	}{{trust.Active, jose.KeyID(listKey)}, {trust.Compromised, ""}} {
		both.Keys[1].State = c.state
		shelf.Fill(keyDocuments(both, at))
		meta, _ := get("/.well-known/jwt-vc-issuer/i1")
		doc, _ := get("/i1/did.json")
		if c.want == "" && strings.Contains(meta, jose.KeyID(listKey)) || !strings.Contains(meta, `"kid":"`+c.want) || strings.Contains(doc, jose.JWKOf(listKey).Get("x").Text) {
			t.Errorf("a status key, %v: %s %s", c.state, meta, doc)
		}
	}

	if n := tell("https://relief-a.example/i1", trust.Compromised, trust.UseVC); n != 0 {
		t.Errorf("a stolen key: %d documents", n)
	}
	if n := tell("https://relief-a.example/i1", trust.Active, trust.UseCard); n != 0 {
		t.Errorf("a key for cards: %d documents", n)
	}
	if docs := keyDocuments(nil, at); len(docs) != 0 {
		t.Errorf("an organisation that is not listed: %d documents", len(docs))
	}
}
