package issuer

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
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

	ExpiresAt credential.Time // 0: the batch's. A provisional card ends earlier; never later
	Override  string          // why it is issued although the gate refuses it: a second person's reason code; empty: it is not
	// OverrideBy is the account that gave the reason, for the log; empty: the second person.
	OverrideBy   string
	OverrideNote string // what else was said of it, for the log
	Replaces     CTI    // the unit's active credential of the place, revoked in the step that takes its place; zero: none

	// Holder is the key of the phone that will show the credential, for every form
	// but that of cards. Copy tells one wallet's one-time credentials apart: 0, 1, 2 ...
	// An approval says nothing of either: see Batch.Digest.
	Holder *cose.Key
	Copy   int

	// Former is whom another organisation's card calls the unit, as ProveFormer says it:
	// this card and every later one of the unit in the programme stands in for that.
	Former credential.Former // zero: nobody, or as said before
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
	Offered      credential.Time // when a wallet was offered them: see Desk.IssueWallet; 0 elsewhere
	Suspended    bool            // they come into being on hold, such as cards that nobody has yet
	Reason       string          // of what is revoked where a Request replaces; a code
	Gate         Gate            // asked of every unit, besides what the type wants to be known; nil: not asked
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
//
// A request in the place of another organisation's card has [issuer, pseudonym] of
// that as the last item of its digest.
//
// A request that ends by itself, passes the gate by an override or replaces a
// credential has true as a tenth item of that if it ends by itself, and stands in
// the list as SHA-256 of [that digest, expires at, override, replaced identity];
// a batch that is suspended has true as its tenth item. So a digest means the same
// for ever, and the end of a provisional card, which is reckoned from the day, is
// what was approved, but does not make it another card tomorrow.
//
// A wallet makes its keys when it fetches, after the approval, and as many as it
// keeps one-time credentials: neither the keys nor the copies after the first of a
// unit are part of the digest. They are part of what is remembered as asked for.
func (b *Batch) Digest() ([32]byte, error) {
	if b.Type == nil {
		return [32]byte{}, errors.New("issuer: a batch needs a credential type")
	}
	items := 9
	if b.Suspended {
		items++
	}
	out := b.appendCommon(cbor.AppendArray(nil, items), batchLabel)
	out = cbor.AppendInt(out, int64(b.NotBefore))
	out = cbor.AppendInt(out, int64(b.ExpiresAt))
	out = cbor.AppendBool(out, b.Replace)
	firsts := 0
	for i := range b.Requests {
		if b.Requests[i].Copy == 0 {
			firsts++
		}
	}
	out = cbor.AppendArray(out, firsts)
	for i := range b.Requests {
		if b.Requests[i].Copy > 0 {
			continue
		}
		sum, err := b.requestDigest(&b.Requests[i])
		if err != nil {
			return [32]byte{}, fmt.Errorf("row %d: %w", b.Requests[i].Row, err)
		}
		sum = b.Requests[i].approved(sum)
		out = cbor.AppendBytes(out, sum[:])
	}
	if b.Suspended {
		out = cbor.AppendBool(out, true)
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

// approved is what the approval is bound to besides the card itself.
func (r *Request) approved(card [32]byte) [32]byte {
	replaces := r.Replaces
	if r.Holder != nil {
		replaces = CTI{} // that a wallet is replaced is approved by Batch.Replace, whatever it holds by then
	}
	if r.ExpiresAt == 0 && r.Override == "" && replaces == (CTI{}) {
		return card
	}
	out := cbor.AppendBytes(cbor.AppendArray(nil, 4), card[:])
	out = cbor.AppendInt(out, int64(r.ExpiresAt))
	out = cbor.AppendText(out, r.Override)
	return sha256.Sum256(cbor.AppendBytes(out, replaces[:]))
}

// requestDigest says which card is asked for: the same request again is known by it.
func (b *Batch) requestDigest(r *Request) (sum [32]byte, err error) {
	items := 9
	if r.ExpiresAt != 0 {
		items++
	}
	if r.Former != (credential.Former{}) {
		items++
	}
	out := b.appendCommon(cbor.AppendArray(make([]byte, 0, 256), items), requestLabel)
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
	out = cbor.AppendBool(out, r.PIN != "")
	if r.ExpiresAt != 0 {
		out = cbor.AppendBool(out, true)
	}
	if f := r.Former; f != (credential.Former{}) {
		out = cbor.AppendText(cbor.AppendText(cbor.AppendArray(out, 2), f.Issuer), f.Pseudonym)
	}
	return sha256.Sum256(out), nil
}

// check is step 1 for the batch as a whole: it makes sense, and it is what was
// approved. It fills in the expiry.
func (b *Batch) check(d *Desk, now time.Time) (expires credential.Time, err error) {
	switch {
	case b.Type == nil || b.Programme == "":
		return 0, errors.New("issuer: a batch needs a credential type and a programme")
	case len(b.ProgrammeKey) < 16:
		return 0, errors.New("issuer: a programme key has at least 16 bytes")
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
	if err := b.checkRequests(d); err != nil {
		return 0, err
	}
	if err := b.checkHolders(); err != nil {
		return 0, err
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

// checkRequests is check for what single requests want of the whole.
func (b *Batch) checkRequests(d *Desk) error {
	second := d.Actor.SecondPerson != "" || !access.SameAccount(b.Approval.By, d.Actor.ID)
	if n := len(b.Requests); b.Replace && n > BulkLimit && !second {
		return fmt.Errorf("issuer: new cards for those whose card was revoked, %d people at once: %w", n, ErrSecondPerson)
	}
	for i := range b.Requests {
		r := &b.Requests[i]
		switch {
		case r.Override != "" && !second:
			return fmt.Errorf("issuer: row %d: %w", r.Row, ErrSecondPerson)
		case r.Replaces != (CTI{}) && strings.TrimSpace(b.Reason) == "":
			return fmt.Errorf("issuer: row %d: a replacement needs a reason", r.Row)
		}
	}
	return nil
}

// ErrSecondPerson: the act needs a second person (Actor.SecondPerson), or a batch
// that somebody else approved.
var ErrSecondPerson = errors.New("issuer: a second person must confirm this")

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
	RefusedGate      = "gate"          // a claim the type wants to be known is missing, or the gate refuses the record
	RefusedClaims    = "claims"        // a claim does not fit the type, or the card
	RefusedUnit      = "unit"          // the unit is not known, or erased
	RefusedExists    = "exists"        // an active credential of the place says something else: revoke it, then replace it
	RefusedRevoked   = "revoked"       // the newest credential of the place was revoked, and the batch replaces none
	RefusedAlone     = "second_person" // the newest credential of the place was revoked before its time, or one in another form is on hold or was revoked: a second person must confirm a new one
	RefusedReplaced  = "replaced"      // the credential to be replaced is not the unit's of this place
	RefusedFormer    = "former"        // the other organisation's card is not proved, may not be replaced, or another unit has its place
	RefusedName      = "name"          // another name for a known identifier: somebody else, or a mistyped number
	RefusedLost      = "lost"          // signed before a restore, and the card is gone: revoke it, then replace it
	RefusedOtherKey  = "other_key"     // an interrupted one waits for another card key: resume with that, or revoke it
	RefusedWithdrawn = "withdrawn"     // revoked or erased while it was being issued
	RefusedBadCard   = "bad_card"      // the signed card did not verify; it was not handed out, and can be revoked
	RefusedDuplicate = "duplicate"     // the same unit stands in the batch twice
	RefusedNumber    = "no_number"     // no free card number was found
	RefusedSealed    = "no_audience"   // sealed claims or a PIN, and no epoch key to seal them with
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
	Held       CTI        // of RefusedExists: the active credential that has the place; zero: another refusal
	Text       string     // of the QR code; empty when refused
	Old        bool       // it was issued before, by the same request: nothing new was signed
	Refusal    *Refusal   // nil when issued

	Provisional bool     // it ends by itself, before the batch's others
	Overridden  bool     // the gate refused it, and the second person's reason let it through
	Reasons     []string // of the gate, where it did not let the unit pass as it is
	Lacks       []Lack   // the first of Reasons as codes
}

// known is step 2 as far as the type goes: what it wants to be known is known.
func (b *Batch) known(values map[string]any) *Refusal {
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
		no = b.known(values)
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
