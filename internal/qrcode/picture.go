package qrcode

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
)

// Limits of a picture that ReadImage opens.
const (
	MaxImageBytes  = 32 << 20
	MaxImagePixels = 40_000_000 // 12,000 x 3,300; a picture of 16 bits a channel counts twice

	// A progressive JPEG is painted over once a scan, at no cost in bytes. Real
	// ones have ten.
	maxScans = 100
)

// Errors of ReadImage, beside those of the picture's own form.
var (
	ErrFormat   = errors.New("qrcode: neither PNG nor JPEG")
	ErrTooLarge = errors.New("qrcode: the picture is too large")
)

// decodePicture opens a PNG or JPEG as a picture of greys. What the header
// claims is checked before anything of that size is made.
func decodePicture(r io.Reader) (*image.Gray, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxImageBytes+1))
	if err != nil {
		return nil, fmt.Errorf("qrcode: read picture: %w", err)
	}
	if len(data) > MaxImageBytes {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, MaxImageBytes)
	}
	// Told by its first bytes, never by its name.
	decodeConfig, decode := png.DecodeConfig, png.Decode
	switch {
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		decodeConfig, decode = jpeg.DecodeConfig, jpeg.Decode
		// Inside a scan FF is always followed by 00 or a restart marker, so FF DA
		// starts a scan, here or in a preview.
		if n := bytes.Count(data, []byte{0xff, 0xda}); n > maxScans {
			return nil, fmt.Errorf("%w: %d scans", ErrTooLarge, n)
		}
	default:
		return nil, ErrFormat
	}
	config, err := decodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("qrcode: picture header: %w", err)
	}
	pixels := int64(config.Width) * int64(config.Height)
	if config.Width <= 0 || config.Height <= 0 {
		return nil, fmt.Errorf("qrcode: picture header: %d x %d pixels", config.Width, config.Height)
	}
	switch config.ColorModel {
	case color.Gray16Model, color.RGBA64Model, color.NRGBA64Model:
		pixels *= 2
	}
	if pixels > MaxImagePixels {
		return nil, fmt.Errorf("%w: %d x %d pixels", ErrTooLarge, config.Width, config.Height)
	}
	img, err := decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("qrcode: picture: %w", err)
	}
	return greys(img), nil
}

// greys returns the lightness of img, over white where it is transparent.
func greys(img image.Image) *image.Gray {
	bounds := img.Bounds()
	switch img := img.(type) {
	case *image.Gray:
		return img
	case *image.YCbCr: // a JPEG: Y is the lightness
		return &image.Gray{Pix: img.Y, Stride: img.YStride, Rect: bounds}
	}
	grey := image.NewGray(bounds)
	draw.Draw(grey, bounds, image.White, image.Point{}, draw.Src)
	draw.Draw(grey, bounds, img, bounds.Min, draw.Over)
	return grey
}
