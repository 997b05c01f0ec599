package issuer

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cbor"
	"aidpass/issuer/registry"
	"aidpass/schemas"
)

// A Request asks for one credential for one unit.
type Request struct {
	Row    int // the caller's number for it, which comes back in the Result
	Unit   UnitID
	Claims map[string]any // by claim name, as schemas.Type.EncodePlain takes them; claims that stand on no card are for the gate
	Photo  []byte         // the face the card is bound to (claim photo_hash); nil: none
	PIN    string         // six digits; empty: none. Needs Batch.EpochKey
}

// A Batch is what is approved and issued together.
type Batch struct {
	Type         *schemas.Type
	Programme    string // code; also where the type has no claim for it
	ProgrammeKey []byte // of the pseudonyms; at least 16 bytes
	Round        uint64 // 0: none
	Form         credential.Form
	EpochKey     []byte          // of the sealed parts' audience; nil: requests with sealed claims are refused
	NotBefore    credential.Time // 0: at once
	ExpiresAt    credential.Time // 0: after the type's validity
	Replace      bool            // also for units whose newest credential of the place was revoked
	Requests     []Request
	Approval     Approval
}

// An Approval is the word of the person who read the batch.
type Approval struct {
	By     string   // account
	Digest [32]byte // of the batch as it was read: Batch.Digest
}

// batchLabel and requestLabel keep these hashes apart from all others.
const (
	batchLabel   = "aidpass-batch-1"
	requestLabel = "aidpass-request-1"
)

// Digest is what an approval is bound to: SHA-256 of the deterministic CBOR of
//
//	["aidpass-batch-1", vct, programme, round, form, not before, expires at, replace, [request digest ...]]
//
// with a request's digest made over ["aidpass-request-1", vct, programme, round,
// form, unit id, claims, SHA-256 of the photo or null, has a PIN]. Changing one
// value of one row after the approval changes it.
func (b *Batch) Digest() ([32]byte, error) {
	if b.Type == nil {
		return [32]byte{}, errors.New("issuer: a batch needs a credential type")
	}
	out := b.appendCommon(cbor.AppendArray(nil, 9), batchLabel)
	out = cbor.AppendInt(out, int64(b.NotBefore))
	out = cbor.AppendInt(out, int64(b.ExpiresAt))
	out = cbor.AppendBool(out, b.Replace)
	out = cbor.AppendArray(out, len(b.Requests))
	for i := range b.Requests {
		sum, err := b.requestDigest(&b.Requests[i])
		if err != nil {
			return [32]byte{}, fmt.Errorf("row %d: %w", b.Requests[i].Row, err)
		}
		out = cbor.AppendBytes(out, sum[:])
	}
	return sha256.Sum256(out), nil
}

func (b *Batch) appendCommon(dst []byte, label string) []byte {
	dst = cbor.AppendText(dst, label)
	dst = cbor.AppendText(dst, b.Type.VCT)
	dst = cbor.AppendText(dst, b.Programme)
	dst = cbor.AppendUint(dst, b.Round)
	return cbor.AppendText(dst, b.Form.String())
}

func (b *Batch) requestDigest(r *Request) (sum [32]byte, err error) {
	out := b.appendCommon(cbor.AppendArray(make([]byte, 0, 256), 9), requestLabel)
	out = cbor.AppendBytes(out, r.Unit[:])
	if out, err = registry.AppendValue(out, r.Claims); err != nil {
		return sum, err
	}
	if r.Photo == nil {
		out = cbor.AppendNull(out)
	} else {
		photo := sha256.Sum256(r.Photo)
		out = cbor.AppendBytes(out, photo[:])
	}
	// Not the PIN itself: a million guesses at a stored hash would find it.
	return sha256.Sum256(cbor.AppendBool(out, r.PIN != "")), nil
}

// check is step 1 for the batch as a whole: it makes sense, and it is what was
// approved. It fills in the expiry.
func (b *Batch) check(d *Desk, now time.Time) (expires credential.Time, err error) {
	switch {
	case b.Type == nil || b.Programme == "":
		return 0, errors.New("issuer: a batch needs a credential type and a programme")
	case len(b.ProgrammeKey) < 16:
		return 0, errors.New("issuer: a programme key has at least 16 bytes")
	case b.Form != credential.FormCWT:
		return 0, fmt.Errorf("issuer: credentials of form %s are not issued yet", b.Form)
	case b.EpochKey != nil && len(b.EpochKey) != cwt.EpochKeyBytes:
		return 0, fmt.Errorf("issuer: an epoch key has %d bytes", cwt.EpochKeyBytes)
	case b.Approval.By == "":
		return 0, ErrNotApproved
	case d.FourEyes && access.SameAccount(b.Approval.By, d.Actor.ID):
		return 0, fmt.Errorf("%w by a second person", ErrNotApproved)
	}
	digest, err := b.Digest()
	if err != nil {
		return 0, fmt.Errorf("issuer: batch: %w", err)
	}
	if digest != b.Approval.Digest {
		return 0, fmt.Errorf("%w: it was changed since %s approved it", ErrNotApproved, b.Approval.By)
	}
	at := credential.FromStd(now)
	expires = b.ExpiresAt
	if expires == 0 {
		expires = max(at, b.NotBefore) + credential.Time(b.Type.Validity)
	}
	switch {
	case expires <= max(at, b.NotBefore):
		return 0, fmt.Errorf("issuer: the credentials would expire at %s, before they are valid", expires)
	case b.Type.MaxValidity > 0 && int64(expires-at) > b.Type.MaxValidity:
		return 0, fmt.Errorf("issuer: the credentials would expire at %s, later than the type %s allows", expires, b.Type.Name)
	}
	return expires, nil
}

// ErrNotApproved: the batch is not approved as it is.
var ErrNotApproved = errors.New("issuer: the batch is not approved")

// A Refusal says why one request got no credential.
type Refusal struct {
	Code string // stable, see the constants
	Text string // for the operator; names a claim, never a value
}

func (r *Refusal) Error() string { return "issuer: " + r.Text }

// The codes of a Refusal.
const (
	RefusedGate      = "gate"        // a claim the type wants to be known is missing
	RefusedClaims    = "claims"      // a claim does not fit the type, or the card
	RefusedUnit      = "unit"        // the unit is not known, or erased
	RefusedExists    = "exists"      // an active credential of the place says something else: revoke it, then replace it
	RefusedRevoked   = "revoked"     // the newest credential of the place was revoked, and the batch replaces none
	RefusedName      = "name"        // another name for a known identifier: somebody else, or a mistyped number
	RefusedLost      = "lost"        // signed before a restore, and the card is gone: revoke it, then replace it
	RefusedOtherKey  = "other_key"   // an interrupted one waits for another card key: resume with that, or revoke it
	RefusedWithdrawn = "withdrawn"   // revoked or erased while it was being issued
	RefusedBadCard   = "bad_card"    // the signed card did not verify; it was not handed out, and can be revoked
	RefusedDuplicate = "duplicate"   // the same unit stands in the batch twice
	RefusedNumber    = "no_number"   // no free card number was found
	RefusedSealed    = "no_audience" // sealed claims or a PIN, and no epoch key to seal them with
)

func refuse(code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Text: fmt.Sprintf(format, args...)}
}

// A Result is what became of one request.
type Result struct {
	Row        int
	Unit       UnitID
	Credential Credential // with the card; zero when refused
	Replaces   CTI        // the revoked credential it stands in for; zero: none
	Text       string     // of the QR code; empty when refused
	Old        bool       // it was issued before, by the same request: nothing new was signed
	Refusal    *Refusal   // nil when issued
}

// gate is step 2: what the type wants to be known is known.
func (b *Batch) gate(values map[string]any) *Refusal {
	for _, name := range b.Type.Gate {
		if v, ok := values[name]; !ok || v == nil || v == "" {
			return refuse(RefusedGate, "claim %q is not known, and the type %s wants it to be", name, b.Type.Name)
		}
	}
	return nil
}

// values returns the claims of a request with what the batch and the card's
// identity add: programme, round, photo hash, PIN check.
func (b *Batch) values(r *Request, id CTI) (map[string]any, *Refusal) {
	values := make(map[string]any, len(r.Claims)+4)
	for name, v := range r.Claims {
		values[name] = v
	}
	// What a request says differently is refused by place, on the encoded card.
	b.fill(values, b.Type.ProgrammeClaim, b.Programme)
	if b.Round > 0 && values[b.Type.RoundsClaim] == nil {
		b.fill(values, b.Type.RoundClaim, int64(b.Round))
	}
	if r.Photo != nil {
		c := b.claimAt(schemas.PhotoHashKey)
		if c == nil {
			return nil, refuse(RefusedClaims, "the type %s has no claim for a photo", b.Type.Name)
		}
		sum := cwt.PhotoHash(id[:], r.Photo)
		values[c.Name] = sum[:]
	}
	if r.PIN != "" {
		c := b.claimAt(schemas.PINCheckKey)
		if c == nil {
			return nil, refuse(RefusedClaims, "the type %s has no claim for a PIN", b.Type.Name)
		}
		if b.EpochKey == nil {
			return nil, refuse(RefusedSealed, "a PIN is kept sealed, and there is no epoch key")
		}
		sum, err := cwt.PINCheck(b.EpochKey, id[:], r.PIN)
		if err != nil {
			return nil, refuse(RefusedClaims, "%v", err)
		}
		values[c.Name] = sum[:]
	}
	return values, nil
}

// fill sets a claim the batch knows, unless the request says it itself. In a
// delegation it is a list.
func (b *Batch) fill(values map[string]any, name string, v any) {
	c := b.Type.Claim(name)
	if c == nil || values[name] != nil {
		return
	}
	switch v := v.(type) {
	case string:
		values[name] = v
		if c.Kind == schemas.KindCodes {
			values[name] = []string{v}
		}
	case int64:
		values[name] = v
		if c.Kind == schemas.KindInts {
			values[name] = []int64{v}
		}
	}
}

// claimAt returns the type's claim with this card key, or nil.
func (b *Batch) claimAt(key int64) *schemas.Claim {
	for i := range b.Type.Claims {
		if c := &b.Type.Claims[i]; c.Key == key && c.Placement != schemas.Never {
			return c
		}
	}
	return nil
}

// build is step 3: the two parts of the card, validated by the type. sealed is nil without sealed claims.
func (b *Batch) build(d *Desk, r *Request, id CTI) (plain, sealed []byte, no *Refusal) {
	values, no := b.values(r, id)
	if no == nil {
		no = b.gate(values)
	}
	if no != nil {
		return nil, nil, no
	}
	plain, err := b.Type.EncodePlain(values)
	if err != nil {
		return nil, nil, refuse(RefusedClaims, "%v", err)
	}
	secret, err := b.Type.EncodeSealed(values)
	switch {
	case err != nil:
		return nil, nil, refuse(RefusedClaims, "%v", err)
	case secret == nil:
		return plain, nil, nil
	case b.EpochKey == nil:
		return nil, nil, refuse(RefusedSealed, "it has sealed claims, and there is no epoch key to seal them with")
	}
	if sealed, err = cwt.SealPart(b.EpochKey, d.Issuer, id, b.Type.VCT, secret); err != nil {
		return nil, nil, refuse(RefusedClaims, "%v", err)
	}
	return plain, sealed, nil
}
