package intake

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// WriteJSON writes the report as one JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(r)
}

var findingHeader = []string{"table", "row", "column", "value", "severity", "blocks a card", "code", "what is wrong", "how to mend it"}

func (f Finding) cells() []string {
	row := strconv.Itoa(f.Row)
	if f.Place != "" {
		row += " (" + f.Place + ")"
	}
	return []string{f.Table, row, f.Column, f.Value, string(f.Severity), yes(f.Blocking), f.Code, f.What, f.Fix}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// sections are the parts of the report as tables, each with its header first.
func (r *Report) sections() []section {
	list := []section{{name: "Summary", rows: r.summary()}, {name: "Findings", rows: [][]string{findingHeader}}}
	for _, f := range r.Findings {
		list[1].rows = append(list[1].rows, f.cells())
	}
	if len(r.Delivery) > 0 {
		s := section{"Missing delivery fields", [][]string{{"household", "table", "row", "mechanism", "missing"}}}
		for _, d := range r.Delivery {
			s.rows = append(s.rows, []string{d.Household, d.Table, strconv.Itoa(d.Row), d.Mechanism, strings.Join(d.Missing, ", ")})
		}
		list = append(list, s)
	}
	if len(r.Doubles) > 0 {
		s := section{"Possible doubles", [][]string{{"table", "row", "other row", "on record", "why"}}}
		for _, d := range r.Doubles {
			other := ""
			if d.OtherRow > 0 {
				other = strconv.Itoa(d.OtherRow)
			}
			s.rows = append(s.rows, []string{d.Table, strconv.Itoa(d.Row), other, d.Record, d.Why})
		}
		list = append(list, s)
	}
	if p := r.Photos; p != nil && len(p.Unmatched) > 0 {
		s := section{"Photos of nobody", [][]string{{"file"}}}
		for _, name := range p.Unmatched {
			s.rows = append(s.rows, []string{name})
		}
		list = append(list, s)
	}
	return list
}

type section struct {
	name string
	rows [][]string
}

func (r *Report) summary() [][]string {
	rows := [][]string{{"table", "role", "rows", "created", "updated", "duplicate", "rejected", "flagged", "blocked"}}
	line := func(name string, t TableCount) {
		rows = append(rows, []string{name, string(t.Role), strconv.Itoa(t.Rows), strconv.Itoa(t.Created), strconv.Itoa(t.Updated),
			strconv.Itoa(t.Duplicate), strconv.Itoa(t.Rejected), strconv.Itoa(t.Flagged), strconv.Itoa(t.Blocked)})
	}
	for _, t := range r.Tables {
		line(t.Name, t)
	}
	line("all", r.Total())
	for _, s := range r.Skipped {
		rows = append(rows, []string{s.Name, "skipped: " + s.Why})
	}
	for _, w := range r.Warnings {
		rows = append(rows, []string{"", w})
	}
	for _, c := range r.LeftOut {
		rows = append(rows, []string{c.Table, "column left out, as no card needs it: " + c.Column, "to keep it: " + ColumnFlag(c.Answer)})
	}
	if p := r.Photos; p != nil {
		rows = append(rows, []string{"photos stored", strconv.Itoa(p.Stored)}, []string{"photos of unchanged records", strconv.Itoa(p.Unchanged)}, []string{"people without a photo", strconv.Itoa(p.Without)},
			[]string{"files of nobody in the list", strconv.Itoa(len(p.Unmatched))})
	}
	q := r.Quality
	for _, f := range slices.Sorted(maps.Keys(q.Filled)) {
		rows = append(rows, []string{"people with " + f, fmt.Sprintf("%d of %d", q.Filled[f], q.People)})
	}
	for _, f := range slices.Sorted(maps.Keys(q.FilledHH)) {
		rows = append(rows, []string{"households with " + f, fmt.Sprintf("%d of %d", q.FilledHH[f], q.Households)})
	}
	return rows
}

// WriteXLSX writes the report as a workbook.
func (r *Report) WriteXLSX(w io.Writer) error {
	b := NewWorkbook(w)
	for _, s := range r.sections() {
		if err := b.Sheet(s.name); err != nil {
			return err
		}
		for _, row := range s.rows {
			if err := b.Row(row...); err != nil {
				return err
			}
		}
	}
	return b.Close()
}

// WriteCSV writes the findings, one a line under one header; what is not a finding
// of a row follows in the same columns.
func (r *Report) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	put := func(cells []string) {
		safe := make([]string, len(cells))
		for i, c := range cells {
			safe[i] = SafeCell(c)
		}
		out.Write(safe) // its error stays with out
	}
	put(findingHeader)
	for _, f := range r.Findings {
		put(f.cells())
	}
	for _, d := range r.Delivery {
		put([]string{d.Table, strconv.Itoa(d.Row), strings.Join(d.Missing, ", "), d.Household, string(Remark), "", "delivery_missing",
			"the household's delivery by " + d.Mechanism + " lacks these columns", "ask for them before a payment list is made"})
	}
	for _, d := range r.Doubles {
		other := "a record: " + d.Record
		if d.OtherRow > 0 {
			other = fmt.Sprintf("row %d", d.OtherRow)
		}
		put([]string{d.Table, strconv.Itoa(d.Row), "", "", string(Remark), "", "possible_double", "may be the same person as " + other + " (" + d.Why + ")", "compare the two; both stay until somebody decides"})
	}
	for _, t := range r.Tables {
		put([]string{t.Name, "", "", "", "count", "", "rows", t.String(), ""})
	}
	for _, s := range r.Skipped {
		put([]string{s.Name, "", "", "", "count", "", "skipped", s.Why, ""})
	}
	for _, c := range r.LeftOut {
		put([]string{c.Table, "", c.Column, "", "count", "", "left_out", "the column was not kept, as no card needs it", "to keep it: " + ColumnFlag(c.Answer)})
	}
	if p := r.Photos; p != nil {
		put([]string{"", "", "", "", "count", "", "photos", fmt.Sprintf("%d stored, %d of unchanged records, %d people without", p.Stored, p.Unchanged, p.Without), ""})
		for _, name := range p.Unmatched {
			put([]string{"", "", "", name, string(Remark), "", "photo_unmatched", "the file is named after nobody in the list", "name it by a person's number"})
		}
	}
	out.Flush()
	return out.Error()
}
