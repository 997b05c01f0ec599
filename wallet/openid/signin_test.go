package openid_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"aidpass/wallet/openid"
)

// signInServer wants a sign-in, and proves the verifier.
func signInServer(t *testing.T) (s *server, link string, server map[string]any) {
	s = newServer(t)
	b, err := json.Marshal(map[string]any{"credential_issuer": issuer, "credential_configuration_ids": []string{"elig_sd_jwt"},
		"grants": map[string]any{"authorization_code": map[string]any{"issuer_state": "the offer"}}})
	if err != nil {
		t.Fatal(err)
	}
	s.meta = func(m map[string]any) {
		m["credential_configurations_supported"].(map[string]any)["elig_sd_jwt"].(map[string]any)["scope"] = "elig"
	}
	server = map[string]any{"issuer": issuer, "token_endpoint": issuer + "/token", "authorization_endpoint": issuer + "/authorize",
		"code_challenge_methods_supported": []string{"S256"}, "authorization_response_iss_parameter_supported": true}
	return s, "openid-credential-offer://?credential_offer=" + url.QueryEscape(string(b)), server
}

var signsIn = openid.Rules{SignIn: true}

// toVisit goes on until the browser is needed.
func toVisit(t *testing.T, s *server, link string, server map[string]any) (*openid.Issuing, url.Values, error) {
	t.Helper()
	s.answer = at1("oauth-authorization-server", reply(200, server))
	i, err := openid.Begin(link, signsIn, rand.Reader)
	for err == nil {
		var step openid.Step
		if step, err = i.Next(at); err != nil {
			break
		}
		switch step.Do {
		case openid.Fetch:
			err = i.Take(s.serve(step.Request), at)
		case openid.Ask:
			if !step.Offered.MustSignIn || !step.Offered.SignIn {
				t.Errorf("offered %+v", step.Offered)
			}
			err = i.Agree(openid.Agreement{Configurations: []string{"elig_sd_jwt"}, SignIn: &openid.SignIn{Client: "w", Redirect: "http://127.0.0.1:4000/x"}})
		case openid.Visit:
			rest, ok := strings.CutPrefix(step.Redirect, issuer+"/authorize?")
			q, err := url.ParseQuery(rest)
			if !ok || err != nil {
				t.Fatalf("the browser goes to %q: %v", step.Redirect, err)
			}
			return i, q, nil
		default:
			t.Fatalf("told to %s", step.Do)
		}
	}
	return nil, nil, err
}

func TestAnOfferIsTakenUpBySigningIn(t *testing.T) {
	s, link, server := signInServer(t)
	i, asked, err := toVisit(t, s, link, server)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"response_type": "code", "client_id": "w", "redirect_uri": "http://127.0.0.1:4000/x", "scope": "elig", "code_challenge_method": "S256", "issuer_state": "the offer"} {
		if asked.Get(name) != want {
			t.Errorf("%s is %q", name, asked.Get(name))
		}
	}
	back := func(state, iss string) string {
		q := url.Values{"code": {"the code"}, "state": {state}, "iss": {iss}}
		if iss == "" {
			q.Del("iss")
		}
		return q.Encode()
	}
	// The browser takes its time: the page is loaded anew.
	if i, err = openid.ResumeIssuing(i.Encode(), signsIn, rand.Reader); err != nil {
		t.Fatal(err)
	}
	for what, query := range map[string]string{"another's state": back("x", issuer), "no state": "code=c", "another server": back(asked.Get("state"), "https://evil.example"),
		"no server": back(asked.Get("state"), "")} {
		if err := i.TakeCallback(query); why(err) != openid.MixUp {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := i.TakeCallback("state=a&state=b"); why(err) != openid.BadLink {
		t.Error(err)
	}
	if err := i.TakeCallback(back(asked.Get("state"), issuer)); err != nil {
		t.Fatal(err)
	}
	if err := i.TakeCallback(back(asked.Get("state"), issuer)); why(err) != openid.Misused {
		t.Errorf("a second time: %v", err)
	}
	step, err := i.Next(at)
	if err != nil || step.Do != openid.Fetch || step.Request.URL != issuer+"/token" {
		t.Fatalf("%+v, %v", step, err)
	}
	form, err := url.ParseQuery(string(step.Request.Body))
	challenge := sha256.Sum256([]byte(form.Get("code_verifier")))
	if err != nil || form.Get("grant_type") != "authorization_code" || form.Get("code") != "the code" || form.Get("redirect_uri") != asked.Get("redirect_uri") ||
		form.Get("client_id") != "w" || base64.RawURLEncoding.EncodeToString(challenge[:]) != asked.Get("code_challenge") {
		t.Errorf("the token is asked for with %s", step.Request.Body)
	}
	if err := i.Take(reply(200, map[string]any{"access_token": "the-token", "token_type": "Bearer"}), at); err != nil {
		t.Fatal(err)
	}
	if step, err := i.Next(at); err != nil || step.Do != openid.Keys {
		t.Errorf("then %+v, %v", step, err)
	}
}

func TestSignInsThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(map[string]any)
		want   openid.Why
	}{
		"no endpoint":       {func(m map[string]any) { delete(m, "authorization_endpoint") }, openid.Unsupported},
		"http":              {func(m map[string]any) { m["authorization_endpoint"] = "http://relief-a.example/a" }, openid.Unsupported},
		"a plain challenge": {func(m map[string]any) { m["code_challenge_methods_supported"] = []string{"plain"} }, openid.Unsupported},
		"no scope":          {nil, openid.Unsupported},
	} {
		s, link, server := signInServer(t)
		if c.change == nil {
			s.meta = nil
		} else {
			c.change(server)
		}
		if _, _, err := toVisit(t, s, link, server); why(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	s, link, server := signInServer(t)
	if _, err := openid.Begin(link, openid.Rules{}, rand.Reader); why(err) != openid.Unsupported {
		t.Errorf("without a browser: %v", err)
	}
	i, asked, err := toVisit(t, s, link, server)
	if err != nil {
		t.Fatal(err)
	}
	if err := i.TakeCallback(url.Values{"error": {"access_denied"}, "state": {asked.Get("state")}, "iss": {issuer}}.Encode()); why(err) != openid.Refused {
		t.Errorf("denied: %v", err)
	}
	if step, err := i.Next(at); err != nil || step.Do != openid.Ask {
		t.Errorf("after a refusal: %+v, %v", step, err)
	}
	if err := i.TakeCallback(url.Values{"code": {"late"}, "state": {asked.Get("state")}, "iss": {issuer}}.Encode()); why(err) != openid.Misused {
		t.Errorf("a code after a refusal: %v", err)
	}
}
