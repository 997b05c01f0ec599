package wallet

import (
	"errors"
	"strings"

	"aidpass/credential"
	"aidpass/credential/qr"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
)

// TypWish is the typ of a wish (docs/formats/wallet.md).
const TypWish = "application/aidpass-wish+cose"

// wishMark begins the text of a wish.
const wishMark = "APW1:"

// WishLife is how long a wish is good for, in seconds: for the way to the desk.
const WishLife = 7 * 86400

// ErrWish: not a wish, or not one that the card's own phone signed.
var ErrWish = errors.New("wallet: not a wish that the phone of its card signed")

// A Wish is what the holder of a card that lives in her phone asks of her desk: that
// somebody may collect for her, or no longer. The desk alone can do it, with a delegation,
// since a wallet cannot make anybody else the card's holder.
type Wish struct {
	To   string          // whom she means, in her own word
	Ends bool            // no longer
	At   credential.Time // by the phone's clock
	// Until is when the desk passes over it: whoever finds an old one can bring nobody in by it.
	Until credential.Time
	// Card is the text of the QR code of her card, as it was issued. Nobody has proved it.
	Card string
}

// WishDraft is a wish that lacks its signature.
type WishDraft struct {
	Key      *cose.Key // whose private half signs
	prepared *cose.Prepared
}

// Wish prepares a wish about the card of an id. The log is written by the caller once the
// wish is on the screen (WishMade, WishEnded).
func (w *Wallet) Wish(id, to string, ends bool, at credential.Time) (*WishDraft, error) {
	t, err := w.Take(id, credential.FormBound)
	if err != nil {
		return nil, err
	}
	if to == "" || len(to) > 200 {
		return nil, errors.New("wallet: who is to collect must be said, in at most 200 bytes")
	}
	k := t.Card.Copies[t.Copy]
	g, err := GlanceAt(k.Text)
	if err != nil || k.Key == nil {
		return nil, ErrNoForm
	}
	b := cbor.AppendBytes(cbor.AppendInt(cbor.AppendMap(nil, 5), 1), g.Raw)
	b = cbor.AppendInt(cbor.AppendInt(b, 2), int64(at))
	b = cbor.AppendText(cbor.AppendInt(b, 3), to)
	b = cbor.AppendBool(cbor.AppendInt(b, 4), ends)
	b = cbor.AppendInt(cbor.AppendInt(b, 5), int64(at+WishLife))
	return &WishDraft{k.Key, cose.Prepare(k.Key, TypWish, b, nil)}, nil
}

// ToBeSigned are the bytes to be signed by ES256.
func (d *WishDraft) ToBeSigned() []byte { return d.prepared.ToBeSigned() }

// Text attaches the signature and returns the wish, for a QR code or a file.
func (d *WishDraft) Text(sig []byte) (string, error) {
	raw, err := d.prepared.Attach(sig)
	if err != nil {
		return "", err
	}
	text := wishMark + jose.EncodeBase64(raw)
	if len(text) > MaxHandOver {
		return "", ErrFull
	}
	return text, nil
}

// IsWish reports whether a text is a wish by its beginning.
func IsWish(text string) bool { return strings.HasPrefix(text, wishMark) }

// ReadWish is the desk's side. The phone that the card names has signed it; whether the
// card is good, of whom it is, whether the wish is over (Until), and whether a newer one was
// read, is the caller's to look up. The error is ErrWish.
func ReadWish(text string) (*Wish, error) {
	rest, ok := strings.CutPrefix(text, wishMark)
	raw, err := jose.DecodeBase64(rest)
	if !ok || len(text) > MaxHandOver || err != nil {
		return nil, ErrWish
	}
	m, err := cose.ParseSign1(raw)
	if err != nil || m.StrictType(TypWish) != nil || cbor.CheckDeterministic(m.Payload, limits) != nil {
		return nil, ErrWish
	}
	d := decoder{Reader: cbor.NewReader(m.Payload)}
	if d.Kind() != cbor.Map || d.Map() != 5 {
		return nil, ErrWish
	}
	wish := &Wish{}
	for want := int64(1); want <= 5 && d.Err() == nil; want++ {
		if label, ok := d.Label(); !ok || label != want {
			return nil, ErrWish
		}
		switch want {
		case 1:
			if wish.Card, err = qr.Encode(d.Bytes()); err != nil {
				return nil, ErrWish
			}
		case 2:
			wish.At = d.time()
		case 3:
			wish.To = d.text()
		case 4:
			wish.Ends = d.Bool()
		case 5:
			wish.Until = d.time()
		}
	}
	if d.bad || !d.Done() || wish.To == "" || len(wish.To) > 200 || wish.Until <= wish.At || wish.Until-wish.At > WishLife {
		return nil, ErrWish
	}
	g, err := GlanceAt(wish.Card)
	if err != nil || g.Holder == nil || m.Verify(g.Holder, nil, nil, true) != nil {
		return nil, ErrWish
	}
	return wish, nil
}

// Wished is the newest wish about a card that this phone remembers; nil for none. Whether
// the desk did it, no phone can know without a network.
func (w *Wallet) Wished(id string) *Wish {
	for i := len(w.Log) - 1; i >= 0; i-- {
		if e := &w.Log[i]; (e.Kind == WishMade || e.Kind == WishEnded) && len(e.Cards) == 1 && e.Cards[0] == id {
			return &Wish{To: e.Who, Ends: e.Kind == WishEnded, At: e.At}
		}
	}
	return nil
}
