package openid_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwe"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"

	"aidpass/access"
	"aidpass/schemas"
	"aidpass/verifier/request"
)

// ask starts a request in w.
func (w *world) ask(t *testing.T, change func(*request.Policy)) *request.Started {
	t.Helper()
	p := request.Policy{Wanted: []request.Wanted{{ID: "aid", VCT: schemas.ByName("eligibility").VCT, Claims: []string{"programme"}}},
		Purpose: map[string]string{"en": "To hand out <food>", "ar": "لتوزيع الطعام"}, Base: base,
		Client: request.Client{Scheme: request.DID, DID: "did:web:relief-a.example"}}
	if change != nil {
		change(&p)
	}
	r, err := w.asked.New(t.Context(), access.Actor{ID: "lead-1", Role: access.Issuer}, p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func pathOf(t *testing.T, address string) string {
	t.Helper()
	path, ok := strings.CutPrefix(address, "https://relief-a.example")
	if !ok {
		t.Fatalf("%s is elsewhere", address)
	}
	return path
}

// post sends a wallet's form to where the request wants it.
func (w *world) post(t *testing.T, r *request.Started, f url.Values) *httptest.ResponseRecorder {
	t.Helper()
	return w.do("POST", pathOf(t, r.ResponseURI()), f.Encode(), "Content-Type", isForm)
}

func inClear(p *request.Policy) { p.Mode = request.DirectPost }

func TestAWalletFetchesASignedRequestWithItsOwnNonce(t *testing.T) {
	w := newWorld(t)
	r := w.ask(t, nil)
	path := pathOf(t, r.RequestURI())
	for what, c := range map[string]struct {
		answer *httptest.ResponseRecorder
		nonce  any
	}{
		"get":  {w.do("GET", path, ""), nil},
		"post": {w.do("POST", path, "wallet_nonce=mine&wallet_metadata=%7B%7D", "Content-Type", isForm), "mine"},
	} {
		if c.answer.Code != 200 || c.answer.Header().Get("Content-Type") != "application/oauth-authz-req+jwt" || c.answer.Header().Get("Cache-Control") != "no-store" {
			t.Fatalf("%s: %d %v %s", what, c.answer.Code, c.answer.Header(), c.answer.Body)
		}
		payload, err := jws.Verify(c.answer.Body.Bytes(), jws.WithKey(jwa.ES256(), &w.signer.PublicKey))
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		var claims map[string]any
		if err := json.Unmarshal(payload, &claims); err != nil || claims["wallet_nonce"] != c.nonce || claims["response_uri"] != r.ResponseURI() {
			t.Errorf("%s: %v %s", what, err, payload)
		}
	}
	if a := w.do("GET", "/org/request/other", ""); a.Code != 404 {
		t.Errorf("no such request: %d", a.Code)
	}
	if a := w.do("POST", path, "wallet_nonce=a&wallet_nonce=b", "Content-Type", isForm); a.Code != 400 {
		t.Errorf("two nonces: %d", a.Code)
	}
	w.now = w.now.Add(time.Hour)
	if a := w.do("GET", path, ""); a.Code != 410 || fault(t, a) != "invalid_request" {
		t.Errorf("an hour later: %d %s", a.Code, a.Body)
	}
}

func TestRequestsAreSignedByTheKeyOfTheMoment(t *testing.T) {
	w := newWorld(t)
	r := w.ask(t, nil)
	next, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	*w.signer = *next
	a := w.do("GET", pathOf(t, r.RequestURI()), "")
	if _, err := jws.Verify(a.Body.Bytes(), jws.WithKey(jwa.ES256(), &next.PublicKey)); a.Code != 200 || err != nil {
		t.Errorf("after the key became another: %d %v", a.Code, err)
	}
}

func TestAnEncryptedAnswerIsOpenedWithTheKeyOfItsRequest(t *testing.T) {
	w := newWorld(t)
	r := w.ask(t, nil)
	a := w.do("GET", pathOf(t, r.RequestURI()), "")
	payload, err := jws.Verify(a.Body.Bytes(), jws.WithKey(jwa.ES256(), &w.signer.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	var object struct {
		State    string
		Metadata struct {
			JWKS json.RawMessage
		} `json:"client_metadata"`
	}
	if err := json.Unmarshal(payload, &object); err != nil {
		t.Fatal(err)
	}
	set, err := jwk.Parse(object.Metadata.JWKS)
	if err != nil {
		t.Fatal(err)
	}
	key, _ := set.Key(0)
	seal := func(plain string, enc jwa.ContentEncryptionAlgorithm, more ...jwe.EncryptOption) string {
		b, err := jwe.Encrypt([]byte(plain), append(more, jwe.WithKey(jwa.ECDH_ES(), key), jwe.WithContentEncryption(enc))...)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	said := `{"error":"access_denied","state":"` + object.State + `"}`
	for _, c := range []struct{ what, sealed string }{
		{"compressed", seal(said, jwa.A128GCM(), jwe.WithCompress(jwa.Deflate()))},
		{"another enc", seal(said, jwa.A128CBC_HS256())},
		{"not a JWE", "a.b.c.d.e"},
		{"a member twice", seal(`{"error":"access_denied","error":"x","state":"`+object.State+`"}`, jwa.A256GCM())},
	} {
		if a := w.post(t, r, url.Values{"response": {c.sealed}}); a.Code != 400 || fault(t, a) != "invalid_request" {
			t.Errorf("%s: %d %s", c.what, a.Code, a.Body)
		}
	}
	if a := w.post(t, r, url.Values{"vp_token": {"{}"}, "state": {object.State}}); a.Code != 400 {
		t.Errorf("in the clear: %d", a.Code)
	}
	if a := w.post(t, r, url.Values{"response": {seal(said, jwa.A256GCM())}}); a.Code != 200 || a.Body.String() != "{}" {
		t.Fatalf("a sound answer: %d %s", a.Code, a.Body)
	}
	got, err := w.asked.Get(t.Context(), r.ID)
	if err != nil || got.Status != request.Denied {
		t.Errorf("%v, %v", got.Status, err)
	}
}

// THREATS 4.4, row 38: what was shown is seen by the browser that asked alone.
func TestOnlyTheSessionThatAskedSeesTheAnswer(t *testing.T) {
	w := newWorld(t)
	r := w.ask(t, inClear)
	path := pathOf(t, r.ResultURI())
	entered := w.do("GET", path+"/for/"+r.Session, "")
	cookies := entered.Result().Cookies()
	if entered.Code != 303 || entered.Header().Get("Location") != path || len(cookies) != 1 {
		t.Fatalf("%d %v", entered.Code, entered.Header())
	}
	if c := cookies[0]; !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != path || c.MaxAge <= 0 || c.MaxAge > 86400+900 || !strings.HasPrefix(c.Name, "__Secure-") {
		t.Errorf("the cookie is %+v", c)
	}
	// A browser that asked a thousand times sends one of them to a page, and none elsewhere.
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{path, pathOf(t, w.ask(t, inClear).ResultURI()), pathOf(t, r.RequestURI())} {
		at := &url.URL{Scheme: "https", Host: "relief-a.example", Path: other}
		if jar.SetCookies(&url.URL{Scheme: "https", Host: "relief-a.example", Path: path + "/for/" + r.Session}, cookies); len(jar.Cookies(at)) > 0 != (other == path) {
			t.Errorf("%s gets %v", other, jar.Cookies(at))
		}
	}
	mine := []string{"Cookie", cookies[0].Name + "=" + cookies[0].Value}
	open := w.do("GET", path, "", mine...)
	for _, text := range []string{"To hand out &lt;food&gt;", "data:image/png", `href="openid4vp://?`} {
		if !strings.Contains(open.Body.String(), text) {
			t.Errorf("the page of an open request is without %q", text)
		}
	}
	if open.Header().Get("Refresh") == "" || open.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%v", open.Header())
	}
	for what, a := range map[string]*httptest.ResponseRecorder{
		"without a cookie":         w.do("GET", path, ""),
		"with another's":           w.do("GET", path, "", "Cookie", cookies[0].Name+"=AAAAAAAAAAAAAAAAAAAAAA"),
		"by another's address":     w.do("GET", path+"/for/AAAAAAAAAAAAAAAAAAAAAA", ""),
		"as a program, no bearer":  w.do("GET", path+"/json", ""),
		"as a program, by cookie":  w.do("GET", path+"/json", "", mine...),
		"as a program, in address": w.do("GET", path+"/json?access_token="+r.Session, ""),
	} {
		if a.Code != 403 || strings.Contains(a.Body.String(), "food") || len(a.Result().Cookies()) > 0 {
			t.Errorf("%s: %d", what, a.Code)
		}
	}
	bearer := []string{"Authorization", "Bearer " + r.Session}
	if a := w.do("GET", path+"/json", "", bearer...); a.Code != 200 || !strings.Contains(a.Body.String(), `"status":"open"`) {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	w.post(t, r, url.Values{"error": {"access_denied"}, "state": {r.State}})
	if a := w.do("GET", path+"/json?wait=20", "", bearer...); a.Code != 200 || !strings.Contains(a.Body.String(), `"status":"denied"`) {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	page := w.do("GET", path+"?lang=ar", "", mine...)
	if page.Header().Get("Refresh") != "" || !strings.Contains(page.Body.String(), "رفض") || !strings.Contains(page.Body.String(), `dir="rtl"`) {
		t.Errorf("the page of a refusal: %s", page.Body)
	}
	for _, secret := range []string{r.ID, r.Handle, r.Session, r.State} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

func TestOnOneDeviceTheWalletBringsTheBrowserBack(t *testing.T) {
	w := newWorld(t)
	r := w.ask(t, func(p *request.Policy) { inClear(p); p.SameDevice = true })
	path := pathOf(t, r.ResultURI())
	cookie := w.do("GET", path+"/for/"+r.Session, "").Result().Cookies()[0]
	mine := []string{"Cookie", cookie.Name + "=" + cookie.Value}
	a := w.post(t, r, url.Values{"error": {"access_denied"}, "state": {r.State}})
	var reply struct {
		RedirectURI string `json:"redirect_uri"`
	}
	if err := json.Unmarshal(a.Body.Bytes(), &reply); err != nil || a.Code != 200 {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	back := pathOf(t, reply.RedirectURI)
	if a := w.do("GET", back, "", mine...); a.Code != 200 || !strings.Contains(a.Body.String(), "said no") || !strings.Contains(a.Body.String(), "&amp;response_code=") {
		t.Errorf("back in the browser that asked: %d %s", a.Code, a.Body)
	}
	if a := w.do("GET", back, ""); a.Code != 403 {
		t.Errorf("in another browser: %d", a.Code)
	}
	if a := w.do("GET", path, "", mine...); a.Code != 403 {
		t.Errorf("without the wallet's code: %d", a.Code)
	}
}

func TestAnswersAreFormsOfOneValueEach(t *testing.T) {
	w := newWorld(t)
	r := w.ask(t, inClear)
	path := pathOf(t, r.ResponseURI())
	for what, a := range map[string]*httptest.ResponseRecorder{
		"state twice":      w.do("POST", path, "error=access_denied&state="+r.State+"&state=x", "Content-Type", isForm),
		"in the address":   w.do("POST", path+"?state="+r.State, "error=access_denied", "Content-Type", isForm),
		"JSON":             w.do("POST", path, "{}", "Content-Type", isJSON),
		"a megabyte":       w.do("POST", path, "vp_token="+strings.Repeat("a", 1<<20), "Content-Type", isForm),
		"another state":    w.do("POST", path, "error=access_denied&state=x", "Content-Type", isForm),
		"another's handle": w.do("POST", path+"x", "error=access_denied&state="+r.State, "Content-Type", isForm),
	} {
		if a.Code < 400 || a.Code >= 500 {
			t.Errorf("%s: %d", what, a.Code)
		}
	}
	if got, err := w.asked.Get(t.Context(), r.ID); err != nil || got.Status != request.Open {
		t.Errorf("the request is %v, %v; want it open still", got.Status, err)
	}
}
