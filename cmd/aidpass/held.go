package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/issuer"
	"aidpass/status"
)

// A heldItem is what its holder has as one thing: a card on paper, or all that one
// wallet fetched of a place.
type heldItem struct {
	cards []issuer.Card // not empty; all of one type, place and state
	slip  bool          // the paper is a slip
}

// fetchTime is how long a wallet may take to fetch what one offer gives, in seconds:
// the token's life and what was deferred. What came later is another wallet's, or the
// same one's of another offer.
const fetchTime = 10 * 60

// holdings puts cards together as their holders have them, in the order of issue.
func (o *org) holdings(ctx context.Context, cards []issuer.Card) ([]heldItem, error) {
	cards = slices.Clone(cards)
	slices.SortStableFunc(cards, func(x, y issuer.Card) int { return int(x.IssuedAt - y.IssuedAt) })
	var slips map[string]bool // by print job
	var list []heldItem
	for i := range cards {
		c := &cards[i]
		if c.Form != credential.FormCWT {
			mine := len(list) - 1 // the newest that it fits: one wallet has the place at a time
			for mine >= 0 && !list[mine].takes(c) {
				mine--
			}
			if mine >= 0 {
				list[mine].cards = append(list[mine].cards, *c)
				continue
			}
		}
		if c.PrintJob != "" && slips == nil {
			jobs, err := o.store.PrintJobs(ctx, "")
			if err != nil {
				return nil, err
			}
			slips = map[string]bool{}
			for _, j := range jobs {
				paper, _, _ := strings.Cut(j.Layout, " ")
				slips[j.ID] = paper == "a6" || strings.HasPrefix(paper, "58") || strings.HasPrefix(paper, "80")
			}
		}
		list = append(list, heldItem{[]issuer.Card{*c}, slips[c.PrintJob]})
	}
	return list, nil
}

// takes reports whether a wallet's credential is one more of those that h's wallet
// fetched. Each of them has a number of its own in its form: one that comes a second time
// is of the wallet that took the place.
func (h *heldItem) takes(c *issuer.Card) bool {
	f := &h.cards[0]
	return f.Form != credential.FormCWT && f.Unit == c.Unit && f.Type == c.Type && placeOf(f) == placeOf(c) && stateOf(f) == stateOf(c) && c.IssuedAt-f.IssuedAt <= fetchTime &&
		!slices.ContainsFunc(h.cards, func(have issuer.Card) bool { return have.Form == c.Form && have.Copy == c.Copy })
}

// stateOf is what stands against a credential, "" for nothing.
func stateOf(c *issuer.Card) string {
	switch {
	case c.Status == status.Invalid:
		return "revoked"
	case c.Status == status.Suspended:
		return "on hold"
	case c.Ended:
		return "ended"
	}
	return ""
}

// medium says what it is on: paper, slip, pre-numbered card or wallet; of a wallet how
// many one-time copies and live cards.
func (h *heldItem) medium() string {
	c := &h.cards[0]
	switch {
	case c.Form == credential.FormCWT && c.BlankLot != "":
		return "pre-numbered card"
	case c.Form == credential.FormCWT && h.slip:
		return "slip"
	case c.Form == credential.FormCWT:
		return "paper"
	}
	live := 0
	for i := range h.cards {
		if h.cards[i].Form == credential.FormBound {
			live++
		}
	}
	parts := []string{"wallet"}
	if copies := len(h.cards) - live; copies > 0 {
		parts = append(parts, plural(copies, "one-time copy", "one-time copies"))
	}
	if live > 0 {
		parts = append(parts, plural(live, "live card", "live cards"))
	}
	return strings.Join(parts, ", ")
}

// line tells a holding as a clerk reads it.
func (h *heldItem) line() string {
	c := &h.cards[0]
	what := c.Type
	if place := placeOf(c); place != what {
		what += " " + place
	}
	text := fmt.Sprintf("%s %s, %s", cwt.GroupCardNumber(c.CardNumber), strings.TrimSpace(what), h.medium())
	state := stateOf(c)
	if state == "" && c.Form == credential.FormCWT {
		state = strings.ReplaceAll(string(c.Paper), "_", " ")
	}
	if state != "" {
		text += ", " + state
	}
	if c.IssuedAt == 0 {
		return text + ", not signed yet"
	}
	return fmt.Sprintf("%s, since %s, until %s", text, c.IssuedAt, c.ExpiresAt)
}

// choose is which of several cards of one name an act is for.
func choose(found []issuer.Credential, only string) []issuer.Credential {
	if only == "" {
		return found
	}
	return slices.DeleteFunc(slices.Clone(found), func(c issuer.Credential) bool { return (c.Form == credential.FormCWT) != (only == "paper") })
}

// heldAs are the holdings of credentials.
func (o *org) heldAs(ctx context.Context, list []issuer.Credential) ([]heldItem, error) {
	if len(list) == 0 {
		return nil, nil
	}
	var ids []issuer.CTI
	for i := range list {
		ids = append(ids, list[i].ID)
	}
	cards, err := o.store.Cards(ctx, issuer.Selection{IDs: ids})
	if err != nil {
		return nil, err
	}
	return o.holdings(ctx, cards)
}

// several says what one name means, where nobody chose.
func several(name string, list []heldItem, only string) error {
	credentials := 0
	phone, paper := false, false
	for i := range list {
		credentials += len(list[i].cards)
		token := list[i].cards[0].Form != credential.FormCWT
		phone, paper = phone || token, paper || !token
	}
	e := usagef("%s means %d cards", name, len(list))
	if credentials != len(list) {
		e = usagef("%s means %d cards and wallets, %d credentials", name, len(list), credentials)
	}
	for i := range list {
		which := ""
		if len(list[i].cards) == 1 {
			which = list[i].cards[0].ID.String() + " is "
		}
		e = e.hint("%s%s", which, list[i].line())
	}
	if phone && paper && only == "" {
		return e.hint("--only wallet, --only paper, or --all for everything")
	}
	return e.hint("name one by its identity, the first 14 characters here; or --all")
}
