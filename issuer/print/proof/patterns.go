package proof

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

var patternText = map[string]string{
	"email":   "an e-mail address other than the complaint line's",
	"case":    "a case or registration number",
	"account": "a bank account",
	"place":   "coordinates",
	"date":    "a day that is not one of the card's own dates",
	"phone":   "a phone number or other long number; only the complaint line may have one",
}

// The forms looked for, in text whose digits are 0 to 9.
var (
	emailForm = regexp.MustCompile(`[^\s@|]+@[^\s@|]+\.[^\s@|]{2,}`)
	// UNHCR: 123-45C67890 (household), 123-00012345 (person), and agencies' like.
	caseForm = regexp.MustCompile(`(?i)\b(\d{3}-\d{2}C\d{4,8}|\d{3}-\d{8}|[A-Z]{2,4}-\d{2}-?C\d{4,8}|[A-Z]{3}-\d{8,10})\b`)
	ibanForm = regexp.MustCompile(`\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b`)
	// Degrees with minutes, a pair of decimal degrees, or an open location code.
	placeForm = regexp.MustCompile(`\d{1,3} ?° ?\d|-?\b\d{1,3}\.\d{3,} ?[,;/ ] ?-?\d{1,3}\.\d{3,}\b|\b[23456789CFGHJMPQRVWX]{4,8}\+[23456789CFGHJMPQRVWX]{2,3}\b`)
	isoForm   = regexp.MustCompile(`\b(\d{4})([-/.])(\d{1,2})([-/.])(\d{1,2})\b`)
	dmyForm   = regexp.MustCompile(`\b(\d{1,2})([-/.])(\d{1,2})([-/.])(\d{4})\b`)
	// A day, the name of a month in any language, a year; or month, day, year.
	namedForm  = regexp.MustCompile(`\b(\d{1,2})\.? (?:de )?(\p{L}[\p{L}\p{M}.]*) (?:de )?(\d{4})\b`)
	monthForm  = regexp.MustCompile(`(\p{L}[\p{L}\p{M}.]*) (\d{1,2}),? (\d{4})\b`)
	numberForm = regexp.MustCompile(`\+?\(?\d(?:[ ()./-]{0,2}\d){7,}`)
)

// patterns returns the codes of what text holds. own are the cards it stands on:
// their numbers and days are theirs. What complaint and dates of rules say may be
// printed as well.
func patterns(text string, own []facts, rules *Rules) []string {
	for _, d := range rules.Dates {
		text = without(text, d)
	}
	text = plainDigits(text)
	text = withoutNumbers(text, own)
	// On narrow paper a phone number may go on in the next line.
	isComplaint := func(s string) bool {
		return slices.ContainsFunc(rules.Complaint, func(c string) bool { return strings.Contains(digits(c), digits(s)) })
	}
	var found []string
	take := func(code string, form *regexp.Regexp, is func(string) bool) {
		text = form.ReplaceAllStringFunc(text, func(s string) string {
			if is != nil && !is(s) {
				return s
			}
			if !slices.Contains(found, code) {
				found = append(found, code)
			}
			return " | "
		})
	}
	take("email", emailForm, nil)
	take("account", ibanForm, isIBAN)
	take("place", placeForm, nil)
	for _, d := range []struct {
		form             *regexp.Regexp
		day, month, year int // groups; month 0: a name
	}{{isoForm, 5, 3, 1}, {dmyForm, 1, 3, 5}, {namedForm, 1, 0, 3}, {monthForm, 2, 0, 3}} {
		text = d.form.ReplaceAllStringFunc(text, func(s string) string {
			m := d.form.FindStringSubmatch(s)
			day, _ := strconv.Atoi(m[d.day])
			year, _ := strconv.Atoi(m[d.year])
			month := 0
			if d.month > 0 {
				month, _ = strconv.Atoi(m[d.month])
			}
			if !isDay(day, month, year) {
				return s
			}
			if !ownDay(own, day, month, year) && !slices.Contains(found, "date") {
				found = append(found, "date")
			}
			return " | "
		})
	}
	take("case", caseForm, nil)
	take("phone", numberForm, func(s string) bool { return !isScale(s) && !isComplaint(s) })
	return found
}

// isDay tells days from other numbers; in countries that write the month first,
// day and month are the other way round.
func isDay(day, month, year int) bool {
	return day >= 1 && day <= 31 && month <= 31 && year >= 1900 && year <= 2100
}

// ownDay reports whether a day is one of the cards' own.
func ownDay(own []facts, day, month, year int) bool {
	for _, f := range own {
		for _, d := range f.days {
			for _, at := range [3]time.Time{d, d.AddDate(0, 0, -1), d.AddDate(0, 0, 1)} { // in the zone of the printer
				if at.Year() == year && (at.Day() == day && (month == 0 || int(at.Month()) == month) || at.Day() == month && int(at.Month()) == day) {
					return true
				}
			}
		}
	}
	return false
}

// withoutNumbers takes the cards' own numbers out of text, however they are grouped.
func withoutNumbers(text string, own []facts) string {
	for _, f := range own {
		if f.number == "" || !strings.Contains(strings.ToUpper(text), f.number[:1]) {
			continue
		}
		for i := 0; i < len(text); i++ {
			if n := spelled(text[i:], f.number); n > 0 {
				text = text[:i] + " | " + text[i+n:]
				i += 2
			}
		}
	}
	return text
}

// spelled returns how many bytes of text spell number, with spaces and hyphens
// between its symbols; 0 when it does not begin with it.
func spelled(text, number string) int {
	at := 0
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z' && c-32 == number[at], c == number[at]:
			if at++; at == len(number) {
				return i + 1
			}
		case at > 0 && (c == ' ' || c == '-'):
		default:
			return 0
		}
	}
	return 0
}

// digits returns the digits of s, as 0 to 9.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, plainDigits(s))
}

// isScale tells the numbers of boxes and rulers, 1 2 3 or 0 10 20, from a phone.
func isScale(s string) bool {
	groups := strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	last, step := 0, 0
	for i, g := range groups {
		n, err := strconv.Atoi(g)
		switch {
		case err != nil:
			return false
		case i == 1:
			step = n - last
		case i > 1 && n-last != step:
			return false
		}
		last = n
	}
	return len(groups) > 3 && step > 0
}

// isIBAN checks ISO 13616's remainder.
func isIBAN(s string) bool {
	s = strings.ReplaceAll(s, " ", "")
	if len(s) < 15 || len(s) > 34 {
		return false
	}
	rest := 0
	for _, c := range s[4:] + s[:4] {
		if c >= 'A' {
			rest = (rest*100 + int(c-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(c-'0')) % 97
		}
	}
	return rest == 1
}

// plainDigits writes the digits of all scripts as 0 to 9, and hyphens and spaces
// of all kinds as one of each; marks of direction go.
func plainDigits(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x80:
			return r
		case unicode.IsDigit(r):
			return digit(r)
		case unicode.IsSpace(r):
			return ' '
		case r >= '‐' && r <= '−' && unicode.Is(unicode.Pd, r), r == '−':
			return '-'
		case unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, text)
}
