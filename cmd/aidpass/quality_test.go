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
