package storage

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
)

// A personKey seals what is kept of one unit.
type personKey struct {
	sealer
	version int64
	marks   []byte // HMAC key, made from it
}

func newPersonKey(key []byte, version int64) (k personKey, err error) {
	k.version = version
	k.marks = blindIndex(key, "aidpass-marks")
	k.sealer, err = newSealer(key)
	return k, err
}

// mark is the HMAC under the unit's key of what would be guessed from a bare
// hash. The label keeps marks of different things apart.
func (k personKey) mark(label string, value []byte) []byte {
	m := hmac.New(sha256.New, k.marks)
	m.Write([]byte(label))
	m.Write(value)
	return m.Sum(nil)
}

// The labels of marks: each ends where no other goes on.
const (
	markRequest = "request:"
	markSigned  = "signed:"
)

// errNoKey: nothing was ever sealed for the unit.
var errNoKey = fmt.Errorf("%w, or nothing was ever recorded", ErrErased)

// maxKeys is how many opened keys a transaction remembers: a list's persons and
// their households come near each other, and the memory of an import stays flat.
const maxKeys = 1024

// personKey returns the unit's newest key; with create, a new one if it has none
// yet. A destroyed key is ErrErased.
func (t *tx) personKey(unit string, create bool) (personKey, error) {
	if k, ok := t.keys[unit]; ok {
		return k, nil
	}
	const find = `SELECT version, wrapped FROM envelope_key WHERE org_id = $1 AND subject_id = $2 ORDER BY version DESC LIMIT 1`
	var version int64
	var wrapped []byte
	ok, err := t.find(find, []any{t.o.id, unit}, &version, &wrapped)
	switch {
	case err != nil:
		return personKey{}, err
	case ok:
		k, err := t.o.unwrap(unit, version, wrapped)
		if err == nil {
			t.keepKey(unit, k)
		}
		return k, err
	case !create:
		return personKey{}, fmt.Errorf("%w: unit %s", errNoKey, unit)
	}
	return t.makeKey(unit)
}

// makeKey draws the first key of a unit.
func (t *tx) makeKey(unit string) (personKey, error) {
	key := newKey()
	k, err := newPersonKey(key, 1)
	if err != nil {
		return k, err
	}
	const insert = `INSERT INTO envelope_key (org_id, subject_id, version, wrapped, created_at) VALUES ($1, $2, $3, $4, $5)`
	_, err = t.exec(insert, t.o.id, unit, k.version, t.o.kek.seal(keyPlace(t.o.id, unit, k.version), key), t.micros)
	if err == nil {
		t.keepKey(unit, k)
	}
	return k, err
}

func (t *tx) keepKey(unit string, k personKey) {
	if len(t.keys) >= maxKeys {
		clear(t.keys)
	}
	t.keys[unit] = k
}

func keyPlace(org, unit string, version int64) place {
	return place{org, "envelope_key", "wrapped", unit, version}
}

// unwrap opens a unit's key. A missing one was destroyed.
func (o *Org) unwrap(unit string, version int64, wrapped []byte) (k personKey, err error) {
	if wrapped == nil {
		return k, fmt.Errorf("%w: unit %s", ErrErased, unit)
	}
	key, err := o.kek.open(keyPlace(o.id, unit, version), wrapped)
	if err != nil {
		return k, fmt.Errorf("key of unit %s: %w", unit, err)
	}
	return newPersonKey(key, version)
}
