package status

import (
	"bytes"
	"encoding/binary"
	"errors"
	"iter"
	"math/bits"
	"slices"

	"aidpass/credential"
	"aidpass/words"
)

// ErrContradiction: two lists of one URI and one moment that say different
// things. It is behind a *Refusal with StatusRollback.
var ErrContradiction = errors.New("two lists of the same moment differ")

// Set holds the newest list of each register, whichever form it came in: the two
// URIs of a list (see URIOfJWT) find the same. The zero
// Set is empty. Looking up is safe from any number of goroutines while nobody
// adds. Sets may share lists: Add changes none, where it has something to mark
// it keeps a copy.
type Set struct {
	lists []*List // in the order of their URIs
}

// Add takes l into the set.
//
// The newest iat of a URI stays; the order of adding does not matter. Entries
// that an older list has INVALID and a newer has not are marked in what stays
// (List.Unrevoked). Add keeps the safer side and returns a *Refusal to be
// reported:
//
//   - StatusRollback if the newer list has fewer entries: a list never shrinks,
//     and the older, larger one stays.
//   - StatusRollback behind which is ErrContradiction if two lists of one moment
//     differ: a list in which each entry has the worse of its two states stays.
//
// An older list that says nothing new is no error.
func (s *Set) Add(l *List) error {
	at, there := s.place([]byte(l.URI))
	if !there {
		s.lists = append(s.lists, nil)
		copy(s.lists[at+1:], s.lists[at:])
		s.lists[at] = l
		return nil
	}
	held := s.lists[at]
	older, newer := held, l
	if l.IssuedAt < held.IssuedAt || l.IssuedAt == held.IssuedAt && l.Size < held.Size {
		older, newer = l, held
	}
	// A token counts the padding of its last byte: compare whole bytes of the
	// narrowest width.
	if (newer.Size+7)/8 < (older.Size+7)/8 {
		s.lists[at] = older
		return refuse(words.StatusRollback, "list %q shrank from %d entries (%v) to %d (%v)",
			l.URI, older.Size, older.IssuedAt, newer.Size, newer.IssuedAt)
	}
	if newer.IssuedAt == older.IssuedAt {
		if !newer.same(older) {
			s.lists[at] = worse(newer, older)
			return refuse(words.StatusRollback, "list %q of %v: %w", l.URI, l.IssuedAt, ErrContradiction)
		}
	}
	s.lists[at] = newer.after(older)
	return nil
}

// Clone returns a set of the same lists: what is added to one is not in the other.
func (s *Set) Clone() *Set { return &Set{append([]*List(nil), s.lists...)} }

// suffixJWT is what the URI of a list's JWT form has behind that of its CWT form:
// one register under two URIs, since each form says in sub which it is.
const suffixJWT = ".jwt"

// URIOfJWT returns under which URI the list uri is published as a JWT: the one that
// credentials in JSON name. The entries are the same.
func URIOfJWT(uri string) string { return uri + suffixJWT }

// Named is uri without the mark of its form: the name a list goes by here.
func Named[T string | []byte](uri T) T {
	if n := len(uri) - len(suffixJWT); n > 0 && string(uri[n:]) == suffixJWT {
		return uri[:n]
	}
	return uri
}

// place returns where the list of uri stands, or where it would.
func (s *Set) place(uri []byte) (at int, there bool) {
	low, high := 0, len(s.lists)
	for low < high {
		at := (low + high) / 2
		if s.lists[at].URI < string(uri) {
			low = at + 1
		} else {
			high = at
		}
	}
	return low, low < len(s.lists) && s.lists[low].URI == string(uri)
}

// Find returns the newest list of uri, which may name either form; nil if there is none.
func (s *Set) Find(uri []byte) *List {
	if at, there := s.place(Named(uri)); there {
		return s.lists[at]
	}
	return nil
}

// At returns the list of uri if it may be used at the moment at, with words.OK;
// else nil with StatusUnknown, StatusNotYetValid or StatusStale.
func (s *Set) At(uri []byte, at credential.Time) (*List, words.Reason) {
	l := s.Find(uri)
	if l == nil {
		return nil, words.StatusUnknown
	}
	if reason := l.Usable(at); reason != words.OK {
		return nil, reason
	}
	return l, words.OK
}

// Len is the number of lists.
func (s *Set) Len() int { return len(s.lists) }

// All gives the lists in the order of their URIs.
func (s *Set) All() iter.Seq[*List] {
	return slices.Values(s.lists)
}

// worse returns a list that has each entry in the worse of its two states:
// invalid, suspended, valid. a is at least as large as b, to a byte's padding.
func worse(a, b *List) *List {
	l := *a
	l.Bits, l.unrevoked = bytes.Clone(a.Bits), nil
	for w := range (len(l.Bits) + 7) / 8 {
		x, y := word(a.Bits, w), word(b.Bits, w)
		invalid := invalids(x) | invalids(y)
		suspended := (suspendeds(x) | suspendeds(y)) &^ invalid
		setWord(l.Bits, w, invalid|suspended<<1)
	}
	return l.after(a).after(b)
}

// setWord writes word w of a bitmap, as much of it as there is.
func setWord(b []byte, w int, x uint64) {
	var full [8]byte
	binary.LittleEndian.PutUint64(full[:], x)
	copy(b[w*8:], full[:])
}

// lost picks what old has INVALID, or marked as taken back, and now has not.
func lost(old, marked, now uint64) uint64 { return (invalids(old) | marked) &^ invalids(now) }

// firstLost returns the lowest entry that was INVALID in old and is not in now,
// -1 if there is none.
func firstLost(old, now []byte) int64 {
	for w := range (len(old) + 7) / 8 {
		if x := lost(word(old, w), 0, word(now, w)); x != 0 {
			return int64(w)*32 + int64(bits.TrailingZeros64(x))/2
		}
	}
	return -1
}

// after returns l with the entries marked that older had INVALID, or marked
// itself, and that are not INVALID in l: l itself if there are none to add.
func (l *List) after(older *List) *List {
	out := l
	for w := range (len(l.Bits) + 7) / 8 {
		marked := word(l.unrevoked, w)
		marks := lost(word(older.Bits, w), word(older.unrevoked, w), word(l.Bits, w)) &^ marked
		if marks == 0 {
			continue
		}
		if out == l {
			copied := *l
			copied.unrevoked = make([]byte, len(l.Bits))
			copy(copied.unrevoked, l.unrevoked)
			out = &copied
		}
		setWord(out.unrevoked, w, marked|marks)
	}
	return out
}
