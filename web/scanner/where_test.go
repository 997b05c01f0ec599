package scanner_test

import (
	"fmt"
	"strings"
	"testing"

	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
)

// roundThree is the site's policy in which a supervisor may be told of sites.
func roundThree(told ...string) *verifier.Policy {
	return &verifier.Policy{Country: "KEN", Told: told, Programmes: map[string][]verifier.Round{vt.Programme: {{N: 3, Opens: vt.Made - 86400, Closes: vt.Made + 60*86400}}}}
}

// details goes through the supervisor's door to the details of the verdict on the screen.
func (p *phone) details() {
	p.Helper()
	p.click("details")
	p.gated("details")
}

// Place and hour of an earlier collection: nobody but a supervisor, on a tap that is
// written down, and only of the own organisation's sites that the pack names.
func TestWhereabouts(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	key := p.quick(func(k *cose.Key) []byte {
		return packFor(k, vt.PackOptions{Sequence: 8, Policy: roundThree(vt.Site, "DAD-1")})
	})
	card, ofB := world.Text(vt.CardOptions{}), world.Text(vt.CardOptions{Org: world.B, Unit: "b"})
	elsewhere := map[string]any{"programme": vt.Programme, "round": int64(3), "size_band": "4-5", "site": "DAD-1"}
	away, awayB := world.Text(vt.CardOptions{Unit: "away", Plain: elsewhere}), world.Text(vt.CardOptions{Org: world.B, Unit: "away", Plain: elsewhere})
	on := func() {
		p.Helper()
		p.click("next")
		p.screen("scan")
	}
	hidden := func(what string, places ...string) {
		p.Helper()
		for _, s := range append(places, "GMT", "AM", "PM") {
			if strings.Contains(p.text("#screen"), s) {
				t.Errorf("%s: %q is told: %q", what, s, p.text("#screen"))
			}
		}
	}
	for _, c := range []string{card, ofB} {
		if got := p.scanned(c); got != "GIVE" {
			t.Fatalf("first: %q", got)
		}
		p.hold("give")
		p.screen("scan")
	}
	eval[bool](p, `(sessionStorage.setItem("shift", "600"), true)`) // the supervisor has gone
	p.reload()
	p.screen("ready")

	if got := p.scanned(card); got != "ALREADY COLLECTED" {
		t.Fatalf("again: %q", got)
	}
	hidden("to staff", vt.Site)
	before := len(p.readJournal(key).Visits)
	p.click("details")
	p.screen("gate")
	p.gated("details")
	hidden("before the tap", vt.Site)
	p.click("show-where")
	p.wait(`document.getElementById("where")`)
	if told := p.text("#where"); !strings.Contains(told, vt.Site) || !strings.Contains(told, "2026") || !strings.Contains(told, ":") {
		t.Errorf("the supervisor is told %q", told)
	}
	if v := p.last(key); v.Kind != visit.Note || v.Code != "place_shown" || v.Ledger != world.Ledger() || len(p.readJournal(key).Visits) != before+1 {
		t.Errorf("the look is not written down: %+v", v)
	}
	p.shoot("where-en")
	p.axe("where")
	on()
	p.scanned(away)
	hidden("to staff, not here", "DAD-1")
	p.details()
	p.click("show-where")
	p.wait(`document.getElementById("where")`)
	if told := p.text("#where"); !strings.Contains(told, "DAD-1") || strings.Contains(told, vt.Site) {
		t.Errorf("not here: the supervisor is told %q", told)
	}
	on()
	never := func(what, c, word string) {
		p.Helper()
		if got := p.scanned(c); got != word {
			t.Fatalf("%s: %q", what, got)
		}
		p.details()
		if eval[bool](p, `!!document.getElementById("show-where")`) {
			t.Errorf("%s: can be shown", what)
		}
		hidden(what, vt.Site, "DAD-1")
		on()
	}
	never("a card of another organisation, collected", ofB, "ALREADY COLLECTED")
	never("a card of another organisation, not here", awayB, "NOT TODAY / NOT HERE")

	// The next pack names neither place: they are protected.
	p.back()
	p.screen("ready")
	p.loaded(packFor(key, vt.PackOptions{Sequence: 9, Policy: roundThree("OTHER-1")}))
	never("a protected site", card, "ALREADY COLLECTED")
	never("a protected site, not here", away, "NOT TODAY / NOT HERE")

	p.back()
	p.screen("ready")
	p.loaded(packFor(key, vt.PackOptions{Sequence: 10, Policy: roundThree(vt.Site)}))
	p.language("ar")
	p.scanned(card)
	p.details()
	p.click("show-where")
	p.wait(`document.getElementById("where")`)
	p.Layout("where, ar")
	p.shoot("where-ar")
}

// What a new worker reads: whose lists are old, who a witness is, that a card is past its
// date; a complaint can be taken back; and a place without an open round says so.
func TestWhatANewWorkerReads(t *testing.T) {
	t.Parallel()
	p := newPhone(t, serve(t).URL)
	const fresh = vt.Now - 3600
	status := []verifier.Part{{Owner: world.A.ID, Kind: verifier.PartSnapshot, Name: world.A.StatusURI, Sequence: uint64(fresh), Data: world.Snapshot(world.A, vt.StatusOptions{Issued: fresh})},
		{Owner: world.B.ID, Kind: verifier.PartStatusCWT, Name: world.B.StatusURI, Sequence: uint64(vt.Made), Data: world.StatusCWT(world.B, vt.StatusOptions{Next: vt.Made + 60*86400})}}
	key := p.quick(func(k *cose.Key) []byte {
		return packFor(k, vt.PackOptions{Sequence: 8, Issued: fresh, Policy: roundThree(), Status: status, Trust: vt.TrustOptions{Sequence: 6, Issued: fresh}})
	})
	if got := p.text("#lists-chip"); !strings.Contains(got, "oldest: Relief of SSD") {
		t.Errorf("the chip does not say whose list is the oldest: %q", got)
	}
	if own := p.text("#title"); strings.Contains(p.text("#lists-chip"), own) || own != vt.Site {
		t.Errorf("at %q", own)
	}
	p.shoot("ready-oldest-en")

	past := world.Text(vt.CardOptions{Type: "grace", Issued: vt.Now - 181*86400})
	if got := p.scanned(past); got != "GIVE" {
		t.Fatalf("a card in its days of grace: %q", got)
	}
	if got := p.text("#grace"); !strings.Contains(got, "still accepted until") || !strings.Contains(got, "2026") {
		t.Errorf("the remark: %q", got)
	}
	p.fits("grace, en")
	p.shoot("grace-en")
	p.axe("grace")
	p.click("what-witness")
	p.screen("what-witness")
	if got := p.text(".body"); !strings.Contains(got, "neighbour") || !strings.Contains(got, "no photo") {
		t.Errorf("a witness is %q", got)
	}
	p.shoot("witness-en")
	p.axe("witness")
	p.click("witness-back")
	p.screen("verdict")
	p.click("next")
	p.screen("scan")
	card := world.Text(vt.CardOptions{})
	if p.scanned(card); p.text("#grace") != "" {
		t.Error("a card within its dates has a remark")
	}
	p.hold("give")
	p.screen("scan")

	// A complaint is taken back as a gift is: by a counter-entry, on the same card.
	p.scanned(card)
	p.click("complaint")
	p.screen("complaint")
	p.shoot("complaint-undo-en")
	p.axe("complaint")
	said := p.last(key)
	p.click("undo")
	p.screen("verdict")
	p.wait(`document.getElementById("toast").innerText.includes("Taken back")`)
	if v := p.last(key); said.Code != "not_received" || v.Kind != visit.Counter || v.Cancels != said.Sequence || v.Code != "undo" {
		t.Errorf("the complaint %+v, taken back by %+v", said, v)
	}
	if got := p.text("#title"); got != "ALREADY COLLECTED" {
		t.Errorf("after that: %q", got)
	}
	number, err := cwt.CardNumber(string(world.Ledger().Pseudonym))
	if err != nil {
		t.Fatal(err)
	}
	if got := p.text("#screen"); !strings.Contains(got, cwt.GroupCardNumber(number)) {
		t.Errorf("the card's number is not as it is printed, %s: %q", cwt.GroupCardNumber(number), got)
	}
	p.click("complaint") // and meant this time
	p.screen("complaint")
	p.click("next")
	p.screen("scan")
	p.back()
	p.screen("ready")
	p.click("history")
	p.screen("history")
	if got := p.text(".log"); !strings.Contains(got, cwt.GroupCardNumber(number)) || strings.Contains(got, number) {
		t.Errorf("numbers in the history: %q", got)
	}
	meant := p.last(key).Sequence
	press := fmt.Sprintf(`[data-sequence="%d"] button`, meant)
	p.Push(press)
	p.gated("take-back")
	p.axe("take back")
	p.shoot("take-back-en")
	if got := p.text(".log"); !strings.Contains(got, "did not receive") || eval[int](p, `document.querySelectorAll(".log li").length`) != 1 {
		t.Errorf("what is asked about: %q", got)
	}
	p.click("leave-it")
	p.screen("history")
	if v := p.last(key); v.Sequence != meant {
		t.Errorf("taken back before anybody said so: %+v", v)
	}
	p.Push(press)
	p.click("take-back")
	p.wait(`document.getElementById("toast").innerText.includes("Taken back")`)
	if v := p.last(key); v.Kind != visit.Counter || v.Cancels != meant {
		t.Errorf("the supervisor took back %+v", v)
	}
	p.back()
	p.screen("ready")

	if eval[bool](p, `!!document.getElementById("no-round")`) {
		t.Error("a place with an open round says that none is")
	}
	for n, c := range []struct {
		rounds []verifier.Round
		want   string
	}{{nil, "No round is open"}, {[]verifier.Round{{N: 4, Opens: vt.Now + 5*86400, Closes: vt.Now + 9*86400}}, "The next one opens on"}} {
		policy := &verifier.Policy{Country: "KEN", Programmes: map[string][]verifier.Round{}}
		if c.rounds != nil {
			policy.Programmes[vt.Programme] = c.rounds
		}
		p.loaded(packFor(key, vt.PackOptions{Sequence: uint64(9 + n), Issued: fresh, Policy: policy, Status: status, Trust: vt.TrustOptions{Sequence: 6, Issued: fresh}}))
		if got := p.text("#no-round"); !strings.Contains(got, c.want) || !strings.Contains(got, "newer pack") || strings.Contains(got, "The next one") != (c.rounds != nil) {
			t.Errorf("round %d: %q, want %q", n, got, c.want)
		}
		p.axe("no round")
	}
	p.shoot("no-round-en")
	p.language("ar")
	p.Layout("no round, ar")
	p.shoot("no-round-ar")
	if p.scanned(past); p.text("#grace") != "" {
		t.Errorf("a card that gives nothing is told to be accepted: %q", p.text("#grace"))
	}
}
