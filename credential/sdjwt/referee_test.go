//go:build !js

package sdjwt_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"aidpass/credential/sdjwt"
	"aidpass/internal/jose"
	"aidpass/internal/referee"
	"aidpass/schemas"
	"aidpass/words"
)

// asMap is an object as encoding/json reads it.
func asMap(t *testing.T, v jose.Value) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(v.Append(nil), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// What we issue and our holder shows, @sd-jwt 0.19.0 reads as we do: every subset of a
// credential with nested claims, array elements and decoys, under both kinds of key.
func TestRefereeReadsWhatWeMake(t *testing.T) {
	choices := map[string]func(*sdjwt.Disclosure) bool{
		"all":                 func(*sdjwt.Disclosure) bool { return true },
		"nothing":             func(*sdjwt.Disclosure) bool { return false },
		"one in an object":    func(d *sdjwt.Disclosure) bool { return slices.Equal(d.Path, []string{"home", "street"}) },
		"the second element":  func(d *sdjwt.Disclosure) bool { return d.Path[0] == "sites" && d.Indexes[1] == 1 },
		"a name and a number": func(d *sdjwt.Disclosure) bool { return d.Path[0] == "name" || d.Path[0] == "round" },
	}
	var jobs []referee.Job
	var want []map[string]any
	var names []string
	for _, signer := range []crypto.Signer{p256, edKey} {
		text := signed(signer, made(sdjwt.Prepare(keyOf(signer), draft(), rand.Reader)))
		issued := made(sdjwt.OpenIssued(made(sdjwt.Parse(text)), keyOf(signer)))
		for _, holder := range slices.Sorted(maps.Keys(choices)) {
			shown := issued.Present(choices[holder])
			p := made(sdjwt.PrepareBinding(keyOf(phone), shown, reader.Audience, reader.Nonce, now))
			presented := signed(phone, p)
			ours := made(sdjwt.OpenBound(made(sdjwt.Parse(presented)), keyOf(signer), reader))
			jobs = append(jobs, map[string]any{"op": "verify", "text": presented, "issuer": referee.PublicJWK(keyOf(signer)), "now": now, "nonce": reader.Nonce})
			want = append(want, asMap(t, ours.Claims))
			names = append(names, fmt.Sprintf("%T, %s", signer, holder))
		}
	}
	for i, got := range referee.SDJWT(t, jobs...) {
		if got.Error != "" {
			t.Errorf("%s: refused: %s", names[i], got.Error)
			continue
		}
		if !reflect.DeepEqual(got.Payload, want[i]) {
			t.Errorf("%s: reads %v, we read %v", names[i], got.Payload, want[i])
		}
		if got.Header["typ"] != sdjwt.Type || got.Binding["aud"] != reader.Audience || got.Binding["nonce"] != reader.Nonce {
			t.Errorf("%s: header %v, binding %v", names[i], got.Header, got.Binding)
		}
	}
}

// @sd-jwt reads the metadata of our types.
//
// Where a credential has a hash of them (vct#integrity) it refuses it: it holds the
// digest in hexadecimal against the base64 that draft-ietf-oauth-sd-jwt-vc 6 takes
// from W3C Subresource Integrity 3. That is its fault, and the row tells when it is
// mended.
func TestRefereeReadsOurTypeMetadata(t *testing.T) {
	var jobs []referee.Job
	for _, typ := range schemas.Embedded() {
		document := made(typ.Metadata())
		for _, integrity := range []string{"", sdjwt.Integrity(document)} {
			d := draft()
			d.Type, d.Integrity = typ.VCT, integrity
			text := signed(p256, made(sdjwt.Prepare(keyOf(p256), d, rand.Reader)))
			if _, err := made(open(text, p256)).Metadata(document); err != nil {
				t.Errorf("%s: %v", typ.Name, err)
			}
			jobs = append(jobs, referee.Job{"op": "verify", "text": text, "issuer": referee.PublicJWK(keyOf(p256)), "now": now, "documents": map[string]string{typ.VCT: string(document)}})
		}
	}
	for i, got := range referee.SDJWT(t, jobs...) {
		typ := schemas.Embedded()[i/2]
		if i%2 == 1 {
			if !strings.Contains(got.Error, "Integrity check") {
				t.Errorf("%s: a hash in base64 is held to be %q", typ.Name, got.Error)
			}
			continue
		}
		display, _ := got.Metadata["display"].([]any)
		claims, _ := got.Metadata["claims"].([]any)
		if got.Error != "" || got.Metadata["vct"] != typ.VCT || len(display) != len(words.Tags()) || len(claims) == 0 {
			t.Errorf("%s: %s: %d names, %d claims", typ.Name, got.Error, len(display), len(claims))
		}
	}
}

// A holder with @sd-jwt makes presentations of our credentials, and we read those.
func TestRefereeHoldsOurCredential(t *testing.T) {
	text := signed(p256, made(sdjwt.Prepare(keyOf(p256), draft(), rand.Reader)))
	shows := []struct {
		name string
		show map[string]any
		want string
	}{
		{"nothing", map[string]any{}, `{"programme":"K7Q2","sites":[]}`},
		{"name and the second site", map[string]any{"name": true, "sites": map[string]any{"1": true}}, `{"name":"Amina","programme":"K7Q2","sites":["S2"]}`},
		{"a street with its home", map[string]any{"home": map[string]any{"street": true}}, `{"home":{"district":"D4","street":"Long Road"},"programme":"K7Q2","sites":[]}`},
		{"a home without its street", map[string]any{"home": true, "round": true}, `{"home":{"district":"D4"},"programme":"K7Q2","round":3,"sites":[]}`},
	}
	var jobs []referee.Job
	for _, c := range shows {
		jobs = append(jobs, map[string]any{"op": "present", "text": text, "holder": referee.PrivateJWK(t, phone), "show": c.show,
			"binding": map[string]any{"iat": now, "aud": reader.Audience, "nonce": reader.Nonce}})
	}
	for i, got := range referee.SDJWT(t, jobs...) {
		if got.Error != "" {
			t.Errorf("%s: %s", shows[i].name, got.Error)
			continue
		}
		if want := []string{"home", "home.street", "name", "round", "sites.0", "sites.1"}; !slices.Equal(got.Keys, want) {
			t.Errorf("a holder may choose among %q, want %q", got.Keys, want)
		}
		c, err := sdjwt.OpenBound(made(sdjwt.Parse(got.Text)), keyOf(p256), reader)
		if err != nil {
			t.Errorf("%s: %v", shows[i].name, err)
			continue
		}
		said := jose.Value{Kind: jose.Object}
		for _, m := range c.Claims.Members {
			if _, claim := claimsFrame[m.Name]; claim {
				said.Members = append(said.Members, m)
			}
		}
		if text := string(said.Sorted().Append(nil)); text != shows[i].want {
			t.Errorf("%s: %s, want %s", shows[i].name, text, shows[i].want)
		}
	}
}

// What @sd-jwt issues and presents we read: nested, recursive, elements, elements in
// elements, decoys, texts outside ASCII.
func TestWeReadTheReferee(t *testing.T) {
	issuer := made(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	base := map[string]any{"iss": "https://relief-b.example", "vct": "https://relief-b.example/t", "iat": now - 60, "exp": now + 3600,
		"cnf": map[string]any{"jwk": referee.PublicJWK(keyOf(phone))}}
	cases := []struct {
		name                string
		claims, frame, show map[string]any
		want                string // beside base
	}{
		{"flat", m{"a": 1, "b": "two"}, m{"_sd": l{"a", "b"}}, m{"b": true}, `{"b":"two"}`},
		{"decoys", m{"a": 1}, m{"_sd": l{"a"}, "_sd_decoy": 5}, m{"a": true}, `{"a":1}`},
		{"nested", m{"home": m{"d": "D4", "s": "Long Road"}}, m{"home": m{"_sd": l{"s"}, "_sd_decoy": 2}}, m{"home": m{"s": true}}, `{"home":{"d":"D4","s":"Long Road"}}`},
		{"recursive", m{"home": m{"d": "D4", "s": m{"no": 1, "x": true}}}, m{"_sd": l{"home"}, "home": m{"_sd": l{"d", "s"}, "s": m{"_sd": l{"no"}}}},
			m{"home": m{"s": m{"no": true}}}, `{"home":{"s":{"no":1,"x":true}}}`},
		{"elements", m{"sites": l{"S1", "S2", "S3"}}, m{"sites": m{"_sd": l{0, 2}}}, m{"sites": m{"2": true}}, `{"sites":["S2","S3"]}`},
		{"decoys among elements", m{"sites": l{"S1", "S2"}}, m{"sites": m{"_sd": l{0, 1}, "_sd_decoy": 3}}, m{"sites": m{"0": true}}, `{"sites":["S1"]}`},
		{"elements that are arrays", m{"rows": l{l{"a", "b"}, l{"c"}}}, m{"rows": m{"_sd": l{0}, "0": m{"_sd": l{1}}}}, m{"rows": m{"0": m{"1": true}}}, `{"rows":[["a","b"],["c"]]}`},
		{"elements that are objects", m{"kin": l{m{"n": "A", "y": 1}, m{"n": "B"}}}, m{"kin": m{"_sd": l{0, 1}, "0": m{"_sd": l{"y"}}}},
			m{"kin": m{"0": m{"y": true}}}, `{"kin":[{"n":"A","y":1}]}`},
		{"other scripts", m{"اسم": "أمينة", "n": "Zoë\n\"~\""}, m{"_sd": l{"اسم", "n"}}, m{"اسم": true, "n": true}, `{"n":"Zoë\n\"~\"","اسم":"أمينة"}`},
		{"false, null and nothing", m{"f": false, "z": nil, "e": m{}, "a": l{}}, m{"_sd": l{"f", "z", "e", "a"}}, m{"f": true, "z": true, "e": true, "a": true}, `{"a":[],"e":{},"f":false,"z":null}`},
	}
	var jobs []referee.Job
	for _, c := range cases {
		claims := maps.Clone(base)
		maps.Copy(claims, c.claims)
		jobs = append(jobs, map[string]any{"op": "issue", "key": referee.PrivateJWK(t, issuer), "header": m{"kid": "k1"}, "claims": claims, "frame": c.frame})
	}
	jobs = append(jobs, map[string]any{"op": "issue", "key": referee.PrivateJWK(t, issuer), "claims": base, "frame": m{"_sd": l{}}, "hash": "sha-512"})
	issued := referee.SDJWT(t, jobs...)
	jobs = nil
	for i, c := range cases {
		if issued[i].Error != "" {
			t.Fatalf("%s: %s", c.name, issued[i].Error)
		}
		jobs = append(jobs, map[string]any{"op": "present", "text": issued[i].Text, "holder": referee.PrivateJWK(t, phone), "show": c.show,
			"binding": m{"iat": now, "aud": reader.Audience, "nonce": reader.Nonce}})
	}
	for i, got := range referee.SDJWT(t, jobs...) {
		c := cases[i]
		whole, err := sdjwt.OpenIssued(made(sdjwt.Parse(issued[i].Text)), keyOf(issuer))
		if err != nil {
			t.Errorf("%s: as issued: %v", c.name, err)
			continue
		}
		if all := said(whole.Claims, base); !reflect.DeepEqual(asMap(t, all), roundTrip(t, c.claims)) {
			t.Errorf("%s: issued %v, we read %s", c.name, c.claims, all.Append(nil))
		}
		shown, err := sdjwt.OpenBound(made(sdjwt.Parse(got.Text)), keyOf(issuer), reader)
		if err != nil {
			t.Errorf("%s: as presented: %v %s", c.name, err, got.Error)
			continue
		}
		if text := string(said(shown.Claims, base).Sorted().Append(nil)); text != c.want {
			t.Errorf("%s: shown %s, want %s", c.name, text, c.want)
		}
		// Our holder makes of it what its holder made.
		picked := whole.Present(func(d *sdjwt.Disclosure) bool { return strings.Contains(got.Text, "~"+d.Text()+"~") })
		if cut := got.Text[:strings.LastIndexByte(got.Text, '~')+1]; !sameParts(picked, cut) {
			t.Errorf("%s: our holder shows\n%s\nits holder\n%s", c.name, picked, cut)
		}
	}
	// Which hashes are taken is a reader's policy (RFC 9901 7.1 step 2.4); HAIP asks
	// everybody for SHA-256, our only one.
	if _, err := open(issued[len(cases)].Text, issuer); sdjwt.ReasonOf(err) != words.AlgNotAllowed {
		t.Errorf("SHA-512: %v", err)
	}
}

type (
	m = map[string]any
	l = []any
)

// said is v without the members of base.
func said(v jose.Value, base map[string]any) jose.Value {
	out := jose.Value{Kind: jose.Object}
	for _, member := range v.Members {
		if _, known := base[member.Name]; !known {
			out.Members = append(out.Members, member)
		}
	}
	return out
}

// roundTrip is v as encoding/json reads what it writes.
func roundTrip(t *testing.T, v map[string]any) (out map[string]any) {
	t.Helper()
	if err := json.Unmarshal(made(json.Marshal(v)), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// sameParts: the order of disclosures has no meaning (RFC 9901 4).
func sameParts(a, b string) bool {
	x, y := strings.Split(a, "~"), strings.Split(b, "~")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// A presentation that somebody changed on its way is refused by both. Where @sd-jwt
// takes what the standard refuses, the section stands beside it: the row then tells
// when a later version of it has learnt.
func TestBothRefuseTampering(t *testing.T) {
	text := signed(p256, made(sdjwt.Prepare(keyOf(p256), draft(), rand.Reader)))
	c := made(open(text, p256))
	isName := func(d *sdjwt.Disclosure) bool { return d.Path[0] == "name" }
	shown := c.Present(isName)
	var name, round string
	for _, d := range c.Disclosures {
		switch d.Path[0] {
		case "name":
			name = d.Text()
		case "round":
			round = d.Text()
		}
	}
	bind := func(shown string) string {
		p := made(sdjwt.PrepareBinding(keyOf(phone), shown, reader.Audience, reader.Nonce, now))
		return signed(phone, p)
	}
	good := bind(shown)
	at := strings.LastIndexByte(good, '~') + 1
	kb := good[at:]
	lie := enc(strings.Replace(string(made(jose.DecodeBase64(name))), "Amina", "Aicha", 1))
	street := enc(`["s","street","Long Road"]`)
	rows := []struct {
		name, text string
		want       words.Reason
		takes      string // what @sd-jwt does wrong, if it takes the text
		unbound    bool   // no binding is asked for
	}{
		{"control", good, "", "nothing: it is good", false},
		{"a disclosure left out", c.Present(func(*sdjwt.Disclosure) bool { return false }) + kb, words.KBWrongHash, "", false},
		{"a disclosure added", strings.Replace(good, name, name+"~"+round, 1), words.KBWrongHash, "", false},
		{"a disclosure that says something else", strings.Replace(good, name, lie, 1), words.DisclosureUnreferenced, "", false},
		{"the same, and bound by the holder", bind(strings.Replace(shown, name, lie, 1)), words.DisclosureUnreferenced, "RFC 9901 7.1 step 5: a disclosure that no digest stands for", false},
		{"a disclosure twice", bind(strings.Replace(shown, name, name+"~"+name, 1)), words.DisclosureDuplicate, "RFC 9901 4: no disclosure is sent twice", false},
		{"another's binding", good[:at] + signed(stranger, made(sdjwt.PrepareBinding(keyOf(stranger), shown, reader.Audience, reader.Nonce, now)))[at:], words.KBBadSignature, "", false},
		{"no binding", shown, words.KBMissing, "", false},
		{"another nonce", signed(phone, made(sdjwt.PrepareBinding(keyOf(phone), shown, reader.Audience, "n-2", now))), words.KBWrongNonce, "", false},
		{"another audience", signed(phone, made(sdjwt.PrepareBinding(keyOf(phone), shown, "https://thief.example", reader.Nonce, now))), words.KBWrongAudience, "RFC 9901 7.3 step 5.6: aud is left to its caller", false},
		{"an old binding", signed(phone, made(sdjwt.PrepareBinding(keyOf(phone), shown, reader.Audience, reader.Nonce, now-86400))), words.KBStale, "RFC 9901 7.3 step 5.5: iat is left to its caller", false},
		{"the issuer's signature of other claims", strings.Replace(good, ".", ".e", 1), words.BadJOSE, "", false},
		{"a disclosure in a claim's place", token(p256, goodHead, with(`,"street":"Short Road"`, street)) + "~" + street + "~", words.DisclosureBadName, "RFC 9901 7.1 step 3.3.2.3: the claim is there already", true},
		{"a digest twice", token(p256, goodHead, with("", street, street)) + "~" + street + "~", words.DigestDuplicate, "RFC 9901 7.1 step 4", true},
		{"another type of token", token(p256, `{"alg":"ES256","kid":"k1","typ":"JWT"}`, with("")) + "~", words.WrongTyp, "draft-ietf-oauth-sd-jwt-vc 2.2.1: typ is left to its caller", true},
	}
	var jobs []referee.Job
	for _, row := range rows {
		job := referee.Job{"op": "verify", "text": row.text, "issuer": referee.PublicJWK(keyOf(p256)), "now": now}
		if !row.unbound {
			job["nonce"] = reader.Nonce
		}
		jobs = append(jobs, job)
	}
	for i, got := range referee.SDJWT(t, jobs...) {
		row := rows[i]
		if taken := got.Error == ""; taken != (row.takes != "") {
			t.Errorf("%s: @sd-jwt takes it: %v (%s)", row.name, taken, got.Error)
		}
		reason := words.Reason("")
		e, err := sdjwt.Parse(row.text)
		switch {
		case err != nil:
		case row.unbound:
			_, err = sdjwt.OpenUnbound(e, keyOf(p256))
		default:
			_, err = sdjwt.OpenBound(e, keyOf(p256), reader)
		}
		if err != nil {
			reason = sdjwt.ReasonOf(err)
		}
		if reason != row.want {
			t.Errorf("%s: we say %q, want %q", row.name, reason, row.want)
		}
	}
}
