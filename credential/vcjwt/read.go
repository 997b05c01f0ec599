package vcjwt

import (
	"errors"
	"strings"
	"time"

	"aidpass/credential"
	"aidpass/credential/internal/jwtclaims"
	"aidpass/credential/internal/proven"
	"aidpass/internal/cose"
	"aidpass/internal/did"
	"aidpass/internal/jose"
	"aidpass/words"
)

// Envelope is a credential that nobody has proved yet: what is needed to find
// its issuer's key, and nothing else.
type Envelope struct {
	credential.Envelope
	// Certificates is the x5c header: DER, the signer's first; nil if there is
	// none. Whoever made the text put it there, and nobody has checked the chain.
	Certificates [][]byte

	token   *jose.Token
	payload jose.Value
}

// Parse reads a VC-JWT as far as its routing hints.
//
// text is the compact form with nothing around it, at most MaxText long. Nothing
// is proved. Errors carry the first fault found (ReasonOf): too_large, bad_jose,
// duplicate_key, alg_missing, alg_not_allowed, crit_not_understood, wrong_typ,
// kid_missing, bad_claims, iss_missing.
//
// VC-JOSE-COSE, "With JOSE" and "Key Discovery".
func Parse(text string) (*Envelope, error) {
	if len(text) > MaxText {
		return nil, fault(words.TooLarge, "a text of %d bytes", len(text))
	}
	t, err := jose.Parse([]byte(text), MaxText)
	if err != nil {
		return nil, err
	}
	// The only thing that tells this from another statement by the same key.
	if t.Type != Type {
		return nil, fault(words.WrongTyp, "typ %.40q, not %q", t.Type, Type)
	}
	if cty := t.Header.Get("cty"); cty.Kind != jose.Missing && (cty.Kind != jose.String || cty.Text != "vc") {
		return nil, fault(words.WrongTyp, "cty %.40q, not %q", cty.Text, "vc")
	}
	if t.KeyID == "" {
		return nil, fault(words.KidMissing, "no key id in the header")
	}
	e := &Envelope{token: t}
	if e.payload, err = t.Claims(limits); err != nil {
		return nil, err
	}
	iss, err := issuerOf(e.payload)
	if err != nil {
		return nil, err
	}
	vct, err := typeOf(e.payload.Get("type"))
	if err != nil {
		return nil, err
	}
	if e.Certificates, err = jwtclaims.Certificates(t.Header.Get("x5c")); err != nil {
		return nil, err
	}
	e.Envelope = credential.NewEnvelope(credential.FormVCJWT, iss, []byte(t.KeyID), vct, nil, proven.Body{})
	return e, nil
}

// issuerOf returns the issuer, a text or an object with an id. The claim iss, and
// the header iss, must say the same where they are there.
func issuerOf(payload jose.Value) ([]byte, error) {
	v := payload.Get("issuer")
	if v.Kind == jose.Object {
		v = v.Get("id")
	}
	if v.Kind == jose.Missing {
		return nil, fault(words.IssMissing, "no issuer among the claims")
	}
	if v.Kind != jose.String || v.Text == "" {
		return nil, fault(words.BadClaims, "issuer is neither text nor an object with an id")
	}
	if len(v.Text) > jwtclaims.MaxText {
		return nil, fault(words.TooLarge, "issuer of %d bytes", len(v.Text))
	}
	return []byte(v.Text), agrees(payload, "iss", v.Text)
}

// agrees refuses a claim that is there and is not the text want.
func agrees(claims jose.Value, name, want string) error {
	if v := claims.Get(name); v.Kind != jose.Missing && (v.Kind != jose.String || v.Text != want) {
		return fault(words.BadClaims, "%s says something else than the credential", name)
	}
	return nil
}

// typeOf returns the credential's own type: the first beside VerifiableCredential.
func typeOf(v jose.Value) (vct []byte, err error) {
	if v.Kind != jose.Array || len(v.Items) > maxTypes {
		return nil, fault(words.BadClaims, "type is not an array of at most %d", maxTypes)
	}
	base := false
	for _, t := range v.Items {
		switch {
		case t.Kind != jose.String || t.Text == "":
			return nil, fault(words.BadClaims, "type holds what is not text")
		case len(t.Text) > jwtclaims.MaxText:
			return nil, fault(words.TooLarge, "type of %d bytes", len(t.Text))
		case t.Text == baseType:
			base = true
		case vct == nil:
			vct = []byte(t.Text)
		}
	}
	if !base || vct == nil {
		return nil, fault(words.BadClaims, "type does not hold VerifiableCredential and one of its own")
	}
	return vct, nil
}

// Credential is a VC-JWT whose signature held.
type Credential struct {
	credential.Credential
	// Claims is what is said of the subject, as one object without its id.
	Claims jose.Value
	// Holder is the key the credential is bound to, by cnf or as the subject's
	// identifier; nil if it is bound to none that we can check.
	Holder *cose.Key
}

// Open returns the credential in e if k signed it.
//
// Errors: alg_key_mismatch, bad_signature, then the claims' shape (bad_claims,
// exp_missing, too_large, bad_key, bad_jose). It asks for no proof that whoever
// shows it is the holder: that is the caller's policy, with Holder.
func Open(e *Envelope, k *cose.Key) (*Credential, error) {
	if err := e.token.Verify(k); err != nil {
		return nil, err
	}
	c, err := readClaims(e.payload)
	if err != nil {
		return nil, err
	}
	c.Form, c.KeyID, c.Issuer, c.Type = credential.FormVCJWT, e.KeyID, e.Issuer, e.Type
	if err := agrees(e.token.Header, "iss", string(c.Issuer)); err != nil {
		return nil, err
	}
	c.Credential = credential.New(proven.Checked(), c.Credential)
	return c, nil
}

// Claimed is the key that e says it is bound to, which nobody has proved; nil for none.
// It tells a wallet whether a text that it cannot prove yet is for a key of its own.
func (e *Envelope) Claimed() (*cose.Key, error) {
	c, err := readClaims(e.payload)
	if err != nil {
		return nil, err
	}
	return c.Holder, nil
}

func readClaims(p jose.Value) (*Credential, error) {
	for _, name := range []string{"vc", "vp"} {
		if p.Get(name).Kind != jose.Missing {
			return nil, fault(words.BadClaims, "claim %s: a credential of version 1.1 in this form's clothes", name)
		}
	}
	if err := checkContext(p.Get("@context")); err != nil {
		return nil, err
	}
	// A status that nobody here could look up must not look like none.
	if p.Get("credentialStatus").Kind != jose.Missing {
		return nil, fault(words.BadClaims, "credentialStatus: the status of this form is the claim status")
	}
	var c Credential
	id, err := jwtclaims.Text(p, "jti")
	if err != nil {
		return nil, err
	}
	own, err := jwtclaims.Text(p, "id")
	if err != nil {
		return nil, err
	}
	if c.ID = own; id != nil {
		c.ID = id
		if err := agrees(p, "id", string(id)); err != nil {
			return nil, err
		}
	}
	if aud := p.Get("aud"); aud.Kind != jose.Missing {
		c.Audience = aud.Append(nil)
	}
	if err := c.readTimes(p); err != nil {
		return nil, err
	}
	if c.Status, err = jwtclaims.Status(p.Get("status")); err != nil {
		return nil, err
	}
	if err := c.readSubject(p); err != nil {
		return nil, err
	}
	if c.Holder != nil {
		c.HolderKey = c.Holder.Append(nil)
	}
	return &c, nil
}

// checkContext asks for version 2 and no other; what follows it is not processed.
//
// VC Data Model 2.0, 4.3.
func checkContext(v jose.Value) error {
	if v.Kind != jose.Array || len(v.Items) == 0 || len(v.Items) > maxTypes || v.Items[0].Kind != jose.String || v.Items[0].Text != contextV2 {
		return fault(words.BadClaims, "@context does not begin with that of version 2")
	}
	for _, item := range v.Items {
		if item.Kind != jose.String && item.Kind != jose.Object {
			return fault(words.BadClaims, "@context holds what is neither an address nor an object")
		}
	}
	return nil
}

// readTimes reads when the credential begins and ends. validFrom and validUntil
// are of what is said, nbf and exp of the signature; a credential that gives both
// gives the same, or two readers would answer differently.
func (c *Credential) readTimes(p jose.Value) error {
	nbf, hasNbf, err := jwtclaims.Moment(p, "nbf")
	if err != nil {
		return err
	}
	iat, hasIat, err := jwtclaims.Moment(p, "iat")
	if err != nil {
		return err
	}
	exp, hasExp, err := jwtclaims.Moment(p, "exp")
	if err != nil {
		return err
	}
	from, hasFrom, err := stamp(p, "validFrom")
	if err != nil {
		return err
	}
	until, hasUntil, err := stamp(p, "validUntil")
	if err != nil {
		return err
	}
	switch {
	case hasNbf && hasFrom && nbf != from:
		return fault(words.BadClaims, "nbf and validFrom are two times")
	case hasExp && hasUntil && exp != until:
		return fault(words.BadClaims, "exp and validUntil are two times")
	case !hasExp && !hasUntil:
		return fault(words.ExpMissing, "neither exp nor validUntil")
	case !hasIat && !hasNbf && !hasFrom:
		return fault(words.BadClaims, "none of iat, nbf and validFrom")
	}
	if !hasFrom {
		from = nbf
	}
	if !hasUntil {
		until = exp
	}
	if !hasIat {
		iat = from
	}
	c.IssuedAt, c.ExpiresAt = iat, until
	if c.NotBefore = from; !hasFrom && !hasNbf {
		c.NotBefore = iat
	}
	// A negative end is long past and is judged as such; what ends before it
	// begins was never valid.
	if until >= 0 && until <= max(c.NotBefore, iat) {
		return fault(words.BadClaims, "it ends before it begins")
	}
	return nil
}

// stamp reads an XML Schema dateTimeStamp: RFC 3339 with its zone. Parts of a
// second are dropped.
func stamp(p jose.Value, name string) (t credential.Time, there bool, err error) {
	v := p.Get(name)
	if v.Kind == jose.Missing {
		return 0, false, nil
	}
	at, err := time.Parse(time.RFC3339, v.Text)
	t = credential.FromStd(at)
	if v.Kind != jose.String || err != nil || t > credential.MaxTime || t <= 0 && name != "validUntil" {
		return 0, true, fault(words.BadClaims, "%s is not a date with time and zone", name)
	}
	if t <= 0 {
		t = -1 // 0 stands for "not given"
	}
	return t, true, nil
}

// readSubject reads whom the credential is about: one subject, named by its
// holder's key where it has a did:key or did:jwk. A key in cnf must be that key.
func (c *Credential) readSubject(p jose.Value) error {
	subject := p.Get("credentialSubject")
	if subject.Kind != jose.Object {
		return fault(words.BadClaims, "credentialSubject is not one object")
	}
	id, err := jwtclaims.Text(subject, "id")
	if err != nil {
		return err
	}
	if id != nil {
		if err := agrees(p, "sub", string(id)); err != nil {
			return err
		}
	}
	if c.Holder, err = jwtclaims.Holder(p.Get("cnf")); err != nil {
		return err
	}
	named := string(id)
	if strings.HasPrefix(named, "did:key:") || strings.HasPrefix(named, "did:jwk:") {
		k, _, err := did.KeyOf(named)
		switch {
		case errors.Is(err, did.ErrKeyKind):
			// A key we cannot check; that of cnf is then another one.
			if c.Holder != nil {
				return fault(words.BadClaims, "the subject and cnf are two keys")
			}
		case errors.Is(err, cose.ErrBadKey):
			return fault(words.BadKey, "the subject's key: %w", err)
		case err != nil:
			return fault(words.BadClaims, "the subject's identifier: %w", err)
		case c.Holder != nil && c.Holder.Thumbprint() != k.Thumbprint():
			return fault(words.BadClaims, "the subject and cnf are two keys")
		default:
			c.Holder = k
		}
	}
	c.Claims = jose.ObjectOf()
	for _, m := range subject.Members {
		if m.Name != "id" {
			c.Claims.Members = append(c.Claims.Members, m)
		}
	}
	return nil
}
