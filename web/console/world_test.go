package console_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/web/api"
	"aidpass/web/console"
)

// now is the time of the tests' world, until it is moved.
var now = time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)

const (
	own   = "relief-a"
	other = "relief-b"
)

// screens are the console's besides the frame's own. A new screen gets its line here,
// and the objects of its paths a maker in makers.
func (w *world) screens() []console.Screen {
	return []console.Screen{&things{w: w}}
}

// makers make an object of an organisation for each :name of a path and return what
// stands in its place.
var makers = map[string]func(w *world, org string) string{
	"thing": func(w *world, org string) string { return w.thing(org, "Maize") },
}

// forms are filled as somebody would fill them who may, by route; empty where there is
// none. In the matrix they must get a route past its checks.
var forms = map[string]url.Values{
	"POST /sign-in":             {"account": {"nobody"}, "password": {"a wrong one"}},
	"POST /language":            {"lang": {"fr"}},
	"POST /proof":               {"password": {password}},
	"POST /things/:thing/name":  {"name": {"Rice"}},
	"POST /things/:thing/erase": {},
	"POST /things":              {"id": {"t-none"}},
}

// A world is a server with the console, on a door and desks in memory.
type world struct {
	*testing.T
	server  *api.Server
	console *console.Console
	door    *door
	log     bytes.Buffer

	mu     sync.Mutex
	clock  time.Time
	things map[string]thing
	err    error // of the desk of things
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, clock: now, things: map[string]thing{}}
	w.door = &door{w: w, accounts: map[string]*access.Account{}, tokens: map[string]*held{}, tries: map[string]int{}}
	var err error
	log := slog.New(slog.NewTextHandler(&locked{w: w}, nil))
	w.console, err = console.New(console.Config{Base: "https://desk.relief-a.example", Door: w.door, Screens: w.screens(), Log: log, Now: w.now,
		OrgName: func(id string) string { return map[string]string{own: "Relief A", other: "Relief B"}[id] }})
	if err != nil {
		t.Fatal(err)
	}
	w.server, err = api.New(api.Config{Rooms: []api.Room{w.console}, Hosts: []string{"desk.relief-a.example"}, Log: log, Now: w.now})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

type locked struct{ w *world }

func (l *locked) Write(b []byte) (int, error) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	return l.w.log.Write(b)
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *world) move(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

// A browser keeps cookies, and says that what it asks comes from the console's pages.
type browser struct {
	w       *world
	cookies map[string]string
	header  http.Header // more than usual
}

func (w *world) browser() *browser {
	return &browser{w: w, cookies: map[string]string{}, header: http.Header{}}
}

// as is a browser in which an account of these roles has just signed in.
func (w *world) as(org string, roles ...access.Role) *browser {
	id := strings.ToLower(rand.Text()[:8])
	w.door.add(org, id, roles...)
	b := w.browser()
	b.cookies["__Host-aidpass"] = w.door.open(id)
	return b
}

func (b *browser) request(method, path string, form url.Values) *http.Request {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, "https://desk.relief-a.example"+path, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for name, values := range b.header {
		r.Header[name] = values
	}
	return r
}

func (b *browser) send(r *http.Request) *httptest.ResponseRecorder {
	a := httptest.NewRecorder()
	b.w.server.ServeHTTP(a, r)
	for _, c := range a.Result().Cookies() {
		b.cookies[c.Name] = c.Value
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return a
}

func (b *browser) get(path string) *httptest.ResponseRecorder {
	return b.send(b.request("GET", "/desk"+path, nil))
}

func (b *browser) post(path string, form url.Values) *httptest.ResponseRecorder {
	if form == nil {
		form = url.Values{}
	}
	return b.send(b.request("POST", "/desk"+path, form))
}

// post2 posts the form that a page has for an action, hidden fields and all.
func (b *browser) submit(page, action string) *httptest.ResponseRecorder {
	b.w.Helper()
	form := url.Values{}
	i := strings.Index(page, `action="`+action+`"`)
	if i < 0 {
		b.w.Fatalf("the page has no form for %s:\n%s", action, page)
	}
	part, _, _ := strings.Cut(page[i:], "</form>")
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(part, -1) {
		form.Add(m[1], strings.NewReplacer("&amp;", "&", "&#39;", "'", "&#34;", `"`, "&lt;", "<", "&gt;", ">").Replace(m[2]))
	}
	return b.post(strings.TrimPrefix(action, "/desk"), form)
}

const password = "correct horse battery"

// door is a console.Door in memory: what the interface promises and no more.
type door struct {
	w        *world
	mu       sync.Mutex
	accounts map[string]*access.Account
	tokens   map[string]*held
	tries    map[string]int
}

type held struct {
	account               string
	created, seen, proved time.Time
}

func (d *door) add(org, id string, roles ...access.Role) *access.Account {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := &access.Account{ID: id, Org: org, Roles: roles, Language: "en", Created: now, Version: 1, HasPassword: true}
	d.accounts[id] = a
	return a
}

func (d *door) open(id string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	token := rand.Text()
	at := d.w.now()
	d.tokens[token] = &held{id, at, at, at}
	return token
}

func (d *door) Session(_ context.Context, token string) (access.Session, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h, at := d.tokens[token], d.w.now()
	if h == nil || at.Sub(h.seen) > access.SessionIdle || at.Sub(h.created) > access.SessionLife || d.accounts[h.account].Disabled {
		return access.Session{}, access.ErrNoSession
	}
	h.seen = at
	a := *d.accounts[h.account]
	return access.Session{Account: a, Roles: slices.Clone(a.Roles), Created: h.created, Seen: h.seen, Proved: h.proved}, nil
}

func (d *door) SignIn(_ context.Context, from netip.Addr, account, typed, _ string) (string, error) {
	d.mu.Lock()
	a := d.accounts[account]
	wrong := a == nil || a.Disabled || typed != password
	d.mu.Unlock()
	if wrong {
		return "", access.ErrSignIn
	}
	return d.open(account), nil
}

func (d *door) Prove(_ context.Context, token string, _ netip.Addr, typed, _ string) (string, error) {
	if typed != password {
		return "", access.ErrSignIn
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.tokens[token]
	delete(d.tokens, token)
	h.proved = d.w.now()
	fresh := rand.Text()
	d.tokens[fresh] = h
	return fresh, nil
}

func (d *door) SignOut(_ context.Context, token string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.tokens, token)
	return nil
}

func (d *door) SetLanguage(_ context.Context, in *access.Session, lang string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.accounts[in.Account.ID].Language = lang
	return nil
}

// things are a screen of the tests' own: a list with pages, one thing, an act that
// wants a fresh proof, an act on many and one that can be undone.
type things struct{ w *world }

type thing struct{ id, org, name string }

func (w *world) thing(org, name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := "t-" + strings.ToLower(rand.Text()[:10])
	w.things[id] = thing{id, org, name}
	return id
}

func (s *things) Routes() []console.Route {
	return []console.Route{
		{Method: "GET", Path: "/things", Act: access.PersonFind, Menu: "home.menu", Query: []console.Field{console.Text("q", 40)}, Paged: true, Sorts: []string{"name"}, Handler: s.list},
		{Method: "POST", Path: "/things", Act: access.PersonErase, Form: console.ConfirmFields(console.Many("id", 40, 200)), Handler: s.many},
		{Method: "GET", Path: "/things/:thing", Act: access.PersonRead, Handler: s.show},
		{Method: "POST", Path: "/things/:thing/name", Act: access.PersonEdit, Form: []console.Field{console.Text("name", 40)}, Handler: s.rename},
		{Method: "POST", Path: "/things/:thing/erase", Act: access.CardRevoke, Form: []console.Field{console.Text("why", 40), console.Secret("pin", 9)}, Handler: s.erase},
	}
}

func (s *things) Needs(_ context.Context, in *access.Session) ([]console.Need, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	n := 0
	for _, t := range s.w.things {
		if t.org == in.Account.Org {
			n++
		}
	}
	return []console.Need{{Word: "confirm.type", Count: n, Path: "/things", Since: now}}, s.w.err
}

func (s *things) of(p *console.Page) []thing {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	var list []thing
	for _, t := range s.w.things {
		if t.org == p.Org() && strings.Contains(t.name, p.Query.Get("q")) {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b thing) int { return strings.Compare(a.id, b.id) })
	return list
}

func (s *things) find(p *console.Page) (thing, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	t := s.w.things[p.Param("thing")]
	if s.w.err != nil {
		return t, s.w.err
	}
	if t.org != p.Org() {
		return t, console.ErrNotFound
	}
	return t, nil
}

func (s *things) list(p *console.Page) error {
	all := s.of(p)
	g := p.Paging(len(all))
	var b strings.Builder
	for _, t := range all[g.Offset():min(len(all), g.Offset()+g.Size)] {
		b.WriteString(t.id + " " + t.name + "\n")
	}
	return p.Show("fault", "home.title", map[string]any{"Do": fmt.Sprintf("page %d of %d rows\n%s", g.Page, g.Size, b.String()), "Request": p.Link("/things")})
}

func (s *things) show(p *console.Page) error {
	t, err := s.find(p)
	if err != nil {
		return err
	}
	return p.Show("fault", "confirm.type", map[string]any{"Do": t.name, "Request": t.id}, "count", t.name)
}

func (s *things) rename(p *console.Page) error {
	t, err := s.find(p)
	if err != nil {
		return err
	}
	s.w.mu.Lock()
	before := t.name
	t.name = p.Form.Get("name")
	s.w.things[t.id] = t
	s.w.mu.Unlock()
	return p.Done("/things/"+t.id, console.Note{Word: "confirm.type", Fill: []any{"count", t.name}, Undo: &console.Undo{Path: "/things/" + t.id + "/name", Fields: map[string]string{"name": before}}})
}

func (s *things) erase(p *console.Page) error {
	t, err := s.find(p)
	if err != nil {
		return err
	}
	s.w.mu.Lock()
	delete(s.w.things, t.id)
	s.w.mu.Unlock()
	return p.Done("/things", console.Note{Word: "confirm.type", Fill: []any{"count", p.Form.Get("why")}})
}

// many erases those that are named: all or none.
func (s *things) many(p *console.Page) error {
	ids := p.Form.All("id")
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	for _, id := range ids {
		if s.w.things[id].org != p.Org() {
			return console.ErrNotFound
		}
	}
	if !p.Confirmed(len(ids)) {
		return p.Confirm("home.title", console.Confirm{Says: p.T("confirm.type", "count", len(ids)), Can: len(ids), Path: "/things", Back: "/things", Many: map[string][]string{"id": ids}, Do: p.T("frame.undo")})
	}
	for _, id := range ids {
		delete(s.w.things, id)
	}
	return p.Go("/things")
}

// screen is one of routes alone.
type screen []console.Route

func (s screen) Routes() []console.Route { return s }
func (s screen) Needs(context.Context, *access.Session) ([]console.Need, error) {
	return nil, nil
}
