package storage_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// whomLog is a log of an entry about two records, one about the first of them, and one about
// nobody; n tells the number of the first.
func whomLog(t *testing.T, dir string) (ids []registry.ID, n uint64) {
	t.Helper()
	ctx := context.Background()
	db, org := logOf(t, dir, 3)
	ids = []registry.ID{{15: 1}, {15: 2}, {15: 3}}
	for _, about := range [][]registry.ID{ids[:2], ids[:1], nil} {
		if err := org.NoteAbout(ctx, admin, access.Entry{Action: "export.make", Object: "share", Detail: "rows=2"}, about); err != nil {
			t.Fatal(err)
		}
	}
	if bad := badOf(t, dir, db.Close()); len(bad) > 0 {
		t.Fatalf("a whole log: %+v", bad)
	}
	return ids, 4
}

func badOf(t *testing.T, dir string, err error) (bad []access.BadRow) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	db, org := openLog(t, dir)
	out, err := org.ProveAudit(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bad
}

// Who was looked at stands beside the log: what somebody with the database takes out of it,
// puts into it or moves is named by the entry.
func TestWhomAnEntryIsAboutCannotBeChanged(t *testing.T) {
	const free = "DROP TRIGGER audit_about_no_delete; DROP TRIGGER audit_about_no_update;"
	for name, c := range map[string]struct {
		sql string
		bad uint64 // behind the first entry
	}{
		"taken out":             {"DELETE FROM audit_about WHERE seq = %d AND unit_id = '%s'", 0},
		"all taken out":         {"DELETE FROM audit_about", 0},
		"another's":             {"UPDATE audit_about SET unit_id = '%[3]s' WHERE seq = %[1]d AND unit_id = '%[2]s'", 0},
		"one more":              {"INSERT INTO audit_about SELECT org_id, '%[3]s', %[1]d + 1 FROM audit_about LIMIT 1", 1},
		"of an entry of nobody": {"INSERT INTO audit_about SELECT org_id, '%[3]s', %[1]d + 2 FROM audit_about LIMIT 1", 2},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			ids, n := whomLog(t, dir)
			sql := c.sql
			if strings.Contains(sql, "%") {
				sql = fmt.Sprintf(sql+"%.[4]s", n, ids[0].String(), ids[2].String(), "")
			}
			attack(t, dir, free+sql)
			bad := badOf(t, dir, nil)
			if len(bad) == 0 || bad[0].Seq != n+c.bad || bad[0].Code != access.BadWhom {
				t.Errorf("%+v, want entry %d", bad, n+c.bad)
			}
		})
	}
}

// Entries of an older program say nothing of whom they are about: the first opening says it
// for all of them.
func TestWhomOldEntriesAreAbout(t *testing.T) {
	dir := t.TempDir()
	ids, n := whomLog(t, dir)
	attack(t, dir, "UPDATE audit SET detail = 'rows=2' WHERE action = 'export.make'", "UPDATE organisation SET form = 1", "DROP TRIGGER audit_tree_no_delete", "DELETE FROM audit_tree")
	forge(t, dir, false) // opens it, as the first of today's programs does
	if bad := badOf(t, dir, nil); len(bad) > 0 {
		t.Fatalf("an old log: %+v", bad)
	}
	db, org := openLog(t, dir)
	var log []access.Action
	if err := org.Audit(t.Context(), func(e *access.Entry) error { log = append(log, e.Action); return nil }); err != nil {
		t.Fatal(err)
	}
	if i := slices.Index(log, "audit.whom"); i != int(n)+2 || slices.Contains(log[i+1:], "audit.whom") {
		t.Errorf("%v: want one entry over those before it", log)
	}
	if err := org.NoteAbout(t.Context(), admin, access.Entry{Action: "export.make", Detail: strings.Repeat("é", access.MaxText/2)}, ids); err != nil {
		t.Fatal(err)
	}
	if bad := badOf(t, dir, db.Close()); len(bad) > 0 {
		t.Fatalf("a log that goes on: %+v", bad)
	}
	raw, err := sql.Open("sqlite", filepath.Join(dir, "aidpass.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := raw.Exec("DROP TRIGGER audit_about_no_delete; DELETE FROM audit_about WHERE seq = ? AND unit_id = ?", n, ids[0].String()); err != nil {
		t.Fatal(err)
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	if bad := badOf(t, dir, nil); len(bad) != 1 || bad[0].Seq != n+3 || bad[0].Code != access.BadWhom {
		t.Errorf("%+v, want entry %d", bad, n+3)
	}
}
