package console

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"aidpass/access"
	"aidpass/credential/cwt"
	"aidpass/issuer"
	"aidpass/issuer/print"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
)

// A HandoutsDesk knows whose each printed card is. Batches that are not there, or another
// organisation's, are issuer.ErrNoProposal, print jobs issuer.ErrNoJob.
type HandoutsDesk interface {
	// Log is the print log, newest first; id empty: all of it.
	Log(ctx context.Context, org, id string) ([]issuer.PrintJob, error)
	// Batch is the selection of a batch's cards.
	Batch(ctx context.Context, org, id string) (issuer.Selection, error)
	// HandOut is whose each card of a print job, or else of a batch, is: in the order of the
	// paper, what is not printed last. The log tells why it was read, and about whom. Past
	// access.HandOuts of an account on a day it is access.ErrSpent.
	HandOut(ctx context.Context, org string, by access.Actor, job, batch, reason string) ([]HandRow, error)
}

// A HandRow is a card on paper and who gets it.
type HandRow struct {
	Card issuer.Card
	records.Holder
}

// Handouts are the pages from which those who hand out cards learn which sheet goes to whom.
type Handouts struct{ Desk HandoutsDesk }

// mostHanded is how many lines the screen has; the paper has them all.
const mostHanded = 300

// Routes implements Screen. The list is a POST: a reason stands in no address, and it is
// in the log each time.
func (s *Handouts) Routes() []Route {
	form := []Field{Text("reason", 80), Text("on", 8), Text("paper", 10), Text("lang", 8)}
	answer := Members(handData{}, "job", "batch", "cards", "lines")
	return []Route{
		{Method: http.MethodGet, Path: "/handouts", Act: access.BatchHandOut, Menu: "handouts.menu", Paged: true, Answer: Members(handData{}, "rows", "paging"), Handler: s.list},
		{Method: http.MethodGet, Path: "/handouts/of/:print", Act: access.BatchHandOut, Answer: answer, Handler: s.ask},
		{Method: http.MethodPost, Path: "/handouts/of/:print", Act: access.BatchHandOut, Form: form, Answer: Either(answer, Sends("application/pdf")), Handler: s.give},
		{Method: http.MethodGet, Path: "/handouts/batch/:batch", Act: access.BatchHandOut, Answer: answer, Handler: s.ask},
		{Method: http.MethodPost, Path: "/handouts/batch/:batch", Act: access.BatchHandOut, Form: form, Answer: Either(answer, Sends("application/pdf")), Handler: s.give},
	}
}

// Needs implements Screen.
func (s *Handouts) Needs(context.Context, *access.Session) ([]Need, error) { return nil, nil }

type handData struct {
	Rows   []printRow `json:"rows"`
	Paging *Paging    `json:"paging,omitempty"`

	Job   string     `json:"job,omitempty"`
	Batch string     `json:"batch,omitempty"`
	Cards int        `json:"cards"`
	Lines []handLine `json:"lines"`

	Given  bool          `json:"-"` // the list is shown
	More   bool          `json:"-"` // than the screen has
	Wrong  template.HTML `json:"-"`
	Reason string        `json:"-"`
	Papers []string      `json:"-"`
	Path   string        `json:"-"`
}

// A handLine is a line of the list.
type handLine struct {
	N      int    `json:"n"` // on the paper, from 1
	Number string `json:"number"`
	Name   string `json:"name,omitempty"`
	Own    string `json:"own,omitempty"`   // number of the record in its list
	House  string `json:"house,omitempty"` // number of the household, of a person
	Place  string `json:"place,omitempty"`
	Stop   string `json:"stop,omitempty"` // why it is not handed out: state of the card

	id, unit string
}

func (s *Handouts) list(p *Page) error {
	all, err := s.Desk.Log(p.Context(), p.Org(), "")
	if err != nil {
		return deskFault(err)
	}
	d := handData{Rows: []printRow{}, Lines: []handLine{}, Paging: p.Paging(len(all))}
	for _, j := range all[d.Paging.Offset():min(len(all), d.Paging.Offset()+d.Paging.Size)] {
		d.Rows = append(d.Rows, rowOfPrint(j))
	}
	return p.Show("handouts", "handouts.title", d)
}

// of is what the path names.
func (s *Handouts) of(p *Page) (d handData, err error) {
	d = handData{Rows: []printRow{}, Lines: []handLine{}, Job: p.Param("print"), Batch: p.Param("batch"), Papers: papers[:2], Path: strings.TrimPrefix(p.Path(), Root)}
	if d.Job == "" {
		_, err = s.Desk.Batch(p.Context(), p.Org(), d.Batch)
		return d, deskFault(err)
	}
	all, err := s.Desk.Log(p.Context(), p.Org(), d.Job)
	if err == nil && len(all) != 1 {
		err = issuer.ErrNoJob
	}
	if err == nil {
		d.Cards = all[0].Count
	}
	return d, deskFault(err)
}

func (s *Handouts) ask(p *Page) error {
	d, err := s.of(p)
	if err != nil {
		return err
	}
	return p.Show("handouts_one", "handouts.title", d)
}

// give shows the list, or draws it.
func (s *Handouts) give(p *Page) error {
	d, err := s.of(p)
	if err != nil {
		return err
	}
	if d.Reason = p.Form.Get("reason"); d.Reason == "" {
		return p.Mend(BadForm("handouts.why"), func(wrong template.HTML) error {
			d.Wrong = wrong
			return p.show(http.StatusUnprocessableEntity, "handouts_one", p.T("handouts.title"), d)
		})
	}
	paper, lang, err := printedOn(p.Form.Get("paper"), p.Form.Get("lang"), p.Lang)
	if err != nil {
		return err
	}
	rows, err := s.Desk.HandOut(p.Context(), p.Org(), p.Actor(), d.Job, d.Batch, d.Reason)
	if errors.Is(err, access.ErrSpent) {
		return BadForm("handouts.spent", "most", access.HandOuts)
	}
	if err != nil {
		return deskFault(err)
	}
	for i := range rows {
		d.Lines = append(d.Lines, p.handLine(i+1, &rows[i], lang))
	}
	d.Given, d.Cards = true, len(rows)
	if p.Form.Get("on") == "paper" {
		return s.paper(p, &d, paper, lang)
	}
	if d.More = len(d.Lines) > mostHanded && !p.program; d.More {
		d.Lines = d.Lines[:mostHanded]
	}
	return p.Show("handouts_one", "handouts.title", d)
}

// handLine is a line in a language.
func (p *Page) handLine(n int, r *HandRow, lang string) handLine {
	l := handLine{N: n, Number: r.Card.CardNumber, Name: r.Name, Own: r.Line.Number, id: r.Card.ID.String(), unit: r.Card.Unit.String()}
	if r.Kind != registry.KindHousehold {
		l.House = r.House
	}
	if at := r.Place; at != nil {
		parts := []string{at.Site, at.Address, at.PCode}
		l.Place = strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
	}
	switch state := cardState(&r.Card); {
	case slices.Contains([]string{"revoked", "suspended", "ended", "spoiled", "destroyed"}, state):
		l.Stop = state
	case r.Closed != "":
		l.Stop = "closed"
	}
	return l
}

// Group is a card's number as it is read out.
func (l handLine) Group() string { return cwt.GroupCardNumber(l.Number) }

// StopSays is why a card is not handed out, in words.
func (l handLine) StopSays(p *Page) template.HTML {
	return p.T("handouts.not", "why", Said(stopWord(l.Stop)))
}

func stopWord(stop string) string {
	if stop == "closed" {
		return "handouts.closed"
	}
	return codeWords["card"][stop]
}

// paper draws the list: A4 or Letter, its head on every page.
func (s *Handouts) paper(p *Page, d *handData, paper, lang string) error {
	on, err := print.ParsePaper(paper)
	if err != nil {
		return errFields
	}
	cards := make([]print.Card, 0, len(d.Lines))
	for i := range d.Lines {
		l := &d.Lines[i]
		c := print.Card{ID: l.id, Unit: l.unit, Number: l.Number, External: l.Own, Name: l.Name}
		var where []string
		for _, text := range []string{l.House, l.Place} {
			if text != "" {
				where = append(where, text)
			}
		}
		c.Where = strings.Join(where, " · ")
		if l.Stop != "" {
			c.Where = textOf(p.console.say(lang, "handouts.not", "why", Said(stopWord(l.Stop))))
		}
		cards = append(cards, c)
	}
	opt := print.Options{Paper: on, Lang: lang}
	f, err := print.List(p.Context(), cards, true, opt)
	if err == nil {
		err = print.Prove(p.Context(), f, nil)
	}
	if err != nil {
		return err
	}
	name := "hand-out-" + d.Job + d.Batch + ".pdf"
	return p.Export(Export{Reason: d.Reason, Rows: len(cards), Name: name, Mime: "application/pdf", Body: f.PDF})
}
