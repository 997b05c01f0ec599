package photo

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"
)

// A format is a kind of picture that is read.
type format struct {
	name   string
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

var (
	formatJPEG = format{"JPEG", jpeg.DecodeConfig, jpeg.Decode}
	formatPNG  = format{"PNG", png.DecodeConfig, png.Decode}
	formatWebP = format{"WebP", webp.DecodeConfig, webp.Decode}
)

// refused are kinds of file that people send as a photo, by their first bytes.
var refused = []struct {
	at          int
	start, name string
}{
	{0, "GIF8", "a GIF, which may move"},
	{0, "BM", "a BMP picture"},
	{0, "II*\x00", "a TIFF picture"},
	{0, "MM\x00*", "a TIFF picture"},
	{4, "ftypheic", "a HEIC picture"},
	{4, "ftypheix", "a HEIC picture"},
	{4, "ftypmif1", "a HEIC picture"},
	{4, "ftypavif", "an AVIF picture"},
	{4, "ftyp", "a film"},
	{0, "\x00\x00\x00\x0cjP", "a JPEG 2000 picture"},
	{0, "%PDF", "a PDF"},
	{0, "PK\x03\x04", "a ZIP archive or office document"},
	{0, "<", "a text such as SVG or a web page"},
}

// sniff tells what data is by its first bytes; a file's name is not asked.
func sniff(data []byte) (format, error) {
	const fix = "send the photo as JPEG, PNG or WebP"
	switch {
	case len(data) == 0:
		return format{}, refuse(CodeKind, fix, "the file is empty")
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return formatJPEG, nil
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return formatPNG, nil
	case len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		return formatWebP, nil
	}
	text := bytes.TrimLeft(data[:min(len(data), 64)], "\xef\xbb\xbf \t\r\n")
	for _, other := range refused {
		if len(data) > other.at && bytes.HasPrefix(data[other.at:], []byte(other.start)) ||
			other.start == "<" && bytes.HasPrefix(text, []byte("<")) {
			return format{}, refuse(CodeKind, fix, "the file is %s", other.name)
		}
	}
	return format{}, refuse(CodeKind, fix, "the file is no picture that is known here")
}

// bytesPerPoint is what a decoder keeps of each point of a picture, at most.
func bytesPerPoint(m color.Model) int {
	switch m {
	case color.GrayModel:
		return 1
	case color.Gray16Model:
		return 2
	case color.YCbCrModel:
		return 3
	case color.RGBAModel, color.NRGBAModel, color.CMYKModel:
		return 4
	}
	if _, ok := m.(color.Palette); ok {
		return 1
	}
	return 8 // 16 bits a colour, or WebP with its alpha plane read as colours
}
