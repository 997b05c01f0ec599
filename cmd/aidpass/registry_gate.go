package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"aidpass/internal/durable"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
	"aidpass/schemas"
)

type gateFlags struct {
	programme, typeName, unit, policy, fixList string
}

func (a *app) registryGateCommand() *cobra.Command {
	var f gateFlags
	cmd := &cobra.Command{
		Use:   "gate [--programme CODE] [--fix-list FILE.xlsx]",
		Short: "Tell who would get a card, who one for a few days, who none yet, and why",
		Long: `Tell who would get a card, who one for a few days, who none yet, and why.
Nothing is issued or changed.

Whom it asks about: what the programme counts, people for a registration card, or
as --unit says. Closed and inactive records are counted and not judged.

What must be known is the policy: --policy FILE, else required.json in the data
folder, else the default (aidpass registry gate --show-policy prints it: name, sex,
birth, origin, relation, location, registration; cards under 0.9 of them hold 30
days). A photo is never asked for. A programme may require more.

The fix list has one line for each thing to mend, with the record, the place, who entered
it, what to do, and what they get meanwhile. It names nobody, and is readable to you alone. aidpass registry set mends single
values: aidpass registry set NUMBER --list NAME birth=1987 --reason CODE.`,
		Example: `  aidpass registry gate
  aidpass registry gate --programme K7Q2 --type eligibility --fix-list fix.xlsx
  aidpass registry gate --unit person --policy required.json --json`,
		Args: cobra.NoArgs,
	}
	show := cmd.Flags().Bool("show-policy", false, "print the policy and do nothing else")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *show {
			p, err := a.qualityPolicy(f.policy)
			if err != nil {
				return err
			}
			return printJSON(a.Stdout, p)
		}
		return a.gate(cmd.Context(), f)
	}
	fl := cmd.Flags()
	fl.StringVar(&f.programme, "programme", "", "code of a programme that may require more, as K7Q2")
	fl.StringVar(&f.typeName, "type", "", "type of the cards: a registration card is for people")
	fl.StringVar(&f.unit, "unit", "", "person or household (default: what the programme counts, else households where there are any)")
	fl.StringVar(&f.policy, "policy", "", "what must be known (default: required.json in the data folder, else built in)")
	fl.StringVar(&f.fixList, "fix-list", "", "write what is to be mended to this workbook (.xlsx) or CSV file")
	return cmd
}

// gatePage is how many ids are read at a time.
const gatePage = 500

// qualityPolicy reads what the organisation requires: the file that was named, else
// required.json in the data folder, else the default.
func (a *app) qualityPolicy(path string) (quality.Policy, error) {
	named := path != ""
	if !named {
		path = filepath.Join(a.Data, "required.json")
	}
	b, err := readFile(path, quality.MaxPolicyBytes)
	if !named && errors.Is(err, fs.ErrNotExist) {
		return quality.Default(), nil
	} else if err != nil {
		return quality.Policy{}, err
	}
	p, err := quality.ReadPolicy(b)
	if err != nil {
		return p, usagef("%s: %w", path, err).hint("aidpass registry gate --show-policy prints one to begin with")
	}
	return p, nil
}

// gateResult is what gate prints.
type gateResult struct {
	Unit     registry.Kind `json:"unit"`
	Inactive int           `json:"inactive"` // closed and inactive records, not judged
	quality.Tally
	Reasons []quality.Row `json:"reasons"`
}

func (a *app) gate(ctx context.Context, f gateFlags) error {
	policy, err := a.qualityPolicy(f.policy)
	if err != nil {
		return err
	}
	known := func(t *schemas.Type) bool { return t.Name == f.typeName }
	if f.typeName != "" && !slices.ContainsFunc(schemas.Embedded(), known) {
		return usagef("no type %q", f.typeName).hint("registration, eligibility, referral, delegation or receipt")
	}
	if f.unit != "" && f.unit != string(registry.KindPerson) && f.unit != string(registry.KindHousehold) {
		return usagef("--unit is person or household, not %q", f.unit)
	}
	if f.fixList != "" {
		if err := mustNotExist(f.fixList); err != nil {
			return err
		}
	}
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	var result gateResult
	fixes := fixList{}
	err = o.store.View(ctx, func(v registry.View) error {
		if result.Unit, err = gateUnit(v, f); err != nil {
			return err
		}
		return a.judgeAll(ctx, v, policy.Gate(f.programme), &result, &fixes)
	})
	if err != nil {
		return err
	}
	if result.Units == 0 {
		return usagef("no active %s is on record", result.Unit).hint("aidpass registry import LIST takes people in; --unit person asks about people")
	}
	if f.fixList != "" {
		b, err := fixes.file(f.fixList)
		if err == nil {
			err = durable.WriteFile(f.fixList, b, 0o600)
		}
		if err != nil {
			return err
		}
	}
	result.Reasons = result.Rows()
	return a.print(result, func(w io.Writer) {
		result.write(w, policy)
		if len(result.Reasons) > 0 {
			fmt.Fprintln(w, "single values are mended with: aidpass registry set NUMBER --list NAME FIELD=VALUE --reason CODE")
		}
	})
}

// gateUnit is what the cards would be for.
func gateUnit(v registry.View, f gateFlags) (registry.Kind, error) {
	switch {
	case f.unit != "":
		return registry.Kind(f.unit), nil
	case f.programme != "":
		p, err := v.Programme(f.programme)
		if err == nil && p.Counts != "" {
			return p.Counts, nil
		} else if err != nil && !errors.Is(err, registry.ErrNotFound) {
			return "", err
		}
	}
	if f.typeName == "registration" {
		return registry.KindPerson, nil
	}
	houses, err := v.Units(registry.KindHousehold, registry.ID{}, 1)
	if err != nil || len(houses) > 0 {
		return registry.KindHousehold, err
	}
	return registry.KindPerson, nil
}

// judgeAll asks the gate about every unit in use.
func (a *app) judgeAll(ctx context.Context, v registry.View, gate quality.Gate, result *gateResult, fixes *fixList) error {
	reader, err := quality.NewReader(v)
	if err != nil {
		return err
	}
	bar := a.progress("judged")
	defer bar.end()
	for after := (registry.ID{}); ; {
		ids, err := v.Units(result.Unit, after, gatePage)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := ctx.Err(); err != nil {
				return err
			}
			u, err := reader.Unit(id)
			if err != nil {
				return err
			}
			d := gate.Judge(u, a.Now())
			if slices.ContainsFunc(d.Reasons, func(r quality.Reason) bool { return r.Code == quality.ReasonClosed || r.Code == quality.ReasonInactive }) {
				result.Inactive++
				continue
			}
			result.Add(d)
			if err := fixes.add(v, d); err != nil {
				return err
			}
			bar.step(result.Units, result.Units)
		}
		if len(ids) < gatePage {
			return nil
		}
		after = ids[len(ids)-1]
	}
}

func (r *gateResult) write(w io.Writer, policy quality.Policy) {
	fmt.Fprintf(w, "%d %ss: %d would be issued, %d of them provisional for %d days; %d refused\n",
		r.Units, r.Unit, r.Issued+r.Provisional, r.Provisional, policy.ProvisionalDays, r.Refused)
	fmt.Fprintf(w, "completeness %.1f %%\n", 100*r.Share)
	if r.Inactive > 0 {
		fmt.Fprintf(w, "%d closed or inactive, not judged\n", r.Inactive)
	}
	for _, rule := range policy.Strict() {
		fmt.Fprintf(w, "strict: this policy refuses for %s\n", strictRules[rule])
	}
	if len(r.Reasons) == 0 {
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "leads to\tfield\twhy\tunits")
	for _, row := range r.Reasons {
		weight := string(row.Weight)
		if row.Weight == quality.Issue {
			weight = "note"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\n", weight, row.Field, row.Code, row.Units)
	}
	t.Flush() // into the terminal's writer, whose errors print does not tell either
}

// strictRules say what quality.Policy.Strict names.
var strictRules = map[string]string{"told": "records told to be of one person", "look": "records that may be of one person", "unverified": "people whom nobody met for long"}

// fixList is what is to be mended, a line each. The number of the list is there so that the
// paper can be found; nobody is named.
type fixList struct{ fixes []quality.Fix }

func (l *fixList) add(v registry.View, d quality.Decision) error {
	fixes, err := quality.Fixes(v, d)
	l.fixes = append(l.fixes, fixes...)
	return err
}

// file is the list as a workbook or as CSV, by the name of the file.
func (l *fixList) file(name string) ([]byte, error) {
	quality.SortFixes(l.fixes)
	rows := make([][]string, 0, len(l.fixes))
	for i := range l.fixes {
		f := &l.fixes[i]
		rows = append(rows, f.Row(f.Text, f.Fix))
	}
	if strings.EqualFold(filepath.Ext(name), ".xlsx") {
		return issuer.FixBook(rows)
	}
	return csvOf(quality.FixHeader, rows)
}
