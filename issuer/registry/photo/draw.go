package photo

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"

	"golang.org/x/image/draw"
)

// What Prepare makes.
const (
	Width        = 360 // points
	Height       = 480
	MaxJPEGBytes = 40_000
)

// shrink draws the whole picture on white so small that it just covers Width by
// Height when it stands upright; turned: it lies on its side. Shrinking comes
// before turning and cutting, since those then cost nothing.
func shrink(src image.Image, turned bool) *image.RGBA {
	b := src.Bounds()
	w, h := b.Dx(), b.Dy()
	coverW, coverH := Width, Height
	if turned {
		coverW, coverH = Height, Width
	}
	// The scale is the larger of coverW/w and coverH/h, and at most 1.
	num, den := coverW, w
	if coverH*w > coverW*h {
		num, den = coverH, h
	}
	if num > den {
		num, den = 1, 1
	}
	to := image.Rect(0, 0, max(1, (w*num+den/2)/den), max(1, (h*num+den/2)/den))
	dst := image.NewRGBA(to)
	draw.Draw(dst, to, image.White, image.Point{}, draw.Src)
	if to.Dx() == w && to.Dy() == h {
		draw.Draw(dst, to, src, b.Min, draw.Over)
		return dst
	}
	draw.CatmullRom.Scale(dst, to, src, b, draw.Over, nil)
	return dst
}

// upright turns and mirrors a picture as Exif's orientation says (Exif 2.32, 4.6.4 A).
func upright(src *image.RGBA, orientation int) *image.RGBA {
	if orientation == 1 {
		return src
	}
	w, h := src.Rect.Dx(), src.Rect.Dy()
	dw, dh := w, h
	if orientation >= 5 {
		dw, dh = h, w
	}
	dst := image.NewRGBA(image.Rect(0, 0, dw, dh))
	for y := range dh {
		for x := range dw {
			sx, sy := x, y
			switch orientation {
			case 2: // mirrored
				sx = w - 1 - x
			case 3: // upside down
				sx, sy = w-1-x, h-1-y
			case 4:
				sy = h - 1 - y
			case 5:
				sx, sy = y, x
			case 6: // its top is at the right
				sx, sy = y, h-1-x
			case 7:
				sx, sy = w-1-y, h-1-x
			case 8: // its top is at the left
				sx, sy = w-1-y, x
			}
			copy(dst.Pix[dst.PixOffset(x, y):][:4], src.Pix[src.PixOffset(sx, sy):][:4])
		}
	}
	return dst
}

// cut keeps a part of 3 to 4: the middle of a wide picture, and of a tall one what
// lies a third down, where a face is.
func cut(src *image.RGBA) *image.RGBA {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	kw, kh := min(w, Width), min(h, Height)
	if kw*4 > kh*3 {
		kw = (kh*3 + 2) / 4
	} else {
		kh = min(kh, (kw*4+1)/3)
	}
	x, y := (w-kw)/2, (h-kh)/3
	return src.SubImage(image.Rect(x, y, x+kw, y+kh)).(*image.RGBA)
}

// compress writes the picture as a JPEG of at most MaxJPEGBytes, as good as fits.
func compress(m *image.RGBA) (Photo, error) {
	data, size, err := fit(m, MaxJPEGBytes, 85)
	if err != nil {
		return Photo{}, err
	}
	return Photo{JPEG: data, Width: size.X, Height: size.Y}, nil
}

// fit lowers the quality, then the size, until the JPEG has at most maxBytes.
func fit(m image.Image, maxBytes, best int) ([]byte, image.Point, error) {
	for {
		for quality := best; quality >= 25; quality -= 10 {
			var b bytes.Buffer
			if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
				return nil, image.Point{}, fmt.Errorf("photo: %w", err)
			}
			if b.Len() <= maxBytes {
				return b.Bytes(), m.Bounds().Size(), nil
			}
		}
		w, h := m.Bounds().Dx()*3/4, m.Bounds().Dy()*3/4
		if w < 24 || h < 32 {
			return nil, image.Point{}, refuse(CodeBytes, "allow more bytes", "no face fits into %d bytes", maxBytes)
		}
		m = scaled(m, w, h)
	}
}

// scaled draws m in w by h points, in grey if m is grey.
func scaled(m image.Image, w, h int) image.Image {
	var dst draw.Image = image.NewRGBA(image.Rect(0, 0, w, h))
	if m.ColorModel() == color.GrayModel {
		dst = image.NewGray(dst.Bounds())
	}
	draw.CatmullRom.Scale(dst, dst.Bounds(), m, m.Bounds(), draw.Src, nil)
	return dst
}

// Within returns a photo that Prepare made as it is where it has at most maxBytes,
// else a smaller copy in its colours. It returns a *Refusal if it is no JPEG of
// Prepare's bounds, or nothing recognisable fits into maxBytes.
func Within(prepared []byte, maxBytes int) ([]byte, error) {
	f, err := inspect(formatJPEG, prepared)
	if err != nil {
		return nil, err
	}
	if f.width > Width || f.height > Height {
		return nil, refuse(CodeBytes, "prepare it first", "the photo is over %d by %d points", Width, Height)
	}
	if len(prepared) <= maxBytes {
		return prepared, nil
	}
	m, err := jpeg.Decode(bytes.NewReader(prepared))
	if err != nil {
		return nil, broken(formatJPEG, err)
	}
	data, _, err := fit(m, maxBytes, 85)
	return data, err
}

// Small returns a grey JPEG of a prepared photo, 60 by 80 points or less, for
// places that have few bytes to give. It returns a *Refusal if p is no JPEG or
// nothing recognisable fits into maxBytes.
func Small(p Photo, maxBytes int) ([]byte, error) {
	f, err := inspect(formatJPEG, p.JPEG)
	if err != nil {
		return nil, err
	}
	if f.width > Width || f.height > Height {
		return nil, refuse(CodeBytes, "prepare it first", "the photo is over %d by %d points", Width, Height)
	}
	m, err := jpeg.Decode(bytes.NewReader(p.JPEG))
	if err != nil {
		return nil, broken(formatJPEG, err)
	}
	grey := image.NewGray(image.Rect(0, 0, MinWidth, MinHeight))
	draw.CatmullRom.Scale(grey, grey.Bounds(), m, m.Bounds(), draw.Src, nil)
	data, _, err := fit(grey, maxBytes, 75)
	return data, err
}
