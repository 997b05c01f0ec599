package shape

import (
	"strings"

	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/segmenter"

	"aidpass/issuer/print/fonts"
)

// A Room is where a text has to fit.
type Room struct {
	Width float64 // points
	Lines int     // at most; 1 or more
	// Size is the type size wished for and Floor the smallest one that is still
	// legible, in points. Between them the text shrinks until it fits.
	Size, Floor float64
	// OneLine is the size down to which a text is kept on one line before it takes
	// more; 0: Size.
	OneLine float64
}

// A Block is a text set in one or more lines of one size.
type Block struct {
	Lines []Line
	Size  float64 // points
	Cut   bool    // the text did not fit at the floor: its end is an ellipsis
}

// step is how finely a text shrinks, in points.
const step = 0.25

// Fit sets text in room: at the wished size if it fits, else smaller, else over
// more lines and smaller, and at the floor its end is cut off and an ellipsis
// stands for it. A line is broken where Unicode allows (UAX #14), a text cut
// between clusters (UAX #29), so that no letter loses its mark.
//
// Errors are those of Set.
func Fit(text string, w fonts.Weight, d Direction, room Room) (Block, error) {
	s := setters.Get().(*setter)
	defer setters.Put(s)
	text = clean(text)
	whole, err := s.line(text, w, d)
	if err != nil || len(whole.Glyphs) == 0 {
		return Block{Size: room.Size}, err
	}
	if d == Auto { // the parts of a broken text start where the whole does
		d = LTR
		if whole.RTL {
			d = RTL
		}
	}
	if fits(whole.Width, room.Size, room.Width) {
		return Block{Lines: []Line{whole}, Size: room.Size}, nil
	}
	least := room.Floor
	if room.Lines > 1 {
		least = room.OneLine
	}
	if size := room.Width / float64(whole.Width) * perEm; least > 0 && size >= least {
		return Block{Lines: []Line{whole}, Size: size}, nil
	}
	if room.Lines <= 1 {
		cut, err := s.cut(text, w, d, room.Width/room.Floor*perEm)
		return Block{Lines: []Line{cut}, Size: room.Floor, Cut: true}, err
	}
	pieces, err := s.pieces(text, w, d)
	if err != nil {
		return Block{}, err
	}
	size := room.Size
	for {
		width := room.Width / size * perEm
		lines, ok := wrap(pieces, width)
		if ok && len(lines) <= room.Lines {
			return s.block(lines, size, w, d)
		}
		if size == room.Floor {
			return s.cutBlock(lines, size, w, d, room.Lines, width)
		}
		size = max(size-step, room.Floor)
	}
}

func fits(width int, size, room float64) bool { return float64(width)*size/perEm <= room }

func (s *setter) block(lines []string, size float64, w fonts.Weight, d Direction) (Block, error) {
	b := Block{Size: size}
	for _, text := range lines {
		l, err := s.line(strings.TrimSpace(text), w, d)
		if err != nil {
			return b, err
		}
		b.Lines = append(b.Lines, l)
	}
	return b, nil
}

// cutBlock sets the lines that there is room for; what is left goes on the last,
// and each that is too wide is cut.
func (s *setter) cutBlock(lines []string, size float64, w fonts.Weight, d Direction, most int, width float64) (Block, error) {
	if len(lines) > most {
		lines = append(lines[:most-1], strings.Join(lines[most-1:], ""))
	}
	b, err := s.block(lines, size, w, d)
	for i := range b.Lines {
		if err == nil && float64(b.Lines[i].Width) > width {
			b.Lines[i], err = s.cut(lines[i], w, d, width)
			b.Cut = true
		}
	}
	return b, err
}

// A piece is a stretch of text that is not broken. Its width is with and without
// the space at its end.
type piece struct {
	text      string
	full, ink int
}

// pieces cuts text where a line may end. Thai, Lao, Khmer and Burmese write no
// space between words; without their dictionaries a line may end after any cluster.
func (s *setter) pieces(text string, w fonts.Weight, d Direction) ([]piece, error) {
	var all []piece
	var breaks segmenter.Segmenter
	breaks.Init([]rune(text))
	for it := breaks.LineIterator(); it.Next(); {
		line := string(it.Line().Text)
		parts := []string{line}
		if unspaced(line) {
			parts = clusters(line)
		}
		for _, part := range parts {
			full, err := s.line(part, w, d)
			if err != nil {
				return nil, err
			}
			p := piece{part, full.Width, full.Width}
			if trimmed := strings.TrimRight(part, " "); trimmed != part {
				ink, err := s.line(trimmed, w, d)
				if err != nil {
					return nil, err
				}
				p.ink = ink.Width
			}
			all = append(all, p)
		}
	}
	return all, nil
}

func unspaced(text string) bool {
	for _, r := range text {
		switch language.LookupScript(r) {
		case language.Thai, language.Lao, language.Khmer, language.Myanmar:
			return true
		}
	}
	return false
}

// clusters cuts text into what readers take for letters (UAX #29). Marks that a
// Brahmic syllable hangs on the letter before stay with it.
func clusters(text string) []string {
	var all []string
	var letters segmenter.Segmenter
	letters.Init([]rune(text))
	for it := letters.GraphemeIterator(); it.Next(); {
		g := string(it.Grapheme().Text)
		if n := len(all); n > 0 && (stacks(all[n-1]) || g == " ") {
			all[n-1] += g
			continue
		}
		all = append(all, g)
	}
	return all
}

// stacks reports whether a cluster ends in a sign that puts the next letter below
// it (Burmese and Khmer), or in a vowel written before its letter (Thai and Lao).
func stacks(cluster string) bool {
	r := []rune(cluster)
	last := r[len(r)-1]
	return last == 0x1039 || last == 0x17D2 || last >= 0xE40 && last <= 0xE44 || last >= 0xEC0 && last <= 0xEC4
}

// wrap fills lines of width thousandths. It is not ok when a piece is wider.
func wrap(pieces []piece, width float64) (lines []string, ok bool) {
	var line strings.Builder
	used := 0
	ok = true
	for _, p := range pieces {
		if line.Len() > 0 && float64(used+p.ink) > width {
			lines = append(lines, line.String())
			line.Reset()
			used = 0
		}
		ok = ok && float64(p.ink) <= width
		line.WriteString(p.text)
		used += p.full
	}
	return append(lines, line.String()), ok
}

// cut returns as much of text as fits width thousandths with an ellipsis after it.
func (s *setter) cut(text string, w fonts.Weight, d Direction, width float64) (Line, error) {
	letters := clusters(text)
	// The longest that fits, by halving: more letters are never narrower.
	low, high := 0, len(letters)-1
	best, err := s.line("…", w, d)
	for low <= high && err == nil {
		middle := (low + high + 1) / 2
		var l Line
		l, err = s.line(strings.TrimSpace(strings.Join(letters[:middle], ""))+"…", w, d)
		if float64(l.Width) <= width {
			best, low = l, middle+1
		} else {
			high = middle - 1
		}
	}
	return best, err
}
