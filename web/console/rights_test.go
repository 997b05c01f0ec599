package console_test

import (
	"encoding/hex"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

func hasNot(t *testing.T, page, text string) {
	t.Helper()
	if strings.Contains(page, text) {
		t.Errorf("the page says %q:\n%s", text, page)
	}
}

// toldInFive sends what package rights refuses, and finds why in the words of each language.
func toldInFive(t *testing.T, b *browser, path string, form url.Values, code string) {
	t.Helper()
	for _, lang := range []string{"sw", "ar", "es", "fr", "en"} {
		b.post("/language", url.Values{"lang": {lang}, "next": {"/desk/"}})
		a := b.post(path, form)
		if a.Code != 422 {
			t.Errorf("%s: %d, want 422", code, a.Code)
		}
		has(t, html.UnescapeString(a.Body.String()), catalogue(t, lang)["agreements.denied_"+code])
	}
}

// What somebody is told, asked and answers at a desk: read to her in her language, an
// answer for each recipient, and taken back in one act, after which the page says who is
// told by when, and then who answered.
func TestConsentAtADesk(t *testing.T) {
	w := newWorld(t)
	id := w.person(own, "Amina <b>Yusuf")
	at := "/people/" + id.String() + "/consent"
	clerk, dpo := w.of(w.add(own, "clerk-1", access.Registrar)), w.of(w.add(own, "dpo-1", access.DataProtection))
	has(t, clerk.get(at).Body.String(), "No wording is in use yet")
	w.agree(own)

	// A wording of the data protection officer: no registrar writes one.
	form := url.Values{"name": {"sharing"}, "sort": {"consent"}, "purpose": {"health"}, "from": {"2026-11-22"}, "lang": {"en", "ar", "so", ""}, "text": {"May we tell?", "هل؟", "Ma?", ""}}
	if code := clerk.post("/notices", form).Code; code != 403 {
		t.Errorf("a wording by a registrar: %d", code)
	}
	// What is wrong is mended in the form, in which every text still stands.
	wrong := dpo.post("/notices", url.Values{"name": {"x"}, "sort": {"consent"}, "purpose": {"registration"}, "from": {"2026-11-23"}, "lang": {"en", "so"}, "text": {"May we <b>?", "Ma?"}})
	if wrong.Code != 422 {
		t.Errorf("registration is told and not asked: %d", wrong.Code)
	}
	for _, want := range []string{"told and not asked", `name="name" value="x"`, `value="2026-11-23"`, `<option value="registration" selected>`, "May we &lt;b&gt;?</textarea>", `autocomplete="off" value="so"`, "Ma?</textarea>"} {
		has(t, wrong.Body.String(), want)
	}
	has(t, dpo.post("/notices", url.Values{"name": {"x"}, "sort": {"notice"}, "purpose": {"registration"}, "from": {"2026-11-23"}, "lang": {"so", "so"}, "text": {"One", "Two"}}).Body.String(), "Two texts are in one language")
	has(t, dpo.follow(dpo.post("/notices", form)), "<bdi>sharing-1</bdi> is kept")
	next := dpo.get("/notices/new?after=sharing-1").Body.String()
	has(t, next, `value="so"`)
	form["text"][0] = "May we tell Relief C your name? You may say no."
	has(t, dpo.follow(dpo.post("/notices", form)), "<bdi>sharing-2</bdi> is kept")
	list := clerk.get("/notices").Body.String()
	if strings.Count(list, "in use</strong>") != 1 || !strings.Contains(list, "/desk/notices/of/sharing-1") {
		t.Errorf("which version is read:\n%s", list)
	}

	page := clerk.get(at).Body.String()
	has(t, page, "Amina &lt;b&gt;Yusuf")
	has(t, page, `<option value="sharing-2">`)
	hasNot(t, page, `<option value="sharing-1">`)
	dpo.post("/notices", url.Values{"name": {"pay"}, "sort": {"consent"}, "purpose": {"payment"}, "from": {"2026-11-22"}, "lang": {"en"}, "text": {"May the bank know?"}})
	nobody := clerk.get(at + "/new?wording=pay-1&lang=en").Body.String()
	has(t, nobody, "there is nobody to ask about")
	hasNot(t, nobody, `id="save"`) // there is no answer to keep
	ask := clerk.get(at + "/new?wording=sharing-2&lang=ar").Body.String()
	has(t, ask, `id="save"`)
	has(t, ask, `lang="ar" dir="rtl"`)
	has(t, ask, "هل؟")
	has(t, ask, "Relief &lt;b&gt;C&lt;/b&gt;")
	answer := url.Values{"wording": {"sharing-2"}, "lang": {"ar"}, "how": {"verbal+witness"}, "by": {"self"}, "witness": {"community worker 3"}, "interpreter": {"account 7"}, "read_aloud": {"yes"}}
	for name, said := range map[string][]string{"nothing": {""}, "about nobody of an agreement": {"bank-x yes"}, "both": {"relief-c yes", "relief-c no"}, "neither": {"relief-c perhaps"}} {
		answer["answer"] = said
		if code := clerk.post(at, answer).Code; code != 422 {
			t.Errorf("an answer of %s: %d", name, code)
		}
	}
	answer["answer"] = []string{"relief-c yes"}
	answer.Set("witness", "")
	toldInFive(t, clerk, at, answer, "witness")
	answer.Set("witness", "community worker 3")
	page = clerk.follow(clerk.post(at, answer))
	for _, want := range []string{"yes: <bdi>Relief &lt;b&gt;C&lt;/b&gt;</bdi>", "community worker 3", "account 7", "read aloud", "spoken, with a witness", "العربية", "/desk/notices/of/sharing-2"} {
		has(t, page, want)
	}

	w.share(own, id)
	page = clerk.follow(clerk.submit(page, "/desk"+at+"/withdraw"))
	for _, want := range []string{"Recipients to be told: <bdi>1</bdi>", "Not told yet", `<time datetime="2026-12-22">`, `withdrawn <bdi><time datetime="2026-11-22">`} {
		has(t, page, want)
	}
	has(t, dpo.get("/").Body.String(), "Recipients to be told that a yes was taken back: <bdi>1</bdi>")
	hasNot(t, clerk.get("/").Body.String(), "taken back")

	// The letter, its answer, and by telephone.
	recalls, err := w.rightsDesk(own).Recalls(t.Context(), id)
	if err != nil || len(recalls) != 1 {
		t.Fatal(recalls, err)
	}
	recall := "/recalls/of/" + recalls[0].ID
	has(t, dpo.get("/recalls").Body.String(), recall)
	if code := clerk.post(recall+"/letter", nil).Code; code != 403 {
		t.Errorf("a letter by a registrar: %d", code)
	}
	if a := dpo.post(recall+"/letter", nil); a.Code != 200 || a.Header().Get("Content-Type") != rights.TypeRecall || !strings.Contains(a.Header().Get("Content-Disposition"), ".recall") {
		t.Errorf("the letter: %d %v", a.Code, a.Header())
	}
	has(t, dpo.get(recall).Body.String(), "Told; waits for the answer")
	w.move(rights.AnswerDue + time.Hour)
	dpo = w.of(w.add(own, "dpo-2", access.DataProtection))
	has(t, dpo.get("/").Body.String(), "Recipients that did not answer in time: <bdi>1</bdi>")
	if code := dpo.upload("/recalls/answer", nil, "answer", []byte("forged")).Code; code != 422 {
		t.Errorf("a forged answer: %d", code)
	}
	if code := dpo.upload("/recalls/answer", nil, "", nil).Code; code != 422 {
		t.Errorf("no file: %d", code)
	}
	has(t, dpo.follow(dpo.upload("/recalls/answer", nil, "answer", []byte("answer to "+recalls[0].ID))), "Answered on <bdi>")
	has(t, dpo.get(at).Body.String(), "deleted")
	if code := dpo.post(recall+"/told", url.Values{"outcome": {"lost"}, "how": {"by telephone"}}).Code; code != 422 {
		t.Errorf("an outcome of no list: %d", code)
	}
	has(t, dpo.follow(dpo.post(recall+"/told", url.Values{"outcome": {"kept"}, "how": {"by telephone"}})), "kept: the law demands it")
	hasNot(t, dpo.get("/").Body.String(), "did not answer in time")

	n := 0
	for _, e := range w.peopleOf(own).Notes() {
		if e.Action == "record.read" && e.Object == id.String() && e.Actor.ID == "clerk-1" && e.Detail == "consent" {
			n++
		}
	}
	if n < 5 {
		t.Errorf("the log tells of %d looks at what she answered", n)
	}
}

// A no, and an objection, take nothing from anybody: what is due stays due.
func TestANoBlocksNothing(t *testing.T) {
	w := newWorld(t)
	id := w.person(own, "Amina Yusuf")
	w.agree(own)
	w.wording(own)
	b := w.as(own, access.Registrar)
	for range 2 {
		b.post("/people/"+id.String()+"/consent", forms["POST /people/:person/consent"])
	}
	b.post("/people/"+id.String()+"/consent/withdraw", nil)
	rec, err := w.registry(own).Record(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	p, err := rec.Person()
	if err != nil || len(p.Consents) != 4 || p.Status != nil || len(p.Issues) != 0 {
		t.Errorf("after a yes and three noes: %+v, %v", p, err)
	}
}

// A letter of another organisation: what it asks is done at once, the signed answer waits
// for download, and what is to be erased waits at Home until the letter came in again.
func TestLettersFromOthers(t *testing.T) {
	w := newWorld(t)
	id, err := w.registry(own).Enter(t.Context(), registry.Entry{Source: "relief-c", External: "P-7", Household: w.household(own), Person: registry.Person{Sex: registry.Female}})
	if err != nil {
		t.Fatal(err)
	}
	dpo := w.as(own, access.DataProtection)
	in := url.Values{"list": {"relief-c"}}
	if code := dpo.upload("/letters", in, "letter", []byte("forged")).Code; code != 422 {
		t.Errorf("a forged letter: %d", code)
	}
	page := dpo.follow(dpo.upload("/letters", in, "letter", []byte("P-7")))
	has(t, page, "kept, not used any more")
	has(t, page, "/desk/records/"+id.ID.String()+"/erasure")
	handle := regexp.MustCompile(`/desk(/letters/[0-9a-f]{16})/reply`).FindStringSubmatch(page)
	if handle == nil {
		t.Fatalf("no answer to hand over:\n%s", page)
	}
	if a := dpo.post(handle[1]+"/reply", nil); a.Code != 403 {
		t.Errorf("taken without a reason: %d", a.Code)
	}
	if a := dpo.post(handle[1]+"/reply", url.Values{"reason": {"to the sender"}}); a.Body.String() != "signed: stopped" || a.Header().Get("Content-Type") != rights.TypeAnswer {
		t.Errorf("the answer: %q %v", a.Body, a.Header())
	}
	has(t, dpo.get("/").Body.String(), "Letters of others about records that are here yet: <bdi>1</bdi>")
	in.Set("outcome", "deleted")
	if code := dpo.upload("/letters", in, "letter", []byte("P-7")).Code; code != 422 {
		t.Errorf("said deleted, and it is here: %d", code)
	}
	if _, err := w.rightsDesk(own).Erase(t.Context(), officer, rights.Erasure{Units: []registry.ID{id.ID}, Reason: "recalled"}); err != nil {
		t.Fatal(err)
	}
	in.Del("outcome")
	has(t, dpo.follow(dpo.upload("/letters", in, "letter", []byte("P-7"))), "deleted")
	hasNot(t, dpo.get("/").Body.String(), "Letters of others")
	hasNot(t, dpo.get("/letters").Body.String(), id.ID.String())
}

// What somebody asks is due in thirty days, is answered once, and a no says why.
func TestRequestsAboutData(t *testing.T) {
	w := newWorld(t)
	id := w.person(own, "Amina Yusuf")
	at := "/people/" + id.String() + "/requests"
	clerk, dpo := w.as(own, access.Registrar), w.as(own, access.DataProtection)
	toldInFive(t, clerk, at, url.Values{"demand": {"correction"}}, "ask_text")
	toldInFive(t, clerk, at, url.Values{"demand": {"money"}}, "demand")
	page := clerk.follow(clerk.post(at, url.Values{"demand": {"correction"}, "text": {"born 1978,\r\nnot <b>1987"}}))
	has(t, page, "The answer is due on <bdi>")
	has(t, page, "not &lt;b&gt;1987")
	if code := clerk.get("/requests").Code; code != 403 {
		t.Errorf("all requests to a registrar: %d", code)
	}
	clerk.post(at, url.Values{"demand": {"objection"}})
	has(t, dpo.get("/").Body.String(), "Requests about data that wait for an answer: <bdi>2</bdi>")
	list := dpo.get("/requests").Body.String()
	hasNot(t, list, "1987")
	one := regexp.MustCompile(`/desk(/requests/of/[0-9a-f]{16})">To have something mended`).FindStringSubmatch(list)[1]
	has(t, dpo.get(one).Body.String(), "born 1978,\nnot &lt;b&gt;1987")
	for name, form := range map[string]url.Values{"no answer": {"text": {"mended"}}, "a no without why": {"done": {"no"}}} {
		if code := dpo.post(one+"/answer", form).Code; code != 422 {
			t.Errorf("%s: %d", name, code)
		}
	}
	w.move(rights.RequestDue + time.Hour)
	dpo = w.as(own, access.DataProtection)
	has(t, dpo.get("/").Body.String(), "whose answer is late: <bdi>2</bdi>")
	has(t, dpo.follow(dpo.post(one+"/answer", url.Values{"done": {"no"}, "text": {"the paper says 1987"}})), "Refused on")
	toldInFive(t, dpo, one+"/answer", url.Values{"done": {"yes"}}, "answered")
	has(t, w.as(own, access.Registrar).get(at).Body.String(), "the paper says 1987")
	clerk = w.as(own, access.Registrar)
	clerk.post(at, url.Values{"demand": {"erasure"}, "known": {"photograph"}})
	wish := regexp.MustCompile(`/desk(/requests/of/[0-9a-f]{16})">To be forgotten`).FindStringSubmatch(dpo.get("/requests").Body.String())[1]
	hasNot(t, dpo.get(wish).Body.String(), `name="done" value="yes"`)
	toldInFive(t, dpo, wish+"/answer", url.Values{"done": {"yes"}}, "not_gone")
}

// One of a household answers for all of it, and stands in the record as who said it; what a
// household asks leads to its record.
func TestAHouseholdAnswersByOneOfIt(t *testing.T) {
	w := newWorld(t)
	home := w.household(own)
	w.member(own, home, "Bilal Yusuf", "2015-01-01")
	head := w.member(own, home, "Amina <b>Yusuf", "1987-05-12")
	values, err := registry.Household{Head: head.String()}.Fields()
	if err == nil {
		err = w.peopleOf(own).Update(t.Context(), clerk, func(tx registry.Tx) error {
			_, err := tx.Save(registry.Change{ID: home, Fields: map[string][]byte{"head": values["head"]}})
			return err
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	w.agree(own)
	wording := w.wording(own)
	b, dpo := w.as(own, access.Registrar), w.as(own, access.DataProtection)
	at := "/households/" + home.String()
	page := b.get(at).Body.String()
	has(t, page, "/desk"+at+"/consent")
	has(t, page, "/desk"+at+"/requests")
	hasNot(t, page, "/desk/people/"+home.String())

	said := w.person(own, "Omar No")
	w.change(said, registry.Person{Consents: []registry.Consent{{ID: "c9", Purpose: "sharing"}}})
	hasNot(t, b.get("/people/"+said.String()+"/consent").Body.String(), `id="withdraw"`) // there is no yes
	has(t, b.get(at+"/consent/new?wording="+wording+"&lang=sw").Body.String(), "This wording is not there in <bdi>Kiswahili</bdi>: here it is in <bdi>English</bdi>.")
	ask := b.get(at + "/consent/new?wording=" + wording).Body.String()
	hasNot(t, ask, "This wording is not there")
	has(t, ask, "Ask the household of <bdi>Amina &lt;b&gt;Yusuf</bdi>")
	if first, second := strings.Index(ask, `<option value="`+head.String()), strings.Index(ask, ">Bilal Yusuf<"); first < 0 || second < first {
		t.Errorf("the head is not the first who may answer:\n%s", ask)
	}
	hasNot(t, ask, "caregiver")
	answer := url.Values{"wording": {wording}, "lang": {"en"}, "how": {"thumb"}, "by": {"self"}, "answer": {"relief-c yes"}}
	toldInFive(t, b, at+"/consent", answer, "who")
	answer.Set("who", w.person(own, "Omar Somebody").String()) // lives elsewhere
	toldInFive(t, b, at+"/consent", answer, "who")
	answer.Set("who", head.String())
	page = b.follow(b.post(at+"/consent", answer))
	has(t, page, "What the household of <bdi>Amina &lt;b&gt;Yusuf</bdi> was told and answered")
	has(t, page, "Said by <bdi>Amina &lt;b&gt;Yusuf</bdi>")
	kept, err := w.rightsDesk(own).Answers(t.Context(), home)
	if err != nil || kept[len(kept)-1].Who != head.String() || kept[len(kept)-1].Recipients[0] != "relief-c" {
		t.Errorf("kept: %+v, %v", kept, err)
	}
	if w.peopleOf(own).seen(b.member.id, head) == 0 {
		t.Error("the log does not tell the head that her name was read")
	}
	has(t, b.get(at+"/consent").Body.String(), `id="withdraw"`)
	has(t, b.follow(b.post(at+"/consent/withdraw", nil)), "Taken back")

	if code := b.post("/people/"+head.String()+"/consent", answer).Code; code != 400 {
		t.Errorf("somebody answers for a person: %d", code)
	}
	has(t, b.follow(b.post(at+"/requests", url.Values{"demand": {"correction"}, "text": {"three live here"}})), "The answer is due on <bdi>")
	one := regexp.MustCompile(`/desk(/requests/of/[0-9a-f]{16})">To have something mended`).FindStringSubmatch(dpo.get("/requests").Body.String())[1]
	if a := w.of(w.add(own, "", access.DataProtection, access.Registrar)).get(one); !strings.Contains(a.Body.String(), "/desk"+at+`"`) {
		t.Errorf("the request does not lead to the household: %s", a.Body)
	}
}

// All that is held about somebody wants a fresh proof of identity, is in her language, and
// stands in the log.
func TestAllThatIsHeldAboutOne(t *testing.T) {
	w := newWorld(t)
	id := w.person(own, "Amina Yusuf")
	b := w.as(own, access.Registrar)
	at := "/people/" + id.String() + "/held"
	has(t, b.get(at+"?lang=ar").Body.String(), "Held ar")
	if a := b.get(at + "/pdf?lang=ar"); a.Body.String() != "%PDF-1.7" || a.Header().Get("Content-Type") != "application/pdf" {
		t.Errorf("the file: %d %s", a.Code, a.Body)
	}
	if w.peopleOf(own).seen(b.member.id, id) != 2 {
		t.Error("the log does not tell of both")
	}
	w.move(access.StepUpLife + time.Second)
	for _, path := range []string{at, at + "/pdf"} {
		if a := b.get(path); a.Code != 303 || !strings.HasPrefix(a.Header().Get("Location"), "/desk/proof") {
			t.Errorf("%s with an old proof: %d", path, a.Code)
		}
	}
}

// approve lets a member say yes to the request of an act that waits, and returns the
// answer.
func (w *world) approve(m *member, act access.Act) int {
	w.Helper()
	b := w.of(m)
	in, err := w.doors[own].Session(w.Context(), m.token)
	if err != nil {
		w.Fatal(err)
	}
	all, err := w.doors[own].Approvals(w.Context(), in)
	if err != nil {
		w.Fatal(err)
	}
	i := slices.IndexFunc(all, func(a access.Approval) bool { return a.Act == act && a.State == access.Waiting })
	if i < 0 {
		w.Fatalf("no %s waits", act)
	}
	return b.post("/approvals/"+all[i].ID+"/approve", url.Values{"hash": {hex.EncodeToString(all[i].Hash[:])}}).Code
}

// An erasure at somebody's wish: a dry run, two accounts, and the record, its cards and its
// papers are gone; where anything changed since it was asked for, it is refused.
func TestErasureByTwo(t *testing.T) {
	w := newWorld(t)
	id := w.person(own, "Amina Yusuf")
	w.share(own, id)
	w.peopleOf(own).GiveCards(id, 2)
	ask, err := w.rightsDesk(own).Ask(t.Context(), clerk, id, rights.Forget, "forget me", rights.ByPhoto)
	if err != nil {
		t.Fatal(err)
	}
	dpo := w.of(w.add(own, "dpo-1", access.DataProtection, access.OrgAdmin))
	at := "/records/" + id.String() + "/erasure"
	has(t, dpo.get("/requests/of/"+ask.ID).Body.String(), at+"?request="+ask.ID)
	page := dpo.get(at + "?request=" + ask.ID).Body.String()
	for _, want := range []string{"People whose record goes for good: <bdi>1</bdi>", "Cards that are revoked: <bdi>2</bdi>", "told to delete: <bdi>1</bdi> (<bdi>relief-c</bdi>)", "What stays"} {
		has(t, page, want)
	}
	if code := dpo.post(at, url.Values{"request": {"0011223344556677"}}).Code; code != 422 {
		t.Errorf("by a request of nobody: %d", code)
	}
	page = dpo.follow(dpo.post(at, url.Values{"request": {ask.ID}, "reason": {"asked"}}))
	has(t, page, "A second account decides")
	if _, err := w.registry(own).Record(t.Context(), id); err != nil {
		t.Errorf("gone before anybody approved: %v", err)
	}
	if code := w.approve(dpo.member, access.PersonErase); code != 403 {
		t.Errorf("approved by who asked: %d", code)
	}
	lead := w.add(own, "lead", access.OrgAdmin)

	// A record that was changed, or a card that was made, is not what was asked for.
	w.peopleOf(own).GiveCards(id, 1)
	if code := w.approve(lead, access.PersonErase); code != 409 {
		t.Errorf("changed since: %d", code)
	}
	w.peopleOf(own).GiveCards(id, -1)
	rec, err := w.registry(own).Record(t.Context(), id)
	if err == nil {
		_, err = w.registry(own).EditPerson(t.Context(), rec, func(p *registry.Person) error { p.Sex = registry.Male; return nil })
	}
	if err != nil {
		t.Fatal(err)
	}
	if code := w.approve(lead, access.PersonErase); code != 409 {
		t.Errorf("a corrected record: %d", code)
	}
	w.move(time.Second) // approvals stand by their time
	has(t, page, "She asked for it: <bdi>clerk</bdi> wrote that down")
	has(t, page, "By the photograph on record")
	dpo.follow(dpo.post(at, nil))
	again := dpo.get(at).Body.String() // it waits, and is not offered twice
	has(t, again, `class="warning asked"`)
	has(t, again, "/desk/approvals/")
	hasNot(t, again, `id="ask"`)
	in, err := w.doors[own].Session(t.Context(), lead.token)
	if err != nil {
		t.Fatal(err)
	}
	all, err := w.doors[own].Approvals(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	told := w.of(lead).get("/approvals/" + all[0].ID).Body.String()
	has(t, told, "/desk/removals/")
	hasNot(t, told, "Amina")
	for _, want := range []string{"She asked for it: <bdi>clerk</bdi> wrote that down", "By the photograph on record"} {
		has(t, told, want)
	}
	hasNot(t, told, "forget me")
	reads := w.of(w.add(own, "lead-2", access.OrgAdmin, access.Approver))
	has(t, reads.get("/approvals/"+all[0].ID).Body.String(), "It is the record of <bdi>Amina Yusuf</bdi>")
	if code := w.approve(lead, access.PersonErase); code != 303 {
		t.Fatalf("approving: %d", code)
	}
	if _, err := w.registry(own).Record(t.Context(), id); err == nil || w.peopleOf(own).CardsOf(id) != 0 {
		t.Errorf("the record after two approved: %v, %d cards", err, w.peopleOf(own).CardsOf(id))
	}
	for _, path := range []string{at, "/people/" + id.String() + "/consent", "/people/" + id.String() + "/requests", "/people/" + id.String() + "/held"} {
		if code := dpo.get(path).Code; code != 404 {
			t.Errorf("%s of who is erased: %d", path, code)
		}
	}
	// That she was answered in time can be shown, without her.
	has(t, dpo.get("/requests").Body.String(), "/desk/requests/of/"+ask.ID)
	page = dpo.get("/requests/of/" + ask.ID).Body.String()
	for _, want := range []string{"To be forgotten", "Done on", "The record was destroyed"} {
		has(t, page, want)
	}
	hasNot(t, page, id.String())
	hasNot(t, page, "forget me")
	has(t, dpo.get("/removals/"+all[0].Object).Body.String(), "Done")
	has(t, dpo.get("/recalls").Body.String(), "the record was erased")
}

// Nobody is forgotten on the word of who asks for it: a request that another account wrote
// down, in which it stands how she was recognised, or a letter, whose signature was proved.
func TestAWishIsOnRecord(t *testing.T) {
	w := newWorld(t)
	desk := w.rightsDesk(own)
	id := w.person(own, "Amina Yusuf")
	at := "/records/" + id.String() + "/erasure"
	dpo := w.of(w.add(own, "dpo-1", access.DataProtection, access.Registrar))
	refused := func(what, want string) {
		t.Helper()
		page := dpo.get(at).Body.String()
		has(t, page, want)
		hasNot(t, page, `id="ask"`)
		if a := dpo.post(at, nil); a.Code != 422 || !strings.Contains(a.Body.String(), want) {
			t.Errorf("%s: %d\n%s", what, a.Code, a.Body)
		}
	}
	refused("nobody wrote it down", "Another account, such as a registrar’s, writes it down first")
	if _, err := desk.Ask(t.Context(), clerk, id, rights.See, "", ""); err != nil {
		t.Fatal(err)
	}
	refused("she asked for something else", "Another account, such as a registrar’s")
	if a := dpo.post("/people/"+id.String()+"/requests", url.Values{"demand": {"erasure"}}); a.Code != 422 || !strings.Contains(a.Body.String(), "how she was recognised") {
		t.Errorf("nobody says how she was recognised: %d", a.Code)
	}
	dpo.follow(dpo.post("/people/"+id.String()+"/requests", url.Values{"demand": {"erasure"}, "known": {"card"}}))
	refused("who asks wrote it down", "You wrote this request down yourself")
	theirs, err := desk.Ask(t.Context(), clerk, w.person(own, "Leyla Abdi"), rights.Forget, "", rights.ByCard)
	if err != nil {
		t.Fatal(err)
	}
	if a := dpo.post(at, url.Values{"request": {theirs.ID}}); a.Code != 422 {
		t.Errorf("another one's request: %d", a.Code)
	}
	if _, err := desk.Ask(t.Context(), clerk, id, rights.Forget, "", rights.ByCard); err != nil {
		t.Fatal(err)
	}
	has(t, dpo.follow(dpo.post(at, nil)), "She asked for it: <bdi>clerk</bdi>")

	if _, err := w.registry(own).Enter(t.Context(), registry.Entry{Source: "relief-c", External: "P-7", Household: w.household(own), Person: registry.Person{Sex: registry.Female}}); err != nil {
		t.Fatal(err)
	}
	in, err := w.letterIn(own, officer, "P-7", "relief-c", "")
	if err != nil || len(in.Units) != 1 {
		t.Fatal(in, err)
	}
	at = regexp.MustCompile(`/records/[0-9a-f]{32}/erasure\?letter=[0-9a-f]{16}`).FindString(dpo.get("/letters/" + in.Handle()).Body.String())
	page := dpo.get(at).Body.String()
	has(t, page, "A signed letter of <bdi>"+in.From+"</bdi> asks for it")
	if a := dpo.post("/records/"+theirs.Unit.String()+"/erasure", url.Values{"letter": {in.Handle()}}); a.Code != 422 {
		t.Errorf("of somebody whom the letter does not name: %d", a.Code)
	}
	has(t, dpo.follow(dpo.submit(page, "/desk"+strings.Split(at, "?")[0])), "A second account decides")
}

// What is over is listed and goes when two agreed: what is not over any more stays, and
// what others hold is not ours to destroy.
func TestRetentionByTwo(t *testing.T) {
	w := newWorld(t)
	var gone []registry.ID
	for range 3 {
		gone = append(gone, w.closed(own, 200))
	}
	fresh := w.closed(own, 10)
	dpo, lead := w.of(w.add(own, "dpo-1", access.DataProtection)), w.add(own, "lead", access.OrgAdmin)
	hasNot(t, dpo.get("/").Body.String(), "whose time is over") // nobody who asks counts it
	if err := w.retention.Count(t.Context()); err != nil {
		t.Fatal(err)
	}
	counted := w.now().UTC()
	w.move(time.Minute)
	has(t, dpo.get("/").Body.String(), `whose time is over: <bdi>3</bdi>. Counted on <bdi><time datetime="`+counted.Format(time.RFC3339)+`"`)
	page := dpo.get("/retention").Body.String()
	hasNot(t, page, fresh.String())
	hasNot(t, w.of(lead).get("/retention").Body.String(), `name="item"`)
	if code := dpo.post("/retention/ask", nil).Code; code != 422 {
		t.Errorf("nothing chosen: %d", code)
	}
	form := url.Values{"item": {"record " + gone[0].String(), "record " + gone[1].String(), "record " + fresh.String()}, "reason": {"yearly"}}
	page = dpo.post("/retention/ask", form).Body.String()
	has(t, page, "People whose record goes for good: <bdi>2</bdi>")
	has(t, page, "<bdi>1</bdi>: not over any more, or gone already")
	form.Set("step", "2")
	has(t, dpo.follow(dpo.post("/retention/ask", form)), "A second account decides")
	list := w.of(lead).get("/approvals").Body.String()
	has(t, list, "People whose record goes for good: <bdi>2</bdi>")
	if code := w.approve(lead, access.PersonErase); code != 303 {
		t.Fatalf("approving: %d", code)
	}
	for i, id := range append(slices.Clone(gone), fresh) {
		if _, err := w.registry(own).Record(t.Context(), id); (err == nil) != (i >= 2) {
			t.Errorf("record %d: %v", i, err)
		}
	}

	// Terms, by two as well, and only from what they were.
	terms := url.Values{"photo": {"5"}, "record": {"٥"}, "log": {"365"}, "audit": {"2555"}}
	if code := dpo.post("/retention/terms", url.Values{"photo": {"soon"}, "record": {"5"}, "log": {"365"}, "audit": {"2555"}}).Code; code != 422 {
		t.Errorf("a term that is no number: %d", code)
	}
	for _, days := range []string{"7", "٥"} {
		terms.Set("record", days)
		if code := dpo.post("/retention/terms", terms).Code; code != 303 {
			t.Fatalf("asking for terms: %d", code)
		}
		w.move(time.Second) // approvals stand by their time
	}
	has(t, w.of(lead).get("/approvals").Body.String(), "Closed record: <bdi>5</bdi> days instead of <bdi>183</bdi>")
	hasNot(t, dpo.get("/retention").Body.String(), fresh.String())
	if code := w.approve(lead, access.RetentionTerms); code != 303 {
		t.Fatalf("approving terms: %d", code)
	}
	if code := w.approve(lead, access.RetentionTerms); code != 409 {
		t.Errorf("approving terms of before: %d", code)
	}
	has(t, dpo.get("/retention").Body.String(), fresh.String())
}

// Programs come to the same routes, and are answered in JSON. None is the second account.
func TestRightsForPrograms(t *testing.T) {
	w := newWorld(t)
	id := w.person(own, "Amina Yusuf")
	w.agree(own)
	w.wording(own)
	p := w.program(own, access.DataProtection, access.ConsentRead, access.ConsentGive, access.RightsAnswer, access.RightsAsk, access.RetentionRead)
	at := "/people/" + id.String()
	first := func(object map[string]any, list string) map[string]any {
		t.Helper()
		rows, _ := object[list].([]any)
		if len(rows) == 0 {
			t.Fatalf("%s: %v", list, object)
		}
		return rows[0].(map[string]any)
	}
	p.object(p.ask("POST", at+"/consent", `{"wording": "sharing-1", "lang": "en", "how": "thumb", "by": "self", "answer": ["relief-c no"]}`), 200)
	if got := first(p.object(p.ask("GET", at+"/consent", ""), 200), "answers"); got["no"].([]any)[0] != "Relief <b>C</b>" || got["wording"] != "sharing-1" {
		t.Errorf("answers: %v", got)
	}
	p.object(p.ask("POST", at+"/requests", `{"demand": "access"}`), 200)
	if got := first(p.object(p.ask("GET", "/requests", ""), 200), "rows"); got["demand"] != "access" || got["waits"] != true {
		t.Errorf("requests: %v", got)
	}
	p.object(p.ask("POST", "/records/"+id.String()+"/erasure", "{}"), 403)
	if code := p.ask("POST", at+"/consent/withdraw", "{}").Code; code != 403 {
		t.Errorf("an act that the token is not for: %d", code)
	}
	if _, err := w.registry(own).Record(t.Context(), id); err != nil {
		t.Errorf("a program erased somebody: %v", err)
	}
}

// Who collects for more households than one family's worth is seen, with whom.
func TestAlternatesOfManyAreSeen(t *testing.T) {
	w := newWorld(t)
	b := w.as(own, access.DataProtection)
	var homes []registry.ID
	for i := range registry.ManyHouseholds + 1 {
		if i == registry.ManyHouseholds {
			has(t, b.get("/collectors").Body.String(), "Nobody collects for that many")
		}
		homes = append(homes, w.household(own))
		if err := w.registry(own).AddCollector(t.Context(), homes[i], registry.Collector{External: "Abu <b>Omar", Role: registry.Alternate}); err != nil {
			t.Fatal(err)
		}
	}
	page := b.get("/collectors").Body.String()
	has(t, page, "Abu &lt;b&gt;Omar")
	for _, h := range homes {
		has(t, page, "/desk/households/"+h.String())
	}
}

// A photograph whose term is over goes by two, and the page of who looked at her record
// knows of that.
func TestPhotographsGoByTwo(t *testing.T) {
	w := newWorld(t)
	id := w.closed(own, 200)
	w.change(id, registry.Person{Photo: []byte("\xff\xd8\xff")})
	terms := rights.DefaultTerms()
	terms[rights.Records] = 400 // else it goes with her record
	if err := w.rightsDesk(own).SetTerms(t.Context(), access.Actor{ID: "lead-0", Role: access.OrgAdmin, SecondPerson: "dpo-0"}, terms); err != nil {
		t.Fatal(err)
	}
	dpo, lead := w.of(w.add(own, "dpo-1", access.DataProtection)), w.add(own, "lead", access.OrgAdmin)
	form := url.Values{"item": {"photo " + id.String()}, "step": {"1"}}
	has(t, dpo.follow(dpo.post("/retention/ask", form)), "A second account decides")
	if code := w.approve(lead, access.PersonErase); code != 303 {
		t.Fatalf("approving: %d", code)
	}
	rec, err := w.registry(own).Record(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := rec.Person(); err != nil || len(p.Photo) > 0 {
		t.Errorf("her photograph is there: %v", err)
	}
	err = w.peopleOf(own).ReadRights(t.Context(), func(v rights.View) error {
		told, err := v.Handed("retention.photos", id)
		if err == nil && len(told) != 1 {
			t.Errorf("%d entries are about her", len(told))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
