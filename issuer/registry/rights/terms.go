package rights

import (
	"bytes"
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

// Due lists what is over, and changes nothing.
func (d *Desk) Due(ctx context.Context) (list []Due, err error) {
	today := d.now()
	err = d.Store.ReadRights(ctx, func(v View) error {
		terms, err := TermsIn(v)
		if err != nil {
			return err
		}
		for _, kind := range []registry.Kind{registry.KindHousehold, registry.KindPerson} {
			if err := eachUnit(v, kind, func(rec registry.Record) error {
				due, err := dueOfRecord(rec, terms, today)
				list = append(list, due...)
				return err
			}); err != nil {
				return err
			}
		}
		shares, err := SharesIn(v)
		if err != nil {
			return err
		}
		for _, s := range shares {
			if s.Agreement == "" {
				continue
			}
			a, err := AgreementIn(v, s.Agreement)
			if err != nil {
				return err
			}
			if over := s.At.AddDate(0, 0, a.RetentionDays); over.Before(today) {
				list = append(list, Due{Class: Shared, ID: s.ID, Since: s.At.UTC().Format(time.DateOnly), Over: over.UTC().Format(time.DateOnly), Name: s.Name})
			}
		}
		return nil
	})
	slices.SortFunc(list, func(a, b Due) int { return strings.Compare(a.key(), b.key()) })
	return list, err
}

// key orders a list by class and day, and tells its items apart.
func (u Due) key() string {
	return fmt.Sprintf("%d %s %s %s", slices.Index(Classes(), u.Class), u.Over, u.ID, u.Unit)
}

func eachUnit(v View, kind registry.Kind, fn func(registry.Record) error) error {
	const page = 500
	for after := (registry.ID{}); ; {
		ids, err := v.Units(kind, after, page)
		if err != nil {
			return err
		}
		for _, id := range ids {
			rec, err := v.Record(id)
			if errors.Is(err, registry.ErrErased) {
				continue
			}
			if err != nil {
				return err
			}
			if err := fn(rec); err != nil {
				return err
			}
		}
		if len(ids) < page {
			return nil
		}
		after = ids[len(ids)-1]
	}
}

// dueOfRecord tells what of a closed record is over. The term counts from the day on which
// it was closed here: a date that somebody wrote may lie anywhere.
func dueOfRecord(rec registry.Record, terms Terms, now time.Time) (list []Due, err error) {
	var status *registry.Status
	photo := false
	if rec.Kind == registry.KindPerson {
		p, err := rec.Person()
		if err != nil {
			return nil, err
		}
		status, photo = p.Status, len(p.Photo) > 0
	} else {
		h, err := rec.HouseholdRecord()
		if err != nil {
			return nil, err
		}
		status = h.Status
	}
	if status == nil || status.State != "closed" {
		return nil, nil
	}
	closed := rec.Fields["status"].At
	for _, class := range []Class{Photos, Records} {
		over := closed.AddDate(0, 0, terms[class])
		if class == Photos && !photo || !over.Before(now) {
			continue
		}
		list = append(list, Due{Class: class, Unit: rec.ID, Since: closed.UTC().Format(time.DateOnly), Over: over.UTC().Format(time.DateOnly)})
	}
	if len(list) == 2 {
		list = list[1:] // with the record the photo goes
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

// CarryOut destroys what stands in a list, by two. Each item is looked at again: what is
// not due any more, such as a record that was opened, stays. Records are erased in one
// transaction; photos are taken out of records, whose history keeps them, sealed, until the
// record is erased. What is at others, and logs, are not this program's to destroy, and stay in Left.
func (d *Desk) CarryOut(ctx context.Context, by access.Actor, c Clearing) (done Cleared, err error) {
	if by.SecondPerson == "" {
		return done, fmt.Errorf("rights: to destroy what is over: %w", registry.ErrSecondPerson)
	}
	now, err := d.Due(ctx)
	if err != nil {
		return done, err
	}
	var records []registry.ID
	var photos []Due
	for _, item := range c.Items {
		is := func(u Due) bool { return u.Class == item.Class && u.ID == item.ID && u.Unit == item.Unit }
		if !slices.ContainsFunc(now, is) {
			done.Left = append(done.Left, item)
			continue
		}
		switch item.Class {
		case Photos:
			photos = append(photos, item)
		case Records:
			records = append(records, item.Unit)
			done.Destroyed = append(done.Destroyed, item)
		default:
			done.Left = append(done.Left, item)
		}
	}
	if len(photos) > 0 {
		err := d.Store.WriteRights(ctx, by, func(tx Tx) error {
			var about []registry.ID
			for _, item := range photos {
				about = append(about, item.Unit)
				if _, err := tx.Save(registry.Change{ID: item.Unit, Fields: map[string][]byte{"photo": nil}}); err != nil {
					return err
				}
			}
			return tx.NoteAbout(access.Entry{Action: "retention.photos", Object: "photographs", Detail: fmt.Sprintf("photos=%d", len(photos))}, about)
		})
		if err != nil {
			return done, err
		}
		done.Destroyed = append(done.Destroyed, photos...)
	}
	if len(records) > 0 {
		done.Erased, err = d.Erase(ctx, by, Erasure{records, "term-over"})
	}
	return done, err
}
