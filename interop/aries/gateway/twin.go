package gateway

import (
	"crypto"
	"errors"
	"fmt"

	"aidpass/credential"
	"aidpass/credential/vcjwt"
	"aidpass/internal/cose"
	"aidpass/internal/did"
	"aidpass/internal/jose"
	"aidpass/verifier"
	"aidpass/verifier/token"
	"aidpass/words"
)

// Twin says again, as the version 1.1 that Aries wallets read, what text says: an
// issued vc+jwt. Identity, dates, holder and place in the status list are the same,
// so one revocation ends both.
//
// text is judged by the verifier first, at the time at, with what pack knows; that
// its holder has not signed anything yet is no fault here. signer is the private half
// of the very key that signed text. issuer is what a wallet looks the key up by: a
// did:web whose document has it, or "" for the key's own did:key.
func Twin(text string, pack *verifier.Pack, at credential.Time, signer crypto.Signer, issuer string) (string, error) {
	r := verifier.Verify(text, verifier.Inputs{At: at, Pack: pack, Tokens: token.Reader{}})
	for _, reason := range r.Reasons() {
		switch reason {
		case words.OK, words.KBMissing, words.NotYetValid, words.WrongSite, words.WrongRound:
		default:
			return "", fmt.Errorf("gateway: the verifier answers %s: %w", reason, errors.Join(r.Err, ErrRefused))
		}
	}
	if !r.Credential.Proven() {
		return "", fmt.Errorf("gateway: nothing of it is proved: %w", ErrRefused)
	}
	k, err := cose.NewKey(signer.Public())
	if err != nil {
		return "", fmt.Errorf("gateway: the signing key: %w", err)
	}
	e, err := vcjwt.Parse(text)
	if err != nil {
		return "", fmt.Errorf("gateway: %w: a credential of form vc+jwt is needed", err)
	}
	c, err := vcjwt.Open(e, k)
	if err != nil {
		return "", fmt.Errorf("gateway: it was signed by another key than the one given: %w", err)
	}
	if c.Holder == nil {
		return "", fmt.Errorf("gateway: it is bound to nobody's key: %w", ErrRefused)
	}
	own := did.OfKey(k)
	_, kid, err := did.KeyOf(own)
	if err != nil {
		return "", err
	}
	if issuer == "" {
		issuer = own
	} else {
		kid = issuer + "#" + jose.KeyID(k)
	}
	p, err := vcjwt.PrepareV11(k, vcjwt.Draft{
		Issuer: issuer, KeyID: kid, Type: string(c.Type), ID: string(c.ID), IssuedAt: c.IssuedAt, NotBefore: c.NotBefore, ExpiresAt: c.ExpiresAt,
		StatusURI: string(c.Status.URI), StatusIndex: c.Status.Index, HolderKey: c.Holder, Claims: c.Claims,
	})
	if err != nil {
		return "", err
	}
	sig, err := cose.SignRaw(signer, p.ToBeSigned())
	if err != nil {
		return "", fmt.Errorf("gateway: sign: %w", err)
	}
	out, err := p.Attach(sig)
	return string(out), err
}

// ErrRefused: the verifier of aidpass does not take the credential, so no wallet gets it.
var ErrRefused = errors.New("gateway: this credential is not handed out")
