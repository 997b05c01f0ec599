//go:build js

package cose

import (
	"crypto/sha256"

	"aidpass/internal/p256"
)

// In browsers P-256 is internal/p256, a fraction of the size. Keys are read and
// signatures checked; signing is the page's, through WebCrypto.
type p256Key = p256.PublicKey

func parseP256(point []byte) (*p256Key, error) { return p256.Parse(point) }

func verifyP256(pub *p256Key, tbs, sig []byte) bool {
	digest := sha256.Sum256(tbs)
	return pub.Verify(&digest, sig)
}

// scalarRecipient opens boxes with a private key the page has in hand.
type scalarRecipient struct{ scalar, public []byte }

// NewRecipient makes a Recipient of a P-256 private key of 32 bytes.
func NewRecipient(scalar []byte) (Recipient, error) {
	public, err := p256.Public(scalar)
	if err != nil {
		return nil, err
	}
	return scalarRecipient{scalar, public}, nil
}

func (r scalarRecipient) PublicKey() []byte { return r.public }

func (r scalarRecipient) ECDH(point []byte) ([]byte, error) { return p256.ECDH(r.scalar, point) }
