package openid

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"

	"aidpass/internal/jose"
	"aidpass/internal/p256"
)

// Encryption as both protocols need it and no more: ECDH-ES straight to the
// content key over P-256, AES-GCM. Compression is neither written nor read: a
// short text that unpacks to a gigabyte is nobody's credential.
//
// RFC 7516; RFC 7518 4.6, 5.3.
const algECDH = "ECDH-ES"

var encKeyBytes = map[string]int{"A128GCM": 16, "A256GCM": 32}

// chooseEnc picks the strongest we have; "" for none.
func chooseEnc(offered []string) string {
	for _, enc := range []string{"A256GCM", "A128GCM"} {
		if slices.Contains(offered, enc) {
			return enc
		}
	}
	return ""
}

var errJWE = errors.New("not an encrypted answer to this wallet")

// contentKey derives the key of a message. RFC 7518 4.6.2 with SHA-256: one round
// is enough for 256 bits.
func contentKey(z []byte, enc, apu, apv string) []byte {
	n := encKeyBytes[enc]
	b := append([]byte{0, 0, 0, 1}, z...)
	for _, part := range []string{enc, apu, apv} {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(part))), part...)
	}
	sum := sha256.Sum256(binary.BigEndian.AppendUint32(b, uint32(n*8)))
	return sum[:n]
}

// newScalar is a private key of P-256 and its point.
func newScalar(random io.Reader) (scalar, point []byte, err error) {
	scalar = make([]byte, 32)
	for range 8 { // all but never more than once
		if _, err = io.ReadFull(random, scalar); err != nil {
			return nil, nil, err
		}
		if point, err = p256.Public(scalar); err == nil {
			return scalar, point, nil
		}
	}
	return nil, nil, err
}

// jwkOfPoint writes 04||x||y as a JWK.
func jwkOfPoint(point []byte, more ...jose.Member) jose.Value {
	text := func(b []byte) jose.Value { return jose.StringOf(jose.EncodeBase64(b)) }
	return jose.ObjectOf(append([]jose.Member{member("kty", jose.StringOf("EC")), member("crv", jose.StringOf("P-256")),
		member("x", text(point[1:33])), member("y", text(point[33:]))}, more...)...)
}

// pointOf reads the point of a P-256 JWK; ECDH refuses those off the curve.
func pointOf(jwk jose.Value) ([]byte, bool) {
	if jwk.Get("kty").Text != "EC" || jwk.Get("crv").Text != "P-256" || jwk.Get("d").Kind != jose.Missing {
		return nil, false
	}
	x, err := jose.DecodeBase64(jwk.Get("x").Text)
	y, err2 := jose.DecodeBase64(jwk.Get("y").Text)
	if err != nil || err2 != nil || len(x) != 32 || len(y) != 32 {
		return nil, false
	}
	return append(append([]byte{4}, x...), y...), true
}

// encryptionKey finds the key of a set that messages are to be encrypted to.
func encryptionKey(set jose.Value) (jwk jose.Value, ok bool) {
	for _, k := range set.Get("keys").Items {
		if use := k.Get("use"); k.Get("alg").Text != algECDH || use.Kind != jose.Missing && use.Text != "enc" {
			continue
		}
		if _, ok := pointOf(k); ok {
			return k, true
		}
	}
	return jose.Value{}, false
}

// encrypt writes plain to the holder of jwk, as a compact JWE.
func encrypt(jwk jose.Value, enc string, plain []byte, random io.Reader) (string, error) {
	theirs, ok := pointOf(jwk)
	if !ok || encKeyBytes[enc] == 0 {
		return "", errJWE
	}
	scalar, point, err := newScalar(random)
	if err != nil {
		return "", err
	}
	z, err := p256.ECDH(scalar, theirs)
	if err != nil {
		return "", err
	}
	header := jose.ObjectOf(member("alg", jose.StringOf(algECDH)), member("enc", jose.StringOf(enc)), member("epk", jwkOfPoint(point)))
	if kid := jwk.Get("kid"); kid.Kind == jose.String {
		header.Members = append(header.Members, member("kid", kid))
	}
	head := jose.EncodeBase64(header.Append(nil))
	gcm, err := newGCM(contentKey(z, enc, "", ""))
	if err != nil {
		return "", err
	}
	iv := make([]byte, 12)
	if _, err := io.ReadFull(random, iv); err != nil {
		return "", err
	}
	box := gcm.Seal(nil, iv, plain, []byte(head))
	cut := len(box) - gcm.Overhead()
	return head + ".." + jose.EncodeBase64(iv) + "." + jose.EncodeBase64(box[:cut]) + "." + jose.EncodeBase64(box[cut:]), nil
}

// decrypt reads what somebody encrypted to scalar's key with enc.
func decrypt(text string, scalar []byte, enc string) ([]byte, error) {
	parts := strings.Split(text, ".")
	if len(parts) != 5 || parts[1] != "" {
		return nil, errJWE
	}
	var raw [5][]byte
	for i, p := range parts {
		var err error
		if raw[i], err = jose.DecodeBase64(p); err != nil {
			return nil, errJWE
		}
	}
	header, err := jose.ParseJSON(raw[0], jose.Limits{Depth: 4, Entries: 32, Values: 64})
	if err != nil || header.Get("alg").Text != algECDH || header.Get("enc").Text != enc ||
		header.Get("zip").Kind != jose.Missing || header.Get("crit").Kind != jose.Missing {
		return nil, errJWE
	}
	theirs, ok := pointOf(header.Get("epk"))
	apu, err := jose.DecodeBase64(header.Get("apu").Text)
	apv, err2 := jose.DecodeBase64(header.Get("apv").Text)
	if !ok || err != nil || err2 != nil || len(raw[2]) != 12 || len(raw[4]) != 16 {
		return nil, errJWE
	}
	z, err := p256.ECDH(scalar, theirs)
	if err != nil {
		return nil, errJWE
	}
	gcm, err := newGCM(contentKey(z, enc, string(apu), string(apv)))
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, raw[2], append(raw[3], raw[4]...), []byte(parts[0]))
	if err != nil {
		return nil, errJWE
	}
	return plain, nil
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
