package cose

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
)

// An HPKE box is sealed to one P-256 key, so that a pack can carry what a
// single device may read:
//
//	box = enc (65 bytes, uncompressed point) || ciphertext and tag
//
// RFC 9180, base mode, one message, no aad: DHKEM(P-256, HKDF-SHA256),
// HKDF-SHA256, AES-128-GCM. crypto/hpke does the same and is the referee in the
// tests; it also brings every other suite and the post-quantum ones, a tenth
// of what the browser binary may weigh.

// BoxOverhead is how much longer a box is than its plaintext, in bytes.
const BoxOverhead = uncompressed + sealTagSize

var (
	kemSuite  = []byte("KEM\x00\x10")                  // RFC 9180 4.1: I2OSP(kem_id, 2)
	hpkeSuite = []byte("HPKE\x00\x10\x00\x01\x00\x01") // RFC 9180 5.1: kem, kdf, aead
)

// Recipient opens boxes: a P-256 private key, wherever it is kept.
type Recipient interface {
	// PublicKey is the uncompressed point, 65 bytes.
	PublicKey() []byte
	// ECDH returns the 32-byte x coordinate of the private key times point (65
	// bytes), or an error where that is no point of the curve. RFC 9180 4.1.
	ECDH(point []byte) ([]byte, error)
}

// OpenWith decrypts a box sealed to the public key of r with the same info.
// Every failure to open is ErrDecrypt.
func OpenWith(r Recipient, info, box []byte) ([]byte, error) {
	if r == nil {
		return nil, fmt.Errorf("%w: no key to open it with", ErrDecrypt)
	}
	if len(box) < BoxOverhead {
		return nil, fmt.Errorf("%w: %d bytes, at least %d", ErrDecrypt, len(box), BoxOverhead)
	}
	enc := box[:uncompressed]
	dh, err := r.ECDH(enc)
	if err != nil {
		return nil, fmt.Errorf("%w: no point of P-256 before it", ErrDecrypt)
	}
	aead, nonce, err := hpkeContext(dh, enc, r.PublicKey(), info)
	if err != nil {
		return nil, err
	}
	plaintext, err := aead.Open(nil, nonce, box[uncompressed:], nil)
	if err != nil {
		return nil, ErrDecrypt
	}
	return plaintext, nil
}

// hpkeContext derives the cipher and the nonce of the first message from the
// Diffie-Hellman value.
//
// 1 shared secret = ExtractAndExpand(dh, enc || recipient)       RFC 9180 4.1
// 2 key schedule context = mode 0 || hash of psk_id || of info   RFC 9180 5.1
// 3 key and base nonce from the secret and that context; the nonce of message
// 0 is the base nonce itself.                                    RFC 9180 5.2
func hpkeContext(dh, enc, recipient, info []byte) (cipher.AEAD, []byte, error) {
	k := kdf{}
	eaePRK := k.extract(kemSuite, nil, "eae_prk", dh)
	kemContext := append(append(make([]byte, 0, 2*uncompressed), enc...), recipient...)
	shared := k.expand(kemSuite, eaePRK, "shared_secret", kemContext, sha256.Size)

	context := append(make([]byte, 0, 1+2*sha256.Size), 0)
	context = append(context, k.extract(hpkeSuite, nil, "psk_id_hash", nil)...)
	context = append(context, k.extract(hpkeSuite, nil, "info_hash", info)...)
	secret := k.extract(hpkeSuite, shared, "secret", nil)
	key := k.expand(hpkeSuite, secret, "key", context, SealKeySize)
	nonce := k.expand(hpkeSuite, secret, "base_nonce", context, SealIVSize)
	if k.err != nil {
		return nil, nil, fmt.Errorf("cose: derive: %w", k.err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, fmt.Errorf("cose: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	return aead, nonce, err
}

// kdf is the labelled HKDF-SHA256 of RFC 9180 4, with a sticky error.
type kdf struct{ err error }

// extract is LabeledExtract(salt, label, ikm).
func (k *kdf) extract(suite, salt []byte, label string, ikm []byte) []byte {
	labelled := append([]byte("HPKE-v1"), suite...)
	labelled = append(append(labelled, label...), ikm...)
	prk, err := hkdf.Extract(sha256.New, labelled, salt)
	if err != nil && k.err == nil {
		k.err = err
	}
	return prk
}

// expand is LabeledExpand(prk, label, info, n); n is at most 32 here.
func (k *kdf) expand(suite, prk []byte, label string, info []byte, n int) []byte {
	labelled := append([]byte{0, byte(n)}, "HPKE-v1"...)
	labelled = append(append(labelled, suite...), label...)
	labelled = append(labelled, info...)
	out, err := hkdf.Expand(sha256.New, prk, string(labelled), n)
	if err != nil && k.err == nil {
		k.err = err
	}
	return out
}
