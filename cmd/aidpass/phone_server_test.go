package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"aidpass/web/scanner"
)

// browserPhone is a Chromium of a phone's size on the app that the server serves.
type browserPhone struct {
	*testing.T
	ctx context.Context
}

func newBrowserPhone(t *testing.T) *browserPhone {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("SKIPPED: no chromium: make setup installs it")
	}
	if _, err := scanner.Files(); err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:len(chromedp.DefaultExecAllocatorOptions):len(chromedp.DefaultExecAllocatorOptions)],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU)
	allocated, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocated)
	t.Cleanup(func() { cancel(); stop() })
	p := &browserPhone{t, ctx}
	p.must(chromedp.Do(ctx))
	p.must(chromedp.Do(ctx, chromedp.EmulateViewport(360, 640)))
	clock := fmt.Sprintf(`{const real = Date.now, off = %d - real(); Date.now = () => real() + off}`, scriptClock().UnixMilli())
	_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: clock})
	p.must(err)
	return p
}

func (p *browserPhone) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *browserPhone) open(url string) {
	p.Helper()
	p.must(chromedp.Do(p.ctx, chromedp.Navigate(url)))
	p.wait(`document.documentElement.dataset.ready && document.querySelector("#title")`)
}

func (p *browserPhone) text(expression string) string {
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
	defer cancel()
	s, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("String("+expression+")"))
	return s
}

func (p *browserPhone) wait(expression string) {
	p.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if p.text("!!("+expression+")") == "true" {
			return
		}
		if time.Now().After(end) {
			p.Fatalf("never: %s\non screen: %s", expression, p.text("document.body.innerText"))
		}
	}
}

func (p *browserPhone) click(id string) {
	p.Helper()
	p.wait(fmt.Sprintf("document.getElementById(%q)", id))
	p.text(fmt.Sprintf("document.getElementById(%q).click()", id))
}

func (p *browserPhone) fill(id, text string) {
	p.Helper()
	p.wait(fmt.Sprintf("document.getElementById(%q)", id))
	p.text(fmt.Sprintf("document.getElementById(%q).value = %q", id, text))
}

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
	l := newLaptop(t)
	address, client, stop := l.serve()
	defer func() { stop() }()
	net := newNetwork(t, address, client)
	base := strings.Replace(net.URL, "127.0.0.1", "localhost", 1) + "/scanner/"

	var made struct{ Code string }
	if err := json.Unmarshal([]byte(l.must("device", "code", "--site", "wellA", "--json")), &made); err != nil {
		t.Fatal(err)
	}
	enrol := func(p *browserPhone, name, code string) {
		t.Helper()
		p.open(base + "#enrol=" + code)
		p.fill("name", name)
		p.click("make-key") // the address brought the code: it goes on by itself
		p.wait(`document.getElementById("code")?.value`)
		if got := p.text(`document.getElementById("code").value`); got != code {
			t.Errorf("the code of the address stands there as %q", got)
		}
	}
	p := newBrowserPhone(t)
	enrol(p, "tab-1", made.Code)
	p.wait(`document.querySelector(".wrong").innerText.includes("Read the six words")`)
	words := p.text(`document.querySelector(".words").innerText`)

	// The first device wins; another one gets a clear no.
	late := newBrowserPhone(t)
	enrol(late, "tab-2", made.Code)
	late.wait(`document.querySelector(".wrong").innerText.includes("did not take the code")`)
	if code, _ := l.run(t.Context(), "device", "confirm", "tab-1", "--words", "abandon ability able about above absent"); code != 2 {
		t.Errorf("confirmed by other words: exit %d", code)
	}
	l.must("device", "confirm", "tab-1", "--words", words)
	p.click("choose-pin") // the phone asks until it is confirmed, and has its pack then
	p.fill("pin", "402917")
	p.fill("pin2", "402917")
	p.click("pin-go")
	p.wait(`document.querySelector("#checks [data-check=device][data-good=true]")`)
	p.click("done")

	// Records go by themselves, and only what the server acknowledged is handed in.
	unsent := func() string { return p.text(`document.getElementById("unsent-chip").dataset.waiting`) }
	net.mood.Store("html")
	p.click("open-shift")
	p.fill("staff", "V-12")
	p.click("shift-go")
	p.fill("pin", "402917")
	p.click("pin-go")
	p.wait(`document.getElementById("unsent-chip")`)
	for _, mood := range []string{"500", "html", "portal", "slow"} {
		net.mood.Store(mood)
		p.click("unsent-chip")
		p.click("send")
		p.wait(`document.getElementById("toast").innerText.includes("No connection")`)
		p.text(`document.getElementById("toast").replaceChildren()`)
		p.text(`document.querySelector(".back").click()`)
		p.wait(`document.getElementById("unsent-chip")`)
		if got := unsent(); got != "1" {
			t.Errorf("%s: %s records are not handed in, want 1", mood, got)
		}
	}
	net.mood.Store("500")
	p.click("lists")
	p.click("newer")
	p.wait(`document.getElementById("toast").innerText.includes("No connection")`)
	p.text(`document.querySelector(".back").click()`)
	net.mood.Store("")
	p.text(`window.dispatchEvent(new Event("online"))`)
	p.wait(`document.getElementById("unsent-chip").dataset.waiting === "0"`)
	if got := l.must("visits", "report", "--json"); !strings.Contains(got, `"records":1`) && !strings.Contains(got, `"records": 1`) {
		t.Errorf("the office has %s", got)
	}
	p.click("lists")
	p.click("newer")
	p.wait(`/newer lists of|are the newest/.test(document.getElementById("toast").innerText)`)
}
