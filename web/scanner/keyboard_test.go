package scanner_test

import (
	"slices"
	"testing"
	"time"

	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
)

// A whole shift with nothing but a keyboard, from the first screen to the closed shift.
func TestAShiftByKeyboardAlone(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	p.open()
	p.Write("name", "tab-7")
	p.Enter("make-key")
	p.screen("key")
	key := p.key()
	p.Enter("go")
	p.screen("setup")
	p.EnterFile("load-pack", "#file", "site.pack", packFor(key, vt.PackOptions{}))
	p.wait(`document.querySelector("#choose-pin.main")`)
	p.Enter("choose-pin")
	p.Write("pin", pin)
	p.Write("pin2", pin)
	p.Press("Enter") // forms go on from their last field
	p.screen("setup")
	p.Enter("done")
	p.screen("ready")
	p.Enter("open-shift")
	p.Write("staff", "V-12")
	p.Enter("shift-go")
	p.screen("gate")
	p.Write("pin", pin)
	p.Press("Enter")
	p.screen("ready")
	p.Enter("scan")
	p.screen("scan")

	// The card comes from a hand-held scanner; the word takes the focus and is said.
	card := world.Text(vt.CardOptions{})
	p.typed(card)
	p.screen("verdict")
	if got := eval[string](p, `document.activeElement.id + " " + document.activeElement.parentElement.getAttribute("role")`); got != "title alert" {
		t.Errorf("after a verdict the focus is on %q", got)
	}
	p.TabTo("give")
	p.TapKey(" ") // let go too early: asked once more
	p.wait(`!document.querySelector("#give .label:not(.hidden)").innerText.includes("Hold")`)
	if n := len(p.readJournal(key).Visits); n != 1 {
		t.Fatalf("one short press recorded: %d records", n)
	}
	time.Sleep(350 * time.Millisecond)
	p.Press("Enter")
	p.screen("scan")
	p.Enter("undo")
	p.wait(`document.getElementById("toast").innerText.includes("Taken back")`)
	p.typed(card)
	p.screen("verdict")
	p.TabTo("give")
	p.HoldKey("Enter", `document.querySelector("#screen").dataset.screen === "scan"`)

	p.Enter("type")
	p.screen("type")
	p.Write("number", card) // a whole code fits the field as well
	p.Press("Enter")
	p.screen("verdict")
	if got := p.text("#title"); got != "ALREADY COLLECTED" {
		t.Errorf("typed again: %q", got)
	}
	p.Enter("next")
	p.screen("scan")
	p.backByKey()
	p.screen("ready")
	p.Enter("history")
	p.screen("history")
	p.Enter("export")
	p.wait(`document.getElementById("toast").innerText.includes("records saved")`)
	p.backByKey()
	p.screen("ready")
	p.Enter("supervisor")
	p.screen("gate")
	p.Write("pin", pin)
	p.Press("Enter")
	p.screen("supervisor")
	p.Enter("old-lists")
	p.Write("reason", "no road")
	p.Write("lead", "S-17")
	p.Write("second", "S-17")
	p.TabTo("open-old")
	p.HoldKey("Enter", `document.querySelector(".wrong").innerText`)
	p.wait(`!document.getElementById("open-old").disabled`)
	if got := eval[string](p, `document.activeElement.id`); got != "open-old" {
		t.Errorf("after a refusal the focus is on %q", got)
	}
	p.backByKey()
	p.screen("supervisor")
	p.Enter("close-shift")
	p.screen("close")
	p.TabTo("close")
	p.HoldKey("Enter", `document.getElementById("open-shift")`)
	var kinds []visit.Kind
	for _, v := range p.readJournal(key).Visits {
		kinds = append(kinds, v.Kind)
	}
	if want := []visit.Kind{visit.Note, visit.Collection, visit.Counter, visit.Collection, visit.Note}; !slices.Equal(kinds, want) {
		t.Errorf("records %v, want %v", kinds, want)
	}
}

func (p *phone) backByKey() {
	p.Helper()
	eval[bool](p, `(document.querySelector(".back").id = "back-key", document.querySelector("#title").focus(), true)`)
	p.TabTo("back-key")
	p.Press("Enter")
}
