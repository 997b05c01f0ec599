package intake

import (
	"maps"
	"slices"
	"strings"

	"aidpass/issuer/registry"
)

// What a list does not say stays as it is on record: merging adds to lists, and
// never takes away what was entered at a desk, least of all a withdrawn consent.

func mergePerson(p, old *registry.Person) {
	for _, n := range old.Names {
		if !slices.ContainsFunc(p.Names, func(m registry.Name) bool { return m.Type == n.Type && m.Script == n.Script || m.Text == n.Text }) {
			p.Names = append(p.Names, n)
		}
	}
	// The same date says nothing new, and less than what is known of how it came about.
	if b, o := p.Birth, old.Birth; b != nil && o != nil && b.EDTF == o.EDTF && b.AgeDeclared == 0 {
		p.Birth = o
	}
	// That nobody knew is no news where somebody does.
	if b, o := p.Birth, old.Birth; b != nil && o != nil && b.EDTF == "" && o.EDTF != "" {
		p.Birth = o
	}
	// An age is counted from the day of the import: the same age says nothing new.
	if b, o := p.Birth, old.Birth; b != nil && o != nil && b.AgeDeclared > 0 && b.Estimated && (o.AgeDeclared == b.AgeDeclared || o.AgeDeclared == 0) {
		p.Birth = o
	}
	p.Documents = union(old.Documents, p.Documents, func(a, b registry.Document) bool {
		return a.Type == b.Type && a.Country == b.Country && a.Number == b.Number
	})
	p.Contacts = mergeContacts(old.Contacts, p.Contacts)
	p.Consents = mergeConsents(old.Consents, p.Consents)
	p.CardFace = old.CardFace
	p.ShowFace()
	p.Languages = union(old.Languages, p.Languages, func(a, b string) bool { return a == b })
	p.Ext = mergeExt(old.Ext, p.Ext)
	p.Location = mergeLocation(old.Location, p.Location)
}

func mergeHousehold(h, old *registry.Household) {
	h.Contacts = mergeContacts(old.Contacts, h.Contacts)
	h.Consents = mergeConsents(old.Consents, h.Consents)
	h.Ext = mergeExt(old.Ext, h.Ext)
	h.Location = mergeLocation(old.Location, h.Location)
	if len(old.Bands) > 0 && len(h.Bands) == 0 {
		h.Bands = old.Bands
	}
	h.Head, h.FocalPoint, h.Collectors = "", "", nil // these come last, by who is written
}

// union appends what is new; where two are the same, the record's stays.
func union[T any](old, add []T, same func(a, b T) bool) []T {
	out := slices.Clone(old)
	for _, a := range add {
		if !slices.ContainsFunc(out, func(o T) bool { return same(o, a) }) {
			out = append(out, a)
		}
	}
	return out
}

func mergeContacts(old, add []registry.Contact) []registry.Contact {
	return union(old, add, func(a, b registry.Contact) bool { return a.Kind == b.Kind && a.Value == b.Value })
}

// mergeConsents takes a new answer over, unless the old one was withdrawn since:
// a list cannot give a consent back.
func mergeConsents(old, add []registry.Consent) []registry.Consent {
	out := slices.Clone(old)
	for _, c := range add {
		i := slices.IndexFunc(out, func(o registry.Consent) bool { return o.Purpose == c.Purpose && o.ID == "" })
		recorded := slices.ContainsFunc(out, func(o registry.Consent) bool { return o.Purpose == c.Purpose && o.ID != "" })
		switch {
		case i < 0 && recorded: // a list never outweighs what was asked at a desk with its wording
			out = slices.Insert(out, 0, c)
		case i < 0:
			out = append(out, c)
		case out[i].Withdrawn != "" || out[i].Given == c.Given && slices.Equal(out[i].Recipients, c.Recipients):
		case out[i].How != "form" && out[i].On > c.On:
			// somebody asked her later than the list was made
		default:
			out[i] = c
		}
	}
	return out
}

func mergeExt(old, add map[string]string) map[string]string {
	if len(old) == 0 {
		return add
	}
	out := maps.Clone(old)
	maps.Copy(out, add)
	return out
}

func mergeLocation(old, l *registry.Location) *registry.Location {
	if old == nil || l == nil {
		if l == nil {
			return old
		}
		return l
	}
	merged := *old
	for _, f := range []struct{ to, from *string }{
		{&merged.PCode, &l.PCode}, {&merged.Site, &l.Site}, {&merged.Address, &l.Address}, {&merged.Country, &l.Country},
	} {
		if strings.TrimSpace(*f.from) != "" {
			*f.to = *f.from
		}
	}
	return &merged
}
