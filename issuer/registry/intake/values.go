package intake

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"aidpass/issuer/registry"
)

// answers are yes and no.
var answers = codes(map[string]string{
	"yes": "yes|y|true|t|1|1.0|oui|o|vrai|si|s|verdadero|نعم|ن|ndiyo|ndio|given|agreed|accepted|consented",
	"no":  "no|n|false|0|0.0|non|faux|falso|لا|hapana|refused|denied|not given",
})

func codes(lists map[string]string) map[string]string {
	m := map[string]string{}
	for code, list := range lists {
		for w := range strings.SplitSeq(list, "|") {
			m[squeeze(w)] = code
		}
	}
	return m
}

func wordSet(list string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.SplitSeq(list, "|") {
		m[squeeze(w)] = true
	}
	return m
}

func looksLikeSex(v string) bool {
	_, ok := registry.ParseSex(v)
	return ok || registry.Fold(v) == "h" // hombre, homme
}

var phoneLike = regexp.MustCompile(`^(\+|00)?[0-9][0-9 ().\-/]{6,18}[0-9]$`)

func looksLikePhone(v string) bool {
	if !phoneLike.MatchString(v) {
		return false
	}
	// Bare digits may be any number: what begins as phones do, or is written in groups.
	return strings.HasPrefix(v, "+") || strings.HasPrefix(v, "0") || strings.ContainsAny(v, " ()")
}

// wholeNumber reads a count: digits of any script, "3.0" as spreadsheets write 3.
func wholeNumber(v string) (int, bool) {
	v = strings.TrimSuffix(strings.TrimSpace(v), ".0")
	if strings.IndexFunc(v, func(r rune) bool { return !unicode.IsDigit(r) }) >= 0 {
		return 0, false // "-2" is not 2
	}
	v = registry.Fold(v)
	if v == "" || len(v) > 9 || strings.Trim(v, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(v)
	return n, err == nil
}
