package qr

import "slices"

// huffman sets sizes to those of an optimal prefix code for the counts, none
// above limit. Symbols that do not occur get none; a lone one gets one bit.
//
// Moffat and Katajainen, "In-place calculation of minimum-redundancy codes",
// then sizes above the limit are shortened as zlib does.
func huffman(sizes []uint8, counts []uint32, limit int) {
	var space [maxLiterals + 2]uint64
	order := space[:0] // count<<16 | symbol, rising
	for symbol, n := range counts {
		sizes[symbol] = 0
		if n > 0 {
			order = append(order, uint64(n)<<16|uint64(symbol))
		}
	}
	if len(order) < 2 {
		for _, o := range order {
			sizes[o&0xffff] = 1
		}
		return
	}
	slices.Sort(order)

	// In place: weights of inner nodes, then their parents, then their depths,
	// then depths of leaves.
	var a [maxLiterals + 2]uint32
	n := len(order)
	for i, o := range order {
		a[i] = uint32(o >> 16)
	}
	a[0] += a[1]
	root, leaf := 0, 2
	for next := 1; next < n-1; next++ {
		a[next] = 0
		for range 2 {
			if leaf >= n || root < next && a[root] < a[leaf] {
				a[next] += a[root]
				a[root] = uint32(next)
				root++
			} else {
				a[next] += a[leaf]
				leaf++
			}
		}
	}
	a[n-2] = 0
	for next := n - 3; next >= 0; next-- {
		a[next] = a[a[next]] + 1
	}
	var bySize [64]int // leaves by depth
	available, used, depth := 1, 0, 0
	for at, root := n-1, n-2; available > 0; depth++ {
		used = 0
		for root >= 0 && int(a[root]) == depth {
			used++
			root--
		}
		bySize[min(depth, len(bySize)-1)] += available - used
		at -= available - used
		available = 2 * used
	}

	// Too deep leaves move up to the limit, which over-subscribes the code;
	// then one leaf at a time moves down from a level above to make room.
	for size := limit + 1; size < len(bySize); size++ {
		bySize[limit] += bySize[size]
		bySize[size] = 0
	}
	total := 0
	for size := 1; size <= limit; size++ {
		total += bySize[size] << (limit - size)
	}
	for ; total > 1<<limit; total-- {
		bySize[limit]--
		size := limit - 1
		for bySize[size] == 0 {
			size--
		}
		bySize[size]--
		bySize[size+1] += 2
	}
	// The rarest symbols get the longest codes.
	i := 0
	for size := limit; size > 0; size-- {
		for range bySize[size] {
			sizes[order[i]&0xffff] = uint8(size)
			i++
		}
	}
}
