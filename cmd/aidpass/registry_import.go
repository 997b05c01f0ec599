package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/internal/durable"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/photo"
	"aidpass/issuer/registry/roster"
)

// importFlags are what registry import is asked for.
type importFlags struct {
	plan, savePlan, sheet, encoding, list, country string
	pcodes, photos, report, rejects                string
	answers                                        []string
	dryRun, take, erased, show                     bool
}

func (a *app) registryImportCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import LIST",
		Short: "Take the people and households of a list in",
		Long: `Take the people and households of a list in: CSV, XLSX (with one header row, or as
UNICEF HOPE writes them), KoBo's submissions as JSON or XLSX, lists with HXL hashtags,
UNHCR's exchange of registration forms (RRF XML).

What each column means is guessed by its name and by what stands in it. --show-map
tells the guess with a few values and imports nothing. What cannot be guessed is
asked, and answered with --column 'FIELD=COLUMN' ('FIELD=' where the list has no such
column) or in the file that --save-map writes and --map reads: it serves for the
next list of that form too.

Every row is created, updated, known already or rejected, and each rejection names
row, column, what is wrong and how to mend it. --report has all findings with their
values, --rejects the rejected rows in the form they came in, to be mended and imported
again. All of a file is written, or nothing. The same file again adds nothing.

A row never makes somebody else of a number that is known: where name, birth date or
household differ from the record it is rejected, unless --take-changes. Numbers that
lists give each for itself are kept apart by --list NAME.

--photos DIR: pictures named by the people's numbers or by the photo column. They are
drawn anew, without what cameras write into them.

Exits 2 where every row was rejected, or the list leaves a question open.
` + wordTable("The fields of --column FIELD=COLUMN:", intake.FieldWords()) + wordTable("The roles of --column role=ROLE, what a table is:", intake.RoleWords()),
		Example: `  aidpass registry import list.xlsx --show-map
  aidpass registry import list.xlsx --dry-run --report findings.xlsx
  aidpass registry import list.xlsx --rejects mend.xlsx --photos pictures/
  aidpass registry import mend.xlsx
  aidpass registry import village-b.csv --list village-b --column 'birth_date=DOB,dmy' --column 'sex=' --save-map village.json
  aidpass registry import village-c.csv --list village-c --map village.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.importList(cmd.Context(), args[0], f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.plan, "map", "", "file with what each column means, as --save-map wrote it")
	fl.StringVar(&f.savePlan, "save-map", "", "write what each column means to this file")
	fl.StringArrayVar(&f.answers, "column", nil, "FIELD=COLUMN, FIELD= for none, TABLE:FIELD=COLUMN or role=ROLE; repeat")
	fl.BoolVar(&f.show, "show-map", false, "tell what each column becomes, with values of people, and import nothing")
	fl.StringVar(&f.sheet, "sheet", "", "the one sheet of a workbook to read")
	fl.StringVar(&f.encoding, "encoding", "", "of a CSV that is not UTF-8: windows-1256 (Arabic), windows-1252 (French, Spanish) ...")
	fl.StringVar(&f.list, "list", "", "name of this list, where its numbers are unique in it alone, as of a village")
	fl.StringVar(&f.list, "source", "", "the same as --list")
	fl.StringVar(&f.country, "country", "", "code of the country of telephones without one, as KEN (default: the organisation's)")
	fl.StringVar(&f.pcodes, "pcodes", "", "list of p-codes (CSV or XLSX) that places must be of")
	fl.StringVar(&f.photos, "photos", "", "folder of pictures")
	fl.StringVar(&f.report, "report", "", "write all findings to this file: .csv, .xlsx or .json; it holds people's data")
	fl.StringVar(&f.rejects, "rejects", "", "write the rejected rows to this file, in the form they came in")
	fl.BoolVar(&f.dryRun, "dry-run", false, "do everything but writing people")
	fl.BoolVar(&f.take, "take-changes", false, "let the list change names, birth dates and households on record")
	fl.BoolVar(&f.erased, "take-erased", false, "let the list bring back who was erased on request, because she asks for it")
	fl.Lookup("source").Hidden = true
	return cmd
}

// wordTable lists words with what they are, as help shows them.
func wordTable(title string, list []intake.Word) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n", title)
	for _, w := range list {
		fmt.Fprintf(&b, "  %-22s %s\n", w.Name, w.What)
	}
	return b.String()
}

func (a *app) importList(ctx context.Context, path string, f importFlags) error {
	if err := distinct(named{"the list", path}, named{"--report", f.report}, named{"--rejects", f.rejects}, named{"--map", f.plan},
		named{"--save-map", f.savePlan}, named{"--pcodes", f.pcodes}, named{"--passphrase-file", a.PassphraseFile}); err != nil {
		return err
	}
	if ext := strings.ToLower(filepath.Ext(f.report)); f.report != "" && !slices.Contains([]string{".csv", ".xlsx", ".json"}, ext) {
		return usagef("--report %s", f.report).hint("its name ends in .csv, .xlsx or .json")
	}
	file, err := roster.OpenFile(path, roster.Options{Sheet: f.sheet, Encoding: f.encoding})
	if err != nil {
		return rosterError(err)
	}
	defer file.Close()
	if ext := intake.RejectsExt(file.Format()); f.rejects != "" && !strings.EqualFold(filepath.Ext(f.rejects), ext) {
		return usagef("--rejects %s", f.rejects).hint("the rows of this list come back as they came: name a file that ends in %s", ext)
	}
	plan, err := a.importPlan(file, f)
	if err != nil {
		return err
	}
	if intake.Mended(file) && f.plan == "" && len(f.answers) == 0 {
		if plan, err = a.planOfList(ctx, file, plan); err != nil {
			return err
		}
	}
	if f.savePlan != "" { // before any question: the file is where one may answer it
		if err := writeFile(f.savePlan, plan.JSON()); err != nil {
			return err
		}
	}
	if f.show {
		return a.showPlan(&plan, file)
	}
	if err := plan.Questions(file); err != nil {
		return questionError(err)
	}
	policy, err := a.qualityPolicy("")
	if err != nil {
		return err
	}
	opt := intake.Options{Source: f.list, DryRun: f.dryRun, TakeChanges: f.take, TakeErased: f.erased, Now: a.Now(), Required: policy.Required("")}
	if opt.Places, err = intake.PlacesOf(&plan, file); f.pcodes != "" || err == nil && opt.Places == nil {
		opt.Places, err = a.placeList(f.pcodes)
	}
	if err != nil {
		return rosterError(err)
	}
	if f.photos != "" {
		if opt.Photos, err = photo.OpenFolder(f.photos); err != nil {
			return err
		}
		defer opt.Photos.Close()
	}
	return a.runImport(ctx, path, file, plan, opt, f)
}

// importPlan makes or reads the plan, and takes the answers in.
func (a *app) importPlan(file *roster.File, f importFlags) (plan intake.Plan, err error) {
	if f.plan == "" {
		plan, err = intake.Guess(file)
		if err != nil {
			return plan, rosterError(err)
		}
	} else {
		b, err := readFile(f.plan, intake.MaxPlanBytes)
		if err != nil {
			return plan, err
		}
		if plan, err = intake.ReadPlan(b); err != nil {
			return plan, usagef("%s: %w", f.plan, err).hint("mend it, or make it anew with --save-map")
		}
		if len(f.answers) > 0 {
			plan.Learn(file)
		}
	}
	answer := func() error { return plan.Answer(file, f.answers) }
	if f.plan != "" { // what somebody wrote down is not guessed again
		answer = func() error {
			for _, a := range f.answers {
				if err := plan.Set(a); err != nil {
					return err
				}
			}
			return nil
		}
	}
	if err := answer(); err != nil {
		return plan, usagef("--column: %w", err).hint("--show-map tells the columns and what they become; aidpass registry import --help tells the fields")
	}
	if err := plan.Check(); err != nil {
		return plan, usagef("%w", err).hint("--show-map tells the columns and what they become")
	}
	return plan, nil
}

// planOfList finds the plan by which the list of mended rows was read.
func (a *app) planOfList(ctx context.Context, file *roster.File, guessed intake.Plan) (intake.Plan, error) {
	o, err := a.openOrg(ctx)
	if err != nil {
		return guessed, err
	}
	defer o.close()
	var imports []registry.ImportFile
	err = o.store.View(ctx, func(v registry.View) (err error) {
		imports, err = v.Imports()
		return err
	})
	if err != nil {
		return guessed, err
	}
	if plan, ok := intake.PlanOf(file, imports); ok {
		return plan, nil
	}
	return guessed, nil
}

// questionError says how a question is answered.
func questionError(err error) error {
	var q *intake.Question
	if !errors.As(err, &q) {
		return rosterError(err)
	}
	e := usagef("%w; nothing was imported", err)
	for _, ask := range q.Asks[:min(len(q.Asks), 6)] {
		e = e.hint("%s", intake.ColumnFlag(ask.Answer))
	}
	return e.hint("'FIELD=' says that the list has none; --show-map tells every column, --save-map FILE keeps the answers for --map FILE")
}

func (a *app) showPlan(plan *intake.Plan, file *roster.File) error {
	list, err := plan.Show(file)
	if err != nil {
		return rosterError(err)
	}
	if a.JSON {
		for _, s := range list {
			if err := printJSON(a.Stdout, s); err != nil {
				return err
			}
		}
	} else {
		writeShown(a.Stdout, list)
	}
	if err := plan.Questions(file); err != nil {
		return questionError(err)
	}
	return nil
}

func writeShown(w io.Writer, list []intake.Shown) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	for i, s := range list {
		if i == 0 || list[i-1].Table != s.Table {
			fmt.Fprintf(t, "%s\t%s\t\t\n", strings.TrimSpace("table "+s.Table), s.Role)
		}
		sure := ""
		if s.Sure > 0 {
			sure = fmt.Sprintf("%d %%", s.Sure)
		}
		field := string(s.Field)
		if s.Order != "" {
			field += " (" + string(s.Order) + ")"
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", s.Column, field, sure, strings.Join(s.Samples, " | "))
	}
}

func (a *app) runImport(ctx context.Context, path string, file *roster.File, plan intake.Plan, opt intake.Options, f importFlags) error {
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	if err := o.plausibleClock(ctx); err != nil {
		return err
	}
	if opt.Country = o.entry.Country; f.country != "" {
		code, ok := registry.Country(f.country)
		if !ok {
			return usagef("--country %q is no country", f.country).hint("its code of three letters, as KEN")
		}
		opt.Country = code
	}
	p, stage, done := a.progress("importing"), "", 0
	opt.Progress = func(s string, rows int) {
		if s != stage {
			stage, p.what = s, s
		}
		if done++; done%256 == 0 {
			p.step(rows, rows)
		}
	}
	report, err := intake.Run(ctx, o.store, a.actor(access.Registrar), plan, file, opt)
	p.end()
	if err != nil {
		return rosterError(err)
	}
	if f.report != "" {
		if err := writeReport(f.report, report); err != nil {
			return err
		}
	}
	total := report.Total()
	if f.rejects != "" && total.Rejected > 0 {
		var b bytes.Buffer
		if err := report.WriteRejects(&b, file); err != nil {
			return err
		}
		if err := durable.WriteFile(f.rejects, b.Bytes(), 0o600); err != nil {
			return err
		}
	}
	if err := a.print(importJSON(report), func(w io.Writer) { writeImport(w, report, f) }); err != nil {
		return err
	}
	if total.Rows > 0 && total.Rejected == total.Rows {
		e := usagef("every row was rejected: nothing was imported")
		if f.rejects != "" {
			return e.hint("mend %s and import it", f.rejects)
		}
		return e.hint("--rejects FILE writes the rows with what is to be mended")
	}
	return nil
}

func writeReport(path string, report *intake.Report) error {
	var b bytes.Buffer
	write := report.WriteJSON
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		write = report.WriteCSV
	case ".xlsx":
		write = report.WriteXLSX
	}
	if err := write(&b); err != nil {
		return err
	}
	return durable.WriteFile(path, b.Bytes(), 0o600) // it holds people's data
}

// refusal is a rejected row as the terminal and --json tell it: without the value.
type refusal struct {
	Table  string `json:"table,omitempty"`
	Row    int    `json:"row"`
	Column string `json:"column,omitempty"`
	Code   string `json:"code"`
	What   string `json:"what"`
	Fix    string `json:"fix"`
}

func refusals(r *intake.Report) []refusal {
	list := []refusal{}
	for _, f := range r.Findings {
		if f.Severity == intake.Reject {
			list = append(list, refusal{f.Table, f.Row, f.Column, f.Code, f.What, f.Fix})
		}
	}
	return list
}

func importJSON(r *intake.Report) map[string]any {
	t := r.Total()
	v := map[string]any{
		"rows": t.Rows, "created": t.Created, "updated": t.Updated, "duplicate": t.Duplicate, "rejected": t.Rejected,
		"flagged": t.Flagged, "blocked": t.Blocked, "tables": r.Tables, "refusals": refusals(r), "findings": r.Quality.Codes,
		"missing_delivery_fields": len(r.Delivery), "possible_doubles": len(r.Doubles), "skipped": r.Skipped, "dry_run": r.DryRun,
		"format": r.Format, "sha256": r.Digest, "quality": r.Quality, "earlier": r.Earlier, "left_out": r.LeftOut,
	}
	if p := r.Photos; p != nil { // names of files may be people's: the report has them
		v["photos"] = map[string]int{"stored": p.Stored, "unchanged": p.Unchanged, "without": p.Without, "unmatched": len(p.Unmatched)}
	}
	if !r.DryRun {
		v["import"] = r.Import.String() // for issue --import
	}
	return v
}

// saidRefusals is how many rejections the terminal tells; the report has all.
const saidRefusals = 20

// writeOpen tells what the policy requires and the list does not say.
func writeOpen(w io.Writer, r *intake.Report) {
	for _, open := range []struct {
		what   string
		fields map[string]int
	}{{"people", r.Quality.Open}, {"households without people in the list", r.Quality.OpenHH}} {
		if len(open.fields) == 0 {
			continue
		}
		var list []string
		for _, name := range slices.Sorted(maps.Keys(open.fields)) {
			list = append(list, fmt.Sprintf("%s %d", name, open.fields[name]))
		}
		fmt.Fprintf(w, "required and not in the list, by %s: %s\n", open.what, strings.Join(list, ", "))
	}
}

// writeLeftOut names the columns that were not kept, a line a table.
func writeLeftOut(w io.Writer, list []intake.LeftOut) {
	const most = 5
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].Table == list[0].Table {
			n++
		}
		var names []string
		for _, c := range list[:min(n, most)] {
			names = append(names, fmt.Sprintf("%q", c.Column))
		}
		text := strings.Join(names, ", ")
		if n > most {
			text += fmt.Sprintf(" and %d more (--report FILE names all)", n-most)
		}
		fmt.Fprintf(w, "left out, as no card needs it: %s; %s keeps one\n", text, intake.ColumnFlag(list[0].Answer))
		list = list[n:]
	}
}

// writeRefusals tells the rejections, rows that are rejected for one thing in one line.
func writeRefusals(w io.Writer, list []refusal) {
	var kinds []refusal
	rows := map[refusal][]int{}
	for _, x := range list {
		kind := x
		kind.Row = 0
		if rows[kind] == nil {
			kinds = append(kinds, kind)
		}
		rows[kind] = append(rows[kind], x.Row)
	}
	for i, x := range kinds {
		if i == saidRefusals {
			fmt.Fprintf(w, "  and more of %d other kinds: --report FILE has all\n", len(kinds)-i)
			break
		}
		where := rowsText(rows[x])
		if x.Table != "" {
			where = x.Table + ", " + where
		}
		if x.Column != "" {
			where += fmt.Sprintf(", column %q", x.Column)
		}
		fmt.Fprintf(w, "  rejected: %s: %s: %s\n", where, x.What, x.Fix)
	}
}

// rowsText writes "row 4", or "rows 4, 7-9 and 31 more".
func rowsText(rows []int) string {
	if len(rows) == 1 {
		return fmt.Sprintf("row %d", rows[0])
	}
	const most = 8
	var parts []string
	for i := 0; i < len(rows); {
		if len(parts) == most {
			return "rows " + strings.Join(parts, ", ") + fmt.Sprintf(" and %d more", len(rows)-i)
		}
		j := i
		for j+1 < len(rows) && rows[j+1] == rows[j]+1 {
			j++
		}
		if text := fmt.Sprint(rows[i]); j > i {
			parts = append(parts, fmt.Sprintf("%s-%d", text, rows[j]))
		} else {
			parts = append(parts, text)
		}
		i = j + 1
	}
	return "rows " + strings.Join(parts, ", ")
}

// writeCodes counts what rows were stored with, and what is only said.
func writeCodes(w io.Writer, r *intake.Report) {
	first := map[string]intake.Finding{}
	count := map[string]int{}
	for _, f := range r.Findings {
		if f.Severity == intake.Reject {
			continue
		}
		if count[f.Code]++; count[f.Code] == 1 {
			first[f.Code] = f
		}
	}
	for _, code := range slices.Sorted(maps.Keys(count)) {
		kind := map[intake.Severity]string{intake.Flag: "stored, to be looked at", intake.Remark: "note"}[first[code].Severity]
		if first[code].Blocking {
			kind = "stored, blocks a card"
		}
		fmt.Fprintf(w, "  %s: %d (%s): %s\n", code, count[code], kind, first[code].What)
	}
}

func writeImport(w io.Writer, r *intake.Report, f importFlags) {
	if r.Earlier != nil {
		fmt.Fprintf(w, "this file was imported already, on %s by %s\n", r.Earlier.At.Format("2006-01-02 15:04"), r.Earlier.By)
	}
	for _, text := range r.Warnings {
		fmt.Fprintln(w, "note:", text)
	}
	for _, t := range r.Tables {
		name := string(t.Role)
		if t.Name != "" {
			name = fmt.Sprintf("%s (%s)", t.Name, t.Role)
		}
		fmt.Fprintf(w, "%s: %s\n", name, t)
	}
	for _, s := range r.Skipped {
		fmt.Fprintf(w, "skipped %q: %s\n", s.Name, s.Why)
	}
	writeLeftOut(w, r.LeftOut)
	writeRefusals(w, refusals(r))
	writeCodes(w, r)
	writeOpen(w, r)
	if n := len(r.Delivery); n > 0 {
		fmt.Fprintf(w, "%d people lack columns that their delivery of money needs: see --report\n", n)
	}
	if n := len(r.Doubles); n > 0 {
		fmt.Fprintf(w, "%d possible doubles: aidpass registry duplicates review\n", n)
	}
	if p := r.Photos; p != nil {
		verb := "stored"
		if r.DryRun {
			verb = "would be stored"
		}
		fmt.Fprintf(w, "photos: %d %s, %d files of nobody in the list (--report names them), %d people without\n", p.Stored, verb, len(p.Unmatched), p.Without)
		switch {
		case p.Unchanged > 0 && r.Earlier != nil && !f.take:
			fmt.Fprintf(w, "%s not looked at: this very file was imported before, and its records stay as they are; --take-changes takes photos in\n", plural(p.Unchanged, "photo was", "photos were"))
		case p.Unchanged > 0:
			fmt.Fprintf(w, "%s on record already\n", plural(p.Unchanged, "photo is", "photos are"))
		}
	}
	if f.report != "" {
		fmt.Fprintf(w, "all findings with their values: %s\n", f.report)
	}
	if f.rejects != "" && r.Total().Rejected > 0 {
		fmt.Fprintf(w, "rejected rows, to be mended and imported: %s\n", f.rejects)
	}
	switch t := r.Total(); {
	case r.DryRun:
		fmt.Fprintln(w, "a dry run: nothing was written; the same without --dry-run takes them in")
	case t.Rejected > 0 && f.rejects == "":
		fmt.Fprintln(w, "next: the same with --rejects FILE writes the rejected rows, to be mended and imported")
	case t.Created+t.Updated > 0:
		fmt.Fprintln(w, "next: aidpass registry gate tells who would get a card, and what is missing")
	}
}
