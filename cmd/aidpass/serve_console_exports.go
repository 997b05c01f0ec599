package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"aidpass/access"
	"aidpass/access/work"
	"aidpass/issuer/registry/export"
	"aidpass/issuer/registry/rights"
	"aidpass/web/console"
)

// consoleExports is console.ExportDesk on the database.
type consoleExports struct{ consoleIssuing }

// bounded is a file in memory that does not grow past what may wait.
type bounded struct {
	bytes.Buffer
	most int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.most {
		return 0, errMadeLarge
	}
	return b.Buffer.Write(p)
}

// Agreements implements console.ExportDesk: those that are in force.
func (d consoleExports) Agreements(ctx context.Context, org string) ([]rights.Agreement, error) {
	if err := d.ours(org); err != nil {
		return nil, err
	}
	all, err := d.o.keeper().Agreements(ctx)
	return slices.DeleteFunc(all, func(a rights.Agreement) bool { return a.Live(d.a.Now()) != nil }), err
}

// Count implements console.ExportDesk.
func (d consoleExports) Count(ctx context.Context, org string, o console.ExportOrder) (export.Summary, error) {
	if err := d.ours(org); err != nil {
		return export.Summary{}, err
	}
	opt := o.Options()
	opt.Now = d.a.Now
	return export.Count(ctx, d.o.store, opt)
}

const exportWork = "export"

// exportArgs are those of the work: what is to be made, and how many rows were counted.
type exportArgs struct {
	Order console.ExportOrder `json:"order"`
	Rows  int                 `json:"rows"`
}

// Start implements console.ExportDesk.
func (d consoleExports) Start(ctx context.Context, org string, by access.Actor, o console.ExportOrder, rows int) (string, error) {
	if err := d.ours(org); err != nil {
		return "", err
	}
	args, err := json.Marshal(exportArgs{o, rows})
	if err != nil {
		return "", err
	}
	job, err := d.work.Start(ctx, by, work.New{Kind: exportWork, Args: args, Total: rows})
	return job.ID, err
}

// write is the work of it. Package export tells the log of it and of whom it tells, before
// anybody can take it.
func (d consoleExports) write(ctx context.Context, t *work.Turn) (string, error) {
	var args exportArgs
	if err := json.Unmarshal(t.Args(), &args); err != nil {
		return "", err
	}
	file := bounded{most: d.exports.room()}
	opt := args.Order.Options()
	opt.Now, opt.Waits = d.a.Now, true
	erased, err := d.o.store.ErasedCount(ctx) // before the first row is read
	if err != nil {
		return "", err
	}
	opt.Progress = func(rows int) error { return t.Save(ctx, nil, rows, max(rows, args.Rows)) }
	sum, err := export.Write(ctx, d.o.store, t.Actor(), opt, &file)
	var refusal *rights.Refusal
	switch {
	case errors.As(err, &refusal), errors.Is(err, export.ErrNobody):
		return "", &work.Fault{Word: console.WordExportRefused, Err: err}
	case err == nil:
		until := d.a.Now().Add(madeLife)
		m := console.ExportMade{Order: args.Order, Summary: sum, Until: until, Body: file.Bytes()}
		err = d.exports.keep(t.ID(), made[console.ExportMade]{what: m, bytes: len(m.Body), until: until, by: t.Actor().ID, erased: erased}, d.a.Now())
	}
	if errors.Is(err, errMadeLarge) {
		return "", &work.Fault{Word: console.WordExportTooLarge, Err: err}
	}
	if err != nil {
		return "", err
	}
	return "/exports/of/" + t.ID(), t.Save(ctx, nil, sum.Share.Rows, sum.Share.Rows)
}

// Made implements console.ExportDesk. What was allowed when the file was made may not be
// any more when it is taken, and somebody in it may be erased meanwhile, also by another
// program.
func (d consoleExports) Made(ctx context.Context, org, account, job string) (console.ExportMade, error) {
	if err := d.ours(org); err != nil {
		return console.ExportMade{}, err
	}
	m, err := d.exports.take(ctx, d.o.store, job, account, d.a.Now())
	switch {
	case errors.Is(err, errNotMade):
		return m, console.ErrNotFound
	case errors.Is(err, errMadeGone):
		return m, console.ErrExportGone
	case err != nil:
		return m, err
	}
	if err := d.still(job, d.o.keeper().Stale(ctx, m.Summary.Share)); err != nil {
		return console.ExportMade{}, err
	}
	return m, nil
}

// HandOut implements console.ExportDesk.
func (d consoleExports) HandOut(ctx context.Context, org string, by access.Actor, job string) (console.ExportMade, error) {
	m, err := d.Made(ctx, org, by.ID, job)
	if err == nil {
		err = d.still(job, d.o.keeper().HandOut(ctx, by, m.Summary.Share))
	}
	if err != nil {
		return console.ExportMade{}, err
	}
	return m, nil
}

// still forgets a file of which err says that nobody gets it any more.
func (d consoleExports) still(job string, err error) error {
	var refusal *rights.Refusal
	if errors.As(err, &refusal) {
		d.exports.drop(job)
		return console.ErrExportGone
	}
	return err
}
