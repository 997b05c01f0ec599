package trust

import (
	"fmt"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/words"
)

// Longest texts, in bytes.
const (
	maxName = 256
	maxLang = 35 // RFC 5646 4.4.1
	maxCode = 128

	maxReplaced = 64 // organisations in one right to re-issue: each card that replaces is held against all

	// maxSequence leaves room above any list that honest custodians sign.
	maxSequence = 1 << 53
)

// ParsePayload reads the payload of a list that nobody may have signed yet:
// what a custodian is asked to sign. It proves nothing.
func ParsePayload(payload []byte) (*List, error) {
	if len(payload) > MaxListBytes {
		return nil, refuse(words.TooLarge, "the list has %d bytes, at most %d", len(payload), MaxListBytes)
	}
	if err := checkPayload(payload); err != nil {
		return nil, err
	}
	return decode(payload)
}

// peekAnchors reads member 5 of a list that passed checkPayload, nothing else.
func peekAnchors(payload []byte) (a Anchors, err error) {
	r := cbor.NewReader(payload)
	if r.Kind() != cbor.Map {
		return a, refuse(words.BadClaims, "the list is not a map")
	}
	for n := r.Map(); n > 0; n-- {
		if r.Kind() == cbor.Uint && r.Uint() == 5 {
			return readAnchors(&r)
		}
		r.Skip()
	}
	return a, refuse(words.BadClaims, "the list names no anchors")
}

// decoder reads one list. What it makes shares no memory with the payload.
type decoder struct {
	l     *List
	texts map[string]string // one copy of each code, however often it stands
	items int
	keys  int
}

// checkPayload: a list is deterministic CBOR, so one content has one digest.
func checkPayload(payload []byte) error {
	if err := cbor.CheckDeterministic(payload, listLimits); err != nil {
		return refuseFor(err, "reading the list")
	}
	return nil
}

// decode reads a list that passed checkPayload.
func decode(payload []byte) (*List, error) {
	l := &List{digest: digest(payload), byID: map[string]*Organisation{}, byKID: map[string]*Key{},
		thumbs: map[[32]byte]bool{}, removed: map[string]credential.Time{}}
	d := &decoder{l: l, texts: map[string]string{}}
	var orgs, recognitions, removed []byte
	var bad error
	r := cbor.NewReader(payload)
	err := members(&r, 1<<1|1<<2|1<<3|1<<4|1<<5|1<<6, 1<<7|1<<8|1<<9, func(label uint64) {
		switch label {
		case 1:
			l.ID = d.text(r.Text())
		case 2:
			l.Sequence = r.Uint()
		case 3:
			l.Issued = readTime(&r, &bad)
		case 4:
			l.NextUpdate = readTime(&r, &bad)
		case 5:
			var err error
			if l.Anchors, err = readAnchors(&r); err != nil && bad == nil {
				bad = err
			}
		case 6:
			orgs = r.Raw()
		case 7:
			recognitions = r.Raw()
		case 8:
			l.FloorReset = true
			if r.Uint() != 1 && bad == nil {
				bad = refuse(words.BadClaims, "the floor reset is not 1")
			}
		case 9:
			removed = r.Raw()
		}
	})
	switch why := checkID(l.ID); {
	case err != nil:
		return nil, refuseFor(err, "reading the list")
	case bad != nil:
		return nil, refuseFor(bad, "reading the list")
	case why != "":
		return nil, refuse(words.BadClaims, "the id of the list: %s", why)
	case l.Sequence == 0 || l.Sequence > maxSequence:
		return nil, refuse(words.BadClaims, "the list has sequence %d", l.Sequence)
	case l.NextUpdate <= l.Issued:
		return nil, refuse(words.BadClaims, "the list ends before it begins")
	}
	for _, k := range l.Anchors.Keys {
		l.thumbs[k.Thumbprint()] = true
	}
	if err := d.organisations(orgs); err != nil {
		return nil, err
	}
	if err := d.recognitions(recognitions); err != nil {
		return nil, err
	}
	if err := d.removed(removed); err != nil {
		return nil, err
	}
	if d.full() {
		return nil, errTooMuch
	}
	l.index()
	return l, nil
}

var errTooMuch = refuse(words.TooLarge, "the list holds more than %d keys, %d items or %d refused entries", MaxKeys, maxItems, maxFaults)

// full reports that the list went over a limit; readers stop.
func (d *decoder) full() bool {
	return d.items > maxItems || d.keys > MaxKeys || len(d.l.Faults) > maxFaults
}

// text counts and copies a text; equal ones share one copy.
func (d *decoder) text(b []byte) string {
	d.items++
	if s, ok := d.texts[string(b)]; ok {
		return s
	}
	s := string(b)
	d.texts[s] = s
	return s
}

func (d *decoder) fault(org string, kid []byte, reason words.Reason, format string, args ...any) {
	if d.full() {
		return
	}
	d.l.Faults = append(d.l.Faults, Fault{Org: org, KID: kid, Reason: reason, Text: fmt.Sprintf(format, args...)})
}

// each calls take with every element of an encoded array; nil is an absent one.
func (d *decoder) each(list []byte, take func(raw []byte)) error {
	if list == nil {
		return nil
	}
	r := cbor.NewReader(list)
	if r.Kind() != cbor.Array {
		return refuse(words.BadClaims, "not an array")
	}
	for n := r.Array(); n > 0; n-- {
		if d.full() {
			return errTooMuch
		}
		d.items++
		take(r.Raw())
	}
	return nil
}

func (d *decoder) organisations(list []byte) error {
	n, before := 0, ""
	sorted, twice := true, map[string]bool{}
	err := d.each(list, func(raw []byte) {
		n++
		o, err := d.organisation(raw)
		if err != nil {
			d.fault(o.ID, nil, reasonFor(err), "organisation %d, %q: %v", n, o.ID, err)
		}
		if o.ID == "" {
			return
		}
		sorted = sorted && before <= o.ID
		if before == o.ID {
			twice[o.ID] = true
			d.fault(o.ID, nil, words.BadClaims, "organisation %q stands on the list twice: neither counts", o.ID)
			return
		}
		before = o.ID
		if err == nil {
			d.l.Organisations = append(d.l.Organisations, o)
		}
	})
	switch {
	case err != nil:
		return refuseFor(err, "the organisations")
	case !sorted:
		return refuse(words.NonCanonical, "the organisations are not in the order of their ids")
	}
	kept := d.l.Organisations[:0]
	for _, o := range d.l.Organisations {
		if !twice[o.ID] {
			kept = append(kept, o)
		}
	}
	clear(d.l.Organisations[len(kept):])
	d.l.Organisations = kept
	return nil
}

func (d *decoder) recognitions(list []byte) error {
	n, before, sorted := 0, "", true
	err := d.each(list, func(raw []byte) {
		n++
		c, err := d.recognition(raw)
		if err == nil && c.List == d.l.ID {
			err = refuse(words.BadClaims, "a list cannot recognise itself")
		}
		if err != nil {
			d.fault("", nil, reasonFor(err), "recognition %d, of list %.64q: %v", n, c.List, err)
			return
		}
		sorted = sorted && before < c.List
		before = c.List
		d.l.Recognitions = append(d.l.Recognitions, c)
	})
	switch {
	case err != nil:
		return refuseFor(err, "the recognitions")
	case !sorted:
		return refuse(words.NonCanonical, "the recognitions are not in the order of their ids, or one stands twice")
	}
	return nil
}

func (d *decoder) recognition(raw []byte) (c Recognition, err error) {
	var bad error
	r := cbor.NewReader(raw)
	err = members(&r, 1<<1|1<<2|1<<3|1<<5, 1<<4, func(label uint64) {
		switch label {
		case 1:
			c.List = d.text(r.Text())
			if why := checkID(c.List); why != "" && r.Err() == nil {
				bad = refuse(words.BadClaims, "id: %s", why)
			}
		case 2:
			a := cbor.NewReader(r.Raw())
			var err error
			if c.Anchors, err = readAnchors(&a); err != nil {
				bad = err
			}
		case 3:
			c.Types = d.codes(&r, &bad, "type")
		case 4:
			c.Countries = d.countries(&r, &bad)
		case 5:
			c.Recheck = readTime(&r, &bad)
		}
	})
	if err == nil {
		err = bad
	}
	return c, err
}

func (d *decoder) removed(list []byte) error {
	before, sorted := "", true
	err := d.each(list, func(raw []byte) {
		var x Removed
		var bad error
		m := cbor.NewReader(raw)
		err := members(&m, 1<<1|1<<2, 0, func(label uint64) {
			if label == 1 {
				x.ID = d.text(m.Text())
			} else {
				x.Since = readTime(&m, &bad)
			}
		})
		if err == nil {
			err = bad
		}
		if why := checkID(x.ID); err == nil && why != "" {
			err = refuse(words.BadClaims, "id: %s", why)
		}
		if err != nil {
			d.fault("", nil, reasonFor(err), "removed organisation %.64q: %v", x.ID, err)
			return
		}
		sorted = sorted && before < x.ID
		before = x.ID
		d.l.Removed = append(d.l.Removed, x)
	})
	switch {
	case err != nil:
		return refuseFor(err, "the removed organisations")
	case !sorted:
		return refuse(words.NonCanonical, "the removed organisations are not in the order of their ids, or one stands twice")
	}
	return nil
}
