package wallet

import (
	"aidpass/credential"
	"aidpass/credential/qr"
	"aidpass/internal/cose"
	"aidpass/verifier"
)

// Live is a live code that lacks its signature.
type Live struct {
	Key      *cose.Key // whose private half signs
	prepared *cose.Prepared
}

// Live prepares the live code of a card: its bound form under a fresh signature by
// the phone's key. challenge (verifier.ReadChallenge) may be nil; then the code is good for two minutes. The
// wallet's log is written by the caller once the code is on the screen (LiveShown).
func (w *Wallet) Live(id string, challenge *verifier.Challenge, at credential.Time) (*Live, error) {
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
