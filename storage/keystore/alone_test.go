package keystore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestKeyInAFileOfItsOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "anchor-1.key")
	pass := func() ([]byte, error) { return []byte("eight or more"), nil }
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	made, err := CreateFile(path, 4, Anchor, Ed25519, "custodian 1", pass, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := CreateFile(path, 4, Anchor, Ed25519, "", pass, now); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second key under the name: %v, want fs.ErrExist", err)
	}
	store, info, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.ID != made.ID || info.Label != "custodian 1" {
		t.Errorf("the file says it holds %+v", info)
	}
	if _, k, err := store.Signer(info.ID, Anchor, pass); err != nil || k.Thumbprint() != made.Key.Thumbprint() {
		t.Errorf("signer: %v", err)
	}
	if _, _, err := store.Signer(info.ID, Card, pass); !errors.Is(err, ErrUse) {
		t.Errorf("the key signed for another use: %v", err)
	}
	if _, err := store.Create(Card, P256, "", pass, now); err == nil {
		t.Error("a key was added to a file of one key")
	}
	if list, err := store.List(); err != nil || len(list) != 1 {
		t.Errorf("list: %v, %v", list, err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := OpenFile(path); !errors.Is(err, ErrPermissions) {
		t.Errorf("a key file open to others: %v", err)
	}
}
