package console_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"aidpass/access"
)

// Settings are seen by who may and changed by who may, and not over what somebody else
// changed meanwhile.
func TestSettingsOfTheOrganisation(t *testing.T) {
	w := newWorld(t)
	b := w.as(own, access.OrgAdmin)
	page := b.get("/organisation").Body.String()
	before := hidden(t, page, "before")
	form := url.Values{"complaint": {`"+254 <700>`}, "before": {before}}
	if a := b.post("/organisation/complaint", form); a.Code != 303 {
		t.Errorf("the line: %d", a.Code)
	}
	if a := b.post("/organisation/complaint", form); a.Code != 409 {
		t.Errorf("over another's change: %d", a.Code)
	}
	if page := w.as(own, access.PlatformOperator).get("/organisation").Body.String(); !strings.Contains(page, "254 &lt;700&gt;") || strings.Contains(page, "/desk/organisation/complaint") {
		t.Errorf("to who only reads: %s", page)
	}
	file := url.Values{"name": {"labels"}, "before": {before}}
	if a := b.upload("/organisation/file", file, "", nil); a.Code != 422 {
		t.Errorf("no file: %d", a.Code)
	}
	if a := b.upload("/organisation/file", file, "file", []byte(`{"RICE":{"en":"Rice"}}`)); a.Code != 303 {
		t.Errorf("a file: %d", a.Code)
	}
	if a := b.get("/organisation/file?name=labels"); a.Code != 200 || a.Body.String() != `{"RICE":{"en":"Rice"}}` {
		t.Errorf("the file again: %d %s", a.Code, a.Body)
	}
	for path, code := range map[string]int{"/organisation/file?name=required": 404, "/organisation/file?name=../x": 400} {
		if a := b.get(path); a.Code != code {
			t.Errorf("%s: %d, want %d", path, a.Code, code)
		}
	}
	if want := []string{`set complaint to "+254 <700>`, `set labels to {"RICE":{"en":"Rice"}}`}; !slices.Equal(w.desks[own].told, want) {
		t.Errorf("the desk was told %q", w.desks[own].told)
	}
}
