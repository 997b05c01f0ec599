package wallet_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aidpass/internal/browsertest"
	vt "aidpass/verifier/verifiertest"
	"aidpass/web/api"
	"aidpass/web/wallet"
)

var world = vt.New()

const pin = "402917"

// phone is a real Chromium of 360x640 with a fake camera, for the wallet at an address.
type phone struct {
	*browsertest.Page
	url string
}

var office = sync.OnceValues(func() (http.Handler, error) {
	files, err := wallet.Files()
	if err != nil {
		return nil, err
	}
	return api.New(api.Config{Wallet: files, Now: time.Now})
})

// serve serves the wallet as the office does, below /wallet/, and everything else by
// more: an issuer may stand at the root.
func serve(t *testing.T, more http.Handler) *browsertest.Server {
	t.Helper()
	return serveKept(t, more, &sync.RWMutex{})
}

// serveKept is serve; while keeping is locked nobody can put the app on a phone.
func serveKept(t *testing.T, more http.Handler, keeping *sync.RWMutex) *browsertest.Server {
	t.Helper()
	server, err := office()
	if errors.Is(err, wallet.ErrNotBuilt) {
		t.Skipf("SKIPPED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return browsertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wallet/sw.js" {
			keeping.RLock()
			defer keeping.RUnlock()
		}
		if more == nil || strings.HasPrefix(r.URL.Path, "/wallet/") {
			server.ServeHTTP(w, r)
		} else {
			more.ServeHTTP(w, r)
		}
	}))
}

func newPhone(t *testing.T, server *browsertest.Server, more ...chromedp.ExecAllocatorOption) *phone {
	t.Helper()
	return &phone{browsertest.New(t, time.Unix(int64(vt.Now), 0), more...), server.URL + "/wallet/"}
}

func eval[T any](p *phone, expression string) T {
	p.Helper()
	return browsertest.Eval[T](p.Page, expression)
}

func (p *phone) open() { p.Helper(); p.Open(p.url) }

func (p *phone) screen(name string) { p.Helper(); p.Screen(name) }

// back goes back, to the screen of a name.
func (p *phone) back(to string) {
	p.Helper()
	p.Back()
	p.screen(to)
}

// begun starts the wallet for the first time, up to its empty list of cards.
func (p *phone) begun(lang string) {
	p.Helper()
	p.open()
	p.screen("welcome")
	p.Click("lang-" + lang)
	p.screen("whose")
	p.Click("mine")
	p.screen("picture")
	p.Click("pic-fish")
	p.choosePIN(pin)
	p.screen("my-cards")
}

// choosePIN gives a new pocket its PIN.
func (p *phone) choosePIN(pin string) {
	p.Helper()
	p.Wait(`["lock", "new-pin"].includes(document.querySelector("#screen").dataset.screen)`)
	if eval[string](p, `document.querySelector("#screen").dataset.screen`) == "lock" {
		p.Click("by-pin")
	}
	p.screen("new-pin")
	p.Fill("pin", pin)
	p.Fill("pin2", pin)
	p.Click("pin-go")
}

// unlocked types the PIN after a start.
func (p *phone) unlocked(pin string) {
	p.Helper()
	p.screen("open-pin")
	p.Fill("pin", pin)
	p.Click("pin-go")
	p.screen("my-cards")
}

// take opens a link or the text of a card.
func (p *phone) take(text string) {
	p.Helper()
	p.Click("add")
	p.screen("add")
	p.Click("link")
	p.screen("link")
	p.Fill("text", text)
	p.Click("link-go")
}

// paper takes a card from paper under a name.
func (p *phone) paper(text, name string) {
	p.Helper()
	p.take(text)
	p.screen("named")
	p.Fill("name", name)
	p.Click("name-go")
	p.screen("received")
	p.Click("go")
	p.screen("one-card")
}

// left is all that the wallet has on the phone, as text.
func (p *phone) left() string {
	p.Helper()
	return eval[string](p, `(async () => {
		const out = [];
		for (const d of await indexedDB.databases()) {
			const db = await new Promise((done) => { const r = indexedDB.open(d.name); r.onsuccess = () => done(r.result); });
			for (const name of db.objectStoreNames) {
				const all = (ask) => new Promise((done) => { const r = ask(db.transaction(name).objectStore(name)); r.onsuccess = () => done(r.result); });
				const keys = await all((s) => s.getAllKeys()), values = await all((s) => s.getAll());
				keys.forEach((k, i) => out.push(name + " " + JSON.stringify(k) + " " + JSON.stringify(values[i], (_, v) => v instanceof Uint8Array ? new TextDecoder("latin1").decode(v) : v instanceof CryptoKey ? "key" : v)));
			}
			db.close();
		}
		for (const c of await caches.keys()) out.push("cache " + c);
		for (const [k, v] of Object.entries(localStorage)) out.push("local " + k + " " + v);
		for (const [k, v] of Object.entries(sessionStorage)) out.push("session " + k + " " + v);
		for (const r of await navigator.serviceWorker.getRegistrations()) out.push("worker " + r.scope);
		return out.join("\n");
	})()`)
}
