//go:build !js

package cose

// maxDER is the longest DER form of a P-256 signature: two heads of 2 bytes
// and two integers of 33.
const maxDER = 2 + 2*(2+33)

// appendDER appends SEQUENCE { INTEGER r, INTEGER s } of the 64 bytes r||s.
func appendDER(dst, sig []byte) []byte {
	dst = append(dst, 0x30, 0)
	start := len(dst)
	dst = appendInteger(dst, sig[:32])
	dst = appendInteger(dst, sig[32:64])
	dst[start-1] = byte(len(dst) - start)
	return dst
}

func appendInteger(dst, v []byte) []byte {
	for len(v) > 1 && v[0] == 0 {
		v = v[1:]
	}
	if v[0] >= 0x80 { // the sign bit: a zero keeps it positive
		dst = append(dst, 0x02, byte(len(v)+1), 0)
	} else {
		dst = append(dst, 0x02, byte(len(v)))
	}
	return append(dst, v...)
}

// parseDER writes r||s of a DER signature into sig (64 bytes) and reports
// whether der was exactly one such signature in its one encoding.
func parseDER(sig, der []byte) bool {
	if len(der) < 2 || der[0] != 0x30 || int(der[1]) != len(der)-2 {
		return false
	}
	rest, ok := parseInteger(sig[:32], der[2:])
	if !ok {
		return false
	}
	rest, ok = parseInteger(sig[32:64], rest)
	return ok && len(rest) == 0
}

func parseInteger(dst, der []byte) (rest []byte, ok bool) {
	if len(der) < 3 || der[0] != 0x02 || der[1] == 0 || der[1] > 33 || int(der[1]) > len(der)-2 {
		return nil, false
	}
	v, rest := der[2:2+der[1]], der[2+der[1]:]
	switch {
	case v[0] >= 0x80: // negative
		return nil, false
	case v[0] == 0 && len(v) > 1:
		if v[1] < 0x80 { // a zero too many
			return nil, false
		}
		v = v[1:]
	}
	if len(v) > len(dst) {
		return nil, false
	}
	clear(dst)
	copy(dst[len(dst)-len(v):], v)
	return rest, true
}
