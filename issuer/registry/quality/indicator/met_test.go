package indicator_test

import (
	"testing"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality/indicator"
)

// A session is who was last seen in an exercise: a household that was met with its people, and a
// person who was met with nobody else; what is asked of the session is asked of them alone.
func TestASessionIsWhoWasSeenInIt(t *testing.T) {
	w := newWorld(t)
	const code = "VER-2026-04"
	met := func(id registry.ID, when time.Time, exercise string) {
		w.save(registry.Change{ID: id}, map[string][]byte{registry.MetField: must(registry.AppendValue(nil, []any{map[string]any{
			"at": when.Format(time.RFC3339), "how": "in_person", "by": "clerk-1", "exercise": exercise}}))}, "mender")
	}
	met(w.houses[0].id, at.AddDate(0, 0, -2), code)
	met(w.houses[1].people[2], at.AddDate(0, 0, -1), code)
	met(w.houses[2].people[1], at.AddDate(0, 0, -1), "") // at a desk
	met(w.houses[0].people[1], at.AddDate(0, 0, -1), "") // and there again: no other session
	w.person(w.houses[0].people[0], func(p *registry.Person) { p.Sex = "" })
	w.person(w.houses[3].people[0], func(p *registry.Person) { p.Sex = "" })
	whole := w.measure()
	part := whole.Of(indicator.Session, code)
	for _, m := range []*indicator.Measured{&part.Indicators[1], &part.Indicators[21]} {
		tally := m.In(indicator.All, "")
		own := m.Definition.Own(tally)
		if own.Of != 4 || m.ID == "DQ-02" && own.Bad != 1 || m.ID == "DQ-22" && own.Bad != 0 {
			t.Errorf("%s of the session: %+v, of four people", m.ID, own)
		}
	}
	late := &part.Indicators[23]
	if own := late.Definition.Own(late.In(indicator.All, "")); own.Of != 1 {
		t.Errorf("%d delays of the session: of what was on an offline list alone there is one", own.Of)
	}
	if list := w.list("DQ-02", indicator.Session, code); len(list) != 1 || list[0].Record != w.houses[0].people[0] {
		t.Errorf("lists %v", list)
	}
	dq02 := &whole.Indicators[1]
	all := dq02.Definition.Own(dq02.In(indicator.All, "")).Of
	for _, value := range values(dq02, indicator.Session) {
		all -= dq02.Definition.Own(dq02.In(indicator.Session, value)).Of
	}
	if all != 0 {
		t.Errorf("sessions do not add up: %d are missing", all)
	}
}

// What nothing is known of has no figure, and what a form tells of itself is a delay.
func TestDelaysOfListsAndWhereNothingIsKnown(t *testing.T) {
	w := newWorld(t)
	for _, h := range w.houses {
		w.save(registry.Change{ID: h.people[0]}, map[string][]byte{registry.MetField: nil}, "mender")
	}
	na := func() (codes [2]string) {
		r := w.measure()
		return [2]string{r.Indicators[21].NA, r.Indicators[23].NA}
	}
	if got, want := na(), [2]string{"no_contacts", "no_lags"}; got != want {
		t.Errorf("nobody was met: %q, want %q", got, want)
	}
	if list := w.list("DQ-22", indicator.All, ""); len(list) != 0 {
		t.Errorf("lists %v of no figure", list)
	}
	w.now = at.Add(-time.Minute)
	for i, ended := range []string{"2026-11-01T09:00:00.000+03:00", "2026-11-19T09:00:00", "not said"} {
		p := registry.Person{Names: []registry.Name{{Text: "Amina"}}, Ext: map[string]string{"end": ended}}
		w.save(registry.Change{Kind: registry.KindPerson, Source: "camp", External: string(rune('a' + i))}, must(p.Fields()), "importer")
	}
	p := registry.Person{Names: []registry.Name{{Text: "Amina"}}, Ext: map[string]string{"end": "2026-11-01T09:00:00Z"}}
	w.save(registry.Change{Kind: registry.KindPerson}, must(p.Fields()), "clerk-1") // not of a list
	r := w.measure()
	m := &r.Indicators[23]
	if own := m.Definition.Own(m.In(indicator.All, "")); m.NA != "" || own.Of != 2 || own.Bad != 1 {
		t.Errorf("delays of a list: %+v, %q", own, m.NA)
	}
	if got := na(); got[0] != "no_contacts" {
		t.Errorf("a list is no meeting: %q", got)
	}
}
