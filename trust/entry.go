package trust

import (
	"slices"

	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/words"
)

// TypeEntry is the typ of an organisation's own entry.
const TypeEntry = "application/aidpass-organisation+cose"

// maxEntryKeys bounds the keys of one entry: a dozen uses and their successors.
const maxEntryKeys = 64

// PrepareEntry makes the entry with which an organisation asks to be listed: o
// without rights, to be signed by every key in it but those that only open what
// is sealed. So nobody is listed with a key that is another's, and with it no
// other's key is refused as a second one.
func PrepareEntry(o *Organisation) (*cose.PreparedMulti, error) {
	bare := *o
	bare.Grants = nil
	payload := bare.append(nil)
	if _, err := readEntry(payload); err != nil {
		return nil, err
	}
	return cose.PrepareMulti(TypeEntry, payload), nil
}

// OpenEntry reads an organisation's own entry and checks that each key in it
// signed. It has no rights: those are the list keeper's to give. Any fault of any
// key refuses the whole (*Refusal).
func OpenEntry(raw []byte) (*Organisation, error) {
	if len(raw) > MaxListBytes {
		return nil, refuse(words.TooLarge, "an entry of %d bytes", len(raw))
	}
	m, err := cose.ParseMulti(raw, maxEntryKeys)
	if err != nil {
		return nil, refuseFor(err, "entry of an organisation")
	}
	if string(m.Type) != TypeEntry {
		return nil, refuse(words.WrongTyp, "this is %.64q, not the entry of an organisation", m.Type)
	}
	o, err := readEntry(m.Payload)
	if err != nil {
		return nil, err
	}
	var signing []*cose.Key
	for _, k := range o.Keys {
		if k.Use != UseSeal {
			signing = append(signing, k.Key)
		}
	}
	signed := m.Signers(signing)
	for _, k := range signing {
		if !slices.Contains(signed, k) {
			return nil, refuse(words.BadSignature, "entry of %q: its key %x did not sign", o.ID, k.ID())
		}
	}
	return o, nil
}

func readEntry(payload []byte) (*Organisation, error) {
	if err := cbor.CheckDeterministic(payload, listLimits); err != nil {
		return nil, refuseFor(err, "entry of an organisation")
	}
	d := &decoder{l: &List{}, texts: map[string]string{}}
	o, err := d.organisation(payload)
	if err != nil {
		return nil, refuseFor(err, "entry of an organisation")
	}
	if len(d.l.Faults) > 0 {
		return nil, refuse(d.l.Faults[0].Reason, "%s", d.l.Faults[0].Text)
	}
	seen := map[[32]byte]bool{}
	for _, k := range o.Keys {
		thumb := k.Key.Thumbprint()
		switch {
		case seen[thumb]:
			return nil, refuse(words.BadKey, "entry of %q: key %x stands in it twice", o.ID, k.KID)
		case k.State != Active || !k.plainKID():
			return nil, refuse(words.BadKey, "entry of %q: key %x is not a plain active one", o.ID, k.KID)
		}
		seen[thumb] = true
	}
	switch {
	case len(o.Grants) > 0:
		return nil, refuse(words.BadClaims, "entry of %q: it gives itself rights", o.ID)
	case len(o.Keys) == 0 || len(o.Keys) > maxEntryKeys:
		return nil, refuse(words.BadClaims, "entry of %q: %d keys", o.ID, len(o.Keys))
	}
	return o, nil
}
