// Package press prints cards that were issued: it takes them as they are on record, puts
// on them what their holders chose, has the finished file proved, and writes it into the
// print log before anybody gets it. How cards lie on paper is package print's.
package press

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/issuer/print"
	"aidpass/issuer/print/proof"
	"aidpass/issuer/registry"
	"aidpass/status"
)

// A Job says what is printed, and how.
type Job struct {
	print.Options
	Organisation map[string]string // its names, by language
	Complaint    string            // how to reach somebody, in a line; empty: any help desk
	Boxes        int               // to mark collections in
	Names        bool              // the names of those who chose that
	Photos       bool
}

// Organisation in a language of the cards.
func (j *Job) house() string {
	if name := j.Organisation[j.Lang]; name != "" {
		return name
	}
	return j.Organisation["en"]
}

// Rules are what the paper of a job is held to. Names and Chosen are empty: see Dictionary
// and Fill.
func (j *Job) Rules() proof.Rules {
	r := proof.Rules{Chosen: map[string][]string{}, Names: &proof.Names{}}
	if j.Complaint != "" {
		r.Complaint = []string{j.Complaint}
	}
	for _, name := range j.Organisation {
		if j.Plain {
			r.Plain = append(r.Plain, name)
		} else {
			r.Houses = append(r.Houses, name)
		}
	}
	return r
}

// Layout names the way of printing in the print log.
func (j *Job) Layout() string {
	s := j.Paper.String()
	if j.Duplex && (j.Paper == print.A4 || j.Paper == print.Letter) {
		s += " duplex"
	}
	if j.Plain {
		s += " plain"
	}
	return s
}

// Card is a card of the job: what is the same on each, and what stands on record. Its
// period is the caller's, who has read it: the record has its end alone.
func (j *Job) Card(c *issuer.Credential, text string, own proof.Types) print.Card {
	return print.Card{ID: c.ID.String(), Unit: c.Unit.String(), Text: text, Number: c.CardNumber, Organisation: j.house(), Programme: c.Programme,
		Complaint: j.Complaint, Boxes: j.Boxes, ValidFrom: c.IssuedAt, ValidUntil: c.ExpiresAt, Size: proof.TellsSize(text, own)}
}

// Fill puts the name and the photograph on a card whose holder chose that: the person
// it is for, or who fetches for the household. Being its head gives no right.
func (j *Job) Fill(v registry.View, c *print.Card, unit issuer.UnitID, rules *proof.Rules) error {
	if !j.Names && !j.Photos {
		return nil
	}
	holder, ok, err := holderOf(v, unit)
	if err != nil || !ok || holder.CardFace == nil {
		return err
	}
	if j.Photos && holder.CardFace.Photo {
		c.Photo = holder.Photo
	}
	if j.Names && holder.CardFace.Name && len(holder.Names) > 0 {
		c.Name = holder.Names[0].Text
		for _, n := range holder.Names {
			if n.Type == "" || n.Type == "official" {
				c.Name = n.Text
				break
			}
		}
		rules.Chosen[c.ID] = append(rules.Chosen[c.ID], c.Name)
	}
	return nil
}

// Chosen is what the holder of a unit's card wants printed on it; the zero value, her
// number alone, as long as she did not say otherwise.
func Chosen(v registry.View, unit registry.ID) (face registry.CardFace, err error) {
	p, ok, err := holderOf(v, unit)
	if err == nil && ok && p.CardFace != nil {
		face = *p.CardFace
	}
	return face, err
}

// holderOf returns the person who holds the card of a unit; false where none is on
// record, as for a roster that was never a registry.
func holderOf(v registry.View, unit registry.ID) (registry.Person, bool, error) {
	rec, err := v.Record(unit)
	if err != nil {
		return registry.Person{}, false, absent(err)
	}
	if rec.Kind == registry.KindHousehold {
		h, err := rec.HouseholdRecord()
		if err != nil {
			return registry.Person{}, false, err
		}
		found := false
		for _, c := range h.Collectors {
			if c.Role != "primary" || c.Revoked != "" || c.Person == "" {
				continue
			}
			id, err := registry.ParseID(c.Person)
			if err != nil {
				return registry.Person{}, false, err
			}
			if rec, err = v.Record(id); err != nil {
				return registry.Person{}, false, absent(err)
			}
			found = true
			break
		}
		if !found {
			return registry.Person{}, false, nil
		}
	}
	p, err := rec.Person()
	return p, err == nil, err
}

// absent is nil for a record that is not there, or not any more.
func absent(err error) error {
	if errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrErased) {
		return nil
	}
	return err
}

// Dictionary puts the names of everybody on record into names: none may stand on paper
// but those that were chosen.
func Dictionary(ctx context.Context, v registry.View, names *proof.Names) error {
	const page = 500
	for after := (registry.ID{}); ; {
		ids, err := v.Units(registry.KindPerson, after, page)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := ctx.Err(); err != nil {
				return err
			}
			rec, err := v.Record(id)
			if err != nil {
				if absent(err) == nil {
					continue
				}
				return err
			}
			p, err := rec.Person()
			if err != nil {
				return err
			}
			for _, n := range p.Names {
				names.Add(n.Text)
			}
		}
		if len(ids) < page {
			return nil
		}
		after = ids[len(ids)-1]
	}
}

// A Standing says whether a card is still to be printed.
type Standing uint8

// The standings.
const (
	Fresh   Standing = iota // on no paper yet
	Printed                 // or its paper is known from elsewhere
	Ended                   // revoked
)

// StandingOf says whether a card is still to be printed: once, and never again, since
// what is printed again is a replacement.
func StandingOf(c *issuer.Card) Standing {
	switch {
	case c.PrintJob != "":
		return Printed
	case c.Status == status.Invalid || c.Paper.EndsCredential():
		return Ended
	case c.Paper != issuer.CardIssued:
		return Printed
	}
	return Fresh
}

// A Press prints from the store.
type Press struct {
	Desk     *issuer.Desk // whose Actor prints; neither its keys nor its log are used
	Registry registry.Store
	Now      func() credential.Time
}

// Cards makes a job's cards of those that can be printed now: not printed before, not
// revoked, not over. Every code is the stored one's. about are whose they are.
func (p *Press) Cards(ctx context.Context, j *Job, found []issuer.Card) (cards []print.Card, rules proof.Rules, about []registry.ID, err error) {
	var ids []issuer.CTI
	for i := range found {
		if s := &found[i]; StandingOf(s) == Fresh && s.State == issuer.Issued && s.ExpiresAt > p.Now() {
			ids = append(ids, s.ID)
		}
	}
	return p.read(ctx, j, ids)
}

func (p *Press) read(ctx context.Context, j *Job, ids []issuer.CTI) (cards []print.Card, rules proof.Rules, about []registry.ID, err error) {
	rules = j.Rules()
	short, err := p.provisional(ctx, ids)
	if err != nil {
		return nil, rules, nil, err
	}
	for _, id := range ids {
		one, err := p.Desk.Store.FindCredentials(ctx, id.String())
		if err != nil {
			return nil, rules, nil, err
		}
		k := slices.IndexFunc(one, func(c issuer.Credential) bool { return c.ID == id && c.Card != nil && c.Form == credential.FormCWT })
		if k < 0 {
			continue
		}
		text, err := one[k].Text()
		if err != nil {
			return nil, rules, nil, err
		}
		c := j.Card(&one[k], text, rules.Own)
		c.Provisional = short[id]
		cards, about = append(cards, c), append(about, one[k].Unit)
	}
	err = p.Registry.View(ctx, func(v registry.View) error {
		if err := Dictionary(ctx, v, rules.Names); err != nil {
			return err
		}
		for i := range cards {
			if err := j.Fill(v, &cards[i], about[i], &rules); err != nil {
				return err
			}
		}
		return nil
	})
	return cards, rules, about, err
}

// provisional are those of some cards that end by themselves: their slips say so.
func (p *Press) provisional(ctx context.Context, ids []issuer.CTI) (map[issuer.CTI]bool, error) {
	short := map[issuer.CTI]bool{}
	if len(ids) == 0 {
		return short, nil
	}
	found, err := p.Desk.Store.Cards(ctx, issuer.Selection{IDs: ids})
	for i := range found {
		short[found[i].ID] = found[i].Provisional
	}
	return short, err
}

// ErrGone: a file cannot be made again as it was.
var ErrGone = errors.New("press: the file cannot be made again as it was printed")

// Again draws the file of a print job anew, byte for byte: it was proved then. Where the
// job was another, or what holders chose has changed since, it is ErrGone.
func (p *Press) Again(ctx context.Context, j *Job, was issuer.PrintJob) (pdf []byte, about []registry.ID, err error) {
	if j.Layout() != was.Layout {
		return nil, nil, ErrGone
	}
	cards, _, about, err := p.read(ctx, j, was.Cards)
	if err != nil {
		return nil, nil, err
	}
	f, err := print.Cards(ctx, cards, j.Options)
	if err != nil {
		return nil, nil, err
	}
	if sha256.Sum256(f.PDF) != was.Digest {
		return nil, nil, ErrGone
	}
	return f.PDF, about, nil
}

// A Sheet is a file that was proved and stands in the print log.
type Sheet struct {
	print.File
	Job issuer.PrintJob // without an ID: no card could be printed
}

// Print draws one file, reads it back from its own bytes, and writes it into the print
// log. Where no card could be printed the Sheet says in Stopped why.
//
// Errors are those of print.Cards, print.Prove and issuer.Desk.RecordPrint.
func (p *Press) Print(ctx context.Context, j *Job, cards []print.Card, rules *proof.Rules) (s Sheet, err error) {
	if s.File, err = print.Cards(ctx, cards, j.Options); err != nil || len(s.File.Placed) == 0 {
		return s, err
	}
	if err := print.Prove(ctx, s.File, rules); err != nil {
		return s, err
	}
	job, err := JobOf(&s.File, j)
	if err != nil {
		return s, err
	}
	s.Job, err = p.Desk.RecordPrint(ctx, job)
	return s, err
}

// JobOf is what the print log has of a file.
func JobOf(f *print.File, j *Job) (issuer.PrintJob, error) {
	job := issuer.PrintJob{Layout: j.Layout(), Digest: sha256.Sum256(f.PDF)}
	for _, at := range f.Placed {
		id, err := issuer.ParseCTI(at.CardID)
		if err != nil {
			return job, fmt.Errorf("press: %w", err)
		}
		job.Cards = append(job.Cards, id)
	}
	return job, nil
}
