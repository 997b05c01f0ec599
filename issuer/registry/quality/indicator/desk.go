package indicator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/quality"
)

// A Desk measures for people, and tells the log whom a list named.
type Desk struct {
	Store interface {
		Store
		NoteAbout(ctx context.Context, by access.Actor, e access.Entry, about []registry.ID) error
	}
	Policy func() (quality.Policy, error)
	Places func() (Places, error) // nil: no list of p-codes
	Now    func() time.Time
	// Progress is Options.Progress.
	Progress func(done, total int) error
}

// Report measures the register as it is.
func (d *Desk) Report(ctx context.Context) (r *Report, err error) {
	err = d.measuring(ctx, d.Now(), false, func(v registry.View, o Options) error {
		r, err = Measure(ctx, v, o)
		return err
	})
	return r, err
}

func (d *Desk) measuring(ctx context.Context, at time.Time, past bool, work func(registry.View, Options) error) error {
	o := Options{At: at, Past: past, Progress: d.Progress}
	var err error
	if o.Policy, err = d.Policy(); err != nil {
		return err
	}
	if d.Places != nil {
		if o.Places, err = d.Places(); err != nil {
			return err
		}
	}
	return d.Store.Measuring(ctx, at, past, func(v registry.View, b Beside) error {
		o.Beside = b
		return work(v, o)
	})
}

// Take measures, and keeps the snapshot of today, or returns ErrTaken.
func (d *Desk) Take(ctx context.Context, by access.Actor) (s Snapshot, err error) {
	if last, err := d.Store.LastSnapshot(ctx); err == nil && last.Day() == d.Now().UTC().Format(time.DateOnly) {
		return last, ErrTaken // before all that work
	} else if err != nil && !errors.Is(err, ErrNone) {
		return s, err
	}
	r, err := d.Report(ctx)
	if err != nil {
		return s, err
	}
	s, parts := r.Snapshot()
	return s, d.Store.KeepSnapshot(ctx, by, s, parts)
}

// Prove measures again how the register stood when a snapshot was taken, by today's policy.
func (d *Desk) Prove(ctx context.Context, taken Snapshot) (s Snapshot, err error) {
	err = d.measuring(ctx, taken.At, true, func(v registry.View, o Options) error {
		r, err := Measure(ctx, v, o)
		if err == nil {
			s, _ = r.Snapshot()
		}
		return err
	})
	return s, err
}

// TryPlaces tells how the Desk's list of places would do: the place codes of records in use
// that were looked at, how many are wrong by Defect.Code, and how many records name each code
// that is not in the list and has the form of one. It names no record.
func (d *Desk) TryPlaces(ctx context.Context) (looked int64, wrong, unknown map[string]int, err error) {
	wrong, unknown = map[string]int{}, map[string]int{}
	err = d.measuring(ctx, d.Now(), false, func(v registry.View, o Options) error {
		found, m, err := List(ctx, v, o, "DQ-10", All, "")
		if err != nil {
			return err
		}
		looked = m.In(All, "")[""].Of
		for _, f := range found {
			if wrong[f.Code]++; f.Code == CodePlace && f.Extra != "" {
				unknown[f.Extra]++
			}
		}
		return nil
	})
	return looked, wrong, unknown, err
}

// A Line is a defect with what its record goes by.
type Line struct {
	Defect
	ID     string        `json:"record,omitempty"`
	Kind   registry.Kind `json:"kind,omitempty"`
	List   string        `json:"list,omitempty"`
	Number string        `json:"number,omitempty"` // in that list
}

// A Listing is one indicator's list.
type Listing struct {
	Measured Measured
	Lines    []Line
	All      int // defects there are; Lines are the first of them
	Withheld int // what was drawn by lot, and the asker had a part in: see package recheck
}

// Workbook writes the list as XLSX, in which no cell can be taken for a formula.
func (l *Listing) Workbook() ([]byte, error) {
	var b bytes.Buffer
	book := intake.NewWorkbook(&b)
	if err := book.Sheet(l.Measured.ID); err != nil {
		return nil, err
	}
	rows := [][]string{{"indicator", "kind", "record", "list", "number", "field", "rule", "more"}}
	for i := range l.Lines {
		x := &l.Lines[i]
		rows = append(rows, []string{x.Indicator, string(x.Kind), x.ID, x.List, x.Number, x.Field, x.Code, x.Extra})
	}
	for _, row := range rows {
		if err := book.Row(row...); err != nil {
			return nil, err
		}
	}
	err := book.Close()
	return b.Bytes(), err
}

// List lists the defects of an indicator, at most limit of them (0: all), and tells the log,
// in the name of the action, whose records they are.
func (d *Desk) List(ctx context.Context, by access.Actor, action access.Action, reason, id string, cut Cut, value string, limit int) (out Listing, err error) {
	var about []registry.ID
	err = d.measuring(ctx, d.Now(), false, func(v registry.View, o Options) error {
		found, m, err := List(ctx, v, o, id, cut, value)
		if err != nil {
			return err
		}
		out.Measured = m
		for _, f := range found {
			if f.hidden != nil && f.hidden(by.ID) {
				out.Withheld++
				continue
			}
			if out.All++; limit > 0 && len(out.Lines) >= limit {
				continue
			}
			l := Line{Defect: f}
			if !f.Record.IsZero() {
				rec, err := v.Record(f.Record)
				if err != nil {
					return err
				}
				l.ID, l.Kind, l.List, l.Number = f.Record.String(), rec.Kind, rec.Source, rec.External
				about = append(about, f.Record)
			}
			out.Lines = append(out.Lines, l)
		}
		return nil
	})
	if err != nil {
		return out, err
	}
	e := access.Entry{Action: action, Object: id, Reason: reason, Detail: fmt.Sprintf("listed=%d of=%d", len(out.Lines), out.All)}
	return out, d.Store.NoteAbout(ctx, by, e, about)
}
