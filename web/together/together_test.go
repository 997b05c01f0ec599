// Package together_test holds the scanner of a table and the wallet of a holder before
// each other: two browsers, each of whose cameras sees the other's screen.
package together_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/credential/qr"
	"aidpass/internal/browsertest"
	"aidpass/internal/cose"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/verifier/enrol"
	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
	"aidpass/web/api"
	"aidpass/web/scanner"
	"aidpass/web/wallet"
	"aidpass/words"
)

var world = vt.New()

const pin = "402917"

var office = sync.OnceValues(func() (http.Handler, error) {
	scans, err := scanner.Files()
	holds, err2 := wallet.Files()
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	return api.New(api.Config{Scanner: scans, Wallet: holds, Now: time.Now})
})

// meeting is a table and a holder who has a card of a type, bound to her phone.
type meeting struct {
	*testing.T
	table, holder *browsertest.Page
	key           *cose.Key // of the table
	card          []byte    // COSE bytes; whoever photographs it has them
}

// meet sets both phones up; the holder's card is open on hers, the table is ready.
func meet(t *testing.T, typ string) *meeting {
	t.Helper()
	site, err := office()
	if errors.Is(err, scanner.ErrNotBuilt) || errors.Is(err, wallet.ErrNotBuilt) {
		t.Skipf("SKIPPED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	m := &meeting{T: t}
	issuer := browsertest.Issuer(t, func(key *cose.Key) string {
		m.card = world.Card(vt.CardOptions{Type: typ, Unit: "amina", Draft: func(d *cwt.Draft) { d.HolderKey = key }})
		text, err := cwt.Text(m.card)
		if err != nil {
			t.Error(err)
		}
		return text
	})
	server := browsertest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/wallet/"):
			site.ServeHTTP(w, r)
		case strings.Contains(r.URL.Path, "/i1"):
			issuer.ServeHTTP(w, r)
		default: // at the root no office answers: the table is enrolled by files
			if !strings.HasPrefix(r.URL.Path, "/api/") {
				r.URL.Path = "/scanner" + r.URL.Path
			}
			site.ServeHTTP(w, r)
		}
	}))
	clock := vt.Now.Std()
	m.table, m.holder = browsertest.New(t, clock), browsertest.New(t, clock)
	m.enrol(server.URL)
	m.receive(server.URL)
	server.Close() // both are offline from here
	return m
}

// enrol sets the table up, to an open shift.
func (m *meeting) enrol(address string) {
	m.Helper()
	p := m.table
	p.Open(address)
	p.Fill("name", "tab-7")
	p.Click("make-key")
	p.Wait(`document.querySelector("canvas.qr")`)
	request, err := enrol.ParseRequest([]byte(browsertest.Eval[string](p, `document.querySelector("canvas.qr").dataset.text`)))
	if err != nil {
		m.Fatal(err)
	}
	m.key = request.Key
	certificate := world.DeviceCert(func(c *trust.DeviceCertificate) { c.Key, c.DeviceID, c.Block = m.key, []byte("phone-01"), nil })
	p.Click("go")
	p.Click("load-pack")
	p.Upload("#file", "site.pack", world.Pack(vt.PackOptions{
		Policy: &verifier.Policy{Country: "KEN", Programmes: map[string][]verifier.Round{vt.Programme: {{N: 3, Opens: vt.Made - 86400, Closes: vt.Made + 60*86400}}}},
		More:   []verifier.Part{{Owner: world.A.ID, Kind: verifier.PartDevice, Name: "phone-01", Sequence: 1, Data: certificate}},
	}))
	p.Wait(`document.querySelector("#choose-pin.main")`)
	p.Click("choose-pin")
	p.Fill("pin", pin)
	p.Fill("pin2", pin)
	p.Click("pin-go")
	p.Screen("setup")
	p.Click("done")
	p.Screen("ready")
	p.Click("open-shift")
	p.Fill("staff", "V-12")
	p.Click("shift-go")
	p.Screen("gate")
	p.Fill("pin", pin)
	p.Click("pin-go")
	p.Wait(`document.getElementById("shift")`)
}

// receive begins the holder's wallet and takes the card.
func (m *meeting) receive(address string) {
	m.Helper()
	p := m.holder
	p.Open(address + "/wallet/")
	p.Click("lang-en")
	p.Click("mine")
	p.Click("pic-fish")
	p.Wait(`["lock", "new-pin"].includes(document.querySelector("#screen").dataset.screen)`)
	if browsertest.Eval[bool](p, `!!document.getElementById("by-pin")`) {
		p.Click("by-pin")
	}
	p.Fill("pin", pin)
	p.Fill("pin2", pin)
	p.Click("pin-go")
	p.Screen("my-cards")
	p.Click("add")
	p.Click("link")
	p.Fill("text", browsertest.Offer(address))
	p.Click("link-go")
	p.Screen("offered")
	p.Click("yes")
	p.Screen("received")
	p.Click("go")
	p.Screen("one-card")
}

const shown = `document.querySelector("canvas.qr").dataset.text`

// verdict is the word and the reason on the table's screen.
func (m *meeting) verdict() (string, words.Reason) {
	m.Helper()
	m.table.Screen("verdict")
	return m.table.Text("#title"), words.Reason(browsertest.Eval[string](m.table, `document.querySelector("#screen").dataset.reason`))
}

// refused wants the table to refuse what it saw, and goes on asking nobody.
func (m *meeting) refused(what string, want words.Reason) {
	m.Helper()
	if word, reason := m.verdict(); word == "GIVE" || reason != want {
		m.Errorf("%s: %q, %s, want %s", what, word, reason, want)
	}
	m.table.See("", 0)
}

// The table asks by a code on its screen; the wallet reads it, says who asks and answers
// by one of its own, from which the table knows the holder. A photograph of that answer
// is none to the next question, and neither is what another phone shows.
func TestTwoPhonesMeet(t *testing.T) {
	t.Parallel()
	m := meet(t, "phone_cash")
	table, holder := m.table, m.holder

	table.Click("ask-phone")
	table.Screen("ask")
	holder.Click("desk")
	holder.Screen("scan")
	holder.SeePicture(table.Photograph("canvas.qr"))
	holder.Screen("desk")
	house, err := url.Parse(world.A.ID) // people compare a website, not an address with a path
	if err != nil {
		t.Fatal(err)
	}
	if asks := holder.Text("#screen"); !strings.Contains(asks, house.Host+" ") || !strings.Contains(asks, vt.Site) {
		t.Errorf("who asks is said as %q", asks)
	}
	holder.See("", 0)
	holder.Click("yes")
	holder.Screen("show")
	holder.Wait(shown)
	if says := holder.Text(".live"); !strings.Contains(says, "Only the desk that asked") || strings.Contains(says, "ends at") {
		t.Errorf("an answer says %q", says)
	}
	holder.Shoot("en-wallet-answer")
	answer := holder.Photograph("canvas.qr")

	table.Click("scan-answer")
	table.Screen("scan")
	table.SeePicture(answer)
	if word, reason := m.verdict(); word != "GIVE" || reason != words.OK || !strings.Contains(table.Text("#screen"), "checked just now") {
		t.Fatalf("the answer: %q, %s\n%s", word, reason, table.Text("#screen"))
	}
	table.Shoot("en-screen-verdict-answered")
	table.See("", 0)
	table.Hold("give")
	table.Screen("scan")
	record, err := visit.Read(bytes.Join(table.Kept("aidpass-scanner", "journal"), nil), func([]byte) *cose.Key { return m.key })
	if err != nil {
		t.Fatal(err)
	}
	if last := record.Visits[len(record.Visits)-1]; len(last.Checks) != 1 || last.Checks[0] != visit.CheckLive {
		t.Errorf("recorded with the checks %v", last.Checks)
	}

	// What she answered is photographed from her screen, and shown by somebody else.
	table.Back()
	m.ask()
	table.SeePicture(answer)
	m.refused("the photograph of the answer, under the next challenge", words.KBWrongNonce)
	var s qr.Scratch
	challenge, err := s.Decode(m.ask())
	if err != nil {
		t.Fatal(err)
	}
	table.See(m.live(vt.P256("a phone that has the card and not its key"), challenge), 0)
	m.refused("her card, answered by another phone", words.KBBadSignature)
}

// ask makes the table ask, up to the camera that looks for the answer, and returns the
// text on its screen.
func (m *meeting) ask() string {
	m.Helper()
	m.table.Click("ask-phone")
	m.table.Screen("ask")
	challenge := browsertest.Eval[string](m.table, shown)
	m.table.Click("scan-answer")
	m.table.Screen("scan")
	return challenge
}

// live is the holder's card, signed by k in answer to a challenge.
func (m *meeting) live(k vt.Signer, challenge []byte) string {
	m.Helper()
	p := verifier.PrepareLive(k.Key, m.card, vt.Now, challenge)
	signature, err := cose.SignRaw(k, p.ToBeSigned())
	if err != nil {
		m.Fatal(err)
	}
	raw, err := p.Attach(signature)
	if err != nil {
		m.Fatal(err)
	}
	text, err := cwt.Text(raw)
	if err != nil {
		m.Fatal(err)
	}
	return text
}

// A code of the moment is good for two minutes either way of the table's clock, an answer
// for four minutes after the question whatever the wallet's clock says; to the second,
// and each once.
func TestTwoClocksMeet(t *testing.T) {
	t.Parallel()
	m := meet(t, "eligibility")
	table, holder := m.table, m.holder
	at := vt.Now + 100 // of the table
	set := func(p *browsertest.Page, to credential.Time) { t.Helper(); p.Freeze(to.Std()) }
	byTime := func(clock credential.Time) string {
		t.Helper()
		set(holder, clock)
		holder.Click("show")
		holder.Wait(shown)
		text := browsertest.Eval[string](holder, shown)
		holder.Back()
		holder.Screen("one-card")
		return text
	}
	answer := func(challenge string, clock credential.Time) string {
		t.Helper()
		set(holder, clock)
		holder.Click("desk")
		holder.Screen("scan")
		holder.Type(challenge)
		holder.Screen("desk")
		holder.Click("yes")
		holder.Wait(shown)
		text := browsertest.Eval[string](holder, shown)
		holder.Back()
		holder.Screen("one-card")
		return text
	}
	judged := func(what, text string, clock credential.Time, want words.Reason) {
		t.Helper()
		set(table, clock)
		browsertest.Eval[bool](table, `delete document.querySelector("#screen").dataset.reason`) // of the verdict before
		table.Type(text)
		table.Wait(`document.querySelector("#screen").dataset.reason`)
		if word, reason := m.verdict(); reason != want || (word == "GIVE") != (want == words.OK) {
			t.Errorf("%s: %q, %s, want %s", what, word, reason, want)
		}
	}
	next := func() { t.Helper(); table.Click("next"); table.Screen("scan") }

	table.Click("scan")
	table.Screen("scan")
	var ahead string
	for _, c := range []struct {
		what  string
		clock credential.Time // of the wallet, against the table's
		want  words.Reason
	}{
		{"a wallet two minutes behind", -120, words.OK},
		{"a second more", -121, words.KBStale},
		{"a wallet a second too far ahead", 121, words.KBStale},
		{"a wallet two minutes ahead", 120, words.OK},
	} {
		ahead = byTime(at + c.clock)
		judged(c.what, ahead, at, c.want)
		next()
	}
	// Four minutes after it was taken its own time is just over.
	for _, after := range []credential.Time{1, 240, 241} {
		judged("taken before", ahead, at+after, words.KBStale)
		next()
	}

	over, nobody := byTime(at+1), byTime(at+2)
	// The wallet's clock goes back alone: a pocket closes where it jumps ahead.
	for _, c := range []struct {
		what         string
		clock, after credential.Time
		want         words.Reason
	}{
		{"an answer of a wallet three minutes ahead", 180, 0, words.OK},
		{"an answer of a wallet hours behind, in the last second", -7200, verifier.AnswerWithin, words.OK},
		{"an answer a second too late", -7200, verifier.AnswerWithin + 1, words.KBStale},
	} {
		table.Back()
		table.Screen("ready")
		set(table, at)
		text := answer(m.ask(), at+c.clock)
		judged(c.what, text, at+c.after, c.want)
		if c.want == words.OK {
			next()
			judged("the same answer again", text, at+c.after, words.KBWrongNonce)
			next()
		}
	}
	// Who did not answer in time is still who was asked; the next one is not.
	judged("by time, where the question is over", over, at, words.KBWrongNonce)
	next()
	judged("by time, where nobody was asked", nobody, at, words.OK)
}
