package print

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/issuer/print/pdf"
	"aidpass/issuer/print/shape"
)

// Marks that keep a part whole in a line from the other side (UAX #9): without them
// "+254 700 111" would be read from its last group in a line from the right.
const (
	lri = '\u2066' // what follows runs from the left
	fsi = '\u2068' // what follows runs as its first letter does
	pdi = '\u2069'

	joiner = '\u2060' // no line ends here
	steers = string(lri) + string(fsi) + string(pdi) + string(joiner)
)

// longestNumber is kept on one line: groups of digits behind one another may as
// well be several numbers.
const longestNumber = 20

// isolated puts marks around text, and inside it around each stretch of digits with
// what joins them in a telephone number or a time, so that both keep their order in
// any line. A number does not go on in the next line. Marks of the text's own that turn
// what stands around them are left out.
func isolated(text string) string {
	var b strings.Builder
	b.WriteRune(fsi)
	number, held := "", "" // held goes into the number only if another digit follows
	end := func() {
		if number != "" {
			if utf8.RuneCountInString(number) <= longestNumber {
				number = strings.NewReplacer(" ", "\u00a0", "–", "–"+string(joiner)).Replace(number)
			}
			b.WriteRune(lri)
			b.WriteString(number)
			b.WriteRune(pdi)
		}
		b.WriteString(held)
		number, held = "", ""
	}
	for _, r := range text {
		switch {
		case r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069': // UAX #9: embeddings, overrides, isolates
		case unicode.IsDigit(r):
			number += held + string(r)
			held = ""
		case number != "" && strings.ContainsRune(" -–/().:", r):
			held += string(r)
		case r == '+':
			end()
			number = "+"
		default:
			end()
			b.WriteRune(r)
		}
	}
	end()
	b.WriteRune(pdi)
	return b.String()
}

// complaint is the line that says whom to ask.
func (p *pen) complaint(c *Card) string {
	if c.Complaint == "" {
		return p.words.Text("print.complaint_desk")
	}
	key := [2]string{p.words.Tag(), c.Complaint}
	line, ok := p.asks[key]
	if !ok {
		line = p.words.Fill("print.complaint", "line", isolated(c.Complaint))
		if len(p.asks) < maxCached {
			p.asks[key] = line
		}
	}
	return line
}

// square says what anybody can read in the code.
func (p *pen) square(c *Card) string {
	if c.Size {
		return p.words.Text("print.square_size")
	}
	return p.words.Text("print.square")
}

// day writes the day of t, in UTC, in words: no order of numbers is to be guessed.
func (p *pen) day(t credential.Time) string {
	d := t.Std()
	text := p.words.Fill("print.date", "day", strconv.Itoa(d.Day()), "year", strconv.Itoa(d.Year()),
		"month", p.words.Text("print.month."+strconv.Itoa(int(d.Month()))))
	return strings.ReplaceAll(text, " ", "\u00a0") // a line breaks before a date, not in it
}

// completeWords are the words of a provisional card's slip, beside the words of every card,
// which every phone carries. They ask the holder to come, and never say what is missing.
var completeWords = map[string]string{
	"en": "Come to any help desk before {date} so that we can complete your registration.",
	"fr": "Venez à un bureau d'aide avant le {date} pour que nous puissions compléter votre enregistrement.",
	"es": "Acuda a cualquier mesa de ayuda antes del {date} para que podamos completar su registro.",
	"ar": "تعال إلى أي مكتب مساعدة قبل {date} لكي نستكمل تسجيلك.",
	"sw": "Njoo kwenye dawati lolote la msaada kabla ya {date} ili tukamilishe usajili wako.",
}

// complete asks the holder of a provisional card to come before it ends, on the last day
// that it holds; empty for every other card.
func (p *pen) complete(c *Card) string {
	if !c.Provisional || c.ValidUntil == 0 {
		return ""
	}
	said, ok := completeWords[p.words.Tag()]
	if !ok {
		said = completeWords["en"]
	}
	return strings.ReplaceAll(said, "{date}", p.day(c.ValidUntil-1))
}

// days are the dates of cards: those of a batch are the same.
type days struct {
	lang        string
	from, until credential.Time
}

// dates are the two lines that say when the card is valid; the last day is the
// one before it ends at midnight. An unknown date has no line.
func (p *pen) dates(c *Card) (lines []string) {
	key := days{p.words.Tag(), c.ValidFrom, c.ValidUntil}
	if lines, ok := p.days[key]; ok {
		return lines
	}
	defer func() {
		if len(p.days) < maxCached {
			p.days[key] = lines
		}
	}()
	if c.ValidFrom != 0 {
		lines = append(lines, p.words.Fill("print.from", "date", p.day(c.ValidFrom)))
	}
	if c.ValidUntil != 0 {
		lines = append(lines, p.words.Fill("print.until", "date", p.day(c.ValidUntil-1)))
	}
	return lines
}

// number draws a card number in groups, always from the left: it is typed so. Its
// letters are set one by one: every card has another number and all have the same
// letters, and nothing is to pull two of them together.
func (p *pen) number(number string, s style, x, y, width float64) (float64, error) {
	return p.signs(cwt.GroupCardNumber(number), s, x, y, width)
}

// signs draws a number as it is, from the left, as large as fits.
func (p *pen) signs(number string, s style, x, y, width float64) (float64, error) {
	s.from = shape.LTR
	var line shape.Line
	for _, r := range number {
		b, err := p.block(string(r), style{weight: s.weight, size: 10, from: shape.LTR}, 100, true)
		if err != nil {
			return y, err
		}
		line.Text += string(r)
		for _, l := range b.Lines {
			for _, g := range l.Glyphs {
				g.X += line.Width
				line.Glyphs = append(line.Glyphs, g)
			}
			line.Width += l.Width
		}
	}
	size := min(s.size, width*pdf.MM*1000/float64(line.Width))
	if size < s.floor {
		return y, fmt.Errorf("print: a number does not fit %g mm", width)
	}
	return p.draw(&block{Block: shape.Block{Lines: []shape.Line{line}, Size: size}}, s, x, y, width)
}
