package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"filippo.io/age"

	"aidpass/access"
	"aidpass/storage/archive"
)

// RestoreOptions says where a backup goes and how it is opened.
type RestoreOptions struct {
	// Identities open the backup: an age.ScryptIdentity, or private keys.
	Identities []age.Identity
	// KEK gives the key of an organisation; dir is a folder with the backup's keys in it.
	KEK func(dir, org string) ([]byte, error)
	// Outside is the folder outside-backup of the lost database, as it was last. Empty:
	// it is lost too, and all that was promised waits for a witness (Org.Unwitnessed).
	Outside string
	// Aside moves a folder that is there out of the way instead of refusing.
	Aside bool
	// VerifyOnly proves the backup and keeps nothing of it.
	VerifyOnly bool
	// By is who restores, for the audit log.
	By       access.Actor
	Now      func() time.Time        // nil: time.Now
	Progress func(done, total int64) // bytes; may be nil
	// Step is called before each part of the work, as in Org.Prove; may be nil.
	Step func(part string, done, total int)
}

// Errors of Restore, besides ErrNewer.
var (
	ErrBackup   = archive.ErrDamaged
	ErrNotEmpty = errors.New("storage: a backup is restored into an empty folder only")
	ErrOutside  = errors.New("storage: that is not the folder outside-backup of a database")
	ErrUnsound  = errors.New("storage: the backup is whole, and what is in it breaks promises")
)

// A Restored tells what a restore came to.
type Restored struct {
	Manifest Manifest
	Orgs     []RestoredOrg
	Aside    string // where the folder went that was there before; empty: there was none
}

// A RestoredOrg is one organisation of it.
type RestoredOrg struct {
	ID          string
	Proofs      []Proof
	Replay      Replay // what it took in from outside the backup
	Unwitnessed int    // status lists that wait for their newest published form
}

// Restore reads a backup to its end, proves it and everything in it in a folder
// of its own beside dir, and only then gives that folder the name dir. Before
// that, nothing of dir is touched; after an error or a kill it is as it was. With
// Aside there is one moment at which the old folder has its new name already, and
// the new one not yet its own.
//
// The restored database is an older one. What the folder Outside knows beyond it
// is taken in: cards signed since, changes of status, people erased since. Its
// status lists take no new cards, as Outside may be an old copy, too. If Outside is
// lost they are not published either, until a witness shows how far they were.
//
// A file that is no backup, cut, altered, or sealed for somebody else is
// ErrBackup; one that is whole and breaks promises is ErrUnsound, with the
// findings in the result.
func Restore(ctx context.Context, r io.Reader, dir string, o RestoreOptions) (out Restored, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("storage: restore: %w", err)
		}
	}()
	if err := o.By.Check(); err != nil && !o.VerifyOnly {
		return out, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return out, err
	}
	taken, err := checkTarget(dir, o)
	if err != nil {
		return out, err
	}
	stage, err := makeStage(dir, o)
	if err != nil {
		return out, err
	}
	defer os.RemoveAll(stage)
	if out.Manifest, err = unpack(untilDone{ctx, r}, stage, o); err != nil {
		return out, err
	}
	if out.Orgs, err = settle(ctx, stage, out.Manifest, o); err != nil || o.VerifyOnly {
		return out, err
	}
	if err := syncTree(stage); err != nil {
		return out, err
	}
	if taken {
		out.Aside = fmt.Sprintf("%s.before-restore-%s", dir, o.now().UTC().Format("20060102T150405"))
		if err := os.Rename(dir, out.Aside); err != nil {
			return out, err
		}
	} else if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) { // empty
		return out, err
	}
	if err := os.Rename(stage, dir); err != nil {
		return out, err
	}
	return out, syncDir(filepath.Dir(dir))
}

func (o *RestoreOptions) now() time.Time {
	if o.Now == nil {
		return time.Now()
	}
	return o.Now()
}

// checkTarget reports whether something is in dir, which must be wanted away.
func checkTarget(dir string, o RestoreOptions) (taken bool, err error) {
	if o.VerifyOnly {
		return false, nil
	}
	if o.Outside != "" {
		if info, err := os.Stat(o.Outside); err != nil || !info.IsDir() {
			return false, fmt.Errorf("%w: %q", ErrOutside, o.Outside)
		}
	}
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	if len(files) > 0 && !o.Aside {
		return true, fmt.Errorf("%w: %q holds %d files", ErrNotEmpty, dir, len(files))
	}
	return len(files) > 0, nil
}

// makeStage makes the folder in which a restore grows: on the disk of dir, so that
// giving it that name is one act.
func makeStage(dir string, o RestoreOptions) (string, error) {
	if o.VerifyOnly {
		return os.MkdirTemp("", "aidpass-verify-")
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", err
	}
	sweep(parent, restoreTemp)
	return os.MkdirTemp(parent, restoreTemp)
}

// restoreTemp is how folders of restores that are not done are named.
const restoreTemp = ".aidpass-restore-"

// unpack writes the files of a backup under stage.
func unpack(r io.Reader, stage string, o RestoreOptions) (Manifest, error) {
	plain, err := age.Decrypt(r, o.Identities...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return Manifest{}, fmt.Errorf("%w: this passphrase or key does not open it", ErrBackup)
	} else if err != nil {
		return Manifest{}, fmt.Errorf("%w: it is cut off or altered: %w", ErrBackup, err)
	}
	return archive.Read(plain, func(Manifest) (func(archive.File) (io.WriteCloser, error), error) {
		return func(f archive.File) (io.WriteCloser, error) {
			path := filepath.Join(stage, filepath.FromSlash(f.Path))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				return nil, err
			}
			return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		}, nil
	}, o.Progress)
}

// settle proves what was unpacked, and brings it to today.
func settle(ctx context.Context, stage string, m Manifest, o RestoreOptions) (orgs []RestoredOrg, err error) {
	if err := sameHeads(ctx, stage, m); err != nil {
		return nil, err
	}
	db, err := Open(ctx, stage, Options{Now: o.Now})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }() // the last one moves the write-ahead log into the file
	keks := make([][]byte, len(m.Orgs))
	for i, backed := range m.Orgs {
		if keks[i], err = o.KEK(stage, backed.ID); err != nil {
			return orgs, err
		}
		org, err := db.bareOrg(ctx, backed.ID, keks[i])
		if err != nil {
			return orgs, err
		}
		proofs, err := org.prove(ctx, o.Step, true)
		orgs = append(orgs, RestoredOrg{ID: backed.ID, Proofs: proofs})
		if err != nil {
			return orgs, err
		}
		for _, p := range proofs {
			if len(p.Findings) > 0 {
				return orgs, fmt.Errorf("%w: organisation %q: %s", ErrUnsound, backed.ID, p.Findings[0])
			}
		}
	}
	if o.VerifyOnly {
		return orgs, nil
	}
	known, err := copyOutside(o.Outside, filepath.Join(stage, outsideFolder))
	if err != nil {
		return orgs, err
	}
	for i := range orgs {
		if err := orgs[i].catchUp(ctx, db, keks[i], known, o); err != nil {
			return orgs, err
		}
	}
	return orgs, nil
}

// sameHeads proves that the copy is the one the manifest was made of.
func sameHeads(ctx context.Context, stage string, m Manifest) error {
	_, heads, err := sqlite.heads(ctx, filepath.Join(stage, databaseFile))
	if err != nil {
		return fmt.Errorf("%w: its database: %w", ErrBackup, err)
	}
	if len(heads) != len(m.Orgs) {
		return fmt.Errorf("%w: its database has %d organisations, and its manifest %d", ErrBackup, len(heads), len(m.Orgs))
	}
	for i, h := range heads {
		if h != m.Orgs[i] {
			return fmt.Errorf("%w: the audit log of %q is not the one its manifest names", ErrBackup, h.ID)
		}
	}
	return nil
}

// copyOutside brings the files that stood outside of backups. It reports whether
// the signing log is among them.
func copyOutside(from, to string) (known bool, err error) {
	if from == "" {
		return false, nil
	}
	files, err := os.ReadDir(from)
	if err != nil {
		return false, err
	}
	for _, f := range files {
		if !f.Type().IsRegular() || filepath.Ext(f.Name()) != ".log" {
			continue // locks
		}
		if err := copyFile(filepath.Join(from, f.Name()), filepath.Join(to, f.Name())); err != nil {
			return false, err
		}
		known = known || f.Name() == signingLogFile
	}
	return known, nil
}

func copyFile(from, to string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}

// catchUp opens the store as it will be opened from now on, and notes the restore.
func (r *RestoredOrg) catchUp(ctx context.Context, db *DB, kek []byte, known bool, o RestoreOptions) error {
	if !known {
		// The log is lost, also for a database that had not signed anything yet: since
		// then it may have. An opening takes a log for lost that is shorter than it was.
		const had = `INSERT INTO outside (org_id, file, size) VALUES ($1, $2, 1) ON CONFLICT DO NOTHING`
		if _, err := db.write.ExecContext(ctx, had, r.ID, signingFile); err != nil {
			return err
		}
	}
	org, err := db.Org(ctx, r.ID, kek)
	if err != nil {
		return err
	}
	r.Replay = org.Replayed()
	lists, err := org.Unwitnessed(ctx)
	if err != nil {
		return err
	}
	r.Unwitnessed = len(lists)
	return org.update(ctx, o.By, "note the restore", func(t *tx) error {
		n, err := t.closeLists()
		if err != nil {
			return err
		}
		r.Replay.Closed += n
		return t.audit(access.Entry{Action: "backup.restore", Detail: fmt.Sprintf("signing-log=%v erased=%d photographs=%d cards=%d lists-closed=%d lists-waiting=%d",
			known, r.Replay.Erased, r.Replay.Photos, r.Replay.Credentials, r.Replay.Closed, r.Unwitnessed)})
	})
}

// syncTree puts every file of a folder on the disk.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || strings.HasSuffix(path, "-shm") {
			return err
		}
		return syncDir(path)
	})
}

// syncDir puts a file or a folder's names on the disk. Windows has no such call
// for folders, and none for a file opened to be read.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
