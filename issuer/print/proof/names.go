package proof

import (
	"hash/maphash"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Names is a dictionary of people's names that keeps no name: only what is
// needed to know one when it is read. The zero value is empty. It may be used by
// several goroutines once no more names are added.
type Names struct {
	phrases map[uint64]struct{} // of two words and more
	singles map[uint64]struct{} // of one word
	longest int                 // words of the longest phrase
}

var seed = maphash.MakeSeed()

// Add takes a name as it is written, and what would still tell who is meant: any
// two neighbouring words of it, and its first with its last.
func (n *Names) Add(name string) {
	if n.phrases == nil {
		n.phrases, n.singles = map[uint64]struct{}{}, map[uint64]struct{}{}
	}
	words := fold(name)
	switch {
	case len(words) == 0:
		return
	case len(words) == 1:
		n.singles[maphash.String(seed, words[0])] = struct{}{}
		return
	case len(words) <= maxNameWords:
		n.phrases[hashOf(words)] = struct{}{}
		n.longest = max(n.longest, len(words))
	}
	for i := range len(words) - 1 {
		n.phrases[hashOf(words[i:i+2])] = struct{}{}
	}
	n.phrases[hashOf([]string{words[0], words[len(words)-1]})] = struct{}{}
	n.longest = max(n.longest, 2)
}

// maxNameWords of a name are compared as a whole; a longer one is known by its pairs.
const maxNameWords = 8

// in reports whether words, all in a row, are or hold a name of two words or
// more, other than from the words in allowed.
func (n *Names) in(words, allowed []string) bool {
	if n == nil {
		return false
	}
	for i := range words {
		for length := 2; length <= n.longest && i+length <= len(words); length++ {
			phrase := words[i : i+length]
			if _, ok := n.phrases[hashOf(phrase)]; ok && !subset(phrase, allowed) {
				return true
			}
		}
	}
	return false
}

// single reports whether word is a name of one word. Many are ordinary words too:
// ask only where a name would stand alone.
func (n *Names) single(word string) bool {
	if n == nil {
		return false
	}
	_, ok := n.singles[maphash.String(seed, word)]
	return ok
}

func subset(part, of []string) bool {
	for _, w := range part {
		if !slices.Contains(of, w) {
			return false
		}
	}
	return true
}

func hashOf(words []string) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, w := range words {
		h.WriteString(w)
		h.WriteByte(0)
	}
	return h.Sum64()
}

// fold returns the words of text without what writers add or leave out: case,
// accents and vowel marks (combining classes of 10 and more; the vowel signs of
// Indic and Khmer scripts are letters and stay), joiners, and forms of
// compatibility. Digits of all scripts become ours.
func fold(text string) []string {
	var words []string
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	for _, r := range norm.NFKD.String(text) {
		switch {
		case norm.NFD.PropertiesString(string(r)).CCC() >= 10, unicode.Is(unicode.Cf, r), r == '\'', r == '’', r == 'ʼ', r == 'ـ':
		case unicode.IsDigit(r):
			word.WriteRune(digit(r))
		case unicode.IsLetter(r), unicode.IsMark(r):
			word.WriteRune(sameLetter(unicode.ToLower(r)))
		default:
			end()
		}
	}
	end()
	return words
}

// sameLetter joins letters that Arabic writers use for one another.
func sameLetter(r rune) rune {
	switch r {
	case 'ى', 'ی':
		return 'ي'
	case 'ک':
		return 'ك'
	case 'ة':
		return 'ه'
	case 'ٱ':
		return 'ا'
	}
	return r
}

// digit returns the ASCII digit of a decimal digit: those of one script follow
// one another from its zero.
func digit(r rune) rune {
	zero := r
	for zero > r-9 && unicode.IsDigit(zero-1) {
		zero--
	}
	return '0' + (r-zero)%10
}
