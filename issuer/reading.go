package issuer

import (
	"context"
	"reflect"
	"slices"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
)

// A Reading is what the second account of a batch reads before it approves: who gets what,
// as the records are now, and what it should look at.
type Reading struct {
	Digest [32]byte     // of the batch now: another one than the proposal's where records changed since
	Before uint64       // the round that it is compared with; 0: none
	Rows   []ReadingRow // who gets a card, in the order of their ids
	Gone   []ReadingRow // who was in the round before and gets none; not asked of an import, which is a part
}

// A ReadingRow is one unit of a Reading. It holds no name.
type ReadingRow struct {
	Unit     UnitID
	External string               // identifier it came with; may be empty
	Due      registry.Entitlement // the zero value: nothing is planned
	Was      registry.Entitlement // in the round before; the zero value: nothing
	Until    credential.Time      // of a provisional card; 0: a whole one
	Wrote    []string             // accounts that wrote what stands in the record
	Own      bool                 // the account that prepared the batch is one of them
	New      bool                 // was not in the round before
	Changed  bool                 // is due something else than in the round before
	Override Override             // the zero value: it passed the gate
	Doubles  []Finding
	Why      BulkReason // of Gone: why it gets none
}

// A Finding is a possible double of a unit, or of a member of it.
type Finding struct {
	Other   UnitID // record that may be the same person
	Why     string // registry.KeyDocument, registry.KeyNameYear
	Decided string // empty: nobody decided yet; "different"
	By      string // who decided
}

// A ReadingStore has the records, and the cards that were made for them.
type ReadingStore interface {
	registry.Store
	Cards(ctx context.Context, s Selection) ([]Card, error)
}

// Read makes the Reading of a proposal from the records as they are now; gate, units and
// now are as for Gather. The proposal itself stays as it is.
func (p Proposal) Read(ctx context.Context, store ReadingStore, gate quality.Gate, units []UnitID, now func() time.Time) (*Reading, error) {
	r := &Reading{}
	_, unfit, err := p.gather(ctx, store, gate, units, now, func(c *Candidate, s *Settled) {
		if s.LeftOut != "" || s.Refusal != nil {
			return
		}
		one := ReadingRow{Unit: c.Unit, External: c.External, Due: c.Due, Until: s.Request.ExpiresAt, Wrote: c.Wrote}
		one.Own = slices.ContainsFunc(c.Wrote, func(by string) bool { return access.SameAccount(by, p.By) })
		one.Override, _ = p.Override(c.Unit)
		r.Rows = append(r.Rows, one)
	})
	if err != nil {
		return nil, err
	}
	r.Digest = p.Digest
	if err := r.compare(ctx, store, &p, unfit); err != nil {
		return nil, err
	}
	return r, store.View(ctx, r.findings)
}

// compare tells what differs from the round before: the last one with a smaller number.
func (r *Reading) compare(ctx context.Context, store ReadingStore, p *Proposal, unfit []Unfit) error {
	was := map[UnitID]registry.Entitlement{}
	err := store.View(ctx, func(v registry.View) error {
		plan, err := v.Programme(p.Programme)
		if err != nil {
			return err
		}
		for _, round := range plan.Rounds {
			if round.N < p.Round {
				r.Before = max(r.Before, round.N)
			}
		}
		if r.Before == 0 {
			return nil
		}
		return v.Entitlements(p.Programme, r.Before, func(e registry.Entitlement) error {
			if e.Status != registry.Cancelled {
				was[e.Unit] = e
			}
			return nil
		})
	})
	if err != nil || r.Before == 0 {
		return err
	}
	// Without a plan, who had a card of that round was in it.
	cards, err := store.Cards(ctx, Selection{Programme: p.Programme, Round: r.Before, Type: p.Type})
	if err != nil {
		return err
	}
	for i := range cards {
		if _, there := was[cards[i].Unit]; !there {
			was[cards[i].Unit] = registry.Entitlement{}
		}
	}
	for i := range r.Rows {
		one := &r.Rows[i]
		before, there := was[one.Unit]
		one.Was, one.New = before, !there
		one.Changed = there && before.ID != "" && one.Due.ID != "" && !sameDue(&before, &one.Due)
		delete(was, one.Unit)
	}
	if p.Import != "" {
		return nil
	}
	why := map[UnitID]*Unfit{}
	for i := range unfit {
		why[unfit[i].Unit] = &unfit[i]
	}
	for unit, before := range was {
		gone := ReadingRow{Unit: unit, Was: before}
		if u := why[unit]; u != nil {
			gone.External, gone.Why = u.External, BulkReason{Why: u.Reasons[0], Count: 1, Lack: Lack{Code: u.Code}}
			if len(u.Lacks) > 0 {
				gone.Why.Lack = u.Lacks[0]
			}
		}
		r.Gone = append(r.Gone, gone)
	}
	slices.SortFunc(r.Gone, func(a, b ReadingRow) int { return slices.Compare(a.Unit[:], b.Unit[:]) })
	return nil
}

// sameDue reports whether two rounds give the same.
func sameDue(a, b *registry.Entitlement) bool {
	return a.Amount == b.Amount && a.Currency == b.Currency && reflect.DeepEqual(a.Items, b.Items) && reflect.DeepEqual(a.Services, b.Services)
}

// findings adds possible doubles, of persons to the rows of their households, too.
func (r *Reading) findings(v registry.View) error {
	pairs, err := v.Doubles(true)
	if err != nil {
		return err
	}
	of := map[UnitID][]Finding{}
	for _, p := range pairs {
		if p.Decided != registry.Same { // else they are one record
			of[p.A] = append(of[p.A], Finding{p.B, p.Why, p.Decided, p.By})
			of[p.B] = append(of[p.B], Finding{p.A, p.Why, p.Decided, p.By})
		}
	}
	if len(of) == 0 {
		return nil
	}
	for i := range r.Rows {
		one := &r.Rows[i]
		members, err := v.Members(one.Unit)
		if err != nil {
			return err
		}
		one.Doubles = append(one.Doubles, of[one.Unit]...)
		for _, m := range members {
			one.Doubles = append(one.Doubles, of[m]...)
		}
	}
	return nil
}
