package console_test

import (
	"crypto/sha256"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"aidpass/access"
)

// The rest of THREATS 4.7 by number.

// Row 2, for a partner: what is outside the areas of its agreement is not there, for it and
// for its programs.
func TestAPartnerStaysWithinItsAgreement(t *testing.T) {
	w := newWorld(t)
	inside, outside := w.thing(own, "Maize"), w.thing(own, "Rice")
	th := w.things[outside]
	th.area = "KE009"
	w.things[outside] = th
	m := w.add(own, "ministry", access.Partner)
	secret, _, err := w.doors[own].MakeTokenFor(t.Context(), boss, m.id, access.NewToken{Name: "sync", Acts: []access.Act{access.PersonRead}, Until: w.now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	p := &program{w, secret, http.Header{}}
	staff := w.as(own, access.Registrar)
	for id, want := range map[string]int{inside: 200, outside: 404} {
		if code := w.of(m).get("/things/" + id).Code; code != want {
			t.Errorf("the partner: %d, want %d", code, want)
		}
		if code := p.ask("GET", "/things/"+id, "").Code; code != want {
			t.Errorf("its program: %d, want %d", code, want)
		}
		if code := staff.get("/things/" + id).Code; code != 200 {
			t.Errorf("staff: %d", code)
		}
	}
}

// Row 36: an export wants a role and a reason, and the log tells who, why, how many rows
// and which bytes.
func TestExportsAreTold(t *testing.T) {
	w := newWorld(t)
	w.thing(own, "Maize")
	w.thing(own, "Rice")
	if code := w.as(own, access.Verifier).post("/things/export", url.Values{"reason": {"mine"}}).Code; code != 403 {
		t.Errorf("without the role: %d", code)
	}
	rule, _ := access.RuleOf(access.ExportMake)
	b := w.as(own, rule.Roles[0])
	if code := b.post("/things/export", nil).Code; code != 403 {
		t.Errorf("without a reason: %d", code)
	}
	before := len(w.entries(own))
	a := b.post("/things/export", url.Values{"reason": {"yearly report"}})
	if a.Code != 200 || strings.Count(a.Body.String(), "\r\n") != 2 || !strings.HasPrefix(a.Header().Get("Content-Disposition"), "attachment") {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	log := w.entries(own)
	if len(log) <= before {
		t.Fatal("the log tells nothing")
	}
	e := log[len(log)-1]
	if e.Action != "export.make" || e.Reason != "yearly report" || !strings.Contains(e.Detail, "rows=2") || e.Digest != sha256.Sum256(a.Body.Bytes()) || e.Actor.ID != b.member.id {
		t.Errorf("the log tells %+v", e)
	}
}

// entries are the log of an organisation.
func (w *world) entries(org string) (list []access.Entry) {
	w.Helper()
	err := w.stores[org].Audit(w.Context(), func(e *access.Entry) error {
		list = append(list, *e)
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return list
}
