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
	"aidpass/issuer/press"
	"aidpass/issuer/print"
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
	r.rules = r.job().Rules()
	issued, err := r.issued(ctx, lines)
	if err != nil {
		return nil, err
	}
	cards := make([]print.Card, len(lines))
	err = r.o.store.View(ctx, func(v registry.View) error {
		if err := press.Dictionary(ctx, v, r.rules.Names); err != nil {
			return err
		}
		job := r.job()
		for i := range lines {
			l := &lines[i]
			c := job.Card(&issued[i], l.Text, r.rules.Own)
			c.Programme, c.PIN, c.Provisional = l.Programme, pins[l.Number], l.Provisional
			if r.f.pins != "" && c.PIN == "" {
				return usagef("card %s has no PIN in %s", cwt.GroupCardNumber(l.Number), r.f.pins).hint("the same aidpass issue with --pins writes what the file lacks")
			}
			if c.ValidFrom, err = credential.ParseTime(l.ValidFrom); err == nil {
				c.ValidUntil, err = credential.ParseTime(l.ValidUntil)
			}
			if err != nil {
				return usagef("card %s: valid_from or valid_until: %w", cwt.GroupCardNumber(l.Number), err)
			}
			if err := job.Fill(v, &c, issued[i].Unit, &r.rules); err != nil {
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

// job is the run as package press has it.
func (r *printRun) job() *press.Job {
	return &press.Job{Options: r.opt, Organisation: r.o.entry.Names, Complaint: r.f.complaint, Boxes: r.f.boxes, Names: r.f.names, Photos: r.f.photos}
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

// absent is nil for a record that is not there, or not any more.
func absent(err error) error {
	if errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrErased) {
		return nil
	}
	return err
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
