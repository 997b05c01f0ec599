package openid

import (
	"slices"
	"strings"

	"aidpass/internal/cose"
	"aidpass/internal/did"
	"aidpass/internal/jose"
	"aidpass/wallet"
)

// maxKeys is the longest document with an issuer's keys, in bytes.
const maxKeys = 128 << 10

// An Unproved is an issuer whose cards could not be proved when they came.
type Unproved struct {
	Issuer string
	Keys   string // where its keys are
}

// Unproven are the issuers of cards of w that are to be proved yet. Ask for all of them
// at once or for none, as for Lists.
func Unproven(w *wallet.Wallet, rules Rules) (out []Unproved) {
	met := map[string]bool{}
	for _, c := range w.Cards {
		if !c.Unproved() || met[c.Issuer] {
			continue
		}
		met[c.Issuer] = true
		keys := KeysOf(c.Issuer, rules)
		if strings.HasPrefix(c.Issuer, "did:web:") {
			if url, err := did.WebURL(c.Issuer); err == nil && rules.checkURL(url) == nil {
				keys = url
			}
		}
		if keys != "" {
			out = append(out, Unproved{c.Issuer, keys})
		}
	}
	return out
}

// Prove takes the keys of issuer, as fetched from where Unproven says or from where its
// jwks_uri leads (SetOf), for the cards of w that were not proved yet, each copy's by the name it has for it. proved is how many
// are now, those among them that took another's place (wallet.Renewed); the first that does not hold under them is the error, and stays as it is.
func Prove(w *wallet.Wallet, issuer string, document []byte) (proved int, err error) {
	if len(document) > maxKeys {
		return 0, fault(TooLarge, "keys of more than %d bytes", maxKeys)
	}
	var keys []namedKey
	if strings.HasPrefix(issuer, "did:") {
		keys, err = documentKeys(document, issuer)
	} else {
		keys, err = publishedKeys(document, issuer)
	}
	if err != nil {
		return 0, err
	}
	for _, c := range slices.Clone(w.Cards) {
		if c.Issuer != issuer || !c.Unproved() {
			continue
		}
		if bad := proveCard(c, keys); bad == nil {
			w.Renewed(c)
			proved++
		} else if err == nil {
			err = fault(BadIssued, "what was issued does not hold: %w", bad)
		}
	}
	return proved, err
}

func proveCard(c *wallet.Card, keys []namedKey) error {
	return c.Prove(func(k wallet.Copy) (*cose.Key, error) {
		h, err := hintOf(k.Form, k.Text)
		if err != nil {
			return nil, err
		}
		if key := h.keyIn(keys, c.Issuer); h.iss == c.Issuer && key != nil {
			return key, nil
		}
		return nil, errNoKey
	})
}

// publishedKeys are the keys in what issuer publishes, or in the set that it leads to.
func publishedKeys(document []byte, issuer string) ([]namedKey, error) {
	v, err := object(document, "the issuer's keys")
	if err != nil {
		return nil, err
	}
	if v.Get("keys").Kind == jose.Missing {
		if textOf(v, "issuer", MaxAddress) != issuer {
			return nil, fault(MixUp, "keys of another issuer")
		}
		v = v.Get("jwks")
	}
	return keySet(v)
}
