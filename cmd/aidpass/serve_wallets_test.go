package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/credential/sdjwt"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/internal/patience"
	"aidpass/issuer/offer"
	"aidpass/schemas"
	"aidpass/storage/keystore"
	"aidpass/verifier/request"
	"aidpass/web/openid"
)

const walletBase = "https://relief-a.example/i1"

// serveWallets starts a server with --base-url. The client finds it under that name.
func (l *laptop) serveWallets() (s *serving, client *http.Client, stop func() int) {
	l.t.Helper()
	return l.serveWalletsWith(nil)
}

// serveWalletsWith asks the organisation's OpenID provider through oidc, and takes further flags.
func (l *laptop) serveWalletsWith(oidc *http.Client, flags ...string) (s *serving, client *http.Client, stop func() int) {
	l.t.Helper()
	ctx, cancel := context.WithCancel(l.t.Context())
	started, ended := make(chan *serving, 1), make(chan int, 1)
	m := &Main{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: &l.stderr, Now: scriptClock, WorkFactor: 4, ListSize: 4096, oidc: oidc,
		served: func(_ context.Context, s *serving) error { started <- s; return nil },
		Env: func(name string) (string, bool) {
			v, ok := map[string]string{"AIDPASS_DATA": l.path("data"), "AIDPASS_PASSPHRASE_FILE": l.path("pass")}[name]
			return v, ok
		}}
	go func() {
		ended <- m.Run(ctx, append([]string{"serve", "--trust", l.path("granted.list"), "--listen", "127.0.0.1:0", "--http", "", "--base-url", walletBase, "--programme", "K7Q2=1@2026-11-01..2026-12-01"}, flags...))
	}()
	select {
	case s = <-started:
	case code := <-ended:
		l.t.Fatalf("serve: exit %d\n%s", code, l.stderr.String())
	}
	der, err := os.ReadFile(l.path("data/site-ca/site-ca.crt"))
	if err != nil {
		l.t.Fatal(err)
	}
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		l.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	at := s.listeners[0].Addr().String()
	client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Time: scriptClock},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, at)
		}}}
	return s, client, sync.OnceValue(func() int { cancel(); return <-ended })
}

// ask sends a request to address and reads the answer, which must have status.
func ask(t *testing.T, c *http.Client, method, address, mime, token, body string, status int) jose.Value {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if mime != "" {
		r.Header.Set("Content-Type", mime)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status {
		t.Fatalf("%s %s: %d, want %d: %v %s", method, address, res.StatusCode, status, err, b)
	}
	if len(b) == 0 {
		return jose.Value{}
	}
	v, err := jose.ParseJSON(b, jose.Limits{Depth: 16, Entries: 512, Values: 8192})
	if err != nil {
		t.Fatalf("%s: %v: %s", address, err, b)
	}
	return v
}

// keyProof is a wallet's proof that it has a key.
func keyProof(t *testing.T, private *ecdsa.PrivateKey, nonce string) string {
	t.Helper()
	key, err := cose.NewKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	payload := fmt.Sprintf(`{"aud":%q,"iat":%d,"nonce":%q}`, walletBase, scriptClock().Unix(), nonce)
	p, err := jose.Prepare(key, "openid4vci-proof+jwt", "", []byte(payload), jose.DefaultLimits, jose.Member{Name: "jwk", Value: jose.JWKOf(key)})
	if err != nil {
		t.Fatal(err)
	}
	signature, err := cose.SignRaw(private, p.ToBeSigned())
	if err != nil {
		t.Fatal(err)
	}
	text, err := p.Attach(signature)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// withEntitled is a laptop with a list of people to whom something is due.
func withEntitled(t *testing.T) *laptop {
	t.Helper()
	l := newLaptop(t)
	l.must("trust", "grant", l.path("list.draft"), "--org", "https://relief-a.example/i1", "--type", "eligibility", "--programme", "K7Q2")
	l.must("trust", "sign", l.path("list.draft"), "--key", l.path("anchor.key"), "--out", l.path("granted.list"))
	if err := os.RemoveAll(l.path("data/site-ca")); err != nil { // it speaks for other names
		t.Fatal(err)
	}
	l.must("site-ca", "init", "--host", "relief-a.example")
	people, err := os.ReadFile("testdata/offer.txtar")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(people), "-- people.csv --\n")
	if table, _, _ = strings.Cut(table, "\n-- "); !ok {
		t.Fatal("no people")
	}
	if err := os.WriteFile(l.path("people.csv"), []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	l.must("registry", "import", l.path("people.csv"))
	l.must("programme", "add", "K7Q2", "--name", "Winter cash", "--modality", "cash", "--counts", "person", "--currency", "KES")
	l.must("programme", "round", "K7Q2", "1", "--opens", "2026-11-01", "--closes", "2026-12-01", "--site", "wellA")
	l.must("entitle", "--programme", "K7Q2", "--round", "1", "--amount", "20.00")
	return l
}

// A wallet takes an offer up from a running server: from the link to credentials of
// its own keys, the same ones however often and from how many sides it asks.
func TestServeGivesWalletsTheirCredentials(t *testing.T) {
	l := withEntitled(t)
	s, client, stop := l.serveWallets()
	defer stop()
	// Another process makes the offer.
	var made struct {
		Link string
		Tx   string `json:"tx_code"`
	}
	out := l.must("offer", "create", "--external", "1", "--type", "eligibility", "--programme", "K7Q2", "--round", "1", "--base-url", walletBase, "--json")
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		t.Fatal(err)
	}
	link, err := url.Parse(made.Link)
	if err != nil {
		t.Fatal(err)
	}
	get := func(address string) jose.Value { return ask(t, client, "GET", address, "", "", "", 200) }
	offered := get(link.Query().Get("credential_offer_uri"))
	if got := offered.Get("credential_issuer").Text; got != walletBase {
		t.Fatalf("the offer is by %q", got)
	}
	metadata := get("https://relief-a.example/.well-known/openid-credential-issuer/i1")
	server := get("https://relief-a.example/.well-known/oauth-authorization-server/i1")
	if metadata.Get("credential_issuer").Text != walletBase || server.Get("issuer").Text != walletBase {
		t.Fatalf("metadata of another issuer")
	}
	code := offered.Get("grants").Get(offer.GrantPreAuthorized).Get("pre-authorized_code").Text
	form := url.Values{"grant_type": {offer.GrantPreAuthorized}, "pre-authorized_code": {code}, "tx_code": {made.Tx}}
	token := ask(t, client, "POST", server.Get("token_endpoint").Text, "application/x-www-form-urlencoded", "", form.Encode(), 200).Get("access_token").Text
	nonce := ask(t, client, "POST", metadata.Get("nonce_endpoint").Text, "", "", "", 200).Get("c_nonce").Text
	body := `{"credential_configuration_id":"eligibility_sd_jwt","proofs":{"jwt":["` + keyProof(t, scriptKey(t, "one"), nonce) + `","` + keyProof(t, scriptKey(t, "two"), nonce) + `"]}}`

	// Two requests at once, and a third for an answer that was lost.
	endpoint := metadata.Get("credential_endpoint").Text
	answers := make([]jose.Value, 3)
	var both sync.WaitGroup
	for i := range 2 {
		both.Go(func() { answers[i] = ask(t, client, "POST", endpoint, "application/json", token, body, 200) })
	}
	both.Wait()
	answers[2] = ask(t, client, "POST", endpoint, "application/json", token, body, 200)
	first := string(answers[0].Append(nil))
	for i, a := range answers {
		if got := string(a.Append(nil)); got != first {
			t.Errorf("answer %d is another:\n%s\n%s", i, got, first)
		}
	}
	given := answers[0].Get("credentials").Items
	if len(given) != 2 {
		t.Fatalf("%d credentials for two keys", len(given))
	}
	for i, name := range []string{"one", "two"} {
		e, err := sdjwt.Parse(given[i].Get("credential").Text)
		if err != nil {
			t.Fatal(err)
		}
		_, key, err := s.o.currentSigner("vc")
		if err != nil {
			t.Fatal(err)
		}
		opened, err := sdjwt.OpenIssued(e, key)
		want, _ := cose.NewKey(&scriptKey(t, name).PublicKey)
		if err != nil || opened.Holder == nil || opened.Holder.Thumbprint() != want.Thumbprint() {
			t.Errorf("credential %d: %v", i, err)
		}
		document := get(strings.Replace(string(opened.Type), "https://aidpass.example", "https://relief-a.example", 1))
		if _, err := opened.Metadata(document.Append(nil)); err != nil {
			t.Errorf("type metadata: %v", err)
		}
	}
	l.showsWhatIsAsked(s, client, given[0].Get("credential").Text, scriptKey(t, "one"))
	ask(t, client, "POST", metadata.Get("notification_endpoint").Text, "application/json", token,
		`{"notification_id":"`+answers[0].Get("notification_id").Text+`","event":"credential_accepted"}`, 204)
	ask(t, client, "POST", server.Get("token_endpoint").Text, "application/x-www-form-urlencoded", "", form.Encode(), 400)
	ask(t, client, "POST", endpoint, "application/json", token, body, 401) // the code came twice: the token is gone
	flood, err := http.NewRequestWithContext(t.Context(), "POST", metadata.Get("nonce_endpoint").Text, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10000 {
		flood.Header.Set(fmt.Sprintf("X-H-%d", i), "a")
	}
	if res, err := client.Do(flood); err == nil { // else the server hung up on it
		res.Body.Close()
		if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("10,000 headers: %d", res.StatusCode)
		}
	}
	for _, secret := range []string{code, token, nonce, "Bearer"} {
		if strings.Contains(l.stderr.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
	if code := stop(); code != 0 {
		t.Errorf("serve: exit %d\n%s", code, l.stderr.String())
	}
}

// A running server goes by the newest trust list, whether the file of --trust became
// another or a command used a newer one.
func TestServeFollowsTheTrustList(t *testing.T) {
	l := withEntitled(t)
	_, client, stop := l.serveWallets()
	defer stop()
	gives := func(want bool) {
		t.Helper()
		if !patience.For(func() bool {
			m := ask(t, client, "GET", "https://relief-a.example/.well-known/openid-credential-issuer/i1", "", "", "", 200).Get("credential_configurations_supported")
			return (m.Get("delegation_sd_jwt").Kind != jose.Missing) == want && m.Get("eligibility_sd_jwt").Kind != jose.Missing
		}) {
			t.Fatalf("delegation given: %v wanted\n%s", want, l.stderr.String())
		}
	}
	next := func(act, from, to string) {
		t.Helper()
		l.must("trust", act, l.path(from), "--org", "https://relief-a.example/i1", "--type", "delegation", "--out", l.path(to+".draft"))
		l.must("trust", "sign", l.path(to+".draft"), "--key", l.path("anchor.key"), "--out", l.path(to))
	}
	gives(false)
	next("grant", "granted.list", "list-2")
	if err := os.Rename(l.path("list-2"), l.path("granted.list")); err != nil {
		t.Fatal(err)
	}
	gives(true)
	next("ungrant", "granted.list", "list-3")
	l.must("offer", "create", "--external", "1", "--programme", "K7Q2", "--round", "1", "--base-url", walletBase, "--trust", l.path("list-3"))
	gives(false)
	if said := l.stderr.String(); !strings.Contains(said, "is list 2, and list 3 has been used here") {
		t.Errorf("the server says %s", said)
	}
}

// scriptKey is the key of a name in these tests.
func scriptKey(t *testing.T, name string) *ecdsa.PrivateKey {
	t.Helper()
	return newTestPhone(t, name).private
}

// showsWhatIsAsked has the organisation ask for what the wallet just got, and the wallet answer,
// encrypted. Who asked reads the verdict and the claim asked for, and no other.
func (l *laptop) showsWhatIsAsked(s *serving, client *http.Client, text string, private *ecdsa.PrivateKey) {
	t := l.t
	t.Helper()
	asked := &request.Service{Store: s.o.store, Now: scriptClock}
	r, err := asked.New(t.Context(), access.Actor{ID: "lead-1", Role: access.Verifier}, request.Policy{
		Wanted:  []request.Wanted{{ID: "aid", VCT: schemas.ByName("eligibility").VCT, Claims: []string{"programme"}}},
		Purpose: map[string]string{"en": "To hand out food"}, Base: walletBase, Client: request.Client{Scheme: request.DID, DID: "did:web:relief-a.example:i1"}})
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Get(r.RequestURI())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	object, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, requestKey, err := s.o.currentSigner(keystore.Request)
	if err != nil {
		t.Fatal(err)
	}
	opened, _, err := jose.Open(object, request.ObjectType, len(object), func(string) *cose.Key { return requestKey })
	if err != nil {
		t.Fatalf("%v: %s", err, object)
	}
	claims, err := opened.Claims(jose.Limits{Depth: 16, Entries: 256, Values: 4096})
	if err != nil {
		t.Fatal(err)
	}

	envelope, err := sdjwt.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	_, issuerKey, err := s.o.currentSigner(keystore.VC)
	if err != nil {
		t.Fatal(err)
	}
	held, err := sdjwt.OpenIssued(envelope, issuerKey)
	if err != nil {
		t.Fatal(err)
	}
	shown := held.Present(func(d *sdjwt.Disclosure) bool { return slices.Contains([]string{"programme", "round"}, d.Path[0]) })
	holder, err := cose.NewKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	binding, err := sdjwt.PrepareBinding(holder, shown, claims.Get("client_id").Text, claims.Get("nonce").Text, credential.FromStd(scriptClock()))
	if err != nil {
		t.Fatal(err)
	}
	signature, err := cose.SignRaw(private, binding.ToBeSigned())
	if err != nil {
		t.Fatal(err)
	}
	presentation, err := binding.Attach(signature)
	if err != nil {
		t.Fatal(err)
	}
	to, err := openid.ReadRecipient(jose.ObjectOf(
		jose.Member{Name: "jwk", Value: claims.Get("client_metadata").Get("jwks").Get("keys").Items[0]}, jose.Member{Name: "enc", Value: jose.StringOf("A256GCM")}))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := to.Seal(fmt.Appendf(nil, `{"vp_token":{"aid":[%q]},"state":%q}`, presentation, claims.Get("state").Text))
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"response": {string(sealed)}}.Encode()
	ask(t, client, "POST", claims.Get("response_uri").Text, "application/x-www-form-urlencoded", "", form, 200)
	ask(t, client, "POST", claims.Get("response_uri").Text, "application/x-www-form-urlencoded", "", form, 200) // its answer was lost
	result := ask(t, client, "GET", r.ResultURI()+"/json?wait=5", "", r.Session, "", 200)
	got := result.Get("outcome").Get("credentials")
	if result.Get("status").Text != "shown" || result.Get("outcome").Get("answer").Text != "valid" || len(got.Items) != 1 || got.Items[0].Get("claims").Get("programme").Text != "K7Q2" || got.Items[0].Get("claims").Get("round").Kind != jose.Missing {
		t.Errorf("the result is %s", result.Append(nil))
	}
	ask(t, client, "GET", r.ResultURI()+"/json", "", "AAAAAAAAAAAAAAAAAAAAAA", "", 403)
}
