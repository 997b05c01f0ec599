package visit

import (
	"aidpass/internal/cose"
	"aidpass/verifier"
)

// Append adds the record that follows j's last one, as Prepare and Attach made it
// under key, so that a running device need not read its whole journal again. What
// Read would refuse is refused, and leaves j as it was.
func (j *Journal) Append(record []byte, key *cose.Key) error {
	if err := j.add(record, func([]byte) *cose.Key { return key }); err != nil {
		return err
	}
	j.Good += len(record)
	j.index = map[verifier.LedgerKey]entry{}
	j.build()
	return nil
}

// Cancelled reports whether a counter-entry that stands cancels the record.
func (j *Journal) Cancelled(sequence uint64) bool {
	cancelled := map[uint64]bool{}
	for i := len(j.Visits) - 1; i >= 0; i-- {
		if v := &j.Visits[i]; v.Kind == Counter && !cancelled[v.Sequence] {
			cancelled[v.Cancels] = true
		}
	}
	return cancelled[sequence]
}
