package storage_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"filippo.io/age"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/doubles"
	"aidpass/schemas"
	"aidpass/status"
	"aidpass/storage"
)

var keeper = access.Actor{ID: "acc-keeper", Role: access.OrgAdmin}

// sealedFor is a passphrase as recipient and as identity, cheap to try.
func sealedFor(t testing.TB, passphrase string) (age.Recipient, age.Identity) {
	t.Helper()
	r, err := age.NewScryptRecipient(passphrase)
	check(t, err)
	r.SetWorkFactor(4)
	i, err := age.NewScryptIdentity(passphrase)
	check(t, err)
	return r, i
}

// A vault is an office with cards issued, files beside its database, and a backup.
type vault struct {
	dir    string
	db     *storage.DB
	org    *storage.Org
	desk   *issuer.Desk
	cards  []issuer.Credential
	open   age.Identity
	backup []byte
}

func newVault(t *testing.T) *vault {
	t.Helper()
	v := &vault{dir: filepath.Join(t.TempDir(), "data")}
	org, desk, batch := office(t, v.dir, 6)
	v.org, v.desk = org, desk
	check(t, desk.Issue(t.Context(), batch, func(r issuer.Result) error {
		v.cards = append(v.cards, r.Credential)
		return nil
	}))
	importList(t, org, "Kanari-Liste", 20)
	for path, content := range map[string]string{
		"keys/org-a/card-1.key": "sealed", "keys/.new-org-b/card-1.key": "half made", "public/org-a.org": "entry",
		"public/status/a.cwt": "a list", "public/trust.list": "trust", "notes.txt": "not ours",
	} {
		path = filepath.Join(v.dir, filepath.FromSlash(path))
		check(t, os.MkdirAll(filepath.Dir(path), 0o700))
		check(t, os.WriteFile(path, []byte(content), 0o600))
	}
	var err error
	v.db, err = storage.Open(t.Context(), v.dir, storage.Options{})
	check(t, err)
	t.Cleanup(func() { v.db.Close() })
	v.take(t)
	return v
}

func (v *vault) take(t testing.TB) storage.Manifest {
	t.Helper()
	to, from := sealedFor(t, "correct horse")
	var b bytes.Buffer
	var done, total int64
	m, err := v.db.Backup(t.Context(), &b, storage.BackupOptions{Recipients: []age.Recipient{to}, Progress: func(d, n int64) { done, total = d, n }})
	check(t, err)
	if done != total || total != m.Size() || total == 0 {
		t.Errorf("progress ended at %d of %d bytes, and the manifest has %d", done, total, m.Size())
	}
	v.open, v.backup = from, b.Bytes()
	return m
}

func (v *vault) options() storage.RestoreOptions {
	return storage.RestoreOptions{
		Identities: []age.Identity{v.open}, By: keeper,
		KEK: func(dir, org string) ([]byte, error) {
			_, err := os.Stat(filepath.Join(dir, "keys", org, "card-1.key"))
			return make([]byte, storage.KEKBytes), err
		},
	}
}

// reopened opens a restored folder.
func reopened(t testing.TB, dir string) *storage.Org {
	t.Helper()
	db, err := storage.Open(t.Context(), dir, storage.Options{})
	check(t, err)
	t.Cleanup(func() { db.Close() })
	org, err := db.Org(t.Context(), "org-a", make([]byte, storage.KEKBytes))
	check(t, err)
	return org
}

// tree lists a folder's files.
func tree(t testing.TB, dir string) (paths []string) {
	t.Helper()
	check(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			path, err = filepath.Rel(dir, path)
			paths = append(paths, filepath.ToSlash(path))
		}
		return err
	}))
	return paths
}

func TestBackupComesBackWithWhatHappenedSince(t *testing.T) {
	v := newVault(t)
	if bytes.Contains(v.backup, []byte("sealed")) || bytes.Contains(v.backup, []byte("SQLite")) {
		t.Error("the backup is readable")
	}
	check(t, v.desk.Revoke(t.Context(), []issuer.CTI{v.cards[0].ID, v.cards[1].ID}, "lost"))
	check(t, v.org.Erase(t.Context(), keeper, v.cards[1].Unit, "asked"))
	head, err := v.org.VerifyAudit(t.Context(), access.Head{})
	check(t, err)

	o := v.options()
	o.Outside = filepath.Join(v.dir, "outside-backup")
	to := filepath.Join(t.TempDir(), "new", "data")
	out, err := storage.Restore(t.Context(), bytes.NewReader(v.backup), to, o)
	check(t, err)
	if len(out.Orgs) != 1 || out.Orgs[0].Replay.Erased != 1 || out.Orgs[0].Replay.Statuses != 2 || out.Orgs[0].Unwitnessed != 0 || out.Aside != "" {
		t.Errorf("restored %+v, want two changes of status and one erased", out.Orgs)
	}
	want := []string{"aidpass.db", "keys/org-a/card-1.key", "outside-backup/signing.log", "outside-backup/tombstones.log", "public/org-a.org", "public/trust.list"}
	if got := tree(t, to); !slices.Equal(got, want) {
		t.Errorf("restored %q, want %q", got, want)
	}
	org := reopened(t, to)
	if r := org.Replayed(); r.Any() {
		t.Errorf("the first opening takes in %v again", r)
	}
	found, err := org.FindCredentials(t.Context(), v.cards[0].ID.String())
	if err != nil || found[0].Status != status.Invalid {
		t.Errorf("the card revoked since is %v, %v", found, err)
	}
	if _, err := org.Unit(t.Context(), v.cards[1].Unit); !errors.Is(err, storage.ErrErased) {
		t.Errorf("who was erased since reads as %v", err)
	}
	if n := peopleOf(t, org); n != 20 {
		t.Errorf("%d people came back, want 20", n)
	}
	told := false
	check(t, org.Audit(t.Context(), func(e *access.Entry) error {
		told = told || e.Action == "backup.restore" && e.Actor.ID == keeper.ID
		return nil
	}))
	findings, err := org.Check(t.Context())
	if err != nil || len(findings) > 0 || !told {
		t.Errorf("findings = %v, %v; the restore is in the audit log: %v", findings, err, told)
	}
	if now, err := v.org.VerifyAudit(t.Context(), head); err != nil || now != head {
		t.Errorf("the old store was touched: %v, %v", now.Seq, err)
	}
}

// TestBackupWithoutTheOutside: the laptop burnt. What was promised waits, also
// where the backup is older than the first card.
func TestBackupWithoutTheOutside(t *testing.T) {
	for name, early := range map[string]bool{"cards in the backup": false, "a backup before the first card": true} {
		t.Run(name, func(t *testing.T) {
			v := newVault(t)
			if early {
				db, err := sql.Open("sqlite", filepath.Join(v.dir, "aidpass.db"))
				check(t, err)
				_, err = db.Exec(`DELETE FROM outside`) // as it was when nothing was signed
				check(t, errors.Join(err, db.Close()))
				v.take(t)
			}
			to := filepath.Join(t.TempDir(), "data")
			out, err := storage.Restore(t.Context(), bytes.NewReader(v.backup), to, v.options())
			check(t, err)
			if r := out.Orgs[0]; !r.Replay.LogLost || r.Unwitnessed == 0 || r.Replay.Closed == 0 || r.Unwitnessed != r.Replay.Blocked {
				t.Errorf("restored %+v, want its lists closed and waiting", r)
			}
			org := reopened(t, to)
			lists, err := org.Unwitnessed(t.Context())
			if err != nil || len(lists) != out.Orgs[0].Unwitnessed || org.Replayed().Any() {
				t.Errorf("after the opening %d lists wait, %v", len(lists), err)
			}
		})
	}
}

func TestRestoreRefusesWhatIsThere(t *testing.T) {
	v := newVault(t)
	_, err := storage.Restore(t.Context(), bytes.NewReader(v.backup), v.dir, v.options())
	if !errors.Is(err, storage.ErrNotEmpty) {
		t.Errorf("into a folder in use: %v, want ErrNotEmpty", err)
	}
	o := v.options()
	o.Outside = filepath.Join(v.dir, "nowhere")
	if _, err := storage.Restore(t.Context(), bytes.NewReader(v.backup), filepath.Join(t.TempDir(), "x"), o); !errors.Is(err, storage.ErrOutside) {
		t.Errorf("with a folder that is not there: %v, want ErrOutside", err)
	}
	check(t, v.db.Close())
	before := tree(t, v.dir)
	o.Aside, o.Outside = true, filepath.Join(v.dir, "outside-backup")
	out, err := storage.Restore(t.Context(), bytes.NewReader(v.backup), v.dir, o)
	check(t, err)
	if out.Aside == "" || !slices.Equal(tree(t, out.Aside), before) || len(tree(t, v.dir)) != 5 { // nobody was erased
		t.Errorf("moved aside to %q: %q; restored %q", out.Aside, tree(t, out.Aside), tree(t, v.dir))
	}
	empty := t.TempDir()
	_, err = storage.Restore(t.Context(), bytes.NewReader(v.backup), empty, v.options())
	check(t, err)
}

// TestRestoreWritesNothingOfABadBackup: cut, altered, foreign, or of a database
// that breaks promises.
func TestRestoreWritesNothingOfABadBackup(t *testing.T) {
	v := newVault(t)
	parent := t.TempDir()
	to := filepath.Join(parent, "data")
	refused := func(name string, b []byte, o storage.RestoreOptions, want error) {
		t.Helper()
		for _, only := range []bool{false, true} {
			o.VerifyOnly = only
			if _, err := storage.Restore(t.Context(), bytes.NewReader(b), to, o); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		}
		if left, err := os.ReadDir(parent); err != nil || len(left) > 0 {
			t.Fatalf("%s left %v behind, %v", name, left, err)
		}
	}
	n := len(v.backup)
	for _, at := range []int{0, 1, 20, 100, 300, n / 3, n / 2, n - 65_000, n - 100, n - 1} {
		refused(fmt.Sprintf("cut at %d of %d", at, n), v.backup[:at], v.options(), storage.ErrBackup)
		altered := bytes.Clone(v.backup)
		altered[at] ^= 4
		refused(fmt.Sprintf("altered at %d", at), altered, v.options(), storage.ErrBackup)
	}
	refused("longer", append(bytes.Clone(v.backup), 0), v.options(), storage.ErrBackup)
	refused("no backup", []byte("PK\x03\x04"), v.options(), storage.ErrBackup)
	o := v.options()
	_, other := sealedFor(t, "another passphrase")
	o.Identities = []age.Identity{other}
	refused("under another passphrase", v.backup, o, storage.ErrBackup)
	o = v.options()
	o.KEK = func(string, string) ([]byte, error) { return bytes.Repeat([]byte{1}, storage.KEKBytes), nil }
	refused("with another organisation's key", v.backup, o, storage.ErrWrongKey)
	o.KEK = func(string, string) ([]byte, error) { return nil, fs.ErrNotExist }
	refused("without keys", v.backup, o, fs.ErrNotExist)

	db, err := sql.Open("sqlite", filepath.Join(v.dir, "aidpass.db"))
	check(t, err)
	_, err = db.Exec(`UPDATE unit_field SET version = version + 1 WHERE unit_id = (SELECT MIN(unit_id) FROM unit_field)`)
	check(t, errors.Join(err, db.Close()))
	v.take(t)
	refused("of a database that breaks promises", v.backup, v.options(), storage.ErrUnsound)
}

func TestVerifyKeepsNothing(t *testing.T) {
	v := newVault(t)
	t.Setenv("TMPDIR", t.TempDir())
	o := v.options()
	o.VerifyOnly = true
	out, err := storage.Restore(t.Context(), bytes.NewReader(v.backup), v.dir, o)
	check(t, err)
	looked := 0
	for _, p := range out.Orgs[0].Proofs {
		looked += p.Count
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 || looked == 0 {
		t.Errorf("verifying looked at %d rows and left %v, %v", looked, left, err)
	}
}

// TestBackupLeavesNothingBeside: not when it is done, and not when it fails.
func TestBackupLeavesNothingBeside(t *testing.T) {
	v := newVault(t)
	to, _ := sealedFor(t, "correct horse")
	before := tree(t, v.dir)
	killed := filepath.Join(v.dir, ".backup-1") // by one that died the day before yesterday
	check(t, os.Mkdir(killed, 0o700))
	check(t, os.WriteFile(filepath.Join(killed, "aidpass.db"), []byte("sealed"), 0o600))
	check(t, os.Chtimes(killed, time.Time{}, time.Now().Add(-48*time.Hour)))
	full := errors.New("the disk is full")
	for _, room := range []int{0, 100, 70_000} {
		_, err := v.db.Backup(t.Context(), &small{room, full}, storage.BackupOptions{Recipients: []age.Recipient{to}})
		if !errors.Is(err, full) {
			t.Errorf("with room for %d bytes: %v, want the disk's error", room, err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	_, err := v.db.Backup(ctx, io.Discard, storage.BackupOptions{Recipients: []age.Recipient{to}, Progress: func(int64, int64) { stop() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	if after := tree(t, v.dir); !slices.Equal(before, after) {
		t.Errorf("the folder has %q, and had %q", after, before)
	}
}

// small is a disk with little room.
type small struct {
	room int
	full error
}

func (s *small) Write(p []byte) (int, error) {
	if s.room -= len(p); s.room < 0 {
		return 0, s.full
	}
	return len(p), nil
}

// TestBackupIsOfOneMoment: taken while an import runs, it has all of it or nothing.
func TestBackupIsOfOneMoment(t *testing.T) {
	v := newVault(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 4 {
			importList(t, v.org, fmt.Sprint("list ", i), 50)
		}
	}()
	for range 4 {
		v.take(t)
		to := filepath.Join(t.TempDir(), "data")
		o := v.options()
		o.Outside = filepath.Join(v.dir, "outside-backup")
		_, err := storage.Restore(t.Context(), bytes.NewReader(v.backup), to, o)
		check(t, err)
		if n := peopleOf(t, reopened(t, to)); (n-20)%50 != 0 {
			t.Errorf("%d people are in the backup: half an import", n)
		}
	}
	<-done
}

// TestBackupHoldsNoErasedPerson: who was erased since is erased in the restored
// store, and no file of it can be read for her.
// TestBackupRefusesLinks: keys that are kept elsewhere behind a link are not left out in silence.
func TestBackupRefusesLinks(t *testing.T) {
	for _, link := range []string{"keys", "keys/org-a", "keys/org-a/card-1.key", "public/trust.list"} {
		v := newVault(t)
		path := filepath.Join(v.dir, filepath.FromSlash(link))
		elsewhere := filepath.Join(t.TempDir(), "stick")
		check(t, os.Rename(path, elsewhere))
		if err := os.Symlink(elsewhere, path); err != nil {
			t.Skipf("no links here: %v", err)
		}
		to, _ := sealedFor(t, "correct horse")
		if _, err := v.db.Backup(t.Context(), io.Discard, storage.BackupOptions{Recipients: []age.Recipient{to}}); err == nil {
			t.Errorf("%s is a link, and the backup says nothing", link)
		}
	}
}

// TestRestoreBurnsWhatWasFree: a copy of outside-backup as old as the backup tells
// nothing of the cards signed since, so no list of then takes another card.
func TestRestoreBurnsWhatWasFree(t *testing.T) {
	v := newVault(t)
	o := v.options()
	o.Outside = filepath.Join(v.dir, "outside-backup")
	to := filepath.Join(t.TempDir(), "data")
	_, err := storage.Restore(t.Context(), bytes.NewReader(v.backup), to, o)
	check(t, err)
	known := map[string]bool{}
	next := issuer.Batch{Type: schemas.ByName("eligibility"), Programme: "P7K2", ProgrammeKey: make([]byte, 32), Round: 2, Form: credential.FormCWT}
	for i, c := range v.cards {
		known[c.StatusURI] = true
		next.Requests = append(next.Requests, issuer.Request{Row: i + 1, Unit: c.Unit, Claims: map[string]any{"size_band": "4-5"}})
	}
	digest, err := next.Digest()
	check(t, err)
	next.Approval = issuer.Approval{By: "acc-2", Digest: digest}
	org := reopened(t, to)
	v.desk.Store, v.desk.Log = org, org
	check(t, v.desk.Issue(t.Context(), next, func(r issuer.Result) error {
		if r.Refusal != nil {
			return r.Refusal
		}
		if c := r.Credential; known[c.StatusURI] {
			t.Errorf("a card of the restored database has entry %d of %s, which may be given away", c.StatusIndex, c.StatusURI)
		}
		return nil
	}))
}

func TestBackupHoldsNoErasedPerson(t *testing.T) {
	v := newVault(t)
	var id registry.ID
	check(t, v.org.View(t.Context(), func(view registry.View) (err error) {
		id, _, err = view.Find(registry.KindPerson, "Kanari-Liste", "7")
		return err
	}))
	check(t, v.org.Erase(t.Context(), keeper, id, "asked"))
	o := v.options()
	o.Outside = filepath.Join(v.dir, "outside-backup")
	to := filepath.Join(t.TempDir(), "data")
	_, err := storage.Restore(t.Context(), bytes.NewReader(v.backup), to, o)
	check(t, err)
	org := reopened(t, to)
	check(t, org.View(t.Context(), func(view registry.View) error {
		if _, err := view.Record(id); !errors.Is(err, registry.ErrErased) {
			t.Errorf("she reads as %v", err)
		}
		if found, err := view.Lookup(registry.Key{Kind: registry.KeyDocument, Text: "7"}); err != nil || len(found) > 0 {
			t.Errorf("she is found by her document: %v, %v", found, err)
		}
		return nil
	}))
	for _, path := range tree(t, to) {
		b, err := os.ReadFile(filepath.Join(to, path))
		check(t, err)
		if bytes.Contains(b, []byte("Abdirahman")) || bytes.Contains(b, []byte("Kanari")) || bytes.Contains(b, []byte("+25261")) {
			t.Errorf("%s is readable", path)
		}
	}
}

// TestBackupHasNoIndexOfDuplicates: neither the file that names people nor its key.
func TestBackupHasNoIndexOfDuplicates(t *testing.T) {
	v := newVault(t)
	mark, err := v.org.Mark(t.Context())
	check(t, err)
	kept, err := v.org.KeepRun(t.Context(), keeper, access.Entry{Action: "duplicates.run"}, []byte(`{"people":6}`), mark, []byte("an index"))
	if check(t, err); !kept {
		t.Fatal("the index is not kept")
	}
	v.take(t)
	if b, _, err := v.org.Index(t.Context()); err != nil || string(b) != "an index" {
		t.Errorf("after the backup the index is %q, %v", b, err)
	}
	to := filepath.Join(t.TempDir(), "data")
	o := v.options()
	o.Outside = filepath.Join(v.dir, "outside-backup")
	_, err = storage.Restore(t.Context(), bytes.NewReader(v.backup), to, o)
	check(t, err)
	var wrapped []byte
	db, err := sql.Open("sqlite", filepath.Join(to, "aidpass.db"))
	check(t, err)
	check(t, db.QueryRow(`SELECT wrapped FROM duplicates`).Scan(&wrapped))
	check(t, db.Close())
	if wrapped != nil {
		t.Error("the backup has the key of the index")
	}
	if _, _, err := reopened(t, to).Index(t.Context()); !errors.Is(err, doubles.ErrNoIndex) || errors.Is(err, doubles.ErrDamaged) {
		t.Errorf("restored, the index is %v", err)
	}
	if report, err := reopened(t, to).LastRun(t.Context()); err != nil || string(report) != `{"people":6}` {
		t.Errorf("the report of the last run is %q, %v", report, err)
	}
}
