package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/internal/durable"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/quality"
	"aidpass/issuer/registry/quality/indicator"
)

func (a *app) qualityCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quality",
		Short: "How good the register is: 31 indicators, and the list of what to mend",
		Example: `  aidpass quality report
  aidpass quality list DQ-12
  aidpass quality snapshot
  aidpass quality history`,
	}
	cmd.AddCommand(a.qualityReportCommand(), a.qualityListCommand(), a.qualitySnapshotCommand(), a.qualityHistoryCommand(), a.qualityExplainCommand(), a.qualityPlacesCommand())
	return cmd
}

// qualityFlags are those of what is measured.
type qualityFlags struct{ policy, places string }

func (f *qualityFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.policy, "policy", "", "what must be known, and thresholds (default: required.json in the data folder, else built in)")
	cmd.Flags().StringVar(&f.places, "pcodes", "", "list of the country's place codes, CSV or XLSX (default: pcodes.csv in the data folder, where there is one)")
}

// qualityDesk measures the register of an open organisation.
func (a *app) qualityDesk(o *org, f qualityFlags) *indicator.Desk {
	return &indicator.Desk{Store: o.store, Now: a.Now,
		Policy: func() (quality.Policy, error) { return a.qualityPolicy(f.policy) },
		Places: func() (indicator.Places, error) { return a.knownPlaces(f.places) }}
}

// placesPath is where the organisation's list of place codes is kept.
func (a *app) placesPath() string { return filepath.Join(a.Data, "pcodes.csv") }

// placeList reads the list of place codes: the file that was named, else pcodes.csv in the
// data folder; nil where there is none.
func (a *app) placeList(path string) (intake.Places, error) {
	named := path != ""
	if !named {
		path = a.placesPath()
	}
	list, err := intake.ReadPlaces(path)
	if !named && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return list, err
}

// knownPlaces is placeList as indicators go by it.
func (a *app) knownPlaces(path string) (indicator.Places, error) {
	list, err := a.placeList(path)
	if list == nil || err != nil {
		return nil, rosterError(err)
	}
	places := indicator.Places{}
	for _, at := range list.List() {
		places[at.Code] = indicator.Place{From: at.From, To: at.To}
	}
	return places, nil
}

// cutOf reads --by.
func cutOf(by string) (indicator.Cut, error) {
	if slices.Contains(indicator.Cuts(), indicator.Cut(by)) {
		return indicator.Cut(by), nil
	}
	return "", usagef("--by %q", by).hint("adm1, adm2, adm3, site, clerk, session, batch or month")
}

func (a *app) qualityReportCommand() *cobra.Command {
	var f qualityFlags
	var by, session string
	var table, daily bool
	cmd := &cobra.Command{
		Use:   "report [--by CUT | --session CODE]",
		Short: "Measure the 31 indicators now, of all or by area, site, clerk, batch or month",
		Long: `Measure the 31 indicators now. What is counted is records in use; closed and inactive
ones are not asked. A figure of nothing is "n/a", never 100.

--by tells each value of a cut with its score, and which indicators are red there. The
counts of a cut add up to the whole; what is not known has the name "-". --session
measures those alone who were seen in a verification exercise, each in the last she was in;
with --daily it counts them by day, desk and clerk, as aidpass exercise report does.

Thresholds, weights and what is required stand in the policy (registry gate
--show-policy). aidpass quality explain tells what each one counts.`,
		Example: `  aidpass quality report
  aidpass quality report --by site
  aidpass quality report --session VER-2026-03
  aidpass quality report --session VER-2026-03 --daily
  aidpass quality report --by clerk --csv > clerks.csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cut, err := cutOf(by)
			if err != nil {
				return err
			}
			switch {
			case session != "" && by != "":
				return usagef("--by and --session").hint("one of them: a session is a cut itself")
			case daily && session == "":
				return usagef("the days of which exercise?").hint("--session VER-2026-03 --daily")
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			if session != "" {
				if _, err := o.exercises().Find(cmd.Context(), session); err != nil {
					return exerciseError(err)
				}
			}
			if daily {
				d, err := o.exercises().Daily(cmd.Context(), session, "", "")
				if err != nil {
					return exerciseError(err)
				}
				return a.tellDaily(&d, table)
			}
			r, err := a.qualityDesk(o, f).Report(cmd.Context())
			if err != nil {
				return err
			}
			if session != "" {
				r, cut = r.Of(indicator.Session, session), indicator.All
			}
			rows := figureRows(r, cut)
			names, err := o.cutNames(cmd.Context(), cut)
			if err != nil {
				return err
			}
			switch {
			case table:
				for i, row := range rows {
					rows[i] = append(row, names.of(cut, row[1]))
				}
				b, err := csvOf(figureHeader, rows)
				if err == nil {
					_, err = a.Stdout.Write(b)
				}
				return err
			case a.JSON:
				return a.reportJSON(r, cut, names)
			case cut != indicator.All:
				return writeCut(a.Stdout, r, cut, names)
			}
			return writeIndicators(a.Stdout, r)
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&by, "by", "", "adm1, adm2, adm3, site, clerk, session, batch or month")
	cmd.Flags().StringVar(&session, "session", "", "those alone who were seen in this exercise, as VER-2026-03")
	cmd.Flags().BoolVar(&daily, "daily", false, "with --session: who was seen, by day, desk and clerk")
	cmd.Flags().BoolVar(&table, "csv", false, "print a line for each figure of each cell, with its counts")
	return cmd
}

var figureHeader = []string{"cut", "value", "indicator", "figure", "result", "unit", "state", "defects", "looked_at", "definition", "name"}

// figureRows are the figures of every cell of a cut.
func figureRows(r *indicator.Report, cut indicator.Cut) (rows [][]string) {
	for i := range r.Indicators {
		m := &r.Indicators[i]
		for _, v := range cutValues(r, cut) {
			own := m.Definition.Own(m.In(cut, v))
			for _, x := range m.Definition.Values(m.In(cut, v)) {
				result := ""
				if x.State != indicator.NA {
					result = strconv.FormatFloat(x.Value, 'f', -1, 64)
				}
				rows = append(rows, []string{string(cut), v, m.ID, x.Figure, result, string(x.Unit), string(x.State), strconv.FormatInt(own.Bad, 10), strconv.FormatInt(own.Of, 10), m.Mark})
			}
		}
	}
	return rows
}

// cutValues are the values of a cut that anything was counted in.
func cutValues(r *indicator.Report, cut indicator.Cut) []string {
	values := map[string]bool{}
	for i := range r.Indicators {
		for v := range r.Indicators[i].Cells[cut] {
			values[v] = true
		}
	}
	if cut == indicator.All {
		values[""] = true
	}
	return slices.Sorted(maps.Keys(values))
}

func csvOf(header []string, rows [][]string) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for _, row := range append([][]string{header}, rows...) {
		for i := range row {
			row[i] = intake.SafeCell(row[i])
		}
		if err := w.Write(row); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// measuredJSON is an indicator in one cell.
type measuredJSON struct {
	ID     string            `json:"indicator"`
	State  indicator.State   `json:"state"`
	Values []indicator.Value `json:"figures"`
	indicator.Count
	NA   string `json:"na,omitempty"`
	Mark string `json:"definition"`
}

// reportJSON prints a line for each cell.
func (a *app) reportJSON(r *indicator.Report, cut indicator.Cut, names cutNames) error {
	for _, v := range cutValues(r, cut) {
		line := struct {
			At    time.Time       `json:"at"`
			Cut   indicator.Cut   `json:"cut,omitempty"`
			Value string          `json:"value,omitempty"`
			Name  string          `json:"name,omitempty"` // for people
			Score indicator.Score `json:"score"`
			List  []measuredJSON  `json:"indicators"`
		}{r.At.UTC(), cut, v, names.of(cut, v), r.Score(cut, v), nil}
		for i := range r.Indicators {
			m := &r.Indicators[i]
			t := m.In(cut, v)
			line.List = append(line.List, measuredJSON{m.ID, m.Definition.State(t), m.Definition.Values(t), m.Definition.Own(t), m.NA, m.Mark})
		}
		if err := printJSON(a.Stdout, line); err != nil {
			return err
		}
	}
	return nil
}

// said is the words of an indicator's key.
func said(lang, key string) string { return cmp.Or(indicator.Words(lang)[key], key) }

func figureText(v indicator.Value) string {
	if v.State == indicator.NA {
		return "n/a"
	}
	unit := map[indicator.Unit]string{indicator.Percent: " %", indicator.Days: " days", indicator.Hours: " h"}[v.Unit]
	return strconv.FormatFloat(v.Value, 'f', 1, 64) + unit
}

func writeIndicators(w io.Writer, r *indicator.Report) error {
	if s := r.Score(indicator.All, ""); s.Known {
		fmt.Fprintf(w, "score %.1f of 100\n", s.Value)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "indicator\tis\twhat\tdefects\tof\tname")
	for i := range r.Indicators {
		m := &r.Indicators[i]
		tally := m.In(indicator.All, "")
		own := m.Definition.Own(tally)
		values := m.Definition.Values(tally)
		name := said("en", m.Definition.Key()+".name")
		for k, v := range values {
			if k == 0 {
				fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%s\n", m.ID, figureText(v), v.State, own.Bad, own.Of, name)
			} else if v.State != indicator.NA {
				fmt.Fprintf(t, "\t%s\t%s\t\t\t  %s\n", figureText(v), v.State, said("en", "quality.figure."+v.Figure))
			}
		}
	}
	return t.Flush()
}

func writeCut(w io.Writer, r *indicator.Report, cut indicator.Cut, names cutNames) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s\tscore\tred\tamber\tgreen\twhich are red\n", cut)
	for _, v := range cutValues(r, cut) {
		states := map[indicator.State][]string{}
		for i := range r.Indicators {
			m := &r.Indicators[i]
			s := m.Definition.State(m.In(cut, v))
			states[s] = append(states[s], m.ID)
		}
		score := "n/a"
		if s := r.Score(cut, v); s.Known {
			score = strconv.FormatFloat(s.Value, 'f', 1, 64)
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%s\n", cmp.Or(names.of(cut, v), "-"), score, len(states[indicator.Red]), len(states[indicator.Amber]), len(states[indicator.Green]), strings.Join(states[indicator.Red], " "))
	}
	return t.Flush()
}

// findIndicator reads an argument.
func (a *app) findIndicator(f qualityFlags, text string) (indicator.Definition, error) {
	p, err := a.qualityPolicy(f.policy)
	if err != nil {
		return indicator.Definition{}, err
	}
	d, ok := indicator.Find(p, text)
	if !ok {
		return d, usagef("no indicator %q", text).hint("DQ-01 to DQ-31; aidpass quality explain tells them all")
	}
	return d, nil
}

func (a *app) qualityListCommand() *cobra.Command {
	var f qualityFlags
	var by, value, out, reason string
	var limit int
	cmd := &cobra.Command{
		Use:   "list DQ-NN [--by CUT --value V]",
		Short: "List what an indicator counts: which records, at which field, and why",
		Long: `List what an indicator counts: as many entries as its figure has defects, each with
record, field and rule, and no value of a record. Of DQ-03 it is the weakest field's gaps.

Each list stands in the audit log with its records, so that a person can be told who
looked. --out writes all of it to a workbook, for which --reason says what for; no cell
of it can be taken for a formula.

aidpass registry set mends single values. Records that were drawn by lot (DQ-27) are not
told to who had a part in them.`,
		Example: `  aidpass quality list DQ-12
  aidpass quality list DQ-02 --by site --value "Well A" --limit 500
  aidpass quality list DQ-15 --out doubles.xlsx --reason "review on Monday"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cut, err := cutOf(by)
			if err != nil {
				return err
			}
			d, err := a.findIndicator(f, args[0])
			if err != nil {
				return err
			}
			action := access.Action("quality.list")
			if out != "" {
				if strings.ToLower(filepath.Ext(out)) != ".xlsx" {
					return usagef("%s: a list is a workbook", out).hint("--out list.xlsx")
				}
				if strings.TrimSpace(reason) == "" || len(reason) > access.MaxText {
					return usagef("no reason is given").hint("--reason TEXT says what the file is for; it stands in the audit log")
				}
				if err := errors.Join(mustNotExist(out), makeParent(out)); err != nil {
					return err
				}
				action, limit = "quality.export", 0
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			list, err := a.qualityDesk(o, f).List(cmd.Context(), a.actor(access.Registrar), action, reason, d.ID, cut, value, limit)
			if err != nil {
				return err
			}
			if out != "" {
				b, err := list.Workbook()
				if err == nil {
					err = durable.WriteFile(out, b, 0o600)
				}
				if err != nil {
					return err
				}
				return a.print(map[string]any{"file": out, "listed": len(list.Lines), "withheld": list.Withheld}, func(w io.Writer) {
					fmt.Fprintf(w, "%s: %s\n", out, plural(len(list.Lines), "entry", "entries"))
				})
			}
			return a.printListing(&list)
		},
	}
	f.flags(cmd)
	fl := cmd.Flags()
	fl.StringVar(&by, "by", "", "only one value of a cut: adm1, adm2, adm3, site, clerk, session, batch or month")
	fl.StringVar(&value, "value", "", "that value; empty is what is not known")
	fl.IntVar(&limit, "limit", 100, "entries to print; 0 for all")
	fl.StringVar(&out, "out", "", "write all of it to this workbook (.xlsx)")
	fl.StringVar(&reason, "reason", "", "what the file is for, for the audit log; no names")
	return cmd
}

func (a *app) printListing(list *indicator.Listing) error {
	if a.JSON {
		for i := range list.Lines {
			if err := printJSON(a.Stdout, &list.Lines[i]); err != nil {
				return err
			}
		}
		return nil
	}
	t := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
	for i := range list.Lines {
		l := &list.Lines[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", cmp.Or(l.ID, "-"), l.Kind, l.List, l.Number, l.Field, l.Code, l.Extra)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	switch {
	case list.Measured.NA != "":
		a.say("%s is not measured here: %s", list.Measured.ID, said("en", "quality.na."+list.Measured.NA))
	case list.All == 0:
		a.say("nothing of %s to mend", list.Measured.ID)
	case len(list.Lines) < list.All:
		a.say("%d of %d; --limit 0 prints all, --out list.xlsx writes them", len(list.Lines), list.All)
	}
	if list.Withheld > 0 {
		a.say("%d were drawn by lot, and you had a part in them", list.Withheld)
	}
	return nil
}

func (a *app) qualitySnapshotCommand() *cobra.Command {
	var f qualityFlags
	var prove string
	cmd := &cobra.Command{
		Use:   "snapshot",
		Short: "Measure, and keep today's figures for good",
		Long: `Measure, and keep today's figures for good: with their counts by area, site, clerk, batch
and month, the version of each definition, score and weights. A day (UTC) has one
snapshot, and nobody changes it. Run it each night.

--prove measures again how the register stood when a day's snapshot was taken, from the
history of every record, and says what differs: nothing, unless the policy changed since
or somebody was erased.`,
		Example: `  aidpass quality snapshot
  aidpass quality snapshot --prove 2026-11-01`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			o, err := a.openOrg(ctx)
			if err != nil {
				return err
			}
			defer o.close()
			desk := a.qualityDesk(o, f)
			if prove != "" {
				return a.proveSnapshot(ctx, desk, prove)
			}
			s, err := desk.Take(ctx, a.actor(access.Registrar))
			if errors.Is(err, indicator.ErrTaken) {
				return usagef("today has its snapshot").hint("aidpass quality report measures now; aidpass quality history tells the days")
			} else if err != nil {
				return err
			}
			return a.print(map[string]any{"day": s.Day(), "score": s.Score}, func(w io.Writer) {
				fmt.Fprintf(w, "%s is kept: score %.1f of 100\n", s.Day(), s.Score.Value)
			})
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&prove, "prove", "", "measure a day (YYYY-MM-DD) again and compare")
	return cmd
}

func (a *app) proveSnapshot(ctx context.Context, desk *indicator.Desk, day string) error {
	since, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return usagef("--prove %q is no day", day).hint("as 2026-11-01")
	}
	list, err := desk.Store.Snapshots(ctx, since)
	if err != nil {
		return err
	}
	if len(list) == 0 || list[0].Day() != day {
		return usagef("no snapshot of %s", day).hint("aidpass quality history tells the days")
	}
	again, err := desk.Prove(ctx, list[0])
	if err != nil {
		return err
	}
	differ := []string{}
	for i, k := range list[0].Indicators {
		if i >= len(again.Indicators) || k.Own != again.Indicators[i].Own || k.Mark != again.Indicators[i].Mark {
			differ = append(differ, k.ID)
		}
	}
	err = a.print(map[string]any{"day": day, "differ": differ}, func(w io.Writer) {
		if len(differ) == 0 {
			fmt.Fprintf(w, "%s: measured again, all %d say the same\n", day, len(list[0].Indicators))
		} else {
			fmt.Fprintf(w, "%s: %s measured again say another thing: the policy changed since, or somebody was erased\n", day, strings.Join(differ, " "))
		}
	})
	if err == nil && len(differ) > 0 {
		err = &answeredError{exitFindings}
	}
	return err
}

func (a *app) qualityHistoryCommand() *cobra.Command {
	var f qualityFlags
	var days int
	cmd := &cobra.Command{
		Use:   "history [DQ-NN]",
		Short: "Tell what the figures were, day by day, and where a definition changed",
		Long: `Tell what the figures were, day by day, out of the snapshots: the score, or one
indicator. "definition changed" stands where what is counted is another thing than the
day before: another version, or another policy.`,
		Example: `  aidpass quality history
  aidpass quality history DQ-02 --days 400`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var only string
			if len(args) == 1 {
				d, err := a.findIndicator(f, args[0])
				if err != nil {
					return err
				}
				only = d.ID
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			list, err := o.store.Snapshots(cmd.Context(), a.Now().AddDate(0, 0, -days))
			if err != nil {
				return err
			}
			for i := range list {
				if err := a.printDay(list, i, only); err != nil {
					return err
				}
			}
			if len(list) == 0 {
				a.say("no snapshot was taken in %d days; aidpass quality snapshot takes today's", days)
			}
			return nil
		},
	}
	f.flags(cmd)
	cmd.Flags().IntVar(&days, "days", 92, "how far back")
	return cmd
}

// printDay prints a day of a history.
func (a *app) printDay(list []indicator.Snapshot, i int, only string) error {
	s := &list[i]
	changed := []string{}
	if i > 0 {
		changed = append(changed, s.Changed(&list[i-1])...)
	}
	line := struct {
		Day     string           `json:"day"`
		Score   *indicator.Score `json:"score,omitempty"`
		Kept    *indicator.Kept  `json:"indicator,omitempty"`
		Changed []string         `json:"definition_changed"`
	}{Day: s.Day(), Changed: changed}
	text := fmt.Sprintf("%.1f", s.Score.Value)
	if only == "" {
		line.Score = &s.Score
	} else {
		k := slices.IndexFunc(s.Indicators, func(k indicator.Kept) bool { return k.ID == only })
		if k < 0 {
			return nil
		}
		line.Kept = &s.Indicators[k]
		line.Changed = slices.DeleteFunc(changed, func(id string) bool { return id != only })
		text = fmt.Sprintf("%s %s, %d of %d", figureText(line.Kept.Values[0]), line.Kept.State, line.Kept.Own.Bad, line.Kept.Own.Of)
	}
	return a.print(line, func(w io.Writer) {
		mark := ""
		if len(line.Changed) > 0 {
			mark = "  definition changed: " + strings.Join(line.Changed, " ")
		}
		fmt.Fprintf(w, "%s  %s%s\n", line.Day, text, mark)
	})
}

func (a *app) qualityExplainCommand() *cobra.Command {
	var f qualityFlags
	var lang string
	cmd := &cobra.Command{
		Use:   "explain [DQ-NN]",
		Short: "Tell what an indicator counts, from where it is good, and at which fields it is mended",
		Example: `  aidpass quality explain
  aidpass quality explain DQ-26 --lang ar`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if indicator.Words(lang) == nil {
				return usagef("no language %q", lang).hint("en, fr, es, ar or sw")
			}
			p, err := a.qualityPolicy(f.policy)
			if err != nil {
				return err
			}
			list := indicator.Definitions(p)
			if len(args) == 1 {
				d, err := a.findIndicator(f, args[0])
				if err != nil {
					return err
				}
				list = []indicator.Definition{d}
			}
			for i := range list {
				d := &list[i]
				line := struct {
					*indicator.Definition
					Name string `json:"name"`
					Is   string `json:"is"`
					Mark string `json:"mark"`
				}{d, said(lang, d.Key()+".name"), said(lang, d.Key()+".is"), d.Mark(p)}
				err := a.print(line, func(w io.Writer) {
					fmt.Fprintf(w, "%s  %s\n  %s\n", d.ID, line.Name, line.Is)
					for _, f := range d.Figures {
						than := "at least"
						if f.Less {
							than = "at most"
						}
						fmt.Fprintf(w, "  %sgreen: %s %v, amber: %s %v (%s)\n", strings.TrimLeft(f.Name+" ", " "), than, f.Green, than, f.Amber, f.Unit)
					}
					fmt.Fprintf(w, "  of %s; fields %s; rules %s; definition %s\n", d.Of, cmp.Or(strings.Join(d.Fields, " "), "-"), strings.Join(d.Codes, " "), line.Mark)
				})
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&f.policy, "policy", "", "whose thresholds (default: required.json in the data folder, else built in)")
	cmd.Flags().StringVar(&lang, "lang", "en", "language: en, fr, es, ar or sw")
	return cmd
}
