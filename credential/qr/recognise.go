package qr

import "strings"

// Kind is what a scanned text looks like before anything in it is trusted.
type Kind uint8

const (
	Unknown  Kind = iota // nothing we know; Brotli cards are found by trying
	Empty                // no text at all
	ZlibCard             // a card: Base45 of a zlib stream
	BadZlib              // Base45 of gzip, or of a zlib header with another method
	RawCard              // a foreign card: Base45 of a COSE message, not compressed
	Token                // a JWT or SD-JWT
)

var kindNames = [...]string{"unknown", "empty", "zlib card", "bad zlib", "raw card", "token"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[Unknown]
}

// Recognise says what text is, by its first characters alone: a card damaged
// further on is still a card, and its faults are told as such.
//
// The first two bytes of a zlib stream make the texts of almost all cards start
// with NCF (ours), 6BF or V7F. Letter case is ignored here, since a reader that
// changed it damaged a card and not something else.
func Recognise(text string) Kind {
	if text == "" {
		return Empty
	}
	if b0, b1, ok := firstBytes(text, true); ok {
		// RFC 1950 2.2: CMF low nibble 8 is deflate, high nibble at most 7 its
		// window; the two bytes are a multiple of 31.
		right := (int(b0)<<8|int(b1))%31 == 0
		switch {
		case right && b0 == 0x78, right && b0&15 == 8 && b0>>4 <= 7 && isBase45(text):
			return ZlibCard
		case (right && b0>>4 == 7 || isGzip(b0, b1, text)) && isBase45(text):
			// Two bytes alone are met by chance (a "WIFI:" code): the rest must be
			// Base45 as well.
			return BadZlib
		}
	}
	if isToken(text) {
		return Token
	}
	if b0, b1, ok := firstBytes(text, false); ok && isCOSE(b0, b1) {
		return RawCard
	}
	return Unknown
}

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:" // RFC 9285 table 1

// isCOSE tells whether a message starts with a COSE tag (16, 17, 18, 96, 97,
// 98), the CWT tag 61, or the array of four that most of them hold.
//
// RFC 9052 table 1; RFC 8392 section 6.
func isCOSE(b0, b1 byte) bool {
	switch b0 {
	case 0xd0, 0xd1, 0xd2, 0x84:
		return true
	case 0xd8:
		return b1 == 61 || b1 >= 96 && b1 <= 98
	}
	return false
}

// isGzip: RFC 1952 2.3.1, the magic number and method 8, which is the first
// byte of the second group.
func isGzip(b0, b1 byte, text string) bool {
	if b0 != 0x1f || b1 != 0x8b || len(text) < 5 {
		return false
	}
	if len(text) == 5 { // one byte in two characters
		return text[3:] == "80"
	}
	b2, _, ok := firstBytes(text[3:], true)
	return ok && b2 == 8
}

// isBase45: every character is of the alphabet.
func isBase45(text string) bool {
	return strings.Trim(text, alphabet) == ""
}

// objectStart begins the base64url of a JSON object with its first member, {"
const objectStart = "eyJ"

// isToken: dot-separated base64url, three parts or more, the first not empty;
// an SD-JWT adds parts with tildes. Where the text surely starts a JSON object
// in base64url, faults further on are for the reader of tokens to tell, a missing
// part among them.
func isToken(text string) bool {
	header := strings.IndexByte(text, '.')
	if header <= 0 {
		return false
	}
	if strings.Count(text, ".") < 2 {
		return strings.HasPrefix(text, objectStart)
	}
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
		case c == '.' || c == '~':
		default:
			return i > header && strings.HasPrefix(text, "ey")
		}
	}
	return true
}

// firstBytes decodes the first group of Base45 characters, in any case if
// fold.
func firstBytes(text string, fold bool) (b0, b1 byte, ok bool) {
	if len(text) < 3 {
		return 0, 0, false
	}
	v, weight := 0, 1
	for i := range 3 {
		c := text[i]
		if fold && c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		at := strings.IndexByte(alphabet, c)
		if at < 0 {
			return 0, 0, false
		}
		v += at * weight
		weight *= 45
	}
	return byte(v >> 8), byte(v), v <= 0xffff
}
