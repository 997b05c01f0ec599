package verifier_test

import (
	"fmt"
	"testing"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/trust"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
	"aidpass/words"
)

// Place and hour are of the own organisation, of a site that may be told, and of the
// time the device was certified for; anything else is told to nobody.
func TestWhereaboutsOfOwnOpenSitesOnly(t *testing.T) {
	w := vt.New()
	cert := func(edit func(*trust.DeviceCertificate)) []verifier.Part {
		data := w.DeviceCert(func(c *trust.DeviceCertificate) { c.Block = nil; edit(c) })
		return []verifier.Part{{Owner: w.A.ID, Kind: verifier.PartDevice, Name: "t", Sequence: 1, Data: data}}
	}
	same := func(*trust.DeviceCertificate) {}
	good, ofB := w.Text(vt.CardOptions{}), w.Text(vt.CardOptions{Org: w.B})
	plain := map[string]any{"programme": vt.Programme, "round": int64(3), "site": "DAD-1"}
	elsewhere := w.Text(vt.CardOptions{Unit: "unit-9", Plain: plain})
	revoked := w.Text(vt.CardOptions{Draft: func(d *cwt.Draft) { d.StatusIndex = vt.RevokedIndex }})
	ledgerB := w.Ledger()
	ledgerB.Issuer = w.B.ID
	for name, c := range map[string]struct {
		text   string
		ledger verifier.LedgerKey
		told   []string
		cert   func(*trust.DeviceCertificate)
		at     credential.Time
		want   string
	}{
		"an own site that may be told":      {text: good, told: []string{vt.Site}, want: "KAK-3 0 []"},
		"a protected one":                   {text: good, told: []string{"DAD-1"}, want: " 0 []"},
		"nobody said which may be told":     {text: good, want: " 0 []"},
		"a card of another organisation":    {text: ofB, ledger: ledgerB, told: []string{vt.Site}, want: " 0 []"},
		"before the device was certified":   {text: good, told: []string{vt.Site}, at: vt.Made - 1, want: " 0 []"},
		"after it":                          {text: good, told: []string{vt.Site}, cert: func(c *trust.DeviceCertificate) { c.NotAfter = vt.Made + 1 }, at: vt.Made + 1, want: " 0 []"},
		"a device of a protected site":      {text: good, told: []string{vt.Site}, cert: func(c *trust.DeviceCertificate) { c.Site = "SAFE-1" }, want: " 0 []"},
		"a card that is revoked besides":    {text: revoked, told: []string{vt.Site}, want: " 0 []"},
		"not here: an open site":            {text: elsewhere, told: []string{"DAD-1", vt.Site}, want: " 0 [DAD-1]"},
		"not here: protected sites only":    {text: elsewhere, told: []string{vt.Site}, want: " 0 []"},
		"not here: of another organisation": {text: w.Text(vt.CardOptions{Org: w.B, Unit: "unit-9", Plain: plain}), told: []string{"DAD-1"}, want: " 0 []"},
	} {
		if c.cert == nil {
			c.cert = same
		}
		if c.ledger == (verifier.LedgerKey{}) {
			c.ledger = w.Ledger()
		}
		if c.at == 0 {
			c.at = vt.Made + 60
		}
		p, f := open(t, w.Pack(vt.PackOptions{NoDevice: true, More: cert(c.cert), Policy: &verifier.Policy{Country: "KEN", Told: c.told}}), verifier.Floors{}, vt.Now)
		journal, err := visit.Read(w.Journal(visit.Visit{Kind: visit.Collection, Ledger: c.ledger, At: c.at}), p.JournalKey)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r := verifier.Verify(c.text, verifier.Inputs{At: vt.Now, Floors: f, Pack: p, Uses: journal})
		if r.Reason != words.AlreadyRedeemed && r.Reason != words.WrongSite && r.Reason != words.Revoked {
			t.Errorf("%s: %s", name, r.Reason)
		}
		got := p.Whereabouts(&r, nil)
		if got.At != 0 && got.At == c.at {
			got.At = 0
			if got.Site == "" {
				t.Errorf("%s: an hour without its place", name)
			}
		} else if got.Site != "" {
			t.Errorf("%s: at %d, want %d", name, got.At, c.at)
		}
		if s := fmt.Sprintf("%s %d %v", got.Site, got.At, got.Sites); s != c.want {
			t.Errorf("%s: told %q, want %q", name, s, c.want)
		}
	}
}

func TestWhetherAnythingIsOpen(t *testing.T) {
	round := func(n uint64, from, to credential.Time) verifier.Round {
		return verifier.Round{N: n, Opens: from, Closes: to}
	}
	for name, c := range map[string]struct {
		programmes map[string][]verifier.Round
		open       bool
		next       credential.Time
	}{
		"any programme":       {nil, true, 0},
		"none":                {map[string][]verifier.Round{}, false, 0},
		"any round":           {map[string][]verifier.Round{"A": {round(1, 5, 9)}, "B": {}}, true, 0},
		"one is open":         {map[string][]verifier.Round{"A": {round(1, 5, 9), round(2, 90, 101)}}, true, 0},
		"all closed":          {map[string][]verifier.Round{"A": {round(1, 5, 100)}}, false, 0},
		"the next of several": {map[string][]verifier.Round{"A": {round(1, 5, 9), round(3, 300, 400)}, "B": {round(1, 200, 201)}}, false, 200},
	} {
		p := verifier.Policy{Programmes: c.programmes}
		if open, next := p.Open(100); open != c.open || next != c.next {
			t.Errorf("%s: %t, next %d", name, open, next)
		}
	}
}
