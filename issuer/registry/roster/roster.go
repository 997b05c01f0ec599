// Package roster reads what organisations bring: lists of people and households,
// registration workbooks, form submissions and exchange files. Whatever the form,
// it comes out as tables of rows:
//
//	csv         text in whatever dress: encodings, separators, line ends
//	xlsx        workbooks, each sheet with a header and rows a table
//	hope        workbooks of UNICEF HOPE: Households, Individuals, People
//	kobo-json   submissions of KoBo or ODK forms: one table for the submissions,
//	            one for each repeat
//	kobo-xlsx   the same as KoBo exports it into a workbook
//	hxl-csv, hxl-xlsx, hxl-json
//	            lists with a row of hashtags (HXL standard 1.1)
//	rrf         UNHCR's resettlement registration form as proGres v4 exchanges it
//
// It knows files, tables, columns and rows, and says what is wrong where and how
// to mend it. What a row means is for package registry/intake.
//
// A file is hostile until its last row is read. Sizes are bounded before anything
// is unpacked, formulas are never evaluated, entities never expanded, and nothing
// is lost in silence: a row comes out, comes out with its problems, or the file is
// refused. Rows are read as a stream: what is held in memory does not grow with
// their number, but for the table of texts of a workbook.
//
// XLSX is read by a reader of our own (ECMA-376 part 1), because the usual one
// ends a sheet without a word where its XML is broken, rounds long numbers as a
// screen would, writes two-digit years, and spools large sheets, which are
// people's names, into temporary files. It is the referee in the tests. JSON is
// read by one of our own because the usual one keeps the last of two keys of one
// name and holds a text of any length in memory.
package roster

import (
	"fmt"
	"strings"
)

// Limits of a file that is read.
const (
	MaxTextBytes     = 512 << 20 // CSV, JSON and XML are read as streams
	MaxWorkbookBytes = 64 << 20  // XLSX as it lies on the disk
	MaxColumns       = 4_000     // of a table; KoBo makes a column of each choice
	MaxCellBytes     = 1 << 20
	MaxRowBytes      = 16 << 20  // of all cells of a row, and of a submission
	MaxRows          = 1_048_576 // of a sheet: as many as a spreadsheet has
	MaxTables        = 200
	maxNameBytes     = 4_000 // of a column: a question's label in a script of three bytes a letter
)

// Options of OpenFile and Open. The zero value guesses.
type Options struct {
	// Sheet is the name of the only XLSX sheet to read. Empty: OpenFile reads all of
	// them; Open reads "Individuals" or "People" where one has rows (HOPE), else the
	// sheet whose header is known best.
	Sheet string
	// Encoding of a CSV that is neither UTF-8 nor UTF-16: windows-1250, -1251, -1252,
	// -1254, -1256 or iso-8859-1. Empty: UTF-8 or UTF-16 as the bytes tell, and for
	// other bytes OpenFile guesses and warns, while Open refuses.
	Encoding string
	// Typed is for forms that people type into: a cell of XLSX with a formula is a Problem
	// of its row, whatever it has come to.
	Typed bool
}

// IsFormula is what is wrong with a cell of a formula where Options.Typed asks for values.
const IsFormula = "it holds a formula"

// A Code is why a file cannot be read, for who says so in other languages than English.
type Code string

// The codes of a FileError.
const (
	Empty       Code = "empty"     // no rows, no submissions, nobody
	WrongKind   Code = "kind"      // no list of any form that is read
	WrongName   Code = "name"      // another kind than its name says
	FormAlone   Code = "form"      // the form, and not its answers
	Locked      Code = "locked"    // with a password
	Damaged     Code = "damaged"   // not whole, or not as its kind is written
	Unsafe      Code = "unsafe"    // made to do harm: entities, bombs, two files of one name
	BadEncoding Code = "encoding"  // not UTF-8, or another encoding than was said
	BadHeader   Code = "header"    // no names of columns, or unreadable ones
	TwoNames    Code = "two_names" // two columns, sheets or lists of one name
	NoSheet     Code = "no_sheet"  // none of the name that was asked for
	OpenQuote   Code = "quote"     // a quote that does not end
	LongCell    Code = "long_cell" // a cell over its bound
	TooWide     Code = "wide"      // too many columns
	TooLarge    Code = "large"     // over another bound
	TooMuch     Code = "much"      // more memory or time than a list needs
)

// Codes are all of them.
func Codes() []Code {
	return []Code{Empty, WrongKind, WrongName, FormAlone, Locked, Damaged, Unsafe, BadEncoding, BadHeader, TwoNames, NoSheet, OpenQuote, LongCell, TooWide, TooLarge, TooMuch}
}

// A FileError refuses the whole file, or all after what was read of it.
type FileError struct {
	Path string // the file's name without its folder
	Code Code   // which kind of refusal it is, for those who say it in other languages
	What string // what is wrong
	Fix  string // how to mend it; may be empty
}

func (e *FileError) Error() string {
	if e.Fix == "" {
		return fmt.Sprintf("registry: %q %s", e.Path, e.What)
	}
	return fmt.Sprintf("registry: %q %s: %s", e.Path, e.What, e.Fix)
}

// refusal makes a FileError without its path.
func refusal(code Code, fix, what string, args ...any) *FileError {
	return &FileError{Code: code, What: fmt.Sprintf(what, args...), Fix: fix}
}

// refuse is refusal as an error.
func refuse(code Code, fix, what string, args ...any) error { return refusal(code, fix, what, args...) }

// A Problem is something wrong with one row. The row is not to be used as it is.
type Problem struct {
	Row    int    // as Row.Number
	Path   string // as Row.Path
	Column string // the column's name, or its letter; empty for the whole row
	What   string // what is wrong, without the cell's content
	Fix    string // how to mend it
}

func (p Problem) String() string {
	where := place(p.Row, p.Path)
	if p.Column != "" {
		where += fmt.Sprintf(", column %q", p.Column)
	}
	return where + ": " + p.What + ": " + p.Fix
}

// A Row is one line of a table: a person, a household, a submission.
type Row struct {
	Number   int       // in a sheet or CSV as a spreadsheet counts, the first is 1; else the position in its table, from 1
	Path     string    // where in a JSON or XML file it stands: "submission 17, individuals 2"; else empty
	Index    string    // key of this row in its table, for the rows that hang on it; may be empty
	Parent   string    // Index of the row it hangs on, in the table's Parent; may be empty
	Version  string    // of the form it was filled in with; may be empty
	Problems []Problem // empty for a row that can be used
	cells    []string
	column   map[string]int
}

// NewRow is a row of cells typed by hand, one for each column.
func NewRow(columns, cells []string) Row {
	r := Row{Number: 1, cells: cells, column: make(map[string]int, len(columns))}
	for i, c := range columns {
		r.column[c] = i
	}
	return r
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

// Raw returns the cells as they stand in the file, in the order of the table's
// columns. It may be shorter than they are, and in a sheet longer.
func (r Row) Raw() []string { return r.cells }

// Place says where the row stands, for a message: "row 5", or "submission 17,
// individuals 2".
func (r Row) Place() string { return place(r.Number, r.Path) }

func place(number int, path string) string {
	if path != "" {
		return path
	}
	return fmt.Sprintf("row %d", number)
}

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
