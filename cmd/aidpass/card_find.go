package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/credential/qr"
	"aidpass/internal/cose"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/storage/keystore"
)

// cardsCalled returns the cards that an argument may mean: of a unit's number all
// of its programme, newest last.
func (o *org) cardsCalled(ctx context.Context, arg string) ([]issuer.Card, error) {
	var ids []issuer.CTI
	err := o.a.readCodes(ctx, arg, func(c code) error {
		if id, ok := o.readOwn(c.text); ok {
			ids = append(ids, id)
			return nil
		}
		if c.source != "" {
			return usagef("%s: no card of this organisation is on it", c.source).hint("take the picture again, or type the number")
		}
		more, err := o.cardsNamed(ctx, c.text)
		if err != nil {
			return err
		}
		ids = append(ids, more...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, usagef("%w", issuer.ErrNotFound).hint("the number printed on the card, its identity (14 characters), the text of its code, or a picture")
	}
	found, err := o.store.Cards(ctx, issuer.Selection{IDs: ids})
	slices.SortFunc(found, func(x, y issuer.Card) int { return int(x.IssuedAt - y.IssuedAt) })
	return found, err
}

// cardsNamed are those that a text may name: an identity, a number on a card or in a list,
// a record. An identity means that card alone, a card number no other number.
func (o *org) cardsNamed(ctx context.Context, text string) (ids []issuer.CTI, err error) {
	found, err := o.store.FindCredentials(ctx, text)
	exact := slices.IndexFunc(found, func(f issuer.Credential) bool { return f.ID.String() == text })
	number, _ := cwt.CheckCardNumber(text)
	for i, f := range found {
		if exact == i || exact < 0 && (number == "" || f.CardNumber == number) {
			ids = append(ids, f.ID)
		}
	}
	return ids, err
}

// listNumber is the number that somebody has in the list they came from: nothing
// where the list had none, and they are known by their names (roster.Mapping.Key).
func listNumber(external string) string {
	if strings.Contains(external, "\x1f") {
		return ""
	}
	return external
}

// listNumbers are those of the units of cards.
func (o *org) listNumbers(ctx context.Context, cards []issuer.Card) (map[issuer.UnitID]string, error) {
	numbers := map[issuer.UnitID]string{}
	err := o.store.View(ctx, func(v registry.View) error {
		for i := range cards {
			unit := cards[i].Unit
			if _, known := numbers[unit]; known || cards[i].Kind != issuer.Person && cards[i].Kind != issuer.Household {
				continue
			}
			rec, err := v.Record(unit)
			if absent(err) != nil {
				return err
			}
			numbers[unit] = listNumber(rec.External)
		}
		return nil
	})
	return numbers, err
}

// oneCard returns the one card an argument means: of several the one that is not
// at its end.
func (o *org) oneCard(ctx context.Context, arg string, active bool) (issuer.Card, error) {
	found, err := o.cardsCalled(ctx, arg)
	if err != nil {
		return issuer.Card{}, err
	}
	return oneOf(found, active)
}

// oneOf is oneCard for the cards that were found, oldest first.
func oneOf(found []issuer.Card, active bool) (issuer.Card, error) {
	if len(found) == 1 {
		return found[0], nil
	}
	living := slices.DeleteFunc(slices.Clone(found), func(c issuer.Card) bool { return c.Ended })
	switch {
	case len(living) == 1:
		return living[0], nil
	case len(living) == 0 && !active:
		return found[len(found)-1], nil // the newest
	case len(living) == 0:
		living = found
	}
	var which []string
	for i := range living {
		which = append(which, fmt.Sprintf("%s (%s %s)", living[i].ID, living[i].Type, placeOf(&living[i])))
	}
	return issuer.Card{}, usagef("that means %d cards", len(living)).hint("name one of %s", strings.Join(which, ", "))
}

// readOwn returns the identity of a card whose QR text this organisation signed.
func (o *org) readOwn(text string) (id issuer.CTI, ok bool) {
	c := o.openOwn(text)
	if c == nil || len(c.ID) != len(id) {
		return id, false
	}
	return issuer.CTI(c.ID), true
}

// openOwn opens a card whose QR text this organisation signed; nil: it did not.
func (o *org) openOwn(text string) *credential.Credential {
	var s qr.Scratch
	raw, err := s.Decode(text)
	if err != nil {
		return nil
	}
	e, err := cwt.Parse(raw)
	if err != nil {
		return nil
	}
	find, err := o.cardKeys()
	if err != nil {
		return nil
	}
	key := find(e.KeyID)
	if key == nil {
		return nil
	}
	c, err := cwt.OpenCard(&e, key, nil)
	if err != nil {
		return nil
	}
	return &c
}

// cardKeys finds the organisation's card keys, past ones too.
func (o *orgKeys) cardKeys() (func(kid []byte) *cose.Key, error) {
	infos, err := o.store.List()
	if err != nil {
		return nil, err
	}
	return func(kid []byte) *cose.Key {
		for i := range infos {
			if infos[i].Use == keystore.Card && infos[i].Key != nil && infos[i].ID == hex.EncodeToString(kid) {
				return infos[i].Key
			}
		}
		return nil
	}, nil
}
