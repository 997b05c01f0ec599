package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/status"
	"aidpass/storage"
)

func testAudit(t *testing.T, e Engine) {
	fresh := func(t *testing.T) (*world, access.Head) {
		w := newWorld(t, e)
		cards := issued(t, issue(t, w.desk, w.batch(t, 10)))
		must(t, w.desk.Revoke(ctx, []issuer.CTI{cards[0].ID}, "lost"))
		head, err := w.org.VerifyAudit(ctx, access.Head{})
		must(t, err)
		return w, head
	}
	w, head := fresh(t)
	actions := map[access.Action]int{}
	must(t, w.org.Audit(ctx, func(e *access.Entry) error {
		actions[e.Action]++
		if e.Action == "credential.revoke" && (e.Reason != "lost" || e.Actor != clerk || !e.Time.Equal(start)) {
			t.Errorf("the revocation is told as %+v", e)
		}
		if e.Action == "credential.issue" && e.Actor.SecondPerson != "acc-approver" {
			t.Errorf("an issue without its approver: %+v", e.Actor)
		}
		return nil
	}))
	want := map[access.Action]int{"organisation.create": 1, "unit.create": 10, "status.create": 2, "credential.reserve": 1,
		"credential.intend": 1, "credential.issue": 10, "credential.revoke": 1}
	if fmt.Sprint(actions) != fmt.Sprint(want) {
		t.Errorf("entries = %v, want %v", actions, want)
	}
	for name, query := range map[string]string{
		"an entry":     `UPDATE audit SET reason = 'other'`,
		"entries away": `DELETE FROM audit`,
		"a change":     `UPDATE change_set SET actor = 'other'`,
		"changes away": `DELETE FROM change_set`,
		"a revocation": `UPDATE status_index SET value = 0 WHERE value = 1`,
		"an index":     `DELETE FROM status_index`,
	} {
		db := e.SQL(t, w.dir)
		if _, err := db.Exec(query); err == nil {
			t.Errorf("the database lets %s be changed", name)
		}
		must(t, db.Close())
	}

	last := fmt.Sprint(head.Seq)
	for name, c := range map[string]struct {
		query string
		want  uint64
	}{
		"altered":       {`UPDATE audit SET actor = 'acc-other' WHERE seq = 7`, 7},
		"removed":       {`DELETE FROM audit WHERE seq = 7`, 7},
		"first removed": {`DELETE FROM audit WHERE seq = 1`, 1},
		"moved":         {`UPDATE audit SET seq = CASE seq WHEN 7 THEN 1008 ELSE 1007 END WHERE seq IN (7, 8)`, 7},
		"tail cut":      {`DELETE FROM audit WHERE seq > 20`, 21},
		"tail cut and the head moved along": {`DELETE FROM audit WHERE seq > 20;
			UPDATE organisation SET audit_seq = 20, audit_hash = (SELECT hash FROM audit WHERE seq = 20)`, 21},
		"inserted": {`INSERT INTO audit SELECT org_id, ` + last + ` + 1, at, actor, role, device, second_person, action, object, reason, detail, digest, hash, prev
			FROM audit WHERE seq = ` + last, head.Seq + 1},
	} {
		t.Run(name, func(t *testing.T) {
			w, head := fresh(t)
			w.exec(t, `DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; `+c.query)
			_, err := w.org.VerifyAudit(ctx, head) // head: what a partner kept
			var bad *access.BadRow
			if !errors.As(err, &bad) || bad.Seq != c.want {
				t.Errorf("verify = %v, want entry %d named", err, c.want)
			}
		})
	}
}

// restored is an office whose database was set back to a backup, after which it
// had gone on working.
type restored struct {
	*world
	batch          issuer.Batch
	before, after  []issuer.Credential // issued before and after the backup
	publishedLast  map[string]*status.List
	publishedFirst map[string]*status.List
}

func restore(t *testing.T, e Engine) restored {
	w := newWorld(t, e)
	r := restored{world: w}
	r.before = issued(t, issue(t, w.desk, w.batch(t, 5)))
	_, r.publishedFirst = w.publish(t)
	goBack := e.Backup(t, w.dir)

	w.now = w.now.Add(time.Hour)
	r.batch = w.batch(t, 12) // seven new households
	r.after = issued(t, issue(t, w.desk, r.batch))[5:]
	must(t, w.desk.Revoke(ctx, []issuer.CTI{r.before[0].ID, r.after[0].ID}, "lost"))
	must(t, w.desk.Suspend(ctx, []issuer.CTI{r.before[1].ID, r.before[2].ID}, "review"))
	must(t, w.desk.Reinstate(ctx, []issuer.CTI{r.before[2].ID}, "cleared"))
	_, r.publishedLast = w.publish(t)
	must(t, w.desk.Revoke(ctx, []issuer.CTI{r.before[3].ID}, "lost, and not published yet"))
	must(t, w.db.Close())
	goBack()
	w.now = w.now.Add(time.Hour)
	w.db = e.Open(t, w.dir, w.options())
	org, err := w.db.Org(ctx, "org-a", w.kek)
	must(t, err)
	w.use(org)
	return r
}

func testRestore(t *testing.T, e Engine) {
	w := restore(t, e)
	if got := w.org.Replayed(); got.Credentials != 7 || got.Statuses == 0 || got.Published != 2 || got.Erased != 0 || got.Closed != 2 {
		t.Errorf("opening took in %+v, want 7 credentials, 2 publications, and 2 lists closed", got)
	}
	for _, c := range w.after {
		found, err := w.desk.Find(ctx, c.CardNumber)
		must(t, err)
		if len(found) != 1 || found[0].ID != c.ID || found[0].State != issuer.FromLog || found[0].StatusURI != c.StatusURI || found[0].StatusIndex != c.StatusIndex {
			t.Errorf("credential %s, signed after the backup: found as %+v", c.ID, found)
		}
	}
	wants := map[issuer.CTI]status.Value{w.before[0].ID: status.Invalid, w.after[0].ID: status.Invalid, w.before[1].ID: status.Suspended,
		w.before[2].ID: status.Valid, w.before[3].ID: status.Invalid, w.before[4].ID: status.Valid, w.after[1].ID: status.Valid}
	for id, want := range wants {
		found, err := w.desk.Find(ctx, id.String())
		must(t, err)
		if found[0].Status != want {
			t.Errorf("credential %s is %s after the restore, want %s", id, found[0].Status, want)
		}
	}
	_, lists := w.publish(t)
	for uri, last := range w.publishedLast {
		set := status.Set{}
		must(t, set.Add(last))
		must(t, set.Add(lists[uri]))
		l := set.Find([]byte(uri))
		if l != lists[uri] && l.IssuedAt != lists[uri].IssuedAt {
			t.Errorf("list %s of %s is not newer than the %s seen outside", uri, lists[uri].IssuedAt, last.IssuedAt)
		}
		for i := range l.Size {
			if l.Unrevoked(i) {
				t.Errorf("list %s takes the revocation of entry %d back", uri, i)
			}
		}
	}
	// The roster is read again: the households are the same units as before.
	b := w.world.batch(t, 12)
	for i, q := range b.Requests {
		if q.Unit != w.batch.Requests[i].Unit {
			t.Errorf("household %d is another unit after the restore: its cards would not meet", i)
		}
	}
	results := issue(t, w.desk, b)
	for row := 7; row <= 12; row++ { // row 6 was revoked
		if r := results[row]; r.Refusal == nil || r.Refusal.Code != issuer.RefusedLost {
			t.Errorf("row %d, whose card is lost: %+v, want %q", row, r, issuer.RefusedLost)
		}
	}
	must(t, w.desk.Revoke(ctx, []issuer.CTI{w.after[1].ID}, "card lost in the restore"))
	b.Replace = true
	approve(t, &b)
	again := issue(t, w.desk, b)[7]
	if again.Refusal != nil || again.Credential.Pseudonym != w.after[1].Pseudonym {
		t.Errorf("issued again: %+v, want a card under the pseudonym %s", again, w.after[1].Pseudonym)
	}
	for uri := range w.publishedLast {
		if again.Credential.StatusURI == uri {
			t.Errorf("a new credential stands in the old list %s", uri)
		}
	}
	if broken := w.findings(t); len(broken) != 0 {
		t.Errorf("findings = %q", broken)
	}
	w.reopen(t)
	if got := w.org.Replayed(); got != (storage.Replay{}) {
		t.Errorf("opening once more took in %+v", got)
	}
}

func testRestoreErased(t *testing.T, e Engine) {
	w := newWorld(t, e)
	cards := issued(t, issue(t, w.desk, w.batch(t, 3)))
	goBack := e.Backup(t, w.dir)
	fresh := issued(t, issue(t, w.desk, w.batch(t, 5)))[3:]
	gone := []issuer.Credential{cards[0], fresh[0]} // known to the backup, and not
	for _, c := range gone {
		must(t, w.desk.Revoke(ctx, []issuer.CTI{c.ID}, "asked to be erased"))
		must(t, w.org.Erase(ctx, clerk, c.Unit, "asked"))
	}
	must(t, w.db.Close())
	goBack()
	w.db = e.Open(t, w.dir, w.options())
	org, err := w.db.Org(ctx, "org-a", w.kek)
	must(t, err)
	w.use(org)
	if got := w.org.Replayed().Erased; got != 2 {
		t.Errorf("%d persons were erased again, want 2", got)
	}
	for _, c := range gone {
		if _, err := w.org.Unit(ctx, c.Unit); !errors.Is(err, storage.ErrErased) {
			t.Errorf("an erased unit reads as %v after the restore, want ErrErased", err)
		}
		found, err := w.org.FindCredentials(ctx, c.ID.String())
		must(t, err)
		if len(found) != 1 || found[0].Card != nil || found[0].Intent != nil || found[0].Status != status.Invalid {
			t.Errorf("the card of an erased unit after the restore: %+v", found)
		}
	}
	if broken := w.findings(t); len(broken) != 0 {
		t.Errorf("findings = %q", broken)
	}
	again, err := w.desk.Enrol(ctx, roster(5), nil)
	must(t, err)
	got := []bool{again[0].New, again[1].New, again[2].New, again[3].New, again[4].New}
	if !slices.Equal(got, []bool{true, false, false, true, false}) {
		t.Errorf("new in the roster read again: %v, want the two erased", got)
	}
}
