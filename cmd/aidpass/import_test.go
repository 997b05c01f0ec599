package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/access/work"
	"aidpass/internal/patience"
	"aidpass/issuer/registry/imports"
)

// A list is loaded, mended and submitted at the laptop, approved by a second account in
// the desk, and written by the server's long work: the same list at both doors.
func TestImportByTwo(t *testing.T) {
	l := withEntitled(t)
	list := "individual_id,full_name,sex,birth_date,consent\nW-1,Zuhura Bakari,f,1988-03-04,yes\nW-2,Halima Juma,f,31/31/1990,yes\nW-3,Asha Omari,f,1991-05-06,yes\n"
	if err := os.WriteFile(l.path("new.csv"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	line := func(args ...string) (m importLine) {
		t.Helper()
		if err := json.Unmarshal([]byte(l.must(append(args, "--json")...)), &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := line("import", "load", l.path("new.csv"))
	if got := l.must("import", "map", m.ID); !strings.Contains(got, "birth_date") || !strings.Contains(got, "Zuhura Bakari") {
		t.Errorf("the columns: %s", got)
	}
	if m = line("import", "check", m.ID); m.State != imports.Checked || m.Counts.Bad != 1 {
		t.Fatalf("%+v", m)
	}
	if got := l.must("import", "findings", m.ID, "--errors"); !strings.Contains(got, `row 3, column "birth_date"`) || strings.Contains(got, "31/31") {
		t.Errorf("the findings: %s", got)
	}
	l.must("import", "rejects", m.ID, l.path("mend.csv"), "--reason", "mended in the field")
	if b, err := os.ReadFile(l.path("mend.csv")); err != nil || strings.Count(string(b), "\n") != 2 || !strings.Contains(string(b), "Halima Juma") {
		t.Errorf("the rejected rows: %v\n%s", err, b)
	}
	line("import", "mend", m.ID, "--cell", "3:birth_date=1990-01-31", "--out", "4")
	if m = line("import", "check", m.ID); m.Counts.New != 2 || m.Counts.Bad != 0 || m.Counts.Out != 1 {
		t.Fatalf("%+v", m.Counts)
	}
	if code, _ := l.run(t.Context(), "import", "submit", m.ID); code != 2 || !strings.Contains(l.stderr.String(), "--actor") {
		t.Errorf("asked for by no account: %d %s", code, l.stderr.String())
	}
	l.must("account", "add", "amina", "--role", "registrar")
	if m = line("import", "submit", m.ID, "--actor", "amina"); m.State != imports.InReview || m.Asked == "" {
		t.Fatalf("%+v", m)
	}

	s, _, stop := l.serveWalletsWith(nil)
	defer stop()
	bilal, err := s.door.Session(t.Context(), s.joined(t, "bilal", access.Approver).Token)
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.door.Approval(t.Context(), bilal, m.Asked)
	if err == nil {
		_, err = s.door.Approve(t.Context(), bilal, a.ID, a.Hash, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	var now imports.Import
	patience.For(func() bool {
		now, err = s.imports.Show(t.Context(), m.ID)
		return err != nil || now.State == imports.Applied
	})
	if err != nil || now.State != imports.Applied || now.Review.Second != "bilal" {
		t.Fatalf("%+v %v", now, err)
	}
	s.work.Wait()
	jobs, err := s.work.Jobs(t.Context())
	results := map[access.Act]string{}
	for _, j := range jobs {
		if results[j.Act] = j.Result; j.State != work.Done {
			t.Errorf("%s is %s: %s", j.Kind, j.State, j.Why)
		}
	}
	if err != nil || len(jobs) != 2 || results[access.ImportSubmit] != "/imports/"+m.ID || results[access.DuplicatesRun] != "/doubles" {
		t.Errorf("the long work, and the search for duplicates that follows it: %+v %v", jobs, err)
	}
	if last, err := s.search().Last(t.Context()); err != nil || last.At.IsZero() || last.People == 0 {
		t.Errorf("the search came to %+v, %v", last, err)
	}
	if stop() != 0 {
		t.Error("serve failed")
	}
	if got := l.must("import", "list"); !strings.Contains(got, "applied") {
		t.Errorf("the list: %s", got)
	}
	if m = line("import", "apply", m.ID); m.State != imports.Applied {
		t.Errorf("written again: %+v", m)
	}
	if got := l.must("import", "undo", m.ID); !strings.Contains(got, "2 records that the list made would be erased") {
		t.Errorf("what taking it back would do: %s", got)
	}
	if code, _ := l.run(t.Context(), "import", "undo", m.ID, "--submit"); code != 2 || !strings.Contains(l.stderr.String(), "--actor") {
		t.Errorf("asked for by no account: %d %s", code, l.stderr.String())
	}
	var asked undoLine
	if err := json.Unmarshal([]byte(l.must("import", "undo", m.ID, "--submit", "--actor", "amina", "--json")), &asked); err != nil || asked.Asked == "" || asked.Erase != 2 {
		t.Errorf("%+v %v", asked, err)
	}
	if got := l.must("registry", "find", "Halima Juma"); strings.Count(strings.TrimSpace(got), "\n") > 1 || !strings.Contains(got, "W-2") {
		t.Errorf("she is found as %q", got)
	}
}
