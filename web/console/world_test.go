package console_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/url"
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
	"aidpass/issuer/registry/quality"
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
	return slices.Concat([]console.Screen{&things{w: w}, w.peopleScreen(), w.importScreen(), w.agreements(), &console.Exports{Desk: exportDesk{w}}, &console.Rechecks{Desk: w.recheckDesk(own)}, w.qualityScreen(), w.exerciseScreen()}, w.ops(), w.rightsScreens(), w.issuing.screens())
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
	"POST /imports/:import/rejects":      {"reason": {"mended in the field"}},
	"POST /imports/:import/undo":         {"version": {"2"}, "digest": {strings.Repeat("00", 32)}},
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
	"POST /batches/of/:batch/mend.csv":   {"reason": {"to the village office"}},
	"POST /batches/of/:batch/fixes.xlsx": {"reason": {"to the village office"}},
	"POST /programmes/new":               {"modality": {"cash"}, "counts": {"person"}},
	"POST /things/rows":                  {"reason": {"yearly report"}},
	"POST /things/export":                {"reason": {"yearly report"}},
}

// A world is a server with the console of one organisation, on a real door over a store
// in memory, and another organisation's door beside it.
type world struct {
	retention *console.Retention
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

	rechecks map[string]*rechecks // by organisation
	measured *measured
	large    bool                           // its register
	made     map[string]console.QualityMade // by account and job
	policy   quality.Policy

	mu     sync.Mutex
	clock  time.Time
	things map[string]thing
	people map[string]*peopleStore
	err    error                         // of the desk of things
	files  map[string]console.ExportMade // by organisation, account and job
	narrow func(*access.Scope)           // changes the scope of the partners that are added; nil: nothing
}

// boss holds the organisation's keys.
var boss = access.Laptop{ID: "boss", Role: access.OrgAdmin}

func newWorld(t *testing.T) *world { return newWorldWith(t, nil) }

func newWorldWith(t *testing.T, in *console.SignIn) *world {
	t.Helper()
	w := &world{T: t, clock: now, things: map[string]thing{}, files: map[string]console.ExportMade{}, doors: map[string]*access.Door{}, imports: map[string]*imports.Desk{}, stores: map[string]*accesstest.Memory{}}
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
	w.console.OnAnswer(func(wrong string) { w.Error(wrong) })
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
		n.Scope = w.partnership(org)
	}
	secret, err := w.doors[org].Invite(w.Context(), access.Laptop{ID: "keys", Role: access.OrgAdmin}, n)
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

const password = "seven mild ostriches hum"
