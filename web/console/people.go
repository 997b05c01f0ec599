package console

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/issuer/print"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/quality"
)

// People are the screens of persons and households: finding one, reading it with its
// history, correcting it while others do, and what life changes about who lives with
// whom. Every page of a record stands in the log.
type People struct {
	Desk *records.Desk
	// Looked says in a language who looked at a record and what was done with it;
	// LookedPDF is that as a file. Both tell the log.
	Looked    func(ctx context.Context, by access.Actor, id registry.ID, lang string) (print.Page, error)
	LookedPDF func(ctx context.Context, by access.Actor, id registry.ID, lang string) ([]byte, error)
	Complaint func() (string, error) // line that is printed for whom to ask; nil: any help desk
	Notice    NoticeDesk             // nil: no wordings are kept here
	Search    *Search                // nil: no search is started here
	// Policy says what must be known before a card: its fields are marked; nil: none is.
	Policy func() (quality.Policy, error)

	at      presence
	entries sentOnce
	drawing drawing
}

// Longest texts of forms, in runes.
const (
	maxName   = 200
	maxText   = 300
	maxReason = 80
)

// Routes of a person, of a household, and of finding them.
func (s *People) Routes() []Route {
	id := Text("other", 64)
	return append([]Route{
		{Method: http.MethodGet, Path: "/people", Act: access.PersonFind, Menu: "people.menu", Answer: foundAnswer{}, Handler: s.ask},
		// What is looked for is somebody's name: a POST leaves it in no address.
		{Method: http.MethodPost, Path: "/people", Act: access.PersonFind, Form: []Field{Text("q", maxName), Text("list", 100), Text("year", 8),
			Text("document", 100), Text("type", 40), Text("country", 60), Text("phone", 40)}, Answer: foundAnswer{}, Handler: s.find},
		{Method: http.MethodGet, Path: "/undecided", Act: access.PersonFind, Answer: foundAnswer{}, Handler: s.undecided},
		{Method: http.MethodGet, Path: "/media/:person", Act: access.PersonRead, Answer: Sends("image/jpeg"), Handler: s.photo},
		{Method: http.MethodPost, Path: "/people/:person/died", Act: access.PersonEdit, Form: ConfirmFields(Text("on", 16)), Handler: s.died},
		{Method: http.MethodPost, Path: "/people/:person/alive", Act: access.PersonChange, Form: ConfirmFields(Text("reason", maxReason)), Handler: s.alive},
		{Method: http.MethodPost, Path: "/people/:person/move", Act: access.HouseholdEdit, Form: ConfirmFields(Text("household", 64), Text("relation", 32)), Handler: s.move},
		{Method: http.MethodPost, Path: "/households/:household/split", Act: access.HouseholdEdit, Form: ConfirmFields(Many("leaving", 32, 100), Text("head", 32), Text("renew", 4)), Handler: s.split},
		{Method: http.MethodPost, Path: "/households/:household/merge", Act: access.HouseholdEdit, Form: ConfirmFields(id, Text("head", 32)), Handler: s.merge},
		{Method: http.MethodPost, Path: "/households/:household/collector", Act: access.HouseholdEdit,
			Form: ConfirmFields(Text("person", 64), Text("external", maxName), Text("role", 16), Text("from", 10), Text("to", 10)), Handler: s.collector},
		{Method: http.MethodPost, Path: "/households/:household/collector-end", Act: access.HouseholdEdit, Form: ConfirmFields(Text("who", maxName), Text("asked_by", 32)), Handler: s.collectorEnd},
	}, slices.Concat(s.reviewing(), s.entering(), s.portraits(), s.slips(&aPerson), s.slips(&aHousehold), s.meetings(), s.routesOf(&aPerson), s.routesOf(&aHousehold))...)
}

// A recordKind is what differs between the screens of a person and of a household.
type recordKind struct {
	kind       registry.Kind
	path, name string // below Root; the :name
	read, edit access.Act
}

var (
	aPerson    = recordKind{registry.KindPerson, "/people", "person", access.PersonRead, access.PersonEdit}
	aHousehold = recordKind{registry.KindHousehold, "/households", "household", access.HouseholdRead, access.HouseholdEdit}
)

// NewPath is where one is entered, below Root.
func (k *recordKind) NewPath() string { return k.path + "/new" }

func (s *People) routesOf(k *recordKind) []Route {
	with := func(handler func(*Page, *recordKind, registry.ID) error) func(*Page) error {
		return func(p *Page) error {
			id, err := s.id(p, k)
			if err != nil {
				return err
			}
			return s.fault(handler(p, k, id))
		}
	}
	at := k.path + "/:" + k.name
	form := append([]Field{Text("seen", records.MaxSeen), Text("reason", maxReason)}, backFields()...)
	for _, f := range records.Fields(k.kind) {
		form = append(form, Text(f, maxText))
	}
	return []Route{
		{Method: http.MethodGet, Path: at, Act: k.read, Answer: recordAnswer{}, Handler: with(s.show)},
		{Method: http.MethodGet, Path: at + "/history", Act: access.PersonHistory, Query: []Field{Text("from", 10), Text("to", 10)}, Answer: historyAnswer{}, Handler: with(s.history)},
		{Method: http.MethodGet, Path: at + "/edit", Act: k.edit, Query: backFields(), Answer: formAnswer{}, Handler: with(s.open)},
		{Method: http.MethodPost, Path: at + "/edit", Act: k.edit, Form: form, Handler: with(s.save)},
		{Method: http.MethodPost, Path: at + "/decide", Act: k.edit, Form: []Field{Text("field", 64), Text("stands", maxText), Text("rival", 32)}, Handler: with(s.decide)},
		{Method: http.MethodGet, Path: at + "/live", Act: access.PersonHistory, Query: []Field{Text("edit", 1)}, Answer: Sends(eventMedia), Handler: with(s.live)},
		{Method: http.MethodGet, Path: at + "/looked", Act: access.RightsPrint, Query: []Field{Text("lang", 8)}, Answer: lookedAnswer{}, Handler: with(s.looked)},
		{Method: http.MethodGet, Path: at + "/looked/pdf", Act: access.RightsPrint, Query: []Field{Text("lang", 8)}, Answer: Sends("application/pdf"), Handler: with(s.lookedPDF)},
	}
}

// Needs are the values that two people set at once, and the possible doubles.
func (s *People) Needs(ctx context.Context, in *access.Session) ([]Need, error) {
	undecided, doubles, since, err := s.Desk.Open(ctx)
	if err != nil {
		return nil, err
	}
	var list []Need
	if in.May(access.PersonEdit) {
		list = append(list, Need{Word: "people.need_undecided", Count: undecided, Path: "/undecided"}, Need{Word: "people.need_doubles", Count: doubles, Since: since, Path: "/doubles"})
	}
	if in.May(access.HouseholdRead) && (in.May(access.HouseholdEdit) || in.May(access.ProgrammePlan)) {
		headless, err := s.Desk.Headless(ctx)
		if err != nil {
			return nil, err
		}
		if len(headless) > 0 { // the next follows when this one has a head
			list = append(list, Need{Word: "people.need_head", Count: len(headless), Path: aHousehold.path + "/" + headless[0].String()})
		}
	}
	return list, nil
}

// id is the record that a path names. One of another kind, another organisation's and
// one that was erased are not there. A party is not told before its agreement was asked.
func (s *People) id(p *Page, k *recordKind) (registry.ID, error) {
	id, err := registry.ParseID(p.Param(k.name))
	if err != nil {
		return id, ErrNotFound
	}
	if p.Scope() != nil {
		return id, nil
	}
	return id, s.fault(s.Desk.Check(p.Context(), id, k.kind))
}

// typed is a record that a form names: a path's rules hold for it too.
func (s *People) typed(p *Page, text string, kind registry.Kind) (registry.ID, error) {
	id, err := registry.ParseID(strings.TrimSpace(text))
	if err != nil {
		return id, BadForm("people.no_such")
	}
	return id, s.fault(s.Desk.Check(p.Context(), id, kind))
}

// fault gives errors of the desk the names that the console answers to.
func (s *People) fault(err error) error {
	var refusal *registry.Refusal
	var rejection *intake.Rejection
	switch {
	case err == nil:
		return nil
	case errors.Is(err, registry.ErrNotFound), errors.Is(err, registry.ErrErased):
		return ErrNotFound
	case errors.Is(err, registry.ErrConflict):
		return ErrConflict
	case errors.Is(err, registry.ErrClosed):
		return BadForm("people.closed")
	case errors.Is(err, registry.ErrPrincipal):
		return BadForm("people.principal")
	case errors.Is(err, records.ErrUndo):
		return BadForm("enter.too_late")
	case errors.Is(err, records.ErrQuery):
		return BadForm("people.no_query")
	case errors.As(err, &refusal):
		return BadForm("people.refused", "why", refused(refusal))
	case errors.As(err, &rejection):
		return BadForm("people.refused", "why", Said("imports.code_"+rejection.Finding.Code))
	}
	return err
}

func (s *People) ask(p *Page) error {
	undecided, doubles, _, err := s.Desk.Open(p.Context())
	if err != nil {
		return err
	}
	return p.Show("people_find", "people.title", s.view(p, peopleData{Open: undecided, Pairs2: doubles}))
}

func (s *People) find(p *Page) error {
	f := p.Form
	q := records.Query{Text: f.Get("q"), List: f.Get("list"), Document: f.Get("document"), Type: f.Get("type"), Country: f.Get("country"), Phone: f.Get("phone")}
	asked := 0
	for _, text := range []string{q.Text, q.Document, q.Phone} {
		if text != "" {
			asked++
		}
	}
	if asked != 1 {
		return BadForm("people.ask_one")
	}
	if q.Type == "" {
		q.Type = registry.DocumentTypes()[0]
	}
	if y := digits(f.Get("year")); y != "" {
		var err error
		if q.Year, err = strconv.Atoi(y); err != nil || q.Year < registry.OldestYear || q.Year > s.Desk.Now().Year() {
			return BadForm("people.bad_year")
		}
	}
	found, total, err := s.Desk.Find(p.Context(), p.Actor(), q)
	if err != nil {
		return s.fault(err)
	}
	return p.Show("people_find", "people.title", s.view(p, peopleData{Asked: true, Lines: found, Total: total, Typed: typedOf(f)}))
}

func typedOf(f Form) map[string]string {
	out := map[string]string{}
	for name := range f {
		out[name] = f.Get(name)
	}
	return out
}

func (s *People) undecided(p *Page) error {
	list, err := s.Desk.Undecided(p.Context(), p.Actor())
	if err != nil {
		return err
	}
	return p.Show("people_find", "people.undecided_title", s.view(p, peopleData{Asked: true, Listed: true, Lines: list, Total: len(list)}))
}

func (s *People) show(p *Page, k *recordKind, id registry.ID) error {
	if p.Scope() != nil {
		return s.told(p, id)
	}
	sheet, err := s.Desk.Sheet(p.Context(), p.Actor(), id, k.kind)
	if err != nil {
		return err
	}
	d := peopleData{Sheet: sheet, Record: id, At: k, Editing: s.at.who(id, p.In.Account.ID, s.Desk.Now())}
	if d.Stamp, err = s.stamp(p, k, id); err != nil {
		return err
	}
	if d.Parties, err = s.parties(p.Context()); err != nil {
		return err
	}
	if d.Waits, err = s.waiting(p, id); err != nil {
		return err
	}
	if d.Met, err = s.lastMet(p.Context(), id); err != nil {
		return err
	}
	page := "people_person"
	if k.kind == registry.KindHousehold {
		page = "people_household"
	}
	title := p.T("people.nameless")
	if line := sheet.Title(); line != "" {
		title = template.HTML("<bdi>" + template.HTMLEscapeString(line) + "</bdi>")
	}
	return p.show(http.StatusOK, page, title, s.view(p, d))
}

// photo answers with a picture that whoever asks may see. It is made by package photo
// from what was sent, and no browser takes it for anything else.
func (s *People) photo(p *Page) error {
	id, err := s.id(p, &aPerson)
	if err != nil {
		return err
	}
	b, err := s.photoOf(p, id)
	if err != nil {
		return s.fault(err)
	}
	h := p.c.Response().Header()
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Disposition", "inline")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	return p.c.Blob(http.StatusOK, "image/jpeg", b)
}

func (s *People) photoOf(p *Page, id registry.ID) ([]byte, error) {
	if p.Scope() == nil {
		return s.Desk.Photo(p.Context(), p.Actor(), id)
	}
	told, err := s.look(p, id)
	if err == nil && told.Photo == nil {
		err = ErrNotFound
	}
	return told.Photo, err
}

func (s *People) history(p *Page, k *recordKind, id registry.ID) error {
	d := peopleData{Record: id, From: p.Query.Get("from"), To: p.Query.Get("to"), At: k}
	var err error
	if d.Parties, err = s.parties(p.Context()); err != nil {
		return err
	}
	if d.From != "" {
		from, err := endOfDay(d.From)
		to := s.Desk.Now()
		if err == nil && d.To != "" {
			to, err = endOfDay(d.To)
		}
		if err != nil || to.Before(from) {
			return BadForm("people.bad_days")
		}
		if d.Compared, err = s.Desk.Compare(p.Context(), p.Actor(), id, k.kind, from, to); err != nil {
			return err
		}
	} else {
		var err error
		if d.Past, err = s.Desk.History(p.Context(), p.Actor(), id, k.kind); err != nil {
			return err
		}
	}
	return p.Show("people_history", "people.history_title", s.view(p, d))
}

// endOfDay reads a day: a record is compared as it stood at its end.
func endOfDay(text string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, text)
	return t.Add(24*time.Hour - time.Nanosecond), err
}

func (s *People) looked(p *Page, k *recordKind, id registry.ID) error {
	page, err := s.lookedPage(p, id)
	if err != nil {
		return err
	}
	return p.Show("people_looked", "people.looked", s.view(p, peopleData{Record: id, Looked: page, Lang: s.herLanguage(p), At: k}))
}

func (s *People) lookedPage(p *Page, id registry.ID) (*print.Page, error) {
	if s.Looked == nil {
		return nil, ErrNotFound
	}
	page, err := s.Looked(p.Context(), p.Actor(), id, s.herLanguage(p))
	return &page, err
}

// herLanguage is the one the page is asked for in: the reader's, where none is named.
func (s *People) herLanguage(p *Page) string {
	lang := p.Query.Get("lang")
	if !slices.ContainsFunc(p.Languages(), func(l Language) bool { return l.Code == lang }) {
		return p.Lang
	}
	return lang
}

func (s *People) lookedPDF(p *Page, _ *recordKind, id registry.ID) error {
	if s.LookedPDF == nil {
		return ErrNotFound
	}
	b, err := s.LookedPDF(p.Context(), p.Actor(), id, s.herLanguage(p))
	if err != nil {
		return err
	}
	return p.Download("looked.pdf", "application/pdf", b)
}
