package rights

import (
	"slices"
	"strings"

	"aidpass/issuer/registry"
)

// Why a record is not told of under an agreement.
const (
	LeftAnswer = "said no, or not yes"                        // to the party, its purpose and the fields
	LeftArea   = "outside the agreement's areas"              //
	LeftOrigin = "from a country that the agreement excludes" //
)

// HouseLeft says why a household with all its members is not told of, on a day; empty: it
// may be. head are the answers of its head: of a household its own answer and hers count,
// and one no is enough.
func (a *Agreement) HouseLeft(h *registry.Household, head []registry.Consent, fields []string, day string) string {
	said, _ := Said(head, a.Purpose, a.With, day)
	switch {
	case !a.Covers(h.Location):
		return LeftArea
	case a.Excludes(h.Origin):
		return LeftOrigin
	case said == No, !a.Told(slices.Concat(head, h.Consents), fields, day):
		return LeftAnswer
	}
	return ""
}

// PersonLeft says why a person is not told of, on a day; empty: she may be. h is her
// household, of which HouseLeft was asked before, and nil for who has none. Her own answer
// stands above the household's.
func (a *Agreement) PersonLeft(p *registry.Person, h *registry.Household, fields []string, day string) string {
	var home []registry.Consent
	if h != nil {
		home = h.Consents
	}
	switch {
	case h == nil && !a.Covers(p.Location):
		return LeftArea
	case a.Excludes(p.Origin):
		return LeftOrigin
	case !a.Told(slices.Concat(home, p.Consents), fields, day):
		return LeftAnswer
	}
	return ""
}

// Covers reports whether a place is among the agreement's areas. An unknown one is in
// none, unless the agreement is for everywhere.
func (a *Agreement) Covers(l *registry.Location) bool {
	return len(a.Areas) == 0 || l != nil && InAreas(a.Areas, a.Levels, l.PCode)
}

// InAreas reports whether a p-code is one of areas or beneath one. Codes of places begin with
// those above them (OCHA COD-AB), and nothing in a code says where one ends: XX1201 is beneath
// XX1 where a district has three digits, and beneath XX12, beside XX1, where it has two. So
// only what is known counts: levels has a code of each deeper level as a sample, such as KE0701
// for KE07, and a longer code is beneath an area where it has the length of such a level of
// its country. Without levels an area is that one place. An area of letters alone is a
// whole country. No area and no code: false.
func InAreas(areas, levels []string, pcode string) bool {
	pcode = strings.ToUpper(strings.TrimSpace(pcode))
	return slices.ContainsFunc(areas, func(area string) bool {
		switch letters := countryOf(area); {
		case area == "" || !strings.HasPrefix(pcode, area) || countryOf(pcode) != letters:
			return false
		case area == pcode || area == letters:
			return true
		}
		return isLevel(levels, pcode)
	})
}

// countryOf are the letters that a p-code begins with: of ISO 3166-1, two or three.
func countryOf(pcode string) string {
	if i := strings.IndexFunc(pcode, func(r rune) bool { return r < 'A' || r > 'Z' }); i >= 0 {
		return pcode[:i]
	}
	return pcode
}

// isLevel reports whether a code has the length of one of levels of its country.
func isLevel(levels []string, pcode string) bool {
	return slices.ContainsFunc(levels, func(l string) bool { return len(l) == len(pcode) && countryOf(l) == countryOf(pcode) })
}

// PlaceCodes are those of codes that have the form of a p-code: a country's letters, then
// digits or more.
func PlaceCodes(codes []string) (places []string) {
	for _, c := range codes {
		if letters := countryOf(c); placeCode.MatchString(c) && letters != c && len(letters) <= 3 {
			places = append(places, c)
		}
	}
	return places
}

// Unpadded names two codes of one country, of areas, levels and others that are known, whose
// lengths differ by one sign alone, so that no length tells a level: codes that are not
// padded. others with a length of no level are named with the level nearest to them. Empty: none.
func Unpadded(areas, levels, others []string) (a, b string) {
	if len(levels) == 0 {
		return "", ""
	}
	all := slices.Concat(levels, areas)
	for i, x := range all {
		for _, y := range all[:i] {
			if d := len(x) - len(y); countryOf(x) == countryOf(y) && (d == 1 || d == -1) {
				return y, x
			}
		}
	}
	for _, x := range others {
		if x == countryOf(x) || isLevel(all, x) {
			continue
		}
		if i := slices.IndexFunc(levels, func(l string) bool { return countryOf(l) == countryOf(x) }); i >= 0 {
			return levels[i], x
		}
	}
	return "", ""
}
