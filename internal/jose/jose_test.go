package jose_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jws"

	"aidpass/internal/cose"
	"aidpass/internal/jose"
)

var update = flag.Bool("update", false, "write testdata/tokens.tsv anew")

// The reason that stands behind each fault.
var reasons = []struct {
	err    error
	reason string
}{
	{jose.ErrMalformed, "bad_jose"}, {jose.ErrTooLarge, "too_large"}, {jose.ErrDuplicate, "duplicate_key"},
	{jose.ErrAlgMissing, "alg_missing"}, {jose.ErrAlgNotAllowed, "alg_not_allowed"},
	{jose.ErrAlgKeyMismatch, "alg_key_mismatch"}, {jose.ErrCrit, "crit_not_understood"},
	{jose.ErrType, "wrong_typ"}, {jose.ErrKeyIDMissing, "kid_missing"},
	{jose.ErrUnknownKey, "unknown_key"}, {jose.ErrSignature, "bad_signature"},
}

func reason(err error) string {
	if err == nil {
		return "ok"
	}
	found := ""
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			if found != "" {
				return found + "+" + r.reason
			}
			found = r.reason
		}
	}
	return found
}

func edKey() ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("jose test key"))
	return ed25519.NewKeyFromSeed(seed[:])
}

func p256Key(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	seed := sha256.Sum256([]byte("jose test key"))
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func coseKey(t testing.TB, s crypto.Signer) *cose.Key {
	t.Helper()
	k, err := cose.NewKey(s.Public())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func findOnly(kid string, k *cose.Key) func(string) *cose.Key {
	return func(named string) *cose.Key {
		if named == kid {
			return k
		}
		return nil
	}
}

var b64 = base64.RawURLEncoding

// token signs exactly this header and payload with the Ed25519 test key.
func token(header, payload string) string {
	tbs := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(payload))
	return tbs + "." + b64.EncodeToString(ed25519.Sign(edKey(), []byte(tbs)))
}

const (
	goodHeader = `{"alg":"EdDSA","kid":"k1","typ":"t+jwt"}`
	goodClaims = `{"exp":1,"iss":"https://a.example"}`
)

// vectors builds the cases of testdata/tokens.tsv. All were signed by the
// right key, so whatever is refused is refused for what its name says.
func vectors() [][3]string {
	good := token(goodHeader, goodClaims)
	part := strings.Split(good, ".")
	with := func(header string) string { return token(header, goodClaims) }
	sig, _ := b64.DecodeString(part[2])
	signature := func(s []byte) string { return part[0] + "." + part[1] + "." + b64.EncodeToString(s) }
	changed := func(i int) []byte { s := bytes.Clone(sig); s[i] ^= 1; return s }
	return [][3]string{
		{"control", "ok", good},
		{"control-fully-specified-alg", "ok", with(`{"alg":"Ed25519","kid":"k1","typ":"t+jwt"}`)},
		{"control-header-with-white-space", "ok", with("{\"alg\":\"EdDSA\",\r\n \"kid\":\"k1\",\t\"typ\":\"t+jwt\" }")},
		{"control-escaped-name", "ok", with(`{"\u0061lg":"EdDSA","kid":"k1","typ":"t\u002bjwt"}`)},
		{"control-other-header-ignored", "ok", with(`{"alg":"EdDSA","kid":"k1","typ":"t+jwt","cty":"json","ALG":"none"}`)},
		{"embedded-jwk-is-not-used", "unknown_key", with(`{"alg":"EdDSA","jwk":{"kty":"OKP","crv":"Ed25519","x":"AA"},"kid":"other","typ":"t+jwt"}`)},
		{"jku-to-attacker", "unknown_key", with(`{"alg":"EdDSA","jku":"https://evil.example/k","kid":"other","typ":"t+jwt"}`)},
		{"kid-path", "unknown_key", with(`{"alg":"EdDSA","kid":"../../dev/null","typ":"t+jwt"}`)},
		{"kid-missing", "kid_missing", with(`{"alg":"EdDSA","typ":"t+jwt"}`)},
		{"kid-empty", "kid_missing", with(`{"alg":"EdDSA","kid":"","typ":"t+jwt"}`)},
		{"kid-number", "bad_jose", with(`{"alg":"EdDSA","kid":1,"typ":"t+jwt"}`)},
		{"kid-4-KiB", "too_large", with(`{"alg":"EdDSA","kid":"` + strings.Repeat("k", 4096) + `","typ":"t+jwt"}`)},
		{"alg-none", "alg_not_allowed", b64.EncodeToString([]byte(`{"alg":"none","kid":"k1","typ":"t+jwt"}`)) + "." + part[1] + "."},
		{"alg-nOnE", "alg_not_allowed", with(`{"alg":"nOnE","kid":"k1","typ":"t+jwt"}`)},
		{"alg-HS256", "alg_not_allowed", with(`{"alg":"HS256","kid":"k1","typ":"t+jwt"}`)},
		{"alg-lower-case", "alg_not_allowed", with(`{"alg":"eddsa","kid":"k1","typ":"t+jwt"}`)},
		{"alg-ES384", "alg_not_allowed", with(`{"alg":"ES384","kid":"k1","typ":"t+jwt"}`)},
		{"alg-missing", "alg_missing", with(`{"kid":"k1","typ":"t+jwt"}`)},
		{"alg-in-another-case-only", "alg_missing", with(`{"Alg":"EdDSA","kid":"k1","typ":"t+jwt"}`)},
		{"alg-number", "bad_jose", with(`{"alg":-8,"kid":"k1","typ":"t+jwt"}`)},
		{"alg-of-another-key", "alg_key_mismatch", with(`{"alg":"ES256","kid":"k1","typ":"t+jwt"}`)},
		{"alg-twice", "duplicate_key", with(`{"alg":"none","alg":"EdDSA","kid":"k1","typ":"t+jwt"}`)},
		{"alg-twice-once-escaped", "duplicate_key", with(`{"alg":"EdDSA","\u0061\u006c\u0067":"none","kid":"k1","typ":"t+jwt"}`)},
		{"jwk-member-twice", "duplicate_key", with(`{"alg":"EdDSA","jwk":{"x":1,"x":2},"kid":"k1","typ":"t+jwt"}`)},
		{"crit-unknown", "crit_not_understood", with(`{"alg":"EdDSA","crit":["exp"],"exp":1,"kid":"k1","typ":"t+jwt"}`)},
		{"crit-b64", "crit_not_understood", with(`{"alg":"EdDSA","b64":false,"crit":["b64"],"kid":"k1","typ":"t+jwt"}`)},
		{"crit-empty", "crit_not_understood", with(`{"alg":"EdDSA","crit":[],"kid":"k1","typ":"t+jwt"}`)},
		{"typ-missing", "wrong_typ", with(`{"alg":"EdDSA","kid":"k1"}`)},
		{"typ-JWT", "wrong_typ", with(`{"alg":"EdDSA","kid":"k1","typ":"JWT"}`)},
		{"typ-in-another-case", "wrong_typ", with(`{"alg":"EdDSA","kid":"k1","typ":"T+JWT"}`)},
		{"typ-long-form", "wrong_typ", with(`{"alg":"EdDSA","kid":"k1","typ":"application/t+jwt"}`)},
		{"typ-array", "bad_jose", with(`{"alg":"EdDSA","kid":"k1","typ":["t+jwt"]}`)},
		{"header-array", "bad_jose", with(`["alg"]`)},
		{"header-not-json", "bad_jose", with(`alg=EdDSA`)},
		{"header-not-utf-8", "bad_jose", with("{\"alg\":\"EdDSA\",\"kid\":\"k1\",\"typ\":\"t+jwt\",\"x\":\"\xff\"}")},
		{"header-byte-order-mark", "bad_jose", with("\ufeff" + goodHeader)},
		{"header-two-values", "bad_jose", with(goodHeader + goodHeader)},
		{"header-deep", "bad_jose", with(`{"alg":"EdDSA","x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`)},
		{"header-many-members", "too_large", with(`{"alg":"EdDSA","x":[` + strings.Repeat("0,", 999) + `0],"kid":"k1"}`)},
		{"empty", "bad_jose", ""},
		{"one-part", "bad_jose", part[0]},
		{"two-parts", "bad_jose", part[0] + "." + part[1]},
		{"four-parts", "bad_jose", good + ".AAAA"},
		{"five-parts", "bad_jose", good + "..."},
		{"no-header", "bad_jose", "." + part[1] + "." + part[2]},
		{"payload-detached", "bad_jose", part[0] + ".." + part[2]},
		{"json-serialisation", "bad_jose", `{"payload":"` + part[1] + `","protected":"` + part[0] + `","signature":"` + part[2] + `"}`},
		{"sd-jwt", "bad_jose", good + "~"},
		{"space-before", "bad_jose", " " + good},
		{"space-after", "bad_jose", good + " "},
		{"line-break-inside", "bad_jose", part[0] + "." + part[1][:8] + "\n" + part[1][8:] + "." + part[2]},
		{"padding", "bad_jose", good + "=="},
		{"stray-bits", "bad_jose", good[:len(good)-1] + next(good[len(good)-1])},
		{"standard-alphabet", "bad_jose", part[0] + "." + part[1] + "." + base64.RawStdEncoding.EncodeToString(bytes.Repeat([]byte{0xfb}, 64))},
		{"full-width-letter", "bad_jose", part[0] + ".Ａ" + part[1] + "." + part[2]},
		{"signature-empty", "bad_signature", part[0] + "." + part[1] + "."},
		{"signature-zero", "bad_signature", signature(make([]byte, 64))},
		{"signature-63-bytes", "bad_signature", signature(sig[:63])},
		{"signature-65-bytes", "bad_signature", signature(append(bytes.Clone(sig), 0))},
		{"signature-first-bit", "bad_signature", signature(changed(0))},
		{"signature-last-bit", "bad_signature", signature(changed(63))},
		{"signature-DER", "bad_signature", signature(append([]byte{0x30, 0x44, 2, 32}, sig...))},
		{"payload-changed", "bad_signature", part[0] + "." + b64.EncodeToString([]byte(`{"exp":2}`)) + "." + part[2]},
		{"header-changed", "bad_signature", b64.EncodeToString([]byte(`{"alg":"Ed25519","kid":"k1","typ":"t+jwt"}`)) + "." + part[1] + "." + part[2]},
	}
}

// next is the letter after c that differs in the unused bits only.
func next(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, c)+1])
}

func TestVectorTokens(t *testing.T) {
	const path = "testdata/tokens.tsv"
	var b strings.Builder
	for _, v := range vectors() {
		fmt.Fprintf(&b, "%s\t%s\t%q\n", v[0], v[1], v[2])
	}
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(file) != b.String() {
		t.Errorf("%s is not what this test writes: run it with -update and look at the difference", path)
	}
	find := findOnly("k1", coseKey(t, edKey()))
	for line := range strings.Lines(string(file)) {
		var name, want, text string
		if _, err := fmt.Sscanf(line, "%s\t%s\t%q\n", &name, &want, &text); err != nil {
			t.Fatalf("%s: %q: %v", path, line, err)
		}
		tok, _, err := jose.Open([]byte(text), "t+jwt", jose.MaxToken, find)
		if got := reason(err); got != want {
			t.Errorf("%s: got %q (%v), want %q", name, got, err, want)
		}
		if err == nil && string(tok.Payload) != goodClaims {
			t.Errorf("%s: payload %q", name, tok.Payload)
		}
	}
}

func TestATokenHasALongestSize(t *testing.T) {
	k := coseKey(t, edKey())
	claims := `{"a":"` + strings.Repeat("a", 49000) + `"}`
	text := []byte(token(goodHeader, claims))
	if _, _, err := jose.Open(text, "t+jwt", jose.MaxToken, findOnly("k1", k)); err != nil {
		t.Error(err)
	}
	if _, _, err := jose.Open(text, "t+jwt", len(text)-1, findOnly("k1", k)); reason(err) != "too_large" {
		t.Errorf("one byte over the limit: %v", err)
	}
}

func TestATokenOpensUnderItsKeyAlone(t *testing.T) {
	for name, signer := range map[string]crypto.Signer{"P-256": p256Key(t), "Ed25519": edKey()} {
		k := coseKey(t, signer)
		p, err := jose.Prepare(k, "t+jwt", jose.KeyID(k), []byte(goodClaims), jose.DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		sig, err := cose.SignRaw(signer, p.ToBeSigned())
		if err != nil {
			t.Fatal(err)
		}
		text, err := p.Attach(sig)
		if err != nil {
			t.Fatal(err)
		}
		got, by, err := jose.Open(text, "t+jwt", jose.MaxToken, findOnly(jose.KeyID(k), k))
		if err != nil || string(got.Payload) != goodClaims || by != k {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
		otherPriv, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		_, otherEd, _ := ed25519.GenerateKey(rand.Reader)
		for _, other := range []crypto.Signer{otherPriv, otherEd} {
			if _, _, err := jose.Open(text, "t+jwt", jose.MaxToken, findOnly(jose.KeyID(k), coseKey(t, other))); err == nil {
				t.Errorf("%s: opened under another key", name)
			}
		}
		sig[10] ^= 1
		if _, err := p.Attach(sig); !errors.Is(err, jose.ErrSignature) {
			t.Errorf("%s: attached a wrong signature: %v", name, err)
		}
		if _, err := p.Attach(sig[:10]); !errors.Is(err, jose.ErrSignature) {
			t.Errorf("%s: attached a short signature: %v", name, err)
		}
	}
}

func TestPrepareRefusesWhatAReaderWould(t *testing.T) {
	k := coseKey(t, edKey())
	for _, c := range []struct{ name, payload, kid, want string }{
		{"not JSON", `{`, "k", "bad_jose"},
		{"not an object", `[]`, "k", "bad_jose"},
		{"a claim twice", `{"a":1,"a":2}`, "k", "duplicate_key"},
		{"not UTF-8", "{\"a\":\"\xff\"}", "k", "bad_jose"},
		{"a long key id", `{}`, strings.Repeat("k", jose.MaxKeyID+1), "too_large"},
	} {
		if _, err := jose.Prepare(k, "t", c.kid, []byte(c.payload), jose.DefaultLimits); reason(err) != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	if _, err := jose.Prepare(k, "t", "k", []byte("{}"), jose.DefaultLimits, jose.Member{Name: "crit", Value: jose.ArrayOf()}); !errors.Is(err, jose.ErrCrit) {
		t.Errorf("a crit header: got %v", err)
	}
}

// jwx is the referee: it reads what we write, and we read what it writes.
func TestDifferentialWithJWX(t *testing.T) {
	for _, c := range []struct {
		name   string
		signer crypto.Signer
		alg    jwa.SignatureAlgorithm
	}{
		{"ES256", p256Key(t), jwa.ES256()},
		{"EdDSA", edKey(), jwa.EdDSA()},
		{"Ed25519", edKey(), jwa.EdDSAEd25519()},
	} {
		k := coseKey(t, c.signer)
		p, err := jose.Prepare(k, "t+jwt", "k1", []byte(goodClaims), jose.DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		sig, err := cose.SignRaw(c.signer, p.ToBeSigned())
		if err != nil {
			t.Fatal(err)
		}
		ours, err := p.Attach(sig)
		if err != nil {
			t.Fatal(err)
		}
		if c.name != "Ed25519" { // our header says EdDSA
			payload, err := jws.Verify(ours, jws.WithKey(c.alg, c.signer.Public()))
			if err != nil || string(payload) != goodClaims {
				t.Errorf("%s: jwx reads %q, %v", c.name, payload, err)
			}
		}
		h := jws.NewHeaders()
		if err := errors.Join(h.Set("typ", "t+jwt"), h.Set("kid", "k1")); err != nil {
			t.Fatal(err)
		}
		theirs, err := jws.Sign([]byte(goodClaims), jws.WithKey(c.alg, c.signer, jws.WithProtectedHeaders(h)))
		if err != nil {
			t.Fatal(err)
		}
		tok, _, err := jose.Open(theirs, "t+jwt", jose.MaxToken, findOnly("k1", k))
		if err != nil || string(tok.Payload) != goodClaims {
			t.Errorf("%s: we read %s as %v, %v", c.name, theirs, tok, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	for _, v := range vectors() {
		f.Add([]byte(v[2]))
	}
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	k := coseKey(f, stranger)
	f.Fuzz(func(t *testing.T, text []byte) {
		tok, err := jose.Parse(text, jose.MaxToken)
		if err != nil {
			if reason(err) == "" || strings.Contains(reason(err), "+") {
				t.Errorf("fault without one reason: %v", err)
			}
			return
		}
		head, _, _ := strings.Cut(string(text), ".")
		raw, _ := jose.DecodeBase64(head)
		again := jose.EncodeBase64(raw) + "." + jose.EncodeBase64(tok.Payload) + "." + jose.EncodeBase64(tok.Signature)
		if again != string(text) {
			t.Errorf("%q is written again as %q", text, again)
		}
		if !json.Valid(raw) {
			t.Errorf("took the header %q", raw)
		}
		if tok.Verify(k) == nil {
			t.Errorf("%q opens under a key that signed nothing", text)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	k := coseKey(b, edKey())
	find := findOnly("k1", k)
	text := []byte(token(goodHeader, goodClaims))
	for b.Loop() {
		if _, _, err := jose.Open(text, "t+jwt", jose.MaxToken, find); err != nil {
			b.Fatal(err)
		}
	}
}
