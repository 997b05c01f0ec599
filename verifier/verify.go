package verifier

import (
	"errors"
	"fmt"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/credential/qr"
	"aidpass/internal/base45"
	"aidpass/trust"
	"aidpass/words"
)

// Verify judges one QR text. It is Checker.Verify with buffers of its own.
func Verify(text string, in Inputs) Result {
	var c Checker
	return c.Verify(text, in)
}

// Checker judges one text after another and reuses its buffers: on the Ed25519
// path a check allocates nothing. A Checker is not for concurrent use. The
// Result's byte slices stay good until the next call.
type Checker struct {
	codec qr.Scratch
	tbs   [cwt.MaxCardBytes / 2]byte

	// The check going on. It lives here because what it points at would
	// otherwise be allocated anew for each card; emptied at the end of each.
	in Inputs
	j  judgement
}

// Verify judges the text of one QR code. It never fails: a forged card is a
// normal day at a service point.
//
//  1. recognise, decode Base45, inflate (caps hold whatever the text claims)
//  2. parse to the routing hints; find the key by (iss, kid)
//  3. read on as the key's profile says; check the signature
//  4. all other checks; the worst leads
func (c *Checker) Verify(text string, in Inputs) Result {
	c.in = in
	if in.Tokens != nil && qr.Recognise(text) == qr.Token {
		return c.judgeToken(text)
	}
	raw, reason, err := c.decode(text)
	if reason != words.OK {
		return c.refuse(reason, err)
	}
	return c.judge(raw, false)
}

// VerifyMessage judges COSE bytes that did not come as a zlib card: raw or Brotli,
// as some foreign cards do. Only keys whose profile is foreign-169 are accepted;
// own cards are always zlib (unsupported_version).
func (c *Checker) VerifyMessage(message []byte, in Inputs) Result {
	c.in = in
	return c.judge(message, true)
}

func (c *Checker) decode(text string) ([]byte, words.Reason, error) {
	switch qr.Recognise(text) {
	case qr.ZlibCard:
	case qr.Empty:
		return nil, words.Empty, nil
	case qr.BadZlib:
		return nil, words.BadZlib, errors.New("verifier: compressed, but not with zlib")
	case qr.RawCard:
		return nil, words.UnsupportedVersion, errors.New("verifier: an uncompressed card")
	case qr.Token:
		return nil, words.UnsupportedVersion, errors.New("verifier: a wallet credential, and nothing here reads it")
	default:
		return nil, words.UnknownFormat, nil
	}
	raw, err := c.codec.Decode(text)
	if err == nil {
		return raw, words.OK, nil
	}
	if _, ok := errors.AsType[*base45.SyntaxError](err); ok {
		return nil, words.BadBase45, err
	}
	switch {
	case errors.Is(err, qr.ErrTruncated):
		return nil, words.Truncated, err
	case errors.Is(err, qr.ErrTrailing):
		return nil, words.TrailingData, err
	case errors.Is(err, qr.ErrTooLong), errors.Is(err, qr.ErrTooLarge):
		return nil, words.TooLarge, err
	}
	return nil, words.BadZlib, err
}

// judge takes over at the COSE bytes.
func (c *Checker) judge(raw []byte, foreignOnly bool) Result {
	in, j := &c.in, &c.j
	if isLive(raw) {
		var err error
		if j.proof, err = parseLive(raw); err != nil {
			return c.refuse(cwt.ReasonOf(err), err)
		}
		raw = j.proof.card
	}
	env, err := cwt.Parse(raw)
	if err != nil {
		return c.refuse(cwt.ReasonOf(err), err)
	}
	if in.Pack == nil {
		return c.withoutPack()
	}
	cred, key, device, reason, err := c.open(&env, foreignOnly)
	if reason != words.OK {
		return c.refuse(reason, err)
	}
	return c.weigh(cred, key, device)
}

// withoutPack is the answer where no key can be known.
func (c *Checker) withoutPack() Result {
	reason := words.PackIncomplete
	if refused := c.in.PackRefused; refused != "" {
		reason = words.PackMismatch
		// A pack at fault is never the card's fault: a code that would call a card
		// invalid (too_large, bad_cbor) is not passed on.
		if words.Of(refused).Answer == words.Unsure {
			reason = refused
		}
	}
	return c.refuse(reason, errors.New("verifier: without a pack no key can be known"))
}

// weigh makes all checks of a credential whose signature held under key.
func (c *Checker) weigh(cred credential.Credential, key *trust.Key, device *trust.DeviceCertificate) Result {
	in, j := &c.in, &c.j
	r := &j.r
	r.Credential, r.Issuer, r.Floors, r.TrustAsOf = cred, key.Org, in.Floors, in.Pack.Trust.Issued
	j.in, j.key, j.device = in, key, device
	j.prepare()
	floor := in.Floors.floor(in.Pack.Trust)
	if in.At >= floor {
		j.run(in.At, in.At, &r.found)
		r.settle()
	} else {
		// DESIGN 7: the clock is proved wrong. Judge at the clock and at the floor;
		// where they differ nobody here can know. A floor proves expiry and never
		// freshness: the age of lists is judged at what the anchors and this device's
		// own visits prove, else one issuer's time would make every list old.
		r.ClockBehind = true
		var atClock findings
		j.run(in.At, in.At, &atClock)
		atClock.sort()
		r.OldList = nil
		j.run(floor, max(in.At, in.Pack.Trust.Issued, in.Floors.Soft), &r.found)
		r.settle()
		if words.For(atClock.list[0], r.Known).Answer != r.Answer {
			// What both find stands: an earlier collection is not hidden by the clock.
			both := findings{}
			for _, reason := range r.found.list[:r.found.n] {
				if atClock.has(reason) {
					both.add(reason)
				}
			}
			both.add(words.ClockImplausible)
			r.found = both
			r.settle()
		}
	}
	if j.proof != nil && r.Answer == words.Valid && !r.Floors.livesHas(j.proof.id, in.At) {
		r.Floors = r.Floors.sawLive(j.proof.id, in.At)
	}
	return c.finish()
}

// finish hands the result over and lets go of what the check pointed at.
func (c *Checker) finish() Result {
	r := c.j.r
	c.in, c.j = Inputs{}, judgement{}
	return r
}

// refuse makes the result of a failure up to the signature: one reason, no facts.
func (c *Checker) refuse(reason words.Reason, err error) Result {
	r := &c.j.r
	*r = Result{Err: err, Floors: c.in.Floors, Age: -1}
	r.found.add(reason)
	r.settle()
	r.Facts = words.NoFacts
	return c.finish()
}

// open finds the key the envelope points at and reads the credential as the
// key's profile says.
func (c *Checker) open(env *credential.Envelope, foreignOnly bool) (credential.Credential, *trust.Key, *trust.DeviceCertificate, words.Reason, error) {
	none := credential.Credential{}
	list := c.in.Pack.Trust
	key, reason := list.Find(env.Issuer, env.KeyID, trust.UseCard)
	var device *trust.DeviceCertificate
	if reason == words.UnknownKey && env.DeviceCertificate != nil && !foreignOnly {
		return c.openSlip(env)
	}
	if reason != words.OK {
		return none, nil, nil, reason, c.noKey(env, trust.UseCard)
	}
	var cred credential.Credential
	var err error
	switch key.Profile {
	case trust.ProfileCard1:
		if foreignOnly {
			return none, nil, nil, words.UnsupportedVersion, errors.New("verifier: own cards are always zlib")
		}
		cred, err = cwt.OpenCard(env, key.Key, c.tbs[:0])
	case trust.ProfileForeign169:
		cred, err = cwt.OpenForeign(env, key.Key, c.tbs[:0])
	default:
		return none, nil, nil, words.IssuerNotAuthorised, errors.New("verifier: the key's profile signs no cards")
	}
	if err != nil {
		return none, nil, nil, cwt.ReasonOf(err), err
	}
	return cred, key, device, words.OK, nil
}

// noKey explains why no key was found for env.
func (c *Checker) noKey(env *credential.Envelope, use trust.Use) error {
	list := c.in.Pack.Trust
	if since, removed := list.RemovedSince(env.Issuer); removed {
		return fmt.Errorf("verifier: the issuer is no longer on the trust list since %s", since)
	}
	return fmt.Errorf("verifier: no %s key %x of this issuer on the trust list of %s", use, env.KeyID, list.Issued)
}

// openSlip reads a referral signed by an enrolled device: the certificate it
// carries is proved by the issuer's device-ca key first.
func (c *Checker) openSlip(env *credential.Envelope) (credential.Credential, *trust.Key, *trust.DeviceCertificate, words.Reason, error) {
	none := credential.Credential{}
	cert, ca, reason := c.in.Pack.Trust.OpenDevice(env.DeviceCertificate)
	if reason != words.OK {
		return none, nil, nil, reason, errors.New("verifier: the slip's device certificate does not open")
	}
	if cert.Org != string(env.Issuer) {
		return none, nil, nil, words.IssuerKeyMismatch, errors.New("verifier: the device belongs to another issuer")
	}
	id := cert.Key.ID()
	if string(id[:]) != string(env.KeyID) {
		return none, nil, nil, words.UnknownKey, errors.New("verifier: the certificate is for another key")
	}
	if ca.Profile != trust.ProfileSlip1 {
		return none, nil, nil, words.IssuerNotAuthorised, errors.New("verifier: this issuer's devices sign no slips")
	}
	cred, err := cwt.OpenSlip(env, cert.Key, c.tbs[:0])
	if err != nil {
		return none, nil, nil, cwt.ReasonOf(err), err
	}
	return cred, ca, cert, words.OK, nil
}
