package registry_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/registrytest"
)

// desk is a registration desk on an empty store, with a clock that is moved by hand.
type desk struct {
	registry.Registry
	store *registrytest.Store
	now   time.Time
}

func newDesk() *desk {
	d := &desk{now: today, store: &registrytest.Store{}}
	clock := func() time.Time { return d.now }
	d.store.Now = clock
	d.Registry = registry.Registry{Store: d.store, Actor: access.Actor{ID: "amal", Role: access.Registrar}, Now: clock}
	return d
}

var ctx = context.Background()

func must[T any](t interface{ Fatal(...any) }, v T, err error) T {
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func person(name, birth string) registry.Person {
	n, _ := registry.ParseName(name, "")
	p := registry.Person{Names: []registry.Name{n}}
	if b, _ := registry.ParseBirth(birth, registry.BirthOptions{}); b.EDTF != "" {
		p.Birth = &b
	}
	return p
}

// family enters a household with people of these births; the first is its head.
func (d *desk) family(t interface{ Fatal(...any) }, births ...string) (registry.ID, []registry.ID) {
	h, err := d.EnterHousehold(ctx, "", "", registry.Household{Size: len(births), CollectType: "full"})
	must(t, h, err)
	var ids []registry.ID
	for i, b := range births {
		p := person("Name "+string(rune('A'+i))+"bcd", b)
		if i == 0 {
			p.Relation = registry.Head
		}
		e, err := d.Enter(ctx, registry.Entry{Household: h.ID, Person: p})
		ids = append(ids, must(t, e, err).ID)
	}
	return h.ID, ids
}

func (d *desk) group(t interface{ Fatal(...any) }, id registry.ID) registry.Group {
	g, err := d.Household(ctx, id)
	return must(t, g, err)
}

func TestPossibleDoublesAreFoundOnEntry(t *testing.T) {
	d := newDesk()
	enter := func(p registry.Person) registry.Entered {
		e, err := d.Enter(ctx, registry.Entry{Person: p})
		return must(t, e, err)
	}
	a := person("Mohamed Ali Hassan", "1987-05-12")
	a.Documents = []registry.Document{{Type: "national_id", Country: "KEN", Number: "00 123-456"}}
	first := enter(a)
	if len(first.Doubles) != 0 {
		t.Fatal("the first person is somebody's double")
	}
	byName := enter(person("علي حسن محمد", "1987"))
	byDocument := enter(func() registry.Person {
		p := person("Somebody Else", "1990-02-02")
		p.Documents = []registry.Document{{Type: "national_id", Country: "KEN", Number: "123456"}}
		return p
	}())
	other := enter(person("Mohamed Ali Hassan", "1988"))
	for _, c := range []struct {
		what string
		got  registry.Entered
		why  string
	}{{"the name in Arabic", byName, registry.KeyNameYear}, {"the document", byDocument, registry.KeyDocument}, {"another year", other, ""}} {
		if c.why == "" && len(c.got.Doubles) > 0 || c.why != "" && (len(c.got.Doubles) != 1 || c.got.Doubles[0].B != first.ID || c.got.Doubles[0].Why != c.why) {
			t.Errorf("%s: %+v", c.what, c.got.Doubles)
		}
	}
	open, err := d.Doubles(ctx, false)
	if must(t, open, err); len(open) != 2 {
		t.Fatalf("%d pairs are open", len(open))
	}
	after, err := d.DecideDouble(ctx, first.ID, byName.ID, registry.Same)
	if must(t, after, err); !slices.Equal(after.Revoke, []registry.ID{byName.ID}) {
		t.Errorf("the newer record's cards are to be revoked, not %v", after.Revoke)
	}
	// A third record of the same person is set beside the one in use.
	third := enter(person("Muhammad Hasan Aly", "1987"))
	if len(third.Doubles) != 1 || third.Doubles[0].B != first.ID {
		t.Errorf("%+v", third.Doubles)
	}
	// The decision is taken back, by two: nothing was lost.
	if _, err := d.DecideDouble(ctx, byName.ID, first.ID, registry.Different); !errors.Is(err, registry.ErrSecondPerson) {
		t.Errorf("one person took a decision back: %v", err)
	}
	d.Actor.SecondPerson = "lead"
	if _, err := d.DecideDouble(ctx, byName.ID, first.ID, registry.Different); err != nil {
		t.Fatal(err)
	}
	rec, err := d.Record(ctx, byName.ID)
	if p, _ := must(t, rec, err).Person(); !p.Status.Living() || p.DisplayName() == "" {
		t.Errorf("%+v did not come back", p.Status)
	}
	if pairs, err := d.Doubles(ctx, true); err != nil || len(pairs) != 3 || len(registry.Pairs(pairs)) != 3 {
		t.Errorf("%+v, %v", pairs, err)
	}
	// Put off, decided, and decided no more: the record that was closed is in use again.
	day := d.Now().AddDate(0, 0, 20)
	var refused *registry.Refusal
	if err := d.Postpone(ctx, first.ID, byDocument.ID, d.Now(), registry.Unsure); !errors.As(err, &refused) || refused.Code != registry.RefusedUntil {
		t.Errorf("put off until now: %v", err)
	}
	if err := d.Postpone(ctx, first.ID, byDocument.ID, day, "later"); !errors.As(err, &refused) || refused.Code != registry.RefusedReason {
		t.Errorf("put off for a reason of nobody's: %v", err)
	}
	must(t, 0, d.Postpone(ctx, first.ID, byDocument.ID, day, registry.DocumentAwaited))
	state := func() string {
		all, err := d.Doubles(ctx, true)
		i := slices.IndexFunc(must(t, all, err), func(p registry.Double) bool { return p.Is(first.ID, byDocument.ID) })
		return all[i].State(d.Now())
	}
	if got := state(); got != registry.StatePostponed {
		t.Errorf("put off: %s", got)
	}
	after, err = d.DecideDouble(ctx, byDocument.ID, first.ID, registry.Same)
	if must(t, after, err); state() != registry.StateDecided {
		t.Errorf("decided: %s", state())
	}
	if err := d.Postpone(ctx, first.ID, byDocument.ID, day, registry.Unsure); !errors.As(err, &refused) || refused.Code != registry.RefusedDecision {
		t.Errorf("a decided pair was put off: %v", err)
	}
	d.Actor.SecondPerson = ""
	if _, err := d.DecideDouble(ctx, byDocument.ID, first.ID, registry.Open); !errors.Is(err, registry.ErrSecondPerson) || state() != registry.StateDecided {
		t.Errorf("one person took a decision back: %v", err)
	}
	d.Actor.SecondPerson = "lead"
	after, err = d.DecideDouble(ctx, byDocument.ID, first.ID, registry.Open)
	rec, errR := d.Record(ctx, byDocument.ID)
	if p, _ := must(t, rec, errors.Join(err, errR)).Person(); !p.Status.Living() || state() != registry.StateReview {
		t.Errorf("%+v did not come back: %s", p.Status, state())
	}
	if _, err := d.DecideDouble(ctx, first.ID, other.ID, registry.Same); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("a pair nobody found was decided: %v", err)
	}
}

// Where two days are compared, a photograph that went is said, and never shown.
func TestADestroyedPhotographIsCompared(t *testing.T) {
	d := newDesk()
	p := person("Amina Ali", "1990")
	p.Photo = []byte("first")
	e, err := d.Enter(ctx, registry.Entry{Source: "camp", External: "7", Person: p})
	must(t, e, err)
	begin := d.now
	photo := func(jpeg []byte) (day time.Time) {
		d.now = d.now.Add(24 * time.Hour)
		seen, err := d.Record(ctx, e.ID)
		must(t, seen, err)
		saved, err := d.EditPerson(ctx, seen, func(p *registry.Person) error { p.Photo = jpeg; return nil })
		must(t, saved, err)
		return d.now
	}
	second := photo([]byte("second"))
	compare := func(from, to time.Time, fromGone, toGone bool, shown any) {
		t.Helper()
		list, err := d.Compare(ctx, e.ID, from, to)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(list, func(d registry.Difference) bool { return d.Field == registry.PhotoField })
		if i < 0 || list[i].FromGone != fromGone || list[i].ToGone != toGone || list[i].From != nil || !reflect.DeepEqual(list[i].To, shown) {
			t.Errorf("%+v", list)
		}
	}
	compare(begin, second, true, false, []byte("second"))
	third := photo(nil)
	compare(begin, third, true, false, nil)
	compare(begin, second, true, true, nil)
	compare(begin.Add(-time.Hour), begin, false, true, nil)
}

func TestTwoPeopleEditOnePerson(t *testing.T) {
	d := newDesk()
	e, err := d.Enter(ctx, registry.Entry{Source: "camp", External: "7", Person: person("Amina Ali", "1990")})
	must(t, e, err)
	seen, err := d.Record(ctx, e.ID)
	must(t, seen, err)
	d.now = d.now.Add(time.Hour)
	for _, change := range []func(*registry.Person) error{
		func(p *registry.Person) error { p.Sex = registry.Female; return nil },
		func(p *registry.Person) error { p.Origin = "SOM"; return nil }, // another field: nothing is lost
	} {
		if saved, err := d.EditPerson(ctx, seen, change); err != nil || saved.Changed != 1 {
			t.Fatalf("%+v, %v", saved, err)
		}
	}
	_, err = d.EditPerson(ctx, seen, func(p *registry.Person) error { p.Sex = registry.Male; return nil })
	var conflict *registry.Conflict
	if !errors.As(err, &conflict) || !errors.Is(err, registry.ErrConflict) || conflict.Field != "sex" || conflict.By != "amal" || !conflict.At.Equal(d.now) {
		t.Errorf("got %v", err)
	}
	list, err := d.Compare(ctx, e.ID, today, d.now)
	if must(t, list, err); len(list) != 2 || list[0].Field != "origin" || list[0].From != nil || list[0].To != "SOM" || list[1].Field != "sex" {
		t.Errorf("%+v", list)
	}
	old, err := d.AsOf(ctx, e.ID, today)
	if p, _ := must(t, old, err).Person(); p.Sex != "" || p.DisplayName() != "Amina Ali" {
		t.Errorf("as of before, she is %+v", p)
	}
	changes, err := d.History(ctx, e.ID)
	if must(t, changes, err); len(changes) != 4 {
		t.Errorf("%d changes", len(changes))
	}
	// The same row again says nothing new.
	again, err := d.Enter(ctx, registry.Entry{Source: "camp", External: "7", Person: person("Amina Ali", "1990")})
	if must(t, again, err); again.New || again.Changed != 0 || again.ID != e.ID {
		t.Errorf("%+v", again)
	}
}

func TestAnEntryThatFailsCanBeTriedAgain(t *testing.T) {
	for name, fail := range map[string]func(*registrytest.Store, error){
		"nothing written": func(s *registrytest.Store, err error) { s.FailBefore = err },
		"all written":     func(s *registrytest.Store, err error) { s.FailAfter = err },
	} {
		d := newDesk()
		lost := errors.New("power cut")
		fail(d.store, lost)
		e := registry.Entry{Source: "camp", External: "7", Person: person("Amina Ali", "1990")}
		if _, err := d.Enter(ctx, e); !errors.Is(err, lost) {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := d.Enter(ctx, e); err != nil || d.store.Len(registry.KindPerson) != 1 {
			t.Errorf("%s: %d people, %v", name, d.store.Len(registry.KindPerson), err)
		}
	}
}

func TestASplitIsNotTold(t *testing.T) {
	d := newDesk()
	house, who := d.family(t, "1980", "1985", "2015")
	if err := d.AddCollector(ctx, house, registry.Collector{Person: who[0].String(), Role: registry.Primary}); err != nil {
		t.Fatal(err)
	}
	left, stayed, after, err := d.Split(ctx, house, registry.SplitPlan{Leaving: who[1:], Head: who[1]})
	if err != nil {
		t.Fatal(err)
	}
	// She does not hold the card, so his goes on; it only says an old size.
	if stayed != house || left == house || len(after.Revoke) != 0 || !slices.Equal(after.Stale, []registry.ID{house}) || !slices.Equal(after.Ask, who[1:2]) {
		t.Errorf("left %s stayed %s %+v", left, stayed, after)
	}
	hers, his := d.group(t, left), d.group(t, house)
	if len(hers.Members) != 2 || hers.Household.Size != 2 || hers.Household.Head != who[1].String() || len(his.Members) != 1 || his.Household.Size != 1 {
		t.Errorf("hers %+v, his %+v", hers.Household, his.Household)
	}
	for name, v := range his.Record.Fields {
		if s := string(v.Data); v.Data != nil && (strings.Contains(s, left.String()) || strings.Contains(s, who[1].String())) {
			t.Errorf("his record's %s tells of her", name)
		}
	}
	// Where she may hold the card, it stops.
	house, who = d.family(t, "1980", "1985")
	if _, _, after, err = d.Split(ctx, house, registry.SplitPlan{Leaving: who[1:]}); err != nil || !slices.Equal(after.Revoke, []registry.ID{house}) {
		t.Errorf("%+v, %v", after, err)
	}
	// Both sides anew.
	house, who = d.family(t, "1980", "1985")
	if _, stayed, after, err = d.Split(ctx, house, registry.SplitPlan{Leaving: who[1:], Renew: true}); err != nil || stayed == house || !slices.Equal(after.Revoke, []registry.ID{house}) {
		t.Errorf("%s, %+v, %v", stayed, after, err)
	}
	if old := d.group(t, house); old.Household.Status.Living() || old.Household.Status.Into != "" || len(old.Members) != 0 {
		t.Errorf("the old household is %+v", old)
	}
	if _, _, _, err := d.Split(ctx, house, registry.SplitPlan{Leaving: who}); !errors.Is(err, registry.ErrClosed) {
		t.Errorf("a closed household was split: %v", err)
	}
	if _, _, _, err := d.Split(ctx, stayed, registry.SplitPlan{Leaving: who}); err == nil {
		t.Error("somebody left who is not there")
	}
}

func TestAMergeGivesANewUnit(t *testing.T) {
	d := newDesk()
	a, whoA := d.family(t, "1980", "2012")
	b, _ := d.family(t, "1950")
	merged, after, err := d.Merge(ctx, []registry.ID{a, b}, whoA[0])
	if err != nil || !slices.Equal(after.Revoke, []registry.ID{a, b}) || len(after.Ask) != 2 {
		t.Fatalf("%+v, %v", after, err)
	}
	g := d.group(t, merged)
	if len(g.Members) != 3 || g.Household.Size != 3 || g.Household.Head != whoA[0].String() || len(g.Household.Collectors) != 0 {
		t.Errorf("%+v", g.Household)
	}
	if old := d.group(t, a); old.Household.Status.Living() || old.Household.Status.Into != merged.String() {
		t.Errorf("%+v", old.Household.Status)
	}
	if _, _, err := d.Merge(ctx, []registry.ID{merged, merged}, registry.ID{}); err == nil {
		t.Error("a household was merged with itself")
	}
}

func TestADeath(t *testing.T) {
	d := newDesk()
	house, who := d.family(t, "1980", "2015")
	other, _ := d.family(t, "1970")
	for h, role := range map[registry.ID]string{house: registry.Primary, other: registry.Alternate} {
		if err := d.AddCollector(ctx, h, registry.Collector{Person: who[0].String(), Role: role}); err != nil {
			t.Fatal(err)
		}
	}
	after, err := d.Died(ctx, who[0], "2026-11-20")
	if err != nil || !slices.Equal(after.Revoke, []registry.ID{who[0], house}) {
		t.Fatalf("%+v, %v", after, err)
	}
	if want := []string{registry.DecideNoAdult, registry.DecideNoCollector, registry.DecideHead}; !slices.Equal(after.Decide, want) {
		t.Errorf("to decide: %v", after.Decide)
	}
	if g := d.group(t, house); g.Household.Size != 1 || len(g.Members) != 1 || len(g.Household.Collectors) != 0 {
		t.Errorf("%+v", g.Household)
	}
	if c := d.group(t, other).Household.Collectors; len(c) != 1 || c[0].Revoked == "" {
		t.Errorf("she still collects for others: %+v", c)
	}
	if again, err := d.Died(ctx, who[0], ""); err != nil || len(again.Revoke) != 0 {
		t.Errorf("a second death: %+v, %v", again, err)
	}
	if after, err = d.Died(ctx, who[1], ""); err != nil || d.group(t, house).Household.Status.Living() || !slices.Contains(after.Revoke, house) {
		t.Errorf("the last of a household: %+v, %v", after, err)
	}
	if _, err := d.Died(ctx, who[1], "2031-01-05"); err == nil {
		t.Error("somebody died in the future")
	}
}

func TestOnlyTheHolderEndsAnAlternate(t *testing.T) {
	d := newDesk()
	house, who := d.family(t, "1980", "1985", "2015")
	add := func(id registry.ID, role string) error {
		return d.AddCollector(ctx, house, registry.Collector{Person: id.String(), Role: role})
	}
	if err := errors.Join(add(who[1], registry.Primary), add(who[0], registry.Alternate)); err != nil {
		t.Fatal(err)
	}
	if err := add(who[2], registry.Alternate); !errors.Is(err, registry.ErrSecondPerson) {
		t.Errorf("a child collects on one clerk's word: %v", err)
	}
	for _, asks := range []registry.ID{who[0], who[2]} { // the head and alternate himself, and another member
		if err := d.RevokeCollector(ctx, house, who[0].String(), asks); !errors.Is(err, registry.ErrPrincipal) {
			t.Errorf("%s ended it: %v", asks, err)
		}
	}
	c := d.group(t, house).Household.Collectors[1]
	if last := today.Add(registry.LongestAlternate).Format(time.DateOnly); c.To != last || !c.Serves(today) || c.Serves(today.AddDate(1, 0, 0)) {
		t.Errorf("%+v", c)
	}
	if err := d.RevokeCollector(ctx, house, who[0].String(), who[1]); err != nil {
		t.Fatal(err)
	}
	if d.group(t, house).Household.Collectors[1].Serves(today) {
		t.Error("he still collects")
	}
}

func TestAlternatesOfManyHouseholdsAreReported(t *testing.T) {
	d := newDesk()
	_, who := d.family(t, "1980")
	for i := range 5 {
		h, _ := d.family(t, "1990")
		if err := d.AddCollector(ctx, h, registry.Collector{Person: who[0].String(), Role: registry.Alternate}); err != nil {
			t.Fatal(err)
		}
		if i < 3 {
			if err := d.AddCollector(ctx, h, registry.Collector{External: "Abu Omar", Role: registry.Alternate}); err != nil {
				t.Fatal(err)
			}
		}
	}
	list, err := d.BusyAlternates(ctx)
	if must(t, list, err); len(list) != 1 || list[0].Person != who[0].String() || len(list[0].Households) != 5 {
		t.Errorf("%+v", list)
	}
}

func TestEntitlementsArePlannedOnce(t *testing.T) {
	d := newDesk()
	a, _ := d.family(t, "1980", "1985", "2015")
	b, whoB := d.family(t, "1990")
	counted, err := d.EnterHousehold(ctx, "", "", registry.Household{})
	must(t, counted, err)
	p, err := d.SaveProgramme(ctx, registry.Programme{Modality: "cash", Counts: registry.KindHousehold, Currency: "JOD", Rounds: []registry.Round{{N: 1}}})
	if must(t, p, err); len(p.Code) != 4 {
		t.Fatalf("%+v", p)
	}
	rule := registry.Rule{Amount: "33.335", PerHead: true}
	plan := func(preview bool) registry.Plan {
		got, err := d.Plan(ctx, p.Code, 1, rule, preview)
		return must(t, got, err)
	}
	if got := plan(true); got.Units != 3 || got.New != 2 || got.Total != "133.340" || len(got.Sizeless) != 1 {
		t.Errorf("preview %+v", got)
	}
	if got := plan(false); got.New != 2 || got.Changed != 0 {
		t.Errorf("first %+v", got)
	}
	if got := plan(false); got.New != 0 || got.Same != 2 || got.Total != "133.340" {
		t.Errorf("again %+v", got)
	}
	due := func(id registry.ID) (e registry.Entitlement) {
		if err := d.store.View(ctx, func(v registry.View) (err error) { e, err = v.Entitlement(id, p.Code, 1); return err }); err != nil {
			t.Fatal(err)
		}
		return e
	}
	if due(a).Amount != "100.005" || due(b).Amount != "33.335" {
		t.Errorf("%+v %+v", due(a), due(b))
	}
	// What was issued is never touched, and the dead are due nothing.
	err = d.store.Update(ctx, d.Actor, func(tx registry.Tx) error {
		e := due1(tx, a, p.Code)
		e.Status = registry.Collected
		_, err := tx.SaveEntitlement(e)
		return err
	})
	must(t, 0, err)
	if _, err := d.Died(ctx, whoB[0], ""); err != nil {
		t.Fatal(err)
	}
	rule.Amount = "50"
	if got := plan(false); got.Units != 2 || got.Kept != 1 || got.Changed != 0 || due(a).Amount != "100.005" {
		t.Errorf("%+v", got)
	}
	for name, bad := range map[string]registry.Rule{
		"finer than the currency": {Amount: "1.0005"}, "nothing": {}, "no number": {Amount: "1,000"}, "zero": {Amount: "0.00"}, "below": {Amount: "-3"},
	} {
		if _, err := d.Plan(ctx, p.Code, 1, bad, true); err == nil {
			t.Errorf("%s: planned", name)
		}
	}
	if _, err := d.Plan(ctx, p.Code, 2, rule, true); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("a round that is not: %v", err)
	}
}

// A round with a place counts who does not name it, by whatever spelling or by p-code, and
// leaves them out when told to.
func TestARoundWithAPlace(t *testing.T) {
	d := newDesk()
	for _, at := range []*registry.Location{{Site: "well a"}, {Site: "Well B"}, {PCode: "KE0701"}, nil} {
		home, _ := d.family(t, "1990")
		values, err := registry.Household{Location: at}.Fields()
		must(t, values, err)
		if at == nil {
			continue
		}
		err = d.store.Update(ctx, d.Actor, func(tx registry.Tx) error {
			_, err := tx.Save(registry.Change{ID: home, Fields: map[string][]byte{"location": values["location"]}})
			return err
		})
		must(t, 0, err)
	}
	for _, c := range []struct {
		counts              registry.Kind
		sites               []string
		here                bool
		units, new, another int
	}{
		{registry.KindHousehold, nil, true, 4, 4, 0}, // anywhere
		{registry.KindHousehold, []string{"WELL-A", "KE0701"}, false, 4, 4, 2},
		{registry.KindHousehold, []string{"WELL-A", "KE0701"}, true, 4, 2, 2},
		{registry.KindPerson, []string{"WELL-A"}, true, 4, 1, 3}, // by their household
	} {
		p, err := d.SaveProgramme(ctx, registry.Programme{Modality: "cash", Counts: c.counts, Currency: "JOD", Rounds: []registry.Round{{N: 1, Sites: c.sites}}})
		must(t, p, err)
		got, err := d.Plan(ctx, p.Code, 1, registry.Rule{Amount: "10", Here: c.here}, false)
		if must(t, got, err); got.Units != c.units || got.New != c.new || got.Elsewhere != c.another {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}

func due1(v registry.View, id registry.ID, code string) registry.Entitlement {
	e, _ := v.Entitlement(id, code, 1)
	return e
}

func TestMoney(t *testing.T) {
	for _, c := range []struct {
		amount, currency string
		heads            int
		want             string
	}{{"120", "USD", 1, "120.00"}, {"0.1", "USD", 3, "0.30"}, {"33.335", "JOD", 3, "100.005"}, {"5000", "XAF", 7, "35000"}, {"1.50", "XAF", 1, ""}, {"1.00", "XAF", 2, "2"}, {"1", "usd", 1, ""}, {"", "USD", 1, ""}, {"1.", "USD", 1, ""}} {
		if got, err := registry.Money(c.amount, c.currency, c.heads); got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%s %s x %d is %q, %v", c.amount, c.currency, c.heads, got, err)
		}
	}
}

func TestProgrammesKeepTheirRounds(t *testing.T) {
	d := newDesk()
	p, err := d.SaveProgramme(ctx, registry.Programme{Code: "K7Q2", Modality: "in_kind", Counts: registry.KindPerson})
	must(t, p, err)
	for _, n := range []uint64{2, 1, 2} {
		p, err = d.SaveRound(ctx, "K7Q2", registry.Round{N: n, Opens: "2026-11-01", Closes: "2026-11-05"})
		must(t, p, err)
	}
	p, err = d.SaveProgramme(ctx, registry.Programme{Code: "K7Q2", Modality: "voucher", Counts: registry.KindPerson, Currency: "KES"})
	if must(t, p, err); len(p.Rounds) != 2 || p.Rounds[0].N != 1 {
		t.Errorf("%+v", p)
	}
	for name, bad := range map[string]registry.Programme{
		"long code": {Code: "ABCDEFGHI", Modality: "cash", Counts: registry.KindPerson}, "small letters": {Code: "k7q2", Modality: "cash", Counts: registry.KindPerson},
		"modality": {Modality: "love", Counts: registry.KindPerson}, "counts": {Modality: "cash"}, "other counts": {Code: "K7Q2", Modality: "cash", Counts: registry.KindHousehold},
		"days": {Modality: "cash", Counts: registry.KindPerson, Start: "2026-12-01", End: "2026-11-01"},
	} {
		if _, err := d.SaveProgramme(ctx, bad); err == nil {
			t.Errorf("%s: stored", name)
		}
	}
}

func TestMovesPhotosAndHouseholdEdits(t *testing.T) {
	d := newDesk()
	a, who := d.family(t, "1980", "1985")
	b, _ := d.family(t, "1990")
	d.now = d.now.Add(time.Hour)
	if err := d.Move(ctx, who[1], b); err != nil || len(d.group(t, b).Members) != 2 {
		t.Fatal(err)
	}
	list, err := d.Compare(ctx, who[1], today, d.now)
	if must(t, list, err); len(list) != 1 || list[0].Field != "household" || list[0].From != a.String() || list[0].To != b.String() {
		t.Errorf("%+v", list)
	}
	rec, err := d.Record(ctx, who[1])
	must(t, rec, err)
	if _, err := d.EditPerson(ctx, rec, func(p *registry.Person) error {
		c, _ := registry.ParsePhone("0712345679", "KEN")
		p.Photo, p.Contacts = []byte{0xff, 0xd8, 1}, []registry.Contact{c}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	rec, err = d.Record(ctx, who[1])
	if p, err2 := must(t, rec, err).Person(); err2 != nil || len(p.Photo) != 3 {
		t.Errorf("%+v, %v", p, err2)
	}
	err = d.store.View(ctx, func(v registry.View) error {
		ids, err := v.Lookup(registry.Key{Kind: registry.KeyPhone, Text: "+254712345679"})
		if !slices.Equal(ids, who[1:]) {
			t.Errorf("by telephone: %v", ids)
		}
		return err
	})
	must(t, 0, err)
	g := d.group(t, a)
	if saved, err := d.EditHousehold(ctx, g.Record, func(h *registry.Household) error { h.Size = 0; h.FocalPoint = who[0].String(); return nil }); err != nil || saved.Changed != 2 {
		t.Errorf("%+v, %v", saved, err)
	}
	if err := errors.Join(d.Move(ctx, who[1], registry.ID{}), d.Move(ctx, who[0], who[1])); err == nil || len(d.group(t, b).Members) != 1 {
		t.Errorf("a person became a household: %v", err)
	}
	if err := d.store.Erase(ctx, d.Actor, who[1], "asked"); err != nil {
		t.Fatal(err)
	}
	if err := d.Move(ctx, who[1], b); !errors.Is(err, registry.ErrErased) {
		t.Errorf("an erased person moved: %v", err)
	}
}

// TestNobodyIsLost: whatever splits, merges and moves do, every living person is in
// one household that counts her.
func TestNobodyIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newDesk()
		var houses []registry.ID
		people := 0
		for range rapid.IntRange(2, 4).Draw(t, "households") {
			births := rapid.SliceOfN(rapid.SampledFrom([]string{"1960", "1985", "2010", ""}), 1, 5).Draw(t, "births")
			h, _ := d.family(t, births...)
			houses = append(houses, h)
			people += len(births)
		}
		for range rapid.IntRange(1, 6).Draw(t, "acts") {
			i := rapid.IntRange(0, len(houses)-1).Draw(t, "household")
			g := d.group(t, houses[i])
			switch act := rapid.IntRange(0, 2).Draw(t, "act"); {
			case act == 0 && len(g.Members) > 1:
				n := rapid.IntRange(1, len(g.Members)-1).Draw(t, "leaving")
				var leaving []registry.ID
				for _, m := range g.Members[:n] {
					leaving = append(leaving, m.ID)
				}
				left, stayed, _, err := d.Split(ctx, houses[i], registry.SplitPlan{Leaving: leaving, Renew: rapid.Bool().Draw(t, "renew")})
				must(t, left, err)
				houses[i] = stayed
				houses = append(houses, left)
			case act == 1 && len(houses) > 1:
				j := (i + 1) % len(houses)
				merged, _, err := d.Merge(ctx, []registry.ID{houses[i], houses[j]}, registry.ID{})
				must(t, merged, err)
				a, b := houses[i], houses[j]
				houses = append(slices.DeleteFunc(houses, func(id registry.ID) bool { return id == a || id == b }), merged)
			case act == 2 && len(g.Members) > 1:
				if _, err := d.Died(ctx, g.Members[0].ID, ""); err != nil {
					t.Fatal(err)
				}
				people--
			}
		}
		found := 0
		for _, h := range houses {
			g := d.group(t, h)
			if found += len(g.Members); g.Household.Size != len(g.Members) {
				t.Errorf("household of %d says %d", len(g.Members), g.Household.Size)
			}
			if !g.Household.Status.Living() {
				t.Error("people live in a closed household")
			}
		}
		if found != people {
			t.Errorf("%d of %d people are left", found, people)
		}
	})
}
