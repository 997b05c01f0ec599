package console

import (
	"context"
	"errors"
	"html/template"
	"slices"
	"strings"

	"aidpass/access"
	"aidpass/credential/cwt"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
)

// change shows what a change would come to, and does it when that was confirmed. One
// that needs a second account goes to the approvals instead.
func (s *People) change(p *Page, k *recordKind, c records.Change, fields map[string]string, many map[string][]string) error {
	plan, err := s.Desk.Plan(p.Context(), p.Actor(), c)
	if err != nil {
		return s.fault(err)
	}
	back := k.path + "/" + c.Unit.String()
	if !p.Confirmed(1) {
		return p.Confirm(changeWords[c.Kind], Confirm{Says: s.tellPlan(p, c, plan), Can: 1, Path: strings.TrimPrefix(p.Path(), Root), Back: back, Fields: fields, Many: many, Do: p.T(changeWords[c.Kind])})
	}
	if plan.Two || c.Kind == records.Alive {
		return s.askTwo(p, c, back)
	}
	var after registry.After
	next := c.Unit
	err = p.Do(func(ctx context.Context) error {
		after, next, err = s.Desk.Do(ctx, p.Actor(), c)
		return err
	})
	if errors.Is(err, registry.ErrSecondPerson) { // since the plan was made
		return s.askTwo(p, c, back)
	}
	if err != nil {
		return s.fault(err)
	}
	return p.Done(k.path+"/"+next.String(), Note{Word: "people.done", Fill: []any{"todo", s.todo(p, after)}})
}

// askTwo asks for the second account of a change.
func (s *People) askTwo(p *Page, c records.Change, back string) error {
	payload, err := s.Desk.Payload(p.Context(), p.Actor(), c)
	if err != nil {
		return err
	}
	err = p.Do(func(ctx context.Context) error {
		_, err := p.console.Door.Ask(ctx, p.In, access.Request{Act: access.PersonChange, Object: c.Unit.String(), Payload: payload, Reason: c.Reason})
		return err
	})
	if err != nil {
		return err
	}
	return p.Done(back, Note{Word: "people.asked"})
}

// tellPlan says what a change would do: to whom, which cards stop, what is left to do.
func (s *People) tellPlan(p *Page, c records.Change, plan records.Plan) template.HTML {
	parts := []template.HTML{s.tellWho(p, c, plan.About)}
	if len(plan.Cards) > 0 {
		var numbers []string
		for _, n := range plan.Cards {
			numbers = append(numbers, cwt.GroupCardNumber(n))
		}
		parts = append(parts, p.T("people.plan_stops", "count", len(numbers), "cards", strings.Join(numbers, ", ")))
	} else {
		parts = append(parts, p.T("people.plan_stops_none"))
	}
	if plan.After.Follow > 0 {
		parts = append(parts, p.T("doubles.carried", "count", plan.After.Follow))
	}
	parts = append(parts, s.todo(p, plan.After))
	if plan.Two || c.Kind == records.Alive {
		parts = append(parts, p.T("people.plan_two"))
	}
	return sentences(parts)
}

// tellWho says what a change is, and whom it names.
func (s *People) tellWho(p *Page, c records.Change, about []records.Line) template.HTML {
	called := func(id registry.ID) string {
		for i := range about {
			if about[i].ID == id {
				return lineText(&about[i])
			}
		}
		return id.String()
	}
	names := func(ids []registry.ID) string {
		var list []string
		for _, id := range ids {
			list = append(list, called(id))
		}
		return strings.Join(list, ", ")
	}
	collector := ""
	if c.Collector != nil {
		if collector = c.Collector.External; collector == "" {
			if id, err := registry.ParseID(c.Collector.Person); err == nil {
				collector = called(id)
			}
		}
	}
	word := tellWords[c.Kind]
	if c.Kind == records.Move && len(c.Others) == 0 {
		word = "people.tell_move_out"
	}
	return p.T(word, "who", called(c.Unit), "others", names(c.Others), "on", p.Day(c.On), "collector", collector)
}

// lineText is somebody in a sentence: her name and number.
func lineText(l *records.Line) string {
	text := strings.TrimSpace(l.Name.Text + " " + l.Number)
	if text == "" {
		text = l.ID.String()
	}
	return text
}

// todo says what a change leaves to people.
func (s *People) todo(p *Page, after registry.After) template.HTML {
	var parts []template.HTML
	if len(after.Stale) > 0 {
		parts = append(parts, p.T("people.todo_stale", "count", len(after.Stale)))
	}
	if len(after.Ask) > 0 {
		parts = append(parts, p.T("people.todo_ask", "count", len(after.Ask)))
	}
	for _, code := range after.Decide {
		if w := todoWords[code]; w != "" {
			parts = append(parts, p.T(w))
		}
	}
	return sentences(parts)
}

// sentences puts what T made one after the other.
func sentences(parts []template.HTML) (all template.HTML) {
	for _, s := range parts {
		if s != "" && all != "" {
			all += " "
		}
		all += s
	}
	return all
}

// Tell says what an approval of a change would do.
func (s *People) Tell(p *Page, a access.Approval) ([]template.HTML, error) {
	if a.Act != access.PersonChange {
		return nil, nil
	}
	c, err := records.ReadChange(a.Payload)
	if err != nil {
		return nil, err
	}
	if !p.May(string(access.PersonRead)) {
		return tellRecords(p, c), nil
	}
	if a.State != access.Waiting { // what it would do now is not what it did
		about, err := s.Desk.Told(p.Context(), p.Actor(), c)
		return []template.HTML{s.tellWho(p, c, about)}, s.fault(err)
	}
	plan, err := s.Desk.Plan(p.Context(), p.Actor(), c)
	if err != nil {
		return nil, s.fault(err)
	}
	says := []template.HTML{s.tellPlan(p, c, plan)}
	if ofPair(c) {
		pair, err := s.Desk.Pair(p.Context(), c.Unit, c.Others[0])
		if err != nil {
			return nil, s.fault(err)
		}
		for _, e := range pair.Evidence {
			says = append(says, p.reason(e)+". "+p.speaks(e)+".")
		}
	}
	return says, nil
}

// Where is the record that a change is about, for who may read it.
func (s *People) Where(p *Page, a access.Approval) string {
	if a.Act != access.PersonChange {
		return ""
	}
	c, err := records.ReadChange(a.Payload)
	if err != nil {
		return ""
	}
	k := &aPerson
	if ofPair(c) && p.May(string(access.PersonHistory)) { // both, with the reasons
		return k.path + "/" + c.Unit.String() + "/double?other=" + c.Others[0].String()
	}
	if c.Of() == registry.KindHousehold {
		k = &aHousehold
	}
	if !p.May(string(k.read)) {
		return ""
	}
	return k.path + "/" + c.Unit.String()
}

// waiting are the open requests for changes that name a record.
func (s *People) waiting(p *Page, id registry.ID) ([]askedRow, error) {
	return p.waits(func(a *access.Approval) bool {
		if a.Act != access.PersonChange {
			return false
		}
		c, err := records.ReadChange(a.Payload)
		return err == nil && slices.Contains(c.About(), id)
	})
}

// tellRecords says of a change what an account is told that reads the log and no record:
// what is done to how many records, and their ids. No name, day, number or card.
func tellRecords(p *Page, c records.Change) []template.HTML {
	ids := []string{c.Unit.String()}
	for _, id := range c.Others {
		ids = append(ids, id.String())
	}
	if c.Collector != nil && c.Collector.Person != "" {
		ids = append(ids, c.Collector.Person)
	}
	return []template.HTML{p.T(changeWords[c.Kind]), p.T("people.tell_records", "count", len(ids), "records", strings.Join(ids, ", "))}
}

func (s *People) died(p *Page) error {
	id, err := s.id(p, &aPerson)
	if err != nil {
		return err
	}
	return s.change(p, &aPerson, records.Change{Kind: records.Died, Unit: id, On: p.Form.Get("on")}, map[string]string{"on": p.Form.Get("on")}, nil)
}

func (s *People) alive(p *Page) error {
	id, err := s.id(p, &aPerson)
	if err != nil {
		return err
	}
	reason := p.Form.Get("reason")
	if reason == "" {
		return BadForm("people.why_needed")
	}
	return s.change(p, &aPerson, records.Change{Kind: records.Alive, Unit: id, Reason: reason}, map[string]string{"reason": reason}, nil)
}

// move takes one person into another household, or out of hers.
func (s *People) move(p *Page) error {
	id, err := s.id(p, &aPerson)
	if err != nil {
		return err
	}
	c := records.Change{Kind: records.Move, Unit: id, Relation: p.Form.Get("relation")}
	if text := p.Form.Get("household"); text != "" {
		house, err := s.called(p, text, registry.KindHousehold)
		if err != nil {
			return err
		}
		c.Others = []registry.ID{house}
	}
	fields := map[string]string{"relation": c.Relation, "household": ""}
	if len(c.Others) > 0 {
		fields["household"] = c.Others[0].String()
	}
	return s.change(p, &aPerson, c, fields, nil)
}

func (s *People) split(p *Page) error {
	id, err := s.id(p, &aHousehold)
	if err != nil {
		return err
	}
	c := records.Change{Kind: records.Split, Unit: id, Renew: p.Form.Get("renew") == "yes"}
	for _, text := range p.Form.All("leaving") {
		who, err := s.typed(p, text, registry.KindPerson)
		if err != nil {
			return err
		}
		c.Others = append(c.Others, who)
	}
	if len(c.Others) == 0 {
		return BadForm("people.nobody_leaves")
	}
	if c.Head, err = s.head(p); err != nil {
		return err
	}
	return s.change(p, &aHousehold, c, map[string]string{"head": p.Form.Get("head"), "renew": p.Form.Get("renew")}, map[string][]string{"leaving": p.Form.All("leaving")})
}

// head is whom relations will speak of, where somebody is named.
func (s *People) head(p *Page) (registry.ID, error) {
	if p.Form.Get("head") == "" {
		return registry.ID{}, nil
	}
	return s.typed(p, p.Form.Get("head"), registry.KindPerson)
}

func (s *People) merge(p *Page) error {
	id, err := s.id(p, &aHousehold)
	if err != nil {
		return err
	}
	c := records.Change{Kind: records.Merge, Unit: id}
	other, err := s.called(p, p.Form.Get("other"), registry.KindHousehold)
	if err != nil {
		return err
	}
	c.Others = []registry.ID{other}
	if c.Head, err = s.head(p); err != nil {
		return err
	}
	return s.change(p, &aHousehold, c, map[string]string{"other": other.String(), "head": p.Form.Get("head")}, nil)
}

// called is the one record of a kind that a form names by a number or card.
func (s *People) called(p *Page, text string, kind registry.Kind) (registry.ID, error) {
	if text == "" {
		return registry.ID{}, BadForm("people.no_such")
	}
	ids, err := s.Desk.Numbered(p.Context(), text, kind)
	if err != nil {
		return registry.ID{}, s.fault(err)
	}
	if len(ids) != 1 {
		return registry.ID{}, BadForm("people.no_such")
	}
	return ids[0], nil
}

func (s *People) collector(p *Page) error {
	id, err := s.id(p, &aHousehold)
	if err != nil {
		return err
	}
	f := p.Form
	c := registry.Collector{External: f.Get("external"), Role: f.Get("role"), From: f.Get("from"), To: f.Get("to")}
	if c.Role == "" {
		c.Role = registry.Alternate
	}
	if text := f.Get("person"); text != "" {
		who, err := s.called(p, text, registry.KindPerson)
		if err != nil {
			return err
		}
		c.Person = who.String()
	}
	return s.change(p, &aHousehold, records.Change{Kind: records.Collect, Unit: id, Collector: &c},
		map[string]string{"person": c.Person, "external": c.External, "role": c.Role, "from": c.From, "to": c.To}, nil)
}

func (s *People) collectorEnd(p *Page) error {
	id, err := s.id(p, &aHousehold)
	if err != nil {
		return err
	}
	who := p.Form.Get("who")
	if who == "" {
		return BadForm("people.no_such")
	}
	c := records.Change{Kind: records.CollectEnd, Unit: id, Collector: &registry.Collector{External: who}}
	if person, err := registry.ParseID(who); err == nil {
		c.Collector = &registry.Collector{Person: person.String()}
	}
	if c.AskedBy, err = s.typed(p, p.Form.Get("asked_by"), registry.KindPerson); err != nil {
		return err
	}
	return s.change(p, &aHousehold, c, map[string]string{"who": who, "asked_by": p.Form.Get("asked_by")}, nil)
}
