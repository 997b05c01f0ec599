package console_test

import (
	"crypto/sha256"
	"net/url"
	"strings"
	"testing"

	"aidpass/access"
)

// The rest of THREATS 4.7 by number.

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
