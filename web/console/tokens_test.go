package console_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"aidpass/access"
)

func init() {
	makers["token"] = func(w *world, org string, b *browser) string {
		m := w.ownOr(org, b)
		n := access.NewToken{Name: "kobo", Acts: []access.Act{access.ProgrammeRead}, Until: w.now().Add(time.Hour)}
		_, k, err := w.doors[org].MakeTokenFor(w.Context(), boss, m.id, n)
		if err != nil { // the roles of this account have no tokens
			_, k, err = w.doors[org].MakeTokenFor(w.Context(), boss, w.add(org, "", access.Registrar).id, n)
		}
		if err != nil {
			w.Fatal(err)
		}
		return k.ID
	}
	forms["POST /tokens"] = url.Values{"name": {"kobo"}, "days": {"90"}, "act": {"programme.read"}}
	forms["POST /settings/desk"] = url.Values{"name": {"Registration 2"}}
}

// A token is made on a page, with no more than its maker may do, shown once, and ended there.
func TestTokensAreMadeOnAPage(t *testing.T) {
	w := newWorld(t)
	b := w.as(own, access.Registrar)
	for name, form := range map[string]url.Values{
		"nothing that it may do": {"name": {"kobo"}, "days": {"90"}},
		"no name":                {"days": {"90"}, "act": {"person.find"}},
		"years":                  {"name": {"kobo"}, "days": {"367"}, "act": {"person.find"}},
	} {
		if c := b.post("/tokens", form).Code; c != 422 {
			t.Errorf("%s: %d, want 422", name, c)
		}
	}
	for _, act := range []string{"device.enrol", "import.approve", "account.read", "token.make", "person.sell"} {
		if c := b.post("/tokens", url.Values{"name": {"kobo"}, "days": {"90"}, "act": {"person.find", act}}).Code; c != 403 {
			t.Errorf("a token for %s: %d, want 403", act, c)
		}
	}
	page := b.post("/tokens", url.Values{"name": {"kobo"}, "days": {"90"}, "act": {"programme.read", "person.find", "person.find"}}).Body.String()
	secret := regexp.MustCompile(`aidpass_[\w-]+`).FindString(page)
	if secret == "" {
		t.Fatalf("no secret is shown:\n%s", page)
	}
	ask := func() int {
		program := w.browser()
		program.header.Set("Authorization", "Bearer "+secret)
		return program.get("/programmes").Code
	}
	if c := ask(); c != 200 {
		t.Errorf("the program: %d", c)
	}
	list := b.get("/tokens").Body.String()
	if strings.Contains(list, secret) || !strings.Contains(list, "kobo") || strings.Contains(list, `value="device.enrol"`) || !strings.Contains(list, `value="import.load"`) {
		t.Errorf("the list:\n%s", list)
	}
	if other := w.as(own, access.Registrar).get("/tokens").Body.String(); strings.Contains(other, "/tokens/of/") {
		t.Error("another registrar sees it")
	}
	action := regexp.MustCompile(`/desk/tokens/of/\w+/revoke`).FindString(list)
	if c := w.as(own, access.Registrar).post(strings.TrimPrefix(action, "/desk"), nil).Code; c != 404 {
		t.Errorf("another registrar revokes it: %d, want 404", c)
	}
	if admin := w.as(own, access.OrgAdmin).get("/tokens").Body.String(); !strings.Contains(admin, action) {
		t.Error("an administrator cannot revoke it")
	}
	if c := b.submit(list, action).Code; c != 303 {
		t.Errorf("revoking: %d", c)
	}
	if c := ask(); c != 401 {
		t.Errorf("the program after that: %d, want 401", c)
	}
	w.move(access.StepUpLife + time.Second)
	if c := b.post("/tokens", forms["POST /tokens"]).Code; c != 401 {
		t.Errorf("with an old proof of identity: %d, want 401", c)
	}
}

// A browser is told once at which desk it stands: what is done there stands so in the log.
func TestWhereSomethingWasDone(t *testing.T) {
	w := newWorld(t)
	m := w.add(own, "amina", access.Registrar)
	b := w.of(m)
	if home := b.get("/").Body.String(); !strings.Contains(home, "at which desk") {
		t.Errorf("nobody asks for the desk:\n%s", home)
	}
	if c := b.post("/settings/desk", url.Values{"name": {"<script>"}}).Code; c != 422 {
		t.Errorf("markup: %d, want 422", c)
	}
	if c := b.post("/settings/desk", url.Values{"name": {"Usajili 2"}}).Code; c != 303 {
		t.Fatalf("naming: %d", c)
	}
	b.post("/sign-out", nil)
	b.enter(m, nil) // the browser still knows
	if home := b.get("/").Body.String(); strings.Contains(home, "at which desk") {
		t.Error("it asks again")
	}
	person := w.person(own, "Halima Juma").String()
	b.get("/people/" + person)
	var places []string
	if err := w.stores[own].Audit(t.Context(), func(e *access.Entry) error {
		if e.Actor.ID == "amina" && e.Actor.Device != "" {
			places = append(places, e.Actor.Device)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(places) == 0 || places[0] != "Usajili 2" {
		t.Errorf("the log has the places %q", places)
	}
	forged := w.browser()
	forged.cookies["__Host-aidpass-desk"] = "not base64!"
	forged.enter(m, nil)
	if c := forged.get("/settings").Code; c != 200 {
		t.Errorf("a cookie of nobody's: %d", c)
	}
}
