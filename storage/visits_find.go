package storage

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"aidpass/internal/cose"
	"aidpass/verifier/visit"
)

// JournalKeys returns what finds the keys of this organisation's devices that were
// ever certified, also of those that were withdrawn: what they recorded before stands.
func (o *Org) JournalKeys(ctx context.Context) (func(kid []byte) *cose.Key, error) {
	devices, err := o.Devices(ctx)
	if err != nil {
		return nil, err
	}
	return func(kid []byte) *cose.Key {
		for i := range devices {
			if d := &devices[i]; d.Certificate != nil && bytes.Equal(d.KID[:], kid) {
				return d.Key
			}
		}
		return nil
	}, nil
}

// MergeVisits makes one account of everything that was ever handed in.
func (o *Org) MergeVisits(ctx context.Context) (m *visit.Merged, err error) {
	err = o.view(ctx, "merge visits", func(t *tx) error {
		m, err = t.mergeVisits()
		return err
	})
	return m, err
}

func (t *tx) mergeVisits() (*visit.Merged, error) {
	piece := &visit.Piece{}
	if err := t.storedVisits(piece, ``); err != nil {
		return nil, err
	}
	facts, err := t.visitFacts()
	if err != nil {
		return nil, err
	}
	m := visit.Merge(facts.Facts, piece)
	return m, facts.err // looked at after merging
}

const (
	visitsOf = `SELECT kid, seq, hash, sealed FROM visit WHERE org_id = $1 `
	// BETWEEN, where = would do: for = SQLite, knowing nothing of how many rows there
	// are, reads all of the organisation's by the primary key instead of the index.
	onLedger = `AND ledger BETWEEN $2 AND $2`
	onFormer = `AND former BETWEEN $2 AND $2`
)

// The queries by which AddVisits finds what is stored of a unit in a round, for an
// engine's tests to ask how they are answered: once for each unit that a journal names,
// so never by reading all that was ever recorded.
const (
	VisitsOnLedger = visitsOf + onLedger
	VisitsOnFormer = visitsOf + onFormer
)

// storedVisits reads rows into a piece; where goes on behind the organisation.
func (t *tx) storedVisits(p *visit.Piece, where string, args ...any) error {
	rows, err := t.query(visitsOf+where, append([]any{t.o.id}, args...)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var kid string
		var sequence int64
		var hash, sealed []byte
		if err := rows.Scan(&kid, &sequence, &hash, &sealed); err != nil {
			return err
		}
		r, err := t.o.openVisit(kid, sequence, hash, sealed)
		if err != nil {
			return err
		}
		p.Records = append(p.Records, r)
	}
	return rows.Err()
}

// openVisit opens a row. It must be the record that the row says.
func (o *Org) openVisit(kid string, sequence int64, hash, sealed []byte) (r visit.Record, err error) {
	var sum [32]byte
	copy(sum[:], hash)
	raw, err := o.own.open(visitPlace(o.id, kid, uint64(sequence), sum), sealed)
	if err == nil {
		r, err = visit.Stored(raw)
	}
	if err == nil && (r.Hash != sum || r.Sequence != uint64(sequence) || hex.EncodeToString(r.Key[:]) != kid) {
		err = errors.New("it is another record")
	}
	if err != nil {
		return r, fmt.Errorf("record %d of device %s: %w", sequence, kid, err)
	}
	return r, nil
}
