package registry

import (
	"fmt"
	"io"
	"regexp"
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
//  2. In a HOPE workbook it holds field codes, and row 2 holds labels for people,
//     or nothing: it is skipped, unless it looks like data after all.
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
	if err == nil && r.hope() && first.number == head.number+1 && isLabels(first.cells) {
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
			return refuse("rename one of them", "has two columns named %q%s, %s and %s",
				name, r.where(), columnLetter(before+1), columnLetter(i+1))
		}
		r.column[name] = i
	}
	if len(Guess(r.header)) > 0 {
		return nil // a name we know: it is a header whatever else stands there
	}
	for i, name := range r.header {
		if dataLike.MatchString(name) {
			return refuse("put the names of the columns into the first row", "has no header%s: column %s of the first row holds a number or a date",
				r.where(), columnLetter(i+1))
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

// isLabels reports whether cells are HOPE's second header row: words for people,
// and nothing that is a number or a date, as every row of data has.
func isLabels(cells []string) bool {
	words := false
	for _, cell := range cells {
		cell = strings.TrimSpace(cell)
		if dataLike.MatchString(cell) {
			return false
		}
		words = words || strings.Contains(cell, " ")
	}
	return words
}
