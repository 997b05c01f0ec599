package qr_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash/adler32"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"aidpass/credential/qr"
	"aidpass/internal/base45"
)

// text is a line of testdata/texts.json: a scanned text, what it looks like,
// and what Decode makes of it: the bytes, or the name of the fault.
type text struct{ Name, Text, Kind, Raw, Fault string }

var faults = map[string]error{
	"too long": qr.ErrTooLong, "truncated": qr.ErrTruncated, "zlib": qr.ErrZlib,
	"trailing": qr.ErrTrailing, "too large": qr.ErrTooLarge,
}

func TestTexts(t *testing.T) {
	b, err := os.ReadFile("testdata/texts.json")
	if err != nil {
		t.Fatal(err)
	}
	var texts []text
	if err := json.Unmarshal(b, &texts); err != nil {
		t.Fatal(err)
	}
	var s qr.Scratch
	for _, v := range texts {
		if got := qr.Recognise(v.Text).String(); got != v.Kind {
			t.Errorf("%s: Recognise gave %q, want %q", v.Name, got, v.Kind)
		}
		if v.Raw == "" && v.Fault == "" {
			continue
		}
		raw, err := s.Decode(v.Text)
		var syntax *base45.SyntaxError
		switch {
		case v.Fault == "base45":
			if !errors.As(err, &syntax) {
				t.Errorf("%s: got %x, %v, want a *base45.SyntaxError", v.Name, raw, err)
			}
		case v.Fault != "":
			if err != faults[v.Fault] {
				t.Errorf("%s: got %x, %v, want %v", v.Name, raw, err, faults[v.Fault])
			}
		case err != nil || hex.EncodeToString(raw) != v.Raw:
			t.Errorf("%s: got %x, %v, want %s", v.Name, raw, err, v.Raw)
		}
	}
}

// packed is a zlib stream of the standard library at the given level.
func packed(raw []byte, level int) []byte {
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, level)
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(raw)
	_ = w.Close()
	return b.Bytes()
}

func TestEveryKindOfStreamReads(t *testing.T) {
	raw := bytes.Repeat(card(1), 8)
	var s qr.Scratch
	for _, level := range []int{zlib.NoCompression, zlib.BestSpeed, zlib.DefaultCompression, zlib.BestCompression, zlib.HuffmanOnly} {
		text := base45.Encode(packed(raw, level))
		if len(text) > qr.MaxText {
			continue
		}
		if got, err := s.Decode(text); err != nil || !bytes.Equal(got, raw) {
			t.Errorf("level %d: %v", level, err)
		}
		if qr.Recognise(text) != qr.ZlibCard {
			t.Errorf("level %d: %q is not recognised", level, text[:3])
		}
	}
}

// A card cut anywhere says so; so does one with anything after it.
func TestEveryCutAndEveryAddition(t *testing.T) {
	for _, z := range [][]byte{qr.AppendZlib(nil, card(1)), packed(card(1), 0), packed(bytes.Repeat([]byte("a household of nine; "), 30), 9)} {
		for n := range z {
			if _, err := qr.Inflate(z[:n], qr.MaxInflated); err != qr.ErrTruncated {
				t.Errorf("cut at %d of %d: got %v, want %v", n, len(z), err, qr.ErrTruncated)
			}
		}
		for _, more := range []string{"\x00", "\n", "\x78\xda"} {
			if _, err := qr.Inflate(append(bytes.Clone(z), more...), qr.MaxInflated); err != qr.ErrTrailing {
				t.Errorf("with %q after it: got %v, want %v", more, err, qr.ErrTrailing)
			}
		}
		for bit := range 8 * len(z) {
			bad := bytes.Clone(z)
			bad[bit/8] ^= 1 << (bit % 8)
			if raw, err := qr.Inflate(bad, qr.MaxInflated); err == nil && !bytes.Equal(raw, unzip(t, z)) {
				t.Errorf("bit %d flipped: no fault and other bytes", bit)
			}
		}
	}
}

// stream frames a deflate stream for raw as zlib.
func stream(deflated, raw []byte) []byte {
	z := append([]byte{0x78, 0x9c}, deflated...)
	return binary.BigEndian.AppendUint32(z, adler32.Checksum(raw))
}

func TestBadStreams(t *testing.T) {
	good := qr.AppendZlib(nil, []byte("card"))
	with := func(at int, b byte) []byte {
		z := bytes.Clone(good)
		z[at] = b
		return z
	}
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, _ = w.Write([]byte("card"))
	_ = w.Close()
	dictionary := []byte{0x78, 0xbb, 0, 0, 0, 1} // FDICT, DICTID 1: compress/zlib takes it
	dictionary = append(dictionary, good[2:]...)

	for name, z := range map[string][]byte{
		"checksum":                      with(len(good)-1, good[len(good)-1]^1),
		"method 7":                      append([]byte{0x77, 0x85}, good[2:]...),
		"window of 64 KiB":              append([]byte{0x88, 0x1c}, good[2:]...),
		"header check":                  with(1, 0xdb),
		"gzip":                          zipped.Bytes(),
		"preset dictionary":             dictionary,
		"block type 3":                  stream([]byte{0x07}, nil),
		"stored length check":           stream([]byte{0x01, 4, 0, 0, 0, 'c', 'a', 'r', 'd'}, []byte("card")),
		"match before the start":        stream([]byte{0x03, 0x02, 0x00}, nil), // fixed block: length 3, distance 1
		"too many literal codes":        stream([]byte{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, nil),
		"too many distance codes":       stream([]byte{0x05, 0x1f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, nil),
		"code of no codes":              stream(append([]byte{0x05, 0, 0}, make([]byte, 20)...), nil),
		"over-subscribed code of codes": stream([]byte{0x05, 0xe0, 0x24, 0x49, 0x92, 0x24, 0x49, 0x92, 0x24, 0, 0}, nil),
	} {
		if raw, err := qr.Inflate(z, 100); err != qr.ErrZlib {
			t.Errorf("%s: got %q, %v, want %v", name, raw, err, qr.ErrZlib)
		}
	}
}

func TestInflatingStopsAtTheLimit(t *testing.T) {
	for name, raw := range map[string][]byte{"zeros": make([]byte, 1<<20), "a card again and again": bytes.Repeat(card(1), 200)} {
		z := packed(raw, 9)
		for _, max := range []int{0, 1, 100, len(raw) - 1} {
			if _, err := qr.Inflate(z, max); err != qr.ErrTooLarge {
				t.Errorf("%s, limit %d: got %v, want %v", name, max, err, qr.ErrTooLarge)
			}
		}
		if got, err := qr.Inflate(z, len(raw)); err != nil || !bytes.Equal(got, raw) {
			t.Errorf("%s, limit %d: got %v", name, len(raw), err)
		}
		if got := allocated(func() { _, _ = qr.Inflate(z, 1000) }); got > 20_000 {
			t.Errorf("%s: inflating up to 1,000 bytes allocates %d", name, got)
		}
	}
	// The same through a stored block.
	if _, err := qr.Inflate(packed(make([]byte, 9000), 0), 8999); err != qr.ErrTooLarge {
		t.Errorf("stored: got %v, want %v", err, qr.ErrTooLarge)
	}
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// hostile texts: bombs, blocks with long codes over and over (compress/flate
// allocates tables for each), and the longest of everything.
func hostile() map[string]string {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		panic(err)
	}
	for i := 0; b.Len() < 2500; i++ {
		// Counts like Fibonacci's give the longest codes there are.
		for c, n := byte(0), 1; n < 3000; c, n = c+1, n*8/5+1 {
			_, _ = w.Write(bytes.Repeat([]byte{c}, n/100+1))
		}
		_ = w.Flush()
	}
	codes := append([]byte{0x78, 0xda}, b.Bytes()[:2600]...)
	return map[string]string{
		"bomb":              base45.Encode(packed(make([]byte, 2_000_000), 9)),
		"block after block": base45.Encode(codes),
		"longest":           strings.Repeat("NCF", qr.MaxText/3),
		"too long":          strings.Repeat("NCF", 1_000_000),
		"stored":            base45.Encode(packed(make([]byte, 2800), 0)),
	}
}

func TestHostileTextsCostLittle(t *testing.T) {
	for name, text := range hostile() {
		if got := allocated(func() {
			var s qr.Scratch
			_, _ = s.Decode(text)
		}); got > 100_000 {
			t.Errorf("%s: one Decode allocates %d bytes, want at most 100,000", name, got)
		}
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	var s qr.Scratch
	texts := hostile()
	texts["card"], _ = qr.Encode(card(1))
	texts["card of another writer"] = base45.Encode(packed(card(1), 9))
	texts["text"] = base45.Encode(packed(bytes.Repeat([]byte("a household of nine; "), 30), 9))
	for name, text := range texts {
		if n := testing.AllocsPerRun(20, func() { _, _ = s.Decode(text) }); n != 0 {
			t.Errorf("%s: Decode allocates %v times", name, n)
		}
		if n := testing.AllocsPerRun(20, func() { qr.Recognise(text) }); n != 0 {
			t.Errorf("%s: Recognise allocates %v times", name, n)
		}
	}
}

// FuzzInflate holds the inflater against compress/flate. What ours takes, theirs
// takes, and reads the same; what theirs takes to the last byte, ours refuses
// only for its limit, a dictionary, or a code that zlib refuses too.
func FuzzInflate(f *testing.F) {
	f.Add(qr.AppendZlib(nil, card(1)))
	f.Add(packed(card(1), 0))
	f.Add(packed(bytes.Repeat([]byte("a household of nine; "), 30), 9))
	f.Add(stream([]byte{0x03, 0x02, 0x00}, nil))
	f.Fuzz(func(t *testing.T, z []byte) {
		raw, err := qr.Inflate(z, qr.MaxInflated)
		in := bytes.NewReader(z)
		r, theirErr := zlib.NewReader(in)
		var theirs []byte
		if theirErr == nil {
			theirs, theirErr = io.ReadAll(io.LimitReader(r, qr.MaxInflated+1))
		}
		switch {
		case err == nil:
			if theirErr != nil || !bytes.Equal(raw, theirs) || in.Len() != 0 {
				t.Fatalf("%x: ours gives %x, theirs %x, %v", z, raw, theirs, theirErr)
			}
		case err == qr.ErrTruncated:
			if theirErr == nil && len(theirs) <= qr.MaxInflated {
				t.Fatalf("%x: cut off for us, theirs gives %x", z, theirs)
			}
		case err == qr.ErrTooLarge:
			if theirErr == nil && len(theirs) <= qr.MaxInflated {
				t.Fatalf("%x: too large for us, theirs gives %d bytes", z, len(theirs))
			}
		case err == qr.ErrTrailing:
			if theirErr != nil || in.Len() == 0 {
				t.Fatalf("%x: trailing bytes for us, theirs has %d left, %v", z, in.Len(), theirErr)
			}
		}
	})
}

// FuzzDecode: any text gets an answer, and what decodes, encodes again to a text
// that decodes to the same.
func FuzzDecode(f *testing.F) {
	text, _ := qr.Encode(card(1))
	for _, s := range []string{text, "", "6BF", "NCFNCF", strings.ToLower(text), "eyJ.eyJ.sig", "HC1:6BF", text[:200]} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		kind := qr.Recognise(text)
		var s qr.Scratch
		raw, err := s.Decode(text)
		if err != nil {
			return
		}
		if kind != qr.ZlibCard {
			t.Fatalf("%q decodes, but looks like %v", text, kind)
		}
		raw = bytes.Clone(raw)
		again, err := qr.Encode(raw)
		if err == qr.ErrTooLong {
			return
		}
		if got, err2 := s.Decode(again); err != nil || err2 != nil || !bytes.Equal(got, raw) {
			t.Fatalf("%x encodes to %q, %v, which decodes to %x, %v", raw, again, err, got, err2)
		}
	})
}

func BenchmarkDecodeCard(b *testing.B) {
	text, err := qr.Encode(card(1))
	if err != nil {
		b.Fatal(err)
	}
	var s qr.Scratch
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Decode(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInflateStatusList(b *testing.B) {
	list := make([]byte, 1<<18)
	for i := 0; i < len(list); i += 25 + i%17 {
		list[i] = 1 << (i % 4 * 2)
	}
	z := packed(list, 9)
	b.SetBytes(int64(len(list)))
	for b.Loop() {
		if _, err := qr.Inflate(z, len(list)); err != nil {
			b.Fatal(err)
		}
	}
}
