package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/roster"
)

// Bounds of what is kept of a cell, and of a household.
const (
	maxText = 2_000 // characters
	maxID   = 200
	maxSize = 200
)

// A lens reads the rows of one table by its plan.
type lens struct {
	plan    *TablePlan
	table   roster.Table
	by      map[Field]string // column of each field
	docs    []docColumn
	bands   map[string]string // band by column
	ext     []string          // columns that are kept by their name
	content []int             // places of the columns that say something: all but Skip
	birth   registry.BirthOptions
	entered registry.BirthOptions // for the registration date
	letters Order                 // of sexes
	source  string                // name of the list
	country string                // of phones without a code
	people  bool                  // some table of the file lists people
	places  Places
	now     time.Time
	linked  bool // rows hang on a household by Row.Parent
	progres bool // codes are those of UNHCR's exchange
}

type docColumn struct{ kind, number, issuer string }

func newLens(p *Plan, t *TablePlan, table roster.Table, opt *Options) *lens {
	l := &lens{plan: t, table: table, by: map[Field]string{}, bands: map[string]string{}, country: p.Country, places: opt.Places, now: opt.day(), source: opt.Source}
	if opt.Country != "" {
		l.country = opt.Country
	}
	for i, c := range table.Columns {
		if f := t.find(c.Name); f == nil || f.Field != Skip && f.Field != Private {
			l.content = append(l.content, i)
		}
	}
	serial := p.Format != "csv" && p.Format != "hxl-csv"
	l.birth = registry.BirthOptions{Today: l.now, Serial: serial}
	l.entered = registry.BirthOptions{Exact: true, Serial: serial}
	for _, c := range t.Columns {
		kind, document := c.Field.param(documentOf)
		band, banded := c.Field.param(bandOf)
		switch {
		case document:
			l.docs = append(l.docs, docColumn{kind: kind, number: c.Column, issuer: t.column(Field(issuerOf + kind))})
		case banded:
			l.bands[c.Column] = band
		case c.Field == Ext:
			l.ext = append(l.ext, c.Column)
		case c.Field == BirthDate:
			l.birth.Order = order(c.Order)
		case c.Field == Registered:
			l.entered.Order = order(c.Order)
		case c.Field == Sex:
			l.letters = c.Order
		}
		if !c.Field.many() {
			l.by[c.Field] = c.Column
		}
	}
	for _, o := range p.Tables {
		l.people = l.people || o.Role.people()
	}
	l.progres = p.Format == string(roster.RRF)
	l.linked = table.Parent != "" && t.Role == People
	return l
}

func order(o Order) registry.DateOrder {
	switch o {
	case DayFirst:
		return registry.DayFirst
	case MonthFirst:
		return registry.MonthFirst
	}
	return registry.OrderUnknown
}

// A draft is what one row says.
type draft struct {
	key       string // external identifier of the person; of the household in a table of households
	byName    bool   // key is made of household, name and birth
	house     string // external identifier of the household; "" for none
	person    *registry.Person
	household *registry.Household
	findings  []Finding
	rejected  bool
	head      bool
	collects  []collects
	delivery  map[string][]string // empty columns by mechanism, where another column of it is filled or she collects
}

// collects says that somebody fetches for a household.
type collects struct {
	house, role string
	external    string // name of one who is not on record
}

func (d *draft) add(f Finding) {
	d.findings = append(d.findings, f)
	d.rejected = d.rejected || f.Severity == Reject
}

// text returns a cell as it is kept, with its column.
func (l *lens) text(row *roster.Row, f Field) (value, column string) {
	column, ok := l.by[f]
	if !ok {
		return "", ""
	}
	v := row.Cell(column)
	if !slices.Contains(aName, f) && l.unsaid(v) { // Nan and U are names
		v = ""
	}
	return v, column
}

// unsaid reports whether a cell is what programs write for an empty one: pandas, as
// HOPE's exports have it, spreadsheets, and proGres in every list of codes.
func (l *lens) unsaid(v string) bool {
	switch v {
	case "NaN", "nan", "NaT", "<NA>", "#N/A":
		return true
	case registry.ProGresUnknown, "-":
		return l.progres
	}
	return false
}

// id returns an identifier: NFC, without blanks around; fillers are none.
func (l *lens) id(row *roster.Row, f Field) string {
	v, _ := l.text(row, f)
	return cleanID(v)
}

func cleanID(v string) string {
	v = norm.NFC.String(strings.TrimSpace(v))
	if registry.Placeholder(v) && strings.Trim(v, "0123456789") != "" || len(v) > maxID || !keepable(v) {
		return ""
	}
	return v
}

// keepable reports whether a text may be stored: UTF-8, without control characters
// but line ends and tabs, not too long.
func keepable(s string) bool {
	if !utf8.ValidString(s) || len(s) > 4*maxText || utf8.RuneCountInString(s) > maxText {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return unicode.Is(unicode.Cc, r) && r != '\n' && r != '\r' && r != '\t' }) < 0
}

// read makes a draft of a row. Links to other rows are not looked at.
func (l *lens) read(row *roster.Row) draft {
	var d draft
	for _, p := range row.Problems {
		d.add(Finding{Column: p.Column, Severity: Reject, Code: RowUnreadable, What: p.What, Fix: p.Fix})
	}
	if d.rejected {
		return d
	}
	d.house = l.listed(row, HouseList, l.id(row, HouseholdID))
	if l.plan.Role.houses() && !l.lone(&d) {
		d.household = &registry.Household{}
		l.readHousehold(row, &d)
	}
	if l.plan.Role.people() {
		d.person = &registry.Person{}
		l.readPerson(row, &d)
	}
	l.identify(row, &d)
	return d
}

// lone reports whether a row is somebody who has no household, on purpose.
func (l *lens) lone(d *draft) bool {
	return l.plan.Role == PeopleInHouses && d.house == "" && l.plan.alone()
}

// identify gives the row its keys.
func (l *lens) identify(row *roster.Row, d *draft) {
	if l.plan.Role == Households {
		if d.key = d.house; d.key == "" {
			v, c := l.text(row, HouseholdID)
			d.add(fault(NoIdentity, Reject, c, v))
		}
		return
	}
	if d.key = l.id(row, PersonID); d.key == "" {
		var name string
		if len(d.person.Names) > 0 {
			name = strings.ToLower(d.person.Names[0].Text)
		}
		if name == "" {
			if !d.rejected {
				d.add(fault(NoIdentity, Reject, "", ""))
			}
			return
		}
		birth, _ := l.text(row, BirthDate)
		if d.person.Birth != nil {
			birth = d.person.Birth.EDTF
			if d.person.Birth.AgeDeclared > 0 {
				birth = "" // counted from the day of the import
			}
		}
		d.byName = true
		sum := sha256.Sum256([]byte(strings.Join([]string{shown(d.house), name, birth}, "\x1f")))
		d.key = "row-" + hex.EncodeToString(sum[:12])
	}
	d.key = l.listed(row, ListName, d.key)
	switch {
	case l.plan.Role == HeadRows && d.house == "":
		d.house = d.key
	case l.plan.Role == PeopleInHouses && d.house == "" && !l.lone(d):
		v, c := l.text(row, HouseholdID)
		d.add(fault(NoHousehold, Reject, c, v))
	}
	if l.plan.Role == HeadRows {
		d.head = true
		if d.person.Relation == "" {
			d.person.Relation = registry.Head
		}
	}
}

// listed puts the list that a row names before a number. A table that names no lists of
// households means those of its people, and one of households its own.
func (l *lens) listed(row *roster.Row, f Field, number string) string {
	if l.by[f] == "" || l.plan.Role == Households {
		f = ListName
	}
	list, column := l.text(row, f)
	if list == OwnList {
		list = ""
	} else if list == "" {
		return number
	}
	if column == "" || list == l.source || !keepable(list) {
		return number
	}
	return qualified(list, number)
}

// digest sums up what the row says, so that equal rows are known as such.
func (l *lens) digest(row *roster.Row) [16]byte {
	h := sha256.New()
	cells := row.Raw()
	for _, i := range l.content {
		if i < len(cells) {
			h.Write([]byte(norm.NFC.String(strings.TrimSpace(cells[i]))))
		}
		h.Write([]byte{0x1f})
	}
	h.Write([]byte(row.Parent))
	var out [16]byte
	copy(out[:], h.Sum(nil))
	return out
}

// keep puts the columns that fill no field into ext.
func (l *lens) keep(row *roster.Row, d *draft, ext map[string]string) map[string]string {
	for _, column := range l.ext {
		v := row.Cell(column)
		if v == "" || l.unsaid(v) {
			continue
		}
		if !keepable(v) {
			d.add(fault(TextUnusable, Flag, column, ""))
			continue
		}
		ext = put(ext, column, v)
	}
	return ext
}

// put keeps a value under a column's name.
func put(ext map[string]string, name, v string) map[string]string {
	if !keepable(v) {
		return ext
	}
	if ext == nil {
		ext = map[string]string{}
	}
	ext[name] = v
	return ext
}

// answer reads yes or no; ok is false for a text that is neither.
func (l *lens) answer(row *roster.Row, f Field) (yes, given, ok bool, value, column string) {
	value, column = l.text(row, f)
	if value == "" {
		return false, false, true, value, column
	}
	switch answers[squeeze(value)] {
	case "yes":
		return true, true, true, value, column
	case "no":
		return false, true, true, value, column
	}
	if registry.Placeholder(value) {
		return false, false, true, value, column
	}
	return false, false, false, value, column
}
