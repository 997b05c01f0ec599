package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"aidpass/credential"
	"aidpass/internal/patience"
)

// A holder takes what the desk offers, reads it, shows it live, and loses nothing that
// could be kept.
func TestAWalletTakesAnOfferFromTheServer(t *testing.T) {
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
	purse := func(args ...string) []string {
		return append(append([]string{"wallet"}, args...), "--wallet", l.path("purse"))
	}
	l.must(purse("init")...)
	if code, _ := l.run(t.Context(), purse("add", made.Link)...); code != exitUsage {
		t.Errorf("without its code: exit %d", code)
	}
	id, _, _ := strings.Cut(l.must(purse("add", made.Link, "--code", made.Tx)...), "  ")
	if list := l.must(purse("list")...); !strings.HasPrefix(list, id+"  ") || !strings.Contains(list, "8 unused") {
		t.Errorf("list %q", list)
	}
	if shown := l.must(purse("show", id)...); !strings.Contains(shown, `(programme): K7Q2`) {
		t.Errorf("show %q", shown)
	}
	live := strings.TrimSpace(l.must(purse("live", id)...))
	if says, want := l.stderr.String(), "it ends at "+credential.FromStd(scriptClock().Add(2*time.Minute)).String(); !strings.Contains(says, want) {
		t.Errorf("a live code says %q, want %q", says, want)
	}
	l.must("status", "publish", "--out", l.path("status"))
	l.must("pack", "build", "--site", "wellA", "--trust", l.path("granted.list"), "--status", l.path("status"), "--out", l.path("wellA.pack"))
	if code, out := l.run(t.Context(), "verify", "--json", "--pack", l.path("wellA.pack"), live); code != 0 || !strings.Contains(out, `"valid"`) {
		t.Errorf("the live code: exit %d\n%s%s", code, out, l.stderr.String())
	}
	l.challenged(purse, id, live)
	// The organisation's table asks, and gets what it asked for.
	var asked struct{ ID, Link string }
	out = l.must("request", "create", "--type", "eligibility", "--claim", "programme", "--purpose", "To see what is due", "--json")
	if err := json.Unmarshal([]byte(out), &asked); err != nil {
		t.Fatal(err)
	}
	l.must(purse("present", asked.Link, "--yes")...)
	if out := l.must("request", "show", asked.ID, "--json"); !strings.Contains(out, `"shown"`) || !strings.Contains(out, `"valid"`) || strings.Contains(out, "size_band") {
		t.Errorf("request show %s", out)
	}
	if list := l.must(purse("list")...); !strings.Contains(list, "7 unused") { // the answer took one of the SD-JWT form
		t.Errorf("after one answer: %q", list)
	}
	if log := l.must(purse("log")...); !strings.Contains(log, "added") || !strings.Contains(log, "live") || !strings.Contains(log, "To see what is due") {
		t.Errorf("log %q", log)
	}
	out = l.must(purse("backup", l.path("purse.backup"))...)
	if err := os.WriteFile(l.path("words"), []byte(out), 0o600); err != nil { // the words alone
		t.Fatal(err)
	}
	l.must(purse("wipe", "--yes")...)
	l.refused([]string{"does not open with these words"}, purse("restore", l.path("purse.backup"), "--words", l.path("pass"))...)
	if out := l.must(purse("restore", l.path("purse.backup"), "--words", l.path("words"))...); !strings.HasPrefix(out, "1 card; 1 for reading only") {
		t.Errorf("restore %q", out)
	}
	list := l.must(purse("list")...)
	if !strings.Contains(list, "view_only") {
		t.Errorf("list %q", list)
	}
	l.refused([]string{"for reading only", "offer create --replace"}, purse("live", strings.Fields(list)[0])...)
}

// A holder signs in with a browser on her own machine, and the wallet of the command line
// goes on when it comes back.
func TestAWalletTakesAnOfferBySigningIn(t *testing.T) {
	l := withEntitled(t)
	_, client, provider, stop := l.withSignIn()
	defer stop()
	l.web = client
	l.must("wallet", "init", "--wallet", l.path("amina"))
	link := l.offerLink("1")
	var out string
	done := make(chan int, 1)
	go func() {
		var code int
		code, out = l.run(t.Context(), "wallet", "add", link, "--sign-in", "--wallet", l.path("amina"))
		done <- code
	}()
	var address string
	patience.Until(t, "an address to sign in at", func() bool {
		select {
		case code := <-done:
			t.Fatalf("exit %d\n%s", code, l.stderr.String())
		default:
		}
		if _, rest, ok := strings.Cut(l.stderr.String(), walletBase+"/authorize?"); ok {
			if query, _, ok := strings.Cut(rest, "\n"); ok {
				address = walletBase + "/authorize?" + query
			}
		}
		return address != ""
	})
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	mine := u.Query().Get("redirect_uri")
	back := browse(t, client, provider.Client(), provider.URL, address, mine)
	visit := func(address string, status int) {
		t.Helper()
		res, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != status {
			t.Errorf("%s: %d, want %d", address, res.StatusCode, status)
		}
	}
	visit("http://"+back.Host+"/", 404)
	visit(mine+"?code=x&state=another", 400)
	visit(back.String(), 200)
	if code := <-done; code != 0 || !strings.Contains(out, "unused") {
		t.Errorf("exit %d %s\n%s", code, out, l.stderr.String())
	}
}

// challenged asks the wallet for a live code that no other stands for: earlier is one
// that it showed before.
func (l *laptop) challenged(purse func(...string) []string, id, earlier string) {
	l.t.Helper()
	if err := os.WriteFile(l.path("tab.pass"), []byte("the passphrase of a table\n"), 0o600); err != nil {
		l.t.Fatal(err)
	}
	device := func(args ...string) []string {
		return append(append([]string{"device"}, args...), "--device-passphrase-file", l.path("tab.pass"))
	}
	ask := func(tab, out string) (int, string) {
		return l.run(l.t.Context(), device("challenge", "--device", l.path(tab+".key"), "--certificate", l.path(tab+".cert"), "--out", l.path(out), "--json")...)
	}
	l.must(device("add", "--name", "tab-1", "--site", "wellA", "--out", l.path("tab-1"))...)
	l.must(device("add", "--name", "tab-2", "--site", "wellA", "--may", "journal", "--out", l.path("tab-2"))...)
	for _, out := range []string{"one.challenge", "two.challenge"} {
		if code, text := ask("tab-1", out); code != 0 || !strings.Contains(text, `"wellA"`) {
			l.t.Fatalf("device challenge: exit %d\n%s%s", code, text, l.stderr.String())
		}
	}
	if code, _ := ask("tab-2", "none.challenge"); code == 0 {
		l.t.Error("a device that may not ask did")
	}
	if code, _ := l.run(l.t.Context(), device("challenge", "--device", l.path("tab-1.key"), "--certificate", l.path("tab-2.cert"), "--out", l.path("none.challenge"))...); code != exitUsage {
		l.t.Errorf("another device's certificate: exit %d", code)
	}
	answer := strings.TrimSpace(l.must(purse("live", id, "--challenge", l.path("one.challenge"))...))
	for _, c := range []struct{ code, challenge, says string }{
		{answer, "one.challenge", `"valid"`},
		{answer, "two.challenge", "kb_wrong_nonce"},
		{earlier, "one.challenge", "kb_wrong_nonce"},
	} {
		if _, out := l.run(l.t.Context(), "verify", "--json", "--pack", l.path("wellA.pack"), "--challenge", l.path(c.challenge), c.code); !strings.Contains(out, c.says) {
			l.t.Errorf("against %s: no %s in %s%s", c.challenge, c.says, out, l.stderr.String())
		}
	}
}
