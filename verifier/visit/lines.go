package visit

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Line is one of several things that are due or were given together.
type Line struct {
	Code    string // of the pack's tables; empty: there is one thing alone
	Instead string // what was given in its place; empty: the thing itself
	Amount  Amount
}

// What one record can name.
const (
	maxLines = 16
	maxCode  = 32 // bytes of a code
)

// Errors of Subtract, for the volunteer's screen to tell apart.
var (
	ErrNotDue  = errors.New("visit: something was given that is not due")
	ErrTooMuch = errors.New("visit: more was given than is due")
)

// ParseLines reads what Given and Rest say of several things, as FormatLines writes
// it: "RICE=10 kg;OIL=2 l", "RICE>MAIZE=8 kg" for maize in place of rice; "10 kg" and
// ">MAIZE=8 kg" for one thing alone. ok is false for any other text: an opaque code, told as it is.
func ParseLines(s string) (lines []Line, ok bool) {
	if a, plain, err := ParseAmount(s); plain && err == nil && !strings.Contains(a.Unit, ";") {
		return []Line{{Amount: a}}, true
	}
	for n, rest, more := 0, s, true; more; n++ {
		var one string
		one, rest, more = strings.Cut(rest, ";")
		code, amount, found := strings.Cut(one, "=")
		code, instead, swapped := strings.Cut(code, ">")
		a, number, err := ParseAmount(amount)
		if !found || !number || err != nil || !isCode(code) && (code != "" || !swapped || one != s) || swapped && !isCode(instead) || n == maxLines ||
			slices.ContainsFunc(lines, func(l Line) bool { return l.Code == code }) {
			return nil, false
		}
		lines = append(lines, Line{Code: code, Instead: instead, Amount: a})
	}
	return lines, true
}

// isCode tells what can stand as a code: it ends no part of a line.
func isCode(s string) bool { return s != "" && len(s) <= maxCode && !strings.ContainsAny(s, ";=>\r\n") }

// FormatLines writes lines so that ParseLines reads the same. A line without a code
// can only stand alone; a code that ParseLines would not take is an error.
func FormatLines(lines []Line) (string, error) {
	if len(lines) == 1 && lines[0].Code == "" && lines[0].Instead == "" {
		return lines[0].Amount.String(), nil
	}
	var b strings.Builder
	for i, l := range lines {
		if i > 0 {
			b.WriteByte(';')
		}
		b.WriteString(l.Code)
		if l.Instead != "" {
			b.WriteByte('>')
			b.WriteString(l.Instead)
		}
		b.WriteByte('=')
		b.WriteString(l.Amount.String())
	}
	s := b.String()
	if again, ok := ParseLines(s); len(lines) > 0 && (!ok || len(again) != len(lines)) {
		return "", fmt.Errorf("visit: %d things cannot be written in one record: look at their codes in the pack's tables", len(lines))
	}
	return s, nil
}

// Subtract is what stays due after given, in the order of due. What was given in place
// of a thing settles the whole of it. A thing that is not due, or of another unit, is
// ErrNotDue; more than is due of one is ErrTooMuch.
func Subtract(due, given []Line) (rest []Line, err error) {
	for _, g := range given {
		if !slices.ContainsFunc(due, func(d Line) bool { return d.Code == g.Code && (g.Instead != "" || d.Amount.Unit == g.Amount.Unit) }) {
			return nil, ErrNotDue
		}
	}
	for _, d := range due {
		for _, g := range given {
			switch {
			case g.Code != d.Code:
			case g.Instead != "":
				d.Amount.Micros = 0
			case g.Amount.Micros > d.Amount.Micros:
				return nil, ErrTooMuch
			default:
				d.Amount.Micros -= g.Amount.Micros
			}
		}
		if d.Amount.Micros > 0 {
			rest = append(rest, d)
		}
	}
	return rest, nil
}
