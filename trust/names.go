package trust

import (
	"strings"
	"unicode"
)

// lookalikes are the scripts whose letters pass for each other's on a screen.
var lookalikes = [...]*unicode.RangeTable{unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Armenian, unicode.Cherokee}

// latin lists languages written in Latin script, where one letter of another
// script is reason enough to look twice.
var latin = map[string]bool{
	"en": true, "fr": true, "es": true, "sw": true, "pt": true, "de": true, "it": true, "nl": true, "so": true, "ha": true,
	"tr": true, "id": true, "vi": true, "pl": true, "ro": true, "ht": true, "rw": true, "rn": true, "ln": true, "mg": true,
}

// mixedScript reports whether a name shown for language lang may imitate
// another: two lookalike scripts in one word, another script than the language
// is written in, fancy letters, or characters that reorder or hide text.
func mixedScript(lang, name string) bool {
	base, _, _ := strings.Cut(strings.ToLower(lang), "-")
	first := -1 // script of the current word
	for _, r := range name {
		switch {
		case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, // bidi overrides and isolates
			r == 0x200B, r == 0x2060, r == 0xFEFF, // invisible
			r >= 0xFF21 && r <= 0xFF5A, r >= 0x1D400 && r <= 0x1D7FF, // full-width and mathematical letters
			unicode.IsControl(r):
			return true
		case unicode.In(r, unicode.Mn, unicode.Lm) || r == '\'' || r == 0x2019 || r == 0x200C || r == 0x200D:
			continue // part of a word in any script
		case !unicode.IsLetter(r):
			first = -1
			continue
		}
		script := len(lookalikes) // one of the others
		for i, t := range lookalikes {
			if unicode.Is(t, r) {
				script = i
				break
			}
		}
		if first >= 0 && script != first || latin[base] && script != 0 {
			return true
		}
		first = script
	}
	return false
}
