package cbor_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"aidpass/internal/cbor"
	"aidpass/internal/publicvectors"

	fx "github.com/fxamacker/cbor/v2"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readJSON(t testing.TB, path string, v any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

// item is a line of testdata/items.json: bytes and the fault that
// CheckDeterministic finds in them, empty for none.
type item struct{ Name, Hex, Fault string }

var faults = map[string]error{
	"malformed": cbor.ErrMalformed, "truncated": cbor.ErrTruncated, "too large": cbor.ErrTooLarge,
	"duplicate key": cbor.ErrDuplicateKey, "trailing": cbor.ErrTrailing, "non-canonical": cbor.ErrNonCanonical,
}

func items(t testing.TB) []item {
	var all []item
	readJSON(t, "testdata/items.json", &all)
	return all
}

func TestEveryItemHasItsFault(t *testing.T) {
	for _, v := range items(t) {
		b := unhex(t, v.Hex)
		err := cbor.CheckDeterministic(b, cbor.DefaultLimits)
		if v.Fault == "" {
			if err != nil {
				t.Errorf("%s: got %v, want no fault", v.Name, err)
			}
			continue
		}
		if err != faults[v.Fault] {
			t.Errorf("%s: got %v, want %v", v.Name, err, faults[v.Fault])
		}
		if v.Fault == "truncated" && !errors.Is(err, cbor.ErrMalformed) {
			t.Errorf("%s: ErrTruncated is not an ErrMalformed", v.Name)
		}
		form, err := cbor.Check(b, cbor.DefaultLimits)
		if v.Fault == "non-canonical" && (err != nil || form == 0) {
			t.Errorf("%s: Check gave %v, %v, want a form other than 0 and no fault", v.Name, form, err)
		}
	}
}

// The first fault of the order in the package's documentation leads.
func TestFaultsInTheirOrder(t *testing.T) {
	const (
		malformed = "61ff"
		tooLarge  = "83000000"
		duplicate = "a201000100"
		sorting   = "a202000100"
	)
	lim := cbor.Limits{Depth: 4, Entries: 2}
	for _, v := range []struct {
		name, hex string
		want      error
	}{
		{"malformed after too large", "82" + tooLarge + malformed, cbor.ErrMalformed},
		{"malformed after a duplicate key", "82" + duplicate + malformed, cbor.ErrMalformed},
		{"too large after a duplicate key", "82" + duplicate + tooLarge, cbor.ErrTooLarge},
		{"duplicate key before trailing", duplicate + "00", cbor.ErrDuplicateKey},
		{"trailing before non-canonical", sorting + "00", cbor.ErrTrailing},
		{"non-canonical", sorting, cbor.ErrNonCanonical},
		{"entries that are not there", "85" + malformed, cbor.ErrTruncated},
	} {
		if err := cbor.CheckDeterministic(unhex(t, v.hex), lim); err != v.want {
			t.Errorf("%s: got %v, want %v", v.name, err, v.want)
		}
	}
}

func TestScanStopsAfterTheFirstItem(t *testing.T) {
	n, form, err := cbor.Scan(unhex(t, "82011802a1ff"), cbor.DefaultLimits)
	if n != 4 || form != cbor.NonMinimal || err != nil {
		t.Errorf("got %d, %v, %v, want 4, NonMinimal and no fault", n, form, err)
	}
}

func TestRFC8949AppendixA(t *testing.T) {
	var vectors []struct {
		Hex       string
		Roundtrip bool
	}
	readJSON(t, publicvectors.Path(t, "cbor-appendix-a/appendix_a.json"), &vectors)
	if len(vectors) != 82 {
		t.Errorf("%d vectors, want 82", len(vectors))
	}
	for _, v := range vectors {
		b := unhex(t, v.Hex)
		form, err := cbor.Check(b, cbor.DefaultLimits)
		if v.Hex == "f818" { // good in RFC 7049, whose examples these are; RFC 8949 3.3 ends that
			if err != cbor.ErrMalformed {
				t.Errorf("simple value 24 in two bytes: got %v, want %v", err, cbor.ErrMalformed)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", v.Hex, err)
			continue
		}
		again := cbor.Deterministic(b)
		if (form == 0) != bytes.Equal(again, b) {
			t.Errorf("%s: form %v, but re-encodes to %x", v.Hex, form, again)
		}
		if err := cbor.CheckDeterministic(again, cbor.DefaultLimits); err != nil {
			t.Errorf("%s: re-encodes to %x: %v", v.Hex, again, err)
		}
		// The examples that do not round-trip are wider floats and indefinite
		// lengths; of the others only unshortened floats are not deterministic.
		if !v.Roundtrip && form == 0 {
			t.Errorf("%s: form 0, want another", v.Hex)
		}
		if v.Roundtrip && form&^cbor.NonCanonicalFloat != 0 {
			t.Errorf("%s: form %v", v.Hex, form)
		}
	}
}

// referee reads as strictly as fxamacker/cbor can.
var referee = func() fx.DecMode {
	m, err := fx.DecOptions{
		DupMapKey: fx.DupMapKeyEnforcedAPF, IndefLength: fx.IndefLengthAllowed, TagsMd: fx.TagsAllowed,
		MaxNestedLevels: 8, UTF8: fx.UTF8RejectInvalid, MaxArrayElements: 256, MaxMapPairs: 256,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return m
}()

var refereeEncoding = func() fx.EncMode {
	m, err := fx.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err)
	}
	return m
}()

// FuzzScan holds the check against a second implementation and against our own
// encoder.
func FuzzScan(f *testing.F) {
	for _, v := range items(f) {
		if len(v.Hex) < 2000 {
			f.Add(unhex(f, v.Hex))
		}
	}
	f.Add(unhex(f, "bf01f6f70df6f6ff")) // two keys that the referee has one value for
	f.Add(unhex(f, "a201f6f70d"))
	f.Add(unhex(f, "a3f401f602f703"))
	f.Fuzz(func(t *testing.T, b []byte) {
		walk(cbor.NewReader(b)) // unchecked bytes: no panic, no endless loop

		form, err := cbor.Check(b, cbor.DefaultLimits)
		malformed := errors.Is(err, cbor.ErrMalformed)
		// The referee tells well-formedness alone, without UTF-8, and of
		// nesting counts in its own way.
		if theirs := referee.Wellformed(b); theirs == nil && malformed && !deepOrNotUTF8(b) {
			t.Fatalf("%x: %v, but the referee finds it well-formed", b, err)
		} else if err == nil && theirs != nil && !nesting(theirs) {
			t.Fatalf("%x: no fault, but the referee says %v", b, theirs)
		}
		if err != nil {
			return
		}
		var v any
		if err := referee.Unmarshal(b, &v); err != nil && duplicateOrUTF8(err) {
			t.Fatalf("%x: no fault, but the referee says %v", b, err)
		}
		again := cbor.Deterministic(b)
		if (form == 0) != bytes.Equal(again, b) {
			t.Fatalf("%x: form %b, but re-encodes to %x", b, form, again)
		}
		if err := cbor.CheckDeterministic(again, cbor.DefaultLimits); err != nil {
			t.Fatalf("%x re-encodes to %x: %v", b, again, err)
		}
		if form != 0 {
			return
		}
		// Deterministic bytes come back from a Reader and from Append as they
		// went in, and from the referee where its Go values can hold them.
		r := cbor.NewReader(b)
		if got := rewrite(nil, &r); r.Err() != nil || !r.Done() || !bytes.Equal(got, b) {
			t.Fatalf("%x reads and writes as %x: %v", b, got, r.Err())
		}
		if plain(b) && v != nil {
			if got, err := refereeEncoding.Marshal(v); err != nil || !bytes.Equal(got, b) {
				t.Fatalf("%x: the referee re-encodes it as %x, %v", b, got, err)
			}
		}
	})
}

func nesting(err error) bool { return strings.Contains(err.Error(), "nested") }

// duplicateOrUTF8 leaves out that 0.0 and -0.0 are one key in Go, and so are null and
// undefined: as CBOR they are two.
func duplicateOrUTF8(err error) bool {
	var duplicate *fx.DupMapKeyError
	if errors.As(err, &duplicate) {
		f, isFloat := duplicate.Key.(float64)
		return duplicate.Key != nil && (!isFloat || f != 0)
	}
	return strings.Contains(err.Error(), "invalid UTF-8")
}

// deepOrNotUTF8 tells whether b is faultless but for depth and text.
func deepOrNotUTF8(b []byte) bool {
	deep := cbor.Limits{Depth: 1000, Entries: 1 << 20}
	if _, err := cbor.Check(b, deep); !errors.Is(err, cbor.ErrMalformed) {
		return true
	}
	// Every text string's head becomes that of a byte string: crude, and
	// enough to leave UTF-8 out.
	for i, c := range b {
		if c>>5 == 3 {
			b = slices.Clone(b)
			b[i] = c&31 | 2<<5
		}
	}
	_, err := cbor.Check(b, deep)
	return !errors.Is(err, cbor.ErrMalformed)
}

// plain tells whether deterministic b holds only what Go values keep: no tags,
// no unusual simple values, no compound keys.
func plain(b []byte) bool {
	for r := cbor.NewReader(b); !r.Done(); {
		switch r.Kind() {
		case cbor.Uint, cbor.Bytes, cbor.Text, cbor.Bool, cbor.Null:
			r.Skip()
		case cbor.Nint:
			if r.Int(); r.Err() != nil {
				return false
			}
		case cbor.Array:
			r.Array()
		case cbor.Map:
			n := r.Map()
			for range n {
				if k := r.Kind(); k != cbor.Uint && k != cbor.Text {
					return false
				}
				r.Skip()
				if !plain(r.Raw()) {
					return false
				}
			}
		default:
			return false
		}
	}
	return true
}

func TestNothingIsAllocatedByClaims(t *testing.T) {
	unsorted := []byte{0xb7}
	for key := byte(23); key > 0; key-- {
		unsorted = append(unsorted, key, 0)
	}
	for name, b := range map[string][]byte{
		"a card's shape":   unhex(t, "d28443a10126a04eA3016161041a6b0e0e00074101404100"),
		"23 keys unsorted": unsorted,
		"bytes of 2^64-1":  unhex(t, "5bffffffffffffffff00"),
		"array of 2^40":    unhex(t, "9b000001000000000000"),
		"deep":             bytes.Repeat([]byte{0x81}, 10_000),
		"deep indefinite":  bytes.Repeat([]byte{0x9f}, 5_000),
	} {
		if n := testing.AllocsPerRun(50, func() { _, _, _ = cbor.Scan(b, cbor.DefaultLimits) }); n != 0 {
			t.Errorf("%s: Scan allocates %v times", name, n)
		}
		if n := testing.AllocsPerRun(50, func() {
			r := cbor.NewReader(b)
			r.Skip()
		}); n != 0 {
			t.Errorf("%s: Skip allocates %v times", name, n)
		}
	}
}

// The worst we know for 8 KiB: maps as keys of maps, none deterministic, so
// that each level is compared in full.
func TestHostileKeysCostLittle(t *testing.T) {
	b := bytes.Repeat([]byte{0xa1}, 6) // six maps, each the key of the one around it
	b = append(b, 0x88)                // of an array of eight maps
	for range 8 {
		b = append(b, 0xb9, 0x01, 0x00)
		for i := range 256 {
			b = append(b, 0x19, 0, byte(i), 0)
		}
	}
	b = append(b, bytes.Repeat([]byte{0}, 6)...)
	form, err := cbor.Check(b, cbor.DefaultLimits)
	if err != nil || form == 0 {
		t.Fatalf("Check gave %v, %v", form, err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _ = cbor.Check(b, cbor.DefaultLimits)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("checking %d bytes allocates %d", len(b), n)
	} else {
		t.Logf("checking %d bytes allocates %d", len(b), n)
	}
}

func BenchmarkCheckCard(b *testing.B) {
	var m cbor.MapBuilder
	for key := range int64(9) {
		m.PutInt(key, cbor.AppendText(nil, "https://aid.example/iss"))
	}
	payload, _ := m.Append(nil)
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		_ = cbor.CheckDeterministic(payload, cbor.DefaultLimits)
	}
}
