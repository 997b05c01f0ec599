package access

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrSpent: an account did as much of an act on this day as one may do without a second account.
var ErrSpent = errors.New("access: as much was done today as one account may do alone: a second one has to approve this")

// A Tally is how often something was done on one day of UTC.
type Tally struct {
	What string // of what, and who: "card.many amina"
	Day  int64  // days since 1970-01-01
	N    int
}

// TallyLife is how long tallies are kept after their day.
const TallyLife = 8 * 24 * time.Hour

// day is the day of UTC that a moment is of, as [Tally] counts days.
func day(at time.Time) int64 { return at.Unix() / (24 * 60 * 60) }

// Spend counts n more of act a for the account who on this day of UTC: ErrSpent, and
// nothing counted, where that would make more than most. Nothing is counted for an actor
// with a second person, who approved it. It is called before the act; what then fails is
// given back by [Door.Unspend], and what is not, as after a stop, stays counted.
func (d *Door) Spend(ctx context.Context, who Actor, a Act, n, most int) error {
	switch {
	case n < 0:
		return fmt.Errorf("access: %d of %s cannot be spent", n, a)
	case who.SecondPerson != "" || n == 0:
		return nil
	}
	return d.count(ctx, who, a, n, most)
}

// Unspend gives back what Spend counted for an act that had no effect.
func (d *Door) Unspend(ctx context.Context, who Actor, a Act, n int) error {
	if who.SecondPerson != "" || n == 0 {
		return nil
	}
	return d.count(ctx, who, a, -n, 0)
}

// Spent is how much of act a the account who did alone on this day.
func (d *Door) Spent(ctx context.Context, who Actor, a Act) (n int, err error) {
	err = d.Store.ReadAccess(ctx, func(v View) (err error) {
		n, err = v.Tally(tallyOf(a, who), day(d.now()))
		return err
	})
	return n, err
}

func tallyOf(a Act, who Actor) string {
	id, err := AccountID(who.ID)
	if err != nil {
		id = "?" // all who cannot be told apart share one
	}
	return string(a) + " " + id
}

// count adds n, which may be negative, in one transaction with the look at what is there.
func (d *Door) count(ctx context.Context, who Actor, a Act, n, most int) error {
	if _, ok := RuleOf(a); !ok {
		return fmt.Errorf("%w: %q is no act of the table", ErrNotAllowed, a)
	}
	return d.Store.WriteAccess(ctx, who, func(tx Tx) error {
		t := Tally{What: tallyOf(a, who), Day: day(d.now())}
		was, err := tx.Tally(t.What, t.Day)
		if err != nil {
			return err
		}
		if n > 0 && n > most-was {
			return ErrSpent
		}
		t.N = max(was+n, 0)
		return tx.SaveTally(t)
	})
}

// How much two accounts approve for each other on a day, where the organisation did not
// say, and the most that it can say.
const (
	DefaultPairs = 30
	MaxPairs     = 500
)

// How many offers to wallets one account makes alone on a day, where the organisation did
// not say, and the most that it can say: each is a card for whoever has its link.
const (
	DefaultOffers = 20
	MaxOffers     = 500
)

// PrintsAgain is how many files of prints one account gets again on a day.
const PrintsAgain = 10

// HandOuts is how many lists of whose a sheet is, each with the names of a whole batch, one
// account gets on a day.
const HandOuts = 40

// GiveBack makes an approval good again that TakeApproved used for an act without effect.
func (d *Door) GiveBack(ctx context.Context, who Actor, a Approval) error {
	return d.Store.WriteAccess(ctx, who, func(tx Tx) error { return tx.SaveTally(Tally{What: "used " + a.ID, Day: day(a.Done)}) })
}

// ApprovedFor is how long what a second account approved for later can be done.
const ApprovedFor = 24 * time.Hour

// TakeApproved finds what a second account approved of these bytes for who, at most
// ApprovedFor ago, and uses it up: it is good for one act. ErrNoApproval: there is none.
//
// It is for acts that are done by who asked, after the approval, because what comes of them is
// for her eyes alone.
func (d *Door) TakeApproved(ctx context.Context, who Actor, a Act, payload []byte) (found Approval, err error) {
	hash, since := HashPayload(payload), d.now().Add(-ApprovedFor)
	err = d.Store.WriteAccess(ctx, who, func(tx Tx) error {
		all, err := tx.Approvals()
		if err != nil {
			return err
		}
		for _, x := range all {
			if x.Act != a || x.State != Carried || x.Hash != hash || !SameAccount(x.By, who.ID) || x.Done.Before(since) {
				continue
			}
			t := Tally{What: "used " + x.ID, Day: day(x.Done)}
			if was, err := tx.Tally(t.What, t.Day); err != nil || was > 0 {
				if err != nil {
					return err
				}
				continue
			}
			t.N, found = 1, x
			return tx.SaveTally(t)
		}
		return ErrNoApproval
	})
	return found, err
}

// ErrPair: these two approved for each other all that two do on one day. Another account
// approves it today, or the same one tomorrow.
var ErrPair = errors.New("access: these two accounts approved as much for each other today as two may: another account approves it, or the same tomorrow")

// pairOnce counts one approval of two accounts on this day; THREATS T4.
func (d *Door) pairOnce(tx Tx, most int, a, b string) error {
	t := Tally{What: "pair " + min(a, b) + " " + max(a, b), Day: day(d.now())}
	was, err := tx.Tally(t.What, t.Day)
	if err != nil {
		return err
	}
	if was >= most {
		return ErrPair
	}
	t.N = was + 1
	return tx.SaveTally(t)
}

// pairs is how many that may be.
func (d *Door) pairs(ctx context.Context) (int, error) {
	if d.Pairs == nil {
		return DefaultPairs, nil
	}
	return d.Pairs(ctx)
}
