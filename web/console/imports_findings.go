package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"aidpass/issuer/registry/imports"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/roster"
)

type findingsData struct {
	importRow
	Severity string       `json:"severity,omitempty"`
	Code     string       `json:"code,omitempty"`
	Kinds    []kindRow    `json:"kinds"`
	Rows     []findingRow `json:"findings"`
	Paging   *Paging      `json:"paging"`
}

type kindRow struct {
	Severity string `json:"severity"`
	Code     string `json:"code"`
	What     string `json:"what"`
	Count    int    `json:"count"`
	URL      string `json:"-"`
	Here     bool   `json:"-"`
	Said     bool   `json:"-"` // there are words for the code
}

type findingRow struct {
	Table    string `json:"table,omitempty"`
	Row      int    `json:"row"`
	Place    string `json:"place,omitempty"`
	Column   string `json:"column,omitempty"`
	Value    string `json:"value"` // of the cell, as it is read now
	Severity string `json:"severity"`
	Blocking bool   `json:"blocking"`
	Code     string `json:"code"`
	What     string `json:"what"`
	Fix      string `json:"fix"`
	Mended   bool   `json:"mended"`
	Out      bool   `json:"out"`
	Long     bool   `json:"long"` // the cell is mended in the file alone
	Line     string `json:"-"`    // the row, as the form names it
	First    bool   `json:"-"`    // of its row on this page
	Said     bool   `json:"-"`    // there are words for the code
	Detail   bool   `json:"-"`    // and What says more than they do
}

// line names a row in a form.
func line(table string, row int) string { return strconv.Itoa(row) + ":" + table }

func (s *Imports) findings(p *Page) error {
	id := p.Param("import")
	m, err := s.Desk.Show(p.Context(), id)
	if err != nil {
		return importFault(err)
	}
	d := findingsData{importRow: rowOfImport(&m), Severity: p.Query.Get("severity"), Code: p.Query.Get("code")}
	w := imports.Which{Severity: intake.Severity(d.Severity), Code: d.Code}
	_, total, _, err := s.Desk.Findings(p.Context(), p.Actor(), id, w, 0, 0)
	if err != nil {
		return importFault(err)
	}
	d.Paging = p.Paging(total)
	list, _, kinds, err := s.Desk.Findings(p.Context(), p.Actor(), id, w, d.Paging.Offset(), d.Paging.Size)
	if err != nil {
		return importFault(err)
	}
	for _, k := range kinds {
		q := url.Values{"severity": {string(k.Severity)}, "code": {k.Code}}
		d.Kinds = append(d.Kinds, kindRow{string(k.Severity), k.Code, k.What, k.Count, "/imports/" + id + "/findings?" + q.Encode(), d.Code == k.Code && d.Severity == string(k.Severity), p.Says("imports.code_" + k.Code)})
	}
	seen := map[string]bool{}
	for _, f := range list {
		r := findingRow{Table: f.Table, Row: f.Row, Place: f.Place, Column: f.Column, Value: f.Cell, Severity: string(f.Severity), Blocking: f.Blocking, Code: f.Code,
			What: f.What, Fix: f.Fix, Mended: f.Mended, Out: f.Out, Long: len(f.Cell) > cellRunes || f.Gone, Line: line(f.Table, f.Row),
			Said: p.Says("imports.code_" + f.Code), Detail: f.Code == intake.RowUnreadable}
		r.First, seen[r.Line] = !seen[r.Line], true
		d.Rows = append(d.Rows, r)
	}
	return p.Show("import_findings", "imports.findings", d, "name", m.Name)
}

// mend takes the cells of a page of findings that were changed there, and the rows that
// are left out or taken back in.
func (s *Imports) mend(p *Page) error {
	id, version, err := s.begin(p)
	if err != nil {
		return err
	}
	tables, rows, columns, was, values := p.Form.All("table"), p.Form.All("row"), p.Form.All("column"), p.Form.All("was"), p.Form.All("value")
	if len(rows) != len(tables) || len(rows) != len(columns) || len(rows) != len(was) || len(rows) != len(values) {
		return errFields
	}
	var list []roster.Mend
	for i := range rows {
		n, err := strconv.Atoi(rows[i])
		if err != nil || n < 1 || columns[i] == "" {
			return errFields
		}
		if oneLine(values[i]) != oneLine(was[i]) {
			list = append(list, roster.Mend{Table: tables[i], Row: n, Column: columns[i], Value: strings.TrimSpace(values[i])})
		}
	}
	out := p.Form.All("out")
	for _, l := range p.Form.All("listed") { // "+" before the line of a row that was left out already
		l, before := strings.CutPrefix(l, "+")
		number, table, ok := strings.Cut(l, ":")
		n, err := strconv.Atoi(number)
		if err != nil || !ok || n < 1 {
			return errFields
		}
		if now := slices.Contains(out, l); now != before {
			list = append(list, roster.Mend{Table: table, Row: n, Out: now})
		}
	}
	back := "/imports/" + id + "/findings"
	if p.Form.Get("from") == "doubles" {
		back = "/imports/" + id + "/doubles"
	}
	q := url.Values{}
	for _, name := range []string{"severity", "code", "page"} {
		if v := p.Form.Get(name); v != "" {
			q.Set(name, v)
		}
	}
	if len(q) > 0 {
		back += "?" + q.Encode()
	}
	if len(list) == 0 {
		return p.Done(back, Note{Word: "imports.mended_none"})
	}
	if _, err := s.Desk.Mend(p.Context(), p.Actor(), id, version, list); err != nil {
		return importFault(err)
	}
	return p.Done(back, Note{Word: "imports.mended", Fill: []any{"count", len(list)}})
}

// oneLine is a value as a field of one line gives it back.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

type mendsData struct {
	importRow
	Rows   []imports.Mended `json:"mends"`
	Paging *Paging          `json:"paging"`
}

func (s *Imports) mends(p *Page) error {
	id := p.Param("import")
	m, err := s.Desk.Show(p.Context(), id)
	if err != nil {
		return importFault(err)
	}
	d := mendsData{importRow: rowOfImport(&m), Paging: p.Paging(len(m.Mends))}
	if _, d.Rows, err = s.Desk.Mended(p.Context(), p.Actor(), id, d.Paging.Offset(), d.Paging.Size); err != nil {
		return importFault(err)
	}
	return p.Show("import_mends", "imports.mends", d, "name", m.Name)
}

type doublesData struct {
	importRow
	Rows   []pairRow `json:"pairs"`
	Paging *Paging   `json:"paging"`
}

type pairRow struct {
	Table string    `json:"table,omitempty"`
	Why   string    `json:"why"`
	A     sideRow   `json:"a"`
	B     sideRow   `json:"b"`
	Lines []cellRow `json:"fields"`
}

type sideRow struct {
	Row    int    `json:"row,omitempty"`
	Record string `json:"record,omitempty"`
	Out    bool   `json:"out"`
	Line   string `json:"-"`
	First  bool   `json:"-"` // of its row on this page
}

type cellRow struct {
	Field string   `json:"field"`
	A     []string `json:"a,omitempty"`
	B     []string `json:"b,omitempty"`
	Same  bool     `json:"same"`
}

func (s *Imports) doubles(p *Page) error {
	id := p.Param("import")
	m, err := s.Desk.Show(p.Context(), id)
	if err != nil {
		return importFault(err)
	}
	total := 0
	if m.Counts != nil {
		total = m.Counts.Doubles
	}
	d := doublesData{importRow: rowOfImport(&m), Paging: p.Paging(total)}
	if total > 0 {
		pairs, _, err := s.Desk.Doubles(p.Context(), p.Actor(), id, d.Paging.Offset(), d.Paging.Size)
		if err != nil {
			return importFault(err)
		}
		seen := map[string]bool{}
		for _, x := range pairs {
			r := pairOf(x)
			r.A.First, seen[r.A.Line] = !seen[r.A.Line], true
			r.B.First, seen[r.B.Line] = !seen[r.B.Line], true
			d.Rows = append(d.Rows, r)
		}
	}
	return p.Show("import_doubles", "imports.doubles", d, "name", m.Name)
}

func pairOf(x imports.Pair) pairRow {
	r := pairRow{Table: x.Table, Why: x.Why, A: sideRow{x.A.Row, "", x.A.Out, line(x.Table, x.A.Row), true}, B: sideRow{x.B.Row, x.B.Record, x.B.Out, line(x.Table, x.B.Row), true}}
	at := func(field string) *cellRow {
		i := slices.IndexFunc(r.Lines, func(c cellRow) bool { return c.Field == field })
		if i < 0 {
			i = len(r.Lines)
			r.Lines = append(r.Lines, cellRow{Field: field})
		}
		return &r.Lines[i]
	}
	for _, c := range x.A.Cells {
		l := at(c.Field)
		l.A, l.Same = append(l.A, c.Text), l.Same || c.Same
	}
	for _, c := range x.B.Cells {
		l := at(c.Field)
		l.B = append(l.B, c.Text)
	}
	return r
}
