package console_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"aidpass/access"
)

var joinLink = regexp.MustCompile(`https://desk\.relief-a\.example/desk(/join/[\w-]+)`)

// One administrator alone cannot invite both who asks and who approves: the link that she
// is shown opens nothing until another one, who is told account and roles, has approved it.
func TestOneAdministratorMakesNoApprover(t *testing.T) {
	w := newWorld(t)
	admin := w.as(own, access.OrgAdmin)
	invite := url.Values{"account": {"a-1"}, "role": {"registrar", "approver"}}
	if a := admin.post("/accounts/new", invite); a.Code != 409 || !strings.Contains(a.Body.String(), "aidpass account add") {
		t.Errorf("without another administrator: %d\n%s", a.Code, a.Body)
	}
	second := w.as(own, access.OrgAdmin)
	page := admin.post("/accounts/new", invite)
	link := joinLink.FindStringSubmatch(page.Body.String())
	if page.Code != 200 || link == nil || !strings.Contains(page.Body.String(), "another administrator has approved it") {
		t.Fatalf("asking: %d\n%s", page.Code, page.Body)
	}
	if c := w.browser().get(link[1]).Code; c != 404 {
		t.Fatalf("the link is good before that: %d", c)
	}
	waiting := func() access.Approval {
		t.Helper()
		all, err := w.doors[own].Approvals(t.Context(), boss)
		if err != nil || len(all) == 0 || all[0].State != access.Waiting {
			t.Fatalf("nothing waits: %v %v", all, err)
		}
		return all[0]
	}
	a := waiting()
	approve := "/desk/approvals/" + a.ID + "/approve"
	if p := admin.get("/approvals/" + a.ID).Body.String(); strings.Contains(p, approve) {
		t.Error("she could approve it herself")
	}
	p := second.get("/approvals/" + a.ID).Body.String()
	for _, says := range []string{"a-1", "Registrar", "Approver"} {
		if !strings.Contains(p, says) {
			t.Errorf("who approves is not told %q:\n%s", says, p)
		}
	}
	if c := second.submit(p, approve).Code; c != 303 {
		t.Fatalf("approving: %d", c)
	}
	if c := w.browser().get(link[1]).Code; c != 200 {
		t.Errorf("the link after that: %d", c)
	}

	// The same by other roles, and by inviting anew.
	w.move(1e9)
	w.add(own, "v-1", access.Verifier)
	if c := admin.post("/accounts/of/v-1/roles", url.Values{"version": {"2"}, "role": {"approver"}}).Code; c != 303 {
		t.Fatalf("asking for roles: %d", c)
	}
	if page := admin.get("/accounts/of/v-1").Body.String(); !strings.Contains(page, `value="verifier" checked`) {
		t.Errorf("the roles changed at once:\n%s", page)
	}
	a = waiting()
	if c := second.submit(second.get("/approvals/"+a.ID).Body.String(), "/desk/approvals/"+a.ID+"/approve").Code; c != 303 {
		t.Fatalf("approving roles: %d", c)
	}
	if page := admin.get("/accounts/of/v-1").Body.String(); !strings.Contains(page, `value="approver" checked`) {
		t.Errorf("the roles did not change:\n%s", page)
	}
	page = admin.post("/accounts/of/a-1/invite", nil)
	link = joinLink.FindStringSubmatch(page.Body.String())
	if link == nil || w.browser().get(link[1]).Code != 404 {
		t.Errorf("another invitation of an approver counts at once: %d", page.Code)
	}
}
