package issuer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aidpass/credential"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
	"aidpass/schemas"
)

// An Ask says whom on record a run is for, and what stands on their cards.
type Ask struct {
	Type      *schemas.Type
	Programme string
	Round     uint64        // 0: none
	Kind      registry.Kind // of the units, where the programme has no plan that says what it counts
	All       bool          // every living unit, with or without an entitlement
	Units     []UnitID      // these, with or without; nil: those with a planned entitlement of the round
	Seal      []string      // sealed claims to fill
	Photo     bool          // bind cards to the photo on record
	At        time.Time
	Until     credential.Time // end of provisional cards; 0: as the gate reckons
}

// Why somebody on record gets no request.
const (
	SkippedHold   = "suspended"   // the entitlement is on hold
	SkippedCancel = "cancelled"   // the entitlement is cancelled
	SkippedOver   = "over"        // it was collected, returned or has lapsed
	SkippedGone   = "gone"        // the record is closed or inactive, erased, or is not a unit of this kind
	SkippedClaims = RefusedClaims // the record does not fit the type
)

// A Candidate is a unit on record that a run is for.
type Candidate struct {
	Unit     UnitID
	External string           // identifier it came with; may be empty
	Decision quality.Decision // of the gate
	Request  Request          // without Row; not to be issued when Skipped is set
	Skipped  string           // a code; empty: it is to be issued
	// OtherKind: it is skipped since it is not a unit of the kind the run is for.
	OtherKind bool
	Why       string // in words, with what would mend it

	Due   registry.Entitlement // of the round; the zero value where there is none
	Wrote []string             // accounts that wrote what stands in the record
}

// candidatesPage is how many records one transaction reads.
const candidatesPage = 256

// Candidates calls each for every unit an Ask is for, in the order of their ids,
// with the gate's decision and a request made from the record. It reads and writes
// nothing else. Units of a programme are of the kind its plan counts.
func Candidates(ctx context.Context, store registry.Store, gate quality.Gate, a Ask, each func(*Candidate) error) error {
	c := &candidates{store: store, gate: gate, ask: a, kind: a.Kind}
	if err := c.choose(ctx); err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	for page := range slices.Chunk(c.units, candidatesPage) {
		err := store.View(ctx, func(v registry.View) error {
			reader := quality.One(v)
			for _, unit := range page {
				one, err := c.read(v, reader, unit)
				if err != nil {
					return fmt.Errorf("unit %s: %w", unit, err)
				}
				if err := each(one); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("issuer: %w", err)
		}
	}
	return nil
}

type candidates struct {
	store registry.Store
	gate  quality.Gate
	ask   Ask
	kind  registry.Kind
	units []UnitID
	due   map[UnitID]registry.Entitlement
}

// choose finds the units: named ones, all, or those with an entitlement.
func (c *candidates) choose(ctx context.Context) error {
	return c.store.View(ctx, func(v registry.View) error {
		p, err := v.Programme(c.ask.Programme)
		switch {
		case err == nil && p.Counts != "":
			c.kind = p.Counts
		case err != nil && !errors.Is(err, registry.ErrNotFound):
			return err
		}
		c.due = map[UnitID]registry.Entitlement{}
		if c.ask.Round > 0 {
			err := v.Entitlements(c.ask.Programme, c.ask.Round, func(e registry.Entitlement) error {
				c.due[e.Unit] = e
				return nil
			})
			if err != nil {
				return err
			}
		}
		switch {
		case c.ask.Units != nil:
			c.units = slices.Clone(c.ask.Units)
		case c.ask.All:
			return c.everybody(v)
		default:
			for u := range c.due {
				c.units = append(c.units, u)
			}
		}
		slices.SortFunc(c.units, func(a, b UnitID) int { return slices.Compare(a[:], b[:]) })
		c.units = slices.Compact(c.units)
		return nil
	})
}

func (c *candidates) everybody(v registry.View) error {
	const page = 1000
	for after := (UnitID{}); ; {
		ids, err := v.Units(c.kind, after, page)
		if err != nil || len(ids) == 0 {
			return err
		}
		c.units = append(c.units, ids...)
		after = ids[len(ids)-1]
	}
}

// read makes one candidate. Its error is a fault of the store.
func (c *candidates) read(v registry.View, reader *quality.Reader, unit UnitID) (*Candidate, error) {
	one := &Candidate{Unit: unit, Request: Request{Unit: unit}}
	rec, err := v.Record(unit)
	if errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrErased) {
		one.Skipped, one.Why = SkippedGone, "there is no such record any more"
		return one, nil
	}
	if err != nil {
		return nil, err
	}
	one.External = rec.External
	if rec.Kind != c.kind {
		one.Skipped, one.OtherKind, one.Why = SkippedGone, true, fmt.Sprintf("this is a %s, and the run is for cards of a %s", rec.Kind, c.kind)
		return one, nil
	}
	due, entitled := c.due[unit]
	one.Due, one.Wrote = due, writersOf(&rec)
	if entitled {
		if one.Skipped, one.Why = heldBack(due.Status); one.Skipped != "" {
			return one, nil
		}
	}
	u, err := reader.UnitOf(rec)
	if err != nil {
		return nil, err
	}
	if s := statusOf(&u); s != nil && s.State != "" && s.State != "active" && c.ask.Units == nil {
		one.Skipped, one.Why = SkippedGone, "the record is "+s.State
		return one, nil
	}
	one.Decision = c.gate.Judge(u, c.ask.At)
	if one.Decision.Outcome == quality.Provisional {
		one.Request.ExpiresAt = c.ask.Until
		if c.ask.Until == 0 {
			one.Request.ExpiresAt = credential.FromStd(one.Decision.Until)
		}
	}
	who, house := subject(&u, c.ask.At)
	claims, err := ClaimsOf(c.ask.Type, who, house, c.ask.At, c.ask.Seal)
	if err != nil {
		one.Skipped, one.Why = SkippedClaims, err.Error()
		return one, nil
	}
	if name := "entitlement"; entitled && slices.Contains(c.ask.Seal, name) {
		if b := benefit(&due); b != nil {
			if claims[name], err = c.ask.Type.Claim(name).Parse(b); err != nil {
				one.Skipped, one.Why = SkippedClaims, err.Error()
				return one, nil
			}
		}
	}
	one.Request.Claims = claims
	if c.ask.Photo && len(who.Photo) > 0 {
		one.Request.Photo = who.Photo
	}
	return one, nil
}

// writersOf are the accounts that wrote the fields of a record as they stand, in order.
func writersOf(rec *registry.Record) (accounts []string) {
	for _, v := range rec.Fields {
		if v.By != "" && !slices.Contains(accounts, v.By) {
			accounts = append(accounts, v.By)
		}
	}
	slices.Sort(accounts)
	return accounts
}

// heldBack says why a unit with such an entitlement gets no card.
func heldBack(s registry.EntitlementStatus) (code, why string) {
	switch s {
	case registry.OnHold:
		return SkippedHold, "the entitlement is on hold"
	case registry.Cancelled:
		return SkippedCancel, "the entitlement is cancelled"
	case registry.Collected, registry.Partial, registry.Returned, registry.Lapsed:
		return SkippedOver, "the entitlement is " + string(s)
	}
	return "", ""
}

func statusOf(u *quality.Unit) *registry.Status {
	if u.Person != nil {
		return u.Person.Status
	}
	return u.Household.Status
}

// subject returns who a card is about: the person, or of a household who collects
// for it, else its focal point, else its only member. The head is not asked for:
// being head gives no right (DOMAIN.md R26). A household that only lists its
// members has as many as are with it.
func subject(u *quality.Unit, at time.Time) (who registry.Person, house registry.Household) {
	if u.Household != nil {
		house = *u.Household
	}
	if u.Person != nil {
		house.Collectors = nil // hers is the card, whoever fetches for the household
		return *u.Person, house
	}
	var living []quality.Member
	for _, m := range u.Members {
		if s := m.Person.Status; s == nil || s.State == "" || s.State == "active" {
			living = append(living, m)
		}
	}
	if house.Size == 0 {
		house.Size = len(living)
	}
	today := at.UTC().Format(time.DateOnly)
	var wanted []string
	for _, c := range house.Collectors {
		if c.Role == "primary" && current(c, today) {
			if c.Person == "" && c.External != "" {
				return registry.Person{Names: []registry.Name{{Text: c.External}}}, house
			}
			wanted = append(wanted, c.Person)
		}
	}
	for _, id := range append(wanted, house.FocalPoint) {
		for _, m := range living {
			if id != "" && m.ID.String() == id {
				return m.Person, house
			}
		}
	}
	if len(living) == 1 {
		who = living[0].Person
	}
	return who, house
}
