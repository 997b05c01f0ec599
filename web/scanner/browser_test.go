package scanner_test

import (
	"testing"
	"time"

	vt "aidpass/verifier/verifiertest"
)

func TestFirstDay(t *testing.T) {
	server := serve(t)
	p := newPhone(t, server.URL)
	p.open()
	p.shoot("setup-en")
	p.enrolled()
	p.shoot("ready-en")

	card := world.Text(vt.CardOptions{})
	p.see(card, 0)
	began := time.Now()
	p.click("scan")
	p.screen("verdict")
	t.Logf("from Scan to a verdict: %v", time.Since(began).Round(10*time.Millisecond))
	if got := p.text("#title"); got != "GIVE" {
		t.Fatalf("the word is %q", got)
	}
	p.shoot("give-en")
	p.hold("give")
	p.screen("scan")
	p.shoot("recorded-en")
	p.screen("verdict")
	if got := p.text("#title"); got != "ALREADY COLLECTED" {
		t.Errorf("the same card again: %q", got)
	}
	p.shoot("again-en")
	if n := server.reports.Load(); n != 0 {
		t.Errorf("the policy refused %d things", n)
	}
}
