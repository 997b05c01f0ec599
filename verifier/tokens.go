package verifier

import (
	"errors"
	"slices"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/schemas"
	"aidpass/trust"
	"aidpass/words"
)

// Tokens reads wallet credentials: signed JSON, which a core that only judges
// cards does not carry. So it comes in with the Inputs.
type Tokens interface {
	// Read reads a text as far as its routing hints. The reason is OK, or the
	// first fault found.
	Read(text string) (Token, words.Reason, error)
}

// A Token is a wallet credential, whatever its form.
type Token interface {
	// Envelope is what it says of itself, unproven. KeyID is the text of kid.
	Envelope() *credential.Envelope
	// Open proves it. What it says of its type is not in Plain and Pseudonym yet.
	Open(k *cose.Key) (credential.Credential, words.Reason, error)

	// The others are called once Open returned OK.

	// Shown is what its claims say as t has them.
	Shown(t *schemas.Type) (schemas.Shown, error)
	// For reports whether it names no audience, or audience among those it names.
	For(audience string) bool
	// Bound checks that its holder signed what want says, at the time at.
	Bound(want *Binding, at credential.Time) (words.Reason, error)
}

// Binding is what a verifier asked the holder of a wallet credential to sign.
type Binding struct {
	Audience string // the verifier's own identifier
	Nonce    string // made for this one presentation
	MaxAge   int64  // seconds since it was signed, at most; 0: BindingMaxAge
}

// How old a holder's signature may be in seconds where Binding does not say, and
// how far her clock may be ahead.
const (
	BindingMaxAge = 5 * 60
	BindingSkew   = 60
)

// judgeToken is judge for a text that Tokens reads.
func (c *Checker) judgeToken(text string) Result {
	token, reason, err := c.in.Tokens.Read(text)
	if reason != words.OK {
		return c.refuse(reason, err)
	}
	env := token.Envelope()
	switch {
	case len(env.Issuer) == 0:
		return c.refuse(words.IssMissing, errors.New("verifier: the wallet credential names no issuer"))
	case len(env.KeyID) == 0:
		return c.refuse(words.KidMissing, errors.New("verifier: the wallet credential names no key"))
	case c.in.Pack == nil:
		return c.withoutPack()
	}
	key, reason := c.in.Pack.Trust.FindText(env.Issuer, string(env.KeyID), trust.UseVC)
	if reason != words.OK {
		return c.refuse(reason, c.noKey(env, trust.UseVC))
	}
	cred, reason, err := token.Open(key.Key)
	if reason != words.OK {
		return c.refuse(reason, err)
	}
	// Others' forms leave out what a judgement cannot do without.
	if cred.ExpiresAt == 0 {
		return c.refuse(words.ExpMissing, errors.New("verifier: the wallet credential does not say when it ends"))
	}
	if cred.IssuedAt == 0 {
		cred.IssuedAt = cred.NotBefore
	}
	if cred.IssuedAt == 0 {
		return c.refuse(words.BadClaims, errors.New("verifier: whether the key was in force cannot be told without iat or nbf"))
	}
	// Our own identity is a card's cti in base64url: so journals, receipts and the
	// mark of a photo mean the same in every form.
	if id, err := jose.DecodeBase64(cred.ID); err == nil && len(id) == cwt.CredentialIDN {
		cred.ID = id
	}
	c.j.token = token
	return c.weigh(cred, key, nil)
}

// readShown brings what a wallet shows into the places where a card has it.
func (j *judgement) readShown(t *schemas.Type) {
	shown, err := j.token.Shown(t)
	if err != nil {
		j.claimsBad, j.r.Err = true, err
		return
	}
	c := &j.r.Credential
	c.Plain, c.Pseudonym, c.Replaces = shown.Plain, shown.Pseudonym, shown.Replaces
	j.r.Opened, j.r.shown = shown.Sealed, shown.Named
}

// checkBinding is checkLive for a wallet credential. Whether the holder must have
// signed is said by who asks and by the policy, never by what was sent: a thief
// would leave the signature out (RFC 9901 9.5).
func (j *judgement) checkBinding() {
	if j.in.Binding == nil {
		if !slices.Contains(j.in.Pack.Policy.Bearer, string(j.r.Credential.Type)) {
			j.liveReason = words.KBMissing
			j.r.Err = errors.New("verifier: nobody was asked to sign, and the policy takes none of this type without")
		}
		return
	}
	reason, err := j.token.Bound(j.in.Binding, j.in.At)
	if reason != words.OK {
		j.liveReason, j.r.Err = reason, err
		return
	}
	j.r.Holder |= LiveProof | LiveChallenge
}
