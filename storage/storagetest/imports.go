package storagetest

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/imports"
	"aidpass/issuer/registry/imports/importstest"
	"aidpass/issuer/registry/intake"
	rosters "aidpass/issuer/registry/roster"
	"aidpass/storage"
)

// testImportDesk is the suite of package imports on a real database, two organisations in one.
func testImportDesk(t *testing.T, e Engine) {
	dirs := map[testing.TB]*storage.DB{}
	importstest.Run(t, func(t testing.TB, org string, now func() time.Time) importstest.Parts {
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
		return importstest.Parts{Imports: o, Registry: o, Access: o}
	})
}

// testImportsSealed: nobody reads a list that waits off the disk, nor its name, findings or
// mends; what is moved to another import does not open; withdrawn, its parts are not there.
func testImportsSealed(t *testing.T, e Engine) {
	w := newWorld(t, e)
	d := &imports.Desk{Store: w.org, Registry: w.org, Now: func() time.Time { return w.now }}
	by := access.Actor{ID: "amina", Role: access.Registrar}
	load := func(name, person string) imports.Import {
		m, _, err := d.Load(ctx, by, name, []byte("individual_id,full_name,birth_date\nP-1,"+person+",1988-13-45\n"), imports.Options{})
		must(t, err)
		m, err = d.Check(ctx, by, m.ID, m.Version)
		must(t, err)
		m, err = d.Mend(ctx, by, m.ID, m.Version, []rosters.Mend{{Row: 2, Column: "full_name", Value: person + " Kanari"}})
		must(t, err)
		return m
	}
	a, b := load("Kanari.csv", "Kanari Zuhura"), load("b.csv", "Kanari Zola")
	if found := readable(t, w.dir, canaries); len(found) > 0 {
		t.Errorf("readable: %q", found)
	}
	db := e.SQL(t, w.dir)
	defer db.Close()
	var was []byte
	must(t, db.QueryRow(`SELECT bytes FROM import_part WHERE id = $1 AND part = 'file'`, a.ID).Scan(&was))
	for _, from := range []string{`SELECT bytes FROM import_part WHERE id = $2 AND part = 'file'`, `SELECT bytes FROM import_part WHERE id = $1 AND part = 'report'`} {
		_, err := db.Exec(`UPDATE import_part SET bytes = (`+from+`) WHERE id = $1 AND part = 'file'`, a.ID, b.ID)
		must(t, err)
		if _, _, _, _, err := d.Columns(ctx, by, a.ID); err == nil {
			t.Errorf("what was moved opens: %s", from)
		}
		if findings, err := w.org.Check(ctx); err != nil || len(findings) == 0 {
			t.Errorf("the check finds nothing: %v", err)
		}
	}
	_, err := db.Exec(`UPDATE import_part SET bytes = $2 WHERE id = $1 AND part = 'file'`, a.ID, was)
	must(t, err)
	if _, err = db.Exec(`DELETE FROM import WHERE id = $1`, a.ID); err == nil {
		t.Error("an import can be deleted")
	}
	_, err = d.Withdraw(ctx, by, a.ID, a.Version, "")
	must(t, err)
	var left int
	must(t, db.QueryRow(`SELECT count(*) FROM import_part WHERE id = $1`, a.ID).Scan(&left))
	if left != 0 || bytes.Equal(was, nil) {
		t.Errorf("%d parts are left", left)
	}
}

// testImportsTampered: who writes into the database past the program changes what an
// approved list would become, and puts an older row of a list back; nothing is written.
func testImportsTampered(t *testing.T, e Engine) {
	dir := t.TempDir()
	w := importstest.NewWorld(t, func(t testing.TB, org string, now func() time.Time) importstest.Parts {
		db := e.Open(t, dir, storage.Options{Now: now})
		t.Cleanup(func() { must(t, db.Close()) })
		o, err := db.CreateOrg(ctx, org, random(32), clerk)
		must(t, err)
		return importstest.Parts{Imports: o, Registry: o, Access: o}
	})
	db := e.SQL(t, dir)
	defer db.Close()
	by := w.Amina.Actor(access.ImportCheck)
	load := func(rows string) imports.Import {
		t.Helper()
		m, _, err := w.Desk.Load(ctx, by, "list.csv", []byte("individual_id,full_name,sex,birth_date,phone,consent\n"+rows), imports.Options{})
		must(t, err)
		m, err = w.Desk.Check(ctx, by, m.ID, m.Version)
		must(t, err)
		return m
	}
	submit := func(m imports.Import) imports.Import {
		t.Helper()
		m, err := w.Desk.Submit(ctx, w.Amina, m.ID, m.Version, "")
		must(t, err)
		return m
	}
	approve := func(m imports.Import) {
		t.Helper()
		_, err := w.Door.Approve(ctx, w.Bilal, m.Review.Approval, m.Review.Hash, nil)
		must(t, err)
	}
	const her = "P-1,Zuhura Bakari,f,1988-03-04,,yes\n"
	approve(submit(load(her)))
	w.Desk.Begin = nil
	m := submit(load(strings.Replace(her, ",,", ",+254710203041,", 1)))
	if m.Counts.Updated != 1 {
		t.Fatalf("%+v", m.Counts)
	}
	approve(m)
	_, err := db.Exec(`UPDATE unit SET external_index = NULL`)
	must(t, err)
	if _, err := w.Desk.Apply(ctx, m.ID, nil); !errors.Is(err, imports.ErrChanged) {
		t.Errorf("a record that the list finds no more: %v", err)
	}
	m, err = w.Desk.Show(ctx, m.ID)
	must(t, err)
	if m.State != imports.Loaded || m.Changed == nil || len(m.Changed.Some) != 1 || m.Changed.Some[0] != (intake.Turn{Row: 2, Was: "updated", Now: "new"}) {
		t.Errorf("%s: %+v", m.State, m.Changed)
	}

	// An approved row as it was under an approval that was taken back, in the place of the
	// newer one.
	full := errors.New("the disk is full")
	w.Desk.Begin = func(imports.Import) error { return full }
	m = submit(load("P-2,Zola Kale,f,1990-01-02,,yes\n"))
	if _, err := w.Door.Approve(ctx, w.Bilal, m.Review.Approval, m.Review.Hash, nil); !errors.Is(err, full) {
		t.Fatal(err)
	}
	w.Desk.Begin = nil
	m, err = w.Desk.Show(ctx, m.ID)
	must(t, err)
	var old []byte
	must(t, db.QueryRow(`SELECT sealed FROM import WHERE id = $1`, m.ID).Scan(&old))
	_, err = w.Door.Withdraw(ctx, w.Amina, m.Review.Approval, "another name")
	must(t, err)
	m, err = w.Desk.Mend(ctx, by, m.ID, m.Version, []rosters.Mend{{Row: 2, Column: "full_name", Value: "Zola Kalema"}})
	must(t, err)
	m, err = w.Desk.Check(ctx, by, m.ID, m.Version)
	must(t, err)
	m = submit(m)
	approve(m)
	_, err = db.Exec(`UPDATE import SET sealed = $2 WHERE id = $1`, m.ID, old)
	must(t, err)
	if _, err := w.Desk.Apply(ctx, m.ID, nil); !errors.Is(err, imports.ErrState) {
		t.Errorf("an older row of it: %v", err)
	}
	must(t, w.Registry.View(ctx, func(v registry.View) error {
		people, err := v.Units(registry.KindPerson, registry.ID{}, 10)
		if len(people) != 1 {
			t.Errorf("%d people", len(people))
		}
		return err
	}))
}

// testImportsLooked: who is on record is told of each look at her row, before the list is
// written and after; and of the file in which it left.
func testImportsLooked(t *testing.T, e Engine) {
	w := newWorld(t, e)
	d := &imports.Desk{Store: w.org, Registry: w.org, Now: func() time.Time { return w.now }}
	by := access.Actor{ID: "amina", Role: access.Registrar}
	fields, err := registry.Person{Names: []registry.Name{{Text: "Zuhura Bakari", Type: "official"}}}.Fields()
	must(t, err)
	id := w.saved(t, registry.Change{Kind: registry.KindPerson, External: "P-1", Fields: fields}).ID
	m, _, err := d.Load(ctx, by, "list.csv", []byte("individual_id,full_name,sex,birth_date\nP-1,Somebody Else,f,1988-13-45\nP-2,Zola Kale,f,1988-13-45\n"), imports.Options{})
	must(t, err)
	m, err = d.Check(ctx, by, m.ID, m.Version)
	must(t, err)
	looks := func() (list []string) {
		t.Helper()
		all, err := w.org.Looked(ctx, id)
		must(t, err)
		for _, l := range all {
			if strings.HasPrefix(string(l.Action), "import.") {
				list = append(list, string(l.Action)+" "+l.Detail)
			}
		}
		return list
	}
	if got := looks(); len(got) != 0 {
		t.Fatalf("before anybody looked: %q", got)
	}
	_, _, _, err = d.Findings(ctx, by, m.ID, imports.Which{Table: "", Row: 3}, 0, 50)
	must(t, err)
	if got := looks(); len(got) != 0 {
		t.Errorf("another's row is told to her: %q", got)
	}
	_, _, _, err = d.Findings(ctx, by, m.ID, imports.Which{}, 0, 50)
	must(t, err)
	m, err = d.Mend(ctx, by, m.ID, m.Version, []rosters.Mend{{Row: 2, Column: "sex", Value: "m"}})
	must(t, err)
	_, _, err = d.Mended(ctx, by, m.ID, 0, 50)
	must(t, err)
	_, _, _, err = d.Rejects(ctx, by, m.ID, "mended in the field")
	must(t, err)
	got := looks()
	if len(got) != 3 || !strings.Contains(got[0], "cells=findings") || !strings.Contains(got[1], "cells=mends rows=1") || !strings.HasPrefix(got[2], "import.rejects rows=2") {
		t.Errorf("%q", got)
	}
}
