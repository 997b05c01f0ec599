package trust

import (
	"bytes"
	"fmt"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/words"
)

// Recognise joins the list of another consortium, as far as this list
// recognises it: its issuers may issue the types, and count in the countries,
// that the recognition names, until its re-check date.
//
// raw must be signed by the anchors pinned in the recognition. Its own
// recognitions are not followed, and only its card, vc, status and device-ca
// keys are taken: nobody's recognition makes our packs or asks our wallets. An
// organisation of it that bears the id of one of ours (now or once), holds one
// of our keys, or claims one of our status prefixes is refused and reported in
// Faults, and so is one that an earlier joined list has; the rest is taken.
//
// A *Refusal of the whole: IssuerNotAuthorised (not recognised),
// TrustListExpired (past the re-check date at time at), TrustListEquivocation
// (a list of that id is joined already), and those of Open.
func (l *List) Recognise(raw []byte, at credential.Time) error {
	m, err := parseMessage(raw)
	if err != nil {
		return err
	}
	id := peekID(m.Payload)
	var entry *Recognition
	for i := range l.Recognitions {
		if l.Recognitions[i].List == id {
			entry = &l.Recognitions[i]
		}
	}
	switch {
	case entry == nil:
		return refuse(words.IssuerNotAuthorised, "list %q is not recognised", id)
	case at > entry.Recheck:
		return refuse(words.TrustListExpired, "the recognition of list %q ended %v", id, entry.Recheck)
	case entry.Sequence != 0:
		return refuse(words.TrustListEquivocation, "list %q is joined already", id)
	}
	other, err := Open(raw, entry.Anchors)
	if err != nil {
		return err
	}
	entry.Sequence, entry.Issued, entry.NextUpdate = other.Sequence, other.Issued, other.NextUpdate
	joined := *entry
	prefixes := l.prefixesByHost() // as they were: inside one list overlaps are its own matter
	for _, f := range other.Faults {
		f.Text = fmt.Sprintf("list %q: %s", id, f.Text)
		l.Faults = append(l.Faults, f)
	}
	for _, o := range other.Organisations {
		if why := l.ours(o, prefixes); why != "" {
			l.Faults = append(l.Faults, Fault{Org: o.ID, Reason: words.IssuerNotAuthorised,
				Text: fmt.Sprintf("list %q, organisation %q: %s", id, o.ID, why)})
			continue
		}
		o.Recognised = &joined
		o.Keys = taken(other, o)
		for _, k := range o.Keys {
			if !k.refused {
				l.thumbs[k.Key.Thumbprint()] = true
			}
		}
		l.join(o)
		l.Organisations = append(l.Organisations, o)
	}
	return nil
}

// peekID reads member 1 of a list, which stands first. It serves to choose the
// anchors only: the list must still open under them.
func peekID(payload []byte) string {
	r := cbor.NewReader(payload)
	if r.Map() > 0 && r.Kind() == cbor.Uint && r.Uint() == 1 {
		return string(r.Text())
	}
	return ""
}

// Peek reads the id and sequence of a list that nobody has proved: to hold its
// number against a remembered one before it is opened.
func Peek(raw []byte) (id string, sequence uint64) {
	m, err := parseMessage(raw)
	if err != nil {
		return "", 0
	}
	r := cbor.NewReader(m.Payload)
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		switch r.Uint() {
		case 1:
			id = string(r.Text())
		case 2:
			return id, r.Uint()
		default:
			r.Skip()
		}
	}
	return id, 0
}

// ours says what in o belongs to somebody known here, "" if nothing does.
func (l *List) ours(o *Organisation, prefixes map[string][]string) string {
	if l.byID[o.ID] != nil {
		return "it bears the id of an organisation listed here"
	}
	if _, once := l.removed[o.ID]; once {
		return "it bears the id of an organisation removed here"
	}
	for _, k := range o.Keys {
		if l.thumbs[k.Key.Thumbprint()] {
			return "it holds a key of this list"
		}
	}
	for _, q := range o.StatusPrefixes {
		for _, p := range prefixes[host(q)] {
			if overlap(p, q) {
				return "it claims a status prefix of this list"
			}
		}
	}
	return ""
}

// prefixesByHost returns the status prefixes of everybody on the list. Those
// that overlap have one host.
func (l *List) prefixesByHost() map[string][]string {
	by := map[string][]string{}
	for _, o := range l.Organisations {
		for _, p := range o.StatusPrefixes {
			by[host(p)] = append(by[host(p)], p)
		}
	}
	return by
}

// taken returns the keys of o that a recognition takes over, and with them the
// refused ones, so that Find can still tell.
func taken(other *List, o *Organisation) []*Key {
	var keys []*Key
	for _, k := range o.Keys {
		switch k.Use {
		case UseCard, UseVC, UseStatus, UseDeviceCA:
			k.next = nil
			keys = append(keys, k)
		}
	}
	for _, f := range other.Faults {
		if f.Org == o.ID && len(f.KID) > 0 {
			keys = append(keys, &Key{KID: bytes.Clone(f.KID), Org: o, refused: true})
		}
	}
	return keys
}
