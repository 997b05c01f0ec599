package storagetest

import (
	"context"
	"errors"
	"testing"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/status"
)

// Cards stop in the transaction of the change that leaves them behind, or neither
// is there; a restore finds them stopped, as after a revocation.
func testStopCards(t *testing.T, e Engine) {
	w := newWorld(t, e)
	cards := issued(t, issue(t, w.desk, w.batch(t, 3)))
	unit := func(i int) registry.ID { return w.card(t, cards[i].ID).Unit }
	must(t, w.desk.Suspend(ctx, []issuer.CTI{cards[1].ID}, "asked"))
	restore := w.engine.Backup(t, w.dir)
	fault := errors.New("fault")
	stop := func(fail error) (n int, err error) {
		err = w.org.Update(ctx, access.Actor{ID: "amal", Role: access.Registrar}, func(tx registry.Tx) error {
			if n, err = tx.StopCards([]registry.ID{unit(0), unit(1), registry.NewID()}, "registry"); err != nil {
				return err
			}
			return fail
		})
		return n, err
	}
	if _, err := stop(fault); !errors.Is(err, fault) || w.card(t, cards[0].ID).Status != status.Valid {
		t.Errorf("a change that was taken back stopped a card: %v", err)
	}
	if n, err := stop(nil); err != nil || n != 2 {
		t.Errorf("%d cards stopped: %v", n, err)
	}
	if n, err := stop(nil); err != nil || n != 0 {
		t.Errorf("%d cards stopped again: %v", n, err)
	}
	want := func(when string) {
		t.Helper()
		for i, s := range []status.Value{status.Invalid, status.Invalid, status.Valid} {
			if c := w.card(t, cards[i].ID); c.Status != s {
				t.Errorf("%s: card %d is %s, want %s", when, i, c.Status, s)
			}
		}
		w.sound(t)
	}
	want("at once")
	must(t, w.db.Close())
	restore()
	w.db = w.engine.Open(t, w.dir, w.options())
	org, err := w.db.Org(ctx, "org-a", w.kek)
	must(t, err)
	w.use(org)
	want("after a restore")
}

// What another desk closed while a run was under way gets no card of that run.
func testStillDue(t *testing.T, e Engine) {
	w := newWorld(t, e)
	b := w.batch(t, 4)
	round := uint64(3)
	b.Programme, b.Round = "P7K2", round
	b.Gate = issuer.StillDue(w.org, "P7K2", round, func(context.Context, issuer.UnitID) (issuer.Decision, error) { return issuer.Decision{}, nil })
	for i := range b.Requests {
		b.Requests[i].Override = "no-papers" // and no second person can
	}
	w.desk.Actor.SecondPerson = "acc-lead"
	approve(t, &b)
	closed, err := registry.Person{Status: &registry.Status{State: registry.StateClosed}}.Fields()
	must(t, err)
	w.saved(t, registry.Change{ID: b.Requests[0].Unit, Fields: closed})
	w.update(t, func(tx registry.Tx) error {
		if err := tx.SaveProgramme(registry.Programme{Code: "P7K2", Modality: "cash", Counts: registry.KindPerson, Rounds: []registry.Round{{N: round}}}); err != nil {
			return err
		}
		_, err := tx.SaveEntitlement(registry.Entitlement{Unit: b.Requests[1].Unit, Programme: "P7K2", Round: round, Amount: "1", Currency: "JOD", Status: registry.OnHold})
		return err
	})
	must(t, w.org.Erase(ctx, clerk, b.Requests[2].Unit, "asked"))
	for row, r := range issue(t, w.desk, b) {
		if refused := r.Refusal != nil; refused != (row < 4) {
			t.Errorf("row %d: %+v", row, r.Refusal)
		}
	}
}
