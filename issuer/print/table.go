package print

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"aidpass/issuer/print/fonts"
	"aidpass/issuer/print/pdf"
	"aidpass/words"
)

// A Table is rows under headings on A4 or Letter, on as many pages as it needs: a report,
// or a list that people fill in by hand.
type Table struct {
	Title   string
	Lead    []string // paragraphs above the rows, on the first page
	Columns []Column
	Rows    [][]string // a text for each column; what is left out is empty
	Totals  int        // so many of the last rows are sums
	Foot    []string   // paragraphs beneath the rows, on the last page
	Sign    string     // beneath a line to write on at the foot of each page; empty: there is none
	Wide    bool       // the paper lies on its side
	Tall    float64    // a row, in millimetres; 0: 7
}

// A Column of a Table.
type Column struct {
	Head   string
	Share  float64 // of the width, in comparison with the others
	Number bool    // ends under the end of its heading
	Box    bool    // a box to tick in each row, whatever the row says
	Line   bool    // a line to write on in each row, whatever the row says
}

// MaxRows of a Table, so that nothing without end is drawn.
const MaxRows = 20_000

// Where a Table stands on its paper, in millimetres.
const (
	tableMargin = 14.0
	tableTop    = 16.0
	tableFoot   = 14.0 // beneath everything
	tableSign   = 14.0 // for a signature above that
	tableHead   = 11.0 // the headings
	tableGap    = 3.0  // between columns
)

// Rows draws a table in the language of opt, page by page with its headings, and the number
// of the page and of all.
//
// Errors: those of ctx; fonts.ErrNone; too many rows; a heading or paragraph with no room. A
// cell with a letter that no typeface has stays empty: File.Stopped names its row, from 1.
func Rows(ctx context.Context, t Table, opt Options) (File, error) {
	if len(t.Rows) > MaxRows {
		return File{}, fmt.Errorf("print: %d rows, and %d are the most: make several files", len(t.Rows), MaxRows)
	}
	if opt.Paper != Letter {
		opt.Paper = A4
	}
	if t.Tall == 0 {
		t.Tall = 7
	}
	p := newPress(opt)
	p.out.Paper = opt.Paper
	lang, _ := words.Language(opt.Lang)
	size := sheets[opt.Paper]
	d := tableau{Table: t, width: size.width, height: size.height}
	if t.Wide {
		d.width, d.height = d.height, d.width
	}
	d.pen = p.newPen(&p.one, 0, 0, d.height, d.width, lang.Tag())
	d.bottom = d.height - tableFoot
	if t.Sign != "" {
		d.bottom -= tableSign
	}
	lead, err := d.tallOf(t.Lead, 9.5)
	if err != nil {
		return File{}, err
	}
	foot, err := d.tallOf(t.Foot, 9.5)
	if err != nil {
		return File{}, err
	}
	// Which rows stand on which page is known before any is drawn: each page says of how many.
	start := tableTop + 9 + lead
	cuts := []int{0}
	y := start + tableHead
	for i := range t.Rows {
		if y+t.Tall > d.bottom {
			cuts = append(cuts, i)
			y = tableTop + 4 + tableHead
		}
		y += t.Tall
	}
	footAt := y + 6
	if len(t.Foot) > 0 && footAt+foot > d.bottom {
		cuts = append(cuts, len(t.Rows))
	}
	for page, from := range cuts {
		if err := ctx.Err(); err != nil {
			return File{}, err
		}
		until := len(t.Rows)
		if page+1 < len(cuts) {
			until = cuts[page+1]
		}
		p.one.Reset()
		if err := d.page(page, len(cuts), from, until, start); err != nil {
			return File{}, err
		}
		p.pdf.AddPage(d.width*pdf.MM, d.height*pdf.MM, &p.one)
	}
	p.out.PDF, p.out.Pages = p.pdf.Bytes(), len(cuts)
	return p.out, nil
}

// tableau draws a Table.
type tableau struct {
	Table
	pen                   *pen
	width, height, bottom float64
}

func (d *tableau) in() float64 { return d.width - 2*tableMargin }

// paragraph sets a text over the whole width.
func (d *tableau) paragraph(text string, size float64) (*block, style, error) {
	s := d.pen.said(style{size: size, lines: 8})
	b, err := d.pen.block(steadied(text), s, d.in(), false)
	if err == nil && b.Cut {
		err = errors.New("too long for its place on the paper: shorten it")
	}
	if err != nil {
		err = fmt.Errorf("print: %q: %w", text, err)
	}
	return b, s, err
}

// tallOf is how much room paragraphs take.
func (d *tableau) tallOf(texts []string, size float64) (tall float64, err error) {
	for _, text := range texts {
		b, _, err := d.paragraph(text, size)
		if err != nil {
			return 0, err
		}
		tall += height(b)
	}
	return tall, nil
}

func (d *tableau) page(page, total, from, until int, start float64) error {
	pen := d.pen
	number := pen.words.Fill("print.page", "n", strconv.Itoa(page+1), "total", strconv.Itoa(total))
	y := tableTop
	if page == 0 {
		if _, err := pen.label(d.Title, style{weight: fonts.Bold, size: 15, floor: 9}, tableMargin, y, d.in()-44); err != nil {
			return err
		}
		y += 8
		if _, err := d.paragraphs(d.Lead, y); err != nil {
			return err
		}
		y = start
	} else {
		if _, err := pen.label(d.Title, style{size: 8.5, floor: 6, ink: pen.ink}, tableMargin, y, d.in()-44); err != nil {
			return err
		}
		y += 4
	}
	if _, err := pen.label(number, style{size: 8.5, align: end, ink: pen.ink}, tableMargin+d.in()-42, tableTop, 42); err != nil {
		return err
	}
	if from < until {
		if err := d.headings(y); err != nil {
			return err
		}
		y += tableHead
	}
	for i := from; i < until; i++ {
		if err := d.row(i, y); err != nil {
			return err
		}
		y += d.Tall
	}
	if page == total-1 {
		if _, err := d.paragraphs(d.Foot, y+6); err != nil {
			return err
		}
	}
	if d.Sign != "" {
		pen.rule(tableMargin, d.height-tableFoot-4, d.in()/2, 0, 0)
		if _, err := pen.label(d.Sign, style{size: 8.5, floor: 6, ink: pen.ink}, tableMargin, d.height-tableFoot, d.in()/2); err != nil {
			return err
		}
	}
	return nil
}

func (d *tableau) paragraphs(texts []string, y float64) (float64, error) {
	for _, text := range texts {
		b, s, err := d.paragraph(text, 9.5)
		if err != nil {
			return y, err
		}
		if y, err = d.pen.draw(b, s, tableMargin, y, d.in()); err != nil {
			return y, err
		}
	}
	return y, nil
}

// at is where a column begins, and how wide it is without the gap behind it.
func (d *tableau) at(column int) (x, width float64) {
	all, before := 0.0, 0.0
	for i := range d.Columns {
		if i < column {
			before += d.Columns[i].Share
		}
		all += d.Columns[i].Share
	}
	return tableMargin + d.in()*before/all, d.in()*d.Columns[column].Share/all - tableGap
}

func (d *tableau) headings(y float64) error {
	for i, c := range d.Columns {
		x, width := d.at(i)
		s := d.pen.said(style{weight: fonts.Bold, size: 8, floor: 5, lines: 2, align: c.align()})
		b, err := d.pen.block(c.Head, s, width, true)
		if err == nil && b.Cut {
			err = errors.New("too long for its column: shorten it")
		}
		if err != nil {
			return fmt.Errorf("print: %q: %w", c.Head, err)
		}
		if _, err := d.pen.draw(b, s, x, y+tableHead-2-float64(len(b.Lines)-1)*b.Size*leading/pdf.MM, width); err != nil {
			return err
		}
	}
	d.pen.rule(tableMargin, y+tableHead-0.6, d.in(), 0, 0)
	return nil
}

func (c *Column) align() align {
	switch {
	case c.Box:
		return middle
	case c.Number:
		return end
	}
	return start
}

func (d *tableau) row(n int, y float64) error {
	row := d.Rows[n]
	sum := n >= len(d.Rows)-d.Totals
	for i, c := range d.Columns {
		x, width := d.at(i)
		switch {
		case sum && (c.Box || c.Line):
			continue
		case c.Box:
			d.box(x, y, width)
			continue
		case c.Line:
			d.pen.rule(x, y+d.Tall*0.8, width, 0.5, 0)
			continue
		case i >= len(row) || row[i] == "":
			continue
		}
		s := style{size: min(12, d.Tall*1.35), floor: 5, lines: 2, align: c.align()}
		if s.one = s.size * 0.7; sum {
			s.weight = fonts.Bold
		}
		b, err := d.pen.block(steadied(row[i]), s, width, false)
		if err != nil {
			d.pen.out.Stopped = append(d.pen.out.Stopped, Note{Unit: strconv.Itoa(n + 1), Why: holders(err).Error()})
			continue
		}
		if len(b.Lines) > 1 {
			s.size = min(b.Size, d.Tall*0.95)
			if b, err = d.pen.block(steadied(row[i]), s, width, false); err != nil {
				return err
			}
		}
		line := b.Size * leading / pdf.MM
		at := y + d.Tall*0.66 - float64(len(b.Lines)-1)*line/2
		if _, err := d.pen.draw(b, s, x, at, width); err != nil {
			return err
		}
	}
	d.pen.rule(tableMargin, y+d.Tall, d.in(), 0.75, 0)
	return nil
}

// box draws one to tick in the middle of its column.
func (d *tableau) box(x, y, width float64) {
	box := min(5.4, d.Tall*0.62)
	at := d.pen.left(x+(width-box)/2, box)
	d.pen.c.Save()
	d.pen.c.Gray(0)
	d.pen.c.Pen(0.7, 0)
	d.pen.c.RoundRect(at*pdf.MM, (d.height-y-d.Tall/2-box/2)*pdf.MM, box*pdf.MM, box*pdf.MM, 0.5*pdf.MM)
	d.pen.c.Stroke()
	d.pen.c.Restore()
}
