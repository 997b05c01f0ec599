package print

import (
	"fmt"
	"strings"

	"aidpass/issuer/print/fonts"
	"aidpass/issuer/print/pdf"
)

// A Ticket is a slip by which somebody is found at a desk: her number and which desk, and
// nothing that tells whoever finds it who she is, what she gets or from whom (DOMAIN R24).
// It is no card and has no code.
type Ticket struct {
	Number    string // in the organisation's list
	Desk      string // where to come; may be empty
	Day       string // it was printed, as 2026-11-22
	Complaint string // whom to ask; empty: any help desk
}

// ticketWords are the words of a ticket. They stand here and not in package words, whose
// files every phone carries.
var ticketWords = map[string]struct{ number, desk, keep string }{
	"en": {"Your number", "Desk: {desk}", "Keep this paper. Say this number when you come to a desk. It is not a card: nothing is given out for it."},
	"fr": {"Votre numéro", "Guichet : {desk}", "Gardez ce papier. Dites ce numéro quand vous venez à un guichet. Ce n'est pas une carte : rien n'est remis contre ce papier."},
	"es": {"Su número", "Mesa: {desk}", "Guarde este papel. Diga este número cuando venga a una mesa. No es una tarjeta: no se entrega nada con él."},
	"ar": {"رقمك", "المكتب: {desk}", "احتفظ بهذه الورقة. اذكر هذا الرقم عند مجيئك إلى أي مكتب. هذه ليست بطاقة: لا يُصرف بها شيء."},
	"sw": {"Namba yako", "Dawati: {desk}", "Tunza karatasi hii. Taja namba hii ukija kwenye dawati. Si kadi: hakuna kinachotolewa kwa karatasi hii."},
}

// ticketForm is how a ticket is set: sizes in points, the rest in millimetres.
type ticketForm struct{ margin, big, text, sign float64 }

var ticketForms = map[Paper]ticketForm{
	A4: {margin: 20, big: 40, text: 13, sign: 14}, Letter: {margin: 20, big: 40, text: 13, sign: 14},
	A6: {margin: 9, big: 28, text: 10, sign: 10}, Thermal80: {margin: 4, big: 26, text: 10, sign: 9}, Thermal58: {margin: 5, big: 18, text: 9, sign: 8},
}

// Tickets draws a ticket in the language and on the paper of opt: a page of A6, A4 or
// Letter, or as much of a roll as it needs.
//
// Errors: fonts.ErrNone; a desk or line of complaint that does not fit; a number of more
// than the paper's width.
func Tickets(t Ticket, opt Options) (File, error) {
	p := newPress(opt)
	size := sheets[opt.Paper]
	height := size.height
	if opt.Paper.thermal() { // once to learn how long it is
		used, err := p.ticket(&t, size.width, tallest)
		if err != nil {
			return File{}, err
		}
		height = used
	}
	p.one.Reset()
	if _, err := p.ticket(&t, size.width, height); err != nil {
		return File{}, err
	}
	p.pdf.AddPage(size.width*pdf.MM, height*pdf.MM, &p.one)
	p.out.Paper, p.out.PDF, p.out.Pages = opt.Paper, p.pdf.Bytes(), p.pdf.Pages()
	return p.out, nil
}

// ticket draws a ticket on a page, and returns how much of it was used.
func (p *press) ticket(t *Ticket, width, height float64) (float64, error) {
	form := ticketForms[p.opt.Paper]
	pen := p.newPen(&p.one, 0, 0, height, width, p.opt.Lang)
	said, ok := ticketWords[pen.words.Tag()]
	if !ok {
		said = ticketWords["en"]
	}
	in := width - 2*form.margin
	y := form.margin
	if err := pen.sign(form.margin, y, form.sign); err != nil {
		return 0, err
	}
	y += form.sign + form.text/pdf.MM*1.6
	y, err := pen.label(said.number, style{size: form.text, ink: pen.ink}, form.margin, y, in)
	if err != nil {
		return 0, err
	}
	y += (form.big - form.text) / pdf.MM * 0.75
	if y, err = pen.signs(t.Number, style{weight: fonts.Bold, size: form.big, floor: 9}, form.margin, y, in); err != nil {
		return 0, fmt.Errorf("print: the number does not fit the paper: %w", err)
	}
	y += 2
	for _, line := range []struct {
		text string
		size float64
	}{{strings.ReplaceAll(said.desk, "{desk}", isolated(t.Desk)), form.text * 1.4}, {t.Day, form.text}, {said.keep, form.text}, {pen.complaint(&Card{Complaint: t.Complaint}), form.text}} {
		if line.text == "" || t.Desk == "" && line.size > form.text {
			continue
		}
		if y, err = pen.label(line.text, style{size: line.size, floor: line.size * 0.7, lines: 6}, form.margin, y, in); err != nil {
			return 0, err
		}
		y += 1.6
	}
	return y + form.margin - 2, nil
}
