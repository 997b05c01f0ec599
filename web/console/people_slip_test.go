package console_test

import (
	"net/url"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/issuer/print/fonts"
	"aidpass/issuer/registry"
)

// A slip comes in her language with her number, without her name, and the log has that she
// was given one.
func TestASlip(t *testing.T) {
	if _, err := fonts.For(0, fonts.Regular); err != nil {
		t.Skip("NO TYPEFACES: run make fonts; printing is not tested")
	}
	w := newWorld(t)
	n, _ := registry.ParseName("Amina Yusuf", registry.Official)
	e, err := w.registry(own).Enter(w.Context(), registry.Entry{External: "R-4T7K-9QZX", Person: registry.Person{Names: []registry.Name{n}, Languages: []string{"ara"}}})
	if err != nil {
		t.Fatal(err)
	}
	a := w.as(own, access.Registrar)
	at := "/people/" + e.ID.String() + "/slip"
	page := a.get(at).Body.String()
	has(t, page, "R-4T7K-9QZX")
	has(t, page, `<option value="ar" selected>`)
	if strings.Contains(page, "Amina") {
		t.Error("the page of the slip has her name")
	}
	printed := func() (n int) {
		for _, l := range w.peopleOf(own).looks {
			if l.Action == "person.print" && l.Object == e.ID.String() && l.Detail == "slip" && l.Actor.ID == a.member.id {
				n++
			}
		}
		return n
	}
	if printed() != 0 {
		t.Error("the page alone is told as printed")
	}
	for _, form := range []url.Values{{}, {"paper": {"80"}, "lang": {"sw"}, "desk": {"Kakuma 3"}}, {"paper": {"a4"}}} {
		got := a.post(at, form)
		if got.Code != 200 || got.Header().Get("Content-Type") != "application/pdf" || !strings.HasPrefix(got.Body.String(), "%PDF-") || strings.Contains(got.Body.String(), "Amina") {
			t.Errorf("%v: %d %s", form, got.Code, got.Header().Get("Content-Type"))
		}
	}
	if printed() != 3 {
		t.Errorf("the log has %d slips", printed())
	}
	if got := a.post(at, url.Values{"paper": {"a0"}}); got.Code != 422 {
		t.Errorf("on paper that is none: %d", got.Code)
	}
	if got := a.post("/households/"+w.household(own).String()+"/slip", nil); got.Code != 200 {
		t.Errorf("of a household: %d", got.Code)
	}
}
