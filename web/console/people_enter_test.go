package console_test

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

func init() {
	forms["POST /people/new"] = url.Values{"name": {"Zuhura"}, "once": {"one"}}
	forms["POST /households/new"] = url.Values{"size": {"3"}, "members": {"size_only"}, "once": {"one"}}
}

// told is a form's answer to a notice.
func toldYes(n string) url.Values {
	return url.Values{"notice": {n}, "told": {"yes"}, "read_in": {"sw"}, "how": {"thumb"}, "told_by": {"self"}, "aloud": {"yes"}}
}

func (w *world) keepNotice() string {
	w.Helper()
	n := rights.Notice{ID: "registration-2", Sort: rights.Tells, Purpose: rights.Registration, From: "2026-11-01",
		Text: map[string]string{"en": "We write down your name <b>.", "sw": "Tunaandika jina lako."}}
	d := rights.Desk{Store: w.peopleOf(own), Org: own, Now: w.now}
	for _, n := range []rights.Notice{{ID: "registration-1", Sort: rights.Tells, Purpose: rights.Registration, From: "2026-01-01", Text: map[string]string{"en": "Old."}}, n,
		{ID: "registration-3", Sort: rights.Tells, Purpose: rights.Registration, From: "2027-01-01", Text: map[string]string{"en": "Next year."}}} {
		if err := d.SaveNotice(w.Context(), clerk, n); err != nil {
			w.Fatal(err)
		}
	}
	return n.ID
}

// with joins forms.
func with(all ...url.Values) url.Values {
	out := url.Values{}
	for _, f := range all {
		for k, v := range f {
			out[k] = v
		}
	}
	return out
}

var recordAt = regexp.MustCompile(`/(people|households)/([0-9a-f]{32})`)

// idIn is the record that an address names.
func idIn(t *testing.T, text string) registry.ID {
	t.Helper()
	m := recordAt.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no record in %q", text)
	}
	id, err := registry.ParseID(m[2])
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// An assistant enters a household and those who live in it one after the other, with what
// they were told, and takes the last one back.
func TestEnteringAHousehold(t *testing.T) {
	w := newWorld(t)
	n := w.keepNotice()
	a := w.as(own, access.Registrar)
	page := a.get("/households/new").Body.String()
	has(t, page, "We write down your name &lt;b&gt;.")
	has(t, page, "Tunaandika jina lako.")
	for _, not := range []string{"Old.", "Next year."} {
		if strings.Contains(page, not) {
			t.Errorf("a wording that is not in use is read: %q", not)
		}
	}
	got := a.post("/households/new", with(toldYes(n), url.Values{"size": {"2"}, "site": {"Block C"}, "members": {"full"}, "number": {"HH-77"}, "once": {"h"}}))
	at, _ := url.Parse(got.Header().Get("Location"))
	if got.Code != 303 || at.Path != "/desk/people/new" {
		t.Fatalf("%d %s", got.Code, at)
	}
	house, err := registry.ParseID(at.Query().Get("household"))
	if err != nil {
		t.Fatal(err)
	}
	next := strings.TrimPrefix(at.String(), "/desk")
	page = a.get(next).Body.String()
	for _, want := range []string{"HH-77", "Entered, with the number", `action="/desk/households/` + house.String() + `/undo"`, ` autofocus`} {
		has(t, page, want)
	}
	if strings.Contains(page, `name="site"`) {
		t.Error("where she stays is asked again: it is her household's")
	}
	member := url.Values{"household": {house.String()}, "name": {"زهرة"}, "name_other_script": {"Zahra"}, "language": {"Somali"}, "relation": {"head"}, "age": {"40"}, "once": {"m1"}, "next": {"more"}}
	got = a.post("/people/new", with(toldYes(n), member))
	if got.Code != 303 || got.Header().Get("Location") != "/desk"+next {
		t.Fatalf("%d %s", got.Code, got.Header().Get("Location"))
	}
	page = a.get(next).Body.String()
	has(t, page, "زهرة")
	has(t, page, "Entered, with the number <bdi>R-")
	back := regexp.MustCompile(`action="/desk(/people/[0-9a-f]{32}/undo)"`).FindStringSubmatch(page)[1]
	r := w.registry(own)
	rec, err := r.Record(t.Context(), idIn(t, back))
	if err != nil {
		t.Fatal(err)
	}
	p, err := rec.Person()
	if err != nil {
		t.Fatal(err)
	}
	if rec.Household != house || p.Birth.EDTF != "1986~" || len(p.Consents) != 1 || p.Consents[0].Wording != n || p.Consents[0].Lang != "sw" || p.Consents[0].How != "thumb" || !p.Consents[0].ReadAloud {
		t.Errorf("on record: %+v %+v", p, p.Consents)
	}
	if !slices.Equal(p.Languages, []string{"som"}) {
		t.Errorf("languages: %q", p.Languages)
	}
	if len(p.Names) != 2 || p.Names[0].Script != "Arab" || p.Names[1].Text != "Zahra" || p.Names[1].Script != "Latn" {
		t.Errorf("names: %+v", p.Names)
	}
	// The key was pressed twice: she is there once.
	if got := a.post("/people/new", with(toldYes(n), member)); got.Code != 303 || w.peopleOf(own).Len(registry.KindPerson) != 1 {
		t.Errorf("sent twice: %d, %d people", got.Code, w.peopleOf(own).Len(registry.KindPerson))
	}
	if got := w.as(own, access.Registrar).post(back, url.Values{}); got.Code != 422 {
		t.Errorf("taken back by another account: %d", got.Code)
	}
	if got := a.post(back, url.Values{}); got.Code != 303 || w.peopleOf(own).Len(registry.KindPerson) != 0 {
		t.Errorf("taken back: %d", got.Code)
	}
	has(t, a.get("/people").Body.String(), "Nothing of what was entered can be read any more")
	w.move(records.UndoLife + time.Second)
	if got := a.post("/households/"+house.String()+"/undo", url.Values{}); got.Code != 422 || !strings.Contains(got.Body.String(), "cannot be taken back any more") {
		t.Errorf("too late: %d", got.Code)
	}
}

// Who does not want to be on record is not; nothing that was typed is kept anywhere.
func TestWhoDoesNotWantToBeOnRecord(t *testing.T) {
	w := newWorld(t)
	n := w.keepNotice()
	a := w.as(own, access.Registrar)
	answer := toldYes(n)
	answer.Set("told", "no")
	got := a.post("/people/new", with(answer, url.Values{"name": {"Halima Abdi"}}))
	if got.Code != 303 || w.peopleOf(own).Len(registry.KindPerson) != 0 {
		t.Errorf("%d, %d people", got.Code, w.peopleOf(own).Len(registry.KindPerson))
	}
	page := a.get("/people/new").Body.String()
	has(t, page, "She still gets help")
	if strings.Contains(page, "Halima") {
		t.Error("the form has what was typed")
	}
}

// What is missing or wrong is said, and the form comes back as it was filled.
func TestAnEntryThatIsNotWhole(t *testing.T) {
	w := newWorld(t)
	n := w.keepNotice()
	a := w.as(own, access.Registrar)
	taken := w.household(own)
	rec, err := w.registry(own).Record(t.Context(), taken)
	if err != nil {
		t.Fatal(err)
	}
	spoken := toldYes(n)
	spoken.Set("how", "verbal+witness")
	elsewhere := toldYes(n)
	elsewhere.Set("read_in", "fr")
	for name, c := range map[string]struct {
		path string
		form url.Values
		want string
	}{
		"no name":                 {"/people/new", with(toldYes(n), url.Values{"email": {"a@b.example"}}), "One name is enough"},
		"a sex that is none":      {"/people/new", with(toldYes(n), url.Values{"name": {"Kept As Typed"}, "sex": {"lady"}}), "Sex"},
		"one script twice":        {"/people/new", with(toldYes(n), url.Values{"name": {"Kept As Typed"}, "name_other_script": {"Typed"}}), "same script as the name"},
		"a sex in doubt":          {"/people/new", with(toldYes(n), url.Values{"name": {"Kept As Typed"}, "sex": {"X?"}}), "f, m, x (other) or u (not said)"},
		"a day that is none":      {"/people/new", with(toldYes(n), url.Values{"name": {"Kept As Typed"}, "birth": {"1987-02-31"}}), "Date of birth"},
		"no answer":               {"/people/new", url.Values{"name": {"Kept As Typed"}, "notice": {n}}, "choose what she said"},
		"another wording":         {"/people/new", with(toldYes("registration-1"), url.Values{"name": {"Kept As Typed"}}), "The wording has changed"},
		"no way of answering":     {"/people/new", with(toldYes(n), url.Values{"name": {"Kept As Typed"}, "how": {""}}), "how she answered"},
		"no witness":              {"/people/new", with(spoken, url.Values{"name": {"Kept As Typed"}}), "needs a witness"},
		"a language without text": {"/people/new", with(elsewhere, url.Values{"name": {"Kept As Typed"}}), "Choose the language"},
		"members not said":        {"/households/new", with(toldYes(n), url.Values{"size": {"3"}}), "Say who of the household"},
		"size only, and none":     {"/households/new", with(toldYes(n), url.Values{"members": {"size_only"}}), "how many people"},
		"a number that is taken":  {"/households/new", with(toldYes(n), url.Values{"members": {"full"}, "number": {rec.External}}), "Another record has this number"},
	} {
		got := a.post(c.path, c.form)
		if page := got.Body.String(); got.Code != 422 || !strings.Contains(page, c.want) || c.form.Get("name") != "" && !strings.Contains(page, `value="Kept As Typed"`) {
			t.Errorf("%s: %d\n%s", name, got.Code, page)
		}
	}
	if got := a.post("/people/new", with(toldYes(n), url.Values{"name": {"X Y"}, "household": {w.household(other).String()}})); got.Code != 404 {
		t.Errorf("into another organisation's household: %d", got.Code)
	}
	if people := w.peopleOf(own).Len(registry.KindPerson); people != 0 {
		t.Errorf("%d people were entered", people)
	}
}

// Who may be on record already is shown beside what was typed, before anything is written;
// who looked stands in the log. In French as in English.
func TestPossibleDoublesBeforeAnEntry(t *testing.T) {
	w := newWorld(t)
	known := w.person(own, "Amina Yusuf Ali")
	a := w.as(own, access.Registrar)
	form := url.Values{"name": {"Aminah Yusuf Ali"}, "birth": {"1987"}, "once": {"x"}, "next": {"open"}}
	got := a.post("/people/new", form)
	page := got.Body.String()
	if got.Code != 409 || w.peopleOf(own).Len(registry.KindPerson) != 1 {
		t.Fatalf("%d, %d people", got.Code, w.peopleOf(own).Len(registry.KindPerson))
	}
	for _, want := range []string{"may be on record already", "/desk/people/" + known.String(), "<bdi>Aminah Yusuf Ali</bdi>", "<bdi>Amina Yusuf Ali</bdi>", "Somebody else: enter this person", `value="Aminah Yusuf Ali"`} {
		has(t, page, want)
	}
	if w.peopleOf(own).seen(a.member.id, known) == 0 {
		t.Error("nobody is told of the look")
	}
	sent := a.filled(page, "/desk/people/new")
	sent.Set("next", "open")
	sent.Set("name", form.Get("name"))
	sent.Set("birth", "1987")
	got = a.post("/people/new", sent)
	if got.Code != 303 || w.peopleOf(own).Len(registry.KindPerson) != 2 {
		t.Fatalf("%d\n%s", got.Code, got.Body)
	}
	has(t, a.get(strings.TrimPrefix(got.Header().Get("Location"), "/desk")).Body.String(), "May be the same person")

	p := w.program(own, access.Registrar, access.PersonEnter)
	answer := p.object(p.ask("POST", "/people/new", `{"name":"Amina Yusuf Ali","birth":"1987"}`), 200)
	seen, _ := answer["seen"].(string)
	if maybe, _ := answer["maybe"].([]any); len(maybe) != 2 || seen == "" {
		t.Fatalf("a program is told %v", answer)
	}
	done := p.object(p.ask("POST", "/people/new", `{"name":"Amina Yusuf Ali","birth":"1987","seen":"`+seen+`"}`), 200)
	if see, _ := done["see"].(string); !recordAt.MatchString(see) {
		t.Errorf("a program is not told where: %v", done)
	}
}

// Naughty names are entered as text, or refused as an import refuses them.
func TestNaughtyNamesAreEnteredAsText(t *testing.T) {
	w := newWorld(t)
	a := w.as(own, access.Registrar)
	refused := 0
	names := naughty(t)
	for i, name := range names {
		got := a.post("/people/new", url.Values{"name": {name}, "once": {string(rune('a' + i))}, "next": {"open"}})
		switch got.Code {
		case 422, 400:
			refused++
		case 303:
			page := a.get(strings.TrimPrefix(got.Header().Get("Location"), "/desk")).Body.String()
			if strings.ContainsAny(name, "<>") && strings.Contains(page, name) {
				t.Errorf("%q is markup", name)
			}
		default:
			t.Errorf("%q: %d", name, got.Code)
		}
	}
	if refused == len(names) {
		t.Error("all are refused")
	}
}

// Every reason why something is refused is said in the reader's language.
func TestRefusalsInTheWordsOfTheReader(t *testing.T) {
	w := newWorld(t)
	id := w.person(own, "Amina Yusuf").String()
	a := w.as(own, access.Registrar)
	a.post("/language", url.Values{"lang": {"fr"}, "next": {"/desk/"}})
	page := a.post("/people/"+id+"/died", url.Values{"on": {"tomorrow"}}).Body.String()
	has(t, page, "Écrivez le jour du décès")
	form := a.filled(a.get("/people/"+id+"/edit").Body.String(), "/desk/people/"+id+"/edit")
	form.Set("birth", "1987-02-31")
	form.Set("reason", "x")
	page = a.post("/people/"+id+"/edit", form).Body.String()
	_, page, _ = strings.Cut(page, `id="wrong"`)
	page, _, _ = strings.Cut(page, "</p>")
	if strings.Contains(page, `lang="en"`) || !strings.Contains(page, catalogue(t, "fr")["imports.mend_birth_impossible"]) {
		t.Errorf("what was typed wrong is told as %q", page)
	}
	if !slices.Contains([]int{422}, a.post("/people/"+id+"/edit", form).Code) {
		t.Error("it was taken")
	}
}

// One person moves to another household after a dry run that says what it comes to.
func TestMovingOnePerson(t *testing.T) {
	w := newWorld(t)
	from := w.household(own)
	id := w.member(own, from, "Amina Yusuf", "1987-05-12")
	w.member(own, from, "Hodan Ali", "2019-05-12")
	to, err := w.registry(own).EnterHousehold(w.Context(), "", "HH-NEW", registry.Household{Size: 1})
	if err != nil {
		t.Fatal(err)
	}
	w.peopleOf(own).GiveCards(from, 1)
	a := w.as(own, access.Registrar)
	path := "/people/" + id.String() + "/move"
	page := a.post(path, url.Values{"household": {"HH-NEW"}, "relation": {"sibling"}}).Body.String()
	for _, want := range []string{"<bdi>Amina Yusuf</bdi> moves to the household of <bdi>HH-NEW</bdi>", "Ask each adult alone who holds the card", "Nobody on record may collect", "No adult is left"} {
		has(t, page, want)
	}
	if w.peopleOf(own).CardsOf(from) != 1 {
		t.Error("the dry run stopped a card")
	}
	a.follow(a.submit(page, "/desk"+path))
	rec, err := w.registry(own).Record(t.Context(), id)
	if err != nil || rec.Household != to.ID || w.peopleOf(own).CardsOf(from) != 0 {
		t.Errorf("she is in %v, %d cards: %v", rec.Household, w.peopleOf(own).CardsOf(from), err)
	}
	if got := a.post(path, url.Values{"household": {"HH-NEW"}}); got.Code != 422 || !strings.Contains(got.Body.String(), "lives in that household already") {
		t.Errorf("where she lives: %d", got.Code)
	}
	page = a.post(path, url.Values{}).Body.String()
	has(t, page, "leaves her household and belongs to none")
}

// What a record has as a code stands in words, is chosen in words, and an answer is told in
// sentences, in the reader's language.
func TestCodesOfARecordAreSaid(t *testing.T) {
	w := newWorld(t)
	n := w.keepNotice()
	a := w.as(own, access.Registrar)
	for _, want := range []string{`<option value="REFUGEE">Refugee</option>`, `<option value="SOM">Somalia</option>`} {
		has(t, a.get("/households/new").Body.String(), want)
	}
	got := a.post("/households/new", with(toldYes(n), url.Values{"size": {"1"}, "members": {"full"}, "residence": {"REFUGEE"}, "origin": {"SOM"}, "country": {"KEN"}, "next": {"open"}}))
	house := idIn(t, got.Header().Get("Location"))
	got = a.post("/people/new", with(toldYes(n), url.Values{"household": {house.String()}, "name": {"Zahra"}, "language": {"so"}, "age": {"40"}, "next": {"open"}}))
	id := idIn(t, got.Header().Get("Location"))
	page := a.get("/households/" + house.String()).Body.String()
	for _, want := range []string{"Refugee", "Somalia", "Kenya", "She herself said yes on ", "How: thumbprint.", "It was read aloud in this language: <bdi>Swahili</bdi>."} {
		has(t, page, want)
	}
	page += a.get("/people/" + id.String()).Body.String()
	past := a.get("/people/" + id.String() + "/history").Body.String()
	has(t, past, "She herself said yes on ")
	has(t, past, "<bdi>Somali</bdi>")
	for _, not := range []string{"REFUGEE", ">SOM<", "KEN<", ">som<", "Latn", "from left to right", "registration-2", "read_aloud"} {
		if strings.Contains(page+past, not) {
			t.Errorf("a code is shown: %q", not)
		}
	}
	a.post("/language", url.Values{"lang": {"ar"}, "next": {"/desk/"}})
	has(t, a.get("/people/"+id.String()).Body.String(), "الصومالية")
	has(t, a.get("/people/"+id.String()+"/edit").Body.String(), `value="الصومالية"`)
	// A form that comes back as it was shown changes nothing.
	form := url.Values{"reason": {"looked at"}, "language": {"الصومالية"}, "seen": {regexp.MustCompile(`name="seen" value="([^"]*)"`).FindStringSubmatch(a.get("/people/" + id.String() + "/edit").Body.String())[1]}}
	if got := a.post("/people/"+id.String()+"/edit", form); got.Code != 303 || strings.Count(a.get("/people/"+id.String()+"/history").Body.String(), "الصومالية") != 1 {
		t.Errorf("a language that was left as it stood: %d", got.Code)
	}
}
