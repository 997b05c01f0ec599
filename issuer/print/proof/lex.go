package proof

import (
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"math"
	"unicode/utf16"
)

// A SyntaxError says that a file is not what is understood here.
type SyntaxError struct {
	What   string
	Offset int // in the file, or in the content stream that What names; 0 when it concerns no place
}

func (e *SyntaxError) Error() string {
	if e.Offset == 0 {
		return "proof: " + e.What
	}
	return fmt.Sprintf("proof: %s, at byte %d", e.What, e.Offset)
}

// The objects of ISO 32000-1 section 7.3: float64 for numbers, bool, nil, and
type (
	name    string // without its slash
	text    []byte // what ( ) or < > hold
	ref     int    // of an object, generation 0
	dict    map[name]any
	keyword string // an operator, or obj, stream, R
)

func (d dict) keys() iter.Seq[name] { return maps.Keys(d) }

// lexer reads objects from b. It never goes back further than one token.
type lexer struct {
	b []byte
	i int
}

func (l *lexer) errorf(format string, args ...any) error {
	return &SyntaxError{fmt.Sprintf(format, args...), l.i}
}

const (
	maxDepth  = 12   // arrays and dictionaries in one another
	maxString = 4096 // bytes of one string
)

// kind tells white space and delimiters from the rest (section 7.2.2).
var kind = func() (k [256]byte) {
	for _, c := range "\x00\t\n\f\r " {
		k[c] = ' '
	}
	for _, c := range "()<>[]{}/%" {
		k[c] = '('
	}
	return k
}()

func (l *lexer) skip() {
	for l.i < len(l.b) {
		switch {
		case kind[l.b[l.i]] == ' ':
			l.i++
		case l.b[l.i] == '%':
			for l.i < len(l.b) && l.b[l.i] != '\n' && l.b[l.i] != '\r' {
				l.i++
			}
		default:
			return
		}
	}
}

// word returns the regular characters from here on.
func (l *lexer) word() []byte {
	from := l.i
	for l.i < len(l.b) && kind[l.b[l.i]] == 0 {
		l.i++
	}
	return l.b[from:l.i]
}

// next returns the next object or keyword, and keyword("") at the end.
func (l *lexer) next(depth int) (any, error) {
	l.skip()
	if l.i >= len(l.b) {
		return keyword(""), nil
	}
	if depth > maxDepth {
		return nil, l.errorf("more than %d objects in one another", maxDepth)
	}
	switch c := l.b[l.i]; {
	case c == '/':
		l.i++
		w := l.word()
		if len(w) == 0 || len(w) > 127 {
			return nil, l.errorf("a name of %d bytes", len(w))
		}
		for _, c := range w {
			if c == '#' || c < '!' || c > '~' {
				return nil, l.errorf("a name with other than plain letters")
			}
		}
		return name(w), nil
	case c == '<' && l.at(1) == '<':
		l.i += 2
		return l.dict(depth)
	case c == '<':
		return l.hexString()
	case c == '(':
		return l.literal()
	case c == '[':
		l.i++
		return l.array(depth)
	case c == '+' || c == '-' || c == '.' || c >= '0' && c <= '9':
		return l.number()
	case kind[c] == 0:
		switch w := keyword(l.word()); w {
		case "true", "false":
			return w == "true", nil
		case "null":
			return nil, nil
		default:
			if len(w) > 16 {
				return nil, l.errorf("an unknown word")
			}
			return w, nil
		}
	}
	return nil, l.errorf("unexpected %q", l.b[l.i])
}

func (l *lexer) at(k int) byte {
	if l.i+k < len(l.b) {
		return l.b[l.i+k]
	}
	return 0
}

// number reads an integer or a decimal fraction; PDF has no exponents.
func (l *lexer) number() (float64, error) {
	w := l.word()
	if len(w) > 24 {
		return 0, l.errorf("a number of %d digits", len(w))
	}
	sign, i := 1.0, 0
	switch w[0] {
	case '-':
		sign, i = -1, 1
	case '+':
		i = 1
	}
	value, scale, digits := 0.0, 0.0, 0
	for ; i < len(w); i++ {
		switch c := w[i]; {
		case c >= '0' && c <= '9':
			value = value*10 + float64(c-'0')
			scale *= 10
			digits++
		case c == '.' && scale == 0:
			scale = 1
		default:
			return 0, l.errorf("not a number")
		}
	}
	if digits == 0 {
		return 0, l.errorf("not a number")
	}
	if scale > 1 {
		value /= scale
	}
	return sign * value, nil
}

func (l *lexer) array(depth int) ([]any, error) {
	var list []any
	for {
		l.skip()
		if l.at(0) == ']' {
			l.i++
			return list, nil
		}
		v, err := l.next(depth + 1)
		if err != nil {
			return nil, err
		}
		if w, ok := v.(keyword); ok {
			if list, err = l.reference(list, w); err != nil {
				return nil, err
			}
			continue
		}
		list = append(list, v)
	}
}

// reference replaces the two numbers before an R by what they mean.
func (l *lexer) reference(list []any, w keyword) ([]any, error) {
	if n := len(list); w == "R" && n >= 2 {
		if number, ok := whole(list[n-2]); ok && number > 0 && list[n-1] == 0.0 {
			return append(list[:n-2], ref(number)), nil
		}
	}
	return nil, l.errorf("%q within an object", string(w))
}

func (l *lexer) dict(depth int) (dict, error) {
	d := dict{}
	var list []any // keys and values in turn
	for {
		l.skip()
		if l.at(0) == '>' && l.at(1) == '>' {
			l.i += 2
			break
		}
		v, err := l.next(depth + 1)
		if err != nil {
			return nil, err
		}
		if w, ok := v.(keyword); ok {
			if list, err = l.reference(list, w); err != nil {
				return nil, err
			}
			continue
		}
		list = append(list, v)
	}
	for i := 0; i < len(list); i += 2 {
		key, ok := list[i].(name)
		if !ok || i+1 == len(list) {
			return nil, l.errorf("a dictionary that is not keys and values")
		}
		if _, twice := d[key]; twice {
			return nil, l.errorf("a dictionary with /%s twice", string(key))
		}
		d[key] = list[i+1]
	}
	return d, nil
}

func (l *lexer) hexString() (text, error) {
	l.i++
	var digits []byte
	for ; l.i < len(l.b); l.i++ {
		c := l.b[l.i]
		switch {
		case c == '>':
			l.i++
			if len(digits)%2 == 1 {
				digits = append(digits, '0')
			}
			s := make(text, len(digits)/2)
			if _, err := hex.Decode(s, digits); err != nil {
				return nil, l.errorf("a string of other than hex digits")
			}
			return s, nil
		case kind[c] == ' ':
		default:
			digits = append(digits, c)
		}
		if len(digits) > 2*maxString {
			break
		}
	}
	return nil, l.errorf("a string without an end")
}

// literal reads a string in parentheses, of which \ \( \) are the only escapes
// that are written.
func (l *lexer) literal() (text, error) {
	s, open := text{}, 0
	for ; l.i < len(l.b) && len(s) <= maxString; l.i++ {
		c := l.b[l.i]
		switch c {
		case '(':
			if open++; open == 1 {
				continue
			}
		case ')':
			if open--; open == 0 {
				l.i++
				return s, nil
			}
		case '\\':
			l.i++
			if c = l.at(0); c != '\\' && c != '(' && c != ')' {
				return nil, l.errorf("an escape in a string")
			}
		}
		s = append(s, c)
	}
	return nil, l.errorf("a string without an end")
}

// whole returns v as a number of the kind that counts things.
func whole(v any) (int, bool) {
	f, ok := v.(float64)
	if !ok || f < 0 || f > math.MaxInt32 || f != math.Trunc(f) {
		return 0, false
	}
	return int(f), true
}

// textString undoes section 7.9.2.2: UTF-16 behind its mark, and otherwise ASCII.
func textString(s text) string {
	if len(s) < 2 || s[0] != 0xfe || s[1] != 0xff {
		return string(s)
	}
	units := make([]uint16, 0, len(s)/2)
	for i := 2; i+1 < len(s); i += 2 {
		units = append(units, uint16(s[i])<<8|uint16(s[i+1]))
	}
	return string(utf16.Decode(units))
}
