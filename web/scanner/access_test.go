package scanner_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aidpass/credential/cwt"
	"aidpass/internal/browsertest"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
)

// tour walks over every screen of the app in one language and looks at each.
type tour struct {
	*phone
	lang  string
	seen  map[string]bool
	owner *cose.Key // of the phone
}

// look waits for a screen and tries all that must hold on any: axe in common and in
// forced colours, nothing cut off or too small for a thumb in any form.
func (c *tour) look(name string, more ...string) {
	c.Helper()
	c.screen(name)
	c.seen[name] = true
	where := strings.Join(append([]string{c.lang, name}, more...), " ")
	c.Look(where, c.lang == "en")
	c.shoot(strings.ReplaceAll(strings.Join(append([]string{c.lang, "screen", name}, more...), "-"), " ", "-"))
}

// Every screen, in both directions and every form, is open to everybody.
func TestEveryScreenIsOpenToEverybody(t *testing.T) {
	t.Parallel()
	server := serve(t)
	for _, lang := range []string{"en", "ar"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			c := &tour{phone: newPhone(t, server.URL+"/scanner/", chromedp.Flag("host-resolver-rules", "MAP plain.example 127.0.0.1")), lang: lang, seen: map[string]bool{}}
			c.walk()
			for _, name := range browsertest.Screens(t, "ui.show(", "facing(ui, m, ") {
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

func (c *tour) walk() {
	p := c.phone
	p.open()
	p.language(c.lang)
	c.look("setup", "new")
	p.fill("name", "tab-7")
	p.click("make-key")
	c.look("key")
	c.owner = p.key()
	p.click("go")
	p.click("server")
	c.look("server")
	p.back()
	p.give("load-pack", "site.pack", c.sealedPack(c.owner))
	p.wait(`document.querySelector("#choose-pin.main")`)
	p.click("choose-pin")
	c.look("choose-pin")
	p.fill("pin", pin)
	p.fill("pin2", pin)
	p.click("pin-go")
	c.look("setup", "done")
	p.click("done")
	c.look("ready", "no shift")
	p.click("open-shift")
	c.look("shift")
	p.fill("staff", "V-12")
	p.click("shift-go")
	c.look("gate")
	p.fill("pin", pin)
	p.click("pin-go")
	p.screen("ready")
	p.wait(`document.getElementById("shift")`)
	c.look("ready", "shift")

	p.click("scan")
	p.wait(`document.querySelector("video").videoWidth`)
	c.look("scan")
	p.click("type")
	c.look("type")
	p.back()

	c.verdicts()

	p.back()
	p.screen("ready")
	p.click("history")
	c.look("history")
	p.back()
	p.screen("ready")
	p.click("lists")
	c.look("lists")
	p.click("hand")
	c.look("hand")
	p.click("show-lists")
	p.wait(`document.getElementById("pause")`)
	p.click("pause")
	c.look("show")
	p.back()
	p.back()
	p.screen("lists")
	p.back()
	p.screen("ready")
	p.menu()
	c.look("supervisor")
	p.click("old-lists")
	c.look("old-lists-form")
	for id, text := range map[string]string{"reason": "no road", "lead": "S-17", "second": "S-4", "ceiling": "C1"} {
		p.fill(id, text)
	}
	p.hold("open-old")
	p.screen("ready")
	c.look("ready", "old lists")
	p.menu()
	p.click("old-lists")
	c.look("old-lists-taken")
	p.back()
	p.click("wipe")
	c.look("wipe-form")
	p.back()
	p.click("voices")
	c.look("voices")
	p.back()
	p.screen("supervisor")
	p.back()
	p.screen("ready")
	p.click("practice")
	c.look("practice")
	p.click("demo-0")
	c.look("verdict", "practice")
	p.Sunlight(c.lang + " practice")
	p.click("next")
	p.screen("practice")
	p.back()
	p.screen("ready")
	c.stops()
}

// sealedPack is the site's pack with the audience keys for the phone.
func (c *tour) sealedPack(key *cose.Key) []byte {
	c.Helper()
	public, err := key.ECDH()
	if err != nil {
		c.Fatal(err)
	}
	box, err := verifier.LockAudiences(&verifier.Unlocked{ContentKey: world.Content, SiteKeys: [][]byte{bytes.Repeat([]byte{7}, verifier.SiteKeyBytes)}, Audiences: []verifier.Audience{
		{Issuer: world.A.ID, Group: "kakuma", Epoch: 1, From: vt.Made - 30*86400, Until: vt.Made + 100*86400, Key: world.Epoch}}},
		world.A.ID, vt.Site, public, world.Code, rand.Reader)
	if err != nil {
		c.Fatal(err)
	}
	return packFor(key, vt.PackOptions{More: []verifier.Part{{Owner: world.A.ID, Kind: verifier.PartAudience, Name: "phone-01", Sequence: 1, Data: box}}})
}

// verdicts looks at what stands behind a card.
func (c *tour) verdicts() {
	p := c.phone
	judged := func(o vt.CardOptions) {
		p.typed(world.Text(o))
		p.screen("verdict")
	}
	for _, v := range []struct {
		word string
		card vt.CardOptions
	}{
		{"known", vt.CardOptions{Type: "registration"}},
		{"not today", vt.CardOptions{Draft: func(d *cwt.Draft) { d.NotBefore = vt.Now + 5*86400 }}},
		{"help desk", vt.CardOptions{Issued: vt.Made - 200*86400}},
		{"unsure", vt.CardOptions{Draft: func(d *cwt.Draft) { d.StatusURI += "0" }}},
		{"give", vt.CardOptions{}},
	} {
		judged(v.card)
		c.look("verdict", v.word)
		p.Sunlight(c.lang + " " + v.word)
		p.click("next")
		p.screen("scan")
	}
	judged(bound("asked"))
	c.look("verdict", "live")
	p.click("ask-phone")
	c.look("ask")
	p.back()
	p.screen("verdict")
	p.click("next")
	p.screen("scan")
	judged(vt.CardOptions{Issued: vt.Made - 200*86400})
	p.click("details")
	p.gated("details")
	c.look("details")
	p.click("override")
	c.look("override")
	p.back()
	judged(vt.CardOptions{})
	p.click("what-witness")
	c.look("what-witness")
	p.click("witness-back")
	p.screen("verdict")
	p.click("not-person")
	c.look("not-person")
	p.back()
	p.screen("verdict")
	p.click("next")
	p.screen("scan")
	judged(vt.CardOptions{})
	p.click("witness")
	p.click("other")
	p.click("part")
	c.look("amounts")
	p.fill("rest", "2 kg")
	p.hold("give")
	p.screen("scan")
	c.look("scan", "recorded")
	judged(vt.CardOptions{})
	c.look("verdict", "the rest")
	p.Sunlight(c.lang + " the rest")
	p.click("witness")
	p.hold("give")
	p.screen("scan")
	judged(vt.CardOptions{})
	c.look("verdict", "collected")
	p.Sunlight(c.lang + " collected")
	p.click("complaint")
	c.look("complaint")
	p.Sunlight(c.lang + " complaint")
	p.click("next")
	p.screen("scan")
	c.ownPIN()
}

// ownPIN is the card whose holder types a PIN: the operator's code opens what is sealed.
func (c *tour) ownPIN() {
	p := c.phone
	p.back()
	p.screen("ready")
	p.menu()
	p.click("export")
	p.screen("history")
	p.wait(`document.querySelector(".log button")`)
	p.Push(".log button")
	c.look("take-back")
	p.click("leave-it")
	p.screen("history")
	p.back()
	p.screen("ready")
	p.menu()
	p.click("close-shift")
	c.look("close")
	p.hold("close")
	p.wait(`document.getElementById("open-shift")`)
	p.click("open-shift")
	p.fill("staff", "V-13")
	p.fill("code", string(world.Code))
	p.click("shift-go")
	p.gated("ready")
	p.click("scan")
	p.screen("scan")
	p.typed(world.Text(vt.CardOptions{Unit: "pin", Draft: func(d *cwt.Draft) {
		check, err := cwt.PINCheck(world.Epoch, d.ID[:], "493827")
		if err != nil {
			p.Fatal(err)
		}
		part := cbor.AppendBytes(cbor.AppendInt(cbor.AppendMap(nil, 1), 40), check[:])
		if d.Sealed, err = cwt.SealPart(world.Epoch, d.Issuer, d.ID, d.Type, part); err != nil {
			p.Fatal(err)
		}
	}}))
	p.screen("verdict")
	p.click("ask-pin")
	c.look("pin")
	p.back()
	p.screen("scan")
	c.sealed(c.owner)
}

// sealed looks at what the sealed lists of a pack tell.
func (c *tour) sealed(key *cose.Key) {
	p := c.phone
	p.back()
	p.screen("ready")
	p.loaded(sealedPack(c.T, key, 9, drawn(c.T, 40), "the next code"))
	c.look("ready", "closed lists")
	p.number("unit-2")
	p.screen("verdict")
	p.click("unlock")
	c.look("unlock")
	p.fill("code", "the next code")
	p.click("unlock-go")
	c.look("verdict", "number")
	p.click("witness")
	p.click("record-number")
	p.gated("number")
	c.look("number")
	p.back()
	p.screen("verdict")
	p.click("next")
	p.screen("scan")
	p.number("unit-3")
	c.look("which")
	p.back()
	p.screen("scan")
	p.typed(world.Text(vt.CardOptions{Type: "registration"}))
	p.screen("verdict")
	p.click("known")
	c.look("consent")
	p.click("consent-yes")
	c.look("person")
	p.click("next")
	p.screen("scan")
}

// stops looks at the screens of what stands in the way.
func (c *tour) stops() {
	p := c.phone
	tab, closed := p.Tab()
	second := &phone{tab, p.url}
	second.open()
	(&tour{phone: second, lang: c.lang, seen: c.seen}).look("stop-twice")
	closed()

	eval[bool](p, `(sessionStorage.setItem("shift", "-31536000"), true)`)
	p.reload()
	c.look("stop-clock")
	eval[bool](p, `(sessionStorage.setItem("shift", "31536000"), true)`)
	p.reload()
	c.look("ready", "clock ahead")
	p.wait(`document.getElementById("ahead")`)
	eval[bool](p, `(sessionStorage.clear(), true)`)

	back := p.OnLoad(`indexedDB.open = () => { throw new DOMException("", "InvalidStateError"); }`)
	p.reload()
	c.look("stop-storage")
	back()
	for _, why := range []string{"core", "memory"} {
		back := p.OnLoad(fmt.Sprintf(`{
			const real = Worker, why = %q;
			globalThis.Worker = class extends real { constructor(file) { super(file); if (file === "core.js") { this.terminate(); setTimeout(() => this.onmessage({ data: { died: true, error: why === "memory" ? "RangeError: out of memory" : "" } }), 200); } } };
		}`, why))
		p.Go(p.url)
		c.look("stop-" + why)
		back()
	}
	p.reload()
	p.screen("ready")
	p.click("lists")
	p.click("hand")
	p.click("show-tables") // what was unsealed is closed again after a start
	c.look("operator")
	p.back()
	p.back()
	p.screen("lists")
	p.back()
	p.screen("ready")
	p.typed(world.Text(vt.CardOptions{Unit: "full"}))
	p.screen("verdict")
	eval[bool](p, `(IDBObjectStore.prototype.add = function () { throw new DOMException("", "QuotaExceededError"); }, true)`)
	p.hold("give")
	c.look("stop-full")
	eval[bool](p, `new Promise((done) => { const r = indexedDB.deleteDatabase("aidpass-scanner"); r.onblocked = r.onsuccess = () => done(true); })`)
	p.reload()
	c.look("stop-evicted")
	c.copied()

	plain := *p
	plain.url = strings.Replace(p.url, "127.0.0.1", "plain.example", 1)
	eval[bool](p, `(localStorage.clear(), true)`)
	back = p.OnLoad(fmt.Sprintf(`try { localStorage.setItem("aidpass-lang", %q) } catch {}`, c.lang))
	plain.open()
	c.look("stop-insecure")
	back()
}

// copied is a phone whose receipt speaks of records that it never made.
func (c *tour) copied() {
	p := c.phone
	key := func() *cose.Key {
		eval[bool](p, `(localStorage.removeItem("aidpass-enrolled"), true)`)
		back := p.OnLoad(`{
			const real = Worker, says = { kind: { ok: true, kind: "receipt" }, receipt: { ok: false, copied: true } };
			globalThis.Worker = class extends real {
				trapped = new Map();
				postMessage(m, moved) { if (globalThis.trap && says[m.op]) this.trapped.set(m.id, says[m.op]); super.postMessage(m, moved ?? []); }
				set onmessage(f) { super.onmessage = (e) => f(this.trapped.has(e.data.id) ? { data: { id: e.data.id, reply: this.trapped.get(e.data.id) } } : e); }
			};
		}`)
		defer back()
		p.reload()
		p.screen("setup")
		p.fill("name", "tab-7")
		p.click("make-key")
		p.screen("key")
		return p.key()
	}()
	p.click("go")
	p.give("load-pack", "site.pack", packFor(key, vt.PackOptions{}))
	p.wait(`document.querySelector("#choose-pin.main")`)
	eval[bool](p, `globalThis.trap = true`)
	p.give("load-pack", "a.receipt", []byte("receipt"))
	c.look("stop-copied")
}
