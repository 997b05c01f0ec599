package storagetest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/doubles"
)

// testDuplicatesIndex: what a run keeps for the next one names people. It is sealed, serves
// the next run, and is gone with its key when one of them is erased: from the files, and
// for whoever has a copy of the file or restores an older database.
func testDuplicatesIndex(t *testing.T, e Engine) {
	w := newWorld(t, e)
	save := func(first, family, birth string) registry.ID {
		t.Helper()
		n, _ := registry.ParseName(first+" "+family, "")
		fields, err := registry.Person{Names: []registry.Name{n}, Birth: &registry.Birth{EDTF: birth, Precision: "day"}, Contacts: []registry.Contact{{Kind: "phone", Value: "+25261000001"}}}.Fields()
		must(t, err)
		w.now = w.now.Add(time.Minute)
		return w.saved(t, registry.Change{Kind: registry.KindPerson, Fields: fields}).ID
	}
	for i := range 40 {
		save(string(rune('A'+i%26))+"anda"+string(rune('a'+i/2)), "Sukari"+string(rune('a'+i%19)), fmt.Sprintf("%d-%02d-%02d", 1950+i, 1+i%12, 1+i%28))
	}
	her, again := save("Kanarija", "Kanarowitsch", "1981-03-04"), save("Kanarija", "Kanarovitsch", "1981-03-04")
	desk := &doubles.Desk{Store: w.org, Now: func() time.Time { return w.now }}
	run := func(why string) (r doubles.Report) {
		t.Helper()
		desk.Store = w.org
		w.now = w.now.Add(time.Hour)
		r, err := desk.Run(ctx, clerk, doubles.Options{})
		must(t, err)
		if r.Full != (why != "") || r.Why != why || !r.Kept {
			t.Errorf("the run is %+v, want why %q", r, why)
		}
		return r
	}
	if r := run(doubles.FullFirst); r.People != 42 || r.New != 1 {
		t.Errorf("%+v", r)
	}
	w.view(t, func(v registry.View) error {
		list, err := v.DoublesOf(her)
		if err != nil || len(list) != 1 || list[0].A != again || len(list[0].Evidence) < 3 {
			t.Errorf("%+v, %v", list, err)
		}
		return nil
	})
	if r := run(""); r.Read != 0 {
		t.Errorf("%+v", r)
	}
	third := save("Kanarija", "Kanarowitsch", "1981-03-14")
	if r := run(""); r.Read != 1 || r.New == 0 || r.People != 43 {
		t.Errorf("%+v", r)
	}
	index, seq, err := w.org.Index(ctx)
	if err != nil || seq == 0 || !bytes.Contains(index, []byte("kanarowi")) {
		t.Fatalf("the index does not name her, so nothing is shown here: %d bytes, %v", len(index), err)
	}
	file := func() string {
		t.Helper()
		all, err := os.ReadDir(filepath.Join(w.dir, "duplicates"))
		must(t, err)
		if len(all) == 0 {
			return ""
		}
		if len(all) > 1 {
			t.Errorf("%d files of one index", len(all))
		}
		return filepath.Join(w.dir, "duplicates", all[0].Name())
	}
	if found := readable(t, w.dir, canaries); len(found) > 0 {
		t.Errorf("readable while the index is kept: %q", found)
	}

	// A damaged file, one of another key, and none: all are compared, and the run says so.
	sealed, err := os.ReadFile(file())
	must(t, err)
	for what, spoil := range map[string]func(string) error{
		"a byte is another": func(path string) error {
			return os.WriteFile(path, append([]byte{sealed[0] ^ 1}, sealed[1:]...), 0o600)
		},
		"an older one": func(path string) error { return os.WriteFile(path, sealed, 0o600) },
		"none":         os.Remove,
	} {
		must(t, spoil(file()))
		if _, _, err := w.org.Index(ctx); what != "a byte is another" && !errors.Is(err, doubles.ErrDamaged) && err != nil {
			t.Errorf("%s: %v", what, err)
		}
		r, err := desk.Run(ctx, clerk, doubles.Options{})
		if must(t, err); r.Full && r.Why != doubles.FullDamaged || !r.Kept {
			t.Errorf("%s: %+v", what, r)
		}
		run("")
	}

	// Erased: key and file go in that transaction.
	restore := e.Backup(t, w.dir)
	copied, err := os.ReadFile(file())
	must(t, err)
	name := filepath.Base(file())
	var wrapped []byte
	db := e.SQL(t, w.dir)
	must(t, db.QueryRow(`SELECT wrapped FROM duplicates`).Scan(&wrapped))
	must(t, db.Close())
	must(t, w.org.Erase(ctx, clerk, her, "asked"))
	if f := file(); f != "" {
		t.Errorf("%s is there after she was erased", f)
	}
	if files := w.holders(t, wrapped); len(wrapped) == 0 || len(files) > 0 {
		t.Errorf("the key of the index (%d bytes) stands in %q", len(wrapped), files)
	}
	must(t, os.WriteFile(filepath.Join(w.dir, "duplicates", name), copied, 0o600)) // somebody had a copy
	if _, _, err := w.org.Index(ctx); !errors.Is(err, doubles.ErrNoIndex) {
		t.Errorf("her index opens again: %v", err)
	}
	if r := run(doubles.FullFirst); r.People != 42 {
		t.Errorf("%+v", r)
	}
	if index, _, err = w.org.Index(ctx); err != nil || bytes.Contains(index, her[:]) || !bytes.Contains(index, third[:]) {
		t.Errorf("the index after she was erased has her, or not all the others: %v", err)
	}

	// An older database comes back, which has the key of then.
	must(t, w.db.Close())
	restore()
	must(t, os.WriteFile(filepath.Join(w.dir, "duplicates", name), copied, 0o600))
	w.db = e.Open(t, w.dir, w.options())
	org, err := w.db.Org(ctx, "org-a", w.kek)
	must(t, err)
	w.use(org)
	if _, _, err := w.org.Index(ctx); !errors.Is(err, doubles.ErrNoIndex) {
		t.Errorf("after a restore her index opens: %v", err)
	}
	run(doubles.FullFirst)

	// Decisions stand in the log, one of each reason of a pair.
	w.update(t, func(tx registry.Tx) error {
		return tx.SaveDouble(registry.Double{A: again, B: third, Why: registry.KeyMatch, Decided: registry.Different})
	})
	var decided []doubles.Decision
	must(t, w.org.Decisions(ctx, func(d doubles.Decision) error { decided = append(decided, d); return nil }))
	if n := len(decided); n == 0 || decided[n-1].What != registry.Different || decided[n-1].By != clerk.ID || decided[n-1].At.IsZero() {
		t.Errorf("%+v", decided)
	}
	w.whole(t)
}
