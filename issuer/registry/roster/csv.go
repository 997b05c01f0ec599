package roster

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// encodings a CSV may be said to have. Old spreadsheets write the one of their
// machine's language, and no file says which.
var encodings = map[string]encoding.Encoding{
	"windows-1250": charmap.Windows1250, "windows-1251": charmap.Windows1251, "windows-1252": charmap.Windows1252,
	"windows-1254": charmap.Windows1254, "windows-1256": charmap.Windows1256, "iso-8859-1": charmap.ISO8859_1,
}

const encodingFix = "save it as CSV UTF-8, or name its encoding (windows-1256 for Arabic, windows-1252 for French or Spanish)"

// textSource reads records of RFC 4180, with any of , ; tab | between the cells
// and any line end, a lone CR too. A quote inside a cell without quotes stands for
// itself, as most programs write it.
type textSource struct {
	in        *bufio.Reader
	delimiter byte
	number    int // of the last record
	width     int // cells of the header; 0 before it
}

// openText checks that the whole file is text in one encoding, and finds the delimiter.
func openText(file io.ReaderAt, size int64, named string) (*textSource, error) {
	if size > MaxTextBytes {
		return nil, refuse("split it", "has %d bytes, at most %d", size, int64(MaxTextBytes))
	}
	whole := io.NewSectionReader(file, 0, size)
	head := make([]byte, min(size, 64<<10))
	if _, err := whole.ReadAt(head, 0); err != nil {
		return nil, err
	}
	var in io.Reader = whole
	if order, wide := utf16Order(head); wide {
		in = transform.NewReader(whole, unicode.UTF16(order, unicode.UseBOM).NewDecoder())
	} else if named != "" && !strings.EqualFold(named, "utf-8") {
		known, ok := encodings[strings.ToLower(named)]
		if !ok {
			return nil, refuse(encodingFix, "cannot be read as %q", named)
		}
		in = known.NewDecoder().Reader(whole)
	} else if line, err := invalidLine(io.NewSectionReader(file, 0, size)); err != nil {
		return nil, err
	} else if line > 0 {
		return nil, refuse(encodingFix, "is not UTF-8: see line %d", line)
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

// utf16Order tells UTF-16 by its byte order mark, or by every second byte being zero.
func utf16Order(head []byte) (unicode.Endianness, bool) {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return unicode.LittleEndian, true
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return unicode.BigEndian, true
	}
	var zeros [2]int
	for i, c := range head {
		if c == 0 {
			zeros[i%2]++
		}
	}
	switch half := len(head) / 2; {
	case half > 1 && zeros[1]*10 > half*4 && zeros[0] == 0:
		return unicode.LittleEndian, true
	case half > 1 && zeros[0]*10 > half*4 && zeros[1] == 0:
		return unicode.BigEndian, true
	}
	return unicode.LittleEndian, false
}

// invalidLine returns the first line, from 1, that is not UTF-8; 0 when all are.
func invalidLine(r io.Reader) (int, error) {
	in, line := bufio.NewReaderSize(r, 64<<10), 1
	for {
		c, size, err := in.ReadRune()
		switch {
		case err == io.EOF:
			return 0, nil
		case err != nil:
			return 0, err
		case c == utf8.RuneError && size == 1:
			return line, nil
		case c == '\n':
			line++
		}
	}
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

func (s *textSource) next() (record, error) {
	for {
		rec, err := s.read()
		if err != nil {
			return record{}, err
		}
		if rec.blank() {
			continue
		}
		if s.width == 0 {
			if len(rec.cells) > MaxColumns {
				return record{}, refuse("keep the columns that are needed", "has %d columns, at most %d", len(rec.cells), MaxColumns)
			}
			s.width = len(rec.cells)
			return rec, nil
		}
		// Cells without a name are let pass while nothing is in them.
		for len(rec.cells) > s.width && strings.TrimSpace(rec.cells[len(rec.cells)-1]) == "" {
			rec.cells = rec.cells[:len(rec.cells)-1]
		}
		if n := len(rec.cells); n != s.width {
			rec.problems = append(rec.problems, Problem{
				What: fmt.Sprintf("it has %d cells, the header has %d", n, s.width),
				Fix:  "put quotes around a cell that holds the separator, and add or remove separators",
			})
		}
		return rec, nil
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
			rec.cells = append(rec.cells, string(cell))
		}
		cell = cell[:0]
	}
	const (
		start  = iota // of a cell
		bare          // in a cell without quotes
		quoted        // in a cell with quotes
		closed        // behind its second quote
	)
	state, any := start, false
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
		if len(cell) >= MaxCellBytes {
			if state == quoted {
				return rec, s.openQuote(len(rec.cells) + 1)
			}
			return rec, refuse("shorten it", "has a cell of more than %d bytes in row %d, column %s",
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
	return refuse("close the quote, or write a quote that is part of the text twice",
		"has a quote in row %d, column %s that is never closed", s.number, ColumnLetter(column))
}
