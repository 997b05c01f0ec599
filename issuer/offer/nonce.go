package offer

import (
	"crypto/subtle"
	"encoding/binary"
	"time"

	"aidpass/internal/jose"
)

// A nonce says itself when and by whom it was made:
//
//	seconds since 1970 (8) | random (16) | first 16 bytes of the mark of both
//
// so that an endpoint open to everybody writes nothing. What is stored is the whole
// mark of each that was used, until it is too old to be used again: as many as there
// were requests with a good token.
const (
	nonceHead  = 8
	nonceBody  = nonceHead + 16
	nonceBytes = nonceBody + 16
)

// Nonce returns the JSON of a fresh nonce. It must not be cached.
//
// OpenID4VCI 7.2.
func (s *Service) Nonce() ([]byte, error) {
	text, err := s.random(16)
	if err != nil {
		return nil, err
	}
	random, err := jose.DecodeBase64(text)
	if err != nil {
		return nil, err
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(s.now().Unix()))
	b = append(b, random...)
	m := s.mark(markNonce, string(b))
	nonce := jose.EncodeBase64(append(b, m[:nonceBytes-nonceBody]...))
	return jose.ObjectOf(jose.Member{Name: "c_nonce", Value: jose.StringOf(nonce)}).Append(nil), nil
}

// readNonce returns the mark of a nonce that this issuer made not long ago.
func (s *Service) readNonce(nonce string) (used Mark, ok bool) {
	b, err := jose.DecodeBase64(nonce)
	if err != nil || len(b) != nonceBytes {
		return Mark{}, false
	}
	m := s.mark(markNonce, string(b[:nonceBody]))
	if subtle.ConstantTimeCompare(m[:nonceBytes-nonceBody], b[nonceBody:]) != 1 {
		return Mark{}, false
	}
	made := time.Unix(int64(binary.BigEndian.Uint64(b)), 0)
	return m, s.now().Sub(made) < NonceLife
}

// same compares secrets in constant time.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
