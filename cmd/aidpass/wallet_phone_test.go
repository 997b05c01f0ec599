package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cachestorage"
	"github.com/chromedp/cdproto/domstorage"
	"github.com/chromedp/cdproto/indexeddb"
	"github.com/chromedp/chromedp"

	"aidpass/internal/browsertest"
	"aidpass/internal/patience"
	"aidpass/web/wallet"
)

const (
	walletApp = "https://relief-a.example/wallet/"
	walletPIN = "402917"
)

// walletPhone is the wallet app in a real browser, at a server that is a process of its own.
type walletPhone struct {
	*browsertest.Page
	l       *laptop
	address string // of the server, host and port
	stop    func()
}

func newWalletPhone(t *testing.T) *walletPhone {
	t.Helper()
	if _, err := wallet.Files(); err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	browsertest.Chromium(t)
	p := &walletPhone{l: withEntitled(t)}
	p.serve("127.0.0.1:0")
	p.Page = browsertest.New(t, scriptClock(), p.flags()...)
	return p
}

// flags lead the browser to the server by its name. It has not heard of the site's authority.
func (p *walletPhone) flags() []chromedp.ExecAllocatorOption {
	return []chromedp.ExecAllocatorOption{chromedp.Flag("ignore-certificate-errors", true),
		chromedp.Flag("host-resolver-rules", "MAP relief-a.example "+p.address)}
}

// serve starts the server at an address.
func (p *walletPhone) serve(listen string) {
	t, l := p.l.t, p.l
	t.Helper()
	os.Remove(l.path("data/serve.address"))
	c := exec.Command("aidpass", "serve", "--trust", l.path("granted.list"), "--listen", listen, "--http", "", "--base-url", walletBase,
		"--programme", "K7Q2=1@2026-11-01..2026-12-01", "--data", l.path("data"), "--passphrase-file", l.path("pass"))
	c.Stderr = &l.stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	p.stop = sync.OnceFunc(func() {
		_ = c.Process.Signal(os.Interrupt)
		_ = c.Wait() // how it ends is for others to try
	})
	t.Cleanup(p.stop)
	var b []byte
	if !patience.For(func() bool {
		var err error
		b, err = os.ReadFile(l.path("data/serve.address"))
		return err == nil
	}) {
		t.Fatalf("no server: %s", l.stderr.String())
	}
	first, _, _ := strings.Cut(string(b), "\n")
	p.address = "127.0.0.1" + first[strings.LastIndexByte(first, ':'):]
}

func (p *walletPhone) screen(name string) {
	p.Helper()
	p.Wait(fmt.Sprintf(`document.querySelector("#screen").dataset.screen === %q`, name))
}

func (p *walletPhone) back(to string) {
	p.Helper()
	p.Push(".back")
	p.screen(to)
}

// begun is the first start, up to where the PIN was chosen.
func (p *walletPhone) begun(address string) {
	p.Helper()
	p.Open(address)
	p.Click("lang-en")
	p.Click("mine")
	p.Click("pic-sun")
	p.Wait(`document.querySelector("#by-pin, #pin")`)
	if browsertest.Eval[bool](p.Page, `!!document.getElementById("by-pin")`) {
		p.Click("by-pin")
	}
	p.Fill("pin", walletPIN)
	p.Fill("pin2", walletPIN)
	p.Click("pin-go")
}

// open starts the app again and types the PIN.
func (p *walletPhone) open(address string) {
	p.Helper()
	p.Open(address)
	p.screen("open-pin")
	p.Fill("pin", walletPIN)
	p.Click("pin-go")
}

// offered makes an offer, and gives its link as it is and as the app's own, and its code.
func (p *walletPhone) offered(flags ...string) (id, link, own, code string) {
	p.Helper()
	var made struct {
		Offer, Link string
		Tx          string `json:"tx_code"`
	}
	out := p.l.must(append([]string{"offer", "create", "--type", "eligibility", "--programme", "K7Q2", "--round", "1", "--base-url", walletBase, "--json"}, flags...)...)
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		p.Fatal(err)
	}
	_, query, _ := strings.Cut(made.Link, "?")
	return made.Offer, made.Link, walletApp + "?" + query, made.Tx
}

// taken takes the offer that is on the screen.
func (p *walletPhone) taken(code string) {
	p.Helper()
	p.screen("offered")
	p.Fill("code", code)
	p.Click("yes")
	p.screen("received")
	p.Click("go")
	p.screen("one-card")
}

// asked is a request, and what came of it.
type asked struct{ ID, Link, Result string }

func (p *walletPhone) ask(flags ...string) (made asked) {
	p.Helper()
	out := p.l.must(append([]string{"request", "create", "--purpose", "To hand out food", "--base-url", walletBase, "--json"}, flags...)...)
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		p.Fatal(err)
	}
	return made
}

// told is what who asked now has: the state, and the claims or the reason.
func (p *walletPhone) told(a asked) string {
	p.Helper()
	var got struct {
		State   string
		Outcome *struct {
			Reason      string
			Credentials []struct{ Claims json.RawMessage }
		}
	}
	if err := json.Unmarshal([]byte(p.l.must("request", "show", a.ID, "--json")), &got); err != nil {
		p.Fatal(err)
	}
	if got.Outcome == nil {
		return got.State
	}
	text := got.State + " " + got.Outcome.Reason
	for _, c := range got.Outcome.Credentials {
		text += " " + string(c.Claims)
	}
	return text
}

// A phone takes an offer up in the wallet app that the server itself serves, led there
// by a link, and answers those who ask: of her card exactly what she agrees to comes to
// them, and a no says nothing. What was done stands in the log. A wipe leaves nothing
// of it, and the back-up brings back what can be.
func TestTheWalletAppAndItsServer(t *testing.T) {
	t.Parallel()
	p := newWalletPhone(t)
	_, _, own, code := p.offered("--external", "1", "--claim", "size_band=4-5")
	p.begun(own)
	p.screen("offered")
	if got := browsertest.Eval[string](p.Page, "location.href"); got != walletApp {
		t.Errorf("the secret of the offer stays in the address: %s", got)
	}
	p.Shoot("en-wallet-offered-by-the-server")
	wrong := []byte(code)
	wrong[0] = '0' + (wrong[0]-'0'+1)%10
	p.Fill("code", string(wrong))
	p.Click("yes")
	p.Wait(`document.querySelector(".wrong")?.innerText.includes("not right")`)
	p.taken(code)
	if got := p.Text(".facts"); !strings.Contains(got, "K7Q2") {
		t.Errorf("the card says %q", got)
	}

	// No key can be exported.
	if got := browsertest.Eval[string](p.Page, `(async () => {
		const db = await new Promise((done) => { const r = indexedDB.open("aidpass-wallet"); r.onsuccess = () => done(r.result); });
		const keys = await new Promise((done) => { const r = db.transaction("keys").objectStore("keys").getAll(); r.onsuccess = () => done(r.result); });
		db.close();
		const tries = await Promise.all(keys.flatMap((k) => ["pkcs8", "jwk"].map((f) => crypto.subtle.exportKey(f, k).then(() => "exported", (e) => e.name))));
		return keys.length + " " + [...new Set(tries)].join();
	})()`); strings.HasPrefix(got, "0 ") || !strings.HasSuffix(got, " InvalidAccessError") {
		t.Errorf("the keys of the cards: %q", got)
	}

	// On the same phone, in the clear: more, and then less again.
	same := p.ask("--type", "eligibility", "--claim", "programme", "--optional", "size_band", "--same-device", "--in-the-clear", "--wallet", walletApp)
	p.open(same.Link)
	p.screen("ask")
	least := p.Text(".facts")
	p.Click("way-eligibility-0")
	if more := p.Text(".facts"); len(more) <= len(least) {
		t.Errorf("with more to tell the screen says %q, with less %q", more, least)
	}
	p.Click("way-eligibility-1")
	p.Shoot("en-wallet-asked-by-the-server")
	p.Click("yes")
	p.screen("told")
	if got := browsertest.Eval[string](p.Page, `document.getElementById("redirect").href`); !strings.HasPrefix(got, same.Result) {
		t.Errorf("back to %q, not to %q", got, same.Result)
	}
	if got, want := p.told(same), `shown ok {"programme":"K7Q2"}`; got != want {
		t.Errorf("they have %s, want %s", got, want)
	}
	p.Click("go")

	// On the screen of another, sealed: all of it.
	scan := func(a asked) {
		p.screen("my-cards")
		p.Click("add")
		p.Click("scan")
		p.See(a.Link, 0)
		p.screen("ask")
		p.See("", 0)
	}
	cross := p.ask("--type", "eligibility", "--claim", "programme", "--optional", "size_band")
	scan(cross)
	p.Click("way-eligibility-0")
	p.Click("yes")
	p.screen("told")
	if got := p.told(cross); !strings.HasPrefix(got, `shown ok {"programme":"K7Q2","size_band":`) || strings.Contains(got, "round") {
		t.Errorf("they have %s", got)
	}
	p.Click("go")

	// No, with a card and without one: who asks cannot tell which.
	for _, kind := range []string{"eligibility", "registration"} {
		no := p.ask("--type", kind)
		scan(no)
		if has := browsertest.Eval[bool](p.Page, `!!document.getElementById("yes")`); has != (kind == "eligibility") {
			t.Errorf("%s: can be shared: %v", kind, has)
		}
		p.Click("no")
		p.screen("refused")
		if got := p.told(no); got != "denied access_denied" {
			t.Errorf("%s: they have %s", kind, got)
		}
		p.Click("go")
	}
	p.screen("my-cards")
	p.Click("history")
	p.screen("history")
	if got := browsertest.Eval[[]string](p.Page, `[...document.querySelectorAll(".log .what")].map((e) => /You \w+( \w+)?|The card came/.exec(e.innerText)[0] + (e.innerText.includes("To hand out food") ? " for food" : ""))`); strings.Join(got, ", ") !=
		"You said no for food, You said no for food, You shared for food, You shared for food, The card came" {
		t.Errorf("the log tells %q", got)
	}
	p.back("my-cards")

	p.Click("backup")
	p.Click("make")
	p.screen("backup-words")
	words := strings.Join(strings.Fields(p.Text("#words")), " ")
	p.Click("written")
	p.screen("backup-file")
	file := p.Download("save")
	p.back("backup")
	p.back("my-cards")
	p.Click("settings")
	p.Click("wipe")
	p.Click("yes")
	p.screen("wiped")
	if left := p.kept(); left != "" {
		t.Errorf("the browser still keeps %s", left)
	}
	p.begun(walletApp)
	p.screen("my-cards")
	p.Click("add")
	p.Click("file-open")
	p.Upload("#file", "wallet.aidwallet", file)
	p.screen("restore")
	p.Fill("words", words)
	p.Click("restore-go")
	p.Wait(`document.querySelector(".pass")?.innerText.includes("To read only")`)
}

// kept is what the browser itself says that it keeps for the app; "" is nothing.
func (p *walletPhone) kept() string {
	p.Helper()
	const origin = "https://relief-a.example"
	var left []string
	bases, err := chromedp.Call(p.Ctx, indexeddb.RequestDatabaseNames, indexeddb.RequestDatabaseNamesParams{SecurityOrigin: origin})
	if err != nil {
		p.Fatal(err)
	}
	left = append(left, bases.DatabaseNames...)
	caches, err := chromedp.Call(p.Ctx, cachestorage.RequestCacheNames, cachestorage.RequestCacheNamesParams{SecurityOrigin: origin})
	if err != nil {
		p.Fatal(err)
	}
	for _, c := range caches.Caches {
		left = append(left, c.CacheName)
	}
	for _, local := range []bool{true, false} {
		items, err := chromedp.Call(p.Ctx, domstorage.GetDOMStorageItems, domstorage.GetDOMStorageItemsParams{StorageID: &domstorage.StorageID{SecurityOrigin: origin, IsLocalStorage: local}})
		if err != nil {
			p.Fatal(err)
		}
		for _, item := range items.Entries {
			left = append(left, strings.Join(item, "="))
		}
	}
	left = append(left, browsertest.Eval[[]string](p.Page, `navigator.serviceWorker.getRegistrations().then((all) => all.map((r) => r.scope))`)...)
	return strings.Join(left, ", ")
}

// How a card stands: not known for long without a network, then put on hold, then
// cancelled. Without the server the app opens and shows live codes.
func TestTheWalletAppSeesHowItsCardsStand(t *testing.T) {
	t.Parallel()
	p := newWalletPhone(t)
	_, _, own, code := p.offered("--external", "1", "--form", "bound")
	p.begun(own)
	p.taken(code)
	stands := func(words string) {
		t.Helper()
		p.Wait(fmt.Sprintf(`document.querySelector(".pass .standing")?.innerText.includes(%q)`, words))
	}
	p.stop()
	browsertest.Eval[bool](p.Page, `(sessionStorage.setItem("shift", 8 * 86400), true)`)
	p.open(walletApp)
	p.screen("my-cards")
	stands("Could not check since")
	stands("November 21, 2026")
	p.Shoot("en-wallet-unchecked")
	p.Push("button.pass")
	p.screen("one-card")
	if got := p.Text(".body"); !strings.Contains(got, "the desk decides") {
		t.Errorf("a card that was not checked says %q", got)
	}
	p.Click("show")
	p.Wait(`document.querySelector("canvas.qr")?.dataset.text`)
	if side := browsertest.Eval[float64](p.Page, `(() => { const c = document.querySelector("canvas.qr"); return c.getBoundingClientRect().width / Number(c.dataset.modules) })()`); side < 4 {
		t.Errorf("a module of the live code is %.2f px wide", side)
	}
	p.Shoot("en-wallet-live-from-the-server")

	browsertest.Eval[bool](p.Page, `(sessionStorage.clear(), true)`)
	for _, then := range []struct{ act, words string }{{"suspend", "Put on hold by Relief A"}, {"revoke", "Cancelled by Relief A"}} {
		p.l.must(then.act, "--unit", "1", "--kind", "person", "--all")
		p.l.must("status", "publish")
		p.stop()
		p.serve(p.address) // which shows at once what is new
		p.open(walletApp)
		stands(then.words)
	}
	p.Push("button.pass")
	p.screen("one-card")
	if got := p.Text(".body"); !strings.Contains(got, "help desk") {
		t.Errorf("a card that was cancelled says %q", got)
	}
	p.Shoot("en-wallet-cancelled")
}

// The phone dies while a card is on its way: what the server made out is taken up
// where it was left. An offer that is over is not gone on with for ever.
func TestTheWalletAppGoesOnWithAHalfTakenOffer(t *testing.T) {
	t.Parallel()
	p := newWalletPhone(t)
	// The answer with the card is lost on its way, and nothing more comes.
	lost := `{ const real = fetch; globalThis.fetch = async (url, o) => {
		const a = await real(url, o);
		if (String(url).endsWith("/credential") && o.method === "POST") { document.documentElement.dataset.lost = "1"; await new Promise(() => {}); }
		return a;
	}; }`
	half := func(own, code string, open func(string)) {
		t.Helper()
		p.OnLoad(lost)
		open(own)
		p.screen("offered")
		p.Fill("code", code)
		p.Click("yes")
		p.Wait(`document.documentElement.dataset.lost`)
		p.Kill()
		p.Start(p.flags()...)
		p.open(walletApp)
		p.screen("my-cards")
		p.Wait(`document.getElementById("half")`)
	}
	id, _, own, code := p.offered("--external", "1")
	half(own, code, p.begun)
	p.Shoot("en-wallet-half")
	p.Click("half")
	p.screen("received")
	p.Click("go")
	p.screen("one-card")
	if got := p.l.must("offer", "show", id); !strings.Contains(got, "redeemed") || !strings.Contains(got, "eligibility_card: 1 credential ") {
		t.Errorf("the office has %q", got)
	}
	p.back("my-cards")
	if browsertest.Eval[bool](p.Page, `!!document.getElementById("half")`) {
		t.Error("what came is still on its way")
	}

	id, _, own, code = p.offered("--external", "2")
	half(own, code, p.open)
	p.l.must("offer", "withdraw", id, "--reason", "mistake")
	p.Click("half")
	p.Wait(`document.querySelector("#toast").dataset.reason`)
	p.screen("my-cards")
	if browsertest.Eval[bool](p.Page, `!!document.getElementById("half")`) {
		t.Errorf("what was withdrawn is still on its way: %q", p.Text("#toast"))
	}
}

// By Tab, Enter, the space bar and Escape alone a card is taken, shared and backed up.
func TestTheWalletAppByKeyboard(t *testing.T) {
	t.Parallel()
	p := newWalletPhone(t)
	press := func(key, id string) { t.Helper(); p.TabTo(id); p.Press(key) }
	follow := func(link string) {
		t.Helper()
		p.screen("my-cards")
		p.Enter("add")
		press(" ", "link")
		p.screen("link")
		p.Write("text", link)
		p.Press("Enter")
	}
	p.Open(walletApp)
	p.Enter("lang-en")
	press(" ", "mine")
	p.Enter("pic-sun")
	p.Wait(`document.querySelector("#by-pin, #pin")`)
	if browsertest.Eval[bool](p.Page, `!!document.getElementById("by-pin")`) {
		p.Enter("by-pin")
	}
	p.screen("new-pin")
	p.Write("pin", walletPIN)
	p.Write("pin2", walletPIN)
	p.Press("Enter")
	_, link, _, code := p.offered("--external", "1")
	follow(link)
	p.screen("offered")
	p.Write("code", code)
	p.Press("Enter")
	p.screen("received")
	p.Enter("go")
	p.screen("one-card")
	p.Enter("show")
	p.screen("show")
	p.Press("Escape")
	p.screen("one-card")
	p.Press("Escape")

	yes, no := p.ask("--type", "eligibility", "--claim", "programme"), p.ask("--type", "eligibility", "--claim", "programme")
	follow(yes.Link)
	p.screen("ask")
	press(" ", "yes")
	p.screen("told")
	p.Enter("go")
	follow(no.Link)
	p.screen("ask")
	p.Press("Escape")
	p.screen("refused")
	p.Enter("go")
	if got := p.told(yes) + ", " + p.told(no); got != `shown ok {"programme":"K7Q2"}, denied access_denied` {
		t.Errorf("they have %s", got)
	}

	p.screen("my-cards")
	p.Enter("backup")
	press(" ", "make")
	p.screen("backup-words")
	p.Enter("written")
	p.screen("backup-file")
	p.Enter("save")
	p.Wait(`document.getElementById("toast").innerText`)
	p.Press("Escape")
	p.screen("backup")
	p.Press("Escape")
	p.screen("my-cards")
}

// Where the issuer's keys cannot be fetched the card is kept, and says that nobody has
// proved it; the next start proves it. New copies take the place of the old, with their keys.
func TestTheWalletAppProvesLaterAndRenews(t *testing.T) {
	t.Parallel()
	p := newWalletPhone(t)
	_, _, own, code := p.offered("--external", "1")
	there := p.OnLoad(`{ const real = fetch; globalThis.fetch = (url, o) => String(url).includes("jwt-vc-issuer") ? Promise.reject(new TypeError("no way there")) : real(url, o); }`)
	p.begun(own)
	p.taken(code)
	if got := p.Text(".body"); !strings.Contains(got, "Not proved yet") || strings.Contains(got, "K7Q2") || !strings.Contains(got, "could not ask relief-a.example") {
		t.Errorf("not proved: %q", got)
	}
	p.Shoot("en-wallet-unproved")
	there()
	card := func(want string) {
		t.Helper()
		p.Wait(fmt.Sprintf(`document.querySelector(".pass .standing")?.innerText.includes(%q)`, want))
		p.Push("button.pass")
		p.screen("one-card")
		if got := p.Text(".body"); !strings.Contains(got, "A key of relief-a.example proves this card") || !strings.Contains(got, "K7Q2") {
			t.Errorf("the card says %q", got)
		}
	}
	p.open(walletApp)
	card("Ready")
	keys := func() string {
		return browsertest.Eval[string](p.Page, `(async () => {
			const db = await new Promise((done) => { const r = indexedDB.open("aidpass-wallet"); r.onsuccess = () => done(r.result); });
			const keys = await new Promise((done) => { const r = db.transaction("keys").objectStore("keys").getAllKeys(); r.onsuccess = () => done(r.result); });
			db.close();
			return keys.map(String).sort().join(" ");
		})()`)
	}
	before := keys()
	_, _, own, code = p.offered("--external", "1", "--replace", "--reason", "phone_lost", "--second-person", "acc-lead")
	p.open(own)
	p.taken(code)
	p.back("my-cards")
	if n := browsertest.Eval[int](p.Page, `document.querySelectorAll("button.pass").length`); n != 1 {
		t.Errorf("%d cards after new copies came", n)
	}
	card("Ready")
	after := keys()
	if was, is := strings.Fields(before), strings.Fields(after); len(was) == 0 || len(was) != len(is) || was[0] == is[0] {
		t.Errorf("keys before %q, after %q", before, after)
	}
}
