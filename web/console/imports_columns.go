package console

import (
	"slices"
	"strconv"
	"strings"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/imports"
	"aidpass/issuer/registry/intake"
)

type columnsData struct {
	importRow
	Source  string        `json:"source,omitempty"`
	Changes bool          `json:"take_changes"`
	Tables  []tableRow    `json:"tables"`
	Open    []openRow     `json:"open,omitempty"` // what is to be answered before anything is checked
	Fields  []string      `json:"-"`
	Roles   []intake.Role `json:"-"`
}

type tableRow struct {
	N       int         `json:"-"` // its place, from 0
	Name    string      `json:"name"`
	Role    intake.Role `json:"role"`
	Alone   bool        `json:"alone"`
	Columns []columnRow `json:"columns"`
	Without []string    `json:"without,omitempty"` // fields that the list does not have
}

type columnRow struct {
	Column  string   `json:"column"`
	Letter  string   `json:"letter,omitempty"`
	Label   string   `json:"label,omitempty"`
	Field   string   `json:"field"` // with its order, as "birth_date,dmy"
	Sure    int      `json:"sure,omitempty"`
	Samples []string `json:"samples,omitempty"`
	Other   bool     `json:"-"` // Field is none of the common choices
}

// An openRow is a question about columns.
type openRow struct {
	N       int      `json:"-"`
	Table   string   `json:"table,omitempty"`
	Field   string   `json:"field,omitempty"`
	Columns []string `json:"columns,omitempty"` // that might be meant
	What    string   `json:"what"`              // in English
}

// fieldChoices are what a column is usually made, with the order of its dates or letters
// where it needs one: the rest is a plan's, in a file.
func fieldChoices() (list []string) {
	for _, w := range intake.FieldWords() {
		if strings.Contains(w.Name, "TYPE") || strings.Contains(w.Name, "NAME") {
			continue
		}
		list = append(list, w.Name)
		for _, o := range map[string][]string{string(intake.BirthDate): {"dmy", "mdy"}, string(intake.Registered): {"dmy", "mdy"}, string(intake.Sex): {"hm", "mf"}}[w.Name] {
			list = append(list, w.Name+","+o)
		}
	}
	for _, t := range registry.DocumentTypes() {
		list = append(list, "document."+t, "issuer."+t)
	}
	return list
}

// fieldRoles are what a table can be.
func fieldRoles() (list []intake.Role) {
	for _, w := range intake.RoleWords() {
		list = append(list, intake.Role(w.Name))
	}
	return list
}

func (s *Imports) columns(p *Page) error {
	m, shown, plan, open, err := s.Desk.Columns(p.Context(), p.Actor(), p.Param("import"))
	if err != nil {
		return importFault(err)
	}
	d := columnsData{importRow: rowOfImport(&m), Source: m.Options.Source, Changes: m.Options.TakeChanges, Fields: fieldChoices(), Roles: fieldRoles()}
	for i, t := range plan.Tables {
		row := tableRow{N: i, Name: t.Name, Role: t.Role, Alone: t.Alone}
		for _, f := range t.Without {
			row.Without = append(row.Without, string(f))
		}
		for _, c := range t.Columns {
			col := columnRow{Column: c.Column, Label: c.Label, Field: withOrder(c), Sure: c.Sure}
			if j := slices.IndexFunc(shown, func(x intake.Shown) bool { return x.Table == t.Name && x.Column == c.Column }); j >= 0 {
				col.Letter, col.Samples = shown[j].Letter, shown[j].Samples
			}
			col.Other = !slices.Contains(d.Fields, col.Field)
			row.Columns = append(row.Columns, col)
		}
		d.Tables = append(d.Tables, row)
	}
	if open != nil {
		for _, a := range open.Asks {
			n := slices.IndexFunc(plan.Tables, func(t intake.TablePlan) bool { return t.Name == a.Table })
			what, _, _ := strings.Cut(a.What, "; --column")
			d.Open = append(d.Open, openRow{N: n, Table: a.Table, Field: string(a.Field), Columns: a.Columns, What: what})
		}
	}
	return p.Show("import_columns", "imports.columns", d, "name", m.Name)
}

func withOrder(c intake.ColumnPlan) string {
	if c.Order == "" {
		return string(c.Field)
	}
	return string(c.Field) + "," + string(c.Order)
}

// mapped takes what each column becomes: one value a column, in the order of the page.
func (s *Imports) mapped(p *Page) error {
	id := p.Param("import")
	m, _, plan, _, err := s.Desk.Columns(p.Context(), p.Actor(), id)
	if err != nil {
		return importFault(err)
	}
	version, err := p.version()
	if err != nil {
		return err
	}
	if m.Version != version {
		return ErrConflict
	}
	roles, fields := p.Form.All("role"), p.Form.All("field")
	for i := range plan.Tables {
		t := &plan.Tables[i]
		if len(roles) <= i || len(fields) < len(t.Columns) {
			return errFields
		}
		t.Role, t.Without = intake.Role(roles[i]), nil
		t.Alone = slices.Contains(p.Form.All("alone"), strconv.Itoa(i))
		for j := range t.Columns {
			c := &t.Columns[j]
			if fields[j] == withOrder(*c) {
				continue
			}
			name, order, _ := strings.Cut(fields[j], ",")
			c.Field, c.Order, c.Sure = intake.Field(name), intake.Order(order), 100
		}
		fields = fields[len(t.Columns):]
	}
	if len(fields) > 0 || len(roles) != len(plan.Tables) {
		return errFields
	}
	for _, w := range p.Form.All("without") {
		n, field, _ := strings.Cut(w, ":")
		i, err := strconv.Atoi(n)
		if err != nil || i < 0 || i >= len(plan.Tables) || !intake.Field(field).Known() {
			return errFields
		}
		t := &plan.Tables[i]
		filled := slices.ContainsFunc(t.Columns, func(c intake.ColumnPlan) bool { return string(c.Field) == field })
		if !filled && !slices.Contains(t.Without, intake.Field(field)) {
			t.Without = append(t.Without, intake.Field(field))
		}
	}
	if err := plan.Check(); err != nil {
		return BadForm("imports.fault_plan", "what", strings.TrimPrefix(err.Error(), "intake: "))
	}
	opt := imports.Options{Source: p.Form.Get("source"), TakeChanges: p.Form.Get("changes") != ""}
	if m, err = s.Desk.Map(p.Context(), p.Actor(), id, version, plan, opt); err != nil {
		return importFault(err)
	}
	// What the columns are was said: the check is what comes next.
	p.Form["version"] = []string{strconv.FormatInt(m.Version, 10)}
	return s.check(p)
}
