package wallet_test

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"aidpass/internal/browsertest"
	vt "aidpass/verifier/verifiertest"
)

// What is kept is sealed, survives a reload, opens to the right PIN alone, and a wipe
// leaves nothing of it.
func TestACardIsSealedReloadedBackedUpAndWiped(t *testing.T) {
	t.Parallel()
	server := serve(t, nil)
	p := newPhone(t, server)
	p.begun("en")
	card := world.Text(vt.CardOptions{})
	p.paper(card, "Maize and oil")
	if got := p.Text(".pass"); !strings.Contains(got, "Maize and oil") {
		t.Errorf("the card says %q", got)
	}
	if left := p.left(); strings.Contains(left, "Maize") || strings.Contains(left, card[:40]) || !strings.Contains(left, "sealed") {
		t.Errorf("the disk holds\n%s", left)
	}
	if n := eval[string](p, `(async () => {
		const db = await new Promise((done) => { const r = indexedDB.open("aidpass-wallet"); r.onsuccess = () => done(r.result); });
		const k = await new Promise((done) => { const r = db.transaction("phone").objectStore("phone").get("device"); r.onsuccess = () => done(r.result); });
		db.close();
		return crypto.subtle.exportKey("raw", k).then(() => "exported", (e) => e.name);
	})()`); n != "InvalidAccessError" {
		t.Errorf("the key of the phone: %q", n)
	}

	// Shown again without a server.
	server.Close()
	p.open()
	p.screen("open-pin")
	for i, want := range []string{"Nothing is lost: try again", "Nothing is lost: try again", "Wait"} {
		p.Fill("pin", "111223")
		p.Click("pin-go")
		p.WaitFor(`document.querySelector(".wrong").innerText.length > 20`, browsertest.Patience)
		if got := p.Text(".wrong"); !strings.Contains(got, want) {
			t.Errorf("wrong PIN %d: %q", i, got)
		}
		eval[bool](p, `(document.querySelector(".wrong").replaceChildren(), true)`)
	}
	p.Fill("pin", pin) // the right one, too early
	p.Click("pin-go")
	p.Wait(`document.querySelector(".wrong").innerText.includes("Wait")`)
	eval[bool](p, `(sessionStorage.setItem("shift", "40"), true)`)
	p.open()
	p.unlocked(pin)
	id := eval[string](p, `document.querySelector("button.pass").id`)
	p.Click(id)
	p.Click("show")
	p.Wait(`document.querySelector("canvas.qr")?.dataset.text`)
	if got := eval[string](p, `document.querySelector("canvas.qr").dataset.text`); got != card {
		t.Errorf("it shows %q", got)
	}
	if side := eval[float64](p, `(() => { const c = document.querySelector("canvas.qr"); return c.getBoundingClientRect().width / Number(c.dataset.modules) })()`); side < 4 {
		t.Errorf("a module is %.2f px wide", side)
	}
	p.back("one-card")
	p.back("my-cards")

	// Away to a file, and back from it into an empty pocket.
	p.Click("backup")
	p.Click("make")
	p.screen("backup-words")
	words := p.Text("#words")
	p.Click("written")
	p.screen("backup-file")
	file := p.Download("save")
	if strings.Contains(string(file), "Maize") || len(strings.Fields(words)) != 8 {
		t.Errorf("the file is not sealed, or the words are %q", words)
	}
	p.back("backup")
	p.back("my-cards")
	p.Click("settings")
	p.screen("settings")
	p.Click("wipe")
	p.screen("wipe")
	p.Click("yes")
	p.screen("wiped")
	if left := p.left(); strings.TrimSpace(strings.ReplaceAll(left, "session shift 40", "")) != "" {
		t.Errorf("left behind:\n%s", left)
	}
}

// A back-up goes into another phone; wrong words open nothing.
func TestABackUpGoesToAnotherPhone(t *testing.T) {
	t.Parallel()
	server := serve(t, nil)
	p := newPhone(t, server)
	p.begun("en")
	p.paper(world.Text(vt.CardOptions{}), "Maize and oil")
	p.back("my-cards")
	p.Click("backup")
	p.Click("make")
	words := func() string { p.screen("backup-words"); return strings.Join(strings.Fields(p.Text("#words")), " ") }()
	if n := eval[int](p, `document.querySelectorAll("ol#words > li").length`); n != 8 {
		t.Errorf("%d words are numbered", n)
	}
	p.Click("written")
	p.screen("backup-file")
	file := p.Download("save")
	paper := eval[string](p, `document.querySelector(".paper canvas").dataset.text`)
	p.back("backup")
	p.back("my-cards")
	p.Click("settings")
	p.Click("remove")
	p.Click("yes")
	p.screen("welcome")
	if left := p.left(); strings.Contains(left, "sealed [") || strings.Contains(left, "pockets ") {
		t.Errorf("of the pocket is left:\n%s", left)
	}
	p.begun("en")
	p.take(paper) // as the camera reads it
	p.screen("restore")
	p.back("add")
	p.Click("file-open")
	p.Upload("#file", "wallet.aidwallet", file)
	p.screen("restore")
	p.Fill("words", "ant bee cat dog eel fox gnu hen")
	p.Click("restore-go")
	p.Wait(`document.querySelector(".wrong").innerText.includes("do not open")`)
	p.Fill("words", strings.ToUpper(words))
	p.Click("restore-go")
	p.screen("my-cards")
	p.Wait(`document.querySelector(".pass")?.innerText.includes("Maize and oil")`)
}

// Several people on one phone: a pocket each, and nobody sees another's.
func TestPocketsOfAFamily(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t, nil))
	p.open()
	p.Click("lang-en")
	p.Click("shared")
	p.Click("pic-sun")
	p.choosePIN(pin)
	p.screen("my-cards")
	p.paper(world.Text(vt.CardOptions{}), "Maize and oil")
	p.Click("hide")
	p.screen("away")
	if got := p.Text("#screen"); strings.Contains(got, "Maize") || strings.Contains(got, "card") {
		t.Errorf("hidden, it shows %q", got)
	}
	p.Click("unhide")
	p.screen("pockets")
	p.Click("new-pocket")
	p.screen("picture")
	if eval[bool](p, `!!document.getElementById("pic-sun")`) {
		t.Error("a picture that is taken is offered again")
	}
	p.Click("pic-tree")
	p.choosePIN("918273")
	p.screen("my-cards")
	if got := p.Text("#screen"); strings.Contains(got, "Maize") {
		t.Errorf("another's card: %q", got)
	}
	p.Click("hide")
	p.Click("unhide")
	p.screen("pockets")
	p.Click("pocket-sun")
	p.screen("open-pin")
	p.Fill("pin", "918273")
	p.Click("pin-go")
	p.Wait(`document.querySelector(".wrong").innerText.includes("not right")`)
	p.Fill("pin", pin)
	p.Click("pin-go")
	p.Wait(`document.querySelector(".pass")?.innerText.includes("Maize and oil")`)
	// Left alone it closes by itself, at the first touch at the latest.
	eval[bool](p, `(sessionStorage.setItem("shift", "120"), true)`) // and what this machine takes meanwhile
	p.Press("Tab")
	p.Wait(`document.querySelector(".pass")`)
	eval[bool](p, `(sessionStorage.setItem("shift", "421"), true)`)
	p.Press("Tab")
	p.screen("pockets")
	if got := p.Text("#screen"); strings.Contains(got, "Maize") {
		t.Errorf("left alone, it shows %q", got)
	}
	p.Click("pocket-sun")
	p.unlocked(pin)
	// Laid away, too.
	eval[bool](p, `(Object.defineProperty(document, "hidden", { value: true, configurable: true }), document.dispatchEvent(new Event("visibilitychange")), true)`)
	eval[bool](p, `(sessionStorage.setItem("shift", "482"), Object.defineProperty(document, "hidden", { value: false, configurable: true }), document.dispatchEvent(new Event("visibilitychange")), true)`)
	p.screen("pockets")
}

// The lock of the phone opens the pocket, by a key that only the two make together.
func TestAFingerOpensThePocket(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t, nil))
	verified := p.withFinger()
	p.open()
	p.Click("lang-en")
	p.Click("mine")
	p.Click("pic-sun")
	p.screen("lock")
	p.Click("finger")
	p.screen("my-cards")
	p.paper(world.Text(vt.CardOptions{}), "Maize and oil")
	p.open()
	p.screen("open-finger")
	p.Click("finger-go")
	p.Wait(`document.querySelector(".pass")?.innerText.includes("Maize and oil")`)
	p.Click("hide")
	p.Click("unhide")
	p.screen("open-finger")
	verified(false) // a stranger's, until the authenticator locks itself
	p.Click("finger-go")
	p.Wait(`document.querySelector(".wrong").innerText.includes("did not open")`)
}

// withFinger gives the phone a lock of its own, which opens while the function that is
// returned was not told otherwise.
func (p *phone) withFinger() (verified func(bool)) {
	p.Helper()
	if _, err := chromedp.Call(p.Ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		p.Fatal(err)
	}
	added, err := chromedp.Call(p.Ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Ctap2version: webauthn.Ctap2versionCtap21, Transport: webauthn.AuthenticatorTransportInternal,
		HasUserVerification: true, HasPrf: true, IsUserVerified: true, AutomaticPresenceSimulation: true}})
	if err != nil {
		p.Fatal(err)
	}
	p.url = strings.Replace(p.url, "127.0.0.1", "localhost", 1) // a name, as WebAuthn wants one
	return func(yes bool) {
		if _, err := chromedp.Call(p.Ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: added.AuthenticatorID, IsUserVerified: yes}); err != nil {
			p.Fatal(err)
		}
	}
}
