package registry

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxName is the longest name that is kept, in characters. Six Arabic or Spanish
// names in a row stay under half of it.
const MaxName = 200

// Types of a name.
const (
	Official  = "official"
	Used      = "used"
	Alias     = "alias"
	Maiden    = "maiden"
	Romanised = "romanised"
)

const fieldNames = "names"

// ParseName reads a name as somebody wrote it and says what is wrong with it.
//
// The text is kept as it is said: NFC, blanks trimmed and made single, diacritics
// and order untouched. A single name is whole. Filler that forms demand ("FNU", a
// dot) is left out, and so is what no eye can see, each with an issue. typ is one
// of the types above; empty is official.
//
// A name of which nothing can be kept comes back with an empty Text and a blocking
// issue: there is none (NameEmpty, NamePlaceholder), or what is there is no text
// (NameControl, NameDamaged, NameTooLong). Any other issue comes with a name to be
// stored.
//
// DOMAIN.md 3.2 (names), 5 (DQ-14).
func ParseName(text, typ string) (Name, []Issue) {
	if typ == Official {
		typ = ""
	}
	n := Name{Type: typ}
	if utf8.RuneCountInString(text) > 4*MaxName {
		return n, []Issue{tooLong}
	}
	clean, issues := cleanName(text)
	if slices.ContainsFunc(issues, func(i Issue) bool { return i.Code == NameControl || i.Code == NameDamaged && clean == "" }) {
		return n, issues
	}
	if utf8.RuneCountInString(clean) > MaxName {
		return n, []Issue{tooLong}
	}
	if clean == "" {
		return n, append(issues, block(NameEmpty, fieldNames, "no name: write the name as it is said, a single name is enough"))
	}
	if placeholder(clean) {
		return n, append(issues, block(NamePlaceholder, fieldNames,
			"a filler instead of a name: write the name as it is said, a single name is enough"))
	}
	n.Text = clean
	if unpadded := withoutPadding(clean); unpadded != clean {
		n.Text = unpadded
		issues = append(issues, note(NamePadding, fieldNames, "a filler beside the name was left out: a single name is whole"))
	}
	count := countScripts(n.Text)
	n.Script = count.script
	return n, append(issues, nameRules(n.Text, count)...)
}

// ParseParts reads a name that came in parts, given in the order in which it is
// said. Empty parts and filler are left out.
func ParseParts(parts []Part, typ string) (Name, []Issue) {
	var texts []string
	var kept []Part
	for _, p := range parts {
		clean, _ := cleanName(p.Text)
		if clean == "" || len(parts) > 1 && filler(clean) {
			continue
		}
		texts = append(texts, p.Text)
		kept = append(kept, Part{Role: p.Role, Text: clean})
	}
	n, issues := ParseName(strings.Join(texts, " "), typ)
	if n.Text == "" {
		return n, issues
	}
	if len(kept) == 1 {
		kept[0].Role = "single"
	}
	n.Parts = kept
	return n, issues
}

var tooLong = block(NameTooLong, fieldNames, "over 200 characters: is another column's text in the name's?")

// cleanName writes a name as it is kept, before it is judged: white space made
// single, what cannot be seen taken out.
func cleanName(text string) (string, []Issue) {
	if !utf8.ValidString(text) {
		return "", []Issue{block(NameDamaged, fieldNames, "not readable as text: was the file saved in another encoding?")}
	}
	var found struct{ bidi, override, invisible, damaged, marks bool }
	var b strings.Builder
	runes := []rune(norm.NFC.String(strings.Map(presentation, text)))
	marks, most, blank := 0, mostMarks(' '), false
	for i, r := range runes {
		if isMark(r) {
			if marks++; marks > most {
				found.marks = true
				continue
			}
		} else if !isJoiner(r) {
			marks = 0
		}
		if unicode.IsLetter(r) {
			most = mostMarks(r)
		}
		switch {
		case unicode.IsSpace(r) || unicode.Is(unicode.Zs, r):
			blank = b.Len() > 0
			continue
		case unicode.Is(unicode.Cc, r):
			return "", []Issue{block(NameControl, fieldNames, "control characters that no name has: type the name again")}
		case isBidi(r):
			found.bidi = true
			found.override = found.override || r == '\u202d' || r == '\u202e'
			continue
		case isJoiner(r):
			if !joinerBelongs(runes, i) {
				found.invisible = true
				continue
			}
		case isInvisible(r):
			found.invisible = true
			continue
		case r == unicode.ReplacementChar || unicode.In(r, unicode.Co, unicode.Cs) || isNoncharacter(r):
			found.damaged = true
		}
		if blank {
			b.WriteByte(' ')
			blank = false
		}
		b.WriteRune(r)
	}
	var issues []Issue
	if found.override {
		issues = append(issues, block(NameBidi, fieldNames, "hidden marks that turn letters round were taken out: compare the name with the paper"))
	} else if found.bidi {
		issues = append(issues, note(NameBidi, fieldNames, "hidden marks of direction were taken out"))
	}
	if found.invisible {
		issues = append(issues, note(NameInvisible, fieldNames, "invisible characters were taken out"))
	}
	if found.marks {
		issues = append(issues, block(NameMarks, fieldNames, "more marks on one letter than any script has: type the name again"))
	}
	if found.damaged {
		issues = append(issues, block(NameDamaged, fieldNames, "letters were lost on the way: take the name from the paper or save the file as UTF-8"))
	}
	return norm.NFC.String(b.String()), issues
}

// presentation writes the shaped letters of old Arabic systems as plain ones, so
// that they are found, shaped and printed like all others.
func presentation(r rune) rune {
	if r < 0xFE70 && (r < 0xFB50 || r > 0xFDFF) || r > 0xFEFC || !unicode.IsLetter(r) {
		return r
	}
	if d := []rune(norm.NFKC.String(string(r))); len(d) == 1 {
		return d[0]
	}
	return r
}

// nameRules judges a clean text.
func nameRules(text string, c scriptCount) (issues []Issue) {
	add := func(i Issue) { issues = append(issues, i) }
	var digits, symbols, damaged bool
	for _, r := range text {
		switch {
		case unicode.IsNumber(r):
			digits = true
		case r == unicode.ReplacementChar:
			damaged = true
		case !unicode.IsLetter(r) && !unicode.IsMark(r) && r != ' ' && !strings.ContainsRune(namePunctuation, r) && !isJoiner(r):
			symbols = true
		}
	}
	switch {
	case damaged:
	case c.letters == 0:
		add(block(NameNoLetters, fieldNames, "no letter in it: write the name as it is said"))
	case c.letters < 2 && !oneLetterWords[c.script]:
		add(block(NameTooShort, fieldNames, "a single letter: write the whole name"))
	}
	if digits {
		add(block(NameDigits, fieldNames, "digits in a name: is a number in the wrong column, or a suffix that tells people apart?"))
	}
	if symbols {
		add(note(NameSymbols, fieldNames, "signs that names do not have: compare with the paper"))
	}
	switch {
	case c.mixedWord:
		add(block(NameMixedScript, fieldNames, "letters of two scripts in one word, such as a Cyrillic a among Latin letters: type the word again"))
	case c.mixed:
		add(note(NameTwoScripts, fieldNames, "words of two scripts: enter them as two names"))
	}
	if words := strings.Fields(text); len(words) > 1 && !slices.ContainsFunc(words, func(w string) bool { return Fold(w) != Fold(words[0]) }) {
		add(note(NameRepeats, fieldNames, "the same word again and again: compare with the paper"))
	}
	return issues
}

// namePunctuation belongs to names: apostrophes and what stands for them, hyphens,
// initials, nicknames, the signs of Hebrew abbreviations and of Catalan.
const namePunctuation = "'’‘`´ʼʻʿʾ״׳-‐‑–־.,·()\"“”«»،/ـ፡་"

// Whole returns the official name of a list that comes first; Text is empty when there is none.
func Whole(names []Name) Name {
	if i := slices.IndexFunc(names, func(n Name) bool { return n.Type == "" || n.Type == Official }); i >= 0 {
		return names[i]
	}
	return Name{}
}

// InOtherScript reports whether n is the whole name once more, in another script.
func InOtherScript(n, whole Name) bool {
	return n.Type == Romanised || (n.Type == "" || n.Type == Official) && n.Script != whole.Script
}

// DisplayName is the name a colleague calls her by: the official one, or what there is.
func (p Person) DisplayName() string { return p.pick(func(Name) bool { return true }).Text }

// Name returns the name in a script (ISO 15924), official ones first; Text is empty
// when there is none.
func (p Person) Name(script string) Name {
	return p.pick(func(n Name) bool { return n.Script == script })
}

func (p Person) pick(fits func(Name) bool) (best Name) {
	rank := func(n Name) int { return slices.Index([]string{Romanised, Maiden, Alias, Used, Official, ""}, n.Type) }
	found := false
	for _, n := range p.Names {
		if fits(n) && (!found || rank(n) > rank(best)) {
			best, found = n, true
		}
	}
	return best
}
