package keystore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"aidpass/internal/cose"
	"aidpass/storage/keystore"
)

// A card key is made once, and from then on opened with its passphrase.
func ExampleStore_Signer() {
	dir, _ := os.MkdirTemp("", "keys")
	defer os.RemoveAll(dir)
	store, err := keystore.Open(filepath.Join(dir, "keys"))
	if err != nil {
		fmt.Println(err)
		return
	}
	store.WorkFactor = 10 // for this example; the default resists guessing
	pass := func() ([]byte, error) { return []byte("twelve words on paper"), nil }
	made := time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)

	info, _ := store.Create(keystore.Card, keystore.P256, "main card key", pass, made)
	signer, key, err := store.Signer(info.ID, keystore.Card, pass)
	fmt.Println(info.Label, err)

	tbs := []byte("to be signed")
	sig, _ := cose.SignRaw(signer, tbs)
	fmt.Println(key.Verify(cose.ES256, tbs, sig, true))

	_, _, err = store.Signer(info.ID, keystore.Anchor, pass)
	fmt.Println(err != nil) // a card key signs no trust list
	// Output:
	// main card key <nil>
	// <nil>
	// true
}
