package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/wallet"
)

// What a holder's phone asks of the desk is read there, with whose card it is; a card of
// another organisation, another phone's signature and any other text are not.
func TestTheDeskReadsAWishOfAWallet(t *testing.T) {
	l := withEntitled(t)
	_, client, stop := l.serveWallets()
	defer stop()
	l.web = client
	var made struct {
		Link string
		Tx   string `json:"tx_code"`
	}
	out := l.must("offer", "create", "--external", "1", "--type", "eligibility", "--programme", "K7Q2", "--round", "1", "--base-url", walletBase, "--json")
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		t.Fatal(err)
	}
	l.must("wallet", "init", "--wallet", l.path("purse"))
	l.must("wallet", "add", made.Link, "--code", made.Tx, "--wallet", l.path("purse"))
	app := &app{Main: &Main{Stdin: strings.NewReader(""), Stderr: &l.stderr, Now: scriptClock}, Config: Config{PassphraseFile: l.path("pass")}}
	p, err := app.openPurse(&walletFlags{dir: l.path("purse"), passphrase: l.purse})
	if err != nil {
		t.Fatal(err)
	}
	wishAt := func(ends bool, later credential.Time) string {
		t.Helper()
		d, err := p.w.Wish(p.w.Cards[0].ID, "my son Baraka", ends, credential.FromStd(scriptClock())+later)
		if err != nil {
			t.Fatal(err)
		}
		sig, err := cose.SignRaw(p.keys[wallet.Handle(d.Key)], d.ToBeSigned())
		if err != nil {
			t.Fatal(err)
		}
		text, err := d.Text(sig)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	wish := func(ends bool) string { return wishAt(ends, 0) }
	var got readWish
	if err := json.Unmarshal([]byte(l.must("card", "wish", wish(false), "--json")), &got); err != nil {
		t.Fatal(err)
	}
	if got.To != "my son Baraka" || got.Ends || got.Programme != "K7Q2" || len(got.For) != 16 || got.Card == "" || !got.At.Equal(scriptClock()) {
		t.Errorf("%+v", got)
	}
	if err := os.WriteFile(l.path("aidpass-wish.txt"), []byte(wish(true)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := l.must("card", "wish", l.path("aidpass-wish.txt")); !strings.Contains(out, "no longer") || !strings.Contains(out, got.For) {
		t.Errorf("%s", out)
	}
	if log := l.must("audit", "show", "--json"); strings.Count(log, `"card.read"`) != 2 {
		t.Errorf("whose card was looked at twice stands in the log:\n%s", log)
	}
	// What was taken back is not let in again by the old wish, nor by one that is over.
	l.must("card", "wish", wishAt(true, 60))
	if out := l.must("card", "wish", wish(false)); !strings.Contains(out, "old wish") || strings.Contains(out, "offer create") {
		t.Errorf("an older wish: %s", out)
	}
	if out := l.must("card", "wish", wishAt(false, 120)); strings.Contains(out, "old wish") {
		t.Errorf("a newer wish: %s", out)
	}
	l.refused([]string{"good until 2026-", "her phone asks anew"}, "card", "wish", wishAt(false, -wallet.WishLife))
	forged := []byte(wish(false))
	forged[len(forged)-20] ^= 1
	for what, text := range map[string]string{"forged": string(forged), "a card": "GBFF-ZGF4-B2Y"} {
		if code, _ := l.run(t.Context(), "card", "wish", text); code != exitUsage {
			t.Errorf("%s: exit %d, %s", what, code, l.stderr.String())
		}
	}
}
