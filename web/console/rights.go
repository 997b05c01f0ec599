package console

import (
	"context"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/issuer/print"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

// Rights are the pages of what people ask about their data: to see it, to have it mended
// or forgotten, or to object; and the print of all that is held about one of them.
type Rights struct {
	Desk *rights.Desk
	// Held says in a language all that is held about a person, who looked at it and who
	// received it; HeldPDF is that as a file. Both tell the log before they return.
	Held    func(ctx context.Context, by access.Actor, id registry.ID, lang string) (print.Page, error)
	HeldPDF func(ctx context.Context, by access.Actor, id registry.ID, lang string) ([]byte, error)
	Now     func() time.Time
}

const maxDemand = 1000 // runes of what somebody asks, and of what she is answered

// Routes implements Screen. All that is held about somebody wants a fresh proof of
// identity, also of who may read her record.
func (s *Rights) Routes() []Route {
	at := "/people/:person"
	demand := []Field{Text("demand", 16), Lines("text", maxDemand), Text("known", 16)}
	lang := []Field{Text("lang", 8)}
	return []Route{
		{Method: http.MethodGet, Path: "/requests", Act: access.RightsAnswer, Menu: "rights.menu", Paged: true, Answer: requestsData{}, Handler: s.list},
		{Method: http.MethodGet, Path: "/requests/of/:request", Act: access.RightsAnswer, Answer: requestRow{}, Handler: s.show},
		{Method: http.MethodPost, Path: "/requests/of/:request/answer", Act: access.RightsAnswer, Form: []Field{Text("done", 4), Lines("text", maxDemand)}, Handler: s.answer},
		{Method: http.MethodGet, Path: "/collectors", Act: access.HouseholdRead, Answer: busyData{}, Handler: s.busy},
		{Method: http.MethodGet, Path: at + "/requests", Act: access.RightsAsk, Answer: herRequests{}, Handler: s.hers},
		{Method: http.MethodPost, Path: at + "/requests", Act: access.RightsAsk, Form: demand, Handler: s.ask},
		{Method: http.MethodGet, Path: "/households/:household/requests", Act: access.RightsAsk, Answer: herRequests{}, Handler: s.hers},
		{Method: http.MethodPost, Path: "/households/:household/requests", Act: access.RightsAsk, Form: demand, Handler: s.ask},
		{Method: http.MethodGet, Path: at + "/held", Act: access.RightsPrint, StepUp: true, Query: lang, Answer: heldData{}, Handler: s.held},
		{Method: http.MethodGet, Path: at + "/held/pdf", Act: access.RightsPrint, StepUp: true, Query: lang, Answer: Sends("application/pdf"), Handler: s.heldPDF},
	}
}

// Needs are the requests without an answer: those that are late apart.
func (s *Rights) Needs(ctx context.Context, in *access.Session) ([]Need, error) {
	if !in.May(access.RightsAnswer) {
		return nil, nil
	}
	all, err := s.Desk.Requests(ctx, registry.ID{})
	open, late := Need{Word: "rights.need", Path: "/requests"}, Need{Word: "rights.need_late", Path: "/requests"}
	for _, r := range all {
		switch {
		case !r.Open():
		case s.Now().After(r.Due):
			late.add(r.Due)
		default:
			open.add(r.At)
		}
	}
	return []Need{late, open}, err
}

// lines are the lines of a text area, as they are kept.
func lines(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

// A requestRow is what somebody asked, as a page tells it.
type requestRow struct {
	rights.Request
	Waits bool `json:"waits"`
	Late  bool `json:"late"`
}

// Path is the page of whom the request is about.
func (r requestRow) Path() string {
	if r.Home {
		return "/households/" + r.Unit.String()
	}
	return "/people/" + r.Unit.String()
}

// Says tells how far it is in words.
func (r requestRow) Says(p *Page) template.HTML {
	switch {
	case r.Late:
		return p.T("rights.is_late", "day", p.Date(r.Due))
	case r.Waits:
		return p.T("rights.is_open", "day", p.Date(r.Due))
	case r.Done:
		return p.T("rights.is_done", "day", p.Date(r.Answered))
	}
	return p.T("rights.is_refused", "day", p.Date(r.Answered))
}

func (s *Rights) row(r rights.Request) requestRow {
	return requestRow{r, r.Open(), r.Open() && s.Now().After(r.Due)}
}

type requestsData struct {
	Rows   []requestRow `json:"rows"`
	Paging *Paging      `json:"paging"`
}

// list has first what waits, by the day on which it is due. What was asked in words is on
// the page of each.
func (s *Rights) list(p *Page) error {
	all, err := s.Desk.Requests(p.Context(), registry.ID{})
	if err != nil {
		return rightsFault(err)
	}
	slices.SortStableFunc(all, func(a, b rights.Request) int {
		switch {
		case a.Open() && !b.Open():
			return -1
		case b.Open() && !a.Open():
			return 1
		case a.Open():
			return a.Due.Compare(b.Due)
		}
		return b.Answered.Compare(a.Answered)
	})
	d := requestsData{Rows: []requestRow{}, Paging: p.Paging(len(all))}
	var about []registry.ID
	for _, r := range all[d.Paging.Offset():min(len(all), d.Paging.Offset()+d.Paging.Size)] {
		r.Text, r.Answer = "", ""
		d.Rows = append(d.Rows, s.row(r))
		if !r.Unit.IsZero() { // else her record is erased
			about = append(about, r.Unit)
		}
	}
	if err := s.Desk.Read(p.Context(), p.Actor(), about, "requests"); err != nil {
		return rightsFault(err)
	}
	return p.Show("rights_requests", "rights.title", d)
}

func (s *Rights) show(p *Page) error {
	r, err := s.Desk.Request(p.Context(), p.Param("request"))
	if err == nil && !r.Unit.IsZero() { // else her record is erased
		err = s.Desk.Read(p.Context(), p.Actor(), []registry.ID{r.Unit}, "requests")
	}
	if err != nil {
		return absent(err)
	}
	return p.Show("rights_request", "rights.demand_"+string(r.Demand), s.row(r))
}

func (s *Rights) answer(p *Page) error {
	r, err := s.Desk.Request(p.Context(), p.Param("request"))
	if err != nil {
		return absent(err)
	}
	done := p.Form.Get("done")
	if done != "yes" && done != "no" {
		return BadForm("rights.which")
	}
	err = p.Do(func(ctx context.Context) error {
		_, err := s.Desk.Answer(ctx, p.Actor(), r.ID, done == "yes", lines(p.Form.Get("text")))
		return err
	})
	if err != nil {
		return rightsFault(err)
	}
	return p.Done("/requests/of/"+r.ID, Note{Word: "rights.answered"})
}

type herRequests struct {
	subject
	Rows []requestRow `json:"rows"`

	Demands []rights.Demand `json:"-"`
	Knowns  []rights.Known  `json:"-"`
}

func (s *Rights) hers(p *Page) error {
	who, err := p.subject(s.Desk, "requests")
	if err != nil {
		return err
	}
	all, err := s.Desk.Requests(p.Context(), who.id)
	if err != nil {
		return rightsFault(err)
	}
	d := herRequests{subject: who, Rows: []requestRow{}, Demands: rights.Demands(), Knowns: rights.Knowns()}
	for _, r := range slices.Backward(all) {
		d.Rows = append(d.Rows, s.row(r))
	}
	return p.Show("rights_hers", who.titled("rights.hers", "rights.hers_household"), d, "name", d.Name)
}

func (s *Rights) ask(p *Page) error {
	who, err := p.subject(s.Desk, "requests")
	if err != nil {
		return err
	}
	var r rights.Request
	err = p.Do(func(ctx context.Context) (err error) {
		r, err = s.Desk.Ask(ctx, p.Actor(), who.id, rights.Demand(p.Form.Get("demand")), lines(p.Form.Get("text")), rights.Known(p.Form.Get("known")))
		return err
	})
	if err != nil {
		return rightsFault(err)
	}
	return p.Done(who.Path+"/requests", Note{Word: "rights.asked", Fill: []any{"day", p.Date(r.Due)}})
}

type heldData struct {
	Person registry.ID `json:"person"`
	Lang   string      `json:"lang"`
	Page   print.Page  `json:"page"`

	Dir string `json:"-"`
}

func (s *Rights) about(p *Page) (id registry.ID, lang string, err error) {
	who, err := p.subject(s.Desk, "held")
	if err != nil {
		return who.id, "", err
	}
	var have []string
	for _, l := range p.Languages() {
		have = append(have, l.Code)
	}
	if lang = p.Query.Get("lang"); !slices.Contains(have, lang) {
		lang = tongue(have, who.languages, p.Lang)
	}
	return who.id, lang, nil
}

func (s *Rights) held(p *Page) error {
	id, lang, err := s.about(p)
	if err != nil {
		return err
	}
	d := heldData{Person: id, Lang: lang, Dir: dirOf(lang)}
	if d.Page, err = s.Held(p.Context(), p.Actor(), id, lang); err != nil {
		return rightsFault(err)
	}
	return p.Show("rights_held", "rights.held", d)
}

func (s *Rights) heldPDF(p *Page) error {
	id, lang, err := s.about(p)
	if err != nil {
		return err
	}
	b, err := s.HeldPDF(p.Context(), p.Actor(), id, lang)
	if err != nil {
		return rightsFault(err)
	}
	return p.Download("held.pdf", "application/pdf", b)
}

// A busyRow is an alternate who collects for more households than one family's worth.
type busyRow struct {
	Person     string        `json:"person,omitempty"` // id; empty: not on record
	Name       string        `json:"name"`
	Households []registry.ID `json:"households"`
}

type busyData struct {
	Rows []busyRow `json:"rows"`
	Most int       `json:"most"` // households that nobody asks about
}

// busy lists them, who serves most first: power over others' help is seen (DOMAIN 8.2, R17).
func (s *Rights) busy(p *Page) error {
	register := registry.Registry{Store: s.Desk.Store, Now: s.Now}
	list, err := register.BusyAlternates(p.Context())
	if err != nil {
		return rightsFault(err)
	}
	d := busyData{Rows: []busyRow{}, Most: registry.ManyHouseholds}
	var about []registry.ID
	for _, b := range list {
		row := busyRow{b.Person, b.External, b.Households}
		about = append(about, b.Households...)
		if id, err := registry.ParseID(b.Person); err == nil {
			who, err := s.Desk.Person(p.Context(), p.Actor(), id, "collectors")
			if err != nil {
				return rightsFault(err)
			}
			row.Name = called(id, &who)
		}
		d.Rows = append(d.Rows, row)
	}
	if err := s.Desk.Read(p.Context(), p.Actor(), about, "collectors"); err != nil {
		return rightsFault(err)
	}
	return p.Show("rights_busy", "rights.busy", d)
}
