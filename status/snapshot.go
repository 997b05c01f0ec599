package status

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/words"
)

// The types of the compact form, docs/formats/status.md.
const (
	typeSnapshot = "application/aidpass-snapshot+cose"
	typeDelta    = "application/aidpass-delta+cose"
)

// SourceOf says what raw calls itself by its beginning, SourceCWT to SourceDelta; ""
// for none of them. Nothing of it is proved.
func SourceOf(raw []byte) string {
	head := raw[:min(len(raw), 96)] // the type stands in the protected header
	switch {
	case bytes.Contains(head, []byte(typeSnapshot)):
		return SourceSnapshot
	case bytes.Contains(head, []byte(typeDelta)):
		return SourceDelta
	case bytes.Contains(head, []byte(typeCWT)):
		return SourceCWT
	case bytes.HasPrefix(head, []byte("eyJ")):
		return SourceJWT
	}
	return ""
}

var compactLimits = cbor.Limits{Depth: 3, Entries: 16}

// PrepareSnapshot builds the compact form of the whole list that k will sign.
// next is when a newer one may be expected.
func PrepareSnapshot(k *cose.Key, r *Register, iat, next credential.Time) (*cose.Prepared, error) {
	if err := r.checkTimes(iat, next, "next update at"); err != nil {
		return nil, err
	}
	invalid := encode(r.state.size, r.state.bits, nil, nowInvalid)
	suspended := encode(r.state.size, r.state.bits, nil, nowSuspended)
	p := cbor.AppendMap(make([]byte, 0, len(invalid.bits)+len(suspended.bits)+len(r.uri)+100), 7)
	p = r.appendCommon(p, iat, invalid, suspended, next)
	return cose.Prepare(k, typeSnapshot, p, nil), nil
}

// appendCommon appends members 1 to 7, which snapshot and delta share.
func (r *Register) appendCommon(p []byte, iat credential.Time, invalid, suspended set, next credential.Time) []byte {
	digest := sha256.Sum256(r.state.bits)
	p = cbor.AppendText(cbor.AppendInt(p, 1), r.uri)
	p = cbor.AppendInt(cbor.AppendInt(p, 2), int64(iat))
	p = cbor.AppendUint(cbor.AppendInt(p, 3), r.state.size)
	p = cbor.AppendBytes(cbor.AppendInt(p, 4), digest[:])
	p = invalid.append(cbor.AppendInt(p, 5))
	p = suspended.append(cbor.AppendInt(p, 6))
	return cbor.AppendInt(cbor.AppendInt(p, 7), int64(next))
}

// PrepareDelta builds what changed since base, for k to sign. base is the list
// as it was opened from an earlier token, snapshot or delta of r. The error is
// ErrFinal if an entry that base has as INVALID is not INVALID any more.
func PrepareDelta(k *cose.Key, base *List, r *Register, iat, next credential.Time) (*cose.Prepared, error) {
	if err := r.checkTimes(iat, next, "next update at"); err != nil {
		return nil, err
	}
	if base.URI != r.uri || base.Size != r.state.size || base.IssuedAt >= iat {
		return nil, fmt.Errorf("status: no delta from list %q of %v (%d entries) to %q of %v (%d entries)",
			base.URI, base.IssuedAt, base.Size, r.uri, iat, r.state.size)
	}
	old, now, size := base.Bits, r.state.bits, r.state.size
	if lost := firstLost(old, now); lost >= 0 {
		return nil, fmt.Errorf("%w: %d of list %q", ErrFinal, lost, r.uri)
	}
	invalid := encode(size, now, old, nowInvalid)
	suspended := encode(size, now, old, nowSuspended)
	valid := encode(size, now, old, nowValid)
	before := sha256.Sum256(old)
	p := cbor.AppendMap(make([]byte, 0, len(invalid.bits)+len(suspended.bits)+len(valid.bits)+len(r.uri)+160), 10)
	p = r.appendCommon(p, iat, invalid, suspended, next)
	p = valid.append(cbor.AppendInt(p, 8))
	p = cbor.AppendBytes(cbor.AppendInt(p, 9), before[:])
	p = cbor.AppendInt(cbor.AppendInt(p, 10), int64(base.IssuedAt))
	return cose.Prepare(k, typeDelta, p, nil), nil
}

// compact is the payload of a snapshot or delta, not yet judged.
type compact struct {
	uri                []byte
	iat, next, baseIat credential.Time
	size               uint64
	digest, base       []byte
	invalid, suspended set
	valid              set
}

// openCompact checks the signature and reads members 1 to n.
func openCompact(raw []byte, typ string, n int, find func(kid []byte) *cose.Key) (c compact, l *List, err error) {
	if len(raw) > MaxBytes {
		return c, nil, refuse(words.TooLarge, "a list of %d bytes", len(raw))
	}
	var kid []byte
	payload, key, err := cose.OpenTyped(raw, typ, func(named []byte) *cose.Key {
		kid = bytes.Clone(named)
		return find(named)
	})
	if err != nil {
		return c, nil, envelope(err)
	}
	if err := cbor.CheckDeterministic(payload, compactLimits); err != nil {
		return c, nil, content(err)
	}
	r := cbor.NewReader(payload)
	if r.Map() != n {
		return c, nil, malformed("not a map of %d members", n)
	}
	for want := range n {
		if r.Int() != int64(want)+1 {
			return c, nil, malformed("member %d is missing", want+1)
		}
		c.read(want+1, &r)
	}
	if !r.Done() {
		return c, nil, malformed("payload: %w", r.Err())
	}
	switch {
	case len(c.uri) == 0 || len(c.uri) > MaxURI:
		return c, nil, malformed("a list URI of %d bytes", len(c.uri))
	case !sensible(c.iat) || !sensible(c.next) || c.next <= c.iat:
		return c, nil, malformed("issued at %d, next update at %d", c.iat, c.next)
	case c.size > MaxSize:
		return c, nil, refuse(words.TooLarge, "a list of %d entries", c.size)
	case c.size == 0 || c.size%4 != 0:
		return c, nil, malformed("a list of %d entries", c.size)
	}
	return c, &List{URI: string(c.uri), IssuedAt: c.iat, NextUpdate: c.next, Size: c.size, KeyID: kid, Key: key}, nil
}

func (c *compact) read(member int, r *cbor.Reader) {
	switch member {
	case 1:
		c.uri = r.Text()
	case 2:
		c.iat = credential.Time(r.Int())
	case 3:
		c.size = r.Uint()
	case 4:
		c.digest = r.Bytes()
	case 5:
		c.invalid = readSet(r)
	case 6:
		c.suspended = readSet(r)
	case 7:
		c.next = credential.Time(r.Int())
	case 8:
		c.valid = readSet(r)
	case 9:
		c.base = r.Bytes()
	case 10:
		c.baseIat = credential.Time(r.Int())
	}
}

// OpenSnapshot reads the compact form of a list. find and errors are those of
// OpenCWT; the message must be in our strict form. Memory for the entries, 4 MiB
// at most, is taken after the signature was found good.
func OpenSnapshot(raw []byte, find func(kid []byte) *cose.Key) (*List, error) {
	c, l, err := openCompact(raw, typeSnapshot, 7, find)
	if err != nil {
		return nil, err
	}
	l.Source = SourceSnapshot
	l.Bits = make([]byte, l.Size/4)
	if err := c.apply(l.Bits, l.Bits); err != nil {
		return nil, err
	}
	return l, nil
}

// ApplyDelta returns the list that base becomes by the delta in raw; base is
// not changed. find and errors are those of OpenSnapshot; further, *Refusal
// with StatusWrongList for a delta to another base and with StatusRollback for
// one not newer than base.
func ApplyDelta(base *List, raw []byte, find func(kid []byte) *cose.Key) (*List, error) {
	c, l, err := openCompact(raw, typeDelta, 10, find)
	if err != nil {
		return nil, err
	}
	before := sha256.Sum256(base.Bits)
	switch {
	case l.URI != base.URI:
		return nil, refuse(words.StatusWrongList, "a delta to list %q, not %q", l.URI, base.URI)
	case c.baseIat >= c.iat:
		return nil, malformed("issued at %v, its base at %v", c.iat, c.baseIat)
	case c.iat <= base.IssuedAt:
		return nil, refuse(words.StatusRollback, "a delta of %v to list %q of %v", c.iat, l.URI, base.IssuedAt)
	case c.baseIat != base.IssuedAt || c.size != base.Size || !bytes.Equal(c.base, before[:]):
		return nil, refuse(words.StatusWrongList, "a delta to list %q of %v, not to this one of %v", l.URI, c.baseIat, base.IssuedAt)
	}
	l.Source = SourceDelta
	l.Bits = bytes.Clone(base.Bits)
	if err := c.apply(l.Bits, base.Bits); err != nil {
		return nil, err
	}
	return l.after(base), nil
}

// apply sets the entries of the three sets in b and compares the digest. old is
// what they were: only a change that old allows may be there, and none twice,
// so that every list has one delta. old may be b itself, all valid.
func (c *compact) apply(b, old []byte) error {
	const valid, suspended = 1 << Valid, 1 << Suspended
	changes := []struct {
		set  set
		to   Value
		from byte // a bit for each state it may come from
	}{{c.invalid, Invalid, valid | suspended}, {c.suspended, Suspended, valid}, {c.valid, Valid, suspended}}
	if c.base == nil {
		changes = changes[:2] // a snapshot has no third set
	}
	for _, change := range changes {
		wrong := false
		err := change.set.each(c.size, func(i uint64) {
			shift := i % 4 * 2
			was := old[i/4] >> shift & 3
			if b[i/4]>>shift&3 != was || change.from>>was&1 == 0 {
				wrong = true
				return
			}
			put(b, i, change.to)
		})
		if err == nil && wrong {
			err = fmt.Errorf("an entry becomes %v that cannot, or becomes two things", change.to)
		}
		if err != nil {
			return malformed("list %q: %w", c.uri, err)
		}
	}
	if digest := sha256.Sum256(b); !bytes.Equal(digest[:], c.digest) {
		return malformed("list %q: the entries do not give the digest", c.uri)
	}
	return nil
}
