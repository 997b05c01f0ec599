package visit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/verifier"
)

// MaxJournalBytes bounds a journal file: about 100,000 visits.
const MaxJournalBytes = 64 << 20

// Journal is one device's journal, read and proved.
type Journal struct {
	Visits []Visit
	Hashes [][32]byte // of the records' bytes, beside Visits
	Last   []byte     // the last record's bytes, to chain the next one to; nil: none
	Good   int        // bytes up to the end of the last good record

	// Torn is true when the file ends in the middle of a record, as after a power
	// cut: what stands before it is complete.
	Torn bool

	key   *cose.Key
	index map[verifier.LedgerKey]entry
}

type entry struct {
	use  verifier.Use
	full bool
}

// A BrokenError names the first record that does not hold; the records before
// it are in the Journal returned with it.
type BrokenError struct {
	Sequence uint64 // where the record should have stood
	Err      error
}

func (e *BrokenError) Error() string {
	return fmt.Sprintf("visit: record %d does not hold: %v", e.Sequence, e.Err)
}
func (e *BrokenError) Unwrap() error { return e.Err }

// Read proves a journal file: every record signed by one device's key, chained
// to the one before, without gaps.
//
// find returns a device's key by its id, or nil when no certificate vouches for
// it. A torn last record is dropped and said (Torn). Any other fault ends the
// reading with a *BrokenError and the journal up to there.
func Read(file []byte, find func(kid []byte) *cose.Key) (*Journal, error) {
	if len(file) > MaxJournalBytes {
		return nil, fmt.Errorf("visit: a journal of %d bytes, at most %d", len(file), MaxJournalBytes)
	}
	j := &Journal{index: map[verifier.LedgerKey]entry{}}
	defer j.build()
	for rest := file; len(rest) > 0; rest = file[j.Good:] {
		next := uint64(len(j.Visits) + 1)
		n, _, err := cbor.Scan(rest, cbor.DefaultLimits)
		if errors.Is(err, cbor.ErrTruncated) && tail(rest) {
			j.Torn = true
			break
		}
		if err != nil {
			return j, &BrokenError{next, err}
		}
		if err := j.add(rest[:n], find); err != nil {
			return j, &BrokenError{next, err}
		}
		j.Good += n
	}
	return j, nil
}

// tail tells a record cut off at the end of the file from a damaged length in
// its middle: a cut record is no longer than a record, and no other begins in it.
func tail(rest []byte) bool {
	return len(rest) < maxRecord && bytes.Count(rest, []byte(TypJournal)) <= 1
}

func (j *Journal) add(record []byte, find func(kid []byte) *cose.Key) error {
	if len(record) > maxRecord {
		return fmt.Errorf("%d bytes", len(record))
	}
	payload, key, err := cose.OpenTyped(record, TypJournal, find)
	if err != nil {
		return err
	}
	v, chain, err := parse(payload)
	if err != nil {
		return err
	}
	switch {
	case j.key != nil && j.key.Thumbprint() != key.Thumbprint():
		return errors.New("signed by another device than the records before")
	case v.Sequence != uint64(len(j.Visits)+1):
		return fmt.Errorf("it says it is record %d", v.Sequence)
	case chain != chainTo(j.Last):
		return errors.New("it is not chained to the record before")
	}
	j.key, j.Last = key, record
	j.Visits, j.Hashes = append(j.Visits, v), append(j.Hashes, sha256.Sum256(record))
	return nil
}

// build indexes what stands: collections that no counter-entry cancels. A
// counter-entry names an earlier record, so going backwards it is known of each
// whether it was itself cancelled.
func (j *Journal) build() {
	cancelled := map[uint64]bool{}
	for i := len(j.Visits) - 1; i >= 0; i-- {
		if v := &j.Visits[i]; v.Kind == Counter && !cancelled[v.Sequence] {
			cancelled[v.Cancels] = true
		}
	}
	for i := range j.Visits {
		v := &j.Visits[i]
		if v.Kind > Partial || cancelled[v.Sequence] {
			continue
		}
		j.enter(v.Ledger, v)
		if v.Former != (credential.Former{}) {
			j.enter(v.Ledger.Formerly(v.Former), v) // the card that was replaced has nothing more to get
		}
	}
}

func (j *Journal) enter(k verifier.LedgerKey, v *Visit) {
	e := j.index[k]
	if e.full {
		return // the first full collection is the one to tell of
	}
	e.full = v.Kind == Collection
	e.use = verifier.Use{At: v.At, Given: v.Given, Part: !e.full, Rest: v.Rest}
	if j.key != nil {
		id := j.key.ID()
		e.use.Device = hex.EncodeToString(id[:])
	}
	j.index[k] = e
}

// Earlier implements verifier.Uses.
func (j *Journal) Earlier(k verifier.LedgerKey) (verifier.Use, bool) {
	e, ok := j.index[k]
	return e.use, ok
}

// Next is the sequence of the record to be appended.
func (j *Journal) Next() uint64 { return uint64(len(j.Visits) + 1) }

// OnOldLists is how many collections since from a decision for old lists let pass,
// without those taken back.
func (j *Journal) OnOldLists(from credential.Time) (n int) {
	for i := range j.Visits {
		if v := &j.Visits[i]; v.Kind <= Partial && v.At >= from && strings.HasPrefix(v.Code, CodeOldLists) && !j.Cancelled(v.Sequence) {
			n++
		}
	}
	return n
}

// Journals looks through several journals: the own one and those other tables
// handed over.
type Journals []*Journal

// Earlier implements verifier.Uses: a full collection anywhere leads over a
// partial one.
func (js Journals) Earlier(k verifier.LedgerKey) (found verifier.Use, ok bool) {
	for _, j := range js {
		if e, there := j.index[k]; there && (!ok || found.Part && e.full) {
			found, ok = e.use, true
		}
	}
	return found, ok
}
