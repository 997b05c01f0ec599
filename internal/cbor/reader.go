package cbor

// Kind says what an item is.
type Kind uint8

const (
	Invalid Kind = iota // no item: the end, a fault, or a lone break
	Uint
	Nint
	Bytes
	Text
	Array
	Map
	Tag
	Bool
	Null
	Undefined
	Float
	Simple // any other simple value
)

var kindNames = [...]string{"invalid", "uint", "nint", "bytes", "text", "array", "map", "tag", "bool", "null", "undefined", "float", "simple"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[Invalid]
}

// Reader steps through the items of bytes that passed a check. Every call
// takes the next item; arrays, maps and tags give their head, and their
// content follows item by item.
//
// The first fault stays: after it every call returns a zero value and Err
// tells what it was: ErrKind for another kind of item than asked for, ErrRange,
// ErrNonCanonical for an indefinite length, or ErrTruncated and ErrMalformed on
// bytes that were never checked. On such bytes a Reader neither panics nor
// counts more entries than there are bytes left.
//
// A Reader is a value: a copy is a bookmark. Its calls are kept out of line for
// the size of the browser binaries, see AppendHead.
type Reader struct {
	b   []byte
	err error
}

// NewReader reads b, which the results of Bytes, Text and Raw alias.
func NewReader(b []byte) Reader { return Reader{b: b} }

// Err returns the first fault.
func (r *Reader) Err() error { return r.err }

// Done tells that every byte was read, without a fault.
func (r *Reader) Done() bool { return r.err == nil && len(r.b) == 0 }

// Left is how many bytes were not read yet.
func (r *Reader) Left() int { return len(r.b) }

// Kind returns the kind of the next item without taking it: Invalid at the end
// and after a fault.
//
//go:noinline
func (r *Reader) Kind() Kind {
	if r.err != nil || len(r.b) == 0 {
		return Invalid
	}
	if major := r.b[0] >> 5; major != majorSimple {
		return Uint + Kind(major)
	}
	switch info := r.b[0] & 31; info {
	case 20, 21:
		return Bool
	case 22:
		return Null
	case 23:
		return Undefined
	case 25, 26, 27:
		return Float
	case 28, 29, 30, infoIndefinite:
		return Invalid
	}
	return Simple
}

// take takes the head of the next item, which must be of the given major type
// and of definite length, and returns its argument.
func (r *Reader) take(major byte) (arg uint64) {
	if r.err != nil {
		return 0
	}
	// Most heads are one byte.
	if len(r.b) > 0 && r.b[0]>>5 == major && r.b[0]&31 < 24 {
		arg = uint64(r.b[0] & 31)
		r.b = r.b[1:]
		return arg
	}
	got, info, arg, size, err := head(r.b)
	switch {
	case err != nil:
		r.err = err
	case got != major:
		r.err = ErrKind
	case info == infoIndefinite:
		r.err = ErrNonCanonical
	}
	if r.err != nil {
		return 0
	}
	r.b = r.b[size:]
	return arg
}

// Uint takes an unsigned integer.
//
//go:noinline
func (r *Reader) Uint() uint64 { return r.take(majorUint) }

// Int takes an integer of either sign; one outside int64 is ErrRange.
func (r *Reader) Int() int64 {
	major := byte(majorUint)
	if len(r.b) > 0 && r.b[0]>>5 == majorNint {
		major = majorNint
	}
	v := r.take(major)
	if v > 1<<63-1 {
		r.err = ErrRange
		return 0
	}
	if major == majorNint && r.err == nil {
		return -1 - int64(v)
	}
	return int64(v)
}

// Label takes a map key that is an integer; one outside int64 is ErrRange. Any
// other key is skipped and ok is false.
func (r *Reader) Label() (label int64, ok bool) {
	if len(r.b) > 0 && r.b[0] < 24 && r.err == nil {
		label = int64(r.b[0])
		r.b = r.b[1:]
		return label, true
	}
	switch r.Kind() {
	case Uint, Nint:
		label = r.Int()
		return label, r.err == nil
	}
	r.Skip()
	return 0, false
}

// Bytes takes a byte string.
//
//go:noinline
func (r *Reader) Bytes() []byte { return r.str(majorBytes) }

// Text takes a text string. Its UTF-8 is proven by the check before, not here.
//
//go:noinline
func (r *Reader) Text() []byte { return r.str(majorText) }

func (r *Reader) str(major byte) []byte {
	n := r.take(major)
	if n > uint64(len(r.b)) {
		r.err = short(n)
	}
	if r.err != nil {
		return nil
	}
	s := r.b[:n:n]
	r.b = r.b[n:]
	return s
}

// Array takes the head of an array and returns the number of its elements.
//
//go:noinline
func (r *Reader) Array() int { return r.count(majorArray, 1) }

// Map takes the head of a map and returns the number of its pairs.
//
//go:noinline
func (r *Reader) Map() int { return r.count(majorMap, 2) }

// count takes a head whose entries are at least size bytes each.
func (r *Reader) count(major byte, size int) int {
	n := r.take(major)
	if n > uint64(len(r.b)/size) {
		r.err = short(n)
		return 0
	}
	return int(n)
}

// Tag takes a tag; the item it names comes next.
func (r *Reader) Tag() uint64 { return r.take(majorTag) }

// Bool takes true or false.
func (r *Reader) Bool() bool {
	if !r.expect(Bool) {
		return false
	}
	v := r.b[0] == 0xf5
	r.b = r.b[1:]
	return v
}

// Null takes a null.
func (r *Reader) Null() {
	if r.expect(Null) {
		r.b = r.b[1:]
	}
}

// Float takes a float of any of the three widths. It does not take integers.
func (r *Reader) Float() float64 {
	if !r.expect(Float) {
		return 0
	}
	_, info, bits, size, err := head(r.b)
	if err != nil {
		r.err = err
		return 0
	}
	r.b = r.b[size:]
	return floatOf(info, bits)
}

// expect records a fault unless the next item is of kind k.
func (r *Reader) expect(k Kind) bool {
	if r.err == nil && r.Kind() != k {
		r.err = ErrKind
		if len(r.b) == 0 {
			r.err = ErrTruncated
		}
	}
	return r.err == nil
}

// Skip takes the next item, whatever it is and holds.
//
//go:noinline
func (r *Reader) Skip() { r.Raw() }

// Raw takes the next item, whatever it is and holds, and returns its bytes.
func (r *Reader) Raw() []byte {
	if r.err != nil {
		return nil
	}
	// A count of items still to come replaces recursion: with definite
	// lengths nothing has to be remembered about what encloses them.
	pos := 0
	for todo := 1; todo > 0; todo-- {
		major, info, arg, size, err := head(r.b[pos:])
		if err == nil && info == infoIndefinite {
			err = ErrNonCanonical
			if major == majorSimple || major <= majorNint || major == majorTag {
				err = ErrMalformed
			}
		}
		if err != nil {
			r.err = err
			return nil
		}
		pos += size
		rest := uint64(len(r.b) - pos)
		switch major {
		case majorBytes, majorText:
			if arg > rest {
				r.err = short(arg)
				return nil
			}
			pos += int(arg)
		case majorArray, majorMap:
			if arg > rest {
				r.err = short(arg)
				return nil
			}
			todo += int(arg) << (major - majorArray)
		case majorTag:
			todo++
		}
	}
	item := r.b[:pos:pos]
	r.b = r.b[pos:]
	return item
}
