package openid

import (
	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/internal/did"
	"aidpass/internal/jose"
	"aidpass/status"
	"aidpass/wallet"
)

// KeysOf is where an issuer's keys are: what LookUp takes, fetched. It is "" for one
// whose keys are nowhere to be fetched.
func KeysOf(issuer string, rules Rules) string {
	if rules.checkIssuer(issuer) != nil {
		return ""
	}
	return wellKnown(issuer, "jwt-vc-issuer")
}

// LookUp takes a status list token, in JWT form, for the cards of w by one issuer that
// name uri. keys is the document of KeysOf, or the set its jwks_uri leads to. Only a
// list that this issuer signed changes anything.
func LookUp(w *wallet.Wallet, issuer, uri string, token, keys []byte, at credential.Time) error {
	v, err := object(keys, "the issuer's keys")
	if err != nil {
		return err
	}
	if v.Get("keys").Kind == jose.Missing {
		if textOf(v, "issuer", MaxAddress) != issuer {
			return fault(MixUp, "keys of another issuer")
		}
		v = v.Get("jwks")
	}
	set, err := keySet(v)
	if err != nil {
		return err
	}
	list, err := status.OpenJWT(token, func(kid string) *cose.Key { return byID(set, kid, did.Assertion) })
	if err != nil {
		return fault(BadSigned, "%w", err)
	}
	if err := list.CheckURI(uri); err != nil {
		return fault(MixUp, "%w", err)
	}
	for _, c := range w.Cards {
		if c.Issuer == issuer {
			c.LookUp(uri, list, at)
		}
	}
	return nil
}
