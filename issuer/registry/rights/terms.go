package rights

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// A Class of data that has a term (DOMAIN 8.2, R11).
type Class string

// The classes. Files of imports are not among them: package imports destroys them.
const (
	Photos  Class = "photo"  // from the day a record was closed
	Records Class = "record" // from the day a record was closed
	Shared  Class = "shared" // files at others, by each agreement: they are asked
	Logs    Class = "log"    // of servers and machines: outside of this program
	Audit   Class = "audit"  // the audit log and the accounts of what was given: a chain, of which nothing is taken
)

// Classes are all, in the order of screens.
func Classes() []Class { return []Class{Photos, Records, Shared, Logs, Audit} }

// Terms say for how many days each class is kept.
type Terms map[Class]int

// DefaultTerms are guesses, to be decided by each organisation (DOMAIN 8.2, R11).
func DefaultTerms() Terms {
	return Terms{Photos: 183, Records: 183, Logs: 365, Audit: 7 * 365}
}

const maxTerm = 36500 // days

// MaxTermsBytes is the longest file of terms.
const MaxTermsBytes = 4 << 10

// ParseTerms reads a file of terms: a class and its days a line, "photo: 183". A class that
// is not there keeps its default.
func ParseTerms(b []byte) (Terms, error) {
	if len(b) > MaxTermsBytes {
		return nil, deny(DeniedTermsLarge, "terms of over %d bytes", MaxTermsBytes)
	}
	var read map[Class]int
	in := yaml.NewDecoder(bytes.NewReader(b))
	if err := in.Decode(&read); err != nil {
		return nil, deny(DeniedTerms, "the terms cannot be read: %v", err)
	}
	if err := in.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, deny(DeniedTerms, "the file of terms holds a class a line, and nothing behind them")
	}
	terms := DefaultTerms()
	for class, days := range read {
		if _, ok := terms[class]; !ok || days < 1 || days > maxTerm {
			return nil, deny(DeniedTermDays, "terms: photo, record, log or audit, each with 1 to %d days", maxTerm)
		}
		terms[class] = days
	}
	return terms, nil
}

// File is the terms as ParseTerms reads them, in the order of Classes.
func (t Terms) File() []byte {
	var b strings.Builder
	for _, c := range Classes() {
		if days, ok := t[c]; ok {
			fmt.Fprintf(&b, "%s: %d\n", c, days)
		}
	}
	return []byte(b.String())
}

const termsID = "terms"

// TermsIn are the terms in force.
func TermsIn(v View) (Terms, error) {
	t, err := readPaper[Terms](v, kindTerms, termsID)
	if errors.Is(err, ErrNoPaper) {
		return DefaultTerms(), nil
	}
	return t, err
}

// SetTerms puts terms in force, by two: a short one destroys.
func (d *Desk) SetTerms(ctx context.Context, by access.Actor, t Terms) error {
	if _, err := ParseTerms(t.File()); err != nil {
		return err
	}
	if by.SecondPerson == "" {
		return fmt.Errorf("rights: terms: %w", registry.ErrSecondPerson)
	}
	return d.Store.WriteRights(ctx, by, func(tx Tx) error {
		if err := savePaper(tx, Paper{Kind: kindTerms, ID: termsID, At: d.now()}, t); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "retention.terms", Detail: strings.ReplaceAll(strings.TrimSpace(string(t.File())), "\n", " ")})
	})
}

// Due is something whose term is over.
type Due struct {
	Class Class       `json:"class"`
	ID    string      `json:"id,omitempty"` // of a share
	Unit  registry.ID `json:"unit,omitzero"`
	Since string      `json:"since"` // day from which the term counts
	Over  string      `json:"over"`  // day on which it was over
	Name  string      `json:"name,omitempty"`
}

// Due lists what is over, by class and day, and changes nothing. It reads no record.
func (d *Desk) Due(ctx context.Context) (list []Due, err error) {
	now := d.now()
	err = d.Store.ReadRights(ctx, func(v View) error {
		terms, err := TermsIn(v)
		if err != nil {
			return err
		}
		for _, class := range []Class{Photos, Records} {
			closed, err := v.Closings(now.AddDate(0, 0, -terms[class]), class == Photos)
			if err != nil {
				return err
			}
			for _, c := range closed {
				if due, ok := terms.over(c, now); ok && due.Class == class {
					list = append(list, due)
				}
			}
		}
		shares, err := overShares(v, now)
		list = append(list, shares...)
		return err
	})
	slices.SortFunc(list, func(a, b Due) int {
		return cmp.Or(cmp.Compare(slices.Index(Classes(), a.Class), slices.Index(Classes(), b.Class)), cmp.Compare(a.Over, b.Over),
			cmp.Compare(a.ID, b.ID), bytes.Compare(a.Unit[:], b.Unit[:]))
	})
	return list, err
}

// over tells what of a closed record is over; false: nothing. With the record its
// photograph goes.
func (t Terms) over(c Closing, now time.Time) (Due, bool) {
	for _, class := range []Class{Records, Photos} {
		over := c.At.AddDate(0, 0, t[class])
		if over.Before(now) && (class == Records || c.Photo) {
			return Due{Class: class, Unit: c.Unit, Since: c.At.UTC().Format(time.DateOnly), Over: over.UTC().Format(time.DateOnly)}, true
		}
	}
	return Due{}, false
}

// isOver reports whether the term of a record or photograph is over.
func isOver(v interface {
	Closing(registry.ID) (Closing, bool, error)
}, terms Terms, class Class, unit registry.ID, now time.Time) (bool, error) {
	c, ok, err := v.Closing(unit)
	if err != nil || !ok {
		return false, err
	}
	due, ok := terms.over(c, now)
	return ok && due.Class == class, nil
}

// overShares are the files at others whose agreement's term is over.
func overShares(v View, now time.Time) (list []Due, err error) {
	shares, err := SharesIn(v)
	if err != nil {
		return nil, err
	}
	days := map[string]int{} // by agreement: one has many
	for _, s := range shares {
		if s.Agreement == "" || s.Void {
			continue
		}
		if _, ok := days[s.Agreement]; !ok {
			a, err := AgreementIn(v, s.Agreement)
			if err != nil {
				return nil, err
			}
			days[s.Agreement] = a.RetentionDays
		}
		if over := s.At.AddDate(0, 0, days[s.Agreement]); over.Before(now) {
			list = append(list, Due{Class: Shared, ID: s.ID, Since: s.At.UTC().Format(time.DateOnly), Over: over.UTC().Format(time.DateOnly), Name: s.Name})
		}
	}
	return list, nil
}

// A Clearing is what of a list of due data two people decided to destroy.
type Clearing struct {
	Items []Due `json:"items"`
}

// MaxClearing bounds the items of one clearing.
const MaxClearing = maxErasure

// Payload is what both accounts of a clearing mean.
func (c *Clearing) Payload() ([]byte, error) { return json.Marshal(c) }

// ParseClearing reads Payload.
func ParseClearing(b []byte) (c Clearing, err error) {
	in := json.NewDecoder(bytes.NewReader(b))
	in.DisallowUnknownFields()
	if err := in.Decode(&c); err != nil {
		return Clearing{}, deny(DeniedUnread, "the list cannot be read: %v", err)
	}
	if len(c.Items) == 0 || len(c.Items) > MaxClearing {
		return Clearing{}, deny(DeniedMany, "a list of 1 to %d items: approve it in parts", MaxClearing)
	}
	return c, nil
}

// A Cleared says what came of a clearing.
type Cleared struct {
	Destroyed []Due
	Left      []Due // not due any more, or not for this program to destroy
	Erased    Erased
}

// CarryOut destroys what stands in a list, by two. Each item is looked at again in the
// transaction that destroys it: what is not due any more, such as a record that was opened,
// stays. Records are erased in one transaction, photographs in another, which nobody can
// read from then on. What is at others, and logs, are not this program's to destroy, and
// stay in Left. Active cards of a record are an error of the store.
func (d *Desk) CarryOut(ctx context.Context, by access.Actor, c Clearing) (done Cleared, err error) {
	return d.carryOut(ctx, by, c, false)
}

// carryOut is CarryOut; with stop, the cards of what is erased are stopped with it.
func (d *Desk) carryOut(ctx context.Context, by access.Actor, c Clearing, stop bool) (done Cleared, err error) {
	if by.SecondPerson == "" {
		return done, fmt.Errorf("rights: to destroy what is over: %w", registry.ErrSecondPerson)
	}
	var records, photos []Due
	for _, item := range c.Items {
		switch item.Class {
		case Photos:
			photos = append(photos, item)
		case Records:
			records = append(records, item)
		default:
			done.Left = append(done.Left, item)
		}
	}
	if len(photos) > 0 {
		if err := d.clearPhotos(ctx, by, photos, &done); err != nil {
			return done, err
		}
	}
	if len(records) > 0 {
		err = d.clearRecords(ctx, by, records, stop, &done)
	}
	return done, err
}

func (d *Desk) clearPhotos(ctx context.Context, by access.Actor, photos []Due, done *Cleared) error {
	var gone, left []Due
	err := d.Store.WriteRights(ctx, by, func(tx Tx) error {
		terms, err := TermsIn(tx)
		if err != nil {
			return err
		}
		var about []registry.ID
		for _, item := range photos {
			over, err := isOver(tx, terms, Photos, item.Unit, d.now())
			if err != nil {
				return err
			}
			if !over {
				left = append(left, item)
				continue
			}
			gone, about = append(gone, item), append(about, item.Unit)
			if _, err := tx.Save(registry.Change{ID: item.Unit, Fields: map[string][]byte{registry.PhotoField: nil}}); err != nil {
				return err
			}
		}
		if len(gone) == 0 {
			return nil
		}
		return tx.NoteAbout(access.Entry{Action: "retention.photos", Object: "photographs", Detail: fmt.Sprintf("photos=%d", len(gone))}, about)
	})
	if err == nil {
		done.Destroyed, done.Left = append(done.Destroyed, gone...), append(done.Left, left...)
	}
	return err
}

// clearRecords erases those of a list that are over when it is done: where one was opened
// again meanwhile, nothing was done, and the others are tried once more.
func (d *Desk) clearRecords(ctx context.Context, by access.Actor, records []Due, stop bool, done *Cleared) (err error) {
	for {
		var gone, left []Due
		e := Erasure{Reason: TermOver}
		err = d.Store.ReadRights(ctx, func(v View) error {
			terms, err := TermsIn(v)
			if err != nil {
				return err
			}
			for _, item := range records {
				over, err := isOver(v, terms, Records, item.Unit, d.now())
				if err != nil {
					return err
				}
				if over {
					gone, e.Units = append(gone, item), append(e.Units, item.Unit)
				} else {
					left = append(left, item)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		var erased Erased
		if len(gone) > 0 {
			erased, err = d.erase(ctx, by, e, stop, nil)
		}
		if errors.Is(err, errOpened) {
			continue
		}
		if err == nil {
			done.Destroyed, done.Left, done.Erased = append(done.Destroyed, gone...), append(done.Left, left...), erased
		}
		return err
	}
}
