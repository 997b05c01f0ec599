package storage_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aidpass/issuer"
	"aidpass/storage"
)

// issuedOffice has n cards, and is closed.
func issuedOffice(t *testing.T, n int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	_, desk, batch := office(t, dir, n)
	check(t, desk.Issue(t.Context(), batch, func(r issuer.Result) error {
		if r.Refusal != nil {
			return r.Refusal
		}
		return nil
	}))
	return dir
}

func reopen(t *testing.T, dir string) *storage.Org {
	t.Helper()
	db, err := storage.Open(t.Context(), dir, storage.Options{})
	check(t, err)
	t.Cleanup(func() { db.Close() })
	org, err := db.Org(t.Context(), "org-a", make([]byte, storage.KEKBytes))
	check(t, err)
	return org
}

// TestTornSigningLog cuts the log at every byte of its last line, and changes
// bytes of it: the store opens, and Check tells what is missing.
func TestTornSigningLog(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: it opens the database a dozen times")
	}
	dir := issuedOffice(t, 3)
	path := filepath.Join(dir, "outside-backup", "signing.log")
	whole, err := os.ReadFile(path)
	check(t, err)
	if bytes.Count(whole, []byte("\n")) != 1 {
		t.Fatalf("one batch of 3 wrote %d lines", bytes.Count(whole, []byte("\n")))
	}
	variants := map[string][]byte{"missing": nil}
	for _, n := range []int{1, 8, 9, 10, len(whole) / 2, len(whole) - 1} {
		variants["cut to "+string(rune('0'+n%10))+" of many"] = whole[:n]
		changed := bytes.Clone(whole)
		changed[n-1] ^= 1
		variants["changed at one byte, "+string(rune('0'+n%10))] = changed
	}
	for name, b := range variants {
		check(t, os.WriteFile(path, b, 0o600))
		org := reopen(t, dir)
		findings, err := org.Check(t.Context())
		check(t, err)
		if !slices.ContainsFunc(findings, func(f storage.Finding) bool { return f.What == storage.CheckSigningLog }) {
			t.Errorf("%s: findings = %v, want that the log is not whole", name, findings)
		}
	}
	check(t, os.WriteFile(path, whole, 0o600))
	if findings, err := reopen(t, dir).Check(t.Context()); err != nil || len(findings) != 0 {
		t.Errorf("the whole log: %v, %v", findings, err)
	}
	// A line that was being written when the power went does not stop the next one.
	check(t, os.WriteFile(path, append(bytes.Clone(whole), whole[:40]...), 0o600))
	org := reopen(t, dir)
	found, err := org.FindCredentials(t.Context(), "HH-000001")
	check(t, err)
	check(t, deskFor(t, org).Revoke(t.Context(), []issuer.CTI{found[0].ID}, "lost"))
	if findings, err := org.Check(t.Context()); err != nil || len(findings) != 0 {
		t.Errorf("after the torn line: %v, %v", findings, err)
	}
	b, err := os.ReadFile(path)
	check(t, err)
	if bytes.Count(b, []byte("\n")) != 2 || !bytes.HasPrefix(b, whole) {
		t.Errorf("the log has %d lines after one more", bytes.Count(b, []byte("\n")))
	}
}

func deskFor(t *testing.T, org *storage.Org) *issuer.Desk {
	t.Helper()
	_, desk, _ := office(t, t.TempDir(), 0)
	desk.Store, desk.Log = org, org
	return desk
}

// TestForeignLines: lines of others and of versions to come are passed over.
func TestForeignLines(t *testing.T) {
	dir := issuedOffice(t, 1)
	path := filepath.Join(dir, "outside-backup", "signing.log")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	check(t, err)
	_, err = f.WriteString("\n00000000 \nnot a line at all\n" + strings.Repeat("x", 1<<17) + "\n")
	check(t, errors.Join(err, f.Close()))
	org := reopen(t, dir)
	if got := org.Replayed(); got != (storage.Replay{}) {
		t.Errorf("foreign lines were taken in: %+v", got)
	}
}

func TestSchemaIsNeverGuessed(t *testing.T) {
	raw := func(t *testing.T, query string, args ...any) string {
		dir := t.TempDir()
		db, err := storage.Open(t.Context(), dir, storage.Options{})
		check(t, err)
		check(t, db.Close())
		past := sqlite.SQL(t, dir)
		_, err = past.Exec(query, args...)
		check(t, errors.Join(err, past.Close()))
		return dir
	}
	newer := raw(t, `INSERT INTO schema_version (number, name, digest, applied_at) VALUES (999, 'future', 'x', 0)`)
	if _, err := storage.Open(t.Context(), newer, storage.Options{}); !errors.Is(err, storage.ErrNewer) {
		t.Errorf("a database of a newer program: %v, want ErrNewer", err)
	}
	changed := raw(t, `UPDATE schema_version SET digest = 'x' WHERE number = 1`)
	if _, err := storage.Open(t.Context(), changed, storage.Options{}); err == nil || !strings.Contains(err.Error(), "migration 1") {
		t.Errorf("a migration that was changed: %v, want it named", err)
	}
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "aidpass.db"), []byte(strings.Repeat("not a database. ", 100)), 0o600))
	if _, err := storage.Open(t.Context(), dir, storage.Options{}); err == nil {
		t.Error("a file that is no database was opened")
	}
}

func TestFilesAreTheirOwnersAlone(t *testing.T) {
	dir := issuedOffice(t, 1)
	for _, name := range []string{"aidpass.db", "aidpass.db-wal", "outside-backup", "outside-backup/signing.log"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // the write-ahead log goes when the last one closes
		}
		check(t, err)
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
}
