package sdjwt

import (
	"aidpass/credential/internal/jwtclaims"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
)

// OpenAs reads an SD-JWT that is no credential (another typ, no vct), as most
// examples of RFC 9901 are.
func OpenAs(text, typ string, k *cose.Key) (*Envelope, *Credential, error) {
	e, err := parse(text, typ)
	if err != nil {
		return nil, nil, err
	}
	c, err := e.open(k)
	if err == nil {
		c.Holder, err = jwtclaims.Holder(c.Claims.Get("cnf"))
	}
	return e, c, err
}

// Check judges the key binding alone.
func (want Binding) Check(e *Envelope, k *cose.Key) error { return want.check(e, k) }

// Process puts disclosures into claims that nobody signed.
func Process(payload jose.Value, texts []string) (jose.Value, []Disclosure, error) {
	return process(payload, texts)
}

// HolderKey reads claim cnf.
func HolderKey(cnf jose.Value) (*cose.Key, error) { return jwtclaims.Holder(cnf) }
