package wallet_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/browsertest"
	"aidpass/internal/cose"
	vt "aidpass/verifier/verifiertest"
	"aidpass/words"
)

// issuer hands out a card bound to the key of whoever proves to have it.
func issuer(t *testing.T) http.Handler {
	return browsertest.Issuer(t, func(key *cose.Key) string {
		return world.Text(vt.CardOptions{Unit: "phone", Draft: func(d *cwt.Draft) { d.HolderKey = key }})
	})
}

// A live code is judged good while it is on the screen, and refused as a photograph of
// it three minutes later; the next one is another, made without any server.
func TestALiveCodeIsGoodAndItsPhotographIsNot(t *testing.T) {
	t.Parallel()
	server := serve(t, issuer(t))
	p := newPhone(t, server)
	p.begun("en")
	p.take(browsertest.Offer(server.URL))
	p.screen("offered")
	p.Click("yes")
	p.screen("received")
	server.Close()
	p.Click("go")
	p.screen("one-card")
	// ends is how the app says the first full minute in which a code made now is over.
	ends := func() string {
		return eval[string](p, `new Intl.DateTimeFormat("en", { timeStyle: "short" }).format(Math.ceil((Math.floor(Date.now() / 1000) + 120) / 60) * 60000)`)
	}
	shown := func() string {
		before := ends()
		p.Click("show")
		p.Wait(`document.querySelector("canvas.qr")?.dataset.text`)
		text := eval[string](p, `document.querySelector("canvas.qr").dataset.text`)
		if says := p.Text(".live"); !strings.Contains(says, fmt.Sprintf("ends at %s.", before)) && !strings.Contains(says, fmt.Sprintf("ends at %s.", ends())) {
			t.Errorf("a code that ends at %s says %q", before, says)
		}
		p.back("one-card")
		return text
	}
	first := shown()
	pack := world.Pack(vt.PackOptions{})
	for at, want := range map[credential.Time]words.Reason{60: words.OK, 240: words.KBStale} {
		if r := world.Judge(&vt.Case{Text: first, Pack: pack, At: vt.Now + at}); r.Reason != want {
			t.Errorf("after %d s: %s, want %s", at, r.Reason, want)
		}
	}
	p.Click("show")
	p.Wait(`document.querySelector("canvas.qr")?.dataset.text`)
	p.Axe("a live code")
	p.Layout("a live code")
	p.Shoot("en-wallet-show-live")
	p.back("one-card")
	if second := shown(); second == first {
		t.Error("the second code is the first")
	}
}
