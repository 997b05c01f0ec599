package storagetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/issuer"
	"aidpass/status"
	"aidpass/storage"
)

// holders are the files of a folder that hold b, as bytes or as hex digits.
func (w *world) holders(t *testing.T, b []byte) (files []string) {
	t.Helper()
	must(t, filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		all, err := os.ReadFile(path)
		if bytes.Contains(all, b) || bytes.Contains(all, []byte(hex.EncodeToString(b))) {
			files = append(files, filepath.Base(path))
		}
		return err
	}))
	return files
}

// hashes is a store that remembers the bare hashes it was given.
type hashes struct {
	issuer.Store
	seen [][32]byte
}

func (h *hashes) Reserve(ctx context.Context, by access.Actor, lot issuer.Lot, now time.Time, rows []issuer.Reservation) ([]issuer.Slot, error) {
	h.seen = append(h.seen, lot.Approval)
	for _, r := range rows {
		h.seen = append(h.seen, r.RequestHash)
	}
	return h.Store.Reserve(ctx, by, lot, now, rows)
}

func (h *hashes) RecordIntents(ctx context.Context, by access.Actor, rows []issuer.Intent) ([]issuer.Credential, error) {
	for _, r := range rows {
		h.seen = append(h.seen, sha256.Sum256(r.ToBeSigned))
	}
	return h.Store.RecordIntents(ctx, by, rows)
}

// testNoHashes: a card says little, so whoever has a bare hash of it or of what
// was asked for guesses the rest, name and all, for ever.
func testNoHashes(t *testing.T, e Engine) {
	w := newWorld(t, e)
	b := w.batch(t, 1)
	h := &hashes{Store: w.org}
	c := issued(t, issue(t, w.newDesk(h, w.org), b))[0]
	must(t, w.desk.Revoke(ctx, []issuer.CTI{c.ID}, "asked to be erased"))
	must(t, w.org.Erase(ctx, clerk, c.Unit, "asked"))
	must(t, w.db.Close())
	if len(h.seen) != 3 {
		t.Fatalf("%d hashes, want those of the batch, the request and the card", len(h.seen))
	}
	for i, sum := range h.seen {
		for _, part := range [][]byte{sum[:], sum[:8]} { // 8 bytes: as a log shortens it
			if files := w.holders(t, part); len(files) > 0 {
				t.Errorf("hash %d of an erased person's request stands in %q", i+1, files)
			}
		}
	}
	w.db = e.Open(t, w.dir, w.options())
}

// testTraces: while somebody reads, an erased key cannot leave the files. Erase
// says so, and it is gone as soon as that is possible.
func testTraces(t *testing.T, e Engine) {
	w := newWorld(t, e)
	done, err := w.desk.Enrol(ctx, roster(2), nil)
	must(t, err)
	db := e.SQL(t, w.dir)
	defer db.Close()
	key := func(i int) (wrapped []byte) {
		must(t, db.QueryRow(`SELECT wrapped FROM envelope_key WHERE subject_id = $1`, done[i].ID.String()).Scan(&wrapped))
		return wrapped
	}
	keys := [][]byte{key(0), key(1)}
	read := func() (end func()) {
		tx, err := db.Begin()
		must(t, err)
		var n int
		must(t, tx.QueryRow(`SELECT COUNT(*) FROM unit`).Scan(&n))
		return func() { must(t, tx.Rollback()) }
	}
	for i, mend := range []func(){
		func() { must(t, w.org.Erase(ctx, clerk, done[0].ID, "asked")) },
		func() { w.reopen(t) },
	} {
		end := read()
		if err := w.org.Erase(ctx, clerk, done[i].ID, "asked"); !errors.Is(err, storage.ErrTraces) {
			t.Errorf("erase %d while somebody reads: %v, want ErrTraces", i+1, err)
		}
		if _, err := w.org.Unit(ctx, done[i].ID); !errors.Is(err, storage.ErrErased) {
			t.Errorf("unit %d reads as %v, want ErrErased", i+1, err)
		}
		if len(w.holders(t, keys[i])) == 0 {
			t.Fatal("the reader does not hold the key back: this proves nothing")
		}
		end()
		mend()
		if files := w.holders(t, keys[i]); len(files) > 0 {
			t.Errorf("key %d stands in %q", i+1, files)
		}
	}
}

// testForgedTail: an entry that is chained as it should be, behind the last one.
func testForgedTail(t *testing.T, e Engine) {
	w := newWorld(t, e)
	issued(t, issue(t, w.desk, w.batch(t, 2)))
	head, err := w.org.VerifyAudit(ctx, access.Head{})
	must(t, err)
	forged := access.Entry{Org: "org-a", Time: start, Actor: access.Actor{ID: "acc-other", Role: access.Issuer}, Action: "credential.revoke", Object: "x"}
	forged.Link(head)
	w.exec(t, `INSERT INTO audit (org_id, seq, at, actor, role, device, second_person, action, object, reason, detail, digest, prev, hash)
		VALUES ('org-a', $1, $2, 'acc-other', 'issuer', '', '', 'credential.revoke', 'x', '', '', $3, $4, $5)`,
		forged.Seq, start.UnixMicro(), forged.Digest[:], forged.Prev[:], forged.Hash[:])
	for _, witnessed := range []access.Head{{}, head} {
		_, err := w.org.VerifyAudit(ctx, witnessed)
		var bad *access.BadRow
		if !errors.As(err, &bad) || bad.Seq != head.Seq+1 {
			t.Errorf("verify = %v, want entry %d named", err, head.Seq+1)
		}
	}
	if got := w.findings(t); !slices.Contains(got, storage.CheckAudit) {
		t.Errorf("findings = %q, want the audit log", got)
	}
}

// testLogLost: the laptop is gone, and the backup comes back without the files
// that stood outside of it.
func testLogLost(t *testing.T, e Engine) {
	w := newWorld(t, e)
	cards := issued(t, issue(t, w.desk, w.batch(t, 6)))
	stale, _ := w.publish(t)
	w.now = w.now.Add(time.Minute)
	w.publish(t)
	goBack := e.Backup(t, w.dir)
	w.now = w.now.Add(time.Hour)
	lost := []issuer.CTI{cards[0].ID, cards[1].ID, cards[2].ID}
	must(t, w.desk.Revoke(ctx, lost, "lost"))
	newest, before := w.publish(t)
	must(t, w.db.Close())
	goBack()
	must(t, os.RemoveAll(filepath.Join(w.dir, "outside-backup")))
	w.now = w.now.Add(time.Hour)
	w.db = e.Open(t, w.dir, w.options())
	org, err := w.db.Org(ctx, "org-a", w.kek)
	must(t, err)
	w.use(org)

	r := w.org.Replayed()
	if !r.LogLost || r.Blocked != 2 || r.Closed != 2 || !r.Any() || r.String() == "" {
		t.Errorf("opening without the log took in %+v, want 2 lists blocked and closed", r)
	}
	blocked := func(want int) {
		t.Helper()
		uris, err := w.org.Unwitnessed(ctx)
		must(t, err)
		_, err = w.desk.PublishStatus(ctx, w.status, issuer.Publishing{})
		if len(uris) != want || errors.Is(err, issuer.ErrUnwitnessed) != (want > 0) {
			t.Errorf("%d lists wait, publishing says %v; want %d", len(uris), err, want)
		}
	}
	blocked(2)
	w.reopen(t) // it is not forgotten at the next opening
	if r := w.org.Replayed(); r.Any() {
		t.Errorf("the second opening took in %+v", r)
	}
	blocked(2)
	uri := cards[0].StatusURI
	l, err := w.org.StatusList(ctx, uri)
	must(t, err)
	past := issuer.Publication{URI: uri, Previous: l.PublishedAt, IssuedAt: l.PublishedAt + 10, Bitmap: l.Published}
	if err := w.org.RecordPublication(ctx, clerk, past); !errors.Is(err, issuer.ErrUnwitnessed) || !l.Unwitnessed {
		t.Errorf("a publication past the desk: %v, want ErrUnwitnessed", err)
	}
	// New cards stand in new lists meanwhile.
	b := w.batch(t, 8)
	fresh := issue(t, w.desk, b)[8]
	if fresh.Refusal != nil || newest[fresh.Credential.StatusURI].URI != "" {
		t.Errorf("a new card while lists wait: %+v, want it in a list of its own", fresh)
	}

	find := w.findStatus(t)
	if _, err := w.desk.Witness(ctx, find, [][]byte{stale[uri].CWT}); !errors.Is(err, issuer.ErrOldWitness) {
		t.Errorf("an old list shown: %v, want ErrOldWitness", err)
	}
	if _, err := w.desk.Witness(ctx, find, [][]byte{newest[uri].CWT, []byte("a receipt")}); err == nil {
		t.Error("a file that is no list is taken")
	}
	stranger := newWorld(t, e)
	if _, err := w.desk.Witness(ctx, stranger.findStatus(t), [][]byte{newest[uri].Snapshot}); err == nil {
		t.Error("a list of another key is taken")
	}
	blocked(2)
	ended, entries := 0, 0
	for _, f := range newest {
		taken, err := w.desk.Witness(ctx, find, [][]byte{f.Snapshot})
		must(t, err)
		ended, entries = ended+taken[0].Ended, entries+taken[0].Entries
	}
	if ended != 3 || entries < 3 {
		t.Errorf("the published lists ended %d cards and set %d entries, want 3 cards", ended, entries)
	}
	for i, c := range cards {
		found, err := w.desk.Find(ctx, c.ID.String())
		must(t, err)
		if want := i < 3; (found[0].Status == status.Invalid) != want {
			t.Errorf("card %d is %s", i+1, found[0].Status)
		}
	}
	blocked(0)
	_, after := w.publish(t)
	for uri, l := range before {
		set := status.Set{}
		must(t, set.Add(l))
		must(t, set.Add(after[uri]))
		newest := set.Find([]byte(uri))
		if newest.IssuedAt <= l.IssuedAt {
			t.Errorf("list %s goes back to %s", uri, newest.IssuedAt)
		}
		for i := range newest.Size {
			if newest.Unrevoked(i) {
				t.Errorf("list %s takes the revocation of entry %d back", uri, i)
			}
		}
	}
	// A list made after the backup is known again from its published form, too.
	r2, err := status.NewRegister("https://s.example.org/forgot", listSize)
	must(t, err)
	must(t, r2.Set(5, status.Invalid))
	k, err := cose.NewKey(w.status.Public())
	must(t, err)
	at := credential.FromStd(w.now)
	p, err := status.PrepareSnapshot(k, r2, at, at+60)
	must(t, err)
	sig, err := cose.SignRaw(w.status, p.ToBeSigned())
	must(t, err)
	raw, err := p.Attach(sig)
	must(t, err)
	_, err = w.desk.Witness(ctx, find, [][]byte{raw})
	must(t, err)
	w.now = w.now.Add(time.Minute)
	_, after = w.publish(t)
	if l := after["https://s.example.org/forgot"]; l == nil {
		t.Error("a list that the database had forgotten is not published")
	} else if v, _ := l.Look(5); v != status.Invalid {
		t.Errorf("its revoked entry is %s", v)
	}
	if r := issue(t, w.desk, b)[1]; r.Refusal == nil || r.Refusal.Code != issuer.RefusedRevoked {
		t.Errorf("a card revoked in the list shown: %+v, want %q", r, issuer.RefusedRevoked)
	}
}

// testConfirmed: nobody has a published list any more, and two say so.
func testConfirmed(t *testing.T, e Engine) {
	w := newWorld(t, e)
	issued(t, issue(t, w.desk, w.batch(t, 2)))
	goBack := e.Backup(t, w.dir)
	must(t, w.db.Close())
	goBack()
	must(t, os.WriteFile(filepath.Join(w.dir, "outside-backup", "signing.log"), bytes.Repeat([]byte("another database's "), 10_000), 0o600))
	w.db = e.Open(t, w.dir, w.options())
	org, err := w.db.Org(ctx, "org-a", w.kek)
	must(t, err)
	w.use(org)
	if _, err := w.desk.ConfirmUnwitnessed(ctx, "nothing was published"); err == nil {
		t.Error("one person confirms alone")
	}
	w.desk.Actor.SecondPerson = "acc-lead"
	if _, err := w.desk.ConfirmUnwitnessed(ctx, " "); err == nil {
		t.Error("confirmed without a reason")
	}
	if n, err := w.desk.ConfirmUnwitnessed(ctx, "nothing was published"); err != nil || n != 2 {
		t.Errorf("confirmed %d lists, %v; want 2", n, err)
	}
	w.publish(t)
	told := false
	must(t, w.org.Audit(ctx, func(e *access.Entry) error {
		told = told || e.Action == "status.confirm" && e.Actor.SecondPerson == "acc-lead"
		return nil
	}))
	if !told {
		t.Error("the audit log does not tell who confirmed")
	}
}
