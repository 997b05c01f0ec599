package main

import (
	"archive/zip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A list comes in with faults: the figure counts them, the list names them, a value that is
// mended leaves it, and the day's figures stay provable.
func TestQualityFromAListToTheMendedRecord(t *testing.T) {
	l := newLaptop(t)
	const list = "household_id,individual_id,full_name,sex,birth_date,relationship,household_size,consent,site,country_of_origin,registration_date\n" +
		"H-1,P-1,Mohamed Ali,M,1980-05-12,head,2,yes,=well,SOM,2026-11-19\nH-1,P-2,Amina Yusuf,,1985-03-04,wife,2,yes,=well,SOM,2026-11-19\nH-2,P-4,Hodan Nur,F,1985-03-05,head,3,yes,school,SOM,2026-11-19\n"
	if err := os.WriteFile(l.path("people.csv"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	l.must("registry", "import", l.path("people.csv"), "--list", "camp")
	count := func(id string, args ...string) (bad, of int64) {
		t.Helper()
		for line := range strings.Lines(l.must(append([]string{"quality", "report", "--json"}, args...)...)) {
			var cell struct {
				Indicators []struct {
					ID  string `json:"indicator"`
					Bad int64  `json:"bad"`
					Of  int64  `json:"of"`
				} `json:"indicators"`
			}
			if err := json.Unmarshal([]byte(line), &cell); err != nil || len(cell.Indicators) != 31 {
				t.Fatalf("%d indicators, %v", len(cell.Indicators), err)
			}
			for _, i := range cell.Indicators {
				if i.ID == id {
					bad, of = bad+i.Bad, of+i.Of
				}
			}
		}
		return bad, of
	}
	for _, args := range [][]string{nil, {"--by", "site"}, {"--by", "batch"}} {
		if bad, of := count("DQ-02", args...); bad != 1 || of != 3 {
			t.Errorf("%v: %d of %d", args, bad, of)
		}
	}
	if out := l.must("quality", "report", "--by", "site", "--csv"); !strings.Contains(out, "site,'=well,DQ-02,") {
		t.Errorf("a site that is a formula: %s", out)
	}
	if out := l.must("quality", "list", "2"); !strings.Contains(out, "camp") || !strings.Contains(out, "P-2") || !strings.Contains(out, "sex") || strings.Contains(out, "Amina") {
		t.Errorf("list: %s", out)
	}
	if out := l.must("quality", "list", "dq5", "--by", "site", "--value", "school", "--json"); strings.Count(out, "\n") != 1 || !strings.Contains(out, `"number":"H-2"`) {
		t.Errorf("list of a site: %s", out)
	}
	book := filepath.Join(l.dir, "list.xlsx")
	l.refused([]string{"no reason"}, "quality", "list", "DQ-05", "--out", book)
	l.must("quality", "list", "DQ-05", "--out", book, "--reason", "on Monday")
	if sheet := sheetOf(t, book); !strings.Contains(sheet, "H-2") || strings.Contains(sheet, "H-1") {
		t.Errorf("workbook: %s", sheet)
	}
	if log := l.must("audit", "show", "--json"); !strings.Contains(log, `"quality.export"`) || !strings.Contains(log, "on Monday") || !strings.Contains(log, "listed=1 of=1") {
		t.Error("the log does not tell of the workbook")
	}
	var kept struct {
		Day string `json:"day"`
	}
	if err := json.Unmarshal([]byte(l.must("quality", "snapshot", "--json")), &kept); err != nil {
		t.Fatal(err)
	}
	l.refused([]string{"today has its snapshot"}, "quality", "snapshot")
	if out := l.must("quality", "snapshot", "--prove", kept.Day); !strings.Contains(out, "all 31 say the same") {
		t.Errorf("proved: %s", out)
	}
	l.must("registry", "set", "P-2", "--list", "camp", "sex=F", "--reason", "spelling")
	if bad, _ := count("DQ-02"); bad != 0 {
		t.Errorf("mended, and %d are counted", bad)
	}
	if out := l.must("quality", "history", "DQ-02"); !strings.Contains(out, kept.Day+"  66.7 % red, 1 of 3") {
		t.Errorf("history: %s", out)
	}
	if err := os.WriteFile(l.path("strict.json"), []byte(`{"aidpass_required": 1, "person": ["document"], "household": ["size"], "threshold": 0.9, "provisional_days": 30}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := l.run(t.Context(), "quality", "snapshot", "--prove", kept.Day, "--policy", l.path("strict.json")); code != exitFindings || !strings.Contains(out, "DQ-01 DQ-02 DQ-03") {
		t.Errorf("by another policy: exit %d, %s", code, out)
	}
	l.refused([]string{"no indicator"}, "quality", "explain", "DQ-32")
	if out := l.must("quality", "explain", "26", "--lang", "sw"); !strings.Contains(out, "Tarehe") {
		t.Errorf("explain: %s", out)
	}
}

// A list of place codes is looked at, loaded, and told apart from what the records say.
func TestPlaceCodesAreLoaded(t *testing.T) {
	l := newLaptop(t)
	const people = "household_id,individual_id,full_name,sex,birth_date,relationship,household_size,consent,pcode\n" +
		"H-1,P-1,Mohamed Ali,M,1980-05-12,head,1,yes,SO1101\nH-2,P-2,Amina Yusuf,F,1985-03-04,head,1,yes,XX123\nH-3,P-3,Hodan Nur,F,1985-03-05,head,1,yes,SO1102\n"
	for name, text := range map[string]string{"people.csv": people, "cod.csv": "ADM1_PCODE,ADM1_EN,ADM2_PCODE,ADM2_EN,validTo\nSO11,Awdal,SO1101,Baki,\nSO11,Awdal,SO1102,Lughaye,2020-01-01\n", "bad.csv": "pcode,valid_to\nSO11,soon\n"} {
		if err := os.WriteFile(l.path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l.must("registry", "import", l.path("people.csv"), "--list", "camp")
	l.refused([]string{"no list of place codes is loaded"}, "quality", "places", "show")
	out := l.must("quality", "places", l.path("cod.csv"))
	for _, want := range []string{"3 codes, adm1 1, adm2 2; 1 with days of use", "pcode_unknown 1", "pcode_ended 1", "XX123 (not in the list)  1", "nothing is kept; --yes 3"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q: %s", want, out)
		}
	}
	l.refused([]string{"no list of place codes is loaded"}, "quality", "places", "show")
	l.refused([]string{"the file has 3 codes"}, "quality", "places", l.path("cod.csv"), "--yes", "4")
	l.refused([]string{"valid_to"}, "quality", "places", l.path("bad.csv"))
	l.must("quality", "places", l.path("cod.csv"), "--yes", "3")
	if again := l.must("quality", "places", "show"); !strings.Contains(out, again) || strings.Contains(again, "--yes") {
		t.Errorf("loaded: %s", again)
	}
	if log := l.must("audit", "show", "--json"); !strings.Contains(log, `"settings.change"`) {
		t.Error("the log does not tell of the list")
	}
	if out := l.must("quality", "report", "--by", "adm1"); !strings.Contains(out, "XX123 (not in the list)") || strings.Contains(out, "?XX123") {
		t.Errorf("by adm1: %s", out)
	}
	if out := l.must("quality", "list", "DQ-10", "--by", "adm1", "--value", "XX123"); !strings.Contains(out, "pcode_unknown") || strings.Count(out, "\n") != 1 {
		t.Errorf("of XX123: %s", out)
	}
}

// sheetOf is the XML of a workbook's first sheet.
func sheetOf(t *testing.T, path string) string {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f, err := z.Open("xl/worksheets/sheet1.xml")
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
