package dcql

import (
	"aidpass/credential/sdjwt"
	"aidpass/credential/vcjwt"
	"aidpass/internal/jose"
)

// OfSDJWT is what a query looks at of a proven SD-JWT VC: all its claims in a wallet,
// those shown at a verifier. Bound says that its holder can sign.
func OfSDJWT(c *sdjwt.Credential) Held {
	h := Held{Format: FormatSDJWT, Types: []string{string(c.Type)}, Claims: c.Claims, Bound: c.Holder != nil}
	for _, t := range c.Claims.Get("aka_vcts").Items {
		if t.Kind == jose.String {
			h.Types = append(h.Types, t.Text)
		}
	}
	return h
}

// OfVCJWT is OfSDJWT for a proven W3C credential. Of what stands beside its subject a
// query can ask for the issuer and the type.
func OfVCJWT(c *vcjwt.Credential) Held {
	types := []string{baseType, string(c.Type)}
	return Held{Format: FormatVCJWT, Types: types, Bound: c.Holder != nil, Claims: jose.ObjectOf(
		jose.Member{Name: "type", Value: list(types)}, jose.Member{Name: "issuer", Value: jose.StringOf(string(c.Issuer))},
		jose.Member{Name: "credentialSubject", Value: c.Claims})}
}
