package openid

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwe"

	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/verifier/request"
)

// Encrypted messages are compact JWEs to a P-256 key: ECDH-ES, whose shared secret
// is the content key itself, with AES-GCM. Everything that the library would also
// take is refused before it sees the message: other algorithms (dir, password based
// ones), compression, points that are not on the curve, members named twice.
//
// RFC 7516, RFC 7518 4.6 and 5.3; OpenID4VCI 10, OpenID4VP 8.3.

const keyAgreement = "ECDH-ES"

// contentAlgs are the content encryptions, the one we would choose first.
var contentAlgs = []string{"A256GCM", "A128GCM"}

// maxJWEHeader bounds the header of an encrypted message, in bytes of JSON.
const maxJWEHeader = 2 << 10

// ErrEncrypted: not an encrypted message that is read here, or not for this key. The
// one error for everything that can be wrong with one tells a sender nothing of keys.
var ErrEncrypted = errors.New("openid: an encrypted message that cannot be read")

// A Key opens what others encrypt to this server.
type Key struct {
	private *ecdsa.PrivateKey
	public  *cose.Key
}

// NewKey makes a key for as long as the program runs.
func NewKey() (*Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("openid: new key: %w", err)
	}
	return KeyOf(private)
}

// KeyOf returns the key of a P-256 private key.
func KeyOf(private *ecdsa.PrivateKey) (*Key, error) {
	public, err := cose.NewKey(&private.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("openid: a key for encryption: %w", err)
	}
	return &Key{private, public}, nil
}

// ID is its kid.
func (k *Key) ID() string { return jose.KeyID(k.public) }

// JWK is the public half, as metadata and requests name it.
func (k *Key) JWK() jose.Value {
	v := jose.JWKOf(k.public)
	v.Members = append(slices.Clip(v.Members), jose.Member{Name: "alg", Value: jose.StringOf(keyAgreement)},
		jose.Member{Name: "kid", Value: jose.StringOf(k.ID())}, jose.Member{Name: "use", Value: jose.StringOf("enc")})
	return v.Sorted()
}

// Open returns what text, of at most max bytes, holds for k. Whatever is wrong with
// it is ErrEncrypted.
func (k *Key) Open(text string, max int) ([]byte, error) { return open(text, k.private, k.ID(), max) }

// Decrypt opens a wallet's answer to the key of its request, whose kid is given: what
// verifier/request wants to be done for it. Whatever is wrong with it is ErrEncrypted.
func Decrypt(text string, key *ecdh.PrivateKey, kid string) ([]byte, error) {
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), key.Bytes())
	if err != nil {
		return nil, fmt.Errorf("openid: the key of a request: %w", err)
	}
	return open(text, private, kid, request.MaxAnswer)
}

func open(text string, key *ecdsa.PrivateKey, kid string, max int) ([]byte, error) {
	if len(text) > max {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrEncrypted, max)
	}
	if err := checkEncrypted(text, kid); err != nil {
		return nil, err
	}
	plain, err := jwe.Decrypt([]byte(text), jwe.WithKey(jwa.ECDH_ES(), key), jwe.WithMaxRecipients(1))
	if err != nil {
		return nil, fmt.Errorf("%w: it does not open", ErrEncrypted)
	}
	return plain, nil
}

// checkEncrypted looks at everything of text but its content.
func checkEncrypted(text, kid string) error {
	parts := strings.Split(text, ".")
	if len(parts) != 5 {
		return fmt.Errorf("%w: not five parts", ErrEncrypted)
	}
	var raw [5][]byte
	for i, part := range parts {
		b, err := jose.DecodeBase64(part)
		if err != nil {
			return fmt.Errorf("%w: base64url", ErrEncrypted)
		}
		raw[i] = b
	}
	// Direct key agreement has no encrypted key; AES-GCM has 96 and 128 bits.
	if len(raw[1]) != 0 || len(raw[2]) != 12 || len(raw[4]) != 16 || len(raw[0]) > maxJWEHeader {
		return fmt.Errorf("%w: a part of another length", ErrEncrypted)
	}
	h, err := jose.ParseJSON(raw[0], jose.Limits{Depth: 3, Entries: 32, Values: 64})
	if err != nil || h.Kind != jose.Object {
		return fmt.Errorf("%w: its header", ErrEncrypted)
	}
	switch {
	case !says(h, "alg", keyAgreement):
		return fmt.Errorf("%w: alg", ErrEncrypted)
	case h.Get("enc").Kind != jose.String || !slices.Contains(contentAlgs, h.Get("enc").Text):
		return fmt.Errorf("%w: enc", ErrEncrypted)
	case h.Get("zip").Kind != jose.Missing || h.Get("crit").Kind != jose.Missing:
		// What inflates has no size before it is there.
		return fmt.Errorf("%w: zip or crit", ErrEncrypted)
	case !says(h, "kid", kid):
		return fmt.Errorf("%w: for another key", ErrEncrypted)
	}
	if _, err := point(h.Get("epk")); err != nil {
		return fmt.Errorf("%w: epk", ErrEncrypted)
	}
	return nil
}

func says(v jose.Value, name, want string) bool {
	got := v.Get(name)
	return got.Kind == jose.String && got.Text == want
}

// point reads the public P-256 key of a JWK for key agreement, whose alg, where it
// has one, is not that of a signature.
func point(jwk jose.Value) (*cose.Key, error) {
	if alg := jwk.Get("alg"); alg.Kind != jose.Missing && !says(jwk, "alg", keyAgreement) {
		return nil, fmt.Errorf("%w: a key for another algorithm", ErrEncrypted)
	}
	if use := jwk.Get("use"); use.Kind != jose.Missing && !says(jwk, "use", "enc") {
		return nil, fmt.Errorf("%w: a key for another use", ErrEncrypted)
	}
	if !says(jwk, "kty", "EC") {
		return nil, fmt.Errorf("%w: a key of another kind", ErrEncrypted)
	}
	plain := jose.Value{Kind: jwk.Kind}
	for _, m := range jwk.Members {
		if m.Name != "alg" {
			plain.Members = append(plain.Members, m)
		}
	}
	// It refuses private halves, other curves, and points off the curve.
	key, err := jose.KeyOf(plain)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEncrypted, err)
	}
	return key, nil
}

// A Recipient is to whom an answer is encrypted.
type Recipient struct {
	key *ecdsa.PublicKey
	kid string // empty: its key has none
	enc string
}

// ReadRecipient reads credential_response_encryption. Whatever we do not do is
// ErrEncrypted, and so is a key that comes with its private half.
//
// OpenID4VCI 8.2.
func ReadRecipient(v jose.Value) (*Recipient, error) {
	jwk, enc, kid := v.Get("jwk"), v.Get("enc"), v.Get("jwk").Get("kid")
	switch {
	case v.Kind != jose.Object || jwk.Kind != jose.Object || !says(jwk, "alg", keyAgreement):
		return nil, fmt.Errorf("%w: a key to encrypt to", ErrEncrypted)
	case enc.Kind != jose.String || !slices.Contains(contentAlgs, enc.Text):
		return nil, fmt.Errorf("%w: enc", ErrEncrypted)
	case v.Get("zip").Kind != jose.Missing:
		return nil, fmt.Errorf("%w: zip", ErrEncrypted)
	case kid.Kind != jose.Missing && (kid.Kind != jose.String || len(kid.Text) > 256):
		return nil, fmt.Errorf("%w: kid", ErrEncrypted)
	}
	key, err := point(jwk)
	if err != nil {
		return nil, err
	}
	public, ok := key.Public().(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%w: a key of another kind", ErrEncrypted)
	}
	return &Recipient{public, kid.Text, enc.Text}, nil
}

// Seal encrypts plain to r.
func (r *Recipient) Seal(plain []byte) ([]byte, error) {
	enc := jwa.A128GCM()
	if r.enc == "A256GCM" {
		enc = jwa.A256GCM()
	}
	h := jwe.NewHeaders()
	if r.kid != "" {
		if err := h.Set(jwe.KeyIDKey, r.kid); err != nil {
			return nil, fmt.Errorf("openid: encrypt: %w", err)
		}
	}
	b, err := jwe.Encrypt(plain, jwe.WithKey(jwa.ECDH_ES(), r.key), jwe.WithContentEncryption(enc), jwe.WithProtectedHeaders(h))
	if err != nil {
		return nil, fmt.Errorf("openid: encrypt: %w", err)
	}
	return b, nil
}

// RequestEncryption is what metadata says of encrypted requests to k; they are taken
// encrypted or not.
func (k *Key) RequestEncryption() jose.Value {
	return jose.ObjectOf(
		jose.Member{Name: "encryption_required", Value: jose.BoolOf(false)},
		jose.Member{Name: "enc_values_supported", Value: texts(contentAlgs...)},
		jose.Member{Name: "jwks", Value: jose.ObjectOf(jose.Member{Name: "keys", Value: jose.ArrayOf(k.JWK())})})
}

// ResponseEncryption is what metadata says of encrypted responses.
func ResponseEncryption() jose.Value {
	return jose.ObjectOf(
		jose.Member{Name: "alg_values_supported", Value: texts(keyAgreement)},
		jose.Member{Name: "enc_values_supported", Value: texts(contentAlgs...)},
		jose.Member{Name: "encryption_required", Value: jose.BoolOf(false)})
}

func texts(list ...string) jose.Value {
	v := jose.ArrayOf()
	for _, s := range list {
		v.Items = append(v.Items, jose.StringOf(s))
	}
	return v
}
