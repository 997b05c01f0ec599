// Package shape turns text in any of the scripts that package fonts holds into
// glyphs and where they stand on a line.
//
// It knows directions (UAX #9), scripts, which face has which character, joining
// and reordering (OpenType, by go-text's port of HarfBuzz), and how text is broken
// into lines that fit. Paper, ink and words are for others. A character that no
// face has is an error: a name is printed whole or not at all.
//
// Measures are thousandths of the type size: a width of 2500 set at 8 points is
// 20 points. All functions may be called by several goroutines at once.
package shape

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/go-text/typesetting/bidi"
	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/segmenter"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"

	"aidpass/issuer/print/fonts"
)

// MaxRunes is the longest text that is shaped. No name and no sentence on paper
// comes near it.
const MaxRunes = 2000

// Direction is where a line starts.
type Direction uint8

const (
	Auto Direction = iota // as the first letter with a direction has it: for names
	LTR
	RTL
)

// A MissingGlyph says that no typeface has a character.
type MissingGlyph struct{ Rune rune }

func (e *MissingGlyph) Error() string { return fmt.Sprintf("shape: no typeface has U+%04X", e.Rune) }

// A Line is text set in one line.
type Line struct {
	Text   string  // what it says, in the order it is read, NFC
	Width  int     // thousandths of the size
	Glyphs []Glyph // from left to right, whatever the direction
	RTL    bool    // the line starts at the right
}

// A Glyph is one shape of a line.
type Glyph struct {
	ID   ID
	X, Y int // of its origin, from the line's left end and baseline; Y grows upwards
}

// An ID names a glyph of a face. Equal IDs are drawn alike.
type ID struct {
	Face  *fonts.Face
	Glyph font.GID
}

// setter has what shaping keeps between texts. Faces of go-text are not safe for
// concurrent use, so each goroutine borrows a setter.
type setter struct {
	faces    map[*fonts.Face]*font.Face
	shaper   shaping.HarfbuzzShaper
	bidi     bidi.Paragraph
	clusters segmenter.Segmenter
	breaks   segmenter.Segmenter

	// What line has set, until the next one: see part.
	text   []rune
	runs   []run // in the order of the text
	glyphs []placed
	upTo   []int // width of the text before each character, and of all of it
	order  []run // in the order of a line
}

// placed is a glyph of a run.
type placed struct {
	Glyph   // X from where the one before it ended
	advance int
	at      int // the first character that it stands for
}

var setters = sync.Pool{New: func() any { return &setter{faces: map[*fonts.Face]*font.Face{}} }}

// Set returns text set in one line. Line ends and tabs become spaces. Errors:
// *MissingGlyph, fonts.ErrNone, or a text over MaxRunes.
func Set(text string, w fonts.Weight, d Direction) (Line, error) {
	s := setters.Get().(*setter)
	defer setters.Put(s)
	return s.line(clean(text), w, d)
}

// clean makes one line of text, composed as the faces are. A no-break space stays.
// A dot over i goes, which has one: it is what is left of İ written small, and no
// face has it.
func clean(text string) string {
	space := func(r rune) bool { return r != '\u00a0' && unicode.IsSpace(r) }
	text = norm.NFC.String(strings.Join(strings.FieldsFunc(text, space), " "))
	return undotted.Replace(text)
}

var undotted = strings.NewReplacer("i\u0307", "i", "ị\u0307", "ị", "į\u0307", "į")

func (s *setter) line(text string, w fonts.Weight, d Direction) (Line, error) {
	l := Line{Text: text}
	s.text = append(s.text[:0], []rune(text)...)
	if len(s.text) == 0 {
		return l, nil
	}
	if len(s.text) > MaxRunes {
		return l, fmt.Errorf("shape: a text of %d characters: at most %d", len(s.text), MaxRunes)
	}
	base := [...]bidi.Direction{Auto: bidi.Neutral, LTR: bidi.LeftToRight, RTL: bidi.RightToLeft}[d]
	levels := s.bidi.Segment(s.text, base)
	s.runs, s.glyphs = s.runs[:0], s.glyphs[:0]
	lowest := bidi.Level(127)
	for i := range levels.NumRuns() {
		r := levels.Run(i)
		lowest = min(lowest, r.Level)
		if err := s.itemise(r.Start, r.End, r.Level, w); err != nil {
			return l, err
		}
	}
	for i := range s.runs {
		if err := s.place(&s.runs[i]); err != nil {
			return l, err
		}
	}
	s.upTo = append(s.upTo[:0], make([]int, len(s.text)+1)...)
	for i := range s.glyphs {
		s.upTo[s.glyphs[i].at+1] += s.glyphs[i].advance
	}
	for i := range s.text {
		s.upTo[i+1] += s.upTo[i]
	}
	whole := s.part(0, len(s.text), d == RTL || d == Auto && lowest >= 1)
	whole.Text = text
	return whole, nil
}

// part returns characters of the text that was set last as a line of their own.
func (s *setter) part(from, to int, rtl bool) Line {
	l := Line{Text: string(s.text[from:to]), RTL: rtl, Glyphs: make([]Glyph, 0, to-from)}
	s.order = s.order[:0]
	for i := range s.runs {
		if s.runs[i].start < to && s.runs[i].end > from {
			s.order = append(s.order, s.runs[i])
		}
	}
	reorder(s.order)
	for _, r := range s.order {
		for i := r.first; i < r.last; i++ {
			g := &s.glyphs[i]
			if g.at < from || g.at >= to {
				continue
			}
			if g.ID.Face != nil {
				l.Glyphs = append(l.Glyphs, Glyph{g.ID, l.Width + g.X, g.Y})
			}
			l.Width += g.advance
		}
	}
	return l
}

// reorder puts runs from logical into visual order: from the highest level to the
// lowest odd one, every stretch at that level or above is turned (UAX #9, L2).
func reorder(runs []run) {
	var highest bidi.Level
	for _, r := range runs {
		highest = max(highest, r.level)
	}
	for level := highest; level >= 1; level-- {
		for i := 0; i < len(runs); i++ {
			from := i
			for i < len(runs) && runs[i].level >= level {
				i++
			}
			slices.Reverse(runs[from:i])
		}
	}
}

// perEm is the size texts are shaped at, so that results are thousandths.
const perEm = 1000

// place shapes a run.
func (s *setter) place(r *run) error {
	face, err := s.face(r.face)
	if err != nil {
		return err
	}
	direction := di.DirectionLTR
	if r.level%2 == 1 {
		direction = di.DirectionRTL
	}
	out := s.shaper.ShapeNoExtents(shaping.Input{
		Text: s.text, RunStart: r.start, RunEnd: r.end, Direction: direction,
		Face: face, Size: fixed.I(perEm), Script: r.script, Language: languageOf(r.script),
	})
	r.first = len(s.glyphs)
	for i := range out.Glyphs {
		g := &out.Glyphs[i]
		p := placed{advance: g.Advance.Round(), at: g.TextIndex()}
		if g.GlyphID == 0 && !invisible(s.text[p.at]) {
			return &MissingGlyph{s.text[p.at]}
		}
		if g.GlyphID != 0 && !blank(face, g.GlyphID) {
			p.Glyph = Glyph{ID{r.face, g.GlyphID}, g.XOffset.Round(), g.YOffset.Round()}
		}
		s.glyphs = append(s.glyphs, p)
	}
	r.last = len(s.glyphs)
	return nil
}

// blank reports whether a glyph leaves no ink, as a space.
func blank(face *font.Face, g font.GID) bool {
	extents, ok := face.GlyphExtents(g)
	return ok && extents.Width == 0 && extents.Height == 0
}

// face returns this setter's own view of a face.
func (s *setter) face(f *fonts.Face) (*font.Face, error) {
	if face, ok := s.faces[f]; ok {
		return face, nil
	}
	parsed, err := f.Open()
	if err != nil {
		return nil, err
	}
	face := font.NewFace(parsed)
	s.faces[f] = face
	return face, nil
}
