package status

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"

	"aidpass/internal/cbor"
)

// set is rising indexes, coded as docs/formats/status.md says: each gap (first
// index, then difference minus one) in Golomb code with parameter m.
//
//	quotient ones, a zero, the remainder in truncated binary
//
// Gaps between randomly chosen entries are geometric, for which this code is
// within a percent of the best there is; no compressor comes near it.
type set struct {
	n, m uint64
	bits []byte // most significant bit first, the last byte padded with zeros
}

var errSet = errors.New("a set of entries that is not coded as one")

// readSet reads [n, m, bits]. n and m are claims until each has passed them.
func readSet(r *cbor.Reader) (s set) {
	if r.Array() == 3 {
		s = set{r.Uint(), r.Uint(), r.Bytes()}
	}
	return s
}

func (s set) append(dst []byte) []byte {
	dst = cbor.AppendArray(dst, 3)
	dst = cbor.AppendUint(dst, s.n)
	dst = cbor.AppendUint(dst, s.m)
	return cbor.AppendBytes(dst, s.bits)
}

// each calls yield for every index of s, rising, all below size. It returns
// errSet if s is not the one coding of a set with this m; yield may have been
// called before. It works in the time of reading the bits, whatever n claims.
func (s set) each(size uint64, yield func(i uint64)) error {
	if s.n > size || s.n == 0 && (s.m != 1 || len(s.bits) != 0) || s.n > 0 && (s.m < 1 || s.m > size) {
		return errSet
	}
	width := uint(bits.Len64(s.m - 1)) // bits of a long remainder
	short := uint64(1)<<width - s.m    // remainders below this take one bit less
	end := uint64(len(s.bits)) * 8     // bits there are
	at, next := uint64(0), uint64(0)   // bits taken; lowest index still possible
	for range s.n {
		q := uint64(0)
		for {
			w := s.window(at)
			ones := uint64(bits.LeadingZeros64(^w))
			if ones < 56 {
				q += ones
				at += ones + 1
				break
			}
			q, at = q+56, at+56
			if at >= end {
				return errSet
			}
		}
		gap := uint64(0)
		if width > 0 {
			w := s.window(at)
			if v := w >> 1 >> (64 - width); v < short {
				gap = v
				at += uint64(width) - 1
			} else {
				gap = w>>(64-width) - short
				at += uint64(width)
			}
		}
		// size is at most 2^24, so nothing overflows once q is bounded.
		if at > end || q > size || next+q*s.m+gap >= size {
			return errSet
		}
		next += q*s.m + gap
		yield(next)
		next++
	}
	// Nothing but the padding of the last byte may be left, and it is zeros.
	if end-at >= 8 || s.window(at) != 0 {
		return errSet
	}
	return nil
}

// window returns the bits from at on, most significant first: at least 56 of
// them, zeros past the end.
func (s set) window(at uint64) uint64 {
	i := at / 8
	if i+8 <= uint64(len(s.bits)) {
		return binary.BigEndian.Uint64(s.bits[i:]) << (at % 8)
	}
	var tail [8]byte
	if i < uint64(len(s.bits)) {
		copy(tail[:], s.bits[i:])
	}
	return binary.BigEndian.Uint64(tail[:]) << (at % 8)
}

// bestM returns the best parameter for n of size entries chosen at random.
//
// Gallager and van Voorhis 1975: the least m with q^m + q^(m+1) <= 1, where q is
// the share of entries not chosen.
func bestM(n, size uint64) uint64 {
	if n == 0 || n >= size {
		return 1
	}
	p := float64(n) / float64(size)
	return min(size, max(1, uint64(math.Ceil(math.Log(2-p)/-math.Log1p(-p)))))
}

// coder appends indexes to a set.
type coder struct {
	set
	width uint
	short uint64
	acc   uint64 // bits not yet in set.bits, the newest lowest
	held  uint   // how many
	next  uint64 // lowest index that may come
}

func newCoder(m uint64, size int) coder {
	width := uint(bits.Len64(m - 1))
	return coder{set: set{m: m, bits: make([]byte, 0, size)}, width: width, short: 1<<width - m}
}

// put appends the count lowest bits of v, at most 32.
func (c *coder) put(v uint64, count uint) {
	c.acc = c.acc<<count | v
	c.held += count
	if c.held >= 32 {
		c.held -= 32
		c.bits = binary.BigEndian.AppendUint32(c.bits, uint32(c.acc>>c.held))
	}
}

// add appends index i, which must be above all before.
func (c *coder) add(i uint64) {
	gap := i - c.next
	c.next = i + 1
	c.n++
	q, r := gap/c.m, gap%c.m
	for ; q >= 31; q -= 31 {
		c.put(1<<31-1, 31)
	}
	c.put(1<<(q+1)-2, uint(q)+1)
	switch {
	case c.width == 0:
	case r < c.short:
		c.put(r, c.width-1)
	default:
		c.put(r+c.short, c.width)
	}
}

// finish pads the last byte.
func (c *coder) finish() set {
	for c.held > 0 {
		take := min(8, c.held)
		c.bits = append(c.bits, byte(c.acc>>(c.held-take)<<(8-take)))
		c.held -= take
	}
	return c.set
}

// encode codes the entries below size that pick picks. pick gets the 32 entries
// of a word as they are now and as they were in old (nil: all valid), and
// returns the low bit of an entry set where it is picked: none where nothing
// changed, so that the long quiet stretches of a list are passed over quickly.
func encode(size uint64, now, old []byte, pick func(now, old uint64) uint64) set {
	n := uint64(0)
	changes(now, old, func(_ int, x, y uint64) { n += uint64(bits.OnesCount64(pick(x, y))) })
	if n == 0 {
		return set{m: 1, bits: []byte{}}
	}
	m := bestM(n, size)
	// A random set takes about this many bits; another only makes the slice grow.
	c := newCoder(m, int(n*uint64(bits.Len64(m)+1)/8)+8)
	changes(now, old, func(w int, x, y uint64) {
		for p := pick(x, y); p != 0; p &= p - 1 {
			c.add(uint64(w)*32 + uint64(bits.TrailingZeros64(p))/2)
		}
	})
	return c.finish()
}

// changes calls yield for the words in which now and old differ.
func changes(now, old []byte, yield func(w int, x, y uint64)) {
	full := len(now) / 8
	if old == nil {
		for w := range full {
			if x := binary.LittleEndian.Uint64(now[w*8:]); x != 0 {
				yield(w, x, 0)
			}
		}
	} else {
		for w := range full {
			if x, y := binary.LittleEndian.Uint64(now[w*8:]), word(old, w); x != y {
				yield(w, x, y)
			}
		}
	}
	if x, y := word(now, full), word(old, full); x != y {
		yield(full, x, y)
	}
}

// A word holds 32 entries of a bitmap, the first lowest.

const lows = 0x5555555555555555

// word returns word w of a bitmap, zeros past its end.
func word(b []byte, w int) uint64 {
	if w*8+8 <= len(b) {
		return binary.LittleEndian.Uint64(b[w*8:])
	}
	var tail [8]byte
	if w*8 < len(b) {
		copy(tail[:], b[w*8:])
	}
	return binary.LittleEndian.Uint64(tail[:])
}

// invalids and suspendeds pick the entries of a word with that state.
func invalids(x uint64) uint64   { return x &^ (x >> 1) & lows }
func suspendeds(x uint64) uint64 { return x >> 1 &^ x & lows }

// The entries of a word that came into a state.
func nowInvalid(x, y uint64) uint64   { return invalids(x) &^ invalids(y) }
func nowSuspended(x, y uint64) uint64 { return suspendeds(x) &^ suspendeds(y) }
func nowValid(x, y uint64) uint64     { return ^(x | x>>1) & (y | y>>1) & lows }
