package console_test

import (
	"bytes"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
	"aidpass/web/console"
)

func init() {
	for _, path := range []string{"/handouts/of/:print", "/handouts/batch/:batch"} {
		forms["POST "+path] = url.Values{"reason": {"morning round"}}
	}
}

// Who hands out cards learns for a reason whose each of them is, on the screen and on paper;
// the log has the reason and whom it was about.
func TestWhoseEachPrintedCardIs(t *testing.T) {
	w := newWorld(t)
	job := w.issuing.print(own)
	a := w.as(own, access.DistributionLead)
	at := "/handouts/of/" + job
	has(t, a.get("/handouts").Body.String(), at)
	if page := a.get(at).Body.String(); strings.Contains(page, "Amina") {
		t.Error("names before a reason was given")
	}
	if got := a.post(at, url.Values{}); got.Code != 422 || strings.Contains(got.Body.String(), "Amina") {
		t.Errorf("without a reason: %d", got.Code)
	}
	page := a.post(at, url.Values{"reason": {"morning round"}}).Body.String()
	for _, want := range []string{"GBFF-ZGF4-B2Y", "Amina &lt;b&gt;Yusuf", "KE007001", "Do not hand it out: cancelled"} {
		has(t, page, want)
	}
	for _, paper := range []url.Values{{"lang": {"en"}}, {"lang": {"ar"}, "paper": {"letter"}}} {
		got := a.post(at, with(paper, url.Values{"reason": {"morning round"}, "on": {"paper"}}))
		if got.Code != 200 || !bytes.HasPrefix(got.Body.Bytes(), []byte("%PDF-")) {
			t.Errorf("on paper: %d", got.Code)
		}
	}
	var looks int
	for _, l := range w.peopleOf(own).looks {
		if l.Action == "batch.handout" && l.Reason == "morning round" && l.Object == job && len(l.about) >= 2 {
			looks++
		}
	}
	if looks != 3 {
		t.Errorf("%d looks in the log, want 3", looks)
	}
	if !slices.ContainsFunc(w.entries(own), func(e access.Entry) bool {
		return e.Action == "export.make" && e.Reason == "morning round" && strings.Contains(e.Detail, "rows=2")
	}) {
		t.Error("the log does not tell of the paper")
	}
	if got := w.as(own, access.Registrar).get(at); got.Code != 403 {
		t.Errorf("a registrar: %d", got.Code)
	}
	if got := a.get("/handouts/batch/" + w.issuing.batch(other, issuer.Done)); got.Code != 404 {
		t.Errorf("another's batch: %d", got.Code)
	}
}

// A round that is in no pack of this server is told of, and where one is.
func TestWhichPacksServeARound(t *testing.T) {
	w := newWorld(t)
	code := w.issuing.programme(own)
	a := w.as(own, access.DistributionLead, access.Issuer)
	has(t, a.get("/programmes/of/"+code).Body.String(), "No pack that this server builds serves this round")
	has(t, a.get("/batches/of/"+w.issuing.batch(own, issuer.Prepared)).Body.String(), "Served by the packs for: <bdi>WELL-A</bdi>")
	warned := "In no pack: <bdi>" + code + "</bdi>, round <bdi>1</bdi>"
	if page := a.get("/devices/pack").Body.String(); strings.Contains(page, "In no pack") {
		t.Errorf("a round that every place serves is in no pack:\n%s", page)
	}
	w.desks[own].serves = []console.PackServes{{Site: "WELL-A", Rounds: []console.PackRound{{Programme: "K7Q2"}}}}
	has(t, a.get("/devices/pack").Body.String(), warned)
	w.desks[own].serves = []console.PackServes{{Site: "WELL-A", Rounds: []console.PackRound{{Programme: code, Round: 1}}}}
	if page := a.get("/devices/pack").Body.String(); strings.Contains(page, warned) {
		t.Errorf("a round that a place serves is in no pack:\n%s", page)
	}
}

// A head who was entered by hand stands in her household by her id alone. An erasure says
// whom it leaves behind, stops the household's card, and who leads it is asked.
func TestAnErasedHeadLeavesAHousehold(t *testing.T) {
	w := newWorld(t)
	store := w.peopleOf(own)
	reg := w.registry(own)
	house, err := reg.EnterHousehold(t.Context(), "", "HH-9", registry.Household{Size: 2})
	if err != nil {
		t.Fatal(err)
	}
	a := w.as(own, access.Registrar)
	var her registry.ID
	for i, who := range []url.Values{{"name": {"Amina Yusuf"}, "relation": {"head"}, "birth": {"1990-01-01"}}, {"name": {"Liban Yusuf"}, "relation": {"child"}, "birth": {"2019-01-01"}}} {
		who.Set("household", house.ID.String())
		who.Set("once", strconv.Itoa(i))
		if got := a.post("/people/new", who); got.Code != 303 {
			t.Fatal(got.Code, got.Body)
		}
	}
	err = store.Update(t.Context(), clerk, func(tx registry.Tx) error {
		rec, err := tx.Record(house.ID)
		if err != nil {
			return err
		}
		h, err := rec.HouseholdRecord()
		if err != nil {
			return err
		}
		if her, err = registry.ParseID(h.Head); err != nil {
			return err
		}
		if err := tx.SaveProgramme(registry.Programme{Code: "cash", Name: "Cash", Rounds: []registry.Round{{N: 1}}}); err != nil {
			return err
		}
		_, err = tx.SaveEntitlement(registry.Entitlement{Unit: house.ID, Programme: "cash", Round: 1, Status: registry.Granted})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	store.GiveCards(house.ID, 1)
	ask, err := w.rightsDesk(own).Ask(t.Context(), clerk, her, rights.Forget, "forget me", rights.ByPhoto)
	if err != nil {
		t.Fatal(err)
	}
	dpo := w.of(w.add(own, "dpo-1", access.DataProtection, access.OrgAdmin))
	at := "/records/" + her.String() + "/erasure"
	says := []string{"Households that lose their head: <bdi>1</bdi>", "stay in them: <bdi>1</bdi>", "date of birth: <bdi>0</bdi>", "on hold: <bdi>1</bdi>", "not collected yet: <bdi>1</bdi>", "Cards that are revoked: <bdi>1</bdi>"}
	page := dpo.get(at + "?request=" + ask.ID).Body.String()
	for _, want := range says {
		has(t, page, want)
	}
	dpo.follow(dpo.post(at, url.Values{"request": {ask.ID}, "reason": {"asked"}}))
	lead := w.add(own, "lead", access.OrgAdmin)
	in, err := w.doors[own].Session(t.Context(), lead.token)
	if err != nil {
		t.Fatal(err)
	}
	all, err := w.doors[own].Approvals(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	told := w.of(lead).get("/approvals/" + all[0].ID).Body.String()
	for _, want := range says {
		has(t, told, want)
	}
	if code := w.approve(lead, access.PersonErase); code != 303 {
		t.Fatalf("approving: %d", code)
	}
	if n := store.CardsOf(house.ID); n != 0 {
		t.Errorf("cards of the household: %d", n)
	}
	has(t, a.get("/").Body.String(), "Households whose head was taken out of the register")
	err = store.View(t.Context(), func(v registry.View) error {
		found, err := v.Lookup(registry.HeadlessKey)
		if err != nil || len(found) != 1 {
			t.Fatalf("households without a head: %v, %v", found, err)
		}
		has(t, a.get("/households/"+found[0].String()).Body.String(), `id="headless"`)
		hasNot(t, a.get("/households/"+found[0].String()).Body.String(), her.String())
		if e, err := v.Entitlement(found[0], "cash", 1); err != nil || e.Status != registry.OnHold {
			t.Errorf("what it is due: %+v, %v", e, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A household whose head was erased is told of to who plans and on its page, until somebody
// leads it.
func TestAHouseholdWhoseHeadWasErased(t *testing.T) {
	w := newWorld(t)
	store := w.peopleOf(own)
	var id registry.ID
	err := store.Update(t.Context(), clerk, func(tx registry.Tx) error {
		h := registry.Household{Size: 2, Issues: []registry.Issue{{Code: registry.HeadErased, Field: "head", Text: "erased"}}}
		fields, err := h.Fields()
		if err != nil {
			return err
		}
		saved, err := tx.Save(registry.Change{Kind: registry.KindHousehold, External: "HH-9", Fields: fields, Keys: []registry.Key{registry.HeadlessKey}})
		id = saved.ID
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	a := w.as(own, access.Registrar)
	has(t, a.get("/").Body.String(), "Households whose head was taken out of the register")
	has(t, a.get("/households/"+id.String()).Body.String(), `id="headless"`)
	got := a.post("/people/new", url.Values{"household": {id.String()}, "name": {"Zahra"}, "relation": {"head"}, "once": {"h"}})
	if got.Code != 303 {
		t.Fatal(got.Code)
	}
	if page := a.get("/").Body.String() + a.get("/households/"+id.String()).Body.String(); strings.Contains(page, "Households whose head") || strings.Contains(page, `id="headless"`) {
		t.Error("told of after somebody leads it")
	}
}
