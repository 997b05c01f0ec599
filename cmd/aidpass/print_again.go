package main

import (
	"context"
	"crypto/sha256"
	"slices"

	"aidpass/issuer"
	"aidpass/issuer/press"
	"aidpass/issuer/print"
)

const wayOutOfPrinted = "aidpass card replace makes a new card and revokes the old one; a file that was lost is written again by the same command"

// jobsTried is how many of the newest jobs of a file are drawn to find the one that is
// asked for again.
const jobsTried = 4

// left are the cards of a file that are still to be printed. A file from which all is
// printed, and that the same command would draw as it was, is drawn again whole: it
// was lost, and stays one job of the print log.
func (r *printRun) left(ctx context.Context, cards []print.Card) ([]print.Card, error) {
	ids := make([]issuer.CTI, len(cards))
	for i := range cards {
		var err error
		if ids[i], err = issuer.ParseCTI(cards[i].ID); err != nil {
			return nil, err
		}
	}
	found, err := r.o.store.Cards(ctx, issuer.Selection{IDs: ids})
	if err != nil {
		return nil, err
	}
	state := make(map[string]*issuer.Card, len(found))
	for i := range found {
		state[found[i].ID.String()] = &found[i]
	}
	var fresh []print.Card
	jobs := map[string]bool{}
	for _, c := range cards {
		s := state[c.ID]
		switch {
		case s == nil || press.StandingOf(s) == press.Fresh:
			fresh = append(fresh, c)
		case press.StandingOf(s) == press.Ended:
			r.revoked++
		default:
			if r.printed++; s.PrintJob != "" {
				jobs[s.PrintJob] = true
			}
		}
	}
	if len(jobs) == 0 {
		if len(fresh) == 0 {
			return nil, r.nothingLeft()
		}
		return fresh, nil
	}
	log, err := r.o.store.PrintJobs(ctx, "") // newest first
	if err != nil {
		return nil, err
	}
	sets := [][]print.Card{cards}
	if len(fresh) == 0 { // a job may have been what was left then
		for _, j := range log {
			if jobs[j.ID] && len(sets) <= jobsTried {
				sets = append(sets, slices.DeleteFunc(slices.Clone(cards), func(c print.Card) bool { return state[c.ID] == nil || state[c.ID].PrintJob != j.ID }))
			}
		}
	}
	for _, set := range sets {
		if again, err := r.again(ctx, set, log); err != nil || again {
			r.printed, r.revoked = len(cards)-len(set), 0
			return set, err
		}
	}
	if len(fresh) == 0 {
		return nil, r.nothingLeft()
	}
	return fresh, nil
}

func (r *printRun) nothingLeft() error {
	return usagef("nothing is left to print: %s", r.leftOut()).hint(wayOutOfPrinted)
}

// leftOut counts them in words.
func (r *printRun) leftOut() string {
	text := ""
	if r.printed > 0 {
		text = plural(r.printed, "card was printed already", "cards were printed already")
	}
	if r.revoked > 0 {
		if text != "" {
			text += ", "
		}
		text += plural(r.revoked, "card is revoked", "cards are revoked")
	}
	return text
}

// again reports whether the files of these cards stand in the print log as they are.
func (r *printRun) again(ctx context.Context, cards []print.Card, log []issuer.PrintJob) (bool, error) {
	drawn := false
	for _, part := range print.Split(cards, r.opt.Paper) {
		file, err := print.Cards(ctx, part, r.opt)
		if err != nil {
			return false, printError(err)
		}
		if len(file.Placed) == 0 {
			continue
		}
		drawn = true
		digest, layout := sha256.Sum256(file.PDF), r.job().Layout()
		if !slices.ContainsFunc(log, func(j issuer.PrintJob) bool { return j.Digest == digest && j.Layout == layout }) {
			return false, nil
		}
	}
	return drawn, nil
}
