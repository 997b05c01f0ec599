package rollcall_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/exercise"
	"aidpass/issuer/registry/roster"
	"aidpass/issuer/rollcall"
)

// sheetRow is a row of texts as a sheet has it.
func sheetRow(number int, cells ...string) string {
	row := fmt.Sprintf(`<row r="%d">`, number)
	for i, cell := range cells {
		row += fmt.Sprintf(`<c r="%c%d" t="inlineStr"><is><t>%s</t></is></c>`, 'A'+i, number, cell)
	}
	return row + "</row>"
}

// bareBook is the least workbook, with rows as the content of its sheet "List".
func bareBook(t *testing.T, rows string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, p := range [][2]string{
		{"xl/workbook.xml", `<workbook xmlns:r="r"><sheets><sheet name="List" sheetId="1" r:id="rId1"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="rId1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`},
		{"xl/worksheets/sheet1.xml", `<?xml version="1.0" encoding="UTF-8"?><worksheet><sheetData>` + rows + `</sheetData></worksheet>`},
	} {
		part, err := w.CreateHeader(&zip.FileHeader{Name: p[0], Method: zip.Store})
		if err == nil {
			_, err = io.WriteString(part, p[1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var aLetter = regexp.MustCompile(`^[A-Z]{0,3}$`)

// tame reports what a check may never say, whatever the file: it holds nothing of a cell, and
// each mark is of somebody who was invited, once, at a desk and on a day of the exercise.
func (w *table) tame(what string, f *rollcall.Filled, err error) {
	w.Helper()
	var refused *roster.FileError
	if err != nil && !errors.As(err, &refused) {
		w.Errorf("%s: %v is not about the file", what, err)
	}
	if f.Found < len(f.Findings) || f.Found > 0 && len(f.Findings) == 0 || len(f.Findings) > 200 {
		w.Errorf("%s: %d findings, %d of them told", what, f.Found, len(f.Findings))
	}
	for _, x := range f.Findings {
		if !slices.Contains(rollcall.Codes(), x.Code) || !aLetter.MatchString(x.Column) || x.Row < 0 || x.Row > roster.MaxRows {
			w.Errorf("%s: finding %+v", what, x)
		}
	}
	seen := map[registry.ID]bool{}
	for _, m := range f.Marks {
		day := m.Event.When.Format("2006-01-02")
		if seen[m.Unit] || !slices.Contains(w.homes, m.Unit) || m.Desk != "Desk A" && m.Desk != "Desk B" || day < "2026-11-23" || day > "2026-11-27" || m.Event.When.After(w.clock) {
			w.Errorf("%s: mark %+v", what, m)
		}
		seen[m.Unit] = true
	}
	for i := range w.homes {
		if o := w.outcome(i); o.Outcome != exercise.Waiting {
			w.Fatalf("%s: a check marked household %d", what, i)
		}
	}
}

// FuzzCheck: whatever stands in the sheet of a list that comes back, reading it ends, and says
// no more than where it is wrong.
func FuzzCheck(f *testing.F) {
	var head []string
	for _, key := range []string{"list", "line", "seen", "updated", "absent", "refused", "how", "when", "new_phone"} {
		head = append(head, rollcall.Words("en")["col."+key])
	}
	const list = code + "/Desk A"
	heading := sheetRow(1, append(head, "Amina +254 700 111 222")...)
	f.Add(heading + sheetRow(2, list, "REF", "x", "", "", "", "", "2026-11-23"))
	f.Add(heading + sheetRow(2, list, "REF", "", "", "x", "", "", "2026-11-23", "0712345678") + sheetRow(9, list, "REF", "x", "x"))
	f.Add(heading + `<row r="2"><c r="C2" t="e"><v>#REF!</v></c><c r="H2"><v>46349</v></c><c r="J2"><f>A1</f><v>1</v></c></row>`)
	f.Add(strings.Replace(heading, head[2], rollcall.Words("fr")["col.line"], 1) + sheetRow(2, list))
	f.Add(heading + `<row r="1048577"><c><v>1</v></c></row></sheetData>`)
	f.Fuzz(func(t *testing.T, rows string) {
		if len(rows) > 16<<10 {
			t.Skip("as long as a list of hundreds")
		}
		w := newTable(t, 2)
		b := bareBook(t, strings.ReplaceAll(rows, "REF", rollcall.Ref(code, w.homes[1])))
		got, err := w.desk.Check(t.Context(), clerk, code, "list.xlsx", b)
		w.tame("the sheet", &got, err)
	})
}

// No file from outside that is no filled list is taken for one.
func TestHostileFilesAreNoLists(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/hostile-files/*")
	if len(files) == 0 {
		t.Skip("SKIPPED: ../shared/hostile-files is not beside the project")
	}
	w := newTable(t, 2)
	books := 0
	for _, path := range files {
		if filepath.Ext(path) == ".xlsx" {
			books++
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(path)
		got, err := w.desk.Check(t.Context(), clerk, code, name, b)
		w.tame(name, &got, err)
		if err == nil && got.Found == 0 || len(got.Marks) > 0 {
			t.Errorf("%s is taken for a list: %+v", name, got)
		}
	}
	if books < 5 {
		t.Errorf("only %d workbooks", books)
	}
}
