package print

import (
	"fmt"

	"aidpass/issuer/print/pdf"
)

// drawing is the sign, or the frames of boxes: forms that all cards share.
type drawing struct {
	boxes, columns  int // 0: the sign
	wide, tall, gap float64
	rtl             bool
}

// shared draws a drawing with its upper left corner at x, y.
func (p *pen) shared(d drawing, x, y float64, draw func(*pdf.Content)) error {
	form, ok := p.drawn[d]
	if !ok {
		var err error
		if form, err = p.pdf.Form(func(c *pdf.Content) error { draw(c); return nil }); err != nil {
			return err
		}
		p.drawn[d] = form
	}
	p.c.Form(form, (p.x0+x)*pdf.MM, (p.page-p.y0-y)*pdf.MM)
	return nil
}

// sign draws the mark that all cards share. A ring with three dots: it belongs to
// no organisation, faith or country, and can be found in a bag.
func (p *pen) sign(x, y, size float64) error {
	return p.shared(drawing{wide: size}, p.left(x, size), y, func(c *pdf.Content) {
		r := size / 2 * pdf.MM
		c.Gray(0)
		c.Pen(r*0.16, 0)
		c.Circle(r, -r, r*0.92)
		c.Stroke()
		for i := range 3 {
			c.Circle(r+(float64(i)-1)*r*0.46, -r, r*0.15)
		}
		c.Fill()
	})
}

// boxes draws n numbered boxes in rows of so many, and returns the y below them.
func (p *pen) boxes(n, columns int, x, y, width, tall, gap float64) (float64, error) {
	if n == 0 {
		return y, nil
	}
	wide := (width - gap*float64(columns-1)) / float64(columns)
	err := p.shared(drawing{n, columns, wide, tall, gap, p.rtl}, p.left(x, width), y, func(c *pdf.Content) {
		c.Gray(p.ink)
		c.Pen(0.6, 0)
		for i := range n {
			bx := float64(i%columns) * (wide + gap)
			if p.rtl {
				bx = width - wide - bx
			}
			by := float64(i/columns) * (tall + gap)
			c.RoundRect(bx*pdf.MM, -(by+tall)*pdf.MM, wide*pdf.MM, tall*pdf.MM, 0.7*pdf.MM)
		}
		c.Stroke()
	})
	if err != nil {
		return y, err
	}
	for i := range n {
		bx := x + float64(i%columns)*(wide+gap)
		by := y + float64(i/columns)*(tall+gap)
		if _, err := p.label(fmt.Sprint(i+1), style{size: 5, ink: p.ink}, bx+0.7, by+2.1, wide-1.4); err != nil {
			return y, err
		}
	}
	return y + float64((n+columns-1)/columns)*(tall+gap) - gap, nil
}
