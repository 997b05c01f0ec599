package roster

import (
	"bytes"
	"io"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/text/encoding/unicode"
)

// kind is what a file is by its bytes.
type kind uint8

const (
	text kind = iota + 1
	workbook
	jsonFile
	xmlFile
)

func (k kind) String() string {
	return [...]string{text: "a text such as CSV", workbook: "a ZIP archive such as XLSX", jsonFile: "a JSON file", xmlFile: "an XML file"}[k]
}

// limit is how many bytes such a file may have.
func (k kind) limit() int64 {
	if k == workbook {
		return MaxWorkbookBytes
	}
	return MaxTextBytes
}

// others are kinds of file that people send as a list. Told by their first
// bytes, blanks and a byte order mark aside.
var others = []struct {
	start, name, fix string
}{
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls)", "open it and save it as .xlsx or CSV UTF-8"},
	{"PK\x05\x06", "an empty ZIP archive", "send the list itself"},
	{"%PDF", "a PDF", "ask for the spreadsheet it was made from"},
	{"\x1f\x8b", "a gzip archive", "unpack it first"},
	{"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"},
	{"Rar!", "a RAR archive", "unpack it first"},
	{"\x89PNG", "a picture", "ask for the spreadsheet it shows"},
	{"\xff\xd8\xff", "a picture", "ask for the spreadsheet it shows"},
	{"GIF8", "a picture", "ask for the spreadsheet it shows"},
	{"{\\rtf", "a Rich Text document", "copy its table into a spreadsheet and save that"},
	{"SQLite format 3\x00", "a database", "export its tables as CSV or XLSX"},
	{"<!doctype html", "a web page", "open it with a spreadsheet program and save it as .xlsx"},
	{"<html", "a web page", "open it with a spreadsheet program and save it as .xlsx"},
	{"<table", "a web page", "open it with a spreadsheet program and save it as .xlsx"},
}

// JSON and XML by their first bytes, blanks and a byte order mark aside.
var (
	jsonStart = regexp.MustCompile(`^(\{\s*["}]|\[\s*[[{"\]])`)
	xmlStart  = regexp.MustCompile(`^<[a-zA-Z?!]`)
)

// sniff tells what a file of that name and size is, and refuses what is not read here, and a file whose
// name says another kind: it was renamed, and who sent it should know.
func sniff(file io.ReaderAt, name string, size int64) (kind, error) {
	if size == 0 {
		return 0, refuse(Empty, "export the list again", "is empty")
	}
	head := make([]byte, 4096)
	n, err := file.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return 0, err
	}
	head = head[:n]
	found := text
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		found = workbook
	} else {
		start := head
		if order, wide := utf16Order(head); wide && !bytes.HasPrefix(head, []byte(others[0].start)) {
			start, _ = unicode.UTF16(order, unicode.UseBOM).NewDecoder().Bytes(head[:len(head)&^1])
		}
		start = bytes.TrimLeft(bytes.TrimPrefix(start, []byte("\xef\xbb\xbf")), " \t\r\n")
		for _, other := range others {
			if len(start) < len(other.start) || !bytes.EqualFold(start[:len(other.start)], []byte(other.start)) {
				continue
			}
			if bytes.HasPrefix(head, []byte("\xd0\xcf")) && encrypted(file, size) {
				return 0, refuse(Locked, "open it with its password and save a copy without one", "is a workbook locked with a password")
			}
			return 0, refuse(WrongKind, other.fix, "is %s, not CSV or XLSX", other.name)
		}
		switch {
		case isBinary(head):
			return 0, refuse(WrongKind, "export the list as CSV or XLSX", "is neither CSV nor XLSX")
		case jsonStart.Match(start):
			found = jsonFile
		case xmlStart.Match(start):
			found = xmlFile
		}
	}
	switch name := strings.ToLower(filepath.Ext(name)); {
	case found != workbook && (name == ".xlsx" || name == ".xlsm"):
		return 0, refuse(WrongName, "rename it to end in "+ending[found]+", or export it again as XLSX", "is %s, not the workbook its name says", found)
	case found == workbook && (name == ".csv" || name == ".tsv" || name == ".txt"):
		return 0, refuse(WrongName, "rename it to end in .xlsx, or export it again as CSV", "is %s, not the text its name says", found)
	case (found == jsonFile || found == xmlFile) && (name == ".csv" || name == ".tsv"):
		return 0, refuse(WrongName, "rename it to end in "+ending[found]+", or export it again as CSV", "is %s, not the list its name says", found)
	}
	return found, nil
}

// ending is what the name of such a file ends in.
var ending = map[kind]string{text: ".csv", jsonFile: ".json", xmlFile: ".xml"}

// isBinary reports whether a file that starts with head is no text: it has
// control characters beyond what UTF-16 explains.
func isBinary(head []byte) bool {
	if _, wide := utf16Order(head); wide {
		return false
	}
	odd := 0
	for _, c := range head {
		if c < ' ' && c != '\t' && c != '\r' && c != '\n' && c != 0x0b && c != 0x0c && c != 0x1a {
			odd++
		}
	}
	return odd > 8 && odd*20 > len(head) // one NUL in a cell is a row's problem, not the file's
}

// encrypted reports whether an OLE file is a locked workbook: it has a stream of
// that name ([MS-OFFCRYPTO] 2.3.4.4), in UTF-16.
func encrypted(file io.ReaderAt, size int64) bool {
	const name = "E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00"
	data, err := io.ReadAll(io.NewSectionReader(file, 0, min(size, MaxWorkbookBytes)))
	return err == nil && bytes.Contains(data, []byte(name))
}
