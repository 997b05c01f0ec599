package wallet_test

import (
	"errors"
	"strings"
	"testing"

	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/wallet"
)

// wish is what the phone of c asks of the desk.
func (w *world) wish(t testing.TB, h *wallet.Wallet, id, to string, ends bool) string {
	t.Helper()
	d, err := h.Wish(id, to, ends, at+5)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := cose.SignRaw(w.keys[wallet.Handle(d.Key)], d.ToBeSigned())
	if err != nil {
		t.Fatal(err)
	}
	text, err := d.Text(sig)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The desk reads who is meant and whose card it is, and that the card's own phone says so.
func TestTheDeskReadsAWish(t *testing.T) {
	w := newWorld(t)
	h, c := w.filled(t, 1)
	var bound string
	for _, k := range c.Copies {
		if k.Key != nil && strings.HasPrefix(k.Text, "HC") || !strings.Contains(k.Text, "~") {
			bound = k.Text
		}
	}
	for _, ends := range []bool{false, true} {
		text := w.wish(t, h, c.ID, "my daughter Zawadi", ends)
		got, err := wallet.ReadWish(text)
		if err != nil || got.To != "my daughter Zawadi" || got.Ends != ends || got.At != at+5 || got.Until != at+5+wallet.WishLife || got.Card != bound || !wallet.IsWish(text) {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	// Another phone's signature, or another name in the same place, is no wish.
	text := w.wish(t, h, c.ID, "Zawadi", false)
	raw, err := jose.DecodeBase64(strings.TrimPrefix(text, "APW1:"))
	if err != nil {
		t.Fatal(err)
	}
	for what, forged := range map[string]string{"another name": strings.Replace(string(raw), "Zawadi", "Baraka", 1), "another answer": string(raw[:len(raw)-1]) + string(raw[len(raw)-1]^1), "cut": string(raw[:60])} {
		if _, err := wallet.ReadWish("APW1:" + jose.EncodeBase64([]byte(forged))); !errors.Is(err, wallet.ErrWish) {
			t.Errorf("%s: %v", what, err)
		}
	}
	d, err := h.Wish(c.ID, "Zawadi", false, at)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := newKey(t)
	if sig, _ := cose.SignRaw(other, d.ToBeSigned()); func() bool { _, err := d.Text(sig); return err == nil }() {
		t.Error("another key signs")
	}
	paper, err := h.AddPaper(w.card(t, nil), nil, w.newID, at)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Wish(paper.ID, "Zawadi", false, at); !errors.Is(err, wallet.ErrNoForm) {
		t.Errorf("of a card on paper: %v", err)
	}
	if h.Wished(c.ID) != nil {
		t.Error("a wish that nobody showed")
	}
	h.Note(wallet.Event{At: at + 5, Kind: wallet.WishMade, Who: "Zawadi", Cards: []string{c.ID}})
	h.Note(wallet.Event{At: at + 9, Kind: wallet.WishEnded, Who: "Zawadi", Cards: []string{c.ID}})
	if again, err := wallet.Decode(h.Encode()); err != nil || *again.Wished(c.ID) != (wallet.Wish{To: "Zawadi", Ends: true, At: at + 9}) {
		t.Errorf("it remembers %+v, %v", again, err)
	}
}

// FuzzReadWish: a wish that is read was signed by the key in its own card.
func FuzzReadWish(f *testing.F) {
	w := newWorld(f)
	h, c := w.filled(f, 1)
	good := w.wish(f, h, c.ID, "Zawadi", false)
	f.Add(good)
	f.Add("APW1:")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := wallet.ReadWish(text); err == nil && got.Card == "" {
			t.Errorf("%+v", got)
		}
	})
}
