package console

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/credential/cwt"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
)

// pairData is two records that may be one person, field by field, and what can be decided.
type pairData struct {
	*peopleData
	On           *records.Review
	Rows         []weighedRow
	Next, Before string // paths below Root; empty: none
	Asked        *access.Approval
	Last         *lastDecision
	Done, All    int // decided today by the account, of those and what waits
	SameDoes     template.HTML
	Soon         string // the day that is proposed
}

// A weighedRow is one field of both.
type weighedRow struct {
	Word   string
	A, B   template.HTML
	Says   []pairReason
	Equal  bool
	Silent bool // one of the two does not say it
}

// A pairReason is how something agrees, and how strongly that speaks.
type pairReason struct {
	Says, Speaks template.HTML
	Bar          int // from -3, for two people, to 3
}

// Width and Start place the bar of a reason about its middle.
func (r pairReason) Width() int { return 20 * max(r.Bar, -r.Bar) }
func (r pairReason) Start() int { return min(0, 20*r.Bar) }

// Programs implements forProgram.
func (d *pairData) Programs() any {
	a := besideAnswer{A: recordOf(d.peopleData, d.On.Newer), B: recordOf(d.peopleData, d.On.Older), pairView: viewOfPair(&d.On.Pair, d.On.State), Seen: d.On.Seen, Stops: len(d.On.Same.Cards), Two: d.On.Same.Two}
	for _, e := range d.On.Evidence {
		a.Evidence = append(a.Evidence, evidenceAnswer{e.Field, e.Level, float64(e.Bits)})
	}
	return a
}

// Reasons for which it can be put off.
func (d *pairData) Reasons() (list []choice) {
	for _, r := range registry.PostponeReasons() {
		list = append(list, choice{r, "doubles.later_" + r})
	}
	return list
}

// Waiting reports whether people can decide it now.
func (d *pairData) Waiting() bool {
	return d.On.Decided == "" && d.Asked == nil && d.On.Newer.Person.Status.Living() && d.On.Older.Person.Status.Living()
}

// Taken reports whether there is a decision to take back.
func (d *pairData) Taken() bool {
	return d.Asked == nil && (d.On.Decided == registry.Same || d.On.Decided == registry.Different)
}

// How says how far the pair is.
func (d *pairData) How() template.HTML { return d.state(&d.On.Pair, d.On.State) }

// Closed says why one of the two is not in use.
func (d *pairData) Closed() template.HTML {
	for _, s := range []*records.Sheet{d.On.Newer, d.On.Older} {
		if st := s.Person.Status; !st.Living() {
			return d.Say("closed", st.Reason)
		}
	}
	return ""
}

// Picture reports whether one of the two has a photograph.
func (d *pairData) Picture() bool {
	return len(d.On.Newer.Person.Photo)+len(d.On.Older.Person.Photo) > 0
}

// Fit says of two others that they may be one too.
func (d *pairData) Fit(two [2]records.Line) template.HTML {
	return d.p.T("doubles.fits", "one", lineText(&two[0]), "two", lineText(&two[1]))
}

// Touch says what was changed, of which record, and when.
func (d *pairData) Touch(t records.Touch) template.HTML {
	which := "people.older"
	if t.Newer {
		which = "people.newer"
	}
	return d.p.T("doubles.changed_line", "record", Said(which), "field", d.Field(t.Field), "at", t.At)
}

// rowFields are the fields of the evidence that each row is about.
var rowFields = map[string][]string{
	"people.field_names": {"given", "family", "between"}, "people.field_sex": {"sex"}, "people.field_birth": {"birth"}, "people.field_documents": {"document"},
	"people.field_contacts": {"phone", "email"}, "people.field_location": {"area", "place", "address"}, "people.field_household": {"household"},
}

// rows hold the two against each other, with what each field says.
func (d *pairData) rows() {
	two := &peopleData{p: d.p, now: d.now, Sheet: d.On.Newer, Other: d.On.Older}
	rows := two.Beside()
	place := besideRow{Word: "people.field_location"}
	for i, at := range d.On.Places {
		if text := d.Place(at); text != "" {
			*[]*template.HTML{&place.A, &place.B}[i] = d.p.T("people.code", "code", text)
		}
	}
	place.Equal = place.A == place.B
	at := slices.IndexFunc(rows, func(r besideRow) bool { return r.Word == "people.number" })
	rows = slices.Insert(rows, at, place)
	for _, r := range rows {
		row := weighedRow{Word: r.Word, A: r.A, B: r.B}
		for _, e := range d.On.Evidence {
			if slices.Contains(rowFields[r.Word], e.Field) {
				row.Says = append(row.Says, d.reason(e))
			}
		}
		if r.Word == "people.cards" {
			row.A, row.B = d.cards(d.On.Newer), d.cards(d.On.Older)
		}
		if row.A == "" && row.B == "" && len(row.Says) == 0 {
			continue
		}
		if compared := r.Word != "people.cards" && r.Word != "people.number" && r.Word != "people.household"; compared && len(row.Says) == 0 {
			row.Equal, row.Silent = r.Equal, (r.A == "") != (r.B == "")
		}
		d.Rows = append(d.Rows, row)
	}
	if a, b := d.dues(d.On.Newer), d.dues(d.On.Older); a != "" || b != "" {
		d.Rows = append(d.Rows, weighedRow{Word: "people.due", A: a, B: b})
	}
}

func (d *pairData) reason(e registry.Evidence) pairReason {
	r := pairReason{Says: d.p.reason(e), Speaks: d.p.speaks(e), Bar: strength(e.Bits)}
	if n := d.On.Has[e.Field]; e.Level == "same" && n == 2 {
		r.Says += ", " + d.p.T("doubles.only_two")
	} else if e.Level == "same" && n > 2 {
		r.Says += ", " + d.p.T("doubles.many_have", "count", n)
	}
	return r
}

// cards are those of a record that are not at their end.
func (d *pairData) cards(s *records.Sheet) template.HTML {
	var list []template.HTML
	for i := range s.Cards {
		if c := &s.Cards[i]; !c.Ended {
			list = append(list, d.p.T("doubles.card_until", "number", cwt.GroupCardNumber(c.CardNumber), "state", d.CardState(c), "until", d.Until(c)))
		}
	}
	if len(list) == 0 {
		return d.p.T("doubles.no_card")
	}
	return under(list)
}

// mostDues is how many rounds of each record are shown.
const mostDues = 6

// dues are what a record has in the newest rounds, and how far that is.
func (d *pairData) dues(s *records.Sheet) template.HTML {
	var list []template.HTML
	for _, e := range s.Due[:min(len(s.Due), mostDues)] {
		word := "doubles.due_line"
		if e.House {
			word = "doubles.due_house"
		}
		round := e.Programme + " " + e.Label
		if e.Plan.Name != "" {
			round = e.Plan.Name + " " + e.Label
		}
		list = append(list, d.p.T(word, "round", strings.TrimSpace(round), "state", d.Say("due", string(e.Status))))
	}
	return under(list)
}

// beside shows two records that may be of one person.
func (s *People) beside(p *Page) error {
	id, err := s.id(p, &aPerson)
	if err != nil {
		return err
	}
	other, err := registry.ParseID(p.Query.Get("other"))
	if err != nil { // of those that wait, the first
		sheet, err := s.Desk.Sheet(p.Context(), p.Actor(), id, registry.KindPerson)
		if err != nil {
			return s.fault(err)
		}
		if len(sheet.Doubles) == 0 {
			return p.Go("/people/" + id.String())
		}
		other = sheet.Doubles[0].ID
	}
	return s.pairPage(p, http.StatusOK, id, other, "")
}

// pairPage shows a pair, with what is wrong with a decision about it.
func (s *People) pairPage(p *Page, status int, a, b registry.ID, wrong template.HTML) error {
	review, err := s.Desk.Review(p.Context(), p.Actor(), a, b)
	if err != nil {
		return s.fault(err)
	}
	d := &pairData{peopleData: s.view(p, peopleData{Wrong: wrong, Record: review.A, Sheet: review.Newer}), On: review}
	d.rows()
	asked, err := s.askedPairs(p)
	if err != nil {
		return err
	}
	d.Asked = asked[keyOf(&review.Pair)]
	if d.Waits, err = s.waiting(p, review.A); err != nil {
		return err
	}
	q, err := s.Desk.Queue(p.Context(), p.Actor())
	if err != nil {
		return err
	}
	d.Next, d.Before = s.around(q.Open, &review.Pair, asked)
	d.Done, d.All = len(q.Mine), len(q.Mine)+q.Counts[registry.StateReview]+q.Counts[registry.StateTold]
	if d.Last, err = s.last(p, q.Mine, asked); err != nil {
		return err
	}
	now := s.Desk.Now().UTC()
	d.Soon = now.AddDate(0, 0, 7).Format(time.DateOnly)
	d.SameDoes = s.sameDoes(p, review)
	if p.program && wrong != "" {
		return ErrConflict
	}
	return p.show(status, "people_pair", p.T("people.pair_title"), d)
}

// sameDoes says before it is taken what the decision "one person" comes to.
func (s *People) sameDoes(p *Page, r *records.Review) template.HTML {
	if refusal, ok := errors.AsType[*registry.Refusal](r.SameErr); ok {
		return p.T("doubles.cannot", "why", refused(refusal))
	} else if r.SameErr != nil {
		return p.T("doubles.cannot", "why", Said("people.closed"))
	}
	parts := []template.HTML{p.T("doubles.closes")}
	after := r.Same.After
	if len(after.Revoke) > 1 {
		parts = append(parts, p.T("doubles.closes_house"))
	}
	if len(r.Same.Cards) > 0 {
		var numbers []string
		for _, n := range r.Same.Cards {
			numbers = append(numbers, cwt.GroupCardNumber(n))
		}
		parts = append(parts, p.T("people.plan_stops", "count", len(numbers), "cards", strings.Join(numbers, ", ")))
	} else {
		parts = append(parts, p.T("people.plan_stops_none"))
	}
	if after.Follow > 0 {
		parts = append(parts, p.T("doubles.carried", "count", after.Follow))
	} else if !slices.Contains(after.Decide, registry.DecideDue) {
		parts = append(parts, p.T("doubles.carried_none"))
	}
	parts = append(parts, s.todo(p, after))
	if r.Same.Two {
		parts = append(parts, p.T("people.plan_two"))
	}
	return sentences(parts)
}

// decideDouble takes a decision about a pair, puts it off, or takes one back. The next pair
// comes by itself.
func (s *People) decideDouble(p *Page) error {
	id, err := s.id(p, &aPerson)
	if err != nil {
		return err
	}
	decision := p.Form.Get("decision")
	if !slices.Contains([]string{records.Same, records.Different, records.Open, "later"}, decision) {
		return BadForm("people.same_or_not")
	}
	other, err := s.typed(p, p.Form.Get("other"), registry.KindPerson)
	if err != nil {
		return err
	}
	pair, err := s.Desk.Pair(p.Context(), id, other)
	if err != nil {
		return s.fault(err)
	}
	asked, err := s.askedPairs(p)
	if err != nil {
		return err
	}
	if wrong, err := s.meanwhile(p, &pair, decision, asked); err != nil {
		return err
	} else if wrong != "" {
		return s.pairPage(p, http.StatusConflict, id, other, wrong)
	}
	q, err := s.Desk.Queue(p.Context(), p.Actor())
	if err != nil {
		return err
	}
	next, _ := s.around(q.Open, &pair, asked)
	if next == "" {
		next = "/doubles"
	}
	t := turn{pair: pair, next: next}
	switch decision {
	case "later":
		return s.later(p, t)
	case records.Open:
		return s.takeBack(p, t, asked[keyOf(&pair)])
	}
	return s.settle(p, t, decision)
}

// A turn is a pair that is being decided, and where to go on.
type turn struct {
	pair registry.Pair
	next string
}

// meanwhile says what keeps a decision from being taken: that somebody has decided the pair,
// or that a record is not as it was seen.
func (s *People) meanwhile(p *Page, pair *registry.Pair, decision string, asked askedPairs) (template.HTML, error) {
	if decision == records.Open {
		return "", nil
	}
	if pair.Decided == registry.Same || pair.Decided == registry.Different {
		return p.T("doubles.meanwhile", "what", Said("doubles.was_"+pair.Decided), "by", pair.By), nil
	}
	if a := asked[keyOf(pair)]; a != nil {
		return p.T("doubles.meanwhile", "what", Said("doubles.state_asked"), "by", a.By), nil
	}
	if p.Form.Get("seen") == "" { // a program that goes by its dry run
		return "", nil
	}
	seen, err := s.Desk.Seen(p.Context(), pair.A, pair.B)
	if err != nil || seen == p.Form.Get("seen") {
		return "", s.fault(err)
	}
	return p.T("doubles.moved_on"), nil
}

// undo is the form that takes the decision about a pair back.
func undo(pair *registry.Pair) *Undo {
	return &Undo{Path: aPerson.path + "/" + pair.A.String() + "/double", Fields: map[string]string{"other": pair.B.String(), "decision": records.Open, "step": "1"}}
}

// later puts the decision off until a day.
func (s *People) later(p *Page, t turn) error {
	until, err := time.Parse(time.DateOnly, p.Form.Get("until"))
	if err != nil {
		return BadForm("doubles.bad_until")
	}
	err = p.Do(func(ctx context.Context) error {
		return s.Desk.Postpone(ctx, p.Actor(), t.pair.A, t.pair.B, until, p.Form.Get("because"))
	})
	if _, refused := errors.AsType[*registry.Refusal](err); refused {
		return BadForm("doubles.bad_until")
	}
	if err != nil {
		return s.fault(err)
	}
	who, err := s.both(p, &t.pair)
	if err != nil {
		return err
	}
	return p.Done(t.next, Note{Word: "doubles.did_later", Fill: []any{"until", p.Date(until), "who", who}, Undo: undo(&t.pair)})
}

func (s *People) both(p *Page, pair *registry.Pair) (string, error) {
	who, err := s.Desk.Lines(p.Context(), p.Actor(), access.Entry{Action: "person.find", Object: "registry", Detail: "decided"}, []registry.ID{pair.A, pair.B})
	return calledBoth(who), err
}

// settle says that two are one, or two.
func (s *People) settle(p *Page, t turn, decision string) error {
	c := records.Change{Kind: decision, Unit: t.pair.A, Others: []registry.ID{t.pair.B}}
	done, err := s.doPair(p, t, c)
	if done || err != nil {
		return err
	}
	who, err := s.both(p, &t.pair)
	if err != nil {
		return err
	}
	n := Note{Word: "doubles.did_" + decision, Fill: []any{"who", who, "todo", template.HTML("")}, Undo: undo(&t.pair)}
	return p.Done(t.next, n)
}

// doPair shows a decision that was not confirmed, asks for a second account where it needs
// one, and else takes it. done: the page was answered.
func (s *People) doPair(p *Page, t turn, c records.Change) (done bool, err error) {
	plan, err := s.Desk.Plan(p.Context(), p.Actor(), c)
	if err != nil {
		return true, s.fault(err)
	}
	at := aPerson.path + "/" + t.pair.A.String() + "/double"
	if !p.Confirmed(1) {
		return true, p.Confirm(changeWords[c.Kind], Confirm{Says: s.tellPlan(p, c, plan), Can: 1, Path: at, Back: pairPath(&t.pair),
			Fields: map[string]string{"other": t.pair.B.String(), "decision": c.Kind, "seen": p.Form.Get("seen")}, Do: p.T(changeWords[c.Kind])})
	}
	if !plan.Two {
		err = p.Do(func(ctx context.Context) error {
			_, _, err := s.Desk.Do(ctx, p.Actor(), c)
			return err
		})
		if errors.Is(err, registry.ErrConflict) { // between the look and the act
			pair, readErr := s.Desk.Pair(p.Context(), t.pair.A, t.pair.B)
			if readErr != nil {
				return true, s.fault(readErr)
			}
			return true, s.pairPage(p, http.StatusConflict, pair.A, pair.B, p.T("doubles.meanwhile", "what", Said("doubles.was_"+pair.Decided), "by", pair.By))
		}
		if !errors.Is(err, registry.ErrSecondPerson) { // since the plan was made
			return err != nil, s.fault(err)
		}
	}
	payload, err := s.Desk.Payload(p.Context(), p.Actor(), c)
	if err != nil {
		return true, s.fault(err)
	}
	err = p.Do(func(ctx context.Context) error {
		_, err := p.console.Door.Ask(ctx, p.In, access.Request{Act: access.PersonChange, Object: c.Unit.String(), Payload: payload, Reason: c.Reason})
		return err
	})
	if err != nil {
		return true, err
	}
	n := Note{Word: "doubles.did_asked", Fill: []any{"who", calledBoth(plan.About)}, Undo: undo(&t.pair)}
	return true, p.Done(t.next, n)
}

// takeBack opens a pair again: what waits for a second account is withdrawn, what was put off
// waits again, and what was done is undone.
func (s *People) takeBack(p *Page, t turn, asked *access.Approval) error {
	switch {
	case asked != nil && access.SameAccount(asked.By, p.In.Account.ID):
		err := p.Do(func(ctx context.Context) error {
			_, err := p.console.Door.Withdraw(ctx, p.In, asked.ID, "")
			return err
		})
		if err != nil {
			return err
		}
	case asked != nil:
		return s.pairPage(p, http.StatusConflict, t.pair.A, t.pair.B, p.T("doubles.meanwhile", "what", Said("doubles.state_asked"), "by", asked.By))
	case t.pair.Decided == "" && t.pair.Until.IsZero():
		return BadForm("doubles.nothing_back")
	default:
		t.next = pairPath(&t.pair)
		c := records.Change{Kind: records.Open, Unit: t.pair.A, Others: []registry.ID{t.pair.B}}
		if done, err := s.doPair(p, t, c); done || err != nil {
			return err
		}
	}
	who, err := s.both(p, &t.pair)
	if err != nil {
		return err
	}
	return p.Done(pairPath(&t.pair), Note{Word: "doubles.did_open", Fill: []any{"who", who}})
}
