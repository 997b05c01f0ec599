package storagetest

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/storage"
)

// update runs one registry transaction that must succeed.
func (w *world) update(t *testing.T, fn func(registry.Tx) error) {
	t.Helper()
	must(t, w.org.Update(ctx, clerk, fn))
}

// view runs one that reads.
func (w *world) view(t *testing.T, fn func(registry.View) error) {
	t.Helper()
	must(t, w.org.View(ctx, fn))
}

// saved saves one record.
func (w *world) saved(t *testing.T, c registry.Change) (s registry.Saved) {
	t.Helper()
	w.update(t, func(tx registry.Tx) (err error) {
		s, err = tx.Save(c)
		return err
	})
	return s
}

func (w *world) record(t *testing.T, id registry.ID) (r registry.Record) {
	t.Helper()
	w.view(t, func(v registry.View) (err error) {
		r, err = v.Record(id)
		return err
	})
	return r
}

// person is a made-up one, with texts that must never be readable in a file.
func person(t testing.TB, n int) registry.Person {
	t.Helper()
	return registry.Person{
		Names: []registry.Name{{Text: fmt.Sprintf("Kanari Ölmez %05d", n), Script: "Latn"}, {Text: "كناري عبد الرحمن", Script: "Arab"}},
		Sex:   "f", Birth: &registry.Birth{EDTF: "1987", Precision: "year"},
		Documents: []registry.Document{{Type: "passport", Country: "SOM", Number: fmt.Sprintf("PKANARI%05d", n)}},
		Contacts:  []registry.Contact{{Kind: "phone", Value: fmt.Sprintf("+25261%07d", n)}},
		Photo:     bytes.Repeat([]byte("kanari-pixels"), 3),
		Ext:       map[string]string{"village": "Kanaridorf"},
	}
}

// change is what an import makes of person n.
func change(t testing.TB, n int) registry.Change {
	t.Helper()
	p := person(t, n)
	fields, err := p.Fields()
	must(t, err)
	return registry.Change{
		Kind: registry.KindPerson, Source: "Kanari-Liste", External: fmt.Sprintf("KANARI-%05d", n), Fields: fields,
		Keys: []registry.Key{{Kind: registry.KeyDocument, Text: "passport/SOM/" + p.Documents[0].Number}, {Kind: registry.KeyPhone, Text: p.Contacts[0].Value}},
	}
}

func household(n int) registry.Change {
	return registry.Change{Kind: registry.KindHousehold, Source: "Kanari-Liste", External: fmt.Sprintf("KANARI-HH-%05d", n)}
}

func text(t testing.TB, s string) []byte {
	t.Helper()
	b, err := registry.AppendValue(nil, s)
	must(t, err)
	return b
}

func testRecord(t *testing.T, e Engine) {
	w := newWorld(t, e)
	c := change(t, 1)
	first := w.saved(t, c)
	if !first.New || first.Changed != len(c.Fields)+2 { // and identifier and list
		t.Errorf("saved %+v, want a new record of %d fields", first, len(c.Fields)+2)
	}
	head, err := w.org.VerifyAudit(ctx, access.Head{})
	must(t, err)
	if again := w.saved(t, c); again != (registry.Saved{ID: first.ID}) {
		t.Errorf("saved again as %+v, want nothing new", again)
	}
	if after, err := w.org.VerifyAudit(ctx, head); err != nil || after != head {
		t.Errorf("saving the same left audit entries: %v, %v", after.Seq, err)
	}
	r := w.record(t, first.ID)
	got, err := r.Person()
	must(t, err)
	if want := person(t, 1); !reflect.DeepEqual(got, want) || r.Kind != registry.KindPerson || r.Source != "Kanari-Liste" || r.External != "KANARI-00001" {
		t.Errorf("read %+v of %+v, want %+v", got, r, want)
	}
	if v := r.Fields["sex"]; v.Version != 1 || !v.At.Equal(start) || v.By != clerk.ID || !r.CreatedAt.Equal(start) {
		t.Errorf("field sex = %+v, want version 1 of %s by %s", v, start, clerk.ID)
	}

	w.now = start.Add(time.Hour)
	if s := w.saved(t, registry.Change{ID: first.ID, Fields: map[string][]byte{"sex": nil, "relation": text(t, "head"), "languages": nil}}); s.Changed != 2 {
		t.Errorf("saved %+v, want 2 fields: nothing was there to remove of the third", s)
	}
	w.now = start.Add(2 * time.Hour)
	w.saved(t, registry.Change{ID: first.ID, Fields: map[string][]byte{"sex": text(t, "m")}})
	r = w.record(t, first.ID)
	if v := r.Fields["sex"]; v.Version != 3 || !bytes.Equal(v.Data, text(t, "m")) || !v.At.Equal(w.now) {
		t.Errorf("field sex = %+v, want version 3", v)
	}
	w.view(t, func(v registry.View) error {
		if _, err := v.AsOf(first.ID, start.Add(-time.Second)); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("before it was made: %v, want ErrNotFound", err)
		}
		for _, c := range []struct {
			at       time.Time
			sex      []byte
			version  int64
			relation bool
		}{
			{start, text(t, "f"), 1, false},
			{start.Add(time.Hour), nil, 2, true},
			{start.Add(3 * time.Hour), text(t, "m"), 3, true},
		} {
			r, err := v.AsOf(first.ID, c.at)
			must(t, err)
			if f := r.Fields["sex"]; !bytes.Equal(f.Data, c.sex) || f.Version != c.version || (r.Fields["relation"].Data != nil) != c.relation || r.External == "" {
				t.Errorf("at %s: sex %+v, relation %v", c.at, f, r.Fields["relation"])
			}
		}
		history, err := v.History(first.ID)
		must(t, err)
		var sexes [][]byte
		for i, c := range history {
			if i > 0 && c.Seq <= history[i-1].Seq || c.By != clerk.ID || c.Device != clerk.Device {
				t.Errorf("change %d = %+v", i, c)
			}
			if c.Field == "sex" {
				sexes = append(sexes, c.Data)
			}
		}
		if want := [][]byte{text(t, "f"), nil, text(t, "m")}; !reflect.DeepEqual(sexes, want) || len(history) != first.Changed+3 {
			t.Errorf("%d changes, of sex %q; want %d and %q", len(history), sexes, first.Changed+3, want)
		}
		id, ok, err := v.Find(registry.KindPerson, "Kanari-Liste", " KANARI-00001 ")
		if err != nil || !ok || id != first.ID {
			t.Errorf("find = %s, %v, %v", id, ok, err)
		}
		if _, ok, err := v.Find(registry.KindPerson, "", "KANARI-00001"); err != nil || ok {
			t.Errorf("found in no list: %v, %v", ok, err)
		}
		return nil
	})
	unknown := registry.NewID()
	w.view(t, func(v registry.View) error {
		if _, err := v.Record(unknown); !errors.Is(err, registry.ErrNotFound) || !errors.Is(err, issuer.ErrNotFound) {
			t.Errorf("an unknown record: %v, want ErrNotFound", err)
		}
		if _, err := v.History(unknown); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("its history: %v, want ErrNotFound", err)
		}
		return nil
	})
	w.whole(t)
}

// testOneRecord: the roster of a command and the import are two doors of one room.
func testOneRecord(t *testing.T, e Engine) {
	w := newWorld(t, e)
	done, err := w.desk.Enrol(ctx, []issuer.RosterRow{{Kind: issuer.Person, Namespace: "List A", External: "7", Values: map[string]any{"full_name": "Canary"}}}, nil)
	must(t, err)
	s := w.saved(t, registry.Change{Kind: registry.KindPerson, Source: " List A ", External: "7 ", Fields: map[string][]byte{"sex": text(t, "f")}})
	if s.New || s.ID != done[0].ID || s.Changed != 1 {
		t.Errorf("saved as %+v, want one field of %s", s, done[0].ID)
	}
	r := w.record(t, s.ID)
	u, err := w.org.Unit(ctx, s.ID)
	must(t, err)
	if len(r.Fields) != 2 || len(u.Fields) != 2 || r.Source != u.Namespace || u.External != "7" {
		t.Errorf("one record reads as %+v and as %+v", r, u)
	}
	w.whole(t)
}

func testConflict(t *testing.T, e Engine) {
	w := newWorld(t, e)
	c := change(t, 1)
	id := w.saved(t, c).ID
	w.saved(t, registry.Change{ID: id, Fields: map[string][]byte{"sex": text(t, "m")}})
	late := registry.Change{ID: id, Fields: map[string][]byte{"sex": text(t, "x"), "relation": text(t, "head")}, Base: map[string]int64{"sex": 1, "relation": 0}}
	err := w.org.Update(ctx, clerk, func(tx registry.Tx) error {
		if _, err := tx.Save(late); !errors.Is(err, registry.ErrConflict) {
			t.Errorf("a late change: %v, want ErrConflict", err)
		}
		return nil // what was refused is not written, whatever the caller does then
	})
	must(t, err)
	if r := w.record(t, id); !bytes.Equal(r.Fields["sex"].Data, text(t, "m")) || r.Fields["relation"].Version != 0 {
		t.Errorf("after a refused change: %+v", r.Fields)
	}
	late.Base["sex"] = 2
	if s := w.saved(t, late); s.Changed != 2 {
		t.Errorf("saved %+v on the newest version", s)
	}
	w.whole(t)
}

func testRefusedChanges(t *testing.T, e Engine) {
	w := newWorld(t, e)
	house := w.saved(t, household(1)).ID
	who := w.saved(t, change(t, 1)).ID
	head, err := w.org.VerifyAudit(ctx, access.Head{})
	must(t, err)
	for name, c := range map[string]registry.Change{
		"of no kind":                      {External: "9"},
		"of a blank card":                 {Kind: registry.KindBlank},
		"of another kind than the record": {ID: house, Kind: registry.KindPerson},
		"of an unknown record":            {ID: registry.NewID()},
		"a value that is no item":         {Kind: registry.KindPerson, Fields: map[string][]byte{"sex": {0xff}}},
		"an empty value":                  {Kind: registry.KindPerson, Fields: map[string][]byte{"sex": {}}},
		"a field of the store's own":      {Kind: registry.KindPerson, Fields: map[string][]byte{"unit.household": text(t, house.String())}},
		"a field without a name":          {Kind: registry.KindPerson, Fields: map[string][]byte{"": text(t, "f")}},
		"a key that says nothing":         {Kind: registry.KindPerson, Keys: []registry.Key{{Kind: registry.KeyPhone}}},
		"a household in a household":      {Kind: registry.KindHousehold, Household: house},
		"a person in a person":            {Kind: registry.KindPerson, Household: who},
		"in and out at once":              {Kind: registry.KindPerson, Household: house, LeaveHousehold: true},
		"a base of a record not yet made": {Kind: registry.KindPerson, Base: map[string]int64{"sex": 1}},
	} {
		err := w.org.Update(ctx, clerk, func(tx registry.Tx) error {
			_, err := tx.Save(c)
			return err
		})
		if err == nil {
			t.Errorf("%s: saved", name)
		}
	}
	if after, err := w.org.VerifyAudit(ctx, head); err != nil || after != head {
		t.Errorf("refused changes left entries: %d after %d, %v", after.Seq, head.Seq, err)
	}
	if err := w.org.Update(ctx, access.Actor{ID: "nobody", Role: "boss"}, func(registry.Tx) error { return nil }); err == nil {
		t.Error("an actor in no role writes")
	}
	w.whole(t)
}

var errOwn = errors.New("the caller's own")

// testWholeOrNothing: an error of the function, a panic, and a write that failed
// and that the function kept quiet about.
func testWholeOrNothing(t *testing.T, e Engine) {
	w := newWorld(t, e)
	house := w.saved(t, household(1)).ID
	fill := func(tx registry.Tx) {
		c := change(t, 2)
		c.Household = house
		s, err := tx.Save(c)
		must(t, err)
		must(t, tx.SaveProgramme(registry.Programme{Code: "CASH", Counts: registry.KindPerson, Modality: "cash"}))
		_, err = tx.SaveEntitlement(registry.Entitlement{Unit: s.ID, Programme: "CASH", Round: 1, Amount: "10.00"})
		must(t, err)
		must(t, tx.SaveDouble(registry.Double{A: s.ID, B: house, Why: registry.KeyPhone}))
		must(t, tx.SaveImport(registry.ImportFile{ID: registry.NewID(), Rows: 1, Created: 1}))
		members, err := tx.Members(house)
		if err != nil || len(members) != 1 {
			t.Errorf("a transaction does not see its own writes: %d members, %v", len(members), err)
		}
	}
	w.saved(t, change(t, 1))
	if err := w.org.Update(ctx, clerk, func(tx registry.Tx) error { fill(tx); return errOwn }); err != errOwn {
		t.Errorf("update = %v, want the caller's error as it is", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = w.org.Update(ctx, clerk, func(tx registry.Tx) error { fill(tx); panic("x") })
	}()
	broken := w.org.Update(ctx, clerk, func(tx registry.Tx) error {
		fill(tx)
		if err := tx.SaveDouble(registry.Double{A: registry.NewID(), B: house, Why: registry.KeyPhone}); err == nil {
			t.Error("a double of a record that is not there was saved")
		}
		return nil
	})
	if broken == nil {
		t.Error("half a transaction was committed")
	}
	if err := w.org.View(ctx, func(registry.View) error { return errOwn }); err != errOwn {
		t.Errorf("view = %v, want the caller's error as it is", err)
	}
	w.view(t, func(v registry.View) error {
		people, err := v.Units(registry.KindPerson, registry.ID{}, 10)
		must(t, err)
		programmes, err := v.Programmes()
		must(t, err)
		doubles, err := v.Doubles(true)
		must(t, err)
		imports, err := v.Imports()
		must(t, err)
		members, err := v.Members(house)
		must(t, err)
		if len(people) != 1 || len(programmes)+len(doubles)+len(imports)+len(members) != 0 {
			t.Errorf("%d people, %d programmes, %d doubles, %d imports, %d members are there", len(people), len(programmes), len(doubles), len(imports), len(members))
		}
		return nil
	})
	w.whole(t)
}

func testKeys(t *testing.T, e Engine) {
	w := newWorld(t, e)
	a, b := w.saved(t, change(t, 1)).ID, w.saved(t, change(t, 2)).ID
	phone := func(n string) registry.Key { return registry.Key{Kind: registry.KeyPhone, Text: n} }
	look := func(k registry.Key, want ...registry.ID) {
		t.Helper()
		slices.SortFunc(want, func(a, b registry.ID) int { return bytes.Compare(a[:], b[:]) })
		w.view(t, func(v registry.View) error {
			got, err := v.Lookup(k)
			must(t, err)
			if !slices.Equal(got, want) {
				t.Errorf("%s finds %v, want %v", k.Kind, got, want)
			}
			return nil
		})
	}
	look(phone("+252610000001"), a)
	look(registry.Key{Kind: registry.KeyDocument, Text: "+252610000001"}) // the kind is part of it
	w.saved(t, registry.Change{ID: b, Keys: []registry.Key{phone("+252610000001"), phone("+252610000009"), phone("+252610000009")}})
	look(phone("+252610000001"), a, b)
	look(phone("+252610000009"), b)
	look(phone("+252610000002")) // replaced
	w.saved(t, registry.Change{ID: b, Fields: map[string][]byte{"sex": text(t, "m")}})
	look(phone("+252610000009"), b) // no keys named: left alone
	w.saved(t, registry.Change{ID: b, Keys: []registry.Key{}})
	look(phone("+252610000009"))
	must(t, w.org.Erase(ctx, clerk, a, "asked"))
	look(phone("+252610000001"))
	w.whole(t)
}

func testHouseholds(t *testing.T, e Engine) {
	w := newWorld(t, e)
	first, second := w.saved(t, household(1)).ID, w.saved(t, household(2)).ID
	c := change(t, 1)
	c.Household = first
	id := w.saved(t, c).ID
	members := func(house registry.ID, want ...registry.ID) {
		t.Helper()
		w.view(t, func(v registry.View) error {
			got, err := v.Members(house)
			must(t, err)
			if !slices.Equal(got, want) {
				t.Errorf("members = %v, want %v", got, want)
			}
			return nil
		})
	}
	members(first, id)
	if s := w.saved(t, c); s.Changed != 0 {
		t.Errorf("the same household again: %+v", s)
	}
	w.now = start.Add(time.Hour)
	w.saved(t, registry.Change{ID: id, Household: second})
	members(first)
	members(second, id)
	if r := w.record(t, id); r.Household != second {
		t.Errorf("household = %s, want the second", r.Household)
	}
	w.view(t, func(v registry.View) error {
		r, err := v.AsOf(id, start)
		if err != nil || r.Household != first {
			t.Errorf("an hour ago she was in %s, %v; want the first", r.Household, err)
		}
		return nil
	})
	w.saved(t, registry.Change{ID: id, LeaveHousehold: true})
	members(second)
	if r := w.record(t, id); !r.Household.IsZero() {
		t.Errorf("household = %s after she left", r.Household)
	}
	w.saved(t, registry.Change{ID: id, Household: first})
	w.whole(t)
	must(t, w.org.Erase(ctx, clerk, id, "asked"))
	members(first)
	w.whole(t)
	// Past the store: she is in a household that her record does not name.
	other := w.saved(t, change(t, 2)).ID
	w.exec(t, `INSERT INTO membership (org_id, person_id, household_id) VALUES ('org-a', $1, $2)`, other.String(), second.String())
	if got := w.findings(t); !slices.Contains(got, storage.CheckProjection) {
		t.Errorf("findings = %q, want the membership that nobody wrote", got)
	}
}

// testBulk: many acts of one transaction are one entry of the audit log, which
// proves the change sets.
func testBulk(t *testing.T, e Engine) {
	w := newWorld(t, e)
	const n = 60
	changes := 0
	w.update(t, func(tx registry.Tx) error {
		for i := range n {
			s, err := tx.Save(change(t, i))
			if err != nil {
				return err
			}
			changes += s.Changed
		}
		return tx.Note(access.Entry{Action: "test.note"})
	})
	var actions []string
	must(t, w.org.Audit(ctx, func(e *access.Entry) error {
		actions = append(actions, string(e.Action))
		if e.Action == "registry.save" && (e.Detail != fmt.Sprintf("unit.create=%d changes=1-%d", n, changes) || e.Digest == [32]byte{}) {
			t.Errorf("entry = %q with digest %x", e.Detail, e.Digest)
		}
		return nil
	}))
	if want := []string{"organisation.create", "test.note", "registry.save"}; !slices.Equal(actions, want) {
		t.Errorf("audit log = %q, want %q", actions, want)
	}
	w.view(t, func(v registry.View) error {
		var all []registry.ID
		for after := (registry.ID{}); ; {
			page, err := v.Units(registry.KindPerson, after, 7)
			must(t, err)
			if len(page) == 0 {
				break
			}
			all, after = append(all, page...), page[len(page)-1]
		}
		if len(all) != n || !slices.IsSortedFunc(all, func(a, b registry.ID) int { return bytes.Compare(a[:], b[:]) }) {
			t.Errorf("%d people in pages, want %d in order", len(all), n)
		}
		return nil
	})
	w.whole(t)
	// An administrator drops a person's change and her field: nothing else points at it.
	w.exec(t, `DROP TRIGGER change_set_no_delete`)
	w.exec(t, `DELETE FROM unit_field WHERE change_id = (SELECT id FROM change_set WHERE seq = 17)`)
	w.exec(t, `DELETE FROM change_set WHERE seq = 17`)
	if got := w.findings(t); !slices.Contains(got, storage.CheckAudit) {
		t.Errorf("findings = %q, want that the audit log proves another set of changes", got)
	}
}
