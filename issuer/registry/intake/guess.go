package intake

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"

	"aidpass/issuer/registry/roster"
)

// sampleRows is how many rows of a table a guess looks at. The order of its dates
// is looked for until it is found.
const sampleRows = 200

// sample is what a guess sees of a table.
type sample struct {
	table  roster.Table
	format string
	cells  map[string][]string // by column: what is not blank, in the file's order
	rows   int
}

func (s *sample) coded() bool { return s.format == "hope" || strings.HasPrefix(s.format, "kobo") }

// Guess makes the plan a person is shown. It returns the file's errors alone: what
// it could not guess is said by Questions.
func Guess(file *roster.File) (Plan, error) {
	p := Plan{Version: 1, Format: string(file.Format())}
	var samples []*sample
	for _, table := range file.Tables() {
		s, err := look(file, table)
		if err != nil {
			return Plan{}, err
		}
		samples = append(samples, s)
		p.Tables = append(p.Tables, TablePlan{Name: table.Name, Columns: guessColumns(s)})
	}
	for i, s := range samples {
		p.Tables[i].Role = guessRole(&p.Tables[i], s, samples)
	}
	for i := range p.Tables {
		p.Tables[i].settle()
	}
	p.ownExport(file)
	for i := range p.Tables {
		if err := guessOrders(file, &p.Tables[i], samples[i]); err != nil {
			return Plan{}, err
		}
	}
	return p, nil
}

// again guesses what follows from columns that were named since: said tells what a
// person answered, which stays.
func (p *Plan) again(file *roster.File, said func(table, what string) bool) error {
	var samples []*sample
	for _, table := range file.Tables() {
		s, err := look(file, table)
		if err != nil {
			return err
		}
		samples = append(samples, s)
	}
	for _, s := range samples {
		t := p.table(s.table.Name)
		if t == nil || t.Role == Ignored {
			continue
		}
		guessed := *t
		guessed.Columns = slices.Clone(t.Columns)
		for _, c := range guessColumns(s) { // what another role had no use for
			if now := guessed.find(c.Column); now != nil && now.Field == Ext && !c.Field.many() && !said(t.Name, c.Column) && !guessed.has(c.Field) && !guessed.without(c.Field) {
				*now = c
			}
		}
		if !said(t.Name, "role=") {
			if guessed.Role = guessRole(&guessed, s, samples); guessed.Role == Ignored {
				guessed.Role = t.Role
			}
		}
		*t = guessed
		t.settle()
	}
	for _, s := range samples {
		if t := p.table(s.table.Name); t != nil {
			if err := guessOrders(file, t, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// look reads the first rows of a table.
func look(file *roster.File, table roster.Table) (*sample, error) {
	s := &sample{table: table, format: string(file.Format()), cells: map[string][]string{}}
	rows, err := file.Rows(table.Name)
	if err != nil {
		return nil, err
	}
	for s.rows < sampleRows {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		s.rows++
		for _, c := range table.Columns {
			if v := row.Cell(c.Name); v != "" {
				s.cells[c.Name] = append(s.cells[c.Name], v)
			}
		}
	}
	return s, nil
}

// guessColumns gives each column a field: by its code, tag, name or label, then by
// what stands in it. Where two columns mean one field the likelier keeps it.
func guessColumns(s *sample) []ColumnPlan {
	list := make([]ColumnPlan, 0, len(s.table.Columns))
	for _, c := range s.table.Columns {
		if c.Name == "" {
			continue
		}
		plan := ColumnPlan{Column: c.Name, Field: Ext, Label: shortLabel(c.Label)}
		if plan.Field, plan.Sure = s.fieldOf(c); plan.Field == Ext && (private(c) || s.privateValues(c)) {
			plan.Field = Private
		}
		list = append(list, plan)
	}
	best := map[Field]int{}
	for i, c := range list {
		if c.Field.many() {
			continue
		}
		first, taken := best[c.Field]
		if !taken {
			best[c.Field] = i
			continue
		}
		loser := i
		if !likelier(s, list[first], c) {
			loser, best[c.Field] = first, i
		}
		f := second(c.Field)
		if _, taken := best[f]; taken || f == Ext {
			list[loser].Field, list[loser].Sure = Ext, 0
			continue
		}
		list[loser].Field, best[f] = f, loser
	}
	s.byValues(list)
	return list
}

// likelier reports whether a should keep a field that b names too.
func likelier(s *sample, a, b ColumnPlan) bool {
	return cmp.Or(cmp.Compare(b.Sure, a.Sure), cmp.Compare(rank(a), rank(b)), sign(len(s.cells[a.Column]) == 0, len(s.cells[b.Column]) == 0)) <= 0
}

func sign(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// rank is the place of a header among the words of its field.
func rank(c ColumnPlan) int {
	f := fold(c.Column)
	for _, w := range words {
		if w.field != c.Field {
			continue
		}
		for i, word := range strings.Split(w.words, "|") {
			if squeeze(word) == f {
				return i
			}
		}
	}
	return 1 << 10
}

// second is what a column means whose field another one fills.
func second(f Field) Field {
	switch f {
	case Phone:
		return Phone2
	case FullName:
		return OtherName
	}
	return Ext
}

func hasField(list []ColumnPlan, f Field, but int) bool {
	return slices.ContainsFunc(list[:but], func(c ColumnPlan) bool { return c.Field == f }) ||
		slices.ContainsFunc(list[but+1:], func(c ColumnPlan) bool { return c.Field == f })
}

// fieldOf guesses by what the column is called, and says how sure that is.
func (s *sample) fieldOf(c roster.Column) (Field, int) {
	if c.Name == rowColumn || c.Name == mendColumn {
		return Skip, 100
	}
	name := fold(c.Name)
	form := strings.HasPrefix(s.format, "kobo")
	if form || strings.HasPrefix(c.Name, "_") {
		switch c.Name {
		case "_uuid", "meta/instanceID":
			if s.table.Parent == "" {
				return HouseholdID, map[bool]int{true: 60, false: 50}[c.Name == "_uuid"]
			}
			return Skip, 90
		case "_id", "_index":
			return Skip, 90
		}
		if strings.HasPrefix(c.Name, "_") || strings.HasPrefix(c.Name, "meta/") || strings.HasPrefix(c.Name, "formhub/") {
			return Skip, 90
		}
	}
	if s.format == string(roster.RRF) && strings.HasSuffix(c.Name, "GUID") {
		return Private, 90 // of the file that it was written for
	}
	if f, ok := tagField(c.Tag); ok {
		return f, 90
	}
	f, ok := known[name]
	if f == FatherName && s.format == string(roster.RRF) {
		return Ext, 0 // there it is another person, not a part of the name
	}
	if ok && (f != Skip || form) {
		if s.format == "hope" || hopeCode.MatchString(c.Name) {
			return f, 100
		}
		return f, 90
	}
	if s.format != "hope" && !hopeCode.MatchString(c.Name) {
		if f, sure := s.heading(c); f != Ext {
			return f, sure
		}
	}
	// In HOPE's workbooks the codes are the contract: a label beside another code is another question.
	if f, ok := known[labelled(c.Label)]; ok && f != Skip && s.format != "hope" && !hopeCode.MatchString(c.Name) {
		return f, 70
	}
	return Ext, 0
}

// shortLabel keeps a label for the plan.
func shortLabel(label string) string {
	label = strings.Join(strings.Fields(label), " ")
	if r := []rune(label); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return label
}

// houseWords are headers that some lists use for the household's number and others
// for its size.
var houseWords = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.SplitSeq("household|households|hh|family|menage|foyer|famille|hogar|familia|agregado|agregado familiar|الاسره|العائله|kaya", "|") {
		m[squeeze(w)] = true
	}
	return m
}()

// byValues looks at what stands in columns whose name says nothing.
func (s *sample) byValues(list []ColumnPlan) {
	free := func(f Field) bool {
		return !hasField(list, f, len(list)-1) && (len(list) == 0 || list[len(list)-1].Field != f)
	}
	for i := range list { // first: beside relations a "family" is no count
		if c := &list[i]; c.Field == Ext && !s.coded() && free(Relation) && len(s.cells[c.Column]) >= 3 && tellsRelations(s.cells[c.Column]) {
			c.Field, c.Sure = Relation, 60
		}
	}
	for i := range list {
		c := &list[i]
		values := s.cells[c.Column]
		if c.Field != Ext && c.Field != Head || len(values) == 0 {
			continue
		}
		switch {
		case c.Field == Head:
			s.headNames(list, c, values)
		case houseWords[fold(c.Column)]:
			if small(values) && free(Size) && free(Relation) {
				c.Field, c.Sure = Size, 60
			} else if free(HouseholdID) {
				c.Field, c.Sure = HouseholdID, 60
			}
		case s.coded():
			// A form names what it asks; its own questions look like anything.
		case len(values) >= 3 && most(values, looksLikeSex) && free(Sex):
			c.Field, c.Sure = Sex, 50
		case len(values) >= 3 && most(values, looksLikePhone) && free(Phone):
			c.Field, c.Sure = Phone, 40
		}
	}
	s.byPlace(list)
	s.bareNumber(list)
	// "nom" beside "prénom" is the family's; "name" beside "family name" the given one.
	if i := slices.IndexFunc(list, func(c ColumnPlan) bool { return c.Field == FullName }); i >= 0 {
		part, ok := alone[fold(list[i].Column)]
		other := map[Field]Field{FamilyName: GivenName, GivenName: FamilyName}[part]
		if ok && !free(other) && free(part) {
			list[i].Field = part
		}
	}
}

// alone are words that mean the whole name where nothing else does.
var alone = map[string]Field{
	"nom": FamilyName, "nombre": GivenName, "nome": GivenName, "name": GivenName, squeeze("الاسم"): GivenName, "jina": GivenName, "names": GivenName,
}

// small reports whether all values are counts as a household's size is.
func small(values []string) bool {
	for _, v := range values {
		if n, ok := wholeNumber(v); !ok || n > 40 {
			return false
		}
	}
	return true
}

func most(values []string, is func(string) bool) bool {
	n := 0
	for _, v := range values {
		if is(v) {
			n++
		}
	}
	return n*5 >= len(values)*4
}

// guessRole tells what the rows of a table are by the fields its columns fill.
func guessRole(t *TablePlan, s *sample, all []*sample) Role {
	named := t.has(FullName) || t.has(GivenName) || t.has(FamilyName) || t.has(FatherName)
	person := named || t.has(PersonID) && (t.has(Sex) || t.has(BirthDate) || t.has(Age)) || t.has(BirthDate) && t.has(Sex)
	people := named || t.has(Sex) || t.has(BirthDate) || t.has(Relation)
	switch {
	case s.format == string(roster.RRF):
		// Its other tables name people by numbers of its own, and hold what no card needs.
		return map[string]Role{"Cases": Households, "Individuals": People}[s.table.Name].or(Ignored)
	case s.table.Parent == "" && t.has(PersonID) && !named && !t.has(BirthDate) && (t.has(DocNumber) || t.has(DocType)):
		return Documents
	case t.has(HouseholdID) && t.has(CollectorName) && !t.has(Size) && !named:
		return Collectors
	case s.table.Parent != "":
		if people {
			return People
		}
		return Ignored
	case !person && s.hasPeople(all):
		return Households
	case !person && t.has(HouseholdID) && (!formMade(t.column(HouseholdID)) || t.says()):
		return Households
	case !person && t.has(PersonID):
		return People
	case !person:
		return Ignored
	case t.lonely():
		return Ignored
	case otherHouses(s, all):
		return People
	case t.has(Size) && !t.has(Relation) && !t.has(HouseholdID):
		return HeadRows
	case t.has(HouseholdID) && s.distinct(t.column(HouseholdID)) && !t.has(Relation) && t.has(Size):
		return HeadRows
	case t.has(HouseholdID) && !t.has(Relation) && t.has(Size) && !t.has(PersonID) && s.distinct(t.column(HouseholdID)):
		return HeadRows
	case t.has(HouseholdID):
		return PeopleInHouses
	}
	return People
}

func (r Role) or(other Role) Role {
	if r == "" {
		return other
	}
	return r
}

// lonely reports whether "name" is the one column of several that says something:
// things have names too.
func (t *TablePlan) lonely() bool {
	n, others := 0, 0
	for _, c := range t.Columns {
		if c.Field == Ext || c.Field == Private {
			others++
		} else if c.Field != Skip {
			n++
		}
	}
	return n == 1 && others >= 2 && t.has(FullName)
}

// hasPeople reports whether another table's rows belong to this one's, and are people.
func (s *sample) hasPeople(all []*sample) bool {
	return slices.ContainsFunc(all, func(o *sample) bool {
		if o == s || o.table.Parent != s.table.Name {
			return false
		}
		t := TablePlan{Columns: guessColumns(o)}
		return t.has(FullName) || t.has(GivenName) || t.has(FamilyName) || t.has(Sex) || t.has(BirthDate) || t.has(Relation)
	})
}

// formMade reports whether a form numbers its submissions in that column.
func formMade(column string) bool { return column == "_uuid" || column == "meta/instanceID" }

// says reports whether a form's submission tells more of a household than the number
// that every submission has.
func (t *TablePlan) says() bool {
	return slices.ContainsFunc(t.Columns, func(c ColumnPlan) bool {
		return !c.Field.many() && c.Field != HouseholdID && c.Field.owner() != 'p'
	})
}

// otherHouses reports whether another table of the file lists the households.
func otherHouses(s *sample, all []*sample) bool {
	for _, o := range all {
		if o == s {
			continue
		}
		t := TablePlan{Columns: guessColumns(o)}
		if t.has(HouseholdID) && !t.has(FullName) && !t.has(GivenName) && !t.has(Sex) && !t.has(BirthDate) && !t.has(CollectorName) {
			return true
		}
	}
	return false
}

// distinct reports whether no value of a column stands twice in the sample.
func (s *sample) distinct(column string) bool {
	seen := map[string]bool{}
	for _, v := range s.cells[column] {
		if seen[v] {
			return false
		}
		seen[v] = true
	}
	return true
}

// ownExport knows the files that package export writes: the sheet People of its
// workbooks lists those without a household, and so may a tagged list.
func (p *Plan) ownExport(file *roster.File) {
	first := func(name string) string {
		if t := p.table(name); t != nil && len(t.Columns) > 0 {
			return t.Columns[0].Column
		}
		return ""
	}
	for _, table := range file.Tables() {
		for _, c := range table.Columns {
			if t := p.table(table.Name); strings.HasSuffix(c.Tag, TagIfAny) && t.find(c.Name) != nil && t.find(c.Name).Field == HouseholdID {
				t.Alone = true
			}
		}
	}
	for i := range p.Tables { // a column in which nobody has anything is not in it
		t := &p.Tables[i]
		begins := map[string]string{"Households": "household_id", "Individuals": "household_id", "People": "person_id"}[t.Name]
		own := begins != "" && first(t.Name) == begins
		if p.Format != "hope" || !own || slices.ContainsFunc(t.Columns, func(c ColumnPlan) bool { return hopeCode.MatchString(c.Column) }) {
			continue
		}
		for _, f := range []Field{Size, Consent, FullName, BirthDate, Sex, Relation} {
			if !t.has(f) && t.Role.takes(f) {
				t.Without = append(t.Without, f)
			}
		}
	}
	if first("Households") == "household_id" && first("Individuals") == "household_id" && first("People") == "person_id" {
		if t := p.table("People"); t.Role == People && !t.has(HouseholdID) {
			t.Without = append(t.Without, HouseholdID)
		}
	}
}

// settle makes "ext" of fields that a table of its role has no use for.
func (t *TablePlan) settle() {
	for j := range t.Columns {
		c := &t.Columns[j]
		if !c.Field.many() && !t.Role.takes(c.Field) {
			c.Field, c.Sure = Ext, 0
		}
	}
}

// takes reports whether rows of a role have a use for a field.
func (r Role) takes(f Field) bool {
	switch r {
	case Households:
		return f.owner() != 'p'
	case People:
		return f.owner() != 'h' || slices.Contains([]Field{Admin1, Admin2, Admin3, Admin4, PCode, Site, Address, Country, Residence}, f)
	case Documents:
		_, doc := f.param(documentOf)
		return doc || f == PersonID || f == DocType || f == DocNumber || f == DocCountry
	case Collectors:
		return f == HouseholdID || f == CollectorName || f == CollectRole || f == PersonID
	}
	return true
}
