package cbor_test

import (
	"bytes"
	"math"
	"testing"

	"aidpass/internal/cbor"

	"pgregory.net/rapid"
)

// walk reads everything in r, without knowing what it is.
func walk(r cbor.Reader) {
	for !r.Done() && r.Err() == nil {
		switch r.Kind() {
		case cbor.Uint:
			r.Uint()
		case cbor.Nint:
			r.Int()
		case cbor.Bytes:
			r.Bytes()
		case cbor.Text:
			r.Text()
		case cbor.Array:
			r.Array()
		case cbor.Map:
			inner := r
			r.Map()
			inner.Skip()
		case cbor.Tag:
			r.Tag()
		case cbor.Bool:
			r.Bool()
		case cbor.Null:
			r.Null()
		case cbor.Float:
			r.Float()
		default:
			r.Raw()
		}
	}
}

// rewrite appends the next item of r with the Append functions.
func rewrite(dst []byte, r *cbor.Reader) []byte {
	switch r.Kind() {
	case cbor.Uint:
		return cbor.AppendUint(dst, r.Uint())
	case cbor.Nint:
		if big := *r; big.Int() == 0 && big.Err() == cbor.ErrRange {
			return append(dst, r.Raw()...)
		}
		return cbor.AppendInt(dst, r.Int())
	case cbor.Bytes:
		return cbor.AppendBytes(dst, r.Bytes())
	case cbor.Text:
		return cbor.AppendText(dst, string(r.Text()))
	case cbor.Array:
		n := r.Array()
		dst = cbor.AppendArray(dst, n)
		for range n {
			dst = rewrite(dst, r)
		}
		return dst
	case cbor.Map:
		var m cbor.MapBuilder
		for range r.Map() {
			key := rewrite(nil, r)
			m.Put(key, rewrite(nil, r))
		}
		dst, _ = m.Append(dst)
		return dst
	case cbor.Tag:
		return rewrite(cbor.AppendTag(dst, r.Tag()), r)
	case cbor.Bool:
		return cbor.AppendBool(dst, r.Bool())
	case cbor.Null:
		r.Null()
		return cbor.AppendNull(dst)
	case cbor.Float:
		return cbor.AppendFloat(dst, r.Float())
	}
	return append(dst, r.Raw()...)
}

func TestReaderFaultsStay(t *testing.T) {
	for _, v := range []struct {
		name, hex string
		read      func(r *cbor.Reader)
		want      error
	}{
		{"text asked, integer there", "01", func(r *cbor.Reader) { r.Text() }, cbor.ErrKind},
		{"integer asked, text there", "6161", func(r *cbor.Reader) { r.Int() }, cbor.ErrKind},
		{"unsigned asked, negative there", "20", func(r *cbor.Reader) { r.Uint() }, cbor.ErrKind},
		{"float asked, integer there", "01", func(r *cbor.Reader) { r.Float() }, cbor.ErrKind},
		{"null asked, undefined there", "f7", func(r *cbor.Reader) { r.Null() }, cbor.ErrKind},
		{"bool asked, null there", "f6", func(r *cbor.Reader) { r.Bool() }, cbor.ErrKind},
		{"integer above int64", "1b8000000000000000", func(r *cbor.Reader) { r.Int() }, cbor.ErrRange},
		{"integer below int64", "3b8000000000000000", func(r *cbor.Reader) { r.Int() }, cbor.ErrRange},
		{"indefinite bytes", "5f4100ff", func(r *cbor.Reader) { r.Bytes() }, cbor.ErrNonCanonical},
		{"indefinite array", "9fff", func(r *cbor.Reader) { r.Array() }, cbor.ErrNonCanonical},
		{"indefinite map", "bfff", func(r *cbor.Reader) { r.Map() }, cbor.ErrNonCanonical},
		{"indefinite item skipped", "9fff", func(r *cbor.Reader) { r.Skip() }, cbor.ErrNonCanonical},
		{"the end, integer asked", "", func(r *cbor.Reader) { r.Uint() }, cbor.ErrTruncated},
		{"the end, bool asked", "", func(r *cbor.Reader) { r.Bool() }, cbor.ErrTruncated},
		{"the end, any asked", "", func(r *cbor.Reader) { r.Skip() }, cbor.ErrTruncated},
		{"unchecked: bytes cut", "44ffff", func(r *cbor.Reader) { r.Bytes() }, cbor.ErrTruncated},
		{"unchecked: array of 2^40", "9b0000010000000000", func(r *cbor.Reader) { r.Array() }, cbor.ErrMalformed},
		{"unchecked: more pairs than bytes", "a2010203", func(r *cbor.Reader) { r.Map() }, cbor.ErrTruncated},
		{"unchecked: lone break skipped", "ff", func(r *cbor.Reader) { r.Skip() }, cbor.ErrMalformed},
		{"unchecked: cut float", "fb00", func(r *cbor.Reader) { r.Float() }, cbor.ErrTruncated},
		{"unchecked: reserved head", "1c", func(r *cbor.Reader) { r.Uint() }, cbor.ErrMalformed},
	} {
		r := cbor.NewReader(unhex(t, v.hex))
		v.read(&r)
		if r.Err() != v.want {
			t.Errorf("%s: got %v, want %v", v.name, r.Err(), v.want)
		}
		if k := r.Kind(); k != cbor.Invalid || r.Done() {
			t.Errorf("%s: after the fault Kind is %v and Done %v", v.name, k, r.Done())
		}
		r.Skip()
		if r.Uint() != 0 || r.Bytes() != nil || r.Array() != 0 || r.Raw() != nil || r.Err() != v.want {
			t.Errorf("%s: a call after the fault gives something, or another fault: %v", v.name, r.Err())
		}
	}
}

func TestReaderReadsACard(t *testing.T) {
	b := unhex(t, "d28443a10126a0f6f5f93c00")
	r := cbor.NewReader(b[:len(b)-2])
	if tag := r.Tag(); tag != 18 {
		t.Errorf("tag %d, want 18", tag)
	}
	if n := r.Array(); n != 4 {
		t.Errorf("array of %d, want 4", n)
	}
	bookmark := r
	if got := r.Bytes(); !bytes.Equal(got, []byte{0xa1, 0x01, 0x26}) {
		t.Errorf("bytes %x", got)
	}
	if got := bookmark.Raw(); !bytes.Equal(got, []byte{0x43, 0xa1, 0x01, 0x26}) {
		t.Errorf("raw %x", got)
	}
	if n := r.Map(); n != 0 {
		t.Errorf("map of %d, want 0", n)
	}
	r.Null()
	if !r.Bool() || r.Err() != nil || r.Done() {
		t.Errorf("true not read, or done too early: %v", r.Err())
	}
}

func TestFloatsOfEveryHalf(t *testing.T) {
	for h := range 1 << 16 {
		b := []byte{0xf9, byte(h >> 8), byte(h)}
		r := cbor.NewReader(b)
		f := r.Float()
		want := b
		if f != f {
			want = []byte{0xf9, 0x7e, 0x00}
		}
		if got := cbor.AppendFloat(nil, f); !bytes.Equal(got, want) {
			t.Fatalf("%x is %v, which encodes as %x", b, f, got)
		}
		theirs, err := refereeEncoding.Marshal(f)
		if err != nil || !bytes.Equal(theirs, want) {
			t.Fatalf("%v: the referee encodes %x, %v, want %x", f, theirs, err, want)
		}
	}
}

func TestFloatsProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.OneOf(rapid.Float64(), rapid.Map(rapid.Float32(), func(f float32) float64 { return float64(f) }),
			rapid.Map(rapid.Uint64(), math.Float64frombits)).Draw(t, "f")
		got := cbor.AppendFloat(nil, f)
		want, err := refereeEncoding.Marshal(f)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%v encodes as %x, the referee says %x, %v", f, got, want, err)
		}
	})
}

// anyItem draws an item as deterministic bytes.
func anyItem(depth int) *rapid.Generator[[]byte] {
	return rapid.Custom(func(t *rapid.T) []byte {
		kinds := 6
		if depth == 0 {
			kinds = 4
		}
		switch rapid.IntRange(0, kinds).Draw(t, "kind") {
		case 0:
			return cbor.AppendInt(nil, rapid.Int64().Draw(t, "int"))
		case 1:
			return cbor.AppendBytes(nil, rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		case 2:
			return cbor.AppendText(nil, rapid.String().Draw(t, "text"))
		case 3:
			return cbor.AppendBool(nil, rapid.Bool().Draw(t, "bool"))
		case 4:
			return cbor.AppendUint(nil, rapid.Uint64().Draw(t, "uint"))
		case 5:
			elements := rapid.SliceOfN(anyItem(depth-1), 0, 6).Draw(t, "elements")
			return append(cbor.AppendArray(nil, len(elements)), bytes.Join(elements, nil)...)
		}
		var m cbor.MapBuilder
		for _, key := range rapid.SliceOfNDistinct(rapid.String(), 0, 6, rapid.ID[string]).Draw(t, "keys") {
			m.PutText(key, anyItem(depth-1).Draw(t, "value"))
		}
		b, err := m.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		return b
	})
}

func TestWhatWeWriteIsDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := anyItem(4).Draw(t, "item")
		if err := cbor.CheckDeterministic(b, cbor.DefaultLimits); err != nil {
			t.Fatalf("%x: %v", b, err)
		}
		r := cbor.NewReader(b)
		if got := rewrite(nil, &r); !bytes.Equal(got, b) || !r.Done() {
			t.Fatalf("%x reads and writes as %x: %v", b, got, r.Err())
		}
		var v any
		if err := referee.Unmarshal(b, &v); err != nil {
			t.Fatalf("%x: the referee says %v", b, err)
		}
		if got, err := refereeEncoding.Marshal(v); err != nil || !bytes.Equal(got, b) {
			t.Fatalf("%x: the referee re-encodes it as %x, %v", b, got, err)
		}
		// Any part cut off is noticed.
		if _, err := cbor.Check(b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")], cbor.DefaultLimits); err != cbor.ErrTruncated {
			t.Fatalf("cut: %v", err)
		}
	})
}

func TestMapBuilder(t *testing.T) {
	var m cbor.MapBuilder
	m.PutText("b", cbor.AppendUint(nil, 1))
	m.PutInt(-1, cbor.AppendUint(nil, 2))
	m.PutInt(24, cbor.AppendUint(nil, 3))
	m.Put(cbor.AppendBytes(nil, []byte{9}), cbor.AppendNull(nil))
	m.PutInt(1, cbor.AppendBool(nil, true))
	got, err := m.Append([]byte{0xff})
	if want := unhex(t, "ffa501f51818032002"+"4109f6"+"616201"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %x, %v, want %x", got, err, want)
	}
	if m.Len() != 5 {
		t.Errorf("Len is %d, want 5", m.Len())
	}
	m.PutInt(24, nil)
	if got, err := m.Append([]byte{0xff}); err != cbor.ErrDuplicateKey || !bytes.Equal(got, []byte{0xff}) {
		t.Errorf("same key twice: got %x, %v", got, err)
	}
	m.Reset()
	if got, err := m.Append(nil); err != nil || !bytes.Equal(got, []byte{0xa0}) {
		t.Errorf("after Reset: got %x, %v", got, err)
	}
}
