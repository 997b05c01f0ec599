package main

import (
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/schemas"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/verifier/token"
	"aidpass/words"
)

// selfCheck judges each card with the verifier core before it is handed out, on
// a pack with a trust list of the organisation alone, made for this run. What a service
// point adds (status lists, rounds, live proofs) is not looked at.
type selfCheck struct {
	mu      sync.Mutex // a server issues to several wallets at a time
	checker verifier.Checker
	pack    *verifier.Pack
	now     func() credential.Time
}

// newSelfCheck makes the pack from the organisation's entry and the keys in use:
// the one of cards and, unless it is nil, the one of wallet credentials.
// replaces are the organisations in whose cards' place it may issue.
func newSelfCheck(entry *trust.Organisation, key, tokens *cose.Key, types []*schemas.Type, replaces []string, now func() credential.Time) (*selfCheck, error) {
	at := now()
	anchor, anchorKey, err := passingKey()
	if err != nil {
		return nil, err
	}
	packer, packKey, err := passingKey()
	if err != nil {
		return nil, err
	}
	set, err := trust.NewAnchors(1, anchorKey)
	if err != nil {
		return nil, err
	}
	d := trust.NewDraft("https://selfcheck.example", set)
	d.Issued, d.NextUpdate = at, at+day
	grant := trust.Grant{}
	var own []*schemas.Type
	for _, t := range append(schemas.Embedded(), types...) {
		if schemas.ByName(t.Name) != t {
			own = append(own, t)
		}
		grant.Types = append(grant.Types, t.VCT)
	}
	from, until := at-5*keyYear, at+5*keyYear
	err = errors.Join(
		d.AddOrganisation(entry.ID, entry.Country, entry.Names),
		d.AddStatusPrefix(entry.ID, entry.StatusPrefixes[0]),
		d.AddKey(entry.ID, trust.Key{Key: key, Use: trust.UseCard, Profile: trust.ProfileCard1, NotBefore: from, NotAfter: until}),
		d.AddKey(entry.ID, trust.Key{Key: packKey, Use: trust.UsePack, NotBefore: from, NotAfter: until}),
		d.Grant(entry.ID, grant))
	for _, id := range replaces {
		err = errors.Join(err, d.AddOrganisation(id, entry.Country, entry.Names),
			d.Grant(entry.ID, trust.Grant{Types: grant.Types, Replaces: []string{id}}))
	}
	if err != nil {
		return nil, err
	}
	if tokens != nil {
		if err := d.AddKey(entry.ID, trust.Key{Key: tokens, Use: trust.UseVC, NotBefore: from, NotAfter: until}); err != nil {
			return nil, err
		}
	}
	payload, err := d.Encode()
	if err != nil {
		return nil, err
	}
	list, err := trust.SignList(payload, anchor)
	if err != nil {
		return nil, err
	}
	parts := []verifier.Part{{Owner: d.ID, Kind: verifier.PartTrustList, Name: d.ID, Sequence: 1, Data: list}}
	if len(own) > 0 {
		parts = append(parts, verifier.Part{Owner: entry.ID, Kind: verifier.PartTypes, Name: "types", Sequence: 1, Data: schemas.Append(nil, own)})
	}
	p, err := verifier.PreparePack(packKey, verifier.PackDraft{Org: entry.ID, Site: "self-check", Sequence: 1, Issued: at, Expires: at + day, Parts: parts})
	if err != nil {
		return nil, err
	}
	raw, err := attach(p, packer)
	if err != nil {
		return nil, err
	}
	c := &selfCheck{now: now}
	c.pack, _, err = verifier.OpenPack(raw, verifier.Floors{}, at)
	return c, err
}

// passingKey is a key for this run alone.
func passingKey() (crypto.Signer, *cose.Key, error) {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, nil, err
	}
	public, err := cose.NewKey(private.Public())
	return private, public, err
}

// card is issuer.Desk.Check.
func (c *selfCheck) card(card []byte) error {
	text, err := cwt.Text(card)
	if err != nil {
		return err
	}
	return c.judge(text)
}

// token is issuer.Desk.CheckToken: nobody has presented it, so its holder's
// signature is missing, and nothing else may be.
func (c *selfCheck) token(text []byte) error { return c.judge(string(text)) }

func (c *selfCheck) judge(text string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.checker.Verify(text, verifier.Inputs{At: c.now(), Pack: c.pack, Tokens: token.Reader{}})
	for _, reason := range r.Reasons() {
		switch reason {
		case words.OK, words.StatusUnknown, words.LiveRequired, words.KBMissing, words.NotYetValid, words.WrongSite, words.WrongRound,
			words.TrustListExpired, words.PackExpired:
		default:
			return fmt.Errorf("the verifier answers %s (%v)", reason, r.Err)
		}
	}
	if !r.Credential.Proven() {
		return fmt.Errorf("the verifier proves nothing of it")
	}
	return nil
}
