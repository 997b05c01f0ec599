package console

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v5"

	"aidpass/access"
	"aidpass/web/api"
)

// Two acts that stand in no account's roles.
const (
	Anyone access.Act = "-"       // also who has not signed in
	Staff  access.Act = "-signed" // every account that has signed in
)

// A Route is a row of the table from which the router, the menu and the matrix of
// the tests are made.
type Route struct {
	Method  string // GET or POST: nothing else changes or shows anything
	Path    string // below Root; each :name is an object of the organisation
	Act     access.Act
	StepUp  bool   // wants a fresh proof of identity, also where the act's rule does not
	Menu    string // key of its word in the menu; empty: not there
	Query   []Field
	Paged   bool     // the query may have page and size
	Sorts   []string // columns that the query's sort may name, each also with - before it
	Form    []Field  // of a POST: any other field is refused
	Drafts  bool     // the form may carry a Draft
	MaxBody int64    // bytes; 0: 64 KiB. More than that is for files
	Files   bool     // the form is multipart/form-data and has files in it
	Program bool     // of Staff and Anyone: tokens come here too; every other act is for those that have it
	Answer  any      // what programs are answered: see Members
	Handler func(*Page) error
}

const maxBody = 64 << 10

func (r *Route) stepUp() bool {
	if r.StepUp {
		return true
	}
	rule, _ := access.RuleOf(r.Act)
	return rule.StepUp
}

// may reports whether somebody with these roles gets to a route. nil: not signed in.
func (r *Route) may(in *access.Session) bool {
	switch {
	case r.Act == Anyone:
		return true
	case in == nil:
		return false
	}
	if r.Act == Staff {
		return r.Program || in.Program() == ""
	}
	return in.May(r.Act)
}

// forPrograms reports whether tokens can come to a route at all: not where a person proves
// who she is, unless the permission table says why a program may.
func (r *Route) forPrograms() bool {
	return r.Program || !r.StepUp && slices.Contains(access.TokenActs(), r.Act)
}

// table puts the routes of all screens together and refuses what cannot be meant.
func (s *Console) table() error {
	s.screens = append(append([]Screen{&home{s}}, s.Screens...), &approvals{s}, &jobs{s}, &accounts{s}, &settings{s}, &tokens{s}, &entry{s}, &passkey{s}, &provider{s}, &manual{s})
	for _, screen := range s.screens {
		s.routes = append(s.routes, screen.Routes()...)
	}
	seen := map[string]bool{}
	for i := range s.routes {
		r := &s.routes[i]
		name := r.Method + " " + r.Path
		_, known := access.RuleOf(r.Act)
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodPost || !strings.HasPrefix(r.Path, "/"):
			return fmt.Errorf("console: the route %q is neither GET nor POST of a path", name)
		case !known && r.Act != Anyone && r.Act != Staff:
			return fmt.Errorf("console: the route %q is for %q, which is no act of the permission table", name, r.Act)
		case r.Handler == nil || seen[name]:
			return fmt.Errorf("console: the route %q has no handler, or two", name)
		case r.Method == http.MethodGet && (len(r.Form) > 0 || r.Files):
			return fmt.Errorf("console: the route %q takes a form by GET", name)
		}
		if r.Menu != "" && s.words["en"][r.Menu] == "" {
			return fmt.Errorf("console: the route %q is called %q in the menu, which no catalogue has", name, r.Menu)
		}
		if err := r.checkAnswer(); err != nil {
			return err
		}
		seen[name] = true
		if !slices.Contains(s.kinds, r.Path) {
			s.kinds = append(s.kinds, r.Path)
		}
	}
	// What is spelled out goes before what is named.
	slices.SortStableFunc(s.kinds, func(a, b string) int { return strings.Count(a, ":") - strings.Count(b, ":") })
	return nil
}

// answer does for one request what holds for every route, then what is the route's.
//
//  1. the headers, the language and who it is;
//  2. may she come here: 401 with the form kept, 403, or 404 by the handler;
//  3. is her proof of identity fresh where the act wants that: else it is asked for,
//     with the form kept;
//  4. is what was sent what the route names: else 400;
//  5. the handler.
func (s *Console) answer(c *echo.Context, r Route) error {
	p := s.begin(c, r)
	if err := s.know(p); err != nil {
		return s.fail(p, err)
	}
	if p.program && !r.forPrograms() && r.stepUp() {
		return s.fail(p, errPerson) // also where its token is from when it could
	}
	if !r.may(p.In) {
		if p.In == nil {
			return s.fail(p, s.askWho(p))
		}
		return s.fail(p, ErrForbidden)
	}
	if p.program && !r.forPrograms() {
		return s.fail(p, ErrForbidden)
	}
	if err := p.readQuery(); err != nil {
		return s.fail(p, err)
	}
	if err := p.readForm(); err != nil {
		return s.fail(p, err)
	}
	if p.program {
		return s.fail(p, s.serve(p))
	}
	if r.stepUp() && !p.In.Fresh(s.Now()) {
		return s.fail(p, s.askProof(p))
	}
	err := r.Handler(p)
	if errors.Is(err, access.ErrStepUp) { // what it wants shows only in the object
		err = s.askProof(p)
	}
	return s.fail(p, err)
}

// begin makes a page and sets what every answer of the console has.
func (s *Console) begin(c *echo.Context, r Route) *Page {
	h := c.Response().Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Reporting-Endpoints", `csp="/api/v1/csp-report"`)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), publickey-credentials-get=(self), publickey-credentials-create=(self)")
	h.Set("Cache-Control", "no-store")
	p := &Page{console: s, c: c, Route: r, program: c.Request().Header.Get("Authorization") != ""}
	p.Lang = api.Language(p.cookie(langCookie), c.Request().Header.Get("Accept-Language"))
	return p
}

// policy is the content security policy: nothing inline, nothing from elsewhere.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; " +
	"form-action 'self'; frame-ancestors 'none'; report-uri /api/v1/csp-report; report-to csp"

// find returns the row for a path below Root, as the router does.
func (s *Console) find(method, path string) (Route, bool) {
	parts := strings.Split(path, "/")
	for _, kind := range s.kinds {
		if matches(strings.Split(kind, "/"), parts) {
			i := slices.IndexFunc(s.routes, func(r Route) bool { return r.Method == method && r.Path == kind })
			if i >= 0 {
				return s.routes[i], true
			}
		}
	}
	return Route{}, false
}

// matches reports whether a path is of a kind: each :name stands for one part.
func matches(kind, parts []string) bool {
	if len(kind) != len(parts) {
		return false
	}
	for i, k := range kind {
		if k != parts[i] && (!strings.HasPrefix(k, ":") || parts[i] == "") {
			return false
		}
	}
	return true
}
