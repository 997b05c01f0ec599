package verifier

import (
	"crypto/subtle"
	"fmt"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cbor"
	"aidpass/schemas"
	"aidpass/trust"
	"aidpass/words"
)

const day = 24 * 60 * 60

// longestLife of a card, in multiples of its type's default validity, where the
// policy names none (docs/decisions/0002).
const longestLife = 2

// maxSlipLife is the longest life of a device-signed slip (docs/formats/slip.md).
const maxSlipLife = 30 * day

// foreignFreshness is how old lists may be for an identity card of another system.
const foreignFreshness = 30 * day

// maxPINFailures wrong PINs a card and device, then the help desk (DESIGN 4).
const maxPINFailures = 5

// judgement is one credential whose signature held, and what it is judged by.
type judgement struct {
	in     *Inputs
	key    *trust.Key               // the card key; on slips the device-ca key
	device *trust.DeviceCertificate // slips only
	proof  *live
	r      *Result

	programme, site     []byte
	round, roundTo      uint64 // 0, 0: the type has no rounds
	from, to            credential.Time
	claimsBad, pinCheck bool
	pin                 [8]byte
	liveReason          words.Reason
	pinReason           words.Reason
	use                 words.Reason
	looked              bool
}

// prepare does what does not depend on the time: type, claims, sealed part,
// holder proofs.
func (j *judgement) prepare() {
	c := &j.r.Credential
	if c.Foreign {
		j.r.Known = true
	} else if t := j.in.Pack.Types.ByVCT(c.Type); t != nil {
		j.r.Type = t
		j.r.Known = t.IsRegistration
		j.readPlain(t)
		j.openSealed(t)
	}
	j.checkLive()
}

// readPlain checks the plain map against the type and takes what is judged.
func (j *judgement) readPlain(t *schemas.Type) {
	m := j.r.Credential.Plain
	if m == nil {
		m = emptyMap
	}
	if err := t.CheckPlain(m); err != nil {
		j.claimsBad = true
		j.r.Err = err
		return
	}
	r := cbor.NewReader(m)
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		key := r.Int()
		claim := t.ByKey(key)
		if claim == nil {
			r.Skip()
			continue
		}
		switch claim.Name {
		case t.Roles.Programme:
			j.programme = r.Text()
		case t.Roles.Round:
			j.round = r.Uint()
			j.roundTo = j.round
		case t.Roles.Rounds:
			if r.Array() == 2 {
				j.round, j.roundTo = r.Uint(), r.Uint()
			}
		case t.Roles.Site:
			if r.Kind() == cbor.Text {
				j.site = r.Text()
			} else {
				r.Skip()
			}
		case t.Roles.From:
			j.from = credential.Time(r.Int())
		case t.Roles.To:
			j.to = credential.Time(r.Int())
		case t.Roles.Photo:
			j.r.Holder |= CheckPhoto
			r.Skip()
		default:
			r.Skip()
		}
	}
}

var emptyMap = []byte{0xa0}

// openSealed opens the sealed part where the operator has unlocked it, and
// checks the PIN given.
func (j *judgement) openSealed(t *schemas.Type) {
	c := &j.r.Credential
	if c.Sealed == nil || j.in.Unlock == nil {
		return
	}
	opened, epoch := j.in.Unlock.open(c, j.in.At)
	if opened == nil || t.CheckSealed(opened) != nil {
		return
	}
	j.r.Opened = opened
	claim := t.ByName(t.Roles.PIN)
	if claim == nil {
		return
	}
	r := cbor.NewReader(opened)
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		if r.Int() != claim.Key {
			r.Skip()
			continue
		}
		check := r.Bytes()
		j.r.Holder |= CheckPIN
		failures := j.in.Floors.PINFailures[string(c.ID)]
		switch {
		case failures >= maxPINFailures:
			j.pinReason = words.PINLocked
		case j.in.PIN == "":
		default:
			want, err := cwt.PINCheck(epoch, c.ID, j.in.PIN)
			if err == nil && subtle.ConstantTimeCompare(want[:], check) == 1 {
				j.r.Holder |= PINRight
				j.r.Floors = j.r.Floors.pin(string(c.ID), 0)
			} else {
				j.pinReason = words.PINWrong
				j.r.Floors = j.r.Floors.pin(string(c.ID), failures+1)
				if failures+1 >= maxPINFailures {
					j.pinReason = words.PINLocked
				}
			}
		}
	}
}

// run makes every check at one time and adds what it finds.
func (j *judgement) run(at credential.Time, f *findings) {
	c := &j.r.Credential
	if c.Foreign {
		j.foreign(at, f)
	} else {
		j.own(at, f)
	}
	f.add(j.key.Judge(j.judgedIssue(), at))
	j.dates(at, f)
	j.status(at, f)
	j.lists(at, f)
	f.add(j.liveReason)
	f.add(j.pinReason)
}

// judgedIssue is when the listed key must have been in force: at the card's iat,
// or for slips at the certificate's start, which the device-ca key signed.
func (j *judgement) judgedIssue() credential.Time {
	if j.device != nil {
		return j.device.NotBefore
	}
	if j.r.Credential.IssuedAt == 0 {
		return j.key.NotBefore // foreign cards that do not say
	}
	return j.r.Credential.IssuedAt
}

func (j *judgement) own(at credential.Time, f *findings) {
	c, t := &j.r.Credential, j.r.Type
	if t == nil {
		f.add(words.UnknownType)
	}
	if j.claimsBad {
		f.add(words.BadClaims)
		return
	}
	if !j.key.Org.MayIssue(c.Type, j.programme, j.in.Pack.Policy.Country, at) {
		f.add(words.IssuerNotAuthorised)
	}
	if j.device != nil {
		j.slip(at, f)
	}
	if t == nil {
		return
	}
	if t.Live != "" && j.r.Holder&LiveProof == 0 || t.Live == schemas.LiveChallenge && j.r.Holder&LiveChallenge == 0 {
		f.add(words.LiveRequired)
	}
	life := int64(c.ExpiresAt - c.IssuedAt)
	if limit := j.in.Pack.Policy.lifeLimit(t); limit > 0 && life > limit {
		f.add(words.LifetimeTooLong)
	}
	if j.from != 0 && at < j.from {
		f.add(words.NotYetValid)
	}
	if j.to != 0 && at >= j.to {
		f.add(words.WrongRound)
	}
	j.place(at, f)
	f.add(j.use)
}

// slip holds a device to what its certificate allows.
func (j *judgement) slip(at credential.Time, f *findings) {
	c, d := &j.r.Credential, j.device
	if j.r.Type != nil && j.r.Type.Name != schemas.Referral || !d.May(trust.SignReferrals) ||
		!c.Status.Present || d.Block == nil || string(c.Status.URI) != d.Block.URI ||
		c.Status.Index < d.Block.First || c.Status.Index-d.Block.First >= d.Block.Count {
		f.add(words.IssuerNotAuthorised)
	}
	if c.IssuedAt < d.NotBefore || c.IssuedAt > d.NotAfter || at < d.NotBefore {
		f.add(words.KeyOutsideValidity)
	}
	if c.ExpiresAt-c.IssuedAt > maxSlipLife {
		f.add(words.LifetimeTooLong)
	}
}

// place checks programme, round and site against the pack's policy, and looks up
// earlier collections.
func (j *judgement) place(at credential.Time, f *findings) {
	p, t := &j.in.Pack.Policy, j.r.Type
	if t.Roles.Programme == "" || len(j.programme) == 0 {
		return
	}
	round := j.round
	if p.Programmes != nil {
		rounds, served := p.Programmes[string(j.programme)]
		switch {
		case !served:
			f.add(words.WrongProgramme)
		case j.round != 0 && len(rounds) > 0:
			open := false
			for _, o := range rounds {
				if o.N >= j.round && o.N <= j.roundTo && at >= o.Opens && at < o.Closes {
					round, open = o.N, true
					break
				}
			}
			if !open {
				f.add(words.WrongRound)
			}
		}
	}
	if len(j.site) > 0 && !p.serves(j.in.Pack.Site, j.site) {
		f.add(words.WrongSite)
	}
	if j.in.Uses == nil || j.looked {
		return
	}
	// Once a check, even when it is run at two times: the ledger does not depend on the clock.
	j.looked = true
	j.r.Ledger = LedgerKey{
		Issuer: string(j.r.Credential.Issuer), Pseudonym: string(j.r.Credential.Pseudonym),
		Programme: string(j.programme), Round: round,
	}
	if use, ok := j.in.Uses.Earlier(j.r.Ledger); ok {
		j.r.Earlier = use
		j.use = words.AlreadyRedeemed
		if use.Part {
			j.use = words.PartlyCollected
		}
	}
}

// foreign judges an identity card of another system: known, never an entitlement.
func (j *judgement) foreign(at credential.Time, f *findings) {
	if aud := j.r.Credential.Audience; aud != nil && !audienceHas(aud, j.in.Pack.Org) {
		f.add(words.WrongAudience)
	}
	if !j.key.Org.Recognised.Holds(at) {
		f.add(words.IssuerNotAuthorised)
	}
}

// audienceHas reads aud, a text or an array of texts (RFC 8392 3.1.3).
func audienceHas(aud []byte, org string) bool {
	r := cbor.NewReader(aud)
	n := 1
	if r.Kind() == cbor.Array {
		n = r.Array()
	}
	for ; n > 0 && r.Err() == nil; n-- {
		if r.Kind() == cbor.Text {
			if string(r.Text()) == org {
				return true
			}
		} else {
			r.Skip()
		}
	}
	return false
}

// dates: expired with grace days, not yet valid.
func (j *judgement) dates(at credential.Time, f *findings) {
	c := &j.r.Credential
	if c.ExpiresAt != 0 && at >= c.ExpiresAt {
		grace := credential.Time(0)
		if j.r.Type != nil {
			grace = credential.Time(j.r.Type.GraceDays * day)
		}
		if at < c.ExpiresAt+grace {
			f.add(words.OKGrace)
		} else {
			f.add(words.Expired)
		}
	}
	if c.NotBefore > at || c.IssuedAt > at {
		f.add(words.NotYetValid)
	}
}

// status looks the credential up in its list.
func (j *judgement) status(at credential.Time, f *findings) {
	ref := &j.r.Credential.Status
	if !ref.Present {
		if j.key.Org.UsesStatus {
			f.add(words.StatusMissing)
		}
		return
	}
	if !j.key.Org.OwnsStatusURI(ref.URI) {
		f.add(words.StatusWrongIssuer)
		return
	}
	list, reason := j.in.Pack.List(ref.URI, at)
	if list == nil {
		f.add(reason)
		return
	}
	j.r.StatusAsOf = list.IssuedAt
	if list.Unrevoked(ref.Index) {
		f.add(words.StatusUnrevoked)
		return
	}
	value, ok := list.Look(ref.Index)
	switch {
	case !ok:
		f.add(words.StatusIndexOutOfRange)
	case value == statusInvalid:
		f.add(words.Revoked)
	case value != statusValid:
		f.add(words.Suspended)
	}
}

// lists judges the age of what the verdict relies on (DESIGN 7): the older of
// status and trust list.
func (j *judgement) lists(at credential.Time, f *findings) {
	pack, c := j.in.Pack, &j.r.Credential
	asOf := pack.Trust.Issued
	if j.r.StatusAsOf != 0 {
		asOf = min(asOf, j.r.StatusAsOf)
	}
	age := max(0, int64(at-asOf))
	j.r.Age = age

	limit := int64(foreignFreshness)
	if t := j.r.Type; t != nil {
		limit = t.Freshness
	}
	if own, ok := pack.Policy.Freshness[string(c.Type)]; ok {
		limit = own
	}
	var old findings
	if limit > 0 && age > limit {
		old.add(words.StatusStale)
	}
	if at > pack.Trust.NextUpdate {
		old.add(words.TrustListExpired)
	}
	if at >= pack.Expires {
		old.add(words.PackExpired)
	}
	if old.n == 0 {
		return
	}
	for _, d := range []*Decision{j.in.OldLists, pack.Policy.OldLists} {
		if d.Holds(at) {
			j.r.OldList = d
			f.add(words.OKOldLists)
			return
		}
	}
	for _, r := range old.list[:old.n] {
		f.add(r)
	}
}

// checkLive judges the holder's fresh signature, or its absence.
func (j *judgement) checkLive() {
	c := &j.r.Credential
	if !j.proof.there {
		if c.HolderKey != nil {
			// DESIGN 13: a card bound to a phone is never valid on its own.
			j.liveReason = words.LiveRequired
		}
		return
	}
	answered, reason, err := j.proof.check(c, j.in)
	if reason != words.OK {
		j.liveReason = reason
		j.r.Err = fmt.Errorf("verifier: live code: %w", err)
		return
	}
	j.r.Holder |= LiveProof
	if answered {
		j.r.Holder |= LiveChallenge
	}
}
