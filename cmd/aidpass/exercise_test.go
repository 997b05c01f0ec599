package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Before its last day an exercise is closed by who says how many become absent.
func TestClosingAnExerciseEarlyAsks(t *testing.T) {
	l := newLaptop(t)
	l.must("registry", "import", "testdata/looked.csv", "--list", "camp")
	day := scriptClock().UTC()
	l.must("exercise", "make", "VER-1", "--opens", day.Format(time.DateOnly), "--closes", day.AddDate(0, 0, 1).Format(time.DateOnly), "--of", "person")
	l.must("exercise", "open", "VER-1", "--yes", "3")
	if out := l.must("exercise", "close", "VER-1"); !strings.Contains(out, "3 were not seen yet") || !strings.Contains(out, "nothing was done: add --yes 3") {
		t.Errorf("before the last day: %s", out)
	}
	l.refused([]string{"--yes 2", "3 were not seen"}, "exercise", "close", "VER-1", "--yes", "2")
	if out := l.must("exercise", "close", "VER-1", "--yes", "3"); !strings.Contains(out, "closed: VER-1, 3 absent of 3") {
		t.Errorf("confirmed: %s", out)
	}
}

// A register is verified by command line: desks mark, one without a network by its list; who was
// absent is told, and becomes inactive by two people when the time for an appeal is over; and
// whoever is met after that is active again.
func TestAnExerciseFromTheDraftToTheAbsent(t *testing.T) {
	l := newLaptop(t)
	l.must("registry", "import", "testdata/looked.csv", "--list", "camp")
	const code = "VER-2026-03"
	day := scriptClock().UTC().Format(time.DateOnly)
	l.must("exercise", "make", code, "--opens", day, "--closes", day, "--of", "person", "--desk", "north", "--desk", "south", "--notice-days", "7", "--appeal-days", "7")
	l.refused([]string{"--yes 2", "3 would be"}, "exercise", "open", code, "--yes", "2")
	if out := l.must("exercise", "open", code); !strings.Contains(out, "3 would be invited") {
		t.Errorf("before it is opened: %s", out)
	}
	l.must("exercise", "open", code, "--yes", "3")
	l.refused([]string{"names its desk"}, "exercise", "mark", code, "P-1", "--list", "camp", "seen", "--desk", "west")
	if out := l.must("exercise", "mark", code, "P-1", "--list", "camp", "seen", "--desk", "north"); !strings.Contains(out, "counts as: seen") {
		t.Errorf("marked: %s", out)
	}
	if out := l.must("exercise", "mark", code, "P-1", "--list", "camp", "--undo"); !strings.Contains(out, "nothing yet") {
		t.Errorf("undone: %s", out)
	}
	l.must("exercise", "mark", code, "P-1", "--list", "camp", "updated", "--desk", "north", "--how", "phone", "--changed", "contacts")
	l.refused([]string{"photograph"}, "exercise", "mark", code, "P-1", "--list", "camp", "updated", "--desk", "north", "--how", "remote", "--changed", "photo")

	told := func(who string) int {
		return strings.Count(l.must("registry", "looked", who, "--list", "camp", "--json"), "\n")
	}
	before := told("P-2")
	sheet := l.path("south.csv")
	l.must("exercise", "sheet", code, "--desk", "south", "--out", sheet, "--names")
	if after := told("P-2"); after < before+2 {
		t.Errorf("she is on a list, and %d acts are told instead of %d", after, before+2)
	}
	b, err := os.ReadFile(sheet)
	if err != nil || bytes.Contains(b, []byte("Mohamed")) || !bytes.Contains(b, []byte("Amina Yusuf")) {
		t.Fatalf("the list: %s, %v", b, err)
	}
	book := l.path("south.xlsx")
	l.must("exercise", "sheet", code, "--desk", "south", "--out", book, "--lang", "ar")
	if out := l.must("exercise", "take", code, book, "--json"); !strings.Contains(out, `"marks":0,"same":0,"empty":2`) {
		t.Errorf("a workbook that nobody filled in: %s", out)
	}
	l.must("exercise", "sheet", code, "--desk", "south", "--out", l.path("south.pdf"))
	for _, name := range []string{sheet, book, l.path("south.pdf")} {
		l.refused([]string{"is there already"}, "exercise", "sheet", code, "--desk", "south", "--out", name)
		l.must("exercise", "sheet", code, "--desk", "south", "--out", name, "--again", "--names")
		if err := os.WriteFile(l.path("mine"+filepath.Ext(name)), []byte("record,mine\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		l.refused([]string{"no list that nobody filled in"}, "exercise", "sheet", code, "--desk", "south", "--out", l.path("mine"+filepath.Ext(name)), "--again")
	}
	l.refused([]string{"workbook, paper or CSV"}, "exercise", "sheet", code, "--desk", "south", "--out", l.path("south.txt"))
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	for i, line := range lines {
		if strings.Contains(line, "P-2 ") {
			lines[i] = strings.TrimSuffix(line, ",,,,,") + ",seen,in_person," + day + ",,"
		}
	}
	if err := os.WriteFile(sheet, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	l.refused([]string{"no list that nobody filled in"}, "exercise", "sheet", code, "--desk", "south", "--out", sheet, "--again")
	l.must("exercise", "close", code)
	for _, want := range []string{`"marks":1,"same":0`, `"marks":0,"same":1`} {
		if out := l.must("exercise", "take", code, sheet, "--desk", "south", "--json"); !strings.Contains(out, want) {
			t.Errorf("taken: %s, want %s", out, want)
		}
	}
	if out := l.must("exercise", "report", code, "--csv"); !strings.Contains(out, ",north,") || !strings.Contains(out, ",south,") || strings.Contains(out, "Amina") {
		t.Errorf("the report: %s", out)
	}
	for _, name := range []string{"report.html", "report.pdf", "report.csv"} {
		l.must("exercise", "report", code, "--out", l.path(name), "--lang", "sw")
		if b, err := os.ReadFile(l.path(name)); err != nil || len(b) == 0 {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
	if out := l.must("quality", "report", "--session", code, "--daily", "--csv"); !strings.Contains(out, ",north,") {
		t.Errorf("by day, desk and clerk: %s", out)
	}
	of := func(out, id string) (n int64) {
		var cell struct {
			Indicators []struct {
				ID string `json:"indicator"`
				Of int64  `json:"of"`
			} `json:"indicators"`
		}
		if err := json.Unmarshal([]byte(out), &cell); err != nil {
			t.Fatal(err)
		}
		for _, i := range cell.Indicators {
			if i.ID == id {
				n = i.Of
			}
		}
		return n
	}
	if out := l.must("quality", "report", "--session", code, "--json"); of(out, "DQ-22") != 2 || of(out, "DQ-24") != 1 {
		t.Errorf("%d people and %d delays of the session: %s", of(out, "DQ-22"), of(out, "DQ-24"), out)
	}
	l.refused([]string{"no exercise"}, "quality", "report", "--session", "VER-9")

	later := func(days int, args ...string) (int, string) {
		var out, errs bytes.Buffer
		m := &Main{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Now: func() time.Time { return scriptClock().AddDate(0, 0, days) }, WorkFactor: 4, ListSize: 4096,
			Env: func(name string) (string, bool) {
				v, ok := map[string]string{"AIDPASS_DATA": l.path("data"), "AIDPASS_PASSPHRASE_FILE": l.path("pass")}[name]
				return v, ok
			}}
		code := m.Run(t.Context(), args)
		return code, out.String() + errs.String()
	}
	l.must("exercise", "notice", code, "--how", "poster")
	if _, out := later(14, "exercise", "settle", code); !strings.Contains(out, "noticed: 1") {
		t.Errorf("on the last day: %s", out)
	}
	before = told("P-4")
	if _, out := later(15, "exercise", "settle", code); !strings.Contains(out, "due: 1") || !strings.Contains(out, "P-4") || !strings.Contains(out, "nothing was done") {
		t.Errorf("the day after: %s", out)
	}
	if after := told("P-4"); after < before+2 {
		t.Errorf("who would become inactive was shown, and nobody is told: %d, %d before", after, before)
	}
	if c, out := later(15, "exercise", "settle", code, "--yes", "1"); c != 2 || !strings.Contains(out, "second") {
		t.Errorf("by one: exit %d, %s", c, out)
	}
	if c, out := later(15, "exercise", "settle", code, "--yes", "1", "--second-person", "lead-2"); c != 0 || !strings.Contains(out, "settled") {
		t.Errorf("by two: exit %d, %s", c, out)
	}
	if _, out := later(16, "exercise", "absent", code); !strings.Contains(out, "inactive") {
		t.Errorf("absent: %s", out)
	}
	if c, out := later(16, "registry", "contact", "P-4", "--list", "camp", "--how", "in-person"); c != 0 {
		t.Errorf("met: exit %d, %s", c, out)
	}
	if _, out := later(16, "exercise", "show", code); strings.Contains(out, "inactive") || !strings.Contains(out, "contacted: 1") {
		t.Errorf("met, and %s", out)
	}
	if out := l.must("check"); strings.Contains(out, "FAIL") {
		t.Errorf("check: %s", out)
	}
}
