package roster

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// Format is the form of a file.
type Format string

const (
	CSV      Format = "csv"
	XLSX     Format = "xlsx"
	HOPE     Format = "hope"
	KoboJSON Format = "kobo-json"
	KoboXLSX Format = "kobo-xlsx"
	HXLCSV   Format = "hxl-csv"
	HXLXLSX  Format = "hxl-xlsx"
	HXLJSON  Format = "hxl-json"
	RRF      Format = "rrf"
)

// A Table is a set of rows of one kind.
type Table struct {
	Name    string // of the sheet, "" for a CSV; "submissions" or the repeat's path; RRF's own
	Columns []Column
	// Parent is the table that the rows hang on, each by Row.Parent; "" for none.
	Parent string
	// FirstRow is where the data begin, as Row.Number counts.
	FirstRow int
	// Labels is the row of labels between header and data that HOPE's workbooks have,
	// which is passed over; 0 for none.
	Labels int
	// Hidden says that the sheet is not seen when the workbook is opened.
	Hidden bool
}

// A Column of a table.
type Column struct {
	Name     string // unique in the table: the code, as size_h_c or group/sub/field
	Label    string // for people to read; may be empty
	Tag      string // HXL hashtag with its attributes, as "#adm1+code"; may be empty
	Required bool   // the form asks for it always
	Type     string // in the form: "select_one", "date" ...; empty where it is not told
	Choices  []Choice
	Letter   string // in a sheet or CSV: A, B, ...; else empty
	unnamed  bool   // its Name is made up
}

// A Choice is an answer that a form offers.
type Choice struct{ Code, Label string }

// Skipped is a part of the file that is passed over, a sheet for example.
type Skipped struct {
	Name string
	Why  string // a sentence: "it has a header and no rows"
}

// A File is an open file of any form.
type File struct {
	path     string
	file     bytesOf
	size     int64
	digest   [32]byte
	format   Format
	version  string
	tables   []*table
	skipped  []Skipped
	warnings []string
	mends    map[spot]*Mend

	elsewhere Source // nil: it is read here
}

// bytesOf is where a file's bytes are: on a disk, or in memory.
type bytesOf interface {
	io.ReaderAt
	io.Closer
}

// table is a Table and the way to its rows.
type table struct {
	Table
	column map[string]int // by name
	open   func() (stream, error)
}

// stream yields the rows of a table.
type stream interface {
	// next returns the next row, or io.EOF. After an error it is not called again.
	next() (Row, error)
}

// OpenFile opens the file at path and tells what is in it. It goes by the bytes,
// and refuses a file whose name says another kind: who sent it should know.
//
// It returns a *FileError for a file that cannot be used, and one that has a
// header and no rows is such a file. Close the File after use.
func OpenFile(path string, opt Options) (*File, error) {
	return openFile(path, opt, everything)
}

// what the two doors, Open and OpenFile, let in.
type door uint8

const (
	everything door = iota
	listsOnly       // CSV and XLSX, in an encoding that needs no guess
)

func openFile(path string, opt Options, d door) (_ *File, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	defer func() {
		if err != nil {
			file.Close()
		}
	}()
	f := &File{path: filepath.Base(path), file: file}
	info, err := file.Stat()
	if err != nil {
		return nil, f.refusal(err)
	}
	if !info.Mode().IsRegular() {
		return nil, f.refusal(refuse(WrongKind, "name a CSV or XLSX file", "is not a file"))
	}
	f.size = info.Size()
	if err = f.open(opt, d); err != nil {
		return nil, err
	}
	return f, nil
}

// Read is OpenFile for bytes that lie in no file of their own. name is what the sender
// called them: it is held against what they are, and stands in errors.
func Read(name string, b []byte, opt Options) (*File, error) {
	f := &File{path: filepath.Base(name), file: inMemory{bytes.NewReader(b)}, size: int64(len(b))}
	if err := f.open(opt, everything); err != nil {
		return nil, err
	}
	return f, nil
}

type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }

// Bytes reads the file as it is, from its first byte.
func (f *File) Bytes() io.Reader { return io.NewSectionReader(f.file, 0, f.size) }

// Again opens the same bytes with other options. Both are closed.
func (f *File) Again(opt Options) (*File, error) {
	if f.elsewhere != nil {
		return f.elsewhere.Again(opt)
	}
	o := &File{path: f.path, file: shared{f.file}, size: f.size}
	if err := o.open(opt, everything); err != nil {
		return nil, err
	}
	return o, nil
}

// shared is closed by who opened it.
type shared struct{ io.ReaderAt }

func (shared) Close() error { return nil }

// open finds out what is in the bytes.
func (f *File) open(opt Options, d door) (err error) {
	defer func() {
		if err != nil {
			err = f.refusal(err)
		}
	}()
	kind, err := sniff(f.file, f.path, f.size)
	if err != nil {
		return err
	}
	if limit := kind.limit(); f.size > limit {
		return refuse(TooLarge, "split it", "has %d bytes, at most %d", f.size, limit)
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, f.Bytes()); err != nil {
		return err
	}
	f.digest = [32]byte(hash.Sum(nil))
	switch {
	case d == listsOnly && (kind == jsonFile || kind == xmlFile):
		err = refuse(WrongKind, "export the list as CSV or XLSX", "is %s, not CSV or XLSX", kind)
	case kind == workbook:
		err = f.openWorkbook(opt.Sheet, opt.Typed)
	case kind == jsonFile:
		err = f.openJSON()
	case kind == xmlFile:
		err = f.openXML()
	default:
		err = f.openText(opt.Encoding, d == everything)
	}
	return err
}

// refusal names the file in a FileError that was made below, where it is not known.
func (f *File) refusal(err error) error {
	var refused *FileError
	if errors.As(err, &refused) {
		refused.Path = f.path
		return refused
	}
	return fmt.Errorf("registry: %q: %w", f.path, err)
}

// Format returns the form of the file.
func (f *File) Format() Format { return f.format }

// Version returns the newest version of the form that the rows were filled in
// with, by the time of submission; it may be empty.
func (f *File) Version() string { return f.version }

// Digest returns the SHA-256 of the file's bytes.
func (f *File) Digest() [32]byte { return f.digest }

// Tables returns the tables that have rows, in the file's order.
func (f *File) Tables() []Table {
	tables := make([]Table, len(f.tables))
	for i, t := range f.tables {
		tables[i] = t.Table
	}
	return tables
}

// Skipped returns the parts of the file that are no tables, each with the reason.
func (f *File) Skipped() []Skipped { return f.skipped }

// Warnings returns what a person should know of the file before it is used, as
// that its encoding was guessed. It is in English, and holds no cell's content.
func (f *File) Warnings() []string { return f.warnings }

func (f *File) warn(text string, args ...any) {
	f.warnings = append(f.warnings, fmt.Sprintf(text, args...))
}

// add makes a table of a description and a way to its rows.
func (f *File) add(t Table, open func() (stream, error)) *table {
	columns := make(map[string]int, len(t.Columns))
	for i, c := range t.Columns {
		columns[c.Name] = i
	}
	made := &table{Table: t, column: columns, open: open}
	f.tables = append(f.tables, made)
	return made
}

// Rows starts reading a table. It may be called again, for the same table too;
// each Rows has its own place in the file.
func (f *File) Rows(name string) (*Rows, error) {
	i := slices.IndexFunc(f.tables, func(t *table) bool { return t.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("registry: %q has no table %q", f.path, name)
	}
	return f.rows(f.tables[i])
}

func (f *File) rows(t *table) (*Rows, error) {
	in, err := t.open()
	if err != nil {
		return nil, f.refusal(err)
	}
	return &Rows{file: f, table: t.Name, in: in}, nil
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// Rows are the rows of a table, in the file's order.
type Rows struct {
	file  *File
	table string
	in    stream
	ended error
}

// Next returns the next row that is not blank. After the last it returns io.EOF;
// a *FileError says that the rest of the file cannot be read, and then nothing of
// the file should be used.
func (r *Rows) Next() (Row, error) {
	if r.ended != nil {
		return Row{}, r.ended
	}
	row, err := r.next()
	if err == io.EOF {
		r.ended = io.EOF
		return Row{}, io.EOF
	} else if err != nil {
		r.ended = r.file.refusal(err)
		return Row{}, r.ended
	}
	return row, nil
}
