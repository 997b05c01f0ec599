package wallet

import (
	"errors"
	"strings"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/jose"
)

// handOverMark begins the text of a card on its way to another phone.
const handOverMark = "APH1:"

// MaxHandOver is the longest such text. It fits a QR code of version 40.
const MaxHandOver = 4296

// ErrHandOver: not the text of a card on its way.
var ErrHandOver = errors.New("wallet: not a card from another phone")

// HandOver gives the text that puts a card onto another phone, such as that of a
// daughter who fetches the food. Both phones log it, the other shows it as held for
// holder by her consent, and hers keeps it.
//
// Only what could be copied by a photograph can be handed over so: a card on paper.
// One that is bound to this phone is ErrBound: a wallet cannot make somebody else its
// holder, only the issuer can (a delegation).
func (w *Wallet) HandOver(id, holder, to string, at credential.Time) (string, error) {
	c := w.Find(id)
	if c == nil {
		return "", ErrNoCard
	}
	if holder == "" || len(holder) > 200 || len(to) > 200 {
		return "", errors.New("wallet: whose card it is must be said, in at most 200 bytes")
	}
	if c.HeldFor != "" {
		return "", ErrBound // who keeps a card for somebody does not hand it on
	}
	for _, k := range c.Copies {
		if k.Form != credential.FormCWT {
			continue
		}
		b := cbor.AppendArray(nil, 5)
		b = cbor.AppendInt(cbor.AppendText(cbor.AppendInt(b, 1), holder), int64(at))
		b = appendTexts(cbor.AppendText(b, k.Text), c.Names)
		text := handOverMark + jose.EncodeBase64(b)
		if len(text) > MaxHandOver {
			return "", ErrFull
		}
		w.note(Event{At: at, Kind: HandedOver, Who: to, Cards: []string{id}})
		return text, nil
	}
	return "", ErrBound
}

// TakeOver takes a card from another phone.
func (w *Wallet) TakeOver(text string, newID func() string, at credential.Time) (*Card, error) {
	rest, ok := strings.CutPrefix(text, handOverMark)
	b, err := jose.DecodeBase64(rest)
	if !ok || len(text) > MaxHandOver || err != nil || cbor.CheckDeterministic(b, limits) != nil {
		return nil, ErrHandOver
	}
	d := decoder{Reader: cbor.NewReader(b)}
	if d.Kind() != cbor.Array {
		return nil, ErrHandOver
	}
	d.exactly(5)
	if d.Int() != 1 {
		return nil, ErrHandOver
	}
	c := &Card{HeldFor: d.text(), Consent: d.time()}
	card := d.text()
	c.Names = d.texts()
	if d.bad || !d.Done() || c.HeldFor == "" || len(c.HeldFor) > 200 {
		return nil, ErrHandOver
	}
	c, err = w.addPaper(c, card, newID, at)
	if err != nil {
		return nil, err
	}
	w.note(Event{At: at, Kind: TakenOver, Who: c.HeldFor, Cards: []string{c.ID}})
	return c, nil
}
