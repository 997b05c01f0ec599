package storage

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// ErrNewer: the database was written by a newer program, which knows how to read it.
var ErrNewer = errors.New("the database belongs to a newer version of aidpass")

// A migration is one numbered file. Files are only ever added: a database
// remembers the hash of each it was built from.
type migration struct {
	number int
	name   string
	text   string
	digest string
}

// migrate brings the schema from where it is to the newest file, each step in a
// transaction of its own together with the note that it was done.
func migrate(ctx context.Context, d *dialect, db *sql.DB, now time.Time) error {
	steps, err := readMigrations(d.migrations)
	if err != nil {
		return err
	}
	const notes = `CREATE TABLE IF NOT EXISTS schema_version (
		number INTEGER NOT NULL PRIMARY KEY, -- of the migration file
		name TEXT NOT NULL, digest TEXT NOT NULL, applied_at BIGINT NOT NULL)`
	if _, err := db.ExecContext(ctx, notes); err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	for {
		done, err := migrateStep(ctx, db, steps, now)
		if err != nil || done {
			return err
		}
	}
}

// migrateStep applies the first file that is missing. Two programs that open one
// database at once take turns: the note is read inside the transaction.
func migrateStep(ctx context.Context, db *sql.DB, steps []migration, now time.Time) (done bool, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return false, fmt.Errorf("schema: %w", err)
	}
	defer tx.Rollback()
	known, err := appliedMigrations(ctx, tx)
	if err != nil {
		return false, fmt.Errorf("schema: %w", err)
	}
	for i, digest := range known {
		if i >= len(steps) {
			return false, fmt.Errorf("%w: it has migration %d, this program ends at %d", ErrNewer, i+1, len(steps))
		}
		if digest != steps[i].digest {
			return false, fmt.Errorf("schema: migration %d (%s) is not the file this database was built from", i+1, steps[i].name)
		}
	}
	if len(known) == len(steps) {
		return true, nil
	}
	m := steps[len(known)]
	if _, err := tx.ExecContext(ctx, m.text); err != nil {
		return false, fmt.Errorf("schema: migration %d (%s): %w", m.number, m.name, err)
	}
	const note = `INSERT INTO schema_version (number, name, digest, applied_at) VALUES ($1, $2, $3, $4)`
	if _, err := tx.ExecContext(ctx, note, m.number, m.name, m.digest, now.UnixMicro()); err != nil {
		return false, fmt.Errorf("schema: %w", err)
	}
	return false, tx.Commit()
}

// appliedMigrations returns the digests of the migrations done, in order.
func appliedMigrations(ctx context.Context, tx *sql.Tx) (digests []string, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT digest FROM schema_version ORDER BY number`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var d string
		if err := rows.Scan(&d); err != nil {
			return nil, err
		}
		digests = append(digests, d)
	}
	return digests, rows.Err()
}

// readMigrations reads NNNN_name.sql, which must be numbered 1, 2, 3 without a gap.
func readMigrations(folder fs.FS) ([]migration, error) {
	files, err := fs.Glob(folder, "*.sql") // sorted by name
	if err != nil {
		return nil, err
	}
	var steps []migration
	for i, file := range files {
		number, name, _ := strings.Cut(strings.TrimSuffix(file, ".sql"), "_")
		if n, err := strconv.Atoi(number); err != nil || n != i+1 {
			return nil, fmt.Errorf("schema: %s: migration %d was expected here", file, i+1)
		}
		text, err := fs.ReadFile(folder, file)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		steps = append(steps, migration{i + 1, name, string(text), hex.EncodeToString(sum[:])})
	}
	return steps, nil
}
