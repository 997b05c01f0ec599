package registry

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Skeleton writes a name so that the ways in which people and clerks write it in
// Latin, Arabic, Cyrillic, Greek and Ethiopic letters, and in those of the Indian
// and Burmese families, mostly become the same text: محمد, Mohamed, Muhammad and
// Мухаммад are "mmt" each. It keeps the order of sounds and drops that of words,
// since given and family names change places in lists.
//
// It is a key for looking up who might be meant, not for deciding who is: different
// names share one too. In scripts that it cannot spell out, the letters themselves
// stand. It is empty for a text without letters.
//
// DOMAIN.md 4.3 (blocking).
func Skeleton(name string) string {
	var words []string
	for _, w := range LatinWords(name) {
		if s := consonants(w); s != "" {
			words = append(words, s)
		}
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// WordSkeleton is the Skeleton of one word as LatinWords gives it.
func WordSkeleton(word string) string { return consonants(word) }

// LatinWords are the words of a name as they are said, in small Latin letters: each
// letter of another script by its sound, without vowels that its script leaves out.
// Articles and words for son and daughter are left out, and the servant of Abd
// al-Rahman is one word with whom he serves. A letter of a script that cannot be
// spelled out stays as it is.
func LatinWords(name string) (words []string) {
	carry := false // abd, before the word it belongs to
	for w := range strings.FieldsSeq(Fold(spelled.Replace(strings.ToLower(norm.NFC.String(name))))) {
		w = romanise(w)
		switch {
		case w == "" || article[w]:
			continue
		case servant[w]:
			carry = true
			continue
		case carry:
			w, carry = "abd"+w, false
		}
		words = append(words, w)
	}
	if carry {
		words = append(words, "abd")
	}
	return words
}

// spelled writes letters whose accent is a sound of its own, before Fold takes the
// accents off.
var spelled = strings.NewReplacer("ç", "s", "š", "sh", "ş", "sh", "ș", "sh", "č", "ch", "ć", "ch", "ž", "zh", "ż", "zh", "ğ", "", "ñ", "ny", "ţ", "ts", "ț", "ts")

// article are words beside a name that some write and others do not.
var article = map[string]bool{"al": true, "el": true, "ul": true, "bin": true, "ibn": true, "ben": true, "bn": true, "bint": true, "bnt": true, "ould": true, "uld": true}

// servant is the first half of Abd al-Rahman and his kin.
var servant = map[string]bool{"abd": true, "abdul": true, "abdel": true, "abdal": true, "abdil": true, "abdoul": true, "abdol": true, "abdu": true}

// consonants reduces a romanised word to classes of consonants that spellings keep.
func consonants(w string) string {
	w = known(w)
	for _, c := range clusters {
		if strings.Contains(w, c.from) {
			w = strings.ReplaceAll(w, c.from, c.to)
		}
	}
	var out []rune
	last := rune(0)
	runes := []rune(w)
	at := func(i int) rune {
		if i < 0 || i >= len(runes) {
			return 0
		}
		return runes[i]
	}
	for i, r := range runes {
		class := r
		if r < 0x80 {
			class = rune(classes[r])
		}
		before, after := at(i-1), at(i+1)
		switch r {
		case 'c':
			if strings.ContainsRune("eiy", after) {
				class = 's'
			}
		case 'h':
			if i > 0 { // heard by some, written by others
				class, last = 0, 0
			}
		case 'w':
			if i == 0 {
				class = 'f'
			}
		case 'j': // a y in half of Europe
			if before == 'e' && !vowel(after) || after == 0 && strings.ContainsRune("oiy", before) ||
				before == 'i' && vowel(after) || strings.ContainsRune("bfkpstv", before) && vowel(after) {
				class = 0
			}
		case 'x': // the h of Somali; elsewhere ks
			switch {
			case i == 0:
				class = 'h'
			case after == 0 || after == 'i' || before == 'e':
				if last != 'k' {
					out = append(out, 'k')
				}
				class, last = 's', 'k'
			default:
				class, last = 0, 0
			}
		}
		if class == 0 {
			if vowel(r) {
				last = 0
			}
			continue
		}
		if class == last {
			continue
		}
		out = append(out, class)
		last = class
	}
	if len(out) == 0 && w != "" {
		return "a" // vowels alone
	}
	return string(out)
}

func vowel(r rune) bool { return strings.ContainsRune("aeiouyw", r) }

// known writes beginnings and short forms that rules of sound would miss.
func known(w string) string {
	if to, ok := shortForms[w]; ok {
		return to
	}
	if strings.HasPrefix(w, "ou") && len(w) > 3 && vowel(rune(w[2])) {
		w = "w" + w[2:]
	}
	// The ayin of Somali.
	for _, s := range []string{"cabd", "cali", "cumar", "cumer", "ciis", "caash", "caais", "cais", "cism", "cusm", "cawad", "caynab"} {
		if strings.HasPrefix(w, s) {
			w = w[1:]
			break
		}
	}
	// Servant names written as one word: Abdulrahman, Abderrahmane, Abdullah.
	if rest, ok := strings.CutPrefix(w, "abd"); ok && len(rest) > 3 && strings.IndexByte("aeiou", rest[0]) >= 0 {
		w = "abd" + strings.TrimPrefix(strings.TrimLeft(rest, "aeiou"), "l")
	}
	// The article, written as one word with the name.
	if (strings.HasPrefix(w, "al") || strings.HasPrefix(w, "el")) && len(w) >= 6 && !vowel(rune(w[2])) && w[2] < 0x80 {
		w = w[2:]
	}
	return w
}

// shortForms are what is written for names that nearly everybody has.
var shortForms = map[string]string{
	"md": "mohamed", "mohd": "mohamed", "muhd": "mohamed", "mhd": "mohamed", "mohmd": "mohamed", "mohm": "mohamed", "mehmet": "mohamed", "mehmed": "mohamed",
	"abdoulaye": "abdala", "abdulai": "abdala", "osman": "otman", "usman": "otman", "ousman": "otman", "ousmane": "otman", "osmane": "otman", "usmane": "otman",
}

// clusters are written before letters are looked at one by one.
var clusters = []struct{ from, to string }{
	{"sch", "s"}, {"tch", "s"}, {"tsh", "s"}, {"chr", "kr"}, {"chael", "kael"}, {"sh", "s"}, {"ch", "s"}, {"kh", "h"}, {"ght", "t"}, {"gh", "g"},
	{"dj", "j"}, {"dh", "d"}, {"th", "t"}, {"ph", "f"}, {"zh", "z"}, {"ck", "k"}, {"qu", "k"}, {"ts", "s"}, {"tz", "s"}, {"cz", "s"},
}

// classes of Latin letters; 0: not kept.
var classes = func() (t [128]byte) {
	for _, c := range []string{"bp", "tdþ", "fv", "gj", "h", "kcq", "l", "m", "n", "r", "szx"} {
		for i := 0; i < len(c); i++ {
			if c[i] < 0x80 {
				t[c[i]] = c[0]
			}
		}
	}
	return t
}()
