package roster_test

import (
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aidpass/issuer/registry/roster"
)

// file writes data under name in a folder of its own.
func file(t testing.TB, name, data string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// list is all that a roster says.
type list struct {
	header   []string
	rows     []roster.Row
	problems []roster.Problem
}

func read(path string, opt roster.Options) (list, error) {
	r, err := roster.Open(path, opt)
	if err != nil {
		return list{}, err
	}
	defer r.Close()
	l := list{header: r.Header()}
	for {
		row, err := r.Next()
		if err == io.EOF {
			return l, nil
		} else if err != nil {
			return l, err
		}
		l.rows = append(l.rows, row)
		l.problems = append(l.problems, row.Problems...)
	}
}

func (l list) column(name string) []string {
	var cells []string
	for _, row := range l.rows {
		cells = append(cells, row.Cell(name))
	}
	return cells
}

func TestCSVInEveryDress(t *testing.T) {
	const plain = "name,dob,size\nFatima,1990-01-01,6\nMusa,1991-02-03,2\n"
	utf16 := func(order string, bom bool, text string) string {
		var out []byte
		if bom {
			text = "\ufeff" + text
		}
		for _, c := range text {
			high, low := byte(c>>8), byte(c)
			if order == "big" {
				out = append(out, high, low)
			} else {
				out = append(out, low, high)
			}
		}
		return string(out)
	}
	tests := []struct {
		name, data string
		opt        roster.Options
		want       []string // the names
	}{
		{"plain", plain, roster.Options{}, []string{"Fatima", "Musa"}},
		{"with a byte order mark", "\ufeff" + plain, roster.Options{}, []string{"Fatima", "Musa"}},
		{"UTF-16 of Excel", utf16("little", true, plain), roster.Options{}, []string{"Fatima", "Musa"}},
		{"UTF-16 the other way round", utf16("big", true, plain), roster.Options{}, []string{"Fatima", "Musa"}},
		{"UTF-16 without a mark", utf16("little", false, plain), roster.Options{}, []string{"Fatima", "Musa"}},
		{"semicolons", strings.ReplaceAll(plain, ",", ";"), roster.Options{}, []string{"Fatima", "Musa"}},
		{"tabs", strings.ReplaceAll(plain, ",", "\t"), roster.Options{}, []string{"Fatima", "Musa"}},
		{"bars", strings.ReplaceAll(plain, ",", "|"), roster.Options{}, []string{"Fatima", "Musa"}},
		{"Excel's own first line", "sep=;\n" + strings.ReplaceAll(plain, ",", ";"), roster.Options{}, []string{"Fatima", "Musa"}},
		{"Windows line ends", strings.ReplaceAll(plain, "\n", "\r\n"), roster.Options{}, []string{"Fatima", "Musa"}},
		{"old Mac line ends", strings.ReplaceAll(plain, "\n", "\r"), roster.Options{}, []string{"Fatima", "Musa"}},
		{"no last line end", strings.TrimSuffix(plain, "\n"), roster.Options{}, []string{"Fatima", "Musa"}},
		{"blank lines", "\n\n" + strings.ReplaceAll(plain, "\nM", "\n\n , ,\nM"), roster.Options{}, []string{"Fatima", "Musa"}},
		{"separators behind the last column", strings.ReplaceAll(plain, "6\n", "6,,\n"), roster.Options{}, []string{"Fatima", "Musa"}},
		{"quotes", "name,size\n\"Warsame, Amina \"\"Mimi\"\"\",3\n\"two\nlines\",1\n5\" tall,1\n", roster.Options{}, []string{`Warsame, Amina "Mimi"`, "two\nlines", `5" tall`}},
		{"one column", "name\nFatima\n", roster.Options{}, []string{"Fatima"}},
		{"Arabic of an old machine", "name,size\n\xdd\xc7\xd8\xe3\xc9,6\n", roster.Options{Encoding: "windows-1256"}, []string{"فاطمة"}},
		{"a formula is a text", "name\n=HYPERLINK(1)\n", roster.Options{}, []string{"=HYPERLINK(1)"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := read(file(t, "list.csv", tt.data), tt.opt)
			if err != nil || len(got.problems) > 0 {
				t.Fatalf("%v, %v", err, got.problems)
			}
			if names := got.column("name"); !slices.Equal(names, tt.want) {
				t.Errorf("got %q, want %q", names, tt.want)
			}
		})
	}
}

func TestRowsKeepTheNumberASpreadsheetShows(t *testing.T) {
	got, err := read(file(t, "list.csv", "\nname,note\nA,x\n\n\"B\",\"two\nlines\"\nC,y\n"), roster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var numbers []int
	for _, row := range got.rows {
		numbers = append(numbers, row.Number)
	}
	if want := []int{3, 5, 6}; !slices.Equal(numbers, want) {
		t.Errorf("rows %v, want %v", numbers, want)
	}
}

func TestARowSaysWhatIsWrongWithIt(t *testing.T) {
	tests := []struct{ name, data, want string }{
		{"NUL", "name,size\nFat\x00ima,6\nB,1\n", `row 2, column "name": it holds a NUL character, which no list needs: type the cell's text anew`},
		{"too few cells", "name,size\nFatima\nB,1\n", "row 2: it has 1 cells, the header has 2: put quotes around a cell that holds the separator, and add or remove separators"},
		{"too many", "name,size\nFatima,6,7\nB,1\n", "row 2: it has 3 cells, the header has 2: put quotes around a cell that holds the separator, and add or remove separators"},
		{"far too many", "name,size\nA" + strings.Repeat(",b", 20_000) + "\nB,1\n", "row 2: it has 4001 cells, the header has 2: put quotes around a cell that holds the separator, and add or remove separators"},
		{"a quote in the middle", "name,size\n\"A\" B,1\nB,1\n", `row 2, column "name": there is text behind its closing quote: write a quote inside a cell twice`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := read(file(t, "list.csv", tt.data), roster.Options{})
			if err != nil || len(got.rows) != 2 || len(got.rows[1].Problems) != 0 {
				t.Fatalf("%v, %d rows: one bad row must not cost the next", err, len(got.rows))
			}
			if len(got.problems) != 1 || got.problems[0].String() != tt.want {
				t.Errorf("got %q\nwant %q", got.problems, tt.want)
			}
		})
	}
}

func TestAFileThatCannotBeUsedIsRefusedWithTheWayOut(t *testing.T) {
	tests := []struct{ name, file, data, want string }{
		{"empty", "a.csv", "", "is empty"},
		{"blank", "a.csv", "\n , ,\n\n", "has no rows"},
		{"a header alone", "a.csv", "name,dob\n", "has a header and no rows"},
		{"no header", "a.csv", "Fatima,1990-01-01,6\nMusa,1991-01-01,2\n", "has no header: column B"},
		{"a column twice", "a.csv", "name,dob,name\nA,1990,B\n", `has two columns of one name, A and C`},
		{"a quote never closed", "a.csv", "name,dob\n\"A,1990\nB,1991\n", "a quote in row 2, column A that is never closed"},
		{"20,000 columns", "a.csv", "a" + strings.Repeat(",b", 20_000) + "\nx\n", "has 4001 columns, at most 4000"},
		{"a cell of more than a mebibyte", "a.csv", "name,dob\n" + strings.Repeat("x", 1<<20+1) + ",1\n", "a cell of more than 1048576 bytes in row 2, column A"},
		{"not UTF-8", "a.csv", "name\nA\n\xe9\n", "is not UTF-8: see line 3"},
		{"an old workbook", "a.xls", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1Workbook", "is an old Excel workbook (.xls)"},
		{"a locked workbook", "a.xlsx", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00", "is a workbook locked with a password"},
		{"a web page", "a.xlsx", "\r\n<HTML><table><tr><td>name", "is a web page"},
		{"an XML file", "a.xlsx", `<?xml version="1.0"?><Workbook/>`, "is an XML file"},
		{"a PDF", "a.csv", "%PDF-1.7", "is a PDF"},
		{"JSON", "a.csv", `[{"name":"A"}]`, "is a JSON file"},
		{"a CSV renamed", "a.xlsx", "name,dob\nA,1990\n", "is a text such as CSV, not the workbook its name says"},
		{"a workbook renamed", "a.csv", "PK\x03\x04", "is a ZIP archive such as XLSX, not the text its name says"},
		{"half an archive", "a.xlsx", "PK\x03\x04 and so on", "is a damaged archive"},
		{"machine code", "a.csv", "\x7fELF\x02\x01\x01\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0f\x10\x11", "is neither CSV nor XLSX"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := read(file(t, tt.file, tt.data), roster.Options{})
			var refused *roster.FileError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %d rows, %v; want %q", len(got.rows), err, tt.want)
			}
			if refused.Path != tt.file || refused.Fix == "" {
				t.Errorf("%v names the file %q and the way out %q", err, refused.Path, refused.Fix)
			}
		})
	}
	if _, err := read(filepath.Join(t.TempDir(), "none.csv"), roster.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := read(t.TempDir(), roster.Options{}); err == nil {
		t.Error("a folder was read")
	}
	if _, err := read(file(t, "a.csv", "name\nA\n"), roster.Options{Encoding: "klingon"}); err == nil {
		t.Error("an encoding that does not exist was taken")
	}
}

// What encoding/csv writes comes back cell for cell; whatever else comes, comes
// to an end.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{"name,dob\nA,1990\n", "a;b\r\n\"x;\"\"y\";2\r", "\ufeffname\tsize\n\"A\nB\"\t1", "sep=|\na|b\n1|2\n", "a\x00,b\n\xff\n", "\xff\xfea\x00\n\x00b\x00"} {
		f.Add(seed)
	}
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, data string) {
		path := filepath.Join(folder, "list.csv")
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := read(path, roster.Options{})
		if err != nil {
			return
		}
		if len(got.rows) == 0 {
			t.Fatal("no rows and no error")
		}
		var out strings.Builder
		out.WriteString("sep=,\n") // a header may hold more semicolons than columns
		w := csv.NewWriter(&out)
		w.Write(append([]string{"number"}, got.header...))
		var want [][]string
		for _, row := range got.rows {
			cells := append([]string{"7"}, row.Raw()...)
			if len(row.Problems) > 0 || strings.ContainsRune(strings.Join(cells, ""), '\r') || len(got.header) > roster.MaxColumns-1 {
				continue // encoding/csv writes a CR in its own way
			}
			want = append(want, cells)
			guarded := slices.Clone(cells)
			for i, cell := range cells { // as exports do
				if rest := strings.TrimLeft(cell, "'"); rest != "" && strings.ContainsAny(rest[:1], "=+-@\t\r") || strings.HasPrefix(rest, "＝") || strings.HasPrefix(rest, "＋") || strings.HasPrefix(rest, "－") || strings.HasPrefix(rest, "＠") {
					guarded[i] = "'" + cell
				}
			}
			w.Write(guarded)
		}
		w.Flush()
		if len(want) == 0 || slices.Contains(got.header, "number") {
			return
		}
		if err := os.WriteFile(path, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := read(path, roster.Options{})
		if err != nil && strings.Contains(err.Error(), "has no header") {
			return // the column that spoke for the header has been joined by dates
		}
		if err != nil || len(again.rows) != len(want) {
			t.Fatalf("%d rows came back of %d: %v\n%q", len(again.rows), len(want), err, out.String())
		}
		for i, row := range again.rows {
			if got := cut(row.Raw()); !slices.Equal(got, cut(want[i])) {
				t.Fatalf("row %d: %q came back as %q", i, want[i], got)
			}
		}
	})
}

// cut leaves off the blank cells at the end, which columns without a name may have.
func cut(cells []string) []string {
	for len(cells) > 0 && strings.TrimSpace(cells[len(cells)-1]) == "" {
		cells = cells[:len(cells)-1]
	}
	return cells
}
