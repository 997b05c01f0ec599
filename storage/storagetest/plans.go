package storagetest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/storage"
)

var cash = registry.Programme{
	Code: "CASH", Name: "Kanari HIV cash", Modality: "cash", Counts: registry.KindPerson, Currency: "SOS",
	Rounds: []registry.Round{{N: 1, Label: "Kanari first", Opens: "2026-11-01"}},
}

func testProgrammes(t *testing.T, e Engine) {
	w := newWorld(t, e)
	w.update(t, func(tx registry.Tx) error {
		must(t, tx.SaveProgramme(registry.Programme{Code: "ZULU", Modality: "in_kind", Counts: registry.KindHousehold}))
		return tx.SaveProgramme(cash)
	})
	second := cash
	second.Rounds = append(slices.Clone(cash.Rounds), registry.Round{N: 2})
	w.update(t, func(tx registry.Tx) error { return tx.SaveProgramme(second) })
	w.update(t, func(tx registry.Tx) error { return tx.SaveProgramme(second) })
	issued(t, issue(t, w.desk, w.batch(t, 1))) // uses P7K2, which nobody planned
	w.view(t, func(v registry.View) error {
		got, err := v.Programme("CASH")
		if err != nil || !reflect.DeepEqual(got, second) {
			t.Errorf("programme = %+v, %v", got, err)
		}
		for _, code := range []string{"P7K2", "NONE"} {
			if _, err := v.Programme(code); !errors.Is(err, registry.ErrNotFound) {
				t.Errorf("programme %s: %v, want ErrNotFound", code, err)
			}
		}
		all, err := v.Programmes()
		if err != nil || len(all) != 2 || all[0].Code != "CASH" || all[1].Code != "ZULU" {
			t.Errorf("programmes = %+v, %v", all, err)
		}
		return nil
	})
	// One that was used first is planned later, and keeps its key.
	w.update(t, func(tx registry.Tx) error {
		return tx.SaveProgramme(registry.Programme{Code: "P7K2", Modality: "cash", Counts: registry.KindHousehold})
	})
	issued(t, issue(t, w.desk, w.batch(t, 2)))
	if err := w.org.Update(ctx, clerk, func(tx registry.Tx) error { return tx.SaveProgramme(registry.Programme{}) }); err == nil {
		t.Error("a programme without a code is saved")
	}
	w.whole(t)
	w.exec(t, `UPDATE programme SET (version, change_id, sealed) = (SELECT 1, id, sealed FROM change_set WHERE entity_id = 'CASH' AND base_version = 0) WHERE code = 'CASH'`)
	if got := w.findings(t); !slices.Contains(got, storage.CheckProjection) {
		t.Errorf("findings = %q, want the old plan that was put back", got)
	}
}

func testEntitlements(t *testing.T, e Engine) {
	w := newWorld(t, e)
	var people []registry.ID
	w.update(t, func(tx registry.Tx) error {
		must(t, tx.SaveProgramme(cash))
		for i := range 5 {
			s, err := tx.Save(change(t, i))
			must(t, err)
			people = append(people, s.ID)
			changed, err := tx.SaveEntitlement(registry.Entitlement{Unit: s.ID, Programme: "CASH", Round: 1, Amount: fmt.Sprintf("%d.50", i), Status: registry.Planned})
			if err != nil || !changed {
				t.Errorf("entitlement: %v, %v", changed, err)
			}
		}
		return nil
	})
	slices.SortFunc(people, func(a, b registry.ID) int { return slices.Compare(a[:], b[:]) })
	var first registry.Entitlement
	w.update(t, func(tx registry.Tx) (err error) {
		first, err = tx.Entitlement(people[0], "CASH", 1)
		must(t, err)
		if changed, err := tx.SaveEntitlement(first); err != nil || changed {
			t.Errorf("the same again: %v, %v", changed, err)
		}
		first.Status = registry.Collected
		if changed, err := tx.SaveEntitlement(first); err != nil || !changed {
			t.Errorf("collected: %v, %v", changed, err)
		}
		got, err := tx.Entitlement(people[0], "CASH", 1)
		if err != nil || !reflect.DeepEqual(got, first) {
			t.Errorf("read back %+v, %v", got, err)
		}
		other := first
		other.ID = registry.NewID().String()
		if _, err := tx.SaveEntitlement(other); err == nil {
			t.Error("a second entitlement of a unit and round is saved")
		}
		for _, e := range []registry.Entitlement{{Unit: registry.NewID(), Programme: "CASH"}, {Unit: people[0], Programme: "NONE"}} {
			if _, err := tx.SaveEntitlement(e); !errors.Is(err, registry.ErrNotFound) {
				t.Errorf("of %+v: %v, want ErrNotFound", e, err)
			}
		}
		if _, err := tx.SaveEntitlement(registry.Entitlement{Unit: people[0], Programme: "CASH", Round: 1 << 63}); err == nil {
			t.Error("a round over 2^63 is saved")
		}
		_, err = tx.SaveEntitlement(registry.Entitlement{Unit: people[0], Programme: "CASH", Round: 2, Status: registry.Planned})
		return err
	})
	must(t, w.org.Erase(ctx, clerk, people[1], "asked"))
	w.view(t, func(v registry.View) error {
		var got []registry.ID
		must(t, v.Entitlements("CASH", 1, func(e registry.Entitlement) error {
			got = append(got, e.Unit)
			_, err := v.Record(e.Unit) // the transaction can be used meanwhile
			return err
		}))
		if want := slices.Delete(slices.Clone(people), 1, 2); !slices.Equal(got, want) {
			t.Errorf("entitlements of %v, want %v: in order, without the erased", got, want)
		}
		if err := v.Entitlements("CASH", 1, func(registry.Entitlement) error { return errOwn }); !errors.Is(err, errOwn) {
			t.Errorf("stopped with %v", err)
		}
		if _, err := v.Entitlement(people[1], "CASH", 1); !errors.Is(err, registry.ErrErased) {
			t.Errorf("of the erased: %v, want ErrErased", err)
		}
		if _, err := v.Entitlement(people[0], "CASH", 3); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("of no round: %v, want ErrNotFound", err)
		}
		return nil
	})
	w.whole(t)
}

func testDoubles(t *testing.T, e Engine) {
	w := newWorld(t, e)
	a, b, c := w.saved(t, change(t, 1)).ID, w.saved(t, change(t, 2)).ID, w.saved(t, change(t, 3)).ID
	save := func(d registry.Double) {
		t.Helper()
		w.update(t, func(tx registry.Tx) error { return tx.SaveDouble(d) })
	}
	open := func(all bool) (list []registry.Double) {
		w.view(t, func(v registry.View) (err error) {
			list, err = v.Doubles(all)
			return err
		})
		return list
	}
	save(registry.Double{A: a, B: b, Why: registry.KeyDocument})
	w.now = start.Add(time.Hour)
	save(registry.Double{A: b, B: a, Why: registry.KeyDocument}) // the same pair
	save(registry.Double{A: c, B: a, Why: registry.KeyNameYear})
	want := []registry.Double{{A: a, B: b, Why: registry.KeyDocument, FoundAt: start}, {A: c, B: a, Why: registry.KeyNameYear, FoundAt: w.now}}
	if got := open(false); !reflect.DeepEqual(got, want) {
		t.Errorf("open doubles = %+v, want %+v", got, want)
	}
	save(registry.Double{A: b, B: a, Why: registry.KeyDocument, Decided: "different"})
	save(registry.Double{A: a, B: b, Why: registry.KeyDocument}) // found again: the decision stays
	want[0].Decided, want[0].By, want[0].DecidedAt = "different", clerk.ID, w.now
	if got := open(true); !reflect.DeepEqual(got, want) || len(open(false)) != 1 {
		t.Errorf("all doubles = %+v, want %+v", got, want)
	}
	of := func(id registry.ID) (list []registry.Double) {
		w.view(t, func(v registry.View) (err error) {
			list, err = v.DoublesOf(id)
			return err
		})
		return list
	}
	run := registry.Double{A: a, B: c, Why: registry.KeyMatch, Bits: 12.5, Told: true, Guard: "twins",
		Evidence: []registry.Evidence{{Field: "given", Level: "typing", Bits: 6.25}, {Field: "sex", Level: "different", Bits: -4}}}
	save(run)
	run.FoundAt = w.now
	bare := run
	bare.Evidence = nil
	if got := open(false); len(got) != 2 || !reflect.DeepEqual(got[0], bare) { // what tells most, first; the seals stay closed
		t.Errorf("open doubles = %+v, want first %+v", got, bare)
	}
	w.now = w.now.Add(time.Hour)
	later := w.now.Add(48 * time.Hour).Truncate(time.Microsecond)
	save(registry.Double{A: c, B: a, Why: registry.KeyMatch, Until: later, Reason: registry.AskHousehold})
	run.Until, run.Reason, run.PutOff = later, registry.AskHousehold, registry.Act{By: clerk.ID, At: w.now}
	counted := func(at time.Time, since time.Time, want ...int) {
		t.Helper()
		w.view(t, func(v registry.View) error {
			c, err := v.CountDoubles(at)
			if got := []int{c.Of[registry.StateReview], c.Of[registry.StateTold], c.Of[registry.StatePostponed], c.Of[registry.StateDecided]}; !reflect.DeepEqual(got, want) || !c.Oldest.Equal(since) {
				t.Errorf("to look at, told, put off, decided: %v, want %v; the oldest %v, want %v", got, want, c.Oldest, since)
			}
			return err
		})
	}
	found := start.Add(time.Hour)
	counted(w.now, time.Time{}, 0, 0, 1, 1) // a pair for two reasons is one, and put off with one of them
	counted(later, found, 0, 1, 0, 1)
	w.view(t, func(v registry.View) error {
		with, err := v.DoublesWith(b)
		if len(with) != 0 {
			t.Errorf("open pairs of who has none: %+v", with)
		}
		with, errC := v.DoublesWith(c)
		if len(with) != 2 || with[0].Why != registry.KeyMatch || with[0].Evidence != nil {
			t.Errorf("open pairs of one record: %+v", with)
		}
		by, errBy := v.DoublesBy(clerk.ID, start)
		if len(by) != 2 || by[0].Why != registry.KeyMatch || by[1].Decided != "different" {
			t.Errorf("what the account did: %+v", by)
		}
		since, errSince := v.DoublesBy(clerk.ID, w.now)
		other, errOther := v.DoublesBy("somebody", start)
		if len(since) != 1 || len(other) != 0 {
			t.Errorf("since now %+v, of another %+v", since, other)
		}
		return errors.Join(err, errC, errBy, errSince, errOther)
	})
	run.Bits, run.Told, run.Evidence = 9, false, run.Evidence[:1]
	save(registry.Double{A: c, B: a, Why: registry.KeyMatch, Bits: 9, Guard: "twins", Evidence: run.Evidence}) // renewed, and put off still
	if got := of(c); len(got) != 2 || !reflect.DeepEqual(got[0], run) || got[0].State(w.now) != registry.StatePostponed || got[0].State(later) != registry.StateReview {
		t.Errorf("pairs of one record = %+v, want first %+v", got, run)
	}
	save(registry.Double{A: a, B: c, Why: registry.KeyMatch, Decided: registry.Withdrawn})
	save(registry.Double{A: a, B: c, Why: registry.KeyMatch, Bits: 1}) // decided: it stays
	run.Until, run.Reason, run.PutOff, run.Decided, run.DecidedAt, run.By = time.Time{}, "", registry.Act{}, registry.Withdrawn, w.now, clerk.ID
	if got := of(a); len(got) != 3 || !reflect.DeepEqual(got[0], run) || len(open(false)) != 1 {
		t.Errorf("withdrawn: %+v, want first %+v", got, run)
	}
	save(registry.Double{A: a, B: c, Why: registry.KeyMatch, Decided: registry.Open})
	run.Decided, run.DecidedAt, run.By = "", time.Time{}, ""
	w.reopen(t)
	if got := of(a); len(got) != 3 || !reflect.DeepEqual(got[0], run) || len(open(false)) != 2 {
		t.Errorf("opened again: %+v, want first %+v", got, run)
	}
	must(t, w.org.Erase(ctx, clerk, c, "asked"))
	if got := of(a); len(got) != 3 || got[0].Bits+got[1].Bits != 0 || got[0].Evidence != nil || got[1].Evidence != nil {
		t.Errorf("of one who was erased: %+v", got)
	}
	if got := open(false); len(got) != 0 || len(open(true)) != 3 {
		t.Errorf("a pair with an erased one waits for a decision: %+v", got)
	}
	for _, d := range []registry.Double{{A: a, B: a, Why: registry.KeyPhone}, {A: a, B: b}, {A: a, B: registry.NewID(), Why: registry.KeyPhone}} {
		if err := w.org.Update(ctx, clerk, func(tx registry.Tx) error { return tx.SaveDouble(d) }); err == nil {
			t.Errorf("saved %+v", d)
		}
	}
	w.whole(t)
}

func testImports(t *testing.T, e Engine) {
	w := newWorld(t, e)
	f := registry.ImportFile{ID: registry.NewID(), Digest: sha256.Sum256([]byte("a file")), Plan: []byte(`{"Kanari":"names"}`), Rows: 10, Created: 4, Updated: 3, Same: 2, Refused: 1}
	w.update(t, func(tx registry.Tx) error { return tx.SaveImport(f) })
	f.At, f.By = start, clerk.ID
	w.view(t, func(v registry.View) error {
		got, ok, err := v.ImportOf(f.Digest)
		if err != nil || !ok || !reflect.DeepEqual(got, f) {
			t.Errorf("import = %+v, %v, %v; want %+v", got, ok, err, f)
		}
		if _, ok, err := v.ImportOf([32]byte{}); err != nil || ok {
			t.Errorf("an unknown file: %v, %v", ok, err)
		}
		all, err := v.Imports()
		if err != nil || len(all) != 1 || all[0].ID != f.ID {
			t.Errorf("imports = %+v, %v", all, err)
		}
		return nil
	})
	for _, bad := range []registry.ImportFile{{Rows: 0}, {ID: registry.NewID(), Rows: 2, Created: 1}, {ID: registry.NewID(), Created: 1, Same: -1}, f} {
		if err := w.org.Update(ctx, clerk, func(tx registry.Tx) error { return tx.SaveImport(bad) }); err == nil {
			t.Errorf("saved %+v", bad)
		}
	}
	if files := w.holders(t, f.Digest[:]); len(files) > 0 {
		t.Errorf("the file's digest stands in %q: whoever has the file can prove it", files)
	}
	w.whole(t)
}

// testMovedPlans: what belongs to no person is bound to its place, too.
func testMovedPlans(t *testing.T, e Engine) {
	for name, query := range map[string]string{
		"a plan of another programme": `UPDATE programme SET sealed = (SELECT sealed FROM programme p WHERE p.code = 'ZULU') WHERE code = 'CASH'`,
		"an entitlement of another unit": `UPDATE entitlement SET sealed = (SELECT sealed FROM entitlement o WHERE o.id > entitlement.id ORDER BY id LIMIT 1)
			WHERE id = (SELECT MIN(id) FROM entitlement)`,
		"an entitlement moved to another round": `UPDATE entitlement SET round = 9 WHERE id = (SELECT MIN(id) FROM entitlement)`,
		"an entitlement given to another unit":  `UPDATE entitlement SET unit_id = (SELECT id FROM unit WHERE kind = 'household') WHERE id = (SELECT MIN(id) FROM entitlement)`,
		"a mapping of another import":           `UPDATE import_file SET plan = (SELECT plan FROM import_file o WHERE o.id > import_file.id) WHERE id = (SELECT MIN(id) FROM import_file)`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, e)
			w.update(t, func(tx registry.Tx) error {
				must(t, tx.SaveProgramme(cash))
				must(t, tx.SaveProgramme(registry.Programme{Code: "ZULU"}))
				_, err := tx.Save(household(1))
				must(t, err)
				for i := range 2 {
					s, err := tx.Save(change(t, i))
					must(t, err)
					_, err = tx.SaveEntitlement(registry.Entitlement{Unit: s.ID, Programme: "CASH", Round: 1, Amount: fmt.Sprint(i)})
					must(t, err)
					must(t, tx.SaveImport(registry.ImportFile{ID: registry.NewID(), Plan: fmt.Append(nil, i)}))
				}
				return nil
			})
			w.whole(t)
			w.exec(t, query)
			if got := w.findings(t); !slices.Contains(got, storage.CheckSeal) {
				t.Errorf("findings = %q, want that the value does not open there", got)
			}
		})
	}
}

func testRegistryTenancy(t *testing.T, e Engine) {
	w := newWorld(t, e)
	org, err := w.db.CreateOrg(ctx, "org-b", random(32), clerk)
	must(t, err)
	other := *w
	other.use(org)
	c := change(t, 1)
	house := w.saved(t, household(1)).ID
	c.Household = house
	id := w.saved(t, c).ID
	digest := sha256.Sum256([]byte("a file"))
	w.update(t, func(tx registry.Tx) error {
		must(t, tx.SaveProgramme(cash))
		must(t, tx.SaveImport(registry.ImportFile{ID: registry.NewID(), Digest: digest}))
		_, err := tx.SaveEntitlement(registry.Entitlement{Unit: id, Programme: "CASH", Round: 1})
		return err
	})
	other.update(t, func(tx registry.Tx) error {
		_, recordErr := tx.Record(id)
		_, planErr := tx.Programme("CASH")
		_, dueErr := tx.Entitlement(id, "CASH", 1)
		_, saveErr := tx.Save(registry.Change{ID: id, LeaveHousehold: true})
		_, joinErr := tx.Save(registry.Change{Kind: registry.KindPerson, Household: house})
		for i, err := range []error{recordErr, planErr, dueErr, saveErr, joinErr} {
			if !errors.Is(err, registry.ErrNotFound) || i != 1 && i != 2 && !errors.Is(err, issuer.ErrNotFound) {
				t.Errorf("reach %d: %v, want ErrNotFound", i, err)
			}
		}
		_, found, err := tx.Find(c.Kind, c.Source, c.External)
		must(t, err)
		_, known, err := tx.ImportOf(digest)
		must(t, err)
		keys, err := tx.Lookup(c.Keys[0])
		must(t, err)
		members, err := tx.Members(house)
		must(t, err)
		if found || known || len(keys)+len(members) > 0 {
			t.Error("another organisation's record is found")
		}
		return nil
	})
	if s := other.saved(t, registry.Change{Kind: c.Kind, Source: c.Source, External: c.External, Keys: c.Keys}); !s.New || s.ID == id {
		t.Errorf("saved there as %+v", s)
	}
	w.whole(t)
	other.whole(t)
}
