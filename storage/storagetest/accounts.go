package storagetest

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/access/accesstest"
	"aidpass/storage"
)

// testAccounts is the suite of package access on a real database, two organisations in one.
func testAccounts(t *testing.T, e Engine) {
	dirs := map[testing.TB]*storage.DB{}
	accesstest.Run(t, func(t testing.TB, org string, now func() time.Time) access.Store {
		db, ok := dirs[t]
		if !ok {
			db = e.Open(t, t.TempDir(), storage.Options{Now: now})
			dirs[t] = db
			t.Cleanup(func() { must(t, db.Close()) })
		}
		o, err := db.CreateOrg(ctx, org, random(32), clerk)
		must(t, err)
		t.Cleanup(func() {
			findings, err := o.Check(ctx)
			must(t, err)
			for _, f := range findings {
				t.Errorf("check: %v", f)
			}
		})
		return o
	})
}

// staff makes a door on the world's store and an account that came in.
func (w *world) staff(t *testing.T) (*access.Door, access.Ticket) {
	t.Helper()
	d := &access.Door{Store: w.org, Now: func() time.Time { return w.now }, Cost: access.Cost{Memory: 64, Passes: 1, Lanes: 1}}
	secret, err := d.Invite(ctx, access.Laptop(clerk), access.NewAccount{ID: "acc-kanari", Roles: []access.Role{access.OrgAdmin}})
	must(t, err)
	k := access.Passkey{ID: []byte("Kanari-passkey-id-0001"), Key: []byte("Kanari cose key"), Name: "Kanari stick"}
	ticket, err := d.AcceptPasskey(ctx, secret, k, "192.0.2.77")
	must(t, err)
	return d, ticket
}

// testAccountsSealed: who has the disk reads no secret, cannot give a role, and what is moved does not open.
func testAccountsSealed(t *testing.T, e Engine) {
	w := newWorld(t, e)
	d, ticket := w.staff(t)
	s, err := d.Session(ctx, ticket.Token)
	must(t, err)
	must(t, d.AddSubject(ctx, s, access.Subject{Issuer: "https://kanari.example", Subject: "Kanari-248289"}))
	totp, err := d.NewTOTP(ctx, s)
	must(t, err)
	secret, tok, err := d.MakeTokenFor(ctx, access.Laptop(clerk), "acc-kanari", access.NewToken{Name: "Kanari", Acts: []access.Act{access.DeviceRead}, Until: w.now.Add(time.Hour)})
	must(t, err)
	handle, err := d.Keep(ctx, "draft", []byte("Kanari draft"), time.Minute)
	must(t, err)
	_, _, err = d.AskRecovery(ctx, access.Laptop(clerk), "acc-kanari", "")
	must(t, err)
	if _, err := d.SignIn(ctx, access.Attempt{Account: "acc-nobody", Password: "Kanari guess", Address: "192.0.2.77"}); err == nil {
		t.Error("nobody came in")
	}
	for _, text := range [][]byte{[]byte("Kanari"), []byte("192.0.2.77"), []byte("acc-nobody"), totp, []byte(ticket.Token), []byte(secret), []byte(handle), []byte("$argon2id")} {
		must(t, filepath.WalkDir(w.dir, func(path string, f os.DirEntry, err error) error {
			if err != nil || f.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			if bytes.Contains(b, text) {
				t.Errorf("%q is readable in %s", text, filepath.Base(path))
			}
			return err
		}))
	}
	w.whole(t)

	_, err = d.Invite(ctx, access.Laptop(clerk), access.NewAccount{ID: "acc-low", Roles: []access.Role{access.Verifier}})
	must(t, err)
	w.exec(t, `UPDATE account SET sealed = (SELECT sealed FROM account o WHERE o.id = 'acc-kanari') WHERE id = 'acc-low'`)
	if a, err := d.Account(ctx, access.Laptop(clerk), "acc-low"); err == nil {
		t.Errorf("an administrator's record in another's place is read: %+v", a.Roles)
	}
	if got := w.findings(t); !slices.Equal(got, []string{storage.CheckSeal}) {
		t.Errorf("findings = %q, want the account that was put in another's place", got)
	}
	w.exec(t, `DELETE FROM account WHERE id = 'acc-low'; DELETE FROM invitation WHERE account_id = 'acc-low'`)
	w.exec(t, `UPDATE account_key SET mark = x'00' WHERE mark = (SELECT min(mark) FROM account_key)`)
	if got := w.findings(t); !slices.Equal(got, []string{storage.CheckSeal}) {
		t.Errorf("findings = %q, want the key that was put in", got)
	}
	_ = tok
}

// testApprovalsStay: past the store, an open approval cannot be deleted, and an answered one
// not changed. When that ends is the Door's (Forget), and the log keeps its hash.
func testApprovalsStay(t *testing.T, e Engine) {
	w := newWorld(t, e)
	d, _ := w.staff(t)
	a, _, err := d.AskRecovery(ctx, access.Laptop(clerk), "acc-kanari", "lost")
	must(t, err)
	db := e.SQL(t, w.dir)
	defer db.Close()
	if _, err := db.Exec(`DELETE FROM approval`); err == nil {
		t.Error("an open approval is deleted")
	}
	_, err = d.Withdraw(ctx, access.Laptop(clerk), a.ID, "found")
	must(t, err)
	for _, q := range []string{`UPDATE approval SET state = 'approved'`, `UPDATE approval SET sealed = x'00'`} {
		if _, err := db.Exec(q); err == nil {
			t.Errorf("%s: allowed", q)
		}
	}
	w.whole(t)
}

// testAccessRestored: a backup brings back what was ended since; nobody gets in by it.
func testAccessRestored(t *testing.T, e Engine) {
	w := newWorld(t, e)
	d, ticket := w.staff(t)
	secret, _, err := d.MakeTokenFor(ctx, access.Laptop(clerk), "acc-kanari", access.NewToken{Name: "x", Acts: []access.Act{access.DeviceRead}, Until: w.now.AddDate(0, 1, 0)})
	must(t, err)
	invite, err := d.Invite(ctx, access.Laptop(clerk), access.NewAccount{ID: "acc-new", Roles: []access.Role{access.Verifier}})
	must(t, err)
	asked, recovery, err := d.AskRecovery(ctx, access.Laptop(clerk), "acc-kanari", "lost")
	must(t, err)
	done := asked // and one that was approved and not carried out
	done.ID, done.State, done.Second = "00000000000000000000000000000001", access.Approved, "acc-second"
	must(t, w.org.WriteAccess(ctx, clerk, func(tx access.Tx) error {
		must(t, tx.SaveApproval(done))
		return tx.Audit(access.Entry{Action: "approval.approve", Object: done.ID})
	}))
	restore := e.Backup(t, w.dir)
	issued(t, issue(t, w.desk, w.batch(t, 2)))
	must(t, w.db.Close())
	restore()
	w.db = e.Open(t, w.dir, w.options())
	org, err := w.db.Org(ctx, "org-a", w.kek)
	must(t, err)
	w.use(org)
	d.Store = org
	if _, err := d.Session(ctx, ticket.Token); err == nil {
		t.Error("a session came back")
	}
	if _, err := d.Token(ctx, secret); err == nil {
		t.Error("a token came back")
	}
	if _, err := d.Invitation(ctx, invite); err == nil {
		t.Error("an invitation came back")
	}
	for _, id := range []string{asked.ID, done.ID} {
		if a, err := d.Approval(ctx, access.Laptop(clerk), id); err != nil || a.State != access.Withdrawn || a.Reason != "restored" {
			t.Errorf("a request came back: %s %q, %v", a.State, a.Reason, err)
		}
	}
	if n, err := d.Carry(ctx); n != 0 || err != nil {
		t.Errorf("carried out after a restore: %d, %v", n, err)
	}
	if _, err := d.Invitation(ctx, recovery); err == nil {
		t.Error("a recovery was carried out")
	}
	if _, err := d.SignInPasskey(ctx, access.PasskeyProof{ID: []byte("Kanari-passkey-id-0001"), Address: "192.0.2.77"}); err != nil {
		t.Error("the account did not come back:", err)
	}
}
