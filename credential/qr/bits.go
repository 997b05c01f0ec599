package qr

import (
	"encoding/binary"
	"math/bits"
)

// bitWriter appends bits, lowest first. RFC 1951 3.1.1.
type bitWriter struct {
	dst []byte
	acc uint64
	n   uint
}

// put writes the low n bits of v, 32 at most.
func (w *bitWriter) put(v uint32, n uint8) {
	w.acc |= uint64(v) << w.n
	w.n += uint(n)
	if w.n >= 32 {
		w.dst = binary.LittleEndian.AppendUint32(w.dst, uint32(w.acc))
		w.acc >>= 32
		w.n -= 32
	}
}

// flush fills the last byte with zero bits and returns all bytes.
func (w *bitWriter) flush() []byte {
	for ; w.n > 0; w.n -= min(8, w.n) {
		w.dst = append(w.dst, byte(w.acc))
		w.acc >>= 8
	}
	dst := w.dst
	*w = bitWriter{}
	return dst
}

// number gives each symbol its code from the sizes of all, turned round as the
// stream wants it. RFC 1951 3.2.2.
func number(codes []uint16, sizes []uint8) {
	var count, next [maxCodeBits + 2]uint16
	for _, size := range sizes {
		count[size]++
	}
	count[0] = 0
	for size := 1; size <= maxCodeBits; size++ {
		next[size+1] = (next[size] + count[size]) << 1
	}
	for i, size := range sizes {
		if size > 0 {
			codes[i] = bits.Reverse16(next[size]) >> (16 - size)
			next[size]++
		}
	}
}
