package scanner_test

import (
	"fmt"
	"testing"
	"time"

	"aidpass/internal/browsertest"
	vt "aidpass/verifier/verifiertest"
)

// What is recorded belongs to the card that the screen shows: not to one judged
// behind it, nor to one that came while a finger was down.
func TestARecordIsOfTheCardOnTheScreen(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	key := p.enrolled()
	first, second := world.Text(vt.CardOptions{}), world.Text(vt.CardOptions{Unit: "unit-2"})
	begun := len(p.readJournal(key).Visits)
	p.click("scan")
	p.screen("scan")

	if got := p.scanned(first); got != "GIVE" {
		t.Fatalf("the first card: %q", got)
	}
	// Pressed twice instead of held, the second time while the next card is being judged.
	p.click("give")
	time.Sleep(400 * time.Millisecond)
	eval[bool](p, fmt.Sprintf(`(() => { const give = document.getElementById("give"); %s give.click(); return true })()`, browsertest.Typing(second)))
	p.said("Nothing was recorded")
	if n := len(p.readJournal(key).Visits); n != begun {
		t.Fatalf("%d records with one card on the screen and another in the core", n-begun)
	}

	// A finger on the button of a screen that goes away under it.
	p.screen("scan")
	if got := p.scanned(first); got != "GIVE" {
		t.Fatalf("the first card again: %q", got)
	}
	eval[bool](p, fmt.Sprintf(`(() => { window.old = document.getElementById("give"); window.old.dispatchEvent(new PointerEvent("pointerdown")); %s return true })()`, browsertest.Typing(second)))
	p.wait(`!window.old.isConnected && document.getElementById("give")`)
	time.Sleep(1200 * time.Millisecond)
	if n := len(p.readJournal(key).Visits); n != begun {
		t.Errorf("%d records by a finger on a screen that was gone", n-begun)
	}
	p.screen("verdict")
	p.hold("give")
	p.screen("scan")
	if v := p.last(key); v.Ledger.Pseudonym != unitRow("unit-2").Pseudonym {
		t.Errorf("recorded for %q", v.Ledger.Pseudonym)
	}
}
