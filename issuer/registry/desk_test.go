package registry_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/issuer/registry"
)

func (d *desk) of(t interface{ Fatal(...any) }, id registry.ID) registry.Person {
	rec, err := d.Record(ctx, id)
	p, err2 := must(t, rec, err).Person()
	return must(t, p, err2)
}

func TestADayOfDeathIsReadOneWay(t *testing.T) {
	d := newDesk()
	_, who := d.family(t, "1980-05-12", "1985")
	for name, on := range map[string]string{
		"another order": "20/11/2026", "ahead": "2026-12-01", "a month ahead": "2026-12", "a year ahead": "2027", "no such day": "2026-02-30",
		"before the birth": "1980-05-11", "a year before the birth": "1979", "words": "yesterday", "an estimate": "2026~", "a decade": "202X",
	} {
		var refusal *registry.Refusal
		if _, err := d.Died(ctx, who[0], on); !errors.As(err, &refusal) {
			t.Errorf("%s: %q was taken: %v", name, on, err)
		}
	}
	for _, on := range []string{"", "1980", "2026", "2026-11", "2026-11-20"} {
		after, err := d.Died(ctx, who[0], on)
		if must(t, after, err); after.Corrected != (on != "") {
			t.Errorf("%q: %+v", on, after)
		}
		if got := d.of(t, who[0]).Status.Date; got != on {
			t.Errorf("died on %q, want %q", got, on)
		}
	}
	if after, err := d.Died(ctx, who[0], ""); err != nil || after.Corrected || d.of(t, who[0]).Status.Date != "2026-11-20" {
		t.Errorf("a day that is not said took the one on record away: %v", err)
	}
}

func TestADeathIsTakenBack(t *testing.T) {
	d := newDesk()
	house, who := d.family(t, "1980", "2015")
	d.store.GiveCards(who[0], 1)
	for _, id := range who {
		after, err := d.Died(ctx, id, "2026-11-20")
		must(t, after, err)
	}
	if d.group(t, house).Household.Status.Living() {
		t.Fatal("a household of nobody is in use")
	}
	if _, err := d.Alive(ctx, who[0], "mistaken"); !errors.Is(err, registry.ErrSecondPerson) {
		t.Errorf("on one clerk's word: %v", err)
	}
	d.Actor.SecondPerson = "lead-2"
	if _, err := d.Alive(ctx, who[0], ""); err == nil {
		t.Error("without a reason")
	}
	for _, id := range who {
		after, err := d.Alive(ctx, id, "mistaken")
		must(t, after, err)
	}
	if g := d.group(t, house); !g.Household.Status.Living() || g.Household.Size != 2 || len(g.Members) != 2 {
		t.Errorf("%+v", g.Household)
	}
	if d.store.CardsOf(who[0]) != 0 {
		t.Error("a card that was stopped is good again")
	}
	if _, err := d.Alive(ctx, who[0], "mistaken"); err == nil {
		t.Error("no death is on record")
	}
}

func TestACollectorOfAnotherHousehold(t *testing.T) {
	d := newDesk()
	house, _ := d.family(t, "1980")
	other, who := d.family(t, "1970")
	must(t, 0, d.AddCollector(ctx, other, registry.Collector{Person: who[0].String(), Role: registry.Primary}))
	c := registry.Collector{Person: who[0].String(), Role: registry.Primary}
	err := d.AddCollector(ctx, house, c)
	if !errors.Is(err, registry.ErrSecondPerson) || !strings.Contains(err.Error(), "a collector of 1 others already") {
		t.Errorf("%v", err)
	}
	d.Actor.SecondPerson = "lead-2"
	must(t, 0, d.AddCollector(ctx, house, c))
	ids, err := d.CollectsFor(ctx, who[0])
	if must(t, ids, err); len(ids) != 2 {
		t.Errorf("%v", ids)
	}
}

func TestAHouseholdThatIsLeftIsClosed(t *testing.T) {
	d := newDesk()
	a, who := d.family(t, "1980", "1985")
	b, _ := d.family(t, "1990")
	d.store.GiveCards(a, 1)
	must(t, 0, d.Move(ctx, who[0], b))
	if h := d.group(t, a).Household; !h.Status.Living() || h.Size != 1 || d.group(t, b).Household.Size != 2 {
		t.Fatalf("%+v", h)
	}
	must(t, 0, d.Move(ctx, who[1], registry.ID{}))
	if h := d.group(t, a).Household; h.Status.Living() || h.Status.Reason != registry.ReasonEmptied || d.store.CardsOf(a) != 0 {
		t.Errorf("%+v", h)
	}
	must(t, 0, d.Move(ctx, who[1], a))
	if h := d.group(t, a).Household; !h.Status.Living() || h.Size != 1 {
		t.Errorf("%+v", h)
	}
	counted, err := d.EnterHousehold(ctx, "", "", registry.Household{Size: 5, CollectType: "partial"})
	must(t, counted, err)
	must(t, 0, d.Move(ctx, who[1], counted.ID))
	must(t, 0, d.Move(ctx, who[1], a))
	if !d.group(t, counted.ID).Household.Status.Living() {
		t.Error("people who are only counted were closed out")
	}
}

func TestChildrenWhoAreLeftAloneAreNamed(t *testing.T) {
	d := newDesk()
	house, who := d.family(t, "1980", "2015", "2016")
	_, _, after, err := d.Split(ctx, house, registry.SplitPlan{Leaving: who[:1]})
	if must(t, after, err); !slices.Contains(after.Decide, registry.DecideNoAdult) || !slices.Contains(after.Decide, registry.DecideNoCollector) {
		t.Errorf("%v", after.Decide)
	}
	house, who = d.family(t, "1980", "2015", "2016")
	_, _, after, err = d.Split(ctx, house, registry.SplitPlan{Leaving: who[1:]})
	if must(t, after, err); !slices.Contains(after.Decide, registry.DecideNewNoAdult) {
		t.Errorf("%v", after.Decide)
	}
}

func TestARehearsalKeepsNothing(t *testing.T) {
	d := newDesk()
	house, who := d.family(t, "1980", "1985")
	d.store.GiveCards(house, 2)
	try := registry.Registry{Store: registry.Rehearsal(d.store), Actor: d.Actor, Now: d.Registry.Now}
	after, err := try.Died(ctx, who[0], "")
	if must(t, after, err); after.Stopped != 2 {
		t.Errorf("%+v", after)
	}
	if !d.of(t, who[0]).Status.Living() || d.store.CardsOf(house) != 2 || d.group(t, house).Household.Size != 2 {
		t.Error("it was kept")
	}
	if err := try.Store.Erase(ctx, access.Actor{}, who[0], "x"); err == nil {
		t.Error("erased")
	}
}

func TestNamesAreFoundByOneWord(t *testing.T) {
	d := newDesk()
	enter := func(name, birth string) registry.ID {
		e, err := d.Enter(ctx, registry.Entry{Person: person(name, birth)})
		return must(t, e, err).ID
	}
	amina := enter("Amina Yusuf Hassan", "1987-05-12")
	arabic := enter("آمنة يوسف", "1990")
	enter("Omar Farah", "1980")
	find := func(name string, year int) (ids []registry.ID) {
		s, err := d.FindNames(ctx, name, year)
		must(t, s, err)
		for _, m := range s.Matches {
			ids = append(ids, m.Record.ID)
		}
		return ids
	}
	if got := find("Amina", 0); len(got) < 2 || got[0] != amina {
		t.Errorf("one word: %v", got)
	}
	if got := find("yusuf amina", 0); len(got) != 2 || got[0] != amina || got[1] != arabic {
		t.Errorf("two: %v", got)
	}
	if got := find("أمينة", 1987); !slices.Equal(got, []registry.ID{amina}) {
		t.Errorf("another script, with the year: %v", got)
	}
	if got := find("Amina Abdikadir", 0); !slices.Contains(got, amina) {
		t.Errorf("one of two words: %v", got)
	}
	if _, err := d.FindNames(ctx, "--", 0); err == nil {
		t.Error("no letters")
	}
	for range 60 {
		enter("Amina Ali", "1999")
	}
	s, err := d.FindNames(ctx, "amina", 0)
	if must(t, s, err); len(s.Matches) != registry.MostFound || s.Total < 62 {
		t.Errorf("%d of %d", len(s.Matches), s.Total)
	}
}

// However a household comes to be of nobody, it is due nothing.
func TestAnEmptyHouseholdIsDueNothing(t *testing.T) {
	for name, empty := range map[string]func(d *desk, t *testing.T, house, who registry.ID){
		"death": func(d *desk, t *testing.T, _, who registry.ID) {
			after, err := d.Died(ctx, who, "")
			must(t, after, err)
		},
		"move": func(d *desk, t *testing.T, _, who registry.ID) { must(t, 0, d.Move(ctx, who, registry.ID{})) },
		"double": func(d *desk, t *testing.T, house, who registry.ID) {
			e, err := d.Enter(ctx, registry.Entry{Person: person("Name Abcd", "1980-02-03")})
			must(t, e, err)
			if len(e.Doubles) != 1 {
				t.Fatalf("%+v", e)
			}
			must(t, 0, d.Move(ctx, who, registry.ID{}))
			must(t, 0, d.Move(ctx, e.ID, house))
			d.Actor.SecondPerson = "lead-2"
			after, err := d.DecideDouble(ctx, e.ID, who, registry.Same)
			must(t, after, err)
		},
	} {
		d := newDesk()
		house, who := d.family(t, "1980-02-03")
		p, err := d.SaveProgramme(ctx, registry.Programme{Modality: "cash", Counts: registry.KindHousehold, Currency: "JOD", Rounds: []registry.Round{{N: 1}}})
		must(t, p, err)
		empty(d, t, house, who[0])
		if d.group(t, house).Household.Status.Living() {
			t.Errorf("%s: it is in use", name)
		}
		if plan, err := d.Plan(ctx, p.Code, 1, registry.Rule{Amount: "10"}, true); err != nil || plan.Units != 0 {
			t.Errorf("%s: %+v, %v", name, plan, err)
		}
	}
}
