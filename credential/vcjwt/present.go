package vcjwt

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/words"
)

// PresentationType is the typ header of a presentation.
const PresentationType = "vp+jwt"

// What a credential inside a presentation is called, and what stands before its text.
const (
	presentationType = "VerifiablePresentation"
	envelopedType    = "EnvelopedVerifiableCredential"
	envelopedPrefix  = "data:application/vc+jwt,"
)

// PreparePresentation is the first phase of showing a credential: it fixes the bytes
// that the holder's key k signs for an audience that gave a nonce. text is the whole
// credential. Attach on the result makes the text to be sent.
//
// VC-JOSE-COSE, "Securing JSON-LD Verifiable Presentations with JOSE"; OpenID4VP 1.0
// B.1.3.1.5 for aud and nonce.
func PreparePresentation(k *cose.Key, text, audience, nonce string, at credential.Time) (*Prepared, error) {
	if audience == "" || nonce == "" {
		return nil, errors.New("vcjwt: a presentation needs an audience and a nonce")
	}
	body := jose.ObjectOf(
		member("@context", jose.ArrayOf(jose.StringOf(contextV2))),
		member("type", jose.ArrayOf(jose.StringOf(presentationType))),
		member("verifiableCredential", jose.ArrayOf(jose.ObjectOf(member("@context", jose.StringOf(contextV2)),
			member("id", jose.StringOf(envelopedPrefix+text)), member("type", jose.StringOf(envelopedType))))),
		member("aud", jose.StringOf(audience)), member("iat", jose.IntOf(int64(at))), member("nonce", jose.StringOf(nonce)))
	p, err := jose.Prepare(k, PresentationType, jose.KeyID(k), body.Sorted().Append(nil), limits, member("cty", jose.StringOf("vp")))
	if err != nil {
		return nil, fmt.Errorf("vcjwt: prepare presentation: %w", err)
	}
	return p, nil
}

// Presentation is a presentation of one credential that nobody has proved yet.
type Presentation struct {
	// Credential is the text inside, to be parsed and opened by itself.
	Credential string

	token  *jose.Token
	claims jose.Value
}

// IsPresentation reports whether a text says that it is a presentation.
func IsPresentation(text string) bool {
	t, err := jose.Parse([]byte(text), MaxText)
	return err == nil && t.Type == PresentationType
}

// ParsePresentation reads a presentation as far as the credential in it, of which there
// is exactly one. Nothing is proved. Errors are those of Parse.
func ParsePresentation(text string) (*Presentation, error) {
	if len(text) > MaxText {
		return nil, fault(words.TooLarge, "a text of %d bytes", len(text))
	}
	t, err := jose.Parse([]byte(text), MaxText)
	if err != nil {
		return nil, err
	}
	if t.Type != PresentationType {
		return nil, fault(words.WrongTyp, "typ %.40q, not %q", t.Type, PresentationType)
	}
	if cty := t.Header.Get("cty"); cty.Kind != jose.Missing && (cty.Kind != jose.String || cty.Text != "vp") {
		return nil, fault(words.WrongTyp, "cty %.40q, not %q", cty.Text, "vp")
	}
	claims, err := t.Claims(limits)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"vc", "vp"} {
		if claims.Get(name).Kind != jose.Missing {
			return nil, fault(words.BadClaims, "claim %s: a presentation of version 1.1 in this form's clothes", name)
		}
	}
	list := claims.Get("verifiableCredential")
	if list.Kind != jose.Array || len(list.Items) != 1 {
		return nil, fault(words.BadClaims, "verifiableCredential is not a list of one")
	}
	inside, ok := strings.CutPrefix(list.Items[0].Get("id").Text, envelopedPrefix)
	if kind := list.Items[0].Get("type"); !ok || !isType(kind, envelopedType) || !isType(claims.Get("type"), presentationType) {
		return nil, fault(words.BadClaims, "it does not hold an enveloped credential")
	}
	return &Presentation{Credential: inside, token: t, claims: claims}, nil
}

// isType reports whether v is the text want, or a list of nothing else.
func isType(v jose.Value, want string) bool {
	if v.Kind == jose.Array && len(v.Items) == 1 {
		v = v.Items[0]
	}
	return v.Kind == jose.String && v.Text == want
}

// Bound checks that holder, the key of the proven credential inside, signed the
// presentation for an audience and a nonce, at most maxAge seconds before the time at;
// her clock may be skew seconds off. A key that the text brings along is its maker's and
// refuses it.
//
// Errors: kb_no_holder_key, alg_key_mismatch, kb_bad_signature, kb_wrong_audience,
// kb_wrong_nonce, bad_claims, kb_stale.
func (p *Presentation) Bound(holder *cose.Key, audience, nonce string, at credential.Time, maxAge, skew int64) error {
	if holder == nil {
		return fault(words.KBNoHolderKey, "the credential names no key that could be checked")
	}
	for _, name := range []string{"jwk", "jku", "x5c", "x5u"} {
		if p.token.Header.Get(name).Kind != jose.Missing {
			return fault(words.KBBadSignature, "the presentation brings a key of its own: %s", name)
		}
	}
	switch err := p.token.Verify(holder); {
	case errors.Is(err, jose.ErrAlgKeyMismatch):
		return err
	case err != nil:
		return fault(words.KBBadSignature, "%w", err)
	}
	if !same(p.claims.Get("aud"), audience) {
		return fault(words.KBWrongAudience, "presented to somebody else")
	}
	if !same(p.claims.Get("nonce"), nonce) {
		return fault(words.KBWrongNonce, "made for another request")
	}
	iat, ok := p.claims.Get("iat").Int()
	switch {
	case !ok || iat < 0 || iat > int64(credential.MaxTime):
		return fault(words.BadClaims, "iat of the presentation is not a time")
	case iat < int64(at)-maxAge || iat > int64(at)+skew:
		return fault(words.KBStale, "signed at another time")
	}
	// exp and nbf are not asked for, but what they say holds.
	if v := p.claims.Get("exp"); v.Kind != jose.Missing {
		if exp, ok := v.Int(); !ok || exp <= int64(at)-skew {
			return fault(words.KBStale, "the presentation has expired")
		}
	}
	if v := p.claims.Get("nbf"); v.Kind != jose.Missing {
		if nbf, ok := v.Int(); !ok || nbf > int64(at)+skew {
			return fault(words.KBStale, "the presentation is not valid yet")
		}
	}
	return nil
}

// same reports whether v is the text want; never where nothing is wanted.
func same(v jose.Value, want string) bool {
	return want != "" && v.Kind == jose.String && subtle.ConstantTimeCompare([]byte(v.Text), []byte(want)) == 1
}
