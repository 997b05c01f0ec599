package scanner_test

import (
	"crypto/sha256"
	"testing"

	"aidpass/credential/cwt"
	"aidpass/credential/qr"
	"aidpass/internal/cose"
	"aidpass/trust"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
	"aidpass/words"
)

// bound is unit's card on a phone: its key is the wallet's.
func bound(unit string) vt.CardOptions {
	return vt.CardOptions{Unit: unit, Draft: func(d *cwt.Draft) { d.HolderKey = world.Wallet.Key }}
}

// answerTo is what a wallet shows of unit's card to whoever showed challenge.
func answerTo(t *testing.T, unit string, challenge []byte) string {
	t.Helper()
	p := verifier.PrepareLive(world.Wallet.Key, world.Card(bound(unit)), vt.Now, challenge)
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

// challenge is what stands on the phone's screen, as a wallet reads it.
func (p *phone) challenge(key *cose.Key) *verifier.Challenge {
	p.Helper()
	p.screen("ask")
	var s qr.Scratch
	raw, err := s.Decode(eval[string](p, `document.querySelector("canvas.qr").dataset.text`))
	if err != nil {
		p.Fatal(err)
	}
	c, err := verifier.ReadChallenge(append([]byte(nil), raw...))
	if err != nil {
		p.Fatal(err)
	}
	if c.Organisation != world.A.ID || c.Site != vt.Site || c.Certificate.Key.ID() != key.ID() {
		p.Errorf("the wallet reads %q at %q", c.Organisation, c.Site)
	}
	return c
}

// answers shows the camera what a wallet answers, and returns word and reason.
func (p *phone) answers(text string) (string, words.Reason) {
	p.Helper()
	p.click("scan-answer")
	p.screen("scan")
	p.see(text, 0)
	p.screen("verdict")
	return p.text("#title"), words.Reason(eval[string](p, `document.querySelector("#screen").dataset.reason`))
}

// A phone is asked from the first screen or from a verdict; the answer to this
// challenge counts once, and no other does: not one photographed before, not one to
// another device, not one to the challenge before.
func TestAPhoneIsAskedAndAnswers(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	key := p.enrolled()

	// The card of a phone alone is not enough, and the verdict leads on to asking.
	p.click("scan")
	p.screen("scan")
	p.typed(world.Text(bound("asked")))
	p.screen("verdict")
	if got := eval[string](p, `document.querySelector("#screen").dataset.reason`); got != string(words.LiveRequired) {
		t.Fatalf("a bound card without the phone: %s", got)
	}
	p.click("ask-phone")
	first := p.challenge(key)
	p.shoot("ask-en")

	// One that was photographed when nobody asked.
	photographed := liveCode(t, "asked")
	if word, reason := p.answers(photographed); word == "GIVE" || reason != words.KBWrongNonce {
		t.Errorf("a live code photographed before: %q, %s", word, reason)
	}
	p.see("", 0)
	p.click("ask-phone")
	second := p.challenge(key)
	if sha256.Sum256(first.Raw) == sha256.Sum256(second.Raw) {
		t.Error("the same challenge twice")
	}
	if word, reason := p.answers(answerTo(t, "asked", first.Raw)); word == "GIVE" || reason != words.KBWrongNonce {
		t.Errorf("an answer to the challenge before: %q, %s", word, reason)
	}
	p.see("", 0)
	p.click("ask-phone")
	p.challenge(key)
	if word, reason := p.answers(answerTo(t, "asked", anotherDevices(t))); word == "GIVE" || reason != words.KBWrongNonce {
		t.Errorf("an answer to another device's challenge: %q, %s", word, reason)
	}
	p.see("", 0)
	p.click("ask-phone")
	answer := answerTo(t, "asked", p.challenge(key).Raw)
	if word, reason := p.answers(answer); word != "GIVE" || reason != words.OK {
		t.Fatalf("the answer: %q, %s", word, reason)
	}
	p.see("", 0)
	p.hold("give")
	p.screen("scan")
	if v := p.last(key); len(v.Checks) != 1 || v.Checks[0] != visit.CheckLive {
		t.Errorf("recorded with the checks %v", v.Checks)
	}

	// It was one use, and nobody is asked any more.
	p.typed(answerTo(t, "other", second.Raw))
	p.screen("verdict")
	if got := eval[string](p, `document.querySelector("#screen").dataset.reason`); got != string(words.KBWrongNonce) {
		t.Errorf("an answer where nobody was asked: %s", got)
	}
	p.click("next")
	p.screen("scan")
	p.back()
	p.screen("ready")

	// From the first screen; who turns back has asked nobody, so a code by time counts.
	p.click("ask-phone")
	left := p.challenge(key)
	p.back()
	p.screen("ready")
	p.click("scan")
	p.screen("scan")
	if got := p.scanned(liveCode(t, "by time")); got != "GIVE" {
		t.Errorf("by time, after nobody was asked in the end: %q", got)
	}
	p.click("next")
	p.screen("scan")
	p.typed(answerTo(t, "left", left.Raw))
	p.screen("verdict")
	if got := eval[string](p, `document.querySelector("#screen").dataset.reason`); got != string(words.KBWrongNonce) {
		t.Errorf("an answer to what was left: %s", got)
	}

	// One answer is all: another holder's to the same challenge is none.
	p.click("ask-phone")
	once := p.challenge(key)
	if word, reason := p.answers(answerTo(t, "once", once.Raw)); word != "GIVE" {
		t.Errorf("asked once more: %q, %s", word, reason)
	}
	p.see("", 0)
	p.typed(answerTo(t, "twice", once.Raw))
	p.wait(`document.querySelector("#screen").dataset.reason !== "ok"`)
	if got := eval[string](p, `document.querySelector("#screen").dataset.reason`); got != string(words.KBWrongNonce) {
		t.Errorf("a second answer to one challenge: %s", got)
	}
}

// anotherDevices is a challenge of another table.
func anotherDevices(t *testing.T) []byte {
	t.Helper()
	c, err := trust.ReadDevice(world.DeviceCert(nil))
	if err != nil {
		t.Fatal(err)
	}
	prepared, err := verifier.PrepareChallenge(c, make([]byte, verifier.NonceBytes), vt.Now)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := cose.SignRaw(world.Device, prepared.ToBeSigned())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := prepared.Attach(signature)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// A device whose certificate does not say so asks no phone.
func TestADeviceThatMayNotAskDoesNot(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	p.quick(func(key *cose.Key) []byte {
		cert := world.DeviceCert(func(c *trust.DeviceCertificate) {
			c.Key, c.DeviceID, c.Block, c.MaySign = key, []byte("phone-01"), nil, []uint64{trust.SignJournal}
		})
		return world.Pack(vt.PackOptions{More: []verifier.Part{{Owner: world.A.ID, Kind: verifier.PartDevice, Name: "phone-01", Sequence: 1, Data: cert}}})
	})
	if eval[bool](p, `!!document.getElementById("ask-phone")`) {
		t.Error("Ready offers it")
	}
	p.click("scan")
	p.screen("scan")
	p.typed(world.Text(bound("asked")))
	p.screen("verdict")
	if eval[bool](p, `!!document.getElementById("ask-phone")`) {
		t.Error("the verdict offers it")
	}
}
