package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"aidpass/cmd/aidpass-wasm/holding"
	"aidpass/wallet/openid"
)

// A wallet proves the issuer's status list by what the server tells the web of its keys,
// over https that the site's own authority proves: on the command line, and in the app
// through the door that a browser has, which needs leave to read each document.
func TestAWalletSeesThatItsCardWasCancelled(t *testing.T) {
	l := withEntitled(t)
	s, client, stop := l.serveWallets()
	defer stop()
	at := s.listeners[0].Addr().String()
	way := []string{"--wallet", l.path("purse"), "--ca", l.path("data/site-ca/site-ca.crt")}
	purse := func(address string, args ...string) []string {
		return append(append([]string{"wallet"}, args...), append(way, "--at", "relief-a.example="+address)...)
	}
	var made struct {
		Link string
		Tx   string `json:"tx_code"`
	}
	out := l.must("offer", "create", "--external", "1", "--type", "eligibility", "--programme", "K7Q2", "--round", "1", "--base-url", walletBase, "--json")
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		t.Fatal(err)
	}
	l.must(purse(at, "init")...)
	if code, _ := l.run(t.Context(), "wallet", "add", made.Link, "--wallet", l.path("purse"), "--at", "relief-a.example="+at); code == 0 || !strings.Contains(l.stderr.String(), "--ca FILE") {
		t.Errorf("a site's own authority that nobody named: exit %d, %s", code, l.stderr.String())
	}
	id, _, _ := strings.Cut(l.must(purse(at, "add", made.Link, "--code", made.Tx, "--trust", l.path("granted.list"))...), "  ")
	publish := func() {
		l.must("status", "publish", "--out", l.path("status"))
		if err := s.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	publish()
	list := func(want string, args ...string) {
		t.Helper()
		if got := l.must(args...); !strings.HasPrefix(got, id+"  ") || !strings.Contains(got, "  "+want) {
			t.Errorf("%v: %q, want %q; %s", args, got, want, l.stderr.String())
		}
	}
	list("never checked", purse(at, "list")...)
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	list("could not check\n", purse(gone.Addr().String(), "list", "--check")...)
	list("checked 2026-11-21 09:00Z", purse(at, "list", "--check")...)
	list("could not check since 2026-11-21 09:00Z", purse(gone.Addr().String(), "list", "--check")...)

	// Where the issuer's address leads nowhere, the trust list says which keys are its own.
	app := &app{Main: &Main{Stdin: strings.NewReader(""), Stderr: &l.stderr, Now: scriptClock}, Config: Config{PassphraseFile: l.path("pass")}}
	offline, err := app.walletWay(&walletFlags{trust: l.path("granted.list"), at: []string{"relief-a.example=" + gone.Addr().String()}})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]int{"https://relief-a.example/.well-known/jwt-vc-issuer/i1": 200, "https://relief-a.example/i1/did.json": 200, "https://relief-a.example/i1/token": 0} {
		if r := offline.fetch(t.Context(), &openid.Request{Method: "GET", URL: address, Max: 1 << 16}); r.Status != want {
			t.Errorf("%s by the trust list alone: %d, want %d", address, r.Status, want)
		}
	}

	// The app: as a page of another origin, with nothing but what may be read there.
	p, err := app.openPurse(&walletFlags{dir: l.path("purse"), passphrase: l.purse})
	if err != nil {
		t.Fatal(err)
	}
	desk := &holding.Desk{}
	call := func(op string, args ...any) map[string]any {
		t.Helper()
		out := desk.Call(op, args...)
		if out["ok"] != true {
			t.Fatalf("%s: %v", op, out["error"])
		}
		return out
	}
	call("open", p.w.Encode())
	look := func(want string) {
		t.Helper()
		lists := call("lists")["lists"].([]any)
		if len(lists) == 0 {
			t.Fatal("no list to look into")
		}
		for _, e := range lists {
			e := e.(map[string]any)
			token, keys := readable(t, client, e["uri"]), readable(t, client, e["keys"])
			call("lookup", e["issuer"], e["uri"], token, keys, float64(scriptClock().Unix()))
			if bad := desk.Call("lookup", e["issuer"], e["uri"], bytes.Replace(token, []byte("."), []byte(".A"), 1), keys, float64(scriptClock().Unix())); bad["ok"] == true {
				t.Error("a list that nobody signed is believed")
			}
		}
		if card := call("cards", float64(scriptClock().Unix()), "en")["cards"].([]any)[0].(map[string]any); card["state"] != want {
			t.Errorf("the app says %v, want %s", card["state"], want)
		}
	}
	look("ready")
	readable(t, client, strings.Replace(p.w.Cards[0].Type, "https://aidpass.example", "https://relief-a.example", 1)) // type metadata
	l.must("revoke", "--unit", "1", "--all")
	publish()
	look("cancelled")
	list("cancelled 2026-11-21", purse(at, "list", "--check")...)
	if err := os.Remove(l.path("data/site-ca/site-ca.crt")); err != nil {
		t.Fatal(err)
	}
	if code, _ := l.run(t.Context(), purse(at, "list", "--check")...); code != exitUsage && code != exitFault {
		t.Errorf("without the authority's file: exit %d", code)
	}
}

// without is a network on which some addresses lead nowhere.
type without struct {
	http.RoundTripper
	part string // of their path; "": none
}

func (w *without) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.part != "" && strings.Contains(r.URL.Path, w.part) {
		return nil, errors.New("no way there")
	}
	return w.RoundTripper.RoundTrip(r)
}

// What comes while the issuer's keys cannot be fetched is kept, and proved by a look later.
func TestAWalletProvesLater(t *testing.T) {
	l := withEntitled(t)
	_, client, stop := l.serveWallets()
	defer stop()
	way := &without{client.Transport, "jwt-vc-issuer"}
	l.web = &http.Client{Transport: way}
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
	id, _, _ := strings.Cut(l.must(purse("add", made.Link, "--code", made.Tx)...), "  ")
	if !strings.Contains(l.stderr.String(), "not proved yet") {
		t.Errorf("nothing is said of it: %s", l.stderr.String())
	}
	show := func(lists, says string) {
		t.Helper()
		if got := l.must(purse("list", "--check")...); !strings.HasPrefix(got, id+"  "+lists) {
			t.Errorf("list %q, want %s", got, lists)
		}
		if got := l.must(purse("show", id)...); !strings.Contains(got, says) {
			t.Errorf("show %q, want %q", got, says)
		}
	}
	show("unproved", "not proved yet")
	way.part = ""
	show("ready", "signed by a key that it publishes")
	if got := l.must(purse("show", id)...); !strings.Contains(got, "K7Q2") {
		t.Errorf("show %q", got)
	}
}

// readable is what a page of another origin gets to read at an address.
func readable(t *testing.T, c *http.Client, address any) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", address.(string), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", "https://wallet.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 || res.Header.Get("Access-Control-Allow-Origin") != "*" || res.Header.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
		t.Fatalf("%s: %d %v %v", address, res.StatusCode, res.Header, err)
	}
	return b
}
