package indicator

import (
	"context"
	"errors"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// A Snapshot is what a day's figures were: it is taken once a day (UTC) and never changed,
// and says with each figure by which definition it was made.
type Snapshot struct {
	At         time.Time `json:"at"`
	Score      Score     `json:"score"`
	Indicators []Kept    `json:"indicators"` // in the order of Definitions
}

// Day is the day of a snapshot, of UTC.
func (s *Snapshot) Day() string { return s.At.UTC().Format(time.DateOnly) }

// Kept is one indicator of a snapshot, as it was.
type Kept struct {
	ID     string  `json:"id"`
	Mark   string  `json:"mark"`
	NA     string  `json:"na,omitempty"`
	State  State   `json:"state"`
	Values []Value `json:"values"`
	Own    Count   `json:"own"`
	Tally  Tally   `json:"tally,omitempty"` // of all together
}

// Parts are the tallies of one cut, by indicator and value.
type Parts map[string]map[string]Tally

// Snapshot makes a report's snapshot, and the parts of each cut.
func (r *Report) Snapshot() (Snapshot, map[Cut]Parts) {
	s := Snapshot{At: r.At.UTC(), Score: r.Score(All, "")}
	parts := map[Cut]Parts{}
	for _, c := range Cuts()[1:] {
		parts[c] = Parts{}
	}
	for i := range r.Indicators {
		m := &r.Indicators[i]
		t := m.In(All, "")
		s.Indicators = append(s.Indicators, Kept{ID: m.ID, Mark: m.Mark, NA: m.NA, State: m.Definition.State(t), Values: m.Definition.Values(t), Own: m.Definition.Own(t), Tally: t})
		for c, p := range parts {
			if cells := m.Cells[c]; len(cells) > 0 {
				p[m.ID] = cells
			}
		}
	}
	return s, parts
}

// Changed returns the indicators whose definition is not that of an earlier snapshot: from
// here on their figures, and the score, are of another thing.
func (s *Snapshot) Changed(before *Snapshot) (ids []string) {
	marks := map[string]string{}
	for _, k := range before.Indicators {
		marks[k.ID] = k.Mark
	}
	for _, k := range s.Indicators {
		if marks[k.ID] != k.Mark {
			ids = append(ids, k.ID)
		}
	}
	return ids
}

// ErrTaken: the day has its snapshot.
var ErrTaken = errors.New("indicator: the snapshot of the day was taken, and is never changed")

// ErrNone: no snapshot is there, of the day or at all.
var ErrNone = errors.New("indicator: no snapshot of that day")

// A Store keeps snapshots and reads the register for them.
type Store interface {
	// Measuring calls work with the register and what stands beside it, in one transaction:
	// as they are, or as they stood at a time.
	Measuring(ctx context.Context, at time.Time, past bool, work func(registry.View, Beside) error) error
	// KeepSnapshot keeps one, or returns ErrTaken.
	KeepSnapshot(ctx context.Context, by access.Actor, s Snapshot, parts map[Cut]Parts) error
	// Snapshots are those from a day on, oldest first.
	Snapshots(ctx context.Context, since time.Time) ([]Snapshot, error)
	// LastSnapshot is the newest, or ErrNone.
	LastSnapshot(ctx context.Context) (Snapshot, error)
	// PartsOf are a cut's tallies of the snapshot of a day, or ErrNone.
	PartsOf(ctx context.Context, day string, c Cut) (Parts, error)
}
