//go:build !js

package cose

import (
	"crypto/ecdh"
	"crypto/rand"
	"fmt"
)

// SealTo encrypts plaintext to pub. info names the purpose and must be the same
// when opening.
func SealTo(pub *ecdh.PublicKey, info, plaintext []byte) ([]byte, error) {
	if pub == nil || pub.Curve() != ecdh.P256() {
		return nil, fmt.Errorf("%w: sealing needs a P-256 key", ErrAlgNotAllowed)
	}
	eph, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("cose: seal: %w", err)
	}
	dh, err := eph.ECDH(pub)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrBadKey, err)
	}
	enc := eph.PublicKey().Bytes()
	aead, nonce, err := hpkeContext(dh, enc, pub.Bytes(), info)
	if err != nil {
		return nil, err
	}
	box := make([]byte, 0, BoxOverhead+len(plaintext))
	return aead.Seal(append(box, enc...), nonce, plaintext, nil), nil
}

// NewRecipient makes a Recipient of a P-256 private key. Other curves are
// ErrAlgNotAllowed.
func NewRecipient(priv *ecdh.PrivateKey) (Recipient, error) {
	if priv == nil || priv.Curve() != ecdh.P256() {
		return nil, fmt.Errorf("%w: sealing needs a P-256 key", ErrAlgNotAllowed)
	}
	return ecdhRecipient{priv}, nil
}

type ecdhRecipient struct{ priv *ecdh.PrivateKey }

func (r ecdhRecipient) PublicKey() []byte { return r.priv.PublicKey().Bytes() }

func (r ecdhRecipient) ECDH(point []byte) ([]byte, error) {
	pub, err := ecdh.P256().NewPublicKey(point)
	if err != nil {
		return nil, err
	}
	return r.priv.ECDH(pub)
}
