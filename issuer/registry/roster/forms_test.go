package roster_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"aidpass/issuer/registry/roster"
)

// opened reads a file of these bytes to its end.
func opened(t testing.TB, name, data string) whole {
	t.Helper()
	w, err := readAll(file(t, name, data), roster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w whole) table(t testing.TB, name string) roster.Table {
	t.Helper()
	for _, table := range w.Tables() {
		if table.Name == name {
			return table
		}
	}
	t.Fatalf("no table %q among %d", name, len(w.Tables()))
	return roster.Table{}
}

func columnOf(t testing.TB, table roster.Table, name string) roster.Column {
	t.Helper()
	for _, c := range table.Columns {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no column %q in %q", name, table.Name)
	return roster.Column{}
}

const twoVersions = `{"count": 2, "next": null, "previous": null, "results": [
 {"_id": 7, "_uuid": "u-7", "_submission_time": "2024-05-01T10:00:00", "__version__": "v1", "consent": true, "group/size": 3,
  "location": {"camp": "A"}, "_geolocation": [4.5, 43.25], "_tags": [], "_validation_status": {"uid": "approved"},
  "_attachments": [{"filename": "org/attachments/x/photo 1.jpg", "id": 1}, {"media_file_basename": "photo 2.jpg"}],
  "members": [{"members/name": "Amina", "members/phone": "0712", "members/docs": [{"members/docs/no": "P1"}]}, {"name": "Musa", "members/income": "NaN"}]},
 {"_uuid": "u-8", "members": [{"members/name": "Nan"}], "_submission_time": "2024-06-01T10:00:00", "__version__": "v2", "needs": "a b"}
]}`

func TestSubmissionsBecomeTables(t *testing.T) {
	w := opened(t, "data.json", twoVersions)
	if w.Format() != roster.KoboJSON || w.Version() != "v2" || w.Digest() != sha256.Sum256([]byte(twoVersions)) || len(w.Warnings()) != 0 {
		t.Errorf("%s, version %q, warnings %q", w.Format(), w.Version(), w.Warnings())
	}
	for name, parent := range map[string]string{"submissions": "", "members": "submissions", "members/docs": "members"} {
		if got := w.table(t, name).Parent; got != parent {
			t.Errorf("%s hangs on %q, want %q", name, got, parent)
		}
	}
	root := w.rows["submissions"]
	for name, want := range map[string]string{
		"_uuid": "u-7", "consent": "true", "group/size": "3", "location/camp": "A", "_geolocation": "4.5 43.25",
		"_validation_status/uid": "approved", "_attachments": "photo 1.jpg, photo 2.jpg", "needs": "",
	} {
		if got := root[0].Cell(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if root[0].Version != "v1" || root[1].Version != "v2" || root[1].Cell("needs") != "a b" {
		t.Errorf("versions %q and %q", root[0].Version, root[1].Version)
	}
	var got []string
	for _, name := range []string{"members", "members/docs"} {
		for _, row := range w.rows[name] {
			got = append(got, fmt.Sprintf("%s|%s|%s|%s|%s%s", row.Place(), row.Index, row.Parent, row.Version, row.Cell("members/name"), row.Cell("members/docs/no")))
		}
	}
	want := []string{
		"submission 1, members 1|1/1|1|v1|Amina", "submission 1, members 2|1/2|1|v1|Musa", "submission 2, members 1|2/1|2|v2|Nan",
		"submission 1, members 1, docs 1|1/1/1|1/1|v1|P1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if income := w.rows["members"][1].Cell("members/income"); income != "" {
		t.Errorf("a calculation without a result is %q", income)
	}
}

func TestOnePageOfSeveralIsSaidToBeOne(t *testing.T) {
	w := opened(t, "data.json", strings.Replace(twoVersions, `"next": null`, `"next": "https://kobo.example/?start=2"`, 1))
	if len(w.Warnings()) != 1 || !strings.Contains(w.Warnings()[0], "one page of several") {
		t.Errorf("warnings %q", w.Warnings())
	}
}

func TestAFormGivesItsAnswersLabels(t *testing.T) {
	path := shared(t, "inputs/formpack-fixtures")
	w, err := readAll(path+"/or_other/v1.json", roster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := columnOf(t, w.table(t, "submissions"), "fav_emperors")
	if c.Label != "Who are your favourite emperors?" || c.Type != "select_multiple" || len(c.Choices) != 4 || c.Choices[0] != (roster.Choice{Code: "julius", Label: "Julius Caesar"}) {
		t.Errorf("%+v", c)
	}
	w, err = readAll(path+"/hxl_grouped_repeatable/v1.json", roster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c = columnOf(t, w.table(t, "household_visit/houshold_member_repeat"), "household_visit/houshold_member_repeat/household_member_name")
	if c.Tag != "#beneficiary" || !c.Required || c.Label != "household member name" {
		t.Errorf("%+v", c)
	}
}

func TestASubmissionSaysWhatIsWrongWithIt(t *testing.T) {
	for _, tt := range []struct{ name, data, want string }{
		{"two values of one name", `[{"_id":1,"name":"A","name":"B"}]`, `submission 1, column "name": it comes twice, with two values: open the submission in KoBo, and export it again`},
		{"a repeat twice", `[{"_id":1,"m":[{"a":1}],"m":[{"a":2}]}]`, `submission 1, column "m": it comes twice: export the submission again`},
		{"NUL", `[{"_id":1,"name":"A\u0000"}]`, `submission 1, column "name": it holds a NUL character, which no list needs: type the text anew`},
		{"half a character", `[{"_id":1,"name":"A\ud83d"}]`, `submission 1: a text in it holds half a character: type the text anew in KoBo, and export again`},
		{"answers and rows", `[{"_id":1,"m":["x",{"a":1}]}]`, `submission 1, column "m": it holds both answers and rows: export the submission again`},
	} {
		w := opened(t, "data.json", tt.data)
		if p := w.rows["submissions"][0].Problems; len(p) != 1 || p[0].String() != tt.want {
			t.Errorf("%s: %q\nwant %q", tt.name, p, tt.want)
		}
	}
	// What a form fills in by itself may be there twice: old forms have it so.
	w := opened(t, "data.json", `[{"_id":1,"end":"1","end":"2","name":"A","name":"A"}]`)
	if row := w.rows["submissions"][0]; len(row.Problems) != 0 || row.Cell("end") != "2" {
		t.Errorf("%q, %v", row.Cell("end"), row.Problems)
	}
}

// kobo is a workbook as KoBo exports it.
func kobo(t *testing.T) string {
	return people(t, map[string][][]any{
		"Registration": {
			{"start", "group/size", "needs/food", "needs/shelter", "place", "place/x", "_id", "_uuid", "_submission_time", "__version__", "_index"},
			{"2024", 3, 1, 0, "a", "b", 7, "u-7", "2024-05-02T10:00:00", "v2", 1},
			{"2024", 2, 1, 1, "a", "b", 8, "u-8", "2024-05-01T10:00:00", "v1", 2},
		},
		"members": {
			{"members/name", "members/name", "_index", "_parent_table_name", "_parent_index", "_submission__uuid", "_submission___version__"},
			{"Amina", "x", 1, "Registration", 1, "u-7", "v2"}, {"Musa", "y", 2, "Registration", 1, "u-7", "v2"}, {"Ali", "z", 3, "Registration", 2, "u-8", "v1"},
		},
	}, "Registration", "members")
}

func TestKoboWorkbooksAreJoined(t *testing.T) {
	w, err := readAll(kobo(t), roster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if w.Format() != roster.KoboXLSX || w.Version() != "v2" || w.table(t, "members").Parent != "Registration" {
		t.Errorf("%s, version %q, members hang on %q", w.Format(), w.Version(), w.table(t, "members").Parent)
	}
	last := w.rows["members"][2]
	if last.Index != "3" || last.Parent != "2" || last.Version != "v1" || last.Cell("members/name") != "Ali" || last.Cell("members/name (B)") != "z" {
		t.Errorf("%+v", last)
	}
	root := w.rows["Registration"]
	if root[0].Cell("needs") != "food" || root[1].Cell("needs") != "food shelter" || root[1].Cell("place") != "a" || root[0].Index != "1" {
		t.Errorf("%q, %q", root[0].Cell("needs"), root[1].Cell("needs"))
	}
	if c := columnOf(t, w.table(t, "Registration"), "needs"); c.Type != "select_multiple" || len(c.Choices) != 2 {
		t.Errorf("%+v", c)
	}
}

func TestHopeWorkbooksKnowTheirHouseholds(t *testing.T) {
	w, err := readAll(shared(t, "inputs/hope-rdi")+"/new_reg_data_import.xlsx", roster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	people := w.table(t, "Individuals")
	if people.Parent != "Households" || people.Labels != 2 || people.FirstRow != 3 {
		t.Errorf("%+v", people)
	}
	c := columnOf(t, people, "full_name_i_c")
	if !c.Required || !strings.HasPrefix(c.Label, "Full Name") {
		t.Errorf("%+v", c)
	}
	households := map[string]bool{}
	for _, row := range w.rows["Households"] {
		households[row.Index] = true
	}
	for _, row := range w.rows["Individuals"] {
		if !households[row.Parent] {
			t.Errorf("%s hangs on no household", row.Place())
		}
	}
	if !slices.ContainsFunc(w.Skipped(), func(s roster.Skipped) bool { return s.Name == "Choices" }) {
		t.Errorf("skipped %q", w.Skipped())
	}
	if !slices.ContainsFunc(w.Warnings(), func(s string) bool { return strings.Contains(s, `"phone_no_i_c" holds numbers`) }) {
		t.Errorf("warnings %q: telephone numbers are numbers there", w.Warnings())
	}
}

func TestMergedCellsCountForEachRow(t *testing.T) {
	book := bare("").with(sheetPart, `<worksheet><sheetData>`+inline(1, "household id", "name")+inline(2, "H1", "Amina")+inline(3, "", "Musa")+inline(4, "H2", "Ali")+
		`</sheetData><mergeCells><mergeCell ref="A2:A3"/></mergeCells></worksheet>`)
	w := opened(t, "list.xlsx", book.zip(t))
	var got []string
	for _, row := range w.rows["List"] {
		got = append(got, row.Cell("household id"))
	}
	if want := []string{"H1", "H1", "H2"}; !slices.Equal(got, want) || len(w.Warnings()) != 1 {
		t.Errorf("%q, %q", got, w.Warnings())
	}
}

func TestATitleAboveTheHeaderIsPassedOver(t *testing.T) {
	w := opened(t, "list.csv", "List of beneficiaries;;\nCamp A;;\nFull name;Sex;Date of birth\nAmina;F;1990\n")
	if table := w.Tables()[0]; table.FirstRow != 4 || w.rows[""][0].Cell("Full name") != "Amina" || len(w.Warnings()) != 1 {
		t.Errorf("%+v, %q", table, w.Warnings())
	}
}

func TestTheApostropheOfSpreadsheetsIsTakenOff(t *testing.T) {
	for cell, want := range map[string]string{
		"'=A1": "=A1", "'+4412": "+4412", "'-5": "-5", "'@x": "@x", "'＝1": "＝1", "''=A1": "'=A1", "'Aisha": "'Aisha", "O'=x": "O'=x", "'": "'",
	} {
		w := opened(t, "list.csv", "name,note\n\""+cell+"\",x\n")
		if got := w.rows[""][0].Cell("name"); got != want {
			t.Errorf("%s: %q, want %q", cell, got, want)
		}
	}
}

func TestTheEncodingOfOldMachinesIsGuessedAloud(t *testing.T) {
	for name, tt := range map[string]struct{ data, want string }{
		"windows-1256": {"name,size\n\xdd\xc7\xd8\xe3\xc9 \xc7\xe1\xcd\xd3\xe4,6\n", "فاطمة الحسن"},
		"windows-1251": {"name,size\n\xcd\xe0\xf2\xe0\xeb\xfc\xff,6\n", "Наталья"},
		"windows-1252": {"name,size\nFran\xe7oise N'Dour\xe9,6\n", "Françoise N'Douré"},
		"windows-1254": {"name,size\nI\xfe\xfdl Do\xf0an,6\n", "Işıl Doğan"},
	} {
		w := opened(t, "list.csv", tt.data)
		if got := w.rows[""][0].Cell("name"); got != tt.want || len(w.Warnings()) != 1 || !strings.Contains(w.Warnings()[0], name) {
			t.Errorf("%s: %q, warnings %q", name, got, w.Warnings())
		}
	}
	if _, err := readAll(file(t, "list.csv", "name\nفاطمة\nMar\xe9e\n"), roster.Options{}); err == nil {
		t.Error("UTF-8 that was damaged was read as something else")
	}
}

const rrfCase = `<CASE><dataIndividual><IndividualGUID>g1</IndividualGUID><FamilyName>A &amp; B</FamilyName></dataIndividual>` +
	`<dataIndividualProcessGroup><IndividualProcessingGroupGUID>m1</IndividualProcessingGroupGUID><IndividualGUID>g1</IndividualGUID><RelationshipToPrincipalRepresentative>PA</RelationshipToPrincipalRepresentative></dataIndividualProcessGroup>` +
	`<dataProcessGroup><ProcessingGroupGUID>p1</ProcessingGroupGUID></dataProcessGroup><dataAlias><AliasGUID>a1</AliasGUID><IndividualGUID>g1</IndividualGUID></dataAlias></CASE>`

func TestExchangeFilesOfProGres(t *testing.T) {
	w := opened(t, "case.xml", `<?xml version="1.0" encoding="utf-8"?><UNHCR_RRF><!-- note -->`+rrfCase+"</UNHCR_RRF>\n")
	row := w.rows["Individuals"][0]
	if row.Index != "g1" || row.Parent != "p1" || row.Cell("FamilyName") != "A & B" || row.Cell("RelationshipToPrincipalRepresentative") != "PA" || row.Place() != "case 1, Individuals 1" {
		t.Errorf("%+v", row)
	}
	if alias := w.rows["Aliases"][0]; alias.Parent != "g1" || w.table(t, "Aliases").Parent != "Individuals" {
		t.Errorf("%+v", alias)
	}
	w = opened(t, "case.xml", `<UNHCR_RRF>`+strings.Replace(rrfCase, "<FamilyName>", "<FamilyName>C</FamilyName><FamilyName>", 1)+"</UNHCR_RRF>")
	if p := w.rows["Individuals"][0].Problems; len(p) != 1 || p[0].What != "it comes twice" {
		t.Errorf("a field that comes twice: %v", p)
	}
}

func TestFormsAreRefusedAndOthersSayWhatTheyAre(t *testing.T) {
	rrf := func(inside string) string { return "<UNHCR_RRF><CASE>" + inside + "</CASE></UNHCR_RRF>" }
	deep := strings.Repeat("[", 40)
	manyParts := bare(inline(1, "name") + inline(2, "A"))
	for i := range 10_000 {
		manyParts[fmt.Sprintf("xl/media/%d.png", i)] = ""
	}
	macro := bare(inline(1, "name")+inline(2, "A")).with("xl/vbaProject.bin", "x")
	if w := opened(t, "list.xlsm", macro.zip(t)); len(w.Warnings()) != 1 || !strings.Contains(w.Warnings()[0], "macros") {
		t.Errorf("macros: %q", w.Warnings())
	}
	for _, tt := range []struct{ name, file, data, want string }{
		{"no submissions", "a.json", `[]`, "has no submissions"},
		{"no submissions on the page", "a.json", `{"count":0,"results":[]}`, "has no submissions"},
		{"an empty object", "a.json", `{}`, "is JSON without a list of submissions"},
		{"a form", "a.json", `{"version":"v1","survey":[{"type":"text","name":"q"}]}`, "is the form, not its answers"},
		{"a list of numbers", "a.json", `["a", 1]`, "is damaged: line 1: a { is missing"},
		{"rows without tags", "a.json", `[["name"],["Amina"]]`, "is JSON rows without HXL hashtags"},
		{"broken off", "a.json", `[{"_id":1},{"_id":2`, "is damaged: line 1: it breaks off"},
		{"a comma too many", "a.json", `[{"_id":1,}]`, "nothing stands behind a comma"},
		{"something behind the end", "a.json", "[{\"_id\":1}]\n[]", "line 2: something stands behind its end"},
		{"deep", "a.json", `[{"a":` + deep, "nested more than 32 deep"},
		{"two lists", "a.json", `{"results":[{"_id":1}],"results":[{"_id":2}]}`, `has two lists called "results"`},
		{"a long text", "a.json", `[{"a":"` + strings.Repeat("x", 1<<20+1) + `"}]`, "a text of more than 1048576 bytes"},
		{"a long submission", "a.json", `[{` + strings.Repeat(`"a":"`+strings.Repeat("x", 1<<19)+`",`, 40) + `"b":1}]`, "a submission of more than 16777216 bytes"},
		{"many columns", "a.json", `[{` + manyKeys(5_000) + `}]`, "has more than 4000 columns"},
		{"not UTF-8", "a.json", "[{\"a\":\"\xe9\"}]", "is not UTF-8: see line 1"},
		{"a bare word", "a.json", `[{"a":yes}]`, "neither text, number"},
		{"an entity", "a.xml", `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + rrf("&x;"), "declares XML entities"},
		{"an unknown entity", "a.xml", rrf("<dataIndividual><a>&x;</a></dataIndividual>"), "is damaged"},
		{"nobody", "a.xml", rrf("<dataProcessGroup><ProcessingGroupGUID>p</ProcessingGroupGUID></dataProcessGroup>"), "has no individuals"},
		{"deep", "a.xml", rrf("<dataIndividual><a><b/></a></dataIndividual>"), "an element inside a field"},
		{"crossed tags", "a.xml", rrf("<dataIndividual><a></dataIndividual></a>"), "an end tag that nothing opened"},
		{"broken off", "a.xml", "<UNHCR_RRF><CASE><dataIndividual>", "is damaged"},
		{"a long tag", "a.xml", rrf(`<dataIndividual x="` + strings.Repeat("x", 9<<20) + `"/>`), "a tag or text is too long"},
		{"text beside fields", "a.xml", rrf("Amina"), "text outside of a field"},
		{"some XML", "a.xml", "<list/>", "outermost element is not UNHCR_RRF"},
		{"a web page", "a.xml", `<?xml version="1.0"?><html/>`, "is a web page"},
		{"10,000 files", "a.xlsx", manyParts.zip(t), "holds 10003 files"},
		{"a long list of files", "a.xlsx", longDirectory(t), "has a list of files of more than"},
		{"the last cell of all", "a.xlsx", bare(inline(1, "name") + `<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>`).zip(t), "a cell in row 1048576, column XFD"},
		{"two sheets of one name", "a.xlsx", bare(inline(1, "name")+inline(2, "A")).with("xl/workbook.xml",
			`<workbook xmlns:r="r"><sheets><sheet name="List" r:id="rId1"/><sheet name="List" r:id="rId1"/></sheets></workbook>`).zip(t), `has two sheets named "List"`},
		{"a million merged cells", "a.xlsx", bare("").with(sheetPart, `<worksheet><sheetData>`+inline(1, "name")+inline(2, "A")+`</sheetData><mergeCells>`+
			`<mergeCell ref="A2:A900000"/><mergeCell ref="B2:B900000"/></mergeCells></worksheet>`).zip(t), "has more than 1000000 merged cells"},
		{"an XLSForm", "a.xlsx", bare(inline(1, "type", "name", "label", "relevant") + inline(2, "text", "q", "Q", "")).zip(t), "is the form (XLSForm), not its answers"},
		{"JSON as CSV", "a.csv", `[{"_id":1}]`, "is a JSON file, not the list its name says"},
		{"UTF-16 half", "a.csv", "\xff\xfen", "has a header and no rows"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, err := readAll(file(t, tt.file, tt.data), roster.Options{})
			var refused *roster.FileError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), tt.want) || refused.Path != tt.file {
				t.Fatalf("got %v rows, %.300v; want %q", len(w.rows), err, tt.want)
			}
		})
	}
}

func manyKeys(n int) string {
	var keys []string
	for i := range n {
		keys = append(keys, fmt.Sprintf(`"q%d":1`, i))
	}
	return strings.Join(keys, ",")
}

// longDirectory is an archive that is nothing but its list of files.
func longDirectory(t *testing.T) string {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := range 30_000 {
		if _, err := w.CreateRaw(&zip.FileHeader{Name: fmt.Sprintf("a%06d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestATableCanBeReadTwiceAndBesideAnother(t *testing.T) {
	path := file(t, "data.json", twoVersions)
	for _, p := range []string{path, kobo(t)} {
		f, err := roster.OpenFile(p, roster.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		first, second := f.Tables()[0].Name, f.Tables()[1].Name
		var open []*roster.Rows
		for _, name := range []string{first, second, first} {
			r, err := f.Rows(name)
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, r)
		}
		var rows []roster.Row
		for _, r := range open {
			row, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, row)
		}
		if !slices.Equal(rows[0].Raw(), rows[2].Raw()) || slices.Equal(rows[0].Raw(), rows[1].Raw()) {
			t.Errorf("%q, %q, %q", rows[0].Raw(), rows[1].Raw(), rows[2].Raw())
		}
		if _, err := f.Rows("none"); err == nil {
			t.Error("a table that is not there was opened")
		}
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
}
