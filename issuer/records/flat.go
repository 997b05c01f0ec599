package records

import (
	"strconv"
	"strings"

	"aidpass/issuer/registry"
)

// Fields are the fields that a desk sets, in the order of a paper form.
func Fields(kind registry.Kind) []string {
	if kind == registry.KindHousehold {
		return []string{"size", "pcode", "site", "address", "country", "residence", "origin", "phone", "email", "registered"}
	}
	list := []string{"name", "name_other_script", "used_name", "maiden_name", "sex", "birth", "relation", "origin", "language", "phone", "email",
		"pcode", "site", "address", "country", "registered"}
	for _, t := range registry.DocumentTypes() {
		list = append(list, "document."+t, "issuer."+t)
	}
	return list
}

// recordField is the field of a record that holds what a desk calls by a name.
func recordField(kind registry.Kind, field string) string {
	family, _, _ := strings.Cut(field, ".")
	switch family {
	case "name", "name_other_script", "used_name", "maiden_name":
		return "names"
	case "phone", "email":
		return "contacts"
	case "pcode", "site", "address", "country":
		return "location"
	case "document", "issuer":
		return "documents"
	case "language":
		return "languages"
	}
	return family
}

// flat reads a record as the values of a desk's fields. A field that holds several
// values of one kind has none here: it cannot be set by one line without losing some.
func flat(rec registry.Record) (map[string]string, error) {
	values := map[string]string{}
	for _, f := range Fields(rec.Kind) {
		values[f] = ""
	}
	if rec.Kind == registry.KindHousehold {
		h, err := rec.HouseholdRecord()
		if err != nil {
			return nil, err
		}
		if h.Size > 0 {
			values["size"] = strconv.Itoa(h.Size)
		}
		values["residence"], values["origin"], values["registered"] = h.Residence, h.Origin, h.Registered
		place(values, h.Location)
		contacts(values, h.Contacts)
		return values, nil
	}
	p, err := rec.Person()
	if err != nil {
		return nil, err
	}
	once := once{values, map[string]bool{}}
	whole := registry.Whole(p.Names)
	for _, n := range p.Names {
		switch {
		case registry.InOtherScript(n, whole):
			once.set("name_other_script", n.Text)
		case n.Type == "" || n.Type == registry.Official:
			once.set("name", n.Text)
		case n.Type == registry.Used:
			once.set("used_name", n.Text)
		case n.Type == registry.Maiden:
			once.set("maiden_name", n.Text)
		}
	}
	values["sex"], values["relation"], values["origin"], values["registered"] = p.Sex, p.Relation, p.Origin, p.Registered
	if p.Birth != nil {
		values["birth"] = p.Birth.EDTF
	}
	values["language"] = strings.Join(p.Languages, " ")
	for _, doc := range p.Documents {
		once.set("document."+doc.Type, doc.Number)
		once.set("issuer."+doc.Type, doc.Country)
	}
	contacts(values, p.Contacts)
	if rec.Household.IsZero() {
		place(values, p.Location)
	} else { // where she stays is her household's
		for _, f := range []string{"pcode", "site", "address", "country"} {
			delete(values, f)
		}
	}
	return values, nil
}

// once takes values that may come once.
type once struct {
	values map[string]string
	seen   map[string]bool
}

func (o once) set(field, text string) {
	if o.seen[field] {
		delete(o.values, field)
		return
	}
	o.values[field], o.seen[field] = text, true
}

func contacts(values map[string]string, list []registry.Contact) {
	o := once{values, map[string]bool{}}
	for _, c := range list {
		if c.Kind == "phone" || c.Kind == "email" {
			o.set(c.Kind, c.Value)
		}
	}
}

func place(values map[string]string, l *registry.Location) {
	if l != nil {
		values["pcode"], values["site"], values["address"], values["country"] = l.PCode, l.Site, l.Address, l.Country
	}
}
