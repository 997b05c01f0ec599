package console_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/credential/cwt"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/status"
)

// Many cards are counted first, their number is typed, and more than twenty wait for a
// second account; a card that is not at the desk is replaced by two.
func TestManyCardsAndReplacements(t *testing.T) {
	w := newWorld(t)
	b, second := w.as(own, access.Issuer), w.as(own, access.DistributionLead)
	for range 60 {
		w.issuing.card(own)
	}
	form := url.Values{"place": {"K7Q2/1"}, "reason": {"wrong-list"}}
	page := b.post("/cards/many/suspend", form)
	if page.Code != 200 || !strings.Contains(page.Body.String(), "<bdi>60</bdi> of <bdi>60</bdi> can be suspended") {
		t.Fatalf("%d\n%s", page.Code, page.Body)
	}
	form.Set("step", "60")
	if c := b.post("/cards/many/suspend", form).Code; c != 422 {
		t.Errorf("without the number typed: %d", c)
	}
	form.Set("typed", "60")
	if c := b.post("/cards/many/suspend", form).Code; c != 303 {
		t.Fatalf("asking: %d", c)
	}
	for _, c := range w.issuing.cards {
		if c.Status != status.Valid {
			t.Fatal("one account alone has put sixty cards on hold")
		}
	}
	yes := func() {
		t.Helper()
		list, err := w.doors[own].Approvals(t.Context(), boss)
		if err != nil {
			t.Fatal(err)
		}
		at := "/approvals/" + list[0].ID
		hash := approvalHash.FindStringSubmatch(second.get(at).Body.String())
		if hash == nil {
			t.Fatalf("nothing to approve: %s", second.get(at).Body)
		}
		if c := second.post(at+"/approve", url.Values{"hash": {hash[1]}}).Code; c != 303 {
			t.Fatalf("approving: %d", c)
		}
	}
	yes()
	var id string
	for at, c := range w.issuing.cards {
		if c.Status != status.Suspended {
			t.Fatal("a card is not on hold")
		}
		id = strings.TrimPrefix(at, own+"/")
	}
	w.move(time.Minute)
	if c := b.post("/cards/of/"+id+"/replace", url.Values{"reason": {"lost"}}).Code; c != 303 || len(w.issuing.begun) != 0 {
		t.Fatalf("asking for a replacement: %d, %q", c, w.issuing.begun)
	}
	if page := w.as(own, access.Auditor).get("/approvals").Body.String(); strings.Contains(page, "GBFF") || !strings.Contains(page, "You vouch") {
		t.Errorf("who reads the log reads a card:\n%s", page)
	}
	yes()
	if len(w.issuing.begun) != 1 || w.issuing.begun[0] != "replace lost with "+second.member.id {
		t.Errorf("%q", w.issuing.begun)
	}
	var made string
	for made = range w.issuing.kin {
	}
	need, to := "to be printed: <bdi>1</bdi>", `href="/desk/cards/of/`+made+`"`
	if page := b.get("/").Body.String(); !strings.Contains(page, need) || !strings.Contains(page, to) {
		t.Errorf("who asked is not told that the new card waits:\n%s", page)
	}
	if page := w.as(own, access.Issuer).get("/").Body.String(); strings.Contains(page, to) {
		t.Error("who did not ask for a card is told that it waits")
	}
	if page := b.get("/cards/of/" + id).Body.String(); !strings.Contains(page, to) || !strings.Contains(page, "It was replaced by the card with the same number") {
		t.Errorf("a card does not say which replaced it:\n%s", page)
	}
	if page := b.get("/cards/of/" + made).Body.String(); !strings.Contains(page, `href="/desk/cards/of/`+id+`"`) || !strings.Contains(page, "It replaces the card") {
		t.Errorf("a card does not say which it replaces:\n%s", page)
	}
	number := cwt.GroupCardNumber(w.issuing.cards[own+"/"+made].CardNumber)
	if page := b.post("/cards", url.Values{"q": {number}}).Body.String(); !strings.Contains(page, "Replaced by another card with this number") || !strings.Contains(page, "It replaces another card with this number") {
		t.Errorf("of two cards with one number the list does not tell which is which:\n%s", page)
	}
	printed := w.issuing.cards[own+"/"+made]
	printed.Paper = issuer.CardPrinted
	w.issuing.cards[own+"/"+made] = printed
	if page := b.get("/").Body.String(); strings.Contains(page, "to be printed") {
		t.Error("a printed card waits to be printed")
	}
	if c := b.post("/cards/of/"+w.issuing.card(own)+"/replace", url.Values{"reason": {"spoiled"}}).Code; c != 303 || len(w.issuing.begun) != 2 {
		t.Errorf("a spoiled card: %d, %q", c, w.issuing.begun)
	}
	if c := b.post("/cards/of/"+id+"/revoke", nil).Code; c != 422 {
		t.Errorf("without a reason: %d", c)
	}
}

// A card leads to whose it is, and she to her card, for who may read both; nobody else is
// told a name.
func TestCardsAndPeopleLeadToEachOther(t *testing.T) {
	w := newWorld(t)
	her := w.person(own, "<b>Amina</b> Yusuf")
	card := w.issuing.card(own)
	c := w.issuing.cards[own+"/"+card]
	c.Unit = her
	w.issuing.cards[own+"/"+card] = c
	both, alone := w.as(own, access.Registrar), w.as(own, access.Verifier)
	link := `<a href="/desk/people/` + her.String() + `"><bdi>&lt;b&gt;Amina&lt;/b&gt; Yusuf</bdi></a>`
	for what, page := range map[string]func(*browser) string{
		"a card": func(b *browser) string { return b.get("/cards/of/" + card).Body.String() },
		"a list": func(b *browser) string { return b.post("/cards", url.Values{"q": {"GBFF"}}).Body.String() },
	} {
		if s := page(both); !strings.Contains(s, link) {
			t.Errorf("%s does not lead to whose it is:\n%s", what, s)
		}
		if s := page(alone); !strings.Contains(s, "GBFF") || strings.Contains(s, "Amina") || strings.Contains(s, "/desk/people/") {
			t.Errorf("%s tells a name to who reads no people:\n%s", what, s)
		}
	}
	if c := w.as(own, access.Issuer).post("/cards/of/"+card+"/replace", url.Values{"reason": {"lost"}}).Code; c != 303 {
		t.Fatalf("asking for a replacement: %d", c)
	}
	asked, err := w.doors[own].Approvals(t.Context(), boss)
	if err != nil || len(asked) == 0 {
		t.Fatal(asked, err)
	}
	picture := `<img class="portrait" src="/desk/media/` + her.String() + `"`
	if page := w.as(own, access.Approver).get("/approvals/" + asked[0].ID).Body.String(); !strings.Contains(page, link) || !strings.Contains(page, picture) {
		t.Errorf("who vouches for a holder is not told who she is:\n%s", page)
	}
	if page := w.as(own, access.Approver).get("/approvals").Body.String(); !strings.Contains(page, link) || strings.Contains(page, picture) {
		t.Errorf("the list of requests: her name alone is wanted:\n%s", page)
	}
	if page := w.as(own, access.DistributionLead).get("/approvals/" + asked[0].ID).Body.String(); strings.Contains(page, "Amina") || strings.Contains(page, picture) || !strings.Contains(page, `href="/desk/cards/of/`+card+`"`) {
		t.Errorf("who reads cards and no people is told a name, or of no card:\n%s", page)
	}
	house := w.household(own)
	n, _ := registry.ParseName("Halima Noor", registry.Official)
	if _, err := w.registry(own).Enter(t.Context(), registry.Entry{Household: house, Person: registry.Person{Names: []registry.Name{n}, Sex: registry.Female, Relation: registry.Head}}); err != nil {
		t.Fatal(err)
	}
	hers := w.issuing.cards[own+"/"+w.issuing.card(own)]
	hers.Unit, hers.CardNumber = house, "44YJF7Z49RR"
	w.peopleOf(own).cards = []issuer.Card{c, hers}
	at := `href="/desk/cards/of/` + card + `"`
	if page := both.get("/people/" + her.String()).Body.String(); !strings.Contains(page, at) {
		t.Errorf("a record does not lead to its card:\n%s", page)
	}
	if page := w.as(own, access.Protection).get("/people/" + her.String()).Body.String(); !strings.Contains(page, "GBFF") || strings.Contains(page, at) {
		t.Errorf("a record leads who reads no cards to one:\n%s", page)
	}
	if page := both.post("/people", url.Values{"q": {"Halima Noor"}}).Body.String(); !strings.Contains(page, "44YJ-F7Z4-9RR") {
		t.Errorf("a head is found without her household's card:\n%s", page)
	}
}

// What two accounts agreed to is done as it was asked for, or not at all: a card that was
// changed since, or that came to those that were chosen, ends it.
func TestCardsThatChangedSinceAreLeft(t *testing.T) {
	w := newWorld(t)
	b, second := w.as(own, access.Issuer), w.as(own, access.DistributionLead)
	set := func(id string, change func(*issuer.Card)) {
		c := w.issuing.cards[own+"/"+id]
		change(&c)
		w.issuing.cards[own+"/"+id] = c
	}
	approve := func() int {
		t.Helper()
		list, err := w.doors[own].Approvals(t.Context(), boss)
		if err != nil || list[0].State != access.Waiting {
			t.Fatalf("nothing waits: %+v, %v", list, err)
		}
		at := "/approvals/" + list[0].ID
		hash := approvalHash.FindStringSubmatch(second.get(at).Body.String())
		if hash == nil {
			t.Fatal("nothing to approve")
		}
		code := second.post(at+"/approve", url.Values{"hash": {hash[1]}}).Code
		w.move(time.Second)
		return code
	}
	held := func() (n int) {
		for _, c := range w.issuing.cards {
			if c.Status == status.Suspended {
				n++
			}
		}
		return n
	}
	for range 10_000 {
		w.issuing.card(own)
	}
	one := w.issuing.card(own)
	many := url.Values{"place": {"K7Q2/1"}, "reason": {"wrong-list"}, "step": {"10001"}, "typed": {"10001"}}
	ask := func() {
		t.Helper()
		if c := b.post("/cards/many/suspend", many).Code; c != 303 {
			t.Fatalf("asking for ten thousand cards: %d", c)
		}
	}
	for what, c := range map[string]struct{ do, undo func() }{
		"one was handed over": {func() { set(one, func(c *issuer.Card) { c.Paper = issuer.CardHandedOver }) }, func() { set(one, func(c *issuer.Card) { c.Paper = issuer.CardIssued }) }},
		"one was put on hold": {func() { set(one, func(c *issuer.Card) { c.Status = status.Suspended }) }, func() { set(one, func(c *issuer.Card) { c.Status = status.Valid }) }},
		"one came to them":    {func() { w.issuing.card(own) }, func() { many.Set("step", "10002"); many.Set("typed", "10002") }},
	} {
		ask()
		was := held()
		c.do()
		if code := approve(); code != 409 || held() > was+1 {
			t.Errorf("%s: %d, want 409; %d cards are on hold", what, code, held())
		}
		c.undo()
		many.Set("reason", many.Get("reason")+"x") // another request
	}
	ask()
	if code := approve(); code != 303 || held() != 10_002 {
		t.Errorf("as it was asked for: %d, %d on hold", code, held())
	}
	lost := w.issuing.card(own)
	if c := b.post("/cards/of/"+lost+"/replace", url.Values{"reason": {"lost"}}).Code; c != 303 {
		t.Fatal(c)
	}
	set(lost, func(c *issuer.Card) { c.Status = status.Suspended })
	if c := approve(); c != 409 || len(w.issuing.begun) != 0 {
		t.Errorf("a card that was put on hold since is replaced: %d, %q", c, w.issuing.begun)
	}
	set(lost, func(c *issuer.Card) { c.Status = status.Valid })
	if c := approve(); c != 303 || len(w.issuing.begun) != 1 {
		t.Errorf("as it was asked for: %d, %q", c, w.issuing.begun)
	}
	// A day's allowance is over: also one card waits for a second account then.
	w.issuing.spent = true
	w.move(time.Second)
	last := w.issuing.card(own)
	if c := b.post("/cards/of/"+last+"/suspend", url.Values{"reason": {"code"}}).Code; c != 303 || w.issuing.cards[own+"/"+last].Status != status.Valid {
		t.Errorf("one card more: %d", c)
	}
	if c := second.post("/cards/of/"+last+"/suspend", url.Values{"reason": {"code"}}).Code; c != 409 {
		t.Errorf("by who cannot ask for it: %d, want 409", c)
	}
	w.issuing.spent = false
	if c := approve(); c != 303 || w.issuing.cards[own+"/"+last].Status != status.Suspended {
		t.Errorf("one card more, by two: %d", c)
	}
}

// What stands on her card is what she said, and nothing else: as long as nobody asked, the
// number alone. It can be taken back, and the printing says of how many it is.
func TestWhatStandsOnHerCard(t *testing.T) {
	w := newWorld(t)
	id := w.person(own, "Amina Yusuf")
	b := w.as(own, access.Registrar)
	at := "/people/" + id.String() + "/face"
	face := func() (f registry.CardFace) {
		t.Helper()
		rec, err := w.registry(own).Record(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		p, err := rec.Person()
		if err != nil {
			t.Fatal(err)
		}
		if p.CardFace != nil {
			f = *p.CardFace
		}
		return f
	}
	if page := b.get(at).Body.String(); !strings.Contains(page, `id="name-no" name="name" value="no" checked`) || !strings.Contains(page, `id="photo-no" name="photo" value="no" checked`) {
		t.Errorf("without a choice it is not the number alone:\n%s", page)
	}
	for what, bad := range map[string]url.Values{"nothing": {}, "half": {"name": {"yes"}}, "how nobody says it": {"name": {"yes"}, "photo": {"no"}, "how": {"guessed"}}} {
		if c := b.post(at, bad).Code; c != 422 {
			t.Errorf("%s: %d, want 422", what, c)
		}
	}
	if c := b.post(at, url.Values{"name": {"yes"}, "photo": {"no"}, "how": {"thumb"}}).Code; c != 303 {
		t.Fatal(c)
	}
	if f := face(); !f.Name || f.Photo {
		t.Errorf("she said her name: %+v", f)
	}
	if c := b.submit(b.get(at).Body.String(), "/desk"+at).Code; c != 303 {
		t.Fatalf("taking it back: %d", c)
	}
	if f := face(); f.Name || f.Photo {
		t.Errorf("she took it back: %+v", f)
	}
	if page := w.as(own, access.Issuer).get("/prints/batch/" + w.issuing.batch(own, issuer.Done)).Body.String(); !strings.Contains(page, "<bdi>17</bdi> chose their name, <bdi>4</bdi> their photograph") {
		t.Errorf("the printing does not say of how many:\n%s", page)
	}
}

// A card's page tells why it is on hold or revoked, who asked for it and who confirmed it;
// what waits for a second account is told there, and not offered again.
func TestACardsPageTellsWhatBecameOfIt(t *testing.T) {
	w := newWorld(t)
	b, second := w.as(own, access.Issuer), w.as(own, access.Approver)
	id := w.issuing.card(own)
	at := "/cards/of/" + id
	b.follow(b.post(at+"/suspend", url.Values{"reason": {"stolen-bag"}}))
	has(t, b.get(at).Body.String(), "On hold – <bdi>"+b.member.id+"</bdi>, <bdi>stolen-bag</bdi>")
	w.issuing.spent = true // so that one more needs a second account
	b.follow(b.post(at+"/revoke", url.Values{"reason": {"not-found"}}))
	page := b.get(at).Body.String()
	asked := regexp.MustCompile(`/desk(/approvals/[^"]+)"`).FindStringSubmatch(page)
	if asked == nil {
		t.Fatalf("what waits is not told:\n%s", page)
	}
	hasNot(t, page, `id="revoke"`)
	w.issuing.spent = false
	before := second.get("/approvals").Body.String()
	second.follow(second.submit(second.get(asked[1]).Body.String(), "/desk"+asked[1]+"/approve"))
	after := b.get(at).Body.String()
	has(t, after, "Revoked, for ever – <bdi>"+b.member.id+"</bdi>, confirmed by <bdi>"+second.member.id+"</bdi>, <bdi>not-found</bdi>")
	hasNot(t, after, `class="warning asked"`)
	for _, page := range []string{before, second.get("/approvals").Body.String()} { // in the same words when it is done
		has(t, page, "not-found")
	}
}
