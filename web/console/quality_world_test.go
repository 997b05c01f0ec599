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
	return &console.Quality{Desk: w.qualityDesk(), Work: listWork{w}}
}

// listWork makes lists at once, as if beside the pages.
type listWork struct{ w *world }

func (l listWork) Large(context.Context) (bool, error) { return l.w.large, nil }

func (l listWork) Names(_ context.Context, cut indicator.Cut) (map[string]console.CutName, error) {
	return map[indicator.Cut]map[string]console.CutName{
		indicator.Session: {"VER-2026-03": {Text: "<b>Spring</b>"}}, indicator.Batch: {"camp": {Text: "list 7.csv", Day: l.w.now()}}}[cut], nil
}

func (l listWork) Start(ctx context.Context, by access.Actor, o console.QualityOrder) (string, error) {
	job := l.w.jobs.add(own, access.QualityRead)
	if o.What == console.QualityTaken {
		_, err := l.w.qualityDesk().Take(ctx, by)
		return job, err
	}
	m := console.QualityMade{Order: o, At: l.w.now(), Until: l.w.now().Add(24 * time.Hour)}
	var err error
	if m.Listing, err = o.List(ctx, l.w.qualityDesk(), by); err == nil && o.What == console.QualityFile {
		m.Body, err = m.Listing.Workbook()
		m.Rows, m.Listing.Lines = len(m.Listing.Lines), nil
	}
	if l.w.made == nil {
		l.w.made = map[string]console.QualityMade{}
	}
	l.w.made[by.ID+" "+job] = m
	return job, err
}

func (l listWork) Made(_ context.Context, account, job string) (console.QualityMade, error) {
	m, ok := l.w.made[account+" "+job]
	if !ok {
		return m, console.ErrNotFound
	}
	return m, nil
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
	forms["POST /quality/list"] = url.Values{"indicator": {"DQ-02"}}
	makers["made"] = func(w *world, org string, b *browser) string {
		by := access.Actor{ID: anybody, Role: access.Registrar}
		if b != nil && org == own {
			by.ID = b.member.id
		}
		w.person(own, "Amina Yusuf")
		job, err := listWork{w}.Start(w.Context(), by, console.QualityOrder{What: console.QualityFile, Indicator: "DQ-02", Reason: "review on Monday"})
		if err != nil {
			w.Fatal(err)
		}
		return job
	}
	forms["POST /quality/file"] = url.Values{"indicator": {"DQ-02"}, "reason": {"review on Monday"}}
}
