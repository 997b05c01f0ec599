package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aidpass/internal/browsertest"
	"aidpass/web/scanner"
)

// network is what lies between phone and server, and what it makes of answers.
type network struct {
	*httptest.Server
	mood atomic.Value // of answers to /api: "", "500", "html", "portal", "slow", "refuse"
}

func newNetwork(t *testing.T, address string, client *http.Client) *network {
	t.Helper()
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Transport: client.Transport, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = "localhost"
		r.Out.Header.Del("Origin")
	}}
	n := &network{}
	n.mood.Store("")
	n.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/api/") || n.mood.Load() == "" {
			proxy.ServeHTTP(w, r)
			return
		}
		io.Copy(io.Discard, r.Body)
		switch n.mood.Load() {
		case "500":
			http.Error(w, "broken", http.StatusInternalServerError)
		case "html":
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, "<!doctype html><title>Free WiFi</title>Log in")
		case "portal":
			http.Redirect(w, r, "/scanner/", http.StatusFound)
		case "slow": // a byte a second
			w.Header().Set("Content-Type", "application/json")
			for range 60 {
				if _, err := io.WriteString(w, " "); err != nil || http.NewResponseController(w).Flush() != nil {
					return
				}
				select {
				case <-r.Context().Done():
					return
				case <-time.After(time.Second):
				}
			}
		}
	}))
	t.Cleanup(n.Close)
	return n
}

// A phone, a bad network, and the server as it is: one code enrols one phone, its
// words are compared, it gets its pack, and what it records comes to the database by
// itself; whatever the network answers instead, nothing is taken for handed in.
func TestAPhoneAndItsServer(t *testing.T) {
	browsertest.Chromium(t)
	if _, err := scanner.Files(); err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	l := newLaptop(t)
	address, client, stop := l.serve()
	defer func() { stop() }()
	net := newNetwork(t, address, client)
	base := strings.Replace(net.URL, "127.0.0.1", "localhost", 1) + "/scanner/"

	var made struct{ Code string }
	if err := json.Unmarshal([]byte(l.must("device", "code", "--site", "wellA", "--json")), &made); err != nil {
		t.Fatal(err)
	}
	enrol := func(p *browsertest.Page, name, code string) {
		t.Helper()
		p.Open(base + "#enrol=" + code)
		p.Fill("name", name)
		p.Click("make-key") // the address brought the code: it goes on by itself
		p.Wait(`document.getElementById("code")?.value`)
		if got := browsertest.Eval[string](p, `document.getElementById("code").value`); got != code {
			t.Errorf("the code of the address stands there as %q", got)
		}
	}
	p := browsertest.New(t, scriptClock())
	enrol(p, "tab-1", made.Code)
	p.Wait(`document.querySelector(".wrong").innerText.includes("Read the six words")`)
	words := p.Text(".words")

	// The first device wins; another one gets a clear no.
	late := browsertest.New(t, scriptClock())
	enrol(late, "tab-2", made.Code)
	late.Wait(`document.querySelector(".wrong").innerText.includes("did not take the code")`)
	if code, _ := l.run(t.Context(), "device", "confirm", "tab-1", "--words", "abandon ability able about above absent"); code != 2 {
		t.Errorf("confirmed by other words: exit %d", code)
	}
	l.must("device", "confirm", "tab-1", "--words", words)
	p.Click("choose-pin") // the phone asks until it is confirmed, and has its pack then
	p.Fill("pin", "402917")
	p.Fill("pin2", "402917")
	p.Click("pin-go")
	p.Wait(`document.querySelector("#checks [data-check=device][data-good=true]")`)
	p.Click("done")

	// Records go by themselves, and only what the server acknowledged is handed in.
	unsent := func() string {
		return browsertest.Eval[string](p, `document.getElementById("unsent-chip").dataset.waiting`)
	}
	net.mood.Store("html")
	p.Click("open-shift")
	p.Fill("staff", "V-12")
	p.Click("shift-go")
	p.Fill("pin", "402917")
	p.Click("pin-go")
	p.Wait(`document.getElementById("unsent-chip")`)
	for _, mood := range []string{"500", "html", "portal", "slow"} {
		net.mood.Store(mood)
		p.Click("unsent-chip")
		p.Click("send")
		p.WaitFor(`document.getElementById("toast").innerText.includes("No connection")`, browsertest.Patience)
		browsertest.Eval[bool](p, `(document.getElementById("toast").replaceChildren(), true)`)
		p.Back()
		p.Wait(`document.getElementById("unsent-chip")`)
		if got := unsent(); got != "1" {
			t.Errorf("%s: %s records are not handed in, want 1", mood, got)
		}
	}
	net.mood.Store("500")
	p.Click("lists")
	p.Click("newer")
	p.WaitFor(`document.getElementById("toast").innerText.includes("No connection")`, browsertest.Patience)
	p.Back()
	net.mood.Store("")
	browsertest.Eval[bool](p, `window.dispatchEvent(new Event("online"))`)
	p.Wait(`document.getElementById("unsent-chip").dataset.waiting === "0"`)
	if got := l.must("visits", "report", "--json"); !strings.Contains(got, `"records":1`) && !strings.Contains(got, `"records": 1`) {
		t.Errorf("the office has %s", got)
	}
	p.Click("lists")
	p.Click("newer")
	p.Wait(`/newer lists of|are the newest/.test(document.getElementById("toast").innerText)`)
}
