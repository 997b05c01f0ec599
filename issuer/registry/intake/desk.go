package intake

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/roster"
)

// A list is older than what was changed at a desk since: such fields keep the desk's
// value, and the report says so. A field is the desk's when no import was its newest
// writer.

// written are the times and accounts of the imports: all that an import writes bears both.
type written map[time.Time]string

func writtenBy(v registry.View) (written, error) {
	imports, err := v.Imports()
	if err != nil {
		return nil, err
	}
	w := make(written, len(imports))
	for _, i := range imports {
		w[i.At.UTC()] = i.By
	}
	return w, nil
}

// desk reports whether somebody set the field by hand.
func (w written) desk(v registry.Value) bool {
	if v.Version == 0 {
		return false
	}
	by, imported := w[v.At.UTC()]
	return !imported || by != v.By
}

// A kept field is one whose value on record stays.
type kept struct {
	name    string // of the record's field
	columns []Field
	restore func()
}

// keepPerson gives a merged person the desk's values back, and returns the columns
// that said something else.
func (r *run) keepPerson(p, old *registry.Person, rec registry.Record) ([]Field, error) {
	return r.keep(p, rec, []kept{
		{"names", []Field{FullName, GivenName, FamilyName, OtherName, UsedName, MaidenName}, func() { p.Names = old.Names }},
		{"sex", []Field{Sex}, func() { p.Sex = old.Sex }},
		{"birth", []Field{BirthDate, Age, Estimated}, func() { p.Birth = old.Birth }},
		{"origin", []Field{Origin}, func() { p.Origin = old.Origin }},
		{"relation", []Field{Relation, Head}, func() { p.Relation = old.Relation }},
		{"documents", []Field{DocNumber}, func() { p.Documents = old.Documents }},
		{"contacts", []Field{Phone, Phone2, Email}, func() { p.Contacts = old.Contacts }},
		{"languages", []Field{Language}, func() { p.Languages = old.Languages }},
		{"location", []Field{Admin1, Admin2, Admin3, Admin4, PCode, Site, Address, Country}, func() { p.Location = old.Location }},
		{"registered", []Field{Registered}, func() { p.Registered = old.Registered }},
		{"photo", []Field{Photo}, func() { p.Photo = old.Photo }},
		{"ext", []Field{Ext}, func() { p.Ext = old.Ext }},
	})
}

// keepHousehold is keepPerson for a household.
func (r *run) keepHousehold(h, old *registry.Household, rec registry.Record) ([]Field, error) {
	return r.keep(h, rec, []kept{
		{"size", []Field{Size}, func() { h.Size = old.Size }},
		{"bands", []Field{Size}, func() { h.Bands = old.Bands }},
		{"location", []Field{Admin1, Admin2, Admin3, Admin4, PCode, Site, Address, Country}, func() { h.Location = old.Location }},
		{"residence", []Field{Residence}, func() { h.Residence = old.Residence }},
		{"origin", []Field{Origin}, func() { h.Origin = old.Origin }},
		{"contacts", []Field{Phone, Phone2, Email}, func() { h.Contacts = old.Contacts }},
		{"registered", []Field{Registered}, func() { h.Registered = old.Registered }},
		{"ext", []Field{Ext}, func() { h.Ext = old.Ext }},
	})
}

func (r *run) keep(record fielder, rec registry.Record, list []kept) (said []Field, err error) {
	if r.opt.TakeChanges {
		return nil, nil
	}
	fields, err := record.Fields()
	if err != nil {
		return nil, err
	}
	for _, k := range list {
		data, filled := fields[k.name]
		now := rec.Fields[k.name]
		if filled && !bytes.Equal(data, now.Data) && r.written.desk(now) {
			k.restore()
			said = append(said, k.columns[0])
		}
	}
	return said, nil
}

// fielder is a person or a household.
type fielder interface {
	Fields() (map[string][]byte, error)
}

// sayKept adds a note for each field of the desk's that the row says otherwise.
func (l *lens) sayKept(d *draft, row *roster.Row, said []Field) {
	for _, f := range said {
		column := l.columnAbout(f)
		d.add(fault(DeskKept, Remark, column, row.Cell(column)))
	}
}

// columnAbout is a column that speaks of a field; "" for none.
func (l *lens) columnAbout(f Field) string {
	for _, group := range [][]Field{
		{FullName, GivenName, FamilyName, OtherName, UsedName, MaidenName}, {BirthDate, Age, Estimated}, {Relation, Head}, {Phone, Phone2, Email},
		{PCode, Admin4, Admin3, Admin2, Admin1, Site, Address, Country},
	} {
		if !slices.Contains(group, f) {
			continue
		}
		for _, g := range group {
			if c := l.by[g]; c != "" {
				return c
			}
		}
	}
	if f == DocNumber && l.by[f] == "" && len(l.docs) > 0 {
		return l.docs[0].number
	}
	return l.by[f]
}

// mergeIssues are the issues of a record after a row. One on record stays until a row
// changes what it is about: a list without the column mends nothing, one that says
// the same again neither, and nor does one from which the wrong value is gone. The
// row's own are added, if they are not of a value that is on record with its issue.
func (l *lens) mergeIssues(old, made []registry.Issue, changed map[string]bool, row *roster.Row) []registry.Issue {
	mended := func(code string) bool {
		if strings.HasPrefix(code, "age_") { // an age beside a birth date is not stored
			v, _ := l.text(row, Age)
			return v != "" || changed["birth"]
		}
		for _, a := range about {
			if strings.HasPrefix(code, a.code) {
				return slices.ContainsFunc(a.fields, func(f string) bool { return changed[f] })
			}
		}
		return false
	}
	var out []registry.Issue
	for _, i := range old {
		if !mended(i.Code) {
			out = append(out, i)
		}
	}
	for _, i := range made {
		if !slices.ContainsFunc(out, func(o registry.Issue) bool { return o.Code == i.Code }) {
			out = append(out, i)
		}
	}
	return out
}

// about are the fields of a record that issues are about, by the beginning of their codes.
var about = []struct {
	code   string
	fields []string
}{
	{"name_", []string{"names"}}, {"birth_", []string{"birth"}}, {"sex_", []string{"sex"}}, {"size_", []string{"size"}}, {"count_", []string{"bands"}},
	{registry.HouseholdSize, []string{"size"}}, {registry.HouseholdBands, []string{"bands", "size"}},
	{"consent_", []string{"consents"}}, {"sharing_", []string{"consents"}}, {"relation_", []string{"relation"}}, {"marital_", []string{"ext"}},
	{"residence_", []string{"residence", "origin", "location"}}, {"country_", []string{"origin", "location"}}, {"pcode_", []string{"location"}},
	{"registered_", []string{"registered", "birth"}}, {"pregnant_", []string{"ext", "sex", "birth"}}, {"phone_", []string{"contacts"}},
	{"email_", []string{"contacts"}}, {"document_", []string{"documents"}}, {"answer_", []string{"ext", "consents", "birth", "relation"}},
	{"text_", []string{"ext", "location"}},
}
