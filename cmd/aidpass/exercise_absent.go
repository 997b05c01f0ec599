package main

import (
	"cmp"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/exercise"
)

func (a *app) exerciseAbsentCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "absent CODE",
		Short: "List who was not seen, and where each stands",
		Long: `List who was not seen at an exercise that is closed: whether they were told, to when they
may appeal, and why somebody is not to become inactive. Who is listed can be told of it.

  unnoticed   nobody told them            appealed    they said that they are there
  noticed     the time for an appeal runs contacted   somebody met them since
  due         two accounts may decide     collected   something was given to them since
  inactive    they are                    closed      the record is, or is inactive otherwise`,
		Example: `  aidpass exercise absent VER-2026-03`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			o, err := a.openOrg(ctx)
			if err != nil {
				return err
			}
			defer o.close()
			list, err := o.exercises().Absent(ctx, args[0])
			if err != nil {
				return exerciseError(err)
			}
			var ids []registry.ID
			for i := range list {
				ids = append(ids, list[i].Unit)
			}
			e := access.Entry{Action: "exercise.read", Object: args[0], Detail: fmt.Sprintf("absent=%d", len(ids))}
			lines, err := o.records().Lines(ctx, a.actor(access.Registrar), e, ids)
			if err != nil {
				return err
			}
			for i := range list {
				x, who := &list[i], somebodyOf(&lines[i])
				result := map[string]any{"about": who, "standing": x.Standing, "noticed": x.Noticed, "until": x.Until, "appealed": x.Appealed}
				err := a.print(result, func(w io.Writer) {
					fmt.Fprintf(w, "%-10s %-10s %s  %s\n", x.Standing, cmp.Or(x.Until, "-"), who.ID, who.line())
				})
				if err != nil {
					return err
				}
			}
			if len(list) == 0 {
				a.say("nobody was absent")
			}
			return nil
		},
	}
}

func (a *app) exerciseNoticeCommand() *cobra.Command {
	var which whichRecord
	var on, way string
	cmd := &cobra.Command{
		Use:   "notice CODE --how poster [RECORD ...]",
		Short: "Keep that the absent were told that nobody saw them",
		Long: `Keep that the absent were told that nobody saw them: on which day, and how (poster,
message, visit or phone). Without records it is all whom nobody told yet. From the first
notice on the time for an appeal runs.`,
		Example: `  aidpass exercise notice VER-2026-03 --how poster --on 2026-11-28
  aidpass exercise notice VER-2026-03 --how visit HH-0042 --list camp-north`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			o, err := a.openOrg(ctx)
			if err != nil {
				return err
			}
			defer o.close()
			e, err := o.exercises().Find(ctx, args[0])
			if err != nil {
				return exerciseError(err)
			}
			which.kind = cmp.Or(which.kind, string(e.Scope.Kind))
			ids, err := which.all(ctx, o, args[1:])
			if err != nil {
				return err
			}
			on = cmp.Or(on, a.Now().UTC().Format(time.DateOnly))
			n, err := o.exercises().Notice(ctx, a.actor(access.DistributionLead), e.Code, ids, on, way)
			if err != nil {
				return exerciseError(err)
			}
			until, _ := e.Window(on)
			day := until.Format(time.DateOnly)
			return a.print(map[string]any{"exercise": e.Code, "told": n, "until": day}, func(w io.Writer) {
				fmt.Fprintf(w, "%d told; they may appeal until %s\n", n, day)
			})
		},
	}
	which.flags(cmd)
	cmd.Flags().StringVar(&on, "on", "", "day on which they were told (default: today)")
	cmd.Flags().StringVar(&way, "how", "", "poster, message, visit or phone")
	return cmd
}

func (a *app) exerciseAppealCommand() *cobra.Command {
	var which whichRecord
	cmd := &cobra.Command{
		Use:   "appeal CODE RECORD",
		Short: "Keep that one of the absent said that she is there",
		Long: `Keep that one of the absent said that she is there, in whatever way. She stays active, or is
so again, at any time; one account is enough, and no reason is asked.`,
		Example: `  aidpass exercise appeal VER-2026-03 HH-0042 --list camp-north`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			o, err := a.openOrg(ctx)
			if err != nil {
				return err
			}
			defer o.close()
			e, err := o.exercises().Find(ctx, args[0])
			if err != nil {
				return exerciseError(err)
			}
			which.kind = cmp.Or(which.kind, string(e.Scope.Kind))
			id, err := which.one(ctx, o, args[1])
			if err != nil {
				return err
			}
			woken, err := o.exercises().Appeal(ctx, a.actor(access.Registrar), e.Code, id)
			if err != nil {
				return exerciseError(err)
			}
			return a.print(map[string]any{"exercise": e.Code, "record": id.String(), "active_again": idTexts(woken)}, func(w io.Writer) {
				fmt.Fprintln(w, "kept: nobody of them becomes inactive by this exercise")
				if len(woken) > 0 {
					fmt.Fprintln(w, plural(len(woken), "record is", "records are"), "active again")
				}
			})
		},
	}
	which.flags(cmd)
	return cmd
}

func (a *app) exerciseSettleCommand() *cobra.Command {
	var yes int
	cmd := &cobra.Command{
		Use:   "settle CODE [--yes N]",
		Short: "Make inactive who was not seen, after notice and the time for an appeal",
		Long: `Make inactive who was absent, was told, and neither appealed nor was met or given
anything to since: reason not_seen. Without --yes it tells who they are, and does nothing;
then the same with --yes, that number and --second-person. Whoever is not due any more
keeps all of it from being done.

Cards are not revoked by it. An inactive record gets no new card, and is active again
when its people are met or appeal. At most 2000 at once: then again.`,
		Example: `  aidpass exercise settle VER-2026-03
  aidpass exercise settle VER-2026-03 --yes 17 --second-person lead-2`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			o, err := a.openOrg(ctx)
			if err != nil {
				return err
			}
			defer o.close()
			p, err := o.exercises().Propose(ctx, args[0])
			if err != nil {
				return exerciseError(err)
			}
			if !cmd.Flags().Changed("yes") {
				return a.previewSettle(cmd, o, &p)
			}
			if yes != len(p.Units) {
				return usagef("--yes %d, and %d are due", yes, len(p.Units)).hint("look at them again without --yes")
			}
			n, err := o.exercises().Settle(ctx, a.actor(access.DistributionLead), p)
			if err != nil {
				return exerciseError(err)
			}
			e, err := o.exercises().Find(ctx, args[0])
			if err != nil {
				return exerciseError(err)
			}
			return a.print(map[string]any{"exercise": e.Code, "inactive": n, "state": e.State, "done": true}, func(w io.Writer) {
				fmt.Fprintf(w, "%s inactive; the exercise is %s\n", plural(n, string(e.Scope.Kind)+" is", string(e.Scope.Kind)+"s are"), e.State)
			})
		},
	}
	cmd.Flags().IntVar(&yes, "yes", 0, "the number of those who are due, to confirm it")
	return cmd
}

// previewSettle tells who would become inactive, and the log that it did.
func (a *app) previewSettle(cmd *cobra.Command, o *org, p *exercise.Proposal) error {
	e := access.Entry{Action: "exercise.read", Object: p.Code, Detail: fmt.Sprintf("due=%d", len(p.Units))}
	lines, err := o.records().Lines(cmd.Context(), a.actor(access.DistributionLead), e, p.Units)
	if err != nil {
		return err
	}
	about := []somebody{}
	for i := range lines {
		about = append(about, somebodyOf(&lines[i]))
	}
	return a.print(map[string]any{"exercise": p.Code, "due": len(p.Units), "absent": p.Counts, "about": about, "done": false}, func(w io.Writer) {
		for i := range about {
			fmt.Fprintf(w, "%s  %s\n", about[i].ID, about[i].line())
		}
		for _, s := range exercise.Standings() {
			if n := p.Counts[s]; n > 0 {
				fmt.Fprintf(w, "%s: %d\n", s, n)
			}
		}
		if len(p.Units) == 0 {
			fmt.Fprintln(w, "nothing was done: nobody is due")
			return
		}
		fmt.Fprintf(w, "nothing was done: add --yes %d and --second-person ACCOUNT\n", len(p.Units))
	})
}
