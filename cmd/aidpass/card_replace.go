package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/credential/cwt"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
	"aidpass/schemas"
)

func (a *app) cardReplaceCommand() *cobra.Command {
	f := issueFlags{form: "card", unit: "person"}
	var which whichUnit
	var reason string
	cmd := &cobra.Command{
		Use:   "replace CARD ... | --unit NUMBER --reason CODE --out cards.jsonl",
		Short: "Cancel cards and make new ones in the same step",
		Long: `Cancel cards and make new ones in the same step: the new card says what the old one
said, under the same number and with the same end, and has an identity of its own.
A run that was interrupted is simply started again. What a number or --unit means was
replaced for that reason already is listed again, and nothing new is made: name the
new card itself, by its identity or its code, to replace that too.

--reason mended makes a whole card of a provisional one, once the record has what
the gate wants.

Unless the reason is spoiled (the desk has the old card), a second person vouches
that this is the person whose card it was: by the photo or a witness, never by
answers to questions. A card with a PIN gets a new one: --pins FILE.

` + whichCard + `--unit names
whose card it is, by the number in the list.`,
		Example: `  aidpass card replace GBFF-ZGF4-B2Y --reason lost --second-person lead-2 --out new.jsonl --images cards/
  aidpass card replace --unit H24 --kind household --reason lost --second-person lead-2 --out new.jsonl
  aidpass card replace torn.jpg --reason spoiled --out new.jsonl`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 && which.id == "":
				return usagef("which card?").hint("its number, its identity, its code or a picture; or --unit with the number in the list")
			case which.id == "" && (which.kind != "" || which.roster != ""):
				return usagef("--kind and --roster say which --unit").hint("--unit with the number in the list")
			case which.kind != "" && which.kind != "person" && which.kind != "household":
				return usagef("--kind %q", which.kind).hint("person or household")
			}
			if f.out == "" {
				return usagef("where do the cards go?").hint("--out cards.jsonl")
			}
			if reason == "" {
				return usagef("why?").hint("--reason lost, stolen, spoiled, or another code")
			}
			if reason != issuer.ReasonSpoiled && a.SecondPerson == "" {
				return usagef("to replace a card that is not at the desk: %w", issuer.ErrSecondPerson).hint("--second-person ACCOUNT")
			}
			files := []named{{"--out", f.out}, {"--pins", f.pins}, {"--type-file", f.typeFile}, {"--passphrase-file", a.PassphraseFile}}
			for _, arg := range args {
				files = append(files, named{"a picture", arg}) // a number is the name of no file
			}
			if err := distinct(files...); err != nil {
				return err
			}
			if err := placeFor("--out", f.out); err != nil {
				return err
			}
			return a.replace(cmd.Context(), args, which, f, reason)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&reason, "reason", "", "why, for the audit log: lost, stolen, spoiled, mended ...; never a name")
	fl.StringVar(&f.out, "out", "", "file for the new cards; they are as good as cash: readable to you alone")
	fl.StringVar(&f.images, "images", "", "folder for PNG images")
	fl.StringVar(&f.pins, "pins", "", "CSV file for the PINs of the new cards")
	fl.StringVar(&f.typeFile, "type-file", "", "own credential type of the cards")
	fl.StringVar(&which.id, "unit", "", "whose card: number in the list, or id of the record")
	fl.StringVar(&which.kind, "kind", "", "with --unit: person or household, where both have the number")
	fl.StringVar(&which.roster, "roster", "", "with --unit: name of the list, where its numbers are unique in it alone")
	return cmd
}

// replace makes a new card for each that is named.
func (a *app) replace(ctx context.Context, names []string, which whichUnit, f issueFlags, reason string) error {
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	if err := o.plausibleClock(ctx); err != nil {
		return err
	}
	run := &issueRun{app: a, f: f, o: o, list: &rosterList{}, onRecord: onRecord{kind: "card", units: map[int]string{}}}
	cards, made, err := o.toReplace(ctx, names, which, reason)
	if err != nil {
		return err
	}
	if err := sameCards(f.out, made, len(cards)); err != nil {
		return err
	}
	for i := range cards {
		run.list.rows++
		run.units[i+1] = cards[i].CardNumber
		if err := run.replace(ctx, i+1, &cards[i], reason); err != nil {
			return err
		}
	}
	return run.finish(ctx)
}

// toReplace finds the cards that are meant, and the new cards that stand in their
// place already. A number and a record mean the newest card, which may be the one
// that an earlier run for the same reason made: then the old one is meant again.
func (o *org) toReplace(ctx context.Context, names []string, which whichUnit, reason string) (cards []issuer.Card, made []issuer.CTI, err error) {
	for i := range len(names) + 1 {
		var card issuer.Card
		exact := false
		switch {
		case i < len(names):
			if card, err = o.oneCard(ctx, names[i], false); err == nil {
				exact, err = o.namedItself(ctx, names[i], card.ID)
			}
		case which.id == "":
			return cards, made, nil
		default:
			card, err = o.cardOf(ctx, which)
		}
		if err != nil {
			return nil, nil, err
		}
		old, why, ok, err := o.store.Replacement(ctx, card.ID)
		if err != nil {
			return nil, nil, err
		}
		if ok && !exact && why == reason && !card.Ended {
			found, err := o.store.Cards(ctx, issuer.Selection{IDs: []issuer.CTI{old}})
			if err != nil {
				return nil, nil, err
			}
			if len(found) == 1 {
				o.a.say("card %s was replaced for this reason already: that is %s; to replace this one too, name it so", cwt.GroupCardNumber(card.CardNumber), card.ID)
				made, card = append(made, card.ID), found[0]
			}
		}
		cards = append(cards, card)
	}
	return cards, made, nil
}

// namedItself reports whether an argument names this one card: its identity, its code
// or a picture of it, and not a number that its forerunners have too.
func (o *org) namedItself(ctx context.Context, arg string, id issuer.CTI) (bool, error) {
	if arg == id.String() {
		return true, nil
	}
	found, err := o.store.FindCredentials(ctx, arg)
	return len(found) == 0, err
}

// cardOf is the card of a person or household, as oneCard has it.
func (o *org) cardOf(ctx context.Context, which whichUnit) (issuer.Card, error) {
	desk := &issuer.Desk{Issuer: o.entry.ID, Store: o.store, Actor: o.a.actor(access.Issuer), Now: o.a.Now}
	found, err := which.find(ctx, desk)
	if err != nil {
		return issuer.Card{}, err
	}
	var ids []issuer.CTI
	for _, c := range found {
		if c.Unit != found[0].Unit {
			return issuer.Card{}, usagef("--unit %s means several people or households", which.id).hint("--kind person or --kind household, and --roster NAME")
		}
		ids = append(ids, c.ID)
	}
	if len(ids) == 0 {
		return issuer.Card{}, usagef("no card of a person or household with the number %s", which.id).hint("--kind and --roster say in which list; aidpass card list tells the cards there are")
	}
	cards, err := o.store.Cards(ctx, issuer.Selection{IDs: ids})
	if err != nil {
		return issuer.Card{}, err
	}
	slices.SortFunc(cards, func(x, y issuer.Card) int { return int(x.IssuedAt - y.IssuedAt) })
	return oneOf(cards, false)
}

// sameCards refuses to write over a file of other cards than those that the run will
// list: they are nowhere else. made are the new ones that are there already.
func sameCards(path string, made []issuer.CTI, all int) error {
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return nil
	}
	lines, err := readCards(path)
	same := err == nil && len(lines) == all && len(made) == all
	for i := range lines {
		same = same && slices.ContainsFunc(made, func(id issuer.CTI) bool { return id.String() == lines[i].Credential })
	}
	if !same {
		return usagef("%s is there already, and holds something else", path).hint("another name for --out: the cards of that file are in no other")
	}
	return nil
}

// replace makes the one for a card.
func (r *issueRun) replace(ctx context.Context, row int, card *issuer.Card, reason string) (err error) {
	f := r.f
	f.typeName, f.programme = card.Type, card.Programme
	t, err := f.check()
	if err != nil {
		return err
	}
	if t.VCT != card.VCT {
		return usagef("card %s is of another type than %s is now", cwt.GroupCardNumber(card.CardNumber), t.Name).hint("--type-file with the file it was issued under")
	}
	if card.Kind == issuer.Blank {
		return usagef("nobody is bound to card %s", cwt.GroupCardNumber(card.CardNumber)).hint("aidpass card spoiled %s --reason CODE, and bind another", cwt.GroupCardNumber(card.CardNumber))
	}
	if err := r.o.mayIssue(t, card.Programme); err != nil {
		return err
	}
	desk, err := r.openIssuer(r.o, t)
	if err != nil {
		return err
	}
	if row == 1 {
		if err := r.resume(ctx, desk); err != nil {
			return err
		}
	}
	b, hadPIN, err := r.replacement(ctx, t, card, reason)
	if err != nil {
		return err
	}
	if hadPIN && f.pins == "" {
		return usagef("card %s has a PIN", cwt.GroupCardNumber(card.CardNumber)).hint("--pins FILE for the new one")
	}
	if hadPIN {
		if r.pins, err = r.o.openPINs(f.pins, &b); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, r.pins.flush(), r.pins.close()); r.pins = nil }()
		if b.Requests[0].PIN, err = r.pins.draw(ctx, desk, row, card.Unit, card.ID); err != nil {
			return err
		}
	}
	b.Requests[0].Row = row
	digest, err := b.Digest()
	if err != nil {
		return err
	}
	b.Approval = issuer.Approval{By: r.Actor, Digest: digest}
	if r.SecondPerson != "" {
		b.Approval.By = r.SecondPerson
	}
	return desk.Replace(ctx, b, func(res issuer.Result) error { return r.take(&res, &b) })
}

// replacement is the batch of one new card with the claims of the old.
func (r *issueRun) replacement(ctx context.Context, t *schemas.Type, card *issuer.Card, reason string) (b issuer.Batch, hadPIN bool, err error) {
	again := issuer.Reissue{Type: t}
	if again.Find, err = r.o.cardKeys(); err != nil {
		return b, false, err
	}
	live, err := r.o.epochs(r.now())
	if err != nil {
		return b, false, err
	}
	for _, e := range live {
		again.Epochs = append(again.Epochs, e.Key)
	}
	found, err := r.o.store.FindCredentials(ctx, card.ID.String())
	if err != nil {
		return b, false, err
	}
	i := slices.IndexFunc(found, func(c issuer.Credential) bool { return c.ID == card.ID })
	if i < 0 {
		return b, false, fmt.Errorf("%w: %s", issuer.ErrNotFound, card.ID)
	}
	who, err := r.o.personOf(ctx, card.Unit)
	if err != nil {
		return b, false, err
	}
	q, hadPIN, err := again.Request(&found[i], who.Photo)
	switch {
	case errors.Is(err, issuer.ErrPhoto), errors.Is(err, issuer.ErrSealed), errors.Is(err, issuer.ErrNoCard):
		return b, false, usagef("card %s: %w", cwt.GroupCardNumber(card.CardNumber), err).hint("aidpass revoke it, and aidpass issue --replace makes one from the record")
	case err != nil:
		return b, false, err
	}
	b = issuer.Batch{Type: t, Programme: card.Programme, Form: card.Form, Reason: reason, Requests: []issuer.Request{q}}
	if card.Round == card.LastRound {
		b.Round = card.Round
	}
	if card.ExpiresAt > r.now() && reason != issuer.ReasonMended {
		b.ExpiresAt = card.ExpiresAt
	}
	if b.ProgrammeKey, err = r.o.programmeKey(card.Programme); err != nil {
		return b, false, err
	}
	if sealed, err := t.EncodeSealed(q.Claims); err == nil && sealed != nil || hadPIN {
		if b.EpochKey, err = r.o.epochKey(); err != nil {
			return b, false, err
		}
	}
	if card.Kind != issuer.Person && card.Kind != issuer.Household {
		return b, hadPIN, nil // its record was lost in a restore
	}
	b.Gate = r.o.closedGate(r.app)
	// The gate must let it pass as it is, and it lives as long as its type says.
	if reason == issuer.ReasonMended {
		policy, err := r.qualityPolicy("")
		if err != nil {
			return b, false, err
		}
		b.Gate = issuer.QualityGate(r.o.store, policy.Gate(card.Programme), r.Now)
	}
	return b, hadPIN, nil
}

// personOf reads a unit's record, as far as it is a person's.
func (o *org) personOf(ctx context.Context, unit issuer.UnitID) (p registry.Person, err error) {
	err = o.store.View(ctx, func(v registry.View) error {
		rec, err := v.Record(unit)
		if errors.Is(err, registry.ErrNotFound) || err == nil && rec.Kind != registry.KindPerson {
			return nil
		}
		if err == nil {
			p, err = rec.Person()
		}
		return err
	})
	return p, err
}

// closedGate keeps those from a new card whose record is closed: what else the gate
// asks was asked for the old one.
func (o *org) closedGate(a *app) issuer.Gate {
	judge := issuer.QualityGate(o.store, quality.Default().Gate(""), a.Now)
	return func(ctx context.Context, unit issuer.UnitID) (issuer.Decision, error) {
		d, err := judge(ctx, unit)
		if err == nil && !d.Final {
			d = issuer.Decision{}
		}
		return d, err
	}
}
