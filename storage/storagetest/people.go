package storagetest

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/status"
	"aidpass/storage"
)

func testRosterTwice(t *testing.T, e Engine) {
	w := newWorld(t, e)
	rows := roster(w.many(600))
	first, err := w.desk.Enrol(ctx, rows, nil)
	must(t, err)
	head, err := w.org.VerifyAudit(ctx, access.Head{})
	must(t, err)
	second, err := w.desk.Enrol(ctx, rows, nil)
	must(t, err)
	for i := range first {
		if !first[i].New || first[i].Changed != 4 {
			t.Fatalf("row %d the first time: %+v, want new with 4 fields", i, first[i])
		}
		if second[i] != (issuer.Enrolled{ID: first[i].ID}) {
			t.Fatalf("row %d the second time: %+v, want the unit %s and nothing changed", i, second[i], first[i].ID)
		}
	}
	again, err := w.org.VerifyAudit(ctx, head)
	must(t, err)
	if again != head {
		t.Errorf("the second reading left audit entries: head %d after %d", again.Seq, head.Seq)
	}
	w.whole(t)
}

func testOneChange(t *testing.T, e Engine) {
	w := newWorld(t, e)
	rows := roster(3)
	done, err := w.desk.Enrol(ctx, rows, nil)
	must(t, err)
	rows[1].Values["household_size"] = int64(7)
	changed, err := w.desk.Enrol(ctx, rows, nil)
	must(t, err)
	if got := []int{changed[0].Changed, changed[1].Changed, changed[2].Changed}; !slices.Equal(got, []int{0, 1, 0}) {
		t.Errorf("fields changed = %v, want 0 1 0", got)
	}
	u, err := w.org.Unit(ctx, done[1].ID)
	must(t, err)
	size, err := registry.ReadValue(u.Fields["household_size"])
	must(t, err)
	if size != int64(7) || u.External != "HH-00001" {
		t.Errorf("unit = %v people, external %q; want 7, HH-00001", size, u.External)
	}
	if _, err := w.org.Unit(ctx, issuer.NewUnitID()); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("an unknown unit: %v, want ErrNotFound", err)
	}
	w.whole(t)
}

// testNoNameInFiles is the grep of threat T22: somebody has the disk and no key.
func testNoNameInFiles(t *testing.T, e Engine) {
	w := newWorld(t, e)
	issued(t, issue(t, w.desk, w.batch(t, 20)))
	must(t, filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, canary := range []string{"Canary", "Abdirahman", "+25261", "HH-0000"} {
			if bytes.Contains(b, []byte(canary)) {
				t.Errorf("%s holds %q in the clear", filepath.Base(path), canary)
			}
		}
		return err
	}))
}

func testMovedValue(t *testing.T, e Engine) {
	for name, query := range map[string]string{
		"to another person": `UPDATE unit_field SET sealed = (SELECT sealed FROM unit_field f WHERE f.field = 'phone' AND f.unit_id > unit_field.unit_id ORDER BY f.unit_id LIMIT 1)
			WHERE field = 'phone' AND unit_id = (SELECT MIN(unit_id) FROM unit_field)`,
		"to another field": `UPDATE unit_field SET sealed = (SELECT sealed FROM unit_field f WHERE f.field = 'phone' AND f.unit_id = unit_field.unit_id)
			WHERE field = 'full_name'`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, e)
			_, err := w.desk.Enrol(ctx, roster(3), nil)
			must(t, err)
			w.exec(t, query)
			if got := w.findings(t); !slices.Contains(got, storage.CheckSeal) || !slices.Contains(got, storage.CheckProjection) {
				t.Errorf("findings = %q, want that the value does not open there", got)
			}
		})
	}
}

func testProjection(t *testing.T, e Engine) {
	w := newWorld(t, e)
	rows := roster(5)
	for size := range int64(4) {
		rows[2].Values["household_size"] = size
		_, err := w.desk.Enrol(ctx, rows, nil)
		must(t, err)
	}
	w.whole(t)
	// An administrator sets the current row back to an older version, which opens under its key.
	w.exec(t, `UPDATE unit_field SET (version, change_id, sealed) = (SELECT 1, c.id, c.sealed FROM change_set c
			WHERE c.entity_id = unit_field.unit_id AND c.field = unit_field.field AND c.base_version = 0)
		WHERE field = 'household_size' AND version = 4`)
	if got, want := w.findings(t), []string{storage.CheckProjection}; !reflect.DeepEqual(got, want) {
		t.Errorf("findings = %q, want %q", got, want)
	}
}

func testTenancy(t *testing.T, e Engine) {
	a := newWorld(t, e)
	cards := issued(t, issue(t, a.desk, a.batch(t, 5)))
	kek := random(32)
	org, err := a.db.CreateOrg(ctx, "org-b", kek, clerk)
	must(t, err)
	b := *a
	b.use(org)
	others := issued(t, issue(t, b.desk, b.batch(t, 5))) // the same roster, programme, key and round
	for i := range cards {
		if cards[i].Unit == others[i].Unit || cards[i].Pseudonym == others[i].Pseudonym || cards[i].StatusURI == others[i].StatusURI {
			t.Errorf("row %d: two organisations share a unit, a pseudonym or a status list", i+1)
		}
		for _, text := range []string{cards[i].ID.String(), cards[i].Unit.String(), cards[i].Pseudonym, cards[i].CardNumber} {
			found, err := b.org.FindCredentials(ctx, text)
			must(t, err)
			if len(found) != 0 {
				t.Errorf("organisation b finds %q of organisation a", text)
			}
		}
		if err := b.desk.Revoke(ctx, []issuer.CTI{cards[i].ID}, "x"); !errors.Is(err, issuer.ErrNotFound) {
			t.Errorf("organisation b revokes a credential of a: %v", err)
		}
		if _, err := b.org.Unit(ctx, cards[i].Unit); !errors.Is(err, issuer.ErrNotFound) {
			t.Errorf("organisation b reads a unit of a: %v", err)
		}
		if err := b.org.Erase(ctx, clerk, cards[i].Unit, "x"); !errors.Is(err, issuer.ErrNotFound) {
			t.Errorf("organisation b erases a unit of a: %v", err)
		}
		if _, err := b.org.RecordIntents(ctx, clerk, []issuer.Intent{{ID: cards[i].ID}}); !errors.Is(err, issuer.ErrNotFound) {
			t.Errorf("organisation b records an intent for a: %v", err)
		}
		if _, err := b.org.Complete(ctx, clerk, []issuer.SignedCard{{ID: cards[i].ID}}); !errors.Is(err, issuer.ErrNotFound) {
			t.Errorf("organisation b completes a credential of a: %v", err)
		}
		if _, err := b.org.StatusList(ctx, cards[i].StatusURI); !errors.Is(err, issuer.ErrNotFound) {
			t.Errorf("organisation b reads a status list of a: %v", err)
		}
	}
	stranger := b.batch(t, 1)
	stranger.Requests[0].Unit = cards[0].Unit
	approve(t, &stranger)
	if r := issue(t, b.desk, stranger)[1]; r.Refusal == nil || r.Refusal.Code != issuer.RefusedUnit {
		t.Errorf("organisation b issues for a unit of a: %+v", r)
	}
	must(t, b.desk.Revoke(ctx, []issuer.CTI{others[0].ID}, "lost"))
	found, err := a.org.FindCredentials(ctx, cards[0].ID.String())
	must(t, err)
	if found[0].Status != status.Valid {
		t.Errorf("a revocation at b reached a")
	}
	// Each log is its own chain; b's check sees b alone.
	for _, w := range []*world{a, &b} {
		_, err := w.org.VerifyAudit(ctx, access.Head{})
		must(t, err)
	}
	if ids, err := a.db.Organisations(ctx); err != nil || !slices.Equal(ids, []string{"org-a", "org-b"}) {
		t.Errorf("organisations = %q, %v", ids, err)
	}
	a.signer.signed = nil
	a.whole(t)
	b.whole(t)
}

func testWrongKey(t *testing.T, e Engine) {
	w := newWorld(t, e)
	if _, err := w.db.Org(ctx, "org-a", random(32)); !errors.Is(err, storage.ErrWrongKey) {
		t.Errorf("another key: %v, want ErrWrongKey", err)
	}
	if _, err := w.db.Org(ctx, "org-a", random(16)); err == nil {
		t.Error("a short key is taken")
	}
	if _, err := w.db.Org(ctx, "org-x", w.kek); !errors.Is(err, storage.ErrNoOrg) {
		t.Errorf("an unknown organisation: %v, want ErrNoOrg", err)
	}
	if _, err := w.db.CreateOrg(ctx, "org-a", w.kek, clerk); !errors.Is(err, storage.ErrHasOrg) {
		t.Errorf("the same organisation again: %v, want ErrHasOrg", err)
	}
	if _, err := w.db.CreateOrg(ctx, "org-b", w.kek, access.Actor{ID: "acc-1", Role: "boss"}); err == nil {
		t.Error("an actor in no role makes an organisation")
	}
}

func testErase(t *testing.T, e Engine) {
	w := newWorld(t, e)
	cards := issued(t, issue(t, w.desk, w.batch(t, 3)))
	gone := cards[1]
	if err := w.org.Erase(ctx, clerk, gone.Unit, "asked"); !errors.Is(err, storage.ErrActive) {
		t.Fatalf("erase with an active card: %v, want ErrActive", err)
	}
	must(t, w.desk.Revoke(ctx, []issuer.CTI{gone.ID}, "asked to be erased"))
	must(t, w.org.Erase(ctx, clerk, gone.Unit, "asked"))
	must(t, w.org.Erase(ctx, clerk, gone.Unit, "asked")) // twice is no error
	if _, err := w.org.Unit(ctx, gone.Unit); !errors.Is(err, storage.ErrErased) {
		t.Errorf("the erased unit reads as %v, want ErrErased", err)
	}
	if found, err := w.org.FindCredentials(ctx, "HH-00001"); err != nil || len(found) != 0 {
		t.Errorf("the roster's identifier still finds %d credentials, %v", len(found), err)
	}
	found, err := w.org.FindCredentials(ctx, gone.CardNumber) // the card may still be out there
	must(t, err)
	if len(found) != 1 || found[0].Status != status.Invalid || found[0].Card != nil || found[0].Intent != nil {
		t.Errorf("by card number: %+v, want the revoked credential without its bytes", found)
	}
	_, err = w.org.Unit(ctx, cards[0].Unit)
	must(t, err) // the others are as they were
	// The same household comes again: it is somebody new.
	again, err := w.desk.Enrol(ctx, roster(3), nil)
	must(t, err)
	if !again[1].New || again[1].ID == gone.Unit {
		t.Errorf("enrolled again as %+v, want a new unit", again[1])
	}
	if broken := w.findings(t); len(broken) != 0 {
		t.Errorf("findings = %q", broken)
	}
}
