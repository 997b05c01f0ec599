package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/internal/durable"
	"aidpass/issuer/print"
	"aidpass/issuer/registry/apart"
	"aidpass/issuer/registry/exercise"
	"aidpass/issuer/registry/roster"
	"aidpass/issuer/rollcall"
)

// lists are the offline lists of exercises, as the pages have them.
func (o *org) lists() (*rollcall.Desk, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return &rollcall.Desk{Exercises: o.exercises(), People: o.records(), Read: (&apart.Reader{Command: []string{exe, readListVerb}}).Read}, nil
}

// writeReport writes the report of an exercise as its file is called.
func (o *org) writeReport(ctx context.Context, r rollcall.Report, out string) (err error) {
	if err := errors.Join(mustNotExist(out), makeParent(out)); err != nil {
		return err
	}
	if rollcall.Words(r.Lang) == nil {
		return usagef("--lang %q", r.Lang).hint("en, fr, es, ar or sw")
	}
	var b []byte
	switch ext := strings.ToLower(filepath.Ext(out)); ext {
	case ".html":
		b, err = r.HTML()
	case ".csv":
		b, err = r.CSV()
	case ".pdf":
		var file print.File
		file, err = r.PDF(ctx)
		b = file.PDF
	default:
		return usagef("%s: a report is a page, a sheet of paper or a table", out).hint("--out report.html, report.pdf or report.csv")
	}
	if err == nil {
		err = durable.WriteFile(out, b, 0o600)
	}
	if err != nil {
		return err
	}
	return o.a.print(map[string]any{"exercise": r.Daily.Exercise.Code, "file": out}, func(w io.Writer) { fmt.Fprintln(w, "written:", out) })
}

func (a *app) exerciseSheetCommand() *cobra.Command {
	var c rollcall.Choice
	var out string
	var again bool
	cmd := &cobra.Command{
		Use:   "sheet CODE --desk DESK --out FILE [--again]",
		Short: "Write the list of who has not come yet, for a desk without a network",
		Long: `Write the list of who has not come yet, for a desk without a network: a workbook to fill in
(.xlsx), paper (.pdf), or CSV. With --names it has people's names: keep it as paper is
kept, and destroy it when it was taken in. Who is on it can be told that it was made.

A workbook and paper go by a line's own reference, which tells nobody which record it is.
CSV goes by the record, and has these columns to fill in:

  outcome   seen, updated, absent or refused; empty: nothing is said
  how       in_person, phone or remote (empty: in_person)
  when      2026-11-22, or 2026-11-22 14:30 of UTC
  clerk     account of who met them (empty: who takes the list in)
  changed   fields that were changed, with blanks between

--again writes over a list that it made and nobody filled in.`,
		Example: `  aidpass exercise sheet VER-2026-03 --desk north --out north.xlsx --names --lang ar
  aidpass exercise sheet VER-2026-03 --desk north --out north.pdf
  aidpass exercise sheet VER-2026-03 --desk north --out north.csv
  aidpass exercise sheet VER-2026-03 --desk north --out north.xlsx --again`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if out == "" {
				return usagef("where to?").hint("--out list.xlsx, list.pdf or list.csv")
			}
			if rollcall.Words(c.Lang) == nil {
				return usagef("--lang %q", c.Lang).hint("en, fr, es, ar or sw")
			}
			there := mustNotExist(out)
			if there != nil && !again {
				return there
			}
			if err := makeParent(out); err != nil {
				return err
			}
			o, err := a.openOrg(ctx)
			if err != nil {
				return err
			}
			defer o.close()
			if there != nil {
				if err := o.mustBeUnfilled(ctx, args[0], out); err != nil {
					return err
				}
			}
			b, rows, err := o.sheet(ctx, args[0], c, strings.ToLower(filepath.Ext(out)))
			if err != nil {
				return exerciseError(err)
			}
			if err := durable.WriteFile(out, b, 0o600); err != nil {
				return err
			}
			return a.print(map[string]any{"exercise": args[0], "desk": c.Desk, "rows": rows, "file": out}, func(w io.Writer) {
				fmt.Fprintf(w, "written: %s, %s\n", out, plural(rows, "row", "rows"))
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.Desk, "desk", "", "for which desk")
	f.StringVar(&out, "out", "", "file to write: .xlsx, .pdf or .csv")
	f.BoolVar(&c.Names, "names", false, "with names, not with numbers alone")
	f.BoolVar(&c.ByNumber, "by-number", false, "of a workbook or paper: in the order of numbers, not of names")
	f.StringVar(&c.Lang, "lang", "en", "language of a workbook or paper: en, fr, es, ar or sw")
	f.StringVar(&c.Reason, "reason", "", "what for, in a few words without names")
	f.BoolVar(&again, "again", false, "write over a list that it made, and that nobody filled in")
	return cmd
}

// sheetHeader are the columns of a list as CSV; the last are filled in.
func sheetHeader() []string {
	return append([]string{"record", "number", "name", "people"}, exercise.Columns()[1:]...)
}

// mustBeUnfilled refuses a file that is no list as sheet writes it, or says something already:
// what a desk wrote down would be gone.
func (o *org) mustBeUnfilled(ctx context.Context, code, path string) error {
	b, err := readFile(path, exercise.MaxSheet)
	if err != nil {
		return err
	}
	list := false
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		var rows [][]string
		rows, err = csv.NewReader(bytes.NewReader(b)).ReadAll()
		list = err == nil && len(rows) > 0 && slices.Equal(rows[0], sheetHeader())
		for _, row := range rows[min(1, len(rows)):] {
			list = list && strings.Join(row[4:], "") == ""
		}
	case ".pdf":
		list = bytes.HasPrefix(b, []byte("%PDF-"))
	case ".xlsx":
		desk, err := o.lists()
		if err != nil {
			return err
		}
		f, err := desk.Check(ctx, o.a.actor(access.Registrar), code, filepath.Base(path), b)
		var foreign *roster.FileError
		if err != nil && !errors.As(err, &foreign) {
			return exerciseError(err)
		}
		list = err == nil && f.Found == 0 && len(f.Marks) == 0
	}
	if !list {
		return usagef("%s is no list that nobody filled in: it is not written over", path).hint("take it in if it is filled in: aidpass exercise take; or choose another name")
	}
	return nil
}

// sheet makes the list of a desk as a file of an extension, and tells its rows.
func (o *org) sheet(ctx context.Context, code string, c rollcall.Choice, ext string) (b []byte, rows int, err error) {
	by := o.a.actor(access.Registrar)
	if ext == ".csv" {
		s, err := o.exercises().Sheet(ctx, code, c.Desk)
		if err != nil {
			return nil, 0, err
		}
		e := access.Entry{Action: "exercise.sheet", Object: code, Reason: c.Reason, Detail: fmt.Sprintf("rows=%d names=%t", len(s.Units), c.Names)}
		lines, err := o.records().Lines(ctx, by, e, s.Units)
		if err != nil {
			return nil, 0, err
		}
		var table [][]string
		for _, l := range lines {
			if l.Gone() {
				continue
			}
			name := ""
			if c.Names {
				name = l.Name.Text
			}
			table = append(table, []string{l.ID.String(), strings.TrimSpace(l.Number + " " + l.List), name, fmt.Sprint(l.Size), "", "", "", "", ""})
		}
		b, err = csvOf(sheetHeader(), table)
		return b, len(table), err
	}
	if ext != ".xlsx" && ext != ".pdf" {
		return nil, 0, usagef("a list is a workbook, paper or CSV, and no %q", ext).hint("--out list.xlsx, list.pdf or list.csv")
	}
	desk, err := o.lists()
	if err != nil {
		return nil, 0, err
	}
	list, err := desk.List(ctx, by, code, c)
	if err != nil {
		return nil, 0, err
	}
	if ext == ".xlsx" {
		b, err = list.Workbook(c.Lang)
		return b, len(list.Lines), err
	}
	file, err := list.PDF(ctx, c.Lang)
	return file.PDF, len(list.Lines), err
}

func (a *app) exerciseTakeCommand() *cobra.Command {
	var desk, clerk string
	cmd := &cobra.Command{
		Use:   "take CODE FILE [--desk DESK]",
		Short: "Take in the list of a desk that had no network",
		Long: `Take in a list as aidpass exercise sheet wrote it and a desk filled it in, also after the
close. Taken twice it counts once. Of CSV a row that is wrong keeps no other back; of a
workbook nothing is taken while something in it is wrong. What is wrong is told by row,
and nothing of what it says.`,
		Example: `  aidpass exercise take VER-2026-03 north.xlsx --clerk clerk-7
  aidpass exercise take VER-2026-03 north.csv --desk north`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := readFile(args[1], exercise.MaxSheet)
			if err != nil {
				return err
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			if strings.ToLower(filepath.Ext(args[1])) == ".xlsx" {
				return o.takeWorkbook(cmd.Context(), args[0], args[1], clerk, b)
			}
			taken, err := o.exercises().TakeSheet(cmd.Context(), a.actor(access.Registrar), args[0], desk, bytes.NewReader(b))
			if err != nil {
				return exerciseError(err)
			}
			return a.print(taken, func(w io.Writer) {
				fmt.Fprintf(w, "%s taken, %d known already, %d rows say nothing\n", plural(taken.Marks, "mark", "marks"), taken.Same, taken.Empty)
				for _, x := range taken.Faults {
					fmt.Fprintf(w, "  line %d: %s\n", x.Row, x.Code)
				}
				if taken.Faulty > 0 {
					fmt.Fprintf(w, "%s not taken: mend them and take the list again\n", plural(taken.Faulty, "row was", "rows were"))
				}
			})
		},
	}
	cmd.Flags().StringVar(&desk, "desk", "", "of CSV: whose list it is; a workbook says it")
	cmd.Flags().StringVar(&clerk, "clerk", "", "of a workbook: account of who filled it in (default: who takes it in)")
	return cmd
}

// takeWorkbook takes a filled workbook in: all of it, or nothing.
func (o *org) takeWorkbook(ctx context.Context, code, path, clerk string, b []byte) error {
	desk, err := o.lists()
	if err != nil {
		return err
	}
	taken, filled, err := desk.Take(ctx, o.a.actor(access.Registrar), code, filepath.Base(path), clerk, b)
	if errors.Is(err, rollcall.ErrFindings) {
		u := usagef("%w: %d faults", err, filled.Found)
		for _, x := range filled.Findings[:min(len(filled.Findings), 20)] {
			u.hint("row %d%s: %s", x.Row, x.Column, x.Code)
		}
		return u
	}
	var unreadable *roster.FileError
	if errors.As(err, &unreadable) {
		return rosterError(err)
	}
	if err != nil {
		return exerciseError(err)
	}
	return o.a.print(taken, func(w io.Writer) {
		fmt.Fprintf(w, "%s taken, %d known already, %d rows say nothing, %d of whom another desk met, too\n", plural(taken.Marks, "mark", "marks"), taken.Same, taken.Empty, taken.Also)
		if taken.Phones > 0 {
			fmt.Fprintf(w, "%s kept\n", plural(taken.Phones, "new telephone is", "new telephones are"))
		}
		if len(taken.NotPhones) > 0 {
			fmt.Fprintf(w, "the telephones of rows %v were not: look at those records\n", taken.NotPhones)
		}
	})
}
