package verifier_test

import (
	"testing"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/trust"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
	"aidpass/words"
)

// replacing is a card of B in the place of A's usual one.
func replacing(w *vt.World) vt.CardOptions {
	return vt.CardOptions{Org: w.B, Unit: "unit-b", Draft: func(d *cwt.Draft) {
		d.Former = credential.Former{Issuer: w.A.ID, Pseudonym: w.Ledger().Pseudonym}
	}}
}

// agreed is a pack whose trust list lets B replace cards as g says.
func agreed(t *testing.T, w *vt.World, edit func(*trust.Grant)) *verifier.Pack {
	t.Helper()
	g := trust.Grant{Types: []string{"https://aidpass.example/elig"}, Replaces: []string{w.A.ID}}
	if edit != nil {
		edit(&g)
	}
	p, _ := open(t, w.Pack(vt.PackOptions{Trust: vt.TrustOptions{Edit: func(d *trust.Draft) {
		if err := d.Grant(w.B.ID, g); err != nil {
			t.Fatal(err)
		}
	}}}), verifier.Floors{}, vt.Now)
	return p
}

func TestACardInThePlaceOfAnothersCountsWithIt(t *testing.T) {
	w := steady()
	pack := agreed(t, w, nil)
	old, renewed := w.Text(vt.CardOptions{}), w.Text(replacing(w))
	ledger := w.Ledger()
	r := verifier.Verify(renewed, verifier.Inputs{At: vt.Now, Pack: pack, Uses: visit.Journals{}})
	if r.Reason != words.OK || r.Ledger.Issuer != w.B.ID || r.Ledger.Formerly(r.Former) != ledger {
		t.Fatalf("%s: %+v in the place of %+v", r.Reason, r.Ledger, r.Former)
	}
	mine := visit.Visit{Kind: visit.Collection, Ledger: r.Ledger, Former: r.Former}
	part := func(v visit.Visit, at credential.Time, rest string) visit.Visit {
		v.Kind, v.At, v.Given, v.Rest = visit.Partial, at, "1 kg", rest
		return v
	}
	his := visit.Visit{Kind: visit.Collection, Ledger: ledger}
	other := ledger
	other.Round++
	for _, c := range []struct {
		name    string
		records []visit.Visit
		text    string
		want    words.Reason
		rest    string
	}{
		{"A's card was used, B's is shown", []visit.Visit{his}, renewed, words.AlreadyRedeemed, ""},
		{"B's card was used, A's is shown", []visit.Visit{mine}, old, words.AlreadyRedeemed, ""},
		{"B's card was used, and is shown", []visit.Visit{mine}, renewed, words.AlreadyRedeemed, ""},
		{"A's card was used in another round", []visit.Visit{{Kind: visit.Collection, Ledger: other}}, renewed, words.OK, ""},
		{"taken back", []visit.Visit{mine, {Kind: visit.Counter, Cancels: 1}}, old, words.OK, ""},
		{"a part by A's", []visit.Visit{part(his, 0, "4 kg")}, renewed, words.PartlyCollected, "4 kg"},
		{"a part by B's", []visit.Visit{part(mine, 0, "4 kg")}, old, words.PartlyCollected, "4 kg"},
		{"a part by each, A's first", []visit.Visit{part(his, vt.Made, "4 kg"), part(mine, vt.Made+60, "3 kg")}, renewed, words.PartlyCollected, "3 kg"},
		{"a part by each, B's first", []visit.Visit{part(mine, vt.Made, "4 kg"), part(his, vt.Made+60, "3 kg")}, renewed, words.PartlyCollected, "3 kg"},
		{"a part by B's, all by A's", []visit.Visit{part(mine, vt.Made, "4 kg"), his}, renewed, words.AlreadyRedeemed, ""},
	} {
		j, err := visit.Read(w.Journal(c.records...), pack.JournalKey)
		if err != nil {
			t.Fatal(err)
		}
		r := verifier.Verify(c.text, verifier.Inputs{At: vt.Now, Pack: pack, Uses: visit.Journals{j}})
		if r.Reason != c.want || r.Earlier.Rest != c.rest {
			t.Errorf("%s: got %s, rest %q", c.name, r.Reason, r.Earlier.Rest)
		}
	}
}

// An issuer that nobody let replace A's cards blocks nobody: its card proves nothing,
// and what was given on it is not A's unit's.
func TestOnlyTheTrustListLetsReplace(t *testing.T) {
	w := steady()
	for _, c := range []struct {
		name string
		edit func(*trust.Grant)
		want words.Reason
	}{
		{"as agreed", nil, words.OK},
		{"for the programme", func(g *trust.Grant) { g.Programmes = []string{vt.Programme} }, words.OK},
		{"not agreed", func(g *trust.Grant) { g.Replaces = nil }, words.IssuerNotAuthorised},
		{"with another organisation", func(g *trust.Grant) { g.Replaces = []string{vt.ForeignID} }, words.IssuerNotAuthorised},
		{"for another programme", func(g *trust.Grant) { g.Programmes = []string{"ELSE"} }, words.IssuerNotAuthorised},
		{"for another type", func(g *trust.Grant) { g.Types = []string{"https://aidpass.example/ref"} }, words.IssuerNotAuthorised},
		{"in another country", func(g *trust.Grant) { g.Countries = []string{"UGA"} }, words.IssuerNotAuthorised},
		{"until yesterday", func(g *trust.Grant) { g.Until = vt.Now - 86400 }, words.IssuerNotAuthorised},
	} {
		r := verifier.Verify(w.Text(replacing(w)), verifier.Inputs{At: vt.Now, Pack: agreed(t, w, c.edit), Uses: visit.Journals{}})
		if r.Reason != c.want || (r.Former != credential.Former{}) != (c.want == words.OK) {
			t.Errorf("%s: got %s, in the place of %+v", c.name, r.Reason, r.Former)
		}
	}
}
