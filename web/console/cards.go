package console

import (
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"net/http"
	"slices"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/issuer"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/status"
)

// A FoundCard is a card, the number that its unit has in its list, and whose it is: zero
// where nobody is bound to it. The pages tell that to who may read such records.
type FoundCard struct {
	issuer.Card
	External string
	Holder   records.Line
}

// A CardsDesk finds cards and changes what they are worth. What is not there, or another
// organisation's, is issuer.ErrNotFound. What needs a second account and has none is
// issuer.ErrSecondPerson.
type CardsDesk interface {
	// Find returns the cards that a text may mean: a number, an identity, the text of a code,
	// a number in a list, words of a name; at most registry.MostFound of them. The log tells of whom.
	Find(ctx context.Context, org string, by access.Actor, text string) ([]FoundCard, error)
	// Picture returns the cards whose codes are on a picture; ErrUnread where there is none.
	Picture(ctx context.Context, org string, by access.Actor, picture io.Reader) ([]FoundCard, error)
	Card(ctx context.Context, org string, by access.Actor, id string) (FoundCard, []issuer.CardEvent, error)
	// Worth is when a card was put on hold, taken back into use and revoked, oldest first.
	Worth(ctx context.Context, org, id string) ([]issuer.StatusEvent, error)
	Select(ctx context.Context, org string, s issuer.Selection) ([]issuer.Card, error)
	// Batch is the selection of a batch's cards.
	Batch(ctx context.Context, org, id string) (issuer.Selection, error)
	// Set changes the status of cards, all or none: issuer.Desk.Bulk. More than
	// issuer.BulkLimit at once, or on one day of one account, need a second account.
	Set(ctx context.Context, org string, by access.Actor, p issuer.BulkPlan, reason string) error
	// Replaced reports whether a card was replaced for this reason already.
	Replaced(ctx context.Context, org, id, reason string) (bool, error)
	// Kin are the card in whose place one was made, and the one that was made in its place; nil
	// for none. Nothing of people is told, and the log tells of nobody.
	Kin(ctx context.Context, org, id string) (before, after *issuer.Card, err error)
	// Replace revokes a card and makes its successor in one step, and returns that. The same
	// again returns the same.
	Replace(ctx context.Context, org string, by access.Actor, id, reason string) (issuer.Credential, error)
	Programmes(ctx context.Context, org string) ([]registry.Programme, error)
}

// Cards are the pages on which cards are found, held, revoked and replaced.
type Cards struct {
	Desk CardsDesk
	Door *access.Door
	Now  func() time.Time
}

// A cardAct changes the status of cards.
type cardAct struct {
	name string
	act  access.Act
	to   status.Value
	done string // key of what a note says
	can  string // key of what a dry run says
	do   string // key of the button
}

var cardActs = []cardAct{
	{"suspend", access.CardSuspend, status.Suspended, "cards.was_suspended", "cards.can_suspend", "cards.suspend"},
	{"resume", access.CardResume, status.Valid, "cards.was_resumed", "cards.can_resume", "cards.resume"},
	{"revoke", access.CardRevoke, status.Invalid, "cards.was_revoked", "cards.can_revoke", "cards.revoke"},
}

// Routes implements Screen.
func (s *Cards) Routes() []Route {
	list := []Route{
		{Method: http.MethodGet, Path: "/cards", Act: access.CardFind, Menu: "cards.menu", Answer: Members(cardsData{}, "rows"), Handler: s.find},
		// A name or a whole card may be looked for: a POST leaves it in no address.
		{Method: http.MethodPost, Path: "/cards", Act: access.CardFind, Form: []Field{Text("q", 2000)}, Answer: Members(cardsData{}, "rows"), Handler: s.find},
		{Method: http.MethodPost, Path: "/cards/picture", Act: access.CardFind, Form: []Field{File("picture")}, Files: true, MaxBody: 12 << 20, Answer: Either(Members(cardsData{}, "rows"), Acted), Handler: s.picture},
		{Method: http.MethodGet, Path: "/cards/many", Act: access.CardSuspend, Query: []Field{Text("batch", 40), Text("job", 40)}, Answer: Members(cardsData{}, "batch", "job", "places"), Handler: s.choose},
		{Method: http.MethodGet, Path: "/cards/of/:card", Act: access.CardRead, Answer: Members(cardsData{}, "card", "events"), Handler: s.show},
		{Method: http.MethodPost, Path: "/cards/of/:card/replace", Act: access.CardReplace, Form: []Field{Text("reason", 80)}, Handler: s.replace},
	}
	for _, a := range cardActs {
		list = append(list,
			Route{Method: http.MethodPost, Path: "/cards/of/:card/" + a.name, Act: a.act, Form: []Field{Text("reason", 80)}, Handler: func(p *Page) error { return s.one(p, a) }},
			Route{Method: http.MethodPost, Path: "/cards/many/" + a.name, Act: a.act, Form: ConfirmFields(Text("batch", 40), Text("job", 40), Text("place", 40), Text("keep", 3), Text("reason", 80)),
				Handler: func(p *Page) error { return s.many(p, a) }})
	}
	return list
}

// waitingFor is how long an account is reminded of a card that it asked for, and that
// nobody has printed.
const waitingFor = 30 * 24 * time.Hour

// Needs are the new cards that wait to be printed, in the place of others, of who asked for
// them: the oldest first.
func (s *Cards) Needs(ctx context.Context, in *access.Session) ([]Need, error) {
	if !in.May(access.CardRead) || !in.May(access.BatchPrint) {
		return nil, nil
	}
	all, err := s.Door.Approvals(ctx, in)
	n := Need{Word: "cards.need_print"}
	for _, a := range all { // the newest first
		if a.Act != access.CardReissue || a.State != access.Carried || a.By != in.Account.ID || s.Now().Sub(a.Done) > waitingFor {
			continue
		}
		_, after, err := s.Desk.Kin(ctx, in.Account.Org, a.Object)
		if err != nil {
			return nil, deskFault(err)
		}
		if after != nil && s.fresh(after) {
			n.Count++
			n.Since, n.Path = a.Done, "/cards/of/"+after.ID.String()
		}
	}
	return []Need{n}, err
}

// fresh reports whether a card is good and on no paper: it may be printed.
func (s *Cards) fresh(c *issuer.Card) bool {
	return c.Status == status.Valid && c.State == issuer.Issued && c.ExpiresAt > credential.FromStd(s.Now()) && c.Paper == issuer.CardIssued
}

// Tell implements Teller.
func (s *Cards) Tell(p *Page, a access.Approval) ([]template.HTML, error) {
	switch a.Act {
	case access.CardMany:
		var m manyPayload
		if err := json.Unmarshal(a.Payload, &m); err != nil {
			return nil, err
		}
		for _, c := range cardActs {
			if c.to.String() == m.To {
				return m.tell(p, c), nil
			}
		}
	case access.CardReissue:
		var r replacePayload
		if err := json.Unmarshal(a.Payload, &r); err != nil {
			return nil, err
		}
		if !p.May(string(access.CardRead)) && !p.May(string(access.CardConfirm)) { // who reads the log reads no card
			return []template.HTML{p.T("cards.because", "reason", r.Reason), p.T("cards.vouch")}, nil
		}
		if a.State != access.Waiting && p.Param("approval") == "" { // in a list: nobody is read for it
			return []template.HTML{s.tellNumber(p, r.Card, r.Number), p.T("cards.because", "reason", r.Reason)}, nil
		}
		c, _, err := s.Desk.Card(p.Context(), p.Org(), p.Actor(), r.Card)
		if err != nil {
			return nil, deskFault(err)
		}
		return append(s.tellWhose(p, &c), p.T("cards.because", "reason", r.Reason), p.T("cards.vouch")), nil
	}
	return nil, nil
}

// Where is the card that a request is about, for who may read it.
func (s *Cards) Where(p *Page, a access.Approval) string {
	if a.Act != access.CardReissue && a.Act != access.CardMany || !p.May(string(access.CardRead)) {
		return ""
	}
	var of struct{ Card string } // of both payloads; empty where many cards are meant
	if json.Unmarshal(a.Payload, &of) != nil {
		return ""
	}
	if _, err := issuer.ParseCTI(of.Card); err != nil {
		return ""
	}
	return "/cards/of/" + of.Card
}

// tellNumber says which card is replaced.
func (s *Cards) tellNumber(p *Page, id, number string) template.HTML {
	says := template.HTML("<bdi>" + template.HTMLEscapeString(cwt.GroupCardNumber(number)) + "</bdi>")
	if _, err := issuer.ParseCTI(id); err == nil && p.May(string(access.CardRead)) {
		says = template.HTML(`<a href="` + Root + "/cards/of/" + id + `">` + string(says) + "</a>")
	}
	return p.T("cards.tell_replace", "number", says)
}

// tellWhose says which card is replaced and whose it is; on the page of the request with her
// picture, where there is one: who approves it vouches for her.
func (s *Cards) tellWhose(p *Page, c *FoundCard) []template.HTML {
	tells := []template.HTML{s.tellNumber(p, c.ID.String(), c.CardNumber)}
	who := p.holder(&c.Holder)
	if who == "" {
		return tells
	}
	word := "cards.tell_holder"
	if c.Holder.Kind == registry.KindHousehold {
		word = "cards.tell_house"
	}
	tells = append(tells, p.T(word, "name", who))
	if !c.Holder.Face.IsZero() && p.Param("approval") != "" && !p.program && p.May(string(access.PersonRead)) {
		tells = append(tells, template.HTML(`<img class="portrait" src="`+Root+"/media/"+c.Holder.Face.String()+`" alt="`+template.HTMLEscapeString(p.Plain("people.photo_of"))+`">`))
	}
	return tells
}

type cardsData struct {
	Rows   []cardRow   `json:"rows"`
	Asked  string      `json:"-"`
	Found  bool        `json:"-"` // somebody looked
	Card   cardRow     `json:"card"`
	Events []cardEvent `json:"events,omitempty"` // of the paper, and of what the card is worth
	Batch  string      `json:"batch,omitempty"`
	Job    string      `json:"job,omitempty"`

	Waits  []askedRow `json:"waits,omitempty"` // that a second account is asked to do to it
	Before *cardRow   `json:"-"`               // in whose place it was made
	After  *cardRow   `json:"-"`               // that was made in its place

	Places []placeChoice `json:"places,omitempty"`
	Acts   []cardButton  `json:"-"`
}

type cardRow struct {
	ID       string `json:"id"`
	Number   string `json:"number"`
	External string `json:"external,omitempty"`

	Holder    template.HTML `json:"-"` // empty: nobody, or not for the reader
	Unit      string        `json:"unit"`
	Type      string        `json:"type"`
	Programme string        `json:"programme"`
	Round     uint64        `json:"round"`
	Status    string        `json:"status"`
	Paper     string        `json:"paper"`
	From      time.Time     `json:"valid_from"`
	Until     time.Time     `json:"valid_until"`

	Says, PaperSays string `json:"-"` // keys
	Kin             string `json:"-"` // key: of the other card with its number; empty: there is none
	Revoked         bool   `json:"revoked"`
	Held            bool   `json:"held"`
	Fresh           bool   `json:"-"` // it may be printed
}

type cardEvent struct {
	Says   string    `json:"-"`
	Paper  string    `json:"paper,omitempty"`
	Status string    `json:"status,omitempty"`
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Second string    `json:"second,omitempty"` // who confirmed it
	Site   string    `json:"site,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

type cardButton struct{ Name, Word, Act string }

// paperSays are the keys of what became of the paper.
var paperSays = map[issuer.CardState]string{issuer.CardIssued: "cards.on_no_paper", issuer.CardPrinted: "cards.printed", issuer.CardHandedOver: "cards.handed_over",
	issuer.CardSpoiled: "cards.spoiled", issuer.CardUnclaimed: "cards.unclaimed", issuer.CardDestroyed: "cards.destroyed"}

// worthSays are the keys of what a card became worth.
var worthSays = map[status.Value]string{status.Suspended: "cards.is_held", status.Valid: "cards.back_in_use", status.Invalid: "cards.is_revoked"}

// holder links the record of a card's unit for who may read it; empty for others, and where
// there is none any more.
func (p *Page) holder(l *records.Line) template.HTML {
	act, path := access.PersonRead, "/people/"
	if l.Kind == registry.KindHousehold {
		act, path = access.HouseholdRead, "/households/"
	}
	if l.ID.IsZero() || l.Gone() || p.Scope() != nil || !p.May(string(act)) {
		return ""
	}
	name := l.Name.Text
	if name == "" {
		name = lineText(l)
	}
	return template.HTML(`<a href="` + Root + path + l.ID.String() + `"><bdi>` + template.HTMLEscapeString(name) + `</bdi></a>`)
}

// rows are cards that were found. Of two with one number for the same, which are alike on
// paper and by telephone, the revoked one and the other each say so.
func (s *Cards) rows(p *Page, found []FoundCard) (rows []cardRow) {
	for _, c := range found {
		r := s.row(p, c)
		for _, o := range found {
			alike := o.CardNumber == c.CardNumber && o.Type == c.Type && o.Programme == c.Programme && o.Round == c.Round
			switch gone := o.Status == status.Invalid; {
			case alike && r.Revoked && !gone:
				r.Kin = "cards.kin_after"
			case alike && gone && !r.Revoked:
				r.Kin = "cards.kin_before"
			}
		}
		rows = append(rows, r)
	}
	return rows
}

func (s *Cards) row(p *Page, c FoundCard) cardRow {
	r := cardRow{Holder: p.holder(&c.Holder), ID: c.ID.String(), Number: cwt.GroupCardNumber(c.CardNumber), External: c.External, Unit: c.Unit.String(), Type: c.Type, Programme: c.Programme, Round: c.Round,
		Status: c.Status.String(), Paper: string(c.Paper), Until: c.ExpiresAt.Std(), PaperSays: paperSays[c.Paper]}
	if c.IssuedAt != 0 {
		r.From = c.IssuedAt.Std()
	}
	switch {
	case c.Status == status.Invalid:
		r.Says, r.Revoked = "cards.is_revoked", true
	case c.ExpiresAt <= credential.FromStd(s.Now()):
		r.Says = "cards.is_over"
	case c.Status == status.Suspended:
		r.Says, r.Held = "cards.is_held", true
	case c.State != issuer.Issued:
		r.Says = "cards.is_unsigned"
	default:
		r.Says, r.Fresh = "cards.is_good", c.Paper == issuer.CardIssued
	}
	return r
}

func (s *Cards) find(p *Page) error {
	d := cardsData{Asked: p.Form.Get("q")}
	if d.Asked != "" {
		found, err := s.Desk.Find(p.Context(), p.Org(), p.Actor(), d.Asked)
		if err != nil {
			return deskFault(err)
		}
		d.Rows, d.Found = s.rows(p, found), true
	}
	return p.Show("cards", "cards.title", d)
}

// picture is find by a photograph of a card: a phone's camera takes it, without script.
func (s *Cards) picture(p *Page) error {
	f, _, err := p.File("picture")
	if err != nil {
		return err
	}
	if f == nil {
		return ErrUnread
	}
	defer f.Close()
	found, err := s.Desk.Picture(p.Context(), p.Org(), p.Actor(), f)
	if err != nil {
		return deskFault(err)
	}
	if len(found) == 1 {
		return p.Go("/cards/of/" + found[0].ID.String())
	}
	d := cardsData{Rows: s.rows(p, found), Found: true}
	return p.Show("cards", "cards.title", d)
}

func (s *Cards) card(p *Page) (FoundCard, []issuer.CardEvent, error) {
	c, events, err := s.Desk.Card(p.Context(), p.Org(), p.Actor(), p.Param("card"))
	return c, events, deskFault(err)
}

func (s *Cards) show(p *Page) error {
	c, events, err := s.card(p)
	if err != nil {
		return err
	}
	d := cardsData{Card: s.row(p, c)}
	before, after, err := s.Desk.Kin(p.Context(), p.Org(), d.Card.ID)
	if err != nil {
		return deskFault(err)
	}
	if before != nil {
		r := s.row(p, FoundCard{Card: *before})
		d.Before = &r
	}
	if after != nil {
		r := s.row(p, FoundCard{Card: *after})
		d.After = &r
	}
	for _, e := range events {
		d.Events = append(d.Events, cardEvent{Says: paperSays[e.Paper], Paper: string(e.Paper), At: e.At, By: e.By, Site: e.Site, Reason: e.Reason})
	}
	worth, err := s.Desk.Worth(p.Context(), p.Org(), d.Card.ID)
	if err != nil {
		return deskFault(err)
	}
	for _, e := range worth {
		d.Events = append(d.Events, cardEvent{Says: worthSays[e.Status], Status: e.Status.String(), At: e.At, By: e.By, Second: e.Second, Reason: e.Reason})
	}
	slices.SortStableFunc(d.Events, func(a, b cardEvent) int { return a.At.Compare(b.At) })
	if d.Waits, err = p.asked(d.Card.ID, access.CardReissue, access.CardMany); err != nil {
		return err
	}
	return p.Show("cards_show", "cards.one", d, "number", d.Card.Number)
}

// one changes a single card.
func (s *Cards) one(p *Page, a cardAct) error {
	c, _, err := s.card(p)
	if err != nil {
		return err
	}
	if p.Form.Get("reason") == "" {
		return BadForm("cards.why")
	}
	plan := issuer.PlanBulk([]issuer.Card{c.Card}, a.to, false, credential.FromStd(s.Now()))
	if len(plan.Can) == 0 {
		return ErrConflict
	}
	reason := p.Form.Get("reason")
	err = p.Do(func(ctx context.Context) error { return s.Desk.Set(ctx, p.Org(), p.Actor(), plan, reason) })
	if errors.Is(err, issuer.ErrSecondPerson) && p.May(string(access.CardMany)) {
		return s.askMany(p, manyPayload{To: a.to.String(), Reason: reason, Card: c.ID.String()}, []issuer.Card{c.Card}, plan, "/cards/of/"+c.ID.String())
	}
	if err != nil {
		return deskFault(err)
	}
	n := Note{Word: a.done, Fill: []any{"count", 1}}
	if a.to == status.Suspended && p.May(string(access.CardResume)) {
		n.Undo = &Undo{Path: "/cards/of/" + c.ID.String() + "/resume", Fields: map[string]string{"reason": "undo"}}
	}
	return p.Done("/cards/of/"+c.ID.String(), n)
}

// replace makes the successor of a card at once where the desk has the old one in its
// hands, and asks for a second account, who vouches for the holder, where it has not.
func (s *Cards) replace(p *Page) error {
	c, _, err := s.card(p)
	if err != nil {
		return err
	}
	reason, id := p.Form.Get("reason"), c.ID.String()
	if reason == "" {
		return BadForm("cards.why")
	}
	if c.Status == status.Invalid {
		return errFinal
	}
	made, err := issuer.Credential{}, issuer.ErrSecondPerson
	if reason == issuer.ReasonSpoiled {
		err = p.Do(func(ctx context.Context) (err error) {
			made, err = s.Desk.Replace(ctx, p.Org(), p.Actor(), id, reason)
			return err
		})
	}
	if errors.Is(err, issuer.ErrSecondPerson) {
		payload, err := json.Marshal(replacing(&c.Card, reason))
		if err != nil {
			return err
		}
		return s.ask(p, access.Request{Act: access.CardReissue, Object: id, Payload: payload, Reason: reason}, "/cards/of/"+id)
	}
	if err != nil {
		return deskFault(err)
	}
	return p.Done("/cards/of/"+made.ID.String(), Note{Word: "cards.was_replaced"})
}

func (s *Cards) ask(p *Page, r access.Request, back string) error {
	err := p.Do(func(ctx context.Context) error {
		_, err := s.Door.Ask(ctx, p.In, r)
		return err
	})
	if err != nil {
		return err
	}
	return p.Done(back, Note{Word: "cards.asked"})
}

// choose says which cards an act on many is for.
func (s *Cards) choose(p *Page) error {
	d := cardsData{Batch: p.Query.Get("batch"), Job: p.Query.Get("job")}
	all, err := s.Desk.Programmes(p.Context(), p.Org())
	if err != nil {
		return deskFault(err)
	}
	for _, one := range all {
		d.Places = append(d.Places, placesOf(one)...)
	}
	for _, a := range cardActs {
		if p.May(string(a.act)) {
			d.Acts = append(d.Acts, cardButton{a.name, a.do, "/desk/cards/many/" + a.name})
		}
	}
	return p.Show("cards_many", "cards.many", d)
}

// many changes all cards of a selection that can be: first it says how many. More than
// issuer.BulkLimit wait for a second account.
func (s *Cards) many(p *Page, a cardAct) error {
	reason := p.Form.Get("reason")
	if reason == "" {
		return BadForm("cards.why")
	}
	m := manyPayload{To: a.to.String(), Reason: reason, Batch: p.Form.Get("batch"), Job: p.Form.Get("job"), Place: p.Form.Get("place"), Keep: p.Form.Get("keep") != ""}
	cards, err := m.cards(p.Context(), p.Org(), s.Desk)
	if err != nil {
		return deskFault(err)
	}
	plan := issuer.PlanBulk(cards, a.to, m.Keep, credential.FromStd(s.Now()))
	n := len(plan.Can)
	if !p.Confirmed(n) {
		c := Confirm{Says: p.T(a.can, "count", n, "total", plan.Total), Can: n, Path: "/cards/many/" + a.name, Back: "/cards/many",
			Fields: p.fields("batch", "job", "place", "keep", "reason"), Do: p.T(a.do)}
		if plan.HandedOver > 0 {
			c.Cannot = append(c.Cannot, Reason{p.T("cards.of_them_handed_over"), plan.HandedOver})
		}
		if plan.Already > 0 {
			c.Cannot = append(c.Cannot, Reason{p.T("cards.already"), plan.Already})
		}
		for _, r := range plan.Cannot {
			c.Cannot = append(c.Cannot, Reason{p.cannot(r.Why), r.Count})
		}
		return p.Confirm("cards.many", c)
	}
	err = p.Do(func(ctx context.Context) error { return s.Desk.Set(ctx, p.Org(), p.Actor(), plan, reason) })
	if errors.Is(err, issuer.ErrSecondPerson) && p.May(string(access.CardMany)) {
		if n > issuer.BulkLimit && a.to == status.Invalid && plan.Active > 0 && !issuer.AtOnce(reason) {
			return errSuspendFirst // nobody is asked for what would be refused
		}
		return s.askMany(p, m, cards, plan, "/cards/many")
	}
	if err != nil {
		return deskFault(err)
	}
	return p.Done("/cards/many", Note{Word: a.done, Fill: []any{"count", n}})
}

// cannotWords say why a card cannot be changed.
var cannotWords = map[string]string{
	issuer.CannotUnsigned: "cards.cannot_unsigned", issuer.CannotRevoked: "cards.cannot_revoked", issuer.CannotExpired: "cards.cannot_expired",
	issuer.CannotUnbound: "cards.cannot_unbound", issuer.CannotHanded: "cards.cannot_handed",
}

func (p *Page) cannot(why string) template.HTML {
	if word := cannotWords[why]; word != "" {
		return p.T(word)
	}
	return p.T("cards.cannot", "why", why)
}
