package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
	"aidpass/storage"
)

func (a *app) registrySplitCommand() *cobra.Command {
	var which whichRecord
	var leaving []string
	var head string
	var renew, yes bool
	cmd := &cobra.Command{
		Use:   "split HOUSEHOLD --leaving PERSON ...",
		Short: "Part a household: those who leave become a new one",
		Long: `Part a household: those who leave become a new one, with new numbers on their cards.

The side that stays is not told, and neither record names the other. The old card
is revoked when one of those who leave may hold it; else it goes on, and is replaced
when its people come. --renew gives both sides new numbers.
Everybody grown up who leaves is to be asked alone who holds the new card.
Without --yes it tells who they are and which cards would stop.`,
		Example: `  aidpass registry split HH-0042 --list camp-north --leaving P-0107 --leaving P-0108 --head P-0107
  aidpass registry split 6f2c... --leaving 91aa... --renew --yes`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.act(cmd.Context(), yes, func(ctx context.Context, o *org) (act deskAct, err error) {
				ids, err := whichRecord{which.list, "household"}.all(ctx, o, args)
				if err != nil {
					return act, err
				}
				plan := registry.SplitPlan{Renew: renew}
				people := whichRecord{which.list, "person"}
				if plan.Leaving, err = people.all(ctx, o, leaving); err != nil {
					return act, err
				}
				if head != "" {
					if plan.Head, err = people.one(ctx, o, head); err != nil {
						return act, err
					}
				}
				return deskAct{"split", append(slices.Clone(ids), plan.Leaving...), func(desk *registry.Registry) (done, error) {
					left, stayed, after, err := desk.Split(ctx, ids[0], plan)
					return done{fmt.Sprintf("left: %s\nstayed: %s", left, stayed), map[string]any{"left": left.String(), "stayed": stayed.String()}, after}, err
				}}, nil
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&which.list, "list", "", "name of the list whose numbers people go by (default: the organisation's own)")
	f.StringArrayVar(&leaving, "leaving", nil, "who leaves; repeat")
	f.StringVar(&head, "head", "", "of those who leave, whom relations will speak of")
	f.BoolVar(&renew, "renew", false, "new numbers for those who stay too, and the old card revoked")
	f.BoolVar(&yes, "yes", false, yesUsage)
	return cmd
}

const yesUsage = "do it; without it, tell whom it is about and which cards would stop"

func (a *app) registryMergeCommand() *cobra.Command {
	var which whichRecord
	var head string
	var yes bool
	cmd := &cobra.Command{
		Use:   "merge HOUSEHOLD HOUSEHOLD ...",
		Short: "Make one new household of several",
		Long: `Make one new household of several, with new numbers on its cards. The old ones are
closed and their cards revoked; who collects is asked anew. Two records of one
person are not merged here: aidpass registry duplicates decide. Without --yes it tells
who they are and which cards would stop.`,
		Example: `  aidpass registry merge HH-0042 HH-0043 --list camp-north --head P-0107
  aidpass registry merge HH-0042 HH-0043 --list camp-north --head P-0107 --yes`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.act(cmd.Context(), yes, func(ctx context.Context, o *org) (act deskAct, err error) {
				ids, err := whichRecord{which.list, "household"}.all(ctx, o, args)
				if err != nil {
					return act, err
				}
				var first registry.ID
				if head != "" {
					if first, err = (whichRecord{which.list, "person"}).one(ctx, o, head); err != nil {
						return act, err
					}
				}
				return deskAct{"merge", ids, func(desk *registry.Registry) (done, error) {
					merged, after, err := desk.Merge(ctx, ids, first)
					return done{"merged: " + merged.String(), map[string]any{"merged": merged.String()}, after}, err
				}}, nil
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, yesUsage)
	cmd.Flags().StringVar(&which.list, "list", "", "name of the list whose numbers people go by (default: the organisation's own)")
	cmd.Flags().StringVar(&head, "head", "", "whom relations will speak of")
	return cmd
}

func (a *app) registryDiedCommand() *cobra.Command {
	var which whichRecord
	var on, reason string
	var yes, undo bool
	cmd := &cobra.Command{
		Use:   "died PERSON [--on DAY]",
		Short: "Record a death, correct its day, or take it back",
		Long: `Record a death: the record is closed, she collects for nobody any more, and her cards
are revoked; her household's too where she may have held it. It tells what people
must decide: a household without an adult or a collector. Without --yes it tells who
it is and which cards would stop.

Again with another day it corrects the day. --undo takes a death back that was
recorded by mistake: the record is open again, the cards stay revoked.`,
		Example: `  aidpass registry died P-0107 --list camp-north --on 2026-11-18
  aidpass registry died P-0107 --list camp-north --on 2026-11-18 --yes
  aidpass registry died P-0107 --list camp-north --undo --reason wrong-person --second-person lead-2`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case undo && on != "":
				return usagef("--on and --undo").hint("one of them")
			case undo && reason == "":
				return usagef("why is the death taken back?").hint("--reason CODE stands in the audit log: a code, never a name")
			}
			return a.act(cmd.Context(), yes || undo, func(ctx context.Context, o *org) (act deskAct, err error) {
				id, err := whichRecord{which.list, "person"}.one(ctx, o, args[0])
				if err != nil {
					return act, err
				}
				called, err := o.called(ctx, id)
				if err != nil {
					return act, err
				}
				return deskAct{"died", []registry.ID{id}, func(desk *registry.Registry) (done, error) {
					if undo {
						after, err := desk.Alive(ctx, id, reason)
						text := "open again: " + called[0] + "\nher cards stay revoked; a new one:\n" +
							"  aidpass issue --type TYPE --unit person --unit-ids FILE --replace --out cards.jsonl   # FILE has her number, or the id, in a line"
						return done{text, map[string]any{"opened": id.String()}, after}, err
					}
					after, err := desk.Died(ctx, id, on)
					result := map[string]any{"closed": id.String(), "corrected": after.Corrected}
					if after.Corrected {
						return done{"the death of " + called[0] + " was on record: its day is now " + on, result, after}, err
					}
					return done{"closed: " + called[0], result, after}, err
				}}, nil
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&which.list, "list", "", "name of the list whose numbers people go by (default: the organisation's own)")
	f.StringVar(&on, "on", "", "day of the death, as well as it is known: 2026-11-18, 2026-11, 2026")
	f.BoolVar(&yes, "yes", false, yesUsage)
	f.BoolVar(&undo, "undo", false, "take back a death recorded by mistake; needs --reason and --second-person")
	f.StringVar(&reason, "reason", "", "why it is taken back: a code, never a name")
	return cmd
}

func (a *app) registryEraseCommand() *cobra.Command {
	var which whichRecord
	var reason string
	var yes bool
	cmd := &cobra.Command{
		Use:   "erase ID|NUMBER --reason CODE",
		Short: "Make a record unreadable for ever, here and in every copy",
		Long: `Make a record unreadable for ever, here and in every copy: the key that it was
sealed with is destroyed. Amounts and pseudonyms stay for audit and name nobody.
Her active cards must be revoked first. Without --yes it tells who it is and does
nothing; with it, a second person must stand behind it.

A household whose own record says who she is, now or before, or has her as its head,
speaker or collector, gets a new record without that: its number, its people and what it is due go on, its history and its card do not.
Who got a file with her row under an agreement is to be told: aidpass consent recalls.

What was handed out of here is not reached: the files that may hold the name are
listed, so that somebody goes after them.`,
		Example: `  aidpass revoke --unit P-0107 --all --reason erased
  aidpass registry erase P-0107 --list camp-north --reason asked-by-her
  aidpass registry erase P-0107 --list camp-north --reason asked-by-her --second-person lead-2 --yes`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if reason == "" {
				return usagef("why is the record erased?").hint("--reason CODE stands in the audit log: a code, never a name")
			}
			o, id, err := which.open(ctx, a, args[0])
			if err != nil {
				return err
			}
			defer o.close()
			named, left, err := o.namedIn(ctx, id)
			if err != nil {
				return registryError(err)
			}
			called, err := o.called(ctx, id)
			if err != nil {
				return err
			}
			if !yes {
				return o.previewErase(ctx, id, named, left)
			}
			if a.SecondPerson == "" {
				return registryError(fmt.Errorf("registry: %s: to erase: %w", called[0], registry.ErrSecondPerson))
			}
			erased, err := o.keeper().Erase(ctx, a.actor(access.DataProtection), rights.Erasure{Units: []registry.ID{id}, Reason: reason})
			if errors.Is(err, storage.ErrActive) {
				return usagef("%w", err).hint("aidpass revoke --unit ID --all --reason erased, for her and for the households whose record says who she is")
			}
			if err != nil {
				return rightsError(registryError(err))
			}
			files, err := o.handedOut(ctx)
			if err != nil {
				return err
			}
			result := map[string]any{"erased": id.String(), "may_hold_the_name": files, "households_renewed": idTexts(erased.Renewed), "recalls": len(erased.Recalls)}
			return a.print(result, func(w io.Writer) {
				fmt.Fprintln(w, "erased:", called[0])
				for _, h := range erased.Renewed {
					fmt.Fprintf(w, "household %s has a new record without her; its card is to be made anew\n", h)
				}
				for i := range erased.Recalls {
					writeRecall(w, &erased.Recalls[i], a.Now())
				}
				if len(files) > 0 {
					fmt.Fprintln(w, "These files were handed to people, may hold the name, and were not erased:")
				}
				for _, f := range files {
					fmt.Fprintf(w, "  %s %-16s by %-10s %s\n", f.At, f.What, f.By, f.Detail)
				}
			})
		},
	}
	which.flags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit log: a code, never a name")
	cmd.Flags().BoolVar(&yes, "yes", false, "do it; without it, tell who it is")
	return cmd
}

// previewErase tells who would be erased, and what an erasure would not reach.
func (o *org) previewErase(ctx context.Context, id registry.ID, named []string, left registry.Left) error {
	about, err := o.who(ctx, id)
	if err != nil {
		return err
	}
	result := map[string]any{"preview": "erase", "done": false, "about": about, "cards_to_revoke_first": about[0].Cards,
		"needs_second_person": o.a.SecondPerson == "", "households_that_say_it": named, "head_of": map[string]int{"households": left.Households, "others": left.People, "adults": left.Adults, "due": left.Due}}
	return o.a.print(result, func(w io.Writer) {
		fmt.Fprintf(w, "%s  %s\n", about[0].ID, about[0].line())
		if n := len(about[0].Cards); n > 0 {
			fmt.Fprintf(w, "%s to be revoked first: aidpass revoke --unit %s --all --reason erased\n", plural(n, "card is", "cards are"), id)
		}
		tellNamed(w, named, left)
		fmt.Fprintln(w, "what is erased cannot be read again, here or in any copy")
		tellNothingDone(w, o.a.SecondPerson == "")
	})
}

func tellNamed(w io.Writer, households []string, left registry.Left) {
	if left.Households > 0 {
		fmt.Fprintf(w, "She is the head of %s. Who stays: %s, %s among them by date of birth. Not collected yet: %s.\nSomebody has to say who leads now.\n",
			plural(left.Households, "household", "households"), plural(left.People, "other", "others"), plural(left.Adults, "adult", "adults"), plural(left.Due, "planned amount", "planned amounts"))
	}
	for _, h := range households {
		fmt.Fprintf(w, "The record of household %s, now or before, says who she is, or that she leads or collects: it is made anew without that.\nIts card is to be revoked first: aidpass revoke --unit %s --all --reason erased\n", h, h)
	}
}

// namedIn lists the households whose records say who somebody is, who is about to
// be erased, and tells what those are left with that she leads; none for a household, and
// for one that is erased already.
func (o *org) namedIn(ctx context.Context, id registry.ID) (named []string, left registry.Left, err error) {
	named = []string{}
	err = o.store.View(ctx, func(v registry.View) error {
		rec, err := v.Record(id)
		if errors.Is(err, registry.ErrErased) || err == nil && rec.Kind != registry.KindPerson {
			return nil
		}
		if err != nil {
			return err
		}
		found, err := registry.NamedIn(v, id)
		for _, h := range found {
			named = append(named, h.String())
			if _, err := left.Lose(v, h, []registry.ID{id}, o.a.Now()); err != nil {
				return err
			}
		}
		return err
	})
	return named, left, err
}

// handedFile is something that left, or came in as a file somebody still has.
type handedFile struct {
	At     string `json:"at"`
	What   string `json:"what"`
	By     string `json:"by"`
	Detail string `json:"detail"`
}

// outgoing are the acts after which somebody holds a file with people in it.
var outgoing = map[access.Action]string{
	"registry.import": "list imported", "registry.export": "list exported", "card.print": "sheet printed", "batch.handout": "list for handing out taken", "pack.build": "pack built",
}

// handedOut lists what the audit log tells of such files. The program keeps no
// list of where they went.
func (o *org) handedOut(ctx context.Context) (files []handedFile, err error) {
	files = []handedFile{}
	err = o.store.Audit(ctx, func(e *access.Entry) error {
		if what, ok := outgoing[e.Action]; ok {
			files = append(files, handedFile{e.Time.UTC().Format(time.RFC3339), what, e.Actor.ID, e.Detail})
		}
		return nil
	})
	return files, err
}
