package registry

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Fold writes a text for comparing: people who write the same name with other
// capitals, accents, vowel signs, forms of alef or kinds of digits write the same
// text. It leaves letters of all scripts, Western digits and single blanks; the
// vowel marks of scripts that cannot do without them stay.
func Fold(s string) string {
	if plain, ok := foldPlain(s); ok {
		return plain
	}
	var b strings.Builder
	b.Grow(len(s))
	blank := false
	put := func(r rune) {
		if blank && b.Len() > 0 {
			b.WriteByte(' ')
		}
		blank = false
		b.WriteRune(r)
	}
	for _, r := range norm.NFKD.String(strings.ToValidUTF8(s, " ")) {
		if d, ok := digitOf(r); ok {
			put(rune('0' + d))
			continue
		}
		if to, ok := foldLetters[r]; ok {
			for _, r := range to {
				put(r)
			}
			continue
		}
		switch {
		case isApostrophe(r), isJoiner(r), isBidi(r), isInvisible(r):
		case unicode.IsLetter(r):
			for _, r := range foldCase(r) {
				put(r)
			}
		case unicode.IsMark(r):
			// An optional mark belongs to no script of its own, or to one that writes its
			// vowels as letters or not at all. The dot below of Indian scripts is optional too.
			if s := scriptOf(r); s >= 0 && vowelMarks[scripts[s].code] && !unicode.Is(nukta, r) {
				put(r)
			}
		default:
			blank = true
		}
	}
	return b.String()
}

// foldPlain folds a text of ASCII letters and blanks, which most are.
func foldPlain(s string) (string, bool) {
	out := make([]byte, 0, len(s))
	blank := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 0x80:
			return "", false
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case c == '\'' || c == '`':
			continue
		default:
			blank = true
			continue
		}
		if blank && len(out) > 0 {
			out = append(out, ' ')
		}
		blank = false
		out = append(out, c)
	}
	return string(out), true
}

func foldCase(r rune) string {
	l := unicode.ToLower(r)
	if to, ok := foldLetters[l]; ok {
		return to
	}
	return string(l)
}

// foldLetters are letters that Unicode does not take apart and people mix up.
var foldLetters = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ħ': "h", 'ı': "i", 'ŋ': "ng", 'ə': "e",
	'ɓ': "b", 'ɗ': "d", 'ƙ': "k", 'ɣ': "gh", 'ŧ': "t", 'ɛ': "e", 'ɔ': "o", 'ƴ': "y", 'ɲ': "ny", 'ς': "σ",
	// Arabic and its neighbours: one form of each letter.
	'ٱ': "ا", 'ى': "ي", 'ی': "ي", 'ې': "ي", 'ۍ': "ي", 'ے': "ي", 'ۓ': "ي", 'ک': "ك", 'ڪ': "ك", 'ة': "ه", 'ۃ': "ه", 'ھ': "ه", 'ہ': "ه", 'ە': "ه", 'ۀ': "ه",
	'ء': "", 'ٴ': "", 'ـ': "", 'ۆ': "و", 'ۇ': "و", 'ۋ': "و", 'ڕ': "ر", 'ڵ': "ل", 'ټ': "ت", 'ډ': "د", 'ړ': "ر", 'ڼ': "ن", 'ګ': "گ",
	'ґ': "г", 'є': "е", 'і': "и", 'ң': "н", 'қ': "к", 'ғ': "г", 'ҳ': "х", 'һ': "х", 'ә': "а", 'ө': "о", 'ү': "у", 'ұ': "у",
}

// nukta are the dots below letters of Indian scripts.
var nukta = &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0x93c, Hi: 0xb3c, Stride: 0x80}, {Lo: 0xcbc, Hi: 0xcbc, Stride: 1}}}

// isApostrophe tells the signs that stand inside a word and are often left out.
func isApostrophe(r rune) bool { return strings.ContainsRune("'’‘`´ʼʻʿʾ׳״ʹʺ", r) }

// digitOf returns the value of a decimal digit of any script.
func digitOf(r rune) (int, bool) {
	switch {
	case r >= '0' && r <= '9':
		return int(r - '0'), true
	case r < 0x660 || !unicode.Is(unicode.Nd, r):
		return 0, false
	}
	// Decimal digits stand in runs of ten from a zero (Unicode 4.6); all runs but the
	// mathematical ones start at a multiple of 16 or 6 past it.
	for d := range rune(10) {
		if zero := r - d; !unicode.Is(unicode.Nd, zero-1) {
			return int(d), true
		}
	}
	return int(r-0x1d7ce) % 10, true
}

// westernDigits writes the digits of any script as 0 to 9.
func westernDigits(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r >= 0x660 }) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if d, ok := digitOf(r); ok {
			return rune('0' + d)
		}
		return r
	}, s)
}
