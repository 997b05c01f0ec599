package wallet

import (
	"bytes"
	"errors"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
)

// version is the first item of an encoded wallet.
const version = 1

// MaxBytes is the longest wallet read.
const MaxBytes = 16 << 20

// maxCardBytes is what the cards of offers take of it at most, those that others take the
// place of counted too; the rest is for cards on paper and for the log.
const maxCardBytes = MaxBytes / 2

// size is how long w is, encoded.
func (w *Wallet) size() int { return len(w.Encode()) }

var limits = cbor.Limits{Depth: 8, Entries: 512}

// ErrWallet: bytes that Encode did not write, or another version of it did.
var ErrWallet = errors.New("wallet: not a wallet of this version")

// Encode writes the one form of w (docs/formats/wallet.md). It holds no secret keys;
// what it says of a person is to be sealed.
func (w *Wallet) Encode() []byte {
	b := cbor.AppendInt(cbor.AppendArray(nil, 3), version)
	b = cbor.AppendArray(b, len(w.Cards))
	for _, c := range w.Cards {
		b = c.append(b)
	}
	b = cbor.AppendArray(b, len(w.Log))
	for _, e := range w.Log {
		b = cbor.AppendArray(b, 8)
		b = cbor.AppendInt(cbor.AppendInt(b, int64(e.At)), int64(e.Kind))
		for _, s := range []string{e.Who, e.Name, e.How, e.For} {
			b = cbor.AppendText(b, s)
		}
		b = appendStrings(appendStrings(b, e.Cards), e.Claims)
	}
	return b
}

func (c *Card) append(b []byte) []byte {
	b = cbor.AppendArray(b, 21)
	b = cbor.AppendInt(cbor.AppendText(b, c.ID), int64(c.Added))
	b = appendKey(appendTexts(cbor.AppendText(b, c.Issuer), c.IssuerNames), c.IssuerKey)
	b = cbor.AppendText(cbor.AppendText(b, c.Source), c.Type)
	b = appendTexts(b, c.Names)
	b = cbor.AppendArray(b, len(c.Labels))
	for _, l := range c.Labels {
		b = appendTexts(appendStrings(cbor.AppendArray(b, 2), l.Path), l.Names)
	}
	for _, s := range []string{c.Colour, c.TextColour, string(c.Picture)} {
		b = cbor.AppendText(b, s)
	}
	b = cbor.AppendInt(cbor.AppendInt(b, int64(c.ValidFrom)), int64(c.Ends))
	b = cbor.AppendInt(cbor.AppendText(b, c.HeldFor), int64(c.Consent))
	b = cbor.AppendBool(cbor.AppendText(b, c.Replaces), c.ViewOnly)
	b = cbor.AppendInt(cbor.AppendInt(b, int64(c.Checked)), int64(c.Standing))
	b = cbor.AppendArray(b, len(c.Copies))
	for _, k := range c.Copies {
		b = cbor.AppendInt(cbor.AppendArray(b, 7), int64(k.Form))
		b = appendKey(appendKey(cbor.AppendText(b, k.Text), k.Key), k.Signer)
		b = cbor.AppendInt(b, int64(k.Used))
		b = cbor.AppendUint(cbor.AppendText(b, k.StatusURI), k.StatusIndex)
	}
	return b
}

// Decode reads what Encode wrote, and nothing else: the same bytes come out again.
// The error is ErrWallet.
func Decode(b []byte) (*Wallet, error) {
	if len(b) > MaxBytes || cbor.CheckDeterministic(b, limits) != nil {
		return nil, ErrWallet
	}
	d := decoder{Reader: cbor.NewReader(b)}
	w := &Wallet{}
	if d.Kind() != cbor.Array || d.Array() != 3 || d.Int() != version {
		return nil, ErrWallet
	}
	for n := d.list(MaxCards); n > 0; n-- {
		w.Cards = append(w.Cards, d.card())
	}
	for n := d.list(MaxEvents); n > 0; n-- {
		d.exactly(8)
		e := Event{At: d.time(), Kind: EventKind(d.Int()), Who: d.text(), Name: d.text(), How: d.text(), For: d.text(), Cards: d.strings(), Claims: d.strings()}
		if e.Kind < Added || e.Kind > lastKind {
			return nil, ErrWallet
		}
		w.Log = append(w.Log, e)
	}
	// Numbers out of their range and the like come out as other bytes.
	if d.bad || !d.Done() || !bytes.Equal(w.Encode(), b) {
		return nil, ErrWallet
	}
	met := map[string]bool{}
	for _, c := range w.Cards {
		if c.ID == "" || met[c.ID] || len(c.Copies) == 0 {
			return nil, ErrWallet
		}
		met[c.ID] = true
	}
	return w, nil
}

// decoder reads, and remembers the first thing out of place.
type decoder struct {
	cbor.Reader
	bad bool
}

func (d *decoder) list(most int) int {
	n := d.Array()
	if d.Err() != nil || n > most {
		d.bad = true
	}
	if d.bad {
		return 0
	}
	return n
}

func (d *decoder) exactly(n int) {
	if d.Array() != n {
		d.bad = true
	}
}

func (d *decoder) text() string { return string(d.Text()) }

func (d *decoder) time() credential.Time {
	t := credential.Time(d.Int())
	if t < 0 || t > credential.MaxTime {
		d.bad = true
	}
	return t
}

func (d *decoder) strings() (out []string) {
	for n := d.list(limits.Entries); n > 0; n-- {
		out = append(out, d.text())
	}
	return out
}

func (d *decoder) texts() (out []Text) {
	for n := d.list(limits.Entries); n > 0; n-- {
		d.exactly(2)
		out = append(out, Text{d.text(), d.text()})
	}
	return out
}

func (d *decoder) key() *cose.Key {
	if d.Kind() == cbor.Null {
		d.Null()
		return nil
	}
	k, err := cose.ParseKey(d.Bytes())
	if err != nil {
		d.bad = true
	}
	return k
}

func (d *decoder) card() *Card {
	d.exactly(21)
	c := &Card{ID: d.text(), Added: d.time(), Issuer: d.text(), IssuerNames: d.texts(), IssuerKey: d.key(), Source: d.text(), Type: d.text(), Names: d.texts()}
	for n := d.list(limits.Entries); n > 0; n-- {
		d.exactly(2)
		c.Labels = append(c.Labels, Label{d.strings(), d.texts()})
	}
	c.Colour, c.TextColour, c.Picture = d.text(), d.text(), Picture(d.text())
	c.ValidFrom, c.Ends = d.time(), d.time()
	c.HeldFor, c.Consent, c.Replaces, c.ViewOnly = d.text(), d.time(), d.text(), d.Bool()
	c.Checked, c.Standing = d.time(), Standing(d.Int())
	if c.Standing > Cancelled {
		d.bad = true
	}
	for n := d.list(MaxCopies); n > 0; n-- {
		d.exactly(7)
		k := Copy{Form: credential.Form(d.Int()), Text: d.text(), Key: d.key(), Signer: d.key(), Used: d.time(), StatusURI: d.text(), StatusIndex: d.Uint()}
		if k.Form < credential.FormCWT || k.Form > credential.FormBound || len(k.Text) > MaxText {
			d.bad = true
		}
		c.Copies = append(c.Copies, k)
	}
	return c
}

func appendStrings(b []byte, list []string) []byte {
	b = cbor.AppendArray(b, len(list))
	for _, s := range list {
		b = cbor.AppendText(b, s)
	}
	return b
}

func appendTexts(b []byte, list []Text) []byte {
	b = cbor.AppendArray(b, len(list))
	for _, t := range list {
		b = cbor.AppendText(cbor.AppendText(cbor.AppendArray(b, 2), t.Lang), t.Text)
	}
	return b
}

func appendKey(b []byte, k *cose.Key) []byte {
	if k == nil {
		return cbor.AppendNull(b)
	}
	return cbor.AppendBytes(b, k.Append(nil))
}
