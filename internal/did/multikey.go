package did

import (
	"fmt"
	"strings"

	"filippo.io/nistec"

	"aidpass/internal/cose"
)

// Kinds of keys by the two bytes their multicodec number takes as a varint.
// All but two are here to be named in the refusal.
var kinds = [...]struct {
	prefix [2]byte
	name   string
}{
	{[2]byte{0x80, 0x24}, p256}, {[2]byte{0xed, 0x01}, ed25519},
	{[2]byte{0x81, 0x24}, "P-384"}, {[2]byte{0x82, 0x24}, "P-521"}, {[2]byte{0xe7, 0x01}, "secp256k1"},
	{[2]byte{0xec, 0x01}, "X25519"}, {[2]byte{0xea, 0x01}, "BLS12-381 G1"}, {[2]byte{0xeb, 0x01}, "BLS12-381 G2"}, {[2]byte{0x85, 0x24}, "RSA"},
}

const (
	p256    = "P-256"
	ed25519 = "Ed25519"
)

// parseMultikey reads z base58btc(kind key): P-256 as a compressed point of 33
// bytes, Ed25519 as its 32.
func parseMultikey(s string) (*cose.Key, error) {
	text, ok := strings.CutPrefix(s, "z")
	if !ok {
		return nil, syntax("a key in another base than base58btc")
	}
	raw, ok := decodeBase58(text)
	if !ok || len(raw) < 2 {
		return nil, syntax("a key that is not base58btc")
	}
	kind := ""
	for _, k := range kinds {
		if k.prefix == [2]byte(raw) {
			kind = k.name
		}
	}
	switch body := raw[2:]; {
	case kind == p256 && len(body) == 33 && (body[0] == 2 || body[0] == 3):
		p, err := nistec.NewP256Point().SetBytes(body)
		if err != nil {
			return nil, fmt.Errorf("%w: not a point of P-256", cose.ErrBadKey)
		}
		point := p.Bytes()
		b := append([]byte{0xa4, 0x01, 0x02, 0x20, 0x01, 0x21, 0x58, 0x20}, point[1:33]...)
		return cose.ParseKey(append(append(b, 0x22, 0x58, 0x20), point[33:]...))
	case kind == ed25519 && len(body) == 32:
		return cose.ParseKey(append([]byte{0xa3, 0x01, 0x01, 0x20, 0x06, 0x21, 0x58, 0x20}, body...))
	case kind == p256 || kind == ed25519:
		return nil, syntax("a " + kind + " key of the wrong length")
	case kind == "":
		return nil, fmt.Errorf("%w: multicodec %x", ErrKeyKind, raw[:2])
	}
	return nil, fmt.Errorf("%w: it is %s", ErrKeyKind, kind)
}

// multikey is the other way round.
func multikey(k *cose.Key) string {
	b := k.Append(nil) // deterministic: the coordinates stand at fixed places
	if k.Alg() == cose.EdDSA {
		return "z" + encodeBase58(append([]byte{0xed, 0x01}, b[8:40]...))
	}
	sign := 2 + b[len(b)-1]&1
	return "z" + encodeBase58(append([]byte{0x80, 0x24, sign}, b[8:40]...))
}

const base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// decodeBase58 reads base58btc; its work grows with the square of s, which MaxDID
// bounds. Each leading 1 is a zero byte, so no two texts are the same bytes.
func decodeBase58(s string) ([]byte, bool) {
	var little []byte // the number so far, least significant byte first
	zeros := 0
	for i := range len(s) {
		carry := strings.IndexByte(base58, s[i])
		if carry < 0 {
			return nil, false
		}
		if carry == 0 && len(little) == 0 {
			zeros++
			continue
		}
		for j := range little {
			carry += 58 * int(little[j])
			little[j] = byte(carry)
			carry >>= 8
		}
		if carry > 0 {
			little = append(little, byte(carry))
		}
	}
	return append(make([]byte, zeros), reversed(little)...), true
}

func encodeBase58(b []byte) string {
	var little []byte // digits, least significant first
	zeros := 0
	for i := range b {
		carry := int(b[i])
		if carry == 0 && len(little) == 0 {
			zeros++
			continue
		}
		for j := range little {
			carry += int(little[j]) << 8
			little[j] = byte(carry % 58)
			carry /= 58
		}
		for ; carry > 0; carry /= 58 {
			little = append(little, byte(carry%58))
		}
	}
	for i := range little {
		little[i] = base58[little[i]]
	}
	return strings.Repeat("1", zeros) + string(reversed(little))
}

func reversed(b []byte) []byte {
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return b
}
