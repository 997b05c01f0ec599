package vcjwt_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jws"

	"aidpass/credential"
	"aidpass/credential/vcjwt"
	"aidpass/internal/cose"
	"aidpass/internal/did"
	"aidpass/internal/jose"
	"aidpass/words"
)

var (
	p256, _     = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	phone, _    = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	stranger, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, edKey, _ = ed25519.GenerateKey(rand.Reader)
	now         = credential.Time(1795219200) // 2026-11-21T00:00:00Z
)

// made is v, unless there was an error.
func made[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func keyOf(s crypto.Signer) *cose.Key { return made(cose.NewKey(s.Public())) }
func parsed(s string) jose.Value      { return made(jose.ParseJSON([]byte(s), jose.DefaultLimits)) }

func draft() vcjwt.Draft {
	return vcjwt.Draft{
		Issuer: "https://relief-a.example/i1", Type: "https://aidpass.example/elig", ID: "c-1", IssuedAt: now, ExpiresAt: now + 86400,
		StatusURI: "https://relief-a.example/s/1", StatusIndex: 7, HolderKey: keyOf(phone), Claims: parsed(`{"programme":"K7Q2","round":3}`),
	}
}

func signed(s crypto.Signer, p *vcjwt.Prepared) string {
	return string(made(p.Attach(made(cose.SignRaw(s, p.ToBeSigned())))))
}

func open(text string, s crypto.Signer) (*vcjwt.Credential, error) {
	e, err := vcjwt.Parse(text)
	if err != nil {
		return nil, err
	}
	return vcjwt.Open(e, keyOf(s))
}

func TestACredentialComesBackAsItWasWritten(t *testing.T) {
	for name, s := range map[string]crypto.Signer{"P-256": p256, "Ed25519": edKey} {
		d := draft()
		d.NotBefore = now + 60
		p := made(vcjwt.Prepare(keyOf(s), d))
		text := signed(s, p)
		e := made(vcjwt.Parse(text))
		if e.Form != credential.FormVCJWT || string(e.Issuer) != d.Issuer || string(e.Type) != d.Type || string(e.KeyID) != jose.KeyID(keyOf(s)) {
			t.Errorf("%s: hints are %q %q %q", name, e.Issuer, e.Type, e.KeyID)
		}
		c, err := vcjwt.Open(e, keyOf(s))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !c.Proven() || c.IssuedAt != now || c.NotBefore != now+60 || c.ExpiresAt != d.ExpiresAt || string(c.ID) != "c-1" ||
			string(c.Status.URI) != d.StatusURI || c.Status.Index != 7 || c.Holder.Thumbprint() != keyOf(phone).Thumbprint() || !bytes.Equal(c.HolderKey, keyOf(phone).Append(nil)) {
			t.Errorf("%s: got %+v", name, c)
		}
		if got, want := string(c.Claims.Sorted().Append(nil)), `{"programme":"K7Q2","round":3}`; got != want {
			t.Errorf("%s: claims are %q, want %q", name, got, want)
		}
		if _, err := vcjwt.Open(e, keyOf(stranger)); err == nil {
			t.Errorf("%s: opens under another key", name)
		}
		if _, err := p.Attach(made(cose.SignRaw(stranger, p.ToBeSigned()))); !errors.Is(err, jose.ErrSignature) {
			t.Errorf("%s: took another's signature: %v", name, err)
		}
		alg := jwa.ES256()
		if name == "Ed25519" {
			alg = jwa.EdDSA()
		}
		if _, err := jws.Verify([]byte(text), jws.WithKey(alg, s.Public())); err != nil {
			t.Errorf("%s: another library refuses it: %v", name, err)
		}
	}
}

func TestPrepareRefuses(t *testing.T) {
	for name, change := range map[string]func(*vcjwt.Draft){
		"an end before the beginning": func(d *vcjwt.Draft) { d.NotBefore = d.ExpiresAt },
		"no issuer":                   func(d *vcjwt.Draft) { d.Issuer = "" },
		"no type of its own":          func(d *vcjwt.Draft) { d.Type = "VerifiableCredential" },
		"claims that are none":        func(d *vcjwt.Draft) { d.Claims = jose.Value{} },
		"a subject of the caller's":   func(d *vcjwt.Draft) { d.Claims = parsed(`{"id":"did:key:z"}`) },
		"claims too deep": func(d *vcjwt.Draft) {
			d.Claims = parsed(`{"a":` + strings.Repeat("[", 10) + strings.Repeat("]", 10) + `}`)
		},
		"a header given twice": func(d *vcjwt.Draft) { d.Header = []jose.Member{{Name: "typ", Value: jose.StringOf("JWT")}} },
	} {
		d := draft()
		change(&d)
		if _, err := vcjwt.Prepare(keyOf(p256), d); err == nil {
			t.Errorf("%s: prepared", name)
		}
	}
}

// token signs a header and claims of any shape.
func token(s crypto.Signer, header, claims string) string {
	tbs := jose.EncodeBase64([]byte(header)) + "." + jose.EncodeBase64([]byte(claims))
	return tbs + "." + jose.EncodeBase64(made(cose.SignRaw(s, []byte(tbs))))
}

const (
	goodHead   = `{"alg":"ES256","kid":"k1","typ":"vc+jwt"}`
	goodClaims = `{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential","https://aidpass.example/elig"],` +
		`"issuer":"https://a.example","iss":"https://a.example","iat":1795219200,"exp":1795305600,` +
		`"validFrom":"2026-11-21T00:00:00Z","validUntil":"2026-11-22T00:00:00Z","credentialSubject":{"round":3}}`
)

func TestHostileTexts(t *testing.T) {
	head := func(h string) string { return token(p256, h, goodClaims) }
	swap := func(old, replacement string) string {
		changed := strings.Replace(goodClaims, old, replacement, 1)
		if changed == goodClaims {
			t.Fatalf("%q is not in the claims", old)
		}
		return token(p256, goodHead, changed)
	}
	more := func(s string) string { return swap(`"issuer"`, s+`,"issuer"`) }
	holder := func(id string, cnf *cose.Key) string {
		s := strings.Replace(goodClaims, `{"round"`, `{"id":"`+id+`","round"`, 1)
		if cnf != nil {
			s = strings.Replace(s, `"issuer"`, `"cnf":{"jwk":`+string(jose.JWKOf(cnf).Append(nil))+`},"issuer"`, 1)
		}
		return token(p256, goodHead, s)
	}
	good := head(goodHead)
	parts := strings.Split(good, ".")
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	der := made(p256.Sign(rand.Reader, sum[:], crypto.SHA256))
	for _, c := range []struct{ name, text, want string }{
		{"control", good, ""},
		{"alg None", head(`{"alg":"None","kid":"k1","typ":"vc+jwt"}`), "alg_not_allowed"},
		{"alg nOnE", head(`{"alg":"nOnE","kid":"k1","typ":"vc+jwt"}`), "alg_not_allowed"},
		{"alg none, unsigned", jose.EncodeBase64([]byte(`{"alg":"none","kid":"k1","typ":"vc+jwt"}`)) + "." + parts[1] + ".", "alg_not_allowed"},
		{"HS256", head(`{"alg":"HS256","kid":"k1","typ":"vc+jwt"}`), "alg_not_allowed"},
		{"no alg", head(`{"kid":"k1","typ":"vc+jwt"}`), "alg_missing"},
		{"EdDSA with a P-256 key", head(`{"alg":"EdDSA","kid":"k1","typ":"vc+jwt"}`), "alg_key_mismatch"},
		{"jku is not followed", token(stranger, `{"alg":"ES256","kid":"k1","typ":"vc+jwt","jku":"https://evil.example"}`, goodClaims), "bad_signature"},
		{"jwk is not taken", token(stranger, `{"alg":"ES256","kid":"k1","typ":"vc+jwt","jwk":`+string(jose.JWKOf(keyOf(stranger)).Append(nil))+`}`, goodClaims), "bad_signature"},
		{"unknown crit", head(`{"alg":"ES256","kid":"k1","typ":"vc+jwt","crit":["x"],"x":1}`), "crit_not_understood"},
		{"alg twice", head(`{"alg":"ES256","alg":"ES256","kid":"k1","typ":"vc+jwt"}`), "duplicate_key"},
		{"no kid", head(`{"alg":"ES256","typ":"vc+jwt"}`), "kid_missing"},
		{"typ missing", head(`{"alg":"ES256","kid":"k1"}`), "wrong_typ"},
		{"typ JWT", head(`{"alg":"ES256","kid":"k1","typ":"JWT"}`), "wrong_typ"},
		{"typ of a presentation", head(`{"alg":"ES256","kid":"k1","typ":"vp+jwt"}`), "wrong_typ"},
		{"typ of a status list", head(`{"alg":"ES256","kid":"k1","typ":"statuslist+jwt"}`), "wrong_typ"},
		{"typ in other letters", head(`{"alg":"ES256","kid":"k1","typ":"VC+JWT"}`), "wrong_typ"},
		{"cty of a presentation", head(`{"alg":"ES256","cty":"vp","kid":"k1","typ":"vc+jwt"}`), "wrong_typ"},
		{"standard alphabet in the signature", good[:len(good)-4] + "+/+/", "bad_jose"},
		{"DER signature", parts[0] + "." + parts[1] + "." + jose.EncodeBase64(der), "bad_signature"},
		{"two parts", parts[0] + "." + parts[1], "bad_jose"},
		{"a tilde behind it", good + "~", "bad_jose"},
		{"nothing", "", "bad_jose"},
		{"1 MiB of payload", more(`"a":"` + strings.Repeat("a", 1<<20) + `"`), "too_large"},
		{"a claim twice", more(`"exp":1795305600`), "duplicate_key"},
		{"claims that are an array", token(p256, goodHead, `[]`), "bad_jose"},
		{"claim vc", more(`"vc":{}`), "bad_claims"},
		{"claim vp", more(`"vp":null`), "bad_claims"},
		{"version 1 context", swap("ns/credentials/v2", "2018/credentials/v1"), "bad_claims"},
		{"two contexts, ours last", swap(`["https://www.w3.org/ns`, `["https://evil.example","https://www.w3.org/ns`), "bad_claims"},
		{"context as text", swap(`["https://www.w3.org/ns/credentials/v2"]`, `"https://www.w3.org/ns/credentials/v2"`), "bad_claims"},
		{"no type of its own", swap(`,"https://aidpass.example/elig"`, ``), "bad_claims"},
		{"no base type", swap(`"VerifiableCredential",`, ``), "bad_claims"},
		{"type as text", swap(`["VerifiableCredential","https://aidpass.example/elig"]`, `"VerifiableCredential"`), "bad_claims"},
		{"no issuer", swap(`"issuer":"https://a.example",`, ``), "iss_missing"},
		{"iss is another", swap(`"iss":"https://a.example"`, `"iss":"https://b.example"`), "bad_claims"},
		{"iss is a number", swap(`"iss":"https://a.example"`, `"iss":1`), "bad_claims"},
		{"iss of the header is another", head(`{"alg":"ES256","iss":"https://b.example","kid":"k1","typ":"vc+jwt"}`), "bad_claims"},
		{"issuer is an object", swap(`"issuer":"https://a.example"`, `"issuer":{"id":"https://a.example","name":"A"}`), ""},
		{"issuer is an object of another id", swap(`"issuer":"https://a.example"`, `"issuer":{"id":"https://b.example"}`), "bad_claims"},
		{"exp as text", swap(`"exp":1795305600`, `"exp":"1795305600"`), "bad_claims"},
		{"exp in milliseconds", swap(`"exp":1795305600`, `"exp":1795305600000000`), "bad_claims"},
		{"exp later than validUntil", swap(`"exp":1795305600`, `"exp":1795305601`), "bad_claims"},
		{"nbf other than validFrom", more(`"nbf":1795219201`), "bad_claims"},
		{"nbf as validFrom", more(`"nbf":1795219200`), ""},
		{"no end", strings.Replace(swap(`"exp":1795305600,`, ``), "", "", 1), ""}, // validUntil says it
		{"no end at all", token(p256, goodHead, strings.Replace(strings.Replace(goodClaims, `"exp":1795305600,`, ``, 1), `,"validUntil":"2026-11-22T00:00:00Z"`, ``, 1)), "exp_missing"},
		{"no beginning at all", token(p256, goodHead, strings.Replace(strings.Replace(goodClaims, `"iat":1795219200,`, ``, 1), `"validFrom":"2026-11-21T00:00:00Z",`, ``, 1)), "bad_claims"},
		{"validUntil without a zone", swap(`22T00:00:00Z`, `22T00:00:00`), "bad_claims"},
		{"validUntil in another zone", swap(`2026-11-22T00:00:00Z`, `2026-11-22T03:00:00+03:00`), ""},
		{"ends before it begins", token(p256, goodHead, strings.Replace(strings.Replace(goodClaims, `"exp":1795305600`, `"exp":1795132800`, 1), `2026-11-22T`, `2026-11-20T`, 1)), "bad_claims"},
		{"signed after its end", swap(`"iat":1795219200`, `"iat":1795305600`), "bad_claims"},
		{"credentialStatus", more(`"credentialStatus":{"type":"BitstringStatusListEntry"}`), "bad_claims"},
		{"status idx negative", more(`"status":{"status_list":{"idx":-1,"uri":"u"}}`), "bad_claims"},
		{"status as text", more(`"status":"valid"`), "bad_claims"},
		{"two subjects", swap(`{"round":3}`, `[{"round":3},{"round":4}]`), "bad_claims"},
		{"no subject", swap(`,"credentialSubject":{"round":3}`, ``), "bad_claims"},
		{"sub is another", token(p256, goodHead, strings.Replace(strings.Replace(goodClaims, `{"round"`, `{"id":"urn:a","round"`, 1), `"issuer"`, `"sub":"urn:b","issuer"`, 1)), "bad_claims"},
		{"jti and id are two", more(`"jti":"a","id":"b"`), "bad_claims"},
		{"holder by did:jwk", holder(did.OfJWK(keyOf(phone)), nil), ""},
		{"holder by did:key and cnf", holder(did.OfKey(keyOf(phone)), keyOf(phone)), ""},
		{"holder by did:jwk, cnf of a thief", holder(did.OfJWK(keyOf(phone)), keyOf(stranger)), "bad_claims"},
		{"subject of a kind we cannot check, cnf of a thief", holder("did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme", keyOf(stranger)), "bad_claims"},
		{"holder's identifier broken", holder("did:key:z0", nil), "bad_claims"},
		{"private key in cnf", more(`"cnf":{"jwk":{"kty":"EC","crv":"P-256","x":"a","y":"a","d":"a"}}`), "bad_jose"},
		{"x5c as text", head(`{"alg":"ES256","kid":"k1","typ":"vc+jwt","x5c":"MAA="}`), "bad_jose"},
		{"a claim nobody knows", more(`"__proto__":{"a":1}`), ""},
	} {
		_, err := open(c.text, p256)
		got := ""
		if err != nil {
			got = string(vcjwt.ReasonOf(err))
		}
		if got != c.want {
			t.Errorf("%s: got %q (%v), want %q", c.name, got, err, c.want)
		}
	}
	// Names are told by case, and a later one does not win.
	if c, err := open(token(p256, goodHead, strings.Replace(goodClaims, `"exp":1795305600,`, `"exp":1795305600,"EXP":9999999999,"VALIDUNTIL":"2099-01-01T00:00:00Z",`, 1)), p256); err != nil || c.ExpiresAt != 1795305600 {
		t.Errorf("EXP is not exp: %v", err)
	}
	if c := made(open(holder(did.OfJWK(keyOf(phone)), nil), p256)); c.Holder.Thumbprint() != keyOf(phone).Thumbprint() {
		t.Error("the subject's key is not the holder's")
	}
}

// What is written for readers of version 1.1 says the same and is not read here.
func TestVersionOneIsWrittenAndNotRead(t *testing.T) {
	d := draft()
	text := signed(p256, made(vcjwt.PrepareV11(keyOf(p256), d)))
	if _, err := vcjwt.Parse(text); vcjwt.ReasonOf(err) != words.WrongTyp {
		t.Errorf("our reader took it: %v", err)
	}
	tok := made(jose.Parse([]byte(text), vcjwt.MaxText))
	claims := made(tok.Claims(jose.DefaultLimits))
	vc := claims.Get("vc")
	subject := vc.Get("credentialSubject")
	if tok.Type != "JWT" || claims.Get("iss").Text != d.Issuer || claims.Get("sub").Text != did.OfKey(keyOf(phone)) || subject.Get("id").Text != claims.Get("sub").Text ||
		claims.Get("nbf").Text != "1795219200" || claims.Get("exp").Text != "1795305600" || vc.Get("issuanceDate").Text != "2026-11-21T00:00:00Z" ||
		subject.Get("programme").Text != "K7Q2" || vc.Get("type").Items[1].Text != d.Type {
		t.Errorf("it says %s", claims.Append(nil))
	}
}

func FuzzParse(f *testing.F) {
	f.Add(signed(p256, made(vcjwt.Prepare(keyOf(p256), draft()))))
	f.Add(token(p256, goodHead, goodClaims))
	other := keyOf(stranger)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := vcjwt.Parse(text)
		if err != nil {
			return
		}
		if len(e.Issuer) == 0 || len(e.Type) == 0 || len(e.KeyID) == 0 {
			t.Errorf("%q has no hints", text)
		}
		if _, err := vcjwt.Open(e, other); err == nil {
			t.Errorf("%q opens under a key that signed nothing", text)
		}
	})
}

// FuzzClaims signs what the fuzzer thinks of, so that the readers behind the
// signature see it too.
func FuzzClaims(f *testing.F) {
	f.Add(goodClaims)
	f.Fuzz(func(t *testing.T, claims string) {
		c, err := open(token(edKey, `{"alg":"EdDSA","kid":"k1","typ":"vc+jwt"}`, claims), edKey)
		if err != nil {
			return
		}
		if !c.Proven() || c.ExpiresAt == 0 || c.ExpiresAt > 0 && c.ExpiresAt <= c.NotBefore || c.Claims.Get("id").Kind != jose.Missing {
			t.Errorf("%q opens as %+v", claims, c)
		}
	})
}
