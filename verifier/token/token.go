// Package token reads wallet credentials for the verifier: it joins the readers of
// their forms to verifier.Tokens, so that one judgement serves cards and wallets.
//
// It stands apart from package verifier so that a core for cards alone does not
// carry it.
package token

import (
	"errors"
	"strings"
	"time"

	"aidpass/credential"
	"aidpass/credential/dcql"
	"aidpass/credential/sdjwt"
	"aidpass/credential/vcjwt"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/schemas"
	"aidpass/verifier"
	"aidpass/words"
)

// MaxText is the longest text read, in bytes.
const MaxText = sdjwt.MaxText

// Reader is verifier.Tokens for the forms we read: SD-JWT VC, VC-JWT and its presentation. A tilde
// tells them apart, and then each wants its own typ, which is signed.
type Reader struct{}

// Read reads the routing hints of a text.
func (Reader) Read(text string) (verifier.Token, words.Reason, error) {
	if strings.IndexByte(text, '~') < 0 {
		var shown *vcjwt.Presentation
		if vcjwt.IsPresentation(text) {
			var err error
			if shown, err = vcjwt.ParsePresentation(text); err != nil {
				return nil, vcjwt.ReasonOf(err), err
			}
			text = shown.Credential
		}
		e, err := vcjwt.Parse(text)
		if err != nil {
			return nil, vcjwt.ReasonOf(err), err
		}
		return &vcToken{envelope: e, shown: shown}, words.OK, nil
	}
	e, err := sdjwt.Parse(text)
	if err != nil {
		return nil, sdjwt.ReasonOf(err), err
	}
	return &sdToken{envelope: e}, words.OK, nil
}

// Held is what a query looks at of a token that a Reader read and whose Open said
// words.OK: the claims shown. Bound says that its holder could sign, not that she did.
func Held(t verifier.Token) dcql.Held {
	switch t := t.(type) {
	case *sdToken:
		return dcql.OfSDJWT(t.opened)
	case *vcToken:
		return dcql.OfVCJWT(t.opened)
	}
	return dcql.Held{}
}

// sdToken is an SD-JWT VC.
type sdToken struct {
	envelope *sdjwt.Envelope
	opened   *sdjwt.Credential
}

func (t *sdToken) Envelope() *credential.Envelope { return &t.envelope.Envelope }

func (t *sdToken) Open(k *cose.Key) (credential.Credential, words.Reason, error) {
	c, err := sdjwt.OpenUnbound(t.envelope, k)
	if err != nil {
		return credential.Credential{}, sdjwt.ReasonOf(err), err
	}
	t.opened = c
	return c.Credential, words.OK, nil
}

func (t *sdToken) Shown(typ *schemas.Type) (schemas.Shown, error) {
	return typ.DecodeWallet(t.opened.Claims)
}

func (t *sdToken) For(audience string) bool { return isFor(t.opened.Claims.Get("aud"), audience) }

func (t *sdToken) Bound(want *verifier.Binding, at credential.Time) (words.Reason, error) {
	err := t.opened.Bound(sdjwt.Binding{Audience: want.Audience, Nonce: want.Nonce, At: at,
		MaxAge: time.Duration(maxAge(want)) * time.Second, Skew: verifier.BindingSkew * time.Second})
	if err != nil {
		return sdjwt.ReasonOf(err), err
	}
	return words.OK, nil
}

// maxAge is how old a holder's signature may be, in seconds.
func maxAge(want *verifier.Binding) int64 {
	if want.MaxAge == 0 {
		return verifier.BindingMaxAge
	}
	return want.MaxAge
}

// vcToken is a W3C credential as a JWT. It is shown whole, by itself or in a
// presentation, which its holder signed.
type vcToken struct {
	envelope *vcjwt.Envelope
	opened   *vcjwt.Credential
	shown    *vcjwt.Presentation // nil: it came by itself
}

func (t *vcToken) Envelope() *credential.Envelope { return &t.envelope.Envelope }

func (t *vcToken) Open(k *cose.Key) (credential.Credential, words.Reason, error) {
	c, err := vcjwt.Open(t.envelope, k)
	if err != nil {
		return credential.Credential{}, vcjwt.ReasonOf(err), err
	}
	t.opened = c
	return c.Credential, words.OK, nil
}

func (t *vcToken) Shown(typ *schemas.Type) (schemas.Shown, error) {
	return typ.DecodeWallet(t.opened.Claims)
}

func (t *vcToken) For(audience string) bool {
	aud, err := jose.ParseJSON(t.opened.Audience, jose.DefaultLimits)
	return t.opened.Audience == nil || err == nil && isFor(aud, audience)
}

func (t *vcToken) Bound(want *verifier.Binding, at credential.Time) (words.Reason, error) {
	if t.shown == nil {
		return words.KBMissing, errUnbound
	}
	err := t.shown.Bound(t.opened.Holder, want.Audience, want.Nonce, at, maxAge(want), verifier.BindingSkew)
	if err != nil {
		return vcjwt.ReasonOf(err), err
	}
	return words.OK, nil
}

var errUnbound = errors.New("token: a VC-JWT alone proves nothing of its holder")

// isFor reads aud, a text or an array of texts (RFC 7519 4.1.3).
func isFor(aud jose.Value, audience string) bool {
	switch aud.Kind {
	case jose.Missing:
		return true
	case jose.Array:
		for _, a := range aud.Items {
			if a.Kind == jose.String && a.Text == audience {
				return true
			}
		}
	}
	return aud.Kind == jose.String && aud.Text == audience
}
