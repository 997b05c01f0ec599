package registry

import (
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// scripts are those a name is recognised in, by ISO 15924. Those people mostly
// write stand first.
var scripts = []struct {
	code  string
	table *unicode.RangeTable
}{
	{"Latn", unicode.Latin}, {"Arab", unicode.Arabic}, {"Ethi", unicode.Ethiopic}, {"Cyrl", unicode.Cyrillic},
	{"Mymr", unicode.Myanmar}, {"Beng", unicode.Bengali}, {"Deva", unicode.Devanagari}, {"Khmr", unicode.Khmer},
	{"Thai", unicode.Thai}, {"Hani", unicode.Han}, {"Hang", unicode.Hangul}, {"Grek", unicode.Greek},
	{"Hebr", unicode.Hebrew}, {"Armn", unicode.Armenian}, {"Geor", unicode.Georgian}, {"Syrc", unicode.Syriac},
	{"Thaa", unicode.Thaana}, {"Tfng", unicode.Tifinagh}, {"Nkoo", unicode.Nko}, {"Adlm", unicode.Adlam},
	{"Laoo", unicode.Lao}, {"Sinh", unicode.Sinhala}, {"Taml", unicode.Tamil}, {"Telu", unicode.Telugu},
	{"Guru", unicode.Gurmukhi}, {"Gujr", unicode.Gujarati}, {"Orya", unicode.Oriya}, {"Knda", unicode.Kannada},
	{"Mlym", unicode.Malayalam}, {"Tibt", unicode.Tibetan}, {"Mong", unicode.Mongolian}, {"Hira", unicode.Hiragana},
	{"Kana", unicode.Katakana}, {"Bopo", unicode.Bopomofo}, {"Cher", unicode.Cherokee}, {"Vaii", unicode.Vai},
	{"Rohg", unicode.Hanifi_Rohingya}, {"Cakm", unicode.Chakma}, {"Lana", unicode.Tai_Tham}, {"Talu", unicode.New_Tai_Lue},
	{"Olck", unicode.Ol_Chiki}, {"Mand", unicode.Mandaic}, {"Samr", unicode.Samaritan}, {"Java", unicode.Javanese},
	{"Bali", unicode.Balinese}, {"Sund", unicode.Sundanese}, {"Cham", unicode.Cham}, {"Kali", unicode.Kayah_Li},
	{"Lepc", unicode.Lepcha}, {"Limb", unicode.Limbu}, {"Mtei", unicode.Meetei_Mayek}, {"Yiii", unicode.Yi},
	{"Bamu", unicode.Bamum}, {"Copt", unicode.Coptic}, {"Osge", unicode.Osage}, {"Cans", unicode.Canadian_Aboriginal},
}

// scriptOf returns the place of a letter's script in scripts, or -1 for a letter of
// all scripts or of none of them.
func scriptOf(r rune) int {
	if r < 0x80 {
		return 0
	}
	for i := range scripts {
		if unicode.Is(scripts[i].table, r) {
			return i
		}
	}
	return -1
}

// oneLetterWords are scripts in which a name may be one letter: a syllable or a word.
var oneLetterWords = map[string]bool{"Mymr": true, "Hani": true, "Hang": true, "Hira": true, "Kana": true, "Yiii": true, "Vaii": true}

// vowelMarks are scripts that write vowels as marks on a letter, so that a letter
// with its mark is two sounds. Their marks are never optional.
var vowelMarks = map[string]bool{
	"Mymr": true, "Beng": true, "Deva": true, "Khmr": true, "Thai": true, "Thaa": true, "Laoo": true, "Sinh": true, "Taml": true,
	"Telu": true, "Guru": true, "Gujr": true, "Orya": true, "Knda": true, "Mlym": true, "Tibt": true, "Cakm": true, "Lana": true,
	"Rohg": true, "Java": true, "Bali": true, "Sund": true, "Cham": true, "Kali": true, "Lepc": true, "Limb": true, "Mtei": true,
}

// joined are scripts whose spelling needs the zero width joiner or non-joiner.
var joined = map[string]bool{
	"Arab": true, "Syrc": true, "Mymr": true, "Beng": true, "Deva": true, "Khmr": true, "Sinh": true, "Taml": true, "Telu": true,
	"Guru": true, "Gujr": true, "Orya": true, "Knda": true, "Mlym": true, "Mong": true, "Adlm": true, "Rohg": true, "Nkoo": true,
}

// together are scripts that one word may mix.
var together = map[[2]string]bool{
	{"Hani", "Hira"}: true, {"Hani", "Kana"}: true, {"Hira", "Kana"}: true, {"Hang", "Hani"}: true, {"Bopo", "Hani"}: true,
}

// scriptCount says in which scripts a text is written.
type scriptCount struct {
	script    string // of most letters; "" when there is none
	letters   int    // letters; in scripts of vowelMarks also their marks
	mixed     bool   // letters of two scripts that do not go together
	mixedWord bool   // so in one word
}

func countScripts(text string) (c scriptCount) {
	counts := make([]int, len(scripts))
	word, all := -1, -1
	for _, r := range text {
		letter := unicode.IsLetter(r)
		if !letter && !unicode.IsMark(r) {
			if !isApostrophe(r) && !isJoiner(r) { // a blank, a hyphen, a slash: another word
				word = -1
			}
			continue
		}
		s := scriptOf(r)
		if s < 0 {
			if letter {
				c.letters++
			}
			continue
		}
		if !letter {
			if vowelMarks[scripts[s].code] {
				c.letters++
			}
			continue
		}
		c.letters++
		counts[s]++
		if word >= 0 && apart(word, s) {
			c.mixedWord = true
		}
		if all >= 0 && apart(all, s) {
			c.mixed = true
		}
		word, all = s, s
	}
	most := 0
	for i, n := range counts {
		if n > most {
			c.script, most = scripts[i].code, n
		}
	}
	return c
}

func apart(a, b int) bool {
	x, y := scripts[a].code, scripts[b].code
	return x != y && !together[[2]string{x, y}] && !together[[2]string{y, x}]
}

// mostMarks is how many marks in a row a letter carries. The longest real runs are
// in Burmese and Khmer; Vietnamese and Arabic need three.
func mostMarks(letter rune) int {
	if s := scriptOf(letter); s >= 0 && vowelMarks[scripts[s].code] {
		return 8
	}
	return 4
}

func isMark(r rune) bool { return r >= 0x300 && unicode.In(r, unicode.Mn, unicode.Me) }

func isJoiner(r rune) bool { return r == '\u200c' || r == '\u200d' }

// joinerBelongs reports whether the joiner at i stands where spelling needs it:
// after a letter or mark, and before a letter of its script. Behind a virama it may
// end a word: Malayalam and Bengali write their final consonants so.
func joinerBelongs(runes []rune, i int) bool {
	if i == 0 || isJoiner(runes[i-1]) {
		return false
	}
	if s := scriptOf(runes[i-1]); runes[i] == '\u200d' && s >= 0 && joined[scripts[s].code] && isVirama(runes[i-1]) {
		return true
	}
	if i+1 == len(runes) {
		return false
	}
	before, after := scriptOf(runes[i-1]), scriptOf(runes[i+1])
	if before < 0 && unicode.IsMark(runes[i-1]) { // vowel signs of Arabic belong to no script
		before = after
	}
	return before >= 0 && before == after && joined[scripts[before].code]
}

// isVirama tells the marks that take the vowel off a letter: of canonical combining
// class 9 (Unicode 4.3).
func isVirama(r rune) bool { return norm.NFC.PropertiesString(string(r)).CCC() == 9 }

// isBidi tells the characters that steer the direction of writing.
func isBidi(r rune) bool {
	return r == '\u061c' || r == '\u200e' || r == '\u200f' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// isInvisible tells characters nobody sees: formats, fillers, variation selectors.
func isInvisible(r rune) bool {
	switch r {
	case '\u034f', '\u115f', '\u1160', '\u17b4', '\u17b5', '\u3164', '\uffa0', '\u2028', '\u2029':
		return true
	}
	return unicode.In(r, unicode.Cf, unicode.Variation_Selector)
}

func isNoncharacter(r rune) bool { return r&0xfffe == 0xfffe || r >= 0xfdd0 && r <= 0xfdef }
