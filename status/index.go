package status

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
)

// ErrFull: every index of a list was handed out.
var ErrFull = errors.New("status: no index left in the list")

// Used knows which indexes of a list were handed out. An index is given to one
// credential only, ever (draft-ietf-oauth-status-list 13.2), and at random, so
// that it tells nothing about when, or next to whom, somebody was served (12.4).
// Not for concurrent use.
type Used struct {
	words []uint64 // bit i mod 64 of word i/64; bits past the end are set
	free  uint64
}

// NewUsed returns the indexes of a list of size entries, none handed out.
func NewUsed(size uint64) *Used {
	u := &Used{make([]uint64, (size+63)/64), size}
	if rest := size % 64; rest != 0 {
		u.words[len(u.words)-1] = ^uint64(0) << rest
	}
	return u
}

// Free is how many indexes are left.
func (u *Used) Free() uint64 { return u.free }

// Mark hands out index i and reports whether it was free.
func (u *Used) Mark(i uint64) bool {
	if i/64 >= uint64(len(u.words)) || u.words[i/64]>>(i%64)&1 == 1 {
		return false
	}
	u.words[i/64] |= 1 << (i % 64)
	u.free--
	return true
}

// Choose hands out a free index, each as likely as any other. random is a
// source fit for keys, such as crypto/rand.Reader. It returns ErrFull, or the
// error of random.
func (u *Used) Choose(random io.Reader) (uint64, error) {
	if u.free == 0 {
		return 0, ErrFull
	}
	k, err := below(random, u.free)
	if err != nil {
		return 0, fmt.Errorf("status: choose an index: %w", err)
	}
	// The k-th free one: the time does not depend on how full the list is.
	for w, word := range u.words {
		n := uint64(bits.OnesCount64(^word))
		if k >= n {
			k -= n
			continue
		}
		left := ^word
		for ; k > 0; k-- {
			left &= left - 1
		}
		i := uint64(w)*64 + uint64(bits.TrailingZeros64(left))
		u.Mark(i)
		return i, nil
	}
	return 0, ErrFull // not reached: free counts the clear bits
}

// below returns a number less than n, each as likely as any other: what falls
// into the rest that does not divide evenly is drawn again.
func below(random io.Reader, n uint64) (uint64, error) {
	limit := ^uint64(0) - ^uint64(0)%n
	for {
		var b [8]byte
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return 0, err
		}
		if v := binary.LittleEndian.Uint64(b[:]); v < limit {
			return v % n, nil
		}
	}
}
