package qr

import (
	"encoding/binary"
	"hash/adler32"
)

// inflater reads zlib streams (RFC 1950, RFC 1951) from memory to memory.
//
// compress/flate would do, but it allocates anew for each block with long
// codes: megabytes for a hostile text of a few kilobytes. This one has fixed
// tables, tells apart what is cut off from what is wrong, and knows how many
// bytes it used.
type inflater struct {
	in  []byte
	pos int    // next byte of in to load
	acc uint64 // bits loaded and not taken, lowest first
	n   uint   // how many
	// short: more bits were wanted than the input has.
	short bool

	literals, distances decoder // of a dynamic block
	lengths             decoder // of its header
	sizes               [maxLiterals + maxDistances]uint8

	// What rewriting the end of a stream needs: the bit offsets of the last
	// two blocks, and whether a stored block held anything.
	begins [2]int
	stored bool
}

// inflate appends the content of the zlib stream z to dst, max bytes at most.
func (d *inflater) inflate(dst, z []byte, max int) ([]byte, error) {
	// RFC 1950 2.2: CMF (method 8, window at most 32 KiB), FLG (check, no
	// preset dictionary).
	if len(z) < 2 {
		return dst, ErrTruncated
	}
	if z[0]&15 != 8 || z[0]>>4 > 7 || (int(z[0])<<8|int(z[1]))%31 != 0 || z[1]&0x20 != 0 {
		return dst, ErrZlib
	}
	start := len(dst)
	out, used, err := d.deflated(dst, z[2:], max)
	if err != nil {
		return out, err
	}
	rest := z[2+used:]
	switch {
	case len(rest) < 4:
		return out, ErrTruncated
	case binary.BigEndian.Uint32(rest) != adler32.Checksum(out[start:]):
		return out, ErrZlib
	case len(rest) > 4:
		return out, ErrTrailing
	}
	return out, nil
}

// deflated appends the content of the deflate stream in, max bytes at most, and
// returns how many bytes of in the stream took.
func (d *inflater) deflated(dst, in []byte, max int) (out []byte, used int, err error) {
	d.in, d.pos, d.acc, d.n = in, 0, 0, 0
	d.short, d.stored, d.begins = false, false, [2]int{}
	defer func() { d.in = nil }()
	out, start := dst, len(dst)
	for final := false; !final; {
		d.begins = [2]int{d.begins[1], 8*d.pos - int(d.n)}
		d.fill()
		final = d.bits(1) == 1
		kind := d.bits(2)
		switch {
		case d.short:
			err = ErrTruncated
		case kind == 0:
			out, err = d.storedBlock(out, start, max)
		case kind == 1:
			out, err = d.block(out, start, max, &fixedLiterals, &fixedDistances)
		case kind == 2:
			if err = d.dynamicHeader(); err == nil {
				out, err = d.block(out, start, max, &d.literals, &d.distances)
			}
		default:
			err = ErrZlib
		}
		if err != nil {
			return out, 0, err
		}
	}
	return out, d.pos - int(d.n/8), nil
}

// storedBlock copies a stored block. RFC 1951 3.2.4.
func (d *inflater) storedBlock(out []byte, start, max int) ([]byte, error) {
	d.bits(d.n & 7)
	d.pos -= int(d.n / 8)
	d.acc, d.n = 0, 0
	rest := d.in[d.pos:]
	if len(rest) < 4 {
		return out, ErrTruncated
	}
	size := binary.LittleEndian.Uint16(rest)
	if size != ^binary.LittleEndian.Uint16(rest[2:]) {
		return out, ErrZlib
	}
	rest, n := rest[4:], int(size)
	// What is there counts first: a cut stream that would also be too large is
	// refused either way.
	if len(out)-start+min(n, len(rest)) > max {
		return out, ErrTooLarge
	}
	if len(rest) < n {
		return out, ErrTruncated
	}
	d.stored = d.stored || n > 0
	d.pos += 4 + n
	return append(out, rest[:n]...), nil
}

// dynamicHeader reads the codes of a dynamic block. RFC 1951 3.2.7.
func (d *inflater) dynamicHeader() error {
	literals := int(d.bits(5)) + 257
	distances := int(d.bits(5)) + 1
	count := int(d.bits(4)) + 4
	if d.short {
		return ErrTruncated
	}
	if literals > maxLiterals || distances > maxDistances {
		return ErrZlib
	}
	var sizes [len(lengthOrder)]uint8
	for _, at := range lengthOrder[:count] {
		d.fill()
		sizes[at] = uint8(d.bits(3))
	}
	if d.short {
		return ErrTruncated
	}
	if !d.lengths.init(sizes[:], false) {
		return ErrZlib
	}
	all := d.sizes[:literals+distances]
	for i := 0; i < len(all); {
		d.fill()
		symbol, err := d.symbol(&d.lengths)
		if err != nil {
			return err
		}
		if symbol < 16 {
			all[i] = uint8(symbol)
			i++
			continue
		}
		var size uint8
		var repeat int
		switch symbol {
		case 16:
			if i == 0 {
				return ErrZlib
			}
			size, repeat = all[i-1], 3+int(d.bits(2))
		case 17:
			repeat = 3 + int(d.bits(3))
		case 18:
			repeat = 11 + int(d.bits(7))
		}
		if d.short {
			return ErrTruncated
		}
		if repeat > len(all)-i {
			return ErrZlib
		}
		for range repeat {
			all[i] = size
			i++
		}
	}
	// A block that cannot end is not one.
	if all[endOfBlock] == 0 || !d.literals.init(all[:literals], true) || !d.distances.init(all[literals:], true) {
		return ErrZlib
	}
	return nil
}

// block copies a block of literals and matches. RFC 1951 3.2.3.
func (d *inflater) block(out []byte, start, max int, literals, distances *decoder) ([]byte, error) {
	end := start + max
	for {
		d.fill()
		// Most of a card is literals with short codes. 56 bits hold five of those
		// whatever their sizes, so nothing is asked between them.
		if d.n >= 5*quickBits && len(out)+5 <= end {
			acc, n, taken := d.acc, d.n, 0
			for ; taken < 5; taken++ {
				e := literals.quick[acc&(1<<quickBits-1)]
				if e == 0 || e >= endOfBlock<<4 {
					break
				}
				out = append(out, byte(e>>4))
				acc >>= e & 15
				n -= uint(e & 15)
			}
			if d.acc, d.n = acc, n; taken == 5 {
				continue
			}
		}
		d.fill() // enough for a whole match: 15 + 5 + 15 + 13 bits
		symbol, err := d.symbol(literals)
		if err != nil {
			return out, err
		}
		if symbol < endOfBlock {
			if len(out) >= end {
				return out, ErrTooLarge
			}
			out = append(out, byte(symbol))
			continue
		}
		if symbol == endOfBlock {
			return out, nil
		}
		symbol -= endOfBlock + 1
		if symbol >= len(lengthBase) {
			return out, ErrZlib
		}
		length := int(lengthBase[symbol]) + int(d.bits(uint(lengthExtra[symbol])))
		symbol, err = d.symbol(distances)
		if err != nil {
			return out, err
		}
		if symbol >= len(distanceBase) {
			return out, ErrZlib
		}
		distance := int(distanceBase[symbol]) + int(d.bits(uint(distanceExtra[symbol])))
		switch {
		case d.short:
			return out, ErrTruncated
		case distance > len(out)-start:
			return out, ErrZlib
		case len(out)+length > end:
			return out, ErrTooLarge
		}
		// A match may reach into itself: then it repeats, a distance at a time.
		for from := len(out) - distance; length > 0; {
			n := min(length, len(out)-from)
			out = append(out, out[from:from+n]...)
			length -= n
		}
	}
}

// fill loads 56 bits or more, or all that the input still has.
func (d *inflater) fill() {
	if len(d.in)-d.pos >= 8 {
		d.acc |= binary.LittleEndian.Uint64(d.in[d.pos:]) << d.n
		d.pos += int(63-d.n) / 8
		d.n |= 56
		return
	}
	for d.n < 56 && d.pos < len(d.in) {
		d.acc |= uint64(d.in[d.pos]) << d.n
		d.pos++
		d.n += 8
	}
}

// bits takes the next n bits, 16 at most.
func (d *inflater) bits(n uint) uint32 {
	if n > d.n {
		d.short = true
		return 0
	}
	v := uint32(d.acc) & (1<<n - 1)
	d.acc >>= n
	d.n -= n
	return v
}

// symbol takes the next code of c.
func (d *inflater) symbol(c *decoder) (int, error) {
	if e := c.quick[d.acc&(1<<quickBits-1)]; e != 0 {
		size := uint(e & 15)
		if size > d.n {
			return 0, ErrTruncated
		}
		d.acc >>= size
		d.n -= size
		return int(e >> 4), nil
	}
	// Codes of one length are consecutive numbers, and each length continues
	// where the shorter one stopped: count down through the lengths.
	code, first, index := 0, 0, 0
	for size := uint(1); size <= maxCodeBits; size++ {
		if size > d.n {
			return 0, ErrTruncated
		}
		code |= int(d.acc >> (size - 1) & 1)
		count := int(c.count[size])
		if code < first+count {
			d.acc >>= size
			d.n -= size
			return int(c.symbols[index+code-first]), nil
		}
		index += count
		first = (first + count) << 1
		code <<= 1
	}
	return 0, ErrZlib
}
