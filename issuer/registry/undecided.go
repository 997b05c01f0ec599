package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// UndecidedField is the field of a record that holds the values which two people set at
// once: it is sealed, versioned and erased as every other.
const UndecidedField = "undecided"

// MostUndecided is how many values of one record wait for a decision.
const MostUndecided = 40

// A Rival is a value that somebody set of a field which somebody else had changed since
// she read it: neither is lost, and people decide which holds.
type Rival struct {
	Field  string    `json:"field"` // as a desk names it: birth, phone
	Text   string    `json:"text"`  // as it was typed; empty: to be removed
	By     string    `json:"by"`    // account
	Device string    `json:"device,omitempty"`
	At     time.Time `json:"at"`
}

// Handle names a rival among those of its record.
func (r *Rival) Handle() string {
	b, _ := json.Marshal(r)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// Undecided are the values of the record that wait for a decision, oldest first.
func (r Record) Undecided() (list []Rival, err error) {
	if r.Fields[UndecidedField].Data == nil {
		return nil, nil
	}
	v, err := ReadValue(r.Fields[UndecidedField].Data)
	if err != nil {
		return nil, fmt.Errorf("registry: record %s: field %q: %w", r.ID, UndecidedField, err)
	}
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	if err != nil {
		return nil, fmt.Errorf("registry: record %s: field %q: %w", r.ID, UndecidedField, err)
	}
	return list, nil
}

// AppendUndecided is the value of UndecidedField; nil for an empty list, which removes it.
func AppendUndecided(list []Rival) ([]byte, error) {
	if len(list) == 0 {
		return nil, nil
	}
	var items []any
	for _, r := range list {
		item := map[string]any{"field": r.Field, "text": r.Text, "by": r.By, "at": r.At.UTC().Format(time.RFC3339Nano)}
		if r.Device != "" {
			item["device"] = r.Device
		}
		items = append(items, item)
	}
	return AppendValue(nil, items)
}

// OpenKeys are what a record is found by while something of it waits for a decision.
func OpenKeys(rec Record) []Key {
	keys := []Key{}
	if rec.Fields[UndecidedField].Data != nil {
		keys = append(keys, OpenKey)
	}
	return keys
}

// OpenKey finds the records of which something waits for a decision.
var OpenKey = Key{Kind: KeyOpen, Text: "undecided"}

// HeadlessKey finds the households that were made anew because their head was erased; those
// that have one again are among them.
var HeadlessKey = Key{Kind: KeyOpen, Text: "head_erased"}

// WithRival adds a rival to a list, unless it says what one there says already.
func WithRival(list []Rival, r Rival) ([]Rival, error) {
	if slices.ContainsFunc(list, func(o Rival) bool { return o.Field == r.Field && o.Text == r.Text }) {
		return list, nil
	}
	if len(list) >= MostUndecided {
		return nil, refuse(RefusedManyUndecided, "registry: %d values of the record wait for a decision: decide about them first", len(list))
	}
	return append(slices.Clone(list), r), nil
}
