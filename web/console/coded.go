package console

import (
	"cmp"
	"html"
	"html/template"
	"slices"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/schemas"
)

// Codes of records as somebody at a desk calls them. A code that has no name stands as it is.

// Country is a country (ISO 3166-1 alpha-3) by its name in the page's language.
func (p *Page) Country(code string) string { return registry.CountryIn(p.Lang, code) }

// CardType is a kind of card as the page's language calls it.
func (p *Page) CardType(name string) string {
	if t := schemas.ByName(name); t != nil {
		return t.Label(p.Lang)
	}
	return name
}

// FieldText is a field of a list or an agreement in words without markup, as an option of a
// choice has them.
func (p *Page) FieldText(field string) string {
	if name, order, ordered := strings.Cut(field, ","); ordered && p.Says("imports.order_"+order) {
		return p.FieldText(name) + " – " + textOf(p.Word("imports.order_", order))
	}
	if !strings.Contains(field, ".") && !p.Says("imports.field_"+field) {
		return field
	}
	return html.UnescapeString(textOf(p.sharedField(field)))
}

// Spoken is a language (ISO 639-3) by its name in the page's language.
func (p *Page) Spoken(code string) string { return registry.LanguageIn(p.Lang, code) }

// scriptIn is a script (ISO 15924) by its name in a language.
func scriptIn(lang, code string) string {
	if s, err := language.ParseScript(code); err == nil {
		return cmp.Or(display.Scripts(language.Make(lang)).Name(s), code)
	}
	return code
}

// A choice of a closed list: a code, with the key of its word or its name.
type choice struct{ Code, Word string }

// Says is what a choice is called on a page.
func (c choice) Says(p *Page) template.HTML { return p.T(cmp.Or(c.Word, c.Code)) }

// choicesOf are the codes of a field of a closed list; nil for every other. Of countries
// the one at hand comes first. What stands in the record stays among them, whatever a
// list brought.
func (p *Page) choicesOf(field, stands, here string) (list []choice) {
	switch field {
	case "sex":
		list = choicesIn("sex", registry.Female, registry.Male, registry.Another, registry.NotSaid)
	case "relation":
		list = choicesIn("relation", registry.Relations()...)
	case "residence":
		list = choicesIn("residence", intake.Residences()...)
	case "country", "origin":
		list = p.countries(here)
	default:
		return nil
	}
	if stands != "" && !slices.ContainsFunc(list, func(c choice) bool { return c.Code == stands }) {
		list = append(list, choice{Code: stands})
	}
	return list
}

func choicesIn(family string, codes ...string) (list []choice) {
	for _, c := range codes {
		list = append(list, choice{c, codeWords[family][c]})
	}
	return list
}

// countries are all, by their names; the one at hand first.
func (p *Page) countries(here string) (list []choice) {
	for _, code := range registry.Countries() {
		list = append(list, choice{code, p.Country(code)})
	}
	slices.SortFunc(list, func(a, b choice) int {
		if a.Code == here || b.Code == here {
			return cmp.Compare(map[bool]int{true: 0, false: 1}[a.Code == here], map[bool]int{true: 0, false: 1}[b.Code == here])
		}
		return cmp.Or(cmp.Compare(registry.Fold(a.Word), registry.Fold(b.Word)), cmp.Compare(a.Code, b.Code))
	})
	return list
}

// languages are those that a record may say by their names, for who types one.
func (p *Page) languages() (list []string) {
	for _, code := range registry.Languages() {
		if name := p.Spoken(code); name != code {
			list = append(list, name)
		}
	}
	slices.SortFunc(list, func(a, b string) int {
		return cmp.Or(cmp.Compare(registry.Fold(a), registry.Fold(b)), cmp.Compare(a, b))
	})
	return slices.Compact(list)
}

// languageTyped is a language's name where it is read as that language again, else the code.
func (p *Page) languageTyped(code string) string {
	if name := p.Spoken(code); name != code {
		if again, ok := registry.Language(name); ok && again == code {
			return name
		}
	}
	return code
}
