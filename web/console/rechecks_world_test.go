package console_test

import (
	"context"
	"net/url"
	"slices"
	"time"

	"aidpass/access"
	"aidpass/issuer/recheck"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/web/console"
)

// walker goes and sees who was drawn.
var walker = access.Actor{ID: "walker", Role: access.Verifier}

// rechecks is a recheck.Store in memory, where whoever tests draws.
type rechecks struct {
	w    *world
	list []recheck.Check
	most int // that were to be drawn, at the last time
}

func (s *rechecks) DrawRechecks(_ context.Context, by access.Actor, n int) error {
	s.most = n
	return by.Check()
}

func (s *rechecks) Rechecks(_ context.Context, since time.Time) ([]recheck.Check, error) {
	return slices.DeleteFunc(slices.Clone(s.list), func(c recheck.Check) bool { return c.At.Before(since) }), nil
}

func (s *rechecks) find(id string) int {
	return slices.IndexFunc(s.list, func(c recheck.Check) bool { return c.ID == id })
}

func (s *rechecks) Recheck(_ context.Context, id string) (recheck.Check, error) {
	if i := s.find(id); i >= 0 {
		return s.list[i], nil
	}
	return recheck.Check{}, recheck.ErrNone
}

func (s *rechecks) AnswerRecheck(_ context.Context, by access.Actor, id string, a recheck.Answer, reason string) error {
	i := s.find(id)
	switch {
	case i < 0 || !s.list[i].Others(by.ID):
		return recheck.ErrNone
	case s.list[i].Answer != "":
		return recheck.ErrAnswered
	}
	s.list[i].Answer, s.list[i].Reason, s.list[i].By, s.list[i].Answered = a, reason, by.ID, s.w.now()
	return nil
}

// drawn is what an organisation drew.
func (w *world) drawn(org string) *rechecks {
	if w.rechecks == nil {
		w.rechecks = map[string]*rechecks{}
	}
	if w.rechecks[org] == nil {
		w.rechecks[org] = &rechecks{w: w}
	}
	return w.rechecks[org]
}

// draw draws a record, in which accounts had a part, besides the clerk who entered it.
func (w *world) draw(org string, unit registry.ID, parts ...string) string {
	s := w.drawn(org)
	s.list = append(s.list, recheck.Check{ID: name(), Unit: unit, At: w.now(), Maker: clerk.ID, Parts: append(parts, clerk.ID)})
	return s.list[len(s.list)-1].ID
}

func (w *world) recheckDesk(org string) *recheck.Desk {
	return &recheck.Desk{Store: w.drawn(org), People: &records.Desk{Store: w.peopleOf(org), Country: "KEN", Now: w.now}, Now: w.now, Number: func() (int, error) {
		return console.ReadRechecks(w.desks[org].settings[console.SettingRechecks])
	}}
}

func (d opsDesks) Rechecks(ctx context.Context, org string, since time.Time) ([]recheck.Count, error) {
	return d.w.recheckDesk(org).Counts(ctx, since)
}

func init() {
	makers["recheck"] = func(w *world, org string, _ *browser) string { return w.draw(org, w.household(org)) }
	forms["POST /rechecks/of/:recheck/answer"] = url.Values{"answer": {"not-found"}, "reason": {"nobody at the shelter"}}
	forms["POST /organisation/rechecks"] = url.Values{"rechecks": {"7"}, "before": {hashOfNothing}}
}
