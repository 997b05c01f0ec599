package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/storage"
	"aidpass/verifier/request"
)

var asker = access.Actor{ID: "acc-verifier", Role: access.Verifier}

func (w *world) ask(t *testing.T, id string) request.Record {
	t.Helper()
	r := request.Record{ID: id, Handle: "handle-of-" + id, Status: request.Open, Created: w.now, Expires: w.now.Add(5 * time.Minute),
		Ends: w.now.Add(time.Hour), Body: []byte(`{"name":"Kanari"}`)}
	must(t, w.org.AddRequest(ctx, asker, r))
	return r
}

// testRequestOnce: of several answers at once one is kept (THREATS 4.4, rows 18 and 32).
func testRequestOnce(t *testing.T, e Engine) {
	w := newWorld(t, e)
	r := w.ask(t, "r-1")
	closed := errors.New("answered")
	var wait sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		wait.Go(func() {
			errs[i] = w.org.ChangeRequest(ctx, asker, r.ID, func(r *request.Record) error {
				if r.Status != request.Open {
					return closed
				}
				r.Status, r.Body, r.Ends = request.Shown, fmt.Append(nil, "answer ", i), r.Ends.Add(time.Hour)
				return nil
			})
		})
	}
	wait.Wait()
	won := -1
	for i, err := range errs {
		switch {
		case err == nil && won < 0:
			won = i
		case !errors.Is(err, closed):
			t.Errorf("answer %d: %v", i, err)
		}
	}
	got, err := w.org.RequestByHandle(ctx, r.Handle)
	must(t, err)
	if string(got.Body) != fmt.Sprint("answer ", won) || got.Status != request.Shown || !got.Ends.Equal(r.Ends.Add(time.Hour)) || !got.Expires.Equal(r.Expires) {
		t.Errorf("kept: %+v, won by %d", got, won)
	}
	// Not even a change that does not ask may answer it again, and a change that fails keeps nothing.
	if err := w.org.ChangeRequest(ctx, asker, r.ID, func(r *request.Record) error { r.Body = nil; return nil }); err == nil {
		t.Error("an answer was written over")
	}
	other := w.ask(t, "r-2")
	if err := w.org.ChangeRequest(ctx, asker, other.ID, func(r *request.Record) error { r.Body = nil; return closed }); !errors.Is(err, closed) {
		t.Error(err)
	}
	if got, err := w.org.Request(ctx, other.ID); err != nil || string(got.Body) != string(other.Body) || got.Status != request.Open {
		t.Errorf("after a change that failed: %+v, %v", got, err)
	}
	w.whole(t)
}

func testRequestsEnd(t *testing.T, e Engine) {
	w := newWorld(t, e)
	first := w.ask(t, "r-1")
	if found := readable(t, w.dir, append([]string{first.Handle}, canaries...)); len(found) > 0 {
		t.Errorf("readable: %q", found)
	}
	for _, id := range []string{"", "r-2", first.Handle} {
		if _, err := w.org.Request(ctx, id); !errors.Is(err, request.ErrNotFound) {
			t.Errorf("request %q: %v", id, err)
		}
	}
	if _, err := w.org.RequestByHandle(ctx, first.ID); !errors.Is(err, request.ErrNotFound) {
		t.Error("the id opens the wallet's door:", err)
	}
	if err := w.org.AddRequest(ctx, asker, first); err == nil {
		t.Error("one id twice")
	}
	other, err := w.db.CreateOrg(ctx, "org-b", random(32), clerk)
	must(t, err)
	if _, err := other.RequestByHandle(ctx, first.Handle); !errors.Is(err, request.ErrNotFound) {
		t.Error("another organisation finds it:", err)
	}
	if n, err := other.DropRequests(ctx, asker, w.now.AddDate(1, 0, 0)); n != 0 || err != nil {
		t.Error("another organisation deletes it:", n, err)
	}
	w.now = w.now.Add(30 * time.Minute)
	w.ask(t, "r-2")
	all, err := w.org.Requests(ctx)
	must(t, err)
	if len(all) != 2 || all[0].ID != "r-2" || string(all[1].Body) != string(first.Body) {
		t.Errorf("%+v", all)
	}
	if n, err := w.org.DropRequests(ctx, asker, first.Ends.Add(time.Second)); n != 1 || err != nil {
		t.Error("dropped", n, err)
	}
	if _, err := w.org.Request(ctx, first.ID); !errors.Is(err, request.ErrNotFound) {
		t.Error("still there:", err)
	}
	w.ask(t, "r-3")
	w.whole(t)
	w.exec(t, `UPDATE wallet_request SET sealed = (SELECT sealed FROM wallet_request o WHERE o.id = 'r-2') WHERE id = 'r-3'`)
	if got := w.findings(t); !slices.Contains(got, storage.CheckSeal) {
		t.Errorf("findings = %q, want the request that was put in another's place", got)
	}
}
