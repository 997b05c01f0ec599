package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry/quality/indicator"
)

// From the day's figures to the record that is to be mended, in a file too, and what changed
// since is told.
func TestQualityLeadsFromAFigureToTheField(t *testing.T) {
	w := newWorld(t)
	id := w.person(own, "Amina Yusuf")
	a := w.as(own, access.Registrar)
	has(t, a.get("/quality").Body.String(), "Nothing was measured yet")
	a.post("/quality/take", nil)
	page := a.get("/quality").Body.String()
	if n := strings.Count(page, `<tr id="DQ-`); n != 31 {
		t.Fatalf("%d figures", n)
	}
	has(t, page, `href="/desk/quality/list?by=&amp;indicator=DQ-02&amp;value="`)
	has(t, page, "■</bdi> <bdi>mend it</bdi>")
	has(t, page, "No list of place codes is loaded.")
	list := a.get("/quality/list?indicator=DQ-02").Body.String()
	has(t, list, "/desk/people/"+id.String()+"/edit#")
	has(t, list, "required and not filled in")
	told := false
	for _, e := range w.peopleOf(own).Notes() {
		told = told || e.Action == "quality.list" && strings.HasPrefix(e.Detail, "listed=")
	}
	if !told {
		t.Error("the log does not tell of the list")
	}

	w.move(24 * time.Hour)
	a = w.as(own, access.Registrar)
	w.policy.Person = []string{"name"}
	a.post("/quality/take", nil)
	page = a.get("/quality").Body.String()
	if strings.Count(page, `class="spark"`) < 5 || strings.Count(page, "what is counted changed on") != 3 {
		t.Errorf("%d drawings, %d changes", strings.Count(page, `class="spark"`), strings.Count(page, "what is counted changed on"))
	}
	if got := a.post("/quality/take", nil); got.Code != http.StatusSeeOther || len(w.measured.list) != 2 {
		t.Errorf("a second of the day: %d, %d kept", got.Code, len(w.measured.list))
	}
	kept := scoreShown(t, page)
	w.policy.Measured.Weights = map[string]float64{"C": 9}
	if later := a.get("/quality").Body.String(); scoreShown(t, later) != kept || !strings.Contains(later, `id="score-help"`) {
		t.Errorf("weights of later changed the score of the day: %s, was %s", scoreShown(t, later), kept)
	}
	by := a.get("/quality?by=month&value=2026-11").Body.String()
	if strings.Count(by, `<tr id="DQ-`) != 31 || !strings.Contains(by, `<option value="2026-11" selected>`) {
		t.Error("by month")
	}
	parts := w.measured.parts[w.measured.list[1].Day()]
	for cut, values := range map[indicator.Cut][]string{indicator.Session: {"VER-2026-03", ""}, indicator.Batch: {"camp", "other"}, indicator.Adm1: {"?XX123", "SO11"}} {
		parts[cut] = indicator.Parts{"DQ-05": {}}
		for _, v := range values {
			parts[cut]["DQ-05"][v] = indicator.Tally{"": {Of: 1}}
		}
	}
	for by, option := range map[string]string{"session": "value=\"VER-2026-03\">\u2068VER-2026-03\u2069 · \u2068&lt;b&gt;Spring&lt;/b&gt;\u2069<", "batch": "value=\"camp\" selected>\u2068camp\u2069 · \u2068list 7.csv\u2069 · ", "adm1": `value="?XX123" selected>` + "\u2068XX123\u2069 (not in the list)<"} {
		has(t, a.get("/quality?by="+by).Body.String(), option)
	}
	has(t, a.get("/quality/list?indicator=DQ-05&by=adm1&value=%3FXX123").Body.String(), "XX123\u2069 (not in the list)")
	for _, path := range []string{"/quality?by=soul", "/quality/list?indicator=DQ-77"} {
		if got := a.get(path); got.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
	file := a.post("/quality/file", url.Values{"indicator": {"DQ-05"}, "reason": {"on Monday"}})
	if file.Code != http.StatusOK || !strings.HasPrefix(file.Body.String(), "PK") {
		t.Errorf("file: %d", file.Code)
	}
}

// scoreShown is the score that a page says.
func scoreShown(t *testing.T, page string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, `id="score">`)
	if !ok {
		t.Fatal("no score")
	}
	score, _, _ := strings.Cut(rest, "</strong>")
	return score
}

// Of a large register figures, lists and files are long work, and wait for who asked alone;
// the log tells whose records they are when they are made, and each other hour that one is read.
func TestOfALargeRegisterListsAreLongWork(t *testing.T) {
	w := newWorld(t)
	id := w.person(own, "Amina Yusuf")
	w.large = true
	a := w.as(own, access.Registrar)
	looks := func(action access.Action) (n int) {
		for _, e := range w.peopleOf(own).Notes() {
			if e.Action == action {
				n++
			}
		}
		return n
	}
	job := func(path string, form url.Values) string {
		t.Helper()
		got := a.post(path, form)
		at := jobPath.FindStringSubmatch(got.Header().Get("Location"))
		if got.Code != http.StatusSeeOther || at == nil {
			t.Fatalf("%s: %d to %s", path, got.Code, got.Header().Get("Location"))
		}
		return at[1]
	}
	job("/quality/take", nil)
	if len(w.measured.list) != 1 {
		t.Error("nothing was measured")
	}
	page := a.get("/quality/list?indicator=DQ-02").Body.String()
	has(t, page, `id="make"`)
	if strings.Contains(page, id.String()) || looks("quality.list") != 0 {
		t.Error("a list of a large register was made while its page waited")
	}
	made := "/quality/made/" + job("/quality/list", url.Values{"indicator": {"DQ-02"}})
	has(t, a.get(made).Body.String(), "/desk/people/"+id.String())
	a.get(made)
	if looks("quality.list") != 1 {
		t.Errorf("%d looks", looks("quality.list"))
	}
	if got := a.post(made+"/take", nil); got.Code != http.StatusNotFound {
		t.Errorf("a list taken as a file: %d", got.Code)
	}
	file := "/quality/made/" + job("/quality/file", url.Values{"indicator": {"DQ-02"}, "reason": {"on Monday"}})
	has(t, a.get(file).Body.String(), `action="/desk`+file+`/take"`)
	if got := a.post(file+"/take", nil); got.Code != http.StatusOK || !strings.HasPrefix(got.Body.String(), "PK") || looks("quality.export") != 1 {
		t.Errorf("file: %d, %d in the log", got.Code, looks("quality.export"))
	}
	w.move(20 * time.Minute)
	a.get("/quality")
	w.move(20 * time.Minute)
	a.get(made)
	a.get(made)
	if looks("quality.list") != 2 {
		t.Errorf("%d looks in two hours", looks("quality.list"))
	}
	for _, path := range []string{made, file} {
		if got := w.as(own, access.Registrar).get(path); got.Code != http.StatusNotFound {
			t.Errorf("%s is shown to another account: %d", path, got.Code)
		}
	}
}
