package scanner_test

import (
	"strings"
	"testing"

	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/verifier/badge"
	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
)

// liveCode is what a wallet shows of unit's card: signed just now, for no challenge.
func liveCode(t *testing.T, unit string) string {
	t.Helper()
	card := world.Card(vt.CardOptions{Unit: unit, Draft: func(d *cwt.Draft) { d.HolderKey = world.Wallet.Key }})
	p := verifier.PrepareLive(world.Wallet.Key, card, vt.Now, nil)
	signature, err := cose.SignRaw(world.Wallet, p.ToBeSigned())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := p.Attach(signature)
	if err != nil {
		t.Fatal(err)
	}
	text, err := cwt.Text(raw)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A live code is judged before the sealed lists are open; opening them for the same
// person does not make her code an old one. Recorded on, it is one.
func TestALiveCodeOutlivesTheOpeningOfTheLists(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	face := drawn(t, 40)
	key := p.quick(func(key *cose.Key) []byte { return sealedPack(t, key, 9, face) })
	p.click("scan")
	p.screen("scan")
	code := liveCode(t, "unit-3")
	if got := p.scanned(code); got != "GIVE" {
		t.Fatalf("before the lists are open: %q", got)
	}
	p.unlocked()
	if got := p.text("#title"); got != "GIVE" || p.text("#due") == "" {
		t.Fatalf("after they were opened: %q, due %q, reason %s", got, p.text("#due"), eval[string](p, `document.querySelector("#screen").dataset.reason`))
	}
	p.hold("give")
	p.screen("scan")
	if v := p.last(key); len(v.Checks) != 1 || v.Checks[0] != visit.CheckLive {
		t.Errorf("recorded with the checks %v", v.Checks)
	}
	if got := p.scanned(code); got == "GIVE" {
		t.Error("the code counts a second time")
	}
}

// A newer pack leaves the sealed lists open where the same code opens them; where it
// does not, Ready and Lists say so, and what to do.
func TestANewerPackAndTheSealedLists(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	face := drawn(t, 40)
	key := p.quick(func(key *cose.Key) []byte { return sealedPack(t, key, 9, face) })
	due := func() string {
		p.Helper()
		p.scanned(world.Text(vt.CardOptions{Unit: "unit-3"}))
		defer func() { p.click("next"); p.screen("scan"); p.back(); p.screen("ready") }()
		return p.text("#due")
	}
	const says = "The sealed lists are closed. Show the badge again, or type the operator's code."
	if got := p.text("#closed p"); got != says {
		t.Errorf("Ready before they are open: %q", got)
	}
	p.shoot("closed-ready-en")
	p.language("ar")
	p.shoot("closed-ready-ar")
	p.axe("ready with closed lists, ar")
	p.language("en")
	p.click("unlock")
	p.screen("unlock")
	p.shoot("closed-unlock-en")
	p.axe("unlock from ready")
	p.fill("code", "not it")
	p.click("unlock-go")
	p.wait(`document.querySelector(".wrong").innerText.includes("ask the site lead")`)
	p.fill("code", operatorCode)
	p.click("unlock-go")
	p.screen("ready")
	if p.text("#closed") != "" || due() == "" {
		t.Errorf("opened on Ready: note %q", p.text("#closed"))
	}

	p.loaded(sealedPack(t, key, 10, face))
	if p.text("#closed") != "" || due() == "" {
		t.Errorf("a newer pack with the same code closed the lists: note %q", p.text("#closed"))
	}

	p.click("lists")
	p.give("update", "new.pack", sealedPack(t, key, 11, face, "another code"))
	p.said(says)
	if got := p.text("#closed p"); got != says {
		t.Errorf("Lists, after a pack with another code: %q", got)
	}
	p.shoot("closed-lists-en")
	p.axe("lists, closed")
	p.back()
	p.screen("ready")
	if got := p.text("#closed p"); got != says || due() != "" {
		t.Errorf("Ready, after a pack with another code: %q", got)
	}

	// A badge opens them from there; one that carries an old code says what to do.
	p.click("unlock")
	p.screen("unlock")
	p.typed(badgeOf(t, world.A.Pack, func(b *badge.Badge) { b.Staff, b.Unlock = "V-12", operatorCode }))
	p.said("This badge does not open the sealed lists.")
	p.click("unlock")
	p.screen("unlock")
	p.typed(badgeOf(t, world.A.Pack, func(b *badge.Badge) { b.Staff, b.Unlock = "V-12", "another code" }))
	p.said("The shift of V-12 goes on.")
	if p.text("#closed") != "" || due() == "" {
		t.Errorf("opened with a badge: note %q", p.text("#closed"))
	}
	p.loaded(sealedPack(t, key, 12, face, "another code"))
	if due() == "" {
		t.Error("a badge that holds under the newer pack does not keep the lists open")
	}
}

// The operator's code is asked for where something is sealed, and nowhere else.
func TestTheOperatorsCodeIsAskedWhereItOpensSomething(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	key := p.enrolled()
	form := func() {
		p.Helper()
		p.menu()
		p.click("close-shift")
		p.screen("close")
		p.hold("close")
		p.wait(`document.getElementById("open-shift")`)
		p.click("open-shift")
		p.screen("shift")
	}
	form()
	if eval[bool](p, `!!document.getElementById("code")`) {
		t.Error("a code is asked for where nothing is sealed")
	}
	p.back()
	p.screen("ready")
	p.loaded(sealedPack(t, key, 9, drawn(t, 40)))
	p.click("open-shift")
	p.screen("shift")
	if got := p.text(`label[for="code"]`); got != "Operator's code" || !strings.Contains(p.text("#code-lead"), "The site lead has it") {
		t.Errorf("the field says %q: %q", got, p.text("#code-lead"))
	}
	p.shoot("shift-code-en")
	p.fill("staff", "V-13")
	p.fill("code", "not it")
	p.click("shift-go")
	p.gated("ready")
	p.said("Look at each letter again, or ask the site lead.")
	if p.text("#closed") == "" {
		t.Error("after a wrong code Ready does not say that the lists are closed")
	}
}

// A PIN opens what it was asked for, and only the menu's opens more.
func TestAPINOpensOneDoor(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	p.enrolled()
	p.click("supervisor")
	p.screen("gate") // the PIN was for the shift
	p.back()
	p.click("scan")
	p.screen("scan")
	details := func(want string) {
		p.Helper()
		p.scanned(world.Text(vt.CardOptions{Unit: "door"}))
		p.click("details")
		p.screen(want)
	}
	details("gate")
	p.gated("details")
	p.back()
	p.click("next")
	p.screen("scan")
	details("gate") // it was opened for another person
	p.gated("details")
	p.click("next")
	p.screen("scan")
	p.back()
	p.screen("ready")
	p.click("supervisor")
	p.screen("gate")
	p.gated("supervisor")
	p.click("close-shift")
	p.screen("close")
	p.shoot("close-en")
	p.back()
	p.screen("supervisor")
	p.back()
	p.screen("ready")
	p.language("ar")
	p.click("supervisor")
	p.click("close-shift")
	p.screen("close")
	p.shoot("close-ar")
}

// What is not handed in is what was given and said, not that a shift began.
func TestAShiftAloneIsNothingToHandIn(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	key := p.enrolled()
	chip := func(want string) {
		p.Helper()
		if got := strings.Fields(p.text("#unsent-chip")); got[len(got)-1] != want {
			p.Errorf("the first screen says %q, want %s; the journal has %d records", got, want, len(p.readJournal(key).Visits))
		}
	}
	chip("0")
	p.click("scan")
	p.screen("scan")
	p.scanned(world.Text(vt.CardOptions{}))
	p.hold("give")
	p.screen("scan")
	p.back()
	p.screen("ready")
	chip("1")
	p.reload()
	p.screen("ready")
	chip("1")
	p.menu()
	p.click("close-shift")
	p.screen("history") // not before it is handed in
	p.click("export")
	p.said("2 records saved")
	p.back()
	p.screen("ready")
	chip("0")
	p.menu()
	p.click("close-shift")
	p.screen("close")
	p.hold("close")
	p.wait(`document.getElementById("open-shift")`)
	chip("0")
}

// A table whose memory was copied tells two stories: both are known, also after a start.
func TestBothBranchesOfACopiedTableAreKept(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	key := p.enrolled()
	copied := vt.P256("the copied table")
	cert := world.DeviceCert(func(c *trust.DeviceCertificate) { c.Key, c.DeviceID, c.Block = copied.Key, []byte("table-09"), nil })
	p.loaded(packFor(key, vt.PackOptions{Sequence: 9, More: []verifier.Part{{Owner: world.A.ID, Kind: verifier.PartDevice, Name: "table-09", Sequence: 1, Data: cert}}}))
	record := func(prev []byte, sequence uint64, unit string) []byte {
		row := unitRow(unit)
		made, err := visit.Prepare(copied.Key, prev, visit.Visit{Device: []byte("table-09"), Sequence: sequence, At: vt.Now - 600, Kind: visit.Collection, Ledger: row.Ledger()})
		if err != nil {
			t.Fatal(err)
		}
		signature, err := cose.SignRaw(copied, made.ToBeSigned())
		if err != nil {
			t.Fatal(err)
		}
		raw, err := made.Attach(signature)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	first := record(nil, 1, "both")
	left, right := record(first, 2, "left"), record(first, 2, "right")
	further := record(left, 3, "further")
	join := func(records ...[]byte) (file []byte) {
		for _, r := range records {
			file = append(file, r...)
		}
		return file
	}
	p.click("lists")
	for i, file := range [][]byte{join(first, left), join(first, right), join(first, left, further)} {
		p.give("update", "table-9.journal", file)
		p.told([]string{"2 records", "2 records", "3 records"}[i]+" of another table", "")
	}
	if n := eval[int](p, `new Promise((done) => { const open = indexedDB.open("aidpass-scanner"); open.onsuccess = () => {
		const all = open.result.transaction("others").objectStore("others").count(); all.onsuccess = () => { open.result.close(); done(all.result); }; } })`); n != 2 {
		t.Errorf("%d journals are kept, want the two branches", n)
	}
	p.reload()
	p.screen("ready")
	p.click("scan")
	p.screen("scan")
	for _, unit := range []string{"both", "left", "right", "further"} {
		if got := p.scanned(world.Text(vt.CardOptions{Unit: unit})); got != "ALREADY COLLECTED" {
			t.Errorf("%s: %q", unit, got)
		}
		p.click("next")
		p.screen("scan")
	}
}
