package shape

import (
	"strings"
	"unicode"
	"unicode/utf8"

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
	// Words are broken only where they do not fit otherwise, in scripts that may.
	pieces := s.pieces(false)
	for inside := range 2 {
		if inside == 1 {
			if !unspaced(text) {
				break
			}
			pieces = s.pieces(true)
		}
		for size := room.Size; ; size = max(size-step, room.Floor) {
			lines, ok := s.wrap(pieces, room.Width/size*perEm)
			if ok && len(lines) <= room.Lines {
				return s.block(lines, size, w, d)
			}
			if size <= room.Floor {
				break
			}
		}
	}
	return s.cutBlock(pieces, room, w, d)
}

func fits(width int, size, room float64) bool { return float64(width)*size/perEm <= room }

// block sets lines, which are stretches of the text that was set last. A line that
// starts or ends inside a word is set anew: its letters may have been drawn as they
// are because of their neighbours. Others keep what the whole text gave them, of
// directions too.
func (s *setter) block(lines []stretch, size float64, w fonts.Weight, d Direction) (Block, error) {
	b := Block{Size: size, Lines: make([]Line, 0, len(lines))}
	var anew []int
	for i, l := range lines {
		b.Lines = append(b.Lines, s.part(l.from, s.trimmed(l), d == RTL))
		if s.inWord(l.from) || s.inWord(l.to) {
			anew = append(anew, i)
		}
	}
	for _, i := range anew {
		var err error
		if b.Lines[i], err = s.line(b.Lines[i].Text, w, d); err != nil {
			return b, err
		}
	}
	return b, nil
}

// inWord reports whether a line that ends at a character ends inside a word.
func (s *setter) inWord(at int) bool {
	return at > 0 && at < len(s.text) && s.text[at-1] != ' ' && unspaced(string(s.text[at-1:at+1]))
}

// cutBlock sets at the floor the lines that there is room for; what is left goes
// on the last, and each that is too wide is cut.
func (s *setter) cutBlock(pieces []stretch, room Room, w fonts.Weight, d Direction) (Block, error) {
	width := room.Width / room.Floor * perEm
	lines, _ := s.wrap(pieces, width)
	if len(lines) > room.Lines {
		lines[room.Lines-1].to = lines[len(lines)-1].to
		lines = lines[:room.Lines]
	}
	b, err := s.block(lines, room.Floor, w, d)
	for i := range b.Lines {
		if err == nil && float64(b.Lines[i].Width) > width {
			b.Lines[i], err = s.cut(b.Lines[i].Text, w, d, width)
			b.Cut = true
		}
	}
	return b, err
}

// A stretch is a part of the text that was set last, by its characters.
type stretch struct{ from, to int }

// trimmed is where l ends without the spaces at its end.
func (s *setter) trimmed(l stretch) int {
	for l.to > l.from && s.text[l.to-1] == ' ' {
		l.to--
	}
	return l.to
}

// pieces are the stretches between which a line may end, which is after a space or
// hyphen (UAX #14) and, inside words, after any syllable of Thai, Lao, Khmer and
// Burmese, which write no space between words.
func (s *setter) pieces(inside bool) []stretch {
	var all []stretch
	s.breaks.Init(s.text)
	for it := s.breaks.LineIterator(); it.Next(); {
		l := it.Line()
		from, to := l.Offset, l.Offset+len(l.Text)
		if inside && unspaced(string(l.Text)) {
			for _, c := range clusters(string(l.Text)) {
				n := utf8.RuneCountInString(c)
				all = append(all, stretch{from, from + n})
				from += n
			}
			continue
		}
		all = append(all, stretch{from, to})
	}
	return all
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
		if n := len(all); n > 0 && (stacks(all[n-1]) || ends(it.Grapheme().Text) || g == " ") {
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

// ends reports whether a cluster ends the syllable before it: a vowel sign that
// UAX #29 lets stand alone, or a Burmese consonant that has lost its vowel.
func ends(cluster []rune) bool {
	return unicode.Is(unicode.M, cluster[0]) || len(cluster) > 1 && (cluster[1] == 0x103A || cluster[1] == 0x1039)
}

// wrap fills lines of width thousandths. It is not ok when a piece is wider.
func (s *setter) wrap(pieces []stretch, width float64) (lines []stretch, ok bool) {
	ok = true
	for _, p := range pieces {
		ink := s.upTo[s.trimmed(p)]
		ok = ok && float64(ink-s.upTo[p.from]) <= width
		if n := len(lines); n > 0 && float64(ink-s.upTo[lines[n-1].from]) <= width {
			lines[n-1].to = p.to
			continue
		}
		lines = append(lines, p)
	}
	return lines, ok
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
