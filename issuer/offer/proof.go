package offer

import (
	"strings"

	"aidpass/internal/cose"
	"aidpass/internal/did"
	"aidpass/internal/jose"
)

// proofType is the typ of a key proof. OpenID4VCI F.1.
const proofType = "openid4vci-proof+jwt"

// Limits of one proof.
const (
	maxProof  = 8 << 10 // bytes
	maxAge    = 300     // seconds since iat
	maxMember = 1024    // bytes of a text in it
)

// A proof is what one key proof says, its signature checked.
type proof struct {
	key   *cose.Key
	nonce string
}

func badProof(description string, err error) error { return faultOf(InvalidProof, description, err) }

// readProof checks one key proof in every respect but that its nonce is good and
// unused: its signature with the key in its header, its kind, whom it is for and
// when it was made. now is seconds since 1970; client is that of the token.
//
// The key is a P-256 key as jwk, or as kid the address of one in a did:jwk or
// did:key. What brings a certificate (x5c) is refused, and no address is fetched.
//
// OpenID4VCI F.1 and F.4.
func readProof(text, issuer, client string, now int64) (proof, error) {
	t, err := jose.Parse([]byte(text), maxProof)
	if err != nil {
		return proof{}, badProof("not a JWT signed with ES256", err)
	}
	if t.Type != proofType {
		return proof{}, badProof("typ is not openid4vci-proof+jwt", nil)
	}
	if t.Alg != cose.ES256 {
		return proof{}, badProof("alg is not ES256", nil)
	}
	k, err := proofKey(t)
	if err != nil {
		return proof{}, err
	}
	if k.Alg() != cose.ES256 {
		return proof{}, badProof("the key is not a P-256 key", nil)
	}
	if err := t.Verify(k); err != nil {
		return proof{}, badProof("the signature is not that of the key in the header", err)
	}
	claims, err := t.Claims(jose.Limits{Depth: 8, Entries: 64, Values: 256})
	if err != nil {
		return proof{}, badProof("the claims are not a JSON object", err)
	}
	nonce, err := readProofClaims(claims, issuer, client, now)
	return proof{k, nonce}, err
}

// proofKey returns the key that the header names in exactly one way.
func proofKey(t *jose.Token) (*cose.Key, error) {
	jwk, kid := t.Header.Get("jwk"), t.Header.Get("kid")
	ways := 0
	for _, name := range []string{"jwk", "kid", "x5c"} {
		if t.Header.Get(name).Kind != jose.Missing {
			ways++
		}
	}
	switch {
	case ways != 1:
		return nil, badProof("the header has not exactly one of jwk, kid and x5c", nil)
	case jwk.Kind != jose.Missing:
		k, err := jose.KeyOf(jwk)
		if err != nil {
			return nil, badProof("jwk is not a public P-256 key", err)
		}
		return k, nil
	case kid.Kind != jose.Missing && strings.HasPrefix(kid.Text, "did:"):
		k, err := did.KeyAt(kid.Text)
		if err != nil {
			return nil, badProof("kid is not the address of a key in a did:jwk or did:key", err)
		}
		return k, nil
	}
	return nil, badProof("the key is neither in jwk nor in a did:jwk or did:key", nil)
}

func readProofClaims(claims jose.Value, issuer, client string, now int64) (nonce string, err error) {
	// "string" in the standard: an array of one audience is none.
	if aud := claims.Get("aud"); aud.Kind != jose.String || aud.Text != issuer {
		return "", badProof("aud is not this issuer", nil)
	}
	iat, ok := claims.Get("iat").Int()
	switch {
	case !ok:
		return "", badProof("iat is missing or not a whole number", nil)
	case iat < now-maxAge:
		return "", badProof("iat is too old", nil)
	case iat > now+ahead:
		return "", badProof("iat is in the future", nil)
	}
	for _, name := range []string{"exp", "nbf"} {
		v := claims.Get(name)
		if v.Kind == jose.Missing {
			continue
		}
		n, ok := v.Int()
		if !ok || name == "exp" && n <= now-ahead || name == "nbf" && n > now+ahead {
			return "", badProof(name+" does not hold now", nil)
		}
	}
	// iss is the client_id, and anonymous wallets have none.
	switch iss := claims.Get("iss"); {
	case iss.Kind == jose.Missing:
	case iss.Kind != jose.String || client == "" || iss.Text != client:
		return "", badProof("iss is not the client_id of the token request", nil)
	}
	switch n := claims.Get("nonce"); {
	case n.Kind == jose.Missing:
		return "", badProof("nonce is missing: ask the nonce endpoint", nil)
	case n.Kind != jose.String || len(n.Text) > maxMember:
		return "", fault(InvalidNonce, "not a nonce of this issuer")
	default:
		return n.Text, nil
	}
}
