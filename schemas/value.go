package schemas

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"aidpass/internal/jose"
)

// A ValueError is a claim whose value does not fit. It never repeats the value:
// errors are logged, and values are about people.
type ValueError struct {
	Claim   string // the claim's name
	Problem string // "longer than 8 characters"
}

func (e *ValueError) Error() string {
	return "schemas: claim " + strconv.Quote(clip(e.Claim)) + ": " + e.Problem
}

// clip keeps a name that came from outside from filling a log line.
func clip(name string) string {
	if len(name) > 40 {
		end := 40
		for end > 0 && !utf8.RuneStart(name[end]) {
			end--
		}
		return name[:end] + "…"
	}
	return name
}

// Parse returns v in the one Go form of the claim's kind (see Kind), from that
// form, from what JSON gives, or from the text of a spreadsheet cell. Nil and
// empty text are no value and give nil. A value that does not fit is a
// *ValueError.
func (c *Claim) Parse(v any) (any, error) {
	out, problem := c.parse(v)
	if problem != "" {
		return nil, &ValueError{c.Name, problem}
	}
	return out, nil
}

func (c *Claim) parse(v any) (out any, problem string) {
	if s, ok := v.(string); ok {
		trimmed := strings.TrimSpace(s)
		if trimmed == "" {
			return nil, ""
		}
		if len(trimmed) != len(s) { // else v is it already
			v = trimmed
		}
	}
	if v == nil {
		return nil, ""
	}
	switch c.Kind {
	case KindInt:
		n, ok := integer(v)
		if !ok {
			return nil, "not a whole number"
		}
		return n, between(n, c.Min, c.Max)
	case KindCode, KindText:
		s, ok := v.(string)
		if !ok {
			// A sheet keeps codes of digits as numbers.
			n, isInt := integer(v)
			if !isInt || c.Kind == KindText {
				return nil, "not text"
			}
			s = strconv.FormatInt(n, 10)
			v = s
		}
		return v, c.textFits(s)
	case KindBool:
		return boolean(v)
	case KindBytes:
		b, ok := v.([]byte)
		if s, isText := v.(string); isText {
			var err error
			b, err = jose.DecodeBase64(s)
			ok = err == nil
		}
		if !ok {
			return nil, "not bytes (base64url without padding)"
		}
		return b, c.bytesFit(len(b))
	case KindEnum:
		s, _ := v.(string)
		if slices.Contains(c.Values, s) {
			return v, ""
		}
		if n, ok := integer(v); ok {
			s, _ = c.Band(n)
		}
		if !slices.Contains(c.Values, s) && !slices.Contains(c.Barred, s) {
			return nil, "not one of " + strings.Join(append(slices.Clone(c.Values), c.Barred...), ", ")
		}
		return s, ""
	case KindDate:
		s, ok := v.(string)
		if _, good := days(s); !ok || !good {
			return nil, "not a date such as 2026-11-01"
		}
		return s, ""
	case KindRange:
		list, ok := integers(v, "-")
		if !ok || len(list) != 2 {
			return nil, "not a range such as 3-5"
		}
		return list, c.rangeFits(list[0], list[1])
	case KindCodes:
		return c.parseCodes(v)
	case KindInts:
		list, ok := integers(v, ",")
		if !ok {
			return nil, "not whole numbers"
		}
		for _, n := range list {
			if p := between(n, 0, c.Item); p != "" {
				return nil, p
			}
		}
		return list, c.countFits(len(list))
	case KindBenefit:
		return parseBenefit(v)
	}
	return nil, "of a kind this program does not know"
}

// Band returns the value of an enum of bands ("1", "2-3", "6+") that n falls
// into: a sheet has sizes of households, a card has bands.
func (c *Claim) Band(n int64) (string, bool) {
	for _, v := range c.Values {
		low, high, isRange := strings.Cut(v, "-")
		low, open := strings.CutSuffix(low, "+")
		from, err := strconv.ParseInt(low, 10, 32)
		to := from
		if err == nil && isRange {
			to, err = strconv.ParseInt(high, 10, 32)
		}
		if err == nil && n >= from && (open || n <= to) {
			return v, true
		}
	}
	return "", false
}

func (c *Claim) parseCodes(v any) (any, string) {
	var list []string
	switch v := v.(type) {
	case string:
		for part := range strings.FieldsFuncSeq(v, func(r rune) bool { return r == ',' || r == ';' || r == ' ' }) {
			list = append(list, part)
		}
	case []string:
		list = slices.Clone(v)
	case []any:
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return nil, "not a list of codes"
			}
			list = append(list, s)
		}
	default:
		return nil, "not a list of codes"
	}
	for _, s := range list {
		if p := codeFits(s, 1, c.Item); p != "" {
			return nil, p
		}
	}
	return list, c.countFits(len(list))
}

// What follows tells in words why a value does not fit, "" where it does. The
// same functions judge what a sheet says and what a card says.

func between(n int64, low, high int) string {
	if n < int64(low) || n > int64(high) {
		return "not from " + strconv.Itoa(low) + " to " + strconv.Itoa(high)
	}
	return ""
}

func (c *Claim) textFits(s string) string {
	if c.Kind == KindCode {
		return codeFits(s, c.Min, c.Max)
	}
	limit := MaxSealedText
	if c.Placement == Plain {
		limit = MaxPlainText
	}
	switch {
	case !utf8.ValidString(s):
		return "not UTF-8"
	case utf8.RuneCountInString(s) > c.Max || len(s) > limit:
		return "longer than " + strconv.Itoa(c.Max) + " characters or " + strconv.Itoa(limit) + " bytes"
	case s == "" || utf8.RuneCountInString(s) < c.Min:
		return "shorter than " + strconv.Itoa(max(1, c.Min)) + " characters"
	case strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }):
		return "has control characters"
	}
	return ""
}

func codeFits(s string, low, high int) string {
	if len(s) > high {
		return "longer than " + strconv.Itoa(high) + " characters"
	}
	if len(s) < max(1, low) {
		return "shorter than " + strconv.Itoa(max(1, low)) + " characters"
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return "not a code: only letters A to Z, digits and - _ ."
		}
	}
	return ""
}

func (c *Claim) bytesFit(n int) string {
	if n < c.Min || n > c.Max {
		return "not of " + strconv.Itoa(c.Min) + " to " + strconv.Itoa(c.Max) + " bytes"
	}
	return ""
}

func (c *Claim) rangeFits(from, to int64) string {
	if from > to {
		return "a range that ends before it starts"
	}
	if p := between(from, c.Min, c.Max); p != "" {
		return p
	}
	return between(to, c.Min, c.Max)
}

func (c *Claim) countFits(n int) string {
	if n < 1 || n > c.Max {
		return "not 1 to " + strconv.Itoa(c.Max) + " entries"
	}
	return ""
}

// integer takes the number types of Go and JSON, and plain decimal text.
// Floats count when they are whole and exact.
func integer(v any) (int64, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int64:
		return v, true
	case uint64:
		return int64(v), v <= 1<<53
	case float64:
		return int64(v), v >= -1<<53 && v <= 1<<53 && v == float64(int64(v))
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil && v[0] != '+'
	case interface{ Int64() (int64, error) }: // json.Number
		n, err := v.Int64()
		return n, err == nil
	}
	return 0, false
}

// integers takes a list of numbers, or text with sep between them.
func integers(v any, sep string) ([]int64, bool) {
	var list []int64
	switch v := v.(type) {
	case []int64:
		return slices.Clone(v), true
	case []int:
		for _, n := range v {
			list = append(list, int64(n))
		}
	case []any:
		for _, e := range v {
			n, ok := integer(e)
			if !ok {
				return nil, false
			}
			list = append(list, n)
		}
	case string:
		for part := range strings.SplitSeq(v, sep) {
			n, err := strconv.ParseUint(strings.TrimSpace(part), 10, 53)
			if err != nil {
				return nil, false
			}
			list = append(list, int64(n))
		}
	default:
		n, ok := integer(v)
		return []int64{n}, ok
	}
	return list, true
}

func boolean(v any) (any, string) {
	switch v := v.(type) {
	case bool:
		return v, ""
	case string:
		switch strings.ToLower(v) {
		case "true", "yes", "1":
			return true, ""
		case "false", "no", "0":
			return false, ""
		}
	}
	return nil, "not true or false"
}

// maxDay is 2199-12-31: later dates are slips of the pen.
const maxDay = 84005

// days turns 2026-11-01 into days since 1970-01-01.
func days(s string) (int64, bool) {
	t, err := time.Parse(time.DateOnly, s)
	d := t.Unix() / 86400
	return d, err == nil && len(s) == 10 && d >= 0 && d <= maxDay && t.Unix() >= 0
}

func dateOf(day uint64) string {
	return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly)
}
