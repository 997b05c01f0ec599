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

// A Listed is a status list that cards of one issuer name.
type Listed struct {
	Issuer, URI string
	Keys        string // where the issuer's keys are: KeysOf
}

// Lists are the status lists that can be looked into for the cards of w. Ask for all of
// them at once or for none: who serves a list sees who asks.
func Lists(w *wallet.Wallet, rules Rules) (out []Listed) {
	met := map[Listed]bool{}
	for _, c := range w.Cards {
		keys := KeysOf(c.Issuer, rules)
		for _, uri := range c.StatusLists() {
			if l := (Listed{c.Issuer, uri, keys}); keys != "" && rules.checkURL(uri) == nil && !met[l] {
				met[l] = true
				out = append(out, l)
			}
		}
	}
	return out
}

// SetOf is where the key set of issuer is, where what it publishes at KeysOf says no
// more than that; else "".
func SetOf(issuer string, keys []byte, rules Rules) string {
	v, err := object(keys, "the issuer's keys")
	link := textOf(v, "jwks_uri", MaxAddress)
	if err != nil || textOf(v, "issuer", MaxAddress) != issuer || v.Get("jwks").Kind != jose.Missing || link == "" || rules.checkURL(link) != nil {
		return ""
	}
	return link
}

// LookUp takes a status list token, in JWT form, for the cards of w by one issuer that
// name uri. keys is the document of KeysOf, or the set its jwks_uri leads to. Only a
// list that this issuer signed changes anything.
func LookUp(w *wallet.Wallet, issuer, uri string, token, keys []byte, at credential.Time) error {
	set, err := publishedKeys(keys, issuer)
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
