package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
)

// somebody is a person or household as the operator's screen tells who is meant. It
// goes to the standard output alone: errors and logs name nobody.
type somebody struct {
	ID        string        `json:"id"`
	Kind      registry.Kind `json:"kind"`
	Name      string        `json:"name,omitempty"` // of a household: of its head, or the first member
	Number    string        `json:"number,omitempty"`
	List      string        `json:"list,omitempty"`
	Born      int           `json:"born,omitempty"` // year; 0: not known to the year
	Household string        `json:"household,omitempty"`
	House     string        `json:"household_number,omitempty"`
	Size      int           `json:"household_size,omitempty"`
	Closed    string        `json:"closed,omitempty"`    // why
	Cards     []string      `json:"cards"`               // numbers of those that are not at their end
	Undecided bool          `json:"undecided,omitempty"` // two people set a value of it at once: registry decide
}

// records is the desk at which staff work on one record, as the pages have it.
func (o *org) records() *records.Desk {
	return &records.Desk{Store: o.store, Country: o.entry.Country, Now: o.a.Now}
}

// who reads somebody for each id, and enters in the audit log that they were read.
func (o *org) who(ctx context.Context, ids ...registry.ID) ([]somebody, error) {
	e := access.Entry{Action: "record.read", Object: "registry", Detail: "who"}
	if len(ids) == 1 {
		e.Object = ids[0].String()
	}
	lines, err := o.records().Lines(ctx, o.a.actor(access.Registrar), e, ids)
	if err != nil {
		return nil, err
	}
	list := make([]somebody, len(lines))
	for i := range lines {
		list[i] = somebodyOf(&lines[i])
	}
	return list, nil
}

// readSomebody reads one, without her cards.
func readSomebody(v registry.View, id registry.ID) (somebody, error) {
	l, err := records.ReadLine(v, id)
	return somebodyOf(&l), err
}

func somebodyOf(l *records.Line) somebody {
	s := somebody{ID: l.ID.String(), Kind: l.Kind, Name: l.Name.Text, Number: l.Number, List: l.List, House: l.House, Size: l.Size, Closed: l.Closed,
		Cards: append([]string{}, l.Cards...), Undecided: l.Undecided}
	if l.Born != nil {
		s.Born, _ = l.Born.Year()
	}
	if !l.Household.IsZero() {
		s.Household = l.Household.String()
	}
	return s
}

// line tells who it is in one line, after the id.
func (s *somebody) line() string {
	var parts []string
	add := func(text string) {
		if text != "" {
			parts = append(parts, text)
		}
	}
	add(s.Name)
	if s.Number != "" {
		add(strings.TrimSpace(s.Number + " " + s.List))
	}
	if s.Born != 0 {
		add(fmt.Sprintf("born %d", s.Born))
	}
	switch {
	case s.Kind == registry.KindHousehold:
		add("household of " + plural(s.Size, "person", "people"))
	case s.Household != "":
		add(strings.Join(strings.Fields("household "+s.House+" of "+plural(s.Size, "person", "people")), " "))
	}
	if s.Closed != "" {
		add("closed: " + s.Closed)
	}
	if len(s.Cards) > 0 {
		add("card " + strings.Join(s.Cards, " "))
	}
	if s.Undecided {
		add("needs a decision")
	}
	return strings.Join(parts, ", ")
}

// called is an id with the number of its list, as people have it on paper.
func (o *org) called(ctx context.Context, ids ...registry.ID) (out []string, err error) {
	err = o.store.View(ctx, func(v registry.View) error {
		for _, id := range ids {
			rec, err := v.Record(id)
			if errors.Is(err, registry.ErrErased) || errors.Is(err, registry.ErrNotFound) {
				rec.ID, rec.External = id, ""
			} else if err != nil {
				return err
			}
			out = append(out, rec.Called())
		}
		return nil
	})
	return out, err
}

// A deskAct is an act that stops cards or cannot be undone, with whom it is about. It
// is told first, and done with --yes.
type deskAct struct {
	name  string
	about []registry.ID
	do    func(desk *registry.Registry) (done, error)
}

// done is what came of a deskAct.
type done struct {
	text   string
	result map[string]any
	after  registry.After
}

// act tells whom an act is about and what it would come to; with yes it does it.
func (a *app) act(ctx context.Context, yes bool, plan func(context.Context, *org) (deskAct, error)) error {
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	act, err := plan(ctx, o)
	if err != nil {
		return err
	}
	desk := o.desk(access.Registrar)
	if !yes {
		return o.preview(ctx, act, desk)
	}
	d, err := act.do(desk)
	if err != nil {
		return registryError(err)
	}
	left, err := o.leftToDo(ctx, d.after)
	if err != nil {
		return err
	}
	d.result["todo"] = left
	return a.print(d.result, func(w io.Writer) {
		fmt.Fprintln(w, d.text)
		left.write(w)
	})
}

// preview does an act in a transaction that is not kept, and tells of it.
func (o *org) preview(ctx context.Context, act deskAct, desk *registry.Registry) error {
	desk.Store = registry.Rehearsal(o.store)
	d, err := act.do(desk)
	two := errors.Is(err, registry.ErrSecondPerson) && desk.Actor.SecondPerson == ""
	if two {
		desk.Actor.SecondPerson = "preview" // nothing is kept of it
		d, err = act.do(desk)
	}
	if err != nil {
		return registryError(err)
	}
	about, err := o.who(ctx, act.about...)
	if err != nil {
		return err
	}
	left, err := o.leftToDo(ctx, d.after)
	if err != nil {
		return err
	}
	left.Stopped = 0 // it is none yet: see cards_that_stop
	var cards []string
	stopped, err := o.store.Cards(ctx, issuer.Selection{Units: append([]registry.ID{}, d.after.Revoke...), Active: true})
	if err != nil {
		return err
	}
	for _, c := range stopped {
		cards = append(cards, c.CardNumber)
	}
	result := map[string]any{"preview": act.name, "done": false, "about": about, "cards_that_stop": append([]string{}, cards...), "needs_second_person": two, "todo": left}
	return o.a.print(result, func(w io.Writer) {
		for i := range about {
			fmt.Fprintf(w, "%s  %s\n", about[i].ID, about[i].line())
		}
		if len(cards) > 0 {
			fmt.Fprintf(w, "%s would stop: %s\n", plural(len(cards), "card", "cards"), strings.Join(cards, " "))
		} else {
			fmt.Fprintln(w, "no card would stop")
		}
		left.write(w)
		tellNothingDone(w, two)
	})
}

func tellNothingDone(w io.Writer, two bool) {
	if two {
		fmt.Fprintln(w, "a second person is needed: --second-person ACCOUNT")
	}
	fmt.Fprintln(w, "nothing was done: add --yes")
}
