package enrol

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"aidpass/internal/base45"
	"aidpass/internal/cbor"
)

// A message too long for one QR code is shown as frames, one after the other and
// over and over: its pieces, then as many sums of pieces. A reader collects them in
// whatever order the camera catches them. docs/formats/exchange.md draws the bytes.

// Limits of frames.
const (
	FrameBytes      = 400 // of the message in each frame; the last has what is left
	MaxFrames       = 4096
	MaxParity       = 1024 // parity frames of one row; a reader takes numbers below 65,536
	framePrefix     = "APF1:"
	parityPrefix    = "APF2:"
	maxFrame        = FrameBytes + 32 // bytes of its CBOR
	frameIDBytes    = 4
	parityIDBytes   = 16
	maxParityNumber = 1<<16 - 1
	maxTextOfFrames = len(framePrefix) + maxFrame/2*3 + 2
)

// ErrFrame says that a text is no frame.
var ErrFrame = errors.New("enrol: not a frame")

// Frames returns message as the texts of QR codes, a piece each. It is nil for an
// empty message and for one of more than MaxFrames.
func Frames(message []byte) []string {
	count := pieces(len(message))
	if count > MaxFrames {
		return nil
	}
	id := sha256.Sum256(message)
	var texts []string
	for i := range count {
		b := cbor.AppendBytes(cbor.AppendArray(nil, 4), id[:frameIDBytes])
		b = cbor.AppendUint(cbor.AppendUint(b, uint64(i)), uint64(count))
		b = cbor.AppendBytes(b, piece(message, i))
		texts = append(texts, framePrefix+base45.Encode(b))
	}
	return texts
}

// pieces is in how many a message of size bytes is cut.
func pieces(size int) int { return (size + FrameBytes - 1) / FrameBytes }

func piece(message []byte, i int) []byte {
	return message[i*FrameBytes : min((i+1)*FrameBytes, len(message))]
}

// IsFrame reports whether text is a frame, by its beginning.
func IsFrame(text string) bool {
	return strings.HasPrefix(text, framePrefix) || strings.HasPrefix(text, parityPrefix)
}

// frame is one code as it was read.
type frame struct {
	id     []byte // of the message: 4 bytes of its SHA-256, of a parity frame 16
	parity bool
	number int // of the piece, or of the parity frame
	count  int // pieces of the message
	size   int // bytes of the message; 0: this frame does not say
	chunk  []byte
}

func readFrame(text string) (*frame, error) {
	code, plain := strings.CutPrefix(text, framePrefix)
	if !plain {
		var ok bool
		if code, ok = strings.CutPrefix(text, parityPrefix); !ok {
			return nil, ErrFrame
		}
	}
	if len(text) > maxTextOfFrames {
		return nil, ErrFrame
	}
	b, err := base45.AppendDecode(nil, code)
	if err == nil {
		err = cbor.CheckDeterministic(b, cbor.Limits{Depth: 2, Entries: 4})
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFrame, err)
	}
	r := cbor.NewReader(b)
	n := r.Array()
	f := &frame{id: r.Bytes(), parity: !plain}
	number, of := r.Uint(), r.Uint()
	f.chunk = r.Bytes()
	want, most := frameIDBytes, uint64(MaxFrames)
	if f.parity {
		want, most = parityIDBytes, MaxFrames*FrameBytes
	}
	switch {
	case n != 4 || !r.Done() || len(f.id) != want:
		return nil, fmt.Errorf("%w: not its members", ErrFrame)
	case of < 1 || of > most || !f.parity && number >= of || number > maxParityNumber:
		return nil, fmt.Errorf("%w: number %d of %d", ErrFrame, number, of)
	}
	f.number, f.count = int(number), int(of)
	short := !f.parity && f.number == f.count-1
	switch {
	case len(f.chunk) < 1 || len(f.chunk) > FrameBytes || !short && len(f.chunk) != FrameBytes:
		return nil, fmt.Errorf("%w: of %d bytes", ErrFrame, len(f.chunk))
	case short:
		f.size = f.number*FrameBytes + len(f.chunk)
	case f.parity:
		f.size, f.count = f.count, pieces(f.count)
		if f.count < 2 {
			return nil, fmt.Errorf("%w: parity of one piece", ErrFrame)
		}
	}
	return f, nil
}
