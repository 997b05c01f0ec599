package scanner_test

import (
	"testing"

	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/verifier"
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
