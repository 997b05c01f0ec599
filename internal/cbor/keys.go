package cbor

import "math"

// repeats tells whether the n pairs at the start of b name a key twice. The
// pairs were scanned before; deterministic says that every key is. Two keys
// are the same when their deterministic encodings are.
func repeats(b []byte, n int, deterministic bool) bool {
	keys := make([]pair, 0, 24) // stays on the stack while it suffices; values are left out
	w := scanner{b: b, walking: true}
	for range n {
		from := w.pos
		// Neither call can fail: the depth was within limits before.
		_ = w.item(math.MaxInt)
		keys = append(keys, pair{key: from, value: w.pos})
		_ = w.item(math.MaxInt)
	}
	if !deterministic {
		var same []byte
		for i, k := range keys {
			from := len(same)
			same, _ = appendDeterministic(same, b[k.key:k.value])
			keys[i] = pair{key: from, value: len(same)}
		}
		b = same
	}
	sortPairs(b, keys)
	for i := 1; i < len(keys); i++ {
		if compareKeys(b, keys[i-1], keys[i]) == 0 {
			return true
		}
	}
	return false
}

// appendDeterministic appends the deterministic encoding of the first item of
// b, which was scanned before, and returns what follows the item.
//
// RFC 8949 4.2.1.
func appendDeterministic(dst, b []byte) (_, rest []byte) {
	major, info, arg, size, _ := head(b)
	b = b[size:]
	at := len(dst)
	n := int(arg)
	switch major {
	case majorUint, majorNint:
		return AppendHead(dst, major, arg), b
	case majorBytes, majorText:
		if info != infoIndefinite {
			return append(AppendHead(dst, major, arg), b[:n]...), b[n:]
		}
		for b[0] != breakByte {
			_, _, arg, size, _ = head(b)
			n = size + int(arg)
			dst, b = append(dst, b[size:n]...), b[n:]
		}
		return insertHead(dst, at, major, len(dst)-at), b[1:]
	case majorArray:
		count := 0
		for ; count != n || info == infoIndefinite; count++ {
			if info == infoIndefinite && b[0] == breakByte {
				b = b[1:]
				break
			}
			dst, b = appendDeterministic(dst, b)
		}
		return insertHead(dst, at, major, count), b
	case majorMap:
		// The count of a definite map was found to be there.
		m := MapBuilder{pairs: make([]pair, 0, n)}
		var item []byte // a key, then its value
		for count := 0; count != n || info == infoIndefinite; count++ {
			if info == infoIndefinite && b[0] == breakByte {
				b = b[1:]
				break
			}
			item, b = appendDeterministic(item[:0], b)
			key := len(item)
			item, b = appendDeterministic(item, b)
			m.Put(item[:key], item[key:])
		}
		return m.appendSorted(dst), b
	case majorTag:
		return appendDeterministic(AppendHead(dst, major, arg), b)
	}
	switch info {
	case 25, 26, 27:
		return AppendFloat(dst, floatOf(info, arg)), b
	}
	return AppendHead(dst, major, arg), b
}

// insertHead puts a head before what was appended since at.
func insertHead(dst []byte, at int, major byte, n int) []byte {
	var h [9]byte
	head := AppendHead(h[:0], major, uint64(n))
	dst = append(dst, head...)
	copy(dst[at+len(head):], dst[at:])
	copy(dst[at:], head)
	return dst
}
