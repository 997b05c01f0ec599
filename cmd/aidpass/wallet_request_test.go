package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/internal/patience"
	"aidpass/verifier/request"
)

// An organisation asks from the command line, a holder answers from hers, and the server
// between them shows who asked what was asked for. What ended before is gone.
func TestAWalletAnswersWhatIsAskedAtTheServer(t *testing.T) {
	l := withEntitled(t)
	s, client, stop := l.serveWallets()
	defer stop()
	ended := request.Record{ID: "ended", Handle: "ended", Status: request.Shown, Created: scriptClock().Add(-72 * time.Hour), Ends: scriptClock().Add(-time.Minute), Body: []byte("{}")}
	ended.Expires = ended.Created.Add(time.Minute)
	if err := s.o.store.AddRequest(t.Context(), access.Actor{ID: "lead-1", Role: access.Verifier}, ended); err != nil {
		t.Fatal(err)
	}
	l.web = client
	var made struct {
		ID, Link, Session, Result string
		Tx                        string `json:"tx_code"`
	}
	read := func(args ...string) {
		t.Helper()
		if err := json.Unmarshal([]byte(l.must(append(args, "--base-url", walletBase, "--json")...)), &made); err != nil {
			t.Fatal(err)
		}
	}
	read("offer", "create", "--external", "1", "--type", "eligibility", "--programme", "K7Q2", "--round", "1")
	purse := func(args ...string) []string {
		return append(append([]string{"wallet"}, args...), "--wallet", l.path("purse"))
	}
	l.must(purse("init")...)
	l.must(purse("add", made.Link, "--code", made.Tx)...)
	for name, flags := range map[string][]string{"": nil, "W3C": {"--format", "jwt_vc_json"}, "in the clear": {"--in-the-clear"}, "unsigned": {"--unsigned"}} {
		read(append([]string{"request", "create", "--type", "eligibility", "--claim", "programme", "--purpose", "To hand out food"}, flags...)...)
		l.must(purse("present", made.Link, "--yes")...)
		if shown := l.must("request", "show", made.ID); !strings.Contains(shown, "K7Q2") || strings.Contains(shown, "round:") || !strings.HasPrefix(shown, "GIVE") {
			t.Errorf("%s: %s", name, shown)
		}
		if v := ask(t, client, "GET", made.Result+"/json", "", made.Session, "", 200); v.Get("outcome").Get("answer").Text != "valid" {
			t.Errorf("%s: %s", name, v.Append(nil))
		}
		if page := resultPage(t, client, made.Result, made.Session); !strings.Contains(page, "Nobody looked whether it was collected") {
			t.Errorf("%s: the page of who asked does not say that nobody looked: %s", name, page)
		}
	}
	read("request", "create", "--type", "eligibility", "--claim", "programme", "--purpose", "To hand out food")
	if out := l.must(purse("present", made.Link, "--refuse")...); !strings.Contains(out, "said no") {
		t.Errorf("a no is told as %q", out)
	}
	if shown := l.must("request", "show", made.ID); !strings.Contains(shown, "access_denied") || strings.Contains(shown, "K7Q2") {
		t.Errorf("refused: %s", shown)
	}
	patience.Until(t, "what had ended goes", func() bool {
		_, err := s.o.store.Request(t.Context(), ended.ID)
		return errors.Is(err, request.ErrNotFound)
	})
}

// resultPage is what the browser of who asked shows.
func resultPage(t *testing.T, client *http.Client, address, session string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: "__Secure-aidpass", Value: session})
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v", address, res.StatusCode, err)
	}
	return string(page)
}
