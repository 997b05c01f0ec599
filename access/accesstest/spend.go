package accesstest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"aidpass/access"
)

// testSpend: many small acts are one large one.
func testSpend(t *testing.T, w *World) {
	amina, bilal := access.Actor{ID: "amina", Role: access.Issuer}, access.Actor{ID: "bilal", Role: access.Issuer}
	spend := func(who access.Actor, n int) error { return w.Door.Spend(ctx, who, access.CardMany, n, 20) }
	spent := func(who access.Actor, want int) {
		t.Helper()
		n, err := w.Door.Spent(ctx, who, access.CardMany)
		must(t, err)
		if n != want {
			t.Errorf("%s spent %d, want %d", who.ID, n, want)
		}
	}
	must(t, spend(amina, 15))
	want(t, "six more", spend(amina, 6), access.ErrSpent)
	want(t, "by another spelling", spend(access.Actor{ID: " AMINA", Role: access.Issuer}, 6), access.ErrSpent)
	spent(amina, 15)
	must(t, spend(amina, 5))
	want(t, "one more", spend(amina, 1), access.ErrSpent)
	must(t, spend(bilal, 20))
	must(t, w.Door.Spend(ctx, amina, access.CardReissue, 1, 1))
	approved := amina
	approved.SecondPerson = "bilal"
	must(t, spend(approved, 400))
	spent(amina, 20)
	must(t, w.Door.Unspend(ctx, amina, access.CardMany, 2))
	must(t, spend(amina, 2))
	if err := w.Door.Spend(ctx, amina, "card.dream", 1, 1); err == nil {
		t.Error("an act that is not there")
	}
	want(t, "by another program", w.door(w.Store).Spend(ctx, amina, access.CardMany, 1, 20), access.ErrSpent)
	if err := spend(bilal, -5); err == nil {
		t.Error("less than nothing was spent")
	}

	w.pass(24 * time.Hour)
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() {
			if err := spend(amina, 1); err != nil && !errors.Is(err, access.ErrSpent) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	spent(amina, 20)
}

// testPairs: two who always agree with each other are not four eyes.
func testPairs(t *testing.T, w *World) {
	o := newOffice(t, w)
	w.Join(t, "third", access.Approver)
	w.Door.Pairs = func(context.Context) (int, error) { return 2, nil }
	next := func() access.Approval {
		o.rows["batch-1"] += "+"
		return o.ask(t, "amina")
	}
	approve := func(id string, a access.Approval) error {
		_, err := w.Door.Approve(ctx, s2(t, w, id), a.ID, a.Hash, nil)
		return err
	}
	must(t, approve("bilal", next()))
	must(t, approve("bilal", next()))
	more := next()
	want(t, "once more", approve("bilal", more), access.ErrPair)
	if got, err := w.Door.Approval(ctx, laptop, more.ID); err != nil || got.State != access.Waiting {
		t.Errorf("it is %s, %v", got.State, err)
	}
	must(t, approve("third", more))
	again := next()
	want(t, "of the pair once more", approve("bilal", again), access.ErrPair)
	w.pass(24 * time.Hour)
	must(t, approve("bilal", again))
}
