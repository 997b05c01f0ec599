package openid_test

import (
	"crypto/ecdsa"
	"errors"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwe"
	"github.com/lestrrat-go/jwx/v3/jwk"

	"aidpass/internal/jose"
	"aidpass/issuer/offer"
	"aidpass/schemas"
	"aidpass/web/api"
)

func TestAWalletTakesAnOfferUp(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		what   string
		answer *httptest.ResponseRecorder
		status int
		body   string
		cache  string
	}{
		{"issuer metadata, its name before the path", w.do("GET", "/.well-known/openid-credential-issuer/org", ""), 200, base, "public, max-age=300"},
		{"server metadata", w.do("GET", "/.well-known/oauth-authorization-server/org", ""), 200, base, "public, max-age=300"},
		{"type metadata under the path of its vct", w.do("GET", "/elig", ""), 200, "https://aidpass.example/elig", "public, max-age=300"},
		{"offer by reference", w.do("GET", "/org/offer/"+reference, ""), 200, `"pre-authorized_code":"the-secret-code"`, "no-store"},
		{"offer that is not there", w.do("GET", "/org/offer/other", ""), 404, "not_found", "no-store"},
		{"token", w.token("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Apre-authorized_code&pre-authorized_code=c&tx_code=123456&unknown=1"), 200, good, "no-store"},
		{"nonce", w.do("POST", "/org/nonce", ""), 200, "c_nonce", "no-store"},
		{"credential", w.credential(`{"credential_configuration_id":"x"}`), 200, `{"credentials":[{"credential":"a~b~"}]`, "no-store"},
		{"deferred", w.do("POST", "/org/deferred", `{"transaction_id":"t"}`, "Content-Type", isJSON, "Authorization", "bearer "+good), 200, "credentials", "no-store"},
		{"notification", w.do("POST", "/org/notification", `{}`, "Content-Type", isJSON, "Authorization", "Bearer "+good), 204, "", "no-store"},
	} {
		if c.answer.Code != c.status || !strings.Contains(c.answer.Body.String(), c.body) || c.answer.Header().Get("Cache-Control") != c.cache {
			t.Errorf("%s: %d %q, %s; want %d %q, %s", c.what, c.answer.Code, c.answer.Header().Get("Cache-Control"), c.answer.Body, c.status, c.cache, c.body)
		}
	}
	if a := w.desk.asked; a.Code != "c" || a.TxCode != "123456" || a.GrantType != offer.GrantPreAuthorized || a.From == "" {
		t.Errorf("the desk was asked %+v", a)
	}
	w.desk.later = true
	if a := w.credential("{}"); a.Code != 202 || !strings.Contains(a.Body.String(), `"transaction_id":"t"`) {
		t.Errorf("later: %d %s", a.Code, a.Body)
	}
}

// THREATS 4.4, row 39, and row 21: tokens in an address.
func TestHostileRequestsAreRefusedEarly(t *testing.T) {
	w := newWorld(t)
	large := strings.Repeat("a", 300<<10)
	for _, c := range []struct {
		what   string
		answer *httptest.ResponseRecorder
		status int
		code   string
	}{
		{"a field twice", w.token("grant_type=x&tx_code=1&tx_code=1"), 400, "invalid_request"},
		{"an unknown field twice", w.token("grant_type=x&u=1&u=2"), 400, "invalid_request"},
		{"a field twice, once escaped", w.token("tx_code=1&tx%5Fcode=2"), 400, "invalid_request"},
		{"not UTF-8", w.token("tx_code=%ff"), 400, "invalid_request"},
		{"a broken escape", w.token("tx_code=%f"), 400, "invalid_request"},
		{"a hundred fields", w.token(strings.Repeat("a=&", 100)), 400, "invalid_request"},
		{"a large form", w.token("a=" + large), 413, "invalid_request"},
		{"JSON for a form", w.do("POST", "/org/token", "{}", "Content-Type", isJSON), 415, "invalid_request"},
		{"no content type", w.do("POST", "/org/token", "a=b"), 415, "invalid_request"},
		{"two content types", w.token("a=b", "Content-Type", isForm), 415, "invalid_request"},
		{"another character set", w.do("POST", "/org/token", "a=b", "Content-Type", isForm+"; charset=utf-16"), 415, "invalid_request"},
		{"parameters of a token request in the address", w.do("POST", "/org/token?tx_code=1", "a=b", "Content-Type", isForm), 400, "invalid_request"},
		{"an access token in the address", w.do("POST", "/org/credential?access_token="+good, "{}", "Content-Type", isJSON), 400, "invalid_request"},
		{"a form at the credential endpoint", w.do("POST", "/org/credential", "access_token="+good, "Content-Type", isForm), 415, "invalid_request"},
		{"a large request", w.credential(large), 413, "invalid_request"},
		{"no token", w.do("POST", "/org/credential", "{}", "Content-Type", isJSON), 401, "invalid_token"},
		{"two tokens", w.credential("{}", "Authorization", "Bearer other"), 401, "invalid_token"},
		{"basic", w.do("POST", "/org/credential", "{}", "Content-Type", isJSON, "Authorization", "Basic "+good), 401, "invalid_token"},
		{"get", w.do("GET", "/org/token", ""), 404, "not_found"},
		{"another host", w.send(httptest.NewRequest("POST", "https://evil.example/org/nonce", nil)), 421, "unknown_host"},
	} {
		if got := fault(t, c.answer); c.answer.Code != c.status || got != c.code {
			t.Errorf("%s: %d %q, want %d %q", c.what, c.answer.Code, got, c.status, c.code)
		}
		if c.answer.Code == 401 && !strings.HasPrefix(c.answer.Header().Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%s: no challenge", c.what)
		}
	}
	if len(w.desk.bodies) > 0 {
		t.Errorf("issued: %q", w.desk.bodies)
	}
	body := &endless{}
	r := httptest.NewRequest("POST", "https://relief-a.example/org/credential", body)
	r.ContentLength = -1 // chunks without an end
	if a := w.send(r, "Content-Type", isJSON, "Authorization", "Bearer "+good); a.Code != 413 || body.taken > 1<<20 {
		t.Errorf("endless: %d after %d bytes", a.Code, body.taken)
	}
	declared := &endless{}
	r = httptest.NewRequest("POST", "https://relief-a.example/org/token", declared)
	r.ContentLength = 100 << 20
	if a := w.send(r, "Content-Type", isForm); a.Code != 413 || declared.taken != 0 {
		t.Errorf("100 MB: %d after %d bytes", a.Code, declared.taken)
	}
}

func TestFaultsOfTheServerTellWalletsWhenToComeAgain(t *testing.T) {
	w := newWorld(t)
	w.desk.err = &offer.Error{Code: offer.SlowDown, Status: 429}
	if a := w.token("a=b"); a.Code != 429 || a.Header().Get("Retry-After") != "40" {
		t.Errorf("%d, Retry-After %q, want 429 and the 40 s that are left of the minute", a.Code, a.Header().Get("Retry-After"))
	}
	w.desk.err = api.ErrBusy
	if a := w.token("a=b"); a.Code != 503 || a.Header().Get("Retry-After") == "" {
		t.Errorf("%d, Retry-After %q", a.Code, a.Header().Get("Retry-After"))
	}
	w.desk.err = errors.New("store: secret detail")
	if a := w.credential("{}"); a.Code != 500 || strings.Contains(a.Body.String(), "secret detail") {
		t.Errorf("%d %s", a.Code, a.Body)
	}
}

// THREATS 4.4, row 40.
func TestPagesOfOtherOriginsGetWhatAWalletNeedsAndNoMore(t *testing.T) {
	w := newWorld(t)
	evil := []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}
	for _, c := range []struct {
		what    string
		method  string
		path    string
		headers []string
		status  int
		allowed string
	}{
		{"a browser wallet asks for a nonce", "POST", "/org/nonce", evil, 200, "*"},
		{"and before that whether it may", "OPTIONS", "/org/credential", append(evil, "Access-Control-Request-Method", "POST"), 204, "*"},
		{"metadata", "GET", "/.well-known/openid-credential-issuer/org", evil, 200, "*"},
		{"an offer", "GET", "/org/offer/" + reference, evil, 200, "*"},
		{"with a cookie", "POST", "/org/nonce", append(evil, "Cookie", "a=b"), 200, ""},
		{"from nowhere", "POST", "/org/nonce", []string{"Origin", "null"}, 200, ""},
		{"the page for people", "GET", "/org/offer/" + reference + "/page", evil, 200, ""},
		{"what only this origin may do", "POST", "/api/v1/enrol", evil, 403, ""},
		{"and no leave for it", "OPTIONS", "/api/v1/enrol", evil, 204, ""},
	} {
		a := w.do(c.method, c.path, "", c.headers...)
		got := a.Header().Get("Access-Control-Allow-Origin")
		if a.Code != c.status || got != c.allowed || a.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %d, origin %q; want %d, %q", c.what, a.Code, got, c.status, c.allowed)
		}
		if c.method == "OPTIONS" && c.allowed != "" && !strings.Contains(a.Header().Get("Access-Control-Allow-Headers"), "Authorization") {
			t.Errorf("%s: no Authorization", c.what)
		}
	}
}

func TestNothingOfAnOfferGetsIntoTheLog(t *testing.T) {
	w := newWorld(t)
	w.do("GET", "/org/offer/"+reference, "")
	w.do("GET", "/org/offer/"+reference+"/page", "")
	w.token("pre-authorized_code=the-secret-code&tx_code=123456")
	w.credential(`{"proofs":{"jwt":["a-proof"]}}`)
	w.do("GET", "/org/offer/"+reference+"/page/more", "")
	for _, secret := range []string{reference, "the-secret-code", "123456", good, "a-proof", "a~b~"} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log has %q:\n%s", secret, w.log)
		}
	}
	if !strings.Contains(w.log.String(), "/offer/:reference/page") {
		t.Errorf("the log names no route:\n%s", w.log)
	}
}

func TestTheOfferPageTellsTheHolderWhatToDo(t *testing.T) {
	w := newWorld(t)
	for lang, want := range map[string][]string{
		"en": {`dir="ltr"`, "code of six digits"}, "fr": {"six chiffres"}, "es": {"seis cifras"}, "ar": {`dir="rtl"`, "ستة أرقام"}, "sw": {"tarakimu sita"},
	} {
		label := schemas.ByName("eligibility").Labels[lang]
		if label == "" {
			t.Fatalf("no label in %s", lang)
		}
		want = append(want, html.EscapeString(label))
		a := w.do("GET", "/org/offer/"+reference+"/page?lang="+lang, "")
		if body := a.Body.String(); !strings.Contains(body, `href="/wallet/"`) || strings.Count(body, "openid-credential-offer://") != 2 {
			t.Errorf("%s: no way to the wallet app, or no link to copy into it", lang)
		}
		page := a.Body.String()
		for _, text := range append(want, `lang="`+lang+`"`, `href="openid-credential-offer://?credential_offer_uri=https%3A%2F%2Frelief-a.example%2Forg%2Foffer%2F`+reference+`"`, "data:image/png") {
			if !strings.Contains(page, text) {
				t.Errorf("%s: without %q", lang, text)
			}
		}
		for _, not := range []string{"<script", "<form", "the-secret-code", "<no value>"} {
			if strings.Contains(page, not) {
				t.Errorf("%s: with %q", lang, not)
			}
		}
		if a.Code != 200 || a.Header().Get("Cache-Control") != "no-store" || a.Header().Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %d %v", lang, a.Code, a.Header())
		}
	}
	if a := w.do("GET", "/org/offer/other/page", ""); a.Code != 404 || !strings.Contains(a.Body.String(), "Ask at the desk") {
		t.Errorf("an offer that is gone: %d %s", a.Code, a.Body)
	}
}

// wallet encrypts requests and opens answers with the library itself.
type wallet struct {
	private *ecdsa.PrivateKey
	jwk     string
}

func newWallet(t *testing.T) *wallet {
	t.Helper()
	key := newPrivate(t)
	k, err := jwk.Import(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	k.Set(jwk.KeyIDKey, "mine")
	k.Set(jwk.AlgorithmKey, jwa.ECDH_ES())
	return &wallet{key, string(text(t, k))}
}

func (w *world) sealed(t *testing.T, body string) string {
	t.Helper()
	k, err := jwk.ParseKey(w.key.JWK().Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	b, err := jwe.Encrypt([]byte(body), jwe.WithKey(jwa.ECDH_ES(), k), jwe.WithContentEncryption(jwa.A128GCM()))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCredentialsAreEncryptedWhereTheWalletWantsIt(t *testing.T) {
	w, mine := newWorld(t), newWallet(t)
	for _, enc := range []string{"A128GCM", "A256GCM"} {
		body := `{"credential_configuration_id":"x","credential_response_encryption":{"jwk":` + mine.jwk + `,"enc":"` + enc + `"}}`
		a := w.do("POST", "/org/credential", w.sealed(t, body), "Content-Type", isJWT, "Authorization", "Bearer "+good)
		if a.Code != 200 || a.Header().Get("Content-Type") != isJWT {
			t.Fatalf("%s: %d %s", enc, a.Code, a.Body)
		}
		m, err := jwe.Parse(a.Body.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		kid, _ := m.ProtectedHeaders().KeyID()
		said, _ := m.ProtectedHeaders().ContentEncryption()
		plain, err := jwe.Decrypt(a.Body.Bytes(), jwe.WithKey(jwa.ECDH_ES(), mine.private))
		if err != nil || kid != "mine" || said.String() != enc || !strings.Contains(string(plain), `"credential":"a~b~"`) {
			t.Errorf("%s: kid %q, enc %q, %v, %s", enc, kid, said, err, plain)
		}
	}
	issued := len(w.desk.bodies)
	wish := func(jwk, enc, more string) string {
		return `{"credential_response_encryption":{"jwk":` + jwk + `,"enc":"` + enc + `"` + more + `}}`
	}
	for _, c := range []struct{ what, body string }{
		{"compression", wish(mine.jwk, "A128GCM", `,"zip":"DEF"`)},
		{"another content encryption", wish(mine.jwk, "A128CBC-HS256", "")},
		{"a key without alg", wish(strings.Replace(mine.jwk, `"alg":"ECDH-ES",`, "", 1), "A128GCM", "")},
		{"a key for key wrapping", wish(strings.Replace(mine.jwk, "ECDH-ES", "ECDH-ES+A128KW", 1), "A128GCM", "")},
		{"a private key", wish(strings.Replace(mine.jwk, `{`, `{"d":"AA",`, 1), "A128GCM", "")},
		{"RSA", wish(`{"kty":"RSA","alg":"RSA1_5","n":"AA","e":"AQAB"}`, "A128GCM", "")},
		{"a point off the curve", wish(`{"kty":"EC","crv":"P-256","alg":"ECDH-ES","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"}`, "A128GCM", "")},
		{"a name in escapes", strings.Replace(wish(mine.jwk, "none", ""), "credential_response", `\u0063redential_response`, 1)},
	} {
		a := w.do("POST", "/org/credential", w.sealed(t, c.body), "Content-Type", isJWT, "Authorization", "Bearer "+good)
		if got := fault(t, a); a.Code != 400 || got != offer.InvalidEncryptionParameters {
			t.Errorf("%s: %d %q", c.what, a.Code, got)
		}
	}
	if a := w.credential(wish(mine.jwk, "A128GCM", "")); fault(t, a) != offer.InvalidEncryptionParameters {
		t.Errorf("a wish in the open: %d %s", a.Code, a.Body)
	}
	if a := w.do("POST", "/org/credential", "no.jwe", "Content-Type", isJWT); fault(t, a) != offer.InvalidEncryptionParameters {
		t.Errorf("not encrypted: %d %s", a.Code, a.Body)
	}
	if len(w.desk.bodies) != issued {
		t.Error("issued before it was clear how to answer")
	}
}

func TestMetadataNamesWhatIsEncryptedAndHow(t *testing.T) {
	w := newWorld(t)
	v := w.key.RequestEncryption()
	keys := v.Get("jwks").Get("keys").Items
	if len(keys) != 1 || keys[0].Get("kid").Text == "" || keys[0].Get("alg").Text != "ECDH-ES" || keys[0].Get("d").Kind != jose.Missing {
		t.Errorf("%s", v.Append(nil))
	}
	if http.StatusOK != w.do("HEAD", "/.well-known/oauth-authorization-server/org", "").Code {
		t.Error("HEAD of metadata")
	}
}
