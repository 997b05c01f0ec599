package issuer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"aidpass/credential"
	"aidpass/status"
)

// BulkLimit is how many cards one person may change at once: above it an act needs
// a second person, and cards are suspended before they are revoked.
const BulkLimit = 20

// atOnce are the reasons for which many cards are revoked without being suspended
// first: they are in wrong hands already.
var atOnce = []string{"stolen", "lost", "compromised"}

// AtOnce reports whether many cards are revoked for this reason without being
// suspended first.
func AtOnce(reason string) bool { return slices.Contains(atOnce, reason) }

// A BulkPlan is the dry run of one change of status for many cards.
type BulkPlan struct {
	To         status.Value // Invalid: revoke; Suspended; Valid: end a suspension
	Total      int          // cards looked at
	Can        []CTI        // that will be changed
	Already    int          // are so
	Cannot     []BulkReason // will not be changed, by number
	HandedOver int          // of Can: in somebody's hands
	Active     int          // of Can: not suspended yet
}

// A BulkReason says why some cards cannot be changed.
type BulkReason struct {
	Why   string `json:"why"`
	Count int    `json:"count"`
	Lack  Lack   `json:"lack"` // of a batch: the same as codes; zero elsewhere
}

// Why a card's status cannot become another one: each a BulkReason's Why.
const (
	CannotUnsigned = "it was never signed"
	CannotRevoked  = "it is revoked, which is final"
	CannotExpired  = "it has expired"
	CannotUnbound  = "nobody is bound to it: bind it"
	CannotHanded   = "it was handed over" // and those stay as they are
)

// PlanBulk looks at cards before a change of their status to v. keepHandedOver
// leaves those out that are in somebody's hands.
func PlanBulk(cards []Card, v status.Value, keepHandedOver bool, now credential.Time) BulkPlan {
	p := BulkPlan{To: v, Total: len(cards)}
	count := map[string]int{}
	for i := range cards {
		c := &cards[i]
		why := c.cannotBe(v, now)
		switch {
		case c.Status == v:
			p.Already++
			continue
		case why == "" && keepHandedOver && c.Paper == CardHandedOver:
			why = CannotHanded
		}
		if why != "" {
			count[why]++
			continue
		}
		p.Can = append(p.Can, c.ID)
		if c.Paper == CardHandedOver {
			p.HandedOver++
		}
		if c.Status == status.Valid {
			p.Active++
		}
	}
	for why, n := range count {
		p.Cannot = append(p.Cannot, BulkReason{Why: why, Count: n})
	}
	slices.SortFunc(p.Cannot, func(a, b BulkReason) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(a.Why, b.Why)
	})
	return p
}

// cannotBe says why a card's status cannot become v, "" when it can.
func (c *Card) cannotBe(v status.Value, now credential.Time) string {
	switch {
	case c.State == Released || c.State == Reserved:
		return CannotUnsigned
	case c.Status == status.Invalid:
		return CannotRevoked
	case c.ExpiresAt <= now:
		return CannotExpired
	case v == status.Valid && c.Kind == Blank:
		return CannotUnbound
	}
	return ""
}

// Errors of Bulk.
var (
	ErrConfirm      = errors.New("issuer: the number confirmed is not the number of cards")
	ErrSuspendFirst = errors.New("issuer: so many cards are suspended first, which can be taken back, and revoked then")
)

// Bulk carries a plan out, all of it or nothing, in one transaction. confirmed is
// the number that a person typed: len(p.Can). More than BulkLimit cards need a
// second person; to revoke so many they are suspended first, except for the
// reasons stolen, lost and compromised.
func (d *Desk) Bulk(ctx context.Context, p BulkPlan, reason string, confirmed int) error {
	many := len(p.Can) > BulkLimit
	switch {
	case confirmed != len(p.Can):
		return fmt.Errorf("%w: %d typed, %d to be changed", ErrConfirm, confirmed, len(p.Can))
	case len(p.Can) == 0:
		return nil
	case many && d.Actor.SecondPerson == "":
		return fmt.Errorf("%d cards at once: %w", len(p.Can), ErrSecondPerson)
	case many && p.To == status.Invalid && p.Active > 0 && !AtOnce(reason):
		return fmt.Errorf("%w: %d of %d are not", ErrSuspendFirst, p.Active, len(p.Can))
	}
	return d.setStatus(ctx, p.Can, p.To, reason)
}
