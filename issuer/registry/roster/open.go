package roster

import (
	"slices"
)

// A Roster is an open list: one table of a CSV or XLSX file.
type Roster struct {
	file   *File
	table  *table
	header []string
	rows   *Rows
}

// Open opens the list at path, one sheet of a workbook. It returns a *FileError
// for a file it cannot use, among them all that are neither CSV nor XLSX, and
// one that has a header and no rows is such a file. Close the Roster after use.
func Open(path string, opt Options) (*Roster, error) {
	f, err := openFile(path, opt, listsOnly)
	if err != nil {
		return nil, err
	}
	r := &Roster{file: f, table: f.people()}
	for _, c := range r.table.Columns {
		if c.unnamed {
			c.Name = ""
		}
		r.header = append(r.header, c.Name)
	}
	for n := len(r.header); n > 0 && r.header[n-1] == ""; n-- {
		r.header = r.header[:n-1]
	}
	if r.rows, err = f.rows(r.table); err != nil {
		f.Close()
		return nil, err
	}
	return r, nil
}

// people returns the table that looks most like a list of people. Of equal ones
// it is the first.
func (f *File) people() *table {
	worth := func(t *table) int {
		var header []string
		for _, c := range t.Columns {
			header = append(header, c.Name)
		}
		n := min(8, len(Guess(header)))
		if !t.Hidden {
			n += 10
		}
		if i := slices.Index(hopeSheets, t.Name); i >= 0 {
			n += 200 - i
		}
		return n
	}
	best := f.tables[0]
	for _, t := range f.tables[1:] {
		if worth(t) > worth(best) {
			best = t
		}
	}
	return best
}

// Header returns the names of the columns, trimmed. An unnamed column is "".
func (r *Roster) Header() []string { return r.header }

// Sheet returns the name of the sheet being read; "" for a CSV.
func (r *Roster) Sheet() string { return r.table.Name }

// Labels returns the row that was skipped because it holds labels for the columns,
// as HOPE's workbooks do; 0 where none was.
func (r *Roster) Labels() int { return r.table.Labels }

// Warnings returns what a person should know of the file before it is used.
func (r *Roster) Warnings() []string { return r.file.Warnings() }

// Next returns the next row that is not blank. After the last it returns io.EOF;
// a *FileError says that the rest of the file cannot be read, and then nothing of
// the file should be used.
func (r *Roster) Next() (Row, error) { return r.rows.Next() }

// Close closes the file.
func (r *Roster) Close() error { return r.file.Close() }
