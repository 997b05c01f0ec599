package roster_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"aidpass/issuer/registry/roster"
)

// parts of a workbook by name; sheet is the one of its only sheet.
type parts map[string]string

const sheetPart = "xl/worksheets/sheet1.xml"

// bare returns the least workbook, with rows as the content of its only sheet.
func bare(rows string) parts {
	return parts{
		"xl/workbook.xml":            `<workbook xmlns:r="r"><sheets><sheet name="List" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
		sheetPart:                    `<?xml version="1.0" encoding="UTF-8"?><worksheet><sheetData>` + rows + `</sheetData></worksheet>`,
	}
}

// inline is a row of texts.
func inline(number int, cells ...string) string {
	row := fmt.Sprintf(`<row r="%d">`, number)
	for i, cell := range cells {
		row += fmt.Sprintf(`<c r="%c%d" t="inlineStr"><is><t>%s</t></is></c>`, 'A'+i, number, cell)
	}
	return row + "</row>"
}

func (p parts) with(name, content string) parts { p[name] = content; return p }

func (p parts) zip(t testing.TB) string {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(p)) {
		part, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(part, p[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestCellsComeAsTheyWereTyped(t *testing.T) {
	styles := `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="&quot;day&quot; dd/mm/yy"/><numFmt numFmtId="165" formatCode="[Red]0.00 &quot;USD&quot;"/><numFmt numFmtId="166" formatCode="[hh]:mm"/></numFmts>` +
		`<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="22"/><xf numFmtId="166"/></cellXfs></styleSheet>`
	strings := `<sst><si><t>Fatima</t></si><si><r><t>Am</t></r><r><rPr><b/></rPr><t xml:space="preserve">ina </t></r><rPh sb="0" eb="1"><t>aid</t></rPh></si><si><t>a_x0041_b_x_</t></si></sst>`
	tests := []struct{ name, cell, want string }{
		{"a text of the table", `<c t="s"><v>0</v></c>`, "Fatima"},
		{"a text in parts, without its pronunciation", `<c t="s"><v>1</v></c>`, "Amina"},
		{"an escaped character", `<c t="s"><v>2</v></c>`, "aAb_x_"},
		{"a text in place", `<c t="inlineStr"><is><t>A &amp; B</t></is></c>`, "A & B"},
		{"a formula's stored text", `<c t="str"><f>WEBSERVICE("http://127.0.0.1:1/")</f><v>Fatima</v></c>`, "Fatima"},
		{"a long number", `<c><v>123456789012345</v></c>`, "123456789012345"},
		{"a number in powers of ten", `<c><v>1.23456789E+9</v></c>`, "1234567890"},
		{"a number with 17 digits stored", `<c><v>33.939100000000003</v></c>`, "33.9391"},
		{"a number that is not one", `<c><v>x</v></c>`, "x"},
		{"a date", `<c s="1"><v>32874</v></c>`, "1990-01-01"},
		{"a date in a format of the workbook's own", `<c s="2"><v>29526</v></c>`, "1980-11-01"},
		{"an amount of money", `<c s="3"><v>32874</v></c>`, "32874"},
		{"a date and time", `<c s="4"><v>32874.5</v></c>`, "1990-01-01 12:00:00"},
		{"hours", `<c s="5"><v>0.25</v></c>`, "06:00:00"},
		{"the first day", `<c s="1"><v>1</v></c>`, "1900-01-01"},
		{"the last day before the leap that never was", `<c s="1"><v>59</v></c>`, "1900-02-28"},
		{"the day after it", `<c s="1"><v>61</v></c>`, "1900-03-01"},
		{"the leap that never was", `<c s="1"><v>60</v></c>`, "60"},
		{"a day before all days", `<c s="1"><v>-1</v></c>`, "-1"},
		{"a format out of the table", `<c s="99"><v>7</v></c>`, "7"},
		{"yes", `<c t="b"><v>1</v></c>`, "TRUE"},
		{"a date in ISO form", `<c t="d"><v>1990-01-01T00:00:00</v></c>`, "1990-01-01 00:00:00"},
		{"empty with a format", `<c s="1"/>`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			book := bare(inline(1, "value", "name")+`<row>`+tt.cell+`<c t="inlineStr"><is><t>x</t></is></c></row>`).
				with("xl/styles.xml", styles).with("xl/sharedStrings.xml", strings)
			got, err := read(file(t, "list.xlsx", book.zip(t)), roster.Options{})
			if err != nil || len(got.rows) != 1 || len(got.problems) != 0 {
				t.Fatalf("%d rows, %v, %v", len(got.rows), got.problems, err)
			}
			if cell := got.rows[0].Cell("value"); cell != tt.want {
				t.Errorf("got %q, want %q", cell, tt.want)
			}
		})
	}
	book := bare(inline(1, "value")+`<row><c s="1"><v>0</v></c></row><row><c s="1"><v>31412</v></c></row>`).with("xl/styles.xml", styles)
	book["xl/workbook.xml"] = `<workbook xmlns:r="r"><workbookPr date1904="1"/><sheets><sheet name="List" r:id="rId1"/></sheets></workbook>`
	got, err := read(file(t, "list.xlsx", book.zip(t)), roster.Options{})
	if want := []string{"1904-01-01", "1990-01-01"}; err != nil || !slices.Equal(got.column("value"), want) {
		t.Errorf("counting from 1904: %q, %v, want %q", got.column("value"), err, want)
	}
}

func TestCellsThatCannotBeUsedAreTheRowsProblem(t *testing.T) {
	tests := []struct{ cell, want string }{
		{`<c r="B2" t="e"><v>#N/A</v></c>`, `row 2, column "size": it holds the error #N/A: mend the formula, or type the value`},
		{`<c r="B2"><f>A1+1</f></c>`, `row 2, column "size": its formula has no stored value: open the file with a spreadsheet program, save it, and try again`},
		{`<c r="B2" t="inlineStr"><is><t>a_x0000_b</t></is></c>`, `row 2, column "size": it holds a NUL character, which no list needs: type the cell's text anew`},
	}
	for _, tt := range tests {
		book := bare(inline(1, "name", "size") + `<row r="2"><c r="A2" t="inlineStr"><is><t>A</t></is></c>` + tt.cell + `</row>` + inline(9, "B", "1"))
		got, err := read(file(t, "list.xlsx", book.zip(t)), roster.Options{})
		if err != nil || len(got.rows) != 2 || got.rows[1].Number != 9 {
			t.Fatalf("%d rows, %v", len(got.rows), err)
		}
		if len(got.problems) != 1 || got.problems[0].String() != tt.want {
			t.Errorf("got %q\nwant %q", got.problems, tt.want)
		}
	}
}

func TestAHostileOrDamagedWorkbookIsRefused(t *testing.T) {
	good := inline(1, "name") + inline(2, "A")
	doctype := `<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]>`
	tests := []struct {
		name string
		book parts
		want string
	}{
		{"an entity in the sheet", bare("").with(sheetPart, doctype+`<worksheet><sheetData><row><c t="inlineStr"><is><t>&a;</t></is></c></row></sheetData></worksheet>`), "declares XML entities"},
		{"an entity in the texts", bare(good).with("xl/sharedStrings.xml", doctype+`<sst/>`), "declares XML entities"},
		{"an entity in the list of sheets", bare(good).with("xl/workbook.xml", doctype+`<workbook/>`), "declares XML entities"},
		// The usual reader ends here without a word, and row 3 is lost.
		{"XML that breaks behind row 1", bare(good + `<row><c t="inlineStr"><is><t>&b;</t></is></c></row>` + inline(4, "B")), "is damaged"},
		{"a sheet that stops in the middle", bare("").with(sheetPart, `<worksheet><sheetData>`+good), "is damaged"},
		{"rows out of order", bare(inline(2, "name") + inline(1, "A")), `row "1" behind row 2`},
		{"a row beyond the last", bare(inline(1, "name") + `<row r="4294967295"><c/></row>`), "row \"4294967295\" behind row 1"},
		{"a column beyond the last", bare(good + `<row r="3"><c r="XFD3"><v>1</v></c></row>`), "column XFD; it may have 4000 columns"},
		{"cells out of order", bare(good + `<row r="3"><c r="B3"><v>1</v></c><c r="A3"><v>1</v></c></row>`), `cell "A3" in row 3`},
		{"a cell of another row", bare(good + `<row r="3"><c r="A7"><v>1</v></c></row>`), `cell "A7" in row 3`},
		{"a text out of the table", bare(good + `<row><c t="s"><v>5</v></c></row>`), `text number "5"`},
		{"a cell of more than a mebibyte", bare(good + inline(3, strings.Repeat("x", 1<<20+1))), "a cell of more than 1048576 bytes"},
		{"a sheet that unpacks a thousandfold", bare(good + strings.Repeat(" ", 8<<20)), "unpacks from"},
		{"a name that leads outside", bare(good).with("../evil", "x"), "leads outside"},
		{"a part twice", bare(good).with("XL/workbook.xml", "<workbook/>"), "holds two files named"},
		{"another encoding", bare("").with(sheetPart, `<?xml version="1.0" encoding="UTF-16"?><worksheet/>`), "is damaged"},
		{"no sheet", bare(good).with("xl/workbook.xml", "<workbook/>"), "is a workbook without a sheet"},
		{"a sheet that is not there", bare(good).with("xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="rId1" Type="http://x/worksheet" Target="/xl/none.xml"/></Relationships>`), `"xl/none.xml" is missing`},
		{"a sheet from elsewhere", bare(good).with("xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="rId1" Type="http://x/worksheet" TargetMode="External" Target="http://127.0.0.1:1/"/></Relationships>`), "is a workbook without a sheet"},
		{"a binary workbook", parts{"xl/workbook.bin": "x"}, "is a binary workbook"},
		{"an OpenDocument file", parts{"content.xml": "x"}, "is an OpenDocument file"},
		{"a Word document", parts{"word/document.xml": "x"}, "is a Word document"},
		{"some archive", parts{"list.csv": "name\nA\n"}, "is a ZIP archive, not a workbook"},
		{"an empty sheet", bare(""), "has no sheet with a header and rows"},
		{"a header alone", bare(inline(1, "name")), "has no sheet with a header and rows"},
		{"no header", bare(inline(1, "Fatima", "1990-01-01") + inline(2, "Musa", "1991-01-01")), "has no header"},
		{"a column twice", bare(inline(1, "name", "name") + inline(2, "A", "B")), `has two columns of one name`},
	}
	many := bare(good)
	for i := range 2001 {
		many[fmt.Sprintf("xl/media/%d.png", i)] = ""
	}
	tests = append(tests, struct {
		name string
		book parts
		want string
	}{"2,000 parts", many, "holds 2004 files"})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := read(file(t, "list.xlsx", tt.book.zip(t)), roster.Options{})
			var refused *roster.FileError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), tt.want) || refused.Path != "list.xlsx" {
				t.Errorf("got %d rows, %v, want %q", len(got.rows), err, tt.want)
			}
		})
	}
}

// people makes a workbook as a person would, with the library that writes them.
func people(t *testing.T, sheets map[string][][]any, order ...string) string {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for _, name := range order {
		if _, err := f.NewSheet(name); err != nil {
			t.Fatal(err)
		}
		for i, row := range sheets[name] {
			if err := f.SetSheetRow(name, fmt.Sprintf("A%d", i+1), &row); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := f.DeleteSheet("Sheet1"); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return file(t, "list.xlsx", out.String())
}

func TestTheSheetWithThePeopleIsChosen(t *testing.T) {
	sheets := map[string][][]any{
		"Notes":       {{"Please read", "this first"}, {"before", "importing"}},
		"Empty":       {},
		"Titles":      {{"name", "dob"}},
		"Households":  {{"household_id", "size_h_c"}, {"Household ID", "What is the size?"}, {"1", 4}},
		"Individuals": {{"household_id", "full_name_i_c"}, {"Household ID", "Full Name - required"}, {"1", "Amina"}, {"1", "Musa"}},
		"List":        {{"name", "dob", "sex"}, {"Fatima", "1990", "F"}},
		"Data":        {{"a", "b"}, {"x", "y"}},
	}
	tests := []struct {
		name  string
		order []string
		want  string
		sheet string
		rows  int
	}{
		{"HOPE's people before its households", []string{"Notes", "Households", "Individuals"}, "", "Individuals", 2},
		{"the one whose header is known", []string{"Notes", "Data", "List"}, "", "List", 1},
		{"past empty ones and titles alone", []string{"Empty", "Titles", "Data"}, "", "Data", 1},
		{"the one that was named", []string{"List", "Individuals"}, "list", "List", 1},
		{"households when they were named", []string{"Individuals", "Households"}, "Households", "Households", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := roster.Open(people(t, sheets, tt.order...), roster.Options{Sheet: tt.want})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			n := 0
			for {
				if _, err := r.Next(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				n++
			}
			if r.Sheet() != tt.sheet || n != tt.rows {
				t.Errorf("read %d rows of %q, want %d of %q", n, r.Sheet(), tt.rows, tt.sheet)
			}
		})
	}
	if _, err := roster.Open(people(t, sheets, "List", "Data"), roster.Options{Sheet: "Liste"}); err == nil || !strings.Contains(err.Error(), `["List" "Data"]`) {
		t.Errorf("a sheet that is not there: %v, want the names of those that are", err)
	}
}

func TestASecondRowThatIsDataIsNotTakenForLabels(t *testing.T) {
	for _, tt := range []struct {
		name   string
		second []any
		want   int
	}{
		{"labels", []any{"Household ID", "Full Name - STRING - required"}, 1},
		{"nothing", []any{}, 1},
		{"a person", []any{"1092128444", "James Hall"}, 2},
		{"a person whose number has letters", []any{"HH-A", "Amina Yusuf"}, 2},
		{"a person with no number", []any{"", "Deng Two"}, 2},
		{"a person named like a label", []any{"HH-A", "Name"}, 2},
	} {
		path := people(t, map[string][][]any{"Individuals": {{"household_id", "full_name_i_c"}, tt.second, {"1", "Amina Warsame"}}}, "Individuals")
		got, err := read(path, roster.Options{})
		if err != nil || len(got.rows) != tt.want {
			t.Errorf("%s: %d rows, %v, want %d", tt.name, len(got.rows), err, tt.want)
		}
	}
}

// Numbers of people are digits: none is lost on the way, and what the spreadsheet
// itself has rounded is not taken for one.
func TestNumbersKeepTheirDigits(t *testing.T) {
	for raw, want := range map[string]string{"007": "007", "7": "7", "9007199254740991": "9007199254740991", "4.0": "4", "0.25": "0.25", "-3": "-3"} {
		got, err := read(file(t, "list.xlsx", bare(inline(1, "id")+`<row r="2"><c r="A2"><v>`+raw+`</v></c></row>`).zip(t)), roster.Options{})
		if err != nil || len(got.rows) != 1 || got.rows[0].Cell("id") != want || len(got.problems) != 0 {
			t.Errorf("%s: read as %v, %v, %v, want %s", raw, got.rows, got.problems, err, want)
		}
	}
	for _, raw := range []string{"1234567890123456789", "1.2345678901234567E+18", "9007199254740993"} {
		got, err := read(file(t, "list.xlsx", bare(inline(1, "id")+`<row r="2"><c r="A2"><v>`+raw+`</v></c></row>`).zip(t)), roster.Options{})
		if err != nil || len(got.problems) != 1 || !strings.Contains(got.problems[0].String(), "more than 15 digits") {
			t.Errorf("%s: %v, %v, want a problem", raw, got.problems, err)
		}
	}
}

// same reports whether a cell of ours is what excelize finds stored in the file.
func same(ours, stored string) bool {
	ours, stored = strings.TrimSpace(ours), strings.TrimSpace(stored)
	if ours == stored || ours == "TRUE" && stored == "1" || ours == "FALSE" && stored == "0" {
		return true
	}
	n, err := strconv.ParseFloat(stored, 64)
	if err != nil {
		return false
	}
	if m, err := strconv.ParseFloat(ours, 64); err == nil {
		return m == n
	}
	if n < 61 { // excelize is a day early before the leap that never was
		return strings.HasPrefix(ours, "1900-")
	}
	date, err := excelize.ExcelDateToTime(n, false)
	return err == nil && (date.Format(time.DateOnly) == ours || date.Format(time.DateTime) == ours)
}

// Two readers of XLSX that share no line agree on every cell of real workbooks.
func TestExcelizeReadsTheSameCells(t *testing.T) {
	paths, _ := filepath.Glob("../../../../shared/inputs/*/*.xlsx")
	if len(paths) == 0 {
		t.Skip("SKIPPED: ../shared/inputs not present")
	}
	for _, path := range paths {
		f, err := excelize.OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, sheet := range f.GetSheetList() {
			ours, err := read(path, roster.Options{Sheet: sheet})
			if err != nil {
				t.Logf("%s, %s: %v", filepath.Base(path), sheet, err)
				continue
			}
			theirs, err := f.GetRows(sheet, excelize.Options{RawCellValue: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range ours.rows {
				for i, cell := range cut(row.Raw()) {
					var want string
					if i < len(theirs[row.Number-1]) {
						want = theirs[row.Number-1][i]
					}
					if want == "" { // it may lie under a merged cell
						axis := roster.ColumnLetter(i+1) + strconv.Itoa(row.Number)
						if want, err = f.GetCellValue(sheet, axis, excelize.Options{RawCellValue: true}); err != nil {
							t.Fatal(err)
						}
					}
					if !same(cell, want) {
						t.Errorf("%s, %s, row %d, cell %d: %q, excelize has %q", filepath.Base(path), sheet, row.Number, i+1, cell, want)
					}
				}
				theirs[row.Number-1] = nil
			}
			for i, row := range theirs[ours.rows[0].Number-1:] {
				if len(cut(row)) > 0 {
					t.Errorf("%s, %s, row %d did not come out", filepath.Base(path), sheet, i+ours.rows[0].Number)
				}
			}
		}
		f.Close()
	}
}

func TestHopeWorkbooksGiveEveryRow(t *testing.T) {
	folder := "../../../../shared/inputs/hope-rdi"
	if _, err := os.Stat(folder); err != nil {
		t.Skip("SKIPPED: ../shared/inputs/hope-rdi not present")
	}
	for name, want := range map[string]int{
		"rdi_import_50_hh_50_ind.xlsx": 208, "new_reg_data_import.xlsx": 6, "invalid_cols.xlsx": 27, "invalid_rows.xlsx": 27,
		"rdi_import_3_hh_missing_required_delivery_fields.xlsx": 14, "error-xlsx.xlsx": 6, "invalid_area.xlsx": 6,
	} {
		got, err := read(filepath.Join(folder, name), roster.Options{})
		if err != nil || len(got.rows) != want || len(got.problems) != 0 {
			t.Errorf("%s: %d rows, %v, %v, want %d", name, len(got.rows), got.problems, err, want)
			continue
		}
		m := roster.Guess(got.header)
		households := map[string]bool{}
		for _, row := range got.rows {
			if m.Name(row) == "" || row.Cell(m[roster.HouseholdID]) == "" {
				t.Errorf("%s, row %d has no name or no household", name, row.Number)
			}
			households[row.Cell(m[roster.HouseholdID])] = true
		}
		if name == "rdi_import_50_hh_50_ind.xlsx" && (len(households) != 50 || got.rows[0].Number != 3 || got.rows[207].Number != 210) {
			t.Errorf("%d households, rows %d to %d", len(households), got.rows[0].Number, got.rows[207].Number)
		}
	}
}

func TestHostileFilesFromOutside(t *testing.T) {
	folder := "../../../../shared/hostile-files"
	if _, err := os.Stat(folder); err != nil {
		t.Skip("SKIPPED: ../shared/hostile-files not present")
	}
	const refused = -1
	for name, want := range map[string]struct{ rows, bad int }{
		"ok.csv": {1, 0}, "bom.csv": {1, 0}, "utf16le.csv": {1, 0}, "nul.csv": {1, 1}, "ragged.csv": {2, 2}, "missing-header.csv": {refused, 0},
		"lone-cr.csv": {1, 0}, "header-only.csv": {refused, 0}, "dates.csv": {7, 0}, "formula-names.csv": {12, 0}, "unicode-names.csv": {13, 0},
		"ok.xlsx": {1, 0}, "bomb-sharedstrings-100MB.xlsx": {refused, 0}, "xxe-billion-laughs.xlsx": {refused, 0}, "dup-entry.xlsx": {refused, 0},
		"huge-row-number.xlsx": {refused, 0}, "formula-cells.xlsx": {1, 0}, "not-zip.xlsx": {refused, 0}, "csv-as-xlsx.xlsx": {refused, 0},
	} {
		got, err := read(filepath.Join(folder, name), roster.Options{})
		if (err != nil) != (want.rows == refused) || err == nil && (len(got.rows) != want.rows || len(got.problems) != want.bad) {
			t.Errorf("%s: %d rows, %d problems, %v, want %v", name, len(got.rows), len(got.problems), err, want)
		}
	}
}

// Whatever XML stands in a sheet, reading ends; and there is never an empty list
// without an error.
func FuzzSheet(f *testing.F) {
	f.Add(inline(1, "name", "dob") + inline(2, "A", "1990"))
	f.Add(`<row><c t="s"><v>0</v></c></row><row r="3"><c s="1"><v>32874.5</v></c><c r="C3" t="b"><v>1</v></c></row>`)
	f.Add(`<row><c t="e"><v>#REF!</v></c><c><f>A1</f></c><c t="d"><v>1990</v></c></row></sheetData></worksheet>`)
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, rows string) {
		book := bare(rows).with("xl/sharedStrings.xml", "<sst><si>"+rows+"</si></sst>").
			with("xl/styles.xml", `<styleSheet><cellXfs><xf/><xf numFmtId="14"/></cellXfs></styleSheet>`)
		path := filepath.Join(folder, "list.xlsx")
		if err := os.WriteFile(path, []byte(book.zip(t)), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := read(path, roster.Options{})
		if err == nil && len(got.rows) == 0 {
			t.Fatal("no rows and no error")
		}
		last := 0
		for _, row := range got.rows {
			if row.Number <= last || row.Number > roster.MaxRows || len(row.Raw()) > roster.MaxColumns {
				t.Fatalf("row %d of %d cells behind row %d", row.Number, len(row.Raw()), last)
			}
			last = row.Number
		}
	})
}
