package console

import (
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

// Agreements are the pages of who may be told what: the agreements, what went out under
// each and was called back, and how one is drawn up and ended.
type Agreements struct {
	Desk     *rights.Desk
	Settings OrganisationDesk // where the names of places stand, among the labels; nil: nowhere
	Door     *access.Door
	Now      func() time.Time // nil: time.Now
}

// agreementEndsSoon is from when on Home tells of the end of an agreement.
const agreementEndsSoon = 30 * 24 * time.Hour

// Routes implements Screen.
func (s *Agreements) Routes() []Route {
	return []Route{
		{Method: http.MethodGet, Path: "/agreements", Act: access.AgreementRead, Menu: "agreements.menu", Paged: true, Answer: agreementsData{}, Handler: s.list},
		{Method: http.MethodGet, Path: "/agreements/of/:agreement", Act: access.AgreementRead, Answer: agreementData{}, Handler: s.show},
		{Method: http.MethodGet, Path: "/agreements/of/:agreement/file", Act: access.AgreementRead, Answer: Sends("application/yaml"), Handler: s.file},
		{Method: http.MethodPost, Path: "/agreements/of/:agreement/end", Act: access.AgreementEnd, Form: []Field{Text("reason", 200)}, Handler: s.end},
		{Method: http.MethodGet, Path: "/agreements/new", Act: access.AgreementMake, Answer: draftData{}, Handler: s.blank},
		{Method: http.MethodPost, Path: "/agreements/new", Act: access.AgreementMake, Form: draftFields(), Handler: s.ask},
		{Method: http.MethodPost, Path: "/agreements/file", Act: access.AgreementMake, Files: true, MaxBody: rights.MaxAgreementBytes + 1<<16, Form: []Field{File("file")}, Answer: draftData{}, Handler: s.read},
	}
}

// Needs are the agreements that end soon. One that waits for its second account is among
// the approvals.
func (s *Agreements) Needs(ctx context.Context, in *access.Session) ([]Need, error) {
	if !in.May(access.AgreementEnd) { // who keeps them
		return nil, nil
	}
	all, err := s.Desk.Agreements(ctx)
	n := Need{Word: "agreements.need_ends", Path: "/agreements"}
	for i := range all {
		if end := endOf(&all[i]); all[i].Live(s.now()) == nil && end.Before(s.now().Add(agreementEndsSoon)) {
			n.Count++
		}
	}
	return []Need{n}, err
}

func (s *Agreements) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// endOf is when an agreement is over that nobody ends before.
func endOf(a *rights.Agreement) time.Time {
	t, err := time.Parse(time.DateOnly, a.Until)
	if err != nil {
		return time.Time{} // Check refuses it
	}
	return t.AddDate(0, 0, 1)
}

// A standing says how an agreement stands.
type standing struct {
	State    string        `json:"state"` // live, ended, over, begins
	DaysLeft int           `json:"days_left"`
	Says     template.HTML `json:"-"`
}

func (s *Agreements) standing(p *Page, a *rights.Agreement) standing {
	now, end := s.now(), endOf(a)
	switch {
	case !a.Ended.IsZero():
		return standing{"ended", 0, p.T("agreements.ended", "day", p.Date(a.Ended))}
	case a.Live(now) == nil:
		left := int(end.Sub(now)/(24*time.Hour)) + 1
		return standing{"live", left, p.T("agreements.live", "day", p.Date(end.AddDate(0, 0, -1)), "count", left)}
	case !now.Before(end):
		return standing{"over", 0, p.T("agreements.over", "day", p.Date(end.AddDate(0, 0, -1)))}
	}
	from, err := time.Parse(time.DateOnly, a.From)
	if err != nil {
		from = time.Time{}
	}
	return standing{"begins", 0, p.T("agreements.begins", "day", p.Date(from))}
}

type agreementsData struct {
	Rows   []agreementRow
	Paging *Paging
}

type agreementRow struct {
	ID       string
	With     string
	Purpose  rights.Purpose
	Standing standing
	Shares   int // files, and days on which one of its accounts looked
}

func (s *Agreements) list(p *Page) error {
	all, err := s.Desk.Agreements(p.Context())
	if err != nil {
		return err
	}
	shares, err := s.Desk.Shares(p.Context())
	if err != nil {
		return err
	}
	count := map[string]int{}
	for _, x := range shares {
		count[x.Agreement]++
	}
	slices.Reverse(all) // the newest first, and before them those that are in force
	slices.SortStableFunc(all, func(a, b rights.Agreement) int {
		x, y := a.Live(s.now()) == nil, b.Live(s.now()) == nil
		switch {
		case x == y:
			return 0
		case x:
			return -1
		}
		return 1
	})
	d := agreementsData{Paging: p.Paging(len(all))}
	for _, a := range all[d.Paging.Offset():min(len(all), d.Paging.Offset()+d.Paging.Size)] {
		d.Rows = append(d.Rows, agreementRow{a.ID, a.With.Name, a.Purpose, s.standing(p, &a), count[a.ID]})
	}
	return p.Show("agreements", "agreements.title", d)
}

type agreementData struct {
	Agreement rights.Agreement
	Standing  standing
	Terms     []term `json:"-"`
	Shares    []sharedView
	Recalls   []recalledView
}

// A sharedView is a file that went out, or the looks of an account on a day.
type sharedView struct {
	ID     string
	At     time.Time
	Form   string
	Reason string
	Rows   int
	Fields []string
	SHA256 string
	By     string
}

// Screen reports whether nobody got a file.
func (v sharedView) Screen() bool { return v.Form == rights.ScreenForm }

// A recalledView is what the party was asked not to use any more; about whom is not said.
type recalledView struct {
	ID      string
	At      time.Time
	Due     time.Time
	Outcome string // empty: no answer yet
}

// find is the agreement that the path names.
func (s *Agreements) find(p *Page) (rights.Agreement, error) {
	a, err := s.Desk.Agreement(p.Context(), p.Param("agreement"))
	var refusal *rights.Refusal
	if errors.As(err, &refusal) {
		err = ErrNotFound
	}
	return a, err
}

func (s *Agreements) show(p *Page) error {
	a, err := s.find(p)
	if err != nil {
		return err
	}
	d := agreementData{Agreement: a, Standing: s.standing(p, &a)}
	if d.Terms, err = s.terms(p, &a); err != nil {
		return err
	}
	shares, err := s.Desk.Shares(p.Context())
	if err != nil {
		return err
	}
	for _, x := range slices.Backward(shares) {
		if x.Agreement == a.ID {
			d.Shares = append(d.Shares, sharedView{x.ID, x.At, x.Form, x.Reason, x.Rows, x.Fields, x.SHA256, x.By})
		}
	}
	recalls, err := s.Desk.Recalls(p.Context(), registry.ID{})
	if err != nil {
		return err
	}
	for _, x := range slices.Backward(recalls) {
		if x.Agreement == a.ID {
			d.Recalls = append(d.Recalls, recalledView{x.ID, x.At, x.Due, string(x.Outcome)})
		}
	}
	if len(d.Shares)+len(d.Recalls) > 0 { // who took what out, and how many it tells of
		if err := p.noted(access.Entry{Action: "agreement.read", Object: a.ID, Detail: "shares=" + strconv.Itoa(len(d.Shares)) + " recalls=" + strconv.Itoa(len(d.Recalls))}); err != nil {
			return err
		}
	}
	return p.Show("agreements_show", "agreements.one", d, "agreement", a.ID)
}

// A term is a line of an agreement in words.
type term struct {
	Word  string // key of what it is about
	Says  []template.HTML
	Grave bool
}

// terms are what an agreement says, whole, as the second account reads it.
func (s *Agreements) terms(p *Page, a *rights.Agreement) (list []term, err error) {
	text := func(v string) template.HTML { return p.T("agreements.text", "text", v) }
	add := func(word string, says ...template.HTML) { list = append(list, term{Word: word, Says: says}) }
	add("agreements.with", p.T("agreements.party", "name", a.With.Name, "id", a.With.ID))
	add("agreements.kind", p.Word("agreements.kind_", a.With.Kind))
	if a.With.Country != "" {
		add("agreements.country", country(p, a.With.Country))
	}
	if a.With.Issuer != "" {
		add("agreements.issuer_id", text(a.With.Issuer))
	}
	add("agreements.contact", text(a.With.Contact))
	add("agreements.purpose", p.Word("agreements.for_", a.Purpose))
	add("agreements.basis", p.Word("agreements.by_", a.Basis))
	fields := term{Word: "agreements.fields"}
	for _, f := range a.Fields {
		fields.Says = append(fields.Says, p.sharedField(f))
	}
	list = append(list, fields)
	numbers := "agreements.numbers_no"
	if a.Numbers {
		numbers = "agreements.numbers_yes"
	}
	add("agreements.numbers", p.T(numbers))
	names, err := s.places(p)
	if err != nil {
		return nil, err
	}
	areas := term{Word: "agreements.areas", Grave: len(a.Areas) == 0}
	for _, code := range a.Areas {
		areas.Says = append(areas.Says, place(p, code, inLanguage(names[code], p.Lang)))
	}
	if areas.Grave {
		areas.Says = append(areas.Says, p.T("agreements.everywhere"))
	}
	list = append(list, areas)
	if !areas.Grave {
		beneath := term{Word: "agreements.levels"}
		for _, code := range a.Levels {
			beneath.Says = append(beneath.Says, place(p, code, inLanguage(names[code], p.Lang)))
		}
		if len(a.Levels) == 0 {
			beneath.Says = append(beneath.Says, p.T("agreements.no_levels"))
		}
		list = append(list, beneath)
	}
	excluded := term{Word: "agreements.excluded", Grave: len(a.ExcludeOrigin) == 0}
	for _, code := range a.ExcludeOrigin {
		excluded.Says = append(excluded.Says, country(p, code))
	}
	if excluded.Grave {
		excluded.Says = append(excluded.Says, p.T("agreements.nobody_excluded", "why", a.NoExclusion))
	}
	list = append(list, excluded)
	from, _ := time.Parse(time.DateOnly, a.From) // Check read both
	add("agreements.time", p.T("agreements.from_until", "from", p.Date(from), "until", p.Date(endOf(a).AddDate(0, 0, -1))))
	add("agreements.retention", p.T("agreements.days", "count", a.RetentionDays))
	return list, nil
}

// country is the code of a country with its name in the reader's language.
func country(p *Page, code string) template.HTML {
	name := p.Country(code)
	if name == code {
		name = ""
	}
	return place(p, code, name)
}

// place is a code with its name, where it has one.
func place(p *Page, code, name string) template.HTML {
	if name == "" {
		return p.T("agreements.text", "text", code)
	}
	return p.T("agreements.place", "code", code, "name", name)
}

// places are the names that the organisation gave to codes of places, by code and language.
func (s *Agreements) places(p *Page) (names map[string]map[string]string, err error) {
	if s.Settings == nil {
		return nil, nil
	}
	b, err := s.Settings.Setting(p.Context(), p.Org(), SettingLabels)
	if err != nil || len(b) == 0 {
		return nil, err
	}
	return names, json.Unmarshal(b, &names)
}

// Tell implements Teller: the second account reads the whole agreement.
func (s *Agreements) Tell(p *Page, r access.Approval) (says []template.HTML, err error) {
	if r.Act != access.AgreementMake {
		return nil, nil
	}
	var a rights.Agreement
	if err := json.Unmarshal(r.Payload, &a); err != nil {
		return nil, err
	}
	terms, err := s.terms(p, &a)
	for _, t := range terms {
		var parts []string
		for _, h := range t.Says {
			parts = append(parts, string(h))
		}
		says = append(says, p.T("agreements.line", "what", p.T(t.Word), "says", template.HTML(strings.Join(parts, string(p.T("agreements.comma"))))))
	}
	return says, err
}

// file is the agreement as it can be read back, to be mended into another one.
func (s *Agreements) file(p *Page) error {
	a, err := s.find(p)
	if err != nil {
		return err
	}
	b, err := a.File()
	if err != nil {
		return err
	}
	return p.Download(a.ID+".yml", "application/yaml", b)
}

func (s *Agreements) end(p *Page) error {
	a, err := s.find(p)
	if err != nil {
		return err
	}
	if p.Form.Get("reason") == "" {
		return BadForm("agreements.why")
	}
	err = p.Do(func(ctx context.Context) error {
		return s.Desk.EndAgreement(ctx, p.Actor(), a.ID, p.Form.Get("reason"))
	})
	if err != nil {
		return refusedAgreement(p, err)
	}
	return p.Done("/agreements/of/"+a.ID, Note{Word: "agreements.ended_now", Fill: []any{"agreement", a.ID, "name", a.With.Name}})
}
