package openid_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc/oidctest"

	"aidpass/issuer"
	"aidpass/issuer/offer"
	"aidpass/web/openid"
)

const walletAt = "https://wallet.example/back?a=b"

// provider is an OpenID provider at which one person is always signed in.
type provider struct {
	t      *testing.T
	server *httptest.Server
	key    *ecdsa.PrivateKey
	signed int // codes given

	mu     sync.Mutex
	codes  map[string]url.Values        // its authorisation requests
	change func(claims map[string]any)  // of the ID token; may be nil
	token  func(claims []byte) string   // in place of the right signature; may be nil
	basic  func(name, word string) bool // credentials of the client; nil: none
}

func newProvider(t *testing.T) *provider {
	p := &provider{t: t, key: newPrivate(t), codes: map[string]url.Values{}}
	keys := &oidctest.Server{PublicKeys: []oidctest.PublicKey{{PublicKey: p.key.Public(), KeyID: "k", Algorithm: "ES256"}}}
	mux := http.NewServeMux()
	mux.Handle("/", keys)
	mux.HandleFunc("/token", p.exchange)
	p.server = httptest.NewTLSServer(mux)
	t.Cleanup(p.server.Close)
	keys.SetIssuer(p.server.URL)
	return p
}

// signIn is the browser's visit: the provider sends it back to the returned address.
func (p *provider) signIn(to string) string {
	p.t.Helper()
	u, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(to, p.server.URL) {
		p.t.Fatalf("the browser was sent to %q", to)
	}
	q := u.Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("state") == "" || q.Get("nonce") == "" || q.Get("scope") != "openid" || q.Get("redirect_uri") != base+"/callback" {
		p.t.Errorf("the provider is asked %s", q.Encode())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.signed++
	code := strings.Repeat("c", p.signed)
	p.codes[code] = q
	return "/org/callback?" + url.Values{"code": {code}, "state": {q.Get("state")}}.Encode()
}

func (p *provider) exchange(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked, ok := p.codes[r.FormValue("code")]
	challenge := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	name, word, _ := r.BasicAuth()
	if !ok || base64.RawURLEncoding.EncodeToString(challenge[:]) != asked.Get("code_challenge") || p.basic != nil && !p.basic(name, word) {
		http.Error(w, `{"error":"invalid_grant","error_description":"of subject-17"}`, http.StatusBadRequest)
		return
	}
	delete(p.codes, r.FormValue("code"))
	claims := map[string]any{"iss": p.server.URL, "sub": "subject-17", "aud": "aidpass", "nonce": asked.Get("nonce"), "iat": now.Unix(), "exp": now.Unix() + 300}
	if p.change != nil {
		p.change(claims)
	}
	b, err := json.Marshal(claims)
	if err != nil {
		p.t.Error(err)
	}
	id := oidctest.SignIDToken(p.key, "k", "ES256", string(b))
	if p.token != nil {
		id = p.token(b)
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": id})
}

// authority is what decides who may take up what.
type authority struct {
	who []offer.Subject
	err error
}

func (a *authority) CheckRedirect(uri string) error {
	return (&offer.Service{Redirects: []string{walletAt}}).CheckRedirect(uri)
}

func (a *authority) CheckAuthorization(r *offer.AuthorizationRequest) error {
	if r.Method != "S256" {
		return &offer.Error{Code: offer.InvalidRequest, Description: "plain", Status: 400}
	}
	return nil
}

func (a *authority) Authorize(_ context.Context, _ *offer.AuthorizationRequest, who offer.Subject) (string, error) {
	a.who = append(a.who, who)
	return "our-code", a.err
}

func newSignIn(t *testing.T, change func(*openid.SignIn)) (*world, *provider, *authority) {
	t.Helper()
	p, a := newProvider(t), &authority{}
	in := &openid.SignIn{Issuer: p.server.URL, Client: "aidpass", Roster: "camp", HTTP: p.server.Client(), Desk: a}
	if change != nil {
		change(in)
	}
	return newWorldWith(t, in), p, a
}

var wish = url.Values{"response_type": {"code"}, "client_id": {"w"}, "redirect_uri": {walletAt}, "state": {"wallet's"}, "scope": {"eligibility_sd_jwt"},
	"code_challenge": {"x"}, "code_challenge_method": {"S256"}}

// begin sends a browser to the server; it returns where it goes from there, and its cookie.
func (w *world) begin(t *testing.T) (to, cookie string) {
	t.Helper()
	a := w.do("GET", "/org/authorize?"+wish.Encode(), "")
	set := a.Header().Get("Set-Cookie")
	if a.Code != 303 || !strings.HasPrefix(set, "__Host-") || a.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s %q", a.Code, a.Body, set)
	}
	for _, word := range []string{"; Path=/;", "; HttpOnly", "; Secure", "; SameSite=Lax"} {
		if !strings.Contains(set, word) {
			t.Errorf("the cookie %q has no %q", set, word)
		}
	}
	return a.Header().Get("Location"), strings.Split(set, ";")[0]
}

// sentBack reads where the wallet's browser was sent.
func sentBack(t *testing.T, a *httptest.ResponseRecorder) url.Values {
	t.Helper()
	rest, ok := strings.CutPrefix(a.Header().Get("Location"), walletAt+"&")
	q, err := url.ParseQuery(rest)
	if a.Code != 303 || !ok || err != nil || q.Get("state") != "wallet's" || q.Get("iss") != base {
		t.Fatalf("%d to %q: %s", a.Code, a.Header().Get("Location"), a.Body)
	}
	return q
}

func TestWhoSignsInGetsACodeForHerWallet(t *testing.T) {
	w, p, desk := newSignIn(t, func(in *openid.SignIn) { in.Secret = "s&cret" })
	p.basic = func(name, word string) bool { return name == "aidpass" && word == "s%26cret" }
	to, cookie := w.begin(t)
	back := p.signIn(to)
	q := sentBack(t, w.do("GET", back, "", "Cookie", cookie))
	if q.Get("code") != "our-code" || q.Has("error") {
		t.Errorf("the wallet gets %s", q.Encode())
	}
	if len(desk.who) != 1 || desk.who[0] != (offer.Subject{Kind: issuer.Person, Roster: "camp", Number: "subject-17"}) {
		t.Errorf("identified as %+v", desk.who)
	}
	if a := w.do("GET", back, "", "Cookie", cookie); a.Code != 400 || a.Header().Get("Location") != "" {
		t.Errorf("the callback a second time: %d", a.Code)
	}
	for _, secret := range []string{"subject-17", "our-code", "s&cret", cookie, "wallet's"} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log has %q:\n%s", secret, w.log)
		}
	}
	desk.err = &offer.Error{Code: offer.AccessDenied, Description: "nothing for you", Status: 400}
	to, cookie = w.begin(t)
	if q := sentBack(t, w.do("GET", p.signIn(to), "", "Cookie", cookie)); q.Get("error") != "access_denied" || q.Has("code") {
		t.Errorf("a subject nobody knows: %s", q.Encode())
	}
	desk.err = errors.New("the disk burns")
	to, cookie = w.begin(t)
	if q := sentBack(t, w.do("GET", p.signIn(to), "", "Cookie", cookie)); q.Get("error") != "server_error" || q.Has("code") || strings.Contains(q.Encode(), "disk") {
		t.Errorf("our fault: %s", q.Encode())
	}
}

// THREATS: wrong iss, aud, nonce, azp, unsigned token, state mismatch.
func TestNobodyIsIdentifiedByAnotherToken(t *testing.T) {
	w, p, desk := newSignIn(t, nil)
	set := func(name string, v any) func(map[string]any) { return func(c map[string]any) { c[name] = v } }
	other := newPrivate(t)
	encode := base64.RawURLEncoding.EncodeToString
	for what, c := range map[string]struct {
		change func(map[string]any)
		token  func([]byte) string
	}{
		"iss":                   {change: set("iss", "https://evil.example")},
		"aud":                   {change: set("aud", "another")},
		"a nonce replayed":      {change: set("nonce", "of another sign-in")},
		"no nonce":              {change: func(c map[string]any) { delete(c, "nonce") }},
		"expired":               {change: set("exp", now.Unix()-600)},
		"azp":                   {change: set("azp", "another")},
		"two audiences, no azp": {change: set("aud", []string{"aidpass", "another"})},
		"sub is a number":       {change: set("sub", 17)},
		"no sub":                {change: func(c map[string]any) { delete(c, "sub") }},
		"control characters":    {change: set("sub", "a\x1fb")},
		"alg none":              {token: func(b []byte) string { return encode([]byte(`{"alg":"none"}`)) + "." + encode(b) + "." }},
		"the client id as its key": {token: func(b []byte) string {
			return encode([]byte(`{"alg":"HS256"}`)) + "." + encode(b) + "." + encode(make([]byte, 32))
		}},
		"another key": {token: func(b []byte) string { return oidctest.SignIDToken(other, "k", "ES256", string(b)) }},
		"no token":    {token: func([]byte) string { return "" }},
	} {
		p.change, p.token = c.change, c.token
		to, cookie := w.begin(t)
		if q := sentBack(t, w.do("GET", p.signIn(to), "", "Cookie", cookie)); q.Get("error") != "access_denied" || q.Has("code") {
			t.Errorf("%s: %s", what, q.Encode())
		}
	}
	p.change, p.token = nil, nil
	to, cookie := w.begin(t)
	back := p.signIn(to)
	_, another := w.begin(t)
	for what, a := range map[string]*httptest.ResponseRecorder{
		"another browser":      w.do("GET", back, "", "Cookie", another),
		"no cookie":            w.do("GET", back, ""),
		"another state":        w.do("GET", back+"x", "", "Cookie", cookie),
		"no state":             w.do("GET", "/org/callback?code=c", "", "Cookie", cookie),
		"a parameter twice":    w.do("GET", back+"&state=x", "", "Cookie", cookie),
		"a page of another":    w.do("POST", back, "", "Cookie", cookie),
		"10 kB in the address": w.do("GET", back+"&x="+strings.Repeat("a", 10<<10), "", "Cookie", cookie),
	} {
		if a.Code < 400 || a.Header().Get("Location") != "" {
			t.Errorf("%s: %d", what, a.Code)
		}
	}
	if q := sentBack(t, w.do("GET", back+"&iss="+url.QueryEscape("https://evil.example"), "", "Cookie", cookie)); q.Has("code") {
		t.Errorf("an answer of another provider: %s", q.Encode())
	}
	to, cookie = w.begin(t)
	back = p.signIn(to)
	w.now = w.now.Add(10 * time.Minute)
	if a := w.do("GET", back, "", "Cookie", cookie); a.Code != 400 {
		t.Errorf("too late: %d", a.Code)
	}
	if len(desk.who) != 0 {
		t.Errorf("identified as %+v", desk.who)
	}
	if strings.Contains(w.log.String(), "subject-17") {
		t.Errorf("the log names her:\n%s", w.log)
	}
}

func TestAnEmailIsNobodyUnlessVerified(t *testing.T) {
	w, p, desk := newSignIn(t, func(in *openid.SignIn) { in.Claim = "email" })
	for verified, want := range map[any]int{nil: 0, false: 0, "true": 0, true: 1} {
		desk.who = nil
		p.change = func(c map[string]any) { c["email"], c["email_verified"] = "a@b.example", verified }
		to, cookie := w.begin(t)
		to = strings.Replace(to, "scope=openid+email", "scope=openid", 1)
		sentBack(t, w.do("GET", p.signIn(to), "", "Cookie", cookie))
		if len(desk.who) != want {
			t.Errorf("email_verified %v: %+v", verified, desk.who)
		}
	}
}

func TestNobodyIsSentWhereNobodyChecked(t *testing.T) {
	w, p, _ := newSignIn(t, nil)
	ask := func(name, value string) *httptest.ResponseRecorder {
		q := url.Values{}
		for n, v := range wish {
			q[n] = v
		}
		q.Set(name, value)
		return w.do("GET", "/org/authorize?"+q.Encode(), "")
	}
	for what, a := range map[string]*httptest.ResponseRecorder{
		"another address": ask("redirect_uri", "https://evil.example/"), "no address": ask("redirect_uri", ""), "a longer one": ask("redirect_uri", walletAt+"c"),
		"twice": w.do("GET", "/org/authorize?"+wish.Encode()+"&redirect_uri=x", ""), "nothing": w.do("GET", "/org/authorize", ""),
	} {
		if a.Code != 400 || a.Header().Get("Location") != "" || !strings.HasPrefix(a.Header().Get("Content-Type"), "text/html") {
			t.Errorf("%s: %d to %q", what, a.Code, a.Header().Get("Location"))
		}
	}
	if q := sentBack(t, ask("code_challenge_method", "plain")); q.Get("error") != "invalid_request" {
		t.Errorf("a plain challenge: %s", q.Encode())
	}
	if a := w.do("GET", "/org/authorize?"+wish.Encode(), "", "Origin", "https://evil.example"); a.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("pages of others read what is for people")
	}
	p.server.Close()
	fresh := newWorldWith(t, &openid.SignIn{Issuer: p.server.URL, Client: "aidpass", Desk: &authority{}})
	if q := sentBack(t, fresh.do("GET", "/org/authorize?"+wish.Encode(), "")); q.Get("error") != "temporarily_unavailable" {
		t.Errorf("a provider that is down: %s", q.Encode())
	}
	for _, bad := range []openid.SignIn{{Issuer: "http://id.example", Client: "c"}, {Issuer: "https://id.example"}, {Issuer: "https://id.example?x", Client: "c"}} {
		if _, err := openid.New(openid.Config{Base: base, SignIn: &bad}); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}
