package jose

import "slices"

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// values holds the value of each letter of the alphabet, and foreign for every
// other byte. foreign has the two bits that no value has, so that the values of
// a group can be or-ed together and looked at once.
var values = func() (v [256]byte) {
	for i := range v {
		v[i] = foreign
	}
	for i := range len(alphabet) {
		v[alphabet[i]] = byte(i)
	}
	return v
}()

const foreign = 0xc0

// AppendBase64 appends src in base64url without padding.
//
// RFC 4648 section 5; RFC 7515 section 2.
func AppendBase64(dst, src []byte) []byte {
	dst = slices.Grow(dst, (len(src)*8+5)/6)
	for len(src) >= 3 {
		v := uint(src[0])<<16 | uint(src[1])<<8 | uint(src[2])
		dst = append(dst, alphabet[v>>18], alphabet[v>>12&63], alphabet[v>>6&63], alphabet[v&63])
		src = src[3:]
	}
	switch len(src) {
	case 1:
		v := uint(src[0]) << 4
		dst = append(dst, alphabet[v>>6], alphabet[v&63])
	case 2:
		v := uint(src[0])<<10 | uint(src[1])<<2
		dst = append(dst, alphabet[v>>12], alphabet[v>>6&63], alphabet[v&63])
	}
	return dst
}

// EncodeBase64 returns src in base64url without padding.
func EncodeBase64(src []byte) string { return string(AppendBase64(nil, src)) }

// DecodeBase64 returns the bytes that src stands for.
//
// It takes the one form AppendBase64 writes: no padding, no white space, no
// other alphabet, and the bits left over in the last letter zero (RFC 4648
// 3.5), so that no two texts stand for the same bytes. All else is
// ErrMalformed.
func DecodeBase64[T ~string | ~[]byte](src T) ([]byte, error) {
	if len(src)%4 == 1 {
		return nil, malformed("base64url of an impossible length")
	}
	dst := make([]byte, 0, len(src)*3/4)
	i := 0
	for ; i+4 <= len(src); i += 4 {
		a, b, c, d := values[src[i]], values[src[i+1]], values[src[i+2]], values[src[i+3]]
		if (a|b|c|d)&foreign != 0 {
			return nil, malformed("a letter that is not base64url")
		}
		dst = append(dst, a<<2|b>>4, b<<4|c>>2, c<<6|d)
	}
	switch len(src) - i {
	case 2:
		a, b := values[src[i]], values[src[i+1]]
		if (a|b)&foreign != 0 {
			return nil, malformed("a letter that is not base64url")
		}
		if b&15 != 0 {
			return nil, malformed("base64url with stray bits")
		}
		dst = append(dst, a<<2|b>>4)
	case 3:
		a, b, c := values[src[i]], values[src[i+1]], values[src[i+2]]
		if (a|b|c)&foreign != 0 {
			return nil, malformed("a letter that is not base64url")
		}
		if c&3 != 0 {
			return nil, malformed("base64url with stray bits")
		}
		dst = append(dst, a<<2|b>>4, b<<4|c>>2)
	}
	return dst, nil
}
