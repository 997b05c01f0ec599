package schemas

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"aidpass/internal/cbor"
)

// Values are given by claim name, in any form Claim.Parse takes; a name the type
// does not have is an error, a claim that stands elsewhere is passed over.

// EncodePlain writes the plain part of a card: a deterministic CBOR map of the
// claims placed there. It is nil when there are none to write.
//
// Errors are *ValueError with the claim's name and never its value: a value that
// does not fit, a required claim that is missing, a value that is barred from
// cards, a programme code that speaks.
func (t *Type) EncodePlain(values map[string]any) ([]byte, error) { return t.encode(values, Plain) }

// EncodeSealed writes the sealed part before it is padded and encrypted, as
// EncodePlain does the plain one.
func (t *Type) EncodeSealed(values map[string]any) ([]byte, error) { return t.encode(values, Sealed) }

func (t *Type) encode(values map[string]any, where Placement) ([]byte, error) {
	for name := range values {
		if t.Claim(name) == nil {
			return nil, &ValueError{name, "not a claim of the type " + t.Name}
		}
	}
	// The claims stand in the order of their keys, which is the order of the map.
	b, n := make([]byte, 1, 128), 0 // a byte for the head
	var present uint64
	for i := range t.Claims {
		c := &t.Claims[i]
		if c.Placement == Never && c.Kind != KindEnum {
			continue
		}
		v, err := c.Parse(values[c.Name])
		if err != nil && c.Placement == where {
			return nil, err
		}
		if s, ok := v.(string); ok && c.Kind == KindEnum && c.number(s) == 0 {
			// Whatever part is being written: a card of this person must not exist.
			return nil, &ValueError{c.Name, "a value that no card carries: use the phone or a sealed file with the case code"}
		}
		if v == nil || c.Placement != where {
			continue
		}
		if c.Name == t.ProgrammeClaim && speaks(v) {
			return nil, &ValueError{c.Name, "a programme code that says what it is for: use random letters and digits"}
		}
		b = c.append(cbor.AppendInt(b, c.Key), v)
		n++
		present |= 1 << c.Key
	}
	if err := t.whole(present, where); err != nil {
		return nil, err
	}
	switch {
	case n == 0:
		return nil, nil
	case n < 24:
		cbor.AppendMap(b[:0], n)
		return b, nil
	}
	return append(cbor.AppendMap(nil, n), b[1:]...), nil
}

// whole checks that what must be in this part of a card is there. present has
// a bit for every key, which are all below 64.
func (t *Type) whole(present uint64, where Placement) error {
	one := 0
	for i := range t.Claims {
		c := &t.Claims[i]
		if c.Placement != where {
			continue
		}
		here := present&(1<<c.Key) != 0
		if c.Required && !here {
			return &ValueError{c.Name, "missing"}
		}
		for _, name := range t.OneOf {
			if here && name == c.Name {
				one++
			}
		}
	}
	if where == Plain && len(t.OneOf) > 0 && one != 1 {
		return &ValueError{t.OneOf[0], "want exactly one of " + strings.Join(t.OneOf, ", ")}
	}
	return nil
}

// number returns what a card writes for an enum value, 0 for none.
func (c *Claim) number(value string) uint64 {
	for i, v := range c.Values {
		if v == value {
			return uint64(i) + 1
		}
	}
	return 0
}

// telling are parts of words that make a programme code speak (DOMAIN 8.1: no
// programme name on a card says who its people are). Codes are at most 8
// characters, so stems do.
var telling = []string{"SGBV", "GBV", "HIV", "AIDS", "RAPE", "WOM", "WIDOW", "GIRL", "PREG", "DISAB", "HANDI", "ORPH", "UASC", "CHILD",
	"REFUG", "ASYL", "MHPSS", "MENTAL", "HEALTH", "LEGAL", "TORTUR", "SURVIV", "VICTIM", "LGBT", "MINOR", "CHRIST", "MUSLIM", "ISLAM"}

// speaks looks at what Parse returned for a programme claim: one code or several.
func speaks(v any) bool {
	codes, _ := v.([]string)
	if s, ok := v.(string); ok {
		codes = []string{s}
	}
	for _, code := range codes {
		code = strings.ToUpper(code)
		for _, stem := range telling {
			if strings.Contains(code, stem) {
				return true
			}
		}
	}
	return false
}

// append writes a value in the form Parse returned.
func (c *Claim) append(dst []byte, v any) []byte {
	switch v := v.(type) {
	case int64:
		return cbor.AppendInt(dst, v)
	case bool:
		return cbor.AppendBool(dst, v)
	case []byte:
		return cbor.AppendBytes(dst, v)
	case []int64:
		dst = cbor.AppendArray(dst, len(v))
		for _, n := range v {
			dst = cbor.AppendInt(dst, n)
		}
		return dst
	case []string:
		dst = cbor.AppendArray(dst, len(v))
		for _, s := range v {
			dst = cbor.AppendText(dst, s)
		}
		return dst
	case map[string]any:
		return appendBenefit(dst, v)
	case string:
		switch c.Kind {
		case KindEnum:
			return cbor.AppendUint(dst, c.number(v))
		case KindDate:
			d, _ := days(v)
			return cbor.AppendInt(dst, d)
		}
		return cbor.AppendText(dst, v)
	}
	return cbor.AppendNull(dst) // not reached: Parse returns nothing else
}

// ErrPart: the bytes are not a part of a card of this type.
var ErrPart = errors.New("schemas: not the claims of this type")

// CheckPlain reports whether m is a plain part of this type: a deterministic map
// of its plain claims alone, every value within its kind and limits, nothing
// required missing. An empty m is a card without a plain part. The error wraps
// ErrPart and names a claim or a key, never a value. Nothing is allocated for
// parts that fit, benefits aside.
func (t *Type) CheckPlain(m []byte) error { return t.check(m, Plain) }

// FitPlain is CheckPlain for an m that is known to be deterministic CBOR, as
// what stood inside a payload that was checked whole.
func (t *Type) FitPlain(m []byte) error { return t.fit(m, Plain) }

// CheckSealed is CheckPlain for the opened sealed part; the zeros that pad it
// may follow.
func (t *Type) CheckSealed(m []byte) error {
	m, err := unpadded(m)
	if err != nil {
		return err
	}
	return t.check(m, Sealed)
}

func (t *Type) check(m []byte, where Placement) error {
	if len(m) > 0 {
		if err := cbor.CheckDeterministic(m, cbor.DefaultLimits); err != nil {
			return fmt.Errorf("%w: %w", ErrPart, err)
		}
	}
	return t.fit(m, where)
}

func (t *Type) fit(m []byte, where Placement) error {
	var present uint64
	if len(m) > 0 {
		r := cbor.NewReader(m)
		for range r.Map() {
			key := r.Int()
			if r.Err() != nil {
				break
			}
			c := t.onCard(where, key)
			if c == nil || key <= 0 || key > MaxSealedKey {
				return fmt.Errorf("%w: key %d is none of type %q", ErrPart, key, t.Name)
			}
			if problem := c.fits(&r); problem != "" {
				return fmt.Errorf("%w: claim %q: %s", ErrPart, c.Name, problem)
			}
			present |= 1 << key
		}
		if !r.Done() {
			return fmt.Errorf("%w: not a map by integer keys", ErrPart)
		}
	}
	if err := t.whole(present, where); err != nil {
		return fmt.Errorf("%w: %w", ErrPart, err)
	}
	return nil
}

// fits reads one value of the claim and tells why it does not fit, "" if it does.
func (c *Claim) fits(r *cbor.Reader) string {
	problem := ""
	switch c.Kind {
	case KindInt:
		problem = between(clampInt(r.Uint()), c.Min, c.Max)
	case KindCode, KindText:
		problem = c.bytesAreText(r.Text())
	case KindBool:
		r.Bool()
	case KindBytes:
		problem = c.bytesFit(len(r.Bytes()))
	case KindEnum:
		if n := r.Uint(); n < 1 || n > uint64(len(c.Values)) {
			problem = "not a number of the list"
		}
	case KindDate:
		if r.Uint() > maxDay {
			problem = "not a date"
		}
	case KindRange:
		if r.Array() != 2 {
			return "not a range"
		}
		from := clampInt(r.Uint())
		problem = c.rangeFits(from, clampInt(r.Uint()))
	case KindCodes:
		n := r.Array()
		if problem = c.countFits(n); problem != "" {
			return problem
		}
		for range n {
			if p := codeFits(string(r.Text()), 1, c.Item); p != "" {
				return p
			}
		}
	case KindInts:
		n := r.Array()
		if problem = c.countFits(n); problem != "" {
			return problem
		}
		for range n {
			if p := between(clampInt(r.Uint()), 0, c.Item); p != "" {
				return p
			}
		}
	case KindBenefit:
		if readBenefit(r) == nil {
			return "not a benefit"
		}
	default:
		return "of a kind this program does not know"
	}
	if r.Err() != nil {
		return "not " + c.Kind.String()
	}
	return problem
}

// bytesAreText is textFits without making a string of what a card says. Control
// characters are let through: screens show them harmless, and a card that was
// printed cannot be mended.
func (c *Claim) bytesAreText(b []byte) string {
	if c.Kind == KindCode {
		return codeFits(string(b), c.Min, c.Max) // the compiler keeps this string on the stack
	}
	limit := MaxSealedText
	if c.Placement == Plain {
		limit = MaxPlainText
	}
	if n := utf8.RuneCount(b); n < max(1, c.Min) || n > c.Max || len(b) > limit {
		return "too short or too long"
	}
	return ""
}

// clampInt keeps numbers past int64 past every limit.
func clampInt(n uint64) int64 { return int64(min(n, 1<<62)) }

// Find returns a reader that stands on the claim's value in a part of a card
// that was checked, and false where the part does not have it. It allocates
// nothing.
func (c *Claim) Find(m []byte) (cbor.Reader, bool) {
	r := cbor.NewReader(m)
	if len(m) == 0 || c.Placement == Never {
		return r, false
	}
	for range r.Map() {
		if key := r.Int(); key == c.Key && r.Err() == nil {
			return r, true
		}
		r.Skip()
	}
	return r, false
}

// NamePlain returns the claims of a plain part by name, each in the Go form of
// its kind. It checks m as CheckPlain does.
func (t *Type) NamePlain(m []byte) (map[string]any, error) { return t.name(m, Plain) }

// NameSealed is NamePlain for the opened sealed part, whose padding may follow.
func (t *Type) NameSealed(m []byte) (map[string]any, error) {
	m, err := unpadded(m)
	if err != nil {
		return nil, err
	}
	return t.name(m, Sealed)
}

func (t *Type) name(m []byte, where Placement) (map[string]any, error) {
	if err := t.check(m, where); err != nil {
		return nil, err
	}
	named := map[string]any{}
	if len(m) == 0 {
		return named, nil
	}
	r := cbor.NewReader(m)
	for range r.Map() {
		c := t.onCard(where, r.Int())
		if c == nil {
			return nil, ErrPart // not reached: check found a claim for every key
		}
		named[c.Name] = c.read(&r)
	}
	return named, nil
}

// read returns the value of a claim that fits.
func (c *Claim) read(r *cbor.Reader) any {
	switch c.Kind {
	case KindInt:
		return r.Int()
	case KindBool:
		return r.Bool()
	case KindBytes:
		return append([]byte{}, r.Bytes()...)
	case KindEnum:
		return c.Values[r.Uint()-1]
	case KindDate:
		return dateOf(r.Uint())
	case KindRange, KindInts:
		list := make([]int64, r.Array())
		for i := range list {
			list[i] = r.Int()
		}
		return list
	case KindCodes:
		list := make([]string, r.Array())
		for i := range list {
			list[i] = string(r.Text())
		}
		return list
	case KindBenefit:
		return readBenefit(r)
	}
	return string(r.Text())
}

// unpadded cuts the zeros after the map of a sealed part. docs/formats/card.md.
func unpadded(m []byte) ([]byte, error) {
	if len(m) == 0 {
		return m, nil
	}
	n, _, err := cbor.Scan(m, cbor.DefaultLimits)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPart, err)
	}
	for _, b := range m[n:] {
		if b != 0 {
			return nil, fmt.Errorf("%w: %w", ErrPart, cbor.ErrTrailing)
		}
	}
	return m[:n], nil
}
