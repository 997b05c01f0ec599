package openid

import (
	"encoding/base64"
	"errors"
	"strings"

	"aidpass/internal/cose"
	"aidpass/internal/did"
	"aidpass/internal/jose"
)

// namedKey is a key somebody publishes.
type namedKey struct {
	id      string // kid; "" where none is given
	key     *cose.Key
	purpose did.Purpose // of did:web documents; all purposes elsewhere
}

const anyPurpose = did.Assertion | did.Authentication

// byID finds a key; where there is one alone and it has no id, it is that one.
func byID(keys []namedKey, id string, want did.Purpose) *cose.Key {
	for _, k := range keys {
		if k.id == id && id != "" && k.purpose&want != 0 {
			return k.key
		}
	}
	if len(keys) == 1 && (id == "" || keys[0].id == "") {
		return keys[0].key
	}
	return nil
}

// keySet reads the keys that sign out of a JWK set: others' kinds are passed over, a
// private key or an id given twice refuses it. RFC 7517 5.
func keySet(v jose.Value) ([]namedKey, error) {
	list := v.Get("keys")
	if list.Kind != jose.Array || len(list.Items) > 64 {
		return nil, fault(BadAnswer, "a key set without keys, or with more than 64")
	}
	var out []namedKey
	met := map[string]bool{}
	for _, item := range list.Items {
		k, err := jose.KeyOf(item)
		if errors.Is(err, jose.ErrAlgNotAllowed) || errors.Is(err, jose.ErrAlgKeyMismatch) {
			continue
		}
		if err != nil {
			return nil, fault(BadAnswer, "a key set: %w", err)
		}
		if use := item.Get("use"); use.Kind != jose.Missing && use.Text != "sig" {
			continue
		}
		id := textOf(item, "kid", jose.MaxKeyID)
		if id != "" && met[id] {
			return nil, fault(BadAnswer, "a key set that uses a key id twice")
		}
		met[id] = true
		out = append(out, namedKey{id, k, anyPurpose})
	}
	return out, nil
}

// documentKeys reads a did:web document.
func documentKeys(b []byte, id string) ([]namedKey, error) {
	methods, err := did.ParseDocument(b, id)
	if err != nil {
		return nil, fault(MixUp, "%w", err)
	}
	var out []namedKey
	for _, m := range methods {
		out = append(out, namedKey{m.ID, m.Key, m.For})
	}
	return out, nil
}

// isJSON takes the media types JSON documents with keys come under.
func isJSON(t string) bool {
	t = mediaType(t)
	return t == jsonType || strings.HasPrefix(t, "application/") && strings.HasSuffix(t, "+json") || t == "application/did"
}

var errCertificate = errors.New("a certificate that cannot be read")

// chainOf reads the header x5c: DER in base64 with padding (RFC 7515 4.1.6).
func chainOf(header jose.Value) ([][]byte, error) {
	list := header.Get("x5c")
	if list.Kind != jose.Array || len(list.Items) == 0 || len(list.Items) > 8 {
		return nil, errCertificate
	}
	var out [][]byte
	for _, item := range list.Items {
		der, err := base64.StdEncoding.Strict().DecodeString(item.Text)
		if err != nil || len(der) == 0 || len(der) > 16<<10 {
			return nil, errCertificate
		}
		out = append(out, der)
	}
	return out, nil
}

// leafKey finds the public key in a certificate, P-256 or Ed25519, and reads nothing
// else of it: whether the certificate is good is judged by who has a certificate
// library and roots. RFC 5280 4.1.
//
//	Certificate = SEQUENCE { TBS = SEQUENCE { [0] version, serial, algorithm, issuer,
//	                         validity, subject, SEQUENCE { SEQUENCE { oid, curve }, key } ... } ... }
func leafKey(der []byte) (*cose.Key, error) {
	outer, rest, ok := element(der, 0x30)
	tbs, _, ok2 := element(outer, 0x30)
	if !ok || !ok2 || len(rest) != 0 {
		return nil, errCertificate
	}
	if _, after, ok := element(tbs, 0xa0); ok {
		tbs = after
	}
	for _, tag := range []byte{0x02, 0x30, 0x30, 0x30, 0x30} {
		var ok bool
		if _, tbs, ok = element(tbs, tag); !ok {
			return nil, errCertificate
		}
	}
	info, _, ok := element(tbs, 0x30)
	alg, bits, ok2 := element(info, 0x30)
	key, _, ok3 := element(bits, 0x03)
	if !ok || !ok2 || !ok3 || len(key) == 0 || key[0] != 0 {
		return nil, errCertificate
	}
	key = key[1:]
	const (
		p256Alg    = "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
		ed25519Alg = "\x06\x03\x2b\x65\x70"
	)
	var jwk jose.Value
	switch {
	case string(alg) == p256Alg && len(key) == 65 && key[0] == 4:
		jwk = jwkOfPoint(key)
	case string(alg) == ed25519Alg && len(key) == 32:
		jwk = jose.ObjectOf(member("kty", jose.StringOf("OKP")), member("crv", jose.StringOf("Ed25519")), member("x", jose.StringOf(jose.EncodeBase64(key))))
	default:
		return nil, errCertificate
	}
	return jose.KeyOf(jwk)
}

// element takes one DER element with a tag off b: its content, and what follows it.
func element(b []byte, tag byte) (content, rest []byte, ok bool) {
	if len(b) < 2 || b[0] != tag {
		return nil, nil, false
	}
	n, head := int(b[1]), 2
	if n >= 0x80 {
		k := n & 0x7f
		if k == 0 || k > 2 || len(b) < 2+k {
			return nil, nil, false
		}
		for n, head = 0, 2+k; k > 0; k-- {
			n = n<<8 | int(b[head-k])
		}
	}
	if len(b)-head < n {
		return nil, nil, false
	}
	return b[head : head+n], b[head+n:], true
}
