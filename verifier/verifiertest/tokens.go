//go:build !js

package verifiertest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"

	"aidpass/credential"
	"aidpass/credential/sdjwt"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/schemas"
	"aidpass/status"
	"aidpass/verifier"
)

// What the verifier of the world asks holders to sign.
const (
	Audience = "https://verifier.relief-a.example"
	Nonce    = "n-0S6_WzA2Mj"
)

// TokenStatusURI is where the list of A's wallet credentials is; its entries that
// are not valid are those of the cards.
func (o *Org) TokenStatusURI() string { return status.URIOfJWT(o.StatusURI) }

// TokenOptions changes the usual wallet credential: eligibility of A, valid, bound
// to the world's phone.
type TokenOptions struct {
	Type   string // name; default eligibility
	Org    *Org
	Key    *Signer
	Issued credential.Time
	Draft  func(*sdjwt.Draft)
	Claims map[string]any // beside the programme and round of the usual card
	Unit   string         // default "unit-1": that of the usual card
	Former credential.Former
}

// Token signs a wallet credential and returns it whole, as its issuer hands it out.
func (w *World) Token(o TokenOptions) string {
	if o.Org == nil {
		o.Org = w.A
	}
	if o.Key == nil {
		o.Key = &o.Org.VC
	}
	if o.Type == "" {
		o.Type = "eligibility"
	}
	if o.Issued == 0 {
		o.Issued = Made
	}
	if o.Unit == "" {
		o.Unit = "unit-1"
	}
	values := map[string]any{}
	if o.Type == "eligibility" {
		values = map[string]any{"programme": Programme, "round": int64(3), "name": "Amina Yusuf"}
	}
	for k, v := range o.Claims {
		values[k] = v
	}
	id := sha256.Sum256([]byte(o.Unit + o.Type + "wallet"))
	d := sdjwt.Draft{Issuer: o.Org.ID, ID: jose.EncodeBase64(id[:10]), IssuedAt: o.Issued, ExpiresAt: o.Issued + 90*day,
		StatusURI: o.Org.TokenStatusURI(), StatusIndex: GoodIndex, HolderKey: w.Wallet.Key}
	check(d.Say(schemas.ByName(o.Type), values, ledgerOf(o.Unit, o.Former)))
	if o.Draft != nil {
		o.Draft(&d)
	}
	p := must(sdjwt.Prepare(o.Key.Key, d, &counted{}))
	return must(p.Attach(must(cose.SignRaw(o.Key, p.ToBeSigned()))))
}

// ledgerOf is what a wallet credential of a unit is counted under.
func ledgerOf(unit string, f credential.Former) string {
	text, ok := f.Ledger(pseudonym(unit))
	if !ok {
		panic("verifiertest: a former that is none")
	}
	return text
}

// Present shows of a credential the claims named, signed by its holder for the
// world's verifier.
func (w *World) Present(text string, names ...string) string {
	return w.presentAs(w.Wallet, w.Show(text, names...), Audience, Nonce, Now)
}

// Show leaves only the claims named in a credential, without a holder's signature.
func (w *World) Show(text string, names ...string) string {
	c := must(sdjwt.OpenUnbound(must(sdjwt.Parse(text)), w.issuerOf(text)))
	return c.Present(func(d *sdjwt.Disclosure) bool { return strings.Contains(strings.Join(names, " "), d.Path[0]) })
}

// issuerOf finds the key of a text of ours by its kid.
func (w *World) issuerOf(text string) *cose.Key {
	kid := string(must(sdjwt.Parse(text)).KeyID)
	for _, o := range []*Org{w.A, w.B} {
		for _, s := range []Signer{o.VC, o.Card} {
			if jose.KeyID(s.Key) == kid {
				return s.Key
			}
		}
	}
	panic("verifiertest: a token of nobody")
}

func (w *World) presentAs(holder Signer, shown, audience, nonce string, at credential.Time) string {
	p := must(sdjwt.PrepareBinding(holder.Key, shown, audience, nonce, at))
	return must(p.Attach(must(cose.SignRaw(holder, p.ToBeSigned()))))
}

// TokenPack is the usual pack with the list of A's wallet credentials in it.
func (w *World) TokenPack(o PackOptions) []byte {
	o.More = append(o.More, w.tokenList(w.StatusJWT(w.A, StatusOptions{})))
	return w.Pack(o)
}

func (w *World) tokenList(jwt []byte) verifier.Part {
	return verifier.Part{Owner: w.A.ID, Kind: verifier.PartStatusJWT, Name: w.A.TokenStatusURI(), Sequence: uint64(Made), Data: jwt}
}

// counted stands for randomness where no two values may be the same, and a file
// must be the same in every run.
type counted struct{ n uint64 }

func (c *counted) Read(b []byte) (int, error) {
	for i := range b {
		c.n++
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, c.n))
		b[i] = sum[0]
	}
	return len(b), nil
}

// jws signs a header and a payload of any shape.
func jws(k Signer, header, payload string) string {
	tbs := jose.EncodeBase64([]byte(header)) + "." + jose.EncodeBase64([]byte(payload))
	return tbs + "." + jose.EncodeBase64(must(cose.SignRaw(k, []byte(tbs))))
}

func digestOf(disclosure string) string {
	sum := sha256.Sum256([]byte(disclosure))
	return jose.EncodeBase64(sum[:])
}

// tokenHeader is the header of A's wallet credentials, with more members behind.
func (w *World) tokenHeader(more string) string {
	return fmt.Sprintf(`{"alg":"ES256","kid":%q,"typ":"dc+sd-jwt"%s}`, jose.KeyID(w.A.VC.Key), more)
}

// tokenClaims are those of a good wallet credential without disclosures, each of
// them as JSON; edit changes, adds or ("") drops some.
func (w *World) tokenClaims(edit map[string]string) string {
	claims := map[string]string{
		"iss": `"` + w.A.ID + `"`, "vct": `"` + schemas.ByName("eligibility").VCT + `"`, "jti": `"c-1"`,
		"iat": fmt.Sprint(int64(Made)), "exp": fmt.Sprint(int64(Made + 90*day)), "programme": `"` + Programme + `"`, "round": "3",
		"status": fmt.Sprintf(`{"status_list":{"idx":%d,"uri":%q}}`, GoodIndex, w.A.TokenStatusURI()),
	}
	for name, v := range edit {
		claims[name] = v
	}
	var b strings.Builder
	for _, name := range sortedNames(claims) {
		if claims[name] != "" {
			fmt.Fprintf(&b, ",%q:%s", name, claims[name])
		}
	}
	return "{" + b.String()[1:] + "}"
}

// token is a credential of A's with claims edited, and disclosures behind it whose
// digests stand at the top.
func (w *World) token(edit map[string]string, disclosures ...string) string {
	all := map[string]string{}
	var digests []string
	behind := "~"
	for _, d := range disclosures {
		digests = append(digests, `"`+digestOf(d)+`"`)
		behind += d + "~"
	}
	if len(disclosures) > 0 {
		all["_sd"] = "[" + strings.Join(digests, ",") + "]"
	}
	for name, v := range edit {
		all[name] = v
	}
	return jws(w.A.VC, w.tokenHeader(""), w.tokenClaims(all)) + behind
}
