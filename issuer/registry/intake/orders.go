package intake

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"aidpass/issuer/registry/roster"
)

// guessOrders reads the dates and the letters of sexes of a table until what they mean
// is known. A column without an order stays one where some value needs it: Questions
// asks. A column that has one keeps it.
func guessOrders(file *roster.File, t *TablePlan, s *sample) error {
	open := map[int]evidence{}
	for i, c := range t.Columns {
		o := c.evidence()
		if o == nil || c.Order != "" {
			continue
		}
		for _, v := range s.cells[c.Column] {
			o.see(v)
		}
		t.Columns[i].Order = o.decide()
		if s.rows >= sampleRows && !o.sure() {
			open[i] = c.evidence()
		}
	}
	if len(open) == 0 {
		return nil
	}
	err := eachRow(file, t.Name, func(row *roster.Row) {
		for i, o := range open {
			o.see(row.Cell(t.Columns[i].Column))
		}
	})
	if err != nil {
		return err
	}
	for i, o := range open {
		t.Columns[i].Order = o.decide()
	}
	return nil
}

// evidence is what the values of a column show of its order.
type evidence interface {
	see(v string)
	decide() Order                                 // "": undecided, or nothing to decide
	sure() bool                                    // what follows cannot change it
	ask(c ColumnPlan) (what string, example Order) // what is open; "" for nothing
}

// evidence returns an empty one for a column that may have an order; nil for others.
func (c ColumnPlan) evidence() evidence {
	switch c.Field {
	case BirthDate, Registered:
		return &orders{}
	case Sex:
		return &letters{}
	}
	return nil
}

func eachRow(file *roster.File, table string, fn func(*roster.Row)) error {
	rows, err := file.Rows(table)
	if err != nil {
		return err
	}
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		fn(&row)
	}
}

// dayMonth are dates that begin with two numbers that may be day or month.
var dayMonth = regexp.MustCompile(`^(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{2}|\d{4})\b`)

// orders counts what dates of a column show of its order.
type orders struct{ dayFirst, monthFirst, open int }

func (o *orders) sure() bool { return (o.dayFirst > 0) != (o.monthFirst > 0) }

func (o *orders) ask(c ColumnPlan) (string, Order) {
	switch {
	case o.open == 0:
		return "", ""
	case o.dayFirst > 0:
		return fmt.Sprintf("column %q writes some dates day first and some month first, and %d may be either", c.Column, o.open), DayFirst
	}
	return fmt.Sprintf("column %q has %d dates that may be day/month or month/day, and no other date tells which", c.Column, o.open), DayFirst
}

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
func (o *orders) decide() Order {
	switch {
	case o.dayFirst > 0 && o.dayFirst >= 20*o.monthFirst:
		return DayFirst
	case o.monthFirst > 0 && o.monthFirst >= 20*o.dayFirst:
		return MonthFirst
	}
	return ""
}
