package roster

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

// maxMerged is how many cells of a sheet may be hidden under merged ones.
const maxMerged = 1_000_000

// merge is a cell that reaches over several rows (ECMA-376 part 1, 18.3.1.55).
type merge struct{ column, top, bottom int }

// merges returns the merged cells of a part that reach over several rows, from the
// top. They stand behind the rows, so the part is searched for them first; its
// bytes, since XML would be read five times slower.
func (b *book) merges(part string) ([]merge, error) {
	f := b.parts[strings.ToLower(part)]
	if f == nil {
		return nil, refuse(Damaged, "open it with a spreadsheet program and save it anew", "is damaged: %q is missing", part)
	}
	r, err := f.Open()
	if err != nil {
		return nil, refuse(Damaged, "send it again", "is damaged: %q: %v", part, err)
	}
	defer r.Close()
	in := bufio.NewReaderSize(r, 64<<10)
	var out []merge
	total := 0
	for {
		if _, err := in.ReadSlice('<'); errors.Is(err, bufio.ErrBufferFull) {
			continue
		} else if err == io.EOF {
			break
		} else if err != nil {
			return nil, refuse(Damaged, "send it again", "is damaged: %q: %v", part, err)
		}
		start, _ := in.Peek(256)
		tag, _, _ := bytes.Cut(start, []byte(">"))
		name, rest, _ := bytes.Cut(tag, []byte(" "))
		if _, local, ok := bytes.Cut(name, []byte(":")); ok {
			name = local
		}
		if string(name) != "mergeCell" {
			continue
		}
		_, ref, _ := bytes.Cut(rest, []byte(`ref=`))
		if len(ref) == 0 {
			continue
		}
		ref, _, _ = bytes.Cut(ref[1:], ref[:1])
		if m, ok := mergeOf(string(ref)); ok {
			if total += m.bottom - m.top; total > maxMerged {
				return nil, refuse(TooLarge, "take the merged cells apart", "has more than %d merged cells in %q", maxMerged, part)
			}
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b merge) int { return a.top - b.top })
	return out, nil
}

// mergeOf reads a range such as A3:B7.
func mergeOf(ref string) (merge, bool) {
	from, to, ok := strings.Cut(ref, ":")
	if !ok {
		return merge{}, false
	}
	letters := strings.TrimRight(from, "0123456789")
	top, err1 := strconv.Atoi(from[len(letters):])
	bottom, err2 := strconv.Atoi(strings.TrimLeft(to, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	m := merge{columnNumber(letters), top, min(bottom, MaxRows)}
	return m, err1 == nil && err2 == nil && m.column > 0 && m.column <= MaxColumns && top > 0 && m.top < m.bottom
}

// mergedRows gives each row the value of the cell that is merged over it, as the
// screen shows it.
type mergedRows struct {
	source
	merges []merge
	open   map[int]merge // by column, those over the current row
	value  map[int]string
}

func (s *mergedRows) next() (record, error) {
	rec, err := s.source.next()
	if err != nil {
		return rec, err
	}
	for len(s.merges) > 0 && s.merges[0].top <= rec.number {
		if m := s.merges[0]; m.top == rec.number && m.column <= len(rec.cells) {
			s.open[m.column], s.value[m.column] = m, rec.cells[m.column-1]
		}
		s.merges = s.merges[1:]
	}
	for column, m := range s.open {
		if rec.number > m.bottom {
			delete(s.open, column)
			continue
		}
		for len(rec.cells) < column {
			rec.cells = append(rec.cells, "")
		}
		if rec.cells[column-1] == "" {
			rec.cells[column-1] = s.value[column]
		}
	}
	return rec, nil
}
