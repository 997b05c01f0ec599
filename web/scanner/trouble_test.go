package scanner_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
)

// A private window works as long as it is open, and says that it forgets.
func TestAPrivateWindowSaysThatItForgets(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL, chromedp.Flag("incognito", true))
	p.enrolled()
	if !strings.Contains(p.text(".body"), "may forget its data") {
		t.Errorf("on Ready: %q", p.text(".body"))
	}
	p.shoot("private-en")
}

// noStore is a browser without an offline store.
const noStore = `Object.defineProperty(Navigator.prototype, "serviceWorker", { get() { return undefined; } })`

func TestWithoutAnOfflineStoreItIsSaid(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	p.OnLoad(noStore)
	p.enrolled()
	p.wait(`document.getElementById("offline")?.innerText.includes("cannot keep the app")`)
	p.shoot("no-offline-en")
	if got := p.judge(world.Text(vt.CardOptions{})); got != "GIVE" {
		t.Errorf("without an offline store: %q", got)
	}
}

// The checker that does not come, comes cut off, or finds no memory: said, and a way on.
func TestACheckerThatDoesNotStart(t *testing.T) {
	t.Parallel()
	server := serve(t)
	var fault atomic.Value
	fault.Store("")
	whole := server.Config.Handler
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("If-None-Match")
		switch why := fault.Load().(string); {
		case why == "missing" && strings.HasSuffix(r.URL.Path, "scanner.wasm"):
			http.Error(w, "not now", http.StatusServiceUnavailable)
		case why == "cut" && strings.HasSuffix(r.URL.Path, "scanner.wasm"):
			w.Header().Set("Content-Type", "application/wasm")
			w.Write([]byte("\x00asm\x01\x00\x00\x00\x01"))
		case why == "memory" && strings.HasSuffix(r.URL.Path, "core.js"):
			r.Header.Del("Accept-Encoding")
			answer := httptest.NewRecorder()
			whole.ServeHTTP(answer, r)
			for name, values := range answer.Header() {
				w.Header()[name] = values
			}
			w.Header().Del("Content-Length")
			fmt.Fprintf(w, "WebAssembly.instantiateStreaming = async () => { throw new RangeError(%q) };\n%s", "WebAssembly.instantiate(): Out of memory: Cannot allocate Wasm memory for new instance", answer.Body)
		default:
			whole.ServeHTTP(w, r)
		}
	})
	p := newPhone(t, server.URL)
	p.OnLoad(noStore) // which fetched what one fault left whole, and answered the next page
	for why, screen := range map[string]string{"missing": "stop-core", "cut": "stop-core", "memory": "stop-memory"} {
		fault.Store(why)
		p.Go(p.url)
		p.screen(screen)
		p.shoot("core-" + why)
	}
	fault.Store("")
	p.Push(".actions button") // try again
	p.screen("setup")
}

// The site's one-time decision: two people, a reason, a ceiling, an end; in the
// journal, on every screen it touches, and over when it is over.
func TestARoundOpenedOnOldLists(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	key := p.enrolled()
	shift := func(days int) {
		eval[bool](p, fmt.Sprintf(`(sessionStorage.setItem("shift", "%d"), true)`, days*86400))
		p.reload()
		p.screen("ready")
	}
	judged := func() (word, reason string) {
		p.typed(world.Text(vt.CardOptions{}))
		p.screen("verdict")
		return p.text("#title"), eval[string](p, `document.querySelector("#screen").dataset.reason`)
	}
	form := func() {
		p.click("supervisor")
		p.wait(`/^(gate|supervisor)$/.test(document.querySelector("#screen").dataset.screen)`)
		if eval[string](p, `document.querySelector("#screen").dataset.screen`) == "gate" {
			p.fill("pin", pin)
			p.click("pin-go")
		}
		p.screen("supervisor")
		p.click("old-lists")
	}
	shift(20)
	if word, reason := judged(); word != "HELP DESK" {
		t.Fatalf("lists of 20 days: %q (%s)", word, reason)
	}
	p.click("next")
	p.back()
	p.screen("ready")
	form()
	p.screen("old-lists-form")
	for id, text := range map[string]string{"reason": "no road", "lead": "S-17", "second": "s-17 ", "ceiling": "C", "days": "2"} {
		p.fill(id, text)
	}
	p.hold("open-old")
	p.wait(`document.querySelector(".wrong").innerText`) // one person twice is one person
	p.fill("second", "S-4")
	p.hold("open-old")
	p.wait(`document.querySelector(".wrong").innerText.includes("number")`) // a ceiling that cannot be counted is none
	p.shoot("old-lists-form-en")
	p.fill("ceiling", "C2")
	p.hold("open-old")
	p.screen("ready")
	p.wait(`document.querySelector(".banner")?.innerText.includes("Given on this phone: 0 of 2.")`)
	p.shoot("old-lists-ready-en")
	word, reason := judged()
	if word != "GIVE" || reason != "ok_old_lists" {
		t.Errorf("after the decision: %q (%s)", word, reason)
	}
	if got := p.text("#on-old-lists"); got == "" {
		t.Error("the verdict does not say that it rests on old lists")
	}
	p.shoot("old-lists-verdict-en")
	p.click("next")
	j := p.readJournal(key)
	if v := j.Visits[len(j.Visits)-1]; v.Kind != visit.Note || v.Code != "old_lists:S-17:S-4" || v.Given != "no road" {
		t.Errorf("in the journal: %+v", v)
	}
	// As many as its ceiling says, then no more: the lists are as old as they were.
	give := func(unit string) {
		t.Helper()
		p.scanned(world.Text(vt.CardOptions{Unit: unit}))
		p.hold("give")
		p.screen("scan")
	}
	stopped := func(unit string) {
		t.Helper()
		if word := p.scanned(world.Text(vt.CardOptions{Unit: unit})); word != "HELP DESK" || !strings.Contains(p.text("#old-spent"), "All 2 collections") {
			t.Errorf("over the ceiling: %q, %q", word, p.text("#old-spent"))
		}
		if eval[bool](p, `!!document.getElementById("give")`) {
			t.Error("over the ceiling something can be given")
		}
	}
	give("old-1")
	give("old-2")
	if v := p.last(key); v.Kind != visit.Collection || v.Code != "on_old_lists" {
		t.Errorf("recorded on old lists: %+v", v)
	}
	stopped("old-3")
	p.shoot("old-lists-spent-en")
	p.axe("the ceiling of old lists is reached")
	p.click("next")
	p.back()
	p.screen("ready")
	p.wait(`document.querySelector("#old-lists-open").innerText.includes("All 2 collections")`)
	p.shoot("old-lists-spent-ready-en")
	p.language("ar")
	p.shoot("old-lists-spent-ready-ar")
	p.language("en")
	shift(21) // counted in the journal, not in the page
	p.click("scan")
	p.screen("scan")
	stopped("old-3")
	p.click("next")
	p.back()
	p.screen("ready")
	// What is taken back counts no more.
	p.click("history")
	p.screen("history")
	p.Push(".log button")
	p.gated("take-back")
	p.click("take-back")
	p.said("Taken back")
	p.back()
	p.screen("ready")
	p.wait(`document.querySelector("#old-lists-open").innerText.includes("Given on this phone: 1 of 2.")`)
	// A start later it still holds; two days later it has ended by itself.
	shift(21)
	if word, reason := judged(); word != "GIVE" || reason != "ok_old_lists" {
		t.Errorf("the next day: %q (%s)", word, reason)
	}
	shift(23)
	if p.text(".banner") != "" {
		t.Errorf("after its end: %q", p.text(".banner"))
	}
	if word, reason := judged(); word != "HELP DESK" {
		t.Errorf("after its end: %q (%s)", word, reason)
	}
	p.click("next")
	p.back()
	p.screen("ready")
	form()
	p.screen("old-lists-taken") // never a second time on the same lists
	if eval[bool](p, `!!document.getElementById("open-old")`) {
		t.Error("it can be decided again on the same lists")
	}
	p.back()
	p.back()
	p.screen("ready")
	p.click("lists")
	p.give("update", "new.pack", packFor(key, vt.PackOptions{Sequence: 9}))
	p.wait(`document.getElementById("toast").innerText.includes("newer lists")`)
	p.back()
	p.screen("ready")
	form()
	p.screen("old-lists-form")
}

// What a phone fetches before it works with no network, counted where it is sent.
func TestFirstLoadIsSmallAndAsksNobodyElse(t *testing.T) {
	t.Parallel()
	server := serve(t)
	var sent atomic.Int64
	whole := server.Config.Handler
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { whole.ServeHTTP(counting{w, &sent}, r) })
	p := newPhone(t, server.URL)
	p.open()
	p.wait(`navigator.serviceWorker.controller`)
	p.wait(`caches.keys().then((k) => k.length === 1)`)
	if n := sent.Load(); n > 2_200_000*3/2 || n < 1_000_000 {
		t.Errorf("%d bytes sent for the first load", n)
	} else {
		t.Logf("the first load: %d bytes sent, with those asked for again by the offline store", n)
	}
	hosts := eval[[]string](p, `[...new Set(performance.getEntriesByType("resource").map((e) => new URL(e.name).origin))].filter((o) => o !== location.origin)`)
	if len(hosts) > 0 {
		t.Errorf("other hosts are asked: %q", hosts)
	}
	if n := server.Refused.Load(); n != 0 {
		t.Errorf("the policy refused %d things", n)
	}
}

type counting struct {
	http.ResponseWriter
	sent *atomic.Int64
}

func (c counting) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.sent.Add(int64(n))
	return n, err
}

// A first visit while the server is being renewed: nothing starts from files of two
// builds. When they are of one again, it goes on by itself, and needs no server then.
func TestAFirstInstallIsOfOneBuild(t *testing.T) {
	t.Parallel()
	server := serve(t)
	var renewing atomic.Bool
	var foreign atomic.Int64
	renewing.Store(true)
	whole := server.Config.Handler
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !renewing.Load() || !strings.HasSuffix(r.URL.Path, "reader.js") && !strings.HasSuffix(r.URL.Path, "lang/en.json") {
			whole.ServeHTTP(w, r)
			return
		}
		// As the other build has it: it works as well, and is not what belongs here.
		foreign.Add(1)
		r.Header.Del("If-None-Match")
		r.Header.Del("Accept-Encoding")
		answer := httptest.NewRecorder()
		whole.ServeHTTP(answer, r)
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.Header().Del("Content-Length")
		w.Header().Del("ETag")
		fmt.Fprintf(w, "%s\n", answer.Body)
	})
	p := newPhone(t, server.URL)
	p.Go(p.url)
	p.screen("installing")
	p.wait(`document.getElementById("installing").innerText.includes("did not come whole")`)
	p.shoot("installing-en")
	p.axe("installing")
	if got := eval[[]string](p, `caches.keys()`); len(got) != 0 || foreign.Load() == 0 {
		t.Errorf("%d files of another build were sent; kept are %q", foreign.Load(), got)
	}
	p.screen("installing")
	renewing.Store(false)
	p.screen("setup")
	if !eval[bool](p, `!!navigator.serviceWorker.controller`) {
		t.Error("what runs is not what was proved")
	}
	server.Close()
	p.reload()
	p.screen("setup")
}
