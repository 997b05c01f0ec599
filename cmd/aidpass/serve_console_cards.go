package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/internal/qrcode"
	"aidpass/issuer"
	"aidpass/issuer/offer"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/schemas"
	"aidpass/web/console"
)

// consoleCards is console.CardsDesk and OffersDesk on the database.
type consoleCards struct{ consoleIssuing }

// Find implements console.CardsDesk.
func (d consoleCards) Find(ctx context.Context, org string, by access.Actor, text string) ([]console.FoundCard, error) {
	if err := d.ours(org); err != nil {
		return nil, err
	}
	if id, ok := d.o.readOwn(text); ok {
		return d.found(ctx, by, issuer.Selection{IDs: []issuer.CTI{id}})
	}
	ids, err := d.o.cardsNamed(ctx, text)
	if err != nil {
		return nil, err
	}
	if len(ids) > 0 {
		return d.found(ctx, by, issuer.Selection{IDs: ids})
	}
	if len(registry.NameKeys(text)) == 0 {
		return nil, nil
	}
	people, err := d.registry(by).FindNames(ctx, text, 0)
	if err != nil || len(people.Matches) == 0 {
		return nil, err
	}
	var units []issuer.UnitID
	for _, m := range people.Matches {
		if units = append(units, m.Record.ID); m.Record.Household != (registry.ID{}) {
			units = append(units, m.Record.Household)
		}
	}
	return d.found(ctx, by, issuer.Selection{Units: units})
}

// found lists cards, the newest first, and notes whose they are.
func (d consoleCards) found(ctx context.Context, by access.Actor, s issuer.Selection) (list []console.FoundCard, err error) {
	cards, err := d.o.store.Cards(ctx, s)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(cards, func(a, b issuer.Card) int { return int(b.IssuedAt - a.IssuedAt) })
	cards = cards[:min(len(cards), registry.MostFound)]
	numbers, err := d.o.listNumbers(ctx, cards)
	if err != nil {
		return nil, err
	}
	about := map[registry.ID]bool{}
	for _, c := range cards {
		list = append(list, console.FoundCard{Card: c, External: numbers[c.Unit]})
		if c.Kind == issuer.Person || c.Kind == issuer.Household {
			about[c.Unit] = true
		}
	}
	ids := slices.SortedFunc(maps.Keys(about), func(a, b registry.ID) int { return slices.Compare(a[:], b[:]) })
	desk := records.Desk{Store: d.o.store, Country: d.o.entry.Country, Now: d.a.Now}
	lines, err := desk.Lines(ctx, by, access.Entry{Action: "card.find", Object: "card"}, ids)
	for i, c := range list {
		if at := slices.Index(ids, c.Unit); err == nil && at >= 0 {
			list[i].Holder = lines[at]
		}
	}
	return list, err
}

// Picture implements console.CardsDesk.
func (d consoleCards) Picture(ctx context.Context, org string, by access.Actor, picture io.Reader) ([]console.FoundCard, error) {
	if err := d.ours(org); err != nil {
		return nil, err
	}
	texts, err := qrcode.ReadImage(picture)
	if err != nil {
		return nil, console.ErrUnread // whatever is wrong with it: another one is taken
	}
	var ids []issuer.CTI
	for _, text := range texts {
		if id, ok := d.o.readOwn(text); ok {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, console.ErrUnread
	}
	return d.found(ctx, by, issuer.Selection{IDs: ids})
}

// Card implements console.CardsDesk.
func (d consoleCards) Card(ctx context.Context, org string, by access.Actor, text string) (c console.FoundCard, events []issuer.CardEvent, err error) {
	id, err := issuer.ParseCTI(text)
	if err != nil || d.ours(org) != nil {
		return c, nil, issuer.ErrNotFound
	}
	list, err := d.found(ctx, by, issuer.Selection{IDs: []issuer.CTI{id}})
	if err == nil && len(list) != 1 {
		err = issuer.ErrNotFound
	}
	if err != nil {
		return c, nil, err
	}
	events, err = d.o.store.CardHistory(ctx, id)
	return list[0], events, err
}

// Worth implements console.CardsDesk.
func (d consoleCards) Worth(ctx context.Context, org, text string) ([]issuer.StatusEvent, error) {
	id, err := issuer.ParseCTI(text)
	if err != nil || d.ours(org) != nil {
		return nil, issuer.ErrNotFound
	}
	return d.o.store.StatusHistory(ctx, id)
}

// Select implements console.CardsDesk.
func (d consoleCards) Select(ctx context.Context, org string, s issuer.Selection) ([]issuer.Card, error) {
	if err := d.ours(org); err != nil {
		return nil, err
	}
	return d.o.store.Cards(ctx, s)
}

// Batch implements console.CardsDesk.
func (d consoleCards) Batch(ctx context.Context, org, id string) (issuer.Selection, error) {
	if err := d.ours(org); err != nil {
		return issuer.Selection{}, err
	}
	return d.batch(ctx, id)
}

// Set implements console.CardsDesk.
func (d consoleCards) Set(ctx context.Context, org string, by access.Actor, p issuer.BulkPlan, reason string) error {
	if err := d.ours(org); err != nil {
		return err
	}
	// What one account does alone in a day counts together: in small steps it would be as many.
	n := len(p.Can)
	if err := d.door.Spend(ctx, by, access.CardMany, n, issuer.BulkLimit); errors.Is(err, access.ErrSpent) {
		return issuer.ErrSecondPerson
	} else if err != nil {
		return err
	}
	err := d.plainDesk(by).Bulk(ctx, p, reason, n)
	if err != nil {
		err = errors.Join(err, d.door.Unspend(context.WithoutCancel(ctx), by, access.CardMany, n))
	}
	return err
}

// Replaced implements console.CardsDesk.
func (d consoleCards) Replaced(ctx context.Context, org, text, reason string) (bool, error) {
	id, err := issuer.ParseCTI(text)
	if err != nil || d.ours(org) != nil {
		return false, issuer.ErrNotFound
	}
	cards, err := d.o.store.Cards(ctx, issuer.Selection{IDs: []issuer.CTI{id}})
	if err != nil || len(cards) != 1 {
		return false, err
	}
	_, err = d.successor(ctx, &cards[0], reason)
	if errors.Is(err, issuer.ErrFinal) {
		return false, nil
	}
	return err == nil, err
}

// Kin implements console.CardsDesk.
func (d consoleCards) Kin(ctx context.Context, org, text string) (before, after *issuer.Card, err error) {
	id, err := issuer.ParseCTI(text)
	if err != nil || d.ours(org) != nil {
		return nil, nil, issuer.ErrNotFound
	}
	this, err := d.o.store.Cards(ctx, issuer.Selection{IDs: []issuer.CTI{id}})
	if err != nil || len(this) != 1 {
		return nil, nil, err
	}
	all, err := d.o.store.Cards(ctx, issuer.Selection{Units: []issuer.UnitID{this[0].Unit}})
	if err != nil {
		return nil, nil, err
	}
	was, _, made, err := d.o.store.Replacement(ctx, id)
	for i := range all {
		c := &all[i]
		if err != nil {
			break
		}
		if made && c.ID == was {
			before = c
		}
		var old issuer.CTI
		var ok bool
		if old, _, ok, err = d.o.store.Replacement(ctx, c.ID); ok && old == id {
			after = c
		}
	}
	return before, after, err
}

// Replace implements console.CardsDesk, as aidpass card replace does it.
func (d consoleCards) Replace(ctx context.Context, org string, by access.Actor, text, reason string) (made issuer.Credential, err error) {
	found, _, err := d.Card(ctx, org, by, text)
	if err != nil {
		return made, err
	}
	card := &found.Card
	if reason != issuer.ReasonSpoiled && by.SecondPerson == "" {
		return made, issuer.ErrSecondPerson
	}
	if card.Ended { // the same again, after a stop
		return d.successor(ctx, card, reason)
	}
	t := schemas.ByName(card.Type)
	if t == nil || t.VCT != card.VCT || card.Kind == issuer.Blank || card.Form != credential.FormCWT {
		return made, issuer.ErrNoCard
	}
	if err := d.allowed(ctx, t, card.Programme); err != nil {
		return made, err
	}
	desk, err := d.signing(by, t)
	if err != nil {
		return made, err
	}
	d.packs.mu.Lock()
	run := &issueRun{app: d.a, f: issueFlags{form: "card", unit: "person"}, o: d.o}
	b, hadPIN, err := run.replacement(ctx, t, card, reason)
	d.packs.mu.Unlock()
	switch {
	case hadPIN:
		return made, console.ErrPIN
	case err != nil:
		return made, err
	}
	digest, err := b.Digest()
	if err != nil {
		return made, err
	}
	if err := d.door.Spend(ctx, by, access.CardReplace, 1, issuer.BulkLimit); errors.Is(err, access.ErrSpent) {
		return made, issuer.ErrSecondPerson
	} else if err != nil {
		return made, err
	}
	b.Approval = issuer.Approval{By: by.ID, Digest: digest}
	if by.SecondPerson != "" {
		b.Approval.By = by.SecondPerson
	}
	err = desk.Replace(ctx, b, func(r issuer.Result) error {
		if r.Refusal != nil {
			return console.Held(r.Refusal.Text, issuer.Lack{Code: r.Refusal.Code})
		}
		made = r.Credential
		return nil
	})
	if err != nil {
		err = errors.Join(err, d.door.Unspend(context.WithoutCancel(ctx), by, access.CardReplace, 1))
	}
	return made, err
}

// successor is the card that was made in the place of one for a reason.
func (d consoleCards) successor(ctx context.Context, card *issuer.Card, reason string) (made issuer.Credential, err error) {
	all, err := d.o.store.Cards(ctx, issuer.Selection{Units: []issuer.UnitID{card.Unit}})
	for i := range all {
		old, why, ok, err := d.o.store.Replacement(ctx, all[i].ID)
		if err != nil {
			return made, err
		}
		if ok && old == card.ID && why == reason {
			return all[i].Credential, nil
		}
	}
	if err == nil {
		err = issuer.ErrFinal
	}
	return made, err
}

// offers are those under the address by which wallets reach this server.
func (d consoleCards) offers() (*offer.Service, error) {
	if d.f.base == "" || d.desk == nil {
		return nil, console.ErrNoOffers
	}
	return d.a.offersAt(d.o, d.f.base, d.desk.Issue, schemas.Embedded()...), nil
}

// Reached implements console.OffersDesk.
func (d consoleCards) Reached(org string) error {
	if err := d.ours(org); err != nil {
		return err
	}
	_, err := d.offers()
	return err
}

// Offers implements console.OffersDesk.
func (d consoleCards) Offers(ctx context.Context, org string) ([]offer.Offer, error) {
	if err := d.ours(org); err != nil {
		return nil, err
	}
	return d.o.store.Offers(ctx)
}

// Offer implements console.OffersDesk.
func (d consoleCards) Offer(ctx context.Context, org, id string) (offer.Offer, error) {
	if err := d.ours(org); err != nil {
		return offer.Offer{}, err
	}
	return d.o.store.Offer(ctx, id)
}

// Looked implements console.OffersDesk.
func (d consoleCards) Looked(ctx context.Context, org string, by access.Actor, offers []offer.Offer) error {
	if err := d.ours(org); err != nil {
		return err
	}
	e := access.Entry{Action: "offer.read", Detail: fmt.Sprintf("offers=%d", len(offers))}
	if len(offers) == 1 {
		e.Object = offers[0].ID
	}
	var about []registry.ID
	for _, o := range offers {
		if !slices.Contains(about, o.Unit) {
			about = append(about, o.Unit)
		}
	}
	return d.o.store.NoteAbout(ctx, by, e, about)
}

// Make implements console.OffersDesk, as aidpass offer create does it.
func (d consoleCards) Make(ctx context.Context, org string, by access.Actor, o console.OfferOrder) (made console.OfferMade, err error) {
	if err := d.ours(org); err != nil {
		return made, err
	}
	service, err := d.offers()
	if err != nil {
		return made, err
	}
	t := schemas.ByName(o.Type)
	if t == nil || !slices.Contains(d.Types(), o.Type) {
		return made, registry.ErrNotFound
	}
	p, err := d.registry(by).Programme(ctx, o.Programme)
	if err != nil {
		return made, err
	}
	if err := d.o.hasRound(ctx, o.Programme, o.Round); err != nil {
		return made, consoleRefusal(err)
	}
	if err := d.allowed(ctx, t, o.Programme); err != nil {
		return made, err
	}
	policy, err := d.a.qualityPolicy("")
	if err != nil {
		return made, err
	}
	draft := offer.Draft{By: by, Forms: offer.Forms(), NoCode: o.NoCode, Life: o.Life,
		Batch: issuer.Batch{Type: t, Programme: o.Programme, Round: o.Round, Form: credential.FormCWT}}
	if draft.Policy, err = json.Marshal(policy); err != nil {
		return made, err
	}
	ask := issuer.Ask{Type: t, Programme: o.Programme, Round: o.Round, Kind: p.Counts, At: d.a.Now().UTC()}
	run := &issueRun{app: d.a, f: issueFlags{roster: o.List}, o: d.o}
	if ask.Units, err = run.unitsCalled(ctx, []string{o.Unit}, p.Counts); err != nil {
		return made, consoleRefusal(err)
	}
	c, err := candidate(ctx, d.o, policy, ask)
	if err != nil {
		return made, err
	}
	if c.Skipped == "" {
		if err := d.o.approvedFor(ctx, c.Unit, o.Type, o.Programme, o.Round); errors.Is(err, errNotApprovedFor) {
			return made, console.ErrNotDue
		} else if err != nil {
			return made, err
		}
	}
	settled := c.Settle("")
	switch {
	case c.Skipped != "":
		return made, console.Held(c.Why, issuer.Lack{Code: c.Skipped})
	case settled.Refusal != nil:
		return made, console.Held(settled.Refusal.Text, settled.Decision.Lacks...)
	}
	draft.For = settled.Request
	more := o.More(c.Unit)
	by, giveBack, err := d.a.spendOffer(ctx, d.door, by, more)
	if err != nil {
		made.Offer = offer.Offer{Unit: c.Unit, Type: o.Type, Programme: o.Programme, Round: o.Round}
		return made, err
	}
	draft.By = by
	offered, err := service.Create(ctx, draft)
	if err != nil {
		err = errors.Join(err, giveBack())
	}
	var held *offer.Held
	switch {
	case errors.As(err, &held):
		return made, console.Held(offerError(err).Error(), issuer.Lack{Code: held.Code})
	case err != nil:
		return made, err
	}
	return console.OfferMade{Offer: offered.Offer, Link: service.Link(offered), Tx: offered.Tx}, nil
}

// spendOffer counts an offer among those that an account makes alone on a day, and past them
// takes what a second account approved for the same: by then has it. issuer.ErrSecondPerson
// where none did. giveBack is for an offer that was not made.
func (a *app) spendOffer(ctx context.Context, door *access.Door, by access.Actor, more console.OfferMore) (_ access.Actor, giveBack func() error, err error) {
	most, err := a.mostOffers()
	if err != nil {
		return by, nil, err
	}
	back := context.WithoutCancel(ctx)
	err = door.Spend(ctx, by, access.OfferMake, 1, most)
	if !errors.Is(err, access.ErrSpent) {
		return by, func() error { return door.Unspend(back, by, access.OfferMake, 1) }, err
	}
	payload, err := more.Payload()
	if err != nil {
		return by, nil, err
	}
	approved, err := door.TakeApproved(ctx, by, access.OfferMore, payload)
	if errors.Is(err, access.ErrNoApproval) {
		err = issuer.ErrSecondPerson
	}
	alone := by
	by.SecondPerson = approved.Second
	return by, func() error { return door.GiveBack(back, alone, approved) }, err
}

// Whom implements console.OffersDesk.
func (d consoleCards) Whom(ctx context.Context, org string, by access.Actor, unit string) (records.Line, error) {
	id, err := registry.ParseID(unit)
	if err != nil || d.ours(org) != nil {
		return records.Line{}, registry.ErrNotFound
	}
	desk := records.Desk{Store: d.o.store, Country: d.o.entry.Country, Now: d.a.Now}
	lines, err := desk.Lines(ctx, by, access.Entry{Action: "offer.read", Object: "offer"}, []registry.ID{id})
	if err != nil || len(lines) != 1 {
		return records.Line{}, err
	}
	return lines[0], nil
}

// Withdraw implements console.OffersDesk.
func (d consoleCards) Withdraw(ctx context.Context, org string, by access.Actor, id, reason string) error {
	if err := d.ours(org); err != nil {
		return err
	}
	return d.o.store.WithdrawOffer(ctx, by, id, reason)
}
