package enrol

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"

	"aidpass/internal/base45"
	"aidpass/internal/cbor"
)

// A parity frame is the XOR of pieces that its number and the message's id choose by
// SHA-256, about every second one: a random linear code over GF(2) behind a systematic
// round. Whatever pieces were missed, about as many parity frames and two more make
// them, where a plain round brings mostly what is there already. Sparser choices (LT
// codes) cost less arithmetic and more frames; at five frames a second the frames are
// what costs.

// Row returns the texts of a row to show over and over: a round of Frames, and after
// it as many parity frames, at most MaxParity. A message of one frame has none. round
// is the number of Frames; it is 0 where Frames is nil.
func Row(message []byte) (texts []string, round int) {
	texts = Frames(message)
	if round = len(texts); round < 2 {
		return texts, round
	}
	id := sha256.Sum256(message)
	sum := make([]byte, FrameBytes)
	for number := range min(round, MaxParity) {
		clear(sum)
		for w, chosen := range choice(id[:parityIDBytes], number, round) {
			for ; chosen != 0; chosen &= chosen - 1 {
				subtle.XORBytes(sum, sum, piece(message, w*64+bits.TrailingZeros64(chosen)))
			}
		}
		b := cbor.AppendBytes(cbor.AppendArray(nil, 4), id[:parityIDBytes])
		b = cbor.AppendUint(cbor.AppendUint(b, uint64(number)), uint64(len(message)))
		texts = append(texts, parityPrefix+base45.Encode(cbor.AppendBytes(b, sum)))
	}
	return texts, round
}

// choice is which of count pieces are in a parity frame, a bit each from the lowest
// of the first word. Number 0 takes all, which mends the one piece that is missed
// most often; so does a number that would take none.
func choice(id []byte, number, count int) []uint64 {
	words := make([]uint64, (count+63)/64)
	var some uint64
	for i := range words {
		if number == 0 {
			break
		}
		seed := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(bytes.Clone(id), uint32(number)), uint32(i))
		sum := sha256.Sum256(seed)
		words[i] = binary.LittleEndian.Uint64(sum[:])
		some |= words[i] & within(i, count)
	}
	for i := range words {
		if some == 0 {
			words[i] = ^uint64(0)
		}
		words[i] &= within(i, count)
	}
	return words
}

// within masks the bits of word i that stand for one of count pieces.
func within(i, count int) uint64 {
	if count >= (i+1)*64 {
		return ^uint64(0)
	}
	return 1<<(count%64) - 1
}

// equation says that some pieces, a bit each, come to sum.
type equation struct {
	pieces []uint64
	sum    []byte // FrameBytes; the last piece counts as filled up with zeros
}

func (e *equation) has(i int) bool { return e.pieces[i/64]>>(i%64)&1 == 1 }

func (e *equation) add(other *equation) {
	for i, w := range other.pieces {
		e.pieces[i] ^= w
	}
	subtle.XORBytes(e.sum, e.sum, other.sum)
}

// Frameset collects the frames of one message. The zero value is empty and ready. It
// holds at most MaxFrames equations of 1 KiB.
type Frameset struct {
	id    []byte // 4 bytes, or 16 when a parity frame was seen
	size  int    // bytes; 0: not known yet
	count int
	have  int
	// Reduced: where rows[i] is there it has piece i, and no other row has it.
	rows []*equation
}

// Progress returns how many frames that tell something new are there, and how many
// the message takes; 0 of 0 before the first.
func (s *Frameset) Progress() (have, count int) { return s.have, s.count }

// Add takes one frame. A frame of another message, or of another size, begins anew.
// When enough are there it returns the message, and is empty again; until then nil.
// A text that is no frame is ErrFrame and changes nothing; frames that contradict each
// other, or do not come to what they say they are, are too, and the collection begins
// anew.
func (s *Frameset) Add(text string) ([]byte, error) {
	f, err := readFrame(text)
	if err != nil {
		return nil, err
	}
	shorter := min(len(s.id), len(f.id))
	if s.count != f.count || !bytes.Equal(s.id[:shorter], f.id[:shorter]) || s.size > 0 && f.size > 0 && s.size != f.size {
		*s = Frameset{count: f.count, rows: make([]*equation, f.count)}
	}
	if len(f.id) > len(s.id) {
		s.id = f.id
	}
	s.size = max(s.size, f.size)
	e := &equation{sum: make([]byte, FrameBytes)}
	copy(e.sum, f.chunk)
	if f.parity {
		e.pieces = choice(f.id, f.number, f.count)
	} else {
		e.pieces = make([]uint64, (f.count+63)/64)
		e.pieces[f.number/64] = 1 << (f.number % 64)
	}
	if !s.solve(e) {
		*s = Frameset{}
		return nil, fmt.Errorf("%w: the frames are not of one message", ErrFrame)
	}
	if s.have < s.count {
		return nil, nil
	}
	message := make([]byte, 0, s.count*FrameBytes)
	for _, row := range s.rows {
		message = append(message, row.sum...)
	}
	message, id := message[:s.size], s.id
	*s = Frameset{}
	if sum := sha256.Sum256(message); !bytes.Equal(sum[:len(id)], id) {
		return nil, fmt.Errorf("%w: the frames are not of one message", ErrFrame)
	}
	return message, nil
}

// solve takes an equation in, by Gauss and Jordan; false: it contradicts the others.
func (s *Frameset) solve(e *equation) bool {
	for i, row := range s.rows {
		if row != nil && e.has(i) {
			e.add(row)
		}
	}
	pivot := slices.IndexFunc(e.pieces, func(w uint64) bool { return w != 0 })
	if pivot < 0 { // it is known already
		return bytes.Equal(e.sum, make([]byte, FrameBytes))
	}
	pivot = pivot*64 + bits.TrailingZeros64(e.pieces[pivot])
	for _, row := range s.rows {
		if row != nil && row.has(pivot) {
			row.add(e)
		}
	}
	s.rows[pivot] = e
	s.have++
	return true
}
