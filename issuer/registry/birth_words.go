package registry

import "strings"

// parseSerial reads a spreadsheet's day number.
func parseSerial(s string, opt BirthOptions) (date, bool) {
	whole, part, _ := strings.Cut(s, ".")
	if !digits(whole) || len(whole) > 5 || part != "" && !digits(part) || !opt.Serial && len(whole) < 5 {
		return date{}, false
	}
	base := day(1899, 12, 30) // Lotus counted a 29 February 1900, and every sheet since
	if opt.Serial1904 {
		base = day(1904, 1, 1)
	}
	t := base.AddDate(0, 0, max(number(whole), 2))
	return date{y: t.Year(), m: int(t.Month()), d: t.Day()}, true
}

// parseAge reads an age in completed years; months and weeks are age 0 and up.
func parseAge(s string, opt BirthOptions) (Birth, []Issue) {
	bad := []Issue{block(BirthAge, fieldBirth, "not readable as an age in years: write the number alone")}
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	if i == 0 || i > 3 {
		return Birth{}, bad
	}
	n := number(s[:i])
	unit := s[i:]
	if strings.HasPrefix(unit, ".") || strings.HasPrefix(unit, ",") { // 34.0, 2.5: what is completed counts
		unit = strings.TrimLeft(unit[1:], "0123456789")
	}
	switch unit = Fold(unit); {
	case ageYears[unit]:
	case ageMonths[unit]:
		n /= 12
	case ageWeeks[unit]:
		n /= 52
	case ageDays[unit]:
		n /= 365
	default:
		return Birth{}, bad
	}
	if n > OldestAge {
		return Birth{}, []Issue{block(BirthTooOld, fieldBirth, "an age over 120: compare with the paper")}
	}
	if opt.Today.IsZero() {
		return Birth{AgeDeclared: n, Precision: PrecisionUnknown, Estimated: true}, []Issue{block(BirthAge, fieldBirth, "an age without the day it was told: map the column of the registration date")}
	}
	return BirthFromAge(n, opt.Today), nil
}

var (
	ageYears  = foldedSet("", "y", "yr", "yrs", "year", "years", "years old", "yo", "y o", "ans", "an", "a", "años", "año", "anos", "سنة", "سنوات", "عام", "عاما", "اعوام", "miaka", "mwaka")
	ageMonths = foldedSet("m", "mo", "month", "months", "mois", "mes", "meses", "شهر", "اشهر", "شهور", "miezi", "mwezi")
	ageWeeks  = foldedSet("w", "wk", "week", "weeks", "semaine", "semaines", "semana", "semanas", "اسبوع", "اسابيع", "wiki")
	ageDays   = foldedSet("d", "day", "days", "jour", "jours", "dia", "dias", "يوم", "ايام", "siku")
)

// months are the names of months as dates write them: English, French, Spanish,
// Arabic of Egypt and the Gulf, of the Levant, of the Maghreb, and Swahili.
var months = func() map[string]int {
	m := map[string]int{}
	for _, line := range []string{
		"january february march april may june july august september october november december",
		"jan feb mar apr - jun jul aug sep oct nov dec",
		"- - - - - - - - sept - - -",
		"janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
		"janv févr - avr - - juil aout - - - déc",
		"- fevrier - - - - - - - - - decembre",
		"enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
		"ene - - abr - - - ago setiembre - - dic",
		"يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
		"جانفي فيفري - ابريل ماي جوان جويلية اغسطس - اكتوبر - -",
		"- - - إبريل - يونيه يوليه أوت - - - -",
		"- شباط آذار نيسان أيار حزيران تموز آب أيلول - - -",
		"januari februari machi aprili mei juni julai agosti septemba oktoba novemba desemba",
	} {
		for i, name := range strings.Fields(line) {
			if name != "-" {
				m[name] = i + 1
			}
		}
	}
	return m
}()
