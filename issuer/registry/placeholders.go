package registry

import (
	"strings"
)

// placeholders are whole texts, folded, that stand for "there is none" in English,
// French, Spanish, Arabic, Swahili and in forms.
var placeholders = foldedSet(
	"unknown", "not known", "unnamed", "no name", "noname", "not applicable", "not available", "not provided", "none", "null", "nobody",
	"n/a", "na", "n.a.", "n a", "tbd", "tbc", "test", "tests", "testing", "test test", "dummy", "sample", "example", "asdf", "asdfgh", "qwerty", "abc", "abcd", "xyz",
	"fnu", "lnu", "fnu lnu", "first name unknown", "last name unknown", "anonymous", "john doe", "jane doe", "name", "full name", "refused",
	"inconnu", "inconnue", "sans nom", "non connu", "non renseigné", "non disponible", "non applicable", "néant", "aucun", "s/o", "essai",
	"desconocido", "desconocida", "sin nombre", "ninguno", "ninguna", "no aplica", "no disponible", "se desconoce", "prueba", "nombre",
	"غير معروف", "غير معروفة", "غير محدد", "مجهول", "مجهولة", "لا يوجد", "لايوجد", "بدون اسم", "بلا اسم", "بدون", "لا ينطبق", "اختبار", "تجربة", "اسم", "الاسم",
	"haijulikani", "hajulikani", "hakuna", "hakuna jina", "bila jina", "sijui", "jaribio",
)

// padding are words that forms put beside a single name.
var padding = foldedSet("fnu", "lnu", "n/a", "unknown", "inconnu", "inconnue", "desconocido", "desconocida", "null", "nln", "nfn", "nmn")

func foldedSet(texts ...string) map[string]bool {
	m := make(map[string]bool, len(texts))
	for _, t := range texts {
		m[bare(t)] = true
	}
	return m
}

// bare is a text folded, without anything but letters, digits and single blanks.
func bare(s string) string { return Fold(s) }

// Placeholder reports whether a cell's text stands for "nothing": empty, dashes and
// dots, a row of the same sign, or a word such as "unknown" in one of five
// languages. Any column may hold it (DOMAIN.md 5, "filled").
func Placeholder(text string) bool {
	clean, _ := cleanName(text)
	return clean == "" || placeholder(clean)
}

func placeholder(text string) bool {
	f := bare(text)
	if placeholders[f] {
		return true
	}
	letters := strings.ReplaceAll(f, " ", "")
	if letters == "" { // "-", "?", "..."
		return strings.IndexFunc(text, isSymbolOfNothing) >= 0
	}
	// x, xxx, 0000, 9999, aaa: one sign again and again.
	first := []rune(letters)[0]
	if strings.Trim(letters, string(first)) != "" {
		return false
	}
	n := len([]rune(letters))
	return first == 'x' || n >= 3 && first < 0x80 || n >= 2 && (first == '0' || first == '9')
}

// isSymbolOfNothing tells the signs people write where there is nothing to say.
func isSymbolOfNothing(r rune) bool { return strings.ContainsRune("-–—_.?*/\\#+،؟…0", r) }

// filler reports whether a word beside others, or a whole part, is form filler.
func filler(word string) bool {
	f := bare(word)
	return f == "" || padding[f]
}

// withoutPadding drops filler words beside a name.
func withoutPadding(text string) string {
	words := strings.Fields(text)
	kept := words[:0:0]
	for _, w := range words {
		if !(padding[bare(w)] || bare(w) == "" && strings.Trim(w, ".-–—_?*/") == "") {
			kept = append(kept, w)
		}
	}
	if len(kept) == 0 || len(kept) == len(words) {
		return text
	}
	return strings.Join(kept, " ")
}
