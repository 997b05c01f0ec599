package registry

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Precisions of a birth.
const (
	PrecisionDay     = "day"
	PrecisionMonth   = "month"
	PrecisionYear    = "year"
	PrecisionDecade  = "decade"
	PrecisionUnknown = "unknown"
)

// OldestYear and OldestAge bound what is believed (DOMAIN.md 5, DQ-11).
const (
	OldestYear = 1900
	OldestAge  = 120
)

const fieldBirth = "birth"

// Year returns the year of birth; false where not even the year is known.
func (b Birth) Year() (int, bool) {
	first, last, ok := b.span()
	return first.Year(), ok && first.Year() == last.Year()
}

// span returns the first and the last day on which she may have been born.
func (b Birth) span() (first, last time.Time, ok bool) {
	s := strings.TrimRight(b.EDTF, "~?%")
	if len(s) == 4 && s[3] == 'X' {
		decade, err := strconv.Atoi(s[:3])
		if err != nil {
			return first, last, false
		}
		return day(decade*10, 1, 1), day(decade*10+9, 12, 31), true
	}
	for _, layout := range []string{"2006-01-02", "2006-01", "2006"} {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		switch layout {
		case "2006-01":
			return t, t.AddDate(0, 1, -1), true
		case "2006":
			return t, t.AddDate(1, 0, -1), true
		}
		return t, t, true
	}
	return first, last, false
}

// Age returns the completed years she may have on a day, from least to most; the
// two are equal when the age is certain. known is false when nothing is known of
// the birth. A birth after the day has age 0.
func (b Birth) Age(at time.Time) (least, most int, known bool) {
	first, last, ok := b.span()
	if !ok {
		return 0, 0, false
	}
	return completed(last, at), completed(first, at), true
}

// AdultAge is the age from which somebody is asked and answers alone.
const AdultAge = 18

// Adult says whether she is an adult on a day. decided is false where the answer
// differs across the days on which she may have been born, or nothing is known:
// then people decide, and no default does. An estimate that is a year near the
// border is not decided either.
//
// DOMAIN.md 3.2 (birth).
func (b Birth) Adult(at time.Time) (adult, decided bool) { return b.AtLeast(AdultAge, at) }

// AtLeast is Adult for any age.
func (b Birth) AtLeast(age int, at time.Time) (yes, decided bool) {
	least, most, known := b.Age(at)
	if b.Estimated || strings.HasSuffix(b.EDTF, "~") {
		least, most = least-1, most+1
	}
	switch {
	case !known:
		return false, false
	case least >= age:
		return true, true
	}
	return false, most < age
}

func completed(born, at time.Time) int {
	at = at.UTC()
	years := at.Year() - born.Year()
	if at.Month() < born.Month() || at.Month() == born.Month() && at.Day() < born.Day() {
		years--
	}
	return max(years, 0)
}

func day(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }

// BirthFromAge is the birth of one who says on a day that she has completed so
// many years. Two calendar years are possible; the one with more of the possible
// days is taken, as an estimate, and the age as it was told is kept beside it.
func BirthFromAge(age int, on time.Time) Birth {
	on = on.UTC()
	year := on.Year() - age
	if on.YearDay() < 183 {
		year--
	}
	return Birth{
		EDTF: fmt.Sprintf("%04d~", year), Precision: PrecisionYear, Estimated: true,
		AgeDeclared: age, DeclaredOn: on.Format(time.DateOnly),
	}
}

// DefaultDays counts the days of a column of births, to see whether forms or clerks
// filled in 1 January where nobody knew.
type DefaultDays struct{ all, first int }

// Add counts a birth as it was written, before any default was taken for a year:
// its month and day.
func (d *DefaultDays) Add(month, day int) {
	d.all++
	if month == 1 && day == 1 {
		d.first++
	}
}

// TooMany reports whether 1 January stands there more than three times as often as
// chance lets it, in a column long enough to tell: then no day of this column's
// defaults is believed, even where the source says its days are exact.
//
// DOMAIN.md 3.2 (birth): P(01-01) > 3 x 1/365.
func (d *DefaultDays) TooMany() bool {
	// Under four of them, two people born on that day would condemn a short list.
	return d.first >= 4 && d.first*365 > 3*d.all
}

// defaultDay reports days that forms and registers fill in by themselves.
func defaultDay(month, day int) bool {
	return day == 1 && (month == 1 || month == 7) || day == 31 && month == 12
}

// Span returns the first and the last day on which she may have been born; false where
// nothing is known, or the text is no date that is kept.
func (b Birth) Span() (first, last time.Time, ok bool) { return b.span() }
