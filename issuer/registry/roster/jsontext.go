package roster

import (
	"bytes"
	"io"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// scalar reads a text, a number, true, false or null, as text; null is "".
func (j *jsonReader) scalar() (string, error) {
	c, err := j.peek()
	if err != nil {
		return "", err
	}
	if c == '"' {
		err := j.str()
		return string(j.text), err
	}
	j.text = j.text[:0]
	for {
		c, err := j.in.ReadByte()
		if err == io.EOF {
			break
		} else if err != nil {
			return "", err
		}
		if c < '+' || c == ',' || c == ']' || c == '}' || c == ':' {
			if err := j.in.UnreadByte(); err != nil {
				return "", err
			}
			break
		}
		if j.text = append(j.text, c); len(j.text) > 400 {
			break
		}
	}
	if err := j.spend(len(j.text)); err != nil {
		return "", err
	}
	switch word := string(j.text); {
	case word == "null":
		return "", nil
	case word == "true", word == "false", isJSONNumber(word):
		return word, nil
	case word == "NaN": // Python writes it where no number came out
		return "", nil
	}
	return "", j.damaged("a value that is neither text, number, object nor list")
}

// isJSONNumber: RFC 8259 section 6.
func isJSONNumber(s string) bool {
	digits := func() bool {
		n := 0
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		s = s[n:]
		return n > 0
	}
	if s != "" && s[0] == '-' {
		s = s[1:]
	}
	if s != "" && s[0] == '0' {
		s = s[1:]
	} else if !digits() {
		return false
	}
	if s != "" && s[0] == '.' {
		if s = s[1:]; !digits() {
			return false
		}
	}
	if s != "" && (s[0] == 'e' || s[0] == 'E') {
		if s = s[1:]; s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		if !digits() {
			return false
		}
	}
	return s == ""
}

// str reads a text into j.text.
func (j *jsonReader) str() error {
	c, err := j.peek()
	if err != nil {
		return err
	}
	if c != '"' {
		return j.damaged("a text is missing")
	}
	if err := j.take(); err != nil {
		return err
	}
	j.text = j.text[:0]
	for {
		if _, err := j.in.Peek(1); err != nil {
			return j.failed(err)
		}
		here, _ := j.in.Peek(j.in.Buffered())
		n := 0
		for n < len(here) && here[n] != '"' && here[n] != '\\' && here[n] >= ' ' {
			n++
		}
		j.text = append(j.text, here[:n]...)
		if len(j.text) > MaxCellBytes {
			return refuse(LongCell, "shorten it", "has a text of more than %d bytes: line %d", MaxCellBytes, j.line)
		}
		ended := n < len(here)
		var c byte
		if ended {
			c = here[n]
			n++
		}
		if _, err := j.in.Discard(n); err != nil {
			return j.failed(err)
		}
		if err := j.spend(n); err != nil {
			return err
		}
		switch {
		case !ended:
		case c == '"':
			if !utf8.Valid(j.text) {
				return refuse(BadEncoding, "save it as UTF-8", "is not UTF-8: see line %d", j.line)
			}
			return nil
		case c == '\\':
			if err := j.escape(); err != nil {
				return err
			}
		default:
			return j.damaged("a line end or control character in a text")
		}
	}
}

// escape reads what stands behind a backslash.
func (j *jsonReader) escape() error {
	c, err := j.in.ReadByte()
	if err != nil {
		return j.failed(err)
	}
	if i := bytes.IndexByte([]byte(`"\/bfnrt`), c); i >= 0 {
		j.text = append(j.text, "\"\\/\b\f\n\r\t"[i])
		return j.spend(1)
	}
	if c != 'u' {
		return j.damaged("an escape that JSON does not have")
	}
	r, err := j.hex()
	if err != nil {
		return err
	}
	if utf16.IsSurrogate(r) {
		low := rune(utf8.RuneError)
		if next, err := j.in.Peek(2); err == nil && string(next) == `\u` {
			if _, err := j.in.Discard(2); err != nil {
				return j.failed(err)
			}
			if low, err = j.hex(); err != nil {
				return err
			}
		}
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			j.broken = true
		}
	}
	j.text = utf8.AppendRune(j.text, r)
	return j.spend(1)
}

func (j *jsonReader) hex() (rune, error) {
	digits := make([]byte, 4)
	if _, err := io.ReadFull(j.in, digits); err != nil {
		return 0, j.damaged("it breaks off")
	}
	n, err := strconv.ParseUint(string(digits), 16, 16)
	if err != nil {
		return 0, j.damaged("an escape that JSON does not have")
	}
	return rune(n), j.spend(4)
}
