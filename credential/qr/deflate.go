package qr

import (
	"encoding/binary"
	"hash/adler32"
	"math"
	"math/bits"
	"slices"
	"sync"
)

// blockSize is how much this encoder looks at at once: anything that fits into
// a QR code. More goes to compress/flate, see long.go.
const blockSize = MaxInflated

var deflaters = sync.Pool{New: func() any { return new(deflater) }}

// AppendZlib appends raw as a zlib stream, as short as we know how: up to
// 8,192 bytes one block with an optimal choice of matches under the fixed code
// or, where it pays, under a code of its own; above, compress/flate's best.
//
// The stream never holds a stored block, not even an empty one at its end.
// Incompressible bytes grow by an eighth at most.
func AppendZlib(dst, raw []byte) []byte {
	d := deflaters.Get().(*deflater)
	defer deflaters.Put(d)
	dst = append(dst, 0x78, 0xda) // RFC 1950 2.2: deflate, window 32 KiB, level "best"
	if len(raw) <= blockSize {
		dst = d.deflate(dst, raw)
	} else {
		dst = d.deflateLong(dst, raw)
	}
	return binary.BigEndian.AppendUint32(dst, adler32.Checksum(raw))
}

// deflater finds the shortest block for a short input.
//
// The steps: link equal three-byte strings; walk backwards and keep, for each
// position, the cheapest way to the end under a price list (the size of each
// code in bits); count the symbols of that way. The first price list is the
// fixed code's. Each count gives a Huffman code, which is the next price list;
// a few rounds of that settle. The cheapest round is written.
type deflater struct {
	heads  [1 << hashBits]uint16 // by hash: last position + 1
	before []uint16              // by position: the next earlier one of that hash + 1
	cost   []uint32              // by position: bits from there to the end
	steps  []step                // by position: the cheapest first step
	best   []step                // those of the best round so far

	count    counts
	prices   prices
	code     dynamicCode
	bestCode dynamicCode
	out      bitWriter
	long     []byte // what compress/flate wrote
}

// step is a match of length bytes that lie distance back, or, with length 0, a
// literal.
type step struct{ length, distance uint16 }

const (
	hashBits = 11
	maxTries = 64 // candidates for a match at one position
	rounds   = 5  // of codes of our own, from each of two starts
)

// prices are code sizes in bits, extra bits included.
type prices struct {
	literal  [256]uint8
	length   [maxMatch + 1]uint8
	distance [maxDistances]uint8
}

// setTo takes the prices of a code. What has no code yet is dear, not
// forbidden: the next code may have it.
func (p *prices) setTo(c *dynamicCode) {
	const dearSymbol, dearDistance = 12, 8
	for s := range p.literal {
		p.literal[s] = orElse(c.literals[s], dearSymbol)
	}
	for length := minMatch; length <= maxMatch; length++ {
		s := lengthSymbols[length]
		p.length[length] = orElse(c.literals[endOfBlock+1+int(s)], dearSymbol) + lengthExtra[s]
	}
	for s := range p.distance {
		p.distance[s] = orElse(c.distances[s], dearDistance) + distanceExtra[s]
	}
}

func orElse(size, dear uint8) uint8 {
	if size == 0 {
		return dear
	}
	return size
}

var fixedPrices = func() (p prices) {
	p.setTo(&dynamicCode{code: fixedCode})
	return p
}()

// deflate appends raw in blocks of our own, one where it is short.
func (d *deflater) deflate(dst, raw []byte) []byte {
	d.out = bitWriter{dst: dst}
	for len(raw) > blockSize {
		d.block(raw[:blockSize], false)
		raw = raw[blockSize:]
	}
	d.block(raw, true)
	return d.out.flush()
}

// block writes raw as one block.
func (d *deflater) block(raw []byte, final bool) {
	d.link(raw)
	least := d.parse(raw, &fixedPrices) + int(fixedCode.literals[endOfBlock])
	d.countSteps(raw)
	d.best, d.steps = d.steps, d.best
	own := d.worthACode(least) && d.search(raw, least)
	head := uint32(0)
	if final {
		head = 1
	}
	if !own {
		d.out.put(head|1<<1, 3)
		d.writeSteps(raw, &fixedCode, &fixedNumbers)
		return
	}
	d.out.put(head|2<<1, 3)
	d.bestCode.writeHeader(&d.out)
	numbers := d.bestCode.numbers()
	d.writeSteps(raw, &d.bestCode.code, &numbers)
}

// search looks for a code and steps that take less than least bits, for which
// the fixed code's steps are counted and in best. It leaves what it found in
// bestCode and best and tells whether that is anything.
func (d *deflater) search(raw []byte, least int) (found bool) {
	// The matches of the fixed code can be a poor place to start from: try once
	// more from no matches at all.
	for _, anew := range [...]bool{false, true} {
		if anew {
			clear(d.steps)
			d.countSteps(raw)
		}
		inBest := !anew
		for round, last := 0, math.MaxInt; round < rounds; round++ {
			size := d.code.build(&d.count)
			if size < least {
				least, found, d.bestCode = size, true, d.code
				if !inBest {
					d.best, d.steps = d.steps, d.best
				}
			}
			if size == last { // settled
				break
			}
			last, inBest = size, false
			d.prices.setTo(&d.code)
			d.parse(raw, &d.prices)
			d.countSteps(raw)
		}
	}
	return found
}

// writeSteps writes the best steps and the end of the block.
func (d *deflater) writeSteps(raw []byte, c *code, numbers *codeNumbers) {
	out := &d.out
	for i := 0; i < len(raw); {
		s := d.best[i]
		if s.length == 0 {
			out.put(uint32(numbers.literals[raw[i]]), c.literals[raw[i]])
			i++
			continue
		}
		l, t := lengthSymbols[s.length], distanceSymbol(int(s.distance))
		at := endOfBlock + 1 + int(l)
		out.put(uint32(numbers.literals[at]), c.literals[at])
		out.put(uint32(s.length-lengthBase[l]), lengthExtra[l])
		out.put(uint32(numbers.distances[t]), c.distances[t])
		out.put(uint32(s.distance-distanceBase[t]), distanceExtra[t])
		i += int(s.length)
	}
	out.put(uint32(numbers.literals[endOfBlock]), c.literals[endOfBlock])
}

// link prepares the search for matches in raw.
func (d *deflater) link(raw []byte) {
	n := len(raw)
	d.before = slices.Grow(d.before[:0], n)[:n]
	d.cost = slices.Grow(d.cost[:0], n+1)[:n+1]
	d.steps = slices.Grow(d.steps[:0], n)[:n]
	d.best = slices.Grow(d.best[:0], n)[:n]
	clear(d.heads[:])
	for i := range raw {
		if n-i < minMatch {
			d.before[i] = 0
			continue
		}
		h := (uint32(raw[i])<<16 | uint32(raw[i+1])<<8 | uint32(raw[i+2])) * 0x9e3779b1 >> (32 - hashBits)
		d.before[i] = d.heads[h]
		d.heads[h] = uint16(i + 1)
	}
}

// parse finds the cheapest steps through raw and returns their bits.
func (d *deflater) parse(raw []byte, p *prices) int {
	n := len(raw)
	d.cost[n] = 0
	for i := n - 1; i >= 0; i-- {
		least := d.cost[i+1] + uint32(p.literal[raw[i]])
		var first step
		longest, limit := minMatch-1, min(maxMatch, n-i)
		for at, try := d.before[i], 0; at != 0 && try < maxTries && longest < limit; at, try = d.before[at-1], try+1 {
			from := int(at) - 1
			if raw[from+longest] != raw[i+longest] {
				continue
			}
			length := common(raw[from:], raw[i:], limit)
			distance := uint32(p.distance[distanceSymbol(i-from)])
			// Nearer candidates came first: they serve the shorter lengths.
			for longest < length {
				longest++
				if c := d.cost[i+longest] + uint32(p.length[longest]) + distance; c < least {
					least, first = c, step{uint16(longest), uint16(i - from)}
				}
			}
		}
		d.cost[i], d.steps[i] = least, first
	}
	return int(d.cost[0])
}

// common returns how many bytes a and b share at their start, limit at most.
// Both have that many.
func common(a, b []byte, limit int) int {
	n := 0
	for limit-n >= 8 {
		if x := binary.LittleEndian.Uint64(a[n:]) ^ binary.LittleEndian.Uint64(b[n:]); x != 0 {
			return n + bits.TrailingZeros64(x)/8
		}
		n += 8
	}
	for n < limit && a[n] == b[n] {
		n++
	}
	return n
}
