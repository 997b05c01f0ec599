package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"aidpass/access"
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
	by := a.get("/quality?by=month&value=2026-11").Body.String()
	if strings.Count(by, `<tr id="DQ-`) != 31 || !strings.Contains(by, `<option value="2026-11" selected>`) {
		t.Error("by month")
	}
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
