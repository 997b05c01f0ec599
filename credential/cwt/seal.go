package cwt

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
)

// EpochKeyBytes is the length of an audience's epoch key.
const EpochKeyBytes = 32

const sealBlock = 32 // sealed plaintext is padded to a multiple of this

// SealPart encrypts the sealed claims of one card for an audience's epoch.
//
// plaintext is one CBOR map. Key and IV are derived from the epoch key, issuer
// and cti, so a card must be sealed once only: a second plaintext under the
// same cti would reuse both. Zero padding hides the length to 32 bytes.
// RFC 9052 5.2 (COSE_Encrypt0), RFC 5869; docs/formats/card.md.
func SealPart(epochKey []byte, iss string, cti [CredentialIDN]byte, vct string, plaintext []byte) ([]byte, error) {
	if len(epochKey) != EpochKeyBytes {
		return nil, fmt.Errorf("cwt: epoch key of %d bytes, want %d", len(epochKey), EpochKeyBytes)
	}
	if err := cbor.CheckDeterministic(plaintext, cbor.DefaultLimits); err != nil {
		return nil, fmt.Errorf("cwt: sealed claims: %w", err)
	}
	key, iv, err := sealKeys(epochKey, iss, cti[:])
	if err != nil {
		return nil, err
	}
	padded := make([]byte, (len(plaintext)+sealBlock-1)/sealBlock*sealBlock)
	copy(padded, plaintext)
	return cose.Seal(key, iv, padded, sealAAD(iss, cti[:], vct))
}

// ErrSealed says that a sealed part does not open under a key.
var ErrSealed = errors.New("cwt: the sealed part does not open with this key")

// OpenPart decrypts what SealPart made: the CBOR map of sealed claims.
func OpenPart(epochKey, iss, cti, vct, sealed []byte) ([]byte, error) {
	if len(epochKey) != EpochKeyBytes {
		return nil, fmt.Errorf("cwt: epoch key of %d bytes, want %d", len(epochKey), EpochKeyBytes)
	}
	key, iv, err := sealKeys(epochKey, string(iss), cti)
	if err != nil {
		return nil, err
	}
	padded, err := cose.OpenSealed(sealed, key, iv, sealAAD(string(iss), cti, string(vct)))
	if err != nil {
		return nil, ErrSealed
	}
	n, form, err := cbor.Scan(padded, cbor.DefaultLimits)
	if err != nil || form != 0 || len(padded)%sealBlock != 0 || len(padded)-n >= sealBlock {
		return nil, fmt.Errorf("cwt: sealed claims are not one padded CBOR map")
	}
	for _, b := range padded[n:] {
		if b != 0 {
			return nil, fmt.Errorf("cwt: sealed claims are padded with something else than zeros")
		}
	}
	m := padded[:n]
	if r := cbor.NewReader(m); r.Kind() != cbor.Map {
		return nil, fmt.Errorf("cwt: sealed claims are not a map")
	}
	return m, nil
}

func sealKeys(epochKey []byte, iss string, cti []byte) (key, iv []byte, err error) {
	info := cbor.AppendArray(nil, 3)
	info = cbor.AppendText(info, "aidpass-seal-1")
	info = cbor.AppendText(info, iss)
	info = cbor.AppendBytes(info, cti)
	out, err := hkdf.Key(sha256.New, epochKey, nil, string(info), 28)
	if err != nil {
		return nil, nil, fmt.Errorf("cwt: deriving the seal key: %w", err)
	}
	return out[:16], out[16:], nil
}

func sealAAD(iss string, cti []byte, vct string) []byte {
	b := cbor.AppendArray(nil, 3)
	b = cbor.AppendText(b, iss)
	b = cbor.AppendBytes(b, cti)
	return cbor.AppendText(b, vct)
}

// Pseudonym is the unit's name in one programme: the first 96 bits of
// HMAC-SHA-256(programme key, unit id) as 16 characters of base64url. It stays
// the same across re-issue, form and collector; two programmes cannot be joined
// by it.
func Pseudonym(programmeKey, unitID []byte) string {
	m := hmac.New(sha256.New, programmeKey)
	m.Write(unitID)
	return jose.EncodeBase64(m.Sum(nil)[:12])
}

// PhotoHash binds a photo to one card: the first 16 bytes of SHA-256(cti, photo).
// With the cti inside, equal photos on two cards give unequal hashes.
func PhotoHash(cti, photo []byte) [16]byte {
	h := sha256.New()
	h.Write(cti)
	h.Write(photo)
	return [16]byte(h.Sum(nil)[:16])
}

// PINDigits is the length of a PIN.
const PINDigits = 6

// PINCheck is what a card's sealed part keeps of a PIN: the first 8 bytes of
// HMAC-SHA-256(epoch key, cti, pin). pin is six ASCII digits.
func PINCheck(epochKey, cti []byte, pin string) ([8]byte, error) {
	if len(pin) != PINDigits || strings.Trim(pin, "0123456789") != "" {
		return [8]byte{}, fmt.Errorf("cwt: a PIN is %d digits", PINDigits)
	}
	m := hmac.New(sha256.New, epochKey)
	m.Write(cti)
	m.Write([]byte(pin))
	return [8]byte(m.Sum(nil)[:8]), nil
}

// crockford leaves out I, L, O and U.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// CardNumber is the printed number of a unit's cards in one programme: the first
// 50 bits of the pseudonym as ten Crockford base32 symbols and one check symbol
// (the sum of position times value, mod 31).
func CardNumber(pseudonym string) (string, error) {
	b, err := jose.DecodeBase64(pseudonym)
	if err != nil || len(b) != 12 {
		return "", fmt.Errorf("cwt: a card number needs a pseudonym of %d characters", PseudonymLen)
	}
	var v uint64
	for _, c := range b[:7] {
		v = v<<8 | uint64(c)
	}
	v >>= 6 // 56 bits read, 50 kept
	var out [11]byte
	sum := 0
	for i := range 10 {
		d := int(v >> (45 - 5*i) & 31)
		out[i] = crockford[d]
		sum += (i + 1) * d
	}
	out[10] = crockford[sum%31]
	return string(out[:]), nil
}

// PseudonymPrefix undoes CardNumber as far as it goes: the 7 bytes with which the
// pseudonym of a card number begins; the lowest six bits of the last one are zero,
// for the number does not tell them. number is as CheckCardNumber returns it.
func PseudonymPrefix(number string) []byte {
	var v uint64
	for _, c := range number[:10] {
		v = v<<5 | uint64(strings.IndexRune(crockford, c))
	}
	v <<= 6
	b := make([]byte, 7)
	for i := range b {
		b[i] = byte(v >> (48 - 8*i))
	}
	return b
}

// GroupCardNumber is how a card number is shown to people, on paper, screens and
// terminals alike: groups of four with a hyphen between, from the left. What is not 11
// symbols long comes back as it is.
func GroupCardNumber(number string) string {
	if len(number) != 11 {
		return number
	}
	return number[:4] + "-" + number[4:8] + "-" + number[8:]
}

// CheckCardNumber reads a typed card number: lower case is taken, spaces, dashes and
// dots wherever they stand, the digits of Arabic and Persian keyboards, and the
// letters people confuse (I and L as 1, O as 0). It returns the eleven symbols without
// groups, or an error when the check symbol does not fit.
func CheckCardNumber(s string) (string, error) {
	var out []byte
	sum := 0
	for _, c := range strings.ToUpper(s) {
		switch c {
		case ' ', '\t', '\u00a0', '\u202f', '-', '\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u2212', '.',
			'\u200e', '\u200f', '\u2068', '\u2069': // isolates come along when a number is copied from a screen
			continue
		case 'I', 'L':
			c = '1'
		case 'O':
			c = '0'
		}
		switch {
		case c >= '٠' && c <= '٩':
			c -= '٠' - '0'
		case c >= '۰' && c <= '۹':
			c -= '۰' - '0'
		}
		d := strings.IndexRune(crockford, c)
		if d < 0 || len(out) == 11 {
			return "", fmt.Errorf("cwt: a card number has 11 letters and digits")
		}
		if len(out) < 10 {
			sum += (len(out) + 1) * d
		}
		out = append(out, crockford[d])
	}
	if len(out) != 11 {
		return "", fmt.Errorf("cwt: a card number has 11 letters and digits, this has %d", len(out))
	}
	if out[10] != crockford[sum%31] {
		return "", fmt.Errorf("cwt: the last symbol does not fit the rest: look for a mistyped one")
	}
	return string(out), nil
}
