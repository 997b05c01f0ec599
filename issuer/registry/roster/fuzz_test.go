package roster_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aidpass/issuer/registry/roster"
)

// tame opens bytes as a file, and sees that rows come out or it is refused, and
// never more cells with something in them than there are bytes.
func tame(t *testing.T, folder, name, data string) (whole, bool) {
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := readAll(path, roster.Options{})
	var refused *roster.FileError
	if errors.As(err, &refused) {
		return w, false
	} else if err != nil {
		t.Fatal(err)
	}
	if len(w.Tables()) == 0 {
		t.Fatal("no tables and no error")
	}
	for _, table := range w.Tables() {
		names, cells := map[string]bool{}, 0
		for _, c := range table.Columns {
			if c.Name == "" || names[c.Name] {
				t.Fatalf("two columns %q", c.Name)
			}
			names[c.Name] = true
		}
		for _, row := range w.rows[table.Name] {
			for _, cell := range row.Raw() {
				if cell != "" {
					cells++
				}
			}
		}
		if cells > len(data) {
			t.Fatalf("%d cells of %d bytes", cells, len(data))
		}
	}
	return w, true
}

// What comes out of JSON is what encoding/json finds in it.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{twoVersions, `[{"_id":1,"a":{"b":[1,"x",null]},"m":[{"n":[{}]}]}]`, `[["#org","x"],["a","b"]]`, `{"survey":[],"submissions":[{"q":"\ud83d\ude00\u0000"}]}`, `{"_uuid":"x","a":-0.5e+9}`} {
		f.Add(seed)
	}
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, data string) {
		w, ok := tame(t, folder, "data.json", data)
		if !ok || w.Format() != roster.KoboJSON || strings.HasPrefix(data, "\xff\xfe") || strings.HasPrefix(data, "\xfe\xff") || strings.ContainsRune(data, 0) {
			return
		}
		data = strings.TrimPrefix(data, "\ufeff")
		var v any
		if err := json.Unmarshal([]byte(data), &v); err != nil && !strings.Contains(data, "NaN") {
			t.Fatalf("encoding/json refuses it: %v", err)
		}
		if list, ok := v.([]any); ok && len(list) != len(w.rows["submissions"]) {
			t.Fatalf("%d submissions, encoding/json finds %d", len(w.rows["submissions"]), len(list))
		}
	})
}

func FuzzXML(f *testing.F) {
	f.Add("<UNHCR_RRF>" + rrfCase + "</UNHCR_RRF>")
	f.Add(`<?xml version="1.0"?><a:UNHCR_RRF><CASE><x><y/></x><dataIndividual><z><![CDATA[<]]></z></dataIndividual></CASE></a:UNHCR_RRF>`)
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, data string) { tame(t, folder, "case.xml", data) })
}

func FuzzText(f *testing.F) {
	for _, seed := range []string{"name,dob\nA,1990\n", "x,y\n#org,#adm1\na,b\n", "_index;_uuid\n1;u\n", "name\n\xe9t\xe9\n", "a\x00b", "'=1,b\n''-2,c\n", "\xff\xfea\x00\n\x00b\x00"} {
		f.Add(seed)
	}
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, data string) { tame(t, folder, "list.txt", data) })
}

// A workbook as a whole: any bytes, and any sheet with merged cells.
func FuzzWorkbook(f *testing.F) {
	f.Add("", inline(1, "name", "dob")+inline(2, "A", "1990"), "A2:A3")
	f.Add("PK\x05\x06", inline(1, "_index", "_uuid", "q/a", "q/b")+inline(2, "1", "u", "1", "0"), "B1:XFD1048576")
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, data, rows, ref string) {
		if data != "" {
			tame(t, folder, "list.xlsx", "PK\x03\x04"+data)
			return
		}
		book := bare("").with(sheetPart, "<worksheet><sheetData>"+rows+`</sheetData><mergeCells><mergeCell ref="`+ref+`"/></mergeCells></worksheet>`)
		path := filepath.Join(folder, "list.xlsx")
		if err := os.WriteFile(path, []byte(book.zip(t)), 0o600); err != nil {
			t.Fatal(err)
		}
		w, err := readAll(path, roster.Options{})
		var refused *roster.FileError
		if err != nil && !errors.As(err, &refused) || err == nil && len(w.Tables()) == 0 {
			t.Fatalf("%v, %d tables", err, len(w.Tables()))
		}
	})
}
