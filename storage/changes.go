package storage

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"

	"aidpass/access"
)

// The entities of change sets.
const (
	unitEntity        = "unit"
	programmeEntity   = "programme"
	entitlementEntity = "entitlement"
)

// A change is one row of change_set.
type change struct {
	entity, id, field string
	base              int64 // version the author saw
	keyVersion        int64
	change            string // drawn by appendChange
	sealed            []byte
}

// appendChange numbers a change and writes it. seal is given the change's id,
// which the sealed value is bound to.
func (t *tx) appendChange(c *change, seal func(change string) []byte) error {
	if err := t.lock(); err != nil {
		return err
	}
	t.changeSeq++
	c.change = randomID()
	c.sealed = seal(c.change)
	const insert = `INSERT INTO change_set (org_id, seq, id, entity, entity_id, field, base_version, sealed, key_version, actor, device, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`
	_, err := t.exec(insert, t.o.id, t.changeSeq, c.change, c.entity, c.id, c.field, c.base, c.sealed, c.keyVersion, t.by.ID, t.by.Device, t.micros)
	if err == nil && t.acts != nil {
		t.acts.add(t.changeSeq, *c)
	}
	return err
}

// maxEntries is how many acts of one registry transaction stand in the audit log
// one by one. An import has thousands of them: it gets one entry instead.
const maxEntries = 50

// bulkAction is the action of that one entry. Its detail counts the acts by name
// and names the change sets, and its digest is over those.
const bulkAction access.Action = "registry.save"

// acts gathers what one transaction did, for the audit log.
type acts struct {
	entries     []access.Entry // the first few
	counts      map[access.Action]int
	n           int
	first, last int64 // change sets
	imports     []string
	digest      hash.Hash
}

func newActs() *acts { return &acts{counts: map[access.Action]int{}, digest: sha256.New()} }

func (a *acts) act(e access.Entry) {
	a.counts[e.Action]++
	if a.n++; a.n <= maxEntries {
		a.entries = append(a.entries, e)
	}
}

// add takes a change set into the digest.
func (a *acts) add(seq int64, c change) {
	if a.first == 0 {
		a.first = seq
	}
	a.last = seq
	hashChange(a.digest, seq, c)
}

// hashChange feeds a digest with what a change set says: its number, then id, entity,
// entity's id, field and sealed value, each with its length.
func hashChange(h hash.Hash, seq int64, c change) {
	var n [8]byte
	h.Write(binary.BigEndian.AppendUint64(n[:0], uint64(seq)))
	for _, s := range [...]string{c.change, c.entity, c.id, c.field} {
		h.Write(binary.BigEndian.AppendUint64(n[:0], uint64(len(s))))
		h.Write([]byte(s))
	}
	h.Write(binary.BigEndian.AppendUint64(n[:0], uint64(len(c.sealed))))
	h.Write(c.sealed)
}

// auditActs writes the entries: each act's own, or the one of all.
func (t *tx) auditActs() error {
	a := t.acts
	for _, id := range a.imports {
		const insert = `INSERT INTO import_change (org_id, import_id, first_change, last_change) VALUES ($1, $2, $3, $4)`
		if _, err := t.exec(insert, t.o.id, id, a.first, a.last); err != nil {
			return err
		}
	}
	if a.n <= maxEntries {
		for _, e := range a.entries {
			if err := t.audit(e); err != nil {
				return err
			}
		}
		return nil
	}
	var detail strings.Builder
	for _, action := range slices.Sorted(maps.Keys(a.counts)) {
		fmt.Fprintf(&detail, "%s=%d ", action, a.counts[action])
	}
	fmt.Fprintf(&detail, "changes=%d-%d", a.first, a.last)
	return t.audit(access.Entry{Action: bulkAction, Detail: detail.String(), Digest: [32]byte(a.digest.Sum(nil))})
}
