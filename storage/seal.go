package storage

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"sync"

	"aidpass/internal/cbor"
)

// Keys, from the outside in:
//
//	key-encryption key (KEK)   the organisation's, given when its store is opened, never stored
//	secrets                    of the organisation, wrapped by the KEK: the blind-index key
//	person key                 one a unit, wrapped by the KEK; erasing the unit destroys it
//	sealed values              names, claims, cards, under the person key
//	marks                      of what was asked for and signed, under a key made from the person key:
//	                           a bare hash of a few claims would be guessed, also after the person was erased
//
// All of it is AES-256-GCM with a random nonce in front.

// KEKBytes is the length of a key-encryption key.
const KEKBytes = 32

// ErrWrongKey: the key does not open what was sealed, or what was sealed was
// changed or moved. The two cannot be told apart.
var ErrWrongKey = errors.New("storage: sealed value does not open with this key")

// A place is where a sealed value stands. It is the associated data of the
// seal, so that a value moved to another row, column, person or organisation
// does not open there.
type place struct {
	org, table, column, id string
	version                int64 // of the key
}

func (p place) bytes() []byte {
	b := make([]byte, 0, 128)
	b = cbor.AppendArray(b, 5)
	for _, s := range [...]string{p.org, p.table, p.column, p.id} {
		b = cbor.AppendText(b, s)
	}
	return cbor.AppendInt(b, p.version)
}

// A sealer seals and opens under one key.
type sealer struct{ aead cipher.AEAD }

func newSealer(key []byte) (sealer, error) {
	if len(key) != KEKBytes {
		return sealer{}, fmt.Errorf("storage: a key of %d bytes, want %d", len(key), KEKBytes)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, err
	}
	aead, err := cipher.NewGCM(block)
	return sealer{aead}, err
}

// seal returns nonce || ciphertext.
func (s sealer) seal(p place, plaintext []byte) []byte {
	n := s.aead.NonceSize()
	out := make([]byte, n, n+len(plaintext)+s.aead.Overhead())
	rand.Read(out)
	return s.aead.Seal(out, out, plaintext, p.bytes())
}

// open returns what was sealed at p, or ErrWrongKey.
func (s sealer) open(p place, sealed []byte) ([]byte, error) {
	n := s.aead.NonceSize()
	if len(sealed) < n {
		return nil, ErrWrongKey
	}
	plaintext, err := s.aead.Open(nil, sealed[:n], sealed[n:], p.bytes())
	if err != nil {
		return nil, ErrWrongKey
	}
	return plaintext, nil
}

// newKey draws a key.
func newKey() []byte {
	key := make([]byte, KEKBytes)
	rand.Read(key)
	return key
}

// A blindKey finds values without showing them: whoever has not the key can neither
// read nor guess them. It may be used by several goroutines.
type blindKey struct{ macs sync.Pool } // of HMACs that have hashed the key's blocks: most of the work

func newBlindKey(key []byte) *blindKey {
	return &blindKey{sync.Pool{New: func() any {
		m := hmac.New(sha256.New, key)
		m.Reset() // keeps what the key came to
		return m
	}}}
}

// of returns the 32 bytes by which the values are found for one purpose.
func (k *blindKey) of(purpose string, values ...string) []byte {
	b := make([]byte, 0, 256)
	b = cbor.AppendText(cbor.AppendArray(b, 1+len(values)), purpose)
	for _, v := range values {
		b = cbor.AppendText(b, v)
	}
	m := k.macs.Get().(hash.Hash)
	defer k.macs.Put(m)
	m.Reset()
	m.Write(b)
	return m.Sum(nil)
}

// blindIndex is that of a key that is used once.
func blindIndex(key []byte, purpose string) []byte { return newBlindKey(key).of(purpose) }
