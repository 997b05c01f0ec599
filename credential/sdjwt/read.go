package sdjwt

import (
	"strings"

	"aidpass/credential"
	"aidpass/credential/internal/jwtclaims"
	"aidpass/credential/internal/proven"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/words"
)

// Envelope is a credential that nobody has proved yet: what is needed to find
// its issuer's key, and nothing else. Issuer, KeyID and Type are empty where
// the text does not give them.
type Envelope struct {
	credential.Envelope
	// Certificates is the x5c header: DER, the signer's first; nil if there is
	// none. Whoever made the text put it there, and nobody has checked the chain.
	Certificates [][]byte

	token       *jose.Token
	payload     jose.Value
	disclosures []string
	shown       string // the text up to and including its last "~"
	binding     string // what follows it; "" if nothing does
}

// HasBinding reports whether a key binding JWT, good or bad, is there.
func (e *Envelope) HasBinding() bool { return e.binding != "" }

// Parse reads an SD-JWT VC as far as its routing hints.
//
// text is the compact form with nothing around it, at most MaxText long.
// Nothing is proved. Errors carry the first fault found (ReasonOf): too_large,
// bad_jose, duplicate_key, alg_missing, alg_not_allowed, crit_not_understood,
// wrong_typ, bad_claims.
//
// RFC 9901 7.1 steps 1 and 2, short of the signature.
func Parse(text string) (*Envelope, error) { return parse(text, Type) }

func parse(text, typ string) (*Envelope, error) {
	if len(text) > MaxText {
		return nil, fault(words.TooLarge, "a text of %d bytes", len(text))
	}
	last := strings.LastIndexByte(text, '~')
	if last < 0 {
		return nil, fault(words.BadJOSE, "no tilde: not an SD-JWT")
	}
	e := &Envelope{shown: text[:last+1], binding: text[last+1:]}
	signed, rest, _ := strings.Cut(e.shown, "~")
	if n := strings.Count(rest, "~"); n > MaxDisclosures {
		return nil, fault(words.TooLarge, "%d disclosures", n)
	} else if n > 0 {
		e.disclosures = strings.Split(rest[:len(rest)-1], "~")
	}
	var err error
	if e.token, err = jose.Parse([]byte(signed), MaxText); err != nil {
		return nil, err
	}
	if e.token.Type != typ {
		return nil, fault(words.WrongTyp, "typ %.40q, not %q", e.token.Type, typ)
	}
	if e.payload, err = e.token.Claims(limits); err != nil {
		return nil, err
	}
	iss, vct := e.payload.Get("iss"), e.payload.Get("vct")
	for _, v := range []jose.Value{iss, vct} {
		if v.Kind != jose.String && v.Kind != jose.Missing {
			return nil, fault(words.BadClaims, "iss or vct is not text")
		}
		if len(v.Text) > jwtclaims.MaxText {
			return nil, fault(words.TooLarge, "iss or vct of %d bytes", len(v.Text))
		}
	}
	if e.Certificates, err = jwtclaims.Certificates(e.token.Header.Get("x5c")); err != nil {
		return nil, err
	}
	e.Envelope = credential.NewEnvelope(credential.FormSDJWT, []byte(iss.Text), []byte(e.token.KeyID), []byte(vct.Text), nil, proven.Body{})
	return e, nil
}

// Claimed is the key that e says it is bound to, which nobody has proved; nil for none.
// It tells a wallet whether a text that it cannot prove yet is for a key of its own.
func (e *Envelope) Claimed() (*cose.Key, error) { return jwtclaims.Holder(e.payload.Get("cnf")) }

// Credential is an SD-JWT VC whose signature held, with what its holder shows.
//
// The standard makes iss, iat and exp optional. Where they are absent, the fields
// of credential.Credential are empty or zero, and the caller judges that.
type Credential struct {
	credential.Credential
	// Claims are those of the issuer that are shown, as one object: disclosures
	// in their places, all digests taken out. A claim that is not here may have
	// been issued all the same.
	Claims jose.Value
	// Disclosures are those shown, in the order of the text.
	Disclosures []Disclosure
	// Holder is the key of claim cnf; nil if there is none, or none we can check.
	Holder *cose.Key

	from   *Envelope
	signed string // the issuer's JWT
}

// OpenBound returns the credential in e if k signed it and its holder presents
// it here and now, as want says.
//
// Errors, first the issuer's part (alg_key_mismatch, bad_signature, bad_jose,
// alg_not_allowed for the hash, the disclosure_ and digest_ codes, too_large,
// bad_claims, bad_key), then the holder's (wrong_typ and the kb_ codes).
//
// RFC 9901 7.3.
func OpenBound(e *Envelope, k *cose.Key, want Binding) (*Credential, error) {
	c, err := OpenUnbound(e, k)
	if err != nil {
		return nil, err
	}
	if err := c.Bound(want); err != nil {
		return nil, err
	}
	return c, nil
}

// Bound checks that the holder presents the text c was read from here and now, as
// want says: the second half of OpenBound, for a caller that has more to tell of
// a credential whose issuer signed it.
func (c *Credential) Bound(want Binding) error { return want.check(c.from, c.Holder) }

// OpenIssued is for a wallet that was just handed its credential: one that
// carries a key binding JWT was taken from somebody's presentation (bad_jose).
//
// RFC 9901 7.2.
func OpenIssued(e *Envelope, k *cose.Key) (*Credential, error) {
	if e.HasBinding() {
		return nil, fault(words.BadJOSE, "an issuer sent a key binding JWT")
	}
	return OpenUnbound(e, k)
}

// OpenUnbound is OpenBound for a verifier whose policy asks for no proof that
// the holder is the right one. A key binding JWT is not looked at.
//
// RFC 9901 7.1.
func OpenUnbound(e *Envelope, k *cose.Key) (*Credential, error) {
	c, err := e.open(k)
	if err != nil {
		return nil, err
	}
	c.Form, c.KeyID = credential.FormSDJWT, e.KeyID
	if err := c.readClaims(); err != nil {
		return nil, err
	}
	c.Credential = credential.New(proven.Checked(), c.Credential)
	return c, nil
}

// open proves the issuer's JWT and puts the disclosures in their places.
func (e *Envelope) open(k *cose.Key) (*Credential, error) {
	if err := e.token.Verify(k); err != nil {
		return nil, err
	}
	claims, shown, err := process(e.payload, e.disclosures)
	if err != nil {
		return nil, err
	}
	signed, _, _ := strings.Cut(e.shown, "~")
	return &Credential{Claims: claims, Disclosures: shown, from: e, signed: signed}, nil
}

// readClaims fills c from its processed claims.
func (c *Credential) readClaims() error {
	iss, err := jwtclaims.Text(c.Claims, "iss")
	if err != nil {
		return err
	}
	vct, err := jwtclaims.Text(c.Claims, "vct")
	if err != nil {
		return err
	}
	if len(vct) == 0 {
		return fault(words.BadClaims, "no vct")
	}
	id, err := jwtclaims.Text(c.Claims, "jti")
	if err != nil {
		return err
	}
	c.Issuer, c.Type, c.ID = iss, vct, id
	// RFC 9901 7.1 step 6: whom it is for is for the caller to judge.
	if aud := c.Claims.Get("aud"); aud.Kind != jose.Missing {
		c.Audience = aud.Append(nil)
	}
	if err := c.readTypes(); err != nil {
		return err
	}
	nbf, hasNbf, err := jwtclaims.Moment(c.Claims, "nbf")
	if err != nil {
		return err
	}
	if c.IssuedAt, _, err = jwtclaims.Moment(c.Claims, "iat"); err != nil {
		return err
	}
	exp, hasExp, err := jwtclaims.Moment(c.Claims, "exp")
	if err != nil {
		return err
	}
	if c.NotBefore, c.ExpiresAt = nbf, exp; !hasNbf {
		c.NotBefore = c.IssuedAt
	}
	// A negative exp is long past and is judged as such; what ends before it
	// begins was never valid.
	if hasExp && c.ExpiresAt >= 0 && c.ExpiresAt <= c.NotBefore {
		return fault(words.BadClaims, "exp is not after nbf or iat")
	}
	if c.Status, err = jwtclaims.Status(c.Claims.Get("status")); err != nil {
		return err
	}
	if c.Holder, err = jwtclaims.Holder(c.Claims.Get("cnf")); err != nil {
		return err
	}
	if c.Holder != nil {
		c.HolderKey = c.Holder.Append(nil)
	}
	return nil
}

// readTypes checks what stands beside vct: the further types are not empty and
// do not say vct again.
func (c *Credential) readTypes() error {
	if v := c.Claims.Get("vct#integrity"); v.Kind != jose.String && v.Kind != jose.Missing {
		return fault(words.BadClaims, "vct#integrity is not text")
	}
	more := c.Claims.Get("aka_vcts")
	if more.Kind == jose.Missing {
		return nil
	}
	if more.Kind != jose.Array || len(more.Items) == 0 {
		return fault(words.BadClaims, "aka_vcts is not an array of types")
	}
	for _, v := range more.Items {
		if v.Kind != jose.String || v.Text == "" || v.Text == string(c.Type) {
			return fault(words.BadClaims, "aka_vcts holds what is not a further type")
		}
	}
	return nil
}
