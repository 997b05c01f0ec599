package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/storage"
)

// An erasure while another program reads is done: a command says that traces wait for it,
// what to run, and ends well.
func TestTracesAreNoFailure(t *testing.T) {
	ctx := t.Context()
	db, err := storage.Open(ctx, t.TempDir(), storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	by := access.Actor{ID: "dpo", Role: access.DataProtection}
	org, err := db.CreateOrg(ctx, "org-a", make([]byte, storage.KEKBytes), by)
	if err != nil {
		t.Fatal(err)
	}
	var id registry.ID
	if err := org.Update(ctx, by, func(tx registry.Tx) error {
		saved, err := tx.Save(registry.Change{Kind: registry.KindPerson, External: "1"})
		id = saved.ID
		return err
	}); err != nil {
		t.Fatal(err)
	}
	said := ""
	store := laptopStore{org, func(format string, args ...any) { said += fmt.Sprintf(format, args...) }}
	if err := org.View(ctx, func(v registry.View) error {
		if _, err := v.Programmes(); err != nil {
			return err
		}
		return store.Erase(ctx, by, id, "asked")
	}); err != nil {
		t.Errorf("an erasure while somebody reads: %v", err)
	}
	if !strings.Contains(said, "it is done") || !strings.Contains(said, "aidpass check") {
		t.Errorf("it said %q", said)
	}
	if err := org.View(ctx, func(v registry.View) error { _, err := v.Record(id); return err }); !errors.Is(err, registry.ErrErased) {
		t.Errorf("her record: %v", err)
	}
}
