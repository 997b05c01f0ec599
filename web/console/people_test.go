package console_test

import (
	"encoding/csv"
	"fmt"
	"html"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
)

// filled is the form of a page for an action, as it stands there.
func (b *browser) filled(page, action string) url.Values {
	b.w.Helper()
	form := url.Values{}
	i := strings.Index(page, `action="`+action+`"`)
	if i < 0 {
		b.w.Fatalf("the page has no form for %s:\n%s", action, page)
	}
	part, _, _ := strings.Cut(page[i:], "</form>")
	for _, m := range regexp.MustCompile(`<input[^>]* name="([^"]*)"(?: value="([^"]*)")?`).FindAllStringSubmatch(part, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	for _, m := range regexp.MustCompile(`(?s)<select[^>]* name="([^"]*)".*?</select>`).FindAllStringSubmatch(part, -1) {
		form.Set(m[1], "")
		if c := regexp.MustCompile(`<option value="([^"]*)" selected>`).FindStringSubmatch(m[0]); c != nil {
			form.Set(m[1], c[1])
		}
	}
	return form
}

func has(t *testing.T, page, want string) {
	t.Helper()
	if !strings.Contains(page, want) {
		_, page, _ = strings.Cut(page, "<main")
		t.Errorf("the page does not say %q:\n%s", want, page)
	}
}

// Two forms of one person that were open at once: what differs is joined, what both set
// is shown to both with author, time and place until somebody decides.
func TestTwoFormsOfOnePerson(t *testing.T) {
	w := newWorld(t)
	id := w.person(own, "Amina Yusuf").String()
	at := "/people/" + id
	a, b := w.of(w.add(own, "amal", access.Registrar)), w.of(w.add(own, "ben", access.Registrar))
	first := a.filled(a.get(at+"/edit").Body.String(), "/desk"+at+"/edit")
	page := b.get(at + "/edit").Body.String()
	has(t, page, "Editing this record now: <bdi>amal</bdi>")
	second := b.filled(page, "/desk"+at+"/edit")
	first.Set("birth", "1988-01-02")
	first.Set("phone", "+254712000001")
	first.Set("reason", "paper seen")
	second.Set("birth", "1989-03-04")
	second.Set("email", "amina@example.org")
	second.Set("reason", "she says")
	has(t, a.follow(a.post(at+"/edit", first)), "Fields set: <bdi>2</bdi>")
	has(t, b.follow(b.post(at+"/edit", second)), "fields that need a decision: <bdi>1</bdi>")
	for _, who := range []*browser{a, b} {
		page := who.get(at).Body.String()
		for _, want := range []string{"254712000001", "amina@example.org", "<bdi>1988-01-02</bdi>", "<bdi>1989-03-04</bdi>", "stands now, by <bdi>amal</bdi>", "also said, by <bdi>ben</bdi>", "2026-11-22T09:3"} {
			has(t, page, want)
		}
		home := who.get("/").Body.String()
		has(t, home, "Records in which two people set the same field: <bdi>1</bdi>")
		has(t, who.get("/undecided").Body.String(), "/desk/people/"+id)
	}
	page = a.get(at).Body.String()
	rival := regexp.MustCompile(`name="rival" value="([0-9a-f]{16})"`).FindStringSubmatch(page)
	if rival == nil {
		t.Fatal("nothing to choose")
	}
	old := url.Values{"field": {"birth"}, "stands": {"1987-05-12"}, "rival": {rival[1]}}
	if code := a.post(at+"/decide", old).Code; code != 409 {
		t.Errorf("a decision about what did not stand: %d, want 409", code)
	}
	old.Set("stands", "1988-01-02")
	if page = a.follow(a.post(at+"/decide", old)); strings.Contains(page, "Needs a decision") {
		t.Error("it waits on")
	}
	has(t, page, "4 March 1989")
	page = a.get(at + "/history").Body.String()
	for _, want := range []string{"1988-01-02", "1989-03-04", "<bdi>amal</bdi>", "<bdi>ben</bdi>", "<bdi>clerk</bdi>, <bdi>desk-1</bdi>"} {
		has(t, page, want)
	}
	has(t, a.get(at+"/history?from=2026-11-21&to=2026-11-22").Body.String(), "1989-03-04")
	// A name in another script is taken as it is typed, read back, and stays where the name is mended.
	for _, set := range [][2]string{{"name_other_script", "أمينة يوسف"}, {"name", "Amina Yussuf"}} {
		more := a.filled(a.get(at+"/edit").Body.String(), "/desk"+at+"/edit")
		more.Set(set[0], set[1])
		more.Set("reason", "paper seen")
		a.follow(a.post(at+"/edit", more))
		if got := a.filled(a.get(at+"/edit").Body.String(), "/desk"+at+"/edit"); got.Get("name_other_script") != "أمينة يوسف" {
			t.Errorf("after %s is set, the name in another script is %q", set[0], got.Get("name_other_script"))
		}
	}
	same := a.filled(a.get(at+"/edit").Body.String(), "/desk"+at+"/edit")
	same.Set("name_other_script", "Aminah")
	same.Set("reason", "x")
	if got := a.post(at+"/edit", same); got.Code != 422 || !strings.Contains(got.Body.String(), "same script as the name") {
		t.Errorf("the name twice in one script: %d", got.Code)
	}
	wrong := a.filled(a.get(at+"/edit").Body.String(), "/desk"+at+"/edit")
	wrong.Set("birth", "2999-01-01")
	wrong.Set("used_name", "Mina")
	wrong.Set("reason", "x")
	if got := a.post(at+"/edit", wrong); got.Code != 422 || !strings.Contains(got.Body.String(), `value="Mina"`) {
		t.Errorf("what was typed beside a wrong value: %d, lost", got.Code)
	}
}

// A change is told before it is done; one that cannot be taken back alone waits for a
// second account, which is not the first.
func TestDeathAndItsTakingBack(t *testing.T) {
	w := newWorld(t)
	id := w.person(own, "Amina Yusuf").String()
	at := "/people/" + id
	a := w.as(own, access.Registrar, access.Approver)
	asked := a.post(at+"/died", url.Values{"on": {"2026-11-18"}})
	has(t, asked.Body.String(), "Death of <bdi>Amina Yusuf</bdi>")
	if strings.Contains(a.get(at).Body.String(), "deceased") {
		t.Fatal("asking did it")
	}
	has(t, a.follow(a.submit(asked.Body.String(), "/desk"+at+"/died")), "deceased")
	asked = a.post(at+"/alive", url.Values{"reason": {"wrong person"}})
	has(t, asked.Body.String(), "A second account must approve this")
	has(t, a.follow(a.submit(asked.Body.String(), "/desk"+at+"/alive")), "Nothing has changed yet")
	shown := a.get(at).Body.String()
	has(t, shown, `class="warning asked"`)
	if strings.Contains(shown, `id="alive"`) {
		t.Error("what waits is offered again")
	}
	lead := w.as(own, access.Approver)
	list := lead.get("/approvals").Body.String()
	m := regexp.MustCompile(`/desk(/approvals/[^"]+)"`).FindStringSubmatch(list)
	if m == nil {
		t.Fatalf("nothing waits:\n%s", list)
	}
	page := lead.get(m[1]).Body.String()
	has(t, page, "The death of <bdi>Amina Yusuf</bdi> was recorded by mistake")
	has(t, page, `href="/desk`+at+`"`)
	if code := a.post(m[1]+"/approve", lead.filled(page, "/desk"+m[1]+"/approve")).Code; code != 403 {
		t.Errorf("who asked approves: %d, want 403", code)
	}
	lead.follow(lead.submit(page, "/desk"+m[1]+"/approve"))
	if strings.Contains(a.get(at).Body.String(), "deceased") {
		t.Error("two agreed, and she is dead")
	}
}

func TestHouseholdsChange(t *testing.T) {
	w := newWorld(t)
	house := w.household(own)
	at := "/households/" + house.String()
	mother, child := w.member(own, house, "Amina Yusuf", "1987-05-12"), w.member(own, house, "Omar Yusuf", "2019-02-03")
	a := w.as(own, access.Registrar)
	page := a.get(at).Body.String()
	has(t, page, "Amina Yusuf")
	has(t, page, "Omar Yusuf")
	form := url.Values{"person": {mother.String()}, "role": {"primary"}}
	has(t, a.follow(a.submit(a.post(at+"/collector", form).Body.String(), "/desk"+at+"/collector")), "holder of the card</bdi>: <bdi>Amina Yusuf")
	form = url.Values{"person": {child.String()}, "role": {"alternate"}}
	asked := a.post(at+"/collector", form).Body.String()
	has(t, asked, "A second account must approve this")
	form = url.Values{"external": {"Abu Omar"}, "role": {"alternate"}}
	has(t, a.follow(a.submit(a.post(at+"/collector", form).Body.String(), "/desk"+at+"/collector")), "Abu Omar")
	form = url.Values{"who": {"Abu Omar"}, "asked_by": {child.String()}}
	if got := a.post(at+"/collector-end", form); got.Code != 422 {
		t.Errorf("who does not hold the card ends it: %d", got.Code)
	}
	form.Set("asked_by", mother.String())
	has(t, a.follow(a.submit(a.post(at+"/collector-end", form).Body.String(), "/desk"+at+"/collector-end")), "ended")
	asked = a.post(at+"/split", url.Values{"leaving": {child.String()}}).Body.String()
	has(t, asked, "leave: <bdi>Omar Yusuf</bdi>")
	has(t, a.follow(a.submit(asked, "/desk"+at+"/split")), "Omar Yusuf")
	if strings.Contains(a.get(at).Body.String(), "Omar Yusuf") {
		t.Error("who left is here yet")
	}
	_, theirs, _ := strings.Cut(a.get("/people/"+child.String()).Body.String(), `href="/desk/households/`)
	theirs, _, _ = strings.Cut(theirs, `"`)
	asked = a.post(at+"/merge", url.Values{"other": {theirs}}).Body.String()
	page = a.follow(a.submit(asked, "/desk"+at+"/merge"))
	has(t, page, "Omar Yusuf")
	has(t, page, "Amina Yusuf")

	// Of a bulk of people one that is another organisation's refuses the whole.
	house = w.household(own)
	mine := w.member(own, house, "Hawa", "1990-01-01")
	w.member(own, house, "Idris", "1990-01-01")
	form = url.Values{"leaving": {mine.String(), w.person(other, "Foreign").String()}}
	if got := a.post("/households/"+house.String()+"/split", form); got.Code != 404 {
		t.Errorf("a split with somebody of another organisation: %d, want 404", got.Code)
	}
}

func TestTwoRecordsOfOnePerson(t *testing.T) {
	w := newWorld(t)
	first, second := w.person(own, "Amina Yusuf"), w.person(own, "Amina Yusuf")
	a := w.as(own, access.Registrar)
	has(t, a.get("/doubles").Body.String(), "name that sounds the same")
	at := "/people/" + second.String() + "/double"
	page := a.get(at + "?other=" + first.String()).Body.String()
	has(t, page, "Are these one person?")
	form := url.Values{"other": {first.String()}, "decision": {"same"}}
	has(t, a.follow(a.submit(a.post(at, form).Body.String(), "/desk"+at)), "One person: ")
	has(t, a.get("/people/"+second.String()).Body.String(), "second record of one person")
	if strings.Contains(a.get("/doubles").Body.String(), "/double?other=") {
		t.Error("the pair waits on")
	}
}

// Each way of finding, and what cannot be looked for.
func TestFindingPeople(t *testing.T) {
	w := newWorld(t)
	id := w.person(own, "Amina Yusuf").String()
	a := w.as(own, access.Registrar)
	for name, form := range map[string]url.Values{
		"by name": {"q": {"yusuf amina"}}, "in another script": {"q": {"أمينة يوسف"}}, "by name and year": {"q": {"amina"}, "year": {"1987"}}, "by id": {"q": {id}}, "by telephone": {"phone": {"0712 345 678"}},
	} {
		if page := a.post("/people", form).Body.String(); !strings.Contains(page, "/desk/people/"+id) {
			t.Errorf("%s: not found", name)
		}
	}
	for name, form := range map[string]url.Values{
		"nothing": {}, "two things": {"q": {"amina"}, "phone": {"0712345678"}}, "no year": {"q": {"amina"}, "year": {"x"}}, "no document": {"document": {"1"}}, "no telephone": {"phone": {"ring"}},
	} {
		if code := a.post("/people", form).Code; code != 422 {
			t.Errorf("%s: %d, want 422", name, code)
		}
	}
	if page := a.post("/people", url.Values{"q": {"amina"}, "year": {"1950"}}).Body.String(); strings.Contains(page, id) {
		t.Error("found in a year that is not hers")
	}
	if strings.Contains(w.log.String(), "amina") || strings.Contains(w.log.String(), "712345678") {
		t.Error("what was looked for stands in the log")
	}
}

// Every page that shows a person leaves an entry that names her.
func TestEveryViewOfAPersonIsInTheLog(t *testing.T) {
	w := newWorld(t)
	id := w.person(own, "Amina Yusuf")
	twin := w.person(own, "Amina Yusuf")
	at := "/people/" + id.String()
	for _, path := range []string{at, at + "/history", at + "/history?from=2026-11-01", at + "/edit", at + "/double?other=" + twin.String(), at + "/looked", at + "/looked/pdf", "/media/" + id.String(), "/doubles"} {
		a := w.as(own, access.Registrar)
		if code := a.get(path).Code; code != 200 {
			t.Errorf("%s: %d", path, code)
		}
		if w.peopleOf(own).seen(a.member.id, id) == 0 {
			t.Errorf("%s: nobody is told of it", path)
		}
	}
	a := w.as(own, access.Registrar)
	a.post("/people", url.Values{"q": {"amina"}})
	if w.peopleOf(own).seen(a.member.id, id) == 0 {
		t.Error("being found: nobody is told of it")
	}
	a = w.as(own, access.Registrar)
	a.post(at+"/died", url.Values{})
	if w.peopleOf(own).seen(a.member.id, id) == 0 {
		t.Error("a plan that names her: nobody is told of it")
	}
}

// A photograph comes to who may see it, as a picture and nothing else.
func TestPhotographs(t *testing.T) {
	w := newWorld(t)
	id := w.person(own, "Amina Yusuf")
	got := w.as(own, access.Registrar).get("/media/" + id.String())
	h := got.Header()
	if got.Code != 200 || h.Get("Content-Type") != "image/jpeg" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Security-Policy") != "default-src 'none'; sandbox" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", got.Code, h)
	}
	r := w.registry(own)
	rec, err := r.Record(w.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.EditPerson(w.Context(), rec, func(p *registry.Person) error { p.Photo = []byte("<svg onload=alert(1)>"); return nil }); err != nil {
		t.Fatal(err)
	}
	if code := w.as(own, access.Registrar).get("/media/" + id.String()).Code; code != 404 {
		t.Errorf("what is no picture: %d, want 404", code)
	}
	if code := w.as(own, access.Finance).get("/media/" + id.String()).Code; code != 403 {
		t.Errorf("finance: %d, want 403", code)
	}
	if code := w.as(own, access.Registrar).get("/media/" + w.household(own).String()).Code; code != 404 {
		t.Errorf("a household's: %d, want 404", code)
	}
}

// naughty are names that are no names: what scripts, templates, spreadsheets and
// terminals take for their own, and letters that turn a line around.
func naughty(t *testing.T) []string {
	list := []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'; DROP TABLE person; --`, `{{.}}{{7*7}}${7*7}`, `javascript:alert(1)`, `</title></textarea></select><svg/onload=alert(1)>`,
		`=HYPERLINK("http://evil.example","x")`, `@SUM(1)`, "\u202eanimA\u202c", "A\u200bmina", "\u0627\u0644\u0639\u0631\u0628\u064a\u0629 <b>", "e\u0301\u0302\u0303\u0304", "%00%0a", "&lt;b&gt;&amp;", "<!--#exec cmd=ls-->", "﷽", "👩‍👩‍👧‍👦", strings.Repeat("W", 200), "{count}", "\\", "NULL", "--yes"}
	for dir, _ := os.Getwd(); ; dir = filepath.Dir(dir) {
		files, _ := filepath.Glob(filepath.Join(dir, "shared", "hostile-files", "*-names.csv"))
		for _, f := range files {
			raw, err := os.Open(f)
			if err != nil {
				t.Fatal(err)
			}
			r := csv.NewReader(raw)
			r.FieldsPerRecord, r.LazyQuotes = -1, true
			rows, err := r.ReadAll()
			raw.Close()
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range rows[1:] {
				list = append(list, row[0])
			}
		}
		if len(files) > 0 {
			return list
		}
		if dir == filepath.Dir(dir) {
			t.Log("SKIPPED: ../shared/hostile-files is not there: only the names of this test are tried")
			return list
		}
	}
}

// Whatever stands in a name stands on every page as text (THREATS 4.7 row 17).
func TestNaughtyNamesOfPeopleAreText(t *testing.T) {
	w := newWorld(t)
	a := w.as(own, access.Registrar)
	for _, name := range naughty(t) {
		if strings.TrimSpace(name) == "" || strings.ContainsRune(name, 0) {
			continue
		}
		house := w.household(own)
		id := w.member(own, house, name, "1987-05-12").String()
		for _, path := range []string{"/people/" + id, "/people/" + id + "/edit", "/people/" + id + "/history", "/households/" + house.String(), "/people/" + id + "/double"} {
			page := a.get(path)
			if page.Code == 303 { // no double
				continue
			}
			body := page.Body.String()
			if strings.ContainsAny(name, "<>") && strings.Contains(body, name) {
				t.Errorf("%s: %q is markup", path, name)
			}
			if !strings.Contains(html.UnescapeString(body), name) {
				t.Errorf("%s: %q is not shown", path, name)
			}
		}
		if got := a.post("/people", url.Values{"q": {name}}); got.Code >= 500 {
			t.Errorf("looking for %q: %d", name, got.Code)
		}
	}
}

// A program finds, reads and corrects with the state it has read, as the pages do.
func TestProgramsWorkOnPeople(t *testing.T) {
	w := newWorld(t)
	id := w.person(own, "Amina Yusuf").String()
	at := "/people/" + id
	p := w.program(own, access.Registrar, access.PersonFind, access.PersonRead, access.PersonEdit)
	if got := p.object(p.ask("POST", "/people", `{"q":"amina"}`), 200); got["total"] != 1.0 {
		t.Errorf("found: %v", got)
	}
	form := p.object(p.ask("GET", at+"/edit", ""), 200)
	seen, _ := form["seen"].(string)
	p.object(p.ask("POST", at+"/edit", `{"seen":"`+seen+`","birth":"1988-01-02","reason":"asked"}`), 200)
	p.object(p.ask("POST", at+"/edit", `{"seen":"`+seen+`","birth":"1989-03-04","reason":"asked"}`), 200)
	if got, _ := p.object(p.ask("GET", at, ""), 200)["undecided"].([]any); len(got) != 1 {
		t.Errorf("undecided: %v", got)
	}
}

// Who reads the log sees that something is asked for, and not of whom: no name, number or
// day, on the page and to a program.
func TestApprovalsNamePeopleToWhoMayReadThem(t *testing.T) {
	w := newWorld(t)
	id := w.person(own, "Amina Yusuf").String()
	a := w.as(own, access.Registrar)
	asked := a.post("/people/"+id+"/died", url.Values{"on": {"2026-11-18"}})
	a.follow(a.submit(asked.Body.String(), "/desk/people/"+id+"/died"))
	asked = a.post("/people/"+id+"/alive", url.Values{"reason": {"error"}})
	a.follow(a.submit(asked.Body.String(), "/desk/people/"+id+"/alive"))
	at := regexp.MustCompile(`/desk(/approvals/[^"]+)"`).FindStringSubmatch(a.get("/approvals").Body.String())[1]
	lead, auditor, program := w.as(own, access.Approver), w.as(own, access.Auditor), w.program(own, access.Auditor, access.AuditRead)
	for _, path := range []string{"/approvals", at} {
		has(t, lead.get(path).Body.String(), "<bdi>Amina Yusuf</bdi>")
		for who, page := range map[string]string{"an auditor": auditor.get(path).Body.String(), "a program": program.ask("GET", path, "").Body.String()} {
			if strings.Contains(page, "Amina") || !strings.Contains(page, id) || !strings.Contains(page, "Records: ") {
				t.Errorf("%s to %s:\n%s", path, who, page)
			}
		}
	}
}

// A change of people is done as it was asked for: where the record is another one by then, it
// is refused and nothing done.
func TestAChangeOfARecordThatChangedSince(t *testing.T) {
	w := newWorld(t)
	id := w.person(own, "Amina Yusuf").String()
	a, lead := w.as(own, access.Registrar), w.as(own, access.Approver)
	a.follow(a.submit(a.post("/people/"+id+"/died", url.Values{"on": {"2026-11-18"}}).Body.String(), "/desk/people/"+id+"/died"))
	ask := func() (at, hash string) {
		t.Helper()
		asked := a.post("/people/"+id+"/alive", url.Values{"reason": {"error"}})
		a.follow(a.submit(asked.Body.String(), "/desk/people/"+id+"/alive"))
		list, err := w.doors[own].Approvals(t.Context(), boss)
		if err != nil || list[0].State != access.Waiting {
			t.Fatal(list, err)
		}
		at = "/approvals/" + list[0].ID
		return at, approvalHash.FindStringSubmatch(lead.get(at).Body.String())[1]
	}
	at, hash := ask()
	w.move(time.Second)
	form := a.filled(a.get("/people/"+id+"/edit").Body.String(), "/desk/people/"+id+"/edit")
	form.Set("birth", "1988-01-02")
	form.Set("reason", "asked")
	if c := a.post("/people/"+id+"/edit", form).Code; c != 303 {
		t.Fatalf("correcting: %d", c)
	}
	dead := func() bool { return strings.Contains(lead.get("/people/"+id).Body.String(), "2026-11-18") }
	if c := lead.post(at+"/approve", url.Values{"hash": {hash}}).Code; c != 409 || !dead() {
		t.Errorf("what was asked for of another record: %d, want 409", c)
	}
	w.move(time.Second)
	at, hash = ask()
	if c := lead.post(at+"/approve", url.Values{"hash": {hash}}).Code; c != 303 {
		t.Errorf("as it is now: %d", c)
	}
}

// A request whose screen cannot tell what it would change says that, beside the others, and
// is refused all the same.
func TestARequestThatCannotBeTold(t *testing.T) {
	w := newWorld(t)
	other := w.ask(own)
	c := records.Change{Kind: records.Alive, Unit: registry.NewID(), Reason: "error"}
	payload, err := c.Payload()
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.doors[own].Ask(t.Context(), boss, access.Request{Act: access.PersonChange, Object: c.Unit.String(), Payload: payload, Reason: c.Reason})
	if err != nil {
		t.Fatal(err)
	}
	lead := w.as(own, access.Approver, access.OrgAdmin)
	list := lead.get("/approvals")
	if list.Code != 200 {
		t.Fatalf("the list: %d", list.Code)
	}
	for _, want := range []string{"cannot be told now", "/desk/approvals/" + r.ID, "/desk/approvals/" + other} {
		has(t, list.Body.String(), want)
	}
	page := lead.get("/approvals/" + r.ID).Body.String()
	has(t, page, "cannot be told now")
	form := lead.filled(page, "/desk/approvals/"+r.ID+"/refuse")
	form.Set("reason", "nobody knows her")
	if a := lead.post("/approvals/"+r.ID+"/refuse", form); a.Code != 303 {
		t.Errorf("refusing it: %d", a.Code)
	}
}

// What goes wrong is in the log by its code and the number of the request: what an error
// says names people.
func TestTheLogOfFaultsNamesNobody(t *testing.T) {
	w := newWorld(t)
	id, b := w.thing(own, "Maize"), w.as(own, access.Registrar)
	w.err = fmt.Errorf("household 1a (HH-0042): %w", &registry.Refusal{})
	a := b.get("/things/" + id)
	log := w.log.String()
	if a.Code != 500 || strings.Contains(log, "HH-0042") || !strings.Contains(log, "*registry.Refusal") || !strings.Contains(log, a.Header().Get("X-Request-ID")) {
		t.Errorf("%d\n%s", a.Code, log)
	}
}
