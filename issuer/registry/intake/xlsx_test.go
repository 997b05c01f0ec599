package intake_test

import (
	"bytes"
	"testing"

	"github.com/xuri/excelize/v2"

	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/roster"
)

// A form opens elsewhere as it was meant: known cells locked, others open, as text, with
// their choices; what is typed into it comes back, and a formula does not.
func TestAFormIsFilledInElsewhere(t *testing.T) {
	var b bytes.Buffer
	book := intake.NewWorkbook(&b)
	form := intake.Form{RTL: true, Columns: []intake.FormColumn{{Width: 20}, {Width: 8, Open: true, Choose: []string{"x"}}, {Width: 12, Open: true}}}
	err := book.Form("List", form)
	for _, row := range [][]string{{"line", "seen", "when"}, {"A-1"}, {"=A-2"}} {
		if err == nil {
			err = book.Row(row...)
		}
	}
	if err == nil {
		err = book.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	x, err := excelize.OpenReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	locked := func(cell string) bool {
		id, err := x.GetCellStyle("List", cell)
		if err != nil {
			t.Fatal(err)
		}
		s, err := x.GetStyle(id)
		if err != nil {
			t.Fatal(err)
		}
		return s.Protection == nil || s.Protection.Locked
	}
	if !locked("A2") || !locked("B1") {
		t.Error("what the register knows can be typed over")
	}
	if id, err := x.GetColStyle("List", "B"); err != nil || id == 0 {
		t.Errorf("column B has the format %d, %v", id, err)
	}
	list, err := x.GetDataValidations("List")
	if err != nil || len(list) != 1 || list[0].Sqref != "B2:B3" {
		t.Errorf("choices %v, %v", list, err)
	}
	if v, err := x.GetSheetView("List", 0); err != nil || v.RightToLeft == nil || !*v.RightToLeft {
		t.Errorf("direction: %v", err)
	}
	for cell, value := range map[string]string{"B2": "x", "C2": "2026-11-23"} {
		if err := x.SetCellStr("List", cell, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.SetCellFormula("List", "B3", `"x"`); err != nil {
		t.Fatal(err)
	}
	var filled bytes.Buffer
	if err := x.Write(&filled); err != nil {
		t.Fatal(err)
	}
	f, err := roster.Read("list.xlsx", filled.Bytes(), roster.Options{Sheet: "List", Typed: true})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.Rows("List")
	if err != nil {
		t.Fatal(err)
	}
	row, err := rows.Next()
	if err != nil || row.Cell("line") != "A-1" || row.Cell("seen") != "x" || row.Cell("when") != "2026-11-23" || len(row.Problems) != 0 {
		t.Errorf("%q %q %q %v %v", row.Cell("line"), row.Cell("seen"), row.Cell("when"), row.Problems, err)
	}
	if row, err = rows.Next(); err != nil || row.Cell("line") != "=A-2" || len(row.Problems) != 1 || row.Problems[0].Column != "seen" && row.Problems[0].Column != "B" {
		t.Errorf("a formula: %q %v %v", row.Cell("line"), row.Problems, err)
	}
}
