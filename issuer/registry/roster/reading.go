package roster

import (
	"errors"
	"io"
	"slices"
)

// A Reading is all that a File tells besides rows and bytes.
type Reading struct {
	Format   Format    `json:"format"`
	Version  string    `json:"version,omitempty"`
	Digest   [32]byte  `json:"digest"`
	Tables   []Table   `json:"tables"`
	Skipped  []Skipped `json:"skipped,omitempty"`
	Warnings []string  `json:"warnings,omitempty"`
}

// Reading sums the file up for who gives its rows on: see From.
func (f *File) Reading() Reading {
	return Reading{f.format, f.version, f.digest, f.Tables(), f.skipped, f.warnings}
}

// A Source has read a file in a place of its own, and hands out what it read.
type Source interface {
	io.ReaderAt
	io.Closer
	Size() int64
	// Rows starts reading a table by its place among the Reading's.
	Rows(table int) (RowSource, error)
	// Again reads the same bytes with other options.
	Again(Options) (*File, error)
}

// A RowSource yields the rows of a table as they stand in the file, or io.EOF. After an
// error it is not called again.
type RowSource interface {
	Next() (RawRow, error)
}

// A RawRow is a Row outside of its table: cells in the order of the columns.
type RawRow struct {
	Number              int
	Path, Index, Parent string
	Version             string
	Problems            []Problem
	Cells               []string
}

// Raw takes a row out of its table.
func Raw(r *Row) RawRow {
	return RawRow{r.Number, r.Path, r.Index, r.Parent, r.Version, r.Problems, r.cells}
}

// From is the File that somebody else read. name is what its sender calls it. A Reading
// with more tables, columns or longer names than this package reads is an error.
func From(name string, r Reading, src Source) (*File, error) {
	f := &File{path: name, file: src, size: src.Size(), digest: r.Digest, format: r.Format, version: r.Version, skipped: r.Skipped, warnings: r.Warnings, elsewhere: src}
	if len(r.Tables) == 0 || len(r.Tables) > MaxTables {
		return nil, errors.New("registry: a reading without tables, or with too many")
	}
	for i, t := range r.Tables {
		if len(t.Columns) > 2*MaxColumns || slices.ContainsFunc(f.tables, func(o *table) bool { return o.Name == t.Name }) {
			return nil, errors.New("registry: a reading with too many columns, or two tables of one name")
		}
		var made *table
		made = f.add(t, func() (stream, error) {
			rows, err := src.Rows(i)
			if err != nil {
				return nil, err
			}
			return &readRows{rows, made.column}, nil
		})
	}
	return f, nil
}

// Elsewhere is the Source of a File that somebody else read; nil for one that is read here.
func (f *File) Elsewhere() Source { return f.elsewhere }

// readRows puts the rows of a Source back into their table.
type readRows struct {
	in     RowSource
	column map[string]int
}

func (r *readRows) next() (Row, error) {
	raw, err := r.in.Next()
	if err != nil {
		return Row{}, err
	}
	return Row{Number: raw.Number, Path: raw.Path, Index: raw.Index, Parent: raw.Parent, Version: raw.Version, Problems: raw.Problems, cells: raw.Cells, column: r.column}, nil
}
