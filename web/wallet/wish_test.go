package wallet_test

import (
	"net/url"
	"strings"
	"testing"

	vt "aidpass/verifier/verifiertest"
	hold "aidpass/wallet"
)

// A card that lives in the phone is not handed over: what its holder asks the desk goes
// under the phone's own key, stands on the card, and is taken back the same way, all
// without a network.
func TestTheDeskIsAskedToLetSomebodyCollect(t *testing.T) {
	t.Parallel()
	server := serve(t, issuer(t))
	p := newPhone(t, server)
	p.begun("en")
	p.take("openid-credential-offer://?credential_offer=" + url.QueryEscape(`{"credential_issuer":"`+server.URL+`/i1","credential_configuration_ids":["card"],"grants":{"urn:ietf:params:oauth:grant-type:pre-authorized_code":{"pre-authorized_code":"c"}}}`))
	p.screen("offered")
	p.Click("yes")
	p.screen("received")
	server.Close()
	p.Click("go")
	p.screen("one-card")
	if got := p.Text(".body"); !strings.Contains(got, "Nothing else proves whose it is") {
		t.Errorf("a card that nothing proves here says %q", got)
	}
	read := func(ends bool) {
		t.Helper()
		p.Wait(`document.querySelector("canvas.qr")?.dataset.text`)
		text := eval[string](p, `document.querySelector("canvas.qr").dataset.text`)
		wish, err := hold.ReadWish(text)
		if err != nil || wish.To != "Zawadi" || wish.Ends != ends || wish.At < vt.Now || wish.At > vt.Now+600 {
			t.Errorf("the desk reads %+v, %v", wish, err)
		}
		if saved := p.Download("save"); string(saved) != text {
			t.Errorf("the file says %q", saved)
		}
		p.back("one-card")
	}
	p.Click("lend")
	p.screen("wish")
	p.Fill("to", "Zawadi")
	p.Click("yes")
	read(false)
	if got := p.Text(".wish"); !strings.Contains(got, "Zawadi") || !strings.Contains(got, "The desk decides") {
		t.Errorf("the card says %q", got)
	}
	p.Click("wish-again")
	read(false)
	p.Click("wish-back")
	read(true)
	if got := p.Text(".wish"); !strings.Contains(got, "took back") || eval[bool](p, `!!document.getElementById("wish-back")`) {
		t.Errorf("taken back, the card says %q", got)
	}
	p.back("my-cards")
	p.Click("history")
	p.screen("history")
	if got := p.Text(".log"); strings.Count(got, "Zawadi") < 3 || !strings.Contains(got, "took back") {
		t.Errorf("the history says %q", got)
	}
}
