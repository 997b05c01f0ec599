package qrcode

import "math/bits"

// The weights of ISO/IEC 18004 table 11.
const (
	weightRun     = 3  // five modules of one colour in a line; one more for each further
	weightBlock   = 3  // two by two modules of one colour
	weightPattern = 40 // what looks like a corner, light on one of its sides
	weightBalance = 10 // each 5 % that dark is off one half
)

// penalty scores the code of side modules that rows^fixed makes by the four
// rules of ISO/IEC 18004 section 7.8.3; columns^across is the same code with x
// and y exchanged. It gives up, with a score no lower than limit, when it is
// clear that the code is no better than that.
func penalty(side int, rows, fixed, columns, across *grid, limit int) int {
	score, dark, blocks := 0, 0, 0
	var left [maxSide]uint64 // whether the last column of the word before equals the one below
	for w := range (side + 63) / 64 {
		valid := ^uint64(0) >> max(0, 64*(w+1)-side)
		var code, turned [maxSide + 8]uint64 // four light lines at either end: the quiet zone
		for y := range side {
			code[y+4] = rows[w][y] ^ fixed[w][y]
			turned[y+4] = columns[w][y] ^ across[w][y]
			dark += bits.OnesCount64(code[y+4])
		}
		score += lines(code[:side+8], valid) + lines(turned[:side+8], valid)
		// Rule 2, by the square's lower right module; the left half of a word's first
		// column is in the word before.
		for y := range side - 1 {
			a, b := code[y+4], code[y+5]
			var last uint64 // of the word before
			if w > 0 {
				last = (rows[w-1][y] ^ fixed[w-1][y]) >> 63
			}
			same := ^(a ^ b)                                     // with the one below
			level := ^(a ^ (a<<1 | last))                        // with the one to the left
			square := same & (same<<1 | left[y]) & level & valid // and the one to the left with its own below
			if w == 0 {
				square &^= 1
			}
			left[y] = same >> 63
			blocks += bits.OnesCount64(square)
		}
		if score+weightBlock*blocks >= limit {
			return limit
		}
	}
	off := 2*dark - side*side // twice the distance from one half
	if off < 0 {
		off = -off
	}
	return score + weightBlock*blocks + weightBalance*(10*off/(side*side))
}

// lines scores rules 1 and 3 down 64 columns at once. code has four light lines
// before the first and after the last.
func lines(code []uint64, valid uint64) int {
	n := len(code) - 8
	extra, runs, patterns := 0, 0, 0
	// Five of one colour: no change in four steps. A run of k modules has k-4 such
	// places and costs k-2.
	var before uint64
	c1, c2, c3 := code[4]^code[5], code[5]^code[6], code[6]^code[7]
	for y := 4; y < n; y++ { // y to y+4 within the code
		c4 := code[y+3] ^ code[y+4]
		five := ^(c1 | c2 | c3 | c4) & valid
		extra += bits.OnesCount64(five)
		runs += bits.OnesCount64(five &^ before)
		before, c1, c2, c3 = five, c2, c3, c4
	}
	for y := 4; y+7 <= n+4; y++ {
		corner := code[y] &^ code[y+1] & code[y+2] & code[y+3] & code[y+4] &^ code[y+5] & code[y+6]
		if corner == 0 {
			continue
		}
		above := code[y-1] | code[y-2] | code[y-3] | code[y-4]
		below := code[y+7] | code[y+8] | code[y+9] | code[y+10]
		patterns += bits.OnesCount64(corner &^ (above & below))
	}
	return (weightRun-1)*runs + extra + weightPattern*patterns
}
