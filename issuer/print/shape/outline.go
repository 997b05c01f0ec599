package shape

import (
	"fmt"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
)

// A Pen is told the outline of a glyph, in thousandths of the type size, from its
// origin on the baseline, Y upwards. Each contour starts with MoveTo and is closed.
type Pen interface {
	MoveTo(x, y float64)
	LineTo(x, y float64)
	CurveTo(x1, y1, x2, y2, x, y float64) // cubic
	Close()
}

// Outline tells pen the outline of a glyph, to be filled by the nonzero rule.
func Outline(id ID, pen Pen) error {
	s := setters.Get().(*setter)
	defer setters.Put(s)
	face, err := s.face(id.Face)
	if err != nil {
		return err
	}
	data, ok := face.GlyphData(id.Glyph).(font.GlyphOutline)
	if !ok {
		return fmt.Errorf("shape: glyph %d of face %d is not an outline", id.Glyph, id.Face.ID)
	}
	scale := perEm / float64(face.Upem())
	at := func(p opentype.SegmentPoint) (float64, float64) { return float64(p.X) * scale, float64(p.Y) * scale }
	var x, y float64 // where the pen is
	open := false
	for _, segment := range data.Segments {
		a := segment.Args
		switch segment.Op {
		case opentype.SegmentOpMoveTo:
			if open {
				pen.Close()
			}
			x, y = at(a[0])
			pen.MoveTo(x, y)
			open = true
		case opentype.SegmentOpLineTo:
			x, y = at(a[0])
			pen.LineTo(x, y)
		case opentype.SegmentOpQuadTo:
			// A quadratic curve is the cubic whose handles reach two thirds as far.
			cx, cy := at(a[0])
			ex, ey := at(a[1])
			pen.CurveTo(x+(cx-x)*2/3, y+(cy-y)*2/3, ex+(cx-ex)*2/3, ey+(cy-ey)*2/3, ex, ey)
			x, y = ex, ey
		case opentype.SegmentOpCubeTo:
			x1, y1 := at(a[0])
			x2, y2 := at(a[1])
			x, y = at(a[2])
			pen.CurveTo(x1, y1, x2, y2, x, y)
		}
	}
	if open {
		pen.Close()
	}
	return nil
}
