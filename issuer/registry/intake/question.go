package intake

import (
	"fmt"
	"slices"
	"strings"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/roster"
)

// A Question is what a list does not say by itself. Nothing was imported.
type Question struct {
	Asks []Ask
}

// An Ask is one thing to be told.
type Ask struct {
	Table   string
	Field   Field    // that no column fills, or whose order is open; "" for columns that nobody knows
	Columns []string // that might be meant
	What    string
	Answer  string // an example of Plan.Set
}

func (q *Question) Error() string {
	var b strings.Builder
	b.WriteString("intake: the list leaves open what its columns mean")
	for _, a := range q.Asks {
		b.WriteString("; ")
		if a.Table != "" {
			fmt.Fprintf(&b, "table %q: ", a.Table)
		}
		b.WriteString(a.What)
		if len(a.Columns) > 0 {
			fmt.Fprintf(&b, " (columns not known: %s)", quoted(a.Columns))
		}
	}
	return b.String()
}

func quoted(names []string) string {
	var out []string
	for i, n := range names {
		if i == 12 {
			return strings.Join(out, ", ") + fmt.Sprintf(" and %d more", len(names)-i)
		}
		out = append(out, fmt.Sprintf("%q", n))
	}
	return strings.Join(out, ", ")
}

// ColumnFlag is an answer as a shell takes it: in single quotes, or in double ones where
// the column's name has an apostrophe.
func ColumnFlag(answer string) string {
	if !strings.Contains(answer, "'") {
		return "--column '" + answer + "'"
	}
	return `--column "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(answer) + `"`
}

// A need is fields of which a table must have one.
type need struct {
	any  []Field
	what string
}

var aName = []Field{FullName, GivenName, FamilyName, FatherName, OtherName}

// needs lists what rows of a role cannot do without. Workbooks of HOPE promise more.
func (p *Plan) needs(t *TablePlan, parent string) []need {
	var list []need
	add := func(what string, any ...Field) { list = append(list, need{any, what}) }
	hope := p.Format == "hope"
	houses := slices.ContainsFunc(p.Tables, func(o TablePlan) bool { return o.Role == Households })
	switch t.Role {
	case Households:
		add("no column numbers the households", HouseholdID)
		if hope {
			add("no column holds the consent", Consent)
			add("no column holds the size of the household", Size)
		}
	case Documents:
		add("no column says whose a document is", PersonID)
		add("no column holds the number of a document", documentFields()...)
	case Collectors:
		add("no column says for which household somebody collects", HouseholdID)
		add("no column names who collects", CollectorName, PersonID)
	case People, HeadRows, PeopleInHouses:
		if hope {
			add("no column names the people", aName...)
			add("no column holds the birth date", BirthDate, Age)
			add("no column holds the sex", Sex)
			if !t.without(HouseholdID) {
				add("no column says who is the head of the household, or how people are related to the head", Relation, Head)
			}
		} else {
			add("no column numbers or names the people", append([]Field{PersonID}, aName...)...)
		}
		if houses && t.Role == People && (parent == "" || hope) {
			add("no column says to which household people belong", HouseholdID)
		}
		if t.Role == PeopleInHouses {
			add("no column numbers the households", HouseholdID)
		}
	}
	return list
}

func documentFields() []Field {
	list := []Field{DocNumber}
	for _, t := range documentTypes {
		list = append(list, Field(documentOf+t))
	}
	return list
}

// Questions returns a *Question with all that the plan leaves open for this file,
// or nil. It also compares the two: columns the plan does not know are asked for,
// and so are columns that it expects and the file does not have.
func (p *Plan) Questions(file *roster.File) error {
	var q Question
	tables := file.Tables()
	if err := p.fit(tables, &q); err != nil {
		return err
	}
	useful := false
	for _, t := range p.Tables {
		table := findTable(tables, t.Name)
		if table == nil || t.Role == Ignored {
			continue
		}
		useful = useful || !t.Role.side()
		unknown := t.unknown(p.Format, *table)
		for _, n := range p.needs(&t, table.Parent) {
			if slices.ContainsFunc(n.any, func(f Field) bool { return t.has(f) || t.without(f) }) {
				continue
			}
			q.Asks = append(q.Asks, Ask{Table: t.Name, Field: n.any[0], Columns: unknown, What: n.what, Answer: answerFor(t, n.any[0], unknown)})
		}
		asks, err := p.openNumbers(file, &t, *table)
		if err != nil {
			return err
		}
		q.Asks = append(q.Asks, asks...)
		asks, err = openOrders(file, &t)
		if err != nil {
			return err
		}
		q.Asks = append(q.Asks, asks...)
	}
	if !useful && len(q.Asks) == 0 {
		a := Ask{What: "no table of this file is seen to list people or households", Answer: "role=people"}
		for _, t := range p.Tables {
			if table := findTable(tables, t.Name); table != nil {
				a.Table, a.Columns = t.Name, t.unknown(p.Format, *table)
				a.Answer = "role=people"
				if !slices.ContainsFunc(aName, t.has) && !t.has(PersonID) {
					a.Answer = "full_name=COLUMN, with role=people"
				}
				break
			}
		}
		q.Asks = append(q.Asks, a)
	}
	if len(q.Asks) == 0 {
		return nil
	}
	return &q
}

// openNumbers asks for the numbers of people and households that a flat list seems to
// have in a column which nobody knows: without them people double with the next list,
// and live alone.
func (p *Plan) openNumbers(file *roster.File, t *TablePlan, table roster.Table) (asks []Ask, err error) {
	flat := table.Parent == "" && slices.Contains([]roster.Format{roster.CSV, roster.XLSX, roster.HXLCSV, roster.HXLXLSX}, file.Format())
	houses := slices.ContainsFunc(p.Tables, func(o TablePlan) bool { return o.Role == Households })
	person := t.Role.people() && !t.has(PersonID) && !t.without(PersonID)
	house := t.Role == People && !houses && !t.has(HouseholdID) && !t.alone()
	if !flat || !person && !house || Mended(file) {
		return nil, nil
	}
	s, err := look(file, table)
	if err != nil {
		return nil, err
	}
	may := func(is func(string) bool) (list []string) {
		for _, c := range t.Columns {
			if c.Field == Ext && c.Sure < 100 && is(c.Column) {
				list = append(list, c.Column)
			}
		}
		return list
	}
	none := func(f Field) string {
		return "; " + ColumnFlag(strings.TrimPrefix(t.Name+":"+string(f)+"=", ":")) + " says that there is none"
	}
	if list := may(s.mayNumber); person && len(list) > 0 {
		asks = append(asks, Ask{Table: t.Name, Field: PersonID, Columns: list, What: "no column is seen to number the people, and one may" + none(PersonID), Answer: answerWith(t, PersonID, list)})
	}
	related := slices.ContainsFunc(s.cells[t.column(Relation)], func(v string) bool {
		code, _ := registry.ParseRelation(v)
		return code != registry.Head // each her own head lives in no household of others
	}) || slices.ContainsFunc(s.cells[t.column(Head)], func(v string) bool { return answers[squeeze(v)] == "no" })
	if list := may(s.mayGroup); house && (len(list) > 0 || related) {
		what := "no column is seen to number the households, and values repeat in one"
		if len(list) == 0 {
			what = "how people are related to the head is in the list, and no column is seen to number the households"
			list = t.unknown(p.Format, table)
		}
		asks = append(asks, Ask{Table: t.Name, Field: HouseholdID, Columns: list, What: what + none(HouseholdID), Answer: answerWith(t, HouseholdID, list)})
	}
	return asks, nil
}

// answerWith writes an example with the first of some columns; without any, that there
// is none.
func answerWith(t *TablePlan, f Field, columns []string) string {
	if len(columns) == 0 {
		columns = []string{""}
	}
	return strings.TrimPrefix(t.Name+":"+string(f)+"="+columns[0], ":")
}

// answerFor writes an example with a column that is there.
func answerFor(t TablePlan, f Field, unknown []string) string {
	column := "COLUMN"
	for _, u := range unknown {
		// The likeliest shares a word with the field.
		if strings.Contains(fold(u), squeeze(strings.SplitN(string(f), "_", 2)[0])) {
			column = u
			break
		}
	}
	if t.Name == "" {
		return string(f) + "=" + column
	}
	return t.Name + ":" + string(f) + "=" + column
}

// unknown are columns whose name says nothing to this program. Where nothing at
// all is known, the header may be a row of people: then columns go by letters.
func (t *TablePlan) unknown(format string, table roster.Table) []string {
	var names []string
	for _, c := range t.Columns {
		if c.Field == Ext && !hopeCode.MatchString(c.Column) {
			names = append(names, c.Column)
		}
	}
	if len(names) == len(t.Columns) && (format == "csv" || format == "xlsx") {
		names = names[:0]
		for _, c := range table.Columns {
			names = append(names, "column "+c.Letter)
		}
	}
	return names
}

func findTable(tables []roster.Table, name string) *roster.Table {
	for i := range tables {
		if tables[i].Name == name {
			return &tables[i]
		}
	}
	return nil
}

// fit adds to q where plan and file differ.
func (p *Plan) fit(tables []roster.Table, q *Question) error {
	for _, table := range tables {
		t := p.table(table.Name)
		if t == nil {
			q.Asks = append(q.Asks, Ask{Table: table.Name, What: "the plan does not know this table", Answer: table.Name + ":role=ignored"})
			continue
		}
		if t.Role == Ignored {
			continue
		}
		there := map[string]bool{}
		var unknown, gone []string
		for _, c := range table.Columns {
			there[c.Name] = true
			if c.Name != "" && t.find(c.Name) == nil && c.Name != rowColumn && c.Name != mendColumn {
				unknown = append(unknown, c.Name)
			}
		}
		for _, c := range t.Columns {
			if !there[c.Column] && c.Field != Ext && c.Field != Skip {
				gone = append(gone, c.Column)
			}
		}
		if len(unknown) > 0 {
			q.Asks = append(q.Asks, Ask{Table: t.Name, Columns: unknown, What: "the plan does not know these columns", Answer: answerFor(*t, Ext, nil)[:len(answerFor(*t, Ext, nil))-len("COLUMN")] + unknown[0]})
		}
		if len(gone) > 0 {
			q.Asks = append(q.Asks, Ask{Table: t.Name, What: "the plan expects columns that are not there: " + quoted(gone), Answer: answerFor(*t, t.find(gone[0]).Field, nil)})
		}
	}
	return nil
}

// Learn adds the file's tables and columns that the plan does not know, to be kept
// as they are. Plan.Set may then name them.
func (p *Plan) Learn(file *roster.File) {
	for _, table := range file.Tables() {
		t := p.table(table.Name)
		if t == nil {
			p.Tables = append(p.Tables, TablePlan{Name: table.Name, Role: Ignored})
			t = &p.Tables[len(p.Tables)-1]
		}
		for _, c := range table.Columns {
			if c.Name != "" && t.find(c.Name) == nil {
				t.Columns = append(t.Columns, ColumnPlan{Column: c.Name, Field: Ext, Label: shortLabel(c.Label)})
			}
		}
	}
}

// openOrders asks for the order of columns that show none and need one. Forms and
// exchanges have codes of their own for a sex.
func openOrders(file *roster.File, t *TablePlan) ([]Ask, error) {
	open := map[string]evidence{}
	for _, c := range t.Columns {
		coded := c.Field == Sex && (hopeCode.MatchString(c.Column) || file.Format() == roster.RRF)
		if o := c.evidence(); o != nil && c.Order == "" && !coded {
			open[c.Column] = o
		}
	}
	if len(open) == 0 {
		return nil, nil
	}
	err := eachRow(file, t.Name, func(row *roster.Row) {
		for name, o := range open {
			o.see(row.Cell(name))
		}
	})
	if err != nil {
		return nil, err
	}
	var asks []Ask
	for _, c := range t.Columns {
		o := open[c.Column]
		if o == nil {
			continue
		}
		if what, order := o.ask(c); what != "" {
			asks = append(asks, Ask{Table: t.Name, Field: c.Field, What: what, Answer: strings.Replace(answerFor(*t, c.Field, nil), "COLUMN", c.Column+","+string(order), 1)})
		}
	}
	return asks, nil
}
