package registry

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"aidpass/access"
)

// A Rule says what each unit of a programme is due in a round.
type Rule struct {
	Amount    string // decimal, in the programme's currency; empty: no money
	PerHead   bool   // times the people of a household
	Items     []Item // things; their numbers are of a unit, not of a head
	Services  []Service
	Mechanism string
	// Here leaves out whose record does not name a place of the round, as its site or p-code.
	Here bool
}

// A Plan is what a Rule comes to.
type Plan struct {
	Units    int  // living units of the programme's kind
	New      int  // entitlements that were, or would be, made
	Changed  int  // planned ones that say another amount now
	Same     int  // nothing to do
	Kept     int  // already issued, on hold or collected: never touched
	Sizeless []ID // households of a size unknown or beyond belief, which a rule by heads leaves out
	// Elsewhere are those whose record names none of the round's places, where it has any:
	// they are planned too unless the rule says Here. A place of a round is where things are
	// handed out, and need not be what records call where people live.
	Elsewhere int
	Total     string // of New, Changed and Same, in the programme's currency
}

// planBatch is how many units are planned in one transaction.
const planBatch = 500

// Plan makes the entitlements of a round for all living units of the programme's
// kind; with preview, it says what it would make and writes nothing. Running it again
// changes nothing unless the rule or a household changed, and never what was issued.
//
// Every batch of units is one transaction, so a run that was broken off is finished
// by running it again.
func (r *Registry) Plan(ctx context.Context, programme string, round uint64, rule Rule, preview bool) (plan Plan, err error) {
	p, err := r.Programme(ctx, programme)
	if err != nil {
		return plan, fmt.Errorf("registry: programme %q: %w", programme, err)
	}
	if err := checkRule(p, round, rule); err != nil {
		return plan, err
	}
	at := p.Rounds[slices.IndexFunc(p.Rounds, func(r Round) bool { return r.N == round })].Sites // checkRule found it
	total := new(big.Rat)
	var after ID
	for {
		var page []ID
		work := func(v View, save func(Entitlement) error) error {
			if page, err = v.Units(p.Counts, after, planBatch); err != nil {
				return err
			}
			for _, id := range page {
				if err := plan.unit(v, p, round, at, rule, id, total, save); err != nil {
					return err
				}
			}
			return nil
		}
		if preview {
			err = r.Store.View(ctx, func(v View) error { return work(v, func(Entitlement) error { return nil }) })
		} else {
			err = r.Store.Update(ctx, r.Actor, func(tx Tx) error {
				return work(tx, func(e Entitlement) error {
					_, err := tx.SaveEntitlement(e)
					return err
				})
			})
		}
		if err != nil {
			return Plan{}, err
		}
		if len(page) == 0 {
			break
		}
		after = page[len(page)-1]
	}
	if rule.Amount != "" {
		digits, _ := CurrencyDigits(p.Currency) // was checked
		plan.Total = total.FloatString(digits)
	}
	if preview || plan.New+plan.Changed == 0 {
		return plan, nil
	}
	err = r.Store.Update(ctx, r.Actor, func(tx Tx) error {
		return tx.Note(access.Entry{Action: "entitlement.plan", Object: programme,
			Detail: fmt.Sprintf("round=%d new=%d changed=%d", round, plan.New, plan.Changed)})
	})
	return plan, err
}

func checkRule(p Programme, round uint64, rule Rule) error {
	found := false
	for _, r := range p.Rounds {
		found = found || r.N == round
	}
	switch {
	case !found:
		return fmt.Errorf("registry: programme %s has no round %d: %w", p.Code, round, ErrNotFound)
	case rule.Amount == "" && len(rule.Items) == 0 && len(rule.Services) == 0:
		return refuse(RefusedRuleNothing, "registry: a rule of nothing: say an amount, things or services")
	case rule.Amount == "" && rule.PerHead:
		return refuse(RefusedRuleHeads, "registry: a rule by heads needs an amount")
	case rule.Amount != "" && p.Currency == "":
		return refuse(RefusedNoCurrency, "registry: programme %s has no currency: aidpass programme add %s --currency JOD", p.Code, p.Code)
	}
	if rule.Amount != "" {
		_, err := Money(rule.Amount, p.Currency, 1)
		return err
	}
	return nil
}

// unit plans for one.
func (plan *Plan) unit(v View, p Programme, round uint64, at []string, rule Rule, id ID, total *big.Rat, save func(Entitlement) error) error {
	rec, err := v.Record(id)
	if errors.Is(err, ErrErased) {
		return nil
	}
	if err != nil {
		return err
	}
	heads, inUse := 1, false
	var lives *Location
	if p.Counts == KindPerson {
		person, err := rec.Person()
		if err != nil {
			return err
		}
		if inUse = InUse(person.Status); inUse && len(at) > 0 {
			if lives, err = livesAt(v, rec, person); err != nil {
				return err
			}
		}
	} else {
		h, err := rec.HouseholdRecord()
		if err != nil {
			return err
		}
		lives = h.Location
		if inUse = InUse(h.Status); inUse && rule.PerHead {
			if heads, err = headsOf(v, id, h); err != nil {
				return err
			}
		}
	}
	if !inUse {
		return nil
	}
	plan.Units++
	if len(at) > 0 && !lives.amongPlaces(at) {
		if plan.Elsewhere++; rule.Here {
			return nil
		}
	}
	if heads == 0 {
		plan.Sizeless = append(plan.Sizeless, id)
		return nil
	}
	e := Entitlement{Unit: id, Programme: p.Code, Round: round, Items: rule.Items, Services: rule.Services, Mechanism: rule.Mechanism, Status: Planned}
	if rule.Amount != "" {
		if e.Amount, err = Money(rule.Amount, p.Currency, heads); err != nil {
			return err
		}
		e.Currency = p.Currency
	}
	old, err := v.Entitlement(id, p.Code, round)
	switch {
	case errors.Is(err, ErrNotFound):
		plan.New++
	case err != nil:
		return err
	case old.Status != Planned:
		plan.Kept++
		return nil
	default:
		e.ID, old.Unit = old.ID, id
		if reflect.DeepEqual(normal(old), normal(e)) {
			plan.Same++
			addTo(total, e.Amount)
			return nil
		}
		plan.Changed++
	}
	addTo(total, e.Amount)
	return save(e)
}

// livesAt is where a person stays: with her household where she has one.
func livesAt(v View, rec Record, person Person) (*Location, error) {
	if rec.Household.IsZero() {
		return person.Location, nil
	}
	house, err := v.Record(rec.Household)
	if errors.Is(err, ErrErased) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	h, err := house.HouseholdRecord()
	return h.Location, err
}

// amongPlaces reports whether l names one of places: by its site, however that is spelled in
// capitals, spaces and hyphens, or by its p-code.
func (l *Location) amongPlaces(places []string) bool {
	bare := strings.NewReplacer("-", "", "_", "", ".", "", " ", "")
	return l != nil && slices.ContainsFunc(places, func(p string) bool {
		p = bare.Replace(p)
		return p != "" && (strings.EqualFold(p, bare.Replace(l.Site)) || strings.EqualFold(p, bare.Replace(l.PCode)))
	})
}

// normal makes empty lists alike.
func normal(e Entitlement) Entitlement {
	if len(e.Items) == 0 {
		e.Items = nil
	}
	if len(e.Services) == 0 {
		e.Services = nil
	}
	return e
}

func addTo(total *big.Rat, amount string) {
	if a, ok := new(big.Rat).SetString(amount); ok {
		total.Add(total, a)
	}
}

// InUse reports whether something may be given to a unit with this status.
func InUse(s *Status) bool { return s == nil || s.State == "" || s.State == StateActive }

// headsOf is the number of people a household is given for: its size as declared,
// else its members on record; 0 when neither is known, or the size cannot be.
func headsOf(v View, id ID, h Household) (int, error) {
	if h.Size > LargestHousehold {
		return 0, nil
	}
	if h.Size > 0 {
		return h.Size, nil
	}
	members, err := readMembers(v, id)
	return counted(members), err
}

// ParseItem reads a thing and how much of it, as people type it: CODE=2 or CODE=1.5kg.
func ParseItem(s string) (Item, bool) {
	code, qty, ok := strings.Cut(s, "=")
	unit := ""
	if n := strings.IndexFunc(qty, func(r rune) bool { return (r < '0' || r > '9') && r != '.' }); n >= 0 {
		qty, unit = qty[:n], qty[n:]
	}
	// 1e9 is no unit of 1, and not meant as one.
	if v, err := strconv.ParseFloat(qty, 64); !ok || code == "" || err != nil || v <= 0 || strings.ContainsAny(unit, "0123456789+-") {
		return Item{}, false
	}
	return Item{Code: code, Qty: qty, Unit: unit}, true
}

// ParseService reads a service and how many visits, from 1 to 1,000: CODE=4.
func ParseService(s string) (Service, bool) {
	code, number, ok := strings.Cut(s, "=")
	n, err := strconv.Atoi(number)
	if !ok || code == "" || err != nil || n < 1 || n > 1000 {
		return Service{}, false
	}
	return Service{Code: code, Visits: n}, true
}

// Due counts what is due in each round of a programme, by its status.
func (r *Registry) Due(ctx context.Context, code string) (due map[uint64]map[EntitlementStatus]int, err error) {
	due = map[uint64]map[EntitlementStatus]int{}
	err = r.Store.View(ctx, func(v View) error {
		p, err := v.Programme(code)
		if err != nil {
			return err
		}
		for _, round := range p.Rounds {
			n := map[EntitlementStatus]int{}
			if err := v.Entitlements(code, round.N, func(e Entitlement) error { n[e.Status]++; return nil }); err != nil {
				return err
			}
			due[round.N] = n
		}
		return nil
	})
	return due, err
}
