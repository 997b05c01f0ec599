package print

import (
	"fmt"

	"aidpass/issuer/print/fonts"
	"aidpass/issuer/print/pdf"
	"aidpass/words"
)

// RulerText is what the code of the test page says: no card.
const RulerText = "AIDPASS TEST PAGE: THIS IS NOT A CARD. IF YOU CAN READ THIS LINE, CARDS CAN BE READ FROM THIS PAPER TOO. 0123456789 $%*+-./:"

// Ruler draws a page to test a printer with: lines of a known length, a code of a
// card's size and squares, marks near the edges, and the outline of a card to lay
// one on. Only paper and language of opt matter.
func Ruler(opt Options) (File, error) {
	if opt.Paper >= papers {
		return File{}, fmt.Errorf("print: paper %d does not exist", opt.Paper)
	}
	p := newPress(opt)
	lang, _ := words.Language(opt.Lang)
	size := sheets[opt.Paper]
	if opt.Paper.thermal() {
		size.height = 150
	}
	width, page := size.width, size.height
	pen := p.newPen(&p.one, 0, 0, page, width, lang.Tag())
	pen.edges(width, page)
	margin := min(20, width*0.09)
	in := width - 2*margin
	y, err := margin+6, error(nil)
	step := func(text string, s style, gap float64) {
		if err == nil {
			y, err = pen.label(text, s, margin, y, in)
			y += gap
		}
	}
	step(lang.Text("print.ruler"), style{weight: fonts.Bold, size: 16, floor: 10}, 0)
	step(lang.Text("print.ruler_help"), style{size: 9.5, floor: 7, lines: 4}, 6)
	if err != nil {
		return File{}, err
	}
	for _, length := range []float64{100, 50} {
		if length > in {
			continue
		}
		if err := pen.scale(length, margin, y); err != nil {
			return File{}, err
		}
		y += 16
	}
	y += 2
	step(lang.Text("print.ruler_code"), style{size: 9.5, floor: 7, lines: 3}, 0)
	if err != nil {
		return File{}, err
	}
	dot, room := sheetDot, float64(codeRoom)
	if opt.Paper.thermal() {
		dot = thermalDot
	}
	placed, err := pen.code(RulerText, margin, y, min(room, in), dot)
	if err != nil {
		return File{}, err
	}
	if in >= codeRoom+cardWidth+4 { // room for the outline of a card
		p.one.Save()
		p.one.Gray(0.5)
		p.one.Pen(0.5, 0)
		p.one.RoundRect((pen.left(margin+in-cardWidth, cardWidth))*pdf.MM, (page-y-cardHeight)*pdf.MM, cardWidth*pdf.MM, cardHeight*pdf.MM, 3.18*pdf.MM)
		p.one.Stroke()
		p.one.Restore()
		if _, err := pen.label("ID-1: 85.60 x 53.98 mm", style{size: 8, align: middle, ink: pen.ink}, margin+in-cardWidth, y+cardHeight/2+1, cardWidth); err != nil {
			return File{}, err
		}
		y += cardHeight - codeRoom
	}
	y += min(room, in) + 7
	step(lang.Text("print.ruler_edges"), style{size: 9.5, floor: 7, lines: 5}, 0)
	if err != nil {
		return File{}, err
	}
	placed.Text, placed.CardID = RulerText, ""
	p.out.Placed = append(p.out.Placed, placed)
	p.pdf.AddPage(width*pdf.MM, page*pdf.MM, &p.one)
	p.out.PDF, p.out.Pages, p.out.Paper = p.pdf.Bytes(), 1, opt.Paper
	return p.out, nil
}

// scale draws a ruler of so many millimetres with its length in words. It is
// measured from the left in every language.
func (p *pen) scale(length, x, y float64) error {
	at := p.left(x, length)
	px := func(v float64) float64 { return (at + v) * pdf.MM }
	py := func(v float64) float64 { return (p.page - y - v) * pdf.MM }
	p.c.Save()
	p.c.Gray(0)
	p.c.Pen(0.5, 0)
	p.c.MoveTo(px(0), py(6))
	p.c.LineTo(px(length), py(6))
	for i := range int(length) + 1 {
		tall := 2.0
		if i%10 == 0 {
			tall = 6
		} else if i%5 == 0 {
			tall = 3.5
		}
		p.c.MoveTo(px(float64(i)), py(6))
		p.c.LineTo(px(float64(i)), py(6-tall))
	}
	p.c.Stroke()
	p.c.Restore()
	_, err := p.label(p.words.Fill("print.length", "n", fmt.Sprint(length)), style{size: 8}, x, y+10, length)
	return err
}

// edges draws corner marks 5, 10 and 15 mm from the paper's edges.
func (p *pen) edges(width, page float64) {
	p.c.Save()
	p.c.Gray(0)
	p.c.Pen(0.5, 0)
	const arm = 4.0
	for _, d := range []float64{5, 10, 15} {
		if d > width/8 {
			continue
		}
		for i := range 4 {
			x, y, sx, sy := d, d, 1.0, 1.0
			if i&1 == 1 {
				x, sx = width-d, -1
			}
			if i&2 == 2 {
				y, sy = page-d, -1
			}
			p.c.MoveTo((x+sx*arm)*pdf.MM, y*pdf.MM)
			p.c.LineTo(x*pdf.MM, y*pdf.MM)
			p.c.LineTo(x*pdf.MM, (y+sy*arm)*pdf.MM)
		}
	}
	p.c.Stroke()
	p.c.Restore()
}
