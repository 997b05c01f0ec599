package wallet_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"aidpass/credential"
	"aidpass/credential/qr"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/wallet"
)

// stays reports whether a wallet that was kept can be opened again.
func stays(t testing.TB, h *wallet.Wallet) {
	t.Helper()
	if _, err := wallet.Decode(h.Encode()); err != nil {
		t.Fatalf("all cards are lost: %d bytes, %v", len(h.Encode()), err)
	}
}

// odd is an SD-JWT VC of w's issuer with claims that our own writer refuses.
func (w *world) odd(t testing.TB, claims string) string {
	t.Helper()
	text := jose.EncodeBase64([]byte(`{"alg":"ES256","typ":"dc+sd-jwt","kid":"k"}`)) + "." + jose.EncodeBase64(fmt.Appendf(nil, `{"iss":%q,"vct":%q,%s}`, issuer, vct, claims))
	sig, err := cose.SignRaw(w.key, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + jose.EncodeBase64(sig) + "~"
}

// No issuer can give a card that the wallet cannot be opened with again.
func TestACardThatEndedBeforeTheEpochIsKept(t *testing.T) {
	for _, exp := range []string{"0", "-1", "-99999999999"} {
		w := newWorld(t)
		h, _ := w.filled(t, 1)
		r := wallet.Received{Source: "https://other.example", Issuer: issuer, IssuerKey: w.pub, Form: credential.FormSDJWT, Type: vct, Texts: []string{w.odd(t, `"exp":`+exp)}}
		added, err := h.Add([]wallet.Received{r}, "", w.newID, at)
		if err != nil {
			t.Fatal(err)
		}
		if s := added[0].State(at); s.Word != wallet.Ended {
			t.Errorf("exp %s: it is %s", exp, s.Word)
		}
		stays(t, h)
	}
}

// Neither can issuers fill it until it cannot be opened, nor those who ask: what is too
// much is not taken, and the log has an end.
func TestAFullWalletOpens(t *testing.T) {
	w := newWorld(t)
	h := &wallet.Wallet{}
	pad := `"pad":"` + strings.Repeat("x", 40<<10) + `"`
	full := false
	for n := range wallet.MaxCards {
		r := wallet.Received{Source: fmt.Sprintf("https://%d.example", n), Issuer: issuer, IssuerKey: w.pub, Form: credential.FormSDJWT, Type: vct}
		for range 8 {
			r.Texts = append(r.Texts, w.odd(t, pad))
		}
		before := len(h.Cards)
		if _, err := h.Add([]wallet.Received{r}, "", w.newID, at); errors.Is(err, wallet.ErrFull) {
			if full = true; len(h.Cards) != before {
				t.Fatal("a card that was not taken is there")
			}
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if !full {
		t.Error("there is no end to what is taken")
	}
	long := strings.Repeat("é", 400)
	e := wallet.Event{At: at, Kind: wallet.Declined, Who: long, Name: long, How: long, For: long}
	for range 300 {
		e.Claims = append(e.Claims, long)
	}
	for range wallet.MaxEvents + 1 {
		h.Note(e)
	}
	stays(t, h)
	if got := h.Log[0].Claims; len(got) == 0 {
		t.Error("of what was asked nothing is kept")
	}
}

// What an issuer signed by two keys, since it changed them in between, is one card: each
// copy opens by its own.
func TestTwoKeysOfOneIssuerAreOneCard(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	h := &wallet.Wallet{}
	list := w.received(t, 1)
	list = append(list, wallet.Received{Source: issuer, Issuer: issuer, IssuerKey: other.pub, Form: credential.FormSDJWT, Type: vct, Texts: []string{other.odd(t, `"ledger_id":"WxBLSBUk-vIqvIDb"`)}})
	for range 2 { // new copies take the place of both
		added, err := h.Add(list, "", w.newID, at)
		if err != nil || len(added) != 1 {
			t.Fatalf("%d cards, %v", len(added), err)
		}
		for _, k := range added[0].Copies {
			if k.Form != credential.FormSDJWT {
				continue
			}
			if s, err := added[0].Open(k.Text); err != nil || s.Claims.Get("ledger_id").Text != "WxBLSBUk-vIqvIDb" {
				t.Errorf("a copy that cannot be read: %v", err)
			}
		}
	}
	if len(h.Cards) != 1 || len(h.Cards[0].Copies) != 3 {
		t.Errorf("%d cards", len(h.Cards))
	}
	stays(t, h)
}

// A card whose issuer says in another way how it stands is kept and shown, and the phone
// says that it could not check.
func TestACardWithAnotherStatusIsKept(t *testing.T) {
	w, h := newWorld(t), &wallet.Wallet{}
	var scratch qr.Scratch
	raw, err := scratch.Decode(w.card(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	text, err := qr.Encode(bytes.Replace(raw, []byte("status_list"), []byte("status_book"), 1))
	if err != nil {
		t.Fatal(err)
	}
	c, err := h.AddPaper(text, nil, w.newID, at)
	if err != nil || c.Copies[0].StatusURI != "" || len(c.StatusLists()) != 0 || c.State(at+1) != (wallet.State{Word: wallet.Unchecked, At: at}) {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := h.Take(c.ID, credential.FormCWT); err != nil {
		t.Errorf("it is not shown: %v", err)
	}
	if ended := c.State(at + 31*day); ended.Word != wallet.Ended {
		t.Errorf("it is %s", ended.Word)
	}
	stays(t, h)
}
