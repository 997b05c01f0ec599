package console_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/web/console"
)

var named = regexp.MustCompile(`:([a-z]+)`)

// at fills a route's path with objects of an organisation, and what it needs behind the
// path; "" with none that there is.
func (w *world) at(r console.Route, org string, b *browser) string {
	query := ""
	if make := queries[r.Method+" "+r.Path]; make != nil && org != "" {
		query = make(w, org)
	}
	path := named.ReplaceAllStringFunc(r.Path, func(n string) string {
		make := makers[n[1:]]
		if make == nil {
			w.Fatalf("%s %s: nobody knows how to make a %s: give it a maker in world_test.go", r.Method, r.Path, n)
		}
		if org == "" {
			return "none-such"
		}
		return make(w, org, b)
	})
	return path + query
}

func (b *browser) try(r console.Route, path string) *httptest.ResponseRecorder {
	if strings.HasSuffix(path, "/live") { // goes on until nobody listens
		return firstNews(b.w.server, b.request("GET", "/desk"+path, nil))
	}
	if r.Method == "GET" {
		return b.get(path)
	}
	form := url.Values{}
	for k, v := range forms[r.Method+" "+r.Path] {
		form[k] = v
	}
	if r.Files {
		return b.upload(path, form, "", nil)
	}
	return b.post(path, form)
}

// firstNews is the answer to a request for news up to the first: who asked hangs up then.
func firstNews(server http.Handler, r *http.Request) *httptest.ResponseRecorder {
	ctx, end := context.WithCancel(r.Context())
	defer end()
	a := httptest.NewRecorder()
	server.ServeHTTP(hangsUp{a, end}, r.WithContext(ctx))
	return a
}

type hangsUp struct {
	*httptest.ResponseRecorder
	end func()
}

func (h hangsUp) Flush() { h.ResponseRecorder.Flush(); h.end() }

// Every route by every role, on objects of the own organisation, of another, and by
// nobody; and with a proof of identity that is old (THREATS 4.7 rows 1, 2, 9). The table
// is the console's own: a route that a screen adds is here without a word.
func TestEveryRouteByEveryRole(t *testing.T) {
	rights := map[access.Act][]access.Role{}
	for _, rule := range access.Rules() {
		rights[rule.Act] = rule.Roles
	}
	for _, r := range newWorld(t).console.Routes() {
		w := newWorld(t)
		name := r.Method + " " + r.Path
		if code := w.browser().try(r, w.at(r, own, nil)).Code; r.Act == console.Anyone {
			if code >= 500 || code == 404 {
				t.Errorf("%s by nobody: %d", name, code)
			}
		} else if want := map[string]int{"GET": 303, "POST": 401}[r.Method]; code != want {
			t.Errorf("%s by nobody: %d, want %d", name, code, want)
		}
		for _, role := range access.StaffRoles() {
			w.role(r, role, r.Act == console.Anyone || r.Act == console.Staff || slices.Contains(rights[r.Act], role))
		}
	}
}

// late are routes whose object says whether they want a fresh proof.
var late = []string{"/approvals/:approval/approve", "/jobs/:job/cancel", "/jobs/:job/resume"}

func (w *world) role(r console.Route, role access.Role, may bool) {
	name := r.Method + " " + r.Path
	b := w.as(own, role)
	code := b.try(r, w.at(r, own, b)).Code
	if !may {
		if code != 403 {
			w.Errorf("%s by %s, who may not: %d, want 403", name, role, code)
		}
		return
	}
	hidden := false
	for _, n := range named.FindAllString(r.Path, -1) {
		act, by := seenBy[n[1:]]
		hidden = hidden || by && !access.May([]access.Role{role}, act)
	}
	refused := code == 403 && strings.HasPrefix(r.Path, "/approvals/:approval/") // by the door: who may answer, and who asked
	switch {
	case hidden && code != 404:
		w.Errorf("%s by %s, who must not see it: %d, want 404", name, role, code)
	case !hidden && code == 404, code >= 500, code == 403 && !refused, r.Act != console.Anyone && code == 401 && !strings.HasPrefix(r.Path, "/passkey/") && r.Path != "/proof":
		w.Errorf("%s by %s: %d", name, role, code)
	}
	if r.Path == "/sign-out" || r.Act == console.Anyone {
		return
	}
	b = w.as(own, role)
	if strings.Contains(r.Path, ":") {
		foreign, none := b.try(r, w.at(r, other, nil)), b.try(r, w.at(r, "", nil))
		if foreign.Code != 404 {
			w.Errorf("%s by %s, of another organisation: %d, want 404", name, role, foreign.Code)
		}
		if x, y := told(foreign), told(none); x != y {
			w.Errorf("%s: what is another's and what is not there can be told apart:\n%s\n%s", name, x, y)
		}
	}
	if slices.Contains(late, r.Path) {
		return
	}
	path := w.at(r, own, b)
	w.move(access.StepUpLife + time.Second)
	old := b.try(r, path)
	rule, _ := access.RuleOf(r.Act)
	asked := old.Code == 401 && strings.Contains(old.Body.String(), `action="/desk/proof"`) || old.Code == 303 && strings.HasPrefix(old.Header().Get("Location"), "/desk/proof")
	if want := rule.StepUp || r.StepUp; asked != want && r.Path != "/proof" && r.Path != "/passkey/proof" {
		w.Errorf("%s by %s with an old proof: %d %s", name, role, old.Code, old.Header().Get("Location"))
	}
}

// told is what a page says, without the number of the request and the address that was
// asked for.
func told(a *httptest.ResponseRecorder) string {
	_, said, _ := strings.Cut(a.Body.String(), "<main")
	return strings.ReplaceAll(said, a.Header().Get("X-Request-ID"), "")
}

// What the router answers is what the table has.
func TestTheRouterIsTheTable(t *testing.T) {
	w := newWorld(t)
	table := map[string]bool{}
	for _, r := range w.console.Routes() {
		table[r.Method+" /desk"+r.Path] = true
	}
	found := 0
	for _, r := range w.server.Routes() {
		method, path, _ := strings.Cut(r, " ")
		if !strings.HasPrefix(path, "/desk") || strings.HasPrefix(path, "/desk/own/") || path == "/desk" || path == "/desk/*" || method == "HEAD" {
			continue
		}
		if found++; !table[r] {
			t.Errorf("%s is answered and stands in no table", r)
		}
	}
	if found != len(table) {
		t.Errorf("%d routes of %d are answered", found, len(table))
	}
}

// Who may not go somewhere does not see it in the menu.
func TestTheMenuIsByRole(t *testing.T) {
	w := newWorld(t)
	for role, want := range map[access.Role]bool{access.Registrar: true, access.PlatformOperator: false} {
		if got := strings.Contains(w.as(own, role).get("/").Body.String(), `href="/desk/things"`); got != want {
			t.Errorf("%s sees the list in the menu: %v", role, got)
		}
	}
}

// A table that cannot be meant does not start.
func TestTablesThatAreRefused(t *testing.T) {
	well := func(*console.Page) error { return nil }
	for name, routes := range map[string][]console.Route{
		"an act of no table":     {{Method: "GET", Path: "/x", Act: "person.sell", Handler: well}},
		"no act":                 {{Method: "GET", Path: "/x", Handler: well}},
		"no handler":             {{Method: "GET", Path: "/x", Act: console.Staff}},
		"another method":         {{Method: "PUT", Path: "/x", Act: console.Staff, Handler: well}},
		"a form by GET":          {{Method: "GET", Path: "/x", Act: console.Staff, Form: []console.Field{console.Text("a", 1)}, Handler: well}},
		"two of one":             {{Method: "GET", Path: "/x", Act: console.Staff, Handler: well}, {Method: "GET", Path: "/x", Act: console.Staff, Handler: well}},
		"a word that nobody has": {{Method: "GET", Path: "/x", Act: console.Staff, Menu: "no.such", Handler: well}},
	} {
		if _, err := console.New(console.Config{Door: &access.Door{}, Screens: []console.Screen{screen(routes)}}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
