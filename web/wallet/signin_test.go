package wallet_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// signInHouse is issuer with a page to sign in at, which answers as mood says.
type signInHouse struct {
	t      *testing.T
	cards  http.Handler
	mood   atomic.Value // "yes", "no" (access_denied), "away" (the page stays), "stranger" (another state)
	asked  atomic.Value // url.Values of the newest visit
	tokens atomic.Int64
}

func (s *signInHouse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	base := "http://" + r.Host + "/i1"
	say := func(v any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(v); err != nil {
			s.t.Error(err)
		}
	}
	type o = map[string]any
	switch r.URL.Path {
	case "/.well-known/openid-credential-issuer/i1":
		rec := httptest.NewRecorder()
		s.cards.ServeHTTP(rec, r)
		var meta o
		if err := json.Unmarshal(rec.Body.Bytes(), &meta); err != nil {
			s.t.Error(err)
		}
		meta["credential_configurations_supported"].(o)["card"].(o)["scope"] = "card"
		say(meta)
	case "/.well-known/oauth-authorization-server/i1":
		say(o{"issuer": base, "token_endpoint": base + "/t", "authorization_endpoint": base + "/authorize", "code_challenge_methods_supported": []string{"S256"}, "authorization_response_iss_parameter_supported": true})
	case "/i1/authorize":
		q := r.URL.Query()
		s.asked.Store(q)
		back := url.Values{"state": {q.Get("state")}, "iss": {base}, "code": {"the code"}}
		switch s.mood.Load() {
		case "no":
			back.Del("code")
			back.Set("error", "access_denied")
		case "stranger":
			back.Set("state", "another")
		case "away":
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(`<!doctype html><title>Sign in</title><main id="screen" data-screen="theirs"><h1 id="title">Sign in</h1></main>`))
			return
		}
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusSeeOther)
	case "/i1/t":
		if err := r.ParseForm(); err != nil {
			s.t.Error(err)
		}
		q, sum := s.asked.Load().(url.Values), sha256.Sum256([]byte(r.Form.Get("code_verifier")))
		if r.Form.Get("code") != "the code" || r.Form.Get("redirect_uri") != q.Get("redirect_uri") || r.Form.Get("client_id") != q.Get("client_id") ||
			q.Get("code_challenge_method") != "S256" || base64.RawURLEncoding.EncodeToString(sum[:]) != q.Get("code_challenge") {
			s.t.Errorf("the token is asked for with %v after %v", r.Form, q)
		}
		s.tokens.Add(1)
		s.cards.ServeHTTP(w, r)
	default:
		s.cards.ServeHTTP(w, r)
	}
}

// An offer that wants a sign-in takes the browser to the issuer's page and back. What the
// answer must name survives the page, sealed in the pocket; it is good once; and no, nobody
// and somebody else's answer each leave the offer where it was.
func TestAnOfferIsTakenBySigningIn(t *testing.T) {
	t.Parallel()
	house := &signInHouse{t: t, cards: issuer(t)}
	house.mood.Store("no")
	server := serve(t, house)
	p := newPhone(t, server)
	p.begun("en")
	offer := "openid-credential-offer://?credential_offer=" + url.QueryEscape(`{"credential_issuer":"`+server.URL+`/i1","credential_configuration_ids":["card"],"grants":{"authorization_code":{"issuer_state":"the offer"}}}`)

	p.take(offer)
	p.screen("offered")
	if p.Text("#screen") == "" || eval[bool](p, `!!document.getElementById("code")`) {
		t.Error("a code is asked for where she signs in")
	}
	p.Click("yes")
	p.screen("sign-in")
	if host := strings.TrimPrefix(server.URL, "http://"); !strings.Contains(p.Text("#screen"), host) {
		t.Errorf("where she signs in is not said: %q", p.Text("#screen"))
	}
	p.Click("yes")
	p.screen("open-pin") // the page was loaded anew
	if at := eval[string](p, `location.href`); strings.Contains(at, "?") {
		t.Errorf("the sign-in stays in the address: %s", at)
	}
	unlock := func(then string) {
		t.Helper()
		p.screen("open-pin")
		p.Fill("pin", pin)
		p.Click("pin-go")
		p.screen(then)
	}
	unlock("offered") // she said no there: asked once more
	if !strings.Contains(p.Text("#screen"), "Nobody signed in") {
		t.Errorf("after a no: %q", p.Text("#screen"))
	}

	// Somebody else's answer, and a way back without one.
	house.mood.Store("stranger")
	first := house.asked.Load().(url.Values).Get("state")
	p.Click("yes")
	p.screen("sign-in")
	p.Click("yes")
	unlock("sign-in")
	if !strings.Contains(p.Text("#screen"), "Somebody else answered") || house.tokens.Load() != 0 {
		t.Errorf("after another's answer: %q", p.Text("#screen"))
	}
	if house.asked.Load().(url.Values).Get("state") == first {
		t.Error("one state for two sign-ins")
	}
	house.mood.Store("away")
	p.Click("yes")
	p.screen("theirs")
	p.open()
	unlock("my-cards")
	house.mood.Store("yes")
	p.Click("half")
	p.screen("sign-in")
	p.Click("yes")
	unlock("received")
	p.Click("go")
	p.screen("one-card")
	if n := house.tokens.Load(); n != 1 {
		t.Errorf("%d tokens were asked for", n)
	}
	used := house.asked.Load().(url.Values)
	for _, secret := range []string{used.Get("state"), "the code"} {
		if strings.Contains(p.left(), secret) {
			t.Errorf("%q is left in the clear", secret)
		}
	}

	// The same answer once more is none.
	p.Open(p.url + "?code=the+code&state=" + used.Get("state"))
	unlock("my-cards")
	if n := house.tokens.Load(); n != 1 {
		t.Error("a used answer was used again")
	}
}
