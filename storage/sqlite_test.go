package storage_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aidpass/storage"
	"aidpass/storage/storagetest"
)

var sqlite = storagetest.Engine{
	Open: func(t testing.TB, dir string, o storage.Options) *storage.DB {
		t.Helper()
		db, err := storage.Open(t.Context(), dir, o)
		if err != nil {
			t.Fatal(err)
		}
		return db
	},
	SQL: func(t testing.TB, dir string) *sql.DB {
		t.Helper()
		db, err := sql.Open("sqlite", filepath.Join(dir, "aidpass.db")+"?_pragma=busy_timeout(5000)")
		if err != nil {
			t.Fatal(err)
		}
		return db
	},
	Plan: func(t testing.TB, db *sql.DB, query string, args ...any) string {
		t.Helper()
		rows, err := db.Query("EXPLAIN QUERY PLAN "+query, args...)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var plan strings.Builder
		for rows.Next() {
			var id, parent, unused int
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				t.Fatal(err)
			}
			plan.WriteString(step + "\n")
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return plan.String()
	},
	Backup: func(t testing.TB, dir string) (restore func()) {
		t.Helper()
		file := filepath.Join(dir, "aidpass.db")
		copied := filepath.Join(t.TempDir(), "backup.db")
		db, err := sql.Open("sqlite", file)
		if err == nil {
			_, err = db.Exec(`VACUUM INTO $1`, copied)
		}
		if err == nil {
			err = db.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return func() {
			for _, end := range []string{"-wal", "-shm"} {
				if err := os.RemoveAll(file + end); err != nil {
					t.Fatal(err)
				}
			}
			b, err := os.ReadFile(copied)
			if err == nil {
				err = os.WriteFile(file, b, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	},
}

func TestSQLite(t *testing.T) { storagetest.Run(t, sqlite) }

func TestCrashBetweenSteps(t *testing.T) { storagetest.Crash(t, sqlite) }
