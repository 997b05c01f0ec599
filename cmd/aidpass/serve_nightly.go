package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry/quality/indicator"
	"aidpass/web/console"
)

// nightly is in whose name the server works at night.
var nightly = access.Actor{ID: "nightly", Role: access.System}

// A nightJob is what the server does by itself once a night. An error with which it ends is
// logged by its code; its names stay inside. When ctx ends it returns soon, and is done again.
type nightJob struct {
	name string // in nightly.json and the log
	do   func(ctx context.Context) error
}

// nightJobs are done one after the other; figures come last, so that they are of what the
// others found.
func (s *serving) nightJobs() []nightJob {
	return []nightJob{
		{"duplicates", s.compareNight},
		{"quality", s.measureNight},
	}
}

// measureNight keeps the day's figures, unless somebody had them taken.
func (s *serving) measureNight(ctx context.Context) error {
	_, err := s.a.qualityDesk(s.o, qualityFlags{}).Take(ctx, nightly)
	if errors.Is(err, indicator.ErrTaken) {
		return nil
	}
	return err
}

const (
	nightTries = 3         // of a job that fails or is killed, in one night
	nightAgain = time.Hour // after it failed
)

// quietHour is when a night begins, by the clock of a place; off: never.
type quietHour struct {
	off  bool
	hour time.Duration // after midnight
	zone *time.Location
}

// readQuietHour reads --nightly: 02:00, 02:00 Africa/Nairobi, or off.
func readQuietHour(text string) (q quietHour, err error) {
	clock, zone, named := strings.Cut(text, " ")
	at, err := time.Parse("15:04", clock)
	switch {
	case text == "off":
		return quietHour{off: true}, nil
	case err != nil:
		return q, usagef("--nightly %q is no time of day", text).hint(`02:00 by the clock of this machine, "02:00 Africa/Nairobi" by another, or off`)
	}
	q = quietHour{hour: time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute, zone: time.Local}
	if named {
		if q.zone, err = time.LoadLocation(zone); err != nil || zone == "" || zone == "Local" {
			return q, usagef("--nightly: no time zone %q is known here", zone).hint("as Africa/Nairobi, or without one for the clock of this machine")
		}
	}
	return q, nil
}

// night is the one that a time belongs to, as 2026-11-22: from the quiet hour of that day to
// the next day's.
func (q *quietHour) night(at time.Time) string {
	return at.In(q.zone).Add(-q.hour).Format(time.DateOnly)
}

// A nightDone is how far a job came in its last night.
type nightDone struct {
	Night string `json:"night"`
	Tries int    `json:"tries"`
	Done  bool   `json:"done"` // or given up
}

// nights does the nightly work of one organisation: each job once in a night, however often
// the server begins, by what it keeps in a file of the data folder. The server begins with
// the night after its first day; after that one that missed a night and the one before, as
// it was switched off, does it as soon as it begins.
type nights struct {
	quietHour
	path, org string
	jobs      []nightJob
	now       func() time.Time
	log       *slog.Logger

	began   string // night in which the server began
	busy    atomic.Bool
	from    atomic.Int64 // Unix time from which one that failed is tried again
	working sync.WaitGroup
}

func (s *serving) nights() (*nights, error) {
	q, err := readQuietHour(s.f.nightly)
	n := &nights{quietHour: q, path: filepath.Join(s.a.Data, "nightly.json"), org: s.o.store.ID(), jobs: s.nightJobs(), now: s.a.Now, log: s.log}
	if err == nil && !q.off {
		n.began = q.night(n.now())
	}
	return n, err
}

// look begins what is due, beside what else the server does.
func (n *nights) look(ctx context.Context) {
	now := n.now()
	wait := time.Duration(n.from.Load()-now.Unix()) * time.Second
	if n.off || wait > 0 && wait <= nightAgain || !n.busy.CompareAndSwap(false, true) {
		return
	}
	n.working.Go(func() {
		defer n.busy.Store(false)
		if err := n.work(ctx, n.night(now)); err != nil && ctx.Err() == nil {
			n.from.Store(now.Add(nightAgain).Unix())
			n.log.Error("it is not known what was done at night", "code", console.ErrorCode(err))
		}
	})
}

// work does what a night has not had.
func (n *nights) work(ctx context.Context, night string) error {
	all, err := n.read()
	if err != nil {
		return err
	}
	kept := all[n.org]
	for _, job := range n.jobs {
		last, known := kept[job.name]
		if dayBefore(last.Night) > night { // by a clock that was days ahead: else there would be no night until then
			last = nightDone{Night: dayBefore(dayBefore(night)), Done: true}
		}
		switch {
		case !known:
			last = nightDone{Night: dayBefore(night), Done: true}
		case last.Night == night && last.Done, last.Night > night, // the clock was set back
			last.Night < night && n.began == night && last.Night >= dayBefore(night):
			continue
		}
		if known {
			if last.Night != night {
				last = nightDone{Night: night}
			}
			last.Tries++
			last.Done = last.Tries > nightTries // killed each time
		}
		kept[job.name] = last
		if err := n.write(all); err != nil {
			return err
		}
		if last.Done {
			continue
		}
		err := job.do(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			n.log.Error("the work of the night failed", "work", job.name, "try", last.Tries, "code", console.ErrorCode(err))
			n.from.Store(n.now().Add(nightAgain).Unix())
		} else {
			n.log.Info("the work of the night is done", "work", job.name)
		}
		last.Done = err == nil || last.Tries >= nightTries
		kept[job.name] = last
		if err := n.write(all); err != nil {
			return err
		}
	}
	return nil
}

func dayBefore(day string) string {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return ""
	}
	return at.AddDate(0, 0, -1).Format(time.DateOnly)
}

func (n *nights) read() (map[string]map[string]nightDone, error) {
	all := map[string]map[string]nightDone{}
	b, err := readFile(n.path, 1<<20)
	if err == nil {
		err = json.Unmarshal(b, &all)
	} else if notThere(err) {
		err = nil
	}
	if all[n.org] == nil {
		all[n.org] = map[string]nightDone{}
	}
	return all, err
}

func (n *nights) write(all map[string]map[string]nightDone) error {
	b, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return writeFile(n.path, append(b, '\n'))
}
