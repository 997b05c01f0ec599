package proof

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"strconv"
	"sync"
)

// Limits of a file. A page of ten cards with photographs is about 400 KB.
const (
	MaxFileBytes   = 1 << 30
	MaxPages       = 20_000
	maxObjects     = 2_000_000
	maxStream      = 8 << 20  // bytes of one content stream, inflated
	maxForms       = 64 << 20 // bytes of all form XObjects, inflated
	maxPagePixels  = 24_000_000
	maxImagePixels = 16_000_000
)

// file is a parsed table of objects. Objects are read when they are asked for.
type file struct {
	data    []byte
	offsets []int // by object number; 0: no such object
	pages   []page
	info    dict

	mu        sync.Mutex
	forms     map[ref]*form
	formBytes int
}

type page struct {
	box       [4]float64 // points: left, bottom, right, top
	contents  any
	resources dict
}

// form is a form XObject, read once.
type form struct {
	matrix   matrix
	box      [4]float64
	content  []byte
	resource dict
}

// open reads the cross-reference table and the tree of pages.
func open(data []byte) (*file, error) {
	if len(data) > MaxFileBytes {
		return nil, &SyntaxError{fmt.Sprintf("a file of %d bytes: at most %d; print fewer cards a file", len(data), MaxFileBytes), 0}
	}
	if !bytes.HasPrefix(data, []byte("%PDF-1.")) {
		return nil, &SyntaxError{"not a PDF 1 file", 0}
	}
	f := &file{data: data, forms: map[ref]*form{}}
	trailer, err := f.table()
	if err != nil {
		return nil, err
	}
	if err := only(trailer, "trailer", "Size", "Root", "Info", "ID"); err != nil {
		return nil, err
	}
	if trailer["Info"] != nil {
		if f.info, err = f.dictionary(trailer["Info"]); err != nil {
			return nil, err
		}
	}
	root, err := f.dictionary(trailer["Root"])
	if err != nil {
		return nil, err
	}
	// An action, a form or a layer could show what is not drawn here.
	if err := only(root, "catalog", "Type", "Pages", "Lang", "ViewerPreferences", "PageLayout", "PageMode", "Version", "MarkInfo"); err != nil {
		return nil, err
	}
	if err := f.tree(root["Pages"], page{}, 0, map[ref]bool{}); err != nil {
		return nil, err
	}
	if len(f.pages) == 0 {
		return nil, &SyntaxError{"a file without pages", 0}
	}
	return f, nil
}

// only refuses keys that are not listed.
func only(d dict, what string, keys ...name) error {
	for key := range d {
		known := false
		for _, k := range keys {
			known = known || k == key
		}
		if !known {
			return &SyntaxError{fmt.Sprintf("%s with /%s, which is not understood here", what, string(key)), 0}
		}
	}
	return nil
}

// table reads the cross-reference table (section 7.5.4): one section, entries of
// 20 bytes.
//
//	xref
//	0 N
//	0000000000 65535 f·
//	0000000017 00000 n·   (N-1 of them, each ending in two bytes of white space)
//	trailer << ... >>
//	startxref
//	OFFSET
//	%%EOF
func (f *file) table() (dict, error) {
	tail := f.data[max(0, len(f.data)-64):]
	at := bytes.LastIndex(tail, []byte("startxref"))
	if at < 0 {
		return nil, &SyntaxError{"no startxref at the end: the file is cut off", 0}
	}
	l := &lexer{tail, at + len("startxref")}
	v, err := l.next(0)
	if err != nil {
		return nil, err
	}
	start, ok := whole(v)
	if !ok || start >= len(f.data) {
		return nil, &SyntaxError{"startxref points nowhere", 0}
	}
	if rest := bytes.TrimSpace(tail[l.i:]); string(rest) != "%%EOF" {
		return nil, &SyntaxError{"bytes after the end of the file", 0}
	}
	l = &lexer{f.data, start}
	if err := l.want("xref"); err != nil {
		return nil, err
	}
	first, err := l.whole()
	if err != nil {
		return nil, err
	}
	count, err := l.whole()
	if err != nil {
		return nil, err
	}
	l.skip()
	if first != 0 || count > maxObjects || 20*count > len(f.data)-l.i {
		return nil, l.errorf("a table of %d objects from %d", count, first)
	}
	f.offsets = make([]int, count)
	for n := range f.offsets {
		entry := f.data[l.i:][:20]
		l.i += 20
		offset, err := strconv.ParseUint(string(entry[:10]), 10, 40)
		switch {
		case err != nil || entry[10] != ' ' || kind[entry[18]] != ' ' || kind[entry[19]] != ' ':
			return nil, l.errorf("entry %d of the table is not in order", n)
		case n == 0 && entry[17] == 'f':
		case n == 0 || entry[17] != 'n' || string(entry[11:16]) != "00000" || offset == 0 || offset >= uint64(len(f.data)):
			return nil, l.errorf("entry %d of the table is not in order", n)
		default:
			f.offsets[n] = int(offset)
		}
	}
	if err := l.want("trailer"); err != nil {
		return nil, err
	}
	v, err = l.next(0)
	if err != nil {
		return nil, err
	}
	trailer, ok := v.(dict)
	if size, _ := whole(trailer["Size"]); !ok || size != count {
		return nil, l.errorf("a trailer that does not suit its table")
	}
	return trailer, nil
}

// want reads the keyword w.
func (l *lexer) want(w keyword) error {
	if v, err := l.next(0); err != nil || v != w {
		return l.errorf("no %q", string(w))
	}
	return nil
}

// whole reads a number that counts things.
func (l *lexer) whole() (int, error) {
	v, err := l.next(0)
	if err != nil {
		return 0, err
	}
	n, ok := whole(v)
	if !ok {
		return 0, l.errorf("not a whole number")
	}
	return n, nil
}

// resolve returns the object behind v, if it is a reference, and its stream if
// it has one: nil if not.
func (f *file) resolve(v any) (any, []byte, error) {
	r, ok := v.(ref)
	if !ok {
		return v, nil, nil
	}
	if int(r) >= len(f.offsets) || f.offsets[r] == 0 {
		return nil, nil, &SyntaxError{fmt.Sprintf("object %d does not exist", r), 0}
	}
	l := &lexer{f.data, f.offsets[r]}
	if n, err := l.whole(); err != nil || n != int(r) {
		return nil, nil, l.errorf("object %d is not where the table says", r)
	}
	if n, err := l.whole(); err != nil || n != 0 {
		return nil, nil, l.errorf("object %d has a generation", r)
	}
	if err := l.want("obj"); err != nil {
		return nil, nil, err
	}
	v, err := l.next(0)
	if err != nil {
		return nil, nil, err
	}
	end, err := l.next(0)
	switch {
	case err != nil:
		return nil, nil, err
	case end == keyword("endobj"):
		if _, ok := v.(keyword); ok {
			return nil, nil, l.errorf("object %d is a word", r)
		}
		return v, nil, nil
	case end != keyword("stream"):
		return nil, nil, l.errorf("object %d does not end", r)
	}
	d, _ := v.(dict)
	length, ok := whole(d["Length"])
	if l.at(0) == '\r' {
		l.i++
	}
	if !ok || l.at(0) != '\n' || length > len(l.b)-l.i-1 {
		return nil, nil, l.errorf("the stream of object %d is not as long as it says", r)
	}
	l.i++
	stream := l.b[l.i:][:length:length]
	l.i += length
	if err := l.want("endstream"); err != nil {
		return nil, nil, err
	}
	return d, stream, l.want("endobj")
}

func (f *file) dictionary(v any) (dict, error) {
	v, _, err := f.resolve(v)
	if err != nil {
		return nil, err
	}
	d, ok := v.(dict)
	if !ok {
		return nil, &SyntaxError{"no dictionary where one belongs", 0}
	}
	return d, nil
}

// inflate returns what a content stream says.
func inflate(d dict, stream []byte) ([]byte, error) {
	if d["DecodeParms"] != nil || stream == nil {
		return nil, &SyntaxError{"a stream that is not understood", 0}
	}
	switch d["Filter"] {
	case nil:
		if len(stream) > maxStream {
			return nil, &SyntaxError{fmt.Sprintf("a content stream of more than %d bytes", maxStream), 0}
		}
		return stream, nil
	case name("FlateDecode"):
		z, err := zlib.NewReader(bytes.NewReader(stream))
		if err != nil {
			return nil, &SyntaxError{"a stream that is not deflated", 0}
		}
		out, err := io.ReadAll(io.LimitReader(z, maxStream+1))
		if err != nil {
			return nil, &SyntaxError{"a stream that does not inflate", 0}
		}
		if len(out) > maxStream {
			return nil, &SyntaxError{fmt.Sprintf("a content stream of more than %d bytes", maxStream), 0}
		}
		return out, nil
	}
	return nil, &SyntaxError{"a stream with a filter that is not understood", 0}
}
