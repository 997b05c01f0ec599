package print

import (
	"context"
	"fmt"
	"time"

	"aidpass/credential"
	"aidpass/issuer/print/fonts"
	"aidpass/issuer/print/proof"
)

// A Badge is what stands on the badge of a volunteer: it lies on sheets as cards do.
type Badge struct {
	Text         string    // of the QR code
	Staff        string    // code, large
	Organisation string    // its name; may be empty
	Site         string    // empty: every site
	Lead         bool      // else a volunteer
	From, To     time.Time // first and last day, as the calendar at the site has them
	Opens        bool      // the code holds the operator's
	Lang         string    // empty: Options.Lang
}

// Badges draws badges, in their order, on sheets (A4 or Letter). Placed names each by
// its staff code.
//
// Errors: those of ctx; ErrTooMany; fonts.ErrNone; what a badge cannot be set with, or
// a code too large for it.
func Badges(ctx context.Context, badges []Badge, opt Options) (File, error) {
	if opt.Paper.perSheet() < 2 {
		return File{}, fmt.Errorf("print: badges lie on sheets: %s or %s", A4, Letter)
	}
	if len(badges) > MaxSheets*opt.Paper.perSheet() {
		return File{}, ErrTooMany
	}
	opt.Duplex = false
	p := newPress(opt)
	p.out.Paper = opt.Paper
	for i := range badges {
		if err := ctx.Err(); err != nil {
			return File{}, err
		}
		b := badges[i]
		if b.Lang == "" {
			b.Lang = opt.Lang
		}
		if err := p.badge(&b); err != nil {
			return File{}, fmt.Errorf("print: badge %q: %w", b.Staff, err)
		}
	}
	p.endSheet()
	if p.out.Pages = p.pdf.Pages(); p.out.Pages > 0 {
		p.out.PDF = p.pdf.Bytes()
	}
	return p.out, nil
}

// badge draws one badge in the next place of the sheet.
func (p *press) badge(b *Badge) error {
	s := sheets[p.opt.Paper]
	x, y := s.place(p.slot, false)
	p.one.Reset()
	pen := p.newPen(&p.one, x, y, s.height, cardWidth, b.Lang)
	placed, err := pen.badge(b)
	if err != nil {
		return err
	}
	p.front.Append(&p.one)
	p.put(&Card{ID: b.Staff, Text: b.Text}, placed)
	if p.slot++; p.slot == p.opt.Paper.perSheet() {
		p.endSheet()
	}
	return nil
}

// badge draws the face: the code where a card has it, the staff code large beside
// it, and below all that it is no card.
func (p *pen) badge(b *Badge) (proof.Placed, error) {
	placed, err := p.code(b.Text, codeX, 1.6, codeRoom, sheetDot)
	if err != nil {
		return placed, err
	}
	placed.Card = proof.Area{X: p.x0, Y: p.y0, Width: cardWidth, Height: cardHeight}
	role, site := "print.badge_volunteer", p.words.Text("print.badge_every")
	if b.Lead {
		role = "print.badge_lead"
	}
	if b.Site != "" {
		site = p.words.Fill("print.badge_site", "site", isolated(b.Site))
	}
	foot := "print.badge_lost"
	if b.Opens {
		foot = "print.badge_opens"
	}
	days := p.day(inUTC(b.From))
	lines := []string{days}
	if to := p.day(inUTC(b.To)); to != days {
		lines = []string{p.words.Fill("print.from", "date", days), p.words.Fill("print.until", "date", to)}
	}

	y := edge + 2.7
	if y, err = p.house(&Card{ID: b.Staff}, b.Organisation, style{weight: fonts.Bold, size: 7.5, floor: 5.5, lines: 2}, edge, y, column); err != nil {
		return placed, err
	}
	if y, err = p.label(p.words.Text(role), style{size: 9, floor: 6, ink: p.ink}, edge, y+1.5, column); err != nil {
		return placed, err
	}
	// As large as the longest code can be and still be read across a table.
	if _, err = p.label(isolated(b.Staff), style{weight: fonts.Bold, size: 26, floor: 8}, edge, max(y+6, 22), column); err != nil {
		return placed, err
	}
	// Its days are as large as each other, however long the months are called.
	days8 := style{weight: fonts.Bold, size: 8, floor: 5}
	for _, text := range lines {
		b, err := p.block(text, p.said(days8), column, true)
		if err != nil {
			return placed, fmt.Errorf("print: %q: %w", text, err)
		}
		days8.size = min(days8.size, b.Size)
	}
	y = 29.5
	for i, text := range append([]string{site}, lines...) {
		s := days8
		if i == 0 {
			s = style{weight: fonts.Bold, size: 8, floor: 5, lines: 2}
		}
		if y, err = p.label(text, s, edge, y, column); err != nil {
			return placed, err
		}
	}
	p.rule(edge, footRule, cardWidth-2*edge, 0.6, 0)
	if _, err = p.label(p.words.Text("print.badge"), style{weight: fonts.Bold, size: 6.5, floor: 5}, edge, footRule-1, column); err != nil {
		return placed, err
	}
	_, err = p.label(p.words.Text(foot), style{size: 7.2, floor: 5}, edge, footRule+3.5, cardWidth-2*edge)
	return placed, err
}

// inUTC is the day of t, as its own zone has it, for what writes days in UTC.
func inUTC(t time.Time) credential.Time {
	return credential.FromStd(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC))
}
