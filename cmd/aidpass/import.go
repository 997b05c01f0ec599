package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/internal/durable"
	"aidpass/issuer/registry/imports"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/roster"
)

func (a *app) importCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Take a list in by two people, as the desk does",
		Long: `Take a list in by two people, as the desk does: it is loaded into quarantine, its
columns are mapped, its rows checked and mended, and a second account approves in the
console exactly what is there then. Until it is written nobody of it is in the register,
and no card is issued by it. The same lists stand in the console at /desk/imports.

The bytes of the file stay as they came. What is mended is read in their place, and
says who mended it. What is changed after it was submitted cannot be approved.
registry import writes a list at once, on the laptop with the keys.`,
		Example: `  aidpass import load people.csv
  aidpass import check 6f2c8d0e9b1a4c3d8e7f60514233a1b2
  aidpass import mend 6f2c8d0e9b1a4c3d8e7f60514233a1b2 --cell '17:birth_date=1990-02-28' --out 31
  aidpass import submit 6f2c8d0e9b1a4c3d8e7f60514233a1b2 --actor amina`,
	}
	cmd.AddCommand(a.importLoadCommand(), a.importListCommand(), a.importMapCommand(), a.importCheckCommand(), a.importFindingsCommand(), a.importMendCommand(),
		a.importRejectsCommand(), a.importSubmitCommand(), a.importWithdrawCommand(), a.importApplyCommand(), a.importUndoCommand())
	return cmd
}

// withImports opens the desk of imports for the length of work.
func (a *app) withImports(ctx context.Context, work func(*imports.Desk, access.Laptop) error) error {
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	door := &access.Door{Store: o.store, Now: a.Now}
	d := &imports.Desk{Store: o.store, Registry: o.store, Register: laptopStore{o.store, a.say}, Door: door, Country: o.entry.Country, Now: a.Now}
	if err := a.readApart(d); err != nil {
		return err
	}
	door.Handle(access.ImportSubmit, d.Executor())
	door.Handle(access.ImportUndo, d.Undoer())
	return importError(work(d, access.Laptop(a.actor(access.Registrar))))
}

// importError says what the caller can mend.
func importError(err error) error {
	var open *intake.Question
	if errors.As(err, &open) {
		e := usagef("%w", err)
		for _, ask := range open.Asks[:min(len(open.Asks), 6)] {
			e = e.hint("aidpass import map ID %s", intake.ColumnFlag(ask.Answer))
		}
		return e
	}
	for _, known := range []struct {
		is   error
		hint string
	}{
		{imports.ErrNotFound, "aidpass import list shows them"},
		{imports.ErrGone, "aidpass import load loads the file again; aidpass import check finds what is wrong in it"},
		{imports.ErrState, "aidpass import list tells how far it is: load, check, submit, then a second account approves in the console"},
		{imports.ErrConflict, "aidpass import list tells its state; do it again if it is still right"},
		{imports.ErrEmpty, "aidpass import findings tells what is wrong"},
		{imports.ErrChanged, "aidpass import check, then aidpass import submit"},
		{imports.ErrMany, "aidpass import withdraw takes one back"},
		{imports.ErrLarge, fmt.Sprintf("a list has at most %d bytes", imports.MaxBytes)},
	} {
		if errors.Is(err, known.is) {
			return usagef("%w", err).hint("%s", known.hint)
		}
	}
	return rosterError(err)
}

// importLine is an import as the terminal and --json tell it.
type importLine struct {
	ID     string          `json:"id"`
	State  imports.State   `json:"state"`
	Name   string          `json:"name"`
	Format string          `json:"format"`
	By     string          `json:"by"`
	At     string          `json:"at"`
	Mended int             `json:"mended"`
	Counts *imports.Counts `json:"counts,omitempty"`
	Asked  string          `json:"approval,omitempty"`
	Second string          `json:"second_person,omitempty"`
	Why    string          `json:"why,omitempty"`
	// Changed: it was approved, and this was not as it was approved.
	Changed *imports.Changed `json:"changed,omitempty"`
}

func lineOfImport(m imports.Import) importLine {
	l := importLine{ID: m.ID, State: m.State, Name: m.Name, Format: m.Format, By: m.By, At: m.At.UTC().Format(time.RFC3339), Mended: m.Mended, Counts: m.Counts, Why: m.Why, Changed: m.Changed}
	if m.Review != nil {
		l.Asked, l.Second = m.Review.Approval, m.Review.Second
	}
	return l
}

func (l importLine) write(w io.Writer) {
	fmt.Fprintf(w, "%s  %s  %q", l.ID, l.State, l.Name)
	if c := l.Counts; c != nil {
		fmt.Fprintf(w, "  %d good, %d with a warning, %d with an error; %d new, %d updated, %d known", c.Good, c.Warned, c.Bad, c.New, c.Updated, c.Known)
	}
	fmt.Fprintln(w)
	if c := l.Changed; c != nil {
		fmt.Fprintf(w, "  not as it was approved: %s\n", strings.Join(append(c.Parts, fmt.Sprintf("%d rows", c.Rows)), ", "))
		for _, t := range c.Some {
			fmt.Fprintf(w, "  row %d: %s, and now %s\n", t.Row, cmp.Or(t.Was, "not there"), cmp.Or(t.Now, "not there"))
		}
	}
}

// onImport does something with the import of an id, at the version it has.
func (a *app) onImport(ctx context.Context, id string, do func(*imports.Desk, access.Laptop, imports.Import) (imports.Import, error)) error {
	return a.withImports(ctx, func(d *imports.Desk, l access.Laptop) error {
		m, err := d.Show(ctx, id)
		if err != nil {
			return err
		}
		if m, err = do(d, l, m); err != nil {
			return err
		}
		line := lineOfImport(m)
		return a.print(line, line.write)
	})
}

func (a *app) importLoadCommand() *cobra.Command {
	var opt imports.Options
	cmd := &cobra.Command{
		Use: "load FILE", Short: "Load a list into quarantine",
		Example: `  aidpass import load village-b.csv --list village-b`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			b, err := io.ReadAll(io.LimitReader(f, imports.MaxBytes+1))
			if err != nil {
				return err
			}
			return a.withImports(cmd.Context(), func(d *imports.Desk, l access.Laptop) error {
				m, again, err := d.Load(cmd.Context(), access.Actor(l), filepath.Base(args[0]), b, opt)
				if err != nil {
					return err
				}
				if again {
					a.say("it was loaded before, and waits")
				}
				line := lineOfImport(m)
				return a.print(line, line.write)
			})
		},
	}
	cmd.Flags().StringVar(&opt.Source, "list", "", "name of this list, where its numbers are unique in it alone")
	cmd.Flags().StringVar(&opt.Sheet, "sheet", "", "the one sheet of a workbook to read")
	cmd.Flags().StringVar(&opt.Encoding, "encoding", "", "of a CSV that is not UTF-8")
	return cmd
}

func (a *app) importListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the lists that were loaded, newest first, and how far each is",
		Example: `  aidpass import list --json`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withImports(cmd.Context(), func(d *imports.Desk, _ access.Laptop) error {
				all, err := d.List(cmd.Context())
				if err != nil {
					return err
				}
				for _, m := range all {
					line := lineOfImport(m)
					if err := a.print(line, line.write); err != nil {
						return err
					}
				}
				if len(all) == 0 {
					a.say("no list was loaded")
				}
				return nil
			})
		},
	}
}

func (a *app) importMapCommand() *cobra.Command {
	var answers []string
	var take bool
	cmd := &cobra.Command{
		Use: "map ID", Short: "Show what each column of a list becomes, or change it",
		Long: `Show what each column of a list becomes, with values of people, or change it by
--column FIELD=COLUMN as in registry import, whose help lists the fields.`,
		Example: `  aidpass import map 6f2c8d0e9b1a4c3d8e7f60514233a1b2 --column 'birth_date=DOB,dmy' --column 'sex='`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return a.withImports(ctx, func(d *imports.Desk, l access.Laptop) error {
				m, shown, plan, _, err := d.Columns(ctx, access.Actor(l), args[0])
				if err != nil {
					return err
				}
				for _, answer := range answers {
					if err := plan.Set(answer); err != nil {
						return usagef("--column: %w", err).hint("aidpass registry import --help tells the fields")
					}
				}
				if opt := m.Options; len(answers) > 0 || take {
					opt.TakeChanges = opt.TakeChanges || take
					if _, err := d.Map(ctx, access.Actor(l), m.ID, m.Version, plan, opt); err != nil {
						return err
					}
					if _, shown, _, _, err = d.Columns(ctx, access.Actor(l), m.ID); err != nil {
						return err
					}
				}
				if a.JSON {
					for _, s := range shown {
						if err := printJSON(a.Stdout, s); err != nil {
							return err
						}
					}
					return nil
				}
				writeShown(a.Stdout, shown)
				return nil
			})
		},
	}
	cmd.Flags().StringArrayVar(&answers, "column", nil, "FIELD=COLUMN, FIELD= for none, TABLE:FIELD=COLUMN or role=ROLE; repeat")
	cmd.Flags().BoolVar(&take, "take-changes", false, "let the list change names, birth dates and households on record")
	return cmd
}

func (a *app) importCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use: "check ID", Short: "Check every row of a list; nothing gets into the register",
		Example: `  aidpass import check 6f2c8d0e9b1a4c3d8e7f60514233a1b2`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onImport(cmd.Context(), args[0], func(d *imports.Desk, l access.Laptop, m imports.Import) (imports.Import, error) {
				return d.Check(cmd.Context(), access.Actor(l), m.ID, m.Version)
			})
		},
	}
}

func (a *app) importFindingsCommand() *cobra.Command {
	var errs bool
	cmd := &cobra.Command{
		Use: "findings ID", Short: "Tell what the check found, by row and column, without the values",
		Example: `  aidpass import findings 6f2c8d0e9b1a4c3d8e7f60514233a1b2 --errors`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withImports(cmd.Context(), func(d *imports.Desk, l access.Laptop) error {
				var w imports.Which
				if errs {
					w.Severity = intake.Reject
				}
				list, _, _, err := d.Findings(cmd.Context(), access.Actor(l), args[0], w, 0, roster.MaxRows)
				if err != nil {
					return err
				}
				for _, f := range list {
					line := map[string]any{"table": f.Table, "row": f.Row, "column": f.Column, "severity": f.Severity, "code": f.Code, "what": f.What, "fix": f.Fix, "mended": f.Mended, "out": f.Out}
					err := a.print(line, func(w io.Writer) {
						where := fmt.Sprintf("row %d", f.Row)
						if f.Table != "" {
							where = f.Table + ", " + where
						}
						if f.Column != "" {
							where += fmt.Sprintf(", column %q", f.Column)
						}
						fmt.Fprintf(w, "%s: %s: %s: %s\n", f.Severity, where, f.What, f.Fix)
					})
					if err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&errs, "errors", false, "only what keeps a row out")
	return cmd
}

func (a *app) importMendCommand() *cobra.Command {
	var cells []string
	var out, in []int
	var table string
	cmd := &cobra.Command{
		Use: "mend ID", Short: "Change cells of a list, or leave rows out; the file stays as it came",
		Example: `  aidpass import mend 6f2c8d0e9b1a4c3d8e7f60514233a1b2 --cell '17:birth_date=1990-02-28' --out 31`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var mends []roster.Mend
			for _, c := range cells {
				row, rest, ok := strings.Cut(c, ":")
				column, value, named := strings.Cut(rest, "=")
				n, err := strconv.Atoi(row)
				if !ok || !named || err != nil || column == "" {
					return usagef("--cell: not written ROW:COLUMN=VALUE").hint("as '17:birth_date=1990-02-28'; rows count as a spreadsheet counts them")
				}
				mends = append(mends, roster.Mend{Table: table, Row: n, Column: column, Value: value})
			}
			for _, n := range out {
				mends = append(mends, roster.Mend{Table: table, Row: n, Out: true})
			}
			for _, n := range in {
				mends = append(mends, roster.Mend{Table: table, Row: n})
			}
			if len(mends) == 0 {
				return usagef("nothing to mend").hint("--cell ROW:COLUMN=VALUE, --out ROW or --in ROW")
			}
			return a.onImport(cmd.Context(), args[0], func(d *imports.Desk, l access.Laptop, m imports.Import) (imports.Import, error) {
				return d.Mend(cmd.Context(), access.Actor(l), m.ID, m.Version, mends)
			})
		},
	}
	cmd.Flags().StringArrayVar(&cells, "cell", nil, "ROW:COLUMN=VALUE, what a cell is to say; repeat")
	cmd.Flags().IntSliceVar(&out, "out", nil, "number of a row to be left out; repeat")
	cmd.Flags().IntSliceVar(&in, "in", nil, "number of a row that was left out and is not any more; repeat")
	cmd.Flags().StringVar(&table, "table", "", "sheet that the rows are of")
	return cmd
}

func (a *app) importRejectsCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "rejects ID FILE", Short: "Write the rows with errors to a file, to be mended and loaded again",
		Example: `  aidpass import rejects 6f2c8d0e9b1a4c3d8e7f60514233a1b2 mend.csv --reason 'mended in the field'`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return usagef("rows with people's data leave only with a reason").hint("--reason 'mended in the field'")
			}
			return a.withImports(cmd.Context(), func(d *imports.Desk, l access.Laptop) error {
				b, ext, _, err := d.Rejects(cmd.Context(), access.Actor(l), args[0], reason)
				if err != nil {
					return err
				}
				if !strings.EqualFold(filepath.Ext(args[1]), ext) {
					return usagef("%s", args[1]).hint("the rows of this list come back as they came: name a file that ends in %s", ext)
				}
				return durable.WriteFile(args[1], b, 0o600) // it holds people's data
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why the rows are taken out, without names")
	return cmd
}

func (a *app) importSubmitCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "submit ID", Short: "Ask a second account to approve a list that is checked; it answers in the console",
		Example: `  aidpass import submit 6f2c8d0e9b1a4c3d8e7f60514233a1b2 --actor amina --reason 'round 3'`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onImport(cmd.Context(), args[0], func(d *imports.Desk, l access.Laptop, m imports.Import) (imports.Import, error) {
				if err := asker(cmd.Context(), d, l, access.ImportSubmit); err != nil {
					return m, err
				}
				// Whoever asks is not who approves: a name alone would let one person be both.
				if err := a.vouch(cmd.Context(), d.Door.Store, l.ID, "--actor"); err != nil {
					return m, err
				}
				return d.Submit(cmd.Context(), l, m.ID, m.Version, reason)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, without names")
	return cmd
}

func (a *app) importWithdrawCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "withdraw ID", Short: "Take a list back that is not approved: its file is destroyed",
		Example: `  aidpass import withdraw 6f2c8d0e9b1a4c3d8e7f60514233a1b2 --reason 'the wrong file'`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onImport(cmd.Context(), args[0], func(d *imports.Desk, l access.Laptop, m imports.Import) (imports.Import, error) {
				return d.Withdraw(cmd.Context(), access.Actor(l), m.ID, m.Version, reason)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, without names")
	return cmd
}

func (a *app) importApplyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "apply ID", Short: "Write a list that a second account approved, where the server did not come to it",
		Example: `  aidpass import apply 6f2c8d0e9b1a4c3d8e7f60514233a1b2`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onImport(cmd.Context(), args[0], func(d *imports.Desk, _ access.Laptop, m imports.Import) (imports.Import, error) {
				p := a.progress("checking")
				defer p.end()
				return d.Apply(cmd.Context(), m.ID, func(done, total int) error {
					p.step(done, total)
					return nil
				})
			})
		},
	}
}
