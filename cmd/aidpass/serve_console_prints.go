package main

import (
	"context"
	"encoding/json"
	"errors"

	"aidpass/access"
	"aidpass/access/work"
	"aidpass/issuer"
	"aidpass/issuer/press"
	"aidpass/issuer/print"
	"aidpass/issuer/print/proof"
	"aidpass/issuer/registry"
	"aidpass/web/console"
)

// consolePrints is console.PrintsDesk on the database. Files are kept nowhere: the same
// cards and choices are the same bytes, which the print log knows by their hash.
type consolePrints struct{ *serving }

func (d consolePrints) press(by access.Actor) *press.Press {
	return &press.Press{Desk: d.plainDesk(by), Registry: d.o.store, Now: d.a.now}
}

// cards are those that an order means.
func (d consolePrints) cards(ctx context.Context, o console.PrintOrder) ([]issuer.Card, error) {
	var sel issuer.Selection
	switch {
	case o.Card != "":
		id, err := issuer.ParseCTI(o.Card)
		if err != nil {
			return nil, issuer.ErrNotFound
		}
		sel.IDs = []issuer.CTI{id}
	default:
		var err error
		if sel, err = d.batch(ctx, o.Batch); err != nil {
			return nil, err
		}
	}
	found, err := d.o.store.Cards(ctx, sel)
	if err == nil && len(found) == 0 && o.Card != "" {
		err = issuer.ErrNotFound
	}
	return found, err
}

// batch is the selection of a batch's cards. One that was never approved has none.
func (s *serving) batch(ctx context.Context, id string) (issuer.Selection, error) {
	p, err := s.o.store.Proposal(ctx, id)
	return issuer.Selection{Approval: p.Digest, Programme: p.Programme}, err
}

// Printable implements console.PrintsDesk.
func (d consolePrints) Printable(ctx context.Context, org string, o console.PrintOrder) (n console.Printable, err error) {
	if err := d.ours(org); err != nil {
		return n, err
	}
	found, err := d.cards(ctx, o)
	var fresh []issuer.UnitID
	for i := range found {
		switch press.StandingOf(&found[i]) {
		case press.Fresh:
			n.Fresh++
			fresh = append(fresh, found[i].Unit)
		case press.Printed:
			n.Printed++
		case press.Ended:
			n.Ended++
		}
	}
	if err != nil {
		return n, err
	}
	err = d.o.store.View(ctx, func(v registry.View) error {
		for _, unit := range fresh {
			face, err := press.Chosen(v, unit)
			if err != nil {
				return err
			}
			if face.Name {
				n.Named++
			}
			if face.Photo {
				n.Pictured++
			}
		}
		return nil
	})
	return n, err
}

const printWork = "batch-print"

// Print implements console.PrintsDesk.
func (d consolePrints) Print(ctx context.Context, org string, by access.Actor, o console.PrintOrder) (string, error) {
	if err := d.ours(org); err != nil {
		return "", err
	}
	args, err := json.Marshal(o)
	if err != nil {
		return "", err
	}
	job, err := d.work.Start(ctx, by, work.New{Kind: printWork, Args: args})
	return job.ID, err
}

func (d consolePrints) job(o *console.PrintOrder) (*press.Job, error) {
	opt, err := printOptions("-", o.Paper, o.Lang)
	opt.Duplex, opt.Plain = o.Duplex, o.Plain
	complaint := o.Complaint
	if line, lerr := d.a.setting(console.SettingComplaint); complaint == "" && lerr == nil {
		complaint = string(line)
	}
	return &press.Job{Options: opt, Organisation: d.o.entry.Names, Complaint: complaint, Boxes: print.MaxBoxes, Names: o.Names, Photos: o.Photos}, err
}

// print is the work of it: what stands in the print log already is not printed again.
func (d consolePrints) print(ctx context.Context, t *work.Turn) (string, error) {
	var o console.PrintOrder
	if err := json.Unmarshal(t.Args(), &o); err != nil {
		return "", err
	}
	j, err := d.job(&o)
	if err != nil {
		return "", err
	}
	found, err := d.cards(ctx, o)
	if err != nil {
		return "", err
	}
	p := d.press(t.Actor())
	cards, rules, about, err := p.Cards(ctx, j, found)
	if err != nil {
		return "", err
	}
	if err := d.about(ctx, t.Actor(), "card.print", t.ID(), about); err != nil {
		return "", err
	}
	result, done := "", 0
	if err := json.Unmarshal(t.Progress(), &result); err != nil && len(t.Progress()) > 0 {
		return "", err
	}
	for _, part := range print.Split(cards, j.Paper) {
		s, err := p.Print(ctx, j, part, &rules)
		var failure *proof.Failure
		var refusal *print.Refusal
		if errors.As(err, &failure) || errors.As(err, &refusal) {
			return "", &work.Fault{Word: console.WordUnproved, Err: err}
		}
		if err != nil {
			return "", err
		}
		done += len(part)
		switch {
		case s.Job.ID == "":
			continue
		case result != "":
			result = "/prints" // several files: the log has them
		default:
			result = "/prints/of/" + s.Job.ID
		}
		progress, err := json.Marshal(result)
		if err == nil {
			err = t.Save(ctx, progress, done, len(cards))
		}
		if err != nil {
			return "", err
		}
	}
	if result == "" {
		return "", &work.Fault{Word: console.WordUnproved}
	}
	return result, nil
}

// Log implements console.PrintsDesk.
func (d consolePrints) Log(ctx context.Context, org, id string) ([]issuer.PrintJob, error) {
	if err := d.ours(org); err != nil {
		return nil, err
	}
	return d.o.store.PrintJobs(ctx, id)
}

// filesTried is how many of the newest orders are drawn to find the one of a file.
const filesTried = 50

// File implements console.PrintsDesk.
func (d consolePrints) File(ctx context.Context, org string, by access.Actor, id, reason string) ([]byte, error) {
	log, err := d.Log(ctx, org, id)
	if err != nil {
		return nil, err
	}
	if id == "" || len(log) != 1 {
		return nil, issuer.ErrNoJob
	}
	if free, _ := log[0].Fetched(by.ID, d.a.Now()); reason == "" && !free { // before it is drawn; HandOut looks once more
		return nil, issuer.ErrPaper
	}
	pdf, about, err := d.drawAgain(ctx, by, log[0])
	if err != nil {
		return nil, err
	}
	if reason != "" {
		if err := d.door.Spend(ctx, by, access.PrintAgain, 1, access.PrintsAgain); err != nil {
			return nil, err
		}
	}
	err = d.o.store.HandOut(ctx, by, id, reason, about)
	if err != nil && reason != "" {
		err = errors.Join(err, d.door.Unspend(context.WithoutCancel(ctx), by, access.PrintAgain, 1))
	}
	if err != nil {
		return nil, err
	}
	return pdf, nil
}

// drawAgain finds the order that a print was of, and draws it as it was.
func (d consolePrints) drawAgain(ctx context.Context, by access.Actor, was issuer.PrintJob) (pdf []byte, about []registry.ID, err error) {
	all, err := d.work.Jobs(ctx)
	if err != nil {
		return nil, nil, err
	}
	tried := 0
	for _, w := range all {
		if w.Kind != printWork || tried == filesTried {
			continue
		}
		var o console.PrintOrder
		if err := json.Unmarshal(w.Args, &o); err != nil {
			return nil, nil, err
		}
		j, err := d.job(&o)
		if err != nil || j.Layout() != was.Layout {
			continue
		}
		tried++
		pdf, about, err := d.press(by).Again(ctx, j, was)
		if errors.Is(err, press.ErrGone) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		return pdf, about, nil
	}
	return nil, nil, console.ErrFileGone
}

// TestPage implements console.PrintsDesk.
func (consolePrints) TestPage(ctx context.Context, paper, lang string) ([]byte, error) {
	opt, err := printOptions("-", paper, lang)
	if err != nil {
		return nil, err
	}
	f, err := print.Ruler(opt)
	if err == nil {
		err = print.Prove(ctx, f, nil)
	}
	return f.PDF, err
}
