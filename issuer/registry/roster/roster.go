// Package roster reads lists of people and households as organisations keep
// them: CSV in whatever dress, and XLSX workbooks, among them those of UNICEF HOPE.
//
// It knows files, sheets, headers and rows, and says what is wrong where and how
// to mend it. What a row means for a credential is for package issuer.
//
// A roster is a hostile file until the last row is read. Sizes are bounded before
// anything is unpacked, formulas are never evaluated, and nothing is lost in
// silence: a row comes out, comes out with its problems, or the file is refused.
//
// XLSX is read by a reader of our own (ECMA-376 part 1), because the usual one
// ends a sheet without a word where its XML is broken, rounds long numbers as a
// screen would, writes two-digit years, and spools large sheets, which are
// people's names, into temporary files. It is the referee in the tests.
package roster

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Limits of a file that Open reads.
const (
	MaxTextBytes     = 512 << 20 // CSV is read as a stream
	MaxWorkbookBytes = 64 << 20  // XLSX as it lies on the disk
	MaxColumns       = 1_000
	MaxCellBytes     = 1 << 20
	MaxRows          = 1_048_576 // of a sheet: as many as a spreadsheet has
)

// Options of Open. The zero value guesses.
type Options struct {
	// Sheet is the name of the XLSX sheet to read. Empty: "Individuals" or "People"
	// where one has rows (HOPE), else the first sheet that has a header and rows.
	Sheet string
	// Encoding of a CSV that is neither UTF-8 nor UTF-16: windows-1250, -1251, -1252,
	// -1254, -1256 or iso-8859-1. Empty: UTF-8 or UTF-16, told by the bytes.
	Encoding string
}

// A Roster is an open list: a header and rows, in the file's order.
type Roster struct {
	path   string
	sheet  string
	header []string
	column map[string]int // by name; the first of each
	source source
	first  *Row // read ahead by Open
	labels int  // row that was skipped as labels; 0: none
	ended  error
	closer io.Closer
}

// source yields the rows of a file or sheet, header included.
type source interface {
	// next returns the next row that is not blank, or io.EOF. After an error it is not called again.
	next() (record, error)
}

// record is a row as the file has it.
type record struct {
	number   int // from 1, blank rows counted
	cells    []string
	problems []Problem // their Column is a letter until the header is known
}

func (r record) blank() bool {
	if len(r.problems) > 0 {
		return false
	}
	for _, cell := range r.cells {
		if strings.TrimSpace(cell) != "" {
			return false
		}
	}
	return true
}

// A FileError refuses the whole file, or all after what was read of it.
type FileError struct {
	Path string // the file's name without its folder
	What string // what is wrong
	Fix  string // how to mend it; may be empty
}

func (e *FileError) Error() string {
	if e.Fix == "" {
		return fmt.Sprintf("registry: %q %s", e.Path, e.What)
	}
	return fmt.Sprintf("registry: %q %s: %s", e.Path, e.What, e.Fix)
}

// A Problem is something wrong with one row. The row is not to be used as it is.
type Problem struct {
	Row    int    // as a spreadsheet counts: the first is 1
	Column string // the header's name for it, or its letter; empty for the whole row
	What   string // what is wrong, without the cell's content
	Fix    string // how to mend it
}

func (p Problem) String() string {
	where := fmt.Sprintf("row %d", p.Row)
	if p.Column != "" {
		where += fmt.Sprintf(", column %q", p.Column)
	}
	return where + ": " + p.What + ": " + p.Fix
}

// Open opens the list at path and reads its header. It returns a *FileError for
// a file it cannot use, and one that has a header and no rows is such a file.
// Close the Roster after use.
func Open(path string, opt Options) (_ *Roster, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	r := &Roster{path: filepath.Base(path), closer: file}
	defer func() {
		if err != nil {
			file.Close()
			err = r.refusal(err)
		}
	}()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	kind, err := sniff(file, info)
	if err != nil {
		return nil, err
	}
	if kind == workbook {
		r.sheet, r.source, err = openWorkbook(file, info.Size(), opt.Sheet)
	} else {
		r.source, err = openText(file, info.Size(), opt.Encoding)
	}
	if err != nil {
		return nil, err
	}
	return r, r.readHeader()
}

// refusal names the file in a FileError that was made below, where it is not known.
func (r *Roster) refusal(err error) error {
	var refused *FileError
	if errors.As(err, &refused) {
		refused.Path = r.path
		return refused
	}
	return fmt.Errorf("registry: %q: %w", r.path, err)
}

// refuse makes a FileError without its path.
func refuse(fix, what string, args ...any) error {
	return &FileError{What: fmt.Sprintf(what, args...), Fix: fix}
}

// Header returns the names of the columns, trimmed. An unnamed column is "".
func (r *Roster) Header() []string { return r.header }

// Sheet returns the name of the sheet being read; "" for a CSV.
func (r *Roster) Sheet() string { return r.sheet }

// Labels returns the row that was skipped because it holds labels for the columns,
// as HOPE's workbooks do; 0 where none was.
func (r *Roster) Labels() int { return r.labels }

// Next returns the next row that is not blank. After the last it returns io.EOF;
// a *FileError says that the rest of the file cannot be read, and then nothing of
// the file should be used.
func (r *Roster) Next() (Row, error) {
	if r.first != nil {
		row := *r.first
		r.first = nil
		return row, nil
	}
	if r.ended != nil {
		return Row{}, r.ended
	}
	rec, err := r.source.next()
	if err == io.EOF {
		r.ended = io.EOF
		return Row{}, io.EOF
	} else if err != nil {
		r.ended = r.refusal(err)
		return Row{}, r.ended
	}
	return r.row(rec), nil
}

// Close closes the file.
func (r *Roster) Close() error { return r.closer.Close() }

// row gives a record the header's names.
func (r *Roster) row(rec record) Row {
	for i := range rec.problems {
		p := &rec.problems[i]
		p.Row = rec.number
		if n := columnNumber(p.Column); n > 0 && n <= len(r.header) && r.header[n-1] != "" {
			p.Column = r.header[n-1]
		}
	}
	return Row{Number: rec.number, Problems: rec.problems, cells: rec.cells, column: r.column}
}

// A Row is one line of the list.
type Row struct {
	Number   int       // as a spreadsheet counts: the header's row is 1
	Problems []Problem // empty for a row that can be used
	cells    []string
	column   map[string]int
}

// Cell returns the cell under the column of that name, without the blanks around
// it; "" where there is no such column or nothing in the cell.
func (r Row) Cell(name string) string {
	i, ok := r.column[name]
	if !ok || i >= len(r.cells) {
		return ""
	}
	return strings.TrimSpace(r.cells[i])
}

// Raw returns the cells as they stand in the file, in its order. It may be
// shorter than the header.
func (r Row) Raw() []string { return r.cells }

// ColumnLetter returns what a spreadsheet calls its nth column: 1 is A, 27 is AA.
func ColumnLetter(n int) string {
	var letters []byte
	for ; n > 0; n = (n - 1) / 26 {
		letters = append([]byte{byte('A' + (n-1)%26)}, letters...)
	}
	return string(letters)
}

// columnNumber undoes ColumnLetter; 0 for what is not such letters.
func columnNumber(letters string) int {
	if len(letters) > 3 {
		return 0
	}
	n := 0
	for _, c := range []byte(letters) {
		if c < 'A' || c > 'Z' {
			return 0
		}
		n = n*26 + int(c-'A') + 1
	}
	return n
}
