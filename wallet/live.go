package wallet

import (
	"errors"

	"aidpass/credential"
	"aidpass/credential/qr"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/verifier"
)

// Challenge is what a device at a service point shows, to be answered by a live code.
// A wallet has no trust list: who asks is what the code says, not what is proved.
type Challenge struct {
	Raw          []byte // the COSE message: what is answered
	Organisation string
	Site         string
	At           credential.Time
}

// ErrChallenge: not the challenge of a device.
var ErrChallenge = errors.New("wallet: not the code of a service point")

// MaxChallenge is the longest challenge read, in bytes.
const MaxChallenge = 4096

// ParseChallenge reads the bytes of a challenge, for the holder to see who asks
// (docs/formats/card.md, "Live code").
func ParseChallenge(raw []byte) (*Challenge, error) {
	if len(raw) > MaxChallenge {
		return nil, ErrChallenge
	}
	m, err := cose.ParseSign1(raw)
	if err != nil || m.StrictType(verifier.TypChallenge) != nil || cbor.CheckDeterministic(m.Payload, cbor.DefaultLimits) != nil {
		return nil, ErrChallenge
	}
	r := cbor.NewReader(m.Payload)
	if r.Kind() != cbor.Map || r.Map() != 5 {
		return nil, ErrChallenge
	}
	c := &Challenge{Raw: raw}
	for range 5 {
		switch label := r.Int(); label {
		case 1:
			c.Organisation = string(r.Text())
		case 2:
			c.Site = string(r.Text())
		case 4:
			c.At = credential.Time(r.Int())
		case 3, 5:
			if len(r.Bytes()) == 0 {
				return nil, ErrChallenge
			}
		default:
			return nil, ErrChallenge
		}
	}
	if !r.Done() || c.Organisation == "" || c.At < 0 || c.At > credential.MaxTime {
		return nil, ErrChallenge
	}
	return c, nil
}

// Live is a live code that lacks its signature.
type Live struct {
	Key      *cose.Key // whose private half signs
	prepared *cose.Prepared
}

// Live prepares the live code of a card: its bound form under a fresh signature by
// the phone's key. challenge may be nil; then the code is good for two minutes. The
// wallet's log is written by the caller once the code is on the screen (LiveShown).
func (w *Wallet) Live(id string, challenge *Challenge, at credential.Time) (*Live, error) {
	t, err := w.Take(id, credential.FormBound)
	if err != nil {
		return nil, err
	}
	k := t.Card.Copies[t.Copy]
	g, err := GlanceAt(k.Text)
	if err != nil || k.Key == nil {
		return nil, ErrNoForm
	}
	var raw []byte
	if challenge != nil {
		raw = challenge.Raw
	}
	return &Live{k.Key, verifier.PrepareLive(k.Key, g.Raw, at, raw)}, nil
}

// ToBeSigned are the bytes to be signed by ES256.
func (l *Live) ToBeSigned() []byte { return l.prepared.ToBeSigned() }

// Text attaches the signature and returns the text of the QR code, for a screen at
// error correction level L.
func (l *Live) Text(sig []byte) (string, error) {
	raw, err := l.prepared.Attach(sig)
	if err != nil {
		return "", err
	}
	return qr.Encode(raw)
}
