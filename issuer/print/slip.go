package print

import (
	"fmt"

	"aidpass/internal/qrcode"
	"aidpass/issuer/print/fonts"
	"aidpass/issuer/print/pdf"
	"aidpass/issuer/print/proof"
	"aidpass/issuer/print/shape"
)

// A slip is one page from the top: sign and names, the holder's name, number, code,
// dates, boxes, whom to ask, and, where there is a PIN, a part to tear off with the
// number and the PIN. An A6 slip has a given height and the code takes what is
// left of it, where it can with dates and boxes beside it; a thermal one is as long as it needs
// to be.
type slipForm struct {
	margin   float64
	code     float64 // largest side of the code, quiet zone included
	ink      float64 // likewise, without the quiet zone: what a thermal head reaches; 0: all
	dot      float64 // of the printer
	big      float64 // size of the number, points
	text     float64 // size of sentences
	boxTall  float64
	boxesRow int
}

var slipForms = map[Paper]slipForm{
	A6:        {margin: 7, code: 76, dot: sheetDot, big: 20, text: 8.5, boxTall: 6.5, boxesRow: 6},
	Thermal58: {margin: 5, code: 57, ink: 48, dot: thermalDot, big: 16, text: 8.5, boxTall: 6.5, boxesRow: 6},
	Thermal80: {margin: 4, code: 80, ink: 72, dot: thermalDot, big: 22, text: 9.5, boxTall: 9, boxesRow: 6},
}

// A code that has easy modules in so many millimetres leaves room beside it on an
// A6 slip.
const (
	besideCode = 62
	easyModule = 0.5
)

// tallest is longer than any slip; the page is cut to what it needs.
const tallest = 500.0

// slip draws one slip as a page.
func (p *press) slip(c *Card) error {
	if c.PIN != "" && !sixDigits(c.PIN) {
		return &stopped{"its PIN is not six digits"}
	}
	form := slipForms[p.opt.Paper]
	size := sheets[p.opt.Paper]
	matrix, err := qrcode.Fast(c.Text)
	if err != nil {
		return &stopped{fmt.Sprintf("its code cannot be drawn: %v", err)}
	}
	page := size.height
	if p.opt.Paper.thermal() {
		// Drawn once to learn how tall it is, and once on a page of that height.
		m := min(module(len(matrix), form.code, form.dot), module(len(matrix)-2*qrcode.QuietZone, form.ink, form.dot))
		used, _, err := p.slipParts(c, tallest, m*float64(len(matrix)+2*qrcode.QuietZone), false)
		if err != nil {
			return err
		}
		page = used
		_, placed, err := p.slipParts(c, page, m*float64(len(matrix)+2*qrcode.QuietZone), false)
		if err != nil {
			return err
		}
		return p.endSlip(c, size.width, page, placed)
	}
	largest, beside := form.code, false
	if module(len(matrix), besideCode, form.dot) >= easyModule {
		largest, beside = besideCode, true
	}
	used, _, err := p.slipParts(c, page, 0, beside)
	if err != nil {
		return err
	}
	room := min(largest, page-used)
	_, placed, err := p.slipParts(c, page, room, beside)
	if err != nil {
		return err
	}
	return p.endSlip(c, size.width, page, placed)
}

func sixDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) == 6
}

func (p *press) endSlip(c *Card, width, page float64, placed proof.Placed) error {
	placed.Card = proof.Area{Width: width, Height: page}
	p.put(c, placed)
	p.pdf.AddPage(width*pdf.MM, page*pdf.MM, &p.one)
	return nil
}

// slipParts draws all parts with a code in a room of so many millimetres, or
// leaves the code out when that is 0, with dates and boxes beside the code or below
// it, and returns how much of the page's height was used.
func (p *press) slipParts(c *Card, page, room float64, beside bool) (used float64, placed proof.Placed, err error) {
	p.one.Reset()
	form := slipForms[p.opt.Paper]
	width := sheets[p.opt.Paper].width
	pen := p.newPen(&p.one, 0, 0, page, width, c.Lang)
	in := width - 2*form.margin
	sentence := style{size: form.text, floor: form.text - 1.5, lines: 4}

	y, err := pen.slipHead(c, form, in)
	if err != nil {
		return 0, placed, err
	}
	at := form.margin + (in-room)/2
	if beside {
		at = form.margin
	}
	if room > 0 {
		if placed, err = pen.code(c.Text, at, y, room, form.dot); err != nil {
			return 0, placed, err
		}
	} else if p.opt.Paper.thermal() {
		return 0, placed, &stopped{fmt.Sprintf("its code of %d characters would have squares under %g mm on this paper: use larger paper", len(c.Text), qrcode.MinModuleMM)}
	}
	below := y + room + 3.5
	if beside && room > 0 {
		err = pen.datesAndBoxes(c, form, form.margin+room+3, y+3, in-room-3)
	} else if !beside {
		below, err = pen.datesAndBoxesBelow(c, form, below, in)
	}
	if err != nil {
		return 0, placed, err
	}
	y = below
	if text := pen.complete(c); text != "" { // first: it is what the holder has to do
		s := sentence
		s.weight = fonts.Bold
		if y, err = pen.label(text, s, form.margin, y, in); err != nil {
			return 0, placed, err
		}
		y += 1
	}
	for _, text := range []string{pen.words.Text("print.lost"), pen.square(c), pen.complaint(c)} {
		if y, err = pen.label(text, sentence, form.margin, y, in); err != nil {
			return 0, placed, err
		}
		y += 1
	}
	if c.PIN != "" {
		if y, err = pen.tearOff(c, form, y, in); err != nil {
			return 0, placed, err
		}
	}
	return y + form.margin - 4, placed, nil
}

// datesAndBoxes draws them in a column.
func (p *pen) datesAndBoxes(c *Card, form slipForm, x, y, width float64) (err error) {
	for _, text := range p.dates(c) {
		if y, err = p.label(text, style{size: form.text, floor: 6, lines: 2}, x, y, width); err != nil {
			return err
		}
	}
	if c.Boxes == 0 {
		return nil
	}
	if y, err = p.label(p.words.Text("print.boxes"), style{size: form.text - 2, floor: 5.5, lines: 3, ink: p.ink}, x, y+2, width); err != nil {
		return err
	}
	const gap, narrow = 1.2, 6.2
	columns := min(form.boxesRow, int((width+gap)/(narrow+gap)))
	_, err = p.boxes(c.Boxes, columns, x, y-1.6, width, form.boxTall, gap)
	return err
}

// datesAndBoxesBelow draws them over the whole width and returns where they end.
func (p *pen) datesAndBoxesBelow(c *Card, form slipForm, y, in float64) (_ float64, err error) {
	for _, text := range p.dates(c) {
		if y, err = p.label(text, style{size: form.text, floor: 6, align: middle}, form.margin, y, in); err != nil {
			return y, err
		}
	}
	if c.Boxes == 0 {
		return y + 2, nil
	}
	if y, err = p.label(p.words.Text("print.boxes"), style{size: form.text - 2, floor: 5.5, lines: 2, ink: p.ink}, form.margin, y+1.5, in); err != nil {
		return y, err
	}
	y, err = p.boxes(c.Boxes, form.boxesRow, form.margin, y-1.6, in, form.boxTall, 1.2)
	return y + 5, err
}

// slipHead draws what stands above the code and returns where it ends.
func (p *pen) slipHead(c *Card, form slipForm, in float64) (float64, error) {
	const size = 8.0
	x, y := form.margin, form.margin
	room := in
	tall := 0.0
	if len(c.Photo) > 0 && !p.opt.Paper.thermal() {
		const wide = 21
		tall = wide * 4 / 3
		if err := p.photo(c, x, y, wide, tall); err != nil {
			return 0, err
		}
		x, room = x+wide+4, room-wide-4
	}
	if err := p.sign(x, y, size); err != nil {
		return 0, err
	}
	after, err := y+3.4, error(nil)
	if c.Programme == "" {
		after += 1.5
	}
	if after, err = p.house(c, c.Organisation, style{weight: fonts.Bold, size: form.text, floor: 6.5}, x+size+2.4, after, room-size-2.4); err != nil {
		return 0, err
	}
	if _, err = p.house(c, c.Programme, style{size: form.text - 1.5, floor: 6, ink: p.ink}, x+size+2.4, after, room-size-2.4); err != nil {
		return 0, err
	}
	y += size + 6
	if c.Name != "" {
		s := style{weight: fonts.Bold, size: form.text + 4, floor: 8, lines: 2}
		b, err := p.block(c.Name, s, room, false)
		if err != nil {
			return 0, holders(err)
		}
		if b.Cut {
			p.out.Warned = append(p.out.Warned, Note{c.ID, c.Unit, "the name is longer than the slip: its end is left out"})
		}
		if y, err = p.draw(b, s, x, y, room); err != nil {
			return 0, err
		}
		y += 1.5
	}
	if y, err = p.label(p.words.Text("print.number"), style{size: 7, ink: p.ink}, x, y-1.5, room); err != nil {
		return 0, err
	}
	y += form.big/pdf.MM*0.75 - 1.4
	if y, err = p.number(c.Number, style{weight: fonts.Bold, size: form.big, floor: 10}, x, y, room); err != nil {
		return 0, err
	}
	return max(y-form.big/pdf.MM*0.9, form.margin+tall) + 2, nil
}

// tearOff draws the part with the PIN below a line to tear along: side by side
// with what to do with it where the paper is wide.
func (p *pen) tearOff(c *Card, form slipForm, y, in float64) (float64, error) {
	p.rule(0, y, p.width, 0, 3)
	y += 6
	half := in * 0.5
	if _, err := p.number(c.Number, style{size: form.text, floor: 5, ink: p.ink, align: end}, form.margin+half, y, in-half); err != nil {
		return y, err
	}
	y, err := p.label(p.words.Text("print.pin"), style{size: form.text, floor: 5}, form.margin, y, half-1)
	if err != nil {
		return y, err
	}
	// In two groups: six digits in a row are hard to keep.
	pin := style{weight: fonts.Bold, size: form.big, align: middle, from: shape.LTR}
	keep := style{size: form.text - 1, floor: 5.5, lines: 4}
	room, x, width, top := in, form.margin, in, y-1
	if in > 80 {
		pin.align = start
		room, x, width, top = half-6, form.margin+half-4, in-half+4, y
	}
	b, err := p.block(c.PIN[:3]+" "+c.PIN[3:], pin, room, false)
	if err != nil {
		return y, err
	}
	y, err = p.draw(b, pin, form.margin, y+form.big/pdf.MM*0.55, room)
	if err != nil {
		return y, err
	}
	if in <= 80 {
		top = y - 1
	}
	below, err := p.label(p.words.Text("print.pin_keep"), keep, x, top, width)
	return max(y-form.big/pdf.MM*0.6, below), err
}
