package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"aidpass/issuer/registry/match"
	"aidpass/issuer/registry/match/trial"
	"aidpass/issuer/registry/roster"
)

func (a *app) registryDuplicatesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "duplicates",
		Short: "Find people who are on record twice, decide, and see how well that goes",
		Example: `  aidpass registry duplicates run
  aidpass registry duplicates review
  aidpass registry duplicates report
  aidpass registry duplicates evaluate people.csv
  aidpass registry duplicates evaluate people.csv --labels pairs.csv --json`,
	}
	cmd.AddCommand(a.duplicatesRunCommand(), a.duplicatesReviewCommand(), a.duplicatesDecideCommand(), a.duplicatesReportCommand(), a.duplicatesEvaluateCommand())
	return cmd
}

type evaluateFlags struct {
	labels, sheet, encoding string
	columns                 []string
}

func (a *app) duplicatesEvaluateCommand() *cobra.Command {
	var f evaluateFlags
	roles := make([]string, len(trial.Roles))
	for i, r := range trial.Roles {
		roles[i] = string(r)
	}
	cmd := &cobra.Command{
		Use:   "evaluate FILE",
		Short: "Measure how well duplicates are found on a list of which you know who is who",
		Long: `Measure how well duplicates are found on a list of which you know who is who. It looks
as the register looks, with the same model for every list, and compares with the truth:
a column that says whose row it is (cluster, person, ent_id ...; identifiers such as
rec-7-dup-0 say it themselves), or a file of pairs. Nothing is stored or sent.

Columns are guessed by what lists call them; --map says otherwise. What they may be:
` + wrapped(roles) + `
A list of names alone is one of spellings: each is compared once.

Links are what the register takes for one person: the pairs it shows, and what follows
from groups of them. docs/duplicates.md says how to read the figures.`,
		Example: `  aidpass registry duplicates evaluate people.csv
  aidpass registry duplicates evaluate people.csv --map given=prenom --map person=verified_id --map document=
  aidpass registry duplicates evaluate people.csv --labels pairs.csv --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.evaluate(cmd.Context(), args[0], f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.labels, "labels", "", "a file of pairs of rows that are one person, by their identifiers, instead of a column")
	fl.StringArrayVar(&f.columns, "map", nil, "what a column holds, as given=first_name; given= leaves it out (repeatable)")
	fl.StringVar(&f.sheet, "sheet", "", "sheet of a workbook (default: its first with rows)")
	fl.StringVar(&f.encoding, "encoding", "", "of a CSV that is neither UTF-8 nor UTF-16, as windows-1256")
	return cmd
}

// measured is a report, and what it cost on this machine.
type measured struct {
	*trial.Report
	Columns trial.Columns `json:"columns"`
	Seconds float64       `json:"seconds"`
	Memory  uint64        `json:"memory_bytes"`
}

func (a *app) evaluate(ctx context.Context, path string, f evaluateFlags) error {
	start := a.Now()
	file, err := roster.OpenFile(path, roster.Options{Sheet: f.sheet, Encoding: f.encoding})
	if err != nil {
		return rosterError(err)
	}
	defer file.Close()
	list, err := trial.Read(file, f.columns)
	if err != nil {
		return evaluateError(err)
	}
	if f.labels != "" {
		labels, err := roster.OpenFile(f.labels, roster.Options{})
		if err != nil {
			return rosterError(err)
		}
		defer labels.Close()
		if err := list.ReadPairs(labels); err != nil {
			return evaluateError(err)
		}
	}
	p := a.progress("pairs")
	report, err := list.Measure(ctx, match.Options{Seed: 1, Progress: func(done, of int64) { p.step(int(done), int(of)) }})
	p.end()
	if err != nil {
		return evaluateError(err)
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	m := measured{report, list.Columns(), a.Now().Sub(start).Seconds(), mem.Sys}
	return a.print(m, m.write)
}

// evaluateError makes what a list lacks the caller's to mend.
func evaluateError(err error) error {
	var file *roster.FileError
	if errors.Is(err, context.Canceled) || errors.As(err, &file) {
		return rosterError(err)
	}
	return usagef("%w", err).hint("--map says what a column holds; --help lists what it may be")
}

func (m measured) write(w io.Writer) {
	fields := make([]string, len(m.Fields))
	for i, r := range m.Fields {
		fields[i] = fmt.Sprintf("%s (%s)", r, strings.Join(m.Columns[r], ", "))
	}
	fmt.Fprintf(w, "%d rows, compared by %s\n", m.Rows, strings.Join(fields, ", "))
	if m.RowsCompared != m.Rows {
		fmt.Fprintf(w, "%d different spellings\n", m.RowsCompared)
	}
	fmt.Fprintf(w, "%d pairs are one person\n\n", m.TruePairs)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\tprecision\trecall\tF1\tright\twrong\tmissed")
	for _, r := range []struct {
		what string
		trial.Shares
	}{{"links", m.Links}, {"pairs that are shown", m.Pairs}, {"told to be one person", m.Duplicates}} {
		fmt.Fprintf(t, "%s\t%.4f\t%.4f\t%.4f\t%d\t%d\t%d\n", r.what, r.Precision, r.Recall, r.F1, r.Right, r.Wrong, r.Missed)
	}
	t.Flush()
	fmt.Fprintf(w, "\npairs compared    %d (%.1f candidates a row), blocking recall %.4f\n", m.PairsCompared, m.PerRow, m.Blocking)
	fmt.Fprintf(w, "to review         %d pairs, %.1f per 1,000 rows\n", m.Review, m.Load)
	fmt.Fprintf(w, "groups            %d, and %d pairs that joined none lest they explode\n", m.Groups, m.Cut)
	fmt.Fprintf(w, "time and memory   %.1f s, %d MB\n", m.Seconds, m.Memory>>20)
	if len(m.By) > 0 {
		fmt.Fprintln(w, "\nfound by group of people")
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, s := range m.By {
			fmt.Fprintf(t, "  %s\t%d pairs\t%.4f\n", s.Group, s.Pairs, s.Recall)
		}
		t.Flush()
	}
}
