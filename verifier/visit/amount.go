package visit

import (
	"fmt"
	"strconv"
	"strings"
)

// An Amount is a quantity as records write it: "2.5 kg", "120.00 KES", "3".
type Amount struct {
	Micros int64  // millionths of Unit; above 0
	Unit   string // may be empty
}

// maxMicros bounds one amount and every sum: a million millions.
const maxMicros = 1_000_000_000_000_000_000

// ParseAmount reads a decimal number, and a unit behind a blank. ok is false for a
// text that is no number: an opaque code. What looks like a number and is none that
// can be handed out (negative, zero, NaN, with an exponent, too large, finer than a
// millionth) is an error.
func ParseAmount(s string) (a Amount, ok bool, err error) {
	number, unit, _ := strings.Cut(s, " ")
	if _, err := strconv.ParseFloat(number, 64); err != nil && !rangeError(err) {
		return a, false, nil
	}
	whole, fraction, point := strings.Cut(number, ".")
	if whole == "" || len(whole) > 12 || point && fraction == "" || len(fraction) > 6 || !digits(whole) || !digits(fraction) {
		return a, false, fmt.Errorf("visit: %q is no amount", number)
	}
	n, err := strconv.ParseInt(whole+fraction+"000000"[len(fraction):], 10, 64) // 18 digits at most
	if err != nil || n == 0 {
		return a, false, fmt.Errorf("visit: %q is no amount", number)
	}
	return Amount{Micros: n, Unit: strings.TrimSpace(unit)}, true, nil
}

func rangeError(err error) bool {
	e, ok := err.(*strconv.NumError)
	return ok && e.Err == strconv.ErrRange
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func (a Amount) String() string {
	s := strconv.FormatInt(a.Micros/1_000_000, 10)
	if rest := a.Micros % 1_000_000; rest != 0 {
		s += "." + strings.TrimRight(strconv.FormatInt(1_000_000+rest, 10)[1:], "0")
	}
	if a.Unit != "" {
		s += " " + a.Unit
	}
	return s
}
