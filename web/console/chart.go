package console

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"aidpass/issuer/insight"
)

// Sizes of a drawing, in units of its own: at a phone's width a unit is a pixel.
const (
	chartWidth  = 320
	chartRow    = 44 // a line of words, and the bar under it
	chartBar    = 14
	chartNumber = 56 // room for a number at the end
)

// chart draws bars: one under another, from the side where the language begins, each with
// its words and number. Colours and their forced counterparts stand in the style sheet.
// The drawing has a title and says what it is of; its numbers are in the table beside it.
func (s *Reports) chart(p *Page, id string, head template.HTML, of, along, unit string, bars []bar) chart {
	c := chart{ID: id, Head: head, Of: of, Along: along, Unit: unit, Bars: bars, Empty: len(bars) == 0}
	for _, b := range bars {
		if b.Small && along == "reports.day" {
			c.Few++
		}
	}
	if c.Empty {
		return c
	}
	most := 1
	for _, b := range bars {
		most = max(most, b.Value)
	}
	rtl := p.Dir() == "rtl"
	place := func(x, width int) int { // of the side that is left, for what begins x from the start
		if rtl {
			return chartWidth - x - width
		}
		return x
	}
	at := func(x int) int { return place(x, 0) }
	var w strings.Builder
	name := id + "-" + template.HTMLEscapeString(fileName(of))
	fmt.Fprintf(&w, `<svg class="chart" role="img" aria-labelledby="%s-t %s-d" viewBox="0 0 %d %d" direction="%s"><title id="%s-t">%s</title><desc id="%s-d">%s</desc>`,
		name, name, chartWidth, chartRow*len(bars), p.Dir(), name, textOf(head), name, textOf(p.T("reports.desc", "count", len(bars))))
	for i, b := range bars {
		y := i * chartRow
		fmt.Fprintf(&w, `<text class="label" x="%d" y="%d">%s</text>`, at(0), y+15, isolate(b.Label))
		number := p.console.plainNumber(p.Lang, b.Value)
		width := b.Value * (chartWidth - chartNumber) / most
		switch {
		case b.None:
			number, width = p.Plain("reports.unknown"), 0
		case b.Small:
			number, width = "<"+p.console.plainNumber(p.Lang, insight.Threshold), 0
		}
		if width > 0 {
			fmt.Fprintf(&w, `<rect class="bar" x="%d" y="%d" width="%d" height="%d"/>`, place(0, width), y+22, width, chartBar)
		}
		fmt.Fprintf(&w, `<text class="count" x="%d" y="%d">%s</text>`, at(width+6), y+22+chartBar-1, isolate(number))
	}
	w.WriteString(`</svg>`)
	c.Says = template.HTML(w.String())
	return c
}

// isolate is text of a drawing, which knows no <bdi>, so that its direction is its own.
func isolate(s string) string { return "\u2068" + template.HTMLEscapeString(s) + "\u2069" }

// textOf is what T says, without its elements: a drawing's title is text.
func textOf(says template.HTML) string {
	var b strings.Builder
	inTag := false
	for _, r := range string(says) {
		switch {
		case r == '<':
			inTag = true
		case r == '>' && inTag:
			inTag = false
		case !inTag:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// plainNumber is a number as the language writes it, without elements.
func (s *Console) plainNumber(lang string, n int) string {
	return message.NewPrinter(languageTags[lang]).Sprint(number.Decimal(n))
}

// shortDay is a day as the page's language writes it, without elements.
func (p *Page) shortDay(t time.Time) string { return textOf(p.Date(t)) }
