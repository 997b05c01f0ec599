package qr

import "math/bits"

// The alphabets of deflate, RFC 1951 3.2.5 to 3.2.7.

const (
	maxLiterals  = 286 // literals, end of block, lengths
	maxDistances = 30
	maxCodeBits  = 15
	endOfBlock   = 256
	minMatch     = 3
	maxMatch     = 258
)

// lengthBase and lengthExtra: match lengths by symbol - 257.
var lengthBase = [29]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
var lengthExtra = [29]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}

// distanceBase and distanceExtra: match distances by symbol.
var distanceBase = [maxDistances]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
var distanceExtra = [maxDistances]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}

// lengthOrder is the order in which a dynamic block gives the sizes of the code
// its header is written in.
var lengthOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// fixedCode is the code of fixed blocks.
var fixedCode = func() (c code) {
	for i := range c.literals {
		switch {
		case i < 144:
			c.literals[i] = 8
		case i < 256:
			c.literals[i] = 9
		case i < 280:
			c.literals[i] = 7
		default:
			c.literals[i] = 8
		}
	}
	for i := range c.distances {
		c.distances[i] = 5
	}
	return c
}()

var fixedNumbers = fixedCode.numbers()

// lengthSymbols: match length to symbol - 257.
var lengthSymbols = func() (s [maxMatch + 1]uint8) {
	for symbol, base := range lengthBase {
		for length := int(base); length <= maxMatch; length++ {
			s[length] = uint8(symbol)
		}
	}
	return s
}()

// distanceSymbol: from 5 on, each power of two has two symbols.
func distanceSymbol(distance int) int {
	d := uint(distance - 1)
	if d < 4 {
		return int(d)
	}
	n := uint(bits.Len(d)) - 2
	return int(n*2 + d>>n)
}
