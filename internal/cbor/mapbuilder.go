package cbor

import "bytes"

// MapBuilder collects the pairs of a map in any order and writes them in the
// order that RFC 8949 4.2.1 wants. The zero value is empty and ready.
type MapBuilder struct {
	buf   []byte // the pairs as put: key, value, key, value
	pairs []pair
}

// pair is where one pair lies in the buffer.
type pair struct{ key, value, end int }

// Put adds a pair of one encoded item each. Both are copied.
//
//go:noinline
func (m *MapBuilder) Put(key, value []byte) {
	at := len(m.buf)
	m.buf = append(m.buf, key...)
	m.add(at, value)
}

// PutInt adds a pair with an integer key and an encoded value.
func (m *MapBuilder) PutInt(key int64, value []byte) {
	at := len(m.buf)
	m.buf = AppendInt(m.buf, key)
	m.add(at, value)
}

// PutText adds a pair with a text key and an encoded value.
func (m *MapBuilder) PutText(key string, value []byte) {
	at := len(m.buf)
	m.buf = AppendText(m.buf, key)
	m.add(at, value)
}

// add completes the pair whose key begins at at.
func (m *MapBuilder) add(at int, value []byte) {
	v := len(m.buf)
	m.buf = append(m.buf, value...)
	m.pairs = append(m.pairs, pair{at, v, len(m.buf)})
}

// Len is the number of pairs put so far.
func (m *MapBuilder) Len() int { return len(m.pairs) }

// Reset empties m and keeps its memory for the next map.
func (m *MapBuilder) Reset() { m.buf, m.pairs = m.buf[:0], m.pairs[:0] }

// Append appends the map. If a key was put twice it returns dst as it was and
// ErrDuplicateKey.
func (m *MapBuilder) Append(dst []byte) ([]byte, error) {
	m.sort()
	for i := 1; i < len(m.pairs); i++ {
		if m.compare(m.pairs[i-1], m.pairs[i]) == 0 {
			return dst, ErrDuplicateKey
		}
	}
	return m.appendSorted(dst), nil
}

// appendSorted appends the map, duplicate keys and all.
func (m *MapBuilder) appendSorted(dst []byte) []byte {
	m.sort()
	dst = AppendMap(dst, len(m.pairs))
	for _, p := range m.pairs {
		dst = append(dst, m.buf[p.key:p.end]...)
	}
	return dst
}

func (m *MapBuilder) sort() {
	for i := 1; i < len(m.pairs); i++ {
		if m.compare(m.pairs[i-1], m.pairs[i]) > 0 {
			sortPairs(m.buf, m.pairs)
			return
		}
	}
}

// compare orders pairs by their encoded keys, bytewise.
func (m *MapBuilder) compare(x, y pair) int { return compareKeys(m.buf, x, y) }

func compareKeys(b []byte, x, y pair) int {
	return bytes.Compare(b[x.key:x.value], b[y.key:y.value])
}

// sortPairs orders pairs of b by their keys: a heapsort, which takes no memory
// and n log n steps whatever order somebody chose to send. It is here because
// an instance of slices.SortFunc is as large as the rest of this package.
func sortPairs(b []byte, pairs []pair) {
	for i := len(pairs)/2 - 1; i >= 0; i-- {
		sink(b, pairs, i)
	}
	for n := len(pairs) - 1; n > 0; n-- {
		pairs[0], pairs[n] = pairs[n], pairs[0]
		sink(b, pairs[:n], 0)
	}
}

// sink moves heap[i] down until no child of it is greater.
func sink(b []byte, heap []pair, i int) {
	for {
		child := 2*i + 1
		if child >= len(heap) {
			return
		}
		if child+1 < len(heap) && compareKeys(b, heap[child], heap[child+1]) < 0 {
			child++
		}
		if compareKeys(b, heap[i], heap[child]) >= 0 {
			return
		}
		heap[i], heap[child] = heap[child], heap[i]
		i = child
	}
}
