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
	"sync"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

// ErasureJob is what the long work is called that destroys what two accounts agreed to.
const ErasureJob = "retention.job"

// Retention are the pages of how long what is kept, of what is over, and of what two
// accounts agree to destroy. Nothing is destroyed by a clock.
type Retention struct {
	Desk    *rights.Desk
	Remover *rights.Remover
	Door    *access.Door
	Now     func() time.Time

	mu   sync.Mutex
	need Need // what was over, when it was counted
}

// Routes implements Screen.
func (s *Retention) Routes() []Route {
	return []Route{
		{Method: http.MethodGet, Path: "/retention", Act: access.RetentionRead, Menu: "retention.menu", Paged: true, Answer: retentionData{}, Handler: s.show},
		{Method: http.MethodPost, Path: "/retention/terms", Act: access.RetentionTerms, Form: []Field{Text("photo", 5), Text("record", 5), Text("log", 5), Text("audit", 5), Text("reason", maxReason)}, Handler: s.terms},
		{Method: http.MethodPost, Path: "/retention/ask", Act: access.PersonErase, Form: ConfirmFields(Many("item", 48, maxPage), Text("reason", maxReason)), Handler: s.ask},
		{Method: http.MethodGet, Path: "/removals/:removal", Act: access.RetentionRead, Answer: removalData{}, Handler: s.removal},
		{Method: http.MethodGet, Path: "/records/:record/erasure", Act: access.PersonErase, Query: []Field{Text("request", 16), Text("letter", 16)}, Answer: removalData{}, Handler: s.erasure},
		{Method: http.MethodPost, Path: "/records/:record/erasure", Act: access.PersonErase, Form: []Field{Text("request", 16), Text("letter", 16), Text("reason", maxReason)}, Handler: s.erase},
	}
}

// Needs is what is over, as it was when it was last counted: to count is to read every
// record, so nobody waits for that here.
func (s *Retention) Needs(_ context.Context, in *access.Session) ([]Need, error) {
	if !in.May(access.PersonErase) {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return []Need{s.need}, nil
}

// Count counts what is over, for Home, which tells when that was. It reads every record,
// half a minute and more for 100,000: a server does it beside what it answers, once a day.
// Errors are those of the store.
func (s *Retention) Count(ctx context.Context) error {
	_, err := s.due(ctx)
	return err
}

// due is what is over, counted for Home.
func (s *Retention) due(ctx context.Context) ([]rights.Due, error) {
	at := s.Now()
	list, err := s.Desk.Due(ctx)
	if err == nil {
		n := needOf(list)
		n.At = at
		s.mu.Lock()
		s.need = n
		s.mu.Unlock()
	}
	return list, err
}

func needOf(list []rights.Due) Need {
	n := Need{Word: "retention.need", Path: "/retention"}
	for _, u := range list {
		if over, err := time.Parse(time.DateOnly, u.Over); err == nil {
			n.add(over)
		}
	}
	return n
}

type termRow struct {
	Class rights.Class `json:"class"`
	Days  int          `json:"days"` // 0: each agreement says it
}

// A dueRow is something whose term is over.
type dueRow struct {
	rights.Due
	Ours bool `json:"ours"` // this program can destroy it; else somebody is asked
}

// Item names it in a form.
func (d dueRow) Item() string { return string(d.Class) + " " + d.Unit.String() }

type retentionData struct {
	Terms  []termRow `json:"terms"`
	Rows   []dueRow  `json:"due"`
	Paging *Paging   `json:"paging"`
}

func (s *Retention) show(p *Page) error {
	d := retentionData{Rows: []dueRow{}}
	terms, err := s.Desk.Terms(p.Context())
	if err != nil {
		return rightsFault(err)
	}
	for _, c := range rights.Classes() {
		d.Terms = append(d.Terms, termRow{c, terms[c]})
	}
	all, err := s.due(p.Context())
	if err != nil {
		return rightsFault(err)
	}
	d.Paging = p.Paging(len(all))
	var about []registry.ID
	for _, u := range all[d.Paging.Offset():min(len(all), d.Paging.Offset()+d.Paging.Size)] {
		d.Rows = append(d.Rows, dueRow{u, u.Class == rights.Photos || u.Class == rights.Records})
		if !u.Unit.IsZero() {
			about = append(about, u.Unit)
		}
	}
	if err := s.Desk.Read(p.Context(), p.Actor(), about, "retention"); err != nil {
		return rightsFault(err)
	}
	return p.Show("retention", "retention.title", d)
}

// terms asks for other terms: a short one destroys, so two accounts change them.
func (s *Retention) terms(p *Page) error {
	was, err := s.Desk.Terms(p.Context())
	if err != nil {
		return rightsFault(err)
	}
	var file strings.Builder
	for c := range was {
		days := digits(p.Form.Get(string(c)))
		if _, err := strconv.Atoi(days); err != nil {
			return BadForm("retention.days_wrong")
		}
		file.WriteString(string(c) + ": " + days + "\n")
	}
	terms, err := rights.ParseTerms([]byte(file.String()))
	if err != nil {
		return rightsFault(err)
	}
	change := rights.TermsChange{Was: was, Now: terms}
	payload, err := change.Payload()
	if err != nil {
		return err
	}
	return s.request(p, access.Request{Act: access.RetentionTerms, Object: "terms", Payload: payload, Reason: p.Form.Get("reason")}, "/retention")
}

// request asks for the second account.
func (s *Retention) request(p *Page, r access.Request, back string) error {
	err := p.Do(func(ctx context.Context) error {
		_, err := s.Door.Ask(ctx, p.In, r)
		return err
	})
	if err != nil {
		return rightsFault(err)
	}
	return p.Done(back, Note{Word: "retention.asked"})
}

// ask keeps what was chosen of the list of what is over, and asks for its approval.
func (s *Retention) ask(p *Page) error {
	r := rights.Removal{Why: rights.TermOver}
	for _, text := range p.Form.All("item") {
		class, unit, _ := strings.Cut(text, " ")
		id, err := registry.ParseID(unit)
		if err != nil {
			return errFields
		}
		if item := (rights.Due{Class: rights.Class(class), Unit: id}); !slices.Contains(r.Items, item) {
			r.Items = append(r.Items, item)
		}
	}
	if len(r.Items) == 0 {
		return BadForm("retention.nothing")
	}
	plan, err := s.Remover.Plan(p.Context(), r)
	if err != nil {
		return rightsFault(err)
	}
	if !p.Confirmed(len(plan.Items)) {
		c := Confirm{Says: sentences(s.tell(p, &plan)), Can: len(plan.Items), Path: "/retention/ask", Back: "/retention", Fields: map[string]string{"reason": p.Form.Get("reason")},
			Many: map[string][]string{"item": p.Form.All("item")}, Do: p.T("retention.do_ask")}
		if left := len(r.Items) - len(plan.Items); left > 0 {
			c.Cannot = []Reason{{p.T("retention.not_over"), left}}
		}
		return p.Confirm("retention.removal", c)
	}
	return s.keep(p, r)
}

// keep keeps a removal and asks for its approval.
func (s *Retention) keep(p *Page, r rights.Removal) error {
	err := p.Do(func(ctx context.Context) (err error) {
		r, err = s.Desk.KeepRemoval(ctx, p.Actor(), r)
		return err
	})
	if err != nil {
		return rightsFault(err)
	}
	return s.request(p, access.Request{Act: access.PersonErase, Object: r.ID, Reason: p.Form.Get("reason")}, "/removals/"+r.ID)
}

// removalData is what a removal would do: asked for, or not yet.
type removalData struct {
	ID      string      `json:"id,omitempty"` // empty: nobody asked for it yet
	Record  registry.ID `json:"record,omitzero"`
	Request string      `json:"request,omitempty"`
	By      string      `json:"by,omitempty"`
	At      time.Time   `json:"at,omitzero"`
	Plan    rights.Plan `json:"plan"`
	State   string      `json:"state,omitempty"` // of the approval

	Letter   string          `json:"letter,omitempty"`
	Changes  []template.HTML `json:"-"`
	Approval string          `json:"-"`
	Wanting  template.HTML   `json:"-"` // why nobody can ask for it now
	Asked    []askedRow      `json:"asked,omitempty"`
}

// approval is the request for a removal that this account may see; nil: there is none.
func (s *Retention) approval(p *Page, removal string) (*access.Approval, error) {
	all, err := s.Door.Approvals(p.Context(), p.In)
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if a.Act == access.PersonErase && a.Object == removal {
			return &a, nil
		}
	}
	return nil, nil
}

func (s *Retention) removal(p *Page) error {
	r, err := s.Desk.Removal(p.Context(), p.Param("removal"))
	if err != nil {
		return absent(err)
	}
	d := removalData{ID: r.ID, Request: r.Request, By: r.By, At: r.At}
	a, err := s.approval(p, r.ID)
	if err != nil {
		return err
	}
	if a != nil {
		d.State, d.Approval = string(a.State), a.ID
	}
	if a != nil && a.State != access.Waiting { // what was agreed to, and not what is left of it
		err = json.Unmarshal(a.Payload, &d.Plan)
	} else {
		d.Plan, err = s.Remover.Plan(p.Context(), r)
	}
	if err == nil {
		err = s.Desk.Read(p.Context(), p.Actor(), r.Units(), "retention")
	}
	if err != nil {
		return rightsFault(err)
	}
	d.Changes = s.tell(p, &d.Plan)
	return p.Show("retention_removal", "retention.removal", d)
}

// record is what the path of an erasure names, a person or a household, with the wish that
// it answers: the request or the letter that is named, or else the newest request of hers
// that waits and that another account wrote down.
func (s *Retention) record(p *Page, said Form) (rights.Removal, rights.Plan, error) {
	r := rights.Removal{Why: rights.AtWish, Request: said.Get("request"), Letter: said.Get("letter"), By: p.Actor().ID}
	id, err := registry.ParseID(p.Param("record"))
	if err != nil {
		return r, rights.Plan{}, ErrNotFound
	}
	r.Items = []rights.Due{{Class: rights.Records, Unit: id}}
	if r.Request == "" && r.Letter == "" {
		asked, err := s.Desk.Requests(p.Context(), id)
		if err != nil {
			return r, rights.Plan{}, rightsFault(err)
		}
		for _, q := range asked {
			if q.Open() && q.Demand == rights.Forget && (r.Request == "" || !access.SameAccount(q.By, r.By)) {
				r.Request = q.ID
			}
		}
	}
	plan, err := s.Remover.Plan(p.Context(), r)
	if err == nil && len(plan.Items) == 0 { // it is erased
		err = ErrNotFound
	}
	if err == nil {
		err = s.Desk.Read(p.Context(), p.Actor(), r.Units(), "erasure")
	}
	return r, plan, rightsFault(err)
}

// erasure says what an erasure would do, before anybody asks for it; and where nobody can,
// what is wanting.
func (s *Retention) erasure(p *Page) error {
	r, plan, err := s.record(p, p.Query)
	if err != nil {
		return err
	}
	d := removalData{Record: r.Items[0].Unit, Request: r.Request, Letter: r.Letter, Plan: plan, Changes: s.tell(p, &plan)}
	var refusal *rights.Refusal
	if err := s.Desk.Wished(p.Context(), r); errors.As(err, &refusal) {
		d.Wanting = p.Word("agreements.denied_", refusal.Code)
	} else if err != nil {
		return rightsFault(err)
	}
	d.Asked, err = p.waits(func(a *access.Approval) bool {
		var plan rights.Plan
		return a.Act == access.PersonErase && json.Unmarshal(a.Payload, &plan) == nil &&
			slices.ContainsFunc(plan.Items, func(item rights.Planned) bool { return item.Unit == d.Record })
	})
	if err != nil {
		return err
	}
	return p.Show("retention_removal", "retention.erasure", d)
}

func (s *Retention) erase(p *Page) error {
	r, _, err := s.record(p, p.Form)
	if err != nil {
		return err
	}
	return s.keep(p, r)
}

// tell says in words what a plan would do.
func (s *Retention) tell(p *Page, plan *rights.Plan) (tells []template.HTML) {
	count := map[string]int{}
	for _, item := range plan.Items {
		if item.Class == rights.Photos {
			count["photo"]++
		} else {
			count[string(item.Kind)]++
		}
	}
	for _, what := range []struct{ name, word string }{{"person", "retention.goes_people"}, {"household", "retention.goes_households"}, {"photo", "retention.goes_photos"}} {
		if n := count[what.name]; n > 0 {
			tells = append(tells, p.T(what.word, "count", n))
		}
	}
	switch {
	case plan.Why != rights.AtWish:
	case plan.Letter != "":
		tells = append(tells, p.T("retention.by_letter", "from", plan.From))
	case plan.Asked == nil: // whoever approves it knows that only who asks says so
		tells = append(tells, p.T("retention.no_request"))
	default:
		known := template.HTML("–")
		if plan.Asked.Known != "" {
			known = p.Word("rights.known_", plan.Asked.Known)
		}
		tells = append(tells, p.T("retention.at_wish", "by", plan.Asked.By, "at", plan.Asked.At, "known", known))
	}
	if n := len(plan.Households); n > 0 {
		tells = append(tells, p.T("retention.renewed", "count", n))
	}
	if l := plan.Left; l.Households > 0 {
		tells = append(tells, p.T("retention.left", "count", l.Households, "people", l.People, "adults", l.Adults, "cards", l.Cards, "due", l.Due))
	}
	if n := len(plan.Cards); n > 0 {
		tells = append(tells, p.T("retention.cards", "count", n))
	}
	if n := len(plan.Told); n > 0 {
		tells = append(tells, p.T("retention.told", "count", n, "names", strings.Join(plan.Told, ", ")))
	}
	if count["person"]+count["household"] > 0 {
		tells = append(tells, p.T("retention.stays"))
	}
	return tells
}

// Tell implements Teller. Whose records they are is named to who may read them.
func (s *Retention) Tell(p *Page, a access.Approval) ([]template.HTML, error) {
	switch a.Act {
	case access.RetentionTerms:
		var c rights.TermsChange
		if err := json.Unmarshal(a.Payload, &c); err != nil {
			return nil, err
		}
		var tells []template.HTML
		for _, class := range rights.Classes() {
			if c.Was[class] != c.Now[class] {
				tells = append(tells, p.T("retention.tell_term", "class", p.T("retention.class_"+string(class)), "was", c.Was[class], "days", c.Now[class]))
			}
		}
		return append(tells, p.T("retention.tell_terms")), nil
	case access.PersonErase:
		var plan rights.Plan
		if err := json.Unmarshal(a.Payload, &plan); err != nil {
			return nil, err
		}
		tells := s.tell(p, &plan)
		if a.State != access.Waiting || len(plan.Items) != 1 || plan.Items[0].Kind != registry.KindPerson || !p.May(string(access.PersonRead)) {
			return tells, nil
		}
		id := plan.Items[0].Unit
		who, err := s.Desk.Person(p.Context(), p.In.Actor(access.PersonRead), id, "approval")
		if err != nil {
			return nil, err
		}
		return append(tells, p.T("retention.tell_who", "name", called(id, &who))), nil
	}
	return nil, nil
}

// Reach implements Reacher.
func (s *Retention) Reach(a access.Approval) int {
	var plan rights.Plan
	if a.Act != access.PersonErase || json.Unmarshal(a.Payload, &plan) != nil {
		return 0
	}
	return len(plan.Items)
}

// Where implements Pointer.
func (s *Retention) Where(_ *Page, a access.Approval) string {
	if a.Act == access.PersonErase {
		return "/removals/" + a.Object
	}
	return ""
}
