package export

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"aidpass/issuer/registry"
)

// A column is a field of a file. Its header is one that package intake knows, so a
// file can be read back without a plan.
type column struct {
	field  string // as a plan of package intake names it
	header string
	tag    string // HXL 1.1; empty: there is none in use
	sealed bool   // left out unless it is named
	place  bool   // where they stay: of a person too who has no household
	// What is said of a person, of a member as the household sees her, of a household.
	person    func(person) string
	member    func(*house, person) string
	household func(*house) string
}

// A Field says what can be asked for.
type Field struct {
	Name   string `json:"name"`
	Of     string `json:"of"`     // person, household or both
	Sealed bool   `json:"sealed"` // only in a file when it is named
}

// Fields lists the fields that a file can have, besides ext.COLUMN: a column of the list's own.
func Fields() []Field {
	var out []Field
	for _, c := range columns {
		f := Field{c.field, "both", c.sealed}
		if c.household == nil {
			f.Of = "person"
		} else if c.person == nil && c.member == nil {
			f.Of = "household"
		}
		out = append(out, f)
	}
	return out
}

const extPrefix = "ext."

// choose returns the columns of the fields that were asked for, in the order of
// columns, with the two identifiers always.
func choose(form Form, names []string) ([]column, error) {
	if form != XLSX && form != HXL && form != RRF {
		return nil, fmt.Errorf("export: no form %q: xlsx, csv (HXL) or xml (RRF)", form)
	}
	named := map[string]bool{}
	for _, name := range names {
		name = strings.TrimSpace(name)
		extra, isExt := strings.CutPrefix(name, extPrefix)
		switch {
		case named[name]:
			return nil, fmt.Errorf("export: field %q stands twice", name)
		case isExt && extra == "":
			return nil, errors.New(`export: "ext." needs the name of a column`)
		case isExt && form == RRF:
			return nil, fmt.Errorf("export: RRF has no place for %q", name)
		case !isExt && !slices.ContainsFunc(columns, func(c column) bool { return c.field == name }):
			return nil, fmt.Errorf("export: no field %q; there are %s, and ext.COLUMN", name, strings.Join(allFields(), ", "))
		}
		named[name] = true
	}
	var out []column
	for _, c := range columns {
		identifies := c.field == "person_id" || c.field == "household_id" || form != RRF && (c.field == listField || c.field == houseListField)
		if named[c.field] || identifies || len(names) == 0 && !c.sealed {
			out = append(out, c)
		}
	}
	for _, name := range names {
		if extra, ok := strings.CutPrefix(strings.TrimSpace(name), extPrefix); ok {
			out = append(out, column{
				field: extPrefix + extra, header: extra, sealed: true,
				person:    func(p person) string { return p.Ext[extra] },
				household: func(h *house) string { return h.household.Ext[extra] },
			})
		}
	}
	return out, nil
}

func allFields() (names []string) {
	for _, c := range columns {
		names = append(names, c.field)
	}
	return names
}

// has reports whether a field is among the columns.
func has(list []column, field string) bool {
	return slices.ContainsFunc(list, func(c column) bool { return c.field == field })
}

// columns are all fields, in the order of a file.
var columns = append([]column{
	{field: "household_id", header: "household_id", tag: "#beneficiary+household+id", member: func(h *house, _ person) string { return h.ref }, household: func(h *house) string { return h.ref }},
	{field: "person_id", header: "person_id", tag: "#beneficiary+id", person: func(p person) string { return p.ref }},
	{field: listField, header: "aidpass_list", person: func(p person) string { return listOf(p.record) }, household: func(h *house) string { return listOf(h.record) }},
	{field: houseListField, header: "aidpass_household_list", member: func(h *house, _ person) string { return listOf(h.record) }},
	{field: "full_name", header: "full_name", tag: "#beneficiary+name", person: func(p person) string { return mainName(p.Names).Text }},
	{field: "given_name", header: "given_name", tag: "#beneficiary+name+given", person: part("given", 0)},
	{field: "middle_name", header: "middle_name", person: part("given", 1)},
	{field: "father_name", header: "father_name", tag: "#beneficiary+name+father", person: part("father", 0)},
	{field: "grandfather_name", header: "grandfather_name", person: part("grandfather", 0)},
	{field: "family_name", header: "family_name", tag: "#beneficiary+name+family", person: part("family", 0)},
	{field: "second_family_name", header: "second_family_name", person: part("second_family", 0)},
	{field: "maiden_name", header: "maiden_name", person: nameOf(registry.Maiden)},
	{field: "name_other_script", header: "name_other_script", tag: "#beneficiary+name+alt", person: func(p person) string { return otherName(p.Names).Text }},
	{field: "used_name", header: "known_as", person: nameOf(registry.Used, registry.Alias)},
	{field: "sex", header: "sex", tag: "#beneficiary+sex", person: func(p person) string { return p.Sex }},
	{field: "birth_date", header: "birth_date", tag: "#date+birth", person: func(p person) string {
		if p.Birth == nil {
			return ""
		}
		if p.Birth.Precision == registry.PrecisionUnknown && p.Birth.EDTF == "" {
			return "unknown"
		}
		return p.Birth.EDTF
	}},
	{field: "birth_estimated", header: "birth_date_estimated", person: func(p person) string {
		if p.Birth == nil || p.Birth.EDTF == "" {
			return ""
		}
		return yesNo(p.Birth.Estimated)
	}},
	{field: "relation", header: "relation", tag: "#beneficiary+relation", person: func(p person) string { return p.Relation }},
	{field: "collector_role", header: "collector_role", member: func(h *house, p person) string { return roleOf(h, p.id) }},
	{field: "language", header: "language", sealed: true, person: func(p person) string { return first(p.Languages) }},
	{field: "size", header: "household_size", tag: "#beneficiary+household+size", household: func(h *house) string {
		if h.household.Size == 0 {
			return ""
		}
		return strconv.Itoa(h.household.Size)
	}},
	{field: "pcode", header: "pcode", tag: "#loc+code", place: true, household: placeOf(func(l registry.Location) string { return l.PCode })},
	{field: "site", header: "site", tag: "#loc+name", place: true, household: placeOf(func(l registry.Location) string { return l.Site })},
	{field: "address", header: "address", sealed: true, place: true, household: placeOf(func(l registry.Location) string { return l.Address })},
	{field: "country", header: "country", tag: "#country+code", place: true, household: placeOf(func(l registry.Location) string { return l.Country })},
	{field: "residence", header: "residence_status", sealed: true, household: func(h *house) string { return h.household.Residence }},
	{field: "collector_name", header: "collector_name", sealed: true, household: func(h *house) string {
		for _, c := range h.household.Collectors {
			if c.External != "" && c.Revoked == "" {
				return c.External
			}
		}
		return ""
	}},
	{
		field: "origin", header: "country_of_origin", tag: "#country+code+origin", sealed: true,
		person: func(p person) string { return p.Origin }, household: func(h *house) string { return h.household.Origin },
	},
	{
		field: "registered", header: "registration_date", tag: "#date+registered",
		person: func(p person) string { return p.Registered }, household: func(h *house) string { return h.household.Registered },
	},
	{
		field: "consent", header: "consent", tag: "#beneficiary+consent",
		person: func(p person) string { return answer(p.Consents) }, household: func(h *house) string { return answer(h.household.Consents) },
	},
	{
		field: "sharing", header: "consent_sharing",
		person: func(p person) string { return sharing(p.Consents) }, household: func(h *house) string { return sharing(h.household.Consents) },
	},
	{field: "print_name", header: "print_name", person: chosen(registry.NameOnCard, func(f registry.CardFace) bool { return f.Name })},
	{field: "print_photo", header: "print_photo", person: chosen(registry.PhotoOnCard, func(f registry.CardFace) bool { return f.Photo })},
	{
		field: "phone", header: "phone", tag: "#contact+phone", sealed: true,
		person: contact("phone", 0), household: func(h *house) string { return contactOf(h.household.Contacts, "phone", 0).Value },
	},
	{field: "phone_2", header: "phone_2", tag: "#contact+phone+alt", sealed: true, person: contact("phone", 1)},
	{field: "who_answers", header: "who_answers_phone", sealed: true, person: func(p person) string { return contactOf(p.Contacts, "phone", 0).Whose }},
	{
		field: "email", header: "email", tag: "#contact+email", sealed: true,
		person: contact("email", 0), household: func(h *house) string { return contactOf(h.household.Contacts, "email", 0).Value },
	},
}, append(documentColumns(), bandColumns()...)...)

// documents are the types of documents, with the headers of their number and issuer.
var documents = []struct{ kind, header, issuer string }{
	{"national_id", "national_id", "national_id_issuer"}, {"passport", "passport", "passport_issuer"},
	{"birth_certificate", "birth_certificate", "birth_certificate_issuer"}, {"driving_licence", "driving_licence", "drivers_license_issuer"},
	{"voter", "voter_id", "electoral_card_issuer"}, {"tax", "tax_id", "tax_id_issuer"}, {"residence_permit", "residence_permit", ""},
	{"unhcr_id", "unhcr_id", "unhcr_id_issuer"}, {"scope_id", "scope_id", "scope_id_issuer"}, {"health_card", "health_card", ""},
	{"other", "other_id_no", "other_id_issuer"},
}

func documentColumns() (out []column) {
	for _, d := range documents {
		find := func(p person) registry.Document {
			for _, doc := range p.Documents {
				if doc.Type == d.kind {
					return doc
				}
			}
			return registry.Document{}
		}
		out = append(out, column{field: "document." + d.kind, header: d.header, sealed: true, person: func(p person) string { return find(p).Number }})
		if d.issuer != "" {
			out = append(out, column{field: "issuer." + d.kind, header: d.issuer, sealed: true, person: func(p person) string { return find(p).Country }})
		}
	}
	return out
}

// bands are those of UNHCR and of HOPE, with the end of the header by which lists name them.
var bands = []struct{ name, header string }{
	{"0_4", ""}, {"0_5", "_age_group"}, {"5_11", ""}, {"6_11", "_age_group"}, {"12_17", "_age_group"}, {"18_59", "_age_group"}, {"60p", ""}, {"18p", ""},
}

func bandColumns() (out []column) {
	for _, sex := range []string{"f", "m"} {
		for _, band := range bands {
			name, header := sex+"_"+band.name, sex+"_"+band.name+band.header
			if band.name == "18p" {
				header = sex + "_adults"
			}
			out = append(out, column{field: "band." + name, header: header, household: func(h *house) string {
				if n, ok := h.household.Bands[name]; ok {
					return strconv.Itoa(n)
				}
				return ""
			}})
		}
	}
	return out
}
