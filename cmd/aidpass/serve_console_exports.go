package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"aidpass/access"
	"aidpass/access/work"
	"aidpass/issuer/registry/export"
	"aidpass/issuer/registry/rights"
	"aidpass/web/console"
)

// consoleExports is console.ExportDesk on the database.
type consoleExports struct{ consoleIssuing }

// exportRoom keeps files of records that wait for who asked for them: in memory alone, so
// that none of them is on a disk or in a backup, and for a day. After a stop of the server
// they are made again.
type exportRoom struct {
	most  int // bytes of all files that wait; 0: maxExports
	mu    sync.Mutex
	files map[string]keptExport // by job
}

type keptExport struct {
	console.ExportMade
	by     string // account
	erased int    // records that were erased when it was made: with one more, she may be in it
	gone   bool   // nobody gets it any more; there are no bytes of it
}

// withdrawn is what is known of it when nobody gets it any more: whose it was.
func (f keptExport) withdrawn() keptExport {
	return keptExport{ExportMade: console.ExportMade{Until: f.Until}, by: f.by, gone: true}
}

const (
	exportLife = 24 * time.Hour
	maxExports = 256 << 20
)

var errExportLarge = errors.New("the file is larger than what waits in memory")

func (r *exportRoom) room() int { return cmp.Or(r.most, maxExports) }

// sweep forgets what is over, and tells how many bytes wait. The caller holds mu.
func (r *exportRoom) sweep(now time.Time) (bytes int) {
	for id, f := range r.files {
		if now.After(f.Until) {
			delete(r.files, id)
		} else {
			bytes += len(f.Body)
		}
	}
	return bytes
}

// keep puts a file by; for want of room it is errExportLarge.
func (r *exportRoom) keep(job string, f keptExport, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sweep(now)+len(f.Body) > r.room() {
		return errExportLarge
	}
	if r.files == nil {
		r.files = map[string]keptExport{}
	}
	r.files[job] = f
	return nil
}

// take is the file of a job for the account that asked for it.
func (r *exportRoom) take(job, account string, now time.Time) (keptExport, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweep(now)
	f, ok := r.files[job]
	return f, ok && access.SameAccount(f.by, account)
}

// drop forgets what is in the file of a job.
func (r *exportRoom) drop(job string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f, ok := r.files[job]; ok {
		r.files[job] = f.withdrawn()
	}
}

// clear forgets what is in all of them: somebody was erased, who may be in any.
func (r *exportRoom) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for job, f := range r.files {
		r.files[job] = f.withdrawn()
	}
}

// bounded is a file in memory that does not grow past what may wait.
type bounded struct {
	bytes.Buffer
	most int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.most {
		return 0, errExportLarge
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
		err = d.exports.keep(t.ID(), keptExport{ExportMade: console.ExportMade{Order: args.Order, Summary: sum, Until: d.a.Now().Add(exportLife), Body: file.Bytes()}, by: t.Actor().ID, erased: erased}, d.a.Now())
	}
	if errors.Is(err, errExportLarge) {
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
	f, ok := d.exports.take(job, account, d.a.Now())
	m := f.ExportMade
	if !ok {
		return m, console.ErrNotFound
	}
	if f.gone {
		return m, console.ErrExportGone
	}
	if erased, err := d.o.store.ErasedCount(ctx); err != nil {
		return console.ExportMade{}, err
	} else if erased != f.erased {
		d.exports.drop(job)
		return console.ExportMade{}, console.ErrExportGone
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
