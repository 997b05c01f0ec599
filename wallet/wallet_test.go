package wallet_test

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/credential/sdjwt"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/schemas"
	"aidpass/status"
	"aidpass/wallet"
)

const (
	at     = credential.Time(1_795_219_200)
	day    = 86400
	issuer = "https://relief-a.example/i1"
	vct    = "https://aidpass.example/elig"
	list   = "https://relief-a.example/st/1"
)

type world struct {
	key  *ecdsa.PrivateKey
	pub  *cose.Key
	keys map[string]*ecdsa.PrivateKey
	ids  int
	// counted is the pseudonym of wallet copies; "": the one of the cards.
	counted string
}

func newWorld(t testing.TB) *world {
	w := &world{keys: map[string]*ecdsa.PrivateKey{}}
	w.key, w.pub = newKey(t)
	return w
}

func newKey(t testing.TB) (*ecdsa.PrivateKey, *cose.Key) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := cose.NewKey(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	return k, pub
}

func (w *world) newID() string { w.ids++; return fmt.Sprint("card-", w.ids) }

func (w *world) holder(t testing.TB) *cose.Key {
	k, pub := newKey(t)
	w.keys[wallet.Handle(pub)] = k
	return pub
}

func (w *world) sdjwt(t testing.TB, index uint64) string {
	t.Helper()
	claims := jose.ObjectOf(jose.Member{Name: "programme", Value: jose.StringOf("K7Q2")}, jose.Member{Name: "ledger_id", Value: jose.StringOf(cmp.Or(w.counted, "WxBLSBUk-vIqvIDb"))})
	p, err := sdjwt.Prepare(w.pub, sdjwt.Draft{Issuer: issuer, Type: vct, IssuedAt: at, ExpiresAt: at + 90*day, StatusURI: status.URIOfJWT(list), StatusIndex: index,
		HolderKey: w.holder(t), Claims: claims, PadTo: 4,
		Frame: sdjwt.Frame{"programme": {Disclosure: schemas.DiscloseAlways}, "ledger_id": {Disclosure: schemas.DiscloseAllowed}}}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sig, _ := cose.SignRaw(w.key, p.ToBeSigned())
	text, err := p.Attach(sig)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// card is the QR text of a card; holder nil: on paper.
func (w *world) card(t testing.TB, holder *cose.Key) string {
	t.Helper()
	var id [cwt.CredentialIDN]byte
	rand.Read(id[:])
	p, err := cwt.Prepare(w.pub, cwt.Draft{Issuer: issuer, Type: vct, ID: id, IssuedAt: at, ExpiresAt: at + 30*day, Pseudonym: "WxBLSBUk-vIqvIDb", HolderKey: holder, StatusURI: list, StatusIndex: 7})
	if err != nil {
		t.Fatal(err)
	}
	sig, _ := cose.SignRaw(w.key, p.ToBeSigned())
	raw, err := p.Attach(sig)
	if err != nil {
		t.Fatal(err)
	}
	text, err := cwt.Text(raw)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// received is what one offer brings: copies of the SD-JWT form and a bound card.
func (w *world) received(t testing.TB, copies int) []wallet.Received {
	r := wallet.Received{Source: issuer, Issuer: issuer, IssuerKey: w.pub, Form: credential.FormSDJWT, Type: vct, IssuerNames: []wallet.Text{{Lang: "en", Text: "Relief A"}},
		Names: []wallet.Text{{Lang: "en", Text: "Cash aid"}, {Lang: "fr", Text: "Aide en argent"}}, Labels: []wallet.Label{{Path: []string{"programme"}, Names: []wallet.Text{{Lang: "en", Text: "Programme"}}}}}
	for n := range copies {
		r.Texts = append(r.Texts, w.sdjwt(t, uint64(100+n)))
	}
	bound := wallet.Received{Source: issuer, Issuer: issuer, Form: credential.FormBound, Type: vct, Texts: []string{w.card(t, w.holder(t))}}
	return []wallet.Received{r, bound}
}

func (w *world) filled(t testing.TB, copies int) (*wallet.Wallet, *wallet.Card) {
	t.Helper()
	h := &wallet.Wallet{}
	cards, err := h.Add(w.received(t, copies), "", w.newID, at)
	if err != nil || len(cards) != 1 {
		t.Fatalf("%d cards, %v", len(cards), err)
	}
	return h, h.Cards[0]
}

func TestFormsOfOneCredentialAreOneCard(t *testing.T) {
	w := newWorld(t)
	h, c := w.filled(t, 3)
	if len(c.Copies) != 4 || c.Picture != wallet.Cash || wallet.In(c.Names, "fr-CH") != "Cash aid" && wallet.In(c.Names, "fr") != "Aide en argent" {
		t.Errorf("%d copies, picture %q, %q", len(c.Copies), c.Picture, wallet.In(c.Names, "fr"))
	}
	if c.Ends != at+30*day {
		t.Errorf("ends %d, want the earliest", c.Ends)
	}
	if got := c.Claims().Get("programme").Text; got != "K7Q2" {
		t.Errorf("claims %q", got)
	}
	// A new offer for the same card takes its place and its name.
	if _, err := h.Add(w.received(t, 2), c.ID, w.newID, at+1); err != nil || len(h.Cards) != 1 || len(h.Cards[0].Copies) != 3 {
		t.Errorf("%d cards of %d copies, %v", len(h.Cards), len(h.Cards[0].Copies), err)
	}
	// It need not be said which one it is: what is counted is the same.
	if added, err := h.Add(w.received(t, 4), "", w.newID, at+2); err != nil || len(h.Cards) != 1 || added[0].ID != c.ID || len(h.Cards[0].Copies) != 5 {
		t.Errorf("%d cards of %d copies, %v", len(h.Cards), len(h.Cards[0].Copies), err)
	}
	// Nor does what somebody else is counted by take its place.
	w.counted = "another-person-0"
	if added, err := h.Add(w.received(t, 2), c.ID, w.newID, at+3); err != nil || len(h.Cards) != 2 || added[0].ID == c.ID || len(h.Cards[0].Copies) != 5 {
		t.Errorf("%d cards, the first of %d copies, %v", len(h.Cards), len(h.Cards[0].Copies), err)
	}
}

// The issuer of a bound card is what its text says, and nobody proved it to the phone: so
// what comes from another server takes no card's place. And what does not fit changes
// nothing.
func TestAnotherServerTakesNoCardsPlace(t *testing.T) {
	w := newWorld(t)
	h, c := w.filled(t, 3)
	forged := w.received(t, 0)[1:]
	forged[0].Source = "https://relief-b.example"
	if _, err := h.Add(forged, c.ID, w.newID, at+1); err != nil || len(h.Cards) != 2 || len(h.Cards[0].Copies) != 4 || h.Cards[1].Source != "https://relief-b.example" {
		t.Errorf("%d cards, the first of %d copies: %v", len(h.Cards), len(h.Cards[0].Copies), err)
	}
	for len(h.Cards) < wallet.MaxCards {
		if _, err := h.Add(w.received(t, 0), "", w.newID, at+1); err != nil {
			t.Fatal(err)
		}
	}
	before := h.Encode()
	other := w.received(t, 0)[1:]
	other[0].Type = "https://aidpass.example/other"
	if _, err := h.Add(append(w.received(t, 1), other...), c.ID, w.newID, at+2); !errors.Is(err, wallet.ErrFull) || !bytes.Equal(h.Encode(), before) {
		t.Errorf("a card too many: %v, and the wallet changed: %v", err, !bytes.Equal(h.Encode(), before))
	}
}

func TestEachCopyIsShownOnceUntilTheyAreUsedUp(t *testing.T) {
	w := newWorld(t)
	h, c := w.filled(t, 3)
	seen := map[string]bool{}
	for n := range 3 {
		taken, err := h.Take(c.ID, credential.FormSDJWT)
		if err != nil || taken.Again || taken.Left != 2-n {
			t.Fatalf("copy %d: %+v, %v", n, taken, err)
		}
		text := c.Copies[taken.Copy].Text
		if seen[text] {
			t.Fatal("a copy was shown twice")
		}
		seen[text] = true
		taken.Use(at + credential.Time(n))
	}
	first, err := h.Take(c.ID, credential.FormSDJWT)
	if err != nil || !first.Again || first.Left != 0 || first.Copy != 0 {
		t.Errorf("used up: %+v, %v", first, err)
	}
	if taken, err := h.Take(c.ID, credential.FormBound); err != nil || taken.Again {
		t.Errorf("the live card: %+v, %v", taken, err)
	}
	if _, err := h.Take(c.ID, credential.FormVCJWT); !errors.Is(err, wallet.ErrNoForm) {
		t.Errorf("a form it has not: %v", err)
	}
}

func TestACardSaysHowItStands(t *testing.T) {
	w := newWorld(t)
	_, c := w.filled(t, 2)
	for when, want := range map[credential.Time]wallet.Word{at - 1: wallet.NotYet, at + day: wallet.Ready, at + 8*day: wallet.Unchecked, at + 30*day: wallet.Ended} {
		if got := c.State(when); got.Word != want {
			t.Errorf("%d days on: %q, want %q", (when-at)/day, got.Word, want)
		}
	}
	look := func(v status.Value, when credential.Time) {
		bits := make([]byte, 64)
		bits[101/4] |= byte(v) << (2 * (101 % 4))
		c.LookUp(status.URIOfJWT(list), &status.List{URI: list, Bits: bits, Size: 256}, when)
	}
	look(status.Valid, at+8*day)
	if got := c.State(at + 9*day).Word; got != wallet.Ready {
		t.Errorf("looked up: %q", got)
	}
	if got := c.State(at + 20*day).Word; got != wallet.Unchecked {
		t.Errorf("not looked up for long: %q", got)
	}
	look(status.Valid, at+20*day)
	if got := c.State(at + 20*day); got.Word != wallet.EndsOn || got.At != at+30*day {
		t.Errorf("ten days left: %+v", got)
	}
	look(status.Suspended, at+21*day)
	if got := c.State(at + 21*day).Word; got != wallet.OnHold {
		t.Errorf("suspended: %q", got)
	}
	look(status.Invalid, at+22*day)
	look(status.Valid, at+23*day)
	if got := c.State(at + 23*day); got.Word != wallet.Stopped || got.At != at+22*day {
		t.Errorf("cancelled: %+v", got)
	}
}

// A card in CBOR names its list's other form; the wallet looks into the one it reads.
func TestACardOnPaperSaysHowItStands(t *testing.T) {
	w := newWorld(t)
	h := &wallet.Wallet{}
	c, err := h.AddPaper(w.card(t, nil), nil, w.newID, at)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.State(at + 8*day); got.Word != wallet.Unchecked || got.At != at {
		t.Errorf("not looked up for long: %+v", got)
	}
	if got := c.StatusLists(); len(got) != 1 || got[0] != list+".jwt" {
		t.Fatalf("its lists: %q", got)
	}
	bits := make([]byte, 64)
	bits[7/4] |= byte(status.Invalid) << (2 * (7 % 4))
	c.LookUp(list+".jwt", &status.List{URI: list, Bits: bits, Size: 256}, at+8*day)
	if got := c.State(at + 8*day).Word; got != wallet.Stopped {
		t.Errorf("cancelled: %q", got)
	}
}

func TestAWalletComesBackFromItsBytes(t *testing.T) {
	w := newWorld(t)
	h, c := w.filled(t, 2)
	if _, err := h.AddPaper(w.card(t, nil), []wallet.Text{{Text: "Amina"}}, w.newID, at); err != nil {
		t.Fatal(err)
	}
	h.Note(wallet.Event{At: at, Kind: wallet.Shown, Who: "decentralized_identifier:did:web:b.example", Name: "B", How: "did", For: "food", Cards: []string{c.ID}, Claims: []string{"programme"}})
	b := h.Encode()
	again, err := wallet.Decode(b)
	if err != nil || !bytes.Equal(again.Encode(), b) || len(again.Cards) != 2 || len(again.Log) != 3 {
		t.Fatalf("%+v, %v", again, err)
	}
	for n := range b {
		for _, bad := range [][]byte{b[:n], append(bytes.Clone(b[:n]), append([]byte{b[n] ^ 1}, b[n+1:]...)...)} {
			if got, err := wallet.Decode(bad); err == nil && !bytes.Equal(got.Encode(), bad) {
				t.Fatalf("byte %d: another wallet has these bytes", n)
			}
		}
		if n > 400 {
			break
		}
	}
	if _, err := wallet.Decode(append(b, 0)); !errors.Is(err, wallet.ErrWallet) {
		t.Errorf("something after it: %v", err)
	}
}

func TestTheLogForgetsTheOldestFirst(t *testing.T) {
	h := &wallet.Wallet{}
	for n := range wallet.MaxEvents + 5 {
		h.Note(wallet.Event{At: at + credential.Time(n), Kind: wallet.Shown, Who: strings.Repeat("é", 400)})
	}
	if len(h.Log) != wallet.MaxEvents || h.Log[0].At != at+5 || len(h.Log[0].Who) > 500 {
		t.Errorf("%d lines from %d", len(h.Log), h.Log[0].At-at)
	}
	if _, err := wallet.Decode(h.Encode()); err != nil {
		t.Error(err)
	}
}

func TestSealedBytesOpenWithTheirKeyAlone(t *testing.T) {
	salt, device := bytes.Repeat([]byte{1}, 16), bytes.Repeat([]byte{2}, 32)
	key, err := wallet.KeyFromPIN("482915", device, salt)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := wallet.Seal(key, wallet.SealStore, []byte("what she holds"), rand.Reader)
	if err != nil || bytes.Contains(sealed, []byte("holds")) {
		t.Fatalf("%x, %v", sealed, err)
	}
	if got, err := wallet.Unseal(key, wallet.SealStore, sealed); err != nil || string(got) != "what she holds" {
		t.Errorf("%q, %v", got, err)
	}
	for name, other := range map[string]func() ([]byte, error){
		"another PIN":    func() ([]byte, error) { return wallet.KeyFromPIN("482916", device, salt) },
		"another device": func() ([]byte, error) { return wallet.KeyFromPIN("482915", bytes.Repeat([]byte{3}, 32), salt) },
		"another salt":   func() ([]byte, error) { return wallet.KeyFromPIN("482915", device, bytes.Repeat([]byte{2}, 16)) },
	} {
		k, err := other()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := wallet.Unseal(k, wallet.SealStore, sealed); !errors.Is(err, wallet.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := wallet.Unseal(key, wallet.SealState, sealed); !errors.Is(err, wallet.ErrSealed) {
		t.Errorf("in the place of another kind: %v", err)
	}
	for n := range sealed {
		bad := bytes.Clone(sealed)
		bad[n] ^= 1
		if _, err := wallet.Unseal(key, wallet.SealStore, bad); err == nil {
			t.Fatalf("byte %d changed, and it opens", n)
		}
	}
}

func TestABackUpBringsBackWhatNeedsNoKey(t *testing.T) {
	w := newWorld(t)
	h, c := w.filled(t, 2)
	paper, err := h.AddPaper(w.card(t, nil), nil, w.newID, at)
	if err != nil {
		t.Fatal(err)
	}
	words, err := wallet.NewWords(rand.Reader)
	if err != nil || len(strings.Fields(words)) != 8 {
		t.Fatalf("%q, %v", words, err)
	}
	file, err := h.BackUp(words, rand.Reader, at)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := wallet.Restore(file, words+" more", nil, at); !errors.Is(err, wallet.ErrKey) {
		t.Errorf("other words: %v", err)
	}
	got, lost, err := wallet.Restore(file, "  "+strings.ToUpper(strings.ReplaceAll(words, " ", "-")), nil, at+1)
	if err != nil || !slices.Equal(lost, []string{c.ID}) {
		t.Fatalf("lost %q, %v", lost, err)
	}
	if s := got.Find(c.ID).State(at + 1).Word; s != wallet.ShownOnly {
		t.Errorf("a card without its keys: %q", s)
	}
	if _, err := got.Take(c.ID, credential.FormSDJWT); !errors.Is(err, wallet.ErrViewOnly) {
		t.Errorf("to be shown without its keys: %v", err)
	}
	if _, err := got.Take(paper.ID, credential.FormCWT); err != nil {
		t.Errorf("a paper card: %v", err)
	}
	// On the phone that still has its keys nothing is lost.
	if _, lost, err := wallet.Restore(file, words, func(handle string) bool { return w.keys[handle] != nil }, at); err != nil || lost != nil {
		t.Errorf("with keys: lost %q, %v", lost, err)
	}
	if err := h.Join(got); err != nil || len(h.Cards) != 2 || h.Cards[0].ViewOnly {
		t.Errorf("joined: %d cards, %v", len(h.Cards), err)
	}
}

func TestACardForAnotherPhoneIsSeenToBeThat(t *testing.T) {
	w := newWorld(t)
	mother, bound := w.filled(t, 2)
	paper, err := mother.AddPaper(w.card(t, nil), []wallet.Text{{Text: "Food"}}, w.newID, at)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mother.HandOver(bound.ID, "Amina", "Hodan's phone", at); !errors.Is(err, wallet.ErrBound) {
		t.Errorf("a bound card: %v", err)
	}
	text, err := mother.HandOver(paper.ID, "Amina", "Hodan's phone", at+5)
	if err != nil {
		t.Fatal(err)
	}
	daughter := &wallet.Wallet{}
	c, err := daughter.TakeOver(text, w.newID, at+9)
	if err != nil || c.HeldFor != "Amina" || c.Consent != at+5 || c.Copies[0].Text != paper.Copies[0].Text {
		t.Fatalf("%+v, %v", c, err)
	}
	if e := daughter.Log[len(daughter.Log)-1]; e.Kind != wallet.TakenOver || e.Who != "Amina" {
		t.Errorf("the daughter's log: %+v", e)
	}
	if e := mother.Log[len(mother.Log)-1]; e.Kind != wallet.HandedOver || e.Who != "Hodan's phone" {
		t.Errorf("the mother's log: %+v", e)
	}
	if _, err := daughter.HandOver(c.ID, "Amina", "x", at); !errors.Is(err, wallet.ErrBound) {
		t.Errorf("handed on: %v", err)
	}
	if _, err := daughter.TakeOver(text, w.newID, at); !errors.Is(err, wallet.ErrHave) {
		t.Errorf("taken twice: %v", err)
	}
	if _, err := daughter.AddPaper(w.card(t, w.holder(t)), nil, w.newID, at); !errors.Is(err, wallet.ErrNoForm) {
		t.Errorf("a bound card from a picture: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	w := newWorld(f)
	h := &wallet.Wallet{}
	_, _ = h.Add(w.received(f, 2), "", w.newID, at)
	f.Add(h.Encode())
	f.Add((&wallet.Wallet{}).Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := wallet.Decode(b); err == nil && !bytes.Equal(got.Encode(), b) {
			t.Error("what was read has other bytes")
		}
	})
}

func FuzzTexts(f *testing.F) {
	w := newWorld(f)
	f.Add(w.card(f, nil))
	h := &wallet.Wallet{}
	c, _ := h.AddPaper(w.card(f, nil), nil, w.newID, at)
	text, _ := h.HandOver(c.ID, "A", "B", at)
	f.Add(text)
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = wallet.GlanceAt(text)
		if c, err := (&wallet.Wallet{}).TakeOver(text, w.newID, at); err == nil && c.HeldFor == "" {
			t.Error("a card of nobody")
		}
		_, _, _ = wallet.Restore([]byte(text), "", nil, at)
		_, _ = wallet.Unseal(make([]byte, 32), wallet.SealStore, []byte(text))
	})
}

func TestThePageShowsTheBytesOfAnEmptyWallet(t *testing.T) {
	page, err := os.ReadFile("../docs/formats/wallet.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("```hex empty wallet\n%x\n```", (&wallet.Wallet{}).Encode()); !strings.Contains(string(page), want) {
		t.Errorf("docs/formats/wallet.md does not show %q", want)
	}
}

// A screen that stands before somebody for long is one line of the log, however often its
// code is made anew.
func TestACodeThatStaysOnTheScreenIsOneLine(t *testing.T) {
	var w wallet.Wallet
	for _, e := range []wallet.Event{
		{At: 1000, Kind: wallet.LiveShown, Cards: []string{"a"}},
		{At: 1050, Kind: wallet.LiveShown, Cards: []string{"a"}, Again: true},
		{At: 1170, Kind: wallet.LiveShown, Cards: []string{"a"}, Again: true},
		{At: 1175, Kind: wallet.LiveShown, Cards: []string{"a"}}, // the next in the queue
		{At: 1180, Kind: wallet.LiveShown, Cards: []string{"b"}},
		{At: 1190, Kind: wallet.LiveShown, Cards: []string{"b"}, Who: "https://relief-b.example/i1", Name: "KAK-3", How: "challenge"},
		{At: 1311, Kind: wallet.LiveShown, Cards: []string{"b"}, Who: "https://relief-b.example/i1", Name: "KAK-3", How: "challenge", Again: true},
		{At: 1300, Kind: wallet.LiveShown, Cards: []string{"b"}, Who: "https://relief-b.example/i1", Name: "KAK-3", How: "challenge", Again: true},
		{At: 1301, Kind: wallet.PaperShown, Cards: []string{"b"}},
		{At: 1302, Kind: wallet.PaperShown, Cards: []string{"b"}},
	} {
		w.Note(e)
	}
	var at []credential.Time
	for _, e := range w.Log {
		at = append(at, e.At)
	}
	if want := []credential.Time{1170, 1175, 1180, 1190, 1311, 1300, 1301, 1302}; !slices.Equal(at, want) {
		t.Errorf("lines at %d, want %d", at, want)
	}
}
