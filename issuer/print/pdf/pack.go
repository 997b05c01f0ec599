package pdf

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/adler32"
	"slices"
	"sync"
)

// Pages are packed with a code that was made once, from a typical page: its
// letters are digits, spaces and a few operators, and always in much the same
// share. compress/flate counts them anew for every block, which takes three times
// as long, and looking for repetitions ten times, for a third fewer bytes. A page
// of cards is drawn, packed and written in the time of a few signatures.
//
// The packed page is a zlib stream (RFC 1950) of one block with dynamic codes (RFC
// 1951 section 3.2.7), whose description, always the same bits, is taken from
// what compress/flate writes for the typical page.
var packed = sync.OnceValue(newPackCode)

// typicalPage has every byte that a page may hold, and the common ones in their
// share.
func typicalPage() []byte {
	var b []byte
	matrix := make([]byte, 0, 16<<10)
	for y := range 77 {
		for x := 0; x < 77; x += 4 {
			matrix = appendInt(matrix, (x*7+y*3)%77)
			matrix = appendInt(append(matrix, ' '), y)
			matrix = appendInt(append(matrix, ' '), 1+(x+y)%3)
			matrix = append(matrix, " 1 re\n"...)
		}
	}
	b = append(b, matrix...)
	for i := range 70 {
		b = append(b, "1 0 0 1 "...)
		b = appendInt(b, 300+i*7)
		b = append(b, " 0 cm/G"...)
		b = appendInt(b, 10+i)
		b = append(b, " Do\n"...)
	}
	for range 4 {
		b = append(b, "/Span<</ActualText<FEFF004B00370051>>>BDC\nq\n.0072 0 0 .0072 12.345 67.89 cm\nQ\nEMC\n 0.35 g 0.35 G\n 0.6 w [] 0 d\n1.5 2.5 m\n3.25 4.75 l\n1 2 3 4 5 6 c\nh\nS\nf\nW n\n"...)
	}
	for c := range 256 {
		b = append(b, byte(c))
	}
	return b
}

// packCode is the code: the bits that a block starts with, in pieces of at most
// 16, those of each byte, and of its end, first bit lowest, with their number in
// the upper byte.
type packCode struct {
	head  []uint32
	codes [256]uint32
	end   uint32
	// pairs are the codes of two bytes in a row, the first one's in the lower byte
	// of the index, with their number in the upper half.
	pairs *[1 << 16]uint64
}

// newPackCode reads the code out of a block of compress/flate: its header, and
// from that the lengths, by which all codes follow (RFC 1951 section 3.2.2).
func newPackCode() *packCode {
	var block bytes.Buffer
	w, err := flate.NewWriter(&block, flate.HuffmanOnly)
	if err != nil {
		panic(err) // no such level: a mistake here
	}
	w.Write(typicalPage())
	w.Flush()
	r := bitReader{b: block.Bytes()}
	p := &packCode{}
	r.take(1) // whether the block is the last: written anew
	kind := r.take(2)
	hlit, hdist, hclen := r.take(5)+257, r.take(5)+1, r.take(4)+4
	if kind != 2 {
		panic("pdf: the typical page is not packed with codes of its own")
	}
	var lengthLengths [19]int
	for i := range hclen {
		lengthLengths["\x10\x11\x12\x00\x08\x07\x09\x06\x0a\x05\x0b\x04\x0c\x03\x0d\x02\x0e\x01\x0f"[i]] = r.take(3)
	}
	lengths := r.lengths(lengthLengths[:], hlit+hdist)[:hlit]
	codes := canonical(lengths)
	copy(p.codes[:], codes[:256])
	p.end = codes[256]
	p.pairs = new([1 << 16]uint64)
	for i := range p.pairs {
		one, two := p.codes[i&255], p.codes[i>>8]
		p.pairs[i] = uint64(one&0xffffff) | uint64(two&0xffffff)<<(one>>24) | uint64(one>>24+two>>24)<<32
	}
	head := bitReader{b: block.Bytes()}
	head.take(1)
	p.head = append(p.head, 1|1<<24) // the last block
	for left := r.at - 1; left > 0; {
		n := min(left, 16)
		p.head = append(p.head, uint32(head.take(n))|uint32(n)<<24)
		left -= n
	}
	return p
}

// append packs data as a zlib stream behind b.
func (p *packCode) append(b, data []byte) []byte {
	start := len(b)
	// No code is longer than 15 bits: what is written below stays inside.
	b = slices.Grow(b, 2*len(data)+1024)
	out := b[start:cap(b)]
	out[0], out[1] = 0x78, 0x01 // deflate, window of 32 KB, fastest (RFC 1950 section 2.2)
	at := 2
	var bits uint64 // waiting, the first one lowest
	n := uint(0)    // of them, under 32 between two writes
	put := func(code uint32) {
		bits |= uint64(code&0xffffff) << (n & 63)
		if n += uint(code >> 24); n >= 32 {
			binary.LittleEndian.PutUint32(out[at:], uint32(bits))
			at, bits, n = at+4, bits>>32, n-32
		}
	}
	for _, code := range p.head {
		put(code)
	}
	bits, n, at = p.pack(data, out, bits, n, at)
	put(p.end)
	for ; n > 0; n -= min(n, 8) {
		out[at] = byte(bits)
		at, bits = at+1, bits>>8
	}
	binary.BigEndian.PutUint32(out[at:], adler32.Checksum(data))
	return b[:start+at+4]
}

// pack writes the codes of data, two bytes at a time. It is the loop that most of
// the time goes into: its variables are to stay in registers.
func (p *packCode) pack(data, out []byte, bits uint64, n uint, at int) (uint64, uint, int) {
	const mask = 1<<32 - 1
	pairs := p.pairs
	for len(data) >= 2 { // a pair has 30 bits at most, and 31 may wait
		pair := pairs[uint16(data[0])|uint16(data[1])<<8]
		bits |= pair & mask << (n & 63)
		if n += uint(pair >> 32); n >= 32 {
			binary.LittleEndian.PutUint32(out[at:], uint32(bits))
			at, bits, n = at+4, bits>>32, n-32
		}
		data = data[2:]
	}
	if len(data) == 1 {
		code := p.codes[data[0]]
		bits |= uint64(code&0xffffff) << (n & 63)
		if n += uint(code >> 24); n >= 32 {
			binary.LittleEndian.PutUint32(out[at:], uint32(bits))
			at, bits, n = at+4, bits>>32, n-32
		}
	}
	return bits, n, at
}

// canonical gives each symbol with a length its code, first bit lowest.
func canonical(lengths []int) []uint32 {
	codes := make([]uint32, len(lengths))
	code := uint32(0)
	for n := 1; n <= 15; n++ {
		for symbol, length := range lengths {
			if length != n {
				continue
			}
			for i := range n { // the first bit of a code is its highest one
				codes[symbol] |= code >> (n - 1 - i) & 1 << i
			}
			codes[symbol] |= uint32(n) << 24
			code++
		}
		code <<= 1
	}
	return codes
}

// bitReader reads what compress/flate of this very program wrote.
type bitReader struct {
	b  []byte
	at int
}

func (r *bitReader) take(n int) (v int) {
	for i := range n {
		v |= int(r.b[r.at/8]>>(r.at%8)&1) << i
		r.at++
	}
	return v
}

// lengths reads count lengths of codes, which are themselves coded by codes of the
// given lengths, with three symbols for repetitions.
func (r *bitReader) lengths(of []int, count int) []int {
	codes := canonical(of)
	var all []int
	for len(all) < count {
		start := r.at
		symbol := slices.IndexFunc(codes, func(code uint32) bool {
			r.at = start
			n := int(code >> 24)
			return n > 0 && r.take(n) == int(code&0xffffff)
		})
		switch symbol {
		case 16:
			last := all[len(all)-1]
			all = append(all, slices.Repeat([]int{last}, 3+r.take(2))...)
		case 17:
			all = append(all, make([]int, 3+r.take(3))...)
		case 18:
			all = append(all, make([]int, 11+r.take(7))...)
		default:
			all = append(all, symbol)
		}
	}
	return all
}
