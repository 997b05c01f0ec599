package resolve

import (
	"context"
	"errors"
	"strings"

	"github.com/lestrrat-go/jwx/v3/jwk"

	"aidpass/internal/cose"
	"aidpass/internal/did"
	"aidpass/internal/jose"
)

// Key is one key an issuer publishes.
type Key struct {
	ID  string // kid; "" where the issuer gives none
	Key *cose.Key
}

// maxKeys is the most keys of one set.
const maxKeys = 64

const jsonType = "application/json"

// WebDID returns the keys in the document of a did:web. Only those on the list
// of Config are fetched (ErrNotListed), without any redirect, and the document
// must carry the very identifier.
func (c *Client) WebDID(ctx context.Context, id string) ([]did.Method, error) {
	if !c.webDIDs[id] {
		return nil, ErrNotListed
	}
	address, err := did.WebURL(id)
	if err != nil {
		return nil, err
	}
	b, err := c.get(ctx, address, want{what: "a did:web document", types: []string{"application/did+json", "application/did", "application/did+ld+json", jsonType, "application/ld+json"},
		max: did.MaxDocument, fixed: true, cached: true})
	if err != nil {
		return nil, err
	}
	return did.ParseDocument(b, id)
}

// IssuerKeys returns the keys that the issuer iss, an https address, publishes as
// JWT VC issuer metadata: jwks, or what jwks_uri leads to, and not both.
//
// draft-ietf-oauth-sd-jwt-vc 4.
func (c *Client) IssuerKeys(ctx context.Context, iss string) ([]Key, error) {
	address, err := WellKnown(iss, "jwt-vc-issuer")
	if err != nil {
		return nil, err
	}
	const what = "the issuer's metadata"
	v, _, err := c.getJSON(ctx, address, want{what: what, types: []string{jsonType}, max: 128 << 10, cached: true})
	if err != nil {
		return nil, err
	}
	if got := v.Get("issuer"); got.Kind != jose.String || got.Text != iss {
		return nil, answer("%s names another issuer", what)
	}
	set, link := v.Get("jwks"), v.Get("jwks_uri")
	switch {
	case (set.Kind == jose.Missing) == (link.Kind == jose.Missing):
		return nil, answer("%s must hold one of jwks and jwks_uri", what)
	case set.Kind != jose.Missing:
		return keySet(set)
	case link.Kind != jose.String:
		return nil, answer("jwks_uri is not text")
	}
	set, _, err = c.getJSON(ctx, link.Text, want{what: "a key set", types: []string{"application/jwk-set+json", jsonType}, max: 128 << 10, cached: true})
	if err != nil {
		return nil, err
	}
	return keySet(set)
}

// ParseKeySet reads a JWK set of at most 128 KiB, as IssuerKeys does: kinds of
// keys that are not ours and keys for encryption are passed over, a private key or
// a key id given twice refuses the set. RFC 7517 5.
func ParseKeySet(b []byte) ([]Key, error) {
	if len(b) > 128<<10 {
		return nil, answer("a key set larger than 128 KiB")
	}
	v, err := jose.ParseJSON(b, jsonLimits)
	if err != nil {
		return nil, answer("a key set: %w", err)
	}
	return keySet(v)
}

// keySet reads a set whose JSON is known to be sound: no member stands in it
// twice, which the library would take. Each key is looked at before the library
// sees it, for what kind it is, and afterwards, as all our keys are.
func keySet(v jose.Value) ([]Key, error) {
	list := v.Get("keys")
	if v.Kind != jose.Object || list.Kind != jose.Array || len(list.Items) > maxKeys {
		return nil, answer("a key set without keys, or with more than %d", maxKeys)
	}
	var ours []jose.Value
	for _, k := range list.Items {
		// KeyOf knows our kinds and refuses private keys of any kind.
		switch _, err := jose.KeyOf(k); {
		case errors.Is(err, jose.ErrAlgNotAllowed), errors.Is(err, jose.ErrAlgKeyMismatch):
			continue
		case err != nil:
			return nil, answer("a key: %w", err)
		}
		if use := k.Get("use"); use.Kind != jose.Missing && use.Text != "sig" {
			continue
		}
		ours = append(ours, k)
	}
	set, err := jwk.Parse(jose.ObjectOf(jose.Member{Name: "keys", Value: jose.ArrayOf(ours...)}).Append(nil), jwk.WithPEM(false))
	if err != nil {
		return nil, answer("a key set that cannot be read")
	}
	keys := make([]Key, 0, set.Len())
	met := map[string]bool{}
	for i := range set.Len() {
		k, _ := set.Key(i)
		id, _ := k.KeyID()
		if id != "" && met[id] {
			return nil, answer("a key set that uses a key id twice")
		}
		met[id] = true
		var public any
		if err := jwk.Export(k, &public); err != nil {
			return nil, answer("a key that cannot be read")
		}
		key, err := cose.NewKey(public)
		if err != nil {
			return nil, answer("a key: %w", err)
		}
		keys = append(keys, Key{ID: id, Key: key})
	}
	return keys, nil
}

// ByID returns the key with this id. Where the issuer publishes one key without
// an id, it is that one; nil for none.
func ByID(keys []Key, id string) *cose.Key {
	for _, k := range keys {
		if k.ID == id && id != "" {
			return k.Key
		}
	}
	if len(keys) == 1 && (id == "" || keys[0].ID == "") {
		return keys[0].Key
	}
	return nil
}

// isHTTPS reports whether an identifier is an https address.
func isHTTPS(s string) bool { return strings.HasPrefix(s, "https://") }
