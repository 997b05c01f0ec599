package rights_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/registrytest"
	"aidpass/issuer/registry/rights"
)

var twoOfThem = access.Actor{ID: "dpo", Role: access.DataProtection, SecondPerson: "lead"}

// meanwhile is a store in which something happens between the last look at a record and
// the transaction that destroys it.
type meanwhile struct {
	*registrytest.Store
	happens func()
}

func (m *meanwhile) EraseAll(ctx context.Context, by access.Actor, ids []registry.ID, reason string, before, after func(rights.Tx) error) error {
	if m.happens != nil {
		m.happens()
		m.happens = nil
	}
	return m.Store.EraseAll(ctx, by, ids, reason, before, after)
}

func setStatus(t *testing.T, s *registrytest.Store, id registry.ID, state string) registry.ID {
	t.Helper()
	p := registry.Person{Names: []registry.Name{{Text: "Amina"}}, Photo: []byte{1}}
	if state != "" {
		p.Status = &registry.Status{State: state}
	}
	fields, err := p.Fields()
	if err != nil {
		t.Fatal(err)
	}
	if state == "" {
		fields["status"] = nil
	}
	err = s.Update(t.Context(), access.Actor{ID: "clerk", Role: access.Registrar}, func(tx registry.Tx) error {
		saved, err := tx.Save(registry.Change{ID: id, Kind: registry.KindPerson, Fields: fields})
		id = saved.ID
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// A record that somebody opened again between the approval and the work keeps its cards,
// also where that happens at the very last moment; the others of its step go with theirs.
func TestARecordOpenedAgainKeepsItsCards(t *testing.T) {
	now := at
	for name, late := range map[string]bool{"before the step": false, "at the last moment": true} {
		t.Run(name, func(t *testing.T) {
			now = at
			s := &meanwhile{Store: &registrytest.Store{Now: func() time.Time { return now }}}
			opened, gone := setStatus(t, s.Store, registry.ID{}, registry.StateClosed), setStatus(t, s.Store, registry.ID{}, registry.StateClosed)
			s.GiveCards(opened, 2)
			s.GiveCards(gone, 1)
			now = now.AddDate(1, 0, 0)
			m := &rights.Remover{Desk: &rights.Desk{Store: s, Org: relA, Now: s.Now},
				Cards: func(_ context.Context, units []registry.ID) (numbers []string, err error) {
					for _, id := range units {
						numbers = append(numbers, fmt.Sprint(id, s.CardsOf(id)))
					}
					return numbers, nil
				}}
			plan, err := m.Plan(t.Context(), rights.Removal{Why: rights.TermOver, Items: []rights.Due{{Class: rights.Records, Unit: opened}, {Class: rights.Records, Unit: gone}}})
			if err != nil || len(plan.Items) != 2 {
				t.Fatalf("%+v, %v", plan, err)
			}
			if open := func() { setStatus(t, s.Store, opened, "") }; late {
				s.happens = open
			} else {
				open()
			}
			if err := m.CarryOut(t.Context(), twoOfThem, plan, 0, nil); err != nil {
				t.Fatal(err)
			}
			if n := s.CardsOf(opened); n != 2 {
				t.Errorf("who is on record again has %d of 2 cards", n)
			}
			if n := s.CardsOf(gone); n != 0 {
				t.Errorf("who is gone has %d cards", n)
			}
			err = s.View(t.Context(), func(v registry.View) error {
				if _, err := v.Record(opened); err != nil {
					t.Errorf("the one that was opened again: %v", err)
				}
				if _, err := v.Record(gone); !errors.Is(err, registry.ErrErased) {
					t.Errorf("the other: %v", err)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// What two accounts are asked to destroy at somebody's wish is not what was asked for any
// more where she was answered meanwhile: she took it back, and may be told so.
func TestAWishThatWasAnsweredErasesNobody(t *testing.T) {
	s := &registrytest.Store{Now: func() time.Time { return at }}
	her := setStatus(t, s, registry.ID{}, registry.StateClosed)
	desk := &rights.Desk{Store: s, Org: relA, Now: s.Now}
	asked, err := desk.Ask(t.Context(), access.Actor{ID: "clerk", Role: access.Registrar}, her, rights.Forget, "", rights.ByDocument)
	if err != nil {
		t.Fatal(err)
	}
	m := &rights.Remover{Desk: desk, Cards: func(context.Context, []registry.ID) ([]string, error) { return nil, nil }}
	dpo := access.Actor{ID: "dpo", Role: access.DataProtection}
	kept, err := desk.KeepRemoval(t.Context(), dpo, rights.Removal{Why: rights.AtWish, Request: asked.ID, Items: []rights.Due{{Class: rights.Records, Unit: her}}})
	if err != nil {
		t.Fatal(err)
	}
	payload := m.Executor().Payload
	before, err := payload(t.Context(), kept.ID)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := payload(t.Context(), kept.ID); err != nil || string(again) != string(before) {
		t.Fatalf("%s, %v; want %s", again, err, before)
	}
	// Nobody is told that she was forgotten while her record is there.
	var refusal *rights.Refusal
	if _, err := desk.Answer(t.Context(), dpo, asked.ID, true, "You are forgotten."); !errors.As(err, &refusal) || refusal.Code != rights.DeniedNotGone {
		t.Errorf("a wish to be forgotten is done by saying so: %v", err)
	}
	if _, err := desk.Answer(t.Context(), dpo, asked.ID, false, "She took it back."); err != nil {
		t.Fatal(err)
	}
	if after, err := payload(t.Context(), kept.ID); err != nil || string(after) == string(before) {
		t.Errorf("a wish that is answered is what it was: %s, %v", after, err)
	}
}

// A wish that is answered between the approval and the work, even at the last moment, erases
// nobody and stops no card; work that goes on after a stop finds it done.
func TestAWishTakenBackBeforeTheWork(t *testing.T) {
	for _, back := range []bool{true, false} {
		t.Run(fmt.Sprintf("back=%v", back), func(t *testing.T) {
			s := &meanwhile{Store: &registrytest.Store{Now: func() time.Time { return at }}}
			her := setStatus(t, s.Store, registry.ID{}, registry.StateClosed)
			s.GiveCards(her, 2)
			desk := &rights.Desk{Store: s, Org: relA, Now: s.Now}
			asked, err := desk.Ask(t.Context(), access.Actor{ID: "clerk", Role: access.Registrar}, her, rights.Forget, "", rights.ByDocument)
			if err != nil {
				t.Fatal(err)
			}
			m := &rights.Remover{Desk: desk, Cards: func(context.Context, []registry.ID) ([]string, error) { return nil, nil }}
			plan, err := m.Plan(t.Context(), rights.Removal{Why: rights.AtWish, Request: asked.ID, Items: []rights.Due{{Class: rights.Records, Unit: her}}})
			if err != nil {
				t.Fatal(err)
			}
			work := func() error { return m.CarryOut(t.Context(), twoOfThem, plan, 0, nil) }
			if !back {
				for range 2 {
					if err := work(); err != nil {
						t.Errorf("a wish that stands: %v", err)
					}
				}
				return
			}
			s.happens = func() {
				if _, err := desk.Answer(t.Context(), access.Actor{ID: "dpo", Role: access.DataProtection}, asked.ID, false, "She took it back."); err != nil {
					t.Error(err)
				}
			}
			if err := work(); !errors.Is(err, access.ErrChanged) {
				t.Errorf("a wish taken back: %v", err)
			}
			if n := s.CardsOf(her); n != 2 {
				t.Errorf("she has %d of 2 cards", n)
			}
			if err := s.View(t.Context(), func(v registry.View) error { _, err := v.Record(her); return err }); err != nil {
				t.Errorf("her record: %v", err)
			}
		})
	}
}

// What is over is told by the day a record was closed, and a photograph alone only as long
// as its record stays.
func TestWhatIsOver(t *testing.T) {
	now := at
	s := &registrytest.Store{Now: func() time.Time { return now }}
	desk := &rights.Desk{Store: s, Org: relA, Now: s.Now}
	terms := rights.DefaultTerms()
	terms[rights.Photos], terms[rights.Records] = 10, 20
	if err := desk.SetTerms(t.Context(), twoOfThem, terms); err != nil {
		t.Fatal(err)
	}
	first := setStatus(t, s, registry.ID{}, registry.StateClosed)
	setStatus(t, s, registry.ID{}, "")
	now = now.AddDate(0, 0, 15)
	second := setStatus(t, s, registry.ID{}, registry.StateClosed)
	over := func(days int, want ...rights.Due) {
		t.Helper()
		now = at.AddDate(0, 0, days).Add(time.Second)
		list, err := desk.Due(t.Context())
		if err != nil || len(list) != len(want) {
			t.Fatalf("day %d: %+v, %v, want %+v", days, list, err, want)
		}
		for i, u := range list {
			if u.Class != want[i].Class || u.Unit != want[i].Unit {
				t.Errorf("day %d: %+v, want %+v", days, u, want[i])
			}
		}
	}
	over(9)
	over(10, rights.Due{Class: rights.Photos, Unit: first})
	over(20, rights.Due{Class: rights.Records, Unit: first})
	over(25, rights.Due{Class: rights.Photos, Unit: second}, rights.Due{Class: rights.Records, Unit: first})
	done, err := desk.CarryOut(t.Context(), twoOfThem, rights.Clearing{Items: []rights.Due{{Class: rights.Photos, Unit: second}, {Class: rights.Photos, Unit: first}, {Class: rights.Records, Unit: second}, {Class: rights.Logs}}})
	if err != nil || len(done.Destroyed) != 1 || len(done.Left) != 3 {
		t.Errorf("%+v, %v, want one photograph destroyed and the rest left", done, err)
	}
	over(25, rights.Due{Class: rights.Records, Unit: first})
	err = s.View(t.Context(), func(v registry.View) error {
		was, err := v.AsOf(second, at.AddDate(0, 0, 16))
		if f := was.Fields[registry.PhotoField]; f.Data != nil || !f.Destroyed {
			t.Errorf("as it was, the photograph is %+v", f)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
