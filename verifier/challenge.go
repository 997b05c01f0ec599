package verifier

import (
	"errors"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/trust"
	"aidpass/words"
)

// TypChallenge is the typ of a challenge (docs/formats/card.md, "Live code").
const TypChallenge = "application/aidpass-challenge+cose"

// Sizes of a challenge.
const (
	NonceBytes   = 16   // random
	MaxChallenge = 4096 // longest that is read, in bytes
)

// AnswerWithin is how long a challenge may be answered, in seconds. A live code that was
// taken is remembered no shorter, so that within it none counts twice.
const AnswerWithin = 240

// Challenge is what a device at a service point shows, to be answered by a live code.
// Who asks is what the device's certificate says, and that is proved by the trust
// list alone: a reader without one tells it as something unproved.
type Challenge struct {
	Raw          []byte // COSE_Sign1: what is answered
	Organisation string // id, as in the certificate
	Site         string // code, as in the certificate
	At           credential.Time
	Certificate  *trust.DeviceCertificate
}

var (
	// ErrChallenge: not the challenge of a device.
	ErrChallenge = errors.New("verifier: not the code of a service point")

	// ErrMayNotAsk: the certificate lets the device show no challenge now.
	ErrMayNotAsk = errors.New("verifier: the device's certificate lets it ask no phone now")
)

// PrepareChallenge makes the bytes that the device's key signs by ES256. c is the
// device's certificate as it was read, nonce 16 random bytes that were used for
// nothing else, at the device's clock in seconds. The error is ErrMayNotAsk where the
// certificate does not say challenges or not today, and for another nonce.
func PrepareChallenge(c *trust.DeviceCertificate, nonce []byte, at credential.Time) (*cose.Prepared, error) {
	if c == nil || !c.May(trust.SignChallenge) || c.Judge(at, at) != words.OK || len(nonce) != NonceBytes {
		return nil, ErrMayNotAsk
	}
	b := cbor.AppendText(cbor.AppendUint(cbor.AppendMap(nil, 5), 1), c.Org)
	b = cbor.AppendText(cbor.AppendUint(b, 2), c.Site)
	b = cbor.AppendBytes(cbor.AppendUint(b, 3), nonce)
	b = cbor.AppendUint(cbor.AppendUint(b, 4), uint64(at))
	b = cbor.AppendBytes(cbor.AppendUint(b, 5), c.Raw)
	return cose.Prepare(c.Key, TypChallenge, b, nil), nil
}

// ReadChallenge reads a challenge for whoever is to answer it. It is signed by the key
// of the certificate in it and says who asks as that does, within its dates; whether
// an organisation stands behind the certificate is not looked at. Anything else is
// ErrChallenge.
func ReadChallenge(raw []byte) (*Challenge, error) {
	if len(raw) > MaxChallenge {
		return nil, ErrChallenge
	}
	m, err := cose.ParseSign1(raw)
	if err != nil || m.StrictType(TypChallenge) != nil ||
		cbor.CheckDeterministic(raw, cbor.DefaultLimits) != nil || cbor.CheckDeterministic(m.Payload, cbor.DefaultLimits) != nil {
		return nil, ErrChallenge
	}
	r := cbor.NewReader(m.Payload)
	if r.Kind() != cbor.Map || r.Map() != 5 {
		return nil, ErrChallenge
	}
	c := &Challenge{Raw: raw}
	var nonce, certificate []byte
	for label := int64(1); label <= 5; label++ {
		if r.Int() != label { // the order is the deterministic one
			return nil, ErrChallenge
		}
		switch label {
		case 1:
			c.Organisation = string(r.Text())
		case 2:
			c.Site = string(r.Text())
		case 3:
			nonce = r.Bytes()
		case 4:
			c.At = credential.Time(r.Int())
		case 5:
			certificate = r.Bytes()
		}
	}
	if !r.Done() || len(nonce) != NonceBytes {
		return nil, ErrChallenge
	}
	if c.Certificate, err = trust.ReadDevice(certificate); err != nil {
		return nil, ErrChallenge
	}
	d := c.Certificate
	if c.Organisation != d.Org || c.Site != d.Site || !d.May(trust.SignChallenge) || d.Judge(c.At, c.At) != words.OK ||
		m.Verify(d.Key, nil, nil, true) != nil {
		return nil, ErrChallenge
	}
	return c, nil
}
