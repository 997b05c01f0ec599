package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/credential/cwt"
	"aidpass/credential/qr"
	"aidpass/internal/cose"
	"aidpass/issuer"
	"aidpass/status"
	"aidpass/storage/keystore"
)

func (a *app) cardCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "card",
		Short: "What became of the cards: printed, handed over, spoiled, replaced, void",
		Example: `  aidpass card list --print-job k3f9x2mq
  aidpass card handed-over GBFFZGF4B2Y --site wellA
  aidpass card spoiled GBFFZGF4B2Y --reason torn
  aidpass card replace GBFFZGF4B2Y --reason lost --second-person lead-2 --out new.jsonl
  aidpass card void --print-job k3f9x2mq --reason stolen`,
	}
	cmd.AddCommand(a.cardListCommand(), a.cardShowCommand(), a.cardJobsCommand())
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
cards.jsonl), by the text of its QR code, or by a picture of it. `

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
			lines := make([]map[string]any, len(cards))
			for i := range cards {
				lines[i] = cardJSON(&cards[i])
			}
			return a.print(map[string]any{"cards": lines, "counts": countCards(cards)}, func(w io.Writer) { writeCards(w, cards) })
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

func writeCards(w io.Writer, cards []issuer.Card) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := range cards {
		c := &cards[i]
		who := ""
		if c.Kind == issuer.Blank {
			who = "nobody's"
		}
		fmt.Fprintf(t, "%s\t%s\t%s %s\t%s\t%s\t%s\t%s\n", c.CardNumber, c.ID, c.Type, placeOf(c), strings.ReplaceAll(string(c.Paper), "_", " "), c.Status, c.PrintJob, who)
	}
	t.Flush()
	n := countCards(cards)
	fmt.Fprintf(w, "%d cards", len(cards))
	for _, name := range append(slices.Clone(cardStates), status.Suspended.String(), status.Invalid.String()) {
		if n[name] > 0 {
			fmt.Fprintf(w, ", %d %s", n[name], strings.ReplaceAll(name, "_", " "))
		}
	}
	fmt.Fprintln(w)
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
		Example: "  aidpass card show GBFFZGF4B2Y\n  aidpass card show photo-of-card.jpg",
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
			var all []map[string]any
			for i := range cards {
				events, err := o.store.CardHistory(cmd.Context(), cards[i].ID)
				if err != nil {
					return err
				}
				m := cardJSON(&cards[i])
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
					fmt.Fprintf(w, "card %s  %s  %s %s  %s  until %s\n", c.CardNumber, c.ID, c.Type, placeOf(c), c.Status, c.ExpiresAt)
					if c.Kind == issuer.Blank {
						fmt.Fprintf(w, "  nobody is bound to it (lot %s)\n", c.BlankLot)
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
					fmt.Fprintf(w, "%s  %s  %d cards  %s  by %s  sha256 %x\n", j.ID, j.At.Format("2006-01-02 15:04"), j.Count, j.Layout, j.By, j.Digest[:8])
				}
			})
		},
	}
}

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
		Example: fmt.Sprintf("  aidpass card %[1]s GBFFZGF4B2Y --site wellA --reason code\n  aidpass card %[1]s --print-job k3f9x2mq --reason code --yes 10", m.verb),
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
					fmt.Fprintf(w, "card %s  %s\n", cards[i].CardNumber, use)
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
		fmt.Fprintf(w, "%d of %d cards can be marked %s; nothing was changed\n", can, total, what)
		if can > 0 {
			fmt.Fprintf(w, "next: the same with --yes %d\n", can)
		}
	})
}

// cardsCalled returns the cards that an argument may mean: of a unit's number all
// of its programme, newest last.
func (o *org) cardsCalled(ctx context.Context, arg string) ([]issuer.Card, error) {
	var ids []issuer.CTI
	err := o.a.readCodes(ctx, arg, func(c code) error {
		if id, ok := o.readOwn(c.text); ok {
			ids = append(ids, id)
			return nil
		}
		if c.source != "" {
			return usagef("%s: no card of this organisation is on it", c.source).hint("take the picture again, or type the number")
		}
		found, err := o.store.FindCredentials(ctx, c.text)
		if err != nil {
			return err
		}
		exact := slices.IndexFunc(found, func(f issuer.Credential) bool { return f.ID.String() == c.text })
		number, _ := cwt.CheckCardNumber(c.text)
		for i, f := range found {
			if exact == i || exact < 0 && (number == "" || f.CardNumber == number) {
				ids = append(ids, f.ID)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, usagef("%w", issuer.ErrNotFound).hint("the number printed on the card, its identity (14 characters), the text of its code, or a picture")
	}
	found, err := o.store.Cards(ctx, issuer.Selection{IDs: ids})
	slices.SortFunc(found, func(x, y issuer.Card) int { return int(x.IssuedAt - y.IssuedAt) })
	return found, err
}

// oneCard returns the one card an argument means: of several the one that is not
// at its end.
func (o *org) oneCard(ctx context.Context, arg string, active bool) (issuer.Card, error) {
	found, err := o.cardsCalled(ctx, arg)
	if err != nil {
		return issuer.Card{}, err
	}
	if len(found) == 1 {
		return found[0], nil
	}
	living := slices.DeleteFunc(slices.Clone(found), func(c issuer.Card) bool { return c.Ended })
	switch {
	case len(living) == 1:
		return living[0], nil
	case len(living) == 0 && !active:
		return found[len(found)-1], nil // the newest
	case len(living) == 0:
		living = found
	}
	var which []string
	for i := range living {
		which = append(which, fmt.Sprintf("%s (%s %s)", living[i].ID, living[i].Type, placeOf(&living[i])))
	}
	return issuer.Card{}, usagef("that means %d cards", len(living)).hint("name one of %s", strings.Join(which, ", "))
}

// readOwn returns the identity of a card whose QR text this organisation signed.
func (o *org) readOwn(text string) (id issuer.CTI, ok bool) {
	var s qr.Scratch
	raw, err := s.Decode(text)
	if err != nil {
		return id, false
	}
	e, err := cwt.Parse(raw)
	if err != nil {
		return id, false
	}
	find, err := o.cardKeys()
	if err != nil {
		return id, false
	}
	key := find(e.KeyID)
	if key == nil {
		return id, false
	}
	c, err := cwt.OpenCard(&e, key, nil)
	if err != nil || len(c.ID) != len(id) {
		return id, false
	}
	return issuer.CTI(c.ID), true
}

// cardKeys finds the organisation's card keys, past ones too.
func (o *orgKeys) cardKeys() (func(kid []byte) *cose.Key, error) {
	infos, err := o.store.List()
	if err != nil {
		return nil, err
	}
	return func(kid []byte) *cose.Key {
		for i := range infos {
			if infos[i].Use == keystore.Card && infos[i].Key != nil && infos[i].ID == hex.EncodeToString(kid) {
				return infos[i].Key
			}
		}
		return nil
	}, nil
}
