package trust

import (
	"bytes"
	"fmt"
	"slices"

	"aidpass/internal/cose"
	"aidpass/words"
)

// PrepareList makes a payload ready to be signed by several custodians. It
// refuses a payload that a reader would refuse, whole or in part.
func PrepareList(payload []byte) (*cose.PreparedMulti, error) {
	l, err := ParsePayload(payload)
	if err != nil {
		return nil, err
	}
	if len(l.Faults) > 0 {
		return nil, &Refusal{Reason: l.Faults[0].Reason, Text: l.Faults[0].Text}
	}
	return cose.PrepareMulti(TypeList, payload), nil
}

// Merge joins files of one list that different custodians signed. The order of
// files does not matter, to the byte.
//
// Signatures that do not hold are left out where their key is known: that of the
// anchors the list names, and of the known sets (give the set before when the
// anchors change). Files of different content are TrustListEquivocation. Whether
// enough have signed is told by Open, and by whom by Signers.
func Merge(files [][]byte, known ...Anchors) ([]byte, error) {
	if len(files) == 0 {
		return nil, fmt.Errorf("trust: no files to merge")
	}
	var first cose.Multi
	var all []cose.Signature
	for i, f := range files {
		m, err := parseMessage(f)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			first = m
		} else if !bytes.Equal(m.Payload, first.Payload) {
			return nil, refuse(words.TrustListEquivocation, "files 1 and %d are signed lists of different content: %x and %x",
				i+1, short(first.Payload), short(m.Payload))
		}
		all = append(all, m.Signatures...)
	}
	l, err := ParsePayload(first.Payload)
	if err != nil {
		return nil, err
	}
	keys := slices.Clone(l.Anchors.Keys)
	for _, a := range known {
		keys = append(keys, a.Keys...)
	}
	// Of several signatures under one key id the smallest that may hold stays.
	slices.SortFunc(all, func(a, b cose.Signature) int {
		if c := bytes.Compare(a.KeyID, b.KeyID); c != 0 {
			return c
		}
		return bytes.Compare(a.Value, b.Value)
	})
	merged := cose.PrepareMulti(TypeList, first.Payload)
	for i, s := range all {
		if i > 0 && bytes.Equal(s.KeyID, all[i-1].KeyID) && bytes.Equal(s.Value, all[i-1].Value) {
			continue
		}
		one := first
		one.Signatures = []cose.Signature{s}
		if named(keys, s.KeyID) && one.Count(keys) == 0 {
			continue
		}
		if err := merged.AddFrom(&one); err != nil {
			return nil, refuseFor(err, "merging")
		}
	}
	raw := merged.Append(nil)
	if _, err := parseMessage(raw); err != nil {
		return nil, refuseFor(err, "merging: no signature holds")
	}
	return raw, nil
}

// named reports whether one of keys has this key id.
func named(keys []*cose.Key, kid []byte) bool {
	return slices.ContainsFunc(keys, func(k *cose.Key) bool {
		id := k.ID()
		return bytes.Equal(id[:], kid)
	})
}

func short(payload []byte) []byte {
	d := digest(payload)
	return d[:8]
}
