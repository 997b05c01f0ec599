package wallet

import (
	"cmp"
	"strings"

	"aidpass/credential"
	"aidpass/credential/sdjwt"
	"aidpass/credential/vcjwt"
	"aidpass/internal/cose"
)

// Known is how a phone knows whose card it has, in one word.
type Known string

// The words. Whoever scans a card, or asks for it, proves it for themselves.
const (
	ByWebsite Known = "website"  // it is signed by a key that the issuer's own https address publishes
	ByKey     Known = "key"      // it is signed by a key that is the issuer's name, and says no other
	ByServer  Known = "server"   // nothing but the server it came from says whose it is
	ByPaper   Known = "paper"    // it was scanned: nobody says anything
	Unfetched Known = "unproved" // the issuer's keys could not be fetched when it came
)

// Known says how this phone knows whose card it is.
func (c *Card) Known() Known {
	for _, k := range c.Copies {
		if !signed(k.Form) {
			continue
		}
		switch {
		case c.IssuerKey == nil:
			return Unfetched
		case certified(k.Form, k.Text): // taken from the issuer's own server alone, and nobody has checked the chain
			return ByServer
		case strings.HasPrefix(c.Issuer, "did:jwk:"), strings.HasPrefix(c.Issuer, "did:key:"):
			return ByKey
		}
		return ByWebsite
	}
	if c.Source == "" {
		return ByPaper
	}
	return ByServer // a card for QR codes: its key is on trust lists, not on the web
}

// Unproved reports whether c has copies that nobody could prove yet. They are shown to
// nobody before Prove.
func (c *Card) Unproved() bool { return c.Known() == Unfetched }

// certified reports whether a text brought its signer's certificate along.
func certified(form credential.Form, text string) bool {
	if form == credential.FormVCJWT {
		e, err := vcjwt.Parse(text)
		return err == nil && len(e.Certificates) > 0
	}
	e, err := sdjwt.Parse(text)
	return err == nil && len(e.Certificates) > 0
}

// claimed is the key that an unproved text says it is bound to.
func claimed(form credential.Form, text string) (*cose.Key, error) {
	if form == credential.FormVCJWT {
		e, err := vcjwt.Parse(text)
		if err != nil {
			return nil, err
		}
		return e.Claimed()
	}
	e, err := sdjwt.Parse(text)
	if err != nil {
		return nil, err
	}
	return e.Claimed()
}

// signed reports whether a phone can prove a form by itself: cards for QR codes are
// proved by who scans them.
func signed(f credential.Form) bool { return f == credential.FormSDJWT || f == credential.FormVCJWT }

// wait takes back that anything of c was proved.
func (c *Card) wait() {
	c.IssuerKey = nil
	for i := range c.Copies {
		c.Copies[i].Signer = nil
	}
}

// Prove takes the issuer's keys for the copies of c that were not proved yet, each from
// keyOf. Where one does not hold under it, or is bound to another key than it said, or
// keyOf has none, nothing changes and the error says why.
func (c *Card) Prove(keyOf func(Copy) (*cose.Key, error)) error {
	proved := *c
	proved.IssuerKey, proved.Copies = nil, make([]Copy, 0, len(c.Copies))
	for _, was := range c.Copies {
		var k *cose.Key
		if signed(was.Form) {
			var err error
			if k, err = keyOf(was); err != nil {
				return err
			}
			proved.IssuerKey = cmp.Or(proved.IssuerKey, k)
		}
		now, err := proved.read(was.Form, was.Text, k)
		if err != nil {
			return err
		}
		if (now.Key == nil) != (was.Key == nil) || now.Key != nil && Handle(now.Key) != Handle(was.Key) {
			return ErrNoForm
		}
		now.Used = was.Used
		proved.Copies = append(proved.Copies, now)
	}
	*c = proved
	return nil
}
