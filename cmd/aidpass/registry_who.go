package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"aidpass/access"
	"aidpass/issuer"
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
	Closed    string        `json:"closed,omitempty"` // why
	Cards     []string      `json:"cards"`            // numbers of those that are not at their end
}

// who reads somebody for each id, and enters in the audit log that it was read.
func (o *org) who(ctx context.Context, ids ...registry.ID) ([]somebody, error) {
	list := make([]somebody, len(ids))
	err := o.store.View(ctx, func(v registry.View) error {
		for i, id := range ids {
			var err error
			if list[i], err = readSomebody(v, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || len(ids) == 0 {
		return list, err
	}
	cards, err := o.store.Cards(ctx, issuer.Selection{Units: ids, Active: true})
	if err != nil {
		return nil, err
	}
	for _, c := range cards {
		if i := slices.Index(ids, c.Unit); i >= 0 {
			list[i].Cards = append(list[i].Cards, c.CardNumber)
		}
	}
	for _, id := range ids {
		if err := o.store.Note(ctx, o.a.actor(access.Registrar), access.Entry{Action: "record.read", Object: id.String(), Detail: "who"}); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func readSomebody(v registry.View, id registry.ID) (s somebody, err error) {
	s = somebody{ID: id.String(), Cards: []string{}}
	rec, err := v.Record(id)
	if errors.Is(err, registry.ErrErased) {
		s.Closed = "erased"
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.Kind, s.Number, s.List = rec.Kind, rec.External, rec.Source
	switch rec.Kind {
	case registry.KindPerson:
		p, err := rec.Person()
		if err != nil {
			return s, err
		}
		s.person(p)
		s.close(p.Status)
		if rec.Household.IsZero() {
			return s, nil
		}
		home, err := readSomebody(v, rec.Household)
		s.Household, s.House, s.Size = home.ID, home.Number, home.Size
		return s, err
	case registry.KindHousehold:
		h, err := rec.HouseholdRecord()
		if err != nil {
			return s, err
		}
		s.Size = h.Size
		s.close(h.Status)
		members, err := v.Members(id)
		if err != nil {
			return s, err
		}
		living := 0
		for _, m := range members {
			rec, err := v.Record(m)
			if errors.Is(err, registry.ErrErased) {
				continue
			}
			if err != nil {
				return s, err
			}
			p, err := rec.Person()
			if err != nil {
				return s, err
			}
			if !p.Status.Living() {
				continue
			}
			if living++; living == 1 || m.String() == h.Head || h.Head == "" && p.Relation == registry.Head {
				s.person(p)
			}
		}
		if s.Size == 0 {
			s.Size = living
		}
	}
	return s, nil
}

func (s *somebody) person(p registry.Person) {
	s.Name = shownName(p)
	s.Born = 0
	if p.Birth != nil {
		s.Born, _ = p.Birth.Year()
	}
}

func (s *somebody) close(status *registry.Status) {
	if !status.Living() {
		s.Closed = status.Reason
	}
}

func shownName(p registry.Person) string {
	if len(p.Names) == 0 {
		return ""
	}
	return p.Names[0].Text
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
