package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"image/jpeg"
)

// A Form is a drawing that stands once in the file and on paper often.
type Form int

// Form puts a drawing into the file, in units of the place where it is used.
func (f *File) Form(draw func(*Content) error) (Form, error) {
	var c Content
	if err := draw(&c); err != nil {
		return 0, err
	}
	f.packed = packed().append(f.packed[:0], c.b)
	n := f.next()
	// The box is what may be inked: wide, because marks and long joins of letters
	// leave the em, a thousand units.
	f.stream(n, "/Type/XObject/Subtype/Form/BBox[-4000 -4000 8000 8000]/Filter/FlateDecode", f.packed)
	f.forms = append(f.forms, n)
	return Form(n), nil
}

// An Image is a photograph in the file; 0 is none.
type Image int

// Limits of a photograph on a card.
const (
	MaxImageBytes  = 1 << 20
	MaxImagePixels = 4 << 20
)

var errImage = errors.New("pdf: the photograph is not a JPEG of one or three colours within the limits")

// Image puts a baseline JPEG into the file as it is, and returns how wide and high
// it is in pixels. It is grey or of three colours, at most MaxImageBytes long and of
// MaxImagePixels. It is not decoded here: package photo has made it.
func (f *File) Image(data []byte) (_ Image, width, height int, err error) {
	if len(data) > MaxImageBytes {
		return 0, 0, 0, fmt.Errorf("%w: %d bytes", errImage, len(data))
	}
	head, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return 0, 0, 0, fmt.Errorf("%w: %w", errImage, err)
	}
	if head.Width < 1 || head.Height < 1 || head.Width > MaxImagePixels/head.Height {
		return 0, 0, 0, fmt.Errorf("%w: %d x %d pixels", errImage, head.Width, head.Height)
	}
	colours := ""
	switch head.ColorModel {
	case color.GrayModel:
		colours = "DeviceGray"
	case color.YCbCrModel:
		colours = "DeviceRGB"
	default:
		return 0, 0, 0, errImage
	}
	n := f.next()
	f.stream(n, fmt.Sprintf("/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/%s/BitsPerComponent 8/Filter/DCTDecode",
		head.Width, head.Height, colours), data)
	f.images = append(f.images, n)
	return Image(n), head.Width, head.Height, nil
}
