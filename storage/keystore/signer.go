package keystore

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"aidpass/internal/cose"
)

const privateSize = 32 // a P-256 scalar, an Ed25519 seed, a secret

// generate makes the private bytes of a new key.
func generate(alg Alg) ([]byte, error) {
	switch alg {
	case P256:
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("keystore: %w", err)
		}
		return key.Bytes()
	case Ed25519, Secret:
		private := make([]byte, privateSize)
		rand.Read(private) // never fails (crypto/rand)
		return private, nil
	}
	return nil, fmt.Errorf("keystore: unknown kind of key %q", alg)
}

// raw returns the private bytes of a key made elsewhere.
func raw(key any) (Alg, []byte, error) {
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		if key.Curve == elliptic.P256() {
			private, err := key.Bytes()
			return P256, private, err
		}
	case ed25519.PrivateKey:
		if len(key) == ed25519.PrivateKeySize {
			return Ed25519, key.Seed(), nil
		}
	case []byte:
		if len(key) == privateSize {
			return Secret, append([]byte(nil), key...), nil
		}
	}
	return "", nil, fmt.Errorf("keystore: %T is not a P-256 key, an Ed25519 key or a secret of %d bytes", key, privateSize)
}

// private2key is the inverse of raw, for the two kinds that sign.
func private2key(alg Alg, private []byte) (crypto.Signer, error) {
	switch {
	case alg == P256:
		return ecdsa.ParseRawPrivateKey(elliptic.P256(), private)
	case alg == Ed25519 && len(private) == ed25519.SeedSize:
		return ed25519.NewKeyFromSeed(private), nil
	}
	return nil, errors.New("keystore: not a key that signs")
}

// identify fills in the public key and the id that belong to the private bytes.
func (i *Info) identify(private []byte) error {
	if len(private) != privateSize {
		return fmt.Errorf("keystore: a private key of %d bytes, not %d", len(private), privateSize)
	}
	if i.Alg == Secret {
		// A one-way name, so that the same secret has the same id on two
		// laptops; HKDF keeps it apart from all that is derived from the secret.
		id, err := hkdf.Key(sha256.New, private, nil, "aidpass-key-id-1", idSize)
		i.Key, i.ID = nil, hex.EncodeToString(id)
		return err
	}
	key, err := private2key(i.Alg, private)
	if err != nil {
		return err
	}
	if i.Key, err = cose.NewKey(key.Public()); err != nil {
		return err
	}
	i.ID = keyID(i.Key)
	return nil
}

// signer holds a private key in memory and lets it do one thing.
type signer struct{ key crypto.Signer }

// NewSigner wraps a private key in memory, a P-256 *ecdsa.PrivateKey or an
// ed25519.PrivateKey, as the signers of a Store are: it signs SHA-256 digests
// or plain Ed25519 messages and nothing else, and does not show the key.
func NewSigner(key crypto.Signer) (crypto.Signer, error) {
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		if key.Curve == elliptic.P256() {
			return signer{key}, nil
		}
	case ed25519.PrivateKey:
		if len(key) == ed25519.PrivateKeySize {
			return signer{key}, nil
		}
	}
	return nil, fmt.Errorf("keystore: %T is not a P-256 or Ed25519 private key", key)
}

func (s signer) Public() crypto.PublicKey { return s.key.Public() }

// Sign refuses what the key types below would sign: a digest of another length
// (which ECDSA cuts or pads in silence) and the prehash and context variants of
// Ed25519, which no verifier of ours takes.
func (s signer) Sign(random io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts == nil {
		return nil, errors.New("keystore: sign: name the hash")
	}
	switch s.key.(type) {
	case *ecdsa.PrivateKey:
		if opts.HashFunc() != crypto.SHA256 || len(message) != sha256.Size {
			return nil, errors.New("keystore: sign: a P-256 key signs 32-byte SHA-256 digests only")
		}
	default:
		if o, ok := opts.(*ed25519.Options); opts.HashFunc() != 0 || ok && o.Context != "" {
			return nil, errors.New("keystore: sign: an Ed25519 key signs whole messages without a context only")
		}
	}
	return s.key.Sign(random, message, opts)
}

// String keeps the private key out of logs.
func (s signer) String() string { return "private key" }

// GoString keeps it out of %#v.
func (s signer) GoString() string { return s.String() }
