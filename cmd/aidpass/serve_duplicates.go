package main

import (
	"context"
	"time"

	"aidpass/access"
	"aidpass/access/work"
	"aidpass/issuer/registry/doubles"
	"aidpass/web/console"
)

// duplicatesWork is the search for people who are on record twice.
const duplicatesWork = "duplicates"

// search is how the desk begins it, and tells of the last.
func (s *serving) search() *console.Search {
	return &console.Search{
		Start: func(ctx context.Context, by access.Actor) (string, error) { return s.startSearch(ctx, by, "") },
		Last: func(ctx context.Context) (console.Searched, error) {
			r, ok, err := s.a.doublesDesk(s.o).Last(ctx)
			if err != nil || !ok {
				return console.Searched{}, err
			}
			return console.Searched{At: r.At, People: r.People, Pairs: r.New + r.Reopened, Left: r.Flood}, nil
		},
	}
}

// startSearch begins one; two of one key are one.
func (s *serving) startSearch(ctx context.Context, by access.Actor, key string) (job string, err error) {
	j, err := s.work.Start(ctx, by, work.New{Kind: duplicatesWork, Key: key})
	return j.ID, err
}

// compare does the work, one run at a time.
func (s *serving) compare(ctx context.Context, by access.Actor, o doubles.Options) error {
	s.comparing.Lock()
	defer s.comparing.Unlock()
	if err := ctx.Err(); err != nil { // while another one compared
		return err
	}
	r, err := s.a.doublesDesk(s.o).Run(ctx, by, o)
	if err == nil && r.Flood > 0 {
		s.log.Warn("the search for duplicates found more than people can look at: a list entered twice, or a filler in place of a number", "left_out", r.Flood)
	}
	return err
}

// toldEvery is how often a job tells how far it is: each time is a write.
const toldEvery = time.Second

// searchJob is compare as a job, which ends as soon as somebody stops it.
func (s *serving) searchJob(ctx context.Context, t *work.Turn) (result string, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	told := time.Time{}
	err = s.compare(ctx, t.Actor(), doubles.Options{Progress: func(done, total int) {
		if now := time.Now(); done == total || now.Sub(told) >= toldEvery {
			told = now
			if err := t.Save(ctx, nil, done, total); err != nil {
				stop(err)
			}
		}
	}})
	return "/doubles", err
}

// compareNight is the search of a night.
func (s *serving) compareNight(ctx context.Context) error {
	return s.compare(ctx, nightly, doubles.Options{})
}
