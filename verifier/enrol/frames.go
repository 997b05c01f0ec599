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
// over and over. A reader collects them in whatever order the camera catches them.

// Limits of frames.
const (
	FrameBytes      = 400 // of the message in each frame; the last has what is left
	MaxFrames       = 4096
	framePrefix     = "APF1:"
	maxFrame        = FrameBytes + 32 // bytes of its CBOR
	frameIDBytes    = 4
	maxTextOfFrames = len(framePrefix) + maxFrame/2*3 + 2
)

// ErrFrame says that a text is no frame.
var ErrFrame = errors.New("enrol: not a frame")

// Frames returns message as the texts of QR codes. It is nil for an empty message
// and for one of more than MaxFrames.
func Frames(message []byte) []string {
	count := (len(message) + FrameBytes - 1) / FrameBytes
	if count > MaxFrames {
		return nil
	}
	id := sha256.Sum256(message)
	var texts []string
	for i := range count {
		b := cbor.AppendBytes(cbor.AppendArray(nil, 4), id[:frameIDBytes])
		b = cbor.AppendUint(cbor.AppendUint(b, uint64(i)), uint64(count))
		b = cbor.AppendBytes(b, message[i*FrameBytes:min((i+1)*FrameBytes, len(message))])
		texts = append(texts, framePrefix+base45.Encode(b))
	}
	return texts
}

// IsFrame reports whether text is a frame, by its beginning.
func IsFrame(text string) bool { return strings.HasPrefix(text, framePrefix) }

// Frameset collects the frames of one message. The zero value is empty and ready.
type Frameset struct {
	id    [frameIDBytes]byte
	parts [][]byte
	have  int
}

// Progress returns how many different frames are there, and how many the message
// has; 0 of 0 before the first.
func (s *Frameset) Progress() (have, count int) { return s.have, len(s.parts) }

// Add takes one frame. A frame of another message, or of another count, begins
// anew. When all are there it returns the message, and is empty again; until then
// nil. A text that is no frame is ErrFrame and changes nothing; frames that do not
// come to what they say they are, too, and the collection begins anew.
func (s *Frameset) Add(text string) ([]byte, error) {
	id, index, count, chunk, err := readFrame(text)
	if err != nil {
		return nil, err
	}
	if s.id != id || len(s.parts) != count {
		*s = Frameset{id: id, parts: make([][]byte, count)}
	}
	if s.parts[index] == nil {
		s.parts[index] = chunk
		s.have++
	}
	if s.have < count {
		return nil, nil
	}
	message := make([]byte, 0, count*FrameBytes)
	for _, p := range s.parts {
		message = append(message, p...)
	}
	*s = Frameset{}
	if sum := sha256.Sum256(message); [frameIDBytes]byte(sum[:]) != id {
		return nil, fmt.Errorf("%w: the frames are not of one message", ErrFrame)
	}
	return message, nil
}

func readFrame(text string) (id [frameIDBytes]byte, index, count int, chunk []byte, err error) {
	code, ok := strings.CutPrefix(text, framePrefix)
	if !ok || len(text) > maxTextOfFrames {
		return id, 0, 0, nil, ErrFrame
	}
	b, err := base45.AppendDecode(nil, code)
	if err == nil {
		err = cbor.CheckDeterministic(b, cbor.Limits{Depth: 2, Entries: 4})
	}
	if err != nil {
		return id, 0, 0, nil, fmt.Errorf("%w: %w", ErrFrame, err)
	}
	r := cbor.NewReader(b)
	n := r.Array()
	name, i, c := r.Bytes(), r.Uint(), r.Uint()
	chunk = r.Bytes()
	last := c > 0 && i == c-1
	switch {
	case n != 4 || !r.Done() || len(name) != frameIDBytes:
		return id, 0, 0, nil, fmt.Errorf("%w: not its members", ErrFrame)
	case c < 1 || c > MaxFrames || i >= c:
		return id, 0, 0, nil, fmt.Errorf("%w: number %d of %d", ErrFrame, i, c)
	case len(chunk) < 1 || len(chunk) > FrameBytes || !last && len(chunk) != FrameBytes:
		return id, 0, 0, nil, fmt.Errorf("%w: of %d bytes", ErrFrame, len(chunk))
	}
	return [frameIDBytes]byte(name), int(i), int(c), chunk, nil
}
