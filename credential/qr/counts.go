package qr

import "math/bits"

// counts are how often each symbol occurs in a block.
type counts struct {
	literals  [maxLiterals + 2]uint32
	distances [maxDistances + 2]uint32
	extra     int // bits besides the codes
}

// countSteps counts the symbols of d.steps.
func (d *deflater) countSteps(raw []byte) {
	d.count = counts{}
	c := &d.count
	for i := 0; i < len(raw); {
		s := d.steps[i]
		if s.length == 0 {
			c.literals[raw[i]]++
			i++
			continue
		}
		l, t := lengthSymbols[s.length], distanceSymbol(int(s.distance))
		c.literals[endOfBlock+1+int(l)]++
		c.distances[t]++
		c.extra += int(lengthExtra[l] + distanceExtra[t])
		i += int(s.length)
	}
	c.literals[endOfBlock]++
}

// worthACode guesses whether a code of the block's own could beat least bits:
// what the symbols must cost at least, and what it takes to tell a code. It
// spares cards the search, which for them comes to nothing.
func (d *deflater) worthACode(least int) bool {
	// In bits: the fixed part of a header, each symbol used, each run of
	// unused ones before a used one.
	const header, symbol, gap = 50, 2, 3
	n := header + d.count.extra
	for _, k := range [...][]uint32{d.count.literals[:], d.count.distances[:]} {
		total, sum := 0, 0
		previous := uint32(1)
		for _, c := range k {
			if c > 0 {
				n += symbol
				if previous == 0 {
					n += gap
				}
				total += int(c)
				sum += int(c) * log2(c)
			}
			previous = c
		}
		n += (total*log2(uint32(total)) - sum) / logUnit
	}
	return n < least
}

const logUnit = 16

// log2 is the binary logarithm in units of 1/logUnit, rounded down.
func log2(n uint32) int {
	whole := bits.Len32(n|1) - 1
	// n is 2^whole times a mantissa from 16 to 31 sixteenths.
	mantissa := n << 4 >> whole & 15
	return whole*logUnit + int(mantissas[mantissa])
}

// mantissas: 16 x log2(1 + i/16).
var mantissas = [16]uint8{0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 11, 12, 13, 14, 15}
