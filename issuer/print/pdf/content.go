package pdf

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"unicode/utf16"
)

// A Content is what a page shows, as the operators that draw it. Its zero value is
// an empty page.
type Content struct{ b []byte }

// Reset empties the content and keeps its memory. Len is its length in bytes.
func (c *Content) Reset()   { c.b = c.b[:0] }
func (c *Content) Len() int { return len(c.b) }

// Append adds what another content draws. Since is what was added after it was from
// bytes long, to be added again by Repeat.
func (c *Content) Append(other *Content)   { c.b = append(c.b, other.b...) }
func (c *Content) Since(from int) []byte   { return append([]byte(nil), c.b[from:]...) }
func (c *Content) Repeat(operators []byte) { c.b = append(c.b, operators...) }

// Save keeps the state (place, scale, ink) until Restore.
func (c *Content) Save()    { c.b = append(c.b, "q\n"...) }
func (c *Content) Restore() { c.b = append(c.b, "Q\n"...) }

// Move puts the origin at x, y.
func (c *Content) Move(x, y float64) {
	c.b = append(c.b, "1 0 0 1"...)
	c.numbers(x, y)
	c.b = append(c.b, " cm\n"...)
}

// Scale puts the origin at x, y and multiplies lengths: sx across, sy upwards.
func (c *Content) Scale(sx, sy, x, y float64) {
	c.b = appendFine(c.b, sx)
	c.b = append(c.b, " 0 0 "...)
	c.b = appendFine(c.b, sy)
	c.numbers(x, y)
	c.b = append(c.b, " cm\n"...)
}

// Gray is the ink of what is filled and stroked next: 0 black, 1 white.
func (c *Content) Gray(level float64) {
	c.numbers(level)
	c.b = append(c.b, " g"...)
	c.numbers(level)
	c.b = append(c.b, " G\n"...)
}

// Pen is the width of strokes; dash is the length of dashes and gaps, 0 for none.
func (c *Content) Pen(width, dash float64) {
	c.numbers(width)
	c.b = append(c.b, " w ["...)
	if dash > 0 {
		c.numbers(dash)
	}
	c.b = append(c.b, "] 0 d\n"...)
}

// Paths: each call adds to the path, which Fill or Stroke then draws.
func (c *Content) Rect(x, y, width, height float64) { c.op(" re\n", x, y, width, height) }
func (c *Content) MoveTo(x, y float64)              { c.op(" m\n", x, y) }
func (c *Content) LineTo(x, y float64)              { c.op(" l\n", x, y) }
func (c *Content) CurveTo(x1, y1, x2, y2, x, y float64) {
	c.op(" c\n", x1, y1, x2, y2, x, y)
}
func (c *Content) Close()  { c.b = append(c.b, "h\n"...) }
func (c *Content) Fill()   { c.b = append(c.b, "f\n"...) } // nonzero rule
func (c *Content) Stroke() { c.b = append(c.b, "S\n"...) }

// Clip keeps what is drawn until Restore inside the path.
func (c *Content) Clip() { c.b = append(c.b, "W n\n"...) }

// Circle adds a circle of radius r around x, y.
func (c *Content) Circle(x, y, r float64) {
	const k = 0.5522847498 // handles that make a quarter of a circle of a cubic curve
	c.MoveTo(x+r, y)
	c.CurveTo(x+r, y+k*r, x+k*r, y+r, x, y+r)
	c.CurveTo(x-k*r, y+r, x-r, y+k*r, x-r, y)
	c.CurveTo(x-r, y-k*r, x-k*r, y-r, x, y-r)
	c.CurveTo(x+k*r, y-r, x+r, y-k*r, x+r, y)
	c.Close()
}

// RoundRect adds a rectangle with corners of radius r.
func (c *Content) RoundRect(x, y, width, height, r float64) {
	k := r * (1 - 0.5522847498)
	right, top := x+width, y+height
	c.MoveTo(x+r, y)
	c.LineTo(right-r, y)
	c.CurveTo(right-k, y, right, y+k, right, y+r)
	c.LineTo(right, top-r)
	c.CurveTo(right, top-k, right-k, top, right-r, top)
	c.LineTo(x+r, top)
	c.CurveTo(x+k, top, x, top-k, x, top-r)
	c.LineTo(x, y+r)
	c.CurveTo(x, y+k, x+k, y, x+r, y)
	c.Close()
}

// Matrix fills a code of modules, rows from the top, true for dark, each module
// points wide, with its upper left corner at x, y. All runs are one path, so that
// no seam shows between two of them.
func (c *Content) Matrix(modules [][]bool, x, y, module float64) {
	c.Save()
	c.Scale(module, -module, x, y)
	if len(modules) > len(spaced) {
		return
	}
	// A run is written in three stores, of which each takes a little more than it
	// needs: a row has at most half as many runs as modules, of 18 bytes each.
	for at, row := range modules {
		c.b = slices.Grow(c.b, 9*len(row)+32)
		out, end := c.b[:cap(c.b)], len(c.b)
		y := spaced[at]
		for i := 0; i < len(row); i++ {
			if !row[i] {
				continue
			}
			from := i
			for i < len(row) && row[i] {
				i++
			}
			x, wide := &spaced[from], &spaced[i-from]
			binary.LittleEndian.PutUint32(out[end:], x.text)
			end += x.length
			binary.LittleEndian.PutUint32(out[end:], y.text)
			end += y.length
			binary.LittleEndian.PutUint32(out[end:], wide.text)
			end += wide.length
			end += copy(out[end:], "1 re\n")
		}
		c.b = out[:end]
	}
	c.Fill()
	c.Restore()
}

// spaced has the numbers that a code's modules need, with a space behind.
var spaced = func() (all [200]spacedNumber) {
	for n := range all {
		var b [4]byte
		text := append(strconv.AppendInt(b[:0], int64(n), 10), ' ')
		all[n] = spacedNumber{binary.LittleEndian.Uint32(b[:]), len(text)}
	}
	return all
}()

type spacedNumber struct {
	text   uint32 // four bytes, the first lowest
	length int    // how many of them count
}

// Image draws an image with its lower left corner at x, y.
func (c *Content) Image(i Image, x, y, width, height float64) {
	if i == 0 {
		return
	}
	c.Save()
	c.Scale(width, height, x, y)
	c.b = append(c.b, "/I"...)
	c.b = strconv.AppendInt(c.b, int64(i), 10)
	c.b = append(c.b, " Do\n"...)
	c.Restore()
}

// BeginText starts a span that says text, for those who copy it, have it read
// aloud or search it (section 14.9.4), and sets the place of its first glyph's
// origin and its scale: size points an em, of which Glyph counts in thousandths.
// EndText ends it.
func (c *Content) BeginText(text string, size, x, y float64) {
	c.b = append(c.b, "/Span<</ActualText<"...)
	c.b = utf16Hex(c.b, text)
	c.b = append(c.b, ">>>BDC\nq\n"...)
	c.Scale(size/1000, size/1000, x, y)
}

func (c *Content) EndText() { c.b = append(c.b, "Q\nEMC\n"...) }

// Glyph draws a glyph, dx and dy thousandths from the one before it.
func (c *Content) Glyph(g Form, dx, dy int) {
	if dx != 0 || dy != 0 {
		c.b = appendInt(append(c.b, "1 0 0 1 "...), dx)
		c.b = appendInt(append(c.b, ' '), dy)
		c.b = append(c.b, " cm"...)
	}
	c.b = append(c.b, "/G"...)
	c.b = strconv.AppendInt(c.b, int64(g), 10)
	c.b = append(c.b, " Do\n"...)
}

// Form draws a form with its origin at x, y.
func (c *Content) Form(f Form, x, y float64) {
	c.Save()
	c.Move(x, y)
	c.Glyph(f, 0, 0)
	c.Restore()
}

func (c *Content) op(operator string, values ...float64) {
	for i, v := range values {
		if i > 0 {
			c.b = append(c.b, ' ')
		}
		c.b = appendNumber(c.b, v)
	}
	c.b = append(c.b, operator...)
}

func (c *Content) numbers(values ...float64) {
	for _, v := range values {
		c.b = appendNumber(append(c.b, ' '), v)
	}
}

// appendNumber writes v to a thousandth of a point, a third of a micrometre.
func appendNumber(b []byte, v float64) []byte { return appendDecimal(b, v, 1e3) }

// appendFine writes a factor, which multiplies lengths of a thousand and more.
func appendFine(b []byte, v float64) []byte { return appendDecimal(b, v, 1e6) }

// appendDecimal writes v rounded to 1/unit, a power of ten, without exponent (PDF
// has none). What no page can hold is written as 0.
func appendDecimal(b []byte, v float64, unit int64) []byte {
	if !(math.Abs(v) < 1e6) {
		return append(b, '0')
	}
	n := int64(math.Round(v * float64(unit)))
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	b = strconv.AppendInt(b, n/unit, 10)
	rest := n % unit
	if rest == 0 {
		return b
	}
	b = append(b, '.')
	for unit /= 10; rest > 0; unit /= 10 {
		b = append(b, byte('0'+rest/unit))
		rest %= unit
	}
	return b
}

// appendInt is strconv.AppendInt, quicker for the small numbers of codes.
func appendInt(b []byte, n int) []byte {
	switch {
	case n >= 0 && n < 10:
		return append(b, byte('0'+n))
	case n >= 10 && n < 100:
		return append(b, byte('0'+n/10), byte('0'+n%10))
	}
	return strconv.AppendInt(b, int64(n), 10)
}

// utf16Hex writes text as a PDF hexadecimal string of UTF-16 with its mark (section 7.9.2.2).
func utf16Hex(b []byte, text string) []byte {
	const digits = "0123456789ABCDEF"
	b = append(b, "FEFF"...)
	unit := func(u uint16) { b = append(b, digits[u>>12], digits[u>>8&15], digits[u>>4&15], digits[u&15]) }
	for _, r := range text {
		if r1, r2 := utf16.EncodeRune(r); r1 != 0xFFFD {
			unit(uint16(r1))
			unit(uint16(r2))
			continue
		}
		unit(uint16(r))
	}
	return b
}
