// Package qr turns the bytes of a card into the text of its QR code and back:
// a zlib stream (RFC 1950) in Base45 (RFC 9285), without a prefix, as Claim 169
// wants it.
//
// Reading takes any complete zlib stream without a preset dictionary, stops at
// a fixed output limit and accepts nothing after the stream. Writing looks for
// the shortest stream, since a shorter text is a coarser QR code that a worn
// phone reads from worn paper, and never emits a non-empty stored block, which
// the sector's JavaScript reader cannot take.
//
// One card has many texts: never compare texts, compare what they hold. What
// the bytes mean is the business of credential/cwt.
package qr

import (
	"encoding/binary"
	"errors"
	"hash/adler32"
	"sync"

	"aidpass/internal/base45"
)

// Limits of a card. MaxText is what the largest QR code (version 40-L) holds.
const (
	MaxText     = 4296 // characters of QR text
	MaxInflated = 8192 // bytes of a card, inflated
)

// Faults of a text. Base45 faults are a *base45.SyntaxError.
var (
	ErrTooLong   = errors.New("qr: text longer than a QR code")          // over MaxText
	ErrTruncated = errors.New("qr: zlib stream ends early")              // cut off, scan again
	ErrZlib      = errors.New("qr: bad zlib stream")                     // header, dictionary, code or checksum
	ErrTrailing  = errors.New("qr: bytes after the zlib stream")         // two texts of one card would be one too many
	ErrTooLarge  = errors.New("qr: inflates to more bytes than allowed") // over the limit of the call
)

// Scratch holds the buffers of reading, so that reading card after card
// allocates nothing. The zero value is ready. Not for concurrent use.
type Scratch struct {
	packed []byte
	raw    []byte
	z      inflater
}

// Decode returns the bytes of the card in text, whose Recognise is ZlibCard.
// They are valid until the next call on s.
//
// The error is ErrTooLong, a *base45.SyntaxError, ErrTruncated, ErrZlib,
// ErrTrailing or ErrTooLarge; inflating stops at MaxInflated. Whatever the text
// is, s grows by some 30 kB at most.
func (s *Scratch) Decode(text string) ([]byte, error) {
	packed, err := s.Unpack(text)
	if err != nil {
		return nil, err
	}
	s.raw, err = s.z.inflate(s.raw[:0], packed, MaxInflated)
	if err != nil {
		return nil, err
	}
	return s.raw, nil
}

// Unpack returns the bytes of the Base45 text without inflating them: the whole
// card where Recognise says RawCard. They are valid until the next call on s.
// The error is ErrTooLong or a *base45.SyntaxError.
func (s *Scratch) Unpack(text string) ([]byte, error) {
	if len(text) > MaxText {
		return nil, ErrTooLong
	}
	var err error
	s.packed, err = base45.AppendDecode(s.packed[:0], text)
	if err != nil {
		return nil, err
	}
	return s.packed, nil
}

var inflaters = sync.Pool{New: func() any { return new(inflater) }}

// Inflate returns what the zlib stream z holds, max bytes at most. The rules
// and errors are those of Decode.
func Inflate(z []byte, max int) ([]byte, error) {
	d := inflaters.Get().(*inflater)
	defer inflaters.Put(d)
	raw, err := d.inflate(nil, z, max)
	if err != nil {
		return nil, err
	}
	return raw, nil
}

// buffers are what Encode needs besides its result.
var buffers = sync.Pool{New: func() any { return new([2][]byte) }}

// Encode returns the QR text of a card. The error is ErrTooLarge for more than
// MaxInflated bytes, ErrTooLong if no QR code could hold the text.
func Encode(raw []byte) (string, error) {
	if len(raw) > MaxInflated {
		return "", ErrTooLarge
	}
	b := buffers.Get().(*[2][]byte)
	defer buffers.Put(b)
	b[0] = AppendZlib(b[0][:0], raw)
	if base45.EncodedLen(len(b[0])) > MaxText {
		return "", ErrTooLong
	}
	b[1] = base45.AppendEncode(b[1][:0], b[0])
	return string(b[1]), nil
}

// EncodeStored is Encode without compression, for a device that writes one small code
// and links no compressor for it. Never for a card: not all readers of cards take a
// stored block. Of more than MaxStored bytes it is empty.
func EncodeStored(raw []byte) string {
	n := len(raw)
	if n > MaxStored {
		return ""
	}
	head := [7]byte{0x78, 0x01, // RFC 1950 2.2: level "fastest"
		1, byte(n), byte(n >> 8), ^byte(n), ^byte(n >> 8)} // RFC 1951 3.2.4: one block, the last
	return base45.Encode(binary.BigEndian.AppendUint32(append(head[:], raw...), adler32.Checksum(raw)))
}

// MaxStored is the most that EncodeStored puts into a text of MaxText.
const MaxStored = MaxText/3*2 - 11
