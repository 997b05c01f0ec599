package jose

import (
	"errors"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// Limits bounds the JSON that is read.
type Limits struct {
	Depth   int // arrays and objects inside each other, at most
	Entries int // elements of one array, or members of one object, at most
	Values  int // values in all, at most
}

// DefaultLimits are those of claims.
var DefaultLimits = Limits{Depth: 16, Entries: 256, Values: 4096}

// headerLimits are tighter: a header is read before anything is proved.
var headerLimits = Limits{Depth: 8, Entries: 64, Values: 256}

// ParseJSON reads the one JSON value that b holds, white space around it.
//
// It takes RFC 8259 and no more: UTF-8 without a byte order mark, no lone
// surrogates, no two members of one name after unescaping. Numbers stay the
// text they are. Where b has several faults, the first of these is reported:
// ErrMalformed (also deeper than lim.Depth), ErrTooLarge, ErrDuplicate. The
// result holds copies, not parts, of b.
func ParseJSON(b []byte, lim Limits) (Value, error) {
	p := parser{in: b, lim: lim}
	p.space()
	v, err := p.value(lim.Depth)
	if err != nil {
		return Value{}, err
	}
	p.space()
	switch {
	case p.at != len(b):
		return Value{}, malformed("JSON with something after it")
	case p.large:
		return Value{}, fmt.Errorf("%w: JSON with too many entries", ErrTooLarge)
	case p.twice != nil:
		return Value{}, fmt.Errorf("%w: %.40q", ErrDuplicate, *p.twice)
	}
	return v, nil
}

// parser is the state of one reading. large and twice wait for the end, since
// a malformed rest outranks them.
type parser struct {
	in     []byte
	at     int
	lim    Limits
	values int
	large  bool
	twice  *string // a name met twice
}

// peek returns the next byte, 0 at the end. A NUL in the input is no token
// either, so the two need not be told apart.
func (p *parser) peek() byte {
	if p.at < len(p.in) {
		return p.in[p.at]
	}
	return 0
}

func (p *parser) space() {
	for p.at < len(p.in) {
		switch p.in[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// value reads one value; depth is how many arrays and objects it may open.
func (p *parser) value(depth int) (v Value, err error) {
	if p.values++; p.values > p.lim.Values {
		p.large = true
	}
	switch c := p.peek(); {
	case c == '"':
		v.Kind = String
		v.Text, err = p.str()
	case c == '{' || c == '[':
		if depth == 0 {
			return v, malformed("JSON nested too deeply")
		}
		p.at++
		if c == '[' {
			v.Kind = Array
			v.Items, err = p.array(depth - 1)
		} else {
			v.Kind = Object
			v.Members, err = p.object(depth - 1)
		}
	case c == '-' || digit(c):
		v.Kind = Number
		v.Text, err = p.number()
	case p.word("true"), p.word("false"):
		v = BoolOf(c == 't')
	case p.word("null"):
		v.Kind = Null
	default:
		err = malformed("no JSON value where one must be")
	}
	return v, err
}

func (p *parser) word(w string) bool {
	if len(p.in)-p.at < len(w) || string(p.in[p.at:p.at+len(w)]) != w {
		return false
	}
	p.at += len(w)
	return true
}

// next reads what stands between entries: white space, then a comma before
// every entry but the first, or the closing bracket. n entries were read.
func (p *parser) next(n int, closing byte) (more bool, err error) {
	p.space()
	switch {
	case p.peek() == closing:
		p.at++
		return false, nil
	case n == 0:
		return true, nil
	case p.peek() == ',':
		p.at++
		p.space()
		return true, nil
	}
	return false, malformed("JSON entries not divided by a comma")
}

// An entry over the limits is read, for its faults, and not kept.
func (p *parser) array(depth int) (items []Value, err error) {
	for n := 0; ; n++ {
		more, err := p.next(n, ']')
		if err != nil || !more {
			return items, err
		}
		v, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		if p.large = p.large || n >= p.lim.Entries; !p.large {
			items = append(items, v)
		}
	}
}

func (p *parser) object(depth int) (members []Member, err error) {
	for n := 0; ; n++ {
		more, err := p.next(n, '}')
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		if p.peek() != '"' {
			return nil, malformed("a JSON member without a name")
		}
		name, err := p.str()
		if err != nil {
			return nil, err
		}
		p.space()
		if p.peek() != ':' {
			return nil, malformed("a JSON member without a value")
		}
		p.at++
		p.space()
		v, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		if p.large = p.large || n >= p.lim.Entries; !p.large {
			if members == nil {
				members = make([]Member, 0, 4) // as many as a small object has
			}
			members = append(members, Member{name, v})
		}
	}
	p.checkNames(members)
	return members, nil
}

// checkNames looks for a name met twice: pair by pair in the small objects of
// real tokens.
func (p *parser) checkNames(members []Member) {
	if len(members) <= 16 {
		for i := range members {
			for j := range i {
				if members[i].Name == members[j].Name {
					p.twice = &members[i].Name
					return
				}
			}
		}
		return
	}
	met := make(map[string]bool, len(members))
	for i := range members {
		name := &members[i].Name
		if met[*name] {
			p.twice = name
			return
		}
		met[*name] = true
	}
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// number reads -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
//
// RFC 8259 section 6.
func (p *parser) number() (string, error) {
	from := p.at
	if p.peek() == '-' {
		p.at++
	}
	switch c := p.peek(); {
	case c == '0':
		p.at++
	case !p.digits():
		return "", malformed("a JSON number without digits")
	}
	if p.peek() == '.' {
		p.at++
		if !p.digits() {
			return "", malformed("a JSON number that ends in a point")
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.at++
		if c := p.peek(); c == '+' || c == '-' {
			p.at++
		}
		if !p.digits() {
			return "", malformed("a JSON number without its exponent")
		}
	}
	return string(p.in[from:p.at]), nil
}

func (p *parser) digits() bool {
	from := p.at
	for digit(p.peek()) {
		p.at++
	}
	return p.at > from
}

var errString = errors.New("a JSON string that is not one")

// str reads a string from its opening to its closing quote.
func (p *parser) str() (string, error) {
	p.at++
	from := p.at
	for p.at < len(p.in) {
		switch c := p.in[p.at]; {
		case c == '"':
			plain := p.in[from:p.at]
			if !utf8.Valid(plain) {
				return "", malformed("JSON that is not UTF-8")
			}
			p.at++
			return string(plain), nil
		case c == '\\':
			return p.escaped(append([]byte(nil), p.in[from:p.at]...))
		case c < ' ':
			return "", malformed("a control character in a JSON string")
		}
		p.at++
	}
	return "", malformed("a JSON string without an end")
}

// escaped reads on from the first backslash; s is what came before it.
func (p *parser) escaped(s []byte) (string, error) {
	for p.at < len(p.in) {
		c := p.in[p.at]
		p.at++
		switch {
		case c == '"':
			if !utf8.Valid(s) {
				return "", malformed("JSON that is not UTF-8")
			}
			return string(s), nil
		case c < ' ':
			return "", malformed("a control character in a JSON string")
		case c != '\\':
			s = append(s, c)
		default:
			r, err := p.escape()
			if err != nil {
				return "", malformed(err.Error())
			}
			s = utf8.AppendRune(s, r)
		}
	}
	return "", malformed("a JSON string without an end")
}

// escape reads what follows a backslash.
func (p *parser) escape() (rune, error) {
	c := p.peek()
	p.at++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return p.unicode()
	}
	return 0, errString
}

// unicode reads the four digits of \u and, after a high surrogate, the low one
// that must follow: half a character is no text (RFC 8259 8.2).
func (p *parser) unicode() (rune, error) {
	r, ok := p.hex4()
	if !ok {
		return 0, errString
	}
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	if p.peek() != '\\' || p.at+1 >= len(p.in) || p.in[p.at+1] != 'u' {
		return 0, errors.New("half a character in a JSON string")
	}
	p.at += 2
	low, ok := p.hex4()
	if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
		return 0, errors.New("half a character in a JSON string")
	}
	return r, nil
}

func (p *parser) hex4() (r rune, ok bool) {
	if len(p.in)-p.at < 4 {
		return 0, false
	}
	for _, c := range p.in[p.at : p.at+4] {
		switch {
		case digit(c):
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	p.at += 4
	return r, true
}
