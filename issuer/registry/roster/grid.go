package roster

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// source yields the rows of a CSV or sheet, header included.
type source interface {
	// next returns the next row that is not blank, or io.EOF. After an error it is not called again.
	next() (record, error)
	close()
}

// record is a row as the file has it.
type record struct {
	number   int // from 1, blank rows counted
	cells    []string
	problems []Problem // their Column is a letter until the header is known
	numbers  []int     // cells that are whole numbers, where the source was asked to note them
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

// unguard takes off the apostrophe that spreadsheets, and our own exports, write
// in front of a text that would else be a formula. What had one of its own got a
// second, so what was exported comes back as it was.
func unguard(cell string) string {
	if cell == "" || cell[0] != '\'' {
		return cell
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(cell, "'"))
	if strings.ContainsRune("=+-@\t\r＝＋－＠", first) {
		return cell[1:]
	}
	return cell
}

// addGrid makes the table of a CSV or sheet.
func (f *File) addGrid(name string, l *layout, open func() (source, error)) *table {
	var t *table
	t = f.add(Table{Name: name, Columns: l.columns, FirstRow: l.first, Labels: l.labels}, func() (stream, error) {
		in, err := open()
		if err != nil {
			return nil, err
		}
		return &gridRows{in: in, layout: l, table: t}, nil
	})
	return t
}

// gridRows gives the records behind the header the names of its columns.
type gridRows struct {
	in     source
	layout *layout
	table  *table
}

func (g *gridRows) next() (Row, error) {
	for {
		rec, err := g.in.next()
		if err != nil {
			return Row{}, err
		}
		if rec.number >= g.layout.first {
			return g.row(rec), nil
		}
	}
}

func (g *gridRows) row(rec record) Row {
	if g.layout.ragged {
		rec = g.fit(rec)
	}
	for i := range rec.problems {
		p := &rec.problems[i]
		p.Row = rec.number
		if n := columnNumber(p.Column); n > 0 && n <= len(g.layout.columns) {
			p.Column = g.layout.columns[n-1].Name
		}
	}
	if len(g.layout.joined) > 0 {
		rec = g.join(rec)
	}
	cell := func(i int) string {
		if i < 0 || i >= len(rec.cells) {
			return ""
		}
		return strings.TrimSpace(rec.cells[i])
	}
	return Row{
		Number: rec.number, Problems: rec.problems, cells: rec.cells, column: g.table.column,
		Index: cell(g.layout.index), Parent: cell(g.layout.parent), Version: cell(g.layout.version),
	}
}

// fit compares a row of a CSV with the header. Cells without a name are let pass
// while nothing is in them.
func (g *gridRows) fit(rec record) record {
	width := len(g.layout.columns)
	for len(rec.cells) > width && strings.TrimSpace(rec.cells[len(rec.cells)-1]) == "" {
		rec.cells = rec.cells[:len(rec.cells)-1]
	}
	if n := len(rec.cells); n != width && n != g.layout.width {
		rec.problems = append(rec.problems, Problem{
			What: fmt.Sprintf("it has %d cells, the header has %d", n, width),
			Fix:  "put quotes around a cell that holds the separator, and add or remove separators",
		})
	}
	return rec
}

// join fills the columns behind those of the sheet, each with the codes of the
// choices that were ticked.
func (g *gridRows) join(rec record) record {
	width := len(g.layout.columns) - len(g.layout.joined)
	if len(rec.cells) > width {
		rec.problems = append(rec.problems, Problem{Row: rec.number, What: "it has cells behind the last column", Fix: "give them a column name, or delete them"})
		rec.cells = rec.cells[:width]
	}
	cells := append(make([]string, 0, len(g.layout.columns)), rec.cells...)
	for len(cells) < width {
		cells = append(cells, "")
	}
	for i, columns := range g.layout.joined {
		var codes []string
		for n, column := range columns {
			if cell := cells[column]; cell == "1" || cell == "TRUE" {
				codes = append(codes, g.layout.columns[width+i].Choices[n].Code)
			}
		}
		cells = append(cells, strings.Join(codes, " "))
	}
	rec.cells = cells
	return rec
}
