package main

import (
	"context"
	"crypto"
	"errors"
	"slices"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/issuer"
	"aidpass/schemas"
	"aidpass/storage/keystore"
	"aidpass/trust"
)

// openIssuer makes the desk that signs cards of these types.
func (a *app) openIssuer(o *org, types ...*schemas.Type) (*issuer.Desk, error) {
	return a.issuerDesk(o, nil, nil, types)
}

// openWalletIssuer makes the desk that signs for wallets as well.
func (a *app) openWalletIssuer(o *org, types ...*schemas.Type) (*issuer.Desk, error) {
	signer, key, err := o.currentSigner(keystore.VC)
	if err != nil {
		return nil, err
	}
	desk, err := a.issuerDesk(o, signer, key, types)
	if err != nil {
		return nil, err
	}
	for use, from := range map[keystore.Use]*credential.Time{keystore.Card: &desk.SignerFrom, keystore.VC: &desk.TokensFrom} {
		info, err := o.current(use)
		if err != nil {
			return nil, err
		}
		_, *from, _ = role(*info)
	}
	return desk, nil
}

func (a *app) issuerDesk(o *org, tokens crypto.Signer, tokenKey *cose.Key, types []*schemas.Type) (*issuer.Desk, error) {
	signer, key, err := o.currentSigner(keystore.Card)
	if err != nil {
		return nil, err
	}
	listed, err := o.listed()
	if err != nil {
		return nil, err
	}
	check, err := newSelfCheck(o.entry, key, tokenKey, types, replacedBy(listed), a.now)
	if err != nil {
		return nil, err
	}
	return &issuer.Desk{
		Issuer: o.entry.ID, Signer: signer, Store: o.store, Log: o.store, Actor: a.actor(access.Issuer), Check: check.card,
		Tokens: tokens, CheckToken: check.token,
		MayReplace: func(f credential.Former, vct, programme string) bool {
			raw, ok := f.Bytes()
			return ok && slices.ContainsFunc(append(countriesOf(listed), o.entry.Country), func(country string) bool {
				_, ok := listed.MayReplace(raw, []byte(vct), []byte(programme), country, a.now())
				return ok
			})
		},
		Lists: issuer.ListPolicy{Prefix: o.entry.StatusPrefixes[0], Size: a.ListSize}, Known: a.knownTime(), Now: a.Now,
	}, nil
}

// mayIssue refuses what no service point would accept, as far as the trust list
// seen here tells.
func (o *org) mayIssue(t *schemas.Type, programme string) error {
	list, err := o.a.keptList()
	if err != nil {
		return err
	}
	if list == nil {
		o.a.say("WARNING: no trust list has been seen here, so nobody knows whether service points will accept these cards")
		o.a.say("hint: name the newest signed list: --trust trust.list")
		return nil
	}
	listed := list.Organisation([]byte(o.entry.ID))
	if listed == nil {
		return usagef("%s is not on trust list %d", o.entry.ID, list.Sequence).
			hint("the keeper of the list adds it: aidpass trust add LIST %s; then issue with --trust LIST", o.a.publicEntry(o.entry.ID))
	}
	var in []byte
	if t.ProgrammeClaim != "" {
		in = []byte(programme)
	}
	for _, country := range append(countriesOf(listed), o.entry.Country) {
		if listed.MayIssue([]byte(t.VCT), in, country, o.a.now()) {
			return nil
		}
	}
	return usagef("trust list %d does not let %s issue %s in programme %s", list.Sequence, o.entry.ID, t.Name, programme).
		hint("the keeper of the list grants it: aidpass trust grant LIST --org %s --type %s --programme %s; then issue with --trust LIST", o.entry.ID, t.Name, programme)
}

func countriesOf(o *trust.Organisation) (all []string) {
	if o == nil {
		return nil
	}
	for _, g := range o.Grants {
		all = append(all, g.Countries...)
	}
	return all
}

// knownTime is the newest time that somebody else has signed: the issue time of
// the trust list last seen here, zero when none was.
func (a *app) knownTime() credential.Time {
	list, err := a.keptList()
	if list == nil || err != nil {
		return 0
	}
	return list.Issued
}

// plausibleClock refuses to sign at a time that cannot be right, unless a second
// person has confirmed it.
func (o *org) plausibleClock(ctx context.Context) error {
	a := o.a
	signed, err := o.store.KnownTime(ctx)
	if err != nil {
		return err
	}
	// A publication may be dated a little ahead of the clock, one a second.
	if signed > 0 {
		signed = max(signed-10*60, 1)
	}
	err = trust.CheckSigningTime(a.now(), max(a.knownTime(), signed))
	if err == nil {
		return nil
	}
	if a.SecondPerson != "" && !a.isEarly(err) {
		a.say("warning: %v; %s has confirmed it", err, a.SecondPerson)
		return nil
	}
	return usagef("%w", err).hint("set the clock; if it is right, a second person confirms: --second-person ACCOUNT")
}

// isEarly: a clock before something that was signed is wrong whoever confirms it.
func (a *app) isEarly(err error) bool {
	var t *trust.TimeError
	return errors.As(err, &t) && t.Early
}
