package console

import (
	"html/template"

	"aidpass/issuer/registry"
)

// inputsOf are the inputs at which a required field is filled in; documents have their own.
var inputsOf = map[string][]string{
	"name": {"name"}, "sex": {"sex"}, "birth": {"birth", "age"}, "origin": {"origin"}, "relation": {"relation"}, "location": {"site", "address", "pcode"}, "pcode": {"pcode"},
	"contact": {"phone", "email"}, "language": {"language"}, "size": {"size"}, "residence": {"residence"}, "assurance": {"assurance"}, "registration": {"registered"},
}

// required marks the inputs of a form that the organisation requires, and tells whether it
// requires a document.
func (s *People) required(k *recordKind, fields []editField) (document bool, err error) {
	if s.Policy == nil {
		return false, nil
	}
	policy, err := s.Policy()
	if err != nil {
		return false, err
	}
	r := policy.Required("")
	wanted := r.Person
	if k.kind == registry.KindHousehold {
		wanted = r.Household
		for _, f := range r.Person { // where they stay is said once, for all of them
			if f == "location" || f == "pcode" {
				wanted = append(wanted, f)
			}
		}
	}
	inputs := map[string]bool{}
	for _, f := range wanted {
		document = document || f == "document"
		for _, input := range inputsOf[f] {
			inputs[input] = true
		}
	}
	for i := range fields {
		fields[i].Required = inputs[fields[i].Name]
	}
	return document, nil
}

// FieldName is a field in words, as a desk has it; a list's own column by its name.
func (p *Page) FieldName(f string) template.HTML {
	if f == "document" { // whose word is that of the input of its number
		f = "documents"
	}
	if word := fieldWords[f]; word != "" {
		return p.T(word)
	}
	return template.HTML("<bdi>" + template.HTMLEscapeString(f) + "</bdi>")
}
