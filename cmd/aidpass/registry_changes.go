package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/storage"
)

func (a *app) registrySplitCommand() *cobra.Command {
	var which whichRecord
	var leaving []string
	var head string
	var renew bool
	cmd := &cobra.Command{
		Use:   "split HOUSEHOLD --leaving PERSON ...",
		Short: "Part a household: those who leave become a new one",
		Long: `Part a household: those who leave become a new one, with new numbers on their cards.

The side that stays is not told, and neither record names the other. The old card
is revoked when one of those who leave may hold it; else it goes on, and is replaced
when its people come. --renew gives both sides new numbers.
Everybody grown up who leaves is to be asked alone who holds the new card.`,
		Example: `  aidpass registry split HH-0042 --list camp-north --leaving P-0107 --leaving P-0108 --head P-0107
  aidpass registry split 6f2c... --leaving 91aa... --renew`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeHouseholds(cmd.Context(), func(ctx context.Context, o *org) (string, registry.After, map[string]any, error) {
				ids, err := whichRecord{which.list, "household"}.all(ctx, o, args)
				if err != nil {
					return "", registry.After{}, nil, err
				}
				plan := registry.SplitPlan{Renew: renew}
				people := whichRecord{which.list, "person"}
				if plan.Leaving, err = people.all(ctx, o, leaving); err != nil {
					return "", registry.After{}, nil, err
				}
				if head != "" {
					if plan.Head, err = people.one(ctx, o, head); err != nil {
						return "", registry.After{}, nil, err
					}
				}
				left, stayed, after, err := o.desk(access.Registrar).Split(ctx, ids[0], plan)
				return fmt.Sprintf("left: %s\nstayed: %s", left, stayed), after, map[string]any{"left": left.String(), "stayed": stayed.String()}, err
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&which.list, "list", "", "name of the list whose numbers people go by (default: the organisation's own)")
	f.StringArrayVar(&leaving, "leaving", nil, "who leaves; repeat")
	f.StringVar(&head, "head", "", "of those who leave, whom relations will speak of")
	f.BoolVar(&renew, "renew", false, "new numbers for those who stay too, and the old card revoked")
	return cmd
}

// changeHouseholds runs an act that leaves cards to be stopped and people to be asked.
func (a *app) changeHouseholds(ctx context.Context,
	act func(context.Context, *org) (text string, after registry.After, result map[string]any, err error)) error {
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	text, after, result, err := act(ctx, o)
	if err != nil {
		return registryError(err)
	}
	left := leftToDo(after)
	result["todo"] = left
	return a.print(result, func(w io.Writer) {
		fmt.Fprintln(w, text)
		left.write(w)
	})
}

func (a *app) registryMergeCommand() *cobra.Command {
	var which whichRecord
	var head string
	cmd := &cobra.Command{
		Use:   "merge HOUSEHOLD HOUSEHOLD ...",
		Short: "Make one new household of several",
		Long: `Make one new household of several, with new numbers on its cards. The old ones are
closed and their cards revoked; who collects is asked anew. Two records of one
person are not merged here: aidpass registry doubles decide.`,
		Example: `  aidpass registry merge HH-0042 HH-0043 --list camp-north --head P-0107`,
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeHouseholds(cmd.Context(), func(ctx context.Context, o *org) (string, registry.After, map[string]any, error) {
				ids, err := whichRecord{which.list, "household"}.all(ctx, o, args)
				if err != nil {
					return "", registry.After{}, nil, err
				}
				var first registry.ID
				if head != "" {
					if first, err = (whichRecord{which.list, "person"}).one(ctx, o, head); err != nil {
						return "", registry.After{}, nil, err
					}
				}
				merged, after, err := o.desk(access.Registrar).Merge(ctx, ids, first)
				return "merged: " + merged.String(), after, map[string]any{"merged": merged.String()}, err
			})
		},
	}
	cmd.Flags().StringVar(&which.list, "list", "", "name of the list whose numbers people go by (default: the organisation's own)")
	cmd.Flags().StringVar(&head, "head", "", "whom relations will speak of")
	return cmd
}

func (a *app) registryDiedCommand() *cobra.Command {
	var which whichRecord
	var on string
	cmd := &cobra.Command{
		Use:   "died PERSON [--on DAY]",
		Short: "Record a death",
		Long: `Record a death: the record is closed, she collects for nobody any more, and her cards
are revoked; her household's too where she may have held it. It tells what people
must decide: a household without an adult or a collector.`,
		Example: `  aidpass registry died P-0107 --list camp-north --on 2026-11-18
  aidpass registry died 91aa...`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeHouseholds(cmd.Context(), func(ctx context.Context, o *org) (string, registry.After, map[string]any, error) {
				id, err := whichRecord{which.list, "person"}.one(ctx, o, args[0])
				if err != nil {
					return "", registry.After{}, nil, err
				}
				after, err := o.desk(access.Registrar).Died(ctx, id, on)
				return "closed: " + id.String(), after, map[string]any{"closed": id.String()}, err
			})
		},
	}
	cmd.Flags().StringVar(&which.list, "list", "", "name of the list whose numbers people go by (default: the organisation's own)")
	cmd.Flags().StringVar(&on, "on", "", "day of the death, as well as it is known: 2026-11-18, 2026-11, 2026")
	return cmd
}

func (a *app) registryEraseCommand() *cobra.Command {
	var which whichRecord
	var reason string
	cmd := &cobra.Command{
		Use:   "erase ID|NUMBER --reason CODE",
		Short: "Make a record unreadable for ever, here and in every copy",
		Long: `Make a record unreadable for ever, here and in every copy: the key that it was
sealed with is destroyed. Amounts and pseudonyms stay for audit and name nobody.
Her active cards must be revoked first.

What was handed out of here is not reached: the files that may hold the name are
listed, so that somebody goes after them. So are households whose own record, as it
is or was, says who she is: that is erased with the household alone.`,
		Example: `  aidpass revoke --unit P-0107 --all --reason erased
  aidpass registry erase P-0107 --list camp-north --reason asked-by-her --second-person lead-2`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if reason == "" {
				return usagef("why is the record erased?").hint("--reason CODE stands in the audit log: a code, never a name")
			}
			o, err := a.openOrg(ctx)
			if err != nil {
				return err
			}
			defer o.close()
			id, err := which.one(ctx, o, args[0])
			if err != nil {
				return err
			}
			named, err := o.namedIn(ctx, id)
			if err != nil {
				return registryError(err)
			}
			err = o.store.Erase(ctx, a.actor(access.OrgAdmin), id, reason)
			if errors.Is(err, storage.ErrActive) {
				return usagef("%w", err).hint("aidpass revoke %s --all --reason erased", id)
			}
			if err != nil {
				return registryError(err)
			}
			files, err := o.handedOut(ctx)
			if err != nil {
				return err
			}
			result := map[string]any{"erased": id.String(), "may_hold_the_name": files, "households_that_say_it": named}
			return a.print(result, func(w io.Writer) {
				fmt.Fprintln(w, "erased:", id)
				for _, h := range named {
					fmt.Fprintf(w, "The record of household %s, now or before, says who she was. It has a key of its own:\n  aidpass registry erase %s --reason CODE   # where its people are asked and agree\n", h, h)
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
	return cmd
}

// namedIn lists the households whose records say who somebody is, who is about to
// be erased; none for a household, and for one that is erased already.
func (o *org) namedIn(ctx context.Context, id registry.ID) ([]string, error) {
	named := []string{}
	err := o.store.View(ctx, func(v registry.View) error {
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
		}
		return err
	})
	return named, err
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
	"registry.import": "list imported", "registry.export": "list exported", "card.print": "sheet printed", "pack.build": "pack built",
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
