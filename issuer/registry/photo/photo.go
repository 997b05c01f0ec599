// Package photo makes one kind of picture of whatever arrives as a photo: an
// upright JPEG of 3 to 4 without any metadata, small enough to keep thousands.
//
// It reads JPEG, PNG and WebP, told by their bytes. A picture from outside is
// hostile until it is drawn again: its size is read before its pixels, and what
// comes out holds none of its bytes. What it shows, and whether somebody wants her
// face printed at all, is for others: no card ever needs a photo.
package photo

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"io"
)

// Bounds of a picture that Prepare takes, in bytes and in points.
const (
	MaxBytes  = 12 << 20
	MaxSide   = 12_000
	MaxPixels = 40_000_000
	MinWidth  = 60 // of the part that is kept, upright
	MinHeight = 80

	// maxMemory bounds what the points take while they are read. It refuses only odd
	// giants: progressive ones over 14, and 16 bits a colour over 33 million points.
	maxMemory = 256 << 20
)

// A Photo as Prepare made it.
type Photo struct {
	JPEG          []byte // at most MaxJPEGBytes; no metadata
	Width, Height int    // in points, 3 to 4; at most Width by Height
}

// A Refusal says why a picture cannot be used. It holds nothing of the picture.
type Refusal struct {
	Code string // one of those below
	What string // what is wrong
	Fix  string // how to mend it
}

// Codes of refusals, for whoever has its own words.
const (
	CodeKind    = "kind"    // no JPEG, PNG or WebP
	CodeLarge   = "large"   // too many bytes
	CodePoints  = "points"  // too many points, or too much memory
	CodeSmall   = "small"   // too few points
	CodeDamaged = "damaged" // cut off, or of an odd kind
	CodeBytes   = "bytes"   // of a picture that this package made
	CodeSeveral = "several" // of a folder
)

func (r *Refusal) Error() string { return "photo: " + r.What + ": " + r.Fix }

// refuse makes a Refusal; args belong to what.
func refuse(code, fix, what string, args ...any) error {
	return &Refusal{Code: code, What: fmt.Sprintf(what, args...), Fix: fix}
}

// Prepare reads one picture and draws it again: upright as its camera says, the
// middle cut out at 3 to 4, scaled down to at most Width by Height. It never
// enlarges. The same bytes always give the same Photo.
//
// It returns a *Refusal for what is no usable picture, and r's own error where
// reading failed. It reads at most MaxBytes and a byte of r.
func Prepare(r io.Reader) (Photo, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return Photo{}, fmt.Errorf("photo: %w", err)
	}
	if len(data) > MaxBytes {
		return Photo{}, refuse(CodeLarge, "send a smaller copy", "the file is over %d MiB", MaxBytes>>20)
	}
	kind, err := sniff(data)
	if err != nil {
		return Photo{}, err
	}
	facts, err := inspect(kind, data)
	if err != nil {
		return Photo{}, err
	}
	picture, err := kind.decode(bytes.NewReader(data))
	if err != nil {
		return Photo{}, broken(kind, err)
	}
	// A decoder that draws another size than it announced was not held to the bounds.
	if picture.Bounds().Dx() != facts.width || picture.Bounds().Dy() != facts.height {
		return Photo{}, refuse(CodeDamaged, "save it again with another program", "the %s names two sizes", kind.name)
	}
	return compress(cut(upright(shrink(picture, facts.turned()), facts.orientation)))
}

// facts are what is known of a picture before its points are read.
type facts struct {
	width, height int
	orientation   int // as Exif counts, 1 to 8
}

// turned reports whether the picture lies on its side.
func (f facts) turned() bool { return f.orientation >= 5 }

// inspect reads a picture's header and holds it to the bounds.
func inspect(kind format, data []byte) (facts, error) {
	config, err := kind.config(bytes.NewReader(data))
	if err != nil {
		return facts{}, broken(kind, err)
	}
	f := facts{width: config.Width, height: config.Height, orientation: 1}
	if f.width <= 0 || f.height <= 0 {
		return facts{}, refuse(CodeDamaged, "export it again", "the picture has no points")
	}
	if f.width > MaxSide || f.height > MaxSide || f.width*f.height > MaxPixels { // both are bounded by the first two
		return facts{}, refuse(CodePoints, "send a smaller copy", "the picture is %d by %d points, over %d million or %d a side",
			f.width, f.height, MaxPixels/1_000_000, MaxSide)
	}
	memory := bytesPerPoint(config.ColorModel)
	if kind.name == "JPEG" {
		var progressive bool
		f.orientation, progressive = readJPEGHeader(data)
		if config.ColorModel == color.CMYKModel || config.ColorModel == color.RGBAModel {
			memory += 4 // it is read plane by plane, and then written together
		}
		if progressive {
			memory += 16 // its coefficients are kept until the last scan, up to four of 32 bits
		}
	}
	if f.width*f.height*memory > maxMemory {
		return facts{}, refuse(CodePoints, "save a smaller copy as a plain JPEG", "a %s of %d by %d points of this kind takes too much memory", kind.name, f.width, f.height)
	}
	w, h := f.width, f.height
	if f.turned() {
		w, h = h, w
	}
	if w < MinWidth || h < MinHeight {
		return facts{}, refuse(CodeSmall, "take the photo again", "the picture is too small: %d by %d points, not %d by %d", w, h, MinWidth, MinHeight)
	}
	return f, nil
}

// broken words a decoder's error. Decoders of others quote the file's format, never its content.
func broken(kind format, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return refuse(CodeDamaged, "send the file again", "the %s is cut off", kind.name)
	}
	return refuse(CodeDamaged, "send the file again, or save it anew as a plain JPEG", "the %s is damaged, cut off or of an odd kind (%v)", kind.name, err)
}
