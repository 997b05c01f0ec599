package print

import (
	"context"
	"strconv"

	"aidpass/issuer/print/fonts"
	"aidpass/issuer/print/pdf"
	"aidpass/words"
)

// List draws the list for the table where cards are handed over: a row a card with
// its number, its number in the list it came from where one is known, and boxes to
// tick. Names stand on it when names is set, for cards that
// have one, with Card.Where beneath it: a list of names is more dangerous than the cards, and belongs into a
// locked box. It is on A4, or on Letter where opt says so.
//
// Errors are those of Cards; a name that cannot be printed is in File.Stopped and
// its row stands without it.
func List(ctx context.Context, cards []Card, names bool, opt Options) (File, error) {
	if opt.Paper != Letter {
		opt.Paper = A4
	}
	p := newPress(opt)
	lang, _ := words.Language(opt.Lang)
	size := sheets[opt.Paper]
	const margin, head, rowTall, perPage = 15.0, 34.0, 8.4, 26
	in := size.width - 2*margin
	total := max(1, (len(cards)+perPage-1)/perPage)
	p.out.Paper = opt.Paper
	for page := range total {
		if err := ctx.Err(); err != nil {
			return File{}, err
		}
		p.one.Reset()
		pen := p.newPen(&p.one, 0, 0, size.height, size.width, lang.Tag())
		if err := pen.listHead(names, page, total, margin, in, head); err != nil {
			return File{}, err
		}
		for i := page * perPage; i < min(len(cards), (page+1)*perPage); i++ {
			y := head + float64(i-page*perPage)*rowTall
			if err := pen.listRow(&cards[i], i+1, names, margin, y, in, rowTall); err != nil {
				return File{}, err
			}
		}
		p.pdf.AddPage(size.width*pdf.MM, size.height*pdf.MM, &p.one)
	}
	p.out.PDF, p.out.Pages = p.pdf.Bytes(), total
	return p.out, nil
}

// Columns of the list, from its start: running number, card number, number in the
// list it came from, name, ticks.
const (
	listNumber = 12.0
	listOwn    = 51.0
	listName   = 74.0
	listTick   = 22.0 // width of each of the last three
)

func (p *pen) listHead(names bool, page, total int, margin, in, head float64) error {
	w := p.words
	if _, err := p.label(w.Text("print.list"), style{weight: fonts.Bold, size: 15}, margin, 16, in-40); err != nil {
		return err
	}
	if _, err := p.label(w.Fill("print.page", "n", strconv.Itoa(page+1), "total", strconv.Itoa(total)), style{size: 8, align: end, ink: p.ink}, margin+in-40, 16, 40); err != nil {
		return err
	}
	if _, err := p.label(w.Text("print.list_help"), style{size: 8, floor: 6.5, lines: 2, ink: p.ink}, margin, 22, in); err != nil {
		return err
	}
	small := style{size: 7.5, floor: 6}
	if _, err := p.label(w.Text("print.number"), small, margin+listNumber, head-2, listOwn-listNumber); err != nil {
		return err
	}
	if _, err := p.label(w.Text("print.list_own"), small, margin+listOwn, head-2, listName-listOwn-2); err != nil {
		return err
	}
	if names {
		if _, err := p.label(w.Text("print.list_name"), small, margin+listName, head-2, in-listName-3*listTick); err != nil {
			return err
		}
	}
	small.align = middle
	for i, key := range []string{"print.list_given", "print.list_unclaimed", "print.list_spoiled"} {
		if _, err := p.label(w.Text(key), small, margin+in-float64(3-i)*listTick, head-2, listTick); err != nil {
			return err
		}
	}
	p.rule(margin, head, in, 0, 0)
	return nil
}

func (p *pen) listRow(c *Card, n int, names bool, margin, y, in, tall float64) error {
	base := y + tall*0.66
	if len(c.Number) != 11 {
		p.out.Stopped = append(p.out.Stopped, Note{c.ID, c.Unit, "its card number is not 11 letters and digits"})
		return nil
	}
	if _, err := p.label(strconv.Itoa(n), style{size: 8, ink: p.ink}, margin, base, listNumber-2); err != nil {
		return err
	}
	if _, err := p.number(c.Number, style{weight: fonts.Bold, size: 11}, margin+listNumber, base, listOwn-listNumber-2); err != nil {
		return err
	}
	if c.External != "" {
		s := style{size: 9, floor: 5.5, lines: 2}
		b, err := p.block(c.External, s, listName-listOwn-2, false)
		if err == nil {
			at := base
			if len(b.Lines) > 1 {
				at = y + tall*0.42
			}
			_, err = p.draw(b, s, margin+listOwn, at, listName-listOwn-2)
		}
		if err != nil {
			p.out.Stopped = append(p.out.Stopped, Note{c.ID, c.Unit, "its number in the list cannot be printed: " + holders(err).Error()})
		}
	}
	if names && c.Where != "" {
		width := in - listName - 3*listTick - 2
		s := style{size: 7, floor: 5, ink: p.ink}
		if b, err := p.block(c.Where, s, width, false); err == nil {
			if _, err := p.draw(b, s, margin+listName, y+tall*0.86, width); err != nil {
				return err
			}
		} else {
			p.out.Stopped = append(p.out.Stopped, Note{c.ID, c.Unit, "where they stay cannot be printed: " + holders(err).Error()})
		}
	}
	if names && c.Name != "" {
		width := in - listName - 3*listTick - 2
		s, at := style{size: 10, one: 8, floor: 6, lines: 2}, base
		if c.Where != "" {
			s, at = style{size: 9.5, floor: 5.5}, y+tall*0.48
		}
		b, err := p.block(c.Name, s, width, false)
		if err == nil && len(b.Lines) > 1 {
			if s.size = 7.5; b.Size > s.size {
				b, err = p.block(c.Name, s, width, false)
			}
			at = y + tall*0.42
		}
		if err != nil {
			p.out.Stopped = append(p.out.Stopped, Note{c.ID, c.Unit, holders(err).Error()})
		} else if _, err := p.draw(b, s, margin+listName, at, width); err != nil {
			return err
		}
	}
	const box = 4.6
	p.c.Save()
	p.c.Gray(0)
	p.c.Pen(0.6, 0)
	for i := range 3 {
		x := margin + in - float64(3-i)*listTick + (listTick-box)/2
		p.c.RoundRect((p.left(x, box))*pdf.MM, (p.page-y-tall/2-box/2)*pdf.MM, box*pdf.MM, box*pdf.MM, 0.5*pdf.MM)
	}
	p.c.Stroke()
	p.c.Restore()
	p.rule(margin, y+tall, in, 0.75, 0)
	return nil
}
