//go:build !js

package verifiertest

import (
	"fmt"
	"strings"

	"aidpass/credential/vcjwt"
	"aidpass/internal/cose"
	"aidpass/internal/did"
	"aidpass/internal/jose"
	"aidpass/schemas"
	"aidpass/verifier/visit"
	"aidpass/words"
)

// w3cDraft is the usual wallet credential as a W3C one.
func (w *World) w3cDraft() vcjwt.Draft {
	elig := schemas.ByName("eligibility")
	return vcjwt.Draft{Issuer: w.A.ID, Type: elig.VCT, ID: "c-2", IssuedAt: Made, ExpiresAt: Made + 90*day, StatusURI: w.A.TokenStatusURI(), StatusIndex: GoodIndex,
		HolderKey: w.Wallet.Key, Claims: must(elig.EncodeWallet(map[string]any{"programme": Programme, "round": int64(3)}, pseudonym("unit-1")))}
}

// W3C signs a W3C credential; edit changes the usual one.
func (w *World) W3C(edit func(*vcjwt.Draft)) string {
	d := w.w3cDraft()
	edit(&d)
	return finish(w.A.VC, must(vcjwt.Prepare(w.A.VC.Key, d)))
}

func finish(k Signer, p *jose.Prepared) string {
	return string(must(p.Attach(must(cose.SignRaw(k, p.ToBeSigned())))))
}

// w3cCases: a W3C credential as vc+jwt (THREATS 4.1, rows jwt, and VC-JOSE-COSE).
func w3cCases(w *World) []Case {
	usual := func(*vcjwt.Draft) {}
	good := w.W3C(usual)
	part := strings.Split(good, ".")
	payload := string(must(jose.DecodeBase64(part[1])))
	header := fmt.Sprintf(`{"alg":"ES256","kid":%q,"typ":"vc+jwt"}`, jose.KeyID(w.A.VC.Key))
	swap := func(old, replacement string) string {
		changed := strings.Replace(payload, old, replacement, 1)
		if changed == payload {
			panic("verifiertest: " + old + " is not in the credential")
		}
		return jws(w.A.VC, header, changed)
	}
	more := func(member string) string { return swap(`{"@context"`, `{`+member+`,"@context"`) }
	head := func(k Signer, h string) string { return jws(k, h, payload) }
	collected := [][]byte{w.Journal(visit.Visit{Kind: visit.Collection, Ledger: w.Ledger(), Given: "C1"})}
	cases := in(w.bearerPack(), []Case{
		{Name: "w3c: valid", Text: good, Want: words.OK},
		{Name: "w3c: the unit has collected with its card", Text: good, Journals: collected, Want: words.AlreadyRedeemed},
		{Name: "w3c: revoked", Text: w.W3C(func(d *vcjwt.Draft) { d.StatusIndex = RevokedIndex }), Want: words.Revoked},
		{Name: "w3c: expired", Text: w.W3C(func(d *vcjwt.Draft) { d.IssuedAt, d.ExpiresAt = Made-40*day, Now-day }), Want: words.Expired},
		{Name: "w3c: valid from tomorrow", Text: w.W3C(func(d *vcjwt.Draft) { d.NotBefore = Now + day }), Want: words.NotYetValid},
		{Name: "w3c: no status, although its issuer uses lists", Text: w.W3C(func(d *vcjwt.Draft) { d.StatusURI = "" }), Want: words.StatusMissing},
		{Name: "w3c: version 1.1", Text: finish(w.A.VC, must(vcjwt.PrepareV11(w.A.VC.Key, w.w3cDraft()))), Want: words.WrongTyp},
		{Name: "w3c: an SD-JWT's text without its tilde", Text: strings.TrimSuffix(w.token(nil), "~"), Want: words.WrongTyp},
		{Name: "w3c: alg none", Text: jose.EncodeBase64([]byte(strings.Replace(header, "ES256", "none", 1))) + "." + part[1] + ".", Want: words.AlgNotAllowed},
		{Name: "w3c: jku of an attacker", Text: head(P256("stranger"), `{"alg":"ES256","jku":"https://evil.example/keys","kid":"evil-1","typ":"vc+jwt"}`), Want: words.UnknownKey},
		{Name: "w3c: signed by a card key", Text: head(w.A.Card, strings.Replace(header, jose.KeyID(w.A.VC.Key), jose.KeyID(w.A.Card.Key), 1)), Want: words.IssuerNotAuthorised},
		{Name: "w3c: no kid", Text: head(w.A.VC, `{"alg":"ES256","typ":"vc+jwt"}`), Want: words.KidMissing},
		{Name: "w3c: altered", Text: part[0] + "." + jose.EncodeBase64([]byte(strings.Replace(payload, `"round":3`, `"round":4`, 1))) + "." + part[2], Want: words.BadSignature},
		{Name: "w3c: claim vc inside", Text: more(`"vc":{}`), Want: words.BadClaims},
		{Name: "w3c: two issuers", Text: swap(`"iss":"`, `"iss":"https://else.example/`), Want: words.BadClaims},
		{Name: "w3c: two ends", Text: swap(fmt.Sprintf(`"exp":%d`, int64(Made+90*day)), `"exp":9999999999`), Want: words.BadClaims},
		{Name: "w3c: two holders", Text: swap(did.OfKey(w.Wallet.Key), did.OfKey(P256("thief").Key)), Want: words.BadClaims},
		{Name: "w3c: a status nobody can look up", Text: more(`"credentialStatus":{"type":"BitstringStatusListEntry"}`), Want: words.BadClaims},
		{Name: "w3c: no end", Text: swap(fmt.Sprintf(`"exp":%d,`, int64(Made+90*day)), ``), Want: words.OK}, // validUntil says it
		{Name: "w3c: programme missing", Text: swap(`"programme":"`+Programme+`",`, ``), Want: words.BadClaims},
		{Name: "w3c: over 64 KiB", Text: more(`"a":"` + strings.Repeat("a", 64<<10) + `"`), Want: words.TooLarge},
	})
	asked := Case{Name: "w3c: its holder was asked to sign", Text: good, Pack: w.bearerPack(), Audience: Audience, Nonce: Nonce, Want: words.KBMissing}
	return append(cases, asked, Case{Name: "w3c: not taken without its holder", Text: good, Pack: w.TokenPack(PackOptions{}), Want: words.KBMissing})
}
