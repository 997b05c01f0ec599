package credential

import (
	"crypto/sha256"
	"encoding/base64"
)

// Former is the name a unit has at another organisation, in the same programme:
// what a card carries as "replaces" where it was issued in place of that one's
// (docs/decisions/0023). The zero value is none.
type Former struct {
	Issuer    string // iss of the other organisation
	Pseudonym string // 16 characters of base64url
}

// Lengths of what stands on a card: which organisation, and the 96 bits of the
// pseudonym.
const (
	IssuerTagBytes = 8
	FormerBytes    = IssuerTagBytes + 12
)

// IssuerTag is the first 8 bytes of SHA-256(iss). It picks one of the few
// organisations that a trust list lets an issuer re-issue for, and proves nothing.
func IssuerTag(iss string) (tag [IssuerTagBytes]byte) {
	sum := sha256.Sum256([]byte(iss))
	copy(tag[:], sum[:])
	return tag
}

// Bytes is f as a card carries it; false where the pseudonym is none, or there is no issuer.
func (f Former) Bytes() ([]byte, bool) {
	tag := IssuerTag(f.Issuer)
	raw, err := base64.RawURLEncoding.Strict().DecodeString(f.Pseudonym)
	return append(tag[:], raw...), err == nil && len(raw) == FormerBytes-IssuerTagBytes && f.Issuer != ""
}

// Ledger is what a wallet credential is counted under (schemas.LedgerClaim): the unit's
// pseudonym, and where it stands in f's place a point and Bytes in base64url, in one
// claim, so that nobody shows the one and keeps the other. false where f says something
// and Bytes does not, or there is no pseudonym that it could stand behind.
func (f Former) Ledger(pseudonym string) (string, bool) {
	if f == (Former{}) {
		return pseudonym, true
	}
	raw, ok := f.Bytes()
	return pseudonym + "." + base64.RawURLEncoding.EncodeToString(raw), ok && pseudonym != ""
}

// FormerOf is the other way round, for the issuer whose tag it is. replaces is
// Credential.Replaces, FormerBytes long.
func FormerOf(issuer string, replaces []byte) Former {
	return Former{Issuer: issuer, Pseudonym: base64.RawURLEncoding.EncodeToString(replaces[IssuerTagBytes:])}
}
