package cbor

// Deterministic opens the encoder behind the comparison of map keys, so that it
// can be held against another implementation. b must have passed Check.
func Deterministic(b []byte) []byte {
	b, _ = appendDeterministic(nil, b)
	return b
}
