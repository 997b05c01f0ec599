package print

import (
	"fmt"
	"math"
	"strings"

	"aidpass/internal/qrcode"
	"aidpass/issuer/print/pdf"
	"aidpass/issuer/print/proof"
)

// Paper is what is printed on.
type Paper uint8

const (
	A4        Paper = iota // ten ID-1 cards
	Letter                 // eight
	A6                     // a slip a page
	Thermal58              // a slip a page, as long as it is, on a roll 58 mm wide
	Thermal80
	papers
)

var paperNames = [papers]string{"a4", "letter", "a6", "58", "80"}

// String is the name as it is typed: a4, letter, a6, 58 or 80.
func (p Paper) String() string {
	if p >= papers {
		return "?"
	}
	return paperNames[p]
}

// ParsePaper reads a name of String.
func ParsePaper(s string) (Paper, error) {
	for p, name := range paperNames {
		if strings.EqualFold(name, s) {
			return Paper(p), nil
		}
	}
	return 0, fmt.Errorf("print: no paper %q: one of %v", s, paperNames)
}

// An ID-1 card (ISO/IEC 7810), in millimetres.
const (
	cardWidth  = 85.60
	cardHeight = 53.98
)

// sheet is how cards lie on a page, side against side: one cut serves two cards.
// Lengths are millimetres.
type sheet struct {
	width, height float64
	columns, rows int
}

var sheets = [papers]sheet{
	A4:     {210, 297, 2, 5},
	Letter: {215.9, 279.4, 2, 4}, // a fifth row would leave 4.7 mm, less than printers reach
	A6:     {105, 148, 1, 1},
	// The rolls' own widths; heights are the slip's.
	Thermal58: {58, 0, 1, 1},
	Thermal80: {80, 0, 1, 1},
}

func (p Paper) perSheet() int { return sheets[p].columns * sheets[p].rows }

func (p Paper) thermal() bool { return p == Thermal58 || p == Thermal80 }

// origin is the upper left corner of the block of cards.
func (s sheet) origin() (x, y float64) {
	return (s.width - float64(s.columns)*cardWidth) / 2, (s.height - float64(s.rows)*cardHeight) / 2
}

// place is the upper left corner of a card. On the back of a sheet that is turned
// over its long edge, columns run the other way.
func (s sheet) place(slot int, back bool) (x, y float64) {
	column, row := slot%s.columns, slot/s.columns
	if back {
		column = s.columns - 1 - column
	}
	x, y = s.origin()
	return x + float64(column)*cardWidth, y + float64(row)*cardHeight
}

// onSheet draws a card in the next place of the sheet.
func (p *press) onSheet(c *Card) error {
	s := sheets[p.opt.Paper]
	x, y := s.place(p.slot, false)
	p.one.Reset()
	pen := p.newPen(&p.one, x, y, s.height, cardWidth, c.Lang)
	placed, err := pen.face(c)
	if err != nil {
		return err
	}
	if p.opt.Duplex {
		p.oneBack.Reset()
		bx, by := s.place(p.slot, true)
		if err := p.newPen(&p.oneBack, bx, by, s.height, cardWidth, c.Lang).back(c); err != nil {
			return err
		}
		p.back.Append(&p.oneBack)
	}
	p.front.Append(&p.one)
	p.put(c, placed)
	if p.slot++; p.slot == p.opt.Paper.perSheet() {
		p.endSheet()
	}
	return nil
}

// put notes where a card's code stands.
func (p *press) put(c *Card, placed proof.Placed) {
	placed.Page, placed.Text, placed.CardID = p.pdf.Pages(), c.Text, c.ID
	p.out.Placed = append(p.out.Placed, placed)
}

// endSheet adds the page, and its back.
func (p *press) endSheet() {
	if p.slot == 0 {
		return
	}
	s := sheets[p.opt.Paper]
	sides := []*pdf.Content{&p.front}
	if p.opt.Duplex {
		sides = append(sides, &p.back)
	}
	for i, content := range sides {
		p.cropMarks(content, s, i == 1)
		p.pdf.AddPage(s.width*pdf.MM, s.height*pdf.MM, content)
		content.Reset()
	}
	p.slot = 0
}

// cropMarks draws a short line outside the block at each cut, for a cutter, and a
// faint dashed one between cards, for scissors. Marks stand only where cards are.
func (p *press) cropMarks(c *pdf.Content, s sheet, back bool) {
	rows := (p.slot + s.columns - 1) / s.columns
	left, top := s.origin()
	right, bottom := left+float64(s.columns)*cardWidth, top+float64(rows)*cardHeight
	line := func(x1, y1, x2, y2 float64) {
		c.MoveTo(x1*pdf.MM, (s.height-y1)*pdf.MM)
		c.LineTo(x2*pdf.MM, (s.height-y2)*pdf.MM)
	}
	const gap, length = 1.5, 4.5
	c.Save()
	c.Gray(0)
	c.Pen(0.4, 0)
	for i := range s.columns + 1 {
		x := left + float64(i)*cardWidth
		line(x, top-gap-length, x, top-gap)
		line(x, bottom+gap, x, bottom+gap+length)
	}
	for i := range rows + 1 {
		y := top + float64(i)*cardHeight
		line(left-gap-length, y, left-gap, y)
		line(right+gap, y, right+gap+length, y)
	}
	c.Stroke()
	if !back {
		c.Gray(0.7)
		c.Pen(0.3, 2)
		for i := range s.columns + 1 {
			x := left + float64(i)*cardWidth
			line(x, top, x, bottom)
		}
		for i := range rows + 1 {
			y := top + float64(i)*cardHeight
			line(left, y, right, y)
		}
		c.Stroke()
	}
	c.Restore()
}

// Dots that a printer's modules should be made of, so that all are equally wide:
// 600 an inch for sheets, 203 for thermal heads (8 a millimetre).
const (
	sheetDot   = 25.4 / 600
	thermalDot = 0.125
)

// module returns how wide, in millimetres, a module of a code of side modules
// (without quiet zone) is drawn in a square room of so many millimetres that holds
// the quiet zone too. It is 0 when that would be under qrcode.MinModuleMM.
func module(side int, room, dot float64) float64 {
	m := math.Floor(room/float64(side+2*qrcode.QuietZone)/dot+1e-6) * dot
	if m < qrcode.MinModuleMM {
		return 0
	}
	return m
}
