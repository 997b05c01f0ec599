package storage_test

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aidpass/access"
	"aidpass/access/witness"
	"aidpass/storage"
)

var auditKey = ed25519.NewKeyFromSeed(make([]byte, 32))

const auditOrigin = "relief-a.example/i1/audit"

// logOf is an organisation in a new folder with a log of n entries.
func logOf(t testing.TB, dir string, n int) (*storage.DB, *storage.Org) {
	t.Helper()
	db, org := openLog(t, dir)
	addEntries(t, org, n-1)
	return db, org
}

var logSeconds atomic.Int64

// logClock goes on by a second each time it is asked.
func logClock() time.Time {
	return time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC).Add(time.Duration(logSeconds.Add(1)) * time.Second)
}

func openLog(t testing.TB, dir string) (*storage.DB, *storage.Org) {
	t.Helper()
	ctx := context.Background()
	db, err := storage.Open(ctx, dir, storage.Options{Now: logClock})
	if err != nil {
		t.Fatal(err)
	}
	org, err := db.Org(ctx, "org-a", make([]byte, 32))
	if errors.Is(err, storage.ErrNoOrg) {
		org, err = db.CreateOrg(ctx, "org-a", make([]byte, 32), admin)
	}
	if err != nil {
		t.Fatal(err)
	}
	return db, org
}

var admin = access.Actor{ID: "yusuf", Role: access.OrgAdmin}

func addEntries(t testing.TB, org *storage.Org, n int) {
	t.Helper()
	for i := range n {
		if err := org.Note(context.Background(), admin, access.Entry{Action: "record.read", Object: fmt.Sprintf("%032x", i)}); err != nil {
			t.Fatal(err)
		}
	}
}

func sign(c witness.Checkpoint) ([]byte, error) { return witness.Sign(c, auditKey) }

func checkpointOf(t testing.TB, org *storage.Org) witness.Promise {
	t.Helper()
	s, err := org.Checkpoint(context.Background(), admin, auditOrigin, "", sign)
	if err != nil {
		t.Fatal(err)
	}
	return witness.Promise{Name: "checkpoint.txt", Paper: s.Paper()}
}

// attack opens the database file as somebody who has it does, without the program
// and without its triggers.
func attack(t testing.TB, dir string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "aidpass.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range append([]string{"DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete", "DROP TRIGGER audit_only_next"}, statements...) {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// forge computes the chain and the organisation's memory of its end anew, so that
// nothing in the database is wrong. With tree the stored tree is thrown away too.
func forge(t testing.TB, dir string, tree bool) {
	t.Helper()
	db, org := openLog(t, dir)
	var log []access.Entry
	if err := org.Audit(context.Background(), func(e *access.Entry) error { log = append(log, *e); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", filepath.Join(dir, "aidpass.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	exec := func(q string, args ...any) {
		if _, err := raw.Exec(q, args...); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	exec("UPDATE audit SET seq = seq + 1000000")
	var head access.Head
	for i := range log {
		old := log[i].Seq + 1000000
		log[i].Link(head)
		head = access.Head{Seq: log[i].Seq, Hash: log[i].Hash}
		exec("UPDATE audit SET seq = ?, prev = ?, hash = ? WHERE seq = ?", head.Seq, log[i].Prev[:], head.Hash[:], old)
	}
	exec("UPDATE organisation SET audit_seq = ?, audit_hash = ?", head.Seq, head.Hash[:])
	if tree {
		for _, table := range []string{"audit_tree", "audit_checkpoint"} {
			exec("DROP TRIGGER " + table + "_no_delete")
			exec("DELETE FROM " + table)
		}
		if err := os.Remove(filepath.Join(dir, "outside-backup", "checkpoints.log")); err != nil {
			t.Fatal(err)
		}
	}
}

// attacks change one row n of a log of size entries; they tell the first row that is bad.
var attacks = []struct {
	name string
	sql  func(n, size int) []string
	bad  func(n, size int) int
}{
	{"deleted", func(n, _ int) []string { return []string{fmt.Sprintf("DELETE FROM audit WHERE seq = %d", n)} },
		func(n, _ int) int { return n }},
	{"altered", func(n, _ int) []string {
		return []string{fmt.Sprintf("UPDATE audit SET actor = 'somebody' WHERE seq = %d", n)}
	}, func(n, _ int) int { return n }},
	{"reordered", func(n, size int) []string {
		m := n%size + 1
		return []string{fmt.Sprintf("UPDATE audit SET seq = -1 WHERE seq = %d", n), fmt.Sprintf("UPDATE audit SET seq = %d WHERE seq = %d", n, m), fmt.Sprintf("UPDATE audit SET seq = %d WHERE seq = -1", m)}
	}, func(n, size int) int { return min(n, n%size+1) }},
	{"inserted", func(n, _ int) []string {
		return []string{fmt.Sprintf("UPDATE audit SET seq = seq + 1000000 WHERE seq >= %d", n), "UPDATE audit SET seq = seq - 999999 WHERE seq > 1000000",
			fmt.Sprintf(`INSERT INTO audit (org_id, seq, at, actor, role, device, second_person, action, object, reason, detail, digest, prev, hash)
				VALUES ('org-a', %d, 0, 'yusuf', 'org-admin', '', '', 'record.read', '', '', '', zeroblob(32), zeroblob(32), zeroblob(32))`, n)}
	}, func(n, _ int) int { return n }},
	{"truncated", func(n, _ int) []string { return []string{fmt.Sprintf("DELETE FROM audit WHERE seq >= %d", n)} },
		func(n, _ int) int { return n }},
}

// Any one row, changed in any way, is named: plainly; with the chain and its end
// computed anew, by the stored tree; with the tree thrown away as well, by the
// checkpoint that somebody else holds.
func TestAuditRowsThatWereChangedBySQLAreNamed(t *testing.T) {
	const size = 24
	base := t.TempDir()
	db, org := logOf(t, base, size-1)
	promise := checkpointOf(t, org) // entry 24 is its own
	if out, err := org.ProveAudit(t.Context(), []witness.Promise{promise}); err != nil || len(out.Bad) != 0 || len(out.Kept) != 1 {
		t.Fatalf("before any attack: %+v, %v", out, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		if runs++; runs > 40 { // each opens a database several times
			return
		}
		kind := attacks[(runs-1)%len(attacks)]
		depth := (runs - 1) / len(attacks) % 3
		n := rapid.IntRange(2, size).Draw(rt, "row")
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
			rt.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, "aidpass.db"), 0o600); err != nil {
			rt.Fatal(err)
		}
		attack(t, dir, kind.sql(n, size)...)
		if depth > 0 {
			forge(t, dir, depth == 2)
		}
		db, org := openLog(t, dir)
		defer db.Close()
		out, err := org.ProveAudit(t.Context(), []witness.Promise{promise})
		if err != nil {
			rt.Fatal(err)
		}
		want := uint64(kind.bad(n, size))
		if depth == 2 && kind.name != "truncated" { // nothing here says which: all before the checkpoint may be
			want = 1
			if kind.name == "deleted" {
				want = size // numbered anew, it lacks its last
			}
		}
		if len(out.Bad) == 0 || out.Bad[0].Seq != want {
			rt.Fatalf("%s, row %d, depth %d: found %+v, want row %d first", kind.name, n, depth, out.Bad, want)
		}
		if depth == 2 {
			// Without the checkpoint nobody can see it.
			if out, err := org.ProveAudit(t.Context(), nil); err != nil || len(out.Bad) != 0 {
				rt.Fatalf("%s: the forger left a trace: %+v, %v", kind.name, out.Bad, err)
			}
			return
		}
		// check says it as well.
		findings, err := org.Check(t.Context())
		if err != nil {
			rt.Fatal(err)
		}
		told := false
		for _, f := range findings {
			told = told || f.What == storage.CheckAudit && f.Object == fmt.Sprint(want)
		}
		if !told {
			rt.Errorf("%s, row %d, depth %d: check says %v", kind.name, n, depth, findings)
		}
	})
}

// The program's own connection changes nothing, whatever statement it is made to run.
func TestAuditTablesAreAppendOnly(t *testing.T) {
	dir := t.TempDir()
	db, org := logOf(t, dir, 5)
	checkpointOf(t, org)
	_, err := org.Cosign(t.Context(), admin, &witness.Signed{Checkpoint: witness.Checkpoint{Origin: "b", Size: 1}}, "",
		func(*witness.Checkpoint) error { return nil }, func() ([]byte, error) { return []byte("note"), nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", filepath.Join(dir, "aidpass.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	statements := []string{
		"UPDATE audit SET actor = 'x'", "DELETE FROM audit", "DELETE FROM audit WHERE seq = 3",
		"INSERT OR REPLACE INTO audit SELECT org_id, seq, at, 'x', role, device, second_person, action, object, reason, detail, digest, prev, hash FROM audit WHERE seq = 3",
		"INSERT INTO audit SELECT org_id, seq + 100, at, actor, role, device, second_person, action, object, reason, detail, digest, prev, hash FROM audit WHERE seq = 3",
		"INSERT INTO audit SELECT * FROM audit WHERE seq = 3 ON CONFLICT DO UPDATE SET actor = 'x'",
		"UPDATE audit_tree SET hash = zeroblob(32)", "DELETE FROM audit_tree", "INSERT OR REPLACE INTO audit_tree VALUES ('org-a', 0, zeroblob(32))",
		"UPDATE audit_checkpoint SET size = 1", "DELETE FROM audit_checkpoint", "INSERT OR REPLACE INTO audit_checkpoint SELECT org_id, no, 1, root, note, cosigned, at FROM audit_checkpoint",
		"UPDATE witness_seen SET size = 2", "DELETE FROM witness_seen", "INSERT OR REPLACE INTO witness_seen SELECT org_id, origin, no, 2, root, note, at FROM witness_seen",
	}
	for _, s := range statements {
		if _, err := raw.Exec(s); err == nil {
			t.Errorf("%s: done", s)
		}
	}
	var n int
	if err := raw.QueryRow("SELECT COUNT(*) FROM audit WHERE actor = 'x'").Scan(&n); err != nil || n > 0 {
		t.Errorf("%d rows were changed, %v", n, err)
	}
}

// A database put back as it was is seen by who holds a checkpoint, and here by the
// file outside the backup; it signs no further until two people say why.
func TestAnOlderLogIsSeenAgainstItsCheckpoint(t *testing.T) {
	dir, old := t.TempDir(), t.TempDir()
	db, org := logOf(t, dir, 6)
	checkpointOf(t, org)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(old, "copy"), os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	db, org = openLog(t, dir)
	addEntries(t, org, 5)
	promise := checkpointOf(t, org)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(old, "copy", "aidpass.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"aidpass.db-wal", "aidpass.db-shm"} {
		os.Remove(filepath.Join(dir, f))
	}
	if err := os.WriteFile(filepath.Join(dir, "aidpass.db"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	db, org = openLog(t, dir)
	defer db.Close()
	ctx := t.Context()
	for name, given := range map[string][]witness.Promise{"with the checkpoint of a witness": {promise}, "with the file outside": nil} {
		if out, err := org.ProveAudit(ctx, given); err != nil || len(out.Bad) == 0 || out.Bad[0].Seq != 8 {
			t.Errorf("%s: %+v, %v", name, out.Bad, err)
		}
	}
	if _, err := org.Checkpoint(ctx, admin, auditOrigin, "", sign); !errors.Is(err, storage.ErrRewound) {
		t.Errorf("it signs on: %v", err)
	}
	if _, err := org.Checkpoint(ctx, admin, auditOrigin, "disk lost", sign); err == nil {
		t.Error("one person makes it sign on")
	}
	two := admin
	two.SecondPerson = "amina"
	if _, err := org.Checkpoint(ctx, two, auditOrigin, "disk lost", sign); err != nil {
		t.Fatalf("two people: %v", err)
	}
	if out, err := org.ProveAudit(ctx, nil); err != nil || len(out.Bad) != 0 {
		t.Errorf("after two people said why: %+v, %v", out.Bad, err)
	}
	if out, err := org.ProveAudit(ctx, []witness.Promise{promise}); err != nil || len(out.Bad) == 0 {
		t.Errorf("who holds the lost checkpoint sees nothing: %+v, %v", out, err)
	}
}

// A tree that grew in pieces is the tree of the log: its root has a witness that
// computes it from the entries alone.
func TestTheStoredTreeGrowsWithTheLog(t *testing.T) {
	_, org := logOf(t, t.TempDir(), 3)
	var promises []witness.Promise
	for i := range 9 {
		addEntries(t, org, i*7%10)
		promises = append(promises, checkpointOf(t, org))
	}
	out, err := org.ProveAudit(t.Context(), promises)
	if err != nil || len(out.Bad) != 0 || len(out.Kept) != 9 {
		t.Errorf("%+v, %v", out, err)
	}
	if out.Head.Seq != promises[8].Size || !promises[8].Holds(out.Root) {
		t.Errorf("head %d, checkpoint %d", out.Head.Seq, promises[8].Size)
	}
}
