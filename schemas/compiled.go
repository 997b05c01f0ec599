package schemas

import (
	"bytes"
	"errors"
	"fmt"

	"aidpass/internal/cbor"
)

// The compiled form, deterministic CBOR:
//
//	types = ["aidpass-types-1", * type]
//	type  = { 1: name, 2: vct, 3: version, 4: [* claim], ? 5: validity, ? 6: longest validity, ? 7: freshness,
//	          ? 8: grace days, ? 9: gate, ? 10: held by, ? 11: answers known, ? 12: live, ? 13: one round, ? 14: programme claim,
//	          ? 15: round, ? 16: rounds, ? 17: site, ? 18: size band, ? 19: from, ? 20: to, ? 21: labels, ? 22: descriptions,
//	          ? 23: one of }
//	claim = { 1: name, ? 2: key, 3: kind, ? 4: values, ? 5: barred, ? 6: placement, ? 7: sensitivity, ? 8: disclosure,
//	          ? 9: purpose, ? 10: retention, ? 11: required, ? 12: min, ? 13: max, ? 14: item, ? 15: labels, ? 16: descriptions,
//	          ? 17: value labels }
//
// Members that are zero, false or empty are left out. Labels are maps from a
// language tag to text; value labels from a tag to a list.
const compiledForm = "aidpass-types-1"

// Limits of the compiled form: what a pack may bring.
const (
	MaxCompiledBytes = 1 << 20
	MaxTypes         = 64
	MaxClaims        = 64
	maxLanguages     = 32
	maxListed        = 64   // values of an enum, names of a list
	maxText          = 1024 // bytes of one text
)

// ErrCompiled: the bytes are not compiled types, or not in their one encoding.
var ErrCompiled = errors.New("schemas: not compiled types")

// fields walks the members of a map in the order of their numbers, which both
// writing and reading go through: so the two cannot come apart.
type fields interface {
	text(n uint64, s *string)
	number(n uint64, v *int64)
	flag(n uint64, v *bool)
	list(n uint64, l *[]string)
	texts(n uint64, m *map[string]string)
	lists(n uint64, m *map[string][]string)
}

func (t *Type) walk(f fields) {
	version, grace := int64(t.Version), int64(t.GraceDays)
	f.text(1, &t.Name)
	f.text(2, &t.VCT)
	f.number(3, &version)
	if g, ok := f.(claimWalker); ok {
		g.claims(4, &t.Claims)
	}
	f.number(5, &t.Validity)
	f.number(6, &t.MaxValidity)
	f.number(7, &t.Freshness)
	f.number(8, &grace)
	f.list(9, &t.Gate)
	f.list(10, &t.HeldBy)
	f.flag(11, &t.IsRegistration)
	f.text(12, &t.Live)
	f.flag(13, &t.OneRound)
	f.text(14, &t.ProgrammeClaim)
	f.text(15, &t.RoundClaim)
	f.text(16, &t.RoundsClaim)
	f.text(17, &t.SiteClaim)
	f.text(18, &t.SizeBandClaim)
	f.text(19, &t.FromClaim)
	f.text(20, &t.ToClaim)
	f.texts(21, &t.Labels)
	f.texts(22, &t.Descriptions)
	f.list(23, &t.OneOf)
	t.Version, t.GraceDays = int(version), int(grace)
}

// claimWalker is the part of fields that only a type needs.
type claimWalker interface{ claims(n uint64, c *[]Claim) }

func (c *Claim) walk(f fields) {
	kind, placement, disclosure := int64(c.Kind), int64(c.Placement), int64(c.Disclosure)
	sensitivity, low, high, item := int64(c.Sensitivity), int64(c.Min), int64(c.Max), int64(c.Item)
	f.text(1, &c.Name)
	f.number(2, &c.Key)
	f.number(3, &kind)
	f.list(4, &c.Values)
	f.list(5, &c.Barred)
	f.number(6, &placement)
	f.number(7, &sensitivity)
	f.number(8, &disclosure)
	f.text(9, &c.Purpose)
	f.text(10, &c.Retention)
	f.flag(11, &c.Required)
	f.number(12, &low)
	f.number(13, &high)
	f.number(14, &item)
	f.texts(15, &c.Labels)
	f.texts(16, &c.Descriptions)
	f.lists(17, &c.ValueLabels)
	c.Kind, c.Placement, c.Disclosure = Kind(kind), Placement(placement), Disclosure(disclosure)
	c.Sensitivity, c.Min, c.Max, c.Item = int(sensitivity), int(low), int(high), int(item)
}

// Append appends the compiled form of types in their order. The types must be
// sound (NewSet says so); what compile and Decode return is.
func Append(dst []byte, types []*Type) []byte {
	dst = cbor.AppendText(cbor.AppendArray(dst, len(types)+1), compiledForm)
	for _, t := range types {
		dst = t.appendTo(dst)
	}
	return dst
}

func (t *Type) appendTo(dst []byte) []byte {
	var w writer
	copied := *t // walk writes numbers back; a shared type must not be touched
	copied.walk(&w)
	return w.appendTo(dst)
}

// writer collects the members that are not zero.
type writer struct {
	n    int
	body []byte
}

func (w *writer) appendTo(dst []byte) []byte {
	return append(cbor.AppendMap(dst, w.n), w.body...)
}

func (w *writer) member(n uint64) {
	w.n++
	w.body = cbor.AppendUint(w.body, n)
}

func (w *writer) text(n uint64, s *string) {
	if *s != "" {
		w.member(n)
		w.body = cbor.AppendText(w.body, *s)
	}
}

func (w *writer) number(n uint64, v *int64) {
	if *v != 0 {
		w.member(n)
		w.body = cbor.AppendInt(w.body, *v)
	}
}

func (w *writer) flag(n uint64, v *bool) {
	if *v {
		w.member(n)
		w.body = cbor.AppendBool(w.body, true)
	}
}

func (w *writer) list(n uint64, l *[]string) {
	if len(*l) > 0 {
		w.member(n)
		w.body = appendList(w.body, *l)
	}
}

func appendList(dst []byte, l []string) []byte {
	dst = cbor.AppendArray(dst, len(l))
	for _, s := range l {
		dst = cbor.AppendText(dst, s)
	}
	return dst
}

func (w *writer) texts(n uint64, m *map[string]string) {
	if len(*m) > 0 {
		w.member(n)
		var tags cbor.MapBuilder
		for tag, text := range *m {
			tags.PutText(tag, cbor.AppendText(nil, text))
		}
		w.body = inOrder(&tags, w.body)
	}
}

func (w *writer) lists(n uint64, m *map[string][]string) {
	if len(*m) > 0 {
		w.member(n)
		var tags cbor.MapBuilder
		for tag, list := range *m {
			tags.PutText(tag, appendList(nil, list))
		}
		w.body = inOrder(&tags, w.body)
	}
}

func (w *writer) claims(n uint64, claims *[]Claim) {
	w.member(n)
	w.body = cbor.AppendArray(w.body, len(*claims))
	for _, c := range *claims {
		var inner writer
		c.walk(&inner)
		w.body = inner.appendTo(w.body)
	}
}

// inOrder appends a map whose keys came from a Go map, so that none stands twice.
func inOrder(m *cbor.MapBuilder, dst []byte) []byte {
	dst, err := m.Append(dst)
	if err != nil {
		panic("schemas: two equal keys out of one map")
	}
	return dst
}

// Decode reads compiled types. b must be the one encoding that Append gives;
// everything else is ErrCompiled. The types are sound in themselves (keys,
// placement, limits), which is not to say that somebody trusted wrote them.
func Decode(b []byte) ([]*Type, error) {
	if len(b) > MaxCompiledBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrCompiled, len(b), MaxCompiledBytes)
	}
	if err := cbor.CheckDeterministic(b, cbor.DefaultLimits); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCompiled, err)
	}
	r := cbor.NewReader(b)
	n := r.Array() - 1
	if n < 0 || n > MaxTypes || string(r.Text()) != compiledForm {
		return nil, fmt.Errorf("%w: no %q with at most %d types", ErrCompiled, compiledForm, MaxTypes)
	}
	types := make([]*Type, 0, n)
	for range n {
		t := new(Type)
		w := reader{r: &r}
		w.open()
		t.walk(&w)
		if !w.closed() {
			return nil, fmt.Errorf("%w: type %q", ErrCompiled, clip(t.Name))
		}
		if err := t.sound(); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCompiled, err)
		}
		types = append(types, t)
	}
	// What walk reads more widely than it writes (a zero that could have been
	// left out) shows here, so that one type has one compiled form.
	if !r.Done() || !bytes.Equal(Append(make([]byte, 0, len(b)), types), b) {
		return nil, fmt.Errorf("%w: not in their one encoding", ErrCompiled)
	}
	return types, nil
}

// reader reads the members of one map in ascending order.
type reader struct {
	r    *cbor.Reader
	left int    // members not yet begun, without the one whose number is next
	next uint64 // number of the member whose value comes next; 0: none
	bad  bool
}

func (w *reader) open() {
	w.left = w.r.Map()
	w.advance()
}

func (w *reader) advance() {
	w.next = 0
	if w.left > 0 {
		w.left--
		w.next = w.r.Uint()
	}
}

// closed reports that every member was one that walk knows.
func (w *reader) closed() bool { return !w.bad && w.next == 0 && w.left == 0 && w.r.Err() == nil }

// member reports whether member n comes next; then its value is read and
// advance is called.
func (w *reader) member(n uint64) bool { return w.next == n && !w.bad && w.r.Err() == nil }

func (w *reader) string() string {
	b := w.r.Text()
	if len(b) > maxText {
		w.bad = true
		return ""
	}
	return string(b)
}

func (w *reader) count(limit int, n int) int {
	if n > limit {
		w.bad = true
		return 0
	}
	return n
}

func (w *reader) text(n uint64, s *string) {
	if w.member(n) {
		*s = w.string()
		w.advance()
	}
}

func (w *reader) number(n uint64, v *int64) {
	if w.member(n) {
		*v = w.r.Int()
		if *v < 0 || *v > 1<<53 {
			w.bad = true
		}
		w.advance()
	}
}

func (w *reader) flag(n uint64, v *bool) {
	if w.member(n) {
		*v = w.r.Bool()
		w.advance()
	}
}

func (w *reader) strings() []string {
	n := w.count(maxListed, w.r.Array())
	l := make([]string, 0, n)
	for range n {
		l = append(l, w.string())
	}
	return l
}

func (w *reader) list(n uint64, l *[]string) {
	if w.member(n) {
		*l = w.strings()
		w.advance()
	}
}

func (w *reader) texts(n uint64, m *map[string]string) {
	if w.member(n) {
		*m = map[string]string{}
		for range w.count(maxLanguages, w.r.Map()) {
			tag := w.string()
			(*m)[tag] = w.string()
		}
		w.advance()
	}
}

func (w *reader) lists(n uint64, m *map[string][]string) {
	if w.member(n) {
		*m = map[string][]string{}
		for range w.count(maxLanguages, w.r.Map()) {
			tag := w.string()
			(*m)[tag] = w.strings()
		}
		w.advance()
	}
}

func (w *reader) claims(n uint64, claims *[]Claim) {
	if !w.member(n) {
		return
	}
	count := w.count(MaxClaims, w.r.Array())
	*claims = make([]Claim, count)
	for i := range *claims {
		inner := reader{r: w.r}
		inner.open()
		(*claims)[i].walk(&inner)
		if !inner.closed() {
			w.bad = true
			return
		}
	}
	w.advance()
}
