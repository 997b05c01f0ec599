package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/status"
)

// cardSelection are the flags that pick many cards.
type cardSelection struct {
	issuer.Selection
	importID string
}

func (s *cardSelection) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.PrintJob, "print-job", "", "cards of this print job (aidpass card jobs)")
	f.StringVar(&s.BlankLot, "blank-lot", "", "cards of this lot of blank ones (aidpass blank list)")
	f.StringVar(&s.Lot, "batch", "", "cards that one issue made (batch in aidpass card list --json)")
	f.StringVar(&s.importID, "import", "", "cards of those that this import made or changed: its id, or last")
	f.StringVar(&s.Programme, "programme", "", "cards of this programme")
	f.Uint64Var(&s.Round, "round", 0, "with any of these: that hold for this round")
	f.StringVar(&s.Type, "type", "", "with any of these: of this type")
}

func (s *cardSelection) empty() bool { return s.importID == "" && s.Empty() }

// find returns the cards.
func (s *cardSelection) find(ctx context.Context, o *org) ([]issuer.Card, error) {
	if s.empty() {
		return nil, usagef("which cards?").hint("--print-job, --blank-lot, --batch, --import or --programme")
	}
	if s.PrintJob != "" {
		if _, err := o.store.PrintJobs(ctx, s.PrintJob); errors.Is(err, issuer.ErrNoJob) {
			return nil, usagef("%w: %s", issuer.ErrNoJob, s.PrintJob).hint("aidpass card jobs lists them")
		} else if err != nil {
			return nil, err
		}
	}
	sel := s.Selection
	if s.importID != "" {
		var err error
		if sel.Units, err = o.importUnits(ctx, s.importID); err != nil {
			return nil, err
		}
	}
	return o.store.Cards(ctx, sel)
}

// importUnits returns whom an import made or changed, never nil. name is its id, or
// last for the newest.
func (o *org) importUnits(ctx context.Context, name string) ([]issuer.UnitID, error) {
	var id registry.ID
	var err error
	if name == "last" {
		err = o.store.View(ctx, func(v registry.View) error {
			all, err := v.Imports()
			if err == nil && len(all) == 0 {
				err = usagef("nothing was imported yet").hint("aidpass registry import LIST")
			}
			for _, f := range all {
				id = f.ID // oldest first
			}
			return err
		})
	} else if id, err = registry.ParseID(name); err != nil {
		err = usagef("--import: %w", err).hint("32 hex digits, as aidpass registry import --json told; or last")
	}
	if err != nil {
		return nil, err
	}
	units, err := o.store.ImportUnits(ctx, id)
	if errors.Is(err, issuer.ErrNotFound) {
		return nil, usagef("no import %s", name).hint("32 hex digits, as aidpass registry import --json told; or last")
	}
	if units == nil {
		units = []issuer.UnitID{}
	}
	return units, err
}

// cardBulkAct changes the status of many cards.
type cardBulkAct struct {
	verb, short, long, can, done string
	to                           status.Value
}

var cardBulkActs = []cardBulkAct{
	{"void", "Revoke many cards in one act", `More than 20 cards need a second person, and are suspended first (aidpass card
suspend, which can be taken back), unless the reason is stolen, lost or compromised.`, "cancelled", "revoked", status.Invalid},
	{"suspend", "Put many cards on hold in one act", "aidpass card resume takes it back. More than 20 cards need a second person.", "put on hold", "on hold", status.Suspended},
	{"resume", "End the suspension of many cards in one act", "Blank cards that nobody has stay on hold. More than 20 cards need a second person.", "let go", "good again", status.Valid},
}

func (a *app) cardBulkCommand(act cardBulkAct) *cobra.Command {
	var s cardSelection
	var reason string
	var yes int
	var keep bool
	cmd := &cobra.Command{
		Use:   act.verb + " SELECTION --reason CODE [--yes N]",
		Short: act.short,
		Long: act.short + `: of a print job, a batch, a lot of blank cards, an import, or a
programme and round. All of it or nothing.

Without --yes nothing is changed: it counts how many can be ` + act.can + `, and why others
cannot. Then the same with --yes and that number.

` + act.long,
		Example: fmt.Sprintf("  aidpass card %[1]s --print-job k3f9x2mq --reason stolen\n  aidpass card %[1]s --print-job k3f9x2mq --reason stolen --yes 10\n"+
			"  aidpass card %[1]s --programme K7Q2 --round 2 --reason wrong-list --yes 412 --second-person lead-2", act.verb),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if reason == "" {
				return usagef("why?").hint("--reason with a code, as stolen")
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			cards, err := s.find(cmd.Context(), o)
			if err != nil {
				return err
			}
			return a.bulk(cmd.Context(), o, act, cards, reason, yes, keep)
		},
	}
	s.flags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit log: a code, never a name; stolen, lost or compromised act at once")
	cmd.Flags().IntVar(&yes, "yes", 0, "the number of cards, to confirm it")
	cmd.Flags().BoolVar(&keep, "keep-handed-over", false, "leave those alone that are in somebody's hands")
	return cmd
}

// bulk plans an act and, once its number is confirmed, does it.
func (a *app) bulk(ctx context.Context, o *org, act cardBulkAct, cards []issuer.Card, reason string, yes int, keep bool) error {
	desk := &issuer.Desk{Issuer: o.entry.ID, Store: o.store, Actor: a.actor(access.Issuer), Now: a.Now}
	plan := issuer.PlanBulk(cards, act.to, keep, a.now())
	done := yes > 0 && len(plan.Can) > 0
	if done {
		if err := desk.Bulk(ctx, plan, reason, yes); err != nil {
			return a.bulkError(err, plan)
		}
	}
	if yes > 0 && !done {
		return usagef("--yes %d, and none of %d cards can be %s", yes, plan.Total, act.can).hint("look at them again without --yes")
	}
	cannot := []map[string]any{}
	for _, r := range plan.Cannot {
		cannot = append(cannot, map[string]any{"why": r.Why, "cards": r.Count})
	}
	result := map[string]any{"total": plan.Total, "can": len(plan.Can), "already": plan.Already, "cannot": cannot, "handed_over": plan.HandedOver, "done": done, "dry_run": !done}
	return a.print(result, func(w io.Writer) {
		if done {
			fmt.Fprintf(w, "%s %s\n", plural(len(plan.Can), "card is", "cards are"), act.done)
		} else {
			fmt.Fprintf(w, "%d of %s can be %s", len(plan.Can), plural(plan.Total, "card", "cards"), act.can)
			if plan.HandedOver > 0 {
				fmt.Fprintf(w, ", %d of them in somebody's hands", plan.HandedOver)
			}
			fmt.Fprintln(w)
		}
		if plan.Already > 0 {
			fmt.Fprintf(w, "%d are so already\n", plan.Already)
		}
		for _, r := range plan.Cannot {
			fmt.Fprintf(w, "%d cannot, because %s\n", r.Count, r.Why)
		}
		switch {
		case done:
			fmt.Fprintln(w, "next: aidpass pack build; service points hear of it with their next pack")
		case len(plan.Can) > 0:
			second := ""
			if len(plan.Can) > issuer.BulkLimit && a.SecondPerson == "" {
				second = fmt.Sprintf(" and --second-person ACCOUNT, as it is more than %d", issuer.BulkLimit)
			}
			fmt.Fprintf(w, "nothing was changed; next: the same with --yes %d%s\n", len(plan.Can), second)
			if act.to == status.Invalid && len(plan.Can) > issuer.BulkLimit && plan.Active > 0 && !issuer.AtOnce(reason) {
				fmt.Fprintf(w, "  but first: aidpass card suspend with the same selection and --yes %d\n", plan.Active)
			}
		}
	})
}

func (a *app) bulkError(err error, plan issuer.BulkPlan) error {
	switch {
	case errors.Is(err, issuer.ErrConfirm):
		return usagef("%w", err).hint("look at them again without --yes")
	case errors.Is(err, issuer.ErrSecondPerson):
		return usagef("%w", err).hint("--second-person ACCOUNT")
	case errors.Is(err, issuer.ErrSuspendFirst):
		return usagef("%w", err).hint("aidpass card suspend with the same selection and --yes %d, then this again", plan.Active)
	}
	return err
}
