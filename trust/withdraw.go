package trust

import (
	"bytes"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/words"
)

// TypeWithdrawal is the typ of a withdrawal.
const TypeWithdrawal = "application/aidpass-withdrawal+cose"

// Withdrawal is an organisation's word that one of its keys is compromised. It
// needs no anchor: who can sign with one of the organisation's keys can do no
// more harm by it than by signing.
type Withdrawal struct {
	Org      string // id
	KID      []byte // of the key withdrawn
	At       credential.Time
	Sequence uint64 // of the trust list it was issued under
	SignedBy []byte // KID of the signing key; filled in by List.Withdraw
}

// PrepareWithdrawal makes w ready to be signed by k: the key withdrawn or any
// other listed key of the organisation that is not compromised.
func PrepareWithdrawal(k *cose.Key, w Withdrawal) (*cose.Prepared, error) {
	switch {
	case checkID(w.Org) != "":
		return nil, refuse(words.BadClaims, "withdrawal: organisation %.64q: %s", w.Org, checkID(w.Org))
	case len(w.KID) == 0 || len(w.KID) > cose.MaxKeyID:
		return nil, refuse(words.BadClaims, "withdrawal: a key id of %d bytes", len(w.KID))
	case w.At < 1 || w.At > credential.MaxTime:
		return nil, refuse(words.BadClaims, "withdrawal: %d is no time in seconds", w.At)
	}
	b := cbor.AppendMap(nil, 4)
	b = cbor.AppendText(append(b, 1), w.Org)
	b = cbor.AppendBytes(append(b, 2), w.KID)
	b = cbor.AppendUint(append(b, 3), uint64(w.At))
	b = cbor.AppendUint(append(b, 4), w.Sequence)
	return cose.Prepare(k, TypeWithdrawal, b, nil), nil
}

// readWithdrawal reads the payload of a withdrawal.
func readWithdrawal(payload []byte) (w Withdrawal, err error) {
	if err := cbor.CheckDeterministic(payload, cbor.DefaultLimits); err != nil {
		return w, refuseFor(err, "withdrawal")
	}
	var bad error
	r := cbor.NewReader(payload)
	err = members(&r, 1<<1|1<<2|1<<3|1<<4, 0, func(label uint64) {
		switch label {
		case 1:
			w.Org = string(r.Text())
		case 2:
			w.KID = bytes.Clone(r.Bytes())
		case 3:
			w.At = readTime(&r, &bad)
		case 4:
			w.Sequence = r.Uint()
		}
	})
	if err == nil {
		err = bad
	}
	if err != nil {
		return w, refuseFor(err, "withdrawal")
	}
	return w, nil
}

// OpenWithdrawal reads a withdrawal and checks that the key find returns for
// its organisation and key id signed it.
func OpenWithdrawal(raw []byte, find func(org string, kid []byte) *cose.Key) (Withdrawal, error) {
	m, err := cose.ParseSign1(raw)
	if err != nil {
		return Withdrawal{}, refuseFor(err, "withdrawal")
	}
	w, err := readWithdrawal(m.Payload)
	if err != nil {
		return w, err
	}
	_, _, err = cose.OpenTyped(raw, TypeWithdrawal, func(kid []byte) *cose.Key { return find(w.Org, kid) })
	if err != nil {
		return w, refuseFor(err, "withdrawal")
	}
	w.SignedBy = bytes.Clone(m.KeyID())
	return w, nil
}

// PeekWithdrawal reads which key an unproven withdrawal names.
func PeekWithdrawal(raw []byte) (org string, kid []byte) {
	m, err := cose.ParseSign1(raw)
	if err != nil {
		return "", nil
	}
	w, _ := readWithdrawal(m.Payload)
	return w.Org, w.KID
}

// Sight says under which list a device first met a withdrawal. A withdrawal
// cannot claim to be newer than that: else one stolen key could withdraw the
// others for good, by a date in the far future. The zero Sight is a first meeting.
type Sight struct {
	Sequence uint64          // of the list; for a recognised organisation, of its own
	Latest   credential.Time // that list's next update
}

// Withdraw applies a withdrawal met for the first time; see WithdrawAgain.
func (l *List) Withdraw(raw []byte) error {
	_, _, err := l.WithdrawAgain(raw, Sight{})
	return err
}

// WithdrawAgain applies a withdrawal to the list: from now on the key it names
// counts as compromised. sight is what an earlier call returned, so that only a
// later list undoes it, whichever pack brought it; inForce is false once one has.
//
// It must be signed by that key or by another of the organisation that the list
// does not call compromised. Whether other withdrawals name the signer does not
// matter, so the order in which they arrive does not either. A list that was
// issued later, with a higher sequence than the one the withdrawal was made
// under, has decided already: then nothing changes and no error comes back.
//
// A *Refusal: UnknownKey (organisation, key or signer not listed), KeyRevoked
// (the signer is compromised), BadSignature, or the fault of the bytes.
func (l *List) WithdrawAgain(raw []byte, sight Sight) (now Sight, inForce bool, err error) {
	var signer *Key
	w, err := OpenWithdrawal(raw, func(org string, kid []byte) *cose.Key {
		if o := l.byID[org]; o != nil {
			signer = o.signer(kid)
		}
		if signer == nil {
			return nil
		}
		return signer.Key
	})
	if err != nil {
		return sight, false, err
	}
	k := signer.Org.key(w.KID)
	switch {
	case k == nil:
		return sight, false, refuse(words.UnknownKey, "withdrawal: organisation %q lists no key %x", w.Org, w.KID)
	case signer.listed == Compromised && signer != k:
		return sight, false, refuse(words.KeyRevoked, "withdrawal: the key %x that signed it is compromised", signer.KID)
	}
	sequence, issued, next := l.Sequence, l.Issued, l.NextUpdate
	if r := k.Org.Recognised; r != nil {
		sequence, issued, next = r.Sequence, r.Issued, r.NextUpdate
	}
	if sight == (Sight{}) {
		sight = Sight{Sequence: sequence, Latest: next}
	}
	w.Sequence, w.At = min(w.Sequence, sight.Sequence), min(w.At, sight.Latest)
	if sequence > w.Sequence && issued > w.At {
		return sight, false, nil
	}
	for _, have := range l.Withdrawals {
		if have.Org == w.Org && bytes.Equal(have.KID, w.KID) && have.At == w.At && have.Sequence == w.Sequence {
			return sight, true, nil
		}
	}
	if k.State != Compromised || w.At < k.Since {
		k.Since = w.At
	}
	k.State, k.AcceptUntil = Compromised, 0
	l.Withdrawals = append(l.Withdrawals, w)
	return sight, true, nil
}

// key returns the listed key with this id, or nil.
func (o *Organisation) key(kid []byte) *Key {
	for _, k := range o.Keys {
		if bytes.Equal(k.KID, kid) {
			return k
		}
	}
	return nil
}

// signer returns the key that signs under kid, or nil. We sign under the id
// computed from the key, also where the list gives it another.
func (o *Organisation) signer(kid []byte) *Key {
	for _, k := range o.Keys {
		if id := k.Key.ID(); bytes.Equal(id[:], kid) {
			return k
		}
	}
	return o.key(kid)
}
