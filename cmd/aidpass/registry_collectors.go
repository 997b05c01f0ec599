package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer/registry"
)

func (a *app) registryCollectorCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "collector",
		Short: "Who may fetch what a household is due",
		Example: `  aidpass registry collector add HH-0042 P-0107 --list camp-north --role primary
  aidpass registry collector add HH-0042 --external "Abu Omar" --list camp-north
  aidpass registry collector end HH-0042 P-0108 --asked-by P-0107 --list camp-north
  aidpass registry collector busy`,
	}
	cmd.AddCommand(a.collectorAddCommand(), a.collectorEndCommand(), a.collectorBusyCommand())
	return cmd
}

func (a *app) collectorAddCommand() *cobra.Command {
	var list string
	var c registry.Collector
	cmd := &cobra.Command{
		Use:   "add HOUSEHOLD [PERSON]",
		Short: "Let somebody fetch what a household is due",
		Long: `Let somebody fetch what a household is due: a person on record, or --external somebody
who is not.

An alternate fetches for half a year at most, and is asked for again then. A child,
somebody of unknown age, anybody for a household without an adult, a primary beside
the one there is, or a primary who is of another household needs a second person of
the staff.`,
		Example: `  aidpass registry collector add HH-0042 P-0107 --list camp-north --role primary
  aidpass registry collector add HH-0042 P-0109 --list camp-north --to 2026-12-31 --second-person lead-2`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			o, err := a.openOrg(ctx)
			if err != nil {
				return err
			}
			defer o.close()
			household, err := whichRecord{list, "household"}.one(ctx, o, args[0])
			if err != nil {
				return err
			}
			if len(args) == 2 {
				id, err := whichRecord{list, "person"}.one(ctx, o, args[1])
				if err != nil {
					return err
				}
				c.Person = id.String()
			}
			desk := o.desk(access.Registrar)
			if err := desk.AddCollector(ctx, household, c); err != nil {
				return registryError(err)
			}
			return o.tellCollector(ctx, household, c, desk)
		},
	}
	f := cmd.Flags()
	f.StringVar(&list, "list", "", "name of the list whose numbers people go by (default: the organisation's own)")
	f.StringVar(&c.Role, "role", registry.Alternate, "primary or alternate")
	f.StringVar(&c.External, "external", "", "name of somebody who is not on record")
	f.StringVar(&c.From, "from", "", "first day (default: today)")
	f.StringVar(&c.To, "to", "", "last day (default: half a year for an alternate)")
	return cmd
}

// tellCollector says who may fetch now, until when, and for how many households she does.
func (o *org) tellCollector(ctx context.Context, household registry.ID, c registry.Collector, desk *registry.Registry) error {
	g, err := desk.Household(ctx, household)
	if err != nil {
		return registryError(err)
	}
	for _, now := range g.Household.Collectors {
		if now.Person == c.Person && now.External == c.External {
			c = now
		}
	}
	serves := 1
	if id, err := registry.ParseID(c.Person); err == nil {
		ids, err := desk.CollectsFor(ctx, id)
		if err != nil {
			return err
		}
		serves = len(ids)
	}
	result := map[string]any{"household": household.String(), "person": c.Person, "role": c.Role, "from": c.From, "to": c.To, "collects_for": serves}
	return o.a.print(result, func(w io.Writer) {
		until := "until she is replaced"
		if c.To != "" {
			until = "until " + c.To
		}
		fmt.Fprintf(w, "%s collector of %s %s\n", c.Role, g.Record.Called(), until)
		if serves > 1 {
			fmt.Fprintf(w, "she is now a collector of %d households\n", serves)
		}
	})
}

func (a *app) collectorEndCommand() *cobra.Command {
	var list, askedBy, external string
	cmd := &cobra.Command{
		Use:   "end HOUSEHOLD [ALTERNATE] --asked-by PERSON",
		Short: "End an alternate's right at once, as the holder of the card asks",
		Long: `End an alternate's right at once, as the holder of the card asks: a primary collector,
or any member where there is none. Neither the head nor the alternate has a say.`,
		Example: `  aidpass registry collector end HH-0042 P-0108 --asked-by P-0107 --list camp-north`,
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if askedBy == "" || (len(args) == 2) == (external != "") {
				return usagef("whose right ends, and who asks?").hint("ALTERNATE or --external NAME, and --asked-by the holder of the card")
			}
			o, err := a.openOrg(ctx)
			if err != nil {
				return err
			}
			defer o.close()
			household, err := whichRecord{list, "household"}.one(ctx, o, args[0])
			if err != nil {
				return err
			}
			people := whichRecord{list, "person"}
			principal, err := people.one(ctx, o, askedBy)
			if err != nil {
				return err
			}
			alternate := external
			if len(args) == 2 {
				id, err := people.one(ctx, o, args[1])
				if err != nil {
					return err
				}
				alternate = id.String()
			}
			return registryError(o.desk(access.Registrar).RevokeCollector(ctx, household, alternate, principal))
		},
	}
	f := cmd.Flags()
	f.StringVar(&list, "list", "", "name of the list whose numbers people go by (default: the organisation's own)")
	f.StringVar(&askedBy, "asked-by", "", "who asks for it")
	f.StringVar(&external, "external", "", "name of an alternate who is not on record")
	return cmd
}

func (a *app) collectorBusyCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "busy",
		Short:   fmt.Sprintf("Report alternates who serve more than %d households", registry.ManyHouseholds),
		Example: `  aidpass registry collector busy --json`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			list, err := o.desk(access.Auditor).BusyAlternates(cmd.Context())
			if err != nil {
				return err
			}
			// Those who are not on record stand here by name.
			var about []registry.ID
			for _, b := range list {
				about = append(about, b.Households...)
				if id, err := registry.ParseID(b.Person); err == nil {
					about = append(about, id)
				}
			}
			read := access.Entry{Action: "record.read", Object: "registry", Detail: "collectors"}
			if err := o.store.NoteAbout(cmd.Context(), a.actor(access.Auditor), read, about); err != nil {
				return err
			}
			for _, b := range list {
				result := map[string]any{"person": b.Person, "external": b.External, "households": idTexts(b.Households)}
				called, err := o.called(cmd.Context(), b.Households...)
				if err != nil {
					return err
				}
				who := b.External
				if id, err := registry.ParseID(b.Person); err == nil {
					texts, err := o.called(cmd.Context(), id)
					if err != nil {
						return err
					}
					who = texts[0]
				}
				err = a.print(result, func(w io.Writer) {
					fmt.Fprintf(w, "%s serves %d households: %s\n", who, len(b.Households), strings.Join(called, ", "))
				})
				if err != nil {
					return err
				}
			}
			if len(list) == 0 {
				a.say("nobody serves more than %d households", registry.ManyHouseholds)
			}
			return nil
		},
	}
}
