//go:build !js

package verifiertest

import (
	"strings"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/credential/vcjwt"
	"aidpass/internal/jose"
	"aidpass/schemas"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/verifier/visit"
	"aidpass/words"
)

// formerCases: a card or a wallet credential of B in the place of A's (docs/decisions/0023
// and 0028). Every form is judged alike.
func formerCases(w *World) []Case {
	const unit = "unit-b"
	elig := schemas.ByName("eligibility")
	former := credential.Former{Issuer: w.A.ID, Pseudonym: w.Ledger().Pseudonym}
	own := verifier.LedgerKey{Issuer: w.B.ID, Pseudonym: pseudonym(unit), Programme: Programme, Round: 3}
	pack := func(edit func(*trust.Draft)) []byte {
		return w.Pack(PackOptions{Policy: &verifier.Policy{Bearer: []string{elig.VCT}}, Trust: TrustOptions{Edit: edit}})
	}
	agreed := pack(func(d *trust.Draft) {
		check(d.Grant(w.B.ID, trust.Grant{Types: []string{elig.VCT}, Replaces: []string{w.A.ID}}))
	})
	none := pack(nil)
	journal := func(v visit.Visit) [][]byte {
		v.Kind, v.Given = visit.Collection, "C1"
		return [][]byte{w.Journal(v)}
	}
	his, hers := journal(visit.Visit{Ledger: w.Ledger()}), journal(visit.Visit{Ledger: own, Former: former})
	other := journal(visit.Visit{Ledger: verifier.LedgerKey{Issuer: w.A.ID, Pseudonym: pseudonym("unit-2"), Programme: Programme, Round: 3}})

	_, tail, _ := strings.Cut(ledgerOf(unit, former), ".")
	tail = "." + tail
	wallet := w.Token(TokenOptions{Org: w.B, Unit: unit, Former: former})
	forms := []struct{ name, text string }{
		{"card", w.Text(CardOptions{Org: w.B, Unit: unit, Draft: func(d *cwt.Draft) { d.Former = former }})},
		{"wallet credential", w.Show(wallet, schemas.LedgerClaim)},
		{"W3C credential", func() string {
			d := w.w3cDraft()
			d.Issuer, d.StatusURI = w.B.ID, w.B.TokenStatusURI()
			d.Claims = must(elig.EncodeWallet(map[string]any{"programme": Programme, "round": int64(3)}, ledgerOf(unit, former)))
			return finish(w.B.VC, must(vcjwt.Prepare(w.B.VC.Key, d)))
		}()},
	}
	cases := []Case{
		{Name: "former: A's card, and B's in its place was used", Text: w.Text(CardOptions{}), Pack: agreed, Journals: hers, Want: words.AlreadyRedeemed},
		{Name: "former: wallet credential that keeps both to itself", Text: w.Show(wallet), Pack: agreed, Journals: his, Want: words.NotShown},
	}
	for _, f := range forms {
		name := "former: " + f.name + " of B in the place of A's"
		cases = append(cases,
			Case{Name: name, Text: f.text, Pack: agreed, Want: words.OK},
			Case{Name: name + ", which was used", Text: f.text, Pack: agreed, Journals: his, Want: words.AlreadyRedeemed},
			Case{Name: name + ", and was used itself", Text: f.text, Pack: agreed, Journals: hers, Want: words.AlreadyRedeemed},
			Case{Name: name + ", and another unit's was used", Text: f.text, Pack: agreed, Journals: other, Want: words.OK},
			Case{Name: name + ", not agreed", Text: f.text, Pack: none, Want: words.IssuerNotAuthorised})
	}
	for _, bad := range []struct{ name, ledger string }{
		{"half of whom it stands for", "." + jose.EncodeBase64(make([]byte, 10))},
		{"nobody behind the point", "."},
		{"two behind the point", tail + tail},
	} {
		disclosure := jose.EncodeBase64([]byte(`["salt","ledger_id","` + pseudonym(unit) + bad.ledger + `"]`))
		cases = append(cases, Case{Name: "former: wallet credential, " + bad.name, Text: w.token(nil, disclosure), Pack: agreed, Want: words.BadClaims})
	}
	return cases
}
