package intake

import (
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/roster"
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
	return ok
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

// dayMonth are dates that begin with two numbers that may be day or month.
var dayMonth = regexp.MustCompile(`^(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{2}|\d{4})\b`)

// orders counts what dates of a column show of its order.
type orders struct{ dayFirst, monthFirst, open int }

func (o *orders) see(v string) {
	m := dayMonth.FindStringSubmatch(strings.Map(western, v))
	if m == nil {
		return
	}
	a, _ := strconv.Atoi(m[1])
	b, _ := strconv.Atoi(m[2])
	switch {
	case a > 31 || b > 31 || a > 12 && b > 12 || a == 0 || b == 0:
	case a > 12:
		o.dayFirst++
	case b > 12:
		o.monthFirst++
	case a != b:
		o.open++
	}
}

// western writes Arabic and Persian digits as 0 to 9.
func western(r rune) rune {
	switch {
	case r >= '٠' && r <= '٩':
		return r - '٠' + '0'
	case r >= '۰' && r <= '۹':
		return r - '۰' + '0'
	case unicode.Is(unicode.Bidi_Control, r):
		return -1
	}
	return r
}

// decide takes the order that a value over 12 proves, where the others do not
// prove the opposite but for one slip in twenty.
func (o orders) decide() Order {
	switch {
	case o.dayFirst > 0 && o.dayFirst >= 20*o.monthFirst:
		return DayFirst
	case o.monthFirst > 0 && o.monthFirst >= 20*o.dayFirst:
		return MonthFirst
	}
	return ""
}

// guessOrders reads the dates of a table until their order is known. A column
// without an order stays one where some date needs it: Questions asks.
func guessOrders(file *roster.File, t *TablePlan, s *sample) error {
	open := map[int]*orders{}
	for i, c := range t.Columns {
		if c.Field == BirthDate || c.Field == Registered {
			o := &orders{}
			for _, v := range s.cells[c.Column] {
				o.see(v)
			}
			t.Columns[i].Order = o.decide()
			if t.Columns[i].Order == "" || o.dayFirst > 0 && o.monthFirst > 0 {
				open[i] = &orders{}
			}
		}
	}
	if len(open) == 0 || s.rows < sampleRows {
		return nil
	}
	rows, err := file.Rows(t.Name)
	if err != nil {
		return err
	}
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		for i, o := range open {
			o.see(row.Cell(t.Columns[i].Column))
		}
	}
	for i, o := range open {
		t.Columns[i].Order = o.decide()
	}
	return nil
}
