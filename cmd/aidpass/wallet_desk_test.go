package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// offerTo makes an offer to person 1 with further flags, and a new wallet in that folder
// takes it.
func (l *laptop) offerTo(folder string, flags ...string) {
	l.t.Helper()
	var made struct {
		Link string
		Tx   string `json:"tx_code"`
	}
	out := l.must(append([]string{"offer", "create", "--external", "1", "--programme", "K7Q2", "--round", "1", "--base-url", walletBase, "--json"}, flags...)...)
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		l.t.Fatal(err)
	}
	l.must("wallet", "init", "--wallet", l.path(folder))
	l.must("wallet", "add", made.Link, "--code", made.Tx, "--wallet", l.path(folder))
}

// refused runs a command that must end as the caller's to mend, and say all of want.
func (l *laptop) refused(want []string, args ...string) {
	l.t.Helper()
	before := len(l.stderr.String())
	if code, _ := l.run(l.t.Context(), args...); code != exitUsage {
		l.t.Errorf("%v: exit %d", args, code)
	}
	for _, w := range want {
		if said := l.stderr.String()[before:]; !strings.Contains(said, w) {
			l.t.Errorf("%v says %q, without %q", args, said, w)
		}
	}
}

// What stands against an offer is said when it is made, and by whom it is held; a wallet
// is one thing to a clerk, however many copies it has.
func TestTheDeskSaysWhoHoldsAPlace(t *testing.T) {
	l := withEntitled(t)
	_, client, stop := l.serveWallets()
	defer stop()
	l.web = client
	create := []string{"offer", "create", "--external", "1", "--programme", "K7Q2", "--round", "1", "--base-url", walletBase}
	cardOf := func(shown string) string {
		_, rest, _ := strings.Cut(shown, "  card ")
		number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		return number
	}

	l.offerTo("first")
	l.refused([]string{"a wallet has this place already", "since 2026-11-21T", "--replace --reason phone_lost --second-person"}, create...)
	if list := l.must("offer", "list", "--state", "open"); !strings.Contains(list, "no offer") {
		t.Errorf("an offer was made all the same: %s", list)
	}
	l.must("issue", "--type", "eligibility", "--programme", "K7Q2", "--round", "1", "--trust", l.path("granted.list"), "--out", l.path("cards.jsonl"))
	shown := l.must("registry", "show", "1")
	if strings.Count(shown, " round 1, ") != 2 || !strings.Contains(shown, "wallet, 16 one-time copies, 1 live card, since 2026-11-21T") || !strings.Contains(shown, "round 1, paper, issued, since") {
		t.Errorf("registry show:\n%s", shown)
	}
	number := cardOf(shown)

	l.refused([]string{"cards and wallets", "wallet, 16 one-time copies", "paper, issued", "--only wallet"}, "revoke", number)
	out := l.must("revoke", number, "--only", "paper", "--reason", "cheated")
	if !strings.Contains(out, "paper: revoked") || !strings.Contains(out, "next: aidpass status publish") {
		t.Errorf("revoke says %q", out)
	}
	out = l.must("revoke", number, "--only", "wallet", "--reason", "phone_lost")
	if !strings.Contains(out, "wallet, 16 one-time copies, 1 live card: revoked") {
		t.Errorf("revoke says %q", out)
	}
	l.refused([]string{"is revoked", "--replace --reason CODE --second-person"}, create...)

	// The other person has a paper card alone, which is revoked: two accounts, from the start.
	create[3] = "2"
	number = cardOf(l.must("registry", "show", "2"))
	l.refused([]string{"nothing of it is on a phone"}, "suspend", number, "--only", "wallet")
	l.must("revoke", number, "--reason", "cheated")
	l.refused([]string{"the paper card of this place was revoked: " + number, "--second-person"}, create...)
	l.must(append(create, "--second-person", "acc-lead")...)
}

// What cannot be taken back needs a yes, a wallet is not sealed with the organisation's
// passphrase, and what goes wrong with a link is said with the way out.
func TestAWalletSaysWhatItNeeds(t *testing.T) {
	l := withEntitled(t)
	_, client, stop := l.serveWallets()
	defer stop()
	l.web = client
	purse := func(args ...string) []string {
		return append(append([]string{"wallet"}, args...), "--wallet", l.path("purse"))
	}
	l.refused([]string{"no wallet in", "aidpass wallet init"}, purse("list")...)
	l.refused([]string{"passphrase of the organisation's keys"}, purse("init", "--wallet-passphrase-file", l.path("pass"))...)
	own := l.purse
	l.purse = ""
	l.refused([]string{"AIDPASS_PASSPHRASE_FILE is the organisation's", "--wallet-passphrase-file"}, purse("init")...)
	l.purse = own
	l.must(purse("init")...)

	link, code := l.offers("--external", "1")
	l.refused([]string{"after five wrong ones"}, purse("add", link, "--code", "000000")...)
	l.must(purse("add", link, "--code", code)...)
	l.refused([]string{"withdrawn, replaced by a newer one or is too old", "aidpass offer create"}, purse("add", link, "--code", code)...)
	l.refused([]string{"--development"}, purse("add", "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Flocalhost%3A8443%2Foffer%2Fx")...)
	l.refused([]string{"in quotes, and whole"}, purse("present", "openid4vp:")...)

	var asked struct{ ID, Link string }
	if err := json.Unmarshal([]byte(l.must("request", "create", "--type", "eligibility", "--claim", "programme", "--purpose", "To see what is due", "--json")), &asked); err != nil {
		t.Fatal(err)
	}
	l.refused([]string{"shows of", "nothing was shown", "add --yes"}, purse("present", asked.Link)...)
	if out := l.must("request", "show", asked.ID, "--json"); !strings.Contains(out, `"open"`) {
		t.Errorf("something was answered: %s", out)
	}
	l.refused([]string{"nothing was deleted", "add --yes"}, purse("wipe")...)
	l.must(purse("list")...)
}

// The policy an offer was made with judges when the wallet comes, not that of the day.
func TestAnOfferKeepsItsPolicy(t *testing.T) {
	l := withEntitled(t)
	_, client, stop := l.serveWallets()
	defer stop()
	l.web = client
	policy := `{"aidpass_required": 1, "person": ["name"], "household": ["size"], "threshold": 0.1, "provisional_days": 30}`
	if err := os.WriteFile(l.path("policy.json"), []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	l.must("wallet", "init", "--wallet", l.path("purse"))
	link, code := l.offers("--external", "3", "--policy", l.path("policy.json"))
	if err := os.Remove(l.path("policy.json")); err != nil {
		t.Fatal(err)
	}
	if out := l.must("wallet", "add", link, "--code", code, "--wallet", l.path("purse")); !strings.Contains(out, "8 unused") {
		t.Errorf("add says %q", out)
	}
}
