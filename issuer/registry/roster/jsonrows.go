package roster

import (
	"io"
)

// openJSONRows opens a list of lists: rows of cells, with HXL's hashtags in one of
// the first.
func (f *File) openJSONRows() error {
	open := func() (source, error) {
		s := &jsonRows{j: f.newJSON()}
		return s, s.j.enter('[')
	}
	l, wrong, err := analyse("", false, open)
	if err != nil {
		return err
	} else if wrong != nil {
		return wrong.FileError
	}
	if l.form != hxlForm {
		return refuse(WrongKind, "export the list as CSV or XLSX", "is JSON rows without HXL hashtags")
	}
	f.format = HXLJSON
	t := f.addGrid("", l, open)
	in, err := t.open() // all of it, so that no damage comes behind the first row
	for err == nil {
		_, err = in.next()
	}
	if err != io.EOF {
		return err
	}
	return nil
}

// jsonRows reads rows of cells.
type jsonRows struct {
	j      *jsonReader
	number int
}

func (s *jsonRows) close() {}

func (s *jsonRows) next() (record, error) {
	for {
		more, err := s.j.more()
		if err == nil && !more {
			if err = s.j.end(); err == nil {
				err = io.EOF
			}
		}
		if err != nil {
			return record{}, err
		}
		s.number++
		s.j.left = MaxRowBytes
		rec := record{number: s.number}
		err = s.j.items(func(i int) error {
			if i >= MaxColumns {
				return refuse(TooWide, "keep the columns that are needed", "has more than %d cells in row %d", MaxColumns, s.number)
			}
			cell, err := s.j.scalar()
			rec.cells = append(rec.cells, cell)
			return err
		})
		if err != nil {
			return record{}, err
		}
		if s.j.broken {
			s.j.broken = false
			rec.problems = append(rec.problems, Problem{What: "a text in it holds half a character", Fix: "type the text anew"})
		}
		s.j.left = 1 << 30
		if !rec.blank() {
			return rec, nil
		}
	}
}
