package doubles

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/match"
)

// When what was learnt is learnt anew.
const (
	learntFor    = 31 * 24 * time.Hour
	manyShare    = 5   // one in so many records changed
	fewToCompare = 500 // records that are never many
)

// Run looks for doubles in the name of by. It may be stopped at any time: what it stored
// is whole, the index is as it was, and the next run goes on from there.
func (d *Desk) Run(ctx context.Context, by access.Actor, o Options) (Report, error) {
	begun := time.Now()
	r := &run{desk: d, ctx: ctx, by: by, opt: o}
	r.rep = Report{At: d.Now().UTC(), By: by.ID, Full: true}
	r.rep.Limits.PerThousand, r.rep.Limits.OfOne = MostPerThousand, MostOfOne
	if err := r.work(); err != nil {
		return r.rep, fmt.Errorf("doubles: %w", err)
	}
	r.rep.Seconds = time.Since(begun).Seconds()
	return r.rep, r.keep()
}

// A run is one.
type run struct {
	desk *Desk
	ctx  context.Context
	by   access.Actor
	opt  Options
	rep  Report
	mark Mark

	index  *match.Index
	model  *match.Model // nil: to be learnt
	from   int          // people from this number on are compared with all
	again  map[registry.ID]bool
	homes  map[registry.ID]*registry.Household
	sample *sample // of a run over all
	kept   []byte  // the index, for the next run
	done   int
	of     int
}

func (r *run) work() (err error) {
	if r.mark, err = r.desk.Store.Mark(r.ctx); err != nil {
		return err
	}
	r.of = 2 * max(r.mark.People, 1)
	last, _, err := r.desk.Last(r.ctx)
	if err != nil {
		return err
	}
	r.homes = map[registry.ID]*registry.Household{}
	if r.rep.Why, err = r.resume(last); err != nil {
		return err
	}
	if r.rep.Full = r.rep.Why != ""; r.rep.Full {
		r.index, r.again, r.from = match.NewIndex(), nil, 0
		r.sample = newSample()
		err = r.readAll()
	} else {
		r.rep.Fairness, r.rep.Learnt = last.Fairness, last.Learnt
		err = r.readChanged()
	}
	if err != nil {
		return err
	}
	r.rep.People = r.index.Len()
	found, err := r.compare()
	if err != nil {
		return err
	}
	r.tell(r.of * 19 / 20)
	if err := r.save(found); err != nil {
		return err
	}
	if r.kept, err = appendKept(r.index, r.model); err != nil || !r.rep.Full {
		return err
	}
	r.rep.Fairness, err = r.fairness(found)
	return err
}

// resume takes up the kept index. It returns why all are compared instead; "": they are not.
func (r *run) resume(last Report) (why string, err error) {
	body, seq, err := r.desk.Store.Index(r.ctx)
	switch {
	case errors.Is(err, ErrDamaged):
		return FullDamaged, nil
	case errors.Is(err, ErrNoIndex):
		return FullFirst, nil
	case err != nil:
		return "", err
	}
	if r.index, r.model, err = readKept(body); err != nil {
		return FullDamaged, nil
	}
	model := r.model
	if !r.opt.keepModel {
		r.model = nil
	}
	if r.opt.Full {
		return FullAsked, nil
	}
	changed, err := r.desk.Store.Changed(r.ctx, seq)
	switch {
	case err != nil:
		return "", err
	case len(changed) > max(fewToCompare, r.index.Len()/manyShare):
		return FullMany, nil
	case last.Learnt == nil || r.rep.At.Sub(last.Learnt.At) > learntFor:
		return FullMonth, nil
	}
	r.model = model
	return "", r.whoAgain(changed)
}

// whoAgain works out who is compared again: who was changed, and everybody of a household
// that she is in or was in, whose pairs support each other.
func (r *run) whoAgain(changed []registry.ID) error {
	homes := r.index.Homes()
	touched := map[registry.ID]bool{}
	r.again = map[registry.ID]bool{}
	for _, id := range changed {
		r.again[id], touched[id] = true, true
	}
	for i, home := range homes {
		if !home.IsZero() && r.again[r.index.ID(i)] {
			touched[home] = true
		}
	}
	for i, home := range homes {
		if touched[home] {
			r.again[r.index.ID(i)] = true
		}
	}
	return r.desk.Store.View(r.ctx, func(v registry.View) error {
		for _, id := range changed {
			rec, err := v.Record(id)
			if errors.Is(err, registry.ErrErased) || errors.Is(err, registry.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			home := rec.Household
			if rec.Kind == registry.KindHousehold {
				home = id
			}
			if home.IsZero() {
				continue
			}
			members, err := v.Members(home)
			if err != nil {
				return err
			}
			for _, m := range members {
				r.again[m] = true
			}
		}
		return nil
	})
}

// A pair of a run: two records, and what speaks.
type pair struct {
	match.Pair
	a, b     registry.ID
	evidence []registry.Evidence
}

// told is 1 for a pair that is told to be one person: those come first, however many bits
// a guard holds back in others.
func told(p pair) int {
	if p.Outcome == match.Duplicate {
		return 1
	}
	return 0
}

// compare runs the engine, with no transaction open.
func (r *run) compare() ([]pair, error) {
	if r.from == r.index.Len() && r.from > 0 { // nobody is new
		return nil, r.ctx.Err()
	}
	o := match.Options{Model: r.model, From: r.from, Seed: 1}
	start := r.done
	o.Progress = func(done, of int64) {
		if of > 0 {
			r.tell(start + int(float64(r.of-start)*float64(done)/float64(of)*9/10))
		}
	}
	res, err := r.index.Run(r.ctx, o)
	if err != nil {
		return nil, err
	}
	if r.model == nil || r.rep.Learnt == nil {
		r.rep.Learnt = &Learnt{r.rep.At, r.index.Len()}
	}
	r.model = res.Model
	r.rep.Compared = res.Compared
	for _, rule := range res.Rules {
		r.rep.Parted += rule.Cut
	}
	found := make([]pair, len(res.Pairs))
	for i, p := range res.Pairs {
		found[i] = pair{Pair: p, a: r.index.ID(p.A), b: r.index.ID(p.B)}
		for _, reason := range r.index.Explain(res, p) {
			found[i].evidence = append(found[i].evidence, registry.Evidence{Field: reason.Field, Level: reason.Level, Bits: float32(reason.Bits)})
		}
		if p.Outcome == match.Duplicate {
			r.rep.Told++
		} else {
			r.rep.Review++
		}
	}
	groups, _ := match.Groups(res.Pairs, match.GroupChance)
	for _, g := range groups {
		if len(g) > 2 {
			r.rep.Groups++
		}
	}
	slices.SortFunc(found, func(a, b pair) int {
		return cmp.Or(told(b)-told(a), cmp.Compare(b.Bits, a.Bits), slices.Compare(a.a[:], b.a[:]), slices.Compare(a.b[:], b.b[:]))
	})
	return found, nil
}

func (r *run) tell(done int) {
	if r.done = max(done, r.done); r.opt.Progress != nil {
		r.opt.Progress(min(r.done, r.of), r.of)
	}
}

// keep keeps the report and the index.
func (r *run) keep() error {
	index := r.kept
	for r.rep.Kept = true; ; index = nil {
		body, err := json.Marshal(r.rep)
		if err != nil {
			return err
		}
		note := access.Entry{Action: "duplicates.run", Object: "registry", Detail: fmt.Sprintf("people=%d read=%d new=%d renewed=%d reopened=%d withdrawn=%d left_out=%d full=%s index=%t",
			r.rep.People, r.rep.Read, r.rep.New, r.rep.Renewed, r.rep.Reopened, r.rep.Withdrawn, r.rep.Flood, cmp.Or(r.rep.Why, "no"), r.rep.Kept)}
		kept, err := r.desk.Store.KeepRun(r.ctx, r.by, note, body, r.mark, index)
		if err != nil {
			return fmt.Errorf("doubles: %w", err)
		}
		if kept == r.rep.Kept {
			r.tell(r.of)
			return nil
		}
		r.rep.Kept = kept // somebody was erased while it ran
	}
}
