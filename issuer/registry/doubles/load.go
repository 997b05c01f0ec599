package doubles

import (
	"cmp"
	"context"
	"slices"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/match"
)

// A Load is how the work with doubles goes.
type Load struct {
	At        time.Time `json:"at"`
	Open      int       `json:"open"` // pairs that need a look, are told, or are put off
	Review    int       `json:"needs_adjudication"`
	Told      int       `json:"duplicate"`
	Postponed int       `json:"postponed"`
	Decided   int       `json:"decided"` // by people
	Withdrawn int       `json:"withdrawn"`

	OldestDays  int     `json:"oldest_days"`
	MedianDays  int     `json:"median_days"`
	PerThousand float64 `json:"open_per_thousand"` // people

	Reviewers []Reviewer `json:"reviewers"` // most decisions first
	Bands     []Band     `json:"bands"`     // of pairs that a run found, by chance
	Last      *Report    `json:"last_run,omitempty"`
}

// A Reviewer is what an account decided.
type Reviewer struct {
	Account   string  `json:"account"`
	Decided   int     `json:"decided"`
	TakenBack int     `json:"taken_back"`               // of Decided: later opened again or decided otherwise
	Seconds   float64 `json:"median_seconds,omitempty"` // from one decision to the next; 0: not known
}

// A Band is pairs of a chance, and what people said of them.
type Band struct {
	From      float64 `json:"from"`
	To        float64 `json:"to"`
	Open      int     `json:"open"`
	Same      int     `json:"same"`
	Different int     `json:"different"`
}

// atWork is the longest time from one decision to the next that is taken for work at the
// second: after a longer one there was something else.
const atWork = 15 * time.Minute

var bands = [...]float64{0.5, 0.7, 0.9, 0.99, 1}

// Report tells how the work goes: what waits, since when, who decided how much, and how
// many of what was shown people confirmed.
func (d *Desk) Report(ctx context.Context) (Load, error) {
	l := Load{At: d.Now().UTC(), Reviewers: []Reviewer{}}
	last, ok, err := d.Last(ctx)
	if err != nil {
		return l, err
	}
	people := last.People
	if ok {
		l.Last = &last
	} else if m, err := d.Store.Mark(ctx); err != nil {
		return l, err
	} else {
		people = m.People
	}
	var open, all []registry.Double
	err = d.Store.View(ctx, func(v registry.View) error {
		if all, err = v.Doubles(true); err == nil {
			open, err = v.Doubles(false) // without those of whom one was erased
		}
		return err
	})
	if err != nil {
		return l, err
	}
	for i := range len(bands) - 1 {
		l.Bands = append(l.Bands, Band{From: bands[i], To: bands[i+1]})
	}
	var days []int
	for _, p := range registry.Pairs(open) {
		switch p.State(l.At) {
		case registry.StateTold:
			l.Told++
		case registry.StatePostponed:
			l.Postponed++
		default:
			l.Review++
		}
		days = append(days, max(0, int(l.At.Sub(p.FoundAt).Hours()/24)))
		if b := l.band(p.Bits); b != nil {
			b.Open++
		}
	}
	l.Open = len(days)
	if slices.Sort(days); len(days) > 0 {
		l.OldestDays, l.MedianDays = days[len(days)-1], days[len(days)/2]
	}
	l.PerThousand = float64(l.Open) * 1000 / float64(max(people, 1))
	for _, p := range registry.Pairs(all) {
		b := l.band(p.Bits)
		switch p.Decided {
		case registry.Withdrawn:
			l.Withdrawn++
		case registry.Same, registry.Different:
			l.Decided++
			if b != nil && p.Decided == registry.Same {
				b.Same++
			} else if b != nil {
				b.Different++
			}
		}
	}
	l.Reviewers, err = d.reviewers(ctx)
	return l, err
}

// band is where a pair belongs; nil for one that no run found.
func (l *Load) band(bits float32) *Band {
	if bits == 0 {
		return nil
	}
	chance := match.Pair{Bits: bits}.Chance()
	for i := len(l.Bands) - 1; i >= 0; i-- {
		if chance >= l.Bands[i].From || i == 0 {
			return &l.Bands[i]
		}
	}
	return nil
}

// reviewers reads the log. A pair that stands by several reasons is decided once.
func (d *Desk) reviewers(ctx context.Context) ([]Reviewer, error) {
	type decided struct {
		what, by string
		at       time.Time
	}
	newest := map[key]decided{}
	of := map[string]*Reviewer{}
	before := map[string]time.Time{}
	times := map[string][]float64{}
	err := d.Store.Decisions(ctx, func(e Decision) error {
		k := keyOf(e.A, e.B)
		was := newest[k]
		if was.what == e.What && was.at.Equal(e.At) {
			return nil // another reason of the same pair
		}
		newest[k] = decided{e.What, e.By, e.At}
		if r := of[was.by]; r != nil && (was.what == registry.Same || was.what == registry.Different) && was.what != e.What {
			r.TakenBack++
		}
		if e.What != registry.Same && e.What != registry.Different {
			return nil
		}
		r := of[e.By]
		if r == nil {
			r = &Reviewer{Account: e.By}
			of[e.By] = r
		}
		r.Decided++
		if gap := e.At.Sub(before[e.By]); gap > 0 && gap <= atWork {
			times[e.By] = append(times[e.By], gap.Seconds())
		}
		before[e.By] = e.At
		return nil
	})
	list := make([]Reviewer, 0, len(of))
	for account, r := range of {
		if t := times[account]; len(t) > 0 {
			slices.Sort(t)
			r.Seconds = t[len(t)/2]
		}
		list = append(list, *r)
	}
	slices.SortFunc(list, func(a, b Reviewer) int {
		return cmp.Or(cmp.Compare(b.Decided, a.Decided), cmp.Compare(a.Account, b.Account))
	})
	return list, err
}
