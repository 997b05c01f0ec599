package keystore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"aidpass/internal/durable"
)

// CreateFile makes a new random key in a file of its own, under a name of the
// caller's choosing: a custodian's anchor key on a stick, the key that goes to a
// device. A file that is there is fs.ErrExist. All else is as Store.Create.
func CreateFile(path string, workFactor int, use Use, alg Alg, label string, pass Passphrase, now time.Time) (*Info, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("keystore: %q: %w", path, fs.ErrExist)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	private, err := generate(alg)
	if err != nil {
		return nil, err
	}
	info, passphrase, err := prepare(use, alg, label, private, pass, now)
	if err != nil {
		return nil, err
	}
	file, err := seal(*info, private, passphrase, workFactor)
	if err != nil {
		return nil, err
	}
	return info, durable.WriteFile(path, file, 0o600)
}

// OpenFile returns a store of the one key in the file at path, whatever the
// file's name, and what is known of that key without its passphrase.
func OpenFile(path string) (*Store, Info, error) {
	info, _, _, err := read(path, false)
	if err != nil {
		return nil, Info{}, err
	}
	return &Store{WorkFactor: DefaultWorkFactor, dir: filepath.Dir(path), alone: path, unsealed: map[string]opened{}}, info, nil
}
