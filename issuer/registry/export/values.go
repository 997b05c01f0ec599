package export

import (
	"slices"
	"strings"

	"aidpass/issuer/registry"
)

// mainName is the name somebody goes by: the first official one, else the first.
func mainName(names []registry.Name) registry.Name {
	for _, n := range names {
		if n.Type == "" || n.Type == registry.Official {
			return n
		}
	}
	if len(names) > 0 {
		return names[0]
	}
	return registry.Name{}
}

// otherName is the whole name once more: the second official one, or a romanised one.
func otherName(names []registry.Name) registry.Name {
	main := mainName(names)
	for _, n := range names {
		whole := n.Type == "" || n.Type == registry.Official || n.Type == registry.Romanised
		if whole && n.Text != main.Text {
			return n
		}
	}
	return registry.Name{}
}

// nameOf returns the text of the first name of one of these types.
func nameOf(types ...string) func(person) string {
	return func(p person) string {
		for _, n := range p.Names {
			if slices.Contains(types, n.Type) {
				return n.Text
			}
		}
		return ""
	}
}

// tooMany reports whether somebody has names that no column takes.
func tooMany(names []registry.Name) bool {
	whole, used, maiden := 0, 0, 0
	for _, n := range names {
		switch n.Type {
		case registry.Used, registry.Alias:
			used++
		case registry.Maiden:
			maiden++
		default:
			whole++
		}
	}
	return whole > 2 || used > 1 || maiden > 1
}

// part returns the nth part of a role of the name somebody goes by.
func part(role string, n int) func(person) string {
	return func(p person) string { return partOf(mainName(p.Names), role, n) }
}

func partOf(name registry.Name, role string, n int) string {
	for _, p := range name.Parts {
		if p.Role == role {
			if n == 0 {
				return p.Text
			}
			n--
		}
	}
	return ""
}

func placeOf(get func(registry.Location) string) func(*house) string {
	return func(h *house) string {
		if h.household.Location == nil {
			return ""
		}
		return get(*h.household.Location)
	}
}

func contact(kind string, n int) func(person) string {
	return func(p person) string { return contactOf(p.Contacts, kind, n).Value }
}

func contactOf(list []registry.Contact, kind string, n int) registry.Contact {
	for _, c := range list {
		if c.Kind == kind {
			if n == 0 {
				return c
			}
			n--
		}
	}
	return registry.Contact{}
}

// answer is the last answer to the registration notice: yes, no or none.
func answer(list []registry.Consent) string {
	for _, c := range slices.Backward(list) {
		if c.Purpose == "registration" {
			return yesNo(c.Given && c.Withdrawn == "")
		}
	}
	return ""
}

// chosen is the answer to what may stand on her card: yes, no, or none.
func chosen(purpose string, shown func(registry.CardFace) bool) func(person) string {
	return func(p person) string {
		for _, c := range slices.Backward(p.Consents) {
			if c.Purpose == purpose {
				return yesNo(c.Given && c.Withdrawn == "")
			}
		}
		if p.CardFace != nil && shown(*p.CardFace) {
			return yesNo(true)
		}
		return ""
	}
}

// sharing names those whom something may be told, or is the answer where nobody was named.
func sharing(list []registry.Consent) string {
	for _, c := range slices.Backward(list) {
		if c.Purpose != "sharing" {
			continue
		}
		if !c.Given || c.Withdrawn != "" || len(c.Recipients) == 0 {
			return yesNo(c.Given && c.Withdrawn == "")
		}
		return strings.Join(c.Recipients, ", ")
	}
	return ""
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// roleOf is what a member does when something is handed out.
func roleOf(h *house, id registry.ID) string {
	for _, c := range h.household.Collectors {
		if c.Person == id.String() && c.Revoked == "" {
			return c.Role
		}
	}
	return ""
}

// fromElsewhere reports whether somebody collects for a household who is none of it.
func fromElsewhere(h *house) bool {
	for _, c := range h.household.Collectors {
		inside := func(p person) bool { return p.id.String() == c.Person }
		if c.Person != "" && c.Revoked == "" && !slices.ContainsFunc(h.members, inside) {
			return true
		}
	}
	return false
}
