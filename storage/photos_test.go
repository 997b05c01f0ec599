package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"aidpass/access"
	"aidpass/issuer/offer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

var photographer = access.Actor{ID: "acc-1", Role: access.Registrar}

// pixels are a picture that stands nowhere else.
func pixels(n int) []byte { return bytes.Repeat(fmt.Appendf(nil, "kanari-pixels-%d;", n), 50) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// photographed saves somebody with a photograph; a number from a list, the id after that.
func photographed(t *testing.T, o *Org, c registry.Change, picture []byte) registry.ID {
	t.Helper()
	c.Kind = registry.KindPerson
	c.Fields = map[string][]byte{registry.PhotoField: nil}
	if picture != nil {
		var err error
		c.Fields[registry.PhotoField], err = registry.AppendValue(nil, picture)
		must(t, err)
	}
	must(t, o.Update(t.Context(), photographer, func(tx registry.Tx) error {
		s, err := tx.Save(c)
		c.ID = s.ID
		return err
	}))
	return c.ID
}

// stolen reports whether somebody who has the folder and the organisation's key sees a
// picture: in the bytes of a file, or in anything that any key in the database opens.
func stolen(t *testing.T, o *Org, picture []byte) bool {
	t.Helper()
	var keys []sealer
	must(t, o.view(t.Context(), "steal", func(tx *tx) error {
		keys = append(keys, o.own, o.kek)
		rows, err := tx.query(`SELECT subject_id, version, wrapped FROM envelope_key WHERE org_id = $1 AND wrapped IS NOT NULL`, o.id)
		must(t, err)
		var persons []personKey
		for rows.Next() {
			var unit string
			var version int64
			var wrapped []byte
			must(t, rows.Scan(&unit, &version, &wrapped))
			k, err := o.unwrap(unit, version, wrapped)
			must(t, err)
			persons = append(persons, k)
			keys = append(keys, k.sealer)
		}
		must(t, rows.Close())
		rows, err = tx.query(`SELECT unit_id, change_id, wrapped FROM photo_key WHERE org_id = $1 AND wrapped IS NOT NULL`, o.id)
		must(t, err)
		for rows.Next() {
			var unit, change string
			var wrapped []byte
			must(t, rows.Scan(&unit, &change, &wrapped))
			for _, p := range persons {
				if own, err := p.open(photoKeyPlace(o.id, unit, change, p.version), wrapped); err == nil {
					s, err := newSealer(own)
					must(t, err)
					keys = append(keys, s)
				}
			}
		}
		return rows.Close()
	}))
	seen := false
	must(t, o.view(t.Context(), "steal", func(tx *tx) error {
		try := func(at place, sealed []byte) {
			for _, k := range keys {
				if b, err := k.open(at, sealed); err == nil && bytes.Contains(b, picture) {
					seen = true
				}
			}
		}
		for _, query := range []string{
			`SELECT entity_id, field, id, key_version, sealed FROM change_set WHERE org_id = $1`,
			`SELECT unit_id, field, change_id, key_version, sealed FROM unit_field WHERE org_id = $1`,
			`SELECT '', '', id, key_version, request FROM offer WHERE org_id = $1`,
		} {
			rows, err := tx.query(query, o.id)
			must(t, err)
			for rows.Next() {
				var unit, field, change string
				var version int64
				var sealed []byte
				must(t, rows.Scan(&unit, &field, &change, &version, &sealed))
				if unit == "" {
					try(offerPlace(o.id, "offer", "request", change, version), sealed)
				} else {
					try(changePlace(o.id, unit, field, change, version), sealed)
				}
			}
			must(t, rows.Close())
		}
		return nil
	}))
	must(t, filepath.WalkDir(o.db.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		seen = seen || bytes.Contains(b, picture)
		return err
	}))
	return seen
}

// wrappedKeys are the keys of photographs as they are stored now.
func wrappedKeys(t *testing.T, o *Org) (keys [][]byte) {
	t.Helper()
	rows, err := o.db.read.QueryContext(t.Context(), `SELECT wrapped FROM photo_key WHERE wrapped IS NOT NULL`)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var b []byte
		must(t, rows.Scan(&b))
		keys = append(keys, b)
	}
	return keys
}

func inFiles(t *testing.T, dir string, what []byte) (files []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, what) {
			files = append(files, filepath.Base(path))
		}
		return err
	}))
	return files
}

func sound(t *testing.T, o *Org) {
	t.Helper()
	findings, err := o.Check(t.Context())
	must(t, err)
	for _, f := range findings {
		t.Errorf("check: %v", f)
	}
	out, err := o.ProveAudit(t.Context(), nil)
	must(t, err)
	for _, b := range out.Bad {
		t.Errorf("audit entry %d: %s", b.Seq, b.Why)
	}
}

func photoNow(t *testing.T, o *Org, id registry.ID) (v registry.Value) {
	t.Helper()
	must(t, o.View(t.Context(), func(view registry.View) error {
		rec, err := view.Record(id)
		v = rec.Fields[registry.PhotoField]
		return err
	}))
	return v
}

// THREATS T22: whoever has the database and the organisation's key does not see a
// photograph that went, and neither does who asks for the record as it was.
func TestAPhotographThatWentIsGone(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, o *Org, id registry.ID){
		"taken out": func(t *testing.T, o *Org, id registry.ID) { photographed(t, o, registry.Change{ID: id}, nil) },
		"replaced":  func(t *testing.T, o *Org, id registry.ID) { photographed(t, o, registry.Change{ID: id}, pixels(2)) },
		"by a list, and then at the desk": func(t *testing.T, o *Org, id registry.ID) {
			photographed(t, o, registry.Change{ID: id, KeepPhoto: true}, pixels(2))
			photographed(t, o, registry.Change{ID: id}, pixels(3))
		},
		"by two lists": func(t *testing.T, o *Org, id registry.ID) {
			photographed(t, o, registry.Change{ID: id, KeepPhoto: true}, pixels(2))
			photographed(t, o, registry.Change{ID: id, KeepPhoto: true}, pixels(3))
		},
		"its record erased": func(t *testing.T, o *Org, id registry.ID) { must(t, o.Erase(t.Context(), photographer, id, "asked")) },
	} {
		t.Run(name, func(t *testing.T) {
			_, o := newOrg(t)
			picture := pixels(1)
			id := photographed(t, o, registry.Change{External: "K-1"}, picture)
			request := append([]byte("request "), picture...)
			must(t, o.AddOffer(t.Context(), photographer, offer.NewOffer{Offer: offer.Offer{ID: "of-1", Unit: id, Type: "eligibility", VCT: "v", Programme: "P", CreatedAt: o.db.now(), ExpiresAt: o.db.now().Add(time.Hour)},
				Reference: [32]byte{1}, Code: [32]byte{2}, Request: request}))
			then := o.db.now()
			if !stolen(t, o, picture) {
				t.Fatal("the thief does not see what is there: this proves nothing")
			}
			keys := wrappedKeys(t, o)
			end(t, o, id)
			if stolen(t, o, picture) {
				t.Error("the database and the organisation's key show it")
			}
			for _, k := range keys {
				if files := inFiles(t, o.db.dir, k); len(files) > 0 {
					t.Errorf("its key stands in %q", files)
				}
			}
			sound(t, o)
			if name == "its record erased" {
				return
			}
			must(t, o.View(t.Context(), func(v registry.View) error {
				was, err := v.AsOf(id, then)
				must(t, err)
				if f := was.Fields[registry.PhotoField]; f.Data != nil || !f.Destroyed || f.Version != 1 {
					t.Errorf("as it was: version %d of %d bytes, destroyed %v, want version 1, a destroyed one", f.Version, len(f.Data), f.Destroyed)
				}
				history, err := v.History(id)
				must(t, err)
				for _, c := range history {
					if bytes.Contains(c.Data, picture) || c.Seq == 1 && !c.Destroyed {
						t.Errorf("change %d: %d bytes, destroyed %v", c.Seq, len(c.Data), c.Destroyed)
					}
				}
				return nil
			}))
			if got, err := o.Offer(t.Context(), "of-1"); err != nil || got.State != offer.Withdrawn {
				t.Errorf("the offer that shows it is %s, %v", got.State, err)
			}
		})
	}
}

// A list that is taken back gives back the photograph it replaced; what it brought goes.
func TestAListTakenBackGivesThePhotographBack(t *testing.T) {
	_, o := newOrg(t)
	id := photographed(t, o, registry.Change{External: "K-1"}, pixels(1))
	then := o.db.now()
	photographed(t, o, registry.Change{ID: id, KeepPhoto: true}, pixels(2))
	must(t, o.EraseAll(t.Context(), photographer, nil, rights.TakenBack, func(tx rights.Tx) error {
		was, err := tx.AsOf(id, then)
		if err == nil {
			_, err = tx.Save(registry.Change{ID: id, Fields: map[string][]byte{registry.PhotoField: was.Fields[registry.PhotoField].Data}})
		}
		return err
	}, nil))
	if v := photoNow(t, o, id); !bytes.Contains(v.Data, pixels(1)) {
		t.Errorf("the record has %d bytes, want the photograph of before", len(v.Data))
	}
	if stolen(t, o, pixels(2)) {
		t.Error("the list's photograph can be read")
	}
	sound(t, o)
}

// A restored database is told which photographs went, also those that an older program had
// sealed when the backup was made.
func TestARestoredPhotographGoesAgain(t *testing.T) {
	for _, old := range []bool{false, true} {
		t.Run(fmt.Sprintf("old=%v", old), func(t *testing.T) {
			db, o := newOrg(t)
			gone, stays := photographed(t, o, registry.Change{External: "K-1"}, pixels(1)), photographed(t, o, registry.Change{External: "K-2"}, pixels(2))
			if old {
				makeOld(t, o)
			}
			pass, err := age.NewScryptRecipient("correct horse")
			must(t, err)
			pass.SetWorkFactor(4)
			open, err := age.NewScryptIdentity("correct horse")
			must(t, err)
			var backup bytes.Buffer
			_, err = db.Backup(t.Context(), &backup, BackupOptions{Recipients: []age.Recipient{pass}})
			must(t, err)
			if old {
				must(t, o.catchUp(t.Context()))
			}
			photographed(t, o, registry.Change{ID: gone}, nil)
			to := filepath.Join(t.TempDir(), "data")
			out, err := Restore(t.Context(), &backup, to, RestoreOptions{Identities: []age.Identity{open}, Outside: filepath.Join(db.dir, outsideFolder), By: photographer,
				KEK: func(string, string) ([]byte, error) { return make([]byte, KEKBytes), nil }})
			must(t, err)
			if n := out.Orgs[0].Replay.Photos; n != 1 {
				t.Errorf("%d photographs destroyed again, want 1", n)
			}
			db2, err := Open(t.Context(), to, Options{})
			must(t, err)
			defer db2.Close()
			o2, err := db2.Org(t.Context(), "org-a", make([]byte, KEKBytes))
			must(t, err)
			if stolen(t, o2, pixels(1)) || photoNow(t, o2, gone).Data != nil {
				t.Error("the restored database shows it again")
			}
			if v := photoNow(t, o2, stays); !bytes.Contains(v.Data, pixels(2)) {
				t.Errorf("the other's photograph reads as %d bytes", len(v.Data))
			}
			sound(t, o2)
		})
	}
}

// Whoever dies after the commit and before tombstones.log is told tells at the next opening.
func TestADestroyedPhotographIsToldAfterADeath(t *testing.T) {
	db, o := newOrg(t)
	id := photographed(t, o, registry.Change{External: "K-1"}, pixels(1))
	key := wrappedKeys(t, o)[0]
	// A folder in the place of the file: the line cannot be written, as if the program was killed there.
	tombs := o.db.tombs.path
	must(t, os.MkdirAll(filepath.Join(tombs, "in the way"), 0o700))
	photographed(t, o, registry.Change{ID: id}, pixels(2))
	if v := photoNow(t, o, id); !bytes.Contains(v.Data, pixels(2)) {
		t.Fatalf("what was saved is not there: %d bytes", len(v.Data))
	}
	must(t, os.RemoveAll(tombs))
	if findings, err := o.Check(t.Context()); err != nil || len(findings) != 1 || findings[0].What != CheckTombstone {
		t.Errorf("check: %v, %v, want that nobody was told", findings, err)
	}
	again, err := db.Org(t.Context(), "org-a", make([]byte, KEKBytes))
	must(t, err)
	if told, err := again.photoTombstones(); err != nil || len(told) != 1 {
		t.Errorf("tombstones: %q, %v", told, err)
	}
	if files := inFiles(t, db.dir, key); len(files) > 0 {
		t.Errorf("the key stands in %q", files)
	}
	sound(t, again)
}

// makeOld makes of a database what a program left that sealed photographs under the
// person's key alone, kept no list of what is closed and had no entry of either.
func makeOld(t *testing.T, o *Org) {
	t.Helper()
	for _, allow := range []string{`DROP TRIGGER photo_key_no_delete`, `DROP TRIGGER photo_key_destroyed`, `DROP TRIGGER change_set_no_update`, `DROP TRIGGER audit_no_update`} {
		_, err := o.db.write.ExecContext(t.Context(), allow)
		must(t, err)
	}
	must(t, o.update(t.Context(), program, "make old", func(tx *tx) error {
		type row struct {
			unit string
			sealedPhoto
		}
		var all []row
		rows, err := tx.query(`SELECT c.entity_id, c.id, c.sealed, c.key_version FROM change_set c JOIN photo_key k ON k.org_id = c.org_id AND k.change_id = c.id WHERE k.wrapped IS NOT NULL`)
		must(t, err)
		for rows.Next() {
			var r row
			must(t, rows.Scan(&r.unit, &r.change, &r.sealed, &r.version))
			all = append(all, r)
		}
		must(t, rows.Close())
		for _, r := range all {
			person, err := tx.personKey(r.unit, false)
			must(t, err)
			value, _, err := tx.openPhoto(r.unit, person, r.sealedPhoto)
			must(t, err)
			sealed := person.seal(changePlace(o.id, r.unit, registry.PhotoField, r.change, r.version), value)
			_, err = tx.exec(`UPDATE change_set SET sealed = $1 WHERE id = $2`, sealed, r.change)
			must(t, err)
			_, err = tx.exec(`UPDATE unit_field SET sealed = $1 WHERE change_id = $2`, sealed, r.change)
			must(t, err)
		}
		spans, err := tx.spans()
		must(t, err)
		relink(t, tx, func(e *access.Entry) { // as they were when they were written
			if e.Action == createAction {
				e.Detail = ""
			}
			for _, s := range spans {
				if s.entry == e.Seq {
					e.Digest, err = tx.digest(s.first, s.last)
					must(t, err)
				}
			}
		})
		for _, forget := range []string{`DELETE FROM photo_key`, `DELETE FROM closing`, `UPDATE organisation SET form = 0`} {
			_, err := tx.exec(forget)
			must(t, err)
		}
		return nil
	}))
	for _, name := range []string{"change_set_no_update", "photo_key_destroyed", "photo_key_no_delete", "audit_no_update"} {
		text := triggerText(t, name)
		_, err := o.db.write.ExecContext(t.Context(), text)
		must(t, err)
	}
}

// relink changes entries of the log, with the chain: no tree was made of them yet.
func relink(t *testing.T, tx *tx, change func(e *access.Entry)) {
	t.Helper()
	must(t, tx.lock())
	var log []access.Entry
	must(t, tx.o.auditIn(tx.ctx, tx.Tx, fromStart, -1, func(e *access.Entry) error { log = append(log, *e); return nil }))
	tx.head = access.Head{}
	for i := range log {
		e := &log[i]
		change(e)
		e.Link(tx.head)
		tx.head = access.Head{Seq: e.Seq, Hash: e.Hash}
		_, err := tx.exec(`UPDATE audit SET detail = $2, digest = $3, prev = $4, hash = $5 WHERE seq = $1`, e.Seq, e.Detail, e.Digest[:], e.Prev[:], e.Hash[:])
		must(t, err)
	}
}

// triggerText is how a new database makes a trigger.
func triggerText(t *testing.T, name string) (text string) {
	t.Helper()
	db, err := Open(t.Context(), t.TempDir(), Options{})
	must(t, err)
	defer db.Close()
	must(t, db.read.QueryRowContext(t.Context(), `SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = $1`, name).Scan(&text))
	return text
}

// oldRegister has photographs of every past, as an older program left them: in one large
// transaction, in small ones, replaced, taken out, and of somebody who was erased.
func oldRegister(t *testing.T, o *Org, large int) (ids []registry.ID) {
	t.Helper()
	status, err := registry.AppendValue(nil, map[string]any{"state": registry.StateClosed})
	must(t, err)
	save := func(from, to int) {
		must(t, o.Update(t.Context(), photographer, func(tx registry.Tx) error {
			for i := from; i < to; i++ {
				value, err := registry.AppendValue(nil, pixels(i))
				must(t, err)
				s, err := tx.Save(registry.Change{Kind: registry.KindPerson, External: fmt.Sprint(i), Fields: map[string][]byte{registry.PhotoField: value, "status": status}})
				if err != nil {
					return err
				}
				ids = append(ids, s.ID)
			}
			return nil
		}))
	}
	save(0, maxEntries+10)
	for len(ids) < large {
		save(len(ids), min(len(ids)+maxEntries/2, large))
	}
	for i := range 3 {
		ids = append(ids, photographed(t, o, registry.Change{External: fmt.Sprint("small-", i)}, pixels(1000+i)))
	}
	photographed(t, o, registry.Change{ID: ids[0], KeepPhoto: true}, pixels(2000))
	makeOld(t, o)
	photographed(t, o, registry.Change{ID: ids[large]}, nil) // an older one did not destroy it
	must(t, o.Erase(t.Context(), photographer, ids[large+1], "asked"))
	return ids
}

// TestOldPhotographsAreSealedAnew: at the first opening, whole or, after a death in the
// middle, at the next.
func TestOldPhotographsAreSealedAnew(t *testing.T) {
	db, o := newOrg(t)
	const large = 60 + resealStep + 20
	ids := oldRegister(t, o, large)
	sound(t, o) // also before
	for _, old := range [][]byte{pixels(0), pixels(1000)} {
		if !stolen(t, o, old) {
			t.Fatal("the thief does not see what an older program left: this proves nothing")
		}
	}
	// It dies in its second step: a context that ends is as far as a kill gets, since each step is one transaction.
	ending, end := context.WithCancel(t.Context())
	steps := 0
	db.told = func(query string) {
		if strings.Contains(query, "INSERT INTO photo_key") {
			if steps++; steps > 60+resealStep+5 {
				end()
			}
		}
	}
	if err := o.takeForm(ending); !errors.Is(err, context.Canceled) {
		t.Fatalf("it was not stopped: %v", err)
	}
	db.told = nil
	if done := len(wrappedKeys(t, o)); done < resealStep || done > 60+resealStep {
		t.Fatalf("%d are sealed anew, want those of the first step", done)
	}
	sound(t, o)
	again, err := db.Org(t.Context(), "org-a", make([]byte, KEKBytes))
	must(t, err)
	sound(t, again)
	for what, old := range map[string][]byte{"replaced": pixels(0), "taken out": pixels(1000)} {
		if stolen(t, again, old) {
			t.Errorf("one that was %s before can be read", what)
		}
	}
	for i, id := range ids[1:large] {
		if v := photoNow(t, again, id); !bytes.Contains(v.Data, pixels(i+1)) {
			t.Fatalf("photograph %d reads as %d bytes", i+1, len(v.Data))
		}
	}
	// What is there is destroyed from then on as any other.
	photographed(t, again, registry.Change{ID: ids[5]}, nil)
	if stolen(t, again, pixels(5)) {
		t.Error("one that was sealed anew and taken out can be read")
	}
	must(t, again.ReadRights(t.Context(), func(v rights.View) error {
		closed, err := v.Closings(o.db.now().Add(time.Hour), true)
		if err != nil || len(closed) != large-1 {
			t.Errorf("%d closed records with a photograph, want %d: %v", len(closed), large-1, err)
		}
		return nil
	}))
	sound(t, again)
	steps = 0
	db.told = func(string) { steps++ }
	must(t, again.takeForm(t.Context()))
	if db.told = nil; steps != 0 {
		t.Errorf("the next opening ran %d statements more", steps)
	}
	// Nobody can seal it anew a second time, nor change anything else.
	for _, bad := range []string{`UPDATE change_set SET sealed = x'00' WHERE field = 'photo'`, `UPDATE change_set SET sealed = x'00' WHERE field = 'status'`,
		`UPDATE change_set SET actor = 'x' WHERE field = 'photo'`, `DELETE FROM photo_key`, `UPDATE photo_key SET wrapped = x'00', destroyed_at = NULL WHERE wrapped IS NULL`} {
		if _, err := db.write.ExecContext(t.Context(), bad); err == nil {
			t.Errorf("%s: was taken", bad)
		}
	}
}

// What somebody changed before an older program's photographs are sealed anew is found after it, too.
func TestSealingAnewHidesNothing(t *testing.T) {
	db, o := newOrg(t)
	ids := oldRegister(t, o, 60)
	_, err := db.write.ExecContext(t.Context(), `DROP TRIGGER change_set_only_sealed; DROP TRIGGER change_set_no_update`)
	must(t, err)
	_, err = db.write.ExecContext(t.Context(), `UPDATE change_set SET field = 'other' WHERE entity_id = $1 AND field = 'status'`, ids[3].String())
	must(t, err)
	again, err := db.Org(t.Context(), "org-a", make([]byte, KEKBytes))
	must(t, err)
	findings, err := again.Check(t.Context())
	must(t, err)
	for _, f := range findings {
		if f.What == CheckAudit {
			return
		}
	}
	t.Errorf("check: %v, want that the change sets are not what was written", findings)
}

// Who can write the database's file can append what the program wrote once: it speaks for
// no change sets of a log that has today's form, whoever gave it that.
func TestNothingIsResealedInTodaysForm(t *testing.T) {
	for _, old := range []bool{false, true} {
		t.Run(fmt.Sprintf("old=%v", old), func(t *testing.T) {
			_, o := newOrg(t)
			must(t, o.Update(t.Context(), photographer, func(tx registry.Tx) error {
				for i := range maxEntries + 10 {
					if _, err := tx.Save(registry.Change{Kind: registry.KindPerson, External: fmt.Sprint(i)}); err != nil {
						return err
					}
				}
				return nil
			}))
			if old {
				makeOld(t, o)
				must(t, o.catchUp(t.Context()))
			}
			sound(t, o)
			_, err := o.db.write.ExecContext(t.Context(), `DROP TRIGGER change_set_no_update`)
			must(t, err)
			must(t, o.update(t.Context(), program, "attack", func(tx *tx) error {
				spans, err := tx.spans()
				must(t, err)
				_, err = tx.exec(`UPDATE change_set SET sealed = x'00' WHERE seq = $1`, spans[0].first)
				must(t, err)
				return tx.resealSpan(&spans[0], true)
			}))
			proofs, err := o.Check(t.Context())
			must(t, err)
			for _, f := range proofs {
				if f.What == CheckAudit && strings.Contains(f.Text, "are not those that were written") {
					return
				}
			}
			t.Errorf("check: %v, want that the change sets are not those that were written", proofs)
		})
	}
}
