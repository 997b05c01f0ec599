package visit

import (
	"bytes"
	"crypto/sha256"
	"errors"

	"aidpass/internal/cbor"
	"aidpass/internal/cose"
)

// What a table hears of others: their journals, and besides the newest record of
// each device that they heard of in turn. By that a device learns that there is more
// of its own journal than it remembers.

// Device is the key id of whose journal it is; zero for an empty one.
func (j *Journal) Device() (id [8]byte) {
	if j.key != nil {
		id = j.key.ID()
	}
	return id
}

// A Told is one device's journal as another table told it.
type Told struct {
	*Journal
	File []byte // its good records, as Read takes them again
}

// ReadTold reads the records of several devices, as an exchange file or a journal
// holds them: each device's own are chained from its first. Records of a device that
// begin further on are its newest and left out, see CopiedBy.
//
// find is that of Read. The error is the first fault, where no record is left.
func ReadTold(file []byte, find func(kid []byte) *cose.Key) (told []Told, err error) {
	if len(file) > MaxJournalBytes {
		return nil, errors.New("visit: more than a journal may hold")
	}
	type group struct {
		kid     []byte
		records []byte
	}
	var groups []*group
	g := (*group)(nil)
	for rest := file; len(rest) > 0; {
		n, _, scanErr := cbor.Scan(rest, cbor.DefaultLimits)
		if scanErr != nil {
			// Cut off, or damaged: the journal it stands in says which.
			if g != nil {
				g.records = append(g.records, rest...)
			} else {
				err = &BrokenError{1, scanErr}
			}
			break
		}
		kid := kidOf(rest[:n])
		if g == nil || !bytes.Equal(g.kid, kid) {
			g = nil
			for _, other := range groups {
				if bytes.Equal(other.kid, kid) {
					g = other
				}
			}
			if g == nil {
				g = &group{kid: kid}
				groups = append(groups, g)
			}
		}
		g.records, rest = append(g.records, rest[:n]...), rest[n:]
	}
	for _, g := range groups {
		j, readErr := Read(g.records, find)
		if j != nil && len(j.Visits) > 0 {
			told = append(told, Told{j, g.records[:j.Good]})
		} else if err == nil {
			err = readErr
		}
	}
	if len(told) > 0 {
		err = nil
	}
	return told, err
}

// kidOf is who says to have signed a record; nil where it is none.
func kidOf(record []byte) []byte {
	m, err := cose.ParseSign1(record)
	if err != nil {
		return nil
	}
	return m.Protected.KeyID
}

// CopiedBy reports whether records hold one that the device of key signed and j, its
// own journal, has not: more of it than j remembers, or another under the same
// number. Then the device's memory was copied or put back.
func (j *Journal) CopiedBy(key *cose.Key, records []byte) bool {
	id := key.ID()
	for len(records) > 0 {
		n, _, err := cbor.Scan(records, cbor.DefaultLimits)
		if err != nil {
			return false
		}
		record := records[:n]
		records = records[n:]
		if !bytes.Equal(kidOf(record), id[:]) {
			continue
		}
		payload, _, err := cose.OpenTyped(record, TypJournal, func([]byte) *cose.Key { return key })
		if err != nil {
			continue // not of this key: anybody writes a kid
		}
		v, _, err := parse(payload)
		if err == nil && (v.Sequence > uint64(len(j.Hashes)) || j.Hashes[v.Sequence-1] != sha256.Sum256(record)) {
			return true
		}
	}
	return false
}
