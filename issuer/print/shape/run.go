package shape

import (
	"unicode"

	"github.com/go-text/typesetting/bidi"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/language"
	"golang.org/x/text/unicode/norm"

	"aidpass/issuer/print/fonts"
)

// A run is a stretch of text of one direction, script and face.
type run struct {
	start, end  int // in the text
	level       bidi.Level
	script      language.Script
	face        *fonts.Face
	first, last int // of its glyphs
}

// itemise adds the runs of text[start:end], which has one direction.
//
// A face is chosen for each cluster, never for a character: an accent drawn by
// another face than its letter would stand beside it. What belongs to no script
// (spaces, digits, stops, accents) goes with what stands before it, and at the
// start with what follows.
func (s *setter) itemise(start, end int, level bidi.Level, w fonts.Weight) error {
	first := len(s.runs)
	script := language.Common
	s.clusters.Init(s.text[start:end])
	for it := s.clusters.GraphemeIterator(); it.Next(); {
		g := it.Grapheme()
		for _, r := range g.Text {
			if own := language.LookupScript(r); own.Strong() {
				script = own
				break
			}
		}
		var current *fonts.Face
		if n := len(s.runs); n > first {
			current = s.runs[n-1].face
		}
		face, err := s.choose(g.Text, script, current, w)
		if err != nil {
			return err
		}
		at := start + g.Offset
		if n := len(s.runs); n > first && s.runs[n-1].face == face && (s.runs[n-1].script == script || s.runs[n-1].script == language.Common) {
			s.runs[n-1].end, s.runs[n-1].script = at+len(g.Text), script
			continue
		}
		s.runs = append(s.runs, run{start: at, end: at + len(g.Text), level: level, script: script, face: face})
	}
	return nil
}

// choose returns the face that has all of a cluster: the current one if it is of
// the script or the cluster has none, else the first of the script's order.
func (s *setter) choose(cluster []rune, script language.Script, current *fonts.Face, w fonts.Weight) (*fonts.Face, error) {
	if current != nil && (current.Script == script || !strong(cluster)) {
		if ok, _, err := s.has(current, cluster); ok || err != nil {
			return current, err
		}
	}
	faces, err := fonts.For(script, w)
	if err != nil {
		return nil, err
	}
	missing := rune(0)
	for _, f := range faces {
		ok, lacks, err := s.has(f, cluster)
		if ok || err != nil {
			return f, err
		}
		if missing == 0 || f.Script == script && lacks != cluster[0] {
			missing = lacks
		}
	}
	return nil, &MissingGlyph{missing}
}

func strong(cluster []rune) bool {
	for _, r := range cluster {
		if language.LookupScript(r).Strong() {
			return true
		}
	}
	return false
}

// has reports whether a face has every character of a cluster, itself or as the
// letter and mark it is made of, and the first that it lacks.
func (s *setter) has(f *fonts.Face, cluster []rune) (bool, rune, error) {
	face, err := s.face(f)
	if err != nil {
		return false, 0, err
	}
	for _, r := range cluster {
		if !covers(face, r) {
			return false, r, nil
		}
	}
	return true, 0, nil
}

func covers(face *font.Face, r rune) bool {
	if unicode.IsControl(r) {
		return false // some faces map one to an empty glyph
	}
	if _, ok := face.NominalGlyph(r); ok || invisible(r) {
		return true
	}
	parts := norm.NFD.PropertiesString(string(r)).Decomposition()
	if len(parts) == 0 {
		return false
	}
	for _, part := range string(parts) {
		if _, ok := face.NominalGlyph(part); !ok {
			return false
		}
	}
	return true
}

// invisible reports whether a character is not drawn but steers: joiners, marks of
// direction, variation selectors. HarfBuzz takes them out where a face lacks them.
func invisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) && r != 0xAD && !prepended(r) || unicode.Is(unicode.Variation_Selector, r) || r == 0x34F
}

// prepended marks are of category Cf and have ink: the Arabic number signs.
func prepended(r rune) bool {
	return r >= 0x600 && r <= 0x605 || r == 0x6DD || r == 0x70F || r == 0x8E2 || r == 0x890 || r == 0x891
}

// languageOf is the language whose forms a script is set in, where a face has
// several. Cards tell no language of a person, so it is the script's plain one.
func languageOf(s language.Script) language.Language {
	switch s {
	case language.Arabic:
		return "ar"
	case language.Devanagari:
		return "hi"
	case language.Bengali:
		return "bn"
	}
	return "und"
}
