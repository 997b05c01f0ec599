package roster

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"

	"golang.org/x/text/encoding/unicode"
)

// maxJSONDepth is how deep lists and objects may stand in each other: a repeat in
// a repeat takes two.
const maxJSONDepth = 32

// jsonReader reads JSON (RFC 8259) as a stream, one value at a time, and what it
// holds in memory does not grow with the file. Numbers keep their digits.
//
// After an error it is not used again.
type jsonReader struct {
	in     *bufio.Reader
	line   int
	open   []bool // of each object and list around the place: has it had a value?
	ends   []byte // and how each of them ends
	text   []byte
	names  map[string]string // keys that came before, to be held once
	left   int               // bytes that may still be read
	broken bool              // a text since the last look held half a character
}

// newJSON starts reading a file from its beginning.
func (f *File) newJSON() *jsonReader {
	in, _ := f.plainText()
	return &jsonReader{in: bufio.NewReaderSize(in, 64<<10), line: 1, names: map[string]string{}, left: int(f.size)*2 + 64}
}

// plainText returns the file as UTF-8 without a byte order mark, and whether it
// is UTF-16.
func (f *File) plainText() (io.Reader, bool) {
	whole := io.NewSectionReader(f.file, 0, f.size)
	head := make([]byte, min(f.size, 4096))
	n, _ := whole.ReadAt(head, 0) // what is missing shows when it is read
	head = head[:n]
	if order, wide := utf16Order(head); wide {
		return unicode.UTF16(order, unicode.UseBOM).NewDecoder().Reader(whole), true
	}
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		return io.NewSectionReader(f.file, 3, f.size-3), false
	}
	return whole, false
}

func (j *jsonReader) damaged(what string) error {
	return refuse(Damaged, "export it again", "is damaged: line %d: %s", j.line, what)
}

// failed says what a read that failed means.
func (j *jsonReader) failed(err error) error {
	if errors.Is(err, io.EOF) {
		return j.damaged("it breaks off")
	}
	return err
}

// peek returns the first byte of what comes next, blanks aside.
func (j *jsonReader) peek() (byte, error) {
	for {
		c, err := j.in.ReadByte()
		if err != nil {
			return 0, j.failed(err)
		}
		switch c {
		case '\n':
			j.line++
			fallthrough
		case ' ', '\t', '\r':
			if err := j.spend(1); err != nil {
				return 0, err
			}
		default:
			return c, j.in.UnreadByte()
		}
	}
}

// take consumes the byte that peek returned.
func (j *jsonReader) take() error {
	_, err := j.in.Discard(1)
	if err != nil {
		return j.failed(err)
	}
	return j.spend(1)
}

// spend counts bytes that were read against what may be read.
func (j *jsonReader) spend(n int) error {
	if j.left -= n; j.left < 0 {
		return refuse(TooLarge, "split it", "has a submission of more than %d bytes: line %d", MaxRowBytes, j.line)
	}
	return nil
}

// enter begins an object, '{', or a list, '['.
func (j *jsonReader) enter(start byte) error {
	c, err := j.peek()
	if err != nil {
		return err
	}
	if c != start {
		return j.damaged("a " + string(start) + " is missing")
	}
	if len(j.open) >= maxJSONDepth {
		return j.damaged("it is nested more than " + strconv.Itoa(maxJSONDepth) + " deep")
	}
	j.open, j.ends = append(j.open, false), append(j.ends, start+2) // ] and } are two behind [ and {
	return j.take()
}

// more reports whether the object or list goes on, and leaves it where it ends.
func (j *jsonReader) more() (bool, error) {
	c, err := j.peek()
	if err != nil {
		return false, err
	}
	here := len(j.open) - 1
	switch {
	case c == j.ends[here]:
		j.open, j.ends = j.open[:here], j.ends[:here]
		return false, j.take()
	case !j.open[here]:
		j.open[here] = true
		return true, nil
	case c != ',':
		return false, j.damaged("a comma is missing")
	}
	if err := j.take(); err != nil {
		return false, err
	}
	if c, err = j.peek(); err == nil && c == j.ends[here] {
		err = j.damaged("nothing stands behind a comma")
	}
	return err == nil, err
}

// key reads the name of a member, up to its value.
func (j *jsonReader) key() (string, error) {
	if err := j.str(); err != nil {
		return "", err
	}
	if len(j.text) > maxNameBytes {
		return "", j.damaged("a name of more than " + strconv.Itoa(maxNameBytes) + " bytes")
	}
	name, known := j.names[string(j.text)]
	if !known {
		name = string(j.text)
		if len(j.names) < 10*MaxColumns {
			j.names[name] = name
		}
	}
	if c, err := j.peek(); err != nil {
		return "", err
	} else if c != ':' {
		return "", j.damaged("a colon is missing")
	}
	return name, j.take()
}

// skip reads over a value of any kind.
func (j *jsonReader) skip() error {
	for depth := len(j.open); ; {
		c, err := j.peek()
		if err != nil {
			return err
		}
		if c == '{' || c == '[' {
			err = j.enter(c)
		} else {
			_, err = j.scalar()
		}
		for more := false; err == nil && !more && len(j.open) > depth; {
			if more, err = j.more(); more && err == nil && j.ends[len(j.ends)-1] == '}' {
				_, err = j.key()
			}
		}
		if err != nil || len(j.open) == depth {
			return err
		}
	}
}

// tree reads a value of any kind whole: map[string]any, []any or string.
func (j *jsonReader) tree() (any, error) {
	c, err := j.peek()
	if err != nil {
		return nil, err
	}
	switch c {
	case '{':
		out := map[string]any{}
		err := j.members(func(name string) (err error) {
			out[name], err = j.tree()
			return err
		})
		return out, err
	case '[':
		var out []any
		err := j.items(func(int) error {
			item, err := j.tree()
			out = append(out, item)
			return err
		})
		return out, err
	}
	return j.scalar()
}

// members calls yield for each member of an object; yield reads its value.
func (j *jsonReader) members(yield func(name string) error) error {
	if err := j.enter('{'); err != nil {
		return err
	}
	for {
		more, err := j.more()
		if err != nil || !more {
			return err
		}
		name, err := j.key()
		if err != nil {
			return err
		}
		if err := yield(name); err != nil {
			return err
		}
	}
}

// items calls yield for each item of a list, from 0; yield reads it.
func (j *jsonReader) items(yield func(i int) error) error {
	if err := j.enter('['); err != nil {
		return err
	}
	for i := 0; ; i++ {
		more, err := j.more()
		if err != nil || !more {
			return err
		}
		if err := yield(i); err != nil {
			return err
		}
	}
}

// end sees that nothing stands behind the value.
func (j *jsonReader) end() error {
	for {
		c, err := j.in.ReadByte()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case c == '\n':
			j.line++
		case c != ' ' && c != '\t' && c != '\r':
			return j.damaged("something stands behind its end")
		}
	}
}
