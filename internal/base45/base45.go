// Package base45 is the text form of bytes in a QR code (RFC 9285): two bytes
// are three characters of the QR alphanumeric alphabet, a last single byte is
// two.
//
// Decoding is strict: what decodes is exactly what encoding the result gives.
package base45

import "strconv"

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// notInAlphabet marks bytes without a value. Its high bit survives an OR, so
// one test covers a whole group.
const notInAlphabet = 0x80

// values maps a character to its value, 0 to 44.
var values = func() (v [256]byte) {
	for i := range v {
		v[i] = notInAlphabet
	}
	for i := range alphabet {
		v[alphabet[i]] = byte(i)
	}
	return v
}()

// SyntaxError says why and where a text is not Base45.
type SyntaxError struct {
	Offset int    // byte offset of the character or group at fault
	Why    string // in English, for us
}

func (e *SyntaxError) Error() string {
	return "base45: " + e.Why + " at offset " + strconv.Itoa(e.Offset)
}

// EncodedLen is the number of characters that n bytes become.
func EncodedLen(n int) int { return n/2*3 + n%2*2 }

// DecodedLen is the number of bytes that n characters become, if they are
// Base45 at all.
func DecodedLen(n int) int { return n/3*2 + n%3/2 }

// Encode returns src as text.
func Encode(src []byte) string {
	return string(AppendEncode(make([]byte, 0, EncodedLen(len(src))), src))
}

// AppendEncode appends src as text.
func AppendEncode(dst, src []byte) []byte {
	for len(src) >= 2 {
		v := uint32(src[0])<<8 | uint32(src[1])
		dst = append(dst, alphabet[v%45], alphabet[v/45%45], alphabet[v/2025])
		src = src[2:]
	}
	if len(src) == 1 {
		dst = append(dst, alphabet[src[0]%45], alphabet[src[0]/45])
	}
	return dst
}

// AppendDecode appends the bytes that src stands for. On an error, always a
// *SyntaxError, it returns dst as it was. Nothing is allocated beyond the
// growth of dst.
//
// RFC 9285 section 4 and 6: no character outside the alphabet (lower case,
// white space), no group above 65535 or 255, no lone last character.
func AppendDecode(dst []byte, src string) ([]byte, error) {
	out := dst
	i := 0
	for ; len(src)-i >= 3; i += 3 {
		c, d, e := values[src[i]], values[src[i+1]], values[src[i+2]]
		if (c|d|e)&notInAlphabet != 0 {
			return dst, outside(src, i)
		}
		v := uint32(c) + 45*uint32(d) + 2025*uint32(e)
		if v > 0xffff {
			return dst, &SyntaxError{i, "three characters above 65535"}
		}
		out = append(out, byte(v>>8), byte(v))
	}
	switch len(src) - i {
	case 1:
		if values[src[i]] == notInAlphabet {
			return dst, outside(src, i)
		}
		return dst, &SyntaxError{i, "a lone last character"}
	case 2:
		c, d := values[src[i]], values[src[i+1]]
		if (c|d)&notInAlphabet != 0 {
			return dst, outside(src, i)
		}
		v := uint32(c) + 45*uint32(d)
		if v > 0xff {
			return dst, &SyntaxError{i, "two characters above 255"}
		}
		out = append(out, byte(v))
	}
	return out, nil
}

// outside is the error for the first character at or after i that is not in
// the alphabet.
func outside(src string, i int) error {
	for values[src[i]] != notInAlphabet {
		i++
	}
	return &SyntaxError{i, "a character outside the alphabet"}
}
