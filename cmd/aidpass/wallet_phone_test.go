package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aidpass/internal/browsertest"
	"aidpass/web/wallet"
)

// A phone takes an offer up in the wallet app that the server itself serves: the right
// code alone gives the card, in one-time copies whose keys no script can take; it is
// there after a reload and shown by a new code each time.
func TestTheWalletAppTakesAnOfferFromTheServer(t *testing.T) {
	if _, err := wallet.Files(); err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	browsertest.Chromium(t)
	l := newLaptop(t)
	l.must("trust", "grant", l.path("list.draft"), "--org", walletBase, "--type", "eligibility", "--programme", "K7Q2")
	l.must("trust", "sign", l.path("list.draft"), "--key", l.path("anchor.key"), "--out", l.path("granted.list"))
	if err := os.RemoveAll(l.path("data/site-ca")); err != nil { // it speaks for other names
		t.Fatal(err)
	}
	l.must("site-ca", "init", "--host", "relief-a.example")
	people, err := os.ReadFile("testdata/offer.txtar")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(people), "-- people.csv --\n")
	table, _, _ = strings.Cut(table, "\n-- ")
	if err := os.WriteFile(l.path("people.csv"), []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	l.must("registry", "import", l.path("people.csv"))
	l.must("programme", "add", "K7Q2", "--name", "Winter cash", "--modality", "cash", "--counts", "person", "--currency", "KES")
	l.must("programme", "round", "K7Q2", "1", "--opens", "2026-11-01", "--closes", "2026-12-01", "--site", "wellA")
	l.must("entitle", "--programme", "K7Q2", "--round", "1", "--amount", "20.00")
	s, _, stop := l.serveWallets()
	defer stop()
	var made struct {
		Link string
		Tx   string `json:"tx_code"`
	}
	out := l.must("offer", "create", "--external", "1", "--type", "eligibility", "--programme", "K7Q2", "--round", "1", "--base-url", walletBase, "--json")
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		t.Fatal(err)
	}

	p := browsertest.New(t, scriptClock(), chromedp.Flag("ignore-certificate-errors", true),
		chromedp.Flag("host-resolver-rules", "MAP relief-a.example "+s.listeners[0].Addr().String()))
	const app = "https://relief-a.example/wallet/"
	screen := func(name string) {
		t.Helper()
		p.Wait(fmt.Sprintf(`document.querySelector("#screen").dataset.screen === %q`, name))
	}
	p.Open(app)
	p.Click("lang-en")
	p.Click("mine")
	p.Click("pic-sun")
	p.Wait(`document.querySelector("#by-pin, #pin")`)
	if browsertest.Eval[bool](p, `!!document.getElementById("by-pin")`) {
		p.Click("by-pin")
	}
	p.Fill("pin", "402917")
	p.Fill("pin2", "402917")
	p.Click("pin-go")
	screen("my-cards")
	p.Click("add")
	p.Click("link")
	p.Fill("text", made.Link)
	p.Click("link-go")
	p.Wait(`["offered"].includes(document.querySelector("#screen").dataset.screen) || document.querySelector("#toast").dataset.reason`)
	if why := browsertest.Eval[string](p, `document.querySelector("#toast").dataset.reason ?? ""`); why != "" {
		t.Fatalf("the offer was not taken: %s", why)
	}
	p.Shoot("en-wallet-offered-by-the-server")
	wrong := []byte(made.Tx)
	wrong[0] = '0' + (wrong[0]-'0'+1)%10
	p.Fill("code", string(wrong))
	p.Click("yes")
	p.Wait(`document.querySelector("#code ~ *, .wrong") && document.querySelector(".wrong")?.innerText.includes("not right")`)
	p.Fill("code", made.Tx)
	p.Click("yes")
	screen("received")
	p.Click("go")
	screen("one-card")
	if got := p.Text(".facts"); !strings.Contains(got, "K7Q2") {
		t.Errorf("the card says %q", got)
	}

	// No key can be exported.
	if got := browsertest.Eval[string](p, `(async () => {
		const db = await new Promise((done) => { const r = indexedDB.open("aidpass-wallet"); r.onsuccess = () => done(r.result); });
		const keys = await new Promise((done) => { const r = db.transaction("keys").objectStore("keys").getAll(); r.onsuccess = () => done(r.result); });
		db.close();
		const tries = await Promise.all(keys.map((k) => crypto.subtle.exportKey("pkcs8", k).then(() => "exported", (e) => e.name)));
		return keys.length + " " + [...new Set(tries)].join();
	})()`); strings.HasPrefix(got, "0 ") || !strings.HasSuffix(got, " InvalidAccessError") {
		t.Errorf("the keys of the cards: %q", got)
	}

	p.Open(app)
	p.Fill("pin", "402917")
	p.Click("pin-go")
	screen("my-cards")
	live := browsertest.Eval[string](p, `[...document.querySelectorAll("button.pass")].map((c) => c.id).join(" ")`)
	for id := range strings.FieldsSeq(live) {
		p.Click(id)
		screen("one-card")
		p.Shoot("en-wallet-card-from-the-server")
		if browsertest.Eval[bool](p, `!!document.getElementById("desk")`) {
			p.Click("show")
			p.Wait(`document.querySelector("canvas.qr")?.dataset.text`)
			if side := browsertest.Eval[float64](p, `(() => { const c = document.querySelector("canvas.qr"); return c.getBoundingClientRect().width / Number(c.dataset.modules) })()`); side < 4 {
				t.Errorf("a module of the live code is %.2f px wide", side)
			}
			p.Shoot("en-wallet-live-from-the-server")
			return
		}
	}
	t.Errorf("no card of %q can be shown live: %q", live, p.Text("#screen"))
}
