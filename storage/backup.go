package storage

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"aidpass/storage/archive"
)

// A Manifest says what is in a backup.
type Manifest = archive.Manifest

// BackupOptions says for whom a backup is sealed.
type BackupOptions struct {
	// Recipients can open it: one age.ScryptRecipient, or public keys whose private
	// halves are kept away from this machine.
	Recipients []age.Recipient
	Progress   func(done, total int64) // bytes; may be nil
}

// backupTemp is how folders of copies in the making are named.
const backupTemp = ".backup-"

// Backup writes the database as it is at one moment, the sealed keys and the
// public documents, sealed, to w. Others may go on working. What w holds when
// Backup returns an error is no backup, and Restore refuses it.
//
// It needs as much room beside the database as that has, for a moment.
func (db *DB) Backup(ctx context.Context, w io.Writer, o BackupOptions) (m Manifest, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("storage: backup: %w", err)
		}
	}()
	sweep(db.dir, backupTemp)
	temp, err := os.MkdirTemp(db.dir, backupTemp) // 0700, on the database's own disk
	if err != nil {
		return m, err
	}
	defer os.RemoveAll(temp)
	copied := filepath.Join(temp, databaseFile)
	if err := db.dialect.snapshot(ctx, filepath.Join(db.dir, databaseFile), copied); err != nil {
		return m, err
	}
	locate := func(p string) string {
		if p == databaseFile {
			return copied
		}
		return filepath.Join(db.dir, filepath.FromSlash(p))
	}
	if m, err = db.manifest(ctx, copied, locate); err != nil {
		return m, err
	}
	sealed, err := age.Encrypt(w, o.Recipients...)
	if err != nil {
		return m, err
	}
	open := func(p string) (io.ReadCloser, error) {
		f, err := os.Open(locate(p))
		return struct {
			io.Reader
			io.Closer
		}{untilDone{ctx, f}, f}, err
	}
	if err := archive.Write(sealed, m, open, o.Progress); err != nil {
		return m, err
	}
	return m, sealed.Close()
}

// untilDone stops reading when its context ends.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}

// sweep removes the folders that a backup or restore left in dir when it was
// killed: those that nobody can be at work in any more.
func sweep(dir, prefix string) {
	left, _ := filepath.Glob(filepath.Join(dir, prefix+"*"))
	for _, l := range left {
		if info, err := os.Lstat(l); err == nil && info.IsDir() && time.Since(info.ModTime()) > 24*time.Hour {
			os.RemoveAll(l) // what is in it is sealed; what cannot be removed is tried again next time
		}
	}
}

func (db *DB) manifest(ctx context.Context, copied string, locate func(string) string) (m Manifest, err error) {
	m = Manifest{Format: archive.Format, MadeAt: db.now().UTC().Truncate(time.Second)}
	if m.Schema, m.Orgs, err = db.dialect.heads(ctx, copied); err != nil {
		return m, err
	}
	paths := []string{databaseFile}
	for _, folder := range archive.Folders {
		found, err := filesOf(db.dir, folder)
		if err != nil {
			return m, err
		}
		paths = append(paths, found...)
	}
	for _, p := range paths {
		f, err := os.Open(locate(p))
		if err != nil {
			return m, err
		}
		size, sum, err := archive.Sum(f)
		f.Close()
		if err != nil {
			return m, err
		}
		m.Files = append(m.Files, archive.File{Path: p, Size: size, SHA256: sum})
	}
	return m, nil
}

// filesOf lists the plain files of a folder that a backup has, with slashes.
func filesOf(dir, folder string) (paths []string, err error) {
	root := filepath.Join(dir, folder)
	if _, err := os.Lstat(root); os.IsNotExist(err) {
		return nil, nil
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		local, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		local = filepath.ToSlash(local)
		switch {
		case d.IsDir() && (local == archive.LeftOut || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || local == archive.LeftOut || // which may be a link to a web server's folder
			strings.HasPrefix(d.Name(), "."):
		case !d.Type().IsRegular(): // a backup without the keys would only be missed when it is needed
			return fmt.Errorf("%s is a link or no plain file: put the folder or file itself there", local)
		case archive.Has(local):
			paths = append(paths, local)
		default:
			return fmt.Errorf("a file in the folder %s has a name that no backup can hold: rename or remove it", filepath.ToSlash(filepath.Dir(local)))
		}
		return nil
	})
	return paths, err
}

// snapshotSQLite copies the database as its newest commit left it, without its
// free pages, while others read and write.
func snapshotSQLite(ctx context.Context, from, to string) error {
	db, err := sql.Open("sqlite", sqliteURI(from, sqlitePragmas.Encode()))
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, `VACUUM INTO $1`, to); err != nil {
		return err
	}
	if err := os.Chmod(to, 0o600); err != nil {
		return err
	}
	return leaveOutKeys(ctx, to)
}

// leaveOutKeys takes out of a copy the keys of files that no backup has: they are not to
// open a copy of such a file after somebody in it was erased.
func leaveOutKeys(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", sqliteURI(path, "_pragma=secure_delete(1)&_pragma=journal_mode(memory)"))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `UPDATE duplicates SET wrapped = NULL WHERE wrapped IS NOT NULL`)
	return errors.Join(err, db.Close())
}

// headsSQLite reads the schema's number and the audit heads of a copy that
// nobody else has open.
func headsSQLite(ctx context.Context, path string) (schema int, orgs []archive.Org, err error) {
	db, err := sql.Open("sqlite", sqliteURI(path, "mode=ro&_pragma=query_only(1)"))
	if err != nil {
		return 0, nil, err
	}
	defer db.Close()
	if err := db.QueryRowContext(ctx, `SELECT MAX(number) FROM schema_version`).Scan(&schema); err != nil {
		return 0, nil, err
	}
	rows, err := db.QueryContext(ctx, `SELECT id, audit_seq, audit_hash FROM organisation ORDER BY id`)
	if err != nil {
		return 0, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var o archive.Org
		var hash []byte
		if err := rows.Scan(&o.ID, &o.AuditSeq, &hash); err != nil {
			return 0, nil, err
		}
		o.AuditHash = hex.EncodeToString(hash)
		orgs = append(orgs, o)
	}
	return schema, orgs, rows.Err()
}
