package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/exercise"
	"aidpass/issuer/rollcall"
)

// exercises is the desk of verification exercises, as the pages have it.
func (o *org) exercises() *exercise.Desk {
	return &exercise.Desk{Store: o.store, Now: o.a.Now, Collected: o.store.CollectedSince, Account: o.hasAccount}
}

// hasAccount reports whether somebody is an account of the organisation; on a laptop that keeps
// no accounts anybody may be named.
func (o *org) hasAccount(ctx context.Context, id string) (ok bool, err error) {
	err = o.store.ReadAccess(ctx, func(v access.View) error {
		all, err := v.Accounts()
		ok = len(all) == 0 || slices.ContainsFunc(all, func(a access.Record) bool { return access.SameAccount(a.ID, id) })
		return err
	})
	return ok, err
}

func (a *app) exerciseCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "exercise",
		Short: "Verification exercises: invite, mark who was seen, and what becomes of the absent",
		Example: `  aidpass exercise make VER-2026-03 --opens 2026-11-22 --closes 2026-11-26 --desk north --desk south
  aidpass exercise mark VER-2026-03 HH-0042 --list camp-north seen --desk north
  aidpass exercise report VER-2026-03 --day 2026-11-22`,
	}
	cmd.AddCommand(a.exerciseMakeCommand(), a.exerciseOpenCommand(), a.exerciseListCommand(), a.exerciseShowCommand(), a.exerciseMarkCommand(), a.exerciseSheetCommand(),
		a.exerciseTakeCommand(), a.exerciseCloseCommand(), a.exerciseAbsentCommand(), a.exerciseNoticeCommand(), a.exerciseAppealCommand(), a.exerciseSettleCommand(), a.exerciseReportCommand())
	return cmd
}

// exerciseError makes what an exercise refuses the caller's to mend.
func exerciseError(err error) error {
	var refusal *exercise.Refusal
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refusal):
		return usagef("%w", err).hint("--help shows examples; aidpass exercise show tells how it stands")
	case errors.Is(err, exercise.ErrNone):
		return usagef("%w", err).hint("aidpass exercise list")
	case errors.Is(err, exercise.ErrNotInvited):
		return usagef("%w", err).hint("aidpass registry contact keeps a meeting without an exercise")
	case errors.Is(err, exercise.ErrChanged):
		return usagef("%w", err).hint("look again without --yes")
	}
	return registryError(err)
}

func exerciseJSON(e *exercise.Exercise) map[string]any {
	return map[string]any{"exercise": e.Code, "title": e.Title, "state": e.State, "opens": e.Opens, "closes": e.Closes, "desks": append([]string{}, e.Desks...), "scope": e.Scope,
		"notice_days": e.NoticeDays, "appeal_days": e.AppealDays, "invited": e.Invited}
}

func (a *app) exerciseMakeCommand() *cobra.Command {
	var e exercise.Exercise
	var kind string
	cmd := &cobra.Command{
		Use:   "make CODE --opens DAY --closes DAY",
		Short: "Make an exercise, or change one that is not open yet",
		Long: `Make an exercise as a draft, or change one that is not open yet. It tells how many would
be invited: the records in use of the scope. Nobody is invited before it is opened.

Who was not seen can become inactive only after a notice and the time for an appeal:
together at least 14 days, 30 where nobody says another.`,
		Example: `  aidpass exercise make VER-2026-03 --opens 2026-11-22 --closes 2026-11-26 --desk north --desk south
  aidpass exercise make VER-2026-04 --opens 2026-12-01 --closes 2026-12-05 --pcode SO1101 --site "Kanari well" --of person --notice-days 21 --appeal-days 14`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			e.Code, e.Scope.Kind = args[0], registry.Kind(kind)
			made, err := o.exercises().Make(cmd.Context(), a.actor(access.DistributionLead), e)
			if err != nil {
				return exerciseError(err)
			}
			n, err := o.exercises().Drawn(cmd.Context(), made.Code)
			if err != nil {
				return err
			}
			result := exerciseJSON(&made)
			result["would_invite"] = n
			return a.print(result, func(w io.Writer) {
				fmt.Fprintf(w, "made: %s, from %s to %s\n%s would be invited\n", made.Code, made.Opens, made.Closes, plural(n, string(made.Scope.Kind), string(made.Scope.Kind)+"s"))
				fmt.Fprintf(w, "next: aidpass exercise open %s --yes %d\n", made.Code, n)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&e.Title, "title", "", "what it is about, in a few words")
	f.StringVar(&e.Opens, "opens", "", "first day, as 2026-11-22")
	f.StringVar(&e.Closes, "closes", "", "last day")
	f.StringArrayVar(&e.Desks, "desk", nil, "name of a desk; repeat (default: any)")
	f.StringArrayVar(&e.Scope.PCodes, "pcode", nil, "place code of an area: who stays in it; repeat (default: everywhere)")
	f.StringArrayVar(&e.Scope.Sites, "site", nil, "name of a site; repeat (default: every)")
	f.StringVar(&kind, "of", string(registry.KindHousehold), "household or person: who is invited")
	f.IntVar(&e.NoticeDays, "notice-days", exercise.NoticeDays, "days that a notice stands")
	f.IntVar(&e.AppealDays, "appeal-days", exercise.AppealDays, "days for an appeal behind those")
	return cmd
}

func (a *app) exerciseOpenCommand() *cobra.Command {
	var yes int
	cmd := &cobra.Command{
		Use:   "open CODE [--yes N]",
		Short: "Invite the records of its scope, and open an exercise",
		Long: `Draw who is invited, the records in use of the scope, and open the exercise. Without --yes
it counts them; then the same with --yes and that number. Who comes into the register
later is not invited: aidpass registry contact keeps that they were met.`,
		Example: `  aidpass exercise open VER-2026-03
  aidpass exercise open VER-2026-03 --yes 412`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			n, err := o.exercises().Drawn(cmd.Context(), args[0])
			if err != nil {
				return exerciseError(err)
			}
			if yes == 0 {
				return a.print(map[string]any{"exercise": args[0], "would_invite": n, "done": false}, func(w io.Writer) {
					fmt.Fprintf(w, "%d would be invited\nnothing was done: add --yes %d\n", n, n)
				})
			}
			if yes != n {
				return usagef("--yes %d, and %d would be invited", yes, n).hint("look at them again without --yes")
			}
			e, err := o.exercises().Open(cmd.Context(), a.actor(access.DistributionLead), args[0])
			if err != nil {
				return exerciseError(err)
			}
			return a.print(exerciseJSON(&e), func(w io.Writer) { fmt.Fprintf(w, "open: %s, %d invited\n", e.Code, e.Invited) })
		},
	}
	cmd.Flags().IntVar(&yes, "yes", 0, "the number of those who are invited, to confirm it")
	return cmd
}

func (a *app) exerciseListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the exercises",
		Example: `  aidpass exercise list`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			list, err := o.exercises().List(cmd.Context())
			if err != nil {
				return err
			}
			for i := range list {
				e := &list[i]
				err := a.print(exerciseJSON(e), func(w io.Writer) {
					fmt.Fprintf(w, "%-24s %-8s %s to %s  %d invited  %s\n", e.Code, e.State, e.Opens, e.Closes, e.Invited, e.Title)
				})
				if err != nil {
					return err
				}
			}
			if len(list) == 0 {
				a.say("there is no exercise yet")
			}
			return nil
		},
	}
}

func (a *app) exerciseShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show CODE",
		Short:   "Tell how far an exercise has come",
		Example: `  aidpass exercise show VER-2026-03`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			d, err := o.exercises().Daily(cmd.Context(), args[0], "", "")
			if err != nil {
				return exerciseError(err)
			}
			result := exerciseJSON(&d.Exercise)
			result["total"], result["left"] = d.Total, d.Left
			p := exercise.Proposal{}
			if s := d.Exercise.State; s == exercise.Closed || s == exercise.Settled {
				if p, err = o.exercises().Propose(cmd.Context(), args[0]); err != nil {
					return exerciseError(err)
				}
				result["absent"] = p.Counts
			}
			return a.print(result, func(w io.Writer) {
				e := &d.Exercise
				fmt.Fprintln(w, strings.TrimSpace(fmt.Sprintf("%s  %s  %s to %s  %s", e.Code, e.State, e.Opens, e.Closes, e.Title)))
				fmt.Fprintf(w, "invited %d: seen %d, updated %d, refused %d, marked absent %d, nothing yet %d\n", d.Total.Invited, d.Total.Seen, d.Total.Updated, d.Total.Refused, d.Total.Absent, d.Left)
				for _, s := range exercise.Standings() {
					if n := p.Counts[s]; n > 0 {
						fmt.Fprintf(w, "  absent, %s: %d\n", s, n)
					}
				}
			})
		},
	}
}

// how reads --how as people type it.
func how(text string) exercise.Contact {
	return exercise.Contact(strings.ReplaceAll(strings.ToLower(text), "-", "_"))
}

// moment reads --on: a day, or a time.
func moment(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return parseMoment(text, false)
}

func (a *app) exerciseMarkCommand() *cobra.Command {
	var which whichRecord
	var ev exercise.Event
	var way, on string
	var undo bool
	cmd := &cobra.Command{
		Use:   "mark CODE RECORD seen|updated|absent|refused --desk DESK",
		Short: "Say that somebody was seen, or not, or take it back the same day",
		Long: `Say what came of an invitation: seen (and everything was right), updated (seen, and
something was changed), absent, or refused (met, and would not answer).

Who was seen or updated has a contact in the record from then on; the desk and the day
stand sealed there. By phone and remotely what is known is confirmed, never a photograph.
Of several desks the earliest meeting counts, and every mark stays.

--undo takes back the last mark of today by the same account.`,
		Example: `  aidpass exercise mark VER-2026-03 HH-0042 --list camp-north seen --desk north
  aidpass exercise mark VER-2026-03 HH-0043 --list camp-north updated --desk north --how phone --changed contacts
  aidpass exercise mark VER-2026-03 HH-0042 --list camp-north --undo`,
		Args: cobra.RangeArgs(2, 3),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if undo != (len(args) == 2) {
				return usagef("what came of it?").hint("seen, updated, absent or refused; or --undo, and none of them")
			}
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
			var i exercise.Invited
			if undo {
				i, err = o.exercises().Undo(ctx, a.actor(access.Registrar), e.Code, id)
			} else {
				ev.Outcome, ev.How = exercise.Outcome(args[2]), how(way)
				if ev.When, err = moment(on); err != nil {
					return err
				}
				i, err = o.exercises().Mark(ctx, a.actor(access.Registrar), e.Code, id, ev)
			}
			if err != nil {
				return exerciseError(err)
			}
			outcome := cmp.Or(string(i.Outcome), "nothing yet")
			return a.print(map[string]any{"exercise": e.Code, "record": id.String(), "outcome": i.Outcome, "twice": i.Twice}, func(w io.Writer) {
				fmt.Fprintf(w, "counts as: %s\n", outcome)
				if i.Twice > 0 {
					fmt.Fprintf(w, "%s beside it does not count\n", plural(i.Twice, "mark of another desk", "marks of other desks"))
				}
			})
		},
	}
	f := cmd.Flags()
	which.flags(cmd)
	f.StringVar(&ev.Desk, "desk", "", "at which desk")
	f.StringVar(&way, "how", "", "in-person, phone or remote (default: in-person)")
	f.StringVar(&on, "on", "", "day or time of the meeting (default: now)")
	f.IntVar(&ev.Fields, "fields", 0, "how many fields were looked at")
	f.StringArrayVar(&ev.Changed, "changed", nil, "a field that was changed; repeat")
	f.BoolVar(&undo, "undo", false, "take back this account's last mark of today")
	return cmd
}

func (a *app) exerciseCloseCommand() *cobra.Command {
	var yes int
	cmd := &cobra.Command{
		Use:   "close CODE [--yes N]",
		Short: "End the marking: whoever has not come is absent",
		Long: `End the marking. Whoever has not come is absent, and nothing else happens to them: see
aidpass exercise notice. Lists of offline desks are taken in afterwards, too.

Before the last day it counts those who were not seen yet; then the same with --yes and
that number.`,
		Example: `  aidpass exercise close VER-2026-03
  aidpass exercise close VER-2026-03 --yes 17`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			d, err := o.exercises().Daily(cmd.Context(), args[0], "", "")
			if err != nil {
				return exerciseError(err)
			}
			early := d.Exercise.State == exercise.Opened && a.Now().UTC().Format(time.DateOnly) < d.Exercise.Closes && d.Left > 0
			if early && yes == 0 {
				return a.print(map[string]any{"exercise": args[0], "closes": d.Exercise.Closes, "would_be_absent": d.Left, "done": false}, func(w io.Writer) {
					fmt.Fprintf(w, "it goes on until %s, and %d were not seen yet: they would become absent\nnothing was done: add --yes %d\n", d.Exercise.Closes, d.Left, d.Left)
				})
			}
			if early && yes != d.Left {
				return usagef("--yes %d, and %d were not seen yet", yes, d.Left).hint("look again without --yes")
			}
			e, err := o.exercises().Close(cmd.Context(), a.actor(access.DistributionLead), args[0])
			if err != nil {
				return exerciseError(err)
			}
			p, err := o.exercises().Propose(cmd.Context(), args[0])
			if err != nil {
				return exerciseError(err)
			}
			absent := 0
			for _, n := range p.Counts {
				absent += n
			}
			result := exerciseJSON(&e)
			result["absent"] = absent
			return a.print(result, func(w io.Writer) {
				fmt.Fprintf(w, "closed: %s, %d absent of %d\n", e.Code, absent, e.Invited)
				if absent > 0 {
					fmt.Fprintf(w, "next: tell them; aidpass exercise notice %s --how poster\n", e.Code)
				}
			})
		},
	}
	cmd.Flags().IntVar(&yes, "yes", 0, "before the last day: the number of those who become absent, to confirm it")
	return cmd
}

func (a *app) exerciseReportCommand() *cobra.Command {
	var day, from, to, out, lang string
	var table bool
	cmd := &cobra.Command{
		Use:   "report CODE [--day DAY]",
		Short: "Count an exercise by day, desk and clerk",
		Long: `Count an exercise by day, desk and clerk. It names nobody who was invited. Each unit counts
once: where several desks marked it, on the day and at the desk of the earliest meeting.

--out writes it as a page (.html), on paper (.pdf) or for a spreadsheet (.csv), in a
language of --lang.`,
		Example: `  aidpass exercise report VER-2026-03
  aidpass exercise report VER-2026-03 --day 2026-11-22
  aidpass exercise report VER-2026-03 --csv > report.csv
  aidpass exercise report VER-2026-03 --day 2026-11-22 --out monday.pdf --lang fr`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if day != "" {
				if from != "" || to != "" {
					return usagef("--day and --from or --to").hint("a day, or a span")
				}
				from, to = day, day
			}
			for _, d := range []string{from, to} {
				if _, err := time.Parse(time.DateOnly, d); err != nil && d != "" {
					return usagef("%q is not a day", d).hint("days are written 2026-11-22")
				}
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			d, err := o.exercises().Daily(cmd.Context(), args[0], from, to)
			if err != nil {
				return exerciseError(err)
			}
			if out != "" {
				return o.writeReport(cmd.Context(), rollcall.Report{Daily: d, Lang: lang, House: o.entry.Names["en"], At: a.Now()}, out)
			}
			return a.tellDaily(&d, table)
		},
	}
	f := cmd.Flags()
	f.StringVar(&day, "day", "", "of this day alone")
	f.StringVar(&from, "from", "", "first day that counts (default: of the exercise)")
	f.StringVar(&to, "to", "", "last day that counts")
	f.BoolVar(&table, "csv", false, "print a line for each day, desk and clerk")
	f.StringVar(&out, "out", "", "write it to this file: .html, .pdf or .csv")
	f.StringVar(&lang, "lang", "en", "language of --out: en, fr, es, ar or sw")
	return cmd
}

// tellDaily prints the figures of days.
func (a *app) tellDaily(d *exercise.Daily, table bool) error {
	if table {
		b, err := csvOf(dailyHeader(), dailyRows(d))
		if err == nil {
			_, err = a.Stdout.Write(b)
		}
		return err
	}
	return a.print(d, func(w io.Writer) {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "day\tdesk\tclerk\tseen\tupdated\tabsent\trefused\tin person\tphone\tremote\tfields\tchanged\ttwice")
		for _, r := range append(slices.Clone(d.Rows), d.Total) {
			fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", cmp.Or(r.Day, "all"), r.Desk, r.Clerk, r.Seen, r.Updated, r.Absent, r.Refused,
				r.ByContact[registry.InPerson], r.ByContact[registry.ByPhone], r.ByContact[registry.Remote], r.Fields, r.Changed, r.Twice)
		}
		t.Flush()
		fmt.Fprintf(w, "%d of %d: nothing yet\n", d.Left, d.Total.Invited)
	})
}

func dailyHeader() []string {
	return []string{"exercise", "day", "desk", "clerk", "marked", "seen", "updated", "absent", "refused", "in_person", "phone", "remote", "fields", "changed", "twice"}
}

func dailyRows(d *exercise.Daily) (rows [][]string) {
	for _, r := range d.Rows {
		row := []string{d.Exercise.Code, r.Day, r.Desk, r.Clerk}
		for _, n := range []int{r.Invited, r.Seen, r.Updated, r.Absent, r.Refused, r.ByContact[registry.InPerson], r.ByContact[registry.ByPhone], r.ByContact[registry.Remote], r.Fields, r.Changed, r.Twice} {
			row = append(row, fmt.Sprint(n))
		}
		rows = append(rows, row)
	}
	return rows
}
