package main

import (
	"context"
	"errors"
	"time"

	"aidpass/access"
	"aidpass/access/work"
	"aidpass/issuer/registry/apart"
	"aidpass/issuer/registry/imports"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/quality"
	"aidpass/web/console"
)

// importWork is the long work that writes an approved list. Its arguments are the
// import's id.
const importWork = "import"

// importDesk is where the console takes lists in.
func (s *serving) importDesk() (*imports.Desk, error) {
	d := &imports.Desk{Store: s.o.store, Registry: s.o.store, Register: deskStore{s.o.store, s.log, s.waiting()}, Door: s.door, Country: s.o.entry.Country, Now: s.a.Now, Places: func() (intake.Places, error) { return s.a.placeList("") }, Required: func() (quality.Required, error) {
		policy, err := s.a.qualityPolicy("")
		return policy.Required(""), err
	}, Begin: func(m imports.Import) error {
		who := access.Actor{ID: m.Review.By, Role: access.Registrar, SecondPerson: m.Review.Second}
		// The same approval begins the same work.
		_, err := s.work.Start(context.Background(), who, work.New{Kind: importWork, Key: m.Review.Approval, Args: []byte(m.ID), Total: m.Counts.Rows})
		return err
	}}
	if why := apart.Lacks(); why != "" {
		s.log.Warn(why)
	}
	return d, s.a.readApart(d)
}

// sweepEvery is how often a server destroys lists whose time is over; sweepAgain how long
// after that failed.
const (
	sweepEvery = 24 * time.Hour
	sweepAgain = time.Hour
)

// sweep destroys lists and forgets approvals whose time is over, once a day of the server's clock, and as it begins.
func (s *serving) sweep(ctx context.Context) {
	now := s.a.Now()
	if since := now.Sub(s.swept); since >= 0 && since < sweepEvery {
		return
	}
	s.swept = now
	err := s.imports.Sweep(ctx)
	if _, gone := s.door.Forget(ctx); gone != nil {
		err = errors.Join(err, gone)
	}
	if err != nil {
		s.swept = now.Add(sweepAgain - sweepEvery)
		s.log.Error("lists or approvals whose time is over are kept longer than they were to be", "code", console.ErrorCode(err))
	}
}

// writeImport writes a list, or finds it written.
func (s *serving) writeImport(ctx context.Context, t *work.Turn) (result string, err error) {
	m, err := s.imports.Apply(ctx, string(t.Args()), func(done, total int) error { return t.Save(ctx, nil, done, total) })
	if errors.Is(err, imports.ErrChanged) {
		err = &work.Fault{Word: "imports.register_changed", Err: err}
	}
	if err == nil {
		if _, err := s.startSearch(ctx, t.Actor(), "import/"+m.ID); err != nil { // the list is written; the night looks
			s.log.Error("no search for duplicates was begun after an import", "code", console.ErrorCode(err))
		}
	}
	return "/imports/" + m.ID, err
}
