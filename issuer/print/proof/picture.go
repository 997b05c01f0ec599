package proof

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math"
)

// jpegPicture opens an image XObject (ISO 32000-1 section 8.9.5): a JPEG of 8
// bits, grey or coloured, returned as its lightness.
func jpegPicture(d dict, stream []byte) (*image.Gray, error) {
	fail := func(why string) (*image.Gray, error) { return nil, &SyntaxError{"a picture " + why, 0} }
	if err := only(d, "picture", "Type", "Subtype", "Width", "Height", "BitsPerComponent", "ColorSpace", "Filter", "Length", "Interpolate"); err != nil {
		return nil, err
	}
	width, ok1 := whole(d["Width"])
	height, ok2 := whole(d["Height"])
	if !ok1 || !ok2 || d["BitsPerComponent"] != 8.0 || d["Filter"] != name("DCTDecode") {
		return fail("that is not a JPEG of 8 bits")
	}
	config, err := jpeg.DecodeConfig(bytes.NewReader(stream))
	switch {
	case err != nil:
		return fail("that is not a JPEG of 8 bits")
	case config.Width != width || config.Height != height:
		return fail("of another size than it says")
	case width < 1 || height < 1 || width*height > maxImagePixels:
		return fail(fmt.Sprintf("of %d x %d pixels", width, height))
	case bytes.Count(stream, []byte{0xff, 0xda}) > 1:
		return fail("that is progressive") // each scan is painted over the last, at no cost in bytes
	}
	img, err := jpeg.Decode(bytes.NewReader(stream))
	if err != nil {
		return fail("that is damaged")
	}
	switch img := img.(type) {
	case *image.Gray:
		if d["ColorSpace"] == name("DeviceGray") {
			return img, nil
		}
	case *image.YCbCr: // Y is the lightness
		if d["ColorSpace"] == name("DeviceRGB") {
			return &image.Gray{Pix: img.Y, Stride: img.YStride, Rect: img.Rect}, nil
		}
	}
	return fail("whose colours are not those it says")
}

// paint draws img into the unit square that m places, each pixel the mean of
// nine points.
func (c *canvas) paint(img *image.Gray, m matrix, within *clip) error {
	det := m[0]*m[3] - m[1]*m[2]
	if math.Abs(det) < 1e-9 {
		return &SyntaxError{"a picture without a size", 0}
	}
	box := bounds([]point{m.apply(0, 0), m.apply(1, 0), m.apply(0, 1), m.apply(1, 1)}).Intersect(within.box)
	c.work -= 9 * box.Dx() * box.Dy()
	w, h := float64(img.Rect.Dx()), float64(img.Rect.Dy())
	for y := box.Min.Y; y < box.Max.Y; y++ {
		mask := within.row(box.Min.X, y)
		for x := box.Min.X; x < box.Max.X; x++ {
			sum, hits := 0, int32(0)
			for i := range 9 {
				px, py := float64(x)+float64(i%3*2+1)/6-m[4], float64(y)+float64(i/3*2+1)/6-m[5]
				u, v := (px*m[3]-py*m[2])/det, (py*m[0]-px*m[1])/det
				if u < 0 || v < 0 || u >= 1 || v >= 1 {
					continue
				}
				// The picture's first row is at the top of the square.
				sum += int(img.Pix[int((1-v)*h*(1-1e-9))*img.Stride+int(u*w)])
				hits++
			}
			if hits == 0 {
				continue
			}
			cover := hits * fullCover / 9
			if mask != nil {
				cover = cover * int32(mask[x-box.Min.X]) / 255
			}
			at := &c.grey[y*c.w+x]
			*at = blend(*at, uint8(sum/int(hits)), cover)
		}
	}
	return nil
}
