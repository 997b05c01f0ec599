package trust

import (
	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/internal/did"
	"aidpass/internal/jose"
)

// An organisation's keys for wallet credentials are told to the web in three
// documents, for wallets and verifiers that know nothing of trust lists: whatever
// they prove is that its server said so. The documents are made from the list, so
// that web and list never differ.

// KeySet is the JWK set of o: its keys for wallet credentials and, where it has such,
// for the status lists these name, that count at time at. Those whose first day is
// still to come are among them, compromised ones not.
//
// The web has no other place where a wallet could learn which key proves a status list
// token (draft-ietf-oauth-status-list 11.3 leaves it to the ecosystem), and no word for
// what a key is for: whoever goes by this set alone takes a credential under a status
// key too. Readers of the trust list do not.
//
// RFC 7517 5.
func KeySet(o *Organisation, at credential.Time) []byte { return keySet(o, at).Append(nil) }

// IssuerMetadata is what /.well-known/jwt-vc-issuer says of o: its id and the set.
//
// draft-ietf-oauth-sd-jwt-vc 4.2.
func IssuerMetadata(o *Organisation, at credential.Time) []byte {
	return jose.ObjectOf(jose.Member{Name: "issuer", Value: jose.StringOf(o.ID)}, jose.Member{Name: "jwks", Value: keySet(o, at)}).Append(nil)
}

// DIDDocument is the did:web document of o, with the same keys and those that sign what
// wallets are asked (OpenID4VP 1.0 5.9.3), each for its purpose alone, and the DID. ok is
// false where the organisation's id is no https address that a did:web can say.
func DIDDocument(o *Organisation, at credential.Time) (id string, doc []byte, ok bool) {
	if id, ok = did.OfWeb(o.ID); !ok {
		return "", nil, false
	}
	var methods []did.Method
	for _, k := range o.Keys {
		m := did.Method{ID: id + "#" + jose.KeyID(k.Key), Key: k.Key, For: did.Assertion}
		switch {
		case k.Use == UseVC && k.counts(at):
		case k.Use == UseRequest && k.State == Active:
			m.For = did.Authentication // a request is answered at once: retired keys ask nothing
		default:
			continue
		}
		methods = append(methods, m)
	}
	return id, did.Document(id, methods), true
}

func keySet(o *Organisation, at credential.Time) jose.Value {
	keys := jose.ArrayOf()
	for _, k := range o.Keys {
		if k.Use != UseVC && k.Use != UseStatus || !k.counts(at) {
			continue
		}
		alg := "EdDSA"
		if k.Key.Alg() == cose.ES256 {
			alg = "ES256"
		}
		jwk := jose.JWKOf(k.Key)
		jwk.Members = append(jwk.Members,
			jose.Member{Name: "alg", Value: jose.StringOf(alg)}, jose.Member{Name: "kid", Value: jose.StringOf(k.textID())}, jose.Member{Name: "use", Value: jose.StringOf("sig")})
		keys.Items = append(keys.Items, jwk.Sorted())
	}
	return jose.ObjectOf(jose.Member{Name: "keys", Value: keys})
}

// counts reports whether what k signed may count now or later. An active key stays
// after its last day: what it signed until then still counts.
func (k *Key) counts(at credential.Time) bool {
	return k.State == Active || k.State == Retired && at <= k.AcceptUntil
}

// textID is the kid of a JWT that k signs: base64url of an id that is computed,
// and of one that is not text; else that text.
func (k *Key) textID() string {
	for _, c := range k.KID {
		if k.plainKID() || c <= ' ' || c > '~' {
			return jose.EncodeBase64(k.KID)
		}
	}
	return string(k.KID)
}

// SignsForWallets reports whether o has a key to tell the web of at time at.
func SignsForWallets(o *Organisation, at credential.Time) bool {
	for _, k := range o.Keys {
		if k.Use == UseVC && k.counts(at) {
			return true
		}
	}
	return false
}
