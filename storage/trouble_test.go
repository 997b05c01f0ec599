package storage

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
)

func newOrg(t *testing.T) (*DB, *Org) {
	t.Helper()
	db, err := Open(t.Context(), t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	org, err := db.CreateOrg(t.Context(), "org-a", make([]byte, KEKBytes), access.Actor{ID: "acc-1", Role: access.OrgAdmin})
	if err != nil {
		t.Fatal(err)
	}
	return db, org
}

// saveSome saves n people with a field of some size each.
func saveSome(t *testing.T, org *Org, n int) error {
	t.Helper()
	value, err := registry.AppendValue(nil, strings.Repeat("x", 2000))
	if err != nil {
		t.Fatal(err)
	}
	return org.Update(t.Context(), access.Actor{ID: "acc-1", Role: access.Registrar}, func(tx registry.Tx) error {
		for i := range n {
			_, err := tx.Save(registry.Change{Kind: registry.KindPerson, External: strconv.Itoa(i), Fields: map[string][]byte{"note": value}})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func people(t *testing.T, org *Org) (n int) {
	t.Helper()
	err := org.View(t.Context(), func(v registry.View) error {
		all, err := v.Units(registry.KindPerson, registry.ID{}, 1<<30)
		n = len(all)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestAFullDiskWritesNothing is promise R5: the import ends with an error, nothing
// of it is there, and when there is room it works without any repair.
func TestAFullDiskWritesNothing(t *testing.T) {
	db, org := newOrg(t)
	limit := func(pages int) {
		t.Helper()
		var got int
		if err := db.write.QueryRow(`PRAGMA max_page_count = ` + strconv.Itoa(pages)).Scan(&got); err != nil {
			t.Fatal(err)
		}
	}
	limit(400)
	if err := saveSome(t, org, 1000); !errors.Is(err, ErrFull) {
		t.Fatalf("an import into a full disk: %v", err)
	}
	if n := people(t, org); n != 0 {
		t.Errorf("%d people of it are there", n)
	}
	limit(1 << 30)
	if err := saveSome(t, org, 1000); err != nil {
		t.Fatal(err)
	}
	if findings, err := org.Check(t.Context()); err != nil || len(findings) > 0 || people(t, org) != 1000 {
		t.Errorf("%d people, findings %v, %v", people(t, org), findings, err)
	}
}

// TestABusyDatabaseIsSaid: another program holds the one write lock. Readers go
// on; writers wait, and are told.
func TestABusyDatabaseIsSaid(t *testing.T) {
	db, org := newOrg(t)
	other, err := sql.Open("sqlite", sqliteURI(filepath.Join(db.dir, databaseFile), "_txlock=immediate"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	held, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := people(t, org); n != 0 {
		t.Errorf("a reader sees %d people", n)
	}
	if _, err := db.write.Exec(`PRAGMA busy_timeout = 50`); err != nil {
		t.Fatal(err)
	}
	if err := saveSome(t, org, 1); !errors.Is(err, ErrBusy) {
		t.Errorf("a writer that waited too long: %v, want ErrBusy", err)
	}
	if _, err := db.write.Exec(`PRAGMA busy_timeout = ` + busyTimeout); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- saveSome(t, org, 1) }()
	time.Sleep(100 * time.Millisecond)
	if err := held.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || people(t, org) != 1 {
		t.Errorf("a writer that waited: %v, %d people", err, people(t, org))
	}
}

// TestKeysOfATransactionAreBounded: an import of any length remembers few keys.
func TestKeysOfATransactionAreBounded(t *testing.T) {
	_, org := newOrg(t)
	err := org.Update(t.Context(), access.Actor{ID: "acc-1", Role: access.Registrar}, func(tx registry.Tx) error {
		for range 2*maxKeys + 10 {
			if _, err := tx.Save(registry.Change{Kind: registry.KindHousehold}); err != nil {
				return err
			}
		}
		if n := len(tx.(records).t.keys); n > maxKeys {
			t.Errorf("%d keys are remembered, want %d at most", n, maxKeys)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
