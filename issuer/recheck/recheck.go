// Package recheck lists each day a few households and persons, drawn by lot among those who
// are new in the register or have a new card, for somebody to go and see who had no part in
// their record or card (THREATS T3: staff who enrol people that are not there).
//
// The lot is the store's: it hangs on a secret of the organisation, so that nobody who makes
// records can foretell it, and nobody who had a part in one learns that it was drawn. An
// answer changes nothing for the person: "not found" is a question for the auditor.
package recheck

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aidpass/access"
	"aidpass/issuer/insight"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
)

const (
	// Window is how long a record or card is new, and how long what was drawn waits.
	Window = 30 * 24 * time.Hour
	// Kept is how long what was drawn is kept, answered or not.
	Kept = 92 * 24 * time.Hour
	// DefaultNumber are drawn on a day where nobody says another; MaxNumber at most.
	DefaultNumber, MaxNumber = 5, 50
	// MaxReason bounds what is written with an answer, in runes.
	MaxReason = 200
)

// An Answer is what somebody found who went there.
type Answer string

// The answers.
const (
	Seen      Answer = "seen"
	NotFound  Answer = "not-found"
	Different Answer = "different" // somebody is there, and not as the record says
)

// Answers are all of them, as they are offered.
func Answers() []Answer { return []Answer{Seen, NotFound, Different} }

// Errors that callers act on.
var (
	ErrNone     = errors.New("recheck: nothing of that name was drawn for this account")
	ErrAnswered = errors.New("recheck: it was answered already")
	ErrAnswer   = errors.New("recheck: an answer is seen, not-found or different, and has a reason of at most 200 letters in one line")
)

// A Check is a record that was drawn.
type Check struct {
	ID       string
	Unit     registry.ID // a household, or a person of none
	At       time.Time   // when it was drawn
	Maker    string      // account that entered the record
	Parts    []string    // every account that had a part in the record or its cards, Maker too
	Answer   Answer      // empty: nobody was there yet
	Reason   string      // in words; empty in lists
	By       string      // account that answered
	Answered time.Time
}

// Others reports whether an account had no part in what was drawn: only such a one sees it.
func (c *Check) Others(account string) bool {
	own, err := access.AccountID(account)
	return err == nil && !slices.ContainsFunc(c.Parts, func(p string) bool {
		other, err := access.AccountID(p)
		return err == nil && other == own // what is no account's name signs in nowhere
	})
}

// A Store keeps what was drawn.
type Store interface {
	// DrawRechecks draws the lot of today (UTC), once a day: at most n of the households, and
	// persons of none, that came into the register or were issued a card within Window, and
	// were not drawn within it. It forgets what is older than Kept.
	DrawRechecks(ctx context.Context, by access.Actor, n int) error
	// Rechecks are those drawn since a time, oldest first.
	Rechecks(ctx context.Context, since time.Time) ([]Check, error)
	// Recheck is one of them, with its reason, or ErrNone.
	Recheck(ctx context.Context, id string) (Check, error)
	// AnswerRecheck keeps an answer and tells the log. ErrNone where the account had a part in
	// it or the record was erased, ErrAnswered where there is an answer.
	AnswerRecheck(ctx context.Context, by access.Actor, id string, a Answer, reason string) error
}

// drawer draws: nobody's account.
var drawer = access.Actor{ID: "recheck", Role: access.System}

// A Desk is where the drawn are read and answered.
type Desk struct {
	Store  Store
	People *records.Desk
	Number func() (int, error) // drawn a day; nil: DefaultNumber
	Now    func() time.Time
}

// An Item is a Check with who is meant.
type Item struct {
	Check
	Line records.Line
}

// open are those that wait for an account, after today's were drawn.
func (d *Desk) open(ctx context.Context, account string) ([]Check, error) {
	n := DefaultNumber
	if d.Number != nil {
		var err error
		if n, err = d.Number(); err != nil {
			return nil, err
		}
	}
	if err := d.Store.DrawRechecks(ctx, drawer, n); err != nil {
		return nil, err
	}
	all, err := d.Store.Rechecks(ctx, d.Now().Add(-Window))
	return slices.DeleteFunc(all, func(c Check) bool { return c.Answer != "" || !c.Others(account) }), err
}

// Open counts what waits for an account, and since when the oldest does.
func (d *Desk) Open(ctx context.Context, account string) (n int, since time.Time, err error) {
	list, err := d.open(ctx, account)
	if len(list) > 0 {
		since = list[0].At
	}
	return len(list), since, err
}

// Waiting is what waits for who asks, with who is meant; the log tells who read it.
func (d *Desk) Waiting(ctx context.Context, by access.Actor) ([]Item, error) {
	list, err := d.open(ctx, by.ID)
	if err != nil {
		return nil, err
	}
	return d.items(ctx, by, list)
}

func (d *Desk) items(ctx context.Context, by access.Actor, list []Check) (items []Item, err error) {
	var ids []registry.ID
	for _, c := range list {
		ids = append(ids, c.Unit)
	}
	lines, err := d.People.Lines(ctx, by, access.Entry{Action: "recheck.read", Object: "registry", Detail: fmt.Sprintf("listed=%d", len(ids))}, ids)
	for i, l := range lines {
		items = append(items, Item{list[i], l})
	}
	return items, err
}

// Find is one that was drawn; ErrNone for who had a part in it.
func (d *Desk) Find(ctx context.Context, by access.Actor, id string) (Check, error) {
	c, err := d.Store.Recheck(ctx, id)
	if err == nil && !c.Others(by.ID) {
		return Check{}, ErrNone
	}
	return c, err
}

// Item is Find with who is meant; the log tells who read it.
func (d *Desk) Item(ctx context.Context, by access.Actor, id string) (Item, error) {
	c, err := d.Find(ctx, by, id)
	if err != nil {
		return Item{}, err
	}
	items, err := d.items(ctx, by, []Check{c})
	if err != nil {
		return Item{}, err
	}
	return items[0], nil
}

// Answer keeps what somebody found: once, and by nobody who had a part in it.
func (d *Desk) Answer(ctx context.Context, by access.Actor, id string, a Answer, reason string) error {
	reason = strings.TrimSpace(reason)
	if !slices.Contains(Answers(), a) || reason == "" || utf8.RuneCountInString(reason) > MaxReason || strings.ContainsAny(reason, "\r\n") {
		return ErrAnswer
	}
	return d.Store.AnswerRecheck(ctx, by, id, a, reason)
}

// A Count is what was found of the records that one account entered.
type Count struct {
	Maker     string `json:"account"`
	Few       bool   `json:"few"`       // fewer than insight.Threshold were answered: nothing else is told
	Answered  int    `json:"answered"`  //
	NotFound  int    `json:"not_found"` // of Answered
	Different int    `json:"different"` // of Answered
}

// Counts are the answers of what was drawn since a time, by who entered the record: most
// that were not found first. Of fewer households than reports tell of, none is.
func (d *Desk) Counts(ctx context.Context, since time.Time) ([]Count, error) {
	all, err := d.Store.Rechecks(ctx, since)
	if err != nil {
		return nil, err
	}
	return count(all), nil
}

func count(all []Check) []Count {
	by, units := map[string]*Count{}, map[string]map[registry.ID]bool{}
	for _, c := range all {
		if c.Answer == "" {
			continue
		}
		if by[c.Maker] == nil {
			by[c.Maker], units[c.Maker] = &Count{Maker: c.Maker}, map[registry.ID]bool{}
		}
		n := by[c.Maker]
		n.Answered++
		units[c.Maker][c.Unit] = true
		switch c.Answer {
		case NotFound:
			n.NotFound++
		case Different:
			n.Different++
		}
	}
	list := []Count{}
	for maker, n := range by {
		if len(units[maker]) < insight.Threshold {
			*n = Count{Maker: maker, Few: true}
		}
		list = append(list, *n)
	}
	slices.SortFunc(list, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.NotFound, a.NotFound), cmp.Compare(b.Different, a.Different), strings.Compare(a.Maker, b.Maker))
	})
	return list
}
