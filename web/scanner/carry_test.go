package scanner_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/internal/patience"
	"aidpass/status"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/verifier/enrol"
	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
)

// revoking is the site's list of another moment, in which the card of the tests is revoked.
func revoking(at credential.Time) []byte {
	return world.Snapshot(world.A, vt.StatusOptions{Issued: at, Edit: func(r *status.Register) {
		_ = r.Set(vt.RevokedIndex, status.Invalid)
		_ = r.Set(vt.SuspendedIndex, status.Suspended)
		_ = r.Set(vt.GoodIndex, status.Invalid)
	}})
}

// deltaTo is what changed since the list of every pack, for that card and for so many
// others that it is more than one moving code.
func deltaTo(t *testing.T, at credential.Time) []byte {
	t.Helper()
	base, err := status.OpenSnapshot(world.Snapshot(world.A, vt.StatusOptions{}), func([]byte) *cose.Key { return world.A.Status.Key })
	if err != nil {
		t.Fatal(err)
	}
	r, err := status.LoadRegister(base.URI, base.Bits)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Set(vt.GoodIndex, status.Invalid)
	for i := range uint64(150) {
		_ = r.Set(i*i*5+7, status.Invalid)
	}
	p, err := status.PrepareDelta(world.A.Status.Key, base, r, at, at+7*86400)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := cose.SignRaw(world.A.Status, p.ToBeSigned())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := p.Attach(sig)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// table is a phone of a site with its key.
type table struct {
	*phone
	key *cose.Key
	id  string
}

var siteKey = bytes.Repeat([]byte{7}, verifier.SiteKeyBytes)

// meet gives phones that were only named a pack in which all of them stand, and opens
// their shifts with the operator's code.
func meet(t *testing.T, o vt.PackOptions, tables ...*table) []byte {
	t.Helper()
	for i, p := range tables {
		p.open()
		p.fill("name", "tab-7")
		p.click("make-key")
		p.screen("key")
		p.key, p.id = p.phone.key(), fmt.Sprintf("phone-%02d", i)
		p.click("go")
	}
	pack := packOf(t, o, tables...)
	for _, p := range tables {
		p.give("load-pack", "site.pack", pack)
		p.wait(`document.querySelector("#choose-pin.main")`)
		p.click("choose-pin")
		p.fill("pin", pin)
		p.fill("pin2", pin)
		p.click("pin-go")
		p.click("done")
		p.begin()
	}
	return pack
}

// begin opens a shift with the operator's code.
func (p *table) begin() {
	p.Helper()
	p.click("open-shift")
	p.fill("staff", "V-12")
	p.fill("code", string(world.Code))
	p.click("shift-go")
	p.screen("gate")
	p.fill("pin", pin)
	p.click("pin-go")
	p.screen("ready")
	p.wait(`document.getElementById("shift")`)
}

func packOf(t *testing.T, o vt.PackOptions, tables ...*table) []byte {
	t.Helper()
	for _, p := range tables {
		public, err := p.key.ECDH()
		if err != nil {
			t.Fatal(err)
		}
		box, err := verifier.LockAudiences(&verifier.Unlocked{ContentKey: world.Content, SiteKeys: [][]byte{siteKey}}, world.A.ID, vt.Site, public, world.Code, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		cert := world.DeviceCert(func(c *trust.DeviceCertificate) { c.Key, c.DeviceID, c.Block = p.key, []byte(p.id), nil })
		o.More = append(o.More, verifier.Part{Owner: world.A.ID, Kind: verifier.PartDevice, Name: p.id, Sequence: 1, Data: cert},
			verifier.Part{Owner: world.A.ID, Kind: verifier.PartAudience, Name: p.id, Sequence: 1, Data: box})
	}
	o.Policy = &verifier.Policy{Country: "KEN", Programmes: map[string][]verifier.Round{vt.Programme: {{N: 3, Opens: vt.Made - 86400, Closes: vt.Made + 60*86400}}}}
	return world.Pack(o)
}

// told waits for what the app says, with the reason behind it.
func (p *phone) told(words, reason string) {
	p.Helper()
	p.wait(fmt.Sprintf(`document.getElementById("toast").innerText.includes(%q)`, words))
	if got := eval[string](p, `document.getElementById("toast").dataset.reason ?? ""`); got != reason {
		p.Errorf("%q is told as %q, want %q", words, got, reason)
	}
	eval[bool](p, `(document.getElementById("toast").replaceChildren(), true)`)
}

// shown collects the moving codes that a phone shows, until they make a file.
func (p *phone) shown() []byte {
	p.Helper()
	p.screen("show")
	var row enrol.Frameset
	var message []byte
	if !patience.For(func() bool {
		var err error
		if message, err = row.Add(eval[string](p, `document.querySelector("canvas.moving").dataset.text`)); err != nil {
			p.Fatal(err)
		}
		return message != nil
	}) {
		have, count := row.Progress()
		p.Fatalf("%d of %d codes were shown", have, count)
	}
	return message
}

func (p *phone) lists() { p.Helper(); p.click("lists"); p.screen("lists") }

// Newer status lists come alone: by file, and from another phone's screen by the camera.
func TestNewerListsAlone(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	p.enrolled()
	newer, older := deltaTo(t, vt.Made+600), world.Snapshot(world.A, vt.StatusOptions{Issued: vt.Made - 3600})
	tampered := bytes.Clone(newer)
	tampered[len(tampered)-5] ^= 1
	p.lists()
	p.give("update", "a.upd", older)
	p.told("older than the lists in use. The lists in use stay.", "status_rollback")
	p.give("update", "b.upd", tampered)
	p.told("This update was refused. The lists in use stay.", "bad_signature")
	p.give("update", "c.upd", newer[:len(newer)-7])
	p.told("The lists in use stay.", "pack_incomplete")
	p.back()
	card := world.Text(vt.CardOptions{})
	if got := p.judge(card); got != "GIVE" {
		t.Fatalf("with the lists of the pack: %q", got)
	}
	p.see("", 0)
	p.click("next")
	p.back()
	p.lists()
	// By the camera, frame by frame; the first is missed, and a sum stands in for it.
	p.click("frames")
	texts, round := enrol.Row(newer)
	if round < 2 {
		t.Fatalf("%d bytes are one frame", len(newer))
	}
	frames, n := texts[1:round+1], 0
	patience.Until(t, "all frames were read", func() bool { // one that this machine misses comes round again, as on a screen
		p.see(frames[n%len(frames)], 0)
		n++
		time.Sleep(250 * time.Millisecond)
		return strings.Contains(p.text("#toast"), "Newer lists")
	})
	p.told("Newer lists of Relief of KEN are in use.", "")
	p.screen("lists")
	p.see("", 0)
	p.give("update", "d.upd", revoking(vt.Made+600))
	p.told("The lists in use are the newest.", "same")
	p.back()
	if got := p.judge(card); got != "HELP DESK" {
		t.Errorf("after the update: %q", got)
	}
	// It is kept beside the pack, and handed on to the next phone.
	p.reload()
	p.screen("ready")
	if got := p.judge(card); got != "HELP DESK" {
		t.Errorf("after a restart: %q", got)
	}
	p.see("", 0)
	p.click("next")
	p.back()
	p.lists()
	p.click("hand")
	p.screen("hand")
	p.shoot("hand-en")
	p.axe("hand")
	p.click("show-lists")
	shown := p.shown()
	p.shoot("show-en")
	p.axe("show")
	parts, err := verifier.SplitUpdates(shown)
	if err != nil || !bytes.Equal(parts[len(parts)-1], newer) {
		t.Errorf("%d parts are shown, %v", len(parts), err)
	}
	p.click("pause")
	first := eval[string](p, `document.querySelector("canvas.moving").dataset.text`)
	time.Sleep(600 * time.Millisecond)
	if got := eval[string](p, `document.querySelector("canvas.moving").dataset.text`); got != first {
		t.Error("it moves while it pauses")
	}
	p.back()
	p.back()
	p.screen("lists")
	// A pack that was built before the update would take a list back.
	key := p.keyOf()
	withList := func(sequence uint64, at credential.Time, list []byte) []byte {
		return packFor(key, vt.PackOptions{Sequence: sequence, Status: []verifier.Part{{Owner: world.A.ID, Kind: verifier.PartSnapshot,
			Name: world.A.StatusURI, Sequence: uint64(at), Data: list}}})
	}
	p.give("update", "new.pack", withList(8, vt.Made+300, world.Snapshot(world.A, vt.StatusOptions{Issued: vt.Made + 300})))
	p.told("older than the lists in use.", "pack_rollback")
	p.give("update", "new.pack", withList(9, vt.Made+1200, revoking(vt.Made+1200)))
	p.told("The newer lists of", "")
	p.back()
	p.language("ar")
	p.lists()
	p.click("hand")
	p.screen("hand")
	p.shoot("hand-ar")
	p.axe("hand ar")
	p.click("show-lists")
	p.screen("show")
	p.shoot("show-ar")
	p.axe("show ar")
}

// keyOf is the phone's public key as it is stored.
func (p *phone) keyOf() *cose.Key {
	p.Helper()
	point, err := base64.StdEncoding.DecodeString(eval[string](p, `new Promise((done) => {
		const open = indexedDB.open("aidpass-scanner");
		open.onsuccess = () => { const r = open.result.transaction("kept").objectStore("kept").get("keys"); r.onsuccess = () => { open.result.close(); done(btoa(String.fromCharCode(...r.result.point))); }; };
	})`))
	if err != nil || len(point) != 65 {
		p.Fatal(err, len(point))
	}
	key, err := cose.ParseKey(append(append([]byte{0xa4, 1, 2, 0x20, 1, 0x21, 0x58, 32}, point[1:33]...), append([]byte{0x22, 0x58, 32}, point[33:]...)...))
	if err != nil {
		p.Fatal(err)
	}
	return key
}

// Two tables without a network give on the same household's old and new card. Where
// they told each other before, the second says so; where not, the office sees it.
func TestTablesTellEachOther(t *testing.T) {
	t.Parallel()
	url := serve(t).URL
	one, two := &table{phone: newPhone(t, url)}, &table{phone: newPhone(t, url)}
	pack := meet(t, vt.PackOptions{}, one, two)
	old := func(unit string) string { return world.Text(vt.CardOptions{Unit: unit}) }
	reissued := func(unit string) string {
		return world.Text(vt.CardOptions{Unit: unit, Issued: vt.Made + 60})
	}
	give := func(p *table, card string) {
		t.Helper()
		p.typed(card)
		p.screen("verdict")
		if got := p.text("#title"); got != "GIVE" {
			t.Fatalf("%s: %q", p.id, got)
		}
		p.hold("give")
		p.screen("scan")
		p.back()
		p.screen("ready")
	}
	give(one, old("both"))
	give(two, reissued("both")) // nobody has told yet
	give(one, old("told"))

	// By file, and the other way from the screen.
	one.lists()
	one.click("hand")
	exchange := one.Download("save-tables")
	if bytes.Contains(exchange, []byte(vt.Programme)) || !visit.IsExchange(exchange) {
		t.Error("the exchange file speaks")
	}
	two.lists()
	two.give("update", "tab-1.exchange", exchange)
	two.told("3 records of another table are known here.", "")
	two.back()
	two.screen("ready")
	card := reissued("told")
	two.typed(card)
	two.screen("verdict")
	if got := two.text("#title"); got != "ALREADY COLLECTED" {
		t.Errorf("a card of that household at the second table: %q", got)
	}
	if body := two.text(".body"); strings.Contains(body, vt.Site) || strings.Contains(body, ":") {
		t.Errorf("place or hour is shown: %q", body)
	}
	two.shoot("already-by-exchange-en")
	two.click("next")
	two.screen("scan")
	two.back()
	two.screen("ready")
	two.reload()
	two.screen("ready")
	two.typed(card)
	two.screen("verdict")
	if got := two.text("#title"); got != "ALREADY COLLECTED" {
		t.Errorf("after a restart: %q", got)
	}
	two.click("next")
	two.screen("scan")
	two.back()
	two.screen("ready")
	// With old lists: that it was collected leads over that the lists are old.
	eval[bool](two.phone, `(sessionStorage.setItem("shift", String(8 * 86400)), true)`)
	two.reload()
	two.screen("ready")
	two.typed(card)
	two.screen("verdict")
	if got := two.text("#title"); got != "ALREADY COLLECTED" {
		t.Errorf("with stale lists: %q", got)
	}
	two.click("next")
	two.screen("scan")
	two.back()
	two.screen("ready")
	eval[bool](two.phone, `(sessionStorage.removeItem("shift"), true)`)
	two.reload()
	two.screen("ready")
	two.lists()
	two.click("hand")
	two.click("show-tables")
	two.screen("operator") // it was opened anew
	two.axe("operator")
	two.fill("code", "wrong")
	two.click("code-go")
	two.wait(`document.querySelector(".wrong").innerText`)
	two.fill("code", string(world.Code))
	two.click("code-go")
	two.screen("hand")
	two.click("show-tables")
	shown := two.shown()
	one.back()
	one.screen("lists")
	one.give("update", "tab-2.exchange", shown)
	one.told("2 records of another table are known here.", "")

	// What the office makes of both: one collection counts, the other is a conflict.
	p, _, err := verifier.OpenPack(pack, verifier.Floors{}, vt.Now)
	if err != nil {
		t.Fatal(err)
	}
	var pieces []*visit.Piece
	for _, x := range []*table{one, two} {
		piece, err := visit.Open(x.journal(), p.JournalKey)
		if err != nil {
			t.Fatal(err)
		}
		pieces = append(pieces, piece)
	}
	counted, conflicts := 0, 0
	for _, e := range visit.Merge(visit.Facts{}, pieces...).Entries {
		if e.Kind == visit.Collection {
			switch e.State {
			case visit.Counted:
				counted++
			case visit.Conflict:
				conflicts++
			}
		}
	}
	if counted != 2 || conflicts != 1 {
		t.Errorf("%d collections count, %d are conflicts, want 2 and 1", counted, conflicts)
	}

	// Another site's, and a changed one.
	foreign, err := visit.SealExchange(bytes.Repeat([]byte{8}, 32), world.A.ID, "ELSE-1", one.journal(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	one.give("update", "x.exchange", foreign)
	one.told("This file is of another place, or was changed.", "sealed")
	// A device whose memory was copied: somebody else hands in more of this one's journal
	// than it remembers. Here the second table has heard it all, and the first forgets.
	eval[bool](one.phone, `new Promise((done) => {
		const open = indexedDB.open("aidpass-scanner");
		open.onsuccess = () => { const tx = open.result.transaction("journal", "readwrite"); tx.objectStore("journal").delete(3); tx.oncomplete = () => { open.result.close(); done(true); }; };
	})`)
	one.reload()
	one.screen("ready")
	one.lists()
	one.give("update", "tab-2.exchange", shown)
	one.screen("operator")
	one.fill("code", string(world.Code))
	one.click("code-go")
	one.screen("stop-copied")
	one.shoot("copied-en")
	one.axe("copied")
	one.reload()
	one.screen("ready")
	if one.text("#open-shift") != "" || !strings.Contains(one.text(".body"), "records nothing more") {
		t.Errorf("a copied phone goes on: %q", one.text(".body"))
	}
}

// The browser is killed while it takes packs. Afterwards the old or the new one is
// there, whole.
func TestKillsWhileAPackIsTaken(t *testing.T) {
	t.Parallel()
	kills := 6
	if testing.Short() {
		kills = 2
	}
	p := newPhone(t, serve(t).URL)
	key := p.enrolled()
	// A pack of some size takes its time to be written.
	filler := make([]byte, 6<<20)
	if _, err := rand.Read(filler); err != nil {
		t.Fatal(err)
	}
	was, taken := uint64(7), 0
	for n := range kills {
		next := was + 1
		p.lists()
		p.give("update", "new.pack", packFor(key, vt.PackOptions{Sequence: next, More: []verifier.Part{
			{Owner: world.A.ID, Kind: verifier.PartPhotos, Name: "photos", Sequence: next, Data: filler}}}))
		time.Sleep(time.Duration(n*n) * 18 * time.Millisecond)
		p.Kill()
		p.Start()
		p.reload()
		p.screen("ready")
		got := eval[float64](p, packSequence)
		switch uint64(got) {
		case was:
		case next:
			was, taken = next, taken+1
		default:
			t.Fatalf("kill %d: the pack is %v, want %d or %d", n+1, got, was, next)
		}
	}
	if got := p.judge(world.Text(vt.CardOptions{})); got != "GIVE" {
		t.Errorf("after %d kills: %q", kills, got)
	}
	t.Logf("%d kills, %d packs were taken", kills, taken)
}

// packSequence reads the number of the stored pack out of its manifest, and checks that its end is there.
const packSequence = `new Promise((done) => {
	const open = indexedDB.open("aidpass-scanner");
	open.onsuccess = () => { const r = open.result.transaction("kept").objectStore("kept").get("pack"); r.onsuccess = () => {
		open.result.close();
		const SITE = "KAK-3", b = r.result, site = [0x02, 0x60 | SITE.length, ...SITE].map((x) => typeof x === "string" ? x.charCodeAt(0) : x);
		for (let i = 0; i < 400; i++) if (site.every((x, j) => b[i + j] === x)) { const at = i + site.length; done(b[at] !== 3 ? -1 : b[at + 1] < 24 ? b[at + 1] : b[at + 2]); return; }
		done(-2);
	}; };
})`
