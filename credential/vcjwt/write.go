package vcjwt

import (
	"errors"
	"fmt"

	"aidpass/credential"
	"aidpass/credential/internal/jwtclaims"
	"aidpass/internal/cose"
	"aidpass/internal/did"
	"aidpass/internal/jose"
)

// Draft is a credential before it is signed.
type Draft struct {
	Issuer string // an https URI or a DID
	Type   string // vct: an https URI, which is also the second entry of type
	ID     string // jti; "" for none

	IssuedAt  credential.Time
	NotBefore credential.Time // 0 or anything up to IssuedAt: from IssuedAt on
	ExpiresAt credential.Time

	StatusURI   string // JWT status list; empty: no status claim
	StatusIndex uint64

	HolderKey *cose.Key // nil: not bound to a phone

	KeyID  string        // kid; "" stands for jose.KeyID of the signing key
	Header []jose.Member // further headers, such as x5c

	// Claims is an object: what is said of the subject, by the names of its type.
	// All of it is shown to every verifier, so the caller leaves out what must not.
	Claims jose.Value
}

// Prepared is a credential that lacks only its signature: see jose.Prepared.
type Prepared = jose.Prepared

// Prepare is the first phase of signing: it fixes the exact bytes to be signed by
// k's private half, wherever that is kept. Attach on the result makes the text.
// Prepare refuses what the reader would refuse.
//
// VC-JOSE-COSE, "With JOSE"; nbf is left out, as it asks.
func Prepare(k *cose.Key, d Draft) (*Prepared, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	body := d.common()
	subject := d.subject()
	body.Members = append(body.Members,
		member("@context", jose.ArrayOf(jose.StringOf(contextV2), jose.StringOf(contextName))),
		member("type", jose.ArrayOf(jose.StringOf(baseType), jose.StringOf(d.Type))),
		member("issuer", jose.StringOf(d.Issuer)),
		member("validFrom", jose.StringOf(max(d.IssuedAt, d.NotBefore).String())),
		member("validUntil", jose.StringOf(d.ExpiresAt.String())),
		member("credentialSubject", subject))
	if d.StatusURI != "" {
		body.Members = append(body.Members, member("status", jwtclaims.StatusOf(d.StatusURI, d.StatusIndex)))
	}
	p, err := jose.Prepare(k, Type, d.keyID(k), body.Sorted().Append(nil), limits, append([]jose.Member{member("cty", jose.StringOf("vc"))}, d.Header...)...)
	if err != nil {
		return nil, fmt.Errorf("vcjwt: prepare: %w", err)
	}
	// Read back as everyone will, but for the signature.
	e, err := Parse(string(p.ToBeSigned()) + "." + jose.EncodeBase64(make([]byte, cose.SignatureSize)))
	if err == nil {
		_, err = readClaims(e.payload)
	}
	if err != nil {
		return nil, fmt.Errorf("vcjwt: prepare: %w", err)
	}
	return p, nil
}

// PrepareV11 is Prepare for readers of the data model 1.1, such as Aries agents:
// a JWT of typ JWT with the claim vc. It says the same, and our own readers
// refuse it: its typ does not tell it from other tokens, and its readers in use
// take unsigned ones. So it is for handing out only, never for believing.
//
// The status stays a token status list, which those readers do not look at.
// VC Data Model 1.1, 6.3.1.
func PrepareV11(k *cose.Key, d Draft) (*Prepared, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	body := d.common()
	vc := jose.ObjectOf(
		member("@context", jose.ArrayOf(jose.StringOf("https://www.w3.org/2018/credentials/v1"),
			// Every further name means what its issuer says, as in version 2.
			jose.ObjectOf(member("@vocab", jose.StringOf("https://www.w3.org/ns/credentials/issuer-dependent#"))))),
		member("type", jose.ArrayOf(jose.StringOf(baseType), jose.StringOf(d.Type))),
		member("issuer", jose.StringOf(d.Issuer)),
		member("issuanceDate", jose.StringOf(max(d.IssuedAt, d.NotBefore).String())),
		member("expirationDate", jose.StringOf(d.ExpiresAt.String())),
		member("credentialSubject", d.subject()))
	body.Members = append(body.Members, member("vc", vc), member("nbf", jose.IntOf(int64(max(d.IssuedAt, d.NotBefore)))))
	if d.HolderKey != nil {
		body.Members = append(body.Members, member("sub", jose.StringOf(did.OfKey(d.HolderKey))))
	}
	if d.StatusURI != "" {
		body.Members = append(body.Members, member("status", jwtclaims.StatusOf(d.StatusURI, d.StatusIndex)))
	}
	p, err := jose.Prepare(k, "JWT", d.keyID(k), body.Sorted().Append(nil), limits, d.Header...)
	if err != nil {
		return nil, fmt.Errorf("vcjwt: prepare version 1.1: %w", err)
	}
	return p, nil
}

func (d *Draft) check() error {
	switch {
	case d.Issuer == "" || d.Type == "" || d.Type == baseType:
		return errors.New("vcjwt: a credential needs an issuer and a type of its own")
	case d.IssuedAt <= 0 || d.ExpiresAt <= max(d.IssuedAt, d.NotBefore) || d.ExpiresAt > credential.MaxTime:
		return fmt.Errorf("vcjwt: exp %s is not after iat and nbf", d.ExpiresAt)
	case d.Claims.Kind != jose.Object:
		return errors.New("vcjwt: the claims are not an object")
	case d.Claims.Get("id").Kind != jose.Missing:
		return errors.New("vcjwt: the subject's id is written from the holder's key")
	}
	return nil
}

// common is what both versions say alike, as JWT claims.
func (d *Draft) common() jose.Value {
	body := jose.ObjectOf(member("iss", jose.StringOf(d.Issuer)), member("iat", jose.IntOf(int64(d.IssuedAt))), member("exp", jose.IntOf(int64(d.ExpiresAt))))
	if d.ID != "" {
		body.Members = append(body.Members, member("jti", jose.StringOf(d.ID)))
	}
	if d.HolderKey != nil {
		body.Members = append(body.Members, member("cnf", jwtclaims.HolderOf(d.HolderKey)))
	}
	return body
}

func (d *Draft) subject() jose.Value {
	subject := jose.ObjectOf()
	if d.HolderKey != nil {
		subject.Members = append(subject.Members, member("id", jose.StringOf(did.OfKey(d.HolderKey))))
	}
	subject.Members = append(subject.Members, d.Claims.Members...)
	return subject
}

func (d *Draft) keyID(k *cose.Key) string {
	if d.KeyID != "" {
		return d.KeyID
	}
	return jose.KeyID(k)
}

func member(name string, v jose.Value) jose.Member { return jose.Member{Name: name, Value: v} }
