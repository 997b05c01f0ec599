package roster

import (
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// sheetSource reads the rows of a sheet (ECMA-376 part 1, 18.3.1.73) as a stream.
type sheetSource struct {
	book   *book
	in     *tokens
	number int  // of the last row
	watch  bool // note which cells are numbers
}

func (s *sheetSource) close() { s.in.close() }

func (s *sheetSource) next() (record, error) {
	for {
		token, err := s.in.next()
		if err != nil {
			s.in.close()
			return record{}, err
		}
		if tag, ok := token.(xml.StartElement); !ok || tag.Name.Local != "row" {
			continue
		} else if rec, err := s.row(tag); err != nil {
			return record{}, err
		} else if !rec.blank() {
			return rec, nil
		}
	}
}

// row reads the cells of the row whose tag was just read. Rows and cells say
// where they are, or follow the one before.
func (s *sheetSource) row(tag xml.StartElement) (record, error) {
	number := s.number + 1
	if r := attr(tag, "r"); r != "" {
		n, err := strconv.Atoi(r)
		if err != nil || n <= s.number || n > MaxRows {
			return record{}, refuse(Damaged, "open it with a spreadsheet program and save it anew",
				"is damaged: %q: row %q behind row %d", s.in.part, r, s.number)
		}
		number = n
	}
	if number > MaxRows {
		return record{}, refuse(TooLarge, "split it", "has more than %d rows", MaxRows)
	}
	s.number = number
	rec := record{number: number}
	column, size := 0, 0 // of the last cell; of all
	for end := s.in.depth; ; {
		token, err := s.in.next()
		if err != nil {
			return rec, err // io.EOF cannot come: the row is open
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Local != "c" {
				continue
			}
			before := column
			column++
			if r := attr(token, "r"); r != "" {
				letters := strings.TrimRight(r, "0123456789")
				if column = columnNumber(letters); column <= before || letters+strconv.Itoa(number) != r {
					return rec, refuse(Damaged, "open it with a spreadsheet program and save it anew",
						"is damaged: %q: cell %.20q in row %d", s.in.part, r, number)
				}
			}
			if column > MaxColumns {
				return rec, refuse(TooWide, "keep the columns that are needed", "has a cell in row %d, column %s; it may have %d columns, up to %s",
					number, ColumnLetter(column), MaxColumns, ColumnLetter(MaxColumns))
			}
			value, wrong, err := s.cell(token)
			if err != nil {
				return rec, err
			}
			if wrong.What == "" && strings.IndexByte(value, 0) >= 0 {
				wrong = Problem{What: "it holds a NUL character, which no list needs", Fix: "type the cell's text anew"}
			}
			if wrong.What != "" {
				wrong.Column = ColumnLetter(column)
				rec.problems = append(rec.problems, wrong)
			}
			if value == "" {
				continue // formatted and empty: sheets are full of them
			}
			for len(rec.cells) < column-1 {
				rec.cells = append(rec.cells, "")
			}
			rec.cells = append(rec.cells, unguard(value))
			if size += len(value); size > MaxRowBytes {
				return rec, refuse(TooLarge, "split it", "has a row of more than %d bytes: row %d", MaxRowBytes, number)
			}
			if kind := attr(token, "t"); s.watch && (kind == "" || kind == "n") && isWhole(value) {
				rec.numbers = append(rec.numbers, column-1)
			}
		case xml.EndElement:
			if s.in.depth < end {
				return rec, nil
			}
		}
	}
}

// cell reads to the end of the c element just begun (ECMA-376 part 1, 18.3.1.4).
// A formula counts by the value stored with it, or not at all (Options.Typed); it is never
// evaluated.
func (s *sheetSource) cell(tag xml.StartElement) (value string, wrong Problem, err error) {
	var v strings.Builder
	text, formula, in := "", false, ""
	for end := s.in.depth; ; {
		token, err := s.in.next()
		if err != nil {
			return "", wrong, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			switch in = token.Name.Local; in {
			case "is":
				if text, err = s.in.richText(); err != nil {
					return "", wrong, err
				}
				in = ""
			case "f":
				formula = true
			}
			continue
		case xml.CharData:
			if in == "v" {
				if v.Len()+len(token) > MaxCellBytes {
					return "", wrong, refuse(LongCell, "shorten it", "has a cell of more than %d bytes in %q", MaxCellBytes, s.in.part)
				}
				v.Write(token)
			}
			continue
		case xml.EndElement:
			if in = ""; s.in.depth >= end {
				continue
			}
		}
		break
	}
	raw := v.String()
	if formula && s.book.typed {
		return "", Problem{What: IsFormula, Fix: "type the value instead"}, nil
	}
	if formula && raw == "" && attr(tag, "t") != "str" { // a text may be empty: IF(A2="","",A2)
		return "", Problem{What: "its formula has no stored value", Fix: "open the file with a spreadsheet program, save it, and try again"}, nil
	}
	switch kind := attr(tag, "t"); kind {
	case "inlineStr":
		return text, wrong, nil
	case "s":
		if raw == "" {
			return "", wrong, nil
		}
		i, err := strconv.Atoi(raw)
		if err != nil || i < 0 || i >= len(s.book.strings) {
			return "", wrong, refuse(Damaged, "open it with a spreadsheet program and save it anew", "is damaged: %q: text number %.20q", s.in.part, raw)
		}
		return s.book.strings[i], wrong, nil
	case "str":
		return unescape(raw), wrong, nil
	case "b":
		return map[string]string{"0": "FALSE", "1": "TRUE"}[raw], wrong, nil
	case "e":
		return raw, Problem{What: fmt.Sprintf("it holds the error %.20s", raw), Fix: "mend the formula, or type the value"}, nil
	case "d":
		return strings.Replace(raw, "T", " ", 1), wrong, nil
	case "", "n":
		value, wrong = s.amount(raw, attr(tag, "s"))
		return value, wrong, nil
	default:
		return "", wrong, refuse(Damaged, "open it with a spreadsheet program and save it anew", "is damaged: %q: a cell of kind %.20q", s.in.part, kind)
	}
}

// exact is the first whole number that no program keeps to the last digit: they
// count with 53 bits. Spreadsheets make a zero of the 16th digit already.
const (
	exact  = 1 << 53
	digits = 1_000_000_000_000_000
)

// rounded reports whether a whole number may have lost digits.
func rounded(n float64) bool {
	n = math.Abs(n)
	return n == math.Trunc(n) && (n >= exact || n >= digits && int64(n)%10 == 0)
}

// isWhole reports whether a number is written with digits alone.
func isWhole(s string) bool {
	s = strings.TrimPrefix(s, "-")
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// amount returns a number as it was typed: the file keeps 17 digits of what the
// screen shows as 15. Whole numbers keep their digits, and get the zeros in front
// that their format shows. A number whose format shows a date is one, as 2006-01-02.
func (s *sheetSource) amount(raw, style string) (string, Problem) {
	n, err := strconv.ParseFloat(raw, 64)
	if err != nil {
		return raw, Problem{}
	}
	zeros := 0
	if i, err := strconv.Atoi(style); err == nil && i >= 0 && i < len(s.book.dates) {
		if s.book.dates[i] {
			if date, ok := dateOf(n, s.book.from); ok {
				return date, Problem{}
			}
		}
		zeros = s.book.zeros[i]
	}
	if rounded(n) {
		return raw, Problem{What: "it holds a number of more than 15 digits, which spreadsheets round",
			Fix: "format the column as text and copy the numbers in anew"}
	}
	if !isWhole(raw) {
		raw = strconv.FormatFloat(n, 'f', -1, 64)
	}
	if isWhole(raw) && raw[0] != '-' && len(raw) < zeros {
		raw = strings.Repeat("0", zeros-len(raw)) + raw
	}
	return raw, Problem{}
}

// dateOf returns the date and time of a day number, to the second. Day 60 of a
// 1900 workbook is the 29th of February 1900, which never was: the days before it
// count from one day later (ECMA-376 part 1, 18.17.4.1).
func dateOf(n float64, from int) (string, bool) {
	if !(n >= 0 && n < 2_958_466) { // to the end of 9999
		return "", false
	}
	days, part := math.Modf(n)
	seconds := int(math.Round(part * 86_400))
	var t time.Time
	switch {
	case from == 1904:
		t = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case days > 60:
		t = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	case days == 60:
		return "", false
	default:
		t = time.Date(1899, 12, 31, 0, 0, 0, 0, time.UTC)
	}
	t = t.AddDate(0, 0, int(days)).Add(time.Duration(seconds) * time.Second)
	switch {
	case seconds == 0:
		return t.Format(time.DateOnly), true
	case days == 0:
		return t.Format(time.TimeOnly), true
	}
	return t.Format(time.DateTime), true
}
