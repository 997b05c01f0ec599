package registry_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"aidpass/issuer/registry"
)

// twice enters one person into two households of her own.
func (d *desk) twice(t *testing.T) (older, newer registry.ID, houses [2]registry.ID) {
	t.Helper()
	var who [2]registry.ID
	for i := range who {
		h, err := d.EnterHousehold(ctx, "", "", registry.Household{Size: 1, CollectType: "full"})
		houses[i] = must(t, h, err).ID
		e, err := d.Enter(ctx, registry.Entry{Household: houses[i], Person: person("Mohamed Ali Hassan", "1987-05-12")})
		who[i] = must(t, e, err).ID
	}
	return who[0], who[1], houses
}

func (d *desk) status(t *testing.T, id registry.ID) *registry.Status {
	t.Helper()
	rec, err := d.Record(ctx, id)
	must(t, rec, err)
	if rec.Kind == registry.KindHousehold {
		h, err := rec.HouseholdRecord()
		return must(t, h, err).Status
	}
	p, err := rec.Person()
	return must(t, p, err).Status
}

// Somebody registered twice, each time as a household, collects once: two people
// decide it, and two take it back.
func TestADoubleStopsItsHouseholdToo(t *testing.T) {
	d := newDesk()
	older, newer, houses := d.twice(t)
	d.store.GiveCards(newer, 1)
	d.store.GiveCards(houses[1], 1)
	d.store.GiveCards(houses[0], 1)
	if _, err := d.DecideDouble(ctx, older, newer, registry.Same); !errors.Is(err, registry.ErrSecondPerson) {
		t.Fatalf("one person cancelled a card: %v", err)
	}
	if open, err := d.Doubles(ctx, false); err != nil || len(open) != 1 || !d.status(t, newer).Living() || d.store.CardsOf(newer) != 1 {
		t.Fatal("a refused decision left something behind")
	}
	d.Actor.SecondPerson = "lead"
	after, err := d.DecideDouble(ctx, older, newer, registry.Same)
	if must(t, after, err); after.Stopped != 2 || !slices.Equal(after.Revoke, []registry.ID{newer, houses[1]}) {
		t.Errorf("%+v", after)
	}
	if d.status(t, houses[1]).Living() || !d.status(t, houses[0]).Living() || d.store.CardsOf(houses[0]) != 1 {
		t.Error("a household of nobody is in use, or the wrong one is not")
	}
	if _, err := d.DecideDouble(ctx, older, newer, registry.Different); err != nil {
		t.Fatal(err)
	}
	if !d.status(t, houses[1]).Living() || d.group(t, houses[1]).Household.Size != 1 || len(d.group(t, houses[1]).Members) != 1 {
		t.Error("the decision was not taken back whole")
	}
}

// A member entered twice is counted once, there and back.
func TestADoubleInAHouseholdIsCountedOnce(t *testing.T) {
	d := newDesk()
	d.Actor.SecondPerson = "lead"
	older, newer, houses := d.twice(t)
	if err := d.Move(ctx, newer, houses[0]); err != nil {
		t.Fatal(err)
	}
	for declared, left := range map[int]int{2: 1, 5: 5, 0: 0} {
		g := d.group(t, houses[0])
		_, err := d.EditHousehold(ctx, g.Record, func(h *registry.Household) error { h.Size = declared; return nil })
		must(t, 0, err)
		_, err = d.DecideDouble(ctx, older, newer, registry.Same)
		if must(t, 0, err); d.group(t, houses[0]).Household.Size != left {
			t.Errorf("of %d declared %d are left, want %d", declared, d.group(t, houses[0]).Household.Size, left)
		}
		_, err = d.DecideDouble(ctx, older, newer, registry.Different)
		if must(t, 0, err); d.group(t, houses[0]).Household.Size != declared {
			t.Errorf("taken back: %d of %d", d.group(t, houses[0]).Household.Size, declared)
		}
	}
}

// Who died stays dead, whatever is decided about her doubles.
func TestADecisionWakesNobody(t *testing.T) {
	d := newDesk()
	d.Actor.SecondPerson = "lead"
	older, newer, _ := d.twice(t)
	if _, err := d.Died(ctx, newer, ""); err != nil {
		t.Fatal(err)
	}
	for _, decision := range []string{registry.Same, registry.Different} {
		after, err := d.DecideDouble(ctx, older, newer, decision)
		if must(t, after, err); len(after.Revoke) > 0 {
			t.Errorf("%+v", after)
		}
		if s := d.status(t, newer); s.Living() || s.Reason != registry.ReasonDeceased {
			t.Errorf("after %q: %+v", decision, s)
		}
	}
}

// The cards stop in the same transaction as the change, or neither is done.
func TestCardsStopWithTheChange(t *testing.T) {
	d := newDesk()
	house, who := d.family(t, "1980", "1985", "2015")
	d.store.GiveCards(house, 1)
	d.store.GiveCards(who[0], 2)
	left, _, after, err := d.Split(ctx, house, registry.SplitPlan{Leaving: who[1:2]})
	if must(t, left, err); after.Stopped != 1 || d.store.CardsOf(house) != 0 {
		t.Errorf("a split left the card: %+v", after)
	}
	d.store.GiveCards(house, 1)
	d.store.GiveCards(left, 1)
	merged, after, err := d.Merge(ctx, []registry.ID{house, left}, registry.ID{})
	if must(t, merged, err); after.Stopped != 2 {
		t.Errorf("a merge left a card: %+v", after)
	}
	if after, err = d.Died(ctx, who[0], ""); err != nil || after.Stopped != 2 {
		t.Errorf("a death left a card: %+v, %v", after, err)
	}
}

// A household under a new number does not collect again what the old card may have
// been used for, until two people looked.
func TestARoundIsCollectedOnce(t *testing.T) {
	d := newDesk()
	a, _ := d.family(t, "1980", "1985")
	b, _ := d.family(t, "1990")
	c, whoC := d.family(t, "1970", "1975", "2010")
	p, err := d.SaveProgramme(ctx, registry.Programme{Code: "K7Q2", Modality: "cash", Counts: registry.KindHousehold, Currency: "KES", Rounds: []registry.Round{{N: 1}, {N: 2}}})
	must(t, p, err)
	plan := func(round uint64) registry.Plan {
		got, err := d.Plan(ctx, "K7Q2", round, registry.Rule{Amount: "100"}, false)
		return must(t, got, err)
	}
	plan(1)
	plan(2)
	set := func(s registry.EntitlementStatus, units ...registry.ID) {
		must(t, 0, d.store.Update(ctx, d.Actor, func(tx registry.Tx) error {
			for _, u := range units {
				e := due1(tx, u, "K7Q2")
				e.Unit, e.Status = u, s
				if _, err := tx.SaveEntitlement(e); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	set(registry.Granted, a, c)
	set(registry.Collected, b)
	state := func(unit registry.ID, round uint64) (s registry.EntitlementStatus) {
		must(t, 0, d.store.View(ctx, func(v registry.View) error {
			e, err := v.Entitlement(unit, "K7Q2", round)
			if err == nil {
				s = e.Status
			}
			return nil
		}))
		return s
	}
	merged, after, err := d.Merge(ctx, []registry.ID{a, b}, registry.ID{})
	if must(t, merged, err); !slices.Contains(after.Decide, registry.DecideRound) || !slices.Contains(after.Decide, registry.DecidePlan) {
		t.Errorf("%v", after.Decide)
	}
	left, stayed, after, err := d.Split(ctx, c, registry.SplitPlan{Leaving: whoC[:1], Renew: true})
	if must(t, left, err); !slices.Contains(after.Decide, registry.DecideRound) {
		t.Errorf("%v", after.Decide)
	}
	plan(1)
	plan(2)
	for _, w := range []struct {
		unit  registry.ID
		round uint64
		want  registry.EntitlementStatus
	}{{merged, 1, registry.OnHold}, {merged, 2, registry.Planned}, {stayed, 1, registry.OnHold}, {stayed, 2, registry.Planned},
		{a, 2, registry.Cancelled}, {c, 2, registry.Cancelled}, {left, 1, registry.Planned}} {
		if got := state(w.unit, w.round); got != w.want {
			t.Errorf("round %d is %q, want %q", w.round, got, w.want)
		}
	}
	if err := d.Release(ctx, merged, "K7Q2", 1); !errors.Is(err, registry.ErrSecondPerson) {
		t.Errorf("one person released it: %v", err)
	}
	d.Actor.SecondPerson = "lead"
	if err := d.Release(ctx, merged, "K7Q2", 1); err != nil || state(merged, 1) != registry.Planned {
		t.Errorf("released: %q, %v", state(merged, 1), err)
	}
	for _, round := range []uint64{1, 9} {
		if err := d.Release(ctx, merged, "K7Q2", round); err == nil {
			t.Errorf("what is not on hold was released")
		}
	}
}

// Acts on lists that make no sense leave everything as it was.
func TestSenselessSplitsAndMerges(t *testing.T) {
	d := newDesk()
	a, who := d.family(t, "1980", "1985")
	b, _ := d.family(t, "1990")
	for name, leaving := range map[string][]registry.ID{"all": who, "one twice": {who[0], who[0]}, "a stranger": {registry.NewID()}} {
		if _, _, _, err := d.Split(ctx, a, registry.SplitPlan{Leaving: leaving}); err == nil {
			t.Errorf("%s left", name)
		}
	}
	if merged, _, err := d.Merge(ctx, []registry.ID{a, b, b}, registry.ID{}); err == nil {
		t.Errorf("a household of %d was merged of two and one", d.group(t, merged).Household.Size)
	}
	if g := d.group(t, a); len(g.Members) != 2 || g.Household.Size != 2 || !g.Household.Status.Living() {
		t.Errorf("%+v", g.Household)
	}
}

// A size that cannot be is no reason to pay a fortune.
func TestNobodyIsPaidForAMillionHeads(t *testing.T) {
	d := newDesk()
	_, err := d.EnterHousehold(ctx, "", "", registry.Household{Size: 1_000_000_000})
	must(t, 0, err)
	_, err = d.SaveProgramme(ctx, registry.Programme{Code: "K7Q2", Modality: "cash", Counts: registry.KindHousehold, Currency: "KES", Rounds: []registry.Round{{N: 1}}})
	must(t, 0, err)
	got, err := d.Plan(ctx, "K7Q2", 1, registry.Rule{Amount: "999999999999", PerHead: true}, false)
	if must(t, got, err); got.New != 0 || len(got.Sizeless) != 1 || got.Total != "0.00" {
		t.Errorf("%+v", got)
	}
}

func TestCollectorsTimes(t *testing.T) {
	d := newDesk()
	house, who := d.family(t, "1980", "1985")
	add := func(role, from, to string) error {
		return d.AddCollector(ctx, house, registry.Collector{Person: who[1].String(), Role: role, From: from, To: to})
	}
	for name, bad := range map[string][2]string{
		"a day that is none": {"", "soon"}, "another way of writing": {"", "1/2/2027"}, "over already": {"", "2020-01-01"},
		"turned round": {"2026-12-31", "2026-12-01"}, "a day that is none at the beginning": {"2026-02-30", ""},
	} {
		for _, role := range []string{registry.Primary, registry.Alternate} {
			if err := add(role, bad[0], bad[1]); err == nil {
				t.Errorf("%s: %s added", name, role)
			}
		}
	}
	if err := add(registry.Alternate, "2028-01-01", ""); err == nil {
		t.Error("an alternate of the years to come")
	}
	last := func() registry.Collector {
		c := d.group(t, house).Household.Collectors
		return c[len(c)-1]
	}
	limit := d.now.Add(registry.LongestAlternate).Format("2006-01-02")
	var refusal *registry.Refusal
	if err := add(registry.Alternate, "", "2099-01-01"); !errors.As(err, &refusal) || !strings.Contains(err.Error(), limit) {
		t.Errorf("longer than half a year: %v", err)
	}
	must(t, 0, add(registry.Alternate, d.now.AddDate(0, 3, 0).Format("2006-01-02"), ""))
	if last().To != limit {
		t.Errorf("an alternate until %s, at most %s", last().To, limit)
	}
	// Asked for again, when it is over and before.
	must(t, 0, add(registry.Alternate, "", ""))
	if n := len(d.group(t, house).Household.Collectors); n != 1 || !last().Serves(d.now) {
		t.Errorf("%d collectors, %+v", n, last())
	}
	d.now = d.now.AddDate(1, 0, 0)
	must(t, 0, add(registry.Alternate, "", ""))
	if !last().Serves(d.now) {
		t.Errorf("asked for again, and it is over: %+v", last())
	}
	must(t, 0, add(registry.Primary, "", ""))
	if last().Role != registry.Primary {
		t.Errorf("%+v", last())
	}
	if err := d.AddCollector(ctx, house, registry.Collector{Person: who[0].String(), Role: registry.Primary}); !errors.Is(err, registry.ErrSecondPerson) {
		t.Errorf("one clerk put another beside the holder: %v", err)
	}
	if err := add(registry.Alternate, "", ""); err == nil {
		t.Error("the holder was made an alternate, whom others may end")
	}
}

// Where nobody holds the card, any member may end an alternate: the dead may not, nor the alternate himself.
func TestTheDeadEndNobodysRight(t *testing.T) {
	d := newDesk()
	house, who := d.family(t, "1980", "1985", "1990")
	must(t, 0, d.AddCollector(ctx, house, registry.Collector{Person: who[0].String(), Role: registry.Alternate}))
	_, err := d.Died(ctx, who[1], "")
	must(t, 0, err)
	for _, asks := range who[:2] {
		if err := d.RevokeCollector(ctx, house, who[0].String(), asks); !errors.Is(err, registry.ErrPrincipal) {
			t.Errorf("%v", err)
		}
	}
	must(t, 0, d.RevokeCollector(ctx, house, who[0].String(), who[2]))
}

// What was planned in one currency is not paid in another.
func TestACurrencyStays(t *testing.T) {
	d := newDesk()
	d.family(t, "1980")
	p := registry.Programme{Code: "K7Q2", Modality: "cash", Counts: registry.KindHousehold, Currency: "JOD", Rounds: []registry.Round{{N: 1}}}
	save := func(currency string) error {
		p.Currency = currency
		_, err := d.SaveProgramme(ctx, p)
		return err
	}
	must(t, 0, errors.Join(save("JOD"), save("KES"), save("JOD")))
	_, err := d.Plan(ctx, "K7Q2", 1, registry.Rule{Amount: "1.125"}, false)
	must(t, 0, err)
	for _, other := range []string{"KES", ""} {
		if err := save(other); err == nil {
			t.Errorf("1.125 JOD became %q", other)
		}
	}
	must(t, 0, save("JOD"))
}
