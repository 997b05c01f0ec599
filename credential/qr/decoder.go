package qr

import "math/bits"

// quickBits is the longest code found by one look-up.
const quickBits = 10

// decoder is a Huffman code for reading.
type decoder struct {
	quick   [1 << quickBits]uint16 // by the next bits: symbol<<4 | size; 0: longer, or none
	count   [maxCodeBits + 1]uint16
	symbols [maxLiterals + 2]uint16 // by code
}

// init builds the code from the sizes of its symbols' codes. It refuses codes
// that are over-subscribed, and incomplete ones, except that a code of one
// symbol or none may be so if lone.
//
// RFC 1951 3.2.2; the exceptions are those of the zlib library.
func (c *decoder) init(sizes []uint8, lone bool) bool {
	c.count = [maxCodeBits + 1]uint16{}
	for _, size := range sizes {
		c.count[size]++
	}
	used := len(sizes) - int(c.count[0])
	c.count[0] = 0
	var next, index [maxCodeBits + 1]uint16 // by size: next code, next place in symbols
	left := 1
	for size := 1; size <= maxCodeBits; size++ {
		left = left<<1 - int(c.count[size])
		if left < 0 {
			return false
		}
		next[size] = (next[size-1] + c.count[size-1]) << 1
		index[size] = index[size-1] + c.count[size-1]
	}
	if left > 0 && !(lone && used <= 1 && used == int(c.count[1])) {
		return false
	}
	clear(c.quick[:])
	for symbol, size := range sizes {
		if size == 0 {
			continue
		}
		c.symbols[index[size]] = uint16(symbol)
		index[size]++
		code := bits.Reverse16(next[size]) >> (16 - size)
		next[size]++
		if size > quickBits {
			continue
		}
		for at := int(code); at < len(c.quick); at += 1 << size {
			c.quick[at] = uint16(symbol)<<4 | uint16(size)
		}
	}
	return true
}

var fixedLiterals, fixedDistances = fixedDecoders()

func fixedDecoders() (literals, distances decoder) {
	literals.init(fixedCode.literals[:], false)
	distances.init(fixedCode.distances[:], false)
	return literals, distances
}
