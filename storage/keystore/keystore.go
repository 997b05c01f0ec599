// Package keystore keeps private keys in files sealed by a passphrase, one key
// a file and one use a key.
//
// A Store is a folder. What may be seen without the passphrase (use, label,
// date, public key) stands readable at the top of each file and is proven when
// the key is unsealed; see file.go for the format. The sealed part is an age
// file (age-encryption.org/v1, scrypt), so a key can be rescued with the age
// program alone.
//
// Keys leave the store as a crypto.Signer, as an *ecdh.PrivateKey or as secret
// bytes, and only for the use they were made for. Package keystoretest has the
// tests that every signer here must pass, whatever holds its key.
package keystore

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"aidpass/internal/cose"
	"aidpass/internal/durable"
)

// Conditions a caller acts on; the messages around them say how to mend them.
var (
	// ErrNotFound: no such key in this store.
	ErrNotFound = errors.New("keystore: no such key")
	// ErrExists: the key is already in this store, under whatever use.
	ErrExists = errors.New("keystore: key already here")
	// ErrUse: the key is there, but was made for another use.
	ErrUse = errors.New("keystore: key has another use")
	// ErrPassphrase: the passphrase does not unseal the key, or is too short
	// for a new one.
	ErrPassphrase = errors.New("keystore: wrong passphrase")
	// ErrDamaged: the file is not a key file, or not as it was written.
	ErrDamaged = errors.New("keystore: damaged key file")
	// ErrPermissions: others than the owner may read or write the file.
	ErrPermissions = errors.New("keystore: key file open to others")
)

// MinPassphrase is the shortest passphrase a new key is sealed with, in bytes.
const MinPassphrase = 8

// DefaultWorkFactor is the base-2 logarithm of the scrypt cost, age's own
// default: about a second and 256 MB for each passphrase tried.
const DefaultWorkFactor = 18

// Passphrase supplies a passphrase when one is needed. It is asked once for a
// key and Store; the bytes are used as they are, so a line end must be cut off.
type Passphrase func() ([]byte, error)

// Info is what is known of a key without its passphrase.
type Info struct {
	// ID is the key id in hex: 16 digits, those of cose.Key.ID, or for a secret
	// a value derived from it.
	ID      string
	Use     Use
	Alg     Alg
	Label   string    // may be empty
	Created time.Time // UTC, to the second
	Key     *cose.Key // nil for a secret
}

// Store is a folder of key files. It is safe for concurrent use.
type Store struct {
	// WorkFactor is the scrypt cost of keys sealed from now on, 1 to 30; see
	// DefaultWorkFactor. Tests lower it. Files that cost more than both this and
	// the default are refused. Set it before the first use.
	WorkFactor int

	dir      string
	alone    string     // the one file of a store made by OpenFile; else ""
	mu       sync.Mutex // held while unsealing, so that a key is derived once
	unsealed map[string]opened
}

// opened is a key that was unsealed from a file with this content.
type opened struct {
	file    []byte
	private []byte
}

// Open uses the folder dir, and makes it (for the owner alone) when it is
// missing and its parent is there.
func Open(dir string) (*Store, error) {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	fi, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	if !fi.IsDir() {
		return nil, fmt.Errorf("keystore: %q is a file; name the folder of the key files", dir)
	}
	return &Store{WorkFactor: DefaultWorkFactor, dir: dir, unsealed: map[string]opened{}}, nil
}

// Create makes a new random key for one use and seals it.
//
// alg must be one that the use takes (see Use.Algs). now is the time of
// creation. The file is on the disk when Create returns.
func (s *Store) Create(use Use, alg Alg, label string, pass Passphrase, now time.Time) (*Info, error) {
	private, err := generate(alg)
	if err != nil {
		return nil, err
	}
	return s.add(use, alg, label, private, pass, now)
}

// Import seals a key made elsewhere: a P-256 *ecdsa.PrivateKey, an
// ed25519.PrivateKey or the 32 bytes of a secret.
func (s *Store) Import(use Use, label string, key any, pass Passphrase, now time.Time) (*Info, error) {
	alg, private, err := raw(key)
	if err != nil {
		return nil, err
	}
	return s.add(use, alg, label, private, pass, now)
}

func (s *Store) add(use Use, alg Alg, label string, private []byte, pass Passphrase, now time.Time) (*Info, error) {
	if s.alone != "" {
		return nil, fmt.Errorf("keystore: %s holds one key: open a folder to add others", s.alone)
	}
	info, passphrase, err := prepare(use, alg, label, private, pass, now)
	if err != nil {
		return nil, err
	}
	// Sealing takes a second on purpose; several keys are sealed at a time.
	file, err := seal(*info, private, passphrase, s.WorkFactor)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if path, err := s.find(info.ID); err == nil {
		return nil, fmt.Errorf("%w: %s", ErrExists, path)
	} else if !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	if err := durable.WriteFile(filepath.Join(s.dir, info.fileName()), file, 0o600); err != nil {
		return nil, err
	}
	s.unsealed[info.ID] = opened{file, private}
	return info, nil
}

// prepare checks what a new key is to be and asks for its passphrase.
func prepare(use Use, alg Alg, label string, private []byte, pass Passphrase, now time.Time) (*Info, []byte, error) {
	if !slices.Contains(use.Algs(), alg) {
		return nil, nil, fmt.Errorf("keystore: a key for %q cannot be %q; it can be %q", use, alg, use.Algs())
	}
	if err := checkLabel(label); err != nil {
		return nil, nil, err
	}
	info := Info{Use: use, Alg: alg, Label: label, Created: now.UTC().Truncate(time.Second)}
	if err := info.identify(private); err != nil {
		return nil, nil, err
	}
	passphrase, err := pass()
	if err != nil {
		return nil, nil, err
	}
	if len(passphrase) < MinPassphrase {
		return nil, nil, fmt.Errorf("%w: a new key needs one of at least %d characters", ErrPassphrase, MinPassphrase)
	}
	return &info, passphrase, nil
}

// List returns what is known of every key here, sorted by use, then by date,
// then by id. No passphrase is needed, so nothing in it is proven yet. A file
// that cannot be read does not hide the others: both results may be non-empty.
func (s *Store) List() ([]Info, error) {
	names, err := s.names()
	if err != nil {
		return nil, err
	}
	var list []Info
	var faults []error
	for _, name := range names {
		info, _, _, err := read(filepath.Join(s.dir, name), s.alone == "")
		if err != nil {
			faults = append(faults, err)
			continue
		}
		list = append(list, info)
	}
	slices.SortFunc(list, func(a, b Info) int {
		if c := strings.Compare(string(a.Use), string(b.Use)); c != 0 {
			return c
		}
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list, errors.Join(faults...)
}

// Signer returns the key id as a signer, with its public half.
//
// The signer takes what cose.SignRaw gives it: a SHA-256 digest for P-256, the
// whole message for Ed25519; anything else is refused. Faults are the Err
// variables above and whatever pass returns.
func (s *Store) Signer(id string, use Use, pass Passphrase) (crypto.Signer, *cose.Key, error) {
	if !use.signs() {
		return nil, nil, fmt.Errorf("%w: keys for %q do not sign", ErrUse, use)
	}
	info, private, err := s.unseal(id, use, pass)
	if err != nil {
		return nil, nil, err
	}
	key, err := private2key(info.Alg, private)
	if err != nil {
		return nil, nil, err
	}
	signer, err := NewSigner(key)
	return signer, info.Key, err
}

// ECDH returns the key id as the P-256 key that opens what was sealed to it
// (cose.OpenWith): a device's or an organisation's seal key.
func (s *Store) ECDH(id string, use Use, pass Passphrase) (*ecdh.PrivateKey, error) {
	if !use.agrees() {
		return nil, fmt.Errorf("%w: nothing is sealed to keys for %q", ErrUse, use)
	}
	info, private, err := s.unseal(id, use, pass)
	if err != nil {
		return nil, err
	}
	if info.Alg != P256 {
		return nil, fmt.Errorf("%w: %s is a %s key, not one that is sealed to", ErrUse, info.fileName(), info.Alg)
	}
	return ecdh.P256().NewPrivateKey(private)
}

// Secret returns a copy of the 32 bytes of the secret id.
func (s *Store) Secret(id string, use Use, pass Passphrase) ([]byte, error) {
	if !slices.Contains(use.Algs(), Secret) {
		return nil, fmt.Errorf("%w: keys for %q are not secrets", ErrUse, use)
	}
	info, private, err := s.unseal(id, use, pass)
	if err != nil {
		return nil, err
	}
	if info.Alg != Secret {
		return nil, fmt.Errorf("%w: %s is a %s key, not a secret", ErrUse, info.fileName(), info.Alg)
	}
	return bytes.Clone(private), nil
}

// Forget drops every unsealed key from memory. The next use asks for the
// passphrase again.
func (s *Store) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.unsealed {
		clear(o.private)
	}
	clear(s.unsealed)
}

// unseal returns the private bytes of a key, which must not be changed. The use
// is looked at before the passphrase is asked for.
func (s *Store) unseal(id string, use Use, pass Passphrase) (Info, []byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path, err := s.find(id)
	if err != nil {
		return Info{}, nil, err
	}
	info, file, armored, err := read(path, s.alone == "")
	if err != nil {
		return Info{}, nil, err
	}
	if info.ID != id {
		return Info{}, nil, fmt.Errorf("%w: %q; %s holds %s", ErrNotFound, id, path, info.ID)
	}
	if info.Use != use {
		return Info{}, nil, fmt.Errorf("%w: %s is for %q, not for %q; make a key for it with its own file", ErrUse, path, info.Use, use)
	}
	// The file is read each time, and only the very same content is believed
	// from memory: a file exchanged meanwhile is unsealed anew.
	if o, ok := s.unsealed[id]; ok && bytes.Equal(o.file, file) {
		return info, bytes.Clone(o.private), nil
	}
	passphrase, err := pass()
	if err != nil {
		return Info{}, nil, err
	}
	private, err := unsealFile(path, info, armored, passphrase, max(s.WorkFactor, DefaultWorkFactor))
	if err != nil {
		return Info{}, nil, err
	}
	s.unsealed[id] = opened{file, private}
	return info, bytes.Clone(private), nil
}

// find returns the path of the one file of a key.
func (s *Store) find(id string) (string, error) {
	if s.alone != "" {
		return s.alone, nil
	}
	names, err := s.names()
	if err != nil {
		return "", err
	}
	var found []string
	for _, name := range names {
		if name[strings.LastIndexByte(name, '-')+1:] == id+extension {
			found = append(found, filepath.Join(s.dir, name))
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("%w: %q in %s; copy its file there, or name one of those that are", ErrNotFound, id, s.dir)
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("%w: %q stands for one use only; remove all but one", ErrDamaged, found)
}

// names returns the names of the key files.
func (s *Store) names() ([]string, error) {
	if s.alone != "" {
		return []string{filepath.Base(s.alone)}, nil
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	var names []string
	for _, e := range entries {
		// A leading dot is a file that a power cut left unfinished.
		if name := e.Name(); strings.HasSuffix(name, extension) && name[0] != '.' {
			names = append(names, name)
		}
	}
	return names, nil
}
