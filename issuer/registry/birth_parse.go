package registry

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// DateOrder is the order of day and month in dates such as 03/04/1990.
type DateOrder uint8

// The orders.
const (
	OrderUnknown DateOrder = iota
	DayFirst
	MonthFirst
)

// BirthOptions say how a column of births is to be read.
type BirthOptions struct {
	Order DateOrder
	Today time.Time // the day of registration, against which births are in the future; zero: not checked
	// Exact: the source vouches for its days, so 1 January is one.
	Exact bool
	// Age: a column of ages in completed years ("34", "34 ans", "6 months").
	Age bool
	// Serial: numbers are days of a spreadsheet, counted from 1900; Serial1904: from 1904.
	Serial     bool
	Serial1904 bool
}

// maxBirth is the longest birth text that is looked at, in bytes.
const maxBirth = 64

// ParseBirth reads a birth date as lists write it: EDTF and ISO 8601 (1987,
// 1987-05, 1987-05-12, 1987~, 198X, with a time or zone after it), day/month/year
// in the order of the column, names of months in English, French, Spanish, Arabic
// and Swahili, digits of any script.
//
// It never guesses. Where two readings are possible, the date comes back with the
// precision that both share and a blocking issue that names both orders. A text that
// cannot be read gives the zero Birth and a blocking issue; an empty one or a
// placeholder gives the zero Birth and none: it is missing, not wrong. 1 January,
// 1 July and 31 December become the year alone unless opt.Exact.
//
// DOMAIN.md 3.2 (birth), 5 (DQ-11).
func ParseBirth(text string, opt BirthOptions) (Birth, []Issue) {
	if len(text) > maxBirth || !utf8.ValidString(text) {
		return Birth{}, []Issue{unreadable}
	}
	s := strings.ToLower(strings.TrimSpace(westernDigits(cleanDate(text))))
	if zeros := strings.Trim(s, "0-/. :t"); s != "" && zeros == "" && strings.Contains(s, "00") {
		return Birth{}, []Issue{block(BirthImpossible, fieldBirth, "a date of zeros: write the year, or leave it empty")}
	}
	if s == "" || Placeholder(s) && !(opt.Age && digits(s)) { // 99 is an age
		return Birth{}, nil
	}
	if opt.Age {
		return parseAge(s, opt)
	}
	if about, ok := strings.CutPrefix(s, "~"); ok && !strings.HasSuffix(about, "~") { // as people write it: EDTF has it behind
		s = strings.TrimSpace(about) + "~"
	}
	if d, ok := parseEDTF(s); ok {
		return d.birth(opt)
	}
	if d, ok := parseSerial(s, opt); ok {
		if !opt.Serial {
			return Birth{}, []Issue{block(BirthSerial, fieldBirth,
				"a number as spreadsheets count days: format the column as dates, or say that it holds day numbers")}
		}
		if d.y == OldestYear && d.m < 3 {
			return Birth{}, []Issue{block(BirthSerial, fieldBirth, "a day number of the first weeks of 1900, which stands for nothing: write the year")}
		}
		return d.birth(opt)
	}
	d, issues := parseWritten(s, opt)
	if len(issues) > 0 && d == (date{}) {
		return Birth{}, issues
	}
	b, more := d.birth(opt)
	return b, append(issues, more...)
}

var unreadable = block(BirthUnreadable, fieldBirth, "not readable as a date: write 1987-05-12, 1987-05 or 1987")

var future = block(BirthFuture, fieldBirth, "in the future: compare with the paper; is the year of another calendar?")

// WrittenDay returns the month and day a text names when it names both without
// doubt, for DefaultDays.
func WrittenDay(text string, opt BirthOptions) (month, day int, ok bool) {
	if len(text) > maxBirth || !utf8.ValidString(text) || opt.Age {
		return 0, 0, false
	}
	s := strings.ToLower(strings.TrimSpace(westernDigits(cleanDate(text))))
	d, found := parseEDTF(s)
	if !found && opt.Serial {
		d, found = parseSerial(s, opt)
	}
	if !found {
		var issues []Issue
		if d, issues = parseWritten(s, opt); len(issues) > 0 {
			return 0, 0, false
		}
	}
	return d.m, d.d, d.m > 0 && d.d > 0
}

// cleanDate takes out marks of direction, which stand before every Arabic date of
// some spreadsheets.
func cleanDate(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case isBidi(r) || isJoiner(r) || isInvisible(r):
			return -1
		case unicode.IsSpace(r):
			return ' '
		case r == '،':
			return ','
		case r == '‐' || r == '‑' || r == '–' || r == '−':
			return '-'
		}
		return r
	}, s)
}

// date is a birth that was read: zeros for what is not known.
type date struct {
	y, m, d int
	decade  bool
	approx  bool
}

// birth judges a date and makes it a Birth.
func (d date) birth(opt BirthOptions) (Birth, []Issue) {
	if d.m > 12 || d.m < 0 || d.d < 0 || d.d > 0 && (d.d > 31 || d.d > day(d.y, d.m+1, 0).Day()) {
		return Birth{}, []Issue{block(BirthImpossible, fieldBirth, "no such day: compare with the paper, or write the year alone; is it a day of another calendar?")}
	}
	if d.y == OldestYear && d.m == 1 && d.d <= 1 { // what spreadsheets write for nothing
		return Birth{}, []Issue{block(BirthDefault, fieldBirth, "1900-01-01 stands for nothing in spreadsheets: write the year, as well as it is known")}
	}
	if d.y < OldestYear {
		return Birth{}, []Issue{block(BirthTooOld, fieldBirth, "before 1900: compare with the paper; is the year of another calendar?")}
	}
	if d.y >= 2200 {
		return Birth{}, []Issue{future}
	}
	var issues []Issue
	b := Birth{Estimated: d.approx}
	switch {
	case d.decade:
		b.EDTF, b.Precision = fmt.Sprintf("%03dX", d.y/10), PrecisionDecade
	case d.m == 0:
		b.EDTF, b.Precision = fmt.Sprintf("%04d", d.y), PrecisionYear
	case d.d == 0:
		b.EDTF, b.Precision = fmt.Sprintf("%04d-%02d", d.y, d.m), PrecisionMonth
	case defaultDay(d.m, d.d) && !opt.Exact:
		b.EDTF, b.Precision, b.ImportDefault = fmt.Sprintf("%04d", d.y), PrecisionYear, true
		issues = append(issues, note(BirthDefault, fieldBirth, "a day that forms fill in by themselves: only the year was kept"))
	default:
		b.EDTF, b.Precision = fmt.Sprintf("%04d-%02d-%02d", d.y, d.m, d.d), PrecisionDay
	}
	if d.approx {
		b.EDTF += "~"
	}
	if !opt.Today.IsZero() {
		first, last, _ := b.span()
		today := opt.Today.UTC()
		switch {
		case first.After(today):
			return Birth{}, []Issue{future}
		case completed(last, today) > OldestAge:
			return Birth{}, []Issue{block(BirthTooOld, fieldBirth, "an age over 120: compare with the paper")}
		}
	}
	return b, issues
}

// parseEDTF reads dates that begin with a year of four digits, which leaves no
// doubt: EDTF, ISO 8601 with or without a time, 1987/5/12, and 19870512.
func parseEDTF(s string) (date, bool) {
	if len(s) < 4 || !digits(s[:3]) {
		return date{}, false
	}
	approx := strings.HasSuffix(s, "~") || strings.HasSuffix(s, "?") || strings.HasSuffix(s, "%")
	s = strings.TrimRight(s, "~?%")
	if len(s) == 4 && s[3] == 'x' && digits(s[:3]) {
		return date{y: 10 * number(s[:3]), decade: true, approx: approx}, true
	}
	if len(s) < 4 || !digits(s[:4]) {
		return date{}, false
	}
	d := date{y: number(s[:4]), approx: approx}
	rest := s[4:]
	if rest == "" {
		return d, true
	}
	if digits(rest) {
		if len(rest) != 4 || d.y < OldestYear-100 || d.y > 2200 || number(rest[:2]) > 12 {
			return date{}, false // a serial, or 12051987
		}
		d.m, d.d = number(rest[:2]), number(rest[2:])
		return d.whole()
	}
	if strings.ContainsRune("-/. ", rune(rest[0])) {
		rest = withoutTime(rest[1:])
		fields := strings.FieldsFunc(rest, func(r rune) bool { return strings.ContainsRune("-/. ", r) })
		for i, f := range fields {
			n, ok := numberOrMonth(f)
			switch {
			case f == "xx" && i < 2: // 1987-05-XX
			case !ok:
				return date{}, false
			case i == 0:
				d.m = n
			case i == 1:
				d.d = n
			default:
				return date{}, false
			}
		}
		if len(fields) > 0 {
			return d.whole()
		}
	}
	return date{}, false
}

// whole takes a month or day of 00 for not known, and refuses a day without a month.
func (d date) whole() (date, bool) { return d, d.m > 0 || d.d == 0 }

// withoutTime cuts a time of day and a zone off.
func withoutTime(s string) string {
	colon := max(0, strings.IndexByte(s, ':'))
	if i := strings.LastIndexAny(s[:colon], "t "); i > 0 && digits(s[i+1:colon]) { // the t is not October's
		return strings.TrimSpace(s[:i])
	}
	return s
}

// parseWritten reads dates with the year last, or a month's name.
func parseWritten(s string, opt BirthOptions) (date, []Issue) {
	bad := []Issue{unreadable}
	s = withoutTime(s)
	fields := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("-/., \\", r) })
	var numbers []int
	var texts []string
	month := 0
	for _, f := range fields {
		if m := months[f]; m != 0 && month == 0 {
			month = m
			continue
		}
		if f == "de" || f == "del" || f == "of" {
			continue
		}
		f = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(f, "st"), "nd"), "rd"), "th")
		f = strings.TrimSuffix(f, "er")
		if !digits(f) || len(f) > 8 {
			return date{}, bad
		}
		numbers = append(numbers, number(f))
		texts = append(texts, f)
	}
	if month == 0 && len(texts) == 1 && len(texts[0]) == 8 { // 12051987
		t := texts[0]
		texts = []string{t[:2], t[2:4], t[4:]}
		numbers = []int{number(t[:2]), number(t[2:4]), number(t[4:])}
	}
	if len(texts) == 0 || len(texts) > 3 {
		return date{}, bad
	}
	year := len(texts) - 1
	switch len(texts[year]) {
	case 4:
	case 2:
		return date{}, twoDigits(numbers, month, opt)
	default:
		return date{}, bad
	}
	d := date{y: numbers[year]}
	switch {
	case month != 0 && len(numbers) == 2:
		d.m, d.d = month, numbers[0]
	case month != 0 && len(numbers) == 1:
		d.m = month
	case month == 0 && len(numbers) == 2: // 05/1987
		d.m = numbers[0]
	case month == 0 && len(numbers) == 3:
		return dayAndMonth(d, numbers[0], numbers[1], opt.Order)
	default:
		return date{}, bad
	}
	return d, nil
}

// dayAndMonth decides which of two numbers is the month.
func dayAndMonth(d date, a, b int, order DateOrder) (date, []Issue) {
	switch {
	case a == 0 && b == 0: // 00/00/1987
	case order == DayFirst:
		d.d, d.m = a, b
	case order == MonthFirst:
		d.m, d.d = a, b
	case a == b || a > 12:
		d.d, d.m = a, b
	case b > 12:
		d.m, d.d = a, b
	default:
		// Both are days of the same year: that much is known.
		return d, []Issue{block(BirthAmbiguous, fieldBirth,
			"day/month or month/day? Both readings are dates: say the order of the column, or write 1987-05-12")}
	}
	return d, nil
}

// twoDigits refuses a year of two digits, which may be of this century or the last.
func twoDigits(numbers []int, month int, opt BirthOptions) []Issue {
	issues := []Issue{block(BirthTwoDigits, fieldBirth, "a year of two digits may be of this century or the last: write all four")}
	if month == 0 && len(numbers) == 3 {
		if _, more := dayAndMonth(date{}, numbers[0], numbers[1], opt.Order); len(more) > 0 {
			issues = append(issues, more...)
		}
	}
	return issues
}

// numberOrMonth reads a field of a date.
func numberOrMonth(s string) (int, bool) {
	if m := months[s]; m != 0 {
		return m, true
	}
	return number(s), digits(s) && len(s) <= 2
}

func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// number is the value of digits that were checked, at most nine of them.
func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
