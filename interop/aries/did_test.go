package aries_test

import (
	"bytes"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/aries-framework-go/pkg/doc/did"
	vdrapi "github.com/hyperledger/aries-framework-go/pkg/framework/aries/api/vdr"
	ariesdidkey "github.com/hyperledger/aries-framework-go/pkg/vdr/key"
	ariesdidweb "github.com/hyperledger/aries-framework-go/pkg/vdr/web"

	"aidpass/internal/cose"
	ours "aidpass/internal/did"
	"aidpass/web/resolve"
)

// raw is the public key as its bytes, in Aries' words and in ours.
func raw(t testing.TB, m *did.VerificationMethod) []byte {
	t.Helper()
	if j := m.JSONWebKey(); j != nil && j.Key != nil {
		k, err := cose.NewKey(j.Key)
		must(t, err)
		return k.Append(nil)
	}
	return m.Value
}

func TestBothReadADIDKeyAlike(t *testing.T) {
	for range 20 {
		for _, alg := range []string{"P-256", "Ed25519"} {
			p := newParty(t, alg)
			doc, err := ariesdidkey.New().Read(p.did)
			must(t, err)
			method := doc.DIDDocument.VerificationMethod[0]
			_, kid, err := ours.KeyOf(p.did)
			must(t, err)
			if method.ID != kid {
				t.Errorf("%s: Aries calls the key %q, we %q", alg, method.ID, kid)
			}
			// Aries gives the bytes behind the multicodec: a point, compressed or not, or 32 bytes.
			point := p.key.Append(nil)
			got := raw(t, &method)
			if alg == "P-256" && len(got) > 33 {
				got = got[1:33]
			} else if len(got) == 33 {
				got = got[1:]
			}
			if !bytes.Contains(point, got) {
				t.Errorf("%s: Aries reads another key", alg)
			}
			// And what Aries writes we read.
			made, err := ariesdidkey.New().Create(&did.Doc{VerificationMethod: []did.VerificationMethod{method}})
			must(t, err)
			k, _, err := ours.KeyOf(made.DIDDocument.ID)
			if err != nil || k.Thumbprint() != p.key.Thumbprint() {
				t.Errorf("%s: of what Aries writes we read another key (%v)", alg, err)
			}
		}
	}
	if _, err := ariesdidkey.New().Read(ours.OfJWK(newParty(t, "P-256").key)); err == nil {
		t.Error("Aries reads did:jwk by now: it can be compared")
	}
}

// both are two keys of the document of id.
func both(id string, p, q party) []ours.Method {
	return []ours.Method{{ID: id + "#one", Key: p.key, For: ours.Assertion}, {ID: id + "#two", Key: q.key, For: ours.Assertion}}
}

// TestBothReadADIDWeb: the same document gives the same keys, and a document about
// somebody else, which Aries takes, is refused here.
func TestBothReadADIDWeb(t *testing.T) {
	p, q := newParty(t, "P-256"), newParty(t, "Ed25519")
	var about string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/i1/did.json" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/did+json")
		w.Write(ours.Document(about, both(about, p, q)))
	}))
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	// The name is this machine's: localhost, which the test server's certificate lacks.
	client := server.Client()
	client.Transport.(*http.Transport).TLSClientConfig.ServerName = "example.com"
	_, port, _ := strings.Cut(server.Listener.Addr().String(), ":")
	id := "did:web:localhost%3A" + port + ":i1"

	about = id
	theirs, err := ariesdidweb.New().Read(id, vdrapi.WithOption(ariesdidweb.HTTPClientOpt, client))
	must(t, err)
	if n := len(theirs.DIDDocument.VerificationMethod); n != 2 {
		t.Fatalf("Aries reads %d keys of two", n)
	}
	for i, want := range []party{p, q} {
		m := theirs.DIDDocument.VerificationMethod[i]
		if got := raw(t, &m); !bytes.Equal(got, want.key.Append(nil)) {
			t.Errorf("key %d: Aries reads another", i)
		}
	}
	methods, err := ours.ParseDocument(ours.Document(id, both(id, p, q)), id)
	must(t, err)
	if len(methods) != 2 || methods[0].Key.Thumbprint() != p.key.Thumbprint() || methods[1].Key.Thumbprint() != q.key.Thumbprint() {
		t.Error("we read other keys")
	}

	about = "did:web:elsewhere.example"
	if _, err := ariesdidweb.New().Read(id, vdrapi.WithOption(ariesdidweb.HTTPClientOpt, client)); err != nil {
		t.Errorf("Aries refuses a document about somebody else by now: %v", err)
	}
	if _, err := ours.ParseDocument(ours.Document(about, both(about, p, q)), id); err == nil {
		t.Error("we take a document about somebody else")
	}
	// What Aries fetches from an identifier that nobody listed, our client does not ask for.
	c := resolve.New(resolve.Config{Roots: roots, Timeout: 2 * time.Second})
	if _, err := c.WebDID(t.Context(), id); err == nil {
		t.Error("an identifier that nobody listed was fetched")
	}
}
