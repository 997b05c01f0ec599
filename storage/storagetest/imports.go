package storagetest

import (
	"bytes"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry/imports"
	"aidpass/issuer/registry/imports/importstest"
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
		if _, _, _, _, err := d.Columns(ctx, a.ID); err == nil {
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
