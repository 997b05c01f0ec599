package console_test

import (
	"context"
	"net/url"
	"slices"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
	"aidpass/issuer/registry/quality/indicator"
	"aidpass/web/console"
)

// measured is an indicator.Store in memory, over the world's people.
type measured struct {
	*peopleStore
	list  []indicator.Snapshot
	parts map[string]map[indicator.Cut]indicator.Parts
}

func (m *measured) Measuring(ctx context.Context, _ time.Time, _ bool, work func(registry.View, indicator.Beside) error) error {
	return m.View(ctx, func(v registry.View) error { return work(v, indicator.Beside{}) })
}

func (m *measured) KeepSnapshot(_ context.Context, by access.Actor, s indicator.Snapshot, parts map[indicator.Cut]indicator.Parts) error {
	if m.parts[s.Day()] != nil {
		return indicator.ErrTaken
	}
	m.list, m.parts[s.Day()] = append(m.list, s), parts
	return by.Check()
}

func (m *measured) Snapshots(_ context.Context, since time.Time) ([]indicator.Snapshot, error) {
	return slices.DeleteFunc(slices.Clone(m.list), func(s indicator.Snapshot) bool { return s.At.Before(since) }), nil
}

func (m *measured) LastSnapshot(context.Context) (indicator.Snapshot, error) {
	if len(m.list) == 0 {
		return indicator.Snapshot{}, indicator.ErrNone
	}
	return m.list[len(m.list)-1], nil
}

func (m *measured) PartsOf(_ context.Context, day string, c indicator.Cut) (indicator.Parts, error) {
	if m.parts[day] == nil {
		return nil, indicator.ErrNone
	}
	return m.parts[day][c], nil
}

func (m *measured) NoteAbout(ctx context.Context, by access.Actor, e access.Entry, about []registry.ID) error {
	return m.Update(ctx, by, func(tx registry.Tx) error { return tx.NoteAbout(e, about) })
}

func (w *world) qualityDesk() *indicator.Desk {
	if w.measured == nil {
		w.measured = &measured{peopleStore: w.peopleOf(own), parts: map[string]map[indicator.Cut]indicator.Parts{}}
	}
	return &indicator.Desk{Store: w.measured, Policy: func() (quality.Policy, error) { return w.policy, nil }, Now: w.now}
}

func (w *world) qualityScreen() console.Screen {
	w.policy = quality.Default()
	return &console.Quality{Desk: w.qualityDesk()}
}

// keepDays keeps the figures of three days, of which the last is today.
func (w *world) keepDays() {
	r, err := w.qualityDesk().Report(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	for ago := 2; ago >= 0; ago-- {
		s, parts := r.Snapshot()
		s.At = s.At.AddDate(0, 0, -ago)
		s.Indicators[0].Values[0].Value += float64(ago)
		if err := w.measured.KeepSnapshot(w.Context(), clerk, s, parts); err != nil {
			w.Fatal(err)
		}
	}
}

func init() {
	queries["GET /quality/list"] = func(*world, string) string { return "?indicator=DQ-02" }
	forms["POST /quality/file"] = url.Values{"indicator": {"DQ-02"}, "reason": {"review on Monday"}}
}
