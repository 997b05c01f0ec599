package console_test

import (
	"fmt"
	"testing"

	"aidpass/access"
	"aidpass/internal/browsertest"
	"aidpass/issuer"
)

// Every page of programmes, batches, printing, cards and offers, in a language of each
// direction: nothing shuts anybody out, and the policy refuses nothing.
func TestIssuingIsOpenToEverybody(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "ar"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			w, s := d.w, d.w.issuing
			m := w.add(own, "printer", access.Issuer, access.Approver, access.Registrar, access.DistributionLead)
			in, err := w.doors[own].Session(w.Context(), m.token)
			if err == nil {
				err = w.doors[own].SetLanguage(w.Context(), in, lang)
			}
			if err != nil {
				t.Fatal(err)
			}
			programme, batch, done, print, card, offered := s.programme(own), s.batch(own, issuer.Prepared), s.batch(own, issuer.Done), s.print(own), s.card(own), s.offer(own)
			holder := w.person(own, "Amina Yusuf").String()
			d.as(m)
			for _, at := range []struct{ name, path string }{{"programmes", "/programmes"}, {"programme-new", "/programmes/new"}, {"programme", "/programmes/of/" + programme},
				{"batches", "/batches"}, {"batch-new", "/batches/new"}, {"batch", "/batches/of/" + batch}, {"batch-issued", "/batches/of/" + done}, {"batch-mend", "/batches/of/" + batch + "/mend"}, {"batch-fixes", "/batches/of/" + batch + "/fixes"}, {"batch-read", "/batches/of/" + batch + "/people"},
				{"prints", "/prints"}, {"print", "/prints/of/" + print}, {"print-new", "/prints/batch/" + done}, {"handouts", "/handouts"}, {"handout", "/handouts/of/" + print}, {"cards", "/cards"}, {"card", "/cards/of/" + card}, {"card-face", "/people/" + holder + "/face"}, {"cards-many", "/cards/many"},
				{"offers", "/offers"}, {"offer-new", "/offers/new"}, {"offer", "/offers/of/" + offered}} {
				d.open(at.path)
				browsertest.Eval[bool](d.Page, `(document.querySelectorAll("main details").forEach((e) => { e.open = true; }), true)`)
				d.look(lang, at.name)
			}
			d.open("/offers/new")
			browsertest.Eval[bool](d.Page, `(document.querySelector("#unit").value = "17", document.querySelector("#go").click(), true)`)
			d.Wait(`document.querySelector("#tx")`)
			d.look(lang, "offer-made")
			d.open("/cards")
			browsertest.Eval[bool](d.Page, `(document.querySelector("#q").value = "GBFF-ZGF4-B2Y", document.querySelector("#go").click(), true)`)
			d.Wait(fmt.Sprintf(`document.querySelector('a[href="/desk/cards/of/%s"]')`, card))
			d.look(lang, "cards-found")
			if n := d.reports(); n != 0 {
				t.Errorf("the policy refused %d things", n)
			}
		})
	}
}
