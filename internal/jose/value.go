package jose

import (
	"slices"
	"strconv"
	"strings"
)

// Kind says what a JSON value is.
type Kind uint8

// The kinds. Missing is what Get returns for a member that is not there.
const (
	Missing Kind = iota
	Null
	Boolean
	Number
	String
	Array
	Object
)

// Value is one JSON value. The zero Value is Missing.
type Value struct {
	Kind Kind
	// Text is the content of a String, or a Number or Boolean as written.
	Text string
	// Items are the elements of an Array.
	Items []Value
	// Members are those of an Object, in the order written, each name once.
	Members []Member
}

// Member is one name of an object with its value.
type Member struct {
	Name  string
	Value Value
}

// StringOf returns s as a value. s must be UTF-8.
func StringOf(s string) Value { return Value{Kind: String, Text: s} }

// IntOf returns n as a value.
func IntOf(n int64) Value { return Value{Kind: Number, Text: strconv.FormatInt(n, 10)} }

// BoolOf returns b as a value.
func BoolOf(b bool) Value { return Value{Kind: Boolean, Text: strconv.FormatBool(b)} }

// ArrayOf returns an array of items.
func ArrayOf(items ...Value) Value { return Value{Kind: Array, Items: items} }

// ObjectOf returns an object of members in the order given.
func ObjectOf(members ...Member) Value { return Value{Kind: Object, Members: members} }

// Get returns the member of v called name, by its exact case; a Missing value
// if v has none or is not an object.
func (v Value) Get(name string) Value {
	for i := range v.Members {
		if v.Members[i].Name == name {
			return v.Members[i].Value
		}
	}
	return Value{}
}

// Int returns the number v if it is written as a whole one (no fraction, no
// exponent, no minus zero) and fits; 1e9 and "1" do not.
func (v Value) Int() (n int64, ok bool) {
	if v.Kind != Number || v.Text == "-0" {
		return 0, false
	}
	n, err := strconv.ParseInt(v.Text, 10, 64)
	return n, err == nil
}

// Bool returns the truth value v; ok is false if v is none.
func (v Value) Bool() (b, ok bool) { return v.Text == "true", v.Kind == Boolean }

// Sorted returns v with the members of every object in it in bytewise order of
// their names. It shares no slices of members with v.
func (v Value) Sorted() Value {
	v.Items = slices.Clone(v.Items)
	for i := range v.Items {
		v.Items[i] = v.Items[i].Sorted()
	}
	v.Members = slices.Clone(v.Members)
	for i := range v.Members {
		v.Members[i].Value = v.Members[i].Value.Sorted()
	}
	slices.SortStableFunc(v.Members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	return v
}

// Append appends v as JSON without white space, members in their order. Strings
// are escaped as RFC 8785 3.2.2.2 says: only what must be, in its shortest form.
// A Missing value is written as null.
func (v Value) Append(dst []byte) []byte {
	switch v.Kind {
	case Boolean, Number:
		return append(dst, v.Text...)
	case String:
		return appendString(dst, v.Text)
	case Array:
		dst = append(dst, '[')
		for i := range v.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = v.Items[i].Append(dst)
		}
		return append(dst, ']')
	case Object:
		dst = append(dst, '{')
		for i := range v.Members {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendString(dst, v.Members[i].Name), ':')
			dst = v.Members[i].Value.Append(dst)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		if k := strings.IndexByte("\"\\\b\f\n\r\t", c); k >= 0 {
			dst = append(dst, '\\', `"\bfnrt`[k])
		} else {
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(dst, s[from:]...), '"')
}
