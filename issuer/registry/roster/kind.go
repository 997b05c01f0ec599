package roster

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// kind is what a file is by its bytes.
type kind uint8

const (
	text kind = iota + 1
	workbook
)

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
	{"{\\rtf", "a Rich Text document", "copy its table into a spreadsheet and save that"},
	{"<?xml", "an XML file", "open it with a spreadsheet program and save it as .xlsx"},
	{"<!doctype", "a web page", "open it with a spreadsheet program and save it as .xlsx"},
	{"<html", "a web page", "open it with a spreadsheet program and save it as .xlsx"},
	{"<table", "a web page", "open it with a spreadsheet program and save it as .xlsx"},
	{"{\"", "a JSON file", "export the list as CSV or XLSX"},
	{"[{", "a JSON file", "export the list as CSV or XLSX"},
}

// sniff tells what file is, and refuses what Open does not read, and a file whose
// name says another kind: it was renamed, and who sent it should know.
func sniff(file *os.File, info fs.FileInfo) (kind, error) {
	if !info.Mode().IsRegular() {
		return 0, refuse("name a CSV or XLSX file", "is not a file")
	}
	if info.Size() == 0 {
		return 0, refuse("export the list again", "is empty")
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
		start := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n"))
		for _, other := range others {
			if !bytes.HasPrefix(start, bytes.ToLower([]byte(other.start))) {
				continue
			}
			if bytes.HasPrefix(head, []byte("\xd0\xcf")) && encrypted(file, info.Size()) {
				return 0, refuse("open it with its password and save a copy without one", "is a workbook locked with a password")
			}
			return 0, refuse(other.fix, "is %s, not CSV or XLSX", other.name)
		}
		if binary(head) {
			return 0, refuse("export the list as CSV or XLSX", "is neither CSV nor XLSX")
		}
	}
	switch name := strings.ToLower(filepath.Ext(info.Name())); {
	case found == text && (name == ".xlsx" || name == ".xlsm"):
		return 0, refuse("rename it to end in .csv, or export it again as XLSX", "is a text such as CSV, not the workbook its name says")
	case found == workbook && (name == ".csv" || name == ".tsv" || name == ".txt"):
		return 0, refuse("rename it to end in .xlsx, or export it again as CSV", "is a ZIP archive such as XLSX, not the text its name says")
	}
	return found, nil
}

// binary reports whether a file that starts with head is no text: it has
// control characters beyond what UTF-16 explains.
func binary(head []byte) bool {
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
