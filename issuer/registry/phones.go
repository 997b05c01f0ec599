package registry

import (
	"strings"
	"unicode"
)

const fieldContacts = "contacts"

// Bounds of a telephone number by ITU-T E.164: at most 15 digits; the shortest in
// use have 7 with the country.
const (
	leastPhone = 7
	mostPhone  = 15
)

// NormalisePhone returns a telephone number as E.164 ("+254712345678"). country is
// where a number without its country's code is dialled (ISO 3166-1 alpha-3; may be
// empty). ok is false when the number is not certain to be one.
func NormalisePhone(text, country string) (e164 string, ok bool) {
	c, _, ok := parsePhone(text, country)
	if !ok {
		return "", false
	}
	return c.Value, true
}

// ParsePhone reads a telephone number of a list. What cannot be brought to E.164 is
// kept as it was written, with an issue; none of them keeps a card from anybody.
// The zero Contact comes back for an empty or placeholder text.
//
// An extension is cut off and noted. A national number without its leading zero,
// which spreadsheets eat, is taken when its length leaves no doubt.
func ParsePhone(text, country string) (Contact, []Issue) {
	c, issues, _ := parsePhone(text, country)
	return c, issues
}

func parsePhone(text, country string) (_ Contact, issues []Issue, e164 bool) {
	s := strings.TrimSpace(westernDigits(cleanDate(text)))
	if s == "" || len(s) > 100 {
		if s != "" {
			issues = append(issues, note(PhoneUnreadable, fieldContacts, "over 100 characters: not a telephone number"))
		}
		return Contact{}, issues, false
	}
	if Placeholder(s) {
		return Contact{}, nil, false
	}
	kept := Contact{Kind: "phone", Value: s}
	number, extension := cutExtension(s)
	if extension {
		issues = append(issues, note(PhoneExtension, fieldContacts, "an extension was left out: say whom to ask for in words"))
	}
	plus, d, ok := dialled(number)
	switch {
	case !ok:
		return kept, append(issues, note(PhoneUnreadable, fieldContacts, "not readable as one telephone number: write it with + and the country's code")), false
	case dummy(d):
		return Contact{}, append(issues, note(PhoneDummy, fieldContacts, "a filler instead of a number: leave it empty, or name somebody who can be called")), false
	}
	full, more := international(plus, d, countries().byText[Fold(country)])
	if full != "" && !plus {
		// What a list wrote without the country's code is read again by the plan of
		// that code: two countries may share one (Italy and the Vatican).
		if again, issues := international(true, full[1:], nil); again != full {
			full, more = "", issues
		}
	}
	if full != "" {
		kept.Value = full
	}
	return kept, append(issues, more...), full != ""
}

// cutExtension parts a number from "x123", "ext. 123", "poste 123".
func cutExtension(s string) (string, bool) {
	low := strings.ToLower(s)
	for _, mark := range []string{"ext", "poste", "extn", "x", "#", ";"} {
		if i := strings.Index(low, mark); i > 5 && i < len(s) { // ToLower may change lengths
			return s[:i], true
		}
	}
	return s, false
}

// dialled returns the digits, and whether they begin with the country's code.
func dialled(s string) (plus bool, d string, ok bool) {
	s = strings.TrimSuffix(strings.TrimSpace(s), ".0") // a number cell
	var b strings.Builder
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == '+' && b.Len() == 0:
			plus = true
		case r == '+' && i == len(s)-1: // 254712345678+, as right-to-left sheets write it
			plus = true
		case unicode.IsSpace(r) || strings.ContainsRune("-.()", r):
		default:
			return false, "", false
		}
	}
	d = b.String()
	if !plus && strings.HasPrefix(d, "00") && len(d) > 9 {
		plus, d = true, d[2:]
	}
	return plus, d, d != ""
}

// dummy tells what clerks type to get past a form: one digit again and again, 123456789.
func dummy(d string) bool {
	tail := d[max(0, len(d)-7):]
	return len(d) >= 5 && (strings.Trim(tail, tail[:1]) == "" || strings.HasPrefix("1234567890", d) || strings.HasPrefix("0123456789", d))
}

// international adds the country's code to digits, or says why not.
func international(plus bool, d string, home *country) (string, []Issue) {
	if !plus && home != nil && home.calling == "1" && strings.HasPrefix(d, "011") && len(d) > 10 {
		plus, d = true, d[3:]
	}
	if plus {
		plan := planOf(d)
		if plan != nil && plan.trunk == "0" { // +44 (0)20, +254 0712: no number there begins with it, as Italy's do
			d = plan.calling + strings.TrimPrefix(d[len(plan.calling):], "0")
		}
		switch {
		case plan == nil:
			return "", []Issue{note(PhoneUnreadable, fieldContacts, "no country has this code: compare with the paper")}
		case trunkAgain(plan, d[len(plan.calling):]):
			return "", []Issue{note(PhoneUnreadable, fieldContacts, "two zeros after the country's code: no number there begins so; compare with the paper")}
		case !fits(plan, d[len(plan.calling):]) || len(d) > mostPhone:
			return "", []Issue{note(PhoneLength, fieldContacts, "too few or too many digits for its country: compare with the paper")}
		}
		return "+" + d, nil
	}
	if home == nil || home.calling == "" {
		return "", []Issue{note(PhoneNoCountry, fieldContacts, "the country is not known: write the number with + and the country's code")}
	}
	if rest, ok := strings.CutPrefix(d, home.trunk); ok && home.trunk != "" && fits(home, rest) && !trunkAgain(home, rest) {
		return "+" + home.calling + rest, nil
	}
	if rest, ok := strings.CutPrefix(d, home.calling); ok && home.least > 0 && fits(home, rest) && !trunkAgain(home, rest) && !(fits(home, d) && home.most == len(d)) {
		return "+" + d, nil
	}
	if fits(home, d) && !strings.HasPrefix(d, "0") || home.trunk == "" && fits(home, d) {
		if home.trunk == "" || home.calling == "1" {
			return "+" + home.calling + d, nil
		}
		return "+" + home.calling + d, []Issue{note(PhoneLostZero, fieldContacts, "the leading zero is gone: format the column as text")}
	}
	return "", []Issue{note(PhoneLength, fieldContacts, "too few or too many digits for its country: compare with the paper")}
}

// trunkAgain reports whether a national number still begins with the zero that is
// dialled before it: no number there does, and E.164 would be cut a second time.
func trunkAgain(c *country, national string) bool {
	return c.trunk == "0" && strings.HasPrefix(national, "0")
}

// planOf finds the country, or one of those that share its code, of digits that
// begin with a country's code.
func planOf(d string) *country {
	for n := 3; n >= 1; n-- {
		if len(d) > n {
			if list := countries().byCalling[d[:n]]; len(list) > 0 {
				best := list[0]
				for _, c := range list { // the widest plan of those that share the code
					if c.least > 0 && (best.least == 0 || c.most > best.most) {
						best = c
					}
				}
				return best
			}
		}
	}
	return nil
}

// fits reports whether a national number may have so many digits.
func fits(c *country, national string) bool {
	least, most := c.least, c.most
	if most == 0 {
		least, most = leastPhone-len(c.calling), mostPhone-len(c.calling)
		least = max(least, 5)
	}
	return len(national) >= least && len(national) <= most
}

// phoneKey is what a telephone number is found by; zero for one that is not E.164.
func phoneKey(c Contact) Key {
	if d, ok := strings.CutPrefix(c.Value, "+"); c.Kind != "phone" || !ok || !digits(d) || len(d) < leastPhone {
		return Key{}
	}
	return Key{Kind: KeyPhone, Text: c.Value}
}
