package print

import (
	"context"
	"strings"
	"unicode"

	"aidpass/issuer/print/fonts"
	"aidpass/issuer/print/pdf"
	"aidpass/words"
)

// A Page is a text for one person, such as who looked at her record.
type Page struct {
	Title string
	Lead  []string    // paragraphs above the lines
	Lines [][2]string // what is told, and smaller beneath it what belongs to it; that may be empty
	Foot  []string    // paragraphs beneath the lines
}

// Pages draws a text on A4, or on Letter where opt says so, in the language of opt and
// on as many pages as it needs.
//
// Errors: those of ctx; fonts.ErrNone; a text of more than eight lines.
func Pages(ctx context.Context, page Page, opt Options) (File, error) {
	if opt.Paper != Letter {
		opt.Paper = A4
	}
	p := newPress(opt)
	lang, _ := words.Language(opt.Lang)
	size := sheets[opt.Paper]
	const margin, top, foot, between = 18.0, 20.0, 18.0, 1.6
	in := size.width - 2*margin
	p.out.Paper = opt.Paper
	y := top
	end := func() {
		p.pdf.AddPage(size.width*pdf.MM, size.height*pdf.MM, &p.one)
		p.one.Reset()
		y = top
	}
	pen := p.newPen(&p.one, 0, 0, size.height, size.width, lang.Tag())
	say := func(s style, texts ...string) error {
		s = pen.said(s)
		s.lines = 8
		for _, text := range texts {
			if text == "" {
				continue
			}
			text = steadied(text)
			b, err := p.block(text, s, in, false)
			if err != nil {
				return err
			}
			if y+height(b) > size.height-foot {
				end()
			}
			if y, err = pen.label(text, s, margin, y, in); err != nil {
				return err
			}
		}
		return nil
	}
	if err := say(style{weight: fonts.Bold, size: 16}, page.Title); err != nil {
		return File{}, err
	}
	y += 2
	if err := say(style{size: 10}, page.Lead...); err != nil {
		return File{}, err
	}
	y += 2
	for _, line := range page.Lines {
		if err := ctx.Err(); err != nil {
			return File{}, err
		}
		y += between
		if err := say(style{size: 10}, line[0]); err != nil {
			return File{}, err
		}
		if err := say(style{size: 8.5, ink: pen.ink}, line[1]); err != nil {
			return File{}, err
		}
	}
	y += 4
	if err := say(style{size: 10}, page.Foot...); err != nil {
		return File{}, err
	}
	end()
	p.out.PDF, p.out.Pages = p.pdf.Bytes(), p.pdf.Pages()
	return p.out, nil
}

// steadied puts marks around each word with a digit in it and no letter that runs from the
// right: a day, a number or a code keeps its order in any line.
func steadied(text string) string {
	all := strings.Split(text, " ")
	for i, word := range all {
		if !strings.ContainsFunc(word, unicode.IsDigit) || strings.ContainsFunc(word, func(r rune) bool { return unicode.In(r, unicode.Arabic, unicode.Hebrew) }) {
			continue
		}
		core := strings.TrimLeft(word, "(")
		before := word[:len(word)-len(core)]
		core = strings.TrimRight(core, ".,;:)،؛؟")
		all[i] = before + string(lri) + core + string(pdi) + word[len(before)+len(core):]
	}
	return strings.Join(all, " ")
}
