package proof_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aidpass/issuer/print/proof"
)

// Everything outside the part of PDF that is written here is refused, because
// another program might draw what this one does not.
func TestFilesOutsideWhatIsUnderstood(t *testing.T) {
	content := func(s string) func(*paper) { return func(p *paper) { p.pages[0] += s } }
	object := func(o string) func(*paper) {
		return func(p *paper) {
			p.objects = map[string]string{"X": o}
			p.pages[0] += "q /X Do Q\n"
		}
	}
	file := func(old, new string) func([]byte) []byte {
		return func(b []byte) []byte {
			if !bytes.Contains(b, []byte(old)) {
				t.Fatalf("no %q in the file", old)
			}
			return bytes.Replace(b, []byte(old), []byte(new), 1)
		}
	}
	same := func(b []byte) []byte { return b }
	none := func(*paper) {}
	tests := []struct {
		name  string
		paper func(*paper)
		file  func([]byte) []byte
		want  string // in the error; empty: understood
	}{
		{"nothing wrong", none, same, ""},
		{"text operators", content("BT /F1 12 Tf (hello) Tj ET"), same, `operator "BT"`},
		{"an inline image", content("BI"), same, `operator "BI"`},
		{"a shading", content("/S sh"), same, `operator "sh"`},
		{"transparency", content("/G gs"), same, `operator "gs"`},
		{"a clip by the other rule", content("0 0 9 9 re W* n"), same, `operator "W*"`},
		{"too few operands", content("1 2 3 re f"), same, "with 3 operands"},
		{"a name for a number", content("/A g"), same, "wants numbers"},
		{"a colour of 2", content("2 g"), same, "outside 0 to 1"},
		{"Q without q", content("Q"), same, "Q without q"},
		{"q without Q", content("q"), same, "ends too early"},
		{"EMC without BDC", content("EMC"), same, "EMC without BDC"},
		{"BDC without EMC", content("/Span <</ActualText <FEFF>>> BDC"), same, "ends too early"},
		{"a span without text", content("/Span <</Lang (en)>> BDC EMC"), same, "without its text"},
		{"optional content", content("/OC /L1 BDC EMC"), same, "not understood"},
		{"a line from nowhere", content("1 1 l S"), same, "without m"},
		{"a far corner", content("0 0 m 1e9 5 l S"), same, "not a number"},
		{"a far corner in digits", content("0 0 m 999999999 5 l S"), same, "far off"},
		{"endless dashes", content("[0.1] 0 d 0.001 0 0 0.001 0 0 cm 0 0 m 500000 500000 l S"), same, "too long"},
		{"many dashes", content("[0.1] 0 d " + strings.Repeat("0 0 m 300000 300000 l 0 0 l 300000 0 l S ", 300)), same, "too long"},
		{"many large fills", content(strings.Repeat("0 0 590 840 re f ", 90_000)), same, "too long"},
		{"many large clips", content(strings.Repeat("q 0 0 590 840 re W n Q ", 2_000)), same, "too long"},
		{"clips in clips", content("q " + strings.Repeat("0 0 590 840 re W n ", 9) + "Q"), same, "clips in one another"},
		{"a path of a million corners", content("0 0 m " + strings.Repeat("1 1 l ", 300_000) + "f"), same, "corners"},
		{"deep saves", content(strings.Repeat("q ", 99)), same, "states saved"},
		{"an object that is not there", content("/Q Do"), same, "not among the resources"},
		{"a form that draws itself", object(stream("/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 5 0 R>>>>", "/X Do", false)), same, "forms in one another"},
		{"a form of PostScript", object(stream("/Subtype/PS", "", true)), same, "neither a form nor a picture"},
		{"a group", object(stream("/Subtype/Form/BBox[0 0 9 9]/Group<<>>", "", true)), same, "/Group"},
		{"a form with no box", object(stream("/Subtype/Form", "", true)), same, "four numbers"},
		{"a raw picture", object(stream("/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8", "x", false)), same, "not a JPEG"},
		{"a picture that lies", object(stream("/Subtype/Image/Width 90000/Height 90000/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/DCTDecode", "x", true)), same, "not a JPEG"},
		{"a masked picture", object(stream("/Subtype/Image/SMask 1 0 R", "x", true)), same, "/SMask"},
		{"another filter", none, file("/FlateDecode", "/FlateDecodE"), "filter"},
		{"a stream that is not deflated", none, func(b []byte) []byte { return regexp.MustCompile(`stream\nx.`).ReplaceAll(b, []byte("stream\n!!")) }, "not deflated"},
		{"an inflating bomb", content(strings.Repeat(" ", 9<<20)), same, "content stream of more than"},
		{"encrypted", none, file("/Root 1 0 R/Size", "/Root 1 0 R/Encrypt<<>>/Size"), "/Encrypt"},
		{"an earlier revision", none, file("/Root 1 0 R/Size", "/Root 1 0 R/Prev 9/Size"), "/Prev"},
		{"objects that were moved", none, file("1 0 obj", "1 0 obj      "), "no \"xref\""},
		{"another object", none, file("3 0 obj", "9 0 obj"), "not where the table says"},
		{"cut off", none, func(b []byte) []byte { return b[:len(b)-30] }, "startxref"},
		{"bytes after the end", none, func(b []byte) []byte { return append(b, "more"...) }, "after the end"},
		{"not a PDF", none, func(b []byte) []byte { return b[1:] }, "not a PDF"},
		{"a table that points elsewhere", none, file(" 00000 n \n", " 00001 n \n"), "entry 1"},
		{"empty", none, func([]byte) []byte { return nil }, "not a PDF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := a4()
			p.pages = []string{"0.5 g 100 100 50 50 re f\n"}
			tt.paper(p)
			_, err := proof.Draw(tt.file(p.file()), 0, 150)
			var e *proof.SyntaxError
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != "" && (!errors.As(err, &e) || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// The same keys on a page or its catalogue, in files whose tables are in order.
func TestKeysThatWouldShowMore(t *testing.T) {
	for _, key := range []string{"/Annots[]", "/Rotate 90", "/UserUnit 2", "/CropBox[0 0 9 9]", "/AA<<>>"} {
		if _, err := proof.Draw(onePage("", key), 0, 72); err == nil || !strings.Contains(err.Error(), "page with") {
			t.Errorf("page %s: %v", key, err)
		}
	}
	for _, key := range []string{"/OpenAction<<>>", "/AcroForm<<>>", "/OCProperties<<>>", "/Names<<>>"} {
		if _, err := proof.Draw(onePage(key, ""), 0, 72); err == nil || !strings.Contains(err.Error(), "catalog with") {
			t.Errorf("catalogue %s: %v", key, err)
		}
	}
	if _, err := proof.Draw(onePage("/Lang(en)", "/TrimBox[0 0 9 9]"), 0, 72); err != nil {
		t.Error(err)
	}
}

func onePage(catalogue, page string) []byte {
	var out bytes.Buffer
	var offsets []int
	out.WriteString("%PDF-1.7\n")
	for i, text := range []string{
		"<</Type/Catalog/Pages 2 0 R" + catalogue + ">>", "<</Type/Pages/Count 1/Kids[3 0 R]>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R" + page + ">>", stream("", "0 0 9 9 re f", true),
	} {
		offsets = append(offsets, out.Len())
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, text)
	}
	start := out.Len()
	out.WriteString("xref\n0 5\n0000000000 65535 f \n")
	for _, o := range offsets {
		fmt.Fprintf(&out, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&out, "trailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", start)
	return out.Bytes()
}

func TestTheTitleIsRead(t *testing.T) {
	p := a4()
	p.pages = []string{""}
	p.trailer = "/Info<</Title<FEFF00430061007200640073>/Producer(a \\(b\\))>>"
	seen, err := proof.Check(ctx, p.file(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []proof.Text{{Page: -1, Text: "a (b)"}, {Page: -1, Text: "Cards"}}
	if !slices.Equal(seen.Texts, want) {
		t.Errorf("got %v, want %v", seen.Texts, want)
	}
}

// Coverage where it can be counted by hand.
func TestCoverageIsExact(t *testing.T) {
	tests := []struct {
		name, content string
		x, y          int // pixel, at 72 dpi: points, from the top left
		want          int
	}{
		{"inside", "10 150 20 20 re f", 15, 35, 0},
		{"outside", "10 150 20 20 re f", 31, 35, 255},
		{"half a pixel across", "10.5 150 20 20 re f", 10, 35, 127},
		{"half a pixel down", "10 150.5 20 20 re f", 15, 49, 127},
		{"a quarter", "10.5 150.5 20 20 re f", 10, 49, 191},
		{"a slope", "10 150 m 30 150 l 30 170 l h f", 20, 39, 127},
		{"a hole by even-odd", "10 150 20 20 re 15 155 10 10 re f*", 20, 40, 255},
		{"no hole by non-zero", "10 150 20 20 re 15 155 10 10 re f", 20, 40, 0},
		{"a hole by direction", "10 150 20 20 re 15 155 m 15 165 l 25 165 l 25 155 l h f", 20, 40, 255},
		{"grey", "0.4 g 10 150 20 20 re f", 15, 35, 102},
		{"red", "1 0 0 rg 10 150 20 20 re f", 15, 35, 76},
		{"clipped away", "q 0 0 5 5 re W n 10 150 20 20 re f Q", 15, 35, 255},
		{"clip undone", "q 0 0 5 5 re W n Q 10 150 20 20 re f", 15, 35, 0},
		{"a clip of half a pixel", "q 10.5 150 20 20 re W n 0 0 200 200 re f Q", 10, 35, 127},
		{"a line two wide", "2 w 10 150 m 30 150 l S", 20, 49, 0},
		{"beside it", "2 w 10 150 m 30 150 l S", 20, 51, 255},
		{"before a butt cap", "2 w 10 150 m 30 150 l S", 9, 49, 255},
		{"a square cap", "2 w 2 J 10 150 m 30 150 l S", 9, 49, 0},
		{"a mitred corner", "4 w 10 150 20 20 re S", 9, 51, 0},
		{"an open end has no corner", "4 w 10 150 m 10 170 l 30 170 l S", 9, 51, 255},
		{"a gap of dashes", "2 w [4 4] 0 d 10 150 m 60 150 l S", 15, 49, 255},
		{"a dash", "2 w [4 4] 0 d 10 150 m 60 150 l S", 19, 49, 0},
		{"a dash from a phase", "2 w [4 4] 4 d 10 150 m 60 150 l S", 15, 49, 0},
		{"a hair line", "0 w 10 150.5 m 60 150.5 l S", 20, 49, 0},
		{"turned", "q 0 1 -1 0 50 100 cm 0 0 20 20 re f Q", 40, 90, 0},
		{"off the page", "-500 -500 5000 10 re f 10 150 20 20 re f", 15, 35, 0},
	}
	for _, tt := range tests {
		p := &paper{width: 200 / point, height: 200 / point, pages: []string{tt.content}}
		img, err := proof.Draw(p.file(), 0, 72)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if img.Rect != image.Rect(0, 0, 200, 200) {
			t.Fatalf("%v", img.Rect)
		}
		if got := int(img.GrayAt(tt.x, tt.y).Y); got < tt.want-2 || got > tt.want+2 {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

// Whatever the file, Check ends, and what it lets pass reads as was wanted.
func FuzzCheck(f *testing.F) {
	p := a4()
	p.width, p.height = 40, 40
	text := "NCFAID"
	p.pages = []string{p.code(f, text, 5, 5, 30) + p.words("hello", 1, 38) + "2 w [3 1] 0 d 5 5 m 30 20 l S q 9 9 9 9 re W n 0 0 90 90 re f Q /X Do\n"}
	p.objects = map[string]string{"X": stream("/Subtype/Form/BBox[0 0 9 9]", "1 1 m 2 2 3 3 4 4 c f*", true)}
	for _, plain := range []bool{true, false} {
		p.plain = plain
		f.Add(p.file())
	}
	f.Add(onePage("", ""))
	want := []proof.Placed{{X: 5, Y: 5, Size: 30, Text: text, CardID: "c"}}
	f.Fuzz(func(t *testing.T, data []byte) {
		seen, err := proof.Check(ctx, data, want)
		if err == nil && (len(seen.Codes) != 1 || seen.Codes[0].Text != text) {
			t.Fatalf("passed with %v", seen.Codes)
		}
		again, err2 := proof.Check(ctx, data, want)
		if (err == nil) != (err2 == nil) || len(again.Texts) != len(seen.Texts) {
			t.Fatalf("%v, then %v", err, err2)
		}
	})
}
