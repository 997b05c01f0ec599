package wallet

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"aidpass/credential"
	"aidpass/credential/sdjwt"
	"aidpass/credential/vcjwt"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/status"
)

// Limits of one wallet. A family's phone stays far below.
const (
	MaxCards  = 64
	MaxCopies = 128 // of one card, in all forms
	MaxEvents = 500 // of the log: the oldest leave first
	MaxText   = 64 << 10
)

// Faults a caller acts on.
var (
	ErrFull     = errors.New("wallet: full: remove cards that have ended")
	ErrNoCard   = errors.New("wallet: no such card")
	ErrNoForm   = errors.New("wallet: this card has no such form")
	ErrHave     = errors.New("wallet: this card is here already")
	ErrViewOnly = errors.New("wallet: restored without its keys: the desk issues it again")
	ErrBound    = errors.New("wallet: a card that is bound to this phone cannot be handed to another: ask the desk for a paper card, or for a delegation")
)

// Wallet is what one person, or one family, keeps on a phone. The zero value is
// empty and ready.
type Wallet struct {
	Cards []*Card
	Log   []Event // the oldest first
}

// Card is one credential of a person, in every form and copy she has of it.
type Card struct {
	ID    string // random, of this wallet alone
	Added credential.Time

	Issuer      string // iss, as its copies have it
	IssuerNames []Text
	IssuerKey   *cose.Key // that proved it, Copy.Signer aside; nil where it came as a QR code alone, or could not be proved yet
	Source      string    // the credential issuer to ask for more copies; "" for none

	Type               string // vct
	Names              []Text
	Labels             []Label
	Colour, TextColour string // #rrggbb, or ""
	Picture            Picture

	ValidFrom, Ends credential.Time // 0: not said

	// HeldFor names the person whose card it is, where this phone keeps it for
	// somebody else, and Consent when she agreed.
	HeldFor string
	Consent credential.Time
	// Replaces is the id of the card that this one gives new copies of, where nobody could
	// prove those yet: it takes that card's place once they are proved (Wallet.Renewed). "": of none.
	Replaces string
	// ViewOnly: restored from a back-up; the keys stayed on the phone that is gone.
	ViewOnly bool

	// Checked is when its status list was last read, 0 for never; Standing is what it
	// said.
	Checked  credential.Time
	Standing Standing

	Copies []Copy
}

// Standing is what the issuer's list says of a card.
type Standing uint8

// The standings.
const (
	Good Standing = iota
	Suspended
	Cancelled
)

// Copy is one text a card can be shown as.
type Copy struct {
	Form credential.Form // FormSDJWT, FormVCJWT, FormBound, or FormCWT for a paper card
	Text string
	// Key is the public half of the key the copy is bound to; nil for none. The
	// private half is the caller's to find by Handle.
	Key *cose.Key
	// Signer is the issuer's key that proved this copy, where it is another than the
	// card's: an issuer may change keys in the middle of a batch. nil: the card's.
	Signer *cose.Key
	// Used is when it was last shown; 0: never.
	Used credential.Time
	// Status is where its entry is.
	StatusURI   string
	StatusIndex uint64
}

// Handle names a holder's key: the thumbprint of RFC 7638, in base64url.
func Handle(k *cose.Key) string {
	sum := k.Thumbprint()
	return jose.EncodeBase64(sum[:])
}

// Received is one credential, in one form, as it came from an issuer.
type Received struct {
	Source      string
	IssuerNames []Text
	Issuer      string
	IssuerKey   *cose.Key // nil: a card for QR codes, or one whose issuer's keys could not be fetched yet

	Form               credential.Form
	Type               string
	Names              []Text
	Labels             []Label
	Colour, TextColour string
	Texts              []string
}

// Find returns the card with an id, or nil.
func (w *Wallet) Find(id string) *Card {
	for _, c := range w.Cards {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// Add takes what one offer brought. Forms of one type by one issuer become one card.
// One that gives new copies of a card here takes its place: the id stays and what it was
// is forgotten, since the issuer cancels the old copies when it gives new ones. That is
// the card that replaces names, or that is counted under the same pseudonym, where it
// came from the same server; one that is counted under another is another card. What
// nobody could prove yet takes no card's place, and both stay until Renewed. On an
// error nothing has changed. newID gives random names.
func (w *Wallet) Add(list []Received, replaces string, newID func() string, at credential.Time) ([]*Card, error) {
	var added []*Card
	half := map[*Card]bool{} // some of it is not proved yet
	for _, r := range list {
		c := cardFor(&added, &r, at)
		if signed(r.Form) {
			c.IssuerKey, half[c] = cmp.Or(c.IssuerKey, r.IssuerKey), half[c] || r.IssuerKey == nil
		}
		for _, text := range r.Texts {
			if len(c.Copies) == MaxCopies {
				return nil, ErrFull
			}
			copy, err := c.read(r.Form, text, r.IssuerKey)
			if err != nil {
				return nil, err
			}
			c.Copies = append(c.Copies, copy)
		}
	}
	more := 0
	for _, c := range added {
		if half[c] && c.IssuerKey != nil && c.Prove(func(k Copy) (*cose.Key, error) { return c.Signer(k.Text), nil }) != nil {
			c.wait()
		}
		if c.ID = w.renewedBy(c, replaces, added); c.ID == "" || c.Unproved() {
			c.Replaces, c.ID = c.ID, newID()
			more++
		}
	}
	if len(w.Cards)+more > MaxCards || (&Wallet{Cards: slices.Concat(w.Cards, added)}).size() > maxCardBytes {
		return nil, ErrFull
	}
	for _, c := range added {
		if old := w.Find(c.ID); old != nil {
			w.replace(old, c, len(w.Cards))
		} else {
			w.Cards = append(w.Cards, c)
		}
	}
	for _, c := range added {
		w.note(Event{At: at, Kind: Added, Who: cmp.Or(c.Source, c.Issuer), Cards: []string{c.ID}})
	}
	return added, nil
}

// cardFor is the card of added that r is a form of, or a new one.
func cardFor(added *[]*Card, r *Received, at credential.Time) *Card {
	for _, c := range *added {
		if c.Type == r.Type && c.Issuer == r.Issuer {
			return c
		}
	}
	c := &Card{Added: at, Issuer: r.Issuer, IssuerNames: r.IssuerNames, Source: r.Source, Type: r.Type,
		Names: r.Names, Labels: r.Labels, Colour: r.Colour, TextColour: r.TextColour}
	about := []string{r.Type, In(r.Names, "en")}
	for _, l := range r.Labels {
		about = append(about, l.Path...)
	}
	c.Picture = PictureOf(about...)
	*added = append(*added, c)
	return c
}

// read looks into one text: whom it is bound to, when it ends, where its status is. signer
// is the issuer's key; nil: nobody can prove it yet.
func (c *Card) read(form credential.Form, text string, signer *cose.Key) (Copy, error) {
	out := Copy{Form: form, Text: text}
	if len(text) > MaxText {
		return out, ErrFull
	}
	switch form {
	case credential.FormSDJWT, credential.FormVCJWT:
		if signer == nil {
			k, err := claimed(form, text)
			out.Key = k
			return out, err
		}
		opened, holder, err := open(form, text, signer)
		if err != nil {
			return out, err
		}
		out.Key = holder
		if Handle(signer) != Handle(c.IssuerKey) {
			out.Signer = signer
		}
		if s := opened.Status; s.Present {
			out.StatusURI, out.StatusIndex = string(s.URI), s.Index
		}
		c.spans(opened.NotBefore, opened.ExpiresAt)
	case credential.FormBound, credential.FormCWT:
		g, err := GlanceAt(text)
		if err != nil {
			return out, err
		}
		if (g.Holder == nil) != (form == credential.FormCWT) {
			return out, ErrNoForm
		}
		out.Key = g.Holder
		if g.StatusURI != "" { // one register in two forms, of which the other can be read here
			out.StatusURI, out.StatusIndex = status.URIOfJWT(g.StatusURI), g.StatusIndex
		}
		c.spans(g.ValidFrom, g.Ends)
	default:
		return out, ErrNoForm
	}
	return out, nil
}

// spans keeps the narrowest dates of all copies.
func (c *Card) spans(from, ends credential.Time) {
	if ends < 0 { // before 1970: ended, and a time that is kept
		ends = 1
	}
	c.ValidFrom = max(c.ValidFrom, from)
	if ends != 0 && (c.Ends == 0 || ends < c.Ends) {
		c.Ends = ends
	}
}

func open(form credential.Form, text string, signer *cose.Key) (*credential.Credential, *cose.Key, error) {
	if form == credential.FormVCJWT {
		e, err := vcjwt.Parse(text)
		if err != nil {
			return nil, nil, err
		}
		v, err := vcjwt.Open(e, signer)
		if err != nil {
			return nil, nil, err
		}
		return &v.Credential, v.Holder, nil
	}
	e, err := sdjwt.Parse(text)
	if err != nil {
		return nil, nil, err
	}
	s, err := sdjwt.OpenIssued(e, signer)
	if err != nil {
		return nil, nil, err
	}
	return &s.Credential, s.Holder, nil
}

// Open reads an SD-JWT copy of c again, by the key that proved it.
func (c *Card) Open(text string) (*sdjwt.Credential, error) {
	if c.IssuerKey == nil {
		return nil, ErrNoForm
	}
	e, err := sdjwt.Parse(text)
	if err != nil {
		return nil, err
	}
	return sdjwt.OpenIssued(e, c.Signer(text))
}

// Signer is the issuer's key for a copy's text, or for what is shown of it; nil while c is
// not proved.
func (c *Card) Signer(text string) *cose.Key {
	if c.IssuerKey == nil {
		return nil
	}
	token, _, _ := strings.Cut(text, "~")
	for _, k := range c.Copies {
		if k.Signer != nil && (k.Text == token || strings.HasPrefix(k.Text, token+"~")) {
			return k.Signer
		}
	}
	return c.IssuerKey
}

// AddPaper takes a card that was scanned from paper. It is shown as it was on paper,
// and proves nothing about who shows it. names are what its holder calls it.
func (w *Wallet) AddPaper(text string, names []Text, newID func() string, at credential.Time) (*Card, error) {
	return w.addPaper(&Card{Names: names}, text, newID, at)
}

func (w *Wallet) addPaper(c *Card, text string, newID func() string, at credential.Time) (*Card, error) {
	g, err := GlanceAt(text)
	if err != nil {
		return nil, err
	}
	for _, have := range w.Cards {
		if slices.ContainsFunc(have.Copies, func(k Copy) bool { return k.Text == text }) {
			return nil, ErrHave
		}
	}
	if len(w.Cards) == MaxCards {
		return nil, ErrFull
	}
	c.ID, c.Added, c.Issuer, c.Type = newID(), at, g.Issuer, g.Type
	copy, err := c.read(credential.FormCWT, text, nil)
	if err != nil {
		return nil, err
	}
	c.Copies = []Copy{copy}
	c.Picture = PictureOf(append([]string{c.Type}, In(c.Names, "en"))...)
	w.Cards = append(w.Cards, c)
	w.note(Event{At: at, Kind: Added, Who: c.Issuer, Cards: []string{c.ID}})
	return c, nil
}

// Remove takes a card out. What was logged of it stays.
func (w *Wallet) Remove(id string, at credential.Time) error {
	i := slices.IndexFunc(w.Cards, func(c *Card) bool { return c.ID == id })
	if i < 0 {
		return ErrNoCard
	}
	w.note(Event{At: at, Kind: Removed, Who: w.Cards[i].Issuer, Cards: []string{id}})
	w.Cards = slices.Delete(w.Cards, i, i+1)
	return nil
}

// Taken is a copy that is about to be shown.
type Taken struct {
	Card *Card
	Copy int // its place in Card.Copies
	// Again: it was shown to somebody before, since no unused one is left. Two who
	// compare will know it for the same.
	Again bool
	// Left is how many unused ones there are beside it; at FetchBelow and under, new
	// ones should be fetched.
	Left int
}

// FetchBelow is the number of unused copies at which to fetch new ones.
const FetchBelow = 2

// Take chooses the copy of a form to show next: the first unused one, and where all
// were used the one used longest ago. Nothing changes before Use. A card for QR
// codes has no one-time copies: everybody who scans it sees the same.
func (w *Wallet) Take(id string, form credential.Form) (Taken, error) {
	c := w.Find(id)
	if c == nil {
		return Taken{}, ErrNoCard
	}
	t := Taken{Card: c, Copy: -1}
	for i, k := range c.Copies {
		if k.Form != form {
			continue
		}
		if k.Used == 0 {
			t.Left++
		}
		if t.Copy < 0 || k.Used < c.Copies[t.Copy].Used {
			t.Copy = i
		}
	}
	if t.Copy < 0 {
		return Taken{}, ErrNoForm
	}
	if c.ViewOnly && c.Copies[t.Copy].Key != nil {
		return Taken{}, ErrViewOnly
	}
	if t.Again = c.Copies[t.Copy].Used != 0; !t.Again {
		t.Left--
	}
	if form == credential.FormCWT || form == credential.FormBound {
		t.Again = false
	}
	return t, nil
}

// Use marks a copy as shown. Keep the wallet before anything leaves the phone: after
// a power cut a copy may be marked that nobody saw, and never the other way round.
func (t Taken) Use(at credential.Time) { t.Card.Copies[t.Copy].Used = max(at, 1) }

// Left is how many copies of a form were never shown.
func (c *Card) Left(form credential.Form) (n int) {
	for _, k := range c.Copies {
		if k.Form == form && k.Used == 0 {
			n++
		}
	}
	return n
}

// Unused is how many verifiers the card can still be shown to for the first time, whichever
// form they ask for: of the forms that are answered with online, that of which fewest copies
// are left; of a card of QR codes alone those.
func (c *Card) Unused() int {
	least := func(online bool) (n int) {
		n = -1
		for _, k := range c.Copies {
			if (k.Form == credential.FormSDJWT || k.Form == credential.FormVCJWT) != online {
				continue
			}
			if left := c.Left(k.Form); n < 0 || left < n {
				n = left
			}
		}
		return n
	}
	if n := least(true); n >= 0 {
		return n
	}
	return max(0, least(false))
}

// Has reports whether there is a copy in a form.
func (c *Card) Has(form credential.Form) bool {
	return slices.ContainsFunc(c.Copies, func(k Copy) bool { return k.Form == form })
}

// Claims are what the card says, as far as this phone can read it: those of its
// SD-JWT form, or of its W3C form. A Missing value for a card of QR codes alone.
func (c *Card) Claims() jose.Value {
	for _, k := range c.Copies {
		switch k.Form {
		case credential.FormSDJWT:
			if s, err := c.Open(k.Text); err == nil {
				return s.Claims
			}
		case credential.FormVCJWT:
			if e, err := vcjwt.Parse(k.Text); err == nil && c.IssuerKey != nil {
				if v, err := vcjwt.Open(e, c.Signer(k.Text)); err == nil {
					return v.Claims
				}
			}
		}
	}
	return jose.Value{}
}
