package roster

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// A Mend is a change that is read in place of what a file says. The file's bytes stay
// as they came.
type Mend struct {
	Table  string `json:"table,omitempty"`
	Row    int    `json:"row"`              // as Row.Number
	Column string `json:"column,omitempty"` // "": the whole row
	Value  string `json:"value,omitempty"`  // what the cell says now
	Out    bool   `json:"out,omitempty"`    // the row is left out; with no column
}

// spot is a cell, or with no column a row.
type spot struct {
	table  string
	row    int
	column string
}

// Mend sets what is read in place of cells and rows: all of them, in place of those that
// were set before. What names no table or column of the file, or is no text of a cell,
// is an error and nothing is set; a row that is not there changes nothing.
func (f *File) Mend(mends []Mend) error {
	set := make(map[spot]*Mend, 2*len(mends))
	for i := range mends {
		m := &mends[i]
		t := slices.IndexFunc(f.tables, func(t *table) bool { return t.Name == m.Table })
		if t < 0 {
			return fmt.Errorf("registry: a mend of row %d names a table that %q has not", m.Row, f.path)
		}
		if _, ok := f.tables[t].column[m.Column]; !ok && m.Column != "" {
			return fmt.Errorf("registry: a mend of row %d names a column that %q has not", m.Row, f.path)
		}
		if len(m.Value) > MaxCellBytes || !utf8.ValidString(m.Value) {
			return fmt.Errorf("registry: a mend of row %d is no text of a cell: at most %d bytes of UTF-8", m.Row, MaxCellBytes)
		}
		if m.Column == "" {
			if m.Out {
				set[spot{m.Table, m.Row, ""}] = m
			}
			continue
		}
		set[spot{m.Table, m.Row, m.Column}] = m
		if set[spot{m.Table, m.Row, ""}] == nil {
			set[spot{m.Table, m.Row, ""}] = &Mend{} // there is something to be looked for
		}
	}
	f.mends = set
	return nil
}

// next is the next row that is not left out, as it is mended.
func (r *Rows) next() (Row, error) {
	for {
		row, err := r.in.next()
		if err != nil {
			return row, err
		}
		m := r.file.mends[spot{r.table, row.Number, ""}]
		if m == nil {
			return row, nil
		}
		if !m.Out {
			r.mend(&row)
			return row, nil
		}
	}
}

// mend sets the row's cells. A problem of a cell ends with what stood there.
func (r *Rows) mend(row *Row) {
	row.cells = slices.Clone(row.cells)
	mended := map[string]bool{}
	for name, i := range row.column {
		m := r.file.mends[spot{r.table, row.Number, name}]
		if m == nil {
			continue
		}
		for len(row.cells) <= i {
			row.cells = append(row.cells, "")
		}
		row.cells[i] = m.Value
		mended[name], mended[ColumnLetter(i+1)] = true, true
	}
	row.Problems = slices.DeleteFunc(slices.Clone(row.Problems), func(p Problem) bool { return p.Column != "" && mended[p.Column] })
}
