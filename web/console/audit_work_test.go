package console_test

import (
	"strings"
	"testing"

	"aidpass/access"
)

// An auditor reads how much each account did, and nobody else's data; a registrar does not.
func TestWorkOfAccountsIsToldInCounts(t *testing.T) {
	w := newWorld(t)
	d := w.desks[own]
	for range 31 {
		d.log = append(d.log, access.Entry{Seq: uint64(len(d.log) + 1), Org: own, Time: now, Action: "person.enter", Object: "person-of-halima", Actor: access.Actor{ID: "quick", Role: access.Registrar}})
	}
	d.log = append(d.log, access.Entry{Seq: uint64(len(d.log) + 1), Org: own, Time: now, Action: "person.enter", Actor: access.Actor{ID: "slow-1", Role: access.Registrar}},
		access.Entry{Seq: uint64(len(d.log) + 2), Org: own, Time: now, Action: "person.enter", Actor: access.Actor{ID: "slow-2", Role: access.Registrar}})
	page := w.as(own, access.Auditor).get("/audit/work?days=7&zone=3")
	if says := page.Body.String(); page.Code != 200 || !strings.Contains(says, "quick") || strings.Count(says, "Very many in an hour") != 1 || strings.Contains(says, "halima") {
		t.Errorf("%d\n%s", page.Code, says)
	}
	for _, bad := range []string{"days=0", "days=93", "zone=15", "zone=x"} {
		if c := w.as(own, access.Auditor).get("/audit/work?" + bad).Code; c != 400 {
			t.Errorf("%s: %d, want 400", bad, c)
		}
	}
	if c := w.as(own, access.Registrar).get("/audit/work").Code; c != 403 {
		t.Errorf("a registrar: %d, want 403", c)
	}
}
