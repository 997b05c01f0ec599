// Package cbor reads and writes the CBOR that cards, lists and packs are made
// of (RFC 8949), without reflection and without allocating by what an input
// claims.
//
// Bytes from outside go through [Scan], [Check] or [CheckDeterministic] once:
// one pass that proves them well-formed, their text valid UTF-8, their maps
// free of duplicate keys and everything within [Limits]. After that a [Reader]
// walks them item by item. The Append functions and [MapBuilder] write the
// deterministic encoding of RFC 8949 4.2.1 and nothing else.
//
// The package knows nothing of what the items mean: tags, claims and headers
// belong to the packages above it.
package cbor

// fault is an error that may be a special case of a broader one.
type fault struct {
	text    string
	broader error
}

func (f *fault) Error() string { return f.text }
func (f *fault) Unwrap() error { return f.broader }

// The faults of an item. Where one item has several, the checks report the
// first of this order: malformed, too large, duplicate key, trailing,
// non-canonical.
var (
	// ErrMalformed: not well-formed or not valid: a reserved head, a lone
	// break, text that is not UTF-8, nesting deeper than Limits.Depth, or a
	// length that no input could hold.
	ErrMalformed error = &fault{"cbor: malformed", nil}
	// ErrTruncated: the input ends inside the item. It is an ErrMalformed too.
	ErrTruncated error = &fault{"cbor: input ends inside an item", ErrMalformed}
	// ErrTooLarge: an array or map with more entries than Limits.Entries, all
	// of them really there.
	ErrTooLarge error = &fault{"cbor: too many entries in an array or map", nil}
	// ErrDuplicateKey: a map names the same key twice.
	ErrDuplicateKey error = &fault{"cbor: duplicate map key", nil}
	// ErrTrailing: bytes follow the item.
	ErrTrailing error = &fault{"cbor: bytes after the item", nil}
	// ErrNonCanonical: well-formed, but not the deterministic encoding of RFC
	// 8949 4.2.1. A Reader gives it for indefinite lengths.
	ErrNonCanonical error = &fault{"cbor: not deterministically encoded", nil}

	// ErrKind: a Reader was asked for another kind of item than comes next.
	ErrKind error = &fault{"cbor: item of another kind", nil}
	// ErrRange: an integer that does not fit into an int64.
	ErrRange error = &fault{"cbor: integer out of range", nil}
)

// Limits bounds what a check accepts. The zero value accepts single items
// that hold no others.
type Limits struct {
	Depth   int // arrays, maps and tags inside each other, at most
	Entries int // elements of one array, or pairs of one map, at most
}

// DefaultLimits are those of everything that travels in a QR code.
var DefaultLimits = Limits{Depth: 8, Entries: 256}

// Form is a set of ways in which a well-formed item departs from the
// deterministic encoding. Zero means deterministic.
type Form uint8

const (
	NonMinimal        Form = 1 << iota // an integer, length or tag in more bytes than it needs
	Unsorted                           // map keys not in bytewise order of their encodings
	Indefinite                         // an array, map or string without a length
	NonCanonicalFloat                  // a float not in its shortest width, or a NaN other than f97e00
)

// The major types, RFC 8949 3.1.
const (
	majorUint   = 0
	majorNint   = 1
	majorBytes  = 2
	majorText   = 3
	majorArray  = 4
	majorMap    = 5
	majorTag    = 6
	majorSimple = 7
)

// breakByte ends an item of indefinite length, RFC 8949 3.2.1.
const breakByte = 0xff

// infoIndefinite is the additional information of an indefinite length and of
// the break.
const infoIndefinite = 31

// longest is a length that no input of ours comes near. A longer claim is
// called malformed and not truncated: no missing bytes could have followed.
const longest = 1 << 32

// short is the error for an item that claims n more bytes or entries than the
// input can hold.
func short(n uint64) error {
	if n >= longest {
		return ErrMalformed
	}
	return ErrTruncated
}

// head splits the head at the start of b: major type, additional information,
// argument, and the length of the head in bytes. For infoIndefinite the
// argument is 0. The error is ErrTruncated or, for the reserved values 28-30,
// ErrMalformed.
//
// RFC 8949 section 3.
func head(b []byte) (major, info byte, arg uint64, size int, err error) {
	if len(b) == 0 {
		return 0, 0, 0, 0, ErrTruncated
	}
	major, info = b[0]>>5, b[0]&31
	switch {
	case info < 24:
		return major, info, uint64(info), 1, nil
	case info <= 27:
		size = 1 + 1<<(info-24)
		if len(b) < size {
			return 0, 0, 0, 0, ErrTruncated
		}
		for _, c := range b[1:size] {
			arg = arg<<8 | uint64(c)
		}
		return major, info, arg, size, nil
	case info == infoIndefinite:
		return major, info, 0, 1, nil
	}
	return 0, 0, 0, 0, ErrMalformed
}

// minimal tells whether an argument needed the head it came in.
func minimal(info byte, arg uint64) bool {
	switch info {
	case 24:
		return arg >= 24
	case 25:
		return arg > 0xff
	case 26:
		return arg > 0xffff
	case 27:
		return arg > 0xffffffff
	}
	return true
}
