package print

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"

	"golang.org/x/image/draw"

	"aidpass/issuer/print/pdf"
)

var errPhoto = errors.New("not a JPEG of at most 1 MB and 4 million pixels")

// Pixels of a printed photograph: 300 an inch on the largest that we print.
const (
	photoWide = 300
	photoTall = 400
)

// photo draws the holder's photograph, in grey, filling a frame.
func (p *pen) photo(c *Card, x, y, width, tall float64) error {
	grey, err := greyPhoto(c.Photo)
	if err != nil {
		return &stopped{"its photograph cannot be printed: " + err.Error()}
	}
	img, _, _, err := p.pdf.Image(grey)
	if err != nil {
		return &stopped{"its photograph cannot be printed"}
	}
	left, bottom := (p.x0+p.left(x, width))*pdf.MM, (p.page-p.y0-y-tall)*pdf.MM
	p.c.Image(img, left, bottom, width*pdf.MM, tall*pdf.MM)
	return nil
}

// greyPhoto returns the middle of a photograph, 3:4, in grey, as a JPEG without
// anything but the picture. Colour would be printed by few printers and compared
// by no eye.
func greyPhoto(photo []byte) ([]byte, error) {
	if len(photo) > pdf.MaxImageBytes {
		return nil, errPhoto
	}
	head, err := jpeg.DecodeConfig(bytes.NewReader(photo))
	if err != nil || head.Width < 3 || head.Height < 4 || head.Width > pdf.MaxImagePixels/head.Height {
		return nil, errPhoto
	}
	from, err := jpeg.Decode(bytes.NewReader(photo))
	if err != nil {
		return nil, errPhoto
	}
	part := from.Bounds()
	if w, h := part.Dx(), part.Dy(); w*4 > h*3 {
		cut := (w - h*3/4) / 2
		part.Min.X, part.Max.X = part.Min.X+cut, part.Max.X-cut
	} else {
		cut := (h - w*4/3) / 2
		part.Min.Y, part.Max.Y = part.Min.Y+cut, part.Max.Y-cut
	}
	to := image.NewGray(image.Rect(0, 0, min(photoWide, part.Dx()), min(photoTall, part.Dy())))
	draw.ApproxBiLinear.Scale(to, to.Bounds(), from, part, draw.Src, nil)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, to, &jpeg.Options{Quality: 80}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
