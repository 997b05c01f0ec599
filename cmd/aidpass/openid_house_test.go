package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"aidpass/internal/referee"
)

// house is an issuer and verifier made of @openid4vc 0.4.6, and the way to it.
type house struct {
	t      *testing.T
	at     url.URL // where it listens
	stderr bytes.Buffer
}

func openHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t}
	cmd := referee.Command(t, "house.mjs", openidPackages)
	cmd.Args = append(cmd.Args, strconv.FormatInt(scriptClock().Unix(), 10))
	cmd.Stderr = &h.stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait() // the end of the test has ended it
		if t.Failed() {
			t.Logf("house: %s", h.stderr.String())
		}
	})
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("house: %v", err)
	}
	h.at = url.URL{Scheme: "http", Host: "127.0.0.1:" + strings.TrimSpace(port)}
	return h
}

// RoundTrip finds the house under its name, and nobody else.
func (h *house) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" || r.URL.Host != "relief-b.example" {
		h.t.Errorf("the wallet asks %s", r.URL)
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = h.at.Scheme, h.at.Host
	return http.DefaultTransport.RoundTrip(r)
}

// tell asks what is for tests alone.
func (h *house) tell(path string, out any) {
	h.t.Helper()
	res, err := http.Get(h.at.String() + "/test/" + path)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(out); err != nil || res.StatusCode != http.StatusOK {
		h.t.Fatalf("%s: %d %v", path, res.StatusCode, err)
	}
}

// Our wallet takes up an offer of an issuer of others and answers their verifier:
// signed and not, in the clear and encrypted, with no more than was asked for.
func TestOurWalletInAHouseOfOthers(t *testing.T) {
	h, l := openHouse(t), newLaptop(t)
	l.web = &http.Client{Transport: h}
	purse := func(args ...string) []string {
		return append(append([]string{"wallet"}, args...), "--wallet", l.path("purse"))
	}
	l.must(purse("init")...)
	var offer struct{ Link, TxCode string }
	h.tell("offer", &offer)
	if code, out := l.run(t.Context(), purse("add", offer.Link, "--code", "0000")...); code == 0 {
		t.Errorf("with another code: %s", out)
	}
	id, _, _ := strings.Cut(l.must(purse("add", offer.Link, "--code", offer.TxCode)...), "  ")
	if list := l.must(purse("list")...); !strings.Contains(list, "3 unused") || !strings.Contains(list, "Voucher") {
		t.Errorf("list %q", list)
	}
	if shown := l.must(purse("show", id)...); !strings.Contains(shown, "Garissa") || !strings.Contains(shown, "rice") {
		t.Errorf("show %q", shown)
	}
	requests := []string{"mode=direct_post.jwt&ask=town", "mode=direct_post&ask=amount&ask=elements", "mode=direct_post.jwt&ask=amount&unsigned", "mode=direct_post&ask=town&unsigned"}
	for _, query := range requests {
		var asked struct{ Link string }
		h.tell("request?"+query, &asked)
		if code, out := l.run(t.Context(), purse("present", asked.Link, "--yes")...); code != 0 {
			t.Errorf("%s: exit %d %s\n%s", query, code, out, l.stderr.String())
		}
	}
	// What must not be answered. OpenID4VP 5.8 wants aud to be "https://self-issued.me/v2";
	// left to itself @openid4vc 0.4.6 writes the request's own address.
	for _, wrong := range []string{"forged", "over", "aud"} {
		var asked struct{ Link string }
		h.tell("request?mode=direct_post&ask=town&"+wrong, &asked)
		if code, out := l.run(t.Context(), purse("present", asked.Link, "--yes")...); code == 0 {
			t.Errorf("%s: answered: %s", wrong, out)
		}
	}
	var seen struct {
		Proofs, Events []string
		Answers        []struct {
			Mode, Encrypted, Type, Holder string
			Claims                        json.RawMessage
		}
	}
	h.tell("seen", &seen)
	if len(seen.Proofs) != 3 || !slices.Equal(seen.Events, []string{"credential_accepted"}) {
		t.Errorf("proofs %q, events %q", seen.Proofs, seen.Events)
	}
	if len(seen.Answers) != len(requests) {
		t.Fatalf("%d answers, want %d", len(seen.Answers), len(requests))
	}
	holders := map[string]bool{}
	for i, want := range []struct{ mode, encrypted, claims string }{
		{"direct_post.jwt", "A256GCM", `{"items":[],"shop":{"town":"Garissa"}}`},
		{"direct_post", "", `{"items":["soap","rice"],"amount":20}`},
		{"direct_post.jwt", "A256GCM", `{"items":[],"amount":20}`},
		{"direct_post", "", `{"items":[],"shop":{"town":"Garissa"}}`},
	} {
		got := seen.Answers[i]
		if got.Mode != want.mode || got.Encrypted != want.encrypted || string(got.Claims) != want.claims {
			t.Errorf("%s: %s %s %s", requests[i], got.Mode, got.Encrypted, got.Claims)
		}
		holders[got.Holder] = true
	}
	if len(holders) != 3 { // the fourth answer is one of the three copies again
		t.Errorf("%d holders' keys in four answers, want 3", len(holders))
	}
}
