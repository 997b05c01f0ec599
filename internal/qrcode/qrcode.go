// Package qrcode turns a text into the dark and light squares of a QR code, and
// pictures back into texts (ISO/IEC 18004).
//
// It knows squares, pictures and how large a card is. What the text means, and
// whether it is to be believed, is for package verifier.
//
// Drawing stands on skip2/go-qrcode, which picks the shortest mix of modes
// (Base45 is alphanumeric: 5.5 bits a character) and scores all eight masks; it
// takes milliseconds a code, so printing uses Fast, which stands on rsc.io/qr and
// scores the masks itself. Reading
// stands on gozxing's decoder under a search of our own, because gozxing's tries
// every three corners of a picture without an end.
package qrcode

import (
	"fmt"

	skip2 "github.com/skip2/go-qrcode"
)

// Level is how much of a code may be hidden or dirty and still be read.
type Level uint8

const (
	M Level = iota // 15 %: paper, the default
	L              // 7 %: screens, which do not get dirty
	Q              // 25 %
	H              // 30 %
)

var levels = [...]skip2.RecoveryLevel{M: skip2.Medium, L: skip2.Low, Q: skip2.High, H: skip2.Highest}

// QuietZone is the light border, in modules, that a reader needs around a code
// (ISO/IEC 18004 section 9.1).
const QuietZone = 4

// What fits on an ID-1 card (85.60 x 53.98 mm) at level M beside a name. A text
// of MaxID1 characters is version 18, 97 modules with its border; at the least
// module a cheap printer and a cheap camera agree on, that is 39 mm.
const (
	WarnID1     = 600 // characters: beyond this old phones need a steady hand
	MaxID1      = 800 // characters: beyond this it is not printed on ID-1
	MinModuleMM = 0.4 // millimetres
)

// A SizeError says that a text does not suit a card of ID-1 size. Refused is
// false when it may still be printed.
type SizeError struct {
	Chars, Limit int
	Refused      bool
}

func (e *SizeError) Error() string {
	if e.Refused {
		return fmt.Sprintf("qrcode: %d characters are too many for an ID-1 card: at most %d; use an A6 slip", e.Chars, e.Limit)
	}
	return fmt.Sprintf("qrcode: %d characters on an ID-1 card are hard to read for old phones: aim for %d at most", e.Chars, e.Limit)
}

// CheckID1 returns nil when text suits an ID-1 card, and otherwise a *SizeError:
// a warning above WarnID1 characters, a refusal above MaxID1.
func CheckID1(text string) error {
	switch n := len(text); {
	case n > MaxID1:
		return &SizeError{n, MaxID1, true}
	case n > WarnID1:
		return &SizeError{n, WarnID1, false}
	}
	return nil
}

// encode chooses version and modes for text. It fails when text is empty or too
// long for the level: 4,296 alphanumeric characters at L, 3,391 at M.
func encode(text string, level Level) (*skip2.QRCode, error) {
	if int(level) >= len(levels) {
		return nil, fmt.Errorf("qrcode: level %d does not exist", level)
	}
	code, err := skip2.New(text, levels[level])
	if err != nil {
		return nil, fmt.Errorf("qrcode: %d characters do not fit a code of level %s: %w", len(text), "MLQH"[level:level+1], err)
	}
	code.DisableBorder = true
	return code, nil
}

// Matrix returns the modules of the code for text, rows from the top, true for
// dark, without the quiet zone. Its side is 17 + 4 x version.
func Matrix(text string, level Level) ([][]bool, error) {
	code, err := encode(text, level)
	if err != nil {
		return nil, err
	}
	return code.Bitmap(), nil
}

// Version returns the version, 1 to 40, of the code for text; 0 when none holds
// it. It draws nothing, so it is cheap beside Matrix.
func Version(text string, level Level) int {
	code, err := encode(text, level)
	if err != nil {
		return 0
	}
	return code.VersionNumber
}

// Side returns the modules along one side of a code of version, quiet zone included.
func Side(version int) int { return 17 + 4*version + 2*QuietZone }
