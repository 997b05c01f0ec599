package roster

import (
	"archive/zip"
	"encoding/xml"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Limits of what a workbook unpacks to.
const (
	maxParts          = 2_000     // files in the archive; a real workbook has tens
	maxDirectoryBytes = 1 << 20   // of its list of files
	maxPartBytes      = 1 << 30   // of one file
	maxStringBytes    = 256 << 20 // of the table of texts, which is held in memory
	maxPieceBytes     = 8 << 20   // of one tag or text of XML
	bombRatio         = 200       // unpacked to packed, for files beyond bombFrom; sheets reach 40
	bombFrom          = 4 << 20
	maxSheets         = 500
	maxSheetName      = 255    // bytes; a spreadsheet takes 31 characters
	maxZeros          = 15     // digits of a whole number that a format fills up
	maxStyles         = 65_536 // cell formats; a spreadsheet has at most 65,490
)

// book is an open workbook: a ZIP archive of XML parts (ECMA-376 part 2).
type book struct {
	parts   map[string]*zip.File // by name in small letters: part names ignore case
	sheets  []sheetRef
	strings []string // the table of texts, by index
	dates   []bool   // by cell format: is it a date?
	zeros   []int    // by cell format: digits a whole number is shown with at least, as 3 of "000"
	from    int      // the year that day numbers count from: 1900 or 1904
	macros  bool
	typed   bool // a formula is a problem
}

type sheetRef struct {
	name   string
	part   string // "" for a chart, and where the workbook does not say
	hidden bool
}

// readBook checks the archive and reads what all sheets share.
func readBook(file io.ReaderAt, size int64) (*book, error) {
	if err := checkDirectory(file, size); err != nil {
		return nil, err
	}
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return nil, refuse(Damaged, "send it again", "is a damaged archive (%v)", err)
	}
	b := &book{from: 1900}
	for _, read := range []func() error{func() error { return b.check(archive) }, b.readSheets, b.readStyles, b.readStrings} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// check looks at the archive's own list, before anything is unpacked. The sizes
// it claims bind: archive/zip stops a part that turns out larger.
func (b *book) check(archive *zip.Reader) error {
	if len(archive.File) > maxParts {
		return refuse(Damaged, "open it with a spreadsheet program and save it anew", "holds %d files, at most %d", len(archive.File), maxParts)
	}
	b.parts = make(map[string]*zip.File, len(archive.File))
	for _, f := range archive.File {
		name := strings.ToLower(f.Name)
		switch {
		case b.parts[name] != nil:
			return refuse(Unsafe, "open it with a spreadsheet program and save it anew",
				"holds two files named %q, so no two programs need see the same list", f.Name)
		case path.IsAbs(name) || strings.ContainsAny(name, "\\\x00") || slices.Contains(strings.Split(name, "/"), ".."):
			return refuse(Unsafe, "do not open it", "holds a file with a name that leads outside: %q", f.Name)
		case f.Flags&1 != 0:
			return refuse(Locked, "save a copy without a password", "is locked with a password")
		case f.UncompressedSize64 > maxPartBytes,
			f.UncompressedSize64 > bombFrom && f.UncompressedSize64/bombRatio > f.CompressedSize64:
			return refuse(Unsafe, "do not open it", "holds a file that unpacks from %d to %d bytes", f.CompressedSize64, f.UncompressedSize64)
		}
		b.parts[name] = f
	}
	if b.parts["xl/workbook.xml"] != nil {
		b.macros = b.parts["xl/vbaproject.bin"] != nil
		return nil
	}
	for _, other := range []struct{ part, name, fix string }{
		{"xl/workbook.bin", "a binary workbook (.xlsb)", "save it as .xlsx"},
		{"content.xml", "an OpenDocument file", "save it as .xlsx or CSV UTF-8"},
		{"word/document.xml", "a Word document", "copy its table into a spreadsheet and save that"},
	} {
		if b.parts[other.part] != nil {
			return refuse(WrongKind, other.fix, "is %s, not CSV or XLSX", other.name)
		}
	}
	return refuse(WrongKind, "unpack it and name the list inside", "is a ZIP archive, not a workbook")
}

// tokens opens a part for reading as XML.
func (b *book) tokens(part string) (*tokens, error) {
	f := b.parts[strings.ToLower(part)]
	if f == nil {
		return nil, refuse(Damaged, "open it with a spreadsheet program and save it anew", "is damaged: %q is missing", part)
	}
	r, err := f.Open()
	if err != nil {
		return nil, refuse(Damaged, "send it again", "is damaged: %q: %v", part, err)
	}
	return newTokens(r, part), nil
}

// start calls yield for every start tag of a part.
func (b *book) start(part string, yield func(xml.StartElement)) error {
	t, err := b.tokens(part)
	if err != nil {
		return err
	}
	defer t.close()
	for {
		token, err := t.next()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if tag, ok := token.(xml.StartElement); ok {
			yield(tag)
		}
	}
}

func attr(tag xml.StartElement, local string) string {
	for _, a := range tag.Attr {
		if a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

// idOf returns the relationship id, r:id, whatever its prefix: sheetId is another attribute.
func idOf(tag xml.StartElement) string {
	for _, a := range tag.Attr {
		if a.Name.Local == "id" && a.Name.Space != "" {
			return a.Value
		}
	}
	return ""
}

// readSheets reads the names of the sheets and the parts they stand in
// (ECMA-376 part 1, 18.2.20).
func (b *book) readSheets() error {
	targets := map[string]string{}
	err := b.start("xl/_rels/workbook.xml.rels", func(tag xml.StartElement) {
		if tag.Name.Local == "Relationship" && strings.HasSuffix(attr(tag, "Type"), "/worksheet") && attr(tag, "TargetMode") != "External" {
			target := attr(tag, "Target")
			if !path.IsAbs(target) {
				target = "/xl/" + target
			}
			targets[attr(tag, "Id")] = strings.TrimPrefix(path.Clean(target), "/")
		}
	})
	if err != nil {
		return err
	}
	err = b.start("xl/workbook.xml", func(tag xml.StartElement) {
		switch tag.Name.Local {
		case "workbookPr":
			if v := attr(tag, "date1904"); v == "1" || v == "true" {
				b.from = 1904
			}
		case "sheet":
			if len(b.sheets) <= maxSheets {
				b.sheets = append(b.sheets, sheetRef{attr(tag, "name"), targets[idOf(tag)], attr(tag, "state") != "" && attr(tag, "state") != "visible"})
			}
		}
	})
	if err == nil && slices.ContainsFunc(b.sheets, func(s sheetRef) bool { return len(s.name) > maxSheetName }) {
		return refuse(Damaged, "open it with a spreadsheet program and save it anew", "has a sheet with a name of more than %d bytes", maxSheetName)
	}
	switch {
	case err != nil:
	case len(b.sheets) > maxSheets:
		return refuse(TooLarge, "split it", "has more than %d sheets", maxSheets)
	case !slices.ContainsFunc(b.sheets, func(s sheetRef) bool { return s.part != "" }):
		return refuse(Empty, "open it with a spreadsheet program and save it anew", "is a workbook without a sheet")
	}
	return err
}

// readStyles finds the cell formats that show a number as a date or time
// (ECMA-376 part 1, 18.8.30).
func (b *book) readStyles() error {
	if b.parts["xl/styles.xml"] == nil {
		return nil
	}
	own := map[int]bool{} // number formats of the workbook's own
	zeros := map[int]int{}
	inFormats := false
	return b.start("xl/styles.xml", func(tag xml.StartElement) {
		switch tag.Name.Local {
		case "numFmt":
			if id, err := strconv.Atoi(attr(tag, "numFmtId")); err == nil && len(own) < maxStyles {
				code := attr(tag, "formatCode")
				own[id] = isDateFormat(code)
				if len(code) <= maxZeros && strings.Trim(code, "0") == "" {
					zeros[id] = len(code)
				}
			}
		case "cellXfs":
			inFormats = true
		case "cellStyles", "dxfs", "cellStyleXfs":
			inFormats = false
		case "xf":
			if inFormats && len(b.dates) < maxStyles {
				id, _ := strconv.Atoi(attr(tag, "numFmtId")) // absent: 0, General
				date, mine := own[id]
				b.dates = append(b.dates, mine && date || !mine && isBuiltInDate(id))
				b.zeros = append(b.zeros, zeros[id])
			}
		}
	})
}

// isBuiltInDate: the formats a spreadsheet knows by number alone; 27 to 36 and 50
// to 58 are those of East Asian machines.
func isBuiltInDate(id int) bool {
	return id >= 14 && id <= 22 || id >= 27 && id <= 36 || id >= 45 && id <= 47 || id >= 50 && id <= 58
}

// isDateFormat reports whether a format code shows years, months, days, hours or
// seconds: has one of their letters outside quotes, brackets and escapes. The
// brackets hold colours and conditions, but also [h] for hours beyond a day.
func isDateFormat(code string) bool {
	code, _, _ = strings.Cut(code, ";") // the form for positive numbers
	for i := 0; i < len(code); i++ {
		switch c := code[i] | 0x20; {
		case code[i] == '"':
			end := strings.IndexByte(code[i+1:], '"')
			if end < 0 {
				return false
			}
			i += end + 1
		case code[i] == '[':
			end := strings.IndexByte(code[i:], ']')
			if end < 0 {
				return false
			}
			if inside := strings.ToLower(code[i+1 : i+end]); inside != "" && strings.Trim(inside, "hms") == "" {
				return true
			}
			i += end
		case code[i] == '\\' || code[i] == '_' || code[i] == '*':
			i++
		case c == 'y' || c == 'm' || c == 'd' || c == 'h' || c == 's':
			return true
		}
	}
	return false
}

// readStrings reads the table of texts (ECMA-376 part 1, 18.4.9).
func (b *book) readStrings() error {
	const part = "xl/sharedStrings.xml"
	if b.parts[strings.ToLower(part)] == nil {
		return nil
	}
	t, err := b.tokens(part)
	if err != nil {
		return err
	}
	defer t.close()
	total := 0
	for {
		token, err := t.next()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if tag, ok := token.(xml.StartElement); ok && tag.Name.Local == "si" {
			s, err := t.richText()
			if err != nil {
				return err
			}
			if total += len(s) + 16; total > maxStringBytes { // 16 for its place in the table
				return refuse(TooLarge, "split it, or save it as CSV UTF-8", "holds more than %d bytes of text", maxStringBytes)
			}
			b.strings = append(b.strings, s)
		}
	}
}

// richText returns the text up to the end of the element just begun: its t
// elements, without the pronunciation aids in rPh.
func (t *tokens) richText() (string, error) {
	var s strings.Builder
	end, aid, inText := t.depth, 0, false
	for {
		token, err := t.next()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return "", err
		}
		switch token := token.(type) {
		case xml.StartElement:
			switch token.Name.Local {
			case "rPh":
				if aid == 0 {
					aid = t.depth
				}
			case "t":
				inText = aid == 0
			}
		case xml.EndElement:
			inText = false
			if t.depth < aid {
				aid = 0
			}
			if t.depth < end {
				return unescape(s.String()), nil
			}
		case xml.CharData:
			if !inText {
				continue
			}
			if s.Len()+len(token) > MaxCellBytes {
				return "", refuse(LongCell, "shorten it", "has a cell of more than %d bytes in %q", MaxCellBytes, t.part)
			}
			s.Write(token)
		}
	}
}

// unescape undoes _xHHHH_, how a workbook writes characters that XML forbids
// (ECMA-376 part 1, 22.9.2.19).
func unescape(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	var out strings.Builder
	for {
		i := strings.Index(s, "_x")
		if i < 0 || len(s) < i+7 {
			break
		}
		code, err := strconv.ParseUint(s[i+2:i+6], 16, 16)
		if err != nil || s[i+6] != '_' {
			out.WriteString(s[:i+2])
			s = s[i+2:]
			continue
		}
		out.WriteString(s[:i])
		out.WriteRune(rune(code))
		s = s[i+7:]
	}
	return out.String() + s
}
