package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/credential/qr"
	"aidpass/issuer"
	"aidpass/issuer/print"
	"aidpass/issuer/print/proof"
	"aidpass/issuer/registry"
)

// maxCardsFile bounds a file of cards: some 300,000 of them.
const maxCardsFile = 256 << 20

// readCards reads what issue --out wrote, each credential once.
func readCards(path string) ([]cardLine, error) {
	b, err := readFile(path, maxCardsFile)
	if err != nil {
		return nil, err
	}
	var lines []cardLine
	seen := map[string]bool{}
	for n, line := range bytes.Split(b, []byte("\n")) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		var c cardLine
		if err := json.Unmarshal(line, &c); err != nil || c.Credential == "" || c.Text == "" {
			return nil, usagef("%s line %d: not a card", path, n+1).hint("print takes the file that aidpass issue --out wrote")
		}
		if !seen[c.Credential] {
			seen[c.Credential] = true
			lines = append(lines, c)
		}
	}
	if len(lines) == 0 {
		return nil, usagef("%s has no cards", path).hint("aidpass issue --out %s writes them", path)
	}
	return lines, nil
}

// cards makes of the lines what is printed, and the rules that paper is held to.
func (r *printRun) cards(ctx context.Context, lines []cardLine) ([]print.Card, error) {
	pins, err := readPINs(r.f.pins)
	if err != nil {
		return nil, err
	}
	organisation := r.o.entry.Names[r.f.lang]
	if organisation == "" {
		organisation = r.o.entry.Names["en"]
	}
	r.rules = proof.Rules{Chosen: map[string][]string{}, Names: &proof.Names{}}
	if r.f.complaint != "" {
		r.rules.Complaint = []string{r.f.complaint}
	}
	for _, name := range r.o.entry.Names {
		if r.opt.Plain {
			r.rules.Plain = append(r.rules.Plain, name)
		} else {
			r.rules.Houses = append(r.rules.Houses, name)
		}
	}
	issued, err := r.issued(ctx, lines)
	if err != nil {
		return nil, err
	}
	cards := make([]print.Card, len(lines))
	err = r.o.store.View(ctx, func(v registry.View) error {
		if err := allNames(ctx, v, r.rules.Names); err != nil {
			return err
		}
		for i := range lines {
			l := &lines[i]
			c := print.Card{
				ID: l.Credential, Unit: issued[i].Unit.String(), Text: l.Text, Number: issued[i].CardNumber, Organisation: organisation,
				Programme: l.Programme, Complaint: r.f.complaint, Boxes: r.f.boxes, PIN: pins[l.Number],
				Size: proof.TellsSize(l.Text, r.rules.Own),
			}
			if r.f.pins != "" && c.PIN == "" {
				return usagef("card %s has no PIN in %s", cwt.GroupCardNumber(l.Number), r.f.pins).hint("the same aidpass issue with --pins writes what the file lacks")
			}
			if c.ValidFrom, err = credential.ParseTime(l.ValidFrom); err == nil {
				c.ValidUntil, err = credential.ParseTime(l.ValidUntil)
			}
			if err != nil {
				return usagef("card %s: valid_from or valid_until: %w", cwt.GroupCardNumber(l.Number), err)
			}
			if err := r.chosen(v, &c); err != nil {
				return err
			}
			if r.f.list != "" {
				rec, err := v.Record(issued[i].Unit)
				if absent(err) != nil {
					return err
				}
				c.External = listNumber(rec.External)
			}
			cards[i] = c
		}
		return nil
	})
	return cards, err
}

// issued returns what is on record of the lines. A file of cards may have been
// mended by hand: whose a card is, its number and its code are the record's.
func (r *printRun) issued(ctx context.Context, lines []cardLine) ([]issuer.Credential, error) {
	all := make([]issuer.Credential, len(lines))
	var scratch qr.Scratch
	for i := range lines {
		l := &lines[i]
		found, err := r.o.store.FindCredentials(ctx, l.Credential)
		if err != nil {
			return nil, err
		}
		n := slices.IndexFunc(found, func(c issuer.Credential) bool { return c.ID.String() == l.Credential })
		if n < 0 {
			return nil, printError(fmt.Errorf("print: credential %q of the file: %w", l.Credential, issuer.ErrNotFound))
		}
		c := found[n]
		card, err := scratch.Decode(l.Text)
		if c.Card != nil && (err != nil || !bytes.Equal(card, c.Card)) || c.CardNumber != l.Number {
			return nil, usagef("credential %s: the file has another code or number than was issued", l.Credential).hint("the same aidpass issue --out writes the file anew")
		}
		all[i] = c
	}
	return all, nil
}

// chosen puts the name and the photograph on a card whose holder chose that: the
// person it is for, or who fetches for the household. Being its head gives no right.
func (r *printRun) chosen(v registry.View, c *print.Card) error {
	if !r.f.names && !r.f.photos {
		return nil
	}
	unit, err := issuer.ParseUnitID(c.Unit)
	if err != nil {
		return usagef("card %s: unit: %w", cwt.GroupCardNumber(c.Number), err).hint("issue the cards again with this program: --names needs to know whose they are")
	}
	holder, ok, err := holderOf(v, unit)
	if err != nil || !ok || holder.CardFace == nil {
		return err
	}
	if r.f.photos && holder.CardFace.Photo {
		c.Photo = holder.Photo
	}
	if r.f.names && holder.CardFace.Name && len(holder.Names) > 0 {
		c.Name = holder.Names[0].Text
		for _, n := range holder.Names {
			if n.Type == "" || n.Type == "official" {
				c.Name = n.Text
				break
			}
		}
		r.rules.Chosen[c.ID] = append(r.rules.Chosen[c.ID], c.Name)
	}
	return nil
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

// allNames puts the names of everybody on record into a dictionary.
func allNames(ctx context.Context, v registry.View, names *proof.Names) error {
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

// readPINs reads the file of issue --pins: number,pin.
func readPINs(path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	b, err := readFile(path, maxPINFile)
	if err != nil {
		return nil, err
	}
	pins := map[string]string{}
	rows := csv.NewReader(bytes.NewReader(b))
	rows.FieldsPerRecord = 2
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return pins, nil
		}
		if err != nil {
			return nil, usagef("%s is no file of PINs", path).hint("issue --pins FILE writes one")
		}
		pins[row[0]] = row[1]
	}
}
