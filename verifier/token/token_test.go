package token_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/credential/sdjwt"
	"aidpass/credential/vcjwt"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/schemas"
	"aidpass/verifier"
	"aidpass/verifier/token"
	vt "aidpass/verifier/verifiertest"
	"aidpass/words"
)

var world = vt.New()

// made is v, unless there was an error.
func made[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// inputs are those of a table that opens sealed parts, so that ledger keys are made.
func inputs(t *testing.T, raw []byte) verifier.Inputs {
	t.Helper()
	p, floors, err := verifier.OpenPack(raw, verifier.Floors{}, vt.Now)
	if err != nil {
		t.Fatal(err)
	}
	return verifier.Inputs{At: vt.Now, Pack: p, Floors: floors, Tokens: token.Reader{}, Uses: nobody{},
		Binding: &verifier.Binding{Audience: vt.Audience, Nonce: vt.Nonce}}
}

type nobody struct{}

func (nobody) Earlier(verifier.LedgerKey) (verifier.Use, bool) { return verifier.Use{}, false }

// A card and a wallet credential of one unit say the same and meet in the ledger.
func TestOneJudgementForBothForms(t *testing.T) {
	in := inputs(t, world.TokenPack(vt.PackOptions{}))
	values := map[string]any{"programme": vt.Programme, "round": int64(3), "size_band": "4-5", "photo_hash": bytes.Repeat([]byte{7}, 16)}
	whole := world.Token(vt.TokenOptions{Claims: values})
	card := verifier.Verify(world.Text(vt.CardOptions{Plain: values}), in)
	wallet := verifier.Verify(world.Present(whole, "size_band", "photo_hash", schemas.LedgerClaim), in)
	if card.Reason != words.OK || wallet.Reason != words.OK {
		t.Fatalf("%s %v, %s %v", card.Reason, card.Err, wallet.Reason, wallet.Err)
	}
	if card.Ledger != wallet.Ledger || card.Ledger.Pseudonym == "" || card.CardNumber() != wallet.CardNumber() {
		t.Errorf("ledger keys %+v, %+v", card.Ledger, wallet.Ledger)
	}
	if !reflect.DeepEqual(card.Claims(), wallet.Claims()) || !bytes.Equal(card.Credential.Plain, wallet.Credential.Plain) {
		t.Errorf("claims %v, %v", card.Claims(), wallet.Claims())
	}
	if len(wallet.Credential.ID) != cwt.CredentialIDN || wallet.Holder != verifier.CheckPhoto|verifier.LiveProof|verifier.LiveChallenge {
		t.Errorf("identity %x, holder %b", wallet.Credential.ID, wallet.Holder)
	}
	// What she does not show is neither there nor missed.
	little := verifier.Verify(world.Present(whole, schemas.LedgerClaim), in)
	if little.Reason != words.OK || len(little.Claims()) != 2 || little.Holder&verifier.CheckPhoto != 0 {
		t.Errorf("%s %v", little.Reason, little.Claims())
	}
	// What no card shows without an operator's code, she may show herself.
	named := verifier.Verify(world.Present(whole, "name", schemas.LedgerClaim), in)
	if named.Claims()["name"] != "Amina Yusuf" || named.Opened == nil {
		t.Errorf("%s %v", named.Reason, named.Claims())
	}
}

// Two one-time credentials shown to two verifiers that hand nothing out: what both
// see is what everybody of the round shows.
func TestTwoVerifiersHaveNothingToCompare(t *testing.T) {
	phone := func(name string) vt.Signer { return vt.P256(name) }
	seen := func(unit, id string, index uint64, holder vt.Signer) map[string]bool {
		d := sdjwt.Draft{Issuer: world.A.ID, ID: id, IssuedAt: vt.Made, ExpiresAt: vt.Made + 86400, StatusURI: world.A.TokenStatusURI(), StatusIndex: index, HolderKey: holder.Key}
		values := map[string]any{"programme": vt.Programme, "round": int64(3), "name": unit, "size_band": "4-5"}
		if err := d.Say(schemas.ByName("eligibility"), values, cwt.Pseudonym([]byte("k"), []byte(unit))); err != nil {
			t.Fatal(err)
		}
		p := made(sdjwt.Prepare(world.A.VC.Key, d, rand.Reader))
		text := world.Show(made(p.Attach(made(cose.SignRaw(world.A.VC, p.ToBeSigned())))))
		payload := made(jose.ParseJSON(made(jose.DecodeBase64(strings.Split(text, ".")[1])), jose.DefaultLimits))
		out := map[string]bool{}
		leaves(payload, "", out)
		return out
	}
	a, b := seen("unit-1", "c-1", 11, phone("one")), seen("unit-1", "c-2", 12, phone("two"))
	other := seen("unit-2", "c-3", 13, phone("three"))
	for value := range a {
		if b[value] && !other[value] {
			t.Errorf("two credentials of one person share %s, which another's has not", value)
		}
	}
}

// leaves collects the values of v with their places.
func leaves(v jose.Value, at string, out map[string]bool) {
	for _, m := range v.Members {
		leaves(m.Value, at+"/"+m.Name, out)
	}
	for _, item := range v.Items {
		leaves(item, at+"/", out)
	}
	if v.Kind != jose.Object && v.Kind != jose.Array {
		out[at+"="+v.Text] = true
	}
}

// A W3C credential comes to the same judgement; it proves nothing of its holder.
func TestVCJWT(t *testing.T) {
	vct := schemas.ByName("eligibility").VCT
	claims := made(schemas.ByName("eligibility").EncodeWallet(map[string]any{"programme": vt.Programme, "round": int64(3)}, cwt.Pseudonym([]byte("k"), []byte("u"))))
	p := made(vcjwt.Prepare(world.A.VC.Key, vcjwt.Draft{Issuer: world.A.ID, Type: vct, ID: "c-1", IssuedAt: vt.Made, ExpiresAt: vt.Made + 90*86400,
		StatusURI: world.A.TokenStatusURI(), StatusIndex: vt.GoodIndex, Claims: claims}))
	text := string(made(p.Attach(made(cose.SignRaw(world.A.VC, p.ToBeSigned())))))
	in := inputs(t, world.TokenPack(vt.PackOptions{Policy: &verifier.Policy{Bearer: []string{vct}}}))
	if r := verifier.Verify(text, in); r.Reason != words.KBMissing {
		t.Errorf("asked to sign: %s %v", r.Reason, r.Err)
	}
	in.Binding = nil
	if r := verifier.Verify(text, in); r.Reason != words.OK || r.Ledger.Round != 3 {
		t.Errorf("taken without: %s %v", r.Reason, r.Err)
	}
	if r := verifier.Verify(text+"~", in); r.Reason != words.WrongTyp {
		t.Errorf("in the other form's clothes: %s %v", r.Reason, r.Err)
	}
	if r := verifier.Verify(text[:len(text)-4]+"AAAA", in); r.Reason != words.BadSignature {
		t.Errorf("with another signature: %s %v", r.Reason, r.Err)
	}
	parts := strings.Split(text, ".")
	payload := string(made(jose.DecodeBase64(parts[1])))
	for aud, want := range map[string]words.Reason{`"https://else.example"`: words.WrongAudience, `["https://else.example","` + world.A.ID + `"]`: words.OK} {
		tbs := parts[0] + "." + jose.EncodeBase64([]byte(`{"aud":`+aud+","+payload[1:]))
		if r := verifier.Verify(tbs+"."+jose.EncodeBase64(made(cose.SignRaw(world.A.VC, []byte(tbs)))), in); r.Reason != want {
			t.Errorf("for %s: %s %v, want %s", aud, r.Reason, r.Err, want)
		}
	}
	in.Tokens = nil
	if r := verifier.Verify(text, in); r.Reason != words.UnsupportedVersion {
		t.Errorf("where nothing reads it: %s %v", r.Reason, r.Err)
	}
}

// A W3C credential in a presentation proves its holder as key binding does.
func TestAPresentationOfAVCJWT(t *testing.T) {
	in := inputs(t, world.TokenPack(vt.PackOptions{}))
	good := world.W3C(func(*vcjwt.Draft) {})
	unbound := world.W3C(func(d *vcjwt.Draft) { d.HolderKey = nil })
	thief := vt.P256("thief")
	show := func(k vt.Signer, text, audience, nonce string, at int64) string {
		p := made(vcjwt.PreparePresentation(k.Key, text, audience, nonce, vt.Now+credential.Time(at)))
		return string(made(p.Attach(made(cose.SignRaw(k, p.ToBeSigned())))))
	}
	usual := show(world.Wallet, good, vt.Audience, vt.Nonce, 0)
	edited := func(old, replacement string) string {
		parts := strings.Split(usual, ".")
		payload := string(made(jose.DecodeBase64(parts[1])))
		changed := strings.Replace(payload, old, replacement, 1)
		if changed == payload {
			t.Fatal("nothing changed", old)
		}
		tbs := parts[0] + "." + jose.EncodeBase64([]byte(changed))
		return tbs + "." + jose.EncodeBase64(made(cose.SignRaw(world.Wallet, []byte(tbs))))
	}
	for name, c := range map[string]struct {
		text string
		want words.Reason
	}{
		"good":                    {usual, words.OK},
		"an old nonce":            {show(world.Wallet, good, vt.Audience, "n-1", 0), words.KBWrongNonce},
		"another verifier":        {show(world.Wallet, good, "https://evil.example", vt.Nonce, 0), words.KBWrongAudience},
		"signed by a thief":       {show(thief, good, vt.Audience, vt.Nonce, 0), words.KBBadSignature},
		"bound to nobody":         {show(world.Wallet, unbound, vt.Audience, vt.Nonce, 0), words.KBNoHolderKey},
		"an hour old":             {show(world.Wallet, good, vt.Audience, vt.Nonce, -3600), words.KBStale},
		"of tomorrow":             {show(world.Wallet, good, vt.Audience, vt.Nonce, 86400), words.KBStale},
		"the presentation undone": {good, words.KBMissing},
		"expired":                 {edited(`"iat":`, fmt.Sprintf(`"exp":%d,"iat":`, vt.Now-61)), words.KBStale},
		"not valid yet":           {edited(`"iat":`, fmt.Sprintf(`"nbf":%d,"iat":`, vt.Now+61)), words.KBStale},
		"two credentials":         {edited(`"verifiableCredential":[`, `"verifiableCredential":[{},`), words.BadClaims},
		"version 1.1":             {edited(`"iat":`, `"vp":{},"iat":`), words.BadClaims},
		"a credential in the raw": {edited("data:application/vc+jwt,", ""), words.BadClaims},
		"another media type":      {edited("data:application/vc+jwt,", "data:application/vc+sd-jwt,"), words.BadClaims},
		"no nonce":                {edited(`"nonce":`, `"n":`), words.KBWrongNonce},
	} {
		if r := verifier.Verify(c.text, in); r.Reason != c.want {
			t.Errorf("%s: %s %v", name, r.Reason, r.Err)
		}
	}
}
