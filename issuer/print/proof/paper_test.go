package proof_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"

	"aidpass/internal/qrcode"
	"aidpass/issuer/print/proof"
)

const point = 72 / 25.4 // points a millimetre

// paper is the least writer of the files that are understood here, by hand, so
// that a fault of the real one does not hide.
type paper struct {
	width, height float64 // millimetres
	pages         []string
	objects       map[string]string // name of an XObject: its dictionary and stream
	plain         bool              // content streams not deflated
	trailer       string            // more of it
}

func deflate(content string) string {
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	z.Write([]byte(content))
	z.Close()
	return out.String()
}

func stream(head, content string, plain bool) string {
	if !plain {
		head, content = head+"/Filter/FlateDecode", deflate(content)
	}
	return fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", head, len(content), content)
}

func (p *paper) file() []byte {
	var out bytes.Buffer
	var offsets []int
	object := func(text string) {
		offsets = append(offsets, out.Len())
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", len(offsets), text)
	}
	out.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	object("<</Type/Catalog/Pages 2 0 R>>")
	var kids, named strings.Builder
	first := 3 + 2*len(p.pages)
	var names []string
	for n := range p.objects {
		names = append(names, n)
	}
	for i, n := range names {
		fmt.Fprintf(&named, "/%s %d 0 R ", n, first+i)
	}
	for i := range p.pages {
		fmt.Fprintf(&kids, "%d 0 R ", 3+2*i)
	}
	object(fmt.Sprintf("<</Type/Pages/Kids[%s]/Count %d/MediaBox[0 0 %.4f %.4f]/Resources<</XObject<<%s>>>>>>", kids.String(), len(p.pages), p.width*point, p.height*point, named.String()))
	for i, content := range p.pages {
		object(fmt.Sprintf("<</Type/Page/Parent 2 0 R/Contents %d 0 R>>", 4+2*i))
		object(stream("", content, p.plain))
	}
	for _, n := range names {
		object(p.objects[n])
	}
	xref := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&out, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&out, "trailer<</Root 1 0 R/Size %d%s>>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, p.trailer, xref)
	return out.Bytes()
}

func a4() *paper { return &paper{width: 210, height: 297} }

// code returns the content that draws text with its top left corner at x, y.
func (p *paper) code(t testing.TB, text string, x, y, size float64) string {
	m, err := qrcode.Fast(text)
	if err != nil {
		t.Fatal(err)
	}
	module := size / float64(len(m)+2*qrcode.QuietZone)
	var out strings.Builder
	fmt.Fprintf(&out, "q %.5f 0 0 %.5f %.5f %.5f cm 0 g\n", module*point, -module*point, (x+4*module)*point, (p.height-y-4*module)*point)
	for r, row := range m {
		for c := 0; c < len(row); c++ {
			from := c
			for c < len(row) && row[c] {
				c++
			}
			if c > from {
				fmt.Fprintf(&out, "%d %d %d 1 re\n", from, r, c-from)
			}
		}
	}
	out.WriteString("f Q\n")
	return out.String()
}

// words returns a run of text: a bar for its marks.
func (p *paper) words(text string, x, y float64) string {
	var hex strings.Builder
	for _, u := range utf16.Encode([]rune(text)) {
		fmt.Fprintf(&hex, "%04X", u)
	}
	return fmt.Sprintf("/Span <</ActualText <FEFF%s>>> BDC q 0.2 g %.3f %.3f 40 6 re f Q EMC\n", hex.String(), x*point, (p.height-y)*point)
}

const base45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

func cardText(n, seed int) string {
	random := rand.New(rand.NewPCG(uint64(n), uint64(seed)))
	text := make([]byte, n)
	for i := range text {
		text[i] = base45[random.IntN(len(base45))]
	}
	return string(text)
}

// tenCards is a sheet of ten ID-1 cards on each page, with codes of 43 mm.
func tenCards(t testing.TB, pages int) (*paper, []proof.Placed) {
	p := a4()
	var placed []proof.Placed
	for page := range pages {
		var content strings.Builder
		for i := range 10 {
			x, y := 15+float64(i%2)*90, 10+float64(i/2)*56
			text := cardText(419+i*6, page)
			id := fmt.Sprintf("card-%d-%d", page, i)
			placed = append(placed, proof.Placed{Page: page, X: x + 40, Y: y + 5, Size: 43, Text: text, CardID: id, Card: proof.Area{X: x, Y: y, Width: 85.6, Height: 54}})
			content.WriteString(p.code(t, text, x+40, y+5, 43))
			content.WriteString(p.words("A"+id, x+4, y+10))
			fmt.Fprintf(&content, "0.5 w 0 G %.3f %.3f m %.3f %.3f l S\n", x*point, (p.height-y)*point, (x+5)*point, (p.height-y)*point)
		}
		p.pages = append(p.pages, content.String())
	}
	return p, placed
}
