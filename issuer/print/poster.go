package print

import (
	"context"
	"errors"
	"fmt"

	"aidpass/issuer/print/fonts"
	"aidpass/issuer/print/pdf"
	"aidpass/words"
)

// Poster draws a heading and paragraphs on one page of A4, or of Letter where opt says so, as
// large as they fit: to be read on a wall, in the language of opt.
//
// Errors: those of ctx; fonts.ErrNone; a text that does not fit in letters that are read on a
// wall.
func Poster(ctx context.Context, title string, texts []string, opt Options) (File, error) {
	if opt.Paper != Letter {
		opt.Paper = A4
	}
	size := sheets[opt.Paper]
	const margin, least = 20.0, 14.0
	p := newPress(opt)
	p.out.Paper = opt.Paper
	lang, _ := words.Language(opt.Lang)
	pen := p.newPen(&p.one, 0, 0, size.height, size.width, lang.Tag())
	all := append([]string{title}, texts...)
	for points := 34.0; points >= least; points -= 2 {
		if err := ctx.Err(); err != nil {
			return File{}, err
		}
		tall := 0.0
		var blocks []*block
		var styles []style
		for i, text := range all {
			s := pen.said(style{size: points, lines: 12})
			if i == 0 {
				s.weight, s.size = fonts.Bold, points*1.5
			}
			b, err := p.block(steadied(text), s, size.width-2*margin, false)
			if err != nil {
				return File{}, fmt.Errorf("print: %q: %w", text, err)
			}
			if b.Cut {
				tall = size.height
			}
			tall += height(b) + points/2/pdf.MM
			blocks, styles = append(blocks, b), append(styles, s)
		}
		if tall > size.height-2*margin {
			continue
		}
		y := margin + points*1.2/pdf.MM
		for i, b := range blocks {
			var err error
			if y, err = pen.draw(b, styles[i], margin, y, size.width-2*margin); err != nil {
				return File{}, err
			}
			y += points / 2 / pdf.MM
		}
		p.pdf.AddPage(size.width*pdf.MM, size.height*pdf.MM, &p.one)
		p.out.PDF, p.out.Pages = p.pdf.Bytes(), p.pdf.Pages()
		return p.out, nil
	}
	return File{}, errors.New("print: too long for one poster: shorten it")
}
