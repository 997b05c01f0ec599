package storage_test

import (
	"context"
	"crypto/sha256"
	"testing"

	"aidpass/access"
	"aidpass/storage"
)

func TestANoteStandsInTheChain(t *testing.T) {
	ctx := context.Background()
	db, err := storage.Open(ctx, t.TempDir(), storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	by := access.Actor{ID: "yusuf", Role: access.OrgAdmin}
	o, err := db.CreateOrg(ctx, "org-a", make([]byte, 32), by)
	if err != nil {
		t.Fatal(err)
	}
	e := access.Entry{Action: "device.certify", Object: "77cf927619352581", Detail: "site=WELL-A", Digest: sha256.Sum256([]byte("certificate"))}
	if err := o.Note(ctx, by, e); err != nil {
		t.Fatal(err)
	}
	head, err := o.VerifyAudit(ctx, access.Head{})
	if err != nil || head.Seq != 2 {
		t.Fatalf("head %d, %v", head.Seq, err)
	}
	found := false
	if err := o.Audit(ctx, func(have *access.Entry) error {
		found = found || have.Action == e.Action && have.Object == e.Object && have.Digest == e.Digest && have.Actor.ID == "yusuf"
		return nil
	}); err != nil || !found {
		t.Errorf("the note is not in the log: %v", err)
	}
	if err := o.Note(ctx, by, access.Entry{}); err == nil {
		t.Error("a note without an action is taken")
	}
}
