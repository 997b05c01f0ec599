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
// A record's own id never leaves. People go by the number of the list they came
// with, and others by a pseudonym that is new in every file.
package export

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
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
	Source    string
	Reason    string // what for; at most MaxReason bytes, no names
	Recipient string // who gets it, as an organisation calls itself; at most MaxReason bytes

	pseudonym []byte // of this file
}

// MaxReason bounds reason and recipient, in bytes: together they stand in one audit entry.
const MaxReason = 180

// A Summary says what a file holds.
type Summary struct {
	Households int      `json:"households"`
	People     int      `json:"people"`
	Fields     []string `json:"fields"`
	// LeftOut counts what is on record and not in the file, by why.
	LeftOut map[string]int `json:"left_out,omitempty"`
	SHA256  string         `json:"sha256"` // of the file, in hex
}

// The keys of Summary.LeftOut.
const (
	LeftClosed     = "not active"
	LeftCounted    = "households without members" // in a form that lists people
	LeftErased     = "erased meanwhile"
	LeftNames      = "people with more names than a row takes"
	LeftBands      = "households with bands of the list's own"
	LeftCollectors = "households with a collector of another household"
)

// ErrNobody is returned where nobody fits: an empty file says less than that.
var ErrNobody = errors.New("export: nobody to export: no active record fits")

// Check says what is wrong with the options; Write asks it too.
func (o Options) Check() error {
	_, err := o.check()
	return err
}

func (o *Options) check() ([]column, error) {
	for _, t := range []struct{ what, text string }{{"a reason", o.Reason}, {"a recipient", o.Recipient}} {
		if s := strings.TrimSpace(t.text); s == "" || len(s) > MaxReason || !utf8.ValidString(s) {
			return nil, fmt.Errorf("export: needs %s of 1 to %d bytes", t.what, MaxReason)
		}
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
// Errors of w and the store are returned as they are; others say what to change in opt.
func Write(ctx context.Context, store registry.Store, by access.Actor, opt Options, w io.Writer) (Summary, error) {
	if err := by.Check(); err != nil {
		return Summary{}, fmt.Errorf("export: %w", err)
	}
	columns, err := opt.check()
	if err != nil {
		return Summary{}, err
	}
	opt.pseudonym = make([]byte, 32)
	rand.Read(opt.pseudonym) // never fails: package crypto/rand
	sum := Summary{LeftOut: map[string]int{}}
	for _, c := range columns {
		if c.field != listField && c.field != houseListField { // they are said where they are written
			sum.Fields = append(sum.Fields, c.field)
		}
	}
	digest := sha256.New()
	out := &counted{w: io.MultiWriter(w, digest)}
	var about []registry.ID // whose rows are in the file
	err = store.View(ctx, func(v registry.View) error {
		r := &reader{view: v, opt: &opt, sum: &sum, ctx: ctx, about: &about}
		switch opt.Form {
		case XLSX:
			return writeXLSX(out, r, columns)
		case HXL:
			return writeHXL(out, r, columns)
		}
		return writeRRF(out, r, columns)
	})
	if err != nil {
		return Summary{}, err
	}
	if sum.Households+sum.People == 0 {
		return Summary{}, ErrNobody
	}
	hash := digest.Sum(nil)
	sum.SHA256 = hex.EncodeToString(hash)
	err = store.Update(ctx, by, func(tx registry.Tx) error { return tx.NoteAbout(sum.entry(opt, [32]byte(hash)), about) })
	if err != nil {
		return Summary{}, fmt.Errorf("export: the audit entry could not be written, so the file must not be used: %w", err)
	}
	return sum, nil
}

// entry is the audit entry of a file. Its digest is that of the file.
func (s Summary) entry(opt Options, digest [32]byte) access.Entry {
	fields := "usual"
	if len(opt.Fields) > 0 {
		fields = strings.Join(s.Fields, ",")
	}
	detail := fmt.Sprintf("form=%s households=%d people=%d programme=%q round=%d fields=%s",
		opt.Form, s.Households, s.People, opt.Programme, opt.Round, fields)
	if len(detail) > access.MaxText { // the count and the file's digest say the rest
		const more = ",..."
		cut := access.MaxText - len(more)
		for !utf8.RuneStart(detail[cut]) {
			cut--
		}
		detail = detail[:cut] + more
	}
	return access.Entry{
		Action: "registry.export", Reason: strings.TrimSpace(opt.Reason) + "; for " + strings.TrimSpace(opt.Recipient), Detail: detail, Digest: digest,
	}
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
