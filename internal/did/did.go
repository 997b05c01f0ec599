// Package did reads and writes the three kinds of decentralised identifiers that
// appear in wallets: did:key and did:jwk, which are a key and nothing else, and
// did:web, which is the address of a document with keys.
//
// It fetches nothing. A did:web becomes an address here (WebURL) and its document,
// fetched by web/resolve, is read here (ParseDocument). Keys are P-256 and Ed25519;
// others are named and refused. Each identifier is read in one spelling only, so
// that two texts are never one holder.
//
// W3C DID Core 1.0; did:key v0.9; did:jwk; did:web.
package did

import (
	"errors"
	"fmt"
	"strings"

	"aidpass/internal/cose"
	"aidpass/internal/jose"
)

// Limits, in bytes.
const (
	MaxDID      = 1024     // an identifier
	MaxDocument = 64 << 10 // a did:web document
)

// Faults a caller acts on. A key no honest party has is cose.ErrBadKey.
var (
	// ErrSyntax: not an identifier of the kind it says it is.
	ErrSyntax = errors.New("did: not a well-formed identifier")
	// ErrMethod: an identifier of a kind that is not read here.
	ErrMethod = errors.New("did: a method that is not read here: use did:key, did:jwk or did:web")
	// ErrKeyKind: a key, but neither P-256 nor Ed25519, or one that cannot sign.
	ErrKeyKind = errors.New("did: a kind of key that is not taken: use P-256 or Ed25519")
	// ErrDocument: a did:web document that must not be believed.
	ErrDocument = errors.New("did: not the document of this identifier")
)

func syntax(why string) error { return fmt.Errorf("%w: %s", ErrSyntax, why) }

// limits of a JWK inside a did:jwk.
var limits = jose.Limits{Depth: 4, Entries: 32, Values: 64}

// KeyOf returns the key that a did:key or did:jwk stands for, and the one address
// of that key within it, as kid headers write it.
//
// Errors: ErrSyntax, ErrMethod, ErrKeyKind, cose.ErrBadKey (cose.ErrPrivateKey
// where somebody published a private key).
func KeyOf(id string) (k *cose.Key, keyID string, err error) {
	if len(id) > MaxDID {
		return nil, "", syntax("longer than 1024 bytes")
	}
	if name, ok := strings.CutPrefix(id, "did:key:"); ok {
		k, err = parseMultikey(name)
		return k, id + "#" + name, err
	}
	if name, ok := strings.CutPrefix(id, "did:jwk:"); ok {
		k, err = parseJWK(name)
		return k, id + "#0", err
	}
	return nil, "", ErrMethod
}

// KeyAt returns the key that a DID URL such as did:jwk:…#0 names: an identifier
// that KeyOf reads with exactly its own fragment.
func KeyAt(url string) (*cose.Key, error) {
	id, _, ok := strings.Cut(url, "#")
	if !ok {
		return nil, syntax("a key's address without a fragment")
	}
	k, keyID, err := KeyOf(id)
	if err == nil && keyID != url {
		return nil, syntax("a fragment that is not the key's")
	}
	return k, err
}

// OfKey returns k as a did:key.
func OfKey(k *cose.Key) string { return "did:key:" + multikey(k) }

// OfJWK returns k as a did:jwk of its required members, sorted. Others may write
// the same key in other ways (did:jwk, "Security"): compare keys, not identifiers.
func OfJWK(k *cose.Key) string {
	return "did:jwk:" + jose.EncodeBase64(jose.JWKOf(k).Append(nil))
}

func parseJWK(name string) (*cose.Key, error) {
	raw, err := jose.DecodeBase64(name)
	if err != nil {
		return nil, syntax("did:jwk is not base64url")
	}
	v, err := jose.ParseJSON(raw, limits)
	if err != nil {
		return nil, fmt.Errorf("%w: did:jwk: %w", ErrSyntax, err)
	}
	// "enc" leaves the key agreement alone in the document: it signs nothing.
	switch use := v.Get("use"); {
	case use.Kind == jose.Missing, use.Kind == jose.String && use.Text == "sig":
	case use.Kind == jose.String && use.Text == "enc":
		return nil, fmt.Errorf("%w: its use is enc", ErrKeyKind)
	default:
		return nil, syntax("did:jwk with an unknown use")
	}
	k, err := jose.KeyOf(v)
	switch {
	case errors.Is(err, jose.ErrAlgNotAllowed):
		return nil, fmt.Errorf("%w: %w", ErrKeyKind, err)
	case errors.Is(err, cose.ErrBadKey):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w: did:jwk: %w", ErrSyntax, err)
	}
	return k, nil
}
