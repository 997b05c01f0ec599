package jose

import (
	"bytes"
	"errors"
	"fmt"

	"aidpass/internal/cose"
)

// Token is a compact JWS, not yet proven.
//
//	base64url(header) "." base64url(payload) "." base64url(signature)
type Token struct {
	Alg cose.Alg // cose.ES256, cose.EdDSA or cose.Ed25519
	// Type is the typ header and KeyID the kid header; "" where there is none.
	Type, KeyID string
	// Header is the whole header. A key in it (jwk, jku, x5c, x5u) was put there
	// by whoever made the token.
	Header  Value
	Payload []byte
	// Signature is of any length; Verify refuses all but 64 bytes.
	Signature []byte

	signed []byte // the text up to the second point; aliases what was parsed
}

// algs are the algorithms we take, by their names in JOSE. RFC 7518 3.1, RFC
// 8037 3.1, RFC 9864 2.2. EdDSA is Ed25519 here and never Ed448.
var algs = [...]struct {
	name string
	alg  cose.Alg
}{{"ES256", cose.ES256}, {"EdDSA", cose.EdDSA}, {"Ed25519", cose.Ed25519}}

// Parse reads a compact JWS of at most max bytes.
//
// Nothing may stand around it, and there is one way only to write it: exactly
// three parts of strict base64url. Parse returns ErrTooLarge, ErrMalformed,
// ErrDuplicate, ErrAlgMissing, ErrAlgNotAllowed or ErrCrit, the first that
// holds; it looks into the header alone. The signature may be empty, so that
// the unsigned token of alg "none" is refused for what it is.
//
// RFC 7515 5.2, steps 1 to 7.
func Parse(text []byte, max int) (*Token, error) {
	if len(text) > max {
		return nil, fmt.Errorf("%w: a token of %d bytes", ErrTooLarge, len(text))
	}
	head, rest, ok := bytes.Cut(text, []byte{'.'})
	body, sig, ok2 := bytes.Cut(rest, []byte{'.'})
	if !ok || !ok2 || len(head) == 0 || len(body) == 0 || bytes.IndexByte(sig, '.') >= 0 {
		return nil, malformed("not three parts")
	}
	t := &Token{signed: text[:len(head)+1+len(body)]}
	raw, err := DecodeBase64(head)
	if err != nil {
		return nil, err
	}
	if err := t.readHeader(raw); err != nil {
		return nil, err
	}
	if t.Payload, err = DecodeBase64(body); err != nil {
		return nil, err
	}
	t.Signature, err = DecodeBase64(sig)
	return t, err
}

func (t *Token) readHeader(raw []byte) (err error) {
	if t.Header, err = ParseJSON(raw, headerLimits); err != nil {
		return err
	}
	if t.Header.Kind != Object {
		return malformed("the header is not an object")
	}
	alg := t.Header.Get("alg")
	switch {
	case alg.Kind == Missing:
		return ErrAlgMissing
	case alg.Kind != String:
		return malformed("alg is not a string")
	}
	for _, a := range algs {
		if a.name == alg.Text {
			t.Alg = a.alg
		}
	}
	if t.Alg == 0 {
		return fmt.Errorf("%w: %.20q", ErrAlgNotAllowed, alg.Text)
	}
	// RFC 7515 4.1.11: a crit list must name only what is understood, and it
	// must not name what JWS itself defines. So there is none we could take,
	// and neither is there one of b64 (RFC 7797), which needs crit.
	if t.Header.Get("crit").Kind != Missing {
		return ErrCrit
	}
	if t.Type, err = t.text("typ"); err != nil {
		return err
	}
	if t.KeyID, err = t.text("kid"); err != nil {
		return err
	}
	if len(t.KeyID) > MaxKeyID {
		return fmt.Errorf("%w: a key id of %d bytes", ErrTooLarge, len(t.KeyID))
	}
	return nil
}

// text returns a header that, where present, is a string.
func (t *Token) text(name string) (string, error) {
	v := t.Header.Get(name)
	if v.Kind != String && v.Kind != Missing {
		return "", malformed(name + " is not a string")
	}
	return v.Text, nil
}

// Verify checks that k signed t with the algorithm t names. It returns
// ErrAlgKeyMismatch or ErrSignature.
func (t *Token) Verify(k *cose.Key) error {
	err := k.Verify(t.Alg, t.signed, t.Signature, false)
	switch {
	case errors.Is(err, cose.ErrAlgKeyMismatch):
		return ErrAlgKeyMismatch
	case err != nil:
		return ErrSignature
	}
	return nil
}

// Claims reads the payload, which must be one JSON object, within lim. It
// returns the faults of ParseJSON. Call it after Verify.
func (t *Token) Claims(lim Limits) (Value, error) {
	v, err := ParseJSON(t.Payload, lim)
	if err == nil && v.Kind != Object {
		err = malformed("the claims are not an object")
	}
	return v, err
}

// Open reads a token of at most max bytes and type typ and checks its
// signature.
//
// typ must be the header's very text: RFC 8725 3.11 wants types told apart, and
// the standards we read print theirs in one form. find returns the key for a
// key id, or nil. Beside the faults of Parse, Open returns ErrType,
// ErrKeyIDMissing, ErrUnknownKey and those of Verify.
func Open(text []byte, typ string, max int, find func(kid string) *cose.Key) (*Token, *cose.Key, error) {
	t, err := Parse(text, max)
	if err != nil {
		return nil, nil, err
	}
	if t.Type != typ {
		return nil, nil, fmt.Errorf("%w: %.40q, not %q", ErrType, t.Type, typ)
	}
	if t.KeyID == "" {
		return nil, nil, ErrKeyIDMissing
	}
	k := find(t.KeyID)
	if k == nil {
		return nil, nil, fmt.Errorf("%w %q", ErrUnknownKey, t.KeyID)
	}
	if err := t.Verify(k); err != nil {
		return nil, nil, err
	}
	return t, k, nil
}
