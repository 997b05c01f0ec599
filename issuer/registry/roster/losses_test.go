package roster_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"aidpass/issuer/registry/roster"
)

func TestAPersonIsNotTakenForARowOfHashtags(t *testing.T) {
	for name, data := range map[string]string{
		"beside a number": "id,name\nP1,Amina\nP2,#Fatima\nP3,Musa\n",
		"alone":           "name\nAmina\n#Fatima\nMusa\n",
		"two names":       "id,given name,family name\nP1,Amina,Ali\nP2,#Fatima,#Hassan\nP3,Musa,Ali\n",
	} {
		w := opened(t, "list.csv", data)
		if w.Format() != roster.CSV || len(w.rows[""]) != 3 {
			t.Errorf("%s: %s with %d rows, want csv with 3", name, w.Format(), len(w.rows[""]))
		}
	}
	for name, data := range map[string]string{
		"one tag that is known": "Ort\n#adm1+name\nNord\n",
		"tags of one's own":     "a,b\n#x_camp,#x_tent\n1,2\n",
	} {
		if w := opened(t, "list.csv", data); w.Format() != roster.HXLCSV || len(w.rows[""]) != 1 {
			t.Errorf("%s: %s with %d rows", name, w.Format(), len(w.rows[""]))
		}
	}
}

func TestAFormulaThatSaysNothingIsAnEmptyCell(t *testing.T) {
	rows := inline(1, "id", "name") +
		`<row r="2"><c r="A2" t="inlineStr"><is><t>P1</t></is></c><c r="B2" t="str"><f>IF(C2="","",C2)</f><v></v></c></row>` +
		`<row r="3"><c r="A3" t="str"><f>IF(C3="","",C3)</f><v></v></c><c r="B3" t="str"><f>IF(C3="","",C3)</f><v/></c></row>`
	l, err := read(file(t, "list.xlsx", bare(rows).zip(t)), roster.Options{})
	if err != nil || len(l.rows) != 1 || len(l.problems) != 0 {
		t.Errorf("%d rows, problems %v, %v", len(l.rows), l.problems, err)
	}
}

func TestANumberThatASpreadsheetRoundedIsNotBelieved(t *testing.T) {
	for number, rounded := range map[string]bool{
		"3273010101900000": true, "3.2730101019E+15": true, "9999999999999990": true,
		"3273010101900001": false, "999999999999990": false, "-1000": false,
	} {
		rows := inline(1, "id", "name") + `<row r="2"><c r="A2"><v>` + number + `</v></c><c r="B2" t="inlineStr"><is><t>Amina</t></is></c></row>`
		l, err := read(file(t, "list.xlsx", bare(rows).zip(t)), roster.Options{})
		if err != nil || len(l.problems) > 0 != rounded {
			t.Errorf("%s: problems %v, %v", number, l.problems, err)
		}
	}
}

func TestNoSheetIsLostInSilence(t *testing.T) {
	book := func(n int) parts {
		p := bare(inline(1, "id", "name") + inline(2, "P1", "Amina"))
		var sheets, targets strings.Builder
		for i := range n {
			fmt.Fprintf(&sheets, `<sheet name="S%d" sheetId="%d" r:id="rId%d"/>`, i, i+1, i+1)
			fmt.Fprintf(&targets, `<Relationship Id="rId%d" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/>`, i+1)
		}
		p["xl/workbook.xml"] = `<workbook xmlns:r="r"><sheets>` + sheets.String() + `</sheets></workbook>`
		p["xl/_rels/workbook.xml.rels"] = `<Relationships>` + targets.String() + `</Relationships>`
		return p
	}
	if w, err := readAll(file(t, "list.xlsx", book(501).zip(t)), roster.Options{}); err == nil {
		t.Errorf("501 sheets: %d tables, %d passed over", len(w.Tables()), len(w.Skipped()))
	}
	// One whose part cannot be found is named, whatever the others hold.
	p := book(2)
	p["xl/_rels/workbook.xml.rels"] = strings.Replace(p["xl/_rels/workbook.xml.rels"], `Id="rId2"`, `Id="rId9"`, 1)
	w := opened(t, "list.xlsx", p.zip(t))
	if len(w.Tables()) != 1 || !slices.ContainsFunc(w.Skipped(), func(s roster.Skipped) bool { return s.Name == "S1" }) {
		t.Errorf("tables %d, passed over %v", len(w.Tables()), w.Skipped())
	}
}

func TestCellsUnderNoNameAreSeen(t *testing.T) {
	w := opened(t, "list.csv", "id,name,,\nP1,Amina,x,\nP2,Musa,,\n")
	if table := w.table(t, ""); len(table.Columns) != 3 || len(w.rows[""]) != 2 || w.rows[""][0].Cell(table.Columns[2].Name) != "x" {
		t.Errorf("%+v", table.Columns)
	}
}

func TestAByteOrderMarkIsStrongerThanANamedEncoding(t *testing.T) {
	w, err := readAll(file(t, "list.csv", "\xef\xbb\xbfid,name\nP1,أمينة\n"), roster.Options{Encoding: "windows-1256"})
	if err != nil || w.rows[""][0].Cell("id") != "P1" || w.rows[""][0].Cell("name") != "أمينة" {
		t.Errorf("%+v, %v", w.rows, err)
	}
}

func TestAnEncodingThatIsNotKnownIsAskedFor(t *testing.T) {
	for name, data := range map[string]string{
		"code page 850, French": "id,nom\n1,Ren\x82 Bl\x82riot\n2,Th\x82r\x8ase\n3,L\x82a\n",
		"KOI8-R":                "id,name\n1,\xe9\xd7\xc1\xce \xf0\xc5\xd4\xd2\xcf\xd7\n2,\xed\xc1\xd2\xc9\xd1 \xf3\xcd\xc9\xd2\xce\xcf\xd7\xc1\n3,\xef\xcc\xd8\xc7\xc1 \xeb\xd5\xda\xce\xc5\xc3\xcf\xd7\xc1\n",
		"windows-1250, Polish":  "id,name\n1,Wa\xb3\xeasa\n2,Miko\xb3aj\n3,\xa3ukasz\n4,Gra\xbfyna\n",
		"windows-1253, Greek":   "id,name\n1,\xc3\xe9\xfe\xf1\xe3\xef\xf2\n2,\xcc\xe1\xf1\xdf\xe1 \xd0\xe1\xf0\xe1\xe4\xef\xf0\xef\xfd\xeb\xef\xf5\n",
	} {
		if w, err := readAll(file(t, "list.csv", data), roster.Options{}); err == nil {
			t.Errorf("%s: read as %q", name, w.Warnings())
		}
	}
	for name, data := range map[string]string{
		"windows-1251":  "id,name\n1,\xc8\xe2\xe0\xed \xcf\xe5\xf2\xf0\xee\xe2\n2,\xcc\xe0\xf0\xe8\xff \xd1\xec\xe8\xf0\xed\xee\xe2\xe0\n",
		"capitals":      "id,name\n1,\xc8\xc2\xc0\xcd\xce\xc2\xc0 \xce\xcb\xdc\xc3\xc0\n",
		"windows-1252":  "id,nom\n1,Ren\xe9e N\x92Guessan\n2,Fran\xe7ois\n",
		"an apostrophe": "id,nom\n1,N\x92Guessan\n2,Amina\n",
	} {
		if _, err := readAll(file(t, "list.csv", data), roster.Options{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestARepeatOfAnyNameIsATableOfItsOwn(t *testing.T) {
	for _, repeat := range []string{"submissions", "data", "results", "members"} {
		w, err := readAll(file(t, "data.json", fmt.Sprintf(`[{"_uuid":"u","name":"Amina",%q:[{"child":"Musa"}]}]`, repeat)), roster.Options{})
		if err != nil || len(w.Tables()) != 2 || len(w.rows["submissions"]) != 1 || w.rows["submissions"][0].Cell("name") != "Amina" {
			t.Errorf("%s in a list: %v, %v", repeat, w.rows, err)
		}
		w, err = readAll(file(t, "data.json", fmt.Sprintf(`{"_uuid":"u","name":"Amina",%q:[{"child":"Musa"}]}`, repeat)), roster.Options{})
		if err != nil || len(w.Tables()) != 2 || w.rows["submissions"][0].Cell("name") != "Amina" {
			t.Errorf("%s in one submission: %v, %v", repeat, w.rows, err)
		}
	}
}

func TestTheFormInAFileIsBounded(t *testing.T) {
	form := `"survey":[` + strings.Repeat(`"a",`, 3<<20) + `"a"],`
	if _, err := readAll(file(t, "data.json", `{`+form+`"results":[{"_uuid":"u"}]}`), roster.Options{}); err == nil || !strings.Contains(err.Error(), "form") {
		t.Errorf("12 MiB of questions: %v", err)
	}
}

func TestMergedCellsInEitherQuotes(t *testing.T) {
	p := bare(inline(1, "household id", "name") + inline(2, "H1", "Amina") +
		`<row r="3"><c r="B3" t="inlineStr"><is><t>Musa</t></is></c></row>`)
	p[sheetPart] = strings.Replace(p[sheetPart], "</sheetData>", "</sheetData><mergeCells><mergeCell ref='A2:A3'/></mergeCells>", 1)
	l, err := read(file(t, "list.xlsx", p.zip(t)), roster.Options{})
	if err != nil || !slices.Equal(l.column("household id"), []string{"H1", "H1"}) {
		t.Errorf("%v, %v", l.column("household id"), err)
	}
}

func TestARelationIsThatToTheGroupOfTheCase(t *testing.T) {
	const data = `<UNHCR_RRF><CASE><dataProcessGroup><ProcessingGroupGUID>g1</ProcessingGroupGUID></dataProcessGroup>
<dataIndividual><IndividualGUID>i1</IndividualGUID><FamilyName>Ali</FamilyName></dataIndividual>
<dataIndividualProcessGroup><IndividualGUID>i1</IndividualGUID><ProcessingGroupGUID>g1</ProcessingGroupGUID><RelationshipToPrincipalRepresentative>PRA</RelationshipToPrincipalRepresentative></dataIndividualProcessGroup>
<dataIndividualProcessGroup><IndividualGUID>i1</IndividualGUID><ProcessingGroupGUID>g2</ProcessingGroupGUID><RelationshipToPrincipalRepresentative>SON</RelationshipToPrincipalRepresentative></dataIndividualProcessGroup>
</CASE></UNHCR_RRF>`
	w := opened(t, "case.xml", data)
	if got := w.rows["Individuals"][0].Cell("RelationshipToPrincipalRepresentative"); got != "PRA" {
		t.Errorf("relation %q, want PRA", got)
	}
}
