package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer/registry"
)

func (a *app) programmeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "programme",
		Short: "Programmes and their rounds",
		Example: `  aidpass programme add --name "Winter cash" --modality cash --counts household --currency JOD
  aidpass programme round K7Q2 1 --opens 2026-11-01 --closes 2026-11-10 --site WELL-A
  aidpass programme list`,
	}
	cmd.AddCommand(a.programmeAddCommand(), a.programmeRoundCommand(), a.programmeShowCommand(), a.programmeListCommand())
	return cmd
}

func (a *app) programmeAddCommand() *cobra.Command {
	var p registry.Programme
	var counts string
	cmd := &cobra.Command{
		Use:   "add [CODE] --modality cash --counts household",
		Short: "Add a programme, or change one",
		Long: `Add a programme, or change one that has the code: what is said is changed, the rest
stays.

The code is what stands on cards, so it says nothing: leave it out and one is drawn.
The name is sealed in the database and stands on no card. A programme counts
persons or households, for good, and has one currency once something is planned.`,
		Example: `  aidpass programme add --name "Winter cash" --modality cash --counts household --currency JOD
  aidpass programme add K7Q2 --modality in_kind --counts person --start 2026-11-01 --end 2027-03-31
  aidpass programme add K7Q2 --end 2027-06-30`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p.Counts = registry.Kind(counts)
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			if len(args) == 1 {
				p.Code = args[0]
				old, err := o.desk(access.DistributionLead).Programme(cmd.Context(), p.Code)
				switch {
				case errors.Is(err, registry.ErrNotFound):
					if registry.SpeakingCode(p.Code) {
						a.say("warning: whoever finds a card reads %s on it: leave the code out, and one is drawn that says nothing", p.Code)
					}
				case err != nil:
					return err
				default:
					unsaid(cmd, &p, &old)
				}
			}
			saved, err := o.desk(access.DistributionLead).SaveProgramme(cmd.Context(), p)
			if err != nil {
				return registryError(err)
			}
			return a.printProgramme(saved)
		},
	}
	f := cmd.Flags()
	f.StringVar(&p.Name, "name", "", "what the organisation calls it")
	f.StringVar(&p.Modality, "modality", "", "cash, voucher, in_kind or service")
	f.StringVar(&counts, "counts", "household", "what it counts: person or household")
	f.StringVar(&p.Currency, "currency", "", "ISO 4217, as JOD")
	f.StringVar(&p.Sector, "sector", "", "sector")
	f.StringVar(&p.Conditionality, "conditionality", "", "conditionality")
	f.StringVar(&p.Start, "start", "", "first day")
	f.StringVar(&p.End, "end", "", "last day")
	return cmd
}

// unsaid keeps of a programme what no flag speaks of.
func unsaid(cmd *cobra.Command, p, old *registry.Programme) {
	if !cmd.Flags().Changed("counts") {
		p.Counts = old.Counts
	}
	for flag, field := range map[string][2]*string{"name": {&p.Name, &old.Name}, "modality": {&p.Modality, &old.Modality},
		"currency": {&p.Currency, &old.Currency}, "sector": {&p.Sector, &old.Sector},
		"conditionality": {&p.Conditionality, &old.Conditionality}, "start": {&p.Start, &old.Start}, "end": {&p.End, &old.End}} {
		if !cmd.Flags().Changed(flag) {
			*field[0] = *field[1]
		}
	}
}

func (a *app) programmeRoundCommand() *cobra.Command {
	var round registry.Round
	cmd := &cobra.Command{
		Use:     "round CODE N",
		Short:   "Add a round to a programme, or change it",
		Example: `  aidpass programme round K7Q2 1 --opens 2026-11-01 --closes 2026-11-10 --site WELL-A --site WELL-B`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := strconv.ParseUint(args[1], 10, 16)
			if err != nil {
				return usagef("round %q is no number", args[1]).hint("rounds are numbered from 1")
			}
			round.N = n
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			p, err := o.desk(access.DistributionLead).SaveRound(cmd.Context(), args[0], round)
			if err != nil {
				return programmeError(err)
			}
			return a.printProgramme(p)
		},
	}
	f := cmd.Flags()
	f.StringVar(&round.Label, "label", "", "what it is called")
	f.StringVar(&round.Opens, "opens", "", "first day")
	f.StringVar(&round.Closes, "closes", "", "last day")
	f.StringArrayVar(&round.Sites, "site", nil, "where; repeat")
	return cmd
}

func (a *app) programmeShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show CODE",
		Short:   "Show a programme and its rounds",
		Example: `  aidpass programme show K7Q2`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			p, err := o.desk(access.DistributionLead).Programme(cmd.Context(), args[0])
			if err != nil {
				return programmeError(fmt.Errorf("programme %q: %w", args[0], err))
			}
			return a.printProgramme(p)
		},
	}
}

func (a *app) programmeListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List programmes",
		Example: `  aidpass programme list`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			list, err := o.desk(access.DistributionLead).Programmes(cmd.Context())
			if err != nil {
				return err
			}
			for _, p := range list {
				if err := a.printProgramme(p); err != nil {
					return err
				}
			}
			if len(list) == 0 {
				a.say("no programme yet: aidpass programme add")
			}
			return nil
		},
	}
}

// programmeError says where programmes and rounds are told.
func programmeError(err error) error {
	if errors.Is(err, registry.ErrNotFound) {
		return usagef("%w", err).hint("aidpass programme list shows what there is; aidpass programme round adds one")
	}
	return registryError(err)
}

func (a *app) printProgramme(p registry.Programme) error {
	return a.print(p, func(w io.Writer) {
		fmt.Fprintln(w, strings.Join(strings.Fields(fmt.Sprint(p.Code, " ", p.Modality, " counts ", p.Counts, "s ", p.Currency, " ", p.Start, " ", p.End)), " "), p.Name)
		for _, r := range p.Rounds {
			fmt.Fprintln(w, "  round", strings.Join(strings.Fields(fmt.Sprint(r.N, " ", r.Opens, " ", r.Closes, " ", strings.Join(r.Sites, " "), " ", r.Label)), " "))
		}
	})
}

func (a *app) entitleCommand() *cobra.Command {
	var code string
	var round uint64
	var rule registry.Rule
	var items, services []string
	var preview bool
	cmd := &cobra.Command{
		Use:   "entitle --programme CODE --round N --amount 120.00",
		Short: "Say what everybody of a programme is due in a round",
		Long: `Say what everybody of a programme is due in a round: an amount for each unit, or for
each head of a household (--per-head), things or visits.

--preview tells what it would come to and writes nothing. Run again, it changes what
is still planned and never what was issued or collected; a run that was broken off is
finished by running it again. Households of unknown size are left out of an amount
by heads, and counted. Where a round has places (programme round --site), it counts
those whose record names none of them; --here leaves them out.`,
		Example: `  aidpass entitle --programme K7Q2 --round 1 --amount 120.00 --preview
  aidpass entitle --programme K7Q2 --round 1 --amount 25.50 --per-head --here
  aidpass entitle --programme M4TX --round 2 --item BLANKET=2 --item SOAP=1.5kg
  aidpass entitle --programme H8RZ --round 1 --visits ANC=4`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if code == "" || round == 0 {
				return usagef("which programme and round?").hint("--programme K7Q2 --round 1; aidpass programme list shows them")
			}
			var err error
			if rule.Items, err = parseItems(items); err != nil {
				return err
			}
			if rule.Services, err = parseVisits(services); err != nil {
				return err
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			plan, err := o.desk(access.DistributionLead).Plan(cmd.Context(), code, round, rule, preview)
			if err != nil {
				return programmeError(err)
			}
			result := map[string]any{"units": plan.Units, "new": plan.New, "changed": plan.Changed, "same": plan.Same, "kept": plan.Kept,
				"without_size": idTexts(plan.Sizeless), "elsewhere": plan.Elsewhere, "total": plan.Total, "preview": preview}
			return a.print(result, func(w io.Writer) {
				fmt.Fprintf(w, "%s: %d new, %d changed, %d as before, %d issued already or on hold\n", plural(plan.Units, "unit", "units"), plan.New, plan.Changed, plan.Same, plan.Kept)
				if plan.Total != "" {
					fmt.Fprintln(w, "planned in all:", plan.Total)
				}
				if n := len(plan.Sizeless); n > 0 {
					fmt.Fprintf(w, "%s of a size unknown or over %d got nothing, as %s\n", plural(n, "household", "households"), registry.LargestHousehold, plan.Sizeless[0])
				}
				switch n := plan.Elsewhere; {
				case n > 0 && rule.Here:
					fmt.Fprintf(w, "left out: %s whose record names no place of the round\n", plural(n, "unit", "units"))
				case n > 0:
					fmt.Fprintf(w, "look: the record of %s names no place of the round, and they are planned too; --here leaves them out\n", plural(n, "unit", "units"))
				}
				if preview {
					fmt.Fprintln(w, "nothing was written: leave --preview out")
				}
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&code, "programme", "", "code of the programme, as K7Q2")
	f.Uint64Var(&round, "round", 0, "number of the round")
	f.StringVar(&rule.Amount, "amount", "", "money for each unit, as 120.00, in the programme's currency")
	f.BoolVar(&rule.PerHead, "per-head", false, "for each person of a household")
	f.StringArrayVar(&items, "item", nil, "things for each unit: CODE=QUANTITY[UNIT]; repeat")
	f.StringArrayVar(&services, "visits", nil, "visits for each unit: CODE=NUMBER; repeat")
	f.StringVar(&rule.Mechanism, "mechanism", "", "how it is handed over, as Cash over the counter")
	f.BoolVar(&rule.Here, "here", false, "only those whose record names a place of the round, as its site or p-code")
	f.BoolVar(&preview, "preview", false, "tell what it would come to and write nothing")
	cmd.AddCommand(a.entitleReleaseCommand())
	return cmd
}

func (a *app) entitleReleaseCommand() *cobra.Command {
	var which whichRecord
	var code string
	var round uint64
	cmd := &cobra.Command{
		Use:   "release UNIT --programme CODE --round N --second-person ACCOUNT",
		Short: "Let go what is on hold: two people saw that it was not collected",
		Long: `Let go what is on hold: two people saw that it was not collected.

A household that joins others, or gets a new number, has what their cards were good
for on hold: it may have been collected under the old number. The ticks on the old
card tell, or the journal of the site. Released, it is planned, and a card is issued.`,
		Example: `  aidpass entitle release HH-0042 --list camp-north --programme K7Q2 --round 1 --second-person lead-2`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if code == "" || round == 0 {
				return usagef("which programme and round?").hint("--programme K7Q2 --round 1; aidpass programme list shows them")
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			unit, err := which.one(cmd.Context(), o, args[0])
			if err != nil {
				return err
			}
			if err := o.desk(access.DistributionLead).Release(cmd.Context(), unit, code, round); err != nil {
				return programmeError(err)
			}
			return a.print(map[string]any{"released": unit.String(), "programme": code, "round": round}, func(w io.Writer) {
				fmt.Fprintf(w, "released: %s in round %d of programme %s\n", unit, round, code)
			})
		},
	}
	which.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&code, "programme", "", "code of the programme, as K7Q2")
	f.Uint64Var(&round, "round", 0, "number of the round")
	return cmd
}

// parseItems reads CODE=2 or CODE=1.5kg.
func parseItems(texts []string) (items []registry.Item, err error) {
	for _, s := range texts {
		item, ok := registry.ParseItem(s)
		if !ok {
			return nil, usagef("--item %q", s).hint("BLANKET=2, or SOAP=1.5kg")
		}
		items = append(items, item)
	}
	return items, nil
}

func parseVisits(texts []string) (services []registry.Service, err error) {
	for _, s := range texts {
		visits, ok := registry.ParseService(s)
		if !ok {
			return nil, usagef("--visits %q", s).hint("ANC=4")
		}
		services = append(services, visits)
	}
	return services, nil
}
