package qr

// dynamicCode is the code of a dynamic block with the header that tells it.
// RFC 1951 3.2.7.
type dynamicCode struct {
	code
	runs       [maxLiterals + maxDistances]run // the sizes of both, run-length coded
	used       int                             // how many of the runs
	nLiterals  int                             // how many sizes are told
	nDistances int
	lengths    [len(lengthOrder)]uint8 // sizes of the code the runs are written in
	nLengths   int
}

// code is the size of each symbol's code, 0 where it has none. The last two of
// both alphabets are never used, but have a code in a fixed block.
type code struct {
	literals  [maxLiterals + 2]uint8
	distances [maxDistances + 2]uint8
}

// codeNumbers are the codes themselves.
type codeNumbers struct {
	literals  [maxLiterals + 2]uint16
	distances [maxDistances + 2]uint16
}

func (c *code) numbers() (n codeNumbers) {
	number(n.literals[:], c.literals[:])
	number(n.distances[:], c.distances[:])
	return n
}

// run is a symbol of the header: a size, or a repetition with its extra bits.
type run struct {
	symbol, extra uint8
}

// runExtra is the number of extra bits of the repetitions 16, 17 and 18.
func runExtra(symbol uint8) uint8 {
	switch symbol {
	case 16:
		return 2
	case 17:
		return 3
	case 18:
		return 7
	}
	return 0
}

// build makes the code for c and returns the bits of a block in it, three for
// the block type left out.
func (t *dynamicCode) build(c *counts) int {
	huffman(t.literals[:], c.literals[:], maxCodeBits)
	huffman(t.distances[:], c.distances[:], maxCodeBits)
	return t.header() + t.body(c)
}

// body is the number of bits of the symbols.
func (t *dynamicCode) body(c *counts) int {
	n := c.extra
	for s, k := range c.literals {
		n += int(k) * int(t.literals[s])
	}
	for s, k := range c.distances {
		n += int(k) * int(t.distances[s])
	}
	return n
}

// header prepares the header for the sizes set and returns its bits.
func (t *dynamicCode) header() int {
	t.nLiterals, t.nDistances = maxLiterals, maxDistances
	for t.literals[t.nLiterals-1] == 0 {
		t.nLiterals--
	}
	for t.nDistances > 1 && t.distances[t.nDistances-1] == 0 {
		t.nDistances--
	}
	var all [maxLiterals + maxDistances]uint8
	n := copy(all[:], t.literals[:t.nLiterals])
	n += copy(all[n:], t.distances[:t.nDistances])
	var count [len(lengthOrder)]uint32
	t.used = 0
	bits := 5 + 5 + 4
	put := func(symbol, extra uint8) {
		t.runs[t.used] = run{symbol, extra}
		t.used++
		count[symbol]++
		bits += int(runExtra(symbol))
	}
	for i := 0; i < n; {
		size, same := all[i], 1
		for i+same < n && all[i+same] == size {
			same++
		}
		i += same
		if size == 0 {
			for ; same >= 11; same -= min(same, 138) {
				put(18, uint8(min(same, 138)-11))
			}
			if same >= 3 {
				put(17, uint8(same-3))
				same = 0
			}
		} else {
			put(size, 0)
			for same--; same >= 3; same -= min(same, 6) {
				put(16, uint8(min(same, 6)-3))
			}
		}
		for ; same > 0; same-- {
			put(size, 0)
		}
	}
	huffman(t.lengths[:], count[:], 7)
	t.nLengths = len(lengthOrder)
	for t.nLengths > 4 && t.lengths[lengthOrder[t.nLengths-1]] == 0 {
		t.nLengths--
	}
	bits += 3 * t.nLengths
	for s, k := range count {
		bits += int(k) * int(t.lengths[s])
	}
	return bits
}

// writeHeader writes the header prepared.
func (t *dynamicCode) writeHeader(out *bitWriter) {
	out.put(uint32(t.nLiterals-257), 5)
	out.put(uint32(t.nDistances-1), 5)
	out.put(uint32(t.nLengths-4), 4)
	for _, s := range lengthOrder[:t.nLengths] {
		out.put(uint32(t.lengths[s]), 3)
	}
	var numbers [len(lengthOrder)]uint16
	number(numbers[:], t.lengths[:])
	for _, r := range t.runs[:t.used] {
		out.put(uint32(numbers[r.symbol]), t.lengths[r.symbol])
		out.put(uint32(r.extra), runExtra(r.symbol))
	}
}
