package scanner_test

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"aidpass/internal/cose"
	"aidpass/internal/patience"
	"aidpass/verifier"
	"aidpass/verifier/badge"
	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
)

// badgeOf signs a badge of A for the site and the day of the phone's clock.
func badgeOf(t *testing.T, k vt.Signer, edit func(*badge.Badge)) string {
	t.Helper()
	b := badge.Badge{Org: world.A.ID, Site: vt.Site, Staff: "st-7", Role: badge.Volunteer, NotBefore: vt.Now - 9*3600, NotAfter: vt.Now + 15*3600 - 1}
	if edit != nil {
		edit(&b)
	}
	p, err := badge.Prepare(k.Key, b)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := cose.SignRaw(k, p.ToBeSigned())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := p.Attach(sig)
	if err != nil {
		t.Fatal(err)
	}
	return badge.Text(raw)
}

// said waits until the small message says something.
func (p *phone) said(want string) {
	p.Helper()
	p.wait(fmt.Sprintf(`document.getElementById("toast").innerText.includes(%q)`, want))
}

// shifts are the notes of the journal about who works, in order.
func (p *phone) shifts(key *cose.Key) string {
	p.Helper()
	var all []string
	for _, v := range p.readJournal(key).Visits {
		if strings.HasPrefix(v.Code, "shift_") {
			all = append(all, strings.TrimSpace(v.Code[6:]+" "+v.Given))
		}
	}
	return strings.Join(all, ", ")
}

// A shift opens with a badge, goes on with it, is handed over by the next one, and
// ends when the badge does. A badge where a card is wanted is a small word, and the
// other way round.
func TestBadgesOpenShifts(t *testing.T) {
	t.Parallel()
	server := serve(t)
	p := newPhone(t, server.URL)
	key := p.enrolled()
	public, err := key.ECDH()
	if err != nil {
		t.Fatal(err)
	}
	box, err := verifier.LockAudiences(&verifier.Unlocked{ContentKey: world.Content, Audiences: []verifier.Audience{
		{Issuer: world.A.ID, Group: "kakuma", Epoch: 1, From: vt.Made - 30*86400, Until: vt.Made + 100*86400, Key: world.Epoch}}}, world.A.ID, vt.Site, public, world.Code, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pack := packFor(key, vt.PackOptions{Sequence: 8, More: []verifier.Part{{Owner: world.A.ID, Kind: verifier.PartAudience, Name: "phone-01", Sequence: 1, Data: box}}})
	p.click("lists-chip")
	p.screen("lists")
	p.give("update", "newer.pack", pack)
	p.said("newer lists of")
	p.back()
	p.screen("ready")
	card := world.Text(vt.CardOptions{Sealed: map[string]any{"name": "Amina Yusuf"}})
	own := badgeOf(t, world.A.Pack, func(b *badge.Badge) { b.Unlock = string(world.Code) })

	// During a shift the camera changes nothing: a badge hangs on whoever works.
	p.click("scan")
	p.screen("scan")
	p.see(own, 0)
	p.said("This is a badge")
	if p.text("#title") != "Scan the card" || p.shifts(key) != "open V-12" {
		t.Errorf("a badge before the camera: %q, journal %q", p.text("#title"), p.shifts(key))
	}
	p.shoot("badge-toast-en")
	p.see("", 0)
	p.back()
	p.screen("ready")

	// Handing over: what is no badge for here and today says why.
	p.click("hand-over")
	p.screen("scan")
	for _, wrong := range []struct{ text, says string }{
		{card, "This is not a badge"},
		{badgeOf(t, world.A.Pack, func(b *badge.Badge) { b.Site = "KAK-4" }), "another place"},
		{badgeOf(t, world.A.Pack, func(b *badge.Badge) { b.NotBefore, b.NotAfter = b.NotBefore-86400, b.NotAfter-86400 }), "not for today"},
		{badgeOf(t, world.B.Pack, func(b *badge.Badge) { b.Org = world.B.ID }), "another organisation"},
		{badgeOf(t, world.A.Card, nil), "not signed by a key"},
	} {
		patience.Until(t, wrong.says, func() bool { // for a second and a half after the one before nothing is taken
			p.typed(wrong.text)
			time.Sleep(200 * time.Millisecond)
			return strings.Contains(p.text("#toast"), wrong.says)
		})
		p.wait(`document.querySelector("#screen").dataset.screen === "scan"`)
	}
	p.see(own, 0)
	p.screen("ready")
	p.said("Handed over to")
	p.see("", 0)
	if got := p.shifts(key); got != "open V-12, close, open st-7" {
		t.Errorf("the journal after the hand-over: %q", got)
	}
	// Its operator's code opened the sealed facts.
	if got := p.judge(card); got != "GIVE" {
		t.Fatalf("a good card: %q", got)
	}
	p.wait(`document.getElementById("show-name")`)
	p.see("", 0)
	p.hold("give")
	p.screen("scan")
	p.back()
	p.screen("ready")

	// The same badge again goes on with the shift; another's closes the sealed facts.
	p.typed(own)
	p.said("goes on")
	p.typed(badgeOf(t, world.A.Pack, func(b *badge.Badge) { b.Staff, b.Site, b.Role = "st-9", "", badge.Lead }))
	p.said("Handed over to")
	if got := p.shifts(key); got != "open V-12, close, open st-7, close, open st-9" {
		t.Errorf("the journal after the second hand-over: %q", got)
	}
	if got := p.text("#shift"); !strings.Contains(got, "st-9") || !strings.Contains(got, "Site lead") {
		t.Errorf("the first screen says %q", got)
	}
	p.axe("ready with a shift")
	p.shoot("badge-ready-en")
	p.language("ar")
	p.axe("ready with a shift, ar")
	p.shoot("badge-ready-ar")
	p.language("en")
	second := world.Text(vt.CardOptions{Unit: "unit-2", Sealed: map[string]any{"name": "Asha Deng"}})
	if p.judge(second) != "GIVE" || eval[bool](p, `!!document.getElementById("show-name")`) {
		t.Error("what one worker's badge opened is open to the next")
	}
	p.see("", 0)
	p.hold("give")
	p.screen("scan")
	p.back()
	p.screen("ready")
	var gave []string
	piece, err := visit.Open(p.journal(), func([]byte) *cose.Key { return key })
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range visit.Merge(visit.Facts{}, piece).Entries {
		if e.Kind == visit.Collection {
			gave = append(gave, e.Worker)
		}
	}
	if got := strings.Join(gave, ", "); got != "st-7, st-9" {
		t.Errorf("two workers on one device: the merged records are those of %q", got)
	}

	// The badge ends at midnight: the first screen and the verdict say so, and a new one opens.
	eval[bool](p, `(sessionStorage.setItem("shift", "54001"), true)`)
	p.reload()
	p.screen("ready")
	if got := p.text("#shift"); !strings.Contains(got, "has ended") {
		t.Errorf("after midnight the first screen says %q", got)
	}
	p.axe("ready after midnight")
	p.shoot("badge-over-en")
	if got := p.judge(world.Text(vt.CardOptions{Unit: "unit-3"})); got != "GIVE" {
		t.Errorf("after midnight a card is judged %q", got)
	}
	if eval[bool](p, `!!document.getElementById("give")`) || !strings.Contains(p.text(".body"), "The badge has ended") {
		t.Errorf("after midnight something can be recorded: %q", p.text("#screen"))
	}
	p.away()
	p.see(own, 0)
	p.said("not for today")
	p.see("", 0)
	p.see(badgeOf(t, world.A.Pack, func(b *badge.Badge) { b.NotBefore, b.NotAfter = b.NotBefore+86400, b.NotAfter+86400 }), 0)
	p.screen("ready")
	p.see("", 0)
	if got := p.shifts(key); !strings.HasSuffix(got, "open st-9, close, open st-7") {
		t.Errorf("the journal of the next day: %q", got)
	}

	// Over the cap a browser that may forget opens no shift: the journal goes in first.
	eval[bool](p, `new Promise((done) => { const open = indexedDB.open("aidpass-scanner"); open.onsuccess = () => {
		const tx = open.result.transaction("kept", "readwrite"); tx.objectStore("kept").put(-400, "exported"); tx.oncomplete = () => { open.result.close(); done(true); }; } })`)
	p.reload()
	p.screen("ready")
	if !eval[bool](p, `navigator.storage.persisted()`) {
		p.typed(badgeOf(t, world.A.Pack, func(b *badge.Badge) { b.Staff, b.NotAfter = "st-8", b.NotAfter+86400 }))
		p.screen("history")
		p.said("Hand in the journal first")
		if got := p.shifts(key); strings.Contains(got, "st-8") {
			t.Errorf("a shift opened over the cap: %q", got)
		}
	} else {
		t.Log("SKIPPED: this browser's storage is persistent, so nothing is capped")
	}
	if n := server.Refused.Load(); n != 0 {
		t.Errorf("the policy refused %d things", n)
	}
}

// Where no shift is open yet a badge opens it from the first screen, from its own
// screen and from the scanner, with no PIN.
func TestABadgeOpensTheFirstShift(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	key := p.enrolled()
	own := badgeOf(t, world.A.Pack, nil)
	closed := func() {
		p.Helper()
		eval[bool](p, `new Promise((done) => { const open = indexedDB.open("aidpass-scanner"); open.onsuccess = () => {
			const tx = open.result.transaction("kept", "readwrite"); tx.objectStore("kept").put(null, "shift"); tx.oncomplete = () => { open.result.close(); done(true); }; } })`)
		p.reload()
		p.screen("ready")
		p.wait(`document.getElementById("open-shift")`)
	}
	for _, from := range []struct{ name, screen, lang string }{{"", "ready", "en"}, {"scan", "scan", "en"}, {"open-shift", "shift", "ar"}} {
		closed()
		p.language(from.lang)
		if from.name != "" {
			p.click(from.name)
			p.screen(from.screen)
		}
		if from.screen == "shift" {
			p.axe("shift")
			p.shoot("badge-shift-" + from.lang)
			p.click("badge")
			p.screen("scan")
			p.see(own, 0)
		} else {
			p.typed(own)
		}
		p.wait(`document.getElementById("shift")?.innerText.includes("st-7")`)
		p.see("", 0)
	}
	if got := p.shifts(key); got != "open V-12, open st-7, open st-7, open st-7" {
		t.Errorf("the journal: %q", got)
	}
}
