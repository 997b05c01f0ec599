package wallet

import (
	"slices"
	"strings"
)

// renewedBy is the id of the card here that c gives new copies of, and none of others
// does; "" for none.
func (w *Wallet) renewedBy(c *Card, replaces string, others []*Card) string {
	counted := c.countedUnder()
	for _, old := range w.Cards {
		if slices.ContainsFunc(others, func(o *Card) bool { return o.ID == old.ID || o.Replaces == old.ID }) {
			continue
		}
		if old.Type != c.Type || old.Issuer != c.Issuer || old.Source != c.Source {
			continue
		}
		was := old.countedUnder()
		if was != "" && was == counted || old.ID == replaces && (was == "" || counted == "") {
			return old.ID
		}
	}
	return ""
}

// ledgerClaim is what collections are counted under (schemas.LedgerClaim).
const ledgerClaim = "ledger_id"

// countedUnder is the pseudonym in it, without whom the card stands for: that may
// become known with the next copies.
func (c *Card) countedUnder() string {
	name, _, _ := strings.Cut(c.Claims().Get(ledgerClaim).Text, ".")
	return name
}

// replace puts c in the place of old, whose id stays. What waits for that place and is
// before the first n cards' end came earlier: the issuer cancelled it.
func (w *Wallet) replace(old, c *Card, n int) {
	id, was := old.ID, c.ID
	earlier := w.Cards[:n:n]
	w.Cards = slices.Concat(slices.DeleteFunc(slices.Clone(earlier), func(o *Card) bool { return o.Replaces == id }), w.Cards[n:])
	*old = *c
	old.ID, old.Replaces = id, ""
	if was == id {
		return
	}
	w.Cards = slices.DeleteFunc(w.Cards, func(o *Card) bool { return o == c })
	for _, o := range w.Cards {
		if o.Replaces == was {
			o.Replaces = id
		}
	}
	for _, e := range w.Log {
		if i := slices.Index(e.Cards, was); i >= 0 {
			e.Cards[i] = id
		}
	}
}

// Renewed is to be called once a card that came without proof was proved: it takes the
// place of the one that it gives new copies of, if there is one, and whose keys nobody
// needs any more. It returns the card that c is now.
func (w *Wallet) Renewed(c *Card) *Card {
	n := slices.Index(w.Cards, c)
	if n < 0 || c.Unproved() {
		return c
	}
	old := w.Find(w.renewedBy(c, c.Replaces, []*Card{{ID: c.ID}}))
	if c.Replaces = ""; old == nil || old.Added > c.Added {
		return c
	}
	w.replace(old, c, n)
	return old
}
