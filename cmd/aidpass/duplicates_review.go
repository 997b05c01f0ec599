package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/web/console"
)

// whyWords say what found a pair.
var whyWords = map[string]string{registry.KeyDocument: "same document", registry.KeyNameYear: "same name and year", registry.KeyMatch: "many fields together"}

// pairStates are what review can show.
var pairStates = []string{registry.StateTold, registry.StateReview, registry.StatePostponed, registry.StateDecided}

func (a *app) duplicatesReviewCommand() *cobra.Command {
	var states []string
	cmd := &cobra.Command{
		Use:   "review",
		Short: "List pairs of records that may be one person, with the reasons",
		Long: `List pairs of records that may be one person, with the reasons in words and how strongly
each speaks: those told to be one person first, then by what speaks for it, the newer
record of each first. Nobody is kept from anything by standing here: people decide.

States: duplicate (told to be one person), needs_adjudication (to be looked at),
postponed, decided. Without --state the first two: all that wait. The first ` + fmt.Sprint(records.MostPairs) + ` are shown.`,
		Example: `  aidpass registry duplicates review
  aidpass registry duplicates review --state duplicate --json
  aidpass registry duplicates review --state postponed`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(states) == 0 {
				states = pairStates[:2]
			}
			for _, s := range states {
				if !slices.Contains(pairStates, s) {
					return usagef("--state %q", s).hint("one of %s", strings.Join(pairStates, ", "))
				}
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			return o.reviewPairs(cmd.Context(), states)
		},
	}
	cmd.Flags().StringSliceVar(&states, "state", nil, "show pairs of this state; repeat, or several with commas")
	return cmd
}

// A pairJSON is a pair as review prints it.
type pairJSON struct {
	A       string       `json:"a"` // the newer record
	B       string       `json:"b"`
	State   string       `json:"state"`
	Whys    []string     `json:"whys"`
	Bits    float32      `json:"bits"` // what speaks for one person; 0: nothing was weighed
	Guard   string       `json:"guard,omitempty"`
	Found   string       `json:"found"`
	Until   string       `json:"until,omitempty"`
	Reason  string       `json:"reason,omitempty"`
	Decided string       `json:"decided,omitempty"`
	By      string       `json:"by,omitempty"`
	At      string       `json:"decided_at,omitempty"`
	Reasons []reasonJSON `json:"reasons"`
	Newer   somebody     `json:"newer"`
	Older   somebody     `json:"older"`
}

type reasonJSON struct {
	Field  string  `json:"field"`
	Level  string  `json:"level"`
	Bits   float32 `json:"bits"`
	Says   string  `json:"says"`
	Speaks string  `json:"speaks"`
}

func (o *org) reviewPairs(ctx context.Context, states []string) error {
	q, err := o.records().Queue(ctx, o.a.actor(access.Registrar), states...)
	if err != nil {
		return err
	}
	rows, err := o.records().Who(ctx, o.a.actor(access.Registrar), q.Of[:min(len(q.Of), records.MostPairs)])
	if err != nil {
		return err
	}
	for i := range rows {
		row := &rows[i]
		pair, err := o.records().Pair(ctx, row.A, row.B) // with its evidence
		if err != nil {
			return err
		}
		p := pairJSON{A: row.A.String(), B: row.B.String(), State: row.State, Whys: row.Whys, Bits: row.Bits, Guard: row.Guard, Found: stamp(row.FoundAt), Until: stamp(row.Until), Reason: row.Reason,
			Decided: row.Decided, By: row.By, At: stamp(row.DecidedAt), Reasons: []reasonJSON{}, Newer: somebodyOf(&row.Newer), Older: somebodyOf(&row.Older)}
		for _, e := range pair.Evidence {
			says, speaks, err := console.EnglishReason(e)
			if err != nil {
				return err
			}
			p.Reasons = append(p.Reasons, reasonJSON{e.Field, e.Level, e.Bits, says, speaks})
		}
		if err := o.a.print(p, p.write); err != nil {
			return err
		}
	}
	if n := len(q.Of) - len(rows); n > 0 {
		o.a.say("%d more are not shown", n)
	}
	if len(q.Of) == 0 {
		o.a.say("no pair is %s", strings.Join(states, " or "))
	}
	return nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func (p pairJSON) write(w io.Writer) {
	whys := make([]string, len(p.Whys))
	for i, why := range p.Whys {
		whys[i] = whyWords[why]
	}
	fmt.Fprintf(w, "%s: %s\n", strings.ReplaceAll(p.State, "_", " "), strings.Join(whys, ", "))
	fmt.Fprintf(w, "  %s  %s\n  %s  %s\n", p.A, p.Newer.line(), p.B, p.Older.line())
	if p.Guard != "" {
		fmt.Fprintln(w, "  they live together and have different given names: brothers or sisters until people say otherwise")
	}
	for _, r := range p.Reasons {
		fmt.Fprintf(w, "  - %s. %s.\n", r.Says, r.Speaks)
	}
	switch {
	case p.Decided != "":
		fmt.Fprintf(w, "  decided: %s, by %s, %s\n", p.Decided, p.By, p.At)
	case p.Until != "":
		fmt.Fprintf(w, "  put off until %s: %s\n", p.Until[:len(time.DateOnly)], strings.ReplaceAll(p.Reason, "_", " "))
	}
}

// later is the decision that is none yet.
const later = "later"

func (a *app) duplicatesDecideCommand() *cobra.Command {
	var which whichRecord
	var yes bool
	var until, reason string
	cmd := &cobra.Command{
		Use:   "decide A B same|different|later|open",
		Short: "Say whether two records are one person",
		Long: `Say whether two records are one person.

same closes the newer record, points it to the older one and revokes its cards; so
it does her household there when nobody else is in it. What the closed ones were due
goes on with the record in use. Nothing is deleted. Without --yes it tells who the two
are and which cards would stop. different leaves both alone, and opens the newer one
again where an earlier decision had closed it (its cards are to be issued anew). later
puts the pair off. open takes a decision back: the pair waits again.

Where cards would be revoked, or a record opened again, a second person decides too.`,
		Example: `  aidpass registry duplicates decide 6f2c... 91aa... different
  aidpass registry duplicates decide 6f2c... 91aa... same
  aidpass registry duplicates decide 6f2c... 91aa... same --second-person lead-2 --yes
  aidpass registry duplicates decide 6f2c... 91aa... later --until 2026-12-01 --reason ask_household
  aidpass registry duplicates decide 6f2c... 91aa... open --second-person lead-2`,
		Args: cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			decision := args[2]
			if !slices.Contains([]string{registry.Same, registry.Different, registry.Open, later}, decision) {
				return usagef("decision %q", decision).hint("same, different, later or open")
			}
			day, err := time.Parse(time.DateOnly, until)
			if decision == later && (err != nil || !slices.Contains(registry.PostponeReasons(), reason)) {
				return usagef("until when, and why?").hint("--until 2026-12-01 --reason %s", strings.Join(registry.PostponeReasons(), "|"))
			}
			if decision != later && until+reason != "" {
				return usagef("--until and --reason go with later")
			}
			return a.act(cmd.Context(), yes || decision != registry.Same, func(ctx context.Context, o *org) (act deskAct, err error) {
				ids, err := whichRecord{which.list, "person"}.all(ctx, o, args[:2])
				if err != nil {
					return act, err
				}
				return deskAct{"same", ids, func(desk *registry.Registry) (done, error) {
					if decision == later {
						err := desk.Postpone(ctx, ids[0], ids[1], day, reason)
						return done{"put off until " + until, map[string]any{"decided": "", "until": until, "reason": reason}, registry.After{}}, err
					}
					after, err := desk.DecideDouble(ctx, ids[0], ids[1], decision)
					if err != nil {
						return done{}, err
					}
					called, err := o.called(ctx, after.Revoke...)
					text := "decided: " + decision
					for _, c := range called {
						text += "\nclosed: " + c
					}
					if after.Follow > 0 {
						text += fmt.Sprintf("\ngoes on with the record in use: %s", plural(after.Follow, "amount or thing that was due", "amounts or things that were due"))
					}
					return done{text, map[string]any{"decided": decision, "closed": idTexts(after.Revoke), "cards_revoked": after.Stopped,
						"cards_to_replace": idTexts(after.Stale), "due_goes_on": after.Follow}, after}, err
				}}, nil
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&which.list, "list", "", "name of the list whose numbers people go by (default: the organisation's own)")
	f.BoolVar(&yes, "yes", false, yesUsage)
	f.StringVar(&until, "until", "", "of later: the day on which the pair waits again, as 2026-12-01")
	f.StringVar(&reason, "reason", "", "of later: "+strings.Join(registry.PostponeReasons(), ", "))
	return cmd
}
