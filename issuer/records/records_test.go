package records_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/registrytest"
)

var now = time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)

// store is a records.Store in memory that remembers who was shown to whom.
type store struct {
	registrytest.Store
	looks []look
}

type look struct {
	access.Entry
	about []registry.ID
}

func (s *store) Cards(context.Context, issuer.Selection) ([]issuer.Card, error) { return nil, nil }

func (s *store) FindCredentials(context.Context, string) ([]issuer.Credential, error) {
	return nil, nil
}

func (s *store) Note(ctx context.Context, by access.Actor, e access.Entry) error {
	return s.NoteAbout(ctx, by, e, nil)
}

func (s *store) NoteAbout(_ context.Context, by access.Actor, e access.Entry, about []registry.ID) error {
	e.Actor = by
	s.looks = append(s.looks, look{e, about})
	return nil
}

// newDesk is a desk with a clock that goes on by a second at each look.
func newDesk() (*records.Desk, *store) {
	clock := now
	s := &store{}
	s.Now = func() time.Time { clock = clock.Add(time.Second); return clock }
	return &records.Desk{Store: s, Country: "KEN", Now: s.Now}, s
}

func by(account string) access.Actor {
	return access.Actor{ID: account, Role: access.Registrar, Device: "desk-" + account}
}

func enter(t *testing.T, d *records.Desk, text string) registry.ID {
	t.Helper()
	n, _ := registry.ParseName(text, registry.Official)
	r := registry.Registry{Store: d.Store, Actor: by("clerk"), Now: d.Now}
	e, err := r.Enter(t.Context(), registry.Entry{Person: registry.Person{Names: []registry.Name{n}, Sex: registry.Female,
		Birth: &registry.Birth{EDTF: "1987-05-12", Precision: registry.PrecisionDay}}})
	if err != nil {
		t.Fatal(err)
	}
	return e.ID
}

func edit(t *testing.T, d *records.Desk, who string, id registry.ID) records.Form {
	t.Helper()
	f, err := d.Edit(t.Context(), by(who), id, registry.KindPerson)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func save(t *testing.T, d *records.Desk, who string, f records.Form, typed map[string]string) records.Outcome {
	t.Helper()
	values := maps.Clone(f.Values)
	maps.Copy(values, typed)
	out, err := d.Save(t.Context(), by(who), f.Record.ID, registry.KindPerson, f.Seen, values, "asked her")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Two people who change different fields of one record both get what they typed, also
// where both fields are kept as one; of one field, both values are kept and people
// decide.
func TestTwoWhoEditOneRecordLoseNothing(t *testing.T) {
	d, _ := newDesk()
	id := enter(t, d, "Amina Yusuf")
	a, b := edit(t, d, "amal", id), edit(t, d, "ben", id)
	if out := save(t, d, "amal", a, map[string]string{"phone": "+254712000001", "birth": "1988-01-02"}); len(out.Set) != 2 || len(out.Rival) != 0 {
		t.Fatalf("the first: %+v", out)
	}
	out := save(t, d, "ben", b, map[string]string{"email": "amina@example.org", "sex": "m", "birth": "1989-03-04"})
	if !slices.Equal(out.Set, []string{"email", "sex"}) || len(out.Rival) != 1 || out.Rival[0].Text != "1989-03-04" {
		t.Fatalf("the second: %+v", out)
	}
	s, err := d.Sheet(t.Context(), by("ben"), id, registry.KindPerson)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Person.Contacts) != 2 || s.Person.Sex != "m" || s.Person.Birth.EDTF != "1988-01-02" {
		t.Errorf("on record: %+v", s.Person)
	}
	if len(s.Undecided) != 1 {
		t.Fatalf("undecided: %+v", s.Undecided)
	}
	u := s.Undecided[0]
	if u.Field != "birth" || u.Text != "1988-01-02" || u.By.By != "amal" || u.By.Device != "desk-amal" || len(u.Rivals) != 1 || u.Rivals[0].By != "ben" || u.Rivals[0].Device != "desk-ben" || u.Rivals[0].At.IsZero() {
		t.Errorf("undecided: %+v", u)
	}
	if n, _, _, err := d.Open(t.Context()); n != 1 || err != nil {
		t.Errorf("waiting: %d %v", n, err)
	}
	if list, err := d.Undecided(t.Context(), by("amal")); len(list) != 1 || list[0].ID != id || err != nil {
		t.Errorf("the list of what waits: %v %v", list, err)
	}

	// Another state than was shown is not decided about.
	if err := d.Decide(t.Context(), by("amal"), id, registry.KindPerson, "birth", "1987-05-12", u.Rivals[0].Handle()); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("deciding about what was not shown: %v", err)
	}
	if err := d.Decide(t.Context(), by("amal"), id, registry.KindPerson, "birth", u.Text, "0123456789abcdef"); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("a value that nobody said: %v", err)
	}
	if err := d.Decide(t.Context(), by("amal"), id, registry.KindPerson, "birth", u.Text, u.Rivals[0].Handle()); err != nil {
		t.Fatal(err)
	}
	if s, err = d.Sheet(t.Context(), by("ben"), id, registry.KindPerson); err != nil || s.Person.Birth.EDTF != "1989-03-04" || len(s.Undecided) != 0 {
		t.Errorf("after the decision: %+v %+v %v", s.Person.Birth, s.Undecided, err)
	}
	if n, _, _, _ := d.Open(t.Context()); n != 0 {
		t.Errorf("%d still wait", n)
	}
}

// Whatever two to five people do to the fields of one record, in whatever order they
// began and ended, every value that somebody typed stands, waits for a decision, or was
// on record before somebody who had seen it changed it (DOMAIN A14).
func TestNoUpdateIsLost(t *testing.T) {
	fields := []string{"name", "used_name", "birth", "phone", "email", "document.passport", "site"}
	value := func(field string, n int) string {
		switch field {
		case "birth":
			return fmt.Sprintf("19%02d-03-05", 50+n%45)
		case "phone":
			return fmt.Sprintf("+2547120%05d", n)
		case "email":
			return fmt.Sprintf("a%d@example.org", n)
		case "document.passport":
			return fmt.Sprintf("P77%05d", n)
		}
		return "Amina " + strings.Repeat("b", n%9+1) + string(rune('a'+n%26)) + "i"
	}
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 6))
		d, _ := newDesk()
		id := enter(t, d, "Amina Yusuf")
		type typed struct{ field, text string }
		var all []typed
		forms := map[string]records.Form{}
		staff := []string{"amal", "ben", "chen", "dua", "eve"}[:2+r.IntN(4)]
		for step := range 12 {
			who := staff[r.IntN(len(staff))]
			f, open := forms[who]
			if !open {
				forms[who] = edit(t, d, who, id)
				continue
			}
			delete(forms, who)
			change := map[string]string{}
			for range 1 + r.IntN(3) {
				field := fields[r.IntN(len(fields))]
				if _, twice := change[field]; !twice {
					change[field] = value(field, int(seed)*100+step*7+r.IntN(5))
					all = append(all, typed{field, change[field]})
				}
			}
			before := edit(t, d, "watch", id).Values
			save(t, d, who, f, change)
			after := edit(t, d, "watch", id).Values
			for _, field := range fields {
				if before[field] != f.Values[field] && after[field] != before[field] {
					t.Fatalf("seed %d: %s wrote over a value of %s that they had not seen", seed, who, field)
				}
			}
		}
		past, err := d.History(t.Context(), by("auditor"), id, registry.KindPerson)
		if err != nil {
			t.Fatal(err)
		}
		var kept strings.Builder
		for _, p := range past {
			fmt.Fprintf(&kept, "%v\n", p.To)
		}
		for _, v := range all {
			if !strings.Contains(kept.String(), v.text) {
				t.Fatalf("seed %d: what was typed for %s is nowhere", seed, v.field)
			}
		}
		s, err := d.Sheet(t.Context(), by("auditor"), id, registry.KindPerson)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range s.Undecided {
			for _, rival := range u.Rivals {
				if rival.Text == u.Text || rival.By == "" || rival.At.IsZero() {
					t.Errorf("seed %d: %s: %+v beside %q", seed, u.Field, rival, u.Text)
				}
			}
		}
	}
}

// The other way round: whoever saves what she read, unchanged, changes nothing, however
// old her form is; and a form of states that never were is refused.
func TestAnOldFormTakesNothingBack(t *testing.T) {
	d, s := newDesk()
	id := enter(t, d, "Amina Yusuf")
	old := edit(t, d, "ben", id)
	save(t, d, "amal", edit(t, d, "amal", id), map[string]string{"name": "Amina Yusuf Ali", "sex": "m"})
	if out := save(t, d, "ben", old, nil); len(out.Set)+len(out.Rival) != 0 {
		t.Errorf("an old form with nothing typed: %+v", out)
	}
	if out := save(t, d, "ben", old, map[string]string{"sex": "m"}); len(out.Set)+len(out.Rival) != 0 {
		t.Errorf("the same value as hers: %+v", out)
	}
	for _, seen := range []string{"names:9", "names:0", "names:-1", "names:x", "names", "names:1,names:1", "nothing:1", strings.Repeat("names:1,", 2000)} {
		if _, err := d.Save(t.Context(), by("ben"), id, registry.KindPerson, seen, map[string]string{"sex": "f"}, "x"); err == nil {
			t.Errorf("a form of %.20q was taken", seen)
		}
	}
	var rejection *intake.Rejection
	if _, err := d.Save(t.Context(), by("ben"), id, registry.KindPerson, old.Seen, map[string]string{"birth": "2999-01-01", "site": "Hill"}, "x"); !errors.As(err, &rejection) {
		t.Errorf("a birth that lies ahead: %v", err)
	}
	if f := edit(t, d, "ben", id); f.Values["site"] != "" {
		t.Errorf("part of a form that was refused is on record: %q", f.Values["site"])
	}
	if len(s.looks) < 3 {
		t.Errorf("%d looks are in the log", len(s.looks))
	}
}

// What comes twice is not offered on a line that would replace both.
func TestSeveralValuesAreNotSetByOneLine(t *testing.T) {
	d, _ := newDesk()
	id := enter(t, d, "Amina Yusuf")
	r := registry.Registry{Store: d.Store, Actor: by("clerk"), Now: d.Now}
	rec, err := r.Record(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.EditPerson(t.Context(), rec, func(p *registry.Person) error {
		p.Contacts = []registry.Contact{{Kind: "phone", Value: "+254712000001"}, {Kind: "phone", Value: "+254712000002"}}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	f := edit(t, d, "ben", id)
	if _, ok := f.Values["phone"]; ok {
		t.Error("two telephones are offered as one line")
	}
	save(t, d, "ben", f, map[string]string{"email": "amina@example.org"})
	s, err := d.Sheet(t.Context(), by("ben"), id, registry.KindPerson)
	if err != nil || len(s.Person.Contacts) != 3 {
		t.Errorf("contacts: %+v %v", s.Person.Contacts, err)
	}
}

// Looks stand in the log with whom they showed.
func TestEveryLookIsTold(t *testing.T) {
	d, s := newDesk()
	id := enter(t, d, "Amina Yusuf")
	twin := enter(t, d, "Amina Yusuf") // and so may be the same
	told := func(what string, ids ...registry.ID) {
		t.Helper()
		if len(s.looks) != 1 {
			t.Fatalf("%s: %d looks", what, len(s.looks))
		}
		for _, id := range ids {
			if s.looks[0].Object != id.String() && !slices.Contains(s.looks[0].about, id) {
				t.Errorf("%s: %s was shown, and the log does not say so", what, id)
			}
		}
		if strings.Contains(fmt.Sprint(s.looks[0].Entry), "Amina") {
			t.Errorf("%s: a name in the log", what)
		}
		s.looks = nil
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	found, total, err := d.Find(t.Context(), by("ben"), records.Query{Text: "أمينة يوسف"})
	if must(err); total != 2 || len(found) != 2 {
		t.Errorf("found %d of %d in another script", len(found), total)
	}
	told("find", id, twin)
	_, err = d.Sheet(t.Context(), by("ben"), id, registry.KindPerson)
	must(err)
	told("sheet", id, twin)
	_, err = d.Edit(t.Context(), by("ben"), id, registry.KindPerson)
	must(err)
	told("edit", id)
	_, err = d.History(t.Context(), by("ben"), id, registry.KindPerson)
	must(err)
	told("history", id)
	_, err = d.Compare(t.Context(), by("ben"), id, registry.KindPerson, now, now.Add(time.Hour))
	must(err)
	told("compare", id)
	q, err := d.Queue(t.Context(), by("ben"), registry.StateReview, registry.StateTold)
	must(err)
	_, err = d.Who(t.Context(), by("ben"), q.Of)
	must(err)
	told("doubles", id, twin)
	_, err = d.Review(t.Context(), by("ben"), id, twin)
	must(err)
	told("a pair", id, twin)
	_, err = d.Plan(t.Context(), by("ben"), records.Change{Kind: records.Died, Unit: id})
	must(err)
	told("plan", id)
}

// A change is shown without being done; one that needs a second account says so, and is
// carried out once.
func TestChangesAreShownFirst(t *testing.T) {
	d, _ := newDesk()
	id := enter(t, d, "Amina Yusuf")
	c := records.Change{Kind: records.Died, Unit: id, On: "2026-11-18"}
	plan, err := d.Plan(t.Context(), by("ben"), c)
	if err != nil || plan.Two || len(plan.About) != 1 {
		t.Fatalf("%+v %v", plan, err)
	}
	if s, _ := d.Sheet(t.Context(), by("ben"), id, registry.KindPerson); !s.Person.Status.Living() {
		t.Fatal("looking at a plan did it")
	}
	if _, _, err := d.Do(t.Context(), by("ben"), c); err != nil {
		t.Fatal(err)
	}
	back := records.Change{Kind: records.Alive, Unit: id, Reason: "wrong person"}
	if plan, err = d.Plan(t.Context(), by("ben"), back); err != nil || !plan.Two {
		t.Errorf("taking a death back: %+v %v", plan, err)
	}
	if _, _, err := d.Do(t.Context(), by("ben"), back); !errors.Is(err, registry.ErrSecondPerson) {
		t.Errorf("alone: %v", err)
	}
	payload, err := back.Payload()
	if err != nil {
		t.Fatal(err)
	}
	who := by("ben")
	who.SecondPerson = "lead"
	for range 2 { // a stop after the first
		if err := d.Carry(t.Context(), who, access.Approval{Payload: payload}); err != nil {
			t.Fatal(err)
		}
	}
	if s, _ := d.Sheet(t.Context(), by("ben"), id, registry.KindPerson); !s.Person.Status.Living() {
		t.Error("two agreed and nothing was done")
	}
}

func TestChangesAsTheyAreApproved(t *testing.T) {
	a, b := registry.NewID(), registry.NewID()
	for _, c := range []records.Change{
		{Kind: records.Split, Unit: a, Others: []registry.ID{b}, Head: b, Renew: true},
		{Kind: records.Collect, Unit: a, Collector: &registry.Collector{Person: b.String(), Role: registry.Primary}},
		{Kind: records.CollectEnd, Unit: a, Collector: &registry.Collector{External: "Abu Omar"}, AskedBy: b},
	} {
		payload, err := c.Payload()
		if err != nil {
			t.Fatal(err)
		}
		got, err := records.ReadChange(payload)
		if err != nil || fmt.Sprintf("%+v", got.About()) != fmt.Sprintf("%+v", c.About()) || got.Kind != c.Kind || got.Renew != c.Renew {
			t.Errorf("%s: %+v %v", payload, got, err)
		}
	}
	for _, bad := range []string{"", "{", `{"kind":"died","unit":"x"}`, `{"kind":"died","unit":"` + a.String() + `","more":1}`} {
		if _, err := records.ReadChange([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func FuzzReadChange(f *testing.F) {
	p, _ := records.Change{Kind: records.Split, Unit: registry.NewID(), Others: []registry.ID{registry.NewID()}}.Payload()
	f.Add(p)
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := records.ReadChange(b)
		if err != nil {
			return
		}
		again, err := c.Payload()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := records.ReadChange(again); err != nil {
			t.Fatalf("%s is not read again: %v", again, err)
		}
	})
}

// What comes back with a form was in a browser: it never makes a record another.
func FuzzSeen(f *testing.F) {
	f.Add("names:1,birth:1,sex:1")
	f.Add("names:2")
	f.Add("undecided:1")
	d, _ := newDesk()
	r := registry.Registry{Store: d.Store, Actor: by("clerk"), Now: d.Now}
	e, err := r.Enter(context.Background(), registry.Entry{Person: registry.Person{Sex: registry.Female}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, seen string) {
		out, err := d.Save(t.Context(), by("ben"), e.ID, registry.KindPerson, seen, map[string]string{"sex": "f"}, "x")
		if err == nil && len(out.Set) > 0 {
			t.Fatalf("%q: a value that stood was set: %+v", seen, out)
		}
	})
}
