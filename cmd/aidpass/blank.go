package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/credential/cwt"
	"aidpass/issuer"
	"aidpass/issuer/registry"
)

func (a *app) blankCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "blank",
		Short: "Pre-numbered cards: made ahead, given to people at the desk",
		Example: `  aidpass blank make --type eligibility --programme K7Q2 --claim rounds=1-6 --count 200 --out blank.jsonl
  aidpass blank bind GBFF-ZGF4-B2Y --unit HH-0042
  aidpass blank list
  aidpass blank void --lot k3f9x2mq --reason stolen`,
	}
	cmd.AddCommand(a.blankMakeCommand(), a.blankBindCommand(), a.blankListCommand(), a.blankVoidCommand())
	return cmd
}

func (a *app) blankMakeCommand() *cobra.Command {
	f := issueFlags{form: "card", unit: "person"}
	o := issuer.BlankOrder{}
	cmd := &cobra.Command{
		Use:   "make --programme CODE --count N --out blank.jsonl",
		Short: "Make pre-numbered cards that nobody has yet",
		Long: `Make pre-numbered cards that nobody has yet, for a programme and round (--round) or
several (--claim rounds=1-6). They say nothing of their bearers, so they have no
household size. Print them like others; they are on hold until aidpass blank bind
gives each to somebody.

--live makes them good at once, for places without network: then whoever finds one
can use it, until it is revoked and service points have heard of it. Two persons.

A run that was interrupted is simply started again, and finishes its lot. --lot ID
writes the cards of a lot once more.`,
		Example: `  aidpass blank make --type eligibility --programme K7Q2 --round 1 --count 200 --out blank.jsonl
  aidpass blank make --type eligibility --programme K7Q2 --claim rounds=1-6 --count 50 --live --second-person lead-2 --out blank.jsonl
  aidpass blank make --type eligibility --programme K7Q2 --round 1 --lot k3f9x2mq --out blank.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.makeBlanks(cmd.Context(), f, o) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.typeName, "type", "eligibility", "type of the cards")
	fl.StringVar(&f.typeFile, "type-file", "", "own credential type (JSON Schema with x-aidpass)")
	fl.StringVar(&f.programme, "programme", "", "opaque code of the programme, as K7Q2")
	fl.Uint64Var(&f.round, "round", 0, "number of the round")
	fl.IntVar(&f.validDays, "valid-days", 0, "days until the cards end (default: as the type says)")
	fl.StringArrayVar(&f.claims, "claim", nil, "NAME=VALUE for every card; repeat")
	fl.IntVar(&o.Count, "count", 0, "how many")
	fl.BoolVar(&o.Live, "live", false, "good before they are bound; needs --second-person")
	fl.StringVar(&o.Lot, "lot", "", "write the cards of this lot once more")
	fl.StringVar(&f.out, "out", "", "file for the cards; readable to you alone")
	fl.StringVar(&f.images, "images", "", "folder for PNG images")
	fl.StringVar(&f.trust, "trust", "", "newest signed trust list (default: the newest that was used here)")
	fl.StringArrayVar(&f.chain, "chain", nil, "with --trust: list that changed the custodians, oldest first; repeat")
	return cmd
}

func (a *app) makeBlanks(ctx context.Context, f issueFlags, order issuer.BlankOrder) error {
	t, err := f.check()
	if err != nil {
		return err
	}
	switch {
	case order.Lot == "" && (order.Count < 1 || order.Count > issuer.MaxBlanks):
		return usagef("how many?").hint("--count 1 to %d", issuer.MaxBlanks)
	case order.Live && a.SecondPerson == "":
		return usagef("cards that work before they are bound: %w", issuer.ErrSecondPerson).hint("--second-person ACCOUNT")
	}
	if err := f.record.claims(&f, t); err != nil {
		return err
	}
	if order.Claims = f.record.fixed; order.Claims[t.SizeBandClaim] != nil {
		return usagef("a blank card has no %s: nobody knows yet whose it will be", t.SizeBandClaim).hint("leave it out")
	}
	if f.trust != "" {
		if err := a.useTrustList(f.trust, f.chain); err != nil {
			return err
		}
	}
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	if err := errors.Join(o.plausibleClock(ctx), o.mayIssue(t, f.programme)); err != nil {
		return err
	}
	desk, err := a.openIssuer(o, t)
	if err != nil {
		return err
	}
	b, err := f.batch(o, t, a.now())
	if err != nil {
		return err
	}
	run := &issueRun{app: a, f: f, o: o, list: &rosterList{}, onRecord: onRecord{kind: "card"}}
	if err := run.resume(ctx, desk); err != nil {
		return err
	}
	bar := a.progress("making blank cards")
	lot, err := desk.MakeBlanks(ctx, b, order, func(l issuer.BlankLot) {
		run.list.rows = len(l.Units)
		a.say("lot %s", l.ID)
	}, func(r issuer.Result) error {
		bar.step(len(run.cards), run.list.rows)
		return run.take(&r, &b)
	})
	bar.end()
	if errors.Is(err, issuer.ErrNoLot) {
		return usagef("%w: %s", issuer.ErrNoLot, order.Lot).hint("aidpass blank list tells them; give the same --type, --programme and rounds")
	}
	if err != nil {
		return err
	}
	if lot.Live {
		a.say("WARNING: these cards are good now: whoever finds one can use it. Count them, and keep them like cash")
	}
	return run.finish(ctx)
}

func (a *app) blankBindCommand() *cobra.Command {
	var which whichUnit
	var override, policy string
	cmd := &cobra.Command{
		Use:   "bind CARD --unit NUMBER",
		Short: "Give a pre-numbered card to somebody on record",
		Long: `Give a pre-numbered card to somebody on record: from here on it is theirs, and good.

The quality gate is asked, and something must be planned for them in a round of the
card. What lacks a little is let through, and what is to be mended is told. A second person may let one pass: --override CODE --second-person ACCOUNT; not
where the record is closed, the entitlement on hold or cancelled, or the programme
counts otherwise. Who has a card number in the programme keeps that: aidpass card
replace.

` + whichCard,
		Example: `  aidpass blank bind GBFF-ZGF4-B2Y --unit HH-0042
  aidpass blank bind photo-of-card.jpg --unit 17 --kind person --roster village-b
  aidpass blank bind GBFF-ZGF4-B2Y --unit 5d0c... --override known_here --second-person lead-2`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case which.id == "":
				return usagef("to whom?").hint("--unit with the number in the list, or the id of the record")
			case which.kind != "" && which.kind != "person" && which.kind != "household":
				return usagef("--kind %q", which.kind).hint("person or household")
			case override != "" && !slices.Contains(issuer.OverrideReasons, override):
				return usagef("--override is not a reason for which somebody passes the gate").hint("one of %s", strings.Join(issuer.OverrideReasons, ", "))
			case override != "" && a.SecondPerson == "":
				return usagef("--override: %w", issuer.ErrSecondPerson).hint("--second-person ACCOUNT")
			}
			return a.bind(cmd.Context(), args[0], which, override, policy)
		},
	}
	cmd.Flags().StringVar(&which.id, "unit", "", "number in the list, or id of the record")
	cmd.Flags().StringVar(&which.kind, "kind", "", "person or household, where both have the number (default: as the programme counts)")
	cmd.Flags().StringVar(&which.roster, "roster", "", "name of the list, where its numbers are unique in it alone")
	cmd.Flags().StringVar(&override, "override", "", "why it is bound although the gate refuses: "+strings.Join(issuer.OverrideReasons, ", "))
	cmd.Flags().StringVar(&policy, "policy", "", "what the gate wants known (default: required.json in the data folder, else built in)")
	return cmd
}

func (a *app) bind(ctx context.Context, arg string, which whichUnit, override, policyPath string) error {
	policy, err := a.qualityPolicy(policyPath)
	if err != nil {
		return err
	}
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	card, err := o.oneCard(ctx, arg, true)
	if err != nil {
		return err
	}
	unit, err := o.unitCalled(ctx, which, card.Programme)
	if err != nil {
		return err
	}
	desk := &issuer.Desk{Issuer: o.entry.ID, Store: o.store, Actor: a.actor(access.Issuer), Now: a.Now}
	rounds := issuer.Rounds{First: card.Round, Last: card.LastRound}
	judge := issuer.DueGate(o.store, policy.Gate(card.Programme), card.Programme, rounds, a.Now)
	var decision issuer.Decision
	gate := func(ctx context.Context, unit issuer.UnitID) (_ issuer.Decision, err error) {
		decision, err = judge(ctx, unit)
		return decision, err
	}
	card, err = desk.Bind(ctx, card.ID, unit, gate, override)
	var no *issuer.Refusal
	switch {
	case errors.As(err, &no):
		return usagef("not bound: %s", no.Text).hint("mend the record; or a second person: --override CODE --second-person ACCOUNT")
	case errors.Is(err, issuer.ErrNamed):
		return usagef("%w", err).hint("aidpass card list --programme %s tells the number; aidpass card replace makes a new card under it", card.Programme)
	case errors.Is(err, issuer.ErrBound), errors.Is(err, issuer.ErrNotBlank), errors.Is(err, issuer.ErrCardState):
		return usagef("%w", err).hint("aidpass card show %s tells what became of it", arg)
	case err != nil:
		return err
	}
	for n := max(card.Round, 1); n <= card.LastRound; n++ {
		if _, err := desk.Reconcile(ctx, o.store, card.VCT, card.Programme, n); err != nil {
			return err
		}
	}
	result := cardJSON(&card)
	result["provisional"] = decision.Ruling == issuer.GateProvisional
	return a.print(result, func(w io.Writer) {
		fmt.Fprintf(w, "card %s is bound to %s %s, and good until %s\n", cwt.GroupCardNumber(card.CardNumber), card.Kind, card.Unit, card.ExpiresAt)
		if decision.Ruling == issuer.GateProvisional {
			fmt.Fprintf(w, "something is still to be filled in, until then: %s\n", strings.Join(decision.Reasons, "; "))
		}
		fmt.Fprintln(w, "next: aidpass pack build, so that service points hear of it; aidpass card handed-over", cwt.GroupCardNumber(card.CardNumber))
	})
}

// unitCalled finds the one unit on record.
func (o *org) unitCalled(ctx context.Context, which whichUnit, programme string) (unit issuer.UnitID, err error) {
	err = o.store.View(ctx, func(v registry.View) error {
		both := []registry.Kind{registry.KindPerson, registry.KindHousehold}
		kinds := both
		if p, err := v.Programme(programme); err == nil && p.Counts != "" {
			kinds = []registry.Kind{p.Counts}
		}
		if which.kind != "" {
			kinds = []registry.Kind{registry.Kind(which.kind)}
		}
		var found []issuer.UnitID
		for _, kind := range kinds {
			id, ok, err := v.Find(kind, which.roster, which.id)
			if err != nil {
				return err
			}
			if ok {
				found = append(found, id)
			}
		}
		switch len(found) {
		case 1:
			unit = found[0]
			return nil
		case 2:
			return usagef("%s is a person and a household", which.id).hint("--kind person or --kind household")
		}
		if unit, err = registry.ParseID(which.id); err != nil {
			for _, kind := range both {
				if _, ok, err := v.Find(kind, which.roster, which.id); err == nil && ok {
					return usagef("no %s on record has the number %s; a %s has", kinds[0], which.id, kind).
						hint("--kind %s, where the programme counts those; else the number of the %s they belong to", kind, kinds[0])
				}
			}
			return usagef("nobody on record has the number %s", which.id).hint("--roster NAME says in which list; aidpass registry show finds records")
		}
		return nil
	})
	return unit, err
}

func (a *app) blankListCommand() *cobra.Command {
	var lot string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List lots of pre-numbered cards, or the cards of one",
		Example: `  aidpass blank list
  aidpass blank list --lot k3f9x2mq      # the cards that nobody has`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			if lot != "" {
				cards, err := o.unbound(cmd.Context(), lot)
				if err != nil {
					return err
				}
				lines := make([]map[string]any, len(cards))
				for i := range cards {
					lines[i] = cardJSON(&cards[i])
				}
				return a.print(map[string]any{"cards": lines}, func(w io.Writer) { writeCards(w, cards, nil) })
			}
			lots, err := o.store.BlankLots(cmd.Context())
			if err != nil {
				return err
			}
			lines := []map[string]any{}
			for _, l := range lots {
				lines = append(lines, map[string]any{"lot": l.ID, "type": l.Type, "programme": l.Programme, "rounds": []uint64{l.Rounds.First, l.Rounds.Last},
					"live": l.Live, "count": l.Count, "signed": l.Issued, "bound": l.Bound, "ended": l.Ended, "at": l.At, "by": l.By})
			}
			return a.print(map[string]any{"lots": lines}, func(w io.Writer) {
				for _, l := range lots {
					fmt.Fprintf(w, "%s  %s %s rounds %d-%d  %d cards: %d bound, %d ended, %d nobody's%s\n", l.ID, l.Type, l.Programme, l.Rounds.First, l.Rounds.Last,
						l.Count, l.Bound, l.Ended, l.Issued-l.Bound-l.Ended, unfinished(l))
				}
			})
		},
	}
	cmd.Flags().StringVar(&lot, "lot", "", "the cards of this lot that nobody has")
	return cmd
}

// unfinished tells of a lot what is remarkable.
func unfinished(l issuer.BlankLot) string {
	var notes []string
	if l.Issued < l.Count {
		notes = append(notes, fmt.Sprintf("%d not signed yet: run blank make again", l.Count-l.Issued))
	}
	if l.Live {
		notes = append(notes, "good before they are bound")
	}
	if len(notes) == 0 {
		return ""
	}
	return " (" + strings.Join(notes, "; ") + ")"
}

// unbound returns the cards of a lot that nobody has.
func (o *org) unbound(ctx context.Context, lot string) ([]issuer.Card, error) {
	cards, err := o.store.Cards(ctx, issuer.Selection{BlankLot: lot})
	if err != nil {
		return nil, err
	}
	if len(cards) == 0 {
		return nil, usagef("no lot %s", lot).hint("aidpass blank list tells them")
	}
	return slices.DeleteFunc(cards, func(c issuer.Card) bool { return c.Kind != issuer.Blank }), nil
}

func (a *app) blankVoidCommand() *cobra.Command {
	var lot, reason string
	var yes int
	cmd := &cobra.Command{
		Use:   "void --lot ID --reason CODE [--yes N]",
		Short: "Revoke the cards of a lot that nobody has, in one act",
		Long: `Revoke the cards of a lot that nobody has, in one act. Those that were bound stay as
they are. Without --yes it counts them and changes nothing.`,
		Example: "  aidpass blank void --lot k3f9x2mq --reason stolen\n  aidpass blank void --lot k3f9x2mq --reason stolen --yes 17",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if lot == "" || reason == "" {
				return usagef("which lot, and why?").hint("--lot ID --reason CODE; aidpass blank list tells the lots")
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			cards, err := o.unbound(cmd.Context(), lot)
			if err != nil {
				return err
			}
			return a.bulk(cmd.Context(), o, cardBulkActs[0], cards, reason, yes, false)
		},
	}
	cmd.Flags().StringVar(&lot, "lot", "", "the lot, as aidpass blank list tells")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit log: a code, never a name")
	cmd.Flags().IntVar(&yes, "yes", 0, "the number of cards, to confirm it")
	return cmd
}
