package qrcode

import (
	"encoding/binary"
	"math/bits"
	"sync"

	"rsc.io/qr/coding"
	"rsc.io/qr/gf256"
)

// Fast returns what Matrix does for level M, some fifty times as fast: the same
// version, the same text, and the mask with the lowest penalty. It is for the
// texts of cards, which are Base45. A text with other characters, or with so
// many digits in a row that packing them by themselves may save a version, goes
// through Matrix.
//
// Safe for use by several goroutines at once.
func Fast(text string) ([][]bool, error) {
	v := alphanumericVersion(text)
	if v == 0 {
		return Matrix(text, M)
	}
	return layouts[v]().draw(text), nil
}

// digitRun is the length from which skip2 may give digits a segment of their
// own: a numeric segment saves 13/6 bits a digit and costs two headers, of 14
// bits each or more.
const digitRun = 8

// alphanumericVersion returns the smallest version that holds text as one
// alphanumeric segment at level M, and 0 where that is not the way to write it.
func alphanumericVersion(text string) coding.Version {
	digits := 0
	for i := range len(text) {
		c := text[i]
		if digits++; c < '0' || c > '9' {
			digits = 0
		}
		if digits == digitRun || alphanumeric[c] == 0 {
			return 0
		}
	}
	if text == "" {
		return 0
	}
	for v := coding.Version(coding.MinVersion); v <= coding.MaxVersion; v++ {
		if coding.Alpha(text).Bits(v) <= 8*v.DataBytes(coding.M) {
			return v
		}
	}
	return 0
}

// base45Letters stand in the order of their values (ISO/IEC 18004 table 5).
const base45Letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// alphanumeric is one more than a character's value, 0 for others.
var alphanumeric = func() (values [256]uint8) {
	for i, c := range base45Letters {
		values[c] = uint8(i + 1)
	}
	return values
}()

// segment writes text as one alphanumeric segment (section 7.4.4): what
// coding.Alpha does, without looking each letter up in a string.
func segment(b *coding.Bits, text string, v coding.Version) {
	count := 13
	switch {
	case v <= 9:
		count = 9
	case v <= 26:
		count = 11
	}
	b.Write(2, 4)
	b.Write(uint(len(text)), count)
	for ; len(text) >= 2; text = text[2:] {
		b.Write(45*uint(alphanumeric[text[0]]-1)+uint(alphanumeric[text[1]]-1), 11)
	}
	if text != "" {
		b.Write(uint(alphanumeric[text[0]]-1), 6)
	}
}

// The longest side, and the words of 64 modules it takes.
const (
	maxSide  = 17 + 4*coding.MaxVersion
	maxWords = (maxSide + 63) / 64
)

// grid holds the modules of a code as bits, dark is 1: bit x%64 of word
// [x/64][y]. A word is a piece of a row, so that a step down is the next word
// and 64 columns are looked at in one operation.
type grid [maxWords][maxSide]uint64

// layout is what all codes of one version share at level M.
type layout struct {
	version coding.Version
	side    int
	// place[i] is where bit i of the codewords stands: x<<8 | y.
	place []uint16
	// Codewords are data bytes in blocks, each with as many check bytes: the last
	// ones have a byte of data more where they do not come out even.
	data, blocks, check int
	// feedback is what one byte leaves in the check bytes of its block, the first
	// at the top of the first word.
	feedback [256][4]uint64
	// fixed has, for each mask, everything but the codewords: the patterns, the
	// format information, and the mask itself, which codewords are xored to.
	// across is the same with x and y exchanged.
	fixed, across [8]grid
}

// layouts are made when they are first needed, 80 KB each.
var layouts = func() (all [coding.MaxVersion + 1]func() *layout) {
	for v := range all {
		all[v] = sync.OnceValue(func() *layout { return newLayout(coding.Version(v)) })
	}
	return all
}()

func newLayout(v coding.Version) *layout {
	l := &layout{version: v}
	for mask := range l.fixed {
		plan, err := coding.NewPlan(v, coding.M, coding.Mask(mask))
		if err != nil {
			panic("qrcode: " + err.Error()) // no such version: a mistake here
		}
		l.side = len(plan.Pixel)
		if l.place == nil {
			l.place = make([]uint16, 8*(plan.DataBytes+plan.CheckBytes))
			l.data, l.blocks, l.check = plan.DataBytes, plan.Blocks, plan.CheckBytes/plan.Blocks
		}
		for y, row := range plan.Pixel {
			for x, pixel := range row {
				if role := pixel.Role(); role == coding.Data || role == coding.Check {
					l.place[pixel.Offset()] = uint16(x<<8 | y)
				}
				if pixel&coding.Black != 0 {
					l.fixed[mask][x>>6][y] |= 1 << (x & 63)
					l.across[mask][y>>6][x] |= 1 << (y & 63)
				}
			}
		}
	}
	encoder, check := gf256.NewRSEncoder(coding.Field, l.check), make([]byte, 32)
	for b := range l.feedback {
		encoder.ECC([]byte{byte(b)}, check[:l.check])
		for i := range l.feedback[b] {
			l.feedback[b][i] = binary.BigEndian.Uint64(check[8*i:])
		}
	}
	return l
}

// appendCheck appends the check bytes of all blocks of data (section 7.5.2): the
// remainder of the block divided by the generator, a byte a step.
func (l *layout) appendCheck(data []byte) []byte {
	out := data
	short, long := l.data/l.blocks, l.data%l.blocks
	for i := range l.blocks {
		n := short
		if i >= l.blocks-long {
			n++
		}
		var s [4]uint64
		for _, b := range data[:n] {
			f := &l.feedback[b^byte(s[0]>>56)]
			s[0] = (s[0]<<8 | s[1]>>56) ^ f[0]
			s[1] = (s[1]<<8 | s[2]>>56) ^ f[1]
			s[2] = (s[2]<<8 | s[3]>>56) ^ f[2]
			s[3] = s[3]<<8 ^ f[3]
		}
		data = data[n:]
		var check [32]byte
		for i, w := range s {
			binary.BigEndian.PutUint64(check[8*i:], w)
		}
		out = append(out, check[:l.check]...)
	}
	return out
}

// draw places the codewords and takes the mask with the lowest penalty, the
// lower number of two that are equal (ISO/IEC 18004 section 7.8).
func (l *layout) draw(text string) [][]bool {
	var codewords coding.Bits
	segment(&codewords, text, l.version)
	codewords.Pad(8*l.data - codewords.Bits())
	var rows, columns grid
	for i, b := range l.appendCheck(codewords.Bytes()) {
		places := l.place[8*i:][:8]
		for ; b != 0; b &= b - 1 {
			at := places[7-bits.TrailingZeros8(b)]
			rows[at>>14][at&255] |= 1 << (at >> 8 & 63)
		}
	}
	turn(l.side, &rows, &columns)
	best, lowest := 0, 1<<30
	for mask := range l.fixed {
		if p := penalty(l.side, &rows, &l.fixed[mask], &columns, &l.across[mask], lowest); p < lowest {
			best, lowest = mask, p
		}
	}
	matrix, cells := make([][]bool, l.side), make([]bool, l.side*l.side)
	for y := range matrix {
		matrix[y] = cells[y*l.side:][:l.side:l.side]
		for w := range (l.side + 63) / 64 {
			code := rows[w][y] ^ l.fixed[best][w][y]
			part := matrix[y][64*w : min(64*w+64, l.side)]
			for x := range part {
				part[x] = code&1 != 0
				code >>= 1
			}
		}
	}
	return matrix
}

// turn exchanges x and y: each square of 64 x 64 modules in six steps, halves of
// halves changing places (Warren, Hacker's Delight, 7-3).
func turn(side int, rows, columns *grid) {
	var square [64]uint64
	for across := range (side + 63) / 64 {
		for down := range (side + 63) / 64 {
			n := copy(square[:], rows[across][64*down:min(64*down+64, maxSide)])
			clear(square[n:])
			mask := uint64(1<<32 - 1)
			for step := 32; step > 0; step >>= 1 {
				for k := 0; k < 64; k = (k + step + 1) &^ step {
					swap := (square[k]>>step ^ square[k+step]) & mask
					square[k] ^= swap << step
					square[k+step] ^= swap
				}
				mask ^= mask << (step >> 1)
			}
			copy(columns[down][64*across:min(64*across+64, maxSide)], square[:])
		}
	}
}
