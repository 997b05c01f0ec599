// Package print lays cards out on paper: sheets of ID-1 cards, A6 slips, slips for
// 58 and 80 mm thermal printers, a list for the hand-over and a page to test the
// printer with, each as a PDF file.
//
// The face of a card is neutral (DOMAIN 8.2 R24): a number, a sign that means
// nothing, dates, whom to ask. A name and a photograph stand on it when the holder
// chose that, and that is for the caller to know. A card that cannot be printed
// whole, because no typeface has a letter of the name or its code is too large for
// the paper, is left out and named by its ids; the others are printed.
//
// Nothing drawn here leaves before Release has had the finished bytes drawn and
// read again by package proof. What is printed is written down by the caller
// (issuer.Desk.RecordPrint): a second print of a card is a replacement.
package print

import (
	"context"
	"errors"
	"fmt"

	"aidpass/credential"
	"aidpass/internal/qrcode"
	"aidpass/issuer/print/pdf"
	"aidpass/issuer/print/proof"
	"aidpass/issuer/print/shape"
	"aidpass/words"
)

// A Card is what stands on one card.
type Card struct {
	ID   string // the credential's, for errors and the print log
	Unit string // whose it is, for errors

	Text       string // of the QR code
	Number     string // eleven letters and digits: see cwt.CardNumber
	ValidFrom  credential.Time
	ValidUntil credential.Time // the first second at which it is over

	Name  string // empty unless the holder chose to have it printed
	Photo []byte // JPEG; empty unless the holder chose it; printed in grey, not on thermal paper

	Organisation, Programme string // left out under Options.Plain; may be empty
	Complaint               string // how to reach somebody, in a line; empty: any help desk
	Lang                    string // of the card (en, fr, es, ar, sw); empty: Options.Lang
	Boxes                   int    // to mark collections in, 0 to MaxBoxes
	Size                    bool   // the code tells how many the household are
	Provisional             bool   // it ends early, until the registration is complete: a slip says whom to see by when, never why
	External                string // number in the list that it came from; on the list for the hand-over alone; may be empty
	Where                   string // household and place, beneath the name on the list for the hand-over alone; may be empty
	PIN                     string // six digits, printed on a part of a slip that is torn off; never on a card
}

// MaxBoxes fit on a card.
const MaxBoxes = 12

// Options say how cards are printed.
type Options struct {
	Paper  Paper
	Duplex bool // backs, for sheets turned over their long edge; A4 and Letter
	Plain  bool // leave organisation and programme off
	Lang   string
	// Progress is told how many of the cards are drawn; may be nil.
	Progress func(done, total int)
}

// A File is cards on paper.
type File struct {
	PDF     []byte
	Paper   Paper
	Duplex  bool
	Pages   int
	Placed  []proof.Placed // every code, in the order of the cards
	Stopped []Note         // cards that are not in the file
	Warned  []Note         // cards that are, and could be better
}

// A Note says something about one card, without its holder's data.
type Note struct{ CardID, Unit, Why string }

func (n Note) String() string { return fmt.Sprintf("card %s of %s: %s", n.CardID, n.Unit, n.Why) }

// Errors of Cards.
var (
	ErrPIN     = errors.New("print: a PIN on the card itself would protect nothing: print PINs on slips (a6, 58 or 80)")
	ErrTooMany = errors.New("print: too many cards for one file: see Split")
)

// MaxSheets of a file: what a printer and a viewer still like.
const MaxSheets = 500

// Split cuts cards into as many files as they need, in their order.
func Split(cards []Card, p Paper) [][]Card {
	var files [][]Card
	for most := MaxSheets * p.perSheet(); len(cards) > most; cards = cards[most:] {
		files = append(files, cards[:most])
	}
	return append(files, cards)
}

// Cards draws cards, in their order, on the paper of opt. The same cards and
// options give the same bytes.
//
// Errors: those of ctx; ErrPIN; ErrTooMany; fonts.ErrNone; a *shape.MissingGlyph in
// words that are not a holder's (organisation, complaint line). What is wrong with
// one card is in File.Stopped.
func Cards(ctx context.Context, cards []Card, opt Options) (File, error) {
	if opt.Paper >= papers {
		return File{}, fmt.Errorf("print: paper %d does not exist", opt.Paper)
	}
	if len(cards) > MaxSheets*opt.Paper.perSheet() {
		return File{}, ErrTooMany
	}
	p := newPress(opt)
	if opt.Duplex && opt.Paper.perSheet() > 1 {
		p.pdf.Duplex()
	}
	p.out.Paper, p.out.Duplex = opt.Paper, opt.Duplex
	for i := range cards {
		if err := ctx.Err(); err != nil {
			return File{}, err
		}
		c := cards[i]
		if c.Lang == "" {
			c.Lang = opt.Lang
		}
		if opt.Plain {
			c.Organisation, c.Programme = "", ""
		}
		c.Boxes = max(0, min(c.Boxes, MaxBoxes))
		err := p.card(&c)
		var stop *stopped
		switch {
		case errors.As(err, &stop):
			p.out.Stopped = append(p.out.Stopped, Note{c.ID, c.Unit, stop.why})
		case err != nil:
			return File{}, err
		}
		if opt.Progress != nil {
			opt.Progress(i+1, len(cards))
		}
	}
	p.endSheet()
	p.out.Pages = p.pdf.Pages()
	if p.out.Pages > 0 {
		p.out.PDF = p.pdf.Bytes()
	}
	return p.out, nil
}

// stopped says why a card is not printed. The run goes on.
type stopped struct{ why string }

func (s *stopped) Error() string { return s.why }

// press is a file being drawn.
type press struct {
	pdf   *pdf.File
	opt   Options
	out   File
	fixed map[fixedKey]*block   // labels, which many cards share
	forms map[shape.ID]pdf.Form // glyphs
	drawn map[drawing]pdf.Form
	days  map[days][]string
	asks  map[[2]string]string // complaint lines, by language and what they say
	told  bool                 // that a name of a house is cut

	front, back pdf.Content // pages being filled; back only of duplex sheets
	slot        int         // cards on the sheet so far
	one         pdf.Content // the card being drawn: dropped when it is stopped
	oneBack     pdf.Content
}

func newPress(opt Options) *press {
	lang, _ := words.Language(opt.Lang)
	return &press{pdf: pdf.New(lang.Tag(), "Cards"), opt: opt, fixed: map[fixedKey]*block{}, forms: map[shape.ID]pdf.Form{}, drawn: map[drawing]pdf.Form{}, days: map[days][]string{}, asks: map[[2]string]string{}}
}

// card draws c in the next place.
func (p *press) card(c *Card) error {
	if len(c.Number) != 11 {
		return &stopped{"its card number is not 11 letters and digits"}
	}
	if p.opt.Paper.perSheet() == 1 {
		return p.slip(c)
	}
	if c.PIN != "" {
		return ErrPIN
	}
	var size *qrcode.SizeError
	if err := qrcode.CheckID1(c.Text); errors.As(err, &size) {
		if size.Refused {
			return &stopped{fmt.Sprintf("its code has %d characters, over the %d that fit a card: print it on an A6 slip", size.Chars, size.Limit)}
		}
		p.out.Warned = append(p.out.Warned, Note{c.ID, c.Unit, fmt.Sprintf("its code has %d characters: old phones read %d with ease", size.Chars, size.Limit)})
	}
	return p.onSheet(c)
}

// holders is what becomes of a failure to set a holder's own text.
func holders(err error) error {
	var missing *shape.MissingGlyph
	if errors.As(err, &missing) {
		return &stopped{fmt.Sprintf("U+%04X cannot be printed: no typeface has it", missing.Rune)}
	}
	return err
}
