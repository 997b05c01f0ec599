// Package console is the desk: the pages by which an organisation's staff work, from
// a list to a card in a hand, at /desk/ of the server. It is a [api.Room]. Every page
// works without script, by keyboard, in five languages and both directions.
//
// It decides and stores nothing: who may do what stands in package access, and what
// is done in the desks of floor 4, behind the interfaces that each screen declares
// for itself. Package main joins both.
//
// # How to add a screen
//
// A screen is a few files of its own, with nothing in those of others. people.go has a
// type with the interface that it needs of its desk, and its routes:
//
//	type People struct{ Desk PeopleDesk }
//
//	func (s *People) Routes() []Route {
//		return []Route{
//			{Method: "GET", Path: "/people", Act: access.PersonFind, Menu: "people.menu", Query: []Field{Text("q", 200)}, Paged: true, Handler: s.find},
//			{Method: "GET", Path: "/people/:person", Act: access.PersonRead, Handler: s.show},
//			{Method: "POST", Path: "/people/:person/name", Act: access.PersonEdit, Form: []Field{Text("name", 200)}, Handler: s.rename},
//		}
//	}
//
//	func (s *People) Needs(ctx context.Context, in *access.Session) ([]Need, error) // for Home; nil, nil is well
//
// Besides it there are:
//
//   - pages/people_show.html defines "content", with {{$.T "people.title"}} for words,
//     {{$.Date .At}}, {{$.Number .Count}} and <bdi>{{.Name}}</bdi> for values: a test
//     refuses a value without bdi. What the handler gave to Page.Show is .Data.
//
//   - words/people.en.json, .fr, .es, .ar and .sw: keys begin with the name of the file.
//     A test refuses a key that a language lacks, that no page says, or that is said
//     and not there.
//
//   - one line in cmd/aidpass/serve_console.go joins it to its desk; one in
//     world_test.go puts it into the tests' server, and one maker there makes an object
//     for each :name in its paths, in any organisation. From then on the matrix of
//     every route, role and organisation is tested; a route without a maker fails.
//
// A handler is thin, and begins by reading the object that its path names, so that
// another organisation's is not found whatever the form says. [Page.Form] has only fields that the route names, each in its
// length; the organisation is [Page.Org], which comes from the session and from
// nowhere else; what is another's or is not there is [ErrNotFound], the same page for
// both. What a person typed wrong is [BadForm]. After an act it ends with [Page.Done], which goes to a page and
// says there what was done, with the way back where there is one. An act on many is
// shown by [Page.Confirm] first. An act with FourEyes goes to the approvals and not
// to the desk. Where a route's act wants a fresh proof of identity the frame asks for
// it, and comes back with the form as it was filled.
//
// # Programs
//
// The same routes answer programs that come with a token of an account: what the handler
// gave to Page.Show as a JSON object, and what a form has from one. So data of pages are
// structs; members are called by json tags, or else by their names in snake_case, and words
// of a page lose their markup. Route.Answer says what a program is answered, for
// docs/openapi-desk.yaml: the struct, [Members] of it, a file that it [Sends], [Either] of
// several; a test refuses a row for programs without one, and a handler that answers with
// something else. Data whose form for programs is another one have a method Programs() any. Data that leave the
// organisation go by [Page.Export], which wants a reason and tells the log.
package console

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v5"

	"aidpass/access"
	"aidpass/web/api"
)

// Root is where the console stands on the server.
const Root = "/desk"

// A Screen is a part of the console.
type Screen interface {
	Routes() []Route
	// Needs is what waits for the account of a session on this screen.
	Needs(ctx context.Context, in *access.Session) ([]Need, error)
}

// A Need is a line of Home: something that waits for somebody who may do it.
type Need struct {
	Word  string // key of a sentence, which may have {count}, {since} and {at} in it
	Count int
	Since time.Time // of the oldest; zero: not told
	At    time.Time // when it was counted; zero: now
	Path  string    // below Root, where it is done; may have a query
}

// Config is what a console is made of.
type Config struct {
	Base    string // https address of this server for links that leave it, without a slash at its end; empty: links are paths
	Door    *access.Door
	Jobs    Jobs                   // nil: there is no long work here
	SignIn  *SignIn                // at an OpenID provider; nil: nobody signs in there
	OrgName func(id string) string // as staff call an organisation; nil: its identifier
	Screens []Screen               // in the order of the menu
	// Fault gives errors of desks the names that the console answers to (ErrNotFound,
	// ErrConflict, api.ErrBusy, api.ErrFull); nil: they have them.
	Fault func(error) error
	Log   *slog.Logger // nil: nowhere
	Now   func() time.Time
}

// Console answers staff.
type Console struct {
	Config
	screens []Screen
	routes  []Route
	kinds   []string // of paths, for the log
	words   catalogues
	pages   map[string]*template.Template
	own     map[string]*api.Document // style and script, by path
	notes   notes
	calls   calls
	repeats repeats
	openAPI func() []byte // made when it is first asked for
	house   *api.Server
	gave    func(r *Route, answer any) // of the tests; nil: nobody is told
}

// New makes a console of c.
func New(c Config) (*Console, error) {
	if u, err := url.Parse(c.Base); err != nil || c.Base != "" && (u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || strings.HasSuffix(c.Base, "/")) {
		return nil, fmt.Errorf("console: base %q is no https address without a slash at its end", c.Base)
	}
	if c.Door == nil {
		return nil, errors.New("console: nobody can sign in without a door")
	}
	if err := c.checkSignIn(); err != nil {
		return nil, err
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Fault == nil {
		c.Fault = func(err error) error { return err }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.OrgName == nil {
		c.OrgName = func(id string) string { return id }
	}
	s := &Console{Config: c}
	var err error
	if s.words, err = readWords(); err != nil {
		return nil, err
	}
	if s.pages, err = readPages(); err != nil {
		return nil, err
	}
	if s.own, err = readOwn(); err != nil {
		return nil, err
	}
	s.notes.now = c.Now
	if err := s.table(); err != nil {
		return nil, err
	}
	s.openAPI = sync.OnceValue(s.describe)
	return s, nil
}

// Routes is the one table: what is answered, to whom, and what may be sent.
func (s *Console) Routes() []Route { return s.routes }

// Enter implements api.Room.
func (s *Console) Enter(house *api.Server, e *echo.Echo) {
	s.house = house
	for _, r := range s.routes {
		handler := func(c *echo.Context) error { return s.answer(c, r) }
		if r.Method == http.MethodGet {
			e.HEAD(Root+r.Path, handler)
		}
		e.Add(r.Method, Root+r.Path, handler)
	}
	for path, d := range s.own {
		e.Match([]string{http.MethodGet, http.MethodHead}, path, func(c *echo.Context) error {
			d.Serve(c.Response(), c.Request(), "no-cache")
			return nil
		})
	}
	nowhere := func(c *echo.Context) error { return s.fail(s.begin(c, Route{}), ErrNotFound) }
	e.GET(Root, func(c *echo.Context) error { return c.Redirect(http.StatusSeeOther, Root+"/") })
	e.Any(Root+"/*", nowhere)
}

// Route implements api.Room: paths have people's numbers in them, which no log has.
func (s *Console) Route(path string) string {
	rest, ok := strings.CutPrefix(path, Root)
	if !ok || rest != "" && rest[0] != '/' {
		return ""
	}
	parts := strings.Split(rest, "/")
	for _, kind := range s.kinds {
		if matches(strings.Split(kind, "/"), parts) {
			return Root + kind
		}
	}
	return Root + "/*"
}

// Open implements api.Room: the console is for its own pages alone.
func (s *Console) Open(string) bool { return false }
