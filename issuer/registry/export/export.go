// Package export writes people and households into files for others: XLSX
// workbooks, HXL-tagged CSV, and UNHCR's exchange of registration forms (RRF).
//
// A file holds the fields that were asked for and no others; those that can hurt
// somebody (documents, phones, origin, address, columns of the list's own) only when
// each is named. Nobody is in it whose record is closed or inactive. Who leaves is
// written down before the file is handed out: who, why, for whom, how many rows,
// which fields. No cell can be taken for a formula, and what package intake reads of
// such a file is what was written.
//
// A file for others is made under a live agreement (package rights): of its fields, its
// areas, without the countries of origin it excludes, and without who said no.
//
// A record's own id never leaves. In a file of one's own people go by the number of the
// list they came with, and others by a pseudonym that is new in every file. For others all
// go by such pseudonyms, unless the agreement names the numbers, and rows stand in an order
// that is the file's own: [Trace] tells of a leaked file, or a part of it, to whom it was given.
package export

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/rights"
)

// A Form is a kind of file.
type Form string

// The forms.
const (
	XLSX Form = "xlsx" // two sheets, Households and Individuals, a plain header
	HXL  Form = "csv"  // a person a row, with a row of HXL hashtags; households without members are left out
	RRF  Form = "xml"  // RRF v4; households without members are left out
)

// Options of Write. Form and Reason are needed.
type Options struct {
	Form      Form
	Fields    []string // as Fields lists them; empty: those that are not sealed
	Programme string   // only those who are due something in a round of it; empty: everybody
	Round     uint64
	// Source is the list whose numbers people go by in RRF; those of others are written
	// SOURCE/NUMBER there. Other forms have the list in a column.
	Source string
	Use    rights.Use       // an agreement, or a purpose of one's own
	Reason string           // what for; at most MaxReason bytes, no names
	Now    func() time.Time // nil: time.Now
	// Progress is told how many households and people are in the file so far, now and then;
	// its error ends the writing. nil: nobody is told.
	Progress func(rows int) error
	// Waits says that the file waits at a desk: nobody has it until [rights.Desk.HandOut].
	Waits bool

	pseudonym []byte // of this file
}

// MaxReason bounds a reason, in bytes: it stands in an audit entry with the recipient.
const MaxReason = 180

// A Summary says what a file holds.
type Summary struct {
	Households int      `json:"households"`
	People     int      `json:"people"`
	Fields     []string `json:"fields"`
	// LeftOut counts what is on record and not in the file, by why.
	LeftOut map[string]int `json:"left_out,omitempty"`
	SHA256  string         `json:"sha256"` // of the file, in hex
	Share   rights.Share   `json:"share"`  // what was kept of it
}

// The keys of Summary.LeftOut.
const (
	LeftClosed     = "not active"
	LeftCounted    = "households without members" // in a form that lists people
	LeftErased     = "erased meanwhile"
	LeftNames      = "people with more names than a row takes"
	LeftBands      = "households with bands of the list's own"
	LeftCollectors = "households with a collector of another household"
	LeftAnswer     = rights.LeftAnswer
	LeftArea       = rights.LeftArea
	LeftOrigin     = rights.LeftOrigin
)

// ErrNobody is returned where nobody fits: an empty file says less than that.
var ErrNobody = errors.New("export: nobody to export: no active record fits")

// Check says what is wrong with the options; Write asks it too.
func (o Options) Check() error {
	_, err := o.check()
	return err
}

func (o *Options) check() ([]column, error) {
	if s := strings.TrimSpace(o.Reason); s == "" || len(s) > MaxReason || !utf8.ValidString(s) {
		return nil, fmt.Errorf("export: needs a reason of 1 to %d bytes", MaxReason)
	}
	if (o.Programme == "") != (o.Round == 0) {
		return nil, errors.New("export: a programme goes with a round, from 1")
	}
	return choose(o.Form, o.Fields)
}

// Write writes the records of a store to w, and then the audit entry without which
// the file must not be handed out: on an error, destroy what was written. Nothing is
// held in memory but a household at a time.
//
// Errors of w and the store are returned as they are; others say what to change in opt,
// such as a *rights.Refusal of an agreement that ended or does not name a field.
func Write(ctx context.Context, store rights.Store, by access.Actor, opt Options, w io.Writer) (Summary, error) {
	if err := by.Check(); err != nil {
		return Summary{}, fmt.Errorf("export: %w", err)
	}
	sum, hash, about, err := opt.produce(ctx, store, w)
	if err != nil {
		return Summary{}, err
	}
	sum.SHA256 = hex.EncodeToString(hash[:])
	sum.Share.Fields, sum.Share.Rows, sum.Share.By = sum.Fields, sum.Households+sum.People, by.ID
	sum.Share.SHA256, sum.Share.Waits = sum.SHA256, opt.Waits
	err = store.WriteRights(ctx, by, func(tx rights.Tx) error {
		return sum.Share.Record(tx, hash, about, sum.detail(opt), opt.Now())
	})
	if err != nil {
		return Summary{}, fmt.Errorf("export: the audit entry could not be written, so the file must not be used: %w", err)
	}
	return sum, nil
}

// Count is what Write would write as things are, by reading everybody once. Nothing is
// kept of it. That nobody fits is no error here: LeftOut says why.
func Count(ctx context.Context, store rights.Store, opt Options) (sum Summary, err error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if _, err := opt.check(); err != nil {
		return sum, err
	}
	sum.LeftOut = map[string]int{}
	err = store.ReadRights(ctx, func(v rights.View) error {
		under, columns, err := opt.permitted(v)
		if err != nil {
			return err
		}
		opt.pseudonym = make([]byte, 32) // numbers of a file go nowhere: there is none
		r := &reader{view: v, opt: &opt, sum: &sum, ctx: ctx, about: new([]registry.ID), under: under, day: day(opt.Now())}
		return r.all(func(h *house) error {
			if opt.Form != XLSX && len(h.members) == 0 {
				r.left(LeftCounted)
				return nil
			}
			r.count(h, columns)
			return nil
		})
	})
	return sum, err
}

// produce writes the file to w, and returns its digest and whose rows are in it. With
// ErrNobody the summary counts all the same.
func (o *Options) produce(ctx context.Context, store rights.Store, w io.Writer) (sum Summary, hash [32]byte, about []registry.ID, err error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if _, err := o.check(); err != nil {
		return Summary{}, hash, nil, err
	}
	sum = Summary{LeftOut: map[string]int{}}
	digest := sha256.New()
	out := &counted{w: io.MultiWriter(w, digest)}
	err = store.ReadRights(ctx, func(v rights.View) error {
		under, columns, err := o.permitted(v)
		if err != nil {
			return err
		}
		sum.Share = rights.NewShare(o.Use, under, o.Reason, string(o.Form), o.Now())
		o.pseudonym = sum.Share.Salt
		for _, c := range columns {
			if c.field != listField && c.field != houseListField { // they are said where they are written
				sum.Fields = append(sum.Fields, c.field)
			}
		}
		r := &reader{view: v, opt: o, sum: &sum, ctx: ctx, about: &about, under: under, day: day(o.Now())}
		switch o.Form {
		case XLSX:
			return writeXLSX(out, r, columns)
		case HXL:
			return writeHXL(out, r, columns)
		}
		return writeRRF(out, r, columns)
	})
	if err == nil && sum.Households+sum.People == 0 {
		err = ErrNobody
	}
	return sum, [32]byte(digest.Sum(nil)), about, err
}

// permitted asks for the agreement, and returns it with the columns of the file. Without
// named fields a file for others has those of its agreement.
func (o *Options) permitted(v rights.View) (*rights.Agreement, []column, error) {
	under, err := rights.Permit(v, o.Use, o.Now())
	if err != nil {
		return nil, nil, err
	}
	if under != nil {
		if len(o.Fields) == 0 {
			o.Fields = slices.DeleteFunc(slices.Clone(under.Fields), func(f string) bool { return f == rights.PhotoField })
		}
		if err := under.Allows(o.Fields); err != nil {
			return nil, nil, err
		}
	}
	columns, err := o.check()
	return under, columns, err
}

// Known reports whether an agreement can name a field: one that a file can have, or the
// photograph, which looks alone show.
func Known(field string) bool {
	_, err := choose(XLSX, []string{field})
	return err == nil || field == rights.PhotoField
}

// detail is what the audit entry of a file counts.
func (s Summary) detail(opt Options) string {
	fields := "usual"
	if len(opt.Fields) > 0 {
		fields = strings.Join(s.Fields, ",")
	}
	// The count and the file's digest say what there is no room for.
	return access.Fit(fmt.Sprintf("form=%s households=%d people=%d programme=%q round=%d fields=%s",
		opt.Form, s.Households, s.People, opt.Programme, opt.Round, fields))
}

// counted remembers the first error of a writer, so that not each cell is asked.
type counted struct {
	w   io.Writer
	err error
}

func (c *counted) Write(b []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.w.Write(b)
	c.err = err
	return n, err
}

// name is what a record goes by in the file. RRF has no place for a list beside it.
func (r *reader) name(rec registry.Record) string {
	switch {
	case rec.External == "":
		return intake.Alias(r.view, r.opt.pseudonym, rec.ID)
	case r.opt.Form == RRF && rec.Source != r.opt.Source:
		return rec.Source + "/" + rec.External
	}
	return rec.External
}

// listOf is the name of the list that numbers a record.
func listOf(rec registry.Record) string {
	switch {
	case rec.External == "":
		return ""
	case rec.Source == "":
		return intake.OwnList
	}
	return rec.Source
}

// guid is an identifier of the file's own in the form of a UUID (RFC 9562, version 8).
func (o *Options) guid(what string, id registry.ID) string {
	b := o.mark(what, id)
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func (o *Options) mark(what string, id registry.ID) []byte {
	m := hmac.New(sha256.New, o.pseudonym)
	m.Write([]byte(what))
	m.Write(id[:])
	return m.Sum(nil)
}

// day is a time as a day of the files.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
