package storagetest

import (
	"errors"
	"testing"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

// testPapers: papers are sealed, a private one goes with its person; and several records
// are erased in one transaction, or none is.
func testPapers(t *testing.T, e Engine) {
	w := newWorld(t, e)
	her, other := w.saved(t, change(t, 1)).ID, w.saved(t, change(t, 2)).ID
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	const kind = rights.Kind("request")
	save := func(p rights.Paper) {
		t.Helper()
		must(t, w.org.WriteRights(ctx, clerk, func(tx rights.Tx) error { return tx.SavePaper(p) }))
	}
	papers := func(unit registry.ID) (list []rights.Paper) {
		t.Helper()
		must(t, w.org.ReadRights(ctx, func(v rights.View) (err error) {
			list, err = v.Papers(kind, unit)
			return err
		}))
		return list
	}
	secret := []byte(`{"text":"her words"}`)
	save(rights.Paper{Kind: kind, ID: "a", Unit: her, Private: true, At: at, Data: secret})
	save(rights.Paper{Kind: kind, ID: "b", Unit: her, At: at, Data: []byte(`{}`)})
	save(rights.Paper{Kind: kind, ID: "c", At: at.Add(time.Second), Data: []byte(`{"n":1}`)})
	save(rights.Paper{Kind: kind, ID: "c", At: at, Data: []byte(`{"n":2}`)})
	if list := papers(registry.ID{}); len(list) != 3 || string(list[0].Data) != string(secret) || list[0].Unit != her || string(list[2].Data) != `{"n":2}` {
		t.Errorf("%+v", list)
	}
	if held := w.holders(t, []byte("her words")); len(held) > 0 {
		t.Errorf("a paper stands in the clear in %v", held)
	}
	w.whole(t)
	no := errors.New("no")
	for name, work := range map[string][2]func(rights.Tx) error{
		"before": {func(rights.Tx) error { return no }, nil},
		"after":  {nil, func(rights.Tx) error { return no }},
	} {
		if err := w.org.EraseAll(ctx, clerk, []registry.ID{her, other}, "asked", work[0], work[1]); !errors.Is(err, no) {
			t.Errorf("%s: %v", name, err)
		}
		w.record(t, her) // still there
		w.record(t, other)
	}
	if err := w.org.EraseAll(ctx, clerk, []registry.ID{her, registry.NewID()}, "asked", nil, nil); err == nil {
		t.Error("erased somebody who is nobody")
	}
	number := w.record(t, her).External
	var again registry.ID
	must(t, w.org.EraseAll(ctx, clerk, []registry.ID{her, other}, "asked", nil, func(tx rights.Tx) error {
		saved, err := tx.Save(change(t, 1)) // her number is free in this very transaction
		again = saved.ID
		return err
	}))
	if again == her || w.record(t, again).External != number {
		t.Errorf("%s has her number, not a new record", again)
	}
	for _, id := range []registry.ID{her, other} {
		err := w.org.View(ctx, func(v registry.View) error { _, err := v.Record(id); return err })
		if !errors.Is(err, registry.ErrErased) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if list := papers(her); len(list) != 1 || list[0].ID != "b" {
		t.Errorf("her own paper is there: %+v", list)
	}
	w.whole(t)
}
