// Package credential holds the two states of a signed statement: an Envelope
// came from outside and shows only its routing hints; a Credential was opened
// with the issuer's key.
//
// Nothing but the readers below this package (cwt, sdjwt and vcjwt) can
// turn the one into the other, so no handler reads an unproven claim by
// accident. Whether a credential is to be believed now (type, dates, status,
// earlier use) is judged by package verifier.
package credential

import (
	"bytes"
	"time"

	"aidpass/credential/internal/proven"
)

// Time is a moment in whole seconds since 1970-01-01T00:00:00Z (RFC 8392
// NumericDate without fractions). Zero means "not given".
type Time int64

// MaxTime is the last second of the year 9999. Larger numbers are mistakes,
// most often milliseconds.
const MaxTime Time = 253402300799

// FromStd drops the fraction of a second.
func FromStd(t time.Time) Time { return Time(t.Unix()) }

// Std returns t in UTC.
func (t Time) Std() time.Time { return time.Unix(int64(t), 0).UTC() }

// String is RFC 3339 in UTC, such as 2026-11-21T09:00:00Z.
func (t Time) String() string { return t.Std().Format(time.RFC3339) }

// ParseTime reads RFC 3339.
func ParseTime(s string) (Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return 0, err
	}
	return FromStd(t), nil
}

// Form is how a credential is written down.
type Form uint8

// The forms.
const (
	FormCWT   Form = 1 // COSE_Sign1 on a card or in a file
	FormSDJWT Form = 2 // SD-JWT VC, for wallets
	FormVCJWT Form = 3 // W3C VC 2.0 as a JWT
	// FormBound is a CWT that is good only with the signature of a phone's key. What
	// is read of it is FormCWT with a HolderKey; an issuer keeps its place apart from
	// the printed card's.
	FormBound Form = 4
)

// String is the form's short name: cwt, sd-jwt, vc-jwt or bound.
func (f Form) String() string {
	switch f {
	case FormCWT:
		return "cwt"
	case FormSDJWT:
		return "sd-jwt"
	case FormVCJWT:
		return "vc-jwt"
	case FormBound:
		return "bound"
	}
	return "unknown"
}

// StatusRef points into a token status list (draft-ietf-oauth-status-list 6).
type StatusRef struct {
	URI     []byte
	Index   uint64
	Present bool
}

// Envelope is a credential that nobody has proved yet. It shows what is needed
// to find a key and nothing else.
type Envelope struct {
	Form   Form
	Issuer []byte // iss as claimed
	KeyID  []byte // kid as claimed, protected header first
	Type   []byte // vct as claimed; empty on foreign identity cards

	// DeviceCertificate is set on slips: the certificate of the device that
	// signed, to be checked against the issuer's device-ca key.
	DeviceCertificate []byte

	body proven.Body
}

// NewEnvelope is for the readers below this package.
func NewEnvelope(form Form, issuer, keyID, vct, device []byte, body proven.Body) Envelope {
	return Envelope{Form: form, Issuer: issuer, KeyID: keyID, Type: vct, DeviceCertificate: device, body: body}
}

// Body is for the readers below this package: what it returns can be opened
// only with credential/internal/proven.
func (e *Envelope) Body() *proven.Body { return &e.body }

// Credential is a statement whose signature held under the key it was opened
// with. Byte slices alias the buffer it was read from: use Clone to keep one.
type Credential struct {
	Form    Form
	Foreign bool   // a Claim 169 card of another system, read liberally
	Issuer  []byte // iss
	KeyID   []byte
	Type    []byte // vct; empty on foreign identity cards
	ID      []byte // cti: the identity of the credential; may be empty on foreign cards

	IssuedAt  Time // zero on foreign cards that do not say
	NotBefore Time // equals IssuedAt where nbf is absent
	ExpiresAt Time // zero on foreign cards that do not say

	Status StatusRef

	// Pseudonym is the unit's name in one programme, 16 characters of base64url
	// (foreign cards: claim 169 key 1, whatever it is).
	Pseudonym []byte

	Identity          []byte // claim 169 as a CBOR map
	Plain             []byte // the type's plain claims as a CBOR map; nil if none
	Sealed            []byte // COSE_Encrypt0; nil if none
	DeviceCertificate []byte // slips only
	HolderKey         []byte // COSE_Key of claim cnf; nil if not bound to a phone
	Audience          []byte // aud of foreign cards as CBOR, of wallet forms as JSON; nil if none

	// Replaces names the unit whose card of another organisation this one stands in
	// for, FormerBytes long; nil if none. Whether it may is for the trust list.
	Replaces []byte

	token proven.Token
}

// New is for the readers below this package; the token says that the signature
// was checked.
func New(t proven.Token, c Credential) Credential {
	if !t.Valid() {
		return Credential{}
	}
	c.token = t
	return c
}

// Proven is false for the zero Credential.
func (c *Credential) Proven() bool { return c.token.Valid() }

// Clone returns a copy that shares no memory with the buffer c was read from.
func (c *Credential) Clone() Credential {
	d := *c
	for _, p := range []*[]byte{&d.Issuer, &d.KeyID, &d.Type, &d.ID, &d.Status.URI, &d.Pseudonym,
		&d.Identity, &d.Plain, &d.Sealed, &d.DeviceCertificate, &d.HolderKey, &d.Audience, &d.Replaces} {
		*p = bytes.Clone(*p)
	}
	return d
}
