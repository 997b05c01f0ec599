package console_test

import (
	"testing"
	"time"

	"aidpass/access"
	"aidpass/internal/browsertest"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

// Every page of consent, recalls, requests and retention, in a language of each direction:
// nothing shuts anybody out, nothing runs out of a phone's page, and the policy refuses
// nothing.
func TestRightsAreOpenToEverybody(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "ar"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			w := d.w
			w.agree(own)
			id := w.person(own, "أمينة يوسف علي")
			for range 2 {
				w.closed(own, 200)
			}
			desk := w.rightsDesk(own)
			given := rights.Given{Purpose: rights.Health, To: map[string]bool{"relief-c": true}, Wording: w.wording(own), Lang: "ar", How: "verbal+witness", By: "caregiver", Witness: "community worker 3", Interpreter: "account 7", ReadAloud: true}
			if _, err := desk.Give(w.Context(), officer, id, given); err != nil {
				t.Fatal(err)
			}
			w.share(own, id)
			made, _, err := desk.Withdraw(w.Context(), officer, id, "", "")
			if err != nil || len(made) != 1 {
				t.Fatal(made, err)
			}
			asked, err := desk.Ask(w.Context(), clerk, id, rights.Forget, "forget me, please:\nall of it", rights.ByWitness)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.registry(own).Enter(w.Context(), registry.Entry{Source: "relief-c", External: "P-7", Household: w.household(own), Person: registry.Person{Sex: registry.Female}}); err != nil {
				t.Fatal(err)
			}
			in, err := w.letterIn(own, officer, "P-7", "relief-c", "")
			if err != nil {
				t.Fatal(err)
			}
			for range registry.ManyHouseholds + 1 {
				if err := w.registry(own).AddCollector(w.Context(), w.household(own), registry.Collector{External: "Abu Omar", Role: registry.Alternate}); err != nil {
					t.Fatal(err)
				}
			}
			m := w.add(own, "dpo", access.DataProtection)
			session, err := w.doors[own].Session(w.Context(), m.token)
			if err == nil {
				err = w.doors[own].SetLanguage(w.Context(), session, lang)
			}
			if err != nil {
				t.Fatal(err)
			}
			d.as(m)
			her := "/people/" + id.String()
			for _, at := range []struct{ name, path string }{{"consent", her + "/consent"}, {"consent-ask", her + "/consent/new?wording=sharing-1&lang=ar"}, {"notices", "/notices"}, {"notice", "/notices/of/sharing-1"},
				{"notice-new", "/notices/new?after=sharing-1"}, {"recalls", "/recalls"}, {"recall", "/recalls/of/" + made[0].ID}, {"letters", "/letters"}, {"letter", "/letters/" + in.Handle()},
				{"requests", "/requests"}, {"request", "/requests/of/" + asked.ID}, {"requests-hers", her + "/requests"}, {"held", her + "/held"}, {"collectors-many", "/collectors"}, {"retention", "/retention"},
				{"erasure", "/records/" + id.String() + "/erasure"}} {
				d.open(at.path)
				d.look(lang, at.name)
			}
			d.open("/records/" + id.String() + "/erasure")
			d.Click("ask")
			d.Wait(`location.pathname.startsWith("/desk/removals/")`)
			d.look(lang, "removal")
			d.open("/retention")
			browsertest.Eval[bool](d.Page, `(document.querySelector("#item-0").click(), true)`)
			d.Click("ask")
			d.Wait(`document.querySelector("input[name=step]")`)
			d.look(lang, "retention-choose")
			w.move(access.StepUpLife + time.Second)
			d.open(her + "/held")
			d.Wait(`location.pathname === "/desk/proof"`)
			if n := d.reports(); n != 0 {
				t.Errorf("the policy refused %d things", n)
			}
		})
	}
}
