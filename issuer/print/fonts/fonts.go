// Package fonts holds the typefaces that cards are printed with: Noto Sans in the
// scripts that names are written in, in two weights.
//
// The files are third parties' and not in this repository: `make fonts` brings
// them pinned into files/, which is embedded when the program is built. A binary
// built without them answers ErrNone. Turning text into shapes is for package shape.
package fonts

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/language"
)

// ErrNone: the program was built without typefaces and cannot print.
var ErrNone = errors.New("fonts: this program was built without typefaces: run make fonts, then make build")

// Weight is how heavy the strokes are.
type Weight uint8

const (
	Regular Weight = iota
	Bold
	weights
)

//go:embed files
var files embed.FS

// A family is one file a weight, holding one script or a part of one.
type family struct {
	name   string // files/<name>-<400 or 700>.woff
	script language.Script
}

// In the order in which they are asked for a character: of two that have it, the
// first is taken, and the first of a script is its main one.
var families = [...]family{
	{"latin", language.Latin}, {"latin-ext", language.Latin}, {"vietnamese", language.Latin},
	{"arabic", language.Arabic},
	{"ethiopic", language.Ethiopic},
	{"myanmar", language.Myanmar},
	{"bengali", language.Bengali},
	{"devanagari", language.Devanagari},
	{"khmer", language.Khmer},
	{"thai", language.Thai},
	{"cyrillic", language.Cyrillic}, {"cyrillic-ext", language.Cyrillic},
	{"greek", language.Greek}, {"greek-ext", language.Greek},
	{"hebrew", language.Hebrew},
	{"armenian", language.Armenian},
	{"georgian", language.Georgian},
	{"sinhala", language.Sinhala},
	{"tamil", language.Tamil},
	{"gujarati", language.Gujarati},
	{"gurmukhi", language.Gurmukhi},
	{"lao", language.Lao},
	{"syriac", language.Syriac},
	{"nko", language.Nko},
	{"adlam", language.Adlam},
	{"tifinagh", language.Tifinagh},
}

// A Face is one typeface file. It is parsed when it is first opened: 26 scripts
// take 60 ms, and a day's cards use two or three.
type Face struct {
	ID     int // small, unique in the program: a key for caches
	Script language.Script
	load   func() (*font.Font, error)
}

// Open returns the parsed file. The result may be used by several goroutines at once.
func (f *Face) Open() (*font.Font, error) { return f.load() }

// candidates[w][script] is the order of faces for a character of script; of 0 for
// characters that have none of their own.
var candidates [weights]map[language.Script][]*Face

func init() {
	var all [weights][]*Face
	for i, f := range families {
		light := newFace(2*i, f, "400")
		bold := newFace(2*i+1, f, "700")
		if light == nil {
			continue
		}
		if bold == nil {
			bold = light // Tifinagh and N'Ko have one weight
		}
		all[Regular] = append(all[Regular], light)
		all[Bold] = append(all[Bold], bold)
	}
	for w, faces := range all {
		candidates[w] = map[language.Script][]*Face{0: faces}
		for _, own := range faces {
			if candidates[w][own.Script] != nil {
				continue
			}
			var first, rest []*Face
			for _, f := range faces {
				if f.Script == own.Script {
					first = append(first, f)
				} else {
					rest = append(rest, f)
				}
			}
			candidates[w][own.Script] = append(first, rest...)
		}
	}
}

func newFace(id int, f family, weight string) *Face {
	path := "files/" + f.name + "-" + weight + ".woff"
	if _, err := fs.Stat(files, path); err != nil {
		return nil
	}
	return &Face{id, f.script, sync.OnceValues(func() (*font.Font, error) {
		b, err := files.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("fonts: %w", err)
		}
		tables, err := opentype.NewLoader(bytes.NewReader(b))
		if err != nil {
			return nil, fmt.Errorf("fonts: %q: %w", path, err)
		}
		parsed, err := font.NewFont(tables)
		if err != nil {
			return nil, fmt.Errorf("fonts: %q: %w", path, err)
		}
		listCoverage(parsed)
		return parsed, nil
	})}
}

// For returns the faces to ask for a character of script, best first; script may
// be any. It fails with ErrNone when the program holds no typefaces.
func For(script language.Script, w Weight) ([]*Face, error) {
	if w >= weights {
		return nil, fmt.Errorf("fonts: weight %d does not exist", w)
	}
	faces := candidates[w][script]
	if faces == nil {
		faces = candidates[w][0]
	}
	if len(faces) == 0 {
		return nil, ErrNone
	}
	return faces, nil
}

// License returns the licence of the typefaces and whom they belong to; empty when
// the program holds none.
func License() string {
	b, err := files.ReadFile("files/OFL.txt")
	if err != nil {
		return ""
	}
	return string(b)
}
