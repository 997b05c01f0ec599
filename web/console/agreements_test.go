package console_test

import (
	"html"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry/export"
	"aidpass/issuer/registry/rights"
	"aidpass/web/console"
)

// An agreement is drawn up by one account and approved by another, who reads all of it in
// words; then it is in force, and one that stands behind it ends it with a reason.
func TestAnAgreementIsMadeByTwo(t *testing.T) {
	w := newWorld(t)
	w.desks[own].settings = map[string][]byte{console.SettingLabels: []byte(`{"KE007":{"en":"Garissa","ar":"غاريسا"}}`)}
	lead, dpo := w.as(own, access.OrgAdmin), w.as(own, access.DataProtection)
	asked := lead.post("/agreements/new", drafted())
	at := strings.TrimPrefix(asked.Header().Get("Location"), "/desk")
	if asked.Code != 303 || !strings.HasPrefix(at, "/approvals/") {
		t.Fatalf("%d %s", asked.Code, asked.Body)
	}
	if all, err := w.rightsOf(own).Agreements(t.Context()); err != nil || len(all) != 0 {
		t.Fatalf("in force before the second account: %v %v", all, err)
	}
	page := dpo.get(at).Body.String()
	for _, want := range []string{"<bdi>Bank C &lt;b&gt;</bdi> (<bdi>bank-c</bdi>)", "A company, such as a bank", "<bdi>Kenya</bdi>", "<bdi>compliance desk</bdi>", "pays out", "The consent of each person", "Whole name", "Number: ", "National",
		"<bdi>Garissa</bdi> (<bdi>KE007</bdi>)", "<bdi>KE008</bdi>", "<bdi>Somalia</bdi>", "<bdi>SSD</bdi>", "31 May 2027", "<bdi>90</bdi> days", "numbers of each file’s own", "payments of the winter"} {
		has(t, page, want)
	}
	if strings.Contains(lead.get(at).Body.String(), `action="/desk`+at+`/approve"`) {
		t.Error("who asked may approve")
	}
	if a := dpo.submit(page, "/desk"+at+"/approve"); a.Code != 303 {
		t.Fatalf("approving: %d %s", a.Code, a.Body)
	}
	made, err := w.rightsOf(own).Agreement(t.Context(), "bank-c-2026")
	if err != nil || made.By != lead.member.id || made.Second != dpo.member.id || made.With.Country != "KEN" || strings.Join(made.ExcludeOrigin, " ") != "SOM SSD" || strings.Join(made.Areas, " ") != "KE007 KE008" {
		t.Fatalf("%+v %v", made, err)
	}
	has(t, lead.get("/agreements").Body.String(), `Days left: <bdi>191</bdi>`)
	lead.post("/language", url.Values{"lang": {"sw"}, "next": {"/desk/"}})
	has(t, lead.get("/agreements/of/bank-c-2026").Body.String(), "<bdi>Sudan Kusini</bdi>")
	lead.post("/language", url.Values{"lang": {"en"}, "next": {"/desk/"}})
	w.move(170 * 24 * time.Hour)
	lead = w.as(own, access.OrgAdmin)
	has(t, lead.get("/").Body.String(), "Agreements that end within 30 days: <bdi>1</bdi>")
	if code := lead.post("/agreements/of/bank-c-2026/end", nil).Code; code != 422 {
		t.Errorf("without a reason: %d", code)
	}
	a := lead.post("/agreements/of/bank-c-2026/end", url.Values{"reason": {"bank closed"}})
	has(t, lead.follow(a), "is ended")
	one := lead.get("/agreements/of/bank-c-2026").Body.String()
	for _, want := range []string{"Ended on", "bank closed"} {
		has(t, one, want)
	}
	if strings.Contains(one, `id="end"`) || strings.Contains(lead.get("/").Body.String(), "end within 30 days") {
		t.Error("what has ended is ended again")
	}
}

// What cannot be an agreement is refused before anybody is asked, with the field's name,
// over the form as it was filled: nothing is typed twice.
func TestADraftThatIsRefused(t *testing.T) {
	w := newWorld(t)
	lead := w.as(own, access.OrgAdmin)
	taken := w.agreement(own, func(*rights.Agreement) {})
	for name, c := range map[string]struct{ field, value, says string }{
		"no purpose":             {"purpose", "", "Purpose"},
		"one's own use":          {"purpose", "copy", "Purpose"},
		"over already":           {"until", "2026-11-21", "From when until when"},
		"no word on exclusion":   {"exclude_origin", "", "Countries of origin"},
		"no country at all":      {"exclude_origin", "Atlantis", "Countries of origin"},
		"by notice to a company": {"basis", "notice", "What the sharing rests on"},
		"a field of no file":     {"fields", "shoe_size", "shoe_size"},
		"an id that is taken":    {"id", taken.ID, "Short name"},
		"no reason":              {"reason", "", "Why, for who approves it"},
	} {
		form := drafted()
		form.Set(c.field, c.value)
		a := lead.post("/agreements/new", form)
		if a.Code != 422 || !strings.Contains(a.Body.String(), c.says) {
			_, said, _ := strings.Cut(a.Body.String(), "<main")
			t.Errorf("%s: %d %s", name, a.Code, said)
		}
		again := filled(a)
		for field, typed := range form {
			if slices.Sort(typed); field != c.field && !slices.Equal(slices.Sorted(slices.Values(again[field])), typed) {
				t.Errorf("%s: %s was typed as %q, and the form has %q", name, field, typed, again[field])
			}
		}
	}
	if all, err := w.doors[own].Approvals(t.Context(), boss); err != nil || len(all) != 0 {
		t.Errorf("somebody was asked: %v %v", all, err)
	}
}

// The file of an agreement fills the form, and what that says is the same agreement.
func TestAnAgreementFromAFile(t *testing.T) {
	w := newWorld(t)
	was := w.agreement(own, func(a *rights.Agreement) {
		a.Fields = []string{"full_name", "photo", "band.f_0_4", "document.passport", "ext.shelter"}
		a.With.Kind, a.With.Country, a.Basis, a.ExcludeOrigin, a.NoExclusion, a.Numbers = rights.Government, "KEN", rights.ByConsent, nil, "nobody there is at risk", true
	})
	lead := w.as(own, access.OrgAdmin)
	file := lead.get("/agreements/of/" + was.ID + "/file")
	page := lead.upload("/agreements/file", nil, "file", []byte(strings.Replace(file.Body.String(), was.ID, "moi-2027", 1)))
	if file.Code != 200 || page.Code != 200 {
		t.Fatalf("%d %d %s", file.Code, page.Code, page.Body)
	}
	form := filled(page)
	form.Set("reason", "next year")
	asked := lead.post("/agreements/new", form)
	all, err := w.doors[own].Approvals(t.Context(), boss)
	if asked.Code != 303 || err != nil || len(all) != 1 {
		t.Fatalf("%d %s\n%v", asked.Code, asked.Body, form)
	}
	dpo := w.as(own, access.DataProtection)
	at := "/approvals/" + all[0].ID
	dpo.submit(dpo.get(at).Body.String(), "/desk"+at+"/approve")
	is, err := w.rightsOf(own).Agreement(t.Context(), "moi-2027")
	if err != nil {
		t.Fatal(err)
	}
	is.ID = was.ID
	x, _ := was.File()
	y, _ := is.File()
	sort := func(b []byte) string { return strings.Join(sortedLines(string(b)), "\n") }
	if sort(x) != sort(y) {
		t.Errorf("was:\n%s\nis:\n%s", x, y)
	}
	for _, bad := range []string{"id: x", strings.Repeat("a", rights.MaxAgreementBytes+1), file.Body.String() + "more: 1\n"} {
		if code := lead.upload("/agreements/file", nil, "file", []byte(bad)).Code; code != 422 && code != 413 {
			t.Errorf("%.20s…: %d", bad, code)
		}
	}
}

func sortedLines(s string) []string {
	lines := strings.Split(strings.ReplaceAll(s, "- ", ""), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	slices.Sort(lines)
	return lines
}

// filled is what the form of a page holds, as a browser would send it.
func filled(a *httptest.ResponseRecorder) url.Values {
	_, page, _ := strings.Cut(a.Body.String(), `action="/desk/agreements/new"`)
	form := url.Values{}
	attr := func(tag, name string) string {
		m := regexp.MustCompile(` ` + name + `="([^"]*)"`).FindStringSubmatch(tag)
		if m == nil {
			return ""
		}
		return html.UnescapeString(m[1])
	}
	for _, tag := range regexp.MustCompile(`<input[^>]*>`).FindAllString(page, -1) {
		if kind := attr(tag, "type"); (kind != "checkbox" && kind != "radio") || strings.Contains(tag, " checked") {
			form.Add(attr(tag, "name"), attr(tag, "value"))
		}
	}
	for _, m := range regexp.MustCompile(`(?s)<select[^>]* name="([^"]*)".*?</select>`).FindAllStringSubmatch(page, -1) {
		if o := regexp.MustCompile(`value="([^"]*)" selected`).FindStringSubmatch(m[0]); o != nil {
			form.Add(m[1], o[1])
		}
	}
	return form
}

// One agreement's page: what went out under it, and what was called back, of nobody by name.
func TestWhatWentOutUnderAnAgreement(t *testing.T) {
	w := newWorld(t)
	id := w.person(own, "Amina Yusuf")
	ministry := w.as(own, access.Partner)
	ministry.get("/people/" + id.String())
	if _, _, err := w.rightsOf(own).Withdraw(t.Context(), clerk, id, "", ""); err != nil {
		t.Fatal(err)
	}
	page := w.as(own, access.Auditor).get("/agreements/of/moi-2026").Body.String()
	for _, want := range []string{"Ministry of Interior", "Looked at on the screen", "<bdi>" + ministry.member.id + "</bdi>", "None yet"} {
		has(t, page, want)
	}
	if strings.Contains(page, "Amina") || strings.Contains(page, id.String()) {
		t.Error("the page says whom it is about")
	}
}

// Every field that an agreement can name is called something in every language.
func TestFieldsOfAgreementsHaveWords(t *testing.T) {
	w := newWorld(t)
	page := w.as(own, access.OrgAdmin).get("/agreements/new").Body.String()
	for _, f := range export.Fields() {
		if f.Name != "list" && f.Name != "household_list" && !strings.Contains(page, `value="`+f.Name+`"`) {
			t.Errorf("the form has no box for %s", f.Name)
		}
	}
	if m := regexp.MustCompile(`<bdi>(imports|people|agreements)\.[^<]*`).FindString(page); m != "" {
		t.Errorf("a field without a word: %s", m)
	}
}

// TestLevelsThatTellNothing: codes that are not padded name no level, neither those typed nor
// those that the organisation has names for; what was typed stays in the form.
func TestLevelsThatTellNothing(t *testing.T) {
	w := newWorld(t)
	w.desks[own].settings = map[string][]byte{console.SettingLabels: []byte(`{"KE12":{"en":"Nairobi"},"WELL-A":{"en":"Well A"}}`)}
	lead := w.as(own, access.OrgAdmin)
	for levels, want := range map[string]string{"KE0070": "differ by one sign", "KE": "one code of each deeper level", "ke007001": "<bdi>KE12</bdi>"} {
		f := drafted()
		f.Set("levels", levels)
		a := lead.post("/agreements/new", f)
		if a.Code != 422 {
			t.Errorf("%s: %d", levels, a.Code)
		}
		has(t, a.Body.String(), want)
		has(t, a.Body.String(), `value="`+levels+`"`)
	}
	w.desks[own].settings = nil
	f := drafted()
	f.Set("levels", "KE007001")
	has(t, lead.follow(lead.post("/agreements/new", f)), "<bdi>KE007001</bdi>")
}
