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
	return len(a.Areas) == 0 || l != nil && InAreas(a.Areas, l.PCode)
}

// InAreas reports whether a p-code is one of areas or beneath one. Codes of a deeper level
// begin with those above them and add two characters or more (OCHA COD-AB): KE01001 is
// beneath KE01, and KE011 is another place beside it. No area and no code: false.
func InAreas(areas []string, pcode string) bool {
	pcode = strings.ToUpper(strings.TrimSpace(pcode))
	return slices.ContainsFunc(areas, func(area string) bool {
		rest, under := strings.CutPrefix(pcode, area)
		return area != "" && under && len(rest) != 1
	})
}
