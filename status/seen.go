package status

import (
	"fmt"

	"aidpass/internal/cbor"
	"aidpass/words"
)

// What a device remembers of a list between packs is its newest iat and its
// seen set: the entries that any list it opened had INVALID, coded as in a
// snapshot ([n, m, bits]). So a list that takes a revocation back is noticed
// though the older list is long gone.

// readSeen calls yield for each entry of an encoded seen set, rising. No bytes
// at all are the empty set.
func readSeen(seen []byte, yield func(i uint64)) error {
	if len(seen) == 0 {
		return nil
	}
	err := cbor.CheckDeterministic(seen, compactLimits)
	r := cbor.NewReader(seen)
	s := readSet(&r)
	if err == nil && !r.Done() {
		err = errSet
	}
	if err == nil {
		err = s.each(MaxSize, yield)
	}
	if err != nil {
		return fmt.Errorf("status: the seen set is damaged: %w", err)
	}
	return nil
}

// MarkUnrevoked marks the entries of an encoded seen set that l does not have
// INVALID (List.Unrevoked). seen may be empty. Call it before l goes into a Set.
//
// The error is a *Refusal with StatusRollback if l ends before an entry that
// was seen INVALID: l must not be used then. Any other error says that the
// state itself is damaged.
func (l *List) MarkUnrevoked(seen []byte) error {
	beyond := uint64(0)
	err := readSeen(seen, func(i uint64) {
		if i >= l.Size {
			beyond = i
			return
		}
		if v, _ := l.Look(i); v != Invalid {
			if l.unrevoked == nil {
				l.unrevoked = make([]byte, len(l.Bits))
			}
			l.unrevoked[i/4] |= 1 << (i % 4 * 2)
		}
	})
	if err == nil && beyond > 0 {
		err = refuse(words.StatusRollback, "list %q ends at %d; entry %d was seen invalid", l.URI, l.Size, beyond)
	}
	return err
}

// AppendSeen appends the encoded set of all entries that are in the encoded set
// seen or are INVALID in l: what to remember after l was taken. seen may be
// empty, and is not kept. An error says that seen is damaged.
func (l *List) AppendSeen(dst, seen []byte) ([]byte, error) {
	size := l.Size
	if err := readSeen(seen, func(i uint64) { size = max(size, i+1) }); err != nil {
		return dst, err
	}
	all := List{Bits: make([]byte, (size+3)/4)}
	for w := range (len(l.Bits) + 7) / 8 {
		setWord(all.Bits, w, invalids(word(l.Bits, w)))
	}
	if err := readSeen(seen, func(i uint64) { put(all.Bits, i, Invalid) }); err != nil {
		return dst, err
	}
	return encode(size, all.Bits, nil, nowInvalid).append(dst), nil
}
