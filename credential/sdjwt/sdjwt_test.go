package sdjwt_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/credential"
	"aidpass/credential/sdjwt"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/schemas"
	"aidpass/words"
)

var (
	p256, _      = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	phone, _     = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	stranger, _  = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, edKey, _  = ed25519.GenerateKey(rand.Reader)
	now          = credential.Time(1795219200)
	reader       = sdjwt.Binding{Audience: "https://verifier.example", Nonce: "n-1", At: now, MaxAge: 5 * time.Minute, Skew: time.Minute}
	issuedClaims = `{"programme":"K7Q2","round":3,"name":"Amina","sites":["S1","S2"],"home":{"district":"D4","street":"Long Road"}}`
	claimsFrame  = sdjwt.Frame{
		"programme": {Disclosure: schemas.DiscloseAlways}, "round": {Disclosure: schemas.DiscloseAllowed}, "name": {Disclosure: schemas.DiscloseAllowed},
		"sites": {Disclosure: schemas.DiscloseAlways, Each: &sdjwt.Rule{Disclosure: schemas.DiscloseAllowed}},
		"home": {Disclosure: schemas.DiscloseAllowed, Members: sdjwt.Frame{
			"district": {Disclosure: schemas.DiscloseAlways}, "street": {Disclosure: schemas.DiscloseAllowed}}},
		"kind": {Disclosure: schemas.DiscloseNever},
	}
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
func draft() sdjwt.Draft {
	return sdjwt.Draft{
		Issuer: "https://relief-a.example/i1", Type: "https://aidpass.example/elig", ID: "c-1", IssuedAt: now - 60, ExpiresAt: now + 86400,
		StatusURI: "https://relief-a.example/s/1", StatusIndex: 7, HolderKey: keyOf(phone),
		Claims: parsed(issuedClaims), Frame: claimsFrame, PadTo: 8,
	}
}
func signed(s crypto.Signer, p *sdjwt.Prepared) string {
	return made(p.Attach(made(cose.SignRaw(s, p.ToBeSigned()))))
}
func open(text string, s crypto.Signer) (*sdjwt.Credential, error) {
	e, err := sdjwt.Parse(text)
	if err != nil {
		return nil, err
	}
	return sdjwt.OpenUnbound(e, keyOf(s))
}

// checkNoDigests fails where one of the special names is left over.
func checkNoDigests(t testing.TB, v jose.Value) {
	t.Helper()
	for _, m := range v.Members {
		if m.Name == "_sd" || m.Name == "..." || m.Name == "_sd_alg" {
			t.Errorf("%q is left over in %.200s", m.Name, v.Append(nil))
		}
		checkNoDigests(t, m.Value)
	}
	for _, item := range v.Items {
		checkNoDigests(t, item)
	}
}

func TestACredentialComesBackAsItWasWritten(t *testing.T) {
	for name, s := range map[string]crypto.Signer{"P-256": p256, "Ed25519": edKey} {
		d := draft()
		p := made(sdjwt.Prepare(keyOf(s), d, rand.Reader))
		text := signed(s, p)
		if again := signed(s, sdjwt.Resume(keyOf(s), p.ToBeSigned(), p.Disclosures())); again[strings.IndexByte(again, '~'):] != p.Disclosures() {
			t.Errorf("%s: what was recorded makes another credential", name)
		}
		e := made(sdjwt.Parse(text))
		if string(e.Issuer) != d.Issuer || string(e.Type) != d.Type || string(e.KeyID) != jose.KeyID(keyOf(s)) {
			t.Errorf("%s: hints are %q %q %q", name, e.Issuer, e.Type, e.KeyID)
		}
		c, err := sdjwt.OpenIssued(e, keyOf(s))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, m := range d.Claims.Members {
			got, want := c.Claims.Get(m.Name).Sorted().Append(nil), m.Value.Sorted().Append(nil)
			if !bytes.Equal(got, want) {
				t.Errorf("%s: %s is %q, want %q", name, m.Name, got, want)
			}
		}
		checkNoDigests(t, c.Claims)
		if !c.Proven() || c.ExpiresAt != d.ExpiresAt || c.IssuedAt != d.IssuedAt || c.NotBefore != d.IssuedAt || string(c.ID) != "c-1" ||
			string(c.Status.URI) != d.StatusURI || c.Status.Index != 7 || c.Holder.Thumbprint() != keyOf(phone).Thumbprint() {
			t.Errorf("%s: got %+v", name, c)
		}
		if len(c.Disclosures) != 6 { // round, name, two sites, street, home
			t.Errorf("%s: %d disclosures", name, len(c.Disclosures))
		}
		if _, err := open(text, stranger); sdjwt.ReasonOf(err) != words.BadSignature && s == p256 {
			t.Errorf("%s: opens under another key: %v", name, err)
		}
		if _, err := p.Attach(made(cose.SignRaw(stranger, p.ToBeSigned()))); !errors.Is(err, jose.ErrSignature) {
			t.Errorf("%s: took another's signature: %v", name, err)
		}
	}
}

func TestDigestsAreSortedAndPadded(t *testing.T) {
	p := made(sdjwt.Prepare(keyOf(p256), draft(), rand.Reader))
	tok := made(jose.Parse([]byte(strings.Split(signed(p256, p), "~")[0]), sdjwt.MaxText))
	var got []string
	for _, v := range made(tok.Claims(jose.DefaultLimits)).Get("_sd").Items {
		got = append(got, v.Text)
	}
	if len(got) != 8 || !slices.IsSorted(got) {
		t.Errorf("digests %q", got)
	}
}

func TestPrepareRefuses(t *testing.T) {
	for name, change := range map[string]func(*sdjwt.Draft){
		"a claim the type keeps back":     func(d *sdjwt.Draft) { d.Claims = parsed(`{"kind":"cash"}`) },
		"a claim the type does not know":  func(d *sdjwt.Draft) { d.Claims = parsed(`{"extra":1}`) },
		"a member the frame does not say": func(d *sdjwt.Draft) { d.Claims = parsed(`{"home":{"house":1}}`) },
		"a claim of the draft's own": func(d *sdjwt.Draft) {
			d.Claims, d.Frame = parsed(`{"exp":1}`), sdjwt.Frame{"exp": {Disclosure: schemas.DiscloseAlways}}
		},
		"digests of somebody else": func(d *sdjwt.Draft) {
			d.Claims, d.Frame = parsed(`{"a":{"_sd":["x"],"...":1}}`), sdjwt.Frame{"a": {Disclosure: schemas.DiscloseAlways}}
		},
		"an end before the beginning": func(d *sdjwt.Draft) { d.ExpiresAt = d.IssuedAt },
		"no type":                     func(d *sdjwt.Draft) { d.Type = "" },
		"too many decoys":             func(d *sdjwt.Draft) { d.PadTo = 257 },
	} {
		d := draft()
		change(&d)
		if _, err := sdjwt.Prepare(keyOf(p256), d, rand.Reader); err == nil {
			t.Errorf("%s: prepared", name)
		}
	}
	if _, err := sdjwt.Prepare(keyOf(p256), draft(), bytes.NewReader(make([]byte, 40))); err == nil {
		t.Error("prepared with too little randomness")
	}
}

func TestEmbeddedTypesHaveAFrame(t *testing.T) {
	typ := schemas.ByName("eligibility")
	f := sdjwt.FrameOf(typ)
	if len(f) != len(typ.Claims)+1 || f[schemas.LedgerClaim].Disclosure != schemas.DiscloseAllowed {
		t.Errorf("%d rules for %d claims", len(f), len(typ.Claims))
	}
	for _, c := range typ.Claims {
		if f[c.Name].Disclosure != c.Disclosure {
			t.Errorf("%s is %v", c.Name, f[c.Name])
		}
	}
}

// What a card of a person is made of makes her wallet credential too, and what she
// shows of it says what the card does.
func TestACredentialOfAType(t *testing.T) {
	typ := schemas.ByName("eligibility")
	benefit := map[string]any{"amount": "120.00", "currency": "JOD", "items": []any{map[string]any{"code": "RICE", "qty": "5", "unit": "kg"}}}
	values := map[string]any{"programme": "K7Q2", "round": int64(3), "size_band": 5, "photo_hash": bytes.Repeat([]byte{7}, 16), "collect_from": "2026-11-01",
		"kind": "cash", "entitlement": benefit, "name": "Amina", "pin_check": bytes.Repeat([]byte{1}, 8)}
	const pseudonym = "0123456789abcdef"
	make := func(values map[string]any) (string, error) {
		d := draft()
		if err := d.Say(typ, values, pseudonym); err != nil {
			return "", err
		}
		p, err := sdjwt.Prepare(keyOf(p256), d, rand.Reader)
		if err != nil {
			return "", err
		}
		return signed(p256, p), nil
	}
	full := made(open(made(make(values)), p256))
	shown := made(typ.DecodeWallet(full.Claims))
	if want := made(typ.EncodePlain(values)); !bytes.Equal(shown.Plain, want) {
		t.Errorf("plain is %x, a card has %x", shown.Plain, want)
	}
	delete(values, "pin_check")
	if want := made(typ.EncodeSealed(values)); !bytes.Equal(shown.Sealed, want) {
		t.Errorf("sealed is %x, a card has %x", shown.Sealed, want)
	}
	if string(shown.Pseudonym) != pseudonym || full.Claims.Get("pin_check").Kind != jose.Missing || shown.Named["size_band"] != "4-5" {
		t.Errorf("shows %q %v", shown.Pseudonym, shown.Named)
	}
	// Nothing shown but what always is: no name of hers, and as many digests.
	bare := made(open(full.Present(func(*sdjwt.Disclosure) bool { return false }), p256))
	shown = made(typ.DecodeWallet(bare.Claims))
	if shown.Pseudonym != nil || shown.Sealed != nil || len(shown.Named) != 3 {
		t.Errorf("shows %v", shown.Named)
	}
	digests := func(text string) int {
		tok := made(jose.Parse([]byte(text[:strings.IndexByte(text, '~')]), sdjwt.MaxText))
		return len(made(tok.Claims(jose.DefaultLimits)).Get("_sd").Items)
	}
	little := made(make(map[string]any{"programme": "K7Q2", "round": int64(3)}))
	if a, b := digests(made(make(values))), digests(little); a != b || a != 9 {
		t.Errorf("%d digests of one who has all, %d of one who has nothing", a, b)
	}
	for name, v := range map[string]any{"programme": "HIV-2", "round": nil, "kind": "bread", "extra": 1} {
		had, there := values[name]
		values[name] = v
		if _, err := make(values); err == nil {
			t.Errorf("%s may be %v", name, v)
		}
		if values[name] = had; !there {
			delete(values, name)
		}
	}
}

func TestMetadataIsHeldAgainstTheCredential(t *testing.T) {
	typ, other := schemas.ByName("eligibility"), schemas.ByName("receipt")
	doc := made(typ.Metadata())
	issue := func(integrity string) *sdjwt.Credential {
		d := draft()
		d.Type, d.Integrity = typ.VCT, integrity
		return made(open(signed(p256, made(sdjwt.Prepare(keyOf(p256), d, rand.Reader))), p256))
	}
	named, free := issue(sdjwt.Integrity(doc)), issue("")
	if v, err := named.Metadata(doc); err != nil || v.Get("display").Kind != jose.Array {
		t.Errorf("its own: %v", err)
	}
	if _, err := free.Metadata(doc); err != nil {
		t.Errorf("without a hash: %v", err)
	}
	spaced := append(bytes.Clone(doc), ' ')
	for name, err := range map[string]error{
		"a space behind it":      second(named.Metadata(spaced)),
		"of another type":        second(free.Metadata(made(other.Metadata()))),
		"not JSON":               second(free.Metadata([]byte("<html>"))),
		"too long":               second(free.Metadata(append(bytes.Clone(doc), bytes.Repeat([]byte{' '}, sdjwt.MaxMetadata)...))),
		"a hash nobody computes": second(issue("sha1-AAAA").Metadata(doc)),
	} {
		if !errors.Is(err, sdjwt.ErrMetadata) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestAHolderShowsWhatIsAskedFor(t *testing.T) {
	text := signed(p256, made(sdjwt.Prepare(keyOf(p256), draft(), rand.Reader)))
	c := made(open(text, p256))
	shown := c.Present(func(d *sdjwt.Disclosure) bool { return slices.Equal(d.Path, []string{"home", "street"}) })
	p := made(sdjwt.PrepareBinding(keyOf(phone), shown, reader.Audience, reader.Nonce, now))
	e := made(sdjwt.Parse(signed(phone, p)))
	got, err := sdjwt.OpenBound(e, keyOf(p256), reader)
	if err != nil {
		t.Fatal(err)
	}
	if got.Claims.Get("home").Get("street").Text != "Long Road" || got.Claims.Get("name").Kind != jose.Missing ||
		len(got.Claims.Get("sites").Items) != 0 || got.Claims.Get("programme").Text != "K7Q2" {
		t.Errorf("shows %s", got.Claims.Append(nil))
	}
	if _, err := sdjwt.OpenIssued(e, keyOf(p256)); sdjwt.ReasonOf(err) != words.BadJOSE {
		t.Errorf("a wallet took a presentation: %v", err)
	}
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return jose.EncodeBase64(sum[:])
}
func enc(s string) string { return jose.EncodeBase64([]byte(s)) }

// token signs a header and claims of any shape.
func token(s crypto.Signer, header, claims string) string {
	tbs := enc(header) + "." + enc(claims)
	return tbs + "." + jose.EncodeBase64(made(cose.SignRaw(s, []byte(tbs))))
}

const goodHead = `{"alg":"ES256","kid":"k1","typ":"dc+sd-jwt"}`

// with is a payload that holds the digests of disclosures and more members.
func with(more string, disclosures ...string) string {
	var sd []string
	for _, d := range disclosures {
		sd = append(sd, `"`+digest(d)+`"`)
	}
	return fmt.Sprintf(`{"iss":"https://a.example","vct":"t","exp":%d,"_sd":[%s]%s}`, now+86400, strings.Join(sd, ","), more)
}

func TestADisclosureSaysWhichElementItIs(t *testing.T) {
	c := made(open(signed(p256, made(sdjwt.Prepare(keyOf(p256), draft(), rand.Reader))), p256))
	for _, d := range c.Disclosures {
		for i, name := range d.Path {
			if (name == "") != (d.Indexes[i] >= 0) || len(d.Indexes) != len(d.Path) {
				t.Errorf("%q stands at %d", d.Path, d.Indexes)
			}
		}
		if d.Path[0] == "sites" && d.Value.Text != []string{"S1", "S2"}[d.Indexes[1]] {
			t.Errorf("%s is element %d", d.Value.Text, d.Indexes[1])
		}
	}
}

func TestHostileTexts(t *testing.T) {
	good, status, exp := enc(`["s","name","Amina"]`), enc(`["s","status",{}]`), enc(`["s","exp",9999999999]`)
	disclosed := func(json string) string { d := enc(json); return token(p256, goodHead, with("", d)) + "~" + d + "~" }
	claims := func(more string) string { return token(p256, goodHead, with(more)) + "~" }
	head := func(h string) string { return token(p256, h, with("")) + "~" }
	nested := func(n int) (text string, discs []string) { // disclosures in disclosures
		inner := enc(`["s","x",1]`)
		discs = append(discs, inner)
		for range n {
			inner = enc(`["s","x",{"_sd":["` + digest(inner) + `"]}]`)
			discs = append(discs, inner)
		}
		return token(p256, goodHead, with("", inner)) + "~" + strings.Join(discs, "~") + "~", discs
	}
	deep, _ := nested(MaxNest)
	tooDeep, _ := nested(200)
	plain := claims("")
	jwt := strings.TrimSuffix(plain, "~")
	parts := strings.Split(jwt, ".")
	der := made(p256.Sign(rand.Reader, func() []byte { s := sha256.Sum256([]byte(parts[0] + "." + parts[1])); return s[:] }(), crypto.SHA256))
	many := make([]string, 2000)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	manyDeep := func(n int) string { // over two objects, so that no array is too long
		a, b := with("", many[:n/2]...), with("", many[n/2:n]...)
		return token(p256, goodHead, strings.TrimSuffix(a, "}")+`,"more":`+b+"}") + "~"
	}
	for _, c := range []struct{ name, text, want string }{
		{"control: no disclosures", plain, ""},
		{"control: one disclosure", disclosed(`["s","name","Amina"]`), ""},
		{"alg None", head(`{"alg":"None","typ":"dc+sd-jwt"}`), "alg_not_allowed"},
		{"alg nOnE", head(`{"alg":"nOnE","typ":"dc+sd-jwt"}`), "alg_not_allowed"},
		{"alg none, unsigned", enc(`{"alg":"none","typ":"dc+sd-jwt"}`) + "." + enc(with("")) + ".~", "alg_not_allowed"},
		{"HS256", head(`{"alg":"HS256","typ":"dc+sd-jwt"}`), "alg_not_allowed"},
		{"no alg", head(`{"typ":"dc+sd-jwt"}`), "alg_missing"},
		{"EdDSA with a P-256 key", head(`{"alg":"EdDSA","typ":"dc+sd-jwt"}`), "alg_key_mismatch"},
		{"unknown crit", head(`{"alg":"ES256","typ":"dc+sd-jwt","crit":["x"],"x":1}`), "crit_not_understood"},
		{"alg twice", head(`{"alg":"ES256","alg":"ES256","typ":"dc+sd-jwt"}`), "duplicate_key"},
		{"typ missing", head(`{"alg":"ES256"}`), "wrong_typ"},
		{"typ of old drafts", head(`{"alg":"ES256","typ":"vc+sd-jwt"}`), "wrong_typ"},
		{"typ of a status list", head(`{"alg":"ES256","typ":"statuslist+jwt"}`), "wrong_typ"},
		{"jku is not followed", token(stranger, `{"alg":"ES256","typ":"dc+sd-jwt","jku":"https://evil.example"}`, with("")) + "~", "bad_signature"},
		{"standard alphabet in the signature", jwt[:len(jwt)-4] + "+/+/~", "bad_jose"},
		{"DER signature", parts[0] + "." + parts[1] + "." + jose.EncodeBase64(der) + "~", "bad_signature"},
		{"two parts", parts[0] + "." + parts[1] + "~", "bad_jose"},
		{"no tilde", jwt, "bad_jose"},
		{"nothing", "", "bad_jose"},
		{"1 MiB of payload", claims(`,"a":"` + strings.Repeat("a", 1<<20) + `"`), "too_large"},
		{"a claim twice", claims(`,"a":1,"a":2`), "duplicate_key"},
		{"exp as text", token(p256, goodHead, `{"vct":"t","exp":"9"}`) + "~", "bad_claims"},
		{"exp in milliseconds", token(p256, goodHead, `{"vct":"t","exp":1795219200000000}`) + "~", "bad_claims"},
		{"exp before nbf", token(p256, goodHead, `{"vct":"t","exp":9,"nbf":10}`) + "~", "bad_claims"},
		{"no vct", token(p256, goodHead, `{"exp":9}`) + "~", "bad_claims"},
		{"vct as array", token(p256, goodHead, `{"vct":["t"],"exp":9}`) + "~", "bad_claims"},
		{"further types hold vct", claims(`,"aka_vcts":["t"]`), "bad_claims"},
		{"status idx negative", claims(`,"status":{"status_list":{"idx":-1,"uri":"u"}}`), "bad_claims"},
		{"same disclosure twice", token(p256, goodHead, with("", good)) + "~" + good + "~" + good + "~", "disclosure_duplicate"},
		{"digest at the top and inside", token(p256, goodHead, with(`,"in":{"_sd":["`+digest(good)+`"]}`, good)) + "~" + good + "~", "digest_duplicate"},
		{"a decoy twice", claims(`,"in":[{"...":"x"},{"...":"x"}]`), "digest_duplicate"},
		{"nobody refers to it", plain + good + "~", "disclosure_unreferenced"},
		{"in a parent not shown", token(p256, goodHead, with("", enc(`["s","x",{"_sd":["`+digest(good)+`"]}]`))) + "~" + good + "~", "disclosure_unreferenced"},
		{"claim name ...", disclosed(`["s","...","x"]`), "disclosure_bad_name"},
		{"claim name _sd", disclosed(`["s","_sd",[]]`), "disclosure_bad_name"},
		{"claim there already", token(p256, goodHead, with(`,"name":"B"`, good)) + "~" + good + "~", "disclosure_bad_name"},
		{"disclosed exp", token(p256, goodHead, `{"vct":"t","_sd":["`+digest(exp)+`"]}`) + "~" + exp + "~", "disclosure_bad_name"},
		{"disclosed exp beside exp", token(p256, goodHead, with("", exp)) + "~" + exp + "~", "disclosure_bad_name"},
		{"disclosed status", token(p256, goodHead, with("", status)) + "~" + status + "~", "disclosure_bad_name"},
		{"digests within status", claims(`,"status":{"_sd":["x"]}`), "bad_claims"},
		{"four elements", disclosed(`["s","a",1,2]`), "disclosure_malformed"},
		{"name is a number", disclosed(`["s",1,2]`), "disclosure_malformed"},
		{"salt is a number", disclosed(`[1,"a",2]`), "disclosure_malformed"},
		{"not an array", disclosed(`{}`), "disclosure_malformed"},
		{"not JSON", disclosed(`["s"`), "disclosure_malformed"},
		{"an element where a claim must be", disclosed(`["s","a"]`), "disclosure_malformed"},
		{"a claim where an element must be", token(p256, goodHead, with(`,"in":[{"...":"`+digest(good)+`"}]`)) + "~" + good + "~", "disclosure_malformed"},
		{"padded base64", token(p256, goodHead, with("", good+"=")) + "~" + good + "=~", "disclosure_malformed"},
		{"name __proto__", disclosed(`["s","__proto__",1]`), ""},
		{"nested exp is a claim like others", token(p256, goodHead, with(`,"in":{"_sd":["`+digest(exp)+`"]}`)) + "~" + exp + "~", ""},
		{"empty disclosure", plain + "~", "disclosure_malformed"},
		{"hash md5", claims(`,"_sd_alg":"md5"`), "alg_not_allowed"},
		{"hash in another case", claims(`,"_sd_alg":"SHA-256"`), "alg_not_allowed"},
		{"_sd not an array", token(p256, goodHead, `{"vct":"t","_sd":"x"}`) + "~", "bad_jose"},
		{"_sd of numbers", token(p256, goodHead, `{"vct":"t","_sd":[1]}`) + "~", "bad_jose"},
		{"_sd_alg inside", claims(`,"in":{"_sd_alg":"sha-256"}`), "bad_jose"},
		{"... as a claim", claims(`,"...":"x"`), "bad_jose"},
		{"an element with more than a digest", claims(`,"in":[{"...":"x","a":1}]`), "bad_jose"},
		{"private key in cnf", claims(`,"cnf":{"jwk":{"kty":"EC","crv":"P-256","x":"a","y":"a","d":"a"}}`), "bad_jose"},
		{"holder's key off the curve", claims(`,"cnf":{"jwk":{"kty":"EC","crv":"P-256","x":"` + digest("1") + `","y":"` + digest("2") + `"}}`), "bad_key"},
		{"256 digests", manyDeep(256), ""},
		{"257 digests", manyDeep(257), "too_large"},
		{"2,000 decoys", token(p256, goodHead, with("", many[:1000]...)) + "~", "too_large"},
		{"257 disclosures", plain + strings.Repeat(good+"~", 257), "too_large"},
		{"disclosures as deep as claims may be", deep, ""},
		{"disclosures 200 deep", tooDeep, "too_large"},
	} {
		_, err := open(c.text, p256)
		got := ""
		if err != nil {
			got = string(sdjwt.ReasonOf(err))
		}
		if got != c.want {
			t.Errorf("%s: got %q (%v), want %q", c.name, got, err, c.want)
		}
	}
	past := fmt.Sprintf(`{"vct":"t","exp":%d,"EXP":9999999999}`, now-1)
	if c, err := open(token(p256, goodHead, past)+"~", p256); err != nil || c.ExpiresAt != now-1 {
		t.Errorf("EXP is not exp: %v", err)
	}
}

// MaxNest is how many objects disclosures may put inside the top one.
const MaxNest = sdjwt.MaxDepth - 1

// A chain is handed over as it is, for whoever has roots to check it by.
func TestCertificatesAreHints(t *testing.T) {
	head := func(x5c string) string {
		return token(p256, `{"alg":"ES256","typ":"dc+sd-jwt","x5c":`+x5c+`}`, with("")) + "~"
	}
	e := made(sdjwt.Parse(head(`["/+8=","MAA="]`)))
	if len(e.Certificates) != 2 || !bytes.Equal(e.Certificates[0], []byte{0xff, 0xef}) {
		t.Errorf("got %x", e.Certificates)
	}
	for x5c, want := range map[string]words.Reason{
		`"MAA="`: words.BadJOSE, `[]`: words.BadJOSE, `[1]`: words.BadJOSE, `[""]`: words.BadJOSE, `["_-8="]`: words.BadJOSE,
		`["MAA"]`: words.BadJOSE, `["MA\nA="]`: words.BadJOSE, `[` + strings.Repeat(`"MAA=",`, 8) + `"MAA="]`: words.TooLarge,
	} {
		if _, err := sdjwt.Parse(head(x5c)); sdjwt.ReasonOf(err) != want || err == nil {
			t.Errorf("%s: %v, want %s", x5c, err, want)
		}
	}
}

func TestKeyBinding(t *testing.T) {
	d := draft()
	text := signed(p256, made(sdjwt.Prepare(keyOf(p256), d, rand.Reader)))
	shown := made(open(text, p256)).Present(func(*sdjwt.Disclosure) bool { return true })
	less := made(open(text, p256)).Present(func(*sdjwt.Disclosure) bool { return false })
	unboundDraft := draft()
	unboundDraft.HolderKey = nil
	unbound := signed(p256, made(sdjwt.Prepare(keyOf(p256), unboundDraft, rand.Reader)))
	const kbHead = `{"alg":"ES256","typ":"kb+jwt"}`
	body := func(aud, nonce, hash string, iat credential.Time, more string) string {
		return fmt.Sprintf(`{"aud":%q,"nonce":%q,"sd_hash":%q,"iat":%d%s}`, aud, nonce, hash, iat, more)
	}
	good := body(reader.Audience, "n-1", digest(shown), now, "")
	for _, c := range []struct{ name, text, want string }{
		{"control", shown + token(phone, kbHead, good), ""},
		{"none", shown, "kb_missing"},
		{"for a credential without a holder", unbound + token(phone, kbHead, body(reader.Audience, "n-1", digest(unbound), now, "")), "kb_no_holder_key"},
		{"another nonce", shown + token(phone, kbHead, body(reader.Audience, "n-0", digest(shown), now, "")), "kb_wrong_nonce"},
		{"another audience", shown + token(phone, kbHead, body("https://other.example", "n-1", digest(shown), now, "")), "kb_wrong_audience"},
		{"two audiences", shown + token(phone, kbHead, strings.Replace(good, `"aud":"https://verifier.example"`, `"aud":["https://verifier.example"]`, 1)), "kb_wrong_audience"},
		{"a disclosure added afterwards", shown + token(phone, kbHead, body(reader.Audience, "n-1", digest(less), now, "")), "kb_wrong_hash"},
		{"no hash", shown + token(phone, kbHead, strings.Replace(good, "sd_hash", "sd_hush", 1)), "kb_wrong_hash"},
		{"in the future", shown + token(phone, kbHead, body(reader.Audience, "n-1", digest(shown), now+3600, "")), "kb_stale"},
		{"an hour old", shown + token(phone, kbHead, body(reader.Audience, "n-1", digest(shown), now-3600, "")), "kb_stale"},
		{"expired by its own exp", shown + token(phone, kbHead, body(reader.Audience, "n-1", digest(shown), now-120, fmt.Sprintf(`,"exp":%d`, now-60))), "kb_stale"},
		{"no iat", shown + token(phone, kbHead, strings.Replace(good, `"iat"`, `"IAT"`, 1)), "bad_claims"},
		{"by another key", shown + token(stranger, kbHead, good), "kb_bad_signature"},
		{"typ JWT", shown + token(phone, `{"alg":"ES256","typ":"JWT"}`, good), "wrong_typ"},
		{"brings its own key", shown + token(stranger, `{"alg":"ES256","typ":"kb+jwt","jwk":{"kty":"EC"}}`, good), "kb_bad_signature"},
		{"alg none", shown + enc(`{"alg":"none","typ":"kb+jwt"}`) + "." + enc(good) + ".", "alg_not_allowed"},
		{"no JWT at all", shown + "x", "bad_jose"},
	} {
		e := made(sdjwt.Parse(c.text))
		got := ""
		_, err := sdjwt.OpenBound(e, keyOf(p256), reader)
		if err != nil {
			got = string(sdjwt.ReasonOf(err))
		}
		if got != c.want {
			t.Errorf("%s: got %q (%v), want %q", c.name, got, err, c.want)
		}
	}
	e := made(sdjwt.Parse(shown + token(phone, kbHead, body("", "", digest(shown), now, ""))))
	if _, err := sdjwt.OpenBound(e, keyOf(p256), sdjwt.Binding{At: now, MaxAge: time.Hour}); err == nil {
		t.Error("a verifier that wants nothing accepted a presentation to nobody")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(signed(p256, made(sdjwt.Prepare(keyOf(p256), draft(), rand.Reader))))
	f.Add(token(p256, goodHead, with("", enc(`["s","a",1]`))) + "~" + enc(`["s","a",1]`) + "~")
	other := keyOf(stranger)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := sdjwt.Parse(text)
		if err != nil {
			return
		}
		if _, err := sdjwt.OpenUnbound(e, other); err == nil {
			t.Errorf("%q opens under a key that signed nothing", text)
		}
		parts := strings.Split(text, "~")
		tok := made(jose.Parse([]byte(parts[0]), sdjwt.MaxText))
		claims, shown, err := sdjwt.Process(made(tok.Claims(jose.DefaultLimits)), parts[1:len(parts)-1])
		if err != nil {
			return
		}
		checkNoDigests(t, claims)
		if len(shown) != len(parts)-2 {
			t.Errorf("%d of %d disclosures", len(shown), len(parts)-2)
		}
	})
}

func TestCheckIntegrity(t *testing.T) {
	// Hashes of "abc": FIPS 180-4 examples.
	const (
		s256 = "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
		s384 = "sha384-ywB1P0WjXou1oD1pmsZQBycsMqsO3tFjGotgWkP/W+2AhgcroefMI1i67KE0yCWn"
		s512 = "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw=="
	)
	for _, c := range []struct {
		integrity string
		good      bool
	}{
		{s256, true}, {s384, true}, {s512, true}, {s256 + " " + s512, true}, {s256 + "?ct=application/json", true},
		{"sha256-AAAA " + s256, true}, {s256 + "  md5-AAAA", true},
		{"", false}, {"sha256-", false}, {"md5-kAFQmDzST7DWlj99KOF/cg==", false}, {"SHA256" + s256[6:], false}, {s256[:20], false},
		// The strongest decides: a weaker one beside it does not help.
		{s256 + " sha512-AAAA", false},
	} {
		if err := sdjwt.CheckIntegrity([]byte("abc"), c.integrity); (err == nil) != c.good {
			t.Errorf("%q: %v", c.integrity, err)
		}
	}
	if sdjwt.Integrity([]byte("abc")) != s256 {
		t.Errorf("got %s", sdjwt.Integrity([]byte("abc")))
	}
}
