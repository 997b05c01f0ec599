package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/credential/cwt"
	"aidpass/issuer"
)

// cardMove is a verb that takes cards to a state.
type cardMove struct {
	verb, short, long string
	to                issuer.CardState
}

var cardMoves = []cardMove{
	{"handed-over", "Record that cards are in the hands of their holders", "", issuer.CardHandedOver},
	{"unclaimed", "Record that nobody came for cards", "They stay good, and may still be handed over. When they are destroyed their\ncredentials are revoked.", issuer.CardUnclaimed},
	{"spoiled", "Record that cards cannot be used, and revoke them", "The credential is revoked in the same act: aidpass card replace makes a new one.", issuer.CardSpoiled},
	{"destroyed", "Record that cards were destroyed, and revoke them", "The credential is revoked in the same act.", issuer.CardDestroyed},
}

func (a *app) cardMoveCommand(m cardMove) *cobra.Command {
	var s cardSelection
	var site, reason string
	var yes int
	use := strings.ReplaceAll(m.verb, "-", " ")
	cmd := &cobra.Command{
		Use:   m.verb + " CARD ... | SELECTION",
		Short: m.short,
		Long: m.short + ".\n\n" + strings.TrimSpace(m.long+"\n"+whichCard) + `
With a selection it is for all of it that can go there: first without --yes, which
counts them, then with the number.`,
		Example: fmt.Sprintf("  aidpass card %[1]s GBFF-ZGF4-B2Y --site WELL-A --reason code\n  aidpass card %[1]s --print-job k3f9x2mq --reason code --yes 10", m.verb),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 == s.empty() {
				return usagef("which cards?").hint("name them, or give --print-job, --blank-lot, --batch, --import or --programme")
			}
			if m.to.EndsCredential() && reason == "" {
				return usagef("why?").hint("--reason with a code, as torn or misprint: the cards are revoked")
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			desk := &issuer.Desk{Issuer: o.entry.ID, Store: o.store, Actor: a.actor(access.Issuer), Now: a.Now}
			var ids []issuer.CTI
			var cards []issuer.Card
			for _, arg := range args {
				c, err := o.oneCard(cmd.Context(), arg, true)
				if err != nil {
					return err
				}
				cards, ids = append(cards, c), append(ids, c.ID)
			}
			if len(args) == 0 {
				all, err := s.find(cmd.Context(), o)
				if err != nil {
					return err
				}
				for i := range all {
					if c := &all[i]; c.Paper != m.to && c.MayMove(m.to, a.now()) == nil {
						cards, ids = append(cards, all[i]), append(ids, c.ID)
					}
				}
				if done, err := a.confirmed(len(all), len(ids), yes, use); !done || err != nil {
					return err
				}
				if m.to.EndsCredential() && len(ids) > issuer.BulkLimit && a.SecondPerson == "" {
					return usagef("%d cards: %w", len(ids), issuer.ErrSecondPerson).hint("--second-person ACCOUNT")
				}
			}
			if err := desk.MoveCards(cmd.Context(), ids, m.to, site, reason); err != nil {
				if errors.Is(err, issuer.ErrCardState) {
					return usagef("%w", err).hint("aidpass card show CARD tells what became of it")
				}
				return err
			}
			var lines []map[string]any
			for i := range cards {
				lines = append(lines, map[string]any{"credential": cards[i].ID.String(), "number": cards[i].CardNumber, "state": m.to, "revoked": m.to.EndsCredential()})
			}
			return a.print(map[string]any{"cards": lines}, func(w io.Writer) {
				for i := range cards {
					fmt.Fprintf(w, "card %s  %s\n", cwt.GroupCardNumber(cards[i].CardNumber), use)
				}
				if m.to.EndsCredential() {
					fmt.Fprintln(w, "revoked: service points hear of it with their next pack; aidpass card replace makes new ones")
				}
			})
		},
	}
	s.flags(cmd)
	cmd.Flags().StringVar(&site, "site", "", "where: a code")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record: a code, never a name")
	cmd.Flags().IntVar(&yes, "yes", 0, "with a selection: the number of cards, to confirm it")
	return cmd
}

// confirmed tells how many of a selection an act is for, until --yes says that
// number. It reports whether to go on.
func (a *app) confirmed(total, can, yes int, what string) (bool, error) {
	switch {
	case yes == can && can > 0:
		return true, nil
	case yes > 0:
		return false, usagef("--yes %d, and it is %d of %d cards now", yes, can, total).hint("look at them again without --yes")
	}
	return false, a.print(map[string]any{"total": total, "can": can, "dry_run": true}, func(w io.Writer) {
		fmt.Fprintf(w, "%d of %s can be marked %s; nothing was changed\n", can, plural(total, "card", "cards"), what)
		if can > 0 {
			fmt.Fprintf(w, "next: the same with --yes %d\n", can)
		}
	})
}
