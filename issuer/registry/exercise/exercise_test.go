package exercise_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/exercise"
	"aidpass/issuer/registry/registrytest"
)

var (
	ctx   = context.Background()
	lead  = access.Actor{ID: "lead", Role: access.DistributionLead, Device: "office"}
	clerk = access.Actor{ID: "clerk-a", Role: access.Registrar, Device: "desk-north"}
	two   = access.Actor{ID: "lead", Role: access.DistributionLead, SecondPerson: "approver"}
)

const code = "VER-2026-03"

// world has households of two, half of them at the well.
type world struct {
	t      *testing.T
	store  *registrytest.Store
	desk   *exercise.Desk
	now    time.Time
	homes  []registry.ID
	people [][]registry.ID
	given  []registry.ID
}

func newWorld(t *testing.T, homes int) *world {
	w := &world{t: t, now: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)}
	w.store = &registrytest.Store{Now: func() time.Time { return w.now }}
	w.desk = &exercise.Desk{Store: w.store, Now: func() time.Time { return w.now }, Collected: func(_ context.Context, _ time.Time, yield func(registry.ID)) error {
		for _, id := range w.given {
			yield(id)
		}
		return nil
	}}
	for i := range homes {
		house := registry.Household{Size: 2, Location: &registry.Location{PCode: "SO1101", Site: []string{"Well", "School"}[i%2]}}
		id := w.save(registry.Change{Kind: registry.KindHousehold, Fields: fields(t, house.Fields)})
		w.homes = append(w.homes, id)
		var people []registry.ID
		for k := range 2 {
			p := registry.Person{Names: []registry.Name{{Text: fmt.Sprint("Amina ", i, k)}}, Registered: "2024-01-02"}
			people = append(people, w.save(registry.Change{Kind: registry.KindPerson, Household: id, Fields: fields(t, p.Fields)}))
		}
		w.people = append(w.people, people)
	}
	return w
}

func fields(t *testing.T, of func() (map[string][]byte, error)) map[string][]byte {
	t.Helper()
	f, err := of()
	must(t, err)
	return f
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) save(c registry.Change) (id registry.ID) {
	w.t.Helper()
	must(w.t, w.store.Update(ctx, clerk, func(tx registry.Tx) error {
		s, err := tx.Save(c)
		id = s.ID
		return err
	}))
	return id
}

func (w *world) record(id registry.ID) (rec registry.Record) {
	w.t.Helper()
	must(w.t, w.store.View(ctx, func(v registry.View) (err error) {
		rec, err = v.Record(id)
		return err
	}))
	return rec
}

// asleep are the records that are inactive for not having been seen.
func (w *world) asleep() (n int) {
	w.t.Helper()
	for i, home := range w.homes {
		h, err := w.record(home).HouseholdRecord()
		must(w.t, err)
		if h.Status.Asleep() {
			n++
		}
		for _, id := range w.people[i] {
			p, err := w.record(id).Person()
			must(w.t, err)
			if p.Status.Asleep() {
				n++
			}
		}
	}
	return n
}

// open makes an exercise of all households, with two desks, and opens it.
func (w *world) open(scope exercise.Scope) exercise.Exercise {
	w.t.Helper()
	_, err := w.desk.Make(ctx, lead, exercise.Exercise{Code: code, Opens: "2026-11-02", Closes: "2026-11-06", Desks: []string{"north", "south"}, Scope: scope})
	must(w.t, err)
	e, err := w.desk.Open(ctx, lead, code)
	must(w.t, err)
	return e
}

func (w *world) mark(i int, e exercise.Event) exercise.Invited {
	w.t.Helper()
	in, err := w.desk.Mark(ctx, clerk, code, w.homes[i], e)
	must(w.t, err)
	return in
}

func refusal(err error) string {
	var r *exercise.Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return fmt.Sprint(err)
}

func TestWhoIsInvited(t *testing.T) {
	w := newWorld(t, 6)
	fields, err := registry.Household{Status: &registry.Status{State: registry.StateClosed}}.Fields()
	must(t, err)
	w.save(registry.Change{ID: w.homes[0], Fields: fields})
	for name, c := range map[string]struct {
		scope exercise.Scope
		want  int
	}{
		"all in use":      {exercise.Scope{}, 5},
		"a site":          {exercise.Scope{Sites: []string{"well"}}, 2},
		"an area above":   {exercise.Scope{PCodes: []string{"so11"}}, 5},
		"another area":    {exercise.Scope{PCodes: []string{"SO12"}}, 0},
		"persons by home": {exercise.Scope{Kind: registry.KindPerson, Sites: []string{"School"}}, 6},
	} {
		_, err := w.desk.Make(ctx, lead, exercise.Exercise{Code: code, Opens: "2026-11-02", Closes: "2026-11-06", Scope: c.scope})
		must(t, err)
		if n, err := w.desk.Drawn(ctx, code); n != c.want || err != nil {
			t.Errorf("%s: %d invited, %v; want %d", name, n, err, c.want)
		}
	}
	for want, e := range map[string]exercise.Exercise{
		exercise.RefusedCode:  {Code: "ver 3", Opens: "2026-11-02", Closes: "2026-11-06"},
		exercise.RefusedDays:  {Code: "VER-1", Opens: "2026-11-02", Closes: "2026-11-01"},
		exercise.RefusedTerm:  {Code: "VER-1", Opens: "2026-11-02", Closes: "2026-11-06", NoticeDays: 6, AppealDays: 7},
		exercise.RefusedDesks: {Code: "VER-1", Opens: "2026-11-02", Closes: "2026-11-06", Desks: []string{"a", "a "}},
		exercise.RefusedScope: {Code: "VER-1", Opens: "2026-11-02", Closes: "2026-11-06", Scope: exercise.Scope{Kind: "camp"}},
	} {
		if _, err := w.desk.Make(ctx, lead, e); refusal(err) != want {
			t.Errorf("%+v: %v, want %s", e, err, want)
		}
	}
	e := w.open(exercise.Scope{})
	if e.State != exercise.Opened || e.Invited != 5 {
		t.Errorf("opened as %+v", e)
	}
	if _, err := w.desk.Make(ctx, lead, e); refusal(err) != exercise.RefusedTaken {
		t.Errorf("made again: %v", err)
	}
	// An opening that was stopped after it drew some: another scope would leave them invited.
	half := exercise.Exercise{Code: "VER-HALF", Opens: "2026-11-02", Closes: "2026-11-06"}
	_, err = w.desk.Make(ctx, lead, half)
	must(t, err)
	must(t, w.store.WriteExercises(ctx, lead, func(tx exercise.Tx) error {
		return tx.SaveInvited(half.Code, exercise.Unit{ID: w.homes[1], At: w.now})
	}))
	half.Title = "Spring"
	if _, err := w.desk.Make(ctx, lead, half); err != nil {
		t.Errorf("of the same scope: %v", err)
	}
	half.Scope.Sites = []string{"well"}
	if _, err := w.desk.Make(ctx, lead, half); refusal(err) != exercise.RefusedTaken {
		t.Errorf("half opened, and made for others: %v", err)
	}
	if _, err := w.desk.Mark(ctx, clerk, code, w.homes[0], exercise.Event{Outcome: exercise.Seen, Desk: "north"}); !errors.Is(err, exercise.ErrNotInvited) {
		t.Errorf("a closed household is marked: %v", err)
	}
}

func TestMarksOfSeveralDesksAreOne(t *testing.T) {
	w := newWorld(t, 5)
	w.open(exercise.Scope{})
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, time.UTC) }
	w.now = at(3, 18)
	w.mark(0, exercise.Event{Outcome: exercise.Absent, Desk: "south", When: at(2, 9)})
	w.mark(0, exercise.Event{Outcome: exercise.Seen, Desk: "south", When: at(3, 12)})
	w.mark(0, exercise.Event{Outcome: exercise.Seen, How: registry.ByPhone, Desk: "north", Clerk: "clerk-b", When: at(3, 10), Fields: 4})
	i := w.mark(0, exercise.Event{Outcome: exercise.Updated, How: registry.ByPhone, Desk: "north", When: at(3, 11), Fields: 6, Changed: []string{"contacts", "location"}})
	want := exercise.Invited{Unit: w.homes[0], Outcome: exercise.Updated, How: registry.ByPhone, Desk: "north", By: "clerk-b", When: at(3, 10), Known: w.now, Fields: 6, Changed: 2, Twice: 1}
	if !reflect.DeepEqual(i, want) {
		t.Errorf("counts %+v,\nwant %+v", i, want)
	}
	again := w.mark(0, exercise.Event{Outcome: exercise.Seen, Desk: "south", When: at(3, 12)})
	if _, u, err := w.desk.Invited(ctx, code, w.homes[0]); err != nil || len(u.Marks) != 4 || !reflect.DeepEqual(again, want) {
		t.Errorf("the same mark again: %d marks, %+v, %v", len(u.Marks), again, err)
	}
	w.mark(1, exercise.Event{Outcome: exercise.Refused, Desk: "south"})
	w.mark(2, exercise.Event{Outcome: exercise.Absent, Desk: "south"})
	w.mark(3, exercise.Event{Outcome: exercise.Seen, How: registry.Remote, Desk: "south", Changed: nil})
	day, err := w.desk.Daily(ctx, code, "", "")
	must(t, err)
	if len(day.Rows) != 2 || day.Left != 1 {
		t.Fatalf("%d left, rows %+v", day.Left, day.Rows)
	}
	north, south := day.Rows[0], day.Rows[1]
	if north.Clerk != "clerk-b" || north.Updated != 1 || north.Fields != 6 || north.Changed != 2 || north.Twice != 1 || north.ByContact[registry.ByPhone] != 1 {
		t.Errorf("north: %+v", north)
	}
	if south.Day != "2026-11-03" || south.Invited != 3 || south.Seen != 1 || south.Refused != 1 || south.Absent != 1 || south.ByContact[registry.Remote] != 1 {
		t.Errorf("south: %+v", south)
	}
	if day.Total.Invited != 5 || day.Total.Seen+day.Total.Updated+day.Total.Refused+day.Total.Absent+day.Left != 5 {
		t.Errorf("total: %+v", day.Total)
	}
	if before, err := w.desk.Daily(ctx, code, "", "2026-11-02"); err != nil || before.Left != 5 || len(before.Rows) != 0 {
		t.Errorf("of the day before: %+v, %v", before, err)
	}

	mets, err := w.record(w.homes[0]).Mets()
	must(t, err)
	if len(mets) != 3 || mets[0].Desk != "north" || mets[0].Exercise != code || !mets[0].Known.IsZero() {
		t.Errorf("met: %+v", mets)
	}
	if refused, err := w.record(w.homes[1]).Mets(); err != nil || refused != nil {
		t.Errorf("who refused was met: %v, %v", refused, err)
	}
	for _, n := range w.store.Notes() {
		if strings.HasPrefix(string(n.Action), "exercise.mark") && (n.Actor.Device != "" || n.Object != code) {
			t.Errorf("the log says where: %+v", n)
		}
	}
}

func TestAMarkIsRefused(t *testing.T) {
	w := newWorld(t, 2)
	w.open(exercise.Scope{})
	w.now = w.now.AddDate(0, 0, 1)
	for name, c := range map[string]struct {
		event exercise.Event
		want  string
	}{
		"no outcome":              {exercise.Event{Desk: "north"}, exercise.RefusedOutcome},
		"another desk":            {exercise.Event{Outcome: exercise.Seen, Desk: "west"}, exercise.RefusedDesk},
		"ahead":                   {exercise.Event{Outcome: exercise.Seen, Desk: "north", When: w.now.Add(time.Hour)}, exercise.RefusedWhen},
		"before the first day":    {exercise.Event{Outcome: exercise.Seen, Desk: "north", When: w.now.AddDate(0, 0, -2)}, exercise.RefusedWhen},
		"absent by phone":         {exercise.Event{Outcome: exercise.Absent, How: registry.ByPhone, Desk: "north"}, exercise.RefusedHow},
		"a photograph remotely":   {exercise.Event{Outcome: exercise.Updated, How: registry.Remote, Desk: "north", Changed: []string{"photo"}}, exercise.RefusedPhoto},
		"a photograph by phone":   {exercise.Event{Outcome: exercise.Updated, How: registry.ByPhone, Desk: "north", Changed: []string{"photo"}}, exercise.RefusedPhoto},
		"a way that nobody knows": {exercise.Event{Outcome: exercise.Seen, How: "dream", Desk: "north"}, exercise.RefusedHow},
	} {
		if _, err := w.desk.Mark(ctx, clerk, code, w.homes[0], c.event); refusal(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if _, u, err := w.desk.Invited(ctx, code, w.homes[0]); err != nil || len(u.Marks) != 0 {
		t.Errorf("%d marks are kept, %v", len(u.Marks), err)
	}
	if in := w.mark(0, exercise.Event{Outcome: exercise.Seen, Desk: "north", Changed: []string{"photo"}}); in.Outcome != exercise.Updated {
		t.Errorf("a change that was seen is %q", in.Outcome)
	}
}

func TestAMarkIsUndoneTheSameDay(t *testing.T) {
	w := newWorld(t, 1)
	w.open(exercise.Scope{})
	w.now = w.now.Add(time.Hour)
	w.mark(0, exercise.Event{Outcome: exercise.Seen, Desk: "north"})
	if _, err := w.desk.Undo(ctx, lead, code, w.homes[0]); refusal(err) != exercise.RefusedUndo {
		t.Errorf("by another account: %v", err)
	}
	in, err := w.desk.Undo(ctx, clerk, code, w.homes[0])
	if err != nil || in.Outcome != exercise.Waiting {
		t.Errorf("undone: %+v, %v", in, err)
	}
	if mets, err := w.record(w.homes[0]).Mets(); err != nil || len(mets) != 0 {
		t.Errorf("still met: %v, %v", mets, err)
	}
	w.mark(0, exercise.Event{Outcome: exercise.Absent, Desk: "north"})
	w.now = w.now.AddDate(0, 0, 1)
	if _, err := w.desk.Undo(ctx, clerk, code, w.homes[0]); refusal(err) != exercise.RefusedUndo {
		t.Errorf("on another day: %v", err)
	}
}

func TestAnOfflineListIsTakenOnce(t *testing.T) {
	w := newWorld(t, 4)
	w.open(exercise.Scope{})
	sheet, err := w.desk.Sheet(ctx, code, "north")
	if err != nil || len(sheet.Units) != 4 {
		t.Fatalf("%d on the list, %v", len(sheet.Units), err)
	}
	if _, err := w.desk.Sheet(ctx, code, "moon"); refusal(err) != exercise.RefusedDesk {
		t.Errorf("for no desk: %v", err)
	}
	w.now = time.Date(2026, 11, 9, 8, 0, 0, 0, time.UTC)
	if _, err := w.desk.Close(ctx, lead, code); err != nil {
		t.Fatal(err)
	}
	list := "\ufeffname;record;outcome;how;when;clerk;changed\n" +
		"A;" + w.homes[0].String() + ";seen;in_person;2026-11-03;clerk-b;\n" +
		"B;" + w.homes[1].String() + ";UPDATED;phone;2026-11-03 14:30;clerk-b;contacts location\n" +
		"C;" + w.homes[2].String() + ";;;;;\n" +
		"D;" + w.homes[3].String() + ";seen;;3 November;;\n" +
		"E;" + w.people[0][0].String() + ";seen;;2026-11-03;;\n" +
		"F;Amina;seen;;2026-11-03;;\n" +
		"G;" + w.homes[3].String() + ";seen;;2026-11-20;;\n" +
		"H;" + w.homes[3].String() + ";updated;remote;2026-11-03;;photo\n"
	taken, err := w.desk.TakeSheet(ctx, lead, code, "north", strings.NewReader(list))
	want := exercise.Taken{Marks: 2, Empty: 1, Faulty: 5, Faults: []exercise.Fault{{5, exercise.FaultWhen}, {7, exercise.FaultRecord}, {6, exercise.FaultInvited}, {8, exercise.RefusedWhen}, {9, exercise.RefusedPhoto}}}
	if err != nil || !reflect.DeepEqual(taken, want) {
		t.Errorf("taken %+v, %v;\nwant %+v", taken, err, want)
	}
	again, err := w.desk.TakeSheet(ctx, lead, code, "north", strings.NewReader(list))
	if err != nil || again.Marks != 0 || again.Same != 2 {
		t.Errorf("taken again %+v, %v", again, err)
	}
	in, _, err := w.desk.Invited(ctx, code, w.homes[1])
	if err != nil || in.Outcome != exercise.Updated || in.By != "clerk-b" || in.Changed != 2 || !in.Known.Equal(w.now) || in.When.Hour() != 14 {
		t.Errorf("%+v, %v", in, err)
	}
	mets, err := w.record(w.homes[1]).Mets()
	if err != nil || len(mets) != 1 || !mets[0].Known.Equal(w.now) {
		t.Errorf("met %+v, %v", mets, err)
	}
	for _, bad := range []string{"", "a,b\n", "record,outcome\n\"x", "record\n\xff"} {
		if _, err := w.desk.TakeSheet(ctx, lead, code, "north", strings.NewReader(bad)); refusal(err) != exercise.RefusedSheet {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// East of UTC a list is handed in on its own day before that day begins in UTC.
func TestADayOfAListGoesByThePlace(t *testing.T) {
	w := newWorld(t, 1)
	w.open(exercise.Scope{})
	list := "record,outcome,when\n" + w.homes[0].String() + ",seen,2026-11-04\n"
	w.now = time.Date(2026, 11, 3, 9, 59, 0, 0, time.UTC)
	taken, err := w.desk.TakeSheet(ctx, lead, code, "north", strings.NewReader(list))
	if err != nil || taken.Faulty != 1 || taken.Faults[0].Code != exercise.RefusedWhen {
		t.Errorf("of a day that is nowhere yet: %+v, %v", taken, err)
	}
	w.now = w.now.Add(time.Minute)
	if taken, err = w.desk.TakeSheet(ctx, lead, code, "north", strings.NewReader(list)); err != nil || taken.Marks != 1 {
		t.Errorf("of a day that has come: %+v, %v", taken, err)
	}
	w.now = w.now.AddDate(0, 0, 1)
	if taken, err = w.desk.TakeSheet(ctx, lead, code, "north", strings.NewReader(list)); err != nil || taken.Same != 1 {
		t.Errorf("again: %+v, %v", taken, err)
	}
	if mets, err := w.record(w.homes[0]).Mets(); err != nil || len(mets) != 1 || mets[0].At.Day() != 4 {
		t.Errorf("met %v, %v", mets, err)
	}
}

// Nobody becomes inactive but who was absent, told, and silent to the end of the time for
// appeals; and by no single account.
func TestInactiveOnlyAfterNoticeAndAppeal(t *testing.T) {
	w := newWorld(t, 9)
	w.open(exercise.Scope{})
	w.now = w.now.AddDate(0, 0, 1)
	w.mark(0, exercise.Event{Outcome: exercise.Seen, Desk: "north"})
	w.mark(1, exercise.Event{Outcome: exercise.Refused, Desk: "north"})
	if _, err := w.desk.Propose(ctx, code); refusal(err) != exercise.RefusedState {
		t.Errorf("while it is open: %v", err)
	}
	w.now = time.Date(2026, 11, 7, 8, 0, 0, 0, time.UTC)
	_, err := w.desk.Close(ctx, lead, code)
	must(t, err)
	if n, err := w.desk.Notice(ctx, lead, code, nil, "2026-11-05", "poster"); refusal(err) != exercise.RefusedNotice {
		t.Errorf("told %d before the close: %v", n, err)
	}
	w.now = time.Date(2026, 11, 15, 8, 0, 0, 0, time.UTC)
	if n, err := w.desk.Notice(ctx, lead, code, nil, "2026-11-07", "poster"); refusal(err) != exercise.RefusedNotice {
		t.Errorf("%d are told to have been told long ago: %v", n, err)
	}
	w.now = time.Date(2026, 11, 14, 23, 0, 0, 0, time.UTC)
	told := w.homes[2:8] // 8 is never told
	if n, err := w.desk.Notice(ctx, lead, code, told, "2026-11-07", "visit"); n != 6 || err != nil {
		t.Fatalf("told %d, %v", n, err)
	}
	counts := func() map[exercise.Standing]int {
		t.Helper()
		p, err := w.desk.Propose(ctx, code)
		must(t, err)
		return p.Counts
	}
	if got, want := counts(), (map[exercise.Standing]int{exercise.Noticed: 6, exercise.Unnoticed: 1}); !reflect.DeepEqual(got, want) {
		t.Errorf("after the notice %v, want %v", got, want)
	}
	w.now = time.Date(2026, 12, 7, 23, 0, 0, 0, time.UTC) // the 30th day
	if got := counts(); got[exercise.Due] != 0 {
		t.Errorf("on the last day: %v", got)
	}
	w.now = time.Date(2026, 12, 8, 8, 0, 0, 0, time.UTC)
	first, err := w.desk.Propose(ctx, code)
	must(t, err)
	if len(first.Units) != 6 {
		t.Fatalf("%d due: %v", len(first.Units), first.Counts)
	}
	if _, err := w.desk.Appeal(ctx, clerk, code, w.homes[2]); err != nil {
		t.Fatal(err)
	}
	desk := registry.Registry{Store: w.store, Actor: clerk, Now: w.desk.Now}
	if _, err := desk.Meet(ctx, w.people[3][1], registry.Met{At: w.now, How: registry.ByPhone, By: "clerk-a"}); err != nil {
		t.Fatal(err)
	}
	w.given = []registry.ID{w.people[4][0]}
	if _, err := w.desk.Settle(ctx, access.Actor{ID: "lead", Role: access.DistributionLead}, first); !errors.Is(err, registry.ErrSecondPerson) {
		t.Errorf("by one account: %v", err)
	}
	if _, err := w.desk.Settle(ctx, two, first); !errors.Is(err, exercise.ErrChanged) || w.asleep() != 0 {
		t.Errorf("who was due when it was asked for: %v, %d inactive", err, w.asleep())
	}
	now, err := w.desk.Propose(ctx, code)
	must(t, err)
	want := map[exercise.Standing]int{exercise.Appealed: 1, exercise.Contacted: 1, exercise.Fetched: 1, exercise.Due: 3, exercise.Unnoticed: 1}
	if !reflect.DeepEqual(now.Counts, want) {
		t.Errorf("%v, want %v", now.Counts, want)
	}
	others := now
	others.Digest[0] ^= 1
	if _, err := w.desk.Settle(ctx, two, others); !errors.Is(err, exercise.ErrChanged) {
		t.Errorf("as many others: %v", err)
	}
	payload, err := now.Payload()
	must(t, err)
	a := access.Approval{Payload: payload, State: access.Approved}
	if again, err := w.desk.Again(ctx, a); err != nil || string(again) != string(payload) {
		t.Errorf("made again: %s, %v", again, err)
	}
	must(t, w.desk.Carry(ctx, two, a))
	if n := w.asleep(); n != 9 { // three households of two
		t.Errorf("%d records are inactive, want 9", n)
	}
	must(t, w.desk.Carry(ctx, two, a)) // after a stop
	if again, err := w.desk.Again(ctx, a); err != nil || string(again) != string(payload) || w.asleep() != 9 {
		t.Errorf("carried out again: %s, %v, %d", again, err, w.asleep())
	}
	if e, err := w.desk.Find(ctx, code); err != nil || e.State != exercise.Closed {
		t.Errorf("one was never told, and it is %v, %v", e.State, err)
	}

	// Any contact, appeal or single act wakes all of them.
	if _, err := desk.Meet(ctx, w.people[5][0], registry.Met{At: w.now, How: registry.Remote, By: "clerk-a"}); err != nil || w.asleep() != 6 {
		t.Errorf("met: %v, %d inactive", err, w.asleep())
	}
	if woken, err := w.desk.Appeal(ctx, clerk, code, w.homes[6]); err != nil || len(woken) != 3 || w.asleep() != 3 {
		t.Errorf("appealed: %v, %v, %d inactive", woken, err, w.asleep())
	}
	if woken, err := w.desk.Reactivate(ctx, clerk, w.homes[7]); err != nil || len(woken) != 3 || w.asleep() != 0 {
		t.Errorf("woken: %v, %v, %d inactive", woken, err, w.asleep())
	}
	if got := counts(); got[exercise.Due] != 0 {
		t.Errorf("who was woken is due again: %v", got)
	}
	list, err := w.desk.Absent(ctx, code)
	must(t, err)
	if slices.ContainsFunc(list, func(a exercise.Absentee) bool { return a.Standing == exercise.Inactive || a.Inactive }) || len(list) != 7 {
		t.Errorf("absent: %+v", list)
	}
	if n, err := w.desk.Notice(ctx, lead, code, nil, "", "poster"); err != nil || n < 1 {
		t.Errorf("told %d, %v", n, err)
	}
}

func TestPersonsSleepAndWakeAlone(t *testing.T) {
	w := newWorld(t, 2)
	w.open(exercise.Scope{Kind: registry.KindPerson})
	w.now = time.Date(2026, 11, 7, 8, 0, 0, 0, time.UTC)
	_, err := w.desk.Close(ctx, lead, code)
	must(t, err)
	if n, err := w.desk.Notice(ctx, lead, code, []registry.ID{w.people[0][0]}, "", "phone"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	w.now = w.now.AddDate(0, 0, 31)
	p, err := w.desk.Propose(ctx, code)
	must(t, err)
	if n, err := w.desk.Settle(ctx, two, p); n != 1 || err != nil || w.asleep() != 1 {
		t.Errorf("%d, %v: %d inactive, want her alone", n, err, w.asleep())
	}
	if woken, err := w.desk.Reactivate(ctx, clerk, w.people[0][0]); err != nil || len(woken) != 1 || w.asleep() != 0 {
		t.Errorf("woken %v, %v", woken, err)
	}
}

func FuzzTakeSheet(f *testing.F) {
	f.Add("record,outcome,how,when,clerk,changed\n0123456789abcdef0123456789abcdef,seen,in_person,2026-11-03,clerk-b,\n")
	f.Add("outcome;record\nabsent;x\n")
	f.Add("record,outcome\n\"")
	f.Fuzz(func(t *testing.T, list string) {
		w := newWorld(t, 0)
		_, err := w.desk.Make(ctx, lead, exercise.Exercise{Code: code, Opens: "2026-11-02", Closes: "2026-11-06"})
		must(t, err)
		taken, err := w.desk.TakeSheet(ctx, lead, code, "north", strings.NewReader(list))
		if err == nil && (taken.Marks != 0 || taken.Faulty < len(taken.Faults)) {
			t.Errorf("%+v of nobody who was invited", taken)
		}
	})
}
