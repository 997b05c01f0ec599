package storagetest

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"aidpass/issuer/registry"
)

// canaries are texts of people, lists and programmes that must stand in no file.
var canaries = []string{"Kanari", "KANARI", "kanari", "Ölmez", "كناري", "عبد الرحمن", "+25261", "25261000", "HIV"}

// readable are the files of a folder in which one of texts can be read, in
// UTF-8 or UTF-16, whichever way round. What SQLite frees, logs and keeps beside
// its file is searched like the rest.
func readable(t testing.TB, dir string, texts []string) (found []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, text := range texts {
			if bytes.Contains(b, []byte(text)) {
				found = append(found, filepath.Base(path)+": "+text)
			}
			units := utf16.Encode([]rune(text))
			for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
				var wide []byte
				for _, u := range units {
					wide = order.AppendUint16(wide, u)
				}
				if bytes.Contains(b, wide) {
					found = append(found, filepath.Base(path)+": "+text+" as "+strings.ToLower(order.String()))
				}
			}
		}
		return err
	}))
	return found
}

// testCanaries is threat T22 and the promise of an erasure: somebody has the
// disk, and then also the organisation's key.
func testCanaries(t *testing.T, e Engine) {
	w := newWorld(t, e)
	house := w.saved(t, household(1)).ID
	var people []registry.ID
	w.update(t, func(tx registry.Tx) error {
		must(t, tx.SaveProgramme(cash))
		for i := range 60 {
			c := change(t, i)
			c.Household = house
			s, err := tx.Save(c)
			must(t, err)
			people = append(people, s.ID)
			_, err = tx.SaveEntitlement(registry.Entitlement{Unit: s.ID, Programme: "CASH", Round: 1, Mechanism: "Kanari"})
			must(t, err)
		}
		must(t, tx.SaveDouble(registry.Double{A: people[0], B: people[1], Why: registry.KeyPhone}))
		return tx.SaveImport(registry.ImportFile{ID: registry.NewID(), Plan: []byte(`{"Kanari":1}`)})
	})
	if found := readable(t, w.dir, canaries); len(found) > 0 {
		t.Errorf("readable while everything is in use: %q", found)
	}
	db := e.SQL(t, w.dir)
	rows, err := db.Query(`SELECT wrapped FROM envelope_key WHERE subject_id = $1 UNION ALL SELECT mark FROM record_key WHERE unit_id = $1
		UNION ALL SELECT external_index FROM unit WHERE id = $1 UNION ALL SELECT find_index FROM unit WHERE id = $1`, people[0].String())
	must(t, err)
	var traces [][]byte // what would lead back to her: her key, and what she is found by
	for rows.Next() {
		var b []byte
		must(t, rows.Scan(&b))
		traces = append(traces, b)
	}
	must(t, rows.Err())
	must(t, db.Close())
	if len(traces) != 5 {
		t.Fatalf("%d traces, want the key, two marks and two indexes", len(traces))
	}
	must(t, w.org.Erase(ctx, clerk, people[0], "asked"))
	for i, b := range traces {
		if files := w.holders(t, b); len(files) > 0 {
			t.Errorf("trace %d of the erased stands in %q", i, files)
		}
	}
	if found := readable(t, w.dir, canaries); len(found) > 0 {
		t.Errorf("readable after the erasure: %q", found)
	}
	w.whole(t)
	must(t, w.db.Close())
	if found := readable(t, w.dir, canaries); len(found) > 0 {
		t.Errorf("readable with the store closed: %q", found)
	}
	w.db = e.Open(t, w.dir, w.options())
}
