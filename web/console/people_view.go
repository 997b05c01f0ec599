package console

import (
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/issuer"
	"aidpass/issuer/print"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/status"
)

// peopleData is what the pages of people show. Its methods say values in the words of
// the page's language.
type peopleData struct {
	p   *Page
	now time.Time

	Asked, Listed bool // a list is shown; it is of what waits
	Lines         []records.Line
	Total         int
	Typed         map[string]string
	Open, Pairs2  int // that wait: undecided, doubles

	Sheet   *records.Sheet
	Other   *records.Sheet // beside it: who is entered, and who she may be already
	Record  registry.ID
	At      *recordKind
	Editing []string
	Stamp   string
	Waits   []askedRow // changes that a second account is asked to agree to

	Past     []records.Past
	Compared []registry.Difference
	Parties  map[string]string // what recipients are called, by id
	From, To string

	Looked *print.Page
	Lang   string

	Met      *metView // when somebody of it was met last; nil: not known
	Exercise string   // where who saves goes on

	Seen, Reason      string
	Wrong             template.HTML
	Fields, Documents []editField
	NeedsDocument     bool // one is required
}

func (s *People) view(p *Page, d peopleData) *peopleData {
	d.p, d.now = p, s.Desk.Now()
	return &d
}

// Path is where the record is, below Root.
func (d *peopleData) Path() string { return d.At.path + "/" + d.Record.String() }

// PathOf is where a line leads; empty for what was erased.
func (d *peopleData) PathOf(l *records.Line) string {
	switch {
	case l.Gone():
		return ""
	case l.Kind == registry.KindHousehold:
		return Root + "/households/" + l.ID.String()
	}
	return Root + "/people/" + l.ID.String()
}

// Called is somebody's name, number or id.
func (d *peopleData) Called(l *records.Line) string {
	if l.Name.Text != "" {
		return l.Name.Text
	}
	return lineText(l)
}

// MayRead reports whether who reads this may open a line.
func (d *peopleData) MayRead(l *records.Line) bool {
	if l.Kind == registry.KindHousehold {
		return !l.Gone() && d.p.May(string(aHousehold.read))
	}
	return !l.Gone() && d.p.May(string(aPerson.read))
}

// Says is the presence of others.
func (d *peopleData) Presence() template.HTML { return editing(d.p, d.Editing) }

// Born says a birth as precisely as it is known, with the age.
func (d *peopleData) Born(b *registry.Birth) template.HTML {
	p := d.p
	if b == nil {
		return p.T("people.born_unknown")
	}
	text := strings.TrimRight(b.EDTF, "~?%")
	said := p.T("people.born_year", "year", text)
	switch b.Precision {
	case registry.PrecisionDay:
		if t, err := time.Parse(time.DateOnly, text); err == nil {
			said = p.Date(t)
		}
	case registry.PrecisionMonth:
		if t, err := time.Parse("2006-01", text); err == nil {
			said = p.T("people.born_month", "month", p.T(fmt.Sprintf("date.month%d", t.Month())), "year", t.Format("2006"))
		}
	case registry.PrecisionDecade:
		said = p.T("people.born_decade", "year", strings.TrimSuffix(text, "X")+"0")
	}
	if text == "" {
		said = p.T("people.born_unknown")
	}
	if b.Estimated && text != "" {
		said = p.T("people.born_about", "when", said)
	}
	switch least, most, known := b.Age(d.now); {
	case !known:
	case least == most:
		said = p.T("people.aged", "when", said, "years", least)
	default:
		said = p.T("people.aged_about", "when", said, "least", least, "most", most)
	}
	if b.ImportDefault {
		said = sentences([]template.HTML{said, p.T("people.born_filled")})
	}
	return said
}

// Say is the word for a code of a closed list; the code itself, isolated, for one that
// has none.
func (d *peopleData) Say(family, code string) template.HTML {
	if w := codeWords[family][code]; w != "" {
		return d.p.T(w)
	}
	return d.p.T("people.code", "code", strings.ReplaceAll(code, "_", " "))
}

// Field is the name of a field, of a record or of the desk.
func (d *peopleData) Field(name string) template.HTML { return d.p.T(fieldWord(name)) }

// Script says in which script a name is written, where the record has names in more than
// one.
func (d *peopleData) Script(n registry.Name) template.HTML {
	if n.Script == "" || !slices.ContainsFunc(d.Sheet.Person.Names, func(o registry.Name) bool { return o.Script != "" && o.Script != n.Script }) {
		return ""
	}
	return d.p.T("people.script", "script", scriptIn(d.p.Lang, n.Script))
}

// Languages are those that can be typed by their names, Countries those that issue documents.
func (d *peopleData) Languages() []string { return d.p.languages() }
func (d *peopleData) Countries() []choice { return d.p.countries("") }

// Masked is a number of a document: enough to compare with the paper.
func (d *peopleData) Masked(number string) string {
	if utf8.RuneCountInString(number) <= 3 {
		return "***"
	}
	r := []rune(number)
	return "***" + string(r[len(r)-3:])
}

// Place is where somebody stays.
func (d *peopleData) Place(l *registry.Location) string {
	if l == nil {
		return ""
	}
	parts := []string{l.Site, l.Address, l.PCode}
	if l.Country != "" {
		parts = append(parts, d.p.Country(l.Country))
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}

// Number is a card's, in groups.
func (d *peopleData) CardNumber(n string) string { return cwt.GroupCardNumber(n) }

// CardState is what stands against a card, or how far its paper has come.
func (d *peopleData) CardState(c *issuer.Card) template.HTML { return d.Say("card", cardState(c)) }

func cardState(c *issuer.Card) string {
	switch {
	case c.Status == status.Invalid:
		return "revoked"
	case c.Status == status.Suspended:
		return "suspended"
	case c.Ended:
		return "ended"
	case c.Form != credential.FormCWT:
		return "wallet"
	}
	return string(c.Paper)
}

// Until is the end of a card.
func (d *peopleData) Until(c *issuer.Card) template.HTML { return d.p.Date(c.ExpiresAt.Std()) }

// What says what an entitlement is.
func (d *peopleData) What(e registry.Entitlement) string { return whatDue(&e) }

func whatDue(e *registry.Entitlement) string {
	var parts []string
	if e.Amount != "" {
		parts = append(parts, e.Amount+" "+e.Currency)
	}
	for _, i := range e.Items {
		parts = append(parts, strings.TrimSpace(i.Qty+" "+i.Unit+" "+i.Code))
	}
	for _, v := range e.Services {
		parts = append(parts, fmt.Sprintf("%d × %s", v.Visits, v.Code))
	}
	return strings.Join(parts, ", ")
}

// Ended reports whether a collector does not fetch any more.
func (d *peopleData) Serves(c registry.Collector) bool { return c.Serves(d.now) }

// past is value; gone: a photograph stood there that was destroyed.
func (d *peopleData) past(field string, v any, gone bool) string {
	if gone {
		return d.p.Plain("people.photo_destroyed")
	}
	return d.value(field, v)
}

// value writes a value of a record's history for programs. Numbers of documents are masked.
func (d *peopleData) value(field string, v any) string {
	switch v := v.(type) {
	case nil:
		return "–"
	case string:
		return v
	case []byte:
		return fmt.Sprintf("JPEG, %d KiB", (len(v)+1023)/1024)
	case []any:
		var parts []string
		for _, item := range v {
			parts = append(parts, d.value(field, item))
		}
		return strings.Join(parts, "; ")
	case map[string]any:
		get := func(name string) string { s, _ := v[name].(string); return s }
		switch field {
		case "names":
			return get("text")
		case "birth":
			return get("edtf")
		case "contacts":
			return get("value")
		case "documents":
			return strings.Join(strings.Fields(get("type")+" "+get("country")+" "+d.Masked(get("number"))), " ")
		case registry.UndecidedField:
			return get("field") + ": " + get("text") + " (" + get("by") + ")"
		}
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, name+" "+d.value("", v[name]))
		}
		return strings.Join(parts, ", ")
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return string(b)
}

// A row of two records beside each other.
type besideRow struct {
	Word  string
	A, B  template.HTML
	Equal bool
}

// Beside holds two people against each other, field by field.
func (d *peopleData) Beside() (rows []besideRow) {
	list := func(parts []string) template.HTML {
		if text := strings.Join(parts, "; "); text != "" {
			return d.p.T("people.code", "code", text)
		}
		return ""
	}
	fields := []struct {
		word string
		of   func(*records.Sheet) template.HTML
	}{
		{"people.field_names", func(s *records.Sheet) template.HTML {
			var names []string
			for _, n := range s.Person.Names {
				names = append(names, n.Text)
			}
			return list(names)
		}},
		{"people.field_sex", func(s *records.Sheet) template.HTML {
			if s.Person.Sex == "" {
				return ""
			}
			return d.Text("sex", s.Person.Sex)
		}},
		{"people.field_birth", func(s *records.Sheet) template.HTML { return d.Born(s.Person.Birth) }},
		{"people.field_documents", func(s *records.Sheet) template.HTML {
			var documents []template.HTML
			for _, doc := range s.Person.Documents {
				documents = append(documents, d.document(doc))
			}
			return under(documents)
		}},
		{"people.field_contacts", func(s *records.Sheet) template.HTML {
			var contacts []string
			for _, c := range s.Person.Contacts {
				contacts = append(contacts, c.Value)
			}
			return list(contacts)
		}},
		{"people.number", func(s *records.Sheet) template.HTML {
			return list([]string{strings.TrimSpace(s.Record.External + " " + s.Record.Source)})
		}},
		{"people.field_household", func(s *records.Sheet) template.HTML {
			if s.Home == nil {
				return ""
			}
			return list([]string{lineText(s.Home)})
		}},
		{"people.cards", func(s *records.Sheet) template.HTML {
			var cards []string
			for _, c := range s.Cards {
				if !c.Ended && !slices.Contains(cards, cwt.GroupCardNumber(c.CardNumber)) {
					cards = append(cards, cwt.GroupCardNumber(c.CardNumber))
				}
			}
			return list(cards)
		}},
	}
	for _, f := range fields {
		a, b := f.of(d.Sheet), f.of(d.Other)
		rows = append(rows, besideRow{f.word, a, b, a == b})
	}
	return rows
}

// Headless reports whether the household's head was erased, and nobody leads it since.
func (d *peopleData) Headless() bool {
	return d.Sheet.Household.Headless() && !slices.ContainsFunc(d.Living(), func(l records.Line) bool { return l.Relation == registry.Head })
}

// Adults are the living members that a household's acts may name.
func (d *peopleData) Living() (list []records.Line) {
	for _, l := range d.Sheet.Members {
		if l.Closed == "" {
			list = append(list, l)
		}
	}
	return list
}

// Types are the kinds of documents, to choose from.
func (d *peopleData) Types() (list []choice) {
	for _, t := range registry.DocumentTypes() {
		list = append(list, choice{t, documentWords[t]})
	}
	return list
}

// ReadLang is the direction of the language of what is printed for her.
func (d *peopleData) ReadDir() string {
	if d.Lang == "ar" {
		return "rtl"
	}
	return "ltr"
}

// Relations are those to the head of a household, to choose from.
func (d *peopleData) Relations() []choice { return d.p.choicesOf("relation", "", "") }

// EditAct is the act of correcting the record.
func (d *peopleData) EditAct() string { return string(d.At.edit) }

// CalledOf and CalledLine are Called of values that a template ranges over.
func (d *peopleData) CalledOf(pair records.Pair) string { return lineText(&pair.Line) }
func (d *peopleData) CalledLine(l records.Line) string  { return lineText(&l) }

// Dead reports whether the person's record was closed by a death.
func (d *peopleData) Dead() bool {
	st := d.Sheet.Person.Status
	return st != nil && st.Reason == registry.ReasonDeceased
}

// Consents, Issues and Ext are those of the record, whatever it is of.
func (d *peopleData) Consents() []registry.Consent {
	return append(slices.Clone(d.Sheet.Person.Consents), d.Sheet.Household.Consents...)
}

func (d *peopleData) Issues() []registry.Issue {
	return append(slices.Clone(d.Sheet.Person.Issues), d.Sheet.Household.Issues...)
}

func (d *peopleData) Ext() map[string]string {
	if d.Sheet.Record.Kind == registry.KindHousehold {
		return d.Sheet.Household.Ext
	}
	return d.Sheet.Person.Ext
}

// Collector is who fetches for a household.
func (d *peopleData) Collector(c registry.Collector) string {
	if c.Person == "" {
		return c.External
	}
	if l := d.Sheet.NamedLine(c.Person); l != nil {
		return lineText(l)
	}
	return c.Person
}

// Ending are the alternates whose right can be ended, Asking who may want that.
func (d *peopleData) Ending() (list []choice) {
	for _, c := range d.Sheet.Household.Collectors {
		if c.Role == registry.Alternate && c.Revoked == "" {
			code := c.Person
			if code == "" {
				code = c.External
			}
			list = append(list, choice{code, d.Collector(c)})
		}
	}
	return list
}

func (d *peopleData) Asking() (list []choice) {
	for _, l := range d.Living() {
		list = append(list, choice{l.ID.String(), lineText(&l)})
	}
	for _, c := range d.Sheet.Household.Collectors {
		if c.Role == registry.Primary && d.Serves(c) && !slices.ContainsFunc(list, func(o choice) bool { return o.Code == c.Person }) && c.Person != "" {
			list = append(list, choice{c.Person, d.Collector(c)})
		}
	}
	return list
}
