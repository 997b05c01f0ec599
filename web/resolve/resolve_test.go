package resolve_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aidpass/internal/cose"
	"aidpass/internal/did"
	"aidpass/internal/jose"
	"aidpass/web/resolve"
)

// out is an address on the internet. The test servers' certificate is for example.com.
var out = netip.MustParseAddr("93.184.215.14")

// world is a server of others' on a pretended internet, and a client.
type world struct {
	*resolve.Client
	pages map[string]http.HandlerFunc // by path

	mu      sync.Mutex
	asked   []string // paths
	dialled []string
}

// seen returns the paths asked for and the addresses dialled so far.
func (w *world) seen() (asked, dialled []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.asked), slices.Clone(w.dialled)
}

// count is how often the server was asked.
func (w *world) count() int {
	asked, _ := w.seen()
	return len(asked)
}

func (w *world) note(list *[]string, s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*list = append(*list, s)
}

func newWorld(t *testing.T, c resolve.Config) *world {
	w := &world{pages: map[string]http.HandlerFunc{}}
	server := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.note(&w.asked, r.URL.Path)
		if page := w.pages[r.URL.Path]; page != nil {
			page(rw, r)
			return
		}
		http.NotFound(rw, r)
	}))
	t.Cleanup(server.Close)
	c.Roots = x509.NewCertPool()
	c.Roots.AddCert(server.Certificate())
	w.Client = resolve.New(c)
	w.Pretend(func(string) []netip.Addr { return []netip.Addr{out} }, server.Listener.Addr().String(), func(a string) { w.note(&w.dialled, a) })
	t.Cleanup(w.HTTP().CloseIdleConnections)
	return w
}

func (w *world) page(path, kind, body string) {
	w.pages[path] = func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", kind)
		rw.Write([]byte(body))
	}
}

func (w *world) redirect(path, to string) {
	w.pages[path] = func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, to, http.StatusFound) }
}

var ctx = context.Background()

// THREATS 4.4, 24 and 26: addresses that are refused before anything is asked.
func TestAddressesThatAreNeverFetched(t *testing.T) {
	w := newWorld(t, resolve.Config{})
	for _, address := range []string{
		"http://example.com/x", "file:///etc/passwd", "ftp://example.com/x", "gopher://example.com", "data:application/json,{}", "//example.com/x", "example.com", "",
		"http://169.254.169.254/latest/meta-data", "https://169.254.169.254/", "https://[::ffff:127.0.0.1]/", "http://[::ffff:127.0.0.1]/", "https://0x7f000001/", "http://0x7f000001/",
		"https://2130706433/", "https://127.1/", "https://0177.0.0.1/", "https://[::1]/", "https://[fe80::1%25eth0]/", "https://127.0.0.1./", "http://localhost/x",
		"https://user@example.com/", "https://user:pass@example.com/", "https://example.com/x#y", "https://EXAMPLE.com/", "https://exämple.com/", "https://example.com./", "https://a_b.example/",
		"https://example.com\n.evil.example/", "https://" + strings.Repeat("a", 3000) + ".example/",
	} {
		for name, fetch := range map[string]func() error{
			"an offer":             func() error { _, err := w.CredentialOffer(ctx, address); return err },
			"a request":            func() error { _, err := w.RequestObject(ctx, address, ""); return err },
			"a request by post":    func() error { _, err := w.RequestObject(ctx, address, "n"); return err },
			"a status list":        func() error { _, err := w.StatusList(ctx, address, false); return err },
			"type metadata":        func() error { _, err := w.TypeMetadata(ctx, address, ""); return err },
			"an issuer's keys":     func() error { _, err := w.IssuerKeys(ctx, address); return err },
			"an issuer's metadata": func() error { _, err := w.IssuerMetadata(ctx, address); return err },
		} {
			if err := fetch(); !errors.Is(err, resolve.ErrAddress) {
				t.Errorf("%s at %q: %v", name, address, err)
			}
		}
	}
	if asked, dialled := w.seen(); len(asked)+len(dialled) > 0 {
		t.Errorf("asked for %q, dialled %q", asked, dialled)
	}
}

// THREATS 4.4, 26: the address counts, not the name.
func TestNamesThatLeadInside(t *testing.T) {
	for _, a := range []string{
		"127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "::ffff:192.168.1.1", "169.254.169.254", "fe80::1", "fd00::1", "100.64.0.1",
		"0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "2001:db8::1", "2002:7f00:1::", "2001::1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "::7f00:1",
	} {
		w := newWorld(t, resolve.Config{})
		w.PretendNames(func(string) []netip.Addr { return []netip.Addr{netip.MustParseAddr(a)} })
		if _, err := w.CredentialOffer(ctx, "https://localhost.evil.example/x"); !errors.Is(err, resolve.ErrAddress) {
			t.Errorf("%s: %v", a, err)
		}
		if _, err := w.HTTP().Post("https://localhost.evil.example/x", "text/plain", strings.NewReader("x")); !errors.Is(err, resolve.ErrAddress) {
			t.Errorf("%s by the client itself: %v", a, err)
		}
		if err := w.Control(netip.AddrPortFrom(netip.MustParseAddr(a), 443).String()); !errors.Is(err, resolve.ErrAddress) {
			t.Errorf("%s at the socket: %v", a, err)
		}
		if asked, dialled := w.seen(); len(asked)+len(dialled) > 0 {
			t.Errorf("%s was dialled", a)
		}
	}
	for _, a := range []string{"8.8.8.8", "2606:4700::1", "64:ff9b::808:808", "93.184.215.14"} {
		if !resolve.Public(netip.MustParseAddr(a)) {
			t.Errorf("%s is refused", a)
		}
	}
	// One good address among inner ones does not make a name good.
	w := newWorld(t, resolve.Config{})
	w.PretendNames(func(string) []netip.Addr { return []netip.Addr{out, netip.MustParseAddr("10.0.0.1")} })
	_, err := w.CredentialOffer(ctx, "https://example.com/x")
	if _, dialled := w.seen(); !errors.Is(err, resolve.ErrAddress) || len(dialled) > 0 {
		t.Errorf("a mixed answer: %v, dialled %q", err, dialled)
	}
}

// THREATS 4.4, 26, DNS rebinding: public when judged, inner when dialled.
func TestANameIsNotAskedTwiceForOneConnection(t *testing.T) {
	w := newWorld(t, resolve.Config{})
	w.page("/x", "application/json", `{}`)
	asked := 0
	w.PretendNames(func(string) []netip.Addr {
		if asked++; asked > 1 {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}
		}
		return []netip.Addr{out}
	})
	if _, err := w.CredentialOffer(ctx, "https://example.com/x"); err != nil {
		t.Fatal(err)
	}
	if _, dialled := w.seen(); asked != 1 || len(dialled) != 1 || dialled[0] != "93.184.215.14:443" {
		t.Errorf("asked %d times, dialled %q", asked, dialled)
	}
	w.HTTP().CloseIdleConnections()
	_, err := w.CredentialOffer(ctx, "https://example.com/x")
	if _, dialled := w.seen(); !errors.Is(err, resolve.ErrAddress) || len(dialled) != 1 {
		t.Errorf("the second connection: %v, dialled %q", err, dialled)
	}
}

func TestThisMachineIsReachedInDevelopmentAlone(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		rw.Write([]byte(`{}`))
	}))
	defer server.Close()
	if _, err := resolve.New(resolve.Config{Development: true}).CredentialOffer(ctx, server.URL); err != nil {
		t.Error(err)
	}
	if _, err := resolve.New(resolve.Config{}).CredentialOffer(ctx, server.URL); !errors.Is(err, resolve.ErrAddress) {
		t.Errorf("without the switch: %v", err)
	}
	for _, address := range []string{"http://10.0.0.1/", "http://example.com/", "https://10.0.0.1/"} {
		if _, err := resolve.New(resolve.Config{Development: true}).CredentialOffer(ctx, address); !errors.Is(err, resolve.ErrAddress) {
			t.Errorf("%s in development: %v", address, err)
		}
	}
}

// No proxy of the environment sees whose keys are asked for.
func TestTheEnvironmentHasNoSay(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	w := newWorld(t, resolve.Config{})
	w.page("/x", "application/json", `{}`)
	if _, err := w.CredentialOffer(ctx, "https://example.com/x"); err != nil {
		t.Error(err)
	}
}

// THREATS 4.4, 29.
func TestRedirects(t *testing.T) {
	const id = "did:web:example.com"
	w := newWorld(t, resolve.Config{WebDIDs: []string{id}})
	w.page("/there", "application/json", `{"id":"`+id+`"}`)
	for name, to := range map[string]string{"another server": "https://evil.example/there", "inside": "https://10.0.0.1/there", "down to http": "http://example.com/there", "another port": "https://example.com:8443/there"} {
		w.redirect("/x", to)
		if _, err := w.CredentialOffer(ctx, "https://example.com/x"); !errors.Is(err, resolve.ErrAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.redirect("/x", "/there")
	if _, err := w.CredentialOffer(ctx, "https://example.com/x"); err != nil {
		t.Errorf("within one server: %v", err)
	}
	w.redirect("/x", "/x")
	if _, err := w.CredentialOffer(ctx, "https://example.com/x"); !errors.Is(err, resolve.ErrAnswer) {
		t.Errorf("in a circle: %v", err)
	}
	w.redirect("/.well-known/did.json", "/there")
	if _, err := w.WebDID(ctx, id); !errors.Is(err, resolve.ErrAnswer) {
		t.Errorf("did:web within one server: %v", err)
	}
}

// THREATS 4.4, 25 and 39: what answers look like.
func TestAnswersThatAreRefused(t *testing.T) {
	w := newWorld(t, resolve.Config{Timeout: time.Second})
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	z.Write(bytes.Repeat([]byte(" "), 32<<20))
	z.Close()
	for name, page := range map[string]http.HandlerFunc{
		"10 MB": func(rw http.ResponseWriter, _ *http.Request) { rw.Write(bytes.Repeat([]byte(" "), 10<<20)) },
		"an inflated bomb": func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Encoding", "gzip")
			rw.Write(bomb.Bytes())
		},
		"nested": func(rw http.ResponseWriter, _ *http.Request) { rw.Write([]byte(strings.Repeat("[", 1<<16))) },
		"named twice": func(rw http.ResponseWriter, _ *http.Request) {
			rw.Write([]byte(`{"credential_issuer":"https://evil.example","credential_issuer":"https://example.com"}`))
		},
		"another issuer": func(rw http.ResponseWriter, _ *http.Request) {
			rw.Write([]byte(`{"credential_issuer":"https://evil.example"}`))
		},
		"a longer issuer": func(rw http.ResponseWriter, _ *http.Request) {
			rw.Write([]byte(`{"credential_issuer":"https://example.com/"}`))
		},
		"no issuer": func(rw http.ResponseWriter, _ *http.Request) { rw.Write([]byte(`{}`)) },
		"an array":  func(rw http.ResponseWriter, _ *http.Request) { rw.Write([]byte(`[]`)) },
		"an error's page": func(rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(404)
			rw.Write([]byte(`{"credential_issuer":"https://example.com"}`))
		},
		"another type": func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/html")
			rw.Write([]byte(`{"credential_issuer":"https://example.com"}`))
		},
	} {
		w.pages["/.well-known/openid-credential-issuer"] = func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			page(rw, r)
		}
		if _, err := w.IssuerMetadata(ctx, "https://example.com"); !errors.Is(err, resolve.ErrAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.pages["/slow"] = func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		rw.Write([]byte("{"))
		rw.(http.Flusher).Flush()
		<-r.Context().Done()
		panic(http.ErrAbortHandler) // a handler that returns ends its answer, and who is slow to hang up may yet read that end
	}
	_, err := w.CredentialOffer(ctx, "https://example.com/slow?secret")
	if !errors.Is(err, resolve.ErrUnreachable) || strings.Contains(err.Error(), "secret") {
		t.Errorf("an answer without an end: %v", err)
	}
}

func TestMetadataByPath(t *testing.T) {
	w := newWorld(t, resolve.Config{})
	w.page("/.well-known/openid-credential-issuer/tenant/1", "application/json", `{"credential_issuer":"https://example.com/tenant/1"}`)
	w.page("/.well-known/oauth-authorization-server/tenant/1", "application/json; charset=utf-8", `{"issuer":"https://example.com/tenant/1"}`)
	if _, err := w.IssuerMetadata(ctx, "https://example.com/tenant/1"); err != nil {
		t.Error(err)
	}
	if _, err := w.ServerMetadata(ctx, "https://example.com/tenant/1"); err != nil {
		t.Error(err)
	}
	for _, id := range []string{"https://example.com/../x", "https://example.com/%2e%2E/x", "https://example.com?x", "https://example.com/#x", "https://example.com/?"} {
		if got, err := resolve.WellKnown(id, "jwt-vc-issuer"); err == nil {
			t.Errorf("%s leads to %s", id, got)
		}
	}
}

// THREATS 4.4, 27 and 28, and what an archived resolver was seen to accept.
func TestWebDID(t *testing.T) {
	k := newKey(t)
	const id = "did:web:example.com:i:1"
	w := newWorld(t, resolve.Config{WebDIDs: []string{id, "did:web:example.com:..:..:x", "did:web:example.com:other"}})
	doc := string(did.Document(id, []did.Method{{ID: id + "#k1", Key: k, For: did.Assertion}}))
	w.page("/i/1/did.json", "application/did+json", doc)
	methods, err := w.WebDID(ctx, id)
	if err != nil || len(methods) != 1 || methods[0].Key.Thumbprint() != k.Thumbprint() || methods[0].ID != id+"#k1" {
		t.Fatalf("%+v %v", methods, err)
	}
	if _, err := w.WebDID(ctx, id); err != nil || w.count() != 1 {
		t.Errorf("asked %d times: %v", w.count(), err)
	}
	if _, err := w.WebDID(ctx, "did:web:example.com"); !errors.Is(err, resolve.ErrNotListed) {
		t.Errorf("not on the list: %v", err)
	}
	if _, err := w.WebDID(ctx, "did:web:example.com:..:..:x"); !errors.Is(err, did.ErrSyntax) {
		t.Errorf("a path upwards: %v", err)
	}
	w.page("/other/did.json", "application/did+json", doc)
	if _, err := w.WebDID(ctx, "did:web:example.com:other"); !errors.Is(err, did.ErrDocument) {
		t.Errorf("the document of another: %v", err)
	}
	w.page("/other/did.json", "application/json", strings.Repeat(" ", did.MaxDocument)+"{}")
	if _, err := w.WebDID(ctx, "did:web:example.com:other"); !errors.Is(err, resolve.ErrAnswer) && !errors.Is(err, did.ErrDocument) {
		t.Errorf("a document without an end: %v", err)
	}
	if w.count() > 3 {
		t.Errorf("asked %d times", w.count())
	}
}

func TestIssuerKeys(t *testing.T) {
	k, other := newKey(t), newKey(t)
	jwk := func(k *cose.Key, more string) string {
		return strings.Replace(string(jose.JWKOf(k).Append(nil)), "{", "{"+more, 1)
	}
	good := `{"keys":[` + jwk(k, `"kid":"k1","use":"sig","alg":"ES256",`) + `,` + jwk(other, `"kid":"k2",`) + `]}`
	for name, c := range map[string]struct {
		meta, set string
		keys      int
		want      error
	}{
		"jwks":                       {`{"issuer":"https://example.com/i/1","jwks":` + good + `}`, "", 2, nil},
		"jwks_uri":                   {`{"issuer":"https://example.com/i/1","jwks_uri":"https://example.com/set"}`, good, 2, nil},
		"both":                       {`{"issuer":"https://example.com/i/1","jwks_uri":"https://example.com/set","jwks":` + good + `}`, good, 0, resolve.ErrAnswer},
		"neither":                    {`{"issuer":"https://example.com/i/1"}`, "", 0, resolve.ErrAnswer},
		"another issuer":             {`{"issuer":"https://example.com/i/2","jwks":` + good + `}`, "", 0, resolve.ErrAnswer},
		"issuer twice":               {`{"issuer":"https://evil.example","issuer":"https://example.com/i/1","jwks":` + good + `}`, "", 0, resolve.ErrAnswer},
		"jwks_uri inside":            {`{"issuer":"https://example.com/i/1","jwks_uri":"https://127.0.0.1/set"}`, "", 0, resolve.ErrAddress},
		"jwks_uri by http":           {`{"issuer":"https://example.com/i/1","jwks_uri":"http://example.com/set"}`, good, 0, resolve.ErrAddress},
		"a private key":              {`{"issuer":"https://example.com/i/1","jwks":{"keys":[` + jwk(k, `"d":"AAAA",`) + `]}}`, "", 0, resolve.ErrAnswer},
		"a private key of RSA":       {`{"issuer":"https://example.com/i/1","jwks":{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB"}]}}`, "", 0, resolve.ErrAnswer},
		"a member of a key twice":    {`{"issuer":"https://example.com/i/1","jwks":{"keys":[` + jwk(k, `"kty":"EC",`) + `]}}`, "", 0, resolve.ErrAnswer},
		"a key id twice":             {`{"issuer":"https://example.com/i/1","jwks":{"keys":[` + jwk(k, `"kid":"k",`) + `,` + jwk(other, `"kid":"k",`) + `]}}`, "", 0, resolve.ErrAnswer},
		"other kinds are passed":     {`{"issuer":"https://example.com/i/1","jwks":{"keys":[{"kty":"EC","crv":"P-384","x":"AA","y":"AA"},{"kty":"RSA","n":"AQAB","e":"AQAB"},` + jwk(k, ``) + `]}}`, "", 1, nil},
		"keys to encrypt are passed": {`{"issuer":"https://example.com/i/1","jwks":{"keys":[` + jwk(k, `"use":"enc",`) + `,` + jwk(k, `"alg":"ECDH-ES",`) + `]}}`, "", 0, nil},
		"off the curve":              {`{"issuer":"https://example.com/i/1","jwks":{"keys":[{"kty":"EC","crv":"P-256","x":"` + strings.Repeat("A", 43) + `","y":"` + strings.Repeat("A", 43) + `"}]}}`, "", 0, resolve.ErrAnswer},
		"no array":                   {`{"issuer":"https://example.com/i/1","jwks":{"keys":{}}}`, "", 0, resolve.ErrAnswer},
		"65 keys":                    {`{"issuer":"https://example.com/i/1","jwks":{"keys":[` + strings.Repeat(`{"kty":"RSA","n":"AQAB","e":"AQAB"},`, 64) + jwk(k, ``) + `]}}`, "", 0, resolve.ErrAnswer},
	} {
		w := newWorld(t, resolve.Config{})
		w.page("/.well-known/jwt-vc-issuer/i/1", "application/json", c.meta)
		w.page("/set", "application/jwk-set+json", c.set)
		keys, err := w.IssuerKeys(ctx, "https://example.com/i/1")
		if !errors.Is(err, c.want) || len(keys) != c.keys {
			t.Errorf("%s: %d keys, %v", name, len(keys), err)
		}
		if c.keys == 2 && (resolve.ByID(keys, "k1").Thumbprint() != k.Thumbprint() || resolve.ByID(keys, "k3") != nil || resolve.ByID(keys, "") != nil) {
			t.Errorf("%s: keys are mixed up", name)
		}
	}
}

func TestTypeMetadataHasItsHash(t *testing.T) {
	w := newWorld(t, resolve.Config{})
	const body = `{"vct":"https://example.com/elig"}`
	w.page("/elig", "application/json", body)
	w.page("/other", "application/json", body)
	sum := sha256.Sum256([]byte(body))
	good := "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
	bad := "sha256-" + base64.StdEncoding.EncodeToString(make([]byte, 32))
	for integrity, ok := range map[string]bool{"": true, good: true, bad + " " + good: true, good + "?x": true, bad: false, "md5-AA==": false, good + " sha512-AAAA": false} {
		if _, err := w.TypeMetadata(ctx, "https://example.com/elig", integrity); (err == nil) != ok {
			t.Errorf("%q: %v", integrity, err)
		}
	}
	if _, err := w.TypeMetadata(ctx, "https://example.com/other", good); !errors.Is(err, resolve.ErrAnswer) {
		t.Errorf("of another type: %v", err)
	}
}

func TestStatusListsAndRequestsComeAsTheyAre(t *testing.T) {
	w := newWorld(t, resolve.Config{})
	w.page("/s", "application/statuslist+jwt", "a.b.c")
	if b, err := w.StatusList(ctx, "https://example.com/s", false); err != nil || string(b) != "a.b.c" {
		t.Errorf("%q %v", b, err)
	}
	if _, err := w.StatusList(ctx, "https://example.com/s", true); !errors.Is(err, resolve.ErrAnswer) {
		t.Errorf("the other form: %v", err)
	}
	w.page("/large", "application/statuslist+jwt", strings.Repeat("a", 6<<20+1))
	if b, err := w.StatusList(ctx, "https://example.com/large", false); !errors.Is(err, resolve.ErrAnswer) || b != nil {
		t.Errorf("a list larger than any: %d bytes, %v", len(b), err)
	}
	w.pages["/r"] = func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "application/oauth-authz-req+jwt")
		fmt.Fprint(rw, r.Method, r.FormValue("wallet_nonce"))
	}
	if b, err := w.RequestObject(ctx, "https://example.com/r", ""); err != nil || string(b) != "GET" {
		t.Errorf("%q %v", b, err)
	}
	if b, err := w.RequestObject(ctx, "https://example.com/r", "n-1"); err != nil || string(b) != "POSTn-1" {
		t.Errorf("%q %v", b, err)
	}
	before := w.count()
	w.RequestObject(ctx, "https://example.com/r", "")
	if w.count() != before+1 {
		t.Error("a request was kept")
	}
	w.pages["/n"] = func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/statuslist+jwt")
		rw.Header().Set("Cache-Control", "no-store")
		rw.Write([]byte("a.b.c"))
	}
	for range 2 {
		w.StatusList(ctx, "https://example.com/n", false)
	}
	if w.count() != before+3 {
		t.Error("kept what must not be kept")
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	for _, c := range []struct{ n, size, entries int }{{300, 10, 256}, {20, 1 << 20, 8}, {3, 3 << 20, 0}} {
		entries, bytes, last := resolve.Fill(c.n, c.size, time.Now())
		if entries != c.entries || bytes != c.entries*c.size || last != (c.entries > 0) {
			t.Errorf("%d of %d bytes: %d entries of %d bytes, the last one kept: %v", c.n, c.size, entries, bytes, last)
		}
	}
}

func FuzzParseKeySet(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kid":"a","kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		keys, err := resolve.ParseKeySet(b)
		if err != nil {
			return
		}
		for _, k := range keys {
			if k.Key == nil || len(keys) > 64 {
				t.Errorf("%q gives %+v", b, keys)
			}
		}
	})
}

func FuzzWellKnown(f *testing.F) {
	f.Add("https://example.com/tenant/1")
	f.Fuzz(func(t *testing.T, id string) {
		got, err := resolve.WellKnown(id, "jwt-vc-issuer")
		if err == nil && (strings.Contains(got, "/../") || strings.HasSuffix(got, "/..") || strings.ContainsAny(got, "?#\\") || strings.Count(got, "://") < 1) {
			t.Errorf("%q leads to %q", id, got)
		}
	})
}
