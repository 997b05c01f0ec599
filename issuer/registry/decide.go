package registry

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aidpass/access"
)

// KeyMatch is the Why of a pair that a run over the register found (package match).
const KeyMatch = "match"

// What is said of a Double.
const (
	Same      = "same"
	Different = "different"
	Open      = "open"      // takes a decision back
	Withdrawn = "withdrawn" // a run found it, and does not any more: a record was mended
)

// States of a Double.
const (
	StateReview    = "needs_adjudication"
	StateTold      = "duplicate" // told to be one person, and nobody has decided
	StatePostponed = "postponed"
	StateDecided   = "decided" // Withdrawn too
)

// Reasons for which a decision is put off.
const (
	AskHousehold    = "ask_household"
	DocumentAwaited = "document_awaited"
	OtherOffice     = "other_office"
	Unsure          = "unsure"
)

// PostponeReasons are the codes that Postpone takes.
func PostponeReasons() []string { return []string{AskHousehold, DocumentAwaited, OtherOffice, Unsure} }

// A Double is two records that may be one person: found on entry or by a run over the
// register, decided by people. A pair stands once for each Why; what is shown and decided
// is the pair.
type Double struct {
	A, B    ID     // A is the newer one
	Why     string // KeyDocument, KeyNameYear, KeyMatch
	FoundAt time.Time

	// What a run says of it.
	Bits     float32    // what speaks for one person, of package match; 0: found by a key alone
	Told     bool       // told to be one person
	Guard    string     // why it is not told although its chance is: match.GuardTwins; empty: none
	Evidence []Evidence // most telling first

	Until  time.Time // put off until then; zero: not
	Reason string    // for which it was put off
	PutOff Act       // who put it off, and when

	Decided   string // empty: open; Same, Different, Withdrawn
	DecidedAt time.Time
	By        string // who decided
}

// An Act is what an account did with a pair.
type Act struct {
	By string
	At time.Time
}

// A Count is how many pairs (not Whys) there are, by State. Open ones of which one was
// erased are left out: nobody can decide them.
type Count struct {
	Of     map[string]int
	Oldest time.Time // since when the oldest that waits is known, put off ones apart; zero: none waits
}

// Evidence is how one field of a pair agrees: codes of match.Reason, and no value of a
// record.
type Evidence struct {
	Field string  `json:"f"`
	Level string  `json:"l"`
	Bits  float32 `json:"b"` // over 0: for one person
}

// State is what the pair waits for at a time. A pair that was put off waits again after
// that day.
func (d Double) State(at time.Time) string {
	switch {
	case d.Decided != "":
		return StateDecided
	case d.Until.After(at):
		return StatePostponed
	case d.Told:
		return StateTold
	}
	return StateReview
}

// Is reports whether the pair is of these two records, either way round.
func (d Double) Is(a, b ID) bool { return d.A == a && d.B == b || d.A == b && d.B == a }

// A Pair is two records with all its Whys: what people are shown and decide.
type Pair struct {
	Double // what the most telling says; FoundAt is of the first that was found
	Whys   []string
}

// Pairs joins the Whys of each pair, in the order of the list. A pair of which one Why is
// open is open; it is put off until the latest of its days.
func Pairs(list []Double) (pairs []Pair) {
	at := make(map[[2]ID]int, len(list))
	for _, d := range list {
		k := [2]ID{d.A, d.B}
		if slices.Compare(d.A[:], d.B[:]) > 0 {
			k = [2]ID{d.B, d.A}
		}
		i, ok := at[k]
		if !ok {
			at[k] = len(pairs)
			pairs = append(pairs, Pair{d, []string{d.Why}})
			continue
		}
		p := &pairs[i]
		p.Whys = append(p.Whys, d.Why)
		if d.FoundAt.Before(p.FoundAt) {
			p.FoundAt = d.FoundAt
		}
		if d.Until.After(p.Until) {
			p.Until, p.Reason, p.PutOff = d.Until, d.Reason, d.PutOff
		}
		if p.Decided == Withdrawn && d.Decided != "" || p.Decided != "" && d.Decided == "" {
			p.Decided, p.DecidedAt, p.By = d.Decided, d.DecidedAt, d.By
		}
		if d.Bits > p.Bits {
			p.Bits, p.Told, p.Guard, p.Evidence = d.Bits, d.Told, d.Guard, d.Evidence
		}
	}
	return pairs
}

// pairsOf are the Whys of one pair, or ErrNotFound.
func pairsOf(v View, a, b ID) ([]Double, error) {
	pairs, err := v.DoublesOf(a)
	if err != nil {
		return nil, err
	}
	pairs = slices.DeleteFunc(pairs, func(d Double) bool { return !d.Is(a, b) })
	if len(pairs) == 0 {
		return nil, fmt.Errorf("registry: %s and %s as doubles: %w", a, b, ErrNotFound)
	}
	return pairs, nil
}

// maxPostponed is how long a decision may be put off: after it a pair is forgotten, not
// put off.
const maxPostponed = 366 * 24 * time.Hour

// Postpone puts the decision of an open pair off until a time in the next year, for one
// of PostponeReasons. The pair stays open: it only waits apart.
func (r *Registry) Postpone(ctx context.Context, a, b ID, until time.Time, reason string) error {
	if !slices.Contains(PostponeReasons(), reason) {
		return refuse(RefusedReason, "registry: put off for %q: the reason is one of %q", reason, PostponeReasons())
	}
	if now := r.Now(); !until.After(now) || until.After(now.Add(maxPostponed)) {
		return refuse(RefusedUntil, "registry: put off until %s: it is a day within a year from now", until.UTC().Format(time.DateOnly))
	}
	return r.Store.Update(ctx, r.Actor, func(tx Tx) error {
		pairs, err := pairsOf(tx, a, b)
		if err != nil {
			return err
		}
		open := 0
		for _, d := range pairs {
			if d.Decided != "" {
				continue
			}
			open++
			d.Until, d.Reason = until, reason
			if err := tx.SaveDouble(d); err != nil {
				return err
			}
		}
		if open == 0 {
			return refuse(RefusedDecision, "registry: %s and %s: the pair is decided: nothing is put off", a, b)
		}
		return nil
	})
}

// Doubles lists the pairs that nobody has decided, or all of them.
func (r *Registry) Doubles(ctx context.Context, all bool) (list []Double, err error) {
	err = r.Store.View(ctx, func(v View) error {
		list, err = v.Doubles(all)
		return err
	})
	return list, err
}

// PairRules are what a desk holds DecideDouble to.
type PairRules struct {
	// Once refuses Same and Different of a pair that somebody has decided, with ErrConflict:
	// that decision is taken back first.
	Once bool
	// Untouched: the desk has seen that no card was stopped by the decision that Open takes back.
	Untouched bool
}

// DecideDouble records what people decided about two records.
//
// Same closes the newer record a, points it to b and stops a's cards; her household
// counts one less, and is closed, with its cards, when nobody else is in it. Nothing
// is deleted, so the decision can be taken back. Different leaves both alone, and
// opens again what an earlier decision had closed. Open takes a decision back: the pair
// waits again, and what it had closed is opened. A record that was closed for
// another reason stays as it is.
//
// To stop cards, and to open a record again, needs a second person (DOMAIN.md 4.3). Who said
// Same alone may take it back alone on the same day (UTC), where r.Pairs.Untouched.
func (r *Registry) DecideDouble(ctx context.Context, a, b ID, decision string) (after After, err error) {
	if decision != Same && decision != Different && decision != Open {
		return after, refuse(RefusedDecision, "registry: decision %q: it is %q, %q or %q", decision, Same, Different, Open)
	}
	if a == b {
		return after, refuse(RefusedItself, "registry: %s beside itself is no double", a)
	}
	err = r.Store.Update(ctx, r.Actor, func(tx Tx) error {
		pairs, err := pairsOf(tx, a, b)
		if err != nil {
			return err
		}
		a, b := pairs[0].A, pairs[0].B
		if r.Pairs.Once && decision != Open && slices.ContainsFunc(pairs, func(d Double) bool { return d.Decided == Same || d.Decided == Different }) {
			return fmt.Errorf("registry: %s and %s: %s decided the pair: %w", a, b, pairs[0].By, ErrConflict)
		}
		hers := r.Pairs.Untouched && decision == Open && pairs[0].By == r.Actor.ID && pairs[0].DecidedAt.UTC().Format(time.DateOnly) == r.today()
		for _, d := range pairs {
			d.Decided, d.By = decision, r.Actor.ID
			if err := tx.SaveDouble(d); err != nil {
				return err
			}
		}
		rec, p, err := readPerson(tx, a)
		if err != nil {
			return err
		}
		two := false
		switch closed := p.Status != nil && p.Status.Reason == ReasonDuplicate && p.Status.Into == b.String(); {
		case decision == Same && p.Status.Living():
			if _, other, err := readPerson(tx, b); err != nil {
				return err
			} else if !other.Status.Living() {
				return fmt.Errorf("registry: person %s: %w: decide about the record that is in use", b, ErrClosed)
			}
			if err := r.closeDouble(tx, rec, p, b, &after); err != nil {
				return err
			}
			two = after.Stopped > 0
		case decision != Same && closed:
			if err := r.openDouble(tx, rec, p, &after); err != nil {
				return err
			}
			two = !hers
		default:
			return nil
		}
		if two && r.Actor.SecondPerson == "" {
			return fmt.Errorf("registry: %s and %s: a decision that stops cards, or takes another one back: %w", a, b, ErrSecondPerson)
		}
		return tx.Note(access.Entry{Action: "person.double", Object: a.String(), Reason: decision, Detail: b.String()})
	})
	if err != nil {
		return After{}, err
	}
	return after, nil
}
