package registry

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
)

// An ID names a person or household inside one organisation: 128 random bits,
// which leave the organisation only as a pseudonym.
type ID [16]byte

// NewID draws one.
func NewID() (id ID) {
	rand.Read(id[:]) // never fails: package crypto/rand
	return id
}

// String is 32 hex digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// IsZero reports whether id names nobody.
func (id ID) IsZero() bool { return id == ID{} }

// ParseID reads what String wrote.
func ParseID(s string) (id ID, err error) {
	if len(s) != 2*len(id) {
		return ID{}, fmt.Errorf("registry: an id has 32 hex digits, not %d characters", len(s))
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return ID{}, fmt.Errorf("registry: id: %w", err)
	}
	return id, nil
}

// A Kind says what a record is of.
type Kind string

// The kinds. A programme counts persons or households.
const (
	KindPerson    Kind = "person"
	KindHousehold Kind = "household"
	KindFound     Kind = "found" // signed for, but the record was lost in a restore: see issuer.SigningLog
	KindBlank     Kind = "blank" // a pre-numbered card that nobody has yet
)
