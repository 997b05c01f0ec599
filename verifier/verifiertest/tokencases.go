//go:build !js

package verifiertest

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	"aidpass/credential/sdjwt"
	"aidpass/internal/jose"
	"aidpass/schemas"
	"aidpass/status"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/verifier/visit"
	"aidpass/words"
)

func sortedNames(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// bearerPack takes eligibility without the holder's signature, so that a case is
// about what its issuer signed alone.
func (w *World) bearerPack() []byte {
	return w.TokenPack(PackOptions{Policy: &verifier.Policy{Bearer: []string{schemas.ByName("eligibility").VCT}}})
}

// in puts cases before one pack.
func in(pack []byte, cases []Case) []Case {
	for i := range cases {
		if cases[i].Pack == nil {
			cases[i].Pack = pack
		}
	}
	return cases
}

// tokenCases: the signed JSON of a wallet credential (THREATS 4.1, rows jwt).
func tokenCases(w *World) []Case {
	stranger := P256("stranger")
	signed := func(k Signer, header string, edit map[string]string) string {
		return jws(k, header, w.tokenClaims(edit)) + "~"
	}
	head := func(header string) string { return signed(w.A.VC, header, nil) }
	claim := func(name, v string) string { return w.token(map[string]string{name: v}) }
	good := strings.TrimSuffix(w.token(nil), "~")
	part := strings.Split(good, ".")
	der := func() string {
		sum := sha256.Sum256([]byte(part[0] + "." + part[1]))
		return jose.EncodeBase64(must(w.A.VC.Sign(rand.Reader, sum[:], crypto.SHA256)))
	}()
	past := fmt.Sprint(int64(Now - day))
	return in(w.bearerPack(), []Case{
		{Name: "token: valid, nothing selectively disclosable", Text: w.token(nil), Want: words.OK},
		{Name: "token: alg None", Text: head(`{"alg":"None","kid":"k","typ":"dc+sd-jwt"}`), Want: words.AlgNotAllowed},
		{Name: "token: alg nOnE", Text: head(`{"alg":"nOnE","kid":"k","typ":"dc+sd-jwt"}`), Want: words.AlgNotAllowed},
		{Name: "token: HS256 with an empty key", Text: head(`{"alg":"HS256","kid":"k","typ":"dc+sd-jwt"}`), Want: words.AlgNotAllowed},
		{Name: "token: no alg", Text: head(`{"kid":"k","typ":"dc+sd-jwt"}`), Want: words.AlgMissing},
		{Name: "token: EdDSA named, a P-256 key", Text: head(strings.Replace(w.tokenHeader(""), "ES256", "EdDSA", 1)), Want: words.AlgKeyMismatch},
		{Name: "token: jku of an attacker", Text: signed(stranger, `{"alg":"ES256","jku":"https://evil.example/keys","kid":"evil-1","typ":"dc+sd-jwt"}`, nil), Want: words.UnknownKey},
		{Name: "token: brings its own key", Text: signed(stranger, w.tokenHeader(`,"jwk":{"kty":"EC","crv":"P-256"}`), nil), Want: words.BadSignature},
		{Name: "token: kid is a path", Text: head(`{"alg":"ES256","kid":"../../dev/null","typ":"dc+sd-jwt"}`), Want: words.UnknownKey},
		{Name: "token: no kid", Text: head(`{"alg":"ES256","typ":"dc+sd-jwt"}`), Want: words.KidMissing},
		{Name: "token: crit that is not known", Text: head(w.tokenHeader(`,"crit":["x"],"x":1`)), Want: words.CritNotUnderstood},
		{Name: "token: alg twice", Text: head(w.tokenHeader(`,"alg":"ES256"`)), Want: words.DuplicateKey},
		{Name: "token: typ missing", Text: head(`{"alg":"ES256","kid":"k"}`), Want: words.WrongTyp},
		{Name: "token: typ of old drafts", Text: head(strings.Replace(w.tokenHeader(""), "dc+", "vc+", 1)), Want: words.WrongTyp},
		{Name: "token: a status list", Text: string(w.StatusJWT(w.A, StatusOptions{})) + "~", Want: words.WrongTyp},
		{Name: "token: standard base64 in the signature", Text: good[:len(good)-4] + "+/+/~", Want: words.BadJOSE},
		{Name: "token: DER signature", Text: part[0] + "." + part[1] + "." + der + "~", Want: words.BadSignature},
		{Name: "token: two parts", Text: part[0] + "." + part[1] + "~", Want: words.BadJOSE},
		{Name: "token: over 64 KiB", Text: claim("more", `"`+strings.Repeat("a", 64<<10)+`"`), Want: words.TooLarge},
		{Name: "token: a claim twice", Text: claim("more", `1,"more":2`), Want: words.DuplicateKey},
		{Name: "token: no issuer", Text: claim("iss", ""), Want: words.IssMissing},
		{Name: "token: exp as text", Text: claim("exp", `"9999999999"`), Want: words.BadClaims},
		{Name: "token: no exp", Text: claim("exp", ""), Want: words.ExpMissing},
		{Name: "token: no iat and no nbf", Text: claim("iat", ""), Want: words.BadClaims},
		{Name: "token: nbf in place of iat", Text: w.token(map[string]string{"iat": "", "nbf": fmt.Sprint(int64(Made))}), Want: words.OK},
		{Name: "token: EXP is not exp", Text: w.token(map[string]string{"exp": past, "EXP": "9999999999", "iat": fmt.Sprint(int64(Made - 40*day))}), Want: words.Expired},
		{Name: "token: not yet valid", Text: claim("nbf", fmt.Sprint(int64(Now+day))), Want: words.NotYetValid},
		{Name: "token: lives ten years", Text: claim("exp", fmt.Sprint(int64(Made+3650*day))), Want: words.LifetimeTooLong},
		{Name: "token: unknown type", Text: claim("vct", `"https://a.example/t/new"`), Want: words.UnknownType,
			Pack: w.TokenPack(PackOptions{Policy: &verifier.Policy{Bearer: []string{"https://a.example/t/new"}}})},
		{Name: "token: programme missing, which is never hidden", Text: claim("programme", ""), Want: words.BadClaims},
		{Name: "token: a number as text", Text: claim("round", `"3"`), Want: words.BadClaims},
		{Name: "token: for another audience", Text: claim("aud", `["https://else.example"]`), Want: words.WrongAudience},
		{Name: "token: for us among others", Text: claim("aud", `["https://else.example","`+w.A.ID+`"]`), Want: words.OK},
		{Name: "token: another programme", Text: claim("programme", `"ZZZZ"`), Want: words.WrongProgramme,
			Pack: w.TokenPack(PackOptions{Policy: &verifier.Policy{Bearer: []string{schemas.ByName("eligibility").VCT},
				Programmes: map[string][]verifier.Round{Programme: nil}}})},
		{Name: "token: signed by a card key", Text: signed(w.A.Card, strings.Replace(w.tokenHeader(""), jose.KeyID(w.A.VC.Key), jose.KeyID(w.A.Card.Key), 1), nil), Want: words.IssuerNotAuthorised},
		{Name: "token: key of another organisation", Text: signed(w.B.VC, strings.Replace(w.tokenHeader(""), jose.KeyID(w.A.VC.Key), jose.KeyID(w.B.VC.Key), 1), nil), Want: words.IssuerKeyMismatch},
		{Name: "token: key withdrawn", Text: w.token(nil), Pack: w.TokenPack(PackOptions{Trust: TrustOptions{Edit: func(d *trust.Draft) {
			check(d.Withdraw(w.A.ID, w.A.VC.KID(), Made-10*day))
		}}}), Want: words.KeyRevoked, Also: []words.Reason{words.KBMissing}},
	})
}

// disclosureCases: what a wallet shows (THREATS 4.1, rows sdjwt).
func disclosureCases(w *World) []Case {
	enc := func(s string) string { return jose.EncodeBase64([]byte(s)) }
	name, x := enc(`["salt","name","Amina"]`), enc(`["salt","x",1]`)
	shows := func(json string) string { return w.token(nil, enc(json)) }
	inside := fmt.Sprintf(`{"_sd":[%q]}`, digestOf(x))
	many := func(n int) string {
		digests := make([]string, n)
		for i := range digests {
			digests[i] = fmt.Sprintf("%q", digestOf(fmt.Sprint(i)))
		}
		return "[" + strings.Join(digests, ",") + "]"
	}
	private := `{"jwk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}}`
	return in(w.bearerPack(), []Case{
		{Name: "wallet: all shown, as its issuer gave it", Text: w.Token(TokenOptions{}), Want: words.OK},
		{Name: "wallet: nothing shown but what always is", Text: w.Show(w.Token(TokenOptions{})), Want: words.OK},
		{Name: "wallet: a registration tells who", Text: w.Present(w.Token(TokenOptions{Type: "registration", Claims: map[string]any{"name": "Amina Yusuf"}}), "name"),
			Audience: Audience, Nonce: Nonce, Want: words.OK, Known: true},
		{Name: "wallet: a disclosure twice", Text: w.token(nil, name) + name + "~", Want: words.DisclosureDuplicate},
		{Name: "wallet: a disclosure of nobody's", Text: w.token(nil) + name + "~", Want: words.DisclosureUnreferenced},
		{Name: "wallet: a digest at the top and inside", Text: w.token(map[string]string{"more": inside}, x), Want: words.DigestDuplicate},
		{Name: "wallet: claim name ...", Text: shows(`["salt","...",1]`), Want: words.DisclosureBadName},
		{Name: "wallet: claim name _sd", Text: shows(`["salt","_sd",[]]`), Want: words.DisclosureBadName},
		{Name: "wallet: a claim that stands there already", Text: shows(`["salt","programme","ZZZZ"]`), Want: words.DisclosureBadName},
		{Name: "wallet: exp is disclosed", Text: w.token(map[string]string{"exp": ""}, enc(`["salt","exp",9999999999]`)), Want: words.DisclosureBadName},
		{Name: "wallet: status is disclosed", Text: w.token(map[string]string{"status": ""}, enc(`["salt","status",{}]`)), Want: words.DisclosureBadName},
		{Name: "wallet: four elements", Text: shows(`["salt","x",1,2]`), Want: words.DisclosureMalformed},
		{Name: "wallet: a claim name that is a number", Text: shows(`["salt",1,2]`), Want: words.DisclosureMalformed},
		{Name: "wallet: claim name __proto__", Text: shows(`["salt","__proto__",{"admin":true}]`), Want: words.OK},
		{Name: "wallet: empty disclosure", Text: w.token(nil) + "~", Want: words.DisclosureMalformed},
		{Name: "wallet: hash md5", Text: w.token(map[string]string{"_sd_alg": `"md5"`}, x), Want: words.AlgNotAllowed},
		{Name: "wallet: _sd is not an array", Text: w.token(map[string]string{"_sd": `"x"`}), Want: words.BadJOSE},
		{Name: "wallet: cnf with a private key", Text: w.token(map[string]string{"cnf": private}), Want: words.BadJOSE},
		{Name: "wallet: 2,000 decoys", Text: w.token(map[string]string{"_sd": many(1000)}), Want: words.TooLarge},
	})
}

// bindingCases: who shows a wallet credential, and what it must show to be counted.
func bindingCases(w *World) []Case {
	token := w.Token(TokenOptions{})
	all, bare := w.Show(token, schemas.LedgerClaim), w.Show(token)
	unbound := w.Token(TokenOptions{Draft: func(d *sdjwt.Draft) { d.HolderKey = nil }})
	present := func(k Signer) string { return w.presentAs(k, all, Audience, Nonce, Now) }
	good := present(w.Wallet)
	raw := func(header, claims string) string { return all + jws(w.Wallet, header, claims) }
	const header = `{"alg":"ES256","typ":"kb+jwt"}`
	claims := func(shown string) string {
		return fmt.Sprintf(`{"aud":%q,"iat":%d,"nonce":%q,"sd_hash":%q}`, Audience, int64(Now), Nonce, digestOf(shown))
	}
	collected := [][]byte{w.Journal(visit.Visit{Kind: visit.Collection, Ledger: w.Ledger(), Given: "C1"})}
	elsewhere := w.Ledger()
	elsewhere.Round = 2
	before := [][]byte{w.Journal(visit.Visit{Kind: visit.Collection, Ledger: elsewhere, Given: "C1"})}
	cases := []Case{
		{Name: "holder: signed what was asked", Text: good, Want: words.OK},
		{Name: "holder: signature missing", Text: all, Want: words.KBMissing},
		{Name: "holder: to an earlier request", Text: w.presentAs(w.Wallet, all, Audience, "n-old", Now), Want: words.KBWrongNonce},
		{Name: "holder: to somebody else", Text: w.presentAs(w.Wallet, all, "https://else.example", Nonce, Now), Want: words.KBWrongAudience},
		{Name: "holder: an hour ago", Text: w.presentAs(w.Wallet, all, Audience, Nonce, Now-3600), Want: words.KBStale},
		{Name: "holder: in the future", Text: w.presentAs(w.Wallet, all, Audience, Nonce, Now+3600), Want: words.KBStale},
		{Name: "holder: a stolen credential, another phone", Text: present(P256("thief")), Want: words.KBBadSignature},
		{Name: "holder: typ JWT", Text: raw(`{"alg":"ES256","typ":"JWT"}`, claims(all)), Want: words.WrongTyp},
		{Name: "holder: brings a key of its own", Text: raw(`{"alg":"ES256","jwk":{"kty":"EC"},"typ":"kb+jwt"}`, claims(all)), Want: words.KBBadSignature},
		{Name: "holder: a disclosure added afterwards", Text: raw(header, claims(bare)), Want: words.KBWrongHash},
		{Name: "holder: bound to no phone", Text: unbound + jws(w.Wallet, header, claims(unbound)), Want: words.KBNoHolderKey},
		{Name: "holder: to another, and the credential is revoked", Text: w.presentAs(w.Wallet, w.Token(TokenOptions{Draft: func(d *sdjwt.Draft) { d.StatusIndex = RevokedIndex }}), "https://else.example", Nonce, Now),
			Want: words.Revoked, Also: []words.Reason{words.KBWrongAudience}},
		{Name: "holder: collected with the card, comes with the phone", Text: good, Journals: collected, Want: words.AlreadyRedeemed},
		{Name: "holder: collected in an earlier round", Text: good, Journals: before, Want: words.OK},
		{Name: "holder: hides what collections are counted under", Text: w.presentAs(w.Wallet, bare, Audience, Nonce, Now), Journals: before, Want: words.NotShown},
	}
	for i := range cases {
		cases[i].Audience, cases[i].Nonce = Audience, Nonce
	}
	// The policy takes this type without; what was asked for is wanted all the same.
	asked := Case{Name: "holder: asked, although the policy takes it without", Text: all, Pack: w.bearerPack(), Audience: Audience, Nonce: Nonce, Want: words.KBMissing}
	return in(w.TokenPack(PackOptions{}), append(cases, asked,
		Case{Name: "holder: signed, but nobody had asked", Text: good, Want: words.KBMissing},
		Case{Name: "holder: nobody had asked, and the policy takes it without", Text: good, Pack: w.bearerPack(), Want: words.OK}))
}

// tokenStatusCases: the list a wallet credential points to (THREATS 4.1, rows status).
func tokenStatusCases(w *World) []Case {
	uri := w.A.TokenStatusURI()
	at := func(i uint64) string {
		return w.token(map[string]string{"status": fmt.Sprintf(`{"status_list":{"idx":%d,"uri":%q}}`, i, uri)})
	}
	policy := &verifier.Policy{Bearer: []string{schemas.ByName("eligibility").VCT}}
	with := func(jwt []byte) []byte {
		return w.Pack(PackOptions{Policy: policy, Status: []verifier.Part{w.tokenList(jwt)}})
	}
	listed := func(o StatusOptions) []byte { return with(w.StatusJWT(w.A, o)) }
	list := func(alg, claims string) []byte {
		return with([]byte(jws(w.A.Status, fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"statuslist+jwt"}`, alg, jose.KeyID(w.A.Status.Key)),
			strings.NewReplacer("SUB", uri, "IAT", fmt.Sprint(int64(Made)), "LST", jose.EncodeBase64(zip(make([]byte, 64)))).Replace(claims))))
	}
	msb := StatusOptions{Edit: func(r *status.Register) { check(r.Set(GoodIndex^3, status.Invalid)) }}
	_, seen, err := verifier.OpenPack(listed(StatusOptions{Issued: Made - 5*day}), verifier.Floors{}, Now)
	check(err)
	_, seenNow, err := verifier.OpenPack(listed(StatusOptions{}), verifier.Floors{}, Now)
	check(err)
	bomb := jose.EncodeBase64(zip(bytes.Repeat([]byte{0}, 64<<20)))
	return in(listed(StatusOptions{}), []Case{
		{Name: "token status: a fresh list", Text: at(1234), Want: words.OK},
		{Name: "token status: revoked", Text: at(RevokedIndex), Want: words.Revoked},
		{Name: "token status: suspended", Text: at(SuspendedIndex), Want: words.Suspended},
		{Name: "token status: only the bit that the other order would read is set", Text: at(GoodIndex), Pack: listed(msb), Want: words.OK},
		{Name: "token status: another list in this one's place", Text: at(RevokedIndex), Pack: listed(StatusOptions{URI: "https://relief-a.example/st/2", Edit: none}), Want: words.StatusWrongList},
		{Name: "token status: a list without exp, ninety days old", Text: at(0), Pack: list("ES256",
			strings.Replace(`{"sub":"SUB","iat":OLD,"status_list":{"bits":2,"lst":"LST"}}`, "OLD", fmt.Sprint(int64(Made-90*day)), 1)), Want: words.StatusStale},
		{Name: "token status: a list too short", Text: at(1234), Pack: list("ES256", `{"sub":"SUB","iat":IAT,"status_list":{"bits":2,"lst":"LST"}}`), Want: words.StatusIndexOutOfRange},
		{Name: "token status: bits as text", Text: at(0), Pack: list("ES256", `{"sub":"SUB","iat":IAT,"status_list":{"bits":"2","lst":"LST"}}`), Want: words.StatusMalformed},
		{Name: "token status: a list that inflates to 64 MiB", Text: at(0), Pack: list("ES256", `{"sub":"SUB","iat":IAT,"status_list":{"bits":2,"lst":"`+bomb+`"}}`), Want: words.StatusMalformed},
		{Name: "token status: a list with alg none", Text: at(RevokedIndex), Pack: list("none", `{"sub":"SUB","iat":IAT,"status_list":{"bits":2,"lst":"LST"}}`), Want: words.StatusMalformed},
		{Name: "token status: a revoked entry came back", Text: at(RevokedIndex), State: seen.Encode(), Pack: listed(StatusOptions{Edit: none}), Want: words.StatusUnrevoked},
		{Name: "token status: no list in the pack", Text: at(1234), Pack: w.Pack(PackOptions{Policy: policy, NoStatus: true}), Want: words.StatusUnknown},
		{Name: "token status: the list as cards have it serves both forms", Text: at(RevokedIndex), Pack: w.Pack(PackOptions{Policy: policy}), Want: words.Revoked},
		{Name: "token status: older than the list seen before, in the other form", Text: at(RevokedIndex), State: seenNow.Encode(),
			Pack: w.Pack(PackOptions{Policy: policy, Status: []verifier.Part{w.snapshotPart(w.A, StatusOptions{Issued: Made - 5*day})}}), Want: words.StatusRollback},
		{Name: "token status: a list of another organisation", Text: w.token(map[string]string{"status": fmt.Sprintf(`{"status_list":{"idx":1,"uri":%q}}`, w.B.StatusURI)}), Want: words.StatusWrongIssuer},
		{Name: "token status: none, although its issuer uses lists", Text: w.token(map[string]string{"status": ""}), Want: words.StatusMissing},
	})
}
