package trust

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"aidpass/credential"
)

// RotationNotice is how long before its first use a successor key is published,
// so that service points have it before they meet it: 45 days, in seconds. A
// consortium whose packs live longer publishes earlier.
const RotationNotice = 45 * day

// Draft is a list being written. Its acts check what they are told and leave
// the draft as it was when they refuse; Encode checks the whole. The fields are
// open for reading and for setting the dates.
type Draft struct {
	ID                 string
	Sequence           uint64
	Issued, NextUpdate credential.Time // set before the acts: they judge by Issued
	Anchors            Anchors
	FloorReset         bool
	Organisations      []*Organisation // sorted by ID
	Recognitions       []Recognition   // sorted by List
	Removed            []Removed       // sorted by ID

	base *List // what it follows; nil for the first list
}

// NewDraft starts the first list of a consortium.
func NewDraft(id string, anchors Anchors) *Draft {
	return &Draft{ID: id, Sequence: 1, Anchors: anchors}
}

// FromList starts the list that follows l, with the next sequence and no dates.
// Withdrawals in force on l are written down as compromised keys: a list
// without them would undo them. Refused entries and organisations of recognised
// lists are left out, and a floor reset is not repeated.
func FromList(l *List) *Draft {
	d := &Draft{ID: l.ID, Sequence: l.Sequence + 1, Anchors: l.Anchors, Removed: slices.Clone(l.Removed), base: l}
	for _, o := range l.Organisations {
		if o.Recognised == nil {
			d.Organisations = append(d.Organisations, o.clone())
		}
	}
	for _, r := range l.Recognitions {
		r.Sequence, r.Issued, r.NextUpdate = 0, 0, 0
		d.Recognitions = append(d.Recognitions, r)
	}
	return d
}

func (o *Organisation) clone() *Organisation {
	c := *o
	c.Names, c.Grants, c.StatusPrefixes = maps.Clone(o.Names), slices.Clone(o.Grants), slices.Clone(o.StatusPrefixes)
	c.Keys = make([]*Key, len(o.Keys))
	for i, k := range o.Keys {
		x := *k
		x.Org, x.next, x.listed = &c, nil, x.State
		c.Keys[i] = &x
	}
	return &c
}

// Organisation returns the entry with the given id, or nil.
func (d *Draft) Organisation(id string) *Organisation {
	if i, found := d.search(id); found {
		return d.Organisations[i]
	}
	return nil
}

func (d *Draft) search(id string) (int, bool) {
	return slices.BinarySearchFunc(d.Organisations, id, func(o *Organisation, id string) int { return cmp.Compare(o.ID, id) })
}

// get is Organisation for acts that need one.
func (d *Draft) get(id string) (*Organisation, error) {
	if o := d.Organisation(id); o != nil {
		return o, nil
	}
	return nil, fmt.Errorf("trust: organisation %q is not on the list", id)
}

// getKey returns a key of an organisation.
func (d *Draft) getKey(id string, kid []byte) (*Key, error) {
	o, err := d.get(id)
	if err != nil {
		return nil, err
	}
	if k := o.key(kid); k != nil {
		return k, nil
	}
	return nil, fmt.Errorf("trust: organisation %q has no key %x on the list", id, kid)
}

// Encode returns the payload to be signed. It refuses what a reader would
// refuse, whole or in part, and a list that does not follow the one it was made
// from: same id, higher sequence, not issued earlier (unless it resets the
// floor, which is how a date in the far future is taken back), and notice of
// new keys.
func (d *Draft) Encode() ([]byte, error) {
	if d.Issued == 0 {
		return nil, errNoDate
	}
	if b := d.base; b != nil {
		switch {
		case d.ID != b.ID:
			return nil, fmt.Errorf("trust: list %q cannot follow list %q", d.ID, b.ID)
		case d.Sequence <= b.Sequence:
			return nil, fmt.Errorf("trust: list %d cannot follow list %d", d.Sequence, b.Sequence)
		case d.Issued < b.Issued && !d.FloorReset:
			return nil, fmt.Errorf("trust: list %d would be issued %v, before list %d of %v", d.Sequence, d.Issued, b.Sequence, b.Issued)
		}
		for _, o := range d.Organisations {
			for _, k := range o.Keys {
				if err := d.notice(o, k); err != nil {
					return nil, err
				}
			}
		}
	}
	payload := d.encode()
	l, err := ParsePayload(payload)
	if err != nil {
		return nil, err
	}
	if len(l.Faults) > 0 {
		return nil, &Refusal{Reason: l.Faults[0].Reason, Text: l.Faults[0].Text}
	}
	return payload, nil
}
