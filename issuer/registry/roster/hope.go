package roster

import (
	"regexp"
	"slices"
	"strings"
)

// hopeCode is a field code of a UNICEF HOPE workbook: _i for individuals, _h for
// households; _c for core fields, _f for a programme's own.
var hopeCode = regexp.MustCompile(`(?i)_[ih]_[cf]$`)

// dataLike is a cell that no header has: a date or a number alone.
var dataLike = regexp.MustCompile(`^(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?|[-+]?\d+([.,]\d+)?)$`)

// isHope reports whether a header is that of a HOPE workbook. Some of them carry
// few codes, so the names of its sheets count too.
func isHope(header []string, sheet string) bool {
	return slices.ContainsFunc(header, hopeCode.MatchString) || isHopeSheet(sheet) && slices.Contains(header, "household_id")
}

// hopeSheets are the sheets of a HOPE workbook that list people, as Open prefers them.
var hopeSheets = []string{"Individuals", "People"}

func isHopeSheet(name string) bool {
	return name == "Households" || slices.Contains(hopeSheets, name)
}

// isLabels reports whether cells are HOPE's second header row: under the columns
// that number people or households (else those that name them) stand the names of
// just these fields, as "Household ID - STRING - required". A person is never
// taken for labels.
func isLabels(header, cells []string) bool {
	m := Guess(header)
	for _, fields := range [][]Field{{PersonID, HouseholdID}, {FullName, GivenName, FamilyName}} {
		named := 0
		for _, field := range fields {
			i := slices.Index(header, m[field])
			if m[field] == "" || i >= len(cells) || strings.TrimSpace(cells[i]) == "" {
				continue
			}
			if !means(field, cells[i]) {
				return false
			}
			named++
		}
		if named > 0 {
			return true
		}
	}
	return false
}

// means reports whether a label names a field. What follows a dash or a bracket
// is HOPE's kind of the field.
func means(field Field, label string) bool {
	label, _, _ = strings.Cut(label, " - ")
	label, _, _ = strings.Cut(label, "(")
	label = fold(label)
	for _, known := range names {
		if known.field == field {
			return slices.Contains(strings.Split(known.words, "|"), label)
		}
	}
	return false
}
