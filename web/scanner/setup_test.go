package scanner_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aidpass/web/api"
	"aidpass/web/scanner"
)

// The page that says how to set a phone up, on a phone, in every language: nothing
// runs out of the screen, everything can be touched, and axe finds nothing.
func TestSetUpPageOnAPhone(t *testing.T) {
	t.Parallel()
	files, err := scanner.Files()
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	server, err := api.New(api.Config{Scanner: files, Now: time.Now, SetUp: func() api.SetUp {
		return api.SetUp{Addresses: []string{"https://scan.relief-a.example:8443", "https://[fd12:3456:789a:bcde:f012:3456:789a:bcde]:8443"},
			Local: "http://localhost:8080", LocalPort: "8080", CA: "/site-ca.crt"}
	}})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(server)
	defer h.Close()
	p := newPhone(t, h.URL)
	for _, lang := range []string{"en", "fr", "es", "ar", "sw"} {
		p.do(chromedp.EmulateViewport(360, 640))
		p.Go(h.URL + "/?lang=" + lang)
		p.wait(`document.querySelector("h1")`)
		if wide := eval[int](p, `document.documentElement.scrollWidth`); wide > 360 {
			t.Errorf("%s: the page is %d px wide", lang, wide)
		}
		if small := eval[string](p, `[...document.querySelectorAll("a")].filter(a => a.getBoundingClientRect().height < 56).map(a => a.textContent).join(", ")`); small != "" {
			t.Errorf("%s: too small to be touched: %s", lang, small)
		}
		if broken := eval[int](p, `[...document.images].filter(i => i.naturalWidth === 0).length`); broken > 0 {
			t.Errorf("%s: the code is not shown", lang)
		}
		p.axe("set-up page " + lang)
		p.do(chromedp.EmulateViewport(360, 2400))
		p.shoot("set-up page " + lang)
	}
}
