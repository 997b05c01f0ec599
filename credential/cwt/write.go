package cwt

import (
	"fmt"
	"unicode/utf8"

	"aidpass/credential"
	"aidpass/credential/qr"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
)

// Draft is a card before it is signed.
type Draft struct {
	Issuer    string // iss, URI
	Type      string // vct
	Pseudonym string // 16 characters, see Pseudonym
	ID        [CredentialIDN]byte

	IssuedAt  credential.Time
	NotBefore credential.Time // 0 or anything up to IssuedAt: not written
	ExpiresAt credential.Time

	StatusURI   string // CWT status list; empty: no status claim
	StatusIndex uint64

	Plain             []byte    // CBOR map of plain claims; nil: none
	Sealed            []byte    // from SealPart; nil: none
	HolderKey         *cose.Key // P-256 phone key; nil: not bound
	DeviceCertificate []byte    // slips only

	Former credential.Former // the unit at the organisation whose card this one replaces; zero: none
}

// Payload returns the claims as deterministic CBOR. It refuses what the strict
// reader would refuse, naming the claim.
func Payload(d Draft) ([]byte, error) {
	switch {
	case d.Issuer == "" || len(d.Issuer) > MaxTextClaim || !utf8.ValidString(d.Issuer):
		return nil, fmt.Errorf("cwt: iss is empty, too long or not UTF-8")
	case d.Type == "" || len(d.Type) > MaxTextClaim || !utf8.ValidString(d.Type):
		return nil, fmt.Errorf("cwt: vct is empty, too long or not UTF-8")
	case !isPseudonym([]byte(d.Pseudonym)):
		return nil, fmt.Errorf("cwt: pseudonym is not %d characters of base64url", PseudonymLen)
	case d.IssuedAt <= 0 || d.IssuedAt > credential.MaxTime:
		return nil, fmt.Errorf("cwt: iat %d is not a time", d.IssuedAt)
	case d.ExpiresAt <= max(d.IssuedAt, d.NotBefore) || d.ExpiresAt > credential.MaxTime:
		return nil, fmt.Errorf("cwt: exp %s is not after iat and nbf", d.ExpiresAt)
	case len(d.StatusURI) > MaxTextClaim || !utf8.ValidString(d.StatusURI):
		return nil, fmt.Errorf("cwt: status uri is too long or not UTF-8")
	case d.HolderKey != nil && d.HolderKey.Alg() != cose.ES256:
		return nil, fmt.Errorf("cwt: cnf takes a P-256 key only")
	}
	var replaces []byte
	if d.Former != (credential.Former{}) {
		var ok bool
		if replaces, ok = d.Former.Bytes(); !ok || d.Former.Issuer == d.Issuer || d.DeviceCertificate != nil {
			return nil, fmt.Errorf("cwt: replaces takes another issuer and a pseudonym of its, and stands on no slip")
		}
	}
	if err := checkPart("plain", d.Plain, cbor.Map); err != nil {
		return nil, err
	}
	if err := checkPart("sealed", d.Sealed, cbor.Array); err != nil {
		return nil, err
	}
	if longText(d.Plain) {
		return nil, fmt.Errorf("cwt: a plain claim is longer than %d bytes", MaxTextClaim)
	}
	nbf := d.NotBefore > d.IssuedAt
	aid := 0
	for _, p := range [][]byte{d.Plain, d.Sealed, d.DeviceCertificate, replaces} {
		if p != nil {
			aid++
		}
	}
	n := 6
	for _, there := range []bool{nbf, d.HolderKey != nil, d.StatusURI != "", aid > 0} {
		if there {
			n++
		}
	}
	// Labels in the order of their encodings: 1 4 5 6 7 8 11 169 65535 -70001.
	b := make([]byte, 0, 384)
	b = cbor.AppendMap(b, n)
	b = cbor.AppendText(cbor.AppendInt(b, labelIss), d.Issuer)
	b = cbor.AppendInt(cbor.AppendInt(b, labelExp), int64(d.ExpiresAt))
	if nbf {
		b = cbor.AppendInt(cbor.AppendInt(b, labelNbf), int64(d.NotBefore))
	}
	b = cbor.AppendInt(cbor.AppendInt(b, labelIat), int64(d.IssuedAt))
	b = cbor.AppendBytes(cbor.AppendInt(b, labelCti), d.ID[:])
	if d.HolderKey != nil {
		b = cbor.AppendMap(cbor.AppendInt(b, labelCnf), 1)
		b = d.HolderKey.Append(cbor.AppendInt(b, 1))
	}
	b = cbor.AppendText(cbor.AppendInt(b, labelVct), d.Type)
	b = cbor.AppendMap(cbor.AppendInt(b, labelIdentity), 1)
	b = cbor.AppendText(cbor.AppendInt(b, identityID), d.Pseudonym)
	if d.StatusURI != "" {
		b = cbor.AppendMap(cbor.AppendInt(b, labelStatus), 1)
		b = cbor.AppendMap(cbor.AppendText(b, "status_list"), 2)
		b = cbor.AppendUint(cbor.AppendText(b, "idx"), d.StatusIndex)
		b = cbor.AppendText(cbor.AppendText(b, "uri"), d.StatusURI)
	}
	if aid > 0 {
		b = cbor.AppendMap(cbor.AppendInt(b, labelAidpass), aid)
		if d.Plain != nil {
			b = append(cbor.AppendInt(b, aidPlain), d.Plain...)
		}
		if d.Sealed != nil {
			b = append(cbor.AppendInt(b, aidSealed), d.Sealed...)
		}
		if d.DeviceCertificate != nil {
			b = cbor.AppendBytes(cbor.AppendInt(b, aidDevice), d.DeviceCertificate)
		}
		if replaces != nil {
			b = cbor.AppendBytes(cbor.AppendInt(b, aidFormer), replaces)
		}
	}
	return b, nil
}

// checkPart looks at bytes that go into the payload as they are; all else is
// written here and needs no second look. They stand two levels deep.
func checkPart(name string, part []byte, want cbor.Kind) error {
	if part == nil {
		return nil
	}
	if err := cbor.CheckDeterministic(part, cbor.Limits{Depth: cbor.DefaultLimits.Depth - 2, Entries: cbor.DefaultLimits.Entries}); err != nil {
		return fmt.Errorf("cwt: %s part: %w", name, err)
	}
	if r := cbor.NewReader(part); r.Kind() != want {
		return fmt.Errorf("cwt: %s part is of the wrong kind", name)
	}
	return nil
}

// Prepare is the first phase of signing: it fixes the exact bytes to be signed
// by k's private half, wherever that is kept. Attach on the result makes the
// card's COSE_Sign1 bytes.
func Prepare(k *cose.Key, d Draft) (*cose.Prepared, error) {
	payload, err := Payload(d)
	if err != nil {
		return nil, err
	}
	return cose.Prepare(k, "", payload, nil), nil
}

// Text turns signed card bytes into the text of the QR code.
func Text(card []byte) (string, error) { return qr.Encode(card) }
