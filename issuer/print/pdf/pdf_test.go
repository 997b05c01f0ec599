package pdf

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

func unpack(t *testing.T, b []byte) []byte {
	t.Helper()
	r, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// What is packed by our own code is unpacked by the standard library.
func TestPackedPagesUnpack(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		data := make([]byte, n*n/7)
		for i := range data {
			data[i] = byte(random.Uint32())
			if n%3 > 0 {
				data[i] = "0123456789 re\n"[data[i]%14]
			}
		}
		if got := unpack(t, packed().append(nil, data)); !bytes.Equal(got, data) {
			t.Fatalf("%d bytes are unpacked to %d others", len(data), len(got))
		}
	}
	page := typicalPage()
	small := packed().append([]byte("before"), page)
	if !bytes.HasPrefix(small, []byte("before")) || len(small) > len(page)*48/100 {
		t.Errorf("a page of %d bytes is packed to %d", len(page), len(small))
	}
}

func FuzzPack(f *testing.F) {
	f.Add([]byte("12 3 4 1 re\nf\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if got := unpack(t, packed().append(nil, data)); !bytes.Equal(got, data) {
			t.Errorf("%d bytes are unpacked to %d others", len(data), len(got))
		}
	})
}

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 1: "1", -1.5: "-1.5", 0.0004: "0", 0.0005: "0.001", 12.3456: "12.346", 595.276: "595.276", -0.05: "-0.05", 1e300: "0"} {
		if got := number(v); got != want {
			t.Errorf("%g is written %s, want %s", v, got, want)
		}
	}
	nan := 0.0
	if got := number(nan / nan); got != "0" {
		t.Errorf("NaN is written %s", got)
	}
	if got := string(appendFine(nil, 0.0072)); got != "0.0072" {
		t.Errorf("a factor is written %s", got)
	}
}

func TestAMatrixIsItsRuns(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, side := range []int{1, 21, 69, 177} {
		modules := make([][]bool, side)
		var want strings.Builder
		want.WriteString("q\n0.5 0 0 -0.5 10 20 cm\n")
		for y := range modules {
			modules[y] = make([]bool, side)
			for x := range modules[y] {
				modules[y][x] = random.IntN(3) > 0
			}
			for x := 0; x < side; x++ {
				from := x
				for x < side && modules[y][x] {
					x++
				}
				if x > from {
					fmt.Fprintf(&want, "%d %d %d 1 re\n", from, y, x-from)
				}
			}
		}
		want.WriteString("f\nQ\n")
		var c Content
		c.Matrix(modules, 10, 20, 0.5)
		if string(c.b) != want.String() {
			t.Errorf("a code of %d modules is drawn as something else", side)
		}
	}
}

func TestAFileIsWhole(t *testing.T) {
	f := New("ar(x", "Test (title)")
	var c Content
	c.BeginText("a\u0627\U0001F600", 9, 1, 2)
	g, err := f.Form(func(c *Content) error { c.Rect(0, 0, 1, 1); c.Fill(); return nil })
	if err != nil {
		t.Fatal(err)
	}
	c.Glyph(g, 100, 0)
	c.EndText()
	f.AddPage(100, 200, &c)
	b := f.Bytes()
	for _, want := range []string{"%PDF-1.7\n", "/MediaBox[0 0 100 200]", "/Lang(arx)", "/PrintScaling/None", "/Title<FEFF00540065", "startxref\n", "%%EOF\n"} {
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("no %q in the file", want)
		}
	}
	start := 0
	if _, err := fmt.Sscanf(string(b[bytes.LastIndex(b, []byte("startxref"))+10:]), "%d", &start); err != nil || !bytes.HasPrefix(b[start:], []byte("xref\n")) {
		t.Errorf("startxref points to %d", start)
	}
	if !strings.Contains(string(c.b), "FEFF00610627D83DDE00") {
		t.Errorf("text is written as %s", c.b)
	}
}

func TestPhotographsHaveLimits(t *testing.T) {
	f := New("en", "")
	for _, b := range [][]byte{nil, []byte("GIF89a"), make([]byte, MaxImageBytes+1)} {
		if _, _, _, err := f.Image(b); err == nil {
			t.Errorf("%d bytes were taken", len(b))
		}
	}
}
