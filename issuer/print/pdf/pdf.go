// Package pdf writes PDF files of outlines, rectangles and photographs, to be
// printed (ISO 32000-1:2008).
//
// It is small on purpose: what it writes is read again and drawn by package proof,
// so it uses the operators q Q cm w J j d g m l c h f re S W n Do BDC EMC and
// no others, a plain cross-reference table, and one content stream a page. Text is
// drawn as outlines, each glyph a form object that stands once in the file, inside
// a span that tells what it says. The file carries no time, no name and no number
// of the machine: the same pages give the same bytes.
//
// Lengths are points (25.4/72 mm), from the lower left corner of the page.
package pdf

import (
	"bytes"
	"fmt"
	"strconv"
)

// Points in a millimetre.
const MM = 72 / 25.4

// Objects with a fixed number. The rest is numbered as it comes.
const (
	catalog = 1 + iota
	pageTree
	resources
	info
	firstFree
)

// A File is being written. It is for one goroutine.
type File struct {
	out     bytes.Buffer
	offsets []int // by object number; 0: not written yet
	pages   []int
	forms   []int // glyphs and images, in order
	images  []int
	packed  []byte
	duplex  bool
	lang    string
	title   string
}

// New starts a file whose text is mainly in lang (BCP 47). Title is what a viewer
// and a printer queue show: nothing about anybody.
func New(lang, title string) *File {
	f := &File{offsets: make([]int, firstFree), lang: lang, title: title}
	// The second line tells programs that move files that this one is not text
	// (section 7.5.2).
	f.out.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	return f
}

// Duplex asks the printer to turn the sheet over its long edge.
func (f *File) Duplex() { f.duplex = true }

// Pages returns how many pages were added, Size the bytes so far.
func (f *File) Pages() int { return len(f.pages) }
func (f *File) Size() int  { return f.out.Len() }

func (f *File) next() int {
	f.offsets = append(f.offsets, 0)
	return len(f.offsets) - 1
}

func (f *File) object(n int, format string, args ...any) {
	f.offsets[n] = f.out.Len()
	fmt.Fprintf(&f.out, "%d 0 obj\n", n)
	fmt.Fprintf(&f.out, format, args...)
	f.out.WriteString("\nendobj\n")
}

// stream writes an object with data, which is packed already where dict, the
// inside of its dictionary, says so.
func (f *File) stream(n int, dict string, data []byte) {
	f.offsets[n] = f.out.Len()
	fmt.Fprintf(&f.out, "%d 0 obj\n<<%s/Length %d>>\nstream\n", n, dict, len(data))
	f.out.Write(data)
	f.out.WriteString("\nendstream\nendobj\n")
}

// AddPage adds a page of width and height points. The content may be used for the
// next page after Reset.
func (f *File) AddPage(width, height float64, c *Content) {
	content, page := f.next(), f.next()
	f.packed = packed().append(f.packed[:0], c.b)
	f.stream(content, "/Filter/FlateDecode", f.packed)
	f.object(page, "<</Type/Page/Parent %d 0 R/MediaBox[0 0 %s %s]/Resources %d 0 R/Contents %d 0 R>>",
		pageTree, number(width), number(height), resources, content)
	f.pages = append(f.pages, page)
}

func number(v float64) string { return string(appendNumber(nil, v)) }

// Bytes ends the file and returns it.
func (f *File) Bytes() []byte {
	var b []byte
	for _, n := range f.pages {
		b = strconv.AppendInt(append(b, ' '), int64(n), 10)
		b = append(b, " 0 R"...)
	}
	f.object(pageTree, "<</Type/Pages/Count %d/Kids[%s]>>", len(f.pages), b)
	b = b[:0]
	for _, n := range f.forms {
		b = fmt.Appendf(b, "/G%d %d 0 R", n, n)
	}
	for _, n := range f.images {
		b = fmt.Appendf(b, "/I%d %d 0 R", n, n)
	}
	f.object(resources, "<</XObject<<%s>>>>", b)
	// Cards have a size: no printer may fit the page to its paper.
	preferences := "/PrintScaling/None"
	if f.duplex {
		preferences += "/Duplex/DuplexFlipLongEdge"
	}
	f.object(catalog, "<</Type/Catalog/Pages %d 0 R/Lang(%s)/ViewerPreferences<<%s>>>>", pageTree, escape(f.lang), preferences)
	f.object(info, "<</Title<%s>/Producer(aidpass)>>", utf16Hex(nil, f.title))
	start := f.out.Len()
	fmt.Fprintf(&f.out, "xref\n0 %d\n0000000000 65535 f \n", len(f.offsets))
	for _, offset := range f.offsets[1:] {
		fmt.Fprintf(&f.out, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&f.out, "trailer\n<</Size %d/Root %d 0 R/Info %d 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(f.offsets), catalog, info, start)
	return f.out.Bytes()
}

// escape keeps of a language tag what may stand in one.
func escape(tag string) []byte {
	var b []byte
	for i := range len(tag) {
		if c := tag[i]; c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' {
			b = append(b, c)
		}
	}
	return b
}
