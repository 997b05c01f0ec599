package registry

import (
	"context"
	"fmt"
	"slices"

	"aidpass/access"
)

// After is what a change of people comes to: the cards that it stopped, in the same
// transaction, and what is left to do, since people must be asked first.
type After struct {
	Revoke  []ID // units whose credentials were stopped: whoever shows one is sent to the help desk, and not told why
	Stopped int  // how many that were
	Stale   []ID // units whose cards say an old size: replace them when their people come next
	Ask     []ID // adults, and those not decided to be, to be asked alone who holds the card
	Decide  []string
	Follow  int // amounts and things that closed records were due, and that another one is due now: see follow
	// Corrected: the act was on record already, and only its day is another one now.
	Corrected bool
}

// What After.Decide asks of people.
const (
	DecideNoAdult     = "no_adult_left"     // only children, or people of unknown age: a named adult or two staff collect
	DecideNewNoAdult  = "no_adult_leaves"   // the same of those who leave: the new household has no collector yet
	DecideNoCollector = "no_collector_left" // nobody on record may fetch for the household
	DecideHead        = "head_left"         // the relations speak of somebody who is gone
	DecideRound       = "round_on_hold"     // the old card may have been used in a round: see carry
	DecidePlan        = "plan_again"        // what is due is to be planned for the new household
	DecideHousehold   = "household_closed"  // she is back, and her household is closed: which one is hers?
)

// stop ends the cards of after.Revoke.
func (after *After) stop(tx Tx) (err error) {
	after.Stopped, err = tx.StopCards(after.Revoke, "registry")
	return err
}

// A SplitPlan says who leaves a household.
type SplitPlan struct {
	Leaving  []ID
	Head     ID        // of those who leave, whom their relations will speak of; zero: none
	Location *Location // where they stay; nil: not known. The old place is not copied: they may have fled it.
	// Renew gives those who stay a new household too, when the card may not be left with
	// either side.
	Renew bool
}

// Split parts a household. Those who leave become a new one, with a new id and so
// with new pseudonyms and card numbers; no field of either record names the other,
// and the side that stays is not told.
//
// What the old card was good for and a new number follows is on hold until two people
// looked whether it was collected: see Release.
//
// It returns the new household, and the one of those who stay: the old id, or a new
// one under plan.Renew. The old unit's cards are revoked when one of those who leave may
// hold its card (a collector of it, or nobody is known to be), so that nobody
// collects for people who are gone; else the card that stays is merely stale.
//
// DESIGN.md 10, DOMAIN.md R26.
func (r *Registry) Split(ctx context.Context, household ID, plan SplitPlan) (left, stayed ID, after After, err error) {
	if len(plan.Leaving) == 0 {
		return left, stayed, after, refuse(RefusedNobodyLeaves, "registry: a split needs somebody who leaves")
	}
	err = r.Store.Update(ctx, r.Actor, func(tx Tx) error {
		rec, h, err := readHousehold(tx, household)
		if err != nil {
			return err
		}
		if !h.Status.Living() {
			return fmt.Errorf("registry: household %s: %w", rec.Called(), ErrClosed)
		}
		members, err := readMembers(tx, household)
		if err != nil {
			return err
		}
		var going, staying []Member
		for _, m := range members {
			if slices.Contains(plan.Leaving, m.ID) {
				going = append(going, m)
			} else {
				staying = append(staying, m)
			}
		}
		if repeated(plan.Leaving) {
			return refuse(RefusedLeavesTwice, "registry: household %s: somebody leaves twice", rec.Called())
		}
		if len(going) != len(plan.Leaving) {
			return refuse(RefusedNotMember, "registry: household %s: %d of %d who leave are no living members of it", rec.Called(), len(plan.Leaving)-len(going), len(plan.Leaving))
		}
		if !plan.Head.IsZero() && !slices.Contains(plan.Leaving, plan.Head) {
			return refuse(RefusedHeadStays, "registry: household %s: the new head is not among those who leave", rec.Called())
		}
		if len(staying) == 0 && h.Size <= counted(going) {
			// A household of nobody would go on collecting.
			return refuse(RefusedNobodyStays, "registry: household %s: nobody would stay: a household that moves as a whole is not parted", rec.Called())
		}
		planned := false
		left, err = r.found(tx, going, plan.Head, plan.Location)
		if err != nil {
			return err
		}
		held := heldBy(h, going)
		without(&h, going)
		stayed = household
		if plan.Renew {
			if stayed, err = r.renew(tx, rec, h, staying); err != nil {
				return err
			}
			held, kept, err := carry(tx, []ID{household}, stayed, true)
			if err != nil {
				return err
			}
			after.Revoke, planned = []ID{household}, held || kept
			after.followed(held, false)
		} else {
			if err := eachDue(tx, []ID{household}, func([]Entitlement) error { planned = true; return nil }); err != nil {
				return err
			}
			if err := saveHousehold(tx, rec, h); err != nil {
				return err
			}
			if held {
				after.Revoke = []ID{household}
			} else {
				after.Stale = []ID{household}
			}
		}
		after.Ask = adults(going, r)
		after.Decide = append(decisions(h, staying, r), after.Decide...)
		if slices.Contains(decisions(Household{}, going, r), DecideNoAdult) {
			after.Decide = append(after.Decide, DecideNewNoAdult)
		}
		after.followed(false, planned)
		if err := after.stop(tx); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "household.split", Object: household.String(), Detail: fmt.Sprintf("left=%d stayed=%d", len(going), len(staying))})
	})
	if err != nil {
		return ID{}, ID{}, After{}, err
	}
	return left, stayed, after, nil
}

// found makes a household of people and moves them there.
func (r *Registry) found(tx Tx, members []Member, head ID, at *Location) (ID, error) {
	h := Household{Size: counted(members), Location: at, CollectType: "full", Registered: r.today()}
	if !head.IsZero() {
		h.Head = head.String()
	}
	fields, err := h.Fields()
	if err != nil {
		return ID{}, err
	}
	saved, err := tx.Save(Change{Kind: KindHousehold, Fields: fields})
	if err != nil {
		return ID{}, err
	}
	for _, m := range members {
		// Relations spoke of somebody else. Whose they are now, the desk asks.
		c := Change{ID: m.ID, Household: saved.ID, Fields: map[string][]byte{"relation": nil}}
		if m.ID == head {
			if c.Fields["relation"], err = AppendValue(nil, Head); err != nil {
				return ID{}, err
			}
		}
		if _, err := tx.Save(c); err != nil {
			return ID{}, err
		}
	}
	return saved.ID, nil
}

// renew closes a household and gives those who are in it a new one, which is the
// same but for its id. The closed record does not say where they are.
func (r *Registry) renew(tx Tx, old Record, h Household, staying []Member) (ID, error) {
	fields, err := h.Fields()
	if err != nil {
		return ID{}, err
	}
	if err := keepMets(fields, old); err != nil {
		return ID{}, err
	}
	saved, err := tx.Save(Change{Kind: KindHousehold, Fields: fields})
	if err != nil {
		return ID{}, err
	}
	for _, m := range staying {
		if _, err := tx.Save(Change{ID: m.ID, Household: saved.ID}); err != nil {
			return ID{}, err
		}
	}
	was, err := old.HouseholdRecord()
	if err != nil {
		return ID{}, err
	}
	was.Status = &Status{State: StateClosed, Reason: ReasonSplit, Date: r.today()}
	return saved.ID, saveHousehold(tx, old, was)
}

// heldBy reports whether one of these may hold the household's card: a collector
// whose time has not been ended, or anybody when no member collects.
func heldBy(h Household, who []Member) bool {
	known := false
	for _, c := range h.Collectors {
		if c.Revoked != "" {
			continue
		}
		known = true
		if slices.ContainsFunc(who, func(m Member) bool { return m.ID.String() == c.Person }) {
			return true
		}
	}
	return !known
}

// without takes people out of a household's own fields.
func without(h *Household, gone []Member) {
	for _, m := range gone {
		id := m.ID.String()
		if h.Head == id {
			h.Head = ""
		}
		if h.FocalPoint == id {
			h.FocalPoint = ""
		}
		h.Collectors = slices.DeleteFunc(slices.Clone(h.Collectors), func(c Collector) bool { return c.Person == id })
	}
	if h.Size > 0 {
		h.Size = max(h.Size-counted(gone), 0)
	}
	h.Bands = nil // they counted those who are gone, and nobody knows in which band
}

// adults are those to be asked alone: grown up, or not decided to be.
func adults(members []Member, r *Registry) (ids []ID) {
	for _, m := range members {
		if m.Birth != nil {
			if adult, decided := m.Birth.Adult(r.Now()); decided && !adult {
				continue
			}
		}
		ids = append(ids, m.ID)
	}
	return ids
}

// decisions are what people must settle about a household.
func decisions(h Household, members []Member, r *Registry) (list []string) {
	if len(members) == 0 {
		return nil
	}
	adult, head := false, false
	for _, m := range members {
		if m.Birth != nil {
			grown, _ := m.Birth.Adult(r.Now())
			adult = adult || grown
		}
		head = head || m.ID.String() == h.Head || m.Relation == Head
	}
	if !adult {
		list = append(list, DecideNoAdult)
	}
	if !slices.ContainsFunc(h.Collectors, func(c Collector) bool { return c.Serves(r.Now()) }) {
		list = append(list, DecideNoCollector)
	}
	if !head {
		list = append(list, DecideHead)
	}
	return list
}

// Merge makes one new household of several. The old ones are closed and point to it;
// their cards are revoked. Who collects is asked anew.
func (r *Registry) Merge(ctx context.Context, households []ID, head ID) (merged ID, after After, err error) {
	if len(households) < 2 || repeated(households) {
		return merged, after, refuse(RefusedMergeTwo, "registry: a merge needs two or more households, each once")
	}
	err = r.Store.Update(ctx, r.Actor, func(tx Tx) error {
		var all []Member
		var recs []Record
		var olds []Household
		whole := Household{CollectType: "full", Registered: r.today()}
		unknown := false
		for _, id := range households {
			rec, h, err := readHousehold(tx, id)
			if err != nil {
				return err
			}
			if !h.Status.Living() {
				return fmt.Errorf("registry: household %s: %w", rec.Called(), ErrClosed)
			}
			members, err := readMembers(tx, id)
			if err != nil {
				return err
			}
			all = append(all, members...)
			recs, olds = append(recs, rec), append(olds, h)
			unknown = unknown || h.Size == 0 && len(members) == 0
			whole.Size += max(h.Size, counted(members))
			if whole.Location == nil {
				whole.Location = h.Location
			}
			if h.CollectType != "full" && h.CollectType != "" {
				whole.CollectType = h.CollectType
			}
		}
		if unknown {
			whole.Size = 0
		}
		if !head.IsZero() {
			if !slices.ContainsFunc(all, func(m Member) bool { return m.ID == head }) {
				return refuse(RefusedHeadElsewhere, "registry: the new head %s is in none of the households", head)
			}
			whole.Head = head.String()
		}
		fields, err := whole.Fields()
		if err != nil {
			return err
		}
		if err := keepMets(fields, recs...); err != nil {
			return err
		}
		saved, err := tx.Save(Change{Kind: KindHousehold, Fields: fields})
		if err != nil {
			return err
		}
		merged = saved.ID
		for _, m := range all {
			if _, err := tx.Save(Change{ID: m.ID, Household: merged}); err != nil {
				return err
			}
		}
		for i, h := range olds {
			h.Status = &Status{State: StateClosed, Reason: ReasonMerged, Date: r.today(), Into: merged.String()}
			if err := saveHousehold(tx, recs[i], h); err != nil {
				return err
			}
		}
		after = After{Revoke: slices.Clone(households), Ask: adults(all, r), Decide: decisions(whole, all, r)}
		held, planned, err := carry(tx, households, merged, false)
		if err != nil {
			return err
		}
		after.followed(held, planned)
		if err := after.stop(tx); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "household.merge", Object: merged.String(), Detail: fmt.Sprintf("households=%d members=%d", len(households), len(all))})
	})
	if err != nil {
		return ID{}, After{}, err
	}
	return merged, after, nil
}
