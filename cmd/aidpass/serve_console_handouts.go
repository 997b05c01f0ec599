package main

import (
	"context"
	"errors"
	"slices"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/web/console"
)

// consoleHandouts is console.HandoutsDesk on the database.
type consoleHandouts struct{ consolePrints }

// Batch implements console.HandoutsDesk.
func (d consoleHandouts) Batch(ctx context.Context, org, id string) (issuer.Selection, error) {
	if err := d.ours(org); err != nil {
		return issuer.Selection{}, err
	}
	return d.batch(ctx, id)
}

// HandOut implements console.HandoutsDesk. Of a batch the print jobs follow each other as
// they were printed, and in each the cards as they lie on the paper.
func (d consoleHandouts) HandOut(ctx context.Context, org string, by access.Actor, job, batch, reason string) ([]console.HandRow, error) {
	if err := d.ours(org); err != nil {
		return nil, err
	}
	sel, object := issuer.Selection{PrintJob: job}, job
	if job == "" {
		var err error
		if sel, err = d.batch(ctx, batch); err != nil {
			return nil, err
		}
		object = batch
	}
	cards, err := d.o.store.Cards(ctx, sel)
	if err != nil {
		return nil, err
	}
	cards = slices.DeleteFunc(cards, func(c issuer.Card) bool { return c.Form != credential.FormCWT })
	if cards, err = d.asPrinted(ctx, cards); err != nil {
		return nil, err
	}
	units := make([]registry.ID, len(cards))
	for i := range cards {
		units[i] = cards[i].Unit
	}
	desk := &records.Desk{Store: d.o.store, Country: d.o.entry.Country, Now: d.a.Now}
	if err := d.door.Spend(ctx, by, access.BatchHandOut, 1, access.HandOuts); err != nil {
		return nil, err
	}
	holders, err := desk.Holders(ctx, by, access.Entry{Action: "batch.handout", Object: object, Reason: reason}, units)
	if err != nil {
		return nil, errors.Join(err, d.door.Unspend(context.WithoutCancel(ctx), by, access.BatchHandOut, 1))
	}
	rows := make([]console.HandRow, len(cards))
	for i := range cards {
		rows[i] = console.HandRow{Card: cards[i], Holder: holders[i]}
	}
	return rows, nil
}

// asPrinted puts cards in the order of the paper; what is on none comes last, by number.
func (d consoleHandouts) asPrinted(ctx context.Context, cards []issuer.Card) (list []issuer.Card, err error) {
	left := map[issuer.CTI]issuer.Card{}
	var jobs []issuer.PrintJob
	for _, c := range cards {
		left[c.ID] = c
		if c.PrintJob == "" || slices.ContainsFunc(jobs, func(j issuer.PrintJob) bool { return j.ID == c.PrintJob }) {
			continue
		}
		found, err := d.o.store.PrintJobs(ctx, c.PrintJob)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, found...)
	}
	slices.SortStableFunc(jobs, func(a, b issuer.PrintJob) int { return a.At.Compare(b.At) })
	for _, j := range jobs {
		for _, id := range j.Cards {
			if c, ok := left[id]; ok {
				list = append(list, c)
				delete(left, id)
			}
		}
	}
	for _, c := range cards {
		if _, ok := left[c.ID]; ok {
			list = append(list, c)
		}
	}
	return list, nil
}
