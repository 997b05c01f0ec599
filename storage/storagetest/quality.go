package storagetest

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
	"aidpass/issuer/registry/quality/indicator"
	"aidpass/status"
)

// testSnapshots: what is measured of a day that is over is what its snapshot says, whatever
// came after; a day has one snapshot, sealed, and nobody changes it.
func testSnapshots(t *testing.T, e Engine) {
	w := newWorld(t, e)
	cards := w.due(t, 4)
	one := w.scanner(t, "tab-1")
	w.acked(t, "given", w.hand(t, one.give(cards[0].all())), "accepted")
	var people []registry.ID
	for i := range 6 {
		people = append(people, w.saved(t, change(t, 700+i)).ID)
	}
	house, err := registry.Household{Size: 3, Location: &registry.Location{PCode: "SO1101", Site: "Kanari well"}, Registered: "2026-01-02"}.Fields()
	must(t, err)
	h := household(1)
	h.Fields = house
	home := w.saved(t, h).ID
	for _, id := range people[:2] {
		w.saved(t, registry.Change{ID: id, Household: home})
	}
	w.update(t, func(tx registry.Tx) error {
		return errors.Join(tx.SaveDouble(registry.Double{A: people[0], B: people[1], Why: registry.KeyDocument}), tx.SaveDouble(registry.Double{A: people[2], B: people[3], Why: registry.KeyNameYear}))
	})
	meet := func(id registry.ID) {
		t.Helper()
		w.update(t, func(tx registry.Tx) error {
			_, err := registry.Meet(tx, w.now, id, registry.Met{At: w.now.Add(-time.Hour), How: registry.ByPhone, By: clerk.ID})
			return err
		})
	}
	w.now = w.now.Add(3 * time.Hour)
	measure := func(at time.Time, past bool) (s indicator.Snapshot, parts map[indicator.Cut]indicator.Parts) {
		t.Helper()
		must(t, w.org.Measuring(ctx, at, past, func(v registry.View, b indicator.Beside) error {
			r, err := indicator.Measure(ctx, v, indicator.Options{Policy: quality.Default(), At: at, Past: past, Beside: b})
			if err == nil {
				s, parts = r.Snapshot()
			}
			return err
		}))
		return s, parts
	}
	then := w.now
	s, parts := measure(then, false)
	by := access.Actor{ID: "acc-dq", Role: access.OrgAdmin}
	must(t, w.org.KeepSnapshot(ctx, by, s, parts))
	if err := w.org.KeepSnapshot(ctx, by, s, parts); !errors.Is(err, indicator.ErrTaken) {
		t.Errorf("a second of the day: %v", err)
	}

	w.now = w.now.Add(48 * time.Hour)
	fields, err := registry.Person{Sex: "x", Status: &registry.Status{State: registry.StateClosed}}.Fields()
	must(t, err)
	w.saved(t, registry.Change{ID: people[4], Fields: fields})
	w.saved(t, registry.Change{ID: people[0], LeaveHousehold: true, Fields: map[string][]byte{"sex": nil, "names": nil}})
	w.saved(t, registry.Change{ID: people[5], Household: home})
	meet(people[5]) // whom nobody had met then
	w.saved(t, change(t, 800))
	w.update(t, func(tx registry.Tx) error {
		return tx.SaveDouble(registry.Double{A: people[0], B: people[1], Why: registry.KeyDocument, Decided: "different"})
	})
	w.acked(t, "given later", w.hand(t, one.give(cards[1].all())), "accepted")
	must(t, w.org.SetStatus(ctx, clerk, []issuer.CTI{issuer.CTI(cards[2].cti)}, status.Invalid, "lost"))
	w.reopen(t)

	again, againParts := measure(then, true)
	if a, b := asJSON(t, s), asJSON(t, again); a != b {
		t.Errorf("measured again:\n%s\ninstead of\n%s", b, a)
	}
	if !reflect.DeepEqual(parts, againParts) {
		t.Errorf("measured again by cut:\n%v\ninstead of\n%v", againParts, parts)
	}
	now, _ := measure(w.now, false)
	moved := map[string]bool{}
	for i, k := range now.Indicators {
		if !reflect.DeepEqual(k.Tally, s.Indicators[i].Tally) {
			moved[k.ID] = true
		}
	}
	for _, id := range []string{"DQ-01", "DQ-14", "DQ-16", "DQ-18", "DQ-22", "DQ-25", "DQ-30"} {
		if !moved[id] {
			t.Errorf("%s says what it said before all that", id)
		}
	}

	kept, err := w.org.LastSnapshot(ctx)
	must(t, err)
	if asJSON(t, kept) != asJSON(t, s) {
		t.Errorf("kept %+v", kept)
	}
	site, err := w.org.PartsOf(ctx, s.Day(), indicator.Site)
	must(t, err)
	if !reflect.DeepEqual(site, parts[indicator.Site]) || site["DQ-01"]["Kanari well"][""].Of != 2 {
		t.Errorf("by site: %v", site)
	}
	for _, day := range []string{"2020-01-01", "never"} {
		if _, err := w.org.PartsOf(ctx, day, indicator.Site); !errors.Is(err, indicator.ErrNone) {
			t.Errorf("%s: %v", day, err)
		}
	}
	other, otherParts := measure(w.now, false)
	must(t, w.org.KeepSnapshot(ctx, by, other, otherParts))
	if list, err := w.org.Snapshots(ctx, then); err != nil || len(list) != 2 || list[1].Day() == list[0].Day() {
		t.Errorf("%d snapshots, %v", len(list), err)
	}
	if held := w.holders(t, []byte("Kanari well")); len(held) > 0 {
		t.Errorf("a site stands in the clear in %v", held)
	}
	told := 0
	must(t, w.org.Audit(ctx, func(e *access.Entry) error {
		if e.Action == "quality.snapshot" && strings.HasPrefix(e.Detail, "indicators=31 ") && e.Actor.ID == by.ID {
			told++
		}
		return nil
	}))
	if told != 2 {
		t.Errorf("the log tells of %d", told)
	}
	w.whole(t)
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	must(t, err)
	return string(b)
}
