package print

import (
	"context"
	"errors"
	"fmt"

	"aidpass/issuer/print/fonts"
	"aidpass/issuer/print/pdf"
	"aidpass/issuer/print/proof"
)

// A DemoCard is a card to try a scanner with, and what is written beneath it.
type DemoCard struct {
	Card        // without Number: a code that is no card
	Word string // what the scanner will say
	Why  string
}

// A demo sheet, in millimetres: each card stands alone in a striped border, with its
// word beneath, so that no cut makes of it what could pass for a card.
const (
	demoBorder  = 4.0
	demoCaption = 15.0
	demoCellX   = cardWidth + 2*demoBorder + 4
	demoCellY   = cardHeight + 2*demoBorder + demoCaption + 3
	demoTop     = 24.0
	demoColumns = 2
	demoRows    = 3
)

// notesBeneath: the last page has one row of cards, and room for the notes under it.
func notesBeneath(last int) bool { return last > 0 && last <= demoColumns }

// DemoPages is how many pages DemoSheet makes; the notes stand on the last of them.
func DemoPages(cards, notes int) int {
	pages := (cards + demoColumns*demoRows - 1) / (demoColumns * demoRows)
	if notes > 0 && !notesBeneath(cards%(demoColumns*demoRows)) {
		pages++
	}
	return pages
}

// DemoSheet draws cards of a demo on A4, each in a striped border that says DEMO, with
// what the scanner says of it beneath; and behind them notes, a paragraph each. Only
// the language of opt matters.
//
// Errors: those of ctx; fonts.ErrNone; a text that does not fit its place; a card that
// cannot be printed.
func DemoSheet(ctx context.Context, title string, cards []DemoCard, notes []string, opt Options) (File, error) {
	opt.Paper, opt.Duplex = A4, false
	p := newPress(opt)
	for i := range cards {
		if err := ctx.Err(); err != nil {
			return File{}, err
		}
		if p.slot == 0 {
			if err := p.demoTitle(title); err != nil {
				return File{}, err
			}
		}
		c := cards[i]
		if c.Lang == "" {
			c.Lang = opt.Lang
		}
		if err := p.demoCard(&c); err != nil {
			return File{}, fmt.Errorf("print: card %q of the demo: %w", c.Word, err)
		}
		if p.slot++; p.slot == demoColumns*demoRows {
			p.endDemoPage()
		}
	}
	if err := p.demoNotes(title, notes); err != nil {
		return File{}, err
	}
	p.out.PDF, p.out.Pages, p.out.Paper = p.pdf.Bytes(), p.pdf.Pages(), A4
	return p.out, nil
}

func (p *press) endDemoPage() {
	if p.front.Len() == 0 {
		return
	}
	p.pdf.AddPage(sheets[A4].width*pdf.MM, sheets[A4].height*pdf.MM, &p.front)
	p.front.Reset()
	p.slot = 0
}

// demoPen draws anywhere on the page.
func (p *press) demoPen(x, y, width float64, lang string) *pen {
	return p.newPen(&p.front, x, y, sheets[A4].height, width, lang)
}

func (p *press) demoTitle(title string) error {
	page := sheets[A4]
	_, err := p.demoPen(0, 0, page.width, p.opt.Lang).label(title, style{weight: fonts.Bold, size: 11, floor: 8, lines: 2, align: middle}, 14, 13, page.width-28)
	return err
}

// demoCard draws one card in its border, with its caption.
func (p *press) demoCard(c *DemoCard) error {
	left := (sheets[A4].width - demoColumns*demoCellX + 4) / 2
	x, y := left+float64(p.slot%demoColumns)*demoCellX, demoTop+float64(p.slot/demoColumns)*demoCellY
	if err := p.stripes(x, y, c.Lang); err != nil {
		return err
	}
	pen := p.demoPen(x+demoBorder, y+demoBorder, cardWidth, c.Lang)
	var placed proof.Placed
	var err error
	if c.Number != "" {
		if len(c.Number) != 11 {
			return &stopped{"its card number is not 11 letters and digits"}
		}
		placed, err = pen.face(&c.Card)
	} else {
		placed, err = pen.code(c.Text, codeX, (cardHeight-codeRoom)/2, codeRoom, sheetDot)
		placed.Card = proof.Area{X: pen.x0, Y: pen.y0, Width: cardWidth, Height: cardHeight}
	}
	if err != nil {
		return err
	}
	p.put(&c.Card, placed)
	below := p.demoPen(x, y+cardHeight+2*demoBorder, cardWidth+2*demoBorder, c.Lang)
	at, err := below.label(c.Word, style{weight: fonts.Bold, size: 12, floor: 9}, 0, 5, below.width)
	if err == nil {
		_, err = below.label(c.Why, style{size: 8, floor: 7, lines: 3}, 0, at-0.6, below.width)
	}
	return err
}

// stripes draws the border, from x, y outwards in, and its word.
func (p *press) stripes(x, y float64, lang string) error {
	const width, height, step = cardWidth + 2*demoBorder, cardHeight + 2*demoBorder, 4.0
	page := sheets[A4].height
	bands := [][4]float64{{0, 0, width, demoBorder}, {0, height - demoBorder, width, height},
		{0, demoBorder, demoBorder, height - demoBorder}, {width - demoBorder, demoBorder, width, height - demoBorder}}
	p.front.Save()
	p.front.Gray(0.45)
	for at := 0.0; at < width+height; at += step {
		for _, b := range bands {
			shape := slanted(b, at, at+step/2)
			for i, q := range shape {
				if i == 0 {
					p.front.MoveTo((x+q[0])*pdf.MM, (page-y-q[1])*pdf.MM)
				} else {
					p.front.LineTo((x+q[0])*pdf.MM, (page-y-q[1])*pdf.MM)
				}
			}
			if len(shape) > 0 {
				p.front.Close()
			}
		}
	}
	p.front.Fill()
	p.front.Restore()
	// The word stands on paper of its own in the middle of the upper band.
	const room = 17.0
	p.front.Save()
	p.front.Gray(1)
	p.front.Rect((x+(width-room)/2)*pdf.MM, (page-y-demoBorder)*pdf.MM, room*pdf.MM, demoBorder*pdf.MM)
	p.front.Fill()
	p.front.Restore()
	_, err := p.demoPen(x, y, width, lang).label(demoWord, style{weight: fonts.Bold, size: 11, align: middle}, 0, 3.4, width)
	return err
}

// slanted is what of a band (left, top, right, bottom) lies between two lines that rise to
// the right, on which x+y is from and to; empty where nothing does.
func slanted(band [4]float64, from, to float64) [][2]float64 {
	shape := [][2]float64{{band[0], band[1]}, {band[2], band[1]}, {band[2], band[3]}, {band[0], band[3]}}
	for _, cut := range [2][2]float64{{1, from}, {-1, -to}} {
		var kept [][2]float64
		inside := func(q [2]float64) float64 { return cut[0]*(q[0]+q[1]) - cut[1] }
		for i, q := range shape {
			before := shape[(i+len(shape)-1)%len(shape)]
			if a, b := inside(before), inside(q); (a < 0) != (b < 0) {
				t := a / (a - b)
				kept = append(kept, [2]float64{before[0] + t*(q[0]-before[0]), before[1] + t*(q[1]-before[1])})
			}
			if inside(q) >= 0 {
				kept = append(kept, q)
			}
		}
		shape = kept
	}
	return shape
}

// demoWord is what the border says, in every language.
const demoWord = "DEMO"

// demoNotes writes the notes on a page of their own, where there are any, and ends the file.
func (p *press) demoNotes(title string, notes []string) error {
	if len(notes) == 0 {
		p.endDemoPage()
		return nil
	}
	top := demoTop
	if notesBeneath(p.slot) {
		top += demoCellY
	} else {
		p.endDemoPage()
		if err := p.demoTitle(title); err != nil {
			return err
		}
	}
	const margin, foot = 18.0, 20.0
	page := sheets[A4]
	pen := p.demoPen(0, 0, page.width, p.opt.Lang)
	y := top + 6.0
	for _, note := range notes {
		next, err := pen.label(note, style{size: 10, floor: 9, lines: 6}, margin, y, page.width-2*margin)
		if err != nil {
			return err
		}
		if y = next + 2.5; y > page.height-foot {
			return errors.New("print: more notes than a page of a demo holds")
		}
	}
	p.endDemoPage()
	return nil
}
