package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer/registry/doubles"
)

// doublesDesk compares the people of an open organisation.
func (a *app) doublesDesk(o *org) *doubles.Desk { return &doubles.Desk{Store: o.store, Now: a.Now} }

func (a *app) duplicatesRunCommand() *cobra.Command {
	var full bool
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Look through the register for people who are on record twice",
		Long: `Look through the register for people who are on record twice. What is found waits for
people (registry duplicates review, and the desk): nobody is closed, merged or left without aid.
What people decided stays so, unless a name, birth or document was changed since.

A run reads only who is new or was changed since the last one, and compares them with
all. It compares all with all the first time, with --full, after somebody was erased
(the index of names that is kept between runs is destroyed with her), and once a month.
It says which, and why. It may be stopped (Ctrl-C) at any time: the next one goes on.`,
		Example: `  aidpass registry duplicates run
  aidpass registry duplicates run --full --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			p := a.progress("comparing")
			r, err := a.doublesDesk(o).Run(cmd.Context(), a.actor(access.Registrar), doubles.Options{Full: full, Progress: p.step})
			p.end()
			if errors.Is(err, context.Canceled) {
				return fmt.Errorf("stopped: what was found so far is kept, and the next run goes on: %w", err)
			}
			if err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) { writeRun(w, &r) })
		},
	}
	cmd.Flags().BoolVar(&full, "full", false, "compare all with all, although only some were changed")
	return cmd
}

// fullWords say why a run compared all with all.
var fullWords = map[string]string{
	doubles.FullAsked: "as asked", doubles.FullFirst: "no index is kept: the first run, or somebody was erased since the last", doubles.FullDamaged: "the index that was kept does not open",
	doubles.FullMany: "more was changed than the last run's learning holds for", doubles.FullMonth: "what was learnt is older than a month",
}

func writeRun(w io.Writer, r *doubles.Report) {
	if r.Full {
		fmt.Fprintf(w, "%d people, all compared with all (%s)\n", r.People, fullWords[r.Why])
	} else {
		fmt.Fprintf(w, "%d people, %d of them new or changed and compared with all\n", r.People, r.Read)
	}
	fmt.Fprintf(w, "found: %d pairs told to be one person, %d that need a look; %d groups of more than two\n", r.Told, r.Review, r.Groups)
	fmt.Fprintf(w, "new %d, said otherwise than before %d, left as people decided %d, opened again %d, withdrawn %d\n", r.New, r.Renewed, r.Decided, r.Reopened, r.Withdrawn)
	if r.Flood > 0 {
		fmt.Fprintf(w, "TOO MANY: %d pairs were left out, the least telling (%d people have more than %d): is a list entered twice, or a filler in place of a number?\n",
			r.Flood, r.FloodPeople, r.Limits.OfOne)
	}
	if !r.Kept {
		fmt.Fprintln(w, "the index is not kept, for somebody was erased meanwhile: the next run compares all")
	}
	fmt.Fprintf(w, "%d pairs compared in %.1f s\n", r.Compared, r.Seconds)
}

func (a *app) duplicatesReportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "report",
		Short: "How the work with duplicates goes: what waits, who decided how much, and whether all are found alike",
		Long: `How the work with duplicates goes: pairs that wait and since when, pairs to review for
1,000 people, what each account decided (and took back), and how many of the pairs that
a run found people confirmed, by how likely they were.

Fairness is measured by each run over all: of every script and sex some are entered a
second time, in memory alone, with one typing mistake, and it is counted who is found.
A group more than five points below the best is marked. Groups of fewer than ten people
or households are not told.`,
		Example: `  aidpass registry duplicates report
  aidpass registry duplicates report --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			l, err := a.doublesDesk(o).Report(cmd.Context())
			if err != nil {
				return err
			}
			return a.print(l, func(w io.Writer) { writeLoad(w, &l) })
		},
	}
}

func writeLoad(w io.Writer, l *doubles.Load) {
	fmt.Fprintf(w, "open %d pairs (%.1f per 1,000 people): %d told to be one person, %d need a look, %d put off\n", l.Open, l.PerThousand, l.Told, l.Review, l.Postponed)
	if l.Open > 0 {
		fmt.Fprintf(w, "age: oldest %d days, median %d\n", l.OldestDays, l.MedianDays)
	}
	fmt.Fprintf(w, "decided %d, withdrawn by a later run %d\n", l.Decided, l.Withdrawn)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(l.Reviewers) > 0 {
		fmt.Fprintln(t, "\naccount\tdecided\ttaken back\ta pair takes")
	}
	for _, r := range l.Reviewers {
		takes := "-"
		if r.Seconds > 0 {
			takes = fmt.Sprintf("%.0f s", r.Seconds)
		}
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\n", r.Account, r.Decided, share(r.TakenBack, r.Decided), takes)
	}
	fmt.Fprintln(t, "\nchance\topen\tone person\ttwo people\tconfirmed")
	for _, b := range l.Bands {
		fmt.Fprintf(t, "%g-%g\t%d\t%d\t%d\t%s\n", b.From, b.To, b.Open, b.Same, b.Different, share(b.Same, b.Same+b.Different))
	}
	t.Flush()
	switch {
	case l.Last == nil:
		fmt.Fprintln(w, "\nno run yet: aidpass registry duplicates run")
		return
	case l.Last.Flood > 0:
		fmt.Fprintf(w, "\nthe last run left out %d pairs: more than people can look at\n", l.Last.Flood)
	}
	fmt.Fprintf(w, "\nlast run %s by %s\n", l.Last.At.Format("2006-01-02 15:04"), l.Last.By)
	if f := l.Last.Fairness; f != nil {
		fmt.Fprintf(w, "fairness, measured %s\n", f.At.Format("2006-01-02"))
		writeFair(w, f)
	}
}

func writeFair(w io.Writer, f *doubles.Fair) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\tpeople\tfound of planted\tpairs per 1,000\tconfirmed\t")
	for _, g := range f.Groups {
		if g.Few {
			fmt.Fprintf(t, "%s %s\t<10\t\t\t\t\n", g.By, g.Value)
			continue
		}
		mark := ""
		if g.Behind {
			mark = "MORE THAN 5 POINTS BELOW THE BEST"
		}
		fmt.Fprintf(t, "%s\n", strings.Join([]string{g.By + " " + g.Value, fmt.Sprint(g.People), share(g.Found, g.Planted), fmt.Sprintf("%.1f", g.PerThousand), share(g.Same, g.Same+g.Different), mark}, "\t"))
	}
	t.Flush()
}

// share is a part of a whole in per cent, with the whole; of nothing it is "-".
func share(part, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %% of %d", 100*float64(part)/float64(of), of)
}
