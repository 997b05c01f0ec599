package print

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"aidpass/internal/qrcode"
	"aidpass/issuer/print/fonts"
	"aidpass/issuer/print/pdf"
	"aidpass/issuer/print/proof"
	"aidpass/issuer/print/shape"
	"aidpass/words"
)

// pen draws on one card or slip. Places are millimetres from its upper left
// corner, downwards, as the designer sees it from the start of the line: in a
// language written from the right everything is mirrored, but for what is written.
type pen struct {
	*press
	c      *pdf.Content
	x0, y0 float64 // the corner on the page, from the page's upper left, millimetres
	page   float64 // height of the page
	width  float64 // of the card
	words  *words.Catalogue
	rtl    bool
	ink    float64 // of labels: grey, or black on thermal paper
}

func (p *press) newPen(c *pdf.Content, x0, y0, page, width float64, lang string) *pen {
	w, _ := words.Language(lang)
	ink := 0.35
	if p.opt.Paper.thermal() {
		ink = 0
	}
	return &pen{press: p, c: c, x0: x0, y0: y0, page: page, width: width, words: w, rtl: w.RTL(), ink: ink}
}

// left is the left end of something width wide that starts at x.
func (p *pen) left(x, width float64) float64 {
	if p.rtl {
		return p.width - x - width
	}
	return x
}

// A style is how a text is set.
type style struct {
	weight fonts.Weight
	size   float64 // points
	floor  float64 // 0: as size
	lines  int     // 0: 1
	one    float64 // size down to which one line is better than two; 0: size
	ink    float64
	align  align
	from   shape.Direction // Auto: as the text; labels say their language's
}

type align uint8

const (
	start align = iota
	middle
	end
)

// leading is the distance of two lines, in sizes. Scripts with marks above and
// below need more than Latin does.
const leading = 1.32

// fixedKey is a label in its room.
type fixedKey struct {
	text  string
	style style
	width float64
}

// maxCached bounds the texts that are kept: dates and names of places may differ
// from card to card.
const maxCached = 4000

// block is a text that is set; ops has, by line, what draws its glyphs, the same
// wherever it stands.
type block struct {
	shape.Block
	ops [][]byte
}

// block sets text in width millimetres. Labels are kept, holders' texts are not.
func (p *press) block(text string, s style, width float64, keep bool) (*block, error) {
	key := fixedKey{text, s, width}
	if keep {
		if b := p.fixed[key]; b != nil {
			return b, nil
		}
	}
	room := shape.Room{Width: width * pdf.MM, Lines: max(1, s.lines), Size: s.size, Floor: s.size, OneLine: s.one}
	if s.floor > 0 {
		room.Floor = s.floor
	}
	set, err := shape.Fit(text, s.weight, s.from, room)
	if err != nil {
		return nil, err
	}
	b := &block{Block: set}
	if keep && len(p.fixed) < maxCached {
		b.ops = make([][]byte, len(set.Lines))
		p.fixed[key] = b
	}
	return b, nil
}

// said is s for a text of ours: it starts where the language does.
func (p *pen) said(s style) style {
	if s.from == shape.Auto {
		s.from = shape.LTR
		if p.rtl {
			s.from = shape.RTL
		}
	}
	return s
}

// label draws a text of ours, its first baseline at y, and returns the y below its
// last line. One that does not fit is an error: half a telephone number is none.
func (p *pen) label(text string, s style, x, y, width float64) (float64, error) {
	s = p.said(s)
	b, err := p.block(text, s, width, true)
	if err == nil && b.Cut {
		err = errors.New("too long for its place on the paper: shorten it")
	}
	if err != nil {
		return y, fmt.Errorf("print: %q: %w", text, err)
	}
	return p.draw(b, s, x, y, width)
}

// house draws the name of an organisation or programme as label does, and as much
// as there is room for of one that is too long: nobody calls it.
func (p *pen) house(c *Card, text string, s style, x, y, width float64) (float64, error) {
	s = p.said(s)
	b, err := p.block(text, s, width, true)
	if err != nil {
		return y, fmt.Errorf("print: %q: %w", text, err)
	}
	if b.Cut && !p.told {
		p.told = true
		p.out.Warned = append(p.out.Warned, Note{c.ID, c.Unit, "the organisation or programme has a longer name than there is room for, here and on other cards: its end is left out"})
	}
	return p.draw(b, s, x, y, width)
}

// draw puts a block on paper, its first baseline at y.
func (p *pen) draw(b *block, s style, x, y, width float64) (float64, error) {
	p.c.Save()
	p.c.Gray(s.ink)
	for i := range b.Lines {
		l := &b.Lines[i]
		w := float64(l.Width) * b.Size / 1000 / pdf.MM
		at := p.left(x, width)
		switch {
		case s.align == middle:
			at += (width - w) / 2
		case (s.align == end) != p.rtl:
			at += width - w
		}
		p.c.BeginText(unsteered(l.Text), b.Size, (p.x0+at)*pdf.MM, (p.page-p.y0-y)*pdf.MM)
		if b.ops != nil && b.ops[i] != nil {
			p.c.Repeat(b.ops[i])
		} else {
			from := p.c.Len()
			if err := p.glyphs(l); err != nil {
				return y, err
			}
			if b.ops != nil {
				b.ops[i] = p.c.Since(from)
			}
		}
		p.c.EndText()
		y += b.Size * leading / pdf.MM
	}
	p.c.Restore()
	return y, nil
}

// glyphs draws the glyphs of a line.
func (p *pen) glyphs(l *shape.Line) error {
	atX, atY := 0, 0
	for i := range l.Glyphs {
		g := &l.Glyphs[i]
		form, ok := p.forms[g.ID]
		if !ok {
			var err error
			if form, err = p.pdf.Form(func(c *pdf.Content) error {
				err := shape.Outline(g.ID, c)
				c.Fill()
				return err
			}); err != nil {
				return err
			}
			p.forms[g.ID] = form
		}
		p.c.Glyph(form, g.X-atX, g.Y-atY)
		atX, atY = g.X, g.Y
	}
	return nil
}

// unsteered is text without the marks that isolated puts in.
func unsteered(text string) string {
	if !strings.ContainsAny(text, steers) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(steers, r) {
			return -1
		}
		return r
	}, text)
}

// height is how tall a block is, in millimetres.
func height(b *block) float64 { return float64(len(b.Lines)) * b.Size * leading / pdf.MM }

// rule draws a thin line from x on.
func (p *pen) rule(x, y, width, ink, dash float64) {
	at := p.left(x, width)
	p.c.Save()
	p.c.Gray(ink)
	p.c.Pen(0.5, dash)
	p.c.MoveTo((p.x0+at)*pdf.MM, (p.page-p.y0-y)*pdf.MM)
	p.c.LineTo((p.x0+at+width)*pdf.MM, (p.page-p.y0-y)*pdf.MM)
	p.c.Stroke()
	p.c.Restore()
}

// code draws the QR code of text in a square room at x, y, centred, in modules
// of whole dots, and returns where it stands.
func (p *pen) code(text string, x, y, room, dot float64) (proof.Placed, error) {
	matrix, err := qrcode.Fast(text)
	if err != nil {
		return proof.Placed{}, &stopped{fmt.Sprintf("its code cannot be drawn: %v", err)}
	}
	m := module(len(matrix), room, dot)
	if m == 0 {
		return proof.Placed{}, &stopped{fmt.Sprintf("its code of %d characters would have squares under %g mm on this paper: use larger paper", len(text), qrcode.MinModuleMM)}
	}
	side := m * float64(len(matrix)+2*qrcode.QuietZone)
	snap := func(v float64) float64 { return math.Round(v/dot) * dot }
	left := snap(p.x0 + p.left(x, room) + (room-side)/2)
	top := snap(p.y0 + y + (room-side)/2)
	quiet := m * qrcode.QuietZone
	p.c.Save()
	p.c.Gray(0)
	p.c.Matrix(matrix, (left+quiet)*pdf.MM, (p.page-top-quiet)*pdf.MM, m*pdf.MM)
	p.c.Restore()
	return proof.Placed{X: left, Y: top, Size: side}, nil
}
