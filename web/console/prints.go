package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/print"
	"aidpass/words"
)

// A PrintOrder says which cards are put on paper, and how. One of Batch and Card is set.
type PrintOrder struct {
	Batch     string `json:"batch,omitempty"`
	Card      string `json:"card,omitempty"`
	Paper     string `json:"paper"` // as print.ParsePaper reads it
	Lang      string `json:"lang"`
	Complaint string `json:"complaint,omitempty"` // how to reach somebody, in a line
	Duplex    bool   `json:"duplex,omitempty"`
	Plain     bool   `json:"plain,omitempty"`
	Names     bool   `json:"names,omitempty"` // of those who chose that
	Photos    bool   `json:"photos,omitempty"`
}

// Printable counts the cards of an order that are still to be printed, and the others.
type Printable struct {
	Fresh   int `json:"fresh"`
	Printed int `json:"printed"`
	Ended   int `json:"ended"`

	Named    int `json:"named"` // of Fresh: whose holders want their name on it
	Pictured int `json:"pictured"`
}

// A PrintsDesk prints. Batches and cards that are not there, or another organisation's, are
// issuer.ErrNotFound or ErrNoProposal, print jobs issuer.ErrNoJob.
type PrintsDesk interface {
	Printable(ctx context.Context, org string, o PrintOrder) (Printable, error)
	// Print begins to draw, to prove and to log, and returns its job.
	Print(ctx context.Context, org string, by access.Actor, o PrintOrder) (job string, err error)
	// Log is the print log, newest first; id empty: all of it.
	Log(ctx context.Context, org, id string) ([]issuer.PrintJob, error)
	// File is the file of a print job, as it was; ErrFileGone where it cannot be made again.
	// Who gets it stands in the print log as having another paper: without a reason
	// issuer.ErrPaper unless [issuer.PrintJob.Fetched], with one at most access.PrintsAgain on a
	// day: access.ErrSpent.
	File(ctx context.Context, org string, by access.Actor, id, reason string) ([]byte, error)
	// TestPage is a page to try a printer with.
	TestPage(ctx context.Context, paper, lang string) ([]byte, error)
}

// Prints are the pages from which cards are printed.
type Prints struct {
	Desk PrintsDesk
	Now  func() time.Time
}

// Routes implements Screen.
func (s *Prints) Routes() []Route {
	form := []Field{Text("paper", 10), Text("lang", 8), Text("complaint", 80), Text("duplex", 3), Text("plain", 3), Text("names", 3), Text("photos", 3)}
	return []Route{
		{Method: http.MethodGet, Path: "/prints", Act: access.BatchPrint, Menu: "prints.menu", Paged: true, Answer: Members(printsData{}, "rows", "paging"), Handler: s.list},
		{Method: http.MethodGet, Path: "/prints/test", Act: access.BatchPrint, Query: []Field{Text("paper", 10), Text("lang", 8)}, Answer: Sends("application/pdf"), Handler: s.test},
		{Method: http.MethodGet, Path: "/prints/of/:print", Act: access.BatchPrint, Answer: Members(printsData{}, "job"), Handler: s.show},
		{Method: http.MethodGet, Path: "/prints/of/:print/cards.pdf", Act: access.BatchPrint, Answer: Sends("application/pdf"), Handler: s.file},
		{Method: http.MethodPost, Path: "/prints/of/:print/cards.pdf", Act: access.PrintAgain, Form: []Field{Text("reason", 80)}, Answer: Sends("application/pdf"), Handler: s.file},
		{Method: http.MethodGet, Path: "/prints/batch/:batch", Act: access.BatchPrint, Answer: Members(printsData{}, "order", "fresh", "printed", "ended", "named", "pictured", "papers", "langs"), Handler: s.ask},
		{Method: http.MethodPost, Path: "/prints/batch/:batch", Act: access.BatchPrint, Form: form, Handler: s.print},
		{Method: http.MethodGet, Path: "/prints/card/:card", Act: access.BatchPrint, Answer: Members(printsData{}, "order", "fresh", "printed", "ended", "named", "pictured", "papers", "langs"), Handler: s.ask},
		{Method: http.MethodPost, Path: "/prints/card/:card", Act: access.BatchPrint, Form: form, Handler: s.print},
	}
}

// Needs implements Screen.
func (s *Prints) Needs(context.Context, *access.Session) ([]Need, error) { return nil, nil }

type printsData struct {
	Rows   []printRow `json:"rows,omitempty"`
	Paging *Paging    `json:"paging,omitempty"`
	Job    printRow   `json:"job"`
	Order  PrintOrder `json:"order"`
	Printable
	Papers []string `json:"papers,omitempty"`
	Langs  []string `json:"langs,omitempty"`
	Path   string   `json:"-"` // of the form
	Back   string   `json:"-"`
}

// A printRow is a line of the print log. Who has a card of it is nobody's business here.
type printRow struct {
	ID     string
	Layout string
	Digest [32]byte
	Count  int
	At     time.Time
	By     string
	Papers int // how often the file was handed out

	Last   string    `json:"-"` // to whom the last time
	LastAt time.Time `json:"-"`
	Free   bool      `json:"-"` // the reader gets it without a reason
}

func rowOfPrint(j issuer.PrintJob) printRow {
	return printRow{ID: j.ID, Layout: j.Layout, Digest: j.Digest, Count: j.Count, At: j.At, By: j.By, Papers: j.Papers, Last: j.Last, LastAt: j.LastAt}
}

// FreeUntil is when that is over, once it was handed out.
func (r printRow) FreeUntil() time.Time { return r.LastAt.Add(issuer.FetchedAgain) }

// Paper, Duplex and Nameless read a print's layout, which is the words of press.Job.Layout.
func (r printRow) Paper() string {
	paper, _, _ := strings.Cut(r.Layout, " ")
	return paper
}
func (r printRow) Duplex() bool   { return slices.Contains(strings.Fields(r.Layout), "duplex") }
func (r printRow) Nameless() bool { return slices.Contains(strings.Fields(r.Layout), "plain") }

var papers = []string{"a4", "letter", "a6", "58", "80"}

func (s *Prints) list(p *Page) error {
	all, err := s.Desk.Log(p.Context(), p.Org(), "")
	if err != nil {
		return deskFault(err)
	}
	d := printsData{Paging: p.Paging(len(all)), Papers: papers, Langs: words.Tags()}
	for _, j := range all[d.Paging.Offset():min(len(all), d.Paging.Offset()+d.Paging.Size)] {
		d.Rows = append(d.Rows, rowOfPrint(j))
	}
	return p.Show("prints", "prints.title", d)
}

func (s *Prints) show(p *Page) error {
	all, err := s.Desk.Log(p.Context(), p.Org(), p.Param("print"))
	if err != nil {
		return deskFault(err)
	}
	if len(all) != 1 {
		return ErrNotFound
	}
	row := rowOfPrint(all[0])
	row.Free, _ = all[0].Fetched(p.Actor().ID, s.Now())
	return p.Show("prints_show", "prints.one", printsData{Job: row}, "job", row.ID)
}

// file hands the file out: by GET as it was printed, by POST again and with a reason.
func (s *Prints) file(p *Page) error {
	id := p.Param("print")
	if all, err := s.Desk.Log(p.Context(), p.Org(), id); err != nil || len(all) != 1 {
		return deskFault(err)
	}
	reason := p.Form.Get("reason")
	if p.Route.Method == http.MethodPost && reason == "" {
		return BadForm("prints.why")
	}
	pdf, err := s.Desk.File(p.Context(), p.Org(), p.Actor(), id, reason)
	switch {
	case errors.Is(err, access.ErrSpent):
		return BadForm("prints.spent", "most", access.PrintsAgain)
	case err != nil:
		return deskFault(err)
	}
	return p.Download("cards-"+id+".pdf", "application/pdf", pdf)
}

// printedOn reads which paper and language somebody chose.
func printedOn(paper, lang, own string) (string, string, error) {
	if paper == "" {
		paper = papers[0]
	}
	if lang == "" {
		lang = own
	}
	if _, err := print.ParsePaper(paper); err != nil || !slices.Contains(words.Tags(), lang) {
		return "", "", errFields
	}
	return paper, lang, nil
}

func (s *Prints) test(p *Page) error {
	paper, lang, err := printedOn(p.Query.Get("paper"), p.Query.Get("lang"), p.Lang)
	if err != nil {
		return err
	}
	pdf, err := s.Desk.TestPage(p.Context(), paper, lang)
	if err != nil {
		return deskFault(err)
	}
	return p.Download("test-page.pdf", "application/pdf", pdf)
}

// order is what the path says is printed.
func (s *Prints) order(p *Page) (o PrintOrder, d printsData, err error) {
	o = PrintOrder{Batch: p.Param("batch"), Card: p.Param("card"), Lang: p.Lang}
	d = printsData{Papers: papers, Langs: words.Tags()}
	if d.Path, d.Back = "/prints/batch/"+o.Batch, "/batches/of/"+o.Batch; o.Card != "" {
		d.Path, d.Back = "/prints/card/"+o.Card, "/cards/of/"+o.Card
	}
	d.Printable, err = s.Desk.Printable(p.Context(), p.Org(), o)
	d.Order = o
	return o, d, deskFault(err)
}

func (s *Prints) ask(p *Page) error {
	_, d, err := s.order(p)
	if err != nil {
		return err
	}
	return p.Show("prints_new", "prints.new", d)
}

func (s *Prints) print(p *Page) error {
	o, d, err := s.order(p)
	if err != nil {
		return err
	}
	if d.Fresh == 0 {
		return BadForm("prints.none_left")
	}
	if o.Paper, o.Lang, err = printedOn(p.Form.Get("paper"), p.Form.Get("lang"), p.Lang); err != nil {
		return err
	}
	o.Complaint = p.Form.Get("complaint")
	o.Duplex, o.Plain, o.Names, o.Photos = p.Form.Get("duplex") != "", p.Form.Get("plain") != "", p.Form.Get("names") != "", p.Form.Get("photos") != ""
	job, err := s.Desk.Print(p.Context(), p.Org(), p.Actor(), o)
	if err != nil {
		return deskFault(err)
	}
	return p.Done("/jobs/"+job, Note{Word: "prints.begun"})
}
