package qrcode_test

import (
	"bytes"
	"fmt"
)

// pdf draws one code a page, A4, modules of 0.4 mm: the least a reader of PDF needs.
func pdf(pages [][][]bool) []byte {
	var out bytes.Buffer
	var offsets []int
	object := func(text string) {
		offsets = append(offsets, out.Len())
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", len(offsets), text)
	}
	out.WriteString("%PDF-1.4\n")
	object("<</Type/Catalog/Pages 2 0 R>>")
	var kids bytes.Buffer
	for i := range pages {
		fmt.Fprintf(&kids, "%d 0 R ", 3+2*i)
	}
	object(fmt.Sprintf("<</Type/Pages/Kids[%s]/Count %d>>", kids.String(), len(pages)))
	for i, matrix := range pages {
		const module = 0.4 / 25.4 * 72 // points
		var draw bytes.Buffer
		for y, row := range matrix {
			for x, dark := range row {
				if dark {
					fmt.Fprintf(&draw, "%.3f %.3f %.3f %.3f re\n", 100+float64(x)*module, 700-float64(y)*module, module, module)
				}
			}
		}
		draw.WriteString("f\n")
		object(fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R>>", 4+2*i))
		object(fmt.Sprintf("<</Length %d>>stream\n%sendstream", draw.Len(), draw.String()))
	}
	xref := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&out, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&out, "trailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, xref)
	return out.Bytes()
}
