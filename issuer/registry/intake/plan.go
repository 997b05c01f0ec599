package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"aidpass/issuer/registry/roster"
)

// MaxPlanBytes bounds the JSON of a plan.
const MaxPlanBytes = 4 << 20

// A Plan says how a list is read: what each table is and each of its columns
// becomes. It names no person. Its JSON is meant to be read and edited.
type Plan struct {
	Version int         `json:"aidpass_import_plan"` // 1
	Format  string      `json:"format,omitempty"`    // of the file it was made for: see roster.File.Format
	Country string      `json:"country,omitempty"`   // ISO 3166-1 alpha-3: of phones without a code, and of stay
	Tables  []TablePlan `json:"tables"`
}

// A TablePlan is what one sheet, or the whole of a CSV, is.
type TablePlan struct {
	Name    string       `json:"name"` // "" in a CSV
	Role    Role         `json:"role"`
	Columns []ColumnPlan `json:"columns,omitempty"`
	// Without are fields that one would expect and that this list is known not to have.
	Without []Field `json:"without,omitempty"`
	// Alone: who has no household in this list has none, on purpose. Without it such
	// rows are rejected where the list has a table of households.
	Alone bool `json:"alone,omitempty"`
}

// A ColumnPlan is what a column becomes.
type ColumnPlan struct {
	Column string `json:"column"` // as the header has it
	Field  Field  `json:"field"`
	Order  Order  `json:"order,omitempty"` // of dates, or what letters of sexes mean
	Sure   int    `json:"sure,omitempty"`  // per cent; 0 in a plan that a person wrote
	Label  string `json:"label,omitempty"` // as the form asks it
}

// Order is how a column writes the days of dates that do not begin with the year, or
// whom it calls M.
type Order string

// Orders of dates, and of the letters of sexes.
const (
	DayFirst   Order = "dmy"
	MonthFirst Order = "mdy"
	HombreM    Order = "hm" // H is a man and M a woman: hombre, mujer
	MaleF      Order = "mf" // M is a man and F a woman, and so is H: male, homme
)

// orders lists those that a field may have.
func (f Field) orders() []Order {
	switch f {
	case BirthDate, Registered:
		return []Order{DayFirst, MonthFirst}
	case Sex:
		return []Order{HombreM, MaleF}
	}
	return nil
}

// ReadPlan reads what Write wrote, or a person edited. An error says where it is
// wrong and what may stand there.
func ReadPlan(b []byte) (Plan, error) {
	if len(b) > MaxPlanBytes {
		return Plan{}, errorf("a plan has at most %d bytes", MaxPlanBytes)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var p Plan
	if err := d.Decode(&p); err != nil {
		return Plan{}, errorf("plan: %w", plain(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return Plan{}, errorf("plan: something follows its end")
	}
	return p, p.Check()
}

// plain names the place of a JSON error, which holds no value of a person.
func plain(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("byte %d: %w", syntax.Offset, err)
	}
	return err
}

// JSON is the plan as it is kept: indented, in the order of the file.
func (p Plan) JSON() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(p); err != nil {
		panic(err) // texts and numbers alone
	}
	return b.Bytes()
}

// Check reports the first thing that makes a plan unusable.
func (p Plan) Check() error {
	if p.Version != 1 {
		return errorf(`plan: "aidpass_import_plan" is %d; this program reads 1`, p.Version)
	}
	tables := map[string]bool{}
	for _, t := range p.Tables {
		if tables[t.Name] {
			return errorf("plan: table %q stands twice", t.Name)
		}
		tables[t.Name] = true
		if err := t.check(); err != nil {
			return errorf("plan: table %q: %w", t.Name, err)
		}
	}
	return nil
}

func (t TablePlan) check() error {
	if !slices.Contains(roles, t.Role) {
		return fmt.Errorf("no role %q; there are %v", t.Role, roles)
	}
	columns, filled := map[string]bool{}, map[Field]string{}
	for _, c := range t.Columns {
		if columns[c.Column] {
			return fmt.Errorf("column %q stands twice", c.Column)
		}
		columns[c.Column] = true
		if !c.Field.Known() {
			return fmt.Errorf("column %q: no field %q; there are %s", c.Column, c.Field, FieldNames())
		}
		if other, twice := filled[c.Field]; twice && !c.Field.many() {
			return fmt.Errorf("columns %q and %q both fill %q; make one of them \"ext\"", other, c.Column, c.Field)
		}
		filled[c.Field] = c.Column
		if c.Order != "" && !slices.Contains(c.Field.orders(), c.Order) {
			return fmt.Errorf("column %q: the order %q is none of a column that fills %q; dates have %q or %q, sexes %q or %q, others nothing",
				c.Column, c.Order, c.Field, DayFirst, MonthFirst, HombreM, MaleF)
		}
	}
	for _, f := range t.Without {
		if filled[f] != "" {
			return fmt.Errorf("column %q fills %q, which the list is said not to have", filled[f], f)
		}
	}
	return nil
}

// FieldNames lists the fields a plan may name.
func FieldNames() string {
	var names []string
	for f := range fields {
		names = append(names, string(f))
	}
	slices.Sort(names)
	return strings.Join(names, ", ") + ", document.TYPE and issuer.TYPE (TYPE: " + strings.Join(documentTypes, ", ") +
		"), band.NAME (as band.f_0_4)"
}

// table returns the plan of a table, or nil.
func (p *Plan) table(name string) *TablePlan {
	for i := range p.Tables {
		if p.Tables[i].Name == name {
			return &p.Tables[i]
		}
	}
	return nil
}

// column returns the name of the column that fills f; "" where none does.
func (t *TablePlan) column(f Field) string {
	for _, c := range t.Columns {
		if c.Field == f {
			return c.Column
		}
	}
	return ""
}

func (t *TablePlan) has(f Field) bool { return t.column(f) != "" }

func (t *TablePlan) without(f Field) bool { return slices.Contains(t.Without, f) }

func (t *TablePlan) find(column string) *ColumnPlan {
	for i := range t.Columns {
		if t.Columns[i].Column == column {
			return &t.Columns[i]
		}
	}
	return nil
}

// Set answers a question: "FIELD=COLUMN", in one table "TABLE:FIELD=COLUMN", with
// the order of its dates "birth_date=DOB,dmy" or the letters of its sexes "sex=Sexo,hm".
// "alone=yes" says that people whose household is empty have none. "FIELD=" says that the list has no
// such column. The column a field had before becomes "ext". "role=people" sets what a table is.
func (p *Plan) Set(answer string) error {
	left, column, ok := strings.Cut(answer, "=")
	if !ok {
		return errorf("%q is not written FIELD=COLUMN", answer)
	}
	where, field, named := strings.Cut(left, ":")
	if !named {
		where, field = "", left
	}
	f := Field(strings.ToLower(strings.TrimSpace(field)))
	if column = strings.TrimSpace(column); f == roleAnswer || f == aloneAnswer {
		column = strings.ToLower(column)
	}
	var order Order
	if cut, o, ok := cutLast(column, ","); ok && slices.Contains(f.orders(), Order(strings.ToLower(strings.TrimSpace(o)))) {
		column, order = cut, Order(strings.ToLower(strings.TrimSpace(o)))
	}
	if f != roleAnswer && f != aloneAnswer && !f.Known() {
		return errorf("no field %q; there are %s", f, FieldNames())
	}
	done := false
	for i := range p.Tables {
		t := &p.Tables[i]
		if named && t.Name != where || t.Role == Ignored && f != roleAnswer {
			continue
		}
		switch {
		case f == aloneAnswer:
			if column != "yes" && column != "no" {
				return errorf("alone=%s: yes or no", column)
			}
			if t.Role == People || t.Role == PeopleInHouses {
				t.Alone, done = column == "yes", true
			}
		case f == roleAnswer:
			if !slices.Contains(roles, Role(column)) {
				return errorf("no role %q; there are %v", column, roles)
			}
			t.Role, done = Role(column), true
		case column == "":
			t.release(f)
			if !t.without(f) {
				t.Without = append(t.Without, f)
			}
			done = true
		case t.find(column) != nil:
			t.release(f)
			c := t.find(column)
			if c.Field != f {
				c.Order = ""
			}
			c.Field, c.Sure, done = f, 100, true
			if order != "" {
				c.Order = order
			}
		}
	}
	switch {
	case done:
		return nil
	case named && p.table(where) == nil:
		return errorf("no table %q; there are %q", where, p.tableNames())
	}
	return errorf("no column %q; the columns are %s", column, p.columnNames())
}

// Answer takes answers in, each as Set does, and guesses again what follows from them:
// what the rows of a table are, unless an answer says it, and what that has a use for.
// The errors are those of Set and of the file.
func (p *Plan) Answer(file *roster.File, answers []string) error {
	said := map[string]bool{} // columns and roles that were answered, and are not guessed again
	for _, answer := range answers {
		if err := p.Set(answer); err != nil {
			return err
		}
		left, right, _ := strings.Cut(answer, "=")
		where, field, named := strings.Cut(left, ":")
		if !named {
			where, field = "", left
		}
		column := strings.TrimSpace(right)
		if cut, _, ok := cutLast(column, ","); ok {
			said[where+"\x1f"+cut] = true
		}
		said[where+"\x1f"+column] = true
		if strings.EqualFold(strings.TrimSpace(field), roleAnswer) {
			said[where+"\x1frole="] = true
		}
	}
	if len(answers) == 0 {
		return nil
	}
	return p.again(file, func(table, what string) bool { return said[table+"\x1f"+what] || said["\x1f"+what] })
}

// What Set takes besides fields.
const (
	roleAnswer  = "role"
	aloneAnswer = "alone"
)

// alone reports whether people without a household are meant.
func (t *TablePlan) alone() bool { return t.Alone || t.without(HouseholdID) }

// release makes what fills f one of the columns that are only kept, and forgets
// that the list was said not to have f.
func (t *TablePlan) release(f Field) {
	for i := range t.Columns {
		if t.Columns[i].Field == f && !f.many() {
			t.Columns[i].Field = Ext
		}
	}
	t.Without = slices.DeleteFunc(t.Without, func(w Field) bool { return w == f })
}

func (p *Plan) tableNames() (names []string) {
	for _, t := range p.Tables {
		names = append(names, t.Name)
	}
	return names
}

func (p *Plan) columnNames() string {
	var names []string
	for _, t := range p.Tables {
		for _, c := range t.Columns {
			names = append(names, fmt.Sprintf("%q", c.Column))
		}
	}
	return strings.Join(names, ", ")
}

func cutLast(s, sep string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
