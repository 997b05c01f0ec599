package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"

	"aidpass/access"
	"aidpass/access/work"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality/indicator"
	"aidpass/web/console"
)

// consoleQuality is console.QualityWork on the database.
type consoleQuality struct{ *serving }

// Names implements console.QualityWork.
func (d consoleQuality) Names(ctx context.Context, cut indicator.Cut) (map[string]console.CutName, error) {
	return d.o.cutNames(ctx, cut)
}

// waiting are the rooms in which what was made of records waits: nobody's erased record stays there.
func (s *serving) waiting() []interface{ clear() } {
	return []interface{ clear() }{&s.exports, &s.listed}
}

// smallRegister is up to how many people, or households, figures and lists are made while the
// page waits: some seconds.
const smallRegister = 5000

func (s *serving) atOnce() int { return cmp.Or(s.small, smallRegister) }

// mostListed are the bytes of lists that wait at once.
const mostListed = 64 << 20

const (
	measureWork  = "quality-take"
	listWork     = "quality-list"
	workbookWork = "quality-file"
)

var qualityWork = map[console.QualityWhat]string{console.QualityTaken: measureWork, console.QualityListed: listWork, console.QualityFile: workbookWork}

// qualityKinds says what the long work of the quality pages does.
func (s *serving) qualityKinds() {
	s.listed.most = mostListed
	d := consoleQuality{s}
	s.work.Handle(measureWork, work.Kind{Act: access.QualityTake, Word: console.WordMeasuring, Do: d.measure})
	s.work.Handle(listWork, work.Kind{Act: access.QualityList, Word: console.WordListing, Do: d.make})
	s.work.Handle(workbookWork, work.Kind{Act: access.QualityExport, Word: console.WordWorkbook, Do: d.make})
}

// Large implements console.QualityWork: whether there are as many people, or households.
func (d consoleQuality) Large(ctx context.Context) (large bool, err error) {
	err = d.o.store.View(ctx, func(v registry.View) error {
		for _, kind := range []registry.Kind{registry.KindPerson, registry.KindHousehold} {
			ids, err := v.Units(kind, registry.ID{}, d.atOnce())
			if err != nil {
				return err
			}
			large = large || len(ids) == d.atOnce()
		}
		return nil
	})
	return large, err
}

// Start implements console.QualityWork.
func (d consoleQuality) Start(ctx context.Context, by access.Actor, o console.QualityOrder) (string, error) {
	args, err := json.Marshal(o)
	if err != nil {
		return "", err
	}
	job, err := d.work.Start(ctx, by, work.New{Kind: qualityWork[o.What], Args: args})
	return job.ID, err
}

// desk measures, and tells the job how far it is.
func (d consoleQuality) desk(ctx context.Context, t *work.Turn) *indicator.Desk {
	desk := d.a.qualityDesk(d.o, qualityFlags{})
	desk.Progress = func(done, total int) error { return t.Save(ctx, nil, done, total) }
	return desk
}

// measure keeps the figures of the day. One that was kept meanwhile is as good.
func (d consoleQuality) measure(ctx context.Context, t *work.Turn) (string, error) {
	_, err := d.desk(ctx, t).Take(ctx, t.Actor())
	if err != nil && !errors.Is(err, indicator.ErrTaken) {
		return "", err
	}
	return "/quality", nil
}

// make makes a list or its workbook. The log is told whose records they are before anybody
// can take it.
func (d consoleQuality) make(ctx context.Context, t *work.Turn) (string, error) {
	var o console.QualityOrder
	if err := json.Unmarshal(t.Args(), &o); err != nil {
		return "", err
	}
	erased, err := d.o.store.ErasedCount(ctx) // before the first record is read
	if err != nil {
		return "", err
	}
	m := console.QualityMade{Order: o, At: d.a.Now(), Until: d.a.Now().Add(madeLife)}
	size := 0
	if m.Listing, err = o.List(ctx, d.desk(ctx, t), t.Actor()); err != nil {
		return "", err
	}
	if o.What == console.QualityFile {
		if m.Body, err = m.Listing.Workbook(); err != nil {
			return "", err
		}
		m.Rows, m.Listing.Lines, size = len(m.Listing.Lines), nil, len(m.Body)
	}
	for i := range m.Listing.Lines {
		l := &m.Listing.Lines[i]
		size += 200 + len(l.List) + len(l.Number) + len(l.Extra)
	}
	err = d.listed.keep(t.ID(), made[console.QualityMade]{what: m, bytes: size, until: m.Until, by: t.Actor().ID, erased: erased}, d.a.Now())
	if errors.Is(err, errMadeLarge) {
		return "", &work.Fault{Word: console.WordListTooLarge, Err: err}
	}
	return "/quality/made/" + t.ID(), err
}

// Made implements console.QualityWork.
func (d consoleQuality) Made(ctx context.Context, account, job string) (console.QualityMade, error) {
	m, err := d.listed.take(ctx, d.o.store, job, account, d.a.Now())
	switch {
	case errors.Is(err, errNotMade):
		return m, console.ErrNotFound
	case errors.Is(err, errMadeGone):
		return m, console.ErrListGone
	}
	return m, err
}
