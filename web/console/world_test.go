package console_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"aidpass/access"
	"aidpass/access/accesstest"
	"aidpass/issuer"
	"aidpass/issuer/registry/imports"
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
	w.issuing = newIssuing(w)
	return append(append([]console.Screen{&things{w: w}, w.peopleScreen(), &console.Imports{Desk: w.imports[own]}}, w.ops()...), w.issuing.screens()...)
}

// makers make an object of an organisation for each :name of a path and return what
// stands in its place. What is an account's own is that of the browser's account, where
// there is one.
var makers = map[string]func(w *world, org string, b *browser) string{
	"thing":     func(w *world, org string, _ *browser) string { return w.thing(org, "Maize") },
	"person":    func(w *world, org string, _ *browser) string { return w.person(org, "Amina Yusuf").String() },
	"household": func(w *world, org string, _ *browser) string { return w.household(org).String() },
	"programme": func(w *world, org string, _ *browser) string { return w.issuing.programme(org) },
	"batch":     func(w *world, org string, _ *browser) string { return w.issuing.batch(org, issuer.Approved) },
	"print":     func(w *world, org string, _ *browser) string { return w.issuing.print(org) },
	"card":      func(w *world, org string, _ *browser) string { return w.issuing.card(org) },
	"offer":     func(w *world, org string, _ *browser) string { return w.issuing.offer(org) },
	"account":   func(w *world, org string, _ *browser) string { return w.add(org, "", access.Registrar).id },
	"secret":    func(w *world, org string, _ *browser) string { return w.invite(org, "x-"+name(), access.Registrar) },
	"approval":  func(w *world, org string, _ *browser) string { return w.ask(org) },
	"job":       func(w *world, org string, _ *browser) string { return w.jobs.add(org, access.BatchIssue) },
	"import":    func(w *world, org string, _ *browser) string { return w.list(org, "list.csv", smallList()).ID },
	"session": func(w *world, org string, b *browser) string {
		m := w.ownOr(org, b)
		t, err := w.doors[org].SignIn(w.Context(), access.Attempt{Account: m.id, Password: password, Code: w.code(m), Address: "192.0.2.7"})
		if err != nil {
			w.Fatal(err)
		}
		return t.Session.ID
	},
	"subject": func(w *world, org string, b *browser) string {
		m := w.ownOr(org, b)
		sub := access.Subject{Issuer: "https://id.example", Subject: rand.Text()}
		in, err := w.doors[org].Session(w.Context(), m.token)
		if err == nil {
			err = w.doors[org].AddSubject(w.Context(), in, sub)
		}
		if err != nil {
			w.Fatal(err)
		}
		sum := sha256.Sum256([]byte(sub.Issuer + "\x00" + sub.Subject))
		return hex.EncodeToString(sum[:8])
	},
	"passkey": func(w *world, org string, b *browser) string {
		m := w.ownOr(org, b)
		id := []byte(rand.Text())
		in, err := w.doors[org].Session(w.Context(), m.token)
		if err == nil {
			err = w.doors[org].AddPasskey(w.Context(), in, access.Passkey{ID: id, Key: []byte{1}, Name: "stick"})
		}
		if err != nil {
			w.Fatal(err)
		}
		sum := sha256.Sum256(id)
		return hex.EncodeToString(sum[:8])
	},
}

// queries are what a route's address has to say behind its path, and make what it names.
var queries = map[string]func(w *world, org string) string{
	"GET /organisation/file": func(w *world, org string) string {
		w.desks[org].settings = map[string][]byte{console.SettingLabels: []byte(`{"rice":{"en":"Rice"}}`)}
		return "?name=" + console.SettingLabels
	},
}

// seenBy says who sees an object at all, where that is not said by the route.
var seenBy = map[string]access.Act{"approval": access.AuditRead, "job": access.BatchIssue}

// forms are filled as somebody would fill them who may, by route; empty where there is
// none. In the matrix they must get a route past its checks.
var forms = map[string]url.Values{
	"POST /sign-in":                      {"account": {"nobody"}, "password": {"a wrong one"}},
	"POST /language":                     {"lang": {"fr"}},
	"POST /proof":                        {"password": {password}},
	"POST /settings/password":            {"password": {"several unusual words"}, "again": {"several unusual words"}},
	"POST /accounts/new":                 {"account": {"v-77"}, "role": {"verifier"}},
	"POST /accounts/of/:account/disable": {"reason": {"left"}},
	"POST /accounts/of/:account/recover": {"reason": {"lost"}},
	"POST /approvals/:approval/refuse":   {"reason": {"no"}},
	"POST /things/:thing/name":           {"name": {"Rice"}},
	"POST /imports/:import/check":        {"version": {"2"}},
	"POST /imports/:import/submit":       {"version": {"2"}},
	"POST /imports/:import/withdraw":     {"version": {"2"}},
	"POST /imports/:import/mends":        {"version": {"2"}, "table": {""}, "row": {"2"}, "column": {"sex"}, "was": {"f"}, "value": {"m"}},
	"POST /imports/:import/columns":      {"version": {"2"}, "role": {"people"}, "field": {"person_id", "full_name", "sex", "birth_date", "consent"}},
	"POST /things/:thing/erase":          {},
	"POST /cards/of/:card/suspend":       {"reason": {"code"}},
	"POST /cards/of/:card/revoke":        {"reason": {"code"}},
	"POST /cards/of/:card/replace":       {"reason": {"lost"}},
	"POST /offers/of/:offer/withdraw":    {"reason": {"code"}},
	"POST /offers/new":                   {"unit": {"17"}, "place": {"K7Q2/1"}},
	"POST /batches/new":                  {"type": {"eligibility"}, "place": {"K7Q2/1"}},
	"POST /programmes/new":               {"modality": {"cash"}, "counts": {"person"}},
	"POST /things/export":                {"reason": {"yearly report"}},
}

// A world is a server with the console of one organisation, on a real door over a store
// in memory, and another organisation's door beside it.
type world struct {
	*testing.T
	server  *api.Server
	console *console.Console
	stores  map[string]*accesstest.Memory
	doors   map[string]*access.Door
	jobs    *jobs
	desks   map[string]*opsDesk // of devices, trust, log, reports, by organisation
	imports map[string]*imports.Desk
	issuing *issuing
	log     bytes.Buffer

	mu     sync.Mutex
	clock  time.Time
	things map[string]thing
	people map[string]*peopleStore
	err    error // of the desk of things
}

// boss holds the organisation's keys.
var boss = access.Laptop{ID: "boss", Role: access.OrgAdmin}

func newWorld(t *testing.T) *world { return newWorldWith(t, nil) }

func newWorldWith(t *testing.T, in *console.SignIn) *world {
	t.Helper()
	w := &world{T: t, clock: now, things: map[string]thing{}, doors: map[string]*access.Door{}, imports: map[string]*imports.Desk{}, stores: map[string]*accesstest.Memory{}}
	w.jobs = &jobs{list: map[string]console.Job{}}
	w.desks = map[string]*opsDesk{own: newOpsDesk(own), other: newOpsDesk(other)}
	for _, org := range []string{own, other} {
		w.stores[org] = accesstest.New(org, w.now)
		w.doors[org] = &access.Door{Store: w.stores[org], Now: w.now, Cost: access.Cost{Memory: 64, Passes: 1, Lanes: 1}}
		w.imports[org] = w.importDesk(org)
	}
	var err error
	log := slog.New(slog.NewTextHandler(&locked{w: w}, nil))
	w.console, err = console.New(console.Config{Base: "https://desk.relief-a.example", Door: w.doors[own], Jobs: w.jobs, SignIn: in, Screens: w.screens(), Log: log, Now: w.now,
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

// A member is an account that has joined, by password and codes.
type member struct {
	id, token string
	totp      []byte
}

func name() string { return strings.ToLower(rand.Text()[:10]) }

func (w *world) invite(org, id string, roles ...access.Role) string {
	w.Helper()
	n := access.NewAccount{ID: id, Roles: roles, Language: "en"}
	if slices.Contains(roles, access.Partner) {
		n.Scope = &access.Scope{Agreement: "a-1", Fields: []string{"name", "photo"}, Areas: []string{"KE007"}, Purpose: "food"}
	}
	secret, err := w.doors[org].Invite(w.Context(), boss, n)
	if err != nil {
		w.Fatal(err)
	}
	return secret
}

// add makes an account and lets it join. No id: one is drawn.
func (w *world) add(org, id string, roles ...access.Role) *member {
	w.Helper()
	if id == "" {
		id = "s-" + name()
	}
	secret := w.invite(org, id, roles...)
	in, err := w.doors[org].Invitation(w.Context(), secret)
	if err != nil {
		w.Fatal(err)
	}
	m := &member{id: id, totp: in.TOTP}
	t, err := w.doors[org].Accept(w.Context(), secret, password, w.codeAt(m, w.now()), "192.0.2.7")
	if err != nil {
		w.Fatal(err)
	}
	m.token = t.Token
	return m
}

func (w *world) codeAt(m *member, at time.Time) string {
	code, err := hotp.GenerateCodeCustom(access.TOTPText(m.totp), uint64(at.Unix()/30), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		w.Fatal(err)
	}
	return code
}

// code is one that was not used: time goes on until there is another.
func (w *world) code(m *member) string {
	w.move(30 * time.Second)
	return w.codeAt(m, w.now())
}

func (w *world) ownOr(org string, b *browser) *member {
	if b != nil && org == own {
		return b.member
	}
	return w.add(org, "", access.Registrar)
}

// ask makes a request for approval: of letting somebody in again.
func (w *world) ask(org string) string {
	a, _, err := w.doors[org].AskRecovery(w.Context(), boss, w.add(org, "", access.Registrar).id, "lost")
	if err != nil {
		w.Fatal(err)
	}
	return a.ID
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
	member  *member // who has signed in; nil: nobody
	cookies map[string]string
	header  http.Header // more than usual
}

func (w *world) browser() *browser {
	return &browser{w: w, cookies: map[string]string{}, header: http.Header{}}
}

// as is a browser in which an account of these roles has just signed in.
func (w *world) as(org string, roles ...access.Role) *browser {
	return w.of(w.add(org, "", roles...))
}

// of is a browser in which a member has signed in.
func (w *world) of(m *member) *browser {
	b := w.browser()
	b.member = m
	b.cookies["__Host-aidpass"] = m.token
	return b
}

// enter signs a member in on the page.
func (b *browser) enter(m *member, more url.Values) *httptest.ResponseRecorder {
	form := url.Values{"account": {m.id}, "password": {password}, "code": {b.w.code(m)}}
	for k, v := range more {
		form[k] = v
	}
	return b.post("/sign-in", form)
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

const password = "seven mild ostriches hum"

// jobs are console.Jobs in memory.
type jobs struct {
	mu   sync.Mutex
	list map[string]console.Job
}

func (j *jobs) add(org string, act access.Act) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	id := "j-" + name()
	j.list[id] = console.Job{ID: id, Org: org, Act: act, Word: "jobs.title", State: console.JobStopped, Done: 3, Total: 10, By: "boss", Begun: now, Seen: now}
	return id
}

func (j *jobs) set(id string, state console.JobState, done int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	job := j.list[id]
	job.State, job.Done = state, done
	j.list[id] = job
}

func (j *jobs) List(_ context.Context, org string) (list []console.Job, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, job := range j.list {
		if job.Org == org {
			list = append(list, job)
		}
	}
	return list, nil
}

func (j *jobs) Show(_ context.Context, org, id string) (console.Job, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	job, ok := j.list[id]
	if !ok || job.Org != org {
		return job, console.ErrNotFound
	}
	return job, nil
}

func (j *jobs) Cancel(_ context.Context, org, id string, by access.Actor) error {
	j.set(id, console.JobStopped, 5)
	return by.Check()
}

func (j *jobs) Resume(_ context.Context, org, id string, by access.Actor) error {
	j.set(id, console.JobRuns, 5)
	return by.Check()
}

// things are a screen of the tests' own: a list with pages, one thing, an act that
// wants a fresh proof, an act on many and one that can be undone.
type things struct{ w *world }

// thingData is what its pages show.
type thingData struct{ Do, Request string }

type thing struct{ id, org, name, area string }

func (w *world) thing(org, name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := "t-" + strings.ToLower(rand.Text()[:10])
	w.things[id] = thing{id, org, name, "KE007"}
	return id
}

func (s *things) Routes() []console.Route {
	return []console.Route{
		{Method: "GET", Path: "/things", Act: access.PersonFind, Menu: "home.menu", Query: []console.Field{console.Text("q", 40)}, Paged: true, Sorts: []string{"name"}, Handler: s.list},
		{Method: "POST", Path: "/things", Act: access.PersonErase, Form: console.ConfirmFields(console.Many("id", 40, 200)), Handler: s.many},
		{Method: "GET", Path: "/things/:thing", Act: access.PersonRead, Handler: s.show},
		{Method: "POST", Path: "/things/:thing/name", Act: access.PersonEdit, Form: []console.Field{console.Text("name", 40)}, Handler: s.rename},
		{Method: "POST", Path: "/things/export", Act: access.ExportMake, Form: []console.Field{console.Text("reason", 40)}, Handler: s.export},
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

func (s *things) export(p *console.Page) error {
	var b strings.Builder
	all := s.of(p)
	for _, t := range all {
		b.WriteString(t.id + "\r\n")
	}
	return p.Export(console.Export{Reason: p.Form.Get("reason"), Rows: len(all), Name: "things.csv", Mime: "text/csv; charset=utf-8", Body: []byte(b.String())})
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
	return t, p.Within(t.area)
}

func (s *things) list(p *console.Page) error {
	all := s.of(p)
	g := p.Paging(len(all))
	var b strings.Builder
	for _, t := range all[g.Offset():min(len(all), g.Offset()+g.Size)] {
		b.WriteString(t.id + " " + t.name + "\n")
	}
	return p.Show("fault", "home.title", thingData{fmt.Sprintf("page %d of %d rows\n%s", g.Page, g.Size, b.String()), p.Link("/things")})
}

func (s *things) show(p *console.Page) error {
	t, err := s.find(p)
	if err != nil {
		return err
	}
	return p.Show("fault", "confirm.type", thingData{t.name, t.id}, "count", t.name)
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
