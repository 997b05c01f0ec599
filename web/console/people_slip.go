package console

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/issuer/print"
	"aidpass/issuer/print/proof"
	"aidpass/issuer/registry"
)

// slips are the routes of the paper by which somebody is found at a desk. It has a number
// and no name (DOMAIN R24).
func (s *People) slips(k *recordKind) []Route {
	order := []Field{Text("lang", 8), Text("paper", 8), Text("desk", 40)}
	with := func(handler func(*Page, *recordKind, registry.ID) error) func(*Page) error {
		return func(p *Page) error {
			id, err := s.id(p, k)
			if err != nil {
				return err
			}
			return s.fault(handler(p, k, id))
		}
	}
	at := k.path + "/:" + k.name + "/slip"
	return []Route{
		{Method: http.MethodGet, Path: at, Act: access.PersonPrint, Answer: slipAnswer{}, Handler: with(s.slip)},
		// A POST: it stands in the log that she was given one.
		{Method: http.MethodPost, Path: at, Act: access.PersonPrint, Form: order, Answer: Sends("application/pdf"), Handler: with(s.printSlip)},
	}
}

// slipPapers are what a slip is printed on, the usual one first.
var slipPapers = []print.Paper{print.A6, print.Thermal80, print.Thermal58, print.A4, print.Letter}

type slipData struct {
	*peopleData
	Number string
	Desk   string
	Papers []string
}

type slipAnswer struct {
	Number string // that is printed
	Lang   string // hers, where the desk speaks it
	Papers []string
	Desk   string
}

// Programs implements forProgram.
func (d *slipData) Programs() any { return slipAnswer{d.Number, d.Lang, d.Papers, d.Desk} }

// spoken are languages of records (ISO 639-3) that are languages of the console.
var spoken = map[string]string{"eng": "en", "fra": "fr", "spa": "es", "ara": "ar", "arb": "ar", "swa": "sw", "swh": "sw"}

// slipOf is what is printed for a record: its number, and in which language.
func (s *People) slipOf(p *Page, k *recordKind, id registry.ID, detail string) (number, lang string, err error) {
	sheet, err := s.Desk.Sheet(p.Context(), p.Actor(), id, k.kind)
	if err != nil {
		return "", "", err
	}
	if number = sheet.Record.External; number == "" {
		number = id.String() // by which it is found as well
	}
	lang = p.Lang
	for _, l := range sheet.Person.Languages {
		if c := spoken[strings.ToLower(l)]; c != "" {
			lang = c
			break
		}
	}
	if detail == "" {
		return number, lang, nil
	}
	return number, lang, s.Desk.Store.Note(p.Context(), p.Actor(), access.Entry{Action: "person.print", Object: id.String(), Detail: detail})
}

func (s *People) slip(p *Page, k *recordKind, id registry.ID) error {
	number, lang, err := s.slipOf(p, k, id, "")
	if err != nil {
		return err
	}
	d := &slipData{peopleData: s.view(p, peopleData{Record: id, At: k, Lang: lang}), Number: number, Desk: p.Actor().Device}
	for _, paper := range slipPapers {
		d.Papers = append(d.Papers, paper.String())
	}
	return p.Show("people_slip", "slip.title", d)
}

func (s *People) printSlip(p *Page, k *recordKind, id registry.ID) error {
	f := p.Form
	paper := slipPapers[0]
	if text := f.Get("paper"); text != "" {
		var err error
		if paper, err = print.ParsePaper(text); err != nil || !slices.Contains(slipPapers, paper) {
			return BadForm("slip.paper_none")
		}
	}
	number, lang, err := s.slipOf(p, k, id, "slip")
	if err != nil {
		return err
	}
	if l := f.Get("lang"); slices.ContainsFunc(p.Languages(), func(have Language) bool { return have.Code == l }) {
		lang = l
	}
	t := print.Ticket{Number: number, Desk: f.Get("desk"), Day: s.Desk.Now().UTC().Format(time.DateOnly)}
	if s.Complaint != nil {
		if t.Complaint, err = s.Complaint(); err != nil {
			return err
		}
	}
	b, err := drawSlip(p.Context(), t, print.Options{Lang: lang, Paper: paper})
	if err != nil {
		return err
	}
	return p.Download("slip.pdf", "application/pdf", b)
}

// drawSlip draws a slip, and reads it again before it is handed out.
func drawSlip(ctx context.Context, t print.Ticket, opt print.Options) ([]byte, error) {
	f, err := print.Tickets(t, opt)
	if err != nil {
		return nil, err
	}
	if _, err := proof.Check(ctx, f.PDF, f.Placed); err != nil {
		return nil, fmt.Errorf("console: the slip is not released: %w", err)
	}
	return f.PDF, nil
}
