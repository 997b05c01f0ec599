package roster

import (
	"bufio"
	"bytes"
	"io"

	"golang.org/x/text/encoding"
)

// textSource reads records of RFC 4180, with any of , ; tab | between the cells
// and any line end, a lone CR too. A quote inside a cell without quotes stands for
// itself, as most programs write it.
type textSource struct {
	in        *bufio.Reader
	delimiter byte
	number    int  // of the last record
	begun     bool // the first row that is not blank came out
}

// openText finds the encoding of the whole file and the layout of its only table.
func (f *File) openText(named string, guess bool) error {
	enc, err := f.encoding(named, guess)
	if err != nil {
		return err
	}
	open := func() (source, error) { return newText(f.file, f.size, enc) }
	l, unfit, err := analyse("", false, open)
	if err != nil {
		return err
	} else if unfit != nil {
		return unfit.FileError
	}
	f.note("", l)
	l.ragged = l.form != hxlForm
	f.format = CSV
	if l.form == hxlForm {
		f.format = HXLCSV
	}
	f.addGrid("", l, open)
	return nil
}

// newText starts reading the text from its beginning.
func newText(file io.ReaderAt, size int64, enc encoding.Encoding) (*textSource, error) {
	in := io.Reader(io.NewSectionReader(file, 0, size))
	if enc != nil {
		in = enc.NewDecoder().Reader(in)
	}
	s := &textSource{in: bufio.NewReaderSize(in, 64<<10)}
	if c, _, err := s.in.ReadRune(); err == nil && c != '\ufeff' {
		if err := s.in.UnreadRune(); err != nil {
			return nil, err
		}
	}
	start, err := s.in.Peek(32 << 10)
	if err != nil && err != io.EOF {
		return nil, err
	}
	s.delimiter = guessDelimiter(start)
	if declared := "sep=" + string(s.delimiter); bytes.HasPrefix(start, []byte(declared)) {
		// Excel's own first line; it counts as a row, as it does on the screen of others.
		if _, err := s.read(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// guessDelimiter returns the one most often found in the first line, quotes aside.
func guessDelimiter(start []byte) byte {
	if rest, ok := bytes.CutPrefix(start, []byte("sep=")); ok && len(rest) > 0 && bytes.IndexByte([]byte(",;\t|"), rest[0]) >= 0 {
		return rest[0]
	}
	start = bytes.TrimLeft(start, "\r\n")
	counts := map[byte]int{}
	quoted := false
	for _, c := range start {
		if c == '"' {
			quoted = !quoted
		} else if !quoted && (c == '\r' || c == '\n') {
			break
		} else if !quoted {
			counts[c]++
		}
	}
	best := byte(',')
	for _, c := range []byte(";\t|") {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return best
}

func (s *textSource) close() {} // the file is the File's

func (s *textSource) next() (record, error) {
	for {
		rec, err := s.read()
		if err != nil {
			return record{}, err
		}
		if len(rec.cells) > MaxColumns && !s.begun {
			return record{}, refuse(TooWide, "keep the columns that are needed", "has %d columns, at most %d", len(rec.cells), MaxColumns)
		}
		if !rec.blank() {
			s.begun = true
			return rec, nil
		}
	}
}

// read returns the next record, blank or not.
func (s *textSource) read() (record, error) {
	s.number++
	rec := record{number: s.number}
	var cell []byte
	problem := func(what, fix string) {
		rec.problems = append(rec.problems, Problem{Column: ColumnLetter(len(rec.cells) + 1), What: what, Fix: fix})
	}
	finish := func() {
		if bytes.IndexByte(cell, 0) >= 0 {
			problem("it holds a NUL character, which no list needs", "type the cell's text anew")
		}
		if len(rec.cells) < MaxColumns+1 { // one more than allowed tells that there are too many
			rec.cells = append(rec.cells, unguard(string(cell)))
		}
		cell = cell[:0]
	}
	const (
		start  = iota // of a cell
		bare          // in a cell without quotes
		quoted        // in a cell with quotes
		closed        // behind its second quote
	)
	state, any, total := start, false, 0
	for {
		c, err := s.in.ReadByte()
		if err == io.EOF {
			if state == quoted {
				return rec, s.openQuote(len(rec.cells) + 1)
			}
			if !any {
				return rec, io.EOF
			}
			finish()
			return rec, nil
		} else if err != nil {
			return rec, err
		}
		any = true
		if total++; total > MaxRowBytes {
			return rec, refuse(TooLarge, "split it", "has a row of more than %d bytes: row %d", MaxRowBytes, s.number)
		}
		if len(cell) >= MaxCellBytes {
			if state == quoted {
				return rec, s.openQuote(len(rec.cells) + 1)
			}
			return rec, refuse(LongCell, "shorten it", "has a cell of more than %d bytes in row %d, column %s",
				MaxCellBytes, s.number, ColumnLetter(len(rec.cells)+1))
		}
		switch {
		case state == quoted && c == '"':
			state = closed
		case state == quoted:
			cell = append(cell, c)
		case state == closed && c == '"': // two quotes stand for one
			cell, state = append(cell, c), quoted
		case c == s.delimiter:
			finish()
			state = start
		case c == '\n' || c == '\r':
			if c == '\r' {
				if next, err := s.in.Peek(1); err == nil && next[0] == '\n' {
					if _, err := s.in.Discard(1); err != nil {
						return rec, err
					}
				}
			}
			finish()
			return rec, nil
		case state == start && c == '"':
			state = quoted
		case state == closed:
			problem("there is text behind its closing quote", "write a quote inside a cell twice")
			cell, state = append(cell, c), bare
		default:
			cell, state = append(cell, c), bare
		}
	}
}

// openQuote refuses a file whose cells cannot be told apart any more.
func (s *textSource) openQuote(column int) error {
	return refuse(OpenQuote, "close the quote, or write a quote that is part of the text twice",
		"has a quote in row %d, column %s that is never closed", s.number, ColumnLetter(column))
}
