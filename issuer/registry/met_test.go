package registry_test

import (
	"errors"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/registrytest"
)

// Meetings come in any order and often twice; the latest are kept, in their order, and go with
// a household into the one that takes its place.
func TestMeetingsOfARecord(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	s := &registrytest.Store{Now: func() time.Time { return now }}
	r := &registry.Registry{Store: s, Actor: access.Actor{ID: "clerk", Role: access.Registrar, Device: "desk-north"}, Now: s.Now}
	home := func() (id registry.ID) {
		saved, err := r.EnterHousehold(t.Context(), "", "", registry.Household{Size: 1})
		if err != nil {
			t.Fatal(err)
		}
		return saved.ID
	}
	meet := func(id registry.ID, daysAgo int) (registry.Saved, error) {
		return r.Meet(t.Context(), id, registry.Met{At: now.AddDate(0, 0, -daysAgo), How: registry.ByPhone, By: "clerk", Desk: "north"})
	}
	mets := func(id registry.ID) (list []registry.Met) {
		t.Helper()
		err := s.View(t.Context(), func(v registry.View) error {
			rec, err := v.Record(id)
			if err == nil {
				list, err = rec.Mets()
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	a, b := home(), home()
	for _, days := range []int{20, 3, 50, 3} {
		if _, err := meet(a, days); err != nil {
			t.Fatal(err)
		}
	}
	if saved, err := meet(a, 20); err != nil || saved.Changed != 0 {
		t.Errorf("what is known is written again: %+v, %v", saved, err)
	}
	if list := mets(a); len(list) != 3 || !list[0].At.Equal(now.AddDate(0, 0, -50)) || !list[2].At.Equal(now.AddDate(0, 0, -3)) {
		t.Errorf("kept %v", list)
	}
	for days := range registry.MostMet + 5 {
		if _, err := meet(b, 100+days); err != nil {
			t.Fatal(err)
		}
	}
	if list := mets(b); len(list) != registry.MostMet || !list[len(list)-1].At.Equal(now.AddDate(0, 0, -100)) {
		t.Errorf("%d are kept: %v", len(list), list)
	}
	for want, m := range map[string]registry.Met{
		registry.RefusedMetHow: {At: now, How: "dream"}, registry.RefusedMetDay: {At: now.Add(time.Hour), How: registry.Remote}, registry.RefusedMetDesk: {At: now, How: registry.Remote, Desk: string(make([]byte, 81))},
	} {
		var refusal *registry.Refusal
		if _, err := r.Meet(t.Context(), a, m); !errors.As(err, &refusal) || refusal.Code != want {
			t.Errorf("%+v: %v, want %s", m, err, want)
		}
	}
	merged, _, err := r.Merge(t.Context(), []registry.ID{a, b}, registry.ID{})
	if err != nil {
		t.Fatal(err)
	}
	if list := mets(merged); len(list) != registry.MostMet || !list[len(list)-1].At.Equal(now.AddDate(0, 0, -3)) {
		t.Errorf("of the household of both: %v", list)
	}
	if _, err := meet(a, 1); !errors.Is(err, registry.ErrClosed) {
		t.Errorf("a closed record is met: %v", err)
	}
	for _, c := range history(t, s, a) {
		if c.Field == registry.MetField && c.Device != "" {
			t.Errorf("a change says where it was made: %q", c.Device)
		}
	}
}

func history(t *testing.T, s *registrytest.Store, id registry.ID) (list []registry.FieldChange) {
	t.Helper()
	err := s.View(t.Context(), func(v registry.View) (err error) {
		list, err = v.History(id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Whoever met her did not enter her, though what was met stands as it was written first.
func TestWhoMetHerDidNotEnterHer(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	rec := registry.Record{Fields: map[string]registry.Value{
		registry.MetField: {Data: []byte{0x80}, By: "verifier", At: day(1), Version: 1},
		"sex":             {Data: []byte{0x61, 'f'}, By: "clerk", At: day(2), Version: 1},
		"origin":          {Data: []byte{0x61, 'x'}, By: "mender", At: day(3), Version: 2},
	}}
	if by := rec.EnteredBy(); by != "clerk" {
		t.Errorf("entered by %q", by)
	}
	delete(rec.Fields, "sex")
	if by := rec.EnteredBy(); by != "" {
		t.Errorf("nothing stands as it was entered, and it was entered by %q", by)
	}
}

// A member who was not seen at an exercise of persons is active again when the household is
// seen, which itself was active all along.
func TestWhoSeesAHouseholdSeesItsMembers(t *testing.T) {
	d := newDesk()
	home, _ := d.family(t, "1950")
	add := func() registry.ID {
		e, err := d.Enter(ctx, registry.Entry{Household: home, Person: person("Amina Yusuf Ali", "1987-05-12")})
		return must(t, e, err).ID
	}
	slept, awake := add(), add()
	status := func(id registry.ID) (s *registry.Status) {
		t.Helper()
		err := d.store.View(ctx, func(v registry.View) error {
			rec, err := v.Record(id)
			if err != nil {
				return err
			}
			p, err := rec.Person()
			s = p.Status
			return err
		})
		must(t, 0, err)
		return s
	}
	see := func(id registry.ID) {
		t.Helper()
		_, err := d.Meet(ctx, id, registry.Met{At: d.now.AddDate(0, 0, -1), How: registry.InPerson, By: "clerk"})
		must(t, 0, err)
	}
	err := d.store.Update(ctx, d.Actor, func(tx registry.Tx) error {
		_, err := registry.Sleep(tx, slept, "2026-11-01")
		return err
	})
	must(t, 0, err)
	see(awake)
	if !status(slept).Asleep() {
		t.Error("seeing another member is not seeing her, who was asked for herself")
	}
	see(home)
	if s := status(slept); s != nil {
		t.Errorf("her household was seen, and she is %+v", s)
	}
	if s := status(awake); s != nil {
		t.Errorf("who was active is %+v", s)
	}
}

// A day alone has come where it is that day anywhere; a moment when its moment has come.
func TestADayHasComeWhereItBeginsFirst(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	for at, ahead := range map[time.Time]bool{
		now: false, now.Add(time.Second): true, time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC): false,
		time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC): false, time.Date(2026, 11, 24, 0, 0, 1, 0, time.UTC): true, time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC): true,
	} {
		if registry.Ahead(at, now) != ahead {
			t.Errorf("%s at %s: ahead is not %t", at, now, ahead)
		}
	}
	if !registry.Ahead(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), now.Add(-time.Second)) {
		t.Error("a day has come before it begins anywhere")
	}
}
