package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc/oidctest"

	"aidpass/internal/jose"
	"aidpass/issuer/offer"
)

// openProvider is an OpenID provider at which person 1 of the list is always signed in.
func openProvider(t *testing.T) *httptest.Server {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := &oidctest.Server{PublicKeys: []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: "k", Algorithm: "ES256"}}}
	mux := http.NewServeMux()
	provider := httptest.NewTLSServer(mux)
	t.Cleanup(provider.Close)
	keys.SetIssuer(provider.URL)
	mux.Handle("/", keys)
	mux.HandleFunc("/auth", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"state": {q.Get("state")}, "code": {q.Get("nonce")}}.Encode(), http.StatusFound)
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		claims, err := json.Marshal(map[string]any{"iss": provider.URL, "aud": "aidpass", "sub": "x-1", "number": "1", "nonce": r.FormValue("code"),
			"iat": scriptClock().Unix(), "exp": scriptClock().Unix() + 300})
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": oidctest.SignIDToken(key, "k", "ES256", string(claims))})
	})
	return provider
}

// browse is a browser with a cookie jar of one cookie: it follows redirects from address
// until one leads to the wallet at back, which is returned.
func browse(t *testing.T, server, provider *http.Client, providerURL, address, back string) *url.URL {
	t.Helper()
	jar := map[string]string{}
	for range 6 {
		if strings.HasPrefix(address, back) {
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			return u
		}
		client := *server
		if strings.HasPrefix(address, providerURL) {
			client = *provider
		}
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		r, err := http.NewRequestWithContext(t.Context(), "GET", address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if v := jar[r.URL.Host]; v != "" {
			r.Header.Set("Cookie", v)
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		for _, c := range res.Cookies() {
			jar[r.URL.Host] = c.Name + "=" + c.Value
		}
		if address = res.Header.Get("Location"); address == "" {
			t.Fatalf("%s: %d", r.URL, res.StatusCode)
		}
	}
	t.Fatal("the browser goes round in circles")
	return nil
}

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return jose.EncodeBase64(sum[:])
}

// withSignIn serves wallets, and holders by that provider.
func (l *laptop) withSignIn() (s *serving, client *http.Client, provider *httptest.Server, stop func() int) {
	l.t.Helper()
	provider = openProvider(l.t)
	s, client, stop = l.serveWalletsWith(provider.Client(), "--oidc-issuer", provider.URL, "--oidc-client", "aidpass", "--oidc-claim", "number", "--oidc-wallet", "https://wallet.example/back")
	return s, client, provider, stop
}

// offerLink offers person external something, without a transaction code in the link.
func (l *laptop) offerLink(external string) string {
	l.t.Helper()
	var made struct{ Link string }
	out := l.must("offer", "create", "--external", external, "--type", "eligibility", "--programme", "K7Q2", "--round", "1", "--base-url", walletBase, "--json")
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		l.t.Fatal(err)
	}
	return made.Link
}

// A holder signs in at her organisation's provider, and her wallet gets the credential of her
// own record; with somebody else's offer it gets nothing.
func TestServeGivesCredentialsToWhoSignsIn(t *testing.T) {
	l := withEntitled(t)
	_, client, provider, stop := l.withSignIn()
	defer stop()
	server := ask(t, client, "GET", "https://relief-a.example/.well-known/oauth-authorization-server/i1", "", "", "", 200)
	for name, want := range map[string]string{"code_challenge_methods_supported": `["S256"]`, "response_types_supported": `["code"]`,
		"grant_types_supported": `["` + offer.GrantPreAuthorized + `","authorization_code"]`, "authorization_endpoint": `"` + walletBase + `/authorize"`} {
		if got := string(server.Get(name).Append(nil)); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	authorize := func(link, verifier string) url.Values {
		u, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		object := ask(t, client, "GET", u.Query().Get("credential_offer_uri"), "", "", "", 200)
		q := url.Values{"response_type": {"code"}, "client_id": {"w"}, "redirect_uri": {"https://wallet.example/back"}, "state": {"s"}, "scope": {"eligibility_sd_jwt"},
			"code_challenge": {challengeOf(verifier)}, "code_challenge_method": {"S256"},
			"issuer_state": {object.Get("grants").Get("authorization_code").Get("issuer_state").Text}}
		back := browse(t, client, provider.Client(), provider.URL, server.Get("authorization_endpoint").Text+"?"+q.Encode(), "https://wallet.example/back").Query()
		if back.Get("state") != "s" || back.Get("iss") != walletBase {
			t.Errorf("sent back with %s", back.Encode())
		}
		return back
	}
	if back := authorize(l.offerLink("2"), "v"); back.Get("error") != "access_denied" || back.Has("code") {
		t.Errorf("somebody else's offer: %s", back.Encode())
	}
	// The wallet app of this very server is known, letter by letter.
	still := *client
	still.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for uri, want := range map[string]int{"https://relief-a.example/wallet/": 303, "https://relief-a.example/wallet/x": 400, "https://relief-b.example/wallet/": 400} {
		q := url.Values{"response_type": {"code"}, "client_id": {"w"}, "redirect_uri": {uri}, "state": {"s"}, "scope": {"eligibility_sd_jwt"}, "code_challenge": {challengeOf("v")}, "code_challenge_method": {"S256"}}
		res, err := still.Get(server.Get("authorization_endpoint").Text + "?" + q.Encode())
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("back to %s: %d, want %d", uri, res.StatusCode, want)
		}
	}
	verifier := strings.Repeat("v", 43)
	back := authorize(l.offerLink("1"), verifier)
	form := url.Values{"grant_type": {"authorization_code"}, "code": {back.Get("code")}, "client_id": {"w"}, "redirect_uri": {"https://wallet.example/back"}, "code_verifier": {verifier}}
	redeem := func(status int) jose.Value {
		return ask(t, client, "POST", walletBase+"/token", "application/x-www-form-urlencoded", "", form.Encode(), status)
	}
	token := redeem(200).Get("access_token").Text
	nonce := ask(t, client, "POST", walletBase+"/nonce", "", "", "", 200).Get("c_nonce").Text
	body := `{"credential_configuration_id":"eligibility_sd_jwt","proofs":{"jwt":["` + keyProof(t, scriptKey(t, "one"), nonce) + `"]}}`
	got := ask(t, client, "POST", walletBase+"/credential", "application/json", token, body, 200)
	if len(got.Get("credentials").Items) != 1 {
		t.Errorf("%s", got.Append(nil))
	}
	redeem(400)
	ask(t, client, "POST", walletBase+"/credential", "application/json", token, body, 401)
	for _, secret := range []string{back.Get("code"), verifier, token, "x-1"} {
		if strings.Contains(l.stderr.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
	if code := stop(); code != 0 {
		t.Errorf("serve: exit %d\n%s", code, l.stderr.String())
	}
}
