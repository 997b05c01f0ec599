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

// slipType is the one type a device may sign (docs/formats/slip.md).
const slipType = "referral"

// liveChallenge is the Live value of types that take nothing but an answer to
// this device's challenge.
const liveChallenge = "challenge"

// foreignFreshness is how old lists may be for an identity card of another system.
const foreignFreshness = 30 * day

// maxPINFailures wrong PINs a card and device, then the help desk (DESIGN 4).
const maxPINFailures = 5

// judgement is one credential whose signature held, and what it is judged by.
type judgement struct {
	in     *Inputs
	key    *trust.Key               // the card key; on slips the device-ca key
	device *trust.DeviceCertificate // slips only
	proof  *live                    // nil: a card alone
	token  Token                    // nil: a card
	r      Result

	programme, site []byte
	principal       []byte // delegations: whose aid it is
	rounds          roundSet
	from, to        credential.Time
	claimsBad       bool
	former          credential.Former // whose card it replaces; zero: nobody's, or it may not
	liveReason      words.Reason
	pinReason       words.Reason
	statusOver      credential.Time // exp of the status list; 0: none
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
		if j.token != nil {
			j.readShown(t)
		} else if err := t.FitPlain(plainOf(c)); err != nil {
			// The whole payload was found deterministic before its signature was looked at.
			j.claimsBad, j.r.Err = true, err
		}
		j.readPlain(t)
		j.openSealed(t)
	}
	j.checkLive()
}

// plainOf is the plain map of a credential, empty where there is none.
func plainOf(c *credential.Credential) []byte {
	if c.Plain == nil {
		return emptyMap
	}
	return c.Plain
}

// readPlain takes what is judged from a plain map that fits the type.
func (j *judgement) readPlain(t *schemas.Type) {
	if j.claimsBad {
		return
	}
	r := cbor.NewReader(plainOf(&j.r.Credential))
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		claim := byKey(t, r.Int())
		if claim == nil {
			r.Skip()
			continue
		}
		switch claim.Name {
		case t.ProgrammeClaim:
			// One code, or in a delegation several: the first that this site serves.
			j.programme = first(&r, func(code []byte) bool {
				_, here := j.in.Pack.Policy.Programmes[string(code)]
				return here
			})
		case t.RoundClaim:
			if r.Kind() == cbor.Uint {
				j.rounds.add(r.Uint(), 0)
			} else {
				for k := r.Array(); k > 0 && r.Err() == nil; k-- {
					j.rounds.add(r.Uint(), 0)
				}
			}
		case t.RoundsClaim:
			if r.Array() == 2 {
				from := r.Uint()
				j.rounds.add(from, r.Uint())
			}
		case t.SiteClaim:
			j.site = first(&r, func(site []byte) bool { return j.in.Pack.Policy.serves(j.in.Pack.Site, site) })
		case t.FromClaim:
			j.from = credential.Time(r.Uint()) * day
		case t.ToClaim:
			j.to = (credential.Time(r.Uint()) + 1) * day // the last day counts whole
		default:
			if claim.Name == schemas.PrincipalClaim && r.Kind() == cbor.Text {
				j.principal = r.Text()
				continue
			}
			if claim.Key == schemas.PhotoHashKey {
				j.r.Holder |= CheckPhoto
			}
			r.Skip()
		}
	}
	if r.Err() != nil {
		j.claimsBad = true
		j.r.Err = r.Err()
	}
}

func byKey(t *schemas.Type, key int64) *schemas.Claim {
	for i := range t.Claims {
		if c := &t.Claims[i]; c.Key == key && c.Placement != schemas.Never {
			return c
		}
	}
	return nil
}

// first reads one code or a list of them, and of a list the first that is served
// here, else the first of all.
func first(r *cbor.Reader, served func([]byte) bool) (code []byte) {
	if r.Kind() != cbor.Array {
		return r.Text()
	}
	found := false
	for n := r.Array(); n > 0 && r.Err() == nil; n-- {
		c := r.Text()
		if here := !found && served(c); here || code == nil {
			code, found = c, here
		}
	}
	return code
}

// roundSet is the rounds a credential is good for: at most a few spans.
type roundSet struct {
	spans [16][2]uint64
	n     int
}

func (s *roundSet) add(from, to uint64) {
	if s.n < len(s.spans) {
		s.spans[s.n] = [2]uint64{from, max(from, to)}
		s.n++
	}
}

func (s *roundSet) has(n uint64) bool {
	for _, p := range s.spans[:s.n] {
		if n >= p[0] && n <= p[1] {
			return true
		}
	}
	return false
}

// only is the round of a credential that names exactly one.
func (s *roundSet) only() (round uint64, ok bool) {
	if s.n == 1 && s.spans[0][0] == s.spans[0][1] {
		return s.spans[0][0], true
	}
	return 0, false
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
	r := cbor.NewReader(opened)
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		if r.Int() != schemas.PINCheckKey {
			r.Skip()
			continue
		}
		check := r.Bytes()
		j.r.Holder |= CheckPIN
		failures := j.in.Floors.PINFailures[pinName(c)]
		switch {
		case failures >= maxPINFailures:
			j.pinReason = words.PINLocked
		case j.in.PIN == "":
		default:
			want, err := cwt.PINCheck(epoch, c.ID, j.in.PIN)
			if err == nil && subtle.ConstantTimeCompare(want[:], check) == 1 {
				j.r.Holder |= PINRight
				j.r.Floors = j.r.Floors.pin(pinName(c), 0)
			} else {
				j.pinReason = words.PINWrong
				j.r.Floors = j.r.Floors.pin(pinName(c), failures+1)
				if failures+1 >= maxPINFailures {
					j.pinReason = words.PINLocked
				}
			}
		}
	}
}

// run makes every check at one time and adds what it finds; listsAt is the time
// the age of lists is judged at.
func (j *judgement) run(at, listsAt credential.Time, f *findings) {
	c := &j.r.Credential
	if c.Foreign {
		j.foreign(f)
	} else {
		j.own(at, f)
	}
	f.add(j.key.Judge(j.judgedIssue(), at))
	j.dates(at, f)
	j.status(at, f)
	j.lists(listsAt, f)
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
	if j.token != nil && !j.token.For(j.in.Pack.Org) {
		f.add(words.WrongAudience)
	}
	if t == nil {
		// A newer type than this pack knows: whether its issuer may sign it cannot be
		// told either. "Update the lists", never the person's fault.
		f.add(words.UnknownType)
		return
	}
	if j.claimsBad {
		f.add(words.BadClaims)
		return
	}
	if !j.key.Org.MayIssue(c.Type, j.programme, j.in.Pack.Policy.Country, at) {
		f.add(words.IssuerNotAuthorised)
	}
	if c.Replaces != nil {
		// docs/decisions/0023: else one organisation could take what is due to another's people.
		var may bool
		if j.former, may = j.key.Org.MayReplace(c.Replaces, c.Type, j.programme, j.in.Pack.Policy.Country, at); !may {
			f.add(words.IssuerNotAuthorised)
		}
	}
	if j.device != nil {
		j.slip(at, f)
	}
	if t.Live != "" && j.r.Holder&LiveProof == 0 || t.Live == liveChallenge && j.r.Holder&LiveChallenge == 0 {
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
}

// slip holds a device to what its certificate allows.
func (j *judgement) slip(at credential.Time, f *findings) {
	c := &j.r.Credential
	if j.r.Type.Name != slipType {
		f.add(words.IssuerNotAuthorised)
	}
	f.add(j.device.JudgeSlip(c.Status, c.IssuedAt, c.ExpiresAt, at))
}

// place checks programme, round and site against the pack's policy, and looks up
// earlier collections.
func (j *judgement) place(at credential.Time, f *findings) {
	p, t := &j.in.Pack.Policy, j.r.Type
	if t.ProgrammeClaim == "" {
		return
	}
	if len(j.programme) == 0 {
		if j.token != nil {
			f.add(words.NotShown) // whether it is served here cannot be told
		}
		return
	}
	round, known := j.rounds.only()
	if p.Programmes != nil {
		rounds, served := p.Programmes[string(j.programme)]
		switch {
		case !served:
			f.add(words.WrongProgramme)
		case len(rounds) > 0 && (t.RoundClaim != "" || t.RoundsClaim != ""):
			// The round that is open here is the one counted, also for a credential that
			// names several or none: holder and alternate meet there.
			open := false
			for _, o := range rounds {
				if (j.rounds.n == 0 || j.rounds.has(o.N)) && at >= o.Opens && at < o.Closes {
					round, known, open = o.N, true, true
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
	if j.in.Uses == nil && j.in.Unlock == nil {
		return // nobody asks what was collected, or what the tables say is due
	}
	if !known && (t.RoundClaim != "" || t.RoundsClaim != "") {
		if j.in.Uses != nil {
			// Several rounds, and the pack does not say which is open: what was collected
			// cannot be counted. The pack wants a policy; the card is not at fault.
			f.add(words.PackIncomplete)
		}
		return
	}
	whose := j.r.Credential.Pseudonym
	if j.principal != nil {
		whose = j.principal
	}
	if len(whose) == 0 {
		// A wallet that keeps its ledger id to itself: nothing can be counted.
		if j.in.Uses != nil {
			f.add(words.NotShown)
		}
		return
	}
	j.r.Ledger = LedgerKey{
		Issuer: j.key.Org.ID, Pseudonym: string(whose), Programme: string(j.programme), Round: round,
	}
	j.r.Former = j.former
	if j.in.Uses == nil {
		return
	}
	j.r.Earlier = Use{}
	if use, ok := earlier(j.in.Uses, j.r.Ledger, j.former); ok {
		j.r.Earlier = use
		if use.Part {
			f.add(words.PartlyCollected)
		} else {
			f.add(words.AlreadyRedeemed)
		}
	}
}

// foreign judges an identity card of another system: known, never an entitlement.
func (j *judgement) foreign(f *findings) {
	if aud := j.r.Credential.Audience; aud != nil && !audienceHas(aud, j.in.Pack.Org) {
		f.add(words.WrongAudience)
	}
	// A recognition names credential types; an identity card of another system has
	// none, so its issuer must stand on our own list.
	if j.key.Org.Recognised != nil {
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
		if at < j.r.GraceEnds() {
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
	j.r.StatusAsOf, j.statusOver = list.IssuedAt, list.ExpiresAt
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
	asOf, next := pack.Trust.Issued, pack.Trust.NextUpdate
	if rec := j.key.Org.Recognised; rec != nil {
		// Another consortium's key is known good as of its own list.
		asOf, next = min(asOf, rec.Issued), min(next, rec.NextUpdate)
		j.r.TrustAsOf = asOf
	}
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
	if at > next {
		old.add(words.TrustListExpired)
	}
	if j.statusOver != 0 && at >= j.statusOver {
		old.add(words.StatusStale) // draft-ietf-oauth-status-list 8.3: past its exp
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
	if j.token != nil {
		j.checkBinding()
		return
	}
	if j.proof == nil {
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
	j.r.Live = Accepted{ID: j.proof.id, At: j.in.At, Answered: answered}
	if j.in.Again.holds(j.proof.id, j.in.At) {
		j.r.Live.At = j.in.Again.At // repeated as often as one likes, it lasts no longer
	}
	if answered {
		j.r.Holder |= LiveChallenge
	}
}

// pinName is what wrong PINs are counted under: another issuer's card with the
// same cti does not reset them.
func pinName(c *credential.Credential) string { return keyName(string(c.Issuer), c.ID) }
