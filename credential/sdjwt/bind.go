package sdjwt

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/words"
)

// Binding is what a verifier wants the holder to have signed.
type Binding struct {
	Audience string          // the verifier's own identifier; never empty
	Nonce    string          // the one it gave for this presentation; never empty
	At       credential.Time // now
	MaxAge   time.Duration   // how long ago it may have been signed
	Skew     time.Duration   // how far the holder's clock may be ahead
}

// check judges the key binding JWT of e. k comes from the issuer's cnf and from
// nowhere else: a key the text brings along is its maker's.
//
// RFC 9901 4.3 and 7.3 step 5.
func (want Binding) check(e *Envelope, k *cose.Key) error {
	if !e.HasBinding() {
		return fault(words.KBMissing, "no key binding JWT")
	}
	if k == nil {
		return fault(words.KBNoHolderKey, "cnf names no key that could be checked")
	}
	t, err := jose.Parse([]byte(e.binding), MaxText)
	if err != nil {
		return err
	}
	if t.Type != BindingType {
		return fault(words.WrongTyp, "typ %.40q, not %q", t.Type, BindingType)
	}
	for _, name := range []string{"jwk", "jku", "x5c", "x5u"} {
		if t.Header.Get(name).Kind != jose.Missing {
			return fault(words.KBBadSignature, "the key binding JWT brings a key of its own: %s", name)
		}
	}
	switch err := t.Verify(k); {
	case errors.Is(err, jose.ErrAlgKeyMismatch):
		return err
	case err != nil:
		return fault(words.KBBadSignature, "%w", err)
	}
	claims, err := t.Claims(limits)
	if err != nil {
		return err
	}
	// A missing claim is as wrong as another one.
	if !same(claims.Get("sd_hash"), digest(e.shown)) {
		return fault(words.KBWrongHash, "sd_hash is of other disclosures or another credential")
	}
	if !same(claims.Get("aud"), want.Audience) {
		return fault(words.KBWrongAudience, "presented to somebody else")
	}
	if !same(claims.Get("nonce"), want.Nonce) {
		return fault(words.KBWrongNonce, "made for another request")
	}
	skew, age := int64(want.Skew/time.Second), int64(want.MaxAge/time.Second)
	at := int64(want.At)
	iat, ok := claims.Get("iat").Int()
	if !ok || iat < 0 || iat > int64(credential.MaxTime) {
		return fault(words.BadClaims, "iat of the key binding JWT is not a time")
	}
	if iat > at+skew || iat < at-age {
		return fault(words.KBStale, "signed %d seconds ago", at-iat)
	}
	// exp and nbf are not asked for, but what they say holds (RFC 9901 7.3 step 5.8).
	if v := claims.Get("exp"); v.Kind != jose.Missing {
		if exp, ok := v.Int(); !ok {
			return fault(words.BadClaims, "exp of the key binding JWT is not a time")
		} else if at-skew >= exp {
			return fault(words.KBStale, "the key binding JWT has expired")
		}
	}
	if v := claims.Get("nbf"); v.Kind != jose.Missing {
		if nbf, ok := v.Int(); !ok {
			return fault(words.BadClaims, "nbf of the key binding JWT is not a time")
		} else if at+skew < nbf {
			return fault(words.KBStale, "the key binding JWT is not valid yet")
		}
	}
	return nil
}

// same reports whether v is the text want; never where nothing is wanted, so
// that a verifier that forgot its nonce accepts nobody.
func same(v jose.Value, want string) bool {
	return want != "" && v.Kind == jose.String && subtle.ConstantTimeCompare([]byte(v.Text), []byte(want)) == 1
}

// Present returns the text that shows only the disclosures keep agrees to, and
// those they stand in, without key binding: "issuer's JWT ~ ... ~".
func (c *Credential) Present(keep func(*Disclosure) bool) string {
	shown := make([]bool, len(c.Disclosures))
	for i := range c.Disclosures {
		if keep(&c.Disclosures[i]) {
			for j := i; j >= 0; j = c.Disclosures[j].parent {
				shown[j] = true
			}
		}
	}
	var b strings.Builder
	b.WriteString(c.signed + "~")
	for i, d := range c.Disclosures {
		if shown[i] {
			b.WriteString(d.text + "~")
		}
	}
	return b.String()
}

// PrepareBinding is the first phase of a presentation: it fixes the bytes that
// the holder's key k signs over shown, the text Present returned. Attach on the
// result makes the text to be sent.
func PrepareBinding(k *cose.Key, shown, audience, nonce string, at credential.Time) (*Prepared, error) {
	if !strings.HasSuffix(shown, "~") || audience == "" || nonce == "" {
		return nil, fmt.Errorf("sdjwt: a presentation needs a text ending in a tilde, an audience and a nonce")
	}
	alg := "EdDSA"
	if k.Alg() == cose.ES256 {
		alg = "ES256"
	}
	// No kid: cnf says which key it is.
	header := jose.ObjectOf(jose.Member{Name: "alg", Value: jose.StringOf(alg)}, jose.Member{Name: "typ", Value: jose.StringOf(BindingType)})
	claims := jose.ObjectOf(
		jose.Member{Name: "aud", Value: jose.StringOf(audience)}, jose.Member{Name: "iat", Value: jose.IntOf(int64(at))},
		jose.Member{Name: "nonce", Value: jose.StringOf(nonce)}, jose.Member{Name: "sd_hash", Value: jose.StringOf(digest(shown))})
	tbs := append(jose.AppendBase64(nil, header.Append(nil)), '.')
	return &Prepared{key: k, tbs: jose.AppendBase64(tbs, claims.Append(nil)), before: shown}, nil
}
