package records_test

import (
	"errors"
	"testing"
	"time"

	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/rights"
)

func person(values map[string]string) records.New {
	return records.New{Kind: registry.KindPerson, Values: values}
}

func mustEnter(t *testing.T, d *records.Desk, n records.New) (registry.ID, string) {
	t.Helper()
	id, number, err := d.Enter(t.Context(), by("amal"), n)
	if err != nil {
		t.Fatal(err)
	}
	return id, number
}

func sheetOf(t *testing.T, d *records.Desk, id registry.ID, kind registry.Kind) *records.Sheet {
	t.Helper()
	s, err := d.Sheet(t.Context(), by("amal"), id, kind)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// One name, no day of birth and nothing else is a person; so is a household of which only
// the number of people is known.
func TestEnteringWhatIsKnown(t *testing.T) {
	d, _ := newDesk()
	house, number := mustEnter(t, d, records.New{Kind: registry.KindHousehold, Members: records.SizeOnly, Values: map[string]string{"size": "6", "site": "Block C"}})
	if h := sheetOf(t, d, house, registry.KindHousehold); h.Household.Size != 6 || h.Household.CollectType != records.SizeOnly || h.Record.External != number || len(number) != 11 {
		t.Errorf("%+v %q", h.Household, number)
	}
	for typed, want := range map[[2]string]string{{"age", "40"}: "1986~", {"birth", "1987"}: "1987", {"birth", "~1987"}: "1987~", {"birth", "1987-05-12"}: "1987-05-12"} {
		id, _ := mustEnter(t, d, person(map[string]string{"name": "Zuhura", typed[0]: typed[1]}))
		if p := sheetOf(t, d, id, registry.KindPerson).Person; p.Names[0].Text != "Zuhura" || p.Birth.EDTF != want || p.Registered != "2026-11-22" {
			t.Errorf("%v: %+v %+v", typed, p, p.Birth)
		}
	}
	id, _ := mustEnter(t, d, person(map[string]string{"name": "မ"}))
	if p := sheetOf(t, d, id, registry.KindPerson).Person; p.Names[0].Script != "Mymr" || p.Birth != nil {
		t.Errorf("%+v", p)
	}
}

func TestWhatCannotBeEntered(t *testing.T) {
	d, s := newDesk()
	_, number := mustEnter(t, d, person(map[string]string{"name": "Amina Yusuf"}))
	before := s.Len(registry.KindPerson) + s.Len(registry.KindHousehold)
	gone, _ := mustEnter(t, d, records.New{Kind: registry.KindHousehold, Members: records.Full})
	if err := d.Undo(t.Context(), by("amal"), gone, registry.KindHousehold); err != nil {
		t.Fatal(err)
	}
	taken := person(map[string]string{"name": "Halima"})
	taken.Number = number
	in := person(map[string]string{"name": "Halima"})
	in.Household = gone
	var rejection *intake.Rejection
	for name, c := range map[string]struct {
		n    records.New
		want error
	}{
		"a number that somebody has":     {taken, records.ErrNumber},
		"a household that is not there":  {in, registry.ErrNotFound},
		"nobody":                         {person(nil), records.ErrNameless},
		"a household of an unknown size": {records.New{Kind: registry.KindHousehold, Members: records.SizeOnly}, records.ErrSizeless},
	} {
		if _, _, err := d.Enter(t.Context(), by("amal"), c.n); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, _, err := d.Enter(t.Context(), by("amal"), person(map[string]string{"name": "Halima", "sex": "lady"})); !errors.As(err, &rejection) || rejection.Finding.Column != "sex" {
		t.Errorf("a sex that is none: %v", err)
	}
	if now := s.Len(registry.KindPerson) + s.Len(registry.KindHousehold); now != before {
		t.Errorf("%d records, want %d", now, before)
	}
}

// Who may be on record already is looked for before anything is written, and the log is
// told who was looked at.
func TestWhoSheMayBeAlready(t *testing.T) {
	d, s := newDesk()
	known := enter(t, d, "Amina Yusuf Ali")
	n := person(map[string]string{"name": "Aminah Yusuf Ali", "birth": "1987"})
	r, err := d.Read(t.Context(), by("amal"), n)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Beside) != 1 || r.Beside[0].Record.ID != known || r.Why[0] != registry.KeyNameYear || s.Len(registry.KindPerson) != 1 {
		t.Fatalf("%+v", r)
	}
	if seen := s.looks[len(s.looks)-1]; seen.Actor.ID != "amal" || len(seen.about) != 1 || seen.about[0] != known {
		t.Errorf("the log has %+v", seen)
	}
	id, _ := mustEnter(t, d, n)
	if s := sheetOf(t, d, id, registry.KindPerson); len(s.Doubles) != 1 {
		t.Errorf("the pair does not wait for a decision: %+v", s.Doubles)
	}
}

// Members that are entered one by one are counted once those the household said are on
// record; the head is the one who is called so.
func TestMembersAreCounted(t *testing.T) {
	d, _ := newDesk()
	house, _ := mustEnter(t, d, records.New{Kind: registry.KindHousehold, Members: records.Full, Values: map[string]string{"size": "2"}})
	member := func(name, relation string) registry.ID {
		n := person(map[string]string{"name": name, "relation": relation})
		n.Household = house
		id, _ := mustEnter(t, d, n)
		return id
	}
	head := member("Amina", "head")
	member("Yusuf", "child")
	read := func() registry.Household { return sheetOf(t, d, house, registry.KindHousehold).Household }
	if h := read(); h.Size != 2 || h.Head != head.String() {
		t.Errorf("two of two: %+v", h)
	}
	born := member("Hodan", "child")
	if h := read(); h.Size != 3 {
		t.Errorf("a third: %+v", h)
	}
	if err := d.Undo(t.Context(), by("amal"), house, registry.KindHousehold); !errors.Is(err, records.ErrUndo) {
		t.Errorf("a household where people live: %v", err)
	}
	for _, id := range []registry.ID{born, head} {
		if err := d.Undo(t.Context(), by("amal"), id, registry.KindPerson); err != nil {
			t.Fatal(err)
		}
	}
	if h := read(); h.Size != 2 || h.Head != "" {
		t.Errorf("after both were taken back: %+v", h)
	}
}

// Who entered somebody can take it back for a short time, while nobody has done anything
// with it; and nobody else can.
func TestTakingAnEntryBack(t *testing.T) {
	d, s := newDesk()
	id, _ := mustEnter(t, d, person(map[string]string{"name": "Amina Yusuf"}))
	if err := d.Undo(t.Context(), by("ben"), id, registry.KindPerson); !errors.Is(err, records.ErrUndo) {
		t.Errorf("by another account: %v", err)
	}
	if err := d.Undo(t.Context(), by("amal"), id, registry.KindHousehold); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("as a household: %v", err)
	}
	if err := d.Undo(t.Context(), by("amal"), id, registry.KindPerson); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Sheet(t.Context(), by("amal"), id, registry.KindPerson); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("what was taken back: %v", err)
	}
	edited, _ := mustEnter(t, d, person(map[string]string{"name": "Halima Abdi"}))
	save(t, d, "ben", edit(t, d, "ben", edited), map[string]string{"sex": "f"})
	due, _ := mustEnter(t, d, person(map[string]string{"name": "Zuhura Bakari"}))
	r := registry.Registry{Store: d.Store, Actor: by("clerk"), Now: d.Now}
	p, err := r.SaveProgramme(t.Context(), registry.Programme{Modality: "cash", Counts: registry.KindPerson, Currency: "KES"})
	if err == nil {
		_, err = r.SaveRound(t.Context(), p.Code, registry.Round{N: 1})
	}
	if err == nil {
		_, err = r.Plan(t.Context(), p.Code, 1, registry.Rule{Amount: "20.00"}, false)
	}
	if err != nil {
		t.Fatal(err)
	}
	told, _ := mustEnter(t, d, person(map[string]string{"name": "Ifrah Nur"}))
	err = d.Store.WriteRights(t.Context(), by("ministry-1"), func(tx rights.Tx) error {
		return rights.RecordLook(tx, &rights.Agreement{ID: "moi-1", With: rights.Party{ID: "ministry", Name: "Ministry"}, Purpose: rights.Distribution}, by("ministry-1"), told, []string{"full_name"}, d.Now())
	})
	if err != nil {
		t.Fatal(err)
	}
	late, _ := mustEnter(t, d, person(map[string]string{"name": "Farah"}))
	listed := enter(t, d, "Someone Else")
	clock := d.Now
	for name, id := range map[string]registry.ID{"told to a party": told, "changed by another": edited, "due something": due, "of a list": listed, "too late": late} {
		d.Now = clock
		if name == "too late" {
			d.Now = func() time.Time { return clock().Add(records.UndoLife) }
		}
		if err := d.Undo(t.Context(), by("amal"), id, registry.KindPerson); !errors.Is(err, records.ErrUndo) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s.Len(registry.KindPerson) != 5 {
		t.Errorf("%d people", s.Len(registry.KindPerson))
	}
}
