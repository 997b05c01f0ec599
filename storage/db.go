// Package storage keeps an organisation's people, credentials and audit log in
// a database, and beside it the few files that must never go back in time.
//
// One folder holds all of it:
//
//	aidpass.db          SQLite, in WAL mode
//	outside-backup/     never in a backup and never restored:
//	  signing.log         every credential that may have been signed, every change of status
//	  tombstones.log      every person's key that was destroyed
//	  checkpoints.log     every checkpoint that was signed of an audit log
//
//	duplicates/         never in a backup: sealed indexes of names, destroyed when anybody is erased
//
// Others keep theirs beside it: keys/ and public/ are in a backup, too ([DB.Backup],
// [Restore]).
//
// [Open] gives the database, [DB.Org] the store of one organisation: no method
// of [Org] takes an organisation, and every unique key in the schema contains
// it. Each method that writes is one transaction with its audit entries.
//
// The SQL is one text for SQLite and PostgreSQL; what differs stands in dialect
// and in migrations/ (a folder an engine). What a store must do is declared by
// package issuer, and proved for each engine by storage/storagetest.
package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// DB is an open database. It may be used by several goroutines, and several DBs
// (also in several processes) may be open on one folder.
type DB struct {
	dir         string
	write       *sql.DB // one transaction at a time where the engine has one writer
	read        *sql.DB
	dialect     *dialect
	signing     outsideFile
	tombs       outsideFile
	checkpoints outsideFile
	now         func() time.Time
	told        func(query string) // of the tests: each statement that runs; nil: nobody is told
}

// Options are what most callers leave out.
type Options struct {
	Now func() time.Time // nil: time.Now
}

// Open opens the database in the folder dir, makes both when they are not there,
// and brings the schema up to date. dir is made readable to its owner alone.
//
// A database of a newer program is refused with ErrNewer.
func Open(ctx context.Context, dir string, o Options) (_ *DB, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("storage: open %q: %w", dir, err)
		}
	}()
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, outsideFolder), 0o700); err != nil {
		return nil, err
	}
	d := &sqlite
	write, read, err := d.open(ctx, filepath.Join(dir, databaseFile))
	if err != nil {
		return nil, err
	}
	db := &DB{
		dir: dir, write: write, read: read, dialect: d, now: o.Now,
		signing:     outsideFile{path: filepath.Join(dir, outsideFolder, signingLogFile)},
		tombs:       outsideFile{path: filepath.Join(dir, outsideFolder, "tombstones.log")},
		checkpoints: outsideFile{path: filepath.Join(dir, outsideFolder, checkpointsFile)},
	}
	if db.now == nil {
		db.now = time.Now
	}
	if err := migrate(ctx, d, write, db.now()); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

const (
	databaseFile  = "aidpass.db"
	outsideFolder = "outside-backup"

	signingLogFile  = "signing.log"
	checkpointsFile = "checkpoints.log"
)

// Close closes the database. Transactions under way fail.
func (db *DB) Close() error { return errors.Join(db.read.Close(), db.write.Close()) }

// Organisations lists the organisations of the database, by id.
func (db *DB) Organisations(ctx context.Context) ([]string, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT id FROM organisation ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("storage: organisations: %w", err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("storage: organisations: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
