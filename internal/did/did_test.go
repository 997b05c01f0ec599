package did_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"aidpass/internal/cose"
	"aidpass/internal/did"
	"aidpass/internal/jose"
	"aidpass/internal/publicvectors"
)

// made is v, unless there was an error.
func made[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newKeys() (ec, ed *cose.Key) {
	s := made(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	return made(cose.NewKey(&s.PublicKey)), made(cose.NewKey(made(pub, err)))
}

func TestAKeyComesBackFromItsIdentifier(t *testing.T) {
	for range 20 { // both signs of y, and leading zeros now and then
		ec, ed := newKeys()
		for _, k := range []*cose.Key{ec, ed} {
			for _, id := range []string{did.OfKey(k), did.OfJWK(k)} {
				got, at, err := did.KeyOf(id)
				if err != nil || got.Thumbprint() != k.Thumbprint() {
					t.Fatalf("%s: %v", id, err)
				}
				if again, err := did.KeyAt(at); err != nil || again.Thumbprint() != k.Thumbprint() {
					t.Errorf("%s: %v", at, err)
				}
			}
		}
	}
}

func TestPublishedKeys(t *testing.T) {
	page := string(made(os.ReadFile(publicvectors.Path(t, "did-key/index.html"))))
	seen := map[string]bool{}
	for _, id := range regexp.MustCompile(`did:key:z[1-9A-HJ-NP-Za-km-z]+`).FindAllString(page, -1) {
		k, _, err := did.KeyOf(id)
		kind := id[8:12]
		seen[kind] = true
		switch kind {
		case "z6Mk", "zDna": // Ed25519, P-256
			if err != nil || did.OfKey(k) != id {
				t.Errorf("%s: %v", id, err)
			}
		default:
			if !errors.Is(err, did.ErrKeyKind) {
				t.Errorf("%s: got %v, want it named and refused", id, err)
			}
		}
	}
	for _, kind := range []string{"z6Mk", "zDna", "z82L", "zQ3s", "zUC7"} {
		if !seen[kind] {
			t.Errorf("the vectors hold no key %s", kind)
		}
	}

	page = string(made(os.ReadFile(publicvectors.Path(t, "did-jwk/spec.md"))))
	ids := regexp.MustCompile("(?m)^did:jwk:[A-Za-z0-9_-]+(#0)?$").FindAllString(page, -1)
	if len(ids) != 4 {
		t.Fatalf("%d identifiers in the page of did:jwk", len(ids))
	}
	k, at, err := did.KeyOf(ids[0])
	if err != nil || at != ids[1] || jose.JWKOf(k).Get("x").Text != "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0" || did.OfJWK(k) != ids[0] {
		t.Errorf("P-256: %v", err)
	}
	if _, _, err := did.KeyOf(ids[2]); !errors.Is(err, did.ErrKeyKind) {
		t.Errorf("X25519: %v", err)
	}
}

func TestIdentifiersThatAreRefused(t *testing.T) {
	ec, ed := newKeys()
	jwk := func(s string) string { return "did:jwk:" + jose.EncodeBase64([]byte(s)) }
	good := string(jose.JWKOf(ec).Append(nil))
	for _, c := range []struct {
		name, id string
		want     error
	}{
		{"nothing", "", did.ErrMethod},
		{"another method", "did:ion:abc", did.ErrMethod},
		{"did:web is an address, not a key", "did:web:a.example", did.ErrMethod},
		{"capitals", "DID:KEY:" + did.OfKey(ec)[8:], did.ErrMethod},
		{"another base", "did:key:u" + did.OfKey(ec)[9:], did.ErrSyntax},
		{"a letter base58 has not", did.OfKey(ec) + "0", did.ErrSyntax},
		{"a key cut short", "did:key:z6Mk", did.ErrKeyKind},
		{"one letter more", did.OfKey(ed) + "1", did.ErrKeyKind},
		{"with its fragment", did.OfKey(ec) + "#" + did.OfKey(ec)[8:], did.ErrSyntax},
		{"a mebibyte", "did:key:z" + strings.Repeat("a", 1<<20), did.ErrSyntax},
		{"padding", did.OfJWK(ec) + "=", did.ErrSyntax},
		{"something behind it", jwk(good + "x"), did.ErrSyntax},
		{"a member twice", jwk(strings.Replace(good, `"kty"`, `"x":"AAAA","kty"`, 1)), did.ErrSyntax},
		{"the private half", jwk(strings.Replace(good, "{", `{"d":"AAAA",`, 1)), cose.ErrPrivateKey},
		{"for encryption", jwk(strings.Replace(good, "{", `{"use":"enc",`, 1)), did.ErrKeyKind},
		{"for something else", jwk(strings.Replace(good, "{", `{"use":1,`, 1)), did.ErrSyntax},
		{"P-384", jwk(`{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}`), did.ErrKeyKind},
		{"a shared key", jwk(`{"kty":"oct","k":"AA"}`), cose.ErrPrivateKey},
		{"RSA", jwk(`{"kty":"RSA","n":"AA","e":"AQAB"}`), did.ErrKeyKind},
		{"off the curve", jwk(`{"kty":"EC","crv":"P-256","x":"` + strings.Repeat("A", 43) + `","y":"` + strings.Repeat("A", 43) + `"}`), cose.ErrBadKey},
		{"low order", jwk(`{"kty":"OKP","crv":"Ed25519","x":"` + strings.Repeat("A", 43) + `"}`), cose.ErrBadKey},
		{"an alg of another key", jwk(strings.Replace(good, "{", `{"alg":"EdDSA",`, 1)), did.ErrSyntax},
		{"no object", jwk(`"key"`), did.ErrSyntax},
	} {
		if _, _, err := did.KeyOf(c.id); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	for name, url := range map[string]string{
		"no fragment": did.OfJWK(ec), "another fragment": did.OfJWK(ec) + "#1", "another key's": did.OfKey(ec) + "#" + did.OfKey(ed)[8:], "a query": did.OfJWK(ec) + "?x#0",
	} {
		if _, err := did.KeyAt(url); !errors.Is(err, did.ErrSyntax) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAddressesOfDocuments(t *testing.T) {
	for id, want := range map[string]string{
		"did:web:w3c-ccg.github.io":                            "https://w3c-ccg.github.io/.well-known/did.json",
		"did:web:w3c-ccg.github.io:user:alice":                 "https://w3c-ccg.github.io/user/alice/did.json",
		"did:web:example.com%3A3000:user:alice":                "https://example.com:3000/user/alice/did.json",
		"did:web:example.com%3A3000":                           "https://example.com:3000/.well-known/did.json",
		"did:web:xn--bcher-kva.example:a.b_c-D":                "https://xn--bcher-kva.example/a.b_c-D/did.json",
		"did:web:a.example:..:..:x":                            "",
		"did:web:a.example:.":                                  "",
		"did:web:a.example:":                                   "",
		"did:web:a.example::x":                                 "",
		"did:web:a.example:%2e%2e:x":                           "",
		"did:web:a.example:a%2Fb":                              "",
		"did:web:a.example/x":                                  "",
		"did:web:a.example?x":                                  "",
		"did:web:a.example#k":                                  "",
		"did:web:u@a.example":                                  "",
		"did:web:a.example%3A":                                 "",
		"did:web:a.example%3A0":                                "",
		"did:web:a.example%3A080":                              "",
		"did:web:a.example%3A65536":                            "",
		"did:web:a.example%3A80%3A81":                          "",
		"did:web:a.example%40b.example":                        "",
		"did:web:A.example":                                    "",
		"did:web:a..example":                                   "",
		"did:web:a.example.":                                   "",
		"did:web:-a.example":                                   "",
		"did:web:127.0.0.1":                                    "",
		"did:web:2130706433":                                   "",
		"did:web:0x7f000001":                                   "",
		"did:web:[::1]":                                        "",
		"did:web:a_b.example":                                  "",
		"did:web:bücher.example":                               "",
		"did:web:a.example\n":                                  "",
		"did:web:":                                             "",
		"did:web:" + strings.Repeat("a", 64):                   "",
		"did:web:a.example:" + strings.Repeat("a:", 600) + "a": "",
		"did:key:a.example":                                    "",
	} {
		got, err := did.WebURL(id)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q (%v), want %q", id, got, err, want)
		}
	}
	for url, want := range map[string]string{
		"https://a.example":          "did:web:a.example",
		"https://a.example:8443/i/1": "did:web:a.example%3A8443:i:1",
		"http://a.example":           "", "https://a.example/": "", "https://a.example/a?b": "", "https://a.example/../b": "", "https://10.0.0.1": "",
	} {
		if got, ok := did.OfWeb(url); ok != (want != "") || ok && got != want {
			t.Errorf("%q: got %q %v, want %q", url, got, ok, want)
		}
	}
}

func TestADocumentSpeaksForItselfAlone(t *testing.T) {
	ec, ed := newKeys()
	const id = "did:web:a.example"
	good := string(did.Document(id, []did.Method{{ID: id + "#k1", Key: ec, For: did.Assertion}, {ID: id + "#k2", Key: ed, For: did.Assertion}}))
	methods, err := did.ParseDocument([]byte(good), id)
	if err != nil || len(methods) != 2 || methods[1].ID != id+"#k2" || methods[1].Key.Thumbprint() != ed.Thumbprint() || methods[0].For != did.Assertion {
		t.Fatalf("%+v %v", methods, err)
	}
	inside := `{"id":"` + id + `","authentication":[{"id":"` + id + `#m","type":"Multikey","controller":"` + id + `","publicKeyMultibase":"` + did.OfKey(ec)[8:] + `"}]}`
	if methods, err := did.ParseDocument([]byte(inside), id); err != nil || len(methods) != 1 || methods[0].For != did.Authentication || methods[0].Key.Thumbprint() != ec.Thumbprint() {
		t.Errorf("a key inside a purpose: %+v %v", methods, err)
	}
	other := `{"id":"` + id + `","verificationMethod":[{"id":"` + id + `#k","type":"JsonWebKey","controller":"` + id + `","publicKeyJwk":{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}}],"assertionMethod":["` + id + `#k"]}`
	if methods, err := did.ParseDocument([]byte(other), id); err != nil || len(methods) != 0 {
		t.Errorf("a kind of key that is not ours: %+v %v", methods, err)
	}
	for name, change := range map[string][2]string{
		"another id":              {`"id":"` + id + `"`, `"id":"did:web:b.example"`},
		"an id in other letters":  {`"id":"` + id + `"`, `"id":"did:web:A.example"`},
		"two ids":                 {`"id":"` + id + `"`, `"id":"` + id + `","id":"` + id + `"`},
		"another controller":      {`"controller":"` + id + `"`, `"controller":"did:web:b.example"`},
		"a key of another":        {id + "#k1", "did:web:b.example#k1"},
		"a key of a longer name":  {id + "#k1", id + ".b#k1"},
		"a relative address":      {`"` + id + "#k1", `"#k1`},
		"one key named twice":     {id + "#k2", id + "#k1"},
		"a private key":           {`"crv":"P-256"`, `"crv":"P-256","d":"AAAA"`},
		"deactivated":             {`"@context"`, `"deactivated":true,"@context"`},
		"an unknown key asserted": {`"assertionMethod":["`, `"assertionMethod":["` + id + `#k9","`},
		"a key in two forms":      {`"publicKeyJwk"`, `"publicKeyMultibase":"z","publicKeyJwk"`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if bad == good {
			t.Fatalf("%s: nothing changed", name)
		}
		if _, err := did.ParseDocument([]byte(bad), id); !errors.Is(err, did.ErrDocument) && !errors.Is(err, cose.ErrPrivateKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := did.ParseDocument([]byte(`{"id":"`+id+`","x":"`+strings.Repeat("a", did.MaxDocument)+`"}`), id); !errors.Is(err, did.ErrDocument) {
		t.Errorf("a document too large: %v", err)
	}
}

func FuzzKeyOf(f *testing.F) {
	ec, ed := newKeys()
	for _, k := range []*cose.Key{ec, ed} {
		f.Add(did.OfKey(k))
		f.Add(did.OfJWK(k))
	}
	f.Fuzz(func(t *testing.T, id string) {
		k, at, err := did.KeyOf(id)
		if err != nil {
			return
		}
		if strings.HasPrefix(id, "did:key:") && did.OfKey(k) != id {
			t.Errorf("%q is a second spelling of %q", id, did.OfKey(k))
		}
		if again, err := did.KeyAt(at); err != nil || again.Thumbprint() != k.Thumbprint() {
			t.Errorf("%q: %v", at, err)
		}
	})
}

func FuzzWebURL(f *testing.F) {
	f.Add("did:web:example.com%3A3000:user:alice")
	f.Fuzz(func(t *testing.T, id string) {
		url, err := did.WebURL(id)
		if err != nil {
			return
		}
		if strings.Contains(url, "/../") || strings.Contains(url, "/./") || strings.ContainsAny(url, "@?#%\\ ") || !strings.HasPrefix(url, "https://") {
			t.Errorf("%q leads to %q", id, url)
		}
	})
}

func FuzzParseDocument(f *testing.F) {
	ec, ed := newKeys()
	const id = "did:web:a.example"
	f.Add(did.Document(id, []did.Method{{ID: id + "#k1", Key: ec, For: did.Assertion}, {ID: id + "#k2", Key: ed, For: did.Assertion}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		methods, err := did.ParseDocument(b, id)
		if err != nil {
			return
		}
		for _, m := range methods {
			if m.Key == nil || !strings.HasPrefix(m.ID, id+"#") {
				t.Errorf("%q gives %+v", b, m)
			}
		}
	})
}
