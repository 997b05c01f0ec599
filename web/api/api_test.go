package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"aidpass/internal/patience"
	"aidpass/web/api"
)

var app = fstest.MapFS{
	"index.html": {Data: []byte("<!doctype html><title>scanner</title>")},
	"app.js":     {Data: []byte(strings.Repeat("// scanner\n", 1000))},
	"core.wasm":  {Data: []byte("\x00asm")},
}

func TestDocumentsAreAskedForAgainCheaply(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/public/trust.list", "/s/1", "/scanner/", "/scanner/app.js", "/setup.css", "/", w.confirmed(t, "tab-1") + "/pack"} {
		whole := w.do("GET", path, nil)
		tag := whole.Header().Get("ETag")
		if whole.Code != 200 || !strings.HasPrefix(tag, `"`) || whole.Header().Get("Cache-Control") == "" {
			t.Errorf("%s: %d, ETag %q, Cache-Control %q", path, whole.Code, tag, whole.Header().Get("Cache-Control"))
		}
		for _, header := range []string{tag, `"x", ` + tag, "W/" + tag, "*"} {
			if again := w.do("GET", path, nil, "If-None-Match", header); again.Code != 304 || again.Body.Len() > 0 {
				t.Errorf("%s with If-None-Match %s: %d, %d bytes", path, header, again.Code, again.Body.Len())
			}
		}
		if other := w.do("GET", path, nil, "If-None-Match", `"x"`); other.Code != 200 {
			t.Errorf("%s with another ETag: %d", path, other.Code)
		}
		if head := w.do("HEAD", path, nil); head.Code != 200 || head.Body.Len() > 0 || head.Header().Get("ETag") != tag {
			t.Errorf("HEAD %s: %d, %d bytes", path, head.Code, head.Body.Len())
		}
	}
}

func TestGzipWhereItHelps(t *testing.T) {
	w := newWorld(t)
	plain := w.do("GET", "/public/trust.list", nil)
	packed := w.do("GET", "/public/trust.list", nil, "Accept-Encoding", "br, gzip")
	if packed.Header().Get("Content-Encoding") != "gzip" || packed.Header().Get("ETag") == plain.Header().Get("ETag") || packed.Header().Get("Vary") != "Accept-Encoding" {
		t.Fatalf("headers %v", packed.Header())
	}
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, plain.Body.Bytes()) {
		t.Errorf("%v, %d bytes", err, len(got))
	}
	if a := w.do("GET", "/public/trust.list", nil, "Accept-Encoding", "gzip", "If-None-Match", packed.Header().Get("ETag")); a.Code != 304 {
		t.Errorf("the gzipped form again: %d", a.Code)
	}
	for _, header := range []string{"", "identity", "gzip;q=0", "br"} {
		if a := w.do("GET", "/public/trust.list", nil, "Accept-Encoding", header); a.Header().Get("Content-Encoding") != "" {
			t.Errorf("Accept-Encoding %q: gzipped", header)
		}
	}
	if a := w.do("GET", "/s/1", nil, "Accept-Encoding", "gzip"); a.Header().Get("Content-Encoding") != "" {
		t.Error("five bytes were gzipped")
	}
	// A pack that broke off goes on where it was.
	if a := w.do("GET", "/public/trust.list", nil, "Range", "bytes=100-199", "If-Range", plain.Header().Get("ETag")); a.Code != 206 || a.Body.Len() != 100 {
		t.Errorf("a range: %d, %d bytes", a.Code, a.Body.Len())
	}
}

// The wallet speaks with whoever issues and asks, over https; what it loads is its own.
func TestWalletPolicy(t *testing.T) {
	policy := newWorld(t).do("GET", "/wallet/", nil).Header().Get("Content-Security-Policy")
	for part := range strings.SplitSeq(policy, "; ") {
		name, sources, _ := strings.Cut(part, " ")
		if strings.Contains(sources, "https:") != (name == "connect-src") || strings.Contains(sources, "unsafe-inline") || strings.Contains(sources, "*") {
			t.Errorf("the policy says %q", part)
		}
	}
	if !strings.Contains(policy, "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; ") {
		t.Errorf("the policy %q", policy)
	}
}

func TestScannerHeaders(t *testing.T) {
	w := newWorld(t)
	a := w.do("GET", "/scanner/", nil)
	h := a.Header()
	policy := h.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "frame-ancestors 'none'", "report-uri /api/v1/csp-report"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy %q lacks %q", policy, part)
		}
	}
	if strings.Contains(policy, "unsafe-inline") || strings.Contains(policy, "http") || strings.Contains(policy, "*") {
		t.Errorf("the policy %q lets in too much", policy)
	}
	for name, value := range map[string]string{"X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "no-referrer"} {
		if h.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, h.Get(name), value)
		}
	}
	if !strings.Contains(h.Get("Permissions-Policy"), "camera=(self), microphone=(self)") {
		t.Errorf("Permissions-Policy: %q", h.Get("Permissions-Policy"))
	}
	for name, mime := range map[string]string{"app.js": "text/javascript; charset=utf-8", "core.wasm": "application/wasm", "index.html": "text/html; charset=utf-8"} {
		if got := w.do("GET", "/scanner/"+name, nil).Header().Get("Content-Type"); got != mime {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, path := range []string{"/scanner/nothing", "/scanner/../api", "/scanner//app.js", "//scanner/app.js", "/scanner/%2e%2e/app.js", "/scanner/app.js;x", "/.git/config", "/scanner", "/admin"} {
		if a := w.do("GET", path, nil); a.Code != 404 {
			t.Errorf("%s: %d", path, a.Code)
		}
	}
}

func TestPolicyReportsAreCounted(t *testing.T) {
	w := newWorld(t)
	old := `{"csp-report":{"document-uri":"https://192.0.2.7/scanner/?name=Amina","effective-directive":"script-src-elem","blocked-uri":"https://evil.example/"}}`
	list := `[{"type":"csp-violation","body":{"effectiveDirective":"Amina","blockedURL":"inline"}}]`
	for _, r := range []struct{ mime, body string }{{"application/csp-report", old}, {"application/reports+json", list}, {"text/plain", "\x1b[31m"}} {
		want(t, r.mime, w.do("POST", "/api/v1/csp-report", []byte(r.body), "Content-Type", r.mime), 204, "")
	}
	want(t, "a large one", w.do("POST", "/api/v1/csp-report", make([]byte, 20_000)), 413, "too_large")
	if got := w.do("GET", "/api/v1/csp-report", nil).Body.String(); got != "{\"count\":3}\n" {
		t.Errorf("count %q", got)
	}
	if l := w.logs.String(); !strings.Contains(l, "script-src-elem") || strings.Contains(l, "Amina") || strings.Contains(l, "evil") || strings.Contains(l, "\x1b") {
		t.Errorf("the log says %q", l)
	}
}

func TestWhoMayCall(t *testing.T) {
	w := newWorld(t)
	path := w.confirmed(t, "tab-1")
	for host, status := range map[string]int{"localhost:8443": 200, "192.168.43.1:8443": 200, "[fe80::1]:8443": 200, "laptop.local:8443": 200, "LAPTOP.local": 200,
		"evil.example": 421, "laptop.local.evil.example:8443": 421, "localhost.evil.example": 421, "": 421} {
		if a := w.do("GET", path, nil, "Host", host); a.Code != status {
			t.Errorf("Host %q: %d", host, a.Code)
		}
	}
	upload := func(headers ...string) *httptest.ResponseRecorder {
		return w.do("POST", path+"/journal", record(1, "a"), append([]string{"Content-Type", "application/cbor-seq"}, headers...)...)
	}
	want(t, "another site's page", upload("Sec-Fetch-Site", "cross-site"), 403, "cross_origin")
	want(t, "another port's page", upload("Sec-Fetch-Site", "same-site"), 403, "cross_origin")
	want(t, "an old browser's other page", upload("Origin", "https://evil.example"), 403, "cross_origin")
	want(t, "its own page", upload("Sec-Fetch-Site", "same-origin", "Origin", "https://localhost:8443"), 200, "")
	want(t, "a method by another name", w.do("GET", path+"/journal", nil, "X-HTTP-Method-Override", "POST"), 404, "not_found")
	for method, status := range map[string]int{"PUT": 405, "DELETE": 405, "TRACE": 405, "PATCH": 405, "OPTIONS": 204} {
		a := w.do(method, path+"/journal", nil, "Origin", "https://evil.example", "Access-Control-Request-Method", "POST", "Sec-Fetch-Site", "same-origin")
		if a.Code != status || a.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %v", method, a.Code, a.Header())
		}
	}
}

func TestLogsNameNobody(t *testing.T) {
	w := newWorld(t)
	path := w.confirmed(t, "tab-1")
	w.upload(t, path, record(1, "Amina Canary"))
	w.enrol(t, "K7Q2M4XD", phone(t, "Amina-phone"), "User-Agent", "Amina-agent", "Cookie", "Amina-cookie")
	w.do("GET", "/Amina?name=Amina%0A", nil, "Referer", "https://Amina.example/")
	w.do("AMINA", "/", nil)
	w.do("GET", "/scanner/Amina", nil, "X-Request-ID", "Amina\n")
	w.err = errors.New("storage: upload visits: constraint on Amina")
	want(t, "a fault", w.do("POST", path+"/journal", record(9, "Amina"), "Content-Type", "application/cbor-seq"), 500, "fault")
	l := w.logs.String()
	for _, stray := range []string{"Amina", "AMINA", "192.0.2.1", "K7Q2M4XD"} {
		if strings.Contains(l, stray) {
			t.Errorf("the log holds %q:\n%s", stray, l)
		}
	}
	if !strings.Contains(l, "route=/api/v1/devices/:kid/journal status=500") || !strings.Contains(l, "code=*errors.errorString") {
		t.Errorf("the log does not tell the fault:\n%s", l)
	}
	a := w.do("GET", "/healthz", nil)
	if len(a.Header().Get("X-Request-ID")) != 16 {
		t.Errorf("request id %q", a.Header().Get("X-Request-ID"))
	}
}

func TestBusyIsSaid(t *testing.T) {
	w := newWorld(t, func(c *api.Config) { c.Limits.Wait = 50 * time.Millisecond; c.Limits.Waiting = 1 })
	path := w.confirmed(t, "tab-1")
	post := func() *httptest.ResponseRecorder {
		return w.do("POST", path+"/journal", record(1, "a"), "Content-Type", "application/cbor-seq")
	}
	w.behave(api.ErrBusy, 0)
	a := post()
	want(t, "the database says so", a, 503, "busy")
	if a.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.behave(nil, time.Hour)
	want(t, "it does not answer in time", post(), 503, "busy")
	w.behave(nil, 0)
	patience.For(func() bool { a = post(); return a.Code == 200 }) // the one before gives its place back
	want(t, "afterwards", a, 200, "")
	w.behave(context.DeadlineExceeded, 0)
	want(t, "it gave up", post(), 503, "busy")
	w.behave(api.ErrFull, 0)
	a = post()
	want(t, "no room", a, 503, "storage_full")
	if a.Header().Get("Retry-After") == "" || a.Header().Get("Content-Type") != "application/problem+json" || strings.Contains(a.Body.String(), "aidpass-ack") {
		t.Errorf("no room: %v %s", a.Header(), a.Body)
	}
}

// One client that is slow, in however many connections, leaves the others their places.
func TestNobodyTakesAllPlaces(t *testing.T) {
	w := newWorld(t, func(c *api.Config) { c.Limits.InFlight, c.Limits.Each = 8, 2 })
	path := w.confirmed(t, "tab-1")
	ask := func(from string, body io.Reader) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "https://localhost:8443"+path+"/journal", body)
		r.Header.Set("Content-Type", "application/cbor-seq")
		r.RemoteAddr = from
		a := httptest.NewRecorder()
		w.server.ServeHTTP(a, r)
		return a
	}
	var all sync.WaitGroup
	var ends []io.Closer
	for i := range 2 {
		slow, end := io.Pipe()
		ends = append(ends, end)
		all.Go(func() { ask("[2001:db8::"+string(rune('1'+i))+"]:5", slow) })
		if _, err := end.Write([]byte{0x82}); err != nil { // it is inside, and reads
			t.Fatal(err)
		}
	}
	want(t, "a third one of the same network", ask("[2001:db8::9]:7", strings.NewReader("")), 503, "busy")
	want(t, "another phone", ask("192.0.2.7:7", bytes.NewReader(record(1, "a"))), 200, "")
	for range 20 {
		want(t, "this machine's cables", ask("127.0.0.1:7", bytes.NewReader(record(2, "a"))), 200, "")
	}
	for _, end := range ends {
		end.Close()
	}
	all.Wait()
	want(t, "afterwards", ask("[2001:db8::9]:7", bytes.NewReader(record(3, "a"))), 200, "")
}

func TestSetUpPage(t *testing.T) {
	w := newWorld(t)
	for lang, title := range map[string]string{"en": "Set up a phone", "fr": "Préparer un téléphone", "es": "Preparar un teléfono", "ar": "إعداد هاتف", "sw": "Andaa simu"} {
		a := w.do("GET", "/?lang="+lang, nil)
		page := a.Body.String()
		if a.Code != 200 || !strings.Contains(page, title) || !strings.Contains(page, `lang="`+lang+`"`) || strings.Contains(page, "no value") {
			t.Errorf("%s: %d\n%s", lang, a.Code, page)
		}
		for _, part := range []string{"https://192.0.2.7:8443/scanner/", "adb reverse tcp:8080 tcp:8080", "/site-ca.crt", "SHA-256", "aidpass site-ca show", "Android", "iPhone", "data:image/png;base64,"} {
			if !strings.Contains(page, part) {
				t.Errorf("%s: the page lacks %q", lang, part)
			}
		}
		if strings.Contains(page, "<script") || strings.Contains(page, "style=") {
			t.Errorf("%s: script or style inside", lang)
		}
	}
	// First what works for whom asks: localhost at the computer, https on a phone.
	for host, first := range map[string]string{"localhost:8080": "http://localhost:8080/scanner/", "127.0.0.1": "http://localhost:8080/scanner/", "192.0.2.7:8443": "https://192.0.2.7:8443/scanner/"} {
		page := w.do("GET", "/", nil, "Host", host).Body.String()
		_, link, _ := strings.Cut(page, `<a href="http`)
		if !strings.HasPrefix("http"+link, first+`"`) {
			t.Errorf("at %s the first address is http%.40s, want %s", host, link, first)
		}
		for _, who := range []string{"On this computer", "On phones in the same network: First install"} {
			if strings.Count(page, who) != 1 {
				t.Errorf("at %s the page says %d times whom %q is for", host, strings.Count(page, who), who)
			}
		}
	}
	if page := w.do("GET", "/?lang=ar", nil).Body.String(); !strings.Contains(page, `dir="rtl"`) {
		t.Error("Arabic runs from left to right")
	}
	if page := w.do("GET", "/", nil, "Accept-Language", "pt, fr-CH;q=0.8, en;q=0.5").Body.String(); !strings.Contains(page, `lang="fr"`) {
		t.Error("Accept-Language is not heard")
	}
	if page := w.do("GET", "/?lang=<script>", nil).Body.String(); strings.Contains(page, "<script>") || !strings.Contains(page, `lang="en"`) {
		t.Error("the query gets into the page")
	}
}
