package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/credential/cwt"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/status"
)

func (a *app) cardCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "card",
		Short: "What became of the cards: printed, handed over, spoiled, replaced, void",
		Example: `  aidpass card list --print-job k3f9x2mq
  aidpass card handed-over GBFF-ZGF4-B2Y --site WELL-A
  aidpass card spoiled GBFF-ZGF4-B2Y --reason torn
  aidpass card replace GBFF-ZGF4-B2Y --reason lost --second-person lead-2 --out new.jsonl
  aidpass card void --print-job k3f9x2mq --reason stolen`,
	}
	cmd.AddCommand(a.cardListCommand(), a.cardShowCommand(), a.cardWishCommand(), a.cardJobsCommand())
	for _, m := range cardMoves {
		cmd.AddCommand(a.cardMoveCommand(m))
	}
	cmd.AddCommand(a.cardReplaceCommand())
	for _, act := range cardBulkActs {
		cmd.AddCommand(a.cardBulkCommand(act))
	}
	return cmd
}

const whichCard = `A card is named by the number printed on it, by its identity (14 characters, as in
cards.jsonl), by the text of its QR code, by a picture of it, or by the number that
its holder has in the list, as H24. `

func (a *app) cardListCommand() *cobra.Command {
	var s cardSelection
	var state string
	cmd := &cobra.Command{
		Use:   "list SELECTION",
		Short: "List cards and where they are",
		Long: `List cards and where they are: those of a batch, a print job, a lot of blank cards,
an import, or a programme and round.`,
		Example: `  aidpass card list --programme K7Q2 --round 1
  aidpass card list --print-job k3f9x2mq --state printed      # not handed over yet
  aidpass card list --import last --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if state != "" && !slices.Contains(cardStates, strings.ReplaceAll(state, "-", "_")) {
				return usagef("no state %q", state).hint("%s", strings.ReplaceAll(strings.Join(cardStates, ", "), "_", "-"))
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
			if state != "" {
				cards = slices.DeleteFunc(cards, func(c issuer.Card) bool { return string(c.Paper) != strings.ReplaceAll(state, "-", "_") })
			}
			numbers, err := o.listNumbers(cmd.Context(), cards)
			if err != nil {
				return err
			}
			if err := o.cardsRead(cmd.Context(), cards); err != nil {
				return err
			}
			lines := make([]map[string]any, len(cards))
			for i := range cards {
				lines[i] = cardJSON(&cards[i])
				lines[i]["external"] = textPtr(numbers[cards[i].Unit])
			}
			return a.print(map[string]any{"cards": lines, "counts": countCards(cards)}, func(w io.Writer) { writeCards(w, cards, numbers) })
		},
	}
	s.flags(cmd)
	cmd.Flags().StringVar(&state, "state", "", "only those: issued, printed, handed-over, spoiled, unclaimed, destroyed")
	return cmd
}

var cardStates = []string{"issued", "printed", "handed_over", "spoiled", "unclaimed", "destroyed"}

func countCards(cards []issuer.Card) map[string]int {
	n := map[string]int{}
	for _, c := range cards {
		n[string(c.Paper)]++
		if c.Status != status.Valid {
			n[c.Status.String()]++
		}
	}
	return n
}

func cardJSON(c *issuer.Card) map[string]any {
	m := map[string]any{"credential": c.ID.String(), "number": c.CardNumber, "unit": c.Unit.String(), "type": c.Type, "programme": c.Programme,
		"state": c.Paper, "status": c.Status.String(), "valid_until": c.ExpiresAt.String(), "batch": c.Lot, "print_job": textPtr(c.PrintJob),
		"blank_lot": textPtr(c.BlankLot), "blank": c.Kind == issuer.Blank}
	if c.Round > 0 {
		m["rounds"] = []uint64{c.Round, c.LastRound}
	}
	return m
}

// writeCards lists cards; numbers are those of their units in the list they came from.
func writeCards(w io.Writer, cards []issuer.Card, numbers map[issuer.UnitID]string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := range cards {
		c := &cards[i]
		who := whose(c, numbers)
		fmt.Fprintf(t, "%s\t%s\t%s %s\t%s\t%s\t%s\t%s\n", cwt.GroupCardNumber(c.CardNumber), c.ID, c.Type, placeOf(c), strings.ReplaceAll(string(c.Paper), "_", " "), c.Status, c.PrintJob, who)
	}
	t.Flush()
	n := countCards(cards)
	fmt.Fprint(w, plural(len(cards), "card", "cards"))
	for _, name := range append(slices.Clone(cardStates), status.Suspended.String(), status.Invalid.String()) {
		if n[name] > 0 {
			fmt.Fprintf(w, ", %d %s", n[name], strings.ReplaceAll(name, "_", " "))
		}
	}
	fmt.Fprintln(w)
}

// whose says for whom a card is: by the number in the list, or else the id on record.
func whose(c *issuer.Card, numbers map[issuer.UnitID]string) string {
	if c.Kind == issuer.Blank {
		return "nobody's"
	}
	if n := numbers[c.Unit]; n != "" {
		return fmt.Sprintf("%s %s", c.Kind, n)
	}
	return fmt.Sprintf("%s %s", c.Kind, c.Unit)
}

func placeOf(c *issuer.Card) string {
	switch {
	case c.Round == 0:
		return c.Programme
	case c.Round == c.LastRound:
		return fmt.Sprintf("%s round %d", c.Programme, c.Round)
	}
	return fmt.Sprintf("%s rounds %d-%d", c.Programme, c.Round, c.LastRound)
}

func (a *app) cardShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show CARD",
		Short:   "Tell what became of one card",
		Long:    "Tell what became of one card.\n\n" + whichCard,
		Example: "  aidpass card show GBFF-ZGF4-B2Y\n  aidpass card show photo-of-card.jpg",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			cards, err := o.cardsCalled(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			numbers, err := o.listNumbers(cmd.Context(), cards)
			if err != nil {
				return err
			}
			if err := o.cardsRead(cmd.Context(), cards); err != nil {
				return err
			}
			var all []map[string]any
			for i := range cards {
				events, err := o.store.CardHistory(cmd.Context(), cards[i].ID)
				if err != nil {
					return err
				}
				m := cardJSON(&cards[i])
				m["external"] = textPtr(numbers[cards[i].Unit])
				var history []map[string]any
				for _, e := range events {
					history = append(history, map[string]any{"state": e.Paper, "at": e.At, "by": e.By, "site": textPtr(e.Site), "reason": textPtr(e.Reason), "print_job": textPtr(e.PrintJob)})
				}
				m["history"] = history
				all = append(all, m)
			}
			return a.print(map[string]any{"cards": all}, func(w io.Writer) {
				for i := range cards {
					c := &cards[i]
					fmt.Fprintf(w, "card %s  %s  %s %s  %s  until %s\n", cwt.GroupCardNumber(c.CardNumber), c.ID, c.Type, placeOf(c), c.Status, c.ExpiresAt)
					if c.Kind == issuer.Blank {
						fmt.Fprintf(w, "  nobody is bound to it (lot %s)\n", c.BlankLot)
					} else {
						fmt.Fprintf(w, "  %s; %s\n", whose(c, numbers), strings.ReplaceAll(string(c.Paper), "_", " "))
					}
					for _, h := range all[i]["history"].([]map[string]any) {
						fmt.Fprintf(w, "  %s  %s by %s%s%s\n", h["at"].(time.Time).Format(time.RFC3339), strings.ReplaceAll(fmt.Sprint(h["state"]), "_", " "), h["by"], behind(" at ", h["site"]), behind(", ", h["reason"]))
					}
				}
			})
		},
	}
}

func behind(text string, v any) string {
	if s, ok := v.(*string); ok && s != nil {
		return text + *s
	}
	return ""
}

func (a *app) cardJobsCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "jobs",
		Short:   "The print log",
		Example: "  aidpass card jobs\n  aidpass card list --print-job k3f9x2mq",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			jobs, err := o.store.PrintJobs(cmd.Context(), "")
			if err != nil {
				return err
			}
			var lines []map[string]any
			for _, j := range jobs {
				lines = append(lines, map[string]any{"job": j.ID, "layout": j.Layout, "cards": j.Count, "sha256": hex.EncodeToString(j.Digest[:]), "at": j.At, "by": j.By})
			}
			return a.print(map[string]any{"jobs": lines}, func(w io.Writer) {
				for _, j := range jobs {
					fmt.Fprintf(w, "%s  %s  %s  %s  by %s  sha256 %x\n", j.ID, j.At.Format("2006-01-02 15:04"), plural(j.Count, "card", "cards"), j.Layout, j.By, j.Digest[:8])
				}
			})
		},
	}
}

// cardsRead enters in the audit log whose cards were looked at.
func (o *org) cardsRead(ctx context.Context, cards []issuer.Card) error {
	about := make([]registry.ID, len(cards))
	for i := range cards {
		about[i] = cards[i].Unit
	}
	return o.store.NoteAbout(ctx, o.a.actor(access.Registrar), access.Entry{Action: "card.read", Detail: fmt.Sprintf("cards=%d", len(cards))}, about)
}
