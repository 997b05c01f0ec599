package console_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/web/api"
	"aidpass/web/console"
)

// THREATS 4.7 by number. Rows 1 and 2 are TestEveryRouteByEveryRole's.

// Row 3: the organisation comes from the session; what a request says of it is refused
// or has no effect. Row 5: a field that the form does not have is refused. Row 26: so
// is another method by a header.
func TestWhatTheFormDoesNotHave(t *testing.T) {
	w := newWorld(t)
	id := w.thing(own, "Maize")
	b := w.as(own, access.Registrar)
	for name, form := range map[string]url.Values{
		"an organisation":  {"name": {"Rice"}, "org_id": {other}},
		"a role":           {"name": {"Rice"}, "role": {"org-admin"}},
		"approval":         {"name": {"Rice"}, "approved": {"true"}},
		"a field twice":    {"name": {"Rice", "Beans"}},
		"too long a value": {"name": {strings.Repeat("x", 41)}},
		"a control":        {"name": {"Rice\x1b[2J"}},
		"a line break":     {"name": {"Rice\nlevel=ERROR"}},
		"no UTF-8":         {"name": {"Rice\xff"}},
	} {
		if code := b.post("/things/"+id+"/name", form).Code; code != 400 {
			t.Errorf("%s: %d, want 400", name, code)
		}
	}
	if code := b.get("/things/" + id + "?org_id=" + other).Code; code != 400 {
		t.Errorf("an organisation in the query: %d, want 400", code)
	}
	b.header.Set("X-Org-Id", other)
	b.header.Set("X-HTTP-Method-Override", "DELETE")
	b.header.Set("X-Original-URL", "/desk/proof")
	if a := b.get("/things/" + id); a.Code != 200 || !strings.Contains(a.Body.String(), "Maize") {
		t.Errorf("headers changed what was asked for: %d", a.Code)
	}
	if got := w.things[id].name; got != "Maize" {
		t.Errorf("the name became %q", got)
	}
}

// Row 4: of a list with one foreign name in it nothing happens.
func TestOwnAndForeignMixed(t *testing.T) {
	w := newWorld(t)
	mine, theirs := w.thing(own, "Maize"), w.thing(other, "Rice")
	a := w.as(own, access.DataProtection).post("/things", url.Values{"id": {mine, theirs}, "step": {"2"}})
	if a.Code != 404 || len(w.things) != 2 {
		t.Errorf("%d, %d things left", a.Code, len(w.things))
	}
}

// Row 9: a role taken away is gone at the next request; a disabled account is nobody.
func TestARoleTakenAway(t *testing.T) {
	w := newWorld(t)
	id := w.thing(own, "Maize")
	b := w.as(own, access.Registrar)
	if code := b.get("/things/" + id).Code; code != 200 {
		t.Fatalf("as a registrar: %d", code)
	}
	if err := w.doors[own].SetRoles(t.Context(), boss, b.member.id, 0, []access.Role{access.PlatformOperator}, nil); err != nil {
		t.Fatal(err)
	}
	if code := b.get("/things/" + id).Code; code != 403 {
		t.Errorf("without the role: %d, want 403", code)
	}
	if err := w.doors[own].Disable(t.Context(), boss, b.member.id, "left"); err != nil {
		t.Fatal(err)
	}
	if code := b.get("/things/" + id).Code; code != 303 {
		t.Errorf("disabled: %d, want 303 to the sign-in", code)
	}
}

// Rows 10 to 13: a token of an attacker's choice is none, another comes at sign-in and at
// step-up, the cookie is bound to the host, and signing out ends the session.
func TestSessions(t *testing.T) {
	w := newWorld(t)
	amina := w.add(own, "amina", access.Registrar)
	b := w.browser()
	b.cookies["__Host-aidpass"] = "CHOSEN"
	a := b.enter(amina, nil)
	if a.Code != 303 {
		t.Fatalf("signing in: %d\n%s", a.Code, a.Body)
	}
	first := b.cookies["__Host-aidpass"]
	set := a.Header().Get("Set-Cookie")
	for _, part := range []string{"__Host-aidpass=", "; Path=/", "; HttpOnly", "; Secure", "; SameSite=Lax"} {
		if !strings.Contains(set, part) {
			t.Errorf("the cookie %q lacks %q", set, part)
		}
	}
	if strings.Contains(set, "Domain") || first == "CHOSEN" || first == "" {
		t.Errorf("the cookie is %q", set)
	}
	if code := b.post("/proof", url.Values{"password": {password}, "code": {w.code(amina)}}).Code; code != 303 || b.cookies["__Host-aidpass"] == first {
		t.Errorf("a proof of identity left the token as it was: %d", code)
	}
	stolen := w.browser()
	stolen.cookies["__Host-aidpass"] = first
	if code := stolen.get("/").Code; code != 303 {
		t.Errorf("the token of before the proof still lets in: %d", code)
	}
	stolen.cookies["__Host-aidpass"] = b.cookies["__Host-aidpass"]
	if code := b.post("/sign-out", nil).Code; code != 303 || b.cookies["__Host-aidpass"] != "" {
		t.Errorf("signing out: %d, the cookie is %q", code, b.cookies["__Host-aidpass"])
	}
	if code := stolen.post("/sign-out", nil).Code; code != 401 {
		t.Errorf("after signing out the token still lets in: %d", code)
	}
}

// In the clear there is this machine alone, and a cookie of another name.
func TestTheCookieOfLocalhost(t *testing.T) {
	w := newWorld(t)
	amina := w.add(own, "amina", access.Registrar)
	b := w.browser()
	r := b.request("POST", "/desk/sign-in", url.Values{"account": {"amina"}, "password": {password}, "code": {w.code(amina)}})
	r.TLS, r.Host = nil, "localhost:8080"
	if set := b.send(r).Header().Get("Set-Cookie"); !strings.HasPrefix(set, "aidpass-local=") || strings.Contains(set, "Secure") || !strings.Contains(set, "HttpOnly; SameSite=Lax") {
		t.Errorf("the cookie is %q", set)
	}
	r = b.request("POST", "/desk/sign-in", url.Values{"account": {"amina"}, "password": {password}, "code": {w.code(amina)}})
	r.TLS, r.Host = nil, "desk.relief-a.example"
	if set := b.send(r).Header().Get("Set-Cookie"); !strings.HasPrefix(set, "__Host-aidpass=") || !strings.Contains(set, "Secure") {
		t.Errorf("behind a proxy the cookie is %q", set)
	}
}

// Row 13: half an hour without a request, twelve hours whatever happens; what was typed
// comes back, secrets left out.
func TestADraftOutlivesTheSession(t *testing.T) {
	w := newWorld(t)
	id := w.thing(own, "Maize")
	amina := w.add(own, "amina", access.Issuer)
	b := w.of(amina)
	w.move(access.SessionIdle + time.Second)
	a := b.post("/things/"+id+"/erase", url.Values{"why": {`lost "today" <b>`}, "pin": {"4711"}})
	if a.Code != 401 || !strings.Contains(a.Body.String(), `name="draft.why" value="lost &#34;today&#34; &lt;b&gt;"`) || strings.Contains(a.Body.String(), "4711") {
		t.Fatalf("%d\n%s", a.Code, a.Body)
	}
	a = b.enter(amina, url.Values{"draft.": {"/desk/things/" + id + "/erase"}, "draft.why": {`lost "today" <b>`}})
	if a.Code != 200 {
		t.Fatalf("signing in again: %d\n%s", a.Code, a.Body)
	}
	if len(w.things) != 1 {
		t.Fatal("the form was sent by itself")
	}
	if a = b.submit(a.Body.String(), "/desk/things/"+id+"/erase"); a.Code != 303 || len(w.things) != 0 {
		t.Errorf("the form that was kept: %d\n%s", a.Code, a.Body)
	}
	if page := b.get("/things").Body.String(); !strings.Contains(page, `<bdi>lost &#34;today&#34; &lt;b&gt;</bdi>`) {
		t.Errorf("what was typed did not come back:\n%s", page)
	}
	for i := 0; i < 25; i++ { // half an hour each would do
		w.move(29 * time.Minute)
		b.get("/")
	}
	if code := b.get("/").Code; code != 303 {
		t.Errorf("after twelve hours: %d, want 303", code)
	}
}

// A form that needs a fresh proof waits for it, and goes on afterwards.
func TestADraftOutlivesTheProof(t *testing.T) {
	w := newWorld(t)
	id := w.thing(own, "Maize")
	b := w.as(own, access.Issuer)
	w.move(access.StepUpLife + time.Second)
	a := b.post("/things/"+id+"/erase", url.Values{"why": {"lost"}, "pin": {"4711"}})
	if a.Code != 401 || len(w.things) != 1 || !strings.Contains(a.Body.String(), `action="/desk/proof"`) {
		t.Fatalf("with an old proof: %d", a.Code)
	}
	form := url.Values{"password": {"wrong"}, "code": {"000000"}, "draft.": {"/desk/things/" + id + "/erase"}, "draft.why": {"lost"}}
	if a = b.post("/proof", form); a.Code != 401 || !strings.Contains(a.Body.String(), `name="draft.why" value="lost"`) {
		t.Fatalf("after a wrong password the form is gone: %d", a.Code)
	}
	form.Set("password", password)
	form.Set("code", w.code(b.member))
	if a = b.post("/proof", form); a.Code != 200 {
		t.Fatalf("the proof: %d\n%s", a.Code, a.Body)
	}
	if a = b.submit(a.Body.String(), "/desk/things/"+id+"/erase"); a.Code != 303 || len(w.things) != 0 {
		t.Errorf("going on: %d, %d things", a.Code, len(w.things))
	}
	for name, d := range map[string]url.Values{
		"to another host":           {"draft.": {"https://evil.example/desk/things"}},
		"to no form":                {"draft.": {"/desk/proof"}, "draft.x": {"y"}},
		"to a form that lets in":    {"draft.": {"/desk/sign-in"}},
		"with a field of no form":   {"draft.": {"/desk/things/" + id + "/name"}, "draft.role": {"x"}},
		"with a secret of the form": {"draft.": {"/desk/things"}, "draft.password": {"x"}},
	} {
		d.Set("password", password)
		if code := b.post("/proof", d).Code; code != 400 {
			t.Errorf("a draft %s: %d, want 400", name, code)
		}
	}
}

// Rows 14 and 15: forms and JSON of other sites, also those that sign in; and nothing is
// changed by GET.
func TestOtherSitesAreRefused(t *testing.T) {
	w := newWorld(t)
	id := w.thing(own, "Maize")
	b := w.as(own, access.Registrar)
	for _, path := range []string{"/desk/things/" + id + "/name", "/desk/sign-in", "/desk/sign-out", "/desk/language"} {
		for _, site := range []string{"cross-site", "same-site"} {
			r := b.request("POST", path, url.Values{"name": {"Rice"}})
			r.Header.Set("Sec-Fetch-Site", site)
			if code := b.send(r).Code; code != 403 {
				t.Errorf("%s %s: %d, want 403", site, path, code)
			}
		}
		r := b.request("POST", path, url.Values{"name": {"Rice"}})
		r.Header.Del("Sec-Fetch-Site")
		r.Header.Set("Origin", "https://evil.example")
		if code := b.send(r).Code; code != 403 {
			t.Errorf("another origin %s: %d, want 403", path, code)
		}
	}
	for _, kind := range []string{"text/plain", "application/json", "multipart/form-data; boundary=x", ""} {
		r := b.request("POST", "/desk/things/"+id+"/name", url.Values{"name": {"Rice"}})
		r.Header.Set("Content-Type", kind)
		if code := b.send(r).Code; code != 415 {
			t.Errorf("a form as %q: %d, want 415", kind, code)
		}
	}
	for _, r := range w.console.Routes() {
		if r.Method == "POST" {
			if code := b.get(strings.ReplaceAll(r.Path, ":thing", id) + "?name=Rice").Code; code == 303 && r.Path != "/sign-in" {
				t.Errorf("GET %s was taken for a form: %d", r.Path, code)
			}
		}
	}
	if got := w.things[id].name; got != "Maize" {
		t.Errorf("the name became %q", got)
	}
}

// Row 16, and the rest of what every page says to browsers.
func TestHeadersOfEveryPage(t *testing.T) {
	w := newWorld(t)
	b := w.as(own, access.Registrar)
	for _, path := range []string{"/", "/sign-in", "/none", "/things", "/proof"} {
		h := b.get(path).Header()
		policy := h.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'", "report-uri /api/v1/csp-report"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: the policy lacks %q: %q", path, part, policy)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") || strings.Contains(policy, "http") {
			t.Errorf("%s: the policy lets in too much: %q", path, policy)
		}
		for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Access-Control-Allow-Origin": ""} {
			if got := h.Get(name); got != want && path != "/sign-in" {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
}

// Row 19: a sign-in leads back to pages of the console and nowhere else.
func TestNextIsOneOfOurPages(t *testing.T) {
	w := newWorld(t)
	amina := w.add(own, "amina", access.Registrar)
	for next, want := range map[string]string{
		"/desk/things?page=2": "/desk/things?page=2", "/desk/things/t-1": "/desk/things/t-1", "": "/desk/",
		"//evil.example": "/desk/", "https://evil.example": "/desk/", "/\\evil.example": "/desk/", "/desk//evil.example": "/desk/", "/desk/../scanner/": "/desk/",
		"/desk/%2e%2e/x": "/desk/", "javascript:alert(1)": "/desk/", "/desk/sign-in": "/desk/", "/desk/things\r\nX: y": "/desk/", "/scanner/": "/desk/", "/desk/none/such/page": "/desk/",
		"/desk/things/" + strings.Repeat("x", 3000): "",
	} {
		a := w.browser().enter(amina, url.Values{"next": {next}})
		if got := a.Header().Get("Location"); got != want && !(strings.ContainsAny(next, "\r") && a.Code == 400) {
			t.Errorf("next=%.40q leads to %q, want %q", next, got, want)
		}
	}
	a := w.browser().get("/things?page=2")
	if got := a.Header().Get("Location"); got != "/desk/sign-in?next=%2Fdesk%2Fthings%3Fpage%3D2" {
		t.Errorf("who has not signed in is sent to %q", got)
	}
}

// Rows 21 and 23: a column that is none is refused, a page that is none is the nearest.
func TestListsAreBounded(t *testing.T) {
	w := newWorld(t)
	for i := range 130 {
		w.thing(own, "Sack "+strconv.Itoa(i))
	}
	b := w.as(own, access.Registrar)
	for _, q := range []string{"sort=name;drop", "sort=password", "sort=-", "sort=name,id"} {
		if code := b.get("/things?" + q).Code; code != 400 && q != "sort=-" {
			t.Errorf("%s: %d, want 400", q, code)
		}
	}
	for q, want := range map[string]string{
		"": "page 1 of 50 rows", "sort=-name": "page 1 of 50 rows", "page=2": "page 2 of 50 rows", "size=1000000000": "page 1 of 200 rows", "size=-5": "page 1 of 1 rows", "size=0": "page 1 of 1 rows",
		"page=-1": "page 1 of 50 rows", "page=1000000000": "page 3 of 50 rows", "page=99999999999999999999": "page 3 of 50 rows", "page=x": "page 1 of 50 rows", "page=-99999999999999999999": "page 1 of 50 rows",
		"q=%25_%25_%25": "page 1 of 50 rows", "q='%20OR%201=1--": "page 1 of 50 rows",
	} {
		a := b.get("/things?" + q)
		if body := a.Body.String(); a.Code != 200 || !strings.Contains(body, want) || strings.Contains(q, "q=") && strings.Contains(body, "Sack") {
			t.Errorf("%s: %d, want %q", q, a.Code, want)
		}
	}
	if code := b.get("/things?q=" + strings.Repeat("x", 9000)).Code; code != 413 {
		t.Errorf("a query of 9,000 bytes: %d", code)
	}
}

// Row 24: links that leave the server have its own name, whatever the request called it.
func TestLinksHaveOurName(t *testing.T) {
	w := newWorld(t)
	b := w.as(own, access.Registrar)
	r := b.request("GET", "/desk/things", nil)
	r.Host = "127.0.0.1"
	r.Header.Set("X-Forwarded-Host", "evil.example")
	if a := b.send(r); a.Code != 200 || !strings.Contains(a.Body.String(), "https://desk.relief-a.example/desk/things") || strings.Contains(a.Body.String(), "evil") {
		t.Errorf("%d\n%s", a.Code, a.Body)
	}
	r = b.request("GET", "/desk/things", nil)
	r.Host = "evil.example"
	if code := b.send(r).Code; code != 421 {
		t.Errorf("another name: %d", code)
	}
}

// Row 25: one path, one page.
func TestPathsInDisguise(t *testing.T) {
	w := newWorld(t)
	b := w.as(own, access.Registrar)
	for _, path := range []string{"//desk/things", "/desk//things", "/desk/./things", "/desk/%2e%2e/desk/things", "/desk/things;jsessionid=1", "/desk/things/", "/desk/things/%2e%2e/x", "/desk/things%2f", "/DESK/things",
		"/desk/things%00", "/desk/own/../things", "/desk/own/nothing.js", "/desk/things/..%2f..%2fetc", "/desk/none"} {
		r := b.request("GET", "/", nil)
		r.URL, _ = url.Parse("https://desk.relief-a.example" + path)
		if code := b.send(r).Code; code != 404 && code != 400 {
			t.Errorf("%s: %d, want 404", path, code)
		}
	}
}

// Rows 33 to 35: the log has no path, query, token or form, and no line of a stranger's;
// pages have nothing of an error.
func TestLogsAndFaultsAreQuiet(t *testing.T) {
	w := newWorld(t)
	amina := w.add(own, "amina", access.Registrar)
	b := w.browser()
	b.post("/sign-in", url.Values{"account": {"amina\nlevel=ERROR msg=CANARY1"}, "password": {"CANARY2"}})
	b.post("/sign-in", url.Values{"account": {"amina"}, "password": {"CANARY3"}, "next": {"/desk/things/CANARY4"}})
	b.enter(amina, nil)
	b.get("/things/CANARY5?token=CANARY6")
	b.get("/CANARY7")
	b.post("/things/"+w.thing(own, "Maize")+"/name", url.Values{"name": {"CANARY8\x1b[31m"}})
	w.err = errors.New("storage: SELECT * FROM person: /var/lib/aidpass is broken")
	a := b.get("/things/t-1")
	if a.Code != 500 || strings.Contains(a.Body.String(), "SELECT") || strings.Contains(a.Body.String(), "/var") || !strings.Contains(a.Body.String(), a.Header().Get("X-Request-ID")) {
		t.Errorf("a fault: %d\n%s", a.Code, a.Body)
	}
	log := w.log.Bytes()
	if bytes.Contains(log, []byte("CANARY")) || bytes.Contains(log, []byte(b.cookies["__Host-aidpass"])) || bytes.Contains(log, []byte(password)) || bytes.Contains(log, []byte("amina")) {
		t.Errorf("the log says too much:\n%s", log)
	}
	if !bytes.Contains(log, []byte("route=/desk/things/:thing ")) {
		t.Errorf("the log does not say which route:\n%s", log)
	}
}

// Conditions of the store, and limits, have their pages.
func TestFaultsHaveTheirPages(t *testing.T) {
	w := newWorld(t)
	b := w.as(own, access.Registrar)
	for _, c := range []struct {
		err   error
		code  int
		retry string
	}{
		{api.ErrBusy, 503, "5"}, {api.ErrFull, 503, "30"}, {fmt.Errorf("storage: %w", access.ErrStale), 409, ""}, {access.ErrOwnApproval, 403, ""},
		{console.Slow(90 * time.Second), 429, "90"}, {console.ErrNotFound, 404, ""}, {access.ErrNoAccount, 404, ""},
	} {
		w.err = c.err
		a := b.get("/things/t-1")
		if a.Code != c.code || a.Header().Get("Retry-After") != c.retry || !strings.Contains(a.Body.String(), `role="alert"`) {
			t.Errorf("%v: %d, Retry-After %q", c.err, a.Code, a.Header().Get("Retry-After"))
		}
	}
	if a := b.get("/"); a.Code != 200 || !strings.Contains(a.Body.String(), "cannot be shown now") {
		t.Errorf("Home does not say that a screen is missing: %d", a.Code)
	}
}

// A large act is done when its number was typed, in any digits, and is still right.
func TestLargeActsAreTyped(t *testing.T) {
	w := newWorld(t)
	b := w.as(own, access.DataProtection)
	var ids []string
	for range 60 {
		ids = append(ids, w.thing(own, "Sack"))
	}
	page := b.post("/things", url.Values{"id": ids})
	if page.Code != 200 || !strings.Contains(page.Body.String(), `name="typed"`) || len(w.things) != 60 {
		t.Fatalf("the dry run: %d, %d left", page.Code, len(w.things))
	}
	for _, typed := range []string{"", "59", "60x", "6 1"} {
		if code := b.post("/things", url.Values{"id": ids, "step": {"60"}, "typed": {typed}}).Code; code != 422 || len(w.things) != 60 {
			t.Errorf("typed %q: %d, %d left", typed, code, len(w.things))
		}
	}
	if code := b.post("/things", url.Values{"id": ids[:50], "step": {"60"}, "typed": {"60"}}).Code; code != 422 || len(w.things) != 60 {
		t.Errorf("another number than was shown: %d, %d left", code, len(w.things))
	}
	if code := b.post("/things", url.Values{"id": ids, "step": {"60"}, "typed": {"٦٠"}}).Code; code != 303 || len(w.things) != 0 {
		t.Errorf("typed in Arabic: %d, %d left", code, len(w.things))
	}
	few := []string{w.thing(own, "Sack")}
	if a := b.post("/things", url.Values{"id": few}); strings.Contains(a.Body.String(), `name="typed"`) {
		t.Error("a small act asks for its number")
	}
	if code := b.post("/things", url.Values{"id": few, "step": {"1"}}).Code; code != 303 || len(w.things) != 0 {
		t.Errorf("a small act: %d, %d left", code, len(w.things))
	}
}

// What was done is told once, to whoever did it, with the way back.
func TestNotesAndUndo(t *testing.T) {
	w := newWorld(t)
	id := w.thing(own, "Maize")
	b, c := w.as(own, access.Registrar), w.as(own, access.Registrar)
	b.post("/things/"+id+"/name", url.Values{"name": {"Rice"}})
	if strings.Contains(c.get("/things/"+id).Body.String(), `role="status"`) {
		t.Error("another session is told")
	}
	page := b.get("/things/" + id).Body.String()
	if !strings.Contains(page, `role="status"`) || !strings.Contains(page, "<bdi>Rice</bdi>") {
		t.Fatalf("nothing is told:\n%s", page)
	}
	if strings.Contains(b.get("/things/"+id).Body.String(), `role="status"`) {
		t.Error("it is told twice")
	}
	if code := b.submit(page, "/desk/things/"+id+"/name").Code; code != 303 || w.things[id].name != "Maize" {
		t.Errorf("undo: %d, the name is %q", code, w.things[id].name)
	}
}

// Row 17: names of trouble are text on every page, in both directions.
func TestNaughtyNamesAreText(t *testing.T) {
	w := newWorld(t)
	b := w.as(own, access.Registrar)
	names := []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `{{.Org}}`, "\u202eevil\u202c", `=cmd|' /C calc'!A0`, `javascript:alert(1)`, `</title><svg onload=alert(1)>`, `'; DROP TABLE person;--`}
	files, _ := filepath.Glob("../../../shared/hostile-files/*-names.csv")
	if len(files) == 0 {
		t.Log("SKIPPED: the shared lists of names are not beside the project")
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, strings.Split(string(raw), "\n")...)
	}
	for _, lang := range api.Languages {
		for _, name := range names {
			id := w.thing(own, name)
			b.cookies["__Host-aidpass-lang"] = lang
			page := b.get("/things/" + id).Body.String()
			if strings.Contains(page, "<script>") || strings.Contains(page, "<img src=x") || strings.Contains(page, "<svg") || strings.Contains(page, "ZgotmplZ") {
				t.Fatalf("%q is not text:\n%s", name, page)
			}
		}
	}
}

// Without a session the language is the browser's, and the switch is a form.
func TestLanguages(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.header.Set("Accept-Language", "sw-KE,sw;q=0.9,en;q=0.5")
	if page := b.get("/sign-in").Body.String(); !strings.Contains(page, `lang="sw" dir="ltr"`) {
		t.Error("the browser's language is not taken")
	}
	b.post("/language", url.Values{"lang": {"ar"}, "next": {"/desk/"}})
	if page := b.get("/sign-in").Body.String(); !strings.Contains(page, `lang="ar" dir="rtl"`) {
		t.Error("the language that was chosen is not taken")
	}
	if code := b.post("/language", url.Values{"lang": {"xx"}}).Code; code != http.StatusBadRequest {
		t.Errorf("a language that there is not: %d", code)
	}
	in := w.as(own, access.Registrar)
	if a := in.post("/language", url.Values{"lang": {"fr"}, "next": {"/desk/things?page=1"}}); a.Header().Get("Location") != "/desk/things?page=1" {
		t.Errorf("the switch leads to %q", a.Header().Get("Location"))
	}
	if page := in.get("/").Body.String(); !strings.Contains(page, `lang="fr"`) {
		t.Error("the account's language is not taken")
	}
}

// Two hundred letters of some scripts are more bytes than an entry of the log has room for.
func TestAReasonHasRoomInTheLog(t *testing.T) {
	w := newWorld(t)
	at := "/accounts/of/" + w.add(own, "", access.Verifier).id + "/disable"
	admin := w.as(own, access.OrgAdmin)
	if code := admin.post(at, url.Values{"reason": {strings.Repeat("አ", 200)}}).Code; code != 422 {
		t.Errorf("two hundred letters of three bytes: %d, want 422", code)
	}
	if code := admin.post(at, url.Values{"reason": {strings.Repeat("ن", 200)}}).Code; code != 303 {
		t.Errorf("two hundred letters of two bytes: %d", code)
	}
}
