package base45_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"aidpass/internal/base45"
	"aidpass/internal/publicvectors"

	"pgregory.net/rapid"
)

// readJSON reads a file of test data into v.
func readJSON(t *testing.T, path string, v any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

func TestRFC9285Vectors(t *testing.T) {
	var file struct {
		Examples []struct{ Text, B45 string } `json:"rfc9285"`
		Refused  []struct{ B45, Why string }  `json:"must_reject"`
		Largest  []struct{ B45, Hex string }  `json:"largest_ok"`
	}
	readJSON(t, publicvectors.Path(t, "base45/rfc9285.json"), &file)
	for _, v := range file.Examples {
		if got := base45.Encode([]byte(v.Text)); got != v.B45 {
			t.Errorf("Encode(%q) = %q, want %q", v.Text, got, v.B45)
		}
		got, err := base45.AppendDecode(nil, v.B45)
		if err != nil || string(got) != v.Text {
			t.Errorf("decoding %q gave %q, %v, want %q", v.B45, got, err, v.Text)
		}
	}
	for _, v := range file.Largest {
		got, err := base45.AppendDecode(nil, v.B45)
		if err != nil || hex.EncodeToString(got) != v.Hex {
			t.Errorf("decoding %q gave %x, %v, want %s", v.B45, got, err, v.Hex)
		}
	}
	for _, v := range file.Refused {
		if got, err := base45.AppendDecode(nil, v.B45); err == nil {
			t.Errorf("decoding %q gave %x, want a refusal: %s", v.B45, got, v.Why)
		}
	}
	if len(file.Examples) == 0 || len(file.Refused) == 0 {
		t.Error("the vector file has no vectors")
	}
}

func TestRefusalsSayWhere(t *testing.T) {
	var cases []struct {
		Name, Text string
		Offset     int
	}
	readJSON(t, "testdata/refused.json", &cases)
	for _, c := range cases {
		dst := []byte("kept")
		got, err := base45.AppendDecode(dst, c.Text)
		var syntax *base45.SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%s: got %x, %v, want a *SyntaxError", c.Name, got, err)
			continue
		}
		if syntax.Offset != c.Offset {
			t.Errorf("%s: fault at offset %d, want %d", c.Name, syntax.Offset, c.Offset)
		}
		if string(got) != "kept" {
			t.Errorf("%s: dst became %q", c.Name, got)
		}
	}
}

func TestRoundTripProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := rapid.SliceOf(rapid.Byte()).Draw(t, "src")
		text := base45.Encode(src)
		if len(text) != base45.EncodedLen(len(src)) || base45.DecodedLen(len(text)) != len(src) {
			t.Fatalf("%d bytes became %d characters, which are %d bytes", len(src), len(text), base45.DecodedLen(len(text)))
		}
		got, err := base45.AppendDecode([]byte("kept"), text)
		if err != nil || !bytes.Equal(got, append([]byte("kept"), src...)) {
			t.Fatalf("decoding %q gave %x, %v, want %x", text, got, err, src)
		}
	})
}

// What decodes is exactly what encoding gives: no two texts for the same bytes.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{"", "BB8", "%69 VD92EX0", "FGW", "U5", "GGW", "bb8", "::"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := base45.AppendDecode(nil, text)
		if err != nil {
			var syntax *base45.SyntaxError
			if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset >= len(text) {
				t.Fatalf("decoding %q: error %v", text, err)
			}
			return
		}
		if got := base45.Encode(b); got != text {
			t.Fatalf("%q decodes to %x, which encodes to %q", text, b, got)
		}
	})
}

func TestNoAllocations(t *testing.T) {
	src := bytes.Repeat([]byte{0xd2, 0x84, 0x43}, 100)
	text := base45.Encode(src)
	b := make([]byte, 0, 1000)
	if n := testing.AllocsPerRun(100, func() {
		b = base45.AppendEncode(b[:0], src)
		b, _ = base45.AppendDecode(b[:0], text)
	}); n != 0 {
		t.Errorf("encoding and decoding allocate %v times", n)
	}
}

func BenchmarkDecode(b *testing.B) {
	text := base45.Encode(bytes.Repeat([]byte{0xd2, 0x84, 0x43}, 93))
	dst := make([]byte, 0, 300)
	b.ReportAllocs()
	for b.Loop() {
		dst, _ = base45.AppendDecode(dst[:0], text)
	}
}

func BenchmarkEncode(b *testing.B) {
	src := bytes.Repeat([]byte{0xd2, 0x84, 0x43}, 93)
	dst := make([]byte, 0, 500)
	b.ReportAllocs()
	for b.Loop() {
		dst = base45.AppendEncode(dst[:0], src)
	}
}
