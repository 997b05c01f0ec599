package roster

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// hopeCode is a field code of a UNICEF HOPE workbook: _i for individuals, _h for
// households; _c for core fields, _f for a programme's own.
var hopeCode = regexp.MustCompile(`(?i)_[ih]_[cf]$`)

// dataLike is a cell that no header has: a date or a number alone.
var dataLike = regexp.MustCompile(`^(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?|[-+]?\d+([.,]\d+)?)$`)

// readHeader reads up to the first row of data.
//
//  1. The first row that is not blank is the header.
//  2. In a HOPE workbook it holds field codes, and row 2 may hold labels for
//     people: it is skipped where its cells name the fields they stand under, and
//     Labels tells.
//  3. The next row is read ahead: a header without rows is refused here.
func (r *Roster) readHeader() error {
	head, err := r.source.next()
	if err == io.EOF {
		return refuse("export the list again", "has no rows")
	} else if err != nil {
		return err
	}
	if len(head.problems) > 0 {
		p := r.row(head).Problems[0]
		return refuse(p.Fix, "has a header that cannot be read: column %s %s", p.Column, p.What)
	}
	if err := r.setHeader(head.cells); err != nil {
		return err
	}
	first, err := r.source.next()
	if err == nil && r.hope() && first.number == head.number+1 && r.isLabels(first.cells) {
		r.labels = first.number
		first, err = r.source.next()
	}
	if err == io.EOF {
		return refuse("add the rows below the header, or name another sheet", "has a header and no rows%s", r.where())
	} else if err != nil {
		return err
	}
	row := r.row(first)
	r.first = &row
	return nil
}

// where names the sheet in a sentence.
func (r *Roster) where() string {
	if r.sheet == "" {
		return ""
	}
	return fmt.Sprintf(" on sheet %q", r.sheet)
}

func (r *Roster) setHeader(cells []string) error {
	r.header = make([]string, len(cells))
	for i, cell := range cells {
		r.header[i] = strings.TrimSpace(cell)
	}
	for len(r.header) > 0 && r.header[len(r.header)-1] == "" {
		r.header = r.header[:len(r.header)-1]
	}
	r.column = map[string]int{}
	for i, name := range r.header {
		if name == "" {
			continue
		}
		if before, twice := r.column[name]; twice {
			// Not the name itself: where the header is missing it is a person's.
			return refuse("rename one of them", "has two columns of one name%s, %s and %s",
				r.where(), ColumnLetter(before+1), ColumnLetter(i+1))
		}
		r.column[name] = i
	}
	if len(Guess(r.header)) > 0 {
		return nil // a name we know: it is a header whatever else stands there
	}
	for i, name := range r.header {
		if dataLike.MatchString(name) {
			return refuse("put the names of the columns into the first row", "has no header%s: column %s of the first row holds a number or a date",
				r.where(), ColumnLetter(i+1))
		}
	}
	return nil
}

// hope reports whether the header is that of a HOPE workbook. Some of them carry
// few codes, so the names of its sheets count too.
func (r *Roster) hope() bool {
	for _, name := range r.header {
		if hopeCode.MatchString(name) {
			return true
		}
	}
	_, household := r.column["household_id"]
	return household && isHopeSheet(r.sheet)
}

// hopeSheets are the sheets of a HOPE workbook that list people, as Open prefers them.
var hopeSheets = []string{"Individuals", "People"}

func isHopeSheet(name string) bool {
	return name == "Households" || name == hopeSheets[0] || name == hopeSheets[1]
}

// isLabels reports whether cells are HOPE's second header row: under the columns
// that number people or households (else those that name them) stand the names of
// just these fields, as "Household ID - STRING - required". A person is never
// taken for labels.
func (r *Roster) isLabels(cells []string) bool {
	m := Guess(r.header)
	for _, fields := range [][]Field{{PersonID, HouseholdID}, {FullName, GivenName, FamilyName}} {
		named := 0
		for _, field := range fields {
			i, ok := r.column[m[field]]
			if !ok || i >= len(cells) || strings.TrimSpace(cells[i]) == "" {
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
