package console_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/match"
	"aidpass/status"
)

// pair enters somebody twice, in two households of one, and what a run said of that.
func (w *world) pair(d registry.Double, name string) (newer, older registry.ID) {
	w.Helper()
	older = w.member(own, w.household(own), name, "1987-05-12")
	newer = w.member(own, w.single(), name, "1987-12-05")
	d.A, d.B, d.Why = newer, older, registry.KeyMatch
	err := w.peopleOf(own).Update(w.Context(), clerk, func(tx registry.Tx) error { return tx.SaveDouble(d) })
	if err != nil {
		w.Fatal(err)
	}
	return newer, older
}

// single is a household of one.
func (w *world) single() registry.ID {
	w.Helper()
	s, err := w.registry(own).EnterHousehold(w.Context(), "", "HH-"+name(), registry.Household{Size: 1, CollectType: "full", Location: &registry.Location{PCode: "KE007001"}})
	if err != nil {
		w.Fatal(err)
	}
	return s.ID
}

// looksLike is what a run says of a pair that it is sure of.
func looksLike() registry.Double {
	return registry.Double{Bits: 12, Told: true, Evidence: []registry.Evidence{{Field: "phone", Level: "same", Bits: 11}, {Field: "birth", Level: "day_month", Bits: 6},
		{Field: "given", Level: "sounds", Bits: 2.5}, {Field: "sex", Level: "same", Bits: 0.9}, {Field: "address", Level: "different", Bits: -4.5}, {Field: "household", Level: "others_fit", Bits: 3}}}
}

func pairAt(newer, older registry.ID) string {
	return "/people/" + newer.String() + "/double?other=" + older.String()
}

// giveCard gives a record a card that stops with it.
func (w *world) giveCard(unit registry.ID) string {
	w.Helper()
	w.peopleOf(own).GiveCards(unit, 1)
	number := fmt.Sprintf("%016d", 4000000000000000+len(w.peopleOf(own).cards))
	w.peopleOf(own).cards = append(w.peopleOf(own).cards, issuer.Card{Credential: issuer.Credential{ID: issuer.NewCTI(), Unit: unit, CardNumber: number, Type: "eligibility", Form: credential.FormCWT,
		Status: status.Valid, ExpiresAt: credential.Time(w.now().AddDate(1, 0, 0).Unix())}, Paper: issuer.CardHandedOver})
	return cwt.GroupCardNumber(number)
}

// The page of a pair says field by field why the two may be one, how strongly that speaks, and
// what each decision comes to before it is taken.
func TestAPairIsExplainedInWords(t *testing.T) {
	w := newWorld(t)
	d := looksLike()
	newer, older := w.pair(d, "Amina Yusuf")
	card := w.giveCard(newer)
	a := w.as(own, access.Registrar)
	list := a.get("/doubles").Body.String()
	has(t, list, "Nearly certain")
	has(t, list, "telephone: the same number; address: differs")
	page := a.get(pairAt(older, newer)).Body.String()
	for _, want := range []string{"telephone: the same number, only these two have it", "Speaks very strongly for one person", "birth: day and month changed places", "Speaks strongly for one person",
		"given name: sounds the same, written differently", "Speaks a little for one person", "sex: the same", "Tells hardly anything", "address: differs", "Speaks strongly for two people", "others of the two households fit too",
		"The newer record is closed and points to the older one", "The newer household is closed with it", card, "Nothing that was due is lost", "A second account must approve this", "many fields together",
		`src="/desk/media/` + newer.String(), `src="/desk/media/` + older.String(), `<rect x="-40" y="1" width="40"`, `<rect x="0" y="1" width="60"`, "Decided by you today: <bdi>0</bdi> of <bdi>1</bdi>"} {
		has(t, page, want)
	}
	d.Guard, d.Told = match.GuardTwins, false
	one, two := w.pair(d, "Hawa Ali")
	page = a.get(pairAt(one, two)).Body.String()
	has(t, page, "brothers or sisters until people say otherwise")
	has(t, page, "Needs a look")
	w.move(time.Minute)
	form := a.filled(a.get("/people/"+one.String()+"/edit").Body.String(), "/desk/people/"+one.String()+"/edit")
	form.Set("sex", "m")
	form.Set("reason", "she says")
	a.post("/people/"+one.String()+"/edit", form)
	has(t, a.get(pairAt(one, two)).Body.String(), "Changed since the pair was found")
	if page := w.as(own, access.Approver).get(pairAt(one, two)).Body.String(); strings.Contains(page, `id="same"`) || !strings.Contains(page, "birth: day and month") {
		t.Error("who may not decide is offered to, or is not shown the pair")
	}
}

// A decision leads to the next pair, and is taken back by the one who took it.
func TestDecidingPairsOneAfterTheOther(t *testing.T) {
	w := newWorld(t)
	var pairs [3][2]registry.ID
	for i := range pairs {
		d := looksLike()
		d.Bits -= float32(i)
		pairs[i][0], pairs[i][1] = w.pair(d, []string{"Amina Yusuf", "Hawa Ali", "Zuhura Bakari"}[i])
	}
	a := w.as(own, access.Registrar)
	path := func(i int) string { return "/desk" + pairAt(pairs[i][0], pairs[i][1]) }
	if got := a.get("/doubles/next").Header().Get("Location"); got != path(0) {
		t.Fatalf("the first is %s, want %s", got, path(0))
	}
	decide := func(i int, decision string, more url.Values) string {
		t.Helper()
		w.move(time.Second)
		page := a.get(strings.TrimPrefix(path(i), "/desk")).Body.String()
		at := "/people/" + pairs[i][0].String() + "/double"
		form := with(a.filled(page, "/desk"+at), url.Values{"decision": {decision}}, more)
		got := a.post(at, form)
		if got.Code != 303 {
			t.Fatalf("%s: %d\n%s", decision, got.Code, got.Body)
		}
		return got.Header().Get("Location")
	}
	if got := decide(0, "different", nil); got != path(1) {
		t.Errorf("after the first comes %s", got)
	}
	page := a.get(strings.TrimPrefix(path(1), "/desk")).Body.String()
	has(t, page, "Two people: ")
	has(t, page, "Decided by you today: <bdi>1</bdi> of <bdi>3</bdi>")
	until := w.now().AddDate(0, 0, 3).Format(time.DateOnly)
	if got := decide(1, "later", url.Values{"until": {until}, "because": {registry.DocumentAwaited}}); got != path(2) {
		t.Errorf("after the second comes %s", got)
	}
	// Putting off is work of the day as deciding is, and is taken back the same way.
	has(t, a.get("/doubles").Body.String(), "Decided by you today: <bdi>2</bdi> of <bdi>3</bdi>") // and the note with its own undo
	list := a.get("/doubles").Body.String()
	has(t, list, "Your last decision: Put off, ")
	put := "/people/" + pairs[1][0].String() + "/double"
	has(t, a.follow(a.post(put, with(a.filled(list, "/desk"+put), url.Values{"decision": {"open"}}))), "The pair is open again")
	has(t, a.get("/doubles").Body.String(), "Decided by you today: <bdi>1</bdi> of <bdi>3</bdi>")
	decide(1, "later", url.Values{"until": {until}, "because": {registry.DocumentAwaited}})
	if got := decide(2, "same", nil); got != "/desk/doubles" {
		t.Errorf("after the last comes %s", got)
	}
	has(t, a.get("/doubles?show=postponed").Body.String(), "a document is awaited")
	if page := a.get("/doubles?show=decided").Body.String(); strings.Index(page, "One person") > strings.Index(page, "Two people, by") || !strings.Contains(page, "Two people, by") {
		t.Errorf("what was decided does not stand there, the newest first:\n%s", page)
	}
	// The last decision, and then the one before it.
	list = a.get("/doubles").Body.String()
	has(t, list, "Your last decision: One person, ")
	at := "/people/" + pairs[2][0].String() + "/double"
	has(t, a.follow(a.post(at, with(a.filled(list, "/desk"+at), url.Values{"decision": {"open"}}))), "The pair is open again")
	if strings.Contains(a.get("/people/"+pairs[2][0].String()).Body.String(), "second record of one person") {
		t.Error("taken back, and she is closed")
	}
	has(t, a.get("/doubles").Body.String(), "Your last decision: Put off, ")
	// What was put off comes back by itself, and by hand.
	w.move(73 * time.Hour)
	a = w.as(own, access.Registrar)
	has(t, a.get("/doubles").Body.String(), "Pairs: <bdi>2</bdi>")
	for _, bad := range []string{"", "x", "2020-01-01", "2039-01-01"} {
		form := url.Values{"other": {pairs[1][1].String()}, "decision": {"later"}, "until": {bad}, "because": {"unsure"}}
		if got := a.post("/people/"+pairs[1][0].String()+"/double", form); got.Code != 422 {
			t.Errorf("put off until %q: %d", bad, got.Code)
		}
	}
	if got := a.post("/people/"+pairs[1][0].String()+"/double", url.Values{"other": {pairs[0][1].String()}, "decision": {"different"}, "step": {"1"}}); got.Code != 404 {
		t.Errorf("two who are no pair: %d", got.Code)
	}
}

// Two reviewers at one pair: the later one is told what was decided, and by whom, and nothing is
// done. So is who looks at a record that has changed since.
func TestTwoReviewersOfOnePair(t *testing.T) {
	w := newWorld(t)
	newer, older := w.pair(looksLike(), "Amina Yusuf")
	first, second := w.of(w.add(own, "amal", access.Registrar)), w.of(w.add(own, "ben", access.Registrar))
	at := "/people/" + newer.String() + "/double"
	a, b := first.filled(first.get(pairAt(newer, older)).Body.String(), "/desk"+at), second.filled(second.get(pairAt(newer, older)).Body.String(), "/desk"+at)
	w.move(time.Second)
	form := first.filled(first.get("/people/"+older.String()+"/edit").Body.String(), "/desk/people/"+older.String()+"/edit")
	form.Set("birth", "1988-01-02")
	form.Set("reason", "she says")
	first.post("/people/"+older.String()+"/edit", form)
	got := first.post(at, with(a, url.Values{"decision": {"same"}}))
	if got.Code != 409 {
		t.Fatalf("a record changed meanwhile: %d", got.Code)
	}
	has(t, got.Body.String(), "has changed since the page was opened")
	a = first.filled(got.Body.String(), "/desk"+at)
	if got = first.post(at, with(a, url.Values{"decision": {"different"}})); got.Code != 303 {
		t.Fatalf("having looked again: %d", got.Code)
	}
	if got = second.post(at, with(b, url.Values{"decision": {"same"}})); got.Code != 409 {
		t.Errorf("what was decided is decided otherwise: %d", got.Code)
	}
	has(t, got.Body.String(), "decided meanwhile: Two people, by <bdi>amal</bdi>")
	if strings.Contains(second.get("/people/"+newer.String()).Body.String(), "second record of one person") {
		t.Error("the later decision was done")
	}
}

// Where a card stops, a second account sees the pair with its reasons, and decides; the first can
// withdraw until then.
func TestASecondReviewerStopsTheCard(t *testing.T) {
	w := newWorld(t)
	newer, older := w.pair(looksLike(), "Amina Yusuf")
	card := w.giveCard(newer)
	a, lead := w.as(own, access.Registrar), w.as(own, access.Approver)
	at := "/people/" + newer.String() + "/double"
	ask := func() {
		t.Helper()
		has(t, a.follow(a.post(at, with(a.filled(a.get(pairAt(newer, older)).Body.String(), "/desk"+at), url.Values{"decision": {"same"}}))), "Nothing has changed yet")
	}
	open := func() access.Approval {
		t.Helper()
		list, err := w.doors[own].Approvals(t.Context(), boss)
		if err != nil || len(list) == 0 {
			t.Fatal(list, err)
		}
		return list[0]
	}
	ask()
	page := a.get("/doubles").Body.String()
	has(t, page, "Waits for a second account")
	has(t, a.follow(a.post(at, with(a.filled(page, "/desk"+at), url.Values{"decision": {"open"}}))), "The pair is open again")
	if got := open(); got.State != access.Withdrawn {
		t.Errorf("taken back, the request is %s", got.State)
	}
	w.move(time.Second)
	ask()
	r := open()
	page = lead.get("/approvals/" + r.ID).Body.String()
	for _, want := range []string{"birth: day and month changed places", "Speaks strongly for one person", card, "/desk" + pairAt(newer, older)} {
		has(t, page, want)
	}
	beside := lead.get(pairAt(newer, older)).Body.String()
	has(t, beside, "given name: sounds the same")
	has(t, beside, "/desk/approvals/"+r.ID)
	if c := lead.post("/approvals/"+r.ID+"/approve", url.Values{"hash": {approvalHash.FindStringSubmatch(page)[1]}}).Code; c != 303 || w.peopleOf(own).CardsOf(newer) != 0 {
		t.Errorf("approving: %d, %d cards", c, w.peopleOf(own).CardsOf(newer))
	}
	has(t, lead.get("/people/"+newer.String()).Body.String(), "second record of one person")
	has(t, a.get("/doubles?show=decided").Body.String(), "One person")
}

// The list is read page by page: each pair stands on one of them, in the order of the work.
func TestPairsStandOnPages(t *testing.T) {
	w := newWorld(t)
	var paths []string
	for i := range 5 {
		d := looksLike()
		d.Bits -= float32(i)
		newer, older := w.pair(d, twenty[i])
		paths = append(paths, "/desk"+pairAt(newer, older))
	}
	a := w.as(own, access.Registrar)
	for page := range 3 {
		body := a.get(fmt.Sprintf("/doubles?show=open&size=2&page=%d", page+1)).Body.String()
		has(t, body, "Pairs: <bdi>5</bdi>")
		for i, path := range paths {
			in := strings.Contains(body[strings.Index(body, "<tbody>"):], path)
			if in != (i/2 == page) {
				t.Errorf("pair %d on page %d: %t", i+1, page+1, in)
			}
		}
		if next := fmt.Sprintf("page=%d&amp;show=open&amp;size=2", page+2); page < 2 && !strings.Contains(body, next) {
			t.Errorf("no way from page %d to the next", page+1)
		}
	}
}
