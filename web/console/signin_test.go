package console_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc/oidctest"

	"aidpass/access"
	"aidpass/web/console"
)

// idp is an OpenID provider at which one person is always signed in.
type idp struct {
	w      *world
	server *httptest.Server
	key    *ecdsa.PrivateKey

	mu     sync.Mutex
	codes  map[string]url.Values
	change func(claims map[string]any)
	token  func(claims []byte) string
}

func newIDP(t *testing.T) (*world, *idp) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &idp{key: key, codes: map[string]url.Values{}}
	keys := &oidctest.Server{PublicKeys: []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: "k", Algorithm: "ES256"}}}
	mux := http.NewServeMux()
	mux.Handle("/", keys)
	mux.HandleFunc("/token", p.exchange)
	p.server = httptest.NewTLSServer(mux)
	t.Cleanup(p.server.Close)
	keys.SetIssuer(p.server.URL)
	p.w = newWorldWith(t, &console.SignIn{Issuer: p.server.URL, Client: "aidpass", HTTP: p.server.Client()})
	return p.w, p
}

// visit is the browser's: it returns the query that the provider sends it back with.
func (p *idp) visit(to string) url.Values {
	p.w.Helper()
	u, err := url.Parse(to)
	q := u.Query()
	if err != nil || !strings.HasPrefix(to, p.server.URL) || q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || q.Get("scope") != "openid" || q.Get("redirect_uri") != "https://desk.relief-a.example/desk/oidc/back" {
		p.w.Fatalf("the browser was sent to %q", to)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	code := rand.Text()
	p.codes[code] = q
	return url.Values{"code": {code}, "state": {q.Get("state")}}
}

func (p *idp) exchange(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked, ok := p.codes[r.FormValue("code")]
	challenge := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if !ok || base64.RawURLEncoding.EncodeToString(challenge[:]) != asked.Get("code_challenge") {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	delete(p.codes, r.FormValue("code"))
	at := p.w.now().Unix()
	claims := map[string]any{"iss": p.server.URL, "sub": "subject-17", "aud": "aidpass", "nonce": asked.Get("nonce"), "iat": at, "exp": at + 300, "auth_time": at, "email": "amina@relief-a.example", "email_verified": false}
	if p.change != nil {
		p.change(claims)
	}
	b, _ := json.Marshal(claims)
	id := oidctest.SignIDToken(p.key, "k", "ES256", string(b))
	if p.token != nil {
		id = p.token(b)
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": id})
}

// linked is a world in which amina's account is opened by the provider's subject-17.
func linked(t *testing.T) (*world, *idp, *member) {
	w, p := newIDP(t)
	m := w.add(own, "amina", access.Registrar)
	b := w.of(m)
	page := b.post("/settings/oidc/add", nil)
	to := regexp.MustCompile(`id="go" href="([^"]+)"`).FindStringSubmatch(page.Body.String())
	if page.Code != 200 || to == nil {
		t.Fatalf("%d\n%s", page.Code, page.Body)
	}
	if a := b.get("/oidc/back?" + p.visit(strings.ReplaceAll(to[1], "&amp;", "&")).Encode()); a.Code != 303 {
		t.Fatalf("adding: %d\n%s", a.Code, a.Body)
	}
	return w, p, m
}

// Row 31: an identity is issuer and subject. Whatever of the answer is another's, or was
// used, lets nobody in; an e-mail address never does.
func TestSigningInAtTheProvider(t *testing.T) {
	w, p, _ := linked(t)
	sign := func(b *browser, spoil func(url.Values)) *httptest.ResponseRecorder {
		q := p.visit(b.get("/oidc?next=/desk/things").Header().Get("Location"))
		if spoil != nil {
			spoil(q)
		}
		return b.get("/oidc/back?" + q.Encode())
	}
	b := w.browser()
	if a := sign(b, nil); a.Code != 303 || a.Header().Get("Location") != "/desk/things" || !strings.Contains(b.get("/").Body.String(), "amina") {
		t.Fatalf("%d to %q\n%s", a.Code, a.Header().Get("Location"), a.Body)
	}
	for name, change := range map[string]func(map[string]any){
		"another issuer":        func(c map[string]any) { c["iss"] = "https://evil.example" },
		"another audience":      func(c map[string]any) { c["aud"] = "others" },
		"another nonce":         func(c map[string]any) { c["nonce"] = "x" },
		"another party":         func(c map[string]any) { c["azp"] = "others" },
		"two audiences, no azp": func(c map[string]any) { c["aud"] = []string{"aidpass", "others"} },
		"an end that is past":   func(c map[string]any) { c["exp"] = now.Unix() - 1 },
		"the e-mail of amina":   func(c map[string]any) { c["sub"] = "subject-99"; c["email_verified"] = true },
	} {
		p.change = change
		if c := sign(w.browser(), nil).Code; c != 403 {
			t.Errorf("%s: %d, want 403", name, c)
		}
	}
	p.change = nil
	for name, token := range map[string]func([]byte) string{
		"without a signature": func(c []byte) string {
			return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(c) + "."
		},
		"no token": func([]byte) string { return "" },
	} {
		p.token = token
		if c := sign(w.browser(), nil).Code; c != 403 {
			t.Errorf("%s: %d, want 403", name, c)
		}
	}
	p.token = nil
	for name, spoil := range map[string]func(url.Values){
		"another state":     func(q url.Values) { q.Set("state", "x") },
		"another provider":  func(q url.Values) { q.Set("iss", "https://evil.example") },
		"no code":           func(q url.Values) { q.Del("code") },
		"a code of no name": func(q url.Values) { q.Set("code", "x") },
	} {
		if c := sign(w.browser(), spoil).Code; c != 403 {
			t.Errorf("%s: %d, want 403", name, c)
		}
	}
	var used url.Values
	b = w.browser()
	sign(b, func(q url.Values) { used = q })
	if c := b.get("/oidc/back?" + used.Encode()).Code; c != 403 {
		t.Errorf("the same answer again: %d, want 403", c)
	}
	b = w.browser()
	q := p.visit(b.get("/oidc").Header().Get("Location"))
	if c := w.browser().get("/oidc/back?" + q.Encode()).Code; c != 403 {
		t.Errorf("in a browser that never left (login CSRF): %d, want 403", c)
	}
}

// The provider proves who it is anew for a step-up, for the account that asked; and an
// invitation can be taken up by it.
func TestTheProviderProvesAndInvites(t *testing.T) {
	w, p, m := linked(t)
	b := w.of(m)
	w.move(access.StepUpLife + 1e9)
	to := b.get("/oidc/proof?next=/desk/settings").Header().Get("Location")
	if q := p.visit(to); !strings.Contains(to, "max_age=0") || b.get("/oidc/back?"+q.Encode()).Code != 303 {
		t.Errorf("the proof: %q", to)
	}
	if c := b.post("/settings/code", nil).Code; c != 200 {
		t.Errorf("after the proof: %d", c)
	}
	p.change = func(c map[string]any) { c["auth_time"] = w.now().Unix() - 3600 }
	q := p.visit(b.get("/oidc/proof").Header().Get("Location"))
	if c := b.get("/oidc/back?" + q.Encode()).Code; c != 403 {
		t.Errorf("a sign-in of an hour ago as a proof: %d, want 403", c)
	}
	p.change = func(c map[string]any) { c["sub"] = "subject-18" }
	in := w.browser()
	q = p.visit(in.get("/join/" + w.invite(own, "v-12", access.Verifier) + "/oidc").Header().Get("Location"))
	if c := in.get("/oidc/back?" + q.Encode()).Code; c != 303 || !strings.Contains(in.get("/").Body.String(), "v-12") {
		t.Errorf("joining by the provider: %d", c)
	}
}
