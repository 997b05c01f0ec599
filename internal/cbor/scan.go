package cbor

import (
	"bytes"
	"unicode/utf8"
)

// Scan checks the first item of b and returns its length in bytes and how it
// departs from the deterministic encoding.
//
// A nil error means: well-formed, all text valid UTF-8, no map with a key
// twice (keys are compared by value: 4 equals 0x1804), nesting and entries
// within lim. Otherwise the error is ErrMalformed, ErrTruncated, ErrTooLarge
// or ErrDuplicateKey, the first that applies; after the first two n tells how
// far the scan came, after the others it is the length of the item.
//
// Memory does not depend on what b claims. Nothing is allocated unless a map
// with more than 24 keys has them out of order, or a key is not
// deterministically encoded.
func Scan(b []byte, lim Limits) (n int, form Form, err error) {
	s := scanner{b: b, entries: lim.Entries}
	err = s.item(lim.Depth)
	switch {
	case err != nil:
	case s.tooLarge:
		err = ErrTooLarge
	case s.duplicate:
		err = ErrDuplicateKey
	}
	return s.pos, s.form, err
}

// Check is Scan for bytes that must be exactly one item; what follows it is
// ErrTrailing.
func Check(b []byte, lim Limits) (Form, error) {
	n, form, err := Scan(b, lim)
	if err == nil && n != len(b) {
		err = ErrTrailing
	}
	return form, err
}

// CheckDeterministic is Check for bytes that must also be in the one encoding
// that RFC 8949 4.2.1 allows; any other is ErrNonCanonical.
func CheckDeterministic(b []byte, lim Limits) error {
	form, err := Check(b, lim)
	if err == nil && form != 0 {
		err = ErrNonCanonical
	}
	return err
}

// scanner walks one item. Well-formedness stops it at once; the lesser faults
// are noted and the walk goes on, since a worse one may follow.
type scanner struct {
	b       []byte
	pos     int
	entries int // limit of one array or map
	form    Form
	// walking: the bytes were scanned before, only their extent is wanted.
	walking             bool
	tooLarge, duplicate bool
}

// item scans one item that may hold depth levels of others.
func (s *scanner) item(depth int) error {
	if s.pos == len(s.b) {
		return ErrTruncated
	}
	first := s.b[s.pos]
	major, info, arg, size := first>>5, first&31, uint64(first&31), 1
	if info >= 24 { // most heads are one byte
		var err error
		if major, info, arg, size, err = head(s.b[s.pos:]); err != nil {
			return err
		}
	}
	s.pos += size
	if major == majorSimple {
		return s.simple(info, arg)
	}
	if info >= 24 && !minimal(info, arg) {
		s.form |= NonMinimal
	}
	if info == infoIndefinite {
		s.form |= Indefinite
	}
	rest := uint64(len(s.b) - s.pos)
	switch major {
	case majorUint, majorNint:
		if info == infoIndefinite {
			return ErrMalformed
		}
		return nil
	case majorBytes, majorText:
		if info == infoIndefinite {
			return s.chunks(major)
		}
		return s.str(major, arg)
	}
	if depth <= 0 {
		return ErrMalformed
	}
	switch {
	case major == majorTag:
		if info == infoIndefinite {
			return ErrMalformed
		}
		return s.item(depth - 1)
	case info == infoIndefinite:
		return s.entriesOf(major, -1, depth-1)
	// An element is a byte at least, a pair two: what cannot be there is
	// refused before the first is looked at.
	case major == majorArray && arg > rest, major == majorMap && arg > rest/2:
		return short(arg)
	}
	return s.entriesOf(major, int(arg), depth-1)
}

// str scans the content of a string of n bytes.
func (s *scanner) str(major byte, n uint64) error {
	if n > uint64(len(s.b)-s.pos) {
		return short(n)
	}
	content := s.b[s.pos : s.pos+int(n)]
	if major == majorText && !s.walking && !utf8.Valid(content) {
		return ErrMalformed
	}
	s.pos += int(n)
	return nil
}

// chunks scans a string of indefinite length: definite strings of the same
// major type up to the break, each valid by itself. RFC 8949 3.2.3.
func (s *scanner) chunks(major byte) error {
	for !s.atBreak() {
		m, info, n, size, err := head(s.b[s.pos:])
		if err != nil {
			return err
		}
		if m != major || info == infoIndefinite {
			return ErrMalformed
		}
		if !minimal(info, n) {
			s.form |= NonMinimal
		}
		s.pos += size
		if err := s.str(major, n); err != nil {
			return err
		}
	}
	return nil
}

// entriesOf scans the n elements of an array or pairs of a map; n < 0 means up
// to the break.
func (s *scanner) entriesOf(major byte, n, depth int) error {
	start := s.pos
	keysForm, ascending := Form(0), true
	var previous []byte
	count := 0
	for ; count != n; count++ {
		if n < 0 && s.atBreak() {
			break
		}
		if major == majorMap {
			// The key's own form is kept apart: only deterministic keys can
			// be compared as bytes.
			outer, from := s.form, s.pos
			s.form = 0
			if err := s.item(depth); err != nil {
				return err
			}
			keysForm |= s.form
			s.form |= outer
			key := s.b[from:s.pos]
			// Keys most often differ in their first byte.
			if count > 0 && (previous[0] > key[0] || previous[0] == key[0] && bytes.Compare(previous, key) >= 0) {
				ascending = false
			}
			previous = key
		}
		if err := s.item(depth); err != nil {
			return err
		}
	}
	if count > s.entries {
		s.tooLarge = true
	}
	if !ascending {
		s.form |= Unsorted
	}
	// Ascending deterministic keys cannot repeat; anything else is looked at.
	if s.walking || s.tooLarge || ascending && keysForm == 0 {
		return nil
	}
	if repeats(s.b[start:s.pos], count, keysForm == 0) {
		s.duplicate = true
	}
	return nil
}

// atBreak steps over a break if one is next.
func (s *scanner) atBreak() bool {
	if s.pos < len(s.b) && s.b[s.pos] == breakByte {
		s.pos++
		return true
	}
	return false
}

// simple checks an item of major type 7. RFC 8949 3.3.
func (s *scanner) simple(info byte, arg uint64) error {
	switch info {
	case 24: // 32-255 only: the lower values have the one-byte form
		if arg < 32 {
			return ErrMalformed
		}
	case 25, 26, 27:
		if !shortestFloat(info, arg) {
			s.form |= NonCanonicalFloat
		}
	case infoIndefinite: // a break where none may be
		return ErrMalformed
	}
	return nil
}
