package registry_test

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"

	"aidpass/issuer/registry"
)

func TestValuesComeBackAsTheyWereKept(t *testing.T) {
	for name, c := range map[string]struct{ in, want any }{
		"nothing":          {nil, nil},
		"a name":           {"يوسف الحسن", "يوسف الحسن"},
		"a size":           {6, int64(6)},
		"a debt":           {int64(-3), int64(-3)},
		"a huge number":    {uint64(math.MaxUint64), uint64(math.MaxUint64)},
		"a share":          {0.25, 0.25},
		"a yes":            {true, true},
		"bytes":            {[]byte{1, 2}, []byte{1, 2}},
		"languages":        {[]string{"som", "swa"}, []any{"som", "swa"}},
		"rounds":           {[]int64{1, 4}, []any{int64(1), int64(4)}},
		"a list of things": {[]any{"a", int64(1), nil}, []any{"a", int64(1), nil}},
		"an entitlement":   {map[string]any{"amount": "120.00", "currency": "JOD"}, map[string]any{"amount": "120.00", "currency": "JOD"}},
	} {
		b, err := registry.AppendValue(nil, c.in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := registry.ReadValue(b); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %#v came back as %#v, %v", name, c.in, got, err)
		}
	}
}

func TestValuesThatCannotBeKept(t *testing.T) {
	deep := any("x")
	for range 20 {
		deep = []any{deep}
	}
	for name, v := range map[string]any{
		"not UTF-8": "a\xff", "no number": math.NaN(), "no end": math.Inf(1), "a channel": make(chan int), "too deep": deep,
		"too many": make([]int64, 10_001), "not UTF-8 inside": map[string]any{"a": []any{"\xff"}},
	} {
		if _, err := registry.AppendValue(nil, v); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// FuzzReadValue: what reads, writes the same bytes again; nothing panics.
func FuzzReadValue(f *testing.F) {
	for _, v := range []any{nil, "a", 1.5, int64(-7), []any{"x", true}, map[string]any{"b": []byte{1}, "a": uint64(1 << 63)}} {
		b, err := registry.AppendValue(nil, v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(strings.Repeat("\x81", 50)))
	f.Add([]byte(strings.Repeat("\x81", 9) + "0")) // one list too deep
	f.Add([]byte{0xa1, 0x01, 0x02})                // a map by integers is not ours
	f.Add([]byte{0xf9, 0x7e, 0x00})                // not a number
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := registry.ReadValue(b)
		if err != nil {
			return
		}
		again, err := registry.AppendValue(nil, v)
		if err != nil || !bytes.Equal(b, again) {
			t.Errorf("%x reads as %#v and writes as %x, %v", b, v, again, err)
		}
	})
}
