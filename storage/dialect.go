package storage

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	driver "modernc.org/sqlite" // registers "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"aidpass/storage/archive"
)

// A dialect is what an engine does its own way. Everything else is one SQL text.
type dialect struct {
	name       string
	migrations fs.FS // NNNN_name.sql, in one folder
	// open returns the pool for writes and the pool for reads; an engine with
	// many writers returns one pool twice.
	open func(ctx context.Context, path string) (write, read *sql.DB, err error)
	// check is the engine's own proof that its file is sound: what it finds, in words.
	check func(ctx context.Context, db *sql.DB) ([]string, error)
	// busy reports whether an error says that another program holds the lock.
	busy func(err error) bool
	// full reports whether an error says that there is no room on the disk.
	full func(err error) bool
	// scrub makes sure that overwritten and deleted values are gone from the files.
	// It reports false when others who are reading kept it from that.
	scrub func(ctx context.Context, db *sql.DB) (clean bool, err error)
	// snapshot copies the database at from, as it is at one moment, to a new file.
	snapshot func(ctx context.Context, from, to string) error
	// heads reads a snapshot's newest migration, and its organisations by id.
	heads func(ctx context.Context, path string) (schema int, orgs []archive.Org, err error)
}

//go:embed migrations
var migrationFiles embed.FS

// migrationsOf returns an engine's folder of migrations.
func migrationsOf(engine string) fs.FS {
	folder, err := fs.Sub(migrationFiles, "migrations/"+engine)
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return folder
}

var sqlite = dialect{
	name:       "sqlite",
	migrations: migrationsOf("sqlite"),
	open:       openSQLite,
	check:      checkSQLite,
	busy:       busySQLite,
	full:       fullSQLite,
	scrub:      scrubSQLite,
	snapshot:   snapshotSQLite,
	heads:      headsSQLite,
}

func busySQLite(err error) bool {
	var e *driver.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY
}

func fullSQLite(err error) bool {
	var e *driver.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_FULL
}

// scrubSQLite: secure_delete has zeroed the page; the write-ahead log still holds
// the old one until it is cut to nothing. That somebody reads is told in a row,
// not as an error.
func scrubSQLite(ctx context.Context, db *sql.DB) (clean bool, err error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer c.Close()
	if _, err := c.ExecContext(ctx, `PRAGMA busy_timeout = 2000`); err != nil {
		return false, err
	}
	var busy, frames, done int
	err = c.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &done)
	if _, back := c.ExecContext(ctx, `PRAGMA busy_timeout = `+busyTimeout); err == nil {
		err = back
	}
	return busy == 0, err
}

// busyTimeout, in milliseconds, is how long another process may hold the one write
// lock: a batch's transaction, times those that wait.
const busyTimeout = "30000"

// sqlitePragmas hold for every connection. synchronous=FULL: a transaction is on
// the disk when its commit returns, or a power cut could take back an intent
// whose signature exists. The limit, in bytes, cuts the log that a large import leaves.
var sqlitePragmas = url.Values{
	"_pragma": {"busy_timeout(" + busyTimeout + ")", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "secure_delete(1)",
		"journal_size_limit(67108864)"},
}

// writeCache, in KiB and negative as SQLite has it, keeps the indexes of a large
// import from being written out over and over.
const writeCache = "-32768"

func openSQLite(ctx context.Context, path string) (write, read *sql.DB, err error) {
	// Made here, so that the file is never readable to others, not even empty.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, nil, err
	}
	if err := file.Close(); err != nil {
		return nil, nil, err
	}
	uri := sqliteURI(path, sqlitePragmas.Encode())
	// A transaction that begins by reading and then writes can find its snapshot
	// outdated and fail. Taking the write lock at BEGIN waits instead.
	if write, err = sql.Open("sqlite", uri+"&_txlock=immediate&_pragma=cache_size("+writeCache+")"); err != nil {
		return nil, nil, err
	}
	write.SetMaxOpenConns(1) // goroutines queue here, in order, instead of polling for the lock
	if read, err = sql.Open("sqlite", uri+"&_pragma=query_only(1)"); err != nil {
		return nil, nil, err
	}
	if err := write.PingContext(ctx); err != nil {
		return nil, nil, fmt.Errorf("not a database that can be opened: %w", err)
	}
	return write, read, nil
}

// sqliteURI names a database file, by its whole path, and the parameters of its connections.
func sqliteURI(path, query string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: query}).String()
}

func checkSQLite(ctx context.Context, db *sql.DB) (findings []string, err error) {
	rows, err := db.QueryContext(ctx, `PRAGMA integrity_check`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		if line != "ok" {
			findings = append(findings, line)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	broken, err := db.QueryContext(ctx, `PRAGMA foreign_key_check`)
	if err != nil {
		return nil, err
	}
	defer broken.Close()
	for broken.Next() {
		var table, parent string
		var row, key sql.NullInt64
		if err := broken.Scan(&table, &row, &parent, &key); err != nil {
			return nil, err
		}
		findings = append(findings, fmt.Sprintf("a row of %s names a row of %s that is not there", table, parent))
	}
	return findings, broken.Err()
}
