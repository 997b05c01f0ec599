package main

import (
	"log/slog"
	"testing"

	"aidpass/access"
	"aidpass/storage"
	"aidpass/verifier"
	"aidpass/verifier/request"
)

// A database that cannot be asked says so, and tells nobody to give.
func TestCollectionsThatCannotBeLookedUp(t *testing.T) {
	db, err := storage.Open(t.Context(), t.TempDir(), storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	org, err := db.CreateOrg(t.Context(), "org-a", make([]byte, storage.KEKBytes), access.Actor{ID: "acc-1", Role: access.OrgAdmin})
	if err != nil {
		t.Fatal(err)
	}
	var uses request.Records = &collected{ctx: t.Context(), desk: &answerDesk{store: org, log: slog.New(slog.DiscardHandler)}}
	key := verifier.LedgerKey{Issuer: "https://relief-a.example/i1", Pseudonym: "0123456789abcdef", Programme: "K7Q2", Round: 1}
	if _, ok := uses.Earlier(key); ok || uses.Err() != nil {
		t.Errorf("nothing was collected: %v %v", ok, uses.Err())
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, ok := uses.Earlier(key); !ok || uses.Err() == nil {
		t.Errorf("the database is closed: %v %v", ok, uses.Err())
	}
}
