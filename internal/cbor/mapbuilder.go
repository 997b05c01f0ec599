package cbor

import (
	"bytes"
	"slices"
)

// MapBuilder collects the pairs of a map in any order and writes them in the
// order that RFC 8949 4.2.1 wants. The zero value is empty and ready.
type MapBuilder struct {
	buf   []byte // the pairs as put: key, value, key, value
	pairs []pair
}

// pair is where one pair lies in the buffer.
type pair struct{ key, value, end int }

// Put adds a pair of one encoded item each. Both are copied.
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
	if !slices.IsSortedFunc(m.pairs, m.compare) {
		slices.SortFunc(m.pairs, m.compare)
	}
}

// compare orders pairs by their encoded keys, bytewise.
func (m *MapBuilder) compare(x, y pair) int {
	return bytes.Compare(m.buf[x.key:x.value], m.buf[y.key:y.value])
}
