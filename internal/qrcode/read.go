package qrcode

import (
	"cmp"
	"errors"
	"image"
	"io"
	"slices"

	"github.com/makiuchi-d/gozxing"
	reader "github.com/makiuchi-d/gozxing/qrcode"
)

// ErrNone: the picture is in order and holds no QR code that could be read.
var ErrNone = errors.New("qrcode: no QR code found in the picture")

// ReadImage returns the text of every QR code in a PNG or JPEG picture, from the
// top down, each text once. Errors: ErrFormat, ErrTooLarge, ErrNone, or what is
// wrong with the picture.
func ReadImage(r io.Reader) ([]string, error) {
	grey, err := decodePicture(r)
	if err != nil {
		return nil, err
	}
	return ReadGray(grey)
}

// ReadGray returns the text of every QR code in a picture that is open already,
// as ReadImage does. Its only error is ErrNone.
//
//  1. At the picture's own scale; it ends here when every three corners that
//     look like a code were one.
//  2. Enlarged, if it is small: gozxing loses modules of less than 3 pixels.
//  3. Reduced, if it is large: noise and folds of single pixels go away.
//  4. As a bare code that fills the picture, without looking for corners.
func ReadGray(grey *image.Gray) ([]string, error) {
	var codes []code
	for _, scale := range []float64{1, 2, 1. / 2, 1. / 4} {
		view := resize(grey, scale)
		if view == nil {
			continue
		}
		found, unread := search(view)
		for _, c := range found {
			c.x, c.y = c.x/scale, c.y/scale
			if !slices.ContainsFunc(codes, func(known code) bool { return known.text == c.text }) {
				codes = append(codes, c)
			}
		}
		if len(codes) > 0 && !unread {
			break
		}
	}
	if len(codes) == 0 {
		codes = bare(grey)
	}
	if len(codes) == 0 {
		return nil, ErrNone
	}
	slices.SortFunc(codes, func(a, b code) int { return cmp.Or(cmp.Compare(a.y, b.y), cmp.Compare(a.x, b.x)) })
	texts := make([]string, len(codes))
	for i, c := range codes {
		texts[i] = c.text
	}
	return texts, nil
}

// bare reads a picture that is nothing but one upright code.
func bare(grey *image.Gray) (codes []code) {
	defer func() { _ = recover() }() // see search
	hints := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true}
	bitmap, err := gozxing.NewBinaryBitmap(gozxing.NewGlobalHistgramBinarizer(gozxing.NewLuminanceSourceFromImage(grey)))
	if err != nil {
		return nil
	}
	result, err := reader.NewQRCodeReader().Decode(bitmap, hints)
	if err != nil {
		return nil
	}
	return []code{{text: result.GetText()}}
}

// Sizes, in pixels along the longer side, between which a picture is looked at
// in another scale too.
const (
	enlargeBelow = 1600
	reduceTo     = 500
)

// resize returns grey scaled by 2, 1/2 or 1/4, grey itself for 1, and nil where
// that scale is not worth a look.
func resize(grey *image.Gray, scale float64) *image.Gray {
	w, h := grey.Rect.Dx(), grey.Rect.Dy()
	longer := max(w, h)
	switch {
	case scale == 1:
		return grey
	case scale > 1 && longer > enlargeBelow, scale < 1 && float64(longer)*scale < reduceTo:
		return nil
	case scale > 1:
		return enlarge(grey)
	}
	return reduce(grey, int(1/scale))
}

// reduce makes each square of n x n pixels one of their mean.
func reduce(grey *image.Gray, n int) *image.Gray {
	small := image.NewGray(image.Rect(0, 0, grey.Rect.Dx()/n, grey.Rect.Dy()/n))
	for y := range small.Rect.Dy() {
		for x := range small.Rect.Dx() {
			sum := 0
			for i := range n {
				for _, v := range grey.Pix[(y*n+i)*grey.Stride+x*n:][:n] {
					sum += int(v)
				}
			}
			small.Pix[y*small.Stride+x] = uint8(sum / (n * n))
		}
	}
	return small
}

// enlarge doubles both sides, each new pixel the mean of the two or four it lies between.
func enlarge(grey *image.Gray) *image.Gray {
	w, h := grey.Rect.Dx(), grey.Rect.Dy()
	large := image.NewGray(image.Rect(0, 0, 2*w, 2*h))
	at := func(x, y int) int { return int(grey.Pix[min(y, h-1)*grey.Stride+min(x, w-1)]) }
	for y := range 2 * h {
		for x := range 2 * w {
			x0, y0, x1, y1 := x/2, y/2, (x+1)/2, (y+1)/2
			large.Pix[y*large.Stride+x] = uint8((at(x0, y0) + at(x1, y0) + at(x0, y1) + at(x1, y1)) / 4)
		}
	}
	return large
}
