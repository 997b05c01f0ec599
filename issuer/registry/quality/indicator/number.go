package indicator

import (
	"regexp"
	"strings"

	"aidpass/issuer/registry"
)

// A pattern is what the numbers of one kind of document look like.
type pattern struct {
	shape *regexp.Regexp      // of letters and digits in capitals, without what stands between
	check func(d []byte) bool // of the digits; nil: there is no check digit that is public
}

// patterns are the shapes that are public, by type and country. What is not here may have
// any shape: a wrong refusal costs more than a number that is not checked.
var patterns = map[string]pattern{
	"passport":        {shape: regexp.MustCompile(`^[A-Z0-9]{5,9}$`)},
	"unhcr_id":        {shape: regexp.MustCompile(`^([0-9A-Z]{3}[0-9]{8}|[0-9A-Z]{3}[0-9]{2}[A-Z][0-9]{5}|[0-9]{3,12})$`)},
	"national_id/TUR": {regexp.MustCompile(`^[1-9][0-9]{10}$`), turkish},
	"national_id/ZAF": {regexp.MustCompile(`^[0-9]{13}$`), luhn},
	"national_id/IRN": {regexp.MustCompile(`^[0-9]{8,10}$`), iranian},
	"tax/UKR":         {regexp.MustCompile(`^[0-9]{10}$`), ukrainian},
	"national_id/EGY": {shape: regexp.MustCompile(`^[23][0-9]{13}$`)},
	"national_id/PAK": {shape: regexp.MustCompile(`^[0-9]{13}$`)},
	"national_id/JOR": {shape: regexp.MustCompile(`^[0-9]{10}$`)},
	"national_id/SYR": {shape: regexp.MustCompile(`^[0-9]{9,11}$`)},
	"national_id/KEN": {shape: regexp.MustCompile(`^[0-9]{6,9}$`)},
	"national_id/COL": {shape: regexp.MustCompile(`^[0-9]{5,10}$`)},
	"national_id/BGD": {shape: regexp.MustCompile(`^([0-9]{10}|[0-9]{13}|[0-9]{17})$`)},
}

// numberFault says what is wrong with a document's number: too short to be one, not of its
// kind's shape, or with another check digit.
func numberFault(d registry.Document) string {
	n := strings.ToUpper(strings.Map(func(r rune) rune {
		if r < 0x80 && strings.ContainsRune(" -/.", r) {
			return -1
		}
		return r
	}, d.Number))
	if (registry.DocumentKey(d) == registry.Key{}) {
		return CodeNumber
	}
	p, ok := patterns[d.Type+"/"+d.Country]
	if !ok {
		p, ok = patterns[d.Type]
	}
	switch {
	case !ok:
		return ""
	case !p.shape.MatchString(n):
		return CodeNumber
	case p.check != nil && !p.check([]byte(n)):
		return CodeCheck
	}
	return ""
}

func digit(b byte) int { return int(b - '0') }

// turkish: the tenth digit is seven times the odd places less the even ones, the eleventh
// the sum of the ten, both by ten.
func turkish(d []byte) bool {
	odd, even, sum := 0, 0, 0
	for i := range 9 {
		if i%2 == 0 {
			odd += digit(d[i])
		} else {
			even += digit(d[i])
		}
	}
	for i := range 10 {
		sum += digit(d[i])
	}
	return ((7*odd-even)%10+10)%10 == digit(d[9]) && sum%10 == digit(d[10])
}

// luhn is ISO/IEC 7812-1, annex B.
func luhn(d []byte) bool {
	sum := 0
	for i := range d {
		n := digit(d[len(d)-1-i])
		if i%2 == 1 {
			n *= 2
		}
		sum += n/10 + n%10
	}
	return sum%10 == 0
}

// iranian: weights 10 to 2 by eleven; zeros at the front may be lost.
func iranian(d []byte) bool {
	d = append([]byte(strings.Repeat("0", 10-len(d))), d...)
	sum := 0
	for i := range 9 {
		sum += digit(d[i]) * (10 - i)
	}
	r := sum % 11
	return r < 2 && digit(d[9]) == r || r >= 2 && digit(d[9]) == 11-r
}

// ukrainian: weights by eleven, then by ten.
func ukrainian(d []byte) bool {
	sum := 0
	for i, w := range []int{-1, 5, 7, 9, 4, 6, 10, 5, 7} {
		sum += digit(d[i]) * w
	}
	return (sum%11+11)%11%10 == digit(d[9])
}
