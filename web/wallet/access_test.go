package wallet_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"aidpass/internal/browsertest"
	vt "aidpass/verifier/verifiertest"
)

// tour walks over every screen of the wallet in one language and looks at each.
type tour struct {
	*phone
	lang string
	seen map[string]bool
}

// look waits for a screen and tries all that must hold on any: axe, in common and in
// forced colours, nothing cut off or too small for a thumb in any form.
func (c *tour) look(name string, more ...string) {
	c.Helper()
	c.screen(name)
	c.seen[name] = true
	where := strings.Join(append([]string{c.lang, name}, more...), " ")
	c.Look(where, c.lang == "en")
	if name != "installing" && name != "away" { // the one is soon gone, the other keeps still
		c.aloud(where)
	}
	c.Shoot(strings.ReplaceAll(strings.Join(append([]string{c.lang, "wallet", name}, more...), "-"), " ", "-"))
}

func TestEveryScreenIsOpenToEverybody(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "ar"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			var keeping sync.RWMutex
			server := serveKept(t, nil, &keeping)
			c := &tour{phone: newPhone(t, server), lang: lang, seen: map[string]bool{}}
			c.withFinger()
			c.walk(&keeping)
			for _, name := range browsertest.Screens(t, "page(ui, ", "ui.show(") {
				if !c.seen[name] {
					t.Errorf("the screen %q is never looked at: give it a stop on the tour", name)
				}
			}
			if n := server.Refused.Load(); n != 0 {
				t.Errorf("the policy refused %d things", n)
			}
		})
	}
}

// canned makes the core say what only a network could bring, op by op.
const canned = `{
	const real = Worker;
	globalThis.says = {};
	globalThis.Worker = class extends real {
		trapped = new Map();
		postMessage(m, moved) {
			if (m.op && globalThis.says[m.op]) this.trapped.set(m.id, globalThis.says[m.op].length > 1 ? globalThis.says[m.op].shift() : globalThis.says[m.op][0]);
			super.postMessage(m, moved ?? []);
		}
		get onmessage() { return super.onmessage; }
		set onmessage(f) { super.onmessage = (e) => f(this.trapped.has(e.data.id) ? { data: { id: e.data.id, reply: this.trapped.get(e.data.id) } } : e); }
	};
}`

func (c *tour) says(script string) {
	c.Helper()
	eval[bool](c.phone, fmt.Sprintf("(Object.assign(globalThis.says, %s), true)", script))
}

// recorder takes down what is said in place of the phone's voice.
const recorder = `{
	globalThis.heard = [];
	globalThis.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
	Object.defineProperty(globalThis, "speechSynthesis", { value: { cancel() {}, speak(u) { heard.push(u.lang + " " + u.text); queueMicrotask(() => u.onend()); } } });
}`

// deaf finds what cannot be heard: sentences whose own button does not say them, and
// words that are left out when the screen is read.
const deaf = `(async () => {
	const plain = (s) => s.replace(/[\u2066-\u2069]/g, "").replace(/\s+/g, " ").trim();
	const lang = document.documentElement.lang, faults = [];
	for (const s of document.querySelectorAll("#screen .said")) {
		heard.length = 0;
		if (s.offsetParent) s.querySelector(".ear").click();
		if (s.offsetParent && plain(heard.join()) !== lang + " " + plain(s.querySelector("p").innerText)) faults.push("the button of " + s.innerText + " says " + heard.join());
	}
	heard.length = 0;
	const whole = document.getElementById("aloud");
	if (!whole) return ["nothing reads the screen"];
	whole.click();
	for (let n = -1; n !== heard.length;) { n = heard.length; await new Promise((done) => setTimeout(done)); }
	const all = plain(heard.join(" "));
	for (const e of document.querySelectorAll("#screen :is(h1, h2, p, dt, dd, legend, label, button:not(.back, .ear), a)")) {
		if (e.offsetParent && !e.closest("[aria-hidden=true]") && plain(e.innerText) && !all.includes(plain(e.innerText))) faults.push("not read: " + e.innerText);
	}
	return faults;
})()`

// aloud listens to the screen.
func (c *tour) aloud(where string) {
	c.Helper()
	for _, fault := range eval[[]string](c.phone, deaf) {
		c.Errorf("%s: aloud: %s", where, fault)
	}
}

func (c *tour) walk(keeping *sync.RWMutex) {
	p := c.phone
	p.OnLoad(canned)
	p.OnLoad(recorder)
	p.OnLoad(fmt.Sprintf(`Object.defineProperty(navigator, "language", { value: %q })`, c.lang))
	keeping.Lock()
	p.Go(p.url)
	c.look("installing")
	keeping.Unlock()
	p.Wait(`document.documentElement.dataset.ready && document.querySelector("#title")`)
	c.look("welcome")
	p.Click("lang-" + c.lang)
	c.look("whose")
	p.Click("shared")
	c.look("picture")
	p.Click("pic-fish")
	c.look("lock")
	p.Click("by-pin")
	c.look("new-pin")
	p.choosePIN(pin)
	c.look("my-cards", "none")
	p.Click("add")
	c.look("add")
	p.Click("scan")
	p.Wait(`document.querySelector("video")?.videoWidth`)
	c.look("scan")
	p.back("add")
	p.Click("link")
	c.look("link")
	p.Fill("text", world.Text(vt.CardOptions{}))
	p.Click("link-go")
	c.look("named")
	p.Fill("name", "Maize and oil")
	p.Click("name-go")
	c.look("received")
	p.Click("go")
	c.look("one-card", "paper")
	p.Click("show")
	p.Wait(`document.querySelector("canvas.qr")?.dataset.text`)
	c.look("show")
	p.back("one-card")
	p.Click("lend")
	c.look("lend")
	p.Click("no")
	p.screen("one-card")
	p.Click("remove")
	c.look("remove")
	p.Click("no")
	p.screen("one-card")
	p.back("my-cards")
	c.look("my-cards")
	c.protocols()

	p.Click("history")
	c.look("history")
	p.back("my-cards")
	p.Click("backup")
	c.look("backup")
	p.Click("make")
	c.look("backup-words")
	p.Click("written")
	c.look("backup-file")
	file := p.Download("save")
	p.back("backup")
	p.Click("restore")
	p.Upload("#file", "wallet.aidwallet", file)
	c.look("restore")
	p.back("backup")
	p.back("my-cards")
	p.Click("settings")
	c.look("settings")
	p.Click("change")
	c.look("old-pin")
	p.Fill("pin", pin)
	p.Click("pin-go")
	c.look("change")
	p.Click("finger")
	p.screen("settings")
	p.Click("close")
	p.Click("pocket-fish")
	c.look("open-finger")
	p.Click("finger-go")
	p.screen("my-cards")
	p.Click("settings")
	p.Click("change")
	p.choosePIN(pin)
	p.screen("settings")
	p.Click("close")
	c.look("pockets")
	p.Click("pocket-fish")
	c.look("open-pin")
	p.Fill("pin", pin)
	p.Click("pin-go")
	p.screen("my-cards")
	p.Click("hide")
	c.look("away")
	p.Click("unhide")
	p.Click("pocket-fish")
	p.Fill("pin", pin)
	p.Click("pin-go")
	p.screen("my-cards")
	c.stops()
	p.screen("my-cards")
	p.Click("settings")
	p.Click("wipe")
	c.look("wipe")
	p.Click("yes")
	c.look("wiped")
}

// protocols looks at the screens of offers, requests and desks.
func (c *tour) protocols() {
	p := c.phone
	card := `{ id: "c1", issuer: "did:web:relief-a.example", source: "https://relief-a.example/i1", type: "eligibility", known: "server", name: "Winter cash", issuer_name: "Relief A", picture: "cash", colour: "", state: "%s", state_at: 1796000000, held_for: "", live: true, paper: false, copies: 8, left: 2, fetch: true, handles: [] }`
	one := fmt.Sprintf(card, "ready")
	var all []string
	for i, state := range []string{"ready", "ends_on", "not_yet", "ended", "cancelled", "suspended", "unchecked", "view_only", "unproved"} {
		all = append(all, strings.Replace(fmt.Sprintf(card, state), `"c1"`, fmt.Sprintf(`"c%d"`, i+1), 1))
	}
	c.says(`{ cards: [{ ok: true, cards: [` + strings.Join(all, ", ") + `] }], card: [{ ok: true, card: ` + one + `, claims: [{ name: "given_name", label: "Given name", value: "Amina" }, { name: "amount", label: "Amount", value: "20.00" },
		{ name: "programme", label: "programme", value: "K7Q2" }, { name: "collector_rule", label: "collector_rule", value: "holder_or_alternate" }] }] }`)
	p.Click("settings")
	p.screen("settings")
	p.back("my-cards")
	c.look("my-cards", "states")
	p.Click("card-c1")
	c.look("one-card", "live")
	c.plain()
	p.Click("renew")
	c.look("renew")
	p.back("one-card")
	p.Click("lend")
	c.look("wish")
	p.Click("no")
	p.screen("one-card")
	eval[string](p, `(globalThis.says.card[0].card.live = false, globalThis.says.card[0].wish = { to: "Zawadi", at: 1795219200, ends: false }, globalThis.says.card[0].card.type = "delegation")`)
	p.back("my-cards")
	p.Click("card-c1")
	c.look("one-card", "wish")
	if got := eval[int](p, `document.querySelectorAll("#wish-again, #wish-back").length`); got != 2 {
		c.Errorf("%d things can be done about a wish", got)
	}
	if eval[bool](p, `!!document.getElementById("lend")`) {
		c.Error("what is made out to somebody can be handed on")
	}
	eval[string](p, `(globalThis.says.card[0].card.type = "eligibility")`)
	p.back("my-cards")
	p.Click("card-c1")
	p.screen("one-card")
	p.Click("lend")
	c.look("lend-desk")
	p.back("one-card")
	eval[bool](p, `(globalThis.says.card[0].card.live = true)`)
	p.back("my-cards")
	p.Click("card-c1")
	p.screen("one-card")
	c.says(`{ challenge: [{ ok: true, organisation: "Relief B", site: "KAK-3" }] }`)
	p.See("A CHALLENGE", 0)
	p.Click("desk")
	c.look("desk")
	p.See("", 0)
	p.Click("no")
	p.screen("one-card")
	p.back("my-cards")
	c.says(`{ kind: [{ ok: true, kind: "offer" }], offer: [{ ok: true }], offer_next: [{ ok: true, do: "wait", until: 2e9 }, { ok: true, do: "ask", issuer: "https://relief-a.example/i1", issuer_name: "Relief A", again: true, cannot: ["x"],
		can: [{ id: "a", name: "Winter cash", picture: "cash" }], code: { numeric: true, length: 6, description: "In the letter" } }] }`)
	p.take("an offer")
	c.look("working")
	p.Click("stop")
	p.screen("my-cards")
	p.take("an offer")
	c.look("offered")
	p.Click("no")
	p.screen("my-cards")
	c.says(`{ offer_state: [{ ok: true, state: new Uint8Array(1) }], offer_next: [{ ok: true, do: "ask", issuer: "https://relief-a.example/i1", issuer_name: "Relief A", again: false, cannot: [], can: [{ id: "a", name: "Winter cash", picture: "cash" }],
		code: { numeric: true, length: 6, description: "" }, sign_in: true, must_sign_in: false }, { ok: true, do: "visit", url: "https://relief-a.example/i1/authorize?state=x" }], offer_agree: [{ ok: true }] }`)
	p.take("an offer")
	c.look("offered", "sign-in")
	p.Click("sign-in")
	c.look("sign-in")
	p.Click("no")
	p.screen("my-cards")
	ask := func(how string) {
		c.says(`{ kind: [{ ok: true, kind: "request" }], ask: [{ ok: true }], ask_answer: [{ ok: true }], ask_refuse: [{ ok: true }], ask_next: [{ ok: true, do: "consent", who: { client_id: "decentralized_identifier:did:web:relief-b.example", how: "` + how + `", name: "relief-b.example", calls: "Relief B" },
			purpose: "To hand out seeds", purpose_lang: "en", to: "relief-b.example", sealed: true }, { ok: true, do: "done", redirect: "https://relief-b.example/done" }],
			ask_choices: [{ ok: true, possible: true, sets: null, least: [{ want: "w", card: "c1", form: 2, way: 1 }],
				wants: [{ id: "w", required: true, options: [{ card: "c1", form: 2, always: [], again: true, left: 0, ways: [{ claims: ["given_name", "amount"] }, { claims: ["amount"] }] }] },
					{ id: "v", required: false, options: [{ card: "c2", form: 2, always: [], again: false, left: 0, ways: [{ claims: ["given_name"] }] }] },
					{ id: "u", required: false, options: [{ card: "c1", form: 3, always: [], again: false, left: 0, ways: [{ claims: ["given_name"] }] }] }] }] }`)
		p.take("a request")
		c.look("ask", how)
	}
	ask("address")
	if !eval[bool](p, `document.getElementById("more-v") && !document.getElementById("more-u")`) {
		c.Error("another card can be shown as well, and none that is shown already in another form")
	}
	if got := p.Text("#screen"); strings.Contains(got, "did:web") || c.lang == "ar" && !strings.Contains(got, "الإنجليزية") {
		c.Errorf("who asks, and in which language: %q", got)
	}
	if got := p.Text(".lead"); strings.Contains(got, "Relief B") || !strings.Contains(got, "relief-b.example") {
		c.Errorf("nobody proved who asks, and it is said that this is %q", got)
	}
	if whole := eval[bool](p, `(() => {
		const lead = document.querySelector("p.lead"), labels = [...lead.querySelectorAll("bdi.host > span")], one = labels.map((s) => s.offsetHeight);
		lead.style.flex = "0 0 5em";
		return labels.length === 2 && labels[1].offsetTop > labels[0].offsetTop && labels.every((s, i) => s.offsetHeight === one[i]);
	})()`); !whole {
		c.Error("the name of a host breaks inside a label")
	}
	if got := p.Text(".facts"); strings.Contains(got, "Amina") || !strings.Contains(got, "20.00") {
		c.Errorf("not the least is told: %q", got)
	}
	if eval[bool](p, `document.getElementById("no").offsetHeight < document.getElementById("yes").offsetHeight || document.getElementById("no").offsetWidth < document.getElementById("yes").offsetWidth`) {
		c.Error("no is smaller than yes")
	}
	p.Click("no")
	c.look("refused")
	p.Click("go")
	p.screen("my-cards")
	c.says(`{ ask_choices: [{ ok: true, possible: false, sets: null, least: [], wants: [{ id: "w", required: true, options: [] }] }] }`)
	c.says(`{ ask_next: [{ ok: true, do: "consent", who: { client_id: "x", how: "website", name: "relief-b.example", calls: "Relief B" }, purpose: "To hand out seeds", to: "relief-b.example", sealed: true }, { ok: true, do: "done", redirect: "" }] }`)
	p.take("a request")
	c.look("ask", "nothing")
	if eval[bool](p, `!!document.getElementById("yes")`) {
		c.Error("what she has not can be shared")
	}
	p.Press("Escape")
	c.look("refused", "nothing")
	p.Click("go")
	p.screen("my-cards")
	ask("website")
	p.Click("yes")
	c.look("told")
	p.Click("go")
	p.screen("my-cards")
	eval[bool](p, `(globalThis.says = {}, true)`)
	p.Click("settings")
	p.screen("settings")
	p.back("my-cards")
}

// plain: people are told in words of their language, and names that only machines read
// stand where they are looked for.
func (c *tour) plain() {
	seen := eval[string](c.phone, `document.getElementById("screen").innerText`)
	for _, raw := range []string{"holder_or_alternate", "collector_rule", "did:web", "https://"} {
		if strings.Contains(seen, raw) {
			c.Errorf("%s: %q stands on the screen: %q", c.lang, raw, seen)
		}
	}
	if c.lang == "ar" && (!strings.Contains(seen, "البرنامج") || !strings.Contains(seen, "حامل البطاقة أو بديل")) {
		c.Errorf("no words for codes: %q", seen)
	}
	if got := eval[string](c.phone, `[...document.querySelectorAll(".facts bdi")].find((b) => b.innerText === "K7Q2")?.tagName ?? ""`); got != "BDI" {
		c.Error("the code of the programme is not isolated")
	}
	eval[bool](c.phone, `(document.querySelector("details.more").open = true)`)
	if got := eval[string](c.phone, `document.querySelector("details.more").innerText`); !strings.Contains(got, "did:web:relief-a.example") {
		c.Errorf("who it is for a machine is nowhere: %q", got)
	}
	c.look("one-card", "details")
	icons := eval[string](c.phone, `[...new Set([...document.querySelectorAll("#hide [data-picture], #remove [data-picture]")].map((p) => p.dataset.picture))].join()`)
	if icons != "hide,bin" {
		c.Errorf("pictures of hiding and removing: %s", icons)
	}
}

// stops looks at the screens of what stands in the way.
func (c *tour) stops() {
	p := c.phone
	tab, closed := p.Tab()
	second := &phone{tab, p.url}
	second.OnLoad(recorder)
	second.open()
	(&tour{phone: second, lang: c.lang, seen: c.seen}).look("stop-twice")
	closed()
	back := p.OnLoad(`indexedDB.open = () => { throw new DOMException("", "InvalidStateError"); }`)
	p.open()
	c.look("stop-storage")
	back()
	back = p.OnLoad(`Object.defineProperty(window, "isSecureContext", { value: false })`)
	p.open()
	c.look("stop-insecure")
	back()
	back = p.OnLoad(`{ const real = Worker; globalThis.Worker = class extends real { constructor(file) { super(file); if (file === "core.js") { this.terminate(); setTimeout(() => this.onmessage({ data: { died: true, error: "" } }), 300); } } }; }`)
	p.Open(p.url)
	c.look("stop-core")
	back()
	p.open()
	p.screen("pockets")
	p.Click("pocket-fish")
	p.Fill("pin", pin)
	p.Click("pin-go")
}
