package openid_test

import (
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"

	"aidpass/internal/browsertest"
)

// The pages for people on a phone, in every language: nothing runs out of the screen,
// everything can be touched, and axe finds nothing. The browser that asked sees the answer.
func TestPagesOnAPhone(t *testing.T) {
	w := newWorld(t)
	h := httptest.NewServer(w.server)
	defer h.Close()
	r := w.ask(t, inClear)
	result := pathOf(t, r.ResultURI())
	p := browsertest.New(t, now)
	look := func(what, path string) {
		t.Helper()
		for _, lang := range []string{"en", "ar", "fr", "es", "sw"} {
			p.Do(chromedp.EmulateViewport(360, 640))
			p.Go(h.URL + path + "?lang=" + lang)
			p.Wait(`document.querySelector("h1") && document.documentElement.lang == "` + lang + `"`)
			if wide := browsertest.Eval[int](p, `document.documentElement.scrollWidth`); wide > 360 {
				t.Errorf("%s, %s: the page is %d px wide", what, lang, wide)
			}
			if small := browsertest.Eval[string](p, `[...document.querySelectorAll("a")].filter(a => a.getBoundingClientRect().height < 56).map(a => a.textContent).join(", ")`); small != "" {
				t.Errorf("%s, %s: too small to be touched: %s", what, lang, small)
			}
			if lang == "en" || lang == "ar" {
				p.Axe(what + ", " + lang)
			}
		}
	}
	look("offer", "/org/offer/"+reference+"/page")
	p.Go(h.URL + result + "/for/" + r.Session)
	p.Wait(`location.pathname == "` + result + `" && document.querySelector("img")`)
	look("request", result)
	w.post(t, r, url.Values{"error": {"access_denied"}, "state": {r.State}})
	look("answer", result)
	p.Wait(`document.querySelector("#answer")`)
}
