package print

import (
	"aidpass/issuer/print/fonts"
	"aidpass/issuer/print/proof"
)

// The front of an ID-1 card, in millimetres, for a language from the left:
//
//	 4.5                     41.1                              85.6
//	+--------------------------------------------------------------+
//	| (sign) organisation    | ##### ##  # ## #####                |
//	|        programme       | #   # # ##  ## #   #   43 x 43,     |
//	| photo                  | #   #  #####   #   #   quiet zone   |
//	| name                   |        the code        included     |
//	| Card number            | ##### ## #  ##  ## #                |
//	| K7Q2-8MXW-3TN          | #   # #  ###   # ##                 |
//	| dates                  | #####  ## ## #### #                 |
//	| ------------------------------------------------------------ |
//	| Questions or complaints: ...                                 |
//	+--------------------------------------------------------------+
//
// Without a back the rule gives way to a row of boxes to mark.
const (
	edge     = 4.5 // of the ink
	codeX    = 41.1
	codeRoom = 43
	column   = codeX - edge - 0.8
	footRule = 46.4
	textEnd  = 43.2 // last baseline of the column
)

// face draws the front of a card and returns where its code stands.
func (p *pen) face(c *Card) (proof.Placed, error) {
	boxes, codeY := c.Boxes, 0.6
	if p.opt.Duplex || boxes == 0 {
		boxes, codeY = 0, 1.6
	}
	placed, err := p.code(c.Text, codeX, codeY, codeRoom, sheetDot)
	if err != nil {
		return placed, err
	}
	placed.Card = proof.Area{X: p.x0, Y: p.y0, Width: cardWidth, Height: cardHeight}

	// From the foot upwards: dates, number, name; then what is left for the top.
	bottom := textEnd - 2 + codeY
	dates := p.dates(c)
	const line = 3.3
	if len(c.Photo) == 0 { // beside a photograph the dates stand next to it
		for i, text := range dates {
			at := bottom - line*float64(len(dates)-1-i)
			if _, err := p.label(text, style{size: 7.2, floor: 5}, edge, at, column); err != nil {
				return placed, err
			}
		}
		bottom -= line*float64(len(dates)) + 1.5
	}
	if _, err := p.number(c.Number, style{weight: fonts.Bold, size: 13.5, floor: 9}, edge, bottom, column); err != nil {
		return placed, err
	}
	bottom -= 5.4
	if _, err := p.label(p.words.Text("print.number"), style{size: 6, floor: 5, ink: p.ink}, edge, bottom, column); err != nil {
		return placed, err
	}
	bottom -= 3
	if bottom, err = p.name(c, bottom); err != nil {
		return placed, err
	}
	if err := p.top(c, dates, bottom); err != nil {
		return placed, err
	}
	if boxes == 0 {
		return placed, p.foot(c)
	}
	const gap = 0.55
	tall := 4.5
	if two, err := p.asksTwice(c); err != nil {
		return placed, err
	} else if two {
		tall -= 1
	}
	wide := (cardWidth-2*edge+gap)/MaxBoxes - gap
	y, err := p.boxes(boxes, boxes, edge, codeRoom+codeY+0.2, float64(boxes)*(wide+gap)-gap, tall, gap)
	if err != nil {
		return placed, err
	}
	return placed, p.ask(c, y+3)
}

// name draws the holder's name above y and returns the room's new lower end.
func (p *pen) name(c *Card, y float64) (float64, error) {
	if c.Name == "" {
		return y, nil
	}
	// One line, a little smaller, reads better than a word alone on a second one.
	s := style{weight: fonts.Bold, size: 10.5, one: 8.5, floor: 7, lines: 2}
	b, err := p.block(c.Name, s, column, false)
	if err != nil {
		return y, holders(err)
	}
	if b.Cut {
		p.out.Warned = append(p.out.Warned, Note{c.ID, c.Unit, "the name is longer than the card: its end is left out"})
	}
	step := height(b) / float64(max(1, len(b.Lines)))
	first := y - 1.5 - step*float64(len(b.Lines)-1)
	if _, err := p.draw(b, s, edge, first, column); err != nil {
		return y, err
	}
	return first - step, nil
}

// top draws what stands above: the photograph with the dates beside it, or the
// sign with the names of organisation and programme.
func (p *pen) top(c *Card, dates []string, bottom float64) error {
	const size = 6.4
	x, room := edge+size+1.8, column-size-1.8
	if len(c.Photo) > 0 {
		tall := min(bottom-0.8-edge, 24)
		wide := tall * 3 / 4
		if err := p.photo(c, edge, edge, wide, tall); err != nil {
			return err
		}
		beside := edge + wide + 1.8
		const small = 4.6
		err := p.sign(beside, edge, small)
		y := edge + small + 2.9
		for _, text := range dates {
			if err != nil {
				return err
			}
			if y, err = p.label(text, style{size: 6.2, floor: 5, lines: 2}, beside, y, column-wide-1.8); err != nil {
				return err
			}
			y += 0.3
		}
		x, room = beside+small+1.2, column-wide-1.8-small-1.2
		if err != nil {
			return err
		}
		_, err = p.house(c, c.Organisation, style{size: 6, floor: 4.5, lines: 2}, x, edge+1.9, room)
		return err
	}
	if err := p.sign(edge, edge, size); err != nil {
		return err
	}
	y := edge + 2.7
	if c.Programme == "" {
		y += 1.3
	}
	y, err := p.house(c, c.Organisation, style{weight: fonts.Bold, size: 7.5, floor: 5.5, lines: 2}, x, y, room)
	if err != nil || c.Programme == "" {
		return err
	}
	_, err = p.house(c, c.Programme, style{size: 6.5, floor: 5, lines: 2, ink: p.ink}, x, y, room)
	return err
}

// foot draws the line that says whom to ask.
func (p *pen) foot(c *Card) error {
	p.rule(edge, footRule, cardWidth-2*edge, 0.6, 0)
	return p.ask(c, footRule+3.5)
}

// ask draws the line that says whom to ask: one, or two small ones.
func (p *pen) ask(c *Card, y float64) error {
	s := askStyle
	two, err := p.asksTwice(c)
	if two {
		s, y = style{size: 5.5, floor: 5, lines: 2}, y-0.9
	}
	if err == nil {
		_, err = p.label(p.complaint(c), s, edge, y, cardWidth-2*edge)
	}
	return err
}

var askStyle = style{size: 7.2, floor: 5.5}

// asksTwice reports whether that takes two lines.
func (p *pen) asksTwice(c *Card) (bool, error) {
	b, err := p.block(p.complaint(c), p.said(askStyle), cardWidth-2*edge, true)
	return err == nil && b.Cut, err
}

// back draws the other side: boxes to mark, what to do when the card is lost,
// whom to ask, and the number, by which the two sides are told to belong together.
func (p *pen) back(c *Card) error {
	const width = cardWidth - 2*edge
	y := edge + 2.2
	if c.Boxes > 0 {
		if _, err := p.label(p.words.Text("print.boxes"), style{size: 7.2, floor: 5.5, ink: p.ink}, edge, y, width-24); err != nil {
			return err
		}
	}
	if _, err := p.number(c.Number, style{size: 7, align: end, ink: p.ink}, edge+width-24, y, 24); err != nil {
		return err
	}
	y, err := p.boxes(c.Boxes, 6, edge, y+1.8, width, 9.4, 1.2)
	if err != nil {
		return err
	}
	y, err = p.label(p.words.Text("print.lost"), style{size: 8, floor: 6, lines: 2}, edge, y+4.5, width)
	if err != nil {
		return err
	}
	if _, err = p.label(p.square(c), style{size: 6.5, floor: 5.5, lines: 2, ink: p.ink}, edge, y+0.3, width); err != nil {
		return err
	}
	return p.foot(c)
}
