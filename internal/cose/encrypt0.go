package cose

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"fmt"

	"aidpass/internal/cbor"
)

// Sizes of AES-128-GCM, in bytes.
const (
	SealKeySize = 16
	SealIVSize  = 12
	sealTagSize = 16
)

// sealedProtected is {1: 1}, the only protected header of a sealed part. All
// that stands before the ciphertext is therefore fixed.
var (
	sealedProtected = []byte{0xa1, 0x01, byte(A128GCM)}
	sealedPrefix    = []byte{0x83, 0x43, 0xa1, 0x01, byte(A128GCM), 0xa0}
)

// Seal encrypts plaintext as an untagged COSE_Encrypt0:
//
//	[ bstr .cbor {1: 1}, {}, ciphertext bstr ]
//
// key has 16 bytes and iv 12; neither is in the message, and one pair must
// never seal two plaintexts. aad is the external_aad that binds the box to its
// place. The result is 22 to 26 bytes longer than plaintext.
//
// RFC 9052 5.2 and 5.3, RFC 9053 4.1.
func Seal(key, iv, plaintext, aad []byte) ([]byte, error) {
	gcm, err := newGCM(key, iv)
	if err != nil {
		return nil, err
	}
	n := len(plaintext) + sealTagSize
	b := make([]byte, 0, len(sealedPrefix)+9+n)
	b = append(b, sealedPrefix...)
	b = cbor.AppendHead(b, 2, uint64(n))
	return gcm.Seal(b, iv, plaintext, encStructure(aad)), nil
}

// OpenSealed decrypts what Seal made with the same key, iv and aad.
//
// Faults: a CBOR fault, ErrMalformed for another shape, ErrAlgNotAllowed for
// another algorithm, ErrDecrypt when it does not open.
func OpenSealed(msg, key, iv, aad []byte) ([]byte, error) {
	gcm, err := newGCM(key, iv)
	if err != nil {
		return nil, err
	}
	ciphertext, err := parseSealed(msg)
	if err != nil {
		return nil, err
	}
	plaintext, err := gcm.Open(nil, iv, ciphertext, encStructure(aad))
	if err != nil {
		return nil, ErrDecrypt
	}
	return plaintext, nil
}

// parseSealed returns the ciphertext of a message in the one form Seal writes.
func parseSealed(msg []byte) ([]byte, error) {
	if err := cbor.CheckDeterministic(msg, cbor.DefaultLimits); err != nil {
		return nil, wrapCBOR(err)
	}
	r := cbor.NewReader(msg)
	if r.Kind() != cbor.Array || r.Array() != 3 {
		return nil, malformed("not an array of 3")
	}
	var h Header
	raw, err := readStrictHeaders(&r, &h)
	switch {
	case err != nil:
		return nil, err
	case !h.HasAlg:
		return nil, ErrAlgMissing
	case h.Alg != A128GCM:
		return nil, fmt.Errorf("%w: %d", ErrAlgNotAllowed, h.Alg)
	case !bytes.Equal(raw, sealedProtected):
		return nil, malformed("a protected header we do not write")
	case r.Kind() != cbor.Bytes:
		return nil, malformed("the ciphertext is not a byte string")
	}
	return r.Bytes(), nil
}

func newGCM(key, iv []byte) (cipher.AEAD, error) {
	if len(key) != SealKeySize || len(iv) != SealIVSize {
		return nil, fmt.Errorf("cose: sealing takes a key of %d bytes and an iv of %d, not %d and %d",
			SealKeySize, SealIVSize, len(key), len(iv))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("cose: %w", err)
	}
	return cipher.NewGCM(block)
}

// encStructure is ["Encrypt0", protected, external_aad] (RFC 9052 5.3).
func encStructure(aad []byte) []byte {
	b := make([]byte, 0, 24+len(aad))
	b = append(b, 0x83)
	b = cbor.AppendText(b, "Encrypt0")
	b = cbor.AppendBytes(b, sealedProtected)
	return cbor.AppendBytes(b, aad)
}
