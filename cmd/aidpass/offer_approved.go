package main

import (
	"context"
	"errors"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/web/console"
)

var errNotApprovedFor = errors.New("nothing is due to this unit in a round of which a second account approved a batch")

// approvedFor is errNotApprovedFor for a unit that nobody but who makes the offer means to
// get something: what a wallet takes up is signed, as a card is, and a card has a second
// account behind it. Such are those to whom something is due in the round, once a batch of
// it was approved that is of whom something is due to, or of everybody; and those who have
// a card of the place.
func (o *org) approvedFor(ctx context.Context, unit issuer.UnitID, typeName, programme string, round uint64) error {
	if round > 0 {
		var due registry.Entitlement
		err := o.store.View(ctx, func(v registry.View) (err error) {
			due, err = v.Entitlement(unit, programme, round)
			return err
		})
		if errors.Is(err, registry.ErrNotFound) || err == nil && due.Status != registry.Planned && due.Status != registry.Granted {
			return errNotApprovedFor
		}
		if err != nil {
			return err
		}
	}
	batches, err := o.store.Proposals(ctx)
	if err != nil {
		return err
	}
	for _, b := range batches {
		approved := b.State == issuer.Approved || b.State == issuer.Issuing || b.State == issuer.Done
		if approved && b.Type == typeName && b.Programme == programme && b.Round == round && (b.All || b.Import == "" && b.Round > 0) {
			return nil
		}
	}
	cards, err := o.store.Cards(ctx, issuer.Selection{Units: []issuer.UnitID{unit}})
	if err != nil {
		return err
	}
	for i := range cards {
		if c := &cards[i]; c.Type == typeName && c.Programme == programme && c.Form == credential.FormCWT && c.Round <= round && round <= c.LastRound && !c.Ended {
			return nil
		}
	}
	return errNotApprovedFor
}

// approvedOffer holds an offer of the command line to what the desk holds its own to. Where
// the organisation has no accounts there is no desk that could approve, and it says so; where
// a second person answers for the offer by name, that stands in the log. Else it counts among
// those that one makes alone on a day; giveBack is for one that was not made.
func (f *offerFlags) approvedOffer(ctx context.Context, a *app, o *org, unit issuer.UnitID) (giveBack func() error, err error) {
	nothing := func() error { return nil }
	staff := false
	err = o.store.ReadAccess(ctx, func(v access.View) error {
		all, err := v.Accounts()
		staff = len(all) > 0
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case !staff:
		a.say("note: this organisation has no accounts: nobody but %s stands behind this offer", a.Actor)
		return nothing, nil
	case a.SecondPerson != "":
		return nothing, nil
	}
	if err = o.approvedFor(ctx, unit, f.typeName, f.programme, f.round); errors.Is(err, errNotApprovedFor) {
		return nil, usagef("%w", err).hint("plan what is due, and have a batch of the round approved at the desk; or a second person answers for it: --second-person ACCOUNT")
	}
	if err != nil {
		return nil, err
	}
	// Whoever is named there was asked for no password: all count as one.
	who := access.Actor{ID: "laptop", Role: access.Issuer}
	order := console.OfferOrder{Type: f.typeName, Programme: f.programme, Round: f.round, NoCode: f.noCode, Life: f.life}
	_, giveBack, err = a.spendOffer(ctx, &access.Door{Store: o.store, Now: a.Now}, who, order.More(unit))
	if errors.Is(err, issuer.ErrSecondPerson) {
		return nil, usagef("as many offers were made here today as one makes alone: %w", err).
			hint("a second person answers for it: --second-person ACCOUNT; or make it at the desk, where a second account sees for whom it is")
	}
	return giveBack, err
}
