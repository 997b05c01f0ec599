package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer/registry/export"
)

func (a *app) registryExportCommand() *cobra.Command {
	var opt export.Options
	var out string
	var fields bool
	cmd := &cobra.Command{
		Use:   "export --out people.xlsx --reason TEXT {--agreement ID | --purpose PURPOSE} [--fields a,b]",
		Short: "Write people and households to a file: XLSX, HXL-tagged CSV, or RRF",
		Long: `Write people and households to a file. Its ending says which form:

  .xlsx   sheets Households, Individuals and People (without a household)
  .csv    a person a row, with a row of HXL hashtags
  .xml    UNHCR's exchange of registration forms (RRF v4)

A file for others names its agreement (aidpass agreement): it has no other fields, no
people from places it does not cover or countries of origin it excludes, and nobody who
said no. People go by numbers that are this file's alone, so that a leaked row is traced:
aidpass agreement trace. A file for nobody else names what it is for: --purpose.

Without --fields a file of one's own has the usual fields and none that can hurt somebody:
documents, phones, origin, address, residence and columns of the list's own
(ext.COLUMN) are there only when each is named. --list-fields tells them all.

Closed and inactive records stay here. People go by the number of their list,
which a column names where it has a name; whoever has no number gets an alias that
is new in each file, and that only you can resolve. registry import reads the file
back, and it changes nothing. No cell can be taken for a
formula: "=1" is written "'=1", and reads back as it was.

Who, why, for whom, how many and which fields stand in the audit log before the
file is there. The file is readable to you alone; destroy it when it has served.`,
		Example: `  aidpass registry export --out people.xlsx --purpose copy --reason "monthly copy"
  aidpass registry export --out list.csv --agreement relief-b-2026 --reason "blanket distribution" --fields size,pcode,site --programme K7Q2 --round 1
  aidpass registry export --out case.xml --agreement unhcr-2026 --reason "cases of November"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if fields {
				return a.listFields()
			}
			return a.export(cmd.Context(), out, opt)
		},
	}
	f := cmd.Flags()
	f.StringVar(&out, "out", "", "file to write: .xlsx, .csv or .xml")
	f.StringVar(&opt.Reason, "reason", "", "what for, for the audit log; no names")
	f.StringVar(&opt.Use.Agreement, "agreement", "", "the agreement under which others get it")
	f.StringVar((*string)(&opt.Use.Purpose), "purpose", "", "what for, where nobody else gets it: correction, copy, migration, planning, verification")
	f.StringSliceVar(&opt.Fields, "fields", nil, "fields of the file (default: the usual ones)")
	f.StringVar(&opt.Programme, "programme", "", "only those who are due something in a round of this programme")
	f.Uint64Var(&opt.Round, "round", 0, "number of that round")
	f.StringVar(&opt.Source, "list", "", "in .xml, the list whose numbers stand alone; others are written LIST/NUMBER (default: the organisation's own)")
	f.BoolVar(&fields, "list-fields", false, "tell the fields and do nothing else")
	return cmd
}

func (a *app) listFields() error {
	for _, field := range export.Fields() {
		err := a.print(field, func(w io.Writer) {
			sealed := ""
			if field.Sealed {
				sealed = "only when named"
			}
			fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%-28s %-10s %s", field.Name, field.Of, sealed), " "))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *app) export(ctx context.Context, out string, opt export.Options) (err error) {
	if out == "" {
		return usagef("no file is named").hint("--out people.xlsx, list.csv or cases.xml")
	}
	if (opt.Use.Agreement == "") == (opt.Use.Purpose == "") {
		return usagef("for whom is the file?").hint("--agreement ID for others (aidpass agreement list), or --purpose for your own: correction, copy, migration, planning, verification")
	}
	opt.Now = a.Now
	opt.Form = export.Form(strings.TrimPrefix(strings.ToLower(filepath.Ext(out)), "."))
	if err := opt.Check(); err != nil {
		u := usagef("%w", err)
		if strings.TrimSpace(opt.Reason) == "" {
			return u.hint("--reason TEXT says what the file is for; it stands in the audit log")
		}
		return u.hint("aidpass registry export --list-fields tells the fields")
	}
	if err := mustNotExist(out); err != nil {
		return err
	}
	if err := makeParent(out); err != nil {
		return err
	}
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	// The file gets its name once it is whole and stands in the audit log.
	file, err := os.CreateTemp(filepath.Dir(out), ".export-*") // readable to its owner alone
	if err != nil {
		return err
	}
	defer func() {
		file.Close()
		if err != nil {
			os.Remove(file.Name())
		}
	}()
	w := bufio.NewWriter(file)
	sum, err := export.Write(ctx, o.store, a.actor(access.Registrar), opt, w)
	if refusal := rightsError(err); refusal != err {
		return refusal
	}
	if errors.Is(err, export.ErrNobody) {
		return usagef("%w", err).hint("aidpass registry import LIST takes people in; --programme and --round choose among them")
	} else if err != nil {
		return err
	}
	if err := errors.Join(w.Flush(), file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), out); err != nil {
		return err
	}
	return a.print(struct {
		File string `json:"file"`
		export.Summary
	}{out, sum}, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %d households, %d people, %d fields; in the audit log with its digest %s\n", out, sum.Households, sum.People, len(sum.Fields), sum.SHA256[:16])
		for _, why := range slices.Sorted(maps.Keys(sum.LeftOut)) {
			fmt.Fprintf(w, "  left out: %d %s\n", sum.LeftOut[why], why)
		}
	})
}
