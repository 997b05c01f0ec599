package console

import (
	"cmp"
	"context"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"aidpass/access"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/rights"
)

// A NoticeDesk has the wordings that are read to people, the agreements with those whom
// they are asked about, and keeps what they answer: rights.Desk.
type NoticeDesk interface {
	Notices(ctx context.Context) ([]rights.Notice, error)
	Agreements(ctx context.Context) ([]rights.Agreement, error)
	Give(ctx context.Context, by access.Actor, id registry.ID, g rights.Given) (string, error)
}

// maxWitness is the longest name of a function, in runes: no name of a person stands there.
const maxWitness = 60

// entering are the routes by which people come into the register one by one.
func (s *People) entering() []Route {
	form := func(k *recordKind, own ...Field) []Field {
		own = append(own, Text("number", records.MaxNumber), Text("seen", 400), Text("once", 64), Text("next", 8),
			Text("notice", 60), Text("read_in", 12), Text("told", 4), Text("how", 20), Text("told_by", 12), Text("witness", maxWitness), Text("interpreter", maxWitness), Text("aloud", 4))
		for _, f := range records.EnterFields(k.kind) {
			own = append(own, Text(f, maxText))
		}
		return own
	}
	house := Text("household", 32)
	return []Route{
		{Method: http.MethodGet, Path: "/people/new", Act: access.PersonEnter, Query: []Field{house}, Answer: enterAnswer{}, Handler: func(p *Page) error { return s.blank(p, &aPerson) }},
		{Method: http.MethodPost, Path: "/people/new", Act: access.PersonEnter, Form: form(&aPerson, house), Answer: Either(Acted, enterAnswer{}), Handler: func(p *Page) error { return s.enter(p, &aPerson) }},
		{Method: http.MethodGet, Path: "/households/new", Act: access.HouseholdEnter, Answer: enterAnswer{}, Handler: func(p *Page) error { return s.blank(p, &aHousehold) }},
		{Method: http.MethodPost, Path: "/households/new", Act: access.HouseholdEnter, Form: form(&aHousehold, Text("members", 12)), Answer: Either(Acted, enterAnswer{}), Handler: func(p *Page) error { return s.enter(p, &aHousehold) }},
		{Method: http.MethodPost, Path: "/people/:person/undo", Act: access.PersonEnter, Handler: func(p *Page) error { return s.undo(p, &aPerson) }},
		{Method: http.MethodPost, Path: "/households/:household/undo", Act: access.HouseholdEnter, Handler: func(p *Page) error { return s.undo(p, &aHousehold) }},
	}
}

// enterData is the form of an entry, with what stands beside it.
type enterData struct {
	*peopleData
	Household string // id of the one that a member is entered into
	House     string // what it is called
	Number    string
	Members   string // how a household's are on record
	Once      string // of this form: sent twice, it enters once
	Shown     string // the records that were beside it when it was sent
	Maybe     []maybe
	Notice    *noticeView
	Told      map[string]string // what was filled in about it
	InHouse   bool
}

// IsHousehold reports whether a household is entered.
func (d *enterData) IsHousehold() bool { return d.At == &aHousehold }

// HasDocuments reports whether one was filled in.
func (d *enterData) HasDocuments() bool {
	return slices.ContainsFunc(d.Documents, func(f editField) bool { return f.Value != "" })
}

// A maybe is a record that may be of the person who is entered.
type maybe struct {
	Path   string
	Called string
	Why    string
	Rows   []besideRow
	line   lineAnswer
}

// A noticeView is the wording that is read before anything is written down.
type noticeView struct {
	ID    string
	Texts []noticeText
}

type noticeText struct {
	Lang, Dir, Name, Text string
	Here                  bool // it is the language of the page
}

type enterAnswer struct {
	Fields   []string          // that the form takes, beside number, seen, once and those about the notice
	Required []string          // of those, what must be known before a card; "document" is any
	Notice   string            // wording that is to be read to her: it comes back with "told"
	Texts    map[string]string // the wording, by language
	Once     string
	Seen     string         // comes back where who is entered is none of these
	Maybe    []doubleAnswer // who she may be already: not entered yet
}

// Programs implements forProgram.
func (d *enterData) Programs() any {
	a := enterAnswer{Once: d.Once, Seen: d.Shown, Texts: map[string]string{}}
	for _, f := range append(slices.Clone(d.Fields), d.Documents...) {
		a.Fields = append(a.Fields, f.Name)
	}
	for _, f := range d.Fields {
		if f.Required {
			a.Required = append(a.Required, f.Name)
		}
	}
	if d.NeedsDocument {
		a.Required = append(a.Required, "document")
	}
	if d.Notice != nil {
		a.Notice = d.Notice.ID
		for _, t := range d.Notice.Texts {
			a.Texts[t.Lang] = t.Text
		}
	}
	for _, m := range d.Maybe {
		a.Maybe = append(a.Maybe, doubleAnswer{m.line, m.Why})
	}
	return a
}

// blank is an empty form.
func (s *People) blank(p *Page, k *recordKind) error {
	return s.entry(p, k, http.StatusOK, p.Query, nil, "")
}

// entry shows the form of an entry as it was filled, with what is wrong with it, or with
// who she may be already.
func (s *People) entry(p *Page, k *recordKind, status int, f Form, r *records.Reading, wrong template.HTML) error {
	if p.program {
		if wrong != "" {
			return BadForm("people.refused", "why", wrong)
		}
		status = http.StatusOK
	}
	d := &enterData{peopleData: s.view(p, peopleData{At: k, Wrong: wrong}), Number: f.Get("number"), Members: f.Get("members"), Once: f.Get("once"), Told: map[string]string{}}
	if d.Once == "" {
		d.Once = registry.NewID().String()
	}
	if text := f.Get("household"); text != "" && k == &aPerson {
		id, err := s.typed(p, text, registry.KindHousehold)
		if err != nil {
			return err
		}
		sheet, err := s.Desk.Sheet(p.Context(), p.Actor(), id, registry.KindHousehold)
		if err != nil {
			return s.fault(err)
		}
		d.Household, d.House, d.InHouse = id.String(), sheet.Record.External, true
		if d.House == "" {
			d.House = id.String()
		}
		d.Sheet = sheet
	}
	for _, name := range records.EnterFields(k.kind) {
		if d.InHouse && slices.Contains([]string{"pcode", "site", "address", "country"}, name) {
			continue // where she stays is her household's
		}
		e := editField{Name: name, Word: fieldWords[name], Value: f.Get(name), Choices: p.choicesOf(name, f.Get(name), s.Desk.Country)}
		family, rest, _ := strings.Cut(name, ".")
		if family == "document" || family == "issuer" {
			e.Word, e.Document, e.Issuer = fieldWords[family], documentWords[rest], family == "issuer"
			d.Documents = append(d.Documents, e)
		} else {
			d.Fields = append(d.Fields, e)
		}
	}
	for _, name := range []string{"told", "how", "told_by", "witness", "interpreter", "aloud", "read_in"} {
		d.Told[name] = f.Get(name)
	}
	var err error
	if d.NeedsDocument, err = s.required(k, d.Fields); err != nil {
		return err
	}
	if d.Notice, err = s.notice(p); err != nil {
		return err
	}
	if r != nil {
		d.Shown = shownBeside(r)
		for i, other := range r.Beside {
			two := s.view(p, peopleData{Sheet: r.Sheet, Other: other})
			l := records.Line{ID: other.Record.ID, Kind: registry.KindPerson, Number: other.Record.External, List: other.Record.Source, Born: other.Person.Birth}
			if len(other.Person.Names) > 0 {
				l.Name = other.Person.Names[0]
			}
			d.Maybe = append(d.Maybe, maybe{Path: Root + "/people/" + other.Record.ID.String(), Called: lineText(&l), Why: r.Why[i], Rows: two.Beside(), line: lineOf(&l)})
		}
	}
	page, title := "people_enter", "enter.person"
	if k == &aHousehold {
		title = "enter.household"
	}
	return p.show(status, page, p.T(title), d)
}

// shownBeside names the records that stand beside an entry.
func shownBeside(r *records.Reading) string {
	var ids []string
	for _, s := range r.Beside {
		ids = append(ids, s.Record.ID.String())
	}
	slices.Sort(ids)
	return strings.Join(ids, ",")
}

// notice is the wording about registration that is in use; nil where none is kept.
func (s *People) notice(p *Page) (*noticeView, error) {
	if s.Notice == nil {
		return nil, nil
	}
	all, err := s.Notice.Notices(p.Context())
	if err != nil {
		return nil, err
	}
	today := s.Desk.Now().UTC().Format(time.DateOnly)
	var newest *rights.Notice
	for i := range all { // the oldest come first
		if n := &all[i]; n.Purpose == rights.Registration && n.From <= today && (newest == nil || n.From >= newest.From) {
			newest = n
		}
	}
	if newest == nil {
		return nil, nil
	}
	v := &noticeView{ID: newest.ID}
	for lang, text := range newest.Text {
		t := noticeText{Lang: lang, Dir: "ltr", Name: lang, Text: text, Here: lang == p.Lang}
		if slices.Contains([]string{"ar", "fa", "ps", "ur", "he", "ckb", "dv", "ug"}, lang) {
			t.Dir = "rtl"
		}
		if name := p.console.words[lang]["language"]; name != "" {
			t.Name = name
		}
		v.Texts = append(v.Texts, t)
	}
	slices.SortFunc(v.Texts, func(a, b noticeText) int {
		if a.Here != b.Here {
			return map[bool]int{true: -1, false: 1}[a.Here]
		}
		return strings.Compare(a.Lang, b.Lang)
	})
	return v, nil
}

// answered reads what she was told and answered. A wording that is not in use any more, and a
// form that leaves the answer out, are told in a sentence.
func (s *People) answered(p *Page) (g *rights.Given, wrong template.HTML, err error) {
	n, err := s.notice(p)
	if n == nil || err != nil {
		return nil, "", err
	}
	f := p.Form
	if f.Get("notice") != n.ID { // a newer wording, or a form without one: it is to be read
		return nil, p.T("enter.read_it"), nil
	}
	g = &rights.Given{Purpose: rights.Registration, Yes: f.Get("told") == "yes", Wording: n.ID, Lang: f.Get("read_in"), How: f.Get("how"), By: f.Get("told_by"),
		Witness: f.Get("witness"), Interpreter: f.Get("interpreter"), ReadAloud: f.Get("aloud") == "yes"}
	if g.By == "" {
		g.By = "self"
	}
	switch {
	case f.Get("told") == "no":
	case f.Get("told") != "yes":
		return nil, p.T("enter.told_needed"), nil
	case !slices.ContainsFunc(n.Texts, func(t noticeText) bool { return t.Lang == g.Lang }):
		return nil, p.T("enter.language_needed"), nil
	case !slices.Contains([]string{"signature", "thumb", "verbal+witness"}, g.How):
		return nil, p.T("enter.how_needed"), nil
	case g.How == "verbal+witness" && g.Witness == "":
		return nil, p.T("enter.witness_needed"), nil
	}
	return g, "", nil
}

// enter writes what was typed: once for one form, and where somebody may be on record
// already only after those were shown.
func (s *People) enter(p *Page, k *recordKind) error {
	f := p.Form
	sent := p.In.Account.ID + " " + cmp.Or(f.Get("once"), registry.NewID().String()) // of a program that names none, each is a new one
	if path := s.entries.led(sent); path != "" {                                     // by a key that was pressed twice
		return p.Go(path)
	}
	n := records.New{Kind: k.kind, Number: f.Get("number"), Members: f.Get("members"), Values: map[string]string{}}
	for _, name := range records.EnterFields(k.kind) {
		n.Values[name] = f.Get(name)
	}
	if k == &aHousehold && !slices.Contains([]string{records.Full, records.Partial, records.SizeOnly}, n.Members) {
		return s.entry(p, k, http.StatusUnprocessableEntity, f, nil, p.T("enter.members_needed"))
	}
	if text := f.Get("household"); text != "" && k == &aPerson {
		var err error
		if n.Household, err = s.typed(p, text, registry.KindHousehold); err != nil {
			return err
		}
	}
	given, wrong, err := s.answered(p)
	if err != nil {
		return err
	}
	again := "/people/new"
	if k == &aHousehold {
		again = "/households/new"
	} else if !n.Household.IsZero() {
		again += "?household=" + n.Household.String()
	}
	if given != nil && f.Get("told") == "no" { // nothing that was typed is kept
		return p.Done(again, Note{Word: "enter.refused"})
	}
	r, err := s.Desk.Read(p.Context(), p.Actor(), n)
	if err == nil && wrong == "" && len(r.Beside) > 0 && f.Get("seen") != shownBeside(r) {
		return s.entry(p, k, http.StatusConflict, f, r, "")
	}
	if err == nil && wrong != "" {
		return s.entry(p, k, http.StatusUnprocessableEntity, f, nil, wrong)
	}
	if err == nil {
		var path string
		if path, err = s.entries.once(sent, s.Desk.Now(), func() (string, error) { return s.write(p, k, n, given) }); err == nil {
			return p.Go(path)
		}
	}
	if wrong := s.wrong(p, err); wrong != "" {
		return s.entry(p, k, http.StatusUnprocessableEntity, f, nil, wrong)
	}
	return s.fault(err)
}

// write enters a record with what she was told, leaves the note of it, and returns where
// to go on.
func (s *People) write(p *Page, k *recordKind, n records.New, given *rights.Given) (path string, err error) {
	var id registry.ID
	var number string
	untold := false
	err = p.Do(func(ctx context.Context) error {
		if id, number, err = s.Desk.Enter(ctx, p.Actor(), n); err != nil || given == nil {
			return err
		}
		// What she answered has been looked at; it fails where the wording or the record was
		// taken away this moment.
		if _, err := s.Notice.Give(ctx, p.In.Actor(access.ConsentGive), id, *given); err != nil {
			untold = true
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	at := k.path + "/" + id.String()
	note := Note{Word: "enter.done", Fill: []any{"number", number}, Undo: &Undo{Path: at + "/undo"}}
	if untold {
		note.Word = "enter.done_untold"
	}
	path = at
	switch more := p.Form.Get("next") != "open"; {
	case !more:
	case k == &aHousehold && n.Members != records.SizeOnly:
		path = "/people/new?household=" + id.String()
	case k == &aHousehold:
		path = "/households/new"
	case n.Household.IsZero():
		path = "/people/new"
	default:
		path = "/people/new?household=" + n.Household.String()
	}
	if p.program { // is told which record it made
		path = at
	}
	note.Says = p.T(note.Word, note.Fill...)
	p.console.notes.leave(p.token, &note)
	return path, nil
}

// undo takes an entry back.
func (s *People) undo(p *Page, k *recordKind) error {
	id, err := s.id(p, k)
	if err != nil {
		return err
	}
	if err := p.Do(func(ctx context.Context) error { return s.Desk.Undo(ctx, p.Actor(), id, k.kind) }); err != nil {
		return s.fault(err)
	}
	return p.Done("/people", Note{Word: "enter.undone"})
}

// wrong is what is wrong with what was typed about a record, in the reader's words; empty
// for an error that is not about that.
func (s *People) wrong(p *Page, err error) template.HTML {
	var rejection *intake.Rejection
	switch {
	case errors.As(err, &rejection):
		return p.T("people.rejected", "field", p.T(fieldWord(rejection.Finding.Column)), "why", finding(p, rejection.Finding))
	case errors.Is(err, records.ErrNumber):
		return p.T("enter.number_taken")
	case errors.Is(err, records.ErrNameless):
		return p.T("enter.name_needed")
	case errors.Is(err, records.ErrSizeless):
		return p.T("enter.size_needed")
	}
	return ""
}

// finding says what is wrong with a value, and how to mend it.
func finding(p *Page, f intake.Finding) template.HTML {
	if !p.Says("imports.code_" + f.Code) {
		return template.HTML(`<bdi lang="en">` + template.HTMLEscapeString(f.What+": "+f.Fix) + `</bdi>`)
	}
	return sentences([]template.HTML{p.T("imports.code_"+f.Code) + ".", p.T("imports.mend_" + f.Code)})
}

// sentOnce lets a form that is sent twice, as by a key that was pressed twice, do its work
// once. It is kept in memory, for as long as a form is open.
type sentOnce struct {
	mu   sync.Mutex
	list map[string]sent
}

type sent struct {
	at   time.Time
	path string // where it led; empty: it is at work
}

const (
	onceLife = time.Hour
	mostOnce = 4096
)

// led is where a form led that was sent before.
func (o *sentOnce) led(key string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.list[key].path
}

func (o *sentOnce) once(key string, now time.Time, work func() (string, error)) (string, error) {
	o.mu.Lock()
	was, again := o.list[key]
	if !again {
		if o.list == nil || len(o.list) >= mostOnce {
			o.list = map[string]sent{}
		}
		for k, old := range o.list {
			if now.Sub(old.at) > onceLife {
				delete(o.list, k)
			}
		}
		o.list[key] = sent{at: now}
	}
	o.mu.Unlock()
	switch {
	case again && was.path == "":
		return "", ErrConflict
	case again:
		return was.path, nil
	}
	path, err := work()
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		delete(o.list, key)
	} else {
		o.list[key] = sent{now, path}
	}
	return path, err
}
